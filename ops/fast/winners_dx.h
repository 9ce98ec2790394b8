/*
 * dx by winners (winners.h): what a winner feels goes to all that its pixel sees,
 *
 *             dx~[a(p,f) S + (u,v), c] += K[u,v,c,f] delta_y[p,f]            Eq. (43), term by term
 *
 * The filters of a window are listed by the cell that won. Those of one cell see the same, so that
 * they are added up in registers: a row of the kernel at a time, of which the first cache holds what
 * all filters have of some vectors. Pixels of dx~ lie in whole vectors; at the end its inside is dx.
 */
#ifndef SPOR_OPS_FAST_WINNERS_DX_H
#define SPOR_OPS_FAST_WINNERS_DX_H

#include "winners.h"

/** The padded map, channels in whole vectors. */
static inline sight sight_whole(const correlation *g, int64_t lanes) {
    int64_t pixel = carve_whole_vectors(g->C, lanes), line = carve_times(g->Wp, pixel);
    return (sight){.rows = g->k,
                   .run = carve_times(g->l, pixel),
                   .used = carve_times(g->l, pixel),
                   .row = line,
                   .right = carve_times(g->stride[1], pixel),
                   .down = carve_times(g->stride[0], line),
                   .map = carve_times(g->Hp, line)};
}

/** dx by winners: the kernel and vectors of a pass over the windows. */
typedef struct {
    winners w;
    int64_t pixel;   /* elements of one */
    int64_t line;    /* elements of a filter: all that a pixel sees */
    int64_t vectors; /* of a row, at most, in one pass */
} winners_spread;

/** Bytes of the kernel that stay in the first cache beside map and lists; vectors of a pass. */
enum { PASS_BYTES = 20 << 10, PASS_LEAST = 3, PASS_MOST = 12 };

static inline winners_spread winners_spread_of(const correlation *g, const spor_attr *attr,
                                               size_t width, int64_t lanes) {
    winners_spread s = {.w = winners_of(g, attr, sight_whole(g, lanes))};
    s.pixel = carve_whole_vectors(g->C, lanes);
    s.line = carve_times(g->k, s.w.s.run);
    int64_t vector = carve_times(g->F, lanes * (int64_t)width);
    s.vectors = carve_least(carve_most(PASS_BYTES / vector, PASS_LEAST), PASS_MOST);
    return s;
}

/** Of a sample: each list's registers are read and written, the map is cleared and copied. Of few vectors a
 *  filter of a list waits for the one before. */
enum { COST_SORTED = 5, COST_CHAIN = 4, COST_ADDED = 3 };

static inline int64_t winners_spread_cost(const correlation *g, const winners *w) {
    sight seen = sight_whole(g, COST_LANES);
    int64_t vectors = sight_vectors(&seen, COST_LANES);
    int64_t lists = carve_times(w->windows, carve_least(w->cells, g->F));
    return carve_times(carve_times(w->windows, g->F),
                       carve_most(vectors, COST_CHAIN) + COST_SORTED) +
           carve_times(lists, vectors * COST_ADDED) +
           carve_times(seen.map / COST_LANES, COST_WINNER);
}

static inline bool winners_spread_pays(const conv_work *work, const winners_spread *s,
                                       const conv_work *backward) {
    const correlation *g = &work->g;
    return winners_fit(&s->w, work->group, carve_times(g->F, s->line)) &&
           winners_spread_cost(g, &s->w) < pixels_cost(backward);
}

/** Shared. */
typedef struct {
    winners_tables t;
    void *kernel; /* [F][rows][run] */
} winners_spread_shared;

static inline void winners_spread_carve_shared(spor_carver *carver, const conv_work *work,
                                               const winners_spread *s, size_t width,
                                               winners_spread_shared *a) {
    winners_carve(carver, &s->w, work->group, width, &a->t);
    a->kernel = carve_take(carver, carve_times(work->g.F, s->line), width);
}

/** A task's own, for a group of samples. */
typedef struct {
    void *maps;      /* of dx~ */
    void *at, *felt; /* [windows][cells][F]: where a filter's kernel begins, what it feels */
    int64_t *count;  /* [windows][cells]: the filters in a list */
} winners_spread_arrays;

