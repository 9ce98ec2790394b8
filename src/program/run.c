/* Running: memory is taken and addresses are set once, steps are replayed. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/pages.h"
#include "program/program.h"

spor_workspace *spor_workspace_new(void) {
    return calloc(1, sizeof(spor_workspace));
}

void workspace_end(spor_workspace *workspace) {
    pool_free(workspace->pool);
    free(workspace->base);
}

void spor_workspace_free(spor_workspace *workspace) {
    if (!workspace) return;
    workspace_end(workspace);
    free(workspace);
}

size_t spor_program_bytes(const spor_program *program) {
    if (!program) return 0;
    if (!program->converted) return program->bytes;
    return bytes_sum(program->bytes,
                     bytes_for(program->params->elements, 3 * scalar_width(program->scalar)));
}

/* ---- taking memory --------------------------------------------------------------------------- */

static bool take_memory(spor_program *program) {
    spor_workspace *w = program->workspace;
    if (w->base && w->size >= program->bytes) return true;
    char text[24];
    size_t size = program->bytes ? program->bytes : 64;
    free(w->base);
    w->base = pages_take(size);
    w->size = w->base ? size : 0;
    w->moves++;
    if (!w->base)
        return program_fail(program,
                            "the program needs %s of memory, which cannot be had: take fewer rows "
                            "at a time, or smaller tensors",
                            bytes_text(size, text));
    return true;
}

/* The params' blocks, or copies in the program's scalar type. */
static bool take_blocks(spor_program *program) {
    spor_params *params = program->params;
    if (!params) return true;
    if (!params_settle(params)) return program_fail(program, "%s", spor_params_error(params));
    program->linked_layout = params->layout;
    if (!program->converted) {
        program->value = params->value;
        program->next = params->next;
        program->gradient = params->gradient;
        return true;
    }
    size_t bytes = bytes_for(params->held, scalar_width(program->scalar));
    free(program->value);
    free(program->next);
    free(program->gradient);
    program->value = pages_take(bytes);
    program->next = pages_take(bytes);
    program->gradient = pages_take(bytes);
    program->linked_generation = params->generation - 1;
    return (program->value && program->next && program->gradient) ||
           program_fail(program, "out of memory");
}

void *program_address(const spor_program *program, spor_storage storage) {
    switch (storage.where) {
    case SPOR_MEMORY:
        return (char *)program->workspace->base + storage.offset;
    case SPOR_VALUES:
        return (char *)program->value + storage.offset;
    case SPOR_NEXT:
        return (char *)program->next + storage.offset;
    case SPOR_GRADIENTS:
        return (char *)program->gradient + storage.offset;
    default:
        return NULL;
    }
}

static void set_address(const spor_program *program, spor_arg *arg, uint32_t id) {
    const spor_storage *storage = &program->storage[id];
    arg->data = program_address(program, *storage);
    arg->saved = storage->saved ? (char *)program->workspace->base + storage->saved : NULL;
}

/* partial, then scratch */
static void set_room(const spor_program *program, program_step *step) {
    const spor_need *need = &step->need;
    char *base = program->workspace->base, *room = base + step->room;
    size_t partial = bytes_for(need->tasks[SPOR_WORK], need->partial);
    step->call.shared = need->shared ? base + step->shared : NULL;
    step->call.partial = partial ? room : NULL;
    step->call.scratch = need->scratch ? room + partial : NULL;
}

/* Small networks have none, and start no threads. */
static bool has_tasks(const spor_program *program) {
    bool has = false;
    for (uint32_t s = 0; s < program->steps; s++) has = has || step_has_tasks(&program->step[s]);
    return has;
}

/* The workspace has the threads of the first program that needs some; one that has room for fewer runs
 * alone. */
static bool take_threads(spor_program *program) {
    spor_workspace *w = program->workspace;
    bool wanted = program->threads > 1 && has_tasks(program);
    if (wanted && !w->pool) w->pool = pool_new(program->threads);
    program->pool = pool_workers(w->pool) <= program->threads ? w->pool : NULL;
    return !wanted || w->pool || program_fail(program, "out of memory");
}

