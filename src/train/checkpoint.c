#include "train/checkpoint.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/message.h"
#include "data/file.h"
#include "data/number.h"
#include "program/params.h"

static const char format[] = "spor checkpoint 1";

/* What every checkpoint begins with, behind the length of its header. */
static const char opening[] = "{\"__metadata__\":{\"checksum\":\"";
static const char best_prefix[] = ":best/"; /* of weights of the best epoch */
static const char no_sum[] = "0000000000000000";
enum { SUM = sizeof no_sum - 1, SUM_AT = 8 + sizeof opening - 1 };

/* ---- whole numbers -------------------------------------------------------------------------- */

typedef struct {
    const char *name; /* of the note */
    size_t offset;    /* of an int64_t in spor_checkpoint */
} whole_number;

static const whole_number whole_numbers[] = {
    {"epoch", offsetof(spor_checkpoint, progress.epoch)},
    {"epochs", offsetof(spor_checkpoint, progress.epochs)},
    {"step", offsetof(spor_checkpoint, progress.step)},
    {"steps", offsetof(spor_checkpoint, progress.steps)},
    {"rows", offsetof(spor_checkpoint, progress.rows)},
    {"best_epoch", offsetof(spor_checkpoint, progress.best_epoch)},
    {"metric", offsetof(spor_checkpoint, metric)},
    {"history", offsetof(spor_checkpoint, history.count)},
    {"best", offsetof(spor_checkpoint, best.epoch)},
};
enum { WHOLE_NUMBERS = sizeof whole_numbers / sizeof *whole_numbers };

static int64_t *whole(spor_checkpoint *run, int k) {
    return (int64_t *)(void *)((char *)run + whole_numbers[k].offset);
}

static bool read_whole(const char *text, int64_t *value) {
    double number;
    if (!number_read(text, strlen(text), &number) || number < 0 || number > 0x1p53) return false;
    *value = (int64_t)number;
    return (double)*value >= number;
}

/* ---- tables and tensors --------------------------------------------------------------------- */

/* A row for each epoch of the history and one for where the run stands. */
static double *cell(spor_checkpoint *run, int64_t row, const record_column *column) {
    bool past = row < run->history.count;
    return record_number(past ? &run->history.epochs[row] : &run->progress, column);
}

static void move_table(spor_checkpoint *run, bool seconds, double *table, bool into_run) {
    for (int64_t row = 0; row <= run->history.count; row++)
        for (const record_column *c = record_columns; c->offset; c++) {
            if (c->seconds != seconds) continue;
            if (into_run)
                *cell(run, row, c) = *table++;
            else
                *table++ = *cell(run, row, c);
        }
}

/* What the file is made of. */
typedef struct {
    safetensor *tensor;
    int count;
    double *table[2]; /* ":progress" and ":seconds" */
    char *name;       /* of the best weights, one behind the other */
} contents;

static void contents_free(contents *c) {
    free(c->tensor);
    free(c->table[0]);
    free(c->table[1]);
    free(c->name);
}

static void add_table(contents *c, const spor_checkpoint *run, bool seconds) {
    spor_shape shape = SPOR_SHAPE(run->history.count + 1, record_count(seconds));
    c->tensor[c->count++] = (safetensor){.name = seconds ? ":seconds" : ":progress",
                                         .shape = shape,
                                         .type = raw_of(SPOR_F64),
                                         .value = c->table[seconds]};
}

static void add_entries(contents *c, const spor_checkpoint *run, spor_params *params) {
    char *name = c->name;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        c->tensor[c->count++] = (safetensor){e.name, e.shape, raw_of(e.scalar), e.value};
        if (!run->best.epoch || e.kind == SPOR_OPTIMIZER_STATE) continue;
        c->tensor[c->count++] =
            (safetensor){name, e.shape, raw_of(e.scalar), best_value(&run->best, params, k)};
        name += sprintf(name, "%s%s", best_prefix, e.name) + 1;
    }
}

/* Room for the tensors and their names; false if memory runs out. */
static bool contents_take(contents *c, spor_params *params) {
    size_t count = (size_t)spor_params_count(params), names = 1;
    if (!params_settle(params)) return false;
    for (int k = 0; k < (int)count; k++)
        names += strlen(spor_params_entry(params, k).name) + sizeof best_prefix;
    *c = (contents){.tensor = calloc(2 * count + 2, sizeof *c->tensor), .name = malloc(names)};
    return c->tensor && c->name;
}

/* False if memory runs out. */
static bool contents_make(contents *c, const spor_checkpoint *run, spor_params *params) {
    bool done = contents_take(c, params);
    for (int s = 0; s < 2; s++) {
        int64_t cells = (run->history.count + 1) * record_count(s);
        c->table[s] = malloc(bytes_for(cells, sizeof(double)));
        done = done && c->table[s];
    }
    if (!done) return false;
    add_table(c, run, false);
    add_entries(c, run, params);
    add_table(c, run, true); /* last, so that what differs between equal runs lies at the end */
    return true;
}

/* ---- notes ---------------------------------------------------------------------------------- */

