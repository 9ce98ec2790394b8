/*
 * Built-ins that lay tensors out: shapes, pads, parts, and correlation of any rank.
 */
#include "script/interpret.h"

#include <string.h>

/* A recorded result whose axes have no names. */
static spor_value nameless(const spor_given *g, spor_var var) {
    return value_of_tensor(pass_recorded(g->run, var), NULL);
}

/* ---- questions ------------------------------------------------------------------------------- */

static spor_shape shape_given(const spor_given *g) {
    return spor_shape_of(given_tensor(g, 0).t.var);
}

static spor_value shape(const spor_given *g) {
    spor_shape s = shape_given(g);
    spor_value *items = pass_items(g->run, g->place, s.rank);
    for (int k = 0; k < s.rank; k++) items[k] = value_of_int(s.n[k]);
    return pass_list(g->run, g->place, s.rank, items);
}

static spor_value size(const spor_given *g) {
    spor_shape s = shape_given(g);
    return value_of_int(shape_size(&s));
}

static spor_value rank(const spor_given *g) {
    return value_of_int(shape_given(g).rank);
}

static spor_value batch(const spor_given *g) {
    spor_shape s = shape_given(g);
    if (!s.rank) pass_fail(g->run, g->place, "batch: a scalar has no axes");
    return value_of_int(s.n[0]);
}

static spor_value channels(const spor_given *g) {
    spor_shape s = shape_given(g);
    if (!s.rank) pass_fail(g->run, g->place, "channels: a scalar has no axes");
    return value_of_int(s.n[s.rank - 1]);
}

static spor_value identity(const spor_given *g) {
    return *g->arg[0];
}

/* ---- the same elements in another shape ------------------------------------------------------ */

/* Replaces one -1 by what is left of the size. */
static void complete(const spor_given *g, spor_shape *to, int64_t size_of_x) {
    int missing = -1;
    int64_t known = 1;
    for (int k = 0; k < to->rank; k++) {
        if (to->n[k] == -1) {
            if (missing >= 0) pass_fail(g->run, g->at[1], "reshape: -1 stands once in a shape");
            missing = k;
        } else if (to->n[k] < 0 || __builtin_mul_overflow(known, to->n[k], &known)) {
            pass_fail(g->run, g->at[1], "reshape: a shape cannot have size %" PRId64, to->n[k]);
        }
    }
    if (missing < 0) return;
    if (!known)
        pass_fail(g->run, g->at[1], "reshape: beside a size of 0 any number may stand for -1");
    if (size_of_x % known)
        pass_fail(g->run, g->at[1], "reshape: %" PRId64 " elements do not divide by %" PRId64,
                  size_of_x, known);
    to->n[missing] = size_of_x / known;
}

static spor_value reshape(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    spor_shape from = spor_shape_of(x.t.var);
    spor_shape to = want_shape(g->run, g->at[1], given_what(g, 1), g->arg[1]);
    complete(g, &to, shape_size(&from));
    pass_record(g->run, g->place);
    spor_axes *axes = axes_copy(g->run, x.t.axes);
    int same = 0; /* leading axes that stay keep their names */
    while (same < from.rank && same < to.rank && from.n[same] == to.n[same]) same++;
    if (axes) memset(axes->symbol + same, 0, (size_t)(SPOR_RANK - same) * sizeof *axes->symbol);
    spor_var z = spor_reshape(x.t.var, to);
    return value_of_tensor(pass_recorded(g->run, z), axes);
}

static spor_value flatten(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    spor_axes *axes = axes_copy(g->run, x.t.axes);
    if (axes && spor_shape_of(x.t.var).rank != 2) axes->symbol[1] = 0;
    pass_record(g->run, g->place);
    return value_of_tensor(pass_recorded(g->run, spor_flatten(x.t.var)), axes);
}

