/*
 * Memory that runs out while a network is exported: each allocation is made to fail once, and all from there on.
 * No crash, and the same file or a message.
 */
#include "../cli/shell.h"
#include "../script/support.h"
#include "../suite.h"
#include "../support/failing.h"
#include "export/export.h"
#include "export/onnx_tape.h"
#include "run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Convolutions, a bias, joined parts, reductions, truths, known numbers, what is repeated for each row. */
static const char text[] =
    "include \"layers.spor\"\n"
    "def f(x):\n"
    "    y = maxpool(batch_norm(conv(x, 3, kernel=3, act=relu)), size=2)\n"
    "    y = where(y > 0.5, y, leaky_relu(pad(y, 1)[:, 1:-1, 1:-1], slope=0.1))\n"
    "    first = broadcast(param([1, 1, 3], init=\"ones\", name=\"first\"), [batch(x), 1, 3])\n"
    "    y = concat([first, reshape(y, [batch(x), 4, 3]), first], axis=1)\n"
    "    return softmax(dense(flatten(sort(y, axis=1) - mean(y, axis=2, keepdims=True)), 4))\n";

typedef struct {
    spor_script *script;
    spor_tape *tape[2];
    spor_params *params;
    onnx_source source;
} exported;

static void record(exported *e) {
    e->script = script_read("s.spor", text, models_folder(), &claims_dialect);
    ck_assert_msg(!script_error(e->script), "%s", script_error(e->script));
    e->source = (onnx_source){.name = "f", .rows = 7, .again_rows = 11};
    for (int k = 0; k < 2; k++) {
        e->tape[k] = spor_tape_new();
        spor_var x = spor_input(e->tape[k], "x", SPOR_SHAPE(k ? 11 : 7, 4, 4, 2));
        spor_var y = script_call(e->script, "f", e->tape[k], false, 1, &x);
        ck_assert_msg(!spor_error(e->tape[k]), "%s", spor_error(e->tape[k]));
        *(k ? &e->source.again : &e->source.output) = y;
    }
    e->source.params = e->params = spor_params_new(SPOR_F32, 1);
    ck_assert(spor_params_join(e->params, e->tape[0]));
}

START_TEST(no_memory_is_no_file) {
    exported e;
    spor_text usual = {0};
    onnx_outcome outcome;
    spor_message message = {""};
    if (!failing_can) {
        puts("memory: no allocation can be made to fail here: not looked at");
        return;
    }
    record(&e);
    failing_begin(0, false);
    bool done = onnx_of_tape(&e.source, &usual, &outcome, &message);
    const long count = failing_end();
    long refused = 0;
    ck_assert_msg(done, "%s", message.text);
    ck_assert_int_gt(count, 20);
    for (long at = 1; at <= count; at++)
        for (int for_good = 0; for_good < 2; for_good++) {
            spor_text bytes = {0};
            failing_begin(at, for_good);
            done = onnx_of_tape(&e.source, &bytes, &outcome, &message);
            failing_end();
            if (done)
                ck_assert(bytes.size == usual.size && !memcmp(bytes.at, usual.at, usual.size));
            else
                refused++, ck_assert_msg(strstr(message.text, "memory"), "allocation %ld: %s", at,
                                         message.text);
            text_free(&bytes);
        }
    ck_assert_int_gt(refused, count);
    text_free(&usual);
    spor_params_free(e.params);
    for (int k = 0; k < 2; k++) spor_tape_free(e.tape[k]);
    script_free(e.script);
}
END_TEST

/* ---- C with a step of training ---- */

static const char trained[] =
    "include \"layers.spor\"\n"
    "def net(x):\n"
    "    return dense(flatten(maxpool(conv(x, 2, kernel=2, act=relu), size=2)), 3)\n"
    "train(net, data=csv(\"none.csv\", shape=[4, 4, 1], classes=3),\n"
    "      loss=cross_entropy(reduction=\"mean\"), optimizer=momentum(rate=0.1), batch=2, "
    "epochs=1)\n";

/* Exports with allocation `at` failing; how many there were. */
static long export_failing(long at, bool for_good, bool *done, spor_message *message) {
    spor_script *script = script_read("s.spor", trained, models_folder(), &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    opened_run of = {.script = script};
    of.model = run_script_model(script, script_declaration(script), NULL, 0, &of.options);
    const export_wishes wishes = {.trains = true};
    spor_text told = {0};
    ck_assert_int_gt(spor_model_columns(of.model), 0);
    failing_begin(at, for_good);
    *done = export_c(&of, &wishes, "net.c", &told, message);
    const long count = failing_end();
    text_free(&told);
    spor_model_free(of.model);
    script_free(script);
    return count;
}

START_TEST(no_memory_is_no_step_of_training) {
    static char usual[MOST], now[MOST];
    spor_message message = {""};
    bool done;
    if (!failing_can) return;
    const long count = export_failing(0, false, &done, &message), some = count / 150 + 1;
    ck_assert_msg(done, "%s", message.text);
    read_file("net.c", usual);
    for (long at = 1; at <= count; at += some)
        for (int for_good = 0; for_good < 2; for_good++) {
            ck_assert_int_eq(run("rm -f net.c net.h"), 0);
            export_failing(at, for_good, &done, &message);
            if (done) {
                read_file("net.c", now);
                ck_assert_msg(!strcmp(now, usual), "allocation %ld: another file", at);
                continue;
            }
            ck_assert_msg(!exists("net.c") && !exists("net.h") && *message.text,
                          "allocation %ld: %s", at, message.text);
        }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("export_memory");
    TCase *tests = tcase_create("memory");
    tcase_add_test(tests, no_memory_is_no_file);
    suite_add_tcase(suite, tests);
    TCase *training = tcase_create("training");
    tcase_add_checked_fixture(training, enter_folder, leave_folder);
    tcase_set_timeout(training, 300);
    tcase_add_test(training, no_memory_is_no_step_of_training);
    suite_add_tcase(suite, training);
    return suite;
}
