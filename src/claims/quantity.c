/*
 * What a derive or a claim quantifies: sizes of tensors, integers in ranges, choices from lists.
 */
#include "claims/private.h"
#include "script/lexer.h"

#include <string.h>

static int find(const spor_asserted *a, const char *name) {
    for (int k = 0; k < a->statement.quantities; k++)
        if (a->statement.quantity[k].name == name) return k;
    return -1;
}

static int add(spor_pass *run, spor_asserted *a, spor_spot place, const char *name) {
    if (a->statement.quantities == SPOR_QUANTITIES)
        pass_fail(run, place, "more than %d sizes and numbers", SPOR_QUANTITIES);
    int k = a->statement.quantities++;
    a->statement.quantity[k] = (spor_quantity){.name = name, .least = 1, .most = 1};
    a->choice[k].kind = VALUE_NOTHING;
    return k;
}

/* ---- sizes ----------------------------------------------------------------------------------- */

/* True of `where N >= 0 and ...`: sizes are from 1 unless the author speaks of 0, where a statement or
 * its def is bounded. */
static bool allows_zero(const spor_syntax *where, const char *name) {
    if (!where) return false;
    if (where->kind == NODE_AND)
        return allows_zero(where->child[0], name) || allows_zero(where->child[1], name);
    return where->kind == NODE_BINARY && where->sign == SPOR_SIGN('>', '=', 0) &&
           where->child[0]->kind == NODE_NAME && where->child[0]->text == name &&
           where->child[1]->kind == NODE_INT && where->child[1]->i == 0;
}

static void add_sizes(spor_pass *run, spor_asserted *a) {
    for (int t = 0; t < a->tensors; t++) {
        const spor_parameter *p = a->tensor[t];
        for (int k = 0; k < p->rank; k++)
            if (p->axis[k].name && find(a, p->axis[k].name) < 0)
                add(run, a, p->place, p->axis[k].name);
    }
    int n = a->statement.quantities;
    const spor_syntax *of_def = a->function ? a->function->def->where : NULL;
    for (int k = 0; k < n; k++) {
        spor_quantity *q = &a->statement.quantity[k];
        q->open = true;
        q->least = !(allows_zero(a->source->where, q->name) || allows_zero(of_def, q->name));
        q->most = n <= 2 ? 6 : n <= 4 ? 5 : 4;
    }
}

/* ---- ranges ---------------------------------------------------------------------------------- */

/* Quantity k as the script sees it. */
static spor_value value_of(const spor_asserted *a, int k, int64_t value) {
    if (a->choice[k].kind == VALUE_LIST) return a->choice[k].list.item[value];
    return value_of_int(value);
}

static int64_t bound(spor_pass *run, spor_env *env, const spor_syntax *node, const char *name) {
    spor_value v = pass_evaluate(run, env, node);
    return want_int(run, node->place, ground_take_format(&run->ground, "a bound of %s", name), &v);
}

static int64_t from_of(spor_pass *run, spor_env *env, const spor_parameter *range) {
    return bound(run, env, range->from, range->name);
}

static int64_t to_of(spor_pass *run, spor_env *env, const spor_parameter *range) {
    return bound(run, env, range->to, range->name);
}

/* The widest range over all values of the first quantities that its bounds mention. */
static void widest(spor_pass *run, spor_asserted *a, const spor_parameter *range, int first, int n,
                   spor_env *env, int64_t *least, int64_t *most) {
    while (first < n && !syntax_mentions(range->from, 1, &a->statement.quantity[first].name) &&
           !syntax_mentions(range->to, 1, &a->statement.quantity[first].name))
        first++;
    if (first == n) {
        int64_t from = from_of(run, env, range), to = to_of(run, env, range);
        if (from <= to && from < *least) *least = from;
        if (from <= to && to > *most) *most = to;
        return;
    }
    const spor_quantity *q = &a->statement.quantity[first];
    for (int64_t v = q->least; v <= q->most; v++) {
        env_set(run, env, q->name, value_of(a, first, v));
        widest(run, a, range, first + 1, n, env, least, most);
    }
}

static void read_range(spor_pass *run, spor_asserted *a, const spor_parameter *range, int k, int n,
                       bool size) {
    enum { WIDEST = 100000 };
    spor_quantity *q = &a->statement.quantity[k];
    spor_env env = {.parent = run->script->globals};
    int64_t least = INT64_MAX, most = INT64_MIN;
    widest(run, a, range, 0, n, &env, &least, &most);
    if (least > most) pass_fail(run, range->place, "the range of %s is empty", range->name);
    if (size && least < 0)
        pass_fail(run, range->from->place, "%s is a size, and a size is at least 0", range->name);
    if (least < -WIDEST || most > WIDEST)
        pass_fail(run, range->place, "the range of %s reaches beyond %d", range->name, WIDEST);
    a->range[k] = range;
    q->stated = true;
    q->open = false;
    q->least = least;
    q->most = most;
}

