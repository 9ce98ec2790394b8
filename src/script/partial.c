/*
 * Calls that wait for their first arguments: losses, optimizers, clips, schedules. At the top level there are no
 * tensors, so a def that begins with the tensors of a training step is called there without them; what
 * else it takes is bound at once.
 */
#include "script/private.h"

#include <string.h>

/* What the first parameters of a def are called, and what a call without them is. */
static const struct {
    const char *name[4];
    int count;
    spor_value_kind kind;
} leads[] = {{{"w", "dw"}, 2, VALUE_OPTIMIZER},
             {{"gradients"}, 1, VALUE_CLIP},
             {{"prediction", "target"}, 2, VALUE_LOSS_CALL},
             {{"epoch", "step", "epochs", "steps"}, 4, VALUE_SCHEDULE},
             {{"losses"}, 1, VALUE_SCHEDULE}};

enum { LEADS = sizeof leads / sizeof *leads };

/* Which of them the def begins with; LEADS: none. */
static int lead_of(const spor_def *def) {
    for (int k = 0; k < LEADS; k++) {
        bool fits = def->parameters >= leads[k].count;
        for (int p = 0; fits && p < leads[k].count; p++)
            fits = !strcmp(def->parameter[p].name, leads[k].name[p]);
        if (fits) return k;
    }
    return LEADS;
}

bool partial_waits(const spor_pass *run, const spor_value *callee) {
    return !run->tape && !run->ruling && callee->kind == VALUE_FUNCTION &&
           lead_of(callee->function->def) < LEADS;
}

/* Binds what the def takes besides; defaults are evaluated here. */
static void bind(spor_pass *run, spor_partial *p, const spor_arguments *a) {
    const spor_def *def = p->function->def;
    const spor_parameter *parameter = def->parameter + p->waiting;
    size_t n = (size_t)(def->parameters - p->waiting);
    const char **names = ground_take(&run->ground, n, sizeof *names);
    bool *optional = ground_take(&run->ground, n, sizeof *optional);
    const spor_value **bound = ground_take(&run->ground, n, sizeof *bound);
    spor_spot *at = ground_take(&run->ground, n, sizeof *at);
    for (size_t k = 0; k < n; k++) {
        names[k] = parameter[k].name;
        optional[k] = parameter[k].value != NULL;
    }
    call_bind(run, a, def->name, (int)n, names, optional, bound, at);
    for (size_t k = 0; k < n; k++) {
        p->given[k] = bound[k] != NULL;
        p->value[k] =
            bound[k] ? *bound[k] : pass_evaluate(run, p->function->env, parameter[k].value);
    }
}

spor_value partial_make(spor_pass *run, const spor_value *callee, const spor_arguments *a) {
    int lead = lead_of(callee->function->def);
    size_t room = (size_t)callee->function->def->parameters;
    spor_partial *p = ground_take(&run->ground, 1, sizeof *p);
    *p = (spor_partial){.function = callee->function,
                        .place = a->place,
                        .waiting = leads[lead].count,
                        .value = ground_take(&run->ground, room, sizeof *p->value),
                        .given = ground_take(&run->ground, room, sizeof *p->given)};
    bind(run, p, a);
    return (spor_value){.kind = leads[lead].kind, .partial = p};
}

spor_value partial_call(spor_pass *run, const spor_partial *p, const spor_value first[]) {
    size_t n = (size_t)p->function->def->parameters;
    spor_value *value = ground_take(&run->ground, n, sizeof *value);
    const char **keyword = ground_take(&run->ground, n, sizeof *keyword);
    spor_spot *at = ground_take(&run->ground, n, sizeof *at);
    for (size_t k = 0; k < n; k++) {
        value[k] = (int)k < p->waiting ? first[k] : p->value[k - (size_t)p->waiting];
        at[k] = p->place;
    }
    spor_value callee = {.kind = VALUE_FUNCTION, .function = p->function};
    return pass_call(run, &callee, &(spor_arguments){p->place, (int)n, value, keyword, at});
}

const char *partial_text(spor_pass *run, const spor_partial *p) {
    char out[400];
    spor_note note = {out, sizeof out, 0};
    const spor_def *def = p->function->def;
    bool any = false;
    note_add(&note, "%s(", def->name);
    for (int k = p->waiting; k < def->parameters; k++) {
        if (!p->given[k - p->waiting]) continue;
        note_add(&note, "%s%s=", any ? ", " : "", def->parameter[k].name);
        value_write(&note, &p->value[k - p->waiting]);
        any = true;
    }
    note_add(&note, ")");
    return ground_take_text(&run->ground, out, strlen(out));
}
