/*
 * y = e^x - 1, element by element; x [...], y [...]. Near 0, where e^x is nearly 1, no digit is lost.
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

ELEMENT_KERNELS(expm1);

/* dx = ybar e^x, not y + 1: nothing is left of that far below 0 */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    return op_pull(ybar, spor_exp(op_operand(y, k)));
}

/* There is no such op: near 0 the digits that 1 has before its own are lost. */
static void onnx(onnx_call *c) {
    onnx_tensor x = onnx_aligned(c, 0);
    const onnx_tensor in[] = {onnx_map(c, "Exp", 1, &x, ONNX_NUMBER), onnx_number(c, 1)};
    onnx_give_aligned(c, onnx_map(c, "Sub", 2, in, ONNX_NUMBER));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.expm1(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.8646647167633873, -0.3934693402873666, 0, 0.2840254166877415,
                           1.7182818284590453, 19.085536923187668}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.13314845306682632, -0.8262260565495548}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){1.0137527074704764}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){1e-09, -50}},
     .out = {2, {2, 1}},
     .y = (const double[]){1.0000000005000001e-09, -1}},
    SPOR_END_GOLDEN};

const spor_op spor_op_expm1 = {
    .signature = "expm1(x[...])",
    .equation = "y = e^x - 1",
    .traits = SPOR_LIBRARY,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx = onnx,
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = expm1_reference,
    .tile = &expm1_tiles,
};

spor_var spor_expm1(spor_var x) {
    return op_record(&spor_op_expm1, &x, NULL);
}

#else

ELEMENT_KERNEL(expm1, 1) {
    return EXPM1(x[0]);
}

#endif
