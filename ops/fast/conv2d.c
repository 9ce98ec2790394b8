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
 *
 * All three are the product of kernels/product.h. Pixels and kernel cells are tables of offsets
 * into a few padded samples: z takes rows = pixels, terms = cells; dK rows = cells, terms = pixels;
 * dx is the forward product over delta~ with the kernel rotated and its channels exchanged.
 */
#include "layer.h"

/* Attributes of all ops here: strides; top, bottom, left, right; then the op's own. */
enum { STRIDE = 0, TOP = 2, LEFT = 4, SHARED = 6, ACTIVATION = 6, CELLS = 6, MAP = 6 };

/* A correlation of maps [Hp, Wp, C] with kernels [k, l, C, F] to [P, Q, F]. The maps hold samples
 * of [h, w, C]: row a at dilate[0] a + top, and so the columns; rows that fall outside are left
 * out. */
typedef struct {
    int64_t Hp, Wp, C, k, l, F, P, Q;
    int64_t stride[2], dilate[2], h, w, top, left;
} correlation;

/* Samples taken at once: enough pixels to fill tiles when maps are small. By shape only. */
static int64_t group_of(const correlation *g, int64_t N) {
    const int64_t pixels = 256;
    int64_t enough = (pixels + g->P * g->Q - 1) / (g->P * g->Q);
    return spor_least(enough, N);
}

/* The samples lie in memory just as the maps do. */
static bool is_plain(const correlation *g) {
    return g->Hp == g->h && g->Wp == g->w && !g->top && !g->left && g->dilate[0] == 1 &&
           g->dilate[1] == 1;
}

typedef struct {
    int64_t group, *pixel, *cell;
    void *maps, *panels;
} conv_scratch;

/* depth x cols: the matrix packed into panels */
static conv_scratch carve_scratch(spor_carver *carver, const correlation *g, int64_t N,
                                  int64_t depth, int64_t cols, size_t width, int64_t lanes) {
    conv_scratch s = {.group = group_of(g, N)};
    int64_t map = spor_times(spor_times(g->Hp, g->Wp), g->C);
    s.pixel = spor_carve(carver, s.group * g->P * g->Q, sizeof *s.pixel);
    s.cell = spor_carve(carver, g->k * g->l * g->C, sizeof *s.cell);
    s.maps = spor_carve(carver, is_plain(g) ? 0 : spor_times(s.group, map), width);
    s.panels = spor_carve(carver, spor_times(depth, spor_whole_vectors(cols, lanes)), width);
    return s;
}

/* x[N,H,W,C], K[k,l,C,F], z[N,P,Q,F]: Eq. (4) */
static correlation forward_correlation(const spor_attr *attr, const spor_shape *x, int64_t k,
                                       int64_t l, const spor_shape *z) {
    return (correlation){.Hp = x->n[1] + attr[TOP].i + attr[TOP + 1].i,
                         .Wp = x->n[2] + attr[LEFT].i + attr[LEFT + 1].i,
                         .C = x->n[3],
                         .k = k,
                         .l = l,
                         .F = z->n[3],
                         .P = z->n[1],
                         .Q = z->n[2],
                         .stride = {attr[STRIDE].i, attr[STRIDE + 1].i},
                         .dilate = {1, 1},
                         .h = x->n[1],
                         .w = x->n[2],
                         .top = attr[TOP].i,
                         .left = attr[LEFT].i};
}

/* delta[N,P,Q,F], K[k,l,C,F] -> dx[N,H,W,C]: Eq. (43) and its tilde */
static correlation backward_correlation(const spor_attr *attr, const spor_shape *delta,
                                        const spor_shape *K, const spor_shape *dx) {
    int64_t k = K->n[0], l = K->n[1];
    return (correlation){.Hp = dx->n[1] + k - 1,
                         .Wp = dx->n[2] + l - 1,
                         .C = K->n[3],
                         .k = k,
                         .l = l,
                         .F = K->n[2],
                         .P = dx->n[1],
                         .Q = dx->n[2],
                         .stride = {1, 1},
                         .dilate = {attr[STRIDE].i, attr[STRIDE + 1].i},
                         .h = delta->n[1],
                         .w = delta->n[2],
                         .top = k - 1 - attr[TOP].i,
                         .left = l - 1 - attr[LEFT].i};
}

