/*
 * dK[u,v,c] = sum_{n,i,j} g[n,i,j,c] x[n, i S_h + u D_h, j S_w + v D_w, c]: what comes back to the kernel of
 * depthwise2d from g; x [N,H,W,C], g [N,P,Q,C], as many windows as a kernel of k x l has in x.
 */
#include "depthwise.h"

/* Slots. */
enum { DK_SIZE = 0, DK_STEPS = 2, DK_SLOTS = 6 };

#ifdef SPOR_RULES

#include "export/c.h"
#include "kernels/tasks.h"

KERNELS(depthwise2d_dK);
FAST_KERNELS(depthwise2d_dK);
FAST_KERNELS(partial_sum);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *g = &r->in[1];
    if (!rule_rank(r, 0, 4) || !rule_rank(r, 1, 4)) return false;
    if (x->n[0] != g->n[0] || x->n[3] != g->n[3])
        return rule_fail(
            r, "x has N=%" PRId64 " and C=%" PRId64 " but g has N=%" PRId64 " and C=%" PRId64,
            x->n[0], x->n[3], g->n[0], g->n[3]);
    for (int a = 0; a < 2; a++) {
        int64_t windows = 0;
        if (!rule_depthwise(r, r->attr + DK_STEPS, a, x->n[1 + a], r->attr[DK_SIZE + a].i,
                            &windows))
            return false;
        if (windows != g->n[1 + a])
            return rule_fail(r, "the image has %" PRId64 " windows along the %s but g has %" PRId64,
                             windows, a ? "width" : "height", g->n[1 + a]);
    }
    r->out = (spor_shape){3, {r->attr[DK_SIZE].i, r->attr[DK_SIZE + 1].i, x->n[3]}};
    return true;
}

static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var x = op_operand(z, 0), g = op_operand(z, 1);
    const spor_attr *s = op_attrs(z) + DK_STEPS;
    if (k == 0) return depthwise_pull_back(g, zbar, spor_shape_of(x), s);
    return spor_depthwise2d(x, zbar, (int64_t[]){s[0].i, s[1].i}, (int64_t[]){s[2].i, s[3].i});
}

/* k l for each element of g */
static double cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)out;
    return (double)shape_size(&in[1]) * (double)(attr[DK_SIZE].i * attr[DK_SIZE + 1].i);
}

static const spor_sample samples[] = {
    {.in = {{4, {2, 4, 3, 2}}, {4, {2, 3, 1, 2}}}, .attr = {{2}, {3}, {1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 1, 1, 1}}, {4, {1, 1, 1, 1}}}, .attr = {{1}, {1}, {1}, {1}, {1}, {1}}},
    {.in = {{4, {1, 6, 5, 3}}, {4, {1, 2, 3, 3}}}, .attr = {{2}, {2}, {2}, {1}, {3}, {2}}},
    {.in = {{4, {2, 5, 7, 1}}, {4, {2, 1, 2, 1}}}, .attr = {{3}, {2}, {1}, {3}, {2}, {1}}},
    {.in = {{4, {1, 3, 6, 2}}, {4, {1, 1, 2, 2}}}, .attr = {{1}, {4}, {5}, {2}, {INT64_MAX}, {1}}},
    {.in = {{4, {1, 3, 3, 1}}, {4, {1, 1, 2, 1}}}, .attr = {{2}, {2}, {INT64_MAX}, {1}, {2}, {1}}},
    {.in = {{4, {1, 4, 9, 17}}, {4, {1, 2, 7, 17}}}, .attr = {{3}, {3}, {1}, {1}, {1}, {1}}},
    SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{4, {1, 4, 6, 3}}, {4, {1, 3, 5, 2}}},
     .attr = {{2}, {2}, {1}, {1}, {1}, {1}},
     .message = "x has N=1 and C=3 but g has N=1 and C=2"},
    {.in = {{4, {2, 4, 6, 3}}, {4, {1, 3, 5, 3}}},
     .attr = {{2}, {2}, {1}, {1}, {1}, {1}},
     .message = "x has N=2 and C=3 but g has N=1 and C=3"},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 2, 5, 1}}},
     .attr = {{2}, {2}, {1}, {1}, {1}, {1}},
     .message = "the image has 3 windows along the height but g has 2"},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 3, 5, 1}}},
     .attr = {{2}, {2}, {1}, {2}, {1}, {1}},
     .message = "the image has 3 windows along the width but g has 5"},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 3, 5, 1}}},
     .attr = {{0}, {2}, {1}, {1}, {1}, {1}},
     .message = "the kernel's height is 0 but must be at least 1"},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 3, 5, 1}}},
     .attr = {{2}, {7}, {1}, {1}, {1}, {1}},
     .message = "7 cells of the kernel, 1 apart, reach beyond the width of the image, 6"},
    {.in = {{4, {1, 4, 6, 1}}, {4, {1, 3, 5, 1}}},
     .attr = {{2}, {2}, {0}, {1}, {1}, {1}},
     .message = "stride and dilation along the height are 0 and 1"},
    SPOR_END_MISTAKES};

