/* Metrics, history, summary and the figures. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../data/scratch.h"
#include "../support/xml.h"
#include "figure/figure.h"
#include "train/metrics.h"
#include "train/record.h"

/* ---- metrics -------------------------------------------------------------------------------- */

/* Class 1 has no rows, class 2 was never predicted. */
static int64_t counts[] = {3, 1, 0, 0, 0, 0, 2, 2, 0};
static const spor_evaluation three = {
    .classes = 3, .rows = 8, .right = 3, .accuracy = 3.0 / 8, .confusion = counts};

START_TEST(scores_of_classes) {
    spor_class_score s = metrics_class_score(&three, 0);
    ck_assert(s.rows == 4 && s.predicted == 5 && s.right == 3);
    ck_assert_double_eq(s.recall, 0.75);
    ck_assert_double_eq(s.precision, 0.6);
    s = metrics_class_score(&three, 1);
    ck_assert(s.rows == 0 && s.predicted == 3 && isnan(s.recall));
    ck_assert_double_eq(s.precision, 0);
    s = metrics_class_score(&three, 2);
    ck_assert(s.rows == 4 && s.predicted == 0 && isnan(s.precision));
    ck_assert_double_eq(s.recall, 0);
    ck_assert_double_eq(metrics_balanced_accuracy(&three), 0.375);
    int64_t none[4] = {0};
    spor_evaluation empty = {.classes = 2, .confusion = none};
    ck_assert(isnan(metrics_balanced_accuracy(&empty)));
}
END_TEST

/*
 * Every cell different and no symmetry, so that no wrong cell, row or column gives the same number:
 *
 *     true 0 |  50   3   7      60 rows    recall 50/60    predicted 57   precision 50/57
 *     true 1 |   2  11   1      14         11/14           35             11/35
 *     true 2 |   5  21  25      51         25/51           33             25/33
 */
START_TEST(scores_of_a_matrix_without_symmetry) {
    static int64_t cells[] = {50, 3, 7, 2, 11, 1, 5, 21, 25};
    static const int64_t rows[] = {60, 14, 51}, predicted[] = {57, 35, 33}, right[] = {50, 11, 25};
    const spor_evaluation e = {.classes = 3, .rows = 125, .right = 86, .confusion = cells};
    for (int k = 0; k < 3; k++) {
        spor_class_score s = metrics_class_score(&e, k);
        ck_assert(s.rows == rows[k] && s.predicted == predicted[k] && s.right == right[k]);
        ck_assert_double_eq(s.recall, (double)right[k] / (double)rows[k]);
        ck_assert_double_eq(s.precision, (double)right[k] / (double)predicted[k]);
    }
    ck_assert_double_eq_tol(metrics_balanced_accuracy(&e), (50.0 / 60 + 11.0 / 14 + 25.0 / 51) / 3,
                            1e-15);
}
END_TEST

/* The roots p of (right/n - p)^2 = z^2 p (1 - p) / n in 40 digits. */
START_TEST(intervals_are_wilsons) {
    static const struct {
        int64_t right, n;
        double low, high;
    } known[] = {{339, 360, 0.9124738526003587, 0.961533197147962},
                 {0, 10, 0, 0.27753279986288926},
                 {10, 10, 0.7224672001371107, 1},
                 {50, 100, 0.4038315303659956, 0.5961684696340044}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        metrics_interval i = metrics_wilson(known[k].right, known[k].n);
        ck_assert_double_eq_tol(i.low, known[k].low, 1e-15);
        ck_assert_double_eq_tol(i.high, known[k].high, 1e-15);
        ck_assert(i.low >= 0 && i.high <= 1);
    }
    ck_assert(isnan(metrics_wilson(0, 0).low) && isnan(metrics_wilson(0, 0).high));
}
END_TEST

