/*
 * z = 0, and g[n,i,j,c] spread evenly over the cells of window (i, j) that lie in the map;
 * g [N,P,Q,C], z [N,H,W,C]. The adjoint of avgpool2d.
 */
#include "window.h"
#include "kernels/tasks.h"

enum { MAP, WINDOW = MAP + 2, SPREAD_SLOTS = WINDOW + WINDOW_SLOTS };

#ifdef SPOR_RULES

#include "window_written.h"

KERNELS(spread2d);
FAST_KERNELS(window_shares);
FAST_KERNELS(spread2d);

/* The map has to have just the windows that g has. */
static bool shape(spor_rule *r) {
    const spor_shape *g = &r->in[0];
    if (!rule_rank(r, 0, 4)) return false;
    spor_shape map = {4, {g->n[0], r->attr[MAP].i, r->attr[MAP + 1].i, g->n[3]}}, of = {0};
    if (map.n[1] < 1 || map.n[2] < 1)
        return rule_fail(r, "a map of H=%" PRId64 ", W=%" PRId64 " has no cells", map.n[1],
                         map.n[2]);
    if (!rule_window(r, r->attr + WINDOW, &map, &of)) return false;
    if (!shape_equal(g, &of))
        return rule_fail(r,
                         "a map of H=%" PRId64 ", W=%" PRId64 " has %" PRId64 " x %" PRId64
                         " windows but g has %" PRId64 " x %" PRId64,
                         map.n[1], map.n[2], of.n[1], of.n[2], g->n[1], g->n[2]);
    r->out = map;
    return true;
}

/* dg = mean of zbar over each window */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    return spor_avgpool2d(zbar, attr_to_window(op_attrs(z) + WINDOW));
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 2, 1, 2}}}, .attr = {{4}, {3}, {2}, {2}, {2}, {2}}},
    {.in = {{4, {1, 6, 4, 1}}}, .attr = {{5}, {4}, {3}, {2}, {1}, {1}, {1}, {2}, {0}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}}, .attr = {{1}, {1}, {1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}}, .attr = {{3}, {2}, {3}, {2}, {1}, {4}}},
    {.in = {{4, {1, 2, 2, 1}}}, .attr = {{4}, {6}, {1}, {2}, {3}, {3}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{4, {1, 2, 2, 1}}},
     .attr = {{4}, {3}, {2}, {2}, {2}, {2}},
     .message = "a map of H=4, W=3 has 2 x 1 windows but g has 2 x 2"},
    {.in = {{4, {1, 2, 2, 1}}},
     .attr = {{4}, {0}, {2}, {2}, {2}, {2}},
     .message = "a map of H=4, W=0 has no cells"},
    {.in = {{4, {1, 1, 1, 1}}},
     .attr = {{4}, {3}, {2}, {4}, {2}, {2}},
     .message = "the window's width is 4 but the padded map has only 3"},
    {.in = {{3, {2, 1, 1}}},
     .attr = {{4}, {3}, {2}, {2}, {2}, {2}},
     .message = "g has 3 axes but spread2d expects 4 [N, P, Q, C]"},
    {.in = {{4, {1, 1, 1, 1}}},
     .attr = {{INT64_MAX}, {1}, {1}, {1}, {1}, {1}},
     .message = "the height is too large"},
    SPOR_END_MISTAKES};

/* NumPy, the transpose of avgpool2d unit by unit; g, H, W, size, stride and pad as below:
 * win = lambda x: np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), pad[:2], pad[2:],
 * (0, 0)), constant_values=np.nan), size, (1, 2))[:, ::stride[0], ::stride[1]]
 * units = np.eye(N * H * W * C).reshape(-1, N, H, W, C)
 * print([(np.nanmean(win(e), (4, 5)) * g).sum() for e in units]) */
