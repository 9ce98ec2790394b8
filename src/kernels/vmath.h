/*
 * exp, tanh, sigmoid, log and log1p of vectors, to 2.5 units in the last place over the whole
 * range, infinities and NaN included, as softplus made of them is; no libm, so that the bits belong
 * to the build alone. tests/ops/tiles.c holds the ops against exact numbers.
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

/** ln (1 + x) of 0 <= x <= 1: that, or ln 2 + ln ((1 + x) / 2), of which no 1 + x is rounded. */
SPOR_INLINE vec vmath_log1p(vec x) {
    ivec far = x > (T)0.5;
    vec n = simd_select(far, simd_all((T)1), simd_all((T)0));
    return vmath_log_near(n, simd_select(far, (x - (T)1) * (T)0.5, x));
}

#endif
