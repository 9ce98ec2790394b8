/*
 * safetensors: 8 bytes with the length of a JSON header, the header, then the numbers.
 *
 *     {"net/W": {"dtype": "F32", "shape": [64, 20], "data_offsets": [0, 5120]}, ...}
 *
 * All numbers are little-endian; the tensors fill the data without gaps. The header is padded with
 * blanks so that the data begin at a multiple of 8 bytes.
 */
#include "base/message.h"
#include "data/file.h"
#include "data/json.h"
#include "data/safetensors.h"
#include "base/shape.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <spor/data.h>

enum { NAME_SIZE = 1024, HEADER_LIMIT = 100000000 };

/* ---- numbers as little-endian bytes ---- */

static void put(unsigned char *to, uint64_t bits, size_t width) {
    for (size_t k = 0; k < width; k++) to[k] = (unsigned char)(bits >> 8 * k & 255);
}

static uint64_t get(const unsigned char *from, size_t width) {
    uint64_t bits = 0;
    for (size_t k = 0; k < width; k++) bits |= (uint64_t)from[k] << 8 * k;
    return bits;
}

static void put_number(unsigned char *to, const void *values, int64_t k, int width) {
    uint32_t narrow;
    uint64_t wide;
    if (width == 4) {
        memcpy(&narrow, (const char *)values + 4 * k, sizeof narrow);
        put(to, narrow, sizeof narrow);
    } else {
        memcpy(&wide, (const char *)values + 8 * k, sizeof wide);
        put(to, wide, sizeof wide);
    }
}

static void copy_bits(void *values, int64_t k, const unsigned char *from, int width) {
    uint64_t wide = get(from, (size_t)width);
    uint32_t narrow = (uint32_t)wide;
    if (width == 4)
        memcpy((float *)values + k, &narrow, sizeof narrow);
    else
        memcpy((double *)values + k, &wide, sizeof wide);
}

/* Of a real. */
static double get_number(const unsigned char *from, int width) {
    uint64_t bits = get(from, (size_t)width);
    uint32_t narrow = (uint32_t)bits;
    float single;
    double wide;
    memcpy(&single, &narrow, sizeof single);
    memcpy(&wide, &bits, sizeof wide);
    return width == 4 ? (double)single : wide;
}

/* ---- types ---- */

static const struct {
    const char *name;
    raw_type type;
} dtypes[] = {{"F64", {RAW_REAL, 8, false}},     {"F32", {RAW_REAL, 4, false}},
              {"F16", {RAW_REAL, 2, false}},     {"BF16", {RAW_BRAIN, 2, false}},
              {"I64", {RAW_SIGNED, 8, false}},   {"I32", {RAW_SIGNED, 4, false}},
              {"I16", {RAW_SIGNED, 2, false}},   {"I8", {RAW_SIGNED, 1, false}},
              {"U64", {RAW_UNSIGNED, 8, false}}, {"U32", {RAW_UNSIGNED, 4, false}},
              {"U16", {RAW_UNSIGNED, 2, false}}, {"U8", {RAW_UNSIGNED, 1, false}},
              {"BOOL", {RAW_UNSIGNED, 1, false}}};
enum { DTYPES = sizeof dtypes / sizeof *dtypes };

static const char *dtype_of(raw_type type) {
    int k = 0;
    while (dtypes[k].type.kind != type.kind || dtypes[k].type.width != type.width) k++;
    return dtypes[k].name;
}

/* ---- saving ---- */

static void write_notes(spor_json *json, const safetensors_note note[], int notes) {
    if (!notes) return;
    json_begin(json, "__metadata__", '{');
    for (int k = 0; k < notes; k++) json_string(json, note[k].name, note[k].text);
    json_end(json, '}');
}

static size_t bytes_of(const safetensor *t) {
    return (size_t)shape_size(&t->shape) * (size_t)t->type.width;
}

