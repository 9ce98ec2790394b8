/*
 * z[n,i,j,c] = sum_{u,v} K[u,v,c] x[n, i S_h + u D_h, j S_w + v D_w, c]: a correlation of each channel by
 * itself, strides S and dilations D as in correlate2d and beyond; x [N,H,W,C], K [k,l,C], z [N,P,Q,C] with
 * P = 1 + floor((H - 1 - (k - 1) D_h) / S_h).                       [depthwise: Howard et al. 2017]
 */
#include "depthwise.h"

/* Slots. */
enum { DEPTHWISE_STEPS = 0, DEPTHWISE_SLOTS = 4 };

#ifdef SPOR_RULES

#include "export/c.h"
#include "export/onnx.h"
#include "kernels/tasks.h"

KERNELS(depthwise2d);
FAST_KERNELS(depthwise2d);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *K = &r->in[1];
    if (!rule_rank(r, 0, 4) || !rule_rank(r, 1, 3)) return false;
    if (x->n[3] != K->n[2])
        return rule_fail(r, "x has C=%" PRId64 " channels but K expects C=%" PRId64, x->n[3],
                         K->n[2]);
    r->out = *x;
    return rule_depthwise(r, r->attr + DEPTHWISE_STEPS, 0, x->n[1], K->n[0], &r->out.n[1]) &&
           rule_depthwise(r, r->attr + DEPTHWISE_STEPS, 1, x->n[2], K->n[1], &r->out.n[2]);
}

spor_var depthwise_pull_back(spor_var g, spor_var K, spor_shape x, const spor_attr steps[]) {
    spor_shape windows = spor_shape_of(g), kernel = spor_shape_of(K);
    int64_t by[SPOR_RANK] = {1, 1, 1, 1}, lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    for (int a = 0; a < 2; a++) {
        if (windows.n[1 + a] > 1) by[1 + a] = depthwise_stride(steps, a);
        int64_t reach = depthwise_reach(steps, a, kernel.n[a]);
        int64_t rest = x.n[1 + a] - reach - (windows.n[1 + a] - 1) * by[1 + a];
        lo[1 + a] = reach - 1;
        hi[1 + a] = reach - 1 + rest;
    }
    spor_var dilated = by[1] > 1 || by[2] > 1 ? spor_dilate(g, by) : g;
    return spor_depthwise2d(spor_pad(dilated, lo, hi, 0), spor_flip(K, SPOR_AXIS(0) | SPOR_AXIS(1)),
                            (int64_t[]){1, 1}, (int64_t[]){steps[2].i, steps[3].i});
}

static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var x = op_operand(z, 0), K = op_operand(z, 1);
    const spor_attr *s = op_attrs(z) + DEPTHWISE_STEPS;
    spor_shape kernel = spor_shape_of(K);
    if (k == 0) return depthwise_pull_back(zbar, K, spor_shape_of(x), s);
    return spor_depthwise2d_dK(x, zbar, kernel.n, (int64_t[]){s[0].i, s[1].i},
                               (int64_t[]){s[2].i, s[3].i});
}

/* k l for each element */
static double cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)attr;
    return (double)shape_size(out) * (double)(in[1].n[0] * in[1].n[1]);
}

