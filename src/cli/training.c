/* A training: prepared, begun or gone on with, and what became of it. */
#include "cli/train.h"

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

/* ---- signals ---- */

static volatile sig_atomic_t stopping;

/* The first one asks for an end after the step, a second one ends at once. */
static void on_signal(int number) {
    if (stopping) {
        signal(number, SIG_DFL);
        raise(number);
    }
    stopping = number;
}

/* ^C, SIGTERM and a hang-up; what was to be ignored from the start, by nohup, stays so. */
static void catch_signals(void) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction action = {.sa_handler = on_signal}, before;
    action.sa_flags = SA_RESTART;
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
        .epochs = given->epochs >= 0 ? given->epochs : declared->epochs,
        .batch = given->batch ? given->batch : declared->batch,
        .seed = (uint64_t)given->seed,
        .patience = given->patience ? given->patience : declared->patience,
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

uint64_t train_split_seed(const arguments *given) {
    return (uint64_t)(given->split < 0 ? given->seed : given->split);
}

static bool prepare_data(training *t) {
    const spor_command *command = t->piece->command;
    spor_message message = {""};
    uint64_t seed = t->schedule.seed;
    t->data = workpiece_data(t->piece);
    if (!t->data) return false;
    if (!spor_split_draw(t->data, SPOR_TEST_SHARE, SPOR_VALIDATION_SHARE,
                         train_split_seed(t->given), &t->split, &message))
        return command_fail(command, "%s", message.text), false;
    if (t->given->limit && !limit_rows(&t->split, t->given->limit, seed))
        return command_fail(command, "out of memory"), false;
    return workpiece_standardize(t->piece, &t->split, &message) ||
           (command_fail(command, "%s", message.text), false);
}

/* Tells what is wrong with the model, if that is what is wrong. */
static bool complained(const training *t) {
    if (spor_model_error(t->piece->model)) workpiece_complain(t->piece);
    return false;
}

/* script.spor:3:12: warning: ... */
static void warn(const char *text, const char *file, int line, int column, void *user) {
    training *t = user;
    fflush(stdout);
    if (file)
        fprintf(stderr, "%s:%d:%d: warning: %s\n", file, line, column, text);
    else
        fprintf(stderr, "spor %s: warning: %s\n", t->piece->command->name, text);
    if (file) text_add(&t->warnings, "%s:%d:%d: ", file, line, column);
    text_add(&t->warnings, "%s\n", text);
}

/* Each name must be one of the network's. */
static bool check_frozen(const training *t) {
    const spor_declaration *d = &t->piece->declared;
    spor_params *params = spor_model_params(t->piece->model);
    for (int k = 0; k < d->frozen_count; k++) {
        bool met = false;
        for (int p = 0; p < spor_params_count(params) && !met; p++)
            met = script_is_within(spor_params_entry(params, p).name, d->frozen[k]);
        if (met) continue;
        command_fail(t->piece->command,
                     "frozen: the network has no parameter and no layer %s; its first parameter is "
                     "%s.\n`spor show %s` lists the layers.",
                     d->frozen[k], spor_params_entry(params, 0).name, t->piece->path);
        return false;
    }
    return true;
}

/* Those of a file, or of a run's folder, in the place of initial ones; a run that goes on has its own. */
static bool load_weights(const training *t) {
    char buffer[RUN_PATH];
    spor_message message = {""};
    if (!t->given->weights || t->given->resume) return true;
    const char *path = folder_weights(t->given->weights, buffer);
    return (spor_weights_load(spor_model_params(t->piece->model), path, &message) &&
            spor_weights_standardize(t->piece->data, path, &message)) ||
           (command_fail(t->piece->command, "%s\n--weights takes the weights of the same network.",
                         message.text),
            false);
}

/* Where the script does not say what its loss does with the rows, some of them show it, or it is asked
 * for. */
static bool find_reduction(training *t) {
    const spor_declaration *d = &t->piece->declared;
    spor_reduction found;
    char text[400];
    int rows = t->split.train_rows < REDUCTION_ROWS ? (int)t->split.train_rows : REDUCTION_ROWS;
    if (d->reduction) return true;
    if (!reduction_find(t->piece->model, t->data, &t->split, &found)) return complained(t);
    if (found) {
        bool sums = found == SPOR_REDUCTION_SUM;
        snprintf(text, sizeof text,
                 "%.100s %s the costs of the rows, as %d training rows show at the initial "
                 "weights; reduction=\"%s\" says so",
                 d->loss, sums ? "adds up" : "is the mean of", rows, sums ? "sum" : "mean");
        warn(text, d->loss_source, d->loss_line, d->loss_column, t);
        return true;
    }
    snprintf(text, sizeof text,
             SCRIPT_SAY_REDUCTION "; %d training rows at the initial weights do not tell", d->loss,
             rows);
    workpiece_complain_at(t->piece, text, d->loss_source, d->loss_line, d->loss_column);
    return false;
}

