/*
 * Values: golden ones from NumPy and SciPy, mistakes refused, the same bits twice, float against
 * double, and properties of single ops that no gradient check could see.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "each.h"

static bool has_kernel(const spor_op *op) {
    return *op->reference[SPOR_F64] != NULL;
}

START_TEST(golden_values) {
    const spor_op *op = spor_ops[_i];
    int k = 0;
    for (; op->golden[k].y; k++) expect(op, k, opcheck_golden(op, &op->golden[k]));
    ck_assert_msg(k >= (has_kernel(op) ? 3 : 0), "%s has %d golden values, not 3", op->signature,
                  k);
}
END_TEST

START_TEST(mistakes_are_refused) {
    const spor_op *op = spor_ops[_i];
    int k = 0;
    for (; op->mistakes[k].message; k++) expect(op, k, opcheck_mistake(op, &op->mistakes[k]));
    bool can_be_wrong = op->operands > 1 || op->attrs > 1;
    ck_assert_int_ge(k, can_be_wrong);
}
END_TEST

START_TEST(the_same_bits_twice_and_inputs_untouched) {
    if (has_kernel(spor_ops[_i])) ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_repeat), 2);
}
END_TEST

/* Discontinuous ops among them: where a comparison may have turned, the bound covers both sides. */
START_TEST(results_lie_within_their_bounds) {
    if (has_kernel(spor_ops[_i]) && spor_ops[_i]->operands)
        ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_bound), 2);
}
END_TEST

START_TEST(all_scalar_types_agree) {
    if (has_kernel(spor_ops[_i])) ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_scalars), 2);
}
END_TEST

START_TEST(traits_are_true) {
    ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_traits), 2);
}
END_TEST

/* ---- single ops ----------------------------------------------------------------------------- */

typedef struct {
    spor_tape *tape;
    opcheck_machine m;
} bench;

/* Compiles outputs for inputs; the caller fills b->m.x and runs. */
static bench compile(int inputs, const spor_var in[], int outputs, const spor_var out[]) {
    bench b = {.tape = in[0].tape};
    bool built = opcheck_build(&b.m, SPOR_F64, inputs, in, outputs, out);
    ck_assert_msg(built, "%s",
                  spor_error(b.tape) ? spor_error(b.tape) : spor_program_error(b.m.program));
    return b;
}

static void finish(bench *b) {
    opcheck_free(&b->m);
    spor_tape_free(b->tape);
}

static void expect_values(const double got[], const double want[], int n) {
    for (int e = 0; e < n; e++) ck_assert_double_eq(got[e], want[e]);
}

/* Full padding: x * K = rot180(K * x), the rule that replaces commuting. */
START_TEST(correlation_swapped_is_rotated) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1, 4, 3, 1));
    spor_var K = spor_input(t, "K", SPOR_SHAPE(2, 3, 1, 1));
    spor_var x_as_K = spor_reshape(x, SPOR_SHAPE(4, 3, 1, 1));
    spor_var K_as_x = spor_reshape(K, SPOR_SHAPE(1, 2, 3, 1));
    int64_t by_K[] = {0, 1, 2, 0}, by_x[] = {0, 3, 2, 0};
    spor_var z = spor_correlate2d(spor_pad(x, by_K, by_K, 0), K, 1, 1);
    spor_var swapped = spor_correlate2d(spor_pad(K_as_x, by_x, by_x, 0), x_as_K, 1, 1);
    spor_var out[] = {z, spor_flip(swapped, SPOR_AXIS(1) | SPOR_AXIS(2)), swapped};
    bench b = compile(2, (spor_var[]){x, K}, 3, out);
    for (int e = 0; e < 12; e++) b.m.x[0][e] = e * e - 20;
    for (int e = 0; e < 6; e++) b.m.x[1][e] = 3 * e - 4;
    ck_assert(opcheck_run(&b.m));
    ck_assert_int_eq(b.m.ny[0], 25);
    expect_values(b.m.y[0], b.m.y[1], 25);
    ck_assert_int_ne(memcmp(b.m.y[0], b.m.y[2], 25 * sizeof(double)), 0);
    finish(&b);
}
END_TEST

