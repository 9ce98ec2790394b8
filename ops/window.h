/*
 * Windows of height x width over maps [N, H, W, C], shared by the pooling ops. Their slots are
 * those of kernels/slots.h.
 *
 * Window (i, j) covers the rows i S_h - top ... + height - 1 and likewise the columns; cells of
 * the padding are no values: they never win and are not counted. Along each axis there are
 * 1 + floor((H + top + bottom - height) / S) windows, Eqs. (82)-(86) with the pads made explicit.
 */
#ifndef SPOR_OPS_WINDOW_H
#define SPOR_OPS_WINDOW_H

#include "attributes.h"
#include "kernels/tasks.h"

/** Numbers of the window along one axis: 0 is the height, 1 the width. */
typedef struct {
    int64_t size, stride, lo, hi;
} window_axis;

static inline window_axis window_along(const spor_attr w[], int axis) {
    return (window_axis){w[WINDOW_SIZE + axis].i, w[WINDOW_STRIDE + axis].i,
                         w[WINDOW_PAD + 2 * axis].i, w[WINDOW_PAD + 2 * axis + 1].i};
}

typedef struct {
    int64_t from, to; /* to is one behind the last */
} window_range;

/** The cells of a map's axis of n cells that window i covers. */
static inline window_range window_cells(const spor_attr attr[], int axis, int64_t n, int64_t i) {
    window_axis w = window_along(attr, axis);
    int64_t from = i * w.stride - w.lo, to = from + w.size;
    return (window_range){from > 0 ? from : 0, to < n ? to : n};
}

#ifdef SPOR_RULES

static inline void window_to_attr(spor_window w, spor_attr attr[]) {
    for (int k = 0; k < 2; k++) attr[WINDOW_SIZE + k].i = w.size[k];
    for (int k = 0; k < 2; k++) attr[WINDOW_STRIDE + k].i = w.stride[k];
    for (int k = 0; k < 4; k++) attr[WINDOW_PAD + k].i = w.pad[k];
}

static inline spor_window attr_to_window(const spor_attr attr[]) {
    const spor_attr *size = attr + WINDOW_SIZE, *stride = attr + WINDOW_STRIDE;
    const spor_attr *pad = attr + WINDOW_PAD;
    return (spor_window){.size = {size[0].i, size[1].i},
                         .stride = {stride[0].i, stride[1].i},
                         .pad = {pad[0].i, pad[1].i, pad[2].i, pad[3].i}};
}

/** By how much the largest x of each window leads the next one; 2^126 if there is no next one. Of
 *  several the one is taken that may come nearest, rounding included. Recorded for margins, by an
 *  op that is not in the registry: maxpool2d.c. */
spor_var window_lead(spor_var x, spor_window w);

/** How many windows fit along an axis of n cells. */
static inline bool rule_windows(spor_rule *r, const spor_attr attr[], int axis, int64_t n,
                                int64_t *count) {
    const char *name = axis ? "width" : "height";
    window_axis w = window_along(attr, axis);
    if (w.size < 1)
        return rule_fail(r, "the window's %s is %" PRId64 " but must be at least 1", name, w.size);
    if (w.stride < 1)
        return rule_fail(r, "the stride along the %s is %" PRId64 " but must be at least 1", name,
                         w.stride);
    if (w.size > LARGEST || n > LARGEST) return rule_fail(r, "the %s is too large", name);
    if (w.lo < 0 || w.hi < 0)
        return rule_fail(
            r, "the pads of the %s are %" PRId64 " and %" PRId64 " but must be at least 0", name,
            w.lo, w.hi);
    if (w.lo >= w.size || w.hi >= w.size)
        return rule_fail(r,
                         "pads %" PRId64 " and %" PRId64 " of the %s: with a window of %" PRId64
                         " a window may lie wholly outside the map",
                         w.lo, w.hi, name, w.size);
    if (n + w.lo + w.hi < w.size)
        return rule_fail(r, "the window's %s is %" PRId64 " but the padded map has only %" PRId64,
                         name, w.size, n + w.lo + w.hi);
    *count = 1 + (n + w.lo + w.hi - w.size) / w.stride;
    return true;
}

/** What all windows of a row of them, or of so many rows, cost that look at each of their cells. */
static inline int64_t window_cost(const spor_attr attr[], const spor_shape *windows, int64_t rows) {
    int64_t cells = carve_times(attr[WINDOW_SIZE].i, attr[WINDOW_SIZE + 1].i);
    int64_t row = carve_times(windows->n[2] * windows->n[3], COST_MOVED);
    return carve_times(carve_times(rows, row), cells);
}

