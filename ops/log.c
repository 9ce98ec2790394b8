/*
 * y = ln x, element by element; x [...], y [...]. x > 0: elsewhere the value is what IEEE 754 says,
 * -infinity or not a number.
 */
#include "elementwise.h"

#ifdef SPOR_RULES

ELEMENT_KERNELS(log);

/* dx = ybar / x */
static spor_var vjp(spor_var y, int k, spor_var ybar) {
    spor_var x = op_operand(y, k);
    return spor_xdivy(ybar, x);
}

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* NumPy, x as below: print(np.log(x).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .x = {(const double[]){0.5, 2, 7, 0.25, 1, 3.5}},
     .out = {2, {2, 3}},
     .y = (const double[]){-0.6931471805599453, 0.6931471805599453, 1.9459101490553132,
                           -1.3862943611198906, 0, 1.252762968495368}},
    {.in = {{2, {2, 1}}},
     .x = {(const double[]){0.125, 9.75}},
     .out = {2, {2, 1}},
     .y = (const double[]){-2.0794415416798357, 2.2772672850097555}},
    {.in = {{0, {0}}},
     .x = {(const double[]){0.7}},
     .out = {0, {0}},
     .y = (const double[]){-0.35667494393873245}},
    SPOR_END_GOLDEN};

const spor_op spor_op_log = {
    .signature = "log(x[...])",
    .equation = "y = ln x",
    .traits = SPOR_LIBRARY,
    .domain = {SPOR_POSITIVE},
    .operands = 1,
    .shape = rule_elementwise,
    .vjp = vjp,
    .onnx_op = "Log",
    .samples = map_samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = log_reference,
    .tile = &log_tiles,
};

spor_var spor_log(spor_var x) {
    return op_record(&spor_op_log, &x, NULL);
}

#else

ELEMENT_KERNEL(log, 1) {
    return LOG(x[0]);
}

#endif
