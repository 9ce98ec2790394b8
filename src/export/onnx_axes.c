/*
 * Mappings that speak of axes: reductions, slices, windows.
 */
#include "export/onnx_graph.h"

/* ---- reductions ---- */

onnx_shape onnx_without(const onnx_call *c, const onnx_order *order, int64_t axes) {
    onnx_order left = {0};
    for (int j = 0; j < order->rank; j++)
        if (!(axes >> order->axis[j] & 1)) left.axis[left.rank++] = order->axis[j];
    return onnx_ordered(&c->in[0], &left);
}

void onnx_reduce(onnx_call *c, const char *op, int64_t axes, bool listed) {
    const onnx_order order = onnx_order_of(c, 0);
    int64_t list[SPOR_RANK];
    int n = 0;
    if (!axes) {
        onnx_same(c);
        return;
    }
    for (int j = 0; j < order.rank; j++)
        if (axes >> order.axis[j] & 1) list[n++] = j;
    const onnx_tensor in[] = {onnx_whole(c, 0, &order), listed ? onnx_list(c, "axes", n, list) : 0};
    onnx_tensor y =
        onnx_node(c, op, listed ? 2 : 1, in, ONNX_NUMBER, onnx_without(c, &order, axes));
    if (!listed) onnx_set_list(c, y, "axes", n, list);
    onnx_set(c, y, "keepdims", 0);
    onnx_give_without(c, y, &order, axes);
}

/* ---- slices ---- */

static bool is_all(const onnx_stretch *s) {
    return s->first == 0 && s->end == INT64_MAX && s->step == 1;
}

onnx_tensor onnx_slice(onnx_call *c, onnx_tensor y, const onnx_order *order,
                       const onnx_stretch along[], onnx_shape shape) {
    int64_t first[SPOR_RANK], end[SPOR_RANK], axis[SPOR_RANK], step[SPOR_RANK];
    int n = 0;
    for (int j = 0; j < order->rank; j++) {
        const onnx_stretch *s = &along[order->axis[j]];
        if (is_all(s)) continue;
        first[n] = s->first;
        end[n] = s->end;
        step[n] = s->step;
        axis[n++] = j;
    }
    if (!n) return y;
    const onnx_tensor in[] = {y, onnx_list(c, "starts", n, first), onnx_list(c, "ends", n, end),
                              onnx_list(c, "axes", n, axis), onnx_list(c, "steps", n, step)};
    return onnx_node(c, "Slice", 5, in, ONNX_NUMBER, shape);
}

/* ---- windows ---- */

/* Where there is one window alone the next one might be nowhere. */
static int64_t bounded(int64_t step, int64_t most) {
    return step < most ? step : most;
}

onnx_tensor onnx_windows(onnx_call *c, const char *op, onnx_tensor K, const int64_t size[2],
                         const int64_t steps[4], const int64_t pad[4]) {
    static const onnx_order maps = {4, {0, 3, 1, 2}}; /* [N, C, H, W] */
    const int64_t height_and_width = SPOR_AXIS(1) | SPOR_AXIS(2);
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0}, stride[2], dilation[2];
    for (int a = 1; a < 3; a++)
        if (onnx_refuse_rows(c, &c->in[0], a)) return 0;
    if (!K || !onnx_uncover(c, 0, height_and_width, lo, hi))
        for (int a = 1; a < 3; a++) {
            lo[a] = pad ? pad[2 * a - 2] : 0;
            hi[a] = pad ? pad[2 * a - 1] : 0;
        }
    for (int a = 0; a < 2; a++) {
        const int64_t cells = c->in[0].n[1 + a] + lo[1 + a] + hi[1 + a];
        stride[a] = bounded(steps[a], cells);
        dilation[a] = bounded(steps[2 + a], size[a] > 1 ? cells : 1);
    }
    const onnx_tensor in[] = {onnx_whole(c, 0, &maps), K};
    onnx_tensor z = onnx_node(c, op, K ? 2 : 1, in, ONNX_NUMBER, onnx_ordered(&c->out, &maps));
    onnx_set_list(c, z, "kernel_shape", 2, size);
    onnx_set_list(c, z, "strides", 2, stride);
    if (dilation[0] > 1 || dilation[1] > 1) onnx_set_list(c, z, "dilations", 2, dilation);
    onnx_set_list(c, z, "pads", 4, (const int64_t[]){lo[1], lo[2], hi[1], hi[2]});
    onnx_give(c, z, &maps);
    return z;
}