static inline void winners_spread_carve(spor_carver *carver, const conv_work *work,
                                        const winners_spread *s, size_t width,
                                        winners_spread_arrays *a) {
    int64_t lists = carve_times(carve_times(work->group, s->w.windows), s->w.cells);
    a->maps = carve_take(carver, carve_times(work->group, s->w.s.map), width);
    a->at = carve_take(carver, carve_times(lists, work->g.F), width);
    a->felt = carve_take(carver, carve_times(lists, work->g.F), width);
    a->count = carve_take(carver, lists, sizeof *a->count);
}

#ifdef SPOR_RULES

static inline void winners_spread_need(const conv_work *work, const winners_spread *s, size_t width,
                                       spor_need *need) {
    const correlation *g = &work->g;
    spor_carver shared = {0}, scratch = {0};
    winners_spread_shared with;
    winners_spread_arrays arrays;
    winners_spread_carve_shared(&shared, work, s, width, &with);
    winners_spread_carve(&scratch, work, s, width, &arrays);
    need->shared = shared.used;
    need->scratch = scratch.used;
    need->way = "winners only";
    int64_t cost = carve_times(winners_spread_cost(g, &s->w), COST_LANES);
    need->tasks[SPOR_PREPARE] =
        tasks_for(need, g->k * g->l, carve_times(carve_times(g->C, g->F), COST_MOVED), 0);
    need->tasks[SPOR_WORK] = tasks_for(need, units_of(work), carve_times(work->group, cost), 0);
}

#endif

#ifdef SPOR_ISA

/* A task of PREPARE: its cells of the kernel, turned. */
static inline void winners_spread_prepare(const spor_call *c, int64_t task, const conv_work *work,
                                          const winners_spread *s) {
    const correlation *g = &work->g;
    spor_carver carver = {.base = c->shared};
    winners_spread_shared a;
    winners_spread_carve_shared(&carver, work, s, sizeof(T), &a);
    task_part cells = task_part_of(c, SPOR_PREPARE, task, g->k * g->l);
    for (int64_t uv = cells.first; uv < cells.end; uv++)
        turn((T *)a.kernel + uv * s->pixel, s->line, s->pixel,
             (const T *)c->in[1].data + uv * g->C * g->F, g->F, g->C, g->F);
    if (task == 0) winners_fill(&s->w, work->group, &a.t);
}

/* The lists of some windows. Who feels nothing is in none. */
static void sort_filters(const winners_spread *s, const winners_spread_arrays *a, int64_t F,
                         int64_t windows, const T *delta, const uint8_t *winner) {
    spor_lane *at = a->at;
    T *felt = a->felt;
    int64_t *count = a->count;
    memset(count, 0, (size_t)(windows * s->w.cells) * sizeof *count);
    for (int64_t p = 0; p < windows; p++) {
        for (int64_t f = 0; f < F; f++) {
            int64_t cell = winner[f], to = cell * F + count[cell];
            at[to] = (spor_lane)(f * s->line);
            felt[to] = delta[f];
            count[cell] += !(delta[f] == 0);
        }
        at += s->w.cells * F;
        felt += s->w.cells * F;
        count += s->w.cells;
        delta += F;
        winner += F;
    }
}

/* to += what the filters of a list have of some vectors of a row, times what they feel */
SPOR_INLINE void add_list(T *to, const T *kernel, const spor_lane *at, const T *felt, int64_t count,
                          const int vectors) {
    vec s[PASS_MOST];
    SPOR_UNROLL for (int v = 0; v < vectors; v++) s[v] = simd_load(to + v * LANES);
    for (int64_t q = 0; q < count; q++) {
        const T *row = kernel + at[q];
        vec d = simd_all(felt[q]);
        SPOR_UNROLL for (int v = 0; v < vectors; v++) s[v] =
            simd_fma(d, simd_load(row + v * LANES), s[v]);
    }
    SPOR_UNROLL for (int v = 0; v < vectors; v++) simd_store(to + v * LANES, s[v]);
}

/* All lists of some windows, some vectors of a row of the kernel; map: where the first window's first
 * pixel sees these. */
