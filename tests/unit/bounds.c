/*
 * The bounds that all verdicts rest on, held against exact numbers (support/exact.h): SPOR_BOUND
 * and SPOR_ROUNDING over all ops, their derivatives and random expressions. The words of both, one
 * by one and with faults planted into them, are in bounds_bound.c and bounds_rounding.c.
 */
#include "bounds.h"

#include <float.h>
#include <stdlib.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>
#include <spor/verify.h>

#include "../support/evaluate.h"
#include "../support/opcheck.h"
#include "bounds_tally.h"
#include "kernels/rounding.h"
#include "tape/tape.h"

enum { POINTS = 6 };

/* ---- data ---- */

/* What inputs are drawn from. */
typedef enum { INTEGERS, REALS, TINY, MEANS, CANCELLING, WIDE, FAMILIES } family;

/* Float holds them all. */
static double draw(family from, spor_domain domain, uint64_t seed, uint64_t input, uint64_t e) {
    double u = 2 * random_uniform(random_hash(seed, input, 3), e, 1) - 1, x = 2 * u;
    if (from == INTEGERS) x = floor(4.5 * u);
    if (from == TINY) x = 0x1p-30 * u;
    if (from == MEANS) x = 1e5 + u;
    if (from == CANCELLING) /* all inputs alike, but for last places */
        x = (2 * random_uniform(random_hash(seed, 0, 3), e, 1) - 1) * (1 + 0x1p-22 * u);
    if (from == WIDE) x = ldexp(u, (int)(random_hash(seed, input, e) % 40) - 20);
    if (domain == SPOR_POSITIVE || domain == SPOR_NONZERO) x = fabs(x) + (from == TINY ? 0 : 0.125);
    return (double)(float)x;
}

/* Of a number that an input has: none, last places, as much as numbers are apart. */
static double draw_error(double x, uint64_t bits) {
    const double errors[] = {0, 0x1p-50 * fabs(x), 0x1p-20 * fabs(x), 0x1p-3 * fabs(x)};
    return errors[bits % 4];
}

/* A tape at work. domain: of its inputs, in order of recording. */
typedef struct {
    spor_tape *tape;
    const spor_domain *domain;
    uint64_t seed;
    family from;
    tally *to;
} study;

/* Calls set for each element of each input. */
static void each_given(const study *s, evaluation *e,
                       void set(void *data, int64_t k, double x, uint64_t bits)) {
    uint64_t input = 0;
    for (uint32_t id = 1; id < s->tape->count; id++) {
        if (!evaluation_is_given(s->tape, id)) continue;
        spor_domain domain = s->domain ? s->domain[input] : SPOR_ANY;
        for (int64_t k = 0; k < evaluation_size(s->tape, id); k++) {
            double x = draw(s->from, domain, s->seed, input, (uint64_t)k);
            set(e->value[id], k, x, random_hash(s->seed, input + 100, (uint64_t)k));
        }
        input++;
    }
}

/* ---- SPOR_BOUND ---- */

typedef struct {
    double v, e;
} bounded;

static void set_bounded(void *data, int64_t k, double x, uint64_t bits) {
    (void)bits;
    ((bounded *)data)[k] = (bounded){x, 0};
}

static void set_uncertain(void *data, int64_t k, double x, uint64_t bits) {
    ((bounded *)data)[k] = (bounded){x, draw_error(x, bits)};
}

/* Points of the inputs' intervals. */
static void set_points(const study *s, const evaluation *bound, evaluation *truth, uint64_t point) {
    for (uint32_t id = 1; id < s->tape->count; id++)
        for (int64_t k = 0; evaluation_is_given(s->tape, id) && k < evaluation_size(s->tape, id);
             k++) {
            bounded x = ((const bounded *)bound->value[id])[k];
            uint64_t bits = random_hash(s->seed + point, id, (uint64_t)k);
            ((exact *)truth->value[id])[k] = exact_of(x.v, x.e * place(bits & 7, 0, bits));
        }
}

/* An element against the truth. What is no number is so on both sides. A bound beyond the numbers
 * says nothing; nor does a truth, below the least of them. */
