/*
 * The field promotes what is right over the reals, and nothing else: equations that are false, true
 * on some branches only, or beyond its laws, are never an identity, and it accuses none of them.
 */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>
#include <spor/verify.h>
#include "kernels/field.h"
#include "tape/op.h"

/* ---- equations of x and y, [2] each ---------------------------------------------------------- */

typedef struct {
    spor_var left, right;
} sides;

typedef sides equation(spor_var x, spor_var y);

static spor_var number(spor_var like, int64_t num, int64_t den) {
    return spor_broadcast(spor_ratio(like.tape, num, den), spor_shape_of(like));
}

static spor_var times(spor_var x, int64_t num, int64_t den) {
    return spor_mul(x, number(x, num, den));
}

static spor_var plus(spor_var x, int64_t num, int64_t den) {
    return spor_add(x, number(x, num, den));
}

static spor_var square(spor_var x) {
    return spor_mul(x, x);
}

static spor_var inverse(spor_var x) {
    return spor_div(number(x, 1, 1), x);
}

static spor_var real(spor_var like, double value, double error) {
    return spor_broadcast(op_constant(like.tape, value, error), spor_shape_of(like));
}

/* ---- right, and to be promoted ---- */

static sides binomial(spor_var x, spor_var y) {
    spor_var middle = times(spor_mul(x, y), 2, 1);
    return (sides){square(spor_add(x, y)), spor_add(spor_add(square(x), middle), square(y))};
}
static sides quotients(spor_var x, spor_var y) {
    spor_var sum = spor_add(inverse(x), inverse(y));
    return (sides){sum, spor_div(spor_add(x, y), spor_mul(x, y))};
}
static sides exp_of_minus(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_exp(spor_neg(x))), spor_div(y, spor_exp(x))};
}
static sides exp_of_sum(spor_var x, spor_var y) {
    return (sides){spor_exp(spor_add(x, y)), spor_mul(spor_exp(x), spor_exp(y))};
}
static sides exp_of_log(spor_var x, spor_var y) {
    return (sides){spor_exp(spor_neg(spor_log(x))), spor_div(y, spor_mul(x, y))};
}
static sides log_of_exp(spor_var x, spor_var y) {
    return (sides){spor_log(spor_exp(spor_mul(x, y))), spor_mul(y, x)};
}
static sides log_of_inverse(spor_var x, spor_var y) {
    return (sides){spor_log(spor_div(y, x)), spor_neg(spor_log(spor_div(x, y)))};
}
static sides tanh_by_exp(spor_var x, spor_var y) {
    spor_var a = spor_exp(x), b = spor_exp(spor_neg(x));
    (void)y;
    return (sides){spor_div(spor_sub(a, b), spor_add(a, b)), spor_tanh(x)};
}
static sides sigmoid_of_minus(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_sigmoid(spor_neg(x))),
                   spor_sub(y, spor_mul(y, spor_sigmoid(x)))};
}
static sides silu_slope(spor_var x, spor_var y) {
    spor_var s = spor_sigmoid(x), d;
    spor_vjp(spor_mul(x, s), y, 1, &x, &d);
    return (sides){spor_mul(spor_mul(y, x), spor_mul(s, spor_sub(number(x, 1, 1), s))),
                   spor_sub(d, spor_mul(y, s))};
}
static sides softplus_slope(spor_var x, spor_var y) {
    spor_var d;
    spor_vjp(spor_log(plus(spor_exp(x), 1, 1)), y, 1, &x, &d);
    return (sides){spor_mul(y, spor_sigmoid(x)), d};
}
static sides product_rule(spor_var x, spor_var y) {
    spor_var f = spor_exp(square(x)), g = spor_tanh(x), d, df, dg;
    spor_vjp(spor_mul(f, g), y, 1, &x, &d);
    spor_vjp(f, spor_mul(y, g), 1, &x, &df);
    spor_vjp(g, spor_mul(y, f), 1, &x, &dg);
    return (sides){spor_add(df, dg), d};
}
static sides softmax_by_exp(spor_var x, spor_var y) {
    spor_var e = spor_exp(spor_add(x, y)), sum = spor_sum(e, SPOR_AXIS(0));
    return (sides){spor_div(e, spor_broadcast(sum, spor_shape_of(x))),
                   spor_softmax(spor_add(x, y), 0)};
}
static sides softmax_slope(spor_var x, spor_var y) {
    spor_var p = spor_softmax(x, 0), d, mean = spor_sum(spor_mul(p, y), SPOR_AXIS(0));
    spor_vjp(p, y, 1, &x, &d);
    return (sides){spor_mul(p, spor_sub(y, spor_broadcast(mean, spor_shape_of(x)))), d};
}
static sides log_softmax_slope(spor_var x, spor_var y) {
    spor_var z = spor_log_softmax(x, 0), d;
    spor_var sum = spor_broadcast(spor_sum(y, SPOR_AXIS(0)), spor_shape_of(x));
    spor_vjp(z, y, 1, &x, &d);
    return (sides){spor_sub(y, spor_mul(spor_exp(z), sum)), d};
}
static spor_var sum_of_squares(spor_var x) {
    return spor_add(square(spor_sin(x)), square(spor_cos(x)));
}
static sides circle(spor_var x, spor_var y) {
    return (sides){spor_mul(y, sum_of_squares(spor_mul(x, y))), y};
}
static sides sin_of_sum(spor_var x, spor_var y) {
    return (sides){spor_sin(spor_sub(x, y)), spor_sub(spor_mul(spor_sin(x), spor_cos(y)),
                                                      spor_mul(spor_cos(x), spor_sin(y)))};
}
static sides sin_of_twice(spor_var x, spor_var y) {
    spor_var sine = spor_sin(x), angle = spor_sin(times(x, 2, 1));
    return (sides){spor_mul(y, angle), spor_mul(y, times(spor_mul(sine, spor_cos(x)), 2, 1))};
}
static sides erf_is_odd(spor_var x, spor_var y) {
    return (sides){spor_erf(spor_sub(x, y)), spor_neg(spor_erf(spor_sub(y, x)))};
}
static sides expm1_by_exp(spor_var x, spor_var y) {
    return (sides){spor_expm1(spor_add(x, y)), plus(spor_mul(spor_exp(x), spor_exp(y)), -1, 1)};
}
static sides log1p_by_log(spor_var x, spor_var y) {
    return (sides){spor_log1p(spor_mul(x, y)), spor_log(plus(spor_mul(x, y), 1, 1))};
}
static sides cube_by_pow(spor_var x, spor_var y) {
    return (sides){spor_pow(spor_sub(x, y), number(x, 3, 1)),
                   spor_mul(square(spor_sub(x, y)), spor_sub(x, y))};
}
static sides root_by_pow(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_pow(x, number(x, -1, 2))), spor_div(y, spor_sqrt(x))};
}
static sides pow_by_exp(spor_var x, spor_var y) {
    return (sides){spor_pow(x, y), spor_exp(spor_mul(y, spor_log(x)))};
}
static sides pow_less_one(spor_var x, spor_var y) {
    return (sides){spor_mul(x, spor_pow(x, plus(y, -1, 1))), spor_pow(x, y)};
}
static sides sin_for_cos(spor_var x, spor_var y) {
    return (sides){spor_sin(spor_add(x, y)), spor_cos(spor_add(x, y))};
}
static sides sin_is_even(spor_var x, spor_var y) {
    return (sides){spor_sin(spor_sub(x, y)), spor_sin(spor_sub(y, x))};
}
static sides erf_for_tanh(spor_var x, spor_var y) {
    (void)y;
    return (sides){spor_erf(x), spor_tanh(x)};
}
static sides wrong_exponent(spor_var x, spor_var y) {
    return (sides){spor_pow(x, plus(y, 1, 1024)), spor_pow(x, y)};
}
static sides pow_of_square(spor_var x, spor_var y) {
    return (sides){spor_pow(square(x), number(x, 1, 2)), spor_sub(spor_add(x, y), y)};
}
static sides logsumexp_by_log(spor_var x, spor_var y) {
    (void)y;
    return (sides){spor_log(spor_sum(spor_exp(x), SPOR_AXIS(0))), spor_logsumexp(x, 0)};
}
static sides square_of_root(spor_var x, spor_var y) {
    return (sides){square(spor_sqrt(spor_add(x, y))), spor_add(y, x)};
}
static sides root_of_inverse(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_sqrt(inverse(x))), spor_div(y, spor_sqrt(x))};
}
static sides root_within_root(spor_var x, spor_var y) {
    spor_var r = spor_sqrt(spor_add(x, spor_sqrt(x)));
    return (sides){spor_mul(y, square(r)), spor_mul(y, spor_add(spor_sqrt(x), x))};
}
static sides root_of_number(spor_var x, spor_var y) {
    return (sides){spor_mul(x, spor_sqrt(number(x, 9, 4))),
                   spor_add(x, times(spor_add(x, spor_sub(y, y)), 1, 2))};
}
static sides root_of_two(spor_var x, spor_var y) {
    spor_var r = spor_mul(x, spor_sqrt(number(x, 2, 1)));
    return (sides){spor_mul(y, square(r)), times(spor_mul(y, square(x)), 2, 1)};
}
static sides dyadic(spor_var x, spor_var y) {
    return (sides){spor_mul(spor_add(x, y), real(x, 0.375, 0)),
                   spor_add(times(x, 3, 8), times(y, 3, 8))};
}
static sides thirds(spor_var x, spor_var y) {
    return (sides){spor_add(times(x, 1, 3), times(x, 2, 3)), spor_sub(spor_add(x, y), y)};
}

