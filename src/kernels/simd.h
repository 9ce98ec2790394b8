/*
 * Vectors of T for the instruction set a file is built for, by the compiler's vector extensions.
 *
 * Included by what is compiled per instruction set and scalar type (SPOR_ISA, SPOR_SCALAR). Vector
 * types stay inside static always-inline helpers: they never cross a call, so files built for
 * different sets agree about calling conventions.
 */
#ifndef SPOR_KERNELS_SIMD_H
#define SPOR_KERNELS_SIMD_H

#include <string.h>
#include "kernels/kernel.h"
#include "kernels/scalar.h"
#if defined(__AVX2__)
#include <immintrin.h>
#elif defined(__SSE2__)
#include <emmintrin.h>
#endif

#ifdef __FAST_MATH__
#error "fast kernels rely on IEEE arithmetic: build without -ffast-math"
#endif

#if defined(__AVX512F__)
#define SPOR_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define SPOR_VECTOR_BYTES 32
#else
#define SPOR_VECTOR_BYTES 16
#endif

#define SPOR_F32_LANES SCALAR_IS_SINGLE
#if SPOR_F32_LANES
typedef int32_t spor_lane;
#else
typedef int64_t spor_lane;
#endif

/** A vector of T, and one of integers as wide: lanes of comparisons are 0 or -1. */
typedef T vec __attribute__((vector_size(SPOR_VECTOR_BYTES)));
typedef spor_lane ivec __attribute__((vector_size(SPOR_VECTOR_BYTES)));
/** One byte for each lane. */
typedef uint8_t bytes_vec __attribute__((vector_size(SPOR_VECTOR_BYTES / sizeof(T))));

enum { SPOR_LANES = SPOR_VECTOR_BYTES / sizeof(T) };
#define LANES ((int64_t)SPOR_LANES)

/* Checks of every pointer in unrolled code take the compiler minutes; those of addresses stay. */
#define SPOR_INLINE static inline __attribute__((always_inline, no_sanitize("undefined")))

#if defined(__clang__)
#define SPOR_UNROLL _Pragma("clang loop unroll(full)")
#define SPOR_UNROLL_SOME _Pragma("clang loop unroll_count(2)")
#else
#define SPOR_UNROLL _Pragma("GCC unroll 16")
#define SPOR_UNROLL_SOME _Pragma("GCC unroll 2")
#endif

/** The name of a function that exists once per instruction set and scalar type. */
#define SPOR_BUILT(name) SPOR_BUILT_1(name, SPOR_ISA, SPOR_SCALAR)
#define SPOR_BUILT_1(name, isa, scalar) SPOR_BUILT_2(name, isa, scalar)
#define SPOR_BUILT_2(name, isa, scalar) name##_##isa##_##scalar

/** Head of the kernel that tape/op.h declares as spor_fast_<op>_<isa>_<scalar>. */
#define FAST_KERNEL(op)                                                                            \
    extern spor_kernel SPOR_BUILT(spor_fast_##op);                                                 \
    void SPOR_BUILT(spor_fast_##op)(const spor_call *c, int64_t task)

SPOR_INLINE vec simd_load(const T *from) {
    vec v;
    memcpy(&v, from, sizeof v);
    return v;
}

SPOR_INLINE void simd_store(T *to, vec v) {
    memcpy(to, &v, sizeof v);
}

/** A store past the caches, where the machine has one, to whole vectors of memory: what is there is not read
 *  before, and what lies in the caches stays. Others see it after simd_flush. */
SPOR_INLINE void simd_stream(T *to, vec v) {
#if defined(__AVX512F__)
    _mm512_stream_si512((void *)to, (__m512i)v);
#elif defined(__AVX2__)
    _mm256_stream_si256((void *)to, (__m256i)v);
#elif defined(__SSE2__)
    _mm_stream_si128((void *)to, (__m128i)v);
#else
    simd_store(to, v);
#endif
}
SPOR_INLINE void simd_flush(void) {
#ifdef __SSE2__
    _mm_sfence();
#endif
}

/** All lanes s; s - 0 is s for every s, -0 included. */
SPOR_INLINE vec simd_all(T s) {
    return s - (vec){0};
}
SPOR_INLINE ivec simd_all_int(spor_lane s) {
    return s - (ivec){0};
}

/** a b + c: rounded once where the set has fused multiply-adds, else twice. Nothing else is fused:
 *  the bits are what the source says, whatever the compiler or its optimisation. */
SPOR_INLINE vec simd_fma(vec a, vec b, vec c) {
#if defined(__AVX512F__) && SPOR_F32_LANES
    return (vec)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX512F__)
    return (vec)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__) && SPOR_F32_LANES
    return (vec)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__FMA__)
    return (vec)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
    return a * b + c;
