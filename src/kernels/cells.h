/*
 * What an element of a result is made of where that is cells of operand 0 within a window: their sum, weighted or
 * not, their mean, or the largest of them. A product with a matrix has windows of one cell.
 *
 * Operand 0 is [H, W, C], the result [P, Q, F]. Window (i, j) begins at cell (i stride[0] - before[0], j stride[1] -
 * before[1]); cell (u, v) of it lies (u dilation[0], v dilation[1]) further on; cells outside of the map are left out.
 */
#ifndef SPOR_KERNELS_CELLS_H
#define SPOR_KERNELS_CELLS_H

#include <string.h>

#include "kernels/kernel.h"

typedef enum {
    CELLS_WEIGHTED, /* by operand 1, [k, l, C, F], or [k, l, C] */
    CELLS_SUM,
    CELLS_MEAN,
    CELLS_LARGEST
} cells_fold;

typedef struct {
    cells_fold fold;
    bool apart; /* a channel of the result is of that channel alone: F = C */
    int64_t H, W, C, k, l, P, Q, F;
    int64_t stride[2], dilation[2], before[2];
} cells_window;

/** The axes of a bit mask folded; false where others lie between them. */
static inline bool cells_of_axes(const spor_shape *x, int64_t axes, cells_fold fold,
                                 cells_window *w) {
    int64_t size[3] = {1, 1, 1}; /* before, along and behind the axes */
    int part = 0;
    for (int k = 0; k < x->rank; k++) {
        const bool inside = axes >> k & 1;
        if (x->n[k] != 1 && (inside ? part == 2 : part == 1)) part++;
        if (x->n[k] != 1 && inside && part == 0) part = 1;
        if (x->n[k] != 1 && inside != (part == 1)) return false;
        size[part] *= x->n[k];
    }
    *w = (cells_window){.fold = fold,
                        .apart = true,
                        .H = size[0] * size[1],
                        .W = 1,
                        .C = size[2],
                        .k = size[1],
                        .l = 1,
                        .P = size[0],
                        .Q = 1,
                        .F = size[2],
                        .stride = {size[1], 1},
                        .dilation = {1, 1}};
    return true;
}

/** Windows over one map [1, H, W, C], of k x l cells; false for several maps. */
static inline bool cells_of_map(const spor_call *c, int64_t k, int64_t l, cells_fold fold,
                                cells_window *w) {
    const int64_t *x = c->in[0].shape.n, *z = c->out.shape.n;
    *w = (cells_window){.fold = fold,
                        .H = x[1],
                        .W = x[2],
                        .C = x[3],
                        .k = k,
                        .l = l,
                        .P = z[1],
                        .Q = z[2],
                        .F = z[3],
                        .stride = {1, 1},
                        .dilation = {1, 1}};
    return x[0] == 1;
}

#endif
