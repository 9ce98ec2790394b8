/*
 * Repairs: readings the other way round. One edit of the wrong formula, at one of its nodes, makes
 * it what it should be: an op is left out, an operand is another one or has the other sign, a
 * factor, a term or a number is another. What is above the node is recorded again; the repaired
 * formula must then have the expected numbers wherever it is tried. Smaller edits come first, of
 * the same kind the first in the order of the text.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/hint.h"

enum {
    REPAIR_CONE = 200,  /* nodes of a formula; what is longer is not repaired */
    REPAIR_OTHERS = 16, /* variables that may be put in */
    REPAIR_WHAT = 64
};

/* What may stand in a line: an input, Y, dY, or what another line gives. */
typedef struct {
    spor_var var;
    char name[REPAIR_WHAT];
} other;

typedef struct {
    hint_site *site;
    uint32_t first; /* nodes from here on are the formulas' */
    bool *cone;     /* by id: the formula depends on it */
    bool *divides;  /* it is a divisor, or a factor of one */
    int others;
    other other[REPAIR_OTHERS];
} repair;

typedef void repair_kind(const repair *r, uint32_t id);

/* ---- asking of nodes ---- */

static const spor_node *node_of(const repair *r, uint32_t id) {
    return &r->site->tape->node[id];
}

static bool has_shape_of(const repair *r, uint32_t a, uint32_t b) {
    return shape_equal(node_of(r, a)->shape, node_of(r, b)->shape);
}

/* A number in the script, and all that is made of such alone. */
static bool is_number(const repair *r, uint32_t id) {
    while (node_of(r, id)->op->operands == 1) id = node_of(r, id)->in[0];
    return node_of(r, id)->op->number != NULL;
}

static bool is_of_two(const spor_op *op, unsigned traits) {
    return op->operands == 2 && op->shape == rule_elementwise && (op->traits & traits);
}

static bool is_line_result(const repair *r, uint32_t id) {
    const spor_place *at = &node_of(r, id)->place;
    if (id < r->first || id >= r->site->in->claimed || !at->line) return false;
    for (uint32_t later = id + 1; later < r->site->in->claimed; later++)
        if (node_of(r, later)->place.line == at->line) return false;
    return true;
}

/* Y of dY; NULL if the node is no result. */
static const char *name_of_result(const spor_instance *in, uint32_t id) {
    for (int k = 0; k < instance_cotangents(in); k++) {
        const char *dy = tape_node_of(in->input[in->dy + k])->name;
        uint32_t result = in->results > 1 ? in->result[k].id : in->y.id;
        if (id == result && dy && dy[0] == 'd' && dy[1]) return dy + 1;
    }
    return NULL;
}

/* What a person calls it; false if it has no name. */
static bool name_of(const repair *r, uint32_t id, char text[REPAIR_WHAT]) {
    const spor_instance *in = r->site->in;
    const char *name = node_of(r, id)->name, *result = name_of_result(in, id);
    if (name)
        snprintf(text, REPAIR_WHAT, "%s", name);
    else if (result)
        snprintf(text, REPAIR_WHAT, "%s", result);
    else if (is_line_result(r, id))
        snprintf(text, REPAIR_WHAT, "the result of line %d", node_of(r, id)->place.line);
    else
        return false;
    return true;
}

/* The same numbers in another shape, or again and again. */
static bool is_same(const spor_op *op) {
    return op->traits & SPOR_ALIAS || (op->tile && op->tile->role == SPOR_REPEATS);
}

static uint32_t without_shape(const repair *r, uint32_t id) {
    while (is_same(node_of(r, id)->op)) id = node_of(r, id)->in[0];
    return id;
}

static bool stands_at(const spor_node *a, const spor_node *b) {
    return a->place.line == b->place.line && a->place.column == b->place.column &&
           a->place.file == b->place.file;
}

/* False of what a mean, a power or a call consists of: its operands stand nowhere in the text. */
static bool is_written(const repair *r, uint32_t id) {
    const spor_node *node = node_of(r, id);
    char name[REPAIR_WHAT];
    bool square = node->op->operands == 2 && node->in[0] == node->in[1];
    if (square && !name_of(r, node->in[0], name)) return false;
    for (uint32_t k = r->first; k <= r->site->formula.id; k++) {
        const spor_op *op = node_of(r, k)->op;
        bool part = r->cone[k] && k != id && op->operands && !is_same(op);
        if (part && stands_at(node_of(r, k), node)) return false;
    }
    return true;
}

/* Factors, or terms, of one line. */
static bool is_alike(const repair *r, uint32_t a, uint32_t b) {
    const spor_node *x = node_of(r, a), *y = node_of(r, b);
    unsigned kind = x->op->traits & (SPOR_LINEAR | SPOR_BILINEAR);
    return b >= r->first && y->op->operands == 2 && (y->op->traits & kind) &&
           x->place.line == y->place.line && is_written(r, b);
}

