/* Programs for gradients by any variables: against those that spor_grad records. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>
#include "base/random.h"
#include "base/shape.h"
#include "tape/tape.h"

enum { ROWS = 6, WRT = 7 };

static const spor_options reference = {.scalar = SPOR_F64, .reference = true};

/* An image through a convolution, a pool, two dense layers and cross-entropy. */
typedef struct {
    spor_tape *tape;
    spor_var x, y, cost, wrt[WRT];
    spor_params *params;
} network;

static spor_var dense(spor_var x, const char *name, int64_t m, spor_var *W, spor_var *z) {
    spor_scope_begin(x.tape, name);
    *W = spor_param(x.tape, "W", SPOR_SHAPE(spor_shape_of(x).n[1], m), SPOR_INIT("glorot", 1));
    spor_var b = spor_param(x.tape, "b", SPOR_SHAPE(m), SPOR_INIT("normal", 0.1));
    *z = spor_add(spor_matmul(x, *W), spor_broadcast(b, SPOR_SHAPE(ROWS, m)));
    return spor_scope_end(x.tape, *z), *z;
}

static network record(spor_scalar scalar) {
    network n = {.tape = spor_tape_new(), .params = spor_params_new(scalar, 5)};
    spor_var W, V, z, last;
    n.x = spor_input(n.tape, "x", SPOR_SHAPE(ROWS, 8, 8, 1));
    n.y = spor_input(n.tape, "y", SPOR_SHAPE(ROWS, 5));
    spor_var K = spor_param(n.tape, "K", SPOR_SHAPE(3, 3, 1, 4), SPOR_INIT("he", 1));
    spor_var h = spor_tanh(spor_correlate2d(n.x, K, 1, 1));
    h = spor_maxpool2d(h, (spor_window){{2, 2}, {2, 2}, {0}});
    h = spor_tanh(dense(spor_flatten(h), "hidden", 7, &W, &z));
    n.cost = spor_cross_entropy_mean(dense(h, "out", 5, &V, &last), n.y, NULL);
    memcpy(n.wrt, (spor_var[]){n.x, K, W, h, V, n.y, n.cost}, sizeof n.wrt);
    ck_assert_msg(!spor_error(n.tape), "%s", spor_error(n.tape));
    return n;
}

static void forget(network *n) {
    spor_params_free(n->params);
    spor_tape_free(n->tape);
}

static double at(spor_arg a, spor_scalar scalar, int64_t k) {
    return scalar == SPOR_F64 ? ((double *)a.data)[k] : (double)((float *)a.data)[k];
}

/* Numbers that float holds, the same whatever the scalar type. */
static void fill(spor_arg a, spor_scalar scalar, uint64_t seed) {
    for (int64_t k = 0; k < shape_size(&a.shape); k++) {
        double x = floor(1024 * random_uniform(seed, (uint64_t)k, 0)) / 1024;
        if (scalar == SPOR_F64)
            ((double *)a.data)[k] = x;
        else
            ((float *)a.data)[k] = (float)x;
    }
}

static void run(spor_program *program, const network *n, spor_scalar scalar) {
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    fill(spor_program_arg(program, n->x), scalar, 1);
    fill(spor_program_arg(program, n->y), scalar, 2);
    ck_assert(spor_run(program, 0));
}

/* The root of the mean square is the measure: gradients have zeros. */
static void expect_equal(spor_arg got, spor_scalar scalar, spor_arg want, double allowed) {
    double squares = 0, far = 0;
    int64_t size = shape_size(&want.shape);
    ck_assert_ptr_nonnull(got.data);
    ck_assert(shape_equal(&got.shape, &want.shape));
    for (int64_t k = 0; k < size; k++) {
        double w = ((double *)want.data)[k];
        squares += w * w;
        far = fmax(far, fabs(at(got, scalar, k) - w));
    }
    ck_assert_double_gt(squares, 0);
    ck_assert_double_le(far, allowed * sqrt(squares / (double)size));
}

