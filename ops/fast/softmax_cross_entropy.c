/*
 * Cross-entropy of a softmax, with labels as rows of probabilities (one-hot or not).
 *
 * Patterns    z = -sum(y log_softmax(l)), along the last axis, operands of products in any order
 *             z = logsumexp(l) - sum(y l), the same where the rows of y sum to 1
 * Forward     with m the largest l of a row, s = sum e^(l - m), d = sum y (l - m), Y = sum y:
 *             z = Y ln s - d, and ln s - d + m (1 - Y): only differences of l meet y
 * Backward    dl_n = (A_n - y_n) zbar_n, A = Y softmax(l), and softmax(l): the correct form of
 *             Eq. (46) for the last layer; the elementwise f'(Z) o dC/dA leaves out the Jacobian
 *             off its diagonal
 *             dy_n = -zbar_n log_softmax(l_n), and -zbar_n l_n, by ops
 * Saved       A when a backward pass will follow
 */
#include "layer.h"

#include "kernels/slots.h"
/* A row of few would leave lanes empty and have as many steps that wait for one another: rows of so many
 * classes at most are taken side by side, each a lane. */
enum { FEW_CLASSES = 32 };
/* Attributes: a backward pass will follow; ln s is weighted with the sum of y. */
enum { TRAINING, WEIGHTED };

#ifdef SPOR_RULES

#include "export/c.h"

FAST_KERNELS(softmax_cross_entropy);
FAST_KERNELS(softmax_cross_entropy_dl);

extern const spor_op spor_op_sub, spor_op_mul, spor_op_sum, spor_op_neg;
extern const spor_op spor_op_logsumexp, spor_op_log_softmax;

/* l[..., M], y[..., M] -> z[...] */
static bool xent_shape(spor_rule *r) {
    if (r->in[0].rank < 1) return rule_fail(r, "l needs at least 1 axis");
    if (!shape_equal(&r->in[0], &r->in[1])) return rule_fail(r, "l and y differ in shape");
    r->out = r->in[0];
    r->out.rank--;
    return true;
}

/* Tasks are rows of l, which is as large as y, operand 1. */
static void rows_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width, (void)lanes;
    const spor_shape *l = &c->in[1].shape;
    int64_t M = l->n[l->rank - 1];
    need->tasks[SPOR_WORK] = tasks_for(need, shape_size(l) / M, carve_times(M, COST_EXP), 0);
}

static void xent_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    rows_need(c, width, lanes, need);
    need->saved = c->attr[TRAINING].i ? bytes_for(shape_size(&c->in[0].shape), width) : 0;
}

/* z, y, zbar -> dl = (A - y) zbar with z's saved A */
static bool xent_dl_shape(spor_rule *r) {
    r->out = r->in[1];
    return true;
}

static const spor_fused xent_dl_fused = {.need = rows_need,
                                         .phase = {[SPOR_WORK] = softmax_cross_entropy_dl_kernels}};

static void xent_dl_loops(spor_c *c, const spor_call *call) {
    const int64_t M = call->out.shape.n[call->out.shape.rank - 1];
    c_line(c, "const %s *A = z_saved;", c_type(c));
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++)", shape_size(&call->in[2].shape));
    c_line(c, "for (int k = n * %" PRId64 "; k < (n + 1) * %" PRId64 "; k++)", M, M);
    c_line(c, "    out[k] = (A[k] - y[k]) * zbar[n];");
}

static const spor_op xent_dl_op = {
    .signature = "softmax_cross_entropy_dl(z[*], y[*], zbar[*])",
    .equation = "dl = (A - y) zbar",
    .operands = 3,
    .shape = xent_dl_shape,
    .fused = &xent_dl_fused,
    .c_loops = xent_dl_loops,
};

static spor_var xent_vjp(spor_var z, int k, spor_var zbar) {
    spor_var l = op_operand(z, 0), y = op_operand(z, 1);
    if (k == 0) return op_record(&xent_dl_op, (spor_var[]){z, y, zbar}, NULL);
    spor_shape shape = spor_shape_of(l);
    int last = shape.rank - 1;
    spor_var per_label = op_attrs(z)[WEIGHTED].i ? spor_log_softmax(l, last) : l;
    return spor_neg(spor_mul(spor_expand(zbar, SPOR_AXIS(last), shape), per_label));
}

static const spor_fused xent_fused = {.need = xent_need,
                                      .phase = {[SPOR_WORK] = softmax_cross_entropy_kernels}};

