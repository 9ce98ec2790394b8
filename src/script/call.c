/*
 * Calls: arguments, defs and their scopes, built-ins.
 */
#include "script/private.h"

#include <string.h>

#include "base/random.h"
#include "tape/tape.h"

/* How often a def was called within one call. */
typedef struct spor_tally {
    struct spor_tally *next;
    const char *name;
    int calls;
} spor_tally;

typedef struct spor_numbered spor_numbered;

struct spor_frame {
    spor_frame *caller;
    const spor_def *def;
    spor_spot call;
    spor_env *env;
    const char *scope; /* "conv[2]" */
    bool opened;       /* the scope was begun on the tape */
    spor_tally *tally;
    spor_numbered *numbered; /* names of values */
    int count[SPOR_COUNTS];
};

/* ---- the calls that are going on ------------------------------------------------------------- */

spor_env *pass_env(const spor_pass *run) {
    return run->frame ? run->frame->env : run->script->globals;
}

void pass_trace(const spor_pass *run, spor_note *note) {
    for (const spor_frame *f = run->frame; f; f = f->caller)
        if (f->call.source)
            note_add(note, "\n      in %s, called at %s:%d:%d", f->def->name, f->call.source->file,
                     f->call.line, f->call.column);
}

/* The call that led into the file of a place from another one; NULL: none did. */
static const spor_frame *way_in(const spor_pass *run, spor_spot place) {
    const spor_frame *f = run->frame;
    while (f && f->call.source == place.source) f = f->caller;
    return f && f->call.source ? f : NULL;
}

spor_spot pass_leave_file(spor_pass *run, spor_spot place) {
    const spor_frame *f = way_in(run, place);
    if (!f) return place;
    run->frame = f->caller;
    return f->call;
}

/* The statement train(...) calls nets and losses, and gives them nothing that may be wrong. */
static bool is_train(const spor_pass *run, spor_spot call) {
    spor_spot train = run->script->train;
    return call.source == train.source && call.line == train.line && call.column == train.column;
}

spor_spot pass_leave_included(spor_pass *run, spor_spot place, const char **called) {
    const spor_frame *f;
    *called = NULL;
    while (place.source && place.source->included && (f = way_in(run, place)) &&
           !is_train(run, f->call)) {
        *called = f->def->name;
        run->frame = f->caller;
        place = f->call;
    }
    return place;
}

int pass_count(spor_pass *run, spor_count what) {
    return run->frame ? run->frame->count[what]++ : 0;
}

/* hash of the scopes around and of how many seeds the innermost call has taken */
uint64_t pass_seed(spor_pass *run) {
    uint64_t seed = 0;
    for (const spor_frame *f = run->frame; f; f = f->caller)
        seed = random_hash_text(seed, f->scope);
    return random_hash(seed, (uint64_t)pass_count(run, SPOR_COUNT_RANDOM), 0) >> 1;
}

uint32_t pass_symbol(spor_pass *run) {
    return ++run->symbols;
}

/* ---- recording ------------------------------------------------------------------------------- */

static void set_place(spor_pass *run, spor_spot place) {
    if (place.source) spor_tape_place(run->tape, place.source->file, place.line, place.column);
}

/* Scopes are begun when something is recorded in them, outer ones first: a def that only computes
 * with numbers leaves none. */
static void open_scopes(spor_pass *run, spor_frame *frame) {
    if (!frame || frame->opened) return;
    open_scopes(run, frame->caller);
    set_place(run, frame->call);
    spor_scope_begin(run->tape, frame->scope);
    frame->opened = true;
}

spor_tape *pass_record(spor_pass *run, spor_spot place) {
    if (!run->tape)
        pass_fail(run, place, "tensors are made inside a def: at the top level there is no tape");
    pass_spend(run, place, 1);
    open_scopes(run, run->frame);
    set_place(run, place);
    return run->tape;
}

