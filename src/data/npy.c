/*
 * .npy: 6 bytes "\x93NUMPY", the format's version (2 bytes), the length of the header (2 bytes in
 * format 1, 4 in formats 2 and 3), the header, then the numbers.
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 *
 * The header is a dictionary of Python, padded with blanks and a newline so that the numbers begin
 * at a multiple of 64 bytes.
 */
#include "data/npy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "data/values.h"

enum { HEADER_LIMIT = 1 << 16, PREAMBLE = 10 };
static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
static const int64_t size_limit = INT64_C(1) << 31;

/* As NumPy names them, behind the order of their bytes. It has no bfloat16: libraries that add one save it
 * as two bytes of no type, V2, and nothing else has that many. */
static const struct {
    const char *name;
    raw_type type;
} types[] = {{"f2", {RAW_REAL, 2, false}},     {"f4", {RAW_REAL, 4, false}},
             {"f8", {RAW_REAL, 8, false}},     {"i1", {RAW_SIGNED, 1, false}},
             {"i2", {RAW_SIGNED, 2, false}},   {"i4", {RAW_SIGNED, 4, false}},
             {"i8", {RAW_SIGNED, 8, false}},   {"u1", {RAW_UNSIGNED, 1, false}},
             {"u2", {RAW_UNSIGNED, 2, false}}, {"u4", {RAW_UNSIGNED, 4, false}},
             {"u8", {RAW_UNSIGNED, 8, false}}, {"b1", {RAW_UNSIGNED, 1, false}},
             {"V2", {RAW_BRAIN, 2, false}}};
enum { TYPES = sizeof types / sizeof types[0] };

/* ---- the header: a dictionary of Python ---- */

typedef struct {
    const char *name, *at, *end;
    spor_npy *array;
    bool columns_first; /* the first axis runs fastest */
    spor_message *message;
    bool seen[3]; /* descr, fortran_order, shape */
} header;

static bool malformed(const header *h, const char *what) {
    return message_complain(h->message, "%s: the header of this .npy file is damaged: %s", h->name,
                            what);
}

static void skip_blanks(header *h) {
    while (h->at < h->end && strchr(" \t\n", *h->at) && *h->at) h->at++;
}

/* True, and it is skipped, if the character comes next. */
static bool accept(header *h, char c) {
    skip_blanks(h);
    if (h->at == h->end || *h->at != c) return false;
    h->at++;
    return true;
}

static bool read_quoted(header *h, char out[32]) {
    char quote;
    if (accept(h, '\''))
        quote = '\'';
    else if (accept(h, '"'))
        quote = '"';
    else
        return malformed(h, "a string is expected");
    size_t used = 0;
    while (h->at < h->end && *h->at != quote && used < 31) out[used++] = *h->at++;
    out[used] = 0;
    return accept(h, quote) || malformed(h, "a string is too long or does not end");
}

/* "<f4": the order of the bytes, one byte has none, and the type. */
static bool find_type(const char *descr, raw_type *type) {
    for (int k = 0; k < TYPES; k++) {
        if (!*descr || strcmp(descr + 1, types[k].name) != 0) continue;
        *type = types[k].type;
        type->big = *descr == '>';
        return *descr == '<' || *descr == '>' ||
               (*descr == '|' && (type->width == 1 || type->kind == RAW_BRAIN));
    }
    return false;
}

static bool read_descr(header *h) {
    char descr[32];
    skip_blanks(h);
    if (h->at < h->end && *h->at == '[')
        return message_complain(h->message,
                                "%s: holds records with fields, not one array of numbers; save one "
                                "field: numpy.save(file, a['field'])",
                                h->name);
    if (!read_quoted(h, descr)) return false;
    return find_type(descr, &h->array->type) ||
           message_complain(h->message,
                            "%s: has numbers of type %s; f2, f4, f8, whole numbers and booleans "
                            "can be read: numpy.save(file, a.astype('f8'))",
                            h->name, descr);
}

static bool accept_word(header *h, const char *word) {
    size_t length = strlen(word);
    skip_blanks(h);
    if ((size_t)(h->end - h->at) < length || strncmp(h->at, word, length)) return false;
    h->at += length;
    return true;
}

