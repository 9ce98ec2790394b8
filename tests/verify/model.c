/* Networks verified: a right one holds; each planted fault is found, the culprit and no other. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdatomic.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/spor.h>
#include "verify/model.h"

enum { CLASSES = 3, ROWS = 48, PIXELS = 49, MOST = 64 };

/* How the network is built wrongly. */
typedef enum { RIGHT, STUCK, DERIVED, SEVENFOLD, MANY } flaw;

static spor_var layer(spor_var z, const char *name, int64_t m) {
    spor_var b = spor_param(z.tape, name, SPOR_SHAPE(m), SPOR_INIT("constant", 0.25));
    return spor_add(z, spor_broadcast(b, spor_shape_of(z)));
}

/* The backward of tanh(A W), by hand: SEVENFOLD errs in dA. */
static bool backward(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                     spor_var d[]) {
    spor_var one = spor_ratio(y.tape, 1, 1), factor = spor_ratio(y.tape, 7, 1);
    spor_shape shape = spor_shape_of(y);
    spor_var slope = spor_sub(spor_broadcast(one, shape), spor_mul(y, y));
    spor_var delta = spor_mul(dy, slope);
    const int64_t turned[] = {1, 0};
    (void)n;
    d[0] = spor_matmul(delta, spor_transpose(operand[1], turned));
    d[1] = spor_matmul(spor_transpose(operand[0], turned), delta);
    if (*(const flaw *)user == SEVENFOLD)
        d[0] = spor_mul(d[0], spor_broadcast(factor, spor_shape_of(d[0])));
    return d[0].id && d[1].id;
}

/* relu convolution of 4 filters, max-pool, tanh layer of 5, 3 logits. Maps of 7 x 7: the pool drops
 * a row and a column. */
static spor_var net(spor_var x, bool training, void *user) {
    flaw f = *(const flaw *)user;
    spor_tape *t = x.tape;
    (void)training;
    const int64_t lo[] = {0, 1, 1, 0};
    spor_scope_begin(t, "conv");
    spor_var K = spor_param(t, "K", SPOR_SHAPE(3, 3, 1, 4), SPOR_INIT("glorot", 1));
    spor_var zero = spor_broadcast(spor_ratio(t, 0, 1), spor_shape_of(K));
    if (f == STUCK) K = spor_mul(K, zero); /* not K - K, whose 0 is one of rounded sums: ties */
    spor_var a = spor_relu(layer(spor_correlate2d(spor_pad(x, lo, lo, 0), K, 1, 1), "b", 4));
    spor_scope_end(t, a);
    a = spor_flatten(spor_maxpool2d(a, (spor_window){.size = {2, 2}, .stride = {2, 2}}));
    spor_scope_begin(t, "hidden");
    spor_var W = spor_param(t, "W", SPOR_SHAPE(36, 5), SPOR_INIT("lecun", 1));
    if (f == DERIVED || f == SEVENFOLD) {
        const spor_var operand[] = {a, W};
        a = spor_tanh(spor_matmul(a, W));
        spor_custom_vjp(a, 2, operand, backward, user);
    } else {
        a = spor_tanh(layer(spor_matmul(a, W), "b", 5));
    }
    spor_scope_end(t, a);
    spor_scope_begin(t, "out");
    W = spor_param(t, "W", SPOR_SHAPE(5, CLASSES), SPOR_INIT("he", 1));
    a = layer(spor_matmul(a, W), "b", CLASSES);
    for (int k = 0; f == MANY && k < 30; k++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", k);
        W = spor_param(t, name, SPOR_SHAPE(CLASSES), SPOR_INIT("constant", 1.25));
        a = spor_mul(a, spor_broadcast(W, spor_shape_of(a)));
    }
    spor_scope_end(t, a);
    return a;
}

static float pixels[ROWS * PIXELS];
static int32_t labels[ROWS];

