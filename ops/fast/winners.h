/*
 * The backward pass of a convolutional layer with max-pooling, by the winners only.
 *
 * Of the cells of a pooling window one has won, and delta is 0 at all others: delta_y[p,f] is what
 * filter f feels at window p, and a(p,f) the pixel that won there. So for dK and dx one term for each
 * window is enough, in place of one for each pixel. What a pixel sees of the padded map is rows of
 * neighbours in memory, (v, c) side by side.
 */
#ifndef SPOR_OPS_FAST_WINNERS_H
#define SPOR_OPS_FAST_WINNERS_H

#include "algorithms.h"
#include "pooling.h"

/** What a pixel sees of a map: rows of `run` elements, `used` of them its own, `row` apart. The next
 *  pixel sees it `right` elements further, the next row of pixels `down`, the next sample `map`. */
typedef struct {
    bool copied; /* run by run, each pixel's for itself */
    int64_t rows, run, used, row, right, down, map;
} sight;

/** Vectors that a pixel sees. */
static inline int64_t sight_vectors(const sight *s, int64_t lanes) {
    return s->rows * vectors_of(s->run, lanes);
}

/** The windows over the results of a forward correlation. */
typedef struct {
    sight s;
    const spor_attr *attr;
    int64_t P, Q, windows; /* of a sample */
    int64_t cells;         /* of a window */
} winners;

static inline winners winners_of(const correlation *g, const spor_attr *attr, sight s) {
    winners w = {.s = s, .attr = attr};
    w.P = windows_along(attr, 0, g->P);
    w.Q = windows_along(attr, 1, g->Q);
    w.windows = w.P * w.Q;
    w.cells = carve_times(attr[WINDOW_SIZE].i, attr[WINDOW_SIZE + 1].i);
    return w;
}

/** Winners are counted by one byte, offsets by an integer as wide as the scalar. */
static inline bool winners_fit(const winners *w, int64_t group, int64_t elements) {
    return winner_bytes(w->attr) == 1 && carve_times(group, w->s.map) <= INT32_MAX &&
           elements <= INT32_MAX;
}

/** Costs in multiply-adds of vectors of COST_LANES: of a winner in a list; of a vector of delta that is
 *  routed and packed for the sums over all pixels. */
enum { COST_WINNER = 2, COST_ROUTED = 3 };

/** Of a sample, over all pixels. */
static inline int64_t pixels_cost(const conv_work *w) {
    int64_t pixels = carve_times(pixels_of(&w->g), vectors_of(w->g.F, COST_LANES));
    int64_t sums = w->by->cost(w), routed = carve_times(pixels, COST_ROUTED);
    return carve_most(sums, sums + routed);
}

/** Tables, which are shared: where the windows of a group begin, the cells in one. Integers as wide
 *  as the scalar. */
typedef struct {
    void *window, *cell;
} winners_tables;

static inline void winners_carve(spor_carver *carver, const winners *w, int64_t group, size_t width,
                                 winners_tables *t) {
    t->window = carve_take(carver, carve_times(group, w->windows), width);
    t->cell = carve_take(carver, w->cells, width);
}

#ifdef SPOR_ISA

static void fill_windows(spor_lane *at, const winners *w, int64_t samples) {
    const spor_attr *step = w->attr + WINDOW_STRIDE, *pad = w->attr + WINDOW_PAD;
    for (int64_t n = 0; n < samples; n++)
        for (int64_t i = 0; i < w->P; i++)
            for (int64_t j = 0; j < w->Q; j++)
                *at++ = (spor_lane)(n * w->s.map + (i * step[0].i - pad[0].i) * w->s.down +
                                    (j * step[1].i - pad[2].i) * w->s.right);
}

static void fill_numbers(spor_lane *cell, const winners *w) {
    const spor_attr *size = w->attr + WINDOW_SIZE;
    for (int64_t a = 0; a < size[0].i; a++)
        for (int64_t b = 0; b < size[1].i; b++)
            *cell++ = (spor_lane)(a * w->s.down + b * w->s.right);
}

static inline void winners_fill(const winners *w, int64_t group, const winners_tables *t) {
    fill_windows(t->window, w, group);
    fill_numbers(t->cell, w);
}

/* to[cols, rows] = from[rows, cols] turned, rows of `from` and of `to` so many elements apart. Rows of
 * `to` have room for more: what they have of the last vector becomes 0. */
static void turn(T *to, int64_t ldt, int64_t room, const T *from, int64_t ldf, int64_t rows,
                 int64_t cols) {
    for (int64_t r = 0; r < rows; r += LANES)
        for (int64_t k = 0; k < cols; k += LANES) {
            int64_t some = carve_least(LANES, cols - k);
            vec v[LANES];
            for (int64_t j = 0; j < LANES; j++)
                v[j] = j < rows - r ? simd_load_part(from + (r + j) * ldf + k, some) : (vec){0};
            simd_turn_square(v);
            for (int64_t j = 0; j < some; j++)
                simd_store_part(to + (k + j) * ldt + r, v[j], carve_least(LANES, room - r));
        }
}

#endif

#endif
