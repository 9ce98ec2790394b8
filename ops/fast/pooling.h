/*
 * The windows of max-pooling under maxpool2d and conv2d: one sample at a time, a vector of
 * channels at a time. The first maximum in row-major order wins, and over it the first that is
 * not a number; cells of the padding are no values.
 */
#ifndef SPOR_OPS_FAST_POOLING_H
#define SPOR_OPS_FAST_POOLING_H

#include "program/fast.h"
#include "kernels/slots.h"
#include "kernels/tasks.h"

/** Bytes of a winner's number u w + v inside its window. */
static inline size_t winner_bytes(const spor_attr *window) {
    return carve_times(window[WINDOW_SIZE].i, window[WINDOW_SIZE + 1].i) <= 256 ? 1 : 4;
}

/** Eq. (86) with the pads made explicit. */
static inline int64_t windows_along(const spor_attr *window, int axis, int64_t cells) {
    int64_t padded = cells + window[WINDOW_PAD + 2 * axis].i + window[WINDOW_PAD + 2 * axis + 1].i;
    return 1 + (padded - window[WINDOW_SIZE + axis].i) / window[WINDOW_STRIDE + axis].i;
}

#ifdef SPOR_RULES

/** False if a saved winner can't count the window's cells. */
static inline bool is_countable(const spor_attr *window) {
    return carve_times(window[WINDOW_SIZE].i, window[WINDOW_SIZE + 1].i) <= INT32_MAX;
}

/** How windows are recorded: windows that tile, overlap, leave cells out, reach over the border. */
#define POOLING_CHOICES                                                                            \
    CHOICE("the window's height", 1, 2, 2, 2, 3, 4, 5),                                            \
        CHOICE("the window's width", 1, 2, 2, 2, 3, 4, 5), CHOICE("step down", 1, 2, 2, 3, 4),     \
        CHOICE("step to the right", 1, 2, 2, 3, 4), CHOICE("edge at the top", 0, 0, 0, 1, 2),      \
        CHOICE("edge at the bottom", 0, 0, 0, 1, 2), CHOICE("edge at the left", 0, 0, 0, 1, 2),    \
        CHOICE("edge at the right", 0, 0, 0, 1, 2)

/** Records max-pooling by these choices. */
static inline spor_var pooling_record(spor_var x, const int64_t n[WINDOW_SLOTS]) {
    return spor_maxpool2d(x, (spor_window){{n[0], n[1]}, {n[2], n[3]}, {n[4], n[5], n[6], n[7]}});
}

/** A window of more cells than a saved winner can count, most of them padding. */
static inline spor_var pooling_record_vast(spor_var x) {
    const int64_t side = 1 << 16, edge = side - 1;
    return pooling_record(x, (const int64_t[]){side, side, 1, 1, edge, 0, edge, 0});
}

#endif

#ifdef SPOR_ISA

#include "kernels/simd.h"

/* One sample's map [H, W, C] and its windows [P, Q, C]. */
typedef struct {
    const spor_attr *attr;
    int64_t H, W, C, P, Q;
    size_t bytes; /* of a winner's number */
} maps;

static inline maps maps_of(const spor_attr *attr, int64_t H, int64_t W, int64_t C) {
    return (maps){
        attr, H, W, C, windows_along(attr, 0, H), windows_along(attr, 1, W), winner_bytes(attr)};
}

/* The cells of one window inside its map: rows x cols from element `first` of the map on. The first
 * of them has this number in the window, and one row further it is `width` more. */
typedef struct {
    int64_t first, rows, cols, number, width;
} window;

static inline window window_at(const maps *g, int64_t i, int64_t j) {
    const spor_attr *attr = g->attr;
    int64_t top = i * attr[WINDOW_STRIDE].i - attr[WINDOW_PAD].i,
            left = j * attr[WINDOW_STRIDE + 1].i - attr[WINDOW_PAD + 2].i;
    int64_t a = carve_most(top, 0), b = carve_most(left, 0), width = attr[WINDOW_SIZE + 1].i;
    return (window){.first = (a * g->W + b) * g->C,
                    .rows = carve_least(top + attr[WINDOW_SIZE].i, g->H) - a,
                    .cols = carve_least(left + width, g->W) - b,
                    .number = (a - top) * width + (b - left),
                    .width = width};
}

