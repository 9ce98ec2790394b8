/*
 * Gradients that are right but computed by other algebra than the tape's, in float and in double:
 * nobody is accused. And faults of 20 times the error that the code has anyway: none passes.
 */
#include "../suite.h"

#include <math.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>
#include <spor/verify.h>
#include "base/random.h"

enum { ROWS = 6, COLUMNS = 9, SIZE = ROWS * COLUMNS };

/* ---- slopes of functions, as people write them ---- */

#define SLOPES(T, f)                                                                               \
    static T tanh_by_value_##T(T x) {                                                              \
        T y = tanh##f(x);                                                                          \
        return 1 - y * y;                                                                          \
    }                                                                                              \
    static T tanh_by_cosh_##T(T x) {                                                               \
        T c = cosh##f(x);                                                                          \
        return 1 / (c * c);                                                                        \
    }                                                                                              \
    static T tanh_by_exp_##T(T x) {                                                                \
        T e = exp##f(2 * x);                                                                       \
        return 4 * e / ((e + 1) * (e + 1));                                                        \
    }                                                                                              \
    static T sigmoid_by_value_##T(T x) {                                                           \
        T y = 1 / (1 + exp##f(-x));                                                                \
        return y * (1 - y);                                                                        \
    }                                                                                              \
    static T sigmoid_by_exp_##T(T x) {                                                             \
        T e = exp##f(-x);                                                                          \
        return e / ((1 + e) * (1 + e));                                                            \
    }                                                                                              \
    static T sigmoid_by_cosh_##T(T x) {                                                            \
        T c = cosh##f(x / 2);                                                                      \
        return 1 / (4 * c * c);                                                                    \
    }                                                                                              \
    static T elu_by_exp_##T(T x) {                                                                 \
        return x > 0 ? 1 : exp##f(x);                                                              \
    }                                                                                              \
    static T elu_by_value_##T(T x) {                                                               \
        return x > 0 ? 1 : expm1##f(x) + 1;                                                        \
    }                                                                                              \
    static T softplus_by_sigmoid_##T(T x) {                                                        \
        return 1 / (1 + exp##f(-x));                                                               \
    }                                                                                              \
    static T softplus_by_value_##T(T x) {                                                          \
        T y = log1p##f(exp##f(-fabs##f(x))) + (x > 0 ? x : 0);                                     \
        return 1 - exp##f(-y);                                                                     \
    }                                                                                              \
    static T softplus_by_power_##T(T x) {                                                          \
        T e = exp##f(log1p##f(exp##f(x)));                                                         \
        return (e * e - e) / (e * e);                                                              \
    }
SLOPES(float, f)
SLOPES(double, )

/* ---- rows ---- */

#define SUM(T, i, term)                                                                            \
    T sum_##i = 0;                                                                                 \
    for (int i = 0; i < COLUMNS; i++) sum_##i += term

#define ROWWISE(T, f)                                                                              \
    static void probabilities_##T(const T *x, T *p) {                                              \
        T most = x[0];                                                                             \
        for (int i = 1; i < COLUMNS; i++) most = x[i] > most ? x[i] : most;                        \
        SUM(T, k, exp##f(x[k] - most));                                                            \
        for (int i = 0; i < COLUMNS; i++) p[i] = exp##f(x[i] - most) / sum_k;                      \
    }                                                                                              \
    static void softmax_by_rows_##T(const T *x, const T *d, T *dx) {                               \
        T p[COLUMNS];                                                                              \
        probabilities_##T(x, p);                                                                   \
        SUM(T, k, p[k] * d[k]);                                                                    \
        for (int i = 0; i < COLUMNS; i++) dx[i] = p[i] * (d[i] - sum_k);                           \
    }                                                                                              \
    /* sum_k d[k] (p[k] [k = i] - p[k] p[i]) */                                                    \
    static void softmax_by_jacobian_##T(const T *x, const T *d, T *dx) {                           \
        T p[COLUMNS];                                                                              \
        probabilities_##T(x, p);                                                                   \
        for (int i = 0; i < COLUMNS; i++) {                                                        \
            SUM(T, k, d[k] * ((k == i ? p[k] : 0) - p[k] * p[i]));                                 \
            dx[i] = sum_k;                                                                         \
        }                                                                                          \
    }                                                                                              \
    static void softmax_by_logarithm_##T(const T *x, const T *d, T *dx) {                          \
        T p[COLUMNS];                                                                              \
        SUM(T, l, exp##f(x[l]));                                                                   \
        for (int i = 0; i < COLUMNS; i++) p[i] = exp##f(x[i] - log##f(sum_l));                     \
        SUM(T, k, p[k] * d[k]);                                                                    \
        for (int i = 0; i < COLUMNS; i++) dx[i] = p[i] * d[i] - p[i] * sum_k;                      \
    }                                                                                              \
    static void normalise_##T(const T *x, const T *d, T mean, T variance, T *dx) {                 \
        T r = 1 / sqrt##f(variance + (T)1e-5);                                                     \
        SUM(T, j, d[j]);                                                                           \
        SUM(T, k, d[k] * (x[k] - mean) * r);                                                       \
        for (int i = 0; i < COLUMNS; i++)                                                          \
            dx[i] = r / COLUMNS * (COLUMNS * d[i] - sum_j - (x[i] - mean) * r * sum_k);            \
    }                                                                                              \
    static void layernorm_by_deviations_##T(const T *x, const T *d, T *dx) {                       \
        SUM(T, l, x[l] / COLUMNS);                                                                 \
        SUM(T, m, (x[m] - sum_l) * (x[m] - sum_l) / COLUMNS);                                      \
        normalise_##T(x, d, sum_l, sum_m, dx);                                                     \
    }                                                                                              \
    /* var x = E x^2 - (E x)^2 */                                                                  \
    static void layernorm_by_squares_##T(const T *x, const T *d, T *dx) {                          \
        SUM(T, l, x[l]);                                                                           \
        SUM(T, m, x[m] * x[m]);                                                                    \
        T mean = sum_l / COLUMNS;                                                                  \
        normalise_##T(x, d, mean, sum_m / COLUMNS - mean * mean, dx);                              \
    }
