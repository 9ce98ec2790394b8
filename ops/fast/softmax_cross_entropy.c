/*
 * Cross-entropy of a softmax, with labels as rows of probabilities (one-hot or not).
 *
 * Pattern     z = logsumexp(l, last axis) - sum(y l, last axis), the operands of y l in any order
 * Forward     z_n = ln sum_m e^l_nm - sum_m y_nm l_nm, shifted by the largest l of the row
 * Backward    dl_n = (A_n - Y_n) zbar_n, A = softmax(l): the correct form of Eq. (46) for the last
 *             layer; the elementwise f'(Z) o dC/dA leaves out the Jacobian off its diagonal
 *             dy_n = -zbar_n l_n, by ops
 * Saved       A when a backward pass will follow
 */
#include "layer.h"

#include "kernels/slots.h"

#ifdef SPOR_RULES

FAST_KERNELS(softmax_cross_entropy);
FAST_KERNELS(softmax_cross_entropy_dl);

extern const spor_op spor_op_sub, spor_op_mul, spor_op_sum, spor_op_logsumexp;

/* l[..., M], y[..., M] -> z[...] */
static bool xent_shape(spor_rule *r) {
    if (r->in[0].rank < 1) return spor_fail(r, "l needs at least 1 axis");
    if (!spor_shape_equal(&r->in[0], &r->in[1])) return spor_fail(r, "l and y differ in shape");
    r->out = r->in[0];
    r->out.rank--;
    return true;
}

static void xent_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)lanes;
    need->saved = c->attr[0].i ? bytes_for(spor_size(&c->in[0].shape), width) : 0;
}

/* z, y, zbar -> dl = (A - y) zbar with z's saved A */
static bool xent_dl_shape(spor_rule *r) {
    r->out = r->in[1];
    return true;
}

static const spor_fused xent_dl_fused = {.kernel = softmax_cross_entropy_dl_kernels};

static const spor_op xent_dl_op = {
    .signature = "softmax_cross_entropy_dl(z[*], y[*], zbar[*])",
    .equation = "dl = (softmax(l) - y) zbar",
    .operands = 3,
    .shape = xent_dl_shape,
    .fused = &xent_dl_fused,
};

static spor_var xent_vjp(spor_var z, int k, spor_var zbar) {
    spor_var l = spor_operand(z, 0), y = spor_operand(z, 1);
    if (k == 0) return spor_record(&xent_dl_op, (spor_var[]){z, y, zbar}, NULL);
    spor_shape shape = spor_shape_of(l);
    return spor_neg(spor_mul(spor_expand(zbar, SPOR_AXIS(shape.rank - 1), shape), l));
}

static const spor_fused xent_fused = {.need = xent_need, .kernel = softmax_cross_entropy_kernels};

static const spor_op xent_op = {
    .signature = "softmax_cross_entropy(l[*], y[*]; training:int)",
    .equation = "z = logsumexp(l) - sum(y l)",
    .operands = 2,
    .attrs = 1,
    .shape = xent_shape,
    .vjp = xent_vjp,
    .fused = &xent_fused,
};

/* ---- the match ---- */

static bool match_xent(spor_match *m, spor_var root) {
    if (!spor_made_by(root, &spor_op_sub)) return false;
    spor_var lse = spor_operand(root, 0), sum = spor_operand(root, 1);
    if (!spor_made_by(lse, &spor_op_logsumexp) || !spor_made_by(sum, &spor_op_sum)) return false;
    spor_var l = spor_operand(lse, 0), product = spor_operand(sum, 0);
    if (!spor_made_by(product, &spor_op_mul)) return false;
    int first = spor_operand(product, 0).id == l.id; /* l y rather than y l */
    if (spor_operand(product, 1 - first).id != l.id)
        return spor_refuse(m, "the labels do not multiply the operand of logsumexp");
    int last = spor_shape_of(l).rank - 1;
    if (spor_attrs(lse)[AXIS].i != last || spor_attrs(sum)[AXES].i != SPOR_AXIS(last))
        return spor_refuse(m, "the classes are not the last axis");
    if (!spor_layer_take(m, lse, &spor_op_logsumexp, "logsumexp(l)") ||
        !spor_layer_take(m, sum, &spor_op_sum, "sum(y l)") ||
        !spor_layer_take(m, product, &spor_op_mul, "y l"))
        return false;
    m->op = &xent_op;
    m->in[0] = l;
    m->in[1] = spor_operand(product, first);
    m->attr[0].i = m->training;
    return true;
}

