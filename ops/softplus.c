/*
 * y = ln(1 + e^x), element by element; x [...], y [...]. As max(x, 0) + ln(1 + e^-|x|): nothing
 * overflows, and far below 0, where it is e^x, no digit is lost.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(softplus);

/* dx = ybar sigmoid(x) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    return op_pull(ybar, spor_sigmoid(op_operand(y, k)));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.logaddexp(x, 0).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.1269280110429725, 0.4740769841801067, 0.6931471805599453,
                           0.8259394198788435, 1.3132616875182228, 3.048587351573742}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){-40, 800}},
     .out = {2, {2, 1}},
     .y = (const double[]){4.248354255291589e-18, 800}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){1.1031860488854579}},
    SPOR_END_GOLDEN};

const spor_op spor_op_softplus = {
    .signature = "softplus(x[...])",
    .equation = "y = ln(1 + e^x)",
    .traits = SPOR_LIBRARY | SPOR_SCORES,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Softplus",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = softplus_reference,
    .tile = &softplus_tiles,
};

spor_var spor_softplus(spor_var x) {
    return op_record(&spor_op_softplus, &x, NULL);
}

#else

ELEMENT_KERNEL(softplus, 1) {
    MASK negative = LESS(x[0], FROM_INT(0));
    T tail = LOG1P(EXP(PICK(negative, x[0], NEG(x[0]))));
    return PICK(negative, tail, ADD(x[0], tail));
}

#endif
