/* Gradients that other code computed: a hand-coded backward over plain arrays in C against a tape.
 */
#include "../suite.h"

#include <math.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>
#include <spor/verify.h>
#include "base/random.h"

enum { N = 2, H = 4, W = 5, K = 3, L = 2, P = H - K + 1, Q = W - L + 1 };
enum { ROWS = 3, IN = 40, OUT = 4 };

/* ---- other code: Eqs. (1), (9), (18) and a dense layer, with T as its arithmetic ------------- */

#define OTHER_CODE(T)                                                                              \
    static void conv_backward_##T(const double *A, const double *k, const double *dY, double *dK,  \
                                  double *dA) {                                                    \
        for (int u = 0; u < K; u++)                                                                \
            for (int v = 0; v < L; v++) {                                                          \
                T sum = 0;                                                                         \
                for (int n = N - 1; n >= 0; n--)                                                   \
                    for (int i = 0; i < P; i++)                                                    \
                        for (int j = 0; j < Q; j++)                                                \
                            sum += (T)A[(n * H + i + u) * W + j + v] * (T)dY[(n * P + i) * Q + j]; \
                dK[u * L + v] = (double)sum;                                                       \
            }                                                                                      \
        for (int at = 0; at < N * H * W; at++) {                                                   \
            int n = at / (H * W), a = at / W % H, b = at % W;                                      \
            T sum = 0;                                                                             \
            for (int u = 0; u < K; u++)                                                            \
                for (int v = 0; v < L; v++)                                                        \
                    if (a >= u && a - u < P && b >= v && b - v < Q)                                \
                        sum += (T)k[u * L + v] * (T)dY[(n * P + a - u) * Q + b - v];               \
            dA[at] = (double)sum;                                                                  \
        }                                                                                          \
    }                                                                                              \
    /* Y = tanh(X V + c), sums from the last term on */                                            \
    static void dense_##T(const double *X, const double *V, const double *c, double *Y) {          \
        for (int n = 0; n < ROWS; n++)                                                             \
            for (int m = 0; m < OUT; m++) {                                                        \
                T z = (T)c[m];                                                                     \
                for (int k = IN - 1; k >= 0; k--) z += (T)X[n * IN + k] * (T)V[k * OUT + m];       \
                Y[n * OUT + m] = (double)(T)tanh((double)z);                                       \
            }                                                                                      \
    }                                                                                              \
    static void dense_backward_##T(const double *X, const double *Y, const double *dY, double *dV, \
                                   double *dc) {                                                   \
        for (int m = 0; m < OUT; m++) {                                                            \
            T sum = 0;                                                                             \
            for (int n = 0; n < ROWS; n++) {                                                       \
                T y = (T)Y[n * OUT + m];                                                           \
                sum += (T)dY[n * OUT + m] * (1 - y * y);                                           \
            }                                                                                      \
            dc[m] = (double)sum;                                                                   \
            for (int k = 0; k < IN; k++) {                                                         \
                sum = 0;                                                                           \
                for (int n = ROWS - 1; n >= 0; n--) {                                              \
                    T y = (T)Y[n * OUT + m];                                                       \
                    sum += (T)X[n * IN + k] * (1 - y * y) * (T)dY[n * OUT + m];                    \
                }                                                                                  \
                dV[k * OUT + m] = (double)sum;                                                     \
            }                                                                                      \
        }                                                                                          \
    }
OTHER_CODE(float)
OTHER_CODE(double)

/* ---- the cases ---- */

static void fill(double data[], int size, bool integers, uint64_t seed) {
    for (int k = 0; k < size; k++) {
        double u = random_uniform(seed, (uint64_t)k, 1);
        data[k] = integers ? floor(7 * u) - 3 : (double)(float)(4 * u - 2);
    }
}

static struct { double A[N * H * W], K[K * L], dY[N * P * Q], dK[K * L], dA[N * H * W]; } conv;

