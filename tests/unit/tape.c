/* The tape: recording, errors with places, scopes, differentiation. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>
#include "base/shape.h"
#include "program/program.h"
#include "tape/tape.h"

/* Runs the tape by reference in double and returns element k of x; inputs are filled by fill. */
static double value(spor_tape *tape, spor_var x, int64_t k) {
    spor_program *program =
        spor_compile(tape, 1, &x, NULL, &(spor_options){.scalar = SPOR_F64, .reference = true});
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    ck_assert(spor_run(program, 0));
    double at = ((double *)spor_program_arg(program, x).data)[k];
    spor_program_free(program);
    return at;
}

START_TEST(a_value_used_twice_accumulates) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_ratio(t, 3, 1), y = spor_mul(spor_add(x, x), x), d;
    ck_assert(spor_grad(y, 1, &x, &d));
    ck_assert_double_eq(value(t, d, 0), 12); /* d(2 x^2) = 4 x */
    spor_tape_free(t);
}
END_TEST

START_TEST(gradients_of_gradients) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_ratio(t, 2, 1), y = spor_mul(x, spor_mul(x, x)), d, dd, ddd;
    ck_assert(spor_grad(y, 1, &x, &d));
    ck_assert(spor_grad(d, 1, &x, &dd));
    ck_assert(spor_grad(dd, 1, &x, &ddd));
    ck_assert_double_eq(value(t, d, 0), 12);
    ck_assert_double_eq(value(t, dd, 0), 12);
    ck_assert_double_eq(value(t, ddd, 0), 6);
    spor_tape_free(t);
}
END_TEST

START_TEST(gradients_of_intermediates_are_the_errors_of_a_layer) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_ratio(t, 5, 1), z = spor_mul(x, x), y = spor_mul(z, z);
    spor_var wrt[] = {z, x, y}, d[3];
    ck_assert(spor_grad(y, 3, wrt, d));
    ck_assert_double_eq(value(t, d[0], 0), 50);
    ck_assert_double_eq(value(t, d[1], 0), 500);
    ck_assert_double_eq(value(t, d[2], 0), 1);
    spor_tape_free(t);
}
END_TEST

START_TEST(what_the_cost_does_not_reach_has_gradient_zero) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_ratio(t, 5, 1), cost = spor_mul(x, x);
    spor_var wrt[] = {spor_input(t, "aside", SPOR_SHAPE(2, 3)), spor_exp(x), spor_stop_gradient(x)};
    spor_var d[3], frozen;
    ck_assert(spor_grad(cost, 3, wrt, d));
    for (int k = 0; k < 3; k++) ck_assert_double_eq(value(t, d[k], 0), 0);
    ck_assert_int_eq(spor_shape_of(d[0]).n[1], 3);
    ck_assert(spor_grad(spor_mul(spor_stop_gradient(x), x), 1, &x, &frozen));
    ck_assert_double_eq(value(t, frozen, 0), 5);
    spor_tape_free(t);
}
END_TEST

START_TEST(a_chain_of_a_million_nodes_differentiates) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_ratio(t, 1, 1), y = x, d;
    for (int k = 0; k < 1000000; k++) y = spor_neg(y);
    ck_assert(spor_grad(y, 1, &x, &d));
    ck_assert_uint_gt(spor_tape_length(t), 2000000);
    ck_assert_double_eq(value(t, d, 0), 1);
    spor_tape_free(t);
}
END_TEST

/* ---- errors ------------------------------------------------------------------------------- */

static void check_error(const spor_tape *tape, const char *part) {
    const char *error = spor_error(tape);
    ck_assert_msg(error && strstr(error, part), "want \"%s\" in \"%s\"", part,
                  error ? error : "(no error)");
}

