/*
 * spor: a reverse-mode automatic-differentiation tensor framework.
 *
 *     record a tape (tape.h, ops.h) -> differentiate it -> compile a program and run it (program.h)
 *     -> train a model (train.h) on data (data.h); load a script or a trained network (script.h)
 *     -> verify a gradient that was derived by hand (verify.h)
 *
 * NULL never faults. An object that is NULL could not be made: memory ran out. All functions take it and do
 * nothing; they return false, 0, NULL or a variable with id 0, and its error is "out of memory". An array that
 * is NULL though it should have elements, and room for results, are taken for the same. A name or a path that is
 * NULL is an error that says so.
 *
 * What may be left out is NULL: options and effort (all zeros), a message (nothing is told), a FILE to print to,
 * what spor_error_place tells, rows of spor_data_rows and spor_data_standardize (0 .. n - 1), x or y of
 * spor_data_rows, data of spor_weights_save_for and spor_script_model, params of a tape without parameters,
 * on_progress, the statement of spor_verdict_print, a cotangent of arrays; and `user`, which is handed on.
 */
#ifndef SPOR_SPOR_H
#define SPOR_SPOR_H

#include <spor/base.h>
#include <spor/data.h>
#include <spor/ops.h>
#include <spor/program.h>
#include <spor/script.h>
#include <spor/tape.h>
#include <spor/train.h>
#include <spor/verify.h>

#endif
