/*
 * Verification: does a formula hold, for which shapes, and if not, on which smallest case is it
 * wrong and in which way?
 *
 * A statement is a family of instances over sizes. An instance is a tape with pairs of variables
 * that must be equal for all values of the inputs: a hand-derived gradient and the tape's, two
 * sides of an equation. Verifying searches shapes from the smallest on, compares every pair within
 * the running error bound of its own arithmetic (zero on integers: bit for bit), compares the
 * tape's gradients with complex steps, proves what is multilinear on all tuples of unit tensors,
 * and shrinks what fails.
 */
#ifndef SPOR_VERIFY_H
#define SPOR_VERIFY_H

#include <spor/data.h>
#include <spor/program.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How many of them a statement may have. */
enum { SPOR_QUANTITIES = 16, SPOR_INPUTS = 30, SPOR_PAIRS = 64, SPOR_TURNS = 16, SPOR_RESULTS = 8 };

/** A size, an integer or a choice that a statement speaks about. */
typedef struct {
    const char *name;           /* "H" */
    int64_t least;              /* smallest value searched */
    int64_t most;               /* largest value searched */
    const char *const *choices; /* NULL, or names of the values 0 .. most ("sigmoid", "tanh") */
    bool stated;                /* least .. most were stated: these are all there are */
    bool open;                  /* a size that nothing was stated of: longer ones are tried too */
    int turns;                  /* further values worth trying, which are ... */
    int64_t turn[SPOR_TURNS];   /* ... c - 1, c, c + 1 of each whole constant c that it meets */
} spor_quantity;

/** A size as an initializer: .quantity = {SPOR_SIZE("N", 1, 5), SPOR_SIZE("n", 1, 5)}. */
#define SPOR_SIZE(name_, least_, most_)                                                            \
    { .name = (name_), .least = (least_), .most = (most_) }

/** Which values of an input are meant. */
typedef enum {
    SPOR_RANGE_ANY,
    SPOR_RANGE_REALS,             /* from <= x <= to */
    SPOR_RANGE_SET,               /* one of n numbers */
    SPOR_RANGE_ONE_HOT,           /* along the last axis one 1, the others 0 */
    SPOR_RANGE_SIMPLEX,           /* along the last axis positive numbers that add up to 1 */
    SPOR_RANGE_POSITIVE_DEFINITE, /* symmetric, [n, n] */
    SPOR_RANGE_WHOLE              /* a whole number, from <= x <= to: no oracle moves it */
} spor_range_kind;

/** The same with its numbers; zeros: any. */
typedef struct {
    spor_range_kind kind; /* what is known of them */
    double from;          /* of REALS and WHOLE, the least */
    double to;            /* and the largest */
    int n;                /* of SET */
    const double *item;   /* its numbers; they outlive the statement */
} spor_range;

/** Two variables of one tape that must agree. */
typedef struct {
    const char *name;  /* "dW"; must outlive the instance */
    const char *note;  /* NULL, or what to cite when it fails: "(48)", a script's place */
    spor_var formula;  /* what is claimed */
    spor_var expected; /* what it must equal; of the same shape */
    int wrt;           /* the input whose gradient of y the pair claims; -1: an equality */
    spor_var of;       /* id 0: that input, or none; else the variable whose gradient it is */
} spor_pair;

/** A statement recorded at given sizes. */
typedef struct {
    int inputs;                    /* number of them */
    spor_var input[SPOR_INPUTS];   /* leaves by spor_input */
    spor_range range[SPOR_INPUTS]; /* of their values */
    int pairs;                     /* number of them */
    spor_pair pair[SPOR_PAIRS];    /* what must be equal */
    spor_var y;                    /* id 0, or the result whose gradients are claimed */
    int dy;                        /* the input that is y's cotangent */
    int results;                   /* 0 or 1: that is all. More: y is their elements end to end, */
    spor_var result[SPOR_RESULTS]; /* in one axis; their cotangents are the inputs from dy on */
    uint32_t claimed;              /* nodes before it are y's and the formulas'; 0: all are */
    char message[512];             /* why it is broken */
    const char *axis[SPOR_INPUTS][SPOR_RANK]; /* names of an input's axes, where known */
} spor_instance;

