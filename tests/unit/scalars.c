/* The scalar types that are for verifying: complex step and running error bound. */
#include "../suite.h"

#include <math.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/spor.h>
#include "base/random.h"
#include "kernels/element.h"
#include "kernels/sampled.h"
#include "tape/op.h"

/* f(x) = sum of tanh(x) e^-x / sqrt(2 + x^2) + log(3 + sigmoid x), x [3]. */
static spor_var smooth(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    spor_var two = spor_broadcast(spor_ratio(x.tape, 2, 1), shape);
    spor_var three = spor_broadcast(spor_ratio(x.tape, 3, 1), shape);
    spor_var root = spor_sqrt(spor_add(two, spor_mul(x, x)));
    spor_var left = spor_div(spor_mul(spor_tanh(x), spor_exp(spor_neg(x))), root);
    return spor_sum(spor_add(left, spor_log(spor_add(three, spor_sigmoid(x)))), SPOR_AXIS(0));
}

static spor_program *compiled(spor_tape *tape, spor_var y, spor_scalar scalar) {
    spor_options options = {.scalar = scalar, .reference = true};
    spor_program *program = spor_compile(tape, 1, &y, NULL, &options);
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    return program;
}

START_TEST(the_complex_step_gives_derivatives_to_rounding) {
    const double at[3] = {-0.75, 0.5, 2.25}, h = 1e-200;
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), y = smooth(x), d;
    ck_assert(spor_grad(y, 1, &x, &d));
    spor_program *gradient = compiled(t, d, SPOR_F64), *step = compiled(t, y, SPOR_C128);
    double *values = spor_program_arg(gradient, x).data;
    double *z = spor_program_arg(step, x).data;
    for (int k = 0; k < 3; k++) values[k] = at[k];
    ck_assert(spor_run(gradient, 0));
    const double *derivative = spor_program_arg(gradient, d).data;
    for (int k = 0; k < 3; k++) {
        for (int j = 0; j < 3; j++) z[2 * j] = at[j], z[2 * j + 1] = j == k ? h : 0;
        ck_assert(spor_run(step, 0));
        double slope = ((double *)spor_program_arg(step, y).data)[1] / h;
        ck_assert(fabs(slope - derivative[k]) <= 1e-15);
    }
    spor_program_free(gradient);
    spor_program_free(step);
    spor_tape_free(t);
}
END_TEST

/* Arguments that are no steps: mpmath, 25 digits, mp.erf(mp.mpc(.5, .75)) and so on. */
static spor_var cube(spor_var x) {
    return spor_pow(x, op_fill_ratio(x.tape, 3, 1, spor_shape_of(x)));
}
static spor_var inverse_square(spor_var x) {
    return spor_pow(x, op_fill_ratio(x.tape, -2, 1, spor_shape_of(x)));
}

static const struct {
    spor_var (*f)(spor_var x);
    double x[2], y[2];
} aside[] = {
    {(spor_erf), {0.5, 0.75}, {0.8355922696635633, 0.7217067126348818}},
    {(spor_erf), {-1, 2}, {0.536643565778565, -5.049143703447035}},
    {(spor_sin), {0.5, 0.75}, {0.620704231078055, 0.7216508242975646}},
    {(spor_cos), {0.5, 0.75}, {1.136191473803348, -0.3942396421115833}},
    {(spor_expm1), {0.5, 0.75}, {0.2063510016467854, 1.1238323225841311}},
    {(spor_expm1), {0.001, 0.002}, {0.000998498166375342, 0.00200199966566635}},
    {cube, {-1.5, 0.5}, {-2.25, 3.25}},
    {inverse_square, {-1.5, 0.5}, {0.32, 0.24}},
};

START_TEST(complex_numbers_that_are_no_steps_have_their_values) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SCALAR_SHAPE), y = aside[_i].f(x);
    spor_program *program = compiled(t, y, SPOR_C128);
    memcpy(spor_program_arg(program, x).data, aside[_i].x, sizeof aside[_i].x);
    ck_assert(spor_run(program, 0));
    const double *z = spor_program_arg(program, y).data;
    for (int k = 0; k < 2; k++)
        ck_assert_msg(fabs(z[k] - aside[_i].y[k]) <= 1e-6 * fabs(aside[_i].y[k]), "%d: %.17g", _i,
                      z[k]);
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

START_TEST(the_error_bound_holds_and_is_not_idle) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), y = smooth(x);
    spor_program *bound = compiled(t, y, SPOR_BOUND), *plain = compiled(t, y, SPOR_F64);
    double *pairs = spor_program_arg(bound, x).data, *values = spor_program_arg(plain, x).data;
    for (int round = 0; round < 200; round++) {
        long double exact = 0;
        for (int k = 0; k < 3; k++) {
            double at = -3 + 0.031 * round + 0.7 * k;
            long double wide = (long double)at;
            pairs[2 * k] = values[k] = at;
            pairs[2 * k + 1] = 0;
            exact += tanhl(wide) * expl(-wide) / sqrtl(2 + wide * wide) +
                     logl(3 + 1 / (1 + expl(-wide)));
        }
        ck_assert(spor_run(bound, 0) && spor_run(plain, 0));
        const double *y_bound = spor_program_arg(bound, y).data;
        ck_assert(y_bound[0] == *(double *)spor_program_arg(plain, y).data);
        double error = (double)fabsl((long double)y_bound[0] - exact);
        ck_assert(error <= y_bound[1]);
        ck_assert(y_bound[1] <= 1e-13 * (1 + fabs(y_bound[0]))); /* a bound of inf proves nothing */
    }
    spor_program_free(bound);
    spor_program_free(plain);
    spor_tape_free(t);
}
END_TEST

