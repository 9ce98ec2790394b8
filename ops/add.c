/*
 * z = x + y, element by element; x, y, z [...].
 */
#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(add);
TILE_KERNELS(mul_add, .product = false);
TILE_KERNELS(add, .of_product = {&mul_add_tiles, &mul_add_tiles});

/* dx = dy = zbar */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)z, (void)k;
    return zbar;
}

/* What is added may be the bias of what made the other operand. */
static void onnx(onnx_call *c) {
    if (!onnx_give_bias(c)) onnx_elementwise(c, "Add");
}

/* NumPy, x and y as below: print((x + y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-1, -1, 4, 0, 3, 3.5}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}, (const double[]){3, -1.5}},
     .out = {2, {2, 1}},
     .y = (const double[]){3.125, -3.25}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.7}, (const double[]){-0.3}},
     .out = {0, {0}},
     .y = (const double[]){0.39999999999999997}},
    SPOR_END_GOLDEN};

const spor_op spor_op_add = {
    .signature = "add(x[...], y[...])",
    .equation = "z = x + y",
    .infix = "+",
    .traits = SPOR_LINEAR,
    .operands = 2,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx = onnx,
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = add_reference,
    .tile = &add_tiles,
};

spor_var spor_add(spor_var x, spor_var y) {
    return op_record(&spor_op_add, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(add, 2) {
    return ADD(x[0], x[1]);
}

#if defined(SPOR_TILES) || defined(SPOR_SYMBOLS)
ELEMENT_KERNEL(mul_add, 3) {
    return ADD(MUL(x[0], x[1]), x[2]);
}
#endif

#endif
