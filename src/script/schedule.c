/*
 * The rate over time: a def of numbers alone, called before the steps are made.
 */
#include "script/private.h"

typedef struct {
    const int64_t *at; /* epoch, step, epochs, steps */
    double factor;
} evaluating;

static void evaluate(spor_pass *run, void *context) {
    evaluating *e = context;
    const spor_partial *schedule = run->script->schedule.partial;
    spor_value first[4];
    for (int k = 0; k < 4; k++) first[k] = value_of_int(e->at[k]);
    spor_value factor = partial_call(run, schedule, first);
    bool number = value_is_number(&factor);
    if (!number || !(value_number(&factor) >= 0))
        pass_fail(run, schedule->place,
                  "%s must return a factor of the rate, a number that is not negative, but returns "
                  "%s in epoch %" PRId64 ", step %" PRId64 ", both counted from 0",
                  schedule->function->def->name, value_describe(&run->ground, &factor), e->at[0],
                  e->at[1]);
    e->factor = value_number(&factor);
}

bool script_factor(spor_script *script, int64_t epoch, int64_t step, int64_t epochs, int64_t steps,
                   double *factor) {
    spor_arena arena = {NULL};
    spor_pass run = {.ground = {.arena = &arena}, .script = script, .ruling = true};
    evaluating e = {.at = (const int64_t[]){epoch, step, epochs, steps}, .factor = 1};
    bool done = script->schedule.kind != VALUE_SCHEDULE || pass_attempt(&run, evaluate, &e);
    if (!done) pass_error(&run, script->error, sizeof script->error);
    arena_free(&arena);
    *factor = e.factor;
    return done;
}