spor_var pass_recorded(spor_pass *run, spor_var var) {
    if (!spor_error(run->tape)) return var;
    run->tape_failed = true;
    pass_fail(run, (spor_spot){0}, "%s", "");
}

/* ---- names of values ------------------------------------------------------------------------- */

/* A name that values have been given in a call: the numbers reached in it, and in the calls below. */
struct spor_numbered {
    spor_numbered *next;
    const char *name; /* interned */
    int own, below;
};

static spor_numbered *numbered_in(spor_pass *run, spor_frame *frame, const char *name) {
    spor_numbered *n = frame->numbered;
    while (n && n->name != name) n = n->next;
    if (n) return n;
    n = ground_take(&run->ground, 1, sizeof *n);
    *n = (spor_numbered){frame->numbered, name, 0, 0};
    return frame->numbered = n;
}

/* "net/cell[0]/" */
static const char *path_of(spor_pass *run, const spor_frame *frame) {
    if (!frame) return "";
    const char *outer = path_of(run, frame->caller);
    return *frame->scope ? ground_take_format(&run->ground, "%s%s/", outer, frame->scope) : outer;
}

/* True if a leaf is seen by this name from where the path leads. */
static bool is_leaf_name(const spor_tape *tape, const char *path, const char *name) {
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_node *node = &tape->node[id];
        const char *own = node->op->traits & SPOR_LEAF ? node->name : NULL;
        const char *slash = own ? strrchr(own, '/') : NULL, *last = slash ? slash + 1 : own;
        if (own && !strcmp(last, name) && !strncmp(own, path, (size_t)(last - own))) return true;
    }
    return false;
}

/* From below, names of the calls around are seen, too: a number is larger than theirs. */
static int next_number(spor_pass *run, const char *path, const char *name) {
    const spor_numbered *own = numbered_in(run, run->frame, name);
    int most = own->own > own->below ? own->own : own->below;
    for (spor_frame *f = run->frame->caller; f; f = f->caller)
        if (numbered_in(run, f, name)->own > most) most = numbered_in(run, f, name)->own;
    if (!most && is_leaf_name(run->tape, path, name)) most = 1;
    numbered_in(run, run->frame, name)->own = most + 1;
    for (spor_frame *f = run->frame->caller; f; f = f->caller)
        if (numbered_in(run, f, name)->below <= most) numbered_in(run, f, name)->below = most + 1;
    return most + 1;
}

void pass_name(spor_pass *run, spor_var var, const char *name) {
    if (!run->frame || !var.id || tape_node_of(var)->name) return;
    const char *path = path_of(run, run->frame);
    int number = next_number(run, path, name);
    spor_name(var, number > 1 ? ground_take_format(&run->ground, "%s%s_%d", path, name, number)
                              : ground_take_format(&run->ground, "%s%s", path, name));
}

/* ---- arguments ------------------------------------------------------------------------------- */

static const char *name_list(spor_pass *run, int n, const char *const names[]) {
    char out[512] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < n; k++) note_add(&note, "%s%s", k ? ", " : "", names[k]);
    return ground_take_text(&run->ground, out, strlen(out));
}

/* The name that argument k is for; leaves if there is none. */
static int target_of(spor_pass *run, const spor_arguments *a, int k, const char *callee, int n,
                     const char *const names[]) {
    if (!a->keyword[k]) {
        if (k < n) return k;
        if (n == 0) pass_fail(run, a->at[k], "%s takes no arguments", callee);
        pass_fail(run, a->at[k], "%s takes at most %d argument%s: %s", callee, n, n == 1 ? "" : "s",
                  name_list(run, n, names));
    }
    for (int target = 0; target < n; target++)
        if (strcmp(names[target], a->keyword[k]) == 0) return target;
    if (n == 0) pass_fail(run, a->at[k], "%s takes no arguments", callee);
    pass_fail(run, a->at[k], "%s has no argument %s; it takes %s", callee, a->keyword[k],
              name_list(run, n, names));
}

