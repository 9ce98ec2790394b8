/*
 * Normalisation over some axes: batch, layer, instance and group norm (Ioffe, Szegedy 2015; Ba et
 * al. 2016; Ulyanov et al. 2016), which differ by these axes alone.
 *
 * Pattern     y = (x - m) / s with m = mean x, v = mean (x - m)^2, s = sqrt(v + eps), means over the
 *             axes; or a (x - m) / s, a first. What multiplies y or is added to it is no part of it
 * Forward     c = x - m, r = 1 / s, y = c r: one quotient for each mean, not for each element
 * Backward    Let g reach y, n be the elements of a mean. y_i = c_i r, and with i, j in one mean
 *                 dm/dx_j = 1/n        dv/dx_j = 2/n sum_i c_i (delta_ij - 1/n) = 2 c_j / n
 *                 ds/dx_j = (dv/dx_j) / 2s = y_j / n
 *                 dy_i/dx_j = r (delta_ij - 1/n) - c_i r^2 ds/dx_j = r (delta_ij - 1/n - y_i y_j / n)
 *             dx = r (g - mean g - y mean(g y)): what goes through m, what goes through s. The sums of
 *             the c_i, which are 0, are not formed
 *             da = ybar y, and g = a ybar
 *             gamma y + beta behind it: g = gamma dY. Where gamma has a number for each mean (batch norm)
 *             it is taken out of both, dx = gamma r (dY - dbeta / n - y dgamma / n), whose sums are
 *             dbeta = sum dY and dgamma = sum dY y, by ops the same nodes
 * Saved       y, if a backward pass needs it
 * Computed    by groups (kernels/group.h): both passes are written in ops. m and v may be read from
 *             outside, as running means do: equal nodes are one
 */
#include "layer.h"

#include "kernels/slots.h"
/* Behind AXES: the number under the root, and what it may be off by. */
enum { EPS = AXES + 1, EPS_ERROR, ALL_SLOTS };

#ifdef SPOR_RULES

extern const spor_op spor_op_add, spor_op_sub, spor_op_mul, spor_op_div, spor_op_sqrt, spor_op_sum;
extern const spor_op spor_op_expand, spor_op_reshape, spor_op_ratio, spor_op_constant;

/* ---- the equations ---- */

/* The axes that are summed first: where rows are short and several lie side by side that are summed by
 * themselves, as the channels of a group do, these together are columns of all that is before them, in
 * whole vectors. Then each row of sums is summed. 0: there is one step. */
enum { SHORT_ROW = 64, SIDE_BY_SIDE = 512 };
static int64_t axes_first(const spor_shape *shape, int64_t axes) {
    int64_t row = 1, rows = 1, before = 1;
    int k = shape->rank;
    while (k && axes >> (k - 1) & 1) row *= shape->n[--k];
    while (k && !(axes >> (k - 1) & 1)) rows *= shape->n[--k];
    for (int j = 0; j < k; j++)
        if (axes >> j & 1) before *= shape->n[j];
    bool columns = row > 1 && row < SHORT_ROW && rows > 1 && rows <= SIDE_BY_SIDE / row;
    return columns && before > 1 ? axes & (SPOR_AXIS(k) - 1) : 0;
}

/* Of axes those that are left without `first`, which come before them; shape becomes that of the sums. */
static int64_t axes_last(spor_shape *shape, int64_t axes, int64_t first) {
    int64_t last = 0;
    int rank = 0;
    for (int k = 0; k < shape->rank; k++) {
        if (first >> k & 1) continue;
        last |= (axes >> k & 1) << rank;
        shape->n[rank++] = shape->n[k];
    }
    shape->rank = rank;
    return last;
}

static spor_var mean(spor_var x, int64_t axes) {
    spor_shape shape = spor_shape_of(x), means;
    int64_t first = axes_first(&shape, axes), elements = shape_size(&shape);
    if (!first) return spor_mean(x, axes);
    int64_t last = axes_last(&shape, axes, first);
    spor_var sum = spor_sum(spor_sum(x, first), last);
    means = spor_shape_of(sum);
    return spor_mul(sum, op_fill_ratio(x.tape, 1, elements / shape_size(&means), means));
}

/* A mean's tensor in x's shape: rows first where sums end with them. */
static spor_var repeat(spor_var of, spor_var x, int64_t axes) {
    spor_shape all = spor_shape_of(x), shape = all;
    int64_t first = axes_first(&all, axes);
    if (!first) return spor_expand(of, axes, all);
    int64_t last = axes_last(&shape, axes, first);
    return spor_expand(spor_expand(of, last, shape), first, all);
}