/* Name and text lie in one piece of memory. */
bool checkpoint_add(spor_checkpoint *run, const char *name, const char *text) {
    size_t length = strlen(name) + 1, size = strlen(text) + 1, room = (size_t)run->notes + 1;
    safetensors_note *note = realloc(run->note, room * sizeof *note);
    if (note) run->note = note;
    char **own = realloc(run->own, room * sizeof *own);
    if (own) run->own = own;
    char *copy = note && own ? malloc(length + size) : NULL;
    if (!copy) return false;
    memcpy(copy, name, length);
    memcpy(copy + length, text, size);
    run->own[run->notes] = copy;
    run->note[run->notes++] = (safetensors_note){copy, copy + length};
    return true;
}

const char *checkpoint_note(const spor_checkpoint *run, const char *name) {
    for (int k = 0; k < run->notes; k++)
        if (!strcmp(run->note[k].name, name)) return run->note[k].text;
    return NULL;
}

/* ---- writing -------------------------------------------------------------------------------- */

static bool write_contents(spor_text *text, const contents *c, spor_checkpoint *run) {
    char number[WHOLE_NUMBERS][24];
    size_t count = WHOLE_NUMBERS + 3 + (size_t)run->notes;
    safetensors_note *note = calloc(count, sizeof *note), *end = note;
    if (!note) return false;
    *end++ = (safetensors_note){"checksum", no_sum};
    *end++ = (safetensors_note){"format", format};
    *end++ = (safetensors_note){"spor", SPOR_VERSION};
    for (int k = 0; k < WHOLE_NUMBERS; k++) {
        snprintf(number[k], sizeof number[k], "%" PRId64, *whole(run, k));
        *end++ = (safetensors_note){whole_numbers[k].name, number[k]};
    }
    if (run->notes) memcpy(end, run->note, (size_t)run->notes * sizeof *note);
    safetensors_write(text, note, (int)count, c->tensor, c->count);
    free(note);
    return !text->failed;
}

static void seal(char *bytes, size_t size) {
    char sum[SUM + 1];
    snprintf(sum, sizeof sum, "%016" PRIx64, checksum_add(0, bytes, size));
    memcpy(bytes + SUM_AT, sum, SUM);
}

bool checkpoint_write(const spor_checkpoint *run, spor_params *params, const char *path,
                      spor_message *message) {
    spor_checkpoint now = *run;
    now.metric = run->progress.metric;
    spor_text text = {0};
    contents c;
    bool done = contents_make(&c, run, params);
    for (int s = 0; done && s < 2; s++) move_table(&now, s, c.table[s], false);
    done = done && write_contents(&text, &c, &now);
    if (done) seal(text.at, text.size);
    text.failed = !done;
    contents_free(&c);
    return file_write_text(&text, path, message);
}

/* ---- opening -------------------------------------------------------------------------------- */

static bool is_foreign(const spor_checkpoint *run) {
    return run->size < SUM_AT + SUM || memcmp(run->bytes + 8, opening, sizeof opening - 1) != 0;
}

/* Opened by its checksum, which the file has for itself with zeros in its place. */
static bool check_seal(spor_checkpoint *run, spor_message *message) {
    char told[SUM];
    if (is_foreign(run))
        return message_complain(message, "%s: is no checkpoint, or the beginning of one",
                                run->path);
    memcpy(told, run->bytes + SUM_AT, SUM);
    memcpy(run->bytes + SUM_AT, no_sum, SUM);
    seal((char *)run->bytes, run->size);
    return !memcmp(told, run->bytes + SUM_AT, SUM) ||
           message_complain(message, "%s: is damaged: its checksum is not that of what it holds",
                            run->path);
}

typedef struct {
    spor_checkpoint *run;
    unsigned seen; /* of the whole numbers, a bit for each */
    bool known;    /* the format is */
    spor_message *message;
} reading;

/* A whole number, of a name that has one; NULL: none has. */
static int64_t *find_whole(reading *r, const char *name, unsigned *bit) {
    for (int k = 0; k < WHOLE_NUMBERS; k++)
        if (!strcmp(name, whole_numbers[k].name)) return *bit = 1u << k, whole(r->run, k);
    return NULL;
}

static bool on_note(const char *name, const char *text, void *user) {
    reading *r = user;
    unsigned bit = 0;
    int64_t *number = find_whole(r, name, &bit);
    bool twice = r->seen & bit || checkpoint_note(r->run, name);
    if (twice || (number && !read_whole(text, number)))
        return message_complain(r->message, "%s: its %.40s is \"%.40s\"%s", r->run->path, name,
                                text, twice ? ", a second time" : "");
    r->seen |= bit;
    if (number || !strcmp(name, "checksum")) return true;
    if (!strcmp(name, "format")) {
        r->known = !strcmp(text, format);
        return r->known ||
               message_complain(r->message, "%s: has the format \"%.40s\"; this is for \"%s\"",
                                r->run->path, text, format);
    }
    if (!strcmp(name, "spor")) {
        snprintf(r->run->version, sizeof r->run->version, "%s", text);
        return true;
    }
    return checkpoint_add(r->run, name, text) ||
           message_complain(r->message, "%s: out of memory", r->run->path);
}

