/*
 * Arrays as NumPy's .npy files.
 */
#ifndef SPOR_DATA_NPY_H
#define SPOR_DATA_NPY_H

#include <stddef.h>
#include "data/raw.h"
#include "data/text.h"

/** An array, row-major. */
typedef struct {
    spor_shape shape;
    raw_type type;  /* of the file's numbers */
    spor_keep keep; /* of value */
    void *value;
} spor_npy;

/**
 * Reads format 1 to 3 with real numbers of 2, 4 or 8 bytes, whole ones of 1 to 8, or booleans, as bytes, in
 * either order of bytes and of axes; V2, two bytes of no type, is bfloat16. False with a message that says what the file has and how to mend
 * it. A number that no double holds is an error.
 */
bool npy_read(const char *path, spor_npy *array, spor_message *message);
/** The same of bytes; name stands for the file in messages. */
bool npy_parse(const char *name, const unsigned char *bytes, size_t size, spor_npy *array,
               spor_message *message);
/** True if the bytes begin as such a file does. */
bool npy_recognize(const unsigned char *bytes, size_t size);
/** Its numbers become doubles. False with a message if memory runs out. */
bool npy_widen(const char *name, spor_npy *array, spor_message *message);
/** npy_read into doubles, whatever the file has. */
bool npy_read_doubles(const char *path, spor_npy *array, spor_message *message);
/** Adds the bytes of a file of numbers of 4 or 8 bytes, row-major, in the machine's order of bytes. */
void npy_add(spor_text *text, const spor_shape *shape, raw_type type, const void *value);
/** Writes an array of floats or doubles, row-major, whole or not at all. */
bool npy_write(const char *path, const spor_shape *shape, spor_scalar scalar, const void *value,
               spor_message *message);
void npy_free(spor_npy *array);

#endif
