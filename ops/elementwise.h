/*
 * Elementwise ops: the shapes they are tried on, what they refuse and where they have kinks, where
 * that is the same for several of them.
 */
#ifndef SPOR_OPS_ELEMENTWISE_H
#define SPOR_OPS_ELEMENTWISE_H

#include "tape/op.h"

#ifdef SPOR_RULES

/** Of y = f(x). */
static const spor_sample map_samples[] = {
    {.in = {{2, {3, 4}}}}, {.in = {{0, {0}}}}, {.in = {{4, {2, 1, 3, 2}}}}, SPOR_END_SAMPLES};

/** Of z = f(x, y). */
static const spor_sample pair_samples[] = {{.in = {{2, {3, 4}}, {2, {3, 4}}}},
                                           {.in = {{0, {0}}, {0, {0}}}},
                                           {.in = {{4, {2, 1, 3, 2}}, {4, {2, 1, 3, 2}}}},
                                           SPOR_END_SAMPLES};

static const spor_mistake pair_mistakes[] = {
    {.in = {{2, {3, 4}}, {2, {4, 3}}}, .message = "x and y must have one shape"},
    {.in = {{2, {3, 4}}, {1, {4}}}, .message = "x and y must have one shape"},
    SPOR_END_MISTAKES};

/** The margin where the other branch is x of the other sign. */
static inline spor_var margin_to_zero(spor_var y) {
    return spor_abs(op_operand(y, 0));
}

/** The margin where the other branch is the other one of x and y being the larger. */
static inline spor_var margin_to_tie(spor_var z) {
    return spor_abs(spor_sub(op_operand(z, 0), op_operand(z, 1)));
}

/** Of what is constant but for jumps. */
static inline spor_var vjp_of_jumps(spor_var z, int k, spor_var zbar) {
    (void)z, (void)k, (void)zbar;
    return op_none();
}

#endif

#endif
