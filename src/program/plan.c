/* The plan: which kernel computes which node, and where every buffer lies and for how long. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "program/memory.h"
#include "program/program.h"

static const uint32_t to_the_end = UINT32_MAX;

/* Large buffers end with some lines that nobody uses: where all begin at multiples of a page, or of
 * a megabyte, what is read side by side falls on the same places in the caches. */
static size_t staggered(size_t bytes) {
    const size_t large = 16384, lines = 17;
    return bytes_sum(bytes_lines(bytes), bytes < large ? 0 : lines * BYTES_LINE);
}

static size_t take(spor_memory *memory, size_t bytes) {
    return memory_take(memory, staggered(bytes));
}

static void give(spor_memory *memory, size_t offset, size_t bytes) {
    memory_give(memory, offset, staggered(bytes));
}

/* ---- the planner ---- */

/* Arrays over the nodes of the contracted tape. */
typedef struct {
    spor_program *program;
    const spor_tape *tape;
    const bool *live;
    uint32_t *last;         /* last step that reads the home's buffer */
    size_t *bytes;          /* of the home's buffer, saved data included */
    bool *kept;             /* read by another step than the one that computes it, or after all */
    bool *delivered;        /* only so, as the next value of a state */
    spor_inside *inside;    /* of a node that is computed in a box of another */
    bool writes_parameters; /* or their gradients */
    spor_memory memory;
} planner;

/* Room for all steps and their operands; a group writes what are operands of its call too. */
static bool take_steps(planner *p) {
    spor_program *program = p->program;
    const program_order *order = &program->order;
    size_t args = 1;
    for (uint32_t k = 0; k < order->first[order->steps]; k++)
        args += (size_t)p->tape->node[order->node[k]].op->operands + 1;
    program->step = calloc((size_t)order->steps + 1, sizeof *program->step);
    program->arg = calloc(args, sizeof *program->arg);
    program->operand = calloc(args, sizeof *program->operand);
    return program->step && program->arg && program->operand;
}

static spor_arg describe(const spor_shape *shape) {
    spor_arg arg = {.shape = *shape};
    shape_strides(shape, arg.stride);
    return arg;
}

/* What a need begins with. */
static spor_need given(const spor_program *program, bool keeps) {
    return (spor_need){.finer = 1, .keeps = keeps, .alone = program->threads == 1};
}

/* The fast kernels of a step, whose call has its shapes, and their needs. */
static void choose_phases(const spor_program *program, const spor_fused *fused,
                          program_step *step) {
    spor_need *need = &step->need;
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        if (fused->phase[phase])
            step->phase[phase] = fused->phase[phase][program->scalar][program->isa];
    if (fused->need)
        fused->need(&step->call, scalar_width(program->scalar),
                    isa_lanes(program->isa, program->scalar), need);
    if (program->portable && need->tasks[SPOR_FINISH]) { /* one task adds up all */
        need->tasks[SPOR_WORK] = 1;
        need->tasks[SPOR_FINISH] = 0;
        need->partial = 0;
    }
    need->shared = bytes_lines(need->shared);
    need->partial = bytes_lines(need->partial);
    need->scratch = bytes_lines(need->scratch);
    if (!need->tasks[SPOR_PREPARE] && !need->tasks[SPOR_WORK] && !need->tasks[SPOR_FINISH])
        need->tasks[SPOR_WORK] = 1;
}

/* The fast kernels of a node's op; NULL where its reference kernel is to run. */
static const spor_fused *fused_of(const spor_program *program, uint32_t id) {
    const spor_op *op = program->graph.tape->node[id].op;
    bool reference = program->reference || node_is_bare(program->graph.tape, id);
    return reference && op->reference ? NULL : op->fused;
}

/* Of a result without elements. */
static void compute_nothing(const spor_call *call) {
    (void)call;
}

