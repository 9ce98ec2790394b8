/*
 * Batches: rows of a data set, or random ones, as the x and y of a step.
 */
#ifndef SPOR_TRAIN_BATCH_H
#define SPOR_TRAIN_BATCH_H

#include <spor/train.h>

/** Rows of a batch of spor_evaluate. */
enum { BATCH_OF_EVALUATION = 256 };

/** What rows become x and y. */
typedef struct {
    spor_scalar scalar;    /* of x and y: float or double */
    const spor_data *data; /* NULL: random rows */
    bool mirrored;         /* y is x itself */
    bool one_hot;          /* y are one-hot rows of the classes */
    int64_t size;          /* of a sample */
    int64_t classes;       /* width of a one-hot row */
    uint64_t seed;         /* of what is random, a function of (seed, row) */
    const int64_t
        *named; /* NULL, or of each number of a random sample: whole, below this; 0: a real */
} batch_source;

/** True if a target of this shape is the sample itself, since it is neither of the classes nor of the numbers of
 *  the data, which need have no rows; NULL: there are neither. */
bool batch_mirrors(const spor_data *data, const spor_shape *sample, const spor_shape *target);

/** Rows of the data, or of random numbers where data is NULL. A target of the shape of the data's
 *  classes or numbers is these; one of the sample's shape is the sample; any other, one-hot. */
batch_source batch_source_of(const spor_data *data, const spor_shape *sample,
                             const spor_shape *target, spor_scalar scalar, uint64_t seed);

/** batch_source_of for a model. Checks that samples and targets have the model's shapes, and that
 *  the rows and their labels exist; on failure the model's error. */
bool batch_source_make(spor_model *model, const spor_data *data, const int64_t rows[],
                       int64_t count, batch_source *source);

/**
 * spor_data_rows of rows that exist, or numbers of U[0, 1) that a float holds, whole ones where they name rows, and
 * one-hot rows; a mirrored y is x. rows NULL: 0 .. count-1. An array that is NULL is left out.
 */
void batch_fill(const batch_source *source, const int64_t rows[], int64_t count, void *x, void *y);

/** The cost of n rows as one batch, as the loss has it. False with the model's error. reduction.c */
bool batch_cost(spor_model *model, const batch_source *source, const int64_t rows[], int64_t n,
                double *cost);

#endif
