/*
 * What the training loop sees of a model.
 */
#ifndef SPOR_TRAIN_MODEL_H
#define SPOR_TRAIN_MODEL_H

#include <spor/train.h>

/** Sets the model's first error and returns false. */
bool model_fail(spor_model *model, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Puts text before the model's error and returns false. */
bool model_fail_at(spor_model *model, const char *where);

const spor_model_spec *model_spec_of(const spor_model *model);

/** spor_model_bind without its memory: tape and program are there, arrays are not. */
spor_bound *model_plan(spor_model *model, int64_t rows, bool training);

/** Element k of an array of the model's scalar type. */
double model_number(const spor_model *model, const spor_arg *arg, int64_t k);

/**
 * How the loss reduces over rows, asked of the loss itself: a row taken twice costs twice as much
 * (1: the cost is a sum) or the same (0: a mean, or neither). -1 on error.
 */
int model_loss_sums(spor_model *model);

/** The cost of the first rows of a bound program's prediction and target alone; NAN on error. */
double model_cost_of(spor_model *model, const spor_bound *bound, int64_t rows);

#endif
