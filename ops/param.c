/*
 * A leaf whose values live in a spor_params under the node's name. Recorded by spor_param, and by
 * spor_state with trained = 0: a parameter without gradient. It computes nothing.
 */
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(param);

enum { TRAINED = SHAPE_SLOTS, SLOTS };

static bool shape(spor_rule *r) {
    int64_t trained = r->attr[TRAINED].i;
    if (trained != 0 && trained != 1)
        return rule_fail(r, "trained is 0 or 1, not %" PRId64, trained);
    return rule_shape(r, r->attr);
}

static const spor_sample samples[] = {
    {.attr = {{2}, {3}, {4}, [TRAINED] = {1}}}, {.attr = {{0}}}, SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.attr = {{1}, {3}, [TRAINED] = {2}}, .message = "trained is 0 or 1, not 2"},
    {.attr = {{9}}, .message = "a shape has 0 to 8 axes but this one has 9"},
    {.attr = {{2}, {3}, {-4}}, .message = "axis 1 of the shape is -4 but must be at least 0"},
    SPOR_END_MISTAKES};

const spor_op spor_op_param = {
    .signature = "param(; shape:shape, trained:int=1)",
    .equation = "z = values of a parameter",
    .traits = SPOR_LEAF | SPOR_STORED,
    .attrs = SLOTS,
    .shape = shape,
    .onnx = onnx_known,
    .samples = samples,
    .mistakes = mistakes,
    .golden = (const spor_golden[]){SPOR_END_GOLDEN},
    .reference = param_reference,
};

#else

NO_KERNEL(param);

#endif