static void compare(spor_scalar scalar, double allowed) {
    network n = record(scalar), r = record(SPOR_F64);
    spor_var d[WRT];
    spor_program *program = spor_compile_gradient(n.cost, WRT, n.wrt, 1, &n.cost, n.params,
                                                  &(spor_options){.scalar = scalar});
    ck_assert(spor_grad(r.cost, WRT, r.wrt, d));
    spor_program *tape = spor_compile(r.tape, WRT, d, r.params, &reference);
    for (int k = 0; k < spor_params_count(r.params); k++) { /* drawn in double, rounded in float */
        spor_entry to = spor_params_entry(n.params, k), from = spor_params_entry(r.params, k);
        for (int64_t j = 0; j < shape_size(&to.shape); j++)
            if (scalar == SPOR_F64)
                ((double *)from.value)[j] = ((double *)to.value)[j];
            else
                ((double *)from.value)[j] = (double)((float *)to.value)[j];
    }
    run(program, &n, scalar);
    run(tape, &r, SPOR_F64);
    for (int k = 0; k < WRT; k++)
        expect_equal(spor_program_gradient(program, k), scalar, spor_program_arg(tape, d[k]),
                     allowed);
    ck_assert_double_gt(at(spor_program_arg(program, n.cost), scalar, 0), 0);
    static const char *const paths[] = {"conv2d", "dense", "maxpool2d", "softmax_cross_entropy"};
    for (int k = 0; k < 4; k++)
        ck_assert_msg(spor_program_fast(program, paths[k]) > 0 ||
                          (k % 2 == 0 && spor_program_fast(program, "convpool") > 0),
                      "%s was not taken", paths[k]);
    spor_program_free(program);
    spor_program_free(tape);
    forget(&n);
    forget(&r);
}

START_TEST(gradients_of_fast_paths_are_those_of_the_tape) {
    compare(SPOR_F64, 1e-12);
    compare(SPOR_F32, 1e-4);
}
END_TEST

/* A path that would swallow a variable leaves it alone: z of tanh(z) lies inside of dense. */
START_TEST(a_variable_inside_of_a_layer_has_its_gradient) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 2);
    spor_var x = spor_input(t, "x", SPOR_SHAPE(ROWS, 3)), W, z, d[2];
    spor_var y = spor_tanh(dense(x, "layer", 4, &W, &z)), wrt[] = {z, x};
    spor_var cost = spor_sum(spor_mul(y, y), 3);
    spor_options fast = {.scalar = SPOR_F64};
    spor_program *program = spor_compile_gradient(cost, 2, wrt, 0, NULL, params, &fast);
    ck_assert(spor_grad(cost, 2, wrt, d));
    spor_program *tape = spor_compile(t, 2, d, params, &reference);
    fill(spor_program_arg(program, x), SPOR_F64, 3);
    fill(spor_program_arg(tape, x), SPOR_F64, 3);
    ck_assert(spor_run(program, 0) && spor_run(tape, 0));
    for (int k = 0; k < 2; k++)
        expect_equal(spor_program_gradient(program, k), SPOR_F64, spor_program_arg(tape, d[k]),
                     1e-13);
    spor_program_free(program);
    spor_program_free(tape);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

START_TEST(parameters_states_and_their_gradients_stay_as_they_are) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 2);
    spor_var w = spor_param(t, "w", SPOR_SHAPE(2), SPOR_INIT("ones", 3));
    spor_var s = spor_state(t, "s", SPOR_SHAPE(2), SPOR_INIT("ones", 1));
    spor_assign(s, spor_add(s, w));
    spor_var cost = spor_sum(spor_mul(spor_mul(w, w), s), 1);
    spor_program *program =
        spor_compile_gradient(cost, 3, (spor_var[]){w, s, w}, 0, NULL, params, &reference);
    for (int round = 0; round < 2; round++) {
        ck_assert(spor_run(program, 0));
        ck_assert_double_eq(at(spor_program_gradient(program, 0), SPOR_F64, 1), 6);
        ck_assert_double_eq(at(spor_program_gradient(program, 1), SPOR_F64, 1), 9);
        ck_assert_double_eq(at(spor_program_gradient(program, 2), SPOR_F64, 0), 6);
        ck_assert_double_eq(*(double *)spor_params_entry(params, 0).value, 3);
        ck_assert_double_eq(*(double *)spor_params_entry(params, 0).gradient, 0);
        ck_assert_double_eq(*(double *)spor_params_entry(params, 1).value, 1);
    }
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

