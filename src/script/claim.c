/*
 * Claims: claim "Eq. 3" (A[H, W], K[k, l]) where k <= H: left == right; and what derivations and
 * claims share: collecting them, and recording an instance for the verifier.
 */
#include "script/claims.h"

#include <stdio.h>
#include <string.h>

#include "script/lexer.h"

/* ---- the tree -------------------------------------------------------------------------------- */

bool spor_syntax_mentions(const spor_syntax *node, int n, const char *const names[]) {
    if (!node) return false;
    for (int k = 0; k < n && node->kind == NODE_NAME; k++)
        if (node->text == names[k]) return true;
    for (int k = 0; k < node->n; k++)
        if (spor_syntax_mentions(node->child[k], n, names)) return true;
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
    return whole ? spor_take_text(&run->ground, from, (size_t)length) : "left side";
}

void spor_checked_add(spor_pass *run, spor_asserted *a, const char *name, const spor_syntax *line) {
    int length, at = 0;
    const char *equation = cited(line->place, &length);
    const char *note =
        spor_take_format(&run->ground, "%.*s%s%s:%d", length, equation, length ? ", " : "",
                         line->place.source->file, line->place.line);
    while (at < a->checks && (a->source->target == NULL || a->check[at].name != name)) at++;
    if (at == SPOR_PAIRS)
        spor_pass_fail(run, line->place, "more than %d lines are checked", SPOR_PAIRS);
    a->check[at] = (spor_checked){name, note};
    if (at == a->checks) a->checks++;
}

/* ---- reading --------------------------------------------------------------------------------- */

static void refuse_nested(spor_pass *run, const spor_syntax *node) {
    if (node->kind == NODE_EVALUATE)
        spor_pass_fail(run, node->place,
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
            spor_checked_add(run, a, equality ? left_text(run, equality) : "condition", line);
    }
    if (a->shown.unproved) a->shown.unproved_what = "a part of it";
    if (!a->checks && !a->shown.unproved)
        spor_pass_fail(run, a->source->place, "a claim needs a line left == right");
}

static void read_claim(spor_pass *run, spor_asserted *a) {
    const spor_assertion *s = a->source;
    for (int k = 0; k < s->parameters; k++) {
        const spor_parameter *p = &s->parameter[k];
        if (!p->shaped && !p->from)
            spor_pass_fail(run, p->place,
                           "%s needs a shape (%s[H, W]) or a range (%s in 0..3 or in [...])",
                           p->name, p->name, p->name);
        if (!p->shaped) continue;
        if (a->tensors == SPOR_INPUTS)
            spor_pass_fail(run, p->place, "more than %d tensors", SPOR_INPUTS);
        a->tensor[a->tensors++] = p;
    }
    for (int t = 0; t < a->tensors; t++)
        for (int k = 0; k < a->tensor[t]->rank; k++)
            for (int other = 0; other < a->tensors; other++)
                if (a->tensor[t]->axis[k].name == a->tensor[other]->name)
                    spor_pass_fail(run, a->tensor[t]->place,
                                   "%s is the name of a size and of a tensor",
                                   a->tensor[other]->name);
    read_lines(run, a);
}

static void refuse_twin(spor_pass *run, const spor_asserted *a) {
    for (const spor_asserted *other = run->script->asserted; other; other = other->next)
        if (strcmp(other->statement.name, a->statement.name) == 0)
            spor_pass_fail(run, a->source->place, "there is already \"%s\" at %s:%d: label it",
                           a->statement.name, other->shown.file, other->shown.line);
}

static spor_record_instance record_instance;

