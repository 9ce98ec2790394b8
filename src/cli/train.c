/* spor train: trains the network of a script and writes what came of it. */
#include "cli/run.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/message.h"
#include "base/random.h"
#include "kernels/element.h"
#include "train/model.h"
#include "train/warn.h"

typedef struct {
    const char *script, *out;
    const char *resume, *repeat;        /* folders; NULL: not given */
    int64_t epochs, batch, seed, limit; /* 0: not given; seed 0 is the default */
    double rate, l2, checkpoint;        /* negative: not given */
    bool reference, wide, quiet, test, force;
    spor_settings settings;
} arguments;

/* A training while it goes. */
typedef struct {
    spor_workpiece *piece;
    const arguments *given;
    int argc; /* the command line, to be kept */
    char **argv;
    spor_options options;
    spor_schedule schedule;
    spor_data *data;
    spor_split split;
    run_folder folder;
    int here;             /* the way back from where the run was begun */
    spor_checkpoint run;  /* where it stands, its history, what is kept of it */
    double saved, saving; /* when a checkpoint was written, and how long it took, in seconds */
    bool save_failed;
    const char *isa;
    spor_named_number setting[SPOR_SUMMARY_SETTINGS]; /* of the optimizer; those with a name */
    spor_display display;
    bool history_failed;
    bool tested;
    spor_evaluation test;
} training;

/* ---- signals ---- */

static volatile sig_atomic_t stopping;

static void on_signal(int number) {
    stopping = number;
}

/* The first ^C, hang-up or SIGTERM asks for an end after the step, a second one ends at once. What was
 * to be ignored from the start, by nohup, stays so. */
static void catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, before;
    action.sa_flags = (int)SA_RESETHAND | SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (size_t k = 0; k < sizeof signals / sizeof *signals; k++)
        if (!sigaction(signals[k], NULL, &before) && before.sa_handler != SIG_IGN)
            sigaction(signals[k], &action, NULL);
}

/* ---- preparing ---- */

static void choose_schedule(training *t) {
    const spor_declaration *declared = &t->piece->declared;
    const arguments *given = t->given;
    t->schedule = (spor_schedule){
        .epochs = given->epochs ? given->epochs : declared->epochs,
        .batch = given->batch ? given->batch : declared->batch,
        .seed = (uint64_t)given->seed,
        .from = &t->run.progress,
    };
}

/* value < 0: not given. */
static bool choose_setting(training *t, const char *name, double value) {
    const spor_workpiece *piece = t->piece;
    if (value < 0 || spor_model_set(piece->model, name, value)) return true;
    command_fail(piece->command,
                 "--%s: the optimizer %s has no setting %s.\n"
                 "Its def makes one by %s = setting(\"%s\", %s); what it leaves out where it is 0 "
                 "is first given in the script.",
                 name, piece->declared.optimizer, name, name, name, name);
    return false;
}

/* Keeps count of the training rows: a random subset, still in increasing order. */
static bool limit_rows(spor_split *split, int64_t count, uint64_t seed) {
    int64_t rows = split->train_rows, kept = 0;
    if (count >= rows) return true;
    int64_t *order = calloc((size_t)rows, sizeof *order);
    if (!order) return false;
    random_shuffle(random_hash_text(seed, "limit"), rows, order);
    for (int64_t k = 0; k < rows; k++) /* keep row k if it is among the first of the shuffle */
        if (order[k] < count) split->train[kept++] = split->train[k];
    split->train_rows = kept;
    free(order);
    return true;
}

static bool prepare_data(training *t) {
    const spor_command *command = t->piece->command;
    spor_message message = {""};
    uint64_t seed = t->schedule.seed;
    t->data = workpiece_data(t->piece);
    if (!t->data) return false;
    if (!spor_split_draw(t->data, SPOR_TEST_SHARE, SPOR_VALIDATION_SHARE, seed, &t->split,
                         &message))
        return command_fail(command, "%s", message.text), false;
    if (t->given->limit && !limit_rows(&t->split, t->given->limit, seed))
        return command_fail(command, "out of memory"), false;
    return true;
}

/* Tells what is wrong with the model, if that is what is wrong. */
static bool complained(const training *t) {
    if (spor_model_error(t->piece->model)) workpiece_complain(t->piece);
    return false;
}

/* script.spor:3:12: warning: ... */
static void warn(const char *text, const char *file, int line, int column, void *user) {
    const training *t = user;
    fflush(stdout);
    if (file)
        fprintf(stderr, "%s:%d:%d: warning: %s\n", file, line, column, text);
    else
        fprintf(stderr, "spor %s: warning: %s\n", t->piece->command->name, text);
}

