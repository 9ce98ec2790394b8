/*
 * Arrays judged element by element: what is exempt, undecided, between right and wrong, and what
 * settles it; long sums and whole numbers.
 */
#include "../suite.h"

#include <float.h>
#include <math.h>

#include <spor/verify.h>
#include "base/random.h"
#include "tape/op.h"

static void fill(double data[], int size, bool integers, uint64_t seed) {
    for (int k = 0; k < size; k++) {
        double u = random_uniform(seed, (uint64_t)k, 1);
        data[k] = integers ? floor(7 * u) - 3 : (double)(float)(4 * u - 2);
    }
}

static spor_verdict judge(const spor_arrays *arrays) {
    spor_verdict verdict;
    ck_assert(spor_verify_arrays(arrays, &verdict));
    return verdict;
}

/* ---- a layer A W with a single claim, small ---- */

static struct { double A[6], W[6], dY[4], dW[6], dA[6]; } lin;

/* Y = A W with A [2, 3], W [3, 2]; the gradients in double. */
static spor_arrays lin_arrays(spor_tape *t) {
    for (int k = 0; k < 6; k++) {
        lin.dW[k] = lin.dA[k] = 0;
        for (int r = 0; r < 2; r++) {
            lin.dW[k] += lin.A[3 * r + k / 2] * lin.dY[2 * r + k % 2];
            lin.dA[k] += lin.dY[2 * (k / 3) + r] * lin.W[2 * (k % 3) + r];
        }
    }
    spor_var A = spor_input(t, "A", SPOR_SHAPE(2, 3)), W = spor_input(t, "W", SPOR_SHAPE(3, 2));
    return (spor_arrays){.y = spor_matmul(A, W),
                         .inputs = 2,
                         .input = {A, W},
                         .value = {lin.A, lin.W},
                         .cotangent = lin.dY,
                         .claims = 2,
                         .claim = {{.name = "dW", .wrt = 1, .claimed = lin.dW},
                                   {.name = "dA", .wrt = 0, .claimed = lin.dA}},
                         .arithmetic = SPOR_F64};
}

static void fill_lin(void) {
    fill(lin.A, 6, false, 11);
    fill(lin.W, 6, false, 12);
    fill(lin.dY, 4, false, 13);
}

/* An infinity in column 1 of A reaches row 1 of dW = A' dY, and nothing of dA = dY W'. */
START_TEST(what_is_not_finite_is_exempt_where_it_reaches) {
    spor_tape *t = spor_tape_new();
    fill_lin();
    lin.A[1] = (double)(_i ? NAN : INFINITY);
    spor_arrays arrays = lin_arrays(t);
    spor_verdict v = judge(&arrays);
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.arrays.exempt, 2);
    ck_assert_int_eq(v.comparisons, 10);
    ck_assert_str_eq(v.arrays.unjudged, "dW[1, 0..1]");
    lin.dA[1] = -lin.dA[1];
    v = judge(&arrays);
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
    ck_assert_str_eq(v.example.pair_name, "dA");
    ck_assert_int_eq(v.example.dispute, SPOR_FORMULA_TAPE);
    for (int k = 0; k < 6; k++) lin.A[k] = (double)INFINITY;
    arrays.claims = 1;
    v = judge(&arrays);
    ck_assert_int_eq(v.outcome, SPOR_NOTHING_EXAMINED);
    ck_assert_int_eq(v.arrays.exempt, 6);
    spor_tape_free(t);
}
END_TEST

