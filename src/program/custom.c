/*
 * Hand-derived backwards in training programs. In the contracted tape the result y of such a
 * stretch is passed on by a node y' = y that also has the operands: its vjp is the backward for
 * them and zero for y, so differentiation needs to know nothing of it.
 */
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

static bool shape(spor_rule *r) {
    r->out = r->in[0];
    return true;
}

static spor_var vjp(spor_var y, int k, spor_var ybar) {
    if (k == 0) return op_none();
    const spor_custom *custom = &y.tape->custom[op_attrs(y)[0].i];
    if (k > custom->operands) return op_none();
    spor_var operand[SPOR_CUSTOM_OPERANDS], d[SPOR_CUSTOM_OPERANDS] = {{0}};
    for (int j = 0; j < custom->operands; j++) operand[j] = op_operand(y, 1 + j);
    if (!custom->backward(custom->user, y, ybar, custom->operands, operand, d))
        return tape_reject(y.tape, "a hand-derived backward does not record");
    return d[k - 1].id ? d[k - 1] : op_none();
}

static const spor_op custom_op = {
    .signature = "custom(y[*], a[*], b[*], c[*], d[*], e[*]; backward:int)",
    .equation = "y, with a hand-derived backward",
    .traits = SPOR_ALIAS,
    .operands = 1 + SPOR_CUSTOM_OPERANDS,
    .attrs = 1,
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
    tape->custom[tape->customs] = *custom;
    spor_var in[1 + SPOR_CUSTOM_OPERANDS];
    for (int k = 0; k <= SPOR_CUSTOM_OPERANDS; k++) /* unused operands repeat y */
        in[k] = k > 0 && k <= custom->operands ? (spor_var){tape, map[custom->operand[k - 1]]} : y;
    return op_record(&custom_op, in, &(spor_attr){.i = tape->customs++});
}
