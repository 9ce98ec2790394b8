/*
 * The convolutional layer, forward and backward: the report's chapter, Eqs. (1)-(45), as corrected.
 *
 * Pattern     Y = f(K * X~ + b): act(correlate2d(pad(x[N,H,W,C], 0), K[k,l,C,F]) + expand(b)); the
 *             pad (of rows and columns, with zeros), b and f each possibly absent
 * Forward     z[n,i,j,f] = b_f + sum_{u,v,c} K[u,v,c,f] x~[n, i S_h + u, j S_w + v, c],  Y = f(Z)
 *             Eqs. (1), (4), (73); (42) with the f it leaves out
 * Backward    delta = dY o f'(Y)                                            Eqs. (11)-(13)
 *             dx: put S - 1 zeros between the elements of delta, (k-1) - p of them before it along
 *             each axis (cropped where negative) and as many behind it as make the map whole, also
 *             where a remainder of rows or columns met no window; over this map delta~
 *             dx[n,a,b,c] = sum_{u,v,f} delta~[n,a+u,b+v,f] K[k-1-u,l-1-v,c,f]
 *             Eqs. (9), (30), (43) with the tilde; (10), (79) for any p and S
 *             dK[u,v,c,f] = sum_{n,i,j} x~[n, i S_h + u, j S_w + v, c] delta[n,i,j,f]
 *             Eqs. (18), (37), (44): over the padded map, summed over the samples
 *             db_f = sum_{n,i,j} delta[n,i,j,f]                             Eqs. (41), (45)
 * Saved       nothing: delta needs Y, which is the output
 * Exact       on small integers where f is
 */
#include "correlation.h"

#ifdef SPOR_RULES

FAST_KERNELS(conv2d_panels);
FAST_KERNELS(conv2d);
FAST_KERNELS(conv2d_dx_panels);
FAST_KERNELS(conv2d_dx);
FAST_KERNELS(conv2d_dK_tables);
FAST_KERNELS(conv2d_dK);
FAST_KERNELS(partial_sum);

extern const spor_op spor_op_correlate2d, spor_op_pad;

/* ---- forward ---- */

/* x[N,H,W,C], K[k,l,C,F], b[F] -> z[N,P,Q,F] */
bool correlation_shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *K = &r->in[1];
    if (x->rank != 4 || K->rank != 4) return rule_fail(r, "x and K need 4 axes");
    if (x->n[3] != K->n[2]) return rule_fail(r, "x has other channels than K expects");
    if (r->operands > 2 && (r->in[2].rank != 1 || r->in[2].n[0] != K->n[3]))
        return rule_fail(r, "b needs an element for each filter");
    r->out = (spor_shape){4, {x->n[0], 0, 0, K->n[3]}};
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = outputs(r->attr, axis, x->n[1 + axis], K->n[axis]);
    return true;
}

static double conv_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)out;
    return correlation_cost(attr, &in[0], &in[1]);
}

static void conv_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    work_need(forward_work(c), width, lanes, need);
}

static spor_var conv_vjp(spor_var y, int k, spor_var ybar);

static const spor_fused conv_fused = {
    .need = conv_need,
    .phase = {[SPOR_PREPARE] = conv2d_panels_kernels, [SPOR_WORK] = conv2d_kernels}};

#define CONV_OP(operands_, signature_)                                                             \
    {                                                                                              \
        .signature = signature_ "; stride:int2, pad:int4, activation:int, slope:real)",            \
        .equation = "Y = f(K * pad(x) + b)", .traits = SPOR_EXACT_ON_INTEGERS,                     \
        .operands = operands_, .attrs = SHARED + 2, .shape = correlation_shape, .cost = conv_cost, \
        .vjp = conv_vjp, .fused = &conv_fused                                                      \
    }
static const spor_op conv_op = CONV_OP(3, "conv2d(x[N,H,W,C], K[k,l,C,F], b[F]");
static const spor_op unbiased_op = CONV_OP(2, "conv2d(x[N,H,W,C], K[k,l,C,F]");

