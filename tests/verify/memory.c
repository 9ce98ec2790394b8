/*
 * Memory that runs out while statements are verified: each allocation is made to fail once, and all
 * from there on. No crash, and no verdict but the one that memory enough gives.
 */
#include "../script/support.h"
#include "../suite.h"
#include "../support/failing.h"

#include <spor/verify.h>
#include <stdlib.h>
#include <string.h>

static const char *const scripts[] = {
    /* right, with a kink, ties and a function */
    "def f(A[N, n], W[n, m]) where N == 2:\n    return relu(tanh(A) @ W)\n"
    "derive f (A, W, n in 1..2, m in 2..2) -> (Y, dY):\n"
    "    d = (1 - step(-(tanh(A) @ W))) * dY\n    T = tanh(A)\n"
    "    dA = (1 - T * T) * (d @ transpose(W))\n    dW = transpose(T) @ d\n",
    /* wrong: made small, described, named */
    "def f(A[N, n], W[n, m]) where N == 2:\n    return A @ W\n"
    "derive f (A, W, n in 1..2, m in 2..2) -> (Y, dY):\n"
    "    dA = 2 * (dY @ transpose(W))\n    dW = transpose(A) @ dY\n",
    /* no number at 0, and an operand that is narrowed */
    "def f(p[n]) where n <= 2:\n    return sum(log(p) + log(1 - p))\n"
    "derive f (p, n in 1..2) -> (y, dy):\n    dp = dy * p / p * (1 / p - 1 / (1 - p))\n",
    "def f(x[n]) where n <= 2:\n    return x * x\n"
    "derive f (x, n in 1..2) -> (y, dy):\n    dx = 2 * dy * y / x\n",
    /* sums over indices, where both sides need not be defined */
    "claim \"c\" (x[n, m], v[m], n in 1..2, m in 1..2):\n    (x @ v)[i] == sum(x[i, j] * v[j] for "
    "j)\n",
    "claim \"c\" (x[n], n in 1..2):\n    pad(x, -1)[i] == pad(x, -1)[i]\n",
    /* does not record */
    "def f(x[n, m]) where n <= 2:\n    return sum(x, axis=0)\n"
    "derive f (x, n in 1..2, m in 3..3) -> (y, dy):\n    dx = dy\n",
};

enum { SCRIPTS = (int)(sizeof scripts / sizeof *scripts) };

/* What came of it: memory ran out, or a verdict. */
typedef struct {
    bool done;
    spor_verdict verdict;
} result;

static void run(const char *text, result *r) {
    r->done = false;
    spor_script *script = script_read("s.spor", text, NULL, &claims_dialect);
    if (script && !script_error(script))
        r->done = spor_verify(claims_at(script, 0)->statement,
                              &(spor_effort){.seed = 1, .shapes = 2}, &r->verdict);
    script_free(script);
}

static long run_failing(const char *text, long at, bool for_good, result *r) {
    failing_begin(at, for_good);
    run(text, r);
    return failing_end();
}

static void check(const char *text, long at, bool for_good, const result *usual) {
    static result r;
    run_failing(text, at, for_good, &r);
    if (!r.done) return;
    const spor_verdict *a = &r.verdict, *b = &usual->verdict;
    bool same = a->outcome == b->outcome && a->shapes == b->shapes &&
                a->comparisons == b->comparisons && a->undecided == b->undecided &&
                a->ties == b->ties && a->proved == b->proved && a->undefined == b->undefined &&
                !memcmp(a->asked, b->asked, sizeof a->asked) && !strcmp(a->sizes, b->sizes) &&
                !strcmp(a->reservation, b->reservation) && a->example.wrong == b->example.wrong &&
                !strcmp(a->example.message, b->example.message) &&
                !strcmp(a->example.pattern, b->example.pattern);
    ck_assert_msg(same, "allocation %ld fails %s:\n%soutcome %d for %d\n%s\n%s", at,
                  for_good ? "and all after it" : "once", text, (int)a->outcome, (int)b->outcome,
                  a->example.message, a->example.pattern);
}

START_TEST(no_memory_is_no_verdict) {
    static result usual;
    const char *text = scripts[_i];
    if (!failing_can) {
        puts("memory: no allocation can be made to fail here: not looked at");
        return;
    }
    long count = run_failing(text, 0, false, &usual);
    ck_assert(usual.done);
    ck_assert_int_gt(count, 20);
    /* all of the first, then some of what is the same again */
    long dense = count < 1500 ? count : 1500;
    for (long at = 1; at <= count; at += at < dense ? 1 : 1 + (count - dense) / 300) {
        check(text, at, false, &usual);
        check(text, at, true, &usual);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("memory");
    TCase *tests = tcase_create("memory");
    tcase_add_loop_test(tests, no_memory_is_no_verdict, 0, SCRIPTS);
    suite_add_tcase(suite, tests);
    return suite;
}
