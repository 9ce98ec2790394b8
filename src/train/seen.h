/*
 * What is kept of the predictions of evaluated rows, to be looked at: a bounded number of them.
 */
#ifndef SPOR_TRAIN_SEEN_H
#define SPOR_TRAIN_SEEN_H

#include <spor/train.h>

enum { SEEN_MISTAKES = 20, SEEN_TARGETS = 3 };

/** A row whose class was not predicted. */
typedef struct {
    int64_t row;
    int label, predicted;
    double margin; /* what was predicted for the wrong class minus that for the right one */
} seen_mistake;

/** Zero-initialised nothing was seen. */
typedef struct {
    bool any; /* rows were evaluated */
    int mistakes;
    seen_mistake mistake[SEEN_MISTAKES]; /* the largest margins first, then in order of rows */
    int targets;                         /* numbers of a row that are kept, the first ones */
    int64_t columns;                     /* of how many */
    int64_t rows, every;                 /* of every so-many-th row */
    double *truth, *predicted;           /* [targets, rows], in the units of the data */
    bool mirrored;                       /* targets are the samples: none are kept */
} spor_seen;

/** spor_evaluate, and what is to be seen of it, which is to be freed. */
bool seen_evaluate(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                   spor_evaluation *evaluation, spor_seen *seen);
void seen_free(spor_seen *seen);

#endif
