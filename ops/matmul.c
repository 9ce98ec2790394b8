/*
 * z[..., i, j] = sum_r x[..., i, r] y[..., r, j]; x [..., n, k], y [..., k, m], z [..., n, m].
 *
 * The dense layer of Eqs. (46)-(49) is z = x W + b with samples as rows.
 */
#include "tape/op.h"

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(matmul);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *y = &r->in[1];
    if (x->rank < 2) return rule_fail(r, "x needs at least 2 axes [..., n, k] but has %d", x->rank);
    if (y->rank != x->rank) return rule_fail(r, "x has %d axes but y has %d", x->rank, y->rank);
    for (int k = 0; k < x->rank - 2; k++)
        if (x->n[k] != y->n[k])
            return rule_fail(r, "leading axis %d has %" PRId64 " in x but %" PRId64 " in y", k,
                             x->n[k], y->n[k]);
    int row = x->rank - 2, column = x->rank - 1;
    if (x->n[column] != y->n[row])
        return rule_fail(r, "x has k=%" PRId64 " columns but y has k=%" PRId64 " rows",
                         x->n[column], y->n[row]);
    r->out = *x;
    r->out.n[column] = y->n[column];
    return true;
}

/* The last two axes swapped. */
static spor_var transposed(spor_var x) {
    int64_t perm[SPOR_RANK];
    int rank = spor_shape_of(x).rank;
    for (int k = 0; k < rank; k++) perm[k] = k;
    perm[rank - 2] = rank - 1;
    perm[rank - 1] = rank - 2;
    return spor_transpose(x, perm);
}

/* dx = zbar y^T, dy = x^T zbar: Eqs. (47), (48) */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_var x = op_operand(z, 0), y = op_operand(z, 1);
    return k == 0 ? spor_matmul(zbar, transposed(y)) : spor_matmul(transposed(x), zbar);
}

/* Of ops/fast/product.c: reads what transposes made of x and y where their operands lie. */
extern spor_var product_record(spor_var x, spor_var y);

static spor_var parts(const spor_var in[], const spor_attr attr[]) {
    (void)attr;
    return product_record(in[0], in[1]);
}

/* k for each element */
static double cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    (void)attr;
    return (double)shape_size(out) * (double)in[0].n[in[0].rank - 1];
}

static void onnx(onnx_call *c) {
    const onnx_order order = onnx_plain(c->out.rank);
    const onnx_tensor in[] = {onnx_whole(c, 0, &order), onnx_ending(c, 1, 2)};
    onnx_tensor z = onnx_node(c, "MatMul", 2, in, ONNX_NUMBER, c->out);
    if (c->out.rank == 2) onnx_takes_bias(c, z, "Gemm", 1);
    onnx_give(c, z, &order);
}

static const spor_sample samples[] = {
    {.in = {{2, {3, 4}}, {2, {4, 2}}}},       {.in = {{2, {1, 1}}, {2, {1, 1}}}},
    {.in = {{2, {5, 1}}, {2, {1, 3}}}},       {.in = {{2, {4, 4}}, {2, {4, 4}}}},
    {.in = {{3, {2, 3, 2}}, {3, {2, 2, 5}}}}, SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}, {2, {5, 2}}}, .message = "x has k=4 columns but y has k=5 rows"},
    {.in = {{1, {3}}, {2, {3, 2}}}, .message = "x needs at least 2 axes"},
    {.in = {{2, {3, 4}}, {3, {1, 4, 2}}}, .message = "x has 2 axes but y has 3"},
    {.in = {{3, {2, 3, 4}}, {3, {3, 4, 2}}}, .message = "leading axis 0 has 2 in x but 3 in y"},
    SPOR_END_MISTAKES};

