/*
 * The words of SPOR_BOUND, one by one: operands v +- e, any exact numbers inside, both ends among
 * them; what the word would give of these exactly must lie within the bound of its result. Nor may
 * bounds be idle: on average they are less than 2^5 times the largest error among the points.
 */
#include "bounds.h"

#include <stdlib.h>
#include <string.h>

#define SPOR_SCALAR_HEADER "kernels/scalar_bound.h"
#include "kernels/scalar.h"

#include "bounds_words.h"

enum { DRAWS = 6000, POINTS = 8 };

/* ---- operands ---- */

static double draw_error(double v, uint64_t bits) {
    double u = (double)(bits >> 11) * 0x1p-53, size = fabs(v);
    const double errors[] = {
        0,           0,    0x1p-52 * size,        0x1p-20 * u * size, 0.9 * u * size,
        0x1p-10 * u, size, 3 * u * size + 0x1p-30};
    return errors[bits & 7];
}

static T draw_operand(uint64_t seed, uint64_t k) {
    double v = draw_number(random_hash(seed, k, 1));
    return (T){v, draw_error(v, random_hash(seed, k, 2))};
}

/* Some of the second operands nearly cancel the first. */
static T draw_second(uint64_t seed, T first) {
    T b = draw_operand(seed, 1);
    uint64_t bits = random_hash(seed, 1, 3);
    if (bits % 4 == 0)
        b.v = (bits & 4 ? 1 : -1) * first.v * (1 + ldexp(b.v, -(int)(bits >> 8 & 63)));
    return b;
}

static exact point_of(T a, double at) {
    return exact_of(a.v, at * a.e);
}

/* ---- the bound holds ---- */

static void check_two(const words *w, int word, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0), b = draw_second(seed, a);
        if (word == OF_POW) into_powers(&a, &b, seed);
        T r = w->two[word](a, b);
        double most = 0;
        for (uint64_t k = 0; k < POINTS && isfinite(r.e); k++) {
            exact x = point_of(a, place(k, 0, seed)), y = point_of(b, place(k, 1, seed));
            exact t = truth_two[word](x, y);
            if (!has_value(word, t)) continue;
            most = fmax(most, count(to, "word of two", word, r.v, r.e, t));
        }
        count_loose(to, r.e, most);
    }
}

/* A root of what may be negative is bounded where it is a number. */
static void check_one(const words *w, int word, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0);
        a.v = into_domain(word, a.v);
        T r = w->one[word](a);
        double most = 0;
        for (uint64_t k = 0; k < POINTS && isfinite(r.e); k++) {
            exact x = point_of(a, place(k, 0, seed));
            if (word == OF_SQRT && x.hi < 0) continue;
            most = fmax(most, count(to, "word of one", word, r.v, r.e, truth_one[word](x)));
        }
        count_loose(to, r.e, most);
    }
}

/* ---- where the numbers end: all of it scaled into their middle ---- */

typedef struct {
    T is;      /* the operand, as tiny as it is */
    exact one; /* a point of it, of the order of 1 */
    int by;    /* it times 2^-by */
} tiny;

static tiny draw_tiny(uint64_t seed, uint64_t k, bool even) {
    uint64_t bits = random_hash(seed, k, 21), more = random_hash(seed, k, 22);
    double u = bits & 1 ? 1 : 1 + (double)(bits >> 12) * 0x1p-52;
    tiny t = {.is = {ldexp(u, 300 - (int)(more % 1400)), 0}};
    if (more >> 20 & 1) t.is.e = ldexp(1, -(int)((more >> 32) % 1074));
    frexp(t.is.v, &t.by);
    if (even) t.by -= t.by & 1;
    t.one =
        exact_of(ldexp(t.is.v, -t.by), ldexp(t.is.e, -t.by) * place(seed & 7, (int)(k & 1), more));
    return t;
}

/* Only results that do not leave the numbers at their upper end. */
static void count_scaled(tally *to, int word, T r, exact t, int by) {
    double v = ldexp(r.v, -by), bound = ldexp(r.e, -by);
    if (isfinite(r.e) && isfinite(v) && isfinite(t.hi) && fabs(t.lo) < 0x1p500)
        count(to, "tiny", word, v, bound, t);
}

static void check_tiny(const words *w, tally *to) {
    for (uint64_t seed = 0; seed < 4 * DRAWS; seed++) {
        tiny a = draw_tiny(seed, 0, false), b = draw_tiny(seed, 1, false);
        tiny c = draw_tiny(seed, 2, true);
        count_scaled(to, OF_MUL, w->two[OF_MUL](a.is, b.is), exact_mul(a.one, b.one), a.by + b.by);
        count_scaled(to, OF_DIV, w->two[OF_DIV](a.is, b.is), exact_div(a.one, b.one), a.by - b.by);
        if (c.one.hi >= 0)
            count_scaled(to, OF_SQRT, w->one[OF_SQRT](c.is), exact_sqrt(c.one), c.by / 2);
    }
}