START_TEST(pad_then_crop_is_identity) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(2, 3));
    int64_t lo[] = {2, 0}, hi[] = {1, 3}, no_lo[] = {-2, 0}, no_hi[] = {-1, -3};
    spor_var y = spor_pad(spor_pad(x, lo, hi, 7), no_lo, no_hi, 9);
    bench b = compile(1, &x, 1, &y);
    for (int e = 0; e < 6; e++) b.m.x[0][e] = e + 1;
    ck_assert(opcheck_run(&b.m));
    ck_assert_int_eq(b.m.ny[0], 6);
    expect_values(b.m.y[0], b.m.x[0], 6);
    finish(&b);
}
END_TEST

/* Zeros in the place of padding would win here. */
START_TEST(padding_never_wins) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1, 2, 3, 1));
    spor_window w = {.size = {2, 2}, .stride = {2, 2}, .pad = {0, 0, 0, 1}};
    spor_var y = spor_maxpool2d(x, w);
    bench b = compile(1, &x, 1, &y);
    for (int e = 0; e < 6; e++) b.m.x[0][e] = -1 - e;
    ck_assert(opcheck_run(&b.m));
    expect_values(b.m.y[0], (double[]){-1, -3}, 2);
    finish(&b);
}
END_TEST

START_TEST(the_first_maximum_wins_a_tie) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1, 2, 3, 1));
    spor_var g = spor_input(t, "g", SPOR_SHAPE(1, 1, 2, 1));
    spor_var v = spor_input(t, "v", SPOR_SHAPE(1, 2, 3, 1));
    spor_window w = {.size = {2, 2}, .stride = {1, 1}};
    spor_var out[] = {spor_route(x, g, w), spor_gather(x, v, w)};
    bench b = compile(3, (spor_var[]){x, g, v}, 2, out);
    memcpy(b.m.x[0], (double[]){1, 5, 0, 5, 5, 5}, 6 * sizeof(double));
    memcpy(b.m.x[1], (double[]){3, 4}, 2 * sizeof(double));
    memcpy(b.m.x[2], (double[]){1, 2, 3, 4, 5, 6}, 6 * sizeof(double));
    ck_assert(opcheck_run(&b.m));
    expect_values(b.m.y[0], (double[]){0, 7, 0, 0, 0, 0}, 6);
    expect_values(b.m.y[1], (double[]){2, 2}, 2);
    finish(&b);
}
END_TEST

/* max over axes follows the same rule, whichever axes vanish. */
START_TEST(max_gives_a_tie_to_the_first) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(2, 3)), d[3];
    int64_t axes[] = {SPOR_AXIS(0), SPOR_AXIS(1), SPOR_AXIS(0) | SPOR_AXIS(1)};
    for (int k = 0; k < 3; k++) {
        spor_var z = spor_max(x, axes[k]);
        ck_assert(spor_vjp(z, op_fill_ratio(t, 1, 1, spor_shape_of(z)), 1, &x, &d[k]));
    }
    bench b = compile(1, &x, 3, d);
    memcpy(b.m.x[0], (double[]){4, 7, 7, 4, 1, 7}, 6 * sizeof(double));
    ck_assert(opcheck_run(&b.m));
    expect_values(b.m.y[0], (double[]){1, 1, 1, 0, 0, 0}, 6);
    expect_values(b.m.y[1], (double[]){0, 1, 0, 0, 0, 1}, 6);
    expect_values(b.m.y[2], (double[]){0, 1, 0, 0, 0, 0}, 6);
    finish(&b);
}
END_TEST

