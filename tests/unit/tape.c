/* The tape: recording, errors with places, scopes, differentiation. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>
#include "base/shape.h"
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
    spor_input(t, "x", SPOR_SHAPE(2, 0));
    check_error(t, "axis 1 of the shape is 0 but must be at least 1");
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
    ck_assert_ptr_null(spor_error(t));
    char text[1024];
    print(t, text, sizeof text);
    const char *want = "x = input()                                       # [2, 3]\n"
                       "net/dense[0]:\n"
                       "  W = param()                                     # [3, 3]\n"
                       "  v3 = x @ W                                      # [2, 3]\n"
                       "net/dense[1]:\n"
                       "  W = param()                                     # [3, 3]\n"
                       "  v5 = v3 @ W                                     # [2, 3]\n";
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
          *names = tcase_create("names");
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
    tcase_add_test(names, scopes_name_parameters_and_prints_read_as_equations);
    tcase_add_test(names, graphs_are_escaped_and_nested);
    tcase_add_test(names, gradient_nodes_carry_the_place_of_what_they_pull_back);
    suite_add_tcase(suite, differentiate);
    suite_add_tcase(suite, errors);
    suite_add_tcase(suite, names);
    return suite;
}