static void write_header(spor_text *header, const safetensors_note note[], int notes,
                         const safetensor tensor[], int count) {
    spor_json json = {.text = header};
    size_t offset = 0;
    json_begin(&json, NULL, '{');
    write_notes(&json, note, notes);
    for (int k = 0; k < count; k++) {
        const safetensor *t = &tensor[k];
        json_begin(&json, t->name, '{');
        json_string(&json, "dtype", dtype_of(t->type));
        json_begin(&json, "shape", '[');
        for (int axis = 0; axis < t->shape.rank; axis++)
            json_integer(&json, NULL, t->shape.n[axis]);
        json_end(&json, ']');
        json_begin(&json, "data_offsets", '[');
        json_unsigned(&json, NULL, offset);
        json_unsigned(&json, NULL, offset + bytes_of(t));
        json_end(&json, ']');
        json_end(&json, '}');
        offset += bytes_of(t);
    }
    json_end(&json, '}');
    while (header->size % 8 && !header->failed) text_add(header, " ");
}

static void write_numbers(spor_text *text, const safetensor *t) {
    unsigned char bytes[4096];
    size_t width = (size_t)t->type.width, used = 0;
    int64_t size = shape_size(&t->shape);
    for (int64_t k = 0; k < size; k++) {
        put_number(bytes + used, t->value, k, t->type.width);
        used += width;
        if (used < sizeof bytes && k + 1 < size) continue;
        text_bytes(text, bytes, used);
        used = 0;
    }
}

void safetensors_write(spor_text *text, const safetensors_note note[], int notes,
                       const safetensor tensor[], int count) {
    spor_text header = {0};
    unsigned char length[8];
    write_header(&header, note, notes, tensor, count);
    put(length, header.size, sizeof length);
    text_bytes(text, length, sizeof length);
    if (!header.failed) text_bytes(text, header.at, header.size);
    for (int k = 0; k < count; k++) write_numbers(text, &tensor[k]);
    text->failed |= header.failed;
    text_free(&header);
}

/* ---- loading: the header ---- */

/* What the file has for tensor k; begin < 0: not seen yet. */
typedef struct {
    int64_t begin, end;
    raw_type type;
} found_tensor;

typedef struct {
    const char *path;
    const safetensor *tensor; /* [count] that are wanted */
    int count;
    int how;                          /* of safetensors_read */
    found_tensor *found;              /* [count]; NULL: notes alone are read */
    safetensors_on_note *on_note;     /* NULL: nobody is told of notes */
    safetensors_on_tensor *on_tensor; /* NULL: nobody is told of tensors */
    void *user;
    char *text; /* room for any string of the header */
    size_t room;
    const unsigned char *data;
    int64_t size; /* of the data */
    spor_json_reader json;
    spor_message *message;
} loader;

/* Parameters are float or double; to others all is told. */
static bool read_dtype(loader *l, const char *name, found_tensor *t) {
    char dtype[16];
    int k = 0;
    if (!json_get_string(&l->json, dtype, sizeof dtype)) return false;
    while (k < DTYPES && strcmp(dtype, dtypes[k].name) != 0) k++;
    if (k < DTYPES) t->type = dtypes[k].type;
    bool trained = k < DTYPES && t->type.kind == RAW_REAL && t->type.width >= 4;
    if (trained || (k < DTYPES && l->on_tensor)) return true;
    return message_complain(
        l->message, "%s: tensor %s has dtype %s; %s can be read", l->path, name, dtype,
        l->on_tensor ? "F16, BF16, F32, F64, whole numbers and BOOL" : "F32 and F64");
}

/* At most limit integers; their number or -1. */
static int read_integers(loader *l, int64_t list[], int limit) {
    int n = 0;
    if (!json_enter(&l->json, '[')) return -1;
    while (json_next(&l->json, ']')) {
        if (n == limit) json_fail(&l->json, "too many numbers in an array");
        if (!json_get_integer(&l->json, &list[n < limit ? n : 0])) return -1;
        n++;
    }
    return l->json.why ? -1 : n;
}

static void shape_text(const spor_shape *shape, char out[200]) {
    int used = snprintf(out, 200, "[");
    for (int k = 0; k < shape->rank; k++)
        used += snprintf(out + used, 200 - (size_t)used, "%s%" PRId64, k ? ", " : "", shape->n[k]);
    snprintf(out + used, 200 - (size_t)used, "]");
}

