/*
 * The words of scalar.h over a double that knows by how much code of a coarser arithmetic is off
 * when it computes the same: in four runs, each of which rounds its own way (Monte Carlo
 * arithmetic). Beside v an element carries d[k], the error of run k to first order, in units of the
 * roundoff u. Each operation adds about 0.4 units of its result to it, up or down as a hash of
 * the result says: the root mean square of what rounding to nearest does. What is used twice
 * brings the same error twice, so that errors cancel or add up as they do in a real run. Another
 * order of a sum changes which roundings meet, not how large they are: four draws of them stand for
 * four orders.
 *
 * m is the running magnitude of the terms, what an error is measured by: of a sum it is the sum of
 * m, whatever the order, of a product |a| m_b + |b| m_a - |a b|. What a function gives has at least
 * the magnitude 1: other algebra comes to the same value by way of numbers of that size, 1 - e^-y
 * to e^x / (1 + e^x).
 *
 * A result of + - * that a float holds has not been rounded.
 */
#ifndef SPOR_KERNELS_SCALAR_SAMPLED_H
#define SPOR_KERNELS_SCALAR_SAMPLED_H

#include <string.h>

#include "kernels/sampled.h"

typedef sampled T;
#define SCALAR_TEXT "double with the errors of four runs"

/* A branch is in doubt where the distance that decides it is below this times its error in float:
 * then what is chosen may be the other, an error that must count as one. */
static const double sampled_doubt = 0x1p-21, sampled_turned = 0x1p26;

/* Of several sizes, about 0.4 in root mean square: the errors of few operations must not add up to 0
 * in all runs. */
#define SIZE(i, k) (.2F + .025F * (float)(((i)*7 + (k)*5) % 16))
#define SIGNED(i, k) ((i) >> (k)&1 ? SIZE(i, k) : -SIZE(i, k))
#define DRAW(i) [i] = {SIGNED(i, 0), SIGNED(i, 1), SIGNED(i, 2), SIGNED(i, 3)}
static const float sampled_draw[1 << SAMPLES][SAMPLES] = {
    DRAW(0), DRAW(1), DRAW(2),  DRAW(3),  DRAW(4),  DRAW(5),  DRAW(6),  DRAW(7),
    DRAW(8), DRAW(9), DRAW(10), DRAW(11), DRAW(12), DRAW(13), DRAW(14), DRAW(15)};
#undef DRAW
#undef SIGNED
#undef SIZE

static inline uint64_t bits_of(double v) {
    uint64_t bits;
    memcpy(&bits, &v, sizeof bits);
    return bits;
}
/* 29 of the 52 bits are beyond a float; its range is no matter here. */
static inline int held_by_float(double v) {
    return !(bits_of(v) & 0x1fffffff);
}
static inline int is_power_of_two(double v) {
    return !(bits_of(v) & 0xfffffffffffff);
}
/* So many units of v more or less in each run: four bits of a hash of v say which. */
static inline T rounded(T a) {
    enum { HASHED_BITS = 60 }; /* and the four above them are the draw */
    const float *draw = sampled_draw[bits_of(a.v) * 0x9e3779b97f4a7c15 >> HASHED_BITS];
    for (int k = 0; k < SAMPLES; k++) a.d[k] += draw[k] * (float)a.v;
    return a;
}
static inline T rounded_unless_held(T a) {
    return held_by_float(a.v) ? a : rounded(a);
}
/* f(a) with f'(a) = slope. */
static inline T function(double v, double slope, T a) {
    double least = fabs(v);
    T f = {v, (least > 1 ? least : 1) + fabs(slope) * a.m, {0}};
    for (int k = 0; k < SAMPLES; k++) f.d[k] = (float)slope * a.d[k];
    return rounded(f);
}

