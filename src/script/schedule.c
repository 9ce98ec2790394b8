/*
 * The rate over time: a def of numbers alone, called before the steps are made.
 */
#include "script/private.h"

#include <float.h>
#include <math.h>

typedef struct {
    const spor_moment *at;
    double factor;
} evaluating;

/* epoch, step, epochs, steps */
static void time_of(const spor_moment *m, spor_value first[4]) {
    const int64_t numbers[] = {m->epoch, m->step, m->epochs, m->steps};
    for (int k = 0; k < 4; k++) first[k] = value_of_int(numbers[k]);
}

/* A loss that is no number is as bad as any. */
static spor_value losses_of(spor_pass *run, spor_spot place, const spor_moment *m) {
    spor_value *item = pass_items(run, place, m->epoch);
    for (int64_t k = 0; k < m->epoch; k++)
        item[k] = value_of_real(isfinite(m->losses[k]) ? m->losses[k] : DBL_MAX, 0);
    return pass_list(run, place, m->epoch, item);
}

static void evaluate(spor_pass *run, void *context) {
    evaluating *e = context;
    const spor_partial *schedule = run->script->schedule.partial;
    spor_value first[4];
    if (run->script->declaration.adapts)
        first[0] = losses_of(run, schedule->place, e->at);
    else
        time_of(e->at, first);
    spor_value factor = partial_call(run, schedule, first);
    bool number = value_is_number(&factor);
    if (!number || !(value_number(&factor) >= 0))
        pass_fail(run, schedule->place,
                  "%s must return a factor of the rate, a number that is not negative, but returns "
                  "%s in epoch %" PRId64 ", step %" PRId64 ", both counted from 0",
                  schedule->function->def->name, value_describe(&run->ground, &factor),
                  e->at->epoch, e->at->step);
    e->factor = value_number(&factor);
}

bool script_factor(spor_script *script, const spor_moment *moment, double *factor) {
    spor_arena arena = {NULL};
    spor_pass run = {.ground = {.arena = &arena}, .script = script, .ruling = true};
    evaluating e = {.at = moment, .factor = 1};
    bool done = script->schedule.kind != VALUE_SCHEDULE || pass_attempt(&run, evaluate, &e);
    if (!done) pass_error(&run, script->error, sizeof script->error);
    arena_free(&arena);
    *factor = e.factor;
    return done;
}
