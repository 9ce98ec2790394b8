/*
 * Numbers known far better than in double: the sum hi + lo of two doubles, lo at most half a unit
 * of hi. + - * / and the square root are right to about 2^-100 (Dekker; Knuth), where nothing
 * underflows; functions to 2^-63, as long double gives them, which must be wider than double.
 */
#ifndef SPOR_TESTS_EXACT_H
#define SPOR_TESTS_EXACT_H

#include <math.h>

typedef struct {
    double hi, lo;
} exact;

/* hi + lo of any two; an infinity and what is not a number have no low part. */
static inline exact exact_of(double hi, double lo) {
    double sum = hi + lo, part = sum - hi;
    if (!isfinite(sum)) return (exact){sum, 0};
    return (exact){sum, (hi - (sum - part)) + (lo - part)};
}
static inline exact exact_of_wide(long double x) {
    double hi = (double)x;
    return isfinite(hi) ? exact_of(hi, (double)(x - (long double)hi)) : (exact){hi, 0};
}
static inline exact exact_neg(exact a) {
    return (exact){-a.hi, -a.lo};
}
static inline exact exact_abs(exact a) {
    return a.hi < 0 ? exact_neg(a) : a;
}
static inline exact exact_add(exact a, exact b) {
    exact high = exact_of(a.hi, b.hi), low = exact_of(a.lo, b.lo);
    if (!isfinite(high.hi)) return high;
    high = exact_of(high.hi, high.lo + low.hi);
    return exact_of(high.hi, high.lo + low.lo);
}
static inline exact exact_sub(exact a, exact b) {
    return exact_add(a, exact_neg(b));
}
static inline exact exact_mul(exact a, exact b) {
    double p = a.hi * b.hi;
    if (!isfinite(p)) return (exact){p, 0};
    return exact_of(p, fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi));
}
static inline exact exact_div(exact a, exact b) {
    double q = a.hi / b.hi;
    if (!isfinite(q) || !isfinite(b.hi)) return (exact){q, 0};
    exact rest = exact_sub(a, exact_mul(b, (exact){q, 0}));
    double r = rest.hi / b.hi;
    rest = exact_sub(rest, exact_mul(b, (exact){r, 0}));
    return exact_add(exact_of(q, r), (exact){rest.hi / b.hi, 0});
}
static inline exact exact_sqrt(exact a) {
    double root = sqrt(a.hi);
    if (!(root > 0) || !isfinite(root)) return (exact){root, 0};
    exact rest = exact_sub(a, exact_mul((exact){root, 0}, (exact){root, 0}));
    return exact_add((exact){root, 0}, (exact){rest.hi / (2 * root), 0});
}
/* e^(hi + lo) = e^hi + e^hi (e^lo - 1) */
static inline exact exact_exp(exact a) {
    long double e = expl((long double)a.hi);
    if (!isfinite((double)e)) return exact_of_wide(e);
    return exact_add(exact_of_wide(e), exact_of_wide(e * expm1l((long double)a.lo)));
}
static inline exact exact_log(exact a) {
    exact high = exact_of_wide(logl((long double)a.hi));
    if (!isfinite(high.hi)) return high;
    return exact_add(high, exact_of_wide(log1pl((long double)a.lo / (long double)a.hi)));
}
static inline exact exact_log1p(exact a) {
    exact high = exact_of_wide(log1pl((long double)a.hi));
    if (!isfinite(high.hi)) return high;
    return exact_add(high, exact_of_wide(log1pl((long double)a.lo / (1 + (long double)a.hi))));
}
/* tanh' = 1 - tanh^2 */
static inline exact exact_tanh(exact a) {
    long double t = tanhl((long double)a.hi);
    return exact_add(exact_of_wide(t), exact_of_wide((1 - t * t) * (long double)a.lo));
}
/* erf' = 2 / sqrt(pi) e^(-x^2) */
static inline exact exact_erf(exact a) {
    long double x = (long double)a.hi, slope = 1.12837916709551257390L * expl(-x * x);
    return exact_add(exact_of_wide(erfl(x)), exact_of_wide(slope * (long double)a.lo));
}
/* Both parts turn: the low one of a large number is no small angle. */
static inline exact exact_sin(exact a) {
    long double x = (long double)a.hi, d = (long double)a.lo;
    return exact_add(exact_of_wide(sinl(x) * cosl(d)), exact_of_wide(cosl(x) * sinl(d)));
}
/* Near 0 as 1 - 2 sin^2 (x / 2). */
static inline exact exact_cos(exact a) {
    exact half = exact_sin((exact){a.hi / 2, a.lo / 2}), square = exact_mul(half, half);
    if (fabs(a.hi) < 0.5) return exact_sub((exact){1, 0}, exact_add(square, square));
    long double x = (long double)a.hi, d = (long double)a.lo;
    return exact_sub(exact_of_wide(cosl(x) * cosl(d)), exact_of_wide(sinl(x) * sinl(d)));
}
static inline exact exact_expm1(exact a) {
    long double less = expm1l((long double)a.hi);
    if (!isfinite((double)less)) return exact_of_wide(less);
    return exact_add(exact_of_wide(less), exact_of_wide((less + 1) * expm1l((long double)a.lo)));
}
/* x^y (1 + y dx / x + ln x dy); the square is a product. */
static inline exact exact_pow(exact a, exact b) {
    if (fabs(b.hi - 2) <= 0 && fabs(b.lo) <= 0) return exact_mul(a, a);
    long double x = (long double)a.hi, v = powl(x, (long double)b.hi), off = 0;
    exact high = exact_of_wide(v);
    if (!isfinite(high.hi)) return high;
    if (fabs(a.lo) > 0) off += (long double)b.hi * (long double)a.lo / x;
    if (fabs(b.lo) > 0 && fabs(a.hi) > 0) off += logl(x) * (long double)b.lo;
    return exact_add(high, exact_of_wide(v * off));
}

#endif
