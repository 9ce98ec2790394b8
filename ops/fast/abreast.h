/*
 * The forward pass of a convolutional layer with samples abreast: the lanes of a vector are samples.
 *
 * Few filters leave most lanes of a vector of filters empty. Here maps are turned so that each of
 * their elements is a vector, over which the kernel's own elements go one by one,
 *
 *             z[i,j,f][n] = b_f + sum_{u,v,c} x~[i S_h + u, j S_w + v, c][n] K[u,v,c,f]      Eq. (42)
 *
 * for some pixels and some filters in registers: the cells of a pooling window, of which the largest
 * is left, or neighbours in a row. Each sum is the chain that the product of kernels/product.h makes:
 * the same bits. Rows of results are turned back one by one.
 */
#ifndef SPOR_OPS_FAST_ABREAST_H
#define SPOR_OPS_FAST_ABREAST_H

#include "correlation.h"
#include "pooling.h"
#include "winners.h"

/** Multiply-adds of vectors that turning a vector costs, and one of the product beyond its sums. */
enum { COST_TURNED = 6, COST_TILE = 2 };

/** Results of a map: rows, and across a row. */
typedef struct {
    int64_t rows, across;
} abreast;

/** Of all samples, for vectors of so many lanes: abreast, and by the product. */
static inline int64_t abreast_cost(const conv_work *w, const abreast *y, int64_t lanes) {
    const correlation *g = &w->g;
    int64_t sums = carve_times(carve_times(pixels_of(g), g->F), depth_of(g));
    int64_t turned = carve_times(g->h * g->w, g->C) + carve_times(y->rows * y->across, 2 * g->F);
    return carve_times(vectors_of(w->N, lanes), sums + carve_times(turned, COST_TURNED));
}
static inline int64_t forward_cost(const conv_work *w, int64_t lanes) {
    const correlation *g = &w->g;
    return carve_times(carve_times(w->N, pixels_of(g)),
                       carve_times(vectors_of(g->F, lanes), depth_of(g) + COST_TILE));
}

/** Both ways make the same bits: which is taken may depend on the machine. */
static inline bool abreast_pays(const conv_work *w, const abreast *y, int64_t lanes) {
    return abreast_cost(w, y, lanes) < forward_cost(w, lanes);
}

/** A task's own: the maps of some samples, a row of results and who won there. */
typedef struct {
    void *maps, *row, *won;
} abreast_arrays;

static inline void abreast_carve(spor_carver *carver, const conv_work *w, const abreast *y,
                                 size_t width, int64_t lanes, abreast_arrays *a) {
    const correlation *g = &w->g;
    int64_t row = carve_times(carve_times(y->across, g->F), lanes);
    a->maps = carve_take(carver, carve_times(carve_times(g->Hp * g->Wp, g->C), lanes), width);
    a->row = carve_take(carver, row, width);
    a->won = carve_take(carver, w->whole ? row : 0, width);
}

static inline size_t abreast_bytes(const conv_work *w, const abreast *y, size_t width,
                                   int64_t lanes) {
    spor_carver scratch = {0};
    abreast_arrays arrays;
    abreast_carve(&scratch, w, y, width, lanes, &arrays);
    return scratch.used;
}

#ifdef SPOR_ISA

/* Most pixels, a power of two, and filters of a tile: what the registers hold beside its operands. */
#if defined(__AVX512F__)
enum { TILE_PIXELS = 4, TILE_FILTERS = 5 };
#else
enum { TILE_PIXELS = 2, TILE_FILTERS = 6 };
#endif

/* The maps of count samples, each element a vector; zeros around them are there. */
static void lay_abreast(const correlation *g, T *to, const T *x, int64_t count) {
    int64_t sample = g->h * g->w * g->C, row = g->w * g->C;
    for (int64_t r = 0; r < g->h; r++)
        turn(to + ((r + g->top) * g->Wp + g->left) * g->C * LANES, LANES, LANES, x + r * row,
             sample, count, row);
}

/* Neighbours of a window or row: 1, 2 or TILE_PIXELS, and where they go: row[pixel][F], or with won
 * row[F], the largest of a window's pixels so far, and its number. */
typedef struct {
    const correlation *g;
    const T *x; /* what the first one sees begins here */
    int64_t at[TILE_PIXELS], number[TILE_PIXELS];
    T *row, *won;
    bool begins; /* a window */
} abreast_tile;