/* Each channel is a group of its own: the filters are [C, 1, k, l]. */
static void onnx(onnx_call *c) {
    static const onnx_order filters = {3, {2, 0, 1}};
    const int64_t *n = c->in[1].n;
    const onnx_shape shape = {4, {n[2], 1, n[0], n[1]}, {false}};
    const spor_attr *s = c->attr + DEPTHWISE_STEPS;
    const int64_t steps[] = {s[0].i, s[1].i, s[2].i, s[3].i};
    onnx_tensor K = onnx_reshaped(c, onnx_whole(c, 1, &filters), shape);
    onnx_tensor z = onnx_windows(c, "Conv", K, n, steps, NULL);
    onnx_set(c, z, "group", n[2]);
    onnx_takes_bias(c, z, "Conv", 3);
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 4, 3, 2}}, {3, {2, 3, 2}}}, .attr = {{1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}, {3, {1, 1, 1}}}, .attr = {{1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 6, 5, 3}}, {3, {2, 2, 3}}}, .attr = {{2}, {1}, {3}, {2}}},
    {.in = {{4, {2, 5, 7, 1}}, {3, {3, 2, 1}}}, .attr = {{1}, {3}, {2}, {1}}},
    {.in = {{4, {1, 3, 6, 2}}, {3, {1, 4, 2}}}, .attr = {{5}, {2}, {INT64_MAX}, {1}}},
    {.in = {{4, {1, 3, 3, 1}}, {3, {2, 2, 1}}}, .attr = {{INT64_MAX}, {1}, {2}, {1}}},
    {.in = {{4, {1, 4, 9, 17}}, {3, {3, 3, 17}}}, .attr = {{1}, {1}, {1}, {1}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{4, {1, 4, 6, 3}}, {3, {3, 3, 2}}},
     .attr = {{1}, {1}, {1}, {1}},
     .message = "x has C=3 channels but K expects C=2"},
    {.in = {{4, {1, 4, 6, 1}}, {3, {5, 3, 1}}},
     .attr = {{1}, {1}, {1}, {1}},
     .message = "5 cells of the kernel, 1 apart, reach beyond the height of the image, 4"},
    {.in = {{4, {1, 4, 6, 1}}, {3, {2, 3, 1}}},
     .attr = {{1}, {1}, {1}, {3}},
     .message = "3 cells of the kernel, 3 apart, reach beyond the width of the image, 6"},
    {.in = {{4, {1, 4, 6, 1}}, {3, {2, 3, 1}}},
     .attr = {{1}, {0}, {1}, {1}},
     .message = "stride and dilation along the width are 0 and 1"},
    {.in = {{4, {1, 4, 6, 1}}, {3, {2, 3, 1}}},
     .attr = {{1}, {1}, {-1}, {1}},
     .message = "stride and dilation along the height are 1 and -1"},
    {.in = {{3, {4, 6, 1}}, {3, {1, 1, 1}}},
     .attr = {{1}, {1}, {1}, {1}},
     .message = "x has 3 axes but depthwise2d expects 4 [N, H, W, C]"},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 1, 1, 1}}},
     .attr = {{1}, {1}, {1}, {1}},
     .message = "K has 4 axes but depthwise2d expects 3 [k, l, C]"},
    SPOR_END_MISTAKES};

/* NumPy, x, K, strides s and dilations d as below, P and Q the sizes of the result:
 * print(sum(K[u, v] * x[:, u*d[0]:u*d[0] + (P-1)*s[0] + 1:s[0], v*d[1]:v*d[1] + (Q-1)*s[1] + 1:s[1]]
 *           for u in range(K.shape[0]) for v in range(K.shape[1])).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{4, {1, 3, 4, 1}}, {3, {2, 3, 1}}},
     .attr = {{1}, {1}, {1}, {1}},
     .x = {(const double[]){1.5, 2.5, -4, 2.5, -0.5, 0, 1, -2, 4, -4, -2, -1},
           (const double[]){0.5, -1, -3, -4, -4, -4}},
     .out = {4, {1, 2, 2, 1}},
     .y = (const double[]){8.25, 1.75, 4.75, 33}},
    {.in = {{4, {2, 4, 3, 2}}, {3, {2, 2, 2}}},
     .attr = {{1}, {1}, {1}, {1}},
     .x = {(const double[]){-3,  4,   -2.5, 1.5, 2,    -2.5, -2,  -0.5, -2,  4,    -2.5, 3.5,
                            2.5, 3,   -3.5, -1,  1,    0,    1.5, 1.5,  1.5, -3.5, 4,    0.5,
                            3.5, -2,  -1,   3,   -2.5, -3.5, -1,  1.5,  -3,  3,    -1.5, -2.5,
                            0.5, 3.5, 3.5,  3,   -1.5, -4,   2.5, 2,    2.5, -4,   -4,   0},
           (const double[]){-1.5, -0.5, 3.5, -2.5, 0, -1.5, -1.5, 2.5}},
     .out = {4, {2, 3, 2, 2}},
     .y = (const double[]){-1.25,  5,   14.5, 8.25,  1.25,  -16.75, -7.25, -9.25,
                           -18.25, -10, 2.75, 7,     -4.25, -1.25,  -5,    -3.5,
                           -14.25, -6,  1.5,  -9.75, 7.75,  -22.25, -4.5,  14.5}},
    {.in = {{4, {1, 6, 5, 3}}, {3, {2, 2, 3}}},
     .attr = {{2}, {1}, {3}, {2}},
     .x = {(const double[]){
               -3,   -1.5, -3,   -3,  -2,   1.5,  0.5,  -0.5, -3,  2.5,  2.5,  -2, -3.5, -1.5, -3,
               2.5,  0,    0,    -2,  0,    4,    -2,   2.5,  -4,  -1.5, 3.5,  3,  -3.5, 3,    3,
               -0.5, -1,   4,    4,   1.5,  -1,   -2.5, 3.5,  -2,  0.5,  1.5,  -2, -1.5, 2,    -2.5,
               1.5,  4,    1.5,  1,   -0.5, 4,    -2.5, -1,   1,   1.5,  -3.5, -3, 1.5,  3,    1,
               3.5,  -1,   -1.5, 2.5, -4,   -2.5, -2.5, -1,   -3,  2.5,  3,    -1, -4,   2,    -3.5,
               1,    -3,   3.5,  1.5, 4,    1,    2,    -1,   2.5, -3.5, -3,   -1, 2,    0,    3},
           (const double[]){4, -1, -0.5, 0.5, 1, 0, 1, 4, 2, -1.5, -0.5, -1}},
     .out = {4, {1, 2, 3, 3}},
     .y = (const double[]){-6.5, 17.5, 3.5, -12, 4.25, 10.25, -4.5, -6.5, 2.5, -5.25, -7, 2.5, 23,
                           17.5, 3.5, -11.75, -5.5, 3}},
    SPOR_END_GOLDEN};

/* Tasks are rows of windows. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    const int64_t *n = c->out.shape.n, *K = c->in[1].shape.n;
    int64_t cost = carve_times(carve_times(n[2] * n[3], K[0]), K[1]);
    need->tasks[SPOR_WORK] = tasks_for(need, n[0] * n[1], cost, 0);
}

/* z[n,i,j,c] is one chain over the cells of its window. */
static void loops(spor_c *c, const spor_call *call) {
    const int64_t *x = call->in[0].shape.n, *K = call->in[1].shape.n, *z = call->out.shape.n;
    const spor_attr *s = call->attr + DEPTHWISE_STEPS;
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++)", z[0]);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", z[1]);
    c_line(c, "for (int j = 0; j < %" PRId64 "; j++, out += %" PRId64 ") {", z[2], z[3]);
    c_line(c, "net_fill(out, 0, %" PRId64 ");", z[3]);
    c_line(c, "for (int u = 0; u < %" PRId64 "; u++)", K[0]);
    c_line(c, "for (int v = 0; v < %" PRId64 "; v++) {", K[1]);
    c_line(c,
           "const int r = i * %" PRId64 " + u * %" PRId64 ", q = j * %" PRId64 " + v * %" PRId64
           ";",
           depthwise_step(z[1], depthwise_stride(s, 0), 1),
           depthwise_step(K[0], depthwise_dilation(s, 0), 1),
           depthwise_step(z[2], depthwise_stride(s, 1), 1),
           depthwise_step(K[1], depthwise_dilation(s, 1), 1));
    c_line(c, "const %s *cell = x + ((n * %" PRId64 " + r) * %" PRId64 " + q) * %" PRId64 ";",
           c_type(c), x[1], x[2], x[3]);
    c_line(c, "const %s *weight = K + (u * %" PRId64 " + v) * %" PRId64 ";", c_type(c), K[1], z[3]);
    c_line(c, "for (int k = 0; k < %" PRId64 "; k++) out[k] = weight[k] * cell[k] + out[k];", z[3]);
    c_line(c, "}");
    c_line(c, "}");
}

