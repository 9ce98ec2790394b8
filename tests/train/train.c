/* Models, the training loop and evaluation on small networks written in C. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>

#include "../support/descent.h"
#include "../support/stored.h"
#include "train/batch.h"
#include "train/model.h"

enum { ROWS = 103, PIXELS = 4, CLASSES = 3 };

/* Three noisy clusters of four pixels, 0 .. 8; the classes take turns. */
static spor_data *clusters(void) {
    spor_data *data = calloc(1, sizeof *data);
    ck_assert_ptr_nonnull(data);
    *data = (spor_data){.name = "clusters",
                        .rows = ROWS,
                        .x = {.keep = SPOR_KEEP_F32, .shape = SPOR_SHAPE(2, 2)},
                        .classes = CLASSES,
                        .scale = 0.125};
    float *x = calloc(ROWS * PIXELS, sizeof *x);
    data->x.value = x;
    data->label = calloc(ROWS, sizeof *data->label);
    ck_assert(x && data->label);
    for (int r = 0; r < ROWS; r++) {
        data->label[r] = r % CLASSES;
        for (int k = 0; k < PIXELS; k++)
            x[PIXELS * r + k] = (float)((k == r % CLASSES ? 6 : 1) + r * (2 * k + 1) % 4);
    }
    return data;
}

static spor_var dense(spor_var x, int64_t m, const char *name) {
    spor_scope_begin(x.tape, name);
    spor_var W =
        spor_param(x.tape, "W", SPOR_SHAPE(spor_shape_of(x).n[1], m), SPOR_INIT("normal", 0.5));
    spor_var b = spor_param(x.tape, "b", SPOR_SHAPE(m), SPOR_INIT("constant", 0));
    spor_var z = spor_matmul(x, W);
    z = spor_add(z, spor_broadcast(b, spor_shape_of(z)));
    spor_scope_end(x.tape, z);
    return z;
}

/* user may count the recordings: counts[0] of training, counts[1] of other programs. */
static spor_var classifier(spor_var x, bool training, void *user) {
    if (user) ((int *)user)[training ? 0 : 1]++;
    return dense(spor_tanh(dense(spor_flatten(x), 5, "hidden")), CLASSES, "out");
}

static spor_var autoencoder(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_var z = dense(spor_tanh(dense(spor_flatten(x), 3, "code")), PIXELS, "out");
    return spor_reshape(z, spor_shape_of(x));
}

/* A loss and what it makes of its rows. */
typedef struct {
    spor_loss *loss;
    spor_reduction reduction;
} reduced;

static const reduced entropy_sum = {spor_cross_entropy_sum, SPOR_REDUCTION_SUM},
                     entropy_mean = {spor_cross_entropy_mean, SPOR_REDUCTION_MEAN},
                     squares_sum = {spor_squared_error_sum, SPOR_REDUCTION_SUM};

static spor_model *model_by(spor_optimizer *optimizer, spor_net *net, reduced loss,
                            spor_shape target, uint64_t seed, spor_scalar scalar) {
    spor_model_spec spec = {.net = net,
                            .loss = loss.loss,
                            .reduction = loss.reduction,
                            .optimizer = optimizer,
                            .sample = SPOR_SHAPE(2, 2),
                            .target = target,
                            .seed = seed,
                            .options = {.scalar = scalar}};
    spor_model *model = spor_model_new(&spec);
    ck_assert_ptr_nonnull(model);
    return model;
}

static spor_model *model_of(spor_net *net, reduced loss, spor_shape target, uint64_t seed,
                            spor_scalar scalar) {
    return model_by(descent, net, loss, target, seed, scalar);
}

static spor_model *classifier_model(uint64_t seed, spor_scalar scalar) {
    return model_of(classifier, entropy_sum, SPOR_SHAPE(CLASSES), seed, scalar);
}

static void check_healthy(const spor_model *model) {
    ck_assert_msg(!spor_model_error(model), "%s", spor_model_error(model));
}

static void check_error(const spor_model *model, const char *why) {
    ck_assert_ptr_nonnull(spor_model_error(model));
    ck_assert_msg(strstr(spor_model_error(model), why) != NULL, "\"%s\" lacks \"%s\"",
                  spor_model_error(model), why);
}

static spor_split split_of(const spor_data *data) {
    spor_split split;
    ck_assert(spor_split_draw(data, 0.2, 0.1, 1, &split, NULL));
    return split;
}

/* ---- batches -------------------------------------------------------------------------------- */

enum { DRAWN = 64 };

/* Fills x and y, in float or double, and gives both as doubles. */
static void fill_batch(batch_source source, const int64_t rows[], int64_t count, double x[],
                       double y[]) {
    float single[2][DRAWN * PIXELS];
    if (source.scalar == SPOR_F64) {
        batch_fill(&source, rows, count, x, y);
        return;
    }
    batch_fill(&source, rows, count, single[0], single[1]);
    for (int64_t k = 0; k < count * source.size; k++) x[k] = (double)single[0][k];
    for (int64_t k = 0; k < count * (source.one_hot ? source.classes : source.size); k++)
        y[k] = (double)single[1][k];
}