/* exp, cos, log1p, tanh, erf, expm1 and sin of what has a rational value, 0 or 1, at 0 alone. */
static void check_tiny_functions(const words *w, tally *to) {
    static const int functions[] = {OF_EXP, OF_COS, OF_LOG1P, OF_TANH, OF_ERF, OF_EXPM1, OF_SIN};
    for (int k = 1; k < 60; k++)
        for (int f = 0; f < 7; f++) {
            T x = {ldexp(1 + k % 3, -1074 + k * k / 4), 0};
            T r = w->one[functions[f]](x), zero = w->one[functions[f]]((T){0, 0});
            to->examined++;
            to->exceeded += !(r.e > 0) || (f > 1 && zero.e > 0);
        }
    to->exceeded += !(w->one[OF_SQRT]((T){0x1p600, 0x1p-1074}).e > 0);
    for (int k = 0; k < 600; k++) {
        T x = {-700 - 0.1 * k, k % 2 ? 0x1p-60 : 0}, r = w->one[OF_EXP](x);
        long double off = fabsl((long double)r.v - expl((long double)x.v + (long double)x.e));
        to->examined++;
        to->exceeded += !(off <= (long double)r.e);
    }
}

/* ---- branches ---- */

static int sign_of(exact x) {
    return (x.hi > 0) - (x.hi < 0);
}

/* If it may not turn, no point lies on the other side or at 0; if it may, some do. */
static void check_turns(const words *w, tally *to) {
    static const double places[] = {-1, 1, -0.5, 0.5, 0};
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T d = draw_operand(seed, 0);
        int turned = 0;
        for (int k = 0; k < 5; k++) {
            exact at = exact_of(d.v, places[k] * d.e);
            turned += sign_of(at) != sign_of((exact){d.v, 0});
        }
        to->examined++;
        to->exceeded += (w->may_turn(d) != 0) != (turned > 0 && d.e > 0);
    }
}

/* Covers both branches, keeps what was computed, and claims no more than that. */
static void check_either(const words *w, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0), b = draw_second(seed, a), r = w->either(a, b);
        for (int end = -1; end <= 1; end += 2) {
            count(to, "either, chosen", end, a.v, r.e, exact_of(a.v, end * a.e));
            count(to, "either, other", end, a.v, r.e, exact_of(b.v, end * b.e));
        }
        double most = fmax(a.e, fabs(a.v - b.v) + b.e);
        to->exceeded += !(r.v >= a.v && r.v <= a.v) || r.e > most * (1 + 0x1p-40) + 0x1p-1000;
    }
    T unknown = w->either((T){1, 0}, (T){(double)NAN, 0});
    to->exceeded += unknown.e <= 1;
    to->exceeded += isfinite(w->either((T){1, (double)NAN}, (T){0, 0}).e);
    to->exceeded += !w->may_turn((T){1, (double)NAN});
}

/* ---- numbers, and what is asked of them ---- */

static exact whole(int64_t i) {
    return exact_of((double)(i / 2048 * 2048), (double)(i % 2048));
}

/* An infinity that is given is one, what has overflowed is anything. */
static void check_overflow(const words *w, tally *to) {
    const T most = {0x1p1023, 0}, infinite = {(double)INFINITY, 0}, one = {1, 0};
    const T over = w->two[OF_ADD](most, most), unknown = {(double)INFINITY, (double)INFINITY};
    const T given[] = {w->two[OF_ADD](infinite, one), w->two[OF_SUB](one, infinite)};
    const T made[] = {over,
                      w->two[OF_MUL](most, most),
                      w->one[OF_EXP]((T){1000, 0}),
                      w->two[OF_SUB](over, one),
                      w->two[OF_ADD](one, over),
                      w->two[OF_ADD](unknown, one),
                      w->two[OF_ADD](one, unknown)};
    for (int k = 0; k < 2; k++) to->exceeded += !(given[k].e <= 0);
    for (int k = 0; k < 7; k++) to->exceeded += isfinite(made[k].e) || !w->may_turn(made[k]);
    to->examined += 9;
}