/** What became of recording a statement at given sizes. */
typedef enum {
    SPOR_RECORDED,  /* the instance is there */
    SPOR_OUTSIDE,   /* the sizes are not meant: `where`, or the op itself refuses them */
    SPOR_UNDEFINED, /* both sides are undefined */
    SPOR_BROKEN,    /* the formula does not record where it should: message says why */
    SPOR_EXHAUSTED  /* memory ran out: nothing is said of the formula */
} spor_recording;

/** Records the statement at the values of its quantities. */
typedef spor_recording spor_record_instance(void *user, spor_tape *tape, const int64_t values[],
                                            spor_instance *instance);

/** A family of instances over sizes. */
typedef struct {
    const char *name;                        /* "Eq. 48" */
    int quantities;                          /* number of them */
    spor_quantity quantity[SPOR_QUANTITIES]; /* what varies */
    spor_record_instance *record;            /* records an instance */
    void *user;                              /* handed to record */
    bool equality; /* its pairs are sides of equations, not gradients and the tape's */
} spor_statement;

/** How hard to look. Zeros mean the defaults. */
typedef struct {
    uint64_t seed;  /* of the shapes and values drawn */
    int64_t shapes; /* at most; default 300 */
    int64_t proofs; /* at most so many tuples of unit tensors; default 20000 */
    bool ties_bind; /* at ties and kinks the conventions of spor are right, no others */
    bool ties_fail; /* what is none of the slopes around a tie fails at once, not at the end */
} spor_effort;

/** Where the truth comes from that a formula is held against. */
typedef enum {
    SPOR_BY_INTEGERS,     /* the tape on integer tensors where it rounds nothing: bit for bit */
    SPOR_BY_BOUNDS,       /* the tape on reals, and where it rounds, within running error bounds */
    SPOR_BY_ADJOINT,      /* <dy, A u> = <A' dy, u> where y is linear in the input */
    SPOR_BY_UNITS,        /* the tape on all tuples of unit tensors */
    SPOR_BY_COMPLEX_STEP, /* Im y(x + i h) / h */
    SPOR_BY_DIFFERENCES,  /* central differences; left and right slopes at kinks */
    SPOR_BY_FIELD,        /* the tape modulo random primes; it never accuses */
    SPOR_ORACLES
} spor_oracle;

/** How a verdict ends. */
typedef enum { SPOR_HOLDS, SPOR_FAILS, SPOR_NOTHING_EXAMINED } spor_outcome;

/** Which two of the three numbers disagree: formula, tape, oracle. */
typedef enum { SPOR_FORMULA_TAPE, SPOR_TAPE_ORACLE, SPOR_DOES_NOT_RECORD } spor_dispute;

/** How many wrong pairs are told of besides the first one. */
enum { SPOR_OTHERS = 8 };

/** One more pair that is wrong. */
typedef struct {
    char pair_name[64];             /* "dW" */
    char pair_note[256];            /* "" or the pair's note */
    char message[320];              /* "", or how its shape is wrong: then there are no numbers */
    bool elsewhere;                 /* the numbers are of other sizes or data than the example's */
    int64_t value[SPOR_QUANTITIES]; /* the sizes of the numbers */
    spor_shape shape;               /* of the pair */
    int64_t index[SPOR_RANK];       /* of the element shown, the worst one */
    double formula;                 /* its value by the formula */
    double expected;                /* its value by the tape */
    double bound;                   /* the difference allowed */
    double ulps;                    /* the difference seen, in ulps of expected */
    int64_t wrong;                  /* elements of the pair that differ too much there */
    int64_t elements;               /* of the pair there */
    char pattern[256];              /* what the mistake looks like; "" if unknown */
} spor_wrong;

