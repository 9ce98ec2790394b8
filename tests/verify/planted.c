/*
 * The verifier verified: faults are planted into hand-derived gradients of layers. Every one must
 * be caught, with its pair and no other named; a table shows which oracle sees which fault, and
 * data that see too little are shown to be blind.
 */
#include "../suite.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>
#include <spor/verify.h>

typedef enum {
    NONE,
    SIGN,
    TWICE,
    OVER_N,           /* divided by N once too often */
    TRANSPOSED,       /* dW^T */
    SHAPED,           /* delta W for delta W^T */
    OVER_NODES,       /* db sums over the nodes: Eq. (49) as printed */
    NO_SUM_OVER_N,    /* the first sample only */
    NO_SUM_OVER_F,    /* the first filter only */
    ONE_ELEMENT,      /* 1e-3 of one element */
    NOT_A_NUMBER,     /* one element */
    ROTATED,          /* correlation for convolution */
    KEPT_PADDING,     /* dA is not cropped by the padding */
    NO_PADDING,       /* dK from A, not from the padded A */
    PADDED_BY_P,      /* delta padded by p, not by (k - 1) - p: Eq. (79) */
    SWAPPED_PADS,     /* top for bottom, left for right */
    NO_REMAINDER,     /* the rows that no window reaches are forgotten */
    REMAINDER_FIRST,  /* they are taken to be the first ones */
    SWAPPED_HW,       /* height for width */
    FIRST_ROW,        /* of dA: zero */
    LAST_ROW,         /* of dA: zero */
    REVERSED_CHANNEL, /* channel c is C - 1 - c */
    SWAPPED_CHANNELS, /* c for f in K */
    CORNER_TAP,       /* one corner of the kernel is not used */
    SLOPE_OF_VALUE,   /* f'(A) for f'(Z) */
    ZERO_FILL,        /* padding is 0, not -infinity */
    DIAGONAL,         /* softmax as if it were elementwise: Eq. (46) */
    WRONG_AXIS,       /* softmax over the samples */
    NO_MEAN_TERM,     /* of batch normalisation's dx */
    NO_VARIANCE_TERM,
    BEYOND_SLOPES, /* at a kink a slope that is neither side's nor between them */
    OF_THE_TAPE    /* the tape's gradient has the formula's fault */
} fault;

typedef enum { SEEING, ONES_A, ONES_K, SYMMETRIC_K } blindness;

/* What a statement is recorded with. */
typedef struct {
    fault fault;
    blindness blind;
    const char *only, *but; /* NULL, or the one pair to claim, the one not to claim */
    bool gathers;           /* max-pool: values are gathered */
    int64_t corner[8];      /* shapes seen, by kind */
} plan;

/* ---- words ---- */

static spor_var filled(spor_tape *t, int64_t num, int64_t den, spor_shape shape) {
    return spor_broadcast(spor_ratio(t, num, den), shape);
}

static spor_var times(spor_var x, int64_t num, int64_t den) {
    return spor_mul(x, filled(x.tape, num, den, spor_shape_of(x)));
}

/* x's shape: value where the index is at[k] on every axis k with at[k] >= 0, else 0. */
static spor_var patch(spor_var x, const int64_t at[], spor_var value) {
    spor_shape shape = spor_shape_of(x), small = shape;
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    for (int k = 0; k < shape.rank; k++) {
        if (at[k] < 0) continue;
        lo[k] = at[k];
        hi[k] = shape.n[k] - 1 - at[k];
        small.n[k] = 1;
    }
    return spor_pad(spor_broadcast(value, small), lo, hi, 0);
}

/* x with the patch changed by num / den of itself. */
static spor_var changed(spor_var x, const int64_t at[], int64_t num, int64_t den) {
    return spor_add(x, spor_mul(x, patch(x, at, spor_ratio(x.tape, num, den))));
}

static spor_var with_nan(spor_var x, const int64_t at[]) {
    spor_var zero = spor_ratio(x.tape, 0, 1);
    return spor_add(x, patch(x, at, spor_div(zero, zero)));
}

/* The first slice of the axis. */
static spor_var first(spor_var x, int axis) {
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    hi[axis] = 1 - spor_shape_of(x).n[axis];
    return spor_pad(x, lo, hi, 0);
}

static void claim(const plan *p, spor_instance *in, const char *name, spor_var formula,
                  spor_var expected, int wrt) {
    if (p->only && strcmp(p->only, name) != 0) return;
    if (p->but && strcmp(p->but, name) == 0) return;
    in->pair[in->pairs++] =
        (spor_pair){.name = name, .formula = formula, .expected = expected, .wrt = wrt};
}

/* An instance of inputs, the last one y's cotangent. */
static void describe(spor_instance *in, spor_var y, int inputs, const spor_var input[]) {
    memcpy(in->input, input, (size_t)inputs * sizeof *input);
    in->inputs = inputs;
    in->y = y;
    in->dy = inputs - 1;
}

/* How it ended: the formulas may not record. */
static spor_recording recorded(spor_tape *t, const plan *p, spor_instance *in) {
    if (!spor_error(t)) return SPOR_RECORDED;
    snprintf(in->message, sizeof in->message, "%s: %.400s", p->only ? p->only : "", spor_error(t));
    return SPOR_BROKEN;
}

/* ---- layers ---- */

/* Eqs. (46)-(49): Z = A W + b. */
static spor_recording dense(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    plan *p = user;
    fault f = p->fault;
    int64_t N = v[0], n = v[1], m = v[2];
    spor_var A = spor_input(t, "A", SPOR_SHAPE(N, n)), W = spor_input(t, "W", SPOR_SHAPE(n, m)),
             b = spor_input(t, "b", SPOR_SHAPE(m)), dZ = spor_input(t, "dZ", SPOR_SHAPE(N, m));
    spor_var Z = spor_add(spor_matmul(A, W), spor_broadcast(b, SPOR_SHAPE(N, m)));
    spor_var wrt[] = {A, W, b}, d[3];
    describe(in, Z, 4, (spor_var[]){A, W, b, dZ});
    if (!spor_vjp(Z, dZ, 3, wrt, d)) return SPOR_OUTSIDE;

    const int64_t swap[] = {1, 0}, last[] = {n - 1, m - 1};
    spor_var dA = spor_matmul(dZ, f == SHAPED ? W : spor_transpose(W, swap));
    spor_var dW = spor_matmul(spor_transpose(A, swap), dZ);
    spor_var db = spor_sum(dZ, SPOR_AXIS(f == OVER_NODES));
    if (f == NO_SUM_OVER_N) db = spor_reshape(first(dZ, 0), SPOR_SHAPE(m));
    if (f == SIGN) dW = spor_neg(dW);
    if (f == TWICE) dW = times(dW, 2, 1);
    if (f == OVER_N) dW = times(dW, 1, N);
    if (f == TRANSPOSED) dW = spor_transpose(dW, swap);
    if (f == ONE_ELEMENT) dW = changed(dW, last, 1, 1000);
    if (f == NOT_A_NUMBER) dW = with_nan(dW, last);
    if (f == OF_THE_TAPE) d[1] = dW = times(dW, 2, 1);
    claim(p, in, "dA", dA, d[0], 0);
    claim(p, in, "dW", dW, d[1], 1);
    claim(p, in, "db", db, d[2], 2);
    return recorded(t, p, in);
}

