/*
 * Where the time of a program's steps goes: step by step and phase by phase, in whole runs, so that caches
 * are as they are in training; beside what the same cores do at best, measured between the runs.
 */
#include "cli/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "cli/cli.h"
#include "kernels/element.h"

enum { LEAST_RUNS = 5, MOST_RUNS = 400, SIZES = 64 };
/* Steps below this share of a run are told together. */
static const double least_share = 0.003;

typedef struct {
    spor_program *program;
    size_t values;     /* of a run: phases of steps, then all of it */
    double *time;      /* [runs][values] seconds */
    double *sorted;    /* [runs] */
    double *median;    /* [values] */
    uint32_t *longest; /* steps, the longest first */
    int runs;
    double products;      /* multiply-adds a second at best */
    double copies[SIZES]; /* bytes a second at best where 2^k bytes are touched; 0: not measured */
} profile;

/* ---- measuring ---- */

static bool run_once(profile *p, void (*feed)(void *user), void *user) {
    double *time = p->time + (size_t)p->runs * p->values, begin;
    feed(user);
    begin = display_seconds();
    if (!program_run_timed(p->program, (uint64_t)p->runs + 1, display_seconds, time)) return false;
    time[p->values - 1] = display_seconds() - begin;
    return ++p->runs;
}

/* The first runs find caches, pages and threads cold, and are forgotten. */
static bool run_for(profile *p, double seconds, void (*feed)(void *user), void *user) {
    for (int k = 0; k < LEAST_RUNS; k++, p->runs = 0)
        if (!run_once(p, feed, user)) return false;
    double end = display_seconds() + seconds;
    while (p->runs < MOST_RUNS && (p->runs < LEAST_RUNS || display_seconds() < end))
        if (!run_once(p, feed, user)) return false;
    return true;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void find_medians(profile *p) {
    for (size_t k = 0; k < p->values; k++) {
        for (int run = 0; run < p->runs; run++)
            p->sorted[run] = p->time[(size_t)run * p->values + k];
        qsort(p->sorted, (size_t)p->runs, sizeof *p->sorted, by_size);
        p->median[k] = p->sorted[p->runs / 2];
    }
}

/* Where the time of a step's phase stands among those of a run. */
static size_t phase_at(uint32_t s, int phase) {
    return (size_t)s * SPOR_PHASES + (size_t)phase;
}

static double step_time(const profile *p, uint32_t s) {
    double time = 0;
    for (int phase = 0; phase < SPOR_PHASES; phase++) time += p->median[phase_at(s, phase)];
    return time;
}

static void sort_steps(profile *p) {
    for (uint32_t s = 0, at; s < p->program->steps; s++) {
        for (at = s; at && step_time(p, p->longest[at - 1]) < step_time(p, s); at--)
            p->longest[at] = p->longest[at - 1];
        p->longest[at] = s;
    }
}

/* ---- a step ---- */

/* Bytes that a step reads and writes, each array once. */
static double bytes_of(const spor_program *program, const program_step *step) {
    double elements = 0;
    for (int k = 0; k < step->reads; k++) elements += (double)shape_size(&step->call.in[k].shape);
    for (int k = 0; k < step_writes(step); k++)
        elements += (double)shape_size(&step_result(step, k)->shape);
    return elements * (double)scalar_width(program->scalar);
}

/* Bytes a second at best where so many are touched: of the next power of 2. */
static double copies_at_best(profile *p, double bytes) {
    int size = 12; /* below a page nothing changes */
    while (ldexp(1, size) < bytes) size++;
    if (p->copies[size] <= 0)
        p->copies[size] = program_roof_copies(p->program, (size_t)1 << size, display_seconds);
    return p->copies[size];
}

/* "190 GFLOP/s", "84 %" */
static void speed_texts(profile *p, uint32_t s, char *speed, char *share) {
    double time = step_time(p, s), products = program_step_cost(p->program, s);
    double bytes = bytes_of(p->program, &p->program->step[s]);
    double best = products > 0 ? p->products : copies_at_best(p, bytes);
    double rate = (products > 0 ? products : bytes) / time;
    if (products > 0)
        snprintf(speed, SPOR_CELL, "%.1f GFLOP/s", 2e-9 * rate);
    else
        snprintf(speed, SPOR_CELL, "%.1f GB/s   ", 1e-9 * rate);
    snprintf(share, SPOR_CELL, "%.0f %%", best > 0 ? 100 * rate / best : 0);
}

/* The phases that are there, in what they take and how many tasks they are: "3.1 + 120.0", "1 + 32". */
static void phase_texts(const profile *p, uint32_t s, char *times, char *tasks) {
    const program_step *step = &p->program->step[s];
    *times = *tasks = 0;
    for (int phase = 0; phase < SPOR_PHASES; phase++) {
        bool reference = step->reference && phase == SPOR_WORK;
        int64_t count = reference ? 1 : step->need.tasks[phase];
        size_t used = strlen(times), counted = strlen(tasks);
        if (!count) continue;
        snprintf(times + used, SPOR_CELL - used, "%s%.1f", used ? " + " : "",
                 1e6 * p->median[phase_at(s, phase)]);
        snprintf(tasks + counted, SPOR_CELL - counted, "%s%lld", counted ? " + " : "",
                 (long long)count);
    }
}

/* ---- the table ---- */

enum { WHAT, TIME, SHARE, TASKS, SPEED, OF_BEST, COLUMNS };

static const spor_column_look look[COLUMNS] = {{20, false}, {6, true},  {6, true},
                                               {5, true},   {14, true}, {6, true}};

static void fill_row(profile *p, uint32_t s, double whole, char cell[][SPOR_CELL]) {
    program_step_text(p->program, s, cell[WHAT], SPOR_CELL);
    phase_texts(p, s, cell[TIME], cell[TASKS]);
    snprintf(cell[SHARE], SPOR_CELL, "%.1f %%", 100 * step_time(p, s) / whole);
    speed_texts(p, s, cell[SPEED], cell[OF_BEST]);
}

static bool print_steps(profile *p, double whole) {
    uint32_t steps = p->program->steps, shown = 0;
    static const char *const head[COLUMNS] = {"step", "us", "share", "tasks", "speed", "of best"};
    while (shown < steps && step_time(p, p->longest[shown]) >= least_share * whole) shown++;
    char(*cell)[SPOR_CELL] = calloc((size_t)(shown + 1) * COLUMNS, sizeof *cell);
    if (!cell) return false;
    for (int c = 0; c < COLUMNS; c++) snprintf(cell[c], SPOR_CELL, "%s", head[c]);
    for (uint32_t k = 0; k < shown; k++)
        fill_row(p, p->longest[k], whole, cell + (size_t)(k + 1) * COLUMNS);
    columns_print(COLUMNS, (int)shown + 1, cell, look);
    free(cell);
    double rest = 0;
    for (uint32_t k = shown; k < steps; k++) rest += step_time(p, p->longest[k]);
    if (shown < steps)
        printf("  and %u steps below %.1f %% each, %.3f ms together\n", (unsigned)(steps - shown),
               100 * least_share, 1e3 * rest);
    return true;
}

/* What a phase of one task takes no second thread can take over. */
static double alone(const profile *p) {
    double time = 0;
    for (uint32_t s = 0; s < p->program->steps; s++)
        for (int phase = 0; phase < SPOR_PHASES; phase++)
            if (p->program->step[s].need.tasks[phase] < 2) time += p->median[phase_at(s, phase)];
    return time;
}

static bool print_profile(profile *p) {
    double whole = p->median[p->values - 1], sum = 0;
    for (uint32_t s = 0; s < p->program->steps; s++) sum += step_time(p, s);
    printf("a run %.3f ms, %.3f ms of it in the steps below (medians of %d runs)\n", 1e3 * whole,
           1e3 * sum, p->runs);
    printf("in phases of one task, which one thread runs: %.3f ms, %.1f %%\n", 1e3 * alone(p),
           100 * alone(p) / sum);
    printf(
        "at best, measured here and now: %.1f GFLOP/s in registers, copies %.1f GB/s where 16 MiB "
        "are touched\n\n",
        2e-9 * p->products, 1e-9 * copies_at_best(p, 16 << 20));
    return print_steps(p, whole);
}

static bool take_room(profile *p) {
    p->values = (size_t)p->program->steps * SPOR_PHASES + 1;
    p->time = calloc(MOST_RUNS * p->values, sizeof *p->time);
    p->median = calloc(p->values, sizeof *p->median);
    p->sorted = calloc(MOST_RUNS, sizeof *p->sorted);
    p->longest = calloc(p->values, sizeof *p->longest);
    return p->time && p->median && p->sorted && p->longest;
}

bool profile_print(spor_program *program, double seconds, void (*feed)(void *user), void *user) {
    profile p = {.program = program};
    bool done = take_room(&p) && run_for(&p, seconds, feed, user);
    if (done) {
        p.products = program_roof_products(program, display_seconds);
        find_medians(&p);
        sort_steps(&p);
        done = print_profile(&p);
    }
    free(p.time);
    free(p.median);
    free(p.sorted);
    free(p.longest);
    return done;
}