/** The smallest case found. */
typedef struct {
    spor_dispute dispute;           /* who disagrees */
    char pair_name[64];             /* "dW" */
    char pair_note[256];            /* "" or the pair's note */
    int64_t value[SPOR_QUANTITIES]; /* of the statement's quantities */
    spor_shape shape;               /* of the pair */
    int64_t index[SPOR_RANK];       /* of the element shown */
    double formula;                 /* its value by the formula */
    double expected;                /* its value by the tape */
    double oracle;                  /* its value by an oracle; NAN where there is none */
    spor_oracle by;                 /* which one */
    double bound;                   /* the difference allowed */
    double ulps;                    /* the difference seen, in ulps of expected in its arithmetic */
    int64_t wrong;                  /* elements of the pair that differ too much */
    int64_t elements;               /* of the pair */
    char pattern[256];              /* what the mistake looks like; "" if unknown */
    char data[2048];                /* the inputs of the case */
    bool misfit;                    /* of that: it records, but in another shape */
    char message[512];              /* of SPOR_DOES_NOT_RECORD */
    int others;                     /* pairs that are wrong besides */
    spor_wrong other[SPOR_OTHERS];  /* in the order of the pairs */
} spor_counterexample;

/** What each number of a claim was rounded to once it was computed. */
typedef enum {
    SPOR_STORED_AS_COMPUTED, /* nothing less than the arithmetic */
    SPOR_STORED_F16,         /* IEEE binary16: 11 bits, to 65504 */
    SPOR_STORED_BF16,        /* bfloat16: 8 bits, as far as float */
    SPOR_STORED_KINDS
} spor_stored;

/** What judging arrays of other code counts besides; zeros elsewhere. */
typedef struct {
    int64_t exempt;    /* not judged: a number that is not finite reaches them */
    int64_t between;   /* neither right nor wrong: farther off than the runs, but rounding may be */
    int64_t unseen;    /* of these: the inputs tie, and not all slopes around could be looked at */
    int64_t unclear;   /* of the undecided: at ties, and no slope around explains it nor the tape */
    int64_t undefined; /* of the undecided: the definition is no number there, or too large */
    int64_t settled;   /* of those judged: by what the user allows */
    double off;        /* the largest difference of those that passed */
    double runs;       /* the largest error of the definition's own four runs */
    double allowed;    /* the largest difference allowed */
    double worst_case; /* what rounding can do at the element of the example */
    double ulps;       /* what would settle all that are between */
    double rtol;       /* the same, relative */
    spor_stored stored; /* what the claim is kept in */
    bool norm_wise;     /* each element was allowed as much as any of its array */
    char unjudged[160]; /* where those lie that were not judged */
} spor_array_figures;

/** What is known of a statement that holds, at the sizes examined; each says less than the next. */
typedef enum {
    SPOR_TESTED,   /* at points, within the bounds of rounding */
    SPOR_EXACT,    /* at points, whole numbers, all bit for bit */
    SPOR_IDENTITY, /* over the reals, on the branches met; but for a chance */
    SPOR_PROVED    /* for all values of these shapes */
} spor_rung;

