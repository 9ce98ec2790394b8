/*
 * dK by winners (winners.h):
 *
 *             dK[u,v,c,f] = sum_p x~[a(p,f) S + (u,v), c] delta_y[p,f]                       Eq. (44)
 *
 * Where a row of what a pixel sees is shorter than a vector, all of it is copied to one row first. A
 * filter's sums stay in registers for a piece of the windows, which the first cache holds.
 */
#ifndef SPOR_OPS_FAST_WINNERS_DK_H
#define SPOR_OPS_FAST_WINNERS_DK_H

#include "winners.h"

/** As the maps lie. */
static inline sight sight_in_maps(const correlation *g) {
    int64_t line = g->Wp * g->C;
    return (sight){.rows = g->k,
                   .run = g->l * g->C,
                   .used = g->l * g->C,
                   .row = line,
                   .right = g->stride[1] * g->C,
                   .down = g->stride[0] * line,
                   .map = g->Hp * line};
}

/** Each pixel's for itself, in whole vectors. */
static inline sight sight_copied(const correlation *g, int64_t lanes) {
    int64_t run = carve_whole_vectors(depth_of(g), lanes);
    return (sight){.copied = true,
                   .rows = 1,
                   .run = run,
                   .used = depth_of(g),
                   .right = run,
                   .down = g->Q * run,
                   .map = pixels_of(g) * run};
}

/** A run of less than a vector would be read beyond its end. */
static inline sight sight_of(const correlation *g, int64_t lanes) {
    sight in_maps = sight_in_maps(g), copied = sight_copied(g, lanes);
    bool shorter = 2 * sight_vectors(&copied, lanes) <= sight_vectors(&in_maps, lanes);
    return in_maps.run < lanes || shorter ? copied : in_maps;
}

/** dK by winners, a piece of the windows at a time. */
typedef struct {
    winners w;
    int64_t piece, list; /* windows of a piece; of which a filter's list has room for */
} winners_sum;

/** Bytes of a map that stay in the first cache beside the sums; least windows of a piece. */
enum { PIECE_BYTES = 20 << 10, PIECE_WINDOWS = 16 };

static inline winners_sum winners_sum_of(const conv_work *work, const spor_attr *attr, size_t width,
                                         int64_t lanes) {
    winners_sum s = {.w = winners_of(&work->g, attr, sight_of(&work->g, lanes))};
    int64_t each = carve_times(s.w.s.map / s.w.windows + 1, (int64_t)width);
    s.piece = carve_least(carve_most(PIECE_BYTES / each, PIECE_WINDOWS),
                          carve_times(work->group, s.w.windows));
    s.list = carve_whole_vectors(s.piece, lanes);
    return s;
}

/** A copied row, of those a pixel sees, as a multiply-add. */
enum { COST_ROW = 2 };

/** Of a sample. */
static inline int64_t winners_sum_cost(const correlation *g, const winners_sum *s) {
    sight seen = sight_of(g, COST_LANES);
    int64_t copied = seen.copied ? carve_times(pixels_of(g), g->k * COST_ROW) : 0;
    return copied + carve_times(carve_times(s->w.windows, g->F),
                                sight_vectors(&seen, COST_LANES) + COST_WINNER);
}

/** Arrays of a task. */
typedef struct {
    winners_tables t;
    void *maps, *sights; /* padded; copied, each pixel's for itself */
    void *at, *delta;    /* of a piece: [F][list], where a filter's winners lie, what they feel */
    void *sum;           /* [F][rows][run] */
} winners_sum_arrays;

