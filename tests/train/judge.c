/* How a model is judged: values of losses and metrics, what is refused and what is warned of. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>

#include "../support/descent.h"
#include "train/model.h"
#include "train/warn.h"

static void check_close(double got, double expected) {
    ck_assert_double_eq_tol(got, expected, 1e-14 * fmax(1, fabs(expected)));
}

static void check_has(const char *text, const char *part) {
    ck_assert_msg(text && strstr(text, part), "\"%s\" lacks \"%s\"", text ? text : "NULL", part);
}

/* ---- binary cross-entropy ---- */

enum { MOST = 6 };

/* The loss of [rows, m] logits and [rows, labels] targets, and its slopes if asked for. */
static double value_of(spor_loss *loss, spor_scalar scalar, spor_shape p, const double l[],
                       spor_shape t, const double y[], double slope[]) {
    spor_tape *tape = spor_tape_new();
    spor_var in[] = {spor_input(tape, "p", p), spor_input(tape, "y", t)}, out[2];
    const double *from[] = {l, y};
    spor_shape shape[] = {p, t};
    out[0] = loss(in[0], in[1], NULL);
    ck_assert(spor_grad(out[0], 1, in, out + 1));
    spor_program *program =
        spor_compile(tape, 2, out, NULL, &(spor_options){.scalar = scalar, .reference = true});
    for (int k = 0; k < 2; k++)
        for (int64_t e = 0; e < shape[k].n[0] * shape[k].n[1]; e++) {
            void *data = spor_program_arg(program, in[k]).data;
            if (scalar == SPOR_F64) ((double *)data)[e] = from[k][e];
            if (scalar == SPOR_F32) ((float *)data)[e] = (float)from[k][e];
        }
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    const void *cost = spor_program_arg(program, out[0]).data;
    const void *d = spor_program_arg(program, out[1]).data;
    double value = scalar == SPOR_F64 ? *(const double *)cost : (double)*(const float *)cost;
    for (int64_t e = 0; slope && e < p.n[0] * p.n[1]; e++)
        slope[e] = scalar == SPOR_F64 ? ((const double *)d)[e] : (double)((const float *)d)[e];
    spor_program_free(program);
    spor_tape_free(tape);
    return value;
}

/* sum y ln(1 + e^-l) + (1 - y) ln(1 + e^l) in 40 digits; the slope is sigmoid(l) - y. */
START_TEST(labels_have_binary_cross_entropies) {
    static const double l[] = {0.5, -2, 30, -1000, 1000, 0}, y[] = {1, 0, 0.25, 1, 0, 1};
    const double sum = 2023.7941521757832, third = 1 / (1 + exp(-30)) - 0.25;
    const spor_shape shape = SPOR_SHAPE(2, 3);
    double slope[MOST];
    check_close(value_of(spor_binary_cross_entropy_sum, SPOR_F64, shape, l, shape, y, slope), sum);
    check_close(value_of(spor_binary_cross_entropy_mean, SPOR_F64, shape, l, shape, y, NULL),
                sum / 2);
    const double expected[] = {1 / (1 + exp(-0.5)) - 1, 1 / (1 + exp(2)), third, -1, 1, -0.5};
    for (int k = 0; k < MOST; k++) check_close(slope[k], expected[k]);
}
END_TEST

/* Small costs keep their digits in float, too: nothing large is subtracted. */
START_TEST(one_logit_is_that_of_class_one) {
    static const double l[] = {30, -30, 2}, y[] = {0, 1, 1, 0, 0, 1},
                        costs[] = {9.357622968839737e-14, 0.1269280110429725};
    for (int scalar = 0; scalar <= SPOR_F64; scalar++) {
        double got = value_of(spor_binary_cross_entropy_sum, (spor_scalar)scalar, SPOR_SHAPE(2, 1),
                              l, SPOR_SHAPE(2, 2), y, NULL);
        ck_assert_double_eq_tol(got / (2 * costs[0]), 1, scalar == SPOR_F32 ? 1e-6 : 1e-14);
        got = value_of(spor_binary_cross_entropy_mean, (spor_scalar)scalar, SPOR_SHAPE(1, 1), l + 2,
                       SPOR_SHAPE(1, 2), y + 4, NULL);
        ck_assert_double_eq_tol(got / costs[1], 1, scalar == SPOR_F32 ? 1e-6 : 1e-14);
    }
}
END_TEST

/* ---- models of which all is known ---- */

/* The prediction is x: one parameter, 1, multiplies it. */
static spor_var itself(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_var w = spor_param(x.tape, "w", SPOR_SCALAR_SHAPE, SPOR_INIT("constant", 1));
    return spor_mul(x, spor_broadcast(w, spor_shape_of(x)));
}

static bool stand_still(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                        void *user) {
    (void)dw, (void)user;
    for (int k = 0; k < n; k++) next[k] = w[k];
    return true;
}

