/*
 * .npy: 6 bytes "\x93NUMPY", the format's version (2 bytes), the length of the header (2 bytes in
 * format 1, 4 in format 2), the header, then the numbers.
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

enum { HEADER_LIMIT = 1 << 16, PREAMBLE = 10, ALIGNMENT = 64 };
static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
static const int64_t size_limit = INT64_C(1) << 31;

static const struct {
    const char *descr;
    size_t width;
} kinds[] = {[SPOR_NPY_F4] = {"<f4", 4},
             [SPOR_NPY_F8] = {"<f8", 8},
             [SPOR_NPY_I4] = {"<i4", 4},
             [SPOR_NPY_I8] = {"<i8", 8},
             [SPOR_NPY_U1] = {"|u1", 1}};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

/* ---- one number as little-endian bytes ---- */

static uint64_t get(const unsigned char *from, size_t width) {
    uint64_t bits = 0;
    for (size_t k = 0; k < width; k++) bits |= (uint64_t)from[k] << 8 * k;
    return bits;
}

static double get_number(const unsigned char *from, spor_npy_kind kind) {
    uint64_t bits = get(from, kinds[kind].width);
    uint32_t narrow = (uint32_t)bits;
    float single;
    double wide;
    switch (kind) {
    case SPOR_NPY_F4:
        memcpy(&single, &narrow, sizeof single);
        return (double)single;
    case SPOR_NPY_F8:
        memcpy(&wide, &bits, sizeof wide);
        return wide;
    case SPOR_NPY_I4:
        return (double)(narrow < UINT32_C(1) << 31 ? (int64_t)narrow
                                                   : (int64_t)narrow - (INT64_C(1) << 32));
    case SPOR_NPY_I8:
        return bits >> 63 ? -(double)(~bits + 1) : (double)bits;
    case SPOR_NPY_U1:
        break;
    }
    return (double)bits;
}

/* False if the kind does not hold the value. */
static bool put_number(unsigned char *to, spor_npy_kind kind, double value) {
    bool whole = value >= -0x1p53 && value <= 0x1p53 && !(fabs(value - floor(value)) > 0);
    uint64_t bits;
    float single = (float)value;
    uint32_t narrow;
    if (kind == SPOR_NPY_F8) {
        memcpy(&bits, &value, sizeof bits);
    } else if (kind == SPOR_NPY_F4) {
        if (isfinite(value) && !isfinite(single)) return false;
        memcpy(&narrow, &single, sizeof narrow);
        bits = narrow;
    } else {
        if (!whole || (kind == SPOR_NPY_U1 && (value < 0 || value > 255)) ||
            (kind == SPOR_NPY_I4 && (value < -0x1p31 || value >= 0x1p31)))
            return false;
        bits = (uint64_t)(int64_t)value;
    }
    for (size_t k = 0; k < kinds[kind].width; k++) to[k] = (unsigned char)(bits >> 8 * k & 255);
    return true;
}

/* ---- the header: a dictionary of Python ---- */