/* Operand 0 without what repeats it to the shape of the other. */
static uint32_t left_of(const repair *r, uint32_t id) {
    uint32_t in = node_of(r, id)->in[0];
    while (is_same(node_of(r, in)->op) && stands_at(node_of(r, in), node_of(r, id)))
        in = node_of(r, in)->in[0];
    return in;
}

/* How many factors or terms stand in a chain that ends in operand 0. */
static int count_before(const repair *r, uint32_t id) {
    int count = 1;
    for (; is_alike(r, id, left_of(r, id)); count++) id = left_of(r, id);
    return count;
}

/* True if another product, or sum, of the line stands around the chain or behind it: a place in the chain
 * is none in the line. */
static bool is_inner(const repair *r, uint32_t id) {
    for (uint32_t k = id + 1; k <= r->site->formula.id; k++) {
        if (!r->cone[k] || !is_alike(r, id, k)) continue;
        if (left_of(r, k) != id) return true;
        id = k;
    }
    return false;
}

/* "the factor x", of a chain "the third factor", "the first 2 factors"; "a factor"; "the divisor". */
static const char *call(const repair *r, uint32_t id, int k, const char *what,
                        char text[REPAIR_WHAT]) {
    static const char *const nth[] = {"first", "second", "third", "fourth", "fifth"};
    enum { NTHS = sizeof nth / sizeof *nth };
    uint32_t in = without_shape(r, node_of(r, id)->in[k]);
    char name[REPAIR_WHAT];
    int before = count_before(r, id), at = k ? before : 0;
    bool ratio = node_of(r, id)->op->traits & SPOR_LINEAR_FIRST;
    bool named = name_of(r, in, name), result = named && !node_of(r, in)->name && in >= r->first;
    if (result)
        snprintf(text, REPAIR_WHAT, "%.40s as a %s", name, what);
    else if (named)
        snprintf(text, REPAIR_WHAT, "the %s %.40s", what, name);
    else if (ratio)
        snprintf(text, REPAIR_WHAT, "the %s", what);
    else if (is_inner(r, id))
        snprintf(text, REPAIR_WHAT, "a %s", what);
    else if (!k && before > 1)
        snprintf(text, REPAIR_WHAT, "the first %d %ss", before, what);
    else
        snprintf(text, REPAIR_WHAT, "the %s %s", at < NTHS ? nth[at] : "last", what);
    return text;
}

/* ---- edits ---- */

static void put(const repair *r, uint32_t id, spor_var by) {
    hint_site *s = r->site;
    if (by.id) hint_close(s, rewrite_replaced(s, s->formula, id, by), s->expected);
}

/* The node with another operand k. */
static void put_operand(const repair *r, uint32_t id, int k, spor_var by) {
    hint_site *s = r->site;
    const spor_node *node = node_of(r, id);
    uint32_t in[SPOR_OPERANDS];
    spor_var made;
    memcpy(in, node->in, sizeof in);
    in[k] = by.id;
    if (by.id && rewrite_record(s->tape, node->op, in, node->attr, &made)) put(r, id, made);
}

static spor_var var_of(const repair *r, uint32_t id) {
    return (spor_var){r->site->tape, id};
}

static int line_of(const repair *r, uint32_t id) {
    return node_of(r, id)->place.line;
}

/* relu, abs, a maximum with a number: without it. */
static void without_op(const repair *r, uint32_t id) {
    const spor_node *node = node_of(r, id);
    const spor_op *op = node->op;
    char name[SPOR_NAME];
    op_name(op, name, sizeof name);
    bool function = op->operands == 1 && !(op->traits & SPOR_LINEAR);
    int k = op->operands == 2 && is_number(r, node->in[0]);
    bool limit = is_of_two(op, SPOR_KINKED) && is_number(r, node->in[1 - k]);
    uint32_t in = node->in[k];
    if (!(function || limit) || !has_shape_of(r, id, in)) return;
    if (hint_open(r->site, "right without %s in line %d", name, line_of(r, id)))
        put(r, id, var_of(r, in));
}

/* A value that is kept between two numbers. */
static void without_limits(const repair *r, uint32_t id) {
    const spor_node *node = node_of(r, id);
    char upper[SPOR_NAME], lower[SPOR_NAME];
    if (!is_of_two(node->op, SPOR_KINKED) || !is_number(r, node->in[1])) return;
    const spor_node *inner = node_of(r, node->in[0]);
    if (!is_of_two(inner->op, SPOR_KINKED) || !is_number(r, inner->in[1])) return;
    uint32_t in = inner->in[0];
    op_name(node->op, upper, sizeof upper);
    op_name(inner->op, lower, sizeof lower);
    if (hint_open(r->site, "right without %s and %s in line %d", upper, lower, line_of(r, id)))
        put(r, id, var_of(r, in));
}