static void read_choices(spor_pass *run, spor_asserted *a, const spor_parameter *choice, int k) {
    spor_quantity *q = &a->statement.quantity[k];
    const char *name = choice->name;
    spor_value list = pass_evaluate(run, run->script->globals, choice->from);
    const spor_list *items = want_list(run, choice->from->place, name, &list);
    if (!items->n) pass_fail(run, choice->from->place, "the list of %s is empty", name);
    const char **names = ground_take(&run->ground, (size_t)items->n, sizeof *names);
    for (int j = 0; j < items->n; j++) {
        char out[64] = "";
        spor_note note = {out, sizeof out, 0};
        value_write(&note, &items->item[j]);
        names[j] = ground_take_text(&run->ground, out, strlen(out));
    }
    q->choices = names;
    q->stated = true;
    q->open = false;
    q->least = 0;
    q->most = items->n - 1;
    a->choice[k] = list;
}

static bool is_tensor(const spor_asserted *a, const char *name) {
    for (int k = 0; k < a->tensors; k++)
        if (a->tensor[k]->name == name) return true;
    return false;
}

/* Ranges may mention what stands before them: sizes, and quantities further left. */
void quantities_read(spor_pass *run, spor_asserted *a) {
    add_sizes(run, a);
    int sizes = a->sizes = a->statement.quantities;
    for (int k = 0; k < a->source->quantifiers; k++) {
        const spor_parameter *p = &a->source->quantifier[k];
        if (!p->from || is_tensor(a, p->name)) continue;
        int n = a->statement.quantities, at = find(a, p->name);
        bool size = at >= 0 && at < sizes;
        if (size && !p->to)
            pass_fail(run, p->from->place, "%s is a size: give it a range, %s in 1..4", p->name,
                      p->name);
        if (at < 0) at = add(run, a, p->place, p->name);
        if (p->to)
            read_range(run, a, p, at, size ? at : n, size);
        else
            read_choices(run, a, p, at);
    }
}

/* ---- an instance ----------------------------------------------------------------------------- */

static bool within(spor_pass *run, spor_env *env, const spor_parameter *range, int64_t value) {
    return !range || !range->to ||
           (from_of(run, env, range) <= value && value <= to_of(run, env, range));
}

/* False if there is no value for a tensor that has elements. */
static bool have_values(spor_pass *run, const spor_asserting *at) {
    for (int k = 0; k < at->asserted->tensors; k++) {
        spor_shape shape;
        spor_range range;
        quantities_axes(run, at, at->asserted->tensor[k], &shape);
        if (!range_at(run, at, k, &range) && shape_size(&shape)) return false;
    }
    return true;
}

bool quantities_bind(spor_pass *run, const spor_asserting *at) {
    const spor_asserted *a = at->asserted;
    for (int k = 0; k < a->statement.quantities; k++) {
        const char *name = a->statement.quantity[k].name;
        bool free = !at->instance && k < a->sizes; /* the search's bounds are not training's */
        if (!free && !within(run, at->env, a->range[k], at->values[k])) return false;
        spor_binding *b = env_set(run, at->env, name, value_of(a, k, at->values[k]));
        b->symbol = pass_symbol(run);
    }
    if (a->source->where) {
        spor_value where = pass_evaluate(run, at->env, a->source->where);
        if (!pass_truth(run, a->source->where->place, &where)) return false;
    }
    return !at->instance || have_values(run, at); /* training has values of its own */
}

spor_var asserting_input(spor_pass *run, spor_asserting *at, spor_spot place, const char *name,
                         spor_shape shape) {
    spor_instance *in = at->instance;
    if (in->inputs == SPOR_INPUTS)
        pass_fail(run, place, "more than %d tensors are quantified", SPOR_INPUTS);
    spor_tape *tape = pass_record(run, place);
    spor_var x = pass_recorded(run, spor_input(tape, name, shape));
    in->range[in->inputs] = (spor_range){.kind = SPOR_RANGE_ANY};
    in->input[in->inputs++] = x;
    return x;
}

spor_axes *quantities_axes(spor_pass *run, const spor_asserting *at, const spor_parameter *tensor,
                           spor_shape *shape) {
    spor_axes *axes = ground_take(&run->ground, 1, sizeof *axes);
    *shape = (spor_shape){.rank = tensor->rank};
    for (int k = 0; k < tensor->rank; k++) {
        const spor_binding *size =
            tensor->axis[k].name ? env_find(at->env, tensor->axis[k].name) : NULL;
        shape->n[k] = size ? size->value.i : tensor->axis[k].size;
        axes->symbol[k] = size ? size->symbol : 0;
    }
    return axes;
}

spor_value quantities_input(spor_pass *run, spor_asserting *at, int k) {
    const spor_parameter *tensor = at->asserted->tensor[k];
    spor_shape shape;
    spor_axes *axes = quantities_axes(run, at, tensor, &shape);
    spor_var x = asserting_input(run, at, tensor->place, tensor->name, shape);
    int input = at->instance->inputs - 1;
    range_at(run, at, k, &at->instance->range[input]);
    for (int a = 0; a < tensor->rank; a++) at->instance->axis[input][a] = tensor->axis[a].name;
    return value_of_tensor(x, axes);
}
