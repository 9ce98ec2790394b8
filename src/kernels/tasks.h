/*
 * How the work of a phase is cut into tasks: by shapes alone, so that the same numbers come out
 * whatever runs the tasks; where any tasks make the same, one thread may have fewer. A task is long
 * enough that handing it out costs little beside it; small shapes are one task.
 */
#ifndef SPOR_KERNELS_TASKS_H
#define SPOR_KERNELS_TASKS_H

#include "kernels/carve.h"
#include "kernels/kernel.h"

/** Least cost of a task, also as a multiple of what one more task costs; most tasks of a phase. Costs
 *  are in multiply-adds of a product. */
enum { TASK_COST = 1 << 18, TASK_SHARE = 16, TASKS_MOST = 32 };
/** Costs of an element: moved from one array to another, from a column to a row, gone through exp, part of a partial
 *  result that is written, read and added up. */
enum { COST_MOVED = 8, COST_TRANSPOSED = 16, COST_EXP = 32, COST_PARTIAL = 32 };

/** Tasks for count >= 1 things of this cost each, none cut apart. Each task costs extra. */
static inline int64_t tasks_for(const spor_need *need, int64_t count, int64_t cost, int64_t extra) {
    int64_t all = carve_times(carve_times(count, cost), need->finer);
    int64_t tasks = all / carve_most(TASK_COST, carve_times(TASK_SHARE, extra));
    return carve_most(1, carve_least(carve_least(tasks, TASKS_MOST), count));
}

/** The things first .. end - 1. */
typedef struct {
    int64_t first, end;
} task_part;

/** Part number `part` of so many that count things are cut into: as even as possible. */
static inline task_part task_part_even(int64_t part, int64_t parts, int64_t count) {
    if (parts == 1) return (task_part){0, count}; /* small steps have no time to divide */
    int64_t each = count / parts, more = count % parts;
    int64_t first = part * each + carve_least(part, more);
    return (task_part){first, first + each + (part < more)};
}

/** The part of count things that a task of a phase has. */
static inline task_part task_part_of(const spor_call *c, spor_phase phase, int64_t task,
                                     int64_t count) {
    return task_part_even(task, c->need->tasks[phase], count);
}

/** Where a task of WORK leaves its result: in partial, or in out if there is no FINISH. */
static inline void *task_result(const spor_call *c, int64_t task) {
    return c->partial ? (char *)c->partial + (size_t)task * c->need->partial : c->out.data;
}

/** WORK for things of this cost, of which each task makes a sum: a result of `size` elements. Where
 *  there are several tasks, FINISH adds their results up. */
static inline void tasks_add_up(spor_need *need, int64_t count, int64_t cost, int64_t size,
                                size_t width) {
    int64_t tasks = tasks_for(need, count, cost, carve_times(size, COST_PARTIAL));
    need->tasks[SPOR_WORK] = tasks;
    if (tasks == 1) return;
    need->partial = bytes_for(size, width);
    need->tasks[SPOR_FINISH] = tasks_for(need, size, tasks * COST_MOVED, 0);
}

#endif
