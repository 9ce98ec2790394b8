/*
 * What tests do with an import: record its script, fill in its weights, run it.
 */
#ifndef SPOR_TESTS_IMPORTED_H
#define SPOR_TESTS_IMPORTED_H

#include <spor/spor.h>
#include "import/import.h"
#include "script/script.h"

enum { IMPORTED_RESULTS = 8 };

/** An import that was recorded and compiled. */
typedef struct {
    const import_result *made;
    spor_script *script;
    spor_tape *tape;
    spor_params *params;
    spor_program *program;
    spor_scalar scalar;
    spor_var x[IMPORT_INPUTS], y[IMPORTED_RESULTS];
    int results;
    char why[1200];
} imported;

/** Records the script on inputs of so many rows and takes the weights. False with `why`. */
bool imported_open(imported *m, const import_result *made, int64_t rows, spor_scalar scalar);
void imported_close(imported *m);
/** Numbers of input k as the file has them, in its order of axes. */
void imported_fill(imported *m, int k, const double from[]);
bool imported_run(imported *m);
/** How far result k is from these, which lie as the file has them, in units of the largest or of 1. */
double imported_distance(imported *m, int k, const double want[]);

#endif