#ifdef SPOR_RULES

FAST_KERNELS(conv2d);
FAST_KERNELS(conv2d_dx);
FAST_KERNELS(conv2d_dK);

extern const spor_op spor_op_correlate2d, spor_op_pad;

/* ---- forward -----------------------------------------------------------------------------------
 */

/* Eq. (73), a remainder of rows or columns left over */
static int64_t outputs(const spor_attr *attr, int axis, int64_t size, int64_t kernel) {
    int64_t padded = size + attr[TOP + 2 * axis].i + attr[TOP + 2 * axis + 1].i;
    return 1 + (padded - kernel) / attr[STRIDE + axis].i;
}

/* x[N,H,W,C], K[k,l,C,F], b[F] -> z[N,P,Q,F] */
static bool conv_shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *K = &r->in[1];
    if (x->rank != 4 || K->rank != 4) return spor_fail(r, "x and K need 4 axes");
    if (x->n[3] != K->n[2]) return spor_fail(r, "x has other channels than K expects");
    if (r->operands > 2 && (r->in[2].rank != 1 || r->in[2].n[0] != K->n[3]))
        return spor_fail(r, "b needs an element for each filter");
    r->out = (spor_shape){4, {x->n[0], 0, 0, K->n[3]}};
    for (int axis = 0; axis < 2; axis++)
        r->out.n[1 + axis] = outputs(r->attr, axis, x->n[1 + axis], K->n[axis]);
    return true;
}

static void conv_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    const spor_shape *x = &c->in[0].shape, *K = &c->in[1].shape;
    correlation g = forward_correlation(c->attr, x, K->n[0], K->n[1], &c->out.shape);
    spor_carver carver = {0};
    carve_scratch(&carver, &g, x->n[0], g.k * g.l * g.C, g.F, width, lanes);
    need->scratch = carver.used;
}

static spor_var conv_vjp(spor_var y, int k, spor_var ybar);

static const spor_fused conv_fused = {.need = conv_need, .kernel = conv2d_kernels};

#define CONV_OP(operands_, signature_)                                                             \
    {                                                                                              \
        .signature = signature_ "; stride:int2, pad:int4, activation:int, slope:real)",            \
        .equation = "Y = f(K * pad(x) + b)", .traits = SPOR_EXACT_ON_INTEGERS,                     \
        .operands = operands_, .attrs = SHARED + 2, .shape = conv_shape, .vjp = conv_vjp,          \
        .fused = &conv_fused                                                                       \
    }
static const spor_op conv_op = CONV_OP(3, "conv2d(x[N,H,W,C], K[k,l,C,F], b[F]");
static const spor_op unbiased_op = CONV_OP(2, "conv2d(x[N,H,W,C], K[k,l,C,F]");

/* ---- backward ----------------------------------------------------------------------------------
 */

/* delta[N,P,Q,F], K[k,l,C,F] -> dx[N,H,W,C] */
static bool conv_dx_shape(spor_rule *r) {
    r->out = (spor_shape){4, {r->in[0].n[0], r->attr[MAP].i, r->attr[MAP + 1].i, r->in[1].n[2]}};
    return true;
}

static void conv_dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    const spor_shape *delta = &c->in[0].shape;
    correlation g = backward_correlation(c->attr, delta, &c->in[1].shape, &c->out.shape);
    spor_carver carver = {0};
    carve_scratch(&carver, &g, delta->n[0], g.k * g.l * g.C, g.F, width, lanes);
    need->scratch = carver.used;
}

static const spor_fused conv_dx_fused = {.need = conv_dx_need, .kernel = conv2d_dx_kernels};