/* The truth is finite, and float holds it. */
START_TEST(what_is_claimed_to_be_no_number_is_wrong) {
    const double claims[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
    spor_tape *t = spor_tape_new();
    fill_lin();
    spor_arrays arrays = lin_arrays(t);
    lin.dW[3] = claims[_i];
    arrays.rtol = 1e9; /* nothing settles it */
    spor_verdict v = judge(&arrays);
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
    ck_assert_int_eq(v.example.wrong, 1);
    spor_tape_free(t);
}
END_TEST

/* What is farther off than the runs and nearer than the worst case is settled by who asks. */
START_TEST(the_user_settles_what_is_between) {
    static const struct {
        double ulps, rtol;
        spor_outcome outcome;
    } rows[] = {{0, 0, SPOR_NOTHING_EXAMINED},
                {0, 1, SPOR_HOLDS},
                {0, 1e-9, SPOR_FAILS},
                {1e9, 0, SPOR_HOLDS},
                {1, 0, SPOR_FAILS}};
    spor_tape *t = spor_tape_new();
    fill_lin();
    spor_arrays arrays = lin_arrays(t);
    arrays.arithmetic = SPOR_F32;
    lin.dW[2] *= 1 + 0x1p-20;
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        arrays.ulps = rows[k].ulps;
        arrays.rtol = rows[k].rtol;
        spor_verdict v = judge(&arrays);
        ck_assert_int_eq(v.outcome, rows[k].outcome);
        ck_assert_int_eq(v.arrays.between, !k);
        ck_assert_int_eq(v.arrays.settled, rows[k].outcome == SPOR_HOLDS);
        if (k) continue;
        ck_assert_str_eq(v.example.pair_name, "dW");
        ck_assert(v.example.bound < v.arrays.worst_case);
        /* what it says would settle it, does */
        arrays.ulps = v.arrays.ulps;
        ck_assert_int_eq(judge(&arrays).outcome, SPOR_HOLDS);
        arrays.ulps = 0, arrays.rtol = v.arrays.rtol;
        ck_assert_int_eq(judge(&arrays).outcome, SPOR_HOLDS);
    }
    spor_tape_free(t);
}
END_TEST

/* ---- too large ---- */

static const struct {
    double x; /* dx = 2 x */
    spor_stored stored;
    double claimed;
    bool wrong; /* else undecided */
} too_large[] = {
    {40000, SPOR_STORED_F16, (double)INFINITY, false},
    {40000, SPOR_STORED_F16, 65504, false},
    {32757, SPOR_STORED_F16, 65504, false}, /* which 65514 rounds to */
    {32757, SPOR_STORED_F16, 65472, true},
    {40000, SPOR_STORED_F16, 5, true},
    {40000, SPOR_STORED_F16, 0, true},
    {40000, SPOR_STORED_F16, -65504, true},
    {40000, SPOR_STORED_F16, 1e9, true},
    {40000, SPOR_STORED_F16, 60000, true},
    {40000, SPOR_STORED_F16, -(double)INFINITY, true},
    {40000, SPOR_STORED_F16, (double)NAN, true},
    {-40000, SPOR_STORED_F16, -(double)INFINITY, false},
    {-40000, SPOR_STORED_F16, -65504, false},
    {-40000, SPOR_STORED_F16, (double)INFINITY, true},
    {0x1.fep126 + 0x1p118, SPOR_STORED_BF16, 0x1.fep127, false},
    {0x1.fep126 + 0x1p118, SPOR_STORED_BF16, (double)NAN, true},
    /* float itself has no such number: an infinity on the way may become any other, or NaN */
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, (double)INFINITY, false},
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, -(double)INFINITY, false},
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, (double)NAN, false},
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, (double)FLT_MAX, false},
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, 0x1.8p127, false},
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, 5, true},
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, 0, true},
    {0x1.4p127, SPOR_STORED_AS_COMPUTED, -(double)FLT_MAX, true},
    {0x1.4p127, SPOR_STORED_F16, 65504, false},
    {0x1.4p127, SPOR_STORED_F16, 60000, true},
};
enum { TOO_LARGE = sizeof too_large / sizeof *too_large };

/* y = x x; the second element is right. */
static spor_verdict judge_square(double x, spor_stored stored, double claimed, double rtol) {
    spor_tape *t = spor_tape_new();
    double data[] = {x, 1}, dx[] = {claimed, 2};
    spor_var in = spor_input(t, "x", SPOR_SHAPE(2));
    spor_arrays arrays = {.y = spor_mul(in, in),
                          .inputs = 1,
                          .input = {in},
                          .value = {data},
                          .claims = 1,
                          .claim = {{.name = "dx", .wrt = 0, .claimed = dx, .stored = stored}},
                          .arithmetic = SPOR_F32,
                          .rtol = rtol};
    spor_verdict v = judge(&arrays);
    spor_tape_free(t);
    return v;
}

