/*
 * y = -x, element by element; x [...], y [...].
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(neg);

/* dx = -ybar */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)y, (void)k;
    return spor_neg(ybar);
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print((-x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){2, 0.5, 0, -0.25, -1, -3}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){-0.125, 1.75}},
    {.in = {{0, {0}}}, .x = {(const double[]){0.7}}, .out = {0, {0}}, .y = (const double[]){-0.7}},
    SPOR_END_GOLDEN};

const spor_op spor_op_neg = {
    .signature = "neg(x[...])",
    .equation = "y = -x",
    .infix = "-",
    .traits = SPOR_LINEAR,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Neg",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = neg_reference,
    .tile = &neg_tiles,
};

spor_var spor_neg(spor_var x) {
    return op_record(&spor_op_neg, &x, NULL);
}

#else

ELEMENT_KERNEL(neg, 1) {
    return NEG(x[0]);
}

#endif
