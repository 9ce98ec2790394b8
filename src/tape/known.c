/*
 * What is known of numbers while they are recorded, though nothing is computed: that they are the 0s and 1s of
 * a mask, or constants. As an index these would be taken for rows in silence, or make what is no number.
 */
#include <math.h>

#include "base/shape.h"
#include "tape/tape.h"

/* ---- masks ---- */

unsigned known_number(double x) {
    return fabs(x) <= 0 ? SPOR_SOME_0 : fabs(x - 1) <= 0 ? SPOR_SOME_1 : 0;
}

/* Of a leaf that is numbers. */
static unsigned truth_of_numbers(const spor_node *node) {
    unsigned all = 0;
    for (int64_t k = 0; k < shape_size(node->shape); k++) {
        unsigned one = known_number(node->op->number(node->attr, k));
        if (!one) return 0;
        all |= one;
    }
    return all;
}

static unsigned truth_of_picked(const unsigned in[], int operands) {
    unsigned all = 0;
    for (int k = 0; k < operands; k++) {
        if (!in[k]) return 0;
        all |= in[k];
    }
    return all;
}

unsigned known_truth(const spor_tape *tape, const spor_node *node) {
    const spor_op *op = node->op;
    unsigned in[SPOR_OPERANDS];
    for (int k = 0; k < op->operands; k++) in[k] = tape->node[node->in[k]].truth;
    if (op->truth) return op->truth(node->attr, in);
    if (op->traits & SPOR_DECIDES) return SPOR_SOME_0 | SPOR_SOME_1 | SPOR_DECIDED;
    if (op->traits & SPOR_PICKS) return truth_of_picked(in, op->operands);
    return op->number ? truth_of_numbers(node) : 0;
}

bool known_zero(const spor_node *node) {
    const spor_op *op = node->op;
    if (!op->number || (op->error && node->attr[op->error].r > 0)) return false;
    for (int64_t k = 0; k < shape_size(node->shape); k++)
        if (fabs(op->number(node->attr, k)) > 0 || isnan(op->number(node->attr, k))) return false;
    return true;
}

bool known_mask(spor_var x) {
    return tape_node_of(x)->truth & SPOR_DECIDED;
}

/* ---- constants ---- */

/* The leaf that has the same numbers, though it may be in another order and each more than once. */
static const spor_node *same_numbers(spor_var x) {
    const spor_node *node = tape_node_of(x);
    while (node->op->traits & SPOR_PICKS && node->op->operands == 1) {
        const spor_node *of = &x.tape->node[node->in[0]];
        if (shape_size(node->shape) < shape_size(of->shape)) break;
        node = of;
    }
    return node;
}

static bool names_a_row(double x, int64_t rows) {
    return x >= 0 && x < (double)rows && floor(x) >= x;
}

/* A number of an index that names no row. */
static bool refuse_number(spor_rule *rule, const char *name, double x, int64_t rows) {
    const double counted = x + (double)rows;
    char from_end[64] = "";
    if (names_a_row(counted, rows) && x < 0)
        snprintf(from_end, sizeof from_end, "; the one counted so from the end is %.0f", counted);
    if (!rows) return rule_fail(rule, "%s has %g, but there are no rows to name", name, x);
    return rule_fail(rule, "%s has %g, which names none of the rows: they are 0 to %" PRId64 "%s",
                     name, x, rows - 1, from_end);
}

/* ---- what is taken for an index ---- */

static bool refuse_mask(spor_rule *rule, const char *name, int64_t rows) {
    return rule_fail(rule,
                     "%s is a mask of 0s and 1s, and so would name rows 0 and 1 alone, where there "
                     "%s %" PRId64 ": choose with where(mask, x, 0), or multiply by the mask; "
                     "where(mask, 1, 0) says that these rows are meant",
                     name, rows == 1 ? "is" : "are", rows);
}

static bool check_operand(spor_rule *rule, int operand, spor_var index, int64_t rows) {
    const spor_node *numbers = same_numbers(index);
    spor_signature signature = {0};
    signature_parse(rule->op->signature, &signature);
    const char *name = signature.operand[operand].name;
    if (known_mask(index) && rows != 2) return refuse_mask(rule, name, rows);
    for (int64_t k = 0; numbers->op->number && k < shape_size(numbers->shape); k++) {
        double x = numbers->op->number(numbers->attr, k);
        if (!names_a_row(x, rows)) return refuse_number(rule, name, x, rows);
    }
    return true;
}

bool known_index(spor_rule *rule, const spor_var in[]) {
    for (int k = 0; k < rule->operands; k++)
        if (rule->op->domain[k] == SPOR_INDEX &&
            !check_operand(rule, k, in[k], rule->op->named(rule->in, rule->attr)))
            return false;
    return true;
}
