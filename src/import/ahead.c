/*
 * Nodes to come that become part of a line: who alone reads a value, what is known of numbers that are still to be made.
 */
#include <string.h>

#include "import/graph.h"

void import_swallow(import_call *c, int node, import_value **y) {
    import_graph *g = c->g;
    const import_value *v = *y;
    import_value *next = import_find(g, g->model.node[node].output[0]);
    next->type = v->type;
    next->rank = v->rank;
    for (int k = 0; k < v->rank; k++) next->size[k] = v->size[k];
    next->there = true;
    g->done[node] = true;
    *y = next;
}

/* Its result is its input: Identity, and a Cast between floats, or doubles. */
static bool hands_on(const onnx_node *node, const import_value *v) {
    if (node->outputs != 1 || node->inputs != 1 || *node->domain) return false;
    if (!strcmp(node->op, "Identity")) return true;
    return !strcmp(node->op, "Cast") && node->attributes == 1 &&
           !strcmp(node->attribute[0].name, "to") && node->attribute[0].integer == v->type;
}

int import_only_reader(import_call *c, import_value **y) {
    import_graph *g = c->g;
    for (;;) {
        const import_value *v = *y;
        if (v->readers != 1 || v->output || v->reader < 0) return -1;
        const onnx_node *node = &g->model.node[v->reader];
        if (!hands_on(node, v)) return node->outputs == 1 ? v->reader : -1;
        import_swallow(c, v->reader, y);
    }
}

enum { AHEAD = 8 };

/* True if nodes to come make it of known numbers, by ops that only hand on or name sizes. */
static bool is_known_ahead(const import_graph *g, const import_value *v, int depth) {
    static const char *const ops[] = {"Identity", "Cast",     "Reshape",  "Unsqueeze",
                                      "Squeeze",  "Constant", "Transpose"};
    if (v->known || v->numbers) return true;
    if (depth > AHEAD || v->maker < 0 || v->there) return false;
    const onnx_node *node = &g->model.node[v->maker];
    bool fits = false;
    for (size_t k = 0; k < sizeof ops / sizeof *ops; k++) fits = fits || !strcmp(ops[k], node->op);
    for (int k = 0; k < node->inputs && fits; k++) {
        const import_value *x = import_find(g, node->input[k]);
        fits = x && is_known_ahead(g, x, depth + 1);
    }
    return fits;
}

static void make_ahead(import_graph *g, const import_value *v) {
    if (v->there) return;
    const onnx_node *node = &g->model.node[v->maker];
    for (int k = 0; k < node->inputs; k++) make_ahead(g, import_find(g, node->input[k]));
    import_make_node(g, v->maker);
    g->done[v->maker] = true;
}

import_known *import_known_ahead(import_call *c, const char *name) {
    import_graph *g = c->g;
    import_value *v = import_find(g, name);
    if (!v || !is_known_ahead(g, v, 0)) return NULL;
    make_ahead(g, v);
    return import_known_of(g, v);
}

/* ---- what a layer takes with it ---- */

const char *import_act(import_call *c, import_value **y) {
    import_graph *g = c->g;
    const int reader = import_only_reader(c, y);
    if (reader < 0) return "";
    const onnx_node *node = &g->model.node[reader];
    const import_op *op = import_op_find(node->op);
    if (!op || !op->act || node->inputs != 1 || *node->domain) return "";
    for (int k = 0; k < node->attributes; k++) /* "alpha=1" with a layer's own default */
        if (op->act_alpha == 0 || strcmp(node->attribute[k].name, "alpha") != 0 ||
            (float)node->attribute[k].real != (float)op->act_alpha)
            return "";
    import_swallow(c, reader, y);
    import_only_reader(c, y);
    return import_say(g, ", act=%s", op->act);
}

import_known *import_bias(import_call *c, import_value **y, int64_t n, int from_end) {
    import_graph *g = c->g;
    const int reader = import_only_reader(c, y);
    const onnx_node *node = reader < 0 ? NULL : &g->model.node[reader];
    if (!node || strcmp(node->op, "Add") != 0 || *node->domain || node->attributes ||
        node->inputs != 2)
        return NULL;
    const int other = !strcmp(node->input[0], (*y)->name);
    import_known *known = import_known_ahead(c, node->input[other]);
    if (!known || known->count != n || known->b || known->rank > (*y)->rank) return NULL;
    if (known->rank < from_end || known->size[known->rank - from_end] != n) return NULL;
    import_swallow(c, reader, y);
    return known;
}