static inline void winners_sum_carve(spor_carver *carver, const conv_work *work,
                                     const winners_sum *s, size_t width, int64_t lanes,
                                     winners_sum_arrays *a) {
    int64_t F = work->g.F, pairs = carve_times(F, s->list);
    int64_t sights = s->w.s.copied ? carve_times(work->group, s->w.s.map) + lanes : 0;
    a->maps = carve_take(carver, maps_of_group(work), width);
    a->sights = carve_take(carver, sights, width);
    a->at = carve_take(carver, pairs, width);
    a->delta = carve_take(carver, pairs, width);
    a->sum = carve_take(carver, carve_times(F, s->w.s.rows * s->w.s.run), width);
}

#ifdef SPOR_RULES

/* Whole vectors of filters can be dealt out to so many tasks with little difference. */
static inline bool deals_evenly(int64_t filters, int64_t tasks) {
    int64_t each = vectors_of(vectors_of(filters, COST_LANES), tasks) * COST_LANES;
    return each * tasks <= filters + filters / 8;
}

/* Tasks that have some filters each and all samples, whose maps each lays out for itself. */
static inline int64_t winners_sum_filters(const conv_work *work, const spor_need *need,
                                          int64_t all) {
    int64_t parts = vectors_of(work->g.F, COST_LANES);
    int64_t maps = carve_times(units_of(work), maps_of_group(work));
    int64_t tasks = tasks_for(need, parts, all / parts, maps);
    while (tasks > 1 && !deals_evenly(work->g.F, tasks)) tasks--;
    return tasks;
}

/* Tasks of samples, whose sums are added up; or of filters, if they are as many. */
static inline void winners_sum_tasks(const conv_work *work, const winners_sum *s, size_t width,
                                     spor_need *need) {
    int64_t cost = carve_times(winners_sum_cost(&work->g, s), carve_times(COST_LANES, work->group));
    int64_t filters = winners_sum_filters(work, need, carve_times(cost, units_of(work)));
    tasks_add_up(need, units_of(work), cost, carve_times(depth_of(&work->g), work->g.F), width);
    if (filters < need->tasks[SPOR_WORK]) return;
    need->tasks[SPOR_WORK] = filters;
    need->tasks[SPOR_FINISH] = 0;
    need->partial = 0;
}

static inline void winners_sum_need(const conv_work *work, const winners_sum *s, size_t width,
                                    int lanes, spor_need *need) {
    spor_carver shared = {0}, scratch = {0};
    winners_sum_arrays arrays;
    winners_carve(&shared, &s->w, work->group, width, &arrays.t);
    winners_sum_carve(&scratch, work, s, width, lanes, &arrays);
    need->shared = shared.used;
    need->scratch = scratch.used;
    need->way = "winners only";
    need->tasks[SPOR_PREPARE] = 1;
}

#endif

#ifdef SPOR_ISA

/* The one task of PREPARE. */
static inline void winners_sum_prepare(const spor_call *c, const conv_work *work,
                                       const winners_sum *s) {
    spor_carver carver = {.base = c->shared};
    winners_tables t;
    winners_carve(&carver, &s->w, work->group, sizeof(T), &t);
    winners_fill(&s->w, work->group, &t);
}

/* ---- what pixels see ---- */

/* Sixteen bytes at a time: what a row's last ones bring beyond it, the next row or pixel writes over. */
static void copy_sight(const correlation *g, const T *from, const T *end, T *to) {
    enum { SOME = 16 / sizeof(T) };
    int64_t line = g->Wp * g->C, run = g->l * g->C;
    bool near_end = end - from < (g->k - 1) * line + run + SOME;
    for (int64_t u = 0; u < g->k; u++, from += line, to += run)
        for (int64_t e = 0; e < run; e += SOME)
            memcpy(to + e, from + e,
                   near_end ? (size_t)carve_least(SOME, run - e) * sizeof(T) : SOME * sizeof(T));
}