static bool read_order(header *h) {
    h->columns_first = accept_word(h, "True");
    return h->columns_first || accept_word(h, "False") ||
           malformed(h, "fortran_order is neither True nor False");
}

static bool read_size(header *h, int64_t *size) {
    int digits = 0;
    skip_blanks(h);
    for (*size = 0; h->at < h->end && *h->at >= '0' && *h->at <= '9' && digits < 12; digits++)
        *size = 10 * *size + (*h->at++ - '0');
    return digits > 0 || malformed(h, "a size is expected in shape");
}

static bool read_shape(header *h) {
    spor_shape *shape = &h->array->shape;
    *shape = (spor_shape){0};
    if (!accept(h, '(')) return malformed(h, "shape is expected in parentheses");
    for (int64_t size, total = 1; !accept(h, ')');) {
        if (!read_size(h, &size)) return false;
        if (shape->rank == SPOR_RANK)
            return message_complain(h->message, "%s: has more than %d axes", h->name, SPOR_RANK);
        if (size > size_limit / total)
            return message_complain(h->message, "%s: says that it has more than 2^31 numbers",
                                    h->name);
        shape->n[shape->rank++] = size;
        total *= size ? size : 1; /* none of them too long, whatever others are 0 */
        if (accept(h, ',')) continue;
        if (!accept(h, ')')) return malformed(h, "shape does not end");
        break;
    }
    return true;
}

static bool read_member(header *h) {
    static const char *const keys[] = {"descr", "fortran_order", "shape"};
    static bool (*const readers[])(header *) = {read_descr, read_order, read_shape};
    char key[32];
    if (!read_quoted(h, key)) return false;
    if (!accept(h, ':')) return malformed(h, "a colon is missing");
    for (int k = 0; k < 3; k++) {
        if (strcmp(key, keys[k])) continue;
        if (h->seen[k]) return malformed(h, "a key occurs twice");
        h->seen[k] = true;
        return readers[k](h);
    }
    return malformed(h, "a key is none of descr, fortran_order and shape");
}

static bool read_header(header *h) {
    if (!accept(h, '{')) return malformed(h, "it does not begin with {");
    while (!accept(h, '}')) {
        if (!read_member(h)) return false;
        if (accept(h, ',')) continue;
        if (!accept(h, '}')) return malformed(h, "a comma or } is missing");
        break;
    }
    skip_blanks(h);
    if (h->at < h->end) return malformed(h, "something follows the }");
    return (h->seen[0] && h->seen[1] && h->seen[2]) ||
           malformed(h, "descr, fortran_order or shape is missing");
}

/* ---- reading ---- */

/* Where the header lies; false if this is no .npy file of a known format. */
static bool find_header(const char *name, const unsigned char *bytes, size_t size, size_t *begin,
                        size_t *length, spor_message *message) {
    if (size > 4 && !memcmp(bytes, "PK\3\4", 4))
        return message_complain(
            message,
            "%s: is a .npz file, of several arrays; save the one that is wanted: "
            "numpy.save(file, z['name']); as data of a script npz(...) reads it",
            name);
    if (size < PREAMBLE + 2 || memcmp(bytes, magic, sizeof magic) != 0)
        return message_complain(message, "%s: is not a .npy file", name);
    if (bytes[6] < 1 || bytes[6] > 3)
        return message_complain(message, "%s: is of .npy format %d; 1 to 3 can be read", name,
                                bytes[6]);
    size_t width = bytes[6] == 1 ? 2 : 4;
    *begin = 8 + width;
    *length = 0;
    for (size_t k = 0; k < width; k++) *length |= (size_t)bytes[8 + k] << 8 * k;
    if (*length > HEADER_LIMIT || *length > size - *begin)
        return message_complain(message, "%s: is cut off: its header should have %zu bytes", name,
                                *length);
    return true;
}

static bool out_of_memory(const char *name, spor_message *message) {
    return message_complain(message, "%s: out of memory", name);
}

