/*
 * Readings of the right formula: one node of it changed, and recorded again from there on. What a
 * node is, its descriptor says: linear and of one operand (a transpose, a flip), a product whose
 * operands have an order, an axis or a set of them among its attributes.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/hint.h"

bool rewrite_record(spor_tape *tape, const spor_op *op, const uint32_t in[], const spor_attr attr[],
                    spor_var *made) {
    spor_rule rule = {.op = op, .operands = op->operands, .attr = attr};
    spor_var operand[SPOR_OPERANDS] = {{NULL, 0}};
    for (int k = 0; k < op->operands; k++) {
        operand[k] = (spor_var){tape, in[k]};
        rule.in[k] = *tape->node[in[k]].shape;
    }
    if (!op->operands || !tape_allows(&rule, operand)) return false;
    *made = op_record(op, operand, attr);
    return made->id != 0;
}

/* The formula and what it stands on. */
typedef struct {
    hint_site *site;
    uint32_t root;
    bool *cone;    /* by id: the root depends on it */
    uint32_t *now; /* by id: what it has become */
} rewriting;

/* The root with `from` replaced: what depends on it is recorded again. id 0: that has no shape. */
static spor_var replaced(const rewriting *r, uint32_t from, spor_var by) {
    spor_tape *tape = r->site->tape;
    spor_var made = {tape, 0};
    if (!by.id) return made;
    for (uint32_t id = 0; id <= r->root; id++) r->now[id] = id;
    r->now[from] = by.id;
    for (uint32_t id = from + 1; id <= r->root; id++) {
        const spor_op *op = tape->node[id].op;
        uint32_t in[SPOR_OPERANDS] = {0};
        bool changed = false;
        for (int k = 0; k < op->operands; k++) {
            in[k] = r->now[tape->node[id].in[k]];
            changed = changed || in[k] != tape->node[id].in[k];
        }
        if (!changed || !r->cone[id]) continue;
        if (!rewrite_record(tape, op, in, tape->node[id].attr, &made)) return (spor_var){tape, 0};
        r->now[id] = made.id;
    }
    return (spor_var){tape, r->now[r->root]};
}

static void close_with(const rewriting *r, uint32_t from, spor_var by) {
    hint_close(r->site, r->site->formula, replaced(r, from, by));
}

/* ---- attributes ---- */

/* The slot of the first attribute of this kind, -1 if there is none. */
static int slot_of(const spor_op *op, spor_kind kind) {
    spor_signature signature = {0};
    if (!signature_parse(op->signature, &signature)) return -1;
    for (int k = 0; k < signature.attrs; k++)
        if (signature.attr[k].kind == kind) return signature.attr[k].slot;
    return -1;
}

/* The node again with a number of its attributes changed. */
static spor_var with_slot(const rewriting *r, uint32_t id, int slot, int64_t value) {
    const spor_node *node = &r->site->tape->node[id];
    spor_attr attr[SPOR_ATTRS];
    spor_var made = {r->site->tape, 0};
    memcpy(attr, node->attr, (size_t)node->op->attrs * sizeof *attr);
    attr[slot].i = value;
    rewrite_record(r->site->tape, node->op, node->in, attr, &made);
    return made;
}

/* Names of the axes of a node that is an input; NULL: none. */
static const char *const *names_of(const rewriting *r, uint32_t id) {
    const spor_instance *in = r->site->in;
    for (int k = 0; k < in->inputs; k++)
        if (in->input[k].id == id) return axes_of(in, k);
    return NULL;
}

/* sum over other axes: fewer, more, others */
static void other_axes(const rewriting *r, uint32_t id, int slot) {
    hint_site *s = r->site;
    uint32_t in = s->tape->node[id].in[0];
    int rank = s->tape->node[in].shape->rank;
    int64_t own = s->tape->node[id].attr[slot].i;
    const char *const *name = names_of(r, in);
    for (int64_t mask = 0; mask < (int64_t)1 << rank && rank <= 4; mask++) {
        char more[HINT_AXES], less[HINT_AXES];
        if (mask == own) continue;
        hint_axes(name, mask & ~own, more, sizeof more);
        hint_axes(name, own & ~mask, less, sizeof less);
        bool open = !(mask & ~own)   ? hint_open(s, "not summed over %s", less)
                    : !(own & ~mask) ? hint_open(s, "summed over %s too", more)
                                     : hint_open(s, "summed over %s in place of %s", more, less);
        if (open) close_with(r, id, with_slot(r, id, slot, mask));
    }
}

