/*
 * Numbers as files have them: whole or real, of any width, either byte first.
 */
#ifndef SPOR_DATA_RAW_H
#define SPOR_DATA_RAW_H

#include <spor/data.h>
#include <spor/program.h>

/** The type of a file's numbers. */
typedef struct {
    enum { RAW_UNSIGNED, RAW_SIGNED, RAW_REAL, RAW_BRAIN /* bfloat16 */ } kind;
    int width; /* bytes: 1, 2, 4 or 8; a real has 2, 4 or 8, bfloat16 has 2 */
    bool big;  /* the highest byte comes first */
} raw_type;

/** What a program's float or double is in a file that has the machine's own order of bytes. */
static inline raw_type raw_of(spor_scalar scalar) {
    return (raw_type){RAW_REAL, scalar == SPOR_F32 ? 4 : 8, false};
}

/** True of types that have whole numbers alone. */
static inline bool raw_is_whole(raw_type type) {
    return type.kind == RAW_UNSIGNED || type.kind == RAW_SIGNED;
}

/** What such numbers are kept as: bytes as they are, as floats what these hold exactly. */
spor_keep raw_keep(raw_type type);

/** Reads count numbers into memory for as many of raw_keep(type). -1, or the place of the first
 *  number that no double holds. */
int64_t raw_read(raw_type type, const unsigned char *from, int64_t count, void *to);

#endif