static const spor_op conv_dx_op = {
    .signature = "conv2d_dx(delta[N,P,Q,F], K[k,l,C,F]; stride:int2, pad:int4, map:int2)",
    .equation = "dx = rot180(K) * dilated and padded delta",
    .traits = SPOR_BILINEAR | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = SHARED + 2,
    .shape = conv_dx_shape,
    .fused = &conv_dx_fused,
};

/* x[N,H,W,C], delta[N,P,Q,F] -> dK[k,l,C,F] */
static bool conv_dK_shape(spor_rule *r) {
    r->out =
        (spor_shape){4, {r->attr[CELLS].i, r->attr[CELLS + 1].i, r->in[0].n[3], r->in[1].n[3]}};
    return true;
}

static void conv_dK_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    const spor_shape *x = &c->in[0].shape, *dK = &c->out.shape;
    correlation g = forward_correlation(c->attr, x, dK->n[0], dK->n[1], &c->in[1].shape);
    spor_carver carver = {0};
    carve_scratch(&carver, &g, x->n[0], group_of(&g, x->n[0]) * g.P * g.Q, g.F, width, lanes);
    need->scratch = carver.used;
}

static const spor_fused conv_dK_fused = {.need = conv_dK_need, .kernel = conv2d_dK_kernels};

static const spor_op conv_dK_op = {
    .signature = "conv2d_dK(x[N,H,W,C], delta[N,P,Q,F]; stride:int2, pad:int4, cells:int2)",
    .equation = "dK = delta * pad(x), summed over samples",
    .traits = SPOR_BILINEAR | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = SHARED + 2,
    .shape = conv_dK_shape,
    .fused = &conv_dK_fused,
};

/* The shared attributes of y's node, then two sizes. */
static void backward_attrs(spor_var y, int64_t first, int64_t second, spor_attr attr[]) {
    for (int a = 0; a < SHARED; a++) attr[a] = spor_attrs(y)[a];
    attr[SHARED].i = first;
    attr[SHARED + 1].i = second;
}

static spor_var conv_vjp(spor_var y, int k, spor_var ybar) {
    spor_var delta = spor_layer_delta(y, spor_attrs(y) + ACTIVATION, ybar);
    spor_var x = spor_operand(y, 0), K = spor_operand(y, 1);
    spor_attr attr[SHARED + 2];
    switch (k) {
    case 0:
        backward_attrs(y, spor_shape_of(x).n[1], spor_shape_of(x).n[2], attr);
        return spor_record(&conv_dx_op, (spor_var[]){delta, K}, attr);
    case 1:
        backward_attrs(y, spor_shape_of(K).n[0], spor_shape_of(K).n[1], attr);
        return spor_record(&conv_dK_op, (spor_var[]){x, delta}, attr);
    default:
        return spor_layer_bias_gradient(delta);
    }
}

/* ---- the match ---------------------------------------------------------------------------------
 */

/* x padded by zeros around its rows and columns, and nothing else reads that */
static bool take_pad(spor_match *m, spor_var x) {
    if (!spor_made_by(x, &spor_op_pad)) return false;
    const spor_attr *lo = spor_attrs(x), *hi = lo + SPOR_RANK;
    if (lo[2 * SPOR_RANK].r != 0) return false;
    for (int k = 0; k < 4; k++) {
        bool map = k == 1 || k == 2;
        if (lo[k].i < 0 || hi[k].i < 0 || (!map && lo[k].i + hi[k].i > 0)) return false;
    }
    return spor_match_inside(m, x, &spor_op_pad);
}

static bool match_conv(spor_match *m, spor_var root) {
    spor_layer layer;
    int64_t axes = SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2);
    if (!spor_layer_match(m, root, &spor_op_correlate2d, axes, &layer)) return false;
    spor_var x = spor_operand(layer.z, 0);
    for (int axis = 0; axis < 2; axis++) m->attr[STRIDE + axis] = spor_attrs(layer.z)[axis];
    if (take_pad(m, x)) {
        const spor_attr *pad = spor_attrs(x);
        for (int axis = 0; axis < 2; axis++) {
            m->attr[TOP + 2 * axis] = pad[1 + axis];
            m->attr[TOP + 2 * axis + 1] = pad[SPOR_RANK + 1 + axis];
        }
        x = spor_operand(x, 0);
    }
    m->op = layer.b.id ? &conv_op : &unbiased_op;
    m->in[0] = x;
    m->in[1] = spor_operand(layer.z, 1);
    m->in[2] = layer.b;
    m->attr[ACTIVATION] = layer.activation;
    m->attr[ACTIVATION + 1] = layer.slope;
    return true;
}