/** What verifying has found. */
typedef struct {
    spor_outcome outcome;      /* holds, fails or neither */
    int64_t shapes;            /* instances examined */
    int64_t undefined;         /* instances where both sides are undefined */
    int64_t proved;            /* shapes proved on all tuples of unit tensors */
    int64_t identities;        /* shapes proved, or where the field shows an identity ... */
    double chance;             /* ... but for a chance below this in all */
    int64_t not_shown;         /* shapes where residues differ: no fault yet */
    int64_t unclaimed;         /* shapes of which the field can't say anything ... */
    const char *unclaimed_why; /* ... and the first reason */
    int64_t comparisons;       /* elements judged, formula against tape */
    int64_t undecided;         /* not judged: what rounding or overflow allow decides nothing */
    int64_t outside;           /* not judged: y, or a slope on the way to it, is no number */
    int64_t ties;              /* at a tie or kink: one of the slopes around it, not the tape's */
    int64_t jumps;             /* of these: y jumps there, and has no slope */
    int pairs;                 /* that the instances had */
    int64_t compared[SPOR_PAIRS]; /* elements of each pair that were compared */
    int64_t exact;                /* of these: where nothing was rounded, bit for bit */
    int64_t asked[SPOR_ORACLES];  /* elements that each oracle judged */
    int64_t nonzero;              /* elements whose true value is not zero */
    bool exhaustive;              /* all values of the quantities were examined */
    double closest;               /* largest |difference| / bound seen that passed */
    int64_t ties_wrong;           /* there: none of the slopes around it */
    bool ties_only;               /* it fails, and at ties and kinks only */
    int unmet;                    /* comparisons that went one way at all points tried */
    char sizes[384];              /* which values of the quantities were tried */
    char unjudged[96];            /* pairs of which no element could be judged: "dW, db" */
    char reservation[512];        /* "" or under which reservations it holds */
    spor_array_figures arrays;    /* of arrays of other code */
    char regions[2048];           /* which corners were visited, a line each */
    spor_counterexample example;  /* if it fails */
} spor_verdict;

/** Verifies. False only when memory runs out; example.message then says how much was needed, if that
 *  is known, and is empty otherwise. */
SPOR_API bool spor_verify(const spor_statement *statement, const spor_effort *effort,
                          spor_verdict *verdict);

/** The rung that a verdict has reached: of all its shapes the lowest. */
SPOR_API spor_rung spor_verdict_rung(const spor_verdict *verdict);

/** The verdict in words, as a person wants to read it. statement is NULL for arrays. */
SPOR_API void spor_verdict_print(const spor_statement *statement, const spor_verdict *verdict,
                                 FILE *out);

/* ---- one oracle alone ----------------------------------------------------------------------- */

/** What an oracle had to say. */
typedef struct {
    spor_recording recording; /* nothing is examined unless it is SPOR_RECORDED */
    bool examined;            /* it had something to compare */
    bool caught;              /* it found a difference */
    bool proved;              /* units only: the pairs agree for all values of these shapes */
    bool identity;            /* field only: on the branches met they agree over the reals ... */
    double chance;            /* ... but for a chance below this */
    bool not_shown;           /* field only: it had to do with residues that differ */
    char pair[64];            /* the first that was caught */
    int64_t elements;         /* numbers compared; pairs behind one that was caught are not asked */
    int64_t wrong;            /* elements of that pair, over all data tried */
    int64_t kinks;            /* differences only: passed as the slope on one side of a kink */
    int64_t skipped;          /* differences only: a kink near x, but not at it */
    double worst;             /* the pair's largest difference */
    double bound;             /* what was allowed there */
    char message[512];        /* if the recording is SPOR_BROKEN */
} spor_answer;

/** "integers", "reals", "adjoint", "units", "complex step", "differences", "field" */
SPOR_API const char *spor_oracle_name(spor_oracle oracle);
/** What follows if the oracle is content, and what does not. */
SPOR_API const char *spor_oracle_proves(spor_oracle oracle);

/** Asks one oracle about the pairs of the statement at the values of its quantities. False only
 *  when memory runs out. */
SPOR_API bool spor_ask_oracle(const spor_statement *statement, const int64_t values[],
                              spor_oracle oracle, const spor_effort *effort, spor_answer *answer);

/* ---- arrays that other code computed ---- */

/** wrt of a claim about a value: y itself, or another variable of its tape. */
#define SPOR_OF_Y (-1)

