/*
 * Ops on their samples, as networks: for exports that are tried on every op.
 */
#ifndef SPOR_TESTS_EXPORT_SAMPLED_H
#define SPOR_TESTS_EXPORT_SAMPLED_H

#include "tape/op.h"
#include "train/model.h"

/** An op on one of its samples: its first operand comes of x, the others are parameters. */
typedef struct {
    const spor_op *op;
    const spor_sample *sample;
} sampled;

/** A model of it, its parameters drawn; it keeps the pointer. */
spor_model *sampled_model(const sampled *of, spor_scalar scalar);
/** False if an operand or the result has no elements. */
bool sampled_has_elements(const sampled *of);

#endif
