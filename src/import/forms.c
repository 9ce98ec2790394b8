/*
 * In which orders of axes a value lies in the script, known numbers as texts, and lines.
 */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "import/graph.h"

/* The column where comments begin. */
enum { COMMENT = 64 };
/* Names that a def of the language may have, and some for what it is called with. */
enum { LINES_MOST = 990 };

/* ---- orders ---- */

bool held_is_plain(int rank, const int order[]) {
    for (int k = 0; k < rank; k++)
        if (order[k] != k) return false;
    return true;
}

static bool same_order(int rank, const int a[], const int b[]) {
    for (int k = 0; k < rank; k++)
        if (a[k] != b[k]) return false;
    return true;
}

/* Axes of one element aside, are they in the file's order? Then a reshape is all that it takes. */
static bool lies_plain(const import_value *v, const int order[]) {
    int last = -1;
    for (int k = 0; k < v->rank; k++) {
        if (v->size[order[k]].a == 1 && !v->size[order[k]].b) continue;
        if (order[k] < last) return false;
        last = order[k];
    }
    return true;
}

void held_channels_order(int rank, int order[]) {
    order[0] = 0;
    for (int k = 1; k < rank; k++) order[k] = k + 1 < rank ? k + 1 : 1;
}

void held_keep(import_value *v, const char *text, const int order[]) {
    import_form form = {.text = text};
    for (int k = 0; k < v->rank; k++) form.order[k] = order[k];
    if (v->forms < FORMS) v->form[v->forms++] = form;
}

static const import_form *find_form(const import_value *v, const int order[]) {
    for (int f = 0; f < v->forms; f++)
        if (!v->form[f].parts && same_order(v->rank, v->form[f].order, order)) return &v->form[f];
    return NULL;
}

static const char *list_text(import_graph *g, int n, const int list[]) {
    const char *text = "[";
    for (int k = 0; k < n; k++) text = import_say(g, "%s%s%d", text, k ? ", " : "", list[k]);
    return import_say(g, "%s]", text);
}

/* ---- lines ---- */

void import_add_line(import_graph *g, const char *name, const char *expression, int rank,
                     const import_size size[], const int order[]) {
    const char *shape = import_shape_text(g, rank, size, order);
    const char *line = import_say(g, "    %s = %s", name, expression);
    text_add(&g->body, "%-*s  # %s\n", COMMENT, line, shape);
    if (g->body.failed) import_exhaust(g);
    if (++g->lines > LINES_MOST)
        import_refuse(g,
                      "the script's def would have more than %d lines, which the language does not "
                      "take",
                      LINES_MOST);
}

const char *import_variable(import_call *c, const char *name, int rank, const import_size size[],
                            const int order[], const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const char *text = import_say_list(c->g, format, arguments);
    va_end(arguments);
    const import_value *of = import_find(c->g, name);
    name = import_name(c->g, name, of ? of->op : c->node->op);
    import_add_line(c->g, name, text, rank, size, order);
    return name;
}

void import_line(import_call *c, import_value *y, const int order[], const char *format, ...) {
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    va_list arguments;
    va_start(arguments, format);
    const char *text = import_say_list(c->g, format, arguments);
    va_end(arguments);
    const bool alone = c->outputs == 1 && c->out[0]; /* a layer's line has the layer's name */
    const int *as = order ? order : plain;
    held_keep(
        y, import_variable(c, alone ? c->out[0]->name : y->name, y->rank, y->size, as, "%s", text),
        as);
}

/* ---- a value in an order ---- */

/* "reshape(x, [N, 3])" */
static const char *reshaped_text(import_graph *g, const char *text, int rank,
                                 const import_size size[]) {
    const char *list = "[";
    for (int k = 0; k < rank; k++)
        list = import_say(g, "%s%s%s", list, k ? ", " : "", import_size_text(g, size[k]));
    return import_say(g, "reshape(%s, %s])", text, list);
}

/* The last axis is several in one, in another order: taken apart, turned, and put together. */
static const char *without_parts(import_call *c, import_value *v, const import_form *form) {
    import_size lying[2 * SPOR_RANK];
    int perm[2 * SPOR_RANK];
    const int lead = v->rank - 1;
    for (int k = 0; k < lead; k++) lying[k] = v->size[k], perm[k] = k;
    for (int k = 0; k < form->parts; k++) {
        lying[lead + k] = import_fixed(form->part_size[form->part[k]]);
        perm[lead + form->part[k]] = lead + k;
    }
    const char *apart = reshaped_text(c->g, form->text, lead + form->parts, lying);
    const char *turned =
        import_say(c->g, "transpose(%s, %s)", apart, list_text(c->g, lead + form->parts, perm));
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const char *name = import_variable(c, v->name, v->rank, v->size, plain, "%s",
                                       reshaped_text(c->g, turned, v->rank, v->size));
    held_keep(v, name, plain);
    return name;
}

