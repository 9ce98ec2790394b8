/*
 * Convolution and pooling written in C, for export: the chains of kernels/product.h as loops, with the cells
 * of padding left out, which add nothing.
 */
#ifndef SPOR_OPS_FAST_WRITTEN_H
#define SPOR_OPS_FAST_WRITTEN_H

#include "correlation.h"
#include "pooling.h"
#include "export/c.h"

/** Writes from .. to: indices of cells that window `at` of an axis covers, of so many cells of size `size`,
 *  `before` cells of padding first; all of them lie inside where padding can't be met. */
static inline void write_range(spor_c *c, const char *from, const char *to, const char *at,
                               int64_t step, int64_t before, int64_t size, int64_t cells,
                               bool padded) {
    c_line(c, "const int %s_at = %s * %" PRId64 " - %" PRId64 ";", from, at, step, before);
    if (!padded) {
        c_line(c, "const int %s = %s_at, %s = %s + %" PRId64 ";", from, from, to, from, size);
        return;
    }
    c_line(c, "const int %s = %s_at < 0 ? 0 : %s_at;", from, from, from);
    c_line(c,
           "const int %s = %s_at + %" PRId64 " > %" PRId64 " ? %" PRId64 " : %s_at + %" PRId64 ";",
           to, from, size, cells, cells, from, size);
}

/** Elements of scratch that a pixel takes, from `part` on. */
static inline int64_t pixel_scratch(const correlation *g) {
    return g->apart ? g->F : 0;
}

/** Writes z[F] of pixel (i, j) of sample x: its bias, then the cells that it meets, row by row; where pixels are
 *  apart, cell by cell, each a chain of its own, but for the first. */
static inline void write_pixel(spor_c *c, const correlation *g, bool biased) {
    bool rows = g->Hp != g->h, cols = g->Wp != g->w;
    layer_write_bias(c, biased, g->F);
    write_range(c, "r0", "r1", "i", g->stride[0], g->top, g->k, g->h, rows);
    write_range(c, "c0", "c1", "j", g->stride[1], g->left, g->l, g->w, cols);
    c_line(c, "for (int r = r0; r < r1; r++)%s", g->apart ? "" : " {");
    if (g->apart) {
        c_line(c, "for (int q = c0; q < c1; q++) {");
        c_line(c, "%s *sum = r == r0 && q == c0 ? z : part;", c_type(c));
        c_line(c, "if (sum == part) net_fill(part, 0, %" PRId64 ");", g->F);
    }
    const char *first = g->apart ? "q" : "c0", *length = g->apart ? "" : "(c1 - c0) * ";
    c_line(c, "const %s *cells = sample + (r * %" PRId64 " + %s) * %" PRId64 ";", c_type(c), g->w,
           first, g->C);
    c_line(c, "const %s *k = K + ((r - r0_at) * %" PRId64 " + %s - c0_at) * %" PRId64 ";",
           c_type(c), g->l, first, g->C * g->F);
    c_line(c, "net_add_products(%s, %" PRId64 ", cells, 1, k, %" PRId64 ", %s%" PRId64 ");",
           g->apart ? "sum" : "z", g->F, g->F, length, g->C);
    if (g->apart) {
        c_line(c, "if (sum == part)");
        c_line(c, "    for (int f = 0; f < %" PRId64 "; f++) z[f] = z[f] + part[f];", g->F);
    }
    c_line(c, "}");
}

/** Writes the loops over windows (p, q) of maps [H, W, C] and their cells (i, j), around what is written of each;
 *  the window's results begin at `at`, and cell (i, j) has this number in it if it is asked for. */
