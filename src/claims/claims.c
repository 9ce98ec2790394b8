/*
 * What a script asserts: collected while it loads, in order of the source.
 */
#include "claims/private.h"

#include <string.h>

spor_asserted *claims_first(const spor_script *script) {
    return script && script->dialect == &claims_dialect ? script->own : NULL;
}

static void refuse_twin(spor_pass *run, const spor_asserted *a) {
    for (const spor_asserted *other = claims_first(run->script); other; other = other->next)
        if (strcmp(other->statement.name, a->statement.name) == 0)
            pass_fail(run, a->source->place, "there is already \"%s\" at %s:%d: label it",
                      a->statement.name, other->shown.file, other->shown.line);
}

static void append(spor_script *script, spor_asserted *a) {
    spor_asserted *last = script->own;
    while (last && last->next) last = last->next;
    if (last)
        last->next = a;
    else
        script->own = a;
}

spor_value claims_collect(spor_pass *run, spor_env *env, const spor_syntax *node) {
    (void)env;
    const spor_assertion *s = node->own;
    spor_asserted *a = ground_take(&run->ground, 1, sizeof *a);
    *a = (spor_asserted){.script = run->script, .source = s};
    a->shown = (spor_script_claim){.label = s->label,
                                   .fails = s->fails,
                                   .trusted = s->trusted,
                                   .file = s->place.source->file,
                                   .line = s->place.line,
                                   .column = s->place.column,
                                   .statement = &a->statement,
                                   .calls = -1};
    a->statement.name = s->label ? s->label : s->target;
    a->statement.record = instance_record;
    a->statement.user = a;
    a->statement.equality = !s->target;
    refuse_twin(run, a);
    if (s->target)
        derive_read(run, a);
    else
        claim_read(run, a);
    quantities_read(run, a);
    turns_read(run, a);
    append(run->script, a);
    return (spor_value){.kind = VALUE_NOTHING};
}

int claims_count(const spor_script *script) {
    int n = 0;
    for (const spor_asserted *a = claims_first(script); a; a = a->next) n++;
    return n;
}

int claims_results(const spor_script *script, const char *def, int most, const char *name[]) {
    for (const spor_asserted *a = claims_first(script); a; a = a->next) {
        if (!a->shown.def || strcmp(a->shown.def, def) || a->source->results > most) continue;
        for (int k = 0; k < a->source->results; k++) name[k] = a->source->result[k].y.name;
        return a->source->results;
    }
    return 0;
}

const spor_script_claim *claims_at(const spor_script *script, int k) {
    const spor_asserted *a = claims_first(script);
    for (; a && k > 0; k--) a = a->next;
    return a ? &a->shown : NULL;
}