/* Z = A (star) K with the numbers and the other code's dK, dA. */
static spor_arrays conv_arrays(spor_tape *t, bool integers, spor_scalar arithmetic) {
    fill(conv.A, N * H * W, integers, 1);
    fill(conv.K, K * L, integers, 2);
    fill(conv.dY, N * P * Q, integers, 3);
    (arithmetic == SPOR_F32 ? conv_backward_float : conv_backward_double)(conv.A, conv.K, conv.dY,
                                                                          conv.dK, conv.dA);
    spor_var A = spor_input(t, "A", SPOR_SHAPE(N, H, W, 1));
    spor_var kernel = spor_input(t, "K", SPOR_SHAPE(K, L, 1, 1));
    return (spor_arrays){.y = spor_correlate2d(A, kernel, 1, 1),
                         .inputs = 2,
                         .input = {A, kernel},
                         .value = {conv.A, conv.K},
                         .cotangent = conv.dY,
                         .claims = 2,
                         .claim = {{.name = "dK", .wrt = 1, .claimed = conv.dK},
                                   {.name = "dA", .wrt = 0, .claimed = conv.dA}},
                         .arithmetic = arithmetic};
}

static spor_verdict judge(const spor_arrays *arrays) {
    spor_verdict verdict;
    ck_assert(spor_verify_arrays(arrays, &verdict));
    return verdict;
}

/* Four cases: integers or reals, float or double. */
START_TEST(right_arrays_hold) {
    bool integers = _i % 2;
    spor_tape *t = spor_tape_new();
    spor_arrays arrays = conv_arrays(t, integers, _i / 2 ? SPOR_F64 : SPOR_F32);
    spor_verdict v = judge(&arrays);
    if (v.outcome != SPOR_HOLDS) spor_verdict_print(NULL, &v, stderr);
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.comparisons, K * L + N * H * W);
    ck_assert_int_eq(v.asked[SPOR_BY_COMPLEX_STEP], 2 * 8); /* of each claim */
    ck_assert_int_eq(v.undecided + v.arrays.exempt + v.arrays.between, 0);
    if (integers) ck_assert_int_eq(v.exact, v.comparisons);
    if (!integers) ck_assert(v.closest > 1e-2 && v.closest < 1); /* the bound is not idle */
    if (!integers) ck_assert(v.arrays.allowed <= 10 * v.arrays.runs);
    spor_tape_free(t);
}
END_TEST

START_TEST(a_single_bit_on_integers_is_wrong) {
    spor_tape *t = spor_tape_new();
    spor_arrays arrays = conv_arrays(t, true, SPOR_F32);
    conv.dK[3] = nextafter(conv.dK[3], 100);
    spor_verdict v = judge(&arrays);
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
    ck_assert_int_eq(v.example.wrong, 1);
    ck_assert_int_eq(v.example.index[0] * L + v.example.index[1], 3);
    ck_assert_double_eq(v.example.oracle, v.example.expected);
    spor_tape_free(t);
}
END_TEST

/* What double must not do, float may. */
START_TEST(the_arithmetic_decides_what_is_allowed) {
    for (int k = 0; k < 2; k++) {
        spor_tape *t = spor_tape_new();
        spor_arrays arrays = conv_arrays(t, false, SPOR_F32);
        if (k) arrays.arithmetic = SPOR_F64;
        spor_verdict v = judge(&arrays);
        ck_assert_int_eq(v.outcome, k ? SPOR_FAILS : SPOR_HOLDS);
        conv.dK[0] += 1e-4;
        v = judge(&arrays);
        ck_assert_int_eq(v.outcome, SPOR_FAILS);
        spor_tape_free(t);
    }
}
END_TEST

static void rotate(double x[], int size) {
    for (int k = 0; k < size / 2; k++) {
        double held = x[k];
        x[k] = x[size - 1 - k];
        x[size - 1 - k] = held;
    }
}

/* Faults planted into the arrays; each is named, in float and in double. */
static void plant(int fault) {
    if (fault == 0) rotate(conv.dK, K * L);
    for (int k = 0; k < K * L; k++) {
        if (fault == 1) conv.dK[k] = -conv.dK[k];
        if (fault == 2) conv.dK[k] /= (double)N;
        if (fault == 3) conv.dK[k] = 0;
        if (fault == 4 && k % L == L - 1) conv.dK[k] += 1;
    }
    if (fault == 5) conv.dA[7] = (double)NAN;
    if (fault == 6)
        for (int k = 0; k < N * H * W; k++)
            if (k / W % H == 0) conv.dA[k] = 0;
}

