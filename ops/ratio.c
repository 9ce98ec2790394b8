/*
 * The number num / den as a scalar, exact in every scalar type that has it.
 */
#include "tape/op.h"

enum { NUM, DEN, RATIO_SLOTS };

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(ratio);

static bool shape(spor_rule *r) {
    if (r->attr[DEN].i <= 0)
        return rule_fail(r, "the denominator must be positive but is %" PRId64, r->attr[DEN].i);
    return true;
}

static const spor_sample samples[] = {
    {.attr = {{.i = 1}, {.i = 3}}}, {.attr = {{.i = -7}, {.i = 1}}}, SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.attr = {{.i = 1}, {.i = 0}}, .message = "the denominator must be positive but is 0"},
    SPOR_END_MISTAKES};

/* python3 -c "print(1/3, -7/1, 22/7)" */
static const spor_golden golden[] = {
    {.attr = {{.i = 1}, {.i = 3}}, .y = (const double[]){0.3333333333333333}},
    {.attr = {{.i = -7}, {.i = 1}}, .y = (const double[]){-7}},
    {.attr = {{.i = 22}, {.i = 7}}, .y = (const double[]){3.142857142857143}},
    SPOR_END_GOLDEN};

static double number(const spor_attr attr[], int64_t k) {
    (void)k;
    return (double)attr[NUM].i / (double)attr[DEN].i;
}

const spor_op spor_op_ratio = {
    .signature = "ratio(; num:int, den:int=1)",
    .equation = "z = num / den",
    .traits = SPOR_LEAF,
    .attrs = RATIO_SLOTS,
    .shape = shape,
    .number = number,
    .onnx = onnx_known,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = ratio_reference,
};

spor_var spor_ratio(spor_tape *tape, int64_t num, int64_t den) {
    return op_record_leaf(tape, &spor_op_ratio, (spor_attr[]){{.i = num}, {.i = den}});
}

#else

REFERENCE_KERNEL(ratio) {
    *AT0(c->out) = RATIO(c->attr[NUM].i, c->attr[DEN].i);
}

#endif
