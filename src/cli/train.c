/* spor train: trains the network of a script and writes what came of it. */
#include "cli/cli.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/message.h"
#include "base/random.h"
#include "data/file.h"
#include "kernels/element.h"
#include "train/batch.h"
#include "train/record.h"

typedef struct {
    const char *script, *out, *data;
    int64_t epochs, batch, seed, limit; /* 0: not given; seed 0 is the default */
    double rate, l2;                    /* negative: not given */
    bool reference, wide, quiet;
    spor_settings settings;
} arguments;

/* A training while it goes. */
typedef struct {
    spor_workpiece *piece;
    const arguments *given;
    spor_options options;
    spor_schedule schedule;
    spor_data *data;
    spor_split split;
    char folder[1024];
    const char *isa;
    spor_named_number setting[SPOR_SUMMARY_SETTINGS]; /* of the optimizer; those with a name */
    spor_display display;
    spor_history history;
    bool history_failed;
    spor_progress last; /* of all that was told */
    spor_evaluation test;
} training;

/* ---- ^C ---- */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number) {
    (void)number;
    interrupted = 1;
}

/* The first ^C asks for an end after the step, a second one ends at once. */
static void catch_interrupts(void) {
    struct sigaction action = {.sa_handler = on_interrupt};
    action.sa_flags = (int)SA_RESETHAND;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
}

/* ---- preparing ---- */