typedef struct {
    const char *name, *at, *end;
    spor_npy *array;
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

static bool read_descr(header *h) {
    char descr[32];
    skip_blanks(h);
    if (h->at < h->end && *h->at == '[')
        return message_complain(h->message,
                                "%s: holds records with fields, not one array of numbers; save one "
                                "field: numpy.save(file, a['field'])",
                                h->name);
    if (!read_quoted(h, descr)) return false;
    for (int k = 0; k < KINDS; k++) {
        if (strcmp(descr, kinds[k].descr)) continue;
        h->array->kind = (spor_npy_kind)k;
        return true;
    }
    return message_complain(h->message,
                            "%s: has numbers of type %s; <f4, <f8, <i4, <i8 and |u1 can be read: "
                            "numpy.save(file, a.astype('<f8'))",
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
    if (accept_word(h, "False")) return true;
    if (!accept_word(h, "True")) return malformed(h, "fortran_order is neither True nor False");
    return message_complain(h->message,
                            "%s: is in Fortran order, columns first; rows first can be read: "
                            "numpy.save(file, numpy.ascontiguousarray(a))",
                            h->name);
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
        if (size < 1) return message_complain(h->message, "%s: has an axis of size 0", h->name);
        if (size > size_limit / total)
            return message_complain(h->message, "%s: says that it has more than 2^31 numbers",
                                    h->name);
        shape->n[shape->rank++] = size;
        total *= size;
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
    if (size < PREAMBLE + 2 || memcmp(bytes, magic, sizeof magic))
        return message_complain(message, "%s: is not a .npy file", name);
    if (bytes[6] != 1 && bytes[6] != 2)
        return message_complain(message, "%s: is of .npy format %d; 1 and 2 can be read", name,
                                bytes[6]);
    size_t width = bytes[6] == 1 ? 2 : 4;
    *begin = 8 + width;
    *length = (size_t)get(bytes + 8, width);
    if (*length > HEADER_LIMIT || *length > size - *begin)
        return message_complain(message, "%s: is cut off: its header should have %zu bytes", name,
                                *length);
    return true;
}

bool npy_parse(const char *name, const unsigned char *bytes, size_t size, spor_npy *array,
               spor_message *message) {
    size_t begin = 0, length = 0;
    *array = (spor_npy){0};
    if (!find_header(name, bytes, size, &begin, &length, message)) return false;
    const char *text = (const char *)bytes + begin;
    header h = {.name = name, .at = text, .end = text + length, .array = array, .message = message};
    if (!read_header(&h)) return false;
    size_t width = kinds[array->kind].width;
    int64_t count = shape_size(&array->shape);
    size_t has = size - begin - length, wants = bytes_for(count, width);
    if (has != wants)
        return message_complain(
            message, "%s: has %zu bytes of numbers where its shape asks for %zu", name, has, wants);
    array->value = malloc(bytes_for(count, sizeof *array->value));
    if (!array->value) return message_complain(message, "%s: out of memory", name);
    const unsigned char *number = bytes + begin + length;
    for (int64_t k = 0; k < count; k++, number += width) {
        array->value[k] = get_number(number, array->kind);
        if (array->kind != SPOR_NPY_I8 || fabs(array->value[k]) <= 0x1p53) continue;
        npy_free(array);
        return message_complain(
            message, "%s: number %" PRId64 " is an integer too large for a double", name, k);
    }
    return true;
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

void npy_free(spor_npy *array) {
    free(array->value);
    *array = (spor_npy){0};
}

/* ---- writing ---- */

static void write_header(spor_text *text, const spor_npy *array) {
    char dictionary[256];
    int used = snprintf(dictionary, sizeof dictionary,
                        "{'descr': '%s', 'fortran_order': False, "
                        "'shape': (",
                        kinds[array->kind].descr);
    for (int k = 0; k < array->shape.rank; k++)
        used += snprintf(dictionary + used, sizeof dictionary - (size_t)used, "%s%" PRId64,
                         k ? ", " : "", array->shape.n[k]);
    used += snprintf(dictionary + used, sizeof dictionary - (size_t)used, "%s), }",
                     array->shape.rank == 1 ? "," : "");
    int length = (PREAMBLE + used + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT - PREAMBLE;
    unsigned char preamble[PREAMBLE] = {0};
    memcpy(preamble, magic, sizeof magic);
    preamble[6] = 1;
    preamble[8] = (unsigned char)(length & 255);
    preamble[9] = (unsigned char)(length >> 8);
    text_bytes(text, preamble, sizeof preamble);
    text_add(text, "%-*s\n", length - 1, dictionary);
}

bool npy_write(const char *path, const spor_npy *array, spor_message *message) {
    spor_text text = {0};
    write_header(&text, array);
    int64_t count = shape_size(&array->shape);
    for (int64_t k = 0; k < count; k++) {
        unsigned char bytes[8];
        if (!put_number(bytes, array->kind, array->value[k])) {
            text_free(&text);
            return message_complain(message, "%s: %s does not hold %g", path,
                                    kinds[array->kind].descr, array->value[k]);
        }
        text_bytes(&text, bytes, kinds[array->kind].width);
    }
    return file_write_text(&text, path, message);
}
