/*
 * The fully connected layer, forward and backward: the report's section on dense layers.
 *
 * Pattern     Y = f(x W + b): act(matmul(x[N,n], W[n,m]) + expand(b)), b and f each possibly absent
 * Forward     Z = x W + b, Y = f(Z)
 * Backward    delta = dY o f'(Y)               Eq. (46): f elementwise, at its value
 *             dx = delta W^T                   Eq. (47): rows are samples
 *             dW = x^T delta                   Eq. (48): the sum over samples is in the product
 *             db = sum over samples of delta   Eq. (49), corrected
 * Saved       nothing: delta needs Y, which is the output
 * Exact       on small integers where f is: products and sums of them are
 */
#include "layer.h"

/* A product rows x depth times depth x cols: the tables that say where A lies, and B in panels. */
typedef struct {
    int64_t *row, *step;
    void *panels;
} dense_scratch;

static dense_scratch carve_scratch(spor_carver *carver, int64_t rows, int64_t depth, int64_t cols,
                                   size_t width, int lanes) {
    dense_scratch s;
    s.row = carve_take(carver, rows, sizeof *s.row);
    s.step = carve_take(carver, depth, sizeof *s.step);
    s.panels = carve_take(carver, carve_times(depth, carve_whole_vectors(cols, lanes)), width);
    return s;
}

#ifdef SPOR_RULES

FAST_KERNELS(dense);
FAST_KERNELS(dense_dx);
FAST_KERNELS(dense_dW);

extern const spor_op spor_op_matmul;

/* ---- forward ---- */

/* x[N,n], W[n,m], b[m] */
static bool dense_shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *W = &r->in[1];
    if (x->rank != 2 || W->rank != 2) return rule_fail(r, "x and W need 2 axes");
    if (x->n[1] != W->n[0]) return rule_fail(r, "x has other columns than W has rows");
    if (r->operands > 2 && (r->in[2].rank != 1 || r->in[2].n[0] != W->n[1]))
        return rule_fail(r, "b needs an element for each column of W");
    r->out = (spor_shape){2, {x->n[0], W->n[1]}};
    return true;
}

static void dense_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    spor_carver carver = {0};
    carve_scratch(&carver, c->in[0].shape.n[0], c->in[0].shape.n[1], c->out.shape.n[1], width,
                  lanes);
    need->scratch = carver.used;
}

static spor_var dense_vjp(spor_var y, int k, spor_var ybar);

static const spor_fused dense_fused = {.need = dense_need, .phase = {[SPOR_WORK] = dense_kernels}};

#define DENSE_OP(operands_, signature_)                                                            \
    {                                                                                              \
        .signature = signature_, .equation = "Y = f(x W + b)", .traits = SPOR_EXACT_ON_INTEGERS,   \
        .operands = operands_, .attrs = 2, .shape = dense_shape, .vjp = dense_vjp,                 \
        .fused = &dense_fused                                                                      \
    }
static const spor_op dense_op =
    DENSE_OP(3, "dense(x[N,n], W[n,m], b[m]; activation:int, slope:real)");
static const spor_op unbiased_op = DENSE_OP(2, "dense(x[N,n], W[n,m]; activation:int, slope:real)");

/* ---- backward ---- */

/* delta[N,m], W[n,m] -> dx[N,n] */
static bool dense_dx_shape(spor_rule *r) {
    r->out = (spor_shape){2, {r->in[0].n[0], r->in[1].n[0]}};
    return true;
}

static void dense_dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    spor_carver carver = {0};
    carve_scratch(&carver, c->in[0].shape.n[0], c->in[0].shape.n[1], c->out.shape.n[1], width,
                  lanes);
    need->scratch = carver.used;
}

static const spor_fused dense_dx_fused = {.need = dense_dx_need,
                                          .phase = {[SPOR_WORK] = dense_dx_kernels}};

static const spor_op dense_dx_op = {
    .signature = "dense_dx(delta[N,m], W[n,m])",
    .equation = "dx = delta W^T",
    .traits = SPOR_BILINEAR | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .shape = dense_dx_shape,
    .fused = &dense_dx_fused,
};

/* x[N,n], delta[N,m] -> dW[n,m] */
static bool dense_dW_shape(spor_rule *r) {
    r->out = (spor_shape){2, {r->in[0].n[1], r->in[1].n[1]}};
    return true;
}

static void dense_dW_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    spor_carver carver = {0};
    carve_scratch(&carver, c->out.shape.n[0], c->in[0].shape.n[0], c->out.shape.n[1], width, lanes);
    need->scratch = carver.used;
}

static const spor_fused dense_dW_fused = {.need = dense_dW_need,
                                          .phase = {[SPOR_WORK] = dense_dW_kernels}};

static const spor_op dense_dW_op = {
    .signature = "dense_dW(x[N,n], delta[N,m])",
    .equation = "dW = x^T delta",
    .traits = SPOR_BILINEAR | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .shape = dense_dW_shape,
    .fused = &dense_dW_fused,
};