/* ---- backward ---- */

/* delta[N,P,Q,F], K[k,l,C,F] -> dx[N,H,W,C] */
static bool conv_dx_shape(spor_rule *r) {
    r->out = (spor_shape){4, {r->in[0].n[0], r->attr[MAP].i, r->attr[MAP + 1].i, r->in[1].n[2]}};
    return true;
}

static double conv_dx_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, out, &in[1]);
}

static void conv_dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    work_need(dx_work(c), width, lanes, need);
}

static const spor_fused conv_dx_fused = {
    .need = conv_dx_need,
    .phase = {[SPOR_PREPARE] = conv2d_dx_panels_kernels, [SPOR_WORK] = conv2d_dx_kernels}};

static const spor_op conv_dx_op = {
    .signature = "conv2d_dx(delta[N,P,Q,F], K[k,l,C,F]; stride:int2, pad:int4, map:int2)",
    .equation = "dx = rot180(K) * dilated and padded delta",
    .traits = SPOR_BILINEAR | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = SHARED + 2,
    .shape = conv_dx_shape,
    .cost = conv_dx_cost,
    .fused = &conv_dx_fused,
};

/* x[N,H,W,C], delta[N,P,Q,F] -> dK[k,l,C,F] */
static bool conv_dK_shape(spor_rule *r) {
    r->out =
        (spor_shape){4, {r->attr[CELLS].i, r->attr[CELLS + 1].i, r->in[0].n[3], r->in[1].n[3]}};
    return true;
}

static double conv_dK_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return correlation_cost(attr, &in[0], out);
}

static void conv_dK_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    work_need(dK_work(c), width, lanes, need);
}

static const spor_fused conv_dK_fused = {.need = conv_dK_need,
                                         .phase = {[SPOR_PREPARE] = conv2d_dK_tables_kernels,
                                                   [SPOR_WORK] = conv2d_dK_kernels,
                                                   [SPOR_FINISH] = partial_sum_kernels}};

static const spor_op conv_dK_op = {
    .signature = "conv2d_dK(x[N,H,W,C], delta[N,P,Q,F]; stride:int2, pad:int4, cells:int2)",
    .equation = "dK = delta * pad(x), summed over samples",
    .traits = SPOR_BILINEAR | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = SHARED + 2,
    .shape = conv_dK_shape,
    .cost = conv_dK_cost,
    .fused = &conv_dK_fused,
};

/* The shared attributes of y's node, then two sizes. */
static void backward_attrs(spor_var y, int64_t first, int64_t second, spor_attr attr[]) {
    for (int a = 0; a < SHARED; a++) attr[a] = op_attrs(y)[a];
    attr[SHARED].i = first;
    attr[SHARED + 1].i = second;
}

static spor_var conv_vjp(spor_var y, int k, spor_var ybar) {
    spor_var delta = layer_delta(y, op_attrs(y) + ACTIVATION, ybar);
    spor_var x = op_operand(y, 0), K = op_operand(y, 1);
    spor_attr attr[SHARED + 2];
    switch (k) {
    case 0:
        backward_attrs(y, spor_shape_of(x).n[1], spor_shape_of(x).n[2], attr);
        return op_record(&conv_dx_op, (spor_var[]){delta, K}, attr);
    case 1:
        backward_attrs(y, spor_shape_of(K).n[0], spor_shape_of(K).n[1], attr);
        return op_record(&conv_dK_op, (spor_var[]){x, delta}, attr);
    default:
        return layer_bias_gradient(delta);
    }
}

/* ---- the match ---- */

/* x padded by zeros around its rows and columns, and nothing else reads that */
static bool take_pad(spor_match *m, spor_var x) {
    if (!match_made_by(x, &spor_op_pad)) return false;
    const spor_attr *lo = op_attrs(x) + PAD_LO, *hi = op_attrs(x) + PAD_HI;
    if (op_attrs(x)[PAD_FILL].r != 0) return false;
    for (int k = 0; k < 4; k++) {
        bool map = k == 1 || k == 2;
        if (lo[k].i < 0 || hi[k].i < 0 || (!map && lo[k].i + hi[k].i > 0)) return false;
    }
    return match_inside(m, x, &spor_op_pad);
}

