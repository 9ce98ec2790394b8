/*
 * Lines that go element by element, from templates: "where(A < 0, $alpha * A, A)".
 */
#ifndef SPOR_IMPORT_ELEMENTWISE_H
#define SPOR_IMPORT_ELEMENTWISE_H

#include "import/graph.h"

/** Output k is the template's line over n values, which broadcast. */
void import_elementwise(import_call *c, int k, int type, const char *text, int n,
                        import_value *const x[]);
/** A template with its operands and the node's attributes put in; rest stands for @. */
const char *import_template(import_call *c, const char *text, const char *const operand[],
                            const char *rest);
/** All inputs, if all are known and the op can be computed now: true, and output 0 is. */
bool import_folds(import_call *c);

#endif
