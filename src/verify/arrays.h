/*
 * The inside of judging arrays: arrays.c runs the tape, arrays_elements.c judges element by element,
 * arrays_steps.c holds the tape against complex steps, arrays_text.c puts it in words.
 */
#ifndef SPOR_VERIFY_ARRAYS_H
#define SPOR_VERIFY_ARRAYS_H

#include "kernels/sampled.h"
#include "verify/verify.h"

/** A claim beside the truth. */
typedef struct {
    const spor_claim *claim;
    spor_var expected;
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
    spor_trial trial; /* tape, inputs with dy as the last one, data, complex program */
    spor_trial *near; /* at the same numbers, for ties; NULL: what spor chooses binds */
    double **off;     /* as arrays_besides has it */
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
/** Fills in the claims, once the runs are there. */
void arrays_measure(judgement *j);
bool arrays_judge_claim(judgement *j, int k, spor_verdict *verdict);
/** Steps in random directions, through all inputs whose gradients are claimed at once. False only
 *  if the program does not run. */
bool arrays_steps(judgement *j);
/** The complex step at one element; true in agrees if the tape says the same. */
bool arrays_step_at(judgement *j, const arrays_claim *c, int64_t at, double *oracle, bool *agrees);

#endif
