/*
 * Networks verified: their layers one by one, their gradients as a whole, the rules of training.
 */
#ifndef SPOR_VERIFY_MODEL_H
#define SPOR_VERIFY_MODEL_H

#include <spor/train.h>
#include <spor/verify.h>

#include "tape/tape.h"

/** What came of one thing that was looked at. Texts live as long as the call. */
typedef struct {
    spor_outcome outcome;
    const char *label;         /* "net/conv[0]/K" */
    const char *summary;       /* a line */
    const char *detail;        /* lines; "" if there is nothing more to say */
    const spor_verdict *found; /* NULL: none */
    bool reserved;             /* it holds, but with a reservation: the summary has it */
} spor_model_row;
typedef void spor_on_model_row(void *user, const spor_model_row *row);

/** A test's hand on what fast programs computed, before it is judged: "net/conv[0]: dK". */
typedef void spor_tamper(void *user, const char *what, double value[], int64_t size);

/** A network and how it is trained. */
typedef struct {
    spor_net *net;
    spor_loss *loss;
    spor_optimizer *optimizer;
    void *user; /* of net, loss and optimizer */
    spor_shape sample, target;
    const spor_data *data;               /* NULL: random numbers alone */
    double test_share, validation_share; /* of the data, as training draws them */
    spor_schedule schedule;
    const char *weights; /* NULL, or a file to verify at besides the initial values */
    uint64_t seed;
    bool ties_bind; /* a derivation that differs at ties of the data alone is wrong */
    int threads;    /* that judge layers side by side; tampering is theirs, too */
    /* NULL, or names of a hand-derived backward by its user: of its operand, what it derives if
     * operand is -1 */
    bool (*frozen)(const char *name, const void *user); /* parameters that stay; NULL: none */
    const char *(*derivation_name)(const void *derivation, int operand);
    spor_tamper *tamper; /* NULL but in tests */
    void *tamper_user;
} spor_model_check;

/**
 * Shows a row for each layer that a fast path takes (in float and in double, against the tape and
 * complex steps, at the layer's real sizes and inputs), one for each call whose gradients a hand
 * derivation gives (likewise), one for the gradient of each parameter (in double, of the whole
 * network, as training has it) and one for each rule of training. What could not be looked at has a
 * row that says so. False with a message if the network does not record, weights do not load or
 * memory runs out.
 */
bool verify_model_rows(const spor_model_check *check, spor_on_model_row *on_row, void *user,
                       spor_message *message);

/* ---- for model.c: region.c ---- */

/** A stretch of a tape as a tape of its own: the cut nodes are inputs. */
typedef struct {
    spor_tape *tape;
    spor_var y;
    int inputs;
    spor_var input[SPOR_INPUTS];
} spor_piece;

/** How a piece is cut out. */
enum {
    PIECE_PARAMETERS = 1 << 0, /* the cut nodes become parameters */
    PIECE_DERIVATIONS = 1 << 1 /* with the hand-derived backwards inside */
};

/** What root is computed from, down to n cut nodes; these become inputs of these names, or
 *  parameters. NULL tape: out of memory. */
spor_piece piece_of(const spor_tape *from, uint32_t root, int n, const uint32_t cut[],
                    const char *const names[], unsigned how);
/** The same with inputs from number `packed` on in one, flat and one after the other: more nodes may
 *  be cut than a piece has inputs. packed = n: none. */
spor_piece piece_packed(const spor_tape *from, uint32_t root, int n, int packed,
                        const uint32_t cut[], const char *const names[], unsigned how);
/** Multiplications of the piece's forward pass, about. */
double piece_cost(const spor_piece *piece);

/** Most operands of a stretch. */
enum { REGION_OPERANDS = SPOR_CUSTOM_OPERANDS };
_Static_assert((int)REGION_OPERANDS >= SPOR_OPERANDS, "those of a fast path, too");

/** A stretch that a fast path takes, or whose gradients a hand derivation gives. */
typedef struct {
    const char *fast;          /* name of the fast path; NULL: a derivation */
    const spor_custom *custom; /* the derivation; NULL: a fast path */
    uint32_t root;
    int operands;                      /* each of them once */
    uint32_t operand[REGION_OPERANDS]; /* nodes of the recorded tape */
    char name[REGION_OPERANDS][SPOR_NAME];
} spor_region;

/** The regions that fast paths take of a training program of this cost, then those of hand
 *  derivations; their number in all, of which `most` are listed. -1 with a message, or without one
 *  when memory runs out. */
int region_list(const spor_model_check *check, spor_var cost, spor_params *params, int most,
                spor_region region[], spor_message *message);
/** False if a derivation's result depends on parameters or inputs that are no operands of it: it
 *  can't be cut out. */
bool region_stands_alone(const spor_tape *tape, const spor_region *region);

/** Judges what training computes of a region at these operands (numbers that a float holds): y and
 *  the gradients of the operands. Adds to verdict; undecided counts outputs at a kink. */
bool region_judge(const spor_model_check *check, const spor_tape *tape, const spor_region *region,
                  const char *layer, const double *const value[], spor_scalar arithmetic,
                  uint64_t seed, spor_verdict *verdict, int64_t *undecided, spor_message *message);

/* ---- for model.c and region.c: derivation.c ---- */

/** Gradients that hand derivations gave, to be judged against the tape of the piece. */
typedef struct {
    const spor_piece *piece;    /* PIECE_DERIVATIONS, or with some declared on it */
    const double *const *value; /* of its inputs */
    const double *cotangent;    /* of y; NULL: ones */
    spor_scalar arithmetic;     /* of who computed them */
    double *const *claimed;     /* by input, of its shape; NULL: not judged */
} spor_derived_gradients;

/**
 * A derivation rounds otherwise than the tape. What it may be off by is added to what the tape may:
 * a gradient that is within both is drawn to the tape's, so that its distance is the same share of
 * what the tape alone may be off by; one beyond is left as it is. decided is false if rounding may
 * decide a branch on either way: then there is nothing to judge. False with a message if a
 * derivation does not record, or when memory runs out.
 */
bool derivation_allow(const spor_derived_gradients *gradients, bool *decided,
                      spor_message *message);

/* ---- for rules.c: update.c ---- */

/** What a step of a model in float has done. */
typedef struct {
    const spor_bound *bound; /* the training program that ran */
    spor_params *params;     /* values after it, gradients that it had */
    float *const *before;    /* values before it, by entry */
} spor_update;

/** What came of it: elements that were looked at, how many of them rounding may have made anything,
 *  and the first one that is not what the rule says. */
typedef struct {
    int64_t seen, undecided;
    char wrong[300];
} spor_update_verdict;

/** Judges the update by the optimizer's rule alone, from the values and gradients that it had. False
 *  with a message, or without one when memory runs out. */
bool update_judge(const spor_model_check *check, const spor_update *update,
                  spor_update_verdict *verdict, spor_message *message);

/* ---- for model.c: rules.c ---- */

/** Rows about initial values, steps of so many rows and the data. */
bool verify_rule_rows(const spor_model_check *check, int64_t rows, spor_on_model_row *on_row,
                      void *user, spor_message *message);

#endif
