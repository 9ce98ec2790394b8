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
 * Onto        where W or x is of use several times, dx and dW begin with the sum of what came before
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

/* Columns of a panel at most, on any instruction set; rows of C that B is not packed for if it is large; rows of B that
 * are packed in passing at a time, a quarter of a megabyte of a panel's. */
enum { PANEL = 64, FEW_ROWS = 4, DEPTH = 1024 };

/* Where B is large and of use to few rows, or there are many columns, tasks have some columns of C each, so
 * that their part of B stays near; else they have rows, and read all of B. */
static bool cut_by_columns(dense_sizes s) {
    const int64_t many = 512, large = 1 << 14, few = 2048;
    return (s.rows < few && carve_times(s.depth, s.cols) >= large) ||
           (s.cols >= many && s.cols > s.rows);
}

/* Parts of columns that so many tasks make: as many as there are panels, and the rows of each are cut, too,
 * if there are more tasks than these. */
static int64_t column_parts(dense_sizes s, int64_t tasks) {
    if (!cut_by_columns(s)) return 1;
    return carve_least(tasks, carve_least(TASKS_MOST, (s.cols + PANEL - 1) / PANEL));
}

/* dW of many inputs and samples: x is read along its columns, one number of a line of memory at a time
 * and each from a page of its own, if it is not brought into panels, too: of one vector, so that what
 * few rows of A read lies together. */
static bool packs_x(dense_sizes s, size_t width) {
    const size_t long_row = 2048;
    const int64_t many = 128;
    return (size_t)s.rows * width >= long_row && s.depth >= many && s.cols >= many;
}

/* How many lines of a panel meet in one set of a second cache of 2048 sets, where rows of B begin so many bytes apart:
 * the more, the higher the power of two that divides these. */
static int64_t lines_in_a_set(int64_t depth, int64_t stride) {
    const int64_t line = 64, all = 2048 * line;
    return depth * carve_least(stride & -stride, all) / all;
}

/* B as it lies instead of in panels: where it is large and for few rows, packing would cost more than the product; and
 * where vectors are lines of memory, what a tile reads of a row of B are whole lines side by side, as in a panel, unless
 * rows are a page apart or more, or push each other out of the caches. The last columns, less than a vector, are packed in
 * any case. */
static bool lies_well(dense_sizes s, size_t width, int64_t lanes) {
    const int64_t large = 4096, line = 64, page = 4096, ways = 8;
    int64_t stride = s.cols * (int64_t)width;
    bool near =
        (int64_t)width * lanes == line && stride < page && lines_in_a_set(s.depth, stride) <= ways;
    return (near || s.rows <= FEW_ROWS) && s.cols / lanes * lanes * s.depth >= large;
}

/* Which tasks follow each other, so that mostly one thread has them: those with the same columns read one part of B; those
 * with the same rows write to one stretch of memory, as the tasks of an update will read it. */
typedef enum { COLUMNS_TOGETHER, ROWS_TOGETHER } dense_order;

/* How B is read: in panels that PREPARE made; that a task packs one after the other, before it uses them; that a thread
 * packs once for tasks that follow each other; or as it lies. What is kept is packed once for all runs. */
typedef enum {
    IN_PANELS,
    IN_PANELS_OF_ITS_TASK,
    IN_PANELS_OF_ITS_THREAD,
    AS_IT_LIES
} dense_reading;

/* The columns of B, at most, that tasks which follow each other read. */
static int64_t columns_together(dense_sizes s, int64_t tasks, dense_order order) {
    int64_t parts = order == ROWS_TOGETHER ? 1 : column_parts(s, tasks);
    int64_t panels = (s.cols + PANEL - 1) / PANEL;
    return carve_least(s.cols, (panels + parts - 1) / parts * PANEL);
}

/* Panels that a thread makes itself are near when they are read, and no other core's. They are in its scratch if there is
 * room; else a task that has columns of its own packs these panel by panel: if rows are cut in two, too, each panel
 * is packed twice. */
