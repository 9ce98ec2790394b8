/* The report's six networks: they record, with the parameters they must have. */
#include "../suite.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#include "program/program.h"
#include "train/model.h"

typedef struct {
    const char *model, *data, *loss;
    int64_t parameters;
    int entries;
    const char *optimizer;
    int64_t batch, epochs;
    const char *first, *last;
} network;

static const network networks[] = {
    {"densenet2_20", "digits", "cross_entropy(reduction=\"sum\")", 1930, 6,
     "sgd(rate=0.01, l2=0.0001, biases=True)", 10, 100, "densenet2_20/dense[0]/W",
     "densenet2_20/dense[2]/b"},
    {"convnet1_3", "digits", "cross_entropy(reduction=\"sum\")", 4100, 6,
     "sgd(rate=0.001, l2=0.0001, biases=True)", 15, 200, "convnet1_3/conv[0]/K",
     "convnet1_3/dense[1]/b"},
    {"densenet4_300", "mnist", "cross_entropy(reduction=\"sum\")", 299446, 10,
     "sgd(rate=0.001, l2=0.0001, biases=True)", 128, 15, "densenet4_300/dense[0]/W",
     "densenet4_300/dense[4]/b"},
    {"convkeras4_20", "mnist", "cross_entropy(reduction=\"mean\")", 97398, 8, "sgd(rate=0.01)", 30,
     10, "convkeras4_20/conv[0]/K", "convkeras4_20/dense[1]/b"},
    {"lenet2", "svhn", "cross_entropy(reduction=\"mean\")", 160738, 12, "sgd(rate=0.01)", 32, 20,
     "lenet2/conv[0]/K", "lenet2/dense[1]/b"},
    {"convkeras12_32", "svhn", "cross_entropy(reduction=\"mean\")", 304810, 16, "sgd(rate=0.01)",
     128, 20, "convkeras12_32/conv[0]/K", "convkeras12_32/dense[1]/b"},
};

static spor_tape *record(const network *net, bool training, int64_t rows, spor_script **script) {
    char file[64];
    snprintf(file, sizeof file, "%s.spor", net->model);
    return record_model(file, training, rows, script);
}

START_TEST(declares) {
    const network *net = &networks[_i];
    spor_script *script;
    spor_tape *tape = record(net, true, 3, &script);
    const spor_declaration *d = script_declaration(script);
    ck_assert_str_eq(d->model, net->model);
    ck_assert_str_eq(d->data, net->data);
    ck_assert_str_eq(d->loss, net->loss);
    ck_assert_int_eq(d->batch, net->batch);
    ck_assert_int_eq(d->epochs, net->epochs);
    ck_assert_str_eq(d->optimizer, net->optimizer);
    ck_assert(!d->clip && !d->target_is_x && !d->own);
    ck_assert_int_eq(d->classes, 10);
    ck_assert_double_eq(d->scale, strcmp(net->data, "digits") ? 1.0 / 255 : 1.0 / 16);
    spor_tape_free(tape);
    script_free(script);
}
END_TEST

START_TEST(counts_and_names_parameters) {
    const network *net = &networks[_i];
    spor_script *script;
    spor_tape *tape = record(net, true, 3, &script);
    spor_params *params = spor_params_new(SPOR_F32, 0);
    ck_assert(spor_params_join(params, tape));
    ck_assert_int_eq(spor_params_size(params), net->parameters);
    ck_assert_int_eq(spor_params_count(params), net->entries);
    ck_assert_str_eq(spor_params_entry(params, 0).name, net->first);
    ck_assert_str_eq(spor_params_entry(params, net->entries - 1).name, net->last);
    spor_params_free(params);
    spor_tape_free(tape);
    script_free(script);
}
END_TEST

/* Recorded again, not training and with other rows, it has the same names. */
START_TEST(names_are_stable) {
    const network *net = &networks[_i];
    spor_script *script, *again;
    spor_tape *tape = record(net, true, 3, &script), *other = record(net, false, 5, &again);
    spor_params *params = spor_params_new(SPOR_F32, 0);
    ck_assert(spor_params_join(params, tape));
    ck_assert(spor_params_join(params, other));
    ck_assert_int_eq(spor_params_count(params), net->entries);
    spor_params_free(params);
    spor_tape_free(tape);
    spor_tape_free(other);
    script_free(script);
    script_free(again);
}
END_TEST

/* Multiply-adds of all steps; first: of the first that has some. */
static double work_of(const spor_program *program, double *first) {
    double sum = *first = 0;
    for (uint32_t s = 0; s < program->steps; s++) {
        double cost = program_step_cost(program, s);
        if (*first == 0) *first = cost;
        sum += cost;
    }
    return sum;
}

/* What fast paths say of their work: forward that of the ops they stand for, backward once as much
 * for each gradient, which the first layer's input needs none of. */
START_TEST(fast_paths_count_their_work) {
    char path[1200];
    snprintf(path, sizeof path, "%s/%s.spor", models_folder(), networks[_i].model);
    spor_script *script = script_load(path, models_folder(), &claims_dialect, 0, NULL);
    const spor_declaration *d = script_declaration(script);
    ck_assert(d != NULL);
    spor_model *model = spor_model_new(&(spor_model_spec){.net = script_net,
                                                          .loss = script_loss,
                                                          .user = script,
                                                          .sample = d->sample,
                                                          .target = SPOR_SHAPE(d->classes)});
    double recorded = 0, first;
    const spor_bound *bound = model_plan(model, 3, false);
    ck_assert_msg(bound != NULL, "%s", spor_model_error(model));
    for (uint32_t id = 1; id < bound->tape->count; id++)
        recorded += node_cost(bound->tape, &bound->tape->node[id]);
    ck_assert_double_gt(recorded, 0);
    ck_assert_double_eq(work_of(bound->program, &first), recorded);
    bound = model_plan(model, 3, true);
    ck_assert(bound != NULL);
    ck_assert_double_eq(work_of(bound->program, &first), 3 * recorded - first);
    spor_model_free(model);
    script_free(script);
}
END_TEST