/* ---- false, on some branches or everywhere ---- */

static sides root_of_square(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_sqrt(square(x))), spor_mul(y, x)};
}
static sides root_of_twice_a_square(spor_var x, spor_var y) {
    spor_var root_of_two = spor_sqrt(number(x, 2, 1));
    return (sides){spor_mul(y, spor_sqrt(times(square(x), 2, 1))),
                   spor_mul(y, spor_mul(x, root_of_two))};
}
static sides root_of_a_square_of_root(spor_var x, spor_var y) {
    spor_var r = plus(spor_sqrt(x), -4, 1), u = plus(spor_sub(x, times(spor_sqrt(x), 8, 1)), 16, 1);
    return (sides){spor_mul(y, spor_sqrt(u)), spor_mul(y, r)};
}
static sides minus_product_of_roots(spor_var x, spor_var y) {
    return (sides){spor_neg(spor_mul(spor_sqrt(x), spor_sqrt(y))), spor_sqrt(spor_mul(x, y))};
}
static sides minus_root(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_sqrt(x)), spor_neg(spor_mul(y, spor_sqrt(x)))};
}
static sides absolute_value(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_abs(x)), spor_mul(y, x)};
}
static sides leaky_for_plain(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_relu(x)), spor_mul(y, spor_leaky_relu(x, 0.5))};
}
static sides wrong_sigmoid(spor_var x, spor_var y) {
    spor_var d;
    spor_vjp(spor_log(plus(spor_exp(x), 1, 1)), y, 1, &x, &d);
    return (sides){spor_mul(y, spor_sigmoid(times(x, 1025, 1024))), d};
}
static sides wrong_constant(spor_var x, spor_var y) {
    int64_t den = (int64_t)1 << 60;
    return (sides){spor_mul(y, times(x, den + 1, den)), spor_mul(y, x)};
}
static sides wrong_double(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_mul(x, real(x, 0.1, 0))), spor_mul(y, times(x, 1, 10))};
}
static sides wrong_sign(spor_var x, spor_var y) {
    return (sides){spor_tanh(spor_sub(x, y)), spor_tanh(spor_sub(y, x))};
}
static sides wrong_power(spor_var x, spor_var y) {
    return (sides){spor_exp(spor_add(spor_add(x, x), y)), spor_mul(spor_exp(x), spor_exp(y))};
}
static sides log_of_square(spor_var x, spor_var y) {
    return (sides){spor_mul(y, spor_log(square(x))), spor_mul(y, spor_log(x))};
}
static sides all_but_one_element(spor_var x, spor_var y) {
    const int64_t lo[] = {1}, hi[] = {0};
    spor_var one = spor_pad(spor_broadcast(spor_ratio(x.tape, 1, 1), SPOR_SHAPE(1)), lo, hi, 0);
    return (sides){spor_add(spor_mul(x, y), one), spor_mul(y, x)};
}
static sides no_mean_term(spor_var x, spor_var y) {
    spor_var p = spor_softmax(x, 0), d;
    spor_vjp(p, y, 1, &x, &d);
    return (sides){spor_mul(p, y), d};
}

