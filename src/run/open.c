/*
 * Opening a run: its script, what it knows of its data, and its network with the weights that it tests.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/message.h"
#include "claims/claims.h"
#include "data/file.h"
#include "run/run.h"
#include "train/model.h"

/* The folder of a run, or a checkpoint. */
static const char *checkpoint_path(const char *run, char path[RUN_PATH]) {
    struct stat status;
    bool folder = !stat(run, &status) && S_ISDIR(status.st_mode);
    int length = snprintf(path, RUN_PATH, folder ? "%s/checkpoint.safetensors" : "%s", run);
    return length < RUN_PATH ? path : run;
}

/* A run is not to be had: says what one is. */
static bool complain(const char *path, spor_message *message) {
    static const char *const ending[] = {".spor", NULL};
    spor_message why = *message;
    if (file_ends_in(path, ending))
        message_complain(&why, "%.400s is a script: `spor train` makes a run of it", path);
    return message_complain(message,
                            "%.800s\nA run is a folder that `spor train` has left, with "
                            "checkpoint.safetensors in it.",
                            why.text);
}

bool run_open(opened_run *run, const char *path, spor_message *message) {
    char file[RUN_PATH];
    *run = (opened_run){0};
    return (checkpoint_open(&run->kept, checkpoint_path(path, file), message) ||
            complain(path, message)) &&
           kept_scalar(&run->kept, &run->options.scalar, message) &&
           (run->like = kept_outline(&run->kept, message)) &&
           (run->script = kept_script(&run->kept, &claims_dialect, message)) != NULL;
}

void run_close(opened_run *run) {
    spor_model_free(run->model);
    script_free(run->script);
    spor_data_free(run->like);
    checkpoint_free(&run->kept);
    *run = (opened_run){0};
}

/* The parameters are there once the network was recorded. */
static bool load_weights(opened_run *run, spor_message *message) {
    spor_model *model = run->model;
    if (spor_model_columns(model) < 0) return false;
    return checkpoint_load_network(&run->kept, spor_model_params(model), message);
}

bool run_model(opened_run *run, spor_message *message) {
    if (script_error(run->script)) return false;
    run->model = spor_script_model(run->script, run->like, 0, &run->options);
    if (!run->model) return false;
    model_say_reduction(run->model, kept_reduction(&run->kept));
    return load_weights(run, message);
}

const char *run_error(const opened_run *run, const spor_message *message) {
    const char *script = script_error(run->script), *model = spor_model_error(run->model);
    return script ? script : *message->text ? message->text : model;
}

int64_t run_epoch(const opened_run *run) {
    return run->kept.best.epoch ? run->kept.best.epoch : run->kept.progress.epoch;
}

static void release_script(void *script) {
    script_free(script);
}

static void release_data(void *data) {
    spor_data_free(data);
}

/* A model that says what is wrong. */
static spor_model *failed_model(const char *error) {
    spor_model *model = spor_model_new(&(spor_model_spec){.net = script_net, .loss = script_loss});
    model_fail(model, "%s", error);
    return model;
}

/* The model owns what it was made of, whatever became of it. */
static spor_model *take_model(opened_run *run, bool done, const char *error) {
    spor_model *model = run->model;
    run->model = NULL;
    if (!model) return failed_model(error);
    if (!done) model_fail(model, "%s", error);
    model_own(model, run->script, release_script);
    model_own(model, run->like, release_data);
    run->script = NULL;
    run->like = NULL;
    return model;
}

spor_model *spor_model_load(const char *path) {
    if (!path) return NULL;
    opened_run run;
    spor_message message = {""};
    bool done = run_open(&run, path, &message) && run_model(&run, &message);
    const char *error = run.script ? run_error(&run, &message) : message.text;
    spor_model *model = take_model(&run, done, error);
    run_close(&run);
    return model;
}
