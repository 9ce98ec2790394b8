/*
 * Sizes, rows and comparison of shapes.
 */
#ifndef SPOR_BASE_SHAPE_H
#define SPOR_BASE_SHAPE_H

#include <spor/base.h>

static inline int64_t spor_size(const spor_shape *shape) {
    int64_t size = 1;
    for (int k = 0; k < shape->rank; k++) size *= shape->n[k];
    return size;
}

/** [rows, ...]: as many samples of one shape; its rank is below SPOR_RANK. */
static inline spor_shape spor_shape_rows(int64_t rows, const spor_shape *sample) {
    spor_shape shape = {.rank = sample->rank + 1, .n = {rows}};
    for (int k = 0; k < sample->rank; k++) shape.n[k + 1] = sample->n[k];
    return shape;
}

static inline bool spor_shape_equal(const spor_shape *a, const spor_shape *b) {
    if (a->rank != b->rank) return false;
    for (int k = 0; k < a->rank; k++)
        if (a->n[k] != b->n[k]) return false;
    return true;
}

#endif
