/*
 * z[n,i,j,f] = sum_{u,v,c} K[u,v,c,f] x[n, i S_h + u, j S_w + v, c]: Eqs. (1) and (4) with the
 * stride of (73); x [N,H,W,C], K [k,l,C,F], z [N,P,Q,F] with P = 1 + floor((H - k) / S_h).
 *
 * Cross-correlation, without a padding of its own and without ever swapping its operands. It does
 * not commute: x * K = rot180(K * x). The convolution of Eq. (3) is this with K rotated.
 */
#include "attributes.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(correlate2d);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *K = &r->in[1];
    if (!rule_rank(r, 0, 4) || !rule_rank(r, 1, 4)) return false;
    if (x->n[3] != K->n[2])
        return rule_fail(r, "x has C=%" PRId64 " channels but K expects C=%" PRId64, x->n[3],
                         K->n[2]);
    if (r->attr[STRIDE].i < 1 || r->attr[STRIDE + 1].i < 1)
        return rule_fail(r, "the strides are %" PRId64 " and %" PRId64 " but must be at least 1",
                         r->attr[STRIDE].i, r->attr[STRIDE + 1].i);
    if (!K->n[0] || !K->n[1])
        return rule_fail(r, "the kernel, %" PRId64 " x %" PRId64 ", has no window", K->n[0],
                         K->n[1]);
    if (K->n[0] > x->n[1] || K->n[1] > x->n[2])
        return rule_fail(r,
                         "the kernel, %" PRId64 " x %" PRId64 ", is larger than the image, "
                         "%" PRId64 " x %" PRId64 "; pad the image first",
                         K->n[0], K->n[1], x->n[1], x->n[2]);
    r->out = (spor_shape){4,
                          {x->n[0], 1 + (x->n[1] - K->n[0]) / r->attr[STRIDE].i,
                           1 + (x->n[2] - K->n[1]) / r->attr[STRIDE + 1].i, K->n[3]}};
    return true;
}

/* What the formulas of Eqs. (9) to (41) need once strides and remainders are any. */
typedef struct {
    spor_shape x, K;
    int64_t rest[2];  /* rows and columns of x that no window reaches: (H - k) mod S */
    spor_var dilated; /* zbar with S - 1 zeros between its elements: an error at stride 1 */
} pullback;

/* An axis with one window has none to put zeros between, however long the stride. */
static pullback pull_back(spor_var z, spor_var zbar) {
    pullback p = {.x = spor_shape_of(op_operand(z, 0)), .K = spor_shape_of(op_operand(z, 1))};
    spor_shape out = spor_shape_of(z);
    int64_t by[SPOR_RANK] = {1, 1, 1, 1};
    for (int a = 0; a < 2; a++) {
        if (out.n[1 + a] > 1) by[1 + a] = op_attrs(z)[STRIDE + a].i;
        p.rest[a] = p.x.n[1 + a] - p.K.n[a] - (out.n[1 + a] - 1) * by[1 + a];
    }
    p.dilated = by[1] > 1 || by[2] > 1 ? spor_dilate(zbar, by) : zbar;
    return p;
}

/* dx[n,i,j,c] = sum_{u,v,f} K[u,v,c,f] d[n, i - u, j - v, f], d the dilated zbar, zero outside:
 * the "full" convolution of Eqs. (9), (10), (30), its padding k - 1 grown by the rest. */
static spor_var pull_back_image(const pullback *p, spor_var K) {
    int64_t lo[SPOR_RANK] = {0, p->K.n[0] - 1, p->K.n[1] - 1, 0};
    int64_t hi[SPOR_RANK] = {0, lo[1] + p->rest[0], lo[2] + p->rest[1], 0};
    spor_var rotated = spor_flip(K, SPOR_AXIS(0) | SPOR_AXIS(1));
    spor_var swapped = spor_transpose(rotated, (int64_t[]){0, 1, 3, 2});
    return spor_correlate2d(spor_pad(p->dilated, lo, hi, 0), swapped, 1, 1);
}

/* dK[u,v,c,f] = sum_{n,i,j} d[n,i,j,f] x[n, i + u, j + v, c]: Eqs. (19), (37), summed over the
 * samples. A correlation too, with samples in the place of channels and x cropped by the rest. */
