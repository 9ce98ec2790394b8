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
    for (int k = 0; k < shape.rank; k++) {
        int64_t n = k < ahead ? 1 : from.n[k - ahead];
        if (ahead < 0 || (n != 1 && n != shape.n[k])) break;
        if (k < ahead || n != shape.n[k])
            axes |= SPOR_AXIS(k);
        else
            kept.n[kept.rank++] = n;
    }
    if (ahead >= 0 && shape_size(&kept) == shape_size(&from))
        return spor_expand(kept.rank == from.rank ? x : spor_reshape(x, kept), axes, shape);
    char a[128], b[128];
    tape_shape_text(&from, NULL, a, sizeof a);
    tape_shape_text(&shape, NULL, b, sizeof b);
    return tape_reject(x.tape,
                       "broadcast: %s does not repeat to %s: trailing axes must agree or "
                       "be 1",
                       a, b);
}

spor_var spor_mean(spor_var x, int64_t axes) {
    spor_shape from = spor_shape_of(x);
    int64_t count = 1;
    for (int k = 0; k < from.rank; k++)
        if (axes >> k & 1) count *= from.n[k];
    spor_var sum = spor_sum(x, axes);
    return sum.id ? spor_mul(sum, op_fill_ratio(x.tape, 1, count, spor_shape_of(sum))) : sum;
}

spor_var spor_flatten(spor_var x) {
    spor_shape from = spor_shape_of(x);
    if (!x.id || from.rank == 2) return x;
    if (!from.rank) return tape_reject(x.tape, "flatten: a scalar has no rows");
    return spor_reshape(x, SPOR_SHAPE(from.n[0], shape_size(&from) / from.n[0]));
}