START_TEST(a_batch_has_the_rows_asked_for) {
    static const int64_t rows[] = {7, 0, 102, 7};
    const spor_shape sample = SPOR_SHAPE(2, 2), classes = SPOR_SHAPE(CLASSES);
    spor_data *data = clusters();
    const float *raw = data->x.value;
    for (int k = 0; k < 4; k++) {
        double x[DRAWN * PIXELS], y[DRAWN * PIXELS];
        bool one_hot = k / 2;
        fill_batch(batch_source_of(data, &sample, one_hot ? &classes : &sample,
                                   k % 2 ? SPOR_F64 : SPOR_F32, 1),
                   rows, 4, x, y);
        for (int n = 0; n < 4 * PIXELS; n++) {
            double pixel = (double)raw[rows[n / PIXELS] * PIXELS + n % PIXELS] * data->scale;
            ck_assert(x[n] == pixel && (one_hot || y[n] == pixel));
        }
        for (int n = 0; one_hot && n < 4 * CLASSES; n++)
            ck_assert(y[n] == (data->label[rows[n / CLASSES]] == n % CLASSES));
    }
    spor_data_free(data);
}
END_TEST

START_TEST(a_random_batch_is_a_function_of_seed_and_row) {
    static const int64_t rows[] = {5, 63};
    const spor_shape sample = SPOR_SHAPE(2, 2), classes = SPOR_SHAPE(CLASSES);
    double x[3][DRAWN * PIXELS], y[3][DRAWN * PIXELS], few[2 * PIXELS], label[2 * PIXELS];
    int seen[CLASSES] = {0}, different = 0;
    for (int k = 0; k < 3; k++)
        fill_batch(
            batch_source_of(NULL, &sample, &classes, k == 1 ? SPOR_F32 : SPOR_F64, k == 2 ? 2 : 1),
            NULL, DRAWN, x[k], y[k]);
    for (int n = 0; n < DRAWN * PIXELS; n++) {
        ck_assert(x[0][n] >= 0 && x[0][n] < 1 && x[0][n] == x[1][n]);
        different += x[0][n] != x[2][n];
    }
    ck_assert_int_gt(different, DRAWN * PIXELS / 2);
    for (int n = 0; n < DRAWN; n++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++) sum += y[0][n * CLASSES + c];
        for (int c = 0; c < CLASSES; c++) seen[c] += y[0][n * CLASSES + c] == 1;
        ck_assert(sum == 1);
    }
    for (int c = 0; c < CLASSES; c++) ck_assert_int_gt(seen[c], 0);
    fill_batch(batch_source_of(NULL, &sample, &classes, SPOR_F64, 1), rows, 2, few, label);
    for (int r = 0; r < 2; r++) {
        ck_assert_mem_eq(few + r * PIXELS, x[0] + rows[r] * PIXELS, PIXELS * sizeof(double));
        ck_assert_mem_eq(label + r * CLASSES, y[0] + rows[r] * CLASSES, CLASSES * sizeof(double));
    }
}
END_TEST

/* ---- losses --------------------------------------------------------------------------------- */

/* python3 -c "import numpy as np; p=np.array([[1,-2,.5],[3,0,1.]]); y=np.array([[0,1,0],[1,0,0.]]);
 * c=(np.log(np.exp(p).sum(1))-(p*y).sum(1)).sum(); s=((p-y)**2).sum(); print(repr((c,c/2,s,s/6)))"
 */
START_TEST(losses_have_the_values_of_numpy) {
    static const double p[] = {1, -2, 0.5, 3, 0, 1}, y[] = {0, 1, 0, 1, 0, 0};
    spor_loss *const loss[] = {spor_cross_entropy_sum, spor_cross_entropy_mean,
                               spor_squared_error_sum, spor_squared_error_mean};
    static const double expected[] = {3.674442921898569, 1.8372214609492845, 15.25,
                                      2.5416666666666665};
    for (int k = 0; k < 4; k++) {
        spor_tape *tape = spor_tape_new();
        spor_var prediction = spor_input(tape, "p", SPOR_SHAPE(2, 3));
        spor_var target = spor_input(tape, "y", SPOR_SHAPE(2, 3));
        spor_var cost = loss[k](prediction, target, NULL);
        spor_options options = {.scalar = SPOR_F64};
        spor_program *program = spor_compile(tape, 1, &cost, NULL, &options);
        memcpy(spor_program_arg(program, prediction).data, p, sizeof p);
        memcpy(spor_program_arg(program, target).data, y, sizeof y);
        ck_assert(spor_run(program, 0));
        double value = *(double *)spor_program_arg(program, cost).data;
        ck_assert_double_eq_tol(value, expected[k], 1e-14 * expected[k]);
        spor_program_free(program);
        spor_tape_free(tape);
    }
}
END_TEST

/* ---- models --------------------------------------------------------------------------------- */

