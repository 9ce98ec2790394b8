/*
 * What a core can do at best: the yardsticks that kernels are measured by.
 */
#include "kernels/roof.h"
#include "kernels/simd.h"

/* out.shape.n[0] rounds of ROOF_SUMS multiply-adds of vectors, on registers alone; the sums go to out.data, so
 * that they are not for nothing: a vector for each task. */
FAST_KERNEL(roof_products) {
    T *out = (T *)c->out.data + task * LANES;
    vec factor = simd_load(out), sum[ROOF_SUMS], total = {0};
    SPOR_UNROLL for (int k = 0; k < ROOF_SUMS; k++) sum[k] = simd_all((T)k);
    for (int64_t n = 0; n < c->out.shape.n[0]; n++) {
        SPOR_UNROLL for (int k = 0; k < ROOF_SUMS; k++) sum[k] = simd_fma(sum[k], factor, factor);
    }
    SPOR_UNROLL for (int k = 0; k < ROOF_SUMS; k++) total += sum[k];
    simd_store(out, total);
}

/* out.shape.n[0] elements for each task from in to out */
FAST_KERNEL(roof_copies) {
    int64_t count = c->out.shape.n[0];
    const T *from = (const T *)c->in[0].data + task * count;
    T *to = (T *)c->out.data + task * count;
    for (int64_t k = 0; k + LANES <= count; k += LANES) simd_store(to + k, simd_load(from + k));
}
