/*
 * spor export --c --int8: every network as a file whose whole numbers are those of spor's own run, on its samples and on
 * others, and near the floats; and what its arithmetic is made of.
 */
#include <stdint.h>
#include <string.h>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include "export/int8_portable.c"
#pragma GCC diagnostic pop

#include "../suite.h"
#include "../cli/shell.h"
#include "../support/failing.h"
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
static const double MOST_DISTANCE = 0.01; /* a byte is 0.004 */

/* ---- networks ---- */

/* Rows of U[0, 1). */
static spor_data *random_rows(const spor_shape *sample, int64_t rows, uint64_t seed) {
    const int64_t size = shape_size(sample) * rows;
    spor_data *data = calloc(1, sizeof *data);
    float *x = calloc((size_t)size + 1, sizeof *x);
    for (int64_t k = 0; k < size; k++) x[k] = (float)random_uniform(seed, 0, (uint64_t)k);
    *data = (spor_data){
        .rows = rows, .scale = 1, .x = {.keep = SPOR_KEEP_F32, .shape = *sample, .value = x}};
    return data;
}

static const char main_of_rows[] =
    "#include <stdio.h>\n#include \"net.h\"\n"
    "int self_test(void);\n"
    "int main(void) {\n"
    "    static float x[NET_INPUTS], y[NET_OUTPUTS];\n"
    "    static int8_t x8[NET_INPUTS], y8[NET_OUTPUTS];\n"
    "    while (fread(x, sizeof x, 1, stdin) == 1 && fread(x8, sizeof x8, 1, stdin) == 1) {\n"
    "        net_predict(x, y);\n        net_predict_int8(x8, y8);\n"
    "        fwrite(y, sizeof y, 1, stderr);\n        fwrite(y8, sizeof y8, 1, stderr);\n    }\n"
    "    return self_test();\n}\n";

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
        for (int64_t k = 0; k < columns; k++) sum += pow((double)y[k] - wanted[n * columns + k], 2);
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

/* A network, what it was calibrated with, and its plan. */
typedef struct {
    spor_model *model;
    spor_data *data;
    export_int8_rows rows;
    int8_plan plan;
} exported;

static void make_plan(exported *e) {
    spor_message message = {""};
    const spor_bound *bound = model_bind_for(e->model, 1, MODEL_PREDICTS);
    e->data = random_rows(&model_spec_of(e->model)->sample, ROWS, 3);
    e->rows =
        (export_int8_rows){.calibrate = {.data = e->data, .rows = ROWS}, .text = "random rows"};
    bool done = int8_graph_make(&e->plan.graph, bound->tape, bound->input.id, bound->prediction.id,
                                spor_model_params(e->model), &message) &&
                int8_find_ranges(&e->plan.graph, &e->rows.calibrate, SPOR_F32, &message) &&
                int8_graph_decide(&e->plan.graph, &message) && int8_plan_make(&e->plan, &message);
    ck_assert_msg(done, "%s", message.text);
}

static bool write_c(exported *e, spor_message *message) {
    opened_run run = {.options = model_spec_of(e->model)->options, .model = e->model};
    spor_text told = {0};
    bool done = export_int8_c(&run, &(export_wishes){.int8 = &e->rows}, "net.c", &told, message);
    text_free(&told);
    return done;
}

static void end(exported *e) {
    int8_plan_end(&e->plan);
    spor_data_free(e->data);
}

/* What the file does with its samples, and with other rows, whose results it writes to `got`. */
static int run_file(const char *by, const char *flags) {
    write_file("main.c", main_of_rows);
    return run("%s -std=c99 %s -Wall -Wextra -pedantic -Werror -DNET_SELFTEST -Dmain=self_test -c "
               "net.c && %s -std=c99 main.c net.o -o it && ./it <in 2>got",
               by, flags, by);
}

/* A compiler, whether it takes all networks or the report's six, and how many had weights apart. */
typedef struct {
    const char *name;
    bool all;
    int apart;
} compiler;

/* The file and its header compile without a warning, and have the numbers that spor has. Of those of outside.spor,
 * whose files are long, that is asked where their weights are apart. */
