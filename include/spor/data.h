/*
 * Data sets: samples in memory, splits. Readers take files as they are published.
 */
#ifndef SPOR_DATA_H
#define SPOR_DATA_H

#include <spor/base.h>
#include <spor/program.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Samples with labels. Pixels are kept as the file has them; users see pixel * scale. */
typedef struct {
    char name[64];     /* the file's, without folder and ending: "digits" */
    int64_t rows;      /* number of samples */
    spor_shape sample; /* shape of one sample, [8, 8, 1] */
    int classes;       /* number of labels */
    double scale;      /* of a pixel */
    float *x;          /* rows * size(sample), row-major */
    int32_t *label;    /* rows, 0 .. classes-1 */
} spor_data;

/**
 * Reads a CSV of numbers, gzip-compressed or not: each line the pixels of one sample of this shape
 * and then its label. NULL with a message that names file, line and field if it can't.
 */
SPOR_API spor_data *spor_data_csv(const char *path, spor_shape sample, int classes, double scale,
                                  spor_message *message);
/** Frees the data set. NULL is ignored. */
SPOR_API void spor_data_free(spor_data *data);

/** Disjoint row numbers. */
typedef struct {
    int64_t train_rows;      /* their number */
    int64_t validation_rows; /* their number */
    int64_t test_rows;       /* their number */
    int64_t *train;          /* rows to train with, increasing */
    int64_t *validation;     /* rows to watch the training with, increasing */
    int64_t *test;           /* rows to judge the result with, increasing */
} spor_split;

/**
 * Draws test_share of the rows for testing and validation_share of the rest for validation,
 * stratified (each class in proportion), seeded. Rows within a part are in increasing order.
 */
SPOR_API bool spor_split_stratified(const spor_data *data, double test_share,
                                    double validation_share, uint64_t seed, spor_split *split,
                                    spor_message *message);
/** Frees the lists of rows. */
SPOR_API void spor_split_free(spor_split *split);

/** Writes parameters and states of the network, not of its optimizer, as safetensors (F32 or F64),
 *  whole or not at all. */
SPOR_API bool spor_weights_save(spor_params *params, const char *path, spor_message *message);
/** Loads by name; missing, extra or differently shaped tensors are errors that change nothing. */
SPOR_API bool spor_weights_load(spor_params *params, const char *path, spor_message *message);

#ifdef __cplusplus
}
#endif

#endif