static bool link_program(spor_program *program) {
    if (!take_memory(program) || !take_blocks(program) || !take_threads(program)) return false;
    for (uint32_t s = 0; s < program->steps; s++) {
        program_step *step = &program->step[s];
        if (!step->group) set_address(program, &step->call.out, step->node[0]);
        for (int k = 0; k < step->call.operands; k++)
            set_address(program, &step->call.in[k], step->operand[k]);
        set_room(program, step);
    }
    program->linked_moves = program->workspace->moves;
    program->prepared = false;
    return program->linked = link_deliveries(program);
}

/* Links if memory was not taken yet or has moved. */
static bool make_ready(spor_program *program) {
    if (*program->error) return false;
    bool current = program->linked && program->linked_moves == program->workspace->moves &&
                   (!program->params || program->linked_layout == program->params->layout);
    if (!current) return link_program(program);
    follow_exchange(program);
    return true;
}

/* ---- parameters of another scalar type ---- */

static void convert_values(spor_program *program) {
    spor_params *params = program->params;
    if (!program->converted || program->linked_generation == params->generation) return;
    scalar_convert(program->value, program->scalar, params->value, params->scalar, params->held);
    program->linked_generation = params->generation;
}

/* ---- running ---- */

int step_writes(const program_step *step) {
    return step->group ? step->call.operands - step->reads : 1;
}

uint32_t step_written(const program_step *step, int k) {
    return step->group ? step->operand[step->reads + k] : step->node[0];
}

const spor_arg *step_result(const program_step *step, int k) {
    return step->group ? &step->call.in[step->reads + k] : &step->call.out;
}

bool step_has_tasks(const program_step *step) {
    bool several = false;
    for (int phase = 0; phase < SPOR_PHASES; phase++) several |= step->need.tasks[phase] > 1;
    return several;
}

/* What steps keep is there if nobody else used the memory since, and no parameter changed. */
static void start(spor_program *program) {
    uint64_t generation = program->params ? program->params->generation : 0;
    convert_values(program);
    fill_settings(program);
    program->prepared = program->prepared && program->workspace->last == program &&
                        program->prepared_generation == generation;
    program->prepared_generation = generation;
    program->workspace->last = program;
}

typedef struct {
    const program_step *step;
    int phase;
} phase_run;

/* Each worker has scratch of its own. */
static void run_task_of(const program_step *step, int phase, int64_t task,
                        const pool_worker *worker) {
    spor_call call = step->call;
    size_t room = step->need.scratch;
    if (call.scratch) call.scratch = (char *)call.scratch + (size_t)worker->number * room;
    call.before = worker->before;
    step->phase[phase](&call, task);
}

static void run_task(void *user, int64_t task, const pool_worker *worker) {
    const phase_run *run = user;
    run_task_of(run->step, run->phase, task, worker);
}

static void run_phase(const program_step *step, int phase, spor_pool *pool) {
    int64_t tasks = step->need.tasks[phase];
    if (tasks == 1)
        step->phase[phase](&step->call, 0);
    else if (tasks)
        pool_run(pool, tasks, run_task, &(phase_run){step, phase});
}

void program_run_step(const program_step *step, spor_pool *pool) {
    if (step->reference) step->reference(&step->call);
    for (int phase = 0; phase < SPOR_PHASES; phase++) run_phase(step, phase, pool);
}

static bool is_prepared(const spor_program *program, const program_step *step, int phase) {
    bool lasts = step->need.keeps && step->lasts && program->prepared;
    return phase == SPOR_PREPARE && (step->prepared || lasts);
}

static void run_step(spor_program *program, program_step *step, uint64_t number) {
    step->call.step = number;
    if (step->reference) step->reference(&step->call);
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        if (!is_prepared(program, step, phase)) run_phase(step, phase, program->pool);
}

