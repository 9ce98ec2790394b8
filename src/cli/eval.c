/* spor eval: a trained network on rows with targets: those that tested it, or others. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "base/pool.h"
#include "cli/cli.h"
#include "data/arrays.h"
#include "data/file.h"
#include "data/labels.h"
#include "data/like.h"
#include "run/run.h"
#include "train/model.h"

typedef struct {
    const char *run, *data, *rows;
    bool quiet;
} arguments;

/* An evaluation of some rows. */
typedef struct {
    const arguments *given;
    opened_run run;
    spor_workpiece piece;
    bool own; /* the rows are of the run's data */
    spor_split split;
    int64_t *all;       /* every row */
    const int64_t *row; /* [count] to be evaluated */
    int64_t count;
} evaluation;

/* ---- other files ---- */

/* "x.npy,y.npy": samples and targets; one file has both. */
typedef struct {
    char *samples, *targets;
} file_pair;

static bool pair_make(file_pair *pair, const char *names) {
    const char *comma = strchr(names, ',');
    size_t length = comma && !access(names, F_OK) ? strlen(names) : strcspn(names, ",");
    pair->samples = strndup(names, length);
    pair->targets = strdup(names[length] ? names + length + 1 : names);
    return pair->samples && pair->targets;
}

static void pair_free(file_pair *pair) {
    free(pair->samples);
    free(pair->targets);
}

/* As the script reads its own files, with these in their place. */
static spor_data *read_as_own(const spor_own_data *own, const spor_data *like,
                              const file_pair *pair, spor_message *message) {
    const char *file[SPOR_OWN_FILES] = {pair->samples};
    if (own->targets) file[own->targets] = pair->targets;
    return own->read(own->said, file, like, message);
}

/* Of a data set of the table: arrays, or a table whose last column is the label. */
static spor_data *read_plain(const spor_data *like, const file_pair *pair, bool two,
                             spor_message *message) {
    const array_files arrays = {.read = arrays_npy,
                                .x = {pair->samples},
                                .y = {pair->targets},
                                .sample = like->x.shape,
                                .scale = like->scale,
                                .classes = like->classes,
                                .targets = !like->classes};
    const spor_csv table = {.path = pair->samples,
                            .sample = like->x.shape,
                            .scale = like->scale,
                            .classes = like->classes};
    return two ? arrays_read(&arrays, message) : spor_data_table(&table, message);
}

static spor_data *read_files(evaluation *e, spor_message *message) {
    const spor_declaration *d = &e->piece.declared;
    file_pair pair;
    spor_data *data = NULL;
    if (!pair_make(&pair, e->given->data))
        message_complain(message, "out of memory");
    else if (d->own)
        data = read_as_own(d->own, e->run.like, &pair, message);
    else
        data = read_plain(e->run.like, &pair, strcmp(pair.samples, pair.targets) != 0, message);
    pair_free(&pair);
    if (data && d->own && d->target_is_x) labels_drop(data);
    return data;
}

/* A file that is there, or what is no data set's name. */
static bool is_file(const char *choice) {
    size_t length = strcspn(choice, ":");
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : 0), choice);
    return !sets_find(name) && (!access(choice, F_OK) || strpbrk(choice, ",./"));
}

/* ---- the data ---- */

/* The data set that the script names, or --data; names that the run was begun with are read where it was. */
static bool read_set(evaluation *e) {
    const char *now = e->given->data, *choice = now ? now : kept_choice(&e->run.kept);
    spor_message message = {""};
    int here = now ? -1 : kept_enter_folder(&e->run.kept);
    bool done = workpiece_choose_data(&e->piece, choice) && workpiece_data(&e->piece);
    return (kept_leave_folder(here, &message) ||
            (command_fail(e->piece.command, "%s", message.text), false)) &&
           done;
}

/* Other data than then under the same name are no longer those that were split. */
static bool check_data(evaluation *e) {
    spor_message message = {""};
    e->own = kept_data_are(&e->run.kept, e->piece.data, &message);
    if (e->own || e->given->data) return true;
    command_fail(e->piece.command,
                 "%s\nWhich rows tested the run is no longer known. --data evaluates other rows.",
                 message.text);
    return false;
}

static bool read_data(evaluation *e) {
    spor_message message = {""};
    spor_workpiece *piece = &e->piece;
    const char *choice = e->given->data;
    bool files = choice && is_file(choice);
    if (files) piece->data = read_files(e, &message);
    if (files && !piece->data) command_fail(piece->command, "%s", message.text);
    if (!(files ? piece->data != NULL : read_set(e)) || !check_data(e)) return false;
    return like_fit(piece->data, e->run.like, &message) ||
           (command_fail(piece->command, "%s", message.text), false);
}

/* ---- which rows ---- */

static bool take_all(evaluation *e) {
    const spor_data *data = e->piece.data;
    e->row = e->all = calloc((size_t)data->rows, sizeof *e->all);
    for (int64_t k = 0; e->all && k < data->rows; k++) e->all[k] = k;
    e->count = data->rows;
    return e->all || (command_fail(e->piece.command, "out of memory"), false);
}

