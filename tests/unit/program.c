/* Programs: compiling, parameters, memory, replay; and parameters shared by several tapes. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>
#include "../support/sets.h"
#include "base/bytes.h"
#include "kernels/element.h"
#include "program/program.h"

static const spor_options by_reference = {.scalar = SPOR_F64, .reference = true};

/* tanh(x W + b) summed: a network of one layer. */
typedef struct {
    spor_tape *tape;
    spor_var x, W, b, y, cost;
} layer;

static layer record_layer(int64_t rows) {
    layer l = {.tape = spor_tape_new()};
    l.x = spor_input(l.tape, "x", SPOR_SHAPE(rows, 3));
    spor_scope_begin(l.tape, "layer");
    l.W = spor_param(l.tape, "W", SPOR_SHAPE(3, 2), SPOR_INIT("normal", 1));
    l.b = spor_param(l.tape, "b", SPOR_SHAPE(2), SPOR_INIT("constant", 0.5));
    l.y = spor_tanh(spor_add(spor_matmul(l.x, l.W), spor_broadcast(l.b, SPOR_SHAPE(rows, 2))));
    spor_scope_end(l.tape, l.y);
    l.cost = spor_sum(l.y, SPOR_AXIS(0) | SPOR_AXIS(1));
    return l;
}

static void fill(spor_arg a, double from) {
    int64_t size = 1;
    for (int k = 0; k < a.shape.rank; k++) size *= a.shape.n[k];
    for (int64_t k = 0; k < size; k++) ((double *)a.data)[k] = from + 0.25 * (double)k;
}

static void check_healthy(const spor_program *program) {
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
}

START_TEST(gradients_land_in_the_block_and_agree_with_the_tape) {
    layer l = record_layer(4);
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_program *training = spor_compile_training(l.cost, 1, &l.y, params, &by_reference);
    check_healthy(training);
    fill(spor_program_arg(training, l.x), -1);
    ck_assert(spor_run(training, 0));

    spor_var wrt[] = {l.W, l.b}, d[2];
    ck_assert(spor_grad(l.cost, 2, wrt, d));
    spor_program *on_tape = spor_compile(l.tape, 2, d, params, &by_reference);
    check_healthy(on_tape);
    fill(spor_program_arg(on_tape, l.x), -1);
    ck_assert(spor_run(on_tape, 0));
    for (int k = 0; k < 2; k++) {
        spor_entry entry = spor_params_entry(params, k);
        size_t bytes = (k ? 2 : 6) * sizeof(double);
        ck_assert_mem_eq(entry.gradient, spor_program_arg(on_tape, d[k]).data, bytes);
        ck_assert_double_ne(((double *)entry.gradient)[0], 0);
    }
    spor_program_free(training);
    spor_program_free(on_tape);
    spor_params_free(params);
    spor_tape_free(l.tape);
}
END_TEST

START_TEST(an_update_moves_parameters_by_the_stated_rule) {
    layer l = record_layer(4);
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_program *training = spor_compile_training(l.cost, 0, NULL, params, &by_reference);
    check_healthy(training);
    fill(spor_program_arg(training, l.x), -1);
    ck_assert(spor_run(training, 0));
    ck_assert(spor_params_finite(params));
    for (int biases = 0; biases < 2; biases++) {
        double w[2], g[2];
        for (int k = 0; k < 2; k++) {
            w[k] = *(double *)spor_params_entry(params, k).value;
            g[k] = *(double *)spor_params_entry(params, k).gradient;
        }
        spor_params_sgd(params, 0.125, 0.25, biases);
        double *W = spor_params_entry(params, 0).value, *b = spor_params_entry(params, 1).value;
        ck_assert_double_eq(W[0], w[0] - 0.125 * (g[0] + 0.25 * w[0]));
        ck_assert_double_eq(b[0], w[1] - 0.125 * (g[1] + (biases ? 0.25 * w[1] : 0)));
    }
    ((double *)spor_params_entry(params, 1).gradient)[1] = (double)NAN;
    ck_assert(!spor_params_finite(params));
    ((double *)spor_params_entry(params, 1).gradient)[1] = -HUGE_VAL;
    ck_assert(!spor_params_finite(params));
    spor_program_free(training);
    spor_params_free(params);
    spor_tape_free(l.tape);
}
END_TEST

START_TEST(initial_values_depend_on_seed_and_name_alone) {
    spor_params *a = spor_params_new(SPOR_F64, 1), *b = spor_params_new(SPOR_F64, 1),
                *c = spor_params_new(SPOR_F64, 2);
    layer l = record_layer(4), m = record_layer(7);
    spor_tape *extra = spor_tape_new();
    spor_param(extra, "first", SPOR_SHAPE(5), SPOR_INIT("normal", 1));
    ck_assert(spor_params_join(a, l.tape));
    ck_assert(spor_params_join(b, extra)); /* another layer before it changes no draw */
    ck_assert(spor_params_join(b, m.tape));
    ck_assert(spor_params_join(c, l.tape));
    int k = spor_params_find(b, "layer/W");
    ck_assert_int_eq(k, 1);
    const double *wa = spor_params_entry(a, 0).value, *wb = spor_params_entry(b, k).value,
                 *wc = spor_params_entry(c, 0).value;
    ck_assert_mem_eq(wa, wb, 6 * sizeof *wa);
    for (int j = 0; j < 6; j++) ck_assert_double_ne(wa[j], wc[j]);
    ck_assert_int_eq(spor_params_size(a), 8);
    spor_params_free(a);
    spor_params_free(b);
    spor_params_free(c);
    spor_tape_free(l.tape);
    spor_tape_free(m.tape);
    spor_tape_free(extra);
}
END_TEST

