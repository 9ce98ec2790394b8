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
static inline T SQRT(T a) {
    return csqrt(a);
}
static inline T TANH(T a) {
    return ctanh(a);
}
static inline int LESS(T a, T b) {
    return creal(a) < creal(b);
}

#endif
