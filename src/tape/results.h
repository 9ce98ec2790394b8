/*
 * Several results as one variable: a hand-derived backward, and what is verified of one, has one y and
 * one cotangent.
 */
#ifndef SPOR_TAPE_RESULTS_H
#define SPOR_TAPE_RESULTS_H

#include "tape/tape.h"

/** Their elements end to end, [size]; of one result that itself. */
spor_var results_join(int n, const spor_var result[]);
/** Number k of those n that were joined, by the shapes that they had. */
spor_var results_part(spor_var joined, int n, const spor_shape shape[], int k);

#endif