static spor_model_spec spec_of(int64_t columns, int64_t targets, spor_loss *loss,
                               spor_reduction reduction) {
    return (spor_model_spec){.net = itself,
                             .loss = loss,
                             .reduction = reduction,
                             .optimizer = stand_still,
                             .sample = SPOR_SHAPE(columns),
                             .target = SPOR_SHAPE(targets),
                             .options = {.scalar = SPOR_F64}};
}

/* Rows 0 .. count-1. */
static spor_evaluation evaluate(const spor_model_spec *spec, const spor_data *data, int64_t count) {
    spor_evaluation e;
    spor_model *model = spor_model_new(spec);
    int64_t *rows = calloc((size_t)count, sizeof *rows);
    ck_assert(rows != NULL);
    for (int64_t k = 0; k < count; k++) rows[k] = k;
    bool done = spor_evaluate(model, data, rows, count, &e);
    ck_assert_msg(done, "%s", spor_model_error(model));
    free(rows);
    spor_model_free(model);
    return e;
}

/* ---- numbers ---- */

/*
 * Predictions (1, 2), (4, 2), (6, 5) of targets (1, 2), (3, 2), (5, 8): errors 0 0, 1 0, 1 -3, squares
 * 11. Columns of targets have the means 3 and 4 and squared distances 8 and 24.
 */
START_TEST(numbers_have_rmse_and_r2) {
    double x[] = {1, 2, 4, 2, 6, 5}, y[] = {1, 2, 3, 2, 5, 8}, seen[6];
    double mean[] = {100, -7}, factor[] = {0.25, 8};
    spor_data data = {.name = "numbers",
                      .rows = 3,
                      .scale = 1,
                      .x = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(2), .value = x},
                      .y = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(2), .value = y}};
    spor_model_spec spec = spec_of(2, 2, spor_squared_error_mean, SPOR_REDUCTION_MEAN);
    for (int standardized = 0; standardized < 2; standardized++) {
        spor_evaluation e = evaluate(&spec, &data, 3);
        ck_assert(e.metric == SPOR_METRIC_RMSE && e.rows == 3 && !e.confusion && !e.classes);
        check_close(e.rmse, sqrt(11.0 / 6));
        check_close(e.r2, 1 - 11.0 / 32);
        check_close(e.loss, standardized ? (2 / 16.0 + 9 * 64.0) / 6 : 11.0 / 6);
        ck_assert(isnan(e.accuracy));
        spor_evaluation_free(&e);
        /* The network sees and predicts other numbers; the metric is in the data's units. */
        for (int k = 0; k < 6; k++) seen[k] = (x[k] - mean[k % 2]) * factor[k % 2];
        data.x.value = seen;
        data.y.mean = mean;
        data.y.factor = factor;
    }
}
END_TEST

/* Over several batches and far from 0: as two passes in long double say. */
START_TEST(many_numbers_have_the_rmse_of_two_passes) {
    enum { ROWS = 600 };
    static double x[ROWS], y[ROWS];
    long double mean = 0, squares = 0, spread = 0;
    for (int k = 0; k < ROWS; k++) {
        y[k] = 1e6 + sin(k);
        x[k] = y[k] + cos(3 * k) / 4;
        mean += (long double)y[k] / ROWS;
        long double error = (long double)x[k] - (long double)y[k];
        squares += error * error;
    }
    for (int k = 0; k < ROWS; k++) {
        long double distance = (long double)y[k] - mean;
        spread += distance * distance;
    }
    spor_data data = {.name = "numbers",
                      .rows = ROWS,
                      .scale = 1,
                      .x = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = x},
                      .y = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = y}};
    spor_model_spec spec = spec_of(1, 1, spor_squared_error_sum, SPOR_REDUCTION_SUM);
    spor_evaluation e = evaluate(&spec, &data, ROWS);
    ck_assert_double_eq_tol(e.rmse, (double)sqrtl(squares / ROWS), 1e-12);
    ck_assert_double_eq_tol(e.r2, (double)(1 - squares / spread), 1e-10);
    ck_assert_double_eq_tol(e.loss, (double)(squares / ROWS), 1e-12);
    for (int k = 0; k < ROWS; k++) y[k] = 3; /* nothing to explain */
    e = evaluate(&spec, &data, ROWS);
    ck_assert(isnan(e.r2) && isfinite(e.rmse));
}
END_TEST

/* ---- classes ---- */

/* A positive logit is class 1. */
START_TEST(one_logit_predicts_two_classes) {
    double x[] = {-1, 2, 0, 3, -0.5, 0.25, 7};
    int32_t label[] = {0, 1, 0, 0, 1, 1, 1};
    spor_data data = {.name = "pairs",
                      .rows = 7,
                      .scale = 1,
                      .classes = 2,
                      .label = label,
                      .x = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = x}};
    spor_model_spec spec = spec_of(1, 2, spor_binary_cross_entropy_mean, SPOR_REDUCTION_MEAN);
    spor_evaluation e = evaluate(&spec, &data, 7);
    static const int64_t expected[] = {2, 1, 1, 3};
    double loss = 0;
    for (int k = 0; k < 7; k++) loss += log1p(exp(label[k] ? -x[k] : x[k])) / 7;
    ck_assert(e.metric == SPOR_METRIC_ACCURACY && e.right == 5 && e.classes == 2);
    ck_assert_mem_eq(e.confusion, expected, sizeof expected);
    check_close(e.accuracy, 5.0 / 7);
    check_close(e.loss, loss);
    ck_assert(isnan(e.rmse) && isnan(e.r2));
    spor_evaluation_free(&e);
}
END_TEST

