/*
 * y = 1 if x > 0 else 0, element by element; x [...], y [...]. The slope of relu; its own
 * derivative is zero by definition, at the jump too.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

ELEMENT_KERNELS(step);

static void onnx(onnx_call *c) {
    const onnx_tensor in[] = {onnx_aligned(c, 0), onnx_number(c, 0)};
    onnx_tensor above = onnx_map(c, "Greater", 2, in, ONNX_BOOL);
    onnx_give_aligned(c, onnx_cast(c, above, ONNX_NUMBER));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.heaviside(x, 0).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){0, 0, 0, 1, 1, 1}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){1, 0}},
    {.in = {{0, {0}}}, .x = {(const double[]){0.7}}, .out = {0, {0}}, .y = (const double[]){1}},
    SPOR_END_GOLDEN};

const spor_op spor_op_step = {
    .signature = "step(x[...])",
    .equation = "y = 1 if x > 0 else 0",
    .convention = "step(0) = 0, and of what is not a number; the derivative is 0 everywhere",
    .traits = SPOR_KINKED | SPOR_DECIDES,
    .domain = {SPOR_TIE_FREE},
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp_of_jumps,
    .margin = margin_to_zero,
    .sides = {"x is negative", "x is positive"},
    .onnx = onnx,
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = step_reference,
    .tile = &step_tiles,
};

spor_var spor_step(spor_var x) {
    return op_record(&spor_op_step, &x, NULL);
}

#else

ELEMENT_KERNEL(step, 1) {
    T zero = FROM_INT(0), one = FROM_INT(1);
    MASK positive = LESS(zero, x[0]);
    return OR_ELSE(PICK(positive, one, zero), PICK(positive, zero, one), x[0]);
}

#endif
