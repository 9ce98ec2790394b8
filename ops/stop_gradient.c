/*
 * y = x, but the derivative is zero by definition: a cotangent goes no further back.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(stop_gradient);

/* dx = 0 */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)y, (void)k, (void)ybar;
    return op_none();
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(x.ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){-2, -0.5, 0, 0.25, 1, 3}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.125, -1.75}},
    {.in = {{0, {0}}}, .x = {(const double[]){0.7}}, .out = {0, {0}}, .y = (const double[]){0.7}},
    SPOR_END_GOLDEN};

const spor_op spor_op_stop_gradient = {
    .signature = "stop_gradient(x[...])",
    .equation = "y = x",
    .convention = "the derivative is 0 everywhere",
    .traits = SPOR_ALIAS | SPOR_PICKS,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx = onnx_same,
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = stop_gradient_reference,
};

spor_var spor_stop_gradient(spor_var x) {
    return op_record(&spor_op_stop_gradient, &x, NULL);
}

#else

REFERENCE_KERNEL(stop_gradient) {
    EACH_INDEX(i, c->out.shape) * AT(c->out, i) = *AT(c->in[0], i);
}

#endif