/* What a number that does not fit may become is undecided; any other number is wrong. */
START_TEST(what_is_too_large_excuses_no_other_number) {
    spor_verdict v = judge_square(too_large[_i].x, too_large[_i].stored, too_large[_i].claimed, 0);
    ck_assert_int_eq(v.outcome, too_large[_i].wrong ? SPOR_FAILS : SPOR_HOLDS);
    ck_assert_int_eq(v.example.wrong, too_large[_i].wrong);
    ck_assert_int_eq(v.undecided, !too_large[_i].wrong);
    ck_assert_int_eq(v.arrays.undefined, !too_large[_i].wrong);
    if (too_large[_i].wrong) ck_assert_int_eq(v.example.dispute, SPOR_FORMULA_TAPE);
}
END_TEST

/* Who allows more has it allowed there too; it does not make it right. */
START_TEST(what_is_too_large_may_be_off_by_what_is_allowed) {
    spor_verdict v = judge_square(40000, SPOR_STORED_F16, 60000, 0.5);
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.undecided, 1);
    ck_assert_int_eq(v.arrays.settled, 0);
    ck_assert_int_eq(judge_square(40000, SPOR_STORED_F16, 60000, 0.1).outcome, SPOR_FAILS);
}
END_TEST

/* ---- rows far from 0 ---- */

enum { FAR_ROWS = 4, WIDTH = 16 };
static struct { double x[FAR_ROWS * WIDTH], d[FAR_ROWS * WIDTH], dx[FAR_ROWS * WIDTH]; } far;

static spor_var centred(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    spor_var part = spor_broadcast(spor_ratio(x.tape, 1, WIDTH), SPOR_SHAPE(FAR_ROWS));
    spor_var mean = spor_mul(spor_sum(x, SPOR_AXIS(1)), part);
    return spor_sub(x, spor_expand(mean, SPOR_AXIS(1), shape));
}

/* h = x - E x, y = h / |h|; dx in double. The last two rows are about 30000. */
static void fill_far(void) {
    fill(far.x, FAR_ROWS * WIDTH, false, 14);
    fill(far.d, FAR_ROWS * WIDTH, false, 15);
    for (int r = 0; r < FAR_ROWS; r++) {
        double *x = far.x + r * WIDTH, *d = far.d + r * WIDTH, *dx = far.dx + r * WIDTH;
        double mean = 0, size = 0, along = 0, total = 0;
        for (int k = 0; k < WIDTH; k++) {
            if (r >= FAR_ROWS / 2) x[k] = (double)(float)(30000 + x[k]);
            mean += x[k] / WIDTH;
        }
        for (int k = 0; k < WIDTH; k++) size += (x[k] - mean) * (x[k] - mean);
        for (int k = 0; k < WIDTH; k++) along += d[k] * (x[k] - mean) / size;
        for (int k = 0; k < WIDTH; k++) {
            dx[k] = (d[k] - (x[k] - mean) * along) / sqrt(size);
            total += dx[k] / WIDTH;
        }
        for (int k = 0; k < WIDTH; k++) dx[k] -= total;
    }
}

/* Float knows little of them: what it cannot decide is counted, and a turned sign does not hold. */
START_TEST(rows_that_float_cannot_decide_do_not_hide_faults) {
    spor_tape *t = spor_tape_new();
    fill_far();
    for (int k = 0; k < FAR_ROWS * WIDTH; k++) far.dx[k] = (double)(float)far.dx[k];
    for (int k = FAR_ROWS / 2 * WIDTH; _i && k < FAR_ROWS * WIDTH; k++) far.dx[k] *= -1;
    spor_var x = spor_input(t, "x", SPOR_SHAPE(FAR_ROWS, WIDTH)), h = centred(x);
    spor_var size = spor_sqrt(spor_sum(spor_mul(h, h), SPOR_AXIS(1)));
    spor_arrays arrays = {.y = spor_div(h, spor_expand(size, SPOR_AXIS(1), spor_shape_of(h))),
                          .inputs = 1,
                          .input = {x},
                          .value = {far.x},
                          .cotangent = far.d,
                          .claims = 1,
                          .claim = {{.name = "dx", .wrt = 0, .claimed = far.dx}},
                          .arithmetic = SPOR_F32};
    spor_verdict v = judge(&arrays);
    int64_t wrong = v.example.wrong + v.arrays.between;
    ck_assert_int_eq(v.comparisons + v.undecided + v.arrays.between, FAR_ROWS * WIDTH);
    if (_i) ck_assert(v.outcome != SPOR_HOLDS && wrong > WIDTH);
    if (!_i) ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    if (!_i) ck_assert(v.comparisons >= FAR_ROWS / 2 * WIDTH && v.undecided > 0);
    spor_tape_free(t);
}
END_TEST

