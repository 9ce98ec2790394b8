/*
 * Readings of the way back: the gradient with one node's pull-back changed. With zbar the cotangent
 * of a node z = f(x), the gradient is the sum of what comes back through z's operand x and of the
 * rest; so a changed gradient is the right one, less the right share, and with another one.
 */
#include <stdlib.h>

#include "tape/results.h"
#include "verify/hint.h"

/* The way from the variable whose gradient is asked for to y. */
typedef struct {
    hint_site *site;
    spor_var y, dy;
    bool *between; /* by id: depends on the variable, and y depends on it */
} way;

/* ---- the cotangent ---- */

/* Other cotangents, in the order of the results. */
static void with_cotangents(hint_site *s, const spor_var dy[]) {
    spor_var d, cotangent = results_join(instance_cotangents(s->in), dy);
    if (spor_vjp(s->in->y, cotangent, 1, &s->of, &d)) hint_close(s, s->formula, d);
}

/* Another one of result k. */
static void with_cotangent(hint_site *s, int k, spor_var cotangent) {
    spor_var dy[SPOR_RESULTS];
    int n = instance_cotangents(s->in);
    for (int j = 0; j < n; j++) dy[j] = j == k ? cotangent : s->in->input[s->in->dy + j];
    with_cotangents(s, dy);
}

static void exchanged(hint_site *s, int k, int with) {
    spor_var dy[SPOR_RESULTS];
    int n = instance_cotangents(s->in);
    for (int j = 0; j < n; j++) dy[j] = s->in->input[s->in->dy + j];
    spor_var a = dy[k], b = dy[with];
    spor_shape of = spor_shape_of(a), other = spor_shape_of(b);
    dy[k] = b;
    dy[with] = a;
    if (shape_equal(&of, &other) &&
        hint_open(s, "%s and %s are exchanged", tape_node_of(a)->name, tape_node_of(b)->name))
        with_cotangents(s, dy);
}

/* Several results: one is left out, has the wrong sign, or is taken for another. */
static void among_cotangents(hint_site *s) {
    int n = instance_cotangents(s->in);
    for (int k = 0; k < n; k++) {
        spor_var dy = s->in->input[s->in->dy + k];
        if (hint_open(s, "what comes back from %s is left out", tape_node_of(dy)->name))
            with_cotangent(s, k, op_fill_ratio(s->tape, 0, 1, spor_shape_of(dy)));
        if (hint_open(s, "what comes back from %s has the wrong sign", tape_node_of(dy)->name))
            with_cotangent(s, k, spor_neg(dy));
        for (int j = 0; j < k; j++) exchanged(s, j, k);
    }
}

void backward_cotangent(hint_site *s) {
    if (!s->of.id) return;
    for (int k = 0; k < instance_cotangents(s->in); k++) {
        spor_var dy = s->in->input[s->in->dy + k];
        const char *name = tape_node_of(dy)->name;
        if (hint_open(s, "%s is forgotten", name))
            with_cotangent(s, k, op_fill_ratio(s->tape, 1, 1, spor_shape_of(dy)));
        if (hint_open(s, "%s is there twice", name)) with_cotangent(s, k, spor_mul(dy, dy));
    }
    if (instance_cotangents(s->in) > 1) among_cotangents(s);
}

/* ---- the way ---- */

static bool find_way(way *w) {
    const hint_site *s = w->site;
    bool *active = calloc(2 * ((size_t)w->y.id + 1), sizeof *active);
    if (!active) return false;
    w->between = active + w->y.id + 1;
    active[s->of.id] = true;
    for (uint32_t id = s->of.id + 1; id <= w->y.id; id++)
        for (int k = 0; k < s->tape->node[id].op->operands; k++)
            if (active[s->tape->node[id].in[k]]) active[id] = true;
    w->between[w->y.id] = active[w->y.id];
    for (uint32_t id = w->y.id; id > s->of.id; id--)
        for (int k = 0; w->between[id] && k < s->tape->node[id].op->operands; k++)
            if (active[s->tape->node[id].in[k]]) w->between[s->tape->node[id].in[k]] = true;
    return true;
}

static void free_way(way *w) {
    if (w->between) free(w->between - w->y.id - 1);
}

static spor_var cotangent_of(const way *w, uint32_t id) {
    spor_var z = {w->site->tape, id}, zbar;
    if (id == w->y.id) return w->dy;
    return spor_vjp(w->y, w->dy, 1, &z, &zbar) ? zbar : (spor_var){w->site->tape, 0};
}