START_TEST(scores_are_loss_and_metric) {
    spor_evaluation e = {
        .metric = SPOR_METRIC_ACCURACY, .loss = 0.5, .accuracy = 0.75, .rmse = 3, .r2 = 2};
    spor_score s = metrics_score(&e);
    ck_assert(s.loss == 0.5 && s.metric == 0.75);
    e.metric = SPOR_METRIC_RMSE;
    s = metrics_score(&e);
    ck_assert(s.loss == 0.5 && s.metric == 3);
    ck_assert_str_eq(metric_of(SPOR_METRIC_ACCURACY)->name, "accuracy");
    ck_assert_str_eq(metric_of(SPOR_METRIC_RMSE)->name, "rmse");
    ck_assert_ptr_null(metric_of(SPOR_METRIC_NONE)->name);
    ck_assert(metric_of(SPOR_METRIC_ACCURACY)->rises && !metric_of(SPOR_METRIC_RMSE)->rises);
}
END_TEST

/* ---- files ---------------------------------------------------------------------------------- */

static void check_text(const char *path, const char *expected) {
    size_t size;
    char *text = scratch_read(path, &size);
    ck_assert_str_eq(text, expected);
    free(text);
}

static void check_has(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "\"%.2000s\" lacks \"%s\"", text, part);
}

static spor_history two_epochs(spor_metric metric) {
    spor_history history = {0};
    spor_progress p = {.epoch = 1,
                       .epochs = 2,
                       .loss = 2.5,
                       .metric = metric,
                       .train = {.loss = 2, .metric = 0.5},
                       .validation = {.loss = 3, .metric = nan("")},
                       .train_seconds = 0.25,
                       .evaluate_seconds = 0.125};
    ck_assert(history_add(&history, &p));
    p.epoch = 2;
    p.loss = 0.1;
    p.train = (spor_score){0.0625, 1};
    p.validation = (spor_score){0.25, 0.75};
    ck_assert(history_add(&history, &p));
    return history;
}

START_TEST(history_is_a_table) {
    spor_message message = {{0}};
    static const char *const tables[] = {
        [SPOR_METRIC_ACCURACY] =
            "epoch,loss,train_loss,validation_loss,train_accuracy,validation_accuracy,"
            "train_seconds,evaluate_seconds\n1,2.5,2,3,0.5,nan,0.25,0.125\n"
            "2,0.1,0.0625,0.25,1,0.75,0.25,0.125\n",
        [SPOR_METRIC_RMSE] = "epoch,loss,train_loss,validation_loss,train_rmse,validation_rmse,"
                             "train_seconds,evaluate_seconds\n1,2.5,2,3,0.5,nan,0.25,0.125\n"
                             "2,0.1,0.0625,0.25,1,0.75,0.25,0.125\n",
        [SPOR_METRIC_NONE] =
            "epoch,loss,train_loss,validation_loss,train_seconds,evaluate_seconds\n"
            "1,2.5,2,3,0.25,0.125\n2,0.1,0.0625,0.25,0.25,0.125\n"};
    const char *path = scratch_path("history.csv");
    for (int metric = SPOR_METRIC_ACCURACY; metric <= SPOR_METRIC_NONE; metric++) {
        spor_history history = two_epochs((spor_metric)metric);
        ck_assert_msg(history_write(&history, path, &message), "%s", message.text);
        check_text(path, tables[metric]);
        history_free(&history);
    }
    spor_history history = two_epochs(SPOR_METRIC_ACCURACY);
    ck_assert(!history_write(&history, "/dev/full", &message));
    check_has(message.text, "No space left");
    spor_progress p = {.epoch = 3};
    for (int k = 0; k < 1000; k++) ck_assert(history_add(&history, &p));
    ck_assert_int_eq(history.count, 1002);
    history_free(&history);
    ck_assert_ptr_null(history.epochs);
}
END_TEST

