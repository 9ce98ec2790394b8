/* Compiling: match, differentiate, merge, plan. */
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

/* What a compilation is to give, in nodes of the recorded tape. */
typedef struct {
    uint32_t *wanted; /* outputs, then the assigned values of a training program */
    uint32_t count;
    uint32_t outputs;
    uint32_t cost; /* 0: not a training program */
} request;

static bool no_memory(spor_program *program) {
    return program_fail(program, "out of memory");
}

/* ---- the backward pass ---- */

/* Appends the gradients of the trained parameters and adds them to targets. */
static bool differentiate(spor_program *program, spor_var cost, spor_target targets[],
                          uint32_t *count) {
    spor_tape *tape = program->graph.tape;
    const spor_tape *recorded = program->recorded;
    spor_var *wrt = calloc(recorded->leaves + 1, sizeof *wrt);
    spor_var *d = calloc(recorded->leaves + 1, sizeof *d);
    int n = 0;
    for (uint32_t k = 0; wrt && k < recorded->leaves; k++)
        if (recorded->leaf[k].trained)
            wrt[n++] = (spor_var){tape, program->graph.map[recorded->leaf[k].id]};
    bool done = wrt && d ? spor_grad(cost, n, wrt, d) : no_memory(program);
    if (!done) program_fail(program, "%s", spor_error(tape));
    for (int k = 0; done && k < n; k++)
        targets[(*count)++] = (spor_target){
            d[k].id, spor_params_find(program->params, tape->node[wrt[k].id].name), true};
    free(wrt);
    free(d);
    return done;
}

/* A value that is itself a parameter or a state, computed into a buffer of its own: assignments
 * take place one after the other, and each is of the value before all of them. */
static uint32_t detached(spor_tape *tape, uint32_t value) {
    uint32_t home = value;
    while (tape->node[home].op->traits & SPOR_ALIAS) home = tape->node[home].in[0];
    if (!(tape->node[home].op->traits & SPOR_STORED)) return value;
    spor_var x = {tape, value};
    return spor_mul(x, op_fill_ratio(tape, 1, 1, spor_shape_of(x))).id;
}

/* The states that take a value after each step. */
static void add_assignments(const spor_program *program, spor_target targets[], uint32_t *count) {
    const spor_tape *recorded = program->recorded;
    for (uint32_t k = 0; k < recorded->assignments; k++) {
        const spor_assignment *a = &recorded->assignment[k];
        int entry = spor_params_find(program->params, recorded->node[a->state].name);
        uint32_t value = detached(program->graph.tape, program->graph.map[a->value]);
        targets[(*count)++] = (spor_target){value, entry, false};
    }
}

/* ---- from graph to plan ---- */

/* Outputs, cost and targets are what the steps are for. */
static bool merge_and_plan(spor_program *program, const request *r, const spor_target targets[],
                           uint32_t target_count) {
    const spor_contraction *graph = &program->graph;
    uint32_t nodes = graph->tape->count, count = 0;
    uint32_t *roots = calloc(r->count + target_count + 1, sizeof *roots);
    bool *live = calloc(nodes, sizeof *live);
    program->same = calloc(nodes, sizeof *program->same);
    program->readable = calloc(nodes, sizeof *program->readable);
    bool done = roots && live && program->same && program->readable;
    for (uint32_t k = 0; done && k < r->outputs; k++) roots[count++] = graph->map[r->wanted[k]];
    uint32_t pinned = count;
    for (uint32_t k = 0; done && k < target_count; k++) roots[count++] = targets[k].node;
    bool errors = program->scalar == SPOR_BOUND;
    done = done && merge_equal(graph->tape, errors, roots, count, program->same, live);
    done = done ? plan_program(program, live, roots, pinned, targets, target_count)
                : no_memory(program);
    for (uint32_t k = 0; done && k < pinned; k++) program->readable[roots[k]] = true;
    for (uint32_t id = 1; done && id < nodes; id++)
        if (graph->tape->node[id].op->traits & SPOR_GIVEN) program->readable[id] = true;
    free(roots);
    free(live);
    return done;
}

