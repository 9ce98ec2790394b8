/*
 * A correlation of a map that has zeros between its elements, as dx of a layer with steps is, without the
 * multiplies with these zeros.
 *
 * With S zeros less one between the rows of x, row a of the padded map holds row (a - top) / S of x where
 * S divides that, else zeros. Row i of z meets the cells u of the kernel where S divides i + u - top: for
 * all rows of one class p = i mod S the same ones,
 *     u = u_p + S u'         u_p the least u >= 0 with S | p + u - top
 *     (i + u - top) / S = i' + u' + b_p,  i = p + S i'        b_p = (p + u_p - top) / S
 * so that a class, of rows and of columns, is a correlation of its own: of x as it lies with every S-th
 * cell of the kernel along each axis. The terms of an element of z are added in the same order as among
 * the zeros.
 */
#ifndef SPOR_OPS_FAST_PHASES_H
#define SPOR_OPS_FAST_PHASES_H

#include "correlation.h"

/** Along one axis: the first cell of the kernel that a class meets, how many, and b_p. */
typedef struct {
    int64_t first, cells, base;
} phase_cells;
static inline phase_cells phase_along(int64_t p, int64_t S, int64_t kernel, int64_t top) {
    int64_t first = ((top - p) % S + S) % S;
    int64_t cells = first < kernel ? (kernel - first + S - 1) / S : 0;
    return (phase_cells){first, cells, (p + first - top) / S};
}

/** Class number k of a work, 0 <= k < phases_count: its correlation and where its cells begin. */
typedef struct {
    int64_t p, q, u, v; /* z[p + S i', q + S j'] meets the kernel's cells u + S u', v + S v' */
    conv_work w;
} phase;
static inline int64_t phases_count(const correlation *g) {
    return carve_times(g->dilate[0], g->dilate[1]);
}
static inline phase phase_of(const conv_work *whole, int64_t k) {
    const correlation *g = &whole->g;
    phase f = {.p = k / g->dilate[1], .q = k % g->dilate[1], .w = *whole};
    phase_cells rows = phase_along(f.p, g->dilate[0], g->k, g->top);
    phase_cells cols = phase_along(f.q, g->dilate[1], g->l, g->left);
    correlation *own = &f.w.g;
    f.u = rows.first;
    f.v = cols.first;
    own->k = rows.cells;
    own->l = cols.cells;
    own->P = carve_most(0, g->P - f.p + g->dilate[0] - 1) / g->dilate[0];
    own->Q = carve_most(0, g->Q - f.q + g->dilate[1] - 1) / g->dilate[1];
    own->Hp = own->P + carve_most(own->k, 1) - 1;
    own->Wp = own->Q + carve_most(own->l, 1) - 1;
    own->top = -rows.base;
    own->left = -cols.base;
    own->dilate[0] = own->dilate[1] = 1;
    return f;
}

/** The arrays of a class among those of all. */
static inline void phases_carve(spor_carver *carver, const conv_work *w, size_t width,
                                int64_t lanes, bool shared, int64_t k, conv_arrays *a) {
    for (int64_t n = 0; n <= k; n++) {
        phase f = phase_of(w, n);
        if (shared) {
            direct_carve_shared(carver, &f.w, width, lanes, a);
            continue;
        }
        direct_carve_scratch(carver, &f.w, width, lanes, a);
        a->whole = carve_take(carver, carve_times(w->group * pixels_of(&f.w.g), w->g.F), width);
    }
}

/** Room for the arrays of all classes. */
static inline void *phases_room(spor_carver *carver, const conv_work *w, size_t width,
                                int64_t lanes, bool shared) {
    spor_carver all = {0};
    conv_arrays each;
    phases_carve(&all, w, width, lanes, shared, phases_count(&w->g) - 1, &each);
    return carve_take(carver, 1, all.used);
}

static inline void phases_carve_shared(spor_carver *carver, const conv_work *w, size_t width,
                                       int64_t lanes, conv_arrays *a) {
    a->phases_shared = phases_room(carver, w, width, lanes, true);
}

static inline void phases_carve_scratch(spor_carver *carver, const conv_work *w, size_t width,
                                        int64_t lanes, conv_arrays *a) {
    a->phases_scratch = phases_room(carver, w, width, lanes, false);
}

/** Products without the zeros, and each z moved to its place; where there are zeros between, and not so many
 *  classes that most have one pixel. */
