/*
 * Losses of a prediction [N, m] and a target [N, m]. The reduction over the rows is named.
 */
#include <spor/train.h>

#include "base/shape.h"

/* -sum_n y_n . ln softmax(l_n): where rows of y sum to 1 it is sum_n (logsumexp(l_n) - y_n . l_n),
 * but large logits are shifted before they meet anything that rounds */
spor_var spor_cross_entropy_sum(spor_var prediction, spor_var target, void *user) {
    (void)user;
    spor_var l = prediction, y = target;
    spor_var rows = spor_neg(spor_sum(spor_mul(y, spor_log_softmax(l, 1)), SPOR_AXIS(1)));
    return spor_sum(rows, SPOR_AXIS(0));
}

spor_var spor_cross_entropy_mean(spor_var prediction, spor_var target, void *user) {
    spor_var total = spor_cross_entropy_sum(prediction, target, user);
    spor_shape shape = spor_shape_of(prediction);
    return spor_mul(total, spor_ratio(prediction.tape, 1, shape.rank ? shape.n[0] : 1));
}

/* sum (p - y)^2 */
spor_var spor_squared_error_sum(spor_var prediction, spor_var target, void *user) {
    (void)user;
    spor_var error = spor_sub(prediction, target);
    return spor_sum(spor_mul(error, error), SPOR_AXIS(spor_shape_of(error).rank) - 1);
}

spor_var spor_squared_error_mean(spor_var prediction, spor_var target, void *user) {
    spor_var total = spor_squared_error_sum(prediction, target, user);
    spor_shape shape = spor_shape_of(prediction);
    return spor_mul(total, spor_ratio(prediction.tape, 1, shape_size(&shape)));
}
