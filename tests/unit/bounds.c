/*
 * The bounds that all verdicts rest on, held against exact numbers (support/exact.h): SPOR_BOUND
 * and SPOR_ROUNDING over all ops, their derivatives and random expressions. The words of both, one
 * by one and with faults planted into them, are in bounds_bound.c and bounds_rounding.c.
 */
#include "bounds.h"

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
    if (domain == SPOR_INDEX) return (double)(random_hash(seed, input, e) % 3);
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
            uint64_t bits = random_hash(s->seed, input + 100, (uint64_t)k);
            set(e->value[id], k, x, domain == SPOR_INDEX ? 0 : bits); /* nothing is off with 0 */
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

/* An element against the truth. What is no number, or infinite, is so on both sides. A bound that
 * is infinite says nothing. An error of 2^-70 of the value is luck, or a value that is saturated:
 * no bound can be held to that. */
static void compare_bound(const study *s, uint32_t id, bounded x, exact t, bool loose) {
    char name[SPOR_NAME];
    if (!isfinite(x.e) || (isnan(x.v) && isnan(t.hi)) || (isinf(x.v) && x.v == t.hi)) return;
    op_name(s->tape->node[id].op, name, sizeof name);
    double off = count(s->to, name, (int)s->from, x.v, x.e, t);
    if (loose && off > 0x1p-70 * fabs(x.v)) count_loose(s->to, x.e, off);
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
    ck_assert(evaluation_make(&other, s->tape, (int)a->scalar));
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
    expect_held(&found, 20);
}
END_TEST

/* ---- random expressions ---- */

enum { ROWS = 3, COLUMNS = 4, IN = 3, POOL = 24 };

/* What an expression is made of so far, all of one shape. */
typedef struct {
    spor_var of[POOL];
    int count;
    uint64_t seed, draws;
} pool;

static uint64_t next(pool *p) {
    return random_hash(p->seed, 77, p->draws++);
}

/* Any of the last ones, mostly. */
static spor_var pick(pool *p) {
    uint64_t bits = next(p);
    int from = bits % 4 ? p->count - 3 : 0;
    if (from < 0) from = 0;
    return p->of[from + (int)((bits >> 8) % (uint64_t)(p->count - from))];
}

static spor_shape shape_of_pool(void) {
    return SPOR_SHAPE(ROWS, COLUMNS);
}

static spor_var filled(spor_var scalar) {
    return spor_expand(scalar, SPOR_AXIS(0) | SPOR_AXIS(1), shape_of_pool());
}

/* One number for each row, back in all columns. */
static spor_var along_rows(spor_var x) {
    return spor_expand(x, SPOR_AXIS(1), shape_of_pool());
}

static spor_var map_of(spor_var x) {
    return spor_reshape(x, SPOR_SHAPE(1, ROWS, COLUMNS, 1));
}

static spor_var from_map(spor_var x) {
    return spor_reshape(x, shape_of_pool());
}

typedef spor_var maker(pool *p);

