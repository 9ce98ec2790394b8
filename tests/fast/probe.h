/*
 * One layer under test: the same tape by the fast path, in every scalar type and on every
 * instruction set this machine has, and by reference in double.
 *
 * The layer is recorded with parameters "x", "W", "b" (as many as it has); the cost is
 * sum(G o y) with G a parameter too, so that dG is the forward value and the others' gradients are
 * the backward formulas at dY = G.
 */
#ifndef SPOR_TESTS_FAST_PROBE_H
#define SPOR_TESTS_FAST_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <spor/spor.h>

/** Parameters of a probe at most: x, W, b, G. */
enum { PROBE_ENTRIES = 4, PROBE_SETS = 3, PROBE_TYPES = 2 };

/** The activations a probe applies; leaky_relu has slope 1/4, so that integers stay exact. */
typedef enum { PROBE_NONE, PROBE_TANH, PROBE_SIGMOID, PROBE_RELU, PROBE_LEAKY } probe_activation;

typedef struct {
    const char *path; /* the fast path that must be taken */
    /** Records the layer, linear or with its activation, and returns y. */
    spor_var (*record)(spor_tape *tape, const void *shape, probe_activation activation);
    const void *shape;
    probe_activation activation;
    /** Lengths of the sums: of y, then of the gradients in order of the parameters. */
    int64_t terms[PROBE_ENTRIES];
    uint64_t seed;
    /** Only integers are drawn, where reals would put values closer together than rounding. */
    bool integers_only;
    /** Some elements of the first parameter, x, are NaN. */
    bool holes;
    /** Rounding bounds for float where the layer is no product: bound[k] for the gradient of
     *  parameter k, that of G being y's. NULL: from the lengths of the sums. */
    void (*bounds)(const void *shape, double *const value[], double *const bound[]);
} probe_layer;

/** y = f(z) as recorded. */
spor_var probe_activate(spor_var z, probe_activation activation);
/** A parameter that the probe fills. */
spor_var probe_param(spor_tape *tape, const char *name, spor_shape shape);

/**
 * Compares value and gradients of all fast programs with the reference: bit for bit on small
 * integers where the layer is exact on them (no activation, relu, leaky_relu), and within the
 * rounding bound on reals for no activation, tanh, sigmoid; of every eighth layer the tasks too, as
 * support/tasks.h does. Fails the Check test with the description if something differs or the path
 * was not taken.
 */
void probe_check(const probe_layer *layer, const char *description);

/** Bounds of rounding are taken for float; double's are this much smaller, doubled because the
 *  reference rounds too. */
#define PROBE_DOUBLE_SCALE (2 * 0x1p-29)

/** First k where !(|got[k] - want[k]| <= scale * bound[k]), else -1. bound NULL: all zero. Where
 *  NaN is wanted, NaN it must be. */
int64_t probe_differs(const double *got, const double *want, const double *bound, double scale,
                      int64_t size);

/** Small integers of either sign, or reals in (-1, 1) that a float holds exactly. */
void probe_fill(double *values, int64_t size, bool integers, uint64_t seed);

/** A number drawn from a stream. */
uint64_t probe_draw(uint64_t *state);
/** One of the elements of an array of int64_t. */
#define PROBE_PICK(state, ...)                                                                     \
    ((const int64_t[]){__VA_ARGS__}[probe_draw(state) %                                            \
                                    (sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))])

/** The instruction sets of this machine: names, NULL at the end. */
const char *const *probe_sets(void);

/** Prints "dense: 2304 shapes x 3 instruction sets x 2 types". */
void probe_count(const char *path, int64_t shapes);

#endif