/* A = f(Z): delta = f'(Z) dA. */
static spor_recording activation(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    plan *p = user;
    spor_shape shape = SPOR_SHAPE(v[0], v[1]);
    spor_var Z = spor_input(t, "Z", shape), dA = spor_input(t, "dA", shape), dZ;
    spor_var A = v[2] ? spor_sigmoid(Z) : spor_tanh(Z);
    describe(in, A, 2, (spor_var[]){Z, dA});
    if (!spor_vjp(A, dA, 1, &Z, &dZ)) return SPOR_OUTSIDE;
    spor_var f = A;
    if (p->fault == SLOPE_OF_VALUE) f = v[2] ? spor_sigmoid(A) : spor_tanh(A);
    spor_var one = filled(t, 1, 1, shape);
    spor_var slope = v[2] ? spor_mul(f, spor_sub(one, f)) : spor_sub(one, spor_mul(f, f));
    claim(p, in, "dZ", spor_mul(slope, dA), dZ, 0);
    return recorded(t, p, in);
}

/* Sizes of a convolutional layer, in the order of its quantities. */
typedef struct {
    int64_t N, H, W, C, F, k, l, sh, sw, top, bottom, left, right;
} sizes;

/* Rows and columns that no window reaches. */
static void remainders(const sizes *s, int64_t *rows, int64_t *columns) {
    *rows = (s->H + s->top + s->bottom - s->k) % s->sh;
    *columns = (s->W + s->left + s->right - s->l) % s->sw;
}

static void count_corners(plan *p, const sizes *s) {
    int64_t rows, columns;
    remainders(s, &rows, &columns);
    const bool is[8] = {
        s->N > 1 && s->C != s->F, s->H != s->W,      s->k != s->l,  s->k % 2 == 0, rows > 0,
        s->top != s->bottom,      s->top > s->k - 1, s->sh != s->sw};
    for (int k = 0; k < 8; k++) p->corner[k] += is[k];
}

/* dA = (dilated delta, padded by (k - 1) - p and the remainder) * K. */
static spor_var conv_dA(const plan *p, const sizes *s, spor_var K, spor_var delta) {
    fault f = p->fault;
    int64_t rows, columns;
    remainders(s, &rows, &columns);
    int64_t lo[] = {0, s->k - 1 - s->top, s->l - 1 - s->left, 0};
    int64_t hi[] = {0, s->k - 1 - s->bottom, s->l - 1 - s->right, 0};
    if (f == KEPT_PADDING) lo[1] = hi[1] = s->k - 1, lo[2] = hi[2] = s->l - 1;
    if (f == PADDED_BY_P) lo[1] = s->top, lo[2] = s->left, hi[1] = s->bottom, hi[2] = s->right;
    if (f == SWAPPED_PADS) {
        int64_t held[] = {lo[1], lo[2]};
        memcpy(lo + 1, hi + 1, sizeof held);
        memcpy(hi + 1, held, sizeof held);
    }
    int64_t *side = f == REMAINDER_FIRST ? lo : hi;
    if (f != NO_REMAINDER) side[1] += rows, side[2] += columns;
    if (f == CORNER_TAP) K = changed(K, (int64_t[]){0, 0, -1, -1}, -1, 1);
    if (f == NO_SUM_OVER_F) K = first(K, 3), delta = first(delta, 3);
    spor_var padded = spor_pad(spor_dilate(delta, (int64_t[]){1, s->sh, s->sw, 1}), lo, hi, 0);
    spor_var turned = f == SWAPPED_CHANNELS ? K : spor_transpose(K, (int64_t[]){0, 1, 3, 2});
    spor_var dA = f == ROTATED ? spor_correlate2d(padded, turned, 1, 1)
                               : spor_convolve2d(padded, turned, 1, 1);
    if (f == FIRST_ROW) dA = changed(dA, (int64_t[]){-1, 0, -1, -1}, -1, 1);
    if (f == LAST_ROW) dA = changed(dA, (int64_t[]){-1, s->H - 1, -1, -1}, -1, 1);
    return dA;
}

/* dK = dilated delta (star) padded A without the remainder, summed over the samples. */
static spor_var conv_dK(const plan *p, const sizes *s, spor_var A, spor_var delta) {
    fault f = p->fault;
    int64_t rows, columns;
    remainders(s, &rows, &columns);
    const int64_t lo[] = {0, s->top, s->left, 0};
    const int64_t hi[] = {0, s->bottom - rows, s->right - columns, 0};
    if (f == NO_SUM_OVER_N) A = first(A, 0), delta = first(delta, 0);
    if (f != NO_PADDING) A = spor_pad(A, lo, hi, 0);
    spor_var dilated = spor_dilate(delta, (int64_t[]){1, s->sh, s->sw, 1});
    spor_var dK = spor_correlate2d(spor_transpose(A, (int64_t[]){3, 1, 2, 0}),
                                   spor_transpose(dilated, (int64_t[]){1, 2, 0, 3}), 1, 1);
    dK = spor_transpose(dK, f == SWAPPED_HW ? (int64_t[]){2, 1, 0, 3} : (int64_t[]){1, 2, 0, 3});
    if (f == REVERSED_CHANNEL) dK = spor_flip(dK, SPOR_AXIS(2));
    if (f == ONE_ELEMENT) dK = changed(dK, (int64_t[]){0, 0, 0, 0}, 1, 1000);
    if (f == NOT_A_NUMBER) dK = with_nan(dK, (int64_t[]){s->k - 1, 0, 0, 0});
    return dK;
}

/* What a blind test would take for the kernel. */
static spor_var blind_kernel(const plan *p, spor_var K) {
    spor_var rotated = spor_flip(K, SPOR_AXIS(0) | SPOR_AXIS(1));
    if (p->blind == ONES_K) return filled(K.tape, 1, 1, spor_shape_of(K));
    return p->blind == SYMMETRIC_K ? spor_add(K, rotated) : K;
}

/* Z = K (star) padded A + b with pads of any size, strides, remainders; equations of dA and dK for
 * the right ones are of the report's (9), (19), (20), generalised. */
static spor_recording conv(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    plan *p = user;
    const sizes s = {v[0], v[1], v[2], v[3],  v[4],  v[5], v[6],
                     v[7], v[8], v[9], v[10], v[11], v[12]};
    int64_t P = s.H + s.top + s.bottom - s.k, Q = s.W + s.left + s.right - s.l;
    if (P < 0 || Q < 0) return SPOR_OUTSIDE;
    spor_var A = spor_input(t, "A", SPOR_SHAPE(s.N, s.H, s.W, s.C)),
             K = spor_input(t, "K", SPOR_SHAPE(s.k, s.l, s.C, s.F)),
             b = spor_input(t, "b", SPOR_SHAPE(s.F)),
             delta = spor_input(t, "delta", SPOR_SHAPE(s.N, 1 + P / s.sh, 1 + Q / s.sw, s.F));
    spor_var seen = p->blind == ONES_A ? filled(t, 1, 1, spor_shape_of(A)) : A;
    spor_var kernel = blind_kernel(p, K);
    const int64_t lo[] = {0, s.top, s.left, 0}, hi[] = {0, s.bottom, s.right, 0};
    spor_var Z = spor_correlate2d(spor_pad(seen, lo, hi, 0), kernel, s.sh, s.sw);
    Z = spor_add(Z, spor_broadcast(b, spor_shape_of(Z)));
    spor_var wrt[] = {A, K, b}, d[3];
    describe(in, Z, 4, (spor_var[]){A, K, b, delta});
    if (!spor_vjp(Z, delta, 3, wrt, d)) return SPOR_OUTSIDE;
    count_corners(p, &s);
    claim(p, in, "dA", conv_dA(p, &s, kernel, delta), d[0], 0);
    claim(p, in, "dK", conv_dK(p, &s, seen, delta), d[1], 1);
    claim(p, in, "db", spor_sum(delta, SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2)), d[2], 2);
    return recorded(t, p, in);
}

