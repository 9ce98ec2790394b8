/*
 * y = max(x, 0), element by element; x [...], y [...]. y > 0 exactly where x > 0, so the derivative
 * is taken at y.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(relu);

/* dx = ybar if y > 0, else 0 */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    return spor_mul(ybar, spor_step(y));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.maximum(x, 0).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){0, 0, 0, 0.25, 1, 3}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.125, 0}},
    {.in = {{0, {0}}}, .x = {(const double[]){0.7}}, .out = {0, {0}}, .y = (const double[]){0.7}},
    SPOR_END_GOLDEN};

const spor_op spor_op_relu = {
    .signature = "relu(x[...])",
    .equation = "y = max(x, 0)",
    .convention = "the derivative at 0 is 0",
    .traits = SPOR_KINKED | SPOR_VALUE_SLOPE,
    .domain = {SPOR_TIE_FREE},
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .margin = margin_to_zero,
    .sides = {"x is negative", "x is positive"},
    .onnx_op = "Relu",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = relu_reference,
    .tile = &relu_tiles,
};

spor_var spor_relu(spor_var x) {
    return op_record(&spor_op_relu, &x, NULL);
}

#else

/* x - x at the kink: 0 in its complex derivative too, and NaN of NaN. */
ELEMENT_KERNEL(relu, 1) {
    T zero = FROM_INT(0);
    MASK positive = LESS(zero, x[0]);
    T y = PICK(positive, x[0], PICK(LESS(x[0], zero), zero, SUB(x[0], x[0])));
    return OR_ELSE(y, PICK(positive, zero, x[0]), x[0]);
}

#endif
