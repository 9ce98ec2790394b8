#include "evaluate.h"

#include <stdlib.h>

#include "exact.h"
#include "kernels/element.h"
#include "registry.h"
#include "tape/tape.h"

/* ---- the exact kernels, in the order of the registry ---- */

#define DECLARE_KERNEL(op) extern spor_reference *const spor_kernel_##op##_exact;
#define KERNEL_ENTRY(op) &spor_kernel_##op##_exact,

SPOR_EACH_OP(DECLARE_KERNEL)
extern spor_reference *const spor_kernel_lead_exact;
static spor_reference *const *const exact_kernels[] = {SPOR_EACH_OP(KERNEL_ENTRY)};

/* lead is the one op that is in no registry: window.h. */
spor_reference *evaluation_kernel(const spor_op *op, int scalar) {
    if (scalar != EVALUATE_EXACT) return op->reference[scalar] ? *op->reference[scalar] : NULL;
    for (int k = 0; spor_ops[k]; k++)
        if (spor_ops[k] == op) return *exact_kernels[k];
    return spor_kernel_lead_exact;
}

/* ---- numbers ---- */

int64_t evaluation_size(const spor_tape *tape, uint32_t id) {
    return shape_size(tape->node[id].shape);
}

bool evaluation_is_given(const spor_tape *tape, uint32_t id) {
    return tape->node[id].op->traits & SPOR_GIVEN;
}

bool evaluation_make(evaluation *e, const spor_tape *tape, int scalar) {
    size_t width = scalar == EVALUATE_EXACT ? sizeof(exact) : element_types[scalar]->width;
    *e = (evaluation){tape, scalar, calloc(tape->count, sizeof *e->value)};
    bool done = e->value != NULL;
    for (uint32_t id = 1; done && id < tape->count; id++) {
        e->value[id] = calloc((size_t)evaluation_size(tape, id), width);
        done = e->value[id] != NULL;
    }
    return done;
}

void evaluation_free(evaluation *e) {
    for (uint32_t id = 1; e->value && id < e->tape->count; id++) free(e->value[id]);
    free(e->value);
}

static spor_arg argument(const evaluation *e, uint32_t id) {
    spor_arg arg = {.data = e->value[id], .shape = *e->tape->node[id].shape};
    shape_strides(&arg.shape, arg.stride);
    return arg;
}

static bool run_node(evaluation *e, uint32_t id) {
    const spor_node *node = &e->tape->node[id];
    spor_reference *kernel = evaluation_kernel(node->op, e->scalar);
    spor_arg in[SPOR_OPERANDS];
    if (!kernel) return false;
    for (int k = 0; k < node->op->operands; k++) in[k] = argument(e, node->in[k]);
    kernel(&(spor_call){
        .out = argument(e, id), .in = in, .operands = node->op->operands, .attr = node->attr});
    return true;
}

bool evaluation_run(evaluation *e) {
    bool done = true;
    for (uint32_t id = 1; done && id < e->tape->count; id++)
        if (!evaluation_is_given(e->tape, id)) done = run_node(e, id);
    return done;
}
