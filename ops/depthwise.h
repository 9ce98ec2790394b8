/*
 * Depthwise windows over maps [N, H, W, C]: cell (u, v) of window (i, j) is (i S_h + u D_h, j S_w + v D_w).
 * Shared by depthwise2d and depthwise2d_dK, whose last four slots are strides and dilations.
 */
#ifndef SPOR_OPS_DEPTHWISE_H
#define SPOR_OPS_DEPTHWISE_H

#include "attributes.h"

/** Steps of one axis: 0 is the height, 1 the width. steps are the four slots. */
static inline int64_t depthwise_stride(const spor_attr steps[], int axis) {
    return steps[axis].i;
}
static inline int64_t depthwise_dilation(const spor_attr steps[], int axis) {
    return steps[2 + axis].i;
}

/** How far one cell, or window, lies from the one before, of n: where there is one alone the next one might
 *  be nowhere. */
static inline int64_t depthwise_step(int64_t n, int64_t step, int64_t stride) {
    return n > 1 ? step * stride : 0;
}
/** Where cell or window number k lies. */
static inline int64_t depthwise_cell(int64_t k, int64_t step) {
    return k ? k * step : 0;
}

#ifdef SPOR_RULES

/** Cells from the first of a window to behind its last, of `size` in each direction. */
static inline int64_t depthwise_reach(const spor_attr steps[], int axis, int64_t size) {
    return size > 1 ? (size - 1) * depthwise_dilation(steps, axis) + 1 : 1;
}

/** How many windows of this size an axis of n cells has. */
static inline bool rule_depthwise(spor_rule *r, const spor_attr steps[], int axis, int64_t n,
                                  int64_t size, int64_t *count) {
    const char *name = axis ? "width" : "height";
    int64_t stride = depthwise_stride(steps, axis), dilation = depthwise_dilation(steps, axis);
    if (stride < 1 || dilation < 1)
        return rule_fail(r,
                         "stride and dilation along the %s are %" PRId64 " and %" PRId64
                         " but must be at least 1",
                         name, stride, dilation);
    if (size < 1)
        return rule_fail(r, "the kernel's %s is %" PRId64 " but must be at least 1", name, size);
    if (size > n || (size > 1 && dilation > (n - 1) / (size - 1)))
        return rule_fail(r,
                         "%" PRId64 " cells of the kernel, %" PRId64
                         " apart, reach beyond the %s of the image, %" PRId64
                         "; pad the image first",
                         size, dilation, name, n);
    *count = 1 + (n - depthwise_reach(steps, axis, size)) / stride;
    return true;
}

/**
 * dx[n,p,q,c] = the sum of g[n,i,j,c] K[u,v,c] over p = i S_h + u D_h, q = j S_w + v D_w: g with zeros between
 * its elements, correlated with K turned round. x is the shape of the image.
 */
spor_var depthwise_pull_back(spor_var g, spor_var K, spor_shape x, const spor_attr steps[]);

#endif

#endif
