/*
 * Tests of the tests: ops with one planted fault each. The check that is there for it must see it,
 * and for the subtle ones the neighbouring check must not, or it would not be needed.
 */
#include <math.h>
#include <string.h>

#include "each.h"

extern const spor_op spor_op_tanh, spor_op_mul, spor_op_matmul, spor_op_avgpool2d, spor_op_relu,
    spor_op_sum, spor_op_sub, spor_op_correlate2d;

/* True if the check fails on some sample and has examined something. */
static bool caught(const spor_op *op, opcheck_verdict check(const spor_op *, const spor_sample *)) {
    for (int k = 0; op->samples[k].in[0].rank >= 0; k++) {
        opcheck_verdict v = check(op, &op->samples[k]);
        if (!v.passed && v.examined) return true;
    }
    return false;
}

static bool golden_caught(const spor_op *op) {
    for (int k = 0; op->golden[k].y; k++)
        if (!opcheck_golden(op, &op->golden[k]).passed) return true;
    return false;
}

static const double *element(const spor_arg *a, int64_t e) {
    return (const double *)a->data + e;
}

/* ---- a derivative off by 0.1 % ---- */

static spor_var a_thousandth_too_much(spor_var y, int k, spor_var ybar) {
    spor_var factor = op_fill_ratio(y.tape, 1001, 1000, spor_shape_of(y));
    return spor_mul(factor, spor_op_tanh.vjp(y, k, ybar));
}

START_TEST(a_derivative_off_by_a_thousandth) {
    spor_op wrong = spor_op_tanh;
    wrong.vjp = a_thousandth_too_much;
    ck_assert(caught(&wrong, opcheck_gradient));
    ck_assert(caught(&wrong, opcheck_complex_step));
    ck_assert(!caught(&wrong, opcheck_zero));
}
END_TEST

/* ---- a forward pass that is consistently wrong ---- */

static void doubled_kernel(const spor_call *c) {
    int64_t n = shape_size(&c->out.shape);
    for (int64_t e = 0; e < n; e++)
        ((double *)c->out.data)[e] = 2 * *element(&c->in[0], e) * *element(&c->in[1], e);
}

static spor_var doubled_vjp(spor_var z, int k, spor_var zbar) {
    spor_var dx = spor_op_mul.vjp(z, k, zbar);
    return spor_add(dx, dx);
}

START_TEST(a_forward_pass_consistently_wrong) {
    static spor_reference *const kernel = doubled_kernel;
    static spor_reference *const *const reference[SPOR_SCALARS] = {[SPOR_F64] = &kernel};
    spor_op wrong = spor_op_mul;
    wrong.reference = reference;
    wrong.vjp = doubled_vjp;
    ck_assert(golden_caught(&wrong));
    ck_assert(!caught(&wrong, opcheck_gradient)); /* which is why golden values exist */
    ck_assert(!caught(&wrong, opcheck_adjoint));
}
END_TEST

/* ---- a swapped axis, unseen by shapes ---- */

static spor_var untransposed(spor_var z, int k, spor_var zbar) {
    spor_var x = op_operand(z, 0), y = op_operand(z, 1);
    return k == 0 ? spor_matmul(zbar, y) : spor_matmul(x, zbar);
}

START_TEST(a_swapped_axis_among_equal_sizes) {
    static const spor_sample square[] = {{.in = {{2, {3, 3}}, {2, {3, 3}}}}, SPOR_END_SAMPLES};
    spor_op wrong = spor_op_matmul;
    wrong.vjp = untransposed;
    wrong.samples = square;
    ck_assert(caught(&wrong, opcheck_gradient));
    ck_assert(caught(&wrong, opcheck_adjoint));
    wrong.samples = spor_op_matmul.samples; /* unequal sizes: an error of shapes */
    ck_assert(!opcheck_gradient(&wrong, &wrong.samples[0]).passed);
}
END_TEST

/* ---- a wrong second derivative behind a right first one ---- */

static spor_var frozen_slope(spor_var y, int k, spor_var ybar) {
    (void)k;
    spor_var one = op_fill_ratio(y.tape, 1, 1, spor_shape_of(y));
    return spor_mul(ybar, spor_stop_gradient(spor_sub(one, spor_mul(y, y))));
}

START_TEST(a_wrong_second_derivative) {
    spor_op wrong = spor_op_tanh;
    wrong.vjp = frozen_slope;
    opcheck_verdict v[] = {opcheck_gradient(&wrong, &wrong.samples[0]),
                           opcheck_complex_step(&wrong, &wrong.samples[0])};
    for (int k = 0; k < 2; k++) {
        ck_assert(!v[k].passed);
        ck_assert_ptr_nonnull(strstr(v[k].what, "second derivative"));
    }
}
END_TEST

