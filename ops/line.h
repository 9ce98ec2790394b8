/*
 * A line of x along one axis: what softmax and logsumexp share. Both shift by the largest element,
 * so that no exponential overflows: ln sum e^x = m + ln sum e^(x - m).
 */
#ifndef SPOR_OPS_LINE_H
#define SPOR_OPS_LINE_H

#include "kernels/reference.h"

/** The largest element of the line through i. */
static inline T line_largest(const spor_arg *x, const int64_t i[], int axis) {
    int64_t at[SPOR_RANK];
    for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
    at[axis] = 0;
    T largest = *AT(*x, at);
    for (at[axis] = 1; at[axis] < x->shape.n[axis]; at[axis]++)
        if (LESS(largest, *AT(*x, at))) largest = *AT(*x, at);
    return largest;
}

/** The sum of e^(x - shift) over the line through i. */
static inline T line_sum_exp(const spor_arg *x, const int64_t i[], int axis, T shift) {
    int64_t at[SPOR_RANK];
    for (int k = 0; k < SPOR_RANK; k++) at[k] = i[k];
    T sum = FROM_INT(0);
    for (at[axis] = 0; at[axis] < x->shape.n[axis]; at[axis]++)
        sum = ADD(sum, EXP(SUB(*AT(*x, at), shift)));
    return sum;
}

#endif
