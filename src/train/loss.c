/*
 * Losses of a prediction [N, m] and a target [N, m]. The reduction over the rows is named.
 */
#include <spor/train.h>

#include "base/shape.h"
#include "tape/tape.h"
#include "train/model.h"

/* The prediction; an error if the network gives other numbers a row than the data have. */
static spor_var fitting(spor_var prediction, spor_var target) {
    spor_shape have = spor_shape_of(prediction), wanted = spor_shape_of(target);
    if (!prediction.id || !target.id || shape_equal(&have, &wanted)) return prediction;
    char given[128], asked[128];
    tape_shape_text(&have, NULL, given, sizeof given);
    tape_shape_text(&wanted, NULL, asked, sizeof asked);
    return tape_reject(prediction.tape,
                       "the network returns %s, and the targets of the data are %s: they must "
                       "have one shape",
                       given, asked);
}

/* -sum_n y_n . ln softmax(l_n): where rows of y sum to 1 it is sum_n (logsumexp(l_n) - y_n . l_n),
 * but large logits are shifted before they meet anything that rounds */
spor_var spor_cross_entropy_sum(spor_var prediction, spor_var target, void *user) {
    (void)user;
    spor_var l = fitting(prediction, target), y = target;
    spor_var rows = spor_neg(spor_sum(spor_mul(y, spor_log_softmax(l, 1)), SPOR_AXIS(1)));
    return spor_sum(rows, SPOR_AXIS(0));
}

static spor_var mean_of_rows(spor_var total, spor_var prediction) {
    spor_shape shape = spor_shape_of(prediction);
    return spor_mul(total, spor_ratio(prediction.tape, 1, shape.rank ? shape.n[0] : 1));
}

spor_var spor_cross_entropy_mean(spor_var prediction, spor_var target, void *user) {
    return mean_of_rows(spor_cross_entropy_sum(prediction, target, user), prediction);
}

/* sum (p - y)^2 */
spor_var spor_squared_error_sum(spor_var prediction, spor_var target, void *user) {
    (void)user;
    spor_var error = spor_sub(fitting(prediction, target), target);
    return spor_sum(spor_mul(error, error), SPOR_AXIS(spor_shape_of(error).rank) - 1);
}

spor_var spor_squared_error_mean(spor_var prediction, spor_var target, void *user) {
    spor_var total = spor_squared_error_sum(prediction, target, user);
    spor_shape shape = spor_shape_of(prediction);
    return spor_mul(total, spor_ratio(prediction.tape, 1, shape_size(&shape)));
}

/* A logit says how likely class 1 is: of one-hot rows of two classes that is the second number. */
static spor_var labels_of(spor_var target, const spor_shape *prediction) {
    spor_shape have = spor_shape_of(target);
    bool second =
        have.rank == 2 && prediction->rank == 2 && have.n[1] == 2 && prediction->n[1] == 1;
    return second ? spor_pad(target, (int64_t[]){0, -1}, (int64_t[]){0, 0}, 0) : target;
}

/* sum (y softplus(-l) + (1 - y) softplus(l)): terms of one sign, each as good as its softplus */
spor_var spor_binary_cross_entropy_sum(spor_var prediction, spor_var target, void *user) {
    (void)user;
    spor_shape shape = spor_shape_of(prediction);
    spor_var y = labels_of(target, &shape), l = fitting(prediction, y);
    spor_var one = spor_expand(spor_ratio(l.tape, 1, 1), SPOR_AXIS(shape.rank) - 1, shape);
    spor_var right = spor_mul(y, spor_softplus(spor_neg(l)));
    spor_var wrong = spor_mul(spor_sub(one, y), spor_softplus(l));
    return spor_sum(spor_add(right, wrong), SPOR_AXIS(shape.rank) - 1);
}

spor_var spor_binary_cross_entropy_mean(spor_var prediction, spor_var target, void *user) {
    return mean_of_rows(spor_binary_cross_entropy_sum(prediction, target, user), prediction);
}

/* ---- links ---- */

static spor_var softmax_of_rows(spor_var prediction) {
    return spor_softmax(prediction, 1);
}

static spor_var sigmoid_of_labels(spor_var prediction) {
    return spor_sigmoid(prediction);
}

spor_link *loss_link(spor_loss *loss) {
    static const struct {
        spor_loss *loss;
        spor_link *link;
    } links[] = {{spor_cross_entropy_sum, softmax_of_rows},
                 {spor_cross_entropy_mean, softmax_of_rows},
                 {spor_binary_cross_entropy_sum, sigmoid_of_labels},
                 {spor_binary_cross_entropy_mean, sigmoid_of_labels}};
    for (size_t k = 0; k < sizeof links / sizeof *links; k++)
        if (links[k].loss == loss) return links[k].link;
    return NULL;
}
