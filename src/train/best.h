/*
 * The weights of the epoch that validated best.
 */
#ifndef SPOR_TRAIN_BEST_H
#define SPOR_TRAIN_BEST_H

#include <spor/train.h>

/** Zero-initialised it keeps nothing yet. */
typedef struct {
    int64_t epoch; /* that they are of; 0: none is kept */
    void *values;  /* all values of the parameters then, as they lie in their block */
} spor_best;

/** Room for such values. False: out of memory. */
bool best_make(spor_best *best, spor_params *params);
/** Keeps the values of the parameters as those of this epoch. False: out of memory. */
bool best_keep(spor_best *best, spor_params *params, int64_t epoch);
/** Where the kept values of entry k are. */
void *best_value(const spor_best *best, const spor_params *params, int k);
/** Gives parameters and states of the network the kept values; not the optimizer's. */
void best_restore(const spor_best *best, spor_params *params);
void best_free(spor_best *best);

#endif
