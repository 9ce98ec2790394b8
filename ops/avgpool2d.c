/*
 * z[n,i,j,c] = the mean of x[n,.,.,c] over the cells of window (i, j) that lie in the map;
 * x [N,H,W,C], z [N,P,Q,C]. window.h says which cells a window covers.
 */
#include "window.h"

#ifdef SPOR_RULES

#include "window_written.h"
#include "export/onnx.h"

KERNELS(avgpool2d);
FAST_KERNELS(avgpool2d);

static bool shape(spor_rule *r) {
    return rule_rank(r, 0, 4) && rule_window(r, r->attr, &r->in[0], &r->out);
}

/* dx = zbar spread evenly over the cells of its window */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_shape x = spor_shape_of(op_operand(z, k));
    return spor_spread2d(zbar, x.n[1], x.n[2], attr_to_window(op_attrs(z)));
}

static void onnx(onnx_call *c) {
    const spor_window w = attr_to_window(c->attr);
    const int64_t steps[] = {w.stride[0], w.stride[1], 1, 1};
    onnx_set(c, onnx_windows(c, "AveragePool", 0, w.size, steps, w.pad), "count_include_pad", 0);
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 4, 3, 2}}}, .attr = {{2}, {2}, {2}, {2}}},
    {.in = {{4, {1, 5, 4, 1}}}, .attr = {{3}, {2}, {1}, {1}, {1}, {2}, {0}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}}, .attr = {{1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 3, 2, 1}}}, .attr = {{3}, {2}, {1}, {4}}},
    {.in = {{4, {1, 4, 6, 1}}}, .attr = {{1}, {2}, {3}, {3}}},
    {.in = {{4, {1, 2, 2, 5}}}, .attr = {{2}, {1}, {1}, {2}, {0}, {1}, {0}, {0}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{3, {4, 3, 2}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "x has 3 axes but avgpool2d expects 4 [N, H, W, C]"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{2}, {0}, {2}, {2}},
     .message = "the window's width is 0 but must be at least 1"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{2}, {2}, {1}, {1}, {0}, {0}, {0}, {2}},
     .message = "a window may lie wholly outside the map"},
    {.in = {{4, {1, 4, 3, 1}}},
     .attr = {{6}, {1}, {1}, {1}, {1}, {0}},
     .message = "the window's height is 6 but the padded map has only 5"},
    SPOR_END_MISTAKES};

/* NumPy, x, size, stride and pad as below:
 * win = lambda x: np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), pad[:2], pad[2:],
 * (0, 0)), constant_values=np.nan), size, (1, 2))[:, ::stride[0], ::stride[1]]
 * print(np.nanmean(win(x), (4, 5)).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{4, {1, 4, 3, 2}}},
     .attr = {{2}, {2}, {2}, {1}, {0}, {0}, {0}, {0}},
     .x = {(const double[]){-8.5, -3,   -6,   -0.5, -5, 2.5, -4.5, -2.5, 1,   -7, 2,    -6.5,
                            -1,   -1.5, -7.5, -4,   -2, 0.5, -5.5, -9,   1.5, 0,  -3.5, -8}},
     .out = {4, {1, 2, 2, 2}},
     .y = (const double[]){-4.5, -3.25, -2, -2.875, -3.125, -3.625, -2.875, -2.875}},
    {.in = {{4, {2, 3, 5, 1}}},
     .attr = {{3}, {2}, {1}, {3}, {1}, {0}, {0}, {1}},
     .x = {(const double[]){-2.25,  -6.75, -5.75,  -8.25, -3.75, -4.25, -1.25,  0.25,
                            -10.75, -3.25, -10.25, -2.75, -8.75, 0.75,  -9.75,  1.75,
                            -0.75,  3.25,  -6.25,  -9.25, -7.25, -5.25, -11.25, 1.25,
                            2.25,   -7.75, -0.25,  -4.75, 2.75,  -1.75}},
     .out = {4, {2, 2, 2, 1}},
     .y = (const double[]){-3.625, -6.5, -4.583333333333333, -5.833333333333333, -2.875, -3, -3.25,
                           -1.8333333333333333}},
    {.in = {{4, {1, 2, 4, 1}}},
     .attr = {{1}, {3}, {2}, {2}, {0}, {0}, {2}, {1}},
     .x = {(const double[]){-3, 0, -1, -2, -1.5, -2.5, -0.5, 0.5}},
     .out = {4, {1, 1, 3, 1}},
     .y = (const double[]){-3, -1.3333333333333333, -1.5}},
    SPOR_END_GOLDEN};

/* Rows of a window are added up, then their sums, as the fast kernels do. */
static void loops(spor_c *c, const spor_call *call) {
    const int64_t *x = call->in[0].shape.n, *z = call->out.shape.n;
    write_each_window(c, call->attr, x, z);
    c_line(c, "for (int k = 0; k < %" PRId64 "; k++) {", z[3]);
    c_line(c, "%s sum = 0;", c_type(c));
    c_line(c, "for (int r = r0; r < r1; r++) {");
    c_line(c, "%s part = 0;", c_type(c));
    c_line(c, "for (int v = c0; v < c1; v++)");
    c_line(c, "    part += x[((n * %" PRId64 " + r) * %" PRId64 " + v) * %" PRId64 " + k];", x[1],
           x[2], x[3]);
    c_line(c, "sum += part;");
    c_line(c, "}");
    c_line(c,
           "out[((n * %" PRId64 " + p) * %" PRId64 " + q) * %" PRId64
           " + k] = sum / (%s)((r1 - r0) * (c1 - c0));",
           z[1], z[2], z[3], c_type(c));
    c_line(c, "}");
    c_line(c, "}");
}

