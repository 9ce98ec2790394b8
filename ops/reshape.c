/*
 * z has the elements of x in row-major order and another shape of the same size.
 */
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(reshape);

static bool shape(spor_rule *r) {
    int64_t size = 1;
    if (!rule_shape(r, r->attr)) return false;
    for (int k = 0; k < r->out.rank; k++) {
        if (size && r->out.n[k] > LARGEST / size)
            return rule_fail(r, "the shape has too many elements");
        size *= r->out.n[k];
    }
    if (size != shape_size(&r->in[0]))
        return rule_fail(r, "x has %" PRId64 " elements but the shape has %" PRId64,
                         shape_size(&r->in[0]), size);
    return true;
}

/* dx = zbar in the shape of x */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    return spor_reshape(zbar, spor_shape_of(op_operand(z, k)));
}

/* Which axis of the result each axis of x is, -1 where it has one element; false if not all of them remain. */
static bool onnx_axes_remain(const onnx_call *c, int axis[]) {
    const onnx_shape *from = &c->in[0], *to = &c->out;
    int at = 0;
    for (int k = 0; k < from->rank; k++) {
        axis[k] = -1;
        if (onnx_size_is_one(from, k)) continue;
        while (at < to->rank && onnx_size_is_one(to, at)) at++;
        if (at == to->rank || !onnx_same_size(from, k, to, at)) return false;
        axis[k] = at++;
    }
    while (at < to->rank && onnx_size_is_one(to, at)) at++;
    return at == to->rank;
}

static void onnx(onnx_call *c) {
    const onnx_order from = onnx_plain(c->in[0].rank), to = onnx_plain(c->out.rank);
    int axis[SPOR_RANK];
    if (onnx_axes_remain(c, axis))
        onnx_relabel(c, axis);
    else
        onnx_give(c, onnx_reshaped(c, onnx_whole(c, 0, &from), c->out), &to);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{2}, {2}, {6}}},
                                      {.in = {{2, {3, 4}}}, .attr = {{2}, {4}, {3}}},
                                      {.in = {{3, {2, 3, 2}}}, .attr = {{1}, {12}}},
                                      {.in = {{2, {1, 1}}}, .attr = {{0}}},
                                      {.in = {{0, {0}}}, .attr = {{3}, {1}, {1}, {1}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}},
     .attr = {{2}, {3}, {5}},
     .message = "x has 12 elements but the shape has 15"},
    {.in = {{2, {3, 4}}}, .attr = {{1}, {6}}, .message = "x has 12 elements but the shape has 6"},
    {.in = {{2, {3, 4}}},
     .attr = {{2}, {-3}, {-4}},
     .message = "axis 0 of the shape is -3 but must be at least 0"},
    {.in = {{2, {3, 4}}},
     .attr = {{3}, {INT64_C(1) << 32}, {INT64_C(1) << 32}, {12}},
     .message = "the shape has too many elements"},
    {.in = {{2, {3, 4}}}, .attr = {{9}}, .message = "a shape has 0 to 8 axes but this one has 9"},
    SPOR_END_MISTAKES};

/* NumPy, x and shape as below: print(x.reshape(shape).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{2}, {3}, {2}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {3, 2}},
     .y = (const double[]){1, 2, -3, 4, 0.5, 6}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{2}, {2}, {6}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {2, {2, 6}},
     .y = (const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{3}, {1}, {12}, {1}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {1, 12, 1}},
     .y = (const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
    SPOR_END_GOLDEN};

const spor_op spor_op_reshape = {
    .signature = "reshape(x[*]; shape:shape)",
    .equation = "z = x in another shape, row-major",
    .traits = SPOR_LINEAR | SPOR_ALIAS | SPOR_MIXES_SAMPLES | SPOR_PICKS,
    .operands = 1,
    .attrs = SHAPE_SLOTS,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = reshape_reference,
};

spor_var spor_reshape(spor_var x, spor_shape of) {
    spor_attr attr[SHAPE_SLOTS];
    shape_to_attr(of, attr);
    return op_record(&spor_op_reshape, &x, attr);
}

#else

REFERENCE_KERNEL(reshape) {
    int64_t j[SPOR_RANK] = {0};
    EACH_INDEX(i, c->in[0].shape) {
        *AT(c->out, j) = *AT(c->in[0], i);
        reference_next_index(&c->out.shape, j);
    }
}

#endif
