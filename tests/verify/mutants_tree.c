/* Mutants of a derive: one change each, wherever it applies, made in the tree that was read. */
#include "mutants.h"

#include <stdlib.h>
#include <string.h>

#include "script/lexer.h"

/* ---- making nodes ---- */

static const char *interned(mutants *m, const char *text) {
    return ground_intern(&m->ground, &m->of->script->names, text, strlen(text));
}

static spor_syntax *fresh(mutants *m, spor_syntax_kind kind, const spor_syntax *at, int n) {
    spor_syntax *node = ground_take(&m->ground, 1, sizeof *node);
    *node = (spor_syntax){.kind = kind, .place = at->place, .depth = at->depth + 2, .n = n};
    if (n) node->child = ground_take(&m->ground, (size_t)n, sizeof *node->child);
    if (n) node->keyword = ground_take(&m->ground, (size_t)n, sizeof *node->keyword);
    return node;
}

static spor_syntax *number(mutants *m, double value, const spor_syntax *at) {
    bool whole = value == (double)(int64_t)value;
    spor_syntax *node = fresh(m, whole ? NODE_INT : NODE_REAL, at, 0);
    node->i = (int64_t)value;
    node->r = value;
    return node;
}

static spor_syntax *name(mutants *m, const char *text, const spor_syntax *at) {
    spor_syntax *node = fresh(m, NODE_NAME, at, 0);
    node->text = interned(m, text);
    return node;
}

static spor_syntax *negative(mutants *m, spor_syntax *x) {
    spor_syntax *node = fresh(m, NODE_NEGATE, x, 1);
    node->child[0] = x;
    return node;
}

static spor_syntax *binary(mutants *m, spor_syntax *a, int sign, spor_syntax *b) {
    spor_syntax *node = fresh(m, NODE_BINARY, a, 2);
    node->sign = sign;
    node->child[0] = a;
    node->child[1] = b;
    return node;
}

/* f(a), or f(a, b) */
static spor_syntax *called(mutants *m, const char *f, spor_syntax *a, spor_syntax *b) {
    spor_syntax *node = fresh(m, NODE_CALL, a, b ? 3 : 2);
    node->child[0] = name(m, f, a);
    node->child[1] = a;
    if (b) node->child[2] = b;
    return node;
}

/* ---- asking of nodes ---- */

static bool is_binary(const spor_syntax *node, int sign) {
    return node->kind == NODE_BINARY && node->sign == sign;
}

static bool is_one_of(const char *text, const char *const words[]) {
    for (; *words; words++)
        if (strcmp(text, *words) == 0) return true;
    return false;
}

static bool is_call(const spor_syntax *node, const char *const words[]) {
    return node->kind == NODE_CALL && node->child[0]->kind == NODE_NAME &&
           is_one_of(node->child[0]->text, words);
}

static bool is_tensor(const mutants *m, const spor_syntax *node) {
    if (node->kind != NODE_NAME) return false;
    for (int k = 0; k < m->names; k++)
        if (strcmp(m->name[k], node->text) == 0) return true;
    return false;
}

static const char *result_of(const mutants *m) {
    return m->of->source->result[0].y.name;
}

/* ---- kinds: each adds what it makes of the node in the slot ---- */

/** A place in a formula; parent is NULL at its root. */
typedef struct {
    mutants *m;
    int kind;
    spor_syntax **slot, *node;
    const spor_syntax *parent;
} site;

static void add(const site *s, spor_syntax *after) {
    mutants *m = s->m;
    if (m->n < MUTANT_MOST) m->made[m->n++] = (mutation){s->kind, s->slot, s->node, after};
}

static void drop_term(const site *s) {
    bool plus = is_binary(s->node, '+');
    if (!plus && !is_binary(s->node, '-')) return;
    add(s, s->node->child[0]);
    add(s, plus ? s->node->child[1] : negative(s->m, s->node->child[1]));
}

static void flip_sign(const site *s) {
    bool plus = is_binary(s->node, '+');
    if (plus || is_binary(s->node, '-'))
        add(s, binary(s->m, s->node->child[0], plus ? '-' : '+', s->node->child[1]));
    if (s->node->kind == NODE_NEGATE) add(s, s->node->child[0]);
    if (!s->parent && s->node->kind != NODE_NEGATE) add(s, negative(s->m, s->node));
}

static void drop_factor(const site *s) {
    bool times = is_binary(s->node, '*') || is_binary(s->node, '@');
    if (times || is_binary(s->node, '/')) add(s, s->node->child[0]);
    if (times) add(s, s->node->child[1]);
}

