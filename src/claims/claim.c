/*
 * Claims: claim "Eq. 3" (A[H, W], K[k, l]) where k <= H: left == right.
 */
#include "claims/private.h"

#include <string.h>

/* ---- the tree -------------------------------------------------------------------------------- */

bool syntax_mentions(const spor_syntax *node, int n, const char *const names[]) {
    if (!node) return false;
    for (int k = 0; k < n && node->kind == NODE_NAME; k++)
        if (node->text == names[k]) return true;
    for (int k = 0; k < node->n; k++)
        if (syntax_mentions(node->child[k], n, names)) return true;
    return false;
}

/* left == right as a line of a claim */
static const spor_syntax *equality_of(const spor_syntax *line) {
    if (line->kind != NODE_EVALUATE) return NULL;
    const spor_syntax *e = line->child[0];
    return e->kind == NODE_BINARY && e->sign == SPOR_SIGN('=', '=', 0) ? e : NULL;
}

/* ---- what a checked line is called ----------------------------------------------------------- */

static const char *line_text(spor_spot place, int *length) {
    const char *line = place.source->text;
    for (int k = 1; k < place.line; k++) line = strchr(line, '\n') + 1;
    *length = (int)strcspn(line, "\n");
    return line;
}

/* "(48)" from "# (48)" at the end of the line; empty if there is none. */
static const char *cited(spor_spot place, int *length) {
    int n;
    const char *line = line_text(place, &n), *hash = NULL;
    for (int k = place.column; k < n; k++)
        if (line[k] == '#') hash = line + k;
    *length = 0;
    if (!hash) return "";
    const char *at = hash + 1 + strspn(hash + 1, " ");
    const char *end = memchr(at, ')', (size_t)(line + n - at));
    if (*at != '(' || !end || end - at > 40) return "";
    *length = (int)(end - at) + 1;
    return at;
}

/* The left side as it is written, up to ==, without the indices at its end, if that is short. */
static const char *left_text(spor_pass *run, const spor_syntax *equality) {
    enum { SHORT = 40 };
    int n, depth = 0;
    const char *line = line_text(equality->place, &n), *from = line + strspn(line, " ");
    int length = (int)(line + equality->place.column - 1 - from);
    while (length > 0 && from[length - 1] == ' ') length--;
    for (int k = length; k > 0 && equality->child[0]->kind == NODE_INDEX; k--) {
        depth += (from[k - 1] == ']') - (from[k - 1] == '[');
        if (depth) continue;
        length = k - 1;
        break;
    }
    bool whole = equality->child[0]->place.line == equality->place.line && length <= SHORT;
    return whole ? ground_take_text(&run->ground, from, (size_t)length) : "left side";
}

