/* What all fast kernels promise: accurate functions, fused multiply-adds where the set has them,
 * results that do not depend on the batch, long sums that lose little. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>

#include "../support/sets.h"
#include "kernels/element.h"
#include "program/params.h"

/* Float and double; the sets that there are. */
enum { TYPES = 2, SETS = 3 };

/* A number drawn from a stream. */
static uint64_t draw(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* ---- programs with one output ---- */

typedef struct {
    spor_tape *tape;
    spor_var in[3], out;
    spor_program *program;
} runner;

static void compile(runner *r, const char *set, spor_scalar scalar) {
    ck_assert_msg(!spor_error(r->tape), "%s", spor_error(r->tape));
    r->program =
        spor_compile(r->tape, 1, &r->out, NULL, &(spor_options){.scalar = scalar, .isa = set});
    ck_assert_msg(!spor_program_error(r->program), "%s", spor_program_error(r->program));
}

static void close_runner(runner *r) {
    spor_program_free(r->program);
    spor_tape_free(r->tape);
}

static void set_element(spor_arg a, spor_scalar scalar, int64_t k, double value) {
    if (scalar == SPOR_F32)
        ((float *)a.data)[k] = (float)value;
    else
        ((double *)a.data)[k] = value;
}

static double element(spor_arg a, spor_scalar scalar, int64_t k) {
    return scalar == SPOR_F32 ? (double)((float *)a.data)[k] : ((double *)a.data)[k];
}

static int64_t size_of(spor_shape shape) {
    int64_t size = 1;
    for (int k = 0; k < shape.rank; k++) size *= shape.n[k];
    return size;
}

/* ---- functions ---- */

typedef spor_var activation(spor_var z);

static spor_var leaky(spor_var z) {
    return spor_leaky_relu(z, 0.25);
}

/* f(x 1 + 0) for rows of one number: the activation of a dense layer, its argument exact. */
static runner open_function(int64_t rows, activation *f) {
    runner r = {.tape = spor_tape_new()};
    r.in[0] = spor_input(r.tape, "x", SPOR_SHAPE(rows, 1));
    r.in[1] = spor_input(r.tape, "W", SPOR_SHAPE(1, 1));
    r.in[2] = spor_input(r.tape, "b", SPOR_SHAPE(1));
    spor_var b = spor_expand(r.in[2], SPOR_AXIS(0), SPOR_SHAPE(rows, 1));
    r.out = f(spor_add(spor_matmul(r.in[0], r.in[1]), b));
    return r;
}

/* One unit in the last place of y in the scalar type. */
static double ulp(double y, spor_scalar scalar) {
    int exponent, bits = scalar == SPOR_F32 ? 24 : 53, least = scalar == SPOR_F32 ? -149 : -1074;
    frexp(y, &exponent);
    return ldexp(1, exponent - bits > least ? exponent - bits : least);
}

enum { POINTS = 20000 };

/* Over the whole range: sizes from the smallest number to far beyond where the functions end. */
static double argument(int64_t k, spor_scalar scalar) {
    uint64_t state = (uint64_t)k;
    double share = (double)(draw(&state) >> 11) * 0x1p-53;
    double most = scalar == SPOR_F32 ? 110 : 760;
    double x = k % 2 ? share * most : pow(2, -140 * share) * (1 + share);
    x = k % 4 < 2 ? x : -x;
    return scalar == SPOR_F32 ? (double)(float)x : x;
}

/* libm in long double */
static double exact(double x, activation *f) {
    long double w = (long double)x;
    return (double)(f == spor_tanh ? tanhl(w) : 1 / (1 + expl(-w)));
}

static void check_function(const char *set, spor_scalar scalar, activation *f) {
    runner r = open_function(POINTS, f);
    compile(&r, set, scalar);
    ck_assert_int_eq(spor_program_fast(r.program, "dense"), 1);
    spor_arg x = spor_program_arg(r.program, r.in[0]), y = spor_program_arg(r.program, r.out);
    set_element(spor_program_arg(r.program, r.in[1]), scalar, 0, 1);
    for (int64_t k = 0; k < POINTS; k++) set_element(x, scalar, k, argument(k, scalar));
    ck_assert(spor_run(r.program, 0));
    for (int64_t k = 0; k < POINTS; k++) {
        double want = exact(argument(k, scalar), f), got = element(y, scalar, k);
        double error = fabs(got - want) / ulp(want, scalar);
        ck_assert_msg(error <= 2.5, "%s: f(%.17g) is %.17g, not %.17g: %g units", set,
                      argument(k, scalar), got, want, error);
    }
    close_runner(&r);
}

START_TEST(functions_are_good_to_two_and_a_half_units) {
    for (int s = 0; instruction_sets()[s]; s++)
        for (int scalar = 0; scalar < TYPES; scalar++) {
            check_function(instruction_sets()[s], (spor_scalar)scalar, spor_tanh);
            check_function(instruction_sets()[s], (spor_scalar)scalar, spor_sigmoid);
        }
}
END_TEST

START_TEST(functions_take_infinities_zeros_and_nan) {
    const double inf = (double)INFINITY, nan = (double)NAN;
    const struct {
        activation *f;
        double x, y;
    } cases[] = {{spor_tanh, inf, 1},    {spor_tanh, -inf, -1},    {spor_tanh, 0, 0},
                 {spor_tanh, nan, nan},  {spor_sigmoid, inf, 1},   {spor_sigmoid, -inf, 0},
                 {spor_sigmoid, 0, 0.5}, {spor_sigmoid, nan, nan}, {spor_relu, inf, inf},
                 {spor_relu, -inf, 0},   {leaky, -inf, -inf},      {leaky, nan, nan}};
    for (int s = 0; instruction_sets()[s]; s++)
        for (size_t k = 0; k < 2 * sizeof cases / sizeof *cases; k++) {
            spor_scalar scalar = k % 2 ? SPOR_F64 : SPOR_F32;
            runner r = open_function(1, cases[k / 2].f);
            compile(&r, instruction_sets()[s], scalar);
            set_element(spor_program_arg(r.program, r.in[0]), scalar, 0, cases[k / 2].x);
            set_element(spor_program_arg(r.program, r.in[1]), scalar, 0, 1);
            ck_assert(spor_run(r.program, 0));
            double y = element(spor_program_arg(r.program, r.out), scalar, 0);
            bool right = isnan(cases[k / 2].y)
                             ? isnan(y)
                             : y == cases[k / 2].y && signbit(y) == signbit(cases[k / 2].y);
            ck_assert_msg(right, "%s: f(%g) is %g", instruction_sets()[s], cases[k / 2].x, y);
            close_runner(&r);
        }
}
END_TEST

/* ---- fused multiply-adds ---- */

/* -(1 + 2e) + (1 + e)^2 is e^2 with one rounding, 0 with two, for e^2 half a unit. */
static double fused_remainder(const char *set, spor_scalar scalar) {
    double e = scalar == SPOR_F32 ? 0x1p-12 : 0x1p-27;
    runner r = {.tape = spor_tape_new()};
    r.in[0] = spor_input(r.tape, "x", SPOR_SHAPE(1, 2));
    r.in[1] = spor_input(r.tape, "W", SPOR_SHAPE(2, 1));
    r.out = spor_matmul(r.in[0], r.in[1]);
    compile(&r, set, scalar);
    ck_assert_int_eq(spor_program_fast(r.program, "dense"), 1);
    spor_arg x = spor_program_arg(r.program, r.in[0]), W = spor_program_arg(r.program, r.in[1]);
    set_element(x, scalar, 0, -1);
    set_element(W, scalar, 0, 1 + 2 * e);
    set_element(x, scalar, 1, 1 + e);
    set_element(W, scalar, 1, 1 + e);
    ck_assert(spor_run(r.program, 0));
    double remainder = element(spor_program_arg(r.program, r.out), scalar, 0);
    close_runner(&r);
    return remainder / (e * e);
}

START_TEST(sets_with_fused_multiply_adds_use_them) {
    for (int s = 0; instruction_sets()[s]; s++)
        for (int scalar = 0; scalar < TYPES; scalar++) {
            double share = fused_remainder(instruction_sets()[s], (spor_scalar)scalar);
            bool fused = strcmp(instruction_sets()[s], "baseline") != 0;
            ck_assert_msg(share == (fused ? 1 : 0), "%s leaves %g of the remainder",
                          instruction_sets()[s], share);
        }
}
END_TEST

/* ---- bits ---- */

/* Every kind of fast layer, on parameters drawn without libm. */
static spor_var record_net(spor_tape *tape) {
    const char *law = "uniform";
    spor_var x = spor_param(tape, "x", SPOR_SHAPE(5, 8, 6, 3), SPOR_INIT(law, 2));
    spor_var K = spor_param(tape, "K", SPOR_SHAPE(3, 2, 3, 19), SPOR_INIT(law, 0.5));
    spor_var z = spor_tanh(spor_correlate2d(x, K, 1, 1));
    spor_var L = spor_param(tape, "L", SPOR_SHAPE(2, 2, 19, 7), SPOR_INIT(law, 0.25));
    z = spor_sigmoid(spor_correlate2d(z, L, 1, 1));
    z = spor_reshape(spor_maxpool2d(z, (spor_window){{2, 2}, {2, 2}, {0}}), SPOR_SHAPE(5, 28));
    spor_var W = spor_param(tape, "W", SPOR_SHAPE(28, 33), SPOR_INIT(law, 0.5));
    spor_var V = spor_param(tape, "V", SPOR_SHAPE(33, 11), SPOR_INIT(law, 0.5));
    spor_var logits = spor_matmul(spor_tanh(spor_matmul(z, W)), V);
    spor_var y = spor_param(tape, "y", SPOR_SHAPE(5, 11), SPOR_INIT(law, 1));
    return spor_cross_entropy_mean(logits, y, NULL);
}

/* FNV-1a over all gradients as doubles. */
static uint64_t hash_gradients(const char *set, spor_scalar scalar) {
    spor_tape *tape = spor_tape_new();
    spor_params *params = spor_params_new(scalar, 1);
    spor_var cost = record_net(tape);
    ck_assert_msg(!spor_error(tape), "%s", spor_error(tape));
    spor_program *program =
        spor_compile_training(cost, 0, NULL, params, &(spor_options){.scalar = scalar, .isa = set});
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    ck_assert_int_eq(spor_program_fast(program, "dense"), 2);
    ck_assert_int_eq(spor_program_fast(program, "convpool"), 1);
    ck_assert_int_eq(spor_program_fast(program, "softmax_cross_entropy"), 1);
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry entry = spor_params_entry(params, k);
        for (int64_t i = 0; i < size_of(entry.shape); i++) {
            double value = element((spor_arg){.data = entry.gradient}, scalar, i);
            uint64_t bits;
            memcpy(&bits, &value, sizeof bits);
            hash = (hash ^ bits ^ bits >> 32) * UINT64_C(0x100000001b3);
        }
    }
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(tape);
    return hash;
}

