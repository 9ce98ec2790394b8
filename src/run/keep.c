/* What a checkpoint keeps of a run beside its numbers: command line, script, which data. */
#include "run/run.h"

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
#include "data/outline.h"
#include "data/standardize.h"
#include "data/values.h"
#include "kernels/element.h"

/* Names of notes. A file of the script is a note "script:" and its name, a setting "set:" and its name. */
static const char command_note[] = "command", folder_note[] = "folder", models_note[] = "models",
                  data_note[] = "data",
                  script_note[] = "script:", setting_note[] = "set:", scalar_note[] = "scalar",
                  seed_note[] = "seed", choice_note[] = "data.choice",
                  reduction_note[] = "reduction", weights_note[] = "weights";
static const char *const reductions[] = {
    [SPOR_REDUCTION_UNSAID] = "", [SPOR_REDUCTION_SUM] = "sum", [SPOR_REDUCTION_MEAN] = "mean"};
enum { REDUCTIONS = sizeof reductions / sizeof *reductions };

enum { MOST_FILES = 256 };

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

/* A note of a kind of which there are several, "script:" or "set:", and what it is of. */
static bool keep_named(spor_checkpoint *run, const char *kind, const char *name, const char *text) {
    spor_text note = {0};
    text_add(&note, "%s%s", kind, name);
    bool done = !note.failed && checkpoint_add(run, note.at, text);
    text_free(&note);
    return done;
}

static bool keep_script(spor_checkpoint *run, const spor_script *script) {
    bool done = true;
    script_file file;
    for (int k = 0; done && (file = script_file_at(script, k)).file; k++)
        done = keep_named(run, script_note, file.file, file.text);
    return done;
}

