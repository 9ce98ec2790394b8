/*
 * Tensors of an ONNX file: their sizes, and where their numbers are, in it or in another beside it.
 */
#include <string.h>

#include "import/reading.h"

enum {
    TENSOR_SIZES = 1,
    TENSOR_TYPE,
    TENSOR_SEGMENT,
    TENSOR_FLOATS,
    TENSOR_INT32S,
    TENSOR_INT64S = 7,
    TENSOR_NAME,
    TENSOR_RAW,
    TENSOR_DOUBLES,
    TENSOR_UINT64S,
    TENSOR_OUTSIDE = 13,
    TENSOR_WHERE = 14
};
static const int64_t count_most = INT64_C(1) << 31;

static void add_sizes(const onnx_reader *r, const proto_field *field, onnx_numbers *t) {
    if (t->rank + reading_count_list(r, field, 0, "tensor") > SPOR_RANK)
        reading_give_up(r, "tensor '%.200s' has more than %d axes", t->name, SPOR_RANK);
    t->rank = (int)(reading_add_integers(r, field, t->size + t->rank) - t->size);
}

static void count_elements(const onnx_reader *r, onnx_numbers *t) {
    t->count = 1;
    for (int k = 0; k < t->rank; k++)
        if (t->size[k] < 0) reading_give_up(r, "tensor '%.200s' has a negative size", t->name);
    for (int k = 0; k < t->rank; k++) {
        if (t->size[k] && t->count > count_most / t->size[k])
            reading_give_up(r, "tensor '%.200s' has more than 2^31 elements", t->name);
        t->count *= t->size[k];
    }
}

/* Where numbers are that are in another file. */
typedef struct {
    const char *file, *offset, *length;
} outside;

static void read_outside(const onnx_reader *r, proto_range message, outside *o) {
    const char *key = "", *value = "";
    for (proto_field f; reading_next(r, &message, &f, "tensor");) {
        if (f.number == NOTE_KEY) key = reading_name(r, &f, "tensor");
        if (f.number == NOTE_VALUE) value = reading_text(r, &f, "tensor");
    }
    if (!strcmp(key, "location")) o->file = value;
    if (!strcmp(key, "offset")) o->offset = value;
    if (!strcmp(key, "length")) o->length = value;
}

/* A relative path that leads to no folder above. */
static bool is_beside(const char *name) {
    if (!*name || *name == '/' || strchr(name, '\\')) return false;
    for (const char *at = name; *at; at += strcspn(at, "/"), at += *at == '/')
        if (strcspn(at, "/") == 2 && !strncmp(at, "..", 2)) return false;
    return true;
}

/* A whole number that is not negative and below 2^62. */
static bool take_whole(const char *text, uint64_t *value) {
    *value = 0;
    if (!*text || strlen(text) > 18) return false;
    for (; *text >= '0' && *text <= '9'; text++) *value = *value * 10 + (uint64_t)(*text - '0');
    return !*text;
}

/* The bytes become the tensor's own. */
static void find_outside(const onnx_reader *r, onnx_numbers *t, const outside *o) {
    spor_message message = {""};
    proto_range all;
    uint64_t offset = 0, length;
    if (!is_beside(o->file))
        reading_give_up(
            r,
            "the numbers of tensor '%.200s' are in '%.200s', which is not beside the file: in "
            "Python, "
            "onnx.save(onnx.load(file), \"one.onnx\", save_as_external_data=False) puts all "
            "into one",
            t->name, o->file);
    if (!r->beside(o->file, &all, r->user, &message))
        reading_give_up(r, "the numbers of tensor '%.200s' are in another file: %s", t->name,
                        message.text);
    length = proto_size(all);
    if ((*o->offset && !take_whole(o->offset, &offset)) || offset > length)
        reading_give_up(r, "tensor '%.200s' begins behind the end of '%.200s'", t->name, o->file);
    length -= offset;
    if (*o->length && (!take_whole(o->length, &length) || length > proto_size(all) - offset))
        reading_give_up(r, "tensor '%.200s' ends behind the end of '%.200s'", t->name, o->file);
    t->raw = (proto_range){all.at + offset, all.at + offset + length};
    t->has_raw = true;
}

void reading_tensor(const onnx_reader *r, proto_range message, onnx_numbers *t) {
    proto_range rest = message;
    bool is_outside = false;
    outside o = {"", "", ""};
    *t = (onnx_numbers){.name = "", .body = message};
    for (proto_field field; reading_next(r, &rest, &field, "tensor");) switch (field.number) {
        case TENSOR_SIZES:
            add_sizes(r, &field, t);
            break;
        case TENSOR_TYPE:
            t->type = (int)reading_integer(r, &field, "tensor");
            break;
        case TENSOR_NAME:
            t->name = reading_name(r, &field, "tensor");
            break;
        case TENSOR_RAW:
            t->raw = reading_bytes(r, &field, "tensor");
            t->has_raw = true;
            break;
        case TENSOR_SEGMENT:
            reading_give_up(r, "a tensor is cut into segments, which nobody writes");
        case TENSOR_OUTSIDE:
            read_outside(r, reading_bytes(r, &field, "tensor"), &o);
            break;
        case TENSOR_WHERE:
            is_outside = reading_integer(r, &field, "tensor") != 0;
            break;
        default:
            break;
        }
    count_elements(r, t);
    if (is_outside) find_outside(r, t, &o);
}
