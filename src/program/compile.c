/* Compiling: match, differentiate, update, merge, plan. */
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

/* What a compilation is to give, in nodes of the recorded tape. */
typedef struct {
    uint32_t *wanted; /* outputs, then the assigned values of a training program */
    uint32_t count;
    uint32_t outputs;
    uint32_t cost;             /* 0: not a training program */
    spor_optimizer *optimizer; /* NULL: no update */
    void *user;                /* the optimizer's */
} request;

static bool no_memory(spor_program *program) {
    return program_fail(program, "out of memory");
}

/* ---- the backward pass ---- */

/* The trained parameters of the recorded tape, in the contracted one. */
static int find_trained(const spor_program *program, spor_var w[]) {
    const spor_tape *recorded = program->recorded;
    int n = 0;
    for (uint32_t k = 0; k < recorded->leaves; k++)
        if (recorded->leaf[k].trained)
            w[n++] = (spor_var){program->graph.tape, program->graph.map[recorded->leaf[k].id]};
    return n;
}

/* Appends the gradients of the trained parameters, then the optimizer's rule; adds the targets. */
static bool differentiate(spor_program *program, const request *r, spor_targets *targets) {
    spor_tape *tape = program->graph.tape;
    spor_var cost = {tape, program->graph.map[r->cost]};
    spor_var *w = calloc(program->recorded->leaves + 1, sizeof *w);
    spor_var *dw = calloc(program->recorded->leaves + 1, sizeof *dw);
    int n = w ? find_trained(program, w) : 0;
    bool done = w && dw ? spor_grad(cost, n, w, dw) : no_memory(program);
    if (!done) program_fail(program, "%s", spor_error(tape));
    for (int k = 0; done && k < n; k++) {
        int entry = spor_params_find(program->params, tape->node[w[k].id].name);
        done = add_target(targets, (spor_target){dw[k].id, entry, SPOR_GRADIENTS}) ||
               no_memory(program);
    }
    if (done && r->optimizer)
        done = record_update(program, r->optimizer, r->user, n, w, dw, targets);
    free(w);
    free(dw);
    return done;
}

static bool train(spor_program *program, const request *r, spor_targets *targets) {
    program->cost = program->graph.map[r->cost];
    program->updates = r->optimizer != NULL;
    bool done = differentiate(program, r, targets) &&
                (add_assignments(program, program->recorded, program->graph.map, targets) ||
                 no_memory(program));
    if (done && program->updates) program->alarm = record_alarm(program, targets);
    return done;
}

/* ---- from graph to plan ---- */

/* Outputs, cost, alarm and targets are what the steps are for. */
static bool merge_and_plan(spor_program *program, const request *r, const spor_targets *targets) {
    const spor_contraction *graph = &program->graph;
    uint32_t nodes = graph->tape->count, count = 0;
    uint32_t *roots = calloc((size_t)r->count + targets->count + 2, sizeof *roots);
    bool *live = calloc(nodes, sizeof *live);
    program->same = calloc(nodes, sizeof *program->same);
    program->readable = calloc(nodes, sizeof *program->readable);
    bool done = roots && live && program->same && program->readable;
    for (uint32_t k = 0; done && k < r->outputs; k++) roots[count++] = graph->map[r->wanted[k]];
    if (done && program->alarm) roots[count++] = program->alarm;
    uint32_t pinned = count;
    for (uint32_t k = 0; done && k < targets->count; k++) roots[count++] = targets->at[k].node;
    bool errors = program->scalar == SPOR_BOUND;
    done = done && merge_equal(graph->tape, errors, roots, count, program->same, live);
    done = done ? plan_program(program, live, roots, pinned, targets) : no_memory(program);
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
    spor_targets targets = {0};
    bool done = !training || train(program, r, &targets);
    if (done && spor_error(program->graph.tape)) done = no_memory(program);
    done = done && merge_and_plan(program, r, &targets);
    free(targets.at);
    return done;
}

/* ---- the public face ---- */

/* Everything that must hold before the work starts. */
static bool prepare(spor_program *program, const spor_options *options) {
    program->scalar = options->scalar;
    program->reference = options->reference || options->scalar > SPOR_F64;
    program->workspace = options->workspace ? options->workspace : &program->own;
    program->threads = options->threads > 1 && !program->reference ? options->threads : 1;
    if (program->threads > POOL_MOST) program->threads = POOL_MOST;
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

/* Cost, outputs and what is assigned, in nodes of the recorded tape. */
static bool list_wanted(spor_program *program, request *r, int n, const spor_var outputs[]) {
    const spor_tape *tape = program->recorded;
    r->wanted = calloc((size_t)n + tape->assignments + 1, sizeof *r->wanted);
    if (!r->wanted) return no_memory(program);
    if (r->cost) r->wanted[r->count++] = r->cost;
    for (int k = 0; k < n; k++) {
        bool healthy = outputs[k].tape == tape && outputs[k].id && outputs[k].id < tape->count;
        if (!healthy) return program_fail(program, "an output is not a variable of the tape");
        r->wanted[r->count++] = outputs[k].id;
    }
    r->outputs = r->count;
    for (uint32_t k = 0; r->cost && k < tape->assignments; k++)
        r->wanted[r->count++] = tape->assignment[k].value;
    return true;
}

static spor_program *make(spor_tape *tape, request r, int n, const spor_var outputs[],
                          spor_params *params, const spor_options *options) {
    spor_program *program = calloc(1, sizeof *program);
    if (!program || !tape) return program;
    program->recorded = tape;
    program->params = params;
    if (!prepare(program, options ? options : &(spor_options){0})) return program;
    if (list_wanted(program, &r, n, outputs)) compile(program, &r);
    free(r.wanted);
    return program;
}

spor_program *spor_compile(spor_tape *tape, int n, const spor_var outputs[], spor_params *params,
                           const spor_options *options) {
    spor_program *program = make(tape, (request){0}, n, outputs, params, options);
    if (program && !tape) program_fail(program, "out of memory (no tape)");
    return program;
}

static spor_program *make_training(spor_var cost, request r, int n, const spor_var outputs[],
                                   spor_params *params, const spor_options *options) {
    r.cost = cost.id;
    spor_program *program = make(cost.tape, r, n, outputs, params, options);
    if (program && !cost.id)
        program_fail(program, "%s",
                     cost.tape && spor_error(cost.tape) ? spor_error(cost.tape)
                                                        : "the cost was never recorded");
    return program;
}

spor_program *spor_compile_training(spor_var cost, int n, const spor_var outputs[],
                                    spor_params *params, const spor_options *options) {
    return make_training(cost, (request){0}, n, outputs, params, options);
}

spor_program *spor_compile_update(spor_var cost, int n, const spor_var outputs[],
                                  spor_params *params, spor_optimizer *optimizer, void *user,
                                  const spor_options *options) {
    request r = {.optimizer = optimizer, .user = user};
    spor_program *program = make_training(cost, r, n, outputs, params, options);
    if (program && !optimizer) program_fail(program, "an update needs an optimizer");
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
    free(program->writes);
    free(program->stretch);
    free(program->mover);
    workspace_end(&program->own);
    if (program->converted) {
        free(program->value);
        free(program->next);
        free(program->gradient);
    }
    free(program);
}