bool train_record(training *t) {
    choose_schedule(t);
    t->options.scalar = t->given->wide ? SPOR_F64 : SPOR_F32;
    t->options.reference = t->given->reference;
    t->options.threads = workpiece_threads(t->piece, t->given->threads);
    if (!workpiece_model(t->piece, &t->options, t->schedule.seed)) return false;
    return (model_plan(t->piece->model, t->schedule.batch, true) &&
            choose_setting(t, "rate", t->given->rate) && choose_setting(t, "l2", t->given->l2)) ||
           complained(t);
}

/* Everything that can be wrong with script and data, before the first step: the script is recorded
 * before its data is read, and then all that the run will run. */
static bool prepare(training *t) {
    if (!train_record(t)) return false;
    spor_model *model = t->piece->model;
    if (!prepare_data(t) || !find_reduction(t)) return false;
    const spor_bound *bound = model_plan(model, t->schedule.batch, true);
    t->isa = spor_program_isa(bound->program);
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS; k++)
        t->setting[k] = spor_program_setting(bound->program, k);
    if (!train_make_schedule(t)) return false;
    if (!train_prepare(model, t->data, &t->split, &t->schedule)) return complained(t);
    return (train_warn(model, t->data, &t->split, &t->schedule, warn, t) || complained(t)) &&
           check_frozen(t) && load_weights(t);
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

/* The same of what --weights names, which a run that goes on does not read again. */
static bool check_weights(const training *t) {
    spor_message message = {""};
    spor_params *params = spor_model_params(t->piece->model);
    if (kept_weights_are(&t->run, params, t->options.scalar, t->data, &message)) return true;
    command_fail(t->piece->command, "%s\nPut %s back, or train anew: spor train %s", message.text,
                 t->given->weights, t->piece->path);
    return false;
}

/* The folder is taken and written to before the training, so that no training is lost on it. */
static bool begin(training *t) {
    spor_message message = {""};
    const char *out = t->given->out, *name = t->piece->declared.model;
    if (t->given->repeat && (!check_same(t) || !check_weights(t))) return false;
    t->run.progress = train_beginning(t->schedule.epochs);
    t->run.history.count = 0;
    t->run.best.epoch = 0;
    if (!folder_begin(&t->folder, out, name, t->given->force, &message) || !save(t, &message) ||
        !kept_copy_script(&t->run, &t->folder, &message)) {
        command_fail(t->piece->command, "%s%s", message.text,
                     strstr(message.text, "--out") ? "" : "\nGive another folder with --out.");
        return false;
    }
    outcome_remove(t); /* what is of an earlier run */
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
    bool done = checkpoint_load(&t->run, spor_model_params(t->piece->model), &message) &&
                spor_weights_standardize(t->piece->data, t->run.path, &message);
    p->epochs = t->schedule.epochs;
    if (!done || !save(t, &message)) command_fail(t->piece->command, "%s", message.text);
    return done && !*message.text;
}

/* ---- training ---- */

bool train_wants_best(const training *t) {
    return t->given->best || t->schedule.patience;
}

/* Keeps what an epoch came to; false if memory runs out. Epoch 0 is none. */
static bool keep_epoch(training *t, const spor_progress *p) {
    if (!p->epoch) return true;
    spor_params *params = spor_model_params(t->piece->model);
    bool best = train_wants_best(t) && p->best_epoch == p->epoch;
    return history_add(&t->run.history, p) && (!best || best_keep(&t->run.best, params, p->epoch));
}

static bool on_progress(const spor_progress *progress, void *user) {
    training *t = user;
    t->run.progress = *progress;
    if (progress->step == progress->steps && !keep_epoch(t, progress)) t->history_failed = true;
    display_update(&t->display, progress);
    save_if_due(t);
    return !stopping && !t->history_failed;
}