static void check_file(const char *name, exported *e, compiler *by) {
    if (exists("net.bin")) {
        int status = run("%s -std=c99 -Wall -Wextra -pedantic -Werror -DNET_SELFTEST net.c -o it "
                         "&& ./it net.bin && rm net.bin",
                         by->name);
        ck_assert_msg(!status && strstr(out, "the same numbers"), "%s: %.400s%.400s", name, out,
                      err);
        by->apart++;
        return;
    }
    if (strstr(name, "outside_")) return;
    write_rows(e->model, &e->plan);
    int status = run_file(by->name, "-O1");
    ck_assert_msg(!status && strstr(out, "the same numbers"), "%s: %.400s%.400s", name, out, err);
    ck_assert_msg(!run("cmp got made"), "%s: other rows have other numbers", name);
}

static void is_exact(const char *name, spor_model *model, int64_t rows, void *user) {
    compiler *by = user;
    exported e = {.model = model};
    spor_message message = {""};
    (void)rows;
    if (cost_of(model) > MOST_COST || (SANITIZED && strstr(name, "outside_"))) return;
    if (!by->all && (strstr(name, "networks_") || strstr(name, "outside_"))) return;
    make_plan(&e);
    ck_assert_msg(write_c(&e, &message), "%s: %.900s", name, message.text);
    check_file(name, &e, by);
    const double off = distance(model, &e.plan);
    ck_assert_msg(off < MOST_DISTANCE, "%s is off by %g of the range of its results", name, off);
    end(&e);
}

START_TEST(a_network_has_the_same_whole_numbers_in_c) {
    compiler by[] = {{"gcc", true, 0}, {"clang", false, 0}};
    if (run("%s --version", by[_i].name) != 0) {
        printf("not run: there is no %s\n", by[_i].name);
        return;
    }
    ck_assert_int_gt(each_network(getenv("SPOR_SOURCE"), is_exact, &by[_i]), 40);
    printf("%s: %d had weights of more than 1 MiB\n", by[_i].name, by[_i].apart);
}
END_TEST

/* ---- faults ---- */

/* Changes of files that the comparison has to see: of which network's, what, into what. */
static const struct {
    const char *network, *what, *with;
} faults[] = {
    {"convnet1_3", "above + half", "above"},                    /* rounded down */
    {"networks_0", "fill\\[1\\] = {[-0-9]*}", "fill[1] = {7}"}, /* padded with no zero */
    {"densenet2_20", "value > most", "value >= most - 1"},
    {"networks_13", "a\\[i\\] - a_zero", "a[i]"},
    {"networks_2", "v < l; v++", "v < l - 1; v++"},
    {"densenet2_20", "x\\[i\\] + 128", "x[i] + 127"},
};

static void is_seen(const char *name, spor_model *model, int64_t rows, void *user) {
    int *seen = user;
    exported e = {.model = model};
    spor_message message = {""};
    (void)rows;
    for (size_t k = 0; k < sizeof faults / sizeof *faults; k++) {
        if (strcmp(name, faults[k].network) != 0) continue;
        if (!e.data) {
            make_plan(&e);
            ck_assert(write_c(&e, &message));
            write_rows(model, &e.plan);
            expect_status(run("cp net.c right.c"), 0);
        }
        expect_status(run("sed 's/%s/%s/' right.c >net.c && ! cmp -s net.c right.c", faults[k].what,
                          faults[k].with),
                      0);
        run_file("gcc", "-O1 -Wno-error");
        const bool same = strstr(out, "the same numbers") && !run("cmp -s got made");
        ck_assert_msg(!same, "%s: %s for %s is not seen", name, faults[k].with, faults[k].what);
        ++*seen;
    }
    if (e.data) end(&e);
}

START_TEST(a_fault_is_seen) {
    int seen = 0;
    each_network(getenv("SPOR_SOURCE"), is_seen, &seen);
    ck_assert_int_eq(seen, (int)(sizeof faults / sizeof *faults));
}
END_TEST

/* ---- what the arithmetic is made of ---- */

__extension__ typedef __int128 wide;

/* floor(p / 2^shift + 1/2) */
static int64_t rounded(int32_t sum, int32_t factor, int shift) {
    const wide p = 2 * (wide)sum * factor + ((wide)1 << shift), by = (wide)1 << (shift + 1);
    return (int64_t)(p / by - (p % by < 0));
}

