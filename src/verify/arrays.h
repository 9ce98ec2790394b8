/*
 * The inside of judging arrays: arrays.c runs the tape, arrays_elements.c judges element by element,
 * arrays_ties.c looks around ties, arrays_steps.c holds the tape against complex steps, arrays_text.c puts it
 * in words.
 */
#ifndef SPOR_VERIFY_ARRAYS_H
#define SPOR_VERIFY_ARRAYS_H

#include "kernels/sampled.h"
#include "verify/verify.h"

/** What an element was found to be. */
typedef enum { RIGHT, SETTLED, AT_TIE, UNDECIDED, UNCLEAR, EXEMPT, UNSEEN, BETWEEN, WRONG } finding;

/** A claim beside the truth. */
typedef struct {
    const spor_claim *claim;
    spor_var expected;
    int pair; /* of the trial: the gradient without what was there before; -1: it is a value */
    finding *found;
    spor_shape shape;
    int64_t size;
    const sampled *truth;
    double error;    /* largest error of the four runs, in u times the terms' magnitude */
    double largest;  /* largest error of the four runs, in u */
    double rms;      /* of the truth */
    double decisive; /* what is allowed more than this decides nothing */
    double shared;   /* what each element is allowed in any case */
    double unit;     /* the roundoff of what it is stored in, or of the arithmetic */
} arrays_claim;

/** The judgement while it goes on. */
typedef struct {
    const spor_arrays *given;
    spor_trial
        trial; /* tape, inputs with dy behind them, data, complex program, gradients as pairs; its plain
                         program, which looks around ties, is NULL until it is asked for */
    double **off; /* as arrays_judge_seen has it */
    spor_program *runs;
    spor_program *worst; /* over SPOR_ROUNDING: NULL until it is asked for */
    arrays_claim claim[SPOR_PAIRS];
    bool finite; /* all inputs are */
    double unit;
    int64_t steps;                   /* complex steps that were made */
    const double *from[SPOR_INPUTS]; /* the numbers of each input; NULL: ones */
    int faulty; /* the claim whose gradient by the tape they contradict; -1: none */
    spor_message *message;
} judgement;

/** What element k of a claim is without what was there before. */
static inline double arrays_without(const arrays_claim *c, int64_t k, double value) {
    return c->claim->before ? value - c->claim->before[k] : value;
}

/** What rounding may do at worst is found out once it is asked for. False with the message, or
 *  without one when memory runs out. */
bool arrays_prepare_worst(judgement *j);
/** The same of what is around ties. */
bool arrays_prepare_near(judgement *j);
/** Fills in the claims, once the runs are there. */
void arrays_measure(judgement *j);
/** Finds out what each element is; false as above. */
bool arrays_find(judgement *j);
/** The same of one element, as if there were no ties. */
bool arrays_find_one(judgement *j, arrays_claim *c, int64_t i);
/** What other code may be off by at an element. */
double arrays_right_at(const judgement *j, const arrays_claim *c, int64_t i);
/** Elements that are another slope at a tie than the tape's are found to be AT_TIE; what may be one UNCLEAR; what was
 *  not looked at UNSEEN. */
bool arrays_excuse(judgement *j);
bool arrays_judge_claim(judgement *j, int k, spor_verdict *verdict);
/** Steps in random directions, through all inputs whose gradients are claimed at once. False only
 *  if the program does not run. */
bool arrays_steps(judgement *j);
/** The complex step at one element; true in agrees if the tape says the same. */
bool arrays_step_at(judgement *j, const arrays_claim *c, int64_t at, double *oracle, bool *agrees);

#endif