void spor_script_assert(spor_pass *run, const spor_syntax *node) {
    spor_script *script = run->script;
    const spor_assertion *s = node->assertion;
    spor_asserted *a = spor_take(&run->ground, 1, sizeof *a), **end = &script->asserted;
    *a = (spor_asserted){.script = script, .source = s};
    a->shown = (spor_script_claim){.label = s->label,
                                   .fails = s->fails,
                                   .trusted = s->trusted,
                                   .file = s->place.source->file,
                                   .line = s->place.line,
                                   .column = s->place.column,
                                   .statement = &a->statement,
                                   .calls = -1};
    a->statement.name = s->label ? s->label : s->target;
    a->statement.record = record_instance;
    a->statement.user = a;
    a->statement.equality = !s->target;
    refuse_twin(run, a);
    if (s->target)
        spor_derive_read(run, a);
    else
        read_claim(run, a);
    spor_quantities_read(run, a);
    while (*end) end = &(*end)->next;
    *end = a;
}

int spor_script_claims(const spor_script *script) {
    int n = 0;
    for (const spor_asserted *a = script ? script->asserted : NULL; a; a = a->next) n++;
    return n;
}

const spor_script_claim *spor_script_claim_at(const spor_script *script, int k) {
    const spor_asserted *a = script ? script->asserted : NULL;
    for (; a && k > 0; k--) a = a->next;
    return a ? &a->shown : NULL;
}

/* ---- recording a claim ----------------------------------------------------------------------- */

static spor_var tensor_of(spor_pass *run, spor_spot place, const spor_value *v, spor_shape shape) {
    if (v->kind == VALUE_TENSOR) return v->t.var;
    if (spor_is_number(v)) return spor_tensor_fill(run, place, v, shape);
    spor_pass_fail(run, place, "an equality is of tensors and numbers, not of %s",
                   spor_describe(&run->ground, v));
}

/* Lists, strings, booleans and functions are equal or not: 1 or 0 against 1. */
static bool is_plain(const spor_value *v) {
    return v->kind != VALUE_TENSOR && !spor_is_number(v);
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
    if (at->skip_pair == at->pair && at->skip_side == side) return spor_of_int(0);
    const spor_syntax *node = equality->child[side];
    if (!indices->n) return spor_pass_evaluate(run, at->env, node);
    return spor_of_tensor(spor_indices_expand(run, at->env, node, indices), NULL);
}

/* The equality with its sides hoisted, and what its indices run over. */
static const spor_syntax *with_indices(spor_pass *run, spor_asserting *at,
                                       const spor_syntax *equality, spor_indices *indices) {
    spor_syntax *hoisted = spor_take(&run->ground, 1, sizeof *hoisted);
    const spor_syntax *sides[2];
    *hoisted = *equality;
    hoisted->child = spor_take(&run->ground, 2, sizeof *hoisted->child);
    for (int side = 0; side < 2; side++) {
        at->side = side;
        bool skip = at->skip_pair == at->pair && at->skip_side == side;
        spor_syntax *node = equality->child[side];
        hoisted->child[side] = skip ? node : spor_indices_hoist(run, at->env, node, indices);
        sides[side] = hoisted->child[side];
    }
    at->side = -1;
    if (at->skip_pair != at->pair) spor_indices_range(run, sides, indices);
    return hoisted;
}

/* When a side was skipped, what counts is only whether the other one records. */
static void record_equality(spor_pass *run, spor_asserting *at, const spor_syntax *equality) {
    spor_indices indices;
    spor_indices_find(run, at->env, equality, &indices);
    at->pair = at->instance->pairs;
    if (indices.n) equality = with_indices(run, at, equality, &indices);
    bool skipped = at->skip_pair == at->pair;
    if (skipped && indices.n) return;
    spor_value left = side_value(run, at, equality, 0, &indices);
    spor_value right = side_value(run, at, equality, 1, &indices);
    at->side = -1;
    if (skipped) return;
    if (is_plain(&left) && is_plain(&right)) {
        left = spor_of_int(spor_pass_equal(run, equality->place, &left, &right));
        right = spor_of_int(1);
    }
    set_pair(run, at, equality->place, &left, &right);
}