START_TEST(what_the_cost_does_not_reach_has_gradient_zero) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)),
             aside = spor_input(t, "aside", SPOR_SHAPE(2, 2));
    spor_var cost = spor_sum(spor_mul(x, x), 1), later = spor_mul(cost, cost);
    spor_program *program =
        spor_compile_gradient(cost, 2, (spor_var[]){aside, later}, 1, &later, NULL, NULL);
    ck_assert(spor_run(program, 0));
    ck_assert_int_eq(spor_program_gradient(program, 0).shape.n[1], 2);
    for (int k = 0; k < 4; k++)
        ck_assert_double_eq(at(spor_program_gradient(program, 0), SPOR_F32, k), 0);
    ck_assert_double_eq(at(spor_program_gradient(program, 1), SPOR_F32, 0), 0);
    ck_assert_ptr_null(spor_program_gradient(program, 2).data);
    ck_assert_ptr_null(spor_program_gradient(program, -1).data);
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

/* 7 times what the ops say. */
static bool sevenfold(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                      spor_var d[]) {
    (void)user, (void)y, (void)operand;
    d[0] = spor_mul(dy, spor_broadcast(spor_ratio(dy.tape, 7, 1), spor_shape_of(dy)));
    return n == 1;
}

START_TEST(a_hand_derived_backward_is_used_as_in_training) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), a = spor_exp(x), b = spor_tanh(a),
             y = spor_neg(b);
    spor_custom_vjp(y, 1, &a, sevenfold, NULL);
    spor_var cost = spor_sum(y, 1), wrt[] = {a, y};
    spor_program *program = spor_compile_gradient(cost, 2, wrt, 0, NULL, NULL, &reference);
    ck_assert(spor_run(program, 0));
    ck_assert_double_eq(at(spor_program_gradient(program, 0), SPOR_F64, 2), 7);
    ck_assert_double_eq(at(spor_program_gradient(program, 1), SPOR_F64, 2), 1);
    spor_program_free(program);
    program = spor_compile_gradient(cost, 2, (spor_var[]){x, b}, 0, NULL, NULL, NULL);
    const char *error = spor_program_error(program);
    ck_assert_msg(error && strstr(error, "the gradient of v3 can't be told: it lies inside of v4"),
                  "%s", error ? error : "(no error)");
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

static void expect_refused(spor_program *program, const char *part) {
    const char *error = spor_program_error(program);
    ck_assert(!spor_run(program, 0));
    ck_assert_msg(error && strstr(error, part), "want \"%s\" in \"%s\"", part,
                  error ? error : "(no error)");
    ck_assert_ptr_null(spor_program_gradient(program, 0).data);
    spor_program_free(program);
}

START_TEST(what_has_no_gradient_is_told) {
    spor_tape *t = spor_tape_new(), *other = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), cost = spor_sum(x, 1),
             far = spor_input(other, "x", SPOR_SHAPE(3)), poisoned = {t, 0}, beyond = {t, 99};
    expect_refused(spor_compile_gradient(x, 1, &x, 0, NULL, NULL, NULL), "a cost is a scalar");
    expect_refused(spor_compile_gradient(cost, 1, &far, 0, NULL, NULL, NULL),
                   "what a gradient is asked of is not a variable of the tape");
    expect_refused(spor_compile_gradient(cost, 1, &beyond, 0, NULL, NULL, NULL), "not a variable");
    expect_refused(spor_compile_gradient(cost, 1, &x, 1, &far, NULL, NULL), "an output is not");
    expect_refused(spor_compile_gradient(poisoned, 1, &x, 0, NULL, NULL, NULL), "never recorded");
    expect_refused(spor_compile_gradient(cost, 1, NULL, 0, NULL, NULL, NULL), "out of memory");
    expect_refused(spor_compile_gradient(cost, 1, &x, 1, NULL, NULL, NULL), "out of memory");
    spor_tape_free(t);
    spor_tape_free(other);
}
END_TEST

