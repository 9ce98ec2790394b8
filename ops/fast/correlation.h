/*
 * The correlation under conv2d and convpool: its sizes, its tables, its padded maps.
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
} correlation;

/** Eq. (73), a remainder of rows or columns left over. */
static inline int64_t outputs(const spor_attr *attr, int axis, int64_t size, int64_t kernel) {
    int64_t padded = size + attr[TOP + 2 * axis].i + attr[TOP + 2 * axis + 1].i;
    return 1 + (padded - kernel) / attr[STRIDE + axis].i;
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
                         .stride = {attr[STRIDE].i, attr[STRIDE + 1].i},
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
                         .dilate = {attr[STRIDE].i, attr[STRIDE + 1].i},
                         .h = outputs(attr, 0, H, k),
                         .w = outputs(attr, 1, W, l),
                         .top = k - 1 - attr[TOP].i,
                         .left = l - 1 - attr[LEFT].i};
}

static inline int64_t pixels_of(const correlation *g) {
    return g->P * g->Q;
}

/** The terms of each z: k l C. */
static inline int64_t depth_of(const correlation *g) {
    return g->k * g->l * g->C;
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

typedef struct {
    int64_t group, *pixel, *cell;
    void *maps, *panels;
} conv_scratch;

/** depth: rows of the matrix packed into panels, its columns being F. */
static inline conv_scratch carve_scratch(spor_carver *carver, const correlation *g, int64_t N,
                                         int64_t depth, size_t width, int64_t lanes) {
    conv_scratch s = {.group = group_of(g, N)};
    int64_t map = carve_times(carve_times(g->Hp, g->Wp), g->C);
    s.pixel = carve_take(carver, s.group * pixels_of(g), sizeof *s.pixel);
    s.cell = carve_take(carver, depth_of(g), sizeof *s.cell);
    s.maps = carve_take(carver, is_plain(g) ? 0 : carve_times(s.group, map), width);
    s.panels = carve_take(carver, carve_times(depth, carve_whole_vectors(g->F, lanes)), width);
    return s;
}

/** Rows of delta in panels: the pixels of a group. */
static inline int64_t group_pixels(const correlation *g, int64_t N) {
    return group_of(g, N) * pixels_of(g);
}

#ifdef SPOR_RULES

/** Finds a convolutional layer that ends in root: x, K and b into match->in, the attributes up to
 *  OWN into match->attr. biased: whether there is a b; last: what made the root. */
bool correlation_match(spor_match *match, spor_var root, bool *biased, const spor_op **last);

/** The shape rule of the layer's result before any pooling. */
bool correlation_shape(spor_rule *rule);

/** How a convolutional layer is recorded: sizes of x and K, strides, pads, then LAYER_CHOICES.
 *  Kernels of one row and whole images, strides with remainders and beyond the kernel, pads of one
 *  side and beyond k - 1, where delta~ is cropped; filters around the widths of vectors. */
#define CORRELATION_CHOICES                                                                        \
    CHOICE("N", 1, 1, 2, 3, 5), CHOICE("H", 1, 1, 2, 3, 4, 5, 6, 7),                               \
        CHOICE("W", 1, 1, 2, 3, 4, 5, 6, 9), CHOICE("C", 1, 1, 2, 3, 4, 5, 8, 16, 17),             \
        CHOICE("k", 1, 2, 3, 4, 5), CHOICE("l", 1, 2, 3, 4),                                       \
        CHOICE("F", 1, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 20, 32, 33),                               \
        CHOICE("stride along the height", 1, 1, 2, 3, 4),                                          \
        CHOICE("stride along the width", 1, 1, 2, 3, 4),                                           \
        CHOICE("pad at the top", 0, 0, 0, 1, 2, 3, 4),                                             \
        CHOICE("pad at the bottom", 0, 0, 0, 1, 2, 3, 4),                                          \
        CHOICE("pad at the left", 0, 0, 0, 1, 2, 3, 4),                                            \
        CHOICE("pad at the right", 0, 0, 0, 1, 2, 3, 4), LAYER_CHOICES
enum { CHOSEN_STRIDE = 7, CHOSEN_PAD = 9, CHOSEN_LAYER = 13, CORRELATION_CHOSEN = 15 };

/** Records the layer by these choices. */
spor_var correlation_record(spor_sketch *sketch);

#endif

#ifdef SPOR_ISA

#include "kernels/product.h"

/* Where the windows of all pixels of a group start, and the cells inside a window. */
static void fill_tables(const conv_scratch *s, const correlation *g) {
    int64_t *pixel = s->pixel, *cell = s->cell, row = g->Wp * g->C;
    for (int64_t n = 0; n < s->group; n++)
        for (int64_t i = 0; i < g->P; i++, pixel += g->Q) {
            int64_t first = (n * g->Hp + i * g->stride[0]) * row;
            for (int64_t j = 0; j < g->Q; j++) pixel[j] = first + j * g->stride[1] * g->C;
        }
    for (int64_t u = 0; u < g->k; u++)
        for (int64_t vc = 0; vc < g->l * g->C; vc++) *cell++ = u * row + vc;
}

/* Tables, and zeros where lay_out writes nothing. */
static void begin(const conv_scratch *s, const correlation *g) {
    fill_tables(s, g);
    if (!is_plain(g)) memset(s->maps, 0, (size_t)(s->group * g->Hp * g->Wp * g->C) * sizeof(T));
}

/* Columns b of one row that fall inside the map: first .. end - 1. */
static void copy_row(const correlation *g, T *map_row, const T *from) {
    int64_t step = g->dilate[1] * g->C, room = g->Wp - g->left;
    int64_t first = g->left < 0 ? (-g->left + g->dilate[1] - 1) / g->dilate[1] : 0;
    int64_t end = room > 0 ? carve_least(g->w, (room + g->dilate[1] - 1) / g->dilate[1]) : 0;
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
static const T *lay_out(const correlation *g, const conv_scratch *s, const T *samples,
                        int64_t count) {
    if (is_plain(g)) return samples;
    for (int64_t n = 0; n < count; n++) {
        T *map = (T *)s->maps + n * g->Hp * g->Wp * g->C;
        const T *sample = samples + n * g->h * g->w * g->C;
        for (int64_t a = 0; a < g->h; a++) {
            int64_t row = a * g->dilate[0] + g->top;
            if (row < 0 || row >= g->Hp) continue;
            copy_row(g, map + row * g->Wp * g->C, sample + a * g->w * g->C);
        }
    }
    return s->maps;
}

/* z = init + the windows of count samples times the kernel in panels */
static inline void correlate(const correlation *g, const conv_scratch *s, const T *samples,
                             int64_t count, const T *panels, const T *init, T *z) {
    product_multiply(&(spor_product){.a = lay_out(g, s, samples, count),
                                     .row = s->pixel,
                                     .step = s->cell,
                                     .rows = count * pixels_of(g),
                                     .depth = depth_of(g),
                                     .cols = g->F,
                                     .b = panels,
                                     .init = init,
                                     .c = z,
                                     .ldc = g->F});
}

/* Eq. (44) for count samples: dK = or += their windows, transposed, times delta */
static inline void correlate_with_delta(const correlation *g, const conv_scratch *s,
                                        const T *samples, int64_t count, const T *delta, T *dK,
                                        bool add) {
    int64_t pixels = count * pixels_of(g);
    product_multiply(&(spor_product){.a = lay_out(g, s, samples, count),
                                     .row = s->cell,
                                     .step = s->pixel,
                                     .rows = depth_of(g),
                                     .depth = pixels,
                                     .cols = g->F,
                                     .b = product_panels(s->panels, delta, pixels, g->F),
                                     .c = dK,
                                     .ldc = g->F,
                                     .add = add});
}

/* The kernel of dx: rows (u, v, f) are K[k-1-u, l-1-v, c, f] with c across. */
static inline const T *pack_rotated(const correlation *g, const conv_scratch *s, const T *K) {
    int64_t cells = g->k * g->l;
    for (int64_t uv = 0; uv < cells; uv++)
        product_pack(s->panels, &(spor_block){.b = K + (cells - 1 - uv) * g->F * g->C,
                                              .stride = g->C,
                                              .transposed = true,
                                              .depth = cells * g->C,
                                              .first = uv * g->C,
                                              .rows = g->C,
                                              .cols = g->F});
    return s->panels;
}

#endif

#endif
