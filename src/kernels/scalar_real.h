/* The words of scalar.h that float and double share. */
#ifndef SPOR_KERNELS_SCALAR_REAL_H
#define SPOR_KERNELS_SCALAR_REAL_H

#include "kernels/scalar_operators.h"

static inline double VALUE(T a) {
    return (double)a;
}
static inline T FROM_INT(int64_t i) {
    return (T)i;
}
static inline T EXP(T a) {
    return LIBM(exp)(a);
}
static inline T LOG(T a) {
    return LIBM(log)(a);
}
static inline T LOG1P(T a) {
    return LIBM(log1p)(a);
}
static inline T SQRT(T a) {
    return LIBM(sqrt)(a);
}
static inline T TANH(T a) {
    return LIBM(tanh)(a);
}
static inline T ERF(T a) {
    return LIBM(erf)(a);
}
static inline T SIN(T a) {
    return LIBM(sin)(a);
}
static inline T COS(T a) {
    return LIBM(cos)(a);
}
static inline T EXPM1(T a) {
    return LIBM(expm1)(a);
}
static inline T POW(T a, T b) {
    return LIBM(pow)(a, b);
}
static inline T SHIFT(T largest) {
    return largest;
}
static inline int LESS(T a, T b) {
    return a < b;
}
static inline int NEARER(T a, T b) {
    return a < b;
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
    return isnan(a);
}
static inline int IS_ZERO(T a) {
    return !(a < 0) && !(a > 0) && !isnan(a);
}

#endif
