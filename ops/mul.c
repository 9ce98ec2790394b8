/*
 * z = x y, element by element (Hadamard's product); x, y, z [...].
 */
#include "elementwise.h"

#ifdef SPOR_RULES

KERNELS(mul);
TILE_KERNELS(mul_mul, .product = false);
TILE_KERNELS(mul, .product = true, .of_product = {&mul_mul_tiles, &mul_mul_tiles});

/* dx = zbar y, dy = zbar x */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    return op_pull(zbar, op_operand(z, 1 - k));
}

/* NumPy, x and y as below: print((x * y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-2, 0.25, 0, -0.0625, 2, 1.5}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}, (const double[]){3, -1.5}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.375, 2.625}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.7}, (const double[]){-0.3}},
     .out = {0, {0}},
     .y = (const double[]){-0.21}},
    SPOR_END_GOLDEN};

/* A product of masks is where all of them are 1. */
static unsigned truth(const spor_attr attr[], const unsigned in[]) {
    (void)attr;
    if (!in[0] || !in[1]) return 0;
    return (in[0] & in[1] & SPOR_SOME_1) | ((in[0] | in[1]) & (SPOR_SOME_0 | SPOR_DECIDED));
}

const spor_op spor_op_mul = {
    .signature = "mul(x[...], y[...])",
    .equation = "z = x y",
    .infix = "*",
    .traits = SPOR_BILINEAR,
    .operands = 2,
    .shape = rule_elementwise,
    .truth = truth,
    .vjp = vjp,
    .onnx_op = "Mul",
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = mul_reference,
    .tile = &mul_tiles,
};

spor_var spor_mul(spor_var x, spor_var y) {
    return op_record(&spor_op_mul, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(mul, 2) {
    return MUL(x[0], x[1]);
}

#if defined(SPOR_TILES) || defined(SPOR_SYMBOLS)
ELEMENT_KERNEL(mul_mul, 3) {
    return MUL(MUL(x[0], x[1]), x[2]);
}
#endif

#endif
