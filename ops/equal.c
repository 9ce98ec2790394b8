/*
 * z = 1 where x = y, else 0, element by element; x, y, z [...]. What is no number equals nothing.
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

ELEMENT_KERNELS(equal);

static void onnx(onnx_call *c) {
    onnx_decision(c, "Equal");
}

/* NumPy, x and y as below: print((x == y).astype(float).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 1, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){0, 1, 0, 0, 1, 0}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0.125, (double)NAN}, (const double[]){(double)NAN, (double)NAN}},
     .out = {2, {2, 1}},
     .y = (const double[]){0, 0}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){(double)INFINITY, 0}, (const double[]){(double)INFINITY, 0}},
     .out = {2, {2, 1}},
     .y = (const double[]){1, 1}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.75}, (const double[]){-0.25}},
     .out = {0, {0}},
     .y = (const double[]){0}},
    SPOR_END_GOLDEN};

const spor_op spor_op_equal = {
    .signature = "equal(x[...], y[...])",
    .equation = "z = 1 if x = y else 0",
    .convention = "the derivative is 0 everywhere, at a tie too",
    .traits = SPOR_KINKED | SPOR_DECIDES,
    .domain = {SPOR_TIE_FREE, SPOR_TIE_FREE},
    .operands = 2,
    .shape = rule_elementwise,
    .vjp = vjp_of_jumps,
    .margin = margin_to_tie,
    .sides = {"x and y differ", "x and y are equal"},
    .onnx = onnx,
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = equal_reference,
    .tile = &equal_tiles,
};

spor_var spor_equal(spor_var x, spor_var y) {
    return op_record(&spor_op_equal, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(equal, 2) {
    T zero = FROM_INT(0), one = FROM_INT(1);
    MASK differ = LESS(x[0], x[1]) | LESS(x[1], x[0]) | IS_NAN(x[0]) | IS_NAN(x[1]);
    return OR_ELSE(PICK(differ, zero, one), PICK(differ, one, zero), SUB(x[0], x[1]));
}

#endif
