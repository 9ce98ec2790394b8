/*
 * An element of SPOR_ROUNDING: a double and what rounding may do to it in other code. Its words,
 * and what its parts mean, are in scalar_rounding.h.
 */
#ifndef SPOR_KERNELS_ROUNDING_H
#define SPOR_KERNELS_ROUNDING_H

#include <math.h>

/** The value v; what errors of its terms bring, e; the sum of the terms' magnitudes, s; how many
 *  additions, n, of code with the unit roundoff u, 0 for a constant. -n: that many additions none of
 *  which is rounded, whatever their order. */
typedef struct {
    double v, e, s, n, u;
} rounding;

/** The unit roundoff of the code that computes a; of a constant that of float, the worst there is. */
static inline double rounding_unit(rounding a) {
    return a.u > 0 ? a.u : 0x1p-24;
}

/** What other code of the unit roundoff u may be off by in all. */
static inline double rounding_error(rounding a, double u) {
    double nu = a.n > 0 ? a.n * u : 0;
    return nu < 0.5 ? a.e + nu / (1 - nu) * (a.s + a.e) : HUGE_VAL;
}

#endif