START_TEST(programs_are_cached_by_rows_and_training) {
    int counts[2] = {0, 0};
    spor_model_spec spec = {.net = classifier,
                            .loss = spor_cross_entropy_sum,
                            .user = counts,
                            .sample = SPOR_SHAPE(2, 2),
                            .target = SPOR_SHAPE(CLASSES)};
    spor_model *model = spor_model_new(&spec);
    spor_bound *ten = spor_model_bind(model, 10, true), *three = spor_model_bind(model, 3, true);
    spor_bound *plain = spor_model_bind(model, 10, false);
    check_healthy(model);
    ck_assert(ten != three && ten != plain && three != plain);
    ck_assert_ptr_eq(spor_model_bind(model, 10, true), ten);
    ck_assert_ptr_eq(spor_model_bind(model, 10, false), plain);
    ck_assert_int_eq(counts[0], 2);
    ck_assert_int_eq(counts[1], 1);
    ck_assert_int_eq(ten->x.shape.n[0], 10);
    ck_assert_int_eq(three->logits.shape.n[0], 3);
    ck_assert_int_eq(spor_params_count(spor_model_params(model)), 4);
    ck_assert_int_eq(spor_params_size(spor_model_params(model)), 4 * 5 + 5 + 5 * 3 + 3);
    spor_model_free(model);
}
END_TEST

static void fill(const spor_arg *arg, int64_t size, double first) {
    for (int64_t k = 0; k < size; k++) ((double *)arg->data)[k] = sin(first + (double)k);
}

static double cost_at(spor_model *model, spor_bound *b) {
    fill(&b->x, b->rows * PIXELS, 1);
    for (int64_t k = 0; k < b->rows * CLASSES; k++)
        ((double *)b->y.data)[k] = k % CLASSES == k / CLASSES % CLASSES;
    ck_assert(spor_model_step(model, b, 0));
    return *(double *)b->loss.data;
}

/* (C(w + h) - C(w - h)) / 2h for every parameter */
START_TEST(gradients_are_slopes_of_the_cost) {
    spor_model *model = model_by(NULL, classifier, entropy_sum, SPOR_SHAPE(CLASSES), 3, SPOR_F64);
    spor_bound *b = spor_model_bind(model, 4, true);
    check_healthy(model);
    spor_params *params = spor_model_params(model);
    const double h = 1e-5;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        double *w = e.value;
        cost_at(model, b);
        double gradient = ((double *)e.gradient)[1], kept = w[1];
        double cost[2];
        for (int side = 0; side < 2; side++) {
            w[1] = kept + (side ? h : -h);
            spor_params_touch(params);
            cost[side] = cost_at(model, b);
        }
        w[1] = kept;
        spor_params_touch(params);
        ck_assert_double_eq_tol((cost[1] - cost[0]) / (2 * h), gradient, 1e-8);
        ck_assert_double_gt(fabs(gradient), 1e-4);
    }
    spor_model_free(model);
}
END_TEST

static spor_var column(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return spor_sum(spor_flatten(x), SPOR_AXIS(0));
}

static spor_var misfit(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return dense(x, 3, "out");
}

static spor_var nothing(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return (spor_var){.tape = x.tape};
}

static spor_var sum_of(spor_var prediction, spor_var target, void *user) {
    (void)target, (void)user;
    return spor_sum(prediction, SPOR_AXIS(spor_shape_of(prediction).rank) - 1);
}

START_TEST(recording_errors_are_the_models) {
    const char *file;
    int line, text_column;
    spor_model *model =
        model_of(column, (reduced){sum_of, SPOR_REDUCTION_SUM}, SPOR_SHAPE(CLASSES), 0, SPOR_F32);
    ck_assert_ptr_null(spor_model_bind(model, 7, true));
    check_error(model, "the first axis of the prediction must be the 7 rows of x but is 4");
    ck_assert_ptr_null(spor_model_bind(model, 4, true)); /* the first error stays */
    spor_model_free(model);
    model =
        model_of(misfit, (reduced){sum_of, SPOR_REDUCTION_SUM}, SPOR_SHAPE(CLASSES), 0, SPOR_F32);
    ck_assert_ptr_null(spor_model_bind(model, 7, true));
    check_error(model, "matmul");
    spor_model_error_place(model, &file, &line, &text_column);
    ck_assert(file && strstr(file, "train.c") && line > 0);
    spor_model_free(model);
    model =
        model_of(nothing, (reduced){sum_of, SPOR_REDUCTION_SUM}, SPOR_SHAPE(CLASSES), 0, SPOR_F32);
    ck_assert_ptr_null(spor_model_bind(model, 7, true));
    ck_assert_ptr_nonnull(spor_model_error(model));
    spor_model_free(model);
    model = model_of(NULL, (reduced){sum_of, SPOR_REDUCTION_SUM}, SPOR_SHAPE(CLASSES), 0, SPOR_F32);
    ck_assert_ptr_null(spor_model_bind(model, 7, true));
    check_error(model, "needs a net and a loss");
    spor_model_free(model);
    ck_assert_str_eq(spor_model_error(NULL), "out of memory");
    spor_model_free(NULL);
}
END_TEST

/* log of a difference that becomes negative: exp is finite, the cost is not. */
static spor_var bad_log(spor_var prediction, spor_var target, void *user) {
    (void)target, (void)user;
    return spor_sum(spor_log(spor_sub(prediction, spor_exp(prediction))),
                    SPOR_AXIS(0) | SPOR_AXIS(1));
}

START_TEST(the_first_bad_node_is_named) {
    spor_model *model = model_of(classifier, (reduced){bad_log, SPOR_REDUCTION_SUM},
                                 SPOR_SHAPE(CLASSES), 0, SPOR_F64);
    spor_bound *b = spor_model_bind(model, 4, true);
    check_healthy(model);
    fill(&b->x, 4 * PIXELS, 1);
    ck_assert(!spor_model_step(model, b, 0));
    check_error(model, "log");
    ck_assert(!spor_model_step(model, b, 0));
    spor_model_free(model);
}
END_TEST

