#include "tasks.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernels/group.h"

/* ---- memory with a fence behind it ---- */

enum { GARBAGE = 0xff, FENCE = 0xa5 }; /* as floats and as doubles, GARBAGE is no number */

typedef struct {
    unsigned char *base;
    size_t bytes;
} yard;

/* A line more than what is asked for. */
static size_t with_fence(size_t bytes) {
    return bytes_sum(bytes_lines(bytes), BYTES_LINE);
}

static yard yard_of(size_t bytes) {
    yard y = {aligned_alloc(BYTES_LINE, with_fence(bytes)), bytes};
    ck_assert_ptr_nonnull(y.base);
    memset(y.base, FENCE, with_fence(bytes));
    return y;
}

static void litter(yard y) {
    memset(y.base, GARBAGE, y.bytes);
}

static void leave(yard y, const char *what) {
    size_t k = y.bytes, end = with_fence(y.bytes);
    while (k < end && y.base[k] == FENCE) k++;
    ck_assert_msg(k == end, "%s: written beyond memory", what);
    free(y.base);
}

/* ---- one step on memory of its own ---- */

typedef struct {
    const program_step *step;
    spor_scalar scalar;
    size_t width;
    spor_need need;
    spor_call call;
    int reads, writes;
    spor_arg *in;        /* of the call: a group's with what it writes behind */
    yard *operand, *out; /* of what is read and written */
    yard saved, shared, partial, scratch;
    char what[SPOR_NAME + 64];
} trial;

static size_t size_of(const spor_arg *a, size_t width) {
    return (size_t)shape_size(&a->shape) * width;
}

static void set_element(yard y, spor_scalar scalar, size_t k, double value) {
    if (scalar == SPOR_F32)
        ((float *)(void *)y.base)[k] = (float)value;
    else
        ((double *)(void *)y.base)[k] = value;
}

static void *take(int count, size_t size) {
    void *room = calloc((size_t)count + 1, size);
    ck_assert_ptr_nonnull(room);
    return room;
}

/* The elements of an argument one behind the other, in a yard. */
static yard gather(const spor_arg *from, size_t width) {
    yard all = yard_of(size_of(from, width));
    for (size_t k = 0; k < all.bytes / width; k++) {
        int64_t left = (int64_t)k, offset = 0;
        for (int a = from->shape.rank - 1; a >= 0; a--) {
            offset += left % from->shape.n[a] * from->stride[a];
            left /= from->shape.n[a];
        }
        memcpy(all.base + k * width, (const char *)from->data + (size_t)offset * width, width);
    }
    return all;
}

/* Copies of the operands, or small integers in their place. Each lies by itself, as the result does. */
static void give_operands(trial *t, bool integers) {
    shape_strides(&t->call.out.shape, t->call.out.stride);
    memcpy(t->in, t->step->call.in, (size_t)t->call.operands * sizeof *t->in);
    for (int k = 0; k < t->reads; k++) {
        size_t bytes = size_of(&t->in[k], t->width);
        t->operand[k] = gather(&t->in[k], t->width);
        shape_strides(&t->in[k].shape, t->in[k].stride);
        for (size_t e = 0; integers && e < bytes / t->width; e++)
            set_element(t->operand[k], t->scalar, e, (double)(e * 5 % 7) - 3);
        t->in[k].data = t->operand[k].base;
    }
}

static void ask_need(const spor_program *program, const spor_fused *fused, trial *t) {
    if (fused->need)
        fused->need(&t->call, t->width, isa_lanes(program->isa, program->scalar), &t->need);
    bool any = false;
    for (int phase = 0; phase < SPOR_PHASES; phase++) any |= t->need.tasks[phase] > 0;
    if (!any) t->need.tasks[SPOR_WORK] = 1;
}

static const spor_op *op_of(const spor_program *program, const program_step *step) {
    return program->graph.tape->node[step->node[0]].op;
}

static const spor_fused *fused_of(const spor_program *program, const program_step *step) {
    return step->group ? &tiles_fused : op_of(program, step)->fused;
}

static void name_trial(const spor_program *program, const program_step *step, trial *t) {
    op_name(op_of(program, step), t->what, SPOR_NAME);
    snprintf(t->what + strlen(t->what), 64, "%s on %s, width %zu",
             step->group ? " and its group" : "", isa_name(program->isa), t->width);
}

