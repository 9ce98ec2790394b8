/*
 * Built-ins of rows, order and products of tensors.
 */
#include "script/interpret.h"

/* The axis that argument k says, else the last one. */
static int axis_given(const spor_given *g, int k, const spor_value *x, int64_t otherwise) {
    spor_value usual = value_of_int(otherwise);
    return want_axis(g->run, g->at[k], given_what(g, k), g->arg[k] ? g->arg[k] : &usual, x);
}

/* ---- rows ---- */

/* Rows along an axis that is not the first: it is put there, and the axes of the index where it was. */
static spor_var take_inside(spor_var x, spor_var i, int axis) {
    int rank = spor_shape_of(x).rank, more = spor_shape_of(i).rank;
    int64_t perm[SPOR_RANK] = {axis}, back[SPOR_RANK];
    for (int k = 0, to = 1; k < rank; k++)
        if (k != axis) perm[to++] = k;
    spor_var z = spor_take(spor_transpose(x, perm), i, 0);
    for (int k = 0; k < rank - 1 + more && z.id; k++)
        back[k] = k < axis ? more + k : k < axis + more ? k - axis : k;
    return spor_transpose(z, back);
}

/* take(x, i, axis=0, batch=0) */
static spor_value take(const spor_given *g) {
    spor_value x = given_tensor(g, 0), i = given_tensor(g, 1);
    int64_t batch = given_int(g, 3, 0);
    int axis = g->arg[2] ? axis_given(g, 2, &x, 0) : 0;
    if (axis && batch)
        pass_fail(g->run, g->at[3], "take: with batch rows lie along the axis behind the batches");
    pass_record(g->run, g->place);
    spor_var z =
        axis ? take_inside(x.t.var, i.t.var, axis) : spor_take(x.t.var, i.t.var, (int)batch);
    return value_of_tensor(pass_recorded(g->run, z),
                           batch ? NULL : tensor_taken_axes(g->run, &x, &i, axis));
}

static spor_value take_along(const spor_given *g) {
    spor_value x = given_tensor(g, 0), i = given_tensor(g, 1);
    int axis = axis_given(g, 2, &x, -1);
    pass_record(g->run, g->place);
    return value_of_tensor(pass_recorded(g->run, spor_take_along(x.t.var, i.t.var, axis)),
                           i.t.axes);
}

static spor_value one_hot(const spor_given *g) {
    spor_value i = given_tensor(g, 0);
    int64_t n = given_int(g, 1, 0);
    spor_axes *names = axes_copy(g->run, i.t.axes);
    if (names && spor_shape_of(i.t.var).rank < SPOR_RANK)
        names->symbol[spor_shape_of(i.t.var).rank] = 0;
    pass_record(g->run, g->place);
    return value_of_tensor(pass_recorded(g->run, spor_one_hot(i.t.var, n)), names);
}

/* ---- order ---- */

static spor_value sort(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    int axis = axis_given(g, 1, &x, -1);
    pass_record(g->run, g->place);
    return value_of_tensor(pass_recorded(g->run, spor_sort(x.t.var, axis)), x.t.axes);
}

/* The k largest along an axis, the largest first, and where they lie. */
static spor_value top_k(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    int64_t k = given_int(g, 1, 0), lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    int axis = axis_given(g, 2, &x, -1);
    int64_t n = spor_shape_of(x.t.var).n[axis];
    if (k < 1 || k > n)
        pass_fail(g->run, g->at[1], "top_k: k is %" PRId64 ", and the axis has %" PRId64, k, n);
    hi[axis] = k - n;
    spor_axes *names = axes_copy(g->run, x.t.axes);
    if (names && k < n) names->symbol[axis] = 0;
    pass_record(g->run, g->place);
    spor_var falling = pass_recorded(g->run, spor_argsort(spor_neg(x.t.var), axis));
    spor_var at = pass_recorded(g->run, k < n ? spor_pad(falling, lo, hi, 0) : falling);
    spor_var largest = pass_recorded(g->run, spor_take_along(x.t.var, at, axis));
    spor_value *items = pass_items(g->run, g->place, 2);
    items[0] = value_of_tensor(largest, names);
    items[1] = value_of_tensor(at, names);
    return pass_list(g->run, g->place, 2, items);
}

const spor_builtin spor_order_builtins[] = {
    {"take", "x, i, axis?, batch?", take}, {"take_along", "x, i, axis?", take_along},
    {"one_hot", "i, n", one_hot},          {"sort", "x, axis?", sort},
    {"top_k", "x, k, axis?", top_k},       {NULL, NULL, NULL},
};
