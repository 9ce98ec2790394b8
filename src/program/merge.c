/* Merging: nodes with the same op, operands and attributes are one; the unused ones go. */
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "program/program.h"

static uint64_t hash_node(const spor_node *node, const uint32_t same[]) {
    uint64_t hash = (uint64_t)(uintptr_t)node->op;
    for (int k = 0; k < node->op->operands; k++) hash = random_hash(hash, same[node->in[k]], 1);
    for (int k = 0; k < node->op->attrs; k++)
        hash = random_hash(hash, (uint64_t)node->attr[k].i, 2);
    return hash;
}

static bool equal_nodes(const spor_node *a, const spor_node *b, const uint32_t same[]) {
    if (a->op != b->op) return false;
    for (int k = 0; k < a->op->operands; k++)
        if (same[a->in[k]] != same[b->in[k]]) return false;
    for (int k = 0; k < a->op->attrs; k++)
        if (a->attr[k].i != b->attr[k].i) return false;
    return true;
}

/* Finds an equal node in the open-addressed table or puts id there. */
static uint32_t intern(const spor_tape *tape, uint32_t id, const uint32_t same[], uint32_t table[],
                       uint64_t mask) {
    const spor_node *node = &tape->node[id];
    uint64_t slot = hash_node(node, same) & mask;
    for (; table[slot]; slot = (slot + 1) & mask)
        if (equal_nodes(node, &tape->node[table[slot]], same)) return table[slot];
    return table[slot] = id;
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

bool merge_equal(const spor_tape *tape, const uint32_t roots[], uint32_t count, uint32_t same[],
                 bool live[]) {
    uint64_t slots = 64;
    while (slots < 2 * (uint64_t)tape->count) slots *= 2;
    uint32_t *table = calloc((size_t)slots, sizeof *table);
    if (!table) return false;
    same[0] = 0;
    for (uint32_t id = 1; id < tape->count; id++) /* two leaves with names are never the same */
        same[id] =
            node_is_named_leaf(&tape->node[id]) ? id : intern(tape, id, same, table, slots - 1);
    mark_live(tape, roots, count, same, live);
    free(table);
    return true;
}
