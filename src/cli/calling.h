/*
 * A def of a script that is called with arrays of files: what spor run and spor verify --call share.
 */
#ifndef SPOR_CLI_CALLING_H
#define SPOR_CLI_CALLING_H

#include <spor/verify.h>

#include "cli/cli.h"
#include "data/npy.h"
#include "tape/tape.h"

/** Most operands that are arrays. */
enum { CALLING_OPERANDS = SPOR_INPUTS - 1 };

/** The call; its operands are inputs of a tape of its own. */
typedef struct {
    const spor_workpiece *piece;
    const char *def;
    spor_tape *tape;
    int parameters; /* of the def */
    const char *parameter[CALLING_OPERANDS];
    spor_script_def
        known; /* results 0: its signature has no shapes, so that nothing is known of it */
    spor_npy value[CALLING_OPERANDS]; /* doubles; value NULL: not given */
    int inputs;                       /* operands given: the first ones */
    spor_var input[CALLING_OPERANDS], y;
    int names; /* of several results; 0: it has one, or its results have no names */
    const char *name[SPOR_RESULTS];
    spor_npy given[SPOR_RESULTS]; /* their cotangents, likewise */
    int results;
    spor_var result[SPOR_RESULTS]; /* y is their elements, end to end if there are several */
    double *cotangent; /* of y; NULL: none was given. A result whose cotangent was not has zeros */
} calling;

/** All functions below give false after a complaint. */

/** Complains. */
bool calling_fail(const calling *c, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Begins a call of the def. */
bool calling_open(calling *c, const spor_workpiece *piece, const char *def);
void calling_close(calling *c);

/** The number of an operand, or of the one whose gradient has this name, dX; -1 if there is none. */
int calling_operand(const calling *c, const char *name);
int calling_gradient(const calling *c, const char *name);
/** True of d and the name of a result, or, where these have no names, of any that is no operand's. */
bool calling_is_cotangent(const calling *c, const char *name);
/** What the script calls the result, or the first one, and its cotangent: Y and dY if it does not say. */
const char *calling_result_name(const calling *c);
const char *calling_cotangent_name(const calling *c);
/** True of a result, or of a cotangent, by the script's name; Y and dY of one result are understood. */
bool calling_names_result(const calling *c, const char *name);
bool calling_names_cotangent(const calling *c, const char *name);

/** The number of the result of this name, whatever it is called if there is only one; -1: none is. */
int calling_result(const calling *c, const char *name);

/** Reads a file, once: of an operand, or of a cotangent. */
bool calling_read(calling *c, const spor_set *given);
/** Takes an array of doubles, once, in its place; what it was taken from is empty then. */
bool calling_take(calling *c, const char *name, spor_npy *array);

/** Which values operand k has: as the signature of the def says; if it says nothing, whole ones where the file's are. */
spor_range_kind calling_range(const calling *c, int k);
/** What numbers of a file were rounded to, if that is less than float. */
spor_stored calling_stored(raw_type type);
/** True of what is kept as floats, or as less: other code then computed in float. */
bool calling_is_single(raw_type type);

/** Records the call. Operands are given in order, without a gap; cotangents have their results' shapes. */
bool calling_record(calling *c);
/** The array that is called so must have this shape. */
bool calling_fits(const calling *c, const char *name, const spor_npy *array, spor_shape shape);

#endif
