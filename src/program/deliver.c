/*
 * Delivery: what the steps made reaches the parameters.
 *
 * Gradients land in their block. Next values and states are written beside the values, looked at, and
 * take their place all together or not at all: the two blocks are exchanged, or what was written is
 * copied over, whichever moves less.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

/* ---- at linking ---- */

static bool is_written(const spor_program *program, int entry) {
    return entry < program->entries && program->writes[entry];
}

/* Entries lie one behind the other. */
static bool find_stretches(spor_program *program) {
    const spor_params *params = program->params;
    int64_t written = 0;
    free(program->stretch);
    program->stretches = 0;
    program->stretch = calloc((size_t)params->settled + 1, sizeof *program->stretch);
    if (!program->stretch) return program_fail(program, "out of memory");
    for (int k = 0; k < params->settled; k++) {
        int64_t offset = params->entry[k].offset;
        int64_t end = k + 1 < params->settled ? params->entry[k + 1].offset : params->held;
        spor_stretch *last = program->stretches ? &program->stretch[program->stretches - 1] : NULL;
        if (is_written(program, k)) written += end - offset;
        if (last && last->written == is_written(program, k))
            last->count += end - offset;
        else
            program->stretch[program->stretches++] =
                (spor_stretch){offset, end - offset, is_written(program, k)};
    }
    program->exchanges = written > params->held - written;
    return true;
}

static bool moves(const spor_program *program, uint32_t node) {
    spor_home where = program->storage[node].where;
    return where == SPOR_VALUES || where == SPOR_NEXT;
}

static void add_mover(spor_program *program, spor_arg *arg, uint32_t node) {
    if (moves(program, node)) program->mover[program->movers++] = (spor_mover){arg, node};
}

static bool find_movers(spor_program *program) {
    free(program->mover);
    program->movers = 0;
    program->mover = calloc((size_t)program->steps + program->args + 1, sizeof *program->mover);
    if (!program->mover) return program_fail(program, "out of memory");
    for (uint32_t s = 0; s < program->steps; s++) {
        program_step *step = &program->step[s];
        if (!step->group) add_mover(program, &step->call.out, step->node[0]);
        for (int k = 0; k < step->call.operands; k++)
            add_mover(program, &step->call.in[k], step->operand[k]);
    }
    return true;
}

bool link_deliveries(spor_program *program) {
    return !program->params || (find_stretches(program) && find_movers(program));
}

/* ---- before the steps ---- */

void follow_exchange(spor_program *program) {
    const spor_params *params = program->params;
    if (!params || program->converted || program->value == params->value) return;
    program->value = params->value;
    program->next = params->next;
    for (uint32_t k = 0; k < program->movers; k++) {
        const spor_mover *m = &program->mover[k];
        m->arg->data = program_address(program, program->storage[m->node]);
    }
}

/* ---- after the steps ---- */

static void copy_deliveries(const spor_program *program) {
    for (uint32_t k = 0; k < program->deliveries; k++) {
        const spor_delivery *d = &program->delivery[k];
        memmove(program_address(program, d->to),
                program_address(program, program->storage[program->same[d->node]]),
                (size_t)d->count * scalar_width(program->scalar));
    }
}

static void *element(void *block, int64_t offset, spor_scalar scalar) {
    return (char *)block + (size_t)offset * scalar_width(scalar);
}

static void convert_results(const spor_program *program) {
    const spor_params *params = program->params;
    scalar_convert(params->gradient, params->scalar, program->gradient, program->scalar,
                   params->held);
    for (uint32_t k = 0; k < program->stretches; k++) {
        const spor_stretch *s = &program->stretch[k];
        if (s->written)
            scalar_convert(element(params->next, s->offset, params->scalar), params->scalar,
                           element(program->next, s->offset, program->scalar), program->scalar,
                           s->count);
    }
}

static bool writes_any(const spor_program *program) {
    return program->stretches > 1 || (program->stretches && program->stretch[0].written);
}

static double number_of(const spor_program *program, uint32_t node) {
    spor_storage storage = program->storage[program_home(program, node)];
    return scalar_value_at(program_address(program, storage), program->scalar, 0);
}

/* Where the sum of everything is a finite number nothing else has to be looked at; the reverse is not
 * true, finite numbers may add up to none. A conversion may lose what was finite. */
static bool is_quiet(const spor_program *program) {
    return program->alarm && !program->converted && isfinite(number_of(program, program->alarm));
}

/* What all next values hang on: the cost of an update, else the gradients that others update by. */
static bool is_sound(const spor_program *program) {
    const spor_params *params = program->params;
    if (is_quiet(program)) return true;
    bool sound =
        program->updates ? isfinite(number_of(program, program->cost)) : spor_params_finite(params);
    for (uint32_t k = 0; sound && k < program->stretches; k++) {
        const spor_stretch *s = &program->stretch[k];
        sound = !s->written || params_range_finite(params, params->next, s->offset, s->count);
    }
    return sound;
}