/* Parts are those of the run, by the seed of its split. */
static bool take_part(evaluation *e, const char *part) {
    spor_message message = {""};
    uint64_t seed;
    if (!kept_seed(&e->run.kept, &seed, &message) ||
        !spor_split_draw(e->piece.data, SPOR_TEST_SHARE, SPOR_VALIDATION_SHARE, seed, &e->split,
                         &message))
        return command_fail(e->piece.command, "%s", message.text), false;
    bool test = !strcmp(part, "test");
    e->row = test ? e->split.test : e->split.validation;
    e->count = test ? e->split.test_rows : e->split.validation_rows;
    return e->count ||
           (command_fail(e->piece.command, "%s has no rows for %s", e->piece.data->name, part),
            false);
}

/* The test rows of the run's own data, or of data that come with some; else all. */
static const char *part_of(const evaluation *e) {
    if (e->given->rows) return e->given->rows;
    return e->own || e->piece.data->test_rows ? "test" : "all";
}

static bool choose_rows(evaluation *e, const char *part) {
    if (!strcmp(part, "all")) return take_all(e);
    if (e->own || e->piece.data->test_rows) return take_part(e, part);
    command_fail(e->piece.command,
                 "--rows %s: these are not the data that the run split; --rows all evaluates them",
                 part);
    return false;
}

/* ---- the command ---- */

static bool open_run(evaluation *e) {
    spor_message message = {""};
    opened_run *run = &e->run;
    const char *error = NULL;
    if (!run_open(run, e->given->run, &message)) error = message.text;
    run->options.threads = pool_cores();
    if (!error && !run_model(run, &message)) error = run_error(run, &message);
    if (error) return command_fail(&spor_command_eval, "%s", error), false;
    e->piece = (spor_workpiece){.command = &spor_command_eval,
                                .path = kept_script_name(&run->kept),
                                .models = kept_models(&run->kept),
                                .script = run->script,
                                .declared = *script_declaration(run->script),
                                .model = run->model};
    run->script = NULL; /* the workpiece's now, and so is the model */
    run->model = NULL;
    return true;
}

static int evaluate(evaluation *e) {
    if (!open_run(e) || !read_data(e)) return SPOR_EXIT_BAD;
    const char *part = part_of(e), *name = e->piece.data->name;
    spor_evaluation found;
    if (!choose_rows(e, part)) return SPOR_EXIT_BAD;
    if (!e->given->quiet)
        printf("%s: weights of epoch %lld%s; %s, %lld rows%s%s%s\n", e->given->run,
               (long long)run_epoch(&e->run),
               e->run.kept.best.epoch ? ", which validated best" : "", name, (long long)e->count,
               e->all ? "" : " for ", e->all ? "" : part,
               e->all && e->own ? ", those that it was trained on among them" : "");
    if (!spor_evaluate(e->piece.model, e->piece.data, e->row, e->count, &found))
        return workpiece_complain(&e->piece);
    display_evaluation(&found, e->all ? name : part, e->given->quiet);
    spor_evaluation_free(&found);
    return SPOR_EXIT_DONE;
}

static int run(int argc, char **argv) {
    arguments a = {0};
    const spor_option options[] = {
        {"data", "WHAT", "other rows: files as the script's, or a data set, NAME or NAME:FOLDER",
         SPOR_OPTION_TEXT, &a.data, 0, NULL},
        {"rows", "WHICH", "test, validation or all (default: those that test the run)",
         SPOR_OPTION_TEXT, &a.rows, 0, "test validation all"},
        {"quiet", NULL, "one line", SPOR_OPTION_FLAG, &a.quiet, 0, NULL},
        {0},
    };
    int status = options_read(&spor_command_eval, options, 1, 1, &a.run, argc, argv);
    if (status != SPOR_EXIT_NOT_YET) return status;
    evaluation e = {.given = &a};
    status = evaluate(&e);
    spor_split_free(&e.split);
    free(e.all);
    workpiece_close(&e.piece);
    run_close(&e.run);
    return status;
}

const spor_command spor_command_eval = {
    .name = "eval",
    .operands = "RUN",
    .summary = "Evaluates a trained network: on its test rows, or others.",
    .help =
        "RUN is the folder that `spor train` has left; its script, settings and weights are those\n"
        "of then, whatever became of the script since. Weights are those that the run tests: of\n"
        "the epoch that validated best if it was to keep them, else of the last one. The data are\n"
        "read again; if they are not those of then, that is told.\n"
        "Other rows are scaled, standardized and named as those that it was trained on: columns "
        "and\n"
        "classes are found by their names.\n"
        "\n"
        "Examples\n"
        "  spor eval runs/densenet2_20                          its test rows\n"
        "  spor eval runs/densenet2_20 --rows validation\n"
        "  spor eval runs/iris --data new.csv                   a table like the script's\n"
        "  spor eval runs/net --data x.npy,y.npy                samples and targets\n"
        "  spor eval runs/densenet4_300 --data fashion_mnist    another data set of this form\n",
    .run = run,
};