START_TEST(summary_is_json) {
    spor_message message = {{0}};
    spor_evaluation test = {.metric = SPOR_METRIC_ACCURACY,
                            .rows = 100,
                            .right = 50,
                            .loss = 0.75,
                            .accuracy = 0.5,
                            .rmse = nan(""),
                            .r2 = 0.875};
    spor_summary s = {.model = "net \"a\"",
                      .data = "digits",
                      .loss = "cross_entropy",
                      .seed = 7,
                      .epochs = 100,
                      .command = "spor train a.spor",
                      .data_read = "digits: 3 rows",
                      .epoch = 90,
                      .batch = 10,
                      .optimizer = "sgd(rate=0.01, l2=0.0001)",
                      .setting = {{"rate", 0.01}, {"l2", 1e-4}},
                      .threads = 1,
                      .scalar = SPOR_F64,
                      .isa = "avx2",
                      .parameters = 1930,
                      .train_rows = 1293,
                      .validation_rows = 144,
                      .test_rows = 100,
                      .metric = SPOR_METRIC_ACCURACY,
                      .train = {0.125, 1},
                      .validation = {nan(""), nan("")},
                      .test = &test,
                      .finished = true,
                      .train_seconds = 0.5,
                      .evaluate_seconds = 0.25};
    const char *path = scratch_path("summary.json");
    ck_assert_msg(summary_write(&s, path, &message), "%s", message.text);
    size_t size;
    char *text = scratch_read(path, &size);
    static const char *const lines[] = {"\n  \"model\": \"net \\\"a\\\"\",\n",
                                        "\n  \"data\": \"digits\",\n",
                                        "\n  \"seed\": 7,\n",
                                        "\n  \"epochs\": 100,\n",
                                        "\n  \"command\": \"spor train a.spor\",\n",
                                        "\n  \"data_read\": \"digits: 3 rows\",\n",
                                        "\n  \"weights_of_epoch\": 90,\n",
                                        "\n  \"batch\": 10,\n",
                                        "\n  \"optimizer\": \"sgd(rate=0.01, l2=0.0001)\",\n",
                                        "\n  \"clip\": null,\n",
                                        "\n    \"rate\": 0.01,\n",
                                        "\n    \"l2\": 0.0001\n",
                                        "\n  \"threads\": 1,\n",
                                        "\n  \"precision\": \"float64\",\n",
                                        "\n  \"isa\": \"avx2\",\n",
                                        "\n  \"parameters\": 1930,\n",
                                        "\n  \"metric\": \"accuracy\",\n",
                                        "\n  \"train_loss\": 0.125,\n",
                                        "\n  \"validation_loss\": null,\n",
                                        "\n  \"test_loss\": 0.75,\n",
                                        "\n  \"train_accuracy\": 1,\n",
                                        "\n  \"validation_accuracy\": null,\n",
                                        "\n  \"test_accuracy\": 0.5,\n",
                                        "\n  \"test_accuracy_low\": 0.40383153036599",
                                        "\n  \"test_accuracy_high\": 0.59616846963400",
                                        "\n  \"finished\": true,\n",
                                        "\n  \"failure\": null,\n",
                                        "\n  \"train_seconds\": 0.5,\n",
                                        "\n  \"evaluate_seconds\": 0.25\n}\n"};
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) check_has(text, lines[k]);
    ck_assert_ptr_null(strstr(text, "r2"));
    free(text);
    test.metric = s.metric = SPOR_METRIC_RMSE;
    test.rmse = 1.5;
    ck_assert(summary_write(&s, path, &message));
    text = scratch_read(path, &size);
    check_has(text, "\n  \"train_rmse\": 1,\n");
    check_has(text, "\n  \"test_rmse\": 1.5,\n");
    check_has(text, "\n  \"test_r2\": 0.875,\n");
    ck_assert_ptr_null(strstr(text, "accuracy"));
    free(text);
    ck_assert(!summary_write(&s, scratch_path("absent/summary.json"), &message));
    check_has(message.text, "absent/summary.json: cannot be written");
}
END_TEST

