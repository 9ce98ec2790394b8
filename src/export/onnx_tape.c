/*
 * The walk over a tape: what the output needs, which sizes depend on the rows, which nodes are known, and for each
 * of the others the mapping of its op.
 */
#include "export/onnx_tape.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "export/onnx_graph.h"
#include "tape/tape.h"

typedef struct {
    onnx_graph graph;
    const onnx_source *source;
    const spor_tape *tape, *again; /* again NULL: there is none */
    onnx_tensor *input;
    int inputs;
    spor_signature signature; /* of the op that is looked at */
} walk;

/* ---- what is needed ---- */

static void find_needed(walk *w) {
    onnx_variable *variable = w->graph.variable;
    variable[w->source->output.id].needed = true;
    variable[w->source->output.id].uses++;
    for (uint32_t id = w->source->output.id; id > 0; id--) {
        const spor_node *node = &w->tape->node[id];
        if (!variable[id].needed) continue;
        for (int k = 0; k < node->op->operands; k++) {
            variable[node->in[k]].needed = true;
            variable[node->in[k]].uses++;
        }
    }
}

/* ---- what depends on the rows ---- */

static void fail_of_rows(walk *w, uint32_t id) {
    onnx_call call = {.graph = &w->graph, .id = id};
    char name[SPOR_NAME];
    op_name(w->tape->node[id].op, name, sizeof name);
    w->graph.of_rows = !w->graph.fails;
    onnx_refuse(&call, "%s depends on how many rows there are", name);
}

/* A slot that is part of a shape, which is compared as one, or that says where numbers lie, not which. */
static bool is_compared(const walk *w, const spor_op *op, int slot) {
    for (int k = 0; k < w->signature.attrs; k++) {
        const spor_signature_attr *attr = &w->signature.attr[k];
        if (slot >= attr->slot && slot < attr->slot + attr->slots)
            return attr->kind != SPOR_KIND_SHAPE && !(op->address && slot == op->address);
    }
    return false;
}

static bool same_node(const walk *w, const spor_node *a, const spor_node *b) {
    if (a->op != b->op || a->shape->rank != b->shape->rank) return false;
    for (int k = 0; k < a->op->operands; k++)
        if (a->in[k] != b->in[k]) return false;
    for (int k = 0; k < a->op->attrs; k++)
        if (is_compared(w, a->op, k) && a->attr[k].i != b->attr[k].i) return false;
    return true;
}

/* n, as it is for these numbers of rows, is n or so many times the rows. */
static bool find_size(const walk *w, int64_t n, int64_t again, onnx_shape *to, int axis) {
    const int64_t rows = w->source->rows, more = w->source->again_rows;
    to->n[axis] = n;
    if (n == again) return true;
    to->rows[axis] = true;
    to->n[axis] = n / rows;
    return n % rows == 0 && again % more == 0 && n / rows == again / more;
}

static bool find_shape(walk *w, uint32_t id) {
    const spor_node *node = &w->tape->node[id];
    const spor_node *again = w->again ? &w->again->node[id] : node;
    onnx_shape *shape = &w->graph.variable[id].shape;
    shape->rank = node->shape->rank;
    if (w->again) {
        signature_parse(node->op->signature, &w->signature);
        if (id >= w->again->count || !same_node(w, node, again)) return false;
    }
    for (int k = 0; k < shape->rank; k++)
        if (!find_size(w, node->shape->n[k], again->shape->n[k], shape, k)) return false;
    return true;
}

static void find_shapes(walk *w) {
    for (uint32_t id = 1; id <= w->source->output.id && !w->graph.fails; id++)
        if (w->graph.variable[id].needed && !find_shape(w, id)) fail_of_rows(w, id);
}

/* ---- what is known ---- */

static bool is_setting(const walk *w, uint32_t id) {
    for (uint32_t k = 0; k < w->tape->settings; k++)
        if (w->tape->setting[k].id == id) return true;
    return false;
}

static bool is_input(const walk *w, uint32_t id) {
    return w->tape->node[id].op->traits & SPOR_GIVEN && !is_setting(w, id);
}