static const spor_golden golden[] =
    {{.in = {{4, {1, 2, 2, 2}}},
      .attr = {{4}, {3}, {2}, {2}, {2}, {1}, {0}, {0}, {0}, {0}},
      .x = {(const double[]){2, -2, 4, -3, -1, -4, -3.5, -1.5}},
      .out = {4, {1, 4, 3, 2}},
      .y = (const double[]){0.5,    -0.5,   1.5,   -1.25, 1,      -0.75,  0.5,    -0.5,
                            1.5,    -1.25,  1,     -0.75, -0.25,  -1,     -1.125, -1.375,
                            -0.875, -0.375, -0.25, -1,    -1.125, -1.375, -0.875, -0.375}},
     {.in = {{4, {2, 2, 2, 1}}},
      .attr = {{3}, {5}, {3}, {2}, {1}, {3}, {1}, {0}, {0}, {1}},
      .x = {(const double[]){-1.5, 2.5, 3, 3.5, 3, -3.5, -3.5, 2.5}},
      .out = {4, {2, 3, 5, 1}},
      .y = (const double[]){0.125,
                            0.125,
                            0,
                            1.2083333333333333,
                            1.2083333333333333,
                            0.125,
                            0.125,
                            0,
                            1.2083333333333333,
                            1.2083333333333333,
                            0.5,
                            0.5,
                            0,
                            0.5833333333333333,
                            0.5833333333333333,
                            0.16666666666666674,
                            0.16666666666666674,
                            0,
                            -0.45833333333333337,
                            -0.45833333333333337,
                            0.16666666666666674,
                            0.16666666666666674,
                            0,
                            -0.45833333333333337,
                            -0.45833333333333337,
                            -0.5833333333333333,
                            -0.5833333333333333,
                            0,
                            0.41666666666666663,
                            0.41666666666666663}},
     {.in = {{4, {1, 1, 3, 1}}},
      .attr = {{2}, {4}, {1}, {3}, {2}, {2}, {0}, {0}, {2}, {1}},
      .x = {(const double[]){-0.5, 3, -3.5}},
      .out = {4, {1, 2, 4, 1}},
      .y = (const double[]){0.5, 1, -0.75, -1.75, 0, 0, 0, 0}},
     SPOR_END_GOLDEN};

/* Tasks are rows of windows, whose shares all read, then rows of the map. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)lanes;
    const int64_t *n = c->in[0].shape.n, *of = c->out.shape.n;
    int64_t cells =
        carve_times(c->attr[WINDOW + WINDOW_SIZE].i, c->attr[WINDOW + WINDOW_SIZE + 1].i);
    int64_t all = carve_times(carve_times(shape_size(&c->in[0].shape), cells), COST_MOVED);
    int64_t rows = of[0] * of[1];
    need->shared = bytes_for(shape_size(&c->in[0].shape), width);
    need->tasks[SPOR_PREPARE] = tasks_for(need, n[0] * n[1], n[2] * n[3] * COST_MOVED, 0);
    need->tasks[SPOR_WORK] =
        tasks_for(need, rows, carve_most(of[2] * of[3] * COST_MOVED, all / rows), 0);
}

/* In the order of the windows. */
static void loops(spor_c *c, const spor_call *call) {
    const int64_t *count = call->in[0].shape.n, *map = call->out.shape.n;
    c_line(c, "net_fill(out, 0, %" PRId64 ");", shape_size(&call->out.shape));
    write_each_window(c, call->attr + WINDOW, map, count);
    c_line(c, "for (int k = 0; k < %" PRId64 "; k++) {", map[3]);
    c_line(c,
           "const %s share = g[((n * %" PRId64 " + p) * %" PRId64 " + q) * %" PRId64
           " + k] / (%s)((r1 - r0) * (c1 - c0));",
           c_type(c), count[1], count[2], count[3], c_type(c));
    c_line(c, "for (int r = r0; r < r1; r++)");
    c_line(c, "for (int v = c0; v < c1; v++)");
    c_line(c, "    out[((n * %" PRId64 " + r) * %" PRId64 " + v) * %" PRId64 " + k] += share;",
           map[1], map[2], map[3]);
    c_line(c, "}");
    c_line(c, "}");
}

static const spor_fused fused = {
    .need = need,
    .phase = {[SPOR_PREPARE] = window_shares_kernels, [SPOR_WORK] = spread2d_kernels}};