/* One parameter that multiplies x. */
static spor_var times_w(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_var w = spor_param(x.tape, "w", SPOR_SCALAR_SHAPE, SPOR_INIT("constant", 1));
    return spor_mul(x, spor_broadcast(w, spor_shape_of(x)));
}

static spor_var log_of(spor_var prediction, spor_var target, void *user) {
    return sum_of(spor_log(prediction), target, user);
}

static spor_var sqrt_of(spor_var prediction, spor_var target, void *user) {
    return sum_of(spor_sqrt(prediction), target, user);
}

/* Row 2 has a pixel of which there is no logarithm. */
START_TEST(the_bad_element_is_named) {
    spor_model *model =
        model_of(times_w, (reduced){log_of, SPOR_REDUCTION_SUM}, SPOR_SHAPE(2, 2), 0, SPOR_F32);
    spor_bound *b = spor_model_bind(model, 4, true);
    check_healthy(model);
    for (int k = 0; k < 4 * PIXELS; k++) ((float *)b->x.data)[k] = k == 2 * PIXELS + 1 ? -1 : 1;
    ck_assert(!spor_model_step(model, b, 0));
    check_error(model, "at [2, 0, 1]");
    spor_model_free(model);
}
END_TEST

/* ---- an index ---- */

/* Rows of a table of four by two of the pixels. */
static spor_var tokens(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    const int64_t none[] = {0, 0}, crop[] = {0, -2};
    spor_var E = spor_param(x.tape, "E", SPOR_SHAPE(4, 3), SPOR_INIT("normal", 0.5));
    spor_var two = spor_pad(spor_flatten(x), none, crop, 0);
    return dense(spor_flatten(spor_take(E, two, 0)), CLASSES, "out");
}

/* In row 70 a number names no row of the table. */
START_TEST(a_number_that_names_no_row_is_told_with_its_column) {
    static const struct {
        int column;
        float value;
        const char *message;
    } bad[] = {{1, 4, "clusters: row 70, column 2 is 4, which names none of the 4 rows that take"},
               {0, 0.5F, "row 70, column 1 is 0.5, which"},
               {0, -1, "row 70, column 1 is -1, which"},
               {3, 9, NULL}}; /* no index */
    spor_data *data = clusters();
    data->scale = 1;
    for (int k = 0; k < ROWS * PIXELS; k++) ((float *)data->x.value)[k] = (float)(k % 4);
    ((float *)data->x.value)[69 * PIXELS + bad[_i].column] = bad[_i].value;
    spor_model *model = model_of(tokens, entropy_sum, SPOR_SHAPE(CLASSES), 0, SPOR_F32);
    int64_t rows[ROWS];
    for (int k = 0; k < ROWS; k++) rows[k] = ROWS - 1 - k;
    ck_assert(evaluate_prepare(model, data, rows, ROWS) == !bad[_i].message);
    if (bad[_i].message) check_error(model, bad[_i].message);
    spor_model_free(model);
    spor_data_free(data);
}
END_TEST

/* sqrt 0 = 0, but its slope is infinite. */
START_TEST(a_bad_gradient_of_a_good_cost_is_caught) {
    spor_model *model =
        model_of(times_w, (reduced){sqrt_of, SPOR_REDUCTION_SUM}, SPOR_SHAPE(2, 2), 0, SPOR_F64);
    spor_bound *b = spor_model_bind(model, 1, true);
    check_healthy(model);
    for (int k = 0; k < PIXELS; k++) ((double *)b->x.data)[k] = k;
    ck_assert(!spor_model_step(model, b, 0));
    check_error(model, "finite");
    spor_model_free(model);
}
END_TEST

/* ---- training ------------------------------------------------------------------------------- */

/* What a run told. */
typedef struct {
    int calls, epochs_ended;
    int64_t stop_at; /* calls; 0: never */
    double first_loss[8], last_loss[8];
    spor_metric metric;
    spor_score train, validation;
    bool ordered;
    int64_t last_step, last_epoch;
} told;

static bool listen(const spor_progress *p, void *user) {
    told *t = user;
    bool next = p->epoch == t->last_epoch ? p->step == t->last_step + 1
                                          : p->epoch == t->last_epoch + 1 && p->step == 1;
    t->ordered = (t->calls == 0 || t->ordered) && next && p->step <= p->steps;
    t->last_step = p->step;
    t->last_epoch = p->epoch;
    if (p->step == 1 && p->epoch <= 8) t->first_loss[p->epoch - 1] = p->loss;
    if (p->step == p->steps && p->epoch <= 8) t->last_loss[p->epoch - 1] = p->loss;
    t->epochs_ended += p->step == p->steps;
    t->metric = p->metric;
    t->train = p->train;
    t->validation = p->validation;
    return ++t->calls != t->stop_at;
}

static const spor_schedule usual = {.epochs = 4, .batch = 10, .seed = 5};