static void check_numbers(const words *w, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        uint64_t bits = random_hash(seed, 31, 0);
        int64_t num = (int64_t)(bits >> (bits & 63)), den = 1 + (int64_t)(bits >> 7 & 127);
        T i = FROM_INT(num), r = RATIO(num, den);
        count(to, "integer", 0, i.v, i.e, whole(num));
        count(to, "ratio", 0, r.v, r.e, exact_div(whole(num), whole(den)));
        to->exceeded += llabs(num) <= 1LL << 53 && i.e > 0;
    }
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0), b = draw_operand(seed, 1), zero = FROM_INT(0);
        to->exceeded += !IS_ZERO(w->two[OF_MUL](zero, a)) || !IS_ZERO(w->two[OF_MUL](a, zero));
        to->exceeded += fabs(b.v) > b.e && !IS_ZERO(w->two[OF_DIV](zero, b));
        to->exceeded += NEARER(a, b) != (a.v - a.e < b.v - b.e) || LESS(a, b) != (a.v < b.v);
        to->exceeded += IS_ZERO(a) != (fabs(a.v) + a.e <= 0) || IS_ZERO((T){0, 1});
        to->exceeded += FROM_REAL(a.v).e > 0 || VALUE(a) < a.v || IS_NAN(a);
    }
}

/* ---- all of it ---- */

/* Adds one check to all; one that examined too little, or whose bounds are idle, is a failure. */
static void close_check(tally *all, const tally *one, int64_t least) {
    bool idle = one->loose >= 5 * (double)one->off;
    if (!all->exceeded) memcpy(all->first, one->first, sizeof all->first);
    if (!all->exceeded && !one->exceeded && (idle || one->examined < least))
        snprintf(all->first, sizeof all->first, "%d examined, %d off by 2^-%g of the bound",
                 (int)one->examined, (int)one->off, one->loose / (double)one->off);
    all->examined += one->examined;
    all->exceeded += one->exceeded + (idle && one->off) + (one->examined < least);
}

static tally check_words(const words *w) {
    static void (*const others[])(const words *, tally *) = {
        check_tiny, check_tiny_functions, check_turns, check_either, check_overflow, check_numbers};
    tally all = {0};
    for (int k = 0; k < OF_TWO + OF_ONE + 6; k++) {
        tally one = {0};
        if (k < OF_TWO)
            check_two(w, k, &one);
        else if (k < OF_TWO + OF_ONE)
            check_one(w, k - OF_TWO, &one);
        else
            others[k - OF_TWO - OF_ONE](w, &one);
        close_check(&all, &one, k < OF_TWO + OF_ONE ? 30000 : 9);
    }
    return all;
}

START_TEST(each_word_stays_within_its_bound) {
    tally found = check_words(&right);
    ck_assert_msg(!found.exceeded, "%s", found.first);
}
END_TEST

/* ---- planted faults: words that forget something ---- */

/* A choice that stays. Of all that the header says each term was dropped once, || and && were
 * exchanged, products and quotients, signs: the checks above saw all but three, which make a bound
 * larger than it need be, and no smaller: a sign between the two parts of ADD's own error, of which
 * one is 0 or of the other sign; SQRT and TANH where they take the coarser of two bounds. */