/* What was written is read again, to the last bit; of test rows nothing is. */
START_TEST(summaries_are_read_again) {
    static const struct {
        spor_metric metric;
        spor_score validation;
    } cases[] = {{SPOR_METRIC_ACCURACY, {1.0 / 3, 0.7}},
                 {SPOR_METRIC_RMSE, {1e300, 2e-300}},
                 {SPOR_METRIC_NONE, {0.1, 0}},
                 {SPOR_METRIC_ACCURACY, {(double)INFINITY, 0.5}}};
    spor_message message = {""};
    spor_evaluation test = {.metric = SPOR_METRIC_ACCURACY, .rows = 2, .right = 2, .accuracy = 1};
    const char *path = scratch_path("summary.json");
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        summary_result r;
        spor_summary s = {.metric = cases[k].metric,
                          .train = {9, 9},
                          .validation = cases[k].validation,
                          .test = &test,
                          .setting = {{"validation_loss", 5}},
                          .epoch = 7,
                          .finished = k % 2,
                          .failure = k ? "\"\n {" : NULL};
        ck_assert(summary_write(&s, path, &message));
        ck_assert_msg(summary_read(path, &r, &message), "%s", message.text);
        ck_assert(r.metric == s.metric && r.epoch == 7 && r.finished == s.finished);
        ck_assert_str_eq(r.failure, k ? "\"\n {" : "");
        if (isfinite(s.validation.loss))
            ck_assert_double_eq(r.validation.loss, s.validation.loss);
        else
            ck_assert(isnan(r.validation.loss));
        if (s.metric != SPOR_METRIC_NONE)
            ck_assert_double_eq(r.validation.metric, s.validation.metric);
    }
    summary_result r;
    ck_assert(!summary_read(scratch_file("bad.json", "{\"finished\": 1}", 15), &r, &message));
    check_has(message.text, "bad.json: is no summary of a run: expected true or false at byte 13");
    ck_assert(!summary_read(scratch_path("absent.json"), &r, &message));
}
END_TEST

/* ---- figures -------------------------------------------------------------------------------- */

static char *checked(spor_text *svg) {
    ck_assert(!svg->failed && svg->at);
    xml_check(svg->at, svg->size);
    check_has(svg->at, "xmlns=\"http://www.w3.org/2000/svg\"");
    ck_assert_ptr_null(strstr(svg->at, "nan"));
    return svg->at;
}

static char *curves_svg(int64_t epochs, int64_t best, int n, const spor_curves curves[]) {
    spor_text svg = {0};
    figure_curves(&svg, "a < b & c", epochs, best, n, curves);
    return checked(&svg);
}

/* The last quantity is drawn on top. */
START_TEST(curves_name_final_and_best_epoch) {
    static const double train[] = {0.5, 0.9, 0.8}, validation[] = {0.25, 0.5, 0.625};
    static const double cost[] = {12.5, 0.0252, 0.25}, other[] = {1.25, 1e-7, 2e-7};
    const spor_curves curves[] = {{"loss", false, false, cost, other},
                                  {"accuracy", true, true, train, validation}};
    char *svg = curves_svg(3, 2, 2, curves);
    static const char *const parts[] = {"<title>a &lt; b &amp; c</title>",
                                        ">Best epoch 2: its validation loss is the lowest</text>",
                                        ">best epoch 2</text>",
                                        ">training</text>",
                                        ">final 0.8000</text>",
                                        ">best epoch: 0.9000</text>",
                                        ">validation</text>",
                                        ">final 0.6250</text>",
                                        ">best epoch: 0.5000</text>",
                                        ">epoch</text>",
                                        ">accuracy</text>",
                                        ">loss</text>",
                                        ">final 0.2500</text>",
                                        ">best epoch: 0.02520</text>",
                                        ">final 2.000e-7</text>",
                                        ">best epoch: 1.000e-7</text>"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) check_has(svg, parts[k]);
    ck_assert(strstr(svg, ">accuracy</text>") < strstr(svg, ">loss</text>"));
    free(svg);
}
END_TEST