/* ---- long sums ---- */

enum { SIDE = 40 };
static struct { double A[SIDE * SIDE], W[SIDE * SIDE], d[SIDE * SIDE], dW[SIDE * SIDE]; } wide;

/* dW = A' (d (1 - tanh^2)) in float, or A' d on integers; returns the largest error. */
static double fill_wide(bool integers) {
    double largest = 0;
    fill(wide.A, SIDE * SIDE, integers, 16);
    fill(wide.W, SIDE * SIDE, integers, 17);
    fill(wide.d, SIDE * SIDE, integers, 18);
    static float slope[SIDE * SIDE];
    static double exact[SIDE * SIDE];
    for (int at = 0; !integers && at < SIDE * SIDE; at++) wide.W[at] /= 8;
    for (int at = 0; at < SIDE * SIDE; at++) {
        double z = 0;
        float single = 0;
        for (int k = SIDE - 1; k >= 0; k--) {
            int a = at / SIDE * SIDE + k, w = k * SIDE + at % SIDE;
            z += wide.A[a] * wide.W[w];
            single += (float)wide.A[a] * (float)wide.W[w];
        }
        float y = tanhf(single);
        slope[at] = integers ? (float)wide.d[at] : (1 - y * y) * (float)wide.d[at];
        exact[at] = integers ? wide.d[at] : wide.d[at] / (cosh(z) * cosh(z));
    }
    for (int at = 0; at < SIDE * SIDE; at++) {
        double sum = 0;
        float single = 0;
        for (int n = 0; n < SIDE; n++) {
            sum += wide.A[n * SIDE + at / SIDE] * exact[n * SIDE + at % SIDE];
            single += (float)wide.A[n * SIDE + at / SIDE] * slope[n * SIDE + at % SIDE];
        }
        wide.dW[at] = (double)single;
        largest = fmax(largest, fabs(sum - wide.dW[at]));
    }
    return largest;
}

static spor_verdict judge_wide(bool integers) {
    spor_tape *t = spor_tape_new();
    spor_var A = spor_input(t, "A", SPOR_SHAPE(SIDE, SIDE));
    spor_var W = spor_input(t, "W", SPOR_SHAPE(SIDE, SIDE)), z = spor_matmul(A, W);
    spor_arrays arrays = {.y = integers ? z : spor_tanh(z),
                          .inputs = 2,
                          .input = {A, W},
                          .value = {wide.A, wide.W},
                          .cotangent = wide.d,
                          .claims = 1,
                          .claim = {{.name = "dW", .wrt = 1, .claimed = wide.dW}},
                          .arithmetic = SPOR_F32};
    spor_verdict v = judge(&arrays);
    spor_tape_free(t);
    return v;
}

START_TEST(a_fault_in_one_of_many_long_sums_shows) {
    double error = fill_wide(false);
    spor_verdict v = judge_wide(false);
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.comparisons, SIDE * SIDE);
    ck_assert(v.arrays.off <= error * (1 + 1e-6) && v.arrays.off >= error * (1 - 1e-6));
    wide.dW[777] += 20 * error;
    v = judge_wide(false);
    ck_assert_int_eq(v.outcome, SPOR_NOTHING_EXAMINED);
    ck_assert_int_eq(v.arrays.between, 1);
    ck_assert_int_eq(v.example.index[0] * SIDE + v.example.index[1], 777);
}
END_TEST

/* Whole numbers are exact in any order: a hundred-thousandth too much is wrong, not unfinished. */
START_TEST(whole_numbers_are_exact_in_long_sums) {
    ck_assert_double_eq(fill_wide(true), 0);
    spor_verdict v = judge_wide(true);
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.exact, SIDE * SIDE);
    wide.dW[777] *= 1 + 1e-5;
    v = judge_wide(true);
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
    ck_assert_int_eq(v.example.wrong, 1);
}
END_TEST

/* ---- branches, and faults of ops ---- */

enum { SUMS = 5 };

