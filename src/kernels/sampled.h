/*
 * An element of SPOR_SAMPLED: a double with the errors that four runs of other code have made. Its
 * words, and what its parts mean, are in scalar_sampled.h.
 */
#ifndef SPOR_KERNELS_SAMPLED_H
#define SPOR_KERNELS_SAMPLED_H

#include <math.h>

/** Runs that an element stands for. */
enum { SAMPLES = 4 };

/** The value v; the running magnitude m of its terms; d[k], what run k is off by: an estimate, for
 *  which float does. d is in units of the roundoff u of the other code, so that one program serves
 *  float and double. */
typedef struct {
    double v, m;
    float d[SAMPLES];
} sampled;

/** The largest error of the runs. */
static inline double sampled_error(const sampled *a) {
    float most = 0;
    for (int k = 0; k < SAMPLES; k++) most = fabsf(a->d[k]) > most ? fabsf(a->d[k]) : most;
    return (double)most;
}

/** False if the value, or what it may be off by, is no finite number. */
static inline int sampled_is_known(const sampled *a) {
    float sum = 0;
    for (int k = 0; k < SAMPLES; k++) sum += fabsf(a->d[k]);
    return isfinite(a->v) && isfinite(a->m) && isfinite(sum);
}

/** A number before anything was done to it; a float may not hold it. */
static inline sampled sampled_plain(double r, int held) {
    float off = held ? 0 : .4F * (float)r;
    return (sampled){r, fabs(r), {off, -off, off, -off}};
}

/** By which share the magnitude of a sum is larger than its terms', and twice as much if one of these is a sum: so
 *  that these three are told apart. */
static const double sampled_summed = 0x1p-40;

/** True where no order of sums rounds, in float neither: of a whole number, of a term alone and of two. That a
 *  sum of more has not been rounded is a matter of its order. */
static inline int sampled_is_exact(const sampled *a) {
    int whole = a->m <= 0x1p24 && fabs(a->v - floor(a->v)) <= 0;
    int two = a->m <= fabs(a->v) * (1 + sampled_summed) * (1 + 0x1p-50);
    return sampled_error(a) <= 0 && (whole || two);
}

#endif