/* Everything that can be wrong with script and data, before the first step: the script is recorded
 * before its data is read, and then all that the run will run. */
static bool prepare(training *t) {
    spor_model *model;
    choose_schedule(t);
    t->options.scalar = t->given->wide ? SPOR_F64 : SPOR_F32;
    t->options.reference = t->given->reference;
    if (!workpiece_model(t->piece, &t->options, t->schedule.seed)) return false;
    model = t->piece->model;
    if (!model_plan(model, t->schedule.batch, true) || !choose_setting(t, "rate", t->given->rate) ||
        !choose_setting(t, "l2", t->given->l2))
        return complained(t);
    if (!prepare_data(t)) return false;
    if (!train_prepare(model, t->data, &t->split, &t->schedule)) return complained(t);
    const spor_bound *bound = model_plan(model, t->schedule.batch, true);
    t->isa = spor_program_isa(bound->program);
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS; k++)
        t->setting[k] = spor_program_setting(bound->program, k);
    return train_warn(model, t->data, &t->split, &t->schedule, warn, t) || complained(t);
}

/* ---- the checkpoint ---- */

static bool save(training *t, spor_message *message) {
    char path[RUN_PATH];
    double start = display_seconds();
    bool done = checkpoint_write(&t->run, spor_model_params(t->piece->model),
                                 folder_file(&t->folder, "checkpoint.safetensors", path), message);
    t->saved = display_seconds();
    t->saving = t->saved - start;
    return done;
}

/* At the end of an epoch, but no more often than every 2 seconds, and not for more than a hundredth of
 * the time; within long epochs, too. */
static bool is_due(const training *t) {
    const spor_progress *p = &t->run.progress;
    double every = t->given->checkpoint;
    if (every < 0) every = fmax(2, 100 * t->saving);
    return display_seconds() - t->saved >= (p->step == p->steps ? every : fmax(every, 30));
}

/* A disk that is full may have room later: the training goes on. */
static void save_if_due(training *t) {
    spor_message message = {""};
    if (!is_due(t) || save(t, &message) || t->save_failed) return;
    t->save_failed = true;
    command_fail(t->piece->command, "%s\nThe training goes on; an earlier checkpoint is kept.",
                 message.text);
}

/* ---- beginning and going on ---- */

/* The same bits follow from the same data, on the same instruction set, by the same spor. */
static bool check_same(training *t) {
    spor_message message = {""};
    const spor_command *command = t->piece->command;
    const char *isa = checkpoint_note(&t->run, "isa");
    if (!kept_data_are(&t->run, t->data, &message)) {
        command_fail(command, "%s\nPut the data back, or train anew: spor train %s", message.text,
                     t->piece->path);
        return false;
    }
    if (isa && strcmp(isa, t->isa) != 0)
        fprintf(stderr, "spor train: began with %s and goes on with %s, which rounds otherwise\n",
                isa, t->isa);
    if (strcmp(t->run.version, SPOR_VERSION) != 0)
        fprintf(stderr, "spor train: began with spor %s and goes on with %s\n", t->run.version,
                SPOR_VERSION);
    return true;
}

/* Files of an earlier run do not stay beside the new one. */
static const char *const made_at_the_end[] = {"weights.safetensors", "history.csv", "summary.json",
                                              "history.svg", "confusion.svg"};

/* The folder is taken and written to before the training, so that no training is lost on it. */
static bool begin(training *t) {
    spor_message message = {""};
    char path[RUN_PATH];
    const char *out = t->given->out, *name = t->piece->declared.model;
    if (t->given->repeat && !check_same(t)) return false;
    t->run.progress = (spor_progress){.epochs = t->schedule.epochs};
    t->run.history.count = 0;
    t->run.best.epoch = 0;
    if (!folder_begin(&t->folder, out, name, t->given->force, &message) || !save(t, &message) ||
        !kept_copy_script(&t->run, &t->folder, &message)) {
        command_fail(t->piece->command, "%s%s", message.text,
                     strstr(message.text, "--out") ? "" : "\nGive another folder with --out.");
        return false;
    }
    for (size_t k = 0; k < sizeof made_at_the_end / sizeof *made_at_the_end; k++)
        unlink(folder_file(&t->folder, made_at_the_end[k], path));
    return true;
}

