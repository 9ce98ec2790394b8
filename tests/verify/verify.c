/* Verification: right formulas hold, planted faults are found, made small and named. */
#include "../suite.h"

#include <math.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>
#include <spor/verify.h>

/* A fault to plant into a hand-derived backward. */
typedef enum {
    NONE,
    SIGN,
    TWICE,
    OVER_N,
    NO_SLOPE,          /* f' forgotten */
    SLOPE_OF_VALUE,    /* f'(A) for f'(Z) */
    SUMMED_OVER_NODES, /* Eq. (49) as printed */
    TRANSPOSED,
    ZERO,
    CORRELATED, /* correlation for convolution in Eq. (9) */
    SHAPED      /* delta W for delta W^T */
} fault;

static spor_var times(spor_var x, int64_t num, int64_t den) {
    return spor_mul(x, spor_broadcast(spor_ratio(x.tape, num, den), spor_shape_of(x)));
}

static void claim(spor_instance *in, const char *name, spor_var formula, spor_var expected,
                  int wrt) {
    in->pair[in->pairs++] =
        (spor_pair){.name = name, .formula = formula, .expected = expected, .wrt = wrt};
}

/* Eqs. (46)-(49) for Y = tanh(A W + b). */
static spor_recording dense(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    fault f = *(const fault *)user;
    int64_t N = v[0], n = v[1], m = v[2];
    spor_var A = spor_input(t, "A", SPOR_SHAPE(N, n)), W = spor_input(t, "W", SPOR_SHAPE(n, m)),
             b = spor_input(t, "b", SPOR_SHAPE(m)), dY = spor_input(t, "dY", SPOR_SHAPE(N, m));
    spor_var Z = spor_add(spor_matmul(A, W), spor_broadcast(b, SPOR_SHAPE(N, m)));
    spor_var Y = spor_tanh(Z), wrt[] = {A, W, b}, d[3];
    memcpy(in->input, (spor_var[]){A, W, b, dY}, 4 * sizeof A);
    in->inputs = 4;
    in->y = Y;
    in->dy = 3;
    if (!spor_vjp(Y, dY, 3, wrt, d)) return SPOR_OUTSIDE;

    const int64_t swap[] = {1, 0};
    spor_var one = spor_broadcast(spor_ratio(t, 1, 1), SPOR_SHAPE(N, m));
    spor_var inner = f == SLOPE_OF_VALUE ? spor_tanh(Y) : Y;
    spor_var slope = f == NO_SLOPE ? one : spor_sub(one, spor_mul(inner, inner));
    spor_var delta = spor_mul(slope, dY);
    if (f == SIGN) delta = spor_neg(delta);
    spor_var dA = spor_matmul(delta, f == SHAPED ? W : spor_transpose(W, swap));
    spor_var dW = spor_matmul(spor_transpose(A, swap), delta);
    spor_var db = spor_sum(delta, SPOR_AXIS(f == SUMMED_OVER_NODES ? 1 : 0));
    if (f == TWICE) dW = times(dW, 2, 1);
    if (f == OVER_N) dW = times(dW, 1, N);
    if (f == ZERO) db = times(db, 0, 1);
    if (f == TRANSPOSED) dW = spor_transpose(dW, swap);
    if (spor_error(t)) {
        snprintf(in->message, sizeof in->message, "%s", spor_error(t));
        return SPOR_BROKEN;
    }
    claim(in, "dA", dA, d[0], 0);
    claim(in, "dW", dW, d[1], 1);
    claim(in, "db", db, d[2], 2);
    return SPOR_RECORDED;
}

/* Eq. (9): dA = K * padded delta for Z = K (star) A, valid, stride 1, one channel. */
static spor_recording conv(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    fault f = *(const fault *)user;
    int64_t H = v[0], W = v[1], k = v[2], l = v[3];
    if (k > H || l > W) return SPOR_OUTSIDE;
    spor_var A = spor_input(t, "A", SPOR_SHAPE(1, H, W, 1)),
             K = spor_input(t, "K", SPOR_SHAPE(k, l, 1, 1)),
             d = spor_input(t, "delta", SPOR_SHAPE(1, H - k + 1, W - l + 1, 1));
    spor_var Z = spor_correlate2d(A, K, 1, 1), dA;
    memcpy(in->input, (spor_var[]){A, K, d}, 3 * sizeof A);
    in->inputs = 3;
    in->y = Z;
    in->dy = 2;
    if (!spor_vjp(Z, d, 1, &A, &dA)) return SPOR_OUTSIDE;
    const int64_t pad[] = {0, k - 1, l - 1, 0};
    spor_var padded = spor_pad(d, pad, pad, 0);
    claim(in, "dA",
          f == CORRELATED ? spor_correlate2d(padded, K, 1, 1) : spor_convolve2d(padded, K, 1, 1),
          dA, 0);
    return SPOR_RECORDED;
}

static spor_statement dense_statement(fault *f) {
    return (spor_statement){
        .name = "dense",
        .quantities = 3,
        .quantity = {SPOR_SIZE("N", 1, 5), SPOR_SIZE("n", 1, 5), SPOR_SIZE("m", 1, 5)},
        .record = dense,
        .user = f};
}

