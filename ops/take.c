/*
 * z = rows of x by number: z[b, n, d] = x[b, i[b, n], d] with batches b, as many leading axes as batch
 * says, n and d any axes: x [B..., V, D...], i [B..., N...], z [B..., N..., D...]. An embedding is
 * take(E, i). Where i names no row z is no number. The adjoint of scatter_add.
 */
#include <math.h>

#include "rows.h"

enum { TAKE_BATCH };

#ifdef SPOR_RULES

#include "export/c.h"
#include "export/onnx.h"
#include "kernels/tasks.h"

KERNELS(take);
FAST_KERNELS(take);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *i = &r->in[1];
    int64_t batch = r->attr[TAKE_BATCH].i;
    if (!rule_batch(r, batch, "x", x, "i", i)) return false;
    if (batch == x->rank)
        return rule_fail(r, "x has no axis of rows behind its %" PRId64 " of batches", batch);
    r->out.rank = i->rank + x->rank - 1 - (int)batch;
    if (r->out.rank > SPOR_RANK)
        return rule_fail(r, "the result has %d axes, more than %d", r->out.rank, SPOR_RANK);
    for (int k = 0; k < i->rank; k++) r->out.n[k] = i->n[k];
    for (int k = i->rank; k < r->out.rank; k++) r->out.n[k] = x->n[k - i->rank + (int)batch + 1];
    return true;
}

/* dx = zbar added to the rows it was taken from; i only decides */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    int64_t batch = op_attrs(z)[TAKE_BATCH].i;
    if (k == 1) return op_none();
    return spor_scatter_add(op_operand(z, 1), zbar, spor_shape_of(op_operand(z, 0)).n[batch],
                            (int)batch);
}

static int64_t named(const spor_shape in[], const spor_attr attr[]) {
    return in[0].n[attr[TAKE_BATCH].i];
}

/* Where an index names no row an ONNX runtime may refuse, or count from the end. */
static void onnx(onnx_call *c) {
    const int64_t batch = c->attr[TAKE_BATCH].i;
    const onnx_order of_x = onnx_plain(c->in[0].rank), of_i = onnx_plain(c->in[1].rank);
    const onnx_order order = onnx_plain(c->out.rank);
    onnx_tensor i = onnx_cast(c, onnx_whole(c, 1, &of_i), ONNX_INT64);
    onnx_shape rows = c->in[1];
    rows.n[rows.rank] = 1;
    rows.rows[rows.rank++] = false;
    const onnx_tensor in[] = {onnx_whole(c, 0, &of_x), batch ? onnx_reshaped(c, i, rows) : i};
    onnx_tensor z = onnx_node(c, batch ? "GatherND" : "Gather", 2, in, ONNX_NUMBER, c->out);
    onnx_set(c, z, batch ? "batch_dims" : "axis", batch);
    onnx_give(c, z, &order);
}

static const spor_sample samples[] = {{.in = {{2, {4, 3}}, {1, {5}}}, .attr = {{0}}},
                                      {.in = {{2, {3, 2}}, {2, {2, 3}}}, .attr = {{0}}},
                                      {.in = {{1, {5}}, {0, {0}}}, .attr = {{0}}},
                                      {.in = {{3, {2, 4, 3}}, {2, {2, 3}}}, .attr = {{1}}},
                                      {.in = {{2, {2, 3}}, {2, {2, 4}}}, .attr = {{1}}},
                                      {.in = {{3, {2, 3, 4}}, {3, {2, 3, 2}}}, .attr = {{2}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{0, {0}}, {1, {5}}}, .attr = {{0}}, .message = "x has no axis of rows"},
    {.in = {{2, {4, 3}}, {1, {5}}},
     .attr = {{2}},
     .message = "x and i must have the 2 leading axes that batch says"},
    {.in = {{2, {4, 3}}, {1, {5}}}, .attr = {{-1}}, .message = "leading axes that batch says"},
    {.in = {{2, {4, 3}}, {2, {5, 2}}},
     .attr = {{1}},
     .message = "axis 0, one of batches, has 4 in x but 5 in i"},
    {.in = {{5, {1, 1, 1, 1, 1}}, {5, {1, 1, 1, 1, 1}}},
     .attr = {{0}},
     .message = "the result has 9 axes, more than 8"},
    SPOR_END_MISTAKES};

/* NumPy, x and i as below: print(x[i].ravel().tolist()), with batch 1 np.take_along_axis(x, i, 1);
 * an index that names no row makes NaN. */
