/*
 * The words of SPOR_ROUNDING, one by one: what other code has for an operand is anything within its
 * error; what it makes of that is rounded as it may be. The result must be off by no more than the
 * word says. Sums are added up in many orders, in float.
 */
#include "bounds.h"

#include <string.h>

#define SPOR_SCALAR_HEADER "kernels/scalar_rounding.h"
#include "kernels/scalar.h"

#include "bounds_words.h"

enum { DRAWS = 6000, POINTS = 8, TERMS = 200, ORDERS = 5 };

static const double unit = 0x1p-24; /* of float, the other code's */

/* What may be off by so much: our double's own rounding, too. */
static double allowed(T r) {
    return rounding_error(r, rounding_unit(r)) * (1 + 0x1p-29);
}

/* ---- operands ---- */

/* Numbers that a float holds, of a size that it can multiply. */
static double draw_float(uint64_t bits) {
    double v = draw_number(bits);
    return fabs(v) < 0x1p-40 || fabs(v) > 0x1p40 ? (double)(float)(v * 0 + 1.7) : (double)(float)v;
}

/* Exact ones, ones with an error, sums, constants, each of any of these. */
static T draw_operand(uint64_t seed, uint64_t k) {
    double v = draw_float(random_hash(seed, k, 1)), size = fabs(v);
    uint64_t bits = random_hash(seed, k, 2);
    double u = (double)(bits >> 11) * 0x1p-53;
    const double errors[] = {0, 0, 0x1p-22 * size, 0x1p-7 * u * size, 0.9 * u * size, 3 * u * size};
    double additions = bits >> 4 & 1 ? (double)(bits >> 20 & 127) : 0;
    double s = size * (bits >> 5 & 1 ? 1 + 200 * u : 1) + (additions > 0 ? 0x1p-3 * u : 0);
    if ((bits >> 10 & 1) && size < 0x1p20 && fabs(v - floor(v)) <= 0) /* a sum of integers */
        return (T){v, 0, size + 8 * floor(8 * u), -9, bits >> 11 & 1 ? unit : 0};
    if ((bits >> 8 & 3) == 0) return (T){v, 0, additions > 0 ? s : size, additions, 0};
    return (T){v, errors[(bits >> 12) % 6], additions > 0 ? s : size, additions, unit};
}

static T draw_second(uint64_t seed, T first) {
    T b = draw_operand(seed, 1);
    uint64_t bits = random_hash(seed, 1, 3);
    if (bits % 4) return b;
    b.v = (double)(float)((bits & 4 ? 1 : -1) * first.v * (1 + ldexp(1, -(int)(bits >> 8 & 31))));
    b.s = fmax(b.s, fabs(b.v));
    return b;
}

static exact point_of(T a, double at) {
    return exact_of(a.v, at * rounding_error(a, rounding_unit(a)));
}

/* ---- one word ---- */

static bool given_exactly(T a) {
    return a.e <= 0 && a.n <= 0;
}

static bool is_power(T a) {
    int exponent;
    return given_exactly(a) && fabs(frexp(fabs(a.v), &exponent) - 0.5) <= 0;
}

/* Roundings of what other code makes of a and b: none where nothing is rounded in float. */
static double roundings_of_two(int word, T a, T b) {
    T zero = {0};
    bool sum = word == OF_ADD || word == OF_SUB;
    if (sum && (!memcmp(&a, &zero, 4 * sizeof(double)) || !memcmp(&b, &zero, 4 * sizeof(double))))
        return 0;
    if (!sum && word != OF_POW && (is_power(b) || (word == OF_MUL && is_power(a)))) return 0;
    if (word == OF_POW) return b.v >= 0 && b.v <= 2 && given_exactly(b) ? 0 : 5;
    if (!given_exactly(a) || !given_exactly(b)) return 1;
    exact t = truth_two[word]((exact){a.v, 0}, (exact){b.v, 0});
    return fabs(t.lo) <= 0 && (double)(float)t.hi >= t.hi && (double)(float)t.hi <= t.hi ? 0 : 1;
}

/* What other code has, r times 1 + up units, beside what it would have exactly. */
static double count_other(tally *to, const char *what, int word, T r, exact t, exact other,
                          double up) {
    exact off = exact_sub(exact_mul(other, exact_of(1, up * unit)), t);
    return count(to, what, word, r.v, allowed(r), exact_add((exact){r.v, 0}, off));
}

