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
/** How many times as large targets are as what is predicted at first that are called unscaled. */
#define WARN_FAR 100

/**
 * Tells, once each, judged by at most 4096 of the training rows: chances of chances (a network that
 * ends in softmax or sigmoid before a loss that begins with one); inputs larger than WARN_UNSCALED that
 * meet weights as they are; columns of row numbers; targets that are no shares or chances before a loss
 * of these, that a network which ends in chances can't come to, or that are WARN_FAR times as large as 1
 * and as what is predicted; classes without training rows; statistics of one number, as batch norm takes
 * of a batch of one row; a reduction that copies of a row show not to be the loss's; RMSE beside a loss
 * that is not least where the prediction is the target. The model has passed train_prepare. False with
 * the model's error: out of memory.
 */
bool train_warn(spor_model *model, const spor_data *data, const spor_split *split,
                const spor_schedule *schedule, warn_tell *tell, void *user);

#endif