START_TEST(training_learns_and_tells) {
    spor_data *data = clusters();
    spor_split split = split_of(data);
    for (int scalar = 0; scalar <= SPOR_F64; scalar++) {
        spor_model *model = classifier_model(1, (spor_scalar)scalar);
        told t = {0};
        bool done = spor_train(model, data, &split, &usual, listen, &t);
        check_healthy(model);
        ck_assert(done && t.ordered);
        ck_assert_int_eq(split.train_rows, 73); /* 103 - 21 - 9 */
        ck_assert_int_eq(t.calls, 4 * 8);       /* seven batches of 10 and one of 3 */
        ck_assert_int_eq(t.epochs_ended, 4);
        ck_assert_double_lt(t.last_loss[3], t.last_loss[0] / 2);
        ck_assert_double_ge(t.train.metric, 0.95);
        ck_assert_double_ge(t.validation.metric, 0.8);
        spor_model_free(model);
    }
    spor_split_free(&split);
    spor_data_free(data);
}
END_TEST

/* Weights after a run, all in one array to be freed. */
static float *weights_after(uint64_t seed, uint64_t order, int64_t stop_at, size_t *bytes) {
    spor_data *data = clusters();
    spor_split split = split_of(data);
    spor_schedule schedule = usual;
    schedule.seed = order;
    spor_model *model = classifier_model(seed, SPOR_F32);
    told t = {.stop_at = stop_at};
    ck_assert_int_eq(spor_train(model, data, &split, &schedule, listen, &t), stop_at == 0);
    check_healthy(model);
    float *all = stored_values(spor_model_params(model), bytes);
    spor_model_free(model);
    spor_split_free(&split);
    spor_data_free(data);
    return all;
}

START_TEST(the_seeds_decide_every_bit) {
    size_t bytes;
    float *a = weights_after(1, 5, 0, &bytes), *same = weights_after(1, 5, 0, &bytes);
    float *other = weights_after(2, 5, 0, &bytes), *reordered = weights_after(1, 6, 0, &bytes);
    ck_assert_mem_eq(a, same, bytes);
    ck_assert_mem_ne(a, other, bytes);
    ck_assert_mem_ne(a, reordered, bytes);
    free(a);
    free(same);
    free(other);
    free(reordered);
}
END_TEST

START_TEST(every_parameter_moves_in_the_first_step) {
    size_t bytes;
    float *after = weights_after(1, 5, 1, &bytes);
    spor_model *model = classifier_model(1, SPOR_F32);
    ck_assert_ptr_nonnull(spor_model_bind(model, 1, true));
    spor_params *params = spor_model_params(model);
    size_t used = 0;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        int64_t size = e.shape.n[0] * (e.shape.rank > 1 ? e.shape.n[1] : 1);
        for (int64_t i = 0; i < size; i++, used++)
            ck_assert_msg(after[used] < ((float *)e.value)[i] ||
                              after[used] > ((float *)e.value)[i],
                          "%s[%d] did not move", e.name, (int)i);
    }
    ck_assert_uint_eq(used * sizeof(float), bytes);
    free(after);
    spor_model_free(model);
}
END_TEST

START_TEST(a_callback_may_stop_the_run) {
    spor_data *data = clusters();
    spor_split split = split_of(data);
    spor_model *model = classifier_model(1, SPOR_F32);
    told t = {.stop_at = 11};
    ck_assert(!spor_train(model, data, &split, &usual, listen, &t));
    check_healthy(model);
    ck_assert_int_eq(t.calls, 11);
    ck_assert_int_eq(t.last_epoch, 2);
    ck_assert_int_eq(t.last_step, 3);
    spor_model_free(model);
    spor_split_free(&split);
    spor_data_free(data);
}
END_TEST

static bool listen_once(const spor_progress *p, void *user) {
    spor_progress *heard = user;
    ck_assert_int_eq(heard->steps, 0);
    *heard = *p;
    return true;
}

/* Those of two models, which are freed. */
static void check_same_weights(spor_model *a, spor_model *b) {
    size_t bytes[2];
    float *first = stored_values(spor_model_params(a), &bytes[0]);
    float *second = stored_values(spor_model_params(b), &bytes[1]);
    ck_assert(bytes[0] == bytes[1] && !memcmp(first, second, bytes[0]));
    free(first);
    free(second);
    spor_model_free(a);
    spor_model_free(b);
}

/* What a training begins with is evaluated and told once; no weight moves, and it may go on from there. */
START_TEST(without_epochs_nothing_moves) {
    spor_data *data = clusters();
    spor_split split = split_of(data);
    spor_model *model = classifier_model(1, SPOR_F32), *fresh = classifier_model(1, SPOR_F32);
    spor_progress heard = {0};
    spor_evaluation e;
    ck_assert(spor_train(model, data, &split, &(spor_schedule){.batch = 10}, listen_once, &heard));
    ck_assert(heard.epoch == 0 && heard.epochs == 0 && heard.steps == 8 && heard.step == 8);
    ck_assert(heard.best_epoch == 0 && heard.metric == SPOR_METRIC_ACCURACY);
    ck_assert(spor_evaluate(fresh, data, split.validation, split.validation_rows, &e));
    ck_assert_double_eq(heard.validation.loss, e.loss);
    ck_assert_double_eq(heard.validation.metric, e.accuracy);
    spor_evaluation_free(&e);
    check_same_weights(model, fresh);
    model = classifier_model(1, SPOR_F32), fresh = classifier_model(1, SPOR_F32);
    spor_schedule more = usual;
    more.from = &heard;
    ck_assert(spor_train(model, data, &split, &(spor_schedule){.batch = 10}, NULL, NULL));
    ck_assert(spor_train(model, data, &split, &more, NULL, NULL));
    ck_assert(spor_train(fresh, data, &split, &usual, NULL, NULL));
    check_same_weights(model, fresh);
    spor_split_free(&split);
    spor_data_free(data);
}
END_TEST