#endif
}

/** Square roots, rounded as IEEE asks. */
SPOR_INLINE vec simd_sqrt(vec a) {
#if defined(__AVX512F__) && SPOR_F32_LANES
    return (vec)_mm512_sqrt_ps((__m512)a);
#elif defined(__AVX512F__)
    return (vec)_mm512_sqrt_pd((__m512d)a);
#elif defined(__AVX2__) && SPOR_F32_LANES
    return (vec)_mm256_sqrt_ps((__m256)a);
#elif defined(__AVX2__)
    return (vec)_mm256_sqrt_pd((__m256d)a);
#else
    for (int i = 0; i < (int)LANES; i++) a[i] = SQRT(a[i]);
    return a;
#endif
}

/** A mask of the first lanes. */
SPOR_INLINE ivec simd_first_lanes(int64_t count) {
    ivec lane;
    for (int i = 0; i < (int)LANES; i++) lane[i] = i;
    return lane < simd_all_int((spor_lane)count);
}

/* A part of a vector takes several times as long as the whole where there are no masks, and by those of AVX2 on some
 * processors. */
#ifdef __AVX512F__
#define SIMD_PARTS_ARE_QUICK true
#else
#define SIMD_PARTS_ARE_QUICK false
#endif

/** The first lanes of a vector, 1 <= count <= LANES; the others 0. Touches no memory beyond. */
SPOR_INLINE vec simd_load_part(const T *from, int64_t count) {
    if (!SIMD_PARTS_ARE_QUICK && count == LANES) return simd_load(from);
#if defined(__AVX512F__) && SPOR_F32_LANES
    return (vec)_mm512_maskz_loadu_ps((__mmask16)(0xffffu >> (LANES - count)), from);
#elif defined(__AVX512F__)
    return (vec)_mm512_maskz_loadu_pd((__mmask8)(0xffu >> (LANES - count)), from);
#elif defined(__AVX2__) && SPOR_F32_LANES
    return (vec)_mm256_maskload_ps(from, (__m256i)simd_first_lanes(count));
#elif defined(__AVX2__)
    return (vec)_mm256_maskload_pd(from, (__m256i)simd_first_lanes(count));
#else
    vec v = {0};
    for (int64_t i = 0; i < count; i++) v[i] = from[i];
    return v;
#endif
}

SPOR_INLINE void simd_store_part(T *to, vec v, int64_t count) {
    if (!SIMD_PARTS_ARE_QUICK && count == LANES) {
        simd_store(to, v);
        return;
    }
#if defined(__AVX512F__) && SPOR_F32_LANES
    _mm512_mask_storeu_ps(to, (__mmask16)(0xffffu >> (LANES - count)), (__m512)v);
#elif defined(__AVX512F__)
    _mm512_mask_storeu_pd(to, (__mmask8)(0xffu >> (LANES - count)), (__m512d)v);
#elif defined(__AVX2__) && SPOR_F32_LANES
    _mm256_maskstore_ps(to, (__m256i)simd_first_lanes(count), (__m256)v);
#elif defined(__AVX2__)
    _mm256_maskstore_pd(to, (__m256i)simd_first_lanes(count), (__m256d)v);
#else
    for (int64_t i = 0; i < count; i++) to[i] = v[i];
#endif
}

/** Lanes of a where the mask is set, else of b. */
SPOR_INLINE vec simd_select(ivec mask, vec a, vec b) {
    return (vec)((mask & (ivec)a) | (~mask & (ivec)b));
}

SPOR_INLINE ivec simd_select_int(ivec mask, ivec a, ivec b) {
    return (mask & a) | (~mask & b);
}

/* Lanes of a and b in turn, from their first halves and from their second ones; those of one
 * backwards. */
