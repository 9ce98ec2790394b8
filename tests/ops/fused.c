/*
 * Fast kernels of ops against their reference kernels, by what descriptors say: nothing here knows an op.
 * Recordings are the samples, the samples with one size changed, and shapes and attributes drawn by the
 * signature. Each runs in float and double on every instruction set of this machine, on small integers
 * and on reals, and has to agree with the reference kernel over SPOR_ROUNDING: to the number where
 * nothing is rounded, else within what the arithmetic may be off by. Where operands have elements that are no
 * numbers, so have the results of both, at the same places. Its tasks are those of support/tasks.h.
 */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../support/fastcheck.h"
#include "../support/sets.h"
#include "../support/tasks.h"
#include "base/random.h"
#include "kernels/element.h"

enum {
    DRAWN = 150,      /* recordings of an op that are drawn */
    AFFORDABLE = 4096 /* elements of an array that was not chosen by hand */
};

/* Around vectors, squares of them, and what unrolled loops take at once. */
static const int64_t sizes[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 49, 65, 130};
enum { SIZES = sizeof sizes / sizeof *sizes };

typedef struct {
    const spor_op *op;
    spor_shape in[SPOR_OPERANDS];
    spor_attr attr[SPOR_ATTRS];
} recording;

/* Sums over recordings of an op. */
typedef struct {
    int64_t agreed, ran; /* ran: the op was a step of its own with a fast kernel */
    int64_t seen[FASTCHECK_TYPES], blind[FASTCHECK_TYPES]; /* elements, if a hundredth off */
    int64_t faults;
} survey;

/* ---- one recording ---- */

typedef struct {
    const recording *of;
    survey *s;
    opcheck_record r;
    opcheck_machine truth[FASTCHECK_TYPES];
    char off[200]; /* the first element that was */
} work;

static bool is_affordable(const spor_shape *shape) {
    int64_t size = 1;
    for (int k = 0; k < shape->rank && size <= AFFORDABLE; k++) size *= shape->n[k];
    return size <= AFFORDABLE;
}

static void describe(const recording *of, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "%s:", of->op->signature);
    for (int o = 0; o < of->op->operands; o++) {
        used += (size_t)snprintf(text + used, size - used, " [");
        for (int k = 0; k < of->in[o].rank; k++)
            used += (size_t)snprintf(text + used, size - used, " %" PRId64, of->in[o].n[k]);
        used += (size_t)snprintf(text + used, size - used, " ]");
    }
    for (int a = 0; a < of->op->attrs && used + 24 < size; a++)
        used += (size_t)snprintf(text + used, size - used, " %" PRId64, of->attr[a].i);
}

static void draw(work *w, bool integers, uint64_t seed) {
    opcheck_machine *m = &w->truth[0];
    opcheck_draw(m, m->inputs, w->of->op->domain, seed);
    if (integers) fastcheck_draw_integers(m, w->of->op->domain, seed);
    for (int type = 1; type < FASTCHECK_TYPES; type++)
        for (int k = 0; k < m->inputs; k++)
            memcpy(w->truth[type].x[k], m->x[k], (size_t)m->nx[k] * sizeof(double));
    for (int type = 0; type < FASTCHECK_TYPES; type++) ck_assert(opcheck_run(&w->truth[type]));
}

static void fill(const work *w, spor_program *program) {
    const opcheck_machine *m = &w->truth[0];
    for (int k = 0; k < m->inputs; k++) {
        spor_arg arg = spor_program_arg(program, w->r.in[k]);
        for (int64_t e = 0; arg.data && e < m->nx[k]; e++)
            element_types[program->scalar]->set(arg.data, e, m->x[k][e]);
    }
}

static void count(work *w, int type, double got, double want, double bound) {
    if (!(fabs(want) > 0)) return;
    bool seen = fastcheck_is_off(1.01 * got, want, bound);
    w->s->seen[type] += seen;
    w->s->blind[type] += !seen;
}

static bool agrees(work *w, spor_program *program) {
    int type = (int)program->scalar;
    const opcheck_machine *m = &w->truth[type];
    spor_arg arg = spor_program_arg(program, w->r.out);
    for (int64_t e = 0; e < m->ny[0]; e++) {
        double got = element_types[type]->value(arg.data, e), want = m->y[0][e];
        double bound = fastcheck_bound(type, m->iy[0][e]);
        if (fastcheck_is_off(got, want, bound)) {
            snprintf(w->off, sizeof w->off,
                     "%s, %s: element %" PRId64
                     " is %.17g, %.17g by reference, which may be off by %g",
                     isa_name(program->isa), element_types[type]->text, e, got, want, bound);
            return false;
        }
        count(w, type, got, want, bound);
    }
    return true;
}

