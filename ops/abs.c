/*
 * y = |x|, element by element; x [...], y [...].
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(abs);

/* dx = ybar sign(x), sign(x) = step(x) - step(-x) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    spor_var x = op_operand(y, k);
    spor_var sign = spor_sub(spor_step(x), spor_step(spor_neg(x)));
    return spor_mul(ybar, sign);
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.abs(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){2, 0.5, 0, 0.25, 1, 3}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.125, 1.75}},
    {.in = {{0, {0}}}, .x = {(const double[]){0.7}}, .out = {0, {0}}, .y = (const double[]){0.7}},
    SPOR_END_GOLDEN};

const spor_op spor_op_abs = {
    .signature = "abs(x[...])",
    .equation = "y = |x|",
    .convention = "the derivative at 0 is 0",
    .traits = SPOR_KINKED,
    .domain = {SPOR_TIE_FREE},
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .margin = margin_to_zero,
    .sides = {"x is negative", "x is positive"},
    .onnx_op = "Abs",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = abs_reference,
    .tile = &abs_tiles,
};

spor_var spor_abs(spor_var x) {
    return op_record(&spor_op_abs, &x, NULL);
}

#else

/* x - x at the kink: 0 in its complex derivative too, and NaN of NaN. */
ELEMENT_KERNEL(abs, 1) {
    T zero = FROM_INT(0);
    return PICK(LESS(zero, x[0]), x[0], PICK(LESS(x[0], zero), NEG(x[0]), SUB(x[0], x[0])));
}

#endif
