/*
 * A version 5 file: a header of 128 bytes, then elements. An element is its type and its length, four
 * bytes each, and its bytes; one of at most four bytes has its length above its type. A variable is
 * a matrix, an element of elements: flags, sizes, name and numbers, each padded to eight bytes. In a
 * compressed element it is a zlib stream ("MAT-File Format", The MathWorks, chapter 1).
 */
#include "data/mat.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/gzip.h"
#include "data/raw.h"
#include "data/values.h"

enum { HEADER = 128, TAG = 8, MATRIX = 14, COMPRESSED = 15, NAME = 63, HEAD = 256 };

/* ---- elements ---- */

/* Bytes that are there, or those of them that were inflated so far, and how far they were read. */
typedef struct {
    const unsigned char *b;
    size_t size, at;
} reader;

typedef struct {
    uint32_t type;
    size_t at, size; /* of its bytes */
} element;

static uint32_t little32(const unsigned char *b) {
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* The next element's tag; its bytes need not be there. The reader is then behind it and its padding. */
static bool next(reader *r, bool padded, element *e) {
    if (r->size - r->at < TAG) return false;
    uint32_t type = little32(r->b + r->at), size = little32(r->b + r->at + 4);
    bool small = type >> 16;
    *e = (element){small ? type & 0xffff : type, r->at + (small ? 4 : TAG),
                   small ? type >> 16 : size};
    if (small && e->size > 4) return false;
    size_t end = small ? r->at + TAG : bytes_sum(e->at, e->size);
    r->at = padded ? (end + 7) / 8 * 8 : end;
    if (r->at > r->size) r->at = r->size;
    return true;
}

/* The next element of a type, whose bytes are there. */
static bool next_of(reader *r, uint32_t type, element *e) {
    return next(r, true, e) && e->type == type && e->size <= r->size - e->at;
}

/* ---- what a matrix says of itself ---- */

typedef struct {
    char name[NAME + 1];
    unsigned kind; /* MATLAB's class: 6 .. 15 are numbers */
    bool complex;
    spor_shape shape;
    element numbers;
    raw_type type;
} matrix;

static bool find_type(uint32_t code, raw_type *type) {
    static const struct {
        uint32_t code;
        raw_type type;
    } types[] = {{1, {RAW_SIGNED, 1, false}},  {2, {RAW_UNSIGNED, 1, false}},
                 {3, {RAW_SIGNED, 2, false}},  {4, {RAW_UNSIGNED, 2, false}},
                 {5, {RAW_SIGNED, 4, false}},  {6, {RAW_UNSIGNED, 4, false}},
                 {7, {RAW_REAL, 4, false}},    {9, {RAW_REAL, 8, false}},
                 {12, {RAW_SIGNED, 8, false}}, {13, {RAW_UNSIGNED, 8, false}}};
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (types[k].code == code) return *type = types[k].type, true;
    return false;
}

/* Flags and name; names that are longer than any wanted are cut. */
static bool parse_name(reader *r, matrix *m, element *sizes) {
    enum { INT8 = 1, INT32 = 5, UINT32 = 6, FLAG_COMPLEX = 8 };
    element flags, name;
    if (!next_of(r, UINT32, &flags) || flags.size < 8 || !next_of(r, INT32, sizes) ||
        !next_of(r, INT8, &name))
        return false;
    m->kind = r->b[flags.at];
    m->complex = r->b[flags.at + 1] & FLAG_COMPLEX;
    size_t length = name.size < NAME ? name.size : NAME;
    memcpy(m->name, r->b + name.at, length);
    m->name[length] = 0;
    return true;
}

/* Sizes, and whether the numbers fill them; size: bytes of the matrix. */
static bool parse_numbers(reader *r, const element *sizes, size_t size, matrix *m,
                          spor_message *message) {
    enum { FIRST_NUMBER = 6, LAST_NUMBER = 15 };
    int axes = (int)(sizes->size / 4);
    if (m->kind < FIRST_NUMBER || m->kind > LAST_NUMBER || m->complex)
        return message_complain(message, "%s is no full array of real numbers", m->name);
    if (axes > SPOR_RANK)
        return message_complain(message, "%s has %d axes; at most %d are read", m->name, axes,
                                SPOR_RANK);
    if (!next(r, true, &m->numbers) || !find_type(m->numbers.type, &m->type))
        return message_complain(message, "%s has no numbers of a known type", m->name);
    size_t bytes = (size_t)m->type.width;
    m->shape.rank = axes;
    for (int k = 0; k < axes; k++) {
        m->shape.n[k] = little32(r->b + sizes->at + 4 * (size_t)k);
        bytes = bytes_for(m->shape.n[k], bytes);
    }
    if (bytes == 0) return message_complain(message, "%s is empty", m->name);
    size_t end = bytes_sum(m->numbers.at, bytes); /* and at most 7 bytes of padding */
    if (bytes == m->numbers.size && end <= size && size - end < 8) return true;
    return message_complain(message, "the sizes of %s do not fit its %zu bytes of numbers", m->name,
                            m->numbers.size);
}

/* ---- finding a variable ---- */

/* An element of the file that is or holds a matrix, as far as it was inflated. */
typedef struct {
    element outer;
    bool packed;
    reader inside;            /* the matrix, from its tag on; `size` of it are there */
    unsigned char head[HEAD]; /* of a compressed one */
    element self;             /* the matrix's own tag */
} variable;

static void open_variable(const mat_file *f, const element *outer, variable *v) {
    *v = (variable){.outer = *outer, .packed = outer->type == COMPRESSED};
    const unsigned char *bytes = f->bytes + outer->at;
    if (v->packed) {
        v->inside.size = zlib_head(bytes, outer->size, v->head, sizeof v->head);
        v->inside.b = v->head;
    } else {
        v->inside.b = bytes - TAG;
        v->inside.size = outer->size + TAG;
    }
    bool known = next(&v->inside, true, &v->self) && v->self.type == MATRIX;
    v->inside.at = known ? TAG : v->inside.size; /* nothing else is read */
}

/* The first variable of that name, if any. */
static bool find(const mat_file *f, const char *name, variable *v, matrix *m, element *sizes,
                 spor_message *message) {
    reader r = {f->bytes, f->size, HEADER};
    element outer;
    while (r.at < r.size) {
        size_t start = r.at;
        if (!next(&r, false, &outer) || outer.size > f->size - outer.at)
            return message_complain(message,
                                    "%s: the file is truncated: an element at byte %zu "
                                    "does not end in it",
                                    f->path, start);
        if (outer.type != MATRIX && outer.type != COMPRESSED) continue;
        open_variable(f, &outer, v);
        if (parse_name(&v->inside, m, sizes) && !strcmp(m->name, name)) return true;
    }
    return message_complain(message, "%s: has no variable %s", f->path, name);
}

/* ---- its numbers ---- */

static bool fail(const mat_file *f, const spor_message *why, spor_message *message) {
    return message_complain(message, "%s: %.900s", f->path, why->text);
}

/* All of the matrix in memory of its own. */
static bool inflate(const mat_file *f, const variable *v, unsigned char **bytes,
                    spor_message *why) {
    size_t stated = v->self.size + TAG, size = v->outer.size;
    if (stated > SPOR_FILE_LIMIT || !gzip_could_hold(size, stated))
        return message_complain(why, "%zu bytes cannot hold the %zu that they state", size, stated);
    size_t got;
    if (!zlib_inflate(f->bytes + v->outer.at, size, stated, bytes, &got, why)) return false;
    if (got == stated) return true;
    free(*bytes);
    *bytes = NULL;
    return message_complain(why, "a variable has %zu bytes where it states %zu", got, stated);
}

static bool no_memory(spor_message *why) {
    return message_complain(why, "out of memory");
}

/* Bytes stay where they were inflated to, moved to the front. */
static bool keep(const matrix *m, unsigned char *bytes, bool own, spor_values *values,
                 spor_message *why) {
    *values = (spor_values){.keep = raw_keep(m->type), .shape = m->shape};
    unsigned char *from = bytes + m->numbers.at;
    if (own && values->keep == SPOR_KEEP_U8) {
        values->value = memmove(bytes, from, m->numbers.size);
        return true;
    }
    if (!values_allocate(values, 1)) return no_memory(why);
    int64_t lost = raw_read(m->type, from, shape_size(&m->shape), values->value);
    if (lost < 0) return true;
    values_free(values);
    return message_complain(why, "number %" PRId64 " of %s is too long for a double", lost,
                            m->name);
}

bool mat_read(const mat_file *file, const char *name, spor_values *values, spor_message *message) {
    variable v;
    matrix m = {0};
    element sizes;
    spor_message why = {""};
    unsigned char *own = NULL;
    *values = (spor_values){0};
    if (!find(file, name, &v, &m, &sizes, message)) return false;
    size_t size = v.self.size + TAG;
    bool done = parse_numbers(&v.inside, &sizes, size, &m, &why) &&
                (!v.packed || inflate(file, &v, &own, &why)) &&
                keep(&m, own ? own : file->bytes + v.outer.at - TAG, own != NULL, values, &why);
    if (values->value != own) free(own);
    return done || fail(file, &why, message);
}

bool mat_open(const char *path, mat_file *file, spor_message *message) {
    unsigned char head[HEADER];
    size_t got, length;
    *file = (mat_file){.path = path};
    if (!file_head(path, sizeof head, head, &got, &length, message)) return false;
    bool mat = got == HEADER && !memcmp(head, "MATLAB 5.0 MAT-file", 19);
    if (!mat)
        return message_complain(
            message, "%s: is no MATLAB file of version 5 (save it with -v6 or -v7)", path);
    if (memcmp(head + HEADER - 4, "\x00\x01IM", 4) != 0)
        return message_complain(message,
                                "%s: was written on a machine that has the highest byte first, or "
                                "by another version; save it again",
                                path);
    return file_bytes(path, SPOR_FILE_LIMIT, &file->bytes, &file->size, message);
}

void mat_close(mat_file *file) {
    free(file->bytes);
    *file = (mat_file){0};
}

/* ---- MATLAB's order ---- */

/* Where the elements of a row-major row are in one whose first axis runs fastest. */
static void turned(const spor_shape *shape, int64_t at[]) {
    int64_t size = shape_size(shape), index[SPOR_RANK];
    for (int64_t k = 0; k < size; k++) {
        shape_unravel(shape, k, index);
        at[k] = 0;
        for (int axis = shape->rank - 1; axis >= 0; axis--)
            at[k] = at[k] * shape->n[axis] + index[axis];
    }
}

bool mat_rows(spor_values *values, int axes, int64_t *rows) {
    spor_shape *shape = &values->shape;
    while (shape->rank < axes) shape->n[shape->rank++] = 1;
    *rows = shape->n[--shape->rank];
    int64_t size = shape_size(shape);
    size_t width = values_types[values->keep].width;
    int64_t *at = malloc(bytes_for(size, sizeof *at));
    unsigned char *row = malloc(bytes_for(size, width)), *to = values->value;
    bool done = at && row;
    if (done) turned(shape, at);
    for (int64_t r = 0; done && r < *rows; r++) {
        memcpy(row, to, (size_t)size * width);
        for (int64_t k = 0; k < size; k++, to += width)
            memcpy(to, row + (size_t)at[k] * width, width);
    }
    free(at);
    free(row);
    return done;
}
