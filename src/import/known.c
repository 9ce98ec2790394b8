/*
 * Numbers that are known: what files compute of sizes and constants is computed now, so that no line is made of it.
 */
#include <math.h>

#include "base/shape.h"
#include "import/graph.h"

static const int64_t count_most = INT64_C(1) << 28;

import_known *known_new(import_graph *g, int type, int rank, const int64_t size[]) {
    import_known *x = import_take(g, 1, sizeof *x);
    if (rank > SPOR_RANK) import_refuse(g, "known numbers would have more than %d axes", SPOR_RANK);
    *x = (import_known){.type = type, .rank = rank, .count = 1};
    for (int k = 0; k < rank; k++) {
        if (size[k] < 0) import_refuse(g, "known numbers would have a negative size");
        if (size[k] && x->count > count_most / size[k])
            import_refuse(g, "known numbers would be more than 2^28");
        x->size[k] = size[k];
        x->count *= size[k];
    }
    x->a = import_take(g, (size_t)x->count, sizeof *x->a);
    return x;
}

import_number known_at(const import_known *x, int64_t k) {
    return (import_number){x->a[k], x->b ? x->b[k] : 0};
}

/* Whether a type has this number; real ones have all. */
static bool holds(int type, double a) {
    static const struct {
        double least, most;
    } range[] = {
        [ONNX_IS_UINT8] = {0, UINT8_MAX},         [ONNX_IS_INT8] = {INT8_MIN, INT8_MAX},
        [ONNX_IS_UINT16] = {0, UINT16_MAX},       [ONNX_IS_INT16] = {INT16_MIN, INT16_MAX},
        [ONNX_IS_INT32] = {INT32_MIN, INT32_MAX}, [ONNX_IS_INT64] = {-0x1p63, 0x1p63},
        [ONNX_IS_UINT32] = {0, UINT32_MAX},       [ONNX_IS_UINT64] = {0, 0x1p64},
    };
    const bool bounded =
        type >= 0 && type < (int)(sizeof range / sizeof *range) && range[type].most > 0;
    return !bounded || (a >= range[type].least && a <= range[type].most);
}

void known_set(import_graph *g, import_known *x, int64_t k, import_number value) {
    if (value.b == 0 && !holds(x->type, value.a))
        import_refuse(g, "computes %g, which is no %s", value.a, onnx_type_name(x->type));
    if (value.b != 0 && !x->b) x->b = import_take(g, (size_t)x->count, sizeof *x->b);
    x->a[k] = value.a;
    if (x->b) x->b[k] = value.b;
}

bool known_all(const import_known *x, double value) {
    for (int64_t k = 0; k < x->count; k++)
        if (x->a[k] != value || (x->b && x->b[k] != 0)) return false;
    return true;
}

import_size known_size(import_graph *g, const import_known *x, int64_t k) {
    const import_number n = known_at(x, k);
    const double most = 9.2e18;
    if (n.a != floor(n.a) || n.b != floor(n.b) || fabs(n.b) > most)
        import_refuse(g, "%g is no size", n.b != 0 ? n.b : n.a);
    const int64_t a = n.a > most ? INT64_MAX : n.a < -most ? INT64_MIN : (int64_t)n.a;
    return (import_size){a, (int64_t)n.b};
}

import_known *known_of_sizes(import_graph *g, int n, const import_size size[]) {
    import_known *x = known_new(g, ONNX_IS_INT64, 1, (const int64_t[]){n});
    for (int k = 0; k < n; k++)
        known_set(g, x, k, (import_number){(double)size[k].a, (double)size[k].b});
    return x;
}

/* ---- moved ---- */

import_known *known_view(import_graph *g, const import_known *x, int rank, const int64_t size[],
                         int64_t offset, const int64_t stride[]) {
    import_known *y = known_new(g, x->type, rank, size);
    int64_t index[SPOR_RANK] = {0};
    y->name = x->name;
    y->trained = x->trained;
    if (x->b) y->b = import_take(g, (size_t)y->count, sizeof *y->b);
    int64_t from = offset;
    for (int64_t j = 0; j < y->count; j++) {
        y->a[j] = x->a[from];
        if (x->b) y->b[j] = x->b[from];
        for (int k = rank - 1; k >= 0; k--) { /* the next index */
            from += stride[k];
            if (++index[k] < size[k]) break;
            from -= size[k] * stride[k];
            index[k] = 0;
        }
    }
    return y;
}

