/*
 * z = the running sum of x along one axis: z_j = x_0 + ... + x_j, in this order.
 */
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/c.h"
#include "export/onnx.h"
#include "kernels/tasks.h"

KERNELS(cumsum);
FAST_KERNELS(cumsum);

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    return rule_axis(r, r->attr[AXIS].i);
}

/* dx_j = zbar_j + ... + zbar_(n - 1): summed from the other end */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    int64_t axis = op_attrs(z)[AXIS].i;
    return spor_flip(spor_cumsum(spor_flip(zbar, SPOR_AXIS(axis)), (int)axis), SPOR_AXIS(axis));
}

static void onnx(onnx_call *c) {
    const onnx_order order = onnx_order_of(c, 0);
    const onnx_tensor in[] = {onnx_whole(c, 0, &order),
                              onnx_integer(c, "axis", onnx_axis(&order, c->attr[AXIS].i))};
    onnx_give(c, onnx_node(c, "CumSum", 2, in, ONNX_NUMBER, onnx_ordered(&c->out, &order)), &order);
}

static const spor_sample samples[] = {
    {.in = {{2, {3, 4}}}, .attr = {{1}}},    {.in = {{2, {3, 4}}}, .attr = {{0}}},
    {.in = {{3, {2, 3, 2}}}, .attr = {{1}}}, {.in = {{1, {1}}}, .attr = {{0}}},
    {.in = {{1, {5}}}, .attr = {{0}}},       SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}}, .attr = {{2}}, .message = "there is no axis 2 in x, of rank 2"},
    {.in = {{2, {3, 4}}}, .attr = {{-1}}, .message = "there is no axis -1 in x, of rank 2"},
    {.in = {{0, {0}}}, .attr = {{0}}, .message = "there is no axis 0 in x, of rank 0"},
    SPOR_END_MISTAKES};

/* NumPy, x and axis as below: print(np.cumsum(x, axis).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){1, 3, 0, 4, 4.5, 10.5}},
    {.in = {{2, {2, 3}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){1, 2, -3, 5, 2.5, 3}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{1}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 3, 2}},
     .y = (const double[]){2, -1, 2, 4, 5, 0, 1.5, 6, -5.5, 8, -5, 8.25}},
    SPOR_END_GOLDEN};

/* Lines along the axis. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    int64_t n = c->out.shape.n[c->attr[AXIS].i];
    need->tasks[SPOR_WORK] = tasks_for(need, shape_size(&c->out.shape) / carve_most(n, 1),
                                       carve_times(n + 1, COST_MOVED), 0);
}

static void loops(spor_c *c, const spor_call *call) {
    int axis = (int)call->attr[AXIS].i;
    int64_t n = call->out.shape.n[axis], beside = call->out.stride[axis];
    c_line(c, "for (int l = 0; l < %" PRId64 "; l += %" PRId64 ")", shape_size(&call->out.shape),
           n * beside);
    c_line(c, "for (int k = l; k < l + %" PRId64 "; k++) {", beside);
    c_line(c, "out[k] = x[k];");
    c_line(c, "for (int j = k + %" PRId64 "; j < l + %" PRId64 "; j += %" PRId64 ")", beside,
           n * beside, beside);
    c_line(c, "    out[j] = out[j - %" PRId64 "] + x[j];", beside);
    c_line(c, "}");
}

static const spor_fused fused = {.need = need, .phase = {[SPOR_WORK] = cumsum_kernels}};

const spor_op spor_op_cumsum = {
    .signature = "cumsum(x[*]; axis:axis)",
    .equation = "z_j = x_0 + ... + x_j along the axis",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES,
    .operands = 1,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = cumsum_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_cumsum(spor_var x, int axis) {
    return op_record(&spor_op_cumsum, &x, &(spor_attr){.i = axis});
}

#elif defined(SPOR_FAST)

#include "kernels/tasks.h"
#include "kernels/simd.h"

/* Lines that lie side by side go together, row by row. */
FAST_KERNEL(cumsum) {
    int axis = (int)c->attr[AXIS].i;
    int64_t n = c->out.shape.n[axis], beside = 1, lines = 1;
    for (int k = 0; k < c->out.shape.rank; k++) {
        if (k != axis) lines *= c->out.shape.n[k];
        if (k > axis) beside *= c->out.shape.n[k];
    }
    task_part part = task_part_of(c, SPOR_WORK, task, lines);
    for (int64_t l = part.first; l < part.end;) {
        int64_t count = carve_least(beside - l % beside, part.end - l);
        int64_t at = l / beside * n * beside + l % beside;
        const T *x = (const T *)c->in[0].data + at;
        T *z = (T *)c->out.data + at;
        for (int64_t k = 0; k < count; k++) z[k] = x[k];
        for (int64_t j = 1; j < n; j++)
            for (int64_t k = 0; k < count; k++)
                z[j * beside + k] = z[(j - 1) * beside + k] + x[j * beside + k];
        l += count;
    }
}

#else

REFERENCE_KERNEL(cumsum) {
    int axis = (int)c->attr[AXIS].i;
    EACH_INDEX(i, c->out.shape) {
        int64_t before[SPOR_RANK];
        for (int k = 0; k < SPOR_RANK; k++) before[k] = k == axis ? i[k] - 1 : i[k];
        T x = *AT(c->in[0], i);
        *AT(c->out, i) = i[axis] ? ADD(*AT(c->out, before), x) : x;
    }
}

#endif