static void record_condition(spor_pass *run, spor_asserting *at, const spor_syntax *node) {
    at->pair = at->instance->pairs;
    spor_value v = spor_pass_evaluate(run, at->env, node), one = spor_of_int(1);
    if (v.kind != VALUE_BOOL)
        spor_pass_fail(run, node->place, "a line of a claim is left == right or a condition");
    v = spor_of_int(v.b);
    set_pair(run, at, node->place, &v, &one);
}

void spor_claim_record(spor_pass *run, void *asserting) {
    spor_asserting *at = asserting;
    const spor_asserted *a = at->asserted;
    const spor_syntax *body = a->source->body;
    spor_pass_within(run, at->env);
    at->outside = !spor_quantities_bind(run, at);
    if (at->outside) return;
    for (int k = 0; k < a->tensors; k++) {
        spor_value x = spor_quantities_input(run, at, a->tensor[k]);
        spor_env_set(run, at->env, a->tensor[k]->name, x);
    }
    at->stage = SPOR_AT_BODY;
    for (int k = 0; k < body->n; k++) {
        const spor_syntax *line = body->child[k], *equality = equality_of(line);
        if (equality)
            record_equality(run, at, equality);
        else if (line->kind == NODE_EVALUATE)
            record_condition(run, at, line->child[0]);
        else
            spor_pass_statement(run, at->env, line);
        if (at->skip_pair >= 0 && at->pair == at->skip_pair) return;
    }
}

/* ---- an instance for the verifier ------------------------------------------------------------ */

/* Records on the tape; false if that leaves with an error, which is then in the text. */
static bool record_on(spor_asserting *at, spor_tape *tape, char *text, size_t size) {
    spor_asserted *a = at->asserted;
    spor_arena arena = {NULL};
    spor_pass run = {
        .ground = {.arena = &arena}, .script = a->script, .tape = tape, .asserting = at};
    spor_env env = {.parent = a->script->globals};
    at->env = &env;
    bool done = spor_attempt(&run, a->function ? spor_derive_record : spor_claim_record, at);
    if (!done) spor_pass_error(&run, text, size);
    spor_arena_free(&arena);
    spor_tape_place(tape, NULL, 0, 0);
    return done;
}

/* True if the other side of the equality does not record either. */
static bool is_undefined(const spor_asserting *failed) {
    spor_instance scrap = {0};
    char text[512];
    spor_asserting at = {.asserted = failed->asserted,
                         .values = failed->values,
                         .instance = &scrap,
                         .pair = -1,
                         .side = -1,
                         .skip_pair = failed->pair,
                         .skip_side = failed->side};
    spor_tape *tape = spor_tape_new();
    bool records = !tape || record_on(&at, tape, text, sizeof text);
    spor_tape_free(tape);
    return !records && at.pair == failed->pair && at.side == 1 - failed->side;
}

static spor_recording judge_failure(const spor_asserting *at, const char *text) {
    spor_script_claim *shown = &at->asserted->shown;
    bool derive = at->asserted->function != NULL;
    spor_recording result = SPOR_BROKEN;
    if (at->outside || (derive && at->stage == SPOR_AT_DEF))
        result = SPOR_OUTSIDE;
    else if (!derive && at->stage == SPOR_AT_BODY && at->side < 0 && at->pair < 0)
        result = SPOR_UNDEFINED; /* what both sides are made of does not exist */
    else if (at->side >= 0 && is_undefined(at))
        result = SPOR_UNDEFINED;
    const char *which = at->side < 0 ? "" : at->side ? "right side: " : "left side: ";
    if (result == SPOR_BROKEN)
        snprintf(at->instance->message, sizeof at->instance->message, "%s%s", which, text);
    else
        snprintf(shown->refusal, sizeof shown->refusal, "%s", text);
    return result;
}

