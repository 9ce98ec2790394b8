/*
 * Protocol buffers, read: fields one after the other over a range of bytes. Every length is held against what is
 * left of the range; nothing is copied. https://protobuf.dev/programming-guides/encoding
 */
#ifndef SPOR_IMPORT_PROTOBUF_H
#define SPOR_IMPORT_PROTOBUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that are still to be read; at NULL: none. */
typedef struct {
    const unsigned char *at, *end;
} proto_range;

/** How a field is written. */
typedef enum {
    PROTO_VARINT = 0,
    PROTO_EIGHT_BYTES = 1,
    PROTO_LENGTH = 2,
    PROTO_FOUR_BYTES = 5
} proto_kind;

typedef struct {
    uint32_t number;
    proto_kind kind;
    uint64_t value;    /* of a varint, of 8 and of 4 bytes */
    proto_range bytes; /* of PROTO_LENGTH */
} proto_field;

typedef enum { PROTO_END, PROTO_FIELD, PROTO_BROKEN } proto_step;

/** The next field. BROKEN: a length or a number that is cut off, a kind that nobody writes. */
proto_step proto_next(proto_range *message, proto_field *field);
/** The next number of a packed list; false at its end, or *broken. */
bool proto_varint(proto_range *list, uint64_t *value, bool *broken);

static inline size_t proto_size(proto_range range) {
    return (size_t)(range.end - range.at);
}
static inline float proto_float(const proto_field *field) {
    const union {
        uint32_t bits;
        float value;
    } u = {.bits = (uint32_t)field->value};
    return u.value;
}

#endif
