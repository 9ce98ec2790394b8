/*
 * Einstein's sums: values and gradients are those of numpy.einsum, and what each mistake says.
 */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/spor.h>

#include "base/shape.h"

enum { OPERANDS = 3, MOST = 64 };

/*
 * numpy.einsum(subscripts, x(0, ...), x(1, ...), ...) and the gradients of its sum times x(9, ...), with
 *
 *     def x(k, *s):
 *         return ((np.arange(np.prod(s, dtype=int)) * 7 + 3 * k + 1) % 11 - 5.0).reshape(s)
 *
 * Each operand's gradient is the sum times x(9, ...) of numpy.einsum at its unit tensors.
 */
static const struct {
    const char *subscripts;
    spor_shape in[OPERANDS], out;
    const char *y, *d[OPERANDS];
} forms[] = {
    {"ij,jk->ik",
     {{2, {2, 3}}, {2, {3, 4}}},
     {2, {2, 4}},
     "19 27 -20 21 15 35 -22 20",
     {"22 -10 24 -3 -34 -10", "16 -3 -11 25 -5 -3 10 -10 7 -3 -2 10"}},
    {"ij,jk",
     {{2, {2, 3}}, {2, {3, 2}}},
     {2, {2, 2}},
     "5 13 -1 19",
     {"14 8 2 -4 8 20", "-24 12 11 -9 -9 3"}},
    {"bqd,bkd->bqk",
     {{3, {2, 2, 3}}, {3, {2, 3, 3}}},
     {3, {2, 2, 3}},
     "-13 22 24 -9 18 23 -14 -17 35 -12 -12 32",
     {"-7 -4 -1 -1 -8 -4 39 -11 5 -12 5 -11",
      "-4 3 -1 32 -17 11 -31 18 -10 -13 -1 11 -5 -5 -5 14 2 -10"}},
    {"i,i->", {{1, {4}}, {1, {4}}}, {0, {0}}, "-3", {"-1 -5 2 -2", "-4 3 -1 -5"}},
    {"i,j->ij", {{1, {3}}, {1, {2}}}, {2, {3, 2}}, "4 20 -3 -15 1 5", {"14 -4 -11", "12 9"}},
    {"ij->ji", {{2, {2, 3}}}, {2, {3, 2}}, "-4 -5 3 2 -1 -2", {"1 4 -4 -3 0 3"}},
    {"ba", {{2, {2, 3}}}, {2, {3, 2}}, "-4 -5 3 2 -1 -2", {"1 4 -4 -3 0 3"}},
    {"ij->", {{2, {2, 3}}}, {0, {0}}, "-7", {"1 1 1 1 1 1"}},
    {"ij->j", {{2, {2, 3}}}, {1, {3}}, "-9 5 -3", {"1 -3 4 1 -3 4"}},
    {"ii", {{2, {3, 3}}}, {0, {0}}, "-5", {"1 0 0 0 1 0 0 0 1"}},
    {"ii->i", {{2, {3, 3}}}, {1, {3}}, "-4 2 -3", {"1 0 0 0 -3 0 0 0 4"}},
    {"iij->ij",
     {{3, {3, 3, 2}}},
     {2, {3, 2}},
     "-4 3 -3 4 -2 5",
     {"1 -3 0 0 0 0 0 0 4 0 0 0 0 0 0 0 -4 3"}},
    {"ijij->ji",
     {{4, {2, 3, 2, 3}}},
     {2, {3, 2}},
     "-4 0 1 5 -5 -1",
     {"1 0 0 0 0 0 0 4 0 0 0 0 0 0 -4 0 0 0 0 0 0 -3 0 0 0 0 0 0 0 0 0 0 0 0 0 3"}},
    {"iii->i", {{3, {2, 2, 2}}}, {1, {2}}, "-4 1", {"1 0 0 0 0 0 0 -3"}},
    {"ij,ij->i",
     {{2, {2, 3}}, {2, {2, 3}}},
     {1, {2}},
     "-13 18",
     {"-1 -5 2 6 -15 -3", "-4 3 -1 15 -6 6"}},
    {"ij,ij->ij",
     {{2, {2, 3}}, {2, {1, 3}}},
     {2, {2, 3}},
     "4 -15 -2 5 -10 -4",
     {"-1 15 8 0 20 6", "-4 -17 -10"}},
    {"ij,ij->i", {{2, {2, 3}}, {2, {2, 1}}}, {1, {2}}, "2 25", {"-1 -1 -1 15 15 15", "-2 15"}},
    {"ij,jk,kl->il",
     {{2, {2, 3}}, {2, {3, 2}}, {2, {2, 2}}},
     {2, {2, 2}},
     "75 3 93 21",
     {"-18 12 42 -108 -24 60", "-72 -108 40 46 -24 -42", "1 -15 89 -39"}},
    {"ij,jk,ki->",
     {{2, {2, 3}}, {2, {3, 2}}, {2, {2, 2}}},
     {0, {0}},
     "96",
     {"-27 -6 15 -3 -6 -9", "2 -25 2 17 2 -7", "5 -1 13 19"}},
    {"a,ab,abc->abc",
     {{1, {2}}, {2, {2, 2}}, {3, {2, 2, 2}}},
     {3, {2, 2, 2}},
     "8 -8 100 20 -18 24 0 24",
     {"-108 8", "-32 -80 72 60", "4 -12 80 0 -24 18 6 30"}},
    {"...ij,...jk->...ik",
     {{3, {2, 1, 2}}, {2, {2, 2}}},
     {3, {2, 1, 2}},
     "10 14 -9 15",
     {"14 8 -4 8", "-8 12 -17 -9"}},
    {"...ij,...jk->...ik",
     {{4, {2, 1, 1, 2}}, {3, {2, 2, 1}}},
     {4, {2, 2, 1, 1}},
     "-11 -14 26 8",
     {"-7 1 -4 -20", "-8 -17 12 -9"}},
    {"...i,i->...",
     {{3, {2, 2, 3}}, {1, {3}}},
     {2, {2, 2}},
     "-13 -9 -16 -12",
     {"-1 -5 2 3 15 -6 -4 -20 8 0 0 0", "31 1 -7"}},
    {"i...,i...",
     {{2, {2, 3}}, {2, {2, 3}}},
     {1, {3}},
     "14 -5 -4",
     {"-1 15 8 -2 -15 4", "-4 -9 -4 -5 -6 -8"}},
    {"i...->...i", {{3, {2, 1, 3}}}, {3, {1, 3, 2}}, "-4 -5 3 2 -1 -2", {"1 4 -4 -3 0 3"}},
    {"ij,kl->lkji",
     {{2, {2, 2}}, {2, {1, 2}}},
     {4, {2, 1, 2, 2}},
     "4 1 -3 5 20 5 -15 25",
     {"19 1 -12 25", "11 35"}},
    {"ijk,jil->kl",
     {{3, {2, 3, 2}}, {3, {3, 2, 2}}},
     {2, {2, 2}},
     "18 -11 -50 6",
     {"14 -4 2 20 12 0 8 8 -15 -12 6 12", "8 12 9 -15 -21 3 13 9 -6 -6 -16 0"}},
    {"Ba,aB", {{2, {2, 3}}, {2, {3, 2}}}, {0, {0}}, "24", {"-1 2 5 -5 -2 1", "-4 -5 3 2 -1 -2"}},
    {"aB,Bc",
     {{2, {2, 3}}, {2, {3, 2}}},
     {2, {2, 2}},
     "5 13 -1 19",
     {"14 8 2 -4 8 20", "-24 12 11 -9 -9 3"}},
    {" i j , j k -> i k ",
     {{2, {2, 2}}, {2, {2, 2}}},
     {2, {2, 2}},
     "10 14 -9 15",
     {"14 8 -4 8", "-8 12 -17 -9"}},
    {"bij,bj->bi",
     {{3, {2, 2, 3}}, {2, {2, 3}}},
     {2, {2, 2}},
     "-13 -9 -8 -12",
     {"-1 -5 2 3 15 -6 -8 20 4 0 0 0", "11 -3 5 20 4 -12"}},
    {"ii,jj->ij", {{2, {2, 2}}, {2, {2, 2}}}, {2, {2, 2}}, "4 8 5 10", {"5 0 0 -4", "-24 0 0 12"}},
    {"ik,jk,lk->ijl",
     {{2, {2, 2}}, {2, {2, 2}}, {2, {2, 2}}},
     {3, {2, 2, 2}},
     "38 5 -4 -46 -48 30 -24 0",
     {"29 41 -61 -49", "45 -70 -5 -9", "-30 -149 1 70"}},
    {"bhqk,bkhd->bqhd",
     {{4, {1, 2, 2, 2}}, {4, {1, 2, 2, 2}}},
     {4, {1, 2, 2, 2}},
     "19 23 10 -12 -24 0 7 -6",
     {"14 2 -11 -17 8 -12 8 -17", "0 9 3 -25 23 -24 -9 -5"}},
};

