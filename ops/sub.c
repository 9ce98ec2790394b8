/*
 * z = x - y, element by element; x, y, z [...].
 */
#include "elementwise.h"

#ifdef SPOR_RULES

KERNELS(sub);
TILE_KERNELS(mul_sub, .product = false);
TILE_KERNELS(sub_mul, .product = false);
TILE_KERNELS(sub, .of_product = {&mul_sub_tiles, &sub_mul_tiles});

/* dx = zbar, dy = -zbar */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)z;
    return k == 0 ? zbar : spor_neg(zbar);
}

/* NumPy, x and y as below: print((x - y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-3, 0, -4, 0.5, -1, 2.5}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}, (const double[]){3, -1.5}},
     .out = {2, {2, 1}},
     .y = (const double[]){-2.875, -0.25}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.7}, (const double[]){-0.3}},
     .out = {0, {0}},
     .y = (const double[]){1}},
    SPOR_END_GOLDEN};

/* 1 - mask is the mask of all the others. */
static unsigned truth(const spor_attr attr[], const unsigned in[]) {
    (void)attr;
    if (in[0] != SPOR_SOME_1 || !in[1]) return 0;
    return (in[1] & SPOR_SOME_0 ? SPOR_SOME_1 : 0) | (in[1] & SPOR_SOME_1 ? SPOR_SOME_0 : 0) |
           (in[1] & SPOR_DECIDED);
}

const spor_op spor_op_sub = {
    .signature = "sub(x[...], y[...])",
    .equation = "z = x - y",
    .infix = "-",
    .traits = SPOR_LINEAR,
    .operands = 2,
    .shape = rule_elementwise,
    .truth = truth,
    .vjp = vjp,
    .onnx_op = "Sub",
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = sub_reference,
    .tile = &sub_tiles,
};

spor_var spor_sub(spor_var x, spor_var y) {
    return op_record(&spor_op_sub, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(sub, 2) {
    return SUB(x[0], x[1]);
}

#if defined(SPOR_TILES) || defined(SPOR_SYMBOLS)
ELEMENT_KERNEL(mul_sub, 3) {
    return SUB(MUL(x[0], x[1]), x[2]);
}

ELEMENT_KERNEL(sub_mul, 3) {
    return SUB(x[2], MUL(x[0], x[1]));
}
#endif

#endif
