/*
 * A def alone, for what other code computes of it: its sizes, the values of its tensors and the names of its
 * result and cotangent, as its derive has them where there is one, else by the signature.
 */
#include "claims/private.h"

#include <string.h>

#include "tape/tape.h"

typedef struct {
    const char *def;
    spor_asserted *asserted;
} reading;

/* The derive of the def that is to hold; NULL: there is none. */
static const spor_asserted *derive_of(const spor_script *script, const char *def) {
    for (const spor_asserted *a = claims_first(script); a; a = a->next)
        if (a->shown.def && !strcmp(a->shown.def, def) && !a->shown.fails) return a;
    return NULL;
}

/* What the def returns, if that is a name of its own. */
static const char *returned_name(const spor_syntax *node, const spor_def *def) {
    const char *name = NULL;
    if (node->kind == NODE_RETURN && node->n == 1 && node->child[0]->kind == NODE_NAME)
        name = node->child[0]->text;
    for (int k = 0; name && k < def->parameters; k++)
        if (def->parameter[k].name == name) name = NULL;
    for (int k = node->n; !name && node->kind == NODE_BLOCK && k > 0; k--)
        name = returned_name(node->child[k - 1], def);
    return name;
}

/* As if the script had "derive def (A, W) -> (Y, dY):". */
static const spor_assertion *plain_head(spor_pass *run, const spor_def *def) {
    spor_assertion *s = ground_take(&run->ground, 1, sizeof *s);
    const char *y = returned_name(def->body, def), *several[SPOR_RESULTS];
    *s = (spor_assertion){.target = def->name, .place = def->place, .target_place = def->place};
    s->quantifier = ground_take(&run->ground, (size_t)def->parameters, sizeof *s->quantifier);
    for (int k = 0; k < def->parameters; k++)
        if (def->parameter[k].shaped)
            s->quantifier[s->quantifiers++] =
                (spor_parameter){.name = def->parameter[k].name, .place = def->parameter[k].place};
    s->results = script_results(run->script, def->name, SPOR_RESULTS, several);
    if (!s->results) several[s->results++] = y ? y : "Y";
    for (int k = 0; k < s->results; k++)
        s->result[k] =
            (spor_result){.y = {.name = several[k], .place = def->place},
                          .dy = {.name = derive_name(run, several[k]), .place = def->place}};
    return s;
}

/* The same head with nothing below it. */
static const spor_assertion *without_body(spor_pass *run, const spor_assertion *head) {
    spor_assertion *s = ground_take(&run->ground, 1, sizeof *s);
    spor_syntax *nothing = ground_take(&run->ground, 1, sizeof *nothing);
    *nothing = (spor_syntax){.kind = NODE_BLOCK, .place = head->place};
    *s = *head;
    s->body = nothing;
    return s;
}

/* Labels, masks and what is one of a few numbers are not moved by a little. */
static bool is_smooth(const spor_range *range) {
    return range->kind == SPOR_RANGE_ANY || range->kind == SPOR_RANGE_REALS;
}

static void read_def(spor_pass *run, void *context) {
    reading *r = context;
    const spor_binding *b = NULL;
    const spor_env *env = run->script->globals;
    for (int k = 0; k < env->n && !b; k++)
        if (!strcmp(env->binding[k].name, r->def)) b = &env->binding[k];
    if (!b || b->value.kind != VALUE_FUNCTION)
        ground_give_up(&run->ground, (spor_spot){0}, "there is no def %s", r->def);
    const spor_def *def = b->value.function->def;
    const spor_asserted *derive = derive_of(run->script, def->name);
    const spor_assertion *s = without_body(run, derive ? derive->source : plain_head(run, def));
    spor_asserted *a = r->asserted = ground_take(&run->ground, 1, sizeof *a);
    *a = (spor_asserted){.script = run->script, .source = s, .alone = true};
    a->statement = (spor_statement){.name = def->name, .record = instance_record, .user = a};
    a->shown.file = def->place.source->file;
    a->shown.line = def->place.line;
    a->shown.statement = &a->statement;
    derive_read(run, a);
    ranges_read(run, a);
    quantities_read(run, a);
    turns_read(run, a);
    for (int k = 0; k < a->tensors; k++) {
        const char *name = a->tensor[k]->name;
        bool none = derive && derive_is_none(run, derive, name);
        if (!none && is_smooth(&a->value[k]))
            a->check[a->checks++] = (spor_checked){derive_name(run, name), NULL};
    }
}

bool claims_def(spor_script *script, const char *def, spor_script_def *out, char *error,
                size_t size) {
    reading r = {.def = def};
    spor_pass run = {.ground = {.arena = &script->arena}, .script = script};
    *out = (spor_script_def){0};
    if (!pass_attempt(&run, read_def, &r)) {
        pass_error(&run, error, size);
        return false;
    }
    const spor_asserted *a = r.asserted;
    *out = (spor_script_def){.statement = &a->statement,
                             .why_not = a->shown.refusal,
                             .file = a->shown.file,
                             .line = a->shown.line,
                             .tensors = a->tensors};
    for (int k = 0; k < a->tensors; k++) out->tensor[k] = a->tensor[k]->name;
    for (int k = 0; k < a->tensors; k++) out->kind[k] = a->value[k].kind;
    for (int k = 0; k < a->source->results; k++) {
        const spor_result *result = &a->source->result[k];
        if (!result->dy.name) continue; /* it is not differentiated */
        out->result[out->results] = result->y.name;
        out->cotangent[out->results++] = result->dy.name;
    }
    return true;
}
