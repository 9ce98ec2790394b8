/*
 * Derivations: derive layer "Eqs. 46-49" (A, W, b) -> (Y, dY): gradients written by hand, against
 * the tape's.
 */
#include "claims/private.h"

#include <string.h>

#include "base/nearest.h"
#include "tape/results.h"

/* ---- the d-prefix: dW is the gradient of W --------------------------------------------------- */

enum { PREFIX = 'd' };

const char *derive_name(spor_pass *run, const char *name) {
    const char *text = ground_take_format(&run->ground, "%c%s", PREFIX, name);
    return ground_intern(&run->ground, &run->script->names, text, strlen(text));
}

static bool is_gradient(const char *d) {
    return d[0] == PREFIX;
}

static bool is_gradient_of(const char *d, const char *name) {
    return is_gradient(d) && strcmp(d + 1, name) == 0;
}

/* ---- reading the head ------------------------------------------------------------------------ */

static const spor_function *find_def(spor_pass *run, const spor_assertion *s) {
    const spor_binding *b = env_find(run->script->globals, s->target);
    if (b && b->value.kind == VALUE_FUNCTION) return b->value.function;
    if (b)
        pass_fail(run, s->target_place, "only a def is derived; %s is %s", s->target,
                  value_describe(&run->ground, &b->value));
    const spor_env *env = run->script->globals;
    const char **names = ground_take(&run->ground, (size_t)env->n, sizeof *names);
    int n = 0;
    for (int k = 0; k < env->n; k++)
        if (env->binding[k].value.kind == VALUE_FUNCTION) names[n++] = env->binding[k].name;
    const char *near = nearest_name(s->target, n, names);
    pass_fail(run, s->target_place, "there is no def %s%s%s%s", s->target,
              near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

static const spor_parameter *find_parameter(int n, const spor_parameter parameters[],
                                            const char *name) {
    for (int k = 0; k < n; k++)
        if (parameters[k].name == name) return &parameters[k];
    return NULL;
}

const spor_parameter *quantifier_find(const spor_assertion *s, const char *name) {
    return find_parameter(s->quantifiers, s->quantifier, name);
}

static void add_tensors(spor_pass *run, spor_asserted *a) {
    const spor_def *def = a->function->def;
    for (int k = 0; k < def->parameters; k++) {
        if (!def->parameter[k].shaped) continue;
        if (a->tensors + 1 == SPOR_INPUTS)
            pass_fail(run, a->source->target_place, "%s takes more than %d tensors", def->name,
                      SPOR_INPUTS - 1);
        a->tensor[a->tensors++] = &def->parameter[k];
    }
    if (!a->tensors)
        pass_fail(run, a->source->target_place,
                  "%s has no shapes in its signature, so nothing says what to derive: "
                  "def %s(A[N, n], ...)",
                  def->name, def->name);
}

static const char *tensor_list(spor_pass *run, const spor_asserted *a) {
    char out[256] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < a->tensors; k++) note_add(&note, "%s%s", k ? ", " : "", a->tensor[k]->name);
    return ground_take_text(&run->ground, out, strlen(out));
}

static bool is_size(const spor_asserted *a, const char *name) {
    for (int t = 0; t < a->tensors; t++)
        for (int k = 0; k < a->tensor[t]->rank; k++)
            if (a->tensor[t]->axis[k].name == name) return true;
    return false;
}

/* A name in the head is a tensor of the def, or quantifies another parameter or a size. */
static void check_head(spor_pass *run, const spor_asserted *a, const spor_parameter *p) {
    const spor_def *def = a->function->def;
    const spor_parameter *own = find_parameter(def->parameters, def->parameter, p->name);
    if (p->shaped)
        pass_fail(run, p->place, "shapes stand in the signature of %s; write %s", def->name,
                  p->name);
    if (!p->from && (!own || !own->shaped))
        pass_fail(run, p->place, "%s is no tensor in the signature of %s, which has %s%s", p->name,
                  def->name, tensor_list(run, a), own ? "; quantify it: in [...]" : "");
    if (p->from && !own && !is_size(a, p->name))
        pass_fail(run, p->place, "%s is neither a parameter nor a size of %s", p->name, def->name);
}

/* A parameter of the def must be in the head, unless it has a default. */
static void check_parameter(spor_pass *run, const spor_asserted *a, const spor_parameter *own) {
    const spor_assertion *s = a->source;
    if (quantifier_find(s, own->name)) return;
    if (own->shaped)
        pass_fail(run, s->target_place, "%s of %s is missing: derive %s (%s) -> (Y, dY)", own->name,
                  s->target, s->target, tensor_list(run, a));
    if (!own->value)
        pass_fail(run, s->target_place,
                  "%s of %s has neither a shape nor a default: quantify it, %s in [...] or "
                  "%s in 1..3",
                  own->name, s->target, own->name, own->name);
}

static void check_results(spor_pass *run, const spor_asserted *a) {
    const spor_def *def = a->function->def;
    for (int k = 0; k < 2 * a->source->results; k++) {
        const spor_result *result = &a->source->result[k / 2];
        const spor_parameter *r = k % 2 ? &result->dy : &result->y;
        if (!r->name) continue;
        if (is_size(a, r->name) || find_parameter(def->parameters, def->parameter, r->name))
            pass_fail(run, r->place, "%s is a name in the signature of %s", r->name, def->name);
    }
}

/* ---- reading the block ----------------------------------------------------------------------- */

static bool is_open(const spor_asserted *a, const spor_syntax *node) {
    return node->kind == NODE_ELLIPSIS || syntax_mentions(node, a->opens, a->open);
}

static void open_name(spor_pass *run, spor_asserted *a, const spor_syntax *name) {
    for (int k = 0; k < a->opens; k++)
        if (a->open[k] == name->text) return;
    if (a->opens == SPOR_PAIRS) pass_fail(run, name->place, "too many lines are open");
    a->open[a->opens++] = name->text;
}

/* True of the d-name of a tensor of whole numbers, which name things. */
static bool is_of_whole(const spor_asserted *a, const char *d) {
    for (int k = 0; k < a->tensors; k++)
        if (a->value[k].kind == SPOR_RANGE_WHOLE && is_gradient_of(d, a->tensor[k]->name))
            return true;
    return false;
}

/* Targets of an assignment: what is ..., or made of it, is open; the others are checked. */
static void read_assignment(spor_pass *run, spor_asserted *a, const spor_syntax *node) {
    const spor_syntax *target = node->child[0];
    int n = target->kind == NODE_NAME ? 1 : target->n;
    for (int k = 0; k < n; k++) {
        const spor_syntax *name = target->kind == NODE_NAME ? target : target->child[k];
        if (is_of_whole(a, name->text) && claims_is_none(node->child[1])) continue;
        if (is_of_whole(a, name->text))
            pass_fail(
                run, name->place,
                "%s is the gradient of whole numbers, which have none: leave it out (or give %s "
                "a range of reals, with a point at both ends)",
                name->text, name->text + 1);
        if (claims_is_none(node->child[1])) a->none = true;
        if (is_open(a, node->child[1]))
            open_name(run, a, name);
        else if (is_gradient(name->text))
            checked_add(run, a, name->text, node);
    }
}

static void read_lines(spor_pass *run, spor_asserted *a, const spor_syntax *node) {
    if (node->kind == NODE_ASSIGN || node->kind == NODE_AUGMENT) read_assignment(run, a, node);
    if (node->kind == NODE_EVALUATE)
        pass_fail(run, node->place, "a line of a derivation is name = formula");
    for (int k = 0; k < node->n && node->kind != NODE_ASSIGN && node->kind != NODE_DEF; k++)
        if (node->child[k] && node->child[k]->kind >= NODE_BLOCK)
            read_lines(run, a, node->child[k]);
    for (int k = 0; k < node->n && node->kind == NODE_BLOCK; k++)
        if (node->child[k]->kind == NODE_ELLIPSIS) a->shown.unproved = true;
}

static bool is_assigned(const spor_asserted *a, const char *name) {
    for (int k = 0; k < a->checks; k++)
        if (a->check[k].name == name) return true;
    for (int k = 0; k < a->opens; k++)
        if (a->open[k] == name) return true;
    return false;
}

static void check_gradients(spor_pass *run, const spor_asserted *a) {
    const spor_assertion *s = a->source;
    for (int k = 0; k < a->tensors && !a->shown.unproved && !a->alone; k++) {
        const char *name = a->tensor[k]->name, *d = derive_name(run, name);
        if (a->value[k].kind != SPOR_RANGE_WHOLE && !is_assigned(a, d))
            pass_fail(run, quantifier_find(s, name)->place,
                      "%s is missing: give its formula, or %s = none if %s needs no gradient", d, d,
                      name);
    }
}

static void name_open(spor_pass *run, spor_asserted *a) {
    char out[320] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < a->opens; k++) note_add(&note, "%s%s", k ? ", " : "", a->open[k]);
    a->shown.unproved = a->shown.unproved || a->opens;
    if (!a->shown.unproved) return;
    a->shown.unproved_what =
        a->opens ? ground_take_text(&run->ground, out, strlen(out)) : "a part of it";
}