/* ---- which metric ---- */

static spor_var first_column(spor_var p, spor_var y, void *user) {
    (void)y;
    return spor_squared_error_sum(p, p, user);
}

static void check_metric(int64_t columns, int64_t targets, bool classes, spor_metric wanted,
                         spor_metric metric) {
    double x[4] = {1, 2, 3, 4};
    int32_t label[1] = {1};
    spor_data data = {
        .name = "one",
        .rows = 1,
        .scale = 1,
        .classes = classes ? (int)targets : 0,
        .label = classes ? label : NULL,
        .x = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(columns), .value = x},
        .y = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(targets), .value = classes ? NULL : x}};
    spor_model_spec spec = spec_of(columns, targets, first_column, SPOR_REDUCTION_SUM);
    spec.metric = wanted;
    spor_evaluation e = evaluate(&spec, &data, 1);
    ck_assert_int_eq(e.metric, metric);
    ck_assert(!isnan(e.accuracy) == (metric == SPOR_METRIC_ACCURACY));
    ck_assert(!isnan(e.rmse) == (metric == SPOR_METRIC_RMSE));
    ck_assert(e.loss == 0);
    spor_evaluation_free(&e);
}

START_TEST(the_metric_is_the_one_that_fits_or_none) {
    check_metric(3, 3, true, SPOR_METRIC_FITTING, SPOR_METRIC_ACCURACY);
    check_metric(3, 3, true, SPOR_METRIC_ACCURACY, SPOR_METRIC_ACCURACY);
    check_metric(3, 3, true, SPOR_METRIC_RMSE, SPOR_METRIC_NONE);
    check_metric(3, 3, true, SPOR_METRIC_NONE, SPOR_METRIC_NONE);
    check_metric(4, 3, true, SPOR_METRIC_NONE, SPOR_METRIC_NONE); /* an embedding */
    check_metric(2, 2, false, SPOR_METRIC_FITTING, SPOR_METRIC_RMSE);
    check_metric(2, 2, false, SPOR_METRIC_ACCURACY, SPOR_METRIC_NONE);
    check_metric(4, 2, false, SPOR_METRIC_FITTING, SPOR_METRIC_NONE);
}
END_TEST

/* ---- what is told before the first step ---- */

static bool never(const spor_progress *progress, void *user) {
    (void)progress, (void)user;
    ck_abort_msg("a step was made");
}

/* Refuses batches of *user rows. */
static spor_var picky(spor_var p, spor_var y, void *user) {
    int64_t rows = spor_shape_of(p).n[0], other = *(int64_t *)user;
    return spor_squared_error_sum(rows == other ? spor_sum(p, SPOR_AXIS(0)) : p, y, NULL);
}

/* 263 rows to train with in batches of 65 and one of three. */
START_TEST(what_is_wrong_is_told_before_the_first_step) {
    enum { ROWS = 263 };
    static double x[ROWS];
    static int64_t rows[ROWS];
    static const struct {
        int64_t rows;
        const char *why;
    } sizes[] = {
        {65, "(training has batches of 65 rows)"},     {3, "(training has batches of 3 rows)"},
        {256, "(evaluation has batches of 256 rows)"}, {7, "(evaluation has batches of 7 rows)"},
        {11, "(evaluation has batches of 11 rows)"},   {1, "(evaluation has batches of 1 row)"}};
    for (int k = 0; k < ROWS; k++) rows[k] = k;
    spor_data data = {.name = "zeros",
                      .rows = ROWS,
                      .scale = 1,
                      .x = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = x},
                      .y = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = x}};
    const spor_split split = {ROWS, 11, 1, rows, rows, rows};
    const spor_schedule schedule = {.epochs = 1, .batch = 65};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int64_t refused = sizes[k].rows;
        spor_model_spec spec = spec_of(1, 1, picky, SPOR_REDUCTION_SUM);
        spec.user = &refused;
        spor_model *model = spor_model_new(&spec);
        ck_assert(!spor_train(model, &data, &split, &schedule, never, NULL));
        check_has(spor_model_error(model), sizes[k].why);
        spor_model_free(model);
    }
    spor_model_spec spec = spec_of(1, 1, spor_squared_error_sum, SPOR_REDUCTION_UNSAID);
    spor_evaluation e;
    for (int k = 0; k < 2; k++) {
        spor_model *model = spor_model_new(&spec);
        ck_assert(k ? !spor_train(model, &data, &split, &schedule, never, NULL)
                    : !spor_evaluate(model, &data, rows, ROWS, &e));
        check_has(spor_model_error(model), "must say the reduction of its loss");
        spor_model_free(model);
    }
}
END_TEST

