/* Recording: one node after another, each shape checked at once. */
#include "tape/tape.h"

#include <string.h>

#include "base/arena.h"

enum { LARGEST = 40 }; /* a tensor has at most 2^40 elements: sizes in bytes never overflow */

/* Shapes are shared: most nodes have the shape of their first operand. */
static const spor_shape *keep_shape(spor_tape *tape, const uint32_t in[], int operands,
                                    const spor_shape *shape) {
    for (int k = 0; k < operands; k++)
        if (shape_equal(tape->node[in[k]].shape, shape)) return tape->node[in[k]].shape;
    spor_shape *kept = arena_take(&tape->arena, sizeof *kept);
    if (kept) {
        kept->rank = shape->rank;
        memcpy(kept->n, shape->n, (size_t)shape->rank * sizeof *shape->n);
    }
    return kept;
}

/* Records the parts of a node that is to follow; 0: it has none, or the tape failed. */
static uint32_t take_apart(spor_tape *tape, const spor_op *op, const uint32_t in[],
                           const spor_attr attr[]) {
    spor_var operand[SPOR_OPERANDS];
    if (!tape->takes_apart || !op->parts) return 0;
    for (int k = 0; k < op->operands; k++) {
        operand[k] = (spor_var){tape, in[k]};
        if (!shape_size(tape->node[in[k]].shape)) return 0;
    }
    return op->parts(operand, attr).id;
}

spor_var tape_append(spor_tape *tape, const spor_op *op, const uint32_t in[],
                     const spor_attr attr[], const spor_shape *shape) {
    uint32_t parts = take_apart(tape, op, in, attr);
    if (tape->error) return (spor_var){tape, 0};
    spor_node *grown = tape_grow(tape->node, tape->count, &tape->capacity, sizeof *grown);
    if (!grown) return tape_exhaust(tape);
    tape->node = grown;
    spor_node node = {.op = op, .parts = parts, .scope = tape->current, .place = tape->place};
    memcpy(node.in, in, (size_t)op->operands * sizeof *in);
    for (int k = 0; k < op->operands; k++) node.masked |= tape->node[in[k]].masked;
    node.shape = keep_shape(tape, in, op->operands, shape);
    if (op->attrs) {
        size_t bytes = (size_t)op->attrs * sizeof *attr;
        spor_attr *kept = arena_take(&tape->arena, bytes);
        if (!kept) return tape_exhaust(tape);
        node.attr = memcpy(kept, attr, bytes);
    }
    if (!node.shape) return tape_exhaust(tape);
    node.truth = (unsigned char)known_truth(tape, &node);
    tape->node[tape->count] = node;
    return (spor_var){tape, tape->count++};
}

/* The operands' shapes with the axis names of the signature, one line. */
static void describe_operands(const spor_rule *rule, const spor_signature *signature, char *text,
                              size_t size) {
    size_t used = 0;
    for (int k = 0; k < rule->operands && used + 80 < size; k++) {
        const spor_signature_operand *names = &signature->operand[k];
        used += (size_t)snprintf(text + used, size - used, "      %s  ", names->name);
        used += (size_t)tape_shape_text(&rule->in[k], names, text + used, size - used);
    }
}

static spor_var refuse(spor_tape *tape, const spor_rule *rule) {
    spor_signature signature = {0};
    char operands[480] = "";
    signature_parse(rule->op->signature, &signature);
    describe_operands(rule, &signature, operands, sizeof operands);
    return tape_reject(tape, "%s: %s%s%s", signature.name, rule->message, *operands ? "\n" : "",
                       operands);
}

static bool check_sizes(spor_rule *rule) {
    int64_t size = 1;
    if (rule->out.rank < 0 || rule->out.rank > SPOR_RANK)
        return rule_fail(rule, "the result has %d axes, more than %d", rule->out.rank, SPOR_RANK);
    for (int k = 0; k < rule->out.rank; k++) {
        int64_t n = rule->out.n[k];
        if (n < 0)
            return rule_fail(rule, "axis %d of the result would have %" PRId64 " elements", k, n);
        if (__builtin_mul_overflow(size, n ? n : 1, &size) || size >> LARGEST)
            return rule_fail(rule, "the result would have more than 2^%d elements", LARGEST);
    }
    return true;
}

bool tape_allows(spor_rule *rule, const spor_var in[]) {
    return rule->op->shape(rule) && check_sizes(rule) && known_index(rule, in);
}

static spor_var apply(spor_tape *tape, const spor_op *op, const spor_var in[],
                      const spor_attr attr[]) {
    spor_rule rule = {.op = op, .operands = op->operands, .attr = attr};
    uint32_t id[SPOR_OPERANDS] = {0};
    for (int k = 0; k < op->operands; k++) {
        rule.in[k] = *tape_node_of(in[k])->shape;
        id[k] = in[k].id;
    }
    if (!tape_allows(&rule, in)) return refuse(tape, &rule);
    return tape_append(tape, op, id, attr, &rule.out);
}

/* NULL, or the reason why this operand can't be taken. */
static const char *trouble_with(spor_var x, const spor_tape *tape) {
    if (x.tape != tape) return "lies on another tape: record all operands on one";
    if (!x.id) return "was never recorded";
    return x.id < tape->count ? NULL : "is not a variable of its tape";
}

spor_var op_record(const spor_op *op, const spor_var in[], const spor_attr attr[]) {
    spor_tape *tape = NULL;
    for (int k = 0; k < op->operands && !tape; k++) tape = in[k].tape;
    if (!tape || tape->error) return (spor_var){tape, 0};
    for (int k = 0; k < op->operands; k++) {
        if (in[k].tape && in[k].tape->error) return tape_reject(tape, "%s", in[k].tape->error);
        const char *trouble = trouble_with(in[k], tape);
        if (!trouble) continue;
        spor_signature signature = {0};
        signature_parse(op->signature, &signature);
        return tape_reject(tape, "%s: operand %s %s", signature.name, signature.operand[k].name,
                           trouble);
    }
    return apply(tape, op, in, attr);
}

spor_var op_record_leaf(spor_tape *tape, const spor_op *op, const spor_attr attr[]) {
    if (!tape || tape->error) return (spor_var){tape, 0};
    return apply(tape, op, NULL, attr);
}

spor_var op_operand(spor_var y, int k) {
    return (spor_var){y.tape, tape_node_of(y)->in[k]};
}

const spor_attr *op_attrs(spor_var y) {
    return tape_node_of(y)->attr;
}

spor_var op_masked(spor_var x) {
    if (x.tape && x.id) x.tape->node[x.id].masked = true;
    return x;
}

spor_var op_pull(spor_var ybar, spor_var slope) {
    bool masked = ybar.tape && ybar.id && tape_node_of(ybar)->masked;
    return masked ? spor_xmuly(ybar, slope) : spor_mul(ybar, slope);
}

spor_var op_missing(spor_var x, const char *what) {
    return tape_reject(x.tape, "%s is NULL", what);
}

spor_var op_none(void) {
    return (spor_var){NULL, 0};
}