void derive_read(spor_pass *run, spor_asserted *a) {
    const spor_assertion *s = a->source;
    a->function = find_def(run, s);
    const spor_def *def = a->function->def;
    a->shown.def = def->name;
    add_tensors(run, a);
    for (int k = 0; k < s->quantifiers; k++) check_head(run, a, &s->quantifier[k]);
    for (int k = 0; k < def->parameters; k++) check_parameter(run, a, &def->parameter[k]);
    check_results(run, a);
    ranges_read(run, a);
    read_lines(run, a, s->body);
    check_gradients(run, a);
    name_open(run, a);
}

/* ---- recording ------------------------------------------------------------------------------- */

/* Calls the def with the inputs and with what is quantified. */
static spor_value call_def(spor_pass *run, spor_asserting *at, const spor_value inputs[]) {
    const spor_asserted *a = at->asserted;
    const spor_def *def = a->function->def;
    size_t n = (size_t)def->parameters;
    spor_value *value = ground_take(&run->ground, n, sizeof *value);
    const char **keyword = ground_take(&run->ground, n, sizeof *keyword);
    spor_spot *place = ground_take(&run->ground, n, sizeof *place);
    int count = 0, tensor = 0;
    for (int k = 0; k < def->parameters; k++) {
        const spor_parameter *p = &def->parameter[k];
        if (p->shaped)
            value[count] = inputs[tensor++];
        else if (quantifier_find(a->source, p->name))
            value[count] = env_find(at->env, p->name)->value;
        else
            continue;
        keyword[count] = p->name;
        place[count++] = a->source->target_place;
    }
    spor_value callee = {.kind = VALUE_FUNCTION, .function = a->function};
    spor_arguments arguments = {a->source->target_place, count, value, keyword, place};
    at->watched = def;
    spor_value y = pass_call(run, &callee, &arguments);
    at->watched = NULL;
    return y;
}

