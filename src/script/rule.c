/*
 * Recording the optimizer of a script, and its clip: one call for all gradients, then one for each
 * parameter in a scope of its name.
 */
#include "script/private.h"
#include "tape/tape.h"

/* ---- the clip ---- */

typedef struct {
    int n;
    const spor_var *dw;
    spor_var *clipped;
} clipping;

static void check_clipped(spor_pass *run, const spor_partial *clip, const clipping *c,
                          const spor_value *result) {
    const char *name = clip->function->def->name;
    if (result->kind != VALUE_LIST || result->list.n != c->n)
        pass_fail(run, clip->place, "%s must return a list of the %d gradients but returns %s",
                  name, c->n, value_describe(&run->ground, result));
    for (int k = 0; k < c->n; k++) {
        spor_value own = value_of_tensor(c->dw[k], NULL), *got = &result->list.item[k];
        spor_shape have = got->kind == VALUE_TENSOR ? spor_shape_of(got->t.var) : SPOR_SCALAR_SHAPE;
        if (got->kind != VALUE_TENSOR || !shape_equal(&have, tape_node_of(c->dw[k])->shape))
            pass_fail(run, clip->place, "%s must return for gradient %d %s but returns %s", name, k,
                      value_describe(&run->ground, &own), value_describe(&run->ground, got));
    }
}

static void record_clip(spor_pass *run, void *context) {
    clipping *c = context;
    const spor_partial *clip = run->script->clip.partial;
    spor_value *items = pass_items(run, clip->place, c->n);
    for (int k = 0; k < c->n; k++) items[k] = value_of_tensor(c->dw[k], NULL);
    spor_value list = pass_list(run, clip->place, c->n, items);
    spor_value result = partial_call(run, clip, &list);
    check_clipped(run, clip, c, &result);
    for (int k = 0; k < c->n; k++) c->clipped[k] = result.list.item[k].t.var;
}

/* ---- the optimizer ---- */

typedef struct {
    spor_var w, dw, next;
} updating;

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

static bool clip_gradients(spor_script *script, int n, const spor_var dw[], spor_var clipped[]) {
    for (int k = 0; k < n; k++) clipped[k] = dw[k];
    if (script->clip.kind != VALUE_CLIP || !n) return true;
    return script_record_rule(script, dw[0].tape, record_clip, &(clipping){n, dw, clipped});
}

bool script_optimizer(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    spor_script *script = user;
    bool done = clip_gradients(script, n, dw, next);
    for (int k = 0; done && k < n; k++) {
        updating u = {w[k], next[k], {w[k].tape, 0}};
        spor_scope_begin_for(w[k]);
        done = script_record_rule(script, w[k].tape, record_update, &u);
        spor_scope_end(w[k].tape, u.next);
        next[k] = u.next;
    }
    return done;
}