/* d sum(f(x)) / dx at 0 for the unary ops with a kink there. */
START_TEST(derivatives_at_zero_are_as_stated) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1)), d[4];
    spor_var y[] = {spor_relu(x), spor_leaky_relu(x, 0.25), spor_abs(x), spor_step(x)};
    for (int k = 0; k < 4; k++) ck_assert(spor_grad(spor_sum(y[k], 1), 1, &x, &d[k]));
    spor_var out[] = {d[0], d[1], d[2], d[3], y[3]};
    bench b = compile(1, &x, 5, out);
    const double zeros[] = {0.0, -0.0}, want[] = {0, 0.25, 0, 0, 0};
    for (int sign = 0; sign < 2; sign++) {
        b.m.x[0][0] = zeros[sign];
        ck_assert(opcheck_run(&b.m));
        for (int k = 0; k < 5; k++) ck_assert_double_eq(b.m.y[k][0], want[k]);
    }
    finish(&b);
}
END_TEST

START_TEST(a_tie_of_two_is_the_first_operands) {
    spor_tape *t = spor_tape_new();
    spor_var in[] = {spor_input(t, "x", SPOR_SHAPE(1)), spor_input(t, "y", SPOR_SHAPE(1))}, d[4];
    spor_var cost = spor_sum(spor_maximum(in[0], in[1]), 1);
    ck_assert(spor_grad(cost, 2, in, d));
    cost = spor_sum(spor_minimum(in[0], in[1]), 1);
    ck_assert(spor_grad(cost, 2, in, d + 2));
    bench b = compile(2, in, 4, d);
    b.m.x[0][0] = b.m.x[1][0] = 3;
    ck_assert(opcheck_run(&b.m));
    for (int k = 0; k < 4; k++) ck_assert_double_eq(b.m.y[k][0], k % 2 ? 0 : 1);
    finish(&b);
}
END_TEST

/* Not a number stays visible behind relu. */
START_TEST(relu_shows_not_a_number) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1));
    spor_var out[] = {spor_relu(x), spor_leaky_relu(x, 0.1), spor_abs(x)};
    bench b = compile(1, &x, 3, out);
    b.m.x[0][0] = (double)NAN;
    ck_assert(opcheck_run(&b.m));
    for (int k = 0; k < 3; k++) ck_assert(isnan(b.m.y[k][0]));
    finish(&b);
}
END_TEST

/* d sum(where(m, f(x), 0)) / dx where f or its slope is infinite or no number: 0, not 0 * NaN. */
START_TEST(what_a_mask_leaves_out_has_no_slope) {
    spor_tape *t = spor_tape_new();
    spor_var in[] = {spor_input(t, "x", SPOR_SHAPE(3)), spor_input(t, "m", SPOR_SHAPE(3))}, d[5];
    spor_var x = in[0], zero = spor_mul(in[1], spor_expand(spor_ratio(t, 0, 1), 1, SPOR_SHAPE(3)));
    spor_var f[] = {spor_sqrt(x), spor_log(x), spor_div(in[1], x), spor_div(x, x),
                    spor_div(spor_log(x), spor_sqrt(x))};
    for (int k = 0; k < 5; k++)
        ck_assert(spor_grad(spor_sum(spor_where(in[1], f[k], zero), 1), 1, in, &d[k]));
    bench b = compile(2, in, 5, d);
    const double at[] = {0, -1, 4}, mask[] = {0, 0, 1};
    memcpy(b.m.x[0], at, sizeof at);
    memcpy(b.m.x[1], mask, sizeof mask);
    ck_assert(opcheck_run(&b.m));
    const double slopes[] = {0.25, 0.25, -0.0625, 0, (1 - log(4) / 2) / 8};
    for (int k = 0; k < 5; k++) {
        ck_assert(b.m.y[k][0] == 0 && b.m.y[k][1] == 0);
        ck_assert_msg(fabs(b.m.y[k][2] - slopes[k]) < 1e-15, "%d: %.17g", k, b.m.y[k][2]);
    }
    finish(&b);
}
END_TEST

