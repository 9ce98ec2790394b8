/*
 * exp, expm1, tanh, sigmoid, log, log1p, erf, sin, cos and pow of vectors, to 2.5 units in the last place over
 * the whole range, infinities and NaN included, as softplus made of them is; no libm, so that the bits
 * belong to the build alone. But sin and cos of what is far from 0 are libm's, lane by lane.
 * tests/ops/tiles.c holds the ops against exact numbers.
 *
 * x = n ln 2 + r with |r| <= (ln 2)/2, e^x = 2^n e^r, and e^r is its Taylor polynomial: at that
 * radius the first term left out is below a tenth of the last place.
 */
#ifndef SPOR_KERNELS_VMATH_H
#define SPOR_KERNELS_VMATH_H

#include "kernels/simd.h"

#if SPOR_F32_LANES
#define SPOR_MANTISSA 23
#define SPOR_BIAS 127
#define SPOR_LN2_HIGH 0x1.62e4p-1f /* few enough bits that n LN2_HIGH is exact */
#define SPOR_LN2_LOW 0x1.7f7d1cf79abcap-20f
#define SPOR_EXP_MOST 89.0f    /* e^x is infinite from here on */
#define SPOR_EXP_LEAST -105.0f /* and zero up to here */
#define SPOR_ROUNDER 0x1.8p23f /* adding it rounds to an integer */
#else
#define SPOR_MANTISSA 52
#define SPOR_BIAS 1023
#define SPOR_LN2_HIGH 0x1.62e42fefap-1
#define SPOR_LN2_LOW 0x1.cf79abc9e3b3ap-40
#define SPOR_EXP_MOST 710.0
#define SPOR_EXP_LEAST -746.0
#define SPOR_ROUNDER 0x1.8p52
#endif

#if defined(__clang__)
#define SPOR_UNROLL_ALL _Pragma("clang loop unroll(full)")
#else
#define SPOR_UNROLL_ALL _Pragma("GCC unroll 32")
#endif

/** p x + c: the next coefficient of a polynomial in x. */
SPOR_INLINE vec horner(vec p, vec x, T c) {
    return simd_fma(p, x, simd_all(c));
}

/** 1/2!, 1/3!, ... : (e^r - 1 - r) / r^2 as a polynomial in r. */
SPOR_INLINE vec vmath_exp_rest(vec r) {
#if SPOR_F32_LANES
    vec p = horner(simd_all((T)(1.0 / 5040)), r, (T)(1.0 / 720));
#else
    vec p = horner(simd_all((T)(1.0 / 6227020800.0)), r, (T)(1.0 / 479001600));
    p = horner(p, r, (T)(1.0 / 39916800));
    p = horner(p, r, (T)(1.0 / 3628800));
    p = horner(p, r, (T)(1.0 / 362880));
    p = horner(p, r, (T)(1.0 / 40320));
    p = horner(p, r, (T)(1.0 / 5040));
    p = horner(p, r, (T)(1.0 / 720));
#endif
    p = horner(p, r, (T)(1.0 / 120));
    p = horner(p, r, (T)(1.0 / 24));
    p = horner(p, r, (T)(1.0 / 6));
    return horner(p, r, (T)0.5);
}

/** 2^n for integers within the normal exponents. */
SPOR_INLINE vec vmath_power_of_two(ivec n) {
    return (vec)((n + SPOR_BIAS) << SPOR_MANTISSA);
}

/** x = n ln 2 + r; returns e^r - 1. x lies between SPOR_EXP_LEAST and SPOR_EXP_MOST. */
SPOR_INLINE vec vmath_exp_reduce(vec x, ivec *n) {
    const T inverse = (T)1.4426950408889634074;
    vec shifted = simd_fma(x, simd_all(inverse), simd_all(SPOR_ROUNDER));
    vec whole = shifted - SPOR_ROUNDER;
    *n = (ivec)shifted - (ivec)simd_all(SPOR_ROUNDER);
    vec r = simd_fma(whole, simd_all(-SPOR_LN2_HIGH), x);
    r = simd_fma(whole, simd_all(-SPOR_LN2_LOW), r);
    return simd_fma(r * r, vmath_exp_rest(r), r);
}