static void other_sign(const repair *r, uint32_t id) {
    const spor_op *op = node_of(r, id)->op;
    char what[REPAIR_WHAT], name[SPOR_NAME];
    bool sum = is_of_two(op, SPOR_LINEAR), function = op->operands == 1 && op->vjp;
    function = function && !(op->traits & SPOR_LINEAR);
    op_name(op, name, sizeof name);
    if (sum && !is_written(r, id)) return;
    for (int k = 0; k < op->operands && (sum || function); k++) {
        uint32_t in = node_of(r, id)->in[k];
        if (sum ? hint_open(r->site, "right with the other sign of %s in line %d",
                            call(r, id, k, "term", what), line_of(r, id))
                : hint_open(r->site, "right with the other sign of what %s is taken of in line %d",
                            name, line_of(r, id)))
            put_operand(r, id, k, spor_neg(var_of(r, in)));
    }
}

/* One operand for another of its shape. */
static void other_operand(const repair *r, uint32_t id) {
    int operands = node_of(r, id)->op->operands;
    for (int k = 0; k < operands; k++)
        for (int j = 0; j < r->others; j++) {
            const other *o = &r->other[j];
            uint32_t in = node_of(r, id)->in[k];
            char name[REPAIR_WHAT];
            if (o->var.id == in || o->var.id >= id || !has_shape_of(r, o->var.id, in)) continue;
            if (!name_of(r, in, name)) continue;
            if (hint_open(r->site, "right with %s in place of %s in line %d", o->name, name,
                          line_of(r, id)))
                put_operand(r, id, k, o->var);
        }
}

/* A mean that is to be a sum: its number goes. Or a power, one of its factors. */
static void without_hidden(const repair *r, uint32_t id) {
    const spor_node *node = node_of(r, id);
    uint32_t rest = without_shape(r, node->in[0]);
    const spor_op *inner = node_of(r, rest)->op;
    bool mean = is_number(r, node->in[1]) && inner->tile && inner->tile->role == SPOR_SUMS &&
                stands_at(node_of(r, rest), node);
    bool power =
        node->in[0] == node->in[1] || (inner == node->op && stands_at(node_of(r, rest), node));
    if (!mean && !power) return;
    if (mean ? hint_open(r->site, "right with a sum in place of a mean in line %d", line_of(r, id))
             : hint_open(r->site, "right with a lower power in line %d", line_of(r, id)))
        put(r, id, var_of(r, node->in[mean ? 0 : 1]));
}

static void without_part(const repair *r, uint32_t id) {
    const spor_op *op = node_of(r, id)->op;
    char what[REPAIR_WHAT];
    bool sum = is_of_two(op, SPOR_LINEAR),
         product = op->operands == 2 && (op->traits & SPOR_BILINEAR),
         ratio = is_of_two(op, SPOR_LINEAR_FIRST);
    const char *part = sum ? "term" : product ? "factor" : "divisor";
    if ((sum || product || ratio) && !is_written(r, id)) {
        if (!sum) without_hidden(r, id);
        return;
    }
    for (int k = 0; k < 2 && (sum || product || ratio); k++) {
        uint32_t own = node_of(r, id)->in[k], rest = node_of(r, id)->in[1 - k];
        if (ratio && k == 0) continue;
        if (!hint_open(r->site, "right without %s in line %d", call(r, id, k, part, what),
                       line_of(r, id)))
            continue;
        if (sum)
            put_operand(r, id, k, op_fill_ratio(r->site->tape, 0, 1, *node_of(r, own)->shape));
        else
            put(r, id, var_of(r, rest));
    }
}

/* ---- numbers ---- */

static const struct {
    int64_t num, den;
    const char *text;
} simple[] = {{1, 1, "1"},   {2, 1, "2"},   {0, 1, "0"},   {3, 1, "3"}, {1, 2, "0.5"},
              {-1, 1, "-1"}, {-2, 1, "-2"}, {1, 3, "1/3"}, {4, 1, "4"}, {1, 4, "0.25"}};

/* A number in the script is a simple one, or a size. */
static void other_number(const repair *r, uint32_t id) {
    hint_site *s = r->site;
    const spor_node *node = node_of(r, id);
    int line = node->place.line;
    if (!node->op->number || node->shape->rank) return;
    for (size_t k = 0; k < sizeof simple / sizeof *simple; k++)
        if (hint_open(s, "right with the constant %s in place of a number in line %d",
                      simple[k].text, line))
            put(r, id, spor_ratio(s->tape, simple[k].num, simple[k].den));
}

