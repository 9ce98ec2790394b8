/* The plan: which kernel computes which node, and where every buffer lies and for how long. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "program/program.h"

static const uint32_t to_the_end = UINT32_MAX;

/* ---- memory: a line of bytes with holes ---- */

typedef struct {
    size_t offset, size;
} hole;

typedef struct {
    hole *holes; /* by offset, never touching each other */
    uint32_t count, capacity;
    size_t top;
    bool failed;
} allocator;

static size_t take(allocator *a, size_t bytes) {
    if (a->failed) return 0;
    bytes = bytes_lines(bytes);
    for (uint32_t k = 0; k < a->count; k++) {
        hole *h = &a->holes[k];
        if (h->size < bytes) continue;
        size_t offset = h->offset;
        h->offset += bytes;
        h->size -= bytes;
        if (!h->size) memmove(h, h + 1, (--a->count - k) * sizeof *h);
        return offset;
    }
    bool last_touches =
        a->count && a->holes[a->count - 1].offset + a->holes[a->count - 1].size == a->top;
    size_t offset = last_touches ? a->holes[--a->count].offset : a->top;
    a->top = bytes_sum(offset, bytes);
    a->failed = a->top == BYTES_MOST;
    return offset;
}

static void give(allocator *a, size_t offset, size_t bytes) {
    if (a->failed) return;
    bytes = bytes_lines(bytes);
    hole *grown = tape_grow(a->holes, a->count, &a->capacity, sizeof *grown);
    if (!bytes || !grown) {
        a->failed = !grown;
        return;
    }
    a->holes = grown;
    uint32_t at = a->count;
    while (at && a->holes[at - 1].offset > offset) at--;
    memmove(&a->holes[at + 1], &a->holes[at], (a->count++ - at) * sizeof(hole));
    a->holes[at] = (hole){offset, bytes};
    for (uint32_t k = at + 1; k >= at && k > 0; k--) { /* join with the next, then the previous */
        if (k >= a->count || a->holes[k - 1].offset + a->holes[k - 1].size != a->holes[k].offset)
            continue;
        a->holes[k - 1].size += a->holes[k].size;
        memmove(&a->holes[k], &a->holes[k + 1], (--a->count - k) * sizeof(hole));
    }
}

/* ---- the planner ---- */

/* Arrays over the nodes of the contracted tape. */
typedef struct {
    spor_program *program;
    const spor_tape *tape;
    const bool *live;
    uint32_t *home; /* the node whose buffer holds this one's elements: itself, or its alias */
    uint32_t *last; /* last step that reads the home's buffer */
    size_t *bytes;  /* of the home's buffer, saved data included */
    allocator memory;
} planner;

/* True if the node needs a step of its own. */
static bool is_step(const planner *p, uint32_t id) {
    const spor_node *node = &p->tape->node[id];
    return p->live[id] && !node_is_named_leaf(node) && !(node->op->traits & SPOR_ALIAS);
}

static void find_homes(planner *p) {
    const uint32_t *same = p->program->same;
    for (uint32_t id = 1; id < p->tape->count; id++) {
        const spor_node *node = &p->tape->node[id];
        p->home[id] = node->op->traits & SPOR_ALIAS ? p->home[same[node->in[0]]] : id;
    }
}

/* Room for all steps and their operands. */
static bool take_steps(planner *p) {
    size_t steps = 1, args = 1;
    for (uint32_t id = 1; id < p->tape->count; id++) {
        if (!is_step(p, id)) continue;
        steps++;
        args += (size_t)p->tape->node[id].op->operands;
    }
    p->program->step = calloc(steps, sizeof *p->program->step);
    p->program->arg = calloc(args, sizeof *p->program->arg);
    return p->program->step && p->program->arg;
}

static spor_arg describe(const spor_shape *shape) {
    spor_arg arg = {.shape = *shape};
    shape_strides(shape, arg.stride);
    return arg;
}

/* The kernels and the needs of a fast path's op, whose call has its shapes. */
static void choose_phases(const spor_program *program, const spor_fused *fused,
                          program_step *step) {
    spor_need *need = &step->need;
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        if (fused->phase[phase])
            step->phase[phase] = fused->phase[phase][program->scalar][program->isa];
    if (fused->need)
        fused->need(&step->call, scalar_width(program->scalar),
                    isa_lanes(program->isa, program->scalar), need);
    need->shared = bytes_lines(need->shared);
    need->partial = bytes_lines(need->partial);
    if (!need->tasks[SPOR_PREPARE] && !need->tasks[SPOR_WORK] && !need->tasks[SPOR_FINISH])
        need->tasks[SPOR_WORK] = 1;
}

static bool choose_reference(spor_program *program, const spor_op *op, program_step *step) {
    spor_reference *const *entry = op->reference ? op->reference[program->scalar] : NULL;
    step->reference = entry ? *entry : NULL;
    if (step->reference) return true;
    char name[SPOR_NAME];
    op_name(op, name, sizeof name);
    program->meaningless = !*program->error;
    return program_fail(program, "%s has no meaning over this scalar type", name);
}

/* A step without addresses. */
static bool make_step(planner *p, uint32_t id, program_step *step) {
    spor_program *program = p->program;
    const spor_node *node = &p->tape->node[id];
    *step = (program_step){.node = id, .need.finer = 1};
    step->call.need = &step->need;
    step->call.out = describe(node->shape);
    step->call.in = program->arg + program->args;
    program->args += (uint32_t)node->op->operands;
    step->call.operands = node->op->operands;
    step->call.attr = node->attr;
    for (int k = 0; k < node->op->operands; k++)
        step->call.in[k] = describe(p->tape->node[node->in[k]].shape);
    if (!node->op->fused) return choose_reference(program, node->op, step);
    choose_phases(program, node->op->fused, step);
    return true;
}

