/*
 * Rounds. Where there are threads, steps that stand one behind the other and of which none reads what another writes
 * are done together: tasks of a phase are handed out for all of them at once. So threads wait for each other once for
 * all, and where the tasks of one step come out uneven those of another fill in.
 */
#include <stdlib.h>

#include "program/program.h"

/* Steps of a round at most: what they need beside what they make is in memory at one time. */
enum { ROUND_MOST = 16 };

/* Some step of the round writes what the step reads. */
static bool reads_of_round(const spor_program *program, const program_step *step,
                           const uint32_t writer[], uint32_t first) {
    bool reads = false;
    for (int k = 0; k < step->reads; k++)
        reads |= writer[program_home(program, step->operand[k])] > first;
    return reads;
}

/* Steps of one task each are not worth another thread: they are no round. */
static void part_small_rounds(spor_program *program) {
    for (uint32_t s = 0, end; s < program->steps; s = end) {
        bool several = false;
        end = round_end(program, s);
        for (uint32_t t = s; t < end; t++) several |= step_has_tasks(&program->step[t]);
        for (uint32_t t = s; t < end; t++) program->step[t].joins &= several;
    }
}

bool find_rounds(spor_program *program) {
    uint32_t *writer =
        calloc(program->graph.tape->count, sizeof *writer); /* step, counted from 1 */
    uint32_t first = 0;
    if (!writer) return false;
    for (uint32_t s = 0; s < program->steps; s++) {
        program_step *step = &program->step[s];
        step->joins = program->threads > 1 && s > first && s - first < ROUND_MOST &&
                      !step->reference && !program->step[first].reference &&
                      !reads_of_round(program, step, writer, first);
        if (!step->joins) first = s;
        for (int k = 0; k < step_writes(step); k++)
            writer[program_home(program, step_written(step, k))] = s + 1;
    }
    free(writer);
    part_small_rounds(program);
    return true;
}