/* Mean and standard deviation of 40000 draws of a law over a kernel [5, 5, 40, 40]. */
static void moments(spor_init init, double *mean, double *deviation) {
    spor_tape *tape = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 3);
    spor_param(tape, "K", SPOR_SHAPE(5, 5, 20, 80), init);
    ck_assert(spor_params_join(params, tape));
    const double *x = spor_params_entry(params, 0).value;
    double sum = 0, squares = 0;
    for (int k = 0; k < 40000; k++) {
        sum += x[k];
        squares += x[k] * x[k];
    }
    *mean = sum / 40000;
    *deviation = sqrt(squares / 40000);
    spor_params_free(params);
    spor_tape_free(tape);
}

START_TEST(laws_have_their_standard_deviation) {
    const struct {
        spor_init init;
        double deviation;
    } rows[] = {{{"normal", 2}, 2},
                {{"uniform", 1}, 0.57735},   /* 1/sqrt 3 */
                {{"lecun", 1}, 0.0447214},   /* 1/sqrt 500 */
                {{"he", 1}, 0.0632456},      /* sqrt(2/500) */
                {{"glorot", 1}, 0.0282843}}; /* sqrt(2/2500) */
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        double mean, deviation;
        moments(rows[k].init, &mean, &deviation);
        /* 40000 draws: the mean is within 4/200 of its standard deviation, that within 4 kurtoses
         */
        ck_assert_double_le(fabs(mean), 0.02 * rows[k].deviation);
        ck_assert_double_le(fabs(deviation / rows[k].deviation - 1), 0.015);
    }
}
END_TEST

/* The names of scripts; what "constant" gives is the reference. */
START_TEST(zeros_and_ones_are_laws_too) {
    static const struct {
        spor_init init;
        double value;
    } rows[] = {{{"zeros", 1}, 0},  {{"zeros", -3}, 0},   {{"ones", 1}, 1},
                {{"ones", -3}, -3}, {{"constant", 2}, 2}, {{"constant", 0}, 0}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        spor_tape *tape = spor_tape_new();
        spor_params *params = spor_params_new(SPOR_F64, 3);
        spor_param(tape, "b", SPOR_SHAPE(5), rows[k].init);
        ck_assert_ptr_null(spor_error(tape));
        ck_assert(spor_params_join(params, tape));
        const double *x = spor_params_entry(params, 0).value;
        for (int j = 0; j < 5; j++) ck_assert_double_eq(x[j], rows[k].value);
        ck_assert(!signbit(rows[k].value * x[0]));
        spor_params_free(params);
        spor_tape_free(tape);
    }
}
END_TEST

START_TEST(several_tapes_share_parameters_and_a_workspace) {
    layer l = record_layer(4), m = record_layer(300);
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_workspace *workspace = spor_workspace_new();
    spor_options options = by_reference;
    options.workspace = workspace;
    spor_program *small = spor_compile(l.tape, 1, &l.y, params, &options);
    spor_program *large = spor_compile(m.tape, 1, &m.y, params, &options);
    double first = 0;
    for (int round = 0; round < 3; round++) { /* the workspace moves when large takes it */
        fill(spor_program_arg(small, l.x), -1);
        ck_assert(spor_run(small, 0));
        double y = *(double *)spor_program_arg(small, l.y).data;
        if (!round) first = y;
        ck_assert_double_eq(y, first);
        fill(spor_program_arg(large, m.x), -1);
        ck_assert(spor_run(large, 0));
        ck_assert_double_eq(*(double *)spor_program_arg(large, m.y).data, first);
    }
    spor_program_free(small);
    spor_program_free(large);
    spor_workspace_free(workspace);
    spor_params_free(params);
    spor_tape_free(l.tape);
    spor_tape_free(m.tape);
}
END_TEST

START_TEST(another_scalar_type_gets_converted_parameters) {
    layer l = record_layer(4);
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_program *program = spor_compile_training(l.cost, 1, &l.y, params, &by_reference);
    check_healthy(program);
    spor_arg x = spor_program_arg(program, l.x);
    fill(x, -1);
    ck_assert(spor_run(program, 0));
    const float *W = spor_params_entry(params, 0).value, *b = spor_params_entry(params, 1).value;
    const double *row = x.data;
    double z = (double)b[0];
    for (int k = 0; k < 3; k++) z += row[k] * (double)W[2 * k];
    ck_assert_double_eq_tol(*(double *)spor_program_arg(program, l.y).data, tanh(z), 1e-15);
    ck_assert(*(float *)spor_params_entry(params, 1).gradient != 0);
    double before = *(double *)spor_program_arg(program, l.y).data;
    spor_params_sgd(params, 0.1, 0, false); /* a new generation: converted again */
    ck_assert(spor_run(program, 0));
    ck_assert_double_ne(*(double *)spor_program_arg(program, l.y).data, before);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(l.tape);
}
END_TEST