/** x clamped to where the exponent fits; NaN stays. */
SPOR_INLINE vec vmath_exp_clamp(vec x) {
    x = simd_select(x > SPOR_EXP_MOST, simd_all(SPOR_EXP_MOST), x);
    return simd_select(x < SPOR_EXP_LEAST, simd_all(SPOR_EXP_LEAST), x);
}

SPOR_INLINE vec vmath_exp(vec x) {
    ivec n;
    vec m = vmath_exp_reduce(vmath_exp_clamp(x), &n);
    /* 2^n in two factors: n may leave the exponents of normal numbers at either end */
    ivec half = n >> 1;
    return (m + (T)1) * vmath_power_of_two(half) * vmath_power_of_two(n - half);
}

/** |x|. */
SPOR_INLINE vec vmath_abs(vec x) {
    return (vec)((ivec)x & ~((ivec)simd_all((T)-0.0)));
}

/** y with the sign of x; y >= 0. */
SPOR_INLINE vec vmath_with_sign(vec y, vec x) {
    return (vec)((ivec)y | ((ivec)x & (ivec)simd_all((T)-0.0)));
}

/** With t = e^(2|x|) - 1, tanh|x| = t / (t + 2), which keeps small x accurate, and 1 - 2 / (t + 2),
 *  which keeps the others so. */
SPOR_INLINE vec vmath_tanh(vec x) {
    const T far = SPOR_F32_LANES ? (T)10 : (T)20; /* tanh rounds to 1 */
    vec size = vmath_abs(x);
    size = simd_select(size > far, simd_all(far), size);
    ivec n, large = size > (T)0.55;
    vec m = vmath_exp_reduce(size * (T)2, &n);
    vec scale = vmath_power_of_two(n);
    vec t = simd_fma(scale, m, scale - (T)1);
    vec quotient = simd_select(large, simd_all((T)-2), t) / (t + (T)2);
    return vmath_with_sign(simd_select(large, quotient + (T)1, quotient), x);
}

/** 1 / (1 + e^-x) by e = e^-|x| <= 1: 1 / (1 + e), or e / (1 + e) for negative x. */
SPOR_INLINE vec vmath_sigmoid(vec x) {
    vec e = vmath_exp(-vmath_abs(x));
    vec one = simd_all((T)1);
    return simd_select(x < (T)0, e, one) / (e + one);
}

/** n ln 2 + ln (1 + f), -1/4 <= f <= 1/2. With s = f / (f + 2), |s| <= 1/5,
 *  ln (1 + f) = 2 (s + s^3/3 + s^5/5 + ...), and 2 s = f - s f: what s is off by hardly counts. */
SPOR_INLINE vec vmath_log_near(vec n, vec f) {
    vec s = f / (f + (T)2), q = s * s;
#if SPOR_F32_LANES
    vec p = horner(simd_all((T)(2.0 / 11)), q, (T)(2.0 / 9));
#else
    vec p = horner(simd_all((T)(2.0 / 25)), q, (T)(2.0 / 23));
    p = horner(p, q, (T)(2.0 / 21));
    p = horner(p, q, (T)(2.0 / 19));
    p = horner(p, q, (T)(2.0 / 17));
    p = horner(p, q, (T)(2.0 / 15));
    p = horner(p, q, (T)(2.0 / 13));
    p = horner(p, q, (T)(2.0 / 11));
    p = horner(p, q, (T)(2.0 / 9));
#endif
    p = horner(p, q, (T)(2.0 / 7));
    p = horner(p, q, (T)(2.0 / 5));
    p = horner(p, q, (T)(2.0 / 3));
    vec small = simd_fma(n, simd_all(SPOR_LN2_LOW), s * simd_fma(q, p, -f));
    return simd_fma(n, simd_all(SPOR_LN2_HIGH), f + small);
}