ROWWISE(float, f)
ROWWISE(double, )

/* ---- what the tape records ---- */

static spor_var elu(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    spor_var one = spor_broadcast(spor_ratio(x.tape, 1, 1), shape);
    return spor_where(spor_step(x), x, spor_sub(spor_exp(x), one));
}

static spor_var softmax(spor_var x) {
    return spor_softmax(x, 1);
}

/* The mean of each row, in x's shape. */
static spor_var row_mean(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    spor_var n = spor_broadcast(spor_ratio(x.tape, 1, COLUMNS), SPOR_SHAPE(ROWS));
    return spor_expand(spor_mul(spor_sum(x, SPOR_AXIS(1)), n), SPOR_AXIS(1), shape);
}

static spor_var layernorm(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    spor_var h = spor_sub(x, row_mean(x)), one = spor_ratio(x.tape, 1, 1);
    spor_var least = spor_broadcast(spor_ratio(x.tape, 1, 100000), shape);
    spor_var deviation = spor_sqrt(spor_add(row_mean(spor_mul(h, h)), least));
    return spor_mul(h, spor_div(spor_broadcast(one, shape), deviation));
}

static spor_var tanh_of(spor_var x) {
    return spor_tanh(x);
}
static spor_var sigmoid(spor_var x) {
    return spor_sigmoid(x);
}
static spor_var softplus(spor_var x) {
    return spor_softplus(x);
}

/* ---- the cases ---- */