/* ---- results --------------------------------------------------------------------------------- */

/* "(A, W) -> (Y1, Y2, dY1, dY2)" for two results */
static const char *head_for(spor_pass *run, const spor_asserted *a, int results) {
    char out[320] = "";
    spor_note note = {out, sizeof out, 0};
    note_add(&note, "(%s) -> (", tensor_list(run, a));
    for (int k = 0; k < 2 * results; k++) {
        int of = k % results;
        const char *d = k < results ? "" : "d", *comma = k ? ", " : "";
        if (of < a->source->results)
            note_add(&note, "%s%s%s", comma, d, a->source->result[of].y.name);
        else
            note_add(&note, "%s%sY%d", comma, d, of + 1);
    }
    note_add(&note, ")");
    return ground_take_text(&run->ground, out, strlen(out));
}

/* A list of tensors is several results, each of which has its name. */
void derive_results(spor_pass *run, const spor_asserted *a, const spor_value *returned,
                    spor_value y[]) {
    const spor_assertion *s = a->source;
    bool list = returned->kind == VALUE_LIST;
    int n = list ? returned->list.n : 1;
    bool tensors = true;
    for (int k = 0; k < n; k++)
        tensors = tensors && (list ? returned->list.item[k].kind : returned->kind) == VALUE_TENSOR;
    if (!tensors || !n)
        pass_fail(run, s->target_place,
                  "a def that is derived must return a tensor, or several; %s returns %s",
                  s->target, value_describe(&run->ground, returned));
    if (n > SPOR_RESULTS)
        pass_fail(run, s->target_place, "%s returns %d tensors, but at most %d are derived",
                  s->target, n, SPOR_RESULTS);
    if (n != s->results)
        pass_fail(run, s->result[s->results - 1].y.place,
                  "%s returns %d tensor%s, not %d: derive %s %s", s->target, n, n == 1 ? "" : "s",
                  s->results, s->target, head_for(run, a, n));
    for (int k = 0; k < n; k++) y[k] = list ? returned->list.item[k] : *returned;
}

