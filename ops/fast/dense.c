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

/* Each of the three is a product C = A B, rows x depth times depth x cols: C is the output, A and B
 * are operands 0 and 1 or their transposes. */
typedef struct {
    int64_t rows, depth, cols;
} dense_sizes;

static dense_sizes sizes_of(const spor_call *c) {
    int64_t rows = c->out.shape.n[0];
    return (dense_sizes){rows, shape_size(&c->in[0].shape) / rows, c->out.shape.n[1]};
}

/* The tables of a task that say where its rows of A lie. */
typedef struct {
    int64_t *row, *step;
} dense_tables;

static dense_tables carve_tables(spor_carver *carver, int64_t rows, int64_t depth) {
    dense_tables t;
    t.row = carve_take(carver, rows, sizeof *t.row);
    t.step = carve_take(carver, depth, sizeof *t.step);
    return t;
}

#ifdef SPOR_RULES

FAST_KERNELS(dense_panels);
FAST_KERNELS(dense);
FAST_KERNELS(dense_dx_panels);
FAST_KERNELS(dense_dx);
FAST_KERNELS(dense_dW);

extern const spor_op spor_op_matmul;

/* Shared: B in panels, each task a part of its rows. A task of WORK has rows of C, and reads all of
 * B, half hidden behind the product. */
static void dense_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    dense_sizes s = sizes_of(c);
    int64_t B = carve_times(s.depth, s.cols);
    int64_t tasks = tasks_for(need, s.rows, B, B / 2);
    spor_carver shared = {0}, scratch = {0};
    carve_take(&shared, carve_times(s.depth, carve_whole_vectors(s.cols, lanes)), width);
    carve_tables(&scratch, (s.rows + tasks - 1) / tasks, s.depth);
    need->shared = shared.used;
    need->scratch = scratch.used;
    need->tasks[SPOR_PREPARE] = tasks_for(need, s.depth, carve_times(s.cols, COST_MOVED), 0);
    need->tasks[SPOR_WORK] = tasks;
}

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

/* Of dense and dense_dx: the columns of what is on the left are summed over. */
static double cost_along_rows(const spor_shape in[], const spor_shape *out,
                              const spor_attr attr[]) {
    (void)attr;
    return (double)shape_size(out) * (double)in[0].n[1];
}

static spor_var dense_vjp(spor_var y, int k, spor_var ybar);

static const spor_fused dense_fused = {
    .need = dense_need,
    .phase = {[SPOR_PREPARE] = dense_panels_kernels, [SPOR_WORK] = dense_kernels},
    .prepares = 1 << 1};

#define DENSE_OP(operands_, signature_)                                                            \
    {                                                                                              \
        .signature = signature_, .equation = "Y = f(x W + b)", .traits = SPOR_EXACT_ON_INTEGERS,   \
        .operands = operands_, .attrs = 2, .shape = dense_shape, .cost = cost_along_rows,          \
        .vjp = dense_vjp, .fused = &dense_fused                                                    \
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

static const spor_fused dense_dx_fused = {
    .need = dense_need,
    .phase = {[SPOR_PREPARE] = dense_dx_panels_kernels, [SPOR_WORK] = dense_dx_kernels},
    .prepares = 1 << 1};

static const spor_op dense_dx_op = {
    .signature = "dense_dx(delta[N,m], W[n,m])",
    .equation = "dx = delta W^T",
    .traits = SPOR_BILINEAR | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .shape = dense_dx_shape,
    .cost = cost_along_rows,
    .fused = &dense_dx_fused,
};

/* x[N,n], delta[N,m] -> dW[n,m] */
static bool dense_dW_shape(spor_rule *r) {
    r->out = (spor_shape){2, {r->in[0].n[1], r->in[1].n[1]}};
    return true;
}

/* The samples are summed over. */
static double dense_dW_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)attr;
    return (double)shape_size(out) * (double)in[0].n[0];
}

static const spor_fused dense_dW_fused = {
    .need = dense_need,
    .phase = {[SPOR_PREPARE] = dense_panels_kernels, [SPOR_WORK] = dense_dW_kernels}};