#define SLOPE(record, name)                                                                        \
    { #name, record, name##_float, name##_double, NULL, NULL }
#define ROW(record, name)                                                                          \
    { #name, record, NULL, NULL, name##_float, name##_double }

static const struct {
    const char *name;
    spor_var (*record)(spor_var x);
    float (*slope_float)(float x);
    double (*slope_double)(double x);
    void (*row_float)(const float *x, const float *d, float *dx);
    void (*row_double)(const double *x, const double *d, double *dx);
} codes[] = {
    SLOPE(tanh_of, tanh_by_value),
    SLOPE(tanh_of, tanh_by_cosh),
    SLOPE(tanh_of, tanh_by_exp),
    SLOPE(sigmoid, sigmoid_by_value),
    SLOPE(sigmoid, sigmoid_by_exp),
    SLOPE(sigmoid, sigmoid_by_cosh),
    SLOPE(elu, elu_by_exp),
    SLOPE(elu, elu_by_value),
    SLOPE(softplus, softplus_by_value),
    SLOPE(softplus, softplus_by_sigmoid),
    SLOPE(softplus, softplus_by_power),
    ROW(softmax, softmax_by_rows),
    ROW(softmax, softmax_by_jacobian),
    ROW(softmax, softmax_by_logarithm),
    ROW(layernorm, layernorm_by_deviations),
    ROW(layernorm, layernorm_by_squares),
};
enum { CODES = sizeof codes / sizeof *codes };

static struct { double x[SIZE], d[SIZE], right[SIZE], claimed[SIZE]; } of;

/* Numbers that a float holds: of x about `mean`, `width` wide. */
static void draw(double mean, double width, uint64_t seed) {
    for (int k = 0; k < SIZE; k++) {
        of.x[k] = (double)(float)(mean + width * random_gaussian(seed, (uint64_t)k));
        of.d[k] = (double)(float)random_gaussian(seed + 100, (uint64_t)k);
    }
}

static void run_double(int code, double dx[SIZE]) {
    for (int k = 0; k < SIZE && codes[code].slope_double; k++)
        dx[k] = of.d[k] * codes[code].slope_double(of.x[k]);
    for (int k = 0; k < SIZE && codes[code].row_double; k += COLUMNS)
        codes[code].row_double(of.x + k, of.d + k, dx + k);
}

static void run_float(int code, double dx[SIZE]) {
    float x[SIZE], d[SIZE], y[SIZE];
    for (int k = 0; k < SIZE; k++) x[k] = (float)of.x[k], d[k] = (float)of.d[k];
    for (int k = 0; k < SIZE && codes[code].slope_float; k++)
        y[k] = d[k] * codes[code].slope_float(x[k]);
    for (int k = 0; k < SIZE && codes[code].row_float; k += COLUMNS)
        codes[code].row_float(x + k, d + k, y + k);
    for (int k = 0; k < SIZE; k++) dx[k] = (double)y[k];
}

static spor_verdict judge(int code, spor_scalar arithmetic) {
    spor_verdict verdict;
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(ROWS, COLUMNS));
    spor_arrays arrays = {.y = codes[code].record(x),
                          .inputs = 1,
                          .input = {x},
                          .value = {of.x},
                          .cotangent = of.d,
                          .claims = 1,
                          .claim = {{.name = "dx", .wrt = 0, .claimed = of.claimed}},
                          .arithmetic = arithmetic};
    ck_assert(spor_verify_arrays(&arrays, &verdict));
    spor_tape_free(t);
    return verdict;
}

static void show_unless(bool fine, int code, const spor_verdict *v) {
    if (fine) return;
    fprintf(stderr, "%s ", codes[code].name);
    spor_verdict_print(NULL, v, stderr);
    ck_abort_msg("%s", codes[code].name);
}

/* Near 0 all of them hold; far out other algebra loses digits, and is not accused of it. */
START_TEST(other_algebra_is_never_wrong) {
    static const struct {
        double mean, width;
        bool holds;
    } data[] = {{0, 1, true},   {0, 0.01, true}, {0.5, 4, false},
                {-8, 1, false}, {-12, 1, false}, {9, 2, false}};
    for (size_t k = 0; k < sizeof data / sizeof *data; k++)
        for (uint64_t seed = 0; seed < 5; seed++)
            for (int single = 0; single < 2; single++) {
                draw(data[k].mean, data[k].width, seed);
                (single ? run_float : run_double)(_i, of.claimed);
                spor_verdict v = judge(_i, single ? SPOR_F32 : SPOR_F64);
                show_unless(v.outcome != SPOR_FAILS, _i, &v);
                if (data[k].holds) show_unless(v.outcome == SPOR_HOLDS, _i, &v);
                if (data[k].holds) ck_assert_int_eq(v.comparisons, SIZE);
            }
}
END_TEST

/* 20 times the largest error that float has there, at any element. */
START_TEST(a_fault_of_twenty_errors_shows) {
    for (uint64_t seed = 0; seed < 4; seed++) {
        double error = 0;
        draw(0, 1, seed);
        run_double(_i, of.right);
        run_float(_i, of.claimed);
        for (int k = 0; k < SIZE; k++) error = fmax(error, fabs(of.claimed[k] - of.right[k]));
        for (int k = 0; k < SIZE; k += 5) {
            double held = of.claimed[k];
            of.claimed[k] = of.right[k] + (k % 2 ? 20 : -20) * error;
            spor_verdict v = judge(_i, SPOR_F32);
            show_unless(v.outcome != SPOR_HOLDS, _i, &v);
            ck_assert(v.example.wrong + v.arrays.between == 1);
            of.claimed[k] = held;
        }
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify_algebra");
    TCase *tests = tcase_create("verify_algebra");
    tcase_add_loop_test(tests, other_algebra_is_never_wrong, 0, CODES);
    tcase_add_loop_test(tests, a_fault_of_twenty_errors_shows, 0, CODES);
    suite_add_tcase(suite, tests);
    return suite;
}
