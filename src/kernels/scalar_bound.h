/*
 * The words of scalar.h over a double with a running error bound: v is what double arithmetic
 * gives, and the result that exact arithmetic would give from the same inputs lies in v +- e.
 *
 * The rounding error of + - * / and sqrt is itself found without error by the transformations of
 * Dekker, Knuth and fma (Higham, Accuracy and Stability, chapters 3 and 4). So where nothing is
 * rounded, on small integers above all, e is 0 and a comparison within the bound is one bit for
 * bit. libm's exp, log and tanh are taken to err by at most 2 ulp, 4 units of 2^-53.
 */
#ifndef SPOR_KERNELS_SCALAR_BOUND_H
#define SPOR_KERNELS_SCALAR_BOUND_H

#include <stdbool.h>

typedef struct {
    double v, e;
} T;
#define SCALAR_TEXT "double with its error bound"

/* 2 ulp of libm. */
static inline double libm_error(double v) {
    return 0x1p-51 * fabs(v);
}
/* An error bound that covers the rounding of the bound itself and what underflows. */
static inline double inflated(double e) {
    return e > 0 ? e * (1 + 0x1p-49) + 0x1p-1073 : e;
}
/* What may have been lost below the smallest numbers. */
static inline double lost(double v) {
    return fabs(v) < 0x1p-960 ? 0x1p-1073 : 0;
}
/* The same of an error bound that is multiplied: a product that vanishes is no 0. */
static inline double lost_of_error(T a) {
    return a.e > 0 ? 0x1p-1073 : 0;
}
/* v with the error of its own rounding and what the operands bring. */
static inline T rounded(double v, double own, double brought) {
    return (T){v, inflated(fabs(own) + brought)};
}

static inline T FROM_REAL(double r) {
    return (T){r, 0};
}
static inline T KNOWN_TO(double r, double error) {
    return (T){r, error};
}
static inline double VALUE(T a) {
    return a.v;
}
static inline T FROM_INT(int64_t i) {
    double v = (double)i;
    return (T){v, fabs(v) <= 0x1p53 ? 0 : 0x1p-52 * fabs(v)};
}
/* An infinity, and what is no number, is not rounded: where finite operands made it, they gave it a
 * bound that is infinite or no number. */