static dense_reading reading_in_panels(dense_sizes s, const spor_need *need, int64_t lanes,
                                       dense_order order) {
    int64_t tasks = need->tasks[SPOR_WORK];
    if (need->keeps) return IN_PANELS;
    int64_t cols = carve_whole_vectors(columns_together(s, tasks, order), lanes);
    if (carve_times(s.depth, cols) <= DEPTH * PANEL) return IN_PANELS_OF_ITS_THREAD;
    bool own = cut_by_columns(s) && tasks <= 2 * column_parts(s, tasks);
    return own ? IN_PANELS_OF_ITS_TASK : IN_PANELS;
}

/* Of a B that lies by rows, W or delta. */
static dense_reading reading_of_rows(dense_sizes s, const spor_need *need, size_t width,
                                     int64_t lanes, dense_order order) {
    if (!need->keeps && lies_well(s, width, lanes)) return AS_IT_LIES;
    return reading_in_panels(s, need, lanes, order);
}

/* The columns of B that PREPARE packs: of those as they lie the last, less than a vector. */
static int64_t shared_columns(dense_sizes s, dense_reading reading, int64_t lanes) {
    if (reading == IN_PANELS) return s.cols;
    return reading == AS_IT_LIES ? s.cols % lanes : 0;
}

/* What PREPARE fills: columns of B in panels; of dW, x in panels. */
typedef struct {
    void *B, *x;
} dense_shared;

static dense_shared carve_shared(spor_carver *carver, dense_sizes s, size_t width, int64_t lanes,
                                 int64_t cols, bool x) {
    dense_shared a;
    a.B = carve_take(carver, carve_times(s.depth, carve_whole_vectors(cols, lanes)), width);
    int64_t rows = x ? carve_whole_vectors(s.rows, lanes) : 0;
    a.x = carve_take(carver, carve_times(s.depth, rows), width);
    return a;
}

/* What a thread has for itself: tables that say where the rows of A lie that a task has; panels of B. */
typedef struct {
    int64_t *row, *step;
    void *panels;
} dense_own;

/* The tables are of the task with the most rows, so that panels lie in one place for all. */
static dense_own carve_own(spor_carver *carver, dense_sizes s, int64_t tasks, int64_t panels,
                           size_t width) {
    dense_own a;
    int64_t blocks = tasks / column_parts(s, tasks);
    a.row = carve_take(carver, (s.rows + blocks - 1) / blocks, sizeof *a.row);
    a.step = carve_take(carver, s.depth, sizeof *a.step);
    a.panels = carve_take(carver, panels, width);
    return a;
}

#ifdef SPOR_RULES

#include "export/c.h"

FAST_KERNELS(dense_panels);
FAST_KERNELS(dense);
FAST_KERNELS(dense_dx_panels);
FAST_KERNELS(dense_dx);
FAST_KERNELS(dense_dW_panels);
FAST_KERNELS(dense_dW);

extern const spor_op spor_op_matmul;

/* What all of A or all of B costs a task that reads it is half hidden behind the product. */
static int64_t tasks_of(const spor_need *need, dense_sizes s) {
    const int64_t some = 24; /* rows of a task at least where columns are cut: a few tiles */
    int64_t A = carve_times(s.rows, s.depth), B = carve_times(s.depth, s.cols);
    if (!cut_by_columns(s)) return tasks_for(need, s.rows, B, B / 2);
    int64_t panels = (s.cols + PANEL - 1) / PANEL;
    int64_t parts = tasks_for(need, panels, carve_times(A, PANEL), A / 2);
    if (parts < panels || need->alone) return parts; /* each part of B is packed once */
    int64_t panel = carve_times(s.depth, PANEL);
    int64_t blocks = tasks_for(need, carve_most(1, s.rows / some), some * panel, panel / 2);
    return parts * carve_least(blocks, carve_most(1, TASKS_MOST / parts));
}

