/* spor sweep: trains a script with all combinations of some values, and chooses by the validation rows. */
#include "cli/sweep.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/pool.h"
#include "data/file.h"

/** A sweep at work. */
typedef struct {
    const sweep_arguments *given;
    spor_workpiece piece; /* of the first setting, and its data */
    sweep_space space;
    int64_t count;
    int64_t *trial;      /* [count] those of this share */
    sweep_trial *result; /* [trials] */
} sweep;

/* ---- the share ------------------------------------------------------------------------------ */

/* "3/8" */
static bool read_task(const char *text, long *task, long *tasks) {
    char *end;
    *task = strtol(text, &end, 10);
    if (end == text || *end != '/') return false;
    const char *behind = end + 1;
    *tasks = strtol(behind, &end, 10);
    return end != behind && !*end && *task >= 1 && *task <= *tasks;
}

/* Every N-th trial from the I-th on: shares are alike, whatever makes a trial slow. */
static bool choose_share(sweep *s) {
    long task = 1, tasks = 1;
    const char *text = s->given->task;
    if (text && !read_task(text, &task, &tasks))
        return command_fail(&spor_command_sweep,
                            "--task wants I/N, 1 <= I <= N, as in --task 1/8, not %s", text),
               false;
    s->trial = calloc((size_t)s->space.trials, sizeof *s->trial);
    s->result = calloc((size_t)s->space.trials, sizeof *s->result);
    if (!s->trial || !s->result) return command_fail(&spor_command_sweep, "out of memory"), false;
    for (int64_t k = task - 1; k < s->space.trials; k += tasks) s->trial[s->count++] = k;
    return true;
}

/* ---- what can be wrong before anything is trained ------------------------------------------- */

/* The rows that are chosen by. */
static bool check_rows(sweep *s, const arguments *a) {
    spor_message message = {""};
    spor_split split;
    const spor_data *data = workpiece_data(&s->piece);
    if (!data) return false;
    bool done = spor_split_draw(data, SPOR_TEST_SHARE, SPOR_VALIDATION_SHARE, train_split_seed(a),
                                &split, &message);
    if (done && !split.validation_rows)
        done = message_complain(&message, "there are no rows to validate with, and the test rows "
                                          "must not choose");
    if (done && !s->given->quiet && !s->given->only_list)
        printf("%s: settings %lld x seeds %lld = %lld trials; %lld rows validate, by which is "
               "chosen; the %lld rows to test are left alone\n",
               s->piece.declared.model, (long long)s->space.settings, (long long)s->space.seeds,
               (long long)s->space.trials, (long long)split.validation_rows,
               (long long)split.test_rows);
    if (!done) command_fail(&spor_command_sweep, "%s", message.text);
    spor_split_free(&split);
    return done;
}

static bool choose_folder(sweep *s) {
    char *path = s->space.folder;
    const char *out = s->given->out;
    int length = out ? snprintf(path, SWEEP_FOLDER, "%s", out)
                     : snprintf(path, SWEEP_FOLDER, "sweeps/%.200s", s->piece.declared.model);
    while (length > 1 && length < SWEEP_FOLDER && path[length - 1] == '/') path[--length] = 0;
    if (length >= SWEEP_FOLDER)
        return command_fail(&spor_command_sweep, "the name of the folder is too long"), false;
    return true;
}

/* Nothing is made before all was looked at. */
static bool make_folder(const sweep *s) {
    spor_message message = {""};
    if (s->given->only_list) return true;
    if (s->given->collect)
        return !access(s->space.folder, F_OK) ||
               (command_fail(&spor_command_sweep, "there is no %s/ to collect from",
                             s->space.folder),
                false);
    if (file_make_folder(s->space.folder, &message)) return true;
    command_fail(&spor_command_sweep, "%s\nGive another folder with --out.", message.text);
    return false;
}

/* Data that depend on the setting are the piece's own. */
static bool is_current(sweep *s, int64_t trial, spor_workpiece *piece, int64_t epochs,
                       spor_message *message) {
    return sweep_trial_is_current(&s->space, trial, piece->script, s->piece.data, epochs,
                                  message) ||
           (piece->declared.own && workpiece_data(piece) &&
            sweep_trial_is_current(&s->space, trial, piece->script, piece->data, epochs, message));
}

