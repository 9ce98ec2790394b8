/*
 * Sizes, rows and comparison of shapes; positions in row-major order.
 */
#ifndef SPOR_BASE_SHAPE_H
#define SPOR_BASE_SHAPE_H

#include <spor/base.h>

static inline int64_t shape_size(const spor_shape *shape) {
    int64_t size = 1;
    for (int k = 0; k < shape->rank; k++) size *= shape->n[k];
    return size;
}

/** [rows, ...]: as many samples of one shape; its rank is below SPOR_RANK. */
static inline spor_shape shape_rows(int64_t rows, const spor_shape *sample) {
    spor_shape shape = {.rank = sample->rank + 1, .n = {rows}};
    for (int k = 0; k < sample->rank; k++) shape.n[k + 1] = sample->n[k];
    return shape;
}

static inline bool shape_equal(const spor_shape *a, const spor_shape *b) {
    if (a->rank != b->rank) return false;
    for (int k = 0; k < a->rank; k++)
        if (a->n[k] != b->n[k]) return false;
    return true;
}

/** stride[k]: elements from one index of axis k to the next, row-major. */
static inline void shape_strides(const spor_shape *shape, int64_t stride[]) {
    int64_t size = 1;
    for (int k = shape->rank - 1; k >= 0; k--) {
        stride[k] = size;
        size *= shape->n[k];
    }
}

/** Position at, row-major, as an index. */
static inline void shape_unravel(const spor_shape *shape, int64_t at, int64_t index[]) {
    for (int k = shape->rank - 1; k >= 0; k--) {
        index[k] = at % shape->n[k];
        at /= shape->n[k];
    }
}

/** Row-major position of an index. */
static inline int64_t shape_ravel(const spor_shape *shape, const int64_t index[]) {
    int64_t at = 0;
    for (int k = 0; k < shape->rank; k++) at = at * shape->n[k] + index[k];
    return at;
}

#endif