/* What xbar, a cotangent of node x, comes to. */
static spor_var pulled(const way *w, uint32_t x, spor_var xbar) {
    spor_var from = {w->site->tape, x}, d;
    if (x == w->site->of.id) return xbar;
    return spor_vjp(from, xbar, 1, &w->site->of, &d) ? d : (spor_var){w->site->tape, 0};
}

/* A change of the share through operand k of node id; the reading is open. */
static void change(const way *w, uint32_t id, int k, spor_var zbar, spor_var share) {
    hint_site *s = w->site;
    uint32_t x = s->tape->node[id].in[k];
    spor_var right = s->tape->node[id].op->vjp((spor_var){s->tape, id}, k, zbar);
    if (!right.id || !share.id) return;
    spor_var rest = spor_sub(s->expected, pulled(w, x, right));
    hint_close(s, s->formula, spor_add(rest, pulled(w, x, share)));
}

/* ---- slopes ---- */

static bool is_function(const spor_tape *tape, uint32_t id) {
    const spor_node *node = &tape->node[id];
    return node->op->operands == 1 && node->op->vjp && node->op->shape &&
           !(node->op->traits & (SPOR_LINEAR | SPOR_ALIAS)) &&
           shape_equal(node->shape, tape->node[node->in[0]].shape);
}

static bool is_elementwise(const spor_op *op) {
    return op->operands == 1 && !op->attrs && op->vjp && op->shape == rule_elementwise &&
           !(op->traits & (SPOR_LINEAR | SPOR_ALIAS));
}

/* The derivative with one factor of a product in it left out. */
static void slope_without_factor(const way *w, uint32_t id, spor_var zbar, const char *name,
                                 const char *line) {
    hint_site *s = w->site;
    uint32_t first = s->tape->count;
    spor_var slope = s->tape->node[id].op->vjp((spor_var){s->tape, id}, 0, zbar);
    for (uint32_t part = first; part <= slope.id; part++)
        for (int k = 0; k < 2; k++) {
            const spor_node *node = &s->tape->node[part];
            bool product =
                (node->op->traits & SPOR_BILINEAR) && node->op->shape == rule_elementwise;
            spor_var kept = {s->tape, node->in[k]};
            if (!product || node->in[1 - k] == zbar.id) continue;
            if (hint_open(s, "a factor of the derivative of %s%s is left out", name, line))
                change(w, id, 0, zbar, rewrite_replaced(s, slope, part, kept));
        }
}

/* True if the share is zbar times the value: that is no slope to tell a function by. */
static bool is_value(const spor_tape *tape, spor_var share, spor_var zbar, spor_var z) {
    const spor_node *node = &tape->node[share.id];
    return node->op->operands == 2 && node->in[0] == zbar.id && node->in[1] == z.id;
}

/* The slope of another function, at the argument or of the value. */
static void slope_of_another(const way *w, uint32_t id, spor_var zbar, const spor_op *other) {
    hint_site *s = w->site;
    const spor_op *own = s->tape->node[id].op;
    char name[SPOR_NAME], right[SPOR_NAME];
    spor_var z;
    op_name(other, name, sizeof name);
    op_name(own, right, sizeof right);
    if (hint_open(s, "the derivative of %s in place of that of %s", name, right) &&
        rewrite_record(s->tape, other, s->tape->node[id].in, NULL, &z))
        change(w, id, 0, zbar, other->vjp(z, 0, zbar));
    z = (spor_var){s->tape, id};
    if (!(other->traits & SPOR_VALUE_SLOPE) ||
        !hint_open(s, "the derivative of %s in place of that of %s", name, right))
        return;
    spor_var share = other->vjp(z, 0, zbar);
    if (share.id && !is_value(s->tape, share, zbar, z)) change(w, id, 0, zbar, share);
}

static void slopes_of(const way *w, uint32_t id) {
    hint_site *s = w->site;
    const spor_op *op = s->tape->node[id].op;
    char name[SPOR_NAME], line[32];
    spor_var x = {s->tape, s->tape->node[id].in[0]}, zbar = cotangent_of(w, id), again;
    op_name(op, name, sizeof name);
    hint_line(&s->tape->node[id], line);
    if (hint_open(s, "the derivative of %s%s is left out", name, line))
        change(w, id, 0, zbar, zbar);
    if (hint_open(s, "the derivative of %s%s is taken at its result, not at its argument", name,
                  line) &&
        rewrite_record(s->tape, op, &id, s->tape->node[id].attr, &again))
        change(w, id, 0, zbar, op->vjp(again, 0, zbar));
    if (!is_elementwise(op)) return;
    if ((op->traits & SPOR_VALUE_SLOPE) &&
        hint_open(s, "the derivative of %s%s, a function of its result, is given its argument",
                  name, line))
        change(w, id, 0, zbar, op->vjp(x, 0, zbar));
    slope_without_factor(w, id, zbar, name, line);
    for (int k = 0; spor_ops[k]; k++)
        if (spor_ops[k] != op && is_elementwise(spor_ops[k]))
            slope_of_another(w, id, zbar, spor_ops[k]);
}

