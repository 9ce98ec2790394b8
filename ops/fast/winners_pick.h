/*
 * dK by winners (winners.h) where all that the cells of a window see of a channel fits into a vector or
 * two: first layers above all. Lanes are filters. A lane looks up what its filter's winner sees at a cell
 * of the kernel:
 *
 *             dK[u,v,c,f] = sum_p window_p[c][a(p,f) S + (u,v)] delta_y[p,f]                 Eq. (44)
 */
#ifndef SPOR_OPS_FAST_WINNERS_PICK_H
#define SPOR_OPS_FAST_WINNERS_PICK_H

#include "winners.h"

/** Cells of a kernel at most, whose sums and offsets the registers hold. */
enum { PICK_CELLS = 9 };

/** What a window sees of a channel at most: one vector or two, which is what an instruction looks up in.
 *  Sets of shorter vectors have none. */
enum { PICK_SEEN = 16 };
static inline bool can_look_up(int64_t lanes) {
    return 2 * lanes >= PICK_SEEN;
}

typedef struct {
    winners w;
    int64_t rows, cols, cells; /* what a window sees of a channel; cells of the kernel */
    int64_t slot;              /* elements that it is kept in */
    int64_t before, plane;     /* a channel's map: elements before its first one, of all */
    int64_t piece;             /* windows that are gone through at a time: whole rows of them */
} winners_pick;

/** Windows of a piece, about. */
enum { PICK_WINDOWS = 64 };

static inline winners_pick winners_pick_of(const conv_work *work, const spor_attr *attr,
                                           int64_t lanes) {
    const correlation *g = &work->g;
    const spor_attr *size = attr + WINDOW_SIZE, *step = attr + WINDOW_STRIDE,
                    *pad = attr + WINDOW_PAD;
    winners_pick p = {.w = winners_of(g, attr, (sight){.rows = 0}),
                      .cells = carve_times(g->k, g->l)};
    p.rows = carve_times(size[0].i - 1, g->stride[0]) + g->k;
    p.cols = carve_times(size[1].i - 1, g->stride[1]) + g->l;
    p.slot = carve_whole_vectors(carve_times(p.rows, p.cols), lanes);
    p.before = carve_times(carve_times(pad[0].i, g->stride[0]), g->Wp) +
               carve_times(pad[2].i, g->stride[1]);
    int64_t down = carve_times(carve_times(p.w.P - 1, step[0].i), g->stride[0]) + p.rows;
    int64_t right = carve_times(carve_times(p.w.Q - 1, step[1].i), g->stride[1]) + p.cols;
    p.plane =
        carve_most(carve_times(g->Hp, g->Wp) + p.before, carve_times(down, g->Wp) + right) + lanes;
    p.piece = carve_most(1, PICK_WINDOWS / p.w.Q) * p.w.Q;
    return p;
}

/** Of a sample, in multiply-adds of vectors. */
static inline int64_t winners_pick_cost(const conv_work *work, const winners_pick *p) {
    const correlation *g = &work->g;
    int64_t vectors = carve_times(vectors_of(g->F, COST_LANES), g->C);
    return carve_times(carve_times(p->w.windows, vectors), p->cells + 2);
}

static inline bool winners_pick_fits(const winners_pick *p) {
    const int64_t far =
        1 << 24; /* elements of a plane, so that sizes are not looked at one by one */
    return winner_bytes(p->w.attr) == 1 && p->cells <= PICK_CELLS && p->plane <= far &&
           carve_times(p->rows, p->cols) <= PICK_SEEN;
}

/** Arrays of a task. */
typedef struct {
    void *maps,
        *planes;  /* a sample's map, padded; its channels one by one, with room around them */
    void *seen;   /* [piece][C][slot] */
    void *winner; /* [piece][F] bytes, and those of a vector beyond */
    void *sum;    /* [C][vectors of F][cells] vectors */
} winners_pick_arrays;

static inline void winners_pick_carve(spor_carver *carver, const conv_work *work,
                                      const winners_pick *p, size_t width, int64_t lanes,
                                      winners_pick_arrays *a) {
    const correlation *g = &work->g;
    int64_t filters = carve_whole_vectors(g->F, lanes);
    a->planes = carve_take(carver, carve_times(p->plane, g->C), width);
    a->seen = carve_take(carver, carve_times(carve_times(p->piece, g->C), p->slot) + lanes, width);
    a->winner = carve_take(carver, carve_times(p->piece, g->F) + lanes, 1);
    a->sum = carve_take(carver, carve_times(carve_times(g->C, filters), p->cells), width);
}

