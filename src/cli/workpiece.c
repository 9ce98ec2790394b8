/* A script at work: loading it, making its network a model, finding its data. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/message.h"
#include "base/pool.h"
#include "data/file.h"
#include "data/labels.h"
#include "run/run.h"

/* Prints a message that may lie in the script, with the line and a caret. */
static int complain_at(const spor_workpiece *piece, const char *message, const char *file, int line,
                       int column) {
    char text[4096];
    if (!message) message = "out of memory";
    script_explain(piece->script, message, file, line, column, text, sizeof text);
    fflush(stdout);
    if (!file) fprintf(stderr, "spor %s: ", piece->command->name);
    fprintf(stderr, "%s%s", text, *text && text[strlen(text) - 1] == '\n' ? "" : "\n");
    return SPOR_EXIT_BAD;
}

int workpiece_complain(const spor_workpiece *piece) {
    const char *file;
    int line, column;
    spor_model_error_place(piece->model, &file, &line, &column);
    return complain_at(piece, spor_model_error(piece->model), file, line, column);
}

int workpiece_complain_tape(const spor_workpiece *piece, const spor_tape *tape) {
    const char *file;
    int line, column;
    spor_error_place(tape, &file, &line, &column);
    return complain_at(piece, spor_error(tape), file, line, column);
}

/* What is wrong with a script that was loaded, or NULL. */
static const char *examine(spor_workpiece *piece) {
    const char *error = piece->script ? script_error(piece->script) : "out of memory";
    const spor_declaration *declared = error ? NULL : script_declaration(piece->script);
    if (declared) piece->declared = *declared;
    return error;
}

const char *workpiece_read(spor_workpiece *piece, const spor_command *command, const char *path,
                           const spor_settings *settings) {
    *piece = (spor_workpiece){.command = command, .path = path, .models = places_models()};
    piece->script =
        script_load(path, piece->models, &claims_dialect, settings->count, settings->setting);
    return examine(piece);
}

/* What a script that can't be loaded is instead, or where it may be. */
static void tell_of_path(const char *path) {
    static const char *const ending[] = {".spor", NULL};
    struct stat status;
    char other[RUN_PATH];
    bool there = !stat(path, &status), folder = there && S_ISDIR(status.st_mode);
    int length =
        snprintf(other, sizeof other, "%s%s", path, folder ? "/checkpoint.safetensors" : ".spor");
    bool found = length < RUN_PATH && !access(other, F_OK);
    if (folder && found)
        fprintf(stderr,
                "%s is the folder of a run: `spor eval %s`, `spor predict %s --in rows.csv`,\n"
                "`spor train --resume %s` go on with it.\n",
                path, path, path, path);
    else if (!there && found)
        fprintf(stderr, "Did you mean %s?\n", other);
    else if (there && !file_ends_in(path, ending))
        fprintf(stderr, "A script is a file whose name ends in .spor.\n");
}

bool workpiece_open(spor_workpiece *piece, const spor_command *command, const char *path,
                    const spor_settings *settings) {
    const char *error = workpiece_read(piece, command, path, settings);
    if (!error) return true;
    fprintf(stderr, "%s\n", error);
    tell_of_path(path);
    return false;
}

static bool declares(const spor_workpiece *piece) {
    if (script_declaration(piece->script)) return true;
    command_fail(piece->command,
                 "%s declares no training; give it a line such as\n"
                 "  train(net, data=digits(scale=1/16), "
                 "loss=cross_entropy(reduction=\"mean\"),\n"
                 "        optimizer=sgd(rate=0.01), batch=32, epochs=20)",
                 piece->path);
    return false;
}

bool workpiece_load(spor_workpiece *piece, const spor_command *command, const char *path,
                    const spor_settings *settings) {
    return workpiece_open(piece, command, path, settings) && declares(piece);
}

bool workpiece_load_kept(spor_workpiece *piece, const spor_command *command,
                         const spor_checkpoint *run) {
    spor_message message = {""};
    *piece = (spor_workpiece){
        .command = command, .path = kept_script_name(run), .models = kept_models(run)};
    piece->script = kept_script(run, &claims_dialect, &message);
    if (!piece->script) return command_fail(command, "%s", message.text), false;
    const char *error = examine(piece);
    if (error) fprintf(stderr, "%s\n", error);
    return !error && declares(piece);
}

static bool shapes_are_known(const spor_declaration *d) {
    return d->sample.rank && (d->target_is_x || d->classes || d->y.rank);
}

bool workpiece_model(spor_workpiece *piece, const spor_options *options, uint64_t seed) {
    if (!shapes_are_known(&piece->declared) && !workpiece_data(piece)) return false;
    piece->model = run_script_model(piece->script, &piece->declared, NULL, seed, options);
    if (piece->model && !spor_model_error(piece->model)) return true;
    workpiece_complain(piece);
    return false;
}