/* ---- nothing may be claimed, and nobody accused ---- */

static sides at_a_pole(spor_var x, spor_var y) {
    spor_var nothing = spor_sub(spor_log(spor_mul(x, y)), spor_add(spor_log(x), spor_log(y)));
    return (sides){spor_div(nothing, nothing), spor_div(times(nothing, 1, 1), nothing)};
}
static sides root_of_nothing(spor_var x, spor_var y) {
    spor_var nothing = spor_sub(spor_log(spor_mul(x, y)), spor_add(spor_log(x), spor_log(y)));
    return (sides){spor_mul(y, square(spor_sqrt(nothing))), spor_mul(y, nothing)};
}
static sides larger_of_two(spor_var x, spor_var y) {
    return (sides){spor_maximum(x, y), spor_add(x, spor_sub(y, y))};
}
static sides rounded_number(spor_var x, spor_var y) {
    return (sides){spor_mul(spor_add(x, y), real(x, 0.1, 0x1p-57)),
                   spor_mul(spor_add(y, x), real(x, 0.1, 0x1p-57))};
}
static sides infinite(spor_var x, spor_var y) {
    return (sides){spor_div(y, real(x, HUGE_VAL, 0)),
                   spor_div(spor_mul(y, x), spor_mul(x, real(x, HUGE_VAL, 0)))};
}
static sides product_of_roots(spor_var x, spor_var y) {
    return (sides){spor_mul(spor_sqrt(x), spor_sqrt(y)), spor_sqrt(spor_mul(x, y))};
}
static sides shifted_softmax(spor_var x, spor_var y) {
    spor_var largest = spor_max(x, SPOR_AXIS(0)), shape = spor_mul(y, y);
    spor_var e = spor_exp(spor_sub(x, spor_broadcast(largest, spor_shape_of(shape))));
    spor_var sum = spor_broadcast(spor_sum(e, SPOR_AXIS(0)), spor_shape_of(x));
    return (sides){spor_mul(y, spor_div(e, sum)), spor_mul(y, spor_softmax(x, 0))};
}
static sides square_of_root_of_square(spor_var x, spor_var y) {
    return (sides){spor_mul(y, square(spor_sqrt(square(x)))), spor_mul(y, square(x))};
}
static sides log_of_product(spor_var x, spor_var y) {
    return (sides){spor_log(spor_mul(x, y)), spor_add(spor_log(x), spor_log(y))};
}
/* x^(2^60), x = 1: of such degree that no draw says anything. */
static sides high_degree(spor_var x, spor_var y) {
    spor_var left = spor_add(x, spor_sub(y, y)), right = spor_sub(spor_add(x, y), y);
    for (int k = 0; k < 60; k++) left = square(left), right = square(right);
    return (sides){left, right};
}