/* Of what is not rounded these are known as such, whatever the numbers are. */
static bool known_exact(int word, T a, T b) {
    if (word == OF_POW) return false;
    return is_power(b) ? word >= OF_MUL : word == OF_MUL && is_power(a);
}

static void check_two(const words *w, int word, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0), b = draw_second(seed, a);
        if (word == OF_POW) into_powers(&a, &b, seed);
        a.s = fmax(a.s, fabs(a.v)), b.s = fmax(b.s, fabs(b.v));
        T r = w->two[word](a, b);
        double rounded = roundings_of_two(word, a, b), most = 0;
        exact t = truth_two[word]((exact){a.v, 0}, (exact){b.v, 0});
        for (uint64_t k = 0; k < POINTS && isfinite(allowed(r)); k++) {
            exact x = point_of(a, place(k, 0, seed)), y = point_of(b, place(k, 1, seed));
            double up = (k & 4 ? -1 : 1) * rounded;
            exact other = truth_two[word](x, y);
            if (!has_value(word, other)) continue;
            most = fmax(most, count_other(to, "word of two", word, r, t, other, up));
        }
        to->exceeded += r.s < fabs(r.v) || (rounded <= 0 && given_exactly(a) && given_exactly(b) &&
                                            !given_exactly(r) && known_exact(word, a, b));
        if (isfinite(allowed(r))) count_loose(to, allowed(r), most);
    }
}

/* exp, log and tanh of other code err by 2.5 units in the last place. */
static double roundings_of_one(int word) {
    return word == OF_NEG ? 0 : word == OF_SQRT ? 1 : 5;
}

static void check_one(const words *w, int word, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0);
        a.v = word == OF_EXP || word == OF_EXPM1 ? fmod(a.v, 60) : into_domain(word, a.v);
        a.s = fmax(a.n > 0 ? a.s : 0, fabs(a.v));
        T r = w->one[word](a);
        exact t = truth_one[word]((exact){a.v, 0});
        double most = 0;
        for (uint64_t k = 0; k < POINTS && isfinite(allowed(r)); k++) {
            exact x = point_of(a, place(k, 0, seed));
            if (word == OF_SQRT && x.hi < 0) continue;
            double up = (k & 2 ? -1 : 1) * roundings_of_one(word);
            exact other = truth_one[word](x);
            most = fmax(most, count_other(to, "word of one", word, r, t, other, up));
        }
        to->exceeded += r.s < fabs(r.v);
        if (isfinite(allowed(r))) count_loose(to, allowed(r), most);
    }
}

/* ---- sums in any order ---- */

typedef struct {
    double is[TERMS], other[TERMS]; /* a term, and what other code has for it */
    double error[TERMS];
    int count;
} terms;

/* Of one sign, of both, integers, steps up and down, with the sum near 0: by the kind. */
static terms draw_terms(uint64_t seed) {
    terms t = {.count = 2 + (int)(random_hash(seed, 40, 0) % (TERMS - 2))};
    for (int k = 0; k < t.count; k++) {
        uint64_t bits = random_hash(seed, 41, (uint64_t)k);
        double x = (double)(float)draw_number(1 + (bits & ~7ULL) + seed % 6);
        if (fabs(x) > 0x1p30 || fabs(x) < 0x1p-40) x = 1;
        if (seed % 14 == 0) x = 0x1p22 + (double)(bits >> 42);
        if (seed % 7 == 3) x = k % 2 ? -t.is[k - 1] : x;
        if (seed % 7 == 4) x = fabs(x);
        if (seed % 7 == 5) x = (k % 2 ? -1 : 1) * (double)(float)(1 + 0.001 * k);
        if (seed % 7 == 6 && k == t.count - 1) x = -t.is[0];
        t.is[k] = x;
        t.error[k] = seed % 3 == 2 ? 0x1p-20 * fabs(x) : 0;
        t.other[k] = (double)(float)(x + t.error[k] * place(bits & 7, 0, bits) * (1 - 0x1p-3));
    }
    return t;
}

/* In float: forwards, backwards, the small ones first or last, as a tree. */
static float sum_in_order(const terms *t, int order, uint64_t seed) {
    float x[TERMS];
    int64_t at[TERMS];
    random_shuffle(seed, t->count, at);
    for (int k = 0; k < t->count; k++) x[k] = (float)t->other[order > 2 ? at[k] : k];
    for (int i = 1; order == 2 && i < t->count; i++) /* by value */
        for (int k = i; k > 0 && x[k] < x[k - 1]; k--) {
            float held = x[k];
            x[k] = x[k - 1];
            x[k - 1] = held;
        }
    if (order == 4)
        for (int n = t->count; n > 1; n = (n + 1) / 2)
            for (int k = 0; k < n / 2; k++) x[k] += x[n - 1 - k];
    if (order == 4) return x[0];
    float sum = 0;
    for (int k = 0; k < t->count; k++) sum += x[order == 1 ? t->count - 1 - k : k];
    return sum;
}