START_TEST(on_integers_the_bound_is_zero) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), y = spor_sum(spor_mul(x, x), SPOR_AXIS(0));
    spor_var z = spor_div(y, spor_ratio(t, 3, 1));
    for (int k = 0; k < 2; k++) {
        spor_program *program = compiled(t, k ? z : y, SPOR_BOUND);
        double *pairs = spor_program_arg(program, x).data;
        for (int j = 0; j < 3; j++) pairs[2 * j] = j + 1, pairs[2 * j + 1] = 0;
        ck_assert(spor_run(program, 0));
        const double *result = spor_program_arg(program, k ? z : y).data;
        ck_assert(result[0] == (k ? 14.0 / 3 : 14));
        ck_assert(k ? result[1] > 0 : result[1] == 0); /* 14/3 is rounded, 14 is not */
        spor_program_free(program);
    }
    spor_tape_free(t);
}
END_TEST

/* Over bounds a number is as good as its error says, and one that is better known is another one.
 * Over doubles they are one. */
START_TEST(a_constant_is_known_to_an_error) {
    static const double errors[] = {0, 0x1p-56};
    for (int scalar = 0; scalar < 2; scalar++) {
        spor_tape *t = spor_tape_new();
        spor_var y[3] = {spor_constant(t, 0.1), op_constant(t, 0.1, 0x1p-56),
                         op_fill(t, 0.1, 0x1p-56, SPOR_SHAPE(2))};
        spor_options options = {.scalar = scalar ? SPOR_BOUND : SPOR_F64};
        spor_program *program = spor_compile(t, 3, y, NULL, &options);
        ck_assert(spor_run(program, 0));
        const double *a = spor_program_arg(program, y[0]).data;
        const double *b = spor_program_arg(program, y[1]).data;
        const double *c = spor_program_arg(program, y[2]).data;
        ck_assert(a[0] == 0.1 && b[0] == 0.1 && c[0] == 0.1);
        if (scalar) ck_assert(a[1] == errors[0] && b[1] == errors[1] && c[3] == errors[1]);
        if (!scalar) ck_assert_ptr_eq(a, b);
        spor_program_free(program);
        spor_tape_free(t);
    }
}
END_TEST

enum { TERMS = 300 };

/* x . w in float, the terms `step` apart. */
static float dot_in_float(const double x[TERMS], const double w[TERMS], int step) {
    float sum = 0;
    for (int k = 0; k < TERMS; k++) sum += (float)x[k * step % TERMS] * (float)w[k * step % TERMS];
    return sum;
}

/* Rounding as it is in float, in four orders, and as the four runs have it: over many sums their
 * root mean squares are alike. */
START_TEST(sampled_errors_are_as_large_as_those_of_float) {
    static const int steps[] = {1, 7, 11, 299};
    double in_float = 0, in_runs = 0, x[TERMS], w[TERMS];
    spor_tape *t = spor_tape_new();
    spor_var a = spor_input(t, "a", SPOR_SHAPE(1, TERMS)),
             b = spor_input(t, "b", SPOR_SHAPE(TERMS, 1));
    spor_var y = spor_matmul(a, b);
    spor_program *program = compiled(t, y, SPOR_SAMPLED);
    for (uint64_t round = 0; round < 200; round++) {
        double exact = 0;
        for (int k = 0; k < TERMS; k++) {
            x[k] = (double)(float)random_uniform(round, (uint64_t)k, 1);
            w[k] = (double)(float)(random_uniform(round, (uint64_t)k, 2) - (_i ? 0.5 : 0));
            exact += x[k] * w[k];
            element_types[SPOR_SAMPLED]->set(spor_program_arg(program, a).data, k, x[k]);
            element_types[SPOR_SAMPLED]->set(spor_program_arg(program, b).data, k, w[k]);
        }
        ck_assert(spor_run(program, 0));
        const sampled *sum = spor_program_arg(program, y).data;
        ck_assert(fabs(sum->v - exact) <= 1e-12);
        ck_assert(sum->m >= fabs(sum->v));
        for (int k = 0; k < SAMPLES; k++) {
            double off = (double)dot_in_float(x, w, steps[k]) - exact;
            in_float += off * off;
            in_runs += (double)sum->d[k] * (double)sum->d[k] * 0x1p-48;
        }
    }
    ck_assert_msg(in_runs < 2 * in_float && in_runs > in_float / 2, "%g against %g",
                  sqrt(in_runs / 800), sqrt(in_float / 800));
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

/* On whole numbers, and on a term alone, nothing is off; on their thirds it is. */
START_TEST(on_whole_numbers_no_run_is_off) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), y = spor_sum(spor_mul(x, x), SPOR_AXIS(0));
    spor_var z = spor_div(y, spor_ratio(t, 3, 1));
    for (int k = 0; k < 2; k++) {
        spor_program *program = compiled(t, k ? z : y, SPOR_SAMPLED);
        for (int j = 0; j < 3; j++)
            element_types[SPOR_SAMPLED]->set(spor_program_arg(program, x).data, j, j + 1);
        ck_assert(spor_run(program, 0));
        const sampled *result = spor_program_arg(program, k ? z : y).data;
        ck_assert(result->v == (k ? 14.0 / 3 : 14));
        ck_assert_int_eq(sampled_is_exact(result), !k);
        ck_assert(k ? sampled_error(result) > 0.5 : fabs(result->m - 14) < 1e-9);
        spor_program_free(program);
    }
    spor_tape_free(t);
}
END_TEST

