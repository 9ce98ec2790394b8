/*
 * Windows over maps [N, H, W, C] written in C, for export: shared by the ops of pooling.
 */
#ifndef SPOR_OPS_WINDOW_WRITTEN_H
#define SPOR_OPS_WINDOW_WRITTEN_H

#include "window.h"
#include "export/c.h"

/** Writes the loops over windows (n, p, q), count [N, P, Q], of maps [N, H, W, C]: rows r0 .. r1 - 1 and columns
 *  c0 .. c1 - 1 of each lie in the map. */
static inline void write_each_window(spor_c *c, const spor_attr w[], const int64_t map[],
                                     const int64_t count[]) {
    window_axis high = window_along(w, 0), wide = window_along(w, 1);
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++)", count[0]);
    c_line(c, "for (int p = 0; p < %" PRId64 "; p++)", count[1]);
    c_line(c, "for (int q = 0; q < %" PRId64 "; q++) {", count[2]);
    c_line(c,
           "const int top = p * %" PRId64 " - %" PRId64 ", left = q * %" PRId64 " - %" PRId64 ";",
           high.stride, high.lo, wide.stride, wide.lo);
    c_line(c, "const int r0 = top < 0 ? 0 : top, c0 = left < 0 ? 0 : left;");
    c_line(c, "const int r1 = top + %" PRId64 " > %" PRId64 " ? %" PRId64 " : top + %" PRId64 ";",
           high.size, map[1], map[1], high.size);
    c_line(c, "const int c1 = left + %" PRId64 " > %" PRId64 " ? %" PRId64 " : left + %" PRId64 ";",
           wide.size, map[2], map[2], wide.size);
}

/** Writes `cell` = where element k of cell (r, v) lies in the map. */
static inline void write_cell(spor_c *c, const int64_t map[]) {
    c_line(c, "const int cell = ((n * %" PRId64 " + r) * %" PRId64 " + v) * %" PRId64 " + k;",
           map[1], map[2], map[3]);
}

/** Writes the loop over channels k of a window, and where in the map its `winner` lies: the first largest of x,
 *  or the first that is not a number. */
static inline void write_winner(spor_c *c, const int64_t map[]) {
    c_line(c, "for (int k = 0; k < %" PRId64 "; k++) {", map[3]);
    c_line(c, "int winner = ((n * %" PRId64 " + r0) * %" PRId64 " + c0) * %" PRId64 " + k;", map[1],
           map[2], map[3]);
    c_line(c, "for (int r = r0; r < r1; r++)");
    c_line(c, "for (int v = c0; v < c1; v++) {");
    write_cell(c, map);
    c_line(c, "if (!(x[cell] <= x[winner]) && x[winner] == x[winner]) winner = cell;");
    c_line(c, "}");
}

#endif
