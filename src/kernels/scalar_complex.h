/* The words of scalar.h over double complex. */
#ifndef SPOR_KERNELS_SCALAR_COMPLEX_H
#define SPOR_KERNELS_SCALAR_COMPLEX_H

#include <complex.h>

typedef double _Complex T;

static inline T FROM_REAL(double r) {
    return (T)r;
}
static inline T FROM_INT(int64_t i) {
    return (T)(double)i;
}
static inline T RATIO(int64_t num, int64_t den) {
    return (T)((double)num / (double)den);
}
static inline T ADD(T a, T b) {
    return a + b;
}
static inline T SUB(T a, T b) {
    return a - b;
}
static inline T MUL(T a, T b) {
    return a * b;
}
static inline T DIV(T a, T b) {
    return a / b;
}
static inline T NEG(T a) {
    return -a;
}
static inline T EXP(T a) {
    return cexp(a);
}
static inline T LOG(T a) {
    return clog(a);
}
/* ln |1 + z| = ln(1 + x (2 + x) + y^2) / 2, accurate for small z too */
static inline T LOG1P(T a) {
    double x = creal(a), y = cimag(a);
    return log1p(x * (2 + x) + y * y) / 2 + (T)I * atan2(y, 1 + x);
}
static inline T SQRT(T a) {
    return csqrt(a);
}
static inline T TANH(T a) {
    return ctanh(a);
}
static inline int LESS(T a, T b) {
    return creal(a) < creal(b);
}
static inline int IS_NAN(T a) {
    return isnan(creal(a)) || isnan(cimag(a));
}
static inline int IS_ZERO(T a) {
    return fabs(creal(a)) <= 0 && fabs(cimag(a)) <= 0;
}

#endif