static bool choose_reference(spor_program *program, const spor_op *op, program_step *step) {
    spor_reference *const *entry = op->reference ? op->reference[program->scalar] : NULL;
    step->reference = entry ? *entry : NULL;
    if (!shape_size(&step->call.out.shape)) step->reference = compute_nothing;
    if (step->reference) return true;
    char name[SPOR_NAME];
    op_name(op, name, sizeof name);
    program->meaningless = !*program->error;
    return program_fail(program, "%s has no meaning over this scalar type", name);
}

static bool make_single(const planner *p, uint32_t operand[], program_step *step) {
    spor_program *program = p->program;
    const spor_tape *tape = p->tape;
    const spor_node *node = &tape->node[step->node[0]];
    step->reads = step->call.operands = node->op->operands;
    step->call.out = describe(node->shape);
    step->call.attr = node->attr;
    for (int k = 0; k < step->reads; k++) {
        operand[k] = program->same[node->in[k]];
        step->call.in[k] = describe(tape->node[node->in[k]].shape);
    }
    const spor_fused *fused = fused_of(program, step->node[0]);
    if (!fused) return choose_reference(program, node->op, step);
    choose_phases(program, fused, step);
    return true;
}

static bool make_group(const planner *p, uint32_t operand[], program_step *step) {
    if (!tiles_make(p->program, p->kept, p->delivered, operand, step))
        return program_fail(p->program, "out of memory");
    for (int k = 0; k < step->call.operands; k++)
        step->call.in[k] = describe(p->tape->node[operand[k]].shape);
    choose_phases(p->program, &tiles_fused, step);
    return true;
}

/* Step s without addresses. */
static bool make_step(planner *p, uint32_t s) {
    spor_program *program = p->program;
    const program_order *order = &program->order;
    program_step *step = &program->step[program->steps++];
    uint32_t *operand = program->operand + program->args, first = order->first[s];
    *step = (program_step){
        .node = order->node + first, .operand = operand, .need = given(program, false)};
    step->nodes = order->first[s + 1] - first;
    step->call.need = &step->need;
    step->call.in = program->arg + program->args;
    bool made = node_is_grouped(program, step->node[0]) ? make_group(p, operand, step)
                                                        : make_single(p, operand, step);
    program->args += (uint32_t)step->call.operands;
    return made;
}

/* ---- what is prepared once ---- */

static unsigned prepares(const planner *p, const program_step *step) {
    const spor_fused *fused = step->group ? NULL : fused_of(p->program, step->node[0]);
    return fused ? fused->prepares : 0;
}

/* PREPARE reads nothing but parameters, which the program leaves as they are: it lasts from run to run. */
static bool prepares_parameters(const planner *p, const program_step *step) {
    const spor_node *node = &p->tape->node[step->node[0]];
    unsigned reads = prepares(p, step);
    for (int k = 0; k < node->op->operands; k++) {
        uint32_t home = program_home(p->program, node->in[k]);
        if (reads >> k & 1 && !(p->tape->node[home].op->traits & SPOR_STORED)) return false;
    }
    return reads && !p->writes_parameters;
}

static bool same_attrs(const spor_node *x, const spor_node *y) {
    bool same = x->op == y->op;
    for (int k = 0; same && k < x->op->attrs; k++) same = x->attr[k].i == y->attr[k].i;
    return same;
}

/* PREPARE makes the same for both: of the same node, for the same op of the same shapes. */
static bool prepare_alike(const planner *p, const program_step *a, const program_step *b) {
    const spor_node *x = &p->tape->node[a->node[0]], *y = &p->tape->node[b->node[0]];
    bool alike = prepares(p, a) && same_attrs(x, y) && shape_equal(x->shape, y->shape);
    for (int k = 0; alike && k < x->op->operands; k++) {
        uint32_t u = program_home(p->program, x->in[k]), v = program_home(p->program, y->in[k]);
        bool read = prepares(p, a) >> k & 1;
        alike = read ? u == v : shape_equal(&a->call.in[k].shape, &b->call.in[k].shape);
    }
    return alike;
}

