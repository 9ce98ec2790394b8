/*
 * z = x reversed along a set of axes: z[i] = x[j] with j[k] = n[k] - 1 - i[k] on those axes.
 *
 * Rotating a kernel by 180 degrees, Eq. (2), is a flip of its first two axes.
 */
#include "attributes.h"
#include "kernels/copy.h"

#if defined(SPOR_RULES) || defined(SPOR_FAST)

static void flip_moves(const spor_call *c, copy_moves *m) {
    copy_box box = copy_whole(c);
    copy_steps(&box, c->in[0].stride);
    for (int k = 0; k < box.axes; k++) {
        if (!in_axes(c->attr[AXES].i, k)) continue;
        box.from += (box.axis[k].n - 1) * box.axis[k].from;
        box.axis[k].from = -box.axis[k].from;
    }
    copy_from(m, &box, 0);
}

#endif

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(flip);
FAST_KERNELS(flip);

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    return rule_axes(r, r->attr[AXES].i, "x", r->in[0].rank);
}

/* dx = zbar reversed again */
static spor_var vjp(spor_var z, int k, spor_var zbar) {
    (void)k;
    return spor_flip(zbar, op_attrs(z)[AXES].i);
}

/* From the last one to the first, by steps of -1. */
static void onnx(onnx_call *c) {
    const onnx_order order = onnx_order_of(c, 0);
    onnx_stretch along[SPOR_RANK];
    for (int k = 0; k < c->out.rank; k++)
        along[k] = in_axes(c->attr[AXES].i, k) ? (onnx_stretch){-1, INT64_MIN, -1} : onnx_all;
    onnx_tensor x = onnx_whole(c, 0, &order);
    onnx_give(c, onnx_slice(c, x, &order, along, onnx_ordered(&c->out, &order)), &order);
}

static const spor_sample samples[] = {
    {.in = {{2, {3, 4}}}, .attr = {{1}}},        {.in = {{2, {3, 4}}}, .attr = {{2}}},
    {.in = {{4, {3, 2, 1, 2}}}, .attr = {{11}}}, {.in = {{2, {2, 3}}}, .attr = {{0}}},
    {.in = {{0, {0}}}, .attr = {{0}}},           SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.in = {{2, {3, 4}}},
     .attr = {{4}},
     .message = "axes name an axis that x, of rank 2, does not have"},
    {.in = {{2, {3, 4}}}, .attr = {{-1}}, .message = "does not have"},
    SPOR_END_MISTAKES};

/* NumPy, x and axes as below: print(np.flip(x, axes).ravel().tolist()) */
static const spor_golden golden[] = {
    {.in = {{2, {2, 3}}},
     .attr = {{1}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){4, 0.5, 6, 1, 2, -3}},
    {.in = {{2, {2, 3}}},
     .attr = {{2}},
     .x = {(const double[]){1, 2, -3, 4, 0.5, 6}},
     .out = {2, {2, 3}},
     .y = (const double[]){-3, 2, 1, 6, 0.5, 4}},
    {.in = {{3, {2, 3, 2}}},
     .attr = {{6}},
     .x = {(const double[]){2, -1, 0, 5, 3, -4, 1.5, 6, -7, 2, 0.5, 0.25}},
     .out = {3, {2, 3, 2}},
     .y = (const double[]){-4, 3, 5, 0, -1, 2, 0.25, 0.5, 2, -7, 6, 1.5}},
    SPOR_END_GOLDEN};

static const spor_fused fused = {.need = copy_need, .phase = {[SPOR_WORK] = flip_kernels}};

const spor_op spor_op_flip = {
    .signature = "flip(x[*]; axes:axes)",
    .equation = "z = x reversed along the axes",
    .traits = SPOR_LINEAR | SPOR_MIXES_SAMPLES | SPOR_PICKS,
    .operands = 1,
    .attrs = 1,
    .shape = shape,
    .vjp = vjp,
    .onnx = onnx,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = flip_reference,
    .fused = &fused,
    .moves = flip_moves,
};

spor_var spor_flip(spor_var x, int64_t axes) {
    return op_record(&spor_op_flip, &x, &(spor_attr){.i = axes});
}

#elif defined(SPOR_FAST)

FAST_KERNEL(flip) {
    copy_moves m = {0};
    flip_moves(c, &m);
    copy_all(c, task, &m);
}

#else

REFERENCE_KERNEL(flip) {
    EACH_INDEX(i, c->out.shape) {
        int64_t j[SPOR_RANK] = {0};
        for (int k = 0; k < c->out.shape.rank; k++)
            j[k] = in_axes(c->attr[AXES].i, k) ? c->out.shape.n[k] - 1 - i[k] : i[k];
        *AT(c->out, i) = *AT(c->in[0], j);
    }
}

#endif
