/*
 * What functions want of their arguments: each conversion has its message.
 */
#include "script/interpret.h"

#include <string.h>

static _Noreturn void refuse(spor_pass *run, spor_spot at, const char *what, const char *wanted,
                             const spor_value *v) {
    pass_fail(run, at, "%s must be %s but is %s", what, wanted, value_describe(&run->ground, v));
}

int64_t want_int(spor_pass *run, spor_spot at, const char *what, const spor_value *v) {
    if (v->kind == VALUE_REAL) refuse(run, at, what, "an integer (// divides integers)", v);
    if (v->kind != VALUE_INT) refuse(run, at, what, "an integer", v);
    return v->i;
}

double want_real(spor_pass *run, spor_spot at, const char *what, const spor_value *v) {
    if (!value_is_number(v)) refuse(run, at, what, "a number", v);
    return value_number(v);
}

bool want_bool(spor_pass *run, spor_spot at, const char *what, const spor_value *v) {
    if (v->kind != VALUE_BOOL) refuse(run, at, what, "True or False", v);
    return v->b;
}

const char *want_string(spor_pass *run, spor_spot at, const char *what, const spor_value *v) {
    if (v->kind != VALUE_STRING) refuse(run, at, what, "a string", v);
    return v->s;
}

const spor_list *want_list(spor_pass *run, spor_spot at, const char *what, const spor_value *v) {
    if (v->kind != VALUE_LIST) refuse(run, at, what, "a list", v);
    return &v->list;
}

spor_shape want_shape(spor_pass *run, spor_spot at, const char *what, const spor_value *v) {
    if (v->kind == VALUE_INT) return SPOR_SHAPE(v->i);
    if (v->kind != VALUE_LIST) refuse(run, at, what, "a list of integers", v);
    if (v->list.n > SPOR_RANK)
        pass_fail(run, at, "%s has %d sizes; a tensor has at most %d axes", what, v->list.n,
                  SPOR_RANK);
    spor_shape shape = {.rank = v->list.n};
    for (int k = 0; k < shape.rank; k++) shape.n[k] = want_int(run, at, what, &v->list.item[k]);
    return shape;
}

spor_value want_tensor(spor_pass *run, spor_spot at, const char *what, const spor_value *v) {
    if (v->kind == VALUE_TENSOR) return *v;
    if (v->kind == VALUE_LIST) return tensor_of_list(run, at, what, v);
    if (!value_is_number(v)) refuse(run, at, what, "a tensor", v);
    return value_of_tensor(tensor_fill(run, at, v, SPOR_SCALAR_SHAPE), NULL);
}

void want_pads(spor_pass *run, spor_spot at, const char *what, const spor_value *v, int n,
               int64_t before[], int64_t after[]) {
    const spor_value *items = v->kind == VALUE_LIST ? v->list.item : NULL;
    bool pair = n == 1 && items && v->list.n == 2 && items[0].kind == VALUE_INT;
    if (items && !pair && v->list.n != n)
        pass_fail(run, at,
                  "%s must be an integer or a list with an entry for each of %d ax%ss, not "
                  "a list of %d",
                  what, n, n == 1 ? "i" : "e", v->list.n);
    for (int k = 0; k < n; k++) {
        const spor_value *one = items && !pair ? &items[k] : v;
        bool two = one->kind == VALUE_LIST;
        if (two && one->list.n != 2)
            pass_fail(run, at, "%s takes [before, after] for an axis, not a list of %d", what,
                      one->list.n);
        before[k] = want_int(run, at, what, two ? &one->list.item[0] : one);
        after[k] = want_int(run, at, what, two ? &one->list.item[1] : one);
    }
}

/* ---- axes ------------------------------------------------------------------------------------ */

static uint32_t symbol_of(spor_pass *run, spor_spot at, const char *what, const char *name) {
    for (const spor_env *env = pass_env(run); env; env = env->parent)
        for (int k = 0; k < env->n; k++)
            if (env->binding[k].symbol && strcmp(env->binding[k].name, name) == 0)
                return env->binding[k].symbol;
    pass_fail(run, at, "%s: no signature here names an axis %s", what, name);
}

