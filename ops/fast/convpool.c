/*
 * A convolutional layer and the max-pooling behind it, in one: the report's conv-pool pairs.
 *
 * Pattern     y = maxpool2d(f(K * X~ + b)): maxpool2d(act(correlate2d(pad(x), K) + expand(b))), as
 *             conv2d takes it, read by the pooling only
 * Forward     y = f(maxpool2d(Z)): f does not decrease, so the largest of f is f of the largest.
 *             Z of a few samples is made, pooled while it is near, and forgotten
 * Backward    only winners feel the cost, and there Y is y:
 *             delta_y = dy o f'(y)                                  Eqs. (11)-(13) at the winners
 *             delta   = delta_y at the winners, 0 elsewhere         the report's routing
 *             dx, dK  from delta as in conv2d                       Eqs. (43), (44)
 *             db_f    = sum of delta_y: routing loses nothing       Eq. (45)
 * Saved       the winners, as in maxpool2d, when a backward pass will follow
 * Exact       on small integers where f is
 * Ties        where f rounds two values of Z to one, the larger Z wins here and the first one in
 * the definition; f' is nearly 0 there
 */
#include "correlation.h"
#include "pooling.h"

/* After the attributes of the convolution: the window, then whether winners are saved. */
enum { WINDOW = OWN, TRAINING = OWN + WINDOW_SLOTS };

/* z or delta of a group: the arrays of the convolution and one of maps before pooling. */
typedef struct {
    conv_scratch conv;
    void *z;
} pool_scratch;

static pool_scratch carve_both(spor_carver *carver, const correlation *g, int64_t N, int64_t depth,
                               int64_t map, size_t width, int64_t lanes) {
    pool_scratch s = {.conv = carve_scratch(carver, g, N, depth, width, lanes)};
    s.z = carve_take(carver, carve_times(s.conv.group, map), width);
    return s;
}

#ifdef SPOR_RULES

FAST_KERNELS(convpool);
FAST_KERNELS(convpool_dx);
FAST_KERNELS(convpool_dK);

extern const spor_op spor_op_maxpool2d;

/* ---- forward ---- */

/* x[N,H,W,C], K[k,l,C,F], b[F] -> y[N,P,Q,F] */
static bool pooled_shape(spor_rule *r) {
    if (!correlation_shape(r)) return false;
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = windows_along(r->attr + WINDOW, axis, r->out.n[1 + axis]);
    return true;
}

static void pooled_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    const spor_shape *x = &c->in[0].shape, *K = &c->in[1].shape;
    correlation g = forward_correlation(c->attr, x, K->n[0], K->n[1], K->n[3]);
    spor_carver carver = {0};
    carve_both(&carver, &g, x->n[0], depth_of(&g), pixels_of(&g) * g.F, width, lanes);
    need->scratch = carver.used;
    if (c->attr[TRAINING].i)
        need->saved = bytes_for(shape_size(&c->out.shape), winner_bytes(c->attr + WINDOW));
}

static spor_var pooled_vjp(spor_var y, int k, spor_var ybar);

static const spor_fused pooled_fused = {.need = pooled_need,
                                        .phase = {[SPOR_WORK] = convpool_kernels}};

#define CONVPOOL_OP(operands_, signature_)                                                         \
    {                                                                                              \
        .signature = signature_ "; stride:int2, pad:int4, activation:int, slope:real, size:int2, " \
                                "step:int2, edge:int4, training:int)",                             \
        .equation = "y = f(maxpool2d(K * pad(x) + b))",                                            \
        .traits = SPOR_EXACT_ON_INTEGERS | SPOR_CHANGES_TIES, .operands = operands_,               \
        .attrs = TRAINING + 1, .shape = pooled_shape, .vjp = pooled_vjp, .fused = &pooled_fused    \
    }
static const spor_op pooled_op = CONVPOOL_OP(3, "convpool(x[N,H,W,C], K[k,l,C,F], b[F]");
static const spor_op unbiased_op = CONVPOOL_OP(2, "convpool(x[N,H,W,C], K[k,l,C,F]");

/* ---- backward ---- */

/* y with its winners, delta_y[N,P,Q,F], K[k,l,C,F] -> dx[N,H,W,C] */
static bool pooled_dx_shape(spor_rule *r) {
    r->out = (spor_shape){4, {r->in[1].n[0], r->attr[MAP].i, r->attr[MAP + 1].i, r->in[2].n[2]}};
    return true;
}