/* Max-pooling with the padding written out: the map is padded, windows have none, the error is
 * cropped. Values may be gathered where the winners lie. */
static spor_recording maxpool(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    plan *p = user;
    spor_window w = {{v[2], v[3]}, {v[4], v[5]}, {v[6], v[7], v[8], v[9]}}, bare = w;
    memset(bare.pad, 0, sizeof bare.pad);
    spor_shape shape = SPOR_SHAPE(1, v[0], v[1], 2);
    spor_var x = spor_input(t, "x", shape), u = spor_input(t, "u", shape);
    spor_var y = p->gathers ? spor_gather(x, u, w) : spor_maxpool2d(x, w), d;
    if (spor_error(t)) return SPOR_OUTSIDE;
    spor_var dy = spor_input(t, "dy", spor_shape_of(y));
    describe(in, y, 3, (spor_var[]){x, u, dy});
    if (!spor_vjp(y, dy, 1, p->gathers ? &u : &x, &d)) return SPOR_OUTSIDE;
    const int64_t lo[] = {0, v[6], v[8], 0}, hi[] = {0, v[7], v[9], 0};
    int64_t before[] = {0, -v[6], -v[8], 0}, after[] = {0, -v[7], -v[9], 0};
    spor_var padded = spor_pad(x, lo, hi, p->fault == ZERO_FILL ? 0 : -HUGE_VAL);
    spor_var routed = spor_route(padded, dy, bare);
    bool swapped = p->fault == SWAPPED_PADS;
    spor_var dx = spor_pad(routed, swapped ? after : before, swapped ? before : after, 0);
    if (p->fault == TWICE) dx = times(dx, 3, 1);
    claim(p, in, p->gathers ? "du" : "dx", dx, d, p->gathers ? 1 : 0);
    claim(p, in, "y", p->gathers ? y : spor_maxpool2d(spor_pad(x, lo, hi, -HUGE_VAL), bare), y, -1);
    return recorded(t, p, in);
}

/* c = -1/N sum Y ln softmax(Z), rows of Y sum to 1: dZ = (softmax(Z) - Y) / N. */
static spor_recording cross_entropy(void *user, spor_tape *t, const int64_t v[],
                                    spor_instance *in) {
    plan *p = user;
    fault f = p->fault;
    spor_shape shape = SPOR_SHAPE(v[0], v[1]);
    spor_var Z = spor_input(t, "Z", shape), logits = spor_input(t, "logits", shape),
             dc = spor_input(t, "dc", SPOR_SCALAR_SHAPE);
    spor_var Y = spor_softmax(logits, 1), A = spor_softmax(Z, f == WRONG_AXIS ? 0 : 1), dZ;
    spor_var losses = spor_sub(spor_expand(spor_logsumexp(Z, 1), SPOR_AXIS(1), shape), Z);
    spor_var c = times(spor_sum(spor_mul(Y, losses), SPOR_AXIS(0) | SPOR_AXIS(1)), 1, v[0]);
    describe(in, c, 3, (spor_var[]){Z, logits, dc});
    if (!spor_vjp(c, dc, 1, &Z, &dZ)) return SPOR_OUTSIDE;
    spor_var delta = spor_sub(A, Y);
    if (f == DIAGONAL) delta = spor_neg(spor_mul(Y, spor_sub(filled(t, 1, 1, shape), A)));
    if (f == SIGN) delta = spor_neg(delta);
    delta = times(spor_mul(delta, spor_broadcast(dc, shape)), 1, f == OVER_N ? v[0] * v[0] : v[0]);
    claim(p, in, "dZ", delta, dZ, 0);
    return recorded(t, p, in);
}

/* Y = gamma xhat + beta, xhat = (x - mean) / s, s = sqrt(variance + 1/8):
 * dx = gamma / (s N) (N dY - sum dY - xhat sum dY xhat). */
static spor_recording batch_norm(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    plan *p = user;
    fault f = p->fault;
    int64_t N = v[0], batch = SPOR_AXIS(0);
    spor_shape shape = SPOR_SHAPE(N, v[1]), row = SPOR_SHAPE(v[1]);
    spor_var x = spor_input(t, "x", shape), gamma = spor_input(t, "gamma", row),
             beta = spor_input(t, "beta", row), dY = spor_input(t, "dY", shape);
    spor_var centred = spor_sub(x, spor_broadcast(spor_mean(x, batch), shape));
    spor_var variance = spor_mean(spor_mul(centred, centred), batch);
    spor_var s = spor_sqrt(spor_add(variance, filled(t, 1, 8, row)));
    spor_var xhat = spor_div(centred, spor_broadcast(s, shape));
    spor_var Y =
        spor_add(spor_mul(spor_broadcast(gamma, shape), xhat), spor_broadcast(beta, shape));
    spor_var wrt[] = {x, gamma, beta}, d[3];
    describe(in, Y, 4, (spor_var[]){x, gamma, beta, dY});
    if (!spor_vjp(Y, dY, 3, wrt, d)) return SPOR_OUTSIDE;
    spor_var dbeta = spor_sum(dY, batch), dgamma = spor_sum(spor_mul(dY, xhat), batch);
    spor_var inner = times(dY, N, 1);
    if (f != NO_MEAN_TERM) inner = spor_sub(inner, spor_broadcast(dbeta, shape));
    if (f != NO_VARIANCE_TERM)
        inner = spor_sub(inner, spor_mul(xhat, spor_broadcast(dgamma, shape)));
    spor_var dx = spor_mul(spor_broadcast(times(spor_div(gamma, s), 1, N), shape), inner);
    claim(p, in, "dx", dx, d[0], 0);
    claim(p, in, "dgamma", dgamma, d[1], 1);
    claim(p, in, "dbeta", f == OVER_N ? times(dbeta, 1, N) : dbeta, d[2], 2);
    return recorded(t, p, in);
}

/* y = s if s > 0 else s / 2, s = x_1 + ... + x_n, each 0: the kink itself. */
static const double zero = 0;

