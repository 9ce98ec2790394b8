/*
 * Batches: rows of a data set gathered into the arrays of a bound program.
 */
#ifndef SPOR_TRAIN_BATCH_H
#define SPOR_TRAIN_BATCH_H

#include <spor/train.h>

/** What becomes x and y, found once for a model and a data set. */
typedef struct {
    spor_scalar scalar;
    const float *pixels;  /* [rows, size] as the file has them */
    const int32_t *label; /* [rows]; NULL: the target is x itself */
    int64_t size;         /* of a sample */
    int64_t classes;      /* width of a one-hot row */
    double scale;
} spor_source;

/** Checks that samples and targets have the model's shapes, and that the rows and their labels
 *  exist; on failure the model's error. */
bool spor_source_make(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                      spor_source *source);

/** x[n] = pixels[rows[n]] * scale in the scalar type; y[n] one-hot, or x[n]. */
void spor_gather_rows(const spor_source *source, const int64_t rows[], int64_t count,
                      const spor_bound *bound);

#endif