/* ---- a slope of 0 where the kink's right side has 1 ---- */

static spor_var left_slope(spor_var y, int k, spor_var ybar) {
    return spor_mul(ybar, spor_step(spor_neg(op_operand(y, k))));
}

START_TEST(the_other_side_of_a_kink) {
    spor_op wrong = spor_op_relu;
    wrong.vjp = left_slope;
    ck_assert(caught(&wrong, opcheck_gradient));
    ck_assert(caught(&wrong, opcheck_traits)); /* reads x, though VALUE_SLOPE says y */
}
END_TEST

/* ---- a sign, a missing factor, an op unknown to the registry ---- */

static spor_var same_sign(spor_var z, int k, spor_var zbar) {
    (void)z, (void)k;
    return zbar;
}

START_TEST(a_sign) {
    spor_op wrong = spor_op_sub;
    wrong.vjp = same_sign;
    ck_assert(caught(&wrong, opcheck_adjoint));
    ck_assert(caught(&wrong, opcheck_gradient));
}
END_TEST

/* Counts all cells of the window, not the valid ones: shows only where there are pads. */
static spor_var all_cells(spor_var z, int k, spor_var zbar) {
    spor_shape x = spor_shape_of(op_operand(z, k)), out = spor_shape_of(z);
    const spor_attr *w = op_attrs(z);
    spor_window window = {.size = {w[0].i, w[1].i},
                          .stride = {w[2].i, w[3].i},
                          .pad = {w[4].i, w[5].i, w[6].i, w[7].i}};
    spor_var ones = op_fill_ratio(z.tape, 1, 1, out);
    spor_var share = spor_avgpool2d(spor_spread2d(ones, x.n[1], x.n[2], window), window);
    return spor_spread2d(spor_mul(zbar, share), x.n[1], x.n[2], window);
}

START_TEST(a_wrong_count_at_the_border) {
    spor_op wrong = spor_op_avgpool2d;
    wrong.vjp = all_cells;
    ck_assert(caught(&wrong, opcheck_adjoint));
    ck_assert(caught(&wrong, opcheck_gradient));
}
END_TEST

static spor_var through_a_private_op(spor_var y, int k, spor_var ybar) {
    static spor_op private_op;
    private_op = spor_op_tanh;
    spor_var dx = spor_op_tanh.vjp(y, k, ybar);
    return spor_mul(dx, op_record(&private_op, &y, NULL));
}

START_TEST(an_op_outside_the_registry) {
    spor_op wrong = spor_op_tanh;
    wrong.vjp = through_a_private_op;
    ck_assert(caught(&wrong, opcheck_closure));
    ck_assert(!caught(&spor_op_tanh, opcheck_closure));
}
END_TEST

/* ---- kernels with bad manners ---- */

static void scribbling_kernel(const spor_call *c) {
    int64_t n = shape_size(&c->out.shape);
    for (int64_t e = 0; e < n; e++) {
        ((double *)c->out.data)[e] = tanh(*element(&c->in[0], e));
        ((double *)c->in[0].data)[e] = 0;
    }
}

static void moody_kernel(const spor_call *c) {
    static double mood;
    int64_t n = shape_size(&c->out.shape);
    for (int64_t e = 0; e < n; e++) ((double *)c->out.data)[e] = mood;
    mood += 1;
}

START_TEST(a_kernel_that_writes_to_its_input_or_gives_other_bits) {
    static spor_reference *const scribbling = scribbling_kernel, *const moody = moody_kernel;
    static spor_reference *const *const first[SPOR_SCALARS] = {[SPOR_F64] = &scribbling};
    static spor_reference *const *const second[SPOR_SCALARS] = {[SPOR_F64] = &moody};
    spor_op wrong = spor_op_tanh;
    wrong.reference = first;
    ck_assert(caught(&wrong, opcheck_repeat));
    ck_assert(!golden_caught(&wrong));
    wrong.reference = second;
    ck_assert(caught(&wrong, opcheck_repeat));
}
END_TEST

static spor_var offset(spor_var y, int k, spor_var ybar) {
    spor_var one = op_fill_ratio(y.tape, 1, 1, spor_shape_of(op_operand(y, k)));
    return spor_add(spor_op_sum.vjp(y, k, ybar), one);
}