/* Second derivatives of where(m, sqrt(x) and log(x), 0) are 0 too where m is. */
START_TEST(what_a_mask_leaves_out_has_no_curvature) {
    spor_tape *t = spor_tape_new();
    spor_var in[] = {spor_input(t, "x", SPOR_SHAPE(3)), spor_input(t, "m", SPOR_SHAPE(3))}, d[2];
    spor_var zero = spor_mul(in[1], spor_expand(spor_ratio(t, 0, 1), 1, SPOR_SHAPE(3)));
    spor_var f[] = {spor_sqrt(in[0]), spor_log(in[0])};
    for (int k = 0; k < 2; k++) {
        ck_assert(spor_grad(spor_sum(spor_where(in[1], f[k], zero), 1), 1, in, &d[k]));
        ck_assert(spor_grad(spor_sum(d[k], 1), 1, in, &d[k]));
    }
    bench b = compile(2, in, 2, d);
    const double at[] = {0, -1, 4}, mask[] = {0, 0, 1};
    memcpy(b.m.x[0], at, sizeof at);
    memcpy(b.m.x[1], mask, sizeof mask);
    ck_assert(opcheck_run(&b.m));
    for (int k = 0; k < 2; k++) {
        ck_assert_double_eq(b.m.y[k][0], 0);
        ck_assert_double_eq(b.m.y[k][1], 0);
        ck_assert_double_eq(b.m.y[k][2], k ? -0.0625 : -0.03125);
    }
    finish(&b);
}
END_TEST

/* L = sum (x / c)^2: at x = 0 the cotangent of x / c is 0, and L'' = 2 / c^2 all the same. */
START_TEST(a_cotangent_of_zero_has_a_derivative) {
    spor_tape *t = spor_tape_new();
    spor_var in[] = {spor_input(t, "x", SPOR_SHAPE(1)), spor_input(t, "c", SPOR_SHAPE(1))}, d[4];
    spor_var z = spor_div(in[0], in[1]);
    ck_assert(spor_grad(spor_sum(spor_mul(z, z), 1), 2, in, d));
    ck_assert(spor_grad(spor_sum(d[0], 1), 2, in, d + 2));
    bench b = compile(2, in, 4, d);
    b.m.x[0][0] = 0, b.m.x[1][0] = 4;
    ck_assert(opcheck_run(&b.m));
    for (int k = 0; k < 4; k++) ck_assert_double_eq(b.m.y[k][0], k == 2 ? 0.125 : 0);
    finish(&b);
}
END_TEST

START_TEST(stop_gradient_stops) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(2)), d;
    ck_assert(spor_grad(spor_sum(spor_mul(x, spor_stop_gradient(x)), 1), 1, &x, &d));
    bench b = compile(1, &x, 1, &d);
    b.m.x[0][0] = 3, b.m.x[0][1] = -5;
    ck_assert(opcheck_run(&b.m));
    expect_values(b.m.y[0], (double[]){3, -5}, 2); /* x, not 2 x */
    finish(&b);
}
END_TEST

/* Other numbers at another step, the same ones when it is replayed. python3: u of ops/random.c with
 * the step in the place of 0: mix(... ^ step + 2 * G & M). */
START_TEST(random_numbers_follow_the_step) {
    spor_tape *t = spor_tape_new();
    spor_var z = spor_random(t, 7, SPOR_SHAPE(2));
    bench b = compile(0, &z, 1, &z);
    const double want[][2] = {{0.7130097150802612, 0.9917775392532349},
                              {0.6043991446495056, 0.07467532157897949},
                              {0.7130097150802612, 0.9917775392532349}};
    const uint64_t steps[] = {0, 5, 0};
    for (int run = 0; run < 3; run++) {
        ck_assert(spor_run(b.m.program, steps[run]));
        expect_values(spor_program_arg(b.m.program, z).data, want[run], 2);
    }
    finish(&b);
}
END_TEST

/* ---- what is not a number ------------------------------------------------------------------- */

/* Runs with another value in the place of one element. */
static void run_with(opcheck_machine *m, int operand, int64_t e, double value) {
    double was = m->x[operand][e];
    m->x[operand][e] = value;
    ck_assert(opcheck_run(m));
    m->x[operand][e] = was;
}

static bool has_nan(const opcheck_machine *m) {
    int64_t e = 0;
    while (e < m->ny[0] && !isnan(m->y[0][e])) e++;
    return e < m->ny[0];
}