static spor_recording kink(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    plan *p = user;
    spor_shape shape = SPOR_SHAPE(v[0]);
    spor_var x = spor_input(t, "x", shape), dy = spor_input(t, "dy", SPOR_SCALAR_SHAPE), dx;
    spor_var s = spor_sum(x, SPOR_AXIS(0)), y = spor_leaky_relu(s, 0.5);
    describe(in, y, 2, (spor_var[]){x, dy});
    in->range[0] = (spor_range){.kind = SPOR_RANGE_SET, .n = 1, .item = &zero};
    if (!spor_vjp(y, dy, 1, &x, &dx)) return SPOR_OUTSIDE;
    spor_var above = spor_step(s), below = spor_step(spor_neg(s)), one = spor_ratio(t, 1, 1);
    spor_var slope = times(spor_add(one, above), 1, 2);
    if (p->fault == BEYOND_SLOPES)
        slope = spor_add(slope, times(spor_sub(one, spor_add(above, below)), 3, 2));
    claim(p, in, "dx", spor_broadcast(spor_mul(slope, dy), shape), dx, 0);
    return recorded(t, p, in);
}

typedef enum { DENSE, ACTIVATION, CONV, MAXPOOL, GATHER, CROSS_ENTROPY, BATCH_NORM, KINK } layer;

static const char *const activations[] = {"tanh", "sigmoid"};

#define WINDOW_QUANTITIES                                                                          \
    SPOR_SIZE("H", 1, 4), SPOR_SIZE("W", 1, 4), SPOR_SIZE("k", 1, 3), SPOR_SIZE("l", 1, 3),        \
        SPOR_SIZE("sh", 1, 2), SPOR_SIZE("sw", 1, 2), SPOR_SIZE("top", 0, 1),                      \
        SPOR_SIZE("bottom", 0, 1), SPOR_SIZE("left", 0, 1), SPOR_SIZE("right", 0, 1)

static const spor_statement layers[] = {
    [DENSE] = {.name = "dense",
               .quantities = 3,
               .quantity = {SPOR_SIZE("N", 1, 4), SPOR_SIZE("n", 1, 4), SPOR_SIZE("m", 1, 4)},
               .record = dense},
    [ACTIVATION] = {.name = "activation",
                    .quantities = 3,
                    .quantity = {SPOR_SIZE("N", 1, 3),
                                 SPOR_SIZE("m", 1, 3),
                                 {.name = "f", .most = 1, .choices = activations}},
                    .record = activation},
    [CONV] = {.name = "conv",
              .quantities = 13,
              .quantity = {SPOR_SIZE("N", 1, 2), SPOR_SIZE("H", 1, 5), SPOR_SIZE("W", 1, 5),
                           SPOR_SIZE("C", 1, 2), SPOR_SIZE("F", 1, 2), SPOR_SIZE("k", 1, 3),
                           SPOR_SIZE("l", 1, 3), SPOR_SIZE("sh", 1, 3), SPOR_SIZE("sw", 1, 3),
                           SPOR_SIZE("top", 0, 2), SPOR_SIZE("bottom", 0, 2),
                           SPOR_SIZE("left", 0, 2), SPOR_SIZE("right", 0, 2)},
              .record = conv},
    [MAXPOOL] = {.name = "max-pool",
                 .quantities = 10,
                 .quantity = {WINDOW_QUANTITIES},
                 .record = maxpool},
    [GATHER] = {.name = "gather",
                .quantities = 10,
                .quantity = {WINDOW_QUANTITIES},
                .record = maxpool},
    [CROSS_ENTROPY] = {.name = "cross-entropy",
                       .quantities = 2,
                       .quantity = {SPOR_SIZE("N", 1, 4), SPOR_SIZE("K", 1, 4)},
                       .record = cross_entropy},
    [BATCH_NORM] = {.name = "batch norm",
                    .quantities = 2,
                    .quantity = {SPOR_SIZE("N", 1, 5), SPOR_SIZE("F", 1, 3)},
                    .record = batch_norm},
    [KINK] = {.name = "kink", .quantities = 1, .quantity = {SPOR_SIZE("n", 1, 4)}, .record = kink}};

static spor_statement statement_of(layer which, plan *p) {
    spor_statement statement = layers[which];
    p->gathers = which == GATHER;
    statement.user = p;
    return statement;
}

static const spor_effort effort = {.seed = 1, .shapes = 100, .proofs = 2000};

/* ---- the table ---- */

/*
 * A fault, sizes to ask each oracle at, and what must come of it: r if it does not even record,
 * else one letter for each oracle that must catch it, in their order: integers, reals (b for
 * bounds), adjoint, units, complex step, differences, field, which must not show an identity; a
 * dash for one that has nothing to examine, a dot for one that may miss it.
 */
typedef struct {
    layer layer;
    const char *pair;
    fault fault;
    const char *what, *caught;
    int64_t at[SPOR_QUANTITIES];
} row;

#define CONV_SIZES                                                                                 \
    { 2, 4, 4, 2, 2, 2, 3, 2, 1, 1, 0, 0, 1 }
#define SQUARE_SIZES                                                                               \
    { 2, 4, 4, 2, 2, 3, 3, 2, 1, 1, 0, 0, 1 }
#define REACHED_SIZES                                                                              \
    { 2, 5, 4, 2, 2, 2, 3, 2, 1, 1, 0, 0, 1 } /* windows reach the last row */
#define POOL_SIZES                                                                                 \
    { 3, 4, 2, 2, 1, 1, 1, 0, 1, 1 }