START_TEST(state_is_kept_and_not_trained) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_var count = spor_state(t, "count", SPOR_SCALAR_SHAPE, SPOR_INIT("constant", 10));
    spor_var w = spor_param(t, "w", SPOR_SCALAR_SHAPE, SPOR_INIT("constant", 2));
    spor_assign(count, spor_add(count, spor_ratio(t, 1, 1)));
    spor_program *program =
        spor_compile_training(spor_mul(spor_mul(w, w), count), 0, NULL, params, &by_reference);
    check_healthy(program);
    for (int k = 0; k < 3; k++) ck_assert(spor_run(program, 0));
    ck_assert_double_eq(*(double *)spor_params_entry(params, 1).gradient, 2 * 2 * 12);
    spor_params_sgd(params, 1, 1, true);
    ck_assert_double_eq(*(double *)spor_params_entry(params, 0).value, 13);
    ck_assert_int_eq(spor_params_size(params), 1);
    *(double *)spor_params_entry(params, 1).value = HUGE_VAL; /* its gradient will be inf */
    ck_assert(spor_run(program, 0));
    ck_assert_double_eq(*(double *)spor_params_entry(params, 0).value, 13);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

/* The backward of y = x w for x and w; u, of which y is independent, gets none. */
static bool backward_of_product(void *user, spor_var y, spor_var dy, int n,
                                const spor_var operand[], spor_var d[]) {
    (void)user, (void)y;
    d[0] = spor_mul(dy, operand[1]);
    d[1] = spor_mul(dy, operand[0]);
    d[2] = spor_sub(operand[2], operand[2]);
    return n == 3;
}

START_TEST(a_hand_derived_backward_may_have_operands_that_nothing_reads) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_var x = spor_param(t, "x", SPOR_SCALAR_SHAPE, SPOR_INIT("constant", 3));
    spor_var w = spor_param(t, "w", SPOR_SCALAR_SHAPE, SPOR_INIT("constant", 5));
    spor_var u = spor_mul(x, x), y = spor_mul(x, w);
    spor_custom_vjp(y, 3, (spor_var[]){x, w, u}, backward_of_product, NULL);
    spor_program *program = spor_compile_training(y, 0, NULL, params, &by_reference);
    check_healthy(program);
    ck_assert(spor_run(program, 0));
    ck_assert_double_eq(*(double *)spor_params_entry(params, 0).gradient, 5);
    ck_assert_double_eq(*(double *)spor_params_entry(params, 1).gradient, 3);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

/* The backward of y = the product of all, each with a factor of its own. */
static bool backward_of_many(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                             spor_var d[]) {
    (void)user;
    for (int k = 0; k < n; k++)
        d[k] = spor_mul(spor_ratio(y.tape, k + 2, 1), spor_div(spor_mul(dy, y), operand[k]));
    return true;
}

/* Of more operands than a node has. */
START_TEST(a_hand_derived_backward_may_have_many_operands) {
    for (int n = 1; n <= SPOR_CUSTOM_OPERANDS; n++) {
        spor_tape *t = spor_tape_new();
        spor_params *params = spor_params_new(SPOR_F64, 1);
        spor_var x[SPOR_CUSTOM_OPERANDS], y = spor_ratio(t, 1, 1);
        double product = 1;
        for (int k = 0; k < n; k++) {
            char name[8];
            snprintf(name, sizeof name, "x%d", k);
            x[k] = spor_param(t, name, SPOR_SCALAR_SHAPE, SPOR_INIT("constant", k + 1));
            y = spor_mul(y, x[k]);
            product *= k + 1;
        }
        spor_custom_vjp(y, n, x, backward_of_many, NULL);
        spor_program *program = spor_compile_training(y, 0, NULL, params, &by_reference);
        check_healthy(program);
        ck_assert(spor_run(program, 0));
        for (int k = 0; k < n; k++)
            ck_assert_double_eq_tol(*(double *)spor_params_entry(params, k).gradient,
                                    (k + 2) * product / (k + 1), 1e-8);
        spor_program_free(program);
        spor_params_free(params);
        spor_tape_free(t);
    }
}
END_TEST

START_TEST(assignments_take_the_values_before_all_of_them) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_var a = spor_state(t, "a", SPOR_SHAPE(1), SPOR_INIT("constant", 1));
    spor_var b = spor_state(t, "b", SPOR_SHAPE(1), SPOR_INIT("constant", 2));
    spor_assign(a, b);
    spor_assign(b, spor_reshape(a, SPOR_SHAPE(1)));
    spor_var cost = spor_sum(spor_param(t, "w", SPOR_SHAPE(1), SPOR_INIT("constant", 1)), 1);
    spor_program *program = spor_compile_training(cost, 0, NULL, params, &by_reference);
    check_healthy(program);
    ck_assert(spor_run(program, 0));
    ck_assert_double_eq(*(double *)spor_params_entry(params, 0).value, 2);
    ck_assert_double_eq(*(double *)spor_params_entry(params, 1).value, 1);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

