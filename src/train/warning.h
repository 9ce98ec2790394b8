/*
 * What the checks of warn.c and warn_targets.c share; train_warn has the list of them.
 */
#ifndef SPOR_TRAIN_WARNING_H
#define SPOR_TRAIN_WARNING_H

#include "tape/tape.h"
#include "train/batch.h"
#include "train/warn.h"

/** What train_warn was given. */
typedef struct {
    spor_model *model;
    const spor_data *data;
    const spor_split *split;
    const spor_schedule *schedule;
    warn_tell *tell;
    void *user;
} warning;

/** Tells of one; at: the node that it speaks of, or NULL. */
void warning_say(const warning *w, const spor_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/** False, with the model's error. */
bool warning_out_of_memory(const warning *w);
/** A training program that the run runs. */
const spor_bound *warning_bound(const warning *w);

/** Looks at n rows: x [n, width] is what is asked for of them. False: enough was seen. */
typedef bool warning_look(const int64_t rows[], int64_t n, const double *x, int64_t width,
                          void *user);
/** Shows training rows at equal distances, inputs or targets, as the network sees them. False with the
 *  model's error. */
bool warning_show_rows(const warning *w, const batch_source *source, int64_t width, bool targets,
                       warning_look *look, void *user);
/** The column that is largest in its root mean square, and that; -1 with the model's error. */
int64_t warning_largest_column(const warning *w, const batch_source *source, int64_t width,
                               bool targets, double *size);

/* ---- checks of targets and losses; what returns a bool is false with the model's error ---- */

/** Chances of chances: the loss begins with what the network ends in. */
void warn_of_chances_twice(const warning *w);
/** Predictions and targets of other shapes. */
void warn_of_misfit(const warning *w);
/** Targets that are no shares or chances, before a loss of these. */
bool warn_of_targets(const warning *w);
/** Targets that a network which ends in chances can't come to. */
bool warn_of_reach(const warning *w);
/** Targets that are far larger than what is predicted at first. */
bool warn_of_large_targets(const warning *w);
/** A mean that is said to be a sum, or the other way round. */
bool warn_of_reduction(const warning *w);
/** RMSE of a loss that is not least where the prediction is the target. */
bool warn_of_metric(const warning *w);

#endif