static spor_statement conv_statement(fault *f) {
    return (spor_statement){.name = "Eq. 9",
                            .quantities = 4,
                            .quantity = {SPOR_SIZE("H", 1, 5), SPOR_SIZE("W", 1, 5),
                                         SPOR_SIZE("k", 1, 4), SPOR_SIZE("l", 1, 4)},
                            .record = conv,
                            .user = f};
}

static void check_holds(const spor_statement *statement, spor_verdict *verdict) {
    ck_assert(spor_verify(statement, &(spor_effort){.seed = 1}, verdict));
    if (verdict->outcome != SPOR_HOLDS) spor_verdict_print(statement, verdict, stderr);
    ck_assert_int_eq(verdict->outcome, SPOR_HOLDS);
}

START_TEST(right_formulas_hold) {
    fault none = NONE;
    spor_statement statement = dense_statement(&none);
    spor_verdict verdict;
    check_holds(&statement, &verdict);
    ck_assert(verdict.exhaustive && verdict.shapes == 125);
    ck_assert_int_gt(verdict.asked[SPOR_BY_COMPLEX_STEP], 1000);
    ck_assert_int_lt(verdict.exact, verdict.comparisons / 2); /* tanh is rounded */
    ck_assert_int_eq(verdict.proved, 0);
    ck_assert_ptr_nonnull(strstr(verdict.regions, "N = n: "));
    statement = conv_statement(&none);
    check_holds(&statement, &verdict);
    ck_assert_int_gt(verdict.exact, verdict.comparisons / 2); /* all but reals */
    ck_assert_int_gt(verdict.proved, 100);
}
END_TEST

static const struct {
    fault fault;
    const char *pair, *pattern;
    int64_t size[3]; /* of the smallest case */
} faults[] = {
    {SIGN, "dA", "the sign is wrong", {1, 1, 1}},
    {TWICE, "dW", "off by the factor 2", {1, 1, 1}},
    {OVER_N, "dW", "too small by the factor 1/N", {2, 1, 1}},
    {NO_SLOPE, "dA", "", {1, 1, 1}},
    {SLOPE_OF_VALUE, "dA", "", {1, 1, 1}},
    {ZERO, "db", "zero everywhere", {1, 1, 1}},
};

START_TEST(planted_faults_are_found_small_and_named) {
    fault f = faults[_i].fault;
    spor_statement statement = dense_statement(&f);
    spor_verdict verdict;
    ck_assert(spor_verify(&statement, &(spor_effort){.seed = 1}, &verdict));
    const spor_counterexample *e = &verdict.example;
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    ck_assert_int_eq(e->dispute, SPOR_FORMULA_TAPE);
    ck_assert_str_eq(e->pair_name, faults[_i].pair);
    ck_assert_msg(strstr(e->pattern, faults[_i].pattern) != NULL, "%s", e->pattern);
    for (int k = 0; k < 3; k++) ck_assert_int_eq(e->value[k], faults[_i].size[k]);
    ck_assert(e->expected != 0); /* the true gradient is not zero */
    ck_assert(!isnan(e->oracle) && fabs(e->oracle - e->expected) < 1e-12 * fabs(e->expected));
}
END_TEST

START_TEST(formulas_of_another_shape_do_not_record) {
    static const struct {
        fault fault;
        const char *message;
    } rows[] = {{SUMMED_OVER_NODES, "db is [N=1] but must be [m=2]"},
                {SHAPED, "matmul"},
                {TRANSPOSED, "dW is ["}};
    for (size_t k = 0; k < 3; k++) {
        fault f = rows[k].fault;
        spor_statement statement = dense_statement(&f);
        spor_verdict verdict;
        ck_assert(spor_verify(&statement, NULL, &verdict));
        ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
        ck_assert_msg(strstr(verdict.example.message, rows[k].message) != NULL, "%s",
                      verdict.example.message);
    }
}
END_TEST

START_TEST(equal_sizes_hide_nothing) {
    fault f = SUMMED_OVER_NODES; /* with N = m the shape fits by accident */
    spor_statement statement = dense_statement(&f);
    statement.quantity[0] = statement.quantity[2] = (spor_quantity)SPOR_SIZE("N", 3, 3);
    spor_verdict verdict;
    ck_assert(spor_verify(&statement, NULL, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    ck_assert_int_eq(verdict.example.dispute, SPOR_FORMULA_TAPE);
    ck_assert_str_eq(verdict.example.pair_name, "db");
}
END_TEST

START_TEST(a_rotated_kernel_is_named) {
    fault f = CORRELATED;
    spor_statement statement = conv_statement(&f);
    spor_verdict verdict;
    char text[4096];
    ck_assert(spor_verify(&statement, &(spor_effort){.seed = 3}, &verdict));
    const spor_counterexample *e = &verdict.example;
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    ck_assert_int_eq(e->value[0] * e->value[1], 2); /* A [1, 2] or [2, 1] */
    ck_assert_int_eq(e->value[2] * e->value[3], 2);
    ck_assert_double_eq(e->bound, 0);
    FILE *out = fmemopen(text, sizeof text, "w");
    spor_verdict_print(&statement, &verdict, out);
    fclose(out);
    ck_assert_msg(strstr(text, "Eq. 9: FAILS\n  smallest case: ") != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "(exact integers)"));
}
END_TEST

/* Nothing to see: the only claim is 0 = 0. */
static spor_recording idle(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)user, (void)v;
    spor_var x = in->input[in->inputs++] = spor_input(t, "x", SPOR_SHAPE(2));
    claim(in, "zero", spor_sub(x, x), spor_sub(x, x), -1);
    return SPOR_RECORDED;
}

