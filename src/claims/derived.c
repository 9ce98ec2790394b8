/*
 * Training with derivations: a call of a def whose derive was accepted carries the derive's block
 * as its hand-derived backward.
 */
#include "claims/private.h"
#include "tape/op.h"
#include "tape/tape.h"
#include "tape/results.h"

/* Lives as long as the script, since programs keep it. */
struct spor_derived {
    spor_asserted *asserted;
    int64_t values[SPOR_QUANTITIES];
    spor_var operand[SPOR_CUSTOM_OPERANDS];
    int results;
    spor_shape shape[SPOR_RESULTS];
    int axis[SPOR_RESULTS][SPOR_RANK]; /* which size an axis of a result is, -1: none */
};

bool claims_accept(spor_script *script, int k) {
    spor_asserted *a = claims_first(script);
    for (; a && k > 0; k--) a = a->next;
    if (!a || !a->function || a->shown.fails || a->shown.unproved || a->none) return false;
    a->shown.calls = 0;
    return true;
}

const char *claims_backward_name(const void *backward, int operand) {
    const spor_asserted *a = ((const spor_derived *)backward)->asserted;
    return operand < 0 ? a->shown.def : a->tensor[operand]->name;
}

/* ---- is the call one of those that were verified? -------------------------------------------- */

static bool same(spor_pass *run, spor_spot place, const spor_value *a, const spor_value *b) {
    return a->kind != VALUE_TENSOR && b->kind != VALUE_TENSOR && pass_equal(run, place, a, b);
}

/* The value of quantity k in the call; false if it is none of those quantified. */
static bool read_value(spor_pass *run, const spor_asserted *a, int k, const spor_env *env,
                       int64_t *value) {
    const spor_quantity *q = &a->statement.quantity[k];
    const spor_value *v = &env_find(env, q->name)->value;
    if (a->choice[k].kind != VALUE_LIST) {
        *value = v->i;
        return v->kind == VALUE_INT && (k < a->sizes || (q->least <= v->i && v->i <= q->most));
    }
    for (*value = 0; *value < a->choice[k].list.n; ++*value)
        if (same(run, a->source->place, v, &a->choice[k].list.item[*value])) return true;
    return false;
}

/* Parameters that were not quantified were verified at their defaults. */
static bool has_defaults(spor_pass *run, const spor_asserted *a, const spor_env *env) {
    const spor_def *def = a->function->def;
    for (int k = 0; k < def->parameters; k++) {
        const spor_parameter *p = &def->parameter[k];
        if (p->shaped || quantifier_find(a->source, p->name)) continue;
        spor_value usual = pass_evaluate(run, a->function->env, p->value);
        if (!same(run, p->place, &env_find(env, p->name)->value, &usual)) return false;
    }
    return true;
}

static bool covers(spor_pass *run, spor_asserted *a, const spor_env *env, spor_derived *derived) {
    if (a->shown.calls < 0 || a->tensors > SPOR_CUSTOM_OPERANDS || !has_defaults(run, a, env))
        return false;
    for (int k = 0; k < a->statement.quantities; k++)
        if (!read_value(run, a, k, env, &derived->values[k])) return false;
    for (int k = 0; k < a->tensors; k++)
        derived->operand[k] = env_find(env, a->tensor[k]->name)->value.t.var;
    spor_env names = {.parent = run->script->globals};
    spor_asserting at = {.asserted = a, .values = derived->values, .env = &names};
    derived->asserted = a;
    return quantities_bind(run, &at);
}

spor_derived *derived_find(spor_pass *run, const spor_function *function, spor_env *env) {
    spor_derived found;
    if (!run->training || !run->tape || run->own) return NULL;
    for (spor_asserted *a = claims_first(run->script); a; a = a->next) {
        if (!a->function || a->function->def != function->def || !covers(run, a, env, &found))
            continue;
        spor_derived *kept = arena_take(&run->script->arena, sizeof *kept);
        if (!kept) pass_fail(run, a->source->place, "out of memory");
        *kept = found;
        return kept;
    }
    return NULL;
}

/* ---- the backward pass ----------------------------------------------------------------------- */

typedef struct {
    spor_asserting *at;
    const spor_derived *derived;
    spor_var y, dy; /* all results, joined */
    const spor_var *operand;
    spor_var *d;
} request;