/* 2^-24 + 2^-24 + 1 rounds in float where 1 comes first, and not where it comes last; two terms have one order. */
START_TEST(a_sum_that_was_not_rounded_may_be_in_another_order) {
    static const double terms[][3] = {
        {0x1p-24, 0x1p-24, 1}, {1, 0x1p-20, 0}, {0.625, 0, 0}, {0x1p-20, 0x1p-20, 0x1p-20}};
    static const bool exact[] = {false, true, true, false};
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(3)), y = spor_sum(x, SPOR_AXIS(0));
    spor_program *program = compiled(t, y, SPOR_SAMPLED);
    for (size_t k = 0; k < sizeof terms / sizeof *terms; k++) {
        for (int j = 0; j < 3; j++)
            element_types[SPOR_SAMPLED]->set(spor_program_arg(program, x).data, j, terms[k][j]);
        ck_assert(spor_run(program, 0));
        const sampled *sum = spor_program_arg(program, y).data;
        ck_assert(sampled_error(sum) <= 0);
        ck_assert_int_eq(sampled_is_exact(sum), exact[k]);
    }
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

START_TEST(parameters_are_converted_to_the_verifying_types) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_var w = spor_param(t, "w", SPOR_SHAPE(3), SPOR_INIT("constant", 0.5));
    spor_var y = spor_sum(w, SPOR_AXIS(0));
    for (int scalar = SPOR_C128; scalar < SPOR_SCALARS; scalar++) {
        spor_program *program =
            spor_compile(t, 1, &y, params, &(spor_options){.scalar = (spor_scalar)scalar});
        ck_assert(spor_run(program, 0));
        const void *sum = spor_program_arg(program, y).data;
        ck_assert_double_eq(element_types[scalar]->value(sum, 0), 1.5);
        spor_program_free(program);
    }
    spor_params *refused = spor_params_new(SPOR_BOUND, 1);
    ck_assert_ptr_nonnull(spor_params_error(refused));
    spor_params_free(refused);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

/* What element.h says of each type: a number goes in and comes out, neighbours stay. */
START_TEST(elements_hold_plain_numbers) {
    static const double numbers[] = {-0.375, 0, 1e30, 3};
    for (int scalar = 0; scalar < SPOR_SCALARS; scalar++) {
        const element_type *type = element_types[scalar];
        unsigned char block[4 * 64];
        memset(block, 0xa5, sizeof block);
        ck_assert(type->width >= sizeof(float) && type->width <= 64 && *type->text);
        for (int k = 3; k >= 0; k--) type->set(block, k, numbers[k]);
        for (int k = 0; k < 4; k++)
            ck_assert(fabs(type->value(block, k) - numbers[k]) <= 0x1p-24 * fabs(numbers[k]));
        for (size_t k = 4 * type->width; k < sizeof block; k++) ck_assert_uint_eq(block[k], 0xa5);
        for (int other = 0; other < scalar; other++)
            ck_assert_str_ne(type->text, element_types[other]->text);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("scalars");
    TCase *tests = tcase_create("scalars");
    tcase_add_test(tests, the_complex_step_gives_derivatives_to_rounding);
    tcase_add_loop_test(tests, complex_numbers_that_are_no_steps_have_their_values, 0,
                        (int)(sizeof aside / sizeof *aside));
    tcase_add_test(tests, the_error_bound_holds_and_is_not_idle);
    tcase_add_test(tests, on_integers_the_bound_is_zero);
    tcase_add_test(tests, a_constant_is_known_to_an_error);
    tcase_add_loop_test(tests, sampled_errors_are_as_large_as_those_of_float, 0, 2);
    tcase_add_test(tests, on_whole_numbers_no_run_is_off);
    tcase_add_test(tests, a_sum_that_was_not_rounded_may_be_in_another_order);
    tcase_add_test(tests, elements_hold_plain_numbers);
    tcase_add_test(tests, parameters_are_converted_to_the_verifying_types);
    suite_add_tcase(suite, tests);
    return suite;
}