/* The first step that prepares the same as step s; NULL: none before it. */
static program_step *prepares_before(const planner *p, uint32_t s) {
    program_step *step = p->program->step;
    for (uint32_t t = s; t > 0; t--)
        if (prepare_alike(p, &step[t - 1], &step[s]))
            return step[t - 1].prepared ? step[t - 1].prepared : &step[t - 1];
    return NULL;
}

/* The phases again, where what PREPARE makes is used more than once, or where it is not. */
static void keep_prepared(const planner *p, program_step *step, bool keeps) {
    step->need = given(p->program, keeps);
    choose_phases(p->program, fused_of(p->program, step->node[0]), step);
    step->need.keeps = keeps && step->need.shared;
}

/* Weights of a recurrence are prepared for its first step, and for all. What is large would not be near when it
 * is used again. */
static void share_prepared(planner *p) {
    const size_t near = (size_t)1 << 22;
    for (uint32_t s = 0; s < p->program->steps; s++) {
        program_step *step = &p->program->step[s];
        if (!prepares(p, step)) continue;
        program_step *first = prepares_before(p, s);
        step->lasts = prepares_parameters(p, step);
        if (!first && !step->lasts) continue;
        keep_prepared(p, step, true);
        if (!step->lasts && step->need.shared > near) {
            keep_prepared(p, step, false);
        } else if (first) {
            keep_prepared(p, first, true);
            step->prepared = first;
        }
    }
}

static void read_by(planner *p, uint32_t id, uint32_t step) {
    uint32_t home = program_home(p->program, id);
    if (p->last[home] != to_the_end) p->last[home] = step;
}

/* last[] of every buffer, in the order of the steps. */
static void find_lifetimes(planner *p, const uint32_t roots[], uint32_t count) {
    for (uint32_t id = 1; id < p->tape->count; id++)
        if (p->tape->node[id].op->traits & SPOR_GIVEN) p->last[id] = to_the_end;
    for (uint32_t s = 0; s < p->program->steps; s++) {
        const program_step *step = &p->program->step[s];
        for (int k = 0; k < step->reads; k++) read_by(p, step->operand[k], s);
        for (int k = 0; k < step_writes(step); k++) read_by(p, step_written(step, k), s);
    }
    for (uint32_t k = 0; k < count; k++) read_by(p, roots[k], to_the_end);
}

static size_t node_bytes(const planner *p, uint32_t id) {
    return bytes_for(shape_size(p->tape->node[id].shape), scalar_width(p->program->scalar));
}

static void place_leaves(planner *p) {
    spor_program *program = p->program;
    for (uint32_t id = 1; id < p->tape->count; id++) {
        const spor_node *node = &p->tape->node[id];
        spor_storage *storage = &program->storage[id];
        if (node->op->traits & SPOR_GIVEN)
            *storage = (spor_storage){SPOR_MEMORY, take(&p->memory, node_bytes(p, id)), 0};
        if (node->op->traits & SPOR_STORED) {
            int entry = spor_params_find(program->params, node->name);
            int64_t offset = program->params->entry[entry].offset;
            *storage =
                (spor_storage){SPOR_VALUES, bytes_for(offset, scalar_width(program->scalar)), 0};
        }
    }
}

/* Frees the buffer that holds a node's elements, if step s is its last reader. */
static void release(planner *p, uint32_t id, uint32_t s) {
    uint32_t home = program_home(p->program, id);
    const spor_storage *storage = &p->program->storage[home];
    if (p->last[home] != s || storage->where != SPOR_MEMORY || !p->bytes[home]) return;
    give(&p->memory, storage->offset, p->bytes[home]);
    p->bytes[home] = 0; /* once, though read twice */
}

/* What lasts is there for all of a run. */
static void place_kept(planner *p) {
    for (uint32_t s = 0; s < p->program->steps; s++) {
        program_step *step = &p->program->step[s];
        if (step->need.keeps && step->lasts && !step->prepared)
            step->shared = take(&p->memory, step->need.shared);
    }
}

