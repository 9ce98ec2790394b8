/* Losses that a script calls, against values by hand. */
#include "../suite.h"
#include "support.h"

#include <math.h>
#include <string.h>

#include "script/script.h"

enum { ROWS = 2, CLASSES = 3 };
static const double logits[ROWS * CLASSES] = {1, -2, 0.5, 3, 0, 1};
static const double targets[ROWS * CLASSES] = {0, 1, 0, 1, 0, 0};

static spor_script *script_of(const char *rest) {
    char text[1024];
    snprintf(text, sizeof text,
             "include \"layers.spor\"\n"
             "def own(prediction, target, a, b=2):\n"
             "    return a * sum(prediction) + b * sum(target)\n"
             "def net(x): return flatten(x)\n"
             "train(net, data=digits(), optimizer=sgd(rate=1), batch=1, epochs=1, %s)\n",
             rest);
    return script_read("s.spor", text, models_folder(), NULL);
}

static double value_of(spor_script *script) {
    spor_tape *tape = spor_tape_new();
    const spor_shape shape = SPOR_SHAPE(ROWS, CLASSES);
    spor_var p = (spor_input)(tape, "p", shape), y = (spor_input)(tape, "y", shape);
    spor_var cost = script_loss(p, y, script);
    ck_assert_msg(!spor_error(tape), "%s", spor_error(tape));
    spor_program *program = spor_compile(tape, 1, &cost, NULL, &(spor_options){.scalar = SPOR_F64});
    memcpy(spor_program_arg(program, p).data, logits, sizeof logits);
    memcpy(spor_program_arg(program, y).data, targets, sizeof targets);
    ck_assert(spor_run(program, 0));
    double value = *(double *)spor_program_arg(program, cost).data;
    spor_program_free(program);
    spor_tape_free(tape);
    return value;
}

/* -ln softmax of row n at class k. */
static double cost_of(int n, int k) {
    double sum = 0;
    for (int j = 0; j < CLASSES; j++) sum += exp(logits[n * CLASSES + j]);
    return log(sum) - logits[n * CLASSES + k];
}

/* Row 0 is of class 1, row 1 of class 0. */
START_TEST(losses_are_those_by_hand) {
    double plain = (cost_of(0, 1) + cost_of(1, 0)) / 2, even = 0;
    for (int n = 0; n < ROWS; n++)
        for (int k = 0; k < CLASSES; k++) even += cost_of(n, k) / CLASSES / ROWS;
    const struct {
        const char *call, *said;
        double value;
    } calls[] = {
        {"smoothed_cross_entropy()", "smoothed_cross_entropy()", 0.9 * plain + 0.1 * even},
        {"smoothed_cross_entropy(0.25)", "smoothed_cross_entropy(smoothing=0.25)",
         0.75 * plain + 0.25 * even},
        {"smoothed_cross_entropy(smoothing=0)", "smoothed_cross_entropy(smoothing=0)", plain},
        {"weighted_cross_entropy([2, 5, 7.5])", "weighted_cross_entropy(weights=[2, 5, 7.5])",
         (5 * cost_of(0, 1) + 2 * cost_of(1, 0)) / 2},
        {"own(3)", "own(a=3)", 3 * 3.5 + 2 * 2},
        {"own(b=1, a=0)", "own(a=0, b=1)", 2}};
    for (size_t k = 0; k < sizeof calls / sizeof *calls; k++) {
        char rest[256];
        snprintf(rest, sizeof rest, "loss=%s, reduction=\"mean\"", calls[k].call);
        spor_script *script = script_of(rest);
        ck_assert_msg(!script_error(script), "%s", script_error(script));
        ck_assert_str_eq(script_declaration(script)->loss, calls[k].said);
        ck_assert_int_eq(script_declaration(script)->reduction, SPOR_REDUCTION_MEAN);
        ck_assert_double_eq_tol(value_of(script), calls[k].value, 1e-14);
        script_free(script);
    }
}
END_TEST

START_TEST(what_is_wrong_with_a_loss_is_told) {
    spor_script *script = script_of("loss=own(3)");
    ck_assert_ptr_null(script_error(script)); /* rows will tell */
    ck_assert_int_eq(script_declaration(script)->reduction, SPOR_REDUCTION_UNSAID);
    script_free(script);
    script = script_of("loss=own(3), reduction=\"rows\"");
    ck_assert_ptr_nonnull(strstr(script_error(script), "train: say what own does with the costs"));
    script_free(script);
    static const char *const wrong[][2] = {
        {"weighted_cross_entropy([1, 2])", "weighted_cross_entropy: 2 weights for 3 classes"},
        {"smoothed_cross_entropy(1)", "smoothing must be at least 0 and less than 1, not 1"}};
    for (int k = 0; k < 2; k++) {
        char rest[256];
        snprintf(rest, sizeof rest, "loss=%s, reduction=\"mean\"", wrong[k][0]);
        script = script_of(rest);
        spor_tape *tape = spor_tape_new();
        const spor_shape shape = SPOR_SHAPE(ROWS, CLASSES);
        script_loss((spor_input)(tape, "p", shape), (spor_input)(tape, "y", shape), script);
        ck_assert_msg(spor_error(tape) && strstr(spor_error(tape), wrong[k][1]), "%s",
                      spor_error(tape));
        spor_tape_free(tape);
        script_free(script);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("losses");
    TCase *tests = tcase_create("losses");
    tcase_add_test(tests, losses_are_those_by_hand);
    tcase_add_test(tests, what_is_wrong_with_a_loss_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