/* ---- what is not a number ---- */

/* Some elements of each operand; integers, so that nothing else differs. */
static void draw_holes(work *w) {
    opcheck_machine *m = &w->truth[0];
    draw(w, true, 7);
    for (int k = 0; k < m->inputs; k++)
        for (int64_t e = 0; e < m->nx[k]; e++)
            if (random_hash(11, (uint64_t)k, (uint64_t)e) % 7 == 0) m->x[k][e] = (double)NAN;
}

static void run_holes(work *w, spor_program *program) {
    ck_assert_ptr_null(spor_program_error(program));
    fill(w, program);
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
}

/* By the reference kernel in the same type; elements may be off by what they may without holes. */
static void check_holes(work *w, spor_program *program) {
    char text[400];
    int type = (int)program->scalar;
    spor_options options = {.scalar = program->scalar, .reference = true};
    spor_program *reference = spor_compile(w->r.tape, 1, &w->r.out, NULL, &options);
    draw_holes(w);
    run_holes(w, reference);
    run_holes(w, program);
    spor_arg arg = spor_program_arg(program, w->r.out),
             truth = spor_program_arg(reference, w->r.out);
    describe(w->of, text, sizeof text);
    for (int64_t e = 0; e < w->truth[0].ny[0]; e++) {
        double got = element_types[type]->value(arg.data, e),
               want = element_types[type]->value(truth.data, e);
        ck_assert_msg(!fastcheck_is_off(got, want, fastcheck_bound(type, w->truth[type].iy[0][e])),
                      "%s, %s; %s: beside what is no number element %" PRId64
                      " is %g, %g by reference",
                      isa_name(program->isa), element_types[type]->text, text, e, got, want);
    }
    spor_program_free(reference);
}

/* The step that computes the op by its fast kernels; -1: others do. */
static int find_step(const work *w, const spor_program *program) {
    for (uint32_t s = 0; s < program->steps; s++) {
        const program_step *step = &program->step[s];
        const spor_op *op = program->graph.tape->node[step->node[0]].op;
        if (op == w->of->op && !step->reference && !step->group) return (int)s;
    }
    return -1;
}

/* Of a number that is 0 a hundredth more is none. */
static bool is_all_zero(const work *w) {
    const opcheck_machine *m = &w->truth[0];
    for (int64_t e = 0; e < m->ny[0]; e++)
        if (fabs(m->y[0][e]) > 0) return false;
    return true;
}

static void expect_agreement(work *w, spor_program *program) {
    char text[400];
    if (agrees(w, program)) return;
    describe(w->of, text, sizeof text);
    ck_abort_msg("%s; %s", text, w->off);
}

static void check_program(work *w, spor_program *program, bool tasks, bool faults) {
    int step = find_step(w, program);
    w->s->ran += step >= 0;
    for (int integers = 1; integers >= 0; integers--) {
        draw(w, integers, 7);
        fill(w, program);
        ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
        expect_agreement(w, program);
    }
    if (tasks && step >= 0) check_holes(w, program);
    if (tasks) tasks_check(program, NULL);
    if (!faults || step < 0 || is_all_zero(w)) return;
    fill(w, program);
    ck_assert(fastcheck_run_planted(program, (uint32_t)step));
    ck_assert_msg(!agrees(w, program), "%s: nobody sees a fault", w->of->op->signature);
    w->s->faults++;
}

/* Tasks are looked at in one program of each recording, one after the other, of samples in all. */
static void check_programs(work *w, bool by_hand) {
    int64_t number = 0, sets = 0;
    while (instruction_sets()[sets]) sets++;
    for (int set = 0; set < sets; set++)
        for (int type = 0; type < FASTCHECK_TYPES; type++, number++) {
            spor_options options = {.scalar = (spor_scalar)type, .isa = instruction_sets()[set]};
            spor_program *program = spor_compile(w->r.tape, 1, &w->r.out, NULL, &options);
            ck_assert_ptr_null(spor_program_error(program));
            bool turn = w->s->agreed % (sets * FASTCHECK_TYPES) == number;
            check_program(w, program, by_hand || turn, by_hand);
            spor_program_free(program);
        }
    w->s->agreed++;
}

