/*
 * What a core can do at best: the yardsticks that kernels are measured by.
 */
#include "kernels/carve.h"
#include "kernels/simd.h"

/* Sums side by side: enough that the next multiply-add never waits for the last one, and no more than
 * the smallest set of registers holds beside the factor. */
enum { SUMS = 12 };

/* out.shape.n[0] rounds of SUMS multiply-adds of vectors, on registers alone; the sums go to out.data, so
 * that they are not for nothing: a vector for each task. */
FAST_KERNEL(roof_products) {
    T *out = (T *)c->out.data + task * LANES;
    vec factor = simd_load(out), sum[SUMS], total = {0};
    SPOR_UNROLL for (int k = 0; k < SUMS; k++) sum[k] = simd_all((T)k);
    for (int64_t n = 0; n < c->out.shape.n[0]; n++) {
        SPOR_UNROLL for (int k = 0; k < SUMS; k++) sum[k] = simd_fma(sum[k], factor, factor);
    }
    SPOR_UNROLL for (int k = 0; k < SUMS; k++) total += sum[k];
    simd_store(out, total);
}

/* out.shape.n[0] elements for each task from in to out */
FAST_KERNEL(roof_copies) {
    int64_t count = c->out.shape.n[0];
    const T *from = (const T *)c->in[0].data + task * count;
    T *to = (T *)c->out.data + task * count;
    for (int64_t k = 0; k + LANES <= count; k += LANES) simd_store(to + k, simd_load(from + k));
}
