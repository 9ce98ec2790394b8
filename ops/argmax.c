/*
 * z = where the largest x lies along one axis, which vanishes from the shape: its position from 0, a
 * whole number. The first of a tie. A position moves in jumps: it has no derivative.
 */
#include <math.h>

#include "attributes.h"
#include "kernels/tasks.h"
#include "tape/tape.h"

#ifdef SPOR_RULES

#include "export/c.h"
#include "export/onnx.h"

KERNELS(argmax);
FAST_KERNELS(argmax);

static bool shape(spor_rule *r) {
    if (!rule_axis(r, r->attr[AXIS].i)) return false;
    r->out = without_axes(&r->in[0], SPOR_AXIS(r->attr[AXIS].i));
    return rule_some(r, SPOR_AXIS(r->attr[AXIS].i));
}

/* Constant but for jumps. */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)z, (void)k, (void)zbar;
    return op_none();
}

/* The other branch is where the next largest is. */
static spor_var margin(spor_var z) {
    spor_var largest = spor_max(op_operand(z, 0), SPOR_AXIS(op_attrs(z)[AXIS].i));
    return tape_node_of(largest)->op->margin(largest);
}

static void onnx(onnx_call *c) {
    const onnx_order order = onnx_order_of(c, 0);
    const int64_t axis = c->attr[AXIS].i;
    onnx_tensor x = onnx_whole(c, 0, &order);
    onnx_tensor y =
        onnx_node(c, "ArgMax", 1, &x, ONNX_INT64, onnx_without(c, &order, SPOR_AXIS(axis)));
    onnx_set(c, y, "axis", onnx_axis(&order, axis));
    onnx_set(c, y, "keepdims", 0);
    onnx_give_without(c, onnx_cast(c, y, ONNX_NUMBER), &order, SPOR_AXIS(axis));
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{1}}},
                                      {.in = {{2, {3, 4}}}, .attr = {{0}}},
                                      {.in = {{3, {2, 3, 2}}}, .attr = {{1}}},
                                      {.in = {{1, {1}}}, .attr = {{0}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}}, .attr = {{2}}, .message = "there is no axis 2 in x, of rank 2"},
    {.in = {{0, {0}}}, .attr = {{0}}, .message = "there is no axis 0 in x, of rank 0"},
    {.in = {{2, {3, 0}}}, .attr = {{1}}, .message = "axis 1 of x is empty: nothing is the largest"},
    SPOR_END_MISTAKES};

/* NumPy, x and axis as below: print(np.argmax(x, axis).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {1, {2}},
     .y = (const double[]){1, 2}},
    {.in = {{2, {2, 3}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {1, {3}},
     .y = (const double[]){1, 0, 1}},
    {.in = {{2, {2, 4}}},
     .attr = {{1}},
     .x = {(const double[]){-5, 3, 3, 1, 2, (double)NAN, 7, (double)NAN}},
     .out = {1, {2}},
     .y = (const double[]){1, 1}},
    SPOR_END_GOLDEN};

/* Tasks are lines of x. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    int64_t n = c->in[0].shape.n[c->attr[AXIS].i];
    need->tasks[SPOR_WORK] =
        tasks_for(need, shape_size(&c->out.shape), carve_times(n, COST_MOVED), 0);
}

static const spor_fused fused = {.need = need, .phase = {[SPOR_WORK] = argmax_kernels}};

/* The position of the first that wins along the axis. */
static void loops(spor_c *c, const spor_call *call) {
    int axis = (int)call->attr[AXIS].i;
    int64_t n = call->in[0].shape.n[axis], beside = call->in[0].stride[axis];
    c_line(c, "for (int l = 0; l < %" PRId64 "; l += %" PRId64 ")", shape_size(&call->in[0].shape),
           n * beside);
    c_line(c, "for (int k = l; k < l + %" PRId64 "; k++, out++) {", beside);
    c_line(c, "%s largest = x[k];", c_type(c));
    c_line(c, "*out = 0;");
    c_line(c, "for (int j = 1; j < %" PRId64 "; j++) {", n);
    c_line(c, "if (x[k + j * %" PRId64 "] <= largest || largest != largest) continue;", beside);
    c_line(c, "largest = x[k + j * %" PRId64 "];", beside);
    c_line(c, "*out = (%s)j;", c_type(c));
    c_line(c, "}");
    c_line(c, "}");
}