START_TEST(requantizing_is_exact) {
    int32_t number[400];
    int count = 0;
    for (int k = 0; k < 31; k++)
        for (int off = -2; off <= 2; off++) {
            const int64_t value = ((int64_t)1 << k) + off;
            number[count++] = (int32_t)value;
            number[count++] = (int32_t)-value;
        }
    number[count++] = INT32_MAX;
    number[count++] = INT32_MIN;
    number[count++] = 1073741825;
    for (int a = 0; a < count; a++)
        for (int b = 0; b < count; b++)
            for (int shift = 1; number[b] > INT32_MIN && shift <= 62; shift++)
                if (net_int8_requantize(number[a], number[b], shift) !=
                    rounded(number[a], number[b], shift))
                    ck_abort_msg("%d times %d / 2^%d", number[a], number[b], shift);
}
END_TEST

START_TEST(a_factor_is_as_near_as_it_can_be) {
    static const double some[] = {1, 0.5, 3, 1.0 / 3, 0.999999999999, 1e-9, 5e-19, 1e6, -0.7, 0};
    int32_t factor;
    int shift;
    for (size_t k = 0; k < sizeof some / sizeof *some; k++) {
        ck_assert(int8_factor(some[k], &factor, &shift));
        ck_assert(shift >= 1 && shift <= 62);
        ck_assert_double_le(fabs(ldexp(factor, -shift) - some[k]),
                            fabs(some[k]) * 0x1p-29 + 0x1p-62);
    }
    ck_assert(!int8_factor(1e10, &factor, &shift));
}
END_TEST

START_TEST(zero_is_exact_in_each_code) {
    static const double ends[] = {0, 1e-30, 1e-6, 0.3, 1, 77, 1e30};
    for (size_t a = 0; a < sizeof ends / sizeof *ends; a++)
        for (size_t b = 0; b < sizeof ends / sizeof *ends; b++) {
            const int8_code code = int8_code_of(-ends[a], ends[b]);
            ck_assert_int_eq(int8_byte(code, 0), code.zero);
            const double least = code.scale * (int8_byte(code, -ends[a]) - code.zero);
            const double most = code.scale * (int8_byte(code, ends[b]) - code.zero);
            const double slack = fmax(code.scale, 1e-29);
            ck_assert(fabs(least + ends[a]) <= slack && fabs(most - ends[b]) <= slack);
        }
}
END_TEST

/* ---- memory ---- */

static void runs_out(const char *name, spor_model *model, int64_t rows, void *user) {
    exported e = {.model = model};
    spor_message message = {""};
    char usual[MOST], other[MOST];
    long refused = 0;
    (void)rows;
    if (strcmp(name, user) != 0) return;
    make_plan(&e);
    failing_begin(0, false);
    bool done = write_c(&e, &message);
    const long count = failing_end();
    ck_assert(done);
    read_file("net.c", usual);
    for (long at = 1; at <= count; at += 1 + count / 400)
        for (int for_good = 0; for_good < 2; for_good++) {
            expect_status(remove("net.c"), 0);
            write_file("net.c", "as it was");
            failing_begin(at, for_good);
            done = write_c(&e, &message);
            failing_end();
            read_file("net.c", other);
            ck_assert_msg(!strcmp(other, done ? usual : "as it was"),
                          "allocation %ld of %ld, %s: %s", at, count, done ? "done" : "refused",
                          message.text);
            refused += !done;
            ck_assert_msg(done || strstr(message.text, "memory"), "allocation %ld: %s", at,
                          message.text);
        }
    printf("%s: %ld allocations\n", name, count);
    ck_assert_int_gt(refused, 100);
    end(&e);
}

START_TEST(no_memory_is_no_file) {
    static char network[] = "networks_6"; /* convolution, normalization, float */
    if (!failing_can) {
        puts("memory: no allocation can be made to fail here: not looked at");
        return;
    }
    each_network(getenv("SPOR_SOURCE"), runs_out, network);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("exported_int8");
    tcase_add_loop_test(shell_case(suite, "networks"), a_network_has_the_same_whole_numbers_in_c, 0,
                        2);
    tcase_add_test(shell_case(suite, "faults"), a_fault_is_seen);
    TCase *arithmetic = shell_case(suite, "arithmetic");
    tcase_add_test(arithmetic, requantizing_is_exact);
    tcase_add_test(arithmetic, a_factor_is_as_near_as_it_can_be);
    tcase_add_test(arithmetic, zero_is_exact_in_each_code);
    tcase_add_test(shell_case(suite, "memory"), no_memory_is_no_file);
    return suite;
}