/* Where the result depends on an element, what is not a number there must show. Returns how many
 * elements there were. */
static int64_t check_operand(opcheck_machine *m, const spor_op *op, int k, const double *before) {
    int64_t examined = 0;
    size_t bytes = (size_t)m->ny[0] * sizeof *before;
    char name[SPOR_NAME];
    op_name(op, name, sizeof name);
    for (int64_t e = 0; e < m->nx[k]; e++) {
        run_with(m, k, e, m->x[k][e] + 1000);
        bool depends = memcmp(m->y[0], before, bytes) != 0;
        run_with(m, k, e, m->x[k][e] - 1000);
        depends = depends || memcmp(m->y[0], before, bytes) != 0;
        if (!depends) continue;
        run_with(m, k, e, (double)NAN);
        ck_assert_msg(has_nan(m), "%s hides a NaN in element %d of operand %d, scalar %d", name,
                      (int)e, k, (int)m->scalar);
        examined++;
    }
    return examined;
}

static int64_t check_nan(const spor_op *op, const spor_sample *sample, spor_scalar scalar) {
    opcheck_machine m;
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    ck_assert(opcheck_build(&m, scalar, op->operands, r.in, 1, &r.out));
    opcheck_draw(&m, op->operands, op->domain, 1);
    ck_assert(opcheck_run(&m));
    double *before = malloc((size_t)m.ny[0] * sizeof *before);
    ck_assert_ptr_nonnull(before);
    memcpy(before, m.y[0], (size_t)m.ny[0] * sizeof *before);
    int64_t examined = 0;
    for (int k = op->traits & SPOR_LINEAR_REST ? 1 : 0; k < op->operands; k++)
        examined += check_operand(&m, op, k, before);
    free(before);
    opcheck_free(&m);
    spor_tape_free(r.tape);
    return examined;
}

/* But for comparisons, which are 0 there, positions, which say where it lies, and for what only
 * chooses: the first operand of route,
 * gather and where. */
START_TEST(what_is_not_a_number_reaches_the_result) {
    const spor_op *op = spor_ops[_i];
    bool compares = op == op_find("step") || op == op_find("less") || op == op_find("less_equal") ||
                    op == op_find("equal") || op == op_find("argmax") || op == op_find("argsort");
    if (!has_kernel(op) || !op->operands || compares) return;
    int64_t examined = 0;
    for (int k = 0; op->samples[k].in[0].rank >= 0; k++)
        for (int scalar = 0; scalar < SPOR_SCALARS; scalar++)
            examined += check_nan(op, &op->samples[k], (spor_scalar)scalar);
    ck_assert_int_gt(examined, 0);
}
END_TEST

/* It wins over numbers, the first of several, and gets the cotangent. */
START_TEST(what_is_not_a_number_wins) {
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(5)), d, z = spor_max(x, SPOR_AXIS(0));
    ck_assert(spor_grad(z, 1, &x, &d));
    bench b = compile(1, &x, 1, &d);
    memcpy(b.m.x[0], (double[]){1, 9, (double)NAN, 7, (double)NAN}, 5 * sizeof(double));
    ck_assert(opcheck_run(&b.m));
    expect_values(b.m.y[0], (double[]){0, 0, 1, 0, 0}, 5);
    finish(&b);
}
END_TEST

/* ---- long sums ------------------------------------------------------------------------------ */

/* A float sum and mean of numbers around an offset, against the sum in double. */
static void check_long_sum(spor_shape shape, int64_t axes, double offset) {
    opcheck_machine m;
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", shape), out[] = {spor_sum(x, axes), spor_mean(x, axes)};
    ck_assert(opcheck_build(&m, SPOR_F32, 1, &x, 2, out));
    int64_t n = m.nx[0];
    double sum = 0, magnitude = 0;
    for (int64_t e = 0; e < n; e++) {
        double value = (double)(float)(offset + random_uniform(1, 0, (uint64_t)e));
        m.x[0][e] = value;
        sum += value;
        magnitude += fabs(value);
    }
    ck_assert(opcheck_run(&m));
    double bound = (log2((double)n) + 32) * 0x1p-24 * magnitude;
    ck_assert_double_eq_tol(m.y[0][0], sum, bound);
    ck_assert_double_eq_tol(m.y[1][0], sum / (double)n, 2 * bound / (double)n);
    opcheck_free(&m);
    spor_tape_free(t);
}