static int operands_of(int form) {
    int n = 0;
    while (n < OPERANDS && forms[form].d[n]) n++;
    return n;
}

static void fill(spor_program *program, spor_var x, int number) {
    spor_arg arg = spor_program_arg(program, x);
    for (int64_t j = 0; j < shape_size(&arg.shape); j++)
        ((double *)arg.data)[j] = (double)((j * 7 + 3 * number + 1) % 11 - 5);
}

/* All numbers are whole: no rounding. */
static void expect_numbers(spor_program *program, spor_var x, const char *want, const char *what) {
    spor_arg arg = spor_program_arg(program, x);
    char *end;
    for (int64_t j = 0; j < shape_size(&arg.shape); j++) {
        double number = strtod(want, &end);
        ck_assert_msg(end != want && ((double *)arg.data)[j] == number,
                      "%s, element %d: %g, not %s", what, (int)j, ((double *)arg.data)[j], want);
        want = end;
    }
    ck_assert_msg(!*want, "%s: there are more numbers: %s", what, want);
}

START_TEST(values_and_gradients_are_those_of_numpy) {
    spor_tape *t = spor_tape_new();
    int n = operands_of(_i);
    spor_var x[OPERANDS], out[1 + OPERANDS];
    for (int k = 0; k < n; k++) x[k] = spor_input(t, "x", forms[_i].in[k]);
    out[0] = spor_einsum(forms[_i].subscripts, n, x);
    ck_assert_msg(!spor_error(t), "%s", spor_error(t));
    spor_shape shape = spor_shape_of(out[0]);
    ck_assert(shape_equal(&shape, &forms[_i].out));
    spor_var dy = spor_input(t, "dy", shape);
    ck_assert(spor_vjp(out[0], dy, n, x, out + 1));
    spor_program *program =
        spor_compile(t, 1 + n, out, NULL, &(spor_options){.scalar = SPOR_F64, .reference = _i % 2});
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    for (int k = 0; k < n; k++) fill(program, x[k], k);
    fill(program, dy, 9);
    ck_assert(spor_run(program, 0));
    expect_numbers(program, out[0], forms[_i].y, forms[_i].subscripts);
    for (int k = 0; k < n; k++)
        expect_numbers(program, out[1 + k], forms[_i].d[k], forms[_i].subscripts);
    spor_program_free(program);
    spor_tape_free(t);
}
END_TEST

