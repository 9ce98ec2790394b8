/*
 * Hand-derived backwards in training programs. In the contracted tape the result y of such a
 * stretch is passed on by a node y' = y that also has the operands: its vjp is the backward for
 * them and zero for y, so differentiation needs to know nothing of it. Of more operands than a node has
 * several such nodes follow each other; all but the first hand the cotangent on to the one before.
 */
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

enum { OPERANDS = SPOR_OPERANDS - 1 }; /* of one node, beside y */
enum { BACKWARD, FIRST, ATTRS };       /* which one, and which operand of it is the node's first */

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    return true;
}

static spor_var vjp(spor_var y, int k, spor_var ybar) {
    int first = (int)op_attrs(y)[FIRST].i, which = first + k - 1;
    if (k == 0) return first ? ybar : op_none();
    const spor_custom *custom = &y.tape->custom[op_attrs(y)[BACKWARD].i];
    if (which >= custom->operands) return op_none();
    spor_var operand[SPOR_CUSTOM_OPERANDS], d[SPOR_CUSTOM_OPERANDS] = {{0}};
    for (int j = 0; j < custom->operands; j++) operand[j] = (spor_var){y.tape, custom->operand[j]};
    if (!custom->backward(custom->user, y, ybar, custom->operands, operand, d))
        return tape_reject(y.tape, "a hand-derived backward does not record");
    return d[which].id ? d[which] : op_none();
}

static const spor_op custom_op = {
    .signature = "custom(y[*], a[*], b[*], c[*], d[*], e[*]; backward:int, first:int)",
    .equation = "y, with a hand-derived backward",
    .traits = SPOR_ALIAS,
    .operands = 1 + OPERANDS,
    .attrs = ATTRS,
    .shape = shape,
    .vjp = vjp,
};

static bool is_operand(const spor_custom *custom, uint32_t id) {
    int k = 0;
    while (k < custom->operands && custom->operand[k] != id) k++;
    return k < custom->operands;
}

/* inside[id]: y is made of it by other ways than through operands. */
static void mark_inside(const spor_tape *tape, const spor_custom *custom, bool inside[]) {
    memset(inside, 0, tape->count * sizeof *inside);
    inside[custom->y] = true;
    for (uint32_t id = custom->y; id > 0; id--)
        for (int k = 0; inside[id] && k < tape->node[id].op->operands; k++)
            inside[tape->node[id].in[k]] = !is_operand(custom, tape->node[id].in[k]);
    inside[custom->y] = false;
}

int custom_hides(const spor_tape *tape, int n, const spor_var wrt[], uint32_t *y) {
    bool *inside = tape->customs ? malloc(tape->count * sizeof *inside) : NULL;
    int found = tape->customs && !inside ? -2 : -1;
    for (uint32_t c = 0; inside && found < 0 && c < tape->customs; c++) {
        mark_inside(tape, &tape->custom[c], inside);
        *y = tape->custom[c].y;
        for (int k = n - 1; k >= 0; k--)
            if (inside[wrt[k].id]) found = k;
    }
    free(inside);
    return found;
}

spor_var custom_pass(spor_tape *tape, spor_var y, const spor_custom *custom, const uint32_t map[]) {
    spor_custom *grown =
        tape_grow(tape->custom, tape->customs, &tape->custom_capacity, sizeof *grown);
    if (!grown) return tape_exhaust(tape);
    tape->custom = grown;
    grown = &tape->custom[tape->customs++];
    *grown = *custom;
    for (int k = 0; k < custom->operands; k++) grown->operand[k] = map[custom->operand[k]];
    for (int first = 0; first < custom->operands; first += OPERANDS) {
        spor_var in[1 + OPERANDS];
        for (int k = 0; k <= OPERANDS; k++) { /* unused operands repeat y */
            int which = first + k - 1;
            bool own = k > 0 && which < custom->operands;
            in[k] = own ? (spor_var){tape, grown->operand[which]} : y;
        }
        spor_attr attr[ATTRS] = {[BACKWARD].i = tape->customs - 1, [FIRST].i = first};
        y = op_record(&custom_op, in, attr);
    }
    return y;
}