static inline T ADD(T a, T b) {
    double v = a.v + b.v, part = v - a.v;
    if (!isfinite(a.v) || !isfinite(b.v)) return (T){v, a.e + b.e};
    return rounded(v, (a.v - (v - part)) + (b.v - part), a.e + b.e);
}
static inline T NEG(T a) {
    return (T){-a.v, a.e};
}
static inline T SUB(T a, T b) {
    return ADD(a, NEG(b));
}
static inline T MUL(T a, T b) {
    double v = a.v * b.v, brought = fabs(a.v) * b.e + fabs(b.v) * a.e + a.e * b.e;
    bool zero = (a.v == 0 && a.e == 0) || (b.v == 0 && b.e == 0);
    brought += lost(v) + lost_of_error(a) + lost_of_error(b);
    return rounded(v, fma(a.v, b.v, -v), zero ? 0 : brought);
}
/* The remainder a - v b, too, may be below the smallest numbers where a is small, whatever v is. */
static inline T DIV(T a, T b) {
    double v = a.v / b.v, least = fabs(b.v) - b.e;
    double brought = least > 0 ? (a.e + (fabs(v) * b.e + lost_of_error(b))) / least : HUGE_VAL;
    bool zero = a.v == 0 && a.e == 0 && least > 0;
    brought += lost(a.v) / fabs(b.v) + lost(v) + lost_of_error(a) + lost_of_error(b);
    return rounded(v, fma(-v, b.v, a.v) / b.v, zero ? 0 : brought);
}
static inline T RATIO(int64_t num, int64_t den) {
    return DIV(FROM_INT(num), FROM_INT(den));
}
/* e^(v + e) - e^v; of a large e, where the product would be 0 infinity, e^(v + e) alone. */
static inline T EXP(T a) {
    double v = exp(a.v), brought = 0;
    if (a.e > 0) brought = a.e < 1 ? v * expm1(a.e) : exp(a.v + a.e) * (1 + 0x1p-40);
    return rounded(v, libm_error(v), brought + lost(v));
}
static inline T LOG(T a) {
    double v = log(a.v), least = a.v - a.e;
    return rounded(v, libm_error(v), least > 0 ? a.e / least : HUGE_VAL);
}
static inline T LOG1P(T a) {
    double v = log1p(a.v), least = (1 + a.v) * (1 - 0x1p-52) - a.e;
    double brought = least > 0 ? a.e / least : HUGE_VAL;
    return rounded(v, libm_error(v), brought + (fabs(a.v) > 0 ? lost(v) : 0));
}
/* |x - v| / (sqrt(x) + sqrt(v)), of any x in v +- e */
static inline T SQRT(T a) {
    double v = sqrt(a.v), own = v > 0 ? fabs(fma(-v, v, a.v) / v) + lost(a.v) / v : 0;
    if (a.e <= 0) return rounded(v, own, 0);
    double brought = a.v > a.e ? a.e / sqrt(a.v) : sqrt(a.v + a.e);
    return rounded(v, own, brought + lost_of_error(a));
}
/* tanh' = 1 - tanh^2 is at most 1, and at most 4 e^(-2 d) at distance d = |a| - e from 0. */
static inline T TANH(T a) {
    double v = tanh(a.v), distance = fabs(a.v) - a.e;
    double slope = distance > 0 ? fmin(1, 4 * exp(-2 * distance)) : 1;
    double small = fabs(a.v) > 0 ? lost(v) : 0; /* the least numbers, where x - x^3 / 3 is x */
    return rounded(v, libm_error(v), slope * a.e + small);
}
/* What lies between -1 and 1 is off by less than twice that. */
static inline double within_one(double v, double brought) {
    return fmin(brought, 1 + fabs(v));
}
/* |sin'| = |cos| is at most 1, and changes by no more than its argument. */
static inline T SIN(T a) {
    double v = sin(a.v), slope = fmin(1, fabs(cos(a.v)) + 0x1p-52 + a.e);
    return rounded(v, libm_error(v), within_one(v, slope * a.e) + (fabs(a.v) > 0 ? lost(v) : 0));
}
/* 1 - cos x is at most x^2 / 2. */
static inline T COS(T a) {
    double v = cos(a.v), slope = fmin(1, fabs(sin(a.v)) + 0x1p-52 + a.e), own = libm_error(v);
    if (v == 1) own = fmin(own, a.v * a.v * (0.5 + 0x1p-50) + lost_of_error((T){0, fabs(a.v)}));
    return rounded(v, own, within_one(v, slope * a.e));
}
/* erf' = 2 / sqrt(pi) e^(-x^2) falls from 0 on to both sides. What lacks to 1 is below e^(-x^2). */
static inline T ERF(T a) {
    double v = erf(a.v), distance = fmax(fabs(a.v) - a.e, 0);
    double slope = 1.1284 * exp(-distance * distance) * (1 + 0x1p-40);
    double brought = a.e > 0 ? within_one(v, slope * a.e) : 0;
    double own = fabs(v) < 1 ? libm_error(v) : fmax(exp(-a.v * a.v), 0x1p-1000) * (1 + 0x1p-30);
    return rounded(v, own, brought + (fabs(a.v) > 0 ? lost(v) : 0));
}
/* The error that EXP brings. */
static inline T EXPM1(T a) {
    double v = expm1(a.v), brought = 0;
    if (a.e > 0) brought = a.e < 1 ? exp(a.v) * expm1(a.e) : exp(a.v + a.e);
    return rounded(v, libm_error(v), brought * (1 + 0x1p-40) + (fabs(a.v) > 0 ? lost(v) : 0));
}
#include "kernels/power.h"
/* Few whole exponents are products, which are exact where these are. */
static inline T POW(T a, T b) {
    if (b.e <= 0 && b.v == 0) return FROM_INT(1);
    if (b.e <= 0 && b.v == 1) return a;
    if (b.e <= 0 && b.v == 2) return MUL(a, a);
    double v = pow(a.v, b.v), brought = power_error(a.v, a.e, b.v, b.e);
    bool given = a.e <= 0 && (a.v == 0 || a.v == 1) && b.e <= 0;
    return rounded(v, given ? 0 : libm_error(v), brought + (given ? 0 : lost(v)));
}
static inline T SHIFT(T largest) {
    return largest;
}
static inline int LESS(T a, T b) {
    return a.v < b.v;
}
static inline int NEARER(T a, T b) {
    return a.v - a.e < b.v - b.e;
}
/* A bound that is no number is any. */
static inline int MAY_TURN(T distance) {
    return !(distance.e <= 0) && !(fabs(distance.v) > distance.e);
}
/* The larger bound; no number if either is none, so that it is not taken for a small one. */
static inline double larger_bound(double a, double b) {
    if (isnan(a) || isnan(b)) return a + b;
    return a > b ? a : b;
}
static inline T EITHER(T chosen, T other) {
    double far = inflated(fabs(chosen.v - other.v) + other.e);
    return (T){chosen.v, larger_bound(chosen.e, far)};
}
static inline int IS_NAN(T a) {
    return isnan(a.v);
}
static inline int IS_ZERO(T a) {
    return a.v == 0 && a.e == 0;
}

#endif