static bool check_place(loader *l, const char *name, const found_tensor *t, int64_t bytes) {
    return (t->begin >= 0 && t->end <= l->size && t->end - t->begin == bytes) ||
           message_complain(l->message,
                            "%s: tensor %s of %" PRId64 " bytes is said to lie at %" PRId64
                            "..%" PRId64 " of %" PRId64,
                            l->path, name, bytes, t->begin, t->end, l->size);
}

/* Dtype, shape and place of the tensor must be those of tensor k. */
static bool check_tensor(loader *l, int k, const spor_shape *shape, const found_tensor *t) {
    const safetensor *e = &l->tensor[k];
    char has[200], wants[200];
    shape_text(shape, has);
    shape_text(&e->shape, wants);
    if (!shape_equal(shape, &e->shape))
        return message_complain(l->message, "%s: tensor %s is %s but the model has %s", l->path,
                                e->name, has, wants);
    if (l->how & SAFETENSORS_EXACT && t->type.width != e->type.width)
        return message_complain(l->message, "%s: tensor %s is in %s precision but must not be",
                                l->path, e->name, t->type.width == 4 ? "single" : "double");
    int64_t bytes = shape_size(&e->shape) * t->type.width;
    if (!check_place(l, e->name, t, bytes)) return false;
    if (l->found[k].begin >= 0)
        return message_complain(l->message, "%s: tensor %s occurs twice", l->path, e->name);
    l->found[k] = *t;
    return true;
}

/* Hands on a tensor whose bytes are all there. */
static bool tell_tensor(loader *l, const char *name, const spor_shape *shape,
                        const found_tensor *t) {
    int64_t count = 1; /* none of them too long, whatever others are 0 */
    for (int k = 0; k < shape->rank; k++) {
        int64_t n = shape->n[k];
        if (n < 0)
            return message_complain(l->message, "%s: tensor %s has an axis of size %" PRId64,
                                    l->path, name, n);
        if (n > (int64_t)SPOR_FILE_LIMIT / count)
            return message_complain(l->message, "%s: tensor %s has more than 2^31 numbers", l->path,
                                    name);
        count *= n ? n : 1;
    }
    return check_place(l, name, t, shape_size(shape) * t->type.width) &&
           l->on_tensor(name, t->type, shape, l->data + t->begin, l->user);
}

static int find_tensor(const loader *l, const char *name) {
    for (int k = 0; k < l->count; k++)
        if (!strcmp(l->tensor[k].name, name)) return k;
    return -1;
}

static bool read_tensor(loader *l, const char *name) {
    char key[16];
    spor_shape shape = {.rank = -1};
    found_tensor t = {.begin = -1};
    int64_t offsets[2];
    bool dtype = false;
    if (!json_enter(&l->json, '{')) return false;
    while (json_next(&l->json, '}')) {
        if (!json_get_key(&l->json, key, sizeof key)) return false;
        if (strcmp(key, "dtype") == 0 && !dtype) {
            if (!read_dtype(l, name, &t)) return false;
            dtype = true;
        } else if (strcmp(key, "shape") == 0 && shape.rank < 0) {
            if ((shape.rank = read_integers(l, shape.n, SPOR_RANK)) < 0) return false;
        } else if (strcmp(key, "data_offsets") == 0 && t.begin < 0) {
            if (read_integers(l, offsets, 2) < 2)
                return json_fail(&l->json, "expected two offsets");
            t.begin = offsets[0];
            t.end = offsets[1];
        } else {
            return message_complain(l->message,
                                    "%s: tensor %s has \"%s\" where dtype, shape and "
                                    "data_offsets are expected once each",
                                    l->path, name, key);
        }
    }
    if (l->json.why) return false;
    if (!dtype || shape.rank < 0 || t.begin < 0)
        return message_complain(l->message, "%s: tensor %s lacks dtype, shape or data_offsets",
                                l->path, name);
    if (l->on_tensor) return tell_tensor(l, name, &shape, &t);
    int k = l->found ? find_tensor(l, name) : 0;
    if (k < 0 && l->how & SAFETENSORS_SOME) return true;
    if (k < 0)
        return message_complain(l->message, "%s: tensor %s is not a parameter of the model",
                                l->path, name);
    return !l->found || check_tensor(l, k, &shape, &t);
}

