/* What a checkpoint keeps of a run beside its numbers: command line, script, which data. */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checksum.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "data/json.h"
#include "data/standardize.h"
#include "data/values.h"

/* Names of notes. A file of the script is a note "script:" and its name. */
static const char command_note[] = "command", folder_note[] = "folder", models_note[] = "models",
                  data_note[] = "data", script_note[] = "script:";
enum { SCRIPT_NOTE = sizeof script_note - 1, MOST_FILES = 256 };

/* ---- keeping ----------------------------------------------------------------------------------- */

/* The words behind the command as an array of JSON. */
static bool keep_command(spor_checkpoint *run, int argc, char **argv) {
    spor_text text = {0};
    spor_json json = {.text = &text};
    json_begin(&json, NULL, '[');
    for (int k = 1; k < argc; k++) json_string(&json, NULL, argv[k]);
    json_end(&json, ']');
    bool done = !text.failed && checkpoint_add(run, command_note, text.at);
    text_free(&text);
    return done;
}

static bool keep_script(spor_checkpoint *run, const spor_script *script) {
    bool done = true;
    script_file file;
    for (int k = 0; done && (file = script_file_at(script, k)).file; k++) {
        spor_text name = {0};
        text_add(&name, "%s%s", script_note, file.file);
        done = !name.failed && checkpoint_add(run, name.at, file.text);
        text_free(&name);
    }
    return done;
}

static uint64_t add_values(uint64_t sum, const spor_values *values, int64_t rows) {
    if (!values->value) return sum;
    size_t bytes = values_types[values->keep].width * (size_t)shape_size(&values->shape);
    return checksum_add(sum, values->value, bytes * (size_t)rows);
}

/* "digits: 1797 rows, checksum 0123456789abcdef" */
static void data_text(const spor_data *data, char text[160]) {
    uint64_t sum = add_values(add_values(0, &data->x, data->rows), &data->y, data->rows);
    if (data->label) sum = checksum_add(sum, data->label, (size_t)data->rows * sizeof *data->label);
    snprintf(text, 160, "%s: %" PRId64 " rows, checksum %016" PRIx64, data->name, data->rows, sum);
}

/* With what mean and factor the weights were begun is not always what the rows say: --weights. */
static bool keep_standardized(spor_checkpoint *run, const spor_data *data) {
    standardize_notes notes;
    if (!data->x.mean) return true;
    bool done = standardize_write(data, &notes);
    for (int k = 0; done && k < 2; k++)
        done = checkpoint_add(run, notes.note[k].name, notes.note[k].text);
    standardize_free(&notes);
    return done;
}

bool keep_run(spor_checkpoint *run, const spor_workpiece *piece, const spor_data *data,
              const char *isa, int argc, char **argv) {
    char folder[RUN_PATH], text[160];
    data_text(data, text);
    return keep_command(run, argc, argv) &&
           checkpoint_add(run, folder_note, getcwd(folder, sizeof folder) ? folder : ".") &&
           checkpoint_add(run, models_note, piece->models) &&
           checkpoint_add(run, data_note, text) && checkpoint_add(run, "isa", isa) &&
           keep_standardized(run, data) && keep_script(run, piece->script);
}

/* ---- the command line -------------------------------------------------------------------------- */

static bool read_words(spor_json_reader *json, kept_command *c, size_t size, int most) {
    char *at = c->text;
    bool done = json_enter(json, '[');
    while (done && json_next(json, ']')) {
        done = c->argc < most && json_get_string(json, at, size - (size_t)(at - c->text));
        c->argv[c->argc++] = at;
        at += done ? strlen(at) + 1 : 0;
    }
    return done && json_finish(json);
}

bool kept_command_of(const spor_checkpoint *run, kept_command *command, spor_message *message) {
    const char *text = checkpoint_note(run, command_note);
    size_t size = text ? strlen(text) + 1 : 1;
    spor_json_reader json = {.start = text, .at = text, .end = text + (size - 1)};
    *command = (kept_command){.text = malloc(size), .argv = calloc(size + 2, sizeof(char *))};
    if (!command->text || !command->argv)
        return message_complain(message, "%s: out of memory", run->path);
    static char name[] = "train";
    command->argv[command->argc++] = name;
    return (text && read_words(&json, command, size, (int)(size < INT32_MAX ? size : INT32_MAX))) ||
           message_complain(message, "%s: keeps no command line that can be repeated", run->path);
}

void kept_command_text(const spor_checkpoint *run, char text[], size_t size) {
    kept_command command;
    bool done = kept_command_of(run, &command, NULL);
    int used = snprintf(text, size, "spor");
    for (int k = 0; done && k < command.argc && used < (int)size; k++)
        used += snprintf(text + used, size - (size_t)used, " %s", command.argv[k]);
    kept_command_free(&command);
}

const char *kept_data_text(const spor_checkpoint *run) {
    return checkpoint_note(run, data_note);
}