static inline T FROM_REAL(double r) {
    return sampled_plain(r, held_by_float(r));
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
    T z = {-a.v, a.m, {0}};
    for (int k = 0; k < SAMPLES; k++) z.d[k] = -a.d[k];
    return z;
}
static inline T ADD(T a, T b) {
    int sums = a.m > fabs(a.v) || b.m > fabs(b.v);
    T sum = {a.v + b.v, (a.m + b.m) * (1 + (1 + sums) * sampled_summed), {0}};
    if (a.m <= 0) return b;
    if (b.m <= 0) return a;
    for (int k = 0; k < SAMPLES; k++) sum.d[k] = a.d[k] + b.d[k];
    return rounded_unless_held(sum);
}
static inline T SUB(T a, T b) {
    return ADD(a, NEG(b));
}
static inline T MUL(T a, T b) {
    T z = {a.v * b.v, fabs(a.v) * b.m + fabs(b.v) * (a.m - fabs(a.v)), {0}};
    for (int k = 0; k < SAMPLES; k++) z.d[k] = (float)a.v * b.d[k] + (float)b.v * a.d[k];
    return rounded_unless_held(z);
}
static inline T DIV(T a, T b) {
    double v = a.v / b.v;
    T z = {v, (a.m + fabs(v) * b.m) / fabs(b.v), {0}};
    for (int k = 0; k < SAMPLES; k++) z.d[k] = (a.d[k] - (float)v * b.d[k]) / (float)b.v;
    return is_power_of_two(b.v) ? z : rounded(z);
}
static inline T RATIO(int64_t num, int64_t den) {
    return DIV(FROM_INT(num), FROM_INT(den));
}
static inline T EXP(T a) {
    double v = exp(a.v);
    return function(v, v, a);
}
static inline T LOG(T a) {
    return function(log(a.v), 1 / a.v, a);
}
static inline T LOG1P(T a) {
    return function(log1p(a.v), 1 / (1 + a.v), a);
}
static inline T SQRT(T a) {
    double v = sqrt(a.v);
    if (a.m <= 0) return a;
    T root = function(v, 1 / (2 * v), a);
    root.m = v + a.m / (2 * v);
    return root;
}
static inline T TANH(T a) {
    double v = tanh(a.v);
    return function(v, 1 - v * v, a);
}
static inline T ERF(T a) {
    const double two_by_root_pi = 0x1.20dd750429b6dp+0;
    return function(erf(a.v), two_by_root_pi * exp(-a.v * a.v), a);
}
static inline T SIN(T a) {
    return function(sin(a.v), cos(a.v), a);
}
static inline T COS(T a) {
    return function(cos(a.v), -sin(a.v), a);
}
static inline T EXPM1(T a) {
    return function(expm1(a.v), exp(a.v), a);
}
/* By both slopes; one that no error meets may be infinite. */
static inline T POW(T a, T b) {
    double v = pow(a.v, b.v), of_a = fabs(b.v) > 0 ? b.v * pow(a.v, b.v - 1) : 0;
    double of_b = sampled_error(&b) > 0 && fabs(v) > 0 ? v * log(a.v) : 0;
    if (!(a.m > 0)) of_a = 0;
    T z = {v, fmax(1, fabs(v)) + fabs(of_a) * a.m + fabs(of_b) * b.m, {0}};
    for (int k = 0; k < SAMPLES; k++) z.d[k] = (float)of_a * a.d[k] + (float)of_b * b.d[k];
    return rounded(z);
}
static inline T SHIFT(T largest) {
    return largest;
}
static inline int LESS(T a, T b) {
    return a.v < b.v;
}
static inline int NEARER(T a, T b) {
    return a.v < b.v;
}
static inline int MAY_TURN(T distance) {
    return fabs(distance.v) < sampled_doubt * sampled_error(&distance);
}
static inline T EITHER(T chosen, T other) {
    chosen.m += sampled_turned * fabs(chosen.v - other.v);
    return chosen;
}
static inline int IS_NAN(T a) {
    return isnan(a.v);
}
static inline int IS_ZERO(T a) {
    return fabs(a.v) <= 0 && sampled_error(&a) <= 0;
}

#endif