/* c = x - m */
static spor_var centred(spor_var x, int64_t axes) {
    return spor_sub(x, repeat(mean(x, axes), x, axes));
}

/* r = 1 / sqrt(mean c^2 + eps), one for each mean */
static spor_var inverse_deviation(spor_var x, const spor_attr attr[]) {
    spor_var c = centred(x, attr[AXES].i), v = mean(spor_mul(c, c), attr[AXES].i);
    spor_shape shape = spor_shape_of(v);
    spor_var s = spor_sqrt(spor_add(v, op_fill(x.tape, attr[EPS].r, attr[EPS_ERROR].r, shape)));
    return spor_div(op_fill_ratio(x.tape, 1, 1, shape), s);
}

/* y = c r */
static spor_var value(spor_var x, const spor_attr attr[]) {
    int64_t axes = attr[AXES].i;
    return spor_mul(centred(x, axes), repeat(inverse_deviation(x, attr), x, axes));
}

/* dx / r = g - mean g - y mean(g y) */
static spor_var without_means(spor_var y, spor_var g, int64_t axes) {
    spor_var through_m = repeat(mean(g, axes), y, axes);
    spor_var through_s = spor_mul(y, repeat(mean(spor_mul(g, y), axes), y, axes));
    return spor_sub(spor_sub(g, through_m), through_s);
}

/* g is a product with a repeat of a number for each mean: which operand that is; -1: it is none. */
static int factor_of_means(spor_var g, int64_t axes) {
    for (int k = 0; match_made_by(g, &spor_op_mul) && k < 2; k++) {
        spor_var factor = op_operand(g, k);
        if (match_made_by(factor, &spor_op_expand) && op_attrs(factor)[AXES].i == axes) return k;
    }
    return -1;
}

/* dx */
static spor_var pull(spor_var x, spor_var y, spor_var g, const spor_attr attr[]) {
    int64_t axes = attr[AXES].i;
    spor_var scale = inverse_deviation(x, attr);
    int k = factor_of_means(g, axes);
    if (k >= 0) {
        scale = spor_mul(op_operand(op_operand(g, k), 0), scale);
        g = op_operand(g, 1 - k);
    }
    return spor_mul(repeat(scale, x, axes), without_means(y, g, axes));
}

/* ---- the fused ops ---- */

static const spor_fused by_groups = {.need = NULL};

/* Of their last operand, x */
static bool normalization_shape(spor_rule *r) {
    r->out = r->in[r->operands - 1];
    return true;
}

static spor_var normalization_parts(const spor_var in[], const spor_attr attr[]) {
    return value(in[0], attr);
}

static spor_var normalization_vjp(spor_var y, int k, spor_var ybar) {
    (void)k;
    return pull(op_operand(y, 0), y, ybar, op_attrs(y));
}

static const spor_op normalization_op = {
    .signature = "normalization(x[*]; axes:axes, eps:real)",
    .equation = "y = (x - mean x) / sqrt(mean (x - mean x)^2 + eps)",
    .traits = SPOR_MIXES_SAMPLES,
    .operands = 1,
    .attrs = ALL_SLOTS,
    .error = EPS_ERROR,
    .shape = normalization_shape,
    .vjp = normalization_vjp,
    .parts = normalization_parts,
    .fused = &by_groups,
};

static spor_var normalized(spor_var x, const spor_attr attr[]) {
    return op_record(&normalization_op, &x, attr);
}

static spor_var scaled_parts(const spor_var in[], const spor_attr attr[]) {
    return spor_mul(in[0], normalized(in[1], attr));
}

static spor_var scaled_vjp(spor_var z, int k, spor_var zbar) {
    spor_var a = op_operand(z, 0), x = op_operand(z, 1), y = normalized(x, op_attrs(z));
    return k == 0 ? spor_mul(zbar, y) : pull(x, y, spor_mul(zbar, a), op_attrs(z));
}

static const spor_op scaled_op = {
    .signature = "normalization(a[...], x[...]; axes:axes, eps:real)",
    .equation = "y = a (x - mean x) / sqrt(mean (x - mean x)^2 + eps)",
    .traits = SPOR_MIXES_SAMPLES,
    .operands = 2,
    .attrs = ALL_SLOTS,
    .error = EPS_ERROR,
    .shape = normalization_shape,
    .vjp = scaled_vjp,
    .parts = scaled_parts,
    .fused = &by_groups,
};

