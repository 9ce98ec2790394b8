/*
 * y = sin x, x in radians, element by element; x [...], y [...].
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(sin);

/* dx = ybar cos x */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    return op_pull(ybar, spor_cos(op_operand(y, k)));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.sin(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.9092974268256817, -0.479425538604203, 0, 0.24740395925452294,
                           0.8414709848078965, 0.1411200080598672}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.12467473338522769, -0.9839859468739369}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){0.644217687237691}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){3.141592653589793, 1000000000}},
     .out = {2, {2, 1}},
     .y = (const double[]){1.2246467991473532e-16, 0.5458434494486996}},
    SPOR_END_GOLDEN};

const spor_op spor_op_sin = {
    .signature = "sin(x[...])",
    .equation = "y = sin x",
    .convention = "x in radians",
    .traits = SPOR_LIBRARY,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Sin",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = sin_reference,
    .tile = &sin_tiles,
};

spor_var spor_sin(spor_var x) {
    return op_record(&spor_op_sin, &x, NULL);
}

#else

ELEMENT_KERNEL(sin, 1) {
    return SIN(x[0]);
}

#endif
