/*
 * z = x / y, and 0 where x is exactly 0, whatever y is; element by element, x, y, z [...].
 *
 * How an error is pulled back through a slope 1 / y: where none arrives none goes on, be y 0 or no
 * number. So what a mask by where() has left out makes no 0 / 0 in first derivatives.
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(xdivy);
TILE_KERNELS(xdivy, .slow = true);

/* dx = zbar / y, dy = -zbar z / y, by the same rule */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var y = op_operand(z, 1);
    return k == 0 ? spor_xdivy(zbar, y) : spor_neg(spor_xdivy(spor_xmuly(zbar, z), y));
}

static void onnx(onnx_call *c) {
    const onnx_tensor x = onnx_aligned(c, 0), zero = onnx_number(c, 0);
    const onnx_tensor of_x[] = {x, zero}, both[] = {x, onnx_aligned(c, 1)};
    const onnx_tensor choice[] = {onnx_map(c, "Equal", 2, of_x, ONNX_BOOL), zero,
                                  onnx_map(c, "Div", 2, both, ONNX_NUMBER)};
    onnx_give_aligned(c, onnx_map(c, "Where", 3, choice, ONNX_NUMBER));
}

/* NumPy, x and y as below: print(np.where(x == 0, 0, x / y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-2, 1, 0, -1, 0.5, 6}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0, 0}, (const double[]){0, (double)NAN}},
     .out = {2, {2, 1}},
     .y = (const double[]){0, 0}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.75}, (const double[]){-0.25}},
     .out = {0, {0}},
     .y = (const double[]){-3}},
    SPOR_END_GOLDEN};

const spor_op spor_op_xdivy = {
    .signature = "xdivy(x[...], y[...])",
    .equation = "z = x / y",
    .convention = "0 where x is 0, whatever y is",
    .traits = SPOR_LINEAR_FIRST,
    .domain = {SPOR_ANY, SPOR_NONZERO},
    .operands = 2,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx = onnx,
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = xdivy_reference,
    .tile = &xdivy_tiles,
};

spor_var spor_xdivy(spor_var x, spor_var y) {
    return op_record(&spor_op_xdivy, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(xdivy, 2) {
    return PICK(IS_ZERO(x[0]), x[0], DIV(x[0], x[1]));
}

#endif