/* ---- the match: nothing is taken inside, what nobody reads then goes ---- */

/* v without axes of size 1 that were put back. */
static spor_var bare(const spor_match *m, spor_var v) {
    while (match_through(m, v, &spor_op_reshape)) v = op_operand(v, 0);
    return v;
}

/* What is repeated along these axes; id 0: v is no such repeat. */
static spor_var repeated(const spor_match *m, spor_var v, int64_t axes) {
    bool repeats = match_through(m, v, &spor_op_expand) && op_attrs(v)[AXES].i == axes;
    return repeats ? bare(m, op_operand(v, 0)) : (spor_var){v.tape, 0};
}

/* The scalar that all elements of v are, if it is a repeat of one. */
static spor_var filled_with(const spor_match *m, spor_var v) {
    int rank = spor_shape_of(v).rank;
    return rank ? repeated(m, v, SPOR_AXIS(rank) - 1) : v;
}

/* What v is the mean of, over the axes; id 0: it is none. */
static spor_var averaged(const spor_match *m, spor_var v, int64_t axes) {
    spor_var none = {v.tape, 0};
    if (!match_through(m, v, &spor_op_mul)) return none;
    spor_var sum = op_operand(v, 0), share = filled_with(m, op_operand(v, 1));
    if (!match_through(m, sum, &spor_op_sum) || op_attrs(sum)[AXES].i != axes) return none;
    spor_var of = op_operand(sum, 0);
    spor_shape all = spor_shape_of(of), means = spor_shape_of(sum);
    bool is_mean = match_through(m, share, &spor_op_ratio) && op_attrs(share)[0].i == 1 &&
                   op_attrs(share)[1].i == shape_size(&all) / shape_size(&means);
    return is_mean ? of : none;
}

/* c = x - mean x */
static bool is_centred(const spor_match *m, spor_var c, spor_var x, int64_t axes) {
    if (!match_through(m, c, &spor_op_sub) || op_operand(c, 0).id != x.id) return false;
    spor_var mean = repeated(m, op_operand(c, 1), axes);
    return mean.id && averaged(m, mean, axes).id == x.id;
}

static bool is_variance(const spor_match *m, spor_var v, spor_var x, int64_t axes) {
    spor_var square = averaged(m, bare(m, v), axes);
    return match_through(m, square, &spor_op_mul) &&
           is_centred(m, op_operand(square, 0), x, axes) &&
           is_centred(m, op_operand(square, 1), x, axes);
}

/* A number in all elements: a constant, or a whole one. */
static bool is_number(const spor_match *m, spor_var v, spor_attr eps[]) {
    v = filled_with(m, bare(m, v));
    bool real = match_through(m, v, &spor_op_constant);
    if (!real && !match_through(m, v, &spor_op_ratio)) return false;
    const spor_attr *attr = op_attrs(v);
    eps[0].r = real ? attr[0].r : (double)attr[0].i;
    eps[1].r = real ? attr[1].r : 0;
    return real || attr[1].i == 1;
}

/* s^2 = v + eps, or v */
static bool is_radicand(const spor_match *m, spor_var s2, spor_var x, int64_t axes,
                        spor_attr eps[]) {
    if (!match_through(m, s2, &spor_op_add)) return is_variance(m, s2, x, axes);
    spor_var a = op_operand(s2, 0), b = op_operand(s2, 1);
    return (is_variance(m, a, x, axes) && is_number(m, b, eps)) ||
           (is_variance(m, b, x, axes) && is_number(m, a, eps));
}

/* The quotient's numerator: c, or a c. */
static bool match_numerator(spor_match *m, spor_var c, int64_t axes) {
    bool scaled = match_through(m, c, &spor_op_mul);
    m->op = scaled ? &scaled_op : &normalization_op;
    if (scaled) {
        m->in[0] = op_operand(c, 0);
        c = op_operand(c, 1);
    }
    if (!match_through(m, c, &spor_op_sub)) return false;
    spor_var x = m->in[scaled] = op_operand(c, 0), mean = repeated(m, op_operand(c, 1), axes);
    spor_var of = mean.id ? averaged(m, mean, axes) : mean;
    return of.id && (of.id == x.id || match_refuse(m, "the mean is that of another tensor"));
}

