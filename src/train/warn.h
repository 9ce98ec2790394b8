/*
 * What is likely a mistake in a training, though it runs: found in the tape and in the data before
 * the first step.
 */
#ifndef SPOR_TRAIN_WARN_H
#define SPOR_TRAIN_WARN_H

#include <spor/train.h>

/** Receives one line, without an end; file is NULL, or the place that it speaks of. */
typedef void warn_tell(const char *text, const char *file, int line, int column, void *user);

/** Root mean square of an input that is called unscaled: initial weights expect about 1. */
#define WARN_UNSCALED 10

/**
 * Tells, once each: softmax of shares (a network that ends in softmax before a loss that begins with
 * it); inputs larger than WARN_UNSCALED that meet weights as they are, judged by at most 4096 of the
 * training rows; classes without training rows; statistics of one number, as batch norm takes of a
 * batch of one row; a reduction that copies of a row show not to be the loss's. The model has passed
 * train_prepare. False with the model's error: out of memory.
 */
bool train_warn(spor_model *model, const spor_data *data, const spor_split *split,
                const spor_schedule *schedule, warn_tell *tell, void *user);

#endif