/* Behind what is missing of a def that was given something where no tensors are yet: it may be meant to
 * wait for them, which the names of its first parameters say. */
static const char *waiting_hint(const spor_pass *run, const spor_arguments *a) {
    bool may = a->n && !run->tape && !run->ruling;
    return may ? "\nA def that is to wait for tensors here begins with prediction, target (a "
                 "loss), "
                 "w, dw (an optimizer) or gradients (a clip)."
               : "";
}

/* call_bind; hint stands behind what is missing. */
static void bind_all(spor_pass *run, const spor_arguments *arguments, const char *callee, int n,
                     const char *const names[], const bool optional[], const spor_value *bound[],
                     spor_spot at[], const char *hint) {
    for (int k = 0; k < n; k++) {
        bound[k] = NULL;
        at[k] = arguments->place;
    }
    for (int k = 0; k < arguments->n; k++) {
        int target = target_of(run, arguments, k, callee, n, names);
        if (bound[target])
            pass_fail(run, arguments->at[k], "%s is given %s twice", callee, names[target]);
        bound[target] = &arguments->value[k];
        at[target] = arguments->at[k];
    }
    for (int k = 0; k < n; k++)
        if (!bound[k] && !optional[k])
            pass_fail(run, arguments->place, "%s needs %s; it takes %s%s", callee, names[k],
                      name_list(run, n, names), hint);
}

void call_bind(spor_pass *run, const spor_arguments *arguments, const char *callee, int n,
               const char *const names[], const bool optional[], const spor_value *bound[],
               spor_spot at[]) {
    bind_all(run, arguments, callee, n, names, optional, bound, at, "");
}

/* ---- defs ---- */

static const char *scope_name(spor_pass *run, const spor_def *def) {
    if (!run->frame) return def->name;
    spor_tally *tally = run->frame->tally;
    while (tally && tally->name != def->name) tally = tally->next;
    if (!tally) {
        tally = ground_take(&run->ground, 1, sizeof *tally);
        *tally = (spor_tally){run->frame->tally, def->name, 0};
        run->frame->tally = tally;
    }
    return ground_take_format(&run->ground, "%s[%d]", def->name, tally->calls++);
}

/* A def that is called while it runs would never end, since conditions do not depend on tensors. */
static void refuse_recursion(spor_pass *run, const spor_def *def, spor_spot place) {
    const spor_frame *first = run->frame;
    while (first && first->def != def) first = first->caller;
    if (first) {
        char out[512] = "";
        spor_note note = {out, sizeof out, 0};
        for (const spor_frame *f = run->frame; f != first; f = f->caller)
            note_add(&note, ", which is called by %s", f->caller->def->name);
        pass_fail(run, place, "recursion is refused: %s is called by %s%s", def->name,
                  run->frame->def->name, out);
    }
    if (run->depth == SPOR_LIMIT_CALLS)
        pass_fail(run, place, "defs call each other deeper than %d", SPOR_LIMIT_CALLS);
}

static const char *axis_text(spor_pass *run, const spor_parameter *p) {
    char out[256] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < p->rank; k++) {
        note_add(&note, k ? ", " : "");
        if (p->axis[k].name)
            note_add(&note, "%s", p->axis[k].name);
        else
            note_add(&note, "%" PRId64, p->axis[k].size);
    }
    return ground_take_text(&run->ground, out, strlen(out));
}

/* An argument against its signature. */
typedef struct {
    spor_pass *run;
    const spor_def *def;
    spor_env *env; /* holds the sizes named so far */
    const spor_parameter *parameter;
    spor_spot at;
} shaped;

static _Noreturn void size_disagrees(const shaped *s, const char *name, int64_t size,
                                     int64_t before) {
    pass_fail(s->run, s->at,
              "%s: %s is [%s] with %s=%" PRId64 ", but %s=%" PRId64 " from an argument before",
              s->def->name, s->parameter->name, axis_text(s->run, s->parameter), name, size, name,
              before);
}