int workpiece_threads(const spor_workpiece *piece, int64_t given) {
    int64_t wanted = given ? given : piece->declared.threads, most = POOL_MOST;
    return wanted ? (int)(wanted < most ? wanted : most) : pool_cores();
}

void workpiece_close(spor_workpiece *piece) {
    spor_model_free(piece->model);
    spor_data_free(piece->data);
    script_free(piece->script);
}

/* ---- data ---- */

bool workpiece_choose_data(spor_workpiece *piece, const char *choice) {
    spor_declaration *declared = &piece->declared;
    char name[64];
    spor_message message = {""};
    if (!choice) return true;
    size_t length = strcspn(choice, ":");
    snprintf(name, sizeof name, "%.*s", (int)(length < sizeof name ? length : 0), choice);
    const data_set *set = places_set(name, &message);
    if (!set) return command_fail(piece->command, "%s", message.text), false;
    piece->data_folder = choice[length] && choice[length + 1] ? choice + length + 1 : NULL;
    if (set == declared->set) return true;
    declared->set = set;
    declared->own = NULL;
    declared->data = set->name;
    declared->y = (spor_shape){0};
    declared->sample = set->shape;
    declared->classes = set->classes;
    declared->scale = set->scale;
    return true;
}

static spor_data *read_own(const spor_workpiece *piece, spor_message *message) {
    const spor_own_data *own = piece->declared.own;
    char *path[SPOR_OWN_FILES] = {NULL};
    bool found = true;
    for (int k = 0; found && k < SPOR_OWN_FILES; k++)
        found = !own->file[k] || places_file(own->file[k], piece->path, &path[k], message);
    spor_data *data = found ? own->read(own->said, (const char *const *)path, NULL, message) : NULL;
    for (int k = 0; k < SPOR_OWN_FILES; k++) free(path[k]);
    return data;
}

/* The last name, without slashes, of the folder that a file lies in. */
static void name_after_folder(char name[64], const char *file) {
    const char *end = strrchr(file, '/');
    while (end && end > file && end[-1] == '/') end--;
    const char *start = end;
    while (start && start > file && start[-1] != '/') start--;
    bool dots = !start || start == end || *start == '.';
    snprintf(name, 64, "%.*s", dots ? 9 : (int)(end - start), dots ? "own files" : start);
}

static spor_data *read_set(const spor_workpiece *piece, bool *missing, spor_message *message) {
    const spor_declaration *declared = &piece->declared;
    char *path[DATA_FILES];
    bool found = places_find(declared->set, piece->path, piece->data_folder, path, message);
    *missing = !found && !piece->data_folder;
    if (!found) return NULL;
    spor_data *data = sets_read(declared->set, (const char *const *)path, declared->scale, message);
    if (data && !sets_are_published(declared->set, path)) name_after_folder(data->name, path[0]);
    sets_free_files(path);
    return data;
}

const spor_data *workpiece_read_data(spor_workpiece *piece, bool *missing, spor_message *message) {
    spor_declaration *declared = &piece->declared;
    *missing = false;
    if (piece->data) return piece->data;
    piece->data = declared->own ? read_own(piece, message) : read_set(piece, missing, message);
    if (!piece->data) return NULL;
    if (declared->own && declared->target_is_x) labels_drop(piece->data);
    declared->sample = piece->data->x.shape;
    declared->classes = piece->data->classes;
    declared->y = piece->data->y.value ? piece->data->y.shape : (spor_shape){0};
    return piece->data;
}

void workpiece_complain_at(const spor_workpiece *piece, const char *text, const char *file,
                           int line, int column) {
    spor_message message;
    message_complain(&message, "%s:%d:%d: %s", file, line, column, text);
    complain_at(piece, message.text, file, line, column);
}

/* What is wrong with files of one's own is told where the script names them. */
const spor_data *workpiece_data(spor_workpiece *piece) {
    const spor_own_data *own = piece->declared.own;
    spor_message message = {""};
    bool missing;
    const spor_data *data = workpiece_read_data(piece, &missing, &message);
    if (!data && own)
        workpiece_complain_at(piece, message.text, own->source, own->line, own->column);
    else if (!data)
        command_fail(piece->command, "%s%s", message.text,
                     missing ? "\n`spor show` and `spor bench` work without the data." : "");
    return data;
}

bool workpiece_standardize(spor_workpiece *piece, const spor_split *split, spor_message *message) {
    return !piece->declared.own || !piece->declared.own->standardize ||
           spor_data_standardize(piece->data, split->train, split->train_rows, message);
}
