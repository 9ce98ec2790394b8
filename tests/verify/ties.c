/*
 * Ties and kinks: arrays of other code, which may follow another convention there, and derivations of what takes
 * whole numbers and masks, whose neighbours say nothing of a slope.
 */
#include "../suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>
#include <spor/verify.h>
#include "claims/claims.h"
#include "script/script.h"

/* ---- arrays: Y = max(a, b) + take(E, i), a and b equal at 0 and 2 ---- */

enum { N = 4, V = 3 };
static const double a[N] = {1, 2, 3, .5}, b[N] = {1, 0, 3, 2}, E[V] = {4, -1, 2};
static const double i[N] = {2, 0, 2, 1}, dY[N] = {.5, 1, -2, 3}, was[N] = {1, -1, 2, 8};

/* The share of dY that each gets at a tie; what is added to element 1 of da, which is at none; and to dE. */
static const struct {
    const char *what;
    double of_a, of_b, off, of_E;
    bool ties_bind, before;
    spor_outcome outcome;
    int64_t ties, wrong; /* wrong: of da alone */
} codes[] = {
    {"as the tape", 1, 0, 0, 1, true, false, SPOR_HOLDS, 0, 0},
    {"the other one", 0, 1, 0, 1, false, false, SPOR_HOLDS, 4, 0},
    {"the other one", 0, 1, 0, 1, true, false, SPOR_FAILS, 0, 2},
    {"halves", .5, .5, 0, 1, false, false, SPOR_HOLDS, 4, 0},
    {"halves, added", .5, .5, 0, 1, false, true, SPOR_HOLDS, 4, 0},
    {"both", 1, 1, 0, 1, false, false, SPOR_FAILS, 0, 0},
    {"none", 0, 0, 0, 1, false, false, SPOR_FAILS, 0, 2},
    {"no slope around", 0, 1.5, 0, 1, false, false, SPOR_FAILS, 0, 2},
    {"wrong elsewhere", .5, .5, .25, 1, false, false, SPOR_FAILS, 4, 1},
    {"whole numbers are not moved", .5, .5, 0, 0, false, false, SPOR_FAILS, 4, 0},
};
enum { CODES = sizeof codes / sizeof *codes };

static struct { double da[N], db[N], dE[V]; } code;

static void run_code(int k) {
    memset(&code, 0, sizeof code);
    for (int n = 0; n < N; n++) {
        double before = codes[k].before ? was[n] : 0;
        bool tie = a[n] == b[n];
        code.da[n] = before + dY[n] * (tie ? codes[k].of_a : a[n] > b[n]);
        code.db[n] = dY[n] * (tie ? codes[k].of_b : a[n] < b[n]);
        code.dE[(int)i[n]] += codes[k].of_E * dY[n];
    }
    code.da[1] += codes[k].off;
}

START_TEST(any_slope_around_a_tie_is_right_in_arrays) {
    spor_tape *t = spor_tape_new();
    spor_verdict v;
    run_code(_i);
    spor_var A = spor_input(t, "a", SPOR_SHAPE(N)), B = spor_input(t, "b", SPOR_SHAPE(N));
    spor_var rows = spor_input(t, "E", SPOR_SHAPE(V)), which = spor_input(t, "i", SPOR_SHAPE(N));
    spor_arrays arrays = {.y = spor_add(spor_maximum(A, B), spor_take(rows, which, 0)),
                          .inputs = 4,
                          .input = {A, B, rows, which},
                          .value = {a, b, E, i},
                          .range = {{0}, {0}, {0}, {.kind = SPOR_RANGE_WHOLE, .to = V - 1}},
                          .cotangent = dY,
                          .claims = 3,
                          .claim = {{.name = "da", .claimed = code.da},
                                    {.name = "db", .wrt = 1, .claimed = code.db},
                                    {.name = "dE", .wrt = 2, .claimed = code.dE}},
                          .arithmetic = SPOR_F64,
                          .ties_bind = codes[_i].ties_bind};
    if (codes[_i].before) arrays.claim[0].before = was;
    ck_assert(spor_verify_arrays(&arrays, &v));
    if (v.outcome != codes[_i].outcome) spor_verdict_print(NULL, &v, stderr);
    ck_assert_msg(v.outcome == codes[_i].outcome, "%s", codes[_i].what);
    ck_assert_int_eq(v.ties, codes[_i].ties);
    if (codes[_i].wrong) ck_assert_str_eq(v.example.pair_name, "da");
    if (codes[_i].wrong) ck_assert_int_eq(v.example.wrong, codes[_i].wrong);
    spor_tape_free(t);
}
END_TEST