/* [N, ...] with all axes but the first in one, as the file has them. */
static const char *flatten_plain(import_call *c, import_value *v) {
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    const char *from = held_plain(c, v->flat);
    held_keep(v, import_variable(c, v->name, v->rank, v->size, plain, "flatten(%s)", from), plain);
    return v->form[v->forms - 1].text;
}

/* The same of what lies in another order: the new axis has its elements in that order. */
static const import_form *flatten_lying(import_call *c, import_value *v) {
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    import_value *x = v->flat;
    import_form form = *held_any(c, x);
    bool simple = lies_plain(x, form.order) || form.order[0] != 0;
    for (int k = 1; k < x->rank; k++) simple = simple || x->size[k].b;
    if (simple) {
        if (!v->forms) {
            const bool direct = lies_plain(x, form.order) && form.order[0] == 0;
            const char *from = direct ? form.text : held_plain(c, x);
            const char *name =
                import_variable(c, v->name, v->rank, v->size, plain, "flatten(%s)", from);
            held_keep(v, name, plain);
        }
        return &v->form[0];
    }
    const char *name =
        import_variable(c, v->name, v->rank, v->size, plain, "flatten(%s)", form.text);
    import_form flat = {.text = name, .order = {0, 1}, .parts = x->rank - 1};
    for (int k = 1; k < x->rank; k++) {
        flat.part[k - 1] = form.order[k] - 1;
        flat.part_size[k - 1] = x->size[k].a;
    }
    v->form[v->forms++] = flat;
    return &v->form[v->forms - 1];
}

const import_form *held_any(import_call *c, import_value *v) {
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    if (v->forms) return &v->form[0];
    if (v->flat) return flatten_lying(c, v);
    if (v->pending) {
        held_keep(v, import_variable(c, v->name, v->rank, v->size, plain, "%s", v->pending), plain);
        return &v->form[0];
    }
    import_known *known = import_known_of(c->g, v);
    if (!known) import_refuse(c->g, "'%.200s' has no elements, and is read", v->name);
    held_keep(v, held_tensor(c, known), plain);
    return &v->form[0];
}

void held_order(const import_value *v, int order[]) {
    for (int k = 0; k < v->rank; k++) order[k] = k;
    if (!v->forms || v->form[0].parts) return;
    for (int k = 0; k < v->rank; k++) order[k] = v->form[0].order[k];
}

const char *held_plain(import_call *c, import_value *v) {
    static const int plain[] = {0, 1, 2, 3, 4, 5, 6, 7};
    return held_reach(c, v, plain);
}

const char *held_reach(import_call *c, import_value *v, const int order[]) {
    int perm[SPOR_RANK];
    const import_form *form = find_form(v, order);
    if (form) return form->text;
    if (v->flat && !v->forms) {
        const char *text = flatten_plain(c, v);
        if (held_is_plain(v->rank, order)) return text;
    }
    import_form from = *held_any(c, v);
    if (from.parts) {
        without_parts(c, v, &from);
        from = v->form[v->forms - 1];
        if (held_is_plain(v->rank, order)) return from.text;
    }
    for (int k = 0; k < v->rank; k++)
        for (int j = 0; j < v->rank; j++)
            if (from.order[j] == order[k]) perm[k] = j;
    if (same_order(v->rank, from.order, order)) return from.text;
    const char *name =
        import_variable(c, import_say(c->g, "%s_t", from.text), v->rank, v->size, order,
                        "transpose(%s, %s)", from.text, list_text(c->g, v->rank, perm));
    held_keep(v, name, order);
    return name;
}

const char *held_last(import_call *c, import_value *v, int order[]) {
    const import_form *form = held_any(c, v);
    for (int k = 0; k < v->rank; k++) order[k] = k;
    if (form->parts || (v->rank && form->order[v->rank - 1] != v->rank - 1))
        return held_plain(c, v);
    for (int k = 0; k < v->rank; k++) order[k] = form->order[k];
    return form->text;
}

const char *held_lying(import_call *c, import_value *v, int order[]) {
    const import_form *form = held_any(c, v);
    for (int k = 0; k < v->rank; k++) order[k] = form->parts ? k : form->order[k];
    return form->parts ? held_plain(c, v) : form->text;
}

int held_axis(int rank, const int order[], int axis) {
    int k = 0;
    while (k < rank && order[k] != axis) k++;
    return k;
}

const char *held_channels_last(import_call *c, import_value *v) {
    int order[SPOR_RANK];
    held_channels_order(v->rank, order);
    return held_reach(c, v, order);
}