/* ---- rates over time ---- */

static spor_var sum_of(spor_var p, spor_var y, void *user) {
    (void)y, (void)user;
    return spor_sum(p, SPOR_AXIS(0) | SPOR_AXIS(1));
}

static bool by_rate(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user;
    for (int k = 0; k < n; k++)
        next[k] = spor_sub(w[k], spor_mul(spor_setting(w[k].tape, "rate", 1000), dw[k]));
    return true;
}

/* 2^-1, 2^-2, ... one a step; none from epoch *user on. */
static bool halves(int64_t epoch, int64_t steps, double rate[], void *user) {
    ck_assert_int_eq(steps, 3);
    for (int64_t k = 0; k < steps; k++) rate[k] = ldexp(1, -(int)(steps * (epoch - 1) + k + 1));
    return epoch < *(int64_t *)user;
}

typedef struct {
    int calls; /* that are left */
    spor_progress progress;
} told_last;

static bool stop_at(const spor_progress *progress, void *user) {
    told_last *t = user;
    t->progress = *progress;
    return --t->calls > 0;
}

/* Each row is 1, so each gradient of the weight, which is 1 at first, is 1: what is left of it is what the
 * rates have not taken. */
START_TEST(each_step_has_the_rate_of_its_time) {
    double x[3] = {1, 1, 1};
    int64_t rows[] = {0, 1, 2}, until = 5;
    spor_data data = {.name = "ones",
                      .rows = 3,
                      .scale = 1,
                      .x = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = x},
                      .y = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = x}};
    const spor_split split = {.train_rows = 3, .train = rows};
    spor_schedule schedule = {.epochs = 4, .batch = 1, .rates = halves, .rates_user = &until};
    spor_model_spec spec = spec_of(1, 1, sum_of, SPOR_REDUCTION_SUM);
    spec.optimizer = by_rate;
    for (int stops = 0; stops < 2; stops++) {
        spor_model *model = spor_model_new(&spec);
        ck_assert(spor_train(model, &data, &split, &schedule, NULL, NULL) == !stops);
        ck_assert_ptr_null(spor_model_error(model));
        double left = *(double *)spor_params_entry(spor_model_params(model), 0).value;
        ck_assert_double_eq(left, ldexp(1, stops ? -6 : -12));
        spor_model_free(model);
        until = 3;
    }
    told_last stop = {.calls = 5};
    spor_model *again = spor_model_new(&spec);
    until = 5;
    ck_assert(!spor_train(again, &data, &split, &schedule, stop_at, &stop));
    schedule.from = &stop.progress;
    ck_assert(
        spor_train(again, &data, &split, &schedule, NULL, NULL)); /* goes on within an epoch */
    double left = *(double *)spor_params_entry(spor_model_params(again), 0).value;
    ck_assert_double_eq(left, ldexp(1, -12));
    spor_model_free(again);
    spec.optimizer = stand_still;
    spor_model *model = spor_model_new(&spec);
    ck_assert(!spor_train(model, &data, &split, &schedule, never, NULL));
    check_has(spor_model_error(model), "needs an optimizer with a setting rate");
    spor_model_free(model);
}
END_TEST

/* ---- warnings ---- */

/* All lines, one after the other. */
static void collect(const char *text, const char *file, int line, int column, void *user) {
    char *all = user;
    (void)file, (void)line, (void)column;
    ck_assert_uint_lt(strlen(all) + strlen(text), 4000);
    strcat(strcat(all, text), "\n");
}

enum { FEW = 9, WIDE = 3 };
static double small[FEW * WIDE], large[FEW * WIDE];
static int32_t of_class[FEW] = {0, 1, 2, 0, 1, 2, 0, 1, 2};
static int64_t all_rows[FEW] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

static spor_data few(double x[]) {
    return (spor_data){.name = "few",
                       .rows = FEW,
                       .scale = 1,
                       .classes = 3,
                       .label = of_class,
                       .x = {.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(WIDE), .value = x}};
}

static char warned[4096];
static spor_reduction said = SPOR_REDUCTION_MEAN;
static spor_metric judged_by = SPOR_METRIC_NONE;

/* What is warned of when the net is trained so. */
static const char *warnings(spor_net *net, spor_loss *loss, const spor_data *data, int64_t rows,
                            int64_t batch) {
    spor_model_spec spec = spec_of(WIDE, 3, loss, SPOR_REDUCTION_MEAN);
    const spor_split split = {
        .train_rows = rows, .train = all_rows, .test_rows = 4, .test = all_rows};
    const spor_schedule schedule = {.epochs = 1, .batch = batch};
    spec.reduction = said;
    spec.net = net;
    spec.metric = judged_by;
    spor_model *model = spor_model_new(&spec);
    ck_assert_msg(train_prepare(model, data, &split, &schedule), "%s", spor_model_error(model));
    warned[0] = 0;
    ck_assert(train_warn(model, data, &split, &schedule, collect, warned));
    ck_assert_ptr_null(spor_model_error(model));
    spor_model_free(model);
    return warned;
}