/* More elements than are looked at closely: those that are wrong are all told, and where a hundred winners tie, of
 * which few directions meet one, what can't be told is left open, not accused. */
START_TEST(many_elements_are_in_question) {
    enum { MANY = 200 };
    static double x[MANY], dx[MANY];
    double dy = 3;
    spor_tape *t = spor_tape_new();
    spor_verdict v;
    for (int k = 0; k < MANY; k++) {
        x[k] = _i ? 1 : k - 100;
        dx[k] = _i ? dy / MANY : 2 * (x[k] > 0);
    }
    spor_var X = spor_input(t, "x", SPOR_SHAPE(MANY));
    spor_arrays arrays = {.y = _i ? spor_max(X, SPOR_AXIS(0)) : spor_relu(X),
                          .inputs = 1,
                          .input = {X},
                          .value = {x},
                          .cotangent = _i ? &dy : NULL,
                          .claims = 1,
                          .claim = {{.name = "dx", .claimed = dx}},
                          .arithmetic = SPOR_F64};
    ck_assert(spor_verify_arrays(&arrays, &v));
    if (_i) ck_assert_int_eq(v.outcome, SPOR_NOTHING_EXAMINED);
    if (_i) ck_assert(v.ties >= 64 && v.arrays.unseen > 0 && v.arrays.unseen == v.arrays.between);
    if (_i) ck_assert_int_eq(v.ties + v.arrays.unseen, MANY);
    if (!_i) ck_assert_int_eq(v.outcome, SPOR_FAILS);
    if (!_i) ck_assert_int_eq(v.example.wrong, 99);
    spor_tape_free(t);
}
END_TEST

/* Of one winner alone the file says nothing of the other: what it got may be the whole. */
START_TEST(what_is_not_claimed_is_not_added_up) {
    spor_tape *t = spor_tape_new();
    spor_verdict v;
    run_code(5);
    spor_var A = spor_input(t, "a", SPOR_SHAPE(N)), B = spor_input(t, "b", SPOR_SHAPE(N));
    spor_arrays arrays = {.y = spor_maximum(A, B),
                          .inputs = 2,
                          .input = {A, B},
                          .value = {a, b},
                          .cotangent = dY,
                          .claims = 1,
                          .claim = {{.name = "db", .wrt = 1, .claimed = code.db}},
                          .arithmetic = SPOR_F64};
    ck_assert(spor_verify_arrays(&arrays, &v));
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.ties, 2);
    spor_tape_free(t);
}
END_TEST

/* The other branch where y jumps is no slope of it: neither right nor wrong can be shown, and it is told apart. */
START_TEST(a_jump_is_told_apart) {
    spor_tape *t = spor_tape_new();
    spor_verdict v;
    static const double x[N] = {0, 1, -1, 2}, claimed[N] = {1, 1, -2, 3};
    spor_var X = spor_input(t, "x", SPOR_SHAPE(N)),
             none = spor_mul(X, spor_broadcast(spor_ratio(t, 0, 1), SPOR_SHAPE(N)));
    spor_var far = _i ? spor_add(X, spor_broadcast(spor_ratio(t, 1, 1), SPOR_SHAPE(N))) : X;
    spor_arrays arrays = {.y = spor_where(spor_equal(X, none), none, far),
                          .inputs = 1,
                          .input = {X},
                          .value = {x},
                          .cotangent = (const double[]){1, 1, -2, 3},
                          .claims = 1,
                          .claim = {{.name = "dx", .claimed = claimed}},
                          .arithmetic = SPOR_F64};
    ck_assert(spor_verify_arrays(&arrays, &v));
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.ties, 1);
    ck_assert_int_eq(v.jumps, _i);
    spor_tape_free(t);
}
END_TEST

