/*
 * The inside of verification. trial.c makes an instance and runs it at data; oracle.h and oracle.c
 * have the oracles that judge it: compare.c and proof.c by the tape, steps.c, adjoint.c and
 * differences.c (with product.c) without it. search.c walks the sizes, shrink.c makes a failure
 * small, hint.c and pattern.c say what it looks like, verdict.c adds verdicts up and puts them in
 * words. arrays.c and its like judge numbers of other code; model.h has what is about networks.
 */
#ifndef SPOR_VERIFY_VERIFY_H
#define SPOR_VERIFY_VERIFY_H

#include "tape/tape.h"
#include "verify/points.h"

#include <spor/verify.h>

enum { TRIAL_DECISIONS = 64, TRIAL_NUMBERS = 8 };

/** A comparison, maximum or kink of an instance, and which outcomes it had so far. */
typedef struct {
    uint32_t node;
    spor_var outcome, margin;
    bool by_value, seen; /* by_value: the outcome is the node itself */
    double least, most;
} trial_decision;

/** An instance made ready: programs over the error bound and over complex numbers. */
typedef struct {
    const spor_statement *statement;
    int64_t value[SPOR_QUANTITIES];
    spor_recording recording;
    spor_tape *tape;
    spor_instance in;
    spor_program *bound;       /* gives every formula and expected */
    spor_program *step;        /* gives y; NULL if no gradient is claimed */
    spor_program *plain;       /* over doubles: what plain.c looks at */
    double *data[SPOR_INPUTS]; /* those of several cotangents lie end to end, as y does */
    points points;
    point_narrow narrow[SPOR_INPUTS];
    double scale, scale_dy; /* of the data that are drawn, and of the cotangents */
    spor_var domain[SPOR_PAIRS];
    int decisions, numbers;
    trial_decision decision[TRIAL_DECISIONS];
    spor_var number[TRIAL_NUMBERS];
    bool misfit;             /* BROKEN since shapes disagree */
    bool kinked, looked;     /* looked: plain has run at the data */
    struct trial_near *near; /* of the data; NULL: not asked for */
    int near_looks;          /* elements whose own coordinates were looked along */
    int inquired; /* 1 + the pair whose formula was found undefined at the data, or not */
    bool undefined;
    char why[96];
} spor_trial;

/** What one program of the verifier may take. */
#define VERIFY_MOST_BYTES ((size_t)2000000000)
/** Takes the memory of a program that gives x; false with a message if that can't be had, or is more
 *  than a verification should take. One that has an error already needs none. */
bool trial_affords(spor_program *program, spor_var x, char *message, size_t size);

/** Records and compiles at the values; false when memory runs out, with in.message if it is known
 *  how much. Shapes that disagree make the recording BROKEN with a message. */
bool trial_make(const spor_statement *statement, const int64_t value[], spor_trial *trial);
void trial_free(spor_trial *trial);

/** Fills data with a family of points: a function of the seed. */
void trial_draw(spor_trial *trial, uint64_t seed, int family);
/** To be called after data were changed from outside, before what is asked at them. */
void trial_moved(spor_trial *trial);
/** Chooses narrower numbers for operands if too little lies inside the domain; false if none are
 *  needed, or none help. */
bool trial_narrow(spor_trial *trial, uint64_t seed);

/** True if the input has whole numbers, labels or a mask, which choose, and no gradient is claimed of it: what
 *  lies between such numbers is no neighbour. */
bool trial_is_discrete(const spor_trial *trial, int input);

/* ---- cotangent.c: of y, which may be several results ---- */

/** True if input k is the cotangent of a result. */
bool instance_is_cotangent(const spor_instance *in, int k);
/** How many inputs are; 0 where no gradient is claimed. */
int instance_cotangents(const spor_instance *in);
/** The cotangent of y, of y's shape: recorded if it is made of several. */
spor_var instance_cotangent(const spor_instance *in);

/* ---- plain.c: domain and decisions ---- */