static bool compile(spor_program *program, const request *r) {
    bool training = r->cost != 0;
    if (!contract_tape(program->recorded, r->wanted, r->count, !program->reference, training,
                       &program->graph)) {
        const char *error = program->graph.tape ? spor_error(program->graph.tape) : NULL;
        return program_fail(program, "%s", error ? error : "out of memory");
    }
    uint32_t count = 0, most = program->recorded->leaves + program->recorded->assignments + 1;
    spor_target *targets = calloc(most, sizeof *targets);
    if (!targets) return no_memory(program);
    spor_var cost = {program->graph.tape, training ? program->graph.map[r->cost] : 0};
    bool done = !training || differentiate(program, cost, targets, &count);
    if (done && training) add_assignments(program, targets, &count);
    if (done && spor_error(program->graph.tape)) done = no_memory(program);
    done = done && merge_and_plan(program, r, targets, count);
    free(targets);
    return done;
}

/* ---- the public face ---- */

/* Everything that must hold before the work starts. */
static bool prepare(spor_program *program, const spor_options *options) {
    program->scalar = options->scalar;
    program->reference = options->reference || options->scalar > SPOR_F64;
    program->workspace = options->workspace ? options->workspace : &program->own;
    if (spor_error(program->recorded))
        return program_fail(program, "%s", spor_error(program->recorded));
    if (program->scalar >= SPOR_SCALARS)
        return program_fail(program, "no scalar type %d", (int)program->scalar);
    if (!program->params && program->recorded->leaves)
        return program_fail(program, "the tape has parameters but no spor_params was given");
    if (program->params && !spor_params_join(program->params, program->recorded))
        return program_fail(program, "%s", spor_params_error(program->params));
    program->converted = program->params && program->params->scalar != program->scalar;
    return isa_pick(program, options->isa);
}

/* cost.id 0: not a training program. */
static spor_program *make(spor_tape *tape, spor_var cost, int n, const spor_var outputs[],
                          spor_params *params, const spor_options *options) {
    spor_program *program = calloc(1, sizeof *program);
    if (!program || !tape) return program;
    program->recorded = tape;
    program->params = params;
    if (!prepare(program, options ? options : &(spor_options){0})) return program;
    request r = {.cost = cost.id};
    r.wanted = calloc((size_t)n + tape->assignments + 1, sizeof *r.wanted);
    bool healthy = r.wanted || no_memory(program);
    if (healthy && cost.id) r.wanted[r.count++] = cost.id;
    for (int k = 0; healthy && k < n; k++) {
        healthy = outputs[k].tape == tape && outputs[k].id && outputs[k].id < tape->count;
        if (healthy) r.wanted[r.count++] = outputs[k].id;
    }
    if (!healthy) program_fail(program, "an output is not a variable of the tape");
    r.outputs = r.count;
    for (uint32_t k = 0; healthy && cost.id && k < tape->assignments; k++)
        r.wanted[r.count++] = tape->assignment[k].value;
    if (healthy) compile(program, &r);
    free(r.wanted);
    return program;
}

spor_program *spor_compile(spor_tape *tape, int n, const spor_var outputs[], spor_params *params,
                           const spor_options *options) {
    spor_program *program = make(tape, (spor_var){0}, n, outputs, params, options);
    if (program && !tape) program_fail(program, "out of memory (no tape)");
    return program;
}

spor_program *spor_compile_training(spor_var cost, int n, const spor_var outputs[],
                                    spor_params *params, const spor_options *options) {
    spor_program *program = make(cost.tape, cost, n, outputs, params, options);
    if (program && !cost.id)
        program_fail(program, "%s",
                     cost.tape && spor_error(cost.tape) ? spor_error(cost.tape)
                                                        : "the cost was never recorded");
    return program;
}

void spor_program_free(spor_program *program) {
    if (!program) return;
    contraction_free(&program->graph);
    free(program->same);
    free(program->storage);
    free(program->readable);
    for (uint32_t k = 0; k < program->steps; k++) tiles_free(program->step[k].group);
    order_free(&program->order);
    free(program->step);
    free(program->arg);
    free(program->operand);
    free(program->delivery);
    free(program->own.base);
    if (program->converted) {
        free(program->value);
        free(program->gradient);
    }
    free(program);
}