static spor_var mean_of(spor_var prediction, spor_var target, void *user) {
    spor_var sum = sum_of(prediction, target, user);
    return spor_mul(sum, spor_ratio(sum.tape, 1, spor_shape_of(prediction).n[0]));
}

static bool stand_still(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                        void *user) {
    (void)dw, (void)user;
    for (int k = 0; k < n; k++) next[k] = w[k];
    return true;
}

/*
 * The weight is 1 and the rate 0: the prediction is x. Row r holds 2^r, so that the mean over an
 * epoch tells which rows were seen how often: each once, the last partial batch of 2 rows included
 * and weighted by its rows.
 */
START_TEST(an_epoch_sees_every_row_once) {
    enum { POWERS = 20 };
    float x[POWERS];
    int32_t label[POWERS] = {0};
    int64_t rows[POWERS];
    for (int k = 0; k < POWERS; k++) x[k] = (float)(1 << k), rows[k] = k;
    spor_data data = {.rows = POWERS,
                      .x = {.keep = SPOR_KEEP_F32, .shape = SPOR_SHAPE(1), .value = x},
                      .classes = 2,
                      .scale = 2,
                      .label = label};
    spor_split split = {.train_rows = POWERS, .train = rows};
    spor_schedule schedule = {.epochs = 3, .batch = 3, .seed = 1};
    static const reduced loss[] = {{sum_of, SPOR_REDUCTION_SUM}, {mean_of, SPOR_REDUCTION_MEAN}};
    for (int k = 0; k < 2; k++) {
        spor_model_spec spec = {.net = times_w,
                                .loss = loss[k].loss,
                                .reduction = loss[k].reduction,
                                .optimizer = stand_still,
                                .sample = SPOR_SHAPE(1),
                                .target = SPOR_SHAPE(1),
                                .options = {.scalar = SPOR_F64}};
        spor_model *model = spor_model_new(&spec);
        told t = {0};
        bool done = spor_train(model, &data, &split, &schedule, listen, &t);
        check_healthy(model);
        ck_assert(done);
        ck_assert_int_eq(t.calls, 3 * 7);
        for (int epoch = 0; epoch < 3; epoch++)
            ck_assert_double_eq_tol(t.last_loss[epoch] * (double)POWERS, 2.0 * ((1 << POWERS) - 1),
                                    1e-8);
        ck_assert_double_ne(t.first_loss[0], t.first_loss[1]); /* another order each epoch */
        ck_assert_double_ne(t.first_loss[1], t.first_loss[2]);
        spor_model_free(model);
    }
}
END_TEST

START_TEST(the_mean_divides_by_the_rows_present) {
    const reduced loss[] = {entropy_sum, entropy_mean};
    double cost[2], slope[2];
    for (int k = 0; k < 2; k++) {
        spor_model *model = model_of(classifier, loss[k], SPOR_SHAPE(CLASSES), 1, SPOR_F64);
        spor_bound *b = spor_model_bind(model, 7, true);
        cost[k] = cost_at(model, b);
        slope[k] = ((double *)spor_params_entry(spor_model_params(model), 0).gradient)[0];
        spor_model_free(model);
    }
    ck_assert_double_eq_tol(cost[0], 7 * cost[1], 1e-13);
    ck_assert_double_eq_tol(slope[0], 7 * slope[1], 1e-13);
}
END_TEST

static void check_finite(spor_params *params) {
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        int64_t size = 1;
        for (int axis = 0; axis < e.shape.rank; axis++) size *= e.shape.n[axis];
        for (int64_t i = 0; i < size; i++)
            ck_assert(isfinite(e.scalar == SPOR_F32 ? (double)((float *)e.value)[i]
                                                    : ((double *)e.value)[i]));
    }
}

/* A chain that grows as the weights do. */
static spor_var linear_chain(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    spor_var h = dense(spor_flatten(x), 5, "hidden");
    return dense(spor_mul(h, h), CLASSES, "out");
}

static void check_diverges(spor_net *net, double rate, double l2, spor_scalar scalar,
                           const char *why) {
    spor_data *data = clusters();
    spor_split split = split_of(data);
    spor_schedule schedule = usual;
    schedule.epochs = 60;
    spor_model *model = model_of(net, entropy_sum, SPOR_SHAPE(CLASSES), 1, scalar);
    ck_assert(spor_model_bind(model, schedule.batch, true) && spor_model_set(model, "rate", rate) &&
              spor_model_set(model, "l2", l2));
    ck_assert(!spor_train(model, data, &split, &schedule, NULL, NULL));
    check_error(model, why);
    check_error(model, "epoch ");
    check_error(model, "(a lower rate may help)");
    check_finite(spor_model_params(model));
    spor_model_free(model);
    spor_split_free(&split);
    spor_data_free(data);
}