/* Recordings that the shape rule refuses are none. */
static void check(survey *s, const recording *of, bool by_hand) {
    work w = {.of = of, .s = s, .r = opcheck_record_op(of->op, of->in, of->attr)};
    spor_shape shape = spor_shape_of(w.r.out);
    if (!spor_error(w.r.tape) && (by_hand || is_affordable(&shape))) {
        for (int type = 0; type < FASTCHECK_TYPES; type++) {
            ck_assert(opcheck_build(&w.truth[type], SPOR_ROUNDING, of->op->operands, w.r.in, 1,
                                    &w.r.out));
            w.truth[type].arithmetic = (spor_scalar)type;
        }
        check_programs(&w, by_hand);
        for (int type = 0; type < FASTCHECK_TYPES; type++) opcheck_free(&w.truth[type]);
    }
    spor_tape_free(w.r.tape);
}

/* ---- samples, and these with one size changed ---- */

/* Of one operand, or of all at once. */
static void vary(survey *s, const recording *sample, int operand, int axis) {
    for (int v = 0; v < SIZES; v++) {
        recording of = *sample;
        for (int o = 0; o < of.op->operands; o++)
            if ((operand < 0 || o == operand) && axis < of.in[o].rank) of.in[o].n[axis] = sizes[v];
        bool affordable = true;
        for (int o = 0; o < of.op->operands; o++) affordable &= is_affordable(&of.in[o]);
        if (affordable) check(s, &of, false);
    }
}

static void check_samples(survey *s, const spor_op *op) {
    for (const spor_sample *sample = op->samples; sample->in[0].rank >= 0; sample++) {
        recording of = {.op = op};
        memcpy(of.in, sample->in, sizeof of.in);
        memcpy(of.attr, sample->attr, sizeof of.attr);
        check(s, &of, true);
        for (int axis = 0; axis < of.in[0].rank; axis++) {
            for (int operand = 0; op->operands > 1 && operand < op->operands; operand++)
                vary(s, &of, operand, axis);
            vary(s, &of, -1, axis);
        }
    }
}

/* ---- drawn ---- */

/* Numbers one after the other. */
typedef struct {
    uint64_t seed, at;
} dice;

static int64_t roll(dice *d, int64_t sides) {
    return (int64_t)(random_hash(d->seed, d->at++, 0) % (uint64_t)sides);
}

static int64_t pick(dice *d, const int64_t values[], int64_t count) {
    return values[roll(d, count)];
}

/* Where it is too large axes become 1. */
static void afford(dice *d, spor_shape *shape) {
    while (!is_affordable(shape)) shape->n[roll(d, shape->rank)] = 1;
}

static spor_shape draw_shape(dice *d, int rank) {
    spor_shape shape = {.rank = rank};
    for (int k = 0; k < rank; k++) shape.n[k] = pick(d, sizes, SIZES);
    afford(d, &shape);
    return shape;
}

/* Axes of one name have one size. */
static int64_t size_of_name(const spor_signature *signature, const recording *of, int operand,
                            int axis, int64_t other) {
    for (int o = 0; o < operand; o++)
        for (int k = 0; k < signature->operand[o].axes; k++) {
            int leading = of->in[o].rank - signature->operand[o].axes;
            if (!strcmp(signature->operand[o].axis[k], signature->operand[operand].axis[axis]))
                return of->in[o].n[leading + k];
        }
    return other;
}

static spor_shape draw_named(dice *d, const spor_signature *signature, const recording *of,
                             int operand) {
    spor_shape shape = draw_shape(d, signature->operand[operand].axes);
    for (int k = 0; k < shape.rank; k++)
        shape.n[k] = size_of_name(signature, of, operand, k, shape.n[k]);
    return shape;
}

static void draw_operand(dice *d, const spor_signature *signature, recording *of, int operand) {
    const spor_signature_operand *in = &signature->operand[operand];
    if (in->axes)
        of->in[operand] = draw_named(d, signature, of, operand);
    else if (!operand)
        of->in[0] = draw_shape(d, (int)roll(d, SPOR_RANK + 1));
    else
        of->in[operand] = of->in[0];
    if (operand && in->free && of->in[operand].rank) {
        of->in[operand].n[roll(d, of->in[operand].rank)] = pick(d, sizes, SIZES);
        afford(d, &of->in[operand]);
    }
}

