#include "kernels/activation.h"

#include "kernels/vmath.h"

/* f(z) and f'(z) as a function of y = f(z) */
SPOR_INLINE vec apply_tanh(vec z, T slope) {
    (void)slope;
    return vmath_tanh(z);
}
SPOR_INLINE vec slope_tanh(vec y, T slope) {
    (void)slope;
    return simd_fma(-y, y, simd_all((T)1));
}

SPOR_INLINE vec apply_sigmoid(vec z, T slope) {
    (void)slope;
    return vmath_sigmoid(z);
}
SPOR_INLINE vec slope_sigmoid(vec y, T slope) {
    (void)slope;
    return y * ((T)1 - y);
}

SPOR_INLINE vec apply_relu(vec z, T slope) {
    (void)slope;
    return simd_select(z <= (T)0, (vec){0}, z); /* a NaN stays one, as in the reference */
}
SPOR_INLINE vec slope_relu(vec y, T slope) {
    (void)slope;
    return simd_select(y > (T)0, simd_all((T)1), (vec){0});
}

SPOR_INLINE vec apply_leaky_relu(vec z, T slope) {
    return simd_select(z > (T)0, z, z * slope);
}
SPOR_INLINE vec slope_leaky_relu(vec y, T slope) {
    return simd_select(y > (T)0, simd_all((T)1), simd_all(slope));
}

/* A whole array of each: vectors, then what is left of one. */
#define DEFINE_LOOPS(name)                                                                         \
    static void apply_all_##name(T *y, int64_t count, T slope) {                                   \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= count; i += LANES)                                                     \
            simd_store(y + i, apply_##name(simd_load(y + i), slope));                              \
        if (i < count) {                                                                           \
            vec z = simd_load_part(y + i, count - i);                                              \
            simd_store_part(y + i, apply_##name(z, slope), count - i);                             \
        }                                                                                          \
    }                                                                                              \
    static void pull_all_##name(T *delta, const T *ybar, const T *y, int64_t count, T slope) {     \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= count; i += LANES)                                                     \
            simd_store(delta + i, simd_load(ybar + i) * slope_##name(simd_load(y + i), slope));    \
        if (i < count) {                                                                           \
            vec d = simd_load_part(ybar + i, count - i);                                           \
            d *= slope_##name(simd_load_part(y + i, count - i), slope);                            \
            simd_store_part(delta + i, d, count - i);                                              \
        }                                                                                          \
    }
SPOR_EACH_ACTIVATION(DEFINE_LOOPS)

#define TABLE_ENTRY(name) [SPOR_ACTIVATION_##name] = {apply_all_##name, pull_all_##name},
const spor_activation spor_activations[SPOR_ACTIVATIONS] = {SPOR_EACH_ACTIVATION(TABLE_ENTRY)};
