/*
 * z = x summed over a set of axes, which vanish from the shape. The adjoint of expand.
 *
 * The bias gradients of Eqs. (45) and, corrected to sum over samples, (49).
 */
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(sum);

static bool shape(spor_rule *r) {
    if (!rule_axes(r, r->attr[AXES].i, "x", r->in[0].rank)) return false;
    r->out = without_axes(&r->in[0], r->attr[AXES].i);
    return true;
}

/* dx = zbar repeated along the summed axes */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    return spor_expand(zbar, op_attrs(z)[AXES].i, spor_shape_of(op_operand(z, 0)));
}

static void onnx(onnx_call *c) {
    onnx_reduce(c, "ReduceSum", c->attr[AXES].i, true);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{.i = 1}}},
                                      {.in = {{2, {3, 4}}}, .attr = {{.i = 2}}},
                                      {.in = {{4, {2, 3, 1, 2}}}, .attr = {{.i = 5}}},
                                      {.in = {{3, {2, 3, 2}}}, .attr = {{.i = 7}}},
                                      {.in = {{2, {2, 3}}}, .attr = {{.i = 0}}},
                                      {.in = {{0, {0}}}, .attr = {{.i = 0}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}},
     .attr = {{.i = 4}},
     .message = "an axis that x, of rank 2, does not have"},
    {.in = {{2, {3, 4}}}, .attr = {{.i = -1}}, .message = "does not have"},
    SPOR_END_MISTAKES};

/* python3 -c "import numpy as np; x=np.array([[1,2,-3],[4,.5,6]]); print(x.sum(0), x.sum(1),
 * np.arange(12).reshape(2,3,2).sum((0,2)))" */
static const spor_golden golden[] = {{.in = {{2, {2, 3}}},
                                      .attr = {{.i = 1}},
                                      .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
                                      .out = {1, {3}},
                                      .y = (const double[]){5, 2.5, 3}},
                                     {.in = {{2, {2, 3}}},
                                      .attr = {{.i = 2}},
                                      .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
                                      .out = {1, {2}},
                                      .y = (const double[]){0, 10.5}},
                                     {.in = {{3, {2, 3, 2}}},
                                      .attr = {{.i = 5}},
                                      .x = {(const double[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}},
                                      .out = {1, {3}},
                                      .y = (const double[]){14, 22, 30}},
                                     {.in = {{2, {0, 3}}},
                                      .attr = {{.i = 1}},
                                      .x = {(const double[]){0}},
                                      .out = {1, {3}},
                                      .y = (const double[]){0, 0, 0}},
                                     SPOR_END_GOLDEN};

static const spor_tiling of_products = {.role = SPOR_SUMS};
static const spor_tiling tiles = {.role = SPOR_SUMS, .of_product = {&of_products}};

static bool cells(const spor_call *c, cells_window *w) {
    return cells_of_axes(&c->in[0].shape, c->attr[AXES].i, CELLS_SUM, w);
}

const spor_op spor_op_sum = {
    .signature = "sum(x[*]; axes:axes)",
    .equation = "z = sum of x over the axes",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES,
    .operands = 1,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = sum_reference,
    .tile = &tiles,
    .cells = cells,
};

spor_var spor_sum(spor_var x, int64_t axes) {
    return op_record(&spor_op_sum, &x, &(spor_attr){.i = axes});
}

#else

#include "kernels/pairwise.h"

/* For z[i] the terms are x[i] and what lies behind it along the summed axes, in row-major order. */
REFERENCE_KERNEL(sum) {
    spor_arg terms = c->in[0];
    for (int k = 0; k < terms.shape.rank; k++)
        if (!in_axes(c->attr[AXES].i, k)) terms.shape.n[k] = 1;
    EACH_INDEX(i, c->out.shape) {
        int64_t first[SPOR_RANK];
        for (int k = 0, from = 0; k < terms.shape.rank; k++)
            first[k] = in_axes(c->attr[AXES].i, k) ? 0 : i[from++];
        terms.data = AT(c->in[0], first);
        pairwise_sum sum;
        pairwise_begin(&sum);
        EACH_INDEX(r, terms.shape) pairwise_add(&sum, *AT(terms, r));
        *AT(c->out, i) = pairwise_total(&sum);
    }
}

#endif