START_TEST(memory_follows_lifetimes_and_runs_repeat) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1000)), y = x;
    for (int k = 0; k < 100; k++) y = spor_tanh(y);
    spor_program *program = spor_compile(t, 1, &y, NULL, &by_reference);
    ck_assert_uint_le(spor_program_bytes(program), 5 * 8 * 1000); /* input, output, two in turn */
    spor_arg in = spor_program_arg(program, x);
    fill(in, -100);
    double input[1000], output[1000];
    memcpy(input, in.data, sizeof input);
    ck_assert(spor_run(program, 0));
    memcpy(output, spor_program_arg(program, y).data, sizeof output);
    ck_assert(spor_run(program, 0));
    ck_assert_mem_eq(output, spor_program_arg(program, y).data, sizeof output);
    ck_assert_mem_eq(input, in.data, sizeof input);
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

START_TEST(equal_nodes_are_computed_once) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), y = x;
    for (int k = 0; k < 3; k++) y = spor_add(spor_tanh(x), y);
    spor_program *program = spor_compile(t, 1, &y, NULL, &by_reference);
    char text[1024];
    FILE *out = fmemopen(text, sizeof text, "w");
    spor_program_print(program, out);
    fclose(out);
    ck_assert_ptr_nonnull(strstr(text, "4 steps")); /* one tanh, three sums */
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

/* A few whole numbers among zeros, others for each run. */
static void scatter(float *to, int64_t size, int64_t every, int run) {
    for (int64_t k = 0; k < size; k++) to[k] = (k + run) % every ? 0 : (float)(k % 3 - 1);
}

/* Weights that several steps read are brought into their form once in a run, and where nothing changes them once
 * for all runs: with the numbers of the reference. */
START_TEST(what_steps_prepare_alike_is_prepared_once) {
    enum { ROWS = 6, WIDTH = 70, RUNS = 3, PROGRAMS = 4 };
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(ROWS, WIDTH)), y = x;
    spor_var W[] = {spor_param(tape, "U", SPOR_SHAPE(WIDTH, WIDTH), SPOR_INIT("zeros", 0)),
                    spor_param(tape, "V", SPOR_SHAPE(WIDTH, WIDTH), SPOR_INIT("zeros", 0))};
    for (int t = 0; t < 4; t++) y = spor_relu(spor_matmul(y, W[t % 2]));
    spor_var cost = spor_sum(y, SPOR_AXIS(0) | SPOR_AXIS(1));
    spor_params *params = spor_params_new(SPOR_F32, 1);
    const spor_options reference = {.reference = true}, fast = {.threads = 2};
    spor_program *program[PROGRAMS] = {spor_compile(tape, 1, &y, params, &reference),
                                       spor_compile(tape, 1, &y, params, &fast),
                                       spor_compile_training(cost, 1, &y, params, &reference),
                                       spor_compile_training(cost, 1, &y, params, &fast)};
    for (int run = 0; run < RUNS; run++) {
        for (int k = 0; k < 2; k++)
            scatter(spor_params_entry(params, k).value, WIDTH * WIDTH, 17 + k, run);
        spor_params_touch(params);
        float gradient[WIDTH * WIDTH];
        for (int k = 0; k < PROGRAMS; k++) {
            check_healthy(program[k]);
            scatter(spor_program_arg(program[k], x).data, ROWS * WIDTH, 2, run);
            ck_assert(spor_run(program[k], 0) && spor_run(program[k], 0));
            ck_assert_mem_eq(spor_program_arg(program[k], y).data,
                             spor_program_arg(program[0], y).data, ROWS * WIDTH * sizeof(float));
            const float *dU = spor_params_entry(params, 0).gradient;
            if (k == 2) memcpy(gradient, dU, sizeof gradient);
            if (k == 3) ck_assert_mem_eq(dU, gradient, sizeof gradient);
        }
    }
    int shared[PROGRAMS] = {0};
    for (int k = 0; k < PROGRAMS; k++) {
        for (uint32_t s = 0; s < program[k]->steps; s++)
            shared[k] += program[k]->step[s].prepared != NULL;
        spor_program_free(program[k]);
    }
    ck_assert_int_eq(shared[1], 2);
    ck_assert_int_eq(shared[3], 2 + 1); /* no dx of the first step is asked for */
    spor_params_free(params);
    spor_tape_free(tape);
}
END_TEST