START_TEST(planted_faults_are_named) {
    static const struct {
        const char *name, *pattern;
    } faults[] = {{"dK", "rotated by 180 degrees"},
                  {"dK", "the sign is wrong"},
                  {"dK", "off by the factor 0.5"},
                  {"dK", "zero everywhere"},
                  {"dK", "wrong only at index 1 (the last) of axis 1"},
                  {"dA", "wrong only at index 0 (the first) of axis 0"},
                  {"dA", "wrong only at index 0 (the first) of axis 1"}};
    for (int scalar = SPOR_F32; scalar <= SPOR_F64; scalar++) {
        spor_tape *t = spor_tape_new();
        spor_arrays arrays = conv_arrays(t, false, (spor_scalar)scalar);
        plant(_i);
        spor_verdict v = judge(&arrays);
        ck_assert_int_eq(v.outcome, SPOR_FAILS);
        ck_assert_str_eq(v.example.pair_name, faults[_i].name);
        ck_assert_msg(strstr(v.example.pattern, faults[_i].pattern) != NULL, "%s",
                      v.example.pattern);
        ck_assert_ptr_nonnull(strstr(v.example.data, "A [2, 4, 5, 1] = ["));
        spor_tape_free(t);
    }
}
END_TEST

static struct {
    double X[ROWS * IN], V[IN * OUT], c[OUT], dY[ROWS * OUT], Y[ROWS * OUT], dV[IN * OUT], dc[OUT];
} dense;

/* Y itself is claimed too; with tanh(Y) for Y in the slope dV is wrong. */
START_TEST(values_are_judged_like_gradients) {
    spor_tape *t = spor_tape_new();
    bool single = _i % 2, wrong = _i / 2;
    fill(dense.X, ROWS * IN, false, 4);
    fill(dense.V, IN * OUT, false, 5);
    fill(dense.c, OUT, false, 6);
    fill(dense.dY, ROWS * OUT, false, 7);
    for (int k = 0; k < IN * OUT; k++) dense.V[k] /= 32;
    (single ? dense_float : dense_double)(dense.X, dense.V, dense.c, dense.Y);
    (single ? dense_backward_float : dense_backward_double)(dense.X, dense.Y, dense.dY, dense.dV,
                                                            dense.dc);
    if (wrong) dense.Y[5] += 0x1p-10;
    spor_var X = spor_input(t, "X", SPOR_SHAPE(ROWS, IN)),
             V = spor_input(t, "V", SPOR_SHAPE(IN, OUT)), c = spor_input(t, "c", SPOR_SHAPE(OUT));
    spor_arrays arrays = {
        .y = spor_tanh(spor_add(spor_matmul(X, V), spor_broadcast(c, SPOR_SHAPE(ROWS, OUT)))),
        .inputs = 3,
        .input = {X, V, c},
        .value = {dense.X, dense.V, dense.c},
        .cotangent = dense.dY,
        .claims = 3,
        .claim = {{.name = "Y", .wrt = SPOR_OF_Y, .claimed = dense.Y},
                  {.name = "dV", .wrt = 1, .claimed = dense.dV},
                  {.name = "dc", .wrt = 2, .claimed = dense.dc}},
        .arithmetic = single ? SPOR_F32 : SPOR_F64};
    spor_verdict v = judge(&arrays);
    if (v.outcome != (wrong ? SPOR_FAILS : SPOR_HOLDS)) spor_verdict_print(NULL, &v, stderr);
    ck_assert_int_eq(v.outcome, wrong ? SPOR_FAILS : SPOR_HOLDS);
    if (wrong) ck_assert_str_eq(v.example.pair_name, "Y");
    if (wrong) ck_assert_int_eq(v.example.index[0] * OUT + v.example.index[1], 5);
    spor_tape_free(t);
}
END_TEST

START_TEST(what_cannot_be_judged_says_why) {
    spor_tape *t = spor_tape_new();
    spor_arrays arrays = conv_arrays(t, true, SPOR_F32);
    arrays.claim[0].wrt = 2;
    spor_verdict v = judge(&arrays);
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
    ck_assert_str_eq(v.example.message, "dK is claimed for input 2 of 2");
    arrays.claim[0].wrt = 1;
    arrays.claim[0].stored = SPOR_STORED_KINDS;
    v = judge(&arrays);
    ck_assert_str_eq(v.example.message, "dK is stored in what is no spor_stored");
    arrays.claims = 0;
    v = judge(&arrays);
    ck_assert_int_eq(v.outcome, SPOR_NOTHING_EXAMINED);
    spor_tape_free(t);
}
END_TEST