START_TEST(divergence_stops_and_leaves_finite_parameters) {
    for (int scalar = 0; scalar <= SPOR_F64; scalar++) {
        check_diverges(linear_chain, 1e20, 0, (spor_scalar)scalar, "finite");
        check_diverges(linear_chain, 1e4, 0, (spor_scalar)scalar, "finite");
        check_diverges(classifier, 1e6, 1, (spor_scalar)scalar, "the next value of ");
        check_diverges(classifier, 1e308, 0, (spor_scalar)scalar, "the next value of ");
    }
    check_diverges(classifier, 3e38, 0, SPOR_F32, "hidden/W");
    check_diverges(linear_chain, 1e20, 0, SPOR_F32, "mul [10, 5]");
}
END_TEST

START_TEST(senseless_schedules_are_refused) {
    static const spor_schedule bad[] = {{.epochs = -1, .batch = 1}, {.epochs = 1, .batch = 0}};
    spor_data *data = clusters();
    spor_split split = split_of(data), none = {0};
    for (size_t k = 0; k < 2; k++) {
        spor_model *model = classifier_model(1, SPOR_F32);
        ck_assert(!spor_train(model, data, &split, &bad[k], NULL, NULL));
        check_error(model, "epochs (");
        check_error(model, "must be at least 0, batch (");
        spor_model_free(model);
    }
    spor_model *model = classifier_model(1, SPOR_F32);
    ck_assert(!spor_train(model, data, &none, &usual, NULL, NULL));
    check_error(model, "no rows to train on");
    spor_model_free(model);
    model = model_of(classifier, entropy_sum, SPOR_SHAPE(CLASSES + 1), 1, SPOR_F32);
    ck_assert(!spor_train(model, data, &split, &usual, NULL, NULL));
    check_error(model, "neither one-hot rows of the 3 classes");
    spor_model_free(model);
    data->x.shape = SPOR_SHAPE(4);
    model = classifier_model(1, SPOR_F32);
    ck_assert(!spor_train(model, data, &split, &usual, NULL, NULL));
    check_error(model, "the samples of clusters do not have the shape");
    spor_model_free(model);
    spor_split_free(&split);
    spor_data_free(data);
}
END_TEST

START_TEST(a_batch_may_exceed_the_rows) {
    spor_data *data = clusters();
    spor_split split = split_of(data);
    spor_schedule schedule = usual;
    schedule.batch = 1000;
    spor_model *model = classifier_model(1, SPOR_F32);
    told t = {0};
    ck_assert(spor_train(model, data, &split, &schedule, listen, &t));
    ck_assert_int_eq(t.calls, 4);
    spor_model_free(model);
    spor_split_free(&split);
    spor_data_free(data);
}
END_TEST

START_TEST(an_autoencoder_has_x_as_target) {
    spor_data *data = clusters();
    spor_split split = split_of(data);
    spor_schedule schedule = usual;
    schedule.epochs = 8;
    spor_model *model = model_of(autoencoder, squares_sum, SPOR_SHAPE(2, 2), 1, SPOR_F32);
    ck_assert(spor_model_bind(model, schedule.batch, true) && spor_model_set(model, "rate", 0.02));
    told t = {0};
    bool done = spor_train(model, data, &split, &schedule, listen, &t);
    check_healthy(model);
    ck_assert(done);
    ck_assert_double_lt(t.last_loss[7], t.last_loss[0] / 2);
    spor_evaluation e;
    ck_assert(spor_evaluate(model, data, split.test, split.test_rows, &e));
    ck_assert(e.classes == 0 && e.confusion == NULL && isnan(e.accuracy));
    ck_assert_double_lt(e.loss, t.last_loss[0]);
    spor_evaluation_free(&e);
    spor_model_free(model);
    spor_split_free(&split);
    spor_data_free(data);
}
END_TEST

/* ---- evaluation ----------------------------------------------------------------------------- */

/* All rows three times and some more: one full batch of 256 and a partial one. */
static int64_t many_rows(int64_t rows[400]) {
    for (int k = 0; k < 400; k++) rows[k] = k % ROWS;
    return 3 * ROWS + 7;
}

/* Against a program of one row at a time. */
static void check_evaluation(reduced loss, spor_scalar scalar) {
    int64_t rows[400], n = many_rows(rows), right = 0, confusion[CLASSES * CLASSES] = {0};
    double total = 0;
    spor_data *data = clusters();
    spor_model *model = model_of(classifier, loss, SPOR_SHAPE(CLASSES), 4, scalar);
    for (int64_t k = 0; k < n; k++) {
        spor_evaluation one;
        ck_assert(spor_evaluate(model, data, rows + k, 1, &one));
        right += one.right;
        total += one.loss;
        for (int i = 0; i < CLASSES * CLASSES; i++) confusion[i] += one.confusion[i];
        spor_evaluation_free(&one);
    }
    spor_evaluation e;
    ck_assert(spor_evaluate(model, data, rows, n, &e));
    ck_assert_int_eq(e.rows, n);
    ck_assert_int_eq(e.right, right);
    ck_assert_double_eq(e.accuracy, (double)right / (double)n);
    ck_assert_double_eq_tol(e.loss, total / (double)n, scalar == SPOR_F32 ? 1e-5 : 1e-12);
    ck_assert_mem_eq(e.confusion, confusion, sizeof confusion);
    ck_assert_int_gt(right, 0);
    ck_assert_int_lt(right, n);
    spor_evaluation_free(&e);
    spor_model_free(model);
    spor_data_free(data);
}