/** ln x of a normal x; NaN stays. x = 2^n m, 3/4 <= m < 3/2. */
SPOR_INLINE vec vmath_log(vec x) {
    const spor_lane offset = (spor_lane)((SPOR_BIAS - 1) * ((spor_lane)1 << SPOR_MANTISSA) +
                                         ((spor_lane)1 << (SPOR_MANTISSA - 1)));
    ivec n = ((ivec)x - offset) >> SPOR_MANTISSA;
    vec m = (vec)((ivec)x - (n << SPOR_MANTISSA));
    vec y = vmath_log_near(__builtin_convertvector(n, vec), m - (T)1);
    return simd_select(x == x, y, x);
}

/** ln x of any x: what is too small to be normal is scaled up first, by 2^MANTISSA. */
SPOR_INLINE vec vmath_log_of_any(vec x) {
    const T normal = SPOR_F32_LANES ? (T)0x1p-126 : (T)0x1p-1022;
    const T scale = (T)((spor_lane)1 << SPOR_MANTISSA);
    ivec small = x < normal;
    vec y = vmath_log(simd_select(small, x * scale, x));
    vec shift = simd_all((T)SPOR_MANTISSA);
    vec down =
        simd_fma(-shift, simd_all(SPOR_LN2_HIGH), simd_fma(-shift, simd_all(SPOR_LN2_LOW), y));
    y = simd_select(small, down, y);
    y = simd_select(x == (T)0, simd_all(-(T)INFINITY), y);
    y = simd_select(x < (T)0, simd_all((T)NAN), y);
    return simd_select(x == (T)INFINITY, x, y);
}

/** ln (1 + x). Near 0 of x itself; elsewhere ln u of u, 1 + x as it is rounded, and (1 + x - u) / u. */
SPOR_INLINE vec vmath_log1p(vec x) {
    const spor_lane offset = (spor_lane)((SPOR_BIAS - 1) * ((spor_lane)1 << SPOR_MANTISSA) +
                                         ((spor_lane)1 << (SPOR_MANTISSA - 1)));
    const vec one = simd_all((T)1);
    ivec near = (x > (T)-0.25) & (x < (T)0.5);
    vec u = simd_select(near, one, x + one);
    vec lost = simd_select(x > one, one - (u - x), x - (u - one));
    ivec n = ((ivec)u - offset) >> SPOR_MANTISSA;
    vec m = (vec)((ivec)u - (n << SPOR_MANTISSA)) - one;
    vec y = vmath_log_near(__builtin_convertvector(n, vec), simd_select(near, x, m));
    y = simd_select(near, y, y + lost / u);
    y = simd_select(x == (T)-1, simd_all(-(T)INFINITY), y);
    y = simd_select(x < (T)-1, simd_all((T)NAN), y);
    ivec itself = (x == (T)0) | (x == (T)INFINITY) | (x != x);
    return simd_select(itself, x, y);
}

/** e^x - 1 = 2^n ((e^r - 1) + (1 - 2^-n)), in which nothing is lost where n is 0 */
SPOR_INLINE vec vmath_expm1(vec x) {
    const T least = SPOR_F32_LANES ? (T)-20 : (T)-40; /* e^x - 1 rounds to -1 */
    const spor_lane most = 60;                        /* 1 - 2^-n rounds to 1 */
    ivec n;
    vec m = vmath_exp_reduce(simd_select(x < least, simd_all(least), vmath_exp_clamp(x)), &n);
    ivec half = n >> 1, back = simd_select_int(n > most, simd_all_int(most), n);
    vec y = m + ((T)1 - vmath_power_of_two(-back));
    y = y * vmath_power_of_two(half) * vmath_power_of_two(n - half);
    return vmath_with_sign(vmath_abs(y), x);
}

