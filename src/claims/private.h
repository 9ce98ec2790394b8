/*
 * Derivations and claims: what a script asserts, kept until it is verified.
 */
#ifndef SPOR_CLAIMS_PRIVATE_H
#define SPOR_CLAIMS_PRIVATE_H

#include "claims/claims.h"
#include "script/parser.h"
#include "script/private.h"

enum { SPOR_LIMIT_TERMS = 4096 }; /* of index sums, in one instance */

/* ---- as written: parse.c --------------------------------------------------------------------- */

/** Y and dY of a derive; a result whose cotangent is left out, its name NULL, is not differentiated. */
typedef struct {
    spor_parameter y, dy;
} spor_result;

/** derive f "label" (A, W, b) -> (Y, dY) where ... fails: or claim "label" (A[H, W], p in 0..3): */
typedef struct {
    const char *label;  /* NULL: none */
    const char *target; /* the def of a derive */
    spor_spot place, target_place;
    int quantifiers;
    spor_parameter *quantifier; /* A, A[H, W] in 0.0..1.0, p in 0..3 or act in [tanh, relu] */
    int results;
    spor_result result[SPOR_RESULTS]; /* of a derive */
    spor_syntax *where;               /* or NULL */
    bool fails, trusted;
    spor_syntax *body;
} spor_assertion;

extern const spor_statement_form parse_statements[]; /* derive, claim, trust */
extern const spor_for_form parse_fors[];             /* sum */

/** True if the node is the word none: dialect.c. */
bool claims_is_none(const spor_syntax *node);

/* ---- as kept --------------------------------------------------------------------------------- */

typedef struct spor_asserted spor_asserted;

/** A line that is checked: dW = ..., or left == right. */
typedef struct {
    const char *name; /* of the pair: "dW", or the left side as written */
    const char *note; /* "(48), file:line" */
} spor_checked;

/** A derive or a claim. */
struct spor_asserted {
    spor_script_claim shown;
    spor_statement statement;
    spor_script *script;
    const spor_assertion *source;
    const spor_function *function; /* of a derive */
    int tensors;
    const spor_parameter *tensor[SPOR_INPUTS];    /* with their shapes */
    spor_range value[SPOR_INPUTS];                /* of the tensors: what theirs are said to be */
    const spor_parameter *follows[SPOR_INPUTS];   /* says its whole numbers by sizes; or NULL */
    const spor_parameter *range[SPOR_QUANTITIES]; /* name in from..to, or NULL: a size */
    spor_value choice[SPOR_QUANTITIES];           /* a list, or nothing */
    int sizes;                                    /* so many quantities are sizes, the first ones */
    bool none;                                    /* a tensor of the derive has no gradient */
    bool alone; /* a def without what is claimed of it: its gradients are its pairs */
    int opens;
    const char *open[SPOR_PAIRS]; /* names that are ..., or made of such */
    int checks;
    spor_checked check[SPOR_PAIRS];
    spor_asserted *next;
};

/** What a pass records: an instance, or the gradients of a derive. It is the own of the pass. */
typedef struct {
    spor_asserted *asserted;
    const int64_t *values;
    spor_instance *instance; /* NULL: a training program asks for the gradients of a derive */
    spor_env *env;           /* names of the block */
    const spor_def *watched; /* the def of a derive */
    spor_env *locals;        /* of its call */
    int terms;               /* of index sums so far */
    bool outside;            /* the sizes are not meant */
    bool exhausted;          /* memory ran out */
    int pair, side;          /* of a claim: where recording stands; pair -1: at no equality */
    int skip_pair, skip_side;
    enum { SPOR_AT_SIZES, SPOR_AT_DEF, SPOR_AT_BODY } stage;
} spor_asserting;

/* ---- collecting: claims.c, claim.c, derive.c ------------------------------------------------- */

/** Runs the statement: keeps what it asserts. */
spor_evaluator claims_collect;
/** Those of a script in order of the source, the first one; NULL without the claims' dialect. */
spor_asserted *claims_first(const spor_script *script);
/** Reads the head of a derive: def, tensors, d-names. */
void derive_read(spor_pass *run, spor_asserted *a);
/** Reads tensors and lines of a claim. */
void claim_read(spor_pass *run, spor_asserted *a);
/** Adds a line to what is checked. */
void checked_add(spor_pass *run, spor_asserted *a, const char *name, const spor_syntax *line);
/** True if the name stands in the tree. */
bool syntax_mentions(const spor_syntax *node, int n, const char *const names[]);

