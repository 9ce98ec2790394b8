/*
 * A tape evaluated node by node, over a scalar type or in the numbers of exact.h, so that tests see
 * every node. Nothing is merged, there are no fast paths.
 */
#ifndef SPOR_TESTS_EVALUATE_H
#define SPOR_TESTS_EVALUATE_H

#include "tape/op.h"

/** In the place of a scalar type: the numbers of exact.h. */
enum { EVALUATE_EXACT = SPOR_SCALARS };

/** The reference kernel of an op over a scalar type or in exact numbers; NULL: it has no meaning there. */
spor_reference *evaluation_kernel(const spor_op *op, int scalar);

/** The numbers of all nodes of a tape. */
typedef struct {
    const spor_tape *tape;
    int scalar;   /* spor_scalar or EVALUATE_EXACT */
    void **value; /* [id]: row-major; inputs are to be filled */
} evaluation;

/** False if memory runs out; evaluation_free it all the same. */
bool evaluation_make(evaluation *e, const spor_tape *tape, int scalar);
/** Computes all nodes but inputs. False if an op has no kernel. */
bool evaluation_run(evaluation *e);
void evaluation_free(evaluation *e);

/** Elements of node id. */
int64_t evaluation_size(const spor_tape *tape, uint32_t id);
/** True of an input. */
bool evaluation_is_given(const spor_tape *tape, uint32_t id);

#endif