static spor_data data_of(double scale) {
    for (int k = 0; k < ROWS * PIXELS; k++) pixels[k] = (float)(k * 29 % 17);
    for (int k = 0; k < ROWS; k++) labels[k] = k % CLASSES;
    return (spor_data){.name = "blots",
                       .rows = ROWS,
                       .x = {.keep = SPOR_KEEP_F32, .shape = SPOR_SHAPE(7, 7, 1), .value = pixels},
                       .classes = CLASSES,
                       .scale = scale,
                       .label = labels};
}

/* ---- running ---- */

/* A fault to plant: element `at` of what is named so, or all of them. */
typedef struct {
    const char *what;
    enum { TURNED, NEGATED, SLIGHTLY, NOT_A_NUMBER, HALVED, DROPPED } how;
    atomic_int planted;
} fault;

static void plant(void *user, const char *what, double value[], int64_t size) {
    fault *f = user;
    if (strcmp(what, f->what) != 0) return;
    f->planted++;
    for (int64_t k = 0; k < size / 2 && f->how == TURNED; k++) { /* of 4 filters each */
        int64_t other = (size / 4 - 1 - k / 4) * 4 + k % 4;
        double held = value[k];
        value[k] = value[other];
        value[other] = held;
    }
    for (int64_t k = 0; k < size; k++) {
        if (f->how == NEGATED) value[k] = -value[k];
        if (f->how == HALVED) value[k] /= 2;
        if (f->how == DROPPED) value[k] = 0;
    }
    if (f->how == SLIGHTLY) value[size / 2] += 1e-3;
    if (f->how == NOT_A_NUMBER) value[size - 1] = (double)NAN;
}

/* The rows of a verification. */
static struct {
    int count, wrong;
    char label[MOST][200], summary[MOST][400];
    spor_outcome outcome[MOST];
} rows;

static void collect(void *user, const spor_model_row *row) {
    (void)user;
    ck_assert_int_lt(rows.count, MOST);
    snprintf(rows.label[rows.count], sizeof rows.label[0], "%s", row->label);
    snprintf(rows.summary[rows.count], sizeof rows.summary[0], "%s", row->summary);
    rows.wrong += row->outcome != SPOR_HOLDS;
    rows.outcome[rows.count++] = row->outcome;
}

/* v = v / 2 + dw; w - rate v. What has no gradient does not move. */
static bool rule(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user;
    for (int k = 0; k < n; k++) {
        spor_tape *t = w[k].tape;
        spor_shape shape = spor_shape_of(w[k]);
        spor_scope_begin_for(w[k]);
        spor_var v = spor_state(t, "v", shape, SPOR_INIT("constant", 0));
        spor_var v_next = spor_add(spor_mul(v, spor_broadcast(spor_ratio(t, 1, 2), shape)), dw[k]);
        spor_assign(v, v_next);
        spor_var rate = spor_broadcast(spor_setting(t, "rate", 0.1), shape);
        next[k] = spor_sub(w[k], spor_mul(rate, v_next));
        spor_scope_end(t, next[k]);
    }
    return true;
}

static void verify_on(int threads, flaw f, const spor_data *data, fault *planted) {
    spor_message message;
    spor_model_check check = {.net = net,
                              .loss = spor_cross_entropy_mean,
                              .user = &f,
                              .sample = SPOR_SHAPE(7, 7, 1),
                              .target = SPOR_SHAPE(CLASSES),
                              .data = data,
                              .test_share = 0.2,
                              .validation_share = 0.1,
                              .optimizer = rule,
                              .schedule = {.batch = 4},
                              .seed = 3,
                              .threads = threads,
                              .tamper = planted ? plant : NULL,
                              .tamper_user = planted};
    memset(&rows, 0, sizeof rows);
    ck_assert_msg(verify_model_rows(&check, collect, NULL, &message), "%s", message.text);
}

static void verify(flaw f, const spor_data *data, fault *planted) {
    verify_on(3, f, data, planted);
}

static void print_rows(void) {
    for (int k = 0; k < rows.count; k++)
        fprintf(stderr, "%d %s: %s\n", (int)rows.outcome[k], rows.label[k], rows.summary[k]);
}

static const char *summary_of(const char *label) {
    for (int k = 0; k < rows.count; k++)
        if (!strcmp(rows.label[k], label)) return rows.summary[k];
    return "";
}

