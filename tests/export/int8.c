/*
 * spor export --c --int8: every network as a file whose whole numbers are those of spor's own run, on its samples and on
 * others, and near the floats; and what its arithmetic is made of.
 */
#include "../suite.h"
#include "../cli/shell.h"
#include "networks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "export/export.h"
#include "export/int8.h"

enum { ROWS = 24, OTHERS = 6 };
static const double MOST_COST = 2e7;

/* ---- networks ---- */

/* Rows of U[0, 1). */
static spor_data *random_rows(const spor_shape *sample, int64_t rows, uint64_t seed) {
    const int64_t size = shape_size(sample) * rows;
    spor_data *data = calloc(1, sizeof *data);
    float *x = calloc((size_t)size + 1, sizeof *x);
    for (int64_t k = 0; k < size; k++) x[k] = (float)random_uniform(seed, 0, (uint64_t)k);
    *data = (spor_data){.rows = rows,
                        .scale = 1,
                        .x = {.keep = SPOR_KEEP_F32, .shape = *sample, .value = x}};
    return data;
}

static const char main_of_rows[] =
    "#include <stdio.h>\n#include \"net.h\"\n"
    "int main(void) {\n"
    "    static float x[NET_INPUTS], y[NET_OUTPUTS];\n"
    "    static int8_t x8[NET_INPUTS], y8[NET_OUTPUTS];\n"
    "    while (fread(x, sizeof x, 1, stdin) == 1 && fread(x8, sizeof x8, 1, stdin) == 1) {\n"
    "        net_predict(x, y);\n        net_predict_int8(x8, y8);\n"
    "        fwrite(y, sizeof y, 1, stdout);\n        fwrite(y8, sizeof y8, 1, stdout);\n    }\n"
    "    return 0;\n}\n";

/* What spor makes of other rows, as files: what goes in, what comes out. */
static void write_rows(spor_model *model, const int8_plan *plan) {
    const int64_t size = plan->buffer[INT8_X].count, columns = spor_model_columns(model);
    spor_data *other = random_rows(&model_spec_of(model)->sample, OTHERS, 5);
    const float *x = other->x.value;
    float *y = calloc((size_t)columns, sizeof *y);
    int8_t *x8 = calloc((size_t)size, 1), *y8 = calloc((size_t)columns, 1);
    int8_machine machine;
    FILE *in = fopen("in", "wb"), *made = fopen("made", "wb");
    ck_assert(in && made && int8_machine_make(&machine, plan));
    for (int64_t n = 0; n < OTHERS; n++) {
        ck_assert(!int8_run(&machine, x + n * size, y, x8, y8));
        fwrite(x + n * size, sizeof *x, (size_t)size, in);
        fwrite(x8, 1, (size_t)size, in);
        fwrite(y, sizeof *y, (size_t)columns, made);
        fwrite(y8, 1, (size_t)columns, made);
    }
    fclose(in);
    fclose(made);
    int8_machine_end(&machine);
    free(y);
    free(x8);
    free(y8);
    spor_data_free(other);
}

/* How far int8 is from float on other rows: the root of the mean square, of the range that results have. */
static double distance(spor_model *model, const int8_plan *plan) {
    const int64_t size = plan->buffer[INT8_X].count, columns = spor_model_columns(model);
    spor_data *other = random_rows(&model_spec_of(model)->sample, OTHERS, 5);
    double *wanted = calloc((size_t)(columns * OTHERS), sizeof *wanted), sum = 0;
    float *y = calloc((size_t)columns, sizeof *y);
    const int8_node *result = &plan->graph.node[plan->graph.result];
    int8_machine machine;
    ck_assert(model_predict_rows(model, other, NULL, OTHERS, wanted));
    ck_assert(int8_machine_make(&machine, plan));
    for (int64_t n = 0; n < OTHERS; n++) {
        ck_assert(!int8_run(&machine, (const float *)other->x.value + n * size, y, NULL, NULL));
        for (int64_t k = 0; k < columns; k++)
            sum += pow((double)y[k] - wanted[n * columns + k], 2);
    }
    int8_machine_end(&machine);
    free(wanted);
    free(y);
    spor_data_free(other);
    return sqrt(sum / (double)(OTHERS * columns)) / (result->most - result->least);
}

static double cost_of(spor_model *model) {
    const spor_tape *tape = model_bind_for(model, 1, MODEL_PREDICTS)->tape;
    double cost = 0;
    for (uint32_t id = 1; id < tape->count; id++) cost += node_cost(tape, &tape->node[id]);
    return cost;
}

static void is_exact(const char *name, spor_model *model, int64_t rows, void *user) {
    (void)rows;
    (void)user;
    if (cost_of(model) > MOST_COST || (SANITIZED && strstr(name, "outside_"))) return;
    const spor_bound *bound = model_bind_for(model, 1, MODEL_PREDICTS);
    spor_data *data = random_rows(&model_spec_of(model)->sample, ROWS, 3);
    const export_int8_rows given = {.calibrate = {.data = data, .rows = ROWS}, .text = "random rows"};
    opened_run exported = {.options = model_spec_of(model)->options, .model = model};
    spor_text told = {0};
    spor_message message = {""};
    bool done = export_int8_c(&exported, "net.c", &given, &told, &message);
    ck_assert_msg(done, "%s: %.900s", name, message.text);
    int8_plan plan = {0};
    ck_assert(int8_graph_make(&plan.graph, bound->tape, bound->input.id, bound->prediction.id,
                              spor_model_params(model), &message) &&
              int8_find_ranges(&plan.graph, &given.calibrate, SPOR_F32, &message) &&
              int8_graph_decide(&plan.graph, &message) && int8_plan_make(&plan, &message));
    int status = run("gcc -std=c99 -O%d -Wall -Wextra -pedantic -Werror -DNET_SELFTEST net.c -o it && ./it net.bin",
                     strstr(name, "outside_") ? 0 : 1);
    ck_assert_msg(status == 0 && strstr(out, "the same numbers"), "%s: %.400s%.400s", name, out, err);
    if (!strstr(told.at, "net.bin")) {
        write_rows(model, &plan);
        FILE *file = fopen("main.c", "w");
        fputs(main_of_rows, file);
        fclose(file);
        status = run("gcc -std=c99 -O1 net.c main.c -o rows && ./rows <in >got && cmp got made");
        ck_assert_msg(status == 0, "%s: other rows: %.400s%.400s", name, out, err);
    }
    const double off = distance(model, &plan);
    printf("%-24s %.5f of the range\n", name, off);
    text_free(&told);
    int8_plan_end(&plan);
    spor_data_free(data);
}

START_TEST(a_network_has_the_same_whole_numbers_in_c) {
    ck_assert_int_gt(each_network(getenv("SPOR_SOURCE"), is_exact, NULL), 40);
}
END_TEST

static TCase *new_case(Suite *suite, const char *name) {
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, enter_folder, leave_folder);
    tcase_set_timeout(tcase, 600);
    suite_add_tcase(suite, tcase);
    return tcase;
}

Suite *spor_suite(void) {
    Suite *suite = suite_create("exported_int8");
    tcase_add_test(new_case(suite, "networks"), a_network_has_the_same_whole_numbers_in_c);
    return suite;
}
