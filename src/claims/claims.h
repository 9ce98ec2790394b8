/*
 * The room for claims: what a script derives by hand and what it claims, collected while it loads,
 * recorded for the verifier, trained with once accepted. See models/README.md for the language.
 */
#ifndef SPOR_CLAIMS_CLAIMS_H
#define SPOR_CLAIMS_CLAIMS_H

#include <spor/verify.h>
#include <stdio.h>

#include "script/script.h"

/** Statements, words and built-ins of derivations and claims: to be given to script_load. A script
 *  that was loaded without it has none. */
extern const spor_dialect claims_dialect;

/** A derive or a claim of the script, collected but not yet verified. Strings live as long as the
 *  script. */
typedef struct {
    const char *label; /* "Eqs. 46-49"; NULL if a derive has none */
    const char *def;   /* what a derive derives; NULL for a claim */
    bool fails;        /* it must fail */
    bool trusted;
    bool unproved;             /* a part of it is still ...: what is there is checked */
    const char *unproved_what; /* "dW, db" */
    const char *file;
    int line, column;
    const spor_statement *statement; /* for spor_verify */
    int calls; /* recorded so far that train with it; -1: a claim, or a derive not accepted */
    char refusal[512]; /* why sizes were left out or undefined, the last time; "" if none were */
} spor_script_claim;

/** How many derives and claims, with those of included files. */
int claims_count(const spor_script *script);
/** Number k, in order of the source. */
const spor_script_claim *claims_at(const spor_script *script, int k);

/** Writes a script that fails by itself: the claim without `fails`, held at the values of its
 *  quantities, with the defs of its file that it needs. To be kept beside what it includes. */
void claims_case(const spor_script_claim *claim, const int64_t values[], FILE *out);

/** A def alone, for what other code computes of it. Strings live as long as the script. */
typedef struct {
    const spor_statement
        *statement;      /* its sizes; an instance has the tensors as inputs in their order, its
                                        cotangents as the last ones, and pairs of which both sides are the gradients
                                        of y, by their names: of tensors that are neither one of a few numbers nor
                                        said to have none */
    const char *why_not; /* why sizes were left out, the last time; "" if none were */
    int results;         /* that are differentiated; 0: nothing is known of the def */
    const char *result[SPOR_RESULTS], *cotangent[SPOR_RESULTS]; /* "Y", "dY" */
    const char *file;                                           /* of the def */
    int line, tensors;
    const char *tensor[SPOR_INPUTS];
    spor_range_kind kind[SPOR_INPUTS]; /* of the tensors' values */
} spor_script_def;

/** Reads what is known of a def: by its derive, if one is to hold, else by its signature. False with the error,
 *  as of a script: a tensor without a shape, a parameter that has neither shape nor default. */
bool claims_def(spor_script *script, const char *def, spor_script_def *out, char *error,
                size_t size);

/** From now on training programs take the gradients of derive number k's def from it. To be called
 *  once it is verified or trusted; what is open, must fail or leaves a gradient out is not used:
 *  false. */
bool claims_accept(spor_script *script, int k);

/** Names of a backward that training programs take from a derivation, by what spor_custom_vjp was
 *  given with it: of operand k, "W", or of the def if operand is -1. */
const char *claims_backward_name(const void *backward, int operand);

/** Names of the results of a def as the first derivation of it has them; 0 if none has. */
int claims_results(const spor_script *script, const char *def, int most, const char *name[]);

#endif