/* What the pixels of count samples see. */
static const T *sights_of(const correlation *g, const sight *s, const winners_sum_arrays *a,
                          const T *samples, int64_t count) {
    const T *map = lay_out(g, a->maps, samples, count), *end = map + count * g->Hp * g->Wp * g->C;
    if (!s->copied) return map;
    T *to = a->sights;
    for (int64_t n = 0; n < count; n++)
        for (int64_t i = 0; i < g->P; i++) {
            const T *from = map + (n * g->Hp + i * g->stride[0]) * g->Wp * g->C;
            for (int64_t j = 0; j < g->Q; j++, to += s->right, from += g->stride[1] * g->C)
                copy_sight(g, from, end, to);
        }
    return a->sights;
}

/* ---- lists ---- */

/* Where the winners of some filters lie from their window's beginning on. */
SPOR_INLINE ivec cells_of(const spor_lane *cell, int64_t cells, const uint8_t *winner,
                          int64_t filters) {
    ivec number = load_winners(winner, 1, filters), at = simd_all_int(cell[0]);
    for (int64_t k = 1; k < cells; k++)
        at = simd_select_int(number == simd_all_int((spor_lane)k), simd_all_int(cell[k]), at);
    return at;
}

/* The lists of some windows, which begin at first[0], first[1] ..., and filters, a square at most:
 * rows of windows are turned to lines of filters, from entry `to` of the lists on. */
SPOR_INLINE void fill_square(const winners_sum *s, const winners_sum_arrays *a, int64_t F,
                             const spor_lane *first, int64_t windows, const T *delta,
                             const uint8_t *winner, int64_t filters, int64_t cells, int64_t to) {
    vec at[LANES], felt[LANES];
    SPOR_UNROLL for (int p = 0; p < (int)LANES; p++) {
        at[p] = felt[p] = (vec){0};
        if (p >= windows) continue;
        felt[p] = simd_load_part(delta + p * F, filters);
        at[p] = (vec)(simd_all_int(first[p]) + cells_of(a->t.cell, cells, winner + p * F, filters));
    }
    simd_turn_square(at);
    simd_turn_square(felt);
    SPOR_UNROLL for (int f = 0; f < (int)LANES; f++) {
        if (f >= filters) continue;
        simd_store((T *)a->at + to + f * s->list, at[f]);
        simd_store((T *)a->delta + to + f * s->list, felt[f]);
    }
}

/* Where a vector of so many starts: the last one reaches back over the one before. */
SPOR_INLINE int64_t start_at(int64_t k, int64_t all) {
    return k + LANES > all && all >= LANES ? all - LANES : k;
}

/* The lists of count windows of a group, from window `first` on, and some of the F filters. */
static void fill_lists(const winners_sum *s, const winners_sum_arrays *a, int64_t F,
                       int64_t filters, int64_t first, int64_t count, const T *delta,
                       const uint8_t *winner) {
    const spor_lane *begin = (const spor_lane *)a->t.window + first;
    bool usual = count >= LANES && filters >= LANES && s->w.cells == 4;
    for (int64_t k = 0; k < count; k += LANES)
        for (int64_t j = 0; j < filters; j += LANES) {
            int64_t p = start_at(k, count), f = start_at(j, filters), at = p * F + f;
            if (usual)
                fill_square(s, a, F, begin + p, LANES, delta + at, winner + at, LANES, 4,
                            f * s->list + p);
            else
                fill_square(s, a, F, begin + p, carve_least(LANES, count - p), delta + at,
                            winner + at, carve_least(LANES, filters - f), s->w.cells,
                            f * s->list + p);
        }
}

/* ---- sums ---- */

/* For `count` entries of the lists of some filters, each a line of `list` entries: what the winners
 * see times what they feel, added to the filters' sums, a line of `line` each. The last vector may
 * reach back over the one before. */