/* By ADD, and SUB of some terms' negatives: both halves in order, then their sum. */
static T sum_by_words(const words *w, const terms *t) {
    T half[2] = {FROM_INT(0), FROM_INT(0)};
    for (int k = 0; k < t->count; k++) {
        T x = {t->is[k], t->error[k], fabs(t->is[k]), 0, unit}, *sum = &half[2 * k / t->count];
        *sum = k % 3 == 2 ? w->two[OF_SUB](*sum, w->one[OF_NEG](x)) : w->two[OF_ADD](*sum, x);
    }
    return w->two[OF_ADD](half[0], half[1]);
}

/* The sign of a sum turns only where it is said that it may. */
static void count_sign(const words *w, tally *to, T sum, float other) {
    int here = (sum.v > 0) - (sum.v < 0), there = (other > 0) - (other < 0);
    if (here != there && !w->may_turn(sum)) to->exceeded++;
}

/* Terms that are not 0. */
static int zeros_apart(const terms *t) {
    int count = 0;
    for (int k = 0; k < t->count; k++) count += fabs(t->is[k]) > 0;
    return count;
}

/* Ones, and behind them two numbers so large that ones are rounded away if they come first. */
static void check_ones(const words *w, tally *to) {
    terms t = {.count = TERMS};
    for (int k = 0; k < TERMS; k++) t.is[k] = t.other[k] = k < TERMS - 2 ? 1 : 0x1p24;
    T sum = sum_by_words(w, &t);
    for (int order = 0; order < ORDERS; order++)
        count(to, "ones", order, sum.v, allowed(sum),
              (exact){(double)sum_in_order(&t, order, 1), 0});
}

static void check_sums(const words *w, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS / 4; seed++) {
        terms t = draw_terms(seed);
        exact truth = {0};
        for (int k = 0; k < t.count; k++) truth = exact_add(truth, (exact){t.is[k], 0});
        T sum = sum_by_words(w, &t);
        to->exceeded += sum.n > 0 && sum.n < zeros_apart(&t) - 1;
        double most = 0;
        for (int order = 0; order < ORDERS; order++) {
            float other = sum_in_order(&t, order, seed);
            exact off = exact_sub((exact){(double)other, 0}, truth);
            exact at = exact_add((exact){sum.v, 0}, off);
            most = fmax(most, count(to, "sum in order", order, sum.v, allowed(sum), at));
            count_sign(w, to, sum, other);
        }
        count_loose(to, allowed(sum), most);
    }
    check_ones(w, to);
}

/* ---- branches ---- */

/* Which of two is larger: exact numbers are compared exactly, of others what may be is covered. */
static void check_turns(const words *w, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0), b = draw_second(seed, a), d = w->two[OF_SUB](a, b);
        int here = (a.v > b.v) - (a.v < b.v), turned = 0;
        for (int k = 0; k < 4; k++) {
            exact x = point_of(a, k & 1 ? 1 : -1), y = point_of(b, k & 2 ? 1 : -1);
            exact apart = exact_sub(x, y);
            turned += ((apart.hi > 0) - (apart.hi < 0)) != here;
        }
        to->examined++;
        to->exceeded += turned && !w->may_turn(d);
        to->exceeded += given_exactly(a) && given_exactly(b) && d.n <= 1 && w->may_turn(d);
        to->exceeded += given_exactly(a) && w->may_turn(a);
        to->exceeded += fabs(d.v) > 4 * (allowed(a) + allowed(b)) * (1 + d.n) &&
                        d.s < 2 * fabs(d.v) && w->may_turn(d);
    }
    to->exceeded += !w->may_turn((T){1, (double)NAN, 1, 0, unit});
    /* of two additions the last one turns no sign */
    to->exceeded += !w->may_turn((T){0.9 * unit, 0, 1, 2, unit});
    to->exceeded += w->may_turn((T){1.1 * unit, 0, 1, 2, unit});
    /* what double computes is off as well: by as much as other code in double */
    to->exceeded +=
        !w->may_turn((T){1.75, 1, 1, 0, 0x1p-53}) || w->may_turn((T){1.75, 1, 1, 0, unit});
}

