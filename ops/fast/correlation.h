/*
 * The correlation under convolutional layers: its sizes, and the direct way to compute it, with its
 * tables and its padded maps; algorithms.h has the others.
 *
 * Forward, dx and dK are the product of kernels/product.h. Pixels and kernel cells are tables of
 * offsets into a few padded samples: z takes rows = pixels, terms = cells; dK rows = cells, terms =
 * pixels; dx is the forward product over delta~ with the kernel rotated, its channels exchanged.
 */
#ifndef SPOR_OPS_FAST_CORRELATION_H
#define SPOR_OPS_FAST_CORRELATION_H

#include "layer.h"
#include "kernels/slots.h"

/** Attributes of all ops on it: strides as in correlate2d; top, bottom, left, right; then two of
 *  the op's own. */
enum { TOP = 2, LEFT = 4, SHARED = 6, ACTIVATION = 6, CELLS = 6, MAP = 6, OWN = 8 };

/** A correlation of maps [Hp, Wp, C] with kernels [k, l, C, F] to [P, Q, F]. The maps hold samples
 *  of [h, w, C]: row a at dilate[0] a + top, and so the columns; rows that fall outside are left
 *  out. */
typedef struct {
    int64_t Hp, Wp, C, k, l, F, P, Q;
    int64_t stride[2], dilate[2], h, w, top, left;
    bool apart; /* pixel by pixel, without the cells of the padding: where it is most of them */
} correlation;

/** Eq. (73), a remainder of rows or columns left over. */
static inline int64_t outputs(const spor_attr *attr, int axis, int64_t size, int64_t kernel) {
    int64_t padded = size + attr[TOP + 2 * axis].i + attr[TOP + 2 * axis + 1].i;
    return 1 + (padded - kernel) / attr[STRIDE + axis].i;
}

/** Steps along an axis: those beyond the padded map are as good as one to its end, and no product of
 *  sizes that they take part in is too large. */
static inline int64_t step_along(const spor_attr *attr, int axis, int64_t size) {
    int64_t padded = size + attr[TOP + 2 * axis].i + attr[TOP + 2 * axis + 1].i;
    return carve_least(attr[STRIDE + axis].i, carve_most(padded, 1));
}

/** x[N,H,W,C], K[k,l,C,F] -> z[N,P,Q,F]: Eq. (4). */
static inline correlation forward_correlation(const spor_attr *attr, const spor_shape *x, int64_t k,
                                              int64_t l, int64_t F) {
    return (correlation){.Hp = x->n[1] + attr[TOP].i + attr[TOP + 1].i,
                         .Wp = x->n[2] + attr[LEFT].i + attr[LEFT + 1].i,
                         .C = x->n[3],
                         .k = k,
                         .l = l,
                         .F = F,
                         .P = outputs(attr, 0, x->n[1], k),
                         .Q = outputs(attr, 1, x->n[2], l),
                         .stride = {step_along(attr, 0, x->n[1]), step_along(attr, 1, x->n[2])},
                         .dilate = {1, 1},
                         .h = x->n[1],
                         .w = x->n[2],
                         .top = attr[TOP].i,
                         .left = attr[LEFT].i};
}

/** delta[N,P,Q,F], K[k,l,C,F] -> dx[N,H,W,C]: Eq. (43) and its tilde. In this correlation C counts
 *  the filters and F the channels. */
static inline correlation backward_correlation(const spor_attr *attr, const spor_shape *K,
                                               int64_t H, int64_t W) {
    int64_t k = K->n[0], l = K->n[1];
    return (correlation){.Hp = H + k - 1,
                         .Wp = W + l - 1,
                         .C = K->n[3],
                         .k = k,
                         .l = l,
                         .F = K->n[2],
                         .P = H,
                         .Q = W,
                         .stride = {1, 1},
                         .dilate = {step_along(attr, 0, H), step_along(attr, 1, W)},
                         .h = outputs(attr, 0, H, k),
                         .w = outputs(attr, 1, W, l),
                         .top = k - 1 - attr[TOP].i,
                         .left = l - 1 - attr[LEFT].i};
}

/** Lanes of the vectors that costs are counted in, whatever the machine has: so that shapes alone
 *  decide. */
enum { COST_LANES = 16 };

static inline int64_t pixels_of(const correlation *g) {
    return g->P * g->Q;
}