static int count_of(const char *text, const char *part) {
    int count = 0;
    while ((text = strstr(text, part))) count++, text++;
    return count;
}

/* In each frame the dashed line stands where the points of that epoch do; without validation there is
 * none. */
START_TEST(the_best_epoch_is_marked_where_it_is) {
    static const double loss[] = {3, 1, 2, 4, 5};
    const spor_curves curves[] = {{"loss", false, false, loss, loss},
                                  {"RMSE", false, false, loss, loss}};
    for (int64_t best = 1; best <= 5; best++) {
        char key[64], *svg = curves_svg(5, best, 2, curves);
        int x = 850 + (int)(best - 1) * 1700; /* the epochs lie from 850 to 7650 */
        snprintf(key, sizeof key, "<path d=\"M%d 1150V3450\"", x);
        check_has(svg, key);
        snprintf(key, sizeof key, "cx=\"%d\"", x);
        ck_assert_int_eq(count_of(svg, key), 8); /* a dot and a large one of each of four curves */
        ck_assert_int_eq(count_of(svg, "r=\"55\""), 4);
        ck_assert_int_eq(count_of(svg, "stroke-dasharray"), 2);
        free(svg);
    }
    char *svg = curves_svg(5, 0, 2, curves);
    ck_assert_int_eq(count_of(svg, "stroke-dasharray") + count_of(svg, "est epoch"), 0);
    free(svg);
}
END_TEST

/* Of many epochs some are drawn, the best and the last among them, and that is said. */
START_TEST(curves_of_many_epochs_are_of_bounded_size) {
    enum { MANY = 100000 };
    double *loss = malloc(MANY * sizeof *loss);
    for (int k = 0; k < MANY; k++) loss[k] = 1.0 / (k + 1);
    const spor_curves curves[] = {{"loss", false, false, loss, loss},
                                  {"RMSE", false, false, loss, loss}};
    char *svg = curves_svg(MANY, 77777, 2, curves);
    ck_assert_uint_lt(strlen(svg), 100000);
    check_has(svg, ">Of 100000 epochs one in 100 is drawn</text>");
    check_has(svg, ">best epoch 77777</text>");
    free(svg);
    free(loss);
}
END_TEST

/* Where the line through the points begins: "M850 4350" */
static int first_height(const char *svg, const char *colour) {
    char key[128];
    int x, y;
    snprintf(key, sizeof key, "stroke=\"%s\" stroke-width=\"22\"", colour);
    const char *at = strstr(svg, key);
    at = at ? strstr(at, " d=\"M") : NULL;
    ck_assert(at && sscanf(at, " d=\"M%d %d", &x, &y) == 2);
    return y;
}

/* A frame alone goes from y = 1150 to 4350. */
START_TEST(heights_are_the_numbers) {
    static const double loss[] = {3, 1.5, 1}, other[] = {1, 1, 1};
    const spor_curves curves = {"loss", false, false, loss, other};
    char *svg = curves_svg(3, 0, 1, &curves); /* the axis is 0 to 3 */
    ck_assert_int_eq(first_height(svg, "#0060a8"), 1150);
    ck_assert_int_eq(first_height(svg, "#c24e00"), 3283);
    check_has(svg, ">2.5</text>");
    free(svg);
    static const double low[] = {-300, -100, 0}, high[] = {100, 0, 0};
    const spor_curves negative = {"loss", false, false, low, high};
    svg = curves_svg(3, 0, 1, &negative); /* -300 to 100 */
    ck_assert_int_eq(first_height(svg, "#0060a8"), 4350);
    ck_assert_int_eq(first_height(svg, "#c24e00"), 1150);
    check_has(svg, ">-200</text>");
    free(svg);
}
END_TEST