bool correlation_match(spor_match *m, spor_var root, bool *biased, const spor_op **last) {
    spor_layer layer;
    int64_t axes = SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2);
    if (!layer_match(m, root, &spor_op_correlate2d, axes, &layer)) return false;
    spor_var x = op_operand(layer.z, 0);
    for (int axis = 0; axis < 2; axis++) m->attr[STRIDE + axis] = op_attrs(layer.z)[STRIDE + axis];
    if (take_pad(m, x)) {
        const spor_attr *pad = op_attrs(x);
        for (int axis = 0; axis < 2; axis++) {
            m->attr[TOP + 2 * axis] = pad[PAD_LO + 1 + axis];
            m->attr[TOP + 2 * axis + 1] = pad[PAD_HI + 1 + axis];
        }
        x = op_operand(x, 0);
    }
    m->in[0] = x;
    m->in[1] = op_operand(layer.z, 1);
    m->in[2] = layer.b;
    m->attr[ACTIVATION + ACT] = layer.activation;
    m->attr[ACTIVATION + ACT_SLOPE] = layer.slope;
    *biased = layer.b.id != 0;
    *last = layer.last;
    return true;
}

static bool match_conv(spor_match *m, spor_var root) {
    bool biased;
    const spor_op *last;
    if (!correlation_match(m, root, &biased, &last)) return false;
    m->op = biased ? &conv_op : &unbiased_op;
    return true;
}

/* ---- samples ---- */

static const spor_choice choices[] = {CORRELATION_CHOICES, {.name = NULL}};

spor_var correlation_record(spor_sketch *r) {
    const int64_t *n = r->number, *pad = n + CHOSEN_PAD, *stride = n + CHOSEN_STRIDE;
    spor_var x = sketch_operand(r, "x", SPOR_SHAPE(n[0], n[1], n[2], n[3]));
    spor_var K = sketch_operand(r, "K", SPOR_SHAPE(n[4], n[5], n[3], n[6]));
    const int64_t lo[] = {0, pad[0], pad[2], 0}, hi[] = {0, pad[1], pad[3], 0};
    if (pad[0] + pad[1] + pad[2] + pad[3] > 0) x = spor_pad(x, lo, hi, 0);
    spor_var z = spor_correlate2d(x, K, stride[0], stride[1]);
    return layer_record(r, z, SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2), n + CHOSEN_LAYER);
}

/* Maps of the report's networks, one sample or two: many tiles and panels, groups that end early. */
static const int64_t samples[][SPOR_CHOICES] = {
    {2, 7, 6, 3, 3, 2, 5, 2, 1, 1, 1, 0, 1, BIAS_BEHIND, SPOR_ACTIVATION_tanh},
    {1, 4, 9, 2, 1, 3, 4, 3, 4, 0, 0, 2, 0, BIAS_BEFORE, SPOR_ACTIVATION_leaky_relu},
    {3, 2, 3, 1, 2, 3, 2, 1, 1, 3, 4, 4, 3, NO_BIAS, SPOR_ACTIVATION_none},
    {15, 8, 8, 1, 3, 3, 3, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_none},
    {2, 28, 28, 1, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_tanh},
    {2, 13, 13, 20, 3, 3, 20, 1, 1, 0, 0, 0, 0, BIAS_BEHIND, SPOR_ACTIVATION_sigmoid},
    {1, 16, 16, 32, 3, 3, 32, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_relu},
    {3, 4, 4, 64, 3, 3, 120, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_leaky_relu},
    {5, 1, 1, 128, 3, 3, 128, 1, 1, 1, 1, 1, 1, BIAS_BEHIND, SPOR_ACTIVATION_none},
    {0}};

static const spor_refusal refusals[] = {{.why = NULL}};

