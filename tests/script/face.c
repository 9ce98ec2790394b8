/* Scripts and runs from C: include/spor/script.h. */
#include "suite.h"

#include <math.h>
#include <spor/spor.h>
#include <stdlib.h>
#include <string.h>

#include "data/scratch.h"

#define NET                                                                                        \
    "def net(x):\n"                                                                                \
    "    W = param([2, 2], init=\"normal\", name=\"W\")\n"                                         \
    "    return x @ W\n"
#define TRAIN                                                                                      \
    "train(net, data=csv(\"nowhere.csv\", shape=[2], classes=2), "                                 \
    "loss=cross_entropy(reduction=\"mean\"),\n      optimizer=sgd(rate=0.5), batch=4, "            \
    "epochs=20)\n"

static spor_script *load(const char *text) {
    spor_script *script = spor_script_load(scratch_file("a.spor", text, strlen(text)));
    ck_assert_msg(!spor_script_error(script), "%s", spor_script_error(script));
    return script;
}

static void expect_error(const char *error, const char *part) {
    ck_assert_msg(error && strstr(error, part), "\"%s\" has no \"%s\"", error ? error : "", part);
}

START_TEST(what_is_wrong_with_a_script_is_told) {
    spor_script *script = spor_script_load("/nowhere/a.spor");
    expect_error(spor_script_error(script), "/nowhere/a.spor: cannot be opened");
    spor_tape *tape = spor_tape_new();
    ck_assert(!spor_script_call(script, tape, "f", 0, NULL).id);
    expect_error(spor_error(tape), "/nowhere/a.spor");
    spor_tape_free(tape);
    spor_script_free(script);
    script = spor_script_load(scratch_file("a.spor", "def f(x)\n", 9));
    expect_error(spor_script_error(script), "a.spor:1:9: ");
    spor_model *model = spor_script_model(script, NULL, 0, NULL);
    expect_error(spor_model_error(model), "a.spor:1:9: ");
    spor_model_free(model);
    spor_script_free(script);
}
END_TEST

START_TEST(calls_have_their_place) {
    spor_script *script = load("def f(a, b):\n    return a @ b\n");
    spor_tape *tape = spor_tape_new();
    spor_var a = spor_input(tape, "a", SPOR_SHAPE(2, 3));
    ck_assert(!spor_script_call(script, tape, "f", 2, (spor_var[]){a, a}).id);
    expect_error(spor_error(tape), "a.spor:2:14: ");
    spor_tape_free(tape);
    static const struct {
        const char *def;
        int n;
        const char *error;
    } wrong[] = {{"g", 1, "has no def g"}, {"f", 1, "b"}, {NULL, 1, "def"}, {"f", -1, "tensors"}};
    for (int k = 0; k < 4; k++) {
        tape = spor_tape_new();
        a = spor_input(tape, "a", SPOR_SHAPE(2, 3));
        ck_assert(!spor_script_call(script, tape, wrong[k].def, wrong[k].n, &a).id);
        expect_error(spor_error(tape), wrong[k].error);
        spor_tape_free(tape);
    }
    spor_script_free(script);
}
END_TEST

START_TEST(nothing_is_out_of_memory) {
    ck_assert(!spor_script_load(NULL) && !spor_model_load(NULL));
    ck_assert_str_eq(spor_script_error(NULL), "out of memory");
    ck_assert(!spor_script_call(NULL, NULL, "f", 0, NULL).id);
    spor_model *model = spor_script_model(NULL, NULL, 0, NULL);
    expect_error(spor_model_error(model), "out of memory");
    ck_assert(spor_model_columns(model) == -1 && spor_model_sample(model) == -1);
    spor_model_free(model);
    ck_assert(spor_model_columns(NULL) == -1 && spor_model_sample(NULL) == -1);
    ck_assert(!spor_model_predict(NULL, 1, NULL, NULL));
    spor_script_free(NULL);
}
END_TEST

START_TEST(only_data_say_some_shapes) {
    spor_script *script = load(NET "train(net, data=csv(\"nowhere.csv\"), "
                                   "loss=cross_entropy(reduction=\"mean\"), "
                                   "optimizer=sgd(rate=0.5), batch=4, epochs=2)\n");
    spor_model *model = spor_script_model(script, NULL, 0, NULL);
    expect_error(spor_model_error(model), "only the data say");
    spor_model_free(model);
    spor_script_free(script);
    script = load(NET);
    model = spor_script_model(script, NULL, 0, NULL);
    expect_error(spor_model_error(model), "no train(...)");
    spor_model_free(model);
    spor_script_free(script);
}
END_TEST

/* Class 1 where the first number is the larger one; told apart by a factor and a mean. */
static void fill(double x[], int32_t label[], int rows) {
    for (int k = 0; k < rows; k++) {
        label[k] = k % 2;
        x[2 * k] = 10 + label[k] + 0.01 * (k % 7);
        x[2 * k + 1] = 11 - label[k];
    }
}

START_TEST(a_script_is_trained_and_predicts_in_c) {
    enum { ROWS = 40 };
    double x[2 * ROWS], y[2 * ROWS], one[2], mean[] = {10.5, 10.5}, factor[] = {2, 2};
    int32_t label[ROWS];
    fill(x, label, ROWS);
    spor_data data = {.rows = ROWS, .scale = 1, .classes = 2, .label = label};
    data.x = (spor_values){.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(2), .value = x};
    data.x.mean = mean;
    data.x.factor = factor;
    spor_script *script = load(NET TRAIN);
    spor_model *model = spor_script_model(script, &data, 3, &(spor_options){.scalar = SPOR_F64});
    spor_split split;
    spor_message message;
    ck_assert(spor_split_draw(&data, 0, 0, 0, &split, &message));
    spor_schedule schedule = {.epochs = 20, .batch = 8};
    ck_assert_msg(spor_train(model, &data, &split, &schedule, NULL, NULL), "%s",
                  spor_model_error(model));
    ck_assert_int_eq(spor_model_columns(model), 2);
    ck_assert_int_eq(spor_model_sample(model), 2);
    ck_assert(spor_model_predict(model, ROWS, x, y));
    for (int k = 0; k < ROWS; k++) {
        ck_assert(fabs(y[2 * k] + y[2 * k + 1] - 1) < 1e-12);
        ck_assert(y[2 * k + label[k]] > 0.9);
        ck_assert(spor_model_predict(model, 1, &x[2 * k], one));
        ck_assert(fabs(one[0] - y[2 * k]) < 1e-12);
    }
    ck_assert(spor_model_predict(model, 0, NULL, NULL));
    ck_assert(!spor_model_predict(model, 1, NULL, one));
    spor_split_free(&split);
    spor_model_free(model);
    spor_script_free(script);
}
END_TEST

START_TEST(what_is_no_run_is_told) {
    static const char *const paths[] = {"/nowhere", "/dev/null", "/"};
    for (int k = 0; k < 3; k++) {
        spor_model *model = spor_model_load(paths[k]);
        expect_error(spor_model_error(model), "A run is a folder");
        expect_error(spor_model_error(model), paths[k]);
        ck_assert(spor_model_columns(model) == -1);
        spor_model_free(model);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("face");
    TCase *tests = tcase_create("scripts in C");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_test(tests, what_is_wrong_with_a_script_is_told);
    tcase_add_test(tests, calls_have_their_place);
    tcase_add_test(tests, nothing_is_out_of_memory);
    tcase_add_test(tests, only_data_say_some_shapes);
    tcase_add_test(tests, a_script_is_trained_and_predicts_in_c);
    tcase_add_test(tests, what_is_no_run_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