/* python3 -c "import numpy as np; x=np.array([[1,-2,.5],[3,0,1]]);
 * y=np.array([[2,1,0,-1],[.5,3,-2,4], [1,1,6,.25]]); print((x@y).tolist())"; then [[2],[-3]] @
 * [[4,5,-6]]; then np.matmul of np.arange(12).reshape(2,2,3) and np.arange(6).reshape(2,3,1)-2 */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {3, 4}}},
     .x = {(const double[]){1, -2, 0.5, 3, 0, 1},
           (const double[]){2, 1, 0, -1, 0.5, 3, -2, 4, 1, 1, 6, 0.25}},
     .out = {2, {2, 4}},
     .y = (const double[]){1.5, -4.5, 7, -8.875, 7, 4, 6, -2.75}},
    {.in = {{2, {2, 1}}, {2, {1, 3}}},
     .x = {(const double[]){2, -3}, (const double[]){4, 5, -6}},
     .out = {2, {2, 3}},
     .y = (const double[]){8, 10, -12, -12, -15, 18}},
    {.in = {{3, {2, 2, 3}}, {3, {2, 3, 1}}},
     .x = {(const double[]){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11},
           (const double[]){-2, -1, 0, 1, 2, 3}},
     .out = {3, {2, 2, 1}},
     .y = (const double[]){-1, -10, 44, 62}},
    {.in = {{2, {2, 0}}, {2, {0, 3}}},
     .x = {(const double[]){0}, (const double[]){0}},
     .out = {2, {2, 3}},
     .y = (const double[]){0, 0, 0, 0, 0, 0}},
    SPOR_END_GOLDEN};

/* Each row of x is a cell; of several matrices nothing is said. */
static bool cells(const spor_call *c, cells_window *w) {
    const spor_shape *x = &c->in[0].shape, *z = &c->out.shape;
    int64_t rows = shape_size(x) / x->n[x->rank - 1];
    *w = (cells_window){.fold = CELLS_WEIGHTED,
                        .H = 1,
                        .W = rows,
                        .C = x->n[x->rank - 1],
                        .k = 1,
                        .l = 1,
                        .P = 1,
                        .Q = rows,
                        .F = z->n[z->rank - 1],
                        .stride = {1, 1},
                        .dilation = {1, 1}};
    return rows == x->n[x->rank - 2];
}

const spor_op spor_op_matmul = {
    .signature = "matmul(x[...,n,k], y[...,k,m])",
    .equation = "z[i,j] = sum_r x[i,r] y[r,j]",
    .infix = "@",
    .traits = SPOR_BILINEAR,
    .operands = 2,
    .shape = shape,
    .cost = cost,
    .vjp = vjp,
    .parts = parts,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = matmul_reference,
    .cells = cells,
};

spor_var spor_matmul(spor_var x, spor_var y) {
    return op_record(&spor_op_matmul, (spor_var[]){x, y}, NULL);
}

#else

/* Row i of a product: z[i,.] = x[i,.] y. Each z[i,j] adds up its terms in the order of r; that the
 * loop over j is inside of it keeps y's rows, and not its columns, in the cache, and that it takes
 * several r at a time keeps z in registers. */
typedef struct {
    const T *x, *y;
    T *z;
    int64_t x_step, y_row, y_step, z_step, columns;
} product_row;

enum { AT_A_TIME = 4 };

static inline void add_terms(const product_row *p, int64_t r, int count) {
    for (int64_t j = 0; j < p->columns; j++) {
        T sum = p->z[j * p->z_step];
        for (int k = 0; k < count; k++)
            sum =
                ADD(sum, MUL(p->x[(r + k) * p->x_step], p->y[(r + k) * p->y_row + j * p->y_step]));
        p->z[j * p->z_step] = sum;
    }
}

static void add_row(const product_row *p, int64_t terms) {
    int64_t r = 0;
    for (int64_t j = 0; j < p->columns; j++) p->z[j * p->z_step] = FROM_INT(0);
    for (; r + AT_A_TIME <= terms; r += AT_A_TIME) add_terms(p, r, AT_A_TIME);
    for (; r < terms; r++) add_terms(p, r, 1);
}

REFERENCE_KERNEL(matmul) {
    const spor_arg *x = &c->in[0], *y = &c->in[1], *z = &c->out;
    int row = z->shape.rank - 2, column = row + 1;
    spor_shape rows = z->shape;
    rows.n[column] = 1;
    EACH_INDEX(i, rows) {
        int64_t first[SPOR_RANK];
        for (int k = 0; k <= column; k++) first[k] = k < row ? i[k] : 0;
        product_row p = {AT(*x, i),      AT(*y, first),     AT(*z, i),         x->stride[column],
                         y->stride[row], y->stride[column], z->stride[column], z->shape.n[column]};
        add_row(&p, y->shape.n[row]);
    }
}

#endif