/* The same in every build, by any compiler at any optimisation. A change of the formulas under the
 * fast paths changes these numbers, and says so. */
START_TEST(bits_are_what_the_source_says) {
    static const struct {
        const char *set;
        uint64_t hash[TYPES];
    } golden[SETS] = {{"baseline", {UINT64_C(0x7bf10d97be0e40c7), UINT64_C(0xae703ea4c68b6245)}},
                      {"avx2", {UINT64_C(0xa7235cd91dfaeb4d), UINT64_C(0xc1084ef5badf58c7)}},
                      {"avx512", {UINT64_C(0xa7235cd91dfaeb4d), UINT64_C(0x240637a7911d9f30)}}};
    for (int s = 0; instruction_sets()[s]; s++)
        for (int k = 0; k < SETS; k++)
            for (int scalar = 0; scalar < TYPES; scalar++) {
                if (strcmp(golden[k].set, instruction_sets()[s]) != 0) continue;
                uint64_t hash = hash_gradients(golden[k].set, (spor_scalar)scalar);
                ck_assert_msg(hash == golden[k].hash[scalar], "%s, %s: 0x%016llx", golden[k].set,
                              scalar == SPOR_F32 ? "float" : "double", (unsigned long long)hash);
            }
}
END_TEST

/* ---- samples do not depend on their batch ---- */

