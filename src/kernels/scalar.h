/*
 * The words of reference kernels. A kernel says T, ADD, MUL, EXP, LESS ... and never uses a C
 * operator on a T, so that the same loops run over any scalar type. SPOR_SCALAR names the type:
 *
 *   f32, f64   float and double, functions from libm
 *   c128       double complex, for the complex step: branches look at the real part
 *   bound      a double with a running error bound: how far it may be from the exact result
 *   rounding   a double with what rounding may do to it in other code, float or double
 *   stub       a double in a struct: compiled, never run; the compiler then refuses any operator
 *
 * FROM_INT makes a T of an integer, FROM_REAL of a double, RATIO of num / den. LESS decides
 * branches only (kinks, winners) and is false if either side is not a number. IS_NAN tells one that
 * is not; IS_ZERO a number that is 0 in every part, error bounds and imaginary part included.
 * NEARER compares distances by the least that they may be.
 */
#ifndef SPOR_KERNELS_SCALAR_H
#define SPOR_KERNELS_SCALAR_H

#include <math.h>
#include <stdint.h>

#define SPOR_IS_f32 1
#define SPOR_IS_f64 2
#define SPOR_IS_c128 3
#define SPOR_IS_bound 4
#define SPOR_IS_rounding 5
#define SPOR_IS_stub 6
#define SPOR_IS_(name) SPOR_IS_##name
#define SPOR_IS(name) SPOR_IS_(name)

#if SPOR_IS(SPOR_SCALAR) == SPOR_IS_f32 || SPOR_IS(SPOR_SCALAR) == SPOR_IS_f64
#include "kernels/scalar_real.h"
#elif SPOR_IS(SPOR_SCALAR) == SPOR_IS_c128
#include "kernels/scalar_complex.h"
#elif SPOR_IS(SPOR_SCALAR) == SPOR_IS_bound
#include "kernels/scalar_bound.h"
#elif SPOR_IS(SPOR_SCALAR) == SPOR_IS_rounding
#include "kernels/scalar_rounding.h"
#else
#include "kernels/scalar_stub.h"
#endif

/** True if a takes the place of the largest so far, a later one of a tie does not; what is not a
 *  number takes the place of every number and keeps it. */
static inline int WINS(T a, T largest) {
    return LESS(largest, a) || (IS_NAN(a) && !IS_NAN(largest));
}

#endif