/* NumPy, x, g, the size z, strides s and dilations d as below, P and Q the sizes of g:
 * at = lambda u, v: x[:, u*d[0]:u*d[0] + (P-1)*s[0] + 1:s[0], v*d[1]:v*d[1] + (Q-1)*s[1] + 1:s[1]]
 * print([(g * at(u, v)).sum((0, 1, 2)).tolist() for u in range(z[0]) for v in range(z[1])]) */
static const spor_golden golden[] = {
    {.in = {{4, {1, 3, 4, 1}}, {4, {1, 2, 2, 1}}},
     .attr = {{2}, {3}, {1}, {1}, {1}, {1}},
     .x = {(const double[]){-3, -4, 2.5, -0.5, -1.5, 1, 0.5, 3.5, 1, 3.5, 0.5, -1.5},
           (const double[]){-1.5, 4, 0.5, -2.5}},
     .out = {3, {2, 3, 1}},
     .y = (const double[]){-14.75, 15.25, -14.25, -2, 1, 17.25}},
    {.in = {{4, {2, 4, 3, 2}}, {4, {2, 3, 2, 2}}},
     .attr = {{2}, {2}, {1}, {1}, {1}, {1}},
     .x = {(const double[]){-1.5, -3.5, -2.5, 3,    3,   3,    0.5,  -3,   -1.5, 0,    4,    -2,
                            0.5,  0,    0,    0.5,  1.5, -3.5, 4,    3,    2.5,  -2,   -0.5, -0.5,
                            -1.5, -4,   2,    -4,   2,   -2.5, 1,    -1.5, -2,   3.5,  0,    3.5,
                            -2.5, 0,    -1.5, -0.5, -4,  1.5,  -1.5, 3,    -2.5, -1.5, -4,   2.5},
           (const double[]){0.5,  -1, 3.5, 1,  4,   2,  0.5,  0,    -2.5, 1.5,  2.5, 1.5,
                            -0.5, -4, 2,   -4, 2.5, -3, -1.5, -2.5, 0.5,  -2.5, -2,  -4}},
     .out = {3, {2, 2, 2}},
     .y = (const double[]){2.5, 31, 14.25, -2.5, -11, -3.75, 16.5, -41.25}},
    {.in = {{4, {1, 6, 5, 3}}, {4, {1, 2, 3, 3}}},
     .attr = {{2}, {2}, {2}, {1}, {3}, {2}},
     .x = {(const double[]){-1,  -1,  2,    -0.5, -2,  1.5,  -3,   2.5, -0.5, 3.5,  -2,   -1,  3,
                            2,   -4,  -1.5, -4,   3,   -0.5, -2.5, 2,   3,    -3.5, 0,    -1,  2,
                            3.5, 0.5, 2,    -1.5, 0.5, 0,    2,    -4,  -2,   -4,   4,    0.5, 0,
                            0,   -4,  3,    3,    -4,  1,    0.5,  -1,  0,    3,    1,    0,   2,
                            1.5, 0,   3,    0.5,  1,   0,    1,    1,   3.5,  -2,   -1,   0.5, -1.5,
                            1.5, 3,   -2.5, -4,   4,   0,    2,    2,   4,    -4,   -2,   4,   -0.5,
                            -1,  -2,  -4,   -4,   4,   -4,   -3,   -2,  -2,   3,    -1.5, -3},
           (const double[]){-1, 1.5, -0.5, -2, -3, -3.5, 0, -2.5, 0.5, 1.5, -1, 0, -4, 0.5, -2.5,
                            -0.5, -3.5, -2}},
     .out = {3, {2, 2, 3}},
     .y = (const double[]){16.75, -4.5, 3.5, 0.5, 16.25, -7.75, -3.5, -27.25, 18, -3.5, -1.5, 8}},
    SPOR_END_GOLDEN};

