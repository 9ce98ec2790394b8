/*
 * Products of matrices, many at once, which read and write their arrays as they lie.
 *
 * Pattern     z' = matmul(x', y'): x'[..., n, k], y'[..., k, m], the same leading axes. Each of x', y' is an
 *             operand, or what transposes make of one; z, the result, is z' or its transpose. In all three
 *             rows or columns of the matrices are in one piece
 * Forward     z'[..., i, j] = sum_r x'[..., i, r] y'[..., r, j]
 * Backward    dx' = dz' y'^T, dy' = x'^T dz'     Eqs. (47), (48): such products again
 * Turned      z'^T = y'^T x'^T is what is computed where the columns of z' are in one piece
 * Saved       nothing
 * Exact       on small integers: products and sums of them are
 *
 * An array is given with the order of its axes: axis a of x' is axis x_order[a] of x. Strides in this order
 * are all that the kernel knows of it.
 */
#include "layer.h"

#include <string.h>

#include "base/shape.h"

/* Arrays, and slots of their orders. */
enum { X, Y, Z, ARRAYS };
enum { X_ORDER = 0, Y_ORDER = SPOR_RANK, Z_ORDER = 2 * SPOR_RANK, ORDER_SLOTS = 3 * SPOR_RANK };

/* z: matrices of rows x cols, each a product over depth. */
typedef struct {
    int row, column;    /* the last two axes */
    spor_shape leading; /* the others */
    int64_t matrices, rows, depth, cols;
} product_sizes;

static product_sizes sizes_of(const spor_call *c) {
    const spor_shape *z = &c->out.shape;
    product_sizes s = {.row = z->rank - 2, .column = z->rank - 1, .leading.rank = z->rank - 2};
    for (int k = 0; k < s.row; k++) s.leading.n[k] = z->n[c->attr[Z_ORDER + k].i];
    s.rows = z->n[c->attr[Z_ORDER + s.row].i];
    s.cols = z->n[c->attr[Z_ORDER + s.column].i];
    s.matrices = shape_size(&s.leading);
    s.depth = c->in[0].shape.n[c->attr[X_ORDER + s.column].i];
    return s;
}

/* Scratch of a task: where rows of A lie, steps of it, and B in panels. */
typedef struct {
    int64_t *row, *step;
    void *panels;
} product_tables;

static product_tables carve_tables(spor_carver *carver, product_sizes s, size_t width,
                                   int64_t lanes) {
    product_tables t;
    t.row = carve_take(carver, s.rows, sizeof *t.row);
    t.step = carve_take(carver, s.depth, sizeof *t.step);
    t.panels = carve_take(carver, carve_times(s.depth, carve_whole_vectors(s.cols, lanes)), width);
    return t;
}

#ifdef SPOR_RULES

#include "export/c.h"

FAST_KERNELS(product);

extern const spor_op spor_op_matmul, spor_op_transpose;

/* A task has rows of matrices that follow each other, and packs each matrix of y' that it begins. */
static void product_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    product_sizes s = sizes_of(c);
    int64_t B = carve_times(s.depth, s.cols);
    spor_carver scratch = {0};
    carve_tables(&scratch, s, width, lanes);
    need->scratch = scratch.used;
    need->tasks[SPOR_WORK] =
        tasks_for(need, carve_times(s.matrices, s.rows), B, carve_times(B, COST_MOVED));
}

/* ---- orders of axes ---- */

static void own_order(int rank, int64_t order[]) {
    for (int k = 0; k < rank; k++) order[k] = k;
}

static void inverse_order(int rank, const int64_t order[], int64_t inverse[]) {
    for (int k = 0; k < rank; k++) inverse[order[k]] = k;
}

/* The order of the transposed matrices. */
static void turn(int rank, int64_t order[]) {
    int64_t row = order[rank - 2];
    order[rank - 2] = order[rank - 1];
    order[rank - 1] = row;
}

/* Rows or columns of matrices are in one piece. */
static bool in_pieces(int rank, const int64_t order[]) {
    return order[rank - 1] == rank - 1 || order[rank - 2] == rank - 1;
}

