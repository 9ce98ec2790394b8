/*
 * The steps of a program in their order: a group where its last node was recorded, unless it is
 * needed before; what a step needs stands before it. What groups make again is part of each that
 * reads it, and of no other.
 */
#include <stdlib.h>
#include <string.h>

#include "program/program.h"

/* Steps by the number of their leader. The nodes of one follow each other in `node`, ascending. */
typedef struct {
    const spor_program *program;
    const spor_tape *tape;
    const bool *live;
    const uint32_t *leader;
    const bool *remade;
    program_order *order;
    uint32_t *node, *first; /* [first[leader] ..]: the nodes of a step, size[leader] of them */
    uint32_t nodes, capacity;
    uint32_t *size;
    uint32_t *head, *next; /* the nodes that are of one step alone, as lists: by leader, by node */
    uint32_t *mark;        /* the last step that a node was put into */
    uint32_t *seen; /* operands of the step that were looked at; UINT32_MAX: it is in the order */
    uint32_t *open; /* steps that wait for operands */
} sorter;

static bool is_step(const sorter *s, uint32_t id) {
    return s->live[id] && node_is_computed(&s->tape->node[id]);
}

static void list_nodes(const sorter *s) {
    for (uint32_t v = s->tape->count - 1; v > 0; v--) {
        if (!is_step(s, v) || s->remade[v]) continue;
        s->next[v] = s->head[s->leader[v]];
        s->head[s->leader[v]] = v;
    }
}

static bool put(sorter *s, uint32_t v, uint32_t step) {
    uint32_t *grown = tape_grow(s->node, s->nodes, &s->capacity, sizeof *grown);
    if (!grown) return false;
    s->node = grown;
    s->node[s->nodes++] = v;
    s->mark[v] = step;
    return true;
}

/* What node v reads and its step makes again. */
static bool put_remade(sorter *s, uint32_t v, uint32_t step) {
    bool done = true;
    for (int k = 0; done && k < s->tape->node[v].op->operands; k++) {
        uint32_t u = program_operand(s->program, v, k);
        if (s->remade[u] && s->mark[u] != step) done = put(s, u, step);
    }
    return done;
}

static int compare_nodes(const void *a, const void *b) {
    const uint32_t *u = a, *v = b;
    return (*u > *v) - (*u < *v);
}

static bool collect_step(sorter *s, uint32_t step) {
    bool done = true;
    s->first[step] = s->nodes;
    for (uint32_t v = s->head[step]; done && v; v = s->next[v]) done = put(s, v, step);
    for (uint32_t k = s->first[step]; done && k < s->nodes; k++)
        done = put_remade(s, s->node[k], step);
    s->size[step] = s->nodes - s->first[step];
    if (done) qsort(s->node + s->first[step], s->size[step], sizeof *s->node, compare_nodes);
    return done;
}

static bool collect(sorter *s) {
    bool done = true;
    list_nodes(s);
    for (uint32_t step = 1; done && step < s->tape->count; step++)
        if (s->head[step]) done = collect_step(s, step);
    return done;
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
        if (!is_step(s, u) || s->remade[u]) continue;
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
    for (uint32_t v = 1; v < s->tape->count; v++) {
        if (!is_step(s, v) || s->remade[v]) continue;
        uint32_t step = s->leader[v];
        if (s->node[s->first[step] + s->size[step] - 1] == v) order_step(s, step);
    }
}

static bool sort_into(sorter *s) {
    uint32_t nodes = s->tape->count;
    uint32_t *room = calloc(nodes, 7 * sizeof *room),
             **const part[] = {&s->first, &s->size, &s->head, &s->next,
                               &s->mark,  &s->seen, &s->open};
    for (size_t k = 0; room && k < sizeof part / sizeof *part; k++) *part[k] = room + k * nodes;
    bool done = room && collect(s);
    if (done) s->order->node = calloc((size_t)s->nodes + 1, sizeof *s->order->node);
    done = done && s->order->node;
    if (done) sort_steps(s);
    free(s->node);
    free(room);
    return done;
}

bool order_make(const spor_program *program, const bool live[], const bool kept[],
                program_order *order) {
    uint32_t nodes = program->graph.tape->count;
    uint32_t *leader = calloc(nodes, sizeof *leader);
    bool *remade = calloc(nodes, sizeof *remade);
    order->first = calloc((size_t)nodes + 1, sizeof *order->first);
    sorter s = {.program = program,
                .tape = program->graph.tape,
                .live = live,
                .leader = leader,
                .remade = remade,
                .order = order};
    bool done = leader && remade && order->first &&
                group_nodes(program, live, kept, leader, remade) && sort_into(&s);
    free(leader);
    free(remade);
    return done;
}

void order_free(program_order *order) {
    free(order->node);
    free(order->first);
}