static void xent_loops(spor_c *c, const spor_call *call) {
    const spor_shape *l = &call->in[0].shape;
    const int64_t M = l->n[l->rank - 1];
    const bool saves = call->attr[TRAINING].i;
    c_line(c, "%s *A = %s;", c_type(c), saves ? "out_saved" : "0");
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++)", shape_size(&call->out.shape));
    c_line(c,
           "    out[n] = net_cross_entropy(l + n * %" PRId64 ", y + n * %" PRId64
           ", A ? A + n * %" PRId64 " : 0, %" PRId64 ", %d, %d);",
           M, M, M, M, M > FEW_CLASSES, (int)call->attr[WEIGHTED].i);
}

static const spor_op xent_op = {
    .signature = "softmax_cross_entropy(l[*], y[*]; training:int, weighted:int)",
    .equation = "z = sum(y) or 1, times logsumexp(l), - sum(y l)",
    .operands = 2,
    .attrs = 2,
    .shape = xent_shape,
    .vjp = xent_vjp,
    .fused = &xent_fused,
    .c_loops = xent_loops,
};

/* ---- the match ---- */

/* sum(y f(l)) along the last axis, taken into the region: l is the product's operand number k. */
static bool take_labelled(spor_match *m, spor_var sum, int k, const char *what) {
    spor_var product = op_operand(sum, 0);
    int last = spor_shape_of(product).rank - 1;
    if (op_attrs(sum)[AXES].i != SPOR_AXIS(last))
        return match_refuse(m, "the classes are not the last axis");
    m->in[1] = op_operand(product, 1 - k);
    return layer_take(m, sum, &spor_op_sum, "the sum over the classes") &&
           layer_take(m, product, &spor_op_mul, what);
}

/* The product under a sum, or id 0. */
static spor_var summed_product(spor_var sum) {
    spor_var none = {0};
    if (!match_made_by(sum, &spor_op_sum)) return none;
    spor_var product = op_operand(sum, 0);
    return match_made_by(product, &spor_op_mul) ? product : none;
}

/* -sum(y log_softmax(l)) */
static bool match_weighted(spor_match *m, spor_var root) {
    spor_var sum = op_operand(root, 0), product = summed_product(sum);
    if (!product.id) return false;
    int k = match_made_by(op_operand(product, 1), &spor_op_log_softmax);
    spor_var logs = op_operand(product, k);
    if (!match_made_by(logs, &spor_op_log_softmax)) return false;
    if (op_attrs(logs)[AXIS].i != spor_shape_of(logs).rank - 1)
        return match_refuse(m, "the classes are not the last axis");
    m->in[0] = op_operand(logs, 0);
    return take_labelled(m, sum, k, "y log_softmax(l)") &&
           layer_take(m, logs, &spor_op_log_softmax, "log_softmax(l)");
}

/* logsumexp(l) - sum(y l) */
static bool match_difference(spor_match *m, spor_var root) {
    spor_var lse = op_operand(root, 0), sum = op_operand(root, 1);
    spor_var product = summed_product(sum);
    if (!match_made_by(lse, &spor_op_logsumexp) || !product.id) return false;
    spor_var l = op_operand(lse, 0);
    int k = op_operand(product, 0).id != l.id; /* y l rather than l y */
    if (op_operand(product, k).id != l.id)
        return match_refuse(m, "the labels do not multiply the operand of logsumexp");
    if (op_attrs(lse)[AXIS].i != spor_shape_of(l).rank - 1)
        return match_refuse(m, "the classes are not the last axis");
    m->in[0] = l;
    return take_labelled(m, sum, k, "y l") &&
           layer_take(m, lse, &spor_op_logsumexp, "logsumexp(l)");
}

static bool match_xent(spor_match *m, spor_var root) {
    bool weighted = match_made_by(root, &spor_op_neg);
    if (!weighted && !match_made_by(root, &spor_op_sub)) return false;
    m->op = &xent_op;
    m->attr[TRAINING].i = m->training;
    m->attr[WEIGHTED].i = weighted;
    return weighted ? match_weighted(m, root) : match_difference(m, root);
}

/* ---- samples ---- */

/* Rows around the widths of vectors, and of several blocks of their sums. */
static const spor_choice choices[] = {CHOICE("N", 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 33),
                                      CHOICE("M", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 16, 17, 18,
                                             24, 31, 32, 33, 40, 47, 48, 49, 63, 64, 65, 70),
                                      CHOICE("eighths that l is scaled by", 1, 8, 64, 512, 4096),
                                      CHOICE("labels first", 0, 1),
                                      CHOICE("difference", 0, 1),
                                      {.name = NULL}};