static spor_var pull_back_kernel(const pullback *p, spor_var x) {
    int64_t none[SPOR_RANK] = {0}, crop[SPOR_RANK] = {0, -p->rest[0], -p->rest[1], 0};
    spor_var reached = p->rest[0] || p->rest[1] ? spor_pad(x, none, crop, 0) : x;
    spor_var image = spor_transpose(reached, (int64_t[]){3, 1, 2, 0});     /* [C, H, W, N] */
    spor_var kernel = spor_transpose(p->dilated, (int64_t[]){1, 2, 0, 3}); /* [P, Q, N, F] */
    spor_var dK = spor_correlate2d(image, kernel, 1, 1);                   /* [C, k, l, F] */
    return spor_transpose(dK, (int64_t[]){1, 2, 0, 3});
}

static spor_var vjp(spor_var z, int k, spor_var zbar) {
    pullback p = pull_back(z, zbar);
    return k == 0 ? pull_back_image(&p, op_operand(z, 1)) : pull_back_kernel(&p, op_operand(z, 0));
}

/* k l C for each element */
static double cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)attr;
    const spor_shape *K = &in[1];
    return (double)shape_size(out) * (double)(K->n[0] * K->n[1] * K->n[2]);
}

static void onnx(onnx_call *c) {
    static const onnx_order filters = {4, {3, 2, 0, 1}}; /* [F, C, k, l] */
    const int64_t steps[] = {c->attr[STRIDE].i, c->attr[STRIDE + 1].i, 1, 1};
    onnx_tensor z = onnx_windows(c, "Conv", onnx_whole(c, 1, &filters), c->in[1].n, steps, NULL);
    onnx_takes_bias(c, z, "Conv", 3);
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 4, 3, 2}}, {4, {2, 3, 2, 3}}}, .attr = {{1}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}, {4, {1, 1, 1, 1}}}, .attr = {{1}, {1}}},
    {.in = {{4, {1, 3, 2, 2}}, {4, {3, 2, 2, 1}}}, .attr = {{2}, {1}}},
    {.in = {{4, {1, 5, 4, 1}}, {4, {2, 1, 1, 2}}}, .attr = {{2}, {3}}},
    {.in = {{4, {1, 2, 3, 7}}, {4, {1, 2, 7, 2}}}, .attr = {{1}, {1}}},
    {.in = {{4, {2, 6, 2, 1}}, {4, {1, 1, 1, 1}}}, .attr = {{4}, {2}}},
    {.in = {{4, {1, 3, 3, 1}}, {4, {2, 2, 1, 1}}}, .attr = {{INT64_MAX}, {1}}},
    {.in = {{4, {2, 2, 2, 2}}, {4, {2, 2, 2, 2}}}, .attr = {{1}, {1}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{4, {32, 32, 32, 3}}, {4, {3, 3, 32, 3}}},
     .attr = {{1}, {1}},
     .message = "x has C=3 channels but K expects C=32"},
    {.in = {{4, {1, 4, 6, 1}}, {4, {5, 3, 1, 1}}},
     .attr = {{1}, {1}},
     .message = "the kernel, 5 x 3, is larger than the image, 4 x 6"},
    {.in = {{4, {1, 4, 2, 1}}, {4, {1, 3, 1, 1}}},
     .attr = {{1}, {1}},
     .message = "the kernel, 1 x 3, is larger than the image, 4 x 2"},
    {.in = {{4, {1, 4, 2, 1}}, {4, {1, 1, 1, 1}}},
     .attr = {{1}, {0}},
     .message = "the strides are 1 and 0 but must be at least 1"},
    {.in = {{3, {4, 6, 1}}, {4, {1, 1, 1, 1}}},
     .attr = {{1}, {1}},
     .message = "x has 3 axes but correlate2d expects 4 [N, H, W, C]"},
    {.in = {{4, {1, 4, 6, 1}}, {2, {3, 3}}},
     .attr = {{1}, {1}},
     .message = "K has 2 axes but correlate2d expects 4 [k, l, C, F]"},
    SPOR_END_MISTAKES};

