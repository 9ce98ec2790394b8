/* Metrics, history, summary and the figures. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../data/scratch.h"
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

START_TEST(standard_error_of_a_share) {
    ck_assert_double_eq(metrics_standard_error(0.5, 100), 0.05);
    ck_assert_double_eq(metrics_standard_error(1, 100), 0);
    ck_assert(isnan(metrics_standard_error(0.5, 0)));
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
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" lacks \"%s\"", text, part);
}

static spor_history two_epochs(void) {
    spor_history history = {0};
    spor_progress p = {.epoch = 1,
                       .epochs = 2,
                       .loss = 2.5,
                       .train_accuracy = 0.5,
                       .validation_accuracy = nan(""),
                       .train_seconds = 0.25,
                       .evaluate_seconds = 0.125};
    ck_assert(history_add(&history, &p));
    p.epoch = 2;
    p.loss = 0.1;
    p.train_accuracy = 1;
    p.validation_accuracy = 0.75;
    ck_assert(history_add(&history, &p));
    return history;
}

START_TEST(history_is_a_table) {
    spor_message message = {{0}};
    spor_history history = two_epochs();
    const char *path = scratch_path("history.csv");
    ck_assert_msg(history_write(&history, path, &message), "%s", message.text);
    check_text(path, "epoch,loss,train_accuracy,validation_accuracy,train_seconds,"
                     "evaluate_seconds\n1,2.5,0.5,nan,0.25,0.125\n2,0.1,1,0.75,0.25,0.125\n");
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
    spor_summary s = {.model = "net \"a\"",
                      .data = "digits",
                      .loss = "cross_entropy",
                      .seed = 7,
                      .epochs = 100,
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
                      .train_accuracy = 1,
                      .validation_accuracy = nan(""),
                      .test_accuracy = 0.5,
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
                                        "\n  \"batch\": 10,\n",
                                        "\n  \"optimizer\": \"sgd(rate=0.01, l2=0.0001)\",\n",
                                        "\n  \"clip\": null,\n",
                                        "\n    \"rate\": 0.01,\n",
                                        "\n    \"l2\": 0.0001\n",
                                        "\n  \"threads\": 1,\n",
                                        "\n  \"precision\": \"float64\",\n",
                                        "\n  \"isa\": \"avx2\",\n",
                                        "\n  \"parameters\": 1930,\n",
                                        "\n  \"train_accuracy\": 1,\n",
                                        "\n  \"validation_accuracy\": null,\n",
                                        "\n  \"test_accuracy\": 0.5,\n",
                                        "\n  \"test_error\": 0.05,\n",
                                        "\n  \"train_seconds\": 0.5,\n",
                                        "\n  \"evaluate_seconds\": 0.25\n}\n"};
    for (size_t k = 0; k < sizeof lines / sizeof *lines; k++) check_has(text, lines[k]);
    free(text);
    ck_assert(!summary_write(&s, scratch_path("absent/summary.json"), &message));
    check_has(message.text, "absent/summary.json: cannot be written");
}
END_TEST

/* ---- figures -------------------------------------------------------------------------------- */

/* Every "<name" is closed by "/>" or "</name": enough of XML for the pictures written here. */
static void check_well_formed(const char *svg) {
    int depth = 0;
    for (const char *c = svg; *c; c++) {
        if (*c == '<') depth += c[1] == '/' ? -1 : 1;
        if (*c == '/' && c[1] == '>') depth--;
        if (*c == '&')
            ck_assert(!strncmp(c, "&amp;", 5) || !strncmp(c, "&lt;", 4) || !strncmp(c, "&gt;", 4));
        if (depth < 0) break;
    }
    ck_assert_int_eq(depth, 0);
    check_has(svg, "xmlns=\"http://www.w3.org/2000/svg\"");
    ck_assert_ptr_null(strstr(svg, "nan"));
}