/* The names of the block: operands, defaults of the def, its results and their cotangents. */
static void bind_names(spor_pass *run, spor_asserting *at, const spor_value inputs[],
                       const spor_value y[], const spor_value dy[]) {
    const spor_asserted *a = at->asserted;
    const spor_def *def = a->function->def;
    for (int k = 0; k < a->tensors; k++) env_set(run, at->env, a->tensor[k]->name, inputs[k]);
    for (int k = 0; k < def->parameters; k++) {
        const spor_parameter *p = &def->parameter[k];
        if (p->value && !p->shaped && !quantifier_find(a->source, p->name))
            env_set(run, at->env, p->name, pass_evaluate(run, a->function->env, p->value));
    }
    for (int k = 0; k < a->source->results; k++) {
        const spor_result *result = &a->source->result[k];
        env_set(run, at->env, result->y.name, y[k]);
        if (result->dy.name) env_set(run, at->env, result->dy.name, dy[k]);
    }
}

static bool is_none(const spor_syntax *line) {
    return line->kind == NODE_ASSIGN && claims_is_none(line->child[1]);
}

bool derive_is_none(spor_pass *run, const spor_asserted *a, const char *tensor) {
    const char *d = derive_name(run, tensor);
    const spor_syntax *body = a->source->body;
    for (int k = 0; k < body->n; k++)
        if (is_none(body->child[k]) && body->child[k]->child[0]->text == d) return true;
    return false;
}

/* Lines that are open and those that say none are left out. */
void derive_block(spor_pass *run, spor_asserting *at, const spor_value inputs[],
                  const spor_value y[], const spor_value dy[]) {
    const spor_syntax *body = at->asserted->source->body;
    bind_names(run, at, inputs, y, dy);
    for (int k = 0; k < body->n; k++) {
        const spor_syntax *line = body->child[k];
        if (is_none(line) || line->kind == NODE_ELLIPSIS) continue;
        if (line->n && is_open(at->asserted, line)) continue;
        pass_statement(run, at->env, line);
    }
}

/* The variable whose gradient d-name claims, and the input it is: -1 for a local of the def. */
static spor_var claimed_of(const spor_asserting *at, const char *d, int *input) {
    const spor_asserted *a = at->asserted;
    for (*input = 0; *input < a->tensors; ++*input)
        if (is_gradient_of(d, a->tensor[*input]->name)) return at->instance->input[*input];
    *input = -1;
    for (int k = 0; at->locals && k < at->locals->n; k++) {
        const spor_binding *b = &at->locals->binding[k];
        if (is_gradient_of(d, b->name) && b->value.kind == VALUE_TENSOR) return b->value.t.var;
    }
    return (spor_var){NULL, 0};
}

spor_var derive_formula(spor_pass *run, const spor_asserting *at, const char *name, spor_var x) {
    spor_spot place = at->asserted->source->place;
    const spor_binding *b = env_find(at->env, name);
    if (!b || b->value.kind == VALUE_FUNCTION) return (spor_var){NULL, 0};
    if (b->value.kind == VALUE_TENSOR) return b->value.t.var;
    if (value_is_number(&b->value)) return tensor_fill(run, place, &b->value, spor_shape_of(x));
    pass_fail(run, place, "%s must be a tensor but is %s", name,
              value_describe(&run->ground, &b->value));
}

/* Pairs in the order of the lines, so that the first wrong one is named. Of a def alone nothing is claimed: its
 * formulas are the gradients themselves, once these are there. */