/* {"format": "pt", ...} */
static bool read_notes(loader *l) {
    char name[NAME_SIZE];
    if (!json_enter(&l->json, '{')) return false;
    while (json_next(&l->json, '}'))
        if (!json_get_key(&l->json, name, sizeof name) ||
            !json_get_string(&l->json, l->text, l->room) ||
            (l->on_note && !l->on_note(name, l->text, l->user)))
            return false;
    return !l->json.why;
}

static bool read_header(loader *l) {
    char name[NAME_SIZE];
    bool done = json_enter(&l->json, '{');
    while (done && json_next(&l->json, '}'))
        done = json_get_key(&l->json, name, sizeof name) &&
               (strcmp(name, "__metadata__") == 0 ? read_notes(l) : read_tensor(l, name));
    return done && json_finish(&l->json);
}

/* ---- loading: the data ---- */

static int by_begin(const void *a, const void *b) {
    int64_t x = ((const found_tensor *)a)->begin, y = ((const found_tensor *)b)->begin;
    return (x > y) - (x < y);
}

/* Every tensor was found, and together they fill the data without gap or overlap. */
static bool check_missing(loader *l) {
    for (int k = 0; k < l->count; k++)
        if (l->found[k].begin < 0)
            return message_complain(l->message, "%s: has no tensor %s", l->path, l->tensor[k].name);
    return true;
}

static bool check_cover(loader *l) {
    if (l->how & SAFETENSORS_SOME) return true;
    found_tensor *sorted = malloc((size_t)(l->count ? l->count : 1) * sizeof *sorted);
    if (!sorted) return message_complain(l->message, "%s: out of memory", l->path);
    if (l->count) memcpy(sorted, l->found, (size_t)l->count * sizeof *sorted);
    qsort(sorted, (size_t)l->count, sizeof *sorted, by_begin);
    int64_t end = 0;
    bool done = true;
    for (int k = 0; done && k < l->count; k++) {
        if (sorted[k].begin != end)
            done = message_complain(l->message, "%s: there is %s at byte %" PRId64 " of the data",
                                    l->path, sorted[k].begin > end ? "a gap" : "an overlap", end);
        end = sorted[k].end;
    }
    free(sorted);
    return done && (end == l->size ||
                    message_complain(l->message, "%s: %" PRId64 " bytes follow the last tensor",
                                     l->path, l->size - end));
}

/* Doubles that a float tensor cannot hold. */
static bool check_range(loader *l) {
    for (int k = 0; k < l->count; k++) {
        const safetensor *e = &l->tensor[k];
        const found_tensor *t = &l->found[k];
        if (e->type.width != 4 || t->type.width != 8) continue;
        for (int64_t i = 0; i < shape_size(&e->shape); i++) {
            double value = get_number(l->data + t->begin + 8 * i, 8);
            if (isfinite(value) && !isfinite((float)value))
                return message_complain(l->message,
                                        "%s: element %" PRId64 " of tensor %s, %g, is too "
                                        "large for float",
                                        l->path, i, e->name, value);
        }
    }
    return true;
}

/* Bit by bit where the type is the same, whatever they mean. */
static void copy_numbers(const loader *l) {
    for (int k = 0; k < l->count; k++) {
        const safetensor *e = &l->tensor[k];
        const found_tensor *t = &l->found[k];
        int width = t->type.width;
        for (int64_t i = 0; i < shape_size(&e->shape); i++) {
            const unsigned char *from = l->data + t->begin + width * i;
            if (e->type.width == width)
                copy_bits(e->value, i, from, width);
            else if (e->type.width == 4)
                ((float *)e->value)[i] = (float)get_number(from, width);
            else
                ((double *)e->value)[i] = get_number(from, width);
        }
    }
}

/* ---- loading: the file ---- */

