/*
 * y = erf x = 2 / sqrt(pi) times the integral of e^(-t^2) over t in 0 .. x, element by element;
 * x [...], y [...].
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(erf);

/* dx = ybar 2 / sqrt(pi) e^(-x^2) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    spor_var x = op_operand(y, k);
    spor_var slope = spor_exp(spor_neg(spor_mul(x, x)));
    spor_var scale = op_fill(y.tape, 0x1.20dd750429b6dp+0, 0x1p-54, spor_shape_of(y));
    return op_pull(ybar, spor_mul(scale, slope));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* SciPy, x as below: print(scipy.special.erf(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.9953222650189527, -0.5204998778130465, 0, 0.2763263901682369,
                           0.8427007929497148, 0.9999779095030014}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.14031620480133383, -0.9866716712191824}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){0.6778011938374183}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){6, -1e-09}},
     .out = {2, {2, 1}},
     .y = (const double[]){1, -1.1283791670955127e-09}},
    SPOR_END_GOLDEN};

const spor_op spor_op_erf = {
    .signature = "erf(x[...])",
    .equation = "y = 2 / sqrt(pi) int e^(-t^2) dt from 0 to x",
    .traits = SPOR_LIBRARY,
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Erf",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = erf_reference,
    .tile = &erf_tiles,
};

spor_var spor_erf(spor_var x) {
    return op_record(&spor_op_erf, &x, NULL);
}

#else

ELEMENT_KERNEL(erf, 1) {
    return ERF(x[0]);
}

#endif