/* The names of the axes of result j, as the def gave them. */
static const spor_axes *result_axes(spor_pass *run, const request *r, int j) {
    spor_axes *axes = ground_take(&run->ground, 1, sizeof *axes);
    const spor_statement *s = &r->at->asserted->statement;
    for (int k = 0; k < SPOR_RANK; k++)
        if (r->derived->axis[j][k] >= 0)
            axes->symbol[k] =
                env_find(r->at->env, s->quantity[r->derived->axis[j][k]].name)->symbol;
    return axes;
}

/* The results out of what was joined. */
static void take_apart(spor_pass *run, const request *r, spor_var joined, spor_value parts[]) {
    const spor_derived *d = r->derived;
    for (int k = 0; k < d->results; k++)
        parts[k] =
            value_of_tensor(results_part(joined, d->results, d->shape, k), result_axes(run, r, k));
}

static void record(spor_pass *run, void *context) {
    request *r = context;
    const spor_asserted *a = r->at->asserted;
    spor_value inputs[SPOR_CUSTOM_OPERANDS], y[SPOR_RESULTS], dy[SPOR_RESULTS];
    pass_within(run, r->at->env);
    if (!quantities_bind(run, r->at))
        pass_fail(run, a->source->place, "%s is outside its where", a->source->target);
    for (int k = 0; k < a->tensors; k++) {
        spor_shape shape;
        inputs[k] =
            value_of_tensor(r->operand[k], quantities_axes(run, r->at, a->tensor[k], &shape));
    }
    take_apart(run, r, r->y, y);
    take_apart(run, r, r->dy, dy);
    derive_block(run, r->at, inputs, y, dy);
    for (int k = 0; k < a->tensors; k++)
        r->d[k] =
            a->value[k].kind == SPOR_RANGE_WHOLE
                ? op_fill_ratio(r->y.tape, 0, 1, spor_shape_of(r->operand[k]))
                : derive_formula(run, r->at, derive_name(run, a->tensor[k]->name), r->operand[k]);
}

static bool backward(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                     spor_var d[]) {
    const spor_derived *derived = user;
    spor_script *script = derived->asserted->script;
    spor_env env = {.parent = script->globals};
    spor_asserting at = {.asserted = derived->asserted, .values = derived->values, .env = &env};
    request r = {.at = &at, .derived = derived, .y = y, .dy = dy, .operand = operand, .d = d};
    for (int k = 0; k < n; k++) d[k] = (spor_var){y.tape, 0};
    return script_guard(script, y.tape, &at, record, &r);
}

/* Which sizes the axes of a result are. */
static void note_axes(spor_pass *run, const spor_asserted *a, const spor_value *y, int axis[]) {
    for (int k = 0; k < SPOR_RANK; k++) {
        axis[k] = -1;
        uint32_t symbol = y->t.axes ? y->t.axes->symbol[k] : 0;
        for (int q = a->sizes - 1; q >= 0 && symbol; q--)
            if (env_find(pass_env(run), a->statement.quantity[q].name)->symbol == symbol)
                axis[k] = q;
    }
}

/* The parts of what has the backward. A result without a cotangent stays what it was: its gradient is
 * the tape's. */
static spor_value parts_of(spor_pass *run, const spor_derived *derived, spor_var joined,
                           const spor_value y[]) {
    const spor_assertion *s = derived->asserted->source;
    spor_value *part = pass_items(run, s->place, derived->results);
    for (int k = 0; k < derived->results; k++) {
        part[k] = y[k];
        if (s->result[k].dy.name)
            part[k].t.var = results_part(joined, derived->results, derived->shape, k);
    }
    return pass_list(run, s->place, derived->results, part);
}

void derived_attach(spor_pass *run, spor_derived *derived, spor_value *result) {
    spor_asserted *a = derived->asserted;
    spor_value y[SPOR_RESULTS];
    spor_var var[SPOR_RESULTS];
    derive_results(run, a, result, y);
    pass_record(run, a->source->place);
    derived->results = a->source->results;
    for (int k = 0; k < derived->results; k++) {
        var[k] = y[k].t.var;
        derived->shape[k] = spor_shape_of(var[k]);
        note_axes(run, a, &y[k], derived->axis[k]);
    }
    spor_var joined = pass_recorded(run, results_join(derived->results, var));
    for (int k = 0; k < a->tensors; k++)
        if (derived->operand[k].id >= joined.id) return; /* nothing was recorded */
    spor_custom_vjp(joined, a->tensors, derived->operand, backward, derived);
    if (derived->results > 1) *result = parts_of(run, derived, joined, y);
    pass_recorded(run, joined);
    a->shown.calls++;
}
