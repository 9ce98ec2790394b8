/*
 * z = x, then y, along one axis; their other axes agree.
 */
#include "attributes.h"
#include "kernels/copy.h"

#if defined(SPOR_RULES) || defined(SPOR_FAST)

static void concat_moves(const spor_call *c, copy_moves *m) {
    int axis = (int)c->attr[AXIS].i;
    copy_box all = copy_whole(c);
    for (int64_t k = 0, first = 0; k < 2; k++) {
        int64_t end = first + c->in[k].shape.n[axis];
        copy_box box = copy_between(&all, axis, first, end);
        copy_steps(&box, c->in[k].stride);
        copy_from(m, &box, (int)k);
        first = end;
    }
}

#endif

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(concat);
FAST_KERNELS(concat);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0], *y = &r->in[1];
    int64_t axis = r->attr[AXIS].i;
    if (x->rank != y->rank) return rule_fail(r, "x has %d axes but y has %d", x->rank, y->rank);
    if (!rule_axis(r, axis)) return false;
    for (int k = 0; k < x->rank; k++)
        if (k != axis && x->n[k] != y->n[k])
            return rule_fail(r, "axis %d has %" PRId64 " in x but %" PRId64 " in y", k, x->n[k],
                             y->n[k]);
    r->out = *x;
    r->out.n[axis] += y->n[axis];
    return true;
}

/* dx = zbar without y's part, dy = zbar without x's: pads that crop */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    int64_t axis = op_attrs(z)[AXIS].i, lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    int64_t other = spor_shape_of(op_operand(z, 1 - k)).n[axis];
    (k == 0 ? hi : lo)[axis] = -other;
    return spor_pad(zbar, lo, hi, 0);
}

static void onnx(onnx_call *c) {
    const onnx_order order = onnx_order_of(c, 0);
    onnx_tensor x = onnx_whole(c, 0, &order), y = onnx_whole(c, 1, &order);
    onnx_give(
        c, onnx_joined(c, x, y, onnx_axis(&order, c->attr[AXIS].i), onnx_ordered(&c->out, &order)),
        &order);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}, {2, {2, 4}}}, .attr = {{0}}},
                                      {.in = {{2, {3, 4}}, {2, {3, 1}}}, .attr = {{1}}},
                                      {.in = {{3, {2, 2, 2}}, {3, {2, 2, 2}}}, .attr = {{1}}},
                                      {.in = {{1, {1}}, {1, {1}}}, .attr = {{0}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}, {1, {4}}}, .attr = {{0}}, .message = "x has 2 axes but y has 1"},
    {.in = {{2, {3, 4}}, {2, {3, 5}}}, .attr = {{0}}, .message = "axis 1 has 4 in x but 5 in y"},
    {.in = {{2, {3, 4}}, {2, {3, 4}}},
     .attr = {{2}},
     .message = "there is no axis 2 in x, of rank 2"},
    {.in = {{0, {0}}, {0, {0}}}, .attr = {{0}}, .message = "there is no axis 0 in x, of rank 0"},
    SPOR_END_MISTAKES};

/* NumPy, x, y and axis as below: print(np.concatenate((x, y), axis).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}, {2, {1, 3}}},
     .attr = {{0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}, (const double[]){7, 8, 9}},
     .out = {2, {3, 3}},
     .y = (const double[]){1, 2, -3, 4, 0.5, 6, 7, 8, 9}},
    {.in = {{2, {2, 3}}, {2, {2, 1}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}, (const double[]){7, 8}},
     .out = {2, {2, 4}},
     .y = (const double[]){1, 2, -3, 7, 4, 0.5, 6, 8}},
    {.in = {{3, {2, 3, 2}}, {3, {2, 1, 2}}},
     .attr = {{1}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25},
           (const double[]){20, -10, 15, 60}},
     .out = {3, {2, 4, 2}},
     .y = (const double[]){2, -1, 0, 5, 3, -4, 20, -10, 1.5, 6, -7, 2, 0.5, 0.25, 15, 60}},
    {.in = {{2, {0, 2}}, {2, {1, 2}}},
     .attr = {{0}},
     .x = {(const double[]){0}, (const double[]){7, 8}},
     .out = {2, {1, 2}},
     .y = (const double[]){7, 8}},
    SPOR_END_GOLDEN};

static const spor_fused fused = {.need = copy_need, .phase = {[SPOR_WORK] = concat_kernels}};

const spor_op spor_op_concat = {
    .signature = "concat(x[*], y[*]; axis:axis)",
    .equation = "z = x, then y, along the axis",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_PICKS,
    .operands = 2,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = concat_reference,
    .fused = &fused,
    .moves = concat_moves,
};

spor_var spor_concat(spor_var x, spor_var y, int axis) {
    return op_record(&spor_op_concat, (spor_var[]){x, y}, &(spor_attr){.i = axis});
}

#elif defined(SPOR_FAST)

FAST_KERNEL(concat) {
    copy_moves m = {0};
    concat_moves(c, &m);
    copy_all(c, task, &m);
}

#else

REFERENCE_KERNEL(concat) {
    int64_t axis = c->attr[AXIS].i, split = c->in[0].shape.n[axis];
    EACH_INDEX(i, c->out.shape) {
        int64_t j[SPOR_RANK];
        int k = i[axis] < split ? 0 : 1;
        for (int a = 0; a < SPOR_RANK; a++) j[a] = i[a];
        if (k == 1) j[axis] -= split;
        *AT(c->out, i) = *AT(c->in[k], j);
    }
}

#endif
