/*
 * z = 0, and g[n,i,j,c] added to where the winner of window (i, j) of x lies: how max-pooling
 * pulls an error back; x, z [N,H,W,C], g [N,P,Q,C]. The adjoint of gather. x only decides.
 */
#include "window.h"

#ifdef SPOR_RULES

#include "window_written.h"

KERNELS(route);
FAST_KERNELS(route);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *g = &r->in[1];
    spor_shape of = {0};
    if (!rule_rank(r, 0, 4) || !rule_rank(r, 1, 4)) return false;
    if (!rule_window(r, r->attr, x, &of)) return false;
    if (!shape_equal(g, &of))
        return rule_fail(r,
                         "x has N=%" PRId64 ", %" PRId64 " x %" PRId64 " windows and C=%" PRId64
                         ", and g must have one value for each",
                         of.n[0], of.n[1], of.n[2], of.n[3]);
    r->out = *x;
    return true;
}

/* dx = 0: a winner moves in jumps; dg = zbar where the winners lie */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    if (k == 0) return op_none();
    return spor_gather(op_operand(z, 0), zbar, attr_to_window(op_attrs(z)));
}

/* The other branch is where the next of the window wins. */
static spor_var margin(spor_var z) {
    return window_lead(op_operand(z, 0), attr_to_window(op_attrs(z)));
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 4, 3, 2}}, {4, {2, 2, 1, 2}}}, .attr = {{2}, {2}, {2}, {2}}},
    {.in = {{4, {1, 5, 4, 1}}, {4, {1, 6, 4, 1}}},
     .attr = {{3}, {2}, {1}, {1}, {1}, {2}, {0}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}, {4, {1, 1, 1, 1}}}, .attr = {{1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 3, 2, 1}}, {4, {1, 1, 1, 1}}}, .attr = {{3}, {2}, {1}, {4}}},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 2, 2, 1}}}, .attr = {{1}, {2}, {3}, {3}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{4, {1, 4, 3, 1}}, {4, {1, 2, 2, 1}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "x has N=1, 2 x 1 windows and C=1, and g must have one value for each"},
    {.in = {{3, {4, 3, 1}}, {4, {1, 2, 2, 1}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "x has 3 axes but route expects 4 [N, H, W, C]"},
    {.in = {{4, {1, 4, 3, 1}}, {2, {2, 1}}},
     .attr = {{2}, {2}, {2}, {2}},
     .message = "g has 2 axes but route expects 4 [N, P, Q, C]"},
    {.in = {{4, {1, 4, 3, 1}}, {4, {1, 2, 1, 1}}},
     .attr = {{5}, {2}, {2}, {2}},
     .message = "the window's height is 5 but the padded map has only 4"},
    SPOR_END_MISTAKES};

/* NumPy (nanargmax takes the first), x, g, size, stride and pad as below; channel 1 of the first
 * x is one tie:
 * win = lambda x: np.lib.stride_tricks.sliding_window_view(np.pad(x, ((0, 0), pad[:2], pad[2:],
 * (0, 0)), constant_values=np.nan), size, (1, 2))[:, ::stride[0], ::stride[1]]
 * w, i = [win(t).reshape(*win(t).shape[:4], -1) for t in (x,
 * np.arange(float(x.size)).reshape(x.shape))]
 * winner = np.take_along_axis(i, np.nanargmax(w, 4)[..., None], 4)[..., 0].astype(int)
 * z = np.zeros(x.size); np.add.at(z, winner.ravel(), g.ravel()); print(z.tolist()) */
static const spor_golden golden[] = {
    {.in = {{4, {1, 4, 3, 2}}, {4, {1, 2, 2, 2}}},
     .attr = {{2}, {2}, {2}, {1}, {0}, {0}, {0}, {0}},
     .x = {(const double[]){-4.5, 2.5, -4, 2.5, 0,  2.5, -2.5, 2.5, -8,   2.5, -5.5, 2.5,
                            -6.5, 2.5, -5, 2.5, -2, 2.5, -7.5, 2.5, -8.5, 2.5, -3,   2.5},
           (const double[]){4, -0.5, -3, 2, -1, 4, -3.5, -4}},
     .out = {4, {1, 4, 3, 2}},
     .y = (const double[]){0, -0.5, 0,  2,  -3,   0, 4, 0, 0, 0, 0, 0,
                           0, 4,    -1, -4, -3.5, 0, 0, 0, 0, 0, 0, 0}},
    {.in = {{4, {2, 3, 5, 1}}, {4, {2, 2, 2, 1}}},
     .attr = {{3}, {2}, {1}, {3}, {1}, {0}, {0}, {1}},
     .x = {(const double[]){-3.75, -6.75,  -8.25,  -11.25, 2.75,  -7.25, -4.75, -5.75,
                            2.25,  3.25,   -1.25,  0.75,   -2.25, -1.75, -3.25, -8.75,
                            -4.25, -10.75, -10.25, -0.25,  1.25,  -9.75, -6.25, -7.75,
                            -9.25, -2.75,  0.25,   -5.25,  1.75,  -0.75},
           (const double[]){-2, 3, -1.5, -1, 1, -2, 2.5, -4}},
     .out = {4, {2, 3, 5, 1}},
     .y = (const double[]){-2, 0, 0, 0, 0,  0,   0, 0, 0, 2, 0, -1.5, 0, 0,  0,
                           0,  0, 0, 0, -2, 3.5, 0, 0, 0, 0, 0, 0,    0, -4, 0}},
    {.in = {{4, {1, 2, 4, 1}}, {4, {1, 1, 3, 1}}},
     .attr = {{1}, {3}, {2}, {2}, {0}, {0}, {2}, {1}},
     .x = {(const double[]){-3, -1, -0.5, 0.5, 0, -2, -2.5, -1.5}, (const double[]){1, 2, 2}},
     .out = {4, {1, 2, 4, 1}},
     .y = (const double[]){1, 0, 2, 2, 0, 0, 0, 0}},
    SPOR_END_GOLDEN};

/* Windows overlap, so that tasks are samples. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    const spor_shape *windows = &c->in[1].shape;
    int64_t N = windows->n[0], moved = carve_times(shape_size(&c->out.shape) / N, COST_MOVED);
    int64_t cost = window_cost(c->attr, windows, windows->n[1]);
    need->tasks[SPOR_WORK] = tasks_for(need, N, carve_most(moved, cost), 0);
}

/* Window by window. */
static void loops(spor_c *c, const spor_call *call) {
    const int64_t *map = call->out.shape.n, *count = call->in[1].shape.n;
    c_line(c, "net_fill(out, 0, %" PRId64 ");", shape_size(&call->out.shape));
    write_each_window(c, call->attr, map, count);
    write_winner(c, map);
    c_line(c, "out[winner] += g[((n * %" PRId64 " + p) * %" PRId64 " + q) * %" PRId64 " + k];",
           count[1], count[2], count[3]);
    c_line(c, "}");
    c_line(c, "}");
}

static const spor_fused fused = {.need = need, .phase = {[SPOR_WORK] = route_kernels}};

const spor_op spor_op_route = {
    .signature = "route(x[N,H,W,C], g[N,P,Q,C]; size:int2, stride:int2=size, pad:int4=0)",
    .equation = "z = sum of g at the winners of x's windows",
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
    .reference = route_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_route(spor_var x, spor_var g, spor_window w) {
    spor_attr attr[WINDOW_SLOTS];
    window_to_attr(w, attr);
    return op_record(&spor_op_route, (spor_var[]){x, g}, attr);
}

#elif defined(SPOR_FAST)

/* The largest x of a window's cells, or what is not a number. */
SPOR_INLINE vec largest_lanes(const window_box *w, const T *x) {
    vec largest = simd_load(x);
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0, at = i * w->row; j < w->columns; j++, at += w->step) {
            vec cell = simd_load(x + at);
            largest = simd_select(lanes_win(cell, largest), cell, largest);
        }
    return largest;
}

/* Lanes of channels: g is added to the first cell that is as large as the largest, or is no number if that
 * is none; 0 to the others, where no sum is -0. */
SPOR_INLINE void route_lanes(const window_box *w, const T *x, vec g, T *z) {
    vec largest = largest_lanes(w, x);
    ivec open = simd_all_int(-1), none = largest != largest;
    for (int64_t i = 0; i < w->rows; i++)
        for (int64_t j = 0, at = i * w->row; j < w->columns; j++, at += w->step) {
            vec cell = simd_load(x + at);
            ivec won = open & ((cell == largest) | (none & (cell != cell)));
            open &= ~won;
            simd_store(z + at, simd_load(z + at) + (vec)((ivec)g & won));
        }
}

static void route_window(const window_box *w, const T *x, const T *g, T *z) {
    int64_t k = 0;
    for (; k + LANES <= w->step; k += LANES) route_lanes(w, x + k, simd_load(g + k), z + k);
    for (; k < w->step; k++) z[k + window_winner(w, x + k)] += g[k];
}

FAST_KERNEL(route) {
    const int64_t *n = c->in[1].shape.n, sample = c->out.stride[0];
    const T *x = c->in[0].data;
    T *z = c->out.data;
    task_part part = task_part_of(c, SPOR_WORK, task, n[0]);
    const T *g = (const T *)c->in[1].data + part.first * c->in[1].stride[0];
    memset(z + part.first * sample, 0, (size_t)((part.end - part.first) * sample) * sizeof *z);
    for (int64_t r = part.first * n[1]; r < part.end * n[1]; r++) {
        window_box rows = window_rows(&c->in[0], c->attr, r / n[1], r % n[1]);
        for (int64_t j = 0; j < n[2]; j++, g += n[3]) {
            window_box w = window_at(rows, &c->in[0], c->attr, j);
            route_window(&w, x + w.first, g, z + w.first);
        }
    }
}

#else

/* Where rounding may have moved the winner of window i, its rivals may have got g: true if any. */
static int share_with_rivals(const spor_call *c, const int64_t i[], window_cell best, T g) {
    window_range rows = window_cells(c->attr, 0, c->in[0].shape.n[1], i[1]);
    window_range columns = window_cells(c->attr, 1, c->in[0].shape.n[2], i[2]);
    T largest = *AT4(c->in[0], i[0], best.i, best.j, i[3]), nothing = FROM_INT(0);
    int rivals = 0;
    for (int64_t a = rows.from; a < rows.to; a++)
        for (int64_t b = columns.from; b < columns.to; b++) {
            T lead = SUB(largest, *AT4(c->in[0], i[0], a, b, i[3]));
            if ((a == best.i && b == best.j) || !MAY_TURN(lead)) continue;
            T *z = AT4(c->out, i[0], a, b, i[3]);
            *z = ADD(*z, EITHER(nothing, g));
            rivals = 1;
        }
    return rivals;
}

REFERENCE_KERNEL(route) {
    T nothing = FROM_INT(0);
    EACH_INDEX(i, c->out.shape) * AT(c->out, i) = nothing;
    EACH_INDEX(i, c->in[1].shape) {
        window_cell best = window_winner(&c->in[0], c->attr, i[0], i[1], i[2], i[3]);
        T *z = AT4(c->out, i[0], best.i, best.j, i[3]), g = *AT(c->in[1], i);
        *z = ADD(*z, share_with_rivals(c, i, best, g) ? EITHER(g, nothing) : g);
    }
}

#endif