SPOR_INLINE void add_lists(const winners_spread *s, const winners_spread_arrays *a,
                           const winners_tables *t, int64_t F, int64_t windows, const T *kernel,
                           T *map, const int vectors) {
    const spor_lane *begin = t->window, *cell = t->cell, *at = a->at;
    const T *felt = a->felt;
    const int64_t *count = a->count;
    for (int64_t p = 0; p < windows; p++)
        for (int64_t k = 0; k < s->w.cells; k++, at += F, felt += F, count++)
            if (*count) add_list(map + begin[p] + cell[k], kernel, at, felt, *count, vectors);
}

typedef void add_function(const winners_spread *s, const winners_spread_arrays *a,
                          const winners_tables *t, int64_t F, int64_t windows, const T *kernel,
                          T *map);

#define ADD_NAME(vectors) add_lists_##vectors
#define DEFINE_ADD(vectors)                                                                        \
    static void ADD_NAME(vectors)(const winners_spread *s, const winners_spread_arrays *a,         \
                                  const winners_tables *t, int64_t F, int64_t windows,             \
                                  const T *kernel, T *map) {                                       \
        add_lists(s, a, t, F, windows, kernel, map, vectors);                                      \
    }
DEFINE_ADD(1)
DEFINE_ADD(2)
DEFINE_ADD(3)
DEFINE_ADD(4)
DEFINE_ADD(5)
DEFINE_ADD(6)
DEFINE_ADD(7)
DEFINE_ADD(8)
DEFINE_ADD(9)
DEFINE_ADD(10)
DEFINE_ADD(11)
DEFINE_ADD(12)

static add_function *const add_functions[PASS_MOST] = {
    ADD_NAME(1), ADD_NAME(2), ADD_NAME(3), ADD_NAME(4),  ADD_NAME(5),  ADD_NAME(6),
    ADD_NAME(7), ADD_NAME(8), ADD_NAME(9), ADD_NAME(10), ADD_NAME(11), ADD_NAME(12)};

/* dx~ of some windows, from their lists */
static void spread_lists(const winners_spread *s, const winners_spread_arrays *a,
                         const winners_spread_shared *with, int64_t F, int64_t windows) {
    int64_t vectors = s->w.s.run / LANES;
    for (int64_t u = 0; u < s->w.s.rows; u++)
        for (int64_t done = 0, some; done < vectors; done += some) {
            int64_t parts = (vectors - done + s->vectors - 1) / s->vectors;
            some = (vectors - done + parts - 1) / parts;
            add_functions[some - 1](s, a, &with->t, F, windows,
                                    (const T *)with->kernel + u * s->w.s.run + done * LANES,
                                    (T *)a->maps + u * s->w.s.row + done * LANES);
        }
}

/* dx of a sample, the inside of dx~ */
static void copy_inside(const correlation *g, const winners_spread *s, const T *map, T *dx) {
    for (int64_t i = 0; i < g->h; i++) {
        const T *from = map + (i + g->top) * s->w.s.row + g->left * s->pixel;
        for (int64_t j = 0; j < g->w; j++, from += s->pixel, dx += g->C)
            memcpy(dx, from, (size_t)g->C * sizeof *dx);
    }
}

/* Eq. (43) with its tilde, a group of samples at a time: delta_y, K, y with its winners -> dx */
static inline void winners_spread_dx(const spor_call *c, int64_t task, const conv_work *work,
                                     const winners_spread *s) {
    const correlation *g = &work->g;
    spor_carver shared = {.base = c->shared}, scratch = {.base = c->scratch};
    winners_spread_shared with;
    winners_spread_arrays a;
    winners_spread_carve_shared(&shared, work, s, sizeof(T), &with);
    winners_spread_carve(&scratch, work, s, sizeof(T), &a);
    task_part samples = samples_of(c, task, work);
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(work->group, samples.end - n);
        int64_t windows = count * s->w.windows, at = n * s->w.windows * g->F;
        memset(a.maps, 0, (size_t)(count * s->w.s.map) * sizeof(T));
        sort_filters(s, &a, g->F, windows, (const T *)c->in[0].data + at,
                     (const uint8_t *)c->in[2].saved + at);
        spread_lists(s, &a, &with, g->F, windows);
        for (int64_t k = 0; k < count; k++)
            copy_inside(g, s, (const T *)a.maps + k * s->w.s.map,
                        (T *)c->out.data + (n + k) * g->h * g->w * g->C);
    }
}

#endif

#endif