/**
 * erf of |x| <= 1 as x P(x^2), of larger ones as 1 - e^-G(|x| - 1).
 *
 * P interpolates erf(x) / x at Chebyshev's nodes of x^2 in 0 .. 1. G is the polynomial of least squares
 * for -ln erfc(x), at 6 Chebyshev nodes for each coefficient in 1 .. 4 (double: 1 .. 6), weighted by
 * erfc(x) and 40 times again by what was off (Lawson), so that 1 - e^-G is off by about the same
 * everywhere. Both were solved in 50 digits; they are off by 2^-29.5 and 2^-29.9 of a result (double:
 * 2^-62 and 2^-59).
 */
SPOR_INLINE vec vmath_erf(vec x) {
#if SPOR_F32_LANES
    static const T near[] = {(T)1.1283791658483509,   (T)-0.37612626666720334,
                             (T)0.11283594715160218,  (T)-0.026854212010626412,
                             (T)0.005189087423433974, (T)-0.000801686428716587,
                             (T)7.875875062685488e-05};
    static const T far[] = {(T)1.8496055173185741,     (T)2.6389667764471114,
                            (T)0.8431186657823877,     (T)0.041499688137878264,
                            (T)-0.00988953285476052,   (T)0.0018253072620843676,
                            (T)-0.00018536212614569296};
    const T one_from = (T)4;
#else
    static const T near[] = {
        1.1283791670955126,      -0.3761263890318375,     0.11283791670954879,
        -0.026866170645076792,   0.0052239776248180145,   -0.000854832698083379,
        0.0001205533111164271,   -1.4925595266831182e-05, 1.6461000484121368e-06,
        -1.6350312701054695e-07, 1.4659775274047436e-08,  -1.1372848856791674e-09,
        5.957176147748911e-11};
    static const T far[] = {
        1.8496055099332482,      2.638967514234788,      0.8431072563586793,
        0.04156109804175863,     -0.010033825373871208,  0.0019779025643374866,
        -0.00023732246575510705, -2.627792278921287e-05, 2.715921562554032e-05,
        -9.609063690358582e-06,  2.059962512288763e-06,  -1.4304036896269704e-07,
        -9.744117474138277e-08,  5.198742307700236e-08,  -1.4894049647764545e-08,
        2.8598158411861396e-09,  -3.67565506842264e-10,  2.8749814841919963e-11,
        -1.0362489895808562e-12};
    const T one_from = 6;
#endif
    enum { NEAR = sizeof near / sizeof *near, FAR = sizeof far / sizeof *far };
    vec size = vmath_abs(x), q = x * x, p = simd_all(near[NEAR - 1]), g = simd_all(far[FAR - 1]);
    vec clamped = simd_select(size > one_from, simd_all(one_from), size);
    vec s = clamped - (T)1;
    SPOR_UNROLL_ALL for (int k = NEAR - 2; k >= 0; k--) p = horner(p, q, near[k]);
    SPOR_UNROLL_ALL for (int k = FAR - 2; k >= 0; k--) g = horner(g, s, far[k]);
    vec beyond = vmath_with_sign((T)1 - vmath_exp(-g), x);
    return simd_select(size > (T)1, beyond, x * p);
}

/** A number less n pi/2, as the sum of two. */
typedef struct {
    vec hi, lo;
    ivec n;
} vmath_angle;

/**
 * pi/2 is the sum of parts of so few bits that n times each is exact for |x| up to SPOR_ANGLE_MOST, but
 * for the last (Cody and Waite). What each difference rounds is kept (Knuth): the angle is off by 2^-118
 * (float: 2^-60) and no x comes nearer to a multiple of pi/2 than 2^-58 (2^-29).
 */