/* ---- the op ---- */

/* x', y' or z' has these sizes. */
static bool put_in_order(spor_rule *r, int operand, spor_shape *to) {
    const spor_shape *from = &r->in[operand];
    const spor_attr *order = r->attr + operand * SPOR_RANK;
    to->rank = from->rank;
    for (int k = 0; k < from->rank; k++) {
        if (order[k].i < 0 || order[k].i >= from->rank)
            return rule_fail(r, "an order names no axis");
        to->n[k] = from->n[order[k].i];
    }
    return true;
}

static bool product_shape(spor_rule *r) {
    spor_shape x, y;
    int rank = r->in[X].rank;
    if (rank < 2 || r->in[Y].rank != rank)
        return rule_fail(r, "x and y need the same axes, 2 or more");
    if (!put_in_order(r, X, &x) || !put_in_order(r, Y, &y)) return false;
    for (int k = 0; k < rank - 2; k++)
        if (x.n[k] != y.n[k]) return rule_fail(r, "x and y have other leading axes");
    if (x.n[rank - 1] != y.n[rank - 2]) return rule_fail(r, "x has other columns than y has rows");
    if (r->attr[Z_ORDER + rank - 1].i != rank - 1) return rule_fail(r, "rows of z are in pieces");
    x.n[rank - 1] = y.n[rank - 1];
    r->out.rank = rank;
    for (int k = 0; k < rank; k++) r->out.n[r->attr[Z_ORDER + k].i] = x.n[k];
    return true;
}

static double product_cost(const spor_shape in[], const spor_shape *out, const spor_attr attr[]) {
    return (double)shape_size(out) * (double)in[X].n[attr[X_ORDER + out->rank - 1].i];
}

static spor_var product_vjp(spor_var z, int k, spor_var zbar);

static const spor_fused product_fused = {.need = product_need,
                                         .phase = {[SPOR_WORK] = product_kernels}};

/* "m0 * 20 + m1 * 5" over the leading axes of an array */
static void write_matrix(spor_c *c, const char *name, const spor_call *call, int array,
                         const product_sizes *s) {
    const spor_attr *order = call->attr + array * SPOR_RANK;
    const spor_arg *x = array == Z ? &call->out : &call->in[array];
    char offset[256] = "0";
    size_t used = 0;
    for (int a = 0; a < s->row && used < sizeof offset; a++)
        used += (size_t)snprintf(offset + used, sizeof offset - used, "%sm%d * %" PRId64,
                                 a ? " + " : "", a, x->stride[order[a].i]);
    c_line(c, "%s%s *%s = %s + %s;", array == Z ? "" : "const ", c_type(c), name,
           array == Z   ? "out"
           : array == X ? "x"
                        : "y",
           offset);
}

/* Row by row; a row of z' is a chain of rows of y', or, where these are in pieces, each element one of its own. */
static void product_loops(spor_c *c, const spor_call *call) {
    product_sizes s = sizes_of(call);
    const spor_attr *order = call->attr;
    int64_t x_row = call->in[X].stride[order[s.row].i],
            x_column = call->in[X].stride[order[s.column].i];
    order += SPOR_RANK;
    int64_t y_row = call->in[Y].stride[order[s.row].i],
            y_column = call->in[Y].stride[order[s.column].i];
    order += SPOR_RANK;
    int64_t z_row = call->out.stride[order[s.row].i];
    for (int a = 0; a < s.row; a++)
        c_line(c, "for (int m%d = 0; m%d < %" PRId64 "; m%d++) {", a, a, s.leading.n[a], a);
    write_matrix(c, "a", call, X, &s);
    write_matrix(c, "b", call, Y, &s);
    write_matrix(c, "z", call, Z, &s);
    c_line(c, "for (int i = 0; i < %" PRId64 "; i++, a += %" PRId64 ", z += %" PRId64 ") {", s.rows,
           x_row, z_row);
    if (y_column == 1) {
        c_line(c, "net_fill(z, 0, %" PRId64 ");", s.cols);
        c_line(c, "net_add_products(z, %" PRId64 ", a, %" PRId64 ", b, %" PRId64 ", %" PRId64 ");",
               s.cols, x_column, y_row, s.depth);
    } else {
        c_line(c, "for (int j = 0; j < %" PRId64 "; j++) {", s.cols);
        c_line(c, "%s sum = 0;", c_type(c));
        c_line(c, "for (int r = 0; r < %" PRId64 "; r++)", s.depth);
        c_line(c, "    sum = sum + a[r * %" PRId64 "] * b[r * %" PRId64 " + j * %" PRId64 "];",
               x_column, y_row, y_column);
        c_line(c, "z[j] = sum;");
        c_line(c, "}");
    }
    c_line(c, "}");
    for (int a = 0; a < s.row; a++) c_line(c, "}");
}

