/* Merging: nodes with the same op, operands and attributes are one; the unused ones go. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "program/program.h"

typedef struct {
    const spor_tape *tape;
    uint32_t *same;
    uint32_t *table; /* open-addressed */
    uint64_t mask;
    bool errors; /* what a number may be off by counts: the program is over error bounds */
} merger;

/* Slots of the op's attributes, without that of an error, which is the last one. */
static int slots_of(const spor_op *op) {
    return op->attrs - (op->error != 0);
}

static uint64_t hash_node(const spor_node *node, const uint32_t same[]) {
    uint64_t hash = (uint64_t)(uintptr_t)node->op;
    for (int k = 0; k < node->op->operands; k++) hash = random_hash(hash, same[node->in[k]], 1);
    for (int k = 0; k < slots_of(node->op); k++)
        hash = random_hash(hash, (uint64_t)node->attr[k].i, 2);
    return hash;
}

static bool equal_nodes(const merger *m, const spor_node *a, const spor_node *b) {
    if (a->op != b->op) return false;
    for (int k = 0; k < a->op->operands; k++)
        if (m->same[a->in[k]] != m->same[b->in[k]]) return false;
    int slots = m->errors ? a->op->attrs : slots_of(a->op);
    for (int k = 0; k < slots; k++)
        if (a->attr[k].i != b->attr[k].i) return false;
    return true;
}

/* Finds an equal node in the table or puts id there. */
static uint32_t intern(const merger *m, uint32_t id) {
    const spor_node *node = &m->tape->node[id];
    uint64_t slot = hash_node(node, m->same) & m->mask;
    for (; m->table[slot]; slot = (slot + 1) & m->mask)
        if (equal_nodes(m, node, &m->tape->node[m->table[slot]])) return m->table[slot];
    return m->table[slot] = id;
}

/* The first node of the same value: of a node with parts, what they make. */
static uint32_t same_as(const merger *m, uint32_t id) {
    const spor_node *node = &m->tape->node[id];
    if (node_is_named_leaf(node)) return id; /* two leaves with names are never the same */
    return node->parts ? m->same[node->parts] : intern(m, id);
}

static void mark_live(const spor_tape *tape, const uint32_t roots[], uint32_t count,
                      const uint32_t same[], bool live[]) {
    for (uint32_t k = 0; k < count; k++) live[same[roots[k]]] = true;
    for (uint32_t id = tape->count - 1; id > 0; id--) {
        const spor_node *node = &tape->node[id];
        if (node_is_named_leaf(node)) live[id] = true;
        for (int k = 0; live[id] && k < node->op->operands; k++) live[same[node->in[k]]] = true;
    }
}

bool merge_equal(const spor_tape *tape, bool errors, const uint32_t roots[], uint32_t count,
                 uint32_t same[], bool live[]) {
    uint64_t slots = 64;
    while (slots < 2 * (uint64_t)tape->count) slots *= 2;
    uint32_t *table = calloc((size_t)slots, sizeof *table);
    merger m = {tape, same, table, slots - 1, errors};
    if (!table) return false;
    same[0] = 0;
    for (uint32_t id = 1; id < tape->count; id++) same[id] = same_as(&m, id);
    mark_live(tape, roots, count, same, live);
    free(table);
    return true;
}

/* ---- which node holds what ---- */

bool node_is_computed(const spor_node *node) {
    return !node_is_named_leaf(node) && !(node->op->traits & SPOR_ALIAS);
}

bool node_is_bare(const spor_tape *tape, uint32_t id) {
    const spor_node *node = &tape->node[id];
    bool bare = !shape_size(node->shape);
    for (int k = 0; k < node->op->operands; k++)
        bare = bare || !shape_size(tape->node[node->in[k]].shape);
    return bare;
}

bool node_is_grouped(const spor_program *program, uint32_t id) {
    const spor_tape *tape = program->graph.tape;
    return !program->reference && tape->node[id].op->tile && !node_is_bare(tape, id);
}

uint32_t program_home(const spor_program *program, uint32_t id) {
    const spor_node *node = program->graph.tape->node;
    id = program->same[id];
    while (node[id].op->traits & SPOR_ALIAS) id = program->same[node[id].in[0]];
    return id;
}

uint32_t program_operand(const spor_program *program, uint32_t id, int k) {
    return program_home(program, program->graph.tape->node[id].in[k]);
}