/* ---- masks and indices ---- */

enum { TIME = 4, WIDTH = 3 };

/* softmax(where(tri(T), s, -1e30)) v: what the mask may be off by, as it is no whole double, reaches
 * nothing behind it. The last row of dv is right, or 0. */
START_TEST(what_a_mask_leaves_out_explains_nothing) {
    spor_tape *t = spor_tape_new();
    double s[TIME * TIME], v[TIME * WIDTH], dv[TIME * WIDTH] = {0}, mask[TIME * TIME];
    fill(s, TIME * TIME, false, 8);
    fill(v, TIME * WIDTH, false, 9);
    for (int k = 0; k < TIME * TIME; k++) mask[k] = k % TIME <= k / TIME;
    spor_var S = spor_input(t, "s", SPOR_SHAPE(TIME, TIME)),
             U = spor_input(t, "v", SPOR_SHAPE(TIME, WIDTH));
    spor_var M = spor_array(t, SPOR_SHAPE(TIME, TIME), mask);
    spor_var out = spor_broadcast(spor_constant(t, -1e30), SPOR_SHAPE(TIME, TIME));
    for (int i = 0; i < TIME; i++) {
        double sum = 0;
        for (int j = 0; j <= i; j++) sum += exp(s[i * TIME + j]);
        for (int j = 0; j <= i && (!_i || j < TIME - 1); j++)
            for (int k = 0; k < WIDTH; k++) dv[j * WIDTH + k] += exp(s[i * TIME + j]) / sum;
    }
    for (int k = 0; k < TIME * WIDTH; k++) dv[k] = (double)(float)dv[k];
    spor_arrays arrays = {.y = spor_matmul(spor_softmax(spor_where(M, S, out), 1), U),
                          .inputs = 2,
                          .input = {S, U},
                          .value = {s, v},
                          .claims = 1,
                          .claim = {{.name = "dv", .wrt = 1, .claimed = dv}},
                          .arithmetic = SPOR_F32};
    spor_verdict verdict = judge(&arrays);
    ck_assert_int_eq(verdict.outcome, _i ? SPOR_FAILS : SPOR_HOLDS);
    if (_i) ck_assert_int_eq(verdict.example.wrong, WIDTH);
    spor_tape_free(t);
}
END_TEST

/* An index that names no row: what comes of it is no number, which is no matter of rounding. */
START_TEST(what_is_no_number_is_said_to_be_none) {
    spor_tape *t = spor_tape_new();
    double E[TIME * WIDTH], i[2] = {1, TIME}, y[2 * WIDTH] = {0};
    char text[256] = "";
    fill(E, TIME * WIDTH, false, 10);
    memcpy(y, E + WIDTH, WIDTH * sizeof *y);
    spor_var table = spor_input(t, "E", SPOR_SHAPE(TIME, WIDTH)),
             I = spor_input(t, "i", SPOR_SHAPE(2));
    spor_arrays arrays = {.y = spor_take(table, I, 0),
                          .inputs = 2,
                          .input = {table, I},
                          .value = {E, i},
                          .claims = 1,
                          .claim = {{.name = "y", .wrt = SPOR_OF_Y, .claimed = y}},
                          .arithmetic = SPOR_F32};
    spor_verdict v = judge(&arrays);
    FILE *out = fmemopen(text, sizeof text, "w");
    spor_verdict_print(NULL, &v, out);
    fclose(out);
    ck_assert_int_eq(v.arrays.undefined, WIDTH);
    ck_assert_msg(strstr(text, "no number there") && !strstr(text, "rounding may"), "%s", text);
    spor_tape_free(t);
}
END_TEST

/* ---- stored in half precision ---- */

/* The nearest number of so many bits, and what is one of its last places away. */
static double nearest(double x, int bits) {
    int exponent;
    double part = frexp(x, &exponent);
    return ldexp(nearbyint(ldexp(part, bits)), exponent - bits);
}

static double place(double x, int bits) {
    int exponent;
    frexp(x, &exponent);
    return ldexp(1, exponent - bits);
}

