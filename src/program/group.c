/*
 * Which elementwise nodes are computed together: the groups of a program.
 *
 * Two nodes join if the second reads the first's elements where it makes its own: both have one
 * iteration shape, the first is no sum or largest and the second no repeat. Every node gets a stage, at least
 * that of an operand that it joins and above that of any other. Nodes that join at one stage, or
 * read the same elements there, are a group. So a path that leaves a group comes to higher stages
 * and never back: groups are convex, and steps have an order.
 *
 * Stages are as early as can be, then nodes sink to the stage of the first reader that they join: a
 * slope that only the backward pass reads is computed there from what the forward pass kept anyway.
 * A sum or a largest does not sink, it is smaller than what it is made of.
 */
#include <stdlib.h>
#include <string.h>

#include "kernels/group.h"
#include "program/program.h"

/* Arrays over the nodes of the contracted tape. */
typedef struct {
    const spor_program *program;
    const spor_tape *tape;
    const bool *live;
    uint32_t *stage;
    uint32_t *leader; /* towards the first node of its group */
    uint32_t *bound;  /* the latest stage that readers allow; UINT32_MAX: none reads it */
    uint32_t *reader; /* the last node that read its elements in a tile */
    bool *drawn;      /* the reader that sets the bound would join it */
} grouper;

/* ---- what joins ---- */

static const spor_node *node_at(const grouper *g, uint32_t id) {
    return &g->tape->node[id];
}

static bool is_step(const grouper *g, uint32_t id) {
    return g->live[id] && node_is_computed(node_at(g, id));
}

static bool is_grouped(const grouper *g, uint32_t id) {
    return !g->program->reference && is_step(g, id) && node_at(g, id)->op->tile;
}

static bool repeats(const grouper *g, uint32_t id) {
    return node_at(g, id)->op->tile->role == SPOR_REPEATS;
}

static bool folds(const grouper *g, uint32_t id) {
    return role_folds(node_at(g, id)->op->tile->role);
}

const spor_shape *node_iteration(const spor_tape *tape, uint32_t id) {
    const spor_node *node = &tape->node[id];
    return role_folds(node->op->tile->role) ? tape->node[node->in[0]].shape : node->shape;
}

/* v reads the elements of u, whatever that is, one by one. */
static bool reads_in_tiles(const grouper *g, uint32_t u, uint32_t v) {
    return is_grouped(g, v) && !repeats(g, v) &&
           shape_equal(node_at(g, u)->shape, node_iteration(g->tape, v));
}

static bool joins(const grouper *g, uint32_t u, uint32_t v) {
    return is_grouped(g, u) && !folds(g, u) && reads_in_tiles(g, u, v);
}

/* ---- stages ---- */

static uint32_t earliest(const grouper *g, uint32_t v) {
    uint32_t stage = 0;
    for (int k = 0; k < node_at(g, v)->op->operands; k++) {
        uint32_t u = program_operand(g->program, v, k);
        if (!is_step(g, u)) continue;
        uint32_t least = g->stage[u] + !joins(g, u, v);
        if (least > stage) stage = least;
    }
    return stage;
}

static void bind_operands(const grouper *g, uint32_t v) {
    for (int k = 0; k < node_at(g, v)->op->operands; k++) {
        uint32_t u = program_operand(g->program, v, k);
        if (!is_step(g, u)) continue;
        bool join = joins(g, u, v);
        uint32_t bound = g->stage[v] - !join;
        if (bound < g->bound[u]) g->drawn[u] = false;
        if (bound <= g->bound[u]) g->drawn[u] |= join;
        if (bound < g->bound[u]) g->bound[u] = bound;
    }
}

static void find_stages(const grouper *g) {
    for (uint32_t v = 1; v < g->tape->count; v++)
        if (is_step(g, v)) g->stage[v] = earliest(g, v);
    for (uint32_t v = g->tape->count - 1; v > 0; v--) {
        if (!is_step(g, v)) continue;
        if (is_grouped(g, v) && !folds(g, v) && g->drawn[v]) g->stage[v] = g->bound[v];
        bind_operands(g, v);
    }
}

/* ---- groups ---- */

static uint32_t leader_of(const grouper *g, uint32_t id) {
    while (g->leader[id] != id) id = g->leader[id] = g->leader[g->leader[id]];
    return id;
}

static void unite(const grouper *g, uint32_t u, uint32_t v) {
    u = leader_of(g, u);
    v = leader_of(g, v);
    g->leader[u > v ? u : v] = u > v ? v : u;
}

/* v with the operands that it joins, and with who read the same elements at its stage. */
static void group_node(const grouper *g, uint32_t v) {
    for (int k = 0; k < node_at(g, v)->op->operands; k++) {
        uint32_t u = program_operand(g->program, v, k), other = g->reader[u];
        if (!reads_in_tiles(g, u, v)) continue;
        if (joins(g, u, v) && g->stage[u] == g->stage[v]) unite(g, u, v);
        if (other && g->stage[other] == g->stage[v]) unite(g, other, v);
        g->reader[u] = v;
    }
}

static void find_groups(const grouper *g) {
    for (uint32_t v = 1; v < g->tape->count; v++) g->leader[v] = v;
    for (uint32_t v = 1; v < g->tape->count; v++)
        if (is_grouped(g, v)) group_node(g, v);
}

bool group_nodes(const spor_program *program, const bool live[], uint32_t leader[]) {
    uint32_t nodes = program->graph.tape->count;
    uint32_t *room = calloc(nodes, 3 * sizeof *room);
    bool *drawn = calloc(nodes, sizeof *drawn);
    bool done = room && drawn;
    if (done) {
        grouper g = {program,      program->graph.tape,      live, room, leader,
                     room + nodes, room + 2 * (size_t)nodes, drawn};
        memset(g.bound, 0xff, nodes * sizeof *g.bound);
        find_stages(&g);
        find_groups(&g);
        for (uint32_t v = 1; v < nodes; v++) leader[v] = leader_of(&g, v);
    }
    free(room);
    free(drawn);
    return done;
}