static bool match_normalization(spor_match *m, spor_var root) {
    if (!match_made_by(root, &spor_op_div)) return false;
    spor_var divisor = op_operand(root, 1);
    if (!match_through(m, divisor, &spor_op_expand)) return false;
    int64_t axes = op_attrs(divisor)[AXES].i;
    spor_var s = repeated(m, divisor, axes);
    if (!match_through(m, s, &spor_op_sqrt) || !match_numerator(m, op_operand(root, 0), axes))
        return false;
    m->attr[AXES].i = axes;
    spor_var s2 = bare(m, op_operand(s, 0)), x = m->in[m->op->operands - 1];
    if (is_radicand(m, s2, x, axes, m->attr + EPS)) return true;
    return match_refuse(m, "the divisor is not sqrt(variance + number) of the same tensor");
}

/* ---- samples ---- */

enum { N, H, C, OVER, EIGHTHS, HOW, SCALED };
enum { APART, ONCE, KEPT, EPS_FIRST }; /* x - m twice or once; its means with axes of size 1 */

static const spor_choice choices[] = {CHOICE("N", 1, 2, 3, 4, 5, 7, 16),
                                      CHOICE("H", 1, 2, 3, 5, 6, 9),
                                      CHOICE("C", 1, 2, 3, 4, 7, 8, 16, 17, 24, 32, 33, 48),
                                      CHOICE("axes", 1, 2, 3, 4, 5, 6, 7),
                                      CHOICE("eighths of eps", 1, 2, 8, 16),
                                      CHOICE("how", APART, ONCE, KEPT, EPS_FIRST),
                                      CHOICE("scaled", 0, 1, 2),
                                      {.name = NULL}};

/* A mean as scripts record it with keepdims. */
static spor_var record_mean(const spor_sketch *r, spor_var x, int64_t axes) {
    spor_shape shape = spor_shape_of(x);
    spor_var mean = spor_mean(x, axes);
    for (int k = 0; k < shape.rank; k++)
        if (axes >> k & 1) shape.n[k] = 1;
    return r->number[HOW] == KEPT ? spor_reshape(mean, shape) : mean;
}

static spor_var record_repeat(spor_var of, spor_var x, int64_t axes) {
    spor_shape shape = spor_shape_of(x);
    if (spor_shape_of(of).rank == shape.rank) return spor_broadcast(of, shape);
    return spor_expand(of, axes, shape);
}

static spor_var record_deviation(const spor_sketch *r, spor_var c, int64_t axes) {
    spor_var v = record_mean(r, spor_mul(c, c), axes);
    spor_shape shape = spor_shape_of(v);
    spor_var eps = op_fill(r->tape, (double)r->number[EIGHTHS] / 8, 0, shape);
    return spor_sqrt(r->number[HOW] == EPS_FIRST ? spor_add(eps, v) : spor_add(v, eps));
}

/* (x - m) / s of v's root, v being x's or another tensor's. */
static spor_var record_of(spor_sketch *r, spor_var x, spor_var of, spor_var a) {
    int64_t axes = r->number[OVER];
    spor_var c = spor_sub(x, record_repeat(record_mean(r, x, axes), x, axes));
    spor_var d = r->number[HOW] == ONCE && of.id == x.id
                     ? c
                     : spor_sub(of, record_repeat(record_mean(r, of, axes), of, axes));
    spor_var s = record_repeat(record_deviation(r, d, axes), x, axes);
    return spor_div(a.id ? spor_mul(a, c) : c, s);
}

/* a: a number for each channel, or one for each element. */
static spor_var record_normalization(spor_sketch *r) {
    spor_shape shape = SPOR_SHAPE(r->number[N], r->number[H], r->number[C]);
    spor_var x = sketch_operand(r, "x", shape), a = {r->tape, 0};
    if (r->number[SCALED] == 1)
        a = spor_expand(sketch_operand(r, "gamma", SPOR_SHAPE(shape.n[2])), 3, shape);
    if (r->number[SCALED] == 2) a = sketch_operand(r, "a", shape);
    return record_of(r, x, x, a);
}

static const int64_t samples[][SPOR_CHOICES] = {
    {3, 2, 5, 3, 1, APART, 2},       {4, 5, 7, 3, 1, APART, 0},
    {6, 1, 33, 4, 2, KEPT, 1},       {3, 9, 16, 2, 8, ONCE, 0},
    {40, 12, 32, 3, 1, ONCE, 0},                                  /* several tiles */
    {2, 600, 4, 6, 1, EPS_FIRST, 1}, {40, 12, 16, 5, 1, ONCE, 1}, /* columns first */
    {3, 200, 16, 2, 1, KEPT, 1},     {0}};

