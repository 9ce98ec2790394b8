/* The words of scalar.h over double complex. */
#ifndef SPOR_KERNELS_SCALAR_C128_H
#define SPOR_KERNELS_SCALAR_C128_H

#include <complex.h>

typedef double _Complex T;
#define SCALAR_TEXT "complex"

#define SCALAR_OWN_MUL
#include "kernels/scalar_operators.h"

/* CMPLX, which the C library does not offer to every compiler. */
static inline T complex_of(double real, double imaginary) {
    union {
        double part[2];
        T whole;
    } z = {.part = {real, imaginary}};
    return z.whole;
}
/* By parts: C's product asks each time whether it is to be an infinity. The product of two steps is
 * 0, which it would come to by way of numbers that many machines are slow at. */
static inline T MUL(T a, T b) {
    double x = creal(a), y = cimag(a), large = fabs(y) < 0x1p-511 ? 0 : y;
    return complex_of(x * creal(b) - large * cimag(b), x * cimag(b) + y * creal(b));
}
static inline double VALUE(T a) {
    return creal(a);
}
static inline T FROM_INT(int64_t i) {
    return (T)(double)i;
}
/* Over the reals there is no logarithm, and no root, of a negative number. */
static inline T undefined(void) {
    return complex_of((double)NAN, (double)NAN);
}
static inline T LOG(T a) {
    return creal(a) < 0 ? undefined() : clog(a);
}
/* ln |1 + z| = ln(1 + x (2 + x) + y^2) / 2, accurate for small z too */
static inline T LOG1P(T a) {
    double x = creal(a), y = cimag(a);
    if (x < -1) return undefined();
    return complex_of(log1p(x * (2 + x) + y * y) / 2, atan2(y, 1 + x));
}
static inline T SQRT(T a) {
    return creal(a) < 0 ? undefined() : csqrt(a);
}
/* An imaginary part whose square is below the rounding of 1 is a step: f(x + i y) = f(x) + i y f'(x)
 * to the last place, without the sines and cosines of C. */
static inline int is_step(T a) {
    return fabs(cimag(a)) < 0x1p-30;
}
static inline T EXP(T a) {
    double power = exp(creal(a));
    return is_step(a) ? complex_of(power, power * cimag(a)) : cexp(a);
}
static inline T TANH(T a) {
    double slope = 1 / cosh(creal(a));
    return is_step(a) ? complex_of(tanh(creal(a)), slope * slope * cimag(a)) : ctanh(a);
}
static inline T SHIFT(T largest) {
    return largest;
}
static inline int LESS(T a, T b) {
    return creal(a) < creal(b);
}
static inline int NEARER(T a, T b) {
    return creal(a) < creal(b);
}
static inline int MAY_TURN(T distance) {
    (void)distance;
    return 0;
}
static inline T EITHER(T chosen, T other) {
    (void)other;
    return chosen;
}
static inline int IS_NAN(T a) {
    return isnan(creal(a)) || isnan(cimag(a));
}
static inline int IS_ZERO(T a) {
    return fabs(creal(a)) <= 0 && fabs(cimag(a)) <= 0;
}

#endif
