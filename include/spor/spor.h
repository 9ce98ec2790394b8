/*
 * spor: a reverse-mode automatic-differentiation tensor framework.
 *
 *     record a tape (tape.h, ops.h) -> differentiate it -> compile a program and run it (program.h)
 *     -> train a model (train.h) on data (data.h)
 *     -> verify a gradient that was derived by hand (verify.h)
 */
#ifndef SPOR_SPOR_H
#define SPOR_SPOR_H

#include <spor/data.h>
#include <spor/ops.h>
#include <spor/program.h>
#include <spor/tape.h>
#include <spor/train.h>
#include <spor/verify.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library in use, "0.1.0". */
SPOR_API const char *spor_version(void);

#ifdef __cplusplus
}
#endif

#endif