/** Tasks are rows of windows, of which each is an element of the result. */
static inline void window_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    const int64_t *n = c->out.shape.n;
    need->tasks[SPOR_WORK] =
        tasks_for(need, n[0] * n[1], window_cost(c->attr, &c->out.shape, 1), 0);
}

/** The windows of a pooling op. */
static inline bool cells_of_windows(const spor_call *c, cells_fold fold, cells_window *w) {
    bool one = cells_of_map(c, c->attr[WINDOW_SIZE].i, c->attr[WINDOW_SIZE + 1].i, fold, w);
    w->apart = true;
    for (int a = 0; a < 2; a++) {
        const window_axis along = window_along(c->attr, a);
        w->stride[a] = c->out.shape.n[1 + a] > 1 ? along.stride : 1;
        w->before[a] = along.lo;
    }
    return one;
}

/** Windows over a map [N, H, W, C]: [N, P, Q, C]. */
static inline bool rule_window(spor_rule *r, const spor_attr attr[], const spor_shape *map,
                               spor_shape *out) {
    *out = *map;
    return rule_windows(r, attr, 0, map->n[1], &out->n[1]) &&
           rule_windows(r, attr, 1, map->n[2], &out->n[2]);
}

#elif defined(SPOR_REFERENCE)

typedef struct {
    int64_t i, j;
} window_cell;

/** The first largest x[n, ., ., c] of window (i, j) in row-major order, or the first that is not a
 *  number. */
static inline window_cell window_winner(const spor_arg *x, const spor_attr attr[], int64_t n,
                                        int64_t i, int64_t j, int64_t c) {
    window_range rows = window_cells(attr, 0, x->shape.n[1], i);
    window_range columns = window_cells(attr, 1, x->shape.n[2], j);
    window_cell best = {rows.from, columns.from};
    for (int64_t u = rows.from; u < rows.to; u++)
        for (int64_t v = columns.from; v < columns.to; v++)
            if (WINS(*AT4(*x, n, u, v, c), *AT4(*x, n, best.i, best.j, c)))
                best = (window_cell){u, v};
    return best;
}

/** v where the winner of window (i, j) of x lies, or, where rounding may have moved the winner, for
 *  all one knows where another cell does. */
static inline T window_value(const spor_arg *x, const spor_arg *v, const spor_attr attr[],
                             const int64_t i[]) {
    window_range rows = window_cells(attr, 0, x->shape.n[1], i[1]);
    window_range columns = window_cells(attr, 1, x->shape.n[2], i[2]);
    window_cell best = window_winner(x, attr, i[0], i[1], i[2], i[3]);
    T largest = *AT4(*x, i[0], best.i, best.j, i[3]), z = *AT4(*v, i[0], best.i, best.j, i[3]);
    for (int64_t a = rows.from; a < rows.to; a++)
        for (int64_t b = columns.from; b < columns.to; b++) {
            if (a == best.i && b == best.j) continue;
            T lead = SUB(largest, *AT4(*x, i[0], a, b, i[3]));
            z = OR_ELSE(z, *AT4(*v, i[0], a, b, i[3]), lead);
        }
    return z;
}

#elif defined(SPOR_FAST)

#include "kernels/simd.h"

/** The cells of a window that lie in its map: the first of them there, and rows that lie row apart of
 *  cells that lie step apart, which is how many channels there are. */
typedef struct {
    int64_t first, rows, row, columns, step;
} window_box;

/** The rows of the windows (i, .) of sample n: as if they began at the first column. */
static inline window_box window_rows(const spor_arg *map, const spor_attr attr[], int64_t n,
                                     int64_t i) {
    const int64_t *stride = map->stride;
    window_range rows = window_cells(attr, 0, map->shape.n[1], i);
    return (window_box){.first = n * stride[0] + rows.from * stride[1],
                        .rows = rows.to - rows.from,
                        .row = stride[1],
                        .step = stride[2]};
}

/** Window j of these. */
static inline window_box window_at(window_box w, const spor_arg *map, const spor_attr attr[],
                                   int64_t j) {
    window_range columns = window_cells(attr, 1, map->shape.n[2], j);
    w.first += columns.from * w.step;
    w.columns = columns.to - columns.from;
    return w;
}

/** Where from its first cell the winner of one channel lies: the first largest x in row-major order, or
 *  the first that is not a number. x is at the first cell. */
static inline int64_t window_winner(const window_box *w, const T *x) {
    int64_t best = 0;
    for (int64_t u = 0; u < w->rows; u++)
        for (int64_t v = 0, at = u * w->row; v < w->columns; v++, at += w->step)
            if (WINS(x[at], x[best])) best = at;
    return best;
}

#endif

#endif