#if SPOR_VECTOR_BYTES == 64 && SPOR_F32_LANES
#define SPOR_BACK 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0
#define SPOR_LOW 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define SPOR_HIGH 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#elif SPOR_VECTOR_BYTES == (SPOR_F32_LANES ? 32 : 64)
#define SPOR_BACK 7, 6, 5, 4, 3, 2, 1, 0
#define SPOR_LOW 0, 8, 1, 9, 2, 10, 3, 11
#define SPOR_HIGH 4, 12, 5, 13, 6, 14, 7, 15
#elif SPOR_VECTOR_BYTES == (SPOR_F32_LANES ? 16 : 32)
#define SPOR_BACK 3, 2, 1, 0
#define SPOR_LOW 0, 4, 1, 5
#define SPOR_HIGH 2, 6, 3, 7
#else
#define SPOR_BACK 1, 0
#define SPOR_LOW 0, 2
#define SPOR_HIGH 1, 3
#endif
#if defined(__clang__)
#define SPOR_SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define SPOR_SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (ivec){__VA_ARGS__})
#endif

/** A square of LANES vectors: lane j of vector i becomes lane i of vector j. Shuffling the halves
 * of the square together moves the top bit of the row's number to the end of the column's; after
 *  log2(LANES) times they have changed places. */
SPOR_INLINE void simd_turn_square(vec v[]) {
    SPOR_UNROLL for (int stage = 1; stage < (int)LANES; stage *= 2) {
        vec w[LANES];
        SPOR_UNROLL for (int i = 0; i < (int)LANES / 2; i++) {
            w[2 * i] = SPOR_SHUFFLE(v[i], v[i + (int)LANES / 2], SPOR_LOW);
            w[2 * i + 1] = SPOR_SHUFFLE(v[i], v[i + (int)LANES / 2], SPOR_HIGH);
        }
        SPOR_UNROLL for (int i = 0; i < (int)LANES; i++) v[i] = w[i];
    }
}

/** The lanes in the opposite order. */
SPOR_INLINE vec simd_turn_back(vec v) {
    return SPOR_SHUFFLE(v, v, SPOR_BACK);
}

/* Two halves of a vector folded into one, in registers: where rows are short an array of lanes in
 * memory costs more than the rest. */
#define SIMD_FOLD(bytes, whole)                                                                    \
    typedef T half_##bytes __attribute__((vector_size(bytes)));                                    \
    typedef spor_lane int_half_##bytes __attribute__((vector_size(bytes)));                        \
    SPOR_INLINE half_##bytes simd_half_##bytes(const whole *v, int which) {                        \
        half_##bytes half;                                                                         \
        memcpy(&half, (const char *)v + which * bytes, sizeof half);                               \
        return half;                                                                               \
    }                                                                                              \
    SPOR_INLINE half_##bytes simd_sum_##bytes(whole v) {                                           \
        return simd_half_##bytes(&v, 0) + simd_half_##bytes(&v, 1);                                \
    }                                                                                              \
    SPOR_INLINE half_##bytes simd_most_##bytes(whole v) {                                          \
        half_##bytes most = simd_half_##bytes(&v, 0), a = simd_half_##bytes(&v, 1);                \
        int_half_##bytes wins = ~(a <= most) & (most == most);                                     \
        return (half_##bytes)((wins & (int_half_##bytes)a) | (~wins & (int_half_##bytes)most));    \
    }
#if SPOR_VECTOR_BYTES == 64
SIMD_FOLD(32, vec)
SIMD_FOLD(16, half_32)
#define SIMD_FOLDED(how, v) how##_16(how##_32(v))
#elif SPOR_VECTOR_BYTES == 32
SIMD_FOLD(16, vec)
#define SIMD_FOLDED(how, v) how##_16(v)
#else
typedef vec half_16;
#define SIMD_FOLDED(how, v) (v)
#endif

/** Sum of the lanes, halves first. */
SPOR_INLINE T simd_lanes_sum(vec v) {
    half_16 q = SIMD_FOLDED(simd_sum, v);
#if SCALAR_IS_SINGLE
    return (q[0] + q[2]) + (q[1] + q[3]);
#else
    return q[0] + q[1];
#endif
}

/** WINS of kernels/scalar.h lane by lane: a takes the place of the largest so far. */
SPOR_INLINE ivec lanes_win(vec a, vec largest) {
    return ~(a <= largest) & (largest == largest);
}

/** The one of two that WINS leaves. */
SPOR_INLINE T simd_more(T largest, T a) {
    return WINS(a, largest) ? a : largest;
}

/** Largest lane, or one that is not a number. */
SPOR_INLINE T simd_lanes_most(vec v) {
    half_16 q = SIMD_FOLDED(simd_most, v);
#if SCALAR_IS_SINGLE
    return simd_more(simd_more(q[0], q[2]), simd_more(q[1], q[3]));
#else
    return simd_more(q[0], q[1]);
#endif
}

#endif