static bool record_derivation(spor_sketch *r, spor_var ybar, spor_var out[]) {
    const spor_attr attr[ALL_SLOTS] = {
        [AXES] = {.i = r->number[OVER]}, [EPS] = {.r = (double)r->number[EIGHTHS] / 8}};
    spor_var root = record_normalization(r), x = r->operand[0], y = value(x, attr);
    spor_vjp(root, ybar, r->operands, r->operand, out + 1);
    bool scaled = r->number[SCALED] != 0;
    spor_var a = scaled ? op_operand(op_operand(root, 0), 0) : y;
    out[0] = scaled ? spor_mul(a, y) : y;
    out[1] = pull(x, y, scaled ? spor_mul(ybar, a) : ybar, attr);
    if (!scaled) return true;
    spor_var da = spor_mul(ybar, y);
    out[2] = r->number[SCALED] == 1 ? spor_sum(da, 3) : da;
    return true;
}

/* What looks like the pattern, of the columns of square tensors: c over the root of
 * sum(d e) / n + 1. */
static spor_var record_near(spor_var c, spor_var d, spor_var e, int axis, int64_t n) {
    spor_var sum = spor_sum(spor_mul(d, e), SPOR_AXIS(axis));
    spor_shape shape = spor_shape_of(sum);
    spor_var v = spor_mul(sum, op_fill_ratio(c.tape, 1, n, shape));
    spor_var s = spor_sqrt(spor_add(v, op_fill_ratio(c.tape, 1, 1, shape)));
    return spor_div(c, repeat(s, c, SPOR_AXIS(0)));
}

static spor_var record_square(spor_sketch *r, const char *name) {
    return sketch_operand(r, name, SPOR_SHAPE(4, 4));
}

static spor_var record_other_mean(spor_sketch *r) {
    spor_var x = record_square(r, "x"), of = record_square(r, "of"), d = centred(x, SPOR_AXIS(0));
    spor_var c = spor_sub(x, repeat(spor_mean(of, SPOR_AXIS(0)), x, SPOR_AXIS(0)));
    return record_near(c, d, d, 0, 4);
}

static spor_var record_other_deviation(spor_sketch *r) {
    spor_var c = centred(record_square(r, "x"), SPOR_AXIS(0));
    spor_var d = centred(record_square(r, "of"), SPOR_AXIS(0));
    return record_near(c, d, d, 0, 4);
}

/* One of the two has its own mean taken away, the other one that of the other. */
static spor_var record_crossed(spor_sketch *r, bool own) {
    spor_var x = record_square(r, "x"), of = record_square(r, "of"), c = centred(x, SPOR_AXIS(0));
    spor_var mean = repeat(spor_mean(own ? of : x, SPOR_AXIS(0)), x, SPOR_AXIS(0));
    spor_var d = spor_sub(own ? x : of, mean);
    return record_near(c, d, d, 0, 4);
}

static spor_var record_about_other(spor_sketch *r) {
    return record_crossed(r, true);
}

static spor_var record_other_about(spor_sketch *r) {
    return record_crossed(r, false);
}

static spor_var record_other_factor(spor_sketch *r) {
    spor_var c = centred(record_square(r, "x"), SPOR_AXIS(0));
    return record_near(c, c, record_square(r, "of"), 0, 4);
}

static spor_var record_other_axis(spor_sketch *r) {
    spor_var c = centred(record_square(r, "x"), SPOR_AXIS(0));
    return record_near(c, c, c, 1, 4);
}

static spor_var record_unbiased(spor_sketch *r) {
    spor_var c = centred(record_square(r, "x"), SPOR_AXIS(0));
    return record_near(c, c, c, 0, 3);
}

static const char not_its_own[] = "the divisor is not sqrt(variance + number) of the same tensor";
static const spor_refusal refusals[] = {{record_other_mean, "the mean is that of another tensor"},
                                        {record_other_deviation, not_its_own},
                                        {record_about_other, not_its_own},
                                        {record_other_about, not_its_own},
                                        {record_other_factor, not_its_own},
                                        {record_other_axis, not_its_own},
                                        {record_unbiased, not_its_own},
                                        {.why = NULL}};

extern const spor_fast spor_fast_normalization;
const spor_fast spor_fast_normalization = {
    .name = "normalization",
    .pattern = "(x - mean(x)) / sqrt(mean((x - mean(x))^2) + eps) over the same axes",
    .equations = "dx = (g - mean g - y mean(g y)) / s",
    .match = match_normalization,
    .choices = choices,
    .record = record_normalization,
    .samples = samples,
    .derivation = record_derivation,
    .refusals = refusals,
};

#endif