/* The last step that uses what PREPARE of step s makes. */
static uint32_t last_user(const planner *p, uint32_t s) {
    const program_step *step = p->program->step;
    uint32_t last = p->program->steps - 1;
    while (last > s && step[last].prepared != &step[s]) last--;
    return last;
}

/* Partial results and the scratch of all threads. */
static size_t room_bytes(const planner *p, const program_step *step) {
    const spor_need *need = &step->need;
    size_t partial = bytes_for(need->tasks[SPOR_WORK], need->partial);
    return bytes_sum(partial, bytes_for(p->program->threads, need->scratch));
}

static program_step *preparer(program_step *step) {
    return step->prepared ? step->prepared : step;
}

/* What PREPARE makes has no place for all of a run. */
static bool shares_for_now(const program_step *step) {
    return step->need.shared && !(step->need.keeps && step->lasts);
}

static void take_room(planner *p, program_step *step) {
    program_step *first = preparer(step);
    size_t bytes = room_bytes(p, step);
    if (first == step && shares_for_now(step)) step->shared = take(&p->memory, step->need.shared);
    if (bytes) step->room = take(&p->memory, bytes);
    step->shared = first->shared;
}

/* Memory for the time of the step alone; what is prepared for others, too, until the last of them. */
static void give_room(planner *p, uint32_t s) {
    program_step *step = &p->program->step[s], *first = preparer(step);
    size_t bytes = room_bytes(p, step);
    if (shares_for_now(step) && s == last_user(p, (uint32_t)(first - p->program->step)))
        give(&p->memory, step->shared, step->need.shared);
    if (bytes) give(&p->memory, step->room, bytes);
}

/* The place of a node inside of another, which is taken with the first that lies there. */
static void place_inside(planner *p, uint32_t id) {
    spor_storage *storage = p->program->storage, *outer = &storage[p->inside[id].outer];
    if (!p->inside[id].outer || storage[id].where != SPOR_NOWHERE) return;
    place_inside(p, p->inside[id].outer);
    if (outer->where == SPOR_NOWHERE) {
        p->bytes[p->inside[id].outer] = bytes_lines(node_bytes(p, p->inside[id].outer));
        *outer = (spor_storage){SPOR_MEMORY, take(&p->memory, p->bytes[p->inside[id].outer]), 0};
    }
    storage[id] = *outer;
    storage[id].offset += bytes_for(p->inside[id].first, scalar_width(p->program->scalar));
}

/* The buffer of what a step writes, what it saves behind it. */
static void place_result(planner *p, const program_step *step, uint32_t id) {
    place_inside(p, id);
    spor_storage *storage = &p->program->storage[id];
    bool placed = storage->where != SPOR_NOWHERE;
    if (placed && p->bytes[id]) return;                        /* with what lies inside */
    size_t data = placed ? 0 : bytes_lines(node_bytes(p, id)); /* 0, too, if it has no elements */
    p->bytes[id] = bytes_sum(data, step->need.saved);
    size_t offset = p->bytes[id] ? take(&p->memory, p->bytes[id]) : 0;
    if (!placed) *storage = (spor_storage){SPOR_MEMORY, offset, 0};
    if (step->need.saved) storage->saved = offset + data;
}

static void place_step(planner *p, program_step *step) {
    for (int k = 0; k < step_writes(step); k++) place_result(p, step, step_written(step, k));
    take_room(p, step);
}

static void release_step(planner *p, uint32_t s) {
    const program_step *step = &p->program->step[s];
    for (int k = 0; k < step->reads; k++) release(p, step->operand[k], s);
    for (int k = 0; k < step_writes(step); k++) release(p, step_written(step, k), s);
}

/* The steps of a round run at one time: nothing of one is in the place of another's. */
static void place_steps(planner *p) {
    for (uint32_t s = 0, end; s < p->program->steps; s = end) {
        end = round_end(p->program, s);
        for (uint32_t t = s; t < end; t++) place_step(p, &p->program->step[t]);
        for (uint32_t t = s; t < end; t++) give_room(p, t);
        for (uint32_t t = s; t < end; t++) release_step(p, t);
    }
}

