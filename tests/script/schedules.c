/* The schedules of models/schedules.spor against formulas in C; what a script may do with its own. */
#include "../suite.h"
#include "support.h"

#include <math.h>
#include <string.h>

#include "script/script.h"

enum { EPOCHS = 20, STEPS = 7 };

static spor_script *with(const char *defs, const char *schedule, const char *optimizer) {
    char text[1024];
    snprintf(text, sizeof text,
             "%sdef net(x): return flatten(x)\n"
             "train(net, data=digits(), loss=squared_error(\"sum\"), optimizer=%s, batch=1, "
             "epochs=1%s%s)\n",
             defs, optimizer, *schedule ? ", schedule=" : "", schedule);
    return script_read("s.spor", text, NULL, NULL);
}

static bool factor_at(spor_script *script, int64_t epoch, int64_t step, double *factor) {
    const spor_moment moment = {epoch, step, EPOCHS, STEPS, NULL};
    return script_factor(script, &moment, factor);
}

/* ---- the formulas ---- */

static const double pi = 3.14159265358979323846;

/* t: epochs that are done, of n; step k of STEPS. */
static double by_stepwise(int t, int k) {
    (void)k;
    return pow(0.5, floor(t / 3.0));
}
static double by_tenths(int t, int k) {
    (void)k;
    return t < 8 ? 1 : t < 16 ? 0.1 : 0.1 * 0.1;
}
static double by_linear(int t, int k) {
    return 1 + (t + (double)k / STEPS) * (0.25 - 1) / EPOCHS;
}
static double by_cosine(int t, int k) {
    return 0.125 + 0.875 * pow(cos(pi / 2 * (t + (double)k / STEPS) / EPOCHS), 2);
}
static double by_warm_up(int t, int k) {
    return fmin(1, (1.0 + k + t * STEPS) / (4 * STEPS));
}
static double by_both(int t, int k) {
    double part = (t - 4 + (double)k / STEPS) / (EPOCHS - 4);
    return t < 4 ? by_warm_up(t, k) : pow(cos(pi / 2 * part), 2);
}
static double by_none(int t, int k) {
    (void)t, (void)k;
    return 1;
}

static const struct {
    const char *call;
    double (*factor)(int t, int k);
} table[] = {{"stepwise(every=3, factor=0.5)", by_stepwise},
             {"stepwise(8)", by_tenths},
             {"linear(least=0.25)", by_linear},
             {"cosine(least=0.125)", by_cosine},
             {"warm_up(over=4)", by_warm_up},
             {"warm_up_cosine(over=4)", by_both},
             {"", by_none}};
enum { CALLS = sizeof table / sizeof *table };

START_TEST(factors_are_those_by_hand) {
    spor_script *script = with("", table[_i].call, "sgd(rate=1)");
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    for (int t = 0; t < EPOCHS; t++)
        for (int k = 0; k < STEPS; k++) {
            double factor;
            ck_assert(factor_at(script, t, k, &factor));
            ck_assert_double_eq_tol(factor, table[_i].factor(t, k), 1e-14);
        }
    const char *said = script_declaration(script)->schedule;
    ck_assert(*table[_i].call ? !strncmp(said, table[_i].call, 6) : !said);
    script_free(script);
}
END_TEST

/* A script's own comes first, and may be any number that is not negative. */
START_TEST(a_script_has_schedules_of_its_own) {
    spor_script *script = with("def cosine(epoch, step, epochs, steps, a, b=3):\n"
                               "    return a * epoch + b * step if epoch < epochs - steps else 0\n",
                               "cosine(a=100)", "sgd(rate=1)");
    double factor;
    ck_assert(factor_at(script, 5, 2, &factor) && factor == 506);
    ck_assert(factor_at(script, 13, 2, &factor) && factor == 0);
    script_free(script);
}
END_TEST

/* Each loss, and what the factor is behind it: by hand. */
START_TEST(a_plateau_is_waited_for) {
    static const double losses[] = {5, 4, 4, 4, 3, 3.5, 3, (double)NAN, 2, HUGE_VAL, 2, 2, 2, 2, 2};
    static const double two[] = {1, 1, 1, .5, .5, .5, .25, .25, .25, .25, .125, .125, .1, .1, .1};
    spor_script *script = with("", "plateau(wait=2, factor=0.5, least=0.1)", "sgd(rate=1)");
    double factor;
    ck_assert(script_declaration(script)->adapts);
    for (int64_t n = 0; n <= 15; n++) {
        const spor_moment moment = {n, 3, EPOCHS, STEPS, losses};
        ck_assert_msg(script_factor(script, &moment, &factor), "%s", script_error(script));
        ck_assert_double_eq_tol(factor, n ? two[n - 1] : 1, 1e-15);
    }
    script_free(script);
    script = with("def mine(losses, a): return a * len(losses)\n", "mine(2)", "sgd(rate=1)");
    ck_assert(script_factor(script, &(spor_moment){3, 0, EPOCHS, STEPS, losses}, &factor));
    ck_assert(factor == 6);
    script_free(script);
}
END_TEST

static void check_refused(const char *defs, const char *schedule, const char *why) {
    spor_script *script = with(defs, schedule, "sgd(rate=1)");
    double factor;
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    ck_assert(!factor_at(script, 5, 2, &factor));
    ck_assert_msg(script_error(script) && strstr(script_error(script), why), "\"%s\" lacks \"%s\"",
                  script_error(script), why);
    script_free(script);
}

START_TEST(what_is_no_factor_is_told) {
    static const char mine[] = "def mine(epoch, step, epochs, steps, x): return ";
    char text[256];
    static const char *const results[][2] = {
        {"-x\n",
         "mine must return a factor of the rate, a number that is not negative, but returns "
         "the integer -1 in epoch 5, step 2, both counted from 0"},
        {"\"0.1\"\n", "but returns the string \"0.1\""},
        {"1 / (epoch - 5)\n", "s.spor:1:51: division by zero"},
        {"zeros([2])\n", "tensors are made inside a def"}};
    for (int k = 0; k < 4; k++) {
        snprintf(text, sizeof text, "%s%s", mine, results[k][0]);
        check_refused(text, "mine(1)", results[k][1]);
    }
    check_refused("", "warm_up_cosine(20)", "over must be less than the 20 epochs");
    check_refused("", "stepwise(0)", "every must be at least 1");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("schedules");
    TCase *tests = tcase_create("schedules");
    tcase_add_loop_test(tests, factors_are_those_by_hand, 0, CALLS);
    tcase_add_test(tests, a_script_has_schedules_of_its_own);
    tcase_add_test(tests, a_plateau_is_waited_for);
    tcase_add_test(tests, what_is_no_factor_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