static spor_var dense(spor_var x) {
    spor_var W = spor_param(x.tape, "W", SPOR_SHAPE(WIDE, 3), SPOR_INIT("glorot", 1));
    return spor_matmul(x, W);
}

static spor_var plain(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return dense(x);
}

static spor_var ends_in_softmax(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_shape shape = spor_shape_of(x);
    spor_var shares = spor_softmax(dense(x), 1);
    return spor_reshape(spor_reshape(shares, SPOR_SHAPE(3 * shape.n[0])), shape);
}

static spor_var has_softmax_within(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return spor_mul(spor_softmax(dense(x), 1), x);
}

/* Right behind softmax: -sum y ln p */
static spor_var log_of_shares(spor_var p, spor_var y, void *user) {
    (void)user;
    return spor_neg(spor_mean(spor_mul(y, spor_log(p)), SPOR_AXIS(0) | SPOR_AXIS(1)));
}

START_TEST(softmax_of_softmax_is_warned_of) {
    const spor_data data = few(small);
    check_has(warnings(ends_in_softmax, spor_cross_entropy_mean, &data, FEW, 3),
              "takes softmax of that again");
    ck_assert_str_eq(warnings(ends_in_softmax, log_of_shares, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(ends_in_softmax, spor_squared_error_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(has_softmax_within, spor_cross_entropy_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), "");
}
END_TEST

static spor_var ends_in_sigmoid(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return spor_sigmoid(dense(x));
}

static spor_var ends_in_scaled_sigmoid(spor_var x, bool training, void *user) {
    spor_var s = ends_in_sigmoid(x, training, user);
    return spor_mul(s, spor_expand(spor_constant(x.tape, 8), 3, spor_shape_of(s)));
}

START_TEST(sigmoid_before_a_loss_that_has_one_is_warned_of) {
    const spor_data data = few(small);
    check_has(warnings(ends_in_sigmoid, spor_binary_cross_entropy_mean, &data, FEW, 3),
              "the network ends in sigmoid, and the loss takes sigmoid of that again, which learns "
              "slowly: return what goes into it, the logits");
    check_has(warnings(ends_in_sigmoid, spor_cross_entropy_mean, &data, FEW, 3),
              "the network ends in sigmoid, and the loss takes softmax of that, which learns");
    check_has(warnings(ends_in_softmax, spor_binary_cross_entropy_mean, &data, FEW, 3),
              "the network ends in softmax, and the loss takes sigmoid of that, which learns");
    ck_assert_str_eq(warnings(ends_in_sigmoid, spor_squared_error_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(ends_in_sigmoid, log_of_shares, &data, FEW, 3), "");
    ck_assert_str_eq(
        warnings(ends_in_scaled_sigmoid, spor_binary_cross_entropy_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(plain, spor_binary_cross_entropy_mean, &data, FEW, 3), "");
}
END_TEST

/* Three numbers a row to predict. */
static spor_data few_numbers(double y[]) {
    spor_data data = few(small);
    data.classes = 0;
    data.label = NULL;
    data.y = (spor_values){.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(3), .value = y};
    return data;
}

START_TEST(targets_that_the_loss_does_not_compare_are_warned_of) {
    double y[FEW * 3] = {0};
    const spor_data data = few_numbers(y);
    for (int k = 0; k < FEW; k++) y[3 * k + k % 3] = 1;
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(plain, spor_binary_cross_entropy_mean, &data, FEW, 3), "");
    y[3 * 5] = 1; /* beside that of column 2 */
    check_has(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3),
              "the loss compares shares of classes, which add up to 1 in a row, but the target of "
              "row 5 of few, counted from 0, adds up to 2: label= or classes= makes classes");
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, 5, 3),
                     ""); /* not a row of it */
    ck_assert_str_eq(warnings(plain, spor_binary_cross_entropy_mean, &data, FEW, 3), "");
    y[3 * 7 + 1] = -1;
    check_has(warnings(plain, spor_binary_cross_entropy_mean, &data, FEW, 3),
              "the loss compares chances, numbers from 0 to 1, but the target of row 7 of few, "
              "counted from 0, has -1: label= or classes=");
    y[3 * 7 + 1] = 1.5;
    check_has(warnings(plain, spor_binary_cross_entropy_mean, &data, FEW, 3), "row 7");
    check_has(warned, "has 1.5");
    ck_assert_str_eq(warnings(plain, spor_squared_error_mean, &data, FEW, 3), "");
}
END_TEST

