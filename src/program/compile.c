/* Compiling: match, differentiate, update, merge, plan. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

/* What a compilation is to give, in nodes of the recorded tape. */
typedef struct {
    uint32_t *wanted; /* outputs, then wrt, or the assigned values of a training program */
    uint32_t count;
    uint32_t outputs;
    uint32_t cost;             /* 0: there is no backward pass */
    bool asks;                 /* for gradients to read; else those of parameters are delivered */
    int slopes;                /* number of these */
    const spor_var *wrt;       /* [slopes] of what */
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

/* What was asked for, in the contracted tape. */
static int find_asked(const spor_program *program, const request *r, spor_var w[]) {
    for (int k = 0; k < r->slopes; k++)
        w[k] = (spor_var){program->graph.tape, program->graph.map[r->wrt[k].id]};
    return r->slopes;
}

/* Gradients reach the parameters' block, unless only the rule of an update is to read them. */
static bool hands_on(const spor_program *program) {
    return !program->portable && (program->gradients || !program->updates);
}

/* Where gradients go: to who asked for them, or into the parameters' block. */
static bool hand_on(spor_program *program, const request *r, int n, const spor_var w[],
                    const spor_var dw[], spor_targets *targets) {
    bool done = true;
    for (int k = 0; r->asks && k < n; k++) program->slope[k] = dw[k].id;
    for (int k = 0; done && !r->asks && k < n; k++) {
        const char *name = program->graph.tape->node[w[k].id].name;
        int entry = spor_params_find(program->params, name);
        const spor_target target = {dw[k].id, entry, SPOR_GRADIENTS};
        done = add_target(&program->trained, target) &&
               (!hands_on(program) || add_target(targets, target));
    }
    return done || no_memory(program);
}

/* Appends the gradients, then the optimizer's rule; adds the targets. */
static bool differentiate(spor_program *program, const request *r, spor_targets *targets) {
    spor_tape *tape = program->graph.tape;
    spor_var cost = {tape, program->graph.map[r->cost]};
    size_t room = (size_t)program->recorded->leaves + (size_t)r->slopes + 1;
    spor_var *w = calloc(room, sizeof *w), *dw = calloc(room, sizeof *dw);
    program->slope = calloc(room, sizeof *program->slope);
    program->slopes = r->slopes;
    bool done = w && dw && program->slope;
    int n = !done ? 0 : r->asks ? find_asked(program, r, w) : find_trained(program, w);
    done = done ? spor_grad(cost, n, w, dw) : no_memory(program);
    if (!done) program_fail(program, "%s", spor_error(tape));
    done = done && hand_on(program, r, n, w, dw, targets);
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
    if (done && program->updates && !program->portable)
        program->alarm = record_alarm(program, targets);
    return done;
}

/* ---- from graph to plan ---- */

/* Outputs, cost, alarm and targets are what the steps are for. */
static bool merge_and_plan(spor_program *program, const request *r, const spor_targets *targets) {
    const spor_contraction *graph = &program->graph;
    uint32_t nodes = graph->tape->count, count = 0;
    uint32_t *roots =
        calloc((size_t)r->count + targets->count + (size_t)program->slopes + 2, sizeof *roots);
    bool *live = calloc(nodes, sizeof *live);
    program->same = calloc(nodes, sizeof *program->same);
    program->readable = calloc(nodes, sizeof *program->readable);
    bool done = roots && live && program->same && program->readable;
    for (uint32_t k = 0; done && k < r->outputs; k++) roots[count++] = graph->map[r->wanted[k]];
    for (int k = 0; done && k < program->slopes; k++) roots[count++] = program->slope[k];
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
    bool backward = r->cost != 0;
    const contraction_use use = {!program->reference, backward, program->rowwise,
                                 program->portable};
    if (!contract_tape(program->recorded, r->wanted, r->count, &use, &program->graph)) {
        const char *error = program->graph.tape ? spor_error(program->graph.tape) : NULL;
        return program_fail(program, "%s", error ? error : "out of memory");
    }
    spor_targets targets = {0};
    bool done = !backward || (r->asks ? differentiate : train)(program, r, &targets);
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
    program->rowwise = options->rowwise;
    program->portable = options->portable;
    program->gradients = options->gradients;
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

/* Adds n variables of the tape to what is wanted. */
static bool want(spor_program *program, request *r, int n, const spor_var x[], const char *what) {
    const spor_tape *tape = program->recorded;
    if (n > 0 && !x) return no_memory(program);
    for (int k = 0; k < n; k++) {
        bool healthy = x[k].tape == tape && x[k].id && x[k].id < tape->count;
        if (!healthy) return program_fail(program, "%s is not a variable of the tape", what);
        r->wanted[r->count++] = x[k].id;
    }
    return true;
}

/* A hand-derived backward knows the gradients of its operands, not of what lies behind them. */
static bool are_in_sight(spor_program *program, const request *r) {
    uint32_t y = 0;
    int hidden = custom_hides(program->recorded, r->slopes, r->wrt, &y);
    if (hidden == -1) return true;
    if (hidden < 0) return no_memory(program);
    return program_fail(
        program,
        "the gradient of v%" PRIu32 " can't be told: it lies inside of v%" PRIu32
        ", which has a hand-derived backward (spor_custom_vjp), and is no operand of "
        "that",
        r->wrt[hidden].id, y);
}

/* Cost, outputs, wrt and what is assigned, in nodes of the recorded tape. */
static bool list_wanted(spor_program *program, request *r, int n, const spor_var outputs[]) {
    const spor_tape *tape = program->recorded;
    size_t room = (size_t)(n > 0 ? n : 0) + (size_t)r->slopes;
    r->wanted = calloc(room + tape->assignments + 1, sizeof *r->wanted);
    if (!r->wanted) return no_memory(program);
    if (r->cost) r->wanted[r->count++] = r->cost;
    if (!want(program, r, n, outputs, "an output")) return false;
    r->outputs = r->count;
    if (!want(program, r, r->slopes, r->wrt, "what a gradient is asked of")) return false;
    if (r->slopes && !are_in_sight(program, r)) return false;
    for (uint32_t k = 0; r->cost && !r->asks && k < tape->assignments; k++)
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

static spor_program *make_backward(spor_var cost, request r, int n, const spor_var outputs[],
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
    return make_backward(cost, (request){0}, n, outputs, params, options);
}

spor_program *spor_compile_update(spor_var cost, int n, const spor_var outputs[],
                                  spor_params *params, spor_optimizer *optimizer, void *user,
                                  const spor_options *options) {
    request r = {.optimizer = optimizer, .user = user};
    spor_program *program = make_backward(cost, r, n, outputs, params, options);
    if (program && !optimizer) program_fail(program, "an update needs an optimizer");
    return program;
}

spor_program *spor_compile_gradient(spor_var cost, int n, const spor_var wrt[], int outputs,
                                    const spor_var output[], spor_params *params,
                                    const spor_options *options) {
    request r = {.asks = true, .slopes = n > 0 ? n : 0, .wrt = wrt};
    return make_backward(cost, r, outputs, output, params, options);
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
    free(program->slope);
    free(program->trained.at);
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
