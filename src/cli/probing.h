/*
 * A def of a script under probes: their numbers as files, and what other code made of them.
 */
#ifndef SPOR_CLI_PROBING_H
#define SPOR_CLI_PROBING_H

#include "cli/verify.h"
#include "data/bundle.h"
#include "verify/probe.h"

/** The def and its probes. */
typedef struct {
    spor_verification *v;
    spor_workpiece *piece;
    spor_script_def def;
    probes probes;
    const char
        *before[SPOR_PAIRS]; /* of a gradient that is added to what was there: that array's name */
    raw_type whole;          /* of whole numbers in files */
} probing;

/** Chooses the probes of --call DEF. False after a complaint. */
bool probing_open(probing *p, spor_verification *v, spor_workpiece *piece);
void probing_close(probing *p);
/** Complains; false. */
bool probing_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/** What the files of all arrays of a folder are called. */
#define PROBING_TENSORS "arrays.safetensors"
#define PROBING_NPZ "arrays.npz"

/** Inputs, what gradients are added to, and all of these in one file. */
enum { PROBING_ARRAYS = 2 * SPOR_INPUTS, PROBING_FILES = PROBING_ARRAYS + 2 };

/** An array of a case that the code is given. */
typedef struct {
    const char *name;
    spor_shape shape;
    raw_type type; /* in files: float, or whole */
    const double *number;
} probing_array;
/** Lists them: inputs, and what was there before. Returns how many. */
int probing_arrays(const probing *p, const probe_case *c, probing_array array[PROBING_ARRAYS]);

/** Files in memory, before they are written and after. */
typedef struct {
    int count;
    char name[PROBING_FILES][160];
    spor_text text[PROBING_FILES];
} probing_files;

/** The arrays of a case as files: each as NAME.npy, all as arrays.safetensors and arrays.npz. False after a
 *  complaint. */
bool probing_inputs(const probing *p, const probe_case *c, probing_files *files);
/** The gradients that are wanted, each as dX.npy full of NaN of one kind, or of what it is added to. */
bool probing_blanks(const probing *p, const probe_case *c, probing_files *files);
/** True of a number that was there before the code wrote. */
bool probing_is_blank(double number);
/** Writes them into a folder, which is made, all or none. False after a complaint. */
bool probing_write(const probing_files *files, const char *folder);
/** The same for a moment only: what is there is overwritten in its place. */
bool probing_lay(const probing_files *files, const char *folder);
/** The first file in the folder that is not as it was written; NULL: all are. */
const char *probing_changed(const probing_files *files, const char *folder);
void probing_free(probing_files *files);

/** --emit: writes all probes. False after a complaint. */
bool probing_emit(const probing *p, const char *folder);

/** --exec: runs code on the probes, judges and shows. False after a complaint. */
bool probing_exec(probing *p);

#endif