SPOR_INLINE vmath_angle vmath_reduce(vec x) {
#if SPOR_F32_LANES
    static const T part[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.444p-24f, 0x1.68cp-39f, 0x1.1a6264p-54f};
#else
    static const T part[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69,
                             0x1.b839a252049c1p-104};
#endif
    enum { PARTS = sizeof part / sizeof *part };
    const T inverse = (T)0.63661977236758134308;
    vec shifted = simd_fma(x, simd_all(inverse), simd_all(SPOR_ROUNDER));
    vec whole = shifted - SPOR_ROUNDER;
    vmath_angle a = {x - whole * part[0], (vec){0}, (ivec)shifted - (ivec)simd_all(SPOR_ROUNDER)};
    SPOR_UNROLL_ALL for (int k = 1; k < PARTS; k++) {
        vec less = -(whole * part[k]), sum = a.hi + less, of = sum - a.hi;
        a.lo += (a.hi - (sum - of)) + (less - of);
        a.hi = sum;
    }
    vec sum = a.hi + a.lo;
    a.lo = a.lo - (sum - a.hi);
    a.hi = sum;
    return a;
}

/** sin of hi + lo, |hi| <= pi/4, by Taylor's polynomial: the first term left out is below a twentieth of
 *  the last place. */
SPOR_INLINE vec vmath_sin_near(const vmath_angle *a) {
    vec q = a->hi * a->hi;
#if SPOR_F32_LANES
    vec p = horner(simd_all((T)(1.0 / 362880)), q, (T)(-1.0 / 5040));
#else
    vec p = horner(simd_all((T)(1.0 / 355687428096000.0)), q, (T)(-1.0 / 1307674368000.0));
    p = horner(p, q, (T)(1.0 / 6227020800.0));
    p = horner(p, q, (T)(-1.0 / 39916800));
    p = horner(p, q, (T)(1.0 / 362880));
    p = horner(p, q, (T)(-1.0 / 5040));
#endif
    p = horner(p, q, (T)(1.0 / 120));
    p = horner(p, q, (T)(-1.0 / 6));
    vec low = simd_fma(-(T)0.5 * q, a->lo, a->lo);
    return a->hi + simd_fma(a->hi * q, p, low);
}

/** cos, as (1 - q/2) and what that rounds. */
SPOR_INLINE vec vmath_cos_near(const vmath_angle *a) {
    vec q = a->hi * a->hi, half = (T)0.5 * q, high = (T)1 - half;
#if SPOR_F32_LANES
    vec p = horner(simd_all((T)(-1.0 / 3628800)), q, (T)(1.0 / 40320));
#else
    vec p = horner(simd_all((T)(1.0 / 20922789888000.0)), q, (T)(-1.0 / 87178291200.0));
    p = horner(p, q, (T)(1.0 / 479001600));
    p = horner(p, q, (T)(-1.0 / 3628800));
    p = horner(p, q, (T)(1.0 / 40320));
#endif
    p = horner(p, q, (T)(-1.0 / 720));
    p = horner(p, q, (T)(1.0 / 24));
    vec low = simd_fma(-a->hi, a->lo, ((T)1 - high) - half);
    return high + simd_fma(q * q, p, low);
}

#if SPOR_F32_LANES
#define SPOR_ANGLE_MOST 4096.0f
#else
#define SPOR_ANGLE_MOST 1048576.0
#endif

/** sin of x + turns pi/2; of what is not near, of_lane. */
SPOR_INLINE vec vmath_turned(vec x, spor_lane turns, T (*of_lane)(T x)) {
    ivec far = ~(vmath_abs(x) <= SPOR_ANGLE_MOST);
    vmath_angle a = vmath_reduce(simd_select(far, (vec){0}, x));
    ivec n = a.n + turns, odd = -(n & 1), flips = (n & 2) << (8 * sizeof(T) - 2);
    vec y = simd_select(odd, vmath_cos_near(&a), vmath_sin_near(&a));
    y = (vec)((ivec)y ^ flips);
    for (int k = 0; k < (int)LANES; k++)
        if (far[k]) y[k] = of_lane(x[k]);
    return y;
}

/** A reduced angle of 0 is x itself: -0 has its sign. */
SPOR_INLINE vec vmath_sin(vec x) {
    return simd_select(x == (T)0, x, vmath_turned(x, 0, SIN));
}
SPOR_INLINE vec vmath_cos(vec x) {
    return vmath_turned(x, 1, COS);
}

/* ---- x^y = 2^(y log2 x) ---- */