START_TEST(an_error_has_place_op_rule_and_shapes_and_sticks) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3, 4)), W = spor_input(t, "W", SPOR_SHAPE(5, 2));
    spor_var z = spor_matmul(x, W);
    int line = __LINE__ - 1;
    char want[128];
    snprintf(want, sizeof want, "unit/tape.c:%d: matmul: x has k=4 columns but y has k=5 rows",
             line);
    check_error(t, want);
    check_error(t, "x  [n=3, k=4]      y  [k=5, m=2]");
    ck_assert_uint_eq(z.id, 0);
    uint32_t length = spor_tape_length(t);
    const char *first = spor_error(t);
    ck_assert_uint_eq(spor_add(z, x).id, 0);
    ck_assert_uint_eq(spor_add(x, x).id, 0); /* later calls do nothing */
    ck_assert_uint_eq(spor_tape_length(t), length);
    ck_assert_ptr_eq(spor_error(t), first);
    spor_tape_free(t);
}
END_TEST

START_TEST(operands_of_two_tapes_are_named) {
    spor_tape *t = spor_tape_new(), *other = spor_tape_new();
    spor_var x = spor_ratio(t, 1, 1), y = spor_ratio(other, 1, 1);
    ck_assert_uint_eq(spor_add(x, y).id, 0);
    check_error(t, "add: operand y lies on another tape");
    spor_tape_free(t);
    spor_tape_free(other);
}
END_TEST

START_TEST(a_cost_that_is_no_scalar_is_named) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(2, 3)), d;
    ck_assert(!spor_grad(spor_tanh(x), 1, &x, &d));
    check_error(t, "a cost is a scalar, but this one has shape [2, 3]");
    ck_assert_uint_eq(d.id, 0);
    spor_tape_free(t);
}
END_TEST

START_TEST(parameters_are_refused_twice_or_by_an_unknown_law) {
    spor_tape *t = spor_tape_new(), *u = spor_tape_new();
    spor_param(t, "W", SPOR_SHAPE(2), SPOR_INIT("normal", 1));
    spor_param(t, "W", SPOR_SHAPE(2), SPOR_INIT("normal", 1));
    check_error(t, "the parameter W is already on this tape");
    spor_param(u, "W", SPOR_SHAPE(2), SPOR_INIT("xavier", 1));
    check_error(u, "no law \"xavier\"");
    check_error(u, "glorot");
    spor_tape_free(t);
    spor_tape_free(u);
}
END_TEST

START_TEST(sizes_are_checked) {
    spor_tape *t = spor_tape_new(), *u = spor_tape_new();
    spor_input(t, "x", SPOR_SHAPE(2, -1));
    check_error(t, "axis 1 of the shape is -1 but must be at least 0");
    spor_input(u, "x", SPOR_SHAPE(INT64_C(1) << 40, INT64_C(1) << 40));
    check_error(u, "more than 2^40 elements");
    spor_tape_free(t);
    spor_tape_free(u);
}
END_TEST

START_TEST(null_is_accepted_everywhere) {
    spor_var x = spor_ratio(NULL, 1, 1), d;
    ck_assert_uint_eq(spor_tanh(spor_add(x, x)).id, 0);
    ck_assert(!spor_grad(x, 1, &x, &d));
    ck_assert_str_eq(spor_error(NULL), "out of memory");
    spor_scope_begin(NULL, "a");
    spor_scope_end(NULL, x);
    spor_tape_print(NULL, 0, 0, stdout);
    spor_tape_free(NULL);
}
END_TEST

/* ---- arrays and products of many matrices ---- */