START_TEST(a_setting_replaces_a_value) {
    char path[1200];
    snprintf(path, sizeof path, "%s/densenet2_20.spor", models_folder());
    spor_script *script =
        script_load(path, models_folder(), &claims_dialect, 1, &(spor_set){"hidden", "5 * 6"});
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    spor_tape *tape = spor_tape_new();
    script_net(spor_input(tape, "x", SPOR_SHAPE(2, 8, 8, 1)), true, script);
    spor_params *params = spor_params_new(SPOR_F32, 0);
    ck_assert(spor_params_join(params, tape));
    ck_assert_int_eq(spor_params_size(params), 64 * 30 + 30 + 30 * 30 + 30 + 30 * 10 + 10);
    spor_params_free(params);
    spor_tape_free(tape);
    script_free(script);
}
END_TEST

static void set_message(const char *name, const char *value, const char *expected) {
    char path[1200];
    snprintf(path, sizeof path, "%s/densenet2_20.spor", models_folder());
    spor_script *script =
        script_load(path, models_folder(), &claims_dialect, 1, &(spor_set){name, value});
    ck_assert_ptr_nonnull(script_error(script));
    ck_assert_str_eq(script_error(script), expected);
    script_free(script);
}

START_TEST(a_setting_may_be_wrong) {
    set_message("hiden", "3",
                "--set hiden: the script sets no such name; did you mean hidden?; it sets hidden");
    set_message("hidden", "3 +",
                "--set hidden:1:4: expected a value but found the end of the line\n"
                "      3 +\n"
                "         ^");
}
END_TEST

/* Evaluating does not write state; training normalises with the batch. */
START_TEST(layers_know_training) {
    char out[256];
    input x = {SPOR_SHAPE(2, 2), 1};
    const char *text = "include \"layers.spor\"\ndef f(x): return batch_norm(x, epsilon=0)\n";
    run_values(text, true, 1, &x, out, sizeof out);
    ck_assert_str_eq(out, "[2,2] -1 -1 1 1");
    run_values(text, false, 1, &x, out, sizeof out);
    ck_assert_str_eq(out, "[2,2] 1 2 3 4");
    const char *drop = "include \"layers.spor\"\ndef f(x): return dropout(x, 0.5)\n";
    run_values(drop, false, 1, &x, out, sizeof out);
    ck_assert_str_eq(out, "[2,2] 1 2 3 4");
}
END_TEST

/* A training step moves the running mean and variance a tenth of the way to the batch's. */
START_TEST(batch_norm_keeps_running_means) {
    spor_script *script =
        script_read("s.spor", "include \"layers.spor\"\ndef f(x): return batch_norm(x)\n",
                    models_folder(), &claims_dialect);
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(2, 1));
    spor_var y = script_call(script, "f", tape, true, 1, &x);
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_options options = {.scalar = SPOR_F64, .reference = true};
    spor_program *program = spor_compile_training(spor_sum(y, 3), 0, NULL, params, &options);
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    double *in = spor_program_arg(program, x).data;
    in[0] = 2; /* mean 5, variance 9 */
    in[1] = 8;
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    int mean = spor_params_find(params, "f/batch_norm[0]/mean");
    int variance = spor_params_find(params, "f/batch_norm[0]/variance");
    ck_assert(mean >= 0 && variance >= 0);
    ck_assert_int_eq(spor_params_entry(params, mean).kind, SPOR_NETWORK_STATE);
    ck_assert_double_eq_tol(*(double *)spor_params_entry(params, mean).value, 0.5, 1e-15);
    ck_assert_double_eq_tol(*(double *)spor_params_entry(params, variance).value, 1.8, 1e-15);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(tape);
    script_free(script);
}
END_TEST

/* Each element is dropped or doubled, some of each, and twice the same. */
START_TEST(dropout_drops) {
    char out[4096], again[4096];
    input x = {SPOR_SHAPE(64), 1};
    const char *drop = "include \"layers.spor\"\ndef f(x): return dropout(x, 0.5) / x\n";
    run_values(drop, true, 1, &x, out, sizeof out);
    run_values(drop, true, 1, &x, again, sizeof again);
    ck_assert_str_eq(out, again);
    int zeros = 0, twos = 0;
    for (const char *at = out; (at = strchr(at, ' ')); at++) {
        zeros += at[1] == '0';
        twos += at[1] == '2';
    }
    ck_assert_int_eq(zeros + twos, 64);
    ck_assert(zeros > 16 && twos > 16);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("models");
    TCase *test = tcase_create("models");
    int n = (int)(sizeof networks / sizeof *networks);
    tcase_add_loop_test(test, declares, 0, n);
    tcase_add_loop_test(test, counts_and_names_parameters, 0, n);
    tcase_add_loop_test(test, names_are_stable, 0, n);
    tcase_add_loop_test(test, fast_paths_count_their_work, 0, n);
    tcase_add_test(test, a_setting_replaces_a_value);
    tcase_add_test(test, a_setting_may_be_wrong);
    tcase_add_test(test, layers_know_training);
    tcase_add_test(test, batch_norm_keeps_running_means);
    tcase_add_test(test, dropout_drops);
    suite_add_tcase(suite, test);
    return suite;
}