/** hi + lo: a number to twice the digits, less a few bits. */
typedef struct {
    vec hi, lo;
} vmath_two;

/** a b less p, which is a b as it is rounded; exactly. Without fused multiply-adds by halves of the digits
 *  (Veltkamp, Dekker). */
SPOR_INLINE vec vmath_product_rest(vec a, vec b, vec p) {
#if defined(__AVX512F__) || defined(__FMA__)
    return simd_fma(a, b, -p);
#else
    const T by = SPOR_F32_LANES ? (T)0x1.001p12 : (T)0x1.0000002p27;
    vec wide_a = a * by, a1 = wide_a - (wide_a - a), a2 = a - a1;
    vec wide_b = b * by, b1 = wide_b - (wide_b - b), b2 = b - b1;
    return ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2;
#endif
}

SPOR_INLINE vmath_two vmath_two_product(vmath_two a, vmath_two b) {
    vec hi = a.hi * b.hi;
    return (vmath_two){hi, vmath_product_rest(a.hi, b.hi, hi) + (a.hi * b.lo + a.lo * b.hi)};
}

/** a + b of |a| >= |b|, or of a = 0. */
SPOR_INLINE vmath_two vmath_two_sum(vmath_two a, vmath_two b) {
    vec hi = a.hi + b.hi;
    return (vmath_two){hi, ((a.hi - hi) + b.hi) + (a.lo + b.lo)};
}

SPOR_INLINE vmath_two vmath_two_all(const T c[2]) {
    return (vmath_two){simd_all(c[0]), simd_all(c[1])};
}

/**
 * log2 x of a positive, finite x = 2^n m, m between the roots of 1/2 and 2. With s = (m - 1) / (m + 1), |s| < 0.172,
 *   log2 m = s (c0 + c1 s^2 + c2 s^4 + ...), ck = 2 / ln 2 / (2 k + 1);
 * the first three to twice the digits, so that the whole is off by 2^-68 of itself (float: 2^-38): that is hardly
 * seen where y makes 2^10 (2^7) of it.
 */
SPOR_INLINE vmath_two vmath_log2(vec x) {
#if SPOR_F32_LANES
    const spor_lane offset = 0x3f3504f3; /* the bits of the root of 1/2 */
    const T normal = 0x1p-126f;
    static const T near[][2] = {{0x1.715476p+1f, 0x1.4ae0cp-25f},
                                {0x1.ec709ep-1f, -0x1.e2fe02p-28f},
                                {0x1.2776c6p-1f, -0x1.e20c8p-26f}};
    static const T far[] = {(T)0.4121985831111324, (T)0.3205988979753252, (T)0.2623081892525388,
                            (T)0.22195308321368667};
#else
    const spor_lane offset = 0x3fe6a09e667f3bcd;
    const T normal = 0x1p-1022;
    static const T near[][2] = {{0x1.71547652b82fep+1, 0x1.777d0ffda0d24p-55},
                                {0x1.ec709dc3a03fdp-1, 0x1.d27f05548af0cp-55},
                                {0x1.2776c50ef9bfep-1, 0x1.e4b29ccc535d4p-55}};
    static const T far[] = {0.4121985831111324,  0.3205988979753252,  0.2623081892525388,
                            0.22195308321368667, 0.19235933878519512, 0.16972882833987804,
                            0.15186263588304877, 0.1373995277037108,  0.12545174268599682,
                            0.11541560327111708};
#endif
    enum { FAR = sizeof far / sizeof *far };
    const T scale = (T)((spor_lane)1 << SPOR_MANTISSA);
    ivec small = x < normal;
    x = simd_select(small, x * scale, x);
    ivec n = ((ivec)x - offset) >> SPOR_MANTISSA;
    vec f = (vec)((ivec)x - (n << SPOR_MANTISSA)) - (T)1, sum = f + (T)2;
    n -= small & SPOR_MANTISSA;
    vmath_two s = {f / sum, {0}};
    vec back = s.hi * sum, lost = f - (sum - (T)2);
    s.lo = (((f - back) - vmath_product_rest(s.hi, sum, back)) - s.hi * lost) / sum;
    vmath_two q = vmath_two_product(s, s);
    vec p = simd_all(far[FAR - 1]);
    SPOR_UNROLL_ALL for (int k = FAR - 2; k >= 0; k--) p = horner(p, q.hi, far[k]);
    vmath_two y = vmath_two_sum(vmath_two_all(near[2]), (vmath_two){q.hi * p, {0}});
    y = vmath_two_sum(vmath_two_all(near[1]), vmath_two_product(q, y));
    y = vmath_two_sum(vmath_two_all(near[0]), vmath_two_product(q, y));
    y = vmath_two_product(s, y);
    return vmath_two_sum((vmath_two){__builtin_convertvector(n, vec), {0}}, y);
}

