/*
 * Built-ins on numbers, strings and lists.
 */
#include "script/private.h"

#include <string.h>

static spor_value len(const spor_given *g) {
    const spor_value *v = g->arg[0];
    if (v->kind == VALUE_STRING) return value_of_int((int64_t)strlen(v->s));
    if (v->kind == VALUE_TENSOR)
        pass_fail(g->run, g->at[0], "len is for lists; a tensor has shape(x) and size(x)");
    return value_of_int(want_list(g->run, g->at[0], "len: x", v)->n);
}

/* How many of start, start + step, ... come before stop. */
static int64_t steps_between(int64_t start, int64_t stop, int64_t step) {
    if (step > 0 ? start >= stop : start <= stop) return 0;
    uint64_t span = step > 0 ? (uint64_t)stop - (uint64_t)start : (uint64_t)start - (uint64_t)stop;
    uint64_t stride = step > 0 ? (uint64_t)step : -(uint64_t)step;
    uint64_t count = (span - 1) / stride + 1;
    return count > SPOR_LIMIT_LIST ? SPOR_LIMIT_LIST + 1 : (int64_t)count;
}

/* range(stop), range(start, stop) or range(start, stop, step) */
static spor_value range(const spor_given *g) {
    int64_t bound[3] = {0, 0, 1};
    const spor_arguments *a = g->all;
    if (a->n < 1 || a->n > 3)
        pass_fail(g->run, g->place, "range takes stop, or start and stop, or a step too");
    for (int k = 0; k < a->n; k++)
        bound[a->n == 1 ? 1 : k] = want_int(g->run, a->at[k], "range", &a->value[k]);
    if (bound[2] == 0) pass_fail(g->run, a->at[2], "range: the step is 0");
    int64_t n = steps_between(bound[0], bound[1], bound[2]);
    spor_value *items = pass_items(g->run, g->place, n);
    for (int64_t k = 0; k < n; k++) items[k] = value_of_int(bound[0] + k * bound[2]);
    return pass_list(g->run, g->place, n, items);
}

static spor_value reversed(const spor_given *g) {
    const spor_list *list = want_list(g->run, g->at[0], given_what(g, 0), g->arg[0]);
    spor_value *items = pass_items(g->run, g->place, list->n);
    for (int k = 0; k < list->n; k++) items[k] = list->item[list->n - 1 - k];
    return pass_list(g->run, g->place, list->n, items);
}

/* 3 is [3, 3]; a list of two is itself. */
static spor_value pair(const spor_given *g) {
    spor_value *items = pass_items(g->run, g->place, 2);
    const spor_value *v = g->arg[0];
    if (v->kind == VALUE_LIST && v->list.n != 2)
        pass_fail(g->run, g->at[0], "a size is one integer or two, not a list of %d", v->list.n);
    for (int k = 0; k < 2; k++)
        items[k] = value_of_int(
            want_int(g->run, g->at[0], "a size", v->kind == VALUE_LIST ? &v->list.item[k] : v));
    return pass_list(g->run, g->place, 2, items);
}

static spor_value kind(const spor_given *g) {
    return value_of_string(value_kind_name(g->arg[0]));
}

/* fail("pads of ", k, " cells"): an error of the script's own */
static spor_value fail(const spor_given *g) {
    char out[900] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < g->all->n; k++) value_write(&note, &g->all->value[k]);
    pass_fail(g->run, pass_leave_file(g->run, g->place), "%s", out);
}

/* print("shape of x:", shape(x)), a line of what is known while recording. */
static spor_value print(const spor_given *g) {
    char out[2000] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < g->all->n; k++) {
        note_add(&note, k ? " " : "");
        value_write(&note, &g->all->value[k]);
    }
    script_print(g->run, g->place, out);
    return (spor_value){.kind = VALUE_NOTHING};
}

const spor_builtin spor_plain_builtins[] = {
    {"len", "x", len},   {"range", "*", range}, {"reversed", "x", reversed}, {"pair", "x", pair},
    {"kind", "x", kind}, {"fail", "*", fail},   {"print", "*", print},       {NULL, NULL, NULL},
};