/* z of some filters, from their kernels and biases on. */
SPOR_INLINE void tile_sums(const abreast_tile *t, const T *K, const T *b,
                           vec z[TILE_PIXELS][TILE_FILTERS], const int pixels, const int filters) {
    const correlation *g = t->g;
    const int64_t run = g->l * g->C, F = g->F;
    SPOR_UNROLL for (int f = 0; f < filters; f++) {
        vec first = b ? simd_all(b[f]) : (vec){0};
        SPOR_UNROLL for (int p = 0; p < pixels; p++) z[p][f] = first;
    }
    for (int64_t u = 0; u < g->k; u++) {
        const T *x = t->x + u * g->Wp * g->C * LANES;
        for (int64_t e = 0; e < run; e++, x += LANES, K += F) {
            vec seen[TILE_PIXELS];
            SPOR_UNROLL for (int p = 0; p < pixels; p++) seen[p] = simd_load(x + t->at[p]);
            SPOR_UNROLL for (int f = 0; f < filters; f++) {
                vec k = simd_all(K[f]);
                SPOR_UNROLL for (int p = 0; p < pixels; p++) z[p][f] =
                    simd_fma(seen[p], k, z[p][f]);
            }
        }
    }
}

/* The first of the largest, as in pooling.h. */
SPOR_INLINE void tile_pool(const abreast_tile *t, int64_t f, vec z[TILE_PIXELS][TILE_FILTERS],
                           const int pixels, const int k) {
    vec best = t->begins ? z[0][k] : simd_load(t->row + f * LANES);
    ivec won =
        t->begins ? simd_all_int((spor_lane)t->number[0]) : (ivec)simd_load(t->won + f * LANES);
    SPOR_UNROLL for (int p = 0; p < pixels; p++) {
        ivec larger = lanes_win(z[p][k], best);
        best = simd_select(larger, z[p][k], best);
        won = simd_select_int(larger, simd_all_int((spor_lane)t->number[p]), won);
    }
    simd_store(t->row + f * LANES, best);
    simd_store(t->won + f * LANES, (vec)won);
}

SPOR_INLINE void tile_filters(const abreast_tile *t, const T *K, const T *b, int64_t f,
                              const int pixels, const int filters) {
    vec z[TILE_PIXELS][TILE_FILTERS];
    tile_sums(t, K + f, b ? b + f : NULL, z, pixels, filters);
    SPOR_UNROLL for (int k = 0; k < filters; k++) {
        if (t->won) {
            tile_pool(t, f + k, z, pixels, k);
            continue;
        }
        SPOR_UNROLL for (int p = 0; p < pixels; p++)
            simd_store(t->row + (p * t->g->F + f + k) * LANES, z[p][k]);
    }
}

typedef void tile_function(const abreast_tile *t, const T *K, const T *b, int64_t f);

#define TILE_NAME(pixels, filters) abreast_##pixels##x##filters
#define DEFINE_TILE(pixels, filters)                                                               \
    static void TILE_NAME(pixels, filters)(const abreast_tile *t, const T *K, const T *b,          \
                                           int64_t f) {                                            \
        tile_filters(t, K, b, f, pixels, filters);                                                 \
    }
#if defined(__AVX512F__)
#define EACH_TILE(X)                                                                               \
    X(1, 1)                                                                                        \
    X(1, 2)                                                                                        \
    X(1, 3)                                                                                        \
    X(1, 4) X(1, 5) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(4, 1) X(4, 2) X(4, 3) X(4, 4) X(4, 5)
#else
#define EACH_TILE(X)                                                                               \
    X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(1, 5) X(1, 6) X(2, 1) X(2, 2) X(2, 3) X(2, 4) X(2, 5) X(2, 6)
#endif
#define TILE_ENTRY(pixels, filters) [pixels][filters] = TILE_NAME(pixels, filters),
EACH_TILE(DEFINE_TILE)
static tile_function *const tile_functions[TILE_PIXELS + 1][TILE_FILTERS + 1] = {
    EACH_TILE(TILE_ENTRY)};

