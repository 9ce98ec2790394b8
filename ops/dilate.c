/*
 * by[k] - 1 zeros between neighbours along axis k: z[i by] = x[i], 0 elsewhere; an axis of n
 * becomes (n - 1) by + 1. The adjoint of subsample; a convolution with stride S pulls its error
 * back dilated by S.
 */
#include "attributes.h"
#include "kernels/copy.h"

#if defined(SPOR_RULES) || defined(SPOR_FAST)

/* by - 1 elements behind each along axis k but the last. */
static copy_box between_elements(const copy_box *box, int k, int64_t n, int64_t by) {
    copy_box gaps = *box;
    int64_t to = box->axis[k].to;
    gaps.axes++;
    for (int a = box->axes; a > k; a--) gaps.axis[a] = box->axis[a - 1];
    gaps.axis[k] = (copy_axis){n - 1, by * to, 0};
    gaps.axis[k + 1] = (copy_axis){by - 1, to, 0};
    gaps.to += to;
    return gaps;
}

/* Zeros between elements along an axis, where there are elements along those before it. */
static void dilate_moves(const spor_call *c, copy_moves *m) {
    copy_box box = copy_whole(c);
    for (int k = 0; k < box.axes; k++) {
        int64_t n = c->in[0].shape.n[k], by = n > 1 ? c->attr[k].i : 1;
        copy_box gaps = between_elements(&box, k, n, by);
        copy_fill(m, &gaps, 0);
        box.axis[k] = (copy_axis){n, by * box.axis[k].to, 0};
    }
    copy_steps(&box, c->in[0].stride);
    copy_from(m, &box, 0);
}

#endif

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(dilate);
FAST_KERNELS(dilate);

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    for (int k = 0; k < r->out.rank; k++) {
        int64_t n = r->in[0].n[k], by = r->attr[k].i;
        if (by < 1)
            return rule_fail(r, "axis %d is dilated by %" PRId64 " but must be by at least 1", k,
                             by);
        if (n && by > LARGEST / n) return rule_fail(r, "axis %d is dilated by too much", k);
        r->out.n[k] = n ? (n - 1) * by + 1 : 0;
    }
    return true;
}

/* dx = zbar subsampled */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    int64_t by[SPOR_RANK];
    attr_to_per_axis(op_attrs(z), by);
    return spor_subsample(zbar, by);
}

/* Each axis in two, [n, by] with zeros behind the first of each line, and these in one again, without the
 * zeros behind the last element. */
static void onnx(onnx_call *c) {
    const onnx_order order = onnx_plain(c->out.rank);
    onnx_shape apart = {0}, filled = {0}, together = c->out;
    int64_t pads[4 * SPOR_RANK] = {0};
    onnx_stretch along[SPOR_RANK];
    if (!c->out.rank) {
        onnx_same(c);
        return;
    }
    for (int k = 0; k < c->out.rank; k++) {
        const int64_t by = c->in[0].n[k] > 1 || c->in[0].rows[k] ? c->attr[k].i : 1;
        if (by > 1 && onnx_refuse_rows(c, &c->out, k)) return;
        apart.rows[apart.rank] = filled.rows[apart.rank] = c->out.rows[k];
        apart.n[apart.rank] = filled.n[apart.rank] = c->in[0].n[k];
        apart.n[apart.rank + 1] = 1;
        filled.n[apart.rank + 1] = by;
        together.n[k] = c->in[0].n[k] * by;
        along[k] = by > 1 ? (onnx_stretch){0, c->out.n[k], 1} : onnx_all;
        apart.rank = filled.rank = apart.rank + 2;
    }
    for (int k = 0; k < apart.rank; k++) pads[apart.rank + k] = filled.n[k] - apart.n[k];
    const onnx_tensor in[] = {onnx_reshaped(c, onnx_whole(c, 0, &order), apart),
                              onnx_list(c, "pads", 2 * apart.rank, pads), onnx_number(c, 0)};
    onnx_tensor lines = onnx_node(c, "Pad", 3, in, ONNX_NUMBER, filled);
    onnx_tensor whole = onnx_reshaped(c, lines, together);
    onnx_give(c, onnx_slice(c, whole, &order, along, c->out), &order);
}

static const spor_sample samples[] = {{.in = {{2, {3, 4}}}, .attr = {{2}, {1}}},
                                      {.in = {{2, {3, 2}}}, .attr = {{1}, {3}}},
                                      {.in = {{4, {1, 2, 3, 2}}}, .attr = {{5}, {2}, {3}, {1}}},
                                      {.in = {{0, {0}}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}},
     .attr = {{1}, {0}},
     .message = "axis 1 is dilated by 0 but must be by at least 1"},
    {.in = {{1, {3}}}, .attr = {{INT64_MAX}}, .message = "axis 0 is dilated by too much"},
    SPOR_END_MISTAKES};

/* NumPy, x and by as below: z = np.zeros([(n - 1) * b + 1 for n, b in zip(x.shape, by)]);
 * z[tuple(slice(None, None, b) for b in by)] = x; print(z.ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{2}, {1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {3, 3}},
     .y = (const double[]){1, 2, -3, 0, 0, 0, 4, 0.5, 6}},
    {.in = {{2, {2, 3}}},
     .attr = {{1}, {3}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 7}},
     .y = (const double[]){1, 0, 0, 2, 0, 0, -3, 4, 0, 0, 0.5, 0, 0, 6}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{1}, {2}, {3}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 5, 4}},
     .y = (const double[]){2,   0, 0, -1, 0, 0, 0, 0, 0,  0, 0, 5, 0, 0, 0, 0, 3,   0, 0, -4,
                           1.5, 0, 0, 6,  0, 0, 0, 0, -7, 0, 0, 2, 0, 0, 0, 0, 0.5, 0, 0, 0.25}},
    SPOR_END_GOLDEN};

static const spor_fused fused = {.need = copy_need, .phase = {[SPOR_WORK] = dilate_kernels}};

const spor_op spor_op_dilate = {
    .signature = "dilate(x[*]; by:sizes)",
    .equation = "z[i by] = x[i], 0 elsewhere",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES,
    .operands = 1,
    .attrs = SPOR_RANK,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = dilate_reference,
    .fused = &fused,
    .moves = dilate_moves,
};

spor_var spor_dilate(spor_var x, const int64_t by[]) {
    spor_attr attr[SPOR_RANK];
    if (!by) return op_missing(x, "dilate: by");
    per_axis_to_attr(x, by, attr);
    return op_record(&spor_op_dilate, &x, attr);
}

#elif defined(SPOR_FAST)

FAST_KERNEL(dilate) {
    copy_moves m = {0};
    dilate_moves(c, &m);
    copy_all(c, task, &m);
}

#else

REFERENCE_KERNEL(dilate) {
    EACH_INDEX(i, c->out.shape) * AT(c->out, i) = FROM_INT(0);
    EACH_INDEX(i, c->in[0].shape) {
        int64_t j[SPOR_RANK] = {0};
        for (int k = 0; k < c->in[0].shape.rank; k++) j[k] = i[k] * c->attr[k].i;
        *AT(c->out, j) = *AT(c->in[0], i);
    }
}

#endif