START_TEST(targets_beyond_a_last_sigmoid_are_warned_of) {
    double y[FEW * 3] = {0};
    const spor_data data = few_numbers(y);
    judged_by = SPOR_METRIC_FITTING;
    y[4] = 1;
    ck_assert_str_eq(warnings(ends_in_sigmoid, spor_squared_error_mean, &data, FEW, 3), "");
    y[3 * 6] = -0.5;
    check_has(
        warnings(ends_in_sigmoid, spor_squared_error_mean, &data, FEW, 3),
        "the network ends in sigmoid, of numbers from 0 to 1, but the target of row 6 of few, "
        "counted from 0, has -0.5: it can't come there");
    ck_assert_str_eq(warnings(ends_in_scaled_sigmoid, spor_squared_error_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(plain, spor_squared_error_mean, &data, FEW, 3), "");
    judged_by = SPOR_METRIC_NONE;
}
END_TEST

static spor_var a_thousand_times(spor_var x, bool training, void *user) {
    spor_var z = plain(x, training, user);
    return spor_mul(z, spor_expand(spor_constant(x.tape, 1000), 3, spor_shape_of(z)));
}

START_TEST(targets_far_from_what_is_predicted_are_warned_of) {
    double y[FEW * 3] = {0};
    const spor_data data = few_numbers(y);
    for (int k = 0; k < FEW * WIDE; k++) small[k] = sin(k);
    for (int k = 0; k < FEW; k++) y[3 * k + 1] = 3000, y[3 * k + 2] = 40;
    judged_by = SPOR_METRIC_FITTING;
    check_has(
        warnings(plain, spor_squared_error_mean, &data, FEW, 3),
        "targets are not scaled: number 1 of a target of few reaches 3e+03 (root mean square), "
        "where the network predicts about ");
    ck_assert_str_eq(warnings(a_thousand_times, spor_squared_error_mean, &data, FEW, 3), "");
    for (int k = 0; k < FEW; k++) y[3 * k + 1] = 40;
    ck_assert_str_eq(warnings(plain, spor_squared_error_mean, &data, FEW, 3), "");
    judged_by = SPOR_METRIC_NONE;
}
END_TEST

/* e^p - y p: least where p is ln y */
static spor_var of_counts(spor_var p, spor_var y, void *user) {
    (void)user;
    return spor_mean(spor_sub(spor_exp(p), spor_mul(y, p)), SPOR_AXIS(0) | SPOR_AXIS(1));
}

/* |p - y|, as a maximum of two */
static spor_var of_distances(spor_var p, spor_var y, void *user) {
    spor_var d = spor_sub(p, y);
    (void)user;
    return spor_mean(spor_maximum(d, spor_neg(d)), SPOR_AXIS(0) | SPOR_AXIS(1));
}

/* -y ln(p + 1e-6) - (1 - y) ln(1 - p + 1e-6), which is least at y as long as p lies in 0..1 */
static spor_var of_chances(spor_var p, spor_var y, void *user) {
    spor_shape shape = spor_shape_of(p);
    spor_var one = spor_expand(spor_constant(p.tape, 1), 3, shape);
    spor_var more = spor_expand(spor_constant(p.tape, 1 + 1e-6), 3, shape);
    spor_var right = spor_mul(y, spor_log(spor_add(p, spor_sub(more, one))));
    spor_var wrong = spor_mul(spor_sub(one, y), spor_log(spor_sub(more, p)));
    (void)user;
    return spor_neg(spor_mean(spor_add(right, wrong), SPOR_AXIS(0) | SPOR_AXIS(1)));
}

/* (p - y)^2 of column 0 and what of_counts has of the others */
static spor_var of_both(spor_var p, spor_var y, void *user) {
    const int64_t two[] = {0, -2}, one[] = {0, -1}, none[] = {0, 0};
    return spor_add(
        spor_squared_error_mean(spor_pad(p, none, two, 0), spor_pad(y, none, two, 0), user),
        of_counts(spor_pad(p, one, none, 0), spor_pad(y, one, none, 0), user));
}

START_TEST(a_metric_of_what_the_loss_does_not_compare_is_warned_of) {
    static const char says[] = "the loss is not least where the prediction is the target";
    double y[FEW * 3];
    const spor_data data = few_numbers(y);
    for (int k = 0; k < FEW * 3; k++) y[k] = k % 4;
    judged_by = SPOR_METRIC_FITTING;
    ck_assert_str_eq(warnings(plain, spor_squared_error_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(plain, of_distances, &data, FEW, 3), "");
    check_has(warnings(plain, of_counts, &data, FEW, 3), says);
    check_has(warnings(plain, of_both, &data, FEW, 3), says);
    for (int k = 0; k < FEW * 3; k++) y[k] = k % 2;
    check_has(warnings(plain, spor_binary_cross_entropy_mean, &data, FEW, 3), says);
    ck_assert_str_eq(warnings(ends_in_sigmoid, of_chances, &data, FEW, 3), "");
    judged_by = SPOR_METRIC_RMSE; /* said */
    ck_assert_str_eq(warnings(plain, of_counts, &data, FEW, 3), "");
    judged_by = SPOR_METRIC_NONE;
}
END_TEST

/* Shifted, cropped, reversed: as large as before. */
static spor_var moved(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_var shifted = spor_sub(x, spor_flip(x, SPOR_AXIS(0)));
    return dense(spor_add(spor_flip(shifted, SPOR_AXIS(1)), x));
}

static spor_var squashed(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return dense(spor_tanh(x));
}

/* (x - 100) / 50, as one scales in the network */
static spor_var scaled_within(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_shape shape = spor_shape_of(x);
    spor_var mean = spor_expand(spor_constant(x.tape, 100), 3, shape);
    spor_var rate = spor_expand(spor_constant(x.tape, 0.02), 3, shape);
    return dense(spor_mul(spor_sub(x, mean), rate));
}

/* Centred only, and so large as the distances from there. */
static spor_var shifted_within(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_var mean = spor_expand(spor_constant(x.tape, 100), 3, spor_shape_of(x));
    return dense(spor_sub(x, mean));
}

/* Of column 2, 300 in every third row, the root mean square is sqrt(30000) = 173. */
START_TEST(inputs_that_are_not_scaled_are_warned_of) {
    for (int k = 0; k < FEW; k++) large[WIDE * k] = 9, large[WIDE * k + 1] = k % 3 ? 0 : 300;
    spor_data data = few(large);
    check_has(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3),
              "inputs are not scaled: column 2 of few reaches 173 (root mean square)");
    check_has(warnings(moved, spor_cross_entropy_mean, &data, FEW, 3), "column 2");
    ck_assert_str_eq(warnings(squashed, spor_cross_entropy_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(shifted_within, spor_cross_entropy_mean, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(scaled_within, spor_cross_entropy_mean, &data, FEW, 3), "");
    data.scale = 1.0 / 100;
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), "");
    double mean[] = {9, 100, 0}, factor[] = {1, 0.007, 1};
    data.scale = 1;
    data.x.mean = mean;
    data.x.factor = factor;
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), "");
}
END_TEST