static void add_factor(const site *s) {
    const spor_asserted *a = s->m->of;
    if (s->parent) return;
    const char *factors[] = {a->tensor[0]->name, result_of(s->m)};
    for (int k = 0; k < a->source->results; k++)
        if (a->source->result[k].dy.name)
            add(s, binary(s->m, s->node, '*', name(s->m, a->source->result[k].dy.name, s->node)));
    for (int k = 0; k < 2; k++) add(s, binary(s->m, s->node, '*', name(s->m, factors[k], s->node)));
    add(s, binary(s->m, s->node, '*', number(s->m, 2, s->node)));
    if (a->sizes)
        add(s, binary(s->m, s->node, '/', name(s->m, a->statement.quantity[0].name, s->node)));
}

/* Numbers in formulas, not among the operands of an op where they are axes and sizes. */
static void change_constant(const site *s) {
    static const char *const numeric[] = {"maximum", "minimum", "less", "where", NULL};
    const spor_syntax *node = s->node;
    if (node->kind != NODE_INT && node->kind != NODE_REAL) return;
    if (s->parent && s->parent->kind == NODE_CALL && !is_call(s->parent, numeric)) return;
    double value = node->kind == NODE_INT ? (double)node->i : node->r;
    add(s, number(s->m, value != 0 ? value * 1.5 : 1, node));
}

static void other_axis_name(const site *s, spor_syntax **slot) {
    site at = {s->m, s->kind, slot, *slot, s->node};
    for (int k = 0; k < s->m->of->sizes; k++) {
        const char *axis = s->m->of->statement.quantity[k].name;
        if (strcmp(axis, (*slot)->text) == 0) continue;
        spor_syntax *after = fresh(s->m, NODE_STRING, *slot, 0);
        after->text = axis;
        add(&at, after);
    }
}

/* axis=0 for 1, one of several left out, another name */
static void change_axis(const site *s) {
    for (int k = 1; s->node->kind == NODE_CALL && k < s->node->n; k++) {
        spor_syntax **slot = &s->node->child[k], *axis = *slot;
        const char *keyword = s->node->keyword[k];
        if (!keyword || strcmp(keyword, "axis") != 0) continue;
        site at = {s->m, s->kind, slot, axis, s->node};
        if (axis->kind == NODE_INT) add(&at, number(s->m, axis->i == 0, axis));
        if (axis->kind == NODE_NEGATE) add(&at, number(s->m, 0, axis));
        if (axis->kind == NODE_STRING) other_axis_name(s, slot);
        if (axis->kind != NODE_LIST || axis->n < 2) continue;
        spor_syntax *fewer = fresh(s->m, NODE_LIST, axis, axis->n - 1);
        memcpy(fewer->child, axis->child, (size_t)fewer->n * sizeof *fewer->child);
        add(&at, fewer);
    }
}

static void mean_for_sum(const site *s) {
    static const char *const both[] = {"mean", "sum", NULL};
    if (!is_call(s->node, both)) return;
    spor_syntax **slot = &s->node->child[0];
    site at = {s->m, s->kind, slot, *slot, s->node};
    add(&at, name(s->m, strcmp((*slot)->text, "sum") == 0 ? "mean" : "sum", *slot));
}

static void drop_transpose(const site *s) {
    static const char *const transposes[] = {"transpose", NULL};
    if (is_call(s->node, transposes)) add(s, s->node->child[1]);
}

static void other_name(const site *s) {
    if (!is_tensor(s->m, s->node)) return;
    for (int k = 0; k < s->m->names; k++)
        if (strcmp(s->m->name[k], s->node->text) != 0) add(s, name(s->m, s->m->name[k], s->node));
}

/* f'(y) for f'(z): the result for an operand, an operand for the result, f(Y) for f(z) */
static void value_for_argument(const site *s) {
    static const char *const functions[] = {"tanh",    "sigmoid", "exp",  "step", "softplus",
                                            "softmax", "relu",    "sqrt", "erf",  "expm1",
                                            "log1p",   "sin",     "cos",  NULL};
    static const char *const slopes[] = {"derivative", NULL};
    const char *y = result_of(s->m), *x = s->m->of->tensor[0]->name;
    if (is_tensor(s->m, s->node) && strcmp(s->node->text, y) == 0)
        add(s, name(s->m, x, s->node));
    else if (is_tensor(s->m, s->node) && strcmp(s->node->text, x) == 0)
        add(s, name(s->m, y, s->node));
    int operand = is_call(s->node, functions) ? 1 : is_call(s->node, slopes) ? 2 : 0;
    if (!operand || operand >= s->node->n) return;
    spor_syntax **slot = &s->node->child[operand];
    site at = {s->m, s->kind, slot, *slot, s->node};
    add(&at, name(s->m, y, *slot));
}