/* ---- rounds ---- */

/* A phase of steps first .. end - 1. */
typedef struct {
    const spor_program *program;
    uint32_t first, end;
    int phase, workers;
} round_run;

/* Tasks that step s has to do. */
static int64_t round_tasks(const round_run *run, uint32_t s) {
    const program_step *step = &run->program->step[s];
    return is_prepared(run->program, step, run->phase) ? 0 : step->need.tasks[run->phase];
}

typedef struct {
    const program_step *step;
    int64_t task;
} round_place;

/* Tasks of a round by workers and of each by steps, so that a worker has the same part of each step as where that is
 * done by itself. */
static round_place place_in_round(const round_run *run, int64_t number) {
    for (int part = 0; part < run->workers; part++)
        for (uint32_t s = run->first; s < run->end; s++) {
            int64_t tasks = round_tasks(run, s), first = tasks * part / run->workers,
                    count = tasks * (part + 1) / run->workers - first;
            if (number < count) return (round_place){&run->program->step[s], first + number};
            number -= count;
        }
    return (round_place){0};
}

static void run_round_task(void *user, int64_t number, const pool_worker *worker) {
    const round_run *run = user;
    round_place place = place_in_round(run, number), before = {0};
    if (worker->before) before = place_in_round(run, worker->before - 1);
    pool_worker of_step = {worker->number, before.step == place.step ? before.task + 1 : 0};
    run_task_of(place.step, run->phase, place.task, &of_step);
}

/* Single tasks are not worth another thread where no step has several. */
static void run_round_phase(round_run *run) {
    int64_t all = 0;
    bool several = false;
    for (uint32_t s = run->first; s < run->end; s++) {
        int64_t tasks = round_tasks(run, s);
        all += tasks;
        several |= tasks > 1;
    }
    spor_pool *pool = several ? run->program->pool : NULL;
    run->workers = pool_workers(pool);
    pool_run(pool, all, run_round_task, run);
}

static void run_round(spor_program *program, uint32_t first, uint32_t end, uint64_t number) {
    round_run run = {.program = program, .first = first, .end = end};
    for (uint32_t s = first; s < end; s++) program->step[s].call.step = number;
    for (run.phase = 0; run.phase < SPOR_PHASES; run.phase++) run_round_phase(&run);
}

bool spor_run(spor_program *program, uint64_t number) {
    if (!program || !make_ready(program)) return false;
    start(program);
    for (uint32_t s = 0, end; s < program->steps; s = end) {
        end = round_end(program, s);
        if (end == s + 1)
            run_step(program, &program->step[s], number);
        else
            run_round(program, s, end, number);
    }
    program->prepared = true;
    return deliver(program);
}

/* A reference kernel is work. */
static void run_step_timed(spor_program *program, program_step *step, program_clock *now,
                           double seconds[SPOR_PHASES]) {
    for (int phase = 0; phase < SPOR_PHASES; phase++) {
        double begin = now();
        if (step->reference && phase == SPOR_WORK)
            step->reference(&step->call);
        else if (!is_prepared(program, step, phase))
            run_phase(step, phase, program->pool);
        seconds[phase] = now() - begin;
    }
}

bool program_run_timed(spor_program *program, uint64_t number, program_clock *now,
                       double seconds[]) {
    if (!program || !make_ready(program)) return false;
    start(program);
    for (uint32_t s = 0; s < program->steps; s++) {
        program->step[s].call.step = number;
        run_step_timed(program, &program->step[s], now, seconds + s * SPOR_PHASES);
    }
    program->prepared = true;
    return deliver(program);
}

/* The array of a node of the contracted tape, if it may be read. */
static spor_arg array_of(const spor_program *program, uint32_t id) {
    spor_arg arg = {0};
    if (!id || !program->readable[id]) return arg;
    arg.shape = *program->graph.tape->node[id].shape;
    shape_strides(&arg.shape, arg.stride);
    set_address(program, &arg, program->same[id]);
    arg.saved = NULL;
    return arg;
}