static const spor_op product_op = {
    .signature = "product(x[*], y[*]; x_order:perm, y_order:perm, z_order:perm)",
    .equation = "z' = x' y', all with their axes in these orders",
    .traits = SPOR_BILINEAR | SPOR_EXACT_ON_INTEGERS,
    .operands = 2,
    .attrs = ORDER_SLOTS,
    .shape = product_shape,
    .cost = product_cost,
    .vjp = product_vjp,
    .fused = &product_fused,
    .c_loops = product_loops,
};

/* A product on its way to a tape. */
typedef struct {
    int rank;
    spor_var in[2];
    int64_t order[ARRAYS][SPOR_RANK];
} ordered_product;

/* What transposes made operand k of is read in its place, if it can be. */
static void look_behind(ordered_product *p, int k) {
    while (match_made_by(p->in[k], &spor_op_transpose)) {
        int64_t order[SPOR_RANK] = {0}; /* those behind the rank are compared, too */
        for (int a = 0; a < p->rank; a++) order[a] = op_attrs(p->in[k])[p->order[k][a]].i;
        if (!in_pieces(p->rank, order)) return;
        memcpy(p->order[k], order, sizeof order);
        p->in[k] = op_operand(p->in[k], 0);
    }
}

/* matmul(x, y), its axes in this order in z. */
static ordered_product product_of(spor_var x, spor_var y, const int64_t order[]) {
    ordered_product p = {.rank = spor_shape_of(x).rank, .in = {x, y}};
    for (int k = 0; k < 2; k++) own_order(p.rank, p.order[k]);
    memcpy(p.order[Z], order, (size_t)p.rank * sizeof *order);
    return p;
}

/* z'^T = y'^T x'^T */
static ordered_product turned(const ordered_product *p) {
    ordered_product t = {.rank = p->rank, .in = {p->in[Y], p->in[X]}};
    memcpy(t.order[X], p->order[Y], sizeof t.order[X]);
    memcpy(t.order[Y], p->order[X], sizeof t.order[Y]);
    memcpy(t.order[Z], p->order[Z], sizeof t.order[Z]);
    for (int k = 0; k < ARRAYS; k++) turn(t.rank, t.order[k]);
    return t;
}

/* The operands and attributes of the op that computes p. */
static void lay_down(ordered_product p, spor_var in[], spor_attr attr[]) {
    for (int k = 0; k < 2; k++) look_behind(&p, k);
    if (p.order[Z][p.rank - 1] != p.rank - 1) p = turned(&p);
    for (int k = 0; k < 2; k++) in[k] = p.in[k];
    for (int k = 0; k < ORDER_SLOTS; k++) attr[k].i = p.order[k / SPOR_RANK][k % SPOR_RANK];
}

static spor_var record(ordered_product p) {
    spor_var in[2];
    spor_attr attr[ORDER_SLOTS];
    lay_down(p, in, attr);
    return op_record(&product_op, in, attr);
}