static void compare_bound(const study *s, uint32_t id, bounded x, exact t, bool loose) {
    char name[SPOR_NAME];
    if (!isfinite(x.e) || (isnan(x.v) && isnan(t.hi)) || (isinf(x.v) && x.v == t.hi)) return;
    op_name(s->tape->node[id].op, name, sizeof name);
    double off = count(s->to, name, (int)s->from, x.v, x.e, t);
    if (loose && x.e > 0) count_loose(s->to, x.e, off);
}

static void compare_bounds(const study *s, const evaluation *bound, const evaluation *truth,
                           bool loose) {
    for (uint32_t id = 1; id < s->tape->count; id++)
        for (int64_t k = 0; k < evaluation_size(s->tape, id); k++)
            compare_bound(s, id, ((const bounded *)bound->value[id])[k],
                          ((const exact *)truth->value[id])[k], loose);
}

/* With inputs as they are, then with inputs that may be off. */
static void study_bound(const study *s) {
    evaluation bound, truth;
    ck_assert(evaluation_make(&bound, s->tape, SPOR_BOUND));
    ck_assert(evaluation_make(&truth, s->tape, EVALUATE_EXACT));
    each_given(s, &bound, set_bounded);
    set_points(s, &bound, &truth, 0);
    ck_assert(evaluation_run(&bound) && evaluation_run(&truth));
    compare_bounds(s, &bound, &truth, true);
    each_given(s, &bound, set_uncertain);
    ck_assert(evaluation_run(&bound));
    for (uint64_t point = 1; point <= POINTS; point++) {
        set_points(s, &bound, &truth, point);
        ck_assert(evaluation_run(&truth));
        compare_bounds(s, &bound, &truth, false);
    }
    evaluation_free(&bound);
    evaluation_free(&truth);
}

/* ---- SPOR_ROUNDING ---- */

static void set_float(void *data, int64_t k, double x, uint64_t bits) {
    (void)bits;
    ((float *)data)[k] = (float)x;
}

static void set_double(void *data, int64_t k, double x, uint64_t bits) {
    (void)bits;
    ((double *)data)[k] = x;
}

static void set_exact(void *data, int64_t k, double x, uint64_t bits) {
    (void)bits;
    ((exact *)data)[k] = (exact){x, 0};
}

static void set_in_float(void *data, int64_t k, double x, uint64_t bits) {
    (void)bits;
    ((rounding *)data)[k] = (rounding){x, 0, fabs(x), 0, 0x1p-24};
}

static void set_in_double(void *data, int64_t k, double x, uint64_t bits) {
    (void)bits;
    ((rounding *)data)[k] = (rounding){x, 0, fabs(x), 0, 0x1p-53};
}

/* Other code of an arithmetic. */
typedef struct {
    spor_scalar scalar;
    double unit;
    void (*set)(void *, int64_t, double, uint64_t),
        (*set_rounding)(void *, int64_t, double, uint64_t);
} arithmetic;

static const arithmetic arithmetics[] = {{SPOR_F32, 0x1p-24, set_float, set_in_float},
                                         {SPOR_F64, 0x1p-53, set_double, set_in_double}};

static double number_at(const evaluation *e, uint32_t id, int64_t k) {
    return e->scalar == SPOR_F32 ? (double)((const float *)e->value[id])[k]
                                 : ((const double *)e->value[id])[k];
}

/* Where float loses no digits at its ends: no node has such numbers. */
static bool in_range(const study *s, const evaluation *truth) {
    for (uint32_t id = 1; id < s->tape->count; id++)
        for (int64_t k = 0; k < evaluation_size(s->tape, id); k++) {
            double size = fabs(((const exact *)truth->value[id])[k].hi);
            if (!(size <= 0x1p100) || (size > 0 && size < 0x1p-80)) return false;
        }
    return true;
}

/* What the other code computed against the truth and against v, which its error is said of. */
static void compare_rounding(const study *s, uint32_t id, rounding r, double other, exact t,
                             double unit) {
    double error = rounding_error(r, rounding_unit(r)) * (1 + 0x1p-53 / unit);
    char name[SPOR_NAME];
    if (!isfinite(error)) return;
    op_name(s->tape->node[id].op, name, sizeof name);
    exact off = exact_sub((exact){other, 0}, t);
    double most = count(s->to, name, (int)s->from, 0, error > 0 ? error + 0x1p-140 : 0, off);
    count(s->to, name, (int)s->from, other, error > 0 ? error + 0x1p-140 : 0, (exact){r.v, 0});
    count_loose(s->to, error, most);
}

