/*
 * z = x y, and 0 where one of them is exactly 0, whatever the other is; element by element, x, y, z [...].
 * See xdivy. Both count, so that a slope that is 0 by a mask meets an infinite cotangent as well: in second
 * derivatives they change places.
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

ELEMENT_KERNELS(xmuly);

/* dx = zbar y, dy = zbar x, by the same rule */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    return spor_xmuly(zbar, op_operand(z, 1 - k));
}

static void onnx(onnx_call *c) {
    const onnx_tensor x = onnx_aligned(c, 0), y = onnx_aligned(c, 1), zero = onnx_number(c, 0);
    const onnx_tensor of_x[] = {x, zero}, of_y[] = {y, zero}, both[] = {x, y};
    const onnx_tensor is_zero[] = {onnx_map(c, "Equal", 2, of_x, ONNX_BOOL),
                                   onnx_map(c, "Equal", 2, of_y, ONNX_BOOL)};
    const onnx_tensor choice[] = {onnx_map(c, "Or", 2, is_zero, ONNX_BOOL), zero,
                                  onnx_map(c, "Mul", 2, both, ONNX_NUMBER)};
    onnx_give_aligned(c, onnx_map(c, "Where", 3, choice, ONNX_NUMBER));
}

/* NumPy, x and y as below: print(np.where((x == 0) | (y == 0), 0, x * y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-2, 0.25, 0, -0.0625, 2, 1.5}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0, 0}, (const double[]){(double)INFINITY, (double)NAN}},
     .out = {2, {2, 1}},
     .y = (const double[]){0, 0}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){(double)INFINITY, (double)NAN}, (const double[]){0, 1}},
     .out = {2, {2, 1}},
     .y = (const double[]){0, (double)NAN}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.75}, (const double[]){-0.25}},
     .out = {0, {0}},
     .y = (const double[]){-0.1875}},
    SPOR_END_GOLDEN};

const spor_op spor_op_xmuly = {
    .signature = "xmuly(x[...], y[...])",
    .equation = "z = x y",
    .convention = "0 where x or y is 0, whatever the other is",
    .traits = SPOR_BILINEAR,
    .operands = 2,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx = onnx,
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = xmuly_reference,
    .tile = &xmuly_tiles,
};

spor_var spor_xmuly(spor_var x, spor_var y) {
    return op_record(&spor_op_xmuly, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(xmuly, 2) {
    return PICK(IS_ZERO(x[0]), x[0], PICK(IS_ZERO(x[1]), x[1], MUL(x[0], x[1])));
}

#endif
