/*
 * spor: a reverse-mode automatic-differentiation tensor framework.
 *
 *     record a tape (tape.h, ops.h) -> differentiate it -> compile a program and run it (program.h)
 *     -> train a model (train.h) on data (data.h); load a script or a trained network (script.h)
 *     -> verify a gradient that was derived by hand (verify.h)
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