static const struct {
    const char *subscripts;
    int n;
    spor_shape in[2];
    const char *message;
} mistakes[] = {
    {"ij,jk->ik", 1, {{2, {2, 3}}}, "\"ij,jk->ik\" is about 2 operands, but 1 is given"},
    {"ij", 2, {{2, {2, 3}}, {2, {2, 3}}}, "\"ij\" is about 1 operand, but 2 are given"},
    {"ij,jk->ik", 2, {{2, {2, 3}}, {2, {4, 5}}}, "j is 4 in operand 2 but 3 before"},
    {"ijk,jk",
     2,
     {{2, {2, 3}}, {2, {4, 5}}},
     "\"ijk\" has 3 letters, but operand 1 is [2, 3], of 2 axes"},
    {"i,jk",
     2,
     {{2, {2, 3}}, {2, {4, 5}}},
     "\"i\" has 1 letter, but operand 1 is [2, 3], of 2 axes"},
    {"i1", 1, {{2, {2, 3}}}, "'1' is no letter"},
    {"ij>i", 1, {{2, {2, 3}}}, "'>' is no letter"},
    {"ij->i->", 1, {{2, {2, 3}}}, "'-' is no letter"},
    {"ij->k", 1, {{2, {2, 3}}}, "k of the result is in no operand"},
    {"ij->ii", 1, {{2, {2, 3}}}, "i stands twice in the result"},
    {"ii", 1, {{2, {2, 3}}}, "a diagonal over i, but operand 1 has sizes 2 and 3 there"},
    {"ii", 1, {{2, {2, 1}}}, "a diagonal over i, but operand 1 has sizes 2 and 1 there"},
    {"i..", 1, {{2, {2, 3}}}, "a dot of \"i..\" is no part of \"...\""},
    {"......", 1, {{2, {2, 3}}}, "\"...\" stands twice in \"......\""},
    {"...i->i", 1, {{2, {2, 3}}}, "the result \"i\" has no \"...\", but operands have"},
    {"...i,...i",
     2,
     {{2, {2, 3}}, {2, {4, 3}}},
     "an axis of \"...\" is 4 in operand 2 but 2 before"},
    {"abcde,fghij",
     2,
     {{5, {1, 1, 1, 1, 1}}, {5, {1, 1, 1, 1, 1}}},
     "the result has more than 8 axes"},
    {"abcde,fghij->a", 2, {{5, {1, 1, 1, 1, 1}}, {5, {1, 1, 1, 1, 1}}}, NULL},
    {"abcdefghi",
     1,
     {{2, {2, 3}}},
     "\"abcdefghi\" has 9 letters, but operand 1 is [2, 3], of 2 axes"},
    {"abcdefghij", 1, {{2, {2, 3}}}, "\"abcdefghij\" has more than 8 axes"},
};