/* Something in a line is to be multiplied by a size, or divided. */
static void size_factor(const repair *r, uint32_t id) {
    hint_site *s = r->site;
    spor_shape shape = *node_of(r, id)->shape;
    int line = line_of(r, id);
    if (r->divides[id] || is_number(r, id)) return;
    for (int q = 0; q < s->statement->quantities; q++) {
        const spor_quantity *of = &s->statement->quantity[q];
        int64_t n = of->choices ? 0 : s->value[q];
        if (!n) continue;
        if (hint_open(s, "right with the factor 1/%s in line %d", of->name, line))
            put(r, id, spor_mul(var_of(r, id), op_fill_ratio(s->tape, 1, n, shape)));
        if (hint_open(s, "right with the factor %s in line %d", of->name, line))
            put(r, id, spor_mul(var_of(r, id), op_fill_ratio(s->tape, n, 1, shape)));
    }
}

/* ---- what is missing ---- */

/* A variable as a factor, a divisor or a term more. */
static void with_part(const repair *r, uint32_t id) {
    for (int j = 0; j < r->others; j++) {
        const other *o = &r->other[j];
        spor_var x = var_of(r, id), v = o->var;
        int line = line_of(r, id);
        if (v.id >= id || !has_shape_of(r, v.id, id)) continue;
        bool scales = !r->divides[id] && !is_number(r, id);
        if (scales &&
            hint_open(r->site, "right with %s as a further factor in line %d", o->name, line))
            put(r, id, spor_mul(x, v));
        if (scales && hint_open(r->site, "right with %s as a divisor in line %d", o->name, line))
            put(r, id, spor_div(x, v));
        if (hint_open(r->site, "right with %s as a further term in line %d", o->name, line))
            put(r, id, spor_add(x, v));
        if (hint_open(r->site, "right with %s subtracted in line %d", o->name, line))
            put(r, id, spor_sub(x, v));
    }
}

/* ---- all ---- */

/* Smaller edits first. */
static repair_kind *const kinds[] = {without_limits, without_op,   other_sign,  other_operand,
                                     without_part,   other_number, size_factor, with_part};

static void add_other(repair *r, uint32_t id) {
    other *o = &r->other[r->others];
    if (r->others == REPAIR_OTHERS || !name_of(r, id, o->name)) return;
    o->var = var_of(r, id);
    r->others++;
}

static void find_others(repair *r) {
    const spor_instance *in = r->site->in;
    for (int k = 0; k < in->inputs; k++) add_other(r, in->input[k].id);
    for (int k = 0; k < instance_cotangents(in); k++)
        add_other(r, in->results > 1 ? in->result[k].id : in->y.id);
    for (uint32_t id = r->first; id < in->claimed; id++)
        if (is_line_result(r, id)) add_other(r, id);
}

/* The nodes of the formula; returns their number. */
static int find_cone(repair *r) {
    int count = 0;
    r->cone[r->site->formula.id] = true;
    for (uint32_t id = r->site->formula.id; id >= r->first; id--) {
        const spor_node *node = node_of(r, id);
        bool ratio = is_of_two(node->op, SPOR_LINEAR_FIRST);
        bool scales = ratio || is_same(node->op) || is_of_two(node->op, SPOR_BILINEAR);
        count += r->cone[id];
        for (int k = 0; r->cone[id] && k < node->op->operands; k++) {
            r->cone[node->in[k]] = true;
            r->divides[node->in[k]] |= (r->divides[id] && scales) || (ratio && k == 1);
        }
    }
    return count;
}

static void record_kinds(const repair *r) {
    uint32_t root = r->site->formula.id;
    for (size_t kind = 0; kind < sizeof kinds / sizeof *kinds; kind++)
        for (uint32_t id = r->first; id <= root; id++)
            if (r->cone[id] && line_of(r, id)) kinds[kind](r, id);
}

void repair_readings(hint_site *s) {
    const spor_instance *in = s->in;
    if (!in->y.id || !in->claimed || s->formula.id >= in->claimed) return;
    uint32_t dy = in->input[in->dy + instance_cotangents(in) - 1].id;
    repair r = {.site = s, .first = (dy > in->y.id ? dy : in->y.id) + 1};
    r.cone = calloc((size_t)in->claimed, sizeof *r.cone);
    r.divides = calloc((size_t)in->claimed, sizeof *r.divides);
    if (!r.cone || !r.divides) {
        s->failed = true;
    } else if (find_cone(&r) <= REPAIR_CONE) {
        find_others(&r);
        record_kinds(&r);
    }
    free(r.cone);
    free(r.divides);
}
