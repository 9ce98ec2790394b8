#include "tasks.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* ---- memory with a fence behind it ---- */

enum { GARBAGE = 0xff, FENCE = 0xa5 }; /* as floats and as doubles, GARBAGE is no number */

typedef struct {
    unsigned char *base;
    size_t bytes;
} yard;

static yard yard_of(size_t bytes) {
    yard y = {aligned_alloc(BYTES_LINE, bytes_lines(bytes) + BYTES_LINE), bytes};
    ck_assert_ptr_nonnull(y.base);
    memset(y.base, FENCE, bytes_lines(bytes) + BYTES_LINE);
    return y;
}

static void litter(yard y) {
    memset(y.base, GARBAGE, y.bytes);
}

static void leave(yard y, const char *what) {
    size_t k = y.bytes, end = bytes_lines(y.bytes) + BYTES_LINE;
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
    spor_arg in[SPOR_OPERANDS];
    yard operand[SPOR_OPERANDS], out, saved, shared, partial, scratch;
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

/* Copies of the operands, or small integers in their place. */
static void give_operands(trial *t, bool integers) {
    for (int k = 0; k < t->call.operands; k++) {
        t->in[k] = t->step->call.in[k];
        size_t bytes = size_of(&t->in[k], t->width);
        t->operand[k] = yard_of(bytes);
        memcpy(t->operand[k].base, t->in[k].data, bytes);
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

static trial open_trial(const spor_program *program, const program_step *step, int64_t finer,
                        bool integers) {
    const spor_op *op = program->graph.tape->node[step->node[0]].op;
    trial t = {.step = step,
               .scalar = program->scalar,
               .width = scalar_width(program->scalar),
               .need.finer = finer,
               .call = step->call};
    op_name(op, t.what, SPOR_NAME);
    snprintf(t.what + strlen(t.what), 64, " on %s, width %zu", isa_name(program->isa), t.width);
    give_operands(&t, integers);
    ask_need(program, op->fused, &t);
    t.out = yard_of(size_of(&t.call.out, t.width));
    t.saved = yard_of(t.need.saved);
    t.shared = yard_of(t.need.shared);
    t.need.partial = bytes_lines(t.need.partial);
    t.partial = yard_of((size_t)t.need.tasks[SPOR_WORK] * t.need.partial);
    t.scratch = yard_of(t.need.scratch);
    return t;
}

static void close_trial(const trial *t) {
    for (int k = 0; k < t->call.operands; k++) leave(t->operand[k], t->what);
    leave(t->out, t->what);
    leave(t->saved, t->what);
    leave(t->shared, t->what);
    leave(t->partial, t->what);
    leave(t->scratch, t->what);
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
    t->call.out.data = t->out.base;
    t->call.out.saved = t->saved.base;
    t->call.shared = t->need.shared ? t->shared.base : NULL;
    t->call.partial = t->need.partial ? t->partial.base : NULL;
    t->call.scratch = t->need.scratch ? t->scratch.base : NULL;
    litter(t->out);
    litter(t->saved);
    litter(t->shared);
    litter(t->partial);
}

static void run_task(trial *t, int phase, int64_t task) {
    litter(t->scratch);
    t->step->phase[phase](&t->call, task);
}

static void run_phases(trial *t, order how) {
    begin(t);
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        for (int64_t k = 0; k < t->need.tasks[phase]; k++)
            run_task(t, phase, task_at(how, k, t->need.tasks[phase]));
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
    yard ledger[3];
    for (int m = 0; m < count; m++) litter(ledger[m] = yard_of(memory[m].bytes));
    for (int64_t task = 0; task < t->need.tasks[phase]; task++) {
        run_task(t, phase, task);
        for (int m = 0; m < count; m++) book(t, memory[m], ledger[m]);
    }
    for (int m = 0; m < count; m++) {
        memcpy(memory[m].base, ledger[m].base, memory[m].bytes);
        leave(ledger[m], t->what);
    }
}

static void run_all_alone(trial *t) {
    begin(t);
    run_alone(t, SPOR_PREPARE, (const yard[]){t->shared}, 1);
    run_alone(t, SPOR_WORK, (const yard[]){t->partial, t->out, t->saved}, 3);
    run_alone(t, SPOR_FINISH, (const yard[]){t->out}, t->need.tasks[SPOR_FINISH] > 0);
}

/* ---- comparing ---- */

static double element(const unsigned char *base, spor_scalar scalar, size_t k) {
    return scalar == SPOR_F32 ? (double)((const float *)(const void *)base)[k]
                              : ((const double *)(const void *)base)[k];
}

/* The same bits, or both no number. */
static bool same_numbers(const trial *t, const unsigned char *a, const unsigned char *b) {
    for (size_t k = 0; k < t->out.bytes / t->width; k++) {
        double x = element(a, t->scalar, k), y = element(b, t->scalar, k);
        if (memcmp(a + k * t->width, b + k * t->width, t->width) != 0 && (x == x || y == y))
            return false;
    }
    return true;
}

static void expect(const trial *t, const unsigned char *out, const unsigned char *saved,
                   const char *why) {
    ck_assert_msg(same_numbers(t, t->out.base, out), "%s: other numbers %s", t->what, why);
    if (t->saved.bytes)
        ck_assert_msg(!memcmp(t->saved.base, saved, t->saved.bytes), "%s: other saved data %s",
                      t->what, why);
}

static yard copy_of(yard from) {
    yard copy = yard_of(from.bytes);
    memcpy(copy.base, from.base, from.bytes);
    return copy;
}

static void check_orders(trial *t) {
    yard out = copy_of(t->out), saved = copy_of(t->saved);
    for (order how = BACKWARD; how < ORDERS; how++) {
        run_phases(t, how);
        expect(t, out.base, saved.base, "with the tasks in another order");
    }
    run_all_alone(t);
    expect(t, out.base, saved.base, "with each task alone");
    leave(out, t->what);
    leave(saved, t->what);
}

static void check_integers(const spor_program *program, const program_step *step, int64_t finer) {
    trial whole = open_trial(program, step, 1, true), fine = open_trial(program, step, finer, true);
    run_phases(&whole, IN_ORDER);
    run_phases(&fine, IN_ORDER);
    expect(&fine, whole.out.base, whole.saved.base, "with more tasks, on integers");
    close_trial(&whole);
    close_trial(&fine);
}

/* As in the program, which this also shows to have the trial's numbers. */
static void check_program(const spor_program *program, const program_step *step) {
    trial t = open_trial(program, step, 1, false);
    run_phases(&t, IN_ORDER);
    expect(&t, step->call.out.data, step->call.out.saved, "than in the program");
    for (int phase = 0; phase < SPOR_PHASES; phase++)
        ck_assert_int_eq(t.need.tasks[phase], step->need.tasks[phase]);
    close_trial(&t);
}

/* Element k of the partial results, added in the order of their tasks. */
static double sum_of(const trial *t, size_t k) {
    double total = element(t->partial.base, t->scalar, k);
    for (int64_t task = 1; task < t->need.tasks[SPOR_WORK]; task++) {
        total += element(t->partial.base + (size_t)task * t->need.partial, t->scalar, k);
        if (t->scalar == SPOR_F32) total = (double)(float)total;
    }
    return total;
}

static void check_sum(const trial *t) {
    bool sums = t->need.tasks[SPOR_FINISH] > 0;
    ck_assert_uint_eq(t->need.partial, sums ? bytes_lines(t->out.bytes) : 0);
    if (!sums) return;
    yard sum = yard_of(t->out.bytes);
    for (size_t k = 0; k < t->out.bytes / t->width; k++)
        set_element(sum, t->scalar, k, sum_of(t, k));
    ck_assert_msg(same_numbers(t, t->out.base, sum.base),
                  "%s: not the sum of the partial results in their order", t->what);
    leave(sum, t->what);
}

/* The tasks, by lanes and width, wherever the line between one task and two is drawn. */
static void check_shapes_only(const program_step *step, const spor_op *op) {
    for (int shift = 0; op->fused->need && shift < 30; shift++) {
        spor_need first = {.finer = INT64_C(1) << shift};
        op->fused->need(&step->call, sizeof(float), 4, &first);
        for (int lanes = 2; lanes <= 16; lanes *= 2) {
            spor_need other = {.finer = first.finer};
            op->fused->need(&step->call, sizeof(double), lanes, &other);
            ck_assert_msg(!memcmp(first.tasks, other.tasks, sizeof first.tasks),
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
    const spor_op *op = program->graph.tape->node[step->node[0]].op;
    check_program(program, step);
    check_integers(program, step, finer);
    check_shapes_only(step, op);
    trial t = open_trial(program, step, finer, false);
    run_phases(&t, IN_ORDER);
    check_sum(&t);
    check_orders(&t);
    if (met) note(op, &t.need, met);
    close_trial(&t);
}

void tasks_check(const spor_program *program, tasks_met met[]) {
    for (uint32_t s = 0; s < program->steps; s++) {
        program_run_step(&program->step[s]);
        if (!program->step[s].reference && !program->step[s].group)
            check_step(program, &program->step[s], met);
    }
}
