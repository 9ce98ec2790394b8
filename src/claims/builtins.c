/*
 * Built-ins of claims: what they may ask the tape for.
 */
#include "claims/private.h"

static spor_asserting *asserting_of(const spor_given *g, bool in_derive) {
    spor_asserting *at = g->run->own;
    if (!at) pass_fail(g->run, g->place, "%s is for claims", g->builtin->name);
    if (at->asserted->function && !in_derive)
        pass_fail(g->run, g->place,
                  "a derivation is written by hand: it does not ask the tape for %s",
                  g->builtin->name);
    return at;
}

static spor_value pull_back(const spor_given *g, spor_var y, spor_var dy, const spor_value *x) {
    spor_var d;
    pass_record(g->run, g->place);
    if (!spor_vjp(y, dy, 1, &x->t.var, &d)) d = (spor_var){y.tape, 0};
    return value_of_tensor(pass_recorded(g->run, d), x->t.axes);
}

/* grad(cost, x) */
static spor_value grad(const spor_given *g) {
    asserting_of(g, false);
    spor_value cost = given_tensor(g, 0), x = given_tensor(g, 1);
    if (spor_shape_of(cost.t.var).rank)
        pass_fail(g->run, g->at[0], "grad: a cost is a single number, not %s; sum it",
                  value_describe(&g->run->ground, &cost));
    spor_value one = value_of_int(1);
    spor_var dy = tensor_fill(g->run, g->place, &one, SPOR_SCALAR_SHAPE);
    return pull_back(g, cost.t.var, dy, &x);
}

/* vjp(y, dy, x) */
static spor_value vjp(const spor_given *g) {
    asserting_of(g, false);
    spor_value y = given_tensor(g, 0), dy = given_tensor(g, 1), x = given_tensor(g, 2);
    return pull_back(g, y.t.var, dy.t.var, &x);
}

/* derivative(f, Z): f'(Z) of an elementwise f */
static spor_value derivative(const spor_given *g) {
    asserting_of(g, true);
    spor_value z = given_tensor(g, 1), one = value_of_int(1);
    const char *keyword = NULL;
    spor_arguments arguments = {g->place, 1, &z, &keyword, &g->place};
    spor_value y = pass_call(g->run, g->arg[0], &arguments);
    spor_shape from = spor_shape_of(z.t.var),
               to = y.kind == VALUE_TENSOR ? spor_shape_of(y.t.var) : SPOR_SCALAR_SHAPE;
    if (y.kind != VALUE_TENSOR || !shape_equal(&from, &to))
        pass_fail(g->run, g->at[0], "derivative: f must be elementwise, but of %s it makes %s",
                  value_describe(&g->run->ground, &z), value_describe(&g->run->ground, &y));
    return pull_back(g, y.t.var, tensor_fill(g->run, g->place, &one, to), &z);
}

/* any_like(Z): one more tensor that the claim is for all values of */
static spor_value any_like(const spor_given *g) {
    spor_asserting *at = asserting_of(g, false);
    spor_value z = given_tensor(g, 0);
    const char *name = ground_take_format(&g->run->ground, "any[%d]", at->instance->inputs);
    spor_var x = asserting_input(g->run, at, g->place, name, spor_shape_of(z.t.var));
    return value_of_tensor(x, z.t.axes);
}

const spor_builtin claims_builtins[] = {
    {"grad", "cost, x", grad},   {"vjp", "y, dy, x", vjp}, {"derivative", "f, Z", derivative},
    {"any_like", "Z", any_like}, {NULL, NULL, NULL},
};