static inline int64_t phases_cost(const conv_work *w) {
    const correlation *g = &w->g;
    const int64_t classes = 16, most = INT64_MAX / (2 * classes);
    int64_t count = phases_count(g), cost = carve_least(most, pixels_of(g) * COST_MOVED);
    if (w->adds || count == 1 || count > classes) return INT64_MAX;
    for (int64_t k = 0; k < count; k++) {
        phase f = phase_of(w, k);
        cost += carve_least(most, carve_times(pixels_of(&f.w.g), depth_of(&f.w.g)));
    }
    return carve_times(cost, vectors_of(g->F, COST_LANES));
}

/** PREPARE goes through the cells of the kernel. */
static inline int64_t phases_parts(const conv_work *w) {
    return w->g.k * w->g.l;
}

#ifdef SPOR_ISA

/* A class with its arrays. */
static inline phase phase_with(const conv_work *w, const conv_arrays *all, int64_t k,
                               conv_arrays *a) {
    spor_carver shared = {.base = all->phases_shared}, scratch = {.base = all->phases_scratch};
    phases_carve(&shared, w, sizeof(T), LANES, true, k, a);
    phases_carve(&scratch, w, sizeof(T), LANES, false, k, a);
    return phase_of(w, k);
}

/* The cells of the kernel that a class has of a part. */
static void pack_phase(const conv_work *w, const phase *f, T *panels, const T *K, bool turned,
                       task_part cells) {
    const correlation *g = &w->g, *own = &f->w.g;
    for (int64_t uv = 0; uv < own->k * own->l; uv++) {
        int64_t u = f->u + uv / own->l * g->dilate[0], v = f->v + uv % own->l * g->dilate[1];
        int64_t cell = u * g->l + v;
        if (cell < cells.first || cell >= cells.end) continue;
        if (turned) cell = g->k * g->l - 1 - cell;
        product_pack(panels, &(spor_block){.b = K + cell * g->C * g->F,
                                           .stride = turned ? g->C : g->F,
                                           .transposed = turned,
                                           .depth = depth_of(own),
                                           .first = uv * g->C,
                                           .rows = g->C,
                                           .cols = g->F});
    }
}

static void phases_prepare(const conv_work *w, const conv_arrays *all, const T *K, bool turned,
                           task_part cells) {
    for (int64_t k = 0; k < phases_count(&w->g); k++) {
        conv_arrays a;
        phase f = phase_with(w, all, k, &a);
        if (cells.first == 0) {
            fill_pixels(a.pixel, &f.w);
            fill_cells(a.cell, &f.w.g, (task_part){0, f.w.g.k * f.w.g.l});
        }
        pack_phase(w, &f, a.kernel, K, turned, cells);
    }
}

static void phases_begin(const conv_work *w, const conv_arrays *all) {
    for (int64_t k = 0; k < phases_count(&w->g); k++) {
        conv_arrays a;
        phase f = phase_with(w, all, k, &a);
        direct_begin(&f.w, &a);
    }
}

/* z[count,P,Q,F] at the pixels of a class = its results */
static void place_phase(const correlation *g, const phase *f, int64_t count, const T *from, T *z) {
    const correlation *own = &f->w.g;
    for (int64_t n = 0; n < count; n++)
        for (int64_t i = 0; i < own->P; i++) {
            T *to = z + ((n * g->P + f->p + i * g->dilate[0]) * g->Q + f->q) * g->F;
            for (int64_t j = 0; j < own->Q; j++, from += g->F, to += g->dilate[1] * g->F)
                memcpy(to, from, (size_t)g->F * sizeof *to);
        }
}

static void phases_correlate(const conv_work *w, const conv_arrays *all, const T *samples,
                             int64_t count, const T *K, bool turned, const T *init, T *z) {
    (void)K, (void)turned; /* they are in panels */
    for (int64_t k = 0; k < phases_count(&w->g); k++) {
        conv_arrays a;
        phase f = phase_with(w, all, k, &a);
        const correlation *own = &f.w.g;
        product_multiply(&(spor_product){.a = lay_out(own, a.maps, samples, count),
                                         .row = a.pixel,
                                         .step = a.cell,
                                         .rows = count * pixels_of(own),
                                         .depth = depth_of(own),
                                         .cols = own->F,
                                         .b = a.kernel,
                                         .init = init,
                                         .c = a.whole,
                                         .ldc = own->F});
        place_phase(&w->g, &f, count, a.whole, z);
    }
}

/* It is never taken for dK. */
static void phases_add(const conv_work *w, const conv_arrays *a, const T *samples, int64_t count,
                       const T *delta, T *dK, bool add) {
    (void)w, (void)a, (void)samples, (void)count, (void)delta, (void)dK, (void)add;
}
static void phases_finish(const conv_work *w, const conv_arrays *a, T *dK) {
    (void)w, (void)a, (void)dK;
}

#endif

#endif