static spor_recording outside(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)user, (void)t, (void)v, (void)in;
    return SPOR_OUTSIDE;
}

START_TEST(a_check_that_examined_nothing_is_not_a_pass) {
    spor_verdict verdict;
    ck_assert(spor_verify(&(spor_statement){.name = "idle", .record = idle}, NULL, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_NOTHING_EXAMINED);
    ck_assert(spor_verify(&(spor_statement){.name = "outside", .record = outside}, NULL, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_NOTHING_EXAMINED);
}
END_TEST

/* y is x in another shape: it shares the input's buffer. */
static spor_recording alias(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)user;
    spor_var x = in->input[in->inputs++] = spor_input(t, "x", SPOR_SHAPE(v[0], 2)), d;
    spor_var dy = in->input[in->inputs++] = spor_input(t, "dy", SPOR_SHAPE(2 * v[0]));
    in->y = spor_reshape(x, SPOR_SHAPE(2 * v[0]));
    in->dy = 1;
    if (!spor_vjp(in->y, dy, 1, &x, &d)) return SPOR_OUTSIDE;
    claim(in, "dx", spor_reshape(dy, SPOR_SHAPE(v[0], 2)), d, 0);
    return SPOR_RECORDED;
}

START_TEST(a_result_may_be_its_input) {
    spor_statement statement = {
        .name = "alias", .quantities = 1, .quantity = {SPOR_SIZE("N", 1, 3)}, .record = alias};
    spor_verdict verdict;
    check_holds(&statement, &verdict);
    ck_assert_int_gt(verdict.asked[SPOR_BY_COMPLEX_STEP], 0);
}
END_TEST

/* (e^(-360 s))^2 e^(700 s) = e^(-20 s) with s = x x / 9: the square underflows, the result does
 * not. */
static spor_recording underflow(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)user, (void)v;
    spor_var x = in->input[in->inputs++] = spor_input(t, "x", SPOR_SCALAR_SHAPE);
    spor_var square = times(spor_mul(x, x), 1, 9), half = spor_exp(times(square, -360, 1));
    spor_var y = spor_mul(spor_mul(half, half), spor_exp(times(square, 700, 1)));
    claim(in, "y", spor_exp(times(square, -20, 1)), y, -1);
    return SPOR_RECORDED;
}

START_TEST(underflow_is_within_the_bound) {
    for (uint64_t seed = 0; seed < 20; seed++) {
        spor_verdict verdict;
        spor_statement statement = {.name = "underflow", .record = underflow};
        ck_assert(spor_verify(&statement, &(spor_effort){.seed = seed}, &verdict));
        if (verdict.outcome == SPOR_FAILS) spor_verdict_print(&statement, &verdict, stderr);
        ck_assert_int_ne(verdict.outcome, SPOR_FAILS);
    }
}
END_TEST

/* Of an equation no side is the right one: where one is no number there is nothing to compare. */
static spor_recording not_a_number(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)user, (void)v;
    spor_var x = in->input[in->inputs++] = spor_input(t, "x", SPOR_SCALAR_SHAPE);
    spor_var zero = spor_sub(x, x);
    claim(in, "nan", spor_div(zero, zero), x, -1);
    return SPOR_RECORDED;
}

START_TEST(nan_never_passes) {
    spor_verdict verdict;
    ck_assert(
        spor_verify(&(spor_statement){.name = "nan", .record = not_a_number}, NULL, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_NOTHING_EXAMINED);
    ck_assert_int_gt(verdict.outside, 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify");
    TCase *tests = tcase_create("verify");
    tcase_add_test(tests, right_formulas_hold);
    tcase_add_loop_test(tests, planted_faults_are_found_small_and_named, 0,
                        (int)(sizeof faults / sizeof *faults));
    tcase_add_test(tests, formulas_of_another_shape_do_not_record);
    tcase_add_test(tests, equal_sizes_hide_nothing);
    tcase_add_test(tests, a_rotated_kernel_is_named);
    tcase_add_test(tests, a_check_that_examined_nothing_is_not_a_pass);
    tcase_add_test(tests, nan_never_passes);
    tcase_add_test(tests, a_result_may_be_its_input);
    tcase_add_test(tests, underflow_is_within_the_bound);
    suite_add_tcase(suite, tests);
    return suite;
}
