/*
 * Tasks of fast kernels held to what kernels/kernel.h promises of them, whatever the op: they run
 * in any order on any thread, with scratch that holds anything, and give the very same bits.
 */
#ifndef SPOR_TESTS_SUPPORT_TASKS_H
#define SPOR_TESTS_SUPPORT_TASKS_H

#include "program/program.h"

/** The ops outside of groups that were met, and the most tasks that each phase had. */
typedef struct {
    const spor_op *op;
    int64_t most[SPOR_PHASES];
} tasks_met;
enum { TASKS_OPS = 32 };

/**
 * Runs each step of a program that has run, and each fast one many times more on memory of its own,
 * cut finer than in programs. Fails the Check test if
 *   - the tasks of a phase in another order, or with other leftovers in memory, give other bits;
 *   - two tasks of a phase write to one place;
 *   - fewer or more tasks give other numbers, on small integers, where sums are exact, those of
 *     groups apart;
 *   - an output isn't the sum of the partial results in the order of their tasks;
 *   - a task writes beyond the memory that `need` asked for;
 *   - the number of tasks, of PREPARE apart, depends on the width of the scalar or of vectors; groups are
 *     cut by the width of the scalar.
 * met: NULL, or of TASKS_OPS, the unused ones with op NULL.
 */
void tasks_check(const spor_program *program, tasks_met met[]);

#endif