START_TEST(columns_that_count_the_rows_are_warned_of) {
    static double x[FEW * WIDE];
    double mean[] = {0, 0, 4}, factor[] = {1, 1, 0.3};
    spor_data data = few(x);
    for (int k = 0; k < FEW * WIDE; k++) x[k] = k % WIDE == 2 ? k / WIDE : sin(k);
    const char *says =
        "column 3 of the inputs of few counts the rows, from 0 on: it says where a row "
        "stands and nothing of what it is; drop= leaves a column out";
    check_has(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), says);
    data.x.mean = mean;
    data.x.factor = factor;
    check_has(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), says);
    data.x.mean = data.x.factor = NULL;
    char a[] = "a", none[] = "", id[] = "id", *names[] = {a, none, id};
    data.x.column = names;
    check_has(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3),
              "column \"id\" of few counts the rows, from 0 on");
    check_has(warned, "drop=[\"id\"] leaves");
    data.x.column = NULL;
    for (int k = 2; k < FEW * WIDE; k += WIDE) x[k]++;
    check_has(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), "the rows, from 1 on");
    for (int k = 2; k < FEW * WIDE; k += WIDE) x[k]++; /* from 2 on: years, perhaps */
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), "");
    for (int k = 0; k < FEW; k++) x[WIDE * k + 2] = k == 6 ? 2 : k;
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, FEW, 3), "");
}
END_TEST

START_TEST(classes_that_never_occur_are_warned_of) {
    char cat[] = "cat", dog[] = "dog", fox[] = "fox", *names[] = {cat, dog, fox};
    spor_data data = few(small);
    check_has(warnings(plain, spor_cross_entropy_mean, &data, 2, 2),
              "1 of the 3 classes of few never occurs in the rows to train with: 2\n");
    data.class_name = names;
    check_has(warnings(plain, spor_cross_entropy_mean, &data, 1, 1),
              "2 of the 3 classes of few never occur in the rows to train with: dog, fox\n");
}
END_TEST

/* Subtracts the mean of the batch, and keeps it. */
static spor_var centred(spor_var x, bool training, void *user) {
    (void)user;
    spor_var state = spor_state(x.tape, "mean", SPOR_SHAPE(WIDE), SPOR_INIT("constant", 0));
    spor_shape shape = spor_shape_of(x);
    spor_var mean = training ? spor_mean(x, SPOR_AXIS(0)) : state;
    if (training) spor_assign(state, mean);
    return dense(spor_sub(x, spor_expand(mean, SPOR_AXIS(0), shape)));
}

/* A mean over columns is one of several numbers in every batch. */
static spor_var centred_rows(spor_var x, bool training, void *user) {
    (void)user;
    spor_var state = spor_state(x.tape, "mean", SPOR_SHAPE(1), SPOR_INIT("constant", 0));
    spor_shape shape = spor_shape_of(x);
    spor_var mean = spor_mean(x, SPOR_AXIS(1));
    if (training && shape.n[0] == 1) spor_assign(state, mean);
    return dense(spor_sub(x, spor_expand(mean, SPOR_AXIS(1), shape)));
}

