/*
 * Derivatives of every op: against central differences and the complex step to second
 * order, as adjoints, closed under
 * differentiation, zero for a zero cotangent.
 */
#include "each.h"

/* stop_gradient's derivative is zero by definition, not the slope of its value. */
static bool has_slopes(const spor_op *op) {
    return op->operands && op != op_find("stop_gradient");
}

START_TEST(vjp_against_central_differences_to_second_order) {
    if (has_slopes(spor_ops[_i])) ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_gradient), 2);
}
END_TEST

START_TEST(vjp_against_the_complex_step_to_second_order) {
    if (has_slopes(spor_ops[_i]))
        ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_complex_step), 2);
}
END_TEST

START_TEST(vjp_is_the_adjoint) {
    const unsigned linear = SPOR_LINEAR | SPOR_BILINEAR | SPOR_LINEAR_FIRST | SPOR_LINEAR_REST;
    if (spor_ops[_i]->traits & linear)
        ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_adjoint), 2);
}
END_TEST

START_TEST(primitives_are_closed_under_differentiation) {
    if (spor_ops[_i]->operands) ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_closure), 2);
}
END_TEST

START_TEST(zero_is_pulled_back_to_zero) {
    if (spor_ops[_i]->operands) ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_zero), 2);
}
END_TEST

START_TEST(within_its_margin_no_decision_changes) {
    if (spor_ops[_i]->margin) ck_assert_int_ge(each_sample(spor_ops[_i], opcheck_margin), 2);
}
END_TEST

START_TEST(only_leaves_lack_a_derivative) {
    ck_assert_int_eq(spor_ops[_i]->vjp == NULL, spor_ops[_i]->operands == 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("ops_derivatives");
    TCase *each = tcase_create("each op");
    int count = count_ops();
    tcase_add_loop_test(each, vjp_against_central_differences_to_second_order, 0, count);
    tcase_add_loop_test(each, vjp_against_the_complex_step_to_second_order, 0, count);
    tcase_add_loop_test(each, vjp_is_the_adjoint, 0, count);
    tcase_add_loop_test(each, primitives_are_closed_under_differentiation, 0, count);
    tcase_add_loop_test(each, zero_is_pulled_back_to_zero, 0, count);
    tcase_add_loop_test(each, within_its_margin_no_decision_changes, 0, count);
    tcase_add_loop_test(each, only_leaves_lack_a_derivative, 0, count);
    suite_add_tcase(suite, each);
    return suite;
}