spor_arg spor_program_arg(spor_program *program, spor_var x) {
    bool known = program && x.tape && x.tape == program->recorded && x.id && x.id < x.tape->count;
    if (!known || !make_ready(program)) return (spor_arg){0};
    return array_of(program, program->graph.map[x.id]);
}

spor_arg spor_program_gradient(spor_program *program, int k) {
    if (!program || k < 0 || k >= program->slopes || !make_ready(program)) return (spor_arg){0};
    return array_of(program, program->slope[k]);
}

/* ---- running with a look at every node ---- */

/* Row-major position k as an index: [3, 0, 2]. */
static void index_text(const spor_shape *shape, int64_t k, char *text, size_t size) {
    spor_shape index = {.rank = shape->rank};
    shape_unravel(shape, k, index.n);
    tape_shape_text(&index, NULL, text, size);
}

static bool report(spor_program *program, uint32_t id, int64_t k, double value) {
    const spor_tape *tape = program->graph.tape;
    const spor_node *node = &tape->node[id];
    char text[896], index[128];
    program_node_text(tape, node, text, sizeof text);
    index_text(node->shape, k, index, sizeof index);
    char place[320] = "";
    if (node->place.file)
        snprintf(place, sizeof place, "%.256s:%d: ", node->place.file, node->place.line);
    return program_fail(program, "%s%s is %g at %s: the first value that is not a finite number",
                        place, text, value, index);
}

static bool check_inputs(spor_program *program) {
    const spor_tape *tape = program->graph.tape;
    for (uint32_t id = 1; id < tape->count; id++) {
        if (!node_is_named_leaf(&tape->node[id])) continue;
        const void *data = program_address(program, program->storage[id]);
        for (int64_t k = 0; k < shape_size(tape->node[id].shape); k++)
            if (!isfinite(scalar_value_at(data, program->scalar, k)))
                return report(program, id, k, scalar_value_at(data, program->scalar, k));
    }
    return true;
}

/* The first element of the array that is no finite number; -1 if all are. */
static int64_t first_bad(const spor_arg *arg, spor_scalar scalar) {
    for (int64_t k = 0; arg->data && k < shape_size(&arg->shape); k++)
        if (!isfinite(scalar_value_at(arg->data, scalar, k))) return k;
    return -1;
}

bool program_run_watched(spor_program *program, uint64_t number, program_on_bad *on_bad,
                         void *user) {
    if (!program || !program->reference || !make_ready(program)) return false;
    start(program);
    for (uint32_t s = 0; s < program->steps; s++) {
        program_step *step = &program->step[s];
        bool sound = true;
        for (int k = 0; k < step->call.operands; k++)
            sound = sound && first_bad(&step->call.in[k], program->scalar) < 0;
        run_step(program, step, number);
        int64_t bad = sound ? first_bad(&step->call.out, program->scalar) : -1;
        if (bad >= 0) on_bad(user, &program->graph.tape->node[step->node[0]], &step->call, bad);
    }
    return true;
}

static bool check_results(spor_program *program, const program_step *step) {
    for (int w = 0; w < step_writes(step); w++) {
        const spor_arg *result = step_result(step, w);
        int64_t k = first_bad(result, program->scalar);
        if (k >= 0)
            return report(program, step_written(step, w), k,
                          scalar_value_at(result->data, program->scalar, k));
    }
    return true;
}

bool program_run_undelivered(spor_program *program, uint64_t number) {
    if (!program || !make_ready(program)) return false;
    start(program);
    if (!check_inputs(program)) return false;
    for (uint32_t s = 0; s < program->steps; s++) {
        program_step *step = &program->step[s];
        run_step(program, step, number);
        if (!check_results(program, step)) return false;
    }
    return true;
}

bool spor_run_checked(spor_program *program, uint64_t number) {
    return program_run_undelivered(program, number) && deliver(program);
}
