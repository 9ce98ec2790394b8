/*
 * Mutants of derivations: mutants_tree.c makes them, one change each, in the tree of a script that
 * is loaded; mutants_truth.c says by numbers alone whether one is wrong. Neither knows the verifier.
 */
#ifndef SPOR_TESTS_VERIFY_MUTANTS_H
#define SPOR_TESTS_VERIFY_MUTANTS_H

#include "claims/private.h"

#include <check.h>

/* ---- mutants: mutants_tree.c ----------------------------------------------------------------- */

enum { MUTANT_NAMES = 64, MUTANT_MOST = 1500 };

/** One change: where `before` stands, `after` is put. */
typedef struct {
    int kind;
    spor_syntax **slot, *before, *after;
} mutation;

/** The mutants of one derive, in order of its text. */
typedef struct {
    spor_ground ground;
    spor_asserted *of;
    const spor_syntax *line; /* that is walked */
    int names;               /* tensors that a formula may name here */
    const char *name[MUTANT_NAMES];
    int n;
    mutation *made; /* MUTANT_MOST of them */
} mutants;

enum { MUTANT_KINDS = 12 };

/** "flip a sign" */
const char *mutant_kind(int kind);
/** True if the words say what this kind of mutation does. */
bool mutant_is_named(int kind, const char *words);

/** All mutants of the derive, those that do not record included. */
void mutants_make(spor_asserted *derive, mutants *m);
void mutants_free(mutants *m);
/** Of each kind at most so many, evenly over the text. */
void mutants_thin(mutants *m, int most);

/** Puts the change into the tree, and takes it out. */
void mutation_apply(const mutation *change);
void mutation_undo(const mutation *change);
/** "script.spor:12: before -> after" */
void mutation_print(const mutation *change, char *text, size_t size);

/* ---- truth: mutants_truth.c ------------------------------------------------------------------ */

enum { TRUTH_SHAPES = 12, TRUTH_POINTS = 12 };

/** Points of a derivation at some sizes: those where y and all formulas are finite and y has no
 *  kink, with what the formulas give there. */
typedef struct {
    int64_t value[SPOR_QUANTITIES]; /* of the statement's quantities */
    int64_t inputs, results;        /* numbers that go in, that come out */
    int points;
    double *point; /* points times inputs, then results */
} truth_shape;

/** What is known of a derivation that is said to be right. */
typedef struct {
    const spor_statement *statement;
    int shapes, points;
    truth_shape shape[TRUTH_SHAPES];
    int checked; /* comparisons with differences of y */
    int wrong;   /* of these: where the formulas are not y's slope */
} truth;

typedef enum {
    TRUTH_NO_RECORD,  /* it records at some of the sizes only, or gives other shapes */
    TRUTH_EQUIVALENT, /* the same numbers to 1e-12 */
    TRUTH_UNCLEAR,
    TRUTH_WRONG, /* other numbers, by more than 1e-6, in more than 3 % of a pair's elements at some sizes */
    TRUTH_JUDGEMENTS
} truth_judgement;

void truth_make(const spor_statement *statement, truth *t);
void truth_free(truth *t);

/** A mutant held against what is right. */
typedef struct {
    truth_judgement judgement;
    int pairs;
    char pair[SPOR_PAIRS][64]; /* names of the pairs with wrong elements */
} truth_finding;

void truth_judge(const truth *t, const spor_statement *mutant, truth_finding *finding);
/** True if the pair of this name has wrong elements. */
bool truth_blames(const truth_finding *finding, const char *pair);

/* ---- both judged on what is planted: mutants_planted.c --------------------------------------- */

TCase *mutants_planted(void);

#endif