/* Axis k: its name stands for the size from now on. Returns the symbol of the axis. */
static uint32_t bind_axis(const shaped *s, int k, int64_t size, uint32_t symbol) {
    const spor_axis_name *axis = &s->parameter->axis[k];
    if (!axis->name && size != axis->size)
        pass_fail(s->run, s->at,
                  "%s: %s has %" PRId64 " elements on axis %d but its signature says %" PRId64,
                  s->def->name, s->parameter->name, size, k, axis->size);
    if (!axis->name) return symbol;
    for (int b = 0; b < s->env->n; b++) {
        const spor_binding *known = &s->env->binding[b];
        if (known->name != axis->name) continue;
        if (known->value.i != size) size_disagrees(s, axis->name, size, known->value.i);
        return known->symbol;
    }
    if (!symbol) symbol = pass_symbol(s->run);
    env_set(s->run, s->env, axis->name, value_of_int(size))->symbol = symbol;
    return symbol;
}

/* A[N, n]: the argument must be a tensor of this rank; its axes get the names. */
static spor_value bind_shape(const shaped *s, const spor_value *v) {
    const spor_parameter *p = s->parameter;
    spor_value written;
    if (v->kind == VALUE_LIST) {
        const char *what = ground_take_format(&s->run->ground, "%s: %s", s->def->name, p->name);
        written = tensor_of_list(s->run, s->at, what, v);
        v = &written;
    }
    bool tensor = v->kind == VALUE_TENSOR;
    spor_shape shape = tensor ? spor_shape_of(v->t.var) : SPOR_SCALAR_SHAPE;
    if (!tensor || shape.rank != p->rank)
        pass_fail(s->run, s->at, "%s: %s must be a tensor [%s] but is %s", s->def->name, p->name,
                  axis_text(s->run, p), value_describe(&s->run->ground, v));
    spor_axes *axes = ground_take(&s->run->ground, 1, sizeof *axes);
    for (int k = 0; k < p->rank; k++)
        axes->symbol[k] = bind_axis(s, k, shape.n[k], v->t.axes ? v->t.axes->symbol[k] : 0);
    return value_of_tensor(v->t.var, axes);
}

/* Sizes come first, so that the parameters' own names never meet theirs. */
static void bind_parameters(spor_pass *run, const spor_function *f, spor_env *env,
                            const spor_arguments *a) {
    const spor_def *def = f->def;
    size_t n = (size_t)def->parameters;
    const char **names = ground_take(&run->ground, n, sizeof *names);
    bool *optional = ground_take(&run->ground, n, sizeof *optional);
    const spor_value **bound = ground_take(&run->ground, n, sizeof *bound);
    spor_spot *at = ground_take(&run->ground, n, sizeof *at);
    spor_value *value = ground_take(&run->ground, n, sizeof *value);
    for (size_t k = 0; k < n; k++) {
        names[k] = def->parameter[k].name;
        optional[k] = def->parameter[k].value != NULL;
    }
    bind_all(run, a, def->name, def->parameters, names, optional, bound, at, waiting_hint(run, a));
    for (size_t k = 0; k < n; k++) {
        const spor_parameter *p = &def->parameter[k];
        value[k] = bound[k] ? *bound[k] : pass_evaluate(run, f->env, p->value);
        shaped s = {run, def, env, p, at[k]};
        if (p->shaped) value[k] = bind_shape(&s, &value[k]);
    }
    for (size_t k = 0; k < n; k++) env_set(run, env, names[k], value[k]);
}

/* The tensor that stands for the result of a scope: the first one returned. */
static spor_var scope_result(const spor_pass *run, const spor_value *v) {
    if (v->kind == VALUE_LIST && v->list.n) return scope_result(run, &v->list.item[0]);
    return v->kind == VALUE_TENSOR ? v->t.var : (spor_var){run->tape, 0};
}