/** Numbers that other code computed, row-major. */
typedef struct {
    const char *name;      /* "dK" */
    int wrt;               /* the input whose gradient it is said to be, or SPOR_OF_Y */
    spor_var of;           /* of SPOR_OF_Y: whose value it is, of y's tape; id 0: y's */
    const double *claimed; /* the numbers, of that input's or variable's shape */
    spor_stored stored;    /* what they are kept in */
    const double *before;  /* NULL, or what the gradient was added to, of its shape */
} spor_claim;

/**
 * What other code was given and what it computed:
 *
 *     spor_var A = spor_input(tape, "A", SPOR_SHAPE(2, 3)), W = spor_input(tape, "W", ...);
 *     spor_arrays arrays = {
 *         .y = spor_tanh(spor_matmul(A, W)),
 *         .inputs = 2, .input = {A, W}, .value = {a, w},
 *         .cotangent = dy,
 *         .claims = 1, .claim = {{.name = "dW", .wrt = 1, .claimed = my_dw}},
 *         .arithmetic = SPOR_F32,
 *     };
 *     if (!spor_verify_arrays(&arrays, &verdict)) ... out of memory
 *     spor_verdict_print(NULL, &verdict, stdout);
 */
typedef struct {
    spor_var y;                       /* the result as the tape has it */
    int inputs;                       /* number of them */
    spor_var input[SPOR_INPUTS];      /* leaves by spor_input */
    const double *value[SPOR_INPUTS]; /* of the inputs' shapes */
    spor_range range[SPOR_INPUTS]; /* what is known of them: labels and masks have no neighbours */
    const double *cotangent;       /* of y's shape; NULL: ones */
    int claims;                    /* number of them */
    spor_claim claim[SPOR_PAIRS];  /* what the other code computed */
    int64_t oracle;                /* directions of complex steps at most; 0: 8 */
    spor_scalar arithmetic;        /* of the other code: SPOR_F32 or SPOR_F64 */
    bool
        norm_wise; /* its elements share what is rounded: each may be off by as much as any of its array */
    double ulps;    /* what the user allows besides, in ulps; 0: nothing */
    double rtol;    /* the same as a share of the value; 0: nothing */
    bool ties_bind; /* at ties and kinks the conventions of spor are right, no others */
} spor_arrays;

/**
 * Judges the claims at these numbers against the tape of y, which grows by a backward pass. Each
 * element by itself:
 *
 *     right      within 8 times the largest error, measured by the running magnitude of its terms,
 *                that the definition itself has in the claimed arithmetic, in four runs that round
 *                differently; exactly, on whole numbers that no order of sums rounds
 *     wrong      farther off than rounding can explain in any order of the sums; or not a number
 *     between    neither: it may be other algebra, or a mistake. ulps or rtol settles it: what is
 *                within N units in the last place, or within this share, of the value or of the
 *                array's root mean square is right then, the rest is wrong
 *     undecided  what is allowed for computing is more than 1 % of the array's root mean square; or the
 *                right number is too large for what it is kept in, and the claim is what may become of it:
 *                an infinity, the largest number there is, or as near as rounding explains
 *     at a tie   of a gradient, where the definition has a tie or kink: another of the slopes around, which
 *                is right unless ties_bind. Along directions in which y does not turn, all inputs moved alike
 *                or by the numbers' own share, what all such elements claim must add up to the tape's slope
 *     exempt     an input that is not finite reaches it
 *
 * Where a claim is stored in half precision, each element may besides be off by one rounding to that; inputs are
 * what they are.
 *
 * An element that is wrong makes the verdict fail, the first claim's is its example. It holds if of
 * every claim some elements were judged, and none is between. The tape itself is held against
 * complex steps in random directions. The tape must be without parameters. False only when memory
 * runs out.
 */
SPOR_API bool spor_verify_arrays(const spor_arrays *arrays, spor_verdict *verdict);

#ifdef __cplusplus
}
#endif

#endif
