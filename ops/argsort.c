/*
 * z = the order of x along one axis: x at z_0, z_1, ... does not decrease. Positions from 0, whole
 * numbers; equal ones stay in their order, what is not a number comes last. Positions move in jumps:
 * they have no derivative. What they name has: sort(x) takes x in this order, and its derivative
 * is that
 * of take.
 */
#include <math.h>

#include "attributes.h"

#ifdef SPOR_RULES

#include "export/c.h"
#include "export/onnx.h"
#include "kernels/tasks.h"

KERNELS(argsort);
FAST_KERNELS(argsort);

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    return rule_axis(r, r->attr[AXIS].i);
}

/* Constant but for jumps. */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)z, (void)k, (void)zbar;
    return op_none();
}

/* How far an element is from the nearer of its neighbours in the order; a line has none beyond
 * its ends. */
static spor_var margin(spor_var z) {
    static const double far = 0x1p101;
    int64_t axis = op_attrs(z)[AXIS].i, one[SPOR_RANK] = {0}, crop[SPOR_RANK] = {0};
    int64_t none[SPOR_RANK] = {0};
    spor_var x = op_operand(z, 0), sorted = spor_sort(x, (int)axis);
    if (spor_shape_of(x).n[axis] == 0) return x;
    one[axis] = 1;
    crop[axis] = -1;
    spor_var step = spor_sub(spor_pad(sorted, crop, none, 0), spor_pad(sorted, none, crop, 0));
    return spor_minimum(spor_pad(step, one, none, far), spor_pad(step, none, one, far));
}

/* All positions of the smallest first; of equal elements the first one is. */
static void onnx(onnx_call *c) {
    const onnx_order order = onnx_order_of(c, 0);
    const onnx_shape shape = onnx_ordered(&c->out, &order);
    const int axis = onnx_axis(&order, c->attr[AXIS].i);
    if (onnx_refuse_rows(c, &shape, axis)) return;
    const onnx_tensor in[] = {onnx_whole(c, 0, &order), onnx_list(c, "k", 1, &shape.n[axis])};
    onnx_tensor sorted = onnx_node(c, "TopK", 2, in, ONNX_NUMBER, shape);
    onnx_tensor y = onnx_second(c, sorted, ONNX_INT64, shape);
    onnx_set(c, sorted, "axis", axis);
    onnx_set(c, sorted, "largest", 0);
    onnx_give(c, onnx_cast(c, y, ONNX_NUMBER), &order);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{1}}},
                                      {.in = {{2, {3, 4}}}, .attr = {{0}}},
                                      {.in = {{3, {2, 3, 2}}}, .attr = {{1}}},
                                      {.in = {{1, {7}}}, .attr = {{0}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}}, .attr = {{2}}, .message = "there is no axis 2 in x, of rank 2"},
    {.in = {{2, {3, 4}}}, .attr = {{-1}}, .message = "there is no axis -1 in x, of rank 2"},
    {.in = {{0, {0}}}, .attr = {{0}}, .message = "there is no axis 0 in x, of rank 0"},
    SPOR_END_MISTAKES};

/* NumPy, x and axis as below: print(np.argsort(x, axis, kind="stable").ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){2, 0, 1, 1, 0, 2}},
    {.in = {{2, {2, 3}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){0, 1, 0, 1, 0, 1}},
    {.in = {{1, {7}}},
     .attr = {{0}},
     .x = {(const double[]){3, (double)NAN, -1, 3, -HUGE_VAL, -1, (double)NAN}},
     .out = {1, {7}},
     .y = (const double[]){4, 2, 5, 0, 3, 1, 6}},
    SPOR_END_GOLDEN};

/* Lines along the axis; each is merged from one half of scratch to the other. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    int64_t n = c->out.shape.n[c->attr[AXIS].i];
    need->scratch = bytes_for(2 * n, sizeof(int64_t));
    need->tasks[SPOR_WORK] = tasks_for(need, shape_size(&c->out.shape) / carve_most(n, 1),
                                       carve_times(n + 1, COST_EXP), 0);
}

/* By insertion: what comes later stays behind its equals. */
static void loops(spor_c *c, const spor_call *call) {
    int axis = (int)call->attr[AXIS].i;
    int64_t n = call->out.shape.n[axis], beside = call->out.stride[axis];
    c_line(c, "for (int l = 0; l < %" PRId64 "; l += %" PRId64 ")", shape_size(&call->out.shape),
           n * beside);
    c_line(c, "for (int k = l; k < l + %" PRId64 "; k++)", beside);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++) {", n);
    c_line(c, "const %s value = x[k + i * %" PRId64 "];", c_type(c), beside);
    c_line(c, "int at = i;");
    c_line(c, "for (; at > 0; at--) {");
    c_line(c, "const %s before = x[k + (int)out[k + (at - 1) * %" PRId64 "] * %" PRId64 "];",
           c_type(c), beside, beside);
    c_line(c, "if (!(value < before || (value == value && before != before))) break;");
    c_line(c, "out[k + at * %" PRId64 "] = out[k + (at - 1) * %" PRId64 "];", beside, beside);
    c_line(c, "}");
    c_line(c, "out[k + at * %" PRId64 "] = (%s)i;", beside, c_type(c));
    c_line(c, "}");
}

