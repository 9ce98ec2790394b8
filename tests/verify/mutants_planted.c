/*
 * The judge of mutants judged: scripts whose truth is known beforehand, and what is made of a formula.
 */
#include "mutants.h"

#include <string.h>

#define OFF_DEF "def f(x[N, C], w[C]):\n    return relu(x) * w + log(w)\n"
#define OFF(label, dx, dw)                                                                         \
    "derive f \"" label "\" (x, w) -> (Y, dY):\n    dx = " dx "\n    dw = " dw "\n"

/* The first is right; the others beside it. Where w <= 0 there is no Y, where x is 0 a kink. */
static const char planted[] = OFF_DEF OFF("right", "step(x) * w * dY",
                                          "sum(dY * (relu(x) + 1 / w), axis=0)")
    OFF("the kink's other side", "(1 - step(-x)) * w * dY", "sum(dY * (relu(x) + 1 / w), axis=0)")
        OFF("right in the domain", "step(x) * abs(w) * dY", "sum(dY * (relu(x) + 1 / w), axis=0)")
            OFF("rounds otherwise", "dY * w * step(x)", "sum(dY * (relu(x) * w + 1) / w, axis=0)")
                OFF("a factor 2", "2 * step(x) * w * dY", "sum(dY * (relu(x) + 1 / w), axis=0)")
                    OFF("wrong for large x", "step(x) * w * dY",
                        "sum(dY * (minimum(relu(x), 4) + 1 / w), axis=0)")
                        OFF("not a number", "step(x) * w * dY * (x - x) / (x - x)",
                            "sum(dY, axis=0)")
                            OFF("another shape", "step(x) * w * dY", "dY * (relu(x) + 1 / w)")
                                OFF("a little", "step(x) * w * dY * (1 + 1e-9)",
                                    "sum(dY * (relu(x) + 1 / w), axis=0)");

static const truth_judgement planted_judgements[] = {
    TRUTH_EQUIVALENT, TRUTH_EQUIVALENT, TRUTH_EQUIVALENT, TRUTH_EQUIVALENT, TRUTH_WRONG,
    TRUTH_WRONG,      TRUTH_WRONG,      TRUTH_NO_RECORD,  TRUTH_UNCLEAR};

/* Whether dx is to blame. */
static const bool planted_in_dx[] = {false, false, false, false, true, false, true, false, false};

static spor_script *load(const char *text) {
    spor_script *script = script_read("s.spor", text, ".", &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    return script;
}

START_TEST(the_judge_sees_what_is_planted) {
    truth right;
    spor_script *script = load(planted);
    spor_asserted *a = claims_first(script);
    truth_make(&a->statement, &right);
    ck_assert_int_gt(right.checked, 10);
    ck_assert_int_eq(right.wrong, 0);
    for (int k = 0; a; a = a->next, k++) {
        truth_finding found;
        truth_judge(&right, &a->statement, &found);
        ck_assert_msg(found.judgement == planted_judgements[k], "%s", a->statement.name);
        ck_assert_msg(truth_blames(&found, "dx") == planted_in_dx[k], "%s", a->statement.name);
    }
    truth_free(&right);
    script_free(script);
}
END_TEST

/* A derivation that is not y's slope is seen by differences, whatever the tape says. */
START_TEST(a_wrong_derivation_is_not_taken_for_right) {
    spor_script *script = load(planted);
    for (spor_asserted *a = claims_first(script); a; a = a->next) {
        truth of;
        truth_make(&a->statement, &of);
        bool wrong = strcmp(a->statement.name, "a factor 2") == 0 ||
                     strcmp(a->statement.name, "wrong for large x") == 0;
        ck_assert_msg((of.wrong > 0) == wrong, "%s: %d of %d", a->statement.name, of.wrong,
                      of.checked);
        truth_free(&of);
    }
    script_free(script);
}
END_TEST

/* What is made of a formula of each kind, and that all of it can be undone. */
static const char *const changes[MUTANT_KINDS] = {
    "s.spor:4: (step(x) * w) + Y -> step(x) * w",
    "s.spor:4: (step(x) * w) + Y -> (step(x) * w) - Y",
    "s.spor:4: step(x) * w -> w",
    "s.spor:5: sum(dx * 3, axis=0) -> sum(dx * 3, axis=0) / N",
    "s.spor:5: 3 -> 4.5",
    "s.spor:5: 0 -> 1",
    "s.spor:5: sum -> mean",
    "s.spor:4: transpose(dY) -> dY",
    "s.spor:4: w -> x",
    "s.spor:4: x -> Y",
    "s.spor:4: w -> minimum(maximum(w, -1), 1)",
    "s.spor:4: step(x) -> 1",
};

static bool makes(const mutants *m, int kind, const char *change) {
    char text[300];
    for (int k = 0; k < m->n; k++) {
        mutation_print(&m->made[k], text, sizeof text);
        if (m->made[k].kind == kind && strcmp(text, change) == 0) return true;
    }
    return false;
}

START_TEST(each_kind_makes_its_change) {
    spor_script *script = load("def f(x[N, C], w[C]):\n    return x * w\n"
                               "derive f (x, w) -> (Y, dY):\n"
                               "    dx = (step(x) * w + Y) * transpose(dY)\n"
                               "    dw = sum(dx * 3, axis=0)\n");
    mutants m;
    mutants_make(claims_first(script), &m);
    for (int kind = 0; kind < MUTANT_KINDS; kind++)
        ck_assert_msg(makes(&m, kind, changes[kind]), "%s: %s", mutant_kind(kind), changes[kind]);
    for (int k = 0; k < m.n; k++) {
        ck_assert_ptr_eq(*m.made[k].slot, m.made[k].before);
        mutation_apply(&m.made[k]);
        ck_assert_ptr_ne(*m.made[k].slot, m.made[k].before);
        mutation_undo(&m.made[k]);
        ck_assert_ptr_eq(*m.made[k].slot, m.made[k].before);
    }
    int all = m.n;
    mutants_thin(&m, 2);
    ck_assert_int_lt(m.n, all);
    ck_assert_int_ge(m.n, MUTANT_KINDS);
    ck_assert_int_le(m.n, 2 * MUTANT_KINDS);
    mutants_free(&m);
    script_free(script);
}
END_TEST

TCase *mutants_planted(void) {
    TCase *test = tcase_create("planted");
    tcase_add_test(test, the_judge_sees_what_is_planted);
    tcase_add_test(test, a_wrong_derivation_is_not_taken_for_right);
    tcase_add_test(test, each_kind_makes_its_change);
    return test;
}