static bool find_known(const walk *w, uint32_t id) {
    const spor_node *node = &w->tape->node[id];
    const onnx_shape *shape = &w->graph.variable[id].shape;
    const spor_op *op = node->op;
    for (int k = 0; k < shape->rank; k++)
        if (shape->rows[k]) return false;
    if (op->operands == 0) return is_setting(w, id) || (op->onnx && !(op->traits & SPOR_GIVEN));
    for (int k = 0; k < op->operands; k++)
        if (!w->graph.variable[node->in[k]].known) return false;
    return true;
}

/* What is only repeated may be large, and need not be there where it is broadcast: it is written, not computed. */
static bool is_written(const walk *w, uint32_t id) {
    const spor_op *op = w->tape->node[id].op;
    return !w->graph.variable[id].known || (op->tile && op->tile->role == SPOR_REPEATS);
}

/* Those known ones that what is written reads. */
static uint32_t list_known(walk *w, spor_var list[]) {
    onnx_variable *variable = w->graph.variable;
    const spor_var output = w->source->output;
    uint32_t count = 0;
    for (uint32_t id = 1; id <= output.id; id++)
        variable[id].known = variable[id].needed && find_known(w, id);
    variable[output.id].read = true;
    for (uint32_t id = output.id; id > 0; id--) {
        const spor_node *node = &w->tape->node[id];
        if (variable[id].read && !is_written(w, id)) list[count++] = (spor_var){output.tape, id};
        for (int k = 0; variable[id].read && is_written(w, id) && k < node->op->operands; k++)
            variable[node->in[k]].read = true;
    }
    return count;
}

/* What a variable is called, with its scopes: "net/conv[0]/K", "net/conv[0]/correlate2d". */
static const char *base_name(walk *w, uint32_t id) {
    const spor_node *node = &w->tape->node[id];
    char name[SPOR_NAME];
    op_name(node->op, name, sizeof name);
    if (node->name && node_is_named_leaf(node)) return graph_name(&w->graph, "", node->name);
    return graph_name(&w->graph, w->tape->scope[node->scope].path, node->name ? node->name : name);
}

static void take_numbers(walk *w, uint32_t id, const spor_arg *arg) {
    onnx_graph *g = &w->graph;
    const onnx_shape *shape = &g->variable[id].shape;
    const onnx_order order = onnx_plain(shape->rank);
    const size_t size = bytes_for(onnx_count(shape), onnx_width(g->number));
    void *data = arena_take(&g->arena, size + 1);
    if (!data) {
        graph_exhaust(g);
        return;
    }
    if (size) memcpy(data, arg->data, size);
    form_keep(g, id, graph_tensor(g, base_name(w, id), g->number, shape, data), &order);
}

/* They are computed as spor computes them, by reference. */
static void compute_known(walk *w) {
    onnx_graph *g = &w->graph;
    spor_var *list = arena_take(&g->arena, (w->source->output.id + 1) * sizeof *list);
    const uint32_t count = list ? list_known(w, list) : 0;
    if (!list) graph_exhaust(g);
    if (g->fails || !count) return;
    const spor_options options = {.scalar = w->source->scalar, .reference = true};
    spor_program *program =
        spor_compile(w->source->output.tape, (int)count, list, w->source->params, &options);
    spor_arg arg = spor_program_arg(program, list[0]); /* takes the memory */
    if (spor_run(program, 0))
        for (uint32_t k = 0; k < count; k++) {
            arg = spor_program_arg(program, list[k]);
            take_numbers(w, list[k].id, &arg);
        }
    else
        graph_fail(g, "%s", spor_program_error(program));
    spor_program_free(program);
}

/* ---- the nodes ---- */

static void make_input(walk *w, uint32_t id) {
    onnx_graph *g = &w->graph;
    const onnx_shape *shape = &g->variable[id].shape;
    const onnx_order order = onnx_plain(shape->rank);
    onnx_tensor x = graph_tensor(g, base_name(w, id), g->number, shape, NULL);
    form_keep(g, id, x, &order);
    w->input[w->inputs++] = x;
    if (!g->counted && shape->rank && shape->rows[0] && shape->n[0] == 1) g->counted = x;
}

