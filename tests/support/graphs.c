#include "graphs.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "kernels/group.h"

/* ---- drawing ---- */

static int draw(graph *g, int below) {
    return (int)(random_hash(g->seed, 1, g->draws++) % (uint64_t)below);
}

/* Some of the axes, at least one if there is any. */
static int64_t draw_axes(graph *g) {
    int rank = g->shape.rank;
    return rank ? 1 + draw(g, (1 << rank) - 1) : 0;
}

/* Ordinary shapes, equal axes now and then; every eighth is large enough for several tasks. */
static void draw_shape(graph *g) {
    static const int64_t size[] = {1, 2, 3, 7, 16, 17, 33, 130, 1100};
    const int sizes = (int)(sizeof size / sizeof *size);
    bool large = g->seed % 8 == 0, equal = draw(g, 4) == 0;
    int64_t most = large ? 60000 : 3000;
    g->shape.rank = large ? 1 + draw(g, 3) : draw(g, 5);
    for (int k = 0; k < g->shape.rank; k++) {
        int64_t n = large && k == 0 ? 5000 + draw(g, 20000) : size[draw(g, large ? 4 : sizes)];
        g->shape.n[k] = equal && k ? g->shape.n[k - 1] : n;
    }
    for (int k = 0; shape_size(&g->shape) > most; k = (k + 1) % g->shape.rank)
        g->shape.n[k] = (g->shape.n[k] + 1) / 2;
}

/* ---- leaves ---- */

static spor_var record_leaf(graph *g, spor_shape shape) {
    char name[16];
    snprintf(name, sizeof name, "x%d", g->leaves);
    spor_var x = g->trained ? spor_param(g->tape, name, shape, SPOR_INIT("uniform", 1))
                            : spor_input(g->tape, name, shape);
    return g->leaf[g->leaves++] = x;
}

static spor_shape without(spor_shape shape, int64_t axes) {
    spor_shape rest = {0};
    for (int k = 0; k < shape.rank; k++)
        if (!(axes >> k & 1)) rest.n[rest.rank++] = shape.n[k];
    return rest;
}

static spor_var expand(const graph *g, spor_var x, int64_t axes) {
    return axes ? spor_expand(x, axes, g->shape) : x;
}

static spor_var sum(spor_var x, int64_t axes) {
    return axes ? spor_sum(x, axes) : x;
}

static void add_to_pool(graph *g, spor_var x) {
    g->pool[g->pooled++] = x;
}

/* Columns of the matrices that a value of the graph is read as. */
static int64_t columns_of(const graph *g) {
    return g->shape.rank ? g->shape.n[g->shape.rank - 1] : 1;
}

static void record_leaves(graph *g) {
    for (int k = 0; k < GRAPH_WHOLE; k++) add_to_pool(g, record_leaf(g, g->shape));
    for (int k = 0; k < GRAPH_SMALL; k++) {
        g->axes[k] = draw_axes(g);
        g->small[k] = without(g->shape, g->axes[k]);
        add_to_pool(g, expand(g, record_leaf(g, g->small[k]), g->axes[k]));
    }
    int64_t columns = columns_of(g);
    record_leaf(g, columns <= 33 ? SPOR_SHAPE(columns, columns) : SPOR_SHAPE(1, 1));
}

/* ---- nodes ---- */

static spor_var pick(graph *g) {
    return g->pool[draw(g, g->pooled)];
}

/* One of the last few, so that chains grow. */
static spor_var pick_late(graph *g) {
    int late = g->pooled < 4 ? g->pooled : 4;
    return g->pool[g->pooled - 1 - draw(g, late)];
}

/* Ops of one kind that graphs are drawn from. */
typedef bool drawn(const graph *g, const spor_op *op);

static bool is_elementwise(const graph *g, const spor_op *op) {
    bool maps = op->tile && op->tile->role == SPOR_MAPS && op->operands > 0;
    bool anywhere = true;
    for (int k = 0; k < op->operands; k++)
        anywhere = anywhere && op->domain[k] != SPOR_POSITIVE && op->domain[k] != SPOR_NONZERO;
    return maps && (!g->exact || (anywhere && !(op->traits & SPOR_LIBRARY)));
}

static bool has_parts(const graph *g, const spor_op *op) {
    return op->parts && op->operands == 1 && !g->exact;
}

static const spor_op *draw_op(graph *g, drawn *is_drawn) {
    int count = 0;
    for (int k = 0; spor_ops[k]; k++) count += is_drawn(g, spor_ops[k]);
    int left = draw(g, count), k = 0;
    while (!is_drawn(g, spor_ops[k]) || left-- > 0) k++;
    return spor_ops[k];
}

static spor_var fill(const graph *g, int64_t num, int64_t den) {
    spor_var x = spor_ratio(g->tape, num, den);
    int rank = g->shape.rank;
    return rank ? spor_expand(x, SPOR_AXIS(rank) - 1, g->shape) : x;
}

