/* Compositions of rows, order and products: values, and derivatives where they are delicate. */
#include "../suite.h"

#include <string.h>

#include <spor/spor.h>

/* x and what is made of it, in double. */
typedef struct {
    spor_tape *tape;
    spor_var x;
} page;

static page page_of(spor_shape shape) {
    page p = {.tape = spor_tape_new()};
    p.x = spor_input(p.tape, "x", shape);
    return p;
}

/* What z is at the numbers of x, by programs with and without fast paths. */
static void expect(const page *p, spor_var z, const double x[], const double want[]) {
    ck_assert_msg(z.id != 0, "%s", spor_error(p->tape));
    for (int reference = 0; reference < 2; reference++) {
        spor_options options = {.scalar = SPOR_F64, .reference = reference};
        spor_program *program = spor_compile(p->tape, 1, &z, NULL, &options);
        spor_arg in = spor_program_arg(program, p->x), out = spor_program_arg(program, z);
        int64_t n = 1, m = 1;
        for (int k = 0; k < in.shape.rank; k++) n *= in.shape.n[k];
        for (int k = 0; k < out.shape.rank; k++) m *= out.shape.n[k];
        memcpy(in.data, x, (size_t)n * sizeof *x);
        ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
        for (int64_t k = 0; k < m; k++)
            ck_assert_double_eq_tol(((double *)out.data)[k], want[k], 1e-14);
        spor_program_free(program);
    }
}

static spor_var total(spor_var x) {
    return spor_sum(x, SPOR_AXIS(spor_shape_of(x).rank) - 1);
}

/* ---- products -------------------------------------------------------------------------------- */

static const double factors[][4] = {{2, 3, 5, 7}, {2, 0, 5, 7}, {2, 0, 0, 7}, {0, 0, 0, 7}};

/* Of x_0 ... x_4 x_k's slope is the product of the others, that of x_k and x_j what is left of it. */
START_TEST(a_product_has_its_derivatives_where_factors_are_0) {
    page p = page_of(SPOR_SHAPE(5));
    double x[5] = {11}, first[5], second[5];
    memcpy(x + 1, factors[_i], sizeof factors[_i]);
    double all = 1;
    for (int k = 0; k < 5; k++) {
        first[k] = 1, second[k] = 0, all *= x[k];
        for (int j = 0; j < 5; j++)
            if (j != k) first[k] *= x[j];
        for (int j = 0; j < 5; j++) { /* of the sum of all slopes */
            double rest = j != k;
            for (int i = 0; i < 5; i++)
                if (i != j && i != k) rest *= x[i];
            second[k] += rest;
        }
    }
    spor_var d, dd, z = spor_prod(p.x, SPOR_AXIS(0));
    expect(&p, z, x, &all);
    ck_assert(spor_grad(z, 1, &p.x, &d));
    expect(&p, d, x, first);
    ck_assert(spor_grad(total(d), 1, &p.x, &dd));
    expect(&p, dd, x, second);
    spor_tape_free(p.tape);
}
END_TEST

