/* Operands of patterns that generic tests record. */
#include "program/fast.h"

spor_var sketch_operand(spor_sketch *r, const char *name, spor_shape shape) {
    if (r->again && r->operands < SPOR_OPERANDS) return r->operand[r->operands++];
    bool trained = r->trained && r->given != r->operands + 1;
    spor_var operand = trained ? spor_param(r->tape, name, shape, SPOR_INIT("constant", 0))
                               : spor_input(r->tape, name, shape);
    if (r->operands < SPOR_OPERANDS) r->operand[r->operands++] = operand;
    return operand;
}
