/*
 * y = e^x, element by element; x [...], y [...]. Its own derivative.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(exp);

/* dx = ybar y */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    return op_pull(ybar, y);
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.exp(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.13533528323661267, 0.6065306597126334, 1, 1.2840254166877414,
                           2.718281828459045, 20.085536923187668}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){1.1331484530668263, 0.1737739434504451}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){2.0137527074704766}},
    SPOR_END_GOLDEN};

const spor_op spor_op_exp = {
    .signature = "exp(x[...])",
    .equation = "y = e^x",
    .traits = SPOR_VALUE_SLOPE | SPOR_LIBRARY,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Exp",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = exp_reference,
    .tile = &exp_tiles,
};

spor_var spor_exp(spor_var x) {
    return op_record(&spor_op_exp, &x, NULL);
}

#else

ELEMENT_KERNEL(exp, 1) {
    return EXP(x[0]);
}

#endif