static void compare_roundings(const study *s, const evaluation *said, const evaluation *other,
                              const evaluation *truth, double unit) {
    for (uint32_t id = 1; id < s->tape->count; id++)
        for (int64_t k = 0; k < evaluation_size(s->tape, id); k++)
            compare_rounding(s, id, ((const rounding *)said->value[id])[k], number_at(other, id, k),
                             ((const exact *)truth->value[id])[k], unit);
}

static void study_rounding(const study *s, const arithmetic *a) {
    evaluation said, other, truth;
    ck_assert(evaluation_make(&said, s->tape, SPOR_ROUNDING));
    ck_assert(evaluation_make(&other, s->tape, a->scalar));
    ck_assert(evaluation_make(&truth, s->tape, EVALUATE_EXACT));
    each_given(s, &said, a->set_rounding);
    each_given(s, &other, a->set);
    each_given(s, &truth, set_exact);
    ck_assert(evaluation_run(&said) && evaluation_run(&other) && evaluation_run(&truth));
    if (in_range(s, &truth)) compare_roundings(s, &said, &other, &truth, a->unit);
    evaluation_free(&said);
    evaluation_free(&other);
    evaluation_free(&truth);
}

/* ---- all ops ---- */

static bool is_evaluated(const spor_op *op) {
    return op->operands && !(op->traits & (SPOR_GIVEN | SPOR_STORED));
}

/* y and the cotangents of all operands. */
static spor_tape *record_sample(const spor_op *op, const spor_sample *sample) {
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    spor_var ybar = spor_input(r.tape, "ybar", spor_shape_of(r.out)), d[SPOR_OPERANDS];
    ck_assert(spor_vjp(r.out, ybar, op->operands, r.in, d));
    return r.tape;
}

static void expect_held(const tally *found, double loose) {
    ck_assert_msg(!found->exceeded, "%d of %d exceeded: %s", (int)found->exceeded,
                  (int)found->examined, found->first);
    ck_assert(found->examined > 0);
    ck_assert_msg(found->loose <= loose * (double)found->off, "2^%g too large on average",
                  found->loose / (double)found->off);
}

static void each_study(const spor_op *op, void run(const study *), tally *to) {
    for (int k = 0; op->samples[k].in[0].rank >= 0; k++) {
        spor_tape *tape = record_sample(op, &op->samples[k]);
        for (int from = 0; from < FAMILIES; from++)
            for (uint64_t seed = 0; seed < 6; seed++)
                run(&(study){tape, op->domain, 1000 * seed + (uint64_t)from, (family)from, to});
        spor_tape_free(tape);
    }
}

START_TEST(ops_stay_within_their_bounds) {
    tally found = {0};
    if (!is_evaluated(spor_ops[_i])) return;
    each_study(spor_ops[_i], study_bound, &found);
    if (getenv("SAY"))
        printf("%-30.30s examined %d loose %g exceeded %d\n", spor_ops[_i]->signature,
               (int)found.examined, found.loose / (double)found.off, (int)found.exceeded);
    expect_held(&found, 10);
}
END_TEST

static void study_both(const study *s) {
    for (int k = 0; k < 2; k++) study_rounding(s, &arithmetics[k]);
}

START_TEST(other_code_of_ops_is_as_good_as_stated) {
    tally found = {0};
    if (!is_evaluated(spor_ops[_i])) return;
    each_study(spor_ops[_i], study_both, &found);
    if (getenv("SAY"))
        printf("%-30.30s examined %d loose %g exceeded %d\n", spor_ops[_i]->signature,
               (int)found.examined, found.loose / (double)found.off, (int)found.exceeded);
    expect_held(&found, 20);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("bounds");
    TCase *each = tcase_create("each op");
    int count = 0;
    while (spor_ops[count]) count++;
    bounds_of_bound(suite);
    bounds_of_rounding(suite);
    tcase_add_loop_test(each, ops_stay_within_their_bounds, 0, count);
    tcase_add_loop_test(each, other_code_of_ops_is_as_good_as_stated, 0, count);
    suite_add_tcase(suite, each);
    return suite;
}