static spor_var make_add(pool *p) {
    return spor_add(pick(p), pick(p));
}
static spor_var make_sub(pool *p) {
    return spor_sub(pick(p), pick(p));
}
static spor_var make_mul(pool *p) {
    return spor_mul(pick(p), pick(p));
}
static spor_var make_div(pool *p) {
    return spor_div(pick(p), pick(p));
}
static spor_var make_maximum(pool *p) {
    return spor_maximum(pick(p), pick(p));
}
static spor_var make_minimum(pool *p) {
    return spor_minimum(pick(p), pick(p));
}
static spor_var make_where(pool *p) {
    return spor_where(spor_less(pick(p), pick(p)), pick(p), pick(p));
}
static spor_var make_mask(pool *p) {
    return spor_mul(spor_step(pick(p)), pick(p));
}
static spor_var make_masked(pool *p) {
    return spor_where(spor_sub(spor_add(p->of[0], p->of[1]), pick(p)), pick(p), pick(p));
}
static spor_var make_constant(pool *p) {
    static const double numbers[] = {0.1, 2, -0.5, 1e-3, 3, 1e5};
    spor_var x = pick(p), c = spor_constant(x.tape, numbers[next(p) % 6]);
    return next(p) & 1 ? spor_mul(x, filled(c)) : spor_add(x, filled(c));
}
/* A number of which other code has no more than its arithmetic: (c - 1/3)^2 or its logarithm. */
static spor_var make_number(pool *p) {
    spor_var x = pick(p), c = spor_constant(x.tape, 0.3), third = spor_ratio(x.tape, 1, 3);
    spor_var apart = spor_sub(third, c);
    static spor_var (*const of[])(spor_var) = {spor_exp,  spor_log, spor_sqrt,
                                               spor_tanh, spor_neg, spor_softplus};
    return spor_add(x, filled(of[next(p) % 6](spor_div(apart, spor_add(c, third)))));
}
static spor_var make_function(pool *p) {
    static spor_var (*const of[])(spor_var) = {spor_neg,      spor_exp,  spor_tanh, spor_sigmoid,
                                               spor_softplus, spor_relu, spor_abs,  spor_tanh};
    return of[next(p) % 8](pick(p));
}
static spor_var make_log(pool *p) {
    return spor_log(spor_abs(pick(p)));
}
static spor_var make_sqrt(pool *p) {
    return spor_sqrt(spor_abs(pick(p)));
}
static spor_var make_leaky(pool *p) {
    return spor_leaky_relu(pick(p), 0.1);
}
static spor_var make_sum(pool *p) {
    return along_rows(spor_sum(pick(p), SPOR_AXIS(1)));
}
static spor_var make_mean(pool *p) {
    spor_var x = pick(p);
    return spor_sub(x, filled(spor_mean(x, SPOR_AXIS(0) | SPOR_AXIS(1))));
}
static spor_var make_max(pool *p) {
    return along_rows(spor_max(pick(p), SPOR_AXIS(1)));
}
static spor_var make_softmax(pool *p) {
    return spor_softmax(pick(p), 1);
}
static spor_var make_log_softmax(pool *p) {
    return spor_log_softmax(pick(p), 1);
}
static spor_var make_logsumexp(pool *p) {
    return along_rows(spor_logsumexp(pick(p), 1));
}
static spor_var make_matmul(pool *p) {
    spor_var gram = spor_matmul(pick(p), spor_transpose(pick(p), (const int64_t[]){1, 0}));
    return spor_matmul(gram, pick(p));
}
static spor_var make_pool(pool *p) {
    const spor_window w = {{1, 3}, {1, 1}, {0, 0, 1, 1}};
    spor_var x = map_of(pick(p));
    return from_map(next(p) & 1 ? spor_maxpool2d(x, w) : spor_avgpool2d(x, w));
}
static spor_var make_gather(pool *p) {
    const spor_window w = {{1, 3}, {1, 1}, {0, 0, 1, 1}};
    return from_map(spor_gather(map_of(pick(p)), map_of(pick(p)), w));
}

static maker *const makers[] = {
    make_add,     make_sub,         make_mul,       make_div,      make_maximum, make_minimum,
    make_where,   make_mask,        make_masked,    make_constant, make_number,  make_function,
    make_log,     make_sqrt,        make_leaky,     make_sum,      make_mean,    make_max,
    make_softmax, make_log_softmax, make_logsumexp, make_matmul,   make_pool,    make_gather};
enum { MAKERS = sizeof makers / sizeof *makers };

/* An expression of that many steps, made by the first so many makers; with the gradients of its sum
 * if asked for. */
static spor_tape *record_expression(uint64_t seed, int depth, uint64_t of, bool gradients,
                                    spor_var *y) {
    static const char *const names[IN] = {"x", "y", "z"};
    pool p = {.count = IN, .seed = seed};
    spor_tape *tape = spor_tape_new();
    spor_var d[IN];
    for (int k = 0; k < IN; k++) p.of[k] = spor_input(tape, names[k], shape_of_pool());
    for (int k = 0; k < depth; k++) {
        spor_var made = makers[next(&p) % of](&p);
        p.of[p.count++] = made;
    }
    *y = p.of[p.count - 1];
    if (gradients) ck_assert(spor_grad(spor_sum(*y, SPOR_AXIS(0) | SPOR_AXIS(1)), IN, p.of, d));
    ck_assert_msg(!spor_error(tape), "%s", spor_error(tape));
    return tape;
}

enum { EXPRESSIONS = 600 };

static void each_expression(void run(const study *), tally *to) {
    for (uint64_t seed = 0; seed < EXPRESSIONS; seed++) {
        spor_var y;
        spor_tape *tape = record_expression(seed, 2 + (int)(seed % 7), MAKERS, seed % 3 == 0, &y);
        for (int from = 0; from < FAMILIES; from++)
            run(&(study){tape, NULL, seed, (family)from, to});
        spor_tape_free(tape);
    }
}

