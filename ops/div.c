/*
 * z = x / y, element by element; x, y, z [...]. Division by 0 gives what IEEE 754 says.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

KERNELS(div);
TILE_KERNELS(mul_div, .product = false);
TILE_KERNELS(div, .slow = true, .of_product = {&mul_div_tiles, NULL});

/* dx = zbar / y, dy = -zbar z / y; 0 where zbar is 0, be y 0 too */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var y = op_operand(z, 1);
    return k == 0 ? spor_xdivy(zbar, y) : spor_neg(spor_xdivy(spor_xmuly(zbar, z), y));
}

/* NumPy, x and y as below: print((x / y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-2, 1, 0, -1, 0.5, 6}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}, (const double[]){3, -1.5}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.041666666666666664, 1.1666666666666667}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.7}, (const double[]){-0.3}},
     .out = {0, {0}},
     .y = (const double[]){-2.3333333333333335}},
    SPOR_END_GOLDEN};

const spor_op spor_op_div = {
    .signature = "div(x[...], y[...])",
    .equation = "z = x / y",
    .infix = "/",
    .traits = SPOR_LINEAR_FIRST,
    .domain = {SPOR_ANY, SPOR_NONZERO},
    .operands = 2,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Div",
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = div_reference,
    .tile = &div_tiles,
};

spor_var spor_div(spor_var x, spor_var y) {
    return op_record(&spor_op_div, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(div, 2) {
    return DIV(x[0], x[1]);
}

#if defined(SPOR_TILES) || defined(SPOR_SYMBOLS)
ELEMENT_KERNEL(mul_div, 3) {
    return DIV(MUL(x[0], x[1]), x[2]);
}
#endif

#endif