static void check_where(spor_pass *run, const spor_def *def, spor_env *env, spor_spot place) {
    if (!def->where) return;
    spor_value where = pass_evaluate(run, env, def->where);
    if (!pass_truth(run, def->where->place, &where))
        pass_fail(run, place, "%s is not for these sizes: its where, line %d, says no", def->name,
                  def->where->place.line);
}

void pass_within(spor_pass *run, spor_env *env) {
    spor_frame *frame = ground_take(&run->ground, 1, sizeof *frame);
    *frame = (spor_frame){.caller = run->frame, .env = env, .scope = "", .opened = true};
    run->frame = frame;
}

static spor_value call_def(spor_pass *run, const spor_function *f, const spor_arguments *a) {
    refuse_recursion(run, f->def, a->place);
    spor_frame *frame = ground_take(&run->ground, 1, sizeof *frame);
    spor_env *env = ground_take(&run->ground, 1, sizeof *env);
    env->parent = f->env;
    *frame = (spor_frame){.caller = run->frame, .def = f->def, .call = a->place, .env = env};
    frame->scope = scope_name(run, f->def);
    bind_parameters(run, f, env, a);
    check_where(run, f->def, env, a->place);
    run->frame = frame;
    run->depth++;
    const spor_dialect *dialect = run->script->dialect;
    void *kept = dialect ? dialect->before_call(run, f, env) : NULL;
    spor_value result = pass_body(run, env, f->def->body);
    if (dialect) dialect->after_call(run, f, env, kept, &result);
    if (frame->opened) spor_scope_end(run->tape, scope_result(run, &result));
    run->frame = frame->caller;
    run->depth--;
    return result;
}

/* ---- built-ins ------------------------------------------------------------------------------- */

/* Splits "x, axis?" into names; returns how many. */
static int split_names(spor_pass *run, const char *parameters, const char *names[],
                       bool optional[]) {
    int n = 0;
    for (const char *at = parameters; *at && n < SPOR_BUILTIN_ARGUMENTS;) {
        size_t length = strcspn(at, ",?");
        names[n] = ground_take_text(&run->ground, at, length);
        at += length;
        optional[n++] = *at == '?';
        at += strspn(at, "?, ");
    }
    return n;
}

static spor_value call_builtin(spor_pass *run, const spor_builtin *b, const spor_arguments *a) {
    spor_given given = {.run = run, .builtin = b, .place = a->place, .all = a};
    const char *names[SPOR_BUILTIN_ARGUMENTS];
    bool optional[SPOR_BUILTIN_ARGUMENTS];
    if (b->parameters[0] != '*') {
        int n = split_names(run, b->parameters, names, optional);
        call_bind(run, a, b->name, n, names, optional, given.arg, given.at);
        return b->call(&given);
    }
    for (int k = 0; k < a->n && !b->parameters[1]; k++)
        if (a->keyword[k])
            pass_fail(run, a->at[k], "%s takes its arguments without names", b->name);
    return b->call(&given);
}

spor_value pass_call(spor_pass *run, const spor_value *callee, const spor_arguments *a) {
    if (partial_waits(run, callee)) return partial_make(run, callee, a);
    if (callee->kind == VALUE_FUNCTION) return call_def(run, callee->function, a);
    if (callee->kind == VALUE_BUILTIN) return call_builtin(run, callee->builtin, a);
    if (callee->kind == VALUE_OP) return registry_call(run, callee->op, a);
    const char *near = NULL;
    if (callee->kind == VALUE_STRING)
        near = env_nearest(run, run->script->globals, callee->s, true);
    pass_fail(run, a->place, "only a function can be called, not %s%s%s%s",
              value_describe(&run->ground, callee), near ? "; did you mean " : "", near ? near : "",
              near ? ", without quotes?" : "");
}
