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
 *
 * A repeat, or some light arithmetic on what is in memory anyway, is made again by each group that
 * reads it: a repeat would be larger than what it repeats; and where it is made of one tensor, each
 * group reads that in its place, nobody writes it. Of two tensors, a group reads one more, which is no
 * more than writing it, being as much as two reads, for up to two groups.
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
    bool *pinned;     /* is read after all steps, or as a whole by one of them */
    int *others;      /* groups that read it, besides its own */
    bool *remade;     /* each group that reads it makes it */
} grouper;

/* ---- what joins ---- */

static const spor_node *node_at(const grouper *g, uint32_t id) {
    return &g->tape->node[id];
}

static bool is_step(const grouper *g, uint32_t id) {
    return g->live[id] && node_is_computed(node_at(g, id));
}

static bool is_grouped(const grouper *g, uint32_t id) {
    return is_step(g, id) && node_is_grouped(g->program, id);
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

/* ---- what is made again ---- */

/* What it takes to make a node again: maps, and tensors that are read. */
enum { RECIPE_MAPS = 3, RECIPE_READS = 2 };
typedef struct {
    int maps, reads;
    uint32_t from[RECIPE_READS];
    bool dear; /* more than that */
} recipe;

static void read_also(recipe *r, uint32_t from) {
    for (int k = 0; k < r->reads; k++)
        if (r->from[k] == from) return;
    if (r->reads < RECIPE_READS)
        r->from[r->reads++] = from;
    else
        r->dear = true;
}

static recipe recipe_of(const grouper *g, uint32_t v) {
    const spor_op *op = node_at(g, v)->op;
    recipe r = {.maps = !repeats(g, v)};
    if (repeats(g, v)) return r;
    r.dear = op->traits & SPOR_LIBRARY || op->tile->slow;
    for (int k = 0; k < op->operands && !r.dear; k++) {
        uint32_t u = program_operand(g->program, v, k);
        recipe of = {.reads = 1, .from = {u}};
        if (g->remade[u]) of = recipe_of(g, u);
        r.maps += of.maps;
        for (int a = 0; a < of.reads; a++) read_also(&r, of.from[a]);
        r.dear = r.dear || r.maps > RECIPE_MAPS;
    }
    return r;
}

/* Who reads a node. */
static void find_readers(const grouper *g) {
    memset(g->reader, 0, g->tape->count * sizeof *g->reader);
    for (uint32_t v = 1; v < g->tape->count; v++)
        for (int k = 0; is_step(g, v) && k < node_at(g, v)->op->operands; k++) {
            uint32_t u = program_operand(g->program, v, k);
            if (!reads_in_tiles(g, u, v)) g->pinned[u] = true;
            g->others[u] += g->leader[u] != g->leader[v] && g->reader[u] != g->leader[v];
            g->reader[u] = g->leader[v];
        }
}

static bool is_in_memory(const grouper *g, uint32_t u) {
    return !is_grouped(g, u) || folds(g, u) || g->pinned[u] || g->others[u];
}

static bool is_cheaper(const grouper *g, const recipe *r, uint32_t v) {
    bool cheaper = !r->dear && (r->reads < 2 || g->others[v] <= 2);
    for (int k = 0; k < r->reads; k++) cheaper = cheaper && is_in_memory(g, r->from[k]);
    return cheaper;
}

static void find_remade(const grouper *g) {
    find_readers(g);
    for (uint32_t v = 1; v < g->tape->count; v++) {
        if (!is_grouped(g, v) || folds(g, v) || g->pinned[v]) continue;
        recipe r = recipe_of(g, v);
        g->remade[v] = is_cheaper(g, &r, v);
    }
}

bool group_nodes(const spor_program *program, const bool live[], const bool kept[],
                 uint32_t leader[], bool remade[]) {
    uint32_t nodes = program->graph.tape->count;
    uint32_t *room = calloc(nodes, 3 * sizeof *room);
    int *others = calloc(nodes, sizeof *others);
    bool *marks = calloc(nodes, 2 * sizeof *marks);
    bool done = room && others && marks;
    if (done) {
        grouper g = {.program = program,
                     .tape = program->graph.tape,
                     .live = live,
                     .stage = room,
                     .leader = leader,
                     .bound = room + nodes,
                     .reader = room + 2 * (size_t)nodes,
                     .drawn = marks,
                     .pinned = marks + nodes,
                     .others = others,
                     .remade = remade};
        memset(g.bound, 0xff, nodes * sizeof *g.bound);
        memcpy(g.pinned, kept, nodes * sizeof *kept);
        find_stages(&g);
        find_groups(&g);
        for (uint32_t v = 1; v < nodes; v++) leader[v] = leader_of(&g, v);
        find_remade(&g);
    }
    free(room);
    free(others);
    free(marks);
    return done;
}