START_TEST(mistakes_are_told) {
    spor_tape *t = spor_tape_new();
    spor_var x[2];
    for (int k = 0; k < mistakes[_i].n; k++) x[k] = spor_input(t, "x", mistakes[_i].in[k]);
    spor_einsum(mistakes[_i].subscripts, mistakes[_i].n, x);
    const char *error = spor_error(t);
    if (mistakes[_i].message)
        ck_assert_msg(error && strstr(error, mistakes[_i].message), "%s: %s",
                      mistakes[_i].subscripts, error);
    else
        ck_assert_msg(!error, "%s", error);
    spor_tape_free(t);
}
END_TEST

START_TEST(operands_have_one_tape) {
    spor_tape *t = spor_tape_new(), *other = spor_tape_new();
    spor_var x[] = {spor_input(t, "x", SPOR_SHAPE(2)), spor_input(other, "y", SPOR_SHAPE(2))};
    ck_assert(!spor_einsum("i,i", 2, x).id);
    ck_assert_ptr_nonnull(
        strstr(spor_error(t), "operand 2 is no variable of the first one's tape"));
    spor_tape_free(t);
    spor_tape_free(other);
}
END_TEST

/* The product that it means is one: no element is multiplied alone. */
START_TEST(a_product_of_matrices_is_recorded_as_one) {
    spor_tape *t = spor_tape_new();
    spor_var x[] = {spor_input(t, "q", SPOR_SHAPE(2, 5, 4)),
                    spor_input(t, "k", SPOR_SHAPE(2, 3, 4))};
    spor_einsum("bqd,bkd->bqk", 2, x);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    spor_tape_print(t, 0, 0, out);
    fclose(out);
    ck_assert_msg(strstr(text, "@") || strstr(text, "matmul"), "%s", text);
    ck_assert_int_eq(spor_tape_length(t), 4); /* q, k, transpose, product */
    free(text);
    spor_tape_free(t);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("einsum");
    TCase *tests = tcase_create("einsum");
    tcase_add_loop_test(tests, values_and_gradients_are_those_of_numpy, 0,
                        (int)(sizeof forms / sizeof *forms));
    tcase_add_loop_test(tests, mistakes_are_told, 0, (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_test(tests, operands_have_one_tape);
    tcase_add_test(tests, a_product_of_matrices_is_recorded_as_one);
    suite_add_tcase(suite, tests);
    return suite;
}
