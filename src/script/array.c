/*
 * Lists of numbers where a tensor is meant, and built-ins that make tensors of known numbers.
 */
#include "script/interpret.h"

#include <string.h>

#include "base/shape.h"
#include "tape/tape.h"

/* ---- lists ----------------------------------------------------------------------------------- */

/* A list that becomes a tensor: [[1, 0], [1, 1]]. */
typedef struct {
    spor_pass *run;
    spor_spot at;
    const char *what;
    spor_shape shape;
    int64_t index[SPOR_RANK]; /* of the element that is looked at */
    int64_t used;
    const spor_value **number;
} literal;

/* "[1][0]", the part at this depth. */
static const char *part_text(const literal *l, int depth) {
    char out[SPOR_RANK * 24] = "";
    spor_note note = {out, sizeof out, 0};
    for (int k = 0; k < depth; k++) note_add(&note, "[%" PRId64 "]", l->index[k]);
    return ground_take_text(&l->run->ground, out, strlen(out));
}

static _Noreturn void refuse_part(const literal *l, int depth, const spor_value *v) {
    pass_fail(l->run, l->at, "%s: %s of the list is %s, not a number%s", l->what,
              part_text(l, depth), value_describe(&l->run->ground, v),
              v->kind == VALUE_TENSOR ? "; concat puts tensors side by side" : "");
}

/* The shape by the first elements. */
static void find_shape(literal *l, const spor_value *v) {
    for (; v->kind == VALUE_LIST; v = &v->list.item[0]) {
        if (!v->list.n)
            pass_fail(l->run, l->at, "%s: %s of the list is empty", l->what,
                      l->shape.rank ? part_text(l, l->shape.rank) : "all");
        if (l->shape.rank == SPOR_RANK)
            pass_fail(l->run, l->at, "%s: a tensor has at most %d axes", l->what, SPOR_RANK);
        l->shape.n[l->shape.rank++] = v->list.n;
    }
}

static void take_part(literal *l, const spor_value *v, int depth);

static void take_items(literal *l, const spor_list *list, int depth) {
    if (depth == l->shape.rank)
        pass_fail(l->run, l->at,
                  "%s: the list is ragged: %s is a list, where the first of its kind is a number",
                  l->what, part_text(l, depth));
    if (list->n != l->shape.n[depth])
        pass_fail(l->run, l->at,
                  "%s: the list is ragged: %s has %d element%s, where the first of its kind has "
                  "%" PRId64,
                  l->what, part_text(l, depth), list->n, list->n == 1 ? "" : "s",
                  l->shape.n[depth]);
    for (int k = 0; k < list->n; k++) {
        l->index[depth] = k;
        take_part(l, &list->item[k], depth + 1);
    }
}

static void take_part(literal *l, const spor_value *v, int depth) {
    if (v->kind == VALUE_LIST) {
        take_items(l, &v->list, depth);
        return;
    }
    if (!value_is_number(v)) refuse_part(l, depth, v);
    if (depth < l->shape.rank)
        pass_fail(l->run, l->at,
                  "%s: the list is ragged: %s is a number, where the first of its kind is a list",
                  l->what, part_text(l, depth));
    l->number[l->used++] = v;
}

/* Numbers that stand for others next to them, 0.1, one by one: each is known to its own error. */
static spor_var joined(spor_pass *run, spor_spot at, const spor_value *const number[], int64_t n) {
    if (n == 1) return tensor_fill(run, at, number[0], SPOR_SHAPE(1));
    spor_var first = joined(run, at, number, n / 2),
             second = joined(run, at, number + n / 2, n - n / 2);
    pass_spend(run, at, 1);
    pass_record(run, at);
    return pass_recorded(run, spor_concat(first, second, 0));
}

static spor_var exact_array(spor_pass *run, spor_spot at, spor_shape shape, const double value[]) {
    spor_tape *tape = pass_record(run, at);
    return pass_recorded(run, spor_array(tape, shape, value));
}

spor_value tensor_of_list(spor_pass *run, spor_spot at, const char *what, const spor_value *list) {
    literal l = {.run = run, .at = at, .what = what};
    find_shape(&l, list);
    int64_t size = shape_size(&l.shape);
    if (size < 1 || size > SPOR_LIMIT_LIST)
        pass_fail(run, at, "%s: a list has at most %d elements", what, SPOR_LIMIT_LIST);
    pass_spend(run, at, size);
    l.number = ground_take(&run->ground, (size_t)size, sizeof *l.number);
    take_part(&l, list, 0);
    double *value = ground_take(&run->ground, (size_t)size, sizeof *value), error = 0;
    for (int64_t k = 0; k < size; k++) {
        value[k] = value_number(l.number[k]);
        error = fmax(error, value_error(l.number[k]));
    }
    if (error <= 0) return value_of_tensor(exact_array(run, at, l.shape, value), NULL);
    spor_var row = joined(run, at, l.number, size);
    pass_record(run, at);
    return value_of_tensor(pass_recorded(run, spor_reshape(row, l.shape)), NULL);
}

/* ---- built-ins ------------------------------------------------------------------------------- */

/* Room for the numbers of a tensor, as many steps. */
static double *room(const spor_given *g, spor_shape shape) {
    const int64_t most = INT64_C(1) << 24;
    int64_t size = 1;
    for (int k = 0; k < shape.rank; k++) {
        if (shape.n[k] < 0)
            pass_fail(g->run, g->place, "%s: a size is at least 0, not %" PRId64, g->builtin->name,
                      shape.n[k]);
        if (shape.n[k] && size > most / shape.n[k]) {
            char text[128];
            tape_shape_text(&shape, NULL, text, sizeof text);
            pass_fail(g->run, g->place, "%s: %s has more than %" PRId64 " elements",
                      g->builtin->name, text, most);
        }
        size *= shape.n[k];
    }
    pass_spend(g->run, g->place, size / 64 + 1);
    return ground_take(&g->run->ground, (size_t)size, sizeof(double));
}

static spor_value made(const spor_given *g, spor_shape shape, const double value[]) {
    return value_of_tensor(exact_array(g->run, g->place, shape, value), NULL);
}

/* tri(n, m, k): 1 where column <= row + k, else 0 */
static spor_value tri(const spor_given *g) {
    int64_t n = given_int(g, 0, 0), m = given_int(g, 1, n), k = given_int(g, 2, 0);
    double *value = room(g, SPOR_SHAPE(n, m));
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j < m; j++) value[i * m + j] = j - i <= k ? 1 : 0;
    return made(g, SPOR_SHAPE(n, m), value);
}

/* iota(n): 0, 1 .. n - 1 */
static spor_value iota(const spor_given *g) {
    int64_t n = given_int(g, 0, 0);
    double *value = room(g, SPOR_SHAPE(n));
    for (int64_t k = 0; k < n; k++) value[k] = (double)k;
    return made(g, SPOR_SHAPE(n), value);
}

const spor_builtin spor_array_builtins[] = {
    {"tri", "n, m?, k?", tri},
    {"iota", "n", iota},
    {NULL, NULL, NULL},
};