START_TEST(an_array_is_the_tape_s_own_and_one_with_its_equals) {
    spor_tape *t = spor_tape_new();
    double table[] = {1, -0.0, 0.1, 5, 1e-30, 7}, other[] = {1, 0.0, 0.1, 5, 1e-30, 7};
    spor_var a = spor_array(t, SPOR_SHAPE(2, 3), table), b = spor_array(t, SPOR_SHAPE(6), table),
             c = spor_array(t, SPOR_SHAPE(2, 3), other),
             again = spor_array(t, SPOR_SHAPE(2, 3), table);
    const spor_node *node = t->node;
    ck_assert_ptr_ne(node[a.id].attr[10].values, table);
    ck_assert_ptr_eq(node[a.id].attr[10].values, node[b.id].attr[10].values);
    ck_assert_ptr_eq(node[a.id].attr[10].values, node[again.id].attr[10].values);
    ck_assert_ptr_ne(node[a.id].attr[10].values,
                     node[c.id].attr[10].values); /* -0 is another bit */
    for (int k = 0; k < 6; k++) table[k] = 99;
    ck_assert_double_eq(value(t, a, 2), 0.1);
    ck_assert_double_eq(value(t, b, 5), 7);
    spor_var sum = spor_add(spor_mul(a, again), c);
    spor_program *program = spor_compile(t, 1, &sum, NULL, &(spor_options){.reference = true});
    const uint32_t *map = program->graph.map;
    ck_assert_uint_eq(program->same[map[again.id]], program->same[map[a.id]]); /* computed once */
    ck_assert(spor_run(program, 0));
    ck_assert(((float *)spor_program_arg(program, sum).data)[3] == 30);
    ck_assert_uint_ne(program->same[map[c.id]], program->same[map[a.id]]);
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

START_TEST(an_array_is_refused_without_numbers_or_a_shape) {
    static const double table[] = {1, 2};
    const struct {
        spor_shape shape;
        const double *value;
        const char *message;
    } rows[] = {{SPOR_SHAPE(2), NULL, "array: there are no values (NULL)"},
                {SPOR_SHAPE(2, -1), table, "axis 1 of the shape is -1"},
                {{9, {1}}, table, "0 to 8 axes"},
                {SPOR_SHAPE(INT64_C(1) << 40, INT64_C(1) << 40), table, "2^40 elements"}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        spor_tape *t = spor_tape_new();
        ck_assert_uint_eq(spor_array(t, rows[k].shape, rows[k].value).id, 0);
        check_error(t, rows[k].message);
        spor_tape_free(t);
    }
}
END_TEST

START_TEST(an_array_has_no_gradient_of_its_own_and_passes_others_on) {
    static const double table[] = {2, -3};
    spor_tape *t = spor_tape_new();
    spor_var a = spor_array(t, SPOR_SHAPE(2), table), x = spor_array(t, SPOR_SHAPE(2), table), d[2];
    spor_var cost = spor_sum(spor_mul(a, spor_mul(x, x)), SPOR_AXIS(0)), wrt[] = {x, a};
    ck_assert(spor_grad(cost, 2, wrt, d)); /* as any node it may be asked for */
    ck_assert_double_eq(value(t, d[0], 1), 18);
    ck_assert_double_eq(value(t, d[1], 1), 9);
    spor_params *params = spor_params_new(SPOR_F64, 0);
    ck_assert(spor_params_join(params, t));
    ck_assert_int_eq(spor_params_count(params), 0);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

/* x c against c x + a fault: over bounds, unit tensors, complex steps and the field, all have the numbers. */
static spor_recording scaled_by_array(void *user, spor_tape *tape, const int64_t values[],
                                      spor_instance *in) {
    static const double table[] = {0.1, -3, 7.25, 1e-3, 2, -0.5};
    spor_shape shape = SPOR_SHAPE(values[0]);
    spor_var x = spor_input(tape, "x", shape), dy = spor_input(tape, "dy", shape),
             c = spor_array(tape, shape, table), wrong = spor_array(tape, shape, table + 1);
    in->inputs = 2;
    in->input[0] = x;
    in->input[1] = dy;
    in->y = spor_mul(x, c);
    in->dy = 1;
    in->pairs = 1;
    in->pair[0].name = "dx";
    in->pair[0].formula = spor_mul(dy, *(bool *)user ? wrong : c);
    return spor_vjp(in->y, dy, 1, &x, &in->pair[0].expected) ? SPOR_RECORDED : SPOR_EXHAUSTED;
}

START_TEST(arrays_are_numbers_to_verification_too) {
    bool fault = false;
    spor_statement statement = {
        .name = "dx", .quantities = 1, .record = scaled_by_array, .user = &fault};
    statement.quantity[0] = (spor_quantity){.name = "n", .least = 1, .most = 5};
    static spor_verdict verdict;
    ck_assert(spor_verify(&statement, NULL, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_HOLDS);
    ck_assert_int_ge(spor_verdict_rung(&verdict), SPOR_IDENTITY);
    fault = true;
    ck_assert(spor_verify(&statement, NULL, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
}
END_TEST

/* Element [.., i, j] of the product of x [n, k] and y [k, m] at these places. */
static double product(const double *x, const double *y, int64_t k, int64_t m, int64_t i,
                      int64_t j) {
    double sum = 0;
    for (int64_t r = 0; r < k; r++) sum += x[i * k + r] * y[r * m + j];
    return sum;
}

static double ramp(int64_t k) {
    return (double)(k * 7 % 11 - 5);
}

static spor_var ramped(spor_tape *t, spor_shape shape, double numbers[]) {
    for (int64_t k = 0; k < shape_size(&shape); k++) numbers[k] = ramp(k + shape.rank);
    return spor_array(t, shape, numbers);
}

/* x[2, 3, n, k] and y[3, k, m], [k, m] or [2, 1, k, m]; x without leading axes: against loops. */
START_TEST(leading_axes_of_matrices_are_repeated_as_by_numpy) {
    enum { n = 2, k = 3, m = 4 };
    const struct {
        spor_shape x, y;
        int of_x[6], of_y[6]; /* which matrices make the six products */
    } rows[] = {
        {SPOR_SHAPE(2, 3, n, k), SPOR_SHAPE(2, 3, k, m), {0, 1, 2, 3, 4, 5}, {0, 1, 2, 3, 4, 5}},
        {SPOR_SHAPE(2, 3, n, k), SPOR_SHAPE(3, k, m), {0, 1, 2, 3, 4, 5}, {0, 1, 2, 0, 1, 2}},
        {SPOR_SHAPE(2, 3, n, k), SPOR_SHAPE(k, m), {0, 1, 2, 3, 4, 5}, {0}},
        {SPOR_SHAPE(2, 1, n, k), SPOR_SHAPE(3, k, m), {0, 0, 0, 1, 1, 1}, {0, 1, 2, 0, 1, 2}},
        {SPOR_SHAPE(n, k), SPOR_SHAPE(2, 3, k, m), {0}, {0, 1, 2, 3, 4, 5}}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        double a[6 * n * k], b[6 * k * m];
        spor_tape *t = spor_tape_new();
        spor_var x = ramped(t, rows[r].x, a), y = ramped(t, rows[r].y, b);
        spor_var z = spor_batched_matmul(x, y);
        spor_shape shape = spor_shape_of(z), wanted = SPOR_SHAPE(2, 3, n, m);
        ck_assert_msg(!spor_error(t), "%s", spor_error(t));
        ck_assert(shape_equal(&shape, &wanted));
        for (int64_t e = 0; e < 6 * n * m; e++) {
            int64_t matrix = e / (n * m), i = e / m % n, j = e % m;
            double want = product(a + rows[r].of_x[matrix] * n * k,
                                  b + rows[r].of_y[matrix] * k * m, k, m, i, j);
            ck_assert_double_eq(value(t, z, e), want);
        }
        spor_tape_free(t);
    }
}
END_TEST

/* sum over z of tanh(z)^2 twice: the second derivative against central differences of the first. */
static double slope_at(double shift, double *second) {
    enum { BATCH = 2, N = 2, K = 3, M = 2 };
    spor_tape *t = spor_tape_new();
    double a[BATCH * N * K], b[K * M];
    for (int k = 0; k < BATCH * N * K; k++) a[k] = 0.1 * ramp(k);
    for (int k = 0; k < K * M; k++) b[k] = 0.2 * ramp(k + 3);
    b[1] += shift;
    spor_var x = spor_array(t, SPOR_SHAPE(BATCH, N, K), a), y = spor_array(t, SPOR_SHAPE(K, M), b);
    spor_var z = spor_tanh(spor_batched_matmul(x, y)), d, dd;
    double pick[K * M] = {0, 1};
    ck_assert(spor_grad(spor_sum(spor_mul(z, z), 7), 1, &y, &d));
    spor_var one = spor_sum(spor_mul(d, spor_array(t, SPOR_SHAPE(K, M), pick)), 3);
    ck_assert(spor_grad(one, 1, &y, &dd));
    double first = value(t, one, 0);
    *second = value(t, dd, 1);
    spor_tape_free(t);
    return first;
}

START_TEST(a_product_of_many_matrices_is_differentiated_twice) {
    const double h = 1e-5;
    double second, aside;
    slope_at(0, &second);
    double seen = (slope_at(h, &aside) - slope_at(-h, &aside)) / (2 * h);
    ck_assert_double_gt(fabs(second), 0.1);
    ck_assert_double_le(fabs(seen - second), 1e-8 * fabs(second));
}
END_TEST

START_TEST(matrices_that_do_not_fit_are_told) {
    const struct {
        spor_shape x, y;
        const char *message;
    } rows[] = {
        {SPOR_SHAPE(2, 3, 4), SPOR_SHAPE(5, 6), "x [2, 3, 4] has other columns than y [5, 6]"},
        {SPOR_SHAPE(2, 3, 4), SPOR_SHAPE(3, 4, 6), "the leading axes of [2, 3, 4] and [3, 4, 6]"},
        {SPOR_SHAPE(3), SPOR_SHAPE(3, 4, 6), "x needs at least 2 axes"}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        spor_tape *t = spor_tape_new();
        spor_batched_matmul(spor_input(t, "x", rows[k].x), spor_input(t, "y", rows[k].y));
        check_error(t, rows[k].message);
        spor_tape_free(t);
    }
}
END_TEST

/* ---- names ---------------------------------------------------------------------------------- */

/* The tape as text. */
static void print(const spor_tape *tape, char *text, size_t size) {
    FILE *out = fmemopen(text, size, "w");
    spor_tape_print(tape, 0, 0, out);
    fclose(out);
}

START_TEST(scopes_name_parameters_and_prints_read_as_equations) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(2, 3)), h = x;
    spor_scope_begin(t, "net");
    for (int k = 0; k < 2; k++) {
        spor_scope_begin(t, "dense[]");
        h = spor_matmul(h, spor_param(t, "W", SPOR_SHAPE(3, 3), SPOR_INIT("normal", 1)));
        spor_scope_end(t, h);
    }
    spor_scope_end(t, h);
    spor_array(t, SPOR_SHAPE(2, 3), (const double[]){1, -0.5, 1e30, 4, 5, 6});
    spor_array(t, SPOR_SHAPE(2), (const double[]){0.1, HUGE_VAL});
    ck_assert_ptr_null(spor_error(t));
    char text[1024];
    print(t, text, sizeof text);
    const char *want = "x = input()                                       # [2, 3]\n"
                       "net/dense[0]:\n"
                       "  W = param()                                     # [3, 3]\n"
                       "  v3 = x @ W                                      # [2, 3]\n"
                       "net/dense[1]:\n"
                       "  W = param()                                     # [3, 3]\n"
                       "  v5 = v3 @ W                                     # [2, 3]\n"
                       "v6 = array(values=[1, -0.5, 1e+30, 4, ...])       # [2, 3]\n"
                       "v7 = array(values=[0.1, inf])                     # [2]\n";
    ck_assert_str_eq(text, want);
    spor_tape_free(t);
}
END_TEST

/* Clusters inside each other, an arrow for each operand, names that would end their quotes. */
START_TEST(graphs_are_escaped_and_nested) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x\"]; \\n1 [\n", SPOR_SHAPE(2, 3));
    spor_scope_begin(t, "net");
    spor_scope_begin(t, "square");
    spor_var y = spor_mul(x, x);
    spor_scope_end(t, y);
    spor_scope_end(t, y);
    spor_var s = spor_sum(y, 3);
    char text[4096], *at = text;
    FILE *out = fmemopen(text, sizeof text, "w");
    tape_print_dot(t, "a\"b", s.id, s.id + 1, out);
    fclose(out);
    static const char *const parts[] = {
        "digraph \"a\\\"b\" {\n",
        "n1 [shape=ellipse, fillcolor=\"#e2f3e4\", label=\"x\\\"]; \\\\n1 [?\\ninput\\n[2, "
        "3]\"];\n",
        "n3 [fillcolor=\"#fbe7d8\", label=\"sum\\naxes=[0, 1]\\n[]\"];\n",
        "subgraph cluster_1 {\nlabel=\"net\";\nsubgraph cluster_2 {\nlabel=\"square\";\n"
        "n2 [fillcolor=\"#ffffff\", label=\"*\\n[2, 3]\"];\n}\n}\n",
        "n1 -> n2;\nn1 -> n2;\nn2 -> n3;\n}\n"};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        at = strstr(at, parts[k]);
        ck_assert_msg(at != NULL, "no %s in %s", parts[k], text);
    }
    spor_tape_free(t);
}
END_TEST