/* All filters of some pixels, in parts as even as possible. */
static void tile_all(const spor_call *c, const abreast_tile *t, int64_t pixels) {
    const T *K = c->in[1].data, *b = c->operands > 2 ? c->in[2].data : NULL;
    for (int64_t f = 0, some; f < t->g->F; f += some) {
        int64_t left = t->g->F - f, parts = vectors_of(left, TILE_FILTERS);
        some = vectors_of(left, parts);
        tile_functions[pixels][some](t, K, b, f);
    }
}

/* Pixels of the next tile when so many are left. */
static int64_t tile_pixels(int64_t left) {
    int64_t pixels = TILE_PIXELS;
    while (pixels > left) pixels /= 2;
    return pixels;
}

/* A row of results: of windows, */
static void abreast_windows(const spor_call *c, const correlation *g, const maps *p,
                            const abreast_arrays *a, int64_t i) {
    int64_t right = g->stride[1] * g->C * LANES, down = g->stride[0] * g->Wp * g->C * LANES;
    for (int64_t j = 0; j < p->Q; j++) {
        window in = window_at(p, i, j);
        abreast_tile t = {.g = g, .row = (T *)a->row + j * g->F * LANES, .begins = true};
        t.x = (const T *)a->maps + in.first / p->W * down + in.first % p->W * right;
        t.won = (T *)a->won + j * g->F * LANES;
        int64_t cells = in.rows * in.cols;
        for (int64_t cell = 0, some; cell < cells; cell += some, t.begins = false) {
            some = tile_pixels(cells - cell);
            for (int64_t k = 0; k < some; k++) {
                int64_t r = (cell + k) / in.cols, q = (cell + k) % in.cols;
                t.at[k] = r * down + q * right;
                t.number[k] = in.number + r * in.width + q;
            }
            tile_all(c, &t, some);
        }
    }
}

/* or of pixels. */
static void abreast_pixels(const spor_call *c, const correlation *g, const abreast_arrays *a,
                           int64_t i) {
    int64_t right = g->stride[1] * g->C * LANES, down = g->stride[0] * g->Wp * g->C * LANES;
    abreast_tile t = {.g = g};
    for (int64_t k = 0; k < TILE_PIXELS; k++) t.at[k] = k * right;
    for (int64_t j = 0, some; j < g->Q; j += some) {
        some = tile_pixels(g->Q - j);
        t.x = (const T *)a->maps + i * down + j * right;
        t.row = (T *)a->row + j * g->F * LANES;
        tile_all(c, &t, some);
    }
}

/* Who won a row of results, turned back: bytes, rows of them `map` apart. */
static void turn_winners(uint8_t *to, int64_t map, const T *won, int64_t results, int64_t count) {
    for (int64_t r = 0; r < results; r += LANES) {
        int64_t some = carve_least(LANES, results - r);
        vec v[LANES];
        for (int64_t j = 0; j < LANES; j++)
            v[j] = j < some ? simd_load(won + (r + j) * LANES) : (vec){0};
        simd_turn_square(v);
        for (int64_t j = 0; j < count; j++) store_winners(to + j * map + r, 1, (ivec)v[j], some);
    }
}

/* y of samples n .. n + count - 1, a vector at most. */
static void abreast_samples(const spor_call *c, const conv_work *w, const abreast *y,
                            const abreast_arrays *a, const maps *p, int64_t n, int64_t count) {
    const correlation *g = &w->g;
    int64_t row = y->across * g->F, map = y->rows * row;
    lay_abreast(g, a->maps, (const T *)c->in[0].data + n * g->h * g->w * g->C, count);
    for (int64_t i = 0; i < y->rows; i++) {
        if (w->whole)
            abreast_windows(c, g, p, a, i);
        else
            abreast_pixels(c, g, a, i);
        turn((T *)c->out.data + n * map + i * row, map, row, a->row, LANES, row, count);
        if (c->out.saved)
            turn_winners((uint8_t *)c->out.saved + n * map + i * row, map, a->won, row, count);
    }
}

/* A task's samples, and its arrays with zeros around the maps. */
static task_part abreast_begin(const spor_call *c, int64_t task, const conv_work *w,
                               const abreast *y, abreast_arrays *a) {
    spor_carver scratch = {.base = c->scratch};
    abreast_carve(&scratch, w, y, sizeof(T), LANES, a);
    const correlation *g = &w->g;
    if (!is_plain(g)) memset(a->maps, 0, (size_t)(g->Hp * g->Wp * g->C * LANES) * sizeof(T));
    return samples_of(c, task, w);
}

#endif

#endif
