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
    spor_scalar scalar;   /* of x and y: float or double */
    const float *pixels;  /* [rows, size] as the file has them; NULL: random ones */
    const int32_t *label; /* [rows]; NULL: random classes */
    bool one_hot;         /* y are one-hot rows of the classes; else y is x itself */
    int64_t size;         /* of a sample */
    int64_t classes;      /* width of a one-hot row */
    double scale;
    uint64_t seed; /* of what is random, a function of (seed, row) */
} batch_source;

/** Rows of the data, or of random numbers where data is NULL. A target of another shape than the
 *  sample's, and one as wide as the classes of labelled data, is one-hot. */
batch_source batch_source_of(const spor_data *data, const spor_shape *sample,
                             const spor_shape *target, spor_scalar scalar, uint64_t seed);

/** batch_source_of for a model. Checks that samples and targets have the model's shapes, and that
 *  the rows and their labels exist; on failure the model's error. */
bool batch_source_make(spor_model *model, const spor_data *data, const int64_t rows[],
                       int64_t count, batch_source *source);

/**
 * x[n] = pixels[rows[n]] * scale, or numbers of U[0, 1) that a float holds; y[n] the one-hot row of
 * the label, or x[n]. rows NULL: 0 .. count-1. An array that is NULL is left out.
 */
void batch_fill(const batch_source *source, const int64_t rows[], int64_t count, void *x, void *y);

#endif