/* Elements of the panels that a thread has for itself. */
static int64_t own_panels(dense_sizes s, const spor_need *need, dense_reading reading,
                          dense_order order, int64_t lanes) {
    if (reading == IN_PANELS_OF_ITS_TASK) return carve_least(s.depth, DEPTH) * PANEL;
    if (reading != IN_PANELS_OF_ITS_THREAD) return 0;
    int64_t cols = columns_together(s, need->tasks[SPOR_WORK], order);
    return s.depth * carve_whole_vectors(cols, lanes);
}

/* What PREPARE packs. */
static size_t shared_bytes(dense_sizes s, dense_reading reading, bool x, size_t width,
                           int64_t lanes) {
    spor_carver shared = {0};
    carve_shared(&shared, s, width, lanes, shared_columns(s, reading, lanes), x);
    return shared.used;
}

static size_t own_bytes(dense_sizes s, const spor_need *need, int64_t panels, size_t width) {
    spor_carver own = {0};
    carve_own(&own, s, need->tasks[SPOR_WORK], panels, width);
    return own.used;
}

/* A task of PREPARE has some rows of B, and some vectors of inputs of x: those whose rows of dW its thread will make. */
static void need_rows(const spor_call *c, size_t width, int lanes, dense_order order, bool x,
                      spor_need *need) {
    dense_sizes s = sizes_of(c);
    need->tasks[SPOR_WORK] = tasks_of(need, s);
    dense_reading reading = reading_of_rows(s, need, width, lanes, order);
    need->scratch = own_bytes(s, need, own_panels(s, need, reading, order, lanes), width);
    need->shared = shared_bytes(s, reading, x, width, lanes);
    int64_t moved = shared_columns(s, reading, lanes) + (x ? s.rows : 0);
    int64_t most = x ? carve_least(s.depth, vectors_of(s.rows, lanes)) : s.depth;
    int64_t cost = carve_times(moved * COST_MOVED, (s.depth + most - 1) / most);
    if (moved) need->tasks[SPOR_PREPARE] = tasks_for(need, most, cost, 0);
}

static void dense_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    need_rows(c, width, lanes, COLUMNS_TOGETHER, false, need);
}

static void dense_dW_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    need_rows(c, width, lanes, ROWS_TOGETHER, packs_x(sizes_of(c), width), need);
}

/* Where B is W^T its columns are rows in memory: a task of PREPARE has some of these, in whole panels. */
static void dense_dx_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    dense_sizes s = sizes_of(c);
    need->tasks[SPOR_WORK] = tasks_of(need, s);
    dense_reading reading = reading_in_panels(s, need, lanes, COLUMNS_TOGETHER);
    int64_t panels = own_panels(s, need, reading, COLUMNS_TOGETHER, lanes);
    need->scratch = own_bytes(s, need, panels, width);
    need->shared = shared_bytes(s, reading, false, width, lanes);
    if (reading == IN_PANELS)
        need->tasks[SPOR_PREPARE] = tasks_for(need, (s.cols + PANEL - 1) / PANEL,
                                              carve_times(s.depth, PANEL * COST_TRANSPOSED), 0);
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
static void dense_loops(spor_c *c, const spor_call *call);

static const spor_fused dense_fused = {
    .need = dense_need,
    .phase = {[SPOR_PREPARE] = dense_panels_kernels, [SPOR_WORK] = dense_kernels},
    .prepares = 1 << 1};

#define DENSE_OP(operands_, signature_)                                                            \
    {                                                                                              \
        .signature = signature_, .equation = "Y = f(x W + b)", .traits = SPOR_EXACT_ON_INTEGERS,   \
        .operands = operands_, .attrs = 2, .shape = dense_shape, .cost = cost_along_rows,          \
        .vjp = dense_vjp, .fused = &dense_fused, .c_loops = dense_loops                            \
    }