/* y = relu((a + b) - 1): at 0 float loses b = 2^-30, and the slope is 0 where it should be 1. */
START_TEST(a_branch_that_rounding_takes_accuses_nobody) {
    spor_tape *t = spor_tape_new();
    double a[SUMS] = {1, 3, -2, 5, 2}, b[SUMS] = {0x1p-30, 0.3, 0.1, 0.7, -0.4};
    double da[SUMS] = {_i == 1, 1, 0, 1, _i == 2 ? 0 : 1};
    spor_var x = spor_input(t, "a", SPOR_SHAPE(SUMS)), y = spor_input(t, "b", SPOR_SHAPE(SUMS));
    spor_var one = spor_broadcast(spor_ratio(t, 1, 1), SPOR_SHAPE(SUMS));
    spor_arrays arrays = {.y = spor_relu(spor_sub(spor_add(x, y), one)),
                          .inputs = 2,
                          .input = {x, y},
                          .value = {a, b},
                          .claims = 1,
                          .claim = {{.name = "da", .wrt = 0, .claimed = da}},
                          .arithmetic = SPOR_F32};
    spor_verdict v = judge(&arrays);
    ck_assert_int_eq(v.outcome, _i == 2 ? SPOR_FAILS : SPOR_HOLDS);
    ck_assert_int_eq(v.undecided, 1);
    ck_assert_str_eq(v.arrays.unjudged, "da[0]");
    spor_tape_free(t);
}
END_TEST

extern const spor_op spor_op_tanh;

/* A millionth too much where y > 0.9, which one of the elements is. */
static spor_var nearly(spor_var y, int k, spor_var ybar) {
    spor_shape shape = spor_shape_of(y);
    spor_var part = spor_step(spor_sub(y, op_fill(y.tape, 0.9, 0, shape)));
    spor_var much = spor_mul(part, op_fill(y.tape, 1e-6, 0, shape));
    spor_var right = spor_op_tanh.vjp(y, k, ybar);
    return spor_add(right, spor_mul(right, much));
}

/* The claim agrees with the tape, in the last of many elements neither is right. */
START_TEST(complex_steps_see_a_fault_of_an_op) {
    static double data[SIDE * SIDE], claimed[SIDE * SIDE];
    spor_tape *t = spor_tape_new();
    spor_op wrong = spor_op_tanh;
    wrong.vjp = nearly;
    for (int k = 0; k < SIDE * SIDE; k++) data[k] = k == SIDE * SIDE - 1 ? 2 : k % 7 * 0.125;
    for (int k = 0; k < SIDE * SIDE; k++) claimed[k] = 1 - tanh(data[k]) * tanh(data[k]);
    if (_i) claimed[SIDE * SIDE - 1] *= 1 + 1e-6;
    spor_var x = spor_input(t, "x", SPOR_SHAPE(SIDE, SIDE));
    spor_arrays arrays = {.y = op_record(_i ? &wrong : &spor_op_tanh, &x, NULL),
                          .inputs = 1,
                          .input = {x},
                          .value = {data},
                          .claims = 1,
                          .claim = {{.name = "dx", .wrt = 0, .claimed = claimed}},
                          .arithmetic = SPOR_F64};
    spor_verdict v = judge(&arrays);
    ck_assert_int_eq(v.outcome, _i ? SPOR_FAILS : SPOR_HOLDS);
    if (_i) ck_assert_int_eq(v.example.dispute, SPOR_TAPE_ORACLE);
    if (_i) ck_assert_str_eq(v.example.pair_name, "dx");
    spor_tape_free(t);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify_elements");
    TCase *tests = tcase_create("verify_elements");
    tcase_add_loop_test(tests, what_is_not_finite_is_exempt_where_it_reaches, 0, 2);
    tcase_add_loop_test(tests, what_is_claimed_to_be_no_number_is_wrong, 0, 3);
    tcase_add_test(tests, the_user_settles_what_is_between);
    tcase_add_loop_test(tests, what_is_too_large_excuses_no_other_number, 0, TOO_LARGE);
    tcase_add_test(tests, what_is_too_large_may_be_off_by_what_is_allowed);
    tcase_add_loop_test(tests, rows_that_float_cannot_decide_do_not_hide_faults, 0, 2);
    tcase_add_test(tests, a_fault_in_one_of_many_long_sums_shows);
    tcase_add_test(tests, whole_numbers_are_exact_in_long_sums);
    tcase_add_loop_test(tests, a_branch_that_rounding_takes_accuses_nobody, 0, 3);
    tcase_add_loop_test(tests, complex_steps_see_a_fault_of_an_op, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