/* The usual window, 2 x 2 and whole: with these as constants the loops below unroll. */
static inline bool is_two_by_two(const window *w) {
    return w->rows == 2 && w->cols == 2 && w->width == 2 && w->number == 0;
}

#define WINDOW_2X2(w)                                                                              \
    (window) {                                                                                     \
        .first = (w)->first, .rows = 2, .cols = 2, .number = 0, .width = 2                         \
    }

/* Where a vector of channels starts: the last one reaches back over the one before rather than
 * beyond the end, if there is one before. */
SPOR_INLINE int64_t channel_at(const maps *g, int64_t c) {
    return c + LANES > g->C && g->C >= LANES ? g->C - LANES : c;
}

/* Small integers as bytes. */
SPOR_INLINE bytes_vec narrowed(ivec number) {
#if defined(__AVX512F__)
    bytes_vec narrow;
#if SPOR_F32_LANES
    __m128i bytes = _mm512_cvtepi32_epi8((__m512i)number);
#else
    __m128i bytes = _mm512_cvtepi64_epi8((__m512i)number);
#endif
    memcpy(&narrow, &bytes, sizeof narrow);
    return narrow;
#else
    return __builtin_convertvector(number, bytes_vec);
#endif
}

SPOR_INLINE void store_winners(void *to, size_t bytes, ivec number, int64_t lanes) {
    bytes_vec narrow = narrowed(number);
    if (bytes == 1 && lanes == LANES)
        memcpy(to, &narrow, sizeof narrow);
    else if (bytes == 1)
        memcpy(to, &narrow, (size_t)lanes);
    else
        for (int64_t k = 0; k < lanes; k++) ((int32_t *)to)[k] = (int32_t)number[k];
}

/* Bytes as integers as wide as T. */
SPOR_INLINE ivec widened(bytes_vec narrow) {
#if defined(__AVX2__)
    __m128i bytes = {0};
    memcpy(&bytes, &narrow, sizeof narrow);
#if SPOR_VECTOR_BYTES == 64 && SPOR_F32_LANES
    return (ivec)_mm512_cvtepu8_epi32(bytes);
#elif SPOR_VECTOR_BYTES == 64
    return (ivec)_mm512_cvtepu8_epi64(bytes);
#elif SPOR_F32_LANES
    return (ivec)_mm256_cvtepu8_epi32(bytes);
#else
    return (ivec)_mm256_cvtepu8_epi64(bytes);
#endif
#else
    return __builtin_convertvector(narrow, ivec);
#endif
}

SPOR_INLINE ivec load_winners(const void *from, size_t bytes, int64_t lanes) {
    ivec number = {0};
    bytes_vec narrow = {0};
    if (bytes == 1) {
        if (lanes == LANES)
            memcpy(&narrow, from, sizeof narrow);
        else
            memcpy(&narrow, from, (size_t)lanes);
        return widened(narrow);
    }
    for (int64_t k = 0; k < lanes; k++) number[k] = ((const int32_t *)from)[k];
    return number;
}

/* ---- forward ---- */

/* Some channels of one window; x is the map, saved NULL or where the winners go. */
SPOR_INLINE void pool_vector(const maps *g, const window w, const T *x, T *y, void *saved,
                             int64_t lanes) {
    const T *row = x + w.first;
    vec best = simd_load_part(row, lanes);
    ivec winner = simd_all_int((spor_lane)w.number);
    for (int64_t a = 0; a < w.rows; a++, row += g->W * g->C)
        for (int64_t b = 0; b < w.cols; b++) {
            vec cell = simd_load_part(row + b * g->C, lanes);
            ivec larger = lanes_win(cell, best);
            best = simd_select(larger, cell, best);
            winner = simd_select_int(larger, simd_all_int((spor_lane)(w.number + a * w.width + b)),
                                     winner);
        }
    simd_store_part(y, best, lanes);
    if (saved) store_winners(saved, g->bytes, winner, lanes);
}