static const spor_op dense_op =
    DENSE_OP(3, "dense(x[N,n], W[n,m], b[m]; activation:int, slope:real)");
static const spor_op unbiased_op = DENSE_OP(2, "dense(x[N,n], W[n,m]; activation:int, slope:real)");

/* Rows of Y, each a chain of rows of W. */
static void dense_loops(spor_c *c, const spor_call *call) {
    dense_sizes s = sizes_of(call);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++) {", s.rows);
    c_line(c, "%s *z = out + i * %" PRId64 ";", c_type(c), s.cols);
    layer_write_bias(c, call->operands > 2, s.cols);
    c_line(c,
           "net_add_products(z, %" PRId64 ", x + i * %" PRId64 ", 1, W, %" PRId64 ", %" PRId64 ");",
           s.cols, s.depth, s.cols, s.depth);
    layer_write_activation(c, call->attr, "z", s.cols);
    c_line(c, "}");
}

/* ---- backward ---- */

/* What a product is added to has the shape of it. */
static bool shape_onto(spor_rule *r, spor_shape out) {
    r->out = out;
    return r->operands < 3 || shape_equal(&r->in[2], &out) ||
           rule_fail(r, "the sum has another shape than the product");
}

/* The elements of the result before anything is added to them. */
static void begin_loops(spor_c *c, const spor_call *call) {
    int64_t size = shape_size(&call->out.shape);
    if (call->operands > 2)
        c_line(c, "memcpy(out, sum, %" PRId64 " * sizeof *out);", size);
    else
        c_line(c, "net_fill(out, 0, %" PRId64 ");", size);
}

/* delta[N,m], W[n,m] -> dx[N,n] */
static bool dense_dx_shape(spor_rule *r) {
    return shape_onto(r, (spor_shape){2, {r->in[0].n[0], r->in[1].n[0]}});
}

static const spor_fused dense_dx_fused = {
    .need = dense_dx_need,
    .phase = {[SPOR_PREPARE] = dense_dx_panels_kernels, [SPOR_WORK] = dense_dx_kernels},
    .prepares = 1 << 1};

static void dense_dx_loops(spor_c *c, const spor_call *call) {
    dense_sizes s = sizes_of(call);
    begin_loops(c, call);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", s.rows);
    c_line(c,
           "    net_add_turned(out + i * %" PRId64 ", %" PRId64 ", delta + i * %" PRId64
           ", %" PRId64 ", W, %" PRId64 ");",
           s.cols, s.cols, s.depth, s.depth, s.depth);
}

#define DENSE_DX_OP(operands_, traits_, signature_, equation_, onto_)                              \
    {                                                                                              \
        .signature = signature_, .equation = equation_,                                            \
        .traits = traits_ | SPOR_EXACT_ON_INTEGERS, .operands = operands_,                         \
        .shape = dense_dx_shape, .cost = cost_along_rows, .onto = onto_, .fused = &dense_dx_fused, \
        .c_loops = dense_dx_loops                                                                  \
    }
static const spor_op dense_dx_onto_op =
    DENSE_DX_OP(3, 0, "dense_dx(delta[N,m], W[n,m], sum[N,n])", "dx = sum + delta W^T", NULL);
static const spor_op dense_dx_op = DENSE_DX_OP(2, SPOR_BILINEAR, "dense_dx(delta[N,m], W[n,m])",
                                               "dx = delta W^T", &dense_dx_onto_op);

/* x[N,n], delta[N,m] -> dW[n,m] */
static bool dense_dW_shape(spor_rule *r) {
    return shape_onto(r, (spor_shape){2, {r->in[0].n[1], r->in[1].n[1]}});
}

/* The samples are summed over. */
static double dense_dW_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)attr;
    return (double)shape_size(out) * (double)in[0].n[0];
}

static const spor_fused dense_dW_fused = {
    .need = dense_dW_need,
    .phase = {[SPOR_PREPARE] = dense_dW_panels_kernels, [SPOR_WORK] = dense_dW_kernels}};