static const spor_golden golden[] = {
    {.in = {{2, {3, 2}}, {1, {4}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}, (const double[]){2, 0, 0, 1}},
     .out = {2, {4, 2}},
     .y = (const double[]){0.5, 6, 1, 2, 1, 2, -3, 4}},
    {.in = {{1, {4}}, {2, {2, 2}}},
     .attr = {{0}},
     .x = {(const double[]){7, -2, 0.25, 3}, (const double[]){3, 3, 1, 0}},
     .out = {2, {2, 2}},
     .y = (const double[]){3, 3, -2, 7}},
    {.in = {{2, {2, 3}}, {2, {2, 2}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}, (const double[]){2, 0, 1, 1}},
     .out = {2, {2, 2}},
     .y = (const double[]){-3, 1, 0.5, 0.5}},
    {.in = {{2, {2, 2}}, {1, {5}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4}, (const double[]){1, -1, 2, 0.5, (double)NAN}},
     .out = {2, {5, 2}},
     .y = (const double[]){-3, 4, (double)NAN, (double)NAN, (double)NAN, (double)NAN, (double)NAN,
                           (double)NAN, (double)NAN, (double)NAN}},
    SPOR_END_GOLDEN};

/* Rows of the result, of so many elements each. */
static void need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    int64_t picks = shape_size(&c->in[1].shape);
    int64_t row = shape_size(&c->out.shape) / carve_most(picks, 1);
    need->tasks[SPOR_WORK] = tasks_for(need, picks, carve_times(row + 1, COST_MOVED), 0);
}

static void loops(spor_c *c, const spor_call *call) {
    row_sizes s =
        row_sizes_of(&call->in[0].shape, &call->in[1].shape, (int)call->attr[TAKE_BATCH].i);
    c_line(c, "for (int b = 0; b < %" PRId64 "; b++)", s.batches);
    c_line(c, "for (int n = 0; n < %" PRId64 "; n++, i++, out += %" PRId64 ") {", s.picks, s.width);
    c_line(c, "const int named = *i >= 0 && *i < %" PRId64 " && (%s)(int)*i == *i;", s.rows,
           c_type(c));
    c_line(c, "if (named)");
    c_line(c,
           "    memcpy(out, x + (b * %" PRId64 " + (int)*i) * %" PRId64 ", %" PRId64
           " * sizeof *out);",
           s.rows, s.width, s.width);
    c_line(c, "else");
    c_line(c, "    net_fill(out, net_not_a_number(), %" PRId64 ");", s.width);
    c_line(c, "}");
}

static const spor_fused fused = {.need = need, .phase = {[SPOR_WORK] = take_kernels}};

const spor_op spor_op_take = {
    .signature = "take(x[*], i[*]; batch:int=0)",
    .equation = "z[b..., n..., :] = x[b..., i[b..., n...], :]",
    .convention =
        "rows count from 0; where i names none z is not a number; the derivative by i is 0",
    .traits = SPOR_LINEAR_FIRST | SPOR_MIXES_SAMPLES,
    .domain = {SPOR_ANY, SPOR_INDEX},
    .operands = 2,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .named = named,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = take_reference,
    .fused = &fused,
    .c_loops = loops,
};

spor_var spor_take(spor_var x, spor_var i, int batch) {
    return op_record(&spor_op_take, (spor_var[]){x, i}, &(spor_attr){.i = batch});
}

#elif defined(SPOR_FAST)

#include "kernels/tasks.h"
#include "kernels/simd.h"

FAST_KERNEL(take) {
    row_sizes s = row_sizes_of(&c->in[0].shape, &c->in[1].shape, (int)c->attr[TAKE_BATCH].i);
    const T *x = c->in[0].data, *i = c->in[1].data;
    T *z = c->out.data;
    task_part part = task_part_of(c, SPOR_WORK, task, s.batches * s.picks);
    for (int64_t n = part.first; n < part.end; n++) {
        int64_t row = row_named(i[n], s.rows), from = (n / s.picks * s.rows + row) * s.width;
        T *to = z + n * s.width;
        if (row >= 0)
            memcpy(to, x + from, (size_t)s.width * sizeof(T));
        else
            for (int64_t d = 0; d < s.width; d++) to[d] = (T)NAN;
    }
}

#else

/* Where rounding may have made another index, z may be another row's for all one knows. */
REFERENCE_KERNEL(take) {
    const spor_arg *x = &c->in[0], *i = &c->in[1];
    int batch = (int)c->attr[TAKE_BATCH].i, row_axes = x->shape.rank - batch - 1;
    int64_t rows = x->shape.n[batch];
    EACH_INDEX(at, c->out.shape) {
        int64_t from[SPOR_RANK];
        T index = *AT(*i, at), *z = AT(c->out, at);
        int64_t row = row_named(index, rows);
        row_position(at, batch, i->shape.rank, row < 0 ? 0 : row, row_axes, from);
        *z = row < 0 ? FROM_REAL((double)NAN) : *AT(*x, from);
        if (row < 0 || !row_may_be_another(index, row)) continue;
        for (from[batch] = 0; from[batch] < rows; from[batch]++)
            *z = OR_ELSE(*z, *AT(*x, from), SUB(index, FROM_INT(from[batch])));
    }
}

#endif