static trial open_trial(const spor_program *program, const program_step *step, int64_t finer,
                        bool integers) {
    trial t = {.step = step,
               .scalar = program->scalar,
               .width = scalar_width(program->scalar),
               .need = {.finer = finer,
                        .keeps = step->need.keeps,
                        .alone = finer == 1 && step->need.alone},
               .call = step->call,
               .reads = step->group ? step->reads : step->call.operands,
               .writes = step_writes(step)};
    name_trial(program, step, &t);
    t.in = take(t.call.operands, sizeof *t.in);
    t.operand = take(t.reads, sizeof *t.operand);
    t.out = take(t.writes, sizeof *t.out);
    give_operands(&t, integers);
    ask_need(program, fused_of(program, step), &t);
    for (int k = 0; k < t.writes; k++) t.out[k] = yard_of(size_of(step_result(step, k), t.width));
    t.saved = yard_of(t.need.saved);
    t.shared = yard_of(t.need.shared);
    t.need.partial = bytes_lines(t.need.partial);
    t.partial = yard_of((size_t)t.need.tasks[SPOR_WORK] * t.need.partial);
    t.scratch = yard_of(t.need.scratch);
    return t;
}

/* What was written, or copies of it. */
static void leave_all(const trial *t, yard *out) {
    for (int k = 0; k < t->writes; k++) leave(out[k], t->what);
    free(out);
}

static void close_trial(const trial *t) {
    for (int k = 0; k < t->reads; k++) leave(t->operand[k], t->what);
    leave_all(t, t->out);
    leave(t->saved, t->what);
    leave(t->shared, t->what);
    leave(t->partial, t->what);
    leave(t->scratch, t->what);
    free(t->in);
    free(t->operand);
}

/* ---- running in some order ---- */

typedef enum { IN_ORDER, BACKWARD, SHUFFLED, ORDERS } order;

/* Task number k of an order; 7919 is a prime beyond any number of tasks. */
static int64_t task_at(order how, int64_t k, int64_t tasks) {
    if (how == BACKWARD) return tasks - 1 - k;
    return how == SHUFFLED ? (k * 7919 + tasks / 2) % tasks : k;
}

static void begin(trial *t) {
    t->call.in = t->in;
    t->call.need = &t->need;
    for (int k = 0; t->step->group && k < t->writes; k++) t->in[t->reads + k].data = t->out[k].base;
    t->call.out.data = t->out[0].base;
    t->call.out.saved = t->saved.base;
    t->call.shared = t->need.shared ? t->shared.base : NULL;
    t->call.partial = t->need.partial ? t->partial.base : NULL;
    t->call.scratch = t->need.scratch ? t->scratch.base : NULL;
    for (int k = 0; k < t->writes; k++) litter(t->out[k]);
    litter(t->saved);
    litter(t->shared);
    litter(t->partial);
}

/* before: the task that left scratch as it is, counted from 1; 0: nobody did */
static void run_task(trial *t, int phase, int64_t task, int64_t before) {
    if (!before) litter(t->scratch);
    t->call.before = before;
    t->step->phase[phase](&t->call, task);
}

/* In order each task is a thread's first; else two of three follow another one on its thread. */
static void run_phases(trial *t, order how) {
    begin(t);
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        for (int64_t k = 0, before = 0; k < t->need.tasks[phase]; k++) {
            int64_t task = task_at(how, k, t->need.tasks[phase]);
            run_task(t, phase, task, how != IN_ORDER && k % 3 ? before : 0);
            before = task + 1;
        }
}

/* ---- each byte is one task's ---- */

/* Moves what a task has written into the ledger of its phase, where nobody may have been before. */
static void book(const trial *t, yard memory, yard ledger) {
    bool alone = true;
    for (size_t k = 0; k < memory.bytes; k++) {
        if (memory.base[k] == GARBAGE) continue;
        alone = alone && ledger.base[k] == GARBAGE;
        ledger.base[k] = memory.base[k];
    }
    ck_assert_msg(alone, "%s: two tasks write to one place", t->what);
    litter(memory);
}

