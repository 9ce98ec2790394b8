/*
 * The ways to compute a correlation, as a table: which one is taken follows from shapes alone.
 */
#ifndef SPOR_OPS_FAST_ALGORITHMS_H
#define SPOR_OPS_FAST_ALGORITHMS_H

#include "correlation.h"
#include "phases.h"
#include "winograd.h"

typedef struct conv_algorithm {
    const char *word;                             /* what it is called in `spor show` */
    bool shares;                                  /* its elements share what is rounded */
    int64_t (*cost)(const conv_work *w);          /* of a sample, in multiply-adds of vectors of
                                                     COST_LANES; INT64_MAX where it can't */
    int64_t (*prepare_parts)(const conv_work *w); /* that PREPARE can be cut into */
    /** Arrays of all tasks, and of one: elements of `width` bytes, vectors of so many lanes. */
    void (*carve_shared)(spor_carver *carver, const conv_work *w, size_t width, int64_t lanes,
                         conv_arrays *a);
    void (*carve_scratch)(spor_carver *carver, const conv_work *w, size_t width, int64_t lanes,
                          conv_arrays *a);
#ifdef SPOR_ISA
    /** Some parts of PREPARE. K[k,l,C,F]; turned: K[k,l,F,C], to be rotated, its channels exchanged;
     *  NULL for dK. */
    void (*prepare)(const conv_work *w, const conv_arrays *a, const T *K, bool turned,
                    task_part parts);
    /** What a task begins with. */
    void (*begin)(const conv_work *w, const conv_arrays *a);
    /** z[count,P,Q,F] = init[F], or 0, + the kernel over samples[count,h,w,C]. */
    void (*correlate)(const conv_work *w, const conv_arrays *a, const T *samples, int64_t count,
                      const T *K, bool turned, const T *init, T *z);
    /** Takes samples[count,h,w,C] and delta[count,P,Q,F] into dK: the task's first, or `add`ed. */
    void (*add)(const conv_work *w, const conv_arrays *a, const T *samples, int64_t count,
                const T *delta, T *dK, bool add);
    /** dK[k,l,C,F] of all that the task took in. */
    void (*finish)(const conv_work *w, const conv_arrays *a, T *dK);
#endif
} conv_algorithm;

#ifdef SPOR_ISA
#define IN_STEPS(way)                                                                              \
    , .prepare = way##_prepare, .begin = way##_begin, .correlate = way##_correlate,                \
      .add = way##_add, .finish = way##_finish
#else
#define IN_STEPS(way)
#endif
#define ALGORITHM(way, word_, shares_)                                                             \
    {                                                                                              \
        .word = word_, .shares = shares_, .cost = way##_cost, .prepare_parts = way##_parts,        \
        .carve_shared = way##_carve_shared, .carve_scratch = way##_carve_scratch IN_STEPS(way)     \
    }

enum { DIRECT, WINOGRAD, PHASES, ALGORITHMS };
static const conv_algorithm conv_algorithms[ALGORITHMS] = {
    [DIRECT] = ALGORITHM(direct, "a product", false),
    [WINOGRAD] = ALGORITHM(winograd, "Winograd's tiles", true),
    [PHASES] =
        ALGORITHM(phases, "a product for each class of pixels, without the zeros between", false)};

/** The cheapest way. */
static inline const conv_algorithm *algorithm_of(const conv_work *w) {
    const conv_algorithm *best = conv_algorithms;
    for (int k = 1; k < ALGORITHMS; k++)
        if (conv_algorithms[k].cost(w) < best->cost(w)) best = &conv_algorithms[k];
    return best;
}

static inline void carve_shared(spor_carver *carver, const conv_work *w, size_t width,
                                int64_t lanes, conv_arrays *a) {
    w->by->carve_shared(carver, w, width, lanes, a);
}

static inline void carve_scratch(spor_carver *carver, const conv_work *w, size_t width,
                                 int64_t lanes, conv_arrays *a) {
    w->by->carve_scratch(carver, w, width, lanes, a);
    a->whole = carve_take(carver, carve_times(w->group, w->whole), width);
}

#ifdef SPOR_RULES

static inline void work_need(conv_work w, size_t width, int lanes, spor_need *need) {
    const correlation *g = &w.g;
    spor_carver shared = {0}, scratch = {0};
    conv_arrays arrays;
    carve_shared(&shared, &w, width, lanes, &arrays);
    carve_scratch(&scratch, &w, width, lanes, &arrays);
    need->shared = shared.used;
    need->scratch = scratch.used;
    need->shares = w.by->shares;
    need->way = g->apart ? "a product for each pixel, without the padding" : w.by->word;
    int64_t units = units_of(&w), kernel = carve_times(depth_of(g), g->F);
    int64_t cost = carve_times(w.unit, carve_times(w.by->cost(&w), COST_LANES));
    need->tasks[SPOR_PREPARE] = 1;
    if (w.adds) {
        tasks_add_up(need, units, cost, kernel, width);
    } else {
        int64_t parts = w.by->prepare_parts(&w);
        need->tasks[SPOR_PREPARE] =
            tasks_for(need, parts, carve_times(kernel / parts, COST_MOVED), 0);
        need->tasks[SPOR_WORK] =
            tasks_for(need, units, cost, carve_times(maps_of_group(&w), COST_MOVED));
    }
}

#endif

#ifdef SPOR_ISA

/* A task of PREPARE. */
static inline void prepare_part(const spor_call *c, int64_t task, const conv_work *w, const T *K,
                                bool turned) {
    spor_carver carver = {.base = c->shared};
    conv_arrays a = {0};
    carve_shared(&carver, w, sizeof(T), LANES, &a);
    w->by->prepare(w, &a, K, turned, task_part_of(c, SPOR_PREPARE, task, w->by->prepare_parts(w)));
}

/* A task of WORK: its samples and its arrays. */
static inline task_part begin_samples(const spor_call *c, int64_t task, const conv_work *w,
                                      conv_arrays *a) {
    spor_carver shared = {.base = c->shared}, scratch = {.base = c->scratch};
    carve_shared(&shared, w, sizeof(T), LANES, a);
    carve_scratch(&scratch, w, sizeof(T), LANES, a);
    w->by->begin(w, a);
    return samples_of(c, task, w);
}

#endif

#endif