/* This row alone is wrong. */
static void expect_wrong(const char *label, const char *part) {
    if (rows.wrong != 1) print_rows();
    ck_assert_int_eq(rows.wrong, 1);
    for (int k = 0; k < rows.count; k++)
        if (rows.outcome[k] != SPOR_HOLDS) ck_assert_str_eq(rows.label[k], label);
    ck_assert_msg(strstr(summary_of(label), part) != NULL, "%s", summary_of(label));
}

/* ---- tests ---- */

START_TEST(a_right_network_holds) {
    spor_data data = data_of(1.0 / 16);
    verify(RIGHT, _i ? &data : NULL, NULL);
    if (rows.wrong) print_rows();
    ck_assert_int_eq(rows.wrong, 0);
    ck_assert_int_eq(rows.count, 4 + 6 + 3 + (_i ? 2 : 0));
    ck_assert_str_eq(rows.label[0], "conv convpool");
    ck_assert_ptr_nonnull(strstr(rows.summary[0], "complex steps"));
    ck_assert_str_ne(summary_of("hidden/W"), "");
    ck_assert_str_ne(summary_of("softmax_cross_entropy"), "");
}
END_TEST

/* Layers are judged side by side; what comes of it is the same. */
START_TEST(threads_change_no_row) {
    static const flaw flaws[] = {RIGHT, DERIVED, SEVENFOLD};
    spor_data data = data_of(1.0 / 16);
    for (size_t k = 0; k < sizeof flaws / sizeof *flaws; k++) {
        fault f = {"hidden dense: dW", SLIGHTLY, 0};
        verify_on(1, flaws[k], &data, &f);
        __typeof__(rows) alone = rows;
        verify_on(3, flaws[k], &data, &f);
        ck_assert_int_gt(rows.count, 0);
        ck_assert(!memcmp(&alone, &rows, sizeof rows));
    }
}
END_TEST

/* What a layer's fast path, or the whole program, gives is spoilt. */
START_TEST(planted_faults_are_found_and_the_culprit_named) {
    static const struct {
        fault fault;
        const char *label, *part;
    } cases[] = {
        {{"conv convpool: dK", TURNED, 0}, "conv convpool", "dK is wrong"},
        {{"conv convpool: dx", SLIGHTLY, 0}, "conv convpool", "dx is wrong"},
        {{"conv convpool: y", SLIGHTLY, 0}, "conv convpool", "y is wrong"},
        {{"hidden dense: dW", NEGATED, 0}, "hidden dense", "dW is wrong; looks like: the sign"},
        {{"hidden dense: db", HALVED, 0}, "hidden dense", "db is wrong; looks like: off by the "},
        {{"out dense: dx", NOT_A_NUMBER, 0}, "out dense", "dx is wrong"},
        {{"out dense: db", DROPPED, 0}, "out dense", "db is wrong; looks like: zero everywhere"},
        {{"softmax_cross_entropy: dl", SLIGHTLY, 0}, "softmax_cross_entropy", "dl is wrong"},
        {{"conv/K", TURNED, 0}, "conv/K", "rotated by 180 degrees"},
        {{"hidden/b", SLIGHTLY, 0}, "hidden/b", "hidden/b is wrong"},
        {{"out/W after a step", SLIGHTLY, 0}, "the update is the rule", "out/W"},
        {{"optimizer/out/W/v after a step", SLIGHTLY, 0}, "the update is the rule", "out/W/v"},
    };
    fault f = cases[_i].fault;
    verify(RIGHT, NULL, &f);
    ck_assert_int_gt(f.planted, 0);
    expect_wrong(cases[_i].label, cases[_i].part);
}
END_TEST