static void pooled_dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    const spor_shape *dx = &c->out.shape;
    correlation g = backward_correlation(c->attr, &c->in[2].shape, dx->n[1], dx->n[2]);
    spor_carver carver = {0};
    carve_both(&carver, &g, dx->n[0], depth_of(&g), g.h * g.w * g.C, width, lanes);
    need->scratch = carver.used;
}

static const spor_fused pooled_dx_fused = {.need = pooled_dx_need,
                                           .phase = {[SPOR_WORK] = convpool_dx_kernels}};

static const spor_op pooled_dx_op = {
    .signature = "convpool_dx(y[*], delta[N,P,Q,F], K[k,l,C,F]; stride:int2, pad:int4, map:int2, "
                 "size:int2, step:int2, edge:int4)",
    .equation = "dx = rot180(K) * routed, dilated and padded delta",
    .traits = SPOR_EXACT_ON_INTEGERS,
    .operands = 3,
    .attrs = OWN + WINDOW_SLOTS,
    .shape = pooled_dx_shape,
    .fused = &pooled_dx_fused,
};

/* y with its winners, delta_y[N,P,Q,F], x[N,H,W,C] -> dK[k,l,C,F] */
static bool pooled_dK_shape(spor_rule *r) {
    r->out =
        (spor_shape){4, {r->attr[CELLS].i, r->attr[CELLS + 1].i, r->in[2].n[3], r->in[1].n[3]}};
    return true;
}

static void pooled_dK_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    const spor_shape *x = &c->in[2].shape, *dK = &c->out.shape;
    correlation g = forward_correlation(c->attr, x, dK->n[0], dK->n[1], dK->n[3]);
    spor_carver carver = {0};
    carve_both(&carver, &g, x->n[0], group_pixels(&g, x->n[0]), pixels_of(&g) * g.F, width, lanes);
    need->scratch = carver.used;
}

static const spor_fused pooled_dK_fused = {.need = pooled_dK_need,
                                           .phase = {[SPOR_WORK] = convpool_dK_kernels}};

static const spor_op pooled_dK_op = {
    .signature = "convpool_dK(y[*], delta[N,P,Q,F], x[N,H,W,C]; stride:int2, pad:int4, cells:int2, "
                 "size:int2, step:int2, edge:int4)",
    .equation = "dK = routed delta * pad(x), summed over samples",
    .traits = SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 3,
    .attrs = OWN + WINDOW_SLOTS,
    .shape = pooled_dK_shape,
    .fused = &pooled_dK_fused,
};

/* y's attributes with two sizes of the backward op's own in place of the activation. */
static spor_var record_backward(const spor_op *op, spor_var y, spor_var delta, spor_var other,
                                int64_t first, int64_t second) {
    spor_attr attr[OWN + WINDOW_SLOTS];
    for (int a = 0; a < OWN + WINDOW_SLOTS; a++) attr[a] = op_attrs(y)[a];
    attr[SHARED].i = first;
    attr[SHARED + 1].i = second;
    return op_record(op, (spor_var[]){y, delta, other}, attr);
}

static spor_var pooled_vjp(spor_var y, int k, spor_var ybar) {
    spor_var delta = layer_delta(y, op_attrs(y) + ACTIVATION, ybar);
    spor_var x = op_operand(y, 0), K = op_operand(y, 1);
    spor_shape map = spor_shape_of(x), cells = spor_shape_of(K);
    switch (k) {
    case 0:
        return record_backward(&pooled_dx_op, y, delta, K, map.n[1], map.n[2]);
    case 1:
        return record_backward(&pooled_dK_op, y, delta, x, cells.n[0], cells.n[1]);
    default:
        return layer_bias_gradient(delta);
    }
}

/* ---- the match ---- */

static bool match_convpool(spor_match *m, spor_var root) {
    if (!match_made_by(root, &spor_op_maxpool2d)) return false;
    spor_var a = op_operand(root, 0);
    const spor_op *last;
    bool biased;
    if (!correlation_match(m, a, &biased, &last)) return false;
    if (!layer_take(m, a, last, "the map that is pooled")) return false;
    for (int k = 0; k < WINDOW_SLOTS; k++) m->attr[WINDOW + k] = op_attrs(root)[k];
    if (!is_countable(m->attr + WINDOW))
        return match_refuse(m, "a window has more cells than a saved winner can count");
    m->attr[TRAINING].i = m->training;
    m->op = biased ? &pooled_op : &unbiased_op;
    return true;
}

