/*
 * Tile kernels of elementwise ops: the words of kernels/scalar.h over vectors, lane by lane, so that
 * the function under ELEMENT_KERNEL (kernels/reference.h) is the definition of both.
 *
 * ADD SUB MUL DIV SQRT and what only picks or negates have the bits of the reference kernel; EXP,
 * TANH, LOG, LOG1P, ERF, SIN, COS, EXPM1 and POW are those of kernels/vmath.h.
 */
#ifndef SPOR_KERNELS_TILE_H
#define SPOR_KERNELS_TILE_H

#include "kernels/group.h"
#include "kernels/vmath.h"

/** What a lane holds: float or double. */
typedef T spor_lane_value;

/** Head of the kernel that tape/op.h declares as spor_tile_<op>_<isa>_<scalar>. */
#define TILE_KERNEL(op)                                                                            \
    extern spor_tile_kernel SPOR_BUILT(spor_tile_##op);                                            \
    void SPOR_BUILT(spor_tile_##op)(const spor_tile *t)

/* Whole vectors from element i on; each operand at in[k] + (i & mask[k]), or all at in[k] + i. */
#define TILE_LOOP(op, n, at)                                                                       \
    SPOR_UNROLL_SOME for (; i + LANES <= count; i += LANES) {                                      \
        SPOR_UNROLL for (int k = 0; k < (n); k++) x[k] = simd_load(in[k] + (at));                  \
        simd_store(out + i, op##_element(x, attr));                                                \
    }

#define ELEMENT_KERNEL(op, n)                                                                      \
    SPOR_INLINE vec op##_element(const vec x[], const spor_attr attr[]);                           \
    TILE_KERNEL(op) {                                                                              \
        const spor_lane_value *in[n];                                                              \
        spor_lane_value *out = t->out;                                                             \
        const spor_attr *attr = t->attr;                                                           \
        const int64_t count = t->count;                                                            \
        int64_t mask[n], i = 0, all = -1;                                                          \
        vec x[n];                                                                                  \
        SPOR_UNROLL for (int k = 0; k < (n); k++) {                                                \
            in[k] = t->in[k];                                                                      \
            all &= mask[k] = t->mask[k];                                                           \
        }                                                                                          \
        if (all == -1) {                                                                           \
            TILE_LOOP(op, n, i)                                                                    \
        }                                                                                          \
        TILE_LOOP(op, n, i &mask[k])                                                               \
        if (i == count) return;                                                                    \
        SPOR_UNROLL for (int k = 0; k < (n); k++) x[k] =                                           \
            simd_load_part(in[k] + (i & mask[k]), count - i);                                      \
        simd_store_part(out + i, op##_element(x, attr), count - i);                                \
    }                                                                                              \
    SPOR_INLINE vec op##_element(const vec x[], const spor_attr attr[] __attribute__((unused)))

/* The words; what an op file says from here on is said of vectors. */
#define T vec
#undef MASK
#define MASK ivec
#undef PICK
#define PICK(mask, a, b) simd_select(mask, a, b)
#define FROM_INT(i) simd_all((spor_lane_value)(i))
#define FROM_REAL(r) simd_all((spor_lane_value)(r))
#define KNOWN_TO(r, error) ((void)(error), FROM_REAL(r))
#define ADD(a, b) ((a) + (b))
#define SUB(a, b) ((a) - (b))
#define MUL(a, b) ((a) * (b))
#define DIV(a, b) ((a) / (b))
#define NEG(a) (-(a))
#define SQRT(a) simd_sqrt(a)
#define EXP(a) vmath_exp(a)
#define TANH(a) vmath_tanh(a)
#define ERF(a) vmath_erf(a)
#define SIN(a) vmath_sin(a)
#define COS(a) vmath_cos(a)
#define EXPM1(a) vmath_expm1(a)
#define POW(a, b) vmath_pow(a, b)
#define LOG(a) vmath_log_of_any(a)
#define LOG1P(a) vmath_log1p(a)
#define LESS(a, b) ((a) < (b))
#define IS_NAN(a) ((a) != (a))
#define IS_ZERO(a) ((a) == FROM_INT(0))
#define WINS(a, largest) lanes_win(a, largest)
#define OR_ELSE(chosen, other, distance) ((void)(other), (void)(distance), (chosen))

#endif
