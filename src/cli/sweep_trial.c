/* What is there of a trial: its folder, and whether that is what this sweep would make. */
#include "cli/sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"
#include "data/file.h"

static const char checkpoint_name[] = "checkpoint.safetensors", failure_name[] = "failure.txt",
                  summary_name[] = "summary.json";

const char *sweep_trial_state_text(trial_state state) {
    static const char *const texts[TRIAL_STATES] = {"missing", "begun", "failed", "finished"};
    return texts[state];
}

static bool holds(const sweep_space *s, int64_t trial, const char *file) {
    char path[RUN_PATH];
    return !access(space_trial_file(s, trial, file, path), F_OK);
}

/* Why it failed where the training itself could not write that down. */
static bool read_failure(const sweep_space *s, int64_t trial, sweep_trial *t) {
    enum { MOST = sizeof t->summary.failure - 1 };
    char path[RUN_PATH];
    size_t got = 0, length;
    bool done = file_head(space_trial_file(s, trial, failure_name, path), MOST,
                          (unsigned char *)t->summary.failure, &got, &length, NULL);
    t->summary.failure[done ? got : 0] = 0;
    t->summary.failure[strcspn(t->summary.failure, "\n")] = 0;
    return *t->summary.failure;
}

void sweep_trial_examine(const sweep_space *s, int64_t trial, sweep_trial *t) {
    char path[RUN_PATH];
    bool begun = holds(s, trial, checkpoint_name);
    bool told =
        begun && summary_read(space_trial_file(s, trial, summary_name, path), &t->summary, NULL);
    if (!told) t->summary = (summary_result){.metric = SPOR_METRIC_NONE};
    t->summary.failure[strcspn(t->summary.failure, "\n")] = 0;
    if (told && t->summary.finished)
        t->state = TRIAL_FINISHED;
    else if (*t->summary.failure || read_failure(s, trial, t))
        t->state = TRIAL_FAILED;
    else
        t->state = begun ? TRIAL_BEGUN : TRIAL_MISSING;
}

void sweep_trial_keep_failure(const sweep_space *s, int64_t trial, const char *why) {
    char path[RUN_PATH];
    spor_text text = {0};
    text_add(&text, "%s\n", why);
    if (file_make_folder(space_trial_file(s, trial, "", path), NULL))
        file_write_text(&text, space_trial_file(s, trial, failure_name, path), NULL);
    text_free(&text);
}

void sweep_trial_forget(const sweep_space *s, int64_t trial, const sweep_trial *t) {
    char path[RUN_PATH];
    unlink(space_trial_file(s, trial, failure_name, path));
    if (t->stale) unlink(space_trial_file(s, trial, summary_name, path));
}

/* ---- what is to be run ------------------------------------------------------------------------ */

void sweep_trial_words(const sweep_space *s, int64_t trial, const sweep_trial *t,
                       sweep_words *words) {
    if (!t->stale && holds(s, trial, checkpoint_name)) {
        space_resume_words(s, trial, words);
        return;
    }
    space_begin_words(s, trial, words);
    if (t->stale) words_add(words, "--force");
}

/* ---- the same trial -------------------------------------------------------------------------- */

/* The words that make a trial what it is, but for the command's and the script's names. */
static bool same_words(const sweep_space *s, int64_t trial, const spor_checkpoint *run,
                       spor_message *message) {
    sweep_words words;
    kept_command kept = {0};
    space_begin_words(s, trial, &words);
    bool done = kept_command_of(run, &kept, message), same = done && kept.argc >= words.same;
    for (int k = 2; k < words.same && same; k++) same = !strcmp(words.word[k], kept.argv[k]);
    if (words.failed) done = message_complain(message, "out of memory");
    if (done && !same) {
        char text[300];
        kept_command_text(run, text, sizeof text);
        message_complain(message, "another command began this run: %s", text);
    }
    words_free(&words);
    kept_command_free(&kept);
    return done && same;
}

bool sweep_trial_is_current(const sweep_space *s, int64_t trial, const spor_script *script,
                            const spor_data *data, int64_t epochs, spor_message *message) {
    char path[RUN_PATH];
    spor_checkpoint run = {0};
    if (!holds(s, trial, checkpoint_name)) return true;
    bool same = checkpoint_open(&run, space_trial_file(s, trial, checkpoint_name, path), message) &&
                same_words(s, trial, &run, message) && kept_script_is(&run, script, message) &&
                kept_data_are(&run, data, message);
    if (same && run.progress.epochs != epochs)
        same = message_complain(message, "this run has gone on to epoch %lld since",
                                (long long)run.progress.epochs);
    checkpoint_free(&run);
    return same;
}