/** Tables, which are shared: where cells of a window lie in what it sees, and cells of the kernel from there
 *  on. Integers as wide as the scalar. */
typedef struct {
    void *cell, *offset; /* [2 lanes], [PICK_CELLS] */
} winners_pick_tables;

static inline void winners_pick_carve_tables(spor_carver *carver, size_t width, int64_t lanes,
                                             winners_pick_tables *t) {
    t->cell = carve_take(carver, 2 * lanes, width);
    t->offset = carve_take(carver, PICK_CELLS, width);
}

#ifdef SPOR_RULES

/* Tasks of samples, also where the set can't look up. */
static inline void winners_pick_tasks(const conv_work *work, const winners_pick *p, size_t width,
                                      spor_need *need) {
    int64_t cost = carve_times(winners_pick_cost(work, p), carve_times(COST_LANES, work->unit));
    tasks_add_up(need, units_of(work), cost, carve_times(depth_of(&work->g), work->g.F), width);
}

static inline void winners_pick_need(const conv_work *work, const winners_pick *p, size_t width,
                                     int lanes, spor_need *need) {
    spor_carver scratch = {0}, shared = {0};
    winners_pick_arrays arrays;
    winners_pick_tables tables;
    winners_pick_carve(&scratch, work, p, width, lanes, &arrays);
    winners_pick_carve_tables(&shared, width, lanes, &tables);
    need->scratch = scratch.used;
    need->shared = shared.used;
    need->way = "winners, looked up by lanes";
    need->tasks[SPOR_PREPARE] = 1;
}

#endif

#ifdef SPOR_ISA

/* The one task of PREPARE. */
static inline void winners_pick_prepare(const spor_call *c, const conv_work *work,
                                        const winners_pick *p) {
    const spor_attr *size = p->w.attr + WINDOW_SIZE;
    const int64_t *step = work->g.stride;
    spor_carver shared = {.base = c->shared};
    winners_pick_tables t;
    winners_pick_carve_tables(&shared, sizeof(T), LANES, &t);
    spor_lane *cell = t.cell, *offset = t.offset;
    for (int64_t k = 0; k < p->w.cells; k++)
        cell[k] = (spor_lane)(k / size[1].i * step[0] * p->cols + k % size[1].i * step[1]);
    for (int64_t k = 0; k < p->cells; k++)
        offset[k] = (spor_lane)(k / work->g.l * p->cols + k % work->g.l);
}

/* Elements of one or two vectors by their numbers. */
SPOR_INLINE vec pick(vec low, vec high, ivec at, const int vectors) {
#if defined(__AVX512F__) && SPOR_F32_LANES
    return vectors == 1 ? (vec)_mm512_permutexvar_ps((__m512i)at, (__m512)low)
                        : (vec)_mm512_permutex2var_ps((__m512)low, (__m512i)at, (__m512)high);
#elif defined(__AVX512F__)
    return vectors == 1 ? (vec)_mm512_permutexvar_pd((__m512i)at, (__m512d)low)
                        : (vec)_mm512_permutex2var_pd((__m512d)low, (__m512i)at, (__m512d)high);
#elif defined(__AVX2__) && SPOR_F32_LANES
    __m256 l = _mm256_permutevar8x32_ps((__m256)low, (__m256i)at);
    if (vectors == 1) return (vec)l;
    __m256 h = _mm256_permutevar8x32_ps((__m256)high, (__m256i)at);
    return (vec)_mm256_blendv_ps(l, h, (__m256)(at << 28)); /* bit 3 tells which */
#else
    (void)high, (void)at, (void)vectors; /* can_look_up said no */
    return low;
#endif
}

SPOR_INLINE ivec lane_numbers(void) {
    ivec number;
    for (int i = 0; i < (int)LANES; i++) number[i] = i;
    return number;
}

/* ---- what windows see ---- */

/* Every C-th element from element c on of C vectors, one after the other in memory. */
SPOR_INLINE vec pick_channel(const T *from, int64_t C, int64_t c) {
    vec all = {0};
    for (int64_t v = 0; v < C; v++) {
        ivec e = lane_numbers() * (spor_lane)C + (spor_lane)(c - v * LANES);
        ivec here = (e >= 0) & (e < (spor_lane)LANES);
        vec some = simd_load(from + v * LANES);
        all = simd_select(here, pick(some, some, e, 1), all);
    }
    return all;
}