/* Row by row, each a chain over the samples. */
static void dense_dW_loops(spor_c *c, const spor_call *call) {
    dense_sizes s = sizes_of(call);
    begin_loops(c, call);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++)", s.rows);
    c_line(c,
           "    net_add_products(out + i * %" PRId64 ", %" PRId64 ", x + i, %" PRId64
           ", delta, %" PRId64 ", %" PRId64 ");",
           s.cols, s.cols, s.rows, s.cols, s.depth);
}

#define DENSE_DW_OP(operands_, traits_, signature_, equation_, onto_)                              \
    {                                                                                              \
        .signature = signature_, .equation = equation_,                                            \
        .traits = traits_ | SPOR_MIXES_SAMPLES | SPOR_EXACT_ON_INTEGERS, .operands = operands_,    \
        .shape = dense_dW_shape, .cost = dense_dW_cost, .onto = onto_, .fused = &dense_dW_fused,   \
        .c_loops = dense_dW_loops                                                                  \
    }
static const spor_op dense_dW_onto_op =
    DENSE_DW_OP(3, 0, "dense_dW(x[N,n], delta[N,m], sum[n,m])", "dW = sum + x^T delta", NULL);
static const spor_op dense_dW_op = DENSE_DW_OP(2, SPOR_BILINEAR, "dense_dW(x[N,n], delta[N,m])",
                                               "dW = x^T delta", &dense_dW_onto_op);

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
    {300, 9, 5, BIAS_BEHIND, SPOR_ACTIVATION_none},    /* db in blocks of rows */
    {7, 9, 530, BIAS_BEHIND, SPOR_ACTIVATION_tanh},    /* tasks have columns */
    {53, 250, 265, BIAS_BEHIND, SPOR_ACTIVATION_relu}, /* and rows */
    {2, 520, 523, BIAS_BEHIND, SPOR_ACTIVATION_relu},
    {259, 513, 257, NO_BIAS, SPOR_ACTIVATION_none},   /* dW packs x */
    {600, 7, 512, NO_BIAS, SPOR_ACTIVATION_none},     /* dW, delta in panels of its tasks */
    {6, 1100, 70, BIAS_BEHIND, SPOR_ACTIVATION_relu}, /* DEPTH of packed W at a time, */
    {5, 1030, 1025, NO_BIAS, SPOR_ACTIVATION_none},   /* and if its rows are a page apart */
    {6, 70, 2100, NO_BIAS, SPOR_ACTIVATION_none},     /* of W^T, too */
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

static dense_reading rows_read(const spor_call *c, dense_sizes s, dense_order order) {
    return reading_of_rows(s, c->need, sizeof(T), LANES, order);
}

/* Some rows of B = operand 1, of its columns that PREPARE packs. */
static void pack_rows(const spor_call *c, dense_sizes s, dense_order order, task_part rows) {
    int64_t cols = shared_columns(s, rows_read(c, s, order), LANES), first = s.cols - cols;
    if (!cols || product_is_panels(s.cols)) return;
    product_pack(c->shared,
                 &(spor_block){.b = (const T *)c->in[1].data + rows.first * s.cols + first,
                               .stride = s.cols,
                               .depth = s.depth,
                               .first = rows.first,
                               .rows = rows.end - rows.first,
                               .cols = cols});
}

FAST_KERNEL(dense_panels) {
    dense_sizes s = sizes_of(c);
    pack_rows(c, s, COLUMNS_TOGETHER, task_part_of(c, SPOR_PREPARE, task, s.depth));
}

/* The rows and columns of C that a task has. */
typedef struct {
    task_part rows, cols;
    dense_order order;
} dense_part;