static void other_axis(const rewriting *r, uint32_t id, int slot) {
    hint_site *s = r->site;
    uint32_t in = s->tape->node[id].in[0];
    int64_t own = s->tape->node[id].attr[slot].i;
    const char *const *name = names_of(r, in);
    for (int64_t axis = 0; axis < s->tape->node[in].shape->rank; axis++) {
        char text[SPOR_NAME], x[HINT_AXES], y[HINT_AXES];
        if (axis == own) continue;
        op_name(s->tape->node[id].op, text, sizeof text);
        hint_axes(name, SPOR_AXIS(axis), x, sizeof x);
        hint_axes(name, SPOR_AXIS(own), y, sizeof y);
        if (hint_open(s, "%s along %s in place of %s", text, x, y))
            close_with(r, id, with_slot(r, id, slot, axis));
    }
}

/* ---- what is left out ---- */

/* What the operand is called: "K", or NULL. */
static const char *operand_name(const spor_tape *tape, uint32_t id) {
    while (!tape->node[id].name && tape->node[id].op->operands == 1) id = tape->node[id].in[0];
    return tape->node[id].name;
}

/* A node of one operand that only moves elements: its operand, in its shape. */
static void without_move(const rewriting *r, uint32_t id) {
    hint_site *s = r->site;
    const spor_node *node = &s->tape->node[id];
    uint32_t in = node->in[0];
    const char *of = operand_name(s->tape, in);
    char name[SPOR_NAME];
    bool flip = slot_of(node->op, SPOR_KIND_AXES) >= 0;
    op_name(node->op, name, sizeof name);
    bool open = flip && s->slides
                    ? hint_open(s,
                                "%s is not rotated by 180 degrees: correlation and "
                                "convolution are mixed up",
                                of ? of : "the kernel")
                    : hint_open(s, "a %s%s%s is left out", name, of ? " of " : "", of ? of : "");
    if (!open) return;
    spor_shape shape = *s->tape->node[id].shape;
    spor_var operand = {s->tape, in};
    close_with(r, id,
               shape_equal(&shape, s->tape->node[in].shape) ? operand
                                                            : spor_reshape(operand, shape));
}

/* Elements stay what they are, and change their places. */
static bool moves(const spor_tape *tape, uint32_t id) {
    const spor_node *node = &tape->node[id];
    if (node->op->operands != 1 || !(node->op->traits & SPOR_LINEAR)) return false;
    if (node->op->traits & SPOR_ALIAS) return false;
    bool turns = slot_of(node->op, SPOR_KIND_PERM) >= 0;
    bool flips = slot_of(node->op, SPOR_KIND_AXES) >= 0 &&
                 shape_equal(node->shape, tape->node[node->in[0]].shape);
    return turns || flips;
}

/* Two operands in the other order: matmul. */
static void swapped_operands(const rewriting *r, uint32_t id) {
    hint_site *s = r->site;
    const spor_node *node = &s->tape->node[id];
    uint32_t in[] = {node->in[1], node->in[0]};
    char name[SPOR_NAME];
    spor_var made;
    op_name(node->op, name, sizeof name);
    if (!hint_open(s, "the operands of %s are in the other order", name)) return;
    if (rewrite_record(s->tape, node->op, in, node->attr, &made)) close_with(r, id, made);
}

/* True if a flip stands between the node and what it is made of. */
static bool is_flipped(const spor_tape *tape, uint32_t id) {
    for (; tape->node[id].op->operands == 1; id = tape->node[id].in[0])
        if (moves(tape, id) && slot_of(tape->node[id].op, SPOR_KIND_AXES) >= 0) return true;
    return false;
}

/* A kernel that is rotated though it should not be: in the axes that windows slide over. */
static void rotated_kernel(const rewriting *r, uint32_t id) {
    hint_site *s = r->site;
    uint32_t in[2];
    memcpy(in, s->tape->node[id].in, sizeof in);
    const spor_op *op = s->tape->node[id].op;
    const char *of = operand_name(s->tape, in[1]);
    spor_var kernel = {s->tape, in[1]}, made;
    if (is_flipped(s->tape, in[1])) return; /* once more is not at all: without_move */
    if (!hint_open(s, "%s is rotated by 180 degrees: correlation and convolution are mixed up",
                   of ? of : "the kernel"))
        return;
    in[1] = spor_flip(kernel, SPOR_AXIS(0) | SPOR_AXIS(1)).id;
    if (in[1] && rewrite_record(s->tape, op, in, s->tape->node[id].attr, &made))
        close_with(r, id, made);
}

