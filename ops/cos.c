/*
 * y = cos x, x in radians, element by element; x [...], y [...].
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(cos);

/* dx = -ybar sin x */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    return op_pull(ybar, spor_neg(spor_sin(op_operand(y, k))));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.cos(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.4161468365471424, 0.8775825618903728, 1, 0.9689124217106447,
                           0.5403023058681398, -0.9899924966004454}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.992197667229329, -0.17824605564949209}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){0.7648421872844885}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){1.5707963267948966, 1000000000}},
     .out = {2, {2, 1}},
     .y = (const double[]){6.123233995736766e-17, 0.8378871813639024}},
    SPOR_END_GOLDEN};

const spor_op spor_op_cos = {
    .signature = "cos(x[...])",
    .equation = "y = cos x",
    .convention = "x in radians",
    .traits = SPOR_LIBRARY,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Cos",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = cos_reference,
    .tile = &cos_tiles,
};

spor_var spor_cos(spor_var x) {
    return op_record(&spor_op_cos, &x, NULL);
}

#else

ELEMENT_KERNEL(cos, 1) {
    return COS(x[0]);
}

#endif