static dense_part part_of(const spor_call *c, int64_t task, dense_order order) {
    dense_sizes s = sizes_of(c);
    dense_part part = {{0, s.rows}, {0, s.cols}, order};
    int64_t tasks = c->need->tasks[SPOR_WORK];
    if (tasks == 1) return part; /* small steps have no time to divide */
    int64_t parts = column_parts(s, tasks), blocks = tasks / parts;
    bool rows = order == ROWS_TOGETHER;
    if (blocks > 1) part.rows = task_part_even(rows ? task / parts : task % blocks, blocks, s.rows);
    if (parts == 1) return part;
    task_part panels =
        task_part_even(rows ? task % parts : task / blocks, parts, product_panel_count(s.cols));
    part.cols.first = product_panel_first(s.cols, panels.first);
    part.cols.end = product_panel_first(s.cols, panels.end);
    return part;
}

static dense_own own_of(const spor_call *c) {
    spor_carver carver = {.base = c->scratch};
    return carve_own(&carver, sizes_of(c), c->need->tasks[SPOR_WORK], 0, sizeof(T));
}

/* A part of C, with A[r,k] = a[r * row + k * step] and B in panels. */
static spor_product product_of(const spor_call *c, dense_part part, int64_t row, int64_t step) {
    dense_sizes s = sizes_of(c);
    int64_t rows = part.rows.end - part.rows.first;
    dense_own t = own_of(c);
    product_progression(t.row, rows, row);
    product_progression(t.step, s.depth, step);
    return (spor_product){.a = (const T *)c->in[0].data + part.rows.first * row,
                          .row = t.row,
                          .step = t.step,
                          .rows = rows,
                          .depth = s.depth,
                          .cols = part.cols.end - part.cols.first,
                          .b = c->shared ? (const T *)c->shared + part.cols.first * s.depth : NULL,
                          .c = (T *)c->out.data + part.rows.first * s.cols + part.cols.first,
                          .ldc = s.cols};
}

/* A part of a product begins with the sum that is operand 2, if there is one. */
static void begin_with_sum(const spor_call *c, dense_part part, spor_product *p) {
    if (c->operands < 3) return;
    p->ldi = p->ldc;
    p->init = (const T *)c->in[2].data + part.rows.first * p->ldi + part.cols.first;
}

/* The columns of p that are less than a vector, behind those taken. */
static void multiply_last(const spor_call *c, spor_product p, int64_t taken) {
    p.b = c->shared;
    p.cols -= taken;
    p.c += taken;
    if (p.init) p.init += taken;
    product_multiply(&p);
}

/* By B where it lies; p has columns from `first` on. */
static void multiply_as_it_lies(const spor_call *c, const spor_product *p, int64_t first) {
    spor_product whole = *p;
    whole.b = (const T *)c->in[1].data + first;
    whole.ldb = sizes_of(c).cols;
    whole.cols = p->cols / LANES * LANES;
    product_multiply(&whole);
    if (whole.cols < p->cols) multiply_last(c, *p, whole.cols);
}

/* Columns of C from `first` on that make whole panels and are PANEL at most. */
static int64_t columns_from(const spor_product *C, int64_t *panel, int64_t first) {
    int64_t end = first;
    for (; *panel < product_panel_count(C->cols); ++*panel) {
        int64_t next = product_panel_first(C->cols, *panel + 1);
        if (next - first > PANEL) break;
        end = next;
    }
    return end - first;
}

/* B of the layer, whole: element (k, j) is at[k * stride + j], transposed at[j * stride + k]. */
typedef struct {
    const T *at;
    int64_t stride;
    bool transposed;
} dense_B;

/* Panels of rows and columns of B. */
static void pack_part(T *panels, const dense_B *B, task_part rows, task_part cols) {
    const T *b = B->transposed ? B->at + cols.first * B->stride + rows.first
                               : B->at + rows.first * B->stride + cols.first;
    product_pack(panels, &(spor_block){.b = b,
                                       .stride = B->stride,
                                       .transposed = B->transposed,
                                       .depth = rows.end - rows.first,
                                       .rows = rows.end - rows.first,
                                       .cols = cols.end - cols.first});
}