/* Array k of a product, an operand or what has the order of z, as operand `as` of another. */
static void take_array(ordered_product *p, int as, spor_var z, int k, spor_var array) {
    p->in[as] = array;
    for (int a = 0; a < p->rank; a++) p->order[as][a] = op_attrs(z)[k * SPOR_RANK + a].i;
}

/* Eqs. (47), (48): dx' = dz' y'^T, dy' = x'^T dz' */
static spor_var product_vjp(spor_var z, int k, spor_var zbar) {
    ordered_product d = {.rank = spor_shape_of(z).rank};
    int rest = 1 - k;
    take_array(&d, k, z, Z, zbar);
    take_array(&d, rest, z, rest, op_operand(z, rest));
    turn(d.rank, d.order[rest]);
    for (int a = 0; a < d.rank; a++) d.order[Z][a] = op_attrs(z)[k * SPOR_RANK + a].i;
    return record(d);
}

/* What matmul is made of in programs that are no reference (ops/matmul.c). */
extern spor_var product_record(spor_var x, spor_var y);
spor_var product_record(spor_var x, spor_var y) {
    int64_t order[SPOR_RANK];
    own_order(spor_shape_of(x).rank, order);
    return record(product_of(x, y, order));
}

/* ---- the match ---- */

static bool match_product(spor_match *m, spor_var root) {
    int64_t order[SPOR_RANK];
    int rank = spor_shape_of(root).rank;
    spor_var z = root;
    own_order(rank, order);
    if (match_made_by(root, &spor_op_transpose)) {
        z = op_operand(root, 0);
        for (int k = 0; k < rank; k++) order[op_attrs(root)[k].i] = k;
    }
    if (!match_made_by(z, &spor_op_matmul) || !in_pieces(rank, order)) return false;
    if (z.id != root.id && !layer_take(m, z, &spor_op_matmul, "the product")) return false;
    lay_down(product_of(op_operand(z, 0), op_operand(z, 1), order), m->in, m->attr);
    m->op = &product_op;
    return true;
}

/* ---- samples ---- */

/* Matrices of one leading axis or of two; sizes around those of tiles and vectors; how each array lies: as
 * its matrices are, turned, rows before the last leading axis as heads are, both. */
enum { AS_READ, TURNED, INSIDE, TURNED_INSIDE };
#define WAYS AS_READ, TURNED, INSIDE, TURNED_INSIDE
static const spor_choice choices[] = {CHOICE("matrices", 1, 2, 3, 5),
                                      CHOICE("more", 0, 1, 2, 3),
                                      CHOICE("n", 1, 2, 3, 4, 5, 6, 7, 13, 26),
                                      CHOICE("k", 1, 2, 3, 8, 17, 33),
                                      CHOICE("m", 1, 2, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64, 80),
                                      CHOICE("x lies", WAYS),
                                      CHOICE("y lies", WAYS),
                                      CHOICE("z lies", WAYS),
                                      {.name = NULL}};

/* Axis a of [..., rows, cols] is axis order[a] of what lies so. */
static void order_of_way(int64_t way, int rank, int64_t order[]) {
    own_order(rank, order);
    if (way == TURNED || way == TURNED_INSIDE) turn(rank, order);
    if (way == AS_READ || way == TURNED) return;
    int piece = order[rank - 1] == rank - 1 ? rank - 2 : rank - 1;
    order[piece] = rank - 3;
    order[rank - 3] = rank - 2;
}

/* An operand of which transposing makes matrices of rows x cols. */
static spor_var matrices_that_lie(spor_sketch *r, const char *name, int64_t rows, int64_t cols,
                                  int64_t way) {
    const int64_t *size = r->number;
    spor_shape read = size[1] ? SPOR_SHAPE(size[0], size[1], rows, cols)
                              : SPOR_SHAPE(size[0], rows, cols),
               lies = read;
    int64_t order[SPOR_RANK];
    order_of_way(way, read.rank, order);
    for (int k = 0; k < read.rank; k++) lies.n[order[k]] = read.n[k];
    spor_var x = sketch_operand(r, name, lies);
    return way == AS_READ ? x : spor_transpose(x, order);
}

