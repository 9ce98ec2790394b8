/*
 * Scratch memory cut into arrays. A fast path describes its arrays once; with NULL the cutting
 * only counts, which answers spor_need, and in the kernel the same lines give the addresses.
 */
#ifndef SPOR_KERNELS_CARVE_H
#define SPOR_KERNELS_CARVE_H

#include "base/bytes.h"

typedef struct {
    char *base;  /* NULL: count only */
    size_t used; /* BYTES_MOST: more than can be had */
} spor_carver;

/** The next count * each bytes, 64-byte aligned. count >= 0. */
static inline void *carve_take(spor_carver *carver, int64_t count, size_t each) {
    char *at = carver->base ? carver->base + carver->used : NULL;
    carver->used = bytes_sum(carver->used, bytes_lines(bytes_for(count, each)));
    return at;
}

/** a * b, or the largest number if that does not fit: carving it then fails. */
static inline int64_t carve_times(int64_t a, int64_t b) {
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

/** Vectors that so many elements fill, the last one perhaps in part. */
static inline int64_t vectors_of(int64_t elements, int64_t lanes) {
    return (elements + lanes - 1) / lanes;
}

/** cols rounded up to whole vectors. */
static inline int64_t carve_whole_vectors(int64_t cols, int64_t lanes) {
    return vectors_of(cols, lanes) * lanes;
}

/** Smaller and larger of two sizes. */
static inline int64_t carve_least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static inline int64_t carve_most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

#endif
