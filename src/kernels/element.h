/*
 * An element of each scalar type, as those see it who are compiled for none: its bytes, and how a
 * number gets in and out. All of it is read off the type's own header, kernels/scalar_<type>.h.
 */
#ifndef SPOR_KERNELS_ELEMENT_H
#define SPOR_KERNELS_ELEMENT_H

#include <stddef.h>
#include <spor/program.h>

typedef struct {
    const char *text; /* "double with its error bound" */
    size_t width;     /* bytes */
    /** Element k as a double: its value or real part. */
    double (*value)(const void *data, int64_t k);
    /** Makes element k a plain number: nothing imaginary, no error but that of holding it. */
    void (*set)(void *data, int64_t k, double value);
} element_type;

extern const element_type *const element_types[SPOR_SCALARS];

#endif