/* count pixels of C channels, taken apart: a channel's are `plane` from those of the one before. */
static void spread_pixels(const T *from, int64_t count, int64_t C, T *to, int64_t plane) {
    const int64_t few = 4; /* each vector of a channel is picked from C vectors */
    int64_t whole = C <= few ? count / LANES * LANES : 0;
    for (int64_t e = 0; e < whole; e += LANES)
        for (int64_t c = 0; c < C; c++)
            simd_store(to + c * plane + e, pick_channel(from + e * C, C, c));
    for (int64_t e = whole; e < count; e++)
        for (int64_t c = 0; c < C; c++) to[c * plane + e] = from[e * C + c];
}

/* A sample's channels, one by one, in zeros. */
static void spread_planes(const correlation *g, const winners_pick *p, const winners_pick_arrays *a,
                          const T *sample) {
    int64_t left = carve_most(0, -g->left), right = carve_least(g->w, g->Wp - g->left);
    for (int64_t r = 0; r < g->h && left < right; r++) {
        if (r + g->top < 0 || r + g->top >= g->Hp) continue;
        spread_pixels(sample + (r * g->w + left) * g->C, right - left, g->C,
                      (T *)a->planes + p->before + (r + g->top) * g->Wp + g->left + left, p->plane);
    }
}

/* Rows of what a window sees of a channel, sixteen bytes at a time: what a row's last ones bring beyond it,
 * the next row or window writes over. */
SPOR_INLINE void copy_seen(const correlation *g, const winners_pick *p, const T *from, T *to) {
    enum { SOME = 16 / sizeof(T) };
    if (p->cols <= SOME) {
        for (int64_t u = 0; u < p->rows; u++, from += g->Wp, to += p->cols)
            memcpy(to, from, SOME * sizeof(T));
        return;
    }
    for (int64_t u = 0; u < p->rows; u++, from += g->Wp, to += p->cols)
        for (int64_t e = 0; e < p->cols; e += SOME) memcpy(to + e, from + e, SOME * sizeof(T));
}

/* Of some rows of windows, from row `first` of a sample on. */
static void copy_all_seen(const correlation *g, const winners_pick *p, const winners_pick_arrays *a,
                          int64_t first, int64_t rows) {
    const spor_attr *step = p->w.attr + WINDOW_STRIDE, *pad = p->w.attr + WINDOW_PAD;
    T *to = a->seen;
    for (int64_t i = first; i < first + rows; i++) {
        int64_t top = (i * step[0].i - pad[0].i) * g->stride[0], left = -pad[2].i * g->stride[1];
        const T *from = (const T *)a->planes + p->before + top * g->Wp + left;
        for (int64_t j = 0; j < p->w.Q; j++)
            for (int64_t c = 0; c < g->C; c++, to += p->slot)
                copy_seen(g, p, from + j * step[1].i * g->stride[1] + c * p->plane, to);
    }
}

/* ---- sums ---- */

/* What count windows add to the sums of a vector of filters and a channel. In what a window sees its cells
 * lie at `cell`, those of the kernel `offset` further. */
typedef struct {
    const T *seen, *delta, *cell;
    const uint8_t *winner;
    int64_t next, F, filters, count;
    const spor_lane *offset;
} pick_work;

SPOR_INLINE void pick_tile(const pick_work *w, T *sum, const int cells, const int vectors) {
    const T *seen = w->seen, *delta = w->delta;
    const uint8_t *winner = w->winner;
    vec s[PICK_CELLS], cell[2] = {simd_load(w->cell), simd_load(w->cell + LANES)};
    ivec offset[PICK_CELLS];
    SPOR_UNROLL for (int k = 0; k < cells; k++) {
        s[k] = simd_load(sum + k * LANES);
        offset[k] = simd_all_int(w->offset[k]);
    }
    for (int64_t p = 0; p < w->count; p++) {
        vec low = simd_load(seen), high = vectors == 1 ? low : simd_load(seen + LANES);
        vec felt = simd_load_part(delta, w->filters);
        ivec place = (ivec)pick(cell[0], cell[1], load_winners(winner, 1, LANES), vectors);
        SPOR_UNROLL for (int k = 0; k < cells; k++) s[k] =
            simd_fma(felt, pick(low, high, place + offset[k], vectors), s[k]);
        seen += w->next;
        winner += w->F;
        delta += w->F;
    }
    SPOR_UNROLL for (int k = 0; k < cells; k++) simd_store(sum + k * LANES, s[k]);
}