/* What is there of the setting's trials must be what would be made now. */
static bool check_trials(sweep *s, int64_t setting, spor_workpiece *piece, int64_t epochs) {
    char path[RUN_PATH];
    for (int64_t k = setting * s->space.seeds; k < (setting + 1) * s->space.seeds; k++) {
        spor_message message = {""};
        if (is_current(s, k, piece, epochs, &message)) continue;
        s->result[k].stale = true;
        if (s->given->force) continue;
        command_fail(&spor_command_sweep,
                     "%s: %s.\n--force trains such trials anew, --out makes another sweep.",
                     space_trial_file(&s->space, k, "", path), message.text);
        return false;
    }
    return true;
}

static bool check_loaded(sweep *s, int64_t setting, spor_workpiece *piece, const arguments *a) {
    training t = {.piece = piece, .given = a};
    return workpiece_choose_data(piece, a->data) && train_record(&t) &&
           (setting || (check_rows(s, a) && choose_folder(s))) &&
           check_trials(s, setting, piece, t.schedule.epochs);
}

/* Options and script with the values of one setting. */
static bool check_setting(sweep *s, int64_t setting) {
    sweep_words words;
    arguments a = train_nothing_given;
    spor_workpiece other = {0}, *piece = setting ? &other : &s->piece;
    char text[400];
    space_begin_words(&s->space, setting * s->space.seeds, &words);
    bool done = !words.failed &&
                train_read_arguments(&a, words.count, words.word) == SPOR_EXIT_NOT_YET &&
                workpiece_load(piece, &spor_command_sweep, s->given->script, &a.settings) &&
                check_loaded(s, setting, piece, &a);
    space_setting_text(&s->space, setting, text, sizeof text);
    if (!done && *text)
        fprintf(stderr, "spor sweep: that is so with %s; nothing was trained\n", text);
    workpiece_close(&other);
    words_free(&words);
    return done;
}

/* What the first setting reads serves all. */
static bool check(sweep *s) {
    for (int64_t k = 0; k < s->space.settings; k++)
        if (!check_setting(s, k)) return false;
    return true;
}

/* ---- --list --------------------------------------------------------------------------------- */

/* A word as sh reads it. */
static void print_word(const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "%+,-./:=@_";
    if (*word && !word[strspn(word, plain)]) {
        fputs(word, stdout);
        return;
    }
    putchar('\'');
    for (; *word; word++)
        if (*word == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*word);
    putchar('\'');
}

static void print_command(const sweep *s, int64_t trial) {
    char program[RUN_PATH];
    sweep_words words;
    engine_program(program);
    sweep_trial_words(&s->space, trial, &s->result[trial], &words);
    print_word(program);
    for (int k = 0; k < words.count; k++) putchar(' '), print_word(words.word[k]);
    putchar('\n');
    words_free(&words);
}

/* Those that are not finished; each line is one command. */
static int list(const sweep *s) {
    for (int64_t k = 0; k < s->count; k++) {
        sweep_trial *t = &s->result[s->trial[k]];
        sweep_trial_examine(&s->space, s->trial[k], t);
        if (t->stale || t->state != TRIAL_FINISHED) print_command(s, s->trial[k]);
    }
    return SPOR_EXIT_DONE;
}

/* ---- the end -------------------------------------------------------------------------------- */

static int64_t count_state(const sweep *s, trial_state state) {
    int64_t count = 0;
    for (int64_t k = 0; k < s->count; k++) count += s->result[s->trial[k]].state == state;
    return count;
}

static int tell_all(const sweep *s) {
    sweep_table table;
    if (!sweep_table_make(&table, s->piece.declared.model, &s->space, s->result))
        return command_fail(&spor_command_sweep, "out of memory");
    bool done = sweep_table_write(&table);
    sweep_table_print(&table);
    if (done && !s->given->quiet)
        printf("%s/ has trials.csv table.csv%s and a folder for each trial\n", s->space.folder,
               s->space.settings > 1 ? " map.svg" : "");
    int64_t chosen = table.chosen;
    sweep_table_free(&table);
    return !done ? SPOR_EXIT_BAD : chosen < 0 ? SPOR_EXIT_NO : SPOR_EXIT_DONE;
}