/* SciPy, x, K and stride as below:
 * map = lambda n, f: sum(scipy.signal.correlate2d(x[n, :, :, c], K[:, :, c, f], 'valid') for c in
 * range(x.shape[3]))
 * z = np.stack([np.stack([map(n, f) for f in range(K.shape[3])], -1) for n in range(len(x))])
 * print(z[:, ::stride[0], ::stride[1]].ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{4, {1, 3, 4, 1}}, {4, {2, 1, 1, 1}}},
     .attr = {{1}, {1}},
     .x = {(const double[]){1, -2.5, 0, -4, 1, 1.5, 0.5, 1, -1, -4, 2, -0.5},
           (const double[]){3, -3}},
     .out = {4, {1, 2, 4, 1}},
     .y = (const double[]){0, -12, -1.5, -15, 6, 16.5, -4.5, 4.5}},
    {.in = {{4, {2, 3, 4, 2}}, {4, {2, 3, 2, 3}}},
     .attr = {{1}, {1}},
     .x = {(const double[]){-3,   -3.5, -1.5, 0,  3,   -3.5, 1,    -0.5, 1.5, -3.5, 3.5,  4,
                            -1.5, 3,    -4,   -4, 0.5, -1.5, -0.5, -1.5, 3,   -3.5, -3.5, 1,
                            1.5,  -2,   -2.5, 4,  4,   -4,   4,    1.5,  -4,  2.5,  -1.5, 4,
                            -3.5, -3,   -2,   0,  2,   4,    1,    4,    -2,  0,    -0.5, -4},
           (const double[]){4,   0.5, -3.5, 3.5,  1.5,  1,   4,    4,  2,    -2,  2,    2,
                            4,   -3,  -0.5, -3.5, -2.5, 2.5, -3.5, -3, -2.5, 1.5, -0.5, -3.5,
                            1.5, -4,  4,    1.5,  0,    0,   3,    2,  -2,   0.5, -1.5, 0.5}},
     .out = {4, {2, 2, 2, 3}},
     .y = (const double[]){-8.25, -37.25, 20.75,  0.75,  -6,   -20.25, -16.5, 27,
                           8.75,  2.75,   11.5,   12.75, 20.5, 8,      -15.5, 34.25,
                           9.5,   -5.75,  -24.25, 5.75,  4.75, -12,    -0.75, -28.25}},
    {.in = {{4, {1, 5, 4, 1}}, {4, {2, 1, 1, 2}}},
     .attr = {{2}, {3}},
     .x = {(const double[]){1,  0.5,  -4, 2.5,  2,   -0.5, -2,  1,    0,   2,
                            -4, -0.5, -4, -3.5, 3.5, 1.5,  0.5, -0.5, 2.5, -2},
           (const double[]){0.5, 2.5, 2.5, -4}},
     .out = {4, {1, 2, 2, 2}},
     .y = (const double[]){5.5, -5.5, 3.75, 2.25, -10, 16, 3.5, -7.25}},
    {.in = {{4, {1, 2, 2, 0}}, {4, {1, 1, 0, 2}}},
     .attr = {{1}, {1}},
     .x = {(const double[]){0}, (const double[]){0}},
     .out = {4, {1, 2, 2, 2}},
     .y = (const double[]){0, 0, 0, 0, 0, 0, 0, 0}},
    SPOR_END_GOLDEN};

static bool cells(const spor_call *c, cells_window *w) {
    const int64_t *K = c->in[1].shape.n;
    bool one = cells_of_map(c, K[0], K[1], CELLS_WEIGHTED, w);
    for (int a = 0; a < 2; a++)
        w->stride[a] = c->out.shape.n[1 + a] > 1 ? c->attr[STRIDE + a].i : 1;
    return one;
}

const spor_op spor_op_correlate2d = {
    .signature = "correlate2d(x[N,H,W,C], K[k,l,C,F]; stride:int2=1)",
    .equation = "z[n,i,j,f] = sum_{u,v,c} K[u,v,c,f] x[n, i Sh + u, j Sw + v, c]",
    .convention = "no padding; a kernel larger than the image is an error",
    .traits = SPOR_BILINEAR | SPOR_SLIDES,
    .operands = 2,
    .attrs = 2,
    .shape = shape,
    .cost = cost,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = correlate2d_reference,
    .cells = cells,
};

spor_var spor_correlate2d(spor_var x, spor_var K, int64_t sh, int64_t sw) {
    return op_record(&spor_op_correlate2d, (spor_var[]){x, K}, (spor_attr[]){{sh}, {sw}});
}

#else

/* sum_{u,v,c} K[u,v,c,f] x[n, top + u, left + v, c] */
static T window_sum(const spor_call *c, int64_t n, int64_t top, int64_t left, int64_t f) {
    const spor_shape *K = &c->in[1].shape;
    T sum = FROM_INT(0);
    for (int64_t u = 0; u < K->n[0]; u++)
        for (int64_t v = 0; v < K->n[1]; v++)
            for (int64_t d = 0; d < K->n[2]; d++)
                sum = ADD(sum,
                          MUL(*AT4(c->in[1], u, v, d, f), *AT4(c->in[0], n, top + u, left + v, d)));
    return sum;
}

REFERENCE_KERNEL(correlate2d) {
    int64_t sh = c->attr[STRIDE].i, sw = c->attr[STRIDE + 1].i;
    EACH_INDEX(i, c->out.shape) * AT(c->out, i) = window_sum(c, i[0], i[1] * sh, i[2] * sw, i[3]);
}

#endif