static spor_recording record_instance(void *user, spor_tape *tape, const int64_t values[],
                                      spor_instance *instance) {
    char text[sizeof instance->message - 16];
    spor_asserting at = {.asserted = user,
                         .values = values,
                         .instance = instance,
                         .pair = -1,
                         .side = -1,
                         .skip_pair = -1};
    if (!record_on(&at, tape, text, sizeof text)) return judge_failure(&at, text);
    return at.outside ? SPOR_OUTSIDE : SPOR_RECORDED;
}

/* ---- built-ins of claims --------------------------------------------------------------------- */

static spor_asserting *asserting_of(const spor_given *g, bool in_derive) {
    spor_asserting *at = g->run->asserting;
    if (!at) spor_pass_fail(g->run, g->place, "%s is for claims", g->builtin->name);
    if (at->asserted->function && !in_derive)
        spor_pass_fail(g->run, g->place,
                       "a derivation is written by hand: it does not ask the tape for %s",
                       g->builtin->name);
    return at;
}

static spor_value pull_back(const spor_given *g, spor_var y, spor_var dy, const spor_value *x) {
    spor_var d;
    spor_pass_record(g->run, g->place);
    if (!spor_vjp(y, dy, 1, &x->t.var, &d)) d = (spor_var){y.tape, 0};
    return spor_of_tensor(spor_pass_recorded(g->run, d), x->t.axes);
}

/* grad(cost, x) */
static spor_value grad(const spor_given *g) {
    asserting_of(g, false);
    spor_value cost = spor_given_tensor(g, 0), x = spor_given_tensor(g, 1);
    if (spor_shape_of(cost.t.var).rank)
        spor_pass_fail(g->run, g->at[0], "grad: a cost is a single number, not %s; sum it",
                       spor_describe(&g->run->ground, &cost));
    spor_value one = spor_of_int(1);
    spor_var dy = spor_tensor_fill(g->run, g->place, &one, SPOR_SCALAR_SHAPE);
    return pull_back(g, cost.t.var, dy, &x);
}

/* vjp(y, dy, x) */
static spor_value vjp(const spor_given *g) {
    asserting_of(g, false);
    spor_value y = spor_given_tensor(g, 0), dy = spor_given_tensor(g, 1),
               x = spor_given_tensor(g, 2);
    return pull_back(g, y.t.var, dy.t.var, &x);
}

/* derivative(f, Z): f'(Z) of an elementwise f */
static spor_value derivative(const spor_given *g) {
    asserting_of(g, true);
    spor_value z = spor_given_tensor(g, 1), one = spor_of_int(1);
    const char *keyword = NULL;
    spor_arguments arguments = {g->place, 1, &z, &keyword, &g->place};
    spor_value y = spor_pass_call(g->run, g->arg[0], &arguments);
    spor_shape from = spor_shape_of(z.t.var),
               to = y.kind == VALUE_TENSOR ? spor_shape_of(y.t.var) : SPOR_SCALAR_SHAPE;
    if (y.kind != VALUE_TENSOR || !spor_shape_equal(&from, &to))
        spor_pass_fail(g->run, g->at[0], "derivative: f must be elementwise, but of %s it makes %s",
                       spor_describe(&g->run->ground, &z), spor_describe(&g->run->ground, &y));
    return pull_back(g, y.t.var, spor_tensor_fill(g->run, g->place, &one, to), &z);
}

/* any_like(Z): one more tensor that the claim is for all values of */
static spor_value any_like(const spor_given *g) {
    spor_asserting *at = asserting_of(g, false);
    spor_value z = spor_given_tensor(g, 0);
    const char *name = spor_take_format(&g->run->ground, "any[%d]", at->instance->inputs);
    spor_var x = spor_asserting_input(g->run, at, g->place, name, spor_shape_of(z.t.var));
    return spor_of_tensor(x, z.t.axes);
}

const spor_builtin spor_claim_builtins[] = {
    {"grad", "cost, x", grad},   {"vjp", "y, dy, x", vjp}, {"derivative", "f, Z", derivative},
    {"any_like", "Z", any_like}, {NULL, NULL, NULL},
};
