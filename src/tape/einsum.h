/*
 * Einstein's sums, "bqd,bkd->bqk": what the subscripts say of tensors of some shapes, and the ops that they
 * mean.
 */
#ifndef SPOR_TAPE_EINSUM_H
#define SPOR_TAPE_EINSUM_H

#include "base/message.h"
#include "tape/tape.h"

enum {
    EINSUM_OPERANDS = 16,
    EINSUM_DOTS = 128, /* labels below are letters; from here on axes of "...", */
    EINSUM_LABELS = EINSUM_DOTS + SPOR_RANK /* counted from the last one */
};

/** The labels of axes. */
typedef struct {
    int n;
    int label[2 * SPOR_RANK];
} einsum_axes;

typedef struct {
    int operands;
    einsum_axes of[EINSUM_OPERANDS], out;
    int64_t size[EINSUM_LABELS];
} einsum_plan;

/** Reads subscripts as NumPy does: with "->" or without, with "..." for axes that broadcast; spaces mean
 *  nothing. False with a message. */
bool einsum_read(const char *subscripts, int n, const spor_shape shape[], einsum_plan *plan,
                 spor_message *message);
/** Records the sum of the operands whose shapes were read. */
spor_var einsum_record(const einsum_plan *plan, const spor_var x[]);

#endif