static void print_rule(const training *t) {
    const spor_declaration *d = &t->piece->declared;
    printf("%s%s%s", d->optimizer, d->clip ? ", " : "", d->clip ? d->clip : "");
    if (d->schedule) printf(", rate times %s", d->schedule);
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
    if (t->run.progress.epoch)
        printf("goes on after step %lld of %lld in epoch %lld\n", (long long)t->run.progress.step,
               (long long)t->run.progress.steps, (long long)t->run.progress.epoch);
    display_flush();
}

/* ---- the command ---- */

/* From now on the model is that of the best epoch, if that is wanted; the checkpoint is written. */
static void take_best(training *t) {
    const spor_best *best = &t->run.best;
    t->epoch = t->run.history.count;
    if (!train_wants_best(t) || !best->epoch) return;
    best_restore(best, spor_model_params(t->piece->model));
    t->epoch = best->epoch;
    if (!t->given->quiet)
        printf("weights of epoch %lld, which validated best\n", (long long)best->epoch);
}

const spor_progress *train_scored(const training *t) {
    return t->epoch ? &t->run.history.epochs[t->epoch - 1] : &t->run.progress;
}

/* In --quiet, and of what no step was made of, no line of an epoch says it. */
static void tell_validation(const training *t) {
    const spor_progress *p = &t->run.progress, *scored = train_scored(t);
    bool begun = t->epoch, kept = !p->epoch && p->steps; /* as it began, and was evaluated */
    if (begun ? t->given->quiet : kept) display_validation(p->metric, &scored->validation);
}

static int finish(training *t) {
    take_best(t);
    tell_validation(t);
    fflush(stdout);
    if (t->given->no_test && !t->given->test) return SPOR_EXIT_DONE;
    if (!seen_evaluate(t->piece->model, t->data, t->split.test, t->split.test_rows, &t->test,
                       &t->seen)) {
        workpiece_complain(t->piece);
        return SPOR_EXIT_NO;
    }
    t->tested = true;
    display_evaluation(&t->test, "test", t->given->quiet);
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

const char *train_failure(const training *t) {
    const char *model = spor_model_error(t->piece->model), *script = script_error(t->piece->script);
    return model ? model : script ? script : t->history_failed ? "out of memory" : NULL;
}

/* The training did not reach its end: says why. */
static int stopped(training *t) {
    const char *failure = train_failure(t);
    t->epoch = t->run.history.count;
    fflush(stdout);
    if (!failure) return tell_stop(t), SPOR_EXIT_NO;
    if (spor_model_error(t->piece->model))
        workpiece_complain(t->piece);
    else
        fprintf(stderr, "%s\n", failure);
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
    const run_facts facts = {
        .script = t->piece->script,
        .models = t->piece->models,
        .settings = t->given->settings.count,
        .setting = t->given->settings.setting,
        .data = t->data,
        .choice = t->given->data,
        .begun = t->given->weights ? spor_model_params(t->piece->model) : NULL,
        .options = &t->options,
        .seed = train_split_seed(t->given),
        .reduction = model_spec_of(t->piece->model)->reduction,
        .isa = t->isa,
        .argc = t->argc,
        .argv = t->argv,
    };
    return t->run.notes || keep_run(&t->run, &facts) ||
           (command_fail(t->piece->command, "out of memory"), false);
}

/* What is to be known before the first step; what was read by names of then is read. */
static bool prepare_run(training *t) {
    spor_message message = {""};
    bool done = prepare(t);
    if (kept_leave_folder(t->here, &message)) return done && keep(t);
    return command_fail(t->piece->command, "%s", message.text), false;
}

int train_run(training *t) {
    spor_message message = {""};
    int status = derivations_accept(t->piece->script, t->given->quiet);
    if (status != SPOR_EXIT_DONE) return status;
    if (!prepare_run(t) || !(t->given->resume ? go_on(t) : begin(t))) return SPOR_EXIT_BAD;
    if (!t->given->quiet) derivations_tell_unused(t->piece->script);
    announce(t);
    bool done = t->given->test || train_epochs(t);
    t->complete = save(t, &message);
    if (!t->complete) command_fail(t->piece->command, "%s", message.text);
    status = done ? finish(t) : stopped(t);
    if (!outcome_write(t)) status = SPOR_EXIT_BAD;
    display_flush();
    return status;
}

void train_free(training *t) {
    spor_evaluation_free(&t->test);
    seen_free(&t->seen);
    text_free(&t->warnings);
    checkpoint_free(&t->run);
    folder_leave(&t->folder);
    spor_split_free(&t->split);
}