SPOR_INLINE void sum_tile(const T *x, const spor_lane *at, const T *delta, int64_t list,
                          int64_t count, T *sum, int64_t line, int64_t last, const int filters,
                          const int vectors) {
    vec s[8][12];
    SPOR_UNROLL for (int f = 0; f < filters; f++) {
        SPOR_UNROLL for (int v = 0; v < vectors; v++) s[f][v] =
            simd_load(sum + f * line + (v < vectors - 1 ? v * LANES : last));
    }
    for (int64_t p = 0; p < count; p++) {
        SPOR_UNROLL for (int f = 0; f < filters; f++) {
            const T *seen = x + at[f * list + p];
            vec felt = simd_all(delta[f * list + p]);
            SPOR_UNROLL for (int v = 0; v < vectors; v++) s[f][v] =
                simd_fma(felt, simd_load(seen + (v < vectors - 1 ? v * LANES : last)), s[f][v]);
        }
    }
    SPOR_UNROLL for (int f = 0; f < filters; f++) {
        SPOR_UNROLL for (int v = 0; v < vectors; v++)
            simd_store(sum + f * line + (v < vectors - 1 ? v * LANES : last), s[f][v]);
    }
}

typedef void sum_function(const T *x, const spor_lane *at, const T *delta, int64_t list,
                          int64_t count, T *sum, int64_t line, int64_t last);

#define SUM_NAME(filters, vectors) sum_##filters##x##vectors
#define DEFINE_SUM(filters, vectors)                                                               \
    static void SUM_NAME(filters, vectors)(const T *x, const spor_lane *at, const T *delta,        \
                                           int64_t list, int64_t count, T *sum, int64_t line,      \
                                           int64_t last) {                                         \
        sum_tile(x, at, delta, list, count, sum, line, last, filters, vectors);                    \
    }
DEFINE_SUM(1, 1)
DEFINE_SUM(2, 1)
DEFINE_SUM(4, 1)
DEFINE_SUM(8, 1)
DEFINE_SUM(1, 2)
DEFINE_SUM(2, 2)
DEFINE_SUM(4, 2)
DEFINE_SUM(1, 3)
DEFINE_SUM(2, 3)
DEFINE_SUM(4, 3)
DEFINE_SUM(1, 4)
DEFINE_SUM(2, 4)
DEFINE_SUM(1, 5)
DEFINE_SUM(2, 5)
DEFINE_SUM(1, 6)
DEFINE_SUM(2, 6)
DEFINE_SUM(1, 7)
DEFINE_SUM(1, 8)
DEFINE_SUM(1, 9)
DEFINE_SUM(1, 10)
DEFINE_SUM(1, 11)
DEFINE_SUM(1, 12)

/* [vectors - 1][filters 1, 2, 4, 8]: as many as the registers of any set hold. */
enum { SUM_VECTORS = 12, SUM_FILTERS = 4 };
static sum_function *const sum_functions[SUM_VECTORS][SUM_FILTERS] = {
    {sum_1x1, sum_2x1, sum_4x1, sum_8x1},
    {sum_1x2, sum_2x2, sum_4x2},
    {sum_1x3, sum_2x3, sum_4x3},
    {sum_1x4, sum_2x4},
    {sum_1x5, sum_2x5},
    {sum_1x6, sum_2x6},
    {sum_1x7},
    {sum_1x8},
    {sum_1x9},
    {sum_1x10},
    {sum_1x11},
    {sum_1x12}};

/* All filters of the lists, some vectors of a row of what pixels see. */
static void sum_filters(const winners_sum *s, const winners_sum_arrays *a, int64_t filters,
                        int64_t count, const T *x, T *sum, int64_t vectors, int64_t last) {
    sum_function *const *sums = sum_functions[vectors - 1];
    int64_t line = s->w.s.rows * s->w.s.run;
    for (int64_t f = 0, some; f < filters; f += some) {
        int wide = SUM_FILTERS - 1;
        while (!sums[wide] || 1 << wide > filters - f) wide--;
        some = 1 << wide;
        sums[wide](x, (const spor_lane *)a->at + f * s->list, (const T *)a->delta + f * s->list,
                   s->list, count, sum + f * line, line, last);
    }
}