/* What a state takes is no statistic of the batch. */
static spor_var keeps_a_sum(spor_var x, bool training, void *user) {
    (void)user;
    spor_var w = spor_param(x.tape, "w", SPOR_SHAPE(1, WIDE), SPOR_INIT("normal", 1));
    spor_var state = spor_state(x.tape, "sum", SPOR_SHAPE(WIDE), SPOR_INIT("constant", 0));
    spor_var sum = spor_sum(w, SPOR_AXIS(0));
    if (training) spor_assign(state, sum);
    return spor_mul(dense(x), spor_expand(sum, SPOR_AXIS(0), spor_shape_of(x)));
}

START_TEST(statistics_of_one_row_are_warned_of) {
    const spor_data data = few(small);
    check_has(warnings(centred, spor_cross_entropy_mean, &data, FEW, 4),
              "the last batch has one row, of which mean takes statistics");
    check_has(warnings(centred, spor_cross_entropy_mean, &data, FEW, 1), "each batch has one row");
    ck_assert_str_eq(warnings(centred, spor_cross_entropy_mean, &data, FEW, 5), "");
    ck_assert_str_eq(warnings(centred, spor_cross_entropy_mean, &data, FEW, 9), "");
    ck_assert_str_eq(warnings(centred_rows, spor_cross_entropy_mean, &data, FEW, 4), "");
    ck_assert_str_eq(warnings(keeps_a_sum, spor_cross_entropy_mean, &data, FEW, 1), "");
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_mean, &data, FEW, 1), "");
}
END_TEST

/* Every second row with its neighbour: neither a sum nor a mean of rows. */
static spor_var of_pairs(spor_var p, spor_var y, void *user) {
    spor_var apart = spor_sub(p, spor_flip(p, SPOR_AXIS(0)));
    return spor_squared_error_mean(spor_mul(apart, apart), spor_mul(y, y), user);
}

START_TEST(a_wrong_reduction_is_warned_of) {
    spor_loss *const sums[] = {spor_cross_entropy_sum, spor_squared_error_sum,
                               spor_binary_cross_entropy_sum};
    spor_loss *const means[] = {spor_cross_entropy_mean, spor_squared_error_mean,
                                spor_binary_cross_entropy_mean};
    const spor_data data = few(small);
    for (int k = 0; k < FEW * WIDE; k++) small[k] = sin(k);
    for (int k = 0; k < 3; k++) {
        said = SPOR_REDUCTION_MEAN;
        check_has(warnings(plain, sums[k], &data, FEW, 3), "the loss is said to be their mean");
        check_has(warned, "reduction=\"sum\" is what it does");
        ck_assert_str_eq(warnings(plain, means[k], &data, FEW, 3), "");
        said = SPOR_REDUCTION_SUM;
        check_has(warnings(plain, means[k], &data, FEW, 3), "the loss is said to add up its rows");
        check_has(warned, "reduction=\"mean\" is what it does");
        ck_assert_str_eq(warnings(plain, sums[k], &data, FEW, 3), "");
    }
    said = SPOR_REDUCTION_MEAN;
    ck_assert_str_eq(warnings(plain, of_pairs, &data, FEW, 3), "");
    ck_assert_str_eq(warnings(plain, spor_cross_entropy_sum, &data, 4, 4), ""); /* one size alone */
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("judge");
    TCase *values = tcase_create("values"), *before = tcase_create("before the first step");
    tcase_add_test(values, labels_have_binary_cross_entropies);
    tcase_add_test(values, one_logit_is_that_of_class_one);
    tcase_add_test(values, numbers_have_rmse_and_r2);
    tcase_add_test(values, many_numbers_have_the_rmse_of_two_passes);
    tcase_add_test(values, one_logit_predicts_two_classes);
    tcase_add_test(values, the_metric_is_the_one_that_fits_or_none);
    tcase_add_test(before, what_is_wrong_is_told_before_the_first_step);
    tcase_add_test(before, each_step_has_the_rate_of_its_time);
    tcase_add_test(before, softmax_of_softmax_is_warned_of);
    tcase_add_test(before, sigmoid_before_a_loss_that_has_one_is_warned_of);
    tcase_add_test(before, targets_that_the_loss_does_not_compare_are_warned_of);
    tcase_add_test(before, targets_beyond_a_last_sigmoid_are_warned_of);
    tcase_add_test(before, targets_far_from_what_is_predicted_are_warned_of);
    tcase_add_test(before, a_metric_of_what_the_loss_does_not_compare_is_warned_of);
    tcase_add_test(before, inputs_that_are_not_scaled_are_warned_of);
    tcase_add_test(before, columns_that_count_the_rows_are_warned_of);
    tcase_add_test(before, classes_that_never_occur_are_warned_of);
    tcase_add_test(before, a_wrong_reduction_is_warned_of);
    tcase_add_test(before, statistics_of_one_row_are_warned_of);
    suite_add_tcase(suite, values);
    suite_add_tcase(suite, before);
    return suite;
}