const spor_op spor_op_spread2d = {
    .signature = "spread2d(g[N,P,Q,C]; H:int, W:int, size:int2, stride:int2=size, pad:int4=0)",
    .equation = "z = sum over windows of g / cells of the window",
    .convention = "counts the cells that lie in the map, as avgpool2d does",
    .traits = SPOR_LINEAR | SPOR_SLIDES,
    .operands = 1,
    .attrs = SPREAD_SLOTS,
    .shape = shape,
    .vjp = vjp,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = spread2d_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_spread2d(spor_var g, int64_t H, int64_t W, spor_window w) {
    spor_attr attr[SPREAD_SLOTS] = {[MAP] = {H}, {W}};
    window_to_attr(w, attr + WINDOW);
    return op_record(&spor_op_spread2d, &g, attr);
}

#elif defined(SPOR_FAST)

#include "kernels/simd.h"

static void divide(T *to, const T *from, int64_t count, T by) {
    int64_t k = 0;
    for (; k + LANES <= count; k += LANES) simd_store(to + k, simd_load(from + k) / simd_all(by));
    if (k < count)
        simd_store_part(to + k, simd_load_part(from + k, count - k) / simd_all(by), count - k);
}

/* g / cells of each window. */
FAST_KERNEL(window_shares) {
    const int64_t *n = c->in[0].shape.n, *of = c->out.shape.n;
    task_part part = task_part_of(c, SPOR_PREPARE, task, n[0] * n[1]);
    int64_t at = part.first * n[2] * n[3];
    for (int64_t r = part.first; r < part.end; r++) {
        window_range rows = window_cells(c->attr + WINDOW, 0, of[1], r % n[1]);
        for (int64_t j = 0; j < n[2]; j++, at += n[3]) {
            window_range columns = window_cells(c->attr + WINDOW, 1, of[2], j);
            int64_t cells = (rows.to - rows.from) * (columns.to - columns.from);
            divide((T *)c->shared + at, (const T *)c->in[0].data + at, n[3], (T)cells);
        }
    }
}

/* Those of n windows along an axis that cover cell u. They begin and end in the order of cells: from
 * those of the cell before, or from none before the first cell, both ends only move on. */
static window_range move_windows(window_range w, window_axis a, int64_t n, int64_t u) {
    while (w.to < n && w.to * a.stride - a.lo <= u) w.to++;
    while (w.from < w.to && w.from * a.stride - a.lo + a.size <= u) w.from++;
    return w;
}

/* Shares at the first window that covers a cell: step apart, in rows that lie row apart. */
typedef struct {
    const T *share;
    int64_t rows, row, columns, step;
} cover;

/* In the order of the windows, as the definition adds them. */
SPOR_INLINE vec sum_shares(const cover *w, const T *share, int64_t count) {
    vec sum = {0};
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0; j < w->columns; j++) {
            const T *from = share + i * w->row + j * w->step;
            sum += count < LANES ? simd_load_part(from, count) : simd_load(from);
        }
    return sum;
}

static void sum_cell(const cover *w, T *z) {
    int64_t k = 0;
    for (; k + LANES <= w->step; k += LANES) simd_store(z + k, sum_shares(w, w->share + k, LANES));
    if (k < w->step) simd_store_part(z + k, sum_shares(w, w->share + k, w->step - k), w->step - k);
}

FAST_KERNEL(spread2d) {
    const int64_t *n = c->in[0].shape.n, *of = c->out.shape.n, *stride = c->in[0].stride;
    const spor_attr *attr = c->attr + WINDOW;
    task_part part = task_part_of(c, SPOR_WORK, task, of[0] * of[1]);
    T *z = (T *)c->out.data + part.first * c->out.stride[1];
    for (int64_t r = part.first; r < part.end; r++) {
        window_range rows = {0, 0}, columns = {0, 0};
        rows = move_windows(rows, window_along(attr, 0), n[1], r % of[1]);
        const T *share = (const T *)c->shared + r / of[1] * stride[0] + rows.from * stride[1];
        for (int64_t v = 0; v < of[2]; v++, z += of[3]) {
            columns = move_windows(columns, window_along(attr, 1), n[2], v);
            sum_cell(&(cover){share + columns.from * stride[2], rows.to - rows.from, stride[1],
                              columns.to - columns.from, stride[2]},
                     z);
        }
    }
}

#else

REFERENCE_KERNEL(spread2d) {
    EACH_INDEX(i, c->out.shape) * AT(c->out, i) = FROM_INT(0);
    EACH_INDEX(i, c->in[0].shape) {
        window_range rows = window_cells(c->attr + WINDOW, 0, c->out.shape.n[1], i[1]);
        window_range columns = window_cells(c->attr + WINDOW, 1, c->out.shape.n[2], i[2]);
        int64_t cells = (rows.to - rows.from) * (columns.to - columns.from);
        T share = DIV(*AT(c->in[0], i), FROM_INT(cells));
        for (int64_t u = rows.from; u < rows.to; u++)
            for (int64_t v = columns.from; v < columns.to; v++) {
                T *z = AT4(c->out, i[0], u, v, i[3]);
                *z = ADD(*z, share);
            }
    }
}

#endif
