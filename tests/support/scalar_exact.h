/* The words of kernels/scalar.h over exact.h: what the bounds of others are held against. */
#ifndef SPOR_TESTS_SCALAR_EXACT_H
#define SPOR_TESTS_SCALAR_EXACT_H

#include "support/exact.h"

typedef exact T;
#define SCALAR_TEXT "two doubles"

static inline T FROM_REAL(double r) {
    return (T){r, 0};
}
/* The number itself is one of those that it may stand for. */
static inline T KNOWN_TO(double r, double error) {
    (void)error;
    return FROM_REAL(r);
}
static inline double VALUE(T a) {
    return a.hi;
}
static inline T FROM_INT(int64_t i) {
    double hi = (double)(i / 2048 * 2048);
    return exact_of(hi, (double)(i % 2048));
}
static inline T ADD(T a, T b) {
    return exact_add(a, b);
}
static inline T SUB(T a, T b) {
    return exact_sub(a, b);
}
static inline T MUL(T a, T b) {
    return exact_mul(a, b);
}
static inline T DIV(T a, T b) {
    return exact_div(a, b);
}
static inline T NEG(T a) {
    return exact_neg(a);
}
static inline T RATIO(int64_t num, int64_t den) {
    return DIV(FROM_INT(num), FROM_INT(den));
}
static inline T EXP(T a) {
    return exact_exp(a);
}
static inline T LOG(T a) {
    return exact_log(a);
}
static inline T LOG1P(T a) {
    return exact_log1p(a);
}
static inline T SQRT(T a) {
    return exact_sqrt(a);
}
static inline T TANH(T a) {
    return exact_tanh(a);
}
static inline T ERF(T a) {
    return exact_erf(a);
}
static inline T SIN(T a) {
    return exact_sin(a);
}
static inline T COS(T a) {
    return exact_cos(a);
}
static inline T EXPM1(T a) {
    return exact_expm1(a);
}
static inline T POW(T a, T b) {
    return exact_pow(a, b);
}
static inline T SHIFT(T largest) {
    return largest;
}
static inline int LESS(T a, T b) {
    return a.hi < b.hi || (a.hi <= b.hi && a.lo < b.lo);
}
static inline int NEARER(T a, T b) {
    return LESS(a, b);
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
    return isnan(a.hi);
}
static inline int IS_ZERO(T a) {
    return fabs(a.hi) <= 0 && fabs(a.lo) <= 0;
}

#endif