static void each_node(hint_site *s, void (*visit)(const way *w, uint32_t id)) {
    if (!s->of.id || s->of.id > s->in->y.id) return;
    way w = {.site = s, .y = s->in->y, .dy = instance_cotangent(s->in)};
    s->failed = s->failed || !find_way(&w);
    if (!w.between) return;
    for (uint32_t id = w.y.id; id > s->of.id; id--)
        if (w.between[id]) visit(&w, id);
    free_way(&w);
}

static void visit_slopes(const way *w, uint32_t id) {
    if (is_function(w->site->tape, id)) slopes_of(w, id);
}

void backward_slopes(hint_site *s) {
    each_node(s, visit_slopes);
}

/* ---- factors and shares ---- */

/* The name of what stands behind unary ops: gamma behind its expansion. NULL: it has none. */
static const char *name_behind(const spor_tape *tape, uint32_t id) {
    while (!tape->node[id].name && tape->node[id].op->operands == 1 &&
           (tape->node[id].op->traits & SPOR_LINEAR))
        id = tape->node[id].in[0];
    return tape->node[id].name;
}

/* One of two factors, or the divisor, is not there. */
static void without_factor(const way *w, uint32_t id, int k) {
    hint_site *s = w->site;
    const spor_node *node = &s->tape->node[id];
    const spor_op *op = node->op;
    bool product = op->traits & SPOR_BILINEAR, ratio = (op->traits & SPOR_LINEAR_FIRST) && k == 0;
    char line[32];
    if (op->shape != rule_elementwise || op->operands != 2 || !(product || ratio)) return;
    const char *name = name_behind(s->tape, node->in[1 - k]);
    hint_line(node, line);
    if (name ? hint_open(s, "the %s %s%s is left out", product ? "factor" : "divisor", name, line)
             : hint_open(s, "a %s%s is left out", product ? "factor" : "divisor", line)) {
        spor_var zbar = cotangent_of(w, id);
        change(w, id, k, zbar, zbar);
    }
}

static void without_share(const way *w, uint32_t id, int k) {
    hint_site *s = w->site;
    const spor_op *op = s->tape->node[id].op;
    char name[SPOR_NAME], line[32];
    uint32_t x = s->tape->node[id].in[k];
    op_name(op, name, sizeof name);
    hint_line(&s->tape->node[id], line);
    bool lost = hint_open(s, "a term is left out: what comes back through %s%s", name, line);
    spor_var share = lost ? op->vjp((spor_var){s->tape, id}, k, cotangent_of(w, id)) : s->of;
    if (lost && share.id) hint_close(s, s->formula, spor_sub(s->expected, pulled(w, x, share)));
    bool turned =
        hint_open(s, "a term has the wrong sign: what comes back through %s%s", name, line);
    share = turned ? op->vjp((spor_var){s->tape, id}, k, cotangent_of(w, id)) : s->of;
    if (!turned || !share.id) return;
    spor_var rest = spor_sub(s->expected, pulled(w, x, share));
    hint_close(s, s->formula, spor_sub(rest, pulled(w, x, share)));
}

static void visit_factors(const way *w, uint32_t id) {
    const spor_tape *tape = w->site->tape;
    for (int k = 0; k < tape->node[id].op->operands; k++) {
        uint32_t x = tape->node[id].in[k];
        if (w->between[x] || x == w->site->of.id) without_factor(w, id, k);
    }
}

static void visit_shares(const way *w, uint32_t id) {
    const spor_tape *tape = w->site->tape;
    for (int k = 0; k < tape->node[id].op->operands; k++) {
        uint32_t x = tape->node[id].in[k];
        if (w->between[x] || x == w->site->of.id) without_share(w, id, k);
    }
}

void backward_shares(hint_site *s) {
    each_node(s, visit_factors);
    each_node(s, visit_shares);
}