static spor_var record_product(spor_sketch *r) {
    const int64_t *size = r->number;
    spor_var x = matrices_that_lie(r, "x", size[2], size[3], size[5]);
    spor_var z = spor_matmul(x, matrices_that_lie(r, "y", size[3], size[4], size[6]));
    int64_t order[SPOR_RANK], inverse[SPOR_RANK] = {0};
    order_of_way(size[7], spor_shape_of(z).rank, order);
    inverse_order(spor_shape_of(z).rank, order, inverse);
    return size[7] == AS_READ ? z : spor_transpose(z, inverse);
}

static const int64_t samples[][SPOR_CHOICES] = {
    {3, 0, 5, 3, 7, AS_READ, AS_READ, AS_READ},
    {2, 3, 7, 17, 33, INSIDE, TURNED_INSIDE, AS_READ},
    {5, 0, 13, 8, 31, AS_READ, TURNED, INSIDE},
    {2, 2, 6, 33, 64, TURNED, INSIDE, TURNED},
    {1, 2, 4, 5, 16, TURNED_INSIDE, AS_READ, TURNED_INSIDE},
    {0}};

static const spor_refusal refusals[] = {{.why = NULL}};

extern const spor_fast spor_fast_product;
const spor_fast spor_fast_product = {
    .name = "product",
    .pattern = "matmul(x, y)",
    .equations = "Eqs. (47), (48)",
    .match = match_product,
    .choices = choices,
    .record = record_product,
    .samples = samples,
    .refusals = refusals,
};

#else

#include "kernels/product.h"

/* Matrix number `at` of an array, and the strides of its axes. */
typedef struct {
    T *first;
    int64_t row, column;
} matrix_place;

static matrix_place place_of(const spor_call *c, const product_sizes *s, int array, int64_t at) {
    const spor_attr *order = c->attr + array * SPOR_RANK;
    const spor_arg *x = array == Z ? &c->out : &c->in[array];
    int64_t index[SPOR_RANK], offset = 0;
    shape_unravel(&s->leading, at, index);
    for (int a = 0; a < s->row; a++) offset += index[a] * x->stride[order[a].i];
    return (matrix_place){(T *)x->data + offset, x->stride[order[s->row].i],
                          x->stride[order[s->column].i]};
}

/* B = y' in panels, or as it lies where that is as good */
static void place_panels(spor_product *p, matrix_place y, T *panels) {
    bool turned = y.column != 1;
    p->b = panels;
    if (!turned && product_is_panels(p->cols)) {
        p->b = y.first;
        p->ldb = y.row;
        return;
    }
    product_pack(panels, &(spor_block){.b = y.first,
                                       .stride = turned ? y.column : y.row,
                                       .transposed = turned,
                                       .depth = p->depth,
                                       .rows = p->depth,
                                       .cols = p->cols});
}

/* z' = x' y': some rows of one matrix after the other */
FAST_KERNEL(product) {
    product_sizes s = sizes_of(c);
    task_part part = task_part_of(c, SPOR_WORK, task, s.matrices * s.rows);
    spor_carver carver = {.base = c->scratch};
    product_tables t = carve_tables(&carver, s, sizeof(T), LANES);
    matrix_place x = place_of(c, &s, X, 0);
    product_progression(t.row, s.rows, x.row);
    product_progression(t.step, s.depth, x.column);
    for (int64_t at = part.first, count; at < part.end; at += count) {
        int64_t matrix = at / s.rows, row = at % s.rows;
        count = carve_least(s.rows - row, part.end - at);
        matrix_place z = place_of(c, &s, Z, matrix);
        spor_product p = {.a = place_of(c, &s, X, matrix).first,
                          .row = t.row + row,
                          .step = t.step,
                          .rows = count,
                          .depth = s.depth,
                          .cols = s.cols,
                          .c = z.first + row * z.row,
                          .ldc = z.row};
        place_panels(&p, place_of(c, &s, Y, matrix), t.panels);
        product_multiply(&p);
    }
}

#endif
