/*
 * z = g added to rows by number: z[b, v, d] = sum of g[b, n, d] over the n with i[b, n] = v, 0 where
 * there are none; batches b, as many leading axes as batch says, n and d any axes: i [B..., N...],
 * g [B..., N..., D...], z [B..., rows, D...]. The gradient of an embedding, the adjoint of take.
 * Where an
 * element of i names no row its batch of z is no number.
 */
#include <math.h>

#include "rows.h"

enum { SCATTER_ROWS, SCATTER_BATCH, SCATTER_SLOTS };

#ifdef SPOR_RULES

#include "export/c.h"
#include "export/onnx.h"
#include "kernels/tasks.h"

KERNELS(scatter_add);
FAST_KERNELS(scatter_add);

static bool shape(spor_rule *r) {
    const spor_shape *i = &r->in[0], *g = &r->in[1];
    int64_t rows = r->attr[SCATTER_ROWS].i, batch = r->attr[SCATTER_BATCH].i;
    if (rows < 0 || rows > LARGEST) return rule_fail(r, "there can't be %" PRId64 " rows", rows);
    if (!rule_batch(r, batch, "i", i, "g", g)) return false;
    if (g->rank < i->rank)
        return rule_fail(r, "g must have the axes of i, and a row's behind them");
    for (int k = 0; k < i->rank; k++)
        if (g->n[k] != i->n[k])
            return rule_fail(r, "axis %d has %" PRId64 " in i but %" PRId64 " in g", k, i->n[k],
                             g->n[k]);
    r->out.rank = (int)batch + 1 + g->rank - i->rank;
    if (r->out.rank > SPOR_RANK)
        return rule_fail(r, "the result has %d axes, more than %d", r->out.rank, SPOR_RANK);
    for (int k = 0; k < batch; k++) r->out.n[k] = i->n[k];
    r->out.n[batch] = rows;
    for (int k = i->rank; k < g->rank; k++) r->out.n[k - i->rank + (int)batch + 1] = g->n[k];
    return true;
}

/* dg = the rows of zbar that it was added to; i only decides */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    if (k == 0) return op_none();
    return spor_take(zbar, op_operand(z, 0), (int)op_attrs(z)[SCATTER_BATCH].i);
}

static int64_t named(const spor_shape in[], const spor_attr attr[]) {
    (void)in;
    return attr[SCATTER_ROWS].i;
}

static void onnx(onnx_call *c) {
    const onnx_order of_i = onnx_plain(c->in[0].rank), of_g = onnx_plain(c->in[1].rank);
    const onnx_order order = onnx_plain(c->out.rank);
    if (c->attr[SCATTER_BATCH].i) {
        onnx_refuse(c, "ONNX has nothing for scatter_add with batches");
        return;
    }
    onnx_shape rows = c->in[0];
    rows.n[rows.rank] = 1;
    rows.rows[rows.rank++] = false;
    onnx_tensor i = onnx_cast(c, onnx_whole(c, 0, &of_i), ONNX_INT64);
    const onnx_tensor in[] = {onnx_repeated(c, onnx_number(c, 0), c->out),
                              onnx_reshaped(c, i, rows), onnx_whole(c, 1, &of_g)};
    onnx_tensor z = onnx_node(c, "ScatterND", 3, in, ONNX_NUMBER, c->out);
    onnx_set_text(c, z, "reduction", "add");
    onnx_give(c, z, &order);
}

static const spor_sample samples[] = {{.in = {{1, {5}}, {2, {5, 3}}}, .attr = {{4}, {0}}},
                                      {.in = {{2, {2, 3}}, {3, {2, 3, 2}}}, .attr = {{3}, {0}}},
                                      {.in = {{0, {0}}, {1, {2}}}, .attr = {{3}, {0}}},
                                      {.in = {{2, {2, 3}}, {3, {2, 3, 4}}}, .attr = {{3}, {1}}},
                                      {.in = {{2, {2, 4}}, {2, {2, 4}}}, .attr = {{5}, {1}}},
                                      {.in = {{2, {2, 3}}, {3, {2, 3, 2}}}, .attr = {{3}, {2}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{1, {5}}, {2, {5, 3}}}, .attr = {{-2}, {0}}, .message = "there can't be -2 rows"},
    {.in = {{1, {5}}, {2, {4, 3}}}, .attr = {{3}, {0}}, .message = "axis 0 has 5 in i but 4 in g"},
    {.in = {{2, {5, 2}}, {1, {5}}}, .attr = {{3}, {0}}, .message = "g must have the axes of i"},
    {.in = {{1, {5}}, {2, {5, 3}}},
     .attr = {{3}, {2}},
     .message = "i and g must have the 2 leading axes that batch says"},
    {.in = {{2, {2, 3}}, {2, {3, 3}}},
     .attr = {{3}, {1}},
     .message = "axis 0, one of batches, has 2 in i but 3 in g"},
    SPOR_END_MISTAKES};

