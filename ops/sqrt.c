/*
 * y = x^(1/2), element by element; x [...], y [...]. The derivative at 0 is infinite, as IEEE 754
 * divides.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

KERNELS(sqrt);
TILE_KERNELS(sqrt, .slow = true);

/* dx = ybar / (2 y) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    return spor_xdivy(ybar, spor_add(y, y));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.sqrt(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){0.5, 2, 7, 0.25, 1, 3.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.7071067811865476, 1.4142135623730951, 2.6457513110645907, 0.5, 1,
                           1.8708286933869707}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, 9.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.3535533905932738, 3.122498999199199}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){0.8366600265340756}},
    SPOR_END_GOLDEN};

const spor_op spor_op_sqrt = {
    .signature = "sqrt(x[...])",
    .equation = "y = x^(1/2)",
    .domain = {SPOR_POSITIVE},
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Sqrt",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = sqrt_reference,
    .tile = &sqrt_tiles,
};

spor_var spor_sqrt(spor_var x) {
    return op_record(&spor_op_sqrt, &x, NULL);
}

#else

ELEMENT_KERNEL(sqrt, 1) {
    return SQRT(x[0]);
}

#endif