void checked_add(spor_pass *run, spor_asserted *a, const char *name, const spor_syntax *line) {
    int length, at = 0;
    const char *equation = cited(line->place, &length);
    const char *note =
        ground_take_format(&run->ground, "%.*s%s%s:%d", length, equation, length ? ", " : "",
                           line->place.source->file, line->place.line);
    while (at < a->checks && (a->source->target == NULL || a->check[at].name != name)) at++;
    if (at == SPOR_PAIRS) pass_fail(run, line->place, "more than %d lines are checked", SPOR_PAIRS);
    a->check[at] = (spor_checked){name, note};
    if (at == a->checks) a->checks++;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void refuse_nested(spor_pass *run, const spor_syntax *node) {
    if (node->kind == NODE_EVALUATE)
        pass_fail(run, node->place,
                  "an equality stands in the claim's own block, not in an if or a for");
    for (int k = 0; k < node->n; k++)
        if (node->child[k] && node->child[k]->kind >= NODE_BLOCK && node->kind != NODE_DEF)
            refuse_nested(run, node->child[k]);
}

/* The lines of a claim: left == right and conditions are what it claims. */
static void read_lines(spor_pass *run, spor_asserted *a) {
    const spor_syntax *body = a->source->body;
    for (int k = 0; k < body->n; k++) {
        const spor_syntax *line = body->child[k], *equality = equality_of(line);
        if (line->kind == NODE_ELLIPSIS || (line->n == 2 && line->child[1]->kind == NODE_ELLIPSIS))
            a->shown.unproved = true;
        else if (line->kind != NODE_EVALUATE)
            refuse_nested(run, line);
        else
            checked_add(run, a, equality ? left_text(run, equality) : "condition", line);
    }
    if (a->shown.unproved) a->shown.unproved_what = "a part of it";
    if (!a->checks && !a->shown.unproved)
        pass_fail(run, a->source->place, "a claim needs a line left == right");
}

void claim_read(spor_pass *run, spor_asserted *a) {
    const spor_assertion *s = a->source;
    for (int k = 0; k < s->quantifiers; k++) {
        const spor_parameter *p = &s->quantifier[k];
        if (!p->shaped && !p->from)
            pass_fail(run, p->place,
                      "%s needs a shape (%s[H, W]) or a range (%s in 0..3 or in [...])", p->name,
                      p->name, p->name);
        if (!p->shaped) continue;
        if (a->tensors == SPOR_INPUTS)
            pass_fail(run, p->place, "more than %d tensors", SPOR_INPUTS);
        a->tensor[a->tensors++] = p;
    }
    for (int t = 0; t < a->tensors; t++)
        for (int k = 0; k < a->tensor[t]->rank; k++)
            for (int other = 0; other < a->tensors; other++)
                if (a->tensor[t]->axis[k].name == a->tensor[other]->name)
                    pass_fail(run, a->tensor[t]->place, "%s is the name of a size and of a tensor",
                              a->tensor[other]->name);
    ranges_read(run, a);
    read_lines(run, a);
}

/* ---- recording a claim ----------------------------------------------------------------------- */

static spor_var tensor_of(spor_pass *run, spor_spot place, const spor_value *v, spor_shape shape) {
    if (v->kind == VALUE_TENSOR) return v->t.var;
    if (value_is_number(v)) return tensor_fill(run, place, v, shape);
    pass_fail(run, place, "an equality is of tensors and numbers, not of %s",
              value_describe(&run->ground, v));
}

/* Lists, strings, booleans and functions are equal or not: 1 or 0 against 1. */
static bool is_plain(const spor_value *v) {
    return v->kind != VALUE_TENSOR && !value_is_number(v);
}

static void set_pair(spor_pass *run, spor_asserting *at, spor_spot place, const spor_value *left,
                     const spor_value *right) {
    spor_instance *in = at->instance;
    spor_shape shape = SPOR_SCALAR_SHAPE;
    if (left->kind == VALUE_TENSOR) shape = spor_shape_of(left->t.var);
    if (right->kind == VALUE_TENSOR) shape = spor_shape_of(right->t.var);
    const spor_checked *c = &at->asserted->check[in->pairs];
    in->pair[in->pairs++] = (spor_pair){.name = c->name,
                                        .note = c->note,
                                        .formula = tensor_of(run, place, left, shape),
                                        .expected = tensor_of(run, place, right, shape),
                                        .wrt = -1};
}

/* Evaluates a side of pair number at->pair unless it is to be skipped. */
static spor_value side_value(spor_pass *run, spor_asserting *at, const spor_syntax *equality,
                             int side, const spor_indices *indices) {
    at->side = side;
    if (at->skip_pair == at->pair && at->skip_side == side) return value_of_int(0);
    const spor_syntax *node = equality->child[side];
    if (!indices->n) return pass_evaluate(run, at->env, node);
    return value_of_tensor(indices_expand(run, at->env, node, indices), NULL);
}

/* The equality with its sides hoisted, and what its indices run over. */
static const spor_syntax *with_indices(spor_pass *run, spor_asserting *at,
                                       const spor_syntax *equality, spor_indices *indices) {
    spor_syntax *hoisted = ground_take(&run->ground, 1, sizeof *hoisted);
    const spor_syntax *sides[2];
    *hoisted = *equality;
    hoisted->child = ground_take(&run->ground, 2, sizeof *hoisted->child);
    for (int side = 0; side < 2; side++) {
        at->side = side;
        bool skip = at->skip_pair == at->pair && at->skip_side == side;
        spor_syntax *node = equality->child[side];
        hoisted->child[side] = skip ? node : indices_hoist(run, at->env, node, indices);
        sides[side] = hoisted->child[side];
    }
    at->side = -1;
    if (at->skip_pair != at->pair) indices_range(run, sides, indices);
    return hoisted;
}

/* When a side was skipped, what counts is only whether the other one records. */
static void record_equality(spor_pass *run, spor_asserting *at, const spor_syntax *equality) {
    spor_indices indices;
    indices_find(run, at->env, equality, &indices);
    at->pair = at->instance->pairs;
    if (indices.n) equality = with_indices(run, at, equality, &indices);
    bool skipped = at->skip_pair == at->pair;
    if (skipped && indices.n) return;
    spor_value left = side_value(run, at, equality, 0, &indices);
    spor_value right = side_value(run, at, equality, 1, &indices);
    at->side = -1;
    if (skipped) return;
    if (is_plain(&left) && is_plain(&right)) {
        left = value_of_int(pass_equal(run, equality->place, &left, &right));
        right = value_of_int(1);
    }
    set_pair(run, at, equality->place, &left, &right);
}

static void record_condition(spor_pass *run, spor_asserting *at, const spor_syntax *node) {
    at->pair = at->instance->pairs;
    spor_value v = pass_evaluate(run, at->env, node), one = value_of_int(1);
    if (v.kind != VALUE_BOOL)
        pass_fail(run, node->place, "a line of a claim is left == right or a condition");
    v = value_of_int(v.b);
    set_pair(run, at, node->place, &v, &one);
}

void claim_record(spor_pass *run, void *asserting) {
    spor_asserting *at = asserting;
    const spor_asserted *a = at->asserted;
    const spor_syntax *body = a->source->body;
    pass_within(run, at->env);
    at->outside = !quantities_bind(run, at);
    if (at->outside) return;
    for (int k = 0; k < a->tensors; k++) {
        spor_value x = quantities_input(run, at, k);
        env_set(run, at->env, a->tensor[k]->name, x);
    }
    at->stage = SPOR_AT_BODY;
    for (int k = 0; k < body->n; k++) {
        const spor_syntax *line = body->child[k], *equality = equality_of(line);
        if (equality)
            record_equality(run, at, equality);
        else if (line->kind == NODE_EVALUATE)
            record_condition(run, at, line->child[0]);
        else
            pass_statement(run, at->env, line);
        if (at->skip_pair >= 0 && at->pair == at->skip_pair) return;
    }
}
