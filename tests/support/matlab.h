/* MATLAB's version 5 files, written for tests; see src/data/mat.c for the form. */
#ifndef SPOR_TESTS_MATLAB_H
#define SPOR_TESTS_MATLAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Codes of the form that tests name. */
enum {
    MATLAB_DOUBLE = 6, /* classes of arrays */
    MATLAB_SINGLE = 7,
    MATLAB_UINT8 = 9,
    MATLAB_INT8_TYPE = 1, /* types of numbers */
    MATLAB_UINT8_TYPE = 2,
    MATLAB_INT16_TYPE = 3,
    MATLAB_SINGLE_TYPE = 7,
    MATLAB_DOUBLE_TYPE = 9,
    MATLAB_UINT64_TYPE = 13
};

/** A file that grows; bytes are to be freed. */
typedef struct {
    unsigned char *bytes;
    size_t size;
} matlab_file;

/** An array: its numbers in MATLAB's order, the lowest byte first. */
typedef struct {
    const char *name;
    int kind, type; /* class and type of the numbers */
    int axes;
    int32_t n[8];
    const void *numbers;
    size_t size; /* of the numbers in bytes */
    bool packed; /* a compressed element */
} matlab_array;

void matlab_begin(matlab_file *file);
void matlab_add(matlab_file *file, const matlab_array *array);

#endif
