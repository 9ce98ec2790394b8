/*
 * What a run leaves in its folder: history.csv, summary.json and the figures.
 */
#ifndef SPOR_TRAIN_RECORD_H
#define SPOR_TRAIN_RECORD_H

#include <stddef.h>
#include <spor/train.h>
#include "data/text.h"

/** A number that a run tells of its progress, and what a file does with it. */
typedef struct {
    const char *name; /* as history.csv calls it; NULL: not there */
    size_t offset;    /* in spor_progress, of a double */
    bool metric;      /* the metric's name goes behind; not there if there is none */
    bool seconds;     /* differs from run to run */
} record_column;

/** All doubles of spor_progress; the table ends with one of offset 0. */
extern const record_column record_columns[];
/** How many there are that are seconds, or are none. */
int record_count(bool seconds);
/** The number of a column. */
double *record_number(spor_progress *progress, const record_column *column);

/** What was told at the end of each epoch. Zero-initialised it is empty. */
typedef struct {
    spor_progress *epochs;
    int64_t count, room;
} spor_history;

/** Adds the epoch that a progress report closes (step == steps). False: out of memory. */
bool history_add(spor_history *history, const spor_progress *progress);
void history_free(spor_history *history);

/** history.csv: epoch,loss,train_loss,validation_loss,train_accuracy,validation_accuracy,
 *  train_seconds,evaluate_seconds, with rmse in the place of accuracy, or without both columns, as
 *  the metric is; what was not measured is "nan". */
bool history_write(const spor_history *history, const char *path, spor_message *message);
/** history.svg: loss and metric of training and validation rows over the epochs, and which was best; 0:
 *  none. False where there is nothing to draw, or no memory, with why. */
bool history_draw(const spor_history *history, int64_t best, const char *title, spor_text *svg,
                  spor_message *why);

/** Most settings that a summary names. */
#define SPOR_SUMMARY_SETTINGS 8

/** summary.json. Strings may be NULL and numbers NAN: written as null. */
typedef struct {
    const char *command; /* line that began the run */
    const char *model, *data, *loss;
    const char *data_read; /* rows and checksum */
    uint64_t seed;
    int64_t epochs, batch;
    int64_t epoch;                                    /* that the weights are of */
    const char *optimizer, *clip, *schedule;          /* as the script calls them */
    spor_named_number setting[SPOR_SUMMARY_SETTINGS]; /* those with a name */
    int threads;
    spor_scalar scalar; /* "precision": "float32" or "float64" */
    bool reference;
    const char *isa;
    int64_t parameters;
    int64_t train_rows, validation_rows, test_rows;
    spor_metric metric;
    spor_score train, validation;
    const spor_evaluation *test; /* NULL: not tested */
    bool finished;               /* not stopped before its end */
    const char *failure;         /* why it can't go on; NULL: nothing is wrong */
    double train_seconds, evaluate_seconds;
} spor_summary;

/** Writes summary.json: losses, and the metric by its name, of train, validation and test rows. With
 *  test_accuracy go the ends of its interval, test_accuracy_low and _high, with test_rmse test_r2. */
bool summary_write(const spor_summary *summary, const char *path, spor_message *message);

/** What summary.json says of how a run came out. */
typedef struct {
    bool finished;
    char failure[400]; /* "": none */
    spor_metric metric;
    int64_t epoch; /* that the weights are of */
    spor_score validation;
} summary_result;

/** Reads it from the text of a summary; false with the reason. */
bool summary_parse(const char *text, size_t size, summary_result *outcome, spor_message *message);
/** The same of the file. */
bool summary_read(const char *path, summary_result *outcome, spor_message *message);

/** confusion.svg of an evaluation; likewise. */
bool confusion_draw(const spor_evaluation *evaluation, const char *title, spor_text *svg,
                    spor_message *why);

#endif
