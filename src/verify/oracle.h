/*
 * Oracles: where the truth comes from that a formula is held against. One descriptor each, at the
 * end of its file; oracle.c has the table and the one loop that asks them. An oracle judges element
 * by element, and all that it says goes through oracle_judge; only field.c accuses nobody.
 */
#ifndef SPOR_VERIFY_ORACLE_H
#define SPOR_VERIFY_ORACLE_H

#include "verify/verify.h"

/** The numbers held against each other at one element of a pair. */
typedef struct {
    int pair;
    int64_t at;               /* row-major position; 0 if all of the pair is one number */
    double formula, expected; /* expected: the tape's */
    double oracle;            /* NAN if it takes the tape's word */
    double off, bound;        /* how far from the truth, and how far that may be */
    char why[96];             /* "" or why the formula is no number */
} oracle_element;

/** What oracles found in a trial. */
typedef struct {
    bool failed;
    spor_dispute dispute;
    spor_oracle by;       /* who found the worst */
    oracle_element worst; /* of the first pair that failed */
    int64_t wrong;        /* elements of that pair */
    bool proved;
    int64_t asked[SPOR_ORACLES];  /* elements judged */
    int64_t compared[SPOR_PAIRS]; /* of these by the tape: elements of each pair, */
    int64_t exact, nonzero;       /* those that passed with bound 0, those whose truth is not 0 */
    int64_t undecided;            /* not judged by the tape: lost in rounding or overflow */
    int64_t outside, ties, jumps; /* as in spor_verdict */
    int64_t ties_wrong;           /* at a tie or kink, and none of the slopes around it */
    bool narrowed[SPOR_INPUTS];   /* operands that had narrower numbers */
    int64_t kinks, skipped;       /* as in spor_answer */
    double closest;               /* largest off / bound that passed, by the tape */
    int shown, not_shown;  /* points where the field has an identity, where residues differ */
    double chance;         /* that one of these identities is none */
    const char *unclaimed; /* NULL, or why it last claimed nothing */
    bool settled;          /* it has no more to say of the trial */
} oracle_finding;

/** Where oracles are asked: at the families of points.h, then at points of the oracle's own. */
enum {
    ORACLE_AT_FIRST = 1 << POINT_WHOLE,
    ORACLE_AT_INTEGERS = 1 << POINT_WHOLE | 1 << POINT_WHOLE_AGAIN | 1 << POINT_WHOLE_WITHIN,
    ORACLE_AT_MIDDLE = 1 << POINT_REAL | 1 << POINT_WITHIN, /* of reals */
    ORACLE_AT_REALS = ORACLE_AT_MIDDLE | 1 << POINT_SLIGHT | 1 << POINT_WIDE | 1 << POINT_SHARE |
                      1 << POINT_CONSTANTS | 1 << POINT_BEYOND,
    ORACLE_AT_ITS_OWN = 1 << POINT_FAMILIES,
    ORACLE_POINTS = POINT_FAMILIES + 1
};

/** One oracle asked about one trial at one point. */
typedef struct {
    spor_trial *trial; /* run at its data, but for points of the oracle's own */
    spor_oracle by;
    int point;       /* number of a bit above */
    int64_t *proofs; /* tuples of unit tensors that may still be tried */
    spor_program *y; /* y over the error bound, once an oracle wanted it */
    oracle_finding *finding;
    const spor_effort *effort;
    bool narrowing_sought, narrowed, out_of_memory;
} oracle_inquiry;

typedef struct {
    const char *name, *proves; /* as spor_oracle_name and _proves tell */
    const char *counted;       /* how evidence counts its elements; NULL: among the values */
    spor_dispute dispute;      /* SPOR_FORMULA_TAPE: it takes the tape's word for the truth */
    unsigned at;               /* points it is asked at */
    bool in_search;            /* part of spor_verify */
    /* judges the pairs, or not those that it can't; false only when memory runs out */
    bool (*ask)(oracle_inquiry *q);
} oracle;

extern const oracle oracle_integers, oracle_bounds, oracle_adjoint, oracle_units,
    oracle_complex_step, oracle_differences, oracle_field;

/** For who asks: how an oracle counts in a verdict's evidence; NULL as above. */
const char *oracle_counted(spor_oracle which);
/** Tuples of unit tensors that the effort allows. */
int64_t oracle_proofs(const spor_effort *effort);
/** Asks all oracles of the search, point by point up to the first that finds a fault. False only
 *  when memory runs out. */
bool oracle_examine(spor_trial *trial, const spor_effort *effort, int64_t *proofs,
                    oracle_finding *finding);
/** The same at reals of all magnitudes, for outcomes of comparisons that were not met. */
bool oracle_seek(spor_trial *trial, const spor_effort *effort, oracle_finding *finding);
/** Asks one at the data that the trial has. */
bool oracle_at_data(spor_trial *trial, spor_oracle which, const spor_effort *effort,
                    oracle_finding *finding);

/** True if the field shows an identity wherever it was asked: on the branches met. */
bool oracle_has_identity(const oracle_finding *finding);

/** For oracles: pairs below this one are to be judged, those behind the first wrong one are not. */
int oracle_pairs(const oracle_inquiry *q);
/** Takes down an element, false if it is wrong. With a bound that is not finite it may be anything:
 *  that is no comparison. */
bool oracle_judge(oracle_inquiry *q, const oracle_element *element);
/** Judges all elements of the trial by the tape: compare.c. */
void compare_all(oracle_inquiry *q);

/** Puts the trial's data into its complex program; false if it has none that runs. */
bool steps_start(spor_trial *trial);
/** The complex step at element k of a pair that claims a gradient, after steps_start. */
bool steps_at(spor_trial *trial, int pair, int64_t k, oracle_element *element);

/* ---- product.c: inner products with y, for oracles that evaluate nothing but y ---- */

/** A number that was computed, and how far it may be from the exact one. */
typedef struct {
    double value, bound;
} measured;

/** Twice the unit roundoff: what one operation adds to an error, second order included. */
#define PRODUCT_UNIT 0x1p-52

/** Compiles y. False only when memory runs out; if y can't be run, q->y is NULL. */
bool product_start(oracle_inquiry *q);
/** Gives y the trial's data. */
void product_fill(oracle_inquiry *q);
/** sum + a b, with the rounding of both operations. */
measured product_add(measured sum, double a, measured b);
/** <dy, y>, y's inputs as the program has them now. */
bool product_with_y(oracle_inquiry *q, measured *product);

#endif
