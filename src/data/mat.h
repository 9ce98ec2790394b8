/*
 * MATLAB's version 5 files, the form that SVHN is published in.
 */
#ifndef SPOR_DATA_MAT_H
#define SPOR_DATA_MAT_H

#include <spor/data.h>

/** A file in memory, still compressed. */
typedef struct {
    const char *path; /* the caller's */
    unsigned char *bytes;
    size_t size;
} mat_file;

/** Reads a file; false with a message if it is none of this kind. */
bool mat_open(const char *path, mat_file *file, spor_message *message);
void mat_close(mat_file *file);

/**
 * The numbers of a variable in MATLAB's own order: the first axis of the shape runs fastest. Bytes
 * stay bytes. False with a message if there is no array of real numbers of this name.
 */
bool mat_read(const mat_file *file, const char *name, spor_values *values, spor_message *message);

/** Makes the last axis of MATLAB's order the rows, and each row row-major; an axis of 1 that MATLAB
 *  leaves out may be the last one: axes says how many there are. False if memory runs out. */
bool mat_rows(spor_values *values, int axes, int64_t *rows);

#endif