/* C, which has columns of B from `first` on, DEPTH of its summands after the other. */
static void multiply_in_depth(spor_product C, const dense_B *B, int64_t first, T *panels) {
    int64_t depth = C.depth, parts = (depth + DEPTH - 1) / DEPTH;
    const int64_t *step = C.step;
    bool streams = C.streams;
    C.b = panels;
    for (int64_t p = 0; p < parts; p++) {
        task_part part = task_part_even(p, parts, depth);
        C.step = step + part.first;
        C.depth = part.end - part.first;
        C.streams = streams && p == parts - 1;
        pack_part(panels, B, part, (task_part){first, first + C.cols});
        product_multiply(&C);
        C.init = C.c;
        C.ldi = C.ldc;
    }
}

/* C, some panels packed before they are used, of whole lines of B. */
static void multiply_in_passing(const spor_call *c, const spor_product *C, dense_part part,
                                const dense_B *B) {
    for (int64_t first = 0, k = 0; first < C->cols;) {
        spor_product some = *C;
        some.cols = columns_from(C, &k, first);
        some.c += first;
        if (some.init) some.init += first;
        multiply_in_depth(some, B, part.cols.first + first, own_of(c).panels);
        first += some.cols;
    }
}

/* C by panels that the thread's tasks before this one left, if they had the same. */
static void multiply_by_own(const spor_call *c, spor_product C, dense_part part, const dense_B *B) {
    dense_sizes s = sizes_of(c);
    bool all = part.order == ROWS_TOGETHER;
    task_part cols = all ? (task_part){0, s.cols} : part.cols;
    T *panels = own_of(c).panels;
    bool there =
        c->before && (all || part_of(c, c->before - 1, part.order).cols.first == cols.first);
    if (!there) pack_part(panels, B, (task_part){0, s.depth}, cols);
    C.b = panels + (part.cols.first - cols.first) * s.depth;
    product_multiply(&C);
}

static void multiply(const spor_call *c, const spor_product *C, dense_part part,
                     dense_reading reading, dense_B B) {
    if (reading == IN_PANELS_OF_ITS_TASK)
        multiply_in_passing(c, C, part, &B);
    else if (reading == IN_PANELS_OF_ITS_THREAD)
        multiply_by_own(c, *C, part, &B);
    else
        product_multiply(C);
}

/* C = A B, B lying by rows. */
static void multiply_by_rows(const spor_call *c, const spor_product *C, dense_part part) {
    dense_sizes s = sizes_of(c);
    dense_reading reading = rows_read(c, s, part.order);
    if (reading == AS_IT_LIES || product_is_panels(s.cols))
        multiply_as_it_lies(c, C, part.cols.first);
    else
        multiply(c, C, part, reading, (dense_B){c->in[1].data, s.cols, false});
}

/* Z = x W + b, then Y = f(Z) in place */
FAST_KERNEL(dense) {
    dense_part part = part_of(c, task, COLUMNS_TOGETHER);
    spor_product z = product_of(c, part, c->in[0].shape.n[1], 1);
    z.init = c->operands > 2 ? (const T *)c->in[2].data + part.cols.first : NULL;
    multiply_by_rows(c, &z, part);
    const spor_activation *f = &spor_activations[c->attr[ACT].i];
    T slope = (T)c->attr[ACT_SLOPE].r;
    if (!f->apply) return;
    if (z.cols == z.ldc)
        f->apply(z.c, z.rows * z.cols, slope);
    else
        for (int64_t r = 0; r < z.rows; r++) f->apply(z.c + r * z.ldc, z.cols, slope);
}

