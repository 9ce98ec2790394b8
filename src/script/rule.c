/*
 * Recording the optimizer of a script, and its clip: one call for all gradients, then one for each
 * parameter in a scope of its name.
 */
#include "script/private.h"

#include <stdlib.h>
#include <string.h>

#include "tape/tape.h"

/* A parameter that moves; at: which of all. dw is clipped in its place. */
typedef struct {
    spor_var w, dw, next;
    int at;
} updating;

/* ---- the clip ---- */

typedef struct {
    int n;
    updating *moving;
} clipping;

static void check_clipped(spor_pass *run, const spor_partial *clip, const clipping *c,
                          const spor_value *result) {
    const char *name = clip->function->def->name;
    if (result->kind != VALUE_LIST || result->list.n != c->n)
        pass_fail(run, clip->place, "%s must return a list of the %d gradients but returns %s",
                  name, c->n, value_describe(&run->ground, result));
    for (int k = 0; k < c->n; k++) {
        spor_value own = value_of_tensor(c->moving[k].dw, NULL), *got = &result->list.item[k];
        spor_shape have = got->kind == VALUE_TENSOR ? spor_shape_of(got->t.var) : SPOR_SCALAR_SHAPE;
        if (got->kind != VALUE_TENSOR || !shape_equal(&have, tape_node_of(c->moving[k].dw)->shape))
            pass_fail(run, clip->place, "%s must return for gradient %d %s but returns %s", name, k,
                      value_describe(&run->ground, &own), value_describe(&run->ground, got));
    }
}

static void record_clip(spor_pass *run, void *context) {
    clipping *c = context;
    const spor_partial *clip = run->script->clip.partial;
    spor_value *items = pass_items(run, clip->place, c->n);
    for (int k = 0; k < c->n; k++) items[k] = value_of_tensor(c->moving[k].dw, NULL);
    spor_value list = pass_list(run, clip->place, c->n, items);
    spor_value result = partial_call(run, clip, &list);
    check_clipped(run, clip, c, &result);
    for (int k = 0; k < c->n; k++) c->moving[k].dw = result.list.item[k].t.var;
}

/* ---- the optimizer ---- */

static void record_update(spor_pass *run, void *context) {
    updating *u = context;
    const spor_partial *optimizer = run->script->optimizer.partial;
    const spor_value first[] = {value_of_tensor(u->w, NULL), value_of_tensor(u->dw, NULL)};
    spor_value next = partial_call(run, optimizer, first);
    spor_shape have = next.kind == VALUE_TENSOR ? spor_shape_of(next.t.var) : SPOR_SCALAR_SHAPE;
    if (next.kind != VALUE_TENSOR || !shape_equal(&have, tape_node_of(u->w)->shape))
        pass_fail(run, optimizer->place, "%s must return the next w, %s, but returns %s",
                  optimizer->function->def->name, value_describe(&run->ground, &first[0]),
                  value_describe(&run->ground, &next));
    u->next = next.t.var;
}

static bool clip_gradients(spor_script *script, int n, updating moving[]) {
    if (script->clip.kind != VALUE_CLIP || !n) return true;
    return script_record_rule(script, moving[0].w.tape, record_clip, &(clipping){n, moving});
}

bool script_is_within(const char *name, const char *scope) {
    size_t length = strlen(scope);
    return !strncmp(name, scope, length) && (!name[length] || name[length] == '/');
}

bool script_frozen(const char *name, const void *user) {
    const spor_declaration *d = &((const spor_script *)user)->declaration;
    for (int k = 0; k < d->frozen_count; k++)
        if (script_is_within(name, d->frozen[k])) return true;
    return false;
}

/* What is frozen is its own next value, and the clip does not see its gradient. */
static int choose_moving(const spor_script *script, int n, const spor_var w[], const spor_var dw[],
                         spor_var next[], updating moving[]) {
    int count = 0;
    for (int k = 0; k < n; k++) {
        next[k] = w[k];
        if (!script_frozen(tape_node_of(w[k])->name, script))
            moving[count++] = (updating){w[k], dw[k], {w[k].tape, 0}, k};
    }
    return count;
}

static bool update_each(spor_script *script, int n, updating moving[], spor_var next[]) {
    bool done = clip_gradients(script, n, moving);
    for (int k = 0; done && k < n; k++) {
        updating *u = &moving[k];
        spor_scope_begin_for(u->w);
        done = script_record_rule(script, u->w.tape, record_update, u);
        spor_scope_end(u->w.tape, u->next);
        next[u->at] = u->next;
    }
    return done;
}

bool script_optimizer(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    updating *moving = calloc((size_t)n + 1, sizeof *moving);
    bool done =
        moving && update_each(user, choose_moving(user, n, w, dw, next, moving), moving, next);
    if (!moving && n) tape_exhaust(w[0].tape);
    free(moving);
    return done;
}
