/*
 * What mappings say of operands and results, and the mappings that several ops have.
 */
#include <stdarg.h>
#include <stdio.h>

#include "export/onnx_graph.h"

/* ---- refusing ---- */

/* "net.spor:12:5: ", as far as the place is known. */
static int place_text(const spor_place *place, char text[], size_t size) {
    if (!place->file) return snprintf(text, size, "%s", "");
    if (!place->column) return snprintf(text, size, "%.400s:%d: ", place->file, place->line);
    return snprintf(text, size, "%.400s:%d:%d: ", place->file, place->line, place->column);
}

void onnx_refuse(onnx_call *c, const char *format, ...) {
    char place[480], what[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    place_text(&c->graph->tape->node[c->id].place, place, sizeof place);
    graph_fail(c->graph, "%s%s", place, what);
}

bool onnx_refuse_rows(onnx_call *c, const onnx_shape *shape, int axis) {
    char name[SPOR_NAME];
    if (!shape->rows[axis]) return false;
    op_name(c->graph->tape->node[c->id].op, name, sizeof name);
    c->graph->of_rows = !c->graph->fails;
    onnx_refuse(c, "%s depends on how many rows there are", name);
    return true;
}

/* ---- operands ---- */

/* The operand that decides the order: the first one that is computed and has all axes. */
static int leading_operand(const onnx_call *c) {
    const onnx_graph *g = c->graph;
    int best = 0, most = -1;
    for (int k = 0; k < c->operands; k++) {
        const onnx_form *form = g->variable[c->from[k]].form;
        const bool known = form && g->tensor[form->tensor].data;
        const int axes = form ? 2 * form->order.rank - known : 0;
        if (axes > most) best = k, most = axes;
    }
    return best;
}

onnx_tensor onnx_aligned(onnx_call *c, int k) {
    onnx_graph *g = c->graph;
    bool present[SPOR_RANK];
    if (c->order.rank != c->out.rank) c->order = form_order(g, c->from[leading_operand(c)]);
    form_find_present(g, c->from[k], present);
    for (int a = 0; a < SPOR_RANK; a++) c->present[a] = c->present[a] || present[a];
    onnx_order there = order_of_present(&c->order, present), to = {0};
    for (int j = 0; j < there.rank; j++) /* axes of 1 at the beginning go without saying */
        if (to.rank || there.axis[j] >= 0) to.axis[to.rank++] = there.axis[j];
    return form_reach(g, c->from[k], &to);
}

onnx_tensor onnx_ending(onnx_call *c, int k, int n) {
    onnx_graph *g = c->graph;
    const onnx_order plain = onnx_plain(c->in[k].rank);
    onnx_order to = {0};
    bool present[SPOR_RANK];
    form_find_present(g, c->from[k], present);
    for (int j = 0; j < plain.rank; j++) {
        if (j >= plain.rank - n && !present[j]) return onnx_whole(c, k, &plain);
        if (to.rank || present[j]) to.axis[to.rank++] = present[j] ? j : -1;
    }
    return form_reach(g, c->from[k], &to);
}

bool onnx_uncover(onnx_call *c, int k, int64_t axes, int64_t lo[], int64_t hi[]) {
    const spor_tape *tape = c->graph->tape;
    const spor_node *node = &tape->node[c->from[k]];
    if (!node->op->between_zeros || !node->op->between_zeros(node->attr, lo, hi)) return false;
    if (!c->graph->variable[node->in[0]].form) return false;
    for (int a = 0; a < node->shape->rank; a++)
        if ((lo[a] || hi[a]) && !(axes >> a & 1)) return false;
    c->from[k] = node->in[0];
    c->in[k] = c->graph->variable[node->in[0]].shape;
    return true;
}

/* ---- results ---- */

void onnx_give(onnx_call *c, onnx_tensor y, const onnx_order *order) {
    onnx_graph *g = c->graph;
    const onnx_made *node = graph_maker(g, y);
    if (!y) return;
    form_keep(g, c->id, y, order);
    if (node && node->id == c->id) g->tensor[y].name = g->base;
}

void onnx_give_aligned(onnx_call *c, onnx_tensor y) {
    const onnx_order there = order_of_present(&c->order, c->present);
    const int rank = c->graph->tensor[y].shape.rank;
    onnx_order to = {.rank = rank};
    for (int j = 0; j < rank; j++) to.axis[j] = there.axis[there.rank - rank + j];
    onnx_give(c, y, &to);
}

void onnx_give_without(onnx_call *c, onnx_tensor y, const onnx_order *order, int64_t axes) {
    int renamed[SPOR_RANK], left = 0;
    onnx_order to = {0};
    for (int a = 0; a < order->rank; a++) renamed[a] = axes >> a & 1 ? -1 : left++;
    for (int j = 0; j < order->rank; j++)
        if (renamed[order->axis[j]] >= 0) to.axis[to.rank++] = renamed[order->axis[j]];
    onnx_give(c, y, &to);
}

void onnx_relabel(onnx_call *c, const int axis[]) {
    onnx_graph *g = c->graph;
    for (const onnx_form *form = g->variable[c->from[0]].form; form; form = form->next) {
        onnx_order order = form->order;
        for (int j = 0; j < order.rank; j++)
            if (order.axis[j] >= 0) order.axis[j] = axis[order.axis[j]];
        form_keep(g, c->id, form->tensor, &order);
    }
}

/* The node of operand k, if it takes a bias and is for nobody else. */
static onnx_made *takes_bias(const onnx_call *c, int k) {
    onnx_graph *g = c->graph;
    const onnx_variable *variable = &g->variable[c->from[k]];
    onnx_made *node = variable->form ? graph_maker(g, variable->form->tensor) : NULL;
    bool alone = node && variable->uses == 1 && !variable->form->next;
    return alone && node->with_bias && node->id == c->from[k] ? node : NULL;
}

/* Operand k as a known vector along this axis; 0: it is none. */
static onnx_tensor vector_along(const onnx_call *c, int k, int axis) {
    onnx_graph *g = c->graph;
    const onnx_form *form = g->variable[c->from[k]].form;
    const onnx_order along = {.rank = 1, .axis = {axis}};
    if (!form || !g->tensor[form->tensor].data || !order_equal(&form->order, &along)) return 0;
    return form->tensor;
}

bool onnx_give_bias(onnx_call *c) {
    static const int same[SPOR_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int k = 0; k < 2; k++) {
        onnx_made *node = takes_bias(c, k);
        onnx_tensor bias = node ? vector_along(c, 1 - k, node->bias_axis) : 0;
        if (!bias) continue;
        node->input[node->inputs++] = bias;
        node->op = node->with_bias;
        node->with_bias = NULL;
        c->graph->tensor[node->output[0]].name = c->graph->base;
        c->from[0] = c->from[k];
        onnx_relabel(c, same);
        return true;
    }
    return false;
}

/* ---- mappings that several ops have ---- */

void onnx_known(onnx_call *c) {
    for (int k = 0; k < c->out.rank; k++)
        if (onnx_refuse_rows(c, &c->out, k)) return;
}

void onnx_same(onnx_call *c) {
    static const int same[SPOR_RANK] = {0, 1, 2, 3, 4, 5, 6, 7};
    onnx_relabel(c, same);
}

static onnx_tensor map_operands(onnx_call *c, const char *op, onnx_type type) {
    onnx_tensor in[SPOR_OPERANDS];
    for (int k = 0; k < c->operands; k++) in[k] = onnx_aligned(c, k);
    return onnx_map(c, op, c->operands, in, type);
}

void onnx_elementwise(onnx_call *c, const char *op) {
    onnx_give_aligned(c, map_operands(c, op, ONNX_NUMBER));
}

void onnx_decision(onnx_call *c, const char *op) {
    onnx_give_aligned(c, onnx_cast(c, map_operands(c, op, ONNX_BOOL), ONNX_NUMBER));
}

void onnx_along_axis(onnx_call *c, const char *op, int64_t axis) {
    const onnx_order order = onnx_order_of(c, 0);
    onnx_tensor x = onnx_whole(c, 0, &order);
    onnx_tensor y = onnx_node(c, op, 1, &x, ONNX_NUMBER, onnx_ordered(&c->out, &order));
    onnx_set(c, y, "axis", onnx_axis(&order, axis));
    onnx_give(c, y, &order);
}