static inline void write_windows(spor_c *c, const spor_attr *w, int64_t H, int64_t W, int64_t C,
                                 bool numbered) {
    int64_t P = windows_along(w, 0, H), Q = windows_along(w, 1, W);
    bool rows = w[WINDOW_PAD].i || w[WINDOW_PAD + 1].i,
         cols = w[WINDOW_PAD + 2].i || w[WINDOW_PAD + 3].i;
    c_line(c, "for (int p = 0; p < %" PRId64 "; p++)", P);
    c_line(c, "for (int q = 0; q < %" PRId64 "; q++) {", Q);
    c_line(c, "const int at = ((n * %" PRId64 " + p) * %" PRId64 " + q) * %" PRId64 ";", P, Q, C);
    write_range(c, "p0", "p1", "p", w[WINDOW_STRIDE].i, w[WINDOW_PAD].i, w[WINDOW_SIZE].i, H, rows);
    write_range(c, "q0", "q1", "q", w[WINDOW_STRIDE + 1].i, w[WINDOW_PAD + 2].i,
                w[WINDOW_SIZE + 1].i, W, cols);
    c_line(c, "for (int i = p0; i < p1; i++)");
    c_line(c, "for (int j = q0; j < q1; j++) {");
    if (numbered)
        c_line(c, "const int number = (i - p0_at) * %" PRId64 " + j - q0_at;",
               w[WINDOW_SIZE + 1].i);
}

/** Writes how cell (i, j), C numbers called so, joins the largest of its window, y, and, where winners are saved,
 *  who won. The first of them may be there already. */
static inline void write_largest(spor_c *c, const char *cell, int64_t C, bool is_there,
                                 bool saves) {
    c_line(c, "if (i == p0 && j == q0) {");
    if (!is_there) c_line(c, "memcpy(y, %s, %" PRId64 " * sizeof *y);", cell, C);
    if (saves) c_line(c, "memset(winners + at, number, %" PRId64 ");", C);
    c_line(c, "} else {");
    if (saves)
        c_line(c, "net_keep_winners(y, winners + at, %s, number, %" PRId64 ");", cell, C);
    else
        c_line(c, "net_keep_largest(y, %s, %" PRId64 ");", cell, C);
    c_line(c, "}");
}

/** Writes the end of these loops. */
static inline void write_windows_end(spor_c *c) {
    c_line(c, "}");
    c_line(c, "}");
}

/** Writes the largest of maps [H, W, C], sample by sample, called `map`. */
static inline void write_pooling(spor_c *c, const spor_attr *w, int64_t H, int64_t W, int64_t C,
                                 bool saves) {
    write_windows(c, w, H, W, C, saves);
    c_line(c, "%s *y = out + at;", c_type(c));
    c_line(c, "const %s *cell = map + (i * %" PRId64 " + j) * %" PRId64 ";", c_type(c), W, C);
    write_largest(c, "cell", C, false, saves);
    write_windows_end(c);
}

/** Every cell of a map lies in exactly one window. */
static inline bool windows_tile(const spor_attr *w, int axis, int64_t cells) {
    return w[WINDOW_SIZE + axis].i == w[WINDOW_STRIDE + axis].i &&
           windows_along(w, axis, cells) * w[WINDOW_SIZE + axis].i - w[WINDOW_PAD + 2 * axis].i >=
               cells;
}

/** Writes what of sample n of the windows' errors, called so, goes to the cells of its map [H, W, C], called `map`:
 *  to the winners, 0 to the others. */
static inline void write_routing(spor_c *c, const spor_attr *w, int64_t H, int64_t W, int64_t C,
                                 const char *error) {
    bool adds = !windows_tile(w, 0, H) || !windows_tile(w, 1, W);
    if (adds) c_line(c, "net_fill(map, 0, %" PRId64 ");", H * W * C);
    write_windows(c, w, H, W, C, true);
    c_line(c,
           "net_%s_winners(map + (i * %" PRId64 " + j) * %" PRId64
           ", winners + at, %s + at, number, %" PRId64 ");",
           adds ? "add" : "put", W, C, error, C);
    write_windows_end(c);
}

/** Windows share cells. */
static inline bool windows_overlap(const spor_attr *w) {
    return w[WINDOW_STRIDE].i < w[WINDOW_SIZE].i || w[WINDOW_STRIDE + 1].i < w[WINDOW_SIZE + 1].i;
}

#endif