START_TEST(the_first_value_that_is_not_finite_is_named) {
    spor_tape *t = spor_tape_new();
    spor_scope_begin(t, "net");
    spor_var x = spor_input(t, "x", SPOR_SHAPE(2, 2)), l = spor_log(x);
    spor_var y = spor_exp(l);
    spor_scope_end(t, y);
    spor_program *program = spor_compile(t, 1, &y, NULL, &by_reference);
    double *data = spor_program_arg(program, x).data;
    for (int k = 0; k < 4; k++) data[k] = 1;
    ck_assert(spor_run_checked(program, 0));
    data[3] = 0;
    ck_assert(spor_run(program, 0)); /* plain runs do not look */
    ck_assert(!spor_run_checked(program, 0));
    const char *error = spor_program_error(program);
    ck_assert_msg(strstr(error, "net: log [2, 2] of [2, 2] is -inf at [1, 1]") &&
                      strstr(error, "unit/program.c:"),
                  "%s", error);
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

/* The backward of y = tanh z as a person derives it, times a factor to see it used. */
static bool hand_derived(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                         spor_var d[]) {
    spor_shape shape = spor_shape_of(y);
    spor_var one = spor_broadcast(spor_ratio(y.tape, 1, 1), shape);
    spor_var factor = spor_broadcast(spor_ratio(y.tape, *(const int *)user, 1), shape);
    (void)operand;
    d[0] = spor_mul(factor, spor_mul(dy, spor_sub(one, spor_mul(y, y))));
    return n == 1;
}

START_TEST(training_uses_a_hand_derived_backward_and_the_tape_does_not) {
    for (int factor = 1; factor <= 3; factor += 2) {
        for (int fast = 0; fast < 2; fast++) {
            spor_tape *t = spor_tape_new();
            spor_params *params = spor_params_new(SPOR_F64, 1);
            spor_var z = spor_param(t, "z", SPOR_SHAPE(3), SPOR_INIT("normal", 1)),
                     y = spor_tanh(z);
            spor_var cost = spor_sum(spor_mul(y, y), SPOR_AXIS(0)), d;
            spor_custom_vjp(y, 1, &z, hand_derived, &factor);
            ck_assert(spor_grad(cost, 1, &z, &d));
            spor_options options = {.scalar = SPOR_F64, .reference = !fast};
            spor_program *training = spor_compile_training(cost, 0, NULL, params, &options);
            spor_program *tape = spor_compile(t, 1, &d, params, &options);
            check_healthy(training);
            ck_assert(spor_run(training, 0) && spor_run(tape, 0));
            const double *g = spor_params_entry(params, 0).gradient;
            const double *want = spor_program_arg(tape, d).data;
            for (int k = 0; k < 3; k++) ck_assert_double_eq_tol(g[k], factor * want[k], 1e-15);
            spor_program_free(training);
            spor_program_free(tape);
            spor_params_free(params);
            spor_tape_free(t);
        }
    }
}
END_TEST

/* Of m = mean x over the first axis, times a factor. */
static bool backward_of_mean(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                             spor_var d[]) {
    (void)y;
    spor_shape shape = spor_shape_of(operand[0]);
    spor_var share = spor_broadcast(spor_ratio(dy.tape, *(const int *)user, shape.n[0]), shape);
    d[0] = spor_mul(share, spor_expand(dy, SPOR_AXIS(0), shape));
    return n == 1;
}

/* sum of w (x - m) / sqrt(mean (x - m)^2 + 1), the backward of m being 3 times what the ops say. */
static spor_var record_normalization(spor_tape *t, const int *factor) {
    const spor_shape shape = SPOR_SHAPE(4, 2);
    spor_var x = spor_param(t, "x", shape, SPOR_INIT("normal", 1));
    spor_var w = spor_param(t, "w", shape, SPOR_INIT("normal", 1));
    spor_var m = spor_mean(x, SPOR_AXIS(0)), c = spor_sub(x, spor_expand(m, SPOR_AXIS(0), shape));
    spor_custom_vjp(m, 1, &x, backward_of_mean, (void *)(uintptr_t)factor);
    spor_var v = spor_mean(spor_mul(c, c), SPOR_AXIS(0));
    spor_var one = spor_broadcast(spor_ratio(t, 1, 1), SPOR_SHAPE(2));
    spor_var s = spor_expand(spor_sqrt(spor_add(v, one)), SPOR_AXIS(0), shape);
    return spor_sum(spor_mul(w, spor_div(c, s)), 3);
}

START_TEST(a_path_does_not_pass_by_a_hand_derived_backward) {
    for (int factor = 1; factor <= 3; factor += 2) {
        double gradient[2][8];
        for (int fast = 0; fast < 2; fast++) {
            spor_tape *t = spor_tape_new();
            spor_params *params = spor_params_new(SPOR_F64, 1);
            spor_var cost = record_normalization(t, &factor);
            spor_options options = {.scalar = SPOR_F64, .reference = !fast};
            spor_program *program = spor_compile_training(cost, 0, NULL, params, &options);
            check_healthy(program);
            ck_assert(spor_run(program, 0));
            ck_assert_int_eq(spor_program_fast(program, "normalization"), 0);
            memcpy(gradient[fast], spor_params_entry(params, 0).gradient, sizeof gradient[fast]);
            spor_program_free(program);
            spor_params_free(params);
            spor_tape_free(t);
        }
        for (int k = 0; k < 8; k++) ck_assert_double_eq_tol(gradient[1][k], gradient[0][k], 1e-14);
    }
}
END_TEST

/* ---- errors ---- */

static void check_refused(spor_program *program, const char *part) {
    ck_assert(!spor_run(program, 0));
    const char *error = spor_program_error(program);
    ck_assert_msg(error && strstr(error, part), "want \"%s\" in \"%s\"", part,
                  error ? error : "(no error)");
    spor_program_free(program);
}

START_TEST(what_cannot_be_compiled_is_refused_with_its_reason) {
    layer l = record_layer(4);
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_tape *broken = spor_tape_new(), *other = spor_tape_new();
    spor_var bad = spor_matmul(spor_ratio(broken, 1, 1), spor_ratio(broken, 1, 1));
    check_refused(spor_compile(l.tape, 1, &l.y, NULL, NULL), "no spor_params was given");
    check_refused(spor_compile(broken, 1, &bad, NULL, NULL), "matmul");
    check_refused(spor_compile_training(bad, 0, NULL, params, NULL), "matmul");
    check_refused(spor_compile(other, 1, &l.y, params, NULL), "not a variable of the tape");
    check_refused(spor_compile_training(l.y, 0, NULL, params, NULL), "a cost is a scalar");
    check_refused(spor_compile(l.tape, 1, &l.y, params, &(spor_options){.isa = "sse9"}),
                  "no instruction set \"sse9\"");
    spor_param(other, "layer/W", SPOR_SHAPE(7), SPOR_INIT("normal", 1));
    ck_assert(!spor_params_join(params, other));
    ck_assert_ptr_nonnull(strstr(spor_params_error(params), "layer/W"));
    spor_params_free(params);
    spor_tape_free(l.tape);
    spor_tape_free(broken);
    spor_tape_free(other);
}
END_TEST

START_TEST(memory_that_cannot_be_had_is_an_error_of_the_run) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1000));
    spor_var y = spor_expand(x, SPOR_AXIS(0), SPOR_SHAPE(INT64_C(1) << 30, 1000));
    spor_program *program = spor_compile(t, 1, &y, NULL, &by_reference);
    if (SIZE_MAX > UINT32_MAX) { /* 8 TB, told before they are taken */
        ck_assert_uint_gt(spor_program_bytes(program), (uint64_t)1 << 42);
        check_refused(program, "which cannot be had");
    } else {
        check_refused(program, "more memory than can be addressed");
    }
    spor_tape_free(t);
}
END_TEST