static void check_either(const words *w, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        T a = draw_operand(seed, 0), b = draw_second(seed, a), r = w->either(a, b);
        for (int end = -1; end <= 1; end += 2) {
            count(to, "either, chosen", end, a.v, allowed(r), point_of(a, end));
            count(to, "either, other", end, a.v, allowed(r), point_of(b, end));
        }
        to->exceeded += !(r.v >= a.v && r.v <= a.v) || !(r.u > 0);
        to->exceeded += a.u + b.u > 0 && r.u > fmax(a.u, b.u);
        to->exceeded += r.e > fmax(a.e, fabs(a.v - b.v) + b.e) || r.n > fmax(fabs(a.n), fabs(b.n));
    }
    T unknown = w->either((T){1, 0, 1, 0, unit}, (T){(double)NAN, 0, 1, 0, unit});
    to->exceeded += rounding_error(unknown, unit) <= 1;
    to->exceeded += isfinite(w->either((T){1, (double)NAN, 1, 0, unit}, (T){0}).e);
    T narrow = w->either((T){0, 0, 0, 0, 0}, (T){1, 0, 1, 3, 0x1p-53});
    to->exceeded += narrow.u > 0x1p-53;
}

/* ---- numbers, and what is asked of them ---- */

static void check_numbers(const words *w, tally *to) {
    for (uint64_t seed = 0; seed < DRAWS; seed++) {
        double v = draw_number(random_hash(seed, 33, 0));
        int64_t num = (int64_t)(random_hash(seed, 34, 0) >> (24 + (seed & 31))),
                den = 1 + (int64_t)(seed % 120);
        T r = FROM_REAL(v), i = FROM_INT(num), part = RATIO(num, den);
        if (fabs(v) > 0x1p-100 && fabs(v) < 0x1p100)
            count(to, "real", 0, v, allowed(r), (exact){(double)(float)v, 0});
        count(to, "integer", 0, i.v, allowed(i), (exact){(double)(float)num, 0});
        count(to, "ratio", 0, part.v, allowed(part), (exact){(double)((float)num / (float)den), 0});
        to->exceeded += ((double)(float)v >= v && (double)(float)v <= v) != given_exactly(r);
        T a = draw_operand(seed, 0), b = draw_second(seed, a), zero = FROM_INT(0);
        to->exceeded +=
            NEARER(a, b) != (a.v - rounding_error(a, a.u) < b.v - rounding_error(b, b.u));
        to->exceeded += LESS(a, b) != (a.v < b.v) || IS_ZERO(a) != (a.s + a.e + fmax(a.n, 0) <= 0);
        to->exceeded += !IS_ZERO(w->two[OF_MUL](a, zero)) || !IS_ZERO(w->two[OF_MUL](zero, a));
        to->exceeded += IS_ZERO((T){0, 1, 0, 0, unit}) || IS_ZERO((T){0, 0, 1, 1, unit});
    }
    /* 0 times what is no number is none, in sums too */
    T none = w->two[OF_MUL](FROM_INT(0), (T){(double)NAN, 0, (double)NAN, 0, unit});
    to->exceeded += !isnan(none.v) || !isnan(w->two[OF_ADD]((T){1, 0, 1, 0, unit}, none).v);
}

/* The worst unit of the operands is the result's, a constant has none. */
static void check_units(const words *w, tally *to) {
    static const double values[] = {0, 2, 0.75, 0x1.1p-3}, units[] = {0, 0x1p-53, 0x1p-24};
    for (int k = 0; k < 16 * 9; k++) {
        double x = values[k & 3], y = values[k >> 2 & 3], u = units[k / 16 % 3], v = units[k / 48];
        T a = {x, 0, x, 0, u}, b = {y, 0, y, 0, v};
        for (int word = 0; word < OF_TWO; word++, to->examined++) {
            T r = w->two[word](a, b);
            if (word == OF_DIV && y <= 0) continue;
            to->exceeded += !(r.u >= fmax(u, v) && r.u <= fmax(u, v));
        }
        for (int word = 0; word < OF_ONE; word++) {
            T r = w->one[word](a);
            to->exceeded += x > 0 && !(r.u >= u && r.u <= u);
        }
    }
}

/* ---- all of it ---- */

