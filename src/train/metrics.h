/*
 * Figures of merit: of an evaluation, of a classifier from its confusion matrix.
 */
#ifndef SPOR_TRAIN_METRICS_H
#define SPOR_TRAIN_METRICS_H

#include <spor/train.h>

/** What is known of a metric. */
typedef struct {
    const char *name; /* in files: "accuracy"; NULL: there is none */
    const char *text; /* for people: "accuracy" */
    bool rises;       /* more is better */
    bool share;       /* 0 .. 1 */
} metric_kind;

const metric_kind *metric_of(spor_metric metric);
/** The metric that files call so; NONE if there is none. */
spor_metric metric_named(const char *name);

/** Loss and metric of an evaluation. */
spor_score metrics_score(const spor_evaluation *evaluation);

/** Where a share may lie. */
typedef struct {
    double low, high;
} metrics_interval;

/**
 * Wilson's interval (E. B. Wilson, Probable inference, JASA 22, 1927) of 95 % for a share of which
 * `right` of n were seen: all p with |right/n - p| <= z sqrt(p (1 - p) / n), z = 1.959963984540054,
 *
 *     (q + z^2/2n -+ z sqrt(q (1 - q) / n + z^2/4n^2)) / (1 + z^2/n),   q = right / n.
 *
 * It lies in 0 .. 1, and is no point where all or none are right. NAN if n is 0.
 */
metrics_interval metrics_wilson(int64_t right, int64_t n);

/** What became of the rows of one class. recall is NAN for a class without rows, precision for a
 *  class that was never predicted. */
typedef struct {
    int64_t rows, predicted, right;
    double recall, precision;
} spor_class_score;

spor_class_score metrics_class_score(const spor_evaluation *evaluation, int label);

/** The mean of the recalls of the classes that occur; NAN if none does. */
double metrics_balanced_accuracy(const spor_evaluation *evaluation);

#endif
