/*
 * The words of scalar.h over a double with a running error bound: v is what double arithmetic
 * gives, and the result that exact arithmetic would give from the same inputs lies in v +- e.
 *
 * With u = 2^-53, |fl(a op b) - (a op b)| <= u |fl(a op b)| for + - * / and sqrt (Higham, Accuracy
 * and Stability, section 3.3); libm's exp, log and tanh are taken to err by at most 2 ulp = 4 u.
 * inflate() covers the rounding of e itself and of products that underflow.
 */
#ifndef SPOR_KERNELS_SCALAR_BOUND_H
#define SPOR_KERNELS_SCALAR_BOUND_H

typedef struct {
    double v, e;
} T;

enum { LIBM_ULPS = 4 }; /* in units of u */

static inline double unit_of(double v) {
    return 0x1p-53 * fabs(v);
}
static inline double inflate(double e) {
    return e * (1 + 0x1p-49) + 0x1p-1073;
}
/* v with the error of its own rounding and what the operands bring. */
static inline T rounded(double v, double brought) {
    return (T){v, inflate(unit_of(v) + brought)};
}

static inline T FROM_REAL(double r) {
    return (T){r, 0};
}
static inline T FROM_INT(int64_t i) {
    double v = (double)i;
    return (T){v, fabs(v) <= 0x1p53 ? 0 : inflate(unit_of(v))};
}
static inline T RATIO(int64_t num, int64_t den) {
    double v = (double)num / (double)den;
    return fmod((double)num, (double)den) == 0 ? (T){v, 0} : rounded(v, 2 * unit_of(v));
}
static inline T ADD(T a, T b) {
    return rounded(a.v + b.v, a.e + b.e);
}
static inline T SUB(T a, T b) {
    return rounded(a.v - b.v, a.e + b.e);
}
static inline T MUL(T a, T b) {
    return rounded(a.v * b.v, fabs(a.v) * b.e + fabs(b.v) * a.e + a.e * b.e);
}
static inline T DIV(T a, T b) {
    double v = a.v / b.v, least = fabs(b.v) - b.e;
    return rounded(v, least > 0 ? (a.e + fabs(v) * b.e) / least : HUGE_VAL);
}
static inline T NEG(T a) {
    return (T){-a.v, a.e};
}
static inline T EXP(T a) {
    double v = exp(a.v);
    return rounded(v, a.e > 0 ? v * expm1(a.e) + LIBM_ULPS * unit_of(v) : LIBM_ULPS * unit_of(v));
}
static inline T LOG(T a) {
    double v = log(a.v), least = a.v - a.e;
    return rounded(v, least > 0 ? a.e / least + LIBM_ULPS * unit_of(v) : HUGE_VAL);
}
static inline T SQRT(T a) {
    double v = sqrt(a.v), least = a.v - a.e;
    if (a.e == 0) return rounded(v, 0);
    return rounded(v, least > 0 ? a.e / (2 * sqrt(least)) : sqrt(a.v + a.e));
}
/* tanh' = 1 - tanh^2 is at most 1, and at most 4 e^(-2 d) at distance d = |a| - e from 0. */
static inline T TANH(T a) {
    double v = tanh(a.v), distance = fabs(a.v) - a.e;
    double slope = distance > 0 ? fmin(1, 4 * exp(-2 * distance)) : 1;
    return rounded(v, slope * a.e + LIBM_ULPS * unit_of(v));
}
static inline int LESS(T a, T b) {
    return a.v < b.v;
}

#endif