extern const spor_fast spor_fast_softmax_cross_entropy;
const spor_fast spor_fast_softmax_cross_entropy = {
    .name = "softmax_cross_entropy",
    .pattern = "logsumexp(l) - sum(y l), along the last axis",
    .equations = "Eq. (46) for the last layer: delta = A - Y",
    .match = match_xent,
};

#else

#include "kernels/vmath.h"

/* The largest of a row; NaNs do not count. */
SPOR_INLINE T row_most(const T *l, int64_t M) {
    vec most = spor_all(l[0]);
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = spor_least(LANES, M - m);
        vec x = spor_load_part(l + m, lanes);
        most = spor_select((most < x) & spor_first_lanes(lanes), x, most);
    }
    return spor_lanes_most(most);
}

/* e_m = e^(l_m - most), kept if there is where; their sum */
SPOR_INLINE T row_exp(const T *l, int64_t M, T most, T *e) {
    vec sum = {0};
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = spor_least(LANES, M - m);
        vec x = spor_vexp(spor_load_part(l + m, lanes) - most);
        if (e) spor_store_part(e + m, x, lanes);
        sum += spor_select(spor_first_lanes(lanes), x, (vec){0});
    }
    return spor_lanes_sum(sum);
}

SPOR_INLINE T row_dot(const T *y, const T *l, int64_t M) {
    vec sum = {0};
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = spor_least(LANES, M - m);
        sum = spor_fma(spor_load_part(y + m, lanes), spor_load_part(l + m, lanes), sum);
    }
    return spor_lanes_sum(sum);
}

SPOR_INLINE void row_divide(T *e, int64_t M, T by) {
    for (int64_t m = 0; m < M; m += LANES) {
        int64_t lanes = spor_least(LANES, M - m);
        spor_store_part(e + m, spor_load_part(e + m, lanes) / by, lanes);
    }
}

FAST_KERNEL(softmax_cross_entropy) {
    int64_t N = spor_size(&c->out.shape), M = c->in[0].shape.n[c->in[0].shape.rank - 1];
    const T *l = c->in[0].data, *y = c->in[1].data;
    T *z = c->out.data, *A = c->attr[0].i ? c->out.saved : NULL;
    for (int64_t n = 0; n < N; n++, l += M, y += M) {
        T most = row_most(l, M), *An = A ? A + n * M : NULL;
        T sum = row_exp(l, M, most, An);
        z[n] = most + spor_vlog(spor_all(sum))[0] - row_dot(y, l, M);
        if (An) row_divide(An, M, sum);
    }
}

FAST_KERNEL(softmax_cross_entropy_dl) {
    int64_t N = spor_size(&c->in[2].shape), M = c->out.shape.n[c->out.shape.rank - 1];
    const T *A = c->in[0].saved, *y = c->in[1].data, *zbar = c->in[2].data;
    T *dl = c->out.data;
    for (int64_t n = 0; n < N; n++, A += M, y += M, dl += M) {
        for (int64_t m = 0; m < M; m += LANES) {
            int64_t lanes = spor_least(LANES, M - m);
            vec d = (spor_load_part(A + m, lanes) - spor_load_part(y + m, lanes)) * zbar[n];
            spor_store_part(dl + m, d, lanes);
        }
    }
}

#endif
