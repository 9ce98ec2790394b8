/*
 * Axis k of z is axis perm[k] of x: z[i] = x[j] with j[perm[k]] = i[k].
 */
#include "attributes.h"
#include "kernels/copy.h"

#if defined(SPOR_RULES) || defined(SPOR_FAST)

static void transpose_moves(const spor_call *c, copy_moves *m) {
    copy_box box = copy_whole(c);
    for (int k = 0; k < box.axes; k++) box.axis[k].from = c->in[0].stride[c->attr[k].i];
    copy_from(m, &box, 0);
}

#endif

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(transpose);
FAST_KERNELS(transpose);

static bool shape(spor_rule *r) {
    const spor_shape *x = &r->in[0];
    int64_t seen = 0;
    r->out.rank = x->rank;
    for (int k = 0; k < x->rank; k++) {
        int64_t from = r->attr[k].i;
        if (!rule_axis(r, from)) return false;
        if (in_axes(seen, (int)from))
            return rule_fail(r, "the order of axes names axis %" PRId64 " twice", from);
        seen |= SPOR_AXIS(from);
        r->out.n[k] = x->n[from];
    }
    return true;
}

/* dx = zbar with its axes in the inverse order */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    int64_t inverse[SPOR_RANK] = {0};
    int rank = spor_shape_of(z).rank;
    for (int to = 0; to < rank; to++) inverse[op_attrs(z)[to].i] = to;
    return spor_transpose(zbar, inverse);
}

/* Nothing is moved before somebody wants it in another order. */
static void onnx(onnx_call *c) {
    int axis[SPOR_RANK];
    for (int k = 0; k < c->out.rank; k++) axis[c->attr[k].i] = k;
    onnx_relabel(c, axis);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{1}, {0}}},
                                      {.in = {{3, {2, 3, 4}}}, .attr = {{1}, {2}, {0}}},
                                      {.in = {{3, {2, 2, 2}}}, .attr = {{2}, {0}, {1}}},
                                      {.in = {{4, {2, 1, 3, 2}}}, .attr = {{3}, {1}, {0}, {2}}},
                                      {.in = {{0, {0}}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}}, .attr = {{0}, {2}}, .message = "there is no axis 2 in x, of rank 2"},
    {.in = {{2, {3, 4}}}, .attr = {{-1}, {0}}, .message = "there is no axis -1 in x, of rank 2"},
    {.in = {{2, {3, 4}}}, .attr = {{1}, {1}}, .message = "the order of axes names axis 1 twice"},
    SPOR_END_MISTAKES};

/* NumPy, x and perm as below: print(x.transpose(perm).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}, {0}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {3, 2}},
     .y = (const double[]){1, 4, 2, 0.5, -3, 6}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{1}, {2}, {0}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {3, 2, 2}},
     .y = (const double[]){2, 1.5, -1, 6, 0, -7, 5, 2, 3, 0.5, -4, 0.25}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{2}, {0}, {1}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 2, 3}},
     .y = (const double[]){2, 0, 3, 1.5, -7, 0.5, -1, 5, -4, 6, 2, 0.25}},
    SPOR_END_GOLDEN};

static const spor_fused fused = {.need = copy_need, .phase = {[SPOR_WORK] = transpose_kernels}};

const spor_op spor_op_transpose = {
    .signature = "transpose(x[*]; perm:perm)",
    .equation = "z = x with axis k taken from perm[k]",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_PICKS,
    .operands = 1,
    .attrs = SPOR_RANK,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = transpose_reference,
    .fused = &fused,
    .moves = transpose_moves,
};

spor_var spor_transpose(spor_var x, const int64_t perm[]) {
    spor_attr attr[SPOR_RANK];
    if (!perm) return op_missing(x, "transpose: perm");
    per_axis_to_attr(x, perm, attr);
    return op_record(&spor_op_transpose, &x, attr);
}

#elif defined(SPOR_FAST)

FAST_KERNEL(transpose) {
    copy_moves m = {0};
    transpose_moves(c, &m);
    copy_all(c, task, &m);
}

#else

REFERENCE_KERNEL(transpose) {
    EACH_INDEX(i, c->out.shape) {
        int64_t j[SPOR_RANK] = {0};
        for (int k = 0; k < c->out.shape.rank; k++) j[c->attr[k].i] = i[k];
        *AT(c->out, i) = *AT(c->in[0], j);
    }
}

#endif