static bool open_file(loader *l, const safetensors_file *file) {
    uint64_t length = file->size >= 8 ? get(file->bytes, 8) : UINT64_MAX;
    if (length > HEADER_LIMIT || length > file->size - 8)
        return message_complain(l->message,
                                "%s: not a safetensors file, or a truncated one: its "
                                "header does not fit into %zu bytes",
                                l->path, file->size);
    const char *text = (const char *)file->bytes + 8;
    l->json = (spor_json_reader){.start = text, .at = text, .end = text + length};
    l->data = file->bytes + 8 + length;
    l->size = (int64_t)(file->size - 8 - length);
    l->room = (size_t)length + 1;
    l->text = malloc(l->room);
    if (!l->text) return message_complain(l->message, "%s: out of memory", l->path);
    bool done = read_header(l);
    if (!done && l->json.why)
        message_complain(l->message, "%s: header, byte %zu: %s", l->path,
                         (size_t)(l->json.at - text) + 8, l->json.why);
    free(l->text);
    return done;
}

bool safetensors_notes(const safetensors_file *file, safetensors_on_note *on_note, void *user,
                       spor_message *message) {
    loader l = {.path = file->path, .message = message, .on_note = on_note, .user = user};
    return open_file(&l, file);
}

bool safetensors_each(const safetensors_file *file, safetensors_on_tensor *on_tensor, void *user,
                      spor_message *message) {
    loader l = {.path = file->path, .message = message, .on_tensor = on_tensor, .user = user};
    return open_file(&l, file);
}

bool safetensors_read(const safetensors_file *file, const safetensor tensor[], int count, int how,
                      spor_message *message) {
    loader l = {.path = file->path,
                .message = message,
                .tensor = tensor,
                .count = count,
                .how = how,
                .found = malloc((size_t)(count ? count : 1) * sizeof *l.found)};
    if (!l.found) return message_complain(message, "%s: out of memory", file->path);
    for (int k = 0; k < count; k++) l.found[k].begin = -1;
    bool done = open_file(&l, file) && check_missing(&l) && check_cover(&l) && check_range(&l);
    if (done) copy_numbers(&l);
    free(l.found);
    return done;
}

/* ---- weights: what a network predicts by ---- */

/* Parameters and states of the network, not its optimizer's; NULL if memory runs out. */
static safetensor *weights_of(spor_params *params, int *count) {
    int entries = spor_params_count(params);
    safetensor *tensor = calloc((size_t)entries + 1, sizeof *tensor);
    *count = 0;
    bool there = tensor != NULL;
    for (int k = 0; there && k < entries; k++) {
        spor_entry e = spor_params_entry(params, k);
        there = e.name != NULL;
        if (there && e.kind != SPOR_OPTIMIZER_STATE)
            tensor[(*count)++] = (safetensor){e.name, e.shape, raw_of(e.scalar), e.value};
    }
    if (there) return tensor;
    free(tensor);
    return NULL;
}

bool safetensors_save_weights(spor_params *params, const safetensors_note note[], int notes,
                              const char *path, spor_message *message) {
    spor_text text = {0};
    int count;
    if (!message_given(message, params, "what is to be saved") ||
        !message_given(message, path, "the path of weights"))
        return false;
    safetensor *tensor = weights_of(params, &count);
    text.failed = !tensor;
    if (tensor) safetensors_write(&text, note, notes, tensor, count);
    free(tensor);
    return file_write_text(&text, path, message);
}

bool spor_weights_save(spor_params *params, const char *path, spor_message *message) {
    return safetensors_save_weights(params, NULL, 0, path, message);
}

bool spor_weights_load(spor_params *params, const char *path, spor_message *message) {
    unsigned char *bytes;
    size_t size;
    int count;
    if (!message_given(message, params, "what weights are loaded into") ||
        !message_given(message, path, "the path of weights"))
        return false;
    if (!file_bytes(path, SPOR_FILE_LIMIT, &bytes, &size, message)) return false;
    safetensor *tensor = weights_of(params, &count);
    safetensors_file file = {path, bytes, size};
    bool done = tensor ? safetensors_read(&file, tensor, count, 0, message)
                       : message_complain(message, "%s: out of memory", path);
    if (done) spor_params_touch(params);
    free(tensor);
    free(bytes);
    return done;
}
