/*
 * A formula that is no number where the gradient is one: is it undefined there, by a zero divisor or
 * the logarithm of 0, which is a fault, or did a number on its way only grow too large for a double?
 */
#include <math.h>

#include "program/params.h"
#include "program/program.h"
#include "verify/verify.h"

typedef struct {
    spor_trial *trial;
    bool pole, overflow;
} inquest;

/* Element k of an operand of an elementwise op; false if it has another shape. */
static bool operand_at(const spor_call *call, int operand, int64_t k, double *value) {
    if (!shape_equal(&call->in[operand].shape, &call->out.shape)) return false;
    *value = scalar_value_at(call->in[operand].data, SPOR_F64, k);
    return true;
}

/* The first element of an index that names no row; false if all do. */
static bool index_at(const spor_op *op, const spor_call *call, int operand, double *value) {
    spor_shape in[SPOR_OPERANDS];
    for (int k = 0; k < op->operands; k++) in[k] = call->in[k].shape;
    int64_t rows = op->named(in, call->attr), size = shape_size(&call->in[operand].shape);
    for (int64_t k = 0; k < size; k++) {
        *value = scalar_value_at(call->in[operand].data, SPOR_F64, k);
        if (!(*value >= 0 && *value < (double)rows) || floor(*value) < *value) return true;
    }
    return false;
}

/* True if an operand has left the op's domain: what it may not be stands in the descriptor. */
static bool left_domain(const spor_op *op, const spor_call *call, int64_t k, double *value) {
    for (int o = 0; o < op->operands; o++) {
        if (op->domain[o] == SPOR_INDEX && index_at(op, call, o, value)) return true;
        if (op->domain[o] == SPOR_INDEX || !operand_at(call, o, k, value)) continue;
        if (op->domain[o] == SPOR_NONZERO && *value == 0) return true;
        if (op->domain[o] == SPOR_POSITIVE && !(*value > 0)) return true;
    }
    return false;
}

static void look(void *user, const spor_node *node, const spor_call *call, int64_t k) {
    inquest *q = user;
    double value;
    bool pole = left_domain(node->op, call, k, &value);
    q->overflow = q->overflow || !pole;
    if (!pole || q->pole) return;
    char name[SPOR_NAME], where[32] = "";
    op_name(node->op, name, sizeof name);
    if (node->place.line) snprintf(where, sizeof where, " in line %d", node->place.line);
    snprintf(q->trial->why, sizeof q->trial->why, "undefined: %s%s meets %g", name, where, value);
    q->pole = true;
}

bool trial_inquire(spor_trial *trial, int pair) {
    inquest q = {.trial = trial};
    spor_options options = {.scalar = SPOR_F64, .reference = true};
    if (trial->inquired == 1 + pair) return true;
    spor_program *program =
        spor_compile(trial->tape, 1, &trial->in.pair[pair].formula, NULL, &options);
    for (int k = 0; program && k < trial->in.inputs; k++) {
        double *to = spor_program_arg(program, trial->in.input[k]).data;
        for (int64_t j = 0; to && j < trial_size(trial, k); j++) to[j] = trial->data[k][j];
    }
    bool done = program && program_run_watched(program, 0, look, &q);
    spor_program_free(program);
    trial->undefined = q.pole && !q.overflow;
    trial->inquired = 1 + pair;
    return done;
}