static int named_axis(spor_pass *run, spor_spot at, const char *what, const char *name,
                      const spor_value *tensor) {
    uint32_t symbol = symbol_of(run, at, what, name);
    int rank = spor_shape_of(tensor->t.var).rank, found = -1;
    for (int k = 0; k < rank && tensor->t.axes; k++) {
        if (tensor->t.axes->symbol[k] != symbol) continue;
        if (found >= 0)
            pass_fail(run, at, "%s: axes %d and %d are both %s; use a number", what, found, k,
                      name);
        found = k;
    }
    if (found < 0)
        pass_fail(run, at, "%s: no axis of %s is known as %s; use a number", what,
                  value_describe(&run->ground, tensor), name);
    return found;
}

int want_axis(spor_pass *run, spor_spot at, const char *what, const spor_value *v,
              const spor_value *tensor) {
    if (v->kind == VALUE_STRING) return named_axis(run, at, what, v->s, tensor);
    int64_t axis = want_int(run, at, what, v);
    int rank = spor_shape_of(tensor->t.var).rank;
    if (axis < -rank || axis >= rank)
        pass_fail(run, at, "%s is %" PRId64 " but %s has %d ax%ss", what, axis,
                  value_describe(&run->ground, tensor), rank, rank == 1 ? "i" : "e");
    return (int)(axis < 0 ? axis + rank : axis);
}

int want_axis_list(spor_pass *run, spor_spot at, const char *what, const spor_value *v,
                   const spor_value *tensor, int axes[SPOR_RANK]) {
    int n = v->kind == VALUE_LIST ? v->list.n : 1;
    if (n > SPOR_RANK) pass_fail(run, at, "%s names %d axes", what, n);
    for (int k = 0; k < n; k++) {
        const spor_value *one = v->kind == VALUE_LIST ? &v->list.item[k] : v;
        axes[k] = want_axis(run, at, what, one, tensor);
        for (int other = 0; other < k; other++)
            if (axes[other] == axes[k]) pass_fail(run, at, "%s names axis %d twice", what, axes[k]);
    }
    return n;
}

int64_t want_axes(spor_pass *run, spor_spot at, const char *what, const spor_value *v,
                  const spor_value *tensor) {
    int axes[SPOR_RANK];
    int64_t mask = 0;
    int n = want_axis_list(run, at, what, v, tensor, axes);
    for (int k = 0; k < n; k++) mask |= SPOR_AXIS(axes[k]);
    return mask;
}

/* ---- arguments of built-ins ------------------------------------------------------------------ */

const char *given_what(const spor_given *g, int k) {
    const char *name = g->builtin->parameters;
    for (; k > 0; k--) name += strcspn(name, ",") + strspn(name + strcspn(name, ","), ", ");
    return ground_take_format(&g->run->ground, "%s: %.*s", g->builtin->name,
                              (int)strcspn(name, ",?"), name);
}

int64_t given_int(const spor_given *g, int k, int64_t otherwise) {
    if (!g->arg[k]) return otherwise;
    return want_int(g->run, g->at[k], given_what(g, k), g->arg[k]);
}

double given_real(const spor_given *g, int k, double otherwise) {
    if (!g->arg[k]) return otherwise;
    return want_real(g->run, g->at[k], given_what(g, k), g->arg[k]);
}

double given_error(const spor_given *g, int k) {
    return g->arg[k] && value_is_number(g->arg[k]) ? value_error(g->arg[k]) : 0;
}

bool given_bool(const spor_given *g, int k, bool otherwise) {
    if (!g->arg[k]) return otherwise;
    return want_bool(g->run, g->at[k], given_what(g, k), g->arg[k]);
}

const char *given_string(const spor_given *g, int k, const char *otherwise) {
    if (!g->arg[k]) return otherwise;
    return want_string(g->run, g->at[k], given_what(g, k), g->arg[k]);
}

spor_value given_tensor(const spor_given *g, int k) {
    return want_tensor(g->run, g->at[k], given_what(g, k), g->arg[k]);
}
