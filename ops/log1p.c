/*
 * y = ln(1 + x), element by element; x [...], y [...]. Near 0 no digit of x is lost. x > -1: elsewhere
 * the value is what IEEE 754 says, -infinity or not a number.
 */
#include <math.h>

#include "elementwise.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

ELEMENT_KERNELS(log1p);

/* dx = ybar / (1 + x) */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    spor_var x = op_operand(y, k);
    return spor_xdivy(ybar, spor_add(op_fill_ratio(y.tape, 1, 1, spor_shape_of(y)), x));
}

/* There is no such op: near 0 the digits that 1 has before its own are lost. */
static void onnx(onnx_call *c) {
    const onnx_tensor in[] = {onnx_aligned(c, 0), onnx_number(c, 1)};
    onnx_tensor more = onnx_map(c, "Add", 2, in, ONNX_NUMBER);
    onnx_give_aligned(c, onnx_map(c, "Log", 1, &more, ONNX_NUMBER));
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.log1p(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){-0.5, 2, 7, 0.25, 1, 3.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.6931471805599453, 1.0986122886681098, 2.0794415416798357,
                           0.22314355131420976, 0.6931471805599453, 1.5040773967762742}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, 1e-09}},
     .out = {2, {2, 1}},
     .y = (const double[]){0.11778303565638346, 9.999999995e-10}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){-1, -2}},
     .out = {2, {2, 1}},
     .y = (const double[]){-(double)INFINITY, (double)NAN}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){0.5306282510621704}},
    SPOR_END_GOLDEN};

const spor_op spor_op_log1p = {
    .signature = "log1p(x[...])",
    .equation = "y = ln(1 + x)",
    .traits = SPOR_LIBRARY,
    .domain = {SPOR_POSITIVE},
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx = onnx,
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = log1p_reference,
    .tile = &log1p_tiles,
};

spor_var spor_log1p(spor_var x) {
    return op_record(&spor_op_log1p, &x, NULL);
}

#else

ELEMENT_KERNEL(log1p, 1) {
    return LOG1P(x[0]);
}

#endif
