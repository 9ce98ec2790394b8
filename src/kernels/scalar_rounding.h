/*
 * The words of scalar.h over a double that knows how wrong other code may be: code that computes
 * the same result with the unit roundoff u, in float or in double, and adds up its sums in another
 * order (Higham, Accuracy and Stability, chapters 3 and 4).
 *
 * An element is a sum of terms t_i: e bounds the errors that the terms bring, s is the sum of
 * |t_i| and n the number of additions, so that whatever the order the sum is off by at most
 * e + gamma_n (s + e), gamma_n = n u / (1 - n u). Any other operation closes the sum: its result is
 * one term, n = 0. A constant has u = 0 and counts its roundings in n until it meets an element.
 * Where other code may have taken the other branch, e covers that one too.
 *
 * Nothing is rounded, and the error is 0, where that holds in any order and in float: zeros,
 * factors that are powers of two, integers whose sums of magnitudes stay below 2^24. Additions of
 * integers are counted all the same, in -n: with a larger one to come first they would round. exp,
 * log and tanh are taken to err by 2.5 ulp.
 */
#ifndef SPOR_KERNELS_SCALAR_ROUNDING_H
#define SPOR_KERNELS_SCALAR_ROUNDING_H

#include "kernels/rounding.h"

typedef rounding T;
#define SCALAR_TEXT "double with the rounding of other code"

/* Roundings of a function that errs by 2.5 ulp, as the fast exp and tanh do. */
#define LIBRARY 5.0

static inline double larger(double a, double b) {
    return a > b ? a : b;
}
/* The error of a closed sum. */
static inline double error_of(T a) {
    return rounding_error(a, a.u);
}
/* One term, with the error that operands bring and roundings of what comes of it. */
static inline T term(double v, double brought, double roundings, double u) {
    return (T){v, brought + roundings * u * (fabs(v) + brought), fabs(v), 0, u};
}
/* A constant after so many roundings of terms that add up to s in magnitude. */
static inline T constant_term(double v, double s, double roundings) {
    return (T){v, 0, larger(s, fabs(v)), roundings, 0};
}
static inline int is_exact(T a) {
    return a.e <= 0 && a.n <= 0;
}
/* A sum of integers, in magnitude a.s, that no order of summing rounds. */
static inline int is_whole(T a) {
    return is_exact(a) && fabs(a.v - floor(a.v)) <= 0;
}
static inline int is_zero(T a) {
    return is_exact(a) && a.s <= 0;
}
static inline int is_power_of_two(T a) {
    int exponent;
    return is_exact(a) && fabs(fabs(frexp(a.v, &exponent)) - 0.5) <= 0;
}
static inline T scaled(T a, double by) {
    return (T){a.v * by, a.e * fabs(by), a.s * fabs(by), a.n, a.u};
}
/* Of a constant: how many roundings; the sum of magnitudes that they count by; how near to a
 * number, 0 or -1, they may bring it in float, 0 if that far. */
static inline double roundings_of(T a) {
    return larger(a.n, 0);
}
static inline double rounded_part(T a) {
    return a.n > 0 ? a.s : 0;
}
static inline double least_distance(T a, double from) {
    return larger(fabs(a.v - from) - rounding_error(a, rounding_unit(a)), 0);
}
/* a as code of the unit u, or of a worse one, has it. */
static inline T in_unit(T a, double u) {
    return (T){a.v, a.e, a.s, a.n, larger(a.u, u)};
}