/** The terms of each z: k l C. */
static inline int64_t depth_of(const correlation *g) {
    return g->k * g->l * g->C;
}

/** Cells of a kernel that meet the map, not its padding, along an axis of it: from, to. */
typedef struct {
    int64_t first, end;
} cell_range;
static inline cell_range cells_met(int64_t from, int64_t cells, int64_t kernel) {
    int64_t first = from < 0 ? -from : 0;
    return (cell_range){first, carve_most(first, carve_least(kernel, cells - from))};
}
static inline cell_range rows_met(const correlation *g, int64_t i) {
    return cells_met(i * g->stride[0] - g->top, g->h, g->k);
}
static inline cell_range cols_met(const correlation *g, int64_t j) {
    return cells_met(j * g->stride[1] - g->left, g->w, g->l);
}

/** Of all pixels of a sample. */
static inline int64_t all_cells_met(const correlation *g) {
    int64_t rows = 0, cols = 0;
    for (int64_t i = 0; i < g->P; i++) rows += rows_met(g, i).end - rows_met(g, i).first;
    for (int64_t j = 0; j < g->Q; j++) cols += cols_met(g, j).end - cols_met(g, j).first;
    return carve_times(rows, cols);
}

/** Each pixel is a product of its own then: the padding must be worth that. */
static inline bool is_apart(const correlation *g) {
    int64_t cells = carve_times(pixels_of(g), g->k * g->l);
    return g->dilate[0] == 1 && g->dilate[1] == 1 && all_cells_met(g) < cells / 2;
}

/** Samples taken at once: enough pixels to fill tiles when maps are small. By shape only. */
static inline int64_t group_of(const correlation *g, int64_t N) {
    const int64_t pixels = 256;
    return carve_least((pixels + pixels_of(g) - 1) / pixels_of(g), N);
}

/** The samples lie in memory just as the maps do. */
static inline bool is_plain(const correlation *g) {
    return g->Hp == g->h && g->Wp == g->w && !g->top && !g->left && g->dilate[0] == 1 &&
           g->dilate[1] == 1;
}

/** One of the three computations of a layer over N samples: z, dx or dK. */
typedef struct {
    const struct conv_algorithm *by; /* the way that is taken: algorithms.h */
    correlation g;
    int64_t N, group;
    int64_t unit;  /* samples that are not cut apart by tasks: a group, or more */
    bool adds;     /* dK, a sum over the samples: delta is packed in place of the kernel */
    int64_t whole; /* elements of a sample's map before pooling; 0: there is no pooling */
} conv_work;

static inline conv_work work_of(correlation g, int64_t N, bool adds) {
    int64_t group = group_of(&g, N);
    g.apart = is_apart(&g);
    return (conv_work){.g = g, .N = N, .group = group, .unit = group, .adds = adds};
}

/** Units of samples that a work has. */
static inline int64_t units_of(const conv_work *w) {
    return (w->N + w->unit - 1) / w->unit;
}

/** 16 matrices, `plane` elements from one to the next. */
typedef struct {
    void *at;
    int64_t plane;
} conv_planes;

/** The arrays of a work: tables and the kernel are shared, the others a task's own, for a group of
 *  samples. */
typedef struct {
    int64_t *pixel, *cell; /* where the windows of a group's pixels start; the cells in a window */
    void *kernel;          /* in panels */
    void *maps;            /* padded */
    void *delta;           /* in panels, its rows the group's pixels */
    void *whole;           /* before pooling */
    /* Winograd's: winograd.h */
    int64_t *tile, *channel; /* where rows of V begin; the elements of one */
    conv_planes U;           /* the transformed kernel before it is packed */
    conv_planes V, M, sum;   /* of a block of tiles; of all, for dK */
    void *zeros, *spare;     /* in the place of cells outside: to read, to write */
    /* Those of all classes: phases.h */
    void *phases_shared, *phases_scratch;
} conv_arrays;

static inline int64_t panels_of(const conv_work *w, int64_t rows, int64_t lanes) {
    return carve_times(rows, carve_whole_vectors(w->g.F, lanes));
}

static inline void direct_carve_shared(spor_carver *carver, const conv_work *w, size_t width,
                                       int64_t lanes, conv_arrays *a) {
    a->pixel = carve_take(carver, w->group * pixels_of(&w->g), sizeof *a->pixel);
    a->cell = carve_take(carver, depth_of(&w->g), sizeof *a->cell);
    a->kernel = carve_take(carver, w->adds ? 0 : panels_of(w, depth_of(&w->g), lanes), width);
}

