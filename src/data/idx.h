/*
 * IDX files, the form that MNIST is published in.
 */
#ifndef SPOR_DATA_IDX_H
#define SPOR_DATA_IDX_H

#include <spor/data.h>

/**
 * Reads an array [rows, shape...] of any of the format's types, gzip-compressed or not. False with
 * a message that names the file. The caller frees the values.
 */
bool idx_read(const char *path, spor_values *values, int64_t *rows, spor_message *message);

#endif