START_TEST(expressions_stay_within_their_bounds) {
    tally found = {0};
    each_expression(study_bound, &found);
    printf("SPOR_BOUND: %d values, on average 2^%.2f too large\n", (int)found.examined,
           found.loose / (double)found.off);
    expect_held(&found, 10);
}
END_TEST

START_TEST(other_code_of_expressions_is_as_good_as_stated) {
    tally found = {0};
    each_expression(study_both, &found);
    printf("SPOR_ROUNDING: %d values, on average 2^%.2f too large\n", (int)found.examined,
           found.loose / (double)found.off);
    expect_held(&found, 20);
}
END_TEST

/* ---- sums in another order ---- */

static int64_t mirrored(int64_t k) {
    return k / COLUMNS * COLUMNS + COLUMNS - 1 - k % COLUMNS;
}

static void set_mirrored(void *data, int64_t k, double x, uint64_t bits) {
    (void)bits;
    ((float *)data)[mirrored(k)] = (float)x;
}

/* y of data whose columns come from the last one on is y from the last column on. */
static void study_mirrored(const study *s, uint32_t y) {
    evaluation said, other, truth;
    ck_assert(evaluation_make(&said, s->tape, SPOR_ROUNDING));
    ck_assert(evaluation_make(&other, s->tape, SPOR_F32));
    ck_assert(evaluation_make(&truth, s->tape, EVALUATE_EXACT));
    each_given(s, &said, set_in_float);
    each_given(s, &other, set_mirrored);
    each_given(s, &truth, set_exact);
    ck_assert(evaluation_run(&said) && evaluation_run(&other) && evaluation_run(&truth));
    for (int64_t k = 0; k < ROWS * COLUMNS && in_range(s, &truth); k++)
        compare_rounding(s, y, ((const rounding *)said.value[y])[k],
                         number_at(&other, y, mirrored(k)), ((const exact *)truth.value[y])[k],
                         0x1p-24);
    evaluation_free(&said);
    evaluation_free(&other);
    evaluation_free(&truth);
}

/* All makers but gather, the last one: of equals it takes the first. */
START_TEST(other_code_may_add_up_in_another_order) {
    tally found = {0};
    for (uint64_t seed = 0; seed < EXPRESSIONS; seed++) {
        spor_var y;
        spor_tape *tape = record_expression(seed, 2 + (int)(seed % 7), MAKERS - 1, false, &y);
        for (int from = 0; from < FAMILIES; from++)
            study_mirrored(&(study){tape, NULL, seed, (family)from, &found}, y.id);
        spor_tape_free(tape);
    }
    expect_held(&found, 20);
}
END_TEST

/* ---- branches that rounding turns ---- */

/* The same sum twice, in two orders: in exact numbers a tie, in others one is larger or not. */
typedef struct {
    spor_var a, b;
} twice;

static twice add_up_twice(spor_tape *tape) {
    spor_var x = spor_input(tape, "x", shape_of_pool()), y = spor_input(tape, "y", shape_of_pool());
    spor_var z = spor_input(tape, "z", shape_of_pool());
    return (twice){spor_add(spor_add(x, y), z), spor_add(x, spor_add(y, z))};
}

/* df / da, a number that jumps where the branch turns. */
static spor_var slope(spor_var f, spor_var a) {
    spor_shape shape = spor_shape_of(f);
    spor_var one = spor_broadcast(spor_ratio(f.tape, 1, 1), shape), d;
    ck_assert(spor_vjp(f, one, 1, &a, &d));
    return d;
}