/** Elements of a group's padded maps, where there are any. */
static inline int64_t maps_of_group(const conv_work *w) {
    if (is_plain(&w->g)) return 0;
    return carve_times(w->group, carve_times(carve_times(w->g.Hp, w->g.Wp), w->g.C));
}

static inline void direct_carve_scratch(spor_carver *carver, const conv_work *w, size_t width,
                                        int64_t lanes, conv_arrays *a) {
    int64_t rows = w->adds ? w->group * pixels_of(&w->g) : 0;
    a->maps = carve_take(carver, w->g.apart ? 0 : maps_of_group(w), width);
    a->delta = carve_take(carver, panels_of(w, rows, lanes), width);
}

/** Multiply-adds of vectors for a sample; cells of padding too, unless pixels are apart. */
static inline int64_t direct_cost(const conv_work *w) {
    const correlation *g = &w->g;
    int64_t cells = g->apart ? all_cells_met(g) : carve_times(pixels_of(g), g->k * g->l);
    return carve_times(carve_times(cells, g->C), vectors_of(g->F, COST_LANES));
}

/** PREPARE goes through the cells of the kernel. */
static inline int64_t direct_parts(const conv_work *w) {
    return w->g.k * w->g.l;
}

#ifdef SPOR_RULES

/** Multiply-adds of z, and as many of dx and of dK, which pair the same numbers: k l C for each
 *  element of z[N,P,Q,F]. x[N,H,W,C], K[k,l,C,F]. */
static inline double correlation_cost(const spor_attr attr[], const spor_shape *x,
                                      const spor_shape *K) {
    double pixels =
        (double)outputs(attr, 0, x->n[1], K->n[0]) * (double)outputs(attr, 1, x->n[2], K->n[1]);
    return (double)x->n[0] * pixels * (double)shape_size(K);
}

extern const spor_op spor_op_pad;

/** Where m->in[0] is padded by zeros around its rows and columns, for its `readers` in the region alone,
 *  that is taken, too. */
static inline void correlation_take_pad(spor_match *m, uint32_t readers) {
    spor_var x = m->in[0];
    if (!match_made_by(x, &spor_op_pad)) return;
    const spor_attr *lo = op_attrs(x) + PAD_LO, *hi = op_attrs(x) + PAD_HI;
    if (op_attrs(x)[PAD_FILL].r != 0) return;
    for (int k = 0; k < 4; k++) {
        bool map = k == 1 || k == 2;
        if (lo[k].i < 0 || hi[k].i < 0 || (!map && lo[k].i + hi[k].i > 0)) return;
    }
    if (!match_inside_all(m, x, &spor_op_pad, readers)) return;
    for (int axis = 0; axis < 2; axis++) {
        m->attr[TOP + 2 * axis] = lo[1 + axis];
        m->attr[TOP + 2 * axis + 1] = hi[1 + axis];
    }
    m->in[0] = op_operand(x, 0);
}

#endif

#ifdef SPOR_ISA

#include "kernels/product.h"

/* Where cell uv begins in a kernel whose cells are packed by themselves. */
static inline int64_t cell_panels(const correlation *g, int64_t uv) {
    return uv * g->C * carve_whole_vectors(g->F, LANES);
}

/* Where the windows of all pixels of a group start; or its samples. */
static void fill_pixels(int64_t *pixel, const conv_work *w) {
    const correlation *g = &w->g;
    if (g->apart) {
        product_progression(pixel, w->group, g->h * g->w * g->C);
        return;
    }
    for (int64_t n = 0; n < w->group; n++)
        for (int64_t i = 0; i < g->P; i++, pixel += g->Q) {
            int64_t first = (n * g->Hp + i * g->stride[0]) * g->Wp * g->C;
            for (int64_t j = 0; j < g->Q; j++) pixel[j] = first + j * g->stride[1] * g->C;
        }
}

/* The elements of the cells first .. end - 1 inside a window. */
static void fill_cells(int64_t *cell, const correlation *g, task_part cells) {
    for (int64_t uv = cells.first; uv < cells.end; uv++)
        for (int64_t c = 0; c < g->C; c++)
            cell[uv * g->C + c] = (uv / g->l * g->Wp + uv % g->l) * g->C + c;
}

