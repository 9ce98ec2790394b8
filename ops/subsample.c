/*
 * Every by[k]-th element along axis k, the first one first: z[i] = x[i by]; an axis of n becomes
 * 1 + floor((n - 1) / by).
 */
#include "attributes.h"
#include "kernels/copy.h"

#if defined(SPOR_RULES) || defined(SPOR_FAST)

/* Where there is one element alone, the next one might be nowhere. */
static void subsample_moves(const spor_call *c, copy_moves *m) {
    copy_box box = copy_whole(c);
    for (int k = 0; k < box.axes; k++)
        box.axis[k].from = box.axis[k].n > 1 ? c->attr[k].i * c->in[0].stride[k] : 0;
    copy_from(m, &box, 0);
}

#endif

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(subsample);
FAST_KERNELS(subsample);

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    for (int k = 0; k < r->out.rank; k++) {
        int64_t by = r->attr[k].i;
        if (by < 1)
            return rule_fail(r, "axis %d is subsampled by %" PRId64 " but must be by at least 1", k,
                             by);
        r->out.n[k] = r->in[0].n[k] ? 1 + (r->in[0].n[k] - 1) / by : 0;
    }
    return true;
}

/* dx = zbar dilated, then padded by the elements of x behind the last one taken. An axis of one
 * element is not dilated: its by may be larger than any tensor. */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    spor_shape x = spor_shape_of(op_operand(z, k)), taken = spor_shape_of(z);
    int64_t by[SPOR_RANK] = {0}, none[SPOR_RANK] = {0}, rest[SPOR_RANK] = {0};
    for (int a = 0; a < x.rank; a++) {
        by[a] = taken.n[a] > 1 ? op_attrs(z)[a].i : 1;
        rest[a] = x.n[a] - 1 - (taken.n[a] - 1) * by[a];
    }
    return spor_pad(spor_dilate(zbar, by), none, rest, 0);
}

static void onnx(onnx_call *c) {
    const onnx_order order = onnx_order_of(c, 0);
    onnx_stretch along[SPOR_RANK];
    for (int k = 0; k < c->out.rank; k++) /* where one is left a step of any size leads to none */
        along[k] = onnx_size_is_one(&c->out, k) ? (onnx_stretch){0, 1, 1}
                                                : (onnx_stretch){0, INT64_MAX, c->attr[k].i};
    onnx_tensor x = onnx_whole(c, 0, &order);
    onnx_give(c, onnx_slice(c, x, &order, along, onnx_ordered(&c->out, &order)), &order);
}

static const spor_sample samples[] = {{.in = {{2, {5, 4}}}, .attr = {{2}, {1}}},
                                      {.in = {{2, {3, 6}}}, .attr = {{1}, {4}}},
                                      {.in = {{4, {1, 4, 3, 2}}}, .attr = {{5}, {3}, {2}, {1}}},
                                      {.in = {{1, {3}}}, .attr = {{INT64_MAX}}},
                                      {.in = {{0, {0}}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}},
     .attr = {{1}, {0}},
     .message = "axis 1 is subsampled by 0 but must be by at least 1"},
    {.in = {{1, {3}}}, .attr = {{-2}}, .message = "axis 0 is subsampled by -2"},
    SPOR_END_MISTAKES};

/* NumPy, x and by as below: print(x[tuple(slice(None, None, b) for b in by)].ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {3, 5}}},
     .attr = {{2}, {1}},
     .x = {(const double[]){-4, -2.5, -1, 0.5, 2, 3.5, 5, 6.5, 8, 9.5, 11, 12.5, 14, 15.5, 17}},
     .out = {2, {2, 5}},
     .y = (const double[]){-4, -2.5, -1, 0.5, 2, 11, 12.5, 14, 15.5, 17}},
    {.in = {{2, {3, 5}}},
     .attr = {{1}, {3}},
     .x = {(const double[]){-4, -2.5, -1, 0.5, 2, 3.5, 5, 6.5, 8, 9.5, 11, 12.5, 14, 15.5, 17}},
     .out = {2, {3, 2}},
     .y = (const double[]){-4, 0.5, 3.5, 8, 11, 15.5}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{1}, {2}, {2}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 2, 1}},
     .y = (const double[]){2, 3, 1.5, 0.5}},
    SPOR_END_GOLDEN};

static const spor_fused fused = {.need = copy_need, .phase = {[SPOR_WORK] = subsample_kernels}};

const spor_op spor_op_subsample = {
    .signature = "subsample(x[*]; by:sizes)",
    .equation = "z[i] = x[i by]",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_PICKS,
    .operands = 1,
    .attrs = SPOR_RANK,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = subsample_reference,
    .fused = &fused,
    .moves = subsample_moves,
};

spor_var spor_subsample(spor_var x, const int64_t by[]) {
    spor_attr attr[SPOR_RANK];
    if (!by) return op_missing(x, "subsample: by");
    per_axis_to_attr(x, by, attr);
    return op_record(&spor_op_subsample, &x, attr);
}

#elif defined(SPOR_FAST)

FAST_KERNEL(subsample) {
    copy_moves m = {0};
    subsample_moves(c, &m);
    copy_all(c, task, &m);
}

#else

REFERENCE_KERNEL(subsample) {
    EACH_INDEX(i, c->out.shape) {
        int64_t j[SPOR_RANK] = {0};
        for (int k = 0; k < c->out.shape.rank; k++) j[k] = i[k] * c->attr[k].i;
        *AT(c->out, i) = *AT(c->in[0], j);
    }
}

#endif