static bool go_on(training *t) {
    spor_message message = {""};
    spor_progress *p = &t->run.progress;
    if (!check_same(t)) return false;
    if (t->schedule.epochs < p->epoch) {
        command_fail(t->piece->command,
                     "the run stands in epoch %lld: --epochs must be at least that.\n"
                     "--test tests it as it stands.",
                     (long long)p->epoch);
        return false;
    }
    bool done = checkpoint_load(&t->run, spor_model_params(t->piece->model), &message);
    p->epochs = t->schedule.epochs;
    if (!done || !save(t, &message)) command_fail(t->piece->command, "%s", message.text);
    return done && !*message.text;
}

/* ---- training ---- */

static bool on_progress(const spor_progress *progress, void *user) {
    training *t = user;
    t->run.progress = *progress;
    if (progress->step == progress->steps && !history_add(&t->run.history, progress))
        t->history_failed = true;
    display_update(&t->display, progress);
    save_if_due(t);
    return !stopping && !t->history_failed;
}

static void print_rule(const training *t) {
    const spor_declaration *d = &t->piece->declared;
    printf("%s%s%s", d->optimizer, d->clip ? ", " : "", d->clip ? d->clip : "");
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS && t->setting[k].name; k++)
        printf("%s%s %g", k ? ", " : ": ", t->setting[k].name, t->setting[k].value);
}

static void announce(const training *t) {
    const spor_schedule *s = &t->schedule;
    if (t->given->quiet) return;
    printf("%s: %lld parameters; %s: %lld rows to train, %lld to validate, %lld to test\n",
           t->piece->declared.model,
           (long long)spor_params_size(spor_model_params(t->piece->model)), t->data->name,
           (long long)t->split.train_rows, (long long)t->split.validation_rows,
           (long long)t->split.test_rows);
    print_rule(t);
    printf("\nepochs %lld, batch %lld, seed %llu, %s%s\n", (long long)s->epochs,
           (long long)s->batch, (unsigned long long)s->seed, element_types[t->options.scalar]->text,
           t->options.reference ? ", reference kernels" : "");
    if (t->run.progress.epoch)
        printf("goes on after step %lld of %lld in epoch %lld\n", (long long)t->run.progress.step,
               (long long)t->run.progress.steps, (long long)t->run.progress.epoch);
    display_flush();
}

/* ---- writing ---- */

typedef bool writer(training *t, const char *path, spor_message *message);

static bool write_history(training *t, const char *path, spor_message *message) {
    return history_write(&t->run.history, path, message);
}

static bool write_weights(training *t, const char *path, spor_message *message) {
    return spor_weights_save(spor_model_params(t->piece->model), path, message);
}

static bool write_curves(training *t, const char *path, spor_message *message) {
    return history_draw(&t->run.history, t->piece->declared.model, path, message);
}

static bool write_confusion(training *t, const char *path, spor_message *message) {
    return confusion_draw(&t->test, t->piece->declared.model, path, message);
}

static bool write_summary(training *t, const char *path, spor_message *message) {
    const spor_history *h = &t->run.history;
    const spor_progress *last = h->count ? &h->epochs[h->count - 1] : NULL;
    const spor_score unknown = {.loss = (double)NAN, .metric = (double)NAN};
    spor_summary summary = {
        .model = t->piece->declared.model,
        .data = t->data->name,
        .loss = t->piece->declared.loss,
        .seed = t->schedule.seed,
        .epochs = h->count,
        .batch = t->schedule.batch,
        .optimizer = t->piece->declared.optimizer,
        .clip = t->piece->declared.clip,
        .threads = 1,
        .scalar = t->options.scalar,
        .reference = t->options.reference,
        .isa = t->isa,
        .parameters = spor_params_size(spor_model_params(t->piece->model)),
        .train_rows = t->split.train_rows,
        .validation_rows = t->split.validation_rows,
        .test_rows = t->split.test_rows,
        .metric = t->run.progress.metric,
        .train = last ? last->train : unknown,
        .validation = last ? last->validation : unknown,
        .test = t->tested ? &t->test : NULL,
        .train_seconds = t->run.progress.train_seconds,
        .evaluate_seconds = t->run.progress.evaluate_seconds,
    };
    memcpy(summary.setting, t->setting, sizeof summary.setting);
    return summary_write(&summary, path, message);
}

/* Writes one file; a trouble is told, and the other files are still tried. */
static bool write_file(training *t, const char *name, writer *write) {
    char path[RUN_PATH];
    spor_message message = {""};
    if (write(t, folder_file(&t->folder, name, path), &message)) return true;
    command_fail(t->piece->command, "%s", message.text);
    return false;
}