/* ---- slices ---- */

typedef struct {
    int64_t from[2], end[2]; /* rows, columns */
} slice;

enum { HIGH = 3, WIDE = 7 };
#define COLUMNS(from, end)                                                                         \
    {                                                                                              \
        {0, from}, {                                                                               \
            HIGH, end                                                                              \
        }                                                                                          \
    }
#define LINES(from, end)                                                                           \
    {                                                                                              \
        {from, 0}, {                                                                               \
            end, WIDE                                                                              \
        }                                                                                          \
    }

static bool is_within(const slice *s, int64_t i, int64_t j) {
    return i >= s->from[0] && i < s->end[0] && j >= s->from[1] && j < s->end[1];
}

/* <w, the slice of x>, w[i,j] = seed + 10 i + j at the place in x */
static spor_var record_share(spor_var x, const slice *s, double seed, double dx[HIGH][WIDE]) {
    const int64_t lo[SPOR_RANK] = {-s->from[0], -s->from[1]};
    const int64_t hi[SPOR_RANK] = {s->end[0] - HIGH, s->end[1] - WIDE};
    double w[HIGH * WIDE];
    int count = 0;
    for (int i = 0; i < HIGH; i++)
        for (int j = 0; j < WIDE; j++) {
            if (!is_within(s, i, j)) continue;
            dx[i][j] += w[count++] = seed + 10 * i + j;
        }
    spor_var part = spor_pad(x, lo, hi, 0);
    spor_var by = spor_array(x.tape, spor_shape_of(part), w);
    return spor_sum(spor_mul(by, part), 3);
}

static int count_ops(const spor_tape *tape, uint32_t from, const char *name) {
    int count = 0;
    for (uint32_t id = from; id < tape->count; id++) {
        char op[SPOR_NAME];
        op_name(tape->node[id].op, op, sizeof op);
        count += !strcmp(op, name);
    }
    return count;
}

/* Slices of x, and x itself if it is read, too. Adds of the gradient tell if parts met. */
static void check_slices(const slice s[], int slices, bool whole, int adds, int concats) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(HIGH, WIDE)), y = spor_mul(x, x), dy;
    double want[HIGH][WIDE] = {{0}};
    const slice all = LINES(0, HIGH);
    spor_var cost = spor_ratio(t, 0, 1);
    if (whole) cost = spor_add(cost, record_share(y, &all, 0.5, want));
    for (int k = 0; k < slices; k++)
        cost = spor_add(cost, record_share(y, &s[k], 100 * k + 1, want));
    uint32_t from = t->count;
    ck_assert_msg(spor_grad(cost, 1, &y, &dy), "%s", spor_error(t));
    ck_assert_int_eq(count_ops(t, from, "concat"), concats);
    ck_assert_int_eq(count_ops(t, from, "add"), adds);
    spor_program *program = spor_compile(t, 1, &dy, NULL, &reference);
    ck_assert(spor_run(program, 0));
    const double *got = spor_program_arg(program, dy).data;
    for (int e = 0; e < HIGH * WIDE; e++) ck_assert_double_eq(got[e], want[e / WIDE][e % WIDE]);
    spor_program_free(program);
    spor_tape_free(t);
}