static void place_aliases(planner *p) {
    for (uint32_t id = 1; id < p->tape->count; id++)
        p->program->storage[id] = p->program->storage[program_home(p->program, id)];
}

/* True if the node may be computed where a target wants it: nothing else is to land there, and who
 * reads outputs finds them in one place, which the next values have not. */
static bool is_placed(const planner *p, uint32_t home, spor_home where) {
    return node_is_computed(&p->tape->node[home]) &&
           p->program->storage[home].where == SPOR_NOWHERE &&
           (where == SPOR_GRADIENTS || p->last[home] != to_the_end);
}

/* Targets that cannot be computed in their place are copied after the steps. */
static void place_targets(planner *p, const spor_targets *targets) {
    spor_program *program = p->program;
    for (uint32_t k = 0; k < targets->count; k++) {
        const spor_target *target = &targets->at[k];
        const spor_place_of *entry = &program->params->entry[target->entry];
        spor_storage to = {target->where, bytes_for(entry->offset, scalar_width(program->scalar)),
                           0};
        uint32_t home = program_home(program, target->node);
        if (target->where == SPOR_NEXT) program->writes[target->entry] = true;
        if (is_placed(p, home, target->where)) {
            program->storage[home] = to;
            continue;
        }
        program->delivery[program->deliveries++] = (spor_delivery){target->node, to, entry->size};
        read_by(p, target->node, to_the_end);
    }
}

/* ---- next values in the place of gradients ---- */

/* The argument of a group that is the node; -1: none is, or several. */
static int argument_of_home(const planner *p, const program_step *step, uint32_t home) {
    int found = -1, count = 0;
    for (int k = 0; k < step->call.operands; k++) {
        if (program_home(p->program, step->operand[k]) != home) continue;
        found = k;
        count++;
    }
    return count == 1 ? found : -1;
}

/* Steps of one round run at the same time. */
static bool others_of_round_read(const planner *p, uint32_t s, uint32_t home) {
    const program_step *step = p->program->step;
    uint32_t first = s;
    bool reads = false;
    while (first && step[first].joins) first--;
    for (uint32_t t = first; t < round_end(p->program, first); t++)
        for (int k = 0; t != s && k < step[t].reads; k++)
            reads |= program_home(p->program, step[t].operand[k]) == home;
    return reads;
}

/* A gradient is last read by the group that makes the next value: both may be in one place. */
static bool is_overwritten(const planner *p, uint32_t gradient, uint32_t next) {
    uint32_t s = p->last[gradient];
    if (!node_is_computed(&p->tape->node[gradient]) || s == to_the_end ||
        p->program->storage[gradient].where != SPOR_NOWHERE)
        return false;
    const program_step *step = &p->program->step[s];
    if (!step->group) return false;
    int read = argument_of_home(p, step, gradient), written = argument_of_home(p, step, next);
    return read >= 0 && read < step->reads && written >= step->reads &&
           tiles_may_overwrite(step->group, read, written) && !others_of_round_read(p, s, gradient);
}

/* What was read just now is written, instead of memory that nobody touched since the last run. In C that is written
 * arguments are restricted pointers. */
static void place_gradients(planner *p, const spor_targets *targets) {
    spor_program *program = p->program;
    for (uint32_t k = 0; !program->portable && k < program->trained.count; k++) {
        uint32_t gradient = program_home(program, program->trained.at[k].node);
        for (uint32_t t = 0; t < targets->count; t++) {
            const spor_target *target = &targets->at[t];
            uint32_t next = program_home(program, target->node);
            if (target->entry == program->trained.at[k].entry && target->where == SPOR_NEXT &&
                program->storage[next].where == SPOR_NEXT && is_overwritten(p, gradient, next))
                program->storage[gradient] = program->storage[next];
        }
    }
}