extern const spor_fast spor_fast_conv2d;
const spor_fast spor_fast_conv2d = {
    .name = "conv2d",
    .pattern = "act(correlate2d(pad(x), K) + b)",
    .equations = "Eqs. (42)-(45)",
    .match = match_conv,
};

#else

#include "kernels/product.h"

/* ---- tables and maps ---------------------------------------------------------------------------
 */

/* Where the windows of all pixels of a group start, and the cells inside a window. */
static void fill_tables(const conv_scratch *s, const correlation *g) {
    int64_t *pixel = s->pixel, *cell = s->cell, row = g->Wp * g->C;
    for (int64_t n = 0; n < s->group; n++)
        for (int64_t i = 0; i < g->P; i++, pixel += g->Q) {
            int64_t first = (n * g->Hp + i * g->stride[0]) * row;
            for (int64_t j = 0; j < g->Q; j++) pixel[j] = first + j * g->stride[1] * g->C;
        }
    for (int64_t u = 0; u < g->k; u++)
        for (int64_t vc = 0; vc < g->l * g->C; vc++) *cell++ = u * row + vc;
}

static conv_scratch prepare(const spor_call *c, const correlation *g, int64_t N, int64_t depth) {
    spor_carver carver = {.base = c->scratch};
    conv_scratch s = carve_scratch(&carver, g, N, depth, g->F, sizeof(T), LANES);
    fill_tables(&s, g);
    if (!is_plain(g)) memset(s.maps, 0, (size_t)(s.group * g->Hp * g->Wp * g->C) * sizeof(T));
    return s;
}

/* Columns b of one row that fall inside the map: b_first .. b_end - 1. */
static void copy_row(const correlation *g, T *map_row, const T *from) {
    int64_t step = g->dilate[1] * g->C, room = g->Wp - g->left;
    int64_t first = g->left < 0 ? (-g->left + g->dilate[1] - 1) / g->dilate[1] : 0;
    int64_t end = room > 0 ? spor_least(g->w, (room + g->dilate[1] - 1) / g->dilate[1]) : 0;
    if (first >= end) return;
    T *to = map_row + (g->left + first * g->dilate[1]) * g->C;
    from += first * g->C;
    if (g->dilate[1] == 1) {
        memcpy(to, from, (size_t)((end - first) * g->C) * sizeof *to);
        return;
    }
    for (int64_t b = first; b < end; b++, to += step, from += g->C)
        memcpy(to, from, (size_t)g->C * sizeof *to);
}

/* The maps of count samples: themselves, or copies with zeros around and between. The zeros are
 * there from the start, and each group writes the same places. */
static const T *lay_out(const correlation *g, const conv_scratch *s, const T *samples,
                        int64_t count) {
    if (is_plain(g)) return samples;
    for (int64_t n = 0; n < count; n++) {
        T *map = (T *)s->maps + n * g->Hp * g->Wp * g->C;
        const T *sample = samples + n * g->h * g->w * g->C;
        for (int64_t a = 0; a < g->h; a++) {
            int64_t row = a * g->dilate[0] + g->top;
            if (row < 0 || row >= g->Hp) continue;
            copy_row(g, map + row * g->Wp * g->C, sample + a * g->w * g->C);
        }
    }
    return s->maps;
}

/* ---- forward -----------------------------------------------------------------------------------
 */