enum { BATCH = 13 };

static runner open_net(int64_t N, int kind) {
    runner r = {.tape = spor_tape_new()};
    spor_tape *t = r.tape;
    if (kind == 0) {
        r.in[0] = spor_input(t, "x", SPOR_SHAPE(N, 37));
        r.in[1] = spor_input(t, "W", SPOR_SHAPE(37, 41));
        r.in[2] = spor_input(t, "b", SPOR_SHAPE(41));
        spor_var b = spor_expand(r.in[2], SPOR_AXIS(0), SPOR_SHAPE(N, 41));
        r.out = spor_tanh(spor_add(spor_matmul(r.in[0], r.in[1]), b));
    } else if (kind == 1) {
        r.in[0] = spor_input(t, "x", SPOR_SHAPE(N, 5, 7, 3));
        r.in[1] = spor_input(t, "K", SPOR_SHAPE(3, 2, 3, 19));
        int64_t one[] = {0, 1, 1, 0};
        r.out = spor_sigmoid(spor_correlate2d(spor_pad(r.in[0], one, one, 0), r.in[1], 1, 2));
    } else if (kind == 4) {
        r.in[0] = spor_input(t, "x", SPOR_SHAPE(N, 6, 5, 2));
        r.in[1] = spor_input(t, "K", SPOR_SHAPE(2, 2, 2, 18));
        spor_var y = spor_tanh(spor_correlate2d(r.in[0], r.in[1], 1, 1));
        r.out = spor_maxpool2d(y, (spor_window){{2, 2}, {2, 2}, {0, 1, 0, 0}});
    } else if (kind == 5) { /* a matrix large enough that a few rows take it as it lies */
        r.in[0] = spor_input(t, "x", SPOR_SHAPE(N, 130));
        r.in[1] = spor_input(t, "W", SPOR_SHAPE(130, 75));
        r.out = spor_matmul(r.in[0], r.in[1]);
    } else if (kind == 2) {
        r.in[0] = spor_input(t, "x", SPOR_SHAPE(N, 6, 6, 21));
        r.out = spor_maxpool2d(r.in[0], (spor_window){{2, 3}, {2, 2}, {0, 0, 1, 0}});
    } else {
        r.in[0] = spor_input(t, "l", SPOR_SHAPE(N, 11));
        r.in[1] = spor_input(t, "y", SPOR_SHAPE(N, 11));
        spor_var logs = spor_log_softmax(r.in[0], 1);
        r.out = spor_neg(spor_sum(spor_mul(r.in[1], logs), SPOR_AXIS(1)));
    }
    return r;
}