static spor_value transpose(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    int n = spor_shape_of(x.t.var).rank, perm[SPOR_RANK];
    int64_t wide[SPOR_RANK] = {0};
    for (int k = 0; k < n; k++) perm[k] = n - 1 - k;
    if (g->arg[1]) {
        const char *what = given_what(g, 1);
        int given = want_axis_list(g->run, g->at[1], what, g->arg[1], &x, perm);
        if (given != n)
            pass_fail(g->run, g->at[1], "%s must name all %d axes but names %d", what, n, given);
    }
    spor_axes *axes = axes_copy(g->run, x.t.axes);
    for (int k = 0; k < n; k++) {
        wide[k] = perm[k];
        if (axes) axes->symbol[k] = x.t.axes->symbol[perm[k]];
    }
    pass_record(g->run, g->place);
    return value_of_tensor(pass_recorded(g->run, spor_transpose(x.t.var, wide)), axes);
}

static spor_value broadcast(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    spor_shape to = want_shape(g->run, g->at[1], given_what(g, 1), g->arg[1]);
    pass_record(g->run, g->place);
    return nameless(g, spor_broadcast(x.t.var, to));
}

/* expand(x, axis, shape): axis counts in the result */
static spor_value expand(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    spor_shape axes = want_shape(g->run, g->at[1], given_what(g, 1), g->arg[1]);
    spor_shape to = want_shape(g->run, g->at[2], given_what(g, 2), g->arg[2]);
    int64_t mask = 0;
    for (int k = 0; k < axes.rank; k++) {
        int64_t axis = axes.n[k] < 0 ? axes.n[k] + to.rank : axes.n[k];
        if (axis < 0 || axis >= to.rank)
            pass_fail(g->run, g->at[1], "expand: axis is %" PRId64 " but shape has %d axes",
                      axes.n[k], to.rank);
        mask |= SPOR_AXIS(axis);
    }
    pass_record(g->run, g->place);
    return nameless(g, spor_expand(x.t.var, mask, to));
}

/* ---- margins ---- */

/* The axes that pad and crop mean if none are named: H and W, or the only one. */
static int usual_axes(const spor_given *g, const spor_value *x, int axes[SPOR_RANK]) {
    int n = spor_shape_of(x->t.var).rank;
    if (n < 1 || n > 4)
        pass_fail(g->run, g->place, "%s needs axis for %s", g->builtin->name,
                  tensor_text(g->run, x));
    axes[0] = n == 4;
    axes[1] = axes[0] + 1;
    return n == 1 ? 1 : 2;
}

/* The margins of pad and crop on each axis, times sign; fill may be off by error. */
static spor_value margins(const spor_given *g, int axis_at, int sign, double fill, double error) {
    spor_value x = given_tensor(g, 0);
    int axes[SPOR_RANK];
    int64_t before[SPOR_RANK], after[SPOR_RANK], lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    int n = g->arg[axis_at] ? want_axis_list(g->run, g->at[axis_at], given_what(g, axis_at),
                                             g->arg[axis_at], &x, axes)
                            : usual_axes(g, &x, axes);
    want_pads(g->run, g->at[1], given_what(g, 1), g->arg[1], n, before, after);
    const int64_t most = INT64_C(1) << 40; /* as many as a tensor may have elements */
    bool any = false;
    spor_axes *names = axes_copy(g->run, x.t.axes);
    for (int k = 0; k < n; k++) {
        if (before[k] < -most || before[k] > most || after[k] < -most || after[k] > most)
            pass_fail(g->run, g->at[1], "%s is larger than a tensor can be", given_what(g, 1));
        lo[axes[k]] = sign * before[k];
        hi[axes[k]] = sign * after[k];
        any |= before[k] || after[k];
        if (names && before[k] + after[k]) names->symbol[axes[k]] = 0;
    }
    if (!any) return x;
    pass_record(g->run, g->place);
    return value_of_tensor(pass_recorded(g->run, op_pad(x.t.var, lo, hi, fill, error)), names);
}

static spor_value pad(const spor_given *g) {
    return margins(g, 3, 1, given_real(g, 2, 0), given_error(g, 2));
}
static spor_value crop(const spor_given *g) {
    return margins(g, 2, -1, 0, 0);
}

/* ---- parts ---- */

static spor_var part(const spor_given *g, const spor_value *x, int axis, int64_t start,
                     int64_t length) {
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    lo[axis] = -start;
    hi[axis] = start + length - spor_shape_of(x->t.var).n[axis];
    pass_record(g->run, g->place);
    return pass_recorded(g->run, spor_pad(x->t.var, lo, hi, 0));
}

