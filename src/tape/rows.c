/* Compositions of rows, order and products: several nodes under one name. */
#include "tape/op.h"
#include "tape/tape.h"

/* ---- along an axis --------------------------------------------------------------------------- */

/* The axis put last, the others in their order; back: from there to where it was. */
static void axis_last(int rank, int axis, int64_t perm[], int64_t back[]) {
    for (int k = 0; k < rank; k++) {
        perm[k] = k < axis ? k : k + 1 < rank ? k + 1 : axis;
        back[perm[k]] = k;
    }
}

spor_var spor_take_along(spor_var x, spor_var i, int axis) {
    int rank = spor_shape_of(x).rank;
    int64_t perm[SPOR_RANK], back[SPOR_RANK];
    if (!x.id || !i.id) return spor_take(x, i, 0);
    if (axis < 0 || axis >= rank || spor_shape_of(i).rank != rank)
        return tape_reject(x.tape, "take_along: x of rank %d and i of rank %d must have axis %d",
                           rank, spor_shape_of(i).rank, axis);
    if (axis == rank - 1) return spor_take(x, i, rank - 1);
    axis_last(rank, axis, perm, back);
    spor_var taken = spor_take(spor_transpose(x, perm), spor_transpose(i, perm), rank - 1);
    return spor_transpose(taken, back);
}

spor_var spor_sort(spor_var x, int axis) {
    return spor_take_along(x, spor_argsort(x, axis), axis);
}

spor_var spor_one_hot(spor_var i, int64_t n) {
    spor_shape shape = spor_shape_of(i);
    if (!i.id) return i;
    return spor_scatter_add(i, op_fill_ratio(i.tape, 1, 1, shape), n, shape.rank);
}

/* ---- products -------------------------------------------------------------------------------- */

/* The first half of the axis times the second one, 1 in the place of what that lacks. */
static spor_var product_of_halves(spor_var x, int axis, int64_t n) {
    int64_t half = (n + 1) / 2, none[SPOR_RANK] = {0}, lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    lo[axis] = -half;
    hi[axis] = 2 * half - n;
    spor_var second = spor_pad(x, lo, hi, 1);
    hi[axis] = half - n;
    return spor_mul(spor_pad(x, none, hi, 0), second);
}

spor_var spor_prod(spor_var x, int64_t axes) {
    spor_shape from = spor_shape_of(x), kept = {0};
    int64_t factors = 1;
    if (!x.id) return x;
    if (axes < 0 || axes >> from.rank)
        return tape_reject(x.tape, "prod: axes name an axis that x, of rank %d, does not have",
                           from.rank);
    for (int k = 0; k < from.rank; k++)
        if (axes >> k & 1)
            factors *= from.n[k];
        else
            kept.n[kept.rank++] = from.n[k];
    if (!factors) return op_fill_ratio(x.tape, 1, 1, kept);
    for (int k = 0; k < from.rank; k++)
        for (int64_t n = from.n[k]; axes >> k & 1 && n > 1; n = (n + 1) / 2)
            x = product_of_halves(x, k, n);
    return spor_reshape(x, kept);
}