static const row rows[] = {
    {DENSE, "dW", SIGN, "sign", "ibaucdf", {2, 3, 4}},
    {DENSE, "dW", TWICE, "times 2", "ibaucdf", {2, 3, 4}},
    {DENSE, "dW", OVER_N, "times 1/N", "ibaucdf", {2, 3, 4}},
    {DENSE, "dW", TRANSPOSED, "transposed, n = m", "ibaucdf", {2, 3, 3}},
    {DENSE, "dW", TRANSPOSED, "transposed", "r", {2, 3, 4}},
    {DENSE, "dA", SHAPED, "W for W^T, n = m", "ibaucdf", {2, 3, 3}},
    {DENSE, "db", OVER_NODES, "sum over nodes, N = m", "ibaucdf", {3, 2, 3}},
    {DENSE, "db", OVER_NODES, "sum over nodes", "r", {2, 3, 4}},
    {DENSE, "db", NO_SUM_OVER_N, "no sum over N", "ibaucdf", {2, 3, 4}},
    {DENSE, "dW", ONE_ELEMENT, "1e-3 in one element", "ibaucdf", {2, 3, 4}},
    {DENSE, "dW", NOT_A_NUMBER, "NaN", "iba-cd-", {2, 3, 4}},
    {DENSE, "dW", OF_THE_TAPE, "times 2, the tape too", "..a.cd.", {2, 3, 4}},
    {ACTIVATION, "dZ", SLOPE_OF_VALUE, "f'(A) for f'(Z), tanh", ".b--cdf", {2, 3, 0}},
    {ACTIVATION, "dZ", SLOPE_OF_VALUE, "f'(A) for f'(Z), sigmoid", ".b--cdf", {2, 3, 1}},
    {CONV, "dA", ROTATED, "not rotated", "ibaucdf", CONV_SIZES},
    {CONV, "dA", KEPT_PADDING, "dA not cropped", "r", CONV_SIZES},
    {CONV, "dK", NO_PADDING, "A not padded", "r", CONV_SIZES},
    {CONV, "dA", PADDED_BY_P, "p for (k - 1) - p", "r", CONV_SIZES},
    {CONV, "dA", SWAPPED_PADS, "top for bottom", "ibaucdf", CONV_SIZES},
    {CONV, "dA", NO_REMAINDER, "no remainder", "r", CONV_SIZES},
    {CONV, "dA", REMAINDER_FIRST, "remainder first", "ibaucdf", CONV_SIZES},
    {CONV, "dK", SWAPPED_HW, "h for w", "r", CONV_SIZES},
    {CONV, "dK", SWAPPED_HW, "h for w, k = l", "ibaucdf", SQUARE_SIZES},
    {CONV, "dA", FIRST_ROW, "first row", "ibaucdf", CONV_SIZES},
    {CONV, "dA", LAST_ROW, "last row", "ibaucdf", REACHED_SIZES},
    {CONV, "dK", REVERSED_CHANNEL, "channel C - c", "ibaucdf", CONV_SIZES},
    {CONV, "dA", SWAPPED_CHANNELS, "c for f, C = F", "ibaucdf", CONV_SIZES},
    {CONV, "dA", NO_SUM_OVER_F, "no sum over f", "ibaucdf", CONV_SIZES},
    {CONV, "dK", NO_SUM_OVER_N, "no sum over N", "ibaucdf", CONV_SIZES},
    {CONV, "dA", CORNER_TAP, "a corner tap", "ibaucdf", CONV_SIZES},
    {CONV, "dK", ONE_ELEMENT, "1e-3 in one element", "ibaucdf", CONV_SIZES},
    {CONV, "dK", NOT_A_NUMBER, "NaN", "iba-cd-", CONV_SIZES},
    {MAXPOOL, "dx", ZERO_FILL, "0 for -infinity", "ib--cdf", POOL_SIZES},
    {MAXPOOL, "dx", SWAPPED_PADS, "top for bottom", "ib--cdf", POOL_SIZES},
    {MAXPOOL, "dx", TWICE, "times 3", "ib--cdf", POOL_SIZES},
    {GATHER, "du", ZERO_FILL, "0 for -infinity", "iba-cdf", POOL_SIZES},
    {CROSS_ENTROPY, "dZ", SIGN, "Y - A", "-b--cdf", {3, 4}},
    {CROSS_ENTROPY, "dZ", OVER_N, "times 1/N", "-b--cdf", {3, 4}},
    {CROSS_ENTROPY, "dZ", DIAGONAL, "elementwise softmax'", "-b--cdf", {3, 4}},
    {CROSS_ENTROPY, "dZ", WRONG_AXIS, "softmax over samples", "-b--cdf", {3, 4}},
    {BATCH_NORM, "dx", NO_MEAN_TERM, "no term of the mean", ".b--cdf", {3, 2}},
    {BATCH_NORM, "dx", NO_VARIANCE_TERM, "no term of the variance", ".b--cdf", {3, 2}},
    {BATCH_NORM, "dbeta", OVER_N, "times 1/N", "ibaucdf", {3, 2}},
    {KINK, "dx", BEYOND_SLOPES, "beyond both slopes", "ib--cd-", {2}},
};

enum { ROWS = (int)(sizeof rows / sizeof *rows) };

/* What each oracle says, as row.caught writes it. */
static void ask_all(layer which, plan *p, const int64_t at[], char said[SPOR_ORACLES + 1]) {
    spor_statement statement = statement_of(which, p);
    static const char letters[] = "ibaucdf";
    _Static_assert(sizeof letters == SPOR_ORACLES + 1, "each oracle has its letter");
    strcpy(said, letters);
    for (int k = 0; k < SPOR_ORACLES; k++) {
        spor_answer answer;
        ck_assert(spor_ask_oracle(&statement, at, (spor_oracle)k, &effort, &answer));
        ck_assert_int_ne(answer.recording, SPOR_OUTSIDE);
        if (answer.recording == SPOR_BROKEN) {
            strcpy(said, "r");
            return;
        }
        if (answer.caught && p->only) ck_assert_str_eq(answer.pair, p->only);
        bool saw = answer.caught || answer.not_shown;
        if (!saw) said[k] = answer.examined ? '.' : '-';
    }
}

/* ---- checks of other tools, in our words: columns of the table ---- */

/* KANN's check holds magnitudes against each other. */
static bool passes_by_magnitude(const double a[], const double b[], int64_t n) {
    for (int64_t k = 0; k < n; k++)
        if (fabs(fabs(a[k]) - fabs(b[k])) > 1e-6) return false;
    return true;
}

/* ggml's takes the mean of |(a - b) / (a + b)| and fails if it is larger than a tolerance. */
static bool passes_by_mean(const double a[], const double b[], int64_t n) {
    double mean = 0;
    for (int64_t k = 0; k < n; k++) mean += fabs((a[k] - b[k]) / (a[k] + b[k])) / (double)n;
    return !(mean > 1e-3);
}

typedef struct {
    bool passes_by_magnitude, passes_by_mean;
} elsewhere;

static int64_t elements_of(const spor_shape *shape) {
    int64_t size = 1;
    for (int k = 0; k < shape->rank; k++) size *= shape->n[k];
    return size;
}

/* What those checks say about the plan's pair on tie-free numbers. */
static elsewhere ask_others(layer which, plan *p, const int64_t at[]) {
    spor_statement statement = statement_of(which, p);
    spor_tape *tape = spor_tape_new();
    spor_instance in = {0};
    elsewhere said = {true, true};
    if (statement.record(p, tape, at, &in) == SPOR_RECORDED) {
        spor_var outputs[] = {in.pair[0].formula, in.pair[0].expected};
        spor_options options = {.scalar = SPOR_F64, .reference = true};
        spor_program *program = spor_compile(tape, 2, outputs, NULL, &options);
        for (int k = 0; k < in.inputs; k++) {
            spor_arg x = spor_program_arg(program, in.input[k]);
            int64_t size = elements_of(&x.shape);
            for (int64_t j = 0; j < size; j++)
                ((double *)x.data)[j] =
                    (double)((7 * j + 3 * k) % 13 - 6 + (j % 2)) / 4 + 0.05 + 0.01 * (double)j;
        }
        ck_assert(spor_run(program, 0));
        spor_arg a = spor_program_arg(program, outputs[0]),
                 b = spor_program_arg(program, outputs[1]);
        said.passes_by_magnitude = passes_by_magnitude(a.data, b.data, elements_of(&a.shape));
        said.passes_by_mean = passes_by_mean(a.data, b.data, elements_of(&a.shape));
        spor_program_free(program);
    }
    spor_tape_free(tape);
    return said;
}

static void print_row(const row *r, const char *said, elsewhere other) {
    printf("%-13s %-6s %-25s", layers[r->layer].name, r->pair, r->what);
    if (*said == 'r') {
        puts(" does not record");
        return;
    }
    for (int k = 0; k < SPOR_ORACLES; k++) {
        bool claims = k == SPOR_BY_FIELD;
        const char *missed = claims ? "identity" : "misses",
                   *seen = claims ? "not shown" : "catches";
        printf(" %-12s", said[k] == '-' ? "-" : said[k] == '.' ? missed : seen);
    }
    printf(" %-12s %s\n", other.passes_by_magnitude ? "misses" : "catches",
           other.passes_by_mean ? "misses" : "catches");
}

