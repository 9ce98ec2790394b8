/* spor train --resume and --repeat: what a folder holds goes on, or begins once more. */
#include "cli/train.h"

#include <stdio.h>
#include <string.h>

/* What a run began with stays; only these may stand beside --resume or --repeat. */
static bool check_words(int argc, char **argv) {
    static const char *const allowed[] = {"resume", "repeat", "out",        "epochs", "test",
                                          "force",  "quiet",  "checkpoint", "threads"};
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
    began->epochs = now->epochs >= 0 ? now->epochs : run->progress.epochs;
    began->test = now->test;
    began->force = now->force;
    began->quiet = now->quiet;
    began->checkpoint = now->checkpoint;
    began->threads = now->threads;
}

/* A run that is repeated is read only, and may be another training's. */
static bool open_run(training *t, const arguments *now) {
    char path[RUN_PATH];
    spor_message message = {""};
    bool done = now->resume ? folder_again(&t->folder, now->resume, &message)
                            : folder_named(&t->folder, now->repeat, &message);
    done = done && checkpoint_open(&t->run, folder_file(&t->folder, "checkpoint.safetensors", path),
                                   &message);
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

int train_again(training *t, const arguments *now) {
    arguments began = train_nothing_given;
    kept_command command = {0};
    spor_message message = {""};
    int status = SPOR_EXIT_BAD;
    if (!check_words(t->argc, t->argv) || !check_combination(now)) return status;
    t->given = &began;
    if (!open_run(t, now)) return status;
    if (!kept_command_of(&t->run, &command, &message))
        command_fail(&spor_command_train, "%s", message.text);
    else if (train_read_arguments(&began, command.argc, command.argv) == SPOR_EXIT_NOT_YET) {
        join_arguments(&began, now, &t->run);
        t->here = kept_enter_folder(&t->run);
        if (check_script(t, now) && workpiece_load_kept(t->piece, &spor_command_train, &t->run) &&
            workpiece_choose_data(t->piece, began.data))
            status = train_run(t);
    }
    kept_command_free(&command);
    return status;
}
