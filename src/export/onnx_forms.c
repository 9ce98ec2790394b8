/*
 * In which orders a variable lies in the file: it has one form, of those that its op gave, and each further
 * one that somebody asked for. A form lacks axes that were expanded or have one element.
 */
#include "export/onnx_graph.h"

bool order_equal(const onnx_order *a, const onnx_order *b) {
    if (a->rank != b->rank) return false;
    for (int k = 0; k < a->rank; k++)
        if (a->axis[k] != b->axis[k]) return false;
    return true;
}

onnx_order onnx_plain(int rank) {
    onnx_order order = {.rank = rank};
    for (int k = 0; k < rank; k++) order.axis[k] = k;
    return order;
}

int onnx_axis(const onnx_order *order, int64_t axis) {
    int k = 0;
    while (k < order->rank && order->axis[k] != axis) k++;
    return k;
}

onnx_shape onnx_ordered(const onnx_shape *shape, const onnx_order *order) {
    onnx_shape to = {.rank = order->rank};
    for (int j = 0; j < order->rank; j++) {
        const int axis = order->axis[j];
        to.n[j] = axis < 0 ? 1 : shape->n[axis];
        to.rows[j] = axis >= 0 && shape->rows[axis];
    }
    return to;
}

onnx_order order_of_present(const onnx_order *order, const bool present[]) {
    onnx_order to = *order;
    for (int j = 0; j < to.rank; j++)
        if (!present[to.axis[j]]) to.axis[j] = -1;
    return to;
}

void form_find_present(const onnx_graph *g, uint32_t id, bool present[]) {
    const onnx_form *form = g->variable[id].form;
    for (int k = 0; k < SPOR_RANK; k++) present[k] = false;
    for (int j = 0; form && j < form->order.rank; j++)
        if (form->order.axis[j] >= 0) present[form->order.axis[j]] = true;
}

/* Its axes, without -1s. */
static onnx_order axes_of(const onnx_order *order) {
    onnx_order to = {0};
    for (int j = 0; j < order->rank; j++)
        if (order->axis[j] >= 0) to.axis[to.rank++] = order->axis[j];
    return to;
}

static bool has_units(const onnx_order *order) {
    return axes_of(order).rank < order->rank;
}

/* ---- forms ---- */

const onnx_form *form_keep(onnx_graph *g, uint32_t id, onnx_tensor y, const onnx_order *order) {
    onnx_form *form = y ? arena_take(&g->arena, sizeof *form) : NULL;
    if (!form) return graph_exhaust(g), NULL;
    *form = (onnx_form){.tensor = y, .order = *order};
    onnx_form **last = &g->variable[id].form;
    while (*last) last = &(*last)->next;
    return *last = form;
}

static const onnx_form *find(const onnx_graph *g, uint32_t id, const onnx_order *order) {
    const onnx_form *form = g->variable[id].form;
    while (form && !order_equal(&form->order, order)) form = form->next;
    return form;
}

/* One whose axes follow each other as these do; the first one if there is none. */
static const onnx_form *nearest(const onnx_graph *g, uint32_t id, const onnx_order *axes) {
    for (const onnx_form *form = g->variable[id].form; form; form = form->next) {
        const onnx_order have = axes_of(&form->order);
        if (order_equal(&have, axes)) return form;
    }
    return g->variable[id].form;
}

/* The places of -1s. */
static int list_units(const onnx_order *order, int64_t list[]) {
    int n = 0;
    for (int j = 0; j < order->rank; j++)
        if (order->axis[j] < 0) list[n++] = j;
    return n;
}

static const onnx_form *keep_new(onnx_graph *g, uint32_t id, onnx_tensor y,
                                 const onnx_order *order) {
    const onnx_form *known = find(g, id, order);
    return known ? known : form_keep(g, id, y, order);
}

static const onnx_form *squeezed(onnx_graph *g, uint32_t id, const onnx_form *from) {
    int64_t list[ONNX_RANK];
    const onnx_order to = axes_of(&from->order);
    const onnx_form *known = find(g, id, &to);
    if (known) return known;
    const int n = list_units(&from->order, list);
    return keep_new(g, id, graph_squeezed(g, from->tensor, n, list), &to);
}

static const onnx_form *unsqueezed(onnx_graph *g, uint32_t id, const onnx_form *from,
                                   const onnx_order *to) {
    int64_t list[ONNX_RANK];
    const int n = list_units(to, list);
    return keep_new(g, id, graph_unsqueezed(g, from->tensor, n, list), to);
}

static const onnx_form *transposed(onnx_graph *g, uint32_t id, const onnx_form *from,
                                   const onnx_order *to) {
    int perm[ONNX_RANK];
    for (int j = 0; j < to->rank; j++) perm[j] = onnx_axis(&from->order, to->axis[j]);
    return keep_new(g, id, graph_transposed(g, from->tensor, to->rank, perm), to);
}

onnx_tensor form_reach(onnx_graph *g, uint32_t id, const onnx_order *order) {
    const onnx_order axes = axes_of(order);
    const onnx_form *form = find(g, id, order);
    if (form) return form->tensor;
    form = nearest(g, id, &axes);
    if (!form) return graph_fail(g, "a variable is read before it is there");
    const onnx_order have = axes_of(&form->order);
    const bool turns = !order_equal(&have, &axes);
    if (has_units(&form->order)) form = squeezed(g, id, form);
    if (form && turns) form = transposed(g, id, form, &axes);
    if (form && has_units(order)) form = unsqueezed(g, id, form, order);
    return form ? form->tensor : 0;
}

/* An axis that is not there may have more than one element. */
static bool repeats(const onnx_shape *shape, const onnx_order *order) {
    bool there[SPOR_RANK] = {false};
    for (int j = 0; j < order->rank; j++)
        if (order->axis[j] >= 0) there[order->axis[j]] = true;
    for (int k = 0; k < shape->rank; k++)
        if (!there[k] && !onnx_size_is_one(shape, k)) return true;
    return false;
}

onnx_tensor form_whole(onnx_graph *g, uint32_t id, const onnx_order *order) {
    const onnx_variable *variable = &g->variable[id];
    const onnx_form *known = find(g, id, order);
    bool present[SPOR_RANK];
    if (known) return known->tensor;
    form_find_present(g, id, present);
    const onnx_order there = order_of_present(order, present);
    onnx_tensor y = form_reach(g, id, &there);
    if (y && repeats(&variable->shape, &there)) {
        const onnx_shape to = onnx_ordered(&variable->shape, order);
        y = graph_repeated(g, graph_name(g, g->tensor[y].name, "Expand"), y, &to);
    }
    const onnx_form *form = y ? form_keep(g, id, y, order) : NULL;
    return form ? y : 0;
}

onnx_order form_order(const onnx_graph *g, uint32_t id) {
    const onnx_variable *variable = &g->variable[id];
    onnx_order order = variable->form ? axes_of(&variable->form->order) : (onnx_order){0};
    return order.rank == variable->shape.rank ? order : onnx_plain(variable->shape.rank);
}

/* ---- the words ---- */

onnx_order onnx_order_of(onnx_call *c, int k) {
    return form_order(c->graph, c->from[k]);
}

onnx_tensor onnx_whole(onnx_call *c, int k, const onnx_order *order) {
    return form_whole(c->graph, c->from[k], order);
}
