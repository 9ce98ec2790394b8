/*
 * An IDX file: two bytes 0, the type, the number of axes; the size of each axis in four bytes, the
 * highest first; the numbers, row-major, the highest byte first (Y. LeCun, C. Cortes, C. J. C. Burges,
 * "The MNIST database of handwritten digits").
 */
#include "data/idx.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "data/gzip.h"
#include "data/raw.h"
#include "data/values.h"

typedef struct {
    raw_type type;
    int64_t rows;
    spor_shape shape; /* of a row */
    size_t at;        /* where the numbers begin */
    size_t size;      /* of the file */
} header;

static const struct {
    unsigned char code;
    raw_type type;
} types[] = {{0x08, {RAW_UNSIGNED, 1, true}}, {0x09, {RAW_SIGNED, 1, true}},
             {0x0b, {RAW_SIGNED, 2, true}},   {0x0c, {RAW_SIGNED, 4, true}},
             {0x0d, {RAW_REAL, 4, true}},     {0x0e, {RAW_REAL, 8, true}}};

static bool find_type(unsigned char code, raw_type *type) {
    for (size_t k = 0; k < sizeof types / sizeof *types; k++)
        if (types[k].code == code) return *type = types[k].type, true;
    return false;
}

static int64_t big32(const unsigned char *b) {
    return (int64_t)b[0] << 24 | (int64_t)b[1] << 16 | (int64_t)b[2] << 8 | b[3];
}

/* size: bytes from b on that are there, the first of the file. */
static bool parse(const unsigned char *b, size_t size, header *h, spor_message *message) {
    *h = (header){0};
    if (size < 4 || b[0] || b[1] || !find_type(b[2], &h->type))
        return message_complain(message, "is no IDX file: it does not begin with its magic number");
    int axes = b[3];
    if (axes < 1 || axes > SPOR_RANK)
        return message_complain(message, "has %d axes; 1 to %d are read", axes, SPOR_RANK);
    h->at = 4 + 4 * (size_t)axes;
    if (size < h->at) return message_complain(message, "ends within its header");
    h->rows = big32(b + 4);
    h->shape = (spor_shape){.rank = axes - 1};
    h->size = bytes_for(h->rows, (size_t)h->type.width);
    for (int k = 0; k < axes; k++) {
        int64_t n = big32(b + 4 + 4 * k);
        if (n < 1) return message_complain(message, "has no numbers: axis %d is 0", k);
        if (k) h->size = bytes_for(h->shape.n[k - 1] = n, h->size);
    }
    h->size = bytes_sum(h->at, h->size);
    return h->size <= SPOR_FILE_LIMIT ||
           message_complain(message, "states more than the limit of %zu bytes", SPOR_FILE_LIMIT);
}

static size_t stated(const unsigned char *head, size_t size, spor_message *message) {
    header h;
    return parse(head, size, &h, message) ? h.size : 0;
}

bool idx_read(const char *path, spor_values *values, int64_t *rows, spor_message *message) {
    unsigned char *bytes;
    size_t size;
    header h;
    *values = (spor_values){0};
    if (!gzip_read_stated(path, stated, &bytes, &size, message)) return false;
    if (!parse(bytes, size, &h, NULL) || size != h.size)
        return free(bytes), message_complain(message, "%s: changes while it is read", path);
    *rows = h.rows;
    *values = (spor_values){.keep = raw_keep(h.type), .shape = h.shape};
    bool done = values_allocate(values, h.rows);
    int64_t count = (int64_t)(h.size - h.at) / h.type.width;
    if (done) raw_read(h.type, bytes + h.at, count, values->value); /* doubles hold them all */
    free(bytes);
    return done || message_complain(message, "%s: out of memory", path);
}