START_TEST(a_pull_back_that_is_not_linear) {
    spor_op wrong = spor_op_sum;
    wrong.vjp = offset;
    ck_assert(caught(&wrong, opcheck_zero));
}
END_TEST

/* ---- descriptors that contradict themselves ---- */

START_TEST(a_descriptor_that_contradicts_its_signature) {
    spor_op wrong = spor_op_sum;
    wrong.attrs = 2;
    ck_assert(!opcheck_signature(&wrong).passed);
    wrong = spor_op_sum;
    wrong.operands = 2;
    ck_assert(!opcheck_signature(&wrong).passed);
    wrong = spor_op_sum;
    wrong.error = 2;
    ck_assert(!opcheck_signature(&wrong).passed);
    wrong = spor_op_sum;
    wrong.signature = "sum(x[*]; axes)";
    ck_assert(!opcheck_signature(&wrong).passed);
    ck_assert(opcheck_signature(&spor_op_sum).passed);
}
END_TEST

START_TEST(traits_that_promise_too_much) {
    spor_op wrong = spor_op_sum;
    wrong.traits = SPOR_LINEAR | SPOR_ALIAS;
    ck_assert(caught(&wrong, opcheck_traits));
    static const spor_sample rows[] = {{.in = {{2, {3, 4}}}, .attr = {{.i = 1}}}, SPOR_END_SAMPLES};
    static const struct {
        const char *op;
        unsigned trait;
    } other[] = {{"sum", SPOR_LOGITS},   {"tanh", SPOR_LOGITS},    {"max", SPOR_SHARES},
                 {"tanh", SPOR_CHANCES}, {"sigmoid", SPOR_LOGITS}, {"tanh", SPOR_SCORES},
                 {"sum", SPOR_PICKS},    {"exp", SPOR_PICKS},      {"sigmoid", SPOR_DECIDES}};
    for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
        wrong = *op_find(other[k].op);
        wrong.traits |= other[k].trait;
        ck_assert_msg(caught(&wrong, opcheck_traits), "%s", other[k].op);
    }
    wrong = *op_find("flip");
    wrong.traits = SPOR_LINEAR;
    wrong.samples = rows;
    ck_assert(caught(&wrong, opcheck_traits));
}
END_TEST

START_TEST(numbers_that_are_said_to_be_known) {
    static const char *const other[][2] = {
        {"add", "mul"}, {"mul", "sub"}, {"div", "mul"}, {"maximum", "mul"}};
    spor_op wrong;
    for (size_t k = 0; k < sizeof other / sizeof *other; k++) {
        wrong = *op_find(other[k][0]);
        wrong.truth = op_find(other[k][1])->truth;
        ck_assert_msg(caught(&wrong, opcheck_traits), "%s", other[k][0]);
    }
    wrong = *op_find("ratio");
    wrong.number = op_find("constant")->number;
    ck_assert(caught(&wrong, opcheck_traits));
}
END_TEST

START_TEST(a_mistake_that_is_none_or_has_another_message) {
    static const spor_mistake none = {.in = {{2, {3, 4}}, {2, {4, 2}}}, .message = "x"};
    static const spor_mistake other = {.in = {{2, {3, 4}}, {2, {5, 2}}}, .message = "larger"};
    ck_assert(!opcheck_mistake(&spor_op_matmul, &none).passed);
    ck_assert(!opcheck_mistake(&spor_op_matmul, &other).passed);
    ck_assert(opcheck_mistake(&spor_op_matmul, &spor_op_matmul.mistakes[0]).passed);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("ops_faults");
    TCase *c = tcase_create("planted faults");
    tcase_add_test(c, a_derivative_off_by_a_thousandth);
    tcase_add_test(c, a_forward_pass_consistently_wrong);
    tcase_add_test(c, a_swapped_axis_among_equal_sizes);
    tcase_add_test(c, a_wrong_second_derivative);
    tcase_add_test(c, the_other_side_of_a_kink);
    tcase_add_test(c, a_sign);
    tcase_add_test(c, a_wrong_count_at_the_border);
    tcase_add_test(c, an_op_outside_the_registry);
    tcase_add_test(c, a_kernel_that_writes_to_its_input_or_gives_other_bits);
    tcase_add_test(c, a_pull_back_that_is_not_linear);
    tcase_add_test(c, a_descriptor_that_contradicts_its_signature);
    tcase_add_test(c, traits_that_promise_too_much);
    tcase_add_test(c, numbers_that_are_said_to_be_known);
    tcase_add_test(c, a_mistake_that_is_none_or_has_another_message);
    suite_add_tcase(suite, c);
    return suite;
}