static void strides_of(const import_known *x, int64_t stride[]) {
    int64_t step = 1;
    for (int k = x->rank - 1; k >= 0; k--) {
        stride[k] = step;
        step *= x->size[k];
    }
}

import_known *known_transposed(import_graph *g, const import_known *x, const int perm[]) {
    int64_t all[SPOR_RANK], stride[SPOR_RANK], size[SPOR_RANK];
    strides_of(x, all);
    for (int k = 0; k < x->rank; k++) {
        size[k] = x->size[perm[k]];
        stride[k] = all[perm[k]];
    }
    return known_view(g, x, x->rank, size, 0, stride);
}

import_known *known_shaped(import_graph *g, const import_known *x, int rank, const int64_t size[]) {
    import_known *y = import_take(g, 1, sizeof *y);
    int64_t count = 1;
    *y = *x;
    y->rank = rank;
    for (int k = 0; k < rank; k++) {
        y->size[k] = size[k];
        count *= size[k];
    }
    if (count != x->count) import_refuse(g, "known numbers are not as many as their sizes ask for");
    return y;
}

import_known *known_broadcast(import_graph *g, const import_known *x, int rank,
                              const int64_t size[]) {
    int64_t all[SPOR_RANK], stride[SPOR_RANK] = {0};
    strides_of(x, all);
    if (x->rank > rank) import_refuse(g, "known numbers have too many axes to be repeated");
    for (int k = 0; k < x->rank; k++) {
        const int to = rank - x->rank + k;
        if (x->size[k] != size[to] && x->size[k] != 1)
            import_refuse(g, "sizes %lld and %lld do not fit together", (long long)x->size[k],
                          (long long)size[to]);
        stride[to] = x->size[k] == 1 ? 0 : all[k];
    }
    return known_view(g, x, rank, size, 0, stride);
}

import_known *known_slice(import_graph *g, const import_known *x, int axis, int64_t first,
                          int64_t step, int64_t count) {
    int64_t stride[SPOR_RANK], size[SPOR_RANK];
    strides_of(x, stride);
    for (int k = 0; k < x->rank; k++) size[k] = x->size[k];
    const int64_t offset = count ? first * stride[axis] : 0;
    size[axis] = count;
    stride[axis] *= step;
    return known_view(g, x, x->rank, size, offset, stride);
}

import_known *known_concat(import_graph *g, int n, import_known *const x[], int axis) {
    int64_t size[SPOR_RANK], inner = 1, outer = 1, at = 0;
    for (int k = 0; k < x[0]->rank; k++) size[k] = x[0]->size[k];
    size[axis] = 0;
    for (int k = 0; k < n; k++) {
        if (x[k]->rank != x[0]->rank) import_refuse(g, "parts have different numbers of axes");
        for (int j = 0; j < x[0]->rank; j++)
            if (j != axis && x[k]->size[j] != x[0]->size[j])
                import_refuse(g, "parts have different sizes along axis %d", j);
        size[axis] += x[k]->size[axis];
    }
    import_known *y = known_new(g, x[0]->type, x[0]->rank, size);
    for (int k = axis + 1; k < y->rank; k++) inner *= size[k];
    for (int k = 0; k < axis; k++) outer *= size[k];
    for (int64_t o = 0; o < outer; o++)
        for (int k = 0; k < n; k++) {
            const int64_t length = x[k]->size[axis] * inner;
            for (int64_t j = 0; j < length; j++)
                known_set(g, y, at++, known_at(x[k], o * length + j));
        }
    for (int k = 0; k < n; k++) y->trained = y->trained || x[k]->trained;
    return y;
}