/* NumPy, i, g and rows as below: z = np.zeros((rows,) + g.shape[i.ndim:]); np.add.at(z, i, g);
 * print(z.ravel().tolist()), with batch 1 so for each of the first axis; an index that names no row
 * makes NaN. */
static const spor_golden golden[] = {
    {.in = {{1, {4}}, {2, {4, 2}}},
     .attr = {{3}, {0}},
     .x = {(const double[]){2, 0, 0, 2}, (const double[]){1, 2, -3, 4, 0.5, 6, 8, -1}},
     .out = {2, {3, 2}},
     .y = (const double[]){-2.5, 10, 0, 0, 9, 1}},
    {.in = {{2, {2, 2}}, {2, {2, 2}}},
     .attr = {{4}, {0}},
     .x = {(const double[]){3, 3, 1, 0}, (const double[]){7, -2, 0.25, 3}},
     .out = {1, {4}},
     .y = (const double[]){3, 0.25, 0, 5}},
    {.in = {{2, {2, 3}}, {2, {2, 3}}},
     .attr = {{3}, {1}},
     .x = {(const double[]){2, 0, 2, 1, 1, 1}, (const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){2, 0, -2, 0, 10.5, 0}},
    {.in = {{1, {2}}, {1, {2}}},
     .attr = {{2}, {0}},
     .x = {(const double[]){0, 2}, (const double[]){1, 2}},
     .out = {1, {2}},
     .y = (const double[]){(double)NAN, (double)NAN}},
    {.in = {{2, {2, 2}}, {2, {2, 2}}},
     .attr = {{2}, {1}},
     .x = {(const double[]){0, 1, 0.5, 1}, (const double[]){1, 2, 3, 4}},
     .out = {2, {2, 2}},
     .y = (const double[]){1, 2, (double)NAN, (double)NAN}},
    {.in = {{1, {0}}, {2, {0, 2}}},
     .attr = {{2}, {0}},
     .x = {(const double[]){0}, (const double[]){0}},
     .out = {2, {2, 2}},
     .y = (const double[]){0, 0, 0, 0}},
    SPOR_END_GOLDEN};

/* Each task has rows of the result and goes through all of the index. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    int batch = (int)c->attr[SCATTER_BATCH].i;
    int64_t rows = c->out.shape.n[batch], all = shape_size(&c->out.shape);
    for (int k = 0; k < batch; k++) rows *= c->out.shape.n[k];
    int64_t each = (all + shape_size(&c->in[1].shape)) / carve_most(rows, 1);
    need->tasks[SPOR_WORK] =
        tasks_for(need, rows, carve_times(each + 1, COST_MOVED), shape_size(&c->in[0].shape));
}

static void loops(spor_c *c, const spor_call *call) {
    row_sizes s =
        row_sizes_of(&call->out.shape, &call->in[0].shape, (int)call->attr[SCATTER_BATCH].i);
    c_line(c, "net_fill(out, 0, %" PRId64 ");", shape_size(&call->out.shape));
    c_line(c, "for (int b = 0; b < %" PRId64 "; b++, out += %" PRId64 ")", s.batches,
           s.rows * s.width);
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++, i++, g += %" PRId64 ") {", s.picks, s.width);
    c_line(c, "const int named = *i >= 0 && *i < %" PRId64 " && (%s)(int)*i == *i;", s.rows,
           c_type(c));
    c_line(c, "if (named)");
    c_line(c, "    for (int k = 0; k < %" PRId64 "; k++) out[(int)*i * %" PRId64 " + k] += g[k];",
           s.width, s.width);
    c_line(c, "else");
    c_line(c, "    net_fill(out, net_not_a_number(), %" PRId64 ");", s.rows * s.width);
    c_line(c, "}");
}

static const spor_fused fused = {.need = need, .phase = {[SPOR_WORK] = scatter_add_kernels}};

const spor_op spor_op_scatter_add = {
    .signature = "scatter_add(i[*], g[*]; rows:int, batch:int=0)",
    .equation = "z[b..., v, :] = sum of g[b..., n..., :] over n with i[b..., n...] = v",
    .convention = "rows count from 0; where i names none its batch of z is not a number; the "
                  "derivative by i is 0",
    .traits = SPOR_LINEAR_REST | SPOR_MIXES_SAMPLES,
    .domain = {SPOR_INDEX, SPOR_ANY},
    .operands = 2,
    .attrs = SCATTER_SLOTS,
    .shape = shape,
    .vjp = vjp,
    .named = named,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = scatter_add_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_scatter_add(spor_var i, spor_var g, int64_t rows, int batch) {
    return op_record(&spor_op_scatter_add, (spor_var[]){i, g},
                     (spor_attr[]){{.i = rows}, {.i = batch}});
}

#elif defined(SPOR_FAST)

#include "kernels/tasks.h"
#include "kernels/simd.h"

/* What the part has of a batch is no number. */
static void lose(T *z, const row_sizes *s, int64_t batch, task_part part) {
    int64_t first = carve_most(part.first, batch * s->rows);
    int64_t end = carve_least(part.end, (batch + 1) * s->rows);
    for (int64_t k = first * s->width; k < end * s->width; k++) z[k] = (T)NAN;
}

/* Terms are added in their order, whatever the tasks. */
FAST_KERNEL(scatter_add) {
    row_sizes s = row_sizes_of(&c->out.shape, &c->in[0].shape, (int)c->attr[SCATTER_BATCH].i);
    const T *i = c->in[0].data, *g = c->in[1].data;
    T *z = c->out.data;
    task_part part = task_part_of(c, SPOR_WORK, task, s.batches * s.rows);
    for (int64_t k = part.first * s.width; k < part.end * s.width; k++) z[k] = 0;
    for (int64_t n = 0; n < s.batches * s.picks; n++) {
        int64_t row = row_named(i[n], s.rows), to = n / s.picks * s.rows + row;
        if (row < 0) lose(z, &s, n / s.picks, part);
        if (row < 0 || to < part.first || to >= part.end) continue;
        for (int64_t d = 0; d < s.width; d++) z[to * s.width + d] += g[n * s.width + d];
    }
}

#else

/* Where rounding may have made another index, other rows may have got it. */
static void add_in_doubt(const spor_call *c, T index, int64_t row, T g, int64_t to[]) {
    int batch = (int)c->attr[SCATTER_BATCH].i;
    T nothing = FROM_INT(0);
    for (to[batch] = 0; to[batch] < c->attr[SCATTER_ROWS].i; to[batch]++) {
        T *z = AT(c->out, to);
        if (to[batch] == row)
            *z = ADD(*z, EITHER(g, nothing));
        else if (MAY_TURN(SUB(index, FROM_INT(to[batch]))))
            *z = ADD(*z, EITHER(nothing, g));
    }
}

/* The batch is no number. */
static void lose(const spor_call *c, const int64_t batch[]) {
    EACH_INDEX(at, c->out.shape) {
        bool other = false;
        for (int k = 0; k < c->attr[SCATTER_BATCH].i; k++) other |= at[k] != batch[k];
        if (!other) *AT(c->out, at) = FROM_REAL((double)NAN);
    }
}

REFERENCE_KERNEL(scatter_add) {
    const spor_arg *i = &c->in[0], *g = &c->in[1];
    int batch = (int)c->attr[SCATTER_BATCH].i;
    T zero = FROM_INT(0);
    EACH_INDEX(at, c->out.shape) * AT(c->out, at) = zero;
    EACH_INDEX(at, g->shape) {
        int64_t to[SPOR_RANK];
        T index = *AT(*i, at);
        int64_t row = row_named(index, c->attr[SCATTER_ROWS].i);
        if (row < 0) lose(c, at);
        if (row < 0) continue;
        row_position(at, batch, i->shape.rank, row, g->shape.rank - i->shape.rank, to);
        if (row_may_be_another(index, row))
            add_in_doubt(c, index, row, *AT(*g, at), to);
        else
            *AT(c->out, to) = ADD(*AT(c->out, to), *AT(*g, at));
    }
}

#endif