/* What training takes from a derivation is judged, not what the tape would have given. */
START_TEST(a_derivation_is_held_against_the_tape) {
    spor_data data = data_of(1.0 / 16);
    verify(DERIVED, &data, NULL);
    if (rows.wrong) print_rows();
    ck_assert_int_eq(rows.wrong, 0);
    ck_assert_ptr_nonnull(
        strstr(summary_of("hidden derivation of y"), "at 5 rows of blots and 1 "));
    ck_assert_ptr_nonnull(strstr(summary_of("hidden derivation of y"), "complex steps"));
    verify(SEVENFOLD, &data, NULL);
    if (rows.wrong != 3) print_rows();
    ck_assert_int_eq(rows.wrong, 3); /* what lies below is wrong too, and what lies above is not */
    ck_assert_ptr_nonnull(strstr(summary_of("hidden derivation of y"), "d1 is wrong; looks like"));
    ck_assert_ptr_nonnull(strstr(summary_of("conv/K"), "is wrong"));
    ck_assert_ptr_nonnull(strstr(summary_of("conv/b"), "is wrong"));
}
END_TEST

/* More than rounding can do, and less than is seen in a table. */
START_TEST(a_small_fault_in_a_derived_gradient_is_found) {
    fault f = {"hidden derivation of y: d2", SLIGHTLY, 0};
    verify(DERIVED, NULL, &f);
    ck_assert_int_gt(f.planted, 0);
    expect_wrong("hidden derivation of y", "d2 is wrong");
}
END_TEST

/* More parameters than a judgement has inputs: the last ones are one array, and still named. */
START_TEST(many_parameters_are_all_judged) {
    spor_data data = data_of(1.0 / 16);
    fault f = {"out/s29", SLIGHTLY, 0};
    verify(MANY, &data, NULL);
    if (rows.wrong) print_rows();
    ck_assert_int_eq(rows.wrong, 0);
    ck_assert_ptr_nonnull(strstr(summary_of("further parameters"), ": 90 values"));
    verify(MANY, NULL, &f);
    ck_assert_int_gt(f.planted, 0);
    expect_wrong("further parameters", "out/s29 is wrong");
}
END_TEST

START_TEST(a_parameter_that_does_not_move_is_found) {
    verify(STUCK, NULL, NULL);
    ck_assert_str_eq(summary_of("every parameter moves"),
                     "conv/K does not move in 8 steps of 4 rows in float");
    const char *said = summary_of("conv/K"); /* 0 = 0 is not a pass */
    ck_assert_msg(strstr(said, "nothing could be examined") != NULL, "%s", said);
    ck_assert_int_eq(rows.wrong, 2);
}
END_TEST

START_TEST(pixels_that_are_not_scaled_are_found) {
    spor_data data = data_of(1);
    verify(RIGHT, &data, NULL);
    expect_wrong("pixels are scaled", "0 .. 16; whether the network scales them");
    ck_assert(rows.outcome[rows.count - 2] == SPOR_NOTHING_EXAMINED);
}
END_TEST

/* Mean 0 and deviation 1 is as right as 0 .. 1. */
START_TEST(standardised_pixels_are_not_accused) {
    spor_data data = data_of(1 / 4.9);
    for (int k = 0; k < ROWS * PIXELS; k++) pixels[k] -= 8;
    verify(RIGHT, &data, NULL);
    if (rows.wrong) print_rows();
    ck_assert_int_eq(rows.wrong, 0);
    ck_assert_ptr_nonnull(strstr(summary_of("pixels are scaled"), "standardised"));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify_model");
    TCase *tests = tcase_create("verify_model");
    tcase_add_loop_test(tests, a_right_network_holds, 0, 2);
    tcase_add_test(tests, threads_change_no_row);
    tcase_add_loop_test(tests, planted_faults_are_found_and_the_culprit_named, 0, 12);
    tcase_add_test(tests, a_derivation_is_held_against_the_tape);
    tcase_add_test(tests, a_small_fault_in_a_derived_gradient_is_found);
    tcase_add_test(tests, many_parameters_are_all_judged);
    tcase_add_test(tests, a_parameter_that_does_not_move_is_found);
    tcase_add_test(tests, pixels_that_are_not_scaled_are_found);
    tcase_add_test(tests, standardised_pixels_are_not_accused);
    suite_add_tcase(suite, tests);
    return suite;
}