static void choose_schedule(training *t) {
    const spor_declaration *declared = &t->piece->declared;
    const arguments *given = t->given;
    t->schedule = (spor_schedule){
        .epochs = given->epochs ? given->epochs : declared->epochs,
        .batch = given->batch ? given->batch : declared->batch,
        .seed = (uint64_t)given->seed,
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

/* The folder is made and tried before the training, so that no training is lost on it. */
static bool prepare_folder(training *t) {
    const char *out = t->given->out, *model = t->piece->declared.model;
    char probe[1100];
    spor_message message = {""};
    int length = out ? snprintf(t->folder, sizeof t->folder, "%s", out)
                     : snprintf(t->folder, sizeof t->folder, "runs/%s", model);
    if (length >= (int)sizeof t->folder)
        return command_fail(t->piece->command, "the name of --out is too long"), false;
    snprintf(probe, sizeof probe, "%s/.spor.XXXXXX", t->folder);
    if (file_make_folder(t->folder, &message)) {
        int file = mkstemp(probe);
        if (file >= 0) return close(file), unlink(probe), true;
        message_complain(&message, "%s: nothing can be written here: %s", t->folder,
                         strerror(errno));
    }
    command_fail(t->piece->command, "%s\nGive another folder with --out.", message.text);
    return false;
}

/* What is wrong with evaluating is told now and not after an epoch. */
static bool try_evaluation(training *t) {
    spor_evaluation evaluation;
    int64_t rows = t->split.train_rows > 0;
    bool done = spor_evaluate(t->piece->model, t->data, t->split.train, rows, &evaluation);
    spor_evaluation_free(&evaluation);
    if (!done) workpiece_complain(t->piece);
    return done;
}

/* Everything that can be wrong with script, data and folder, before the first step. */
static bool prepare(training *t) {
    choose_schedule(t);
    t->options.scalar = t->given->wide ? SPOR_F64 : SPOR_F32;
    t->options.reference = t->given->reference;
    if (!workpiece_model(t->piece, &t->options, t->schedule.seed)) return false;
    if (!workpiece_bind(t->piece, BATCH_OF_EVALUATION, false)) return false;
    const spor_bound *bound = workpiece_bind(t->piece, t->schedule.batch, true);
    if (!bound || !choose_setting(t, "rate", t->given->rate) ||
        !choose_setting(t, "l2", t->given->l2))
        return false;
    t->isa = spor_program_isa(bound->program);
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS; k++)
        t->setting[k] = spor_program_setting(bound->program, k);
    return prepare_data(t) && try_evaluation(t) && prepare_folder(t);
}

/* ---- training ---- */

static bool on_progress(const spor_progress *progress, void *user) {
    training *t = user;
    t->last = *progress;
    if (progress->step == progress->steps && !history_add(&t->history, progress))
        t->history_failed = true;
    display_update(&t->display, progress);
    return !interrupted && !t->history_failed;
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
    const data_set *set = t->piece->declared.set;
    bool other = set && strcmp(set->name, t->data->name) != 0; /* than those published */
    printf("%s: %lld parameters; %s%s%s%s: %lld rows to train, %lld to validate, %lld to test\n",
           t->piece->declared.model,
           (long long)spor_params_size(spor_model_params(t->piece->model)), t->data->name,
           other ? " (files of the form of " : "", other ? set->name : "", other ? ")" : "",
           (long long)t->split.train_rows, (long long)t->split.validation_rows,
           (long long)t->split.test_rows);
    print_rule(t);
    printf("\nepochs %lld, batch %lld, seed %llu, %s%s\n", (long long)s->epochs,
           (long long)s->batch, (unsigned long long)s->seed, element_types[t->options.scalar]->text,
           t->options.reference ? ", reference kernels" : "");
    fflush(stdout);
}

/* ---- writing ---- */

typedef bool writer(training *t, const char *path, spor_message *message);

static bool write_history(training *t, const char *path, spor_message *message) {
    return history_write(&t->history, path, message);
}

static bool write_weights(training *t, const char *path, spor_message *message) {
    return spor_weights_save(spor_model_params(t->piece->model), path, message);
}

static bool write_curves(training *t, const char *path, spor_message *message) {
    return history_draw(&t->history, t->piece->declared.model, path, message);
}

static bool write_confusion(training *t, const char *path, spor_message *message) {
    return confusion_draw(&t->test, t->piece->declared.model, path, message);
}

static bool write_summary(training *t, const char *path, spor_message *message) {
    const spor_epoch *last = t->history.count ? &t->history.epochs[t->history.count - 1] : NULL;
    spor_summary summary = {
        .model = t->piece->declared.model,
        .data = t->data->name,
        .loss = t->piece->declared.loss,
        .seed = t->schedule.seed,
        .epochs = t->history.count,
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
        .train_accuracy = last ? last->train_accuracy : (double)NAN,
        .validation_accuracy = last ? last->validation_accuracy : (double)NAN,
        .test_accuracy = t->test.confusion ? t->test.accuracy : (double)NAN,
        .train_seconds = t->last.train_seconds,
        .evaluate_seconds = t->last.evaluate_seconds,
    };
    memcpy(summary.setting, t->setting, sizeof summary.setting);
    return summary_write(&summary, path, message);
}

/* Writes one file; a trouble is told, and the other files are still tried. */
static bool write_file(training *t, const char *name, writer *write) {
    char path[1100];
    spor_message message = {""};
    snprintf(path, sizeof path, "%s/%s", t->folder, name);
    if (write(t, path, &message)) return true;
    command_fail(t->piece->command, "%s", message.text);
    return false;
}

/* Writes what there is: no confusion matrix if nothing was tested, no curves without an epoch.
 * Figures of an earlier run do not stay beside the new weights. */
static bool write_files(training *t) {
    bool tested = t->test.confusion != NULL, all = true;
    struct {
        const char *name;
        writer *write;
        bool wanted;
    } files[] = {
        {"weights.safetensors", write_weights, true},
        {"history.csv", write_history, true},
        {"summary.json", write_summary, true},
        {"history.svg", write_curves, t->history.count > 0},
        {"confusion.svg", write_confusion, tested},
    };
    char line[256] = "";
    for (size_t k = 0; k < sizeof files / sizeof files[0]; k++) {
        char path[1100];
        if (files[k].wanted && write_file(t, files[k].name, files[k].write)) {
            strcat(strcat(line, " "), files[k].name);
            continue;
        }
        all = all && !files[k].wanted;
        snprintf(path, sizeof path, "%s/%s", t->folder, files[k].name);
        if (!files[k].wanted) unlink(path);
    }
    if (!t->given->quiet && *line) printf("%s/ has%s\n", t->folder, line);
    return all;
}

/* ---- the command ---- */

static int finish(training *t) {
    fflush(stdout);
    if (!spor_evaluate(t->piece->model, t->data, t->split.test, t->split.test_rows, &t->test)) {
        workpiece_complain(t->piece);
        return SPOR_EXIT_NO;
    }
    display_evaluation(&t->test, t->given->quiet);
    return SPOR_EXIT_DONE;
}

/* The training did not reach its end: says why. */
static int stopped(const training *t) {
    fflush(stdout);
    if (spor_model_error(t->piece->model))
        workpiece_complain(t->piece);
    else if (t->history_failed)
        command_fail(t->piece->command, "out of memory");
    else
        fprintf(stderr,
                "spor train: stopped in epoch %lld of %lld; the test set was not evaluated\n",
                (long long)t->last.epoch, (long long)t->schedule.epochs);
    if (!t->given->quiet) fprintf(stderr, "The weights before the stop are in %s/\n", t->folder);
    return SPOR_EXIT_NO;
}

static int train(training *t) {
    int status = derivations_accept(t->piece->script, t->given->quiet);
    if (status != SPOR_EXIT_DONE) return status;
    if (!prepare(t)) return SPOR_EXIT_BAD;
    if (!t->given->quiet) derivations_tell_unused(t->piece->script);
    announce(t);
    catch_interrupts();
    display_start(&t->display, t->given->quiet);
    bool done = spor_train(t->piece->model, t->data, &t->split, &t->schedule, on_progress, t);
    display_end(&t->display);
    status = done ? finish(t) : stopped(t);
    return write_files(t) ? status : SPOR_EXIT_BAD;
}

static void training_free(training *t) {
    spor_evaluation_free(&t->test);
    history_free(&t->history);
    spor_split_free(&t->split);
    spor_data_free(t->data);
}

static int run(int argc, char **argv) {
    arguments a = {.rate = -1, .l2 = -1};
    const spor_option options[] = {
        {"epochs", "N", "passes over the training rows (default: the script's)",
         SPOR_OPTION_INTEGER, &a.epochs, 1, NULL},
        {"batch", "N", "rows of a step (default: the script's)", SPOR_OPTION_INTEGER, &a.batch, 1,
         NULL},
        {"rate", "R", "the optimizer's setting rate (default: the script's)", SPOR_OPTION_REAL,
         &a.rate, 0, NULL},
        {"l2", "L", "its setting l2 (default: the script's)", SPOR_OPTION_REAL, &a.l2, 0, NULL},
        {"seed", "N", "of initial values, split and order of the batches (default 0)",
         SPOR_OPTION_INTEGER, &a.seed, 0, NULL},
        {"limit", "N", "train with at most N rows, drawn at random", SPOR_OPTION_INTEGER, &a.limit,
         1, NULL},
        {"set", "NAME=VALUE", "another value for a name of the script; may be repeated",
         SPOR_OPTION_SETTING, &a.settings, 0, NULL},
        {"data", "NAME:FOLDER", "another data set, or its files in a folder: `spor data`",
         SPOR_OPTION_TEXT, &a.data, 0, NULL},
        {"out", "FOLDER", "where the files go (default runs/<network>)", SPOR_OPTION_TEXT, &a.out,
         0, NULL},
        {"double", NULL, "double precision", SPOR_OPTION_FLAG, &a.wide, 0, NULL},
        {"reference", NULL, "reference kernels, no fast paths: the same, slower", SPOR_OPTION_FLAG,
         &a.reference, 0, NULL},
        {"quiet", NULL, "print the test accuracy and nothing else", SPOR_OPTION_FLAG, &a.quiet, 0,
         NULL},
        {0},
    };
    int status = options_read(&spor_command_train, options, 1, 1, &a.script, argc, argv);
    spor_workpiece piece = {0};
    training t = {.piece = &piece, .given = &a};
    if (status != SPOR_EXIT_NOT_YET) return status;
    bool loaded = workpiece_load(&piece, &spor_command_train, a.script, &a.settings) &&
                  workpiece_choose_data(&piece, a.data);
    status = loaded ? train(&t) : SPOR_EXIT_BAD;
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
        "Data sets that come with rows to test are tested on these; else 20 % of the rows test. 10 "
        "% of the\n"
        "rest validate, drawn in proportion to the classes.\n"
        "runs/<network>/ receives history.csv, weights.safetensors, summary.json, history.svg\n"
        "and confusion.svg; a second run replaces them. ^C stops after the current step and\n"
        "keeps the weights.\n"
        "\n"
        "Examples\n"
        "  spor train models/densenet2_20.spor\n"
        "  spor train models/convnet1_3.spor --epochs 20 --limit 300     a quick try\n"
        "  spor train models/densenet2_20.spor --seed 1 --out runs/seed1\n"
        "  spor train models/densenet2_20.spor --set hidden=30           a name of the script\n"
        "  spor train models/lenet2.spor --data svhn:downloads           files in this folder\n"
        "  spor train models/convkeras4_20.spor --data fashion_mnist     other data of this form\n"
        "\n"
        "Data sets are looked for in $SPOR_DATA, beside the script in ../data, in ./data and\n"
        "where spor was built or installed: `spor data` lists them. Layers that a script includes\n"
        "are looked for beside it and in $SPOR_MODELS, else where spor was built or installed.\n",
    .run = run,
};
