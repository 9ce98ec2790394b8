/*
 * Where the time of a program's steps goes.
 */
#ifndef SPOR_CLI_PROFILE_H
#define SPOR_CLI_PROFILE_H

#include "program/program.h"

/** Runs the program for so many seconds, with new inputs from feed before each run, and prints what its
 *  steps take, beside what the cores they run on can do at best. False if a run fails, with the program's
 *  error, or without one if memory runs out. */
bool profile_print(spor_program *program, double seconds, void (*feed)(void *user), void *user);

#endif
