/* spor bench: times steps on random data of the script's shapes. */
#include "cli/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/random.h"

enum { BATCHES = 8 };
static const double block_seconds = 0.03;
/* A step's time does not depend on the rate; a small one keeps random labels from diverging. */
static const double bench_rate = 1e-5, bench_l2 = 1e-4;

/* ---- random data ------------------------------------------------------------------------------ */

/* What one step reads: BATCHES inputs and targets in the model's scalar type, in rotation. */
typedef struct {
    size_t x_bytes, y_bytes;
    char *x, *y;
} rotation;

static size_t size_of(spor_shape shape) {
    size_t size = 1;
    for (int k = 0; k < shape.rank; k++) size *= (size_t)shape.n[k];
    return size;
}

static void put(char *at, size_t index, spor_scalar scalar, double value) {
    if (scalar == SPOR_F32)
        ((float *)(void *)at)[index] = (float)value;
    else
        ((double *)(void *)at)[index] = value;
}