const spor_op spor_op_argmax = {
    .signature = "argmax(x[*]; axis:axis)",
    .equation = "z = position of the largest x along the axis, from 0",
    .convention =
        "a constant of the point: the derivative is 0 everywhere; the first of a tie; what "
        "is not a number wins",
    .traits = SPOR_KINKED | SPOR_MIXES_SAMPLES,
    .domain = {SPOR_TIE_FREE},
    .operands = 1,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .margin = margin,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = argmax_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_argmax(spor_var x, int axis) {
    return op_record(&spor_op_argmax, &x, &(spor_attr){.i = axis});
}

#elif defined(SPOR_FAST)

#include "kernels/simd.h"

/* n elements that lie step apart */
static int64_t position(const T *x, int64_t n, int64_t step) {
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++)
        if (WINS(x[k * step], x[best * step])) best = k;
    return best;
}

/* Of elements side by side: the largest first, then the first that is as large, or no number if that is
 * none. */
static int64_t position_in_row(const T *x, int64_t n) {
    if (n < LANES) return position(x, n, 1);
    vec most = simd_load(x);
    int64_t k = LANES;
    for (; k + LANES <= n; k += LANES) {
        vec next = simd_load(x + k);
        most = simd_select(lanes_win(next, most), next, most);
    }
    T largest = simd_lanes_most(most);
    for (; k < n; k++) largest = simd_more(largest, x[k]);
    for (k = 0; k < n; k++)
        if (x[k] == largest || (x[k] != x[k] && largest != largest)) break;
    return k;
}

/* Positions in LANES lines side by side, fewer than 2^31 elements each. */
SPOR_INLINE vec positions(const T *x, int64_t n, int64_t step) {
    vec most = simd_load(x);
    ivec best = {0};
    for (int64_t k = 1; k < n; k++) {
        vec next = simd_load(x + k * step);
        ivec wins = lanes_win(next, most);
        most = simd_select(wins, next, most);
        best = simd_select_int(wins, simd_all_int((spor_lane)k), best);
    }
    return __builtin_convertvector(best, vec);
}

FAST_KERNEL(argmax) {
    int axis = (int)c->attr[AXIS].i;
    int64_t n = c->in[0].shape.n[axis], step = c->in[0].stride[axis];
    T *z = c->out.data;
    task_part part = task_part_of(c, SPOR_WORK, task, shape_size(&c->out.shape));
    for (int64_t l = part.first; l < part.end;) {
        const T *x = (const T *)c->in[0].data + l / step * n * step + l % step;
        int64_t beside = carve_least(step - l % step, part.end - l);
        if (step == 1) {
            z[l++] = (T)position_in_row(x, n);
        } else if (beside < LANES || n > INT32_MAX) {
            z[l++] = (T)position(x, n, step);
        } else {
            simd_store(z + l, positions(x, n, step));
            l += LANES;
        }
    }
}

#else

/* The position of the first that wins among those through at. */
static int64_t winner(const spor_arg *x, int64_t at[], int axis) {
    int64_t best = 0;
    at[axis] = 0;
    T largest = *AT(*x, at);
    for (at[axis] = 1; at[axis] < x->shape.n[axis]; at[axis]++)
        if (WINS(*AT(*x, at), largest)) largest = *AT(*x, at), best = at[axis];
    return best;
}

/* Where rounding may have moved the winner, its rivals may be it. */
REFERENCE_KERNEL(argmax) {
    int axis = (int)c->attr[AXIS].i;
    const spor_arg *x = &c->in[0];
    EACH_INDEX(i, c->out.shape) {
        int64_t at[SPOR_RANK] = {0};
        for (int k = 0; k < x->shape.rank; k++)
            if (k != axis) at[k] = i[k < axis ? k : k - 1];
        int64_t best = winner(x, at, axis);
        at[axis] = best;
        T largest = *AT(*x, at), z = FROM_INT(best);
        for (at[axis] = 0; at[axis] < x->shape.n[axis]; at[axis]++)
            if (at[axis] != best) z = OR_ELSE(z, FROM_INT(at[axis]), SUB(largest, *AT(*x, at)));
        *AT(c->out, i) = z;
    }
}

#endif