typedef enum { PROMOTED, NOT_SHOWN, NO_CLAIM, NOT_PROMOTED } expectation;

typedef struct {
    const char *name;
    equation *sides;
    expectation expected; /* NOT_PROMOTED: not shown, or no claim */
    double from, to;      /* of x and y */
} row;

#define ROW(name, from, to, expected)                                                              \
    { #name, name, expected, from, to }

static const row rows[] = {
    ROW(binomial, -4, 4, PROMOTED),
    ROW(quotients, -4, 4, PROMOTED),
    ROW(exp_of_minus, -4, 4, PROMOTED),
    ROW(exp_of_sum, -4, 4, PROMOTED),
    ROW(exp_of_log, 0.5, 4, PROMOTED),
    ROW(log_of_exp, -2, 2, PROMOTED),
    ROW(log_of_inverse, 0.5, 4, PROMOTED),
    ROW(tanh_by_exp, -4, 4, PROMOTED),
    ROW(sigmoid_of_minus, -4, 4, PROMOTED),
    ROW(silu_slope, -4, 4, PROMOTED),
    ROW(softplus_slope, -4, 4, PROMOTED),
    ROW(product_rule, -2, 2, PROMOTED),
    ROW(softmax_by_exp, -4, 4, PROMOTED),
    ROW(softmax_slope, -4, 4, PROMOTED),
    ROW(log_softmax_slope, -4, 4, PROMOTED),
    ROW(logsumexp_by_log, -4, 4, PROMOTED),
    ROW(circle, -4, 4, PROMOTED),
    ROW(sin_of_sum, -4, 4, PROMOTED),
    ROW(sin_of_twice, -4, 4, PROMOTED),
    ROW(erf_is_odd, -4, 4, PROMOTED),
    ROW(expm1_by_exp, -4, 4, PROMOTED),
    ROW(log1p_by_log, 0.5, 4, PROMOTED),
    ROW(cube_by_pow, -4, 4, PROMOTED),
    ROW(root_by_pow, 0.5, 4, PROMOTED),
    ROW(pow_by_exp, 0.5, 4, PROMOTED),
    ROW(pow_less_one, 0.5, 4, PROMOTED),
    ROW(sin_for_cos, -4, 4, NOT_SHOWN),
    ROW(sin_is_even, -4, 4, NOT_SHOWN),
    ROW(erf_for_tanh, -4, 4, NOT_SHOWN),
    ROW(wrong_exponent, 0.5, 4, NOT_SHOWN),
    ROW(pow_of_square, -4, 4, NOT_PROMOTED),
    ROW(square_of_root, 0.5, 4, PROMOTED),
    ROW(root_of_inverse, 0.5, 4, PROMOTED),
    ROW(root_within_root, 0.5, 4, PROMOTED),
    ROW(root_of_number, -4, 4, PROMOTED),
    ROW(root_of_two, -4, 4, PROMOTED),
    ROW(dyadic, -4, 4, PROMOTED),
    ROW(thirds, -4, 4, PROMOTED),
    ROW(absolute_value, 0.5, 4, PROMOTED), /* on the branch met */
    ROW(root_of_square, 0.5, 4, NOT_PROMOTED),
    ROW(root_of_square, -4, 4, NOT_PROMOTED),
    ROW(root_of_twice_a_square, 0.5, 4, NOT_PROMOTED),
    ROW(root_of_a_square_of_root, 17, 20, NOT_PROMOTED),
    ROW(minus_product_of_roots, 0.5, 4, NOT_PROMOTED),
    ROW(minus_root, 0.5, 4, NOT_SHOWN),
    ROW(absolute_value, -4, 4, NOT_SHOWN),
    ROW(leaky_for_plain, -4, 4, NOT_SHOWN),
    ROW(wrong_sigmoid, -4, 4, NOT_SHOWN),
    ROW(wrong_constant, -4, 4, NOT_SHOWN),
    ROW(wrong_double, -4, 4, NOT_SHOWN),
    ROW(wrong_sign, -4, 4, NOT_SHOWN),
    ROW(wrong_power, -4, 4, NOT_SHOWN),
    ROW(log_of_square, 0.5, 4, NOT_SHOWN),
    ROW(all_but_one_element, -4, 4, NOT_SHOWN),
    ROW(no_mean_term, -4, 4, NOT_SHOWN),
    ROW(at_a_pole, 0.5, 4, NO_CLAIM),
    ROW(root_of_nothing, 0.5, 4, NO_CLAIM),
    ROW(larger_of_two, 2, 2, NO_CLAIM), /* at a tie */
    ROW(larger_of_two, -4, 4, NOT_SHOWN),
    ROW(rounded_number, -4, 4, NO_CLAIM),
    ROW(infinite, 0.5, 4, NO_CLAIM),
    ROW(product_of_roots, 0.5, 4, NOT_PROMOTED),
    ROW(square_of_root_of_square, 0.5, 4, NO_CLAIM), /* right, but roots of squares are not told */
    ROW(log_of_product, 0.5, 4, NOT_SHOWN),
    ROW(high_degree, 1, 1, NO_CLAIM),
};

enum { ROWS = (int)(sizeof rows / sizeof *rows) };

static spor_recording record(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    const row *r = user;
    spor_shape shape = SPOR_SHAPE(2);
    (void)v;
    in->inputs = 2;
    for (int k = 0; k < 2; k++) {
        in->input[k] = spor_input(t, k ? "y" : "x", shape);
        in->range[k] = (spor_range){.kind = SPOR_RANGE_REALS, .from = r->from, .to = r->to};
    }
    sides s = r->sides(in->input[0], in->input[1]);
    in->pair[in->pairs++] =
        (spor_pair){.name = "left", .formula = s.left, .expected = s.right, .wrt = -1};
    return spor_error(t) ? SPOR_BROKEN : SPOR_RECORDED;
}

static const char *const outcomes[] = {"promoted", "not shown", "no claim", "not promoted"};

static expectation ask(const row *r, uint64_t seed, spor_answer *answer) {
    spor_statement statement = {.name = r->name, .record = record, .user = (void *)(uintptr_t)r};
    spor_effort effort = {.seed = seed};
    ck_assert(spor_ask_oracle(&statement, &(int64_t){0}, SPOR_BY_FIELD, &effort, answer));
    ck_assert_msg(answer->recording == SPOR_RECORDED, "%s: %s", r->name, answer->message);
    ck_assert_msg(!answer->caught, "%s was accused", r->name);
    ck_assert(answer->examined == (answer->identity || answer->not_shown));
    return answer->identity ? PROMOTED : answer->not_shown ? NOT_SHOWN : NO_CLAIM;
}

START_TEST(what_is_right_is_promoted_and_nothing_else) {
    const row *r = &rows[_i];
    for (uint64_t seed = 0; seed < 20; seed++) {
        spor_answer answer;
        expectation got = ask(r, seed, &answer);
        bool fits = r->expected == NOT_PROMOTED ? got != PROMOTED : got == r->expected;
        ck_assert_msg(fits, "%s is %s, seed %d", r->name, outcomes[got], (int)seed);
        if (got == PROMOTED) ck_assert(answer.chance > 0 && answer.chance <= 0x1p-66);
    }
}
END_TEST

/* Either an identity or no word about it, and floats agree. */
START_TEST(a_shifted_softmax_is_not_accused) {
    row r = ROW(shifted_softmax, -4, 4, NOT_PROMOTED);
    spor_statement statement = {.name = r.name, .record = record, .user = &r};
    spor_verdict v;
    ck_assert(spor_verify(&statement, NULL, &v));
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_ge(spor_verdict_rung(&v), SPOR_TESTED);
}
END_TEST

/* ---- constants made for a prime ---- */

static int64_t constant_of_prime;

static sides multiple_of_prime(spor_var x, spor_var y) {
    spor_var p = spor_ratio(x.tape, constant_of_prime, 1);
    spor_var px = spor_mul(spor_broadcast(p, spor_shape_of(x)), square(x));
    return (sides){spor_mul(y, px), spor_mul(y, spor_sub(px, px))};
}

START_TEST(multiples_of_a_prime_are_not_zero) {
    row r = ROW(multiple_of_prime, -4, 4, NOT_SHOWN);
    field_run *run = malloc(sizeof *run);
    ck_assert_ptr_nonnull(run);
    for (uint64_t key = 0; key < 32; key++) {
        spor_answer answer;
        field_begin(run, key);
        constant_of_prime = key ? (int64_t)run->prime : ((int64_t)1 << 61) - 1;
        ck_assert_int_eq(ask(&r, 0, &answer), NOT_SHOWN);
    }
    free(run);
}
END_TEST

/* ---- residues -------------------------------------------------------------------------------- */

static field_run *entered(uint64_t key) {
    field_run *run = malloc(sizeof *run);
    ck_assert_ptr_nonnull(run);
    field_begin(run, key);
    field_enter(run);
    return run;
}

static void leave(field_run *run) {
    field_enter(NULL);
    free(run);
}

static bool divides(uint64_t p) {
    for (uint64_t d = 3; d < 1 << 20; d += 2)
        if (p % d == 0) return true;
    return false;
}

START_TEST(primes_lie_near_2_61_and_differ) {
    uint64_t before = 0;
    for (uint64_t key = 0; key < 8; key++) {
        field_run *run = entered(key);
        uint64_t p = run->prime;
        ck_assert(p > (uint64_t)1 << 60 && p < (uint64_t)1 << 61 && p % 4 == 3);
        ck_assert(p != before && !divides(p));
        before = p;
        leave(run);
    }
}
END_TEST

START_TEST(residues_obey_the_laws_of_a_field) {
    field_run *run = entered(5);
    field_part a = field_variable(), b = field_variable(), c = field_integer(-7);
    uint64_t left = field_multiply(a, field_add(b, c)).residue;
    ck_assert_uint_eq(left, field_add(field_multiply(a, b), field_multiply(c, a)).residue);
    ck_assert_uint_eq(field_multiply(field_divide(a, b), b).residue, a.residue);
    ck_assert_uint_eq(field_add(a, field_negative(a)).residue, 0);
    ck_assert_uint_eq(field_multiply(field_integer(INT64_MIN), field_integer(3)).residue,
                      field_add(field_integer(INT64_MIN),
                                field_multiply(field_integer(INT64_MIN), field_integer(2)))
                          .residue);
    ck_assert_uint_eq(field_multiply(field_dyadic(-0.375), field_integer(8)).residue,
                      field_integer(-3).residue);
    ck_assert_uint_eq(field_multiply(field_dyadic(0x1p-1074), field_dyadic(0x1p1000)).residue,
                      field_dyadic(0x1p-74).residue);
    ck_assert(field_integer((int64_t)run->prime).residue == 0);
    ck_assert(!field_divide(a, field_integer(0)).known && !field_dyadic(HUGE_VAL).known);
    leave(run);
}
END_TEST

/* (x + y)^8 has degree 8 and coefficients that add up to 2^8. */
START_TEST(weights_bound_degrees_and_coefficients) {
    field_run *run = entered(1);
    field_part x = field_variable(), s = field_add(x, field_variable());
    for (int k = 0; k < 3; k++) s = field_multiply(s, s);
    ck_assert(s.num >= 8 && s.num <= 16 && s.den <= 0);
    field_part q = field_divide(field_integer(1), s);
    ck_assert(q.den >= 8 && q.num <= 0);
    ck_assert(field_integer(1 << 20).num >= 20 && field_dyadic(0x1p-30).den >= 30);
    ck_assert(field_sqrt(s).num >= s.num / 2);
    for (int k = 0; k < 40; k++) x = field_add(x, x);
    ck_assert(x.num >= 40);
    leave(run);
}
END_TEST

START_TEST(tables_have_an_end) {
    field_run *run = entered(2);
    for (int k = 0; k < FIELD_POWERS - 1; k++) ck_assert(field_exp(field_variable()).known);
    ck_assert(!run->full && run->collisions > FIELD_POWERS);
    ck_assert(!field_exp(field_variable()).known && run->full);
    field_begin(run, 3);
    for (int k = 0; k < FIELD_ROOTS; k++) ck_assert(field_sqrt(field_variable()).known);
    ck_assert(!run->full && run->missing >= 0);
    ck_assert(!field_sqrt(field_variable()).known && run->full);
    leave(run);
}
END_TEST

START_TEST(without_a_run_nothing_is_known) {
    field_element a = {.v = 1}, b = {.v = 1};
    ck_assert(!field_integer(1).known && !field_variable().known && !field_dyadic(0.5).known);
    ck_assert_int_eq(field_compare(&a, &b), FIELD_DECIDED);
}
END_TEST

START_TEST(ties_are_doubtful_unless_they_are_no_chance) {
    field_run *run = entered(4);
    field_element a = {field_variable(), 1, 0}, b = {field_variable(), 1, 0}, c = a;
    field_element high = {a.f, HUGE_VAL, 0}, rounded = {b.f, 1 + 0x1p-40, 0x1p-40};
    c.v = 1 + 0x1p-52;
    c.e = 0x1p-52;
    ck_assert_int_eq(field_compare(&a, &c), FIELD_SAME);
    ck_assert_int_eq(field_compare(&high, &high), FIELD_SAME);
    ck_assert_int_eq(field_compare(&high, &a), FIELD_DECIDED);
    ck_assert(!run->doubtful);
    ck_assert_int_eq(field_compare(&a, &rounded), FIELD_DOUBTFUL);
    ck_assert(run->doubtful);
    run->doubtful = false;
    ck_assert_int_eq(field_compare(&a, &b), FIELD_DOUBTFUL);
    ck_assert(run->doubtful);
    leave(run);
}
END_TEST

/* ---- layers with roots: no more than 8 of them ----------------------------------------------- */

typedef enum { RIGHT, NO_VARIANCE, HALF } norm_fault;

/* y = (x - mean) / s over the rows, s = sqrt(variance + 1/8). */
static spor_recording layer_norm(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    norm_fault fault = *(const norm_fault *)user;
    spor_shape shape = SPOR_SHAPE(v[0], v[1]);
    spor_var x = spor_input(t, "x", shape), dy = spor_input(t, "dy", shape), dx;
    int64_t axes = SPOR_AXIS(1);
    spor_var c = spor_sub(x, spor_expand(spor_mean(x, axes), axes, shape));
    spor_var variance = plus(spor_mean(square(c), axes), 1, 8);
    spor_var s = spor_expand(spor_sqrt(variance), axes, shape), y = spor_div(c, s);
    if (!spor_vjp(y, dy, 1, &x, &dx)) return SPOR_OUTSIDE;
    spor_var inner = spor_sub(dy, spor_expand(spor_mean(dy, axes), axes, shape));
    spor_var along = spor_expand(spor_mean(spor_mul(dy, y), axes), axes, shape);
    if (fault != NO_VARIANCE) inner = spor_sub(inner, spor_mul(y, along));
    if (fault == HALF) inner = times(inner, 1, 2);
    in->inputs = 2;
    in->input[0] = x;
    in->input[1] = dy;
    in->y = y;
    in->dy = 1;
    in->pair[in->pairs++] =
        (spor_pair){.name = "dx", .formula = spor_div(inner, s), .expected = dx};
    return spor_error(t) ? SPOR_BROKEN : SPOR_RECORDED;
}

/* Rows are roots. */
START_TEST(layer_norm_is_an_identity_up_to_eight_rows) {
    norm_fault fault = RIGHT;
    spor_statement statement = {
        .name = "norm", .quantities = 2, .record = layer_norm, .user = &fault};
    for (int64_t rows_of = 1; rows_of <= 9; rows_of += rows_of < 5 ? 2 : 4) {
        spor_answer answer;
        const int64_t at[] = {rows_of, 2};
        ck_assert(spor_ask_oracle(&statement, at, SPOR_BY_FIELD, NULL, &answer));
        ck_assert_msg(answer.identity == (rows_of < 9), "%d rows", (int)rows_of);
        ck_assert(!answer.not_shown);
    }
    for (fault = NO_VARIANCE; fault <= HALF; fault++) {
        spor_answer answer;
        ck_assert(spor_ask_oracle(&statement, (int64_t[]){2, 3}, SPOR_BY_FIELD, NULL, &answer));
        ck_assert(answer.not_shown && !answer.identity && !answer.caught);
    }
}
END_TEST

/* softmax(Q K^T / 2) V, heads of 4. */
static spor_recording attention(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    const int64_t swap[] = {1, 0}, axes = SPOR_AXIS(1);
    bool wrong = *(const bool *)user;
    spor_shape maps = SPOR_SHAPE(v[0], v[1]);
    spor_var Q = spor_input(t, "Q", SPOR_SHAPE(v[0], 4)),
             K = spor_input(t, "K", SPOR_SHAPE(v[1], 4)),
             V = spor_input(t, "V", SPOR_SHAPE(v[1], 2)),
             dY = spor_input(t, "dY", SPOR_SHAPE(v[0], 2));
    spor_var root = spor_sqrt(number(spor_matmul(Q, spor_transpose(K, swap)), 4, 1));
    spor_var S = spor_div(spor_matmul(Q, spor_transpose(K, swap)), root), P = spor_softmax(S, 1);
    spor_var Y = spor_matmul(P, V), wrt[] = {Q, K, V}, d[3];
    if (!spor_vjp(Y, dY, 3, wrt, d)) return SPOR_OUTSIDE;
    spor_var dP = spor_matmul(dY, spor_transpose(V, swap));
    spor_var D = spor_expand(spor_sum(spor_mul(dY, Y), axes), axes, maps);
    spor_var dS = spor_mul(P, spor_sub(dP, D));
    if (!wrong) dS = times(dS, 1, 2);
    memcpy(in->input, (spor_var[]){Q, K, V, dY}, 4 * sizeof Q);
    in->inputs = 4;
    in->y = Y;
    in->dy = 3;
    in->pairs = 3;
    in->pair[0] = (spor_pair){"dQ", NULL, spor_matmul(dS, K), d[0], 0, {0}};
    in->pair[1] = (spor_pair){"dK", NULL, spor_matmul(spor_transpose(dS, swap), Q), d[1], 1, {0}};
    in->pair[2] = (spor_pair){"dV", NULL, spor_matmul(spor_transpose(P, swap), dY), d[2], 2, {0}};
    return spor_error(t) ? SPOR_BROKEN : SPOR_RECORDED;
}

START_TEST(attention_is_an_identity) {
    bool wrong = false;
    spor_statement statement = {
        .name = "attention", .quantities = 2, .record = attention, .user = &wrong};
    spor_answer answer;
    const int64_t at[] = {3, 4};
    ck_assert(spor_ask_oracle(&statement, at, SPOR_BY_FIELD, NULL, &answer));
    ck_assert(answer.identity && !answer.not_shown && answer.chance <= 0x1p-66);
    wrong = true;
    ck_assert(spor_ask_oracle(&statement, at, SPOR_BY_FIELD, NULL, &answer));
    ck_assert(!answer.identity && answer.not_shown && !answer.caught);
}
END_TEST

/* ---- verdicts ---- */

static spor_verdict verdict_of(const row *r, char text[1024]) {
    spor_statement statement = {.name = r->name, .record = record, .user = (void *)(uintptr_t)r};
    spor_verdict v;
    ck_assert(spor_verify(&statement, NULL, &v));
    FILE *out = tmpfile();
    ck_assert_ptr_nonnull(out);
    spor_verdict_print(&statement, &v, out);
    rewind(out);
    text[fread(text, 1, 1023, out)] = 0;
    fclose(out);
    return v;
}

static void expect_line(const row *r, spor_outcome outcome, spor_rung rung, const char *words) {
    char text[1024];
    spor_verdict v = verdict_of(r, text);
    ck_assert_msg(v.outcome == outcome, "%s", text);
    if (outcome == SPOR_HOLDS) ck_assert_msg(spor_verdict_rung(&v) == rung, "%s", text);
    ck_assert_msg(strstr(text, words) != NULL, "%s", text);
}

START_TEST(each_line_has_its_rung) {
    row right = ROW(product_rule, -2, 2, PROMOTED), open = ROW(log_of_product, 0.5, 4, NOT_SHOWN),
        constant = ROW(rounded_number, -4, 4, NO_CLAIM),
        root = ROW(square_of_root_of_square, 0.5, 4, NO_CLAIM),
        branch = ROW(absolute_value, 0.5, 4, PROMOTED);
    expect_line(&right, SPOR_HOLDS, SPOR_IDENTITY, "not about rounding, kinks, other shapes");
    expect_line(&right, SPOR_HOLDS, SPOR_IDENTITY, "chance of 2^-");
    expect_line(&branch, SPOR_HOLDS, SPOR_IDENTITY, "on the branches met");
    expect_line(&open, SPOR_HOLDS, SPOR_TESTED, "field: not shown");
    expect_line(&constant, SPOR_HOLDS, SPOR_TESTED, "a number is rounded");
    expect_line(&root, SPOR_HOLDS, SPOR_TESTED, "a root may be one of a square");
}
END_TEST

START_TEST(rungs_are_of_all_shapes) {
    spor_verdict v = {.shapes = 4, .comparisons = 10, .exact = 9, .proved = 4, .identities = 4};
    ck_assert_int_eq(spor_verdict_rung(&v), SPOR_PROVED);
    v.proved = 3;
    ck_assert_int_eq(spor_verdict_rung(&v), SPOR_IDENTITY);
    v.chance = 0x1p-59;
    ck_assert_int_eq(spor_verdict_rung(&v), SPOR_TESTED);
    v.chance = 0x1p-60;
    v.not_shown = 1;
    ck_assert_int_eq(spor_verdict_rung(&v), SPOR_TESTED);
    v.not_shown = 0;
    v.identities = 3;
    ck_assert_int_eq(spor_verdict_rung(&v), SPOR_TESTED);
    v.exact = 10;
    ck_assert_int_eq(spor_verdict_rung(&v), SPOR_EXACT);
    v.undecided = 1;
    ck_assert_int_eq(spor_verdict_rung(&v), SPOR_TESTED);
    ck_assert_int_eq(spor_verdict_rung(&(spor_verdict){0}), SPOR_TESTED);
}
END_TEST

/* x + e^(x - 800) = x: floats between -16 and 16 see nothing of it. */
static spor_recording far_off(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)user, (void)v;
    spor_var x = spor_input(t, "x", SPOR_SHAPE(16));
    in->inputs = 1;
    in->input[0] = x;
    in->pair[in->pairs++] = (spor_pair){.name = "left",
                                        .formula = spor_add(x, spor_exp(plus(x, -800, 1))),
                                        .expected = x,
                                        .wrt = -1};
    return SPOR_RECORDED;
}

