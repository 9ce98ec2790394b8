/*
 * Built-ins that reduce: sums, means, maxima of tensors along axes, and of numbers.
 */
#include "script/interpret.h"

/* ---- tensors ---- */

/* Puts the axes of the mask back with size 1. */
static spor_var keep_axes(spor_pass *run, spor_var z, spor_shape from, int64_t mask) {
    for (int k = 0; k < from.rank; k++)
        if (mask >> k & 1) from.n[k] = 1;
    return pass_recorded(run, spor_reshape(z, from));
}

/* op(x, axis, keepdims) with arguments 0, 1, 2; all axes if none are named */
static spor_value along_axes(const spor_given *g, spor_var (*op)(spor_var x, int64_t axes)) {
    spor_value x = given_tensor(g, 0);
    spor_shape from = spor_shape_of(x.t.var);
    int64_t mask = SPOR_AXIS(from.rank) - 1;
    if (g->arg[1]) mask = want_axes(g->run, g->at[1], given_what(g, 1), g->arg[1], &x);
    bool keep = given_bool(g, 2, false);
    pass_record(g->run, g->place);
    spor_var z = pass_recorded(g->run, op(x.t.var, mask));
    if (!keep) return value_of_tensor(z, axes_without(g->run, x.t.axes, from.rank, mask));
    spor_axes *names = axes_copy(g->run, x.t.axes);
    for (int k = 0; k < from.rank && names; k++)
        if (mask >> k & 1) names->symbol[k] = 0;
    return value_of_tensor(keep_axes(g->run, z, from, mask), names);
}

/* ---- numbers ---- */

/* The sum of a list of numbers or tensors, one after another. */
static spor_value sum_list(const spor_given *g) {
    const spor_list *list = &g->arg[0]->list;
    spor_value total = value_of_int(0);
    pass_spend(g->run, g->place, list->n);
    for (int k = 0; k < list->n; k++)
        total = k ? pass_binary(g->run, g->place, '+', &total, &list->item[k]) : list->item[k];
    return total;
}

/* The item that was chosen as the extreme one of n. A real is known no better than those that may be
 * the extreme one in truth. */
static spor_value chosen(const spor_value item[], int n, int best) {
    spor_value result = item[best];
    for (int k = 0; k < n && result.kind == VALUE_REAL; k++) {
        double gap = fabs(value_number(&item[k]) - result.r), error = value_error(&item[k]);
        if (error >= gap && error > result.error) result.error = error;
    }
    return result;
}

/* The extreme one of the arguments, or of a list of numbers. */
static spor_value extreme(const spor_given *g, bool largest) {
    const spor_arguments *a = g->all;
    bool list = a->n == 1 && a->value[0].kind == VALUE_LIST;
    const spor_value *item = list ? a->value[0].list.item : a->value;
    int n = list ? a->value[0].list.n : a->n;
    if (n < 1) pass_fail(g->run, g->place, "%s needs a number", g->builtin->name);
    int best = 0;
    pass_spend(g->run, g->place, n);
    for (int k = 0; k < n; k++) {
        if (!value_is_number(&item[k]))
            pass_fail(g->run, g->place, "%s takes numbers, not %s; for tensors there is %s",
                      g->builtin->name, value_describe(&g->run->ground, &item[k]),
                      largest ? "maximum(x, y)" : "minimum(x, y)");
        double x = value_number(&item[k]), y = value_number(&item[best]);
        if (largest ? x > y : x < y) best = k;
    }
    return chosen(item, n, best);
}

/* ---- names ---- */

static spor_value sum(const spor_given *g) {
    if (g->arg[0]->kind == VALUE_LIST) return sum_list(g);
    return along_axes(g, spor_sum);
}

static spor_value mean(const spor_given *g) {
    return along_axes(g, spor_mean);
}

static spor_value prod(const spor_given *g) {
    return along_axes(g, spor_prod);
}

static spor_value max_along(const spor_given *g) {
    return along_axes(g, spor_max);
}

/* max(x, axis, keepdims) of a tensor, max(a, b, ...) of numbers */
static spor_value max(const spor_given *g) {
    static const spor_builtin of_tensor = {"max", "x, axis?, keepdims?", max_along};
    bool tensor = g->all->n && g->all->value[0].kind == VALUE_TENSOR;
    for (int k = 0; k < g->all->n; k++) tensor |= g->all->keyword[k] != NULL;
    if (!tensor) return extreme(g, true);
    spor_value callee = {.kind = VALUE_BUILTIN, .builtin = &of_tensor};
    return pass_call(g->run, &callee, g->all);
}

static spor_value min(const spor_given *g) {
    return extreme(g, false);
}

const spor_builtin spor_reduce_builtins[] = {
    {"sum", "x, axis?, keepdims?", sum},
    {"mean", "x, axis?, keepdims?", mean},
    {"prod", "x, axis?, keepdims?", prod},
    {"max", "**", max},
    {"min", "*", min},
    {NULL, NULL, NULL},
};
