/* Recording the optimizer's rule behind the backward pass. */
#include <stdlib.h>

#include "program/program.h"

bool add_target(spor_targets *targets, spor_target target) {
    for (uint32_t k = 0; k < targets->count; k++) {
        spor_target *known = &targets->at[k];
        if (known->entry != target.entry || known->where != target.where) continue;
        *known = target;
        return true;
    }
    spor_target *grown = tape_grow(targets->at, targets->count, &targets->capacity, sizeof *grown);
    if (!grown) return false;
    targets->at = grown;
    targets->at[targets->count++] = target;
    return true;
}

bool add_assignments(const spor_program *program, const spor_tape *tape, const uint32_t map[],
                     spor_targets *targets) {
    bool done = true;
    for (uint32_t k = 0; done && k < tape->assignments; k++) {
        const spor_assignment *a = &tape->assignment[k];
        int entry = spor_params_find(program->params, tape->node[a->state].name);
        uint32_t value = map ? map[a->value] : a->value;
        done = add_target(targets, (spor_target){value, entry, SPOR_NEXT});
    }
    return done;
}

/* The rule's next value of w: a node of w's shape. */
static bool check_next(spor_tape *tape, spor_var w, spor_var next) {
    const spor_node *node = tape_node_of(w);
    char have[128], want[128];
    if (spor_error(tape)) return false;
    if (next.tape != tape || !next.id || next.id >= tape->count) {
        tape_reject(tape, "the optimizer records no next value of %s", node->name);
        return false;
    }
    if (shape_equal(tape_node_of(next)->shape, node->shape)) return true;
    tape_shape_text(tape_node_of(next)->shape, NULL, have, sizeof have);
    tape_shape_text(node->shape, NULL, want, sizeof want);
    tape_reject(tape, "the optimizer's next value of %s is %s but must be %s as the parameter is",
                node->name, have, want);
    return false;
}

/* What the rule may leave on the tape: states, which have names of their own, and next values. */
static bool check_rule(spor_tape *tape, int n, const spor_var w[], const spor_var next[]) {
    bool sound = !spor_error(tape);
    for (uint32_t k = 0; sound && k < tape->leaves; k++) {
        sound = !tape->leaf[k].trained;
        if (!sound)
            tape_reject(tape, "the optimizer records %s as a parameter; what it keeps is a state",
                        tape->node[tape->leaf[k].id].name);
    }
    for (int k = 0; sound && k < n; k++) sound = check_next(tape, w[k], next[k]);
    return sound;
}

/* Calls the optimizer in a scope of its own, so that its states have names of their own. */
static bool call_optimizer(spor_tape *tape, spor_optimizer *optimizer, void *user, int n,
                           const spor_var w[], const spor_var dw[], spor_var next[]) {
    tape->place = (spor_place){0};
    tape->unplaced = tape->count;
    spor_scope_begin(tape, "optimizer");
    if (!optimizer(n, w, dw, next, user)) tape_reject(tape, "the optimizer does not record");
    spor_scope_end(tape, n ? next[0] : (spor_var){tape, 0});
    return check_rule(tape, n, w, next);
}

/* A parameter whose next value is itself stays as it is. */
static bool add_next_values(const spor_program *program, int n, const spor_var w[],
                            const spor_var next[], spor_targets *targets) {
    bool done = true;
    for (int k = 0; done && k < n; k++) {
        int entry = spor_params_find(program->params, tape_node_of(w[k])->name);
        if (next[k].id != w[k].id)
            done = add_target(targets, (spor_target){next[k].id, entry, SPOR_NEXT});
    }
    return done;
}

static spor_var sum_of(spor_var x) {
    int rank = tape_node_of(x)->shape->rank;
    return rank ? spor_sum(x, SPOR_AXIS(rank) - 1) : x;
}

uint32_t record_alarm(const spor_program *program, const spor_targets *targets) {
    spor_tape *tape = program->graph.tape;
    spor_var all = {tape, program->cost};
    for (uint32_t k = 0; k < targets->count; k++)
        if (targets->at[k].where == SPOR_NEXT)
            all = spor_add(all, sum_of((spor_var){tape, targets->at[k].node}));
    return all.id;
}

bool record_update(spor_program *program, spor_optimizer *optimizer, void *user, int n,
                   const spor_var w[], const spor_var dw[], spor_targets *targets) {
    spor_tape *tape = program->graph.tape;
    spor_var *next = calloc((size_t)n + 1, sizeof *next);
    if (!next) return program_fail(program, "out of memory");
    bool done = call_optimizer(tape, optimizer, user, n, w, dw, next);
    if (!done) program_fail(program, "%s", spor_error(tape));
    if (done && !params_join_states(program->params, tape, SPOR_OPTIMIZER_STATE))
        done = program_fail(program, "%s", spor_params_error(program->params));
    done = done && ((add_next_values(program, n, w, next, targets) &&
                     add_assignments(program, tape, NULL, targets)) ||
                    program_fail(program, "out of memory"));
    free(next);
    return done;
}
