#include "kernels/activation.h"

#include "kernels/vmath.h"

/* f(z) and f'(z) as a function of y = f(z) */
SPOR_INLINE vec apply_tanh(vec z, T slope) {
    (void)slope;
    return spor_vtanh(z);
}
SPOR_INLINE vec slope_tanh(vec y, T slope) {
    (void)slope;
    return spor_fma(-y, y, spor_all((T)1));
}

SPOR_INLINE vec apply_sigmoid(vec z, T slope) {
    (void)slope;
    return spor_vsigmoid(z);
}
SPOR_INLINE vec slope_sigmoid(vec y, T slope) {
    (void)slope;
    return y * ((T)1 - y);
}

SPOR_INLINE vec apply_relu(vec z, T slope) {
    (void)slope;
    return spor_select(z <= (T)0, (vec){0}, z); /* a NaN stays one, as in the reference */
}
SPOR_INLINE vec slope_relu(vec y, T slope) {
    (void)slope;
    return spor_select(y > (T)0, spor_all((T)1), (vec){0});
}

SPOR_INLINE vec apply_leaky_relu(vec z, T slope) {
    return spor_select(z > (T)0, z, z * slope);
}
SPOR_INLINE vec slope_leaky_relu(vec y, T slope) {
    return spor_select(y > (T)0, spor_all((T)1), spor_all(slope));
}

/* A whole array of each: vectors, then what is left of one. */
#define DEFINE_LOOPS(name)                                                                         \
    static void apply_all_##name(T *y, int64_t count, T slope) {                                   \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= count; i += LANES)                                                     \
            spor_store(y + i, apply_##name(spor_load(y + i), slope));                              \
        if (i < count) {                                                                           \
            vec z = spor_load_part(y + i, count - i);                                              \
            spor_store_part(y + i, apply_##name(z, slope), count - i);                             \
        }                                                                                          \
    }                                                                                              \
    static void pull_all_##name(T *delta, const T *ybar, const T *y, int64_t count, T slope) {     \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= count; i += LANES)                                                     \
            spor_store(delta + i, spor_load(ybar + i) * slope_##name(spor_load(y + i), slope));    \
        if (i < count) {                                                                           \
            vec d = spor_load_part(ybar + i, count - i);                                           \
            d *= slope_##name(spor_load_part(y + i, count - i), slope);                            \
            spor_store_part(delta + i, d, count - i);                                              \
        }                                                                                          \
    }
SPOR_EACH_ACTIVATION(DEFINE_LOOPS)

#define TABLE_ENTRY(name) [SPOR_ACTIVATION_##name] = {apply_all_##name, pull_all_##name},
const spor_activation spor_activations[SPOR_ACTIVATIONS] = {SPOR_EACH_ACTIVATION(TABLE_ENTRY)};
