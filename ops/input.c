/*
 * A leaf whose values are bound when a program runs. Recorded by spor_input; it computes nothing.
 */
#include "attributes.h"

#ifdef SPOR_RULES

KERNELS(input);

static bool shape(spor_rule *r) {
    return rule_shape(r, r->attr);
}

static const spor_sample samples[] = {{.attr = {{2}, {3}, {4}}}, {.attr = {{0}}}, SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.attr = {{9}}, .message = "a shape has 0 to 8 axes but this one has 9"},
    {.attr = {{-1}}, .message = "a shape has 0 to 8 axes but this one has -1"},
    {.attr = {{2}, {3}, {-1}}, .message = "axis 1 of the shape is -1 but must be at least 0"},
    SPOR_END_MISTAKES};

const spor_op spor_op_input = {
    .signature = "input(; shape:shape)",
    .equation = "z = values bound to a run",
    .traits = SPOR_LEAF | SPOR_GIVEN,
    .attrs = SHAPE_SLOTS,
    .shape = shape,
    .samples = samples,
    .mistakes = mistakes,
    .golden = (const spor_golden[]){SPOR_END_GOLDEN},
    .reference = input_reference,
};

#else

NO_KERNEL(input);

#endif