static bool read_numbers(const header *h, const unsigned char *number, size_t has) {
    spor_npy *a = h->array;
    int64_t count = shape_size(&a->shape);
    size_t wants = bytes_for(count, (size_t)a->type.width);
    if (has != wants)
        return message_complain(h->message,
                                "%s: has %zu bytes of numbers where its shape asks for %zu",
                                h->name, has, wants);
    a->keep = raw_keep(a->type);
    a->value = malloc(bytes_for(count + 1, values_types[a->keep].width));
    if (!a->value) return out_of_memory(h->name, h->message);
    int64_t large = raw_read(a->type, number, count, a->value);
    if (large >= 0)
        return message_complain(h->message,
                                "%s: number %" PRId64 " is an integer that no double holds",
                                h->name, large);
    if (h->columns_first) a->value = values_turn(a->value, &a->shape, a->keep);
    return a->value || out_of_memory(h->name, h->message);
}

bool npy_parse(const char *name, const unsigned char *bytes, size_t size, spor_npy *array,
               spor_message *message) {
    size_t begin = 0, length = 0;
    *array = (spor_npy){0};
    if (!find_header(name, bytes, size, &begin, &length, message)) return false;
    const char *text = (const char *)bytes + begin;
    header h = {.name = name, .at = text, .end = text + length, .array = array, .message = message};
    if (read_header(&h) && read_numbers(&h, bytes + begin + length, size - begin - length))
        return true;
    npy_free(array);
    return false;
}

bool npy_recognize(const unsigned char *bytes, size_t size) {
    return size >= sizeof magic && !memcmp(bytes, magic, sizeof magic);
}

bool npy_read(const char *path, spor_npy *array, spor_message *message) {
    unsigned char *bytes;
    size_t size;
    *array = (spor_npy){0};
    if (!file_bytes(path, SPOR_FILE_LIMIT, &bytes, &size, message)) return false;
    bool done = npy_parse(path, bytes, size, array, message);
    free(bytes);
    return done;
}

bool npy_widen(const char *name, spor_npy *array, spor_message *message) {
    int64_t count = shape_size(&array->shape);
    double *wide = malloc(bytes_for(count + 1, sizeof *wide));
    for (int64_t k = 0; wide && k < count; k++)
        wide[k] = values_types[array->keep].value(array->value, k);
    free(array->value);
    array->value = wide;
    array->keep = SPOR_KEEP_F64;
    return wide || out_of_memory(name, message);
}

bool npy_read_doubles(const char *path, spor_npy *array, spor_message *message) {
    return npy_read(path, array, message) && npy_widen(path, array, message);
}

/* The shape as a tuple of Python: (), (3,), (3, 4). */
static void write_shape(spor_text *text, const spor_shape *shape) {
    for (int k = 0; k < shape->rank; k++) text_add(text, "%s%" PRId64, k ? ", " : "", shape->n[k]);
    if (shape->rank == 1) text_add(text, ",");
}

/* Format 1: the numbers begin at a multiple of 64 bytes, in the machine's own order, which is told. */
void npy_add(spor_text *text, const spor_shape *shape, raw_type type, const void *value) {
    enum { ALIGNED = 64 };
    const uint16_t one = 1;
    spor_text head = {0};
    text_add(&head, "{'descr': '%c%c%d', 'fortran_order': False, 'shape': (",
             *(const char *)&one ? '<' : '>', raw_is_whole(type) ? 'i' : 'f', type.width);
    write_shape(&head, shape);
    text_add(&head, "), }");
    while (!head.failed && (PREAMBLE + head.size + 1) % ALIGNED) text_add(&head, " ");
    text_add(&head, "\n");
    const char preamble[4] = {1, 0, (char)(head.size & 255), (char)(head.size >> 8)};
    text_bytes(text, magic, sizeof magic);
    text_bytes(text, preamble, sizeof preamble);
    text_bytes(text, head.at, head.failed ? 0 : head.size);
    text_bytes(text, value, (size_t)shape_size(shape) * (size_t)type.width);
    text->failed = text->failed || head.failed;
    text_free(&head);
}

bool npy_write(const char *path, const spor_shape *shape, spor_scalar scalar, const void *value,
               spor_message *message) {
    spor_text text = {0};
    npy_add(&text, shape, raw_of(scalar), value);
    return file_write_text(&text, path, message);
}

void npy_free(spor_npy *array) {
    free(array->value);
    *array = (spor_npy){0};
}