/* Next values become values. */
static void take_next(const spor_program *program) {
    spor_params *params = program->params;
    void *from = program->exchanges ? params->value : params->next;
    void *to = program->exchanges ? params->next : params->value;
    for (uint32_t k = 0; k < program->stretches; k++) {
        const spor_stretch *s = &program->stretch[k];
        if (s->written != program->exchanges)
            memcpy(element(to, s->offset, params->scalar), element(from, s->offset, params->scalar),
                   (size_t)s->count * scalar_width(params->scalar));
    }
    if (program->exchanges) params->next = from, params->value = to;
    params->generation++;
}

/* ---- why not ---- */

/* The largest absolute value of what was looked at, and the entry that has it. */
typedef struct {
    double most;
    const char *name;
    bool finite; /* all that was looked at */
} largest;

static void look_at(largest *l, const spor_place_of *entry, const void *data, spor_scalar scalar) {
    for (int64_t i = 0; i < entry->size; i++) {
        double value = fabs(scalar_value_at(data, scalar, i));
        l->finite = l->finite && isfinite(value);
        if (value <= l->most && *l->name) continue;
        l->most = value;
        l->name = entry->name;
    }
}

static largest largest_value(const spor_params *params) {
    largest l = {0, "", true};
    for (int k = 0; k < params->settled; k++) {
        const spor_place_of *e = &params->entry[k];
        if (e->kind == SPOR_TRAINED)
            look_at(&l, e, element(params->value, e->offset, params->scalar), params->scalar);
    }
    return l;
}

/* Gradients whose numbers are at the home of this node. */
static void look_at_gradients(largest *l, const spor_program *program, uint32_t home) {
    const void *data = program_address(program, program->storage[home]);
    for (uint32_t k = 0; k < program->trained.count; k++) {
        const spor_target *t = &program->trained.at[k];
        if (program_home(program, t->node) == home)
            look_at(l, &program->params->entry[t->entry], data, program->scalar);
    }
}

/* Next values may have taken the gradients' place, but nothing of what the steps read has changed: they are run
 * again, and gradients looked at when they were made. */
static largest largest_gradient(const spor_program *program) {
    largest l = {0, "", true};
    for (uint32_t k = 0; k < program->trained.count; k++) {
        uint32_t home = program_home(program, program->trained.at[k].node);
        if (!node_is_computed(&program->graph.tape->node[home]))
            look_at_gradients(&l, program, home);
    }
    for (uint32_t s = 0; s < program->steps; s++) {
        const program_step *step = &program->step[s];
        program_run_step(step, program->pool);
        for (int k = 0; k < step_writes(step); k++)
            look_at_gradients(&l, program, program_home(program, step_written(step, k)));
    }
    return l;
}

/* The first written element that is no finite number: its entry, and its place in it. */
static const spor_place_of *first_bad(const spor_program *program, int64_t *at) {
    const spor_params *params = program->params;
    for (int k = 0; k < program->entries; k++) {
        const spor_place_of *e = &params->entry[k];
        for (*at = 0; program->writes[k] && *at < e->size; ++*at)
            if (!isfinite(scalar_value_at(params->next, params->scalar, e->offset + *at))) return e;
    }
    return NULL;
}

static bool refuse(spor_program *program) {
    const spor_params *params = program->params;
    int64_t at = 0;
    const spor_place_of *bad = first_bad(program, &at);
    double cost = number_of(program, program->cost);
    program->refused = true;
    program->bad_slopes = !isfinite(cost);
    if (!bad) return program_fail(program, "the cost is %g, not a finite number", cost);
    double next = scalar_value_at(params->next, params->scalar, bad->offset + at);
    largest gradient = largest_gradient(program), value = largest_value(params);
    program->bad_slopes |= !gradient.finite;
    program_fail(program,
                 "the next value of %s is %g at element %" PRId64
                 ": gradients up to %.3g (%s), parameters up to %.3g (%s)",
                 bad->name, next, at, gradient.most, gradient.name, value.most, value.name);
    size_t used = strlen(program->error);
    const spor_tape *tape = program->graph.tape;
    for (uint32_t k = 0; k < tape->settings && used < sizeof program->error; k++)
        used += (size_t)snprintf(program->error + used, sizeof program->error - used, ", %s %g",
                                 tape->setting[k].name, tape->setting[k].value);
    return false;
}

bool deliver(spor_program *program) {
    if (!program->params) return true;
    copy_deliveries(program);
    if (program->converted) convert_results(program);
    if (!writes_any(program) && !program->updates) return true;
    if (!is_sound(program)) return program->updates ? refuse(program) : true;
    take_next(program);
    return true;
}