static void read_by(planner *p, uint32_t id, uint32_t step) {
    uint32_t home = p->home[p->program->same[id]];
    if (p->last[home] != to_the_end) p->last[home] = step;
}

/* last[] of every buffer, in the order of the steps. */
static void find_lifetimes(planner *p, const uint32_t roots[], uint32_t count) {
    uint32_t step = 0;
    for (uint32_t id = 1; id < p->tape->count; id++) {
        const spor_node *node = &p->tape->node[id];
        if (node->op->traits & SPOR_GIVEN) p->last[id] = to_the_end;
        if (!is_step(p, id)) continue;
        for (int k = 0; k < node->op->operands; k++) read_by(p, node->in[k], step);
        if (p->last[id] < step) p->last[id] = step;
        step++;
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

/* Frees the buffers whose last reader this step was. */
static void release(planner *p, const spor_node *node, uint32_t id, uint32_t step) {
    for (int k = -1; k < node->op->operands; k++) {
        uint32_t home = k < 0 ? id : p->home[p->program->same[node->in[k]]];
        const spor_storage *storage = &p->program->storage[home];
        if (p->last[home] != step || storage->where != SPOR_MEMORY || !p->bytes[home]) continue;
        give(&p->memory, storage->offset, p->bytes[home]);
        p->bytes[home] = 0; /* once, though read twice */
    }
}

/* Memory for the time of the step alone. */
static void place_room(planner *p, program_step *step) {
    const spor_need *need = &step->need;
    size_t partial = bytes_for(need->tasks[SPOR_WORK], need->partial);
    size_t bytes = bytes_sum(bytes_sum(need->shared, partial), need->scratch);
    if (!bytes) return;
    step->room = take(&p->memory, bytes);
    give(&p->memory, step->room, bytes);
}

static bool place_steps(planner *p) {
    spor_program *program = p->program;
    for (uint32_t id = 1; id < p->tape->count; id++) {
        if (!is_step(p, id)) continue;
        program_step *step = &program->step[program->steps];
        spor_storage *storage = &program->storage[id];
        if (!make_step(p, id, step)) return false;
        size_t data = storage->where == SPOR_NOWHERE ? bytes_lines(node_bytes(p, id)) : 0;
        p->bytes[id] = bytes_sum(data, step->need.saved);
        size_t offset = p->bytes[id] ? take(&p->memory, p->bytes[id]) : 0;
        if (data) *storage = (spor_storage){SPOR_MEMORY, offset, 0};
        if (step->need.saved) storage->saved = offset + data;
        place_room(p, step);
        release(p, &p->tape->node[id], id, program->steps++);
    }
    return true;
}

static void place_aliases(planner *p) {
    for (uint32_t id = 1; id < p->tape->count; id++)
        p->program->storage[id] = p->program->storage[p->home[p->program->same[id]]];
}

/* True if the node may be computed where a target wants it: nothing else is to land there, and who
 * reads outputs finds them in one place, which the next values have not. */
static bool is_placed(const planner *p, uint32_t home, spor_home where) {
    return is_step(p, home) && p->program->storage[home].where == SPOR_NOWHERE &&
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
        uint32_t home = p->home[program->same[target->node]];
        if (target->where == SPOR_NEXT) program->writes[target->entry] = true;
        if (is_placed(p, home, target->where)) {
            program->storage[home] = to;
            continue;
        }
        program->delivery[program->deliveries++] = (spor_delivery){target->node, to, entry->size};
        read_by(p, target->node, to_the_end);
    }
}

static bool plan(planner *p, const uint32_t roots[], uint32_t count, const spor_targets *targets) {
    spor_program *program = p->program;
    find_homes(p);
    if (!take_steps(p)) return program_fail(program, "out of memory");
    find_lifetimes(p, roots, count);
    place_leaves(p);
    place_targets(p, targets);
    if (!place_steps(p)) return false;
    place_aliases(p);
    program->bytes = p->memory.top;
    return !p->memory.failed ||
           program_fail(program, "the program needs more memory than can be addressed");
}

bool plan_program(spor_program *program, const bool live[], const uint32_t roots[], uint32_t count,
                  const spor_targets *targets) {
    uint32_t nodes = program->graph.tape->count;
    planner p = {.program = program, .tape = program->graph.tape, .live = live};
    p.memory.top = BYTES_LINE; /* so that offset 0 can mean "none" */
    p.home = calloc(nodes, sizeof *p.home);
    p.last = calloc(nodes, sizeof *p.last);
    p.bytes = calloc(nodes, sizeof *p.bytes);
    program->storage = calloc(nodes, sizeof *program->storage);
    program->delivery = calloc((size_t)targets->count + 1, sizeof *program->delivery);
    program->entries = spor_params_count(program->params);
    program->writes = calloc((size_t)program->entries + 1, sizeof *program->writes);
    bool done =
        p.home && p.last && p.bytes && program->storage && program->delivery && program->writes;
    done = done ? plan(&p, roots, count, targets) : program_fail(program, "out of memory");
    free(p.home);
    free(p.last);
    free(p.bytes);
    free(p.memory.holes);
    return done;
}