/** Records what is looked at; false only when memory runs out. */
bool plain_record(spor_trial *trial);
/** False only when memory runs out. */
bool plain_compile(spor_trial *trial);
/** The numbers of an input, to be written, and of what is looked at; one double an element. */
double *plain_input(spor_trial *trial, int input);
const double *plain_numbers(spor_trial *trial, spor_var x);
/** Runs at the numbers written; at the data, unless that was the last run. */
bool plain_run(spor_trial *trial);
bool plain_look(spor_trial *trial);
/** True if element k of a pair lies inside the domain. */
bool trial_inside(spor_trial *trial, int pair, int64_t k);
/** The share of the pairs' elements that does: the least of the pairs. */
double trial_inside_share(spor_trial *trial);
/** Takes down the outcomes of decisions at the data. */
bool trial_watch(spor_trial *trial);
/** True if a decision is at a tie or kink, at the data. */
bool trial_has_tie(spor_trial *trial);
/** Numbers that the formulas contain; returns how many. */
int trial_meets(spor_trial *trial, double numbers[TRIAL_NUMBERS]);

/* ---- near.c: ties and kinks; undefined.c: what is no number ---- */

/** What may be said of a number that differs from the tape's. */
typedef enum {
    NEAR_SMOOTH,  /* there is neither tie nor kink */
    NEAR_RIGHT,   /* there is, and it is one of the slopes around */
    NEAR_WRONG,   /* there is, and it is none */
    NEAR_UNKNOWN, /* there is, and the tape's number is none either, or not all were looked at */
    NEAR_UNSEEN   /* no slope but the tape's was seen, and not all were looked at */
} near_answer;
/** Asks of x, said to be element `at` of a pair. False only when memory runs out. */
bool near_ask(spor_trial *trial, int pair, int64_t at, double x, near_answer *answer);
/** How many elements may be looked at more closely from now on, 64 at most: what none of the slopes seen around
 *  explains is NEAR_UNKNOWN behind them. */
void near_allow(spor_trial *trial, int looks);
/** True if y jumps at the point of the last such question: it has no slope there. */
bool near_jumps(const spor_trial *trial);
/** Directions that keep ties; most ties, that is: along one of them y may turn all the same. */
enum { NEAR_DIRECTIONS = 2 };
/** Once a tie was asked of: is_straight if y does not turn along the direction. There the slopes that are
 *  claimed must add up to the tape's, each times what its element moves by. False only if a run fails. */
bool near_straight(spor_trial *trial, int direction, bool *is_straight);
double near_moved(const spor_trial *trial, int input, int64_t j);
void near_free(spor_trial *trial);
/** Finds out whether the pair's formula is no number at the data since an op on its way is not
 *  defined there: `undefined` and `why`. False only when memory runs out. */
bool trial_inquire(spor_trial *trial, int pair);

/* ---- running ---- */

/** Evaluates formulas and expected at data. */
bool trial_run(spor_trial *trial);
/** Elements of an input. */
int64_t trial_size(const spor_trial *trial, int input);
/** The same of the first cotangent with those behind it, so of y. */
int64_t trial_extent(const spor_trial *trial, int input);

/** What the last run gave for x: value and error bound in turn. */
const double *trial_numbers(spor_trial *trial, spor_var x);
/** The same of element k. */
double trial_value(spor_trial *trial, spor_var x, int64_t k, double *bound);

/** Makes the failure at value[] small and describes it. */
bool shrink_failure(const spor_statement *statement, const int64_t value[],
                    const spor_effort *effort, spor_verdict *verdict);

/** True if y goes through what hands on numbers and no slope of them, stop_gradient: complex steps would
 *  follow it all the same, so there are none. */
bool steps_are_misled(spor_var y);
/** Derivative of <dy, y> with respect to element k of an input by a complex step at the data that
 *  the program has; slack bounds its own rounding. False if the program does not run. */
bool trial_derivative(spor_trial *trial, int input, int64_t k, double *derivative, double *slack);
/** The same; NAN if any element of y is no number. */
bool trial_derivative_of_all(spor_trial *trial, int input, int64_t k, double *derivative,
                             double *slack);
