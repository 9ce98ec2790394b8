/*
 * How far x^y lies from what it is at other x and y, for the scalar types that have bounds.
 */
#ifndef SPOR_KERNELS_POWER_H
#define SPOR_KERNELS_POWER_H

#include <math.h>

/** |x^y - from|, and what rounding takes: 2^-53 of x is y times as much of the power, 2^-53 of y as much of its
 *  logarithm. */
static inline double power_far(double x, double y, double from) {
    double far = pow(x, y), size = fabs(far);
    return size > 0 ? fabs(far - from) + 0x1p-50 * size * (1 + fabs(log(size)) + fabs(y))
                    : fabs(from);
}

/** The largest |p^q - x^y| with p in x +- ex and q in y +- ey. For p > 0 a power is monotonous in p and in q, so
 *  that corners have it; a whole q has powers on both sides of 0, and is monotonous on each. Of other
 *  exponents nothing is known beyond 0. */
static inline double power_error(double x, double ex, double y, double ey) {
    double v = pow(x, y), least = x - ex, most = 0;
    int whole = ey <= 0 && fabs(y - floor(y)) <= 0, reaches_0 = !(fabs(x) > ex);
    if (ex <= 0 && ey <= 0) return 0;
    if (reaches_0 && !(y - ey > 0)) return HUGE_VAL;
    if (!whole && !(x >= 0)) return HUGE_VAL;
    if (!whole && reaches_0) least = 0;
    for (int k = -1; k <= 1; k += 2) {
        most = fmax(most, power_far(least, y + k * ey, v));
        most = fmax(most, power_far(x + ex, y + k * ey, v));
    }
    return most * (1 + 0x1p-40);
}

#endif