/* A number that a float holds is exact; any other one is rounded once. */
static inline T FROM_REAL(double r) {
    double held = (double)(float)r;
    return constant_term(r, 0, fabs(held - r) > 0 ? 1 : 0);
}
static inline T KNOWN_TO(double r, double error) {
    (void)error;
    return FROM_REAL(r);
}
static inline double VALUE(T a) {
    return a.v;
}
static inline T FROM_INT(int64_t i) {
    return FROM_REAL((double)i);
}
static inline T NEG(T a) {
    return scaled(a, -1);
}
static inline T ADD(T a, T b) {
    T sum = {a.v + b.v, a.e + b.e, a.s + b.s, fabs(a.n) + fabs(b.n) + 1, larger(a.u, b.u)};
    if (is_zero(a)) return in_unit(b, a.u);
    if (is_zero(b)) return in_unit(a, b.u);
    if (is_whole(a) && is_whole(b) && sum.s <= 0x1p24) sum.n = -sum.n;
    return sum;
}
static inline T SUB(T a, T b) {
    return ADD(a, NEG(b));
}
static inline T MUL(T a, T b) {
    double v = a.v * b.v, u = larger(a.u, b.u);
    if (is_zero(a) || is_zero(b)) return (T){v, 0, fabs(v), 0, u}; /* 0 NaN is NaN */
    if (is_power_of_two(a)) return in_unit(scaled(b, a.v), u);
    if (is_power_of_two(b)) return in_unit(scaled(a, b.v), u);
    if (is_whole(a) && is_whole(b) && a.s * b.s <= 0x1p24) return (T){v, 0, a.s * b.s, 0, u};
    if (u <= 0) return constant_term(v, a.s * b.s, roundings_of(a) + roundings_of(b) + 1);
    a = in_unit(a, u), b = in_unit(b, u);
    double from_a = error_of(a), from_b = error_of(b);
    return term(v, fabs(a.v) * from_b + fabs(b.v) * from_a + from_a * from_b, 1, u);
}
static inline T DIV(T a, T b) {
    double v = a.v / b.v, u = larger(a.u, b.u);
    if (is_power_of_two(b)) return in_unit(scaled(a, 1 / b.v), u);
    if (u <= 0)
        return constant_term(v, a.s / fabs(b.v) * (b.s / least_distance(b, 0)),
                             roundings_of(a) + roundings_of(b) + 1);
    a = in_unit(a, u), b = in_unit(b, u);
    double from_b = error_of(b), least = fabs(b.v) - from_b;
    return term(v, least > 0 ? (error_of(a) + fabs(v) * from_b) / least : HUGE_VAL, 1, u);
}
static inline T RATIO(int64_t num, int64_t den) {
    return DIV(FROM_INT(num), FROM_INT(den));
}
/* e^(v + error) - e^v; of a large error, where the product would be 0 infinity, e^(v + error). */
static inline double exp_error(double v, double error) {
    return error < 1 ? exp(v) * expm1(error) : exp(v + error);
}
/* One more rounding of a constant for what is of second order. */
static inline T EXP(T a) {
    double v = exp(a.v);
    if (a.u <= 0) return constant_term(v, 0, roundings_of(a) * larger(1, a.s) + LIBRARY + 1);
    return term(v, exp_error(a.v, error_of(a)), LIBRARY, a.u);
}
static inline T LOG(T a) {
    double v = log(a.v), error = error_of(a);
    if (a.u <= 0)
        return constant_term(v, rounded_part(a) / least_distance(a, 0), roundings_of(a) + LIBRARY);
    return term(v, a.v > error ? error / (a.v - error) : HUGE_VAL, LIBRARY, a.u);
}
static inline T LOG1P(T a) {
    double v = log1p(a.v), error = error_of(a), least = 1 + a.v - error;
    if (a.u <= 0)
        return constant_term(v, rounded_part(a) / least_distance(a, -1), roundings_of(a) + LIBRARY);
    return term(v, least > 0 ? error / least : HUGE_VAL, LIBRARY, a.u);
}
static inline T SQRT(T a) {
    double v = sqrt(a.v), error = error_of(a);
    if (a.u <= 0) return constant_term(v, a.n > 0 ? a.s / v : 0, roundings_of(a) + 1);
    return term(v, a.v > error ? error / sqrt(a.v) : sqrt(fabs(a.v) + error), 1, a.u);
}
/* tanh' = 1 - tanh^2, and tanh'' is below 0.8; at distance d from 0 tanh' is below 4 e^(-2 d). */
static inline T TANH(T a) {
    double v = tanh(a.v), error = rounding_error(a, rounding_unit(a));
    double near = fmin(1, 1 - v * v + 0.8 * error), far = 4 * exp(-2 * least_distance(a, 0));
    double slope = fmin(near, far);
    if (a.u <= 0) return constant_term(v, slope * rounded_part(a), roundings_of(a) + LIBRARY);
    return term(v, error > 0 ? slope * error : 0, LIBRARY, a.u);
}
/* A function between -1 and 1 whose slope is at most so much within the error of a. */
static inline T of_slope(T a, double v, double slope) {
    double error = error_of(a);
    if (a.u <= 0) return constant_term(v, slope * rounded_part(a), roundings_of(a) + LIBRARY);
    return term(v, error > 0 ? fmin(slope * error, 1 + fabs(v)) : 0, LIBRARY, a.u);
}
static inline T SIN(T a) {
    double error = rounding_error(a, rounding_unit(a));
    return of_slope(a, sin(a.v), fmin(1, fabs(cos(a.v)) + error));
}
static inline T COS(T a) {
    double error = rounding_error(a, rounding_unit(a));
    return of_slope(a, cos(a.v), fmin(1, fabs(sin(a.v)) + error));
}
static inline T ERF(T a) {
    double least = least_distance(a, 0);
    return of_slope(a, erf(a.v), 1.1284 * exp(-least * least));
}
static inline T EXPM1(T a) {
    double v = expm1(a.v);
    if (a.u > 0) return term(v, exp_error(a.v, error_of(a)), LIBRARY, a.u);
    double error = rounding_error(a, rounding_unit(a));
    return constant_term(v, exp(a.v + error) * rounded_part(a), roundings_of(a) + LIBRARY);
}
#include "kernels/power.h"
/* Other code may multiply where the exponent is whole: as many roundings. The error of constants is
 * what float brings. */