/* W[n,m] read along its rows: columns of B = W^T are rows of W */
FAST_KERNEL(dense_dx_panels) {
    dense_sizes s = sizes_of(c);
    task_part panels = task_part_of(c, SPOR_PREPARE, task, product_panel_count(s.cols));
    int64_t first = product_panel_first(s.cols, panels.first);
    int64_t end = product_panel_first(s.cols, panels.end);
    product_pack((T *)c->shared + first * s.depth,
                 &(spor_block){.b = (const T *)c->in[1].data + first * s.depth,
                               .stride = s.depth,
                               .transposed = true,
                               .depth = s.depth,
                               .rows = s.depth,
                               .cols = end - first});
}

/* Eq. (47): dx = delta W^T */
FAST_KERNEL(dense_dx) {
    dense_sizes s = sizes_of(c);
    dense_part part = part_of(c, task, COLUMNS_TOGETHER);
    spor_product dx = product_of(c, part, s.depth, 1);
    begin_with_sum(c, part, &dx);
    multiply(c, &dx, part, reading_in_panels(s, c->need, LANES, part.order),
             (dense_B){c->in[1].data, s.depth, true});
}

static dense_shared shared_of_dW(const spor_call *c, dense_sizes s) {
    spor_carver carver = {.base = c->shared};
    return carve_shared(&carver, s, sizeof(T), LANES,
                        shared_columns(s, rows_read(c, s, ROWS_TOGETHER), LANES),
                        packs_x(s, sizeof(T)));
}

/* Some samples of x into some of its panels, of which each is all samples of a vector of inputs. */
static void pack_samples(T *panels, const T *x, dense_sizes s, task_part samples,
                         task_part vectors) {
    spor_block block = {.stride = s.rows,
                        .depth = s.depth,
                        .first = samples.first,
                        .rows = samples.end - samples.first};
    for (int64_t v = vectors.first, r; v < vectors.end; v++) {
        r = v * LANES;
        block.b = x + samples.first * s.rows + r;
        block.cols = carve_least(LANES, s.rows - r);
        product_pack(panels + r * s.depth, &block);
    }
}

/* Rows of delta, and columns of x where that is packed, too: few samples at a time, so that x is read along its rows. */
FAST_KERNEL(dense_dW_panels) {
    enum { FEW = 16 };
    dense_sizes s = sizes_of(c);
    pack_rows(c, s, ROWS_TOGETHER, task_part_of(c, SPOR_PREPARE, task, s.depth));
    if (!packs_x(s, sizeof(T))) return;
    task_part vectors = task_part_of(c, SPOR_PREPARE, task, vectors_of(s.rows, LANES));
    T *panels = shared_of_dW(c, s).x;
    for (int64_t k = 0; k < s.depth; k += FEW)
        pack_samples(panels, c->in[0].data, s, (task_part){k, carve_least(k + FEW, s.depth)},
                     vectors);
}

/* Rows of x^T, from `first` on, from the panels of x. */
static void read_packed(const spor_call *c, int64_t first, spor_product *p) {
    dense_own t = own_of(c);
    for (int64_t r = 0; r < p->rows; r++)
        t.row[r] = (first + r) / LANES * LANES * p->depth + (first + r) % LANES;
    product_progression(t.step, p->depth, LANES);
    p->a = shared_of_dW(c, sizes_of(c)).x;
}

/* What reads dW comes when all of it is made. */
static bool streams_dW(dense_sizes s) {
    return s.cols % LANES == 0 &&
           carve_times(carve_times(s.rows, s.cols), sizeof(T)) >= STREAM_LEAST;
}

/* Eq. (48): dW = x^T delta, x[N,n] read along its columns */
FAST_KERNEL(dense_dW) {
    dense_sizes s = sizes_of(c);
    dense_part part = part_of(c, task, ROWS_TOGETHER);
    spor_product dW = product_of(c, part, 1, s.rows);
    begin_with_sum(c, part, &dW);
    if (packs_x(s, sizeof(T))) read_packed(c, part.rows.first, &dW);
    dW.streams = streams_dW(s);
    multiply_by_rows(c, &dW, part);
    if (dW.streams) simd_flush();
}

#endif