/* l[N,M], an operand scaled by a power of two, or as it is. */
static spor_var record_scaled(const spor_sketch *r, spor_var x) {
    spor_shape shape = spor_shape_of(x);
    if (r->number[2] == 8) return x;
    spor_var scale = spor_ratio(r->tape, r->number[2], 8);
    return spor_mul(x, spor_expand(scale, SPOR_AXIS(shape.rank) - 1, shape));
}

/* The classes along an axis of l[N,M] and y[N,M]. */
static spor_var record_along(spor_sketch *r, int axis) {
    bool labels_first = r->number[3], difference = r->number[4];
    spor_shape shape = SPOR_SHAPE(r->number[0], r->number[1]);
    spor_var x = sketch_operand(r, "x", shape), y = sketch_operand(r, "y", shape);
    spor_var l = record_scaled(r, x), by = difference ? l : spor_log_softmax(l, axis);
    spor_var sum = spor_sum(labels_first ? spor_mul(y, by) : spor_mul(by, y), SPOR_AXIS(axis));
    return difference ? spor_sub(spor_logsumexp(l, axis), sum) : spor_neg(sum);
}

static spor_var record_xent(spor_sketch *r) {
    return record_along(r, 1);
}

static const int64_t samples[][SPOR_CHOICES] = {{3, 10, 8, 0, 0},    {4, 7, 64, 1, 1},
                                                {1, 17, 1, 0, 1},    {2, 511, 32, 1, 0},
                                                {2, 512, 32, 1, 1},  {2, 513, 32, 1, 0},
                                                {2, 1024, 32, 1, 1}, {2, 5000, 32, 1, 0},
                                                {2, 5000, 32, 1, 1}, {0}};

/* dl = (A - y) zbar, where the definition adds up A zbar and -y zbar */
static bool record_derivation(spor_sketch *r, spor_var zbar, spor_var out[]) {
    out[0] = record_xent(r);
    spor_vjp(out[0], zbar, r->operands, r->operand, out + 1);
    spor_var x = r->operand[0], y = r->operand[1], A = spor_softmax(record_scaled(r, x), 1);
    spor_shape rows = spor_shape_of(y);
    if (!r->number[4]) A = spor_mul(A, spor_expand(spor_sum(y, SPOR_AXIS(1)), SPOR_AXIS(1), rows));
    spor_var along = spor_expand(zbar, SPOR_AXIS(1), rows);
    out[1] = record_scaled(r, spor_mul(spor_sub(A, y), along));
    return true;
}

/* ---- refusals ---- */

static spor_var record_other_axis(spor_sketch *r) {
    return record_along(r, 0);
}

static spor_var record_other_axis_difference(spor_sketch *r) {
    static const int64_t difference[SPOR_CHOICES] = {4, 3, 8, 1, 1};
    r->number = difference;
    return record_along(r, 0);
}

/* The product is summed along another axis than that of the softmax. */
static spor_var record_other_sum(spor_sketch *r) {
    spor_shape shape = SPOR_SHAPE(4, 4);
    spor_var l = sketch_operand(r, "l", shape), y = sketch_operand(r, "y", shape);
    return spor_neg(spor_sum(spor_mul(y, spor_log_softmax(l, 1)), SPOR_AXIS(0)));
}

static spor_var record_other_logits(spor_sketch *r) {
    spor_shape shape = SPOR_SHAPE(4, 3);
    spor_var l = sketch_operand(r, "l", shape), y = sketch_operand(r, "y", shape);
    spor_var other = sketch_operand(r, "other", shape);
    return spor_sub(spor_logsumexp(l, 1), spor_sum(spor_mul(y, other), SPOR_AXIS(1)));
}

static const spor_refusal refusals[] = {
    {record_other_axis, "the classes are not the last axis"},
    {record_other_axis_difference, "the classes are not the last axis"},
    {record_other_sum, "the classes are not the last axis"},
    {record_other_logits, "the labels do not multiply the operand of logsumexp"},
    {.why = NULL}};

extern const spor_fast spor_fast_softmax_cross_entropy;
const spor_fast spor_fast_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .pattern = "-sum(y log_softmax(l)) or logsumexp(l) - sum(y l), along the last axis",
    .equations = "Eq. (46) for the last layer: delta = A - Y",
    .match = match_xent,
    .choices = choices,
    .record = record_xent,
    .samples = samples,
    .derivation = record_derivation,
    .refusals = refusals,
};

#else

#include "kernels/vmath.h"