/* One phase, where each task finds nothing that another one of it has written to this memory. */
static void run_alone(trial *t, int phase, const yard memory[], int count) {
    yard *ledger = take(count, sizeof *ledger);
    for (int m = 0; m < count; m++) litter(ledger[m] = yard_of(memory[m].bytes));
    for (int64_t task = 0; task < t->need.tasks[phase]; task++) {
        run_task(t, phase, task, 0);
        for (int m = 0; m < count; m++) book(t, memory[m], ledger[m]);
    }
    for (int m = 0; m < count; m++) {
        memcpy(memory[m].base, ledger[m].base, memory[m].bytes);
        leave(ledger[m], t->what);
    }
    free(ledger);
}

static void run_all_alone(trial *t) {
    yard *memory = take(t->writes + 2, sizeof *memory);
    memcpy(memory, t->out, (size_t)t->writes * sizeof *memory);
    memory[t->writes] = t->partial;
    memory[t->writes + 1] = t->saved;
    begin(t);
    run_alone(t, SPOR_PREPARE, &t->shared, 1);
    run_alone(t, SPOR_WORK, memory, t->writes + 2);
    run_alone(t, SPOR_FINISH, memory, t->need.tasks[SPOR_FINISH] > 0 ? t->writes : 0);
    free(memory);
}

/* ---- comparing ---- */

static double element(const unsigned char *base, spor_scalar scalar, size_t k) {
    return scalar == SPOR_F32 ? (double)((const float *)(const void *)base)[k]
                              : ((const double *)(const void *)base)[k];
}

/* The same bits, or both no number. */
static bool same_numbers(const trial *t, yard out, const unsigned char *other) {
    for (size_t k = 0; k < out.bytes / t->width; k++) {
        double x = element(out.base, t->scalar, k), y = element(other, t->scalar, k);
        if (memcmp(out.base + k * t->width, other + k * t->width, t->width) != 0 &&
            (x == x || y == y))
            return false;
    }
    return true;
}

static void expect(const trial *t, int k, const void *out, const char *why) {
    ck_assert_msg(same_numbers(t, t->out[k], out), "%s: other numbers %s", t->what, why);
}

static void expect_saved(const trial *t, const void *saved, const char *why) {
    if (t->saved.bytes)
        ck_assert_msg(!memcmp(t->saved.base, saved, t->saved.bytes), "%s: other saved data %s",
                      t->what, why);
}

static void expect_all(const trial *t, const yard out[], yard saved, const char *why) {
    for (int k = 0; k < t->writes; k++) expect(t, k, out[k].base, why);
    expect_saved(t, saved.base, why);
}

static yard copy_of(yard from) {
    yard copy = yard_of(from.bytes);
    memcpy(copy.base, from.base, from.bytes);
    return copy;
}

static void check_orders(trial *t) {
    yard *out = take(t->writes, sizeof *out), saved = copy_of(t->saved);
    for (int k = 0; k < t->writes; k++) out[k] = copy_of(t->out[k]);
    for (order how = BACKWARD; how < ORDERS; how++) {
        run_phases(t, how);
        expect_all(t, out, saved, "with the tasks in another order");
    }
    run_all_alone(t);
    expect_all(t, out, saved, "with each task alone");
    leave_all(t, out);
    leave(saved, t->what);
}

/* ---- partial results ---- */

/* What a group writes as an argument of it; NULL of other steps. */
static const spor_argument *argument_of(const trial *t, int k) {
    return t->step->group ? &t->step->group->argument[t->reads + k] : NULL;
}

/* Tasks have results of their own for it, which are folded. */
static bool is_folded(const trial *t, int k) {
    const spor_argument *argument = argument_of(t, k);
    return t->need.tasks[SPOR_FINISH] > 0 && (!argument || argument->own);
}

/* A group makes other numbers than integers, which other tasks add up in another order. */
static void check_integers(const spor_program *program, const program_step *step, int64_t finer) {
    const char *why = "with more tasks, on integers";
    trial whole = open_trial(program, step, 1, true), fine = open_trial(program, step, finer, true);
    run_phases(&whole, IN_ORDER);
    run_phases(&fine, IN_ORDER);
    for (int k = 0; k < fine.writes; k++)
        if (!step->group || !is_folded(&fine, k)) expect(&fine, k, whole.out[k].base, why);
    expect_saved(&fine, whole.saved.base, why);
    close_trial(&whole);
    close_trial(&fine);
}