/* An operand of a product of matrices with its last two axes swapped. */
static void transposed_operand(const rewriting *r, uint32_t id, int k) {
    hint_site *s = r->site;
    uint32_t in[2];
    int64_t perm[SPOR_RANK];
    char name[SPOR_NAME];
    memcpy(in, s->tape->node[id].in, sizeof in);
    const spor_op *op = s->tape->node[id].op;
    spor_var x = {s->tape, in[k]}, made;
    int rank = spor_shape_of(x).rank;
    op_name(op, name, sizeof name);
    if (rank < 2 || !hint_open(s, "an operand of %s is not transposed as it should be", name))
        return;
    for (int a = 0; a < rank; a++) perm[a] = a < rank - 2 ? a : 2 * rank - 3 - a;
    in[k] = spor_transpose(x, perm).id;
    if (in[k] && rewrite_record(s->tape, op, in, s->tape->node[id].attr, &made))
        close_with(r, id, made);
}

/* ---- all ---- */

/* A product whose operands have an order, and no window. */
static bool is_product(const spor_op *op) {
    return (op->traits & SPOR_BILINEAR) && op->shape != rule_elementwise &&
           !(op->traits & SPOR_SLIDES);
}

/* Changes that make sense in the backward formula, or on a side of an equation. */
static void change_node(const rewriting *r, uint32_t id) {
    const spor_tape *tape = r->site->tape;
    const spor_op *op = tape->node[id].op;
    int axes = slot_of(op, SPOR_KIND_AXES);
    if (moves(tape, id))
        without_move(r, id);
    else if (op->operands == 1 && (op->traits & SPOR_LINEAR) && axes >= 0 &&
             tape->node[id].shape->rank < tape->node[tape->node[id].in[0]].shape->rank)
        other_axes(r, id, axes);
    if (is_product(op)) swapped_operands(r, id);
    if ((op->traits & SPOR_BILINEAR) && (op->traits & SPOR_SLIDES)) rotated_kernel(r, id);
}

/* Changes that others say better where they fit, or of the forward formula too. */
static void change_node_after(const rewriting *r, uint32_t id, uint32_t first) {
    const spor_op *op = r->site->tape->node[id].op;
    int axis = slot_of(op, SPOR_KIND_AXIS);
    if (axis >= 0 && op->operands == 1) other_axis(r, id, axis);
    for (int k = 0; k < 2 && id >= first && is_product(op); k++) transposed_operand(r, id, k);
}

static void find_cone(rewriting *r) {
    const spor_tape *tape = r->site->tape;
    r->cone[r->root] = true;
    for (uint32_t id = r->root; id > 0; id--)
        for (int k = 0; r->cone[id] && k < tape->node[id].op->operands; k++)
            r->cone[tape->node[id].in[k]] = true;
}

static bool begin(rewriting *r) {
    r->cone = calloc((size_t)r->root + 1, sizeof *r->cone);
    r->now = calloc((size_t)r->root + 1, sizeof *r->now);
    if (r->cone && r->now)
        find_cone(r);
    else
        r->site->failed = true;
    return r->cone && r->now;
}

static void end(rewriting *r) {
    free(r->cone);
    free(r->now);
}

void rewrite_readings(hint_site *s) {
    rewriting r = {.site = s, .root = s->expected.id};
    uint32_t first = s->of.id ? s->in->y.id + 1 : 1;
    bool ready = begin(&r);
    for (uint32_t id = r.root; ready && id >= first; id--)
        if (r.cone[id]) change_node(&r, id);
    for (uint32_t id = r.root; ready && id > 0; id--)
        if (r.cone[id]) change_node_after(&r, id, first);
    end(&r);
}

spor_var rewrite_replaced(hint_site *s, spor_var root, uint32_t from, spor_var by) {
    rewriting r = {.site = s, .root = root.id};
    spor_var made = begin(&r) ? replaced(&r, from, by) : (spor_var){s->tape, 0};
    end(&r);
    return made;
}