/** 2^e. e = n + r, 2^r = e^(r ln 2) = 1 + u + u^2 (1/2! + u/3! + ...): what 1 + u rounds is kept, and what u lacks is
 *  worth 1 + u of itself. */
SPOR_INLINE vec vmath_exp2(vmath_two e) {
#if SPOR_F32_LANES
    static const T ln2[] = {0x1.62e43p-1f, -0x1.05c61p-29f};
    const T most = 160; /* infinite, and of the other sign 0 */
#else
    static const T ln2[] = {0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56};
    const T most = 1100;
#endif
    e.lo = simd_select(vmath_abs(e.hi) > most, (vec){0}, e.lo);
    e.hi = simd_select(e.hi > most, simd_all(most), e.hi);
    e.hi = simd_select(e.hi < -most, simd_all(-most), e.hi);
    vec shifted = e.hi + SPOR_ROUNDER;
    ivec n = (ivec)shifted - (ivec)simd_all(SPOR_ROUNDER), half = n >> 1;
    vec r = e.hi - (shifted - SPOR_ROUNDER);
    e = vmath_two_sum((vmath_two){r, {0}}, (vmath_two){e.lo, {0}});
    vmath_two u = vmath_two_product(e, vmath_two_all(ln2));
    vec y = u.hi + (T)1, lost = u.hi - (y - (T)1);
    y += lost + simd_fma(u.hi * u.hi, vmath_exp_rest(u.hi), u.lo * y);
    return y * vmath_power_of_two(half) * vmath_power_of_two(n - half);
}

/** Whole numbers, infinities too. */
SPOR_INLINE ivec vmath_is_whole(vec y) {
    const T all_are = (T)((spor_lane)1 << SPOR_MANTISSA);
    vec size = vmath_abs(y);
    return (size >= all_are) | ((size + all_are) - all_are == size);
}

/** x^y as C's Annex F has it. An exponent beyond `most` makes 0 or infinity of all that is not 1. */
SPOR_INLINE vec vmath_pow(vec x, vec y) {
    const vec one = simd_all((T)1), infinity = simd_all((T)INFINITY);
    const T most = SPOR_F32_LANES ? (T)0x1p33 : (T)0x1p65;
    const vec size = vmath_abs(x);
    const ivec whole = vmath_is_whole(y), odd = whole & ~vmath_is_whole(y * (T)0.5);
    const ivec edge = (size == (T)0) | (size == infinity), grows = (size == infinity) ^ (y < (T)0);
    vmath_two by = {simd_select(y > most, simd_all(most), y), {0}};
    by.hi = simd_select(y < -most, simd_all(-most), by.hi);
    vec z = vmath_exp2(vmath_two_product(vmath_log2(simd_select(edge, one, size)), by));
    z = simd_select(edge, simd_select(grows, infinity, (vec){0}), z);
    z = (vec)((ivec)z | (odd & (ivec)x & (ivec)simd_all((T)-0.0)));
    ivec none = ((x < (T)0) & (size < infinity) & ~whole) | (x != x) | (y != y);
    z = simd_select(none, simd_all((T)NAN), z);
    return simd_select((y == (T)0) | (x == one), one, z);
}

#endif