START_TEST(evaluation_adds_up_its_rows) {
    for (int scalar = 0; scalar <= SPOR_F64; scalar++) {
        check_evaluation(entropy_sum, (spor_scalar)scalar);
        check_evaluation(entropy_mean, (spor_scalar)scalar);
    }
}
END_TEST

/* The prediction is x itself: winners and labels are known. The first of equals wins. */
static spor_var itself(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return times_w(spor_flatten(x), training, user);
}

START_TEST(the_confusion_matrix_has_labels_as_rows) {
    float x[] = {5, 1, 1, 0, 7, 7, 0, 0, 3};
    int32_t label[] = {1, 2, 2};
    int64_t rows[] = {0, 1, 2};
    spor_data data = {.rows = 3,
                      .x = {.keep = SPOR_KEEP_F32, .shape = SPOR_SHAPE(3), .value = x},
                      .classes = 3,
                      .scale = 0.5,
                      .label = label};
    spor_model_spec spec = {.net = itself,
                            .loss = spor_cross_entropy_mean,
                            .reduction = SPOR_REDUCTION_MEAN,
                            .sample = SPOR_SHAPE(3),
                            .target = SPOR_SHAPE(3)};
    spor_model *model = spor_model_new(&spec);
    spor_evaluation e;
    ck_assert(spor_evaluate(model, &data, rows, 3, &e));
    const int64_t expected[] = {0, 0, 0, 1, 0, 0, 0, 1, 1};
    ck_assert_mem_eq(e.confusion, expected, sizeof expected);
    ck_assert_int_eq(e.right, 1);
    spor_evaluation_free(&e);
    ck_assert(spor_evaluate(model, &data, rows, 0, &e));
    ck_assert(e.rows == 0 && isnan(e.accuracy) && isnan(e.loss));
    spor_evaluation_free(&e);
    spor_model_free(model);
}
END_TEST

static void check_evaluation_fails(spor_net *net, const spor_data *data, int64_t row,
                                   const char *why) {
    spor_model *model =
        model_of(net, (reduced){sum_of, SPOR_REDUCTION_SUM}, SPOR_SHAPE(CLASSES), 1, SPOR_F32);
    spor_evaluation e;
    ck_assert(!spor_evaluate(model, data, &row, 1, &e));
    ck_assert_ptr_null(e.confusion);
    check_error(model, why);
    spor_model_free(model);
}

static spor_var two_columns(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return dense(spor_flatten(x), 2, "out");
}

START_TEST(what_cannot_be_evaluated_is_refused) {
    spor_data *data = clusters();
    check_evaluation_fails(classifier, data, ROWS, "there is no row 103 in the 103 rows");
    check_evaluation_fails(classifier, data, -1, "there is no row -1");
    check_evaluation_fails(two_columns, data, 0, "has 2 outputs for 3 targets");
    data->label[5] = CLASSES;
    check_evaluation_fails(classifier, data, 5,
                           "row 5 of clusters has label 3; there are 3 classes");
    spor_data_free(data);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("train");
    TCase *models = tcase_create("models"), *loop = tcase_create("loop");
    TCase *evaluation = tcase_create("evaluation");
    tcase_add_test(models, a_batch_has_the_rows_asked_for);
    tcase_add_test(models, a_random_batch_is_a_function_of_seed_and_row);
    tcase_add_test(models, losses_have_the_values_of_numpy);
    tcase_add_test(models, programs_are_cached_by_rows_and_training);
    tcase_add_test(models, gradients_are_slopes_of_the_cost);
    tcase_add_test(models, recording_errors_are_the_models);
    tcase_add_test(models, the_first_bad_node_is_named);
    tcase_add_test(models, the_bad_element_is_named);
    tcase_add_loop_test(models, a_number_that_names_no_row_is_told_with_its_column, 0, 4);
    tcase_add_test(models, a_bad_gradient_of_a_good_cost_is_caught);
    tcase_add_test(loop, training_learns_and_tells);
    tcase_add_test(loop, the_seeds_decide_every_bit);
    tcase_add_test(loop, every_parameter_moves_in_the_first_step);
    tcase_add_test(loop, a_callback_may_stop_the_run);
    tcase_add_test(loop, without_epochs_nothing_moves);
    tcase_add_test(loop, an_epoch_sees_every_row_once);
    tcase_add_test(loop, the_mean_divides_by_the_rows_present);
    tcase_add_test(loop, divergence_stops_and_leaves_finite_parameters);
    tcase_add_test(loop, senseless_schedules_are_refused);
    tcase_add_test(loop, a_batch_may_exceed_the_rows);
    tcase_add_test(loop, an_autoencoder_has_x_as_target);
    tcase_add_test(evaluation, evaluation_adds_up_its_rows);
    tcase_add_test(evaluation, the_confusion_matrix_has_labels_as_rows);
    tcase_add_test(evaluation, what_cannot_be_evaluated_is_refused);
    suite_add_tcase(suite, models);
    suite_add_tcase(suite, loop);
    suite_add_tcase(suite, evaluation);
    return suite;
}