static const spor_fused fused = {.need = need, .phase = {[SPOR_WORK] = argsort_kernels}};

const spor_op spor_op_argsort = {
    .signature = "argsort(x[*]; axis:axis)",
    .equation = "z: x at z_0, z_1, ... along the axis does not decrease",
    .convention =
        "a constant of the point: the derivative is 0 everywhere; positions from 0, equal "
        "ones in their order, what is not a number last",
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
    .reference = argsort_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_argsort(spor_var x, int axis) {
    return op_record(&spor_op_argsort, &x, &(spor_attr){.i = axis});
}

#else

#include "kernels/scalar.h"

/* True if a has to come before b, whatever their order now. */
static inline int comes_before(T a, T b) {
    return LESS(a, b) || (IS_NAN(b) && !IS_NAN(a));
}

#ifdef SPOR_FAST

#include "kernels/tasks.h"
#include "kernels/simd.h"

/* Merges the sorted runs first .. middle - 1 and middle .. end - 1 of positions. */
static void merge(const T *x, int64_t step, const int64_t *from, int64_t *to, int64_t first,
                  int64_t middle, int64_t end) {
    int64_t a = first, b = middle;
    for (int64_t k = first; k < end; k++) {
        bool later = a >= middle || (b < end && comes_before(x[from[b] * step], x[from[a] * step]));
        to[k] = from[later ? b++ : a++];
    }
}

/* One line; returns the half of scratch that has its order. */
static const int64_t *order_of(const T *x, int64_t step, int64_t n, int64_t *scratch) {
    int64_t *from = scratch, *to = scratch + n;
    for (int64_t k = 0; k < n; k++) from[k] = k;
    for (int64_t run = 1; run < n; run *= 2) {
        for (int64_t first = 0; first < n; first += 2 * run)
            merge(x, step, from, to, first, carve_least(first + run, n),
                  carve_least(first + 2 * run, n));
        int64_t *sorted = to;
        to = from;
        from = sorted;
    }
    return from;
}

FAST_KERNEL(argsort) {
    int axis = (int)c->attr[AXIS].i;
    int64_t n = c->out.shape.n[axis], step = c->out.stride[axis];
    int64_t lines = shape_size(&c->out.shape) / n;
    task_part part = task_part_of(c, SPOR_WORK, task, lines);
    for (int64_t l = part.first; l < part.end; l++) {
        int64_t at = l / step * n * step + l % step;
        const int64_t *order = order_of((const T *)c->in[0].data + at, step, n, c->scratch);
        T *z = (T *)c->out.data + at;
        for (int64_t k = 0; k < n; k++) z[k * step] = (T)order[k];
    }
}

#else

/* How many come before and behind an element of a line, and how many do so whatever rounding did. */
typedef struct {
    int64_t before, surely_before, surely_behind;
} placing;

static placing place_of(const spor_arg *x, const int64_t i[], int axis) {
    placing p = {0, 0, 0};
    int64_t at[SPOR_RANK];
    for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
    T own = *AT(*x, i);
    for (at[axis] = 0; at[axis] < x->shape.n[axis]; at[axis]++) {
        if (at[axis] == i[axis]) continue;
        T other = *AT(*x, at);
        int before = at[axis] < i[axis] ? !comes_before(own, other) : comes_before(other, own);
        int sure = !MAY_TURN(SUB(own, other));
        p.before += before;
        p.surely_before += before && sure;
        p.surely_behind += !before && sure;
    }
    return p;
}

/* An element may be at all places that leave room for those surely before it and behind it. */
REFERENCE_KERNEL(argsort) {
    int axis = (int)c->attr[AXIS].i;
    int64_t n = c->out.shape.n[axis];
    for (int doubts = 0; doubts < 2; doubts++) {
        EACH_INDEX(i, c->out.shape) {
            placing p = place_of(&c->in[0], i, axis);
            int64_t at[SPOR_RANK];
            for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
            at[axis] = p.before;
            if (!doubts) *AT(c->out, at) = FROM_INT(i[axis]);
            for (at[axis] = p.surely_before; doubts && at[axis] < n - p.surely_behind; at[axis]++)
                if (at[axis] != p.before)
                    *AT(c->out, at) = EITHER(*AT(c->out, at), FROM_INT(i[axis]));
        }
    }
}

#endif

#endif