static spor_var decide_step(twice t) {
    return spor_step(spor_sub(t.a, t.b));
}
static spor_var decide_less(twice t) {
    return spor_less(t.a, t.b);
}
static spor_var decide_where(twice t) {
    spor_var one = filled(spor_ratio(t.a.tape, 1, 1));
    return spor_where(spor_sub(t.a, t.b), one, spor_neg(one));
}
static spor_var decide_relu(twice t) {
    return slope(spor_relu(spor_sub(t.a, t.b)), t.a);
}
static spor_var decide_leaky_relu(twice t) {
    return slope(spor_leaky_relu(spor_sub(t.a, t.b), 0.25), t.a);
}
static spor_var decide_abs(twice t) {
    return slope(spor_abs(spor_sub(t.a, t.b)), t.a);
}
static spor_var decide_maximum(twice t) {
    return slope(spor_maximum(t.a, t.b), t.a);
}
static spor_var decide_minimum(twice t) {
    return slope(spor_minimum(t.a, t.b), t.a);
}
static spor_var decide_max(twice t) {
    return slope(spor_max(spor_concat(t.b, t.a, 1), SPOR_AXIS(1)), t.a);
}
static spor_var decide_pool(twice t) {
    const spor_window w = {{2, 1}, {2, 1}, {0, 0, 0, 0}};
    const spor_shape map = SPOR_SHAPE(1, 1, ROWS * COLUMNS, 1);
    spor_var both = spor_concat(spor_reshape(t.b, map), spor_reshape(t.a, map), 1);
    return slope(spor_maxpool2d(both, w), t.a);
}
/* Behind a mask that is in doubt, where both branches are the same but for rounding. */
static spor_var decide_masked(twice t) {
    return slope(spor_where(spor_less(t.b, t.a), spor_mul(t.a, t.a), spor_mul(t.a, t.b)), t.a);
}

static spor_var (*const deciders[])(twice) = {
    decide_step,    decide_less,    decide_where, decide_relu, decide_leaky_relu, decide_abs,
    decide_maximum, decide_minimum, decide_max,   decide_pool, decide_masked};
enum { DECIDERS = sizeof deciders / sizeof *deciders };

/* How often other code took the other branch than exact numbers do. */
static int64_t turned(const study *s, const arithmetic *a, uint32_t y) {
    evaluation other, truth;
    int64_t count = 0;
    ck_assert(evaluation_make(&other, s->tape, (int)a->scalar));
    ck_assert(evaluation_make(&truth, s->tape, EVALUATE_EXACT));
    each_given(s, &other, a->set);
    each_given(s, &truth, set_exact);
    ck_assert(evaluation_run(&other) && evaluation_run(&truth));
    for (int64_t k = 0; k < evaluation_size(s->tape, y); k++)
        count += fabs(number_at(&other, y, k) - ((const exact *)truth.value[y])[k].hi) > 0.25;
    evaluation_free(&other);
    evaluation_free(&truth);
    return count;
}

START_TEST(branches_that_rounding_turns_are_covered) {
    spor_tape *tape = spor_tape_new();
    spor_var y = deciders[_i](add_up_twice(tape));
    tally found = {0};
    for (int k = 0; k < 2; k++) {
        int64_t others = 0;
        for (uint64_t seed = 0; seed < 40; seed++) {
            study s = {tape, NULL, seed, seed % 2 ? WIDE : REALS, &found};
            study_rounding(&s, &arithmetics[k]);
            study_bound(&s);
            if (arithmetics[k].scalar == SPOR_F32) others += turned(&s, &arithmetics[k], y.id);
        }
        ck_assert(k || others > 0);
    }
    ck_assert_msg(!found.exceeded, "%d: %s", (int)found.exceeded, found.first);
    spor_tape_free(tape);
}
END_TEST

/* Where exact numbers are compared there is no doubt: ties, and what is next to them. */
START_TEST(exact_numbers_are_compared_exactly) {
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(4)), y = spor_input(tape, "y", SPOR_SHAPE(4));
    spor_var both = spor_concat(x, y, 0);
    spor_var out[] = {spor_less(x, y), spor_step(spor_sub(x, y)), spor_maximum(x, y),
                      slope(spor_max(both, SPOR_AXIS(0)), both)};
    static const float at[] = {0.3F, 1e5F, 0.7F, 3}, next[] = {0.3F, 1e5F + 0x1p-7F, 0.7F, -3};
    evaluation e;
    ck_assert(!spor_error(tape) && evaluation_make(&e, tape, SPOR_ROUNDING));
    for (int k = 0; k < 4; k++) {
        set_in_float(e.value[x.id], k, (double)at[k], 0);
        set_in_float(e.value[y.id], k, (double)next[k], 0);
    }
    ck_assert(evaluation_run(&e));
    for (int k = 0; k < 4; k++)
        for (int64_t i = 0; i < evaluation_size(tape, out[k].id); i++)
            ck_assert(rounding_error(((const rounding *)e.value[out[k].id])[i], 0x1p-24) <= 0);
    evaluation_free(&e);
    spor_tape_free(tape);
}
END_TEST