static inline T POW(T a, T b) {
    double v = pow(a.v, b.v), u = larger(a.u, b.u);
    if (is_exact(b) && fabs(b.v) <= 0) return in_unit(FROM_INT(1), u);
    if (is_exact(b) && fabs(b.v - 1) <= 0) return in_unit(a, u);
    if (is_exact(b) && fabs(b.v - 2) <= 0) return in_unit(MUL(a, a), u);
    double roundings = fmax(LIBRARY, fabs(b.v)), in = u > 0 ? u : 0x1p-24;
    double brought = power_error(a.v, rounding_error(a, in), b.v, rounding_error(b, in));
    if (u <= 0) return constant_term(v, fabs(v) + brought / (in * roundings), roundings + 1);
    return term(v, brought, roundings, u);
}
static inline T SHIFT(T largest) {
    return largest;
}
static inline int LESS(T a, T b) {
    return a.v < b.v;
}
static inline int NEARER(T a, T b) {
    return a.v - error_of(a) < b.v - error_of(b);
}
/* Both sides may be off: other code, and v here, which is in double. The last addition, or the
 * rounding of one number, turns no sign: exact numbers are compared exactly. */
static inline int MAY_TURN(T distance) {
    double u = rounding_unit(distance);
    distance.n = larger(distance.n - 1, 0);
    double error = rounding_error(distance, u) * (1 + 0x1p-53 / u);
    return !(error <= 0) && !(fabs(distance.v) > error);
}
/* The parts of one or of the other, whichever is worse. Constants between which an element decides
 * are constants no more: what they are multiplied with must see e. */
static inline T EITHER(T chosen, T other) {
    double far = fabs(chosen.v - other.v) + other.e, u = larger(chosen.u, other.u);
    if (isnan(chosen.e)) far = chosen.e;
    return (T){chosen.v, far <= chosen.e ? chosen.e : far, larger(chosen.s, other.s),
               larger(fabs(chosen.n), fabs(other.n)), u > 0 ? u : rounding_unit(chosen)};
}
static inline int IS_NAN(T a) {
    return isnan(a.v);
}
static inline int IS_ZERO(T a) {
    return is_zero(a);
}

#endif
