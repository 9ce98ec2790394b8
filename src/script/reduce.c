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

/* A result from which the axes of the mask have vanished, put back if asked for. */
static spor_value reduced(const spor_given *g, const spor_value *x, spor_var z, int64_t mask) {
    spor_shape from = spor_shape_of(x->t.var);
    if (!given_bool(g, 2, false))
        return value_of_tensor(z, axes_without(g->run, x->t.axes, from.rank, mask));
    spor_axes *names = axes_copy(g->run, x->t.axes);
    for (int k = 0; k < from.rank && names; k++)
        if (mask >> k & 1) names->symbol[k] = 0;
    return value_of_tensor(keep_axes(g->run, z, from, mask), names);
}

/* op(x, axis, keepdims) with arguments 0, 1, 2; all axes if none are named */
static spor_value along_axes(const spor_given *g, spor_var (*op)(spor_var x, int64_t axes)) {
    spor_value x = given_tensor(g, 0);
    int64_t mask = SPOR_AXIS(spor_shape_of(x.t.var).rank) - 1;
    if (g->arg[1]) mask = want_axes(g->run, g->at[1], given_what(g, 1), g->arg[1], &x);
    pass_record(g->run, g->place);
    return reduced(g, &x, pass_recorded(g->run, op(x.t.var, mask)), mask);
}

/* ---- ops of one axis, along several ---- */

typedef spor_var along_one(spor_var x, int axis);

/* The axes of the mask behind the others, and where each then was. */
static void put_last(int rank, int64_t mask, int64_t perm[], int64_t back[]) {
    int to = 0;
    for (int last = 0; last < 2; last++)
        for (int k = 0; k < rank; k++)
            if ((mask >> k & 1) == last) perm[to++] = k;
    for (int k = 0; k < rank; k++) back[perm[k]] = k;
}

/* op along all axes of the mask as one, which they are merged into; a result that still has it gets them
 * back. */
static spor_var along_merged(spor_pass *run, along_one *op, spor_var x, int64_t mask) {
    spor_shape from = spor_shape_of(x), turned = {.rank = from.rank}, merged = {0};
    int64_t perm[SPOR_RANK], back[SPOR_RANK], size = 1;
    put_last(from.rank, mask, perm, back);
    for (int k = 0; k < from.rank; k++) {
        turned.n[k] = from.n[perm[k]];
        if (mask >> perm[k] & 1)
            size *= turned.n[k];
        else
            merged.n[merged.rank++] = turned.n[k];
    }
    int axis = merged.rank;
    merged.n[merged.rank++] = size;
    spor_var y = pass_recorded(run, spor_transpose(x, perm));
    y = pass_recorded(run, op(spor_reshape(y, merged), axis));
    if (spor_shape_of(y).rank < merged.rank) return y;
    return pass_recorded(run, spor_transpose(spor_reshape(y, turned), back));
}

/* The axes named, the last one if none is, in the order of op(x, axis?). */
static int64_t axes_or_last(const spor_given *g, const spor_value *x) {
    spor_value last = value_of_int(-1);
    return want_axes(g->run, g->arg[1] ? g->at[1] : g->at[0], given_what(g, 1),
                     g->arg[1] ? g->arg[1] : &last, x);
}

static spor_var along_mask(spor_pass *run, along_one *op, spor_var x, int64_t mask) {
    int axis = 0;
    while (mask >> axis != 1 && axis + 1 < SPOR_RANK) axis++;
    bool one = mask == SPOR_AXIS(axis);
    return one ? pass_recorded(run, op(x, axis)) : along_merged(run, op, x, mask);
}

/* op(x, axis) of x's shape */
static spor_value shares(const spor_given *g, along_one *op) {
    spor_value x = given_tensor(g, 0);
    int64_t mask = axes_or_last(g, &x);
    pass_record(g->run, g->place);
    return value_of_tensor(along_mask(g->run, op, x.t.var, mask), x.t.axes);
}

static spor_value softmax(const spor_given *g) {
    return shares(g, (spor_softmax));
}
static spor_value log_softmax(const spor_given *g) {
    return shares(g, (spor_log_softmax));
}

static spor_value logsumexp(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    int64_t mask = axes_or_last(g, &x);
    pass_record(g->run, g->place);
    return reduced(g, &x, along_mask(g->run, (spor_logsumexp), x.t.var, mask), mask);
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

/* The smallest is the largest of what is negated: the first of a tie, as max has it. */
static spor_var smallest(spor_var x, int64_t axes) {
    return spor_neg(spor_max(spor_neg(x), axes));
}
static spor_value min_along(const spor_given *g) {
    return along_axes(g, smallest);
}

/* max(x, axis, keepdims) of a tensor, max(a, b, ...) of numbers */
static spor_value largest_of(const spor_given *g, const spor_builtin *of_tensor, bool largest) {
    bool tensor = g->all->n && g->all->value[0].kind == VALUE_TENSOR;
    for (int k = 0; k < g->all->n; k++) tensor |= g->all->keyword[k] != NULL;
    if (!tensor) return extreme(g, largest);
    spor_value callee = {.kind = VALUE_BUILTIN, .builtin = of_tensor};
    return pass_call(g->run, &callee, g->all);
}

static spor_value max(const spor_given *g) {
    static const spor_builtin of_tensor = {"max", "x, axis?, keepdims?", max_along};
    return largest_of(g, &of_tensor, true);
}
static spor_value min(const spor_given *g) {
    static const spor_builtin of_tensor = {"min", "x, axis?, keepdims?", min_along};
    return largest_of(g, &of_tensor, false);
}

const spor_builtin spor_reduce_builtins[] = {
    {"sum", "x, axis?, keepdims?", sum},
    {"mean", "x, axis?, keepdims?", mean},
    {"prod", "x, axis?, keepdims?", prod},
    {"max", "**", max},
    {"min", "**", min},
    {"logsumexp", "x, axis?, keepdims?", logsumexp},
    {"softmax", "x, axis?", softmax},
    {"log_softmax", "x, axis?", log_softmax},
    {NULL, NULL, NULL},
};
