/*
 * Training with derivations: a call of a def whose derive was accepted carries the derive's block
 * as its hand-derived backward.
 */
#include "claims/private.h"
#include "tape/op.h"
#include "tape/tape.h"

/* Lives as long as the script, since programs keep it. */
struct spor_derived {
    spor_asserted *asserted;
    int64_t values[SPOR_QUANTITIES];
    spor_var operand[SPOR_CUSTOM_OPERANDS];
    int axis[SPOR_RANK]; /* which size an axis of the result is, -1: none */
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
    const int *axis;
    spor_var y, dy;
    const spor_var *operand;
    spor_var *d;
} request;

/* The names of the result's axes, as the def gave them. */
static const spor_axes *result_axes(spor_pass *run, const request *r) {
    spor_axes *axes = ground_take(&run->ground, 1, sizeof *axes);
    const spor_statement *s = &r->at->asserted->statement;
    for (int k = 0; k < SPOR_RANK; k++)
        if (r->axis[k] >= 0)
            axes->symbol[k] = env_find(r->at->env, s->quantity[r->axis[k]].name)->symbol;
    return axes;
}

static void record(spor_pass *run, void *context) {
    request *r = context;
    const spor_asserted *a = r->at->asserted;
    spor_value inputs[SPOR_CUSTOM_OPERANDS];
    pass_within(run, r->at->env);
    if (!quantities_bind(run, r->at))
        pass_fail(run, a->source->place, "%s is outside its where", a->source->target);
    for (int k = 0; k < a->tensors; k++) {
        spor_shape shape;
        inputs[k] =
            value_of_tensor(r->operand[k], quantities_axes(run, r->at, a->tensor[k], &shape));
    }
    const spor_axes *axes = result_axes(run, r);
    derive_block(run, r->at, inputs, value_of_tensor(r->y, axes), value_of_tensor(r->dy, axes));
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
    request r = {.at = &at, .axis = derived->axis, .y = y, .dy = dy, .operand = operand, .d = d};
    for (int k = 0; k < n; k++) d[k] = (spor_var){y.tape, 0};
    return script_guard(script, y.tape, &at, record, &r);
}

void derived_attach(spor_pass *run, spor_derived *derived, const spor_value *result) {
    spor_asserted *a = derived->asserted;
    if (result->kind != VALUE_TENSOR) return;
    for (int k = 0; k < a->tensors; k++)
        if (derived->operand[k].id >= result->t.var.id) return; /* nothing was recorded */
    for (int k = 0; k < SPOR_RANK; k++) {
        derived->axis[k] = -1;
        uint32_t symbol = result->t.axes ? result->t.axes->symbol[k] : 0;
        for (int q = a->sizes - 1; q >= 0 && symbol; q--)
            if (env_find(pass_env(run), a->statement.quantity[q].name)->symbol == symbol)
                derived->axis[k] = q;
    }
    pass_record(run, a->source->place);
    spor_custom_vjp(result->t.var, a->tensors, derived->operand, backward, derived);
    pass_recorded(run, result->t.var);
    a->shown.calls++;
}