/* The largest of a row, or what is not a number. */
SPOR_INLINE T row_most(const T *l, int64_t M) {
    vec most = simd_all(l[0]);
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = carve_least(LANES, M - m);
        vec x = simd_load_part(l + m, lanes);
        most = simd_select(lanes_win(x, most) & simd_first_lanes(lanes), x, most);
    }
    return simd_lanes_most(most);
}

/* Sums along a row run over so many vectors at a time, so that long rows have short chains. */
enum { ROW_BLOCK = 32 };

/* e_m = e^(l_m - most), kept if there is where; the sum of some */
SPOR_INLINE vec block_exp(const T *l, int64_t M, T most, T *e) {
    vec sum = {0};
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = carve_least(LANES, M - m);
        vec x = vmath_exp(simd_load_part(l + m, lanes) - most);
        if (e) simd_store_part(e + m, x, lanes);
        sum += simd_select(simd_first_lanes(lanes), x, (vec){0});
    }
    return sum;
}

SPOR_INLINE T row_exp(const T *l, int64_t M, T most, T *e) {
    vec sum = {0};
    for (int64_t m = 0; m < M; m += ROW_BLOCK * LANES)
        sum += block_exp(l + m, carve_least(ROW_BLOCK * LANES, M - m), most, e ? e + m : NULL);
    return simd_lanes_sum(sum);
}

/* Sums of y and of y (l - shift). */
typedef struct {
    vec y, product;
} label_sums;

SPOR_INLINE label_sums block_labels(const T *y, const T *l, int64_t M, T shift) {
    label_sums s = {{0}, {0}};
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = carve_least(LANES, M - m);
        vec label = simd_load_part(y + m, lanes);
        s.y += label;
        s.product += simd_select(simd_first_lanes(lanes),
                                 label * (simd_load_part(l + m, lanes) - shift), (vec){0});
    }
    return s;
}

SPOR_INLINE label_sums row_labels(const T *y, const T *l, int64_t M, T shift) {
    label_sums s = {{0}, {0}};
    for (int64_t m = 0; m < M; m += ROW_BLOCK * LANES) {
        int64_t count = carve_least(ROW_BLOCK * LANES, M - m);
        label_sums block = block_labels(y + m, l + m, count, shift);
        s.y += block.y;
        s.product += block.product;
    }
    return s;
}

SPOR_INLINE void row_scale(T *e, int64_t M, T by) {
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = carve_least(LANES, M - m);
        simd_store_part(e + m, simd_load_part(e + m, lanes) * by, lanes);
    }
}

/* What the logits are less by where labels meet them: the largest, but where it is no finite number and
 * nothing can be shifted by it nothing; log_softmax is no number there anyway. */
SPOR_INLINE vec shift_of(vec most, bool weighted) {
    return weighted ? most : simd_select(most - most >= (T)0, most, (vec){0});
}

/* The losses of rows, each in a lane: of the largest, the sum of e^(l - most), the sums of y and of
 * y (l - shift). Where nothing can be shifted logsumexp is the largest. */
SPOR_INLINE vec losses_of(vec most, vec sum, vec all, vec dot, bool weighted) {
    vec logarithm = vmath_log(sum);
    if (weighted) return all * logarithm - dot;
    vec z = logarithm - dot + most * ((T)1 - all);
    return simd_select(most - most >= (T)0, z, most - dot);
}

/* ---- a row of many classes ---- */

/* A: NULL or where it is kept. */
SPOR_INLINE T row_loss(const T *l, const T *y, int64_t M, bool weighted, T *A) {
    T most = row_most(l, M), sum = row_exp(l, M, most, A);
    label_sums labels = row_labels(y, l, M, shift_of(simd_all(most), weighted)[0]);
    T all = simd_lanes_sum(labels.y), dot = simd_lanes_sum(labels.product);
    if (A) row_scale(A, M, (weighted ? all : 1) / sum);
    return losses_of(simd_all(most), simd_all(sum), simd_all(all), simd_all(dot), weighted)[0];
}

static void losses_row_by_row(T *z, const T *l, const T *y, int64_t rows, int64_t M, bool weighted,
                              T *A) {
    for (int64_t n = 0; n < rows; n++)
        z[n] = row_loss(l + n * M, y + n * M, M, weighted, A ? A + n * M : NULL);
}

/* ---- few classes: a row in each lane ---- */

