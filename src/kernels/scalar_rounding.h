/*
 * The words of scalar.h over a double that knows how wrong other code may be: code that computes
 * the same result in float, or in double, and adds up its sums in another order.
 *
 * To first order an element may be off by n u m, and u is the unit roundoff of that code: m bounds
 * the magnitude that any partial result can take (a sum's is the sum of the terms' magnitudes) and
 * n counts the roundings that a term goes through (Higham, Accuracy and Stability, chapters 3 and
 * 4). Where n is 0 nothing is rounded whatever the order: zeros, factors that are powers of two,
 * integers whose sums of magnitudes stay below 2^24. exp, log and tanh are taken to err by 2 ulp.
 */
#ifndef SPOR_KERNELS_SCALAR_ROUNDING_H
#define SPOR_KERNELS_SCALAR_ROUNDING_H

typedef struct {
    double v, m, n;
} T;

/* Roundings of a function that errs by 2 ulp. */
#define LIBRARY 4.0

/* A number that a float holds is exact; any other one is rounded once. */
static inline T FROM_REAL(double r) {
    double held = (double)(float)r, difference = fabs(held - r);
    return (T){r, fabs(r), difference > 0 ? 1 : 0};
}
static inline T FROM_INT(int64_t i) {
    return FROM_REAL((double)i);
}
static inline T NEG(T a) {
    return (T){-a.v, a.m, a.n};
}
static inline double most(double a, double b) {
    return a > b ? a : b;
}
/* An integer that no order of summing rounds. */
static inline int is_whole(T a) {
    return a.n <= 0 && a.m <= 0x1p24 && fabs(a.v - floor(a.v)) <= 0;
}
static inline int is_zero(T a) {
    return a.n <= 0 && a.m <= 0;
}
static inline int is_power_of_two(T a) {
    int exponent;
    return a.n <= 0 && fabs(fabs(frexp(a.v, &exponent)) - 0.5) <= 0;
}
static inline T ADD(T a, T b) {
    T sum = {a.v + b.v, a.m + b.m, most(a.n, b.n) + 1};
    if (is_zero(a)) return b;
    if (is_zero(b)) return a;
    if (is_whole(a) && is_whole(b) && sum.m <= 0x1p24) sum.n = 0;
    return sum;
}
static inline T SUB(T a, T b) {
    return ADD(a, NEG(b));
}
static inline T MUL(T a, T b) {
    T product = {a.v * b.v, a.m * b.m, a.n + b.n + 1};
    if (is_zero(a) || is_zero(b)) return (T){a.v * b.v, 0, 0};
    if (is_power_of_two(a) || is_power_of_two(b)) product.n--;
    if (is_whole(a) && is_whole(b) && product.m <= 0x1p24) product.n = 0;
    return product;
}
static inline T DIV(T a, T b) {
    double least = fabs(b.v), amplified = least > 0 ? b.m / least : HUGE_VAL;
    T quotient = {a.v / b.v, (a.m / least) * amplified, a.n + b.n + 1};
    if (is_power_of_two(b)) quotient.n--;
    return quotient;
}
static inline T RATIO(int64_t num, int64_t den) {
    return DIV(FROM_INT(num), FROM_INT(den));
}
static inline T EXP(T a) {
    double v = exp(a.v);
    return (T){v, v * most(1, a.m), a.n + LIBRARY};
}
static inline T LOG(T a) {
    double v = log(a.v);
    return (T){v, most(fabs(v), a.m / a.v), a.n + LIBRARY};
}
static inline T SQRT(T a) {
    double v = sqrt(a.v);
    return (T){v, most(v, v > 0 ? a.m / v : a.m > 0 ? HUGE_VAL : 0), a.n + 1};
}
static inline T TANH(T a) {
    double v = tanh(a.v);
    return (T){v, most(fabs(v), (1 - v * v) * a.m), a.n + LIBRARY};
}
static inline int LESS(T a, T b) {
    return a.v < b.v;
}

#endif