/* Tasks are rows of windows, each with a sum of its own. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)lanes;
    const int64_t *n = c->in[1].shape.n, *K = c->out.shape.n;
    int64_t cost = carve_times(carve_times(n[2] * n[3], K[0]), K[1]);
    tasks_add_up(need, n[0] * n[1], cost, K[0] * K[1] * K[2], width);
}

/* Row after row of windows, each a chain of its own. */
static void loops(spor_c *c, const spor_call *call) {
    const int64_t *x = call->in[0].shape.n, *g = call->in[1].shape.n, *K = call->out.shape.n;
    const spor_attr *s = call->attr + DK_STEPS;
    c_line(c, "net_fill(out, 0, %" PRId64 ");", K[0] * K[1] * K[2]);
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++)", g[0]);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", g[1]);
    c_line(c, "for (int u = 0; u < %" PRId64 "; u++)", K[0]);
    c_line(c, "for (int v = 0; v < %" PRId64 "; v++) {", K[1]);
    c_line(c, "const int r = i * %" PRId64 " + u * %" PRId64 ";",
           depthwise_step(g[1], depthwise_stride(s, 0), 1),
           depthwise_step(K[0], depthwise_dilation(s, 0), 1));
    c_line(c,
           "const %s *cell = x + ((n * %" PRId64 " + r) * %" PRId64 " + v * %" PRId64 ") * %" PRId64
           ";",
           c_type(c), x[1], x[2], depthwise_step(K[1], depthwise_dilation(s, 1), 1), x[3]);
    c_line(c, "const %s *error = g + (n * %" PRId64 " + i) * %" PRId64 ";", c_type(c), g[1],
           g[2] * g[3]);
    c_line(c, "for (int k = 0; k < %" PRId64 "; k++) {", g[3]);
    c_line(c, "%s sum = 0;", c_type(c));
    c_line(c, "for (int j = 0; j < %" PRId64 "; j++)", g[2]);
    c_line(c, "    sum = error[j * %" PRId64 " + k] * cell[j * %" PRId64 " + k] + sum;", g[3],
           x[3] * depthwise_step(g[2], depthwise_stride(s, 1), 1));
    c_line(c, "out[(u * %" PRId64 " + v) * %" PRId64 " + k] += sum;", K[1], K[2]);
    c_line(c, "}");
    c_line(c, "}");
}

static const spor_fused fused = {
    .need = need,
    .phase = {[SPOR_WORK] = depthwise2d_dK_kernels, [SPOR_FINISH] = partial_sum_kernels}};

