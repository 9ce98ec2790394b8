/*
 * Scratch memory cut into arrays. A fast path describes its arrays once; with NULL the cutting
 * only counts, which answers spor_need, and in the kernel the same lines give the addresses.
 */
#ifndef SPOR_KERNELS_CARVE_H
#define SPOR_KERNELS_CARVE_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *base;  /* NULL: count only */
    size_t used; /* SIZE_MAX / 2: more than can be had */
} spor_carver;

/** The next count * each bytes, 64-byte aligned. count >= 0. */
static inline void *spor_carve(spor_carver *carver, int64_t count, size_t each) {
    size_t bytes, used;
    char *at = carver->base ? carver->base + carver->used : NULL;
    if (__builtin_mul_overflow((size_t)count, each, &bytes) ||
        __builtin_add_overflow(bytes, (size_t)63, &bytes) ||
        __builtin_add_overflow(carver->used, bytes & ~(size_t)63, &used) || used > SIZE_MAX / 2)
        used = SIZE_MAX / 2;
    carver->used = used;
    return at;
}

/** a * b, or the largest number if that does not fit: carving it then fails. */
static inline int64_t spor_times(int64_t a, int64_t b) {
    int64_t product;
    return __builtin_mul_overflow(a, b, &product) ? INT64_MAX : product;
}

/** cols rounded up to whole vectors. */
static inline int64_t spor_whole_vectors(int64_t cols, int64_t lanes) {
    return (cols + lanes - 1) / lanes * lanes;
}

/** Smaller and larger of two sizes. */
static inline int64_t spor_least(int64_t a, int64_t b) {
    return a < b ? a : b;
}
static inline int64_t spor_most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

#endif
