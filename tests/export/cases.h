/*
 * What is exported in tests: every op of the registry that has a mapping, on its samples; the layers of
 * tests/script/layers.txt; networks, with random weights. Nobody lists an op here.
 */
#ifndef SPOR_TESTS_EXPORT_CASES_H
#define SPOR_TESTS_EXPORT_CASES_H

#include "data/text.h"
#include "export/onnx_tape.h"
#include "../support/opcheck.h"

/** An exported graph and numbers: inputs and what spor makes of them by reference. */
typedef struct {
    char name[96]; /* "matmul_0_f32", "lenet2" */
    spor_scalar scalar;
    bool open; /* any number of rows */
    const spor_text *bytes;
    int inputs;
    char input[OPCHECK_VARS][32]; /* their names */
    spor_shape x_shape[OPCHECK_VARS], y_shape;
    const double *x[OPCHECK_VARS];
    const double *y;
} export_case;

typedef void export_look(const export_case *seen, void *user);

/** Shows each case of its kind; the number of them. Fails the test if something can't be exported. */
int cases_of_ops(export_look *look, void *user);
int cases_of_layers(const char *source, export_look *look, void *user);
int cases_of_networks(const char *source, export_look *look, void *user);

#endif