/* A program of parameters of 2 x 4 TB is made and described; what they are costs memory. */
START_TEST(parameters_take_memory_when_they_are_needed) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_shape shape = SPOR_SHAPE(INT64_C(1) << 39);
    spor_var w = spor_param(t, "w", shape, SPOR_INIT("normal", 1));
    spor_var v = spor_param(t, "v", shape, SPOR_INIT("normal", 1));
    spor_var cost = spor_sum(spor_mul(w, v), SPOR_AXIS(0));
    spor_program *program = spor_compile(t, 1, &cost, params, NULL);
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    ck_assert_int_eq(spor_params_count(params), 2);
    ck_assert_int_eq(spor_params_size(params), INT64_C(1) << 40);
    ck_assert(!spor_run(program, 0));
    ck_assert(strstr(spor_program_error(program), "out of memory for the parameters"));
    ck_assert_ptr_null(spor_params_entry(params, 0).name);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

/* 2^39 elements of 40 bytes each, 420000 times at once, are more than 2^63 bytes. */
START_TEST(memory_that_cannot_be_addressed_is_refused) {
    enum { NODES = 420000 };
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SCALAR_SHAPE);
    spor_var first = spor_expand(x, SPOR_AXIS(0), SPOR_SHAPE(INT64_C(1) << 39));
    spor_var *y = malloc(NODES * sizeof *y);
    ck_assert_ptr_nonnull(y);
    y[0] = first;
    for (int k = 1; k < NODES; k++) y[k] = spor_add(y[k - 1], first);
    spor_options options = {.scalar = SPOR_ROUNDING, .reference = true};
    check_refused(spor_compile(t, NODES, y, NULL, &options), "more memory than can be addressed");
    free(y);
    spor_tape_free(t);
}
END_TEST

/* What a size of bytes may be, on this machine. */
START_TEST(sizes_in_bytes_do_not_overflow) {
    ck_assert_uint_eq(bytes_for(3, 40), 120);
    ck_assert_uint_eq(bytes_for(INT64_MAX, 1), BYTES_MOST);
    ck_assert_uint_eq(bytes_for((int64_t)(SIZE_MAX / 8) + 2, 8), BYTES_MOST); /* 8 if it wrapped */
    ck_assert_uint_eq(bytes_sum(BYTES_MOST, BYTES_MOST), BYTES_MOST);
    ck_assert_uint_eq(bytes_sum(64, 1), 65);
    ck_assert_uint_eq(bytes_lines(65), 128);
    ck_assert_uint_eq(bytes_lines(BYTES_MOST), BYTES_MOST);
}
END_TEST

