/*
 * Numbers in the type they are kept in.
 */
#ifndef SPOR_DATA_VALUES_H
#define SPOR_DATA_VALUES_H

#include <spor/data.h>

/** Row n of a list; NULL: all rows in order. */
static inline int64_t values_row(const int64_t rows[], int64_t n) {
    return rows ? rows[n] : n;
}

/** Writes (values * scale - mean) * factor of count rows, which exist. rows NULL: 0 .. count-1. */
typedef void values_gather(void *out, const spor_values *values, double scale, const int64_t rows[],
                           int64_t count);

/** A type that numbers are kept in. */
typedef struct {
    const char *text;                               /* "bytes" */
    size_t width;                                   /* bytes of an element */
    double (*value)(const void *value, int64_t at); /* element `at`, exact */
    values_gather *as_float, *as_double;
} values_type;

extern const values_type values_types[SPOR_KEEPS];

/** Memory for that many rows of the shape; false if there is none, or no such shape. */
bool values_allocate(spor_values *values, int64_t rows);
void values_free(spor_values *values);
/** Place of the first number of these rows that is too large for a float, as it is computed with; -1: none is. */
int64_t values_beyond_float(const spor_values *values, double scale, const int64_t rows[],
                            int64_t count);
/** False with a message, in a model of floats, if a number of these rows, NULL: 0 .. count-1, is none. */
bool data_fits(const spor_data *data, const int64_t rows[], int64_t count, spor_scalar scalar,
               spor_message *message);
/** False with a message that begins with `what` if one of them is not finite. */
bool values_check(const spor_values *values, int64_t rows, const char *what, spor_message *message);
/** Numbers of this shape whose first axis runs fastest, copied so that the last one does; they are freed. NULL if
 *  memory runs out. */
void *values_turn(void *value, const spor_shape *shape, spor_keep keep);

/** spor_data_standardize of values that have a scale; what they are called. */
bool values_standardize(spor_values *values, const char *what, double scale, const int64_t rows[],
                        int64_t count, spor_message *message);

#endif
