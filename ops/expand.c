/*
 * z = x repeated along new axes: z[i] = x[i without the new axes]. axes says which axes of the
 * result are new. The adjoint of sum; the bias of Eq. (4) is one: b_f for every n, i, j.
 */
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(expand);

enum { SHAPE = AXES + 1, SLOTS = SHAPE + SHAPE_SLOTS };

/* The old axes of the result, in order, are those of x. */
static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0];
    int64_t axes = r->attr[AXES].i;
    if (!rule_shape(r, r->attr + SHAPE) || !rule_axes(r, axes, "the result", r->out.rank))
        return false;
    spor_shape old = without_axes(&r->out, axes);
    if (old.rank != x->rank)
        return rule_fail(r, "the result has %d old axes but x has rank %d", old.rank, x->rank);
    for (int k = 0; k < x->rank; k++)
        if (old.n[k] != x->n[k])
            return rule_fail(r, "axis %d of x has %" PRId64 " but its axis of the result %" PRId64,
                             k, x->n[k], old.n[k]);
    return true;
}

/* dx = zbar summed over the new axes */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    return spor_sum(zbar, op_attrs(z)[AXES].i);
}

/* Who reads it broadcasts. */
static void onnx(onnx_call *c) {
    int axis[SPOR_RANK], old = 0;
    for (int k = 0; k < c->out.rank; k++)
        if (!in_axes(c->attr[AXES].i, k)) axis[old++] = k;
    onnx_relabel(c, axis);
}

static const spor_sample samples[] = {{.in = {{0, {0}}}, .attr = {{3}, {2}, {3}, {4}}},
                                      {.in = {{1, {3}}}, .attr = {{1}, {2}, {4}, {3}}},
                                      {.in = {{1, {3}}}, .attr = {{2}, {2}, {3}, {4}}},
                                      {.in = {{1, {3}}}, .attr = {{1}, {2}, {3}, {3}}},
                                      {.in = {{2, {2, 3}}}, .attr = {{5}, {4}, {3}, {2}, {1}, {3}}},
                                      {.in = {{2, {2, 3}}}, .attr = {{0}, {2}, {2}, {3}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{1, {3}}},
     .attr = {{4}, {2}, {3}, {4}},
     .message = "axes name an axis that the result, of rank 2, does not have"},
    {.in = {{1, {3}}}, .attr = {{-1}, {2}, {3}, {4}}, .message = "does not have"},
    {.in = {{1, {3}}},
     .attr = {{3}, {2}, {3}, {4}},
     .message = "the result has 0 old axes but x has rank 1"},
    {.in = {{1, {3}}},
     .attr = {{1}, {2}, {3}, {4}},
     .message = "axis 0 of x has 3 but its axis of the result 4"},
    {.in = {{1, {3}}},
     .attr = {{1}, {2}, {-1}, {3}},
     .message = "axis 0 of the shape is -1 but must be at least 0"},
    SPOR_END_MISTAKES};

/* NumPy, x, axes and shape as below: print(np.broadcast_to(np.expand_dims(x, axes),
 * shape).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{1, {3}}},
     .attr = {{1}, {2}, {2}, {3}},
     .x = {(const double[]){1, 2, -3}},
     .out = {2, {2, 3}},
     .y = (const double[]){1, 2, -3, 1, 2, -3}},
    {.in = {{1, {3}}},
     .attr = {{2}, {2}, {3}, {2}},
     .x = {(const double[]){1, 2, -3}},
     .out = {2, {3, 2}},
     .y = (const double[]){1, 1, 2, 2, -3, -3}},
    {.in = {{2, {2, 3}}},
     .attr = {{5}, {4}, {2}, {2}, {2}, {3}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {4, {2, 2, 2, 3}},
     .y = (const double[]){1, 2, -3, 1, 2, -3, 4, 0.5, 6, 4, 0.5, 6,
                           1, 2, -3, 1, 2, -3, 4, 0.5, 6, 4, 0.5, 6}},
    SPOR_END_GOLDEN};

static const spor_tiling tiles = {.role = SPOR_REPEATS};

const spor_op spor_op_expand = {
    .signature = "expand(x[*]; axes:axes, shape:shape)",
    .equation = "z = x repeated along the new axes",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_PICKS,
    .operands = 1,
    .attrs = SLOTS,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = expand_reference,
    .tile = &tiles,
};

spor_var spor_expand(spor_var x, int64_t axes, spor_shape of) {
    spor_attr attr[SLOTS] = {[AXES] = {.i = axes}};
    shape_to_attr(of, attr + SHAPE);
    return op_record(&spor_op_expand, &x, attr);
}

#else

REFERENCE_KERNEL(expand) {
    EACH_INDEX(i, c->out.shape) {
        int64_t at[SPOR_RANK];
        for (int k = 0, to = 0; k < c->out.shape.rank; k++)
            if (!in_axes(c->attr[AXES].i, k)) at[to++] = i[k];
        *AT(c->out, i) = *AT(c->in[0], at);
    }
}

#endif
