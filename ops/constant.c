/*
 * A real number as a scalar. Numbers that have a fraction are better given as ratio, which is
 * exact in every scalar type. The double may stand for a number that it is not: 0.1 of a script is
 * no farther from it than an error, which error bounds begin with and nothing else looks at.
 */
#include "attributes.h"

enum { NUMBER, ERROR, CONSTANT_SLOTS };

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(constant);

static bool shape(spor_rule *r) {
    r->out = SPOR_SCALAR_SHAPE;
    return rule_error(r, "value", r->attr[ERROR].r);
}

static const spor_sample samples[] = {
    {.attr = {{.r = 0.1}, {.r = 0x1p-56}}}, {.attr = {{.r = -1e300}}}, SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.attr = {{.r = 0.1}, {.r = -1}}, .message = "the error of value must be at least 0 but is -1"},
    SPOR_END_MISTAKES};

/* python3 -c "print(0.1, -2.5, 1e-3)" */
static const spor_golden golden[] = {{.attr = {{.r = 0.1}}, .y = (const double[]){0.1}},
                                     {.attr = {{.r = -2.5}}, .y = (const double[]){-2.5}},
                                     {.attr = {{.r = 1e-3}}, .y = (const double[]){0.001}},
                                     SPOR_END_GOLDEN};

static double number(const spor_attr attr[], int64_t k) {
    (void)k;
    return attr[NUMBER].r;
}

const spor_op spor_op_constant = {
    .signature = "constant(; value:real)",
    .equation = "z = value",
    .traits = SPOR_LEAF,
    .attrs = CONSTANT_SLOTS,
    .error = ERROR,
    .shape = shape,
    .number = number,
    .onnx = onnx_known,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = constant_reference,
};

spor_var spor_constant(spor_tape *tape, double value) {
    return op_constant(tape, value, 0);
}

spor_var op_constant(spor_tape *tape, double value, double error) {
    return op_record_leaf(tape, &spor_op_constant, (spor_attr[]){{.r = value}, {.r = error}});
}

#else

REFERENCE_KERNEL(constant) {
    *AT0(c->out) = KNOWN_TO(c->attr[NUMBER].r, c->attr[ERROR].r);
}

#endif