/* Fills operand k; rows of the batch from the n-th on if it has a batch axis. */
static void fill(const runner *r, int k, int kind, spor_scalar scalar, int64_t n) {
    spor_arg a = spor_program_arg(r->program, r->in[k]);
    bool batched = k == 0 || (kind == 3 && k == 1);
    int64_t size = size_of(a.shape), row = size / a.shape.n[0];
    double *all = malloc(sizeof *all * (size_t)(batched ? BATCH * row : size));
    uint64_t state = (uint64_t)k + 1;
    for (int64_t e = 0; e < (batched ? BATCH * row : size); e++)
        all[e] = ((double)(int64_t)(draw(&state) % 4095) - 2047) / 2048;
    for (int64_t i = 0; i < size; i++) set_element(a, scalar, i, all[(batched ? n * row : 0) + i]);
    free(all);
}

static void run_net(runner *r, int kind, const char *set, spor_scalar scalar, int64_t first) {
    compile(r, set, scalar);
    for (int k = 0; k < 3 && r->in[k].id; k++) fill(r, k, kind, scalar, first);
    ck_assert(spor_run(r->program, 0));
}

static void check_batch(int kind, const char *set, spor_scalar scalar, int64_t N) {
    runner whole = open_net(BATCH, kind);
    run_net(&whole, kind, set, scalar, 0);
    spor_arg all = spor_program_arg(whole.program, whole.out);
    size_t width = scalar == SPOR_F32 ? sizeof(float) : sizeof(double);
    size_t row = (size_t)(size_of(all.shape) / BATCH) * width;
    for (int64_t n = 0; n + N <= BATCH; n += N) {
        runner part = open_net(N, kind);
        run_net(&part, kind, set, scalar, n);
        const void *got = spor_program_arg(part.program, part.out).data;
        ck_assert_msg(!memcmp(got, (const char *)all.data + (size_t)n * row, (size_t)N * row),
                      "net %d on %s: sample %lld differs in a batch of %lld", kind, set,
                      (long long)n, (long long)N);
        close_runner(&part);
    }
    close_runner(&whole);
}

START_TEST(a_sample_does_not_depend_on_its_batch) {
    for (int kind = 0; kind < 6; kind++)
        for (int s = 0; instruction_sets()[s]; s++)
            for (int scalar = 0; scalar < TYPES; scalar++)
                for (int64_t N = 1; N < 6; N++)
                    check_batch(kind, instruction_sets()[s], (spor_scalar)scalar, N);
}
END_TEST

/* ---- long sums ---- */