/* All channels of one window; at: its first element of y. */
SPOR_INLINE void pool_window(const maps *g, const window w, const T *x, T *y, char *saved,
                             int64_t at) {
    for (int64_t c = 0; c < g->C; c += LANES) {
        int64_t from = channel_at(g, c);
        char *winners = saved ? saved + (size_t)(at + from) * g->bytes : NULL;
        if (from + LANES <= g->C)
            pool_vector(g, w, x + from, y + at + from, winners, LANES);
        else
            pool_vector(g, w, x + from, y + at + from, winners, g->C - from);
    }
}

/* y and the winners of one sample, from element at of y on; saved NULL: no winners */
static inline void pool_sample(const maps *g, const T *x, T *y, void *saved, int64_t at) {
    for (int64_t i = 0; i < g->P; i++)
        for (int64_t j = 0; j < g->Q; j++, at += g->C) {
            window w = window_at(g, i, j);
            if (is_two_by_two(&w))
                pool_window(g, WINDOW_2X2(&w), x, y, saved, at);
            else
                pool_window(g, w, x, y, saved, at);
        }
}

/* ---- backward ---- */

/* Some channels of one window: dy goes to the cell whose number won. add: another window may have
 * been there before. */
SPOR_INLINE void route_vector(const maps *g, const window w, T *dx, vec dy, ivec winner, bool add,
                              int64_t lanes) {
    T *row = dx + w.first;
    for (int64_t a = 0; a < w.rows; a++, row += g->W * g->C)
        for (int64_t b = 0; b < w.cols; b++) {
            ivec won = winner == simd_all_int((spor_lane)(w.number + a * w.width + b));
            vec d = (vec)((ivec)dy & won);
            if (add) d += simd_load_part(row + b * g->C, lanes);
            simd_store_part(row + b * g->C, d, lanes);
        }
}

/* All channels of one window; at: its first element of dy. What is added must not be added twice,
 * so that vectors then end where the channels do. */
SPOR_INLINE void route_window(const maps *g, const window w, T *dx, const T *dy, const char *saved,
                              int64_t at, bool add) {
    for (int64_t c = 0; c < g->C; c += LANES) {
        int64_t from = add ? c : channel_at(g, c), lanes = carve_least(LANES, g->C - from);
        const char *winners = saved + (size_t)(at + from) * g->bytes;
        if (lanes == LANES)
            route_vector(g, w, dx + from, simd_load(dy + at + from),
                         load_winners(winners, g->bytes, LANES), add, LANES);
        else
            route_vector(g, w, dx + from, simd_load_part(dy + at + from, lanes),
                         load_winners(winners, g->bytes, lanes), add, lanes);
    }
}

/* Along an axis every cell lies in exactly one window. */
static inline bool is_tiled(const maps *g, int axis, int64_t cells, int64_t windows) {
    int64_t size = g->attr[WINDOW_SIZE + axis].i;
    return size == g->attr[WINDOW_STRIDE + axis].i &&
           windows * size - g->attr[WINDOW_PAD + 2 * axis].i >= cells;
}

/* dx of one sample: dy, from its element at on, where the winners lie, 0 elsewhere */
static inline void route_sample(const maps *g, T *dx, const T *dy, const void *saved, int64_t at) {
    bool add = !is_tiled(g, 0, g->H, g->P) || !is_tiled(g, 1, g->W, g->Q);
    if (add) memset(dx, 0, (size_t)(g->H * g->W * g->C) * sizeof *dx);
    for (int64_t i = 0; i < g->P; i++)
        for (int64_t j = 0; j < g->Q; j++, at += g->C) {
            window w = window_at(g, i, j);
            if (is_two_by_two(&w) && !add)
                route_window(g, WINDOW_2X2(&w), dx, dy, saved, at, false);
            else
                route_window(g, w, dx, dy, saved, at, add);
        }
}

#endif

#endif