/* Packs cell uv of the kernel, rows of C among all or by themselves: K[u,v,c,f]; turned, what dx takes,
 * K[k-1-u,l-1-v,f,c]. */
static void pack_cell(const correlation *g, T *panels, int64_t uv, const T *K, bool turned) {
    int64_t cell = turned ? g->k * g->l - 1 - uv : uv;
    product_pack(g->apart ? panels + cell_panels(g, uv) : panels,
                 &(spor_block){.b = K + cell * g->C * g->F,
                               .stride = turned ? g->C : g->F,
                               .transposed = turned,
                               .depth = g->apart ? g->C : depth_of(g),
                               .first = g->apart ? 0 : uv * g->C,
                               .rows = g->C,
                               .cols = g->F});
}

/* K forward, where it is its own panels. */
static inline bool is_packed(const conv_work *w, bool turned) {
    return !turned && product_is_panels(w->g.F);
}

/* A task of PREPARE: its cells of the tables, and of the kernel; K NULL: there is none. */
static void direct_prepare(const conv_work *w, const conv_arrays *a, const T *K, bool turned,
                           task_part cells) {
    fill_cells(a->cell, &w->g, cells);
    if (cells.first == 0) fill_pixels(a->pixel, w);
    if (!K || is_packed(w, turned)) return;
    for (int64_t uv = cells.first; uv < cells.end; uv++) pack_cell(&w->g, a->kernel, uv, K, turned);
}

/* Zeros where lay_out writes nothing. */
static void direct_begin(const conv_work *w, const conv_arrays *a) {
    if (!is_plain(&w->g) && !w->g.apart) memset(a->maps, 0, (size_t)maps_of_group(w) * sizeof(T));
}

/* The samples of a task of WORK. */
static inline task_part samples_of(const spor_call *c, int64_t task, const conv_work *w) {
    task_part part = task_part_of(c, SPOR_WORK, task, units_of(w));
    return (task_part){part.first * w->unit, carve_least(part.end * w->unit, w->N)};
}

/* Columns b of one row that fall inside the map: first .. end - 1. */
static void copy_row(const correlation *g, T *map_row, const T *from) {
    int64_t step = g->dilate[1] * g->C, room = g->Wp - g->left;
    int64_t first = g->left < 0 ? 1 + (-g->left - 1) / g->dilate[1] : 0;
    int64_t end = room > 0 ? carve_least(g->w, 1 + (room - 1) / g->dilate[1]) : 0;
    if (first >= end) return;
    T *to = map_row + (g->left + first * g->dilate[1]) * g->C;
    from += first * g->C;
    if (g->dilate[1] == 1) {
        memcpy(to, from, (size_t)((end - first) * g->C) * sizeof *to);
        return;
    }
    for (int64_t b = first; b < end; b++, to += step, from += g->C)
        memcpy(to, from, (size_t)g->C * sizeof *to);
}

/* The maps of count samples: themselves, or copies with zeros around and between. The zeros are
 * there from the start, and each group writes the same places. */
static const T *lay_out(const correlation *g, T *maps, const T *samples, int64_t count) {
    if (is_plain(g)) return samples;
    for (int64_t n = 0; n < count; n++) {
        T *map = maps + n * g->Hp * g->Wp * g->C;
        const T *sample = samples + n * g->h * g->w * g->C;
        for (int64_t r = 0; r < g->h; r++) {
            int64_t row = r * g->dilate[0] + g->top;
            if (row < 0 || row >= g->Hp) continue;
            copy_row(g, map + row * g->Wp * g->C, sample + r * g->w * g->C);
        }
    }
    return maps;
}

/* What to do with the cells that a pixel meets. */
typedef struct {
    const correlation *g;
    const conv_arrays *a;
    const T *samples, *kernel, *init, *delta;
    int64_t count;
    T *out; /* z or dK */
} apart_work;

