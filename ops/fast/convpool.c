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

/* As conv2d's three, with a map before pooling: z, or delta routed to its winners. */
static conv_work with_whole(conv_work w, int64_t pixels, int64_t channels) {
    w.whole = carve_times(pixels, channels);
    return w;
}
static conv_work pooled_forward(const spor_call *c) {
    conv_work w = forward_work(c);
    return with_whole(w, pixels_of(&w.g), w.g.F);
}
static conv_work pooled_dx(const spor_call *c) {
    conv_work w = dx_work(c);
    return with_whole(w, w.g.h * w.g.w, w.g.C);
}
static conv_work pooled_dK(const spor_call *c) {
    conv_work w = dK_work(c);
    return with_whole(w, pixels_of(&w.g), w.g.F);
}

#ifdef SPOR_RULES

FAST_KERNELS(conv2d_panels);
FAST_KERNELS(convpool);
FAST_KERNELS(conv2d_dx_panels);
FAST_KERNELS(convpool_dx);
FAST_KERNELS(conv2d_dK_tables);
FAST_KERNELS(convpool_dK);
FAST_KERNELS(partial_sum);

extern const spor_op spor_op_maxpool2d;

/* ---- forward ---- */

/* x[N,H,W,C], K[k,l,C,F], b[F] -> y[N,P,Q,F] */
static bool pooled_shape(spor_rule *r) {
    if (!correlation_shape(r)) return false;
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = windows_along(r->attr + WINDOW, axis, r->out.n[1 + axis]);
    return true;
}

static double pooled_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)out;
    return correlation_cost(attr, &in[0], &in[1]);
}

static void pooled_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    work_need(pooled_forward(c), width, lanes, need);
    if (c->attr[TRAINING].i)
        need->saved = bytes_for(shape_size(&c->out.shape), winner_bytes(c->attr + WINDOW));
}

static spor_var pooled_vjp(spor_var y, int k, spor_var ybar);

static const spor_fused pooled_fused = {
    .need = pooled_need,
    .phase = {[SPOR_PREPARE] = conv2d_panels_kernels, [SPOR_WORK] = convpool_kernels}};

#define CONVPOOL_OP(operands_, signature_)                                                         \
    {                                                                                              \
        .signature = signature_ "; stride:int2, pad:int4, activation:int, slope:real, size:int2, " \
                                "step:int2, edge:int4, training:int)",                             \
        .equation = "y = f(maxpool2d(K * pad(x) + b))", .traits = SPOR_EXACT_ON_INTEGERS,          \
        .operands = operands_, .attrs = TRAINING + 1, .shape = pooled_shape, .cost = pooled_cost,  \
        .vjp = pooled_vjp, .fused = &pooled_fused                                                  \
    }
static const spor_op pooled_op = CONVPOOL_OP(3, "convpool(x[N,H,W,C], K[k,l,C,F], b[F]");
static const spor_op unbiased_op = CONVPOOL_OP(2, "convpool(x[N,H,W,C], K[k,l,C,F]");

/* ---- backward ---- */

/* delta_y[N,P,Q,F], K[k,l,C,F], y with its winners -> dx[N,H,W,C] */
static bool pooled_dx_shape(spor_rule *r) {
    r->out = (spor_shape){4, {r->in[0].n[0], r->attr[MAP].i, r->attr[MAP + 1].i, r->in[1].n[2]}};
    return true;
}

static double pooled_dx_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, out, &in[1]);
}

static void pooled_dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    work_need(pooled_dx(c), width, lanes, need);
}

static const spor_fused pooled_dx_fused = {
    .need = pooled_dx_need,
    .phase = {[SPOR_PREPARE] = conv2d_dx_panels_kernels, [SPOR_WORK] = convpool_dx_kernels}};

static const spor_op pooled_dx_op = {
    .signature = "convpool_dx(delta[N,P,Q,F], K[k,l,C,F], y[*]; stride:int2, pad:int4, map:int2, "
                 "size:int2, step:int2, edge:int4)",
    .equation = "dx = rot180(K) * routed, dilated and padded delta",
    .traits = SPOR_EXACT_ON_INTEGERS,
    .operands = 3,
    .attrs = OWN + WINDOW_SLOTS,
    .shape = pooled_dx_shape,
    .cost = pooled_dx_cost,
    .fused = &pooled_dx_fused,
};