START_TEST(curves_name_final_and_best) {
    spor_message message = {{0}};
    static const double train[] = {0.5, 0.9, 0.8}, validation[] = {0.25, 0.625, 0.625};
    spor_curves curves = {
        .title = "a < b & c", .epochs = 3, .train = train, .validation = validation};
    const char *path = scratch_path("history.svg");
    ck_assert_msg(figure_curves(&curves, path, &message), "%s", message.text);
    size_t size;
    char *svg = scratch_read(path, &size);
    check_well_formed(svg);
    check_has(svg, "<title>a &lt; b &amp; c</title>");
    check_has(svg, ">training</text>");
    check_has(svg, ">final 0.8000</text>");
    check_has(svg, ">best 0.9000 in epoch 2</text>");
    check_has(svg, ">validation</text>");
    check_has(svg, ">final 0.6250</text>");
    check_has(svg, ">best 0.6250 in epoch 2</text>");
    check_has(svg, ">epoch</text>");
    check_has(svg, ">accuracy</text>");
    free(svg);
}
END_TEST

START_TEST(curves_have_gaps_where_nothing_was_measured) {
    spor_message message = {{0}};
    const double missing = nan("");
    const double train[] = {0.5, missing, 0.9}, validation[] = {missing, missing, missing};
    spor_curves curves = {.title = "gaps", .epochs = 3, .train = train, .validation = validation};
    for (int64_t epochs = 0; epochs <= 3; epochs++) {
        curves.epochs = epochs;
        const char *path = scratch_path("history.svg");
        ck_assert_msg(figure_curves(&curves, path, &message), "%s", message.text);
        size_t size;
        char *svg = scratch_read(path, &size);
        check_well_formed(svg);
        check_has(svg, "validation: not measured");
        free(svg);
    }
}
END_TEST

static char *confusion_svg(int classes, const int64_t matrix[], size_t *size) {
    spor_message message = {{0}};
    const char *path = scratch_path("confusion.svg");
    bool done = figure_confusion("labels", classes, NULL, matrix, path, &message);
    ck_assert_msg(done, "%s", message.text);
    char *svg = scratch_read(path, size);
    check_well_formed(svg);
    return svg;
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
    spor_message message = {{0}};
    ck_assert(!figure_confusion("none", 0, NULL, matrix, scratch_path("x.svg"), &message));
    check_has(message.text, "x.svg: a confusion matrix of 0 classes cannot be drawn");
    ck_assert(!figure_confusion("full", 3, NULL, matrix, "/dev/full", &message));
    check_has(message.text, "No space left");
}
END_TEST

START_TEST(runs_are_drawn) {
    spor_message message = {{0}};
    spor_history history = two_epochs();
    size_t size;
    const char *path = scratch_path("history.svg");
    ck_assert_msg(history_draw(&history, "run", path, &message), "%s", message.text);
    char *svg = scratch_read(path, &size);
    check_has(svg, ">final 0.7500</text>");
    check_has(svg, ">final 1.0000</text>");
    free(svg);
    path = scratch_path("confusion.svg");
    ck_assert_msg(confusion_draw(&three, "run", path, &message), "%s", message.text);
    history_free(&history);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("record");
    TCase *metrics = tcase_create("metrics"), *files = tcase_create("files");
    tcase_add_test(metrics, scores_of_classes);
    tcase_add_test(metrics, standard_error_of_a_share);
    tcase_add_checked_fixture(files, scratch_begin, scratch_end);
    tcase_add_test(files, history_is_a_table);
    tcase_add_test(files, summary_is_json);
    tcase_add_test(files, curves_name_final_and_best);
    tcase_add_test(files, curves_have_gaps_where_nothing_was_measured);
    tcase_add_test(files, true_labels_are_rows_of_the_heat_map);
    tcase_add_test(files, heat_maps_of_any_size);
    tcase_add_test(files, runs_are_drawn);
    suite_add_tcase(suite, metrics);
    suite_add_tcase(suite, files);
    return suite;
}