static void map_node(walk *w, uint32_t id) {
    onnx_graph *g = &w->graph;
    const spor_node *node = &w->tape->node[id];
    const spor_op *op = node->op;
    onnx_call call = {.graph = g, .id = id, .attr = node->attr, .operands = op->operands};
    char name[SPOR_NAME];
    call.out = g->variable[id].shape;
    for (int k = 0; k < op->operands; k++) {
        call.from[k] = node->in[k];
        call.in[k] = g->variable[node->in[k]].shape;
    }
    op_name(op, name, sizeof name);
    g->now = id;
    g->base = base_name(w, id);
    if (op->onnx)
        op->onnx(&call);
    else if (op->onnx_op)
        onnx_elementwise(&call, op->onnx_op);
    else
        onnx_refuse(&call, "ONNX has nothing for %s", name);
    if (!g->fails && !g->variable[id].form) onnx_refuse(&call, "%s gave no result", name);
}

static void map_nodes(walk *w) {
    onnx_graph *g = &w->graph;
    for (uint32_t id = 1; id <= w->source->output.id && !g->fails; id++)
        if (g->variable[id].read && is_input(w, id))
            make_input(w, id);
        else if (g->variable[id].read && is_written(w, id))
            map_node(w, id);
}

/* What leaves the graph is the output of a node. */
static onnx_tensor find_output(walk *w) {
    static const char name[] = "prediction";
    onnx_graph *g = &w->graph;
    const uint32_t id = w->source->output.id;
    const onnx_order plain = onnx_plain(g->variable[id].shape.rank);
    onnx_tensor y = g->fails ? 0 : form_whole(g, id, &plain);
    if (!y) return 0;
    if (g->tensor[y].node < 0)
        return graph_node(g, "Identity", 1, &y, name, g->number, &g->tensor[y].shape);
    g->tensor[y].name = name;
    return y;
}

static int count_needed(const onnx_graph *g, int *known) {
    int nodes = 0;
    for (uint32_t k = 0; k < g->nodes; k++) nodes += g->node[k].needed;
    for (uint32_t k = 1; k < g->tensors; k++) *known += g->tensor[k].needed && g->tensor[k].data;
    return nodes;
}

static void write_file(walk *w, spor_text *bytes, onnx_outcome *outcome) {
    onnx_graph *g = &w->graph;
    const onnx_content content = {.name = w->source->name,
                                  .inputs = w->inputs,
                                  .input = w->input,
                                  .output = find_output(w),
                                  .notes = w->source->notes,
                                  .note = w->source->note};
    onnx_file_prune(g, &content);
    onnx_file_write(g, &content, bytes);
    if (bytes->failed) graph_exhaust(g);
    if (bytes->size > INT32_MAX)
        graph_fail(g, "an ONNX file has at most 2 GB, and this one would have more");
    outcome->nodes = count_needed(g, &outcome->known);
    outcome->of_rows = g->fails && g->of_rows;
}

/* Tensor 0 and variable 0 are there for what failed. */
static bool begin(walk *w) {
    onnx_graph *g = &w->graph;
    const size_t count = w->source->output.id + 1;
    g->variable = arena_take(&g->arena, count * sizeof *g->variable);
    w->input = arena_take(&g->arena, count * sizeof *w->input);
    g->tensor = tape_grow(NULL, 0, &g->tensor_capacity, sizeof *g->tensor);
    if (!g->variable || !w->input || !g->tensor) return graph_exhaust(g), false;
    g->tensor[g->tensors++] = (onnx_held){.name = "", .node = -1};
    return true;
}

bool onnx_of_tape(const onnx_source *source, spor_text *bytes, onnx_outcome *outcome,
                  spor_message *message) {
    walk w = {.source = source, .tape = source->output.tape, .again = source->again.tape};
    *outcome = (onnx_outcome){0};
    w.graph.tape = w.tape;
    w.graph.number = source->scalar == SPOR_F32 ? ONNX_FLOAT : ONNX_DOUBLE;
    if (begin(&w)) {
        find_needed(&w);
        find_shapes(&w);
        compute_known(&w);
        map_nodes(&w);
        write_file(&w, bytes, outcome);
    }
    const bool done = !w.graph.fails;
    if (!done) message_complain(message, "%s", w.graph.message.text);
    graph_free(&w.graph);
    return done;
}