static spor_syntax *clipped(const site *s, double limit) {
    spor_syntax *above =
        called(s->m, "maximum", s->node, negative(s->m, number(s->m, limit, s->node)));
    return called(s->m, "minimum", above, number(s->m, limit, s->node));
}

/* The right value on a part of the numbers only. */
static void bend(const site *s) {
    if (!is_tensor(s->m, s->node)) return;
    add(s, called(s->m, "relu", s->node, NULL));
    add(s, called(s->m, "abs", s->node, NULL));
    add(s, clipped(s, 1));
    add(s, clipped(s, 4));
}

static void drop_mask(const site *s) {
    static const char *const masks[] = {"step", "less", NULL}, *const choices[] = {"where", NULL};
    bool compares = s->node->kind == NODE_BINARY && (s->node->sign == '<' || s->node->sign == '>');
    if (compares || is_call(s->node, masks)) add(s, number(s->m, 1, s->node));
    if (!is_call(s->node, choices) || s->node->n != 4) return;
    add(s, s->node->child[2]);
    add(s, s->node->child[3]);
}

/** Words of a hint that name the mutation: any of them, small letters. */
static const struct {
    const char *name;
    void (*add)(const site *s);
    const char *words[12];
} kinds[MUTANT_KINDS] = {
    {"drop a term", drop_term, {"term", "missing", "lacks", "left out", "forgot", "subtracted"}},
    {"flip a sign", flip_sign, {"sign", "minus", "negat", "opposite"}},
    {"drop a factor",
     drop_factor,
     {"factor", "times", "multipl", "divi", "lacks", "left out", "forgot"}},
    {"add a factor", add_factor, {"factor", "times", "multipl", "divi", "twice", "too "}},
    {"change a constant", change_constant, {"factor", "times", "constant", "scale", "multipl"}},
    {"another axis", change_axis, {"axis", "axes", "summed", "mean", "along"}},
    {"mean for sum", mean_for_sum, {"factor", "times", "mean", "divi", "multipl", "summed"}},
    {"drop a transpose", drop_transpose, {"transpos", "swap", "axes"}},
    {"another name", other_name, {"instead", "place of", "name", "swap", "uses", "other"}},
    {"value for argument",
     value_for_argument,
     {"argument", "slope", "f'", "instead", "place of", "value"}},
    {"bend a name",
     bend,
     {"negative", "positive", "only where", "without relu", "without abs", "without minimum",
      "clip", "large"}},
    {"drop a mask", drop_mask, {"mask", "step", "only where", "kink", "negative", "positive"}},
};

const char *mutant_kind(int kind) {
    return kinds[kind].name;
}

bool mutant_is_named(int kind, const char *words) {
    for (int k = 0; kinds[kind].words[k]; k++)
        if (strstr(words, kinds[kind].words[k])) return true;
    return false;
}

/* ---- walking ---- */

/* True for what may be a tensor; sizes, axes and pads in brackets are none. */
static bool holds_tensor(const spor_syntax *call, int k) {
    static const char *const leaves[] = {"ones", "zeros", "full", "range", "len", NULL};
    static const char *const joins[] = {"concat", NULL};
    if (call->keyword[k] || is_call(call, leaves)) return false;
    return call->child[k]->kind != NODE_LIST || is_call(call, joins);
}

static void visit(mutants *m, spor_syntax **slot, const spor_syntax *parent) {
    spor_syntax *node = *slot;
    for (int kind = 0; kind < MUTANT_KINDS; kind++)
        kinds[kind].add(&(site){m, kind, slot, node, parent});
    int first = node->kind == NODE_CALL, n = node->kind == NODE_INDEX ? 1 : node->n;
    for (int k = first; k < n; k++)
        if (node->kind != NODE_CALL || holds_tensor(node, k)) visit(m, &node->child[k], node);
}

static void know(mutants *m, const char *name) {
    for (int k = 0; k < m->names; k++)
        if (strcmp(m->name[k], name) == 0) return;
    if (m->names < MUTANT_NAMES) m->name[m->names++] = name;
}