static const spor_fused fused = {.need = need, .phase = {[SPOR_WORK] = depthwise2d_kernels}};

static bool cells(const spor_call *c, cells_window *w) {
    const int64_t *K = c->in[1].shape.n, *z = c->out.shape.n;
    const spor_attr *s = c->attr + DEPTHWISE_STEPS;
    bool one = cells_of_map(c, K[0], K[1], CELLS_WEIGHTED, w);
    w->apart = true;
    for (int a = 0; a < 2; a++) {
        w->stride[a] = depthwise_step(z[1 + a], depthwise_stride(s, a), 1);
        w->dilation[a] = depthwise_step(K[a], depthwise_dilation(s, a), 1);
    }
    return one;
}

const spor_op spor_op_depthwise2d = {
    .signature = "depthwise2d(x[N,H,W,C], K[k,l,C]; stride:int2=1, dilation:int2=1)",
    .equation = "z[n,i,j,c] = sum_{u,v} K[u,v,c] x[n, i Sh + u Dh, j Sw + v Dw, c]",
    .convention = "no padding; a kernel that reaches beyond the image is an error",
    .traits = SPOR_BILINEAR | SPOR_SLIDES,
    .operands = 2,
    .attrs = DEPTHWISE_SLOTS,
    .shape = shape,
    .cost = cost,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = depthwise2d_reference,
    .fused = &fused,
    .c_loops = loops,
    .cells = cells,
};

spor_var spor_depthwise2d(spor_var x, spor_var K, const int64_t stride[2],
                          const int64_t dilation[2]) {
    if (!stride) return op_missing(x, "depthwise2d: stride");
    if (!dilation) return op_missing(x, "depthwise2d: dilation");
    const spor_attr attr[DEPTHWISE_SLOTS] = {
        {stride[0]}, {stride[1]}, {dilation[0]}, {dilation[1]}};
    return op_record(&spor_op_depthwise2d, (spor_var[]){x, K}, attr);
}