/* ---- what is moved is computed where it goes ---- */

static spor_var two_ways(spor_var x, spor_var y) {
    return spor_concat(spor_concat(x, y, 1), spor_concat(y, x, 1), 0);
}

static spor_var three_levels(spor_var x, spor_var y) {
    return spor_concat(x, spor_concat(spor_concat(y, x, 2), spor_concat(x, y, 2), 2), 2);
}

static spor_var flipped(spor_var x, spor_var y) {
    return spor_concat(spor_flip(x, SPOR_AXIS(1)), spor_flip(y, SPOR_AXIS(2)), 2);
}

static spor_var padded(spor_var x, spor_var y) {
    return spor_pad(spor_concat(x, y, 2), (int64_t[]){1, 0, 2}, (int64_t[]){0, 3, 1}, 7);
}

static spor_var cropped(spor_var x, spor_var y) {
    return spor_pad(spor_concat(x, y, 2), (int64_t[]){0, 0, 2}, (int64_t[]){0, -1, 0}, 7);
}

static spor_var dilated(spor_var x, spor_var y) {
    return spor_dilate(spor_concat(x, y, 2), (int64_t[]){1, 2, 3});
}

static spor_var turned(spor_var x, spor_var y) {
    return spor_transpose(spor_concat(x, y, 0), (int64_t[]){2, 1, 0});
}

static spor_var twice(spor_var x, spor_var y) {
    spor_var both = spor_concat(x, y, 0);
    return spor_concat(both, both, 1);
}

static spor_var computed_with(spor_var x, spor_var y) {
    spor_var both = spor_concat(x, y, 0);
    return spor_mul(spor_concat(both, spor_mul(both, both), 0),
                    spor_concat(spor_concat(y, y, 0), both, 0));
}

static spor_var reshaped(spor_var x, spor_var y) {
    spor_var row = spor_reshape(spor_concat(x, y, 0), SPOR_SHAPE(6, 1, 20));
    return spor_concat(row, spor_concat(row, row, 2), 2);
}

/* Each kind of what moves elements, inside. */
static spor_var all_kinds(spor_var x, spor_var y) {
    spor_var wide = spor_concat(spor_pad(x, (int64_t[]){0, 1, 0}, (int64_t[]){0, 2, 3}, -1),
                                spor_dilate(y, (int64_t[]){1, 2, 1}), 2);
    spor_var thin =
        spor_concat(spor_transpose(spor_reshape(x, SPOR_SHAPE(3, 5, 4)), (int64_t[]){0, 2, 1}),
                    spor_subsample(spor_pad(y, (int64_t[]){0, 0, 0}, (int64_t[]){0, 4, 0}, 3),
                                   (int64_t[]){1, 2, 1}),
                    2);
    return spor_concat(spor_reshape(wide, SPOR_SHAPE(1, 273)),
                       spor_reshape(thin, SPOR_SHAPE(1, 120)), 1);
}

/* How many operands lie inside of the results that they are moved to. */
static const struct {
    const char *name;
    spor_var (*record)(spor_var x, spor_var y);
    int inside;
    bool reads_inner; /* the first operand is an output, too */
} movings[] = {{"two ways", two_ways, 2, false},
               {"three levels", three_levels, 3, false},
               {"flipped", flipped, 2, false},
               {"padded", padded, 1, false},
               {"cropped", cropped, 0, false},
               {"dilated", dilated, 1, false},
               {"turned", turned, 0, false},
               {"twice", twice, 0, false},
               {"computed with", computed_with, 1, false},
               {"reshaped", reshaped, 1, false},
               {"read after all", two_ways, 1, true},
               {"all kinds", all_kinds, 4, false}};

static int count_inside(const spor_program *program) {
    int count = 0;
    for (uint32_t s = 0; s < program->steps; s++) {
        const program_step *step = &program->step[s];
        const char *out = step->call.out.data;
        size_t bytes = bytes_for(shape_size(&step->call.out.shape), scalar_width(program->scalar));
        for (int k = 0; !step->group && k < step->reads; k++) {
            const char *in = step->call.in[k].data;
            count += in >= out && in < out + bytes;
        }
    }
    return count;
}

/* Bytes of so many pairs of moved arrays, one behind the other. */
static size_t bytes_of_pairs(int pairs) {
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(30, 40, 50)), z = x;
    for (int k = 0; k < pairs; k++) {
        spor_var all = spor_concat(spor_concat(z, x, 0), x, 0);
        z = spor_expand(spor_mul(spor_sum(all, 7), spor_ratio(tape, 1, 2)), 7, spor_shape_of(x));
        z = spor_flip(spor_concat(z, x, 0), SPOR_AXIS(1));
        z = spor_pad(z, (int64_t[]){0, 0, 0}, (int64_t[]){-30, 0, 0}, 0);
    }
    spor_program *program = spor_compile(tape, 1, &z, NULL, &(spor_options){0});
    check_healthy(program);
    size_t bytes = spor_program_bytes(program);
    spor_program_free(program);
    spor_tape_free(tape);
    return bytes;
}

