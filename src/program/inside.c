/*
 * What is moved into a larger array is computed there. A concat of concats, or a pad of one, would copy the same
 * elements once a level: instead the inner one, if it moves elements, too, and nobody else reads it, writes to its box
 * of the outer one, whose kernel finds that box as it is to be. Only strides and addresses change.
 */
#include <stdlib.h>

#include "kernels/copy.h"
#include "program/program.h"

/* Where all elements of an operand of the step go, in their order; NULL: they do not, or not all to one box. */
static const copy_move *box_of_operand(const copy_moves *m, const program_step *step, int k) {
    const spor_arg *in = &step->call.in[k];
    const copy_move *found = NULL;
    for (int i = 0; i < m->count; i++) {
        if (m->move[i].operand != k) continue;
        if (found) return NULL;
        found = &m->move[i];
    }
    bool whole = found && found->box.axes == in->shape.rank && !found->box.from;
    for (int a = 0; whole && a < in->shape.rank; a++) {
        const copy_axis *axis = &found->box.axis[a];
        whole = axis->n == in->shape.n[a] && (axis->n == 1 || axis->from == in->stride[a]);
    }
    return whole ? found : NULL;
}

/* Its kernel writes to wherever the strides of its result say. */
static bool moves_elements(const spor_program *program, const program_step *step) {
    return !step->group && !step->reference && program->graph.tape->node[step->node[0]].op->moves;
}

typedef struct {
    uint32_t *maker,
        *reads; /* by node: the step that computes it, counted from 1; operands that are it */
} uses;

static void find_uses(const spor_program *program, const uses *u) {
    for (uint32_t s = 0; s < program->steps; s++) {
        const program_step *step = &program->step[s];
        for (int k = 0; k < step_writes(step); k++) u->maker[step_written(step, k)] = s + 1;
        for (int k = 0; k < step->reads; k++) u->reads[program_home(program, step->operand[k])]++;
    }
}

/* The step that computes operand k of step s and may do so in its place there; NULL: none. */
static program_step *step_inside(const spor_program *program, const uses *u, uint32_t s, int k,
                                 const uint32_t last[]) {
    uint32_t id = program->step[s].operand[k];
    if (program_home(program, id) != id || program->storage[id].where != SPOR_NOWHERE ||
        last[id] != s || u->reads[id] != 1 || !u->maker[id])
        return NULL;
    program_step *inner = &program->step[u->maker[id] - 1];
    return moves_elements(program, inner) ? inner : NULL;
}

/* The outer step comes later and has its strides before the inner one. */
static void place_operands(spor_program *program, const uses *u, uint32_t s, const uint32_t last[],
                           spor_inside inside[]) {
    program_step *step = &program->step[s];
    copy_moves m = {0};
    program->graph.tape->node[step->node[0]].op->moves(&step->call, &m);
    for (int k = 0; k < step->reads; k++) {
        program_step *inner = step_inside(program, u, s, k, last);
        const copy_move *move = inner ? box_of_operand(&m, step, k) : NULL;
        if (!move) continue;
        inside[inner->node[0]] = (spor_inside){step->node[0], move->box.to};
        for (int a = 0; a < inner->call.out.shape.rank; a++)
            step->call.in[k].stride[a] = inner->call.out.stride[a] = move->box.axis[a].to;
    }
}

bool find_insides(spor_program *program, const uint32_t last[], spor_inside inside[]) {
    uint32_t nodes = program->graph.tape->count;
    uint32_t *room = calloc(nodes, 2 * sizeof *room);
    if (!room) return false;
    uses u = {room, room + nodes};
    find_uses(program, &u);
    for (uint32_t s = program->steps; s-- > 0;)
        if (moves_elements(program, &program->step[s]))
            place_operands(program, &u, s, last, inside);
    free(room);
    return true;
}