extern const spor_fast spor_fast_convpool;
const spor_fast spor_fast_convpool = {
    .name = "convpool",
    .pattern = "maxpool2d(act(correlate2d(pad(x), K) + b))",
    .equations = "Eqs. (42)-(45), (82)-(86)",
    .match = match_convpool,
};

#else

static pool_scratch prepare(const spor_call *c, const correlation *g, int64_t N, int64_t depth,
                            int64_t map) {
    spor_carver carver = {.base = c->scratch};
    pool_scratch s = carve_both(&carver, g, N, depth, map, sizeof(T), LANES);
    begin(&s.conv, g);
    return s;
}

/* Eq. (42) with its f and the pooling, a group of samples at a time */
FAST_KERNEL(convpool) {
    const spor_shape *x = &c->in[0].shape, *K = &c->in[1].shape;
    correlation g = forward_correlation(c->attr, x, K->n[0], K->n[1], K->n[3]);
    maps p = maps_of(c->attr + WINDOW, g.P, g.Q, g.F);
    int64_t N = x->n[0], sample = g.h * g.w * g.C, map = pixels_of(&g) * g.F,
            pooled = p.P * p.Q * p.C;
    pool_scratch s = prepare(c, &g, N, depth_of(&g), map);
    const T *panels = product_panels(s.conv.panels, c->in[1].data, depth_of(&g), g.F);
    const spor_activation *f = &spor_activations[c->attr[ACTIVATION + ACT].i];
    T *z = s.z, *y = c->out.data;
    void *saved = c->attr[TRAINING].i ? c->out.saved : NULL;
    for (int64_t n = 0, count; n < N; n += count) {
        count = carve_least(s.conv.group, N - n);
        correlate(&g, &s.conv, (const T *)c->in[0].data + n * sample, count, panels,
                  c->operands > 2 ? c->in[2].data : NULL, z);
        for (int64_t k = 0; k < count; k++)
            pool_sample(&p, z + k * map, y, saved, (n + k) * pooled);
        if (f->apply)
            f->apply(y + n * pooled, count * pooled, (T)c->attr[ACTIVATION + ACT_SLOPE].r);
    }
}

/* delta of samples n .. n + count - 1 from delta_y and the winners */
static const T *route_group(const spor_call *c, const maps *p, const pool_scratch *s, int64_t n,
                            int64_t count) {
    T *delta = s->z;
    for (int64_t k = 0; k < count; k++)
        route_sample(p, delta + k * p->H * p->W * p->C, c->in[1].data, c->in[0].saved,
                     (n + k) * p->P * p->Q * p->C);
    return delta;
}

/* Eq. (43) with its tilde */
FAST_KERNEL(convpool_dx) {
    const spor_shape *dx = &c->out.shape;
    correlation g = backward_correlation(c->attr, &c->in[2].shape, dx->n[1], dx->n[2]);
    maps p = maps_of(c->attr + WINDOW, g.h, g.w, g.C);
    pool_scratch s = prepare(c, &g, dx->n[0], depth_of(&g), g.h * g.w * g.C);
    const T *panels = pack_rotated(&g, &s.conv, c->in[2].data);
    for (int64_t n = 0, count; n < dx->n[0]; n += count) {
        count = carve_least(s.conv.group, dx->n[0] - n);
        correlate(&g, &s.conv, route_group(c, &p, &s, n, count), count, panels, NULL,
                  (T *)c->out.data + n * pixels_of(&g) * g.F);
    }
}

/* Eq. (44) */
FAST_KERNEL(convpool_dK) {
    const spor_shape *x = &c->in[2].shape, *dK = &c->out.shape;
    correlation g = forward_correlation(c->attr, x, dK->n[0], dK->n[1], dK->n[3]);
    maps p = maps_of(c->attr + WINDOW, g.P, g.Q, g.F);
    pool_scratch s = prepare(c, &g, x->n[0], group_pixels(&g, x->n[0]), pixels_of(&g) * g.F);
    for (int64_t n = 0, count; n < x->n[0]; n += count) {
        count = carve_least(s.conv.group, x->n[0] - n);
        correlate_with_delta(&g, &s.conv, (const T *)c->in[2].data + n * g.h * g.w * g.C, count,
                             route_group(c, &p, &s, n, count), c->out.data, n > 0);
    }
}

#endif