START_TEST(curves_have_gaps_where_nothing_was_measured) {
    const double missing = nan("");
    const double train[] = {0.5, missing, 0.9}, validation[] = {missing, missing, missing};
    const spor_curves curves[] = {{"loss", false, false, validation, train},
                                  {"accuracy", true, true, train, validation}};
    for (int64_t epochs = 0; epochs <= 3; epochs++) {
        char *svg = curves_svg(epochs, 0, 2, curves);
        check_has(svg, "validation: not measured");
        check_has(svg, "training: not measured");
        free(svg);
    }
}
END_TEST

/* Constant, tiny and huge losses are drawn. */
START_TEST(any_loss_is_drawn) {
    static const double losses[][2] = {{0, 0},         {1e-300, 2e-300},    {1e300, 1},   {5, 5},
                                       {-1e-9, -1e-9}, {1.7e308, -1.7e308}, {HUGE_VAL, 1}};
    for (size_t k = 0; k < sizeof losses / sizeof *losses; k++) {
        const spor_curves curves = {"loss", false, false, losses[k], losses[k]};
        char *svg = curves_svg(2, 0, 1, &curves);
        ck_assert_ptr_null(strstr(svg, "inf"));
        free(svg);
    }
}
END_TEST

static char *confusion_svg(int classes, const int64_t matrix[], size_t *size) {
    spor_text svg = {0};
    ck_assert(figure_confusion(&svg, "labels", classes, NULL, matrix));
    *size = svg.size;
    return checked(&svg);
}

/* Where the text of a label begins on the page. */
static int position(const char *svg, const char *label, char axis) {
    char text[64], key[8];
    snprintf(text, sizeof text, ">%s</text>", label);
    const char *end = strstr(svg, text), *at = end;
    ck_assert_msg(end != NULL, "no label %s", label);
    while (at > svg && strncmp(at, "<text", 5) != 0) at--;
    snprintf(key, sizeof key, " %c=\"", axis);
    at = strstr(at, key);
    ck_assert(at && at < end);
    return atoi(at + 4);
}

START_TEST(true_labels_are_rows_of_the_heat_map) {
    static const int64_t matrix[] = {90, 0, 10, 0, 0, 0, 0, 55, 45}; /* class 1 has no rows */
    size_t size;
    char *svg = confusion_svg(3, matrix, &size);
    check_has(svg, ">90.0 %</text>");
    check_has(svg, ">10.0 %</text>");
    check_has(svg, ">no rows</text>");
    check_has(svg, "135 of 200 rows right: accuracy 0.6750");
    check_has(svg, "rotate(-90)\"><text x=\"0\" y=\"0\" class=\"axis\" text-anchor=\"middle\" "
                   "fill=\"#222222\">true label</text>");
    /* counted 10 times: true 0 (top row) predicted 2 (right column); 55: true 2 predicted 1 */
    ck_assert_int_eq(position(svg, "10", 'y'), position(svg, "90", 'y'));
    ck_assert_int_eq(position(svg, "10", 'x'), position(svg, "45", 'x'));
    ck_assert_int_eq(position(svg, "55", 'y'), position(svg, "45", 'y'));
    ck_assert_int_lt(position(svg, "55", 'x'), position(svg, "45", 'x'));
    ck_assert_int_lt(position(svg, "90", 'y'), position(svg, "45", 'y'));
    free(svg);
}
END_TEST

START_TEST(heat_maps_of_any_size) {
    enum { MOST = 60 };
    int64_t matrix[MOST * MOST];
    for (int k = 0; k < MOST * MOST; k++) matrix[k] = k % 7;
    size_t size;
    static const int sizes[] = {1, 2, 3, 12, 13, 25, 26, MOST};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
        free(confusion_svg(sizes[k], matrix, &size));
    memset(matrix, 0, sizeof matrix);
    free(confusion_svg(10, matrix, &size));
}
END_TEST