typedef void pick_function(const pick_work *w, T *sum);

#define PICK_NAME(cells, vectors) pick_##cells##x##vectors
#define DEFINE_PICK(cells, vectors)                                                                \
    static void PICK_NAME(cells, vectors)(const pick_work *w, T *sum) {                            \
        pick_tile(w, sum, cells, vectors);                                                         \
    }
DEFINE_PICK(1, 1)
DEFINE_PICK(2, 1)
DEFINE_PICK(3, 1)
DEFINE_PICK(4, 1)
DEFINE_PICK(5, 1)
DEFINE_PICK(6, 1)
DEFINE_PICK(7, 1)
DEFINE_PICK(8, 1)
DEFINE_PICK(9, 1)
DEFINE_PICK(1, 2)
DEFINE_PICK(2, 2)
DEFINE_PICK(3, 2)
DEFINE_PICK(4, 2)
DEFINE_PICK(5, 2)
DEFINE_PICK(6, 2)
DEFINE_PICK(7, 2)
DEFINE_PICK(8, 2)
DEFINE_PICK(9, 2)

/* [vectors - 1][cells - 1] */
static pick_function *const pick_functions[2][PICK_CELLS] = {
    {pick_1x1, pick_2x1, pick_3x1, pick_4x1, pick_5x1, pick_6x1, pick_7x1, pick_8x1, pick_9x1},
    {pick_1x2, pick_2x2, pick_3x2, pick_4x2, pick_5x2, pick_6x2, pick_7x2, pick_8x2, pick_9x2}};

/* Adds count windows to all sums. */
static void pick_windows(const spor_call *c, const correlation *g, const winners_pick *p,
                         const winners_pick_arrays *a, const T *delta, int64_t count) {
    spor_carver shared = {.base = c->shared};
    winners_pick_tables t;
    winners_pick_carve_tables(&shared, sizeof(T), LANES, &t);
    pick_function *sums = pick_functions[p->slot / LANES - 1][p->cells - 1];
    T *sum = a->sum;
    for (int64_t k = 0; k < g->C; k++)
        for (int64_t f = 0; f < g->F; f += LANES, sum += p->cells * LANES)
            sums(&(pick_work){.seen = (const T *)a->seen + k * p->slot,
                              .delta = delta + f,
                              .cell = t.cell,
                              .offset = t.offset,
                              .winner = (const uint8_t *)a->winner + f,
                              .next = g->C * p->slot,
                              .F = g->F,
                              .filters = carve_least(LANES, g->F - f),
                              .count = count},
                 sum);
}

/* dK[u,v,c,f] from the sums. */
static void store_picked(const correlation *g, const winners_pick *p, const winners_pick_arrays *a,
                         T *dK) {
    const T *sum = a->sum;
    for (int64_t c = 0; c < g->C; c++)
        for (int64_t f = 0; f < g->F; f += LANES)
            for (int64_t k = 0; k < p->cells; k++, sum += LANES)
                simd_store_part(dK + (k * g->C + c) * g->F + f, simd_load(sum),
                                carve_least(LANES, g->F - f));
}

/* Eq. (44), a sample at a time: x, delta_y, y with its winners -> dK */
static inline void winners_pick_dK(const spor_call *c, int64_t task, const conv_work *work,
                                   const winners_pick *p) {
    const correlation *g = &work->g;
    spor_carver scratch = {.base = c->scratch};
    winners_pick_arrays a;
    winners_pick_carve(&scratch, work, p, sizeof(T), LANES, &a);
    memset(c->scratch, 0, scratch.used); /* zeros around the channels and in the sums */
    task_part samples = samples_of(c, task, work);
    for (int64_t n = samples.first; n < samples.end; n++) {
        const T *x = (const T *)c->in[0].data + n * g->h * g->w * g->C;
        spread_planes(g, p, &a, x);
        for (int64_t k = 0, some; k < p->w.windows; k += some) {
            some = carve_least(p->piece, p->w.windows - k);
            int64_t at = (n * p->w.windows + k) * g->F;
            copy_all_seen(g, p, &a, k / p->w.Q, some / p->w.Q);
            memcpy(a.winner, (const uint8_t *)c->in[2].saved + at, (size_t)(some * g->F));
            pick_windows(c, g, p, &a, (const T *)c->in[1].data + at, some);
        }
    }
    store_picked(g, p, &a, task_result(c, task));
}

#endif

#endif
