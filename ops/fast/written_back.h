/*
 * The way back of a convolution written in C, for export: dx and dK as the sums of correlation.h, with the cells
 * of padding and the zeros between left out, which add nothing.
 */
#ifndef SPOR_OPS_FAST_WRITTEN_BACK_H
#define SPOR_OPS_FAST_WRITTEN_BACK_H

#include "written.h"

/** Writes from .. to: the rows of delta that pixel `at` of dx meets through a kernel of so many cells; row r lies at
 *  r * dilate + before. */
static inline void write_met(spor_c *c, const char *from, const char *to, const char *at,
                             int64_t before, int64_t kernel, int64_t dilate, int64_t cells) {
    c_line(c, "const int %s_at = %s - %" PRId64 ", %s_at = %s_at + %" PRId64 ";", from, at, before,
           to, from, kernel - 1);
    c_line(c, "const int %s = %s_at <= 0 ? 0 : (%s_at + %" PRId64 ") / %" PRId64 ";", from, from,
           from, dilate - 1, dilate);
    c_line(c, "const int %s_most = %s_at < 0 ? 0 : %s_at / %" PRId64 " + 1;", to, to, to, dilate);
    c_line(c, "const int %s = %s_most > %" PRId64 " ? %" PRId64 " : %s_most;", to, to, cells, cells,
           to);
}

/** Elements of the kernel as write_dx reads it. */
static inline int64_t turned_size(const correlation *g) {
    return g->k * g->l * g->C * g->F;
}

/** Writes `turned`, [k, l, C, F], of K, [k, l, F, C]: sums along C are vectors of F then, in the same order. */
static inline void write_turned(spor_c *c, const correlation *g) {
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", g->k * g->l);
    c_line(c, "for (int j = 0; j < %" PRId64 "; j++)", g->C);
    c_line(c, "for (int f = 0; f < %" PRId64 "; f++)", g->F);
    c_line(c,
           "    turned[(i * %" PRId64 " + j) * %" PRId64 " + f] = K[(i * %" PRId64
           " + f) * %" PRId64 " + j];",
           g->C, g->F, g->F, g->C);
}

/** Writes dx of sample n, at `z`, from its errors `map` [h, w, C]; in this correlation C counts the filters. */
static inline void write_dx(spor_c *c, const correlation *g) {
    const int64_t cell = g->F * g->C;
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", g->P);
    c_line(c, "for (int j = 0; j < %" PRId64 "; j++, z += %" PRId64 ") {", g->Q, g->F);
    write_met(c, "r0", "r1", "i", g->top, g->k, g->dilate[0], g->h);
    write_met(c, "q0", "q1", "j", g->left, g->l, g->dilate[1], g->w);
    c_line(c, "net_fill(z, 0, %" PRId64 ");", g->F);
    c_line(c, "for (int r = r0; r < r1; r++)");
    c_line(c, "for (int q = q0; q < q1; q++) {");
    if (g->apart) {
        c_line(c, "%s *sum = r == r0 && q == q0 ? z : part;", c_type(c));
        c_line(c, "if (sum == part) net_fill(part, 0, %" PRId64 ");", g->F);
    }
    c_line(c, "const %s *d = map + (r * %" PRId64 " + q) * %" PRId64 ";", c_type(c), g->w, g->C);
    c_line(c,
           "const %s *k = turned + ((r1_at - r * %" PRId64 ") * %" PRId64 " + q1_at - q * %" PRId64
           ") * %" PRId64 ";",
           c_type(c), g->dilate[0], g->l, g->dilate[1], cell);
    c_line(c, "net_add_products(%s, %" PRId64 ", d, 1, k, %" PRId64 ", %" PRId64 ");",
           g->apart ? "sum" : "z", g->F, g->F, g->C);
    if (g->apart) {
        c_line(c, "if (sum == part)");
        c_line(c, "    for (int f = 0; f < %" PRId64 "; f++) z[f] = z[f] + part[f];", g->F);
    }
    c_line(c, "}");
    c_line(c, "}");
}

/** Writes what sample n adds to dK, called `sum`, from its errors `map` [P, Q, F]: of four pixels side by side at once,
 *  where all of them see whole windows, one after the other. */
static inline void write_dK(spor_c *c, const correlation *g) {
    bool rows = g->Hp != g->h, cols = g->Wp != g->w;
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", g->P);
    c_line(c, "for (int j = 0, next; j < %" PRId64 "; j = next) {", g->Q);
    write_range(c, "r0", "r1", "i", g->stride[0], g->top, g->k, g->h, rows);
    write_range(c, "c0", "c1", "j", g->stride[1], g->left, g->l, g->w, cols);
    c_line(c,
           "const int fours = j + 4 <= %" PRId64 " && c0_at >= 0 && c0_at + %" PRId64 " <= %" PRId64
           ";",
           g->Q, 3 * g->stride[1] + g->l, g->w);
    c_line(c, "const %s *d = map + (i * %" PRId64 " + j) * %" PRId64 ";", c_type(c), g->Q, g->F);
    c_line(c, "next = fours ? j + 4 : j + 1;");
    c_line(c, "for (int r = r0; r < r1; r++) {");
    c_line(c, "%s *to = sum + ((r - r0_at) * %" PRId64 " + c0 - c0_at) * %" PRId64 ";", c_type(c),
           g->l, g->C * g->F);
    c_line(c, "const %s *cells = x + ((n * %" PRId64 " + r) * %" PRId64 " + c0) * %" PRId64 ";",
           c_type(c), g->h, g->w, g->C);
    c_line(c, "if (fours)");
    c_line(c, "    net_add_outer_four(to, cells, %" PRId64 ", %" PRId64 ", d, %" PRId64 ");",
           g->stride[1] * g->C, g->l * g->C, g->F);
    c_line(c, "else");
    c_line(c, "    net_add_outer(to, cells, (c1 - c0) * %" PRId64 ", d, %" PRId64 ");", g->C, g->F);
    c_line(c, "}");
    c_line(c, "}");
}

/** Writes what samples first .. end - 1 add to dK, called out, pixel by pixel and cell by cell, each a chain over
 *  the samples; their errors are `maps`, from sample `first` on. */
static inline void write_dK_apart(spor_c *c, const correlation *g) {
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", g->P);
    c_line(c, "for (int j = 0; j < %" PRId64 "; j++) {", g->Q);
    write_range(c, "r0", "r1", "i", g->stride[0], g->top, g->k, g->h, true);
    write_range(c, "c0", "c1", "j", g->stride[1], g->left, g->l, g->w, true);
    c_line(c, "for (int r = r0; r < r1; r++)");
    c_line(c, "for (int q = c0; q < c1; q++) {");
    c_line(c, "net_fill(part, 0, %" PRId64 ");", g->C * g->F);
    c_line(c, "for (int n = first; n < end; n++)");
    c_line(c,
           "    net_add_outer(part, x + ((n * %" PRId64 " + r) * %" PRId64 " + q) * %" PRId64
           ", %" PRId64 ", maps + (((n - first) * %" PRId64 " + i) * %" PRId64 " + j) * %" PRId64
           ", %" PRId64 ");",
           g->h, g->w, g->C, g->C, g->P, g->Q, g->F, g->F);
    c_line(c, "%s *dK = out + ((r - r0_at) * %" PRId64 " + q - c0_at) * %" PRId64 ";", c_type(c),
           g->l, g->C * g->F);
    c_line(c, "for (int e = 0; e < %" PRId64 "; e++) dK[e] = part[e] + dK[e];", g->C * g->F);
    c_line(c, "}");
    c_line(c, "}");
}

#endif
