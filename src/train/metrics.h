/*
 * Figures of merit of a classifier, from its confusion matrix.
 */
#ifndef SPOR_TRAIN_METRICS_H
#define SPOR_TRAIN_METRICS_H

#include <spor/train.h>

/** sqrt(p (1 - p) / n): the standard error of a share p of n rows; NAN if n is 0. */
double metrics_standard_error(double p, int64_t n);

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
