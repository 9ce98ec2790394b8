/*
 * A real number as a scalar. Numbers that have a fraction are better given as ratio, which is
 * exact in every scalar type.
 */
#include <math.h>

#include "tape/op.h"

enum { NUMBER };

#ifdef SPOR_RULES

KERNELS(constant);

static bool shape(spor_rule *r) {
    r->out = SPOR_SCALAR_SHAPE;
    return true;
}

static const spor_sample samples[] = {
    {.attr = {{.r = 0.1}}}, {.attr = {{.r = -1e300}}}, SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {SPOR_END_MISTAKES};

/* python3 -c "print(0.1, -2.5, 1e-3)" */
static const spor_golden golden[] = {{.attr = {{.r = 0.1}}, .y = (const double[]){0.1}},
                                     {.attr = {{.r = -2.5}}, .y = (const double[]){-2.5}},
                                     {.attr = {{.r = 1e-3}}, .y = (const double[]){0.001}},
                                     SPOR_END_GOLDEN};

static bool is_zero(const spor_attr attr[]) {
    return fabs(attr[NUMBER].r) <= 0;
}

const spor_op spor_op_constant = {
    .signature = "constant(; value:real)",
    .equation = "z = value",
    .traits = SPOR_LEAF,
    .attrs = 1,
    .shape = shape,
    .is_zero = is_zero,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = constant_reference,
};

spor_var spor_constant(spor_tape *tape, double value) {
    return op_record_leaf(tape, &spor_op_constant, &(spor_attr){.r = value});
}

#else

REFERENCE_KERNEL(constant) {
    *AT0(c->out) = FROM_REAL(c->attr[NUMBER].r);
}

#endif