static void close_check(tally *all, const tally *one, double loose, int64_t least) {
    bool idle = one->off && one->loose >= loose * (double)one->off;
    if (!all->exceeded) memcpy(all->first, one->first, sizeof all->first);
    if (!all->exceeded && !one->exceeded && (idle || one->examined < least))
        snprintf(all->first, sizeof all->first, "%d examined, %d off by 2^-%g of the bound",
                 (int)one->examined, (int)one->off, one->loose / (double)one->off);
    all->examined += one->examined;
    all->exceeded += one->exceeded + idle + (one->examined < least);
}

static tally check_words(const words *w) {
    static void (*const others[])(const words *, tally *) = {check_sums, check_turns, check_either,
                                                             check_numbers, check_units};
    tally all = {0};
    for (int k = 0; k < OF_TWO + OF_ONE + 5; k++) {
        tally one = {0};
        if (k < OF_TWO)
            check_two(w, k, &one);
        else if (k < OF_TWO + OF_ONE)
            check_one(w, k - OF_TWO, &one);
        else
            others[k - OF_TWO - OF_ONE](w, &one);
        close_check(&all, &one, k < OF_TWO + OF_ONE ? 1.5 : 8, k < OF_TWO + OF_ONE ? 36000 : 100);
    }
    return all;
}

START_TEST(each_word_covers_what_other_code_may_have) {
    tally found = check_words(&right);
    ck_assert_msg(!found.exceeded, "%s", found.first);
}
END_TEST

/* ---- planted faults: words that forget something ---- */

/* A choice that stays. Of all that the header says each term was dropped once, || and && were
 * exchanged, products and quotients, signs: the checks above saw each. */

static T without(T a) {
    return (T){a.v, 0, fabs(a.v), 0, a.u};
}
static T add_closes_the_sum(T a, T b) {
    T r = ADD(a, b);
    return term(r.v, error_of(in_unit(a, r.u)) + error_of(in_unit(b, r.u)), 1, r.u);
}
static T add_forgets_cancellation(T a, T b) {
    T r = ADD(a, b);
    return (T){r.v, r.e, fabs(r.v), r.n, r.u};
}
static T add_counts_the_longer(T a, T b) {
    T r = ADD(a, b);
    return r.n > 0 ? (T){r.v, r.e, r.s, larger(a.n, b.n) + 1, r.u} : r;
}
static T add_counts_no_integers(T a, T b) {
    T r = ADD(a, b);
    return (T){r.v, r.e, r.s, larger(r.n, 0), r.u};
}
static T add_forgets_an_error(T a, T b) {
    T r = ADD(a, b);
    return (T){r.v, a.e, r.s, r.n, r.u};
}
static T sub_is_exact(T a, T b) {
    T r = SUB(a, b);
    return (T){r.v, r.e, r.s, 0, r.u};
}
static T mul_forgets_an_operand(T a, T b) {
    return MUL(a, without(b));
}
static T mul_forgets_its_rounding(T a, T b) {
    T r = MUL(a, b);
    return (T){r.v, r.e - r.u * fabs(r.v), r.s, r.n, r.u};
}
static T mul_forgets_the_unit(T a, T b) {
    T r = MUL(a, b);
    return (T){r.v, r.e, r.s, r.n, a.u};
}
static T mul_takes_any_integers(T a, T b) {
    bool whole = is_whole(a) && is_whole(b);
    return whole ? (T){a.v * b.v, 0, a.s * b.s, 0, larger(a.u, b.u)} : MUL(a, b);
}
static T div_forgets_the_divisor(T a, T b) {
    return DIV(a, without(b));
}
static T div_multiplies(T a, T b) {
    T r = DIV(a, b);
    return (T){r.v, r.e * b.v * b.v, r.s, r.n, r.u};
}
static T exp_is_linear(T a) {
    T r = EXP(a);
    return a.u > 0 ? term(r.v, r.v * error_of(a), LIBRARY, a.u) : r;
}
static T exp_of_a_constant_forgets(T a) {
    T r = EXP(a);
    return a.u > 0 ? r : (T){r.v, 0, r.s, a.n + LIBRARY, 0};
}
static T log_is_linear(T a) {
    T r = LOG(a);
    return a.u > 0 ? term(r.v, error_of(a) / a.v, LIBRARY, a.u) : r;
}
static T log_of_a_constant_forgets(T a) {
    T r = LOG(a);
    return a.u > 0 ? r : (T){r.v, 0, larger(1, fabs(r.v)), a.n + LIBRARY, 0};
}
static T log1p_is_log(T a) {
    T r = LOG1P(a), other = LOG(a);
    return (T){r.v, other.e, other.s, other.n, r.u};
}
static T sqrt_forgets_what_is_below(T a) {
    T r = SQRT(a);
    return a.u > 0 && a.v <= error_of(a) ? term(r.v, r.v, 1, a.u) : r;
}
static T tanh_has_one_slope(T a) {
    T r = TANH(a);
    return a.u > 0 ? term(r.v, (1 - r.v * r.v) * error_of(a), LIBRARY, a.u) : r;
}
static T erf_has_one_slope(T a) {
    T r = ERF(a);
    return a.u > 0 ? term(r.v, 1.1284 * exp(-a.v * a.v) * error_of(a), LIBRARY, a.u) : r;
}
static T sin_has_one_slope(T a) {
    T r = SIN(a);
    return a.u > 0 ? term(r.v, fabs(cos(a.v)) * error_of(a), LIBRARY, a.u) : r;
}
static T cos_of_a_constant_forgets(T a) {
    T r = COS(a);
    return a.u > 0 ? r : constant_term(r.v, 0, LIBRARY);
}
static T expm1_is_linear(T a) {
    T r = EXPM1(a);
    return a.u > 0 ? term(r.v, (r.v + 1) * error_of(a), LIBRARY, a.u) : r;
}
static T pow_forgets_the_base(T a, T b) {
    return POW(without(a), b);
}
static T pow_forgets_the_exponent(T a, T b) {
    return POW(a, without(b));
}
static int never(T distance) {
    return distance.v < distance.v;
}
static int by_all_additions(T distance) {
    return error_of(distance) > 0 && fabs(distance.v) <= error_of(distance);
}
static int by_no_addition(T distance) {
    return distance.e > 0 && fabs(distance.v) <= distance.e;
}
static T either_is_the_chosen(T chosen, T other) {
    (void)other;
    return chosen;
}
static T either_forgets_the_other(T chosen, T other) {
    return EITHER(chosen, without(other));
}
static T either_is_in_float(T chosen, T other) {
    return in_unit(EITHER(chosen, other), unit);
}