import_known *known_gather(import_graph *g, const import_known *x, int axis,
                           const import_known *at) {
    int64_t size[2 * SPOR_RANK], inner = 1, outer = 1, to = 0;
    int rank = 0;
    for (int k = 0; k < axis; k++) outer *= size[rank++] = x->size[k];
    for (int k = 0; k < at->rank; k++) size[rank++] = at->size[k];
    for (int k = axis + 1; k < x->rank; k++) inner *= size[rank++] = x->size[k];
    import_known *y = known_new(g, x->type, rank, size);
    const int64_t n = x->size[axis];
    y->name = x->name;
    y->trained = x->trained;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t j = 0; j < at->count; j++) {
            const import_size i = known_size(g, at, j);
            const int64_t row = i.a < 0 ? i.a + n : i.a;
            if (i.b || row < 0 || row >= n) import_refuse(g, "index %g names no row", at->a[j]);
            for (int64_t k = 0; k < inner; k++)
                known_set(g, y, to++, known_at(x, (o * n + row) * inner + k));
        }
    return y;
}

/* ---- computed ---- */

import_known *known_fold(import_call *c, int n, import_known *const x[]) {
    import_graph *g = c->g;
    int64_t size[SPOR_RANK];
    import_known **wide = import_take(g, (size_t)n, sizeof *wide);
    import_number *at = import_take(g, (size_t)n, sizeof *at);
    int rank = 0;
    for (int k = 0; k < n; k++) rank = x[k]->rank > rank ? x[k]->rank : rank;
    for (int j = 0; j < rank; j++) size[j] = 1;
    for (int k = 0; k < n; k++)
        for (int j = 0; j < x[k]->rank; j++) {
            int64_t *to = &size[rank - x[k]->rank + j];
            if (*to == 1) *to = x[k]->size[j];
        }
    for (int k = 0; k < n; k++) wide[k] = known_broadcast(g, x[k], rank, size);
    const int type = c->op->decides ? ONNX_IS_BOOL : x[n - 1]->type;
    import_known *y = known_new(g, type, rank, size);
    for (int64_t j = 0; j < y->count; j++) {
        import_number value = {0, 0};
        for (int k = 0; k < n; k++) at[k] = known_at(wide[k], j);
        c->op->fold(n, at, !onnx_is_real(x[0]->type), &value);
        if (isnan(value.b))
            import_refuse(
                g, "a number that depends on how many rows there are is not N times another");
        known_set(g, y, j, value);
    }
    for (int k = 0; k < n; k++) y->trained = y->trained || x[k]->trained;
    if (y->trained) y->name = x[0]->trained ? x[0]->name : x[n - 1]->name;
    return y;
}

/* Pairs of elements along the axes, by the op's fold: sums, products, extremes. */
import_known *known_reduced(import_call *c, const import_known *x, const bool axes[],
                            bool keepdims) {
    import_graph *g = c->g;
    int64_t size[SPOR_RANK], index[SPOR_RANK], step[SPOR_RANK], left[SPOR_RANK];
    int rank = 0;
    spor_shape shape = {.rank = x->rank};
    for (int k = 0; k < x->rank; k++) {
        shape.n[k] = x->size[k];
        size[k] = axes[k] ? 1 : x->size[k];
        if (!axes[k] || keepdims) left[rank++] = size[k];
    }
    int64_t run = 1;
    for (int k = x->rank - 1; k >= 0; run *= size[k--]) step[k] = axes[k] ? 0 : run;
    import_known *y = known_new(g, x->type, rank, left);
    bool *seen = import_take(g, (size_t)y->count, sizeof *seen);
    for (int64_t j = 0; j < x->count; j++) {
        int64_t to = 0;
        shape_unravel(&shape, j, index);
        for (int k = 0; k < x->rank; k++) to += index[k] * step[k];
        const import_number pair[] = {known_at(y, to), known_at(x, j)};
        import_number value = pair[1];
        if (seen[to]) c->op->fold(2, pair, !onnx_is_real(x->type), &value);
        if (isnan(value.b)) import_refuse(g, "a number is no multiple of N");
        known_set(g, y, to, value);
        seen[to] = true;
    }
    for (int64_t j = 0; j < y->count; j++)
        if (!seen[j]) import_refuse(g, "numbers of no elements are taken together");
    return y;
}
