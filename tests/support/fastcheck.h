/*
 * What can be checked of a fast path from its descriptor alone.
 *
 * The pattern is recorded twice, with inputs and with parameters. The tape with inputs, its
 * gradients recorded in ordinary ops, runs over SPOR_ROUNDING: that gives the values in double and
 * what code of the one or the other arithmetic may be off by, whatever the order of its sums; 0 where
 * nothing is rounded, so that there bits are compared. The tape with parameters is compiled with fast
 * paths, trained and not, in float and double, on every instruction set of this machine.
 *
 * A check returns a verdict and asserts nothing, so that tests can plant a fault and expect to see
 * it caught.
 */
#ifndef SPOR_TESTS_FASTCHECK_H
#define SPOR_TESTS_FASTCHECK_H

#include "opcheck.h"
#include "program/program.h"

/** The value and the gradients of all operands; and a value from inside. */
enum { FASTCHECK_ARRAYS = SPOR_OPERANDS + 2, FASTCHECK_TYPES = 2 };

/** What is recorded and compiled. */
typedef struct {
    const spor_fast *path;
    const int64_t *number; /* for path->choices */
    /** path->record, or that of a refusal. */
    spor_var (*record)(spor_sketch *sketch);
    /** 0: what is recorded; k: its gradient by operand k - 1 in ordinary ops, the cotangent being one
     *  more operand. What is checked then are second derivatives. */
    int gradient;
    uint32_t also; /* 0, or a node of what is recorded that is read from outside, too */
    bool
        shared; /* the cost has the operands by themselves, too: what comes back to them is added */
    /** 0, or s + 1: what step s of the program computes is off by a hundredth in one element. */
    uint32_t fault;
} fastcheck_subject;

typedef enum {
    FASTCHECK_AGREES,
    FASTCHECK_DIFFERS,
    FASTCHECK_SHAPES, /* the tape refuses: numbers that do not go together */
    FASTCHECK_LARGE   /* more work than was allowed */
} fastcheck_outcome;

typedef struct {
    fastcheck_outcome outcome;
    char what[700]; /* why it differs */
} fastcheck_verdict;

/** Sums over checks: elements made of small integers that round nothing, which were compared bit for
 *  bit; array by array, of those that are not 0, how many would be seen if they were off by a
 *  hundredth, or not. */
typedef struct {
    int64_t exact;
    int64_t seen[FASTCHECK_TYPES][FASTCHECK_ARRAYS], blind[FASTCHECK_TYPES][FASTCHECK_ARRAYS];
} fastcheck_tally;

/** Compares value and gradients, on small integers, on reals, and where the path says so with what
 *  is not a number. most: multiply-adds and elements that are affordable; 0: any number. tally may
 *  be NULL. */
fastcheck_verdict fastcheck_compare(const fastcheck_subject *subject, double most,
                                    fastcheck_tally *tally);

/** A program of the subject, in double, not run, for looking at: trained or not. Free it, its tape
 *  and its params. program NULL: the tape refuses. */
typedef struct {
    spor_tape *tape;
    spor_params *params;
    spor_var root;
    spor_program *program;
} fastcheck_look;
fastcheck_look fastcheck_open(const fastcheck_subject *subject, bool trained);
void fastcheck_close(fastcheck_look *look);

/** Small integers for all inputs, but for an index; domain NULL: there is none. */
void fastcheck_draw_integers(opcheck_machine *m, const spor_domain domain[], uint64_t seed);
/** From what code of this arithmetic may be off by, by SPOR_ROUNDING: how far its number may be from
 *  the one in double, which rounds, too; and what is too small for full precision loses places, or is
 *  0: at most the smallest number that has it, and then factors below 2^10. Infinite: any number. */
double fastcheck_bound(int type, double error);
/** What is not a number must be none. */
bool fastcheck_is_off(double got, double want, double bound);

/** Runs a program of which one step, a fast one, computes an element that is off by a hundredth: behind the
 *  last task of its last phase. */
bool fastcheck_run_planted(spor_program *program, uint32_t step);

/** "dense N=3 n=2 ..., gradient 1" */
void fastcheck_describe(const fastcheck_subject *subject, char *text, size_t size);

#endif