START_TEST(cotangents_of_slices_are_put_side_by_side) {
    static const slice in_order[] = {COLUMNS(0, 2), COLUMNS(2, 3), COLUMNS(3, 6), COLUMNS(6, 7)};
    static const slice mixed[] = {COLUMNS(3, 6), COLUMNS(0, 2), COLUMNS(6, 7), COLUMNS(2, 3)};
    static const slice gaps[] = {COLUMNS(5, 6), COLUMNS(1, 2), COLUMNS(3, 4)};
    static const slice over[] = {COLUMNS(0, 4), COLUMNS(3, 7), COLUMNS(6, 7)};
    static const slice twice[] = {COLUMNS(2, 4), COLUMNS(2, 4)};
    static const slice rows[] = {LINES(2, 3), LINES(0, 1), LINES(1, 2)};
    static const slice crossed[] = {LINES(0, 1), COLUMNS(2, 4)};
    static const slice corners[] = {{{0, 0}, {1, 2}}, {{1, 2}, {3, 7}}};
    check_slices(in_order, 4, false, 0, 3);
    check_slices(mixed, 4, false, 0, 3);
    check_slices(mixed, 4, true, 1, 3);
    check_slices(gaps, 3, false, 0, 2);
    check_slices(gaps, 1, true, 1, 0);
    check_slices(over, 3, false, 2, 0);
    check_slices(twice, 2, true, 2, 0);
    check_slices(rows, 3, true, 1, 2);
    check_slices(crossed, 2, false, 1, 0);
    check_slices(corners, 2, false, 1, 0);
}
END_TEST

/* ---- what a mask leaves out ------------------------------------------------------------------- */

static spor_var one_like(spor_var x) {
    return op_fill_ratio(x.tape, 1, 1, spor_shape_of(x));
}
static spor_var entropy(spor_var x) {
    return spor_mul(x, spor_log(x));
}
static spor_var inverse(spor_var x) {
    return spor_div(one_like(x), x);
}
static spor_var tanh_of_inverse(spor_var x) {
    return spor_tanh(spor_sub(inverse(x), inverse(x)));
}
static spor_var through_infinity(spor_var x) {
    return spor_mul(spor_exp(inverse(x)), spor_sqrt(x));
}
static spor_var log_squared(spor_var x) {
    return spor_mul(spor_log(x), spor_log(x));
}
static spor_var root_by_pow(spor_var x) {
    return spor_pow(x, op_fill_ratio(x.tape, 1, 2, spor_shape_of(x)));
}
static spor_var inverse_by_pow(spor_var x) {
    return spor_pow(x, spor_neg(one_like(x)));
}
static spor_var power_of_itself(spor_var x) {
    return spor_pow(x, x);
}
static spor_var log1p_of_inverse(spor_var x) {
    return spor_log1p(inverse(x));
}
static spor_var sigmoid_of_log(spor_var x) {
    return spor_mul(spor_sigmoid(spor_log(x)), spor_softplus(spor_log(x)));
}
static spor_var angles_of_inverse(spor_var x) {
    return spor_mul(spor_sin(inverse(x)), spor_cos(inverse(x)));
}
static spor_var erf_of_log(spor_var x) {
    return spor_erf(spor_log(x));
}
static spor_var shares_of_log(spor_var x) {
    spor_var rows = spor_reshape(spor_log(x), SPOR_SHAPE(3, 1));
    rows = spor_add(spor_softmax(rows, 1), spor_add(spor_log_softmax(rows, 1), rows));
    return spor_add(spor_reshape(rows, SPOR_SHAPE(3)), spor_logsumexp(rows, 1));
}

/* Of x > 0; what they are at 0, below and far above, or their slopes there, is infinite or no number. */
static spor_var (*const wild[])(spor_var) = {
    (spor_log),     (spor_sqrt),     (spor_exp),       (spor_expm1),   entropy,
    inverse,        tanh_of_inverse, through_infinity, log_squared,    root_by_pow,
    inverse_by_pow, power_of_itself, log1p_of_inverse, sigmoid_of_log, angles_of_inverse,
    erf_of_log,     shares_of_log};
