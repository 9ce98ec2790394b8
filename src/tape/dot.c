/*
 * A tape as a graph for Graphviz: an arrow from each operand to what is made of it, scopes as clusters
 * inside each other, parameters and inputs in shapes of their own.
 */
#include <string.h>

#include "tape/tape.h"

typedef struct {
    const spor_tape *tape;
    uint32_t forward, last;
    FILE *out;
} graph;

/* ---- text ----------------------------------------------------------------------------------- */

/* Inside of quotes. A backslash would begin an escape, and so would be lost. */
static void print_escaped(const char *text, FILE *out) {
    for (; *text; text++)
        if ((unsigned char)*text < ' ')
            fputc('?', out);
        else
            fprintf(out, strchr("\"\\", *text) ? "\\%c" : "%c", *text);
}

/* What is behind the last slash. */
static const char *own_name(const char *name) {
    const char *slash = strrchr(name, '/');
    return slash ? slash + 1 : name;
}

/* ---- nodes ---------------------------------------------------------------------------------- */

/* How kinds of nodes look: the first row that has one of the node's traits; the last is for the rest. */
static const char *look_of(const graph *g, uint32_t id) {
    static const struct {
        unsigned traits;
        const char *look;
    } looks[] = {
        {SPOR_STORED, "shape=cylinder, fillcolor=\"#dcebf9\""},
        {SPOR_GIVEN, "shape=ellipse, fillcolor=\"#e2f3e4\""},
        {SPOR_LEAF, "shape=plain, style=\"\""},
        {~0u, "fillcolor=\"#ffffff\""},
    };
    const unsigned traits = g->tape->node[id].op->traits;
    size_t k = 0;
    while (looks[k].traits != ~0u && !(looks[k].traits & traits)) k++;
    return id < g->forward || looks[k].traits != ~0u ? looks[k].look : "fillcolor=\"#fbe7d8\"";
}

/* "K, param, [3, 3, 1, 3]", "+, [1, 20]" or "pad, lo=[0, 1], [1, 10]", each on its line. */
static void print_node(const graph *g, uint32_t id) {
    const spor_node *node = &g->tape->node[id];
    spor_signature signature;
    char shape[128];
    signature_parse(node->op->signature, &signature);
    fprintf(g->out, "n%" PRIu32 " [%s, label=\"", id, look_of(g, id));
    if (node->name) print_escaped(own_name(node->name), g->out);
    fprintf(g->out, "%s", node->name ? "\\n" : "");
    print_escaped(node->op->infix ? node->op->infix : signature.name, g->out);
    fprintf(g->out, "\\n");
    if (tape_print_attributes(g->tape, node, &signature, 0, g->out)) fprintf(g->out, "\\n");
    tape_shape_text(node->shape, NULL, shape, sizeof shape);
    fprintf(g->out, "%s\"];\n", shape);
}

/* ---- clusters ------------------------------------------------------------------------------- */

static bool is_inside(const spor_tape *tape, uint32_t scope, uint32_t of) {
    while (scope && scope != of) scope = tape->scope[scope].parent;
    return scope == of;
}

static bool has_nodes(const graph *g, uint32_t scope) {
    for (uint32_t id = 1; id < g->last; id++)
        if (is_inside(g->tape, g->tape->node[id].scope, scope)) return true;
    return false;
}

/* The nodes of a scope and the scopes in it, each inside its parent. */
static void print_scope(const graph *g, uint32_t scope) {
    for (uint32_t id = 1; id < g->last; id++)
        if (g->tape->node[id].scope == scope) print_node(g, id);
    for (uint32_t k = scope + 1; k < g->tape->scopes; k++) {
        if (g->tape->scope[k].parent != scope || !has_nodes(g, k)) continue;
        fprintf(g->out, "subgraph cluster_%" PRIu32 " {\nlabel=\"", k);
        print_escaped(own_name(g->tape->scope[k].path), g->out);
        fprintf(g->out, "\";\n");
        print_scope(g, k);
        fprintf(g->out, "}\n");
    }
}

/* Of a node that takes one operand twice there are two arrows. */
static void print_arrows(const graph *g) {
    for (uint32_t id = 1; id < g->last; id++)
        for (int k = 0; k < g->tape->node[id].op->operands; k++)
            fprintf(g->out, "n%" PRIu32 " -> n%" PRIu32 ";\n", g->tape->node[id].in[k], id);
}

void tape_print_dot(const spor_tape *tape, const char *title, uint32_t forward, uint32_t last,
                    FILE *out) {
    const graph g = {tape, forward, last, out};
    fprintf(out, "digraph \"");
    print_escaped(title, out);
    fprintf(out, "\" {\nrankdir=TB;\n"
                 "graph [fontname=\"Helvetica\", fontsize=13, style=rounded, labeljust=l, "
                 "color=\"#9aa3ad\"];\n"
                 "node [fontname=\"Helvetica\", fontsize=11, shape=box, style=\"rounded,filled\", "
                 "color=\"#5f6368\", margin=\"0.12,0.05\"];\n"
                 "edge [color=\"#5f6368\", arrowsize=0.6];\n");
    print_scope(&g, 0);
    print_arrows(&g);
    fprintf(out, "}\n");
}
