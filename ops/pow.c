/*
 * z = x^y, element by element; x, y, z [...]. As C has it: x^0 is 1 of any x, a power of a negative x is a
 * number where y is whole, and 0^y is infinite of y < 0.
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(pow);

/* dx = zbar y x^(y - 1), 0 where y is 0; dy = zbar z ln x, 0 where z is: no 0 infinity, nor 0 NaN. Of a
 * negative x, which has powers at whole y only, there is no dy: it is not a number. */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var x = op_operand(z, 0), y = op_operand(z, 1);
    if (k == 1) return spor_xmuly(spor_xmuly(zbar, z), spor_log(x));
    spor_var one = op_fill_ratio(z.tape, 1, 1, spor_shape_of(z));
    return spor_xmuly(spor_xmuly(zbar, y), spor_pow(x, spor_sub(y, one)));
}

/* NumPy, x and y as below: print(np.power(x, y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){2, 0.5, 3, 1.25, 7, 0.1}, (const double[]){0.5, -1, 2, -0.75, 3, 0}},
     .out = {2, {2, 3}},
     .y = (const double[]){1.4142135623730951, 2, 9, 0.8458970107524513, 343, 1}},
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -2, -0.5, 0, 0, 0}, (const double[]){3, -2, 0, 2, 0.5, 0}},
     .out = {2, {2, 3}},
     .y = (const double[]){-8, 0.25, 1, 0, 0, 1}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){-2, 1}, (const double[]){0.5, (double)NAN}},
     .out = {2, {2, 1}},
     .y = (const double[]){(double)NAN, 1}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.7}, (const double[]){1.3}},
     .out = {0, {0}},
     .y = (const double[]){0.6289664092534477}},
    SPOR_END_GOLDEN};

const spor_op spor_op_pow = {
    .signature = "pow(x[...], y[...])",
    .equation = "z = x^y",
    .convention = "0^0 = 1; of negative x only whole y have powers",
    .traits = SPOR_LIBRARY,
    .domain = {SPOR_POSITIVE, SPOR_ANY},
    .operands = 2,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Pow",
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = pow_reference,
    .tile = &pow_tiles,
};

spor_var spor_pow(spor_var x, spor_var y) {
    return op_record(&spor_op_pow, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(pow, 2) {
    return POW(x[0], x[1]);
}

#endif