/* What is there, without training. */
static int collect(sweep *s) {
    for (int64_t k = 0; k < s->space.trials; k++) {
        bool stale = s->result[k].stale;
        sweep_trial_examine(&s->space, k, &s->result[k]);
        if (stale) s->result[k] = (sweep_trial){.state = TRIAL_MISSING, .stale = true};
    }
    int64_t missing =
        s->space.trials - count_state(s, TRIAL_FINISHED) - count_state(s, TRIAL_FAILED);
    if (missing && !s->given->quiet)
        printf("%lld of %lld trials are missing, or begun and not finished\n", (long long)missing,
               (long long)s->space.trials);
    return tell_all(s);
}

static int tell_share(const sweep *s) {
    int64_t failed = count_state(s, TRIAL_FAILED);
    if (!s->given->quiet)
        printf("%lld of %lld trials, %lld failed; the same command with --collect in the place of "
               "--task makes the table\n",
               (long long)s->count, (long long)s->space.trials, (long long)failed);
    return failed ? SPOR_EXIT_NO : SPOR_EXIT_DONE;
}

static int train_all(sweep *s) {
    int jobs = s->given->jobs ? (int)(s->given->jobs < 1024 ? s->given->jobs : 1024) : pool_cores();
    if (!engine_run(&s->space, s->count, s->trial, jobs, s->result)) {
        command_fail(&spor_command_sweep,
                     "stopped: %lld of %lld trials are finished; the same command goes on",
                     (long long)count_state(s, TRIAL_FINISHED), (long long)s->count);
        return SPOR_EXIT_NO;
    }
    return s->given->task ? tell_share(s) : tell_all(s);
}

/* ---- the command ---------------------------------------------------------------------------- */