enum { WILD = (int)(sizeof wild / sizeof *wild), ELEMENTS = 3 };

/* f where the mask is set, and its first two derivatives as if there were no mask. */
typedef struct {
    spor_tape *tape;
    spor_var x, c, masked[3], plain[3];
} study;

static void differentiate(spor_var y, spor_var x, spor_var d[3]) {
    d[0] = y;
    for (int k = 0; k < 2; k++) {
        spor_var cost = spor_sum(d[k], SPOR_AXIS(0));
        ck_assert(spor_grad(cost, 1, &x, &d[k + 1]));
    }
}

static study study_of(spor_var (*f)(spor_var)) {
    study s = {.tape = spor_tape_new()};
    s.x = spor_input(s.tape, "x", SPOR_SHAPE(ELEMENTS));
    s.c = spor_input(s.tape, "c", SPOR_SHAPE(ELEMENTS));
    differentiate(f(s.x), s.x, s.plain);
    spor_var zero = op_fill_ratio(s.tape, 0, 1, SPOR_SHAPE(ELEMENTS));
    differentiate(spor_where(s.c, f(s.x), zero), s.x, s.masked);
    ck_assert_msg(!spor_error(s.tape), "%s", spor_error(s.tape));
    return s;
}

static void check_masked(const study *s, int f, double left_out, bool fast) {
    spor_var all[6];
    memcpy(all, s->masked, sizeof s->masked);
    memcpy(all + 3, s->plain, sizeof s->plain);
    spor_program *program = spor_compile(s->tape, 6, all, NULL,
                                         &(spor_options){.scalar = SPOR_F64, .reference = !fast});
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    double *x = spor_program_arg(program, s->x).data, *c = spor_program_arg(program, s->c).data;
    memcpy(x, (const double[]){left_out, 0.75, 2.5}, ELEMENTS * sizeof *x);
    memcpy(c, (const double[]){0, 1, 1}, ELEMENTS * sizeof *c);
    ck_assert(spor_run(program, 0));
    for (int order = 0; order < 3; order++) {
        const double *masked = spor_program_arg(program, s->masked[order]).data;
        const double *plain = spor_program_arg(program, s->plain[order]).data;
        ck_assert_msg(fabs(masked[0]) <= 0, "function %d at %g, fast %d: derivative %d is %g", f,
                      left_out, fast, order, masked[0]);
        for (int k = 1; k < ELEMENTS; k++)
            ck_assert_msg(fabs(masked[k] - plain[k]) <= 1e-12 * (1 + fabs(plain[k])),
                          "function %d at %g: derivative %d is %g but must be %g", f, x[k], order,
                          masked[k], plain[k]);
    }
    spor_program_free(program);
}

START_TEST(what_a_mask_leaves_out_gets_no_cotangent) {
    static const double places[] = {0, -1, -0.5, 1000, -1000, (double)NAN, (double)INFINITY};
    study s = study_of(wild[_i]);
    for (size_t k = 0; k < sizeof places / sizeof *places; k++)
        for (int fast = 0; fast < 2; fast++) check_masked(&s, _i, places[k], fast);
    spor_tape_free(s.tape);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("gradient");
    TCase *tests = tcase_create("gradient");
    tcase_add_test(tests, gradients_of_fast_paths_are_those_of_the_tape);
    tcase_add_test(tests, a_variable_inside_of_a_layer_has_its_gradient);
    tcase_add_test(tests, parameters_states_and_their_gradients_stay_as_they_are);
    tcase_add_test(tests, what_the_cost_does_not_reach_has_gradient_zero);
    tcase_add_test(tests, a_hand_derived_backward_is_used_as_in_training);
    tcase_add_test(tests, what_has_no_gradient_is_told);
    tcase_add_test(tests, cotangents_of_slices_are_put_side_by_side);
    tcase_add_loop_test(tests, what_a_mask_leaves_out_gets_no_cotangent, 0, WILD);
    suite_add_tcase(suite, tests);
    return suite;
}
