/*
 * Long sums, added as a tree: rounding then grows with the tree's height, log2(n), not with n
 * (Higham, Accuracy and Stability, chapter 4).
 *
 * Terms are added one by one to blocks of BLOCK; full blocks go up as a binary counter does, where
 * two sums of one length meet they become one of twice the length. The order is that of the terms
 * and their number alone. A sum of n terms is off by at most BLOCK + log2(n) units of sum |x|.
 */
#ifndef SPOR_KERNELS_PAIRWISE_H
#define SPOR_KERNELS_PAIRWISE_H

#include "kernels/scalar.h"

enum { PAIRWISE_BLOCK = 32, PAIRWISE_LEVELS = 58 };

typedef struct {
    int64_t count;
    T block; /* the terms since the last full block */
    T level
        [PAIRWISE_LEVELS]; /* [k]: the sum of 2^k blocks, if bit k of the blocks' number is set */
} pairwise_sum;

static inline void pairwise_begin(pairwise_sum *s) {
    s->count = 0;
    s->block = FROM_INT(0);
}

static inline void pairwise_add(pairwise_sum *s, T x) {
    s->block = ADD(s->block, x);
    if (++s->count % PAIRWISE_BLOCK) return;
    int k = 0;
    for (int64_t full = s->count / PAIRWISE_BLOCK - 1; full & 1; full >>= 1, k++)
        s->block = ADD(s->level[k], s->block);
    s->level[k] = s->block;
    s->block = FROM_INT(0);
}

/** The sum of all terms, from the shortest part to the longest. */
static inline T pairwise_total(const pairwise_sum *s) {
    T total = s->block;
    int64_t full = s->count / PAIRWISE_BLOCK;
    for (int k = 0; full; full >>= 1, k++)
        if (full & 1) total = ADD(s->level[k], total);
    return total;
}

#endif