/* Adds a piece of the windows to all sums, from the lists. */
static void sum_piece(const winners_sum *s, const winners_sum_arrays *a, int64_t filters,
                      int64_t count, const T *x) {
    int64_t vectors = vectors_of(s->w.s.run, LANES), most = carve_most(s->w.s.run - LANES, 0);
    for (int64_t u = 0; u < s->w.s.rows; u++)
        for (int64_t done = 0, some; done < vectors; done += some) {
            int64_t parts = (vectors - done + SUM_VECTORS - 1) / SUM_VECTORS, from = done * LANES;
            some = (vectors - done + parts - 1) / parts;
            sum_filters(s, a, filters, count, x + u * s->w.s.row + from,
                        (T *)a->sum + u * s->w.s.run + from, some,
                        carve_least((some - 1) * LANES, most - from));
        }
}

/* Windows of the next piece when so many are left: as even as possible. */
static int64_t winners_piece(const winners_sum *s, int64_t left) {
    int64_t pieces = (left + s->piece - 1) / s->piece;
    return (left + pieces - 1) / pieces;
}

/* A group's windows, piece by piece, from window `first` of all on, for some of the F filters. */
static void sum_group(const spor_call *c, const winners_sum *s, const winners_sum_arrays *a,
                      int64_t F, task_part filters, const T *x, int64_t first, int64_t windows) {
    int64_t wide = filters.end - filters.first;
    for (int64_t p = 0, some; p < windows; p += some) {
        some = winners_piece(s, windows - p);
        int64_t at = (first + p) * F + filters.first;
        fill_lists(s, a, F, wide, p, some, (const T *)c->in[1].data + at,
                   (const uint8_t *)c->in[2].saved + at);
        sum_piece(s, a, wide, some, x);
    }
}

/* What a task sums: some of the samples for all filters where results are added up, else all of them
 * for some filters. */
typedef struct {
    task_part samples, filters;
} winners_part;

static winners_part winners_part_of(const spor_call *c, int64_t task, const conv_work *work) {
    int64_t F = work->g.F;
    if (c->partial) return (winners_part){samples_of(c, task, work), {0, F}};
    task_part part = task_part_of(c, SPOR_WORK, task, vectors_of(F, COST_LANES));
    int64_t end = carve_least(part.end * COST_LANES, F);
    return (winners_part){{0, work->N}, {part.first * COST_LANES, end}};
}

/* Eq. (44), a group of samples at a time: x, delta_y, y with its winners -> dK */
static inline void winners_sum_dK(const spor_call *c, int64_t task, const conv_work *work,
                                  const winners_sum *s) {
    const correlation *g = &work->g;
    const sight *seen = &s->w.s;
    spor_carver shared = {.base = c->shared}, scratch = {.base = c->scratch};
    winners_sum_arrays a;
    winners_carve(&shared, &s->w, work->group, sizeof(T), &a.t);
    winners_sum_carve(&scratch, work, s, sizeof(T), LANES, &a);
    memset(c->scratch, 0, scratch.used); /* zeros around the maps and in the sums */
    winners_part part = winners_part_of(c, task, work);
    for (int64_t n = part.samples.first, count; n < part.samples.end; n += count) {
        count = carve_least(work->group, part.samples.end - n);
        const T *x = (const T *)c->in[0].data + n * g->h * g->w * g->C;
        sum_group(c, s, &a, g->F, part.filters, sights_of(g, seen, &a, x, count), n * s->w.windows,
                  count * s->w.windows);
    }
    T *dK = (T *)task_result(c, c->partial ? task : 0) + part.filters.first;
    int64_t wide = part.filters.end - part.filters.first;
    for (int64_t u = 0; u < seen->rows; u++)
        turn(dK + u * seen->used * g->F, g->F, wide, (T *)a.sum + u * seen->run,
             seen->rows * seen->run, wide, seen->used);
}

#endif

#endif