static void walk(mutants *m, spor_syntax *node) {
    if (node->kind == NODE_ASSIGN || node->kind == NODE_AUGMENT) {
        if (!claims_is_none(node->child[1])) visit(m, &node->child[1], NULL);
        if (node->child[0]->kind == NODE_NAME) know(m, node->child[0]->text);
        return;
    }
    for (int k = 0; k < node->n; k++)
        if (node->child[k] && node->child[k]->kind >= NODE_BLOCK) walk(m, node->child[k]);
}

void mutants_make(spor_asserted *derive, mutants *m) {
    *m = (mutants){.ground.arena = &derive->script->arena, .of = derive};
    m->made = calloc(MUTANT_MOST, sizeof *m->made);
    if (!m->made) return;
    for (int k = 0; k < derive->tensors; k++) know(m, derive->tensor[k]->name);
    for (int k = 0; k < derive->source->results; k++) {
        const spor_result *result = &derive->source->result[k];
        know(m, result->y.name);
        if (result->dy.name) know(m, result->dy.name);
    }
    walk(m, derive->source->body);
}

void mutants_free(mutants *m) {
    free(m->made);
    *m = (mutants){0};
}

void mutants_thin(mutants *m, int most) {
    int total[MUTANT_KINDS] = {0}, seen[MUTANT_KINDS] = {0}, n = 0;
    for (int k = 0; k < m->n; k++) total[m->made[k].kind]++;
    for (int k = 0; k < m->n; k++) {
        int kind = m->made[k].kind, at = seen[kind]++, all = total[kind];
        bool first = at == 0 || (int64_t)at * most / all != (int64_t)(at - 1) * most / all;
        if (all <= most || first) m->made[n++] = m->made[k];
    }
    m->n = n;
}

/* ---- one mutation ---- */

void mutation_apply(const mutation *change) {
    *change->slot = change->after;
}

void mutation_undo(const mutation *change) {
    *change->slot = change->before;
}

static void write(spor_note *out, const spor_syntax *node);

static void write_all(spor_note *out, const spor_syntax *node, int first) {
    for (int k = first; k < node->n; k++) {
        if (k > first) note_add(out, ", ");
        if (node->keyword && node->keyword[k]) note_add(out, "%s=", node->keyword[k]);
        if (node->child[k]) write(out, node->child[k]);
    }
}

static void write_operand(spor_note *out, const spor_syntax *node) {
    bool brackets = node->kind == NODE_BINARY || node->kind == NODE_NEGATE;
    if (brackets) note_add(out, "(");
    write(out, node);
    if (brackets) note_add(out, ")");
}

static void write_joined(spor_note *out, const spor_syntax *node) {
    char sign[4];
    write_operand(out, node->child[0]);
    note_add(out, " %s ", lexer_sign_text(node->sign, sign));
    write_operand(out, node->child[1]);
}

static void write_bracketed(spor_note *out, const spor_syntax *node) {
    bool call = node->kind == NODE_CALL, list = node->kind == NODE_LIST;
    if (!list) write(out, node->child[0]);
    note_add(out, call ? "(" : "[");
    write_all(out, node, !list);
    note_add(out, call ? ")" : "]");
}

/* The node as a script, shortened where it is no formula. */
static void write(spor_note *out, const spor_syntax *node) {
    bool bracketed = node->kind == NODE_CALL || node->kind == NODE_INDEX || node->kind == NODE_LIST;
    if (bracketed)
        write_bracketed(out, node);
    else if (node->kind == NODE_BINARY)
        write_joined(out, node);
    else if (node->kind == NODE_NAME)
        note_add(out, "%s", node->text);
    else if (node->kind == NODE_STRING)
        note_add(out, "\"%s\"", node->text);
    else if (node->kind == NODE_BOOL)
        note_add(out, node->i ? "True" : "False");
    else if (node->kind == NODE_INT)
        note_add(out, "%lld", (long long)node->i);
    else if (node->kind == NODE_REAL)
        note_add(out, "%.9g", node->r);
    else if (node->kind == NODE_NEGATE) {
        note_add(out, "-");
        write_operand(out, node->child[0]);
    } else
        note_add(out, node->kind == NODE_SLICE ? ":" : "...");
}

void mutation_print(const mutation *change, char *text, size_t size) {
    spor_spot place = change->before->place;
    const char *slash = strrchr(place.source->file, '/');
    spor_note note = {text, size, 0};
    note_add(&note, "%s:%d: ", slash ? slash + 1 : place.source->file, place.line);
    write(&note, change->before);
    note_add(&note, " -> ");
    write(&note, change->after);
}