START_TEST(what_others_lie_inside_of_is_given_back) {
    size_t few = bytes_of_pairs(3), many = bytes_of_pairs(9);
    ck_assert_msg(many < few + few / 4, "%zu bytes for 3, %zu for 9", few, many);
}
END_TEST

/* The result, to be freed. */
static double *run_moving(int kind, const spor_options *options, int *inside) {
    spor_tape *tape = spor_tape_new();
    spor_var x[] = {spor_input(tape, "x", SPOR_SHAPE(3, 4, 5)),
                    spor_input(tape, "y", SPOR_SHAPE(3, 4, 5))};
    spor_var z = movings[kind].record(x[0], x[1]);
    spor_var outputs[] = {z, op_operand(z, 0)};
    spor_program *program =
        spor_compile(tape, movings[kind].reads_inner ? 2 : 1, outputs, NULL, options);
    check_healthy(program);
    for (int k = 0; k < 2; k++) {
        spor_arg a = spor_program_arg(program, x[k]);
        for (int64_t i = 0; i < 60; i++)
            element_types[options->scalar]->set(a.data, i, (double)(i + 60 * k));
    }
    ck_assert(spor_run(program, 0) && spor_run(program, 1));
    spor_arg result = spor_program_arg(program, z);
    int64_t size = shape_size(&result.shape);
    double *numbers = malloc((size_t)size * sizeof *numbers);
    ck_assert_ptr_nonnull(numbers);
    for (int64_t i = 0; i < size; i++)
        numbers[i] = scalar_value_at(result.data, options->scalar, i);
    *inside = count_inside(program);
    spor_program_free(program);
    spor_tape_free(tape);
    return numbers;
}

START_TEST(what_is_moved_is_computed_where_it_goes) {
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(3, 4, 5));
    spor_shape shape = spor_shape_of(movings[_i].record(x, x));
    size_t bytes = (size_t)shape_size(&shape) * sizeof(double);
    spor_tape_free(tape);
    int inside;
    double *expected = run_moving(_i, &by_reference, &inside);
    ck_assert_int_eq(inside, 0);
    for (int set = 0; instruction_sets()[set]; set++)
        for (int threads = 1; threads < 3; threads++)
            for (spor_scalar scalar = SPOR_F32; scalar <= SPOR_F64; scalar++) {
                double *got = run_moving(_i,
                                         &(spor_options){.scalar = scalar,
                                                         .threads = threads,
                                                         .isa = instruction_sets()[set]},
                                         &inside);
                ck_assert_msg(!memcmp(got, expected, bytes), "%s by %s: other numbers",
                              movings[_i].name, instruction_sets()[set]);
                ck_assert_msg(inside == movings[_i].inside, "%s: %d inside", movings[_i].name,
                              inside);
                free(got);
            }
    free(expected);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("program");
    TCase *runs = tcase_create("runs"), *errors = tcase_create("errors");
    tcase_add_test(runs, gradients_land_in_the_block_and_agree_with_the_tape);
    tcase_add_test(runs, an_update_moves_parameters_by_the_stated_rule);
    tcase_add_test(runs, initial_values_depend_on_seed_and_name_alone);
    tcase_add_test(runs, laws_have_their_standard_deviation);
    tcase_add_test(runs, zeros_and_ones_are_laws_too);
    tcase_add_test(runs, several_tapes_share_parameters_and_a_workspace);
    tcase_add_test(runs, another_scalar_type_gets_converted_parameters);
    tcase_add_test(runs, state_is_kept_and_not_trained);
    tcase_add_test(runs, a_hand_derived_backward_may_have_operands_that_nothing_reads);
    tcase_add_test(runs, a_hand_derived_backward_may_have_many_operands);
    tcase_add_test(runs, assignments_take_the_values_before_all_of_them);
    tcase_add_test(runs, memory_follows_lifetimes_and_runs_repeat);
    tcase_add_test(runs, equal_nodes_are_computed_once);
    tcase_add_test(runs, what_steps_prepare_alike_is_prepared_once);
    tcase_add_test(runs, the_first_value_that_is_not_finite_is_named);
    tcase_add_test(runs, training_uses_a_hand_derived_backward_and_the_tape_does_not);
    tcase_add_test(runs, a_path_does_not_pass_by_a_hand_derived_backward);
    tcase_add_test(runs, what_others_lie_inside_of_is_given_back);
    tcase_add_loop_test(runs, what_is_moved_is_computed_where_it_goes, 0,
                        sizeof movings / sizeof *movings);
    tcase_add_test(errors, what_cannot_be_compiled_is_refused_with_its_reason);
    tcase_add_test(errors, memory_that_cannot_be_had_is_an_error_of_the_run);
    tcase_add_test(errors, parameters_take_memory_when_they_are_needed);
    tcase_add_test(errors, memory_that_cannot_be_addressed_is_refused);
    tcase_add_test(errors, sizes_in_bytes_do_not_overflow);
    suite_add_tcase(suite, runs);
    suite_add_tcase(suite, errors);
    return suite;
}