/* 1000 classes: colours as one picture, labels as far apart as they are high. */
START_TEST(heat_maps_of_many_classes_are_pictures) {
    enum { MANY = 1000 };
    int64_t *matrix = calloc((size_t)MANY * MANY, sizeof *matrix);
    size_t size;
    xml_picture picture;
    matrix[3 * MANY + 3] = 1, matrix[5 * MANY + 7] = 4;
    char *svg = confusion_svg(MANY, matrix, &size);
    ck_assert_uint_lt(size, 4200000);
    ck_assert_ptr_nonnull(xml_next_picture(svg, &picture));
    ck_assert(picture.width == MANY && picture.height == MANY);
    ck_assert_mem_eq(picture.pixel + 3 * (3 * MANY + 3), "\x08\x40\x81", 3);
    ck_assert_mem_eq(picture.pixel + 3 * (5 * MANY + 7), "\xa6\x36\x03", 3);
    ck_assert_mem_eq(picture.pixel + 3 * (5 * MANY + 5), "\xff\xff\xff", 3);
    ck_assert_mem_eq(picture.pixel, "\xee\xee\xee", 3); /* class 0 has no rows */
    ck_assert_int_lt(count_of(svg, "<text"), 250);
    free(picture.pixel);
    free(svg);
    free(matrix);
}
END_TEST

START_TEST(runs_are_drawn) {
    spor_message why = {{0}};
    spor_history history = two_epochs(SPOR_METRIC_ACCURACY);
    spor_text svg = {0};
    ck_assert_msg(history_draw(&history, 1, "run", &svg, &why), "%s", why.text);
    check_has(svg.at, ">final 0.7500</text>");
    check_has(svg.at, ">final 1.0000</text>");
    check_has(svg.at, ">final 0.06250</text>");
    check_has(svg.at, ">best epoch 1</text>");
    text_free(&svg);
    history.epochs[1].metric = SPOR_METRIC_NONE;
    ck_assert(history_draw(&history, 0, "run", &svg, &why));
    check_has(svg.at, ">loss</text>");
    ck_assert_ptr_null(strstr(svg.at, ">accuracy</text>"));
    text_free(&svg);
    ck_assert_msg(confusion_draw(&three, "run", &svg, &why), "%s", why.text);
    text_free(&svg);
    history_free(&history);
    const spor_evaluation none = {0}, large = {.classes = 1001, .confusion = counts};
    ck_assert(!history_draw(&history, 0, "run", &svg, &why) && *why.text);
    ck_assert(!confusion_draw(&none, "run", &svg, &why) && *why.text);
    ck_assert(!confusion_draw(&large, "run", &svg, &why));
    check_has(why.text, "a matrix of 1001 classes is too large to draw");
    ck_assert_ptr_null(svg.at);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("record");
    TCase *metrics = tcase_create("metrics"), *files = tcase_create("files");
    tcase_add_test(metrics, scores_of_classes);
    tcase_add_test(metrics, scores_of_a_matrix_without_symmetry);
    tcase_add_test(metrics, intervals_are_wilsons);
    tcase_add_test(metrics, scores_are_loss_and_metric);
    tcase_add_checked_fixture(files, scratch_begin, scratch_end);
    tcase_add_test(files, history_is_a_table);
    tcase_add_test(files, summary_is_json);
    tcase_add_test(files, summaries_are_read_again);
    tcase_add_test(files, curves_name_final_and_best_epoch);
    tcase_add_test(files, the_best_epoch_is_marked_where_it_is);
    tcase_add_test(files, curves_of_many_epochs_are_of_bounded_size);
    tcase_add_test(files, heat_maps_of_many_classes_are_pictures);
    tcase_add_test(files, heights_are_the_numbers);
    tcase_add_test(files, any_loss_is_drawn);
    tcase_add_test(files, curves_have_gaps_where_nothing_was_measured);
    tcase_add_test(files, true_labels_are_rows_of_the_heat_map);
    tcase_add_test(files, heat_maps_of_any_size);
    tcase_add_test(files, runs_are_drawn);
    suite_add_tcase(suite, metrics);
    suite_add_tcase(suite, files);
    return suite;
}