static bool write_checkpoint(training *t, const char *path, spor_message *message) {
    return checkpoint_write(&t->run, spor_model_params(t->piece->model), path, message);
}

/* Writes what there is: no confusion matrix if nothing was tested, no curves without an epoch.
 * Figures of an earlier state do not stay beside the new weights. */
static bool write_files(training *t) {
    bool all = true;
    struct {
        const char *name;
        writer *write;
        bool wanted;
    } files[] = {
        {"checkpoint.safetensors", write_checkpoint, true},
        {"weights.safetensors", write_weights, true},
        {"history.csv", write_history, true},
        {"summary.json", write_summary, true},
        {"history.svg", write_curves, t->run.history.count > 0},
        {"confusion.svg", write_confusion, t->test.confusion != NULL},
    };
    char line[256] = "";
    for (size_t k = 0; k < sizeof files / sizeof files[0]; k++) {
        char path[RUN_PATH];
        if (files[k].wanted && write_file(t, files[k].name, files[k].write)) {
            strcat(strcat(line, " "), files[k].name);
            continue;
        }
        all = all && !files[k].wanted;
        if (!files[k].wanted) unlink(folder_file(&t->folder, files[k].name, path));
    }
    if (!t->given->quiet && *line) printf("%s/ has%s\n", t->folder.path, line);
    return all;
}

/* ---- the command ---- */

static int finish(training *t) {
    fflush(stdout);
    if (!spor_evaluate(t->piece->model, t->data, t->split.test, t->split.test_rows, &t->test)) {
        workpiece_complain(t->piece);
        return SPOR_EXIT_NO;
    }
    t->tested = true;
    display_evaluation(&t->test, t->given->quiet);
    return SPOR_EXIT_DONE;
}

/* Where a run stands that was stopped, and how to go on with it. */
static void tell_stop(const training *t) {
    fprintf(stderr, "spor train: stopped in epoch %lld of %lld; the test set was not evaluated\n",
            (long long)t->run.progress.epoch, (long long)t->schedule.epochs);
    if (!t->given->quiet)
        fprintf(stderr,
                "spor train --resume %s goes on from there; with --test, it tests what there is\n",
                t->folder.path);
}

/* The training did not reach its end: says why. */
static int stopped(const training *t) {
    fflush(stdout);
    if (spor_model_error(t->piece->model))
        workpiece_complain(t->piece);
    else if (t->history_failed)
        command_fail(t->piece->command, "out of memory");
    else
        return tell_stop(t), SPOR_EXIT_NO;
    if (!t->given->quiet)
        fprintf(stderr, "The weights before the stop are in %s/\n", t->folder.path);
    return SPOR_EXIT_NO;
}

/* Share of the epochs that are behind it. */
static double share(const spor_progress *p) {
    double begun = p->steps ? (double)p->step / (double)p->steps - 1 : 0;
    return p->epochs ? ((double)p->epoch + begun) / (double)p->epochs : 0;
}

static bool train_epochs(training *t) {
    catch_signals();
    display_start(&t->display, t->given->quiet, share(&t->run.progress));
    bool done = spor_train(t->piece->model, t->data, &t->split, &t->schedule, on_progress, t);
    display_end(&t->display);
    return done;
}

/* Keeps what the run can be repeated by, unless it is known from an earlier one. */
static bool keep(training *t) {
    return t->run.notes || keep_run(&t->run, t->piece, t->data, t->isa, t->argc, t->argv) ||
           (command_fail(t->piece->command, "out of memory"), false);
}

/* What is to be known before the first step; what was read by names of then is read. */
static bool prepare_run(training *t) {
    spor_message message = {""};
    bool done = prepare(t);
    if (kept_leave_folder(t->here, &message)) return done && keep(t);
    return command_fail(t->piece->command, "%s", message.text), false;
}

static int train(training *t) {
    int status = derivations_accept(t->piece->script, t->given->quiet);
    if (status != SPOR_EXIT_DONE) return status;
    if (!prepare_run(t) || !(t->given->resume ? go_on(t) : begin(t))) return SPOR_EXIT_BAD;
    if (!t->given->quiet) derivations_tell_unused(t->piece->script);
    announce(t);
    status = t->given->test || train_epochs(t) ? finish(t) : stopped(t);
    if (!write_files(t)) status = SPOR_EXIT_BAD;
    display_flush();
    return status;
}

