/*
 * A line of x along one axis: what softmax, log_softmax and logsumexp share. All shift by the
 * largest element, so that no exponential overflows: ln sum e^x = m + ln sum e^(x - m).
 */
#ifndef SPOR_OPS_LINE_H
#define SPOR_OPS_LINE_H

#include "kernels/pairwise.h"
#include "kernels/reference.h"

/** The largest element of the line through i, or one that is not a number. */
static inline T line_largest(const spor_arg *x, const int64_t i[], int axis) {
    int64_t at[SPOR_RANK];
    for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
    at[axis] = 0;
    T largest = *AT(*x, at);
    for (at[axis] = 1; at[axis] < x->shape.n[axis]; at[axis]++)
        if (WINS(*AT(*x, at), largest)) largest = *AT(*x, at);
    return largest;
}

/** False for an infinity and for what is not a number. */
static inline int line_is_finite(T x) {
    return !IS_NAN(SUB(x, x));
}

/** The sum of e^(x - shift) over the line through i. */
static inline T line_sum_exp(const spor_arg *x, const int64_t i[], int axis, T shift) {
    int64_t at[SPOR_RANK];
    for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
    pairwise_sum sum;
    pairwise_begin(&sum);
    for (at[axis] = 0; at[axis] < x->shape.n[axis]; at[axis]++)
        pairwise_add(&sum, EXP(SUB(*AT(*x, at), shift)));
    return pairwise_total(&sum);
}

#endif