START_TEST(a_float_sum_of_a_million_is_as_good_as_its_logarithm) {
    static const double offsets[] = {0, 100, -0.5, 1e4};
    for (int k = 0; k < 4; k++) {
        check_long_sum(SPOR_SHAPE(1000000), SPOR_AXIS(0), offsets[k]);
        check_long_sum(SPOR_SHAPE(1000, 1000), SPOR_AXIS(0) | SPOR_AXIS(1), offsets[k]);
        check_long_sum(SPOR_SHAPE(250007, 1, 4), 7, offsets[k]);
    }
}
END_TEST

/* Linear, not affine: 0 goes to 0, but for pad's own fill. */
START_TEST(what_is_called_linear_maps_zero_to_zero) {
    const spor_op *op = spor_ops[_i];
    if (!(op->traits & SPOR_LINEAR)) return;
    for (int k = 0; op->samples[k].in[0].rank >= 0; k++) {
        const spor_sample *sample = &op->samples[k];
        if (op == op_find("pad") && sample->attr[2 * SPOR_RANK].r != 0) continue;
        opcheck_machine m;
        opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
        ck_assert(opcheck_build(&m, SPOR_F64, op->operands, r.in, 1, &r.out));
        ck_assert(opcheck_run(&m));
        for (int64_t e = 0; e < m.ny[0]; e++) ck_assert_double_eq(m.y[0][e], 0);
        opcheck_free(&m);
        spor_tape_free(r.tape);
    }
}
END_TEST

static void add_singles(TCase *c) {
    tcase_add_test(c, correlation_swapped_is_rotated);
    tcase_add_test(c, pad_then_crop_is_identity);
    tcase_add_test(c, padding_never_wins);
    tcase_add_test(c, the_first_maximum_wins_a_tie);
    tcase_add_test(c, max_gives_a_tie_to_the_first);
    tcase_add_test(c, derivatives_at_zero_are_as_stated);
    tcase_add_test(c, a_tie_of_two_is_the_first_operands);
    tcase_add_test(c, relu_shows_not_a_number);
    tcase_add_test(c, what_a_mask_leaves_out_has_no_slope);
    tcase_add_test(c, what_a_mask_leaves_out_has_no_curvature);
    tcase_add_test(c, a_cotangent_of_zero_has_a_derivative);
    tcase_add_test(c, stop_gradient_stops);
    tcase_add_test(c, random_numbers_follow_the_step);
    tcase_add_test(c, what_is_not_a_number_wins);
    tcase_add_test(c, a_float_sum_of_a_million_is_as_good_as_its_logarithm);
}

Suite *spor_suite(void) {
    Suite *suite = suite_create("ops_values");
    TCase *each = tcase_create("each op"), *single = tcase_create("single ops");
    int count = count_ops();
    tcase_add_loop_test(each, golden_values, 0, count);
    tcase_add_loop_test(each, mistakes_are_refused, 0, count);
    tcase_add_loop_test(each, the_same_bits_twice_and_inputs_untouched, 0, count);
    tcase_add_loop_test(each, results_lie_within_their_bounds, 0, count);
    tcase_add_loop_test(each, all_scalar_types_agree, 0, count);
    tcase_add_loop_test(each, traits_are_true, 0, count);
    tcase_add_loop_test(each, what_is_not_a_number_reaches_the_result, 0, count);
    tcase_add_loop_test(each, what_is_called_linear_maps_zero_to_zero, 0, count);
    add_singles(single);
    suite_add_tcase(suite, each);
    suite_add_tcase(suite, single);
    return suite;
}
