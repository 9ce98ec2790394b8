/*
 * z[n,i,j,c] = v where the winner of window (i, j) of x lies; x, v [N,H,W,C], z [N,P,Q,C]. The
 * adjoint of route; gather(x, x) is maxpool2d(x). x only decides.
 */
#include "window.h"

#ifdef SPOR_RULES

#include "window_written.h"

KERNELS(gather);
FAST_KERNELS(gather);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *v = &r->in[1];
    if (!rule_rank(r, 0, 4) || !rule_rank(r, 1, 4)) return false;
    if (!shape_equal(x, v)) return rule_fail(r, "x and v must have one shape");
    return rule_window(r, r->attr, x, &r->out);
}

/* dx = 0: a winner moves in jumps; dv = zbar added to where the winners lie */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    if (k == 0) return op_none();
    return spor_route(op_operand(z, 0), zbar, attr_to_window(op_attrs(z)));
}

/* The other branch is where the next of the window wins. */
static spor_var margin(spor_var z) {
    return window_lead(op_operand(z, 0), attr_to_window(op_attrs(z)));
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 4, 3, 2}}, {4, {2, 4, 3, 2}}}, .attr = {{2}, {2}, {2}, {2}}},
    {.in = {{4, {1, 5, 4, 1}}, {4, {1, 5, 4, 1}}},
     .attr = {{3}, {2}, {1}, {1}, {1}, {2}, {0}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}, {4, {1, 1, 1, 1}}}, .attr = {{1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 3, 2, 1}}, {4, {1, 3, 2, 1}}}, .attr = {{3}, {2}, {1}, {4}}},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 4, 6, 1}}}, .attr = {{1}, {2}, {3}, {3}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{4, {1, 4, 3, 1}}, {4, {1, 3, 4, 1}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "x and v must have one shape"},
    {.in = {{3, {4, 3, 1}}, {4, {1, 4, 3, 1}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "x has 3 axes but gather expects 4 [N, H, W, C]"},
    {.in = {{4, {1, 4, 3, 1}}, {3, {4, 3, 1}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "v has 3 axes but gather expects 4 [N, H, W, C]"},
    {.in = {{4, {1, 4, 3, 1}}, {4, {1, 4, 3, 1}}},
     .attr = {{2}, {4}, {2}, {2}},
     .message = "the window's width is 4 but the padded map has only 3"},
    SPOR_END_MISTAKES};

/* NumPy (nanargmax takes the first), x, v, size, stride and pad as below; channel 1 of the first
 * x is one tie:
 * win = lambda x: np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), pad[:2], pad[2:],
 * (0, 0)), constant_values=np.nan), size, (1, 2))[:, ::stride[0], ::stride[1]]
 * w, i = [win(t).reshape(*win(t).shape[:4], -1) for t in (x,
 * np.arange(float(x.size)).reshape(x.shape))]
 * winner = np.take_along_axis(i, np.nanargmax(w, 4)[..., None], 4)[..., 0].astype(int)
 * print(v.ravel()[winner].ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{4, {1, 4, 3, 2}}, {4, {1, 4, 3, 2}}},
     .attr = {{2}, {2}, {2}, {1}, {0}, {0}, {0}, {0}},
     .x = {(const double[]){-4.5, 2.5, -4, 2.5, 0,  2.5, -2.5, 2.5, -8,   2.5, -5.5, 2.5,
                            -6.5, 2.5, -5, 2.5, -2, 2.5, -7.5, 2.5, -8.5, 2.5, -3,   2.5},
           (const double[]){0,  1.5,  3.5, -2,  -4, 1, 0.5, -1.5, 3,  0.5, -1,   2,
                            -4, -3.5, -2,  1.5, 3,  3, 0,   -2.5, -4, 2,   -3.5, 0}},
     .out = {4, {1, 2, 2, 2}},
     .y = (const double[]){0.5, 1.5, -4, -2, -2, -3.5, 3, 1.5}},
    {.in = {{4, {2, 3, 5, 1}}, {4, {2, 3, 5, 1}}},
     .attr = {{3}, {2}, {1}, {3}, {1}, {0}, {0}, {1}},
     .x = {(const double[]){-3.75, -6.75,  -8.25,  -11.25, 2.75,  -7.25, -4.75, -5.75,
                            2.25,  3.25,   -1.25,  0.75,   -2.25, -1.75, -3.25, -8.75,
                            -4.25, -10.75, -10.25, -0.25,  1.25,  -9.75, -6.25, -7.75,
                            -9.25, -2.75,  0.25,   -5.25,  1.75,  -0.75},
           (const double[]){1.5,  2,   -2.5, -4,  1, -0.5, -2.5, -2.5, 0.5, -3.5,
                            3.5,  2.5, 3,    2.5, 2, 4,    -0.5, -1.5, -3,  -3,
                            -3.5, 1.5, 0,    3,   4, -2.5, -3.5, 2,    1,   2}},
     .out = {4, {2, 2, 2, 1}},
     .y = (const double[]){1.5, -3.5, 2.5, -3.5, -3.5, -3, -3.5, 1}},
    {.in = {{4, {1, 2, 4, 1}}, {4, {1, 2, 4, 1}}},
     .attr = {{1}, {3}, {2}, {2}, {0}, {0}, {2}, {1}},
     .x = {(const double[]){-3, -1, -0.5, 0.5, 0, -2, -2.5, -1.5},
           (const double[]){-4, -2, 0, 0, 3, 1.5, -4, 2}},
     .out = {4, {1, 1, 3, 1}},
     .y = (const double[]){-4, 0, 0}},
    SPOR_END_GOLDEN};

static void loops(spor_c *c, const spor_call *call) {
    const int64_t *map = call->in[0].shape.n, *count = call->out.shape.n;
    write_each_window(c, call->attr, map, count);
    write_winner(c, map);
    c_line(c, "out[((n * %" PRId64 " + p) * %" PRId64 " + q) * %" PRId64 " + k] = v[winner];",
           count[1], count[2], count[3]);
    c_line(c, "}");
    c_line(c, "}");
}

static const spor_fused fused = {.need = window_need, .phase = {[SPOR_WORK] = gather_kernels}};

const spor_op spor_op_gather = {
    .signature = "gather(x[N,H,W,C], v[N,H,W,C]; size:int2, stride:int2=size, pad:int4=0)",
    .equation = "z[n,i,j,c] = v at the winner of x's window (i, j)",
    .convention = "the first maximum in row-major order wins a tie; the derivative by x is 0",
    .traits = SPOR_LINEAR_REST | SPOR_KINKED | SPOR_SLIDES,
    .domain = {SPOR_TIE_FREE, SPOR_ANY},
    .operands = 2,
    .attrs = WINDOW_SLOTS,
    .shape = shape,
    .vjp = vjp,
    .margin = margin,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = gather_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_gather(spor_var x, spor_var v, spor_window w) {
    spor_attr attr[WINDOW_SLOTS];
    window_to_attr(w, attr);
    return op_record(&spor_op_gather, (spor_var[]){x, v}, attr);
}

#elif defined(SPOR_FAST)

/* Lanes of channels; x and v are at the window's first cell. */
SPOR_INLINE vec gather_lanes(const window_box *w, const T *x, const T *v) {
    vec largest = simd_load(x), z = simd_load(v);
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0, at = i * w->row; j < w->columns; j++, at += w->step) {
            vec cell = simd_load(x + at);
            ivec wins = lanes_win(cell, largest);
            largest = simd_select(wins, cell, largest);
            z = simd_select(wins, simd_load(v + at), z);
        }
    return z;
}

static void gather_window(const window_box *w, const T *x, const T *v, T *z) {
    int64_t k = 0;
    for (; k + LANES <= w->step; k += LANES) simd_store(z + k, gather_lanes(w, x + k, v + k));
    for (; k < w->step; k++) z[k] = v[k + window_winner(w, x + k)];
}

FAST_KERNEL(gather) {
    const int64_t *n = c->out.shape.n;
    const T *x = c->in[0].data, *v = c->in[1].data;
    task_part part = task_part_of(c, SPOR_WORK, task, n[0] * n[1]);
    T *z = (T *)c->out.data + part.first * c->out.stride[1];
    for (int64_t r = part.first; r < part.end; r++) {
        window_box rows = window_rows(&c->in[0], c->attr, r / n[1], r % n[1]);
        for (int64_t j = 0; j < n[2]; j++, z += n[3]) {
            window_box w = window_at(rows, &c->in[0], c->attr, j);
            gather_window(&w, x + w.first, v + w.first, z);
        }
    }
}

#else

REFERENCE_KERNEL(gather) {
    EACH_INDEX(i, c->out.shape)
    *AT(c->out, i) = window_value(&c->in[0], &c->in[1], c->attr, i);
}

#endif
