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
static inline T SIN(T a) {
    double x = creal(a);
    return is_step(a) ? complex_of(sin(x), cos(x) * cimag(a)) : csin(a);
}
static inline T COS(T a) {
    double x = creal(a);
    return is_step(a) ? complex_of(cos(x), -sin(x) * cimag(a)) : ccos(a);
}
/* e^x cos y - 1 = (e^x - 1) cos y - 2 sin^2 (y / 2) */
static inline T EXPM1(T a) {
    double x = creal(a), y = cimag(a), less = expm1(x), half = sin(y / 2);
    if (is_step(a)) return complex_of(less, (less + 1) * y);
    return complex_of(less * cos(y) - 2 * half * half, exp(x) * sin(y));
}
static const double two_by_root_pi = 0x1.20dd750429b6dp+0;

/* erf (x + i y) - erf x = i 2 / sqrt(pi) times the integral of e^-(x + i t)^2 over t in 0 .. y, by
 * Simpson's rule: what is no step is no more than a few units. */
static inline T erf_aside(double x, double y) {
    enum { PARTS = 512 };
    T sum = 0;
    for (int k = 0; k <= PARTS; k++) {
        T at = complex_of(x, y * k / PARTS);
        sum += cexp(-at * at) * (k % PARTS == 0 ? 1 : k % 2 ? 4 : 2);
    }
    return complex_of(0, two_by_root_pi * y / (3 * PARTS)) * sum;
}
static inline T ERF(T a) {
    double x = creal(a), y = cimag(a);
    if (is_step(a)) return complex_of(erf(x), two_by_root_pi * exp(-x * x) * y);
    return erf(x) + erf_aside(x, y);
}
static inline int is_whole(double y) {
    return fabs(y - nearbyint(y)) <= 0;
}
/* x^y; of a negative x the y that are whole numbers have one, which no step of y leaves real. A
 * slope that no step meets may be infinite. */
static inline T power_step(T a, T b) {
    double x = creal(a), y = creal(b), v = pow(x, y), by_x = 0, by_y = 0;
    if (fabs(cimag(a)) > 0 && fabs(y) > 0) by_x = y * pow(x, y - 1) * cimag(a);
    if (fabs(cimag(b)) > 0 && fabs(v) > 0) by_y = v * log(x) * cimag(b);
    return complex_of(v, by_x + by_y);
}
static inline T POW(T a, T b) {
    if (is_step(a) && is_step(b)) return power_step(a, b);
    if (creal(a) >= 0) return cpow(a, b);
    double y = creal(b);
    if (!is_whole(y) || fabs(cimag(b)) > 0) return undefined();
    return (fabs(fmod(y, 2)) > 0 ? -1 : 1) * cpow(-a, b);
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
