/* What a training leaves beside its checkpoint: weights, history, summary, figures, the script. */
#include "cli/train.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "train/model.h"

typedef bool writer(training *t, const char *path, spor_message *message);

static bool write_history(training *t, const char *path, spor_message *message) {
    return history_write(&t->run.history, path, message);
}

static bool write_weights(training *t, const char *path, spor_message *message) {
    return spor_weights_save_for(spor_model_params(t->piece->model), t->data, path, message);
}

static bool write_curves(training *t, const char *path, spor_message *message) {
    return history_draw(&t->run.history, t->piece->declared.model, path, message);
}

static bool write_confusion(training *t, const char *path, spor_message *message) {
    return confusion_draw(&t->test, t->piece->declared.model, path, message);
}

static bool write_summary(training *t, const char *path, spor_message *message) {
    const spor_history *h = &t->run.history;
    const spor_progress *last = h->count ? &h->epochs[t->epoch - 1] : NULL;
    const spor_score unknown = {.loss = (double)NAN, .metric = (double)NAN};
    char command[1024];
    kept_command_text(&t->run, command, sizeof command);
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
        .train = last ? last->train : unknown,
        .validation = last ? last->validation : unknown,
        .test = t->tested ? &t->test : NULL,
        .finished = t->complete && train_is_over(&t->schedule, &t->run.progress),
        .failure = train_failure(t),
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

static bool always(const training *t) {
    (void)t;
    return true;
}

static bool has_epochs(const training *t) {
    return t->run.history.count > 0;
}

static bool has_confusion(const training *t) {
    return t->test.confusion != NULL;
}

/* The summary says that a run is finished, and is written when all else is there. */
static const struct {
    const char *name;
    writer *write;
    bool (*wanted)(const training *t);
} files[] = {
    {"weights.safetensors", write_weights, always},
    {"history.csv", write_history, always},
    {"history.svg", write_curves, has_epochs},
    {"confusion.svg", write_confusion, has_confusion},
    {"summary.json", write_summary, always},
};
enum { FILES = sizeof files / sizeof *files };

static void remove_file(const training *t, const char *name) {
    char path[RUN_PATH];
    unlink(folder_file(&t->folder, name, path));
}

void outcome_remove(const training *t) {
    for (int k = 0; k < FILES; k++) remove_file(t, files[k].name);
}

/* No confusion matrix if nothing was tested, no curves without an epoch: figures of an earlier state do
 * not stay beside the new weights. */
bool outcome_write(training *t) {
    spor_message message = {""};
    char line[256] = " checkpoint.safetensors";
    bool copied = kept_copy_script(&t->run, &t->folder, &message);
    if (!copied) command_fail(t->piece->command, "%s", message.text);
    t->complete = t->complete && copied;
    for (int k = 0; k < FILES; k++) {
        bool wanted = files[k].wanted(t),
             done = wanted && write_file(t, files[k].name, files[k].write);
        if (done) strcat(strcat(line, " "), files[k].name);
        if (!wanted) remove_file(t, files[k].name);
        t->complete = t->complete && done == wanted;
    }
    if (!t->given->quiet) printf("%s/ has%s\n", t->folder.path, line);
    return t->complete;
}
