/*
 * A network that is being verified: for model.c and layers.c.
 */
#ifndef SPOR_VERIFY_NETWORK_H
#define SPOR_VERIFY_NETWORK_H

#include "verify/model.h"

/** Regions, or parameters, that have a row of their own at most. */
enum { REGIONS = 128 };

/** What was seen of a region or parameter so far. */
typedef struct {
    char label[200];
    const char *against; /* "derivation, float and double," */
    spor_verdict found;
    int64_t undecided;
    bool at_ties;           /* it differs, but off ties and kinks it does not */
    const char *overlooked; /* NULL, or why it was not looked at */
} tally;

typedef struct {
    const spor_model_check *check;
    spor_params *params, *wide; /* float, and the same numbers in double */
    const char *at;             /* "at initial weights" */
    spor_tape *tape;
    spor_var x, target, prediction, cost;
    double *numbers_x, *numbers_target;
    int64_t *named; /* of each number of a sample, as index_named has it */
    tally *region, *parameter;
    int regions, parameters;
    int64_t random_rows, data_rows; /* that were looked at */
    bool crowded;                   /* there are more regions than are listed */
    spor_message *message;
    bool shares; /* the training program has results whose elements share what is rounded */
} network;

/** False, and the message says that memory ran out. */
bool network_no_memory(network *n);
/** Gives a program in double x and the target. */
void network_fill(const network *n, spor_program *program);
/** Moves numbers off whatever they tie at, by far more than rounding does. */
void network_shake(double value[], int64_t size, uint64_t seed);
/** That of this label, a fresh one if there was none; NULL: there is no room for one more. */
tally *network_tally(network *n, tally list[], int *count, const char *label);

/** Judges each layer of the recorded tape that a fast path takes by itself and each call of a hand derivation, at the
 *  numbers that reach it; adds to n->region. False with a message. layers.c */
bool layers_judge(network *n, uint64_t seed);

#endif