static bool keep_settings(spor_checkpoint *run, const run_facts *facts) {
    bool done = true;
    for (int k = 0; done && k < facts->settings; k++) {
        int first = 0; /* of this name: it is the one that counts */
        while (strcmp(facts->setting[first].name, facts->setting[k].name) != 0) first++;
        done = first < k ||
               keep_named(run, setting_note, facts->setting[k].name, facts->setting[k].value);
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

static bool keep_outline(spor_checkpoint *run, const spor_data *data) {
    bool done = true;
    for (const outline_fact *f = outline_facts; done && f->name; f++) {
        spor_text text = {0};
        f->write(data, &text);
        done = !text.failed && (!text.size || checkpoint_add(run, f->name, text.at));
        text_free(&text);
    }
    return done;
}

/* "checksum 0123456789abcdef", of all values and of what data are standardized by */
static void weights_text(spor_params *params, spor_scalar scalar, const spor_data *data,
                         char text[32]) {
    uint64_t sum = 0;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        size_t bytes = (size_t)shape_size(&e.shape) * element_types[scalar]->width;
        sum = checksum_add(sum, e.value, bytes);
    }
    size_t columns = data->x.mean ? (size_t)shape_size(&data->x.shape) : 0;
    if (columns) sum = checksum_add(sum, data->x.mean, columns * sizeof *data->x.mean);
    if (columns) sum = checksum_add(sum, data->x.factor, columns * sizeof *data->x.factor);
    snprintf(text, 32, "checksum %016" PRIx64, sum);
}

bool keep_run(spor_checkpoint *run, const run_facts *facts) {
    char folder[RUN_PATH], text[160], seed[24], weights[32];
    data_text(facts->data, text);
    if (facts->begun) weights_text(facts->begun, facts->options->scalar, facts->data, weights);
    snprintf(seed, sizeof seed, "%" PRIu64, facts->seed);
    return keep_command(run, facts->argc, facts->argv) &&
           checkpoint_add(run, folder_note, getcwd(folder, sizeof folder) ? folder : ".") &&
           checkpoint_add(run, models_note, facts->models) &&
           checkpoint_add(run, data_note, text) &&
           (!facts->choice || checkpoint_add(run, choice_note, facts->choice)) &&
           (!facts->begun || checkpoint_add(run, weights_note, weights)) &&
           checkpoint_add(run, "isa", facts->isa) &&
           checkpoint_add(run, scalar_note, element_types[facts->options->scalar]->text) &&
           checkpoint_add(run, reduction_note, reductions[facts->reduction]) &&
           checkpoint_add(run, seed_note, seed) && keep_settings(run, facts) &&
           keep_outline(run, facts->data) && keep_standardized(run, facts->data) &&
           keep_script(run, facts->script);
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

/* What a note of this kind is of; NULL: it is another note. */
static const char *named(const safetensors_note *note, const char *kind) {
    size_t length = strlen(kind);
    return strncmp(note->name, kind, length) ? NULL : note->name + length;
}

static int script_files(const spor_checkpoint *run, script_file file[MOST_FILES]) {
    int files = 0;
    for (int k = 0; k < run->notes && files < MOST_FILES; k++)
        if (named(&run->note[k], script_note))
            file[files++] = (script_file){named(&run->note[k], script_note), run->note[k].text};
    return files;
}

static int settings_of(const spor_checkpoint *run, spor_set setting[MOST_FILES]) {
    int settings = 0;
    for (int k = 0; k < run->notes && settings < MOST_FILES; k++)
        if (named(&run->note[k], setting_note))
            setting[settings++] = (spor_set){named(&run->note[k], setting_note), run->note[k].text};
    return settings;
}

const char *kept_models(const spor_checkpoint *run) {
    return checkpoint_note(run, models_note);
}

const char *kept_choice(const spor_checkpoint *run) {
    return checkpoint_note(run, choice_note);
}

const char *kept_script_name(const spor_checkpoint *run) {
    script_file file[MOST_FILES];
    return script_files(run, file) ? file[0].file : NULL;
}

spor_script *kept_script(const spor_checkpoint *run, const spor_dialect *dialect,
                         spor_message *message) {
    script_file file[MOST_FILES];
    spor_set setting[MOST_FILES];
    int files = script_files(run, file), settings = settings_of(run, setting);
    spor_script *script = NULL;
    if (!files || !kept_models(run))
        message_complain(message, "%s: keeps no script", run->path);
    else if (!(script =
                   script_load_kept(kept_models(run), dialect, settings, setting, files, file)))
        message_complain(message, "%s: out of memory", run->path);
    return script;
}

static const char *find_fact(const void *run, const char *name) {
    return checkpoint_note(run, name);
}

spor_data *kept_outline(const spor_checkpoint *run, spor_message *message) {
    spor_data *data = outline_read(find_fact, run, run->path, message);
    if (data && spor_weights_standardize(data, run->path, message)) return data;
    spor_data_free(data);
    return NULL;
}

bool kept_scalar(const spor_checkpoint *run, spor_scalar *scalar, spor_message *message) {
    const char *text = checkpoint_note(run, scalar_note);
    for (int k = 0; text && k <= SPOR_F64; k++) {
        *scalar = (spor_scalar)k;
        if (!strcmp(text, element_types[k]->text)) return true;
    }
    return message_complain(message, "%s: does not say what it computes in", run->path);
}

spor_reduction kept_reduction(const spor_checkpoint *run) {
    const char *text = checkpoint_note(run, reduction_note);
    int k = text ? REDUCTIONS - 1 : 0;
    while (k && strcmp(text, reductions[k]) != 0) k--;
    return (spor_reduction)k;
}

bool kept_seed(const spor_checkpoint *run, uint64_t *seed, spor_message *message) {
    const char *text = checkpoint_note(run, seed_note);
    char *end = NULL;
    *seed = text ? strtoull(text, &end, 10) : 0;
    return (text && *text && !*end) ||
           message_complain(message, "%s: does not say its seed", run->path);
}

int kept_page_files(const spor_checkpoint *run, int most, page_file file[]) {
    script_file kept[MOST_FILES];
    int files = script_files(run, kept);
    for (int k = 0; k < files && k < most; k++) file[k] = (page_file){kept[k].file, kept[k].text};
    return files;
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

bool kept_weights_are(const spor_checkpoint *run, spor_params *params, spor_scalar scalar,
                      const spor_data *data, spor_message *message) {
    char now[32];
    const char *then = checkpoint_note(run, weights_note);
    weights_text(params, scalar, data, now);
    return !then || !strcmp(then, now) ||
           message_complain(
               message,
               "the weights that this run began with have changed\n  then  %s\n  now   "
               "%s",
               then, now);
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
