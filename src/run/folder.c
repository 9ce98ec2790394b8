/* Folders of runs: chosen, taken by one process at a time, swept. */
#include "run/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/message.h"
#include "data/file.h"

enum { MOST_RUNS = 100000 };

const char *folder_file(const run_folder *folder, const char *name, char path[RUN_PATH]) {
    int length = snprintf(path, RUN_PATH, "%s/%s", folder->path, name);
    if (length >= RUN_PATH) path[0] = 0; /* no file has this name */
    return path;
}

static bool holds(const run_folder *folder, const char *name) {
    char path[RUN_PATH];
    return !access(folder_file(folder, name, path), F_OK);
}

static bool holds_run(const run_folder *folder) {
    return holds(folder, "checkpoint.safetensors") || holds(folder, "weights.safetensors");
}

/* The lock ends with the process, however it ends. Where a file system knows no locks, there is none. */
static bool take(run_folder *folder) {
    folder->lock = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->lock < 0 || !flock(folder->lock, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK) {
        file_sweep(folder->path);
        return true;
    }
    folder_leave(folder);
    return false;
}

const char *folder_weights(const char *run, char path[RUN_PATH]) {
    int length = snprintf(path, RUN_PATH, "%s/weights.safetensors", run);
    return length < RUN_PATH && !access(path, F_OK) ? path : run;
}

void folder_leave(run_folder *folder) {
    if (folder->lock >= 0) close(folder->lock);
    folder->lock = -1;
}

bool folder_named(run_folder *folder, const char *path, spor_message *message) {
    folder->lock = -1;
    /* room for the longest name of a file in it */
    if (snprintf(folder->path, RUN_PATH, "%s", path) < RUN_PATH - 256) return true;
    return message_complain(message, "the name of the folder is too long");
}

static bool take_named(run_folder *folder, const char *path, spor_message *message) {
    return folder_named(folder, path, message) &&
           (take(folder) ||
            message_complain(message, "%s: another training is writing here", folder->path));
}

/* The first that is free. */
static bool take_next(run_folder *folder, const char *name, spor_message *message) {
    char path[RUN_PATH];
    for (int k = 1; k < MOST_RUNS; k++) {
        snprintf(path, sizeof path, k > 1 ? "runs/%s-%d" : "runs/%s", name, k);
        if (!folder_named(folder, path, message) || !file_make_folder(path, message)) return false;
        if (holds_run(folder) || !take(folder)) continue;
        if (!holds_run(folder)) return true; /* nobody was quicker */
        folder_leave(folder);
    }
    return message_complain(message, "runs/%s: there are %d runs of it", name, MOST_RUNS);
}

bool folder_begin(run_folder *folder, const char *out, const char *name, bool replace,
                  spor_message *message) {
    if (!out) return take_next(folder, name, message);
    if (!file_make_folder(out, message) || !take_named(folder, out, message)) return false;
    return replace || !holds_run(folder) ||
           message_complain(message,
                            "%s/ holds a run. Go on with it by --resume %s, give another folder "
                            "with --out, or replace it with --force.",
                            out, out);
}

bool folder_again(run_folder *folder, const char *path, spor_message *message) {
    if (!take_named(folder, path, message)) return false;
    return holds(folder, "checkpoint.safetensors") ||
           message_complain(
               message, "%s/ holds no checkpoint.safetensors: there is no run to go on with", path);
}