/* ---- arrays of other code ---- */

/* What float code has for y and dy/dx, 1 times z, of the inputs given. */
static void run_in_float(spor_var y, spor_var d, const spor_var in[IN], double *value[IN],
                         double claimed[2][ROWS * COLUMNS]) {
    const spor_var out[] = {y, d};
    spor_options options = {.scalar = SPOR_F32, .reference = true};
    spor_program *program = spor_compile(y.tape, 2, out, NULL, &options);
    for (int k = 0; k < IN; k++)
        for (int64_t i = 0; i < ROWS * COLUMNS; i++)
            set_float(spor_program_arg(program, in[k]).data, i, value[k][i], 0);
    ck_assert(spor_run(program, 0));
    for (int k = 0; k < 2; k++)
        for (int64_t i = 0; i < ROWS * COLUMNS; i++)
            claimed[k][i] = (double)((const float *)spor_program_arg(program, out[k]).data)[i];
    spor_program_free(program);
}

/* y = relu(a - b) + z relu(x): its first part is 0, with a slope that rounding decides; float took
 * the other branch somewhere. No fault; but one in the second part is found all the same. */
START_TEST(arrays_that_took_the_other_branch_are_not_accused) {
    double x[ROWS * COLUMNS], y[ROWS * COLUMNS], z[ROWS * COLUMNS], claimed[2][ROWS * COLUMNS];
    double *value[] = {x, y, z};
    for (uint64_t seed = 0; seed < 20; seed++) {
        spor_tape *tape = spor_tape_new();
        spor_var in[IN], d;
        twice t = add_up_twice(tape);
        for (int k = 0; k < IN; k++) in[k] = spor_tape_var(tape, (uint32_t)k + 1);
        spor_var f = spor_add(spor_relu(spor_sub(t.a, spor_stop_gradient(t.b))),
                              spor_mul(in[2], spor_relu(in[0])));
        spor_var one = filled(spor_ratio(tape, 1, 1));
        ck_assert(spor_vjp(f, one, 1, &in[2], &d));
        for (int k = 0; k < IN; k++)
            for (uint64_t i = 0; i < ROWS * COLUMNS; i++)
                value[k][i] = draw(REALS, SPOR_ANY, seed, (uint64_t)k, i);
        run_in_float(f, d, in, value, claimed);
        spor_arrays arrays = {.y = f,
                              .inputs = IN,
                              .input = {in[0], in[1], in[2]},
                              .value = {x, y, z},
                              .claims = 2,
                              .claim = {{.name = "y", .wrt = SPOR_OF_Y, .claimed = claimed[0]},
                                        {.name = "dz", .wrt = 2, .claimed = claimed[1]}},
                              .arithmetic = SPOR_F32};
        spor_verdict verdict;
        if (_i) claimed[0][5] += 1e-3;
        ck_assert(spor_verify_arrays(&arrays, &verdict));
        if (!_i && verdict.outcome == SPOR_FAILS) spor_verdict_print(NULL, &verdict, stderr);
        ck_assert_int_eq(verdict.outcome == SPOR_FAILS, _i);
        spor_tape_free(tape);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("bounds");
    TCase *each = tcase_create("each op"), *random = tcase_create("expressions");
    TCase *branches = tcase_create("branches");
    int count = 0;
    while (spor_ops[count]) count++;
    bounds_of_bound(suite);
    bounds_of_rounding(suite);
    tcase_add_loop_test(each, ops_stay_within_their_bounds, 0, count);
    tcase_add_loop_test(each, other_code_of_ops_is_as_good_as_stated, 0, count);
    tcase_add_test(random, expressions_stay_within_their_bounds);
    tcase_add_test(random, other_code_of_expressions_is_as_good_as_stated);
    tcase_add_test(random, other_code_may_add_up_in_another_order);
    tcase_add_loop_test(branches, branches_that_rounding_turns_are_covered, 0, DECIDERS);
    tcase_add_test(branches, exact_numbers_are_compared_exactly);
    tcase_add_loop_test(branches, arrays_that_took_the_other_branch_are_not_accused, 0, 2);
    suite_add_tcase(suite, branches);
    suite_add_tcase(suite, each);
    suite_add_tcase(suite, random);
    return suite;
}