const spor_op spor_op_depthwise2d_dK = {
    .signature =
        "depthwise2d_dK(x[N,H,W,C], g[N,P,Q,C]; size:int2, stride:int2=1, dilation:int2=1)",
    .equation = "z[u,v,c] = sum_{n,i,j} g[n,i,j,c] x[n, i Sh + u Dh, j Sw + v Dw, c]",
    .convention = "g has as many windows as a kernel of this size has in x",
    .traits = SPOR_BILINEAR | SPOR_SLIDES | SPOR_MIXES_SAMPLES,
    .operands = 2,
    .attrs = DK_SLOTS,
    .shape = shape,
    .cost = cost,
    .vjp = vjp,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = depthwise2d_dK_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_depthwise2d_dK(spor_var x, spor_var g, const int64_t size[2], const int64_t stride[2],
                             const int64_t dilation[2]) {
    if (!size) return op_missing(x, "depthwise2d_dK: size");
    if (!stride) return op_missing(x, "depthwise2d_dK: stride");
    if (!dilation) return op_missing(x, "depthwise2d_dK: dilation");
    const spor_attr attr[DK_SLOTS] = {{size[0]},   {size[1]},     {stride[0]},
                                      {stride[1]}, {dilation[0]}, {dilation[1]}};
    return op_record(&spor_op_depthwise2d_dK, (spor_var[]){x, g}, attr);
}

#elif defined(SPOR_FAST)

#include "kernels/simd.h"
#include "kernels/tasks.h"

enum { DK_ABREAST = 4 }; /* cells of a row of the kernel that share what is loaded of g */

/* A row of windows: cells of the kernel lie `right` apart, windows `next`. */
typedef struct {
    const T *g;
    int64_t windows, channels, right, next;
} dK_row;

/* `count` channels of `cells` cells; both are constants where this is inlined. */
SPOR_INLINE void add_windows(const dK_row *r, const T *x, const T *g, int cells, int64_t count,
                             T *z) {
    vec sum[DK_ABREAST] = {{0}};
    for (int64_t j = 0; j < r->windows; j++, x += r->next, g += r->channels) {
        vec error = count < LANES ? simd_load_part(g, count) : simd_load(g);
        SPOR_UNROLL
        for (int v = 0; v < cells; v++) {
            const T *at = x + v * r->right;
            vec value = count < LANES ? simd_load_part(at, count) : simd_load(at);
            sum[v] = simd_fma(error, value, sum[v]);
        }
    }
    SPOR_UNROLL
    for (int v = 0; v < cells; v++) {
        T *to = z + v * r->channels;
        if (count < LANES)
            simd_store_part(to, simd_load_part(to, count) + sum[v], count);
        else
            simd_store(to, simd_load(to) + sum[v]);
    }
}

static void all_dK_channels(const dK_row *r, const T *x, int abreast, T *z) {
    for (int64_t k = 0; k < r->channels; k += LANES) {
        int64_t count = r->channels - k;
        if (abreast == DK_ABREAST && count >= LANES)
            add_windows(r, x + k, r->g + k, DK_ABREAST, LANES, z + k);
        else if (abreast == DK_ABREAST)
            add_windows(r, x + k, r->g + k, DK_ABREAST, count, z + k);
        else if (abreast == DK_ABREAST - 1 && count >= LANES)
            add_windows(r, x + k, r->g + k, DK_ABREAST - 1, LANES, z + k);
        else if (count >= LANES)
            add_windows(r, x + k, r->g + k, 1, LANES, z + k);
        else
            for (int v = 0; v < abreast; v++)
                add_windows(r, x + v * r->right + k, r->g + k, 1, count, z + v * r->channels + k);
    }
}

/* As many as are left and fit: four, three, else one. */
static int abreast_of(int64_t left) {
    return left >= DK_ABREAST ? DK_ABREAST : left == DK_ABREAST - 1 ? DK_ABREAST - 1 : 1;
}

FAST_KERNEL(depthwise2d_dK) {
    const int64_t *n = c->in[1].shape.n, *kernel = c->out.shape.n, *stride = c->in[0].stride;
    const spor_attr *s = c->attr + DK_STEPS;
    task_part part = task_part_of(c, SPOR_WORK, task, n[0] * n[1]);
    int64_t below = depthwise_step(n[1], depthwise_stride(s, 0), stride[1]);
    int64_t down = depthwise_step(kernel[0], depthwise_dilation(s, 0), stride[1]);
    dK_row r = {.windows = n[2],
                .channels = n[3],
                .right = depthwise_step(kernel[1], depthwise_dilation(s, 1), stride[2]),
                .next = depthwise_step(n[2], depthwise_stride(s, 1), stride[2])};
    T *z = task_result(c, task);
    memset(z, 0, (size_t)(kernel[0] * kernel[1] * kernel[2]) * sizeof *z);
    for (int64_t i = part.first; i < part.end; i++) {
        const T *x = (const T *)c->in[0].data + i / n[1] * stride[0] + i % n[1] * below;
        r.g = (const T *)c->in[1].data + i * c->in[1].stride[1];
        for (int64_t u = 0; u < kernel[0]; u++)
            for (int64_t v = 0; v < kernel[1];) {
                int abreast = abreast_of(kernel[1] - v);
                all_dK_channels(&r, x + u * down + v * r.right, abreast,
                                z + (u * kernel[1] + v) * n[3]);
                v += abreast;
            }
    }
}

#else

#include "kernels/pairwise.h"

REFERENCE_KERNEL(depthwise2d_dK) {
    const spor_shape *g = &c->in[1].shape;
    const spor_attr *s = c->attr + DK_STEPS;
    EACH_INDEX(i, c->out.shape) {
        int64_t top = depthwise_cell(i[0], depthwise_dilation(s, 0));
        int64_t left = depthwise_cell(i[1], depthwise_dilation(s, 1));
        pairwise_sum sum;
        pairwise_begin(&sum);
        for (int64_t n = 0; n < g->n[0]; n++)
            for (int64_t p = 0; p < g->n[1]; p++)
                for (int64_t q = 0; q < g->n[2]; q++) {
                    int64_t down = top + depthwise_cell(p, depthwise_stride(s, 0));
                    int64_t right = left + depthwise_cell(q, depthwise_stride(s, 1));
                    pairwise_add(&sum, MUL(*AT4(c->in[1], n, p, q, i[2]),
                                           *AT4(c->in[0], n, down, right, i[2])));
                }
        *AT(c->out, i) = pairwise_total(&sum);
    }
}

#endif