static void add_lines(spor_pass *run, spor_asserting *at) {
    const spor_asserted *a = at->asserted;
    spor_instance *in = at->instance;
    for (int k = 0; k < a->checks; k++) {
        int input;
        const spor_checked *c = &a->check[k];
        spor_var x = claimed_of(at, c->name, &input);
        if (!x.id) continue;
        spor_var formula = a->alone ? x : derive_formula(run, at, c->name, x);
        if (!formula.id) continue;
        in->pair[in->pairs++] = (spor_pair){
            .name = c->name, .note = c->note, .formula = formula, .wrt = input, .of = x};
    }
}

static void add_pairs(spor_pass *run, spor_asserting *at) {
    const spor_asserted *a = at->asserted;
    spor_instance *in = at->instance;
    spor_var of[SPOR_PAIRS], expected[SPOR_PAIRS];
    add_lines(run, at);
    for (int k = 0; k < in->pairs; k++) of[k] = in->pair[k].of;
    in->claimed = pass_record(run, a->source->place)->count;
    spor_var cotangent = results_join(in->results, &in->input[in->dy]);
    if (in->pairs && !spor_vjp(in->y, cotangent, in->pairs, of, expected))
        pass_recorded(run, in->y);
    for (int k = 0; k < in->pairs; k++) in->pair[k].expected = expected[k];
    for (int k = 0; k < in->pairs && a->alone; k++) in->pair[k].formula = expected[k];
    at->outside = in->pairs == 0;
}

/* The size that the axis of y has the name of; NULL: none. */
static const char *size_named(const spor_asserting *at, const spor_value *y, int axis) {
    const spor_asserted *a = at->asserted;
    for (int q = 0; q < a->sizes && y->t.axes && y->t.axes->symbol[axis]; q++) {
        const spor_binding *size = env_find(at->env, a->statement.quantity[q].name);
        if (size && size->symbol == y->t.axes->symbol[axis]) return a->statement.quantity[q].name;
    }
    return NULL;
}

static spor_value add_cotangent(spor_pass *run, spor_asserting *at, const spor_parameter *name,
                                const spor_value *y) {
    spor_instance *in = at->instance;
    spor_shape shape = spor_shape_of(y->t.var);
    for (int k = 0; k < shape.rank; k++) in->axis[in->inputs][k] = size_named(at, y, k);
    return value_of_tensor(asserting_input(run, at, name->place, name->name, shape), y->t.axes);
}

/* Results without a cotangent are no part of y: what reaches them does not come back. */
static void add_cotangents(spor_pass *run, spor_asserting *at, const spor_value y[],
                           spor_value dy[]) {
    const spor_assertion *s = at->asserted->source;
    spor_instance *in = at->instance;
    in->results = 0;
    for (int k = 0; k < s->results; k++)
        if (s->result[k].dy.name) in->result[in->results++] = y[k].t.var;
    in->y = pass_recorded(run, results_join(in->results, in->result));
    in->dy = in->inputs;
    for (int k = 0; k < s->results; k++)
        if (s->result[k].dy.name) dy[k] = add_cotangent(run, at, &s->result[k].dy, &y[k]);
}

void derive_record(spor_pass *run, void *asserting) {
    spor_asserting *at = asserting;
    const spor_asserted *a = at->asserted;
    spor_value inputs[SPOR_INPUTS], y[SPOR_RESULTS], dy[SPOR_RESULTS];
    pass_within(run, at->env);
    at->outside = !quantities_bind(run, at);
    if (at->outside) return;
    for (int k = 0; k < a->tensors; k++) inputs[k] = quantities_input(run, at, k);
    at->stage = SPOR_AT_DEF;
    spor_value returned = call_def(run, at, inputs);
    derive_results(run, a, &returned, y);
    at->stage = SPOR_AT_BODY;
    if (run->tape->leaves)
        pass_fail(run, a->source->target_place,
                  "%s makes parameters or state; a def that is derived is given all its tensors",
                  a->source->target);
    add_cotangents(run, at, y, dy);
    derive_block(run, at, inputs, y, dy);
    add_pairs(run, at);
}
