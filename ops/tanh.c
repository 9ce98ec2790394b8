/*
 * y = tanh x, element by element; x [...], y [...].
 *
 * Its derivative is a function of its value, tanh' = 1 - y^2: taken at y, never at x.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(tanh);

/* dx = ybar (1 - y^2) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    spor_var one = op_fill_ratio(y.tape, 1, 1, spor_shape_of(y));
    return op_pull(ybar, spor_sub(one, spor_mul(y, y)));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* python3 -c "import numpy as np; print(np.tanh([[-2, -0.5, 0], [0.25, 1, 3]]).tolist())", and so
 * for [[0.1], [-0.2]] and 20.0 */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.9640275800758169, -0.46211715726000973, 0, 0.24491866240370913,
                           0.7615941559557649, 0.9950547536867305}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.1, -0.2}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.09966799462495582, -0.197375320224904}},
    {.in = {{0, {0}}}, .x = {(const double[]){20}}, .out = {0, {0}}, .y = (const double[]){1}},
    SPOR_END_GOLDEN};

const spor_op spor_op_tanh = {
    .signature = "tanh(x[...])",
    .equation = "y = tanh x",
    .traits = SPOR_VALUE_SLOPE | SPOR_LIBRARY,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Tanh",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = tanh_reference,
    .tile = &tanh_tiles,
};

spor_var spor_tanh(spor_var x) {
    return op_record(&spor_op_tanh, &x, NULL);
}

#else

ELEMENT_KERNEL(tanh, 1) {
    return TANH(x[0]);
}

#endif
