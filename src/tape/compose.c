/* Compositions: several nodes under one name. */
#include "tape/op.h"
#include "tape/tape.h"

/* A scalar repeated into a shape. */
static spor_var filled(spor_var scalar, spor_shape shape) {
    return shape.rank ? spor_expand(scalar, SPOR_AXIS(shape.rank) - 1, shape) : scalar;
}

spor_var op_fill_ratio(spor_tape *tape, int64_t num, int64_t den, spor_shape shape) {
    return filled(spor_ratio(tape, num, den), shape);
}

spor_var op_fill(spor_tape *tape, double value, double error, spor_shape shape) {
    return filled(op_constant(tape, value, error), shape);
}

spor_var spor_convolve2d(spor_var x, spor_var K, int64_t sh, int64_t sw) {
    return spor_correlate2d(x, spor_flip(K, SPOR_AXIS(0) | SPOR_AXIS(1)), sh, sw);
}

/* x without the axes of size 1 that shape repeats; axes tells which of shape's axes are new. */
spor_var spor_broadcast(spor_var x, spor_shape shape) {
    spor_shape from = spor_shape_of(x), kept = {0};
    if (!x.id || shape_equal(&from, &shape)) return x;
    int ahead = shape.rank - from.rank;
    int64_t axes = 0;
    bool fits = ahead >= 0;
    for (int k = 0; k < shape.rank; k++) {
        int64_t n = k < ahead ? 1 : from.n[k - ahead];
        fits = fits && (n == 1 || n == shape.n[k]);
        if (!fits) break;
        if (k < ahead || n != shape.n[k])
            axes |= SPOR_AXIS(k);
        else
            kept.n[kept.rank++] = n;
    }
    if (fits) return spor_expand(kept.rank == from.rank ? x : spor_reshape(x, kept), axes, shape);
    char a[128], b[128];
    tape_shape_text(&from, NULL, a, sizeof a);
    tape_shape_text(&shape, NULL, b, sizeof b);
    return tape_reject(x.tape,
                       "broadcast: %s does not repeat to %s: trailing axes must agree or "
                       "be 1",
                       a, b);
}

/* ---- products of matrices ---- */

/* The axes before the last two, counted from the end: sizes agree, or one of the two is 1 or missing. False
 * if they don't. */
static bool merge_leading(const spor_shape *x, const spor_shape *y, spor_shape *out) {
    *out = (spor_shape){.rank = (x->rank > y->rank ? x->rank : y->rank) - 2};
    for (int k = 1; k <= out->rank; k++) {
        int64_t a = k <= x->rank - 2 ? x->n[x->rank - 2 - k] : 1;
        int64_t b = k <= y->rank - 2 ? y->n[y->rank - 2 - k] : 1;
        if (a != b && a != 1 && b != 1) return false;
        out->n[out->rank - k] = a == 1 ? b : a;
    }
    return true;
}

/* x with its leading axes repeated to these. */
static spor_var with_leading(spor_var x, const spor_shape *leading) {
    spor_shape in = spor_shape_of(x), out = *leading;
    out.n[out.rank++] = in.n[in.rank - 2];
    out.n[out.rank++] = in.n[in.rank - 1];
    return spor_broadcast(x, out);
}

/* x[..., n, k] y[k, m]: the rows of all matrices are those of one. */
static spor_var rows_times(spor_var x, spor_var y) {
    spor_shape in = spor_shape_of(x), out = in;
    int64_t k = in.n[in.rank - 1], rows = 1;
    for (int a = 0; a < in.rank - 1; a++) rows *= in.n[a];
    spor_var z = spor_matmul(spor_reshape(x, SPOR_SHAPE(rows, k)), y);
    out.n[out.rank - 1] = spor_shape_of(y).n[1];
    return spor_reshape(z, out);
}

/* Two matrices, or what the rule of spor_matmul has a word on: too few axes, no variable. */
static bool is_plain(spor_var x, spor_var y) {
    int m = spor_shape_of(x).rank, n = spor_shape_of(y).rank;
    return x.tape != y.tape || !x.id || !y.id || m < 2 || n < 2 || (m == 2 && n == 2);
}

spor_var spor_batched_matmul(spor_var x, spor_var y) {
    spor_shape m = spor_shape_of(x), n = spor_shape_of(y), leading;
    if (is_plain(x, y)) return spor_matmul(x, y);
    bool fits = m.n[m.rank - 1] == n.n[n.rank - 2];
    if (fits && n.rank == 2) return rows_times(x, y);
    if (fits && merge_leading(&m, &n, &leading))
        return spor_matmul(with_leading(x, &leading), with_leading(y, &leading));
    char a[128], b[128];
    tape_shape_text(&m, NULL, a, sizeof a);
    tape_shape_text(&n, NULL, b, sizeof b);
    return tape_reject(x.tape,
                       fits ? "batched_matmul: the leading axes of %s and %s do not fit: counted "
                              "from the end, sizes must agree or be 1"
                            : "batched_matmul: x %s has other columns than y %s has rows",
                       a, b);
}

spor_var spor_mean(spor_var x, int64_t axes) {
    spor_shape from = spor_shape_of(x);
    int64_t count = 1;
    for (int k = 0; k < from.rank; k++)
        if (axes >> k & 1) count *= from.n[k];
    spor_var sum = spor_sum(x, axes);
    if (sum.id && !count) return tape_reject(x.tape, "mean: of no elements there is none");
    return sum.id ? spor_mul(sum, op_fill_ratio(x.tape, 1, count, spor_shape_of(sum))) : sum;
}

spor_var spor_flatten(spor_var x) {
    spor_shape from = spor_shape_of(x);
    if (!x.id || from.rank == 2) return x;
    if (!from.rank) return tape_reject(x.tape, "flatten: a scalar has no rows");
    spor_shape row = from;
    row.n[0] = 1;
    return spor_reshape(x, SPOR_SHAPE(from.n[0], shape_size(&row)));
}