static void draw_perm(dice *d, int rank, spor_attr slot[]) {
    int64_t perm[SPOR_RANK];
    for (int k = 0; k < rank; k++) perm[k] = k;
    random_shuffle((uint64_t)roll(d, 1 << 30), rank, perm);
    for (int k = 0; k < rank; k++) slot[k].i = perm[k];
}

static void draw_attr(dice *d, const spor_signature_attr *attr, int rank, spor_attr slot[]) {
    static const int64_t ints[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 16, 17, 31, 33, 65};
    static const int64_t some[] = {0, 0, 1, 1, 1, 2, 3, 5, 17, -1, -1, -2};
    static const double reals[] = {0, 1.5, -2};
    switch (attr->kind) {
    case SPOR_KIND_REAL:
        slot->r = reals[roll(d, 3)];
        break;
    case SPOR_KIND_AXIS:
        slot->i = rank ? roll(d, rank) : 0;
        break;
    case SPOR_KIND_AXES:
        slot->i = roll(d, 1 << rank);
        break;
    case SPOR_KIND_PERM:
        draw_perm(d, rank, slot);
        break;
    case SPOR_KIND_SIZES:
        for (int k = 0; k < rank; k++) slot[k].i = pick(d, some, sizeof some / sizeof *some);
        break;
    case SPOR_KIND_INT2:
    case SPOR_KIND_INT4:
        for (int k = 0; k < attr->slots; k++) slot[k].i = roll(d, 4);
        break;
    default:
        slot->i = pick(d, ints, sizeof ints / sizeof *ints);
    }
}

static bool goes_together(const recording *of) {
    spor_rule rule = {.op = of->op, .operands = of->op->operands, .attr = of->attr};
    memcpy(rule.in, of->in, sizeof rule.in);
    return of->op->shape(&rule);
}

static bool try_drawn(survey *s, const spor_op *op, const spor_signature *signature,
                      uint64_t seed) {
    dice d = {.seed = seed};
    recording of = {.op = op};
    int64_t before = s->agreed;
    for (int o = 0; o < op->operands; o++) draw_operand(&d, signature, &of, o);
    for (int a = 0; a < signature->attrs; a++)
        draw_attr(&d, &signature->attr[a], of.in[0].rank, of.attr + signature->attr[a].slot);
    if (goes_together(&of)) check(s, &of, false);
    return s->agreed > before;
}

static void check_drawn(survey *s, const spor_op *op) {
    const uint64_t most = 20000 * DRAWN;
    spor_signature signature;
    ck_assert(signature_parse(op->signature, &signature));
    uint64_t seed = 0;
    for (int left = DRAWN; left; seed++) {
        ck_assert_msg(seed < most, "%s: numbers drawn seldom go together", op->signature);
        left -= try_drawn(s, op, &signature, seed);
    }
}

/* ---- all ops ---- */

static int count_ops(void) {
    int ops = 0;
    while (spor_ops[ops]) ops++;
    return ops;
}

static int64_t percent(int64_t part, int64_t rest) {
    return part + rest ? 100 * part / (part + rest) : 100;
}

START_TEST(fast_kernels_agree_with_the_reference) {
    const spor_op *op = spor_ops[_i];
    survey s = {0};
    if (!op->fused) return;
    ck_assert_msg(op->reference, "%s: nothing to agree with", op->signature);
    check_samples(&s, op);
    check_drawn(&s, op);
    printf(
        "%s: %lld recordings, %lld programs with the kernel, %lld faults seen; seen where off by "
        "a hundredth: %lld%% %lld%%\n",
        op->signature, (long long)s.agreed, (long long)s.ran, (long long)s.faults,
        (long long)percent(s.seen[0], s.blind[0]), (long long)percent(s.seen[1], s.blind[1]));
    ck_assert_int_gt(s.faults, 0);
    ck_assert_int_gt(s.ran, s.agreed);
    ck_assert_int_ge(percent(s.seen[SPOR_F32], s.blind[SPOR_F32]), 50);
    ck_assert_int_ge(percent(s.seen[SPOR_F64], s.blind[SPOR_F64]), 75);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast kernels of ops");
    TCase *each = tcase_create("each op");
    tcase_add_loop_test(each, fast_kernels_agree_with_the_reference, 0, count_ops());
    suite_add_tcase(suite, each);
    return suite;
}