/* NumPy: np.arange(1., 13).reshape(2, 3, 2).prod((0, 2)) */
START_TEST(a_product_goes_over_several_axes) {
    page p = page_of(SPOR_SHAPE(2, 3, 2));
    const double x[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    expect(&p, spor_prod(p.x, SPOR_AXIS(0) | SPOR_AXIS(2)), x, (double[]){112, 1080, 3960});
    expect(&p, spor_prod(p.x, 0), x, x);
    ck_assert_uint_eq(spor_prod(p.x, SPOR_AXIS(3)).id, 0);
    ck_assert_ptr_nonnull(strstr(spor_error(p.tape), "prod: axes name an axis that x, of rank 3"));
    spor_tape_free(p.tape);
}
END_TEST

/* ---- order ----------------------------------------------------------------------------------- */

/* NumPy: np.sort(x, 0); the weight of a place goes to who stands there. */
START_TEST(sorting_carries_its_derivative_back) {
    page p = page_of(SPOR_SHAPE(3, 2));
    const double x[] = {3, -1, 1, 4, 2, 0}, weight[] = {10, 20, 30, 40, 50, 60};
    spor_var d, z = spor_sort(p.x, 0);
    expect(&p, z, x, (double[]){1, -1, 2, 0, 3, 4});
    spor_var w = spor_array(p.tape, SPOR_SHAPE(3, 2), weight);
    ck_assert(spor_grad(total(spor_mul(z, w)), 1, &p.x, &d));
    expect(&p, d, x, (double[]){50, 20, 10, 60, 30, 40});
    spor_tape_free(p.tape);
}
END_TEST

/* NumPy: np.take_along_axis(x, i, 0) */
START_TEST(rows_are_taken_along_an_axis) {
    page p = page_of(SPOR_SHAPE(3, 2));
    const double x[] = {3, -1, 1, 4, 2, 0}, i[] = {2, 0, 2, 1};
    spor_var at = spor_array(p.tape, SPOR_SHAPE(2, 2), i);
    expect(&p, spor_take_along(p.x, at, 0), x, (double[]){2, -1, 2, 4});
    ck_assert_uint_eq(spor_take_along(p.x, at, 2).id, 0);
    ck_assert_ptr_nonnull(strstr(spor_error(p.tape), "take_along: x of rank 2 and i of rank 2"));
    spor_tape_free(p.tape);
}
END_TEST

START_TEST(one_hot_has_a_1_where_the_index_says) {
    page p = page_of(SPOR_SHAPE(3));
    expect(&p, spor_one_hot(p.x, 3), (double[]){2, 0, 1}, (double[]){0, 0, 1, 1, 0, 0, 0, 1, 0});
    spor_tape_free(p.tape);
}
END_TEST

/* ---- what is no index ------------------------------------------------------------------------ */

/* x and a mask of it. */
static spor_var opposite(spor_var x, spor_var m) {
    return spor_sub(spor_expand(spor_ratio(x.tape, 1, 1), SPOR_AXIS(0), spor_shape_of(m)), m);
}
static spor_var both(spor_var x, spor_var m) {
    return spor_mul(m, spor_less_equal(x, spor_neg(x)));
}
static spor_var either(spor_var x, spor_var m) {
    return spor_maximum(m, spor_equal(x, spor_neg(x)));
}
static spor_var chosen(spor_var x, spor_var m) {
    return spor_where(x, m, spor_step(x));
}
static spor_var turned(spor_var x, spor_var m) {
    (void)x;
    return spor_flip(m, SPOR_AXIS(0));
}
static spor_var cut(spor_var x, spor_var m) {
    const int64_t lo[] = {-1}, hi[] = {1};
    (void)x;
    return spor_pad(m, lo, hi, 1);
}
static spor_var alone(spor_var x, spor_var m) {
    (void)x;
    return m;
}
static spor_var filled(spor_var m, int64_t number) {
    return spor_expand(spor_ratio(m.tape, number, 1), SPOR_AXIS(0), spor_shape_of(m));
}
static spor_var rows_0_and_1(spor_var x, spor_var m) {
    (void)x;
    return spor_where(m, filled(m, 1), filled(m, 0));
}
static spor_var counted(spor_var x, spor_var m) {
    return spor_add(m, spor_step(x));
}
static spor_var padded_by_2(spor_var x, spor_var m) {
    const int64_t lo[] = {-1}, hi[] = {1};
    (void)x;
    return spor_pad(m, lo, hi, 2);
}
static spor_var doubled(spor_var x, spor_var m) {
    (void)x;
    return spor_mul(m, filled(m, 2));
}
static spor_var less_than_2(spor_var x, spor_var m) {
    (void)x;
    return spor_sub(filled(m, 2), m);
}
static spor_var raised(spor_var x, spor_var m) {
    return spor_maximum(m, x);
}
static spor_var given(spor_var x, spor_var m) {
    (void)m;
    return x;
}

static const struct {
    spor_var (*made)(spor_var x, spor_var mask);
    bool mask;
} made[] = {{alone, true},         {opposite, true}, {both, true},         {either, true},
            {chosen, true},        {turned, true},   {cut, true},          {given, false},
            {rows_0_and_1, false}, {counted, false}, {padded_by_2, false}, {doubled, false},
            {less_than_2, false},  {raised, false}};

/* The error of taking rows of so many, "" if there is none. */
static const char *taken(int k, int64_t rows, char out[256]) {
    page p = page_of(SPOR_SHAPE(5));
    spor_var E = spor_input(p.tape, "E", SPOR_SHAPE(rows, 2));
    spor_var z = spor_take(E, made[k].made(p.x, spor_less(p.x, spor_neg(p.x))), 0);
    snprintf(out, 256, "%s", z.id ? "" : spor_error(p.tape));
    spor_tape_free(p.tape);
    return out;
}

/* Two rows may be those of no and yes. */
START_TEST(a_mask_is_no_index) {
    char out[256];
    const char *three = taken(_i, 3, out);
    if (made[_i].mask)
        ck_assert_msg(strstr(three, "take: i is a mask of 0s and 1s, and so would name rows 0 and "
                                    "1 alone, where there are 3: choose with where(mask, x, 0)"),
                      "%s", three);
    else
        ck_assert_str_eq(three, "");
    ck_assert_str_eq(taken(_i, 2, out), "");
}
END_TEST

/* Of 4 rows, and of none. */
static const char *named(const double i[3], int64_t rows, char out[256]) {
    page p = page_of(SPOR_SHAPE(rows, 2));
    const int64_t perm[] = {1, 0};
    spor_var at = spor_transpose(spor_array(p.tape, SPOR_SHAPE(1, 3), i), perm);
    spor_var z = spor_take(p.x, at, 0);
    snprintf(out, 256, "%s", z.id ? "" : spor_error(p.tape));
    spor_tape_free(p.tape);
    return out;
}

START_TEST(a_constant_that_names_no_row_is_refused) {
    char out[256];
    ck_assert_str_eq(named((double[]){0, 3, 1}, 4, out), "");
    ck_assert_ptr_nonnull(strstr(named((double[]){0, 4, 1}, 4, out),
                                 "take: i has 4, which names none of the rows: they are 0 to 3\n"));
    ck_assert_ptr_nonnull(strstr(named((double[]){0, 1, -1}, 4, out),
                                 "i has -1, which names none of the rows: they are 0 to 3; the one "
                                 "counted so from the end is 3\n"));
    ck_assert_ptr_nonnull(strstr(named((double[]){0.5, 1, 1}, 4, out), "i has 0.5, which names"));
    ck_assert_ptr_nonnull(strstr(named((double[]){0, 0, 0}, 0, out), "i has 0, but there are no"));
    page p = page_of(SPOR_SHAPE(4));
    const int64_t lo[] = {0}, hi[] = {-1};
    spor_var at = spor_array(p.tape, SPOR_SHAPE(3), (double[]){0, 1, 7});
    ck_assert_uint_ne(spor_take(p.x, spor_pad(at, lo, hi, 0), 0).id, 0); /* 7 is cut off */
    spor_var some = spor_array(p.tape, SPOR_SHAPE(3), (double[]){0, 7, 1});
    ck_assert_uint_ne(spor_take(p.x, spor_subsample(some, (int64_t[]){2}), 0).id, 0);
    ck_assert_uint_eq(spor_one_hot(at, 3).id, 0);
    ck_assert_ptr_nonnull(strstr(spor_error(p.tape), "scatter_add: i has 7"));
    spor_tape_free(p.tape);
}
END_TEST

/* ---- what rounding may turn ------------------------------------------------------------------ */

/* Where an order is in doubt, what is taken in it may be each of those that it may be. */
START_TEST(an_order_in_doubt_is_known_no_better) {
    page p = page_of(SPOR_SHAPE(3));
    spor_var z = spor_sort(p.x, 0), places = spor_argsort(p.x, 0), out[] = {z, places};
    spor_options options = {.scalar = SPOR_BOUND, .reference = true};
    spor_program *program = spor_compile(p.tape, 2, out, NULL, &options);
    const double x[] = {1, 0x1p-2, 1.125, 0x1p-2, 4, 0x1p-2}; /* values, each with its bound */
    memcpy(spor_program_arg(program, p.x).data, x, sizeof x);
    ck_assert(spor_run(program, 0));
    const double *sorted = spor_program_arg(program, z).data;
    const double *place = spor_program_arg(program, places).data;
    ck_assert(place[1] >= 1 && place[3] >= 1 && place[5] <= 0);
    ck_assert(sorted[1] >= 0.125 + 0x1p-2 && sorted[3] >= 0.125 + 0x1p-2);
    ck_assert(sorted[5] >= 0x1p-2 && sorted[5] <= 0x1p-2);
    spor_program_free(program);
    spor_tape_free(p.tape);
}
END_TEST

/* ---- threads --------------------------------------------------------------------------------- */

enum { ROWS = 5000, WIDTH = 33, PICKS = 40000 };

static void scattered(int threads, float *z) {
    spor_tape *t = spor_tape_new();
    spor_var i = spor_input(t, "i", SPOR_SHAPE(PICKS));
    spor_var g = spor_input(t, "g", SPOR_SHAPE(PICKS, WIDTH)),
             out = spor_scatter_add(i, g, ROWS, 0);
    spor_options options = {.scalar = SPOR_F32, .threads = threads};
    spor_program *program = spor_compile(t, 1, &out, NULL, &options);
    float *to = spor_program_arg(program, i).data, *from = spor_program_arg(program, g).data;
    for (int k = 0; k < PICKS; k++) to[k] = (float)((k * 7919LL + k / 3) % 97 * 51 % ROWS);
    for (int k = 0; k < PICKS * WIDTH; k++) from[k] = 1.0F / (float)(k % 1013 + 1);
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    memcpy(z, spor_program_arg(program, out).data, sizeof *z * ROWS * WIDTH);
    spor_program_free(program);
    spor_tape_free(t);
}

START_TEST(a_scatter_add_has_the_same_bits_whatever_the_threads) {
    static float one[ROWS * WIDTH], other[ROWS * WIDTH];
    scattered(1, one);
    for (int threads = 2; threads <= 4; threads++) {
        scattered(threads, other);
        ck_assert_int_eq(memcmp(one, other, sizeof one), 0);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("rows");
    TCase *tests = tcase_create("rows");
    tcase_add_loop_test(tests, a_product_has_its_derivatives_where_factors_are_0, 0,
                        sizeof factors / sizeof *factors);
    tcase_add_test(tests, a_product_goes_over_several_axes);
    tcase_add_test(tests, sorting_carries_its_derivative_back);
    tcase_add_test(tests, rows_are_taken_along_an_axis);
    tcase_add_test(tests, one_hot_has_a_1_where_the_index_says);
    tcase_add_loop_test(tests, a_mask_is_no_index, 0, sizeof made / sizeof *made);
    tcase_add_test(tests, a_constant_that_names_no_row_is_refused);
    tcase_add_test(tests, an_order_in_doubt_is_known_no_better);
    tcase_add_test(tests, a_scatter_add_has_the_same_bits_whatever_the_threads);
    suite_add_tcase(suite, tests);
    return suite;
}