/* An operand where the op is defined, and small where it would make large numbers of others. */
static spor_var into_domain(const graph *g, const spor_op *op, int k, spor_var x) {
    spor_domain domain = op->domain[k];
    if (domain == SPOR_POSITIVE || domain == SPOR_NONZERO)
        return spor_add(fill(g, 1, 2), spor_sigmoid(x));
    bool grows = op->traits & (SPOR_LIBRARY | SPOR_BILINEAR) || op->operands == 3;
    return grows && !g->exact && k == 0 ? spor_tanh(x) : x;
}

static spor_var record_op(graph *g) {
    const spor_op *op = draw_op(g, is_elementwise);
    spor_var in[SPOR_OPERANDS];
    for (int k = 0; k < op->operands; k++)
        in[k] = into_domain(g, op, k, k ? pick(g) : pick_late(g));
    return op_record(op, in, op->samples[0].attr);
}

/* A mean over some axes, everywhere along them; of exact graphs the sum, where it is of few. */
static spor_var record_mean(graph *g) {
    int q = draw(g, GRAPH_SMALL);
    int64_t count = shape_size(&g->shape) / shape_size(&g->small[q]);
    spor_var x = expand(g, sum(pick_late(g), g->axes[q]), g->axes[q]);
    return g->exact ? x : spor_mul(x, fill(g, 1, count));
}

/* The largest along some axes, everywhere along them. */
static spor_var record_largest(graph *g) {
    int q = draw(g, GRAPH_SMALL);
    return expand(g, spor_max(pick_late(g), g->axes[q]), g->axes[q]);
}

/* Along one axis, an op that is taken apart; they all take that. */
static spor_var record_parts(graph *g) {
    if (!g->shape.rank || g->exact) return record_largest(g);
    int axis = draw(g, g->shape.rank);
    const spor_op *op = draw_op(g, has_parts);
    spor_var x = pick_late(g), y = op_record(op, &x, &(spor_attr){.i = axis});
    bool whole = spor_shape_of(y).rank == g->shape.rank;
    return whole ? y : spor_tanh(expand(g, y, SPOR_AXIS(axis)));
}

static spor_var record_reshaped(graph *g) {
    spor_var flat = spor_reshape(pick_late(g), SPOR_SHAPE(shape_size(&g->shape)));
    return spor_reshape(g->exact ? spor_relu(flat) : spor_tanh(flat), g->shape);
}

/* Two axes exchanged, an op, and back. */
static spor_var record_transposed(graph *g) {
    int rank = g->shape.rank;
    if (rank < 2) return record_op(g);
    int64_t perm[SPOR_RANK];
    for (int k = 0; k < rank; k++) perm[k] = k;
    int at = draw(g, rank - 1);
    perm[at] = at + 1;
    perm[at + 1] = at;
    spor_var x = spor_transpose(pick_late(g), perm);
    return spor_transpose(g->exact ? spor_abs(x) : spor_sigmoid(x), perm);
}

/* Where the axes are equal, an exchange without a way back changes no shape. */
static spor_var record_turned(graph *g) {
    int rank = g->shape.rank;
    if (rank < 2 || g->shape.n[0] != g->shape.n[1]) return record_op(g);
    int64_t perm[SPOR_RANK] = {1, 0};
    for (int k = 2; k < rank; k++) perm[k] = k;
    return spor_transpose(pick_late(g), perm);
}

static spor_var record_product(graph *g) {
    int64_t columns = columns_of(g);
    if (columns > 33) return record_op(g);
    spor_var x = pick_late(g);
    spor_shape matrix = SPOR_SHAPE(shape_size(&g->shape) / columns, columns);
    x = spor_reshape(g->exact ? spor_step(x) : spor_tanh(x), matrix);
    return spor_reshape(spor_matmul(x, g->leaf[GRAPH_LEAVES - 1]), g->shape);
}

/* Elementwise ops ten times of nineteen. */
static void record_node(graph *g) {
    static spor_var (*const others[])(graph *) = {record_mean,       record_mean,   record_largest,
                                                  record_parts,      record_parts,  record_reshaped,
                                                  record_transposed, record_turned, record_product};
    const int kinds = (int)(sizeof others / sizeof *others);
    int kind = draw(g, 19);
    add_to_pool(g, kind < kinds ? others[kind](g) : record_op(g));
}

static void record_outputs(graph *g) {
    const int first = GRAPH_WHOLE + GRAPH_SMALL; /* of what is computed */
    g->out[0] = spor_add(g->pool[g->pooled - 1], g->pool[g->pooled - 2]);
    g->out[1] = g->pool[first + draw(g, g->pooled - first)];
    g->out[2] = g->pool[g->pooled - 2];
    g->out[3] = sum(g->pool[first + draw(g, g->pooled - first)], draw_axes(g));
    g->cotangent = spor_input(g->tape, "cotangent", g->shape);
}

graph graph_record(uint64_t seed, bool exact, bool trained) {
    graph g = {.tape = spor_tape_new(), .seed = seed, .exact = exact, .trained = trained};
    draw_shape(&g);
    record_leaves(&g);
    int nodes = exact ? 3 + draw(&g, 8) : 4 + draw(&g, 20);
    for (int k = 0; k < nodes; k++) record_node(&g);
    record_outputs(&g);
    return g;
}

spor_var graph_cost(const graph *g) {
    return sum(spor_mul(g->cotangent, g->out[0]), SPOR_AXIS(g->shape.rank) - 1);
}