static spor_var dense_vjp(spor_var y, int k, spor_var ybar) {
    spor_var delta = layer_delta(y, op_attrs(y), ybar);
    switch (k) {
    case 0:
        return op_record(&dense_dx_op, (spor_var[]){delta, op_operand(y, 1)}, NULL);
    case 1:
        return op_record(&dense_dW_op, (spor_var[]){op_operand(y, 0), delta}, NULL);
    default:
        return layer_bias_gradient(delta);
    }
}

/* ---- the match ---- */

static bool match_dense(spor_match *m, spor_var root) {
    spor_layer layer;
    if (!layer_match(m, root, &spor_op_matmul, SPOR_AXIS(0), &layer)) return false;
    spor_var x = op_operand(layer.z, 0);
    if (spor_shape_of(x).rank != 2)
        return match_refuse(m, "x has %d axes: a dense layer takes matrices",
                            spor_shape_of(x).rank);
    m->op = layer.b.id ? &dense_op : &unbiased_op;
    m->in[0] = x;
    m->in[1] = op_operand(layer.z, 1);
    m->in[2] = layer.b;
    m->attr[ACT] = layer.activation;
    m->attr[ACT_SLOPE] = layer.slope;
    return true;
}

extern const spor_fast spor_fast_dense;
const spor_fast spor_fast_dense = {
    .name = "dense",
    .pattern = "act(matmul(x, W) + b)",
    .equations = "Eqs. (46)-(49)",
    .match = match_dense,
};

#else

#include "kernels/product.h"

/* The tables for A[r,k] = a[r * row + k * step]. */
static dense_scratch prepare(const spor_call *c, int64_t rows, int64_t row, int64_t depth,
                             int64_t step, int64_t cols) {
    spor_carver carver = {.base = c->scratch};
    dense_scratch s = carve_scratch(&carver, rows, depth, cols, sizeof(T), (int)LANES);
    product_progression(s.row, rows, row);
    product_progression(s.step, depth, step);
    return s;
}

/* Z = x W + b by W in panels, or for a few rows by a large W as it lies: packing would cost more
 * than the product. Its last columns, less than a vector, are packed in any case. */
static void multiply_by_weights(spor_product p, const T *W, T *scratch) {
    const int64_t few = 4, large = 4096;
    int64_t whole = p.cols / LANES * LANES, rest = p.cols - whole;
    if (p.rows > few || whole * p.depth < large) {
        p.b = product_panels(scratch, W, p.depth, p.cols);
        product_multiply(&p);
        return;
    }
    spor_product first = p;
    first.b = W;
    first.ldb = p.cols;
    first.cols = whole;
    product_multiply(&first);
    if (!rest) return;
    product_pack(
        scratch,
        &(spor_block){
            .b = W + whole, .stride = p.cols, .depth = p.depth, .rows = p.depth, .cols = rest});
    p.b = scratch;
    p.cols = rest;
    p.c += whole;
    if (p.init) p.init += whole;
    product_multiply(&p);
}

/* Then Y = f(Z) in place */
FAST_KERNEL(dense) {
    int64_t N = c->in[0].shape.n[0], n = c->in[0].shape.n[1], m = c->out.shape.n[1];
    dense_scratch s = prepare(c, N, n, n, 1, m);
    spor_product z = {.a = c->in[0].data,
                      .row = s.row,
                      .step = s.step,
                      .rows = N,
                      .depth = n,
                      .cols = m,
                      .init = c->operands > 2 ? c->in[2].data : NULL,
                      .c = c->out.data,
                      .ldc = m};
    multiply_by_weights(z, c->in[1].data, s.panels);
    const spor_activation *f = &spor_activations[c->attr[ACT].i];
    if (f->apply) f->apply(c->out.data, N * m, (T)c->attr[ACT_SLOPE].r);
}

/* Eq. (47): dx = delta W^T, W[n,m] read along its rows */
FAST_KERNEL(dense_dx) {
    int64_t N = c->in[0].shape.n[0], m = c->in[0].shape.n[1], n = c->out.shape.n[1];
    dense_scratch s = prepare(c, N, m, m, 1, n);
    product_pack(
        s.panels,
        &(spor_block){
            .b = c->in[1].data, .stride = m, .transposed = true, .depth = m, .rows = m, .cols = n});
    product_multiply(&(spor_product){.a = c->in[0].data,
                                     .row = s.row,
                                     .step = s.step,
                                     .rows = N,
                                     .depth = m,
                                     .cols = n,
                                     .b = s.panels,
                                     .c = c->out.data,
                                     .ldc = n});
}

/* Eq. (48): dW = x^T delta, x[N,n] read along its columns */
FAST_KERNEL(dense_dW) {
    int64_t N = c->in[0].shape.n[0], n = c->out.shape.n[0], m = c->out.shape.n[1];
    dense_scratch s = prepare(c, n, 1, N, n, m);
    product_multiply(&(spor_product){.a = c->in[0].data,
                                     .row = s.row,
                                     .step = s.step,
                                     .rows = n,
                                     .depth = N,
                                     .cols = m,
                                     .b = product_panels(s.panels, c->in[1].data, N, m),
                                     .c = c->out.data,
                                     .ldc = m});
}

#endif