static void training_free(training *t) {
    spor_evaluation_free(&t->test);
    checkpoint_free(&t->run);
    folder_leave(&t->folder);
    spor_split_free(&t->split);
    spor_data_free(t->data);
}

static int read_arguments(arguments *a, int argc, char **argv) {
    const spor_option options[] = {
        {"epochs", "N", "passes over the training rows (default: the script's)",
         SPOR_OPTION_INTEGER, &a->epochs, 1, NULL},
        {"batch", "N", "rows of a step (default: the script's)", SPOR_OPTION_INTEGER, &a->batch, 1,
         NULL},
        {"rate", "R", "the optimizer's setting rate (default: the script's)", SPOR_OPTION_REAL,
         &a->rate, 0, NULL},
        {"l2", "L", "its setting l2 (default: the script's)", SPOR_OPTION_REAL, &a->l2, 0, NULL},
        {"seed", "N", "of initial values, split and order of the batches (default 0)",
         SPOR_OPTION_INTEGER, &a->seed, 0, NULL},
        {"limit", "N", "train with at most N rows, drawn at random", SPOR_OPTION_INTEGER, &a->limit,
         1, NULL},
        {"set", "NAME=VALUE", "another value for a name of the script; may be repeated",
         SPOR_OPTION_SETTING, &a->settings, 0, NULL},
        {"out", "FOLDER", "where the files go (default runs/<network>, or its -2, -3, ...)",
         SPOR_OPTION_TEXT, &a->out, 0, NULL},
        {"force", NULL, "a run in --out is replaced; one whose script has changed goes on",
         SPOR_OPTION_FLAG, &a->force, 0, NULL},
        {"resume", "FOLDER", "goes on with the run in this folder", SPOR_OPTION_TEXT, &a->resume, 0,
         NULL},
        {"repeat", "FOLDER", "begins the run in this folder once more, in another one",
         SPOR_OPTION_TEXT, &a->repeat, 0, NULL},
        {"test", NULL, "with --resume: tests the run as it stands", SPOR_OPTION_FLAG, &a->test, 0,
         NULL},
        {"checkpoint", "S", "seconds between checkpoints at least (default 2)", SPOR_OPTION_REAL,
         &a->checkpoint, 0, NULL},
        {"double", NULL, "double precision", SPOR_OPTION_FLAG, &a->wide, 0, NULL},
        {"reference", NULL, "reference kernels, no fast paths: the same, slower", SPOR_OPTION_FLAG,
         &a->reference, 0, NULL},
        {"quiet", NULL, "print the test accuracy and nothing else", SPOR_OPTION_FLAG, &a->quiet, 0,
         NULL},
        {0},
    };
    return options_read(&spor_command_train, options, 0, 1, &a->script, argc, argv);
}

/* ---- of a folder ---- */

/* What a run began with stays; only these may stand beside --resume or --repeat. */
static bool check_words(int argc, char **argv) {
    static const char *const allowed[] = {"resume", "repeat", "out",   "epochs",
                                          "test",   "force",  "quiet", "checkpoint"};
    enum { ALLOWED = sizeof allowed / sizeof *allowed };
    for (int k = 1; k < argc; k++) {
        size_t length = strcspn(argv[k], "=");
        int at = 0;
        if (strncmp(argv[k], "--", 2) != 0) continue;
        while (at < ALLOWED && (strlen(allowed[at]) + 2 != length ||
                                strncmp(allowed[at], argv[k] + 2, length - 2) != 0))
            at++;
        if (at == ALLOWED)
            return command_fail(&spor_command_train,
                                "a run goes on as it began: leave out %.*s, or train anew",
                                (int)length, argv[k]),
                   false;
    }
    return true;
}

static bool check_combination(const arguments *a) {
    const struct {
        bool met;
        const char *why;
    } wrong[] = {
        {a->resume && a->repeat, "--resume and --repeat: only one of them"},
        {a->script, "the folder has the script: leave it out"},
        {a->resume && a->out, "--resume goes on in its folder: leave out --out"},
        {a->repeat && a->test, "--test goes with --resume"},
    };
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        if (wrong[k].met) return command_fail(&spor_command_train, "%s", wrong[k].why), false;
    return true;
}

/* The arguments that the run began with, and of the new ones those that may differ. */
static void join_arguments(arguments *began, const arguments *now, const spor_checkpoint *run) {
    began->resume = now->resume;
    began->repeat = now->repeat;
    began->out = now->out;
    began->epochs = now->epochs ? now->epochs : run->progress.epochs;
    began->test = now->test;
    began->force = now->force;
    began->quiet = now->quiet;
    began->checkpoint = now->checkpoint;
}