/** What stands in the head of this name, or NULL. */
const spor_parameter *quantifier_find(const spor_assertion *s, const char *name);

/* ---- values of tensors: range.c -------------------------------------------------------------- */

/** What head and signature say of the tensors' values. */
void ranges_read(spor_pass *run, spor_asserted *a);
/** The values of tensor k in an instance, whose sizes are bound; false if there are none. */
bool range_at(spor_pass *run, const spor_asserting *at, int k, spor_range *range);

/* ---- quantities: quantity.c ------------------------------------------------------------------ */

/** Sizes in the shapes of the tensors, and what is quantified by name. */
void quantities_read(spor_pass *run, spor_asserted *a);
/** Values at which one of them turns: turns.c. Quantities are read. */
void turns_read(spor_pass *run, spor_asserted *a);
/** Names of the sizes and choices at the values; false if they lie outside bounds or where. */
bool quantities_bind(spor_pass *run, const spor_asserting *at);
/** The names of a tensor's axes, and its shape. */
spor_axes *quantities_axes(spor_pass *run, const spor_asserting *at, const spor_parameter *tensor,
                           spor_shape *shape);
/** The input of tensor k, its axes named. */
spor_value quantities_input(spor_pass *run, spor_asserting *at, int k);
/** One more input of the instance, of any values. */
spor_var asserting_input(spor_pass *run, spor_asserting *at, spor_spot place, const char *name,
                         spor_shape shape);

/* ---- recording: instance.c, derive.c, claim.c ------------------------------------------------ */

/** Records an asserted for the verifier, as spor_statement wants it. */
spor_record_instance instance_record;
void derive_record(spor_pass *run, void *asserting);
/** Runs the block of a derive: the tensors of its def, its results and their cotangents are given. */
void derive_block(spor_pass *run, spor_asserting *at, const spor_value inputs[],
                  const spor_value y[], const spor_value dy[]);
/** The results of the def of a derive, in y. Leaves if they are not those of its head. */
void derive_results(spor_pass *run, const spor_asserted *a, const spor_value *returned,
                    spor_value y[]);
/** What the block gives for a d-name, of x's shape; nothing if it gives none. */
spor_var derive_formula(spor_pass *run, const spor_asserting *at, const char *name, spor_var x);
/** True if the derive says that the tensor has no gradient. */
bool derive_is_none(spor_pass *run, const spor_asserted *a, const char *tensor);
/** "dW" for "W" */
const char *derive_name(spor_pass *run, const char *name);
void claim_record(spor_pass *run, void *asserting);

/* ---- training with derivations: derived.c ---------------------------------------------------- */

/** A call whose gradients a derive gives. */
typedef struct spor_derived spor_derived;
/** The derive that gives the gradients of this call in training, or NULL; env has the call's
 *  arguments. */
spor_derived *derived_find(spor_pass *run, const spor_function *function, spor_env *env);
/** Makes it the backward of the call's result, which becomes what has it. */
void derived_attach(spor_pass *run, spor_derived *derived, spor_value *result);

/* ---- index sums: index_sum.c ----------------------------------------------------------------- */

/** An equality with indices that nothing binds: they run over the axes where they stand alone. */
typedef struct {
    int n;
    const char *name[SPOR_RANK];
    spor_spot place[SPOR_RANK];
    spor_shape shape; /* what they run over */
} spor_indices;

/** The value of sum(term for u, v), a FORM: child[0] is the term, the others are NAMEs, each with
 *  its list as child, or none. */
spor_evaluator index_sum_evaluate;
/** The indices of left == right that nothing binds. */
void indices_find(spor_pass *run, const spor_env *env, const spor_syntax *equality,
                  spor_indices *indices);
/** The side with what does not depend on an index recorded. */
spor_syntax *indices_hoist(spor_pass *run, spor_env *env, spor_syntax *side,
                           const spor_indices *indices);
/** Finds what the indices run over: axes of the first side where they stand alone, else of the
 *  second. Sides are hoisted. */
void indices_range(spor_pass *run, const spor_syntax *const sides[2], spor_indices *indices);
/** The side at all values of the indices as one tensor. */
spor_var indices_expand(spor_pass *run, spor_env *env, const spor_syntax *side,
                        const spor_indices *indices);

/* ---- built-ins: builtins.c ------------------------------------------------------------------- */

extern const spor_builtin claims_builtins[];

#endif
