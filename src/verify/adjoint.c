/*
 * The adjoint as oracle: <dy, y(u) - y(0)> = <y'(dy), u> where y is affine in one input and u is
 * that input's data. One number for a whole tensor.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/oracle.h"

/* How a node depends on one input, all others held fixed. */
typedef enum { CONSTANT, AFFINE, OTHERWISE } dependence;

static dependence larger(dependence a, dependence b) {
    return a > b ? a : b;
}

static dependence dependence_of_node(const spor_tape *tape, uint32_t id, const dependence on[]) {
    const spor_node *node = &tape->node[id];
    const spor_op *op = node->op;
    dependence first = op->operands ? on[node->in[0]] : CONSTANT, rest = CONSTANT;
    for (int k = 1; k < op->operands; k++) rest = larger(rest, on[node->in[k]]);
    dependence most = larger(first, rest);
    bool affine = op->traits & SPOR_LINEAR;
    if (op->traits & SPOR_BILINEAR) affine = first == CONSTANT || rest == CONSTANT;
    if (op->traits & SPOR_LINEAR_FIRST) affine = rest == CONSTANT;
    if (op->traits & SPOR_LINEAR_REST) affine = first == CONSTANT;
    return most == CONSTANT || affine ? most : OTHERWISE;
}

/* True if y(u) - y(0) is linear in u, the input. */
static bool is_affine(const oracle_inquiry *q, int input, dependence on[]) {
    const spor_tape *tape = q->trial->tape;
    uint32_t y = q->trial->in.y.id;
    for (uint32_t id = 1; id <= y; id++)
        on[id] = dependence_of_node(tape, id, on); /* of inputs: constant */
    on[q->trial->in.input[input].id] = AFFINE;
    for (uint32_t id = q->trial->in.input[input].id + 1; id <= y; id++)
        on[id] = dependence_of_node(tape, id, on);
    return on[y] != OTHERWISE;
}

/* <gradient, u>, u the data of the pair's input. */
static measured product_with_data(oracle_inquiry *q, const spor_pair *pair, spor_var gradient) {
    measured sum = {0, 0};
    for (int64_t k = 0; k < trial_size(q->trial, pair->wrt); k++) {
        measured g;
        g.value = trial_value(q->trial, gradient, k, &g.bound);
        sum = product_add(sum, q->trial->data[pair->wrt][k], g);
    }
    return sum;
}

/* <dy, y(u) - y(0)>, the other inputs as the trial has them. */
static bool product_with_change(oracle_inquiry *q, int input, measured *change) {
    measured at_u, at_zero;
    size_t size = (size_t)trial_size(q->trial, input);
    product_fill(q);
    if (!product_with_y(q, &at_u)) return false;
    memset(spor_program_arg(q->y, q->trial->in.input[input]).data, 0, 2 * size * sizeof(double));
    if (!product_with_y(q, &at_zero)) return false;
    change->value = at_u.value - at_zero.value;
    change->bound = at_u.bound + at_zero.bound + PRODUCT_UNIT * fabs(change->value);
    return true;
}

static bool judge_pair(oracle_inquiry *q, int k) {
    const spor_pair *pair = &q->trial->in.pair[k];
    measured truth, formula = product_with_data(q, pair, pair->formula);
    if (!product_with_change(q, pair->wrt, &truth)) return false;
    oracle_element e = {.pair = k,
                        .formula = formula.value,
                        .expected = product_with_data(q, pair, pair->expected).value,
                        .oracle = truth.value,
                        .off = fabs(formula.value - truth.value),
                        .bound = truth.bound + formula.bound};
    oracle_judge(q, &e);
    return true;
}

static bool ask(oracle_inquiry *q) {
    const spor_instance *in = &q->trial->in;
    if (!product_start(q)) return false;
    if (!q->y) return true;
    dependence *on = calloc(q->trial->tape->count, sizeof *on);
    bool done = on != NULL;
    for (int k = 0; k < oracle_pairs(q) && done; k++)
        if (in->pair[k].wrt >= 0 && is_affine(q, in->pair[k].wrt, on)) done = judge_pair(q, k);
    free(on);
    return done;
}

/* Not in the search: complex steps decide each element for itself where this has one number. */
const oracle oracle_adjoint = {
    .name = "adjoint",
    .proves = "in the directions drawn the formula is the adjoint of what y does to the input, "
              "where that is linear; one number for a whole tensor",
    .counted = "inner products",
    .dispute = SPOR_TAPE_ORACLE,
    .at = ORACLE_AT_INTEGERS | ORACLE_AT_MIDDLE,
    .in_search = false,
    .ask = ask,
};