static bool open_run(training *t, const arguments *now) {
    char path[RUN_PATH];
    spor_message message = {""};
    run_folder from = {.lock = -1};
    run_folder *folder = now->resume ? &t->folder : &from;
    bool done =
        folder_again(folder, now->resume ? now->resume : now->repeat, &message) &&
        checkpoint_open(&t->run, folder_file(folder, "checkpoint.safetensors", path), &message);
    folder_leave(&from);
    if (!done) command_fail(&spor_command_train, "%s", message.text);
    return done;
}

static bool check_script(training *t, const arguments *now) {
    spor_message message = {""};
    const char *folder = now->resume ? now->resume : now->repeat;
    if (now->force || kept_script_is_current(&t->run, &message)) return true;
    command_fail(&spor_command_train,
                 "%s.\nAs it was, it is in %s/script: --force goes on with that. The new one is "
                 "trained by\nspor train without --%s.",
                 message.text, folder, now->resume ? "resume" : "repeat");
    return false;
}

/* A training of what a folder holds. */
static int run_folder_again(training *t, const arguments *now) {
    arguments began = {.rate = -1, .l2 = -1, .checkpoint = -1};
    kept_command command = {0};
    spor_message message = {""};
    int status = SPOR_EXIT_BAD;
    t->given = &began;
    if (!open_run(t, now)) return status;
    if (!kept_command_of(&t->run, &command, &message))
        command_fail(&spor_command_train, "%s", message.text);
    else if (read_arguments(&began, command.argc, command.argv) == SPOR_EXIT_NOT_YET) {
        join_arguments(&began, now, &t->run);
        t->here = kept_enter_folder(&t->run);
        if (check_script(t, now) &&
            kept_script(&t->run, t->piece, &spor_command_train, &began.settings))
            status = train(t);
    }
    kept_command_free(&command);
    return status;
}

/* ---- */

static int run(int argc, char **argv) {
    arguments a = {.rate = -1, .l2 = -1, .checkpoint = -1};
    int status = read_arguments(&a, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    spor_workpiece piece = {0};
    training t = {.piece = &piece,
                  .given = &a,
                  .folder = {.lock = -1},
                  .here = -1,
                  .argc = argc,
                  .argv = argv};
    signal(SIGPIPE, SIG_IGN); /* a reader that went away ends no training */
    status = SPOR_EXIT_BAD;
    if (a.resume || a.repeat)
        status =
            check_words(argc, argv) && check_combination(&a) ? run_folder_again(&t, &a) : status;
    else if (!a.script)
        command_fail(&spor_command_train, "SCRIPT is missing, or --resume FOLDER");
    else if (a.test)
        command_fail(&spor_command_train, "--test goes with --resume");
    else if (workpiece_load(&piece, &spor_command_train, a.script, &a.settings))
        status = train(&t);
    training_free(&t);
    workpiece_close(&piece);
    return status;
}

const spor_command spor_command_train = {
    .name = "train",
    .operands = "SCRIPT",
    .summary = "Trains the network of a script and tests it.",
    .help =
        "Derivations of the script are verified first, and give the gradients.\n"
        "The script's train(...) says network, data and hyperparameters; options replace them.\n"
        "20 % of the rows test, 10 % of the rest validate, drawn in proportion to the classes.\n"
        "runs/<network>/, or runs/<network>-2/ and so on, receives checkpoint.safetensors, which\n"
        "is the run, and what is made from it: weights.safetensors, history.csv, summary.json,\n"
        "history.svg, confusion.svg and script/. ^C stops after the current step, a second one\n"
        "at once; --resume goes on and ends in the same bytes.\n"
        "\n"
        "Examples\n"
        "  spor train models/densenet2_20.spor\n"
        "  spor train models/convnet1_3.spor --epochs 20 --limit 300     a quick try\n"
        "  spor train models/densenet2_20.spor --seed 1 --out runs/seed1\n"
        "  spor train --resume runs/seed1 --epochs 200                   further than it was to "
        "go\n"
        "  spor train --resume runs/seed1 --test                         as it stands\n"
        "  spor train --repeat runs/seed1 --out runs/again               from its beginning\n"
        "  spor train models/densenet2_20.spor --set hidden=30           a name of the script\n"
        "\n"
        "Data sets are looked for in $SPOR_DATA, beside the script in ../data, in ./data and\n"
        "where spor was installed.\n",
    .run = run,
};