void kept_command_free(kept_command *command) {
    free(command->text);
    free(command->argv);
}

/* ---- the script -------------------------------------------------------------------------------- */

/* The name of the file of the script that a note has; NULL: another note. */
static const char *script_name(const safetensors_note *note) {
    return strncmp(note->name, script_note, SCRIPT_NOTE) ? NULL : note->name + SCRIPT_NOTE;
}

static int script_files(const spor_checkpoint *run, script_file file[MOST_FILES]) {
    int files = 0;
    for (int k = 0; k < run->notes && files < MOST_FILES; k++)
        if (script_name(&run->note[k]))
            file[files++] = (script_file){script_name(&run->note[k]), run->note[k].text};
    return files;
}

bool kept_script(const spor_checkpoint *run, spor_workpiece *piece, const spor_command *command,
                 const spor_settings *settings) {
    script_file file[MOST_FILES];
    const char *models = checkpoint_note(run, models_note);
    int files = script_files(run, file);
    if (files && models) return workpiece_load_kept(piece, command, models, settings, files, file);
    return command_fail(command, "%s: keeps no script", run->path), false;
}

/* How many bytes of what was kept are this byte, which lies at the place: what is no UTF-8 was kept as
 * U+FFFD. */
static size_t same_byte(const char *kept, unsigned char byte) {
    if ((unsigned char)*kept == byte) return 1;
    return byte >= 0x80 && !strncmp(kept, "\xef\xbf\xbd", 3) ? 3 : 0;
}

/* The first line in which the bytes of a file differ from the text, which has one line end more; 0: none
 * does. */
static int first_difference(const char *text, const unsigned char *bytes, size_t size) {
    const char *end = text + strlen(text) - 1;
    size_t k = 0, same;
    int line = 1;
    for (; k < size && text < end && (same = same_byte(text, bytes[k])); k++, text += same)
        line += bytes[k] == '\n';
    return k < size || text < end ? line : 0;
}

bool kept_script_is_current(const spor_checkpoint *run, spor_message *message) {
    script_file file[MOST_FILES];
    int files = script_files(run, file);
    for (int k = 0; k < files; k++) {
        unsigned char *bytes;
        size_t size;
        if (!file_bytes(file[k].file, SPOR_FILE_LIMIT, &bytes, &size, NULL)) continue;
        int line = first_difference(file[k].text, bytes, size);
        free(bytes);
        if (line)
            return message_complain(message, "%s:%d: has changed since this run began",
                                    file[k].file, line);
    }
    return true;
}

bool kept_script_is(const spor_checkpoint *run, const spor_script *script, spor_message *message) {
    script_file file[MOST_FILES], now;
    int files = script_files(run, file), k = 0;
    for (; k < files && (now = script_file_at(script, k)).file; k++) {
        const unsigned char *bytes = (const unsigned char *)now.text;
        int line = first_difference(file[k].text, bytes, strlen(now.text) - 1);
        if (line)
            return message_complain(message, "%s:%d: has changed since this run began", now.file,
                                    line);
    }
    return (k == files && !script_file_at(script, k).file) ||
           message_complain(message, "%s: includes other files since this run began",
                            script_file_at(script, 0).file);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool kept_copy_script(const spor_checkpoint *run, const run_folder *folder, spor_message *message) {
    char path[RUN_PATH];
    script_file file[MOST_FILES];
    int files = script_files(run, file);
    bool done = file_make_folder(folder_file(folder, "script", path), message);
    for (int k = 0; done && k < files; k++) {
        char name[RUN_PATH];
        int twins = 1; /* of other folders */
        for (int i = 0; i < k; i++)
            twins += !strcmp(base_name(file[i].file), base_name(file[k].file));
        snprintf(name, sizeof name, twins > 1 ? "script/%s.%d" : "script/%s",
                 base_name(file[k].file), twins);
        done = file_write(folder_file(folder, name, path), file[k].text, strlen(file[k].text) - 1,
                          message);
    }
    return done;
}

/* ---- where and on what ------------------------------------------------------------------------- */

int kept_enter_folder(const spor_checkpoint *run) {
    const char *folder = checkpoint_note(run, folder_note);
    int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (here < 0 || (folder && !chdir(folder))) return here;
    close(here);
    return -1;
}

bool kept_leave_folder(int here, spor_message *message) {
    if (here < 0) return true;
    bool done = !fchdir(here) ||
                message_complain(message, "no way back to this folder: %s", strerror(errno));
    close(here);
    return done;
}

bool kept_data_are(const spor_checkpoint *run, const spor_data *data, spor_message *message) {
    char now[160];
    const char *then = checkpoint_note(run, data_note);
    data_text(data, now);
    return (then && !strcmp(then, now)) ||
           message_complain(message,
                            "the data have changed since this run began\n  then  %s\n  now   %s",
                            then ? then : "not known", now);
}