/** The same along a direction, once its part in each input is set: along[] has the input's size, NULL
 *  is 0. */
void trial_lean(spor_trial *trial, int input, int64_t size, const double along[]);
bool trial_slope(spor_trial *trial, double *derivative, double *slack);
/** Fills an input of a program over an error bound or complex numbers: second parts are 0. */
void trial_fill(spor_program *program, spor_var input, const double *data, int64_t size);

/** Two arrays of one shape: what was claimed, and what it should be. */
typedef struct {
    spor_shape shape;
    const char *const *axis; /* names of its axes, or NULL */
    const double *formula, *expected;
    const double *bound; /* that was allowed */
    double slack;        /* relative, for factors found in rounded numbers */
    bool slides;         /* windows or pads are about: borders are apart */
} spor_picture;

/** What the mistake looks like; "" if unknown. */
void pattern_name(const spor_picture *picture, char *text, size_t size);
/** True if an op of the tape, up to y where there is one, moves windows over a map or pads it. */
bool pattern_slides(const spor_tape *tape, spor_var y);

/** Adds to the example of a statement what its mistakes look like, and the pairs that are wrong
 *  besides. The trial is the smallest case, with the data shown; pair is the one of the example, -1
 *  if it does not record. False when memory runs out. */
bool hint_describe(const spor_trial *smallest, int pair, const spor_effort *effort,
                   spor_counterexample *example);

/** "db is [N=1] but must be [m=2]"; false if formula and expected of the pair have one shape. */
bool axes_misfit(const spor_statement *statement, const int64_t value[], const spor_instance *in,
                 int pair, char *text, size_t size);

/** "N=2, act=tanh" */
void verdict_print_values(const spor_statement *statement, const int64_t value[], FILE *out);
/** The smallest case in indented lines. statement may be NULL. */
void verdict_print_example(const spor_statement *statement, const spor_counterexample *example,
                           FILE *out);
/** What an allowance has to reach to decide nothing about an array: all of its values, the largest
 *  of them `most`, unless they are small beside the other arrays', the largest of those `scale`. */
double verdict_reach(double most, double scale);
/** Adds what one verdict found to the sum of others; the first failure stays. */
void verdict_add(spor_verdict *sum, const spor_verdict *verdict);
/** How much was examined: "125 shapes, all there are, ..." */
void verdict_print_evidence(const spor_verdict *verdict, FILE *out);

/** Programs over SPOR_ROUNDING: fills an input for other code of the arithmetic, which rounds what
 *  it does not hold; element k of a variable, its value and what the other code may be off by. */
void rounding_fill(spor_program *program, spor_var input, const double *data,
                   spor_scalar arithmetic);
double rounding_value(spor_program *program, spor_var x, int64_t k, double *error);

/** A verdict apiece for the claims. message receives what keeps the arrays from being judged. False
 *  when memory runs out. */
bool arrays_judge(const spor_arrays *arrays, spor_verdict verdict[], spor_message *message);

/** The same with a picture of each claim, off[claims], NULL: none is wanted. For each element 0: right; NAN: not
 *  decided; else what it is off by, as a share of its value or of the array's root mean square; to be freed. */
bool arrays_judge_seen(const spor_arrays *arrays, double *off[], spor_verdict verdict[],
                       spor_message *message);

/** What arrays_judge found, in a line, unless it is wrong. */
void arrays_print(const spor_verdict *verdict, FILE *out);
/** Adds the figures of one verdict to the sum of others. */
void arrays_add(spor_array_figures *sum, const spor_array_figures *figures);

/** |a - b| in units in the last place of b, as the arithmetic holds it. */
double verdict_ulps(double a, double b, spor_scalar arithmetic);
/** The shortest text that reads back as the number. */
int verdict_number(double number, char text[32]);
/** The fewest digits with which two numbers that differ look different. */
int verdict_digits(double a, double b);
/** "name [2, 3] = [1, 2, ...]" for every input of the trial, the first elements of each. */
void trial_write(const spor_trial *trial, char *text, size_t size);

#endif