static const struct {
    spor_stored stored;
    int bits;
} halves[] = {{SPOR_STORED_F16, 11}, {SPOR_STORED_BF16, 8}};

/* Reals and integers: each number to the nearest is right, and one place off is wrong. */
START_TEST(stored_arrays_may_be_off_by_one_rounding) {
    int bits = halves[_i / 2].bits;
    for (int off = 0; off < 2; off++) {
        spor_tape *t = spor_tape_new();
        spor_arrays arrays = conv_arrays(t, _i % 2, SPOR_F32);
        for (int k = 0; k < 2; k++) arrays.claim[k].stored = halves[_i / 2].stored;
        for (int k = 0; k < K * L; k++) conv.dK[k] = nearest(conv.dK[k], bits);
        for (int k = 0; k < N * H * W; k++) conv.dA[k] = nearest(conv.dA[k], bits);
        if (off) conv.dK[3] += place(conv.dK[3], bits);
        spor_verdict v = judge(&arrays);
        if (v.outcome != (off ? SPOR_FAILS : SPOR_HOLDS)) spor_verdict_print(NULL, &v, stderr);
        ck_assert_int_eq(v.outcome, off ? SPOR_FAILS : SPOR_HOLDS);
        ck_assert_int_eq(v.undecided + v.arrays.between, 0);
        if (off) ck_assert_int_eq(v.example.wrong, 1);
        if (off) ck_assert(v.example.ulps > 0.49 && v.example.ulps < 1.51);
        spor_tape_free(t);
    }
}
END_TEST

/* Not stored in less, the same numbers are wrong. */
START_TEST(what_is_not_stored_in_half_is_not_allowed_it) {
    spor_tape *t = spor_tape_new();
    spor_arrays arrays = conv_arrays(t, false, SPOR_F32);
    conv.dK[3] = nearest(conv.dK[3], 11);
    ck_assert_int_eq(judge(&arrays).outcome, SPOR_FAILS);
    spor_tape_free(t);
}
END_TEST

/* ---- what was there before ---- */

START_TEST(gradients_are_added_to_what_was_there) {
    double before[K * L];
    for (int wrong = 0; wrong < 3; wrong++) {
        spor_tape *t = spor_tape_new();
        spor_arrays arrays = conv_arrays(t, false, SPOR_F32);
        fill(before, K * L, false, 5);
        arrays.claim[0].before = before;
        for (int k = 0; k < K * L && wrong < 2; k++)
            conv.dK[k] = (double)((float)before[k] + (float)conv.dK[k]);
        if (wrong == 1) conv.dK[2] += 0.01;
        spor_verdict v = judge(&arrays);
        if (v.outcome != (wrong ? SPOR_FAILS : SPOR_HOLDS)) spor_verdict_print(NULL, &v, stderr);
        ck_assert_int_eq(v.outcome, wrong ? SPOR_FAILS : SPOR_HOLDS);
        if (wrong) ck_assert_int_eq(v.example.dispute, SPOR_FORMULA_TAPE); /* steps agree */
        if (wrong == 2)
            ck_assert_str_eq(v.example.pattern,
                             "what was there before is overwritten, not added to");
        spor_tape_free(t);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify_arrays");
    TCase *tests = tcase_create("verify_arrays");
    tcase_add_loop_test(tests, right_arrays_hold, 0, 4);
    tcase_add_test(tests, a_single_bit_on_integers_is_wrong);
    tcase_add_test(tests, the_arithmetic_decides_what_is_allowed);
    tcase_add_loop_test(tests, planted_faults_are_named, 0, 7);
    tcase_add_loop_test(tests, values_are_judged_like_gradients, 0, 4);
    tcase_add_test(tests, what_cannot_be_judged_says_why);
    tcase_add_loop_test(tests, what_a_mask_leaves_out_explains_nothing, 0, 2);
    tcase_add_test(tests, what_is_no_number_is_said_to_be_none);
    tcase_add_loop_test(tests, stored_arrays_may_be_off_by_one_rounding, 0, 4);
    tcase_add_test(tests, what_is_not_stored_in_half_is_not_allowed_it);
    tcase_add_test(tests, gradients_are_added_to_what_was_there);
    suite_add_tcase(suite, tests);
    return suite;
}