START_TEST(what_is_not_shown_is_sought_by_floats) {
    spor_statement statement = {.name = "far off", .record = far_off};
    spor_verdict v;
    ck_assert(spor_verify(&statement, NULL, &v));
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("field");
    TCase *tests = tcase_create("field");
    tcase_add_loop_test(tests, what_is_right_is_promoted_and_nothing_else, 0, ROWS);
    tcase_add_test(tests, a_shifted_softmax_is_not_accused);
    tcase_add_test(tests, multiples_of_a_prime_are_not_zero);
    tcase_add_test(tests, primes_lie_near_2_61_and_differ);
    tcase_add_test(tests, residues_obey_the_laws_of_a_field);
    tcase_add_test(tests, weights_bound_degrees_and_coefficients);
    tcase_add_test(tests, tables_have_an_end);
    tcase_add_test(tests, without_a_run_nothing_is_known);
    tcase_add_test(tests, ties_are_doubtful_unless_they_are_no_chance);
    tcase_add_test(tests, layer_norm_is_an_identity_up_to_eight_rows);
    tcase_add_test(tests, attention_is_an_identity);
    tcase_add_test(tests, each_line_has_its_rung);
    tcase_add_test(tests, rungs_are_of_all_shapes);
    tcase_add_test(tests, what_is_not_shown_is_sought_by_floats);
    suite_add_tcase(suite, tests);
    return suite;
}