START_TEST(each_fault_is_seen_by_the_oracles_that_can) {
    int failures = 0, missed_by_magnitude = 0, missed_by_mean = 0;
    printf("\n%-46s", "fault");
    for (int k = 0; k < SPOR_ORACLES; k++) printf(" %-12s", spor_oracle_name((spor_oracle)k));
    puts(" |a| - |b|    mean (a - b) / (a + b)");
    for (int j = 0; j < ROWS; j++) {
        plan p = {.fault = rows[j].fault, .only = rows[j].pair};
        char said[SPOR_ORACLES + 1];
        ask_all(rows[j].layer, &p, rows[j].at, said);
        elsewhere other = ask_others(rows[j].layer, &p, rows[j].at);
        print_row(&rows[j], said, other);
        missed_by_magnitude += *said != 'r' && other.passes_by_magnitude;
        missed_by_mean += *said != 'r' && other.passes_by_mean;
        for (size_t k = 0; k < strlen(rows[j].caught); k++)
            failures += rows[j].caught[k] != '.' && rows[j].caught[k] != said[k];
        failures += strspn(said, ".-f") == strlen(said);
        bool of_tape = rows[j].fault == OF_THE_TAPE; /* formula and tape agree */
        failures += *said != 'r' && said[SPOR_BY_FIELD] == '.' && !of_tape;
    }
    fflush(stdout);
    ck_assert_int_eq(failures, 0);
    /* signs and NaN; NaN and gradients with zeros */
    ck_assert_int_ge(missed_by_magnitude, 4);
    ck_assert_int_ge(missed_by_mean, 5);
}
END_TEST

/* Who takes the tape's word misses what the tape has wrong too. */
START_TEST(oracles_are_blind_where_they_say) {
    char said[SPOR_ORACLES + 1];
    ask_all(DENSE, &(plan){.fault = OF_THE_TAPE, .only = "dW"}, (int64_t[]){2, 3, 4}, said);
    ck_assert_str_eq(said, "..a.cd.");
    ask_all(KINK, &(plan){.fault = BEYOND_SLOPES, .only = "dx"}, (int64_t[]){2}, said);
    ck_assert_str_eq(said, "ib--cd-");
}
END_TEST

START_TEST(oracles_are_content_with_right_formulas) {
    for (int j = 0; j < ROWS; j++) {
        plan p = {.fault = NONE};
        char said[SPOR_ORACLES + 1];
        ask_all(rows[j].layer, &p, rows[j].at, said);
        ck_assert_msg(strspn(said, ".-") == SPOR_ORACLES, "%s: %s", layers[rows[j].layer].name,
                      said);
        ck_assert_msg(strchr(said, '.') != NULL, "%s", layers[rows[j].layer].name);
    }
}
END_TEST

/* ---- verifying ---- */

START_TEST(right_layers_hold) {
    plan p = {.fault = NONE};
    spor_statement statement = statement_of((layer)_i, &p);
    spor_verdict verdict;
    ck_assert(spor_verify(&statement, &effort, &verdict));
    if (verdict.outcome != SPOR_HOLDS) spor_verdict_print(&statement, &verdict, stderr);
    ck_assert_int_eq(verdict.outcome, SPOR_HOLDS);
    for (int k = 0; k < 8 && _i == CONV; k++)
        ck_assert_msg(p.corner[k] > 3, "corner %d was seen %" PRId64 " times", k, p.corner[k]);
}
END_TEST

/* The search asks integers, reals, units and complex steps, and counts what each of them judged. */
START_TEST(the_search_asks_its_oracles) {
    plan p = {.fault = NONE};
    spor_statement statement = statement_of(DENSE, &p);
    spor_verdict v;
    ck_assert(spor_verify(&statement, &effort, &v));
    int64_t by_tape = v.asked[SPOR_BY_INTEGERS] + v.asked[SPOR_BY_BOUNDS] + v.asked[SPOR_BY_UNITS];
    ck_assert_int_eq(v.comparisons, by_tape);
    ck_assert(v.asked[SPOR_BY_INTEGERS] > 0 && v.asked[SPOR_BY_BOUNDS] > 0);
    ck_assert(v.asked[SPOR_BY_UNITS] > 0 && v.asked[SPOR_BY_COMPLEX_STEP] > 0);
    ck_assert_int_eq(v.asked[SPOR_BY_ADJOINT] + v.asked[SPOR_BY_DIFFERENCES], 0);
    /* one shape, asked by itself: what the oracles judged adds up to the same */
    const int64_t at[] = {2, 3, 4};
    spor_answer answer;
    statement.quantity[0].least = statement.quantity[0].most = at[0];
    statement.quantity[1].least = statement.quantity[1].most = at[1];
    statement.quantity[2].least = statement.quantity[2].most = at[2];
    ck_assert(spor_verify(&statement, &effort, &v));
    ck_assert_int_eq(v.shapes, 1);
    for (int k = 0; k < SPOR_ORACLES; k++) {
        ck_assert(spor_ask_oracle(&statement, at, (spor_oracle)k, &effort, &answer));
        if (v.asked[k]) ck_assert_int_eq(answer.elements, v.asked[k]);
    }
}
END_TEST

/* The verdict names the pair, and without it all others hold. */
START_TEST(every_fault_is_caught_and_no_other_pair_is_blamed) {
    const row *r = &rows[_i];
    plan p = {.fault = r->fault}, others = {.fault = r->fault, .but = r->pair};
    spor_statement statement = statement_of(r->layer, &p);
    spor_verdict verdict;
    ck_assert(spor_verify(&statement, &effort, &verdict));
    const spor_counterexample *e = &verdict.example;
    ck_assert_msg(verdict.outcome == SPOR_FAILS, "%s: %s", statement.name, r->what);
    spor_dispute expected = r->fault == OF_THE_TAPE ? SPOR_TAPE_ORACLE : SPOR_FORMULA_TAPE;
    bool records = e->dispute != SPOR_DOES_NOT_RECORD;
    if (records) ck_assert_int_eq(e->dispute, expected);
    if (records) ck_assert_str_eq(e->pair_name, r->pair);

    statement = statement_of(r->layer, &others);
    spor_answer answer;
    for (int k = 0; k < SPOR_ORACLES && records; k++) {
        ck_assert(spor_ask_oracle(&statement, e->value, (spor_oracle)k, &effort, &answer));
        ck_assert_msg(!answer.caught, "%s of %s: %s too", r->what, r->pair, answer.pair);
    }
}
END_TEST

/* ---- data and sizes that see too little ---- */

/* A fault that no oracle sees with these data or at these sizes. */
static const struct {
    fault fault;
    const char *pair, *what;
    blindness blind;
    int64_t at[SPOR_QUANTITIES];
} unseen[] = {
    {ROTATED, "dA", "K of ones", ONES_K, CONV_SIZES},
    {SWAPPED_CHANNELS, "dA", "K of ones", ONES_K, CONV_SIZES},
    {REVERSED_CHANNEL, "dK", "A of ones", ONES_A, CONV_SIZES},
    {SWAPPED_HW, "dK", "A of ones, no padding", ONES_A, {2, 5, 5, 2, 2, 3, 3, 1, 1}},
    {ROTATED, "dA", "symmetric K", SYMMETRIC_K, CONV_SIZES},
    {PADDED_BY_P, "dA", "square, odd, same", SEEING, {2, 5, 5, 2, 2, 3, 3, 1, 1, 1, 1, 1, 1}},
    {SWAPPED_PADS, "dA", "square, odd, same", SEEING, {2, 5, 5, 2, 2, 3, 3, 1, 1, 1, 1, 1, 1}},
    {NO_REMAINDER, "dA", "square, odd, same", SEEING, {2, 5, 5, 2, 2, 3, 3, 1, 1, 1, 1, 1, 1}},
    {NO_SUM_OVER_N, "dK", "N = 1", SEEING, {1, 4, 4, 2, 2, 2, 3, 2, 1, 1, 0, 0, 1}},
    {NO_SUM_OVER_F, "dA", "F = 1", SEEING, {2, 4, 4, 2, 1, 2, 3, 2, 1, 1, 0, 0, 1}},
    {REVERSED_CHANNEL, "dK", "C = 1", SEEING, {2, 4, 4, 1, 2, 2, 3, 2, 1, 1, 0, 0, 1}},
    {LAST_ROW, "dA", "no window reaches it", SEEING, CONV_SIZES},
};