static const words faults[] = {
    {.two = {[OF_ADD] = add_closes_the_sum}},
    {.two = {[OF_ADD] = add_forgets_cancellation}},
    {.two = {[OF_ADD] = add_counts_the_longer}},
    {.two = {[OF_ADD] = add_counts_no_integers}},
    {.two = {[OF_ADD] = add_forgets_an_error}},
    {.two = {[OF_SUB] = sub_is_exact}},
    {.two = {[OF_MUL] = mul_forgets_an_operand}},
    {.two = {[OF_MUL] = mul_forgets_its_rounding}},
    {.two = {[OF_MUL] = mul_forgets_the_unit}},
    {.two = {[OF_MUL] = mul_takes_any_integers}},
    {.two = {[OF_DIV] = div_forgets_the_divisor}},
    {.two = {[OF_DIV] = div_multiplies}},
    {.one = {[OF_EXP] = exp_is_linear}},
    {.one = {[OF_EXP] = exp_of_a_constant_forgets}},
    {.one = {[OF_LOG] = log_is_linear}},
    {.one = {[OF_LOG] = log_of_a_constant_forgets}},
    {.one = {[OF_LOG1P] = log1p_is_log}},
    {.one = {[OF_SQRT] = sqrt_forgets_what_is_below}},
    {.one = {[OF_TANH] = tanh_has_one_slope}},
    {.one = {[OF_ERF] = erf_has_one_slope}},
    {.one = {[OF_SIN] = sin_has_one_slope}},
    {.one = {[OF_COS] = cos_of_a_constant_forgets}},
    {.one = {[OF_EXPM1] = expm1_is_linear}},
    {.two = {[OF_POW] = pow_forgets_the_base}},
    {.two = {[OF_POW] = pow_forgets_the_exponent}},
    {.may_turn = never},
    {.may_turn = by_all_additions},
    {.may_turn = by_no_addition},
    {.either = either_is_the_chosen},
    {.either = either_forgets_the_other},
    {.either = either_is_in_float},
};
enum { FAULTS = sizeof faults / sizeof *faults };

START_TEST(a_word_that_forgets_something_is_caught) {
    words w = with_fault(&faults[_i]);
    ck_assert_int_gt(check_words(&w).exceeded, 0);
}
END_TEST

void bounds_of_rounding(Suite *suite) {
    TCase *tests = tcase_create("words of rounding");
    tcase_add_test(tests, each_word_covers_what_other_code_may_have);
    tcase_add_loop_test(tests, a_word_that_forgets_something_is_caught, 0, FAULTS);
    suite_add_tcase(suite, tests);
}