/* z = init + windows of the samples times the kernel in panels, a group at a time; then f */
static void correlate(const correlation *g, const conv_scratch *s, const T *samples, int64_t N,
                      const T *panels, const T *init, T *z, const spor_activation *f, T slope) {
    int64_t pixels = g->P * g->Q;
    for (int64_t n = 0; n < N; n += s->group) {
        int64_t count = spor_least(s->group, N - n);
        T *out = z + n * pixels * g->F;
        spor_multiply(&(spor_product){.a = lay_out(g, s, samples + n * g->h * g->w * g->C, count),
                                      .row = s->pixel,
                                      .step = s->cell,
                                      .rows = count * pixels,
                                      .depth = g->k * g->l * g->C,
                                      .cols = g->F,
                                      .b = panels,
                                      .init = init,
                                      .c = out,
                                      .ldc = g->F});
        if (f->apply) f->apply(out, count * pixels * g->F, slope);
    }
}

/* Eq. (42) with its f: K[k,l,C,F] is a matrix of k l C rows as it lies */
FAST_KERNEL(conv2d) {
    const spor_shape *x = &c->in[0].shape, *K = &c->in[1].shape;
    correlation g = forward_correlation(c->attr, x, K->n[0], K->n[1], &c->out.shape);
    int64_t depth = g.k * g.l * g.C;
    conv_scratch s = prepare(c, &g, x->n[0], depth);
    correlate(&g, &s, c->in[0].data, x->n[0], spor_panels(s.panels, c->in[1].data, depth, g.F),
              c->operands > 2 ? c->in[2].data : NULL, c->out.data,
              &spor_activations[c->attr[ACTIVATION].i], (T)c->attr[ACTIVATION + 1].r);
}

/* ---- backward ----------------------------------------------------------------------------------
 */

/* Rows (u, v, f) of the rotated kernel: K[k-1-u, l-1-v, c, f], c across */
static void pack_rotated(const correlation *g, T *panels, const T *K) {
    int64_t cells = g->k * g->l;
    for (int64_t uv = 0; uv < cells; uv++)
        spor_pack(panels, &(spor_block){.b = K + (cells - 1 - uv) * g->F * g->C,
                                        .row_stride = 1,
                                        .col_stride = g->C,
                                        .depth = cells * g->C,
                                        .first = uv * g->C,
                                        .rows = g->C,
                                        .cols = g->F});
}

/* Eq. (43) with its tilde; in the correlation C counts filters and F channels */
FAST_KERNEL(conv2d_dx) {
    const spor_shape *delta = &c->in[0].shape;
    correlation g = backward_correlation(c->attr, delta, &c->in[1].shape, &c->out.shape);
    conv_scratch s = prepare(c, &g, delta->n[0], g.k * g.l * g.C);
    pack_rotated(&g, s.panels, c->in[1].data);
    correlate(&g, &s, c->in[0].data, delta->n[0], s.panels, NULL, c->out.data,
              &spor_activations[SPOR_ACTIVATION_none], 0);
}

/* Eq. (44): a group of samples at a time, added in their order */
FAST_KERNEL(conv2d_dK) {
    const spor_shape *x = &c->in[0].shape, *dK = &c->out.shape;
    correlation g = forward_correlation(c->attr, x, dK->n[0], dK->n[1], &c->in[1].shape);
    int64_t N = x->n[0], pixels = g.P * g.Q;
    conv_scratch s = prepare(c, &g, N, group_of(&g, N) * pixels);
    for (int64_t n = 0; n < N; n += s.group) {
        int64_t count = spor_least(s.group, N - n);
        const T *delta = (const T *)c->in[1].data + n * pixels * g.F;
        const T *samples = (const T *)c->in[0].data + n * g.h * g.w * g.C;
        spor_multiply(&(spor_product){.a = lay_out(&g, &s, samples, count),
                                      .row = s.cell,
                                      .step = s.pixel,
                                      .rows = g.k * g.l * g.C,
                                      .depth = count * pixels,
                                      .cols = g.F,
                                      .b = spor_panels(s.panels, delta, count * pixels, g.F),
                                      .c = c->out.data,
                                      .ldc = g.F,
                                      .add = n > 0});
    }
}

#endif
