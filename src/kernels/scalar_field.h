/*
 * The words of scalar.h over a residue modulo a prime, with a companion: a double and its error
 * bound at a point of its own, which decides branches. What is known of the residue is known where
 * the companion is far enough from poles, from the ends of domains and from ties: elsewhere, and of
 * numbers that are no dyadic fractions, the element is unknown. kernels/field.h has the residues,
 * verify/field.c says what they are for.
 */
#ifndef SPOR_KERNELS_SCALAR_FIELD_H
#define SPOR_KERNELS_SCALAR_FIELD_H

#include "kernels/field.h"

/* The companion is an element of scalar_bound.h, whose words have other names here. */
#define T companion
#define FROM_REAL companion_from_real
#define KNOWN_TO companion_known_to
#define VALUE companion_value
#define FROM_INT companion_from_int
#define ADD companion_add
#define NEG companion_neg
#define SUB companion_sub
#define MUL companion_mul
#define DIV companion_div
#define RATIO companion_ratio
#define EXP companion_exp
#define LOG companion_log
#define LOG1P companion_log1p
#define SQRT companion_sqrt
#define TANH companion_tanh
#define ERF companion_erf
#define SIN companion_sin
#define COS companion_cos
#define EXPM1 companion_expm1
#define POW companion_pow
#define SHIFT companion_shift
#define LESS companion_less
#define NEARER companion_nearer
#define MAY_TURN companion_may_turn
#define EITHER companion_either
#define IS_NAN companion_is_nan
#define IS_ZERO companion_is_zero
#include "kernels/scalar_bound.h"
#undef T
#undef SCALAR_TEXT
#undef FROM_REAL
#undef KNOWN_TO
#undef VALUE
#undef FROM_INT
#undef ADD
#undef NEG
#undef SUB
#undef MUL
#undef DIV
#undef RATIO
#undef EXP
#undef LOG
#undef LOG1P
#undef SQRT
#undef TANH
#undef ERF
#undef SIN
#undef COS
#undef EXPM1
#undef POW
#undef SHIFT
#undef LESS
#undef NEARER
#undef MAY_TURN
#undef EITHER
#undef IS_NAN
#undef IS_ZERO

typedef field_element T;
#define SCALAR_TEXT "residue with a double and its error bound"

static inline companion companion_of(T a) {
    return (companion){a.v, a.e};
}
/* An element of both parts; unknown where the companion has no finite bound, as near a pole. */
static inline T joined(field_part f, companion c) {
    if (!isfinite(c.v) || !isfinite(c.e)) f = field_unknown();
    return (T){f, c.v, c.e};
}
static inline T FROM_REAL(double r) {
    return joined(field_dyadic(r), companion_from_real(r));
}
static inline T KNOWN_TO(double r, double error) {
    field_part f = error > 0 ? field_rounded() : field_dyadic(r);
    return joined(f, companion_known_to(r, error));
}
static inline double VALUE(T a) {
    return a.v;
}
static inline T FROM_INT(int64_t i) {
    return joined(field_integer(i), companion_from_int(i));
}
static inline T ADD(T a, T b) {
    return joined(field_add(a.f, b.f), companion_add(companion_of(a), companion_of(b)));
}
static inline T NEG(T a) {
    return joined(field_negative(a.f), companion_neg(companion_of(a)));
}
static inline T SUB(T a, T b) {
    return ADD(a, NEG(b));
}
static inline T MUL(T a, T b) {
    return joined(field_multiply(a.f, b.f), companion_mul(companion_of(a), companion_of(b)));
}
static inline T DIV(T a, T b) {
    return joined(field_divide(a.f, b.f), companion_div(companion_of(a), companion_of(b)));
}
static inline T RATIO(int64_t num, int64_t den) {
    return DIV(FROM_INT(num), FROM_INT(den));
}
static inline T EXP(T a) {
    return joined(field_exp(a.f), companion_exp(companion_of(a)));
}
static inline T LOG(T a) {
    return joined(field_log(a.f), companion_log(companion_of(a)));
}
static inline T LOG1P(T a) {
    field_part one = field_integer(1);
    return joined(field_log(field_add(one, a.f)), companion_log1p(companion_of(a)));
}
/* The root of a number that is a square is a number. Near 0 a bound is finite, but not below. */
static inline T SQRT(T a) {
    companion root = companion_sqrt(companion_of(a));
    if (a.f.constant && a.e <= 0 && root.e <= 0) return joined(field_dyadic(root.v), root);
    return joined(a.v - a.e > 0 ? field_sqrt(a.f) : field_unknown(), root);
}
static inline T TANH(T a) {
    return joined(field_tanh(a.f), companion_tanh(companion_of(a)));
}
static inline T ERF(T a) {
    return joined(field_erf(a.f), companion_erf(companion_of(a)));
}
static inline T SIN(T a) {
    return joined(field_sin(a.f), companion_sin(companion_of(a)));
}
static inline T COS(T a) {
    return joined(field_cos(a.f), companion_cos(companion_of(a)));
}
static inline T EXPM1(T a) {
    field_part less = field_negative(field_integer(1));
    return joined(field_add(field_exp(a.f), less), companion_expm1(companion_of(a)));
}
/* Products of a number of factors; x^(n + 1/2) by the root; else E(y L(x)), of x > 0. */
static inline T POW(T a, T b) {
    enum { FACTORS = 64 };
    companion power = companion_pow(companion_of(a), companion_of(b));
    bool whole = b.f.constant && b.e <= 0 && fabs(b.v) <= FACTORS && fabs(b.v - floor(b.v)) <= 0;
    if (whole) return joined(field_power_of(a.f, (int)b.v), power);
    if (!(a.v - a.e > 0)) return joined(field_unknown(), power);
    bool half =
        b.f.constant && b.e <= 0 && fabs(b.v) <= FACTORS && fabs(2 * b.v - floor(2 * b.v)) <= 0;
    if (!half) return joined(field_exp(field_multiply(b.f, field_log(a.f))), power);
    return joined(field_multiply(field_sqrt(a.f), field_power_of(a.f, (int)floor(b.v))), power);
}
/* Residues do not overflow: only companions are shifted. */
static inline T SHIFT(T largest) {
    return (T){field_integer(0), largest.v, largest.e};
}
static inline int LESS(T a, T b) {
    return field_compare(&a, &b) != FIELD_SAME && companion_less(companion_of(a), companion_of(b));
}
static inline int NEARER(T a, T b) {
    return field_compare(&a, &b) != FIELD_SAME &&
           companion_nearer(companion_of(a), companion_of(b));
}
/* LESS has told the run. */
static inline int MAY_TURN(T distance) {
    (void)distance;
    return 0;
}
static inline T EITHER(T chosen, T other) {
    (void)other;
    return chosen;
}
static inline int IS_NAN(T a) {
    return isnan(a.v);
}
/* Zero at this point is not yet zero: that is for the residue to say. */
static inline int IS_ZERO(T a) {
    return companion_is_zero(companion_of(a)) && (!a.f.known || field_is_zero(a.f));
}

#endif