static const spor_fused fused = {.need = window_need, .phase = {[SPOR_WORK] = avgpool2d_kernels}};

static bool cells(const spor_call *c, cells_window *w) {
    return cells_of_windows(c, CELLS_MEAN, w);
}

const spor_op spor_op_avgpool2d = {
    .signature = "avgpool2d(x[N,H,W,C]; size:int2, stride:int2=size, pad:int4=0)",
    .equation = "z[n,i,j,c] = mean of x[n,.,.,c] over window (i, j)",
    .convention = "divides by the cells that lie in the map, not by the window's size; a window "
                  "wholly outside the map is an error",
    .traits = SPOR_LINEAR | SPOR_SLIDES,
    .operands = 1,
    .attrs = WINDOW_SLOTS,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = avgpool2d_reference,
    .fused = &fused,
    .c_loops = loops,
    .cells = cells,
};

spor_var spor_avgpool2d(spor_var x, spor_window w) {
    spor_attr attr[WINDOW_SLOTS];
    window_to_attr(w, attr);
    return op_record(&spor_op_avgpool2d, &x, attr);
}

#elif defined(SPOR_FAST)

/* Rows of the window are added up, then their sums: rounding grows with the longer of its sides. */
SPOR_INLINE vec sum_cells(const window_box *w, const T *x, int64_t count) {
    vec sum = {0};
    for (int64_t u = 0; u < w->rows; u++) {
        vec part = {0};
        for (int64_t v = 0; v < w->columns; v++) {
            const T *cell = x + u * w->row + v * w->step;
            part += count < LANES ? simd_load_part(cell, count) : simd_load(cell);
        }
        sum += part;
    }
    return sum;
}

static void mean_cells(const window_box *w, const T *x, T *z) {
    vec cells = simd_all((T)(w->rows * w->columns));
    int64_t k = 0;
    for (; k + LANES <= w->step; k += LANES) simd_store(z + k, sum_cells(w, x + k, LANES) / cells);
    if (k < w->step) simd_store_part(z + k, sum_cells(w, x + k, w->step - k) / cells, w->step - k);
}

FAST_KERNEL(avgpool2d) {
    const int64_t *n = c->out.shape.n;
    task_part part = task_part_of(c, SPOR_WORK, task, n[0] * n[1]);
    T *z = (T *)c->out.data + part.first * c->out.stride[1];
    for (int64_t r = part.first; r < part.end; r++) {
        window_box rows = window_rows(&c->in[0], c->attr, r / n[1], r % n[1]);
        for (int64_t j = 0; j < n[2]; j++, z += n[3]) {
            window_box w = window_at(rows, &c->in[0], c->attr, j);
            mean_cells(&w, (const T *)c->in[0].data + w.first, z);
        }
    }
}

#else

#include "kernels/pairwise.h"

REFERENCE_KERNEL(avgpool2d) {
    const spor_arg *x = &c->in[0];
    EACH_INDEX(i, c->out.shape) {
        window_range rows = window_cells(c->attr, 0, x->shape.n[1], i[1]);
        window_range columns = window_cells(c->attr, 1, x->shape.n[2], i[2]);
        pairwise_sum sum;
        pairwise_begin(&sum);
        for (int64_t u = rows.from; u < rows.to; u++)
            for (int64_t v = columns.from; v < columns.to; v++)
                pairwise_add(&sum, *AT4(*x, i[0], u, v, i[3]));
        int64_t cells = (rows.to - rows.from) * (columns.to - columns.from);
        *AT(c->out, i) = DIV(pairwise_total(&sum), FROM_INT(cells));
    }
}

#endif