/* x[N,H,W,C], delta_y[N,P,Q,F], y with its winners -> dK[k,l,C,F] */
static bool pooled_dK_shape(spor_rule *r) {
    r->out =
        (spor_shape){4, {r->attr[CELLS].i, r->attr[CELLS + 1].i, r->in[0].n[3], r->in[1].n[3]}};
    return true;
}

static double pooled_dK_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, &in[0], out);
}

static void pooled_dK_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    work_need(pooled_dK(c), width, lanes, need);
}

static const spor_fused pooled_dK_fused = {.need = pooled_dK_need,
                                           .phase = {[SPOR_PREPARE] = conv2d_dK_tables_kernels,
                                                     [SPOR_WORK] = convpool_dK_kernels,
                                                     [SPOR_FINISH] = partial_sum_kernels}};

static const spor_op pooled_dK_op = {
    .signature = "convpool_dK(x[N,H,W,C], delta[N,P,Q,F], y[*]; stride:int2, pad:int4, cells:int2, "
                 "size:int2, step:int2, edge:int4)",
    .equation = "dK = routed delta * pad(x), summed over samples",
    .traits = SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 3,
    .attrs = OWN + WINDOW_SLOTS,
    .shape = pooled_dK_shape,
    .cost = pooled_dK_cost,
    .fused = &pooled_dK_fused,
};

/* y's attributes with two sizes of the backward op's own in place of the activation. */
static spor_var record_backward(const spor_op *op, spor_var a, spor_var b, spor_var y,
                                int64_t first, int64_t second) {
    spor_attr attr[OWN + WINDOW_SLOTS];
    for (int k = 0; k < OWN + WINDOW_SLOTS; k++) attr[k] = op_attrs(y)[k];
    attr[SHARED].i = first;
    attr[SHARED + 1].i = second;
    return op_record(op, (spor_var[]){a, b, y}, attr);
}

