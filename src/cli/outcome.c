/* What a training leaves beside its checkpoint: weights, history, summary, figures, the script. */
#include "cli/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "train/model.h"

#include "base/message.h"
#include "data/file.h"
#include "train/page.h"

enum { COMMAND = 1024 };

typedef bool writer(training *t, const char *path, spor_message *message);

static bool write_history(training *t, const char *path, spor_message *message) {
    return history_write(&t->run.history, path, message);
}

static bool write_weights(training *t, const char *path, spor_message *message) {
    return spor_weights_save_for(spor_model_params(t->piece->model), t->data, path, message);
}

/* command: room for the line that began the run. */
static spor_summary summary_of(const training *t, char command[], size_t size) {
    const spor_history *h = &t->run.history;
    const spor_progress *scored = train_scored(t);
    kept_command_text(&t->run, command, size);
    spor_summary summary = {
        .command = command,
        .data_read = kept_data_text(&t->run),
        .model = t->piece->declared.model,
        .data = t->data->name,
        .loss = t->piece->declared.loss,
        .seed = t->schedule.seed,
        .epochs = h->count,
        .epoch = t->epoch,
        .batch = t->schedule.batch,
        .optimizer = t->piece->declared.optimizer,
        .clip = t->piece->declared.clip,
        .schedule = t->piece->declared.schedule,
        .threads = t->options.threads,
        .scalar = t->options.scalar,
        .reference = t->options.reference,
        .isa = t->isa,
        .parameters = spor_params_size(spor_model_params(t->piece->model)),
        .train_rows = t->split.train_rows,
        .validation_rows = t->split.validation_rows,
        .test_rows = t->split.test_rows,
        .metric = t->run.progress.metric,
        .train = scored->train,
        .validation = scored->validation,
        .test = t->tested ? &t->test : NULL,
        .finished = t->complete && train_is_over(&t->schedule, &t->run.progress),
        .failure = train_failure(t),
        .train_seconds = t->run.progress.train_seconds,
        .evaluate_seconds = t->run.progress.evaluate_seconds,
    };
    memcpy(summary.setting, t->setting, sizeof summary.setting);
    return summary;
}

static bool write_summary(training *t, const char *path, spor_message *message) {
    char command[COMMAND];
    spor_summary summary = summary_of(t, command, sizeof command);
    return summary_write(&summary, path, message);
}

static const struct {
    const char *name;
    writer *write;
} files[] = {{"weights.safetensors", write_weights}, {"history.csv", write_history}};
enum { FILES = sizeof files / sizeof *files };
static const char page_name[] = "index.html", summary_name[] = "summary.json";

/* ---- figures and page -------------------------------------------------------------------------- */

/* What is made from a training, and a line of what was made. */
typedef struct {
    training *t;
    pictures_net net;
    spor_text svg[PICTURES], line;
    spor_message why[PICTURES];
    bool complete; /* all that can be made was */
} outcome;

static void remove_file(const training *t, const char *name) {
    char path[RUN_PATH];
    unlink(folder_file(&t->folder, name, path));
}

/* Tells what became of a file; the other files are still tried. */
static void note(outcome *o, const char *name, bool done, const spor_message *message) {
    if (done) text_add(&o->line, " %s", name);
    if (!done) command_fail(o->t->piece->command, "%s", message->text);
    o->complete = o->complete && done;
}

static void write_one(outcome *o, const char *name, writer *write) {
    char path[RUN_PATH];
    spor_message message = {""};
    bool done = write(o->t, folder_file(&o->t->folder, name, path), &message);
    note(o, name, done, &message);
}

static void write_files(outcome *o) {
    for (int k = 0; k < FILES; k++) write_one(o, files[k].name, files[k].write);
}

/* Figures of an earlier state do not stay beside the new weights: one that can't be drawn is removed. */
static void write_figure(outcome *o, int k, const pictures_source *from) {
    char path[RUN_PATH];
    spor_message message = {""};
    spor_text *svg = &o->svg[k];
    if (!pictures[k].draw(from, svg, &o->why[k])) {
        text_free(svg);
        remove_file(o->t, pictures[k].file);
        return;
    }
    folder_file(&o->t->folder, pictures[k].file, path);
    bool done = svg->failed ? message_complain(&message, "%s: out of memory", path)
                            : file_write(path, svg->at, svg->size, &message);
    note(o, pictures[k].file, done, &message);
}

static void write_figures(outcome *o) {
    const training *t = o->t;
    pictures_source from = {.title = t->piece->declared.model,
                            .model = t->piece->model,
                            .net = &o->net,
                            .data = t->data,
                            .split = &t->split,
                            .seed = t->schedule.seed,
                            .history = &t->run.history,
                            .best = t->run.progress.best_epoch,
                            .test = &t->test,
                            .seen = &t->seen};
    for (int k = 0; k < PICTURES; k++) write_figure(o, k, &from);
}

/* How a run ended that was not tested, and what was told on the way. */
static void add_end(const training *t, char state[160], spor_text *told) {
    const char *error = spor_model_error(t->piece->model);
    *state = 0;
    if (!t->tested)
        snprintf(state, 160, "stopped in epoch %lld of %lld, and not tested",
                 (long long)t->run.progress.epoch, (long long)t->schedule.epochs);
    text_add(told, "%s", t->warnings.at ? t->warnings.at : "");
    if (error) text_add(told, "error: %s\n", error);
}

static void write_page(outcome *o) {
    const training *t = o->t;
    char command[COMMAND], state[160], path[RUN_PATH];
    spor_message message = {""};
    spor_text told = {0};
    page_figure figure[PICTURES];
    page_file file[PAGE_FILES];
    spor_summary summary = summary_of(t, command, sizeof command);
    for (int k = 0; k < PICTURES; k++)
        figure[k] =
            (page_figure){pictures[k].heading, pictures[k].file, &o->svg[k], o->why[k].text};
    add_end(t, state, &told);
    spor_page page = {.summary = &summary,
                      .folder = t->folder.path,
                      .state = *state ? state : NULL,
                      .warnings = told.at,
                      .data = t->data,
                      .net = &o->net,
                      .figures = PICTURES,
                      .figure = figure,
                      .files = kept_page_files(&t->run, PAGE_FILES, file),
                      .file = file};
    note(o, page_name, page_write(&page, folder_file(&t->folder, page_name, path), &message),
         &message);
    text_free(&told);
}

/* ---- the outcome ------------------------------------------------------------------------------- */

void outcome_remove(const training *t) {
    for (int k = 0; k < FILES; k++) remove_file(t, files[k].name);
    for (int k = 0; k < PICTURES; k++) remove_file(t, pictures[k].file);
    remove_file(t, page_name);
    remove_file(t, summary_name);
}

bool outcome_write(training *t) {
    spor_message message = {""};
    bool copied = kept_copy_script(&t->run, &t->folder, &message);
    outcome o = {.t = t, .complete = t->complete && copied};
    if (!copied) command_fail(t->piece->command, "%s", message.text);
    write_files(&o);
    pictures_record(&o.net, t->piece->model, t->schedule.batch);
    write_figures(&o);
    write_page(&o);
    t->complete = o.complete;
    write_one(&o, summary_name, write_summary);
    if (!t->given->quiet && !o.line.failed)
        printf("%s/ has checkpoint.safetensors%s\n", t->folder.path, o.line.at ? o.line.at : "");
    pictures_forget(&o.net);
    for (int k = 0; k < PICTURES; k++) text_free(&o.svg[k]);
    text_free(&o.line);
    return t->complete = o.complete;
}
