/*
 * z = the smaller of x and y, element by element; x, y, z [...].
 */
#include <math.h>
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(minimum);

/* y wins where x - y > 0: dy = zbar step(x - y), dx = zbar - dy */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var x = op_operand(z, 0), y = op_operand(z, 1);
    spor_var dy = spor_mul(zbar, spor_step(spor_sub(x, y)));
    return k == 0 ? spor_sub(zbar, dy) : dy;
}

/* NumPy, x and y as below: print(np.minimum(x, y).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .x = {(const double[]){-2, -0.5, 0, 0.25, 1, 3}, (const double[]){1, -0.5, 4, -0.25, 2, 0.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-2, -0.5, 0, -0.25, 1, 0.5}},
    {.in = {{2, {2, 1}}, {2, {2, 1}}},
     .x = {(const double[]){0.125, -1.75}, (const double[]){3, -1.5}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.125, -1.75}},
    {.in = {{0, {0}}, {0, {0}}},
     .x = {(const double[]){0.7}, (const double[]){-0.3}},
     .out = {0, {0}},
     .y = (const double[]){-0.3}},
    {.in = {{1, {3}}, {1, {3}}},
     .x = {(const double[]){(double)NAN, 1, (double)NAN},
           (const double[]){1, (double)NAN, (double)NAN}},
     .out = {1, {3}},
     .y = (const double[]){(double)NAN, (double)NAN, (double)NAN}},
    SPOR_END_GOLDEN};

const spor_op spor_op_minimum = {
    .signature = "minimum(x[...], y[...])",
    .equation = "z = min(x, y)",
    .convention = "a tie is x's, and so is what is not a number: it gets the whole cotangent",
    .traits = SPOR_KINKED | SPOR_PICKS,
    .domain = {SPOR_TIE_FREE, SPOR_TIE_FREE},
    .operands = 2,
    .shape = rule_elementwise,
    .vjp = vjp,
    .margin = margin_to_tie,
    .sides = {"y wins", "x wins"},
    .onnx_op = "Min",
    .samples = pair_samples,
    .mistakes = pair_mistakes,
    .golden = golden,
    .reference = minimum_reference,
    .tile = &minimum_tiles,
};

spor_var spor_minimum(spor_var x, spor_var y) {
    return op_record(&spor_op_minimum, (spor_var[]){x, y}, NULL);
}

#else

ELEMENT_KERNEL(minimum, 2) {
    MASK wins = WINS(NEG(x[1]), NEG(x[0]));
    return OR_ELSE(PICK(wins, x[1], x[0]), PICK(wins, x[0], x[1]), SUB(x[0], x[1]));
}

#endif