/* The whole numbers fit each other, and the file has room for what they say. */
static bool check_numbers(const reading *r) {
    const spor_checkpoint *run = r->run;
    const spor_progress *p = &run->progress;
    bool done = r->seen == (1u << WHOLE_NUMBERS) - 1 && r->known && p->epoch <= p->epochs &&
                p->step <= p->steps && run->history.count <= p->epoch &&
                run->best.epoch <= run->history.count && p->best_epoch <= p->epoch &&
                run->metric <= SPOR_METRIC_NONE &&
                run->history.count < (int64_t)(run->size / sizeof(double));
    return done || message_complain(r->message, "%s: its numbers do not fit each other", run->path);
}

bool checkpoint_open(spor_checkpoint *run, const char *path, spor_message *message) {
    reading r = {.run = run, .message = message};
    *run = (spor_checkpoint){.path = strdup(path)};
    if (!run->path) return message_complain(message, "%s: out of memory", path);
    if (!file_bytes(path, SPOR_FILE_LIMIT, &run->bytes, &run->size, message)) return false;
    if (!check_seal(run, message)) return false;
    safetensors_file file = {path, run->bytes, run->size};
    if (!safetensors_notes(&file, on_note, &r, message) || !check_numbers(&r)) return false;
    run->progress.metric = (spor_metric)run->metric;
    return true;
}

/* ---- loading -------------------------------------------------------------------------------- */

static bool make_room(spor_checkpoint *run, spor_params *params) {
    spor_history *h = &run->history;
    if (!h->epochs) h->epochs = calloc((size_t)h->count + 1, sizeof *h->epochs);
    if (!h->epochs || (run->best.epoch && !best_make(&run->best, params))) return false;
    h->room = h->count + 1;
    for (int64_t k = 0; k < h->count; k++) {
        h->epochs[k] = run->progress;
        h->epochs[k].epoch = k + 1;
    }
    return true;
}

bool checkpoint_load(spor_checkpoint *run, spor_params *params, spor_message *message) {
    contents c = {0};
    safetensors_file file = {run->path, run->bytes, run->size};
    bool done = (make_room(run, params) && contents_make(&c, run, params)) ||
                message_complain(message, "%s: out of memory", run->path);
    done = done && safetensors_read(&file, c.tensor, c.count, SAFETENSORS_EXACT, message);
    for (int s = 0; done && s < 2; s++) move_table(run, s, c.table[s], true);
    if (done) spor_params_touch(params);
    contents_free(&c);
    return done;
}

/* Parameters and states of the network by the names that their weights to be tested have in the file. */
static void add_network(contents *c, const spor_checkpoint *run, spor_params *params) {
    char *name = c->name;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        if (e.kind == SPOR_OPTIMIZER_STATE) continue;
        c->tensor[c->count++] = (safetensor){name, e.shape, raw_of(e.scalar), e.value};
        name += sprintf(name, "%s%s", run->best.epoch ? best_prefix : "", e.name) + 1;
    }
}

bool checkpoint_load_network(const spor_checkpoint *run, spor_params *params,
                             spor_message *message) {
    contents c = {0};
    safetensors_file file = {run->path, run->bytes, run->size};
    bool done =
        contents_take(&c, params) || message_complain(message, "%s: out of memory", run->path);
    if (done) add_network(&c, run, params);
    done = done && safetensors_read(&file, c.tensor, c.count, SAFETENSORS_EXACT | SAFETENSORS_SOME,
                                    message);
    if (done) spor_params_touch(params);
    contents_free(&c);
    return done;
}

void checkpoint_free(spor_checkpoint *run) {
    for (int k = 0; k < run->notes; k++) free(run->own[k]);
    free(run->own);
    free(run->note);
    free(run->path);
    free(run->bytes);
    history_free(&run->history);
    best_free(&run->best);
    *run = (spor_checkpoint){0};
}

/* ---- of a model ------------------------------------------------------------------------------ */

bool spor_checkpoint_save(spor_model *model, const spor_progress *progress, const char *path,
                          spor_message *message) {
    if (!message_given(message, model, "the model") ||
        !message_given(message, progress, "the progress") ||
        !message_given(message, path, "the path of a checkpoint"))
        return false;
    spor_checkpoint run = {.progress = *progress};
    return checkpoint_write(&run, spor_model_params(model), path, message);
}

bool spor_checkpoint_load(spor_model *model, spor_progress *progress, const char *path,
                          spor_message *message) {
    spor_checkpoint run = {0};
    if (!message_given(message, model, "the model") ||
        !message_given(message, progress, "the progress") ||
        !message_given(message, path, "the path of a checkpoint"))
        return false;
    bool done = checkpoint_open(&run, path, message) &&
                checkpoint_load(&run, spor_model_params(model), message);
    if (done) *progress = run.progress;
    checkpoint_free(&run);
    return done;
}
