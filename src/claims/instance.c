/*
 * An instance for the verifier: a derive or a claim at some sizes, recorded on a tape, or why it
 * is none.
 */
#include "claims/private.h"
#include "tape/tape.h"

#include <stdio.h>

/* Records on the tape; false if that leaves with an error, which is then in the text. */
static bool record_on(spor_asserting *at, spor_tape *tape, char *text, size_t size) {
    spor_asserted *a = at->asserted;
    spor_arena arena = {NULL};
    spor_pass run = {.ground = {.arena = &arena}, .script = a->script, .tape = tape, .own = at};
    spor_env env = {.parent = a->script->globals};
    at->env = &env;
    bool done = pass_attempt(&run, a->function ? derive_record : claim_record, at);
    if (!done) pass_error(&run, text, size);
    at->exhausted = run.ground.exhausted || tape->exhausted;
    arena_free(&arena);
    spor_tape_place(tape, NULL, 0, 0);
    return done;
}

/* True if the other side of the equality does not record either. */
static bool is_undefined(spor_asserting *failed) {
    spor_instance scrap = {0};
    char text[512];
    spor_asserting at = {.asserted = failed->asserted,
                         .values = failed->values,
                         .instance = &scrap,
                         .pair = -1,
                         .side = -1,
                         .skip_pair = failed->pair,
                         .skip_side = failed->side};
    spor_tape *tape = spor_tape_new();
    bool records = !tape || record_on(&at, tape, text, sizeof text);
    failed->exhausted = !tape || at.exhausted;
    spor_tape_free(tape);
    return !records && at.pair == failed->pair && at.side == 1 - failed->side;
}

static spor_recording judge_failure(spor_asserting *at, const char *text) {
    spor_script_claim *shown = &at->asserted->shown;
    bool derive = at->asserted->function != NULL;
    spor_recording result = SPOR_BROKEN;
    if (at->outside || (derive && at->stage == SPOR_AT_DEF))
        result = SPOR_OUTSIDE;
    else if (!derive && at->stage == SPOR_AT_BODY && at->side < 0 && at->pair < 0)
        result = SPOR_UNDEFINED; /* what both sides are made of does not exist */
    else if (at->side >= 0 && is_undefined(at))
        result = SPOR_UNDEFINED;
    const char *which = at->side < 0 ? "" : at->side ? "right side: " : "left side: ";
    if (result == SPOR_BROKEN)
        snprintf(at->instance->message, sizeof at->instance->message, "%s%s", which, text);
    else
        snprintf(shown->refusal, sizeof shown->refusal, "%s", text);
    return result;
}

spor_recording instance_record(void *user, spor_tape *tape, const int64_t values[],
                               spor_instance *instance) {
    char text[sizeof instance->message - 16];
    spor_asserting at = {.asserted = user,
                         .values = values,
                         .instance = instance,
                         .pair = -1,
                         .side = -1,
                         .skip_pair = -1};
    spor_recording result = SPOR_RECORDED;
    if (!record_on(&at, tape, text, sizeof text))
        result = at.exhausted ? SPOR_EXHAUSTED : judge_failure(&at, text);
    else if (at.outside)
        result = SPOR_OUTSIDE;
    return at.exhausted ? SPOR_EXHAUSTED : result;
}