/* ---- values of several results ---- */

START_TEST(values_of_any_variable_are_judged) {
    for (int wrong = 0; wrong < 2; wrong++) {
        spor_tape *t = spor_tape_new(), *other = spor_tape_new();
        spor_verdict v;
        double most[N] = {1, 2, 3, 2 + .5 * wrong}, sum[N] = {2, 2, 6, 2.5};
        spor_var A = spor_input(t, "a", SPOR_SHAPE(N)), B = spor_input(t, "b", SPOR_SHAPE(N));
        spor_var Y = spor_maximum(A, B), Z = spor_add(A, B);
        spor_arrays arrays = {.y = spor_concat(Y, Z, 0),
                              .inputs = 2,
                              .input = {A, B},
                              .value = {a, b},
                              .claims = 2,
                              .claim = {{.name = "Z", .wrt = SPOR_OF_Y, .of = Z, .claimed = sum},
                                        {.name = "Y", .wrt = SPOR_OF_Y, .of = Y, .claimed = most}},
                              .arithmetic = SPOR_F64};
        ck_assert(spor_verify_arrays(&arrays, &v));
        ck_assert_int_eq(v.outcome, wrong ? SPOR_FAILS : SPOR_HOLDS);
        ck_assert_int_eq(v.comparisons, 2 * N);
        if (wrong) ck_assert_str_eq(v.example.pair_name, "Y");
        if (wrong) ck_assert_int_eq(v.example.index[0], 3);
        arrays.claim[0].of = spor_input(other, "a", SPOR_SHAPE(N));
        ck_assert(spor_verify_arrays(&arrays, &v));
        ck_assert_str_eq(v.example.message, "Z is of another tape than y");
        spor_tape_free(t);
        spor_tape_free(other);
    }
}
END_TEST

/* ---- derivations ---- */

/* Wrong at points where some t is 0, but for what i, m or a number of them between others would tell; and two
 * winners that both get the whole. */