/* The lengths of the parts of n elements: so many equal ones, or as listed. */
static int64_t *lengths(const spor_given *g, int64_t n, int64_t *count) {
    const spor_value *v = g->arg[1];
    const char *what = given_what(g, 1);
    bool list = v->kind == VALUE_LIST;
    *count = list ? v->list.n : want_int(g->run, g->at[1], what, v);
    if (*count > SPOR_LIMIT_LIST)
        pass_fail(g->run, g->at[1], "%s: a list has at most %d elements", what, SPOR_LIMIT_LIST);
    if (*count < 1 || *count > n || (!list && n % *count))
        pass_fail(g->run, g->at[1], "%s: %" PRId64 " elements do not make %" PRId64 "%s parts",
                  what, n, *count, list ? "" : " equal");
    int64_t *length = ground_take(&g->run->ground, (size_t)*count, sizeof *length), sum = 0;
    for (int64_t k = 0; k < *count; k++) {
        length[k] = list ? want_int(g->run, g->at[1], what, &v->list.item[k]) : n / *count;
        if (length[k] < 1 || length[k] > n - sum)
            pass_fail(g->run, g->at[1], "%s: the parts must be positive and together %" PRId64,
                      what, n);
        sum += length[k];
    }
    if (sum != n)
        pass_fail(g->run, g->at[1], "%s: the parts are together %" PRId64 ", not %" PRId64, what,
                  sum, n);
    return length;
}

static spor_value split(const spor_given *g) {
    spor_value x = given_tensor(g, 0), first = value_of_int(0);
    int axis = want_axis(g->run, g->at[2], given_what(g, 2), g->arg[2] ? g->arg[2] : &first, &x);
    int64_t n = 0, start = 0;
    int64_t *length = lengths(g, spor_shape_of(x.t.var).n[axis], &n);
    spor_axes *names = axes_copy(g->run, x.t.axes);
    if (names && n > 1) names->symbol[axis] = 0;
    spor_value *items = pass_items(g->run, g->place, n);
    for (int64_t k = 0; k < n; k++) {
        items[k] = value_of_tensor(part(g, &x, axis, start, length[k]), names);
        start += length[k];
    }
    return pass_list(g->run, g->place, n, items);
}

/* concat([x, y, z], axis) */
static spor_value concat(const spor_given *g) {
    const spor_list *list = want_list(g->run, g->at[0], given_what(g, 0), g->arg[0]);
    if (!list->n) pass_fail(g->run, g->at[0], "concat: the list is empty");
    spor_value x = want_tensor(g->run, g->at[0], given_what(g, 0), &list->item[0]);
    spor_value first = value_of_int(0);
    int axis = want_axis(g->run, g->at[1], given_what(g, 1), g->arg[1] ? g->arg[1] : &first, &x);
    spor_axes *names = axes_copy(g->run, x.t.axes);
    if (names && list->n > 1) names->symbol[axis] = 0;
    for (int k = 1; k < list->n; k++) {
        spor_value y = want_tensor(g->run, g->at[0], given_what(g, 0), &list->item[k]);
        pass_record(g->run, g->place);
        x.t.var = pass_recorded(g->run, spor_concat(x.t.var, y.t.var, axis));
    }
    return value_of_tensor(x.t.var, names);
}

/* Reverses the first two axes: of a kernel [kh, kw, ...]. */
static spor_value rot180(const spor_given *g) {
    spor_value x = given_tensor(g, 0);
    if (spor_shape_of(x.t.var).rank < 2)
        pass_fail(g->run, g->at[0], "rot180 turns the first two axes; K is %s",
                  tensor_text(g->run, &x));
    pass_record(g->run, g->place);
    spor_var z = spor_flip(x.t.var, SPOR_AXIS(0) | SPOR_AXIS(1));
    return value_of_tensor(pass_recorded(g->run, z), x.t.axes);
}

/* ---- correlation ---- */

/* An image [H, W], [H, W, C] or [N, H, W, C] as the last of these. */
static spor_var as_images(const spor_given *g, const spor_value *x) {
    spor_shape s = spor_shape_of(x->t.var);
    if (s.rank < 2 || s.rank > 4)
        pass_fail(g->run, g->at[0], "%s: x must be [H, W], [H, W, C] or [N, H, W, C] but is %s",
                  g->builtin->name, tensor_text(g->run, x));
    if (s.rank == 4) return x->t.var;
    spor_shape to = SPOR_SHAPE(1, s.n[0], s.n[1], s.rank == 3 ? s.n[2] : 1);
    return pass_recorded(g->run, spor_reshape(x->t.var, to));
}

