/*
 * y = 1 / (1 + e^-x), element by element; x [...], y [...].
 *
 * Its derivative is a function of its value, y (1 - y). No exponential overflows: for x < 0 the
 * fraction is written e^x / (1 + e^x).
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(sigmoid);

/* dx = ybar y (1 - y) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    spor_var one = op_fill_ratio(y.tape, 1, 1, spor_shape_of(y));
    return op_pull(ybar, spor_mul(y, spor_sub(one, y)));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(scipy.special.expit(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){1000, -1000, -0.001, 37, -37, 2}},
     .out = {2, {2, 3}},
     .y = (const double[]){1, 0, 0.4997500000208333, 1, 8.533047625744066e-17, 0.8807970779778823}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.5312093733737563, 0.14804719803168948}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){0.6681877721681662}},
    SPOR_END_GOLDEN};

const spor_op spor_op_sigmoid = {
    .signature = "sigmoid(x[...])",
    .equation = "y = 1 / (1 + e^-x)",
    .traits = SPOR_VALUE_SLOPE | SPOR_LIBRARY | SPOR_SCORES | SPOR_CHANCES,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Sigmoid",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = sigmoid_reference,
    .tile = &sigmoid_tiles,
};

spor_var spor_sigmoid(spor_var x) {
    return op_record(&spor_op_sigmoid, &x, NULL);
}

#else

ELEMENT_KERNEL(sigmoid, 1) {
    T zero = FROM_INT(0), one = FROM_INT(1);
    MASK negative = LESS(x[0], zero);
    T power = EXP(PICK(negative, x[0], NEG(x[0])));
    return DIV(PICK(negative, power, one), ADD(one, power));
}

#endif