#elif defined(SPOR_FAST)

#include "kernels/simd.h"
#include "kernels/tasks.h"

enum { ABREAST = 4 }; /* windows of a row that share what is loaded of K */

/* A row of windows: cells of the kernel lie `down` and `right` apart, windows `next`. */
typedef struct {
    const T *x, *K;
    int64_t k, l, channels, down, right, next;
} row;

/* `count` channels of `windows` windows; both are constants where this is inlined. */
SPOR_INLINE void add_cells(const row *r, const T *x, const T *K, int windows, int64_t count, T *z) {
    vec sum[ABREAST] = {{0}};
    for (int64_t u = 0; u < r->k; u++)
        for (int64_t v = 0; v < r->l; v++, K += r->channels) {
            const T *cell = x + u * r->down + v * r->right;
            vec weight = count < LANES ? simd_load_part(K, count) : simd_load(K);
            SPOR_UNROLL
            for (int w = 0; w < windows; w++) {
                const T *at = cell + w * r->next;
                vec value = count < LANES ? simd_load_part(at, count) : simd_load(at);
                sum[w] = simd_fma(weight, value, sum[w]);
            }
        }
    SPOR_UNROLL
    for (int w = 0; w < windows; w++)
        if (count < LANES)
            simd_store_part(z + w * r->channels, sum[w], count);
        else
            simd_store(z + w * r->channels, sum[w]);
}

static void all_channels(const row *r, const T *x, int abreast, T *z) {
    for (int64_t k = 0; k < r->channels; k += LANES) {
        int64_t count = r->channels - k;
        if (abreast == ABREAST && count >= LANES)
            add_cells(r, x + k, r->K + k, ABREAST, LANES, z + k);
        else if (abreast == ABREAST)
            add_cells(r, x + k, r->K + k, ABREAST, count, z + k);
        else if (count >= LANES)
            add_cells(r, x + k, r->K + k, 1, LANES, z + k);
        else
            add_cells(r, x + k, r->K + k, 1, count, z + k);
    }
}

FAST_KERNEL(depthwise2d) {
    const int64_t *n = c->out.shape.n, *kernel = c->in[1].shape.n, *stride = c->in[0].stride;
    const spor_attr *s = c->attr + DEPTHWISE_STEPS;
    task_part part = task_part_of(c, SPOR_WORK, task, n[0] * n[1]);
    int64_t below = depthwise_step(n[1], depthwise_stride(s, 0), stride[1]);
    row r = {.K = c->in[1].data,
             .k = kernel[0],
             .l = kernel[1],
             .channels = n[3],
             .down = depthwise_step(kernel[0], depthwise_dilation(s, 0), stride[1]),
             .right = depthwise_step(kernel[1], depthwise_dilation(s, 1), stride[2]),
             .next = depthwise_step(n[2], depthwise_stride(s, 1), stride[2])};
    T *z = (T *)c->out.data + part.first * c->out.stride[1];
    for (int64_t i = part.first; i < part.end; i++) {
        const T *x = (const T *)c->in[0].data + i / n[1] * stride[0] + i % n[1] * below;
        for (int64_t j = 0; j < n[2];) {
            int abreast = j + ABREAST <= n[2] ? ABREAST : 1;
            all_channels(&r, x + j * r.next, abreast, z);
            j += abreast;
            z += abreast * n[3];
        }
    }
}

#else

/* sum_{u,v} K[u,v,c] x[n, top + u D_h, left + v D_w, c] */
static T channel_sum(const spor_call *c, int64_t n, int64_t top, int64_t left, int64_t channel) {
    const spor_shape *K = &c->in[1].shape;
    const spor_attr *s = c->attr + DEPTHWISE_STEPS;
    T sum = FROM_INT(0);
    for (int64_t u = 0; u < K->n[0]; u++)
        for (int64_t v = 0; v < K->n[1]; v++) {
            int64_t at[SPOR_RANK] = {u, v, channel};
            int64_t p = top + depthwise_cell(u, depthwise_dilation(s, 0));
            int64_t q = left + depthwise_cell(v, depthwise_dilation(s, 1));
            sum = ADD(sum, MUL(*AT(c->in[1], at), *AT4(c->in[0], n, p, q, channel)));
        }
    return sum;
}

REFERENCE_KERNEL(depthwise2d) {
    int64_t sh = depthwise_stride(c->attr + DEPTHWISE_STEPS, 0),
            sw = depthwise_stride(c->attr + DEPTHWISE_STEPS, 1);
    EACH_INDEX(i, c->out.shape) * AT(c->out, i) = channel_sum(c, i[0], i[1] * sh, i[2] * sw, i[3]);
}

#endif