/* A kernel [kh, kw], [kh, kw, C] or [kh, kw, C, F] as the last of these. */
static spor_var as_kernels(const spor_given *g, const spor_value *K) {
    spor_shape s = spor_shape_of(K->t.var);
    if (s.rank < 2 || s.rank > 4)
        pass_fail(g->run, g->at[1],
                  "%s: K must be [kh, kw], [kh, kw, C] or [kh, kw, C, F] but is %s",
                  g->builtin->name, tensor_text(g->run, K));
    if (s.rank == 4) return K->t.var;
    spor_shape to = SPOR_SHAPE(s.n[0], s.n[1], s.rank == 3 ? s.n[2] : 1, 1);
    return pass_recorded(g->run, spor_reshape(K->t.var, to));
}

/* z [N, H, W, F] without the axes that x and K did not have. */
static spor_var drop_lifted(const spor_given *g, spor_var z, bool samples, bool filters) {
    spor_shape s = spor_shape_of(z), to = {0};
    if (samples && filters) return z;
    for (int k = 0; k < 4; k++)
        if (k == 0 ? samples : k < 3 || filters) to.n[to.rank++] = s.n[k];
    return pass_recorded(g->run, spor_reshape(z, to));
}

static const spor_axes *window_axes(const spor_given *g, const spor_value *x, const spor_value *K,
                                    bool samples, bool filters) {
    if (!samples || (!x->t.axes && !K->t.axes)) return NULL;
    spor_axes *names = ground_take(&g->run->ground, 1, sizeof *names);
    if (x->t.axes) names->symbol[0] = x->t.axes->symbol[0];
    if (K->t.axes && filters) names->symbol[3] = K->t.axes->symbol[3];
    return names;
}

static spor_value windows(const spor_given *g,
                          spor_var (*op)(spor_var x, spor_var K, int64_t sh, int64_t sw)) {
    spor_value x = given_tensor(g, 0), K = given_tensor(g, 1);
    int64_t stride[2] = {1, 1};
    if (g->arg[2]) {
        spor_shape s = want_shape(g->run, g->at[2], given_what(g, 2), g->arg[2]);
        if (s.rank != 2 && g->arg[2]->kind == VALUE_LIST)
            pass_fail(g->run, g->at[2], "%s takes one integer or two", given_what(g, 2));
        stride[0] = s.n[0];
        stride[1] = s.n[s.rank - 1];
    }
    bool samples = spor_shape_of(x.t.var).rank == 4, filters = spor_shape_of(K.t.var).rank == 4;
    pass_record(g->run, g->place);
    spor_var z = op(as_images(g, &x), as_kernels(g, &K), stride[0], stride[1]);
    z = drop_lifted(g, pass_recorded(g->run, z), samples, filters);
    return value_of_tensor(z, window_axes(g, &x, &K, samples, filters));
}

static spor_value correlate2d(const spor_given *g) {
    return windows(g, spor_correlate2d);
}
static spor_value convolve2d(const spor_given *g) {
    return windows(g, spor_convolve2d);
}

const spor_builtin spor_tensor_builtins[] = {
    {"shape", "x", shape},
    {"size", "x", size},
    {"rank", "x", rank},
    {"batch", "x", batch},
    {"channels", "x", channels},
    {"identity", "x", identity},
    {"reshape", "x, shape", reshape},
    {"flatten", "x", flatten},
    {"transpose", "x, perm?", transpose},
    {"broadcast", "x, shape", broadcast},
    {"expand", "x, axis, shape", expand},
    {"pad", "x, by, value?, axis?", pad},
    {"crop", "x, by, axis?", crop},
    {"split", "x, parts, axis?", split},
    {"concat", "tensors, axis?", concat},
    {"rot180", "K", rot180},
    {"correlate2d", "x, K, stride?", correlate2d},
    {"convolve2d", "x, K, stride?", convolve2d},
    {NULL, NULL, NULL},
};