#define OTHER_SLOPE "differs at ties only, where it is another of the slopes"
#define JUMPS "differs where the result jumps, and has no slope"
static const struct {
    const char *def, *block;
    spor_outcome outcome;
    const char *reservation; /* of what holds */
} derivations[] = {
    {"def f(E[V], t[N], i[N] in 0..V-1):\n    return take(E, i) + relu(t)\n",
     "derive f (E, t, i) -> (Y, dY):\n"
     "    least = -max(-abs(t), axis=0)\n"
     "    tied = equal(E, 0 * E) * equal(least, 0 * least)\n"
     "    dE = scatter_add(i, dY, V) * (1 - tied)\n"
     "    dt = step(t) * dY\n",
     SPOR_FAILS, ""},
    {"def f(x[N], t[N], m[N] in [0, 1]):\n    return where(m, x, 0 * x) + relu(t)\n",
     "derive f (x, t, m) -> (Y, dY):\n"
     "    least = -max(-abs(t), axis=0)\n"
     "    tied = equal(x, 0 * x) * equal(least, 0 * least)\n"
     "    dx = where(m, dY, tied * dY)\n"
     "    dt = step(t) * dY\n"
     "    dm = none\n",
     SPOR_FAILS, ""},
    {"def f(x[N, K], t[N], h[N, K] in one_hot):\n"
     "    return sum(where(h, x, 0 * x), axis=1) + relu(t)\n",
     "derive f (x, t, h) -> (Y, dY):\n"
     "    least = -max(-abs(t), axis=0)\n"
     "    tied = equal(x, 0 * x) * equal(least, 0 * least)\n"
     "    up = reshape(dY, [N, 1]) + 0 * x\n"
     "    dx = where(h, up, tied * up)\n"
     "    dt = step(t) * dY\n"
     "    dh = none\n",
     SPOR_FAILS, ""},
    {"def f(E[V], F[V], i[N] in 0..V-1):\n    return maximum(take(E, i), take(F, i))\n",
     "derive f (E, F, i) -> (Y, dY):\n"
     "    dE = scatter_add(i, dY * less_equal(take(F, i), take(E, i)), V)\n"
     "    dF = scatter_add(i, dY * less_equal(take(E, i), take(F, i)), V)\n",
     SPOR_FAILS, ""},
    {"def f(E[V], F[V], i[N] in 0..V-1):\n    return maximum(take(E, i), take(F, i))\n",
     "derive f (E, F, i) -> (Y, dY):\n"
     "    dE = scatter_add(i, dY * less(take(F, i), take(E, i)), V)\n"
     "    dF = scatter_add(i, dY * less_equal(take(E, i), take(F, i)), V)\n",
     SPOR_HOLDS, OTHER_SLOPE},
    /* one of few numbers, but its gradient is asked for: its kink is one */
    {"def f(x[N] in [-1, 0, 1]):\n    return relu(x)\n",
     "derive f (x) -> (Y, dY):\n    dx = dY * less_equal(0 * x, x)\n", SPOR_HOLDS, OTHER_SLOPE},
    /* a jump: the tape has the slope of the branch taken, the formula that around */
    {"def f(x[N]):\n    return where(equal(x, 0 * x), 0 * x, 2 * x + 1)\n",
     "derive f (x) -> (Y, dY):\n    dx = 2 * dY\n", SPOR_HOLDS, JUMPS},
    {"def f(x[N]):\n    return where(equal(x, 0 * x), 0 * x, 2 * x + 1)\n",
     "derive f (x) -> (Y, dY):\n    dx = where(equal(x, 0 * x), 5 * dY, 2 * dY)\n", SPOR_FAILS, ""},
    {"def f(x[N]):\n    return where(less(x, 0 * x), x - 1, 2 * x)\n",
     "derive f (x) -> (Y, dY):\n    dx = where(less_equal(x, 0 * x), dY, 2 * dY)\n", SPOR_HOLDS,
     JUMPS},
    /* x and y moved alike stay equal, and there the result is 2 x */
    {"def f(x[N], y[N]):\n    return where(equal(x, y), 2 * x, 3 * x)\n",
     "derive f (x, y) -> (Y, dY):\n    dx = 3 * dY\n    dy = 0 * dY\n", SPOR_FAILS, ""},
    {"def f(x[N], y[N]):\n    return where(equal(x, y), 2 * x, 3 * x)\n",
     "derive f (x, y) -> (Y, dY):\n    dx = where(equal(x, y), 2 * dY, 3 * dY)\n    dy = 0 * dY\n",
     SPOR_HOLDS, ""},
};
enum { DERIVATIONS = sizeof derivations / sizeof *derivations };

START_TEST(what_chooses_has_no_neighbours) {
    char text[1024];
    spor_verdict v;
    snprintf(text, sizeof text, "%s\n%s", derivations[_i].def, derivations[_i].block);
    spor_script *script = script_read("ties.spor", text, NULL, &claims_dialect);
    ck_assert_msg(script_error(script) == NULL, "%s", script_error(script));
    ck_assert(spor_verify(claims_at(script, 0)->statement, NULL, &v));
    if (v.outcome != derivations[_i].outcome)
        spor_verdict_print(claims_at(script, 0)->statement, &v, stderr);
    ck_assert_int_eq(v.outcome, derivations[_i].outcome);
    if (v.outcome == SPOR_HOLDS) ck_assert_str_eq(v.reservation, derivations[_i].reservation);
    ck_assert_int_eq(v.ties > 0, *derivations[_i].reservation != 0);
    script_free(script);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify_ties");
    TCase *tests = tcase_create("verify_ties");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, any_slope_around_a_tie_is_right_in_arrays, 0, CODES);
    tcase_add_loop_test(tests, many_elements_are_in_question, 0, 2);
    tcase_add_test(tests, what_is_not_claimed_is_not_added_up);
    tcase_add_loop_test(tests, a_jump_is_told_apart, 0, 2);
    tcase_add_test(tests, values_of_any_variable_are_judged);
    tcase_add_loop_test(tests, what_chooses_has_no_neighbours, 0, DERIVATIONS);
    suite_add_tcase(suite, tests);
    return suite;
}