static const spor_op dense_dW_op = {
    .signature = "dense_dW(x[N,n], delta[N,m])",
    .equation = "dW = x^T delta",
    .traits = SPOR_BILINEAR | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .shape = dense_dW_shape,
    .cost = dense_dW_cost,
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

/* ---- samples ---- */

/* Rows around the heights of tiles, columns around the widths of vectors and panels. */
static const spor_choice choices[] = {CHOICE("N", 1, 2, 3, 4, 5, 6, 7, 12, 13, 26),
                                      CHOICE("n", 1, 2, 3, 8, 17, 40, 80),
                                      CHOICE("m", 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 15, 16, 17, 20,
                                             24, 31, 32, 33, 47, 48, 49, 63, 64, 65, 80, 81),
                                      LAYER_CHOICES,
                                      {.name = NULL}};

static spor_var record_dense(spor_sketch *r) {
    const int64_t *size = r->number;
    spor_var x = sketch_operand(r, "x", SPOR_SHAPE(size[0], size[1]));
    spor_var W = sketch_operand(r, "W", SPOR_SHAPE(size[1], size[2]));
    return layer_record(r, spor_matmul(x, W), SPOR_AXIS(0), size + 3);
}

static const int64_t samples[][SPOR_CHOICES] = {
    {5, 3, 7, BIAS_BEHIND, SPOR_ACTIVATION_tanh},
    {13, 17, 33, BIAS_BEFORE, SPOR_ACTIVATION_none},
    {4, 80, 65, BIAS_BEHIND, SPOR_ACTIVATION_relu}, /* a few rows: W as it lies */
    {1, 80, 70, NO_BIAS, SPOR_ACTIVATION_sigmoid},
    {26, 40, 81, BIAS_BEHIND, SPOR_ACTIVATION_leaky_relu},
    {300, 9, 5, BIAS_BEHIND, SPOR_ACTIVATION_none}, /* db in blocks of rows */
    {0}};

static spor_var record_batched(spor_sketch *r) {
    spor_var x = sketch_operand(r, "x", SPOR_SHAPE(2, 3, 4));
    return spor_matmul(x, sketch_operand(r, "W", SPOR_SHAPE(2, 4, 5)));
}

static const spor_refusal refusals[] = {
    {record_batched, "x has 3 axes: a dense layer takes matrices"}, {.why = NULL}};

extern const spor_fast spor_fast_dense;
const spor_fast spor_fast_dense = {
    .name = "dense",
    .pattern = "act(matmul(x, W) + b)",
    .equations = "Eqs. (46)-(49)",
    .match = match_dense,
    .choices = choices,
    .record = record_dense,
    .samples = samples,
    .refusals = refusals,
};

#else

#include "kernels/product.h"

/* B as it lies instead of in panels: large and for few rows, so that packing would cost more than
 * the product. Its last columns, less than a vector, are packed in any case. */
static bool takes_as_it_lies(dense_sizes s) {
    const int64_t few = 4, large = 4096;
    return s.rows <= few && s.cols / LANES * LANES * s.depth >= large;
}

/* Rows of B = operand 1, as it lies, into its panels */
FAST_KERNEL(dense_panels) {
    dense_sizes s = sizes_of(c);
    if (product_is_panels(s.cols)) return;
    task_part rows = task_part_of(c, SPOR_PREPARE, task, s.depth);
    int64_t first = takes_as_it_lies(s) ? s.cols / LANES * LANES : 0;
    if (first == s.cols) return;
    product_pack(c->shared,
                 &(spor_block){.b = (const T *)c->in[1].data + rows.first * s.cols + first,
                               .stride = s.cols,
                               .depth = s.depth,
                               .first = rows.first,
                               .rows = rows.end - rows.first,
                               .cols = s.cols - first});
}

/* The rows of C that a task has, with A[r,k] = a[r * row + k * step] and B in panels. */
static spor_product product_of(const spor_call *c, int64_t task, int64_t row, int64_t step) {
    dense_sizes s = sizes_of(c);
    task_part rows = task_part_of(c, SPOR_WORK, task, s.rows);
    spor_carver carver = {.base = c->scratch};
    dense_tables t = carve_tables(&carver, rows.end - rows.first, s.depth);
    product_progression(t.row, rows.end - rows.first, row);
    product_progression(t.step, s.depth, step);
    return (spor_product){.a = (const T *)c->in[0].data + rows.first * row,
                          .row = t.row,
                          .step = t.step,
                          .rows = rows.end - rows.first,
                          .depth = s.depth,
                          .cols = s.cols,
                          .b = c->shared,
                          .c = (T *)c->out.data + rows.first * s.cols,
                          .ldc = s.cols};
}

/* By B as dense_panels left it. */
static void multiply(const spor_call *c, spor_product p) {
    if (product_is_panels(p.cols)) {
        p.b = c->in[1].data;
    } else if (takes_as_it_lies(sizes_of(c))) {
        spor_product whole = p;
        whole.b = c->in[1].data;
        whole.ldb = p.cols;
        whole.cols = p.cols / LANES * LANES;
        product_multiply(&whole);
        p.cols -= whole.cols;
        p.c += whole.cols;
        if (p.init) p.init += whole.cols;
    }
    product_multiply(&p);
}

/* Z = x W + b, then Y = f(Z) in place */
FAST_KERNEL(dense) {
    spor_product z = product_of(c, task, c->in[0].shape.n[1], 1);
    z.init = c->operands > 2 ? c->in[2].data : NULL;
    multiply(c, z);
    const spor_activation *f = &spor_activations[c->attr[ACT].i];
    if (f->apply) f->apply(z.c, z.rows * z.cols, (T)c->attr[ACT_SLOPE].r);
}

/* W[n,m] read along its rows: some rows of B = W^T are columns of W */
FAST_KERNEL(dense_dx_panels) {
    dense_sizes s = sizes_of(c);
    task_part rows = task_part_of(c, SPOR_PREPARE, task, s.depth);
    product_pack(c->shared, &(spor_block){.b = (const T *)c->in[1].data + rows.first,
                                          .stride = s.depth,
                                          .transposed = true,
                                          .depth = s.depth,
                                          .first = rows.first,
                                          .rows = rows.end - rows.first,
                                          .cols = s.cols});
}

/* Eq. (47): dx = delta W^T */
FAST_KERNEL(dense_dx) {
    spor_product dx = product_of(c, task, c->in[0].shape.n[1], 1);
    product_multiply(&dx);
}

/* Eq. (48): dW = x^T delta, x[N,n] read along its columns */
FAST_KERNEL(dense_dW) {
    multiply(c, product_of(c, task, 1, c->out.shape.n[0]));
}

#endif