/* db of rows that all bring the same delta: roundings of one sign, which add up in a chain. */
static void check_bias_gradient(float delta, const char *set) {
    const int64_t rows = 400000, cols = 3;
    spor_tape *tape = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(rows, 1));
    spor_var W = spor_param(tape, "W", SPOR_SHAPE(1, cols), SPOR_INIT("constant", 0));
    spor_var b = spor_param(tape, "b", SPOR_SHAPE(cols), SPOR_INIT("constant", 0));
    spor_var z = spor_add(spor_matmul(x, W), spor_expand(b, SPOR_AXIS(0), SPOR_SHAPE(rows, cols)));
    spor_var by = spor_expand(spor_constant(tape, (double)delta), 3, SPOR_SHAPE(rows, cols));
    spor_var cost = spor_sum(spor_mul(by, z), 3);
    spor_program *program =
        spor_compile_training(cost, 0, NULL, params, &(spor_options){.isa = set});
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    ck_assert_int_eq(spor_program_fast(program, "dense"), 1);
    ck_assert(spor_run(program, 0));
    const float *db = spor_params_entry(params, 1).gradient;
    double sum = (double)rows * (double)delta;
    for (int64_t f = 0; f < cols; f++)
        ck_assert_double_eq_tol((double)db[f], sum, (log2((double)rows) + 34) * 0x1p-24 * sum);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(tape);
}

START_TEST(a_long_bias_gradient_is_as_good_as_its_logarithm) {
    static const float deltas[] = {0.1F, 0.7F, 1.0F / 3, 0.9F};
    for (int s = 0; instruction_sets()[s]; s++)
        for (int k = 0; k < 4; k++) check_bias_gradient(deltas[k], instruction_sets()[s]);
}
END_TEST

/* ---- large results ---- */

static double small_number(int64_t row, int64_t col) {
    return (double)((row * 7 + col * 3) % 11 - 5);
}

static void fill_small(const spor_arg *to, spor_scalar scalar) {
    for (int64_t i = 0; i < to->shape.n[0]; i++)
        for (int64_t j = 0; j < to->shape.n[1]; j++)
            element_types[scalar]->set(to->data, i * to->shape.n[1] + j, small_number(i, j));
}

static double product_of_small(int64_t rows, int64_t i, int64_t j) {
    double sum = 0;
    for (int64_t n = 0; n < rows; n++) sum += small_number(n, i) * small_number(n, j);
    return sum;
}

/* dW = x^T dy of whole numbers, at least 16 MiB. */
static void check_large_dW(int64_t cols, const char *set, spor_scalar scalar) {
    const int64_t rows = 5, inputs = 2900;
    spor_tape *tape = spor_tape_new();
    spor_params *params = spor_params_new(scalar, 1);
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(rows, inputs));
    spor_var dy = spor_input(tape, "dy", SPOR_SHAPE(rows, cols));
    spor_var W = spor_param(tape, "W", SPOR_SHAPE(inputs, cols), SPOR_INIT("constant", 0));
    spor_var cost = spor_sum(spor_mul(dy, spor_matmul(x, W)), 3);
    spor_program *program =
        spor_compile_training(cost, 0, NULL, params, &(spor_options){.scalar = scalar, .isa = set});
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    spor_arg arg[] = {spor_program_arg(program, x), spor_program_arg(program, dy)};
    for (int k = 0; k < 2; k++) fill_small(&arg[k], scalar);
    ck_assert(spor_run(program, 0));
    const void *dW = spor_params_entry(params, 0).gradient;
    int64_t wrong = 0;
    for (int64_t i = 0; i < inputs; i++)
        for (int64_t j = 0; j < cols; j++)
            wrong += scalar_value_at(dW, scalar, i * cols + j) != product_of_small(rows, i, j);
    ck_assert_msg(!wrong, "%s: %lld elements of %lld columns", set, (long long)wrong,
                  (long long)cols);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(tape);
}

/* Past the caches, and where rows end within a vector not. */
START_TEST(large_gradients_are_exact) {
    for (int s = 0; instruction_sets()[s]; s++) {
        check_large_dW(1456, instruction_sets()[s], (spor_scalar)_i);
        check_large_dW(1457, instruction_sets()[s], (spor_scalar)_i);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast kernels");
    TCase *kernels = tcase_create("kernels");
    tcase_add_test(kernels, functions_are_good_to_two_and_a_half_units);
    tcase_add_test(kernels, functions_take_infinities_zeros_and_nan);
    tcase_add_test(kernels, sets_with_fused_multiply_adds_use_them);
    tcase_add_test(kernels, bits_are_what_the_source_says);
    tcase_add_test(kernels, a_sample_does_not_depend_on_its_batch);
    tcase_add_test(kernels, a_long_bias_gradient_is_as_good_as_its_logarithm);
    tcase_add_loop_test(kernels, large_gradients_are_exact, 0, TYPES);
    suite_add_tcase(suite, kernels);
    return suite;
}