/* kept[] and delivered[] of what is read after all steps. The next value of a parameter may be made in the place of its
 * gradient, which is near. */
static void keep_results(planner *p, const uint32_t roots[], uint32_t count,
                         const spor_targets *targets) {
    const spor_params *params = p->program->params;
    for (uint32_t k = 0; k < targets->count; k++) {
        uint32_t home = program_home(p->program, targets->at[k].node);
        p->kept[home] = true;
        p->delivered[home] = targets->at[k].where == SPOR_NEXT &&
                             params->entry[targets->at[k].entry].kind != SPOR_TRAINED;
    }
    for (uint32_t k = 0; k < count; k++) {
        p->kept[program_home(p->program, roots[k])] = true;
        p->delivered[program_home(p->program, roots[k])] = false;
    }
}

/* The same of what a step reads and does not make. */
static void keep_operands(planner *p) {
    const program_order *order = &p->program->order;
    for (uint32_t s = 0; s < order->steps; s++) {
        for (uint32_t k = order->first[s]; k < order->first[s + 1]; k++)
            p->last[order->node[k]] = s + 1; /* for now: the last step that makes it */
        for (uint32_t k = order->first[s]; k < order->first[s + 1]; k++)
            for (int o = 0; o < p->tape->node[order->node[k]].op->operands; o++) {
                uint32_t in = program_operand(p->program, order->node[k], o);
                if (p->last[in] == s + 1) continue;
                p->kept[in] = true;
                p->delivered[in] = false;
            }
    }
    memset(p->last, 0, p->tape->count * sizeof *p->last);
}

static bool plan(planner *p, const uint32_t roots[], uint32_t count, const spor_targets *targets) {
    spor_program *program = p->program;
    keep_results(p, roots, count, targets);
    if (!order_make(program, p->live, p->kept, &program->order) || !take_steps(p))
        return program_fail(program, "out of memory");
    keep_operands(p);
    for (uint32_t s = 0; s < program->order.steps; s++)
        if (!make_step(p, s)) return false;
    if (!find_rounds(program)) return program_fail(program, "out of memory");
    share_prepared(p);
    find_lifetimes(p, roots, count);
    place_leaves(p);
    place_targets(p, targets);
    place_gradients(p, targets);
    if (!program->portable && !find_insides(program, p->last, p->inside))
        return program_fail(program, "out of memory");
    place_kept(p);
    place_steps(p);
    place_aliases(p);
    program->bytes = p->memory.top;
    return !p->memory.failed ||
           program_fail(program, "the program needs more memory than can be addressed");
}

bool plan_program(spor_program *program, const bool live[], const uint32_t roots[], uint32_t count,
                  const spor_targets *targets) {
    uint32_t nodes = program->graph.tape->count;
    planner p = {.program = program,
                 .tape = program->graph.tape,
                 .live = live,
                 .writes_parameters = targets->count > 0};
    p.memory.top = BYTES_LINE; /* so that offset 0 can mean "none" */
    p.last = calloc(nodes, sizeof *p.last);
    p.bytes = calloc(nodes, sizeof *p.bytes);
    p.kept = calloc(nodes, sizeof *p.kept);
    p.inside = calloc(nodes, sizeof *p.inside);
    p.delivered = calloc(nodes, sizeof *p.delivered);
    program->storage = calloc(nodes, sizeof *program->storage);
    program->delivery = calloc((size_t)targets->count + 1, sizeof *program->delivery);
    program->entries = spor_params_count(program->params);
    program->writes = calloc((size_t)program->entries + 1, sizeof *program->writes);
    bool done = p.last && p.bytes && p.kept && p.inside && p.delivered && program->storage &&
                program->delivery && program->writes;
    done = done ? plan(&p, roots, count, targets) : program_fail(program, "out of memory");
    free(p.last);
    free(p.bytes);
    free(p.kept);
    free(p.inside);
    free(p.delivered);
    memory_end(&p.memory);
    return done;
}