static bool check_combination(const sweep_arguments *a) {
    const struct {
        bool met;
        const char *why;
    } wrong[] = {
        {a->only_list && a->collect, "--list and --collect: only one of them"},
        {a->collect && a->task, "--collect is of all tasks: leave out --task"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        if (wrong[k].met) return command_fail(&spor_command_sweep, "%s", wrong[k].why), false;
    return true;
}

/* The script as it is says which names are its own; what is wrong with it is told of the first setting. */
static bool make_space(sweep *s) {
    spor_workpiece plain;
    spor_settings none = {0};
    workpiece_read(&plain, &spor_command_sweep, s->given->script, &none);
    bool done = space_make(&s->space, s->given, plain.script);
    workpiece_close(&plain);
    return done;
}

static int sweep_run(sweep *s) {
    const sweep_arguments *a = s->given;
    if (!check_combination(a) || !make_space(s) || !choose_share(s) || !check(s) || !make_folder(s))
        return SPOR_EXIT_BAD;
    display_flush();
    return a->only_list ? list(s) : a->collect ? collect(s) : train_all(s);
}

static int read_arguments(sweep_arguments *a, int argc, char **argv) {
    const spor_option own[] = {
        {"set", "NAME=LIST", "values of a name of the script, or of an option below",
         SPOR_OPTION_SETTING, &a->settings, 0, NULL},
        {"seed", "LIST", "0..4 or 0,3,7: each setting is trained with each (default 0)",
         SPOR_OPTION_TEXT, &a->seeds, 0, NULL},
        {"jobs", "N", "trials at a time (default: the cores it may use)", SPOR_OPTION_INTEGER,
         &a->jobs, 1, NULL},
        {"out", "FOLDER", "where the runs go (default sweeps/<network>)", SPOR_OPTION_TEXT, &a->out,
         0, NULL},
        {"list", NULL, "prints a command for each trial that is not finished, and trains nothing",
         SPOR_OPTION_FLAG, &a->only_list, 0, NULL},
        {"task", "I/N", "trains the I-th of N shares, 1 <= I <= N", SPOR_OPTION_TEXT, &a->task, 0,
         NULL},
        {"collect", NULL, "makes table and map of what is there, and trains nothing",
         SPOR_OPTION_FLAG, &a->collect, 0, NULL},
        {"force", NULL, "trains anew what another script, data or command has made",
         SPOR_OPTION_FLAG, &a->force, 0, NULL},
        {"quiet", NULL, "prints the folder of the trial that was chosen", SPOR_OPTION_FLAG,
         &a->quiet, 0, NULL},
    };
    enum { OWN = sizeof own / sizeof *own };
    spor_option options[OWN + SWEEP_HANDED + 1] = {{0}};
    memcpy(options, own, sizeof own);
    for (int k = 0; k < SWEEP_HANDED; k++) {
        const sweep_handed *h = &sweep_handed_on[k];
        spor_option_kind kind = h->value ? SPOR_OPTION_TEXT : SPOR_OPTION_FLAG;
        void *target = h->value ? (void *)&a->handed[k] : &a->flag[k];
        options[OWN + k] = (spor_option){h->name, h->value, h->help, kind, target, 0, NULL};
    }
    return options_read(&spor_command_sweep, options, 1, 1, &a->script, argc, argv);
}

static int run(int argc, char **argv) {
    sweep_arguments *a = calloc(1, sizeof *a);
    sweep *s = calloc(1, sizeof *s);
    int status = SPOR_EXIT_BAD;
    signal(SIGPIPE, SIG_IGN); /* a reader that went away ends no search */
    if (!a || !s)
        command_fail(&spor_command_sweep, "out of memory");
    else if ((status = read_arguments(a, argc, argv)) == SPOR_EXIT_NOT_YET) {
        s->given = a;
        status = sweep_run(s);
        space_free(&s->space);
        workpiece_close(&s->piece);
        free(s->trial);
        free(s->result);
    }
    free(s);
    free(a);
    return status;
}

const spor_command spor_command_sweep = {
    .name = "sweep",
    .operands = "SCRIPT",
    .summary = "Searches: trains with all combinations of values, and chooses by validation.",
    .help =
        "--set NAME=LIST varies a name of the script; where the script has no such name, rate, "
        "l2,\n"
        "epochs, batch and limit are the options above, which may have lists, too. Commas part "
        "the\n"
        "values, but not inside brackets and quotes: --set units=[10,20],[30] has two. A list of "
        "one\n"
        "value is of all trials. Each setting is trained with each seed, by `spor train "
        "--no-test`.\n"
        "\n"
        "The choice falls on the setting with the best mean over its seeds of what the validation "
        "rows\n"
        "say: accuracy, or RMSE, or the loss where there is no metric. The rows to test are the "
        "same in\n"
        "all trials (--split), are never looked at, and so can test what was chosen.\n"
        "\n"
        "What is finished is never repeated: after ^C, a kill, or a power cut the same command "
        "goes on,\n"
        "and another one on the same folder shares the work. What failed is told and tried again.\n"
        "\n"
        "Examples\n"
        "  spor sweep models/densenet2_20.spor --set rate=0.003,0.01,0.03 --set hidden=10,20 "
        "--seed "
        "0..4\n"
        "  spor sweep net.spor --set act=relu,tanh --batch 10,50 --epochs 20 --jobs 2 --out "
        "sweeps/act\n"
        "  spor sweep net.spor --set hidden=10,20 --collect      what is there, as table and map\n"
        "  spor sweep net.spor --set hidden=10,20 --list | parallel -j 2\n"
        "  spor sweep net.spor --set hidden=10,20 --list | xargs -d '\\n' -n 1 -P 2 sh -c\n"
        "  spor sweep net.spor --set hidden=10,20 --task "
        "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT\n"
        "\n"
        "FOLDER has a run for each trial, which `spor train --resume` takes; trials.csv, table.csv "
        "and\n"
        "map.svg. Exit status 1: stopped, or nothing could be chosen; of --task: a trial failed.\n",
    .run = run,
};
