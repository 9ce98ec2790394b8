/*
 * The activations that fast layers take in: their words, once. An activation is an elementwise op
 * whose derivative is a function of its value y; slope is leaky_relu's, others ignore it.
 */
#ifndef SPOR_KERNELS_ACTIVATION_H
#define SPOR_KERNELS_ACTIVATION_H

#define SPOR_EACH_ACTIVATION(X) X(tanh) X(sigmoid) X(relu) X(leaky_relu)

/** Number 0 is no activation; the others count in the order of the list. */
enum {
    SPOR_ACTIVATION_none,
#define SPOR_ACTIVATION_ENUM_(name) SPOR_ACTIVATION_##name,
    SPOR_EACH_ACTIVATION(SPOR_ACTIVATION_ENUM_)
#undef SPOR_ACTIVATION_ENUM_
        SPOR_ACTIVATIONS
};

#ifdef SPOR_ISA
#include "kernels/simd.h"

typedef struct {
    /** y[i] = f(y[i]); NULL for none */
    void (*apply)(T *y, int64_t count, T slope);
    /** delta[i] = ybar[i] f'(y[i]) with f' as a function of y; NULL for none */
    void (*pull)(T *delta, const T *ybar, const T *y, int64_t count, T slope);
} spor_activation;

#define spor_activations SPOR_BUILT(spor_activations)
extern const spor_activation spor_activations[SPOR_ACTIVATIONS];
#endif

#endif
