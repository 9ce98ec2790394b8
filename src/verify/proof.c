/*
 * Proofs by unit tensors: two expressions that are linear in each of the same inputs, and in
 * nothing else, are equal for all values of that shape if they agree on all tuples of unit
 * tensors. On unit tensors every comparison is exact.
 */
#include <stdlib.h>
#include <string.h>

#include "verify/oracle.h"

/* A set of inputs in each of which a node is linear, as a bit mask; or one of the marks. */
enum { NOT_MULTILINEAR = -1, ZERO = -2 };

/* A sum is linear in what both sides are linear in. */
static int joined_by_sum(int a, int b) {
    if (a == ZERO) return b;
    if (b == ZERO || a == b) return a;
    return NOT_MULTILINEAR;
}

static int joined_by_product(int a, int b) {
    if (a == ZERO || b == ZERO) return ZERO;
    if (a == NOT_MULTILINEAR || b == NOT_MULTILINEAR || (a & b)) return NOT_MULTILINEAR;
    return a | b;
}

static int mask_of_node(const spor_tape *tape, uint32_t id, const int mask[]) {
    const spor_node *node = &tape->node[id];
    const spor_op *op = node->op;
    if (known_zero(node)) return ZERO; /* what is made of it linearly is 0 too */
    int joined = op->operands ? mask[node->in[0]] : 0;
    bool constant = true;
    for (int k = 0; k < op->operands; k++)
        constant = constant && (mask[node->in[k]] == 0 || mask[node->in[k]] == ZERO);
    if (op->traits & SPOR_BILINEAR) return joined_by_product(joined, mask[node->in[1]]);
    if (op->traits & SPOR_LINEAR) {
        for (int k = 1; k < op->operands; k++) joined = joined_by_sum(joined, mask[node->in[k]]);
        return joined;
    }
    return constant ? 0 : NOT_MULTILINEAR;
}

/* The inputs in which all pairs of the trial are linear; 0: no proof this way. */
static bool find_masks(const spor_trial *trial, int mask[], int pair_mask[]) {
    const spor_tape *tape = trial->tape;
    for (int k = 0; k < trial->in.inputs; k++) {
        bool cotangent = instance_is_cotangent(&trial->in, k); /* jointly linear in all of them */
        mask[trial->in.input[k].id] = 1 << (cotangent ? trial->in.dy : k);
    }
    for (uint32_t id = 1; id < tape->count; id++)
        if (!node_is_named_leaf(&tape->node[id])) mask[id] = mask_of_node(tape, id, mask);
    for (int k = 0; k < trial->in.pairs; k++) {
        int a = mask[trial->in.pair[k].formula.id], b = mask[trial->in.pair[k].expected.id];
        pair_mask[k] = joined_by_sum(a, b);
        if (pair_mask[k] == ZERO)
            pair_mask[k] = 0; /* both are zero: nothing to show */
        else if (pair_mask[k] <= 0)
            return false;
    }
    for (int k = 0; k < trial->in.inputs; k++)
        if (trial->in.range[k].kind) return false; /* units may not be meant */
    return trial->in.pairs > 0;
}

/* Number of tuples of unit tensors of the inputs in the mask, or budget + 1 if more. */
static int64_t count_tuples(const spor_trial *trial, int mask, int64_t budget) {
    int64_t tuples = 1;
    for (int k = 0; k < trial->in.inputs; k++) {
        int64_t size = trial_extent(trial, k);
        if (!(mask >> k & 1)) continue;
        if (tuples && size > budget / tuples) return budget + 1;
        tuples *= size;
    }
    return tuples;
}

/* The inputs of the mask become the unit tensors of tuple number t. */
static void set_units(spor_trial *trial, int mask, int64_t t) {
    for (int k = 0; k < trial->in.inputs; k++) {
        int64_t size = trial_extent(trial, k);
        if (!(mask >> k & 1)) continue;
        memset(trial->data[k], 0, (size_t)size * sizeof(double));
        trial->data[k][t % size] = 1;
        t /= size;
    }
}

/* All tuples of the mask, up to one that fails. */
static bool try_tuples(oracle_inquiry *q, int mask, int64_t tuples) {
    for (int64_t t = 0; t < tuples && !q->finding->failed; t++) {
        set_units(q->trial, mask, t);
        if (!trial_run(q->trial)) return false;
        compare_all(q);
    }
    return true;
}

/* proved: every pair was, within the tuples that may be tried. */
static bool ask(oracle_inquiry *q) {
    spor_trial *trial = q->trial;
    int pair_mask[SPOR_PAIRS], *mask = calloc(trial->tape->count, sizeof *mask);
    if (!mask) return false;
    bool multilinear = find_masks(trial, mask, pair_mask);
    free(mask);
    for (int k = 0; k < trial->in.pairs && multilinear && !q->finding->failed; k++) {
        bool seen = false; /* pairs linear in the same inputs are compared together */
        for (int j = 0; j < k; j++) seen = seen || pair_mask[j] == pair_mask[k];
        if (seen || !pair_mask[k]) continue;
        int64_t tuples = count_tuples(trial, pair_mask[k], *q->proofs);
        if (tuples > *q->proofs) return true;
        *q->proofs -= tuples;
        if (!try_tuples(q, pair_mask[k], tuples)) return false;
    }
    q->finding->proved = multilinear && !q->finding->failed;
    return true;
}

const oracle oracle_units = {
    .name = "units",
    .proves = "formula and tape are equal for all values of these shapes, where both are linear in "
              "each of the same tensors; not that the tape is right",
    .dispute = SPOR_FORMULA_TAPE,
    .at = ORACLE_AT_ITS_OWN,
    .in_search = true,
    .ask = ask,
};