extern const spor_fast spor_fast_conv2d;
const spor_fast spor_fast_conv2d = {
    .name = "conv2d",
    .pattern = "act(correlate2d(pad(x), K) + b)",
    .equations = "Eqs. (42)-(45)",
    .match = match_conv,
    .choices = choices,
    .record = correlation_record,
    .samples = samples,
    .refusals = refusals,
};

#else

/* K[k,l,C,F] is a matrix of k l C rows as it lies */
FAST_KERNEL(conv2d_panels) {
    conv_work w = forward_work(c);
    const correlation *g = &w.g;
    conv_arrays a;
    task_part cells = prepare_cells(c, task, &w, &a);
    if (product_is_panels(g->F)) return;
    product_pack(a.kernel, &(spor_block){.b = (const T *)c->in[1].data + cells.first * g->C * g->F,
                                         .stride = g->F,
                                         .depth = depth_of(g),
                                         .first = cells.first * g->C,
                                         .rows = (cells.end - cells.first) * g->C,
                                         .cols = g->F});
}

/* Eq. (42) with its f */
FAST_KERNEL(conv2d) {
    conv_work w = forward_work(c);
    conv_arrays a;
    task_part samples = begin_samples(c, task, &w, &a);
    const spor_activation *f = &spor_activations[c->attr[ACTIVATION + ACT].i];
    int64_t sample = w.g.h * w.g.w * w.g.C, map = pixels_of(&w.g) * w.g.F;
    for (int64_t n = samples.first; n < samples.end; n += w.group) {
        int64_t count = carve_least(w.group, samples.end - n);
        T *z = (T *)c->out.data + n * map;
        correlate(&w.g, &a, (const T *)c->in[0].data + n * sample, count, kernel_panels(c, &w, &a),
                  c->operands > 2 ? c->in[2].data : NULL, z);
        if (f->apply) f->apply(z, count * map, (T)c->attr[ACTIVATION + ACT_SLOPE].r);
    }
}

/* The kernel of dx: rows (u, v, f) are K[k-1-u, l-1-v, c, f] with c across */
FAST_KERNEL(conv2d_dx_panels) {
    conv_work w = dx_work(c);
    const correlation *g = &w.g;
    conv_arrays a;
    task_part cells = prepare_cells(c, task, &w, &a);
    for (int64_t uv = cells.first; uv < cells.end; uv++)
        product_pack(a.kernel, &(spor_block){.b = (const T *)c->in[1].data +
                                                  (g->k * g->l - 1 - uv) * g->F * g->C,
                                             .stride = g->C,
                                             .transposed = true,
                                             .depth = depth_of(g),
                                             .first = uv * g->C,
                                             .rows = g->C,
                                             .cols = g->F});
}

/* Eq. (43) with its tilde */
FAST_KERNEL(conv2d_dx) {
    conv_work w = dx_work(c);
    conv_arrays a;
    task_part samples = begin_samples(c, task, &w, &a);
    int64_t sample = w.g.h * w.g.w * w.g.C, map = pixels_of(&w.g) * w.g.F;
    for (int64_t n = samples.first; n < samples.end; n += w.group)
        correlate(&w.g, &a, (const T *)c->in[0].data + n * sample,
                  carve_least(w.group, samples.end - n), a.kernel, NULL,
                  (T *)c->out.data + n * map);
}

FAST_KERNEL(conv2d_dK_tables) {
    conv_work w = dK_work(c);
    conv_arrays a;
    prepare_cells(c, task, &w, &a);
}

/* Eq. (44): a task's groups of samples are added in their order */
FAST_KERNEL(conv2d_dK) {
    conv_work w = dK_work(c);
    conv_arrays a;
    task_part samples = begin_samples(c, task, &w, &a);
    int64_t sample = w.g.h * w.g.w * w.g.C, map = pixels_of(&w.g) * w.g.F;
    for (int64_t n = samples.first; n < samples.end; n += w.group)
        correlate_with_delta(
            &w.g, &a, (const T *)c->in[0].data + n * sample, carve_least(w.group, samples.end - n),
            (const T *)c->in[1].data + n * map, task_result(c, task), n > samples.first);
}

#endif
