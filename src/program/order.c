/*
 * The steps of a program in their order: a group where its last node was recorded, unless it is
 * needed before; what a step needs stands before it.
 */
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

/* Steps by the number of their leader. The nodes of one follow each other in `node`. */
typedef struct {
    const spor_program *program;
    const spor_tape *tape;
    const bool *live;
    const uint32_t *leader;
    program_order *order;
    uint32_t *node, *first; /* [first[leader] ..]: the nodes of a step, size[leader] of them */
    uint32_t *size;
    uint32_t *seen; /* operands of the step that were looked at; UINT32_MAX: it is in the order */
    uint32_t *open; /* steps that wait for operands */
} sorter;

static bool is_step(const sorter *s, uint32_t id) {
    return s->live[id] && node_is_computed(&s->tape->node[id]);
}

static void collect(const sorter *s) {
    uint32_t nodes = s->tape->count, total = 0;
    for (uint32_t v = 1; v < nodes; v++)
        if (is_step(s, v)) s->size[s->leader[v]]++;
    for (uint32_t v = 1; v < nodes; v++) {
        s->first[v] = total;
        total += s->size[v];
        s->size[v] = 0;
    }
    for (uint32_t v = 1; v < nodes; v++) {
        if (!is_step(s, v)) continue;
        uint32_t leader = s->leader[v];
        s->node[s->first[leader] + s->size[leader]++] = v;
    }
}

/* The next operand's step that is not in the order; 0: all are. */
static uint32_t next_missing(const sorter *s, uint32_t step) {
    for (;;) {
        uint32_t look = s->seen[step] / SPOR_OPERANDS, k = s->seen[step] % SPOR_OPERANDS;
        if (look == s->size[step]) return 0;
        uint32_t v = s->node[s->first[step] + look];
        s->seen[step] = k + 1 < (uint32_t)s->tape->node[v].op->operands
                            ? s->seen[step] + 1
                            : (look + 1) * SPOR_OPERANDS;
        if (k >= (uint32_t)s->tape->node[v].op->operands) continue;
        uint32_t u = program_operand(s->program, v, (int)k);
        if (!is_step(s, u)) continue;
        u = s->leader[u];
        if (u != step && s->seen[u] != UINT32_MAX) return u;
    }
}

static void append(const sorter *s, uint32_t step) {
    program_order *order = s->order;
    uint32_t at = order->first[order->steps];
    memcpy(order->node + at, s->node + s->first[step], s->size[step] * sizeof *order->node);
    order->first[++order->steps] = at + s->size[step];
    s->seen[step] = UINT32_MAX;
}

/* A step behind all that it needs. */
static void order_step(const sorter *s, uint32_t step) {
    uint32_t depth = 0;
    if (s->seen[step] == UINT32_MAX) return;
    s->open[depth++] = step;
    while (depth) {
        uint32_t missing = next_missing(s, s->open[depth - 1]);
        if (missing)
            s->open[depth++] = missing;
        else
            append(s, s->open[--depth]);
    }
}

/* In the order of recording, a group where its last node stands, unless it is needed before. */
static void sort_steps(const sorter *s) {
    collect(s);
    for (uint32_t v = 1; v < s->tape->count; v++) {
        if (!is_step(s, v)) continue;
        uint32_t step = s->leader[v];
        if (s->node[s->first[step] + s->size[step] - 1] == v) order_step(s, step);
    }
}

static bool sort_into(sorter *s) {
    uint32_t nodes = s->tape->count;
    uint32_t *room = calloc(nodes, 5 * sizeof *room);
    if (room) {
        s->node = room;
        s->first = room + nodes;
        s->size = room + 2 * (size_t)nodes;
        s->seen = room + 3 * (size_t)nodes;
        s->open = room + 4 * (size_t)nodes;
        sort_steps(s);
    }
    free(room);
    return room != NULL;
}

bool order_make(const spor_program *program, const bool live[], program_order *order) {
    uint32_t nodes = program->graph.tape->count;
    uint32_t *leader = calloc(nodes, sizeof *leader);
    order->node = calloc(nodes, sizeof *order->node);
    order->first = calloc((size_t)nodes + 1, sizeof *order->first);
    sorter s = {.program = program,
                .tape = program->graph.tape,
                .live = live,
                .leader = leader,
                .order = order};
    bool done = leader && order->node && order->first && group_nodes(program, live, leader) &&
                sort_into(&s);
    free(leader);
    return done;
}

void order_free(program_order *order) {
    free(order->node);
    free(order->first);
}