START_TEST(gradient_nodes_carry_the_place_of_what_they_pull_back) {
    spor_tape *t = spor_tape_new();
    spor_tape_place(t, "net.spor", 7, 3);
    spor_scope_begin(t, "layer");
    spor_var x = spor_input(t, "x", SPOR_SCALAR_SHAPE), y = spor_tanh(x), d;
    spor_scope_end(t, y);
    spor_tape_place(t, NULL, 0, 0);
    ck_assert(spor_grad(y, 1, &x, &d));
    char text[1024];
    print(t, text, sizeof text);
    ck_assert_ptr_nonnull(strstr(strstr(text, "tanh"), "layer:\n")); /* its cotangent too */
    spor_tape_free(t);
}
END_TEST

/* Counting through the indices, the last axis fastest, meets the positions one by one. */
START_TEST(positions_are_row_major) {
    static const spor_shape shapes[] = {{0, {0}}, {1, {5}}, {3, {3, 1, 4}}, {4, {2, 3, 4, 5}}};
    for (int s = 0; s < 4; s++) {
        const spor_shape *shape = &shapes[s];
        int64_t index[SPOR_RANK] = {0}, seen[SPOR_RANK], stride[SPOR_RANK];
        shape_strides(shape, stride);
        for (int64_t at = 0; at < shape_size(shape); at++) {
            int64_t offset = 0;
            shape_unravel(shape, at, seen);
            for (int k = 0; k < shape->rank; k++) {
                ck_assert_int_eq(seen[k], index[k]);
                offset += index[k] * stride[k];
            }
            ck_assert_int_eq(offset, at);
            ck_assert_int_eq(shape_ravel(shape, index), at);
            for (int k = shape->rank - 1; k >= 0 && ++index[k] == shape->n[k]; k--) index[k] = 0;
        }
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("tape");
    TCase *differentiate = tcase_create("differentiate"), *errors = tcase_create("errors"),
          *arrays = tcase_create("arrays"), *names = tcase_create("names");
    tcase_add_test(differentiate, positions_are_row_major);
    tcase_add_test(differentiate, a_value_used_twice_accumulates);
    tcase_add_test(differentiate, gradients_of_gradients);
    tcase_add_test(differentiate, gradients_of_intermediates_are_the_errors_of_a_layer);
    tcase_add_test(differentiate, what_the_cost_does_not_reach_has_gradient_zero);
    tcase_add_test(differentiate, a_chain_of_a_million_nodes_differentiates);
    tcase_add_test(errors, an_error_has_place_op_rule_and_shapes_and_sticks);
    tcase_add_test(errors, operands_of_two_tapes_are_named);
    tcase_add_test(errors, a_cost_that_is_no_scalar_is_named);
    tcase_add_test(errors, parameters_are_refused_twice_or_by_an_unknown_law);
    tcase_add_test(errors, sizes_are_checked);
    tcase_add_test(errors, null_is_accepted_everywhere);
    tcase_add_test(arrays, an_array_is_the_tape_s_own_and_one_with_its_equals);
    tcase_add_test(arrays, an_array_is_refused_without_numbers_or_a_shape);
    tcase_add_test(arrays, an_array_has_no_gradient_of_its_own_and_passes_others_on);
    tcase_add_test(arrays, arrays_are_numbers_to_verification_too);
    tcase_add_test(arrays, leading_axes_of_matrices_are_repeated_as_by_numpy);
    tcase_add_test(arrays, a_product_of_many_matrices_is_differentiated_twice);
    tcase_add_test(arrays, matrices_that_do_not_fit_are_told);
    tcase_add_test(names, scopes_name_parameters_and_prints_read_as_equations);
    tcase_add_test(names, graphs_are_escaped_and_nested);
    tcase_add_test(names, gradient_nodes_carry_the_place_of_what_they_pull_back);
    suite_add_tcase(suite, differentiate);
    suite_add_tcase(suite, errors);
    suite_add_tcase(suite, arrays);
    suite_add_tcase(suite, names);
    return suite;
}