enum { UNSEEN = (int)(sizeof unseen / sizeof *unseen) };

/* No oracle sees the fault there; on the data and sizes that the verifier draws it is caught. */
START_TEST(blind_data_are_blind_and_never_the_only_case) {
    plan blind = {.fault = unseen[_i].fault, .only = unseen[_i].pair, .blind = unseen[_i].blind};
    char said[SPOR_ORACLES + 1];
    ask_all(CONV, &blind, unseen[_i].at, said);
    ck_assert_msg(strspn(said, ".-") == SPOR_ORACLES && strchr(said, '.'), "%s: %s",
                  unseen[_i].what, said);
    plan seeing = {.fault = unseen[_i].fault};
    spor_statement statement = statement_of(CONV, &seeing);
    spor_verdict verdict;
    ck_assert(spor_verify(&statement, &effort, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    ck_assert_msg(verdict.example.dispute == SPOR_DOES_NOT_RECORD ||
                      !strcmp(verdict.example.pair_name, unseen[_i].pair),
                  "%s", verdict.example.pair_name);
}
END_TEST

/* ---- what other checks let pass ---- */

/* The numbers of the verdict's example, in front of an element whose true gradient is 0. */
static void example_of(layer which, fault f, double formula[2], double expected[2]) {
    plan p = {.fault = f};
    spor_statement statement = statement_of(which, &p);
    spor_verdict verdict;
    ck_assert(spor_verify(&statement, &effort, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    formula[0] = verdict.example.formula;
    expected[0] = verdict.example.expected;
    formula[1] = expected[1] = 0;
}

START_TEST(what_other_checks_let_pass_is_caught) {
    double formula[2], expected[2];
    example_of(DENSE, SIGN, formula, expected);
    ck_assert(passes_by_magnitude(formula, expected, 2) && formula[0] == -expected[0]);
    example_of(MAXPOOL, TWICE, formula, expected); /* three times the gradient, and 0 / 0 */
    ck_assert(formula[0] == 3 * expected[0] && passes_by_mean(formula, expected, 2));
    ck_assert(!passes_by_mean(formula, expected, 1));
    example_of(CONV, NOT_A_NUMBER, formula, expected);
    ck_assert(isnan(formula[0]) && passes_by_magnitude(formula, expected, 1));
    ck_assert(passes_by_mean(formula, expected, 1));
}
END_TEST

/* ---- the oracles themselves ---- */

START_TEST(each_oracle_says_what_it_proves) {
    for (int k = 0; k < SPOR_ORACLES; k++)
        for (int j = 0; j < k; j++) {
            ck_assert_str_ne(spor_oracle_name((spor_oracle)k), spor_oracle_name((spor_oracle)j));
            ck_assert_str_ne(spor_oracle_proves((spor_oracle)k),
                             spor_oracle_proves((spor_oracle)j));
        }
}
END_TEST

static spor_answer answer_of(layer which, fault f, const char *only, const int64_t at[],
                             spor_oracle oracle) {
    plan p = {.fault = f, .only = only};
    spor_statement statement = statement_of(which, &p);
    spor_answer answer;
    ck_assert(spor_ask_oracle(&statement, at, oracle, &effort, &answer));
    return answer;
}

START_TEST(units_prove) {
    const int64_t at[] = {2, 3, 4};
    spor_answer answer = answer_of(DENSE, NONE, NULL, at, SPOR_BY_UNITS);
    ck_assert(answer.proved && answer.examined && !answer.caught);
    answer = answer_of(DENSE, ONE_ELEMENT, "dW", at, SPOR_BY_UNITS);
    ck_assert(!answer.proved && answer.caught);
    ck_assert_int_eq(answer.wrong, 1);
    answer = answer_of(BATCH_NORM, NONE, "dx", (int64_t[]){3, 2}, SPOR_BY_UNITS);
    ck_assert(!answer.proved && !answer.examined && answer.elements == 0);
}
END_TEST

/* At a kink the slope of either side passes, and nothing beyond. */
START_TEST(differences_know_kinks) {
    const int64_t at[] = {4};
    spor_answer answer = answer_of(KINK, NONE, NULL, at, SPOR_BY_DIFFERENCES);
    ck_assert(answer.examined && !answer.caught);
    int64_t kinks = answer.kinks;
    ck_assert_int_gt(kinks, 0);
    ck_assert_int_eq(answer.skipped, 0);
    answer = answer_of(KINK, BEYOND_SLOPES, NULL, at, SPOR_BY_DIFFERENCES);
    ck_assert_int_eq(answer.wrong, kinks);
    ck_assert_int_eq(answer.kinks, 0);
    ck_assert_str_eq(answer.pair, "dx");
    ck_assert(answer.worst > 1000 * answer.bound);
}
END_TEST

/* y = s if s > 0 else s / 2, s = x^2 - 1/64 - 3 2^-20: at x = 1/8, where the data are, the kink is
 * one and a half steps away. */
static spor_recording near_kink(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)v;
    spor_var x = spor_input(t, "x", SPOR_SCALAR_SHAPE), dy = spor_input(t, "dy", SPOR_SCALAR_SHAPE);
    spor_var s = spor_sub(spor_mul(x, x), spor_ratio(t, (1 << 14) + 3, 1 << 20)), dx;
    static const double eighth = 0.125;
    describe(in, spor_leaky_relu(s, 0.5), 2, (spor_var[]){x, dy});
    in->range[0] = (spor_range){.kind = SPOR_RANGE_SET, .n = 1, .item = &eighth};
    if (!spor_vjp(in->y, dy, 1, &x, &dx)) return SPOR_OUTSIDE;
    claim(user, in, "dx", dx, dx, 0);
    return recorded(t, user, in);
}

START_TEST(differences_skip_what_lies_near_a_kink) {
    plan p = {.fault = NONE};
    spor_statement statement = {.name = "near a kink", .record = near_kink, .user = &p};
    spor_answer answer;
    ck_assert(spor_ask_oracle(&statement, &(int64_t){0}, SPOR_BY_DIFFERENCES, &effort, &answer));
    ck_assert_int_gt(answer.skipped, 0); /* all data are 1/8 */
    ck_assert_int_eq(answer.elements, 0);
    ck_assert(!answer.caught && answer.kinks == 0);
}
END_TEST

/* y = e^(16 x): the truncation of differences is far above rounding, and far below 1e-3. */
static spor_recording steep(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)v;
    const plan *p = user;
    spor_var x = spor_input(t, "x", SPOR_SCALAR_SHAPE), dy = spor_input(t, "dy", SPOR_SCALAR_SHAPE);
    spor_var dx;
    describe(in, spor_exp(times(x, 16, 1)), 2, (spor_var[]){x, dy});
    if (!spor_vjp(in->y, dy, 1, &x, &dx)) return SPOR_OUTSIDE;
    claim(p, in, "dx", p->fault == ONE_ELEMENT ? times(dx, 1001, 1000) : dx, dx, 0);
    return recorded(t, p, in);
}

START_TEST(differences_allow_for_truncation) {
    plan p = {.fault = NONE};
    spor_statement statement = {.name = "steep", .record = steep, .user = &p};
    spor_answer answer;
    ck_assert(spor_ask_oracle(&statement, &(int64_t){0}, SPOR_BY_DIFFERENCES, &effort, &answer));
    ck_assert(answer.elements > 2 && !answer.caught);
    p.fault = ONE_ELEMENT;
    ck_assert(spor_ask_oracle(&statement, &(int64_t){0}, SPOR_BY_DIFFERENCES, &effort, &answer));
    ck_assert_int_eq(answer.wrong, answer.elements);
}
END_TEST

/* z = 1/10 + 2/10 - 3/10 is 0, but what double arithmetic gives is not: nothing is known of a
 * formula that divides by it, however far off it is. */
static spor_recording lost(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)v;
    plan *p = user;
    spor_var x = spor_input(t, "x", SPOR_SCALAR_SHAPE), dy = spor_input(t, "dy", SPOR_SCALAR_SHAPE);
    spor_var y = spor_tanh(x), dx;
    describe(in, y, 2, (spor_var[]){x, dy});
    if (!spor_vjp(y, dy, 1, &x, &dx)) return SPOR_OUTSIDE;
    spor_var sum = spor_add(spor_ratio(t, 1, 10), spor_ratio(t, 2, 10));
    claim(p, in, "y", y, y, -1);
    claim(p, in, "dx", spor_div(dx, spor_sub(sum, spor_ratio(t, 3, 10))), dx, 0);
    return recorded(t, p, in);
}

START_TEST(what_is_lost_in_rounding_is_no_pass) {
    plan p = {.fault = NONE}, others = {.but = "dx"};
    spor_statement statement = {.name = "lost", .record = lost, .user = &p};
    spor_verdict verdict;
    spor_answer answer;
    ck_assert(spor_verify(&statement, &effort, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_NOTHING_EXAMINED);
    ck_assert(verdict.undecided > 0 && verdict.compared[0] > 0 && verdict.compared[1] == 0);
    ck_assert(spor_ask_oracle(&statement, &(int64_t){0}, SPOR_BY_DIFFERENCES, &effort, &answer));
    ck_assert(!answer.examined && !answer.caught);
    statement.user = &others;
    ck_assert(spor_verify(&statement, &effort, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_HOLDS);
}
END_TEST

/* y = x + 2^-80 x, reversed: what is added is lost in rounding unless it is all there is. With
 * this seed none of two whole numbers is 0. */
static spor_recording drowned(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    spor_var x = spor_input(t, "x", SPOR_SHAPE(v[0]));
    in->input[in->inputs++] = x;
    spor_var tiny =
        times(times(spor_flip(x, SPOR_AXIS(0)), 1, (int64_t)1 << 40), 1, (int64_t)1 << 40);
    claim(user, in, "y", spor_add(x, tiny), x, -1);
    return recorded(t, user, in);
}

/* It is found by the search, and found again when the case is made small. */
START_TEST(what_only_units_see_is_shown) {
    plan p = {.fault = NONE};
    const int64_t n = 2;
    spor_statement statement = {.name = "drowned",
                                .quantities = 1,
                                .quantity = {SPOR_SIZE("n", n, n)},
                                .record = drowned,
                                .user = &p};
    spor_verdict v;
    ck_assert(spor_verify(&statement, &(spor_effort){.seed = 3}, &v));
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
    ck_assert_int_eq(v.example.wrong, 1);
    ck_assert_str_eq(v.example.pair_name, "y");
    ck_assert_double_eq(v.example.formula, 0x1p-80);
}
END_TEST

/* Broken the first time it is recorded, as where memory runs out and is there again. */
static spor_recording broken_once(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)v;
    plan *p = user;
    spor_var x = spor_input(t, "x", SPOR_SCALAR_SHAPE);
    in->input[in->inputs++] = x;
    claim(p, in, "y", x, x, -1);
    return p->corner[0]++ ? recorded(t, p, in) : SPOR_BROKEN;
}

START_TEST(what_does_not_fail_again_is_no_verdict) {
    plan p = {.fault = NONE};
    spor_statement statement = {.name = "broken once", .record = broken_once, .user = &p};
    spor_verdict v;
    ck_assert(!spor_verify(&statement, &effort, &v));
    ck_assert(spor_verify(&statement, &effort, &v));
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
}
END_TEST

/* A pair that claims no gradient: nothing for the oracles that differentiate. */
START_TEST(who_examined_nothing_says_so) {
    const int64_t at[] = POOL_SIZES;
    for (int k = SPOR_BY_ADJOINT; k < SPOR_BY_FIELD; k++) {
        spor_answer answer = answer_of(MAXPOOL, NONE, "y", at, (spor_oracle)k);
        ck_assert(!answer.examined && !answer.caught && answer.elements == 0);
    }
    ck_assert(answer_of(MAXPOOL, NONE, "y", at, SPOR_BY_INTEGERS).examined);
    spor_answer refused =
        answer_of(CONV, NO_PADDING, "dK", (int64_t[])CONV_SIZES, SPOR_BY_INTEGERS);
    ck_assert(refused.recording == SPOR_BROKEN && !refused.examined && *refused.message);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("planted");
    TCase *tests = tcase_create("planted");
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_fault_is_seen_by_the_oracles_that_can);
    tcase_add_test(tests, oracles_are_blind_where_they_say);
    tcase_add_test(tests, oracles_are_content_with_right_formulas);
    tcase_add_test(tests, the_search_asks_its_oracles);
    tcase_add_loop_test(tests, right_layers_hold, 0, KINK + 1);
    tcase_add_loop_test(tests, every_fault_is_caught_and_no_other_pair_is_blamed, 0, ROWS);
    tcase_add_loop_test(tests, blind_data_are_blind_and_never_the_only_case, 0, UNSEEN);
    tcase_add_test(tests, what_other_checks_let_pass_is_caught);
    tcase_add_test(tests, each_oracle_says_what_it_proves);
    tcase_add_test(tests, units_prove);
    tcase_add_test(tests, differences_know_kinks);
    tcase_add_test(tests, differences_skip_what_lies_near_a_kink);
    tcase_add_test(tests, differences_allow_for_truncation);
    tcase_add_test(tests, what_is_lost_in_rounding_is_no_pass);
    tcase_add_test(tests, what_only_units_see_is_shown);
    tcase_add_test(tests, what_does_not_fail_again_is_no_verdict);
    tcase_add_test(tests, who_examined_nothing_says_so);
    suite_add_tcase(suite, tests);
    return suite;
}
