/*
 * The words of a scalar type that has bounds, as a table; for bounds_bound.c and
 * bounds_rounding.c, which say first what T is. A check counts and asserts nothing, so that words
 * with a planted fault can be handed to it.
 */
#ifndef SPOR_TESTS_BOUNDS_WORDS_H
#define SPOR_TESTS_BOUNDS_WORDS_H

#include "bounds_tally.h"

enum { OF_ADD, OF_SUB, OF_MUL, OF_DIV, OF_POW, OF_TWO };
enum {
    OF_NEG,
    OF_EXP,
    OF_LOG,
    OF_LOG1P,
    OF_SQRT,
    OF_TANH,
    OF_ERF,
    OF_SIN,
    OF_COS,
    OF_EXPM1,
    OF_ONE
};

typedef struct {
    T (*two[OF_TWO])(T, T);
    T (*one[OF_ONE])(T);
    T (*either)(T, T);
    int (*may_turn)(T);
} words;

static const words right = {
    .two = {ADD, SUB, MUL, DIV, POW},
    .one = {NEG, EXP, LOG, LOG1P, SQRT, TANH, ERF, SIN, COS, EXPM1},
    .either = EITHER,
    .may_turn = MAY_TURN,
};

/* What they compute. */
typedef exact truth_of_two(exact, exact);
typedef exact truth_of_one(exact);
static truth_of_two *const truth_two[OF_TWO] = {exact_add, exact_sub, exact_mul, exact_div,
                                                exact_pow};
static truth_of_one *const truth_one[OF_ONE] = {exact_neg,  exact_exp,  exact_log, exact_log1p,
                                                exact_sqrt, exact_tanh, exact_erf, exact_sin,
                                                exact_cos,  exact_expm1};

/* The right words, but for those that a fault has. */
static words with_fault(const words *fault) {
    words w = right;
    for (int k = 0; k < OF_TWO; k++)
        if (fault->two[k]) w.two[k] = fault->two[k];
    for (int k = 0; k < OF_ONE; k++)
        if (fault->one[k]) w.one[k] = fault->one[k];
    if (fault->either) w.either = fault->either;
    if (fault->may_turn) w.may_turn = fault->may_turn;
    return w;
}

/* Numbers of many kinds: small integers, reals, powers of two, large means, near 1, wide. */
static double draw_number(uint64_t bits) {
    double u = 2 * (double)(bits >> 11) * 0x1p-53 - 1;
    int wide = (int)(bits >> 8 & 63) - 32;
    switch (bits & 7) {
    case 0:
        return (double)((int64_t)(bits >> 8) % 17 - 8);
    case 1:
        return ldexp(u < 0 ? -1 : 1, wide / 4);
    case 2:
        return 1e5 + u;
    case 3:
        return 1 + ldexp(u, wide < 0 ? wide : -wide - 1);
    case 4:
        return ldexp(u, wide);
    case 5:
        return ldexp(u, 4 * wide);
    case 6:
        return floor(ldexp(u, 20 + wide / 4));
    default:
        return 2 * u;
    }
}

/* Into the domain of a word. */
static double into_domain(int word, double v) {
    if (word == OF_EXP || word == OF_EXPM1) return fmod(v, 600);
    if (word == OF_LOG || word == OF_SQRT) return fabs(v);
    return word == OF_LOG1P && v <= -1 ? -v : v;
}
/* Operands of a power: small exponents, every other one whole; of the others bases that are positive. */
static void into_powers(T *a, T *b, uint64_t seed) {
    b->v = fmod(b->v, 6);
    if (seed % 2)
        b->v = floor(b->v);
    else
        a->v = fabs(a->v);
}

/* Powers that there are: of negative numbers only some, and none that overflow. */
static bool has_value(int word, exact t) {
    return word != OF_POW || (isfinite(t.hi) && fabs(t.hi) < 0x1p900);
}

#endif
