/*
 * Arrays as NumPy's .npy files.
 */
#ifndef SPOR_DATA_NPY_H
#define SPOR_DATA_NPY_H

#include <stddef.h>
#include <spor/base.h>

/** What the numbers of a file were kept as. */
typedef enum { SPOR_NPY_F4, SPOR_NPY_F8, SPOR_NPY_I4, SPOR_NPY_I8, SPOR_NPY_U1 } spor_npy_kind;

/** An array, row-major, as doubles. */
typedef struct {
    spor_shape shape;
    spor_npy_kind kind;
    double *value;
} spor_npy;

/**
 * Reads format 1 and 2 with little-endian f4, f8, i4, i8 or u1 in C order. False with a message
 * that says what the file has and how to mend it. A number of i8 that no double holds is an error.
 */
bool npy_read(const char *path, spor_npy *array, spor_message *message);
/** The same of bytes; name stands for the file in messages. */
bool npy_parse(const char *name, const unsigned char *bytes, size_t size, spor_npy *array,
               spor_message *message);
/** Writes format 1; values that the kind does not hold are an error. */
bool npy_write(const char *path, const spor_npy *array, spor_message *message);
void npy_free(spor_npy *array);

#endif