static T without(T a) {
    return (T){a.v, 0};
}
static T add_forgets_an_operand(T a, T b) {
    return ADD(a, without(b));
}
static T add_forgets_its_rounding(T a, T b) {
    return (T){a.v + b.v, inflated(a.e + b.e)};
}
static T sub_takes_errors_away(T a, T b) {
    return (T){SUB(a, b).v, fabs(a.e - b.e)};
}
static T mul_forgets_an_operand(T a, T b) {
    return MUL(without(a), b);
}
static T mul_forgets_second_order(T a, T b) {
    T r = MUL(a, b);
    return (T){r.v, r.e - a.e * b.e};
}
static T mul_takes_0_for_exact(T a, T b) {
    return a.v == 0 || b.v == 0 ? (T){a.v * b.v, 0} : MUL(a, b);
}
static T mul_forgets_what_vanishes(T a, T b) {
    double v = a.v * b.v, brought = fabs(a.v) * b.e + fabs(b.v) * a.e + a.e * b.e;
    return rounded(v, fma(a.v, b.v, -v), brought);
}
static T div_forgets_the_divisor(T a, T b) {
    return DIV(a, without(b));
}
static T div_multiplies(T a, T b) {
    T r = DIV(a, b);
    return (T){r.v, r.e * b.v * b.v};
}
static T div_takes_the_mean(T a, T b) {
    double v = a.v / b.v;
    return rounded(v, fma(-v, b.v, a.v) / b.v, (a.e + fabs(v) * b.e) / fabs(b.v) + lost(v));
}
static T exp_is_linear(T a) {
    double v = exp(a.v);
    return rounded(v, libm_error(v), v * a.e + lost(v));
}
static T exp_is_right(T a) {
    return a.e > 0 ? EXP(a) : (T){exp(a.v), 0};
}
static T log_is_linear(T a) {
    double v = log(a.v);
    return rounded(v, libm_error(v), a.e / a.v);
}
static T log1p_is_log(T a) {
    return (T){log1p(a.v), LOG(a).e};
}
static T sqrt_forgets_what_is_below(T a) {
    return a.v > a.e ? SQRT(a) : (T){sqrt(a.v), SQRT(without(a)).e};
}
static T sqrt_forgets_its_rounding(T a) {
    return (T){sqrt(a.v), a.e > 0 ? SQRT(a).e : 0};
}
static T tanh_has_one_slope(T a) {
    double v = tanh(a.v);
    return rounded(v, libm_error(v), (1 - v * v) * a.e);
}
static T erf_has_one_slope(T a) {
    double v = erf(a.v);
    return rounded(v, libm_error(v), 1.1284 * exp(-a.v * a.v) * a.e);
}
static T sin_has_one_slope(T a) {
    double v = sin(a.v);
    return rounded(v, libm_error(v), fabs(cos(a.v)) * a.e);
}
static T cos_takes_sin_for_its_slope(T a) {
    return (T){cos(a.v), SIN(a).e};
}
static T expm1_is_linear(T a) {
    double v = expm1(a.v);
    return rounded(v, libm_error(v), (v + 1) * a.e);
}
static T pow_forgets_the_base(T a, T b) {
    return POW(without(a), b);
}
static T pow_forgets_the_exponent(T a, T b) {
    return POW(a, without(b));
}
static T pow_is_linear(T a, T b) {
    double v = pow(a.v, b.v), by_a = fabs(b.v * pow(a.v, b.v - 1)), by_b = fabs(v * log(a.v));
    return rounded(v, libm_error(v), (a.e > 0 ? by_a * a.e : 0) + (b.e > 0 ? by_b * b.e : 0));
}
static T neg_forgets(T a) {
    return without(NEG(a));
}
static int never(T distance) {
    return distance.v < distance.v;
}
static int always(T distance) {
    return distance.e >= 0;
}
static T either_forgets_the_other(T chosen, T other) {
    return EITHER(chosen, without(other));
}
static T either_is_the_chosen(T chosen, T other) {
    (void)other;
    return chosen;
}
static T either_forgets_the_distance(T chosen, T other) {
    return (T){chosen.v, fmax(chosen.e, other.e)};
}

static const words faults[] = {
    {.two = {[OF_ADD] = add_forgets_an_operand}},
    {.two = {[OF_ADD] = add_forgets_its_rounding}},
    {.two = {[OF_SUB] = sub_takes_errors_away}},
    {.two = {[OF_MUL] = mul_forgets_an_operand}},
    {.two = {[OF_MUL] = mul_forgets_second_order}},
    {.two = {[OF_MUL] = mul_takes_0_for_exact}},
    {.two = {[OF_MUL] = mul_forgets_what_vanishes}},
    {.two = {[OF_DIV] = div_forgets_the_divisor}},
    {.two = {[OF_DIV] = div_multiplies}},
    {.two = {[OF_DIV] = div_takes_the_mean}},
    {.one = {[OF_EXP] = exp_is_linear}},
    {.one = {[OF_EXP] = exp_is_right}},
    {.one = {[OF_LOG] = log_is_linear}},
    {.one = {[OF_LOG1P] = log1p_is_log}},
    {.one = {[OF_SQRT] = sqrt_forgets_what_is_below}},
    {.one = {[OF_SQRT] = sqrt_forgets_its_rounding}},
    {.one = {[OF_TANH] = tanh_has_one_slope}},
    {.one = {[OF_ERF] = erf_has_one_slope}},
    {.one = {[OF_SIN] = sin_has_one_slope}},
    {.one = {[OF_COS] = cos_takes_sin_for_its_slope}},
    {.one = {[OF_EXPM1] = expm1_is_linear}},
    {.two = {[OF_POW] = pow_forgets_the_base}},
    {.two = {[OF_POW] = pow_forgets_the_exponent}},
    {.two = {[OF_POW] = pow_is_linear}},
    {.one = {[OF_NEG] = neg_forgets}},
    {.may_turn = never},
    {.may_turn = always},
    {.either = either_forgets_the_other},
    {.either = either_is_the_chosen},
    {.either = either_forgets_the_distance},
};
enum { FAULTS = sizeof faults / sizeof *faults };

START_TEST(a_word_that_forgets_something_is_caught) {
    words w = with_fault(&faults[_i]);
    ck_assert_int_gt(check_words(&w).exceeded, 0);
}
END_TEST

void bounds_of_bound(Suite *suite) {
    TCase *tests = tcase_create("words of bound");
    tcase_add_test(tests, each_word_stays_within_its_bound);
    tcase_add_loop_test(tests, a_word_that_forgets_something_is_caught, 0, FAULTS);
    suite_add_tcase(suite, tests);
}