/* Columns m .. m + LANES - 1 of rows become vectors, those behind the last 0. */
SPOR_INLINE void turn_to_lanes(vec at[LANES], const T *from, int64_t rows, int64_t M, int64_t m) {
    int64_t part = carve_least(LANES, M - m);
    SPOR_UNROLL for (int i = 0; i < (int)LANES; i++) at[i] =
        i < rows ? simd_load_part(from + i * M + m, part) : (vec){0};
    simd_turn_square(at);
}

/* Lane i of at[m] becomes element m of row i; other lanes are computed with, to no end. */
SPOR_INLINE void rows_to_lanes(vec at[FEW_CLASSES], const T *from, int64_t rows, int64_t M) {
    int64_t m = 0, step = rows > 1 ? LANES : 1; /* M is at least 1 */
    do {
        if (rows > 1)
            turn_to_lanes(at + m, from, rows, M, m);
        else
            at[m] = simd_all(from[m]);
    } while ((m += step) < M);
}

SPOR_INLINE void lanes_to_rows(T *to, const vec at[FEW_CLASSES], int64_t rows, int64_t M) {
    for (int64_t m = 0; rows == 1 && m < M; m++) to[m] = at[m][0];
    for (int64_t m = 0; rows > 1 && m < M; m += LANES) {
        int64_t part = carve_least(LANES, M - m);
        vec v[LANES];
        SPOR_UNROLL for (int i = 0; i < (int)LANES; i++) v[i] = at[m + i];
        simd_turn_square(v);
        SPOR_UNROLL for (int i = 0; i < (int)LANES; i++) if (i < rows)
            simd_store_part(to + i * M + m, v[i], part);
    }
}

/* Of at most LANES rows. */
SPOR_INLINE vec lanes_loss(const T *l, const T *y, int64_t rows, int64_t M, bool weighted, T *A) {
    vec e[FEW_CLASSES], label[FEW_CLASSES], sum = {0}, all = {0}, dot = {0};
    rows_to_lanes(e, l, rows, M);
    rows_to_lanes(label, y, rows, M);
    vec most = e[0];
    for (int64_t m = 1; m < M; m++) most = simd_select(lanes_win(e[m], most), e[m], most);
    vec shift = shift_of(most, weighted);
    for (int64_t m = 0; m < M; m++) {
        all += label[m];
        dot += label[m] * (e[m] - shift);
        e[m] = vmath_exp(e[m] - most);
        sum += e[m];
    }
    if (A) {
        vec scale = (weighted ? all : simd_all(1)) / sum;
        for (int64_t m = 0; m < M; m++) e[m] *= scale;
        lanes_to_rows(A, e, rows, M);
    }
    return losses_of(most, sum, all, dot, weighted);
}

static void losses_in_lanes(T *z, const T *l, const T *y, int64_t rows, int64_t M, bool weighted,
                            T *A) {
    for (int64_t n = 0; n < rows; n += LANES) {
        int64_t block = carve_least(LANES, rows - n);
        vec some = lanes_loss(l + n * M, y + n * M, block, M, weighted, A ? A + n * M : NULL);
        simd_store_part(z + n, some, block);
    }
}

FAST_KERNEL(softmax_cross_entropy) {
    int64_t N = shape_size(&c->out.shape), M = c->in[0].shape.n[c->in[0].shape.rank - 1];
    const T *l = c->in[0].data, *y = c->in[1].data;
    T *z = c->out.data, *A = c->attr[TRAINING].i ? c->out.saved : NULL;
    task_part rows = task_part_of(c, SPOR_WORK, task, N);
    int64_t at = rows.first * M;
    (M > FEW_CLASSES ? losses_row_by_row : losses_in_lanes)(z + rows.first, l + at, y + at,
                                                            rows.end - rows.first, M,
                                                            c->attr[WEIGHTED].i, A ? A + at : NULL);
}

/* One row of dl = (A - y) zbar */
SPOR_INLINE void row_pull(T *dl, const T *A, const T *y, T zbar, int64_t M) {
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = carve_least(LANES, M - m);
        vec d = (simd_load_part(A + m, lanes) - simd_load_part(y + m, lanes)) * zbar;
        simd_store_part(dl + m, d, lanes);
    }
}

FAST_KERNEL(softmax_cross_entropy_dl) {
    int64_t N = shape_size(&c->in[2].shape), M = c->out.shape.n[c->out.shape.rank - 1];
    const T *A = c->in[0].saved, *y = c->in[1].data, *zbar = c->in[2].data;
    task_part rows = task_part_of(c, SPOR_WORK, task, N);
    for (int64_t n = rows.first; n < rows.end; n++)
        row_pull((T *)c->out.data + n * M, A + n * M, y + n * M, zbar[n], M);
}

#endif