/* z of pixel (i, j), of all samples: a product for each cell. Without any it is init. */
static void correlate_pixel(const apart_work *w, int64_t i, int64_t j) {
    const correlation *g = w->g;
    cell_range rows = rows_met(g, i), cols = cols_met(g, j);
    int64_t top = i * g->stride[0] - g->top, left = j * g->stride[1] - g->left;
    spor_product p = {.row = w->a->pixel, .step = w->a->cell, .rows = w->count, .cols = g->F};
    p.b = w->kernel;
    p.init = w->init;
    p.c = w->out + (i * g->Q + j) * g->F;
    p.ldc = pixels_of(g) * g->F;
    if (rows.first == rows.end || cols.first == cols.end) product_multiply(&p);
    p.depth = g->C;
    for (int64_t u = rows.first; u < rows.end; u++)
        for (int64_t v = cols.first; v < cols.end; v++) {
            p.a = w->samples + ((top + u) * g->w + left + v) * g->C;
            p.b = w->kernel + cell_panels(g, u * g->l + v);
            product_multiply(&p);
            p.init = NULL;
            p.add = true;
        }
}

/* dK += what pixel (i, j) of all samples meets times its delta */
static void add_pixel(const apart_work *w, int64_t i, int64_t j) {
    const correlation *g = w->g;
    cell_range rows = rows_met(g, i), cols = cols_met(g, j);
    int64_t top = i * g->stride[0] - g->top, left = j * g->stride[1] - g->left;
    spor_product p = {.row = w->a->cell, .step = w->a->pixel, .rows = g->C, .cols = g->F};
    product_pack(w->a->delta, &(spor_block){.b = w->delta + (i * g->Q + j) * g->F,
                                            .stride = pixels_of(g) * g->F,
                                            .depth = w->count,
                                            .rows = w->count,
                                            .cols = g->F});
    p.b = w->a->delta;
    p.depth = w->count;
    p.ldc = g->F;
    p.add = true;
    for (int64_t u = rows.first; u < rows.end; u++)
        for (int64_t v = cols.first; v < cols.end; v++) {
            p.a = w->samples + ((top + u) * g->w + left + v) * g->C;
            p.c = w->out + (u * g->l + v) * g->C * g->F;
            product_multiply(&p);
        }
}

static void each_pixel(const apart_work *w, void (*pixel)(const apart_work *, int64_t, int64_t)) {
    for (int64_t i = 0; i < w->g->P; i++)
        for (int64_t j = 0; j < w->g->Q; j++) pixel(w, i, j);
}

/* z = init + the windows of count samples times the kernel, K or, turned, what dx takes of it */
static void direct_correlate(const conv_work *w, const conv_arrays *a, const T *samples,
                             int64_t count, const T *K, bool turned, const T *init, T *z) {
    const correlation *g = &w->g;
    const T *panels = is_packed(w, turned) ? K : a->kernel;
    if (g->apart) {
        each_pixel(&(apart_work){.g = g,
                                 .a = a,
                                 .samples = samples,
                                 .kernel = panels,
                                 .init = init,
                                 .count = count,
                                 .out = z},
                   correlate_pixel);
        return;
    }
    product_multiply(&(spor_product){.a = lay_out(g, a->maps, samples, count),
                                     .row = a->pixel,
                                     .step = a->cell,
                                     .rows = count * pixels_of(g),
                                     .depth = depth_of(g),
                                     .cols = g->F,
                                     .b = panels,
                                     .init = init,
                                     .c = z,
                                     .ldc = g->F});
}

/* Eq. (44) for count samples: dK = or += their windows, transposed, times delta */
static void direct_add(const conv_work *w, const conv_arrays *a, const T *samples, int64_t count,
                       const T *delta, T *dK, bool add) {
    const correlation *g = &w->g;
    int64_t pixels = count * pixels_of(g);
    if (g->apart) {
        if (!add) memset(dK, 0, (size_t)(depth_of(g) * g->F) * sizeof *dK);
        each_pixel(
            &(apart_work){
                .g = g, .a = a, .samples = samples, .delta = delta, .count = count, .out = dK},
            add_pixel);
        return;
    }
    product_multiply(&(spor_product){.a = lay_out(g, a->maps, samples, count),
                                     .row = a->cell,
                                     .step = a->pixel,
                                     .rows = depth_of(g),
                                     .depth = pixels,
                                     .cols = g->F,
                                     .b = product_panels(a->delta, delta, pixels, g->F),
                                     .c = dK,
                                     .ldc = g->F,
                                     .add = add});
}

/* Nothing is left to do with dK. */
static void direct_finish(const conv_work *w, const conv_arrays *a, T *dK) {
    (void)w, (void)a, (void)dK;
}

#endif

#endif