static spor_var pooled_vjp(spor_var y, int k, spor_var ybar) {
    spor_var delta = layer_delta(y, op_attrs(y) + ACTIVATION, ybar);
    spor_var x = op_operand(y, 0), K = op_operand(y, 1);
    spor_shape map = spor_shape_of(x), cells = spor_shape_of(K);
    switch (k) {
    case 0:
        return record_backward(&pooled_dx_op, delta, K, y, map.n[1], map.n[2]);
    case 1:
        return record_backward(&pooled_dK_op, x, delta, y, cells.n[0], cells.n[1]);
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

/* ---- samples ---- */

static const spor_choice choices[] = {CORRELATION_CHOICES, POOLING_CHOICES, {.name = NULL}};

static spor_var record_convpool(spor_sketch *r) {
    return pooling_record(correlation_record(r), r->number + CORRELATION_CHOSEN);
}

static const int64_t samples[][SPOR_CHOICES] = {
    {2, 7, 6, 3, 3, 2, 5, 1, 1, 1, 1, 0, 1, BIAS_BEHIND, SPOR_ACTIVATION_none, 2, 2, 2, 2},
    {1, 5, 9, 2, 2, 3, 4, 1, 2, 0, 1, 2, 0, BIAS_BEFORE, SPOR_ACTIVATION_relu, 2, 3, 1, 2, 1},
    {5, 6, 7, 2, 1, 1, 17, 1, 1, 0, 0, 0, 0, NO_BIAS, SPOR_ACTIVATION_tanh, 3, 3, 2, 2, 1, 0, 0, 2},
    {15, 8, 8, 1, 3, 3, 3, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_none, 2, 2, 2, 2},
    {2, 28, 28, 1, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_tanh, 2, 2, 2, 2},
    {2, 13, 13, 20, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_sigmoid, 2, 2, 2, 2},
    {1, 16, 16, 32, 3, 3, 32, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_relu, 2, 2, 2, 2},
    {3, 4, 4, 64, 3, 3, 120, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_leaky_relu, 2, 2, 2, 2},
    {0}};

/* f behind the pooling, so that f' meets each dy before the windows that share a winner add up. */
static void record_derivation(spor_sketch *r, spor_var dy, spor_var out[]) {
    int64_t linear[SPOR_CHOICES];
    for (int k = 0; k < SPOR_CHOICES; k++) linear[k] = r->number[k];
    linear[CHOSEN_LAYER + 1] = SPOR_ACTIVATION_none;
    int64_t activation = r->number[CHOSEN_LAYER + 1];
    r->number = linear;
    out[0] = layer_activate(record_convpool(r), activation);
    spor_vjp(out[0], dy, r->operands, r->operand, out + 1);
}

/* Where both sides multiply the same cells: the definition goes through zeros that are left out
 * here, between the strides and behind f', and 0 NaN is NaN. */
static bool takes_nan(const int64_t number[]) {
    return number[CHOSEN_STRIDE] == 1 && number[CHOSEN_STRIDE + 1] == 1 &&
           number[CHOSEN_LAYER + 1] == SPOR_ACTIVATION_none;
}

static spor_var record_vast(spor_sketch *r) {
    return pooling_record_vast(correlation_record(r));
}

static const spor_refusal refusals[] = {
    {record_vast, "a window has more cells than a saved winner can count"}, {.why = NULL}};

extern const spor_fast spor_fast_convpool;
const spor_fast spor_fast_convpool = {
    .name = "convpool",
    .pattern = "maxpool2d(act(correlate2d(pad(x), K) + b))",
    .equations = "Eqs. (42)-(45), (82)-(86)",
    .match = match_convpool,
    .choices = choices,
    .record = record_convpool,
    .samples = samples,
    .derivation = record_derivation,
    .takes_nan = takes_nan,
    .refusals = refusals,
};

#else

/* Eq. (42) with its f and the pooling, a group of samples at a time */
FAST_KERNEL(convpool) {
    conv_work w = pooled_forward(c);
    conv_arrays a;
    task_part samples = begin_samples(c, task, &w, &a);
    maps p = maps_of(c->attr + WINDOW, w.g.P, w.g.Q, w.g.F);
    int64_t sample = w.g.h * w.g.w * w.g.C, pooled = p.P * p.Q * p.C;
    const spor_activation *f = &spor_activations[c->attr[ACTIVATION + ACT].i];
    T *z = a.whole, *y = c->out.data;
    void *saved = c->attr[TRAINING].i ? c->out.saved : NULL;
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w.group, samples.end - n);
        correlate(&w.g, &a, (const T *)c->in[0].data + n * sample, count, kernel_panels(c, &w, &a),
                  c->operands > 2 ? c->in[2].data : NULL, z);
        for (int64_t k = 0; k < count; k++)
            pool_sample(&p, z + k * w.whole, y, saved, (n + k) * pooled);
        if (f->apply)
            f->apply(y + n * pooled, count * pooled, (T)c->attr[ACTIVATION + ACT_SLOPE].r);
    }
}

/* delta of samples n .. n + count - 1 from delta_y and the winners */
static const T *route_group(const maps *p, T *delta, const T *delta_y, const void *winners,
                            int64_t n, int64_t count) {
    for (int64_t k = 0; k < count; k++)
        route_sample(p, delta + k * p->H * p->W * p->C, delta_y, winners,
                     (n + k) * p->P * p->Q * p->C);
    return delta;
}

/* Eq. (43) with its tilde */
FAST_KERNEL(convpool_dx) {
    conv_work w = pooled_dx(c);
    conv_arrays a;
    task_part samples = begin_samples(c, task, &w, &a);
    maps p = maps_of(c->attr + WINDOW, w.g.h, w.g.w, w.g.C);
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w.group, samples.end - n);
        const T *delta = route_group(&p, a.whole, c->in[0].data, c->in[2].saved, n, count);
        correlate(&w.g, &a, delta, count, a.kernel, NULL,
                  (T *)c->out.data + n * pixels_of(&w.g) * w.g.F);
    }
}

/* Eq. (44) */
FAST_KERNEL(convpool_dK) {
    conv_work w = pooled_dK(c);
    conv_arrays a;
    task_part samples = begin_samples(c, task, &w, &a);
    maps p = maps_of(c->attr + WINDOW, w.g.P, w.g.Q, w.g.F);
    for (int64_t n = samples.first, count; n < samples.end; n += count) {
        count = carve_least(w.group, samples.end - n);
        const T *delta = route_group(&p, a.whole, c->in[1].data, c->in[2].saved, n, count);
        correlate_with_delta(&w.g, &a, (const T *)c->in[0].data + n * w.g.h * w.g.w * w.g.C, count,
                             delta, task_result(c, task), n > samples.first);
    }
}

#endif