/* As in the program, which this also shows to have the trial's numbers. */
static void check_program(const spor_program *program, const program_step *step) {
    trial t = open_trial(program, step, 1, false);
    run_phases(&t, IN_ORDER);
    for (int k = 0; k < t.writes; k++) {
        yard there = gather(step_result(step, k), t.width);
        expect(&t, k, there.base, "than in the program");
        leave(there, t.what);
    }
    expect_saved(&t, step->call.out.saved, "than in the program");
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        ck_assert_int_eq(t.need.tasks[phase], step->need.tasks[phase]);
    close_trial(&t);
}

/* What a task's result and those of the tasks before it become. */
static double met(const trial *t, spor_tile_role role, double so_far, double x) {
    if (role == SPOR_LARGEST) return x <= so_far || so_far != so_far ? so_far : x;
    return t->scalar == SPOR_F32 ? (double)(float)(so_far + x) : so_far + x;
}

/* Element k of the partial results, in the order of their tasks. */
static double fold_of(const trial *t, spor_tile_role role, size_t k) {
    double all = element(t->partial.base, t->scalar, k);
    for (int64_t task = 1; task < t->need.tasks[SPOR_WORK]; task++)
        all = met(t, role, all,
                  element(t->partial.base + (size_t)task * t->need.partial, t->scalar, k));
    return all;
}

/* Returns the bytes of a task's part. */
static size_t check_fold(const trial *t, int k) {
    const spor_argument *argument = argument_of(t, k);
    yard all = yard_of(t->out[k].bytes);
    size_t offset = argument ? (size_t)argument->offset : 0;
    spor_tile_role role = argument ? argument->role : SPOR_SUMS;
    for (size_t e = 0; e < all.bytes / t->width; e++)
        set_element(all, t->scalar, e, fold_of(t, role, offset + e));
    expect(t, k, all.base, "than the partial results in their order give");
    leave(all, t->what);
    return t->out[k].bytes;
}

static void check_folds(const trial *t) {
    size_t bytes = 0;
    for (int k = 0; k < t->writes; k++)
        if (is_folded(t, k)) bytes += check_fold(t, k);
    ck_assert_uint_eq(t->need.partial, bytes_lines(bytes));
}

/* The tasks that make numbers, by lanes and width, wherever the line between one task and two is drawn. */
static void check_shapes_only(const program_step *step, const spor_op *op) {
    for (int shift = 0; op->fused->need && shift < 30; shift++) {
        spor_need first = {.finer = INT64_C(1) << shift};
        op->fused->need(&step->call, sizeof(float), 4, &first);
        for (int lanes = 2; lanes <= 16; lanes *= 2) {
            spor_need other = {.finer = first.finer};
            op->fused->need(&step->call, sizeof(double), lanes, &other);
            for (int phase = SPOR_WORK; phase < SPOR_PHASES; phase++)
                ck_assert_msg(first.tasks[phase] == other.tasks[phase],
                              "%s: other tasks for doubles, %d at once", op->signature, lanes);
        }
    }
}

/* ---- all steps ---- */

static void note(const spor_op *op, const spor_need *need, tasks_met met[]) {
    int at = 0;
    while (met[at].op && met[at].op != op) at++;
    ck_assert_int_lt(at, TASKS_OPS - 1);
    met[at].op = op;
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        if (need->tasks[phase] > met[at].most[phase]) met[at].most[phase] = need->tasks[phase];
}

static void check_step(const spor_program *program, const program_step *step, tasks_met met[]) {
    const int64_t finer = INT64_C(1) << 30;
    check_program(program, step);
    check_integers(program, step, finer);
    if (!step->group) check_shapes_only(step, op_of(program, step));
    trial t = open_trial(program, step, finer, false);
    run_phases(&t, IN_ORDER);
    check_folds(&t);
    check_orders(&t);
    if (met && !step->group) note(op_of(program, step), &t.need, met);
    close_trial(&t);
}

void tasks_check(const spor_program *program, tasks_met met[]) {
    for (uint32_t s = 0; s < program->steps; s++) {
        program_run_step(&program->step[s], NULL);
        if (!program->step[s].reference) check_step(program, &program->step[s], met);
    }
}
