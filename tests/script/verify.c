/* Derivations and claims: right ones hold, wrong ones fail at the line that is wrong. */
#include "../suite.h"
#include "support.h"

#include <spor/verify.h>
#include <stdlib.h>
#include <string.h>

#include "script/lexer.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

static spor_script *load(const char *text) {
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    return script;
}

static void verify(const spor_script_claim *claim, spor_verdict *verdict) {
    ck_assert(spor_verify(claim->statement, &(spor_effort){.seed = 1, .shapes = 100}, verdict));
}

static void show_unless(bool fine, const spor_script_claim *claim, const spor_verdict *verdict) {
    if (!fine) spor_verdict_print(claim->statement, verdict, stderr);
    if (!fine && *claim->refusal) fprintf(stderr, "%s\n", claim->refusal);
}

/* Each claim of the script holds, or fails if it says so. */
static void check_all(const spor_script *script) {
    for (int k = 0; k < claims_count(script); k++) {
        const spor_script_claim *claim = claims_at(script, k);
        spor_verdict verdict;
        verify(claim, &verdict);
        spor_outcome wanted = claim->fails ? SPOR_FAILS : SPOR_HOLDS;
        show_unless(verdict.outcome == wanted, claim, &verdict);
        ck_assert_int_eq(verdict.outcome, wanted);
        ck_assert_int_gt(verdict.nonzero, 0);
        if (claim->def && !claim->fails) ck_assert_int_gt(verdict.asked[SPOR_BY_COMPLEX_STEP], 0);
    }
}

/* ---- what rounding decides ------------------------------------------------------------------- */

/* x / 3 + y - x / 3 - y is 0 to rounding, so that step of it may be computed as 1. */
START_TEST(a_comparison_within_rounding_accuses_nobody) {
    spor_verdict verdict;
    spor_script *script = load("claim \"a\" (x[n], y[n]):\n"
                               "    step((x / 3 + y) - x / 3 - y) == 0 * x\n");
    verify(claims_at(script, 0), &verdict);
    show_unless(verdict.outcome != SPOR_FAILS, claims_at(script, 0), &verdict);
    ck_assert_int_ne(verdict.outcome, SPOR_FAILS);
    ck_assert_int_gt(verdict.undecided, 0);
    script_free(script);
}
END_TEST

/* Where m is 0 nothing is let through; a shift of 1e30 is far beyond any rounding. */
#define MASKED                                                                                     \
    "def masked(x[N, C], m[N, C]):\n    return softmax(x + (m - 1) * 1e30)\n"                      \
    "def s(x):\n    return reshape(sum(x, axis=1), [shape(x)[0], 1])\n"

/* A mask of 1e30 leaves no digit of what it hides: undecided, and the rest is judged. */
START_TEST(large_masks_hide_what_they_hide_and_no_more) {
    spor_verdict right, wrong;
    spor_script *script = load(MASKED "derive masked \"right\" (x, m) -> (y, dy):\n"
                                      "    dx = y * (dy - s(dy * y))\n    dm = none\n"
                                      "derive masked \"sum left out\" (x, m) -> (y, dy):\n"
                                      "    dx = y * dy\n    dm = none\n");
    verify(claims_at(script, 0), &right);
    verify(claims_at(script, 1), &wrong);
    show_unless(right.outcome == SPOR_HOLDS, claims_at(script, 0), &right);
    ck_assert_int_eq(right.outcome, SPOR_HOLDS);
    ck_assert_int_gt(right.undecided, 0);
    ck_assert_int_eq(wrong.outcome, SPOR_FAILS);
    script_free(script);
}
END_TEST

/* A mask does not narrow what is tried: 0 and negative numbers are. */
START_TEST(both_sides_of_a_mask_are_tried) {
    static const char *const sides[] = {"where(A, A, B) == A",
                                        "where(less(A, 0), softplus(A), B) == B",
                                        "where(less(A, B), A, B) == minimum(A, B)"};
    for (int k = 0; k < LENGTH(sides); k++) {
        char text[200];
        spor_verdict verdict;
        snprintf(text, sizeof text, "claim \"a\" (A[n], B[n]):\n    %s\n", sides[k]);
        spor_script *script = load(text);
        verify(claims_at(script, 0), &verdict);
        ck_assert_msg(verdict.outcome == (k < 2 ? SPOR_FAILS : SPOR_HOLDS), "%s", sides[k]);
        script_free(script);
    }
}
END_TEST

/* ---- literals -------------------------------------------------------------------------------- */

static double written(const char *text) {
    double r = strtod(text, NULL);
    return literal_error(text, strlen(text), r);
}

/* A literal that is its double is exact, however it is written; any other one is off by an ulp. */
START_TEST(a_literal_is_its_double_or_an_ulp_beside) {
    static const char *const exact[] = {
        "0.0",
        "3.0",
        "0.5",
        "00.2500",
        ".25",
        "100.0e-2",
        "1e20",
        "1e22",
        "5E+3",
        "9007199254740992.0",
        "9007199254740994.0",
        "18446744073709551616.0",
        "1180591620717411303424.",
        "1.1920928955078125e-07",                         /* 2^-23 */
        "9.31322574615478515625e-10",                     /* 2^-30 */
        "8.67361737988403547205962240695953369140625e-19" /* 2^-60 */
    };
    static const struct {
        const char *text;
        double error;
    } beside[] = {{"0.1", 0x1p-56},
                  {"0.30", 0x1p-54},
                  {"0.125000000000000000000000001", 0x1p-55},
                  {"1e23", 0x1p24},
                  {"1e30", 0x1p47},
                  {"9007199254740993.0", 2},
                  {"1180591620717411303425.0", 0x1p18},
                  {"8.67361737988403547205962240695953369140624e-19", 0x1p-112},
                  {"1.7976931348623157e308", 0x1p971},
                  {"1e-310", 0x1p-1074},
                  {"5e-324", 0x1p-1074},
                  {"1e-400", 0x1p-1074}};
    for (int k = 0; k < LENGTH(exact); k++)
        ck_assert_msg(written(exact[k]) == 0, "%s: %g", exact[k], written(exact[k]));
    for (int k = 0; k < LENGTH(beside); k++)
        ck_assert_msg(written(beside[k].text) == beside[k].error, "%s: %g", beside[k].text,
                      written(beside[k].text));
}
END_TEST

/* Constants as people write them: the second line of each is right of the numbers that are meant,
 * and the third is not. */
static const struct {
    const char *def, *right, *wrong;
} constants[] = {
    {"0.1 * x * x * x", "0.3 * x * x", "0.31 * x * x"},
    {"0.1 * x * x * x", "0.3 * x * x", "0.3000000000003 * x * x"},
    {"0.1 * x * x * x", "3 * 0.1 * x * x", "(3 * 0.1 + 0.0000000000003) * x * x"},
    {"0.7 * (0.3 * x)", "0.21", "0.21000000000001"},
    {"0.1 * x", "1 - 0.9", "1 - 0.9000000000001"},
    {"0.1 * x", "sqrt(0.01)", "sqrt(0.010000000001)"},
    {"0.1 * x", "max(0.1, -0.3)", "max(0.100000000001, 0.1)"},
    {"0.1 * x", "min([0.1, 0.3, 3])", "min(0.0999999999999, 0.1)"},
    {"0.3 * x", "sum([0.1, 0.2])", "sum([0.1, 0.2000000000001])"},
    {"-0.3 * x", "-(0.1 + 0.2)", "-(0.1 + 0.20000000000003)"},
    {"x / 10", "0.1", "0.1000000000001"},
    {"x * (1 / 3)", "1 - 2 / 3", "1 - 2 / 3.000000000001"},
    {"exp(0.3) * x", "exp(0.1) * exp(0.1) * exp(0.1)", "exp(0.1) * exp(0.1) * exp(0.1000000001)"},
    {"full(shape(x), 0.3) * x", "full(shape(x), 0.1) * 3", "full(shape(x), 0.10000000001) * 3"},
    {"pad(x, 1, value=0.3)[0] * x", "pad(0 * y, 1, value=0.1)[0] * 3",
     "pad(0 * y, 1, value=0.10000000001)[0] * 3"},
    {"(1 - 0.9) * x", "pad(y, 1, value=0.1)[0]", "pad(y, 1, value=0.1000000000001)[0]"},
    {"0.1 * x", "pad(y, 1, value=1 - 0.9)[0]", "pad(y, 1, value=1 - 0.9000000000001)[0]"},
    {"constant(0.3) * x", "constant(0.1) * 3", "constant(0.100000000001) * 3"},
    {"constant(0.3) * x", "3 * constant(1 - 0.9)", "3 * constant(1 - 0.900000000001)"},
    {"leaky_relu(x, 0.1)", "step(x) + (1 - 0.9) * (1 - step(x))",
     "step(x) + (1 - 0.90000000001) * (1 - step(x))"},
    {"leaky_relu(x, 1 - 0.9)", "step(x) + 0.1 * (1 - step(x))",
     "step(x) + 0.10000000001 * (1 - step(x))"},
    {"relu(x) + 0.1 * x", "1.1 * step(x) + 0.1 * (1 - step(x))",
     "1.1 * step(x) + 0.10000000001 * (1 - step(x))"},
    {"exp(-0.5 * x * x) * 0.3989422804014327", "-x * y", "-x * y * 1.000000000001"},
    {"0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)))",
     "0.5 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))) + 0.5 * x * (1 - "
     "tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)) * tanh(0.7978845608028654 * (x + "
     "0.044715 * x * x * x))) * 0.7978845608028654 * (1 + 0.134145 * x * x)",
     "0.5 * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))) + 0.5 * x * (1 - "
     "tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)) * tanh(0.7978845608028654 * (x + "
     "0.044715 * x * x * x))) * 0.7978845608028654 * (1 + 0.13414500001 * x * x)"},
};

START_TEST(constants_are_the_numbers_meant) {
    char text[2048];
    snprintf(text, sizeof text,
             "def f(x[N]):\n    return %s\n"
             "derive f \"right\" (x) -> (y, dy):\n    dx = dy * (%s)\n"
             "derive f \"wrong\" (x) -> (y, dy) fails:\n    dx = dy * (%s)\n",
             constants[_i].def, constants[_i].right, constants[_i].wrong);
    spor_script *script = load(text);
    check_all(script);
    script_free(script);
}
END_TEST

/* What is written in halves and quarters is still judged bit for bit. */
START_TEST(exact_literals_leave_no_room) {
    spor_script *script = load("def f(x[N]):\n    return 0.25 * x * x - 1.5 * x + 1e20\n"
                               "derive f (x) -> (y, dy):\n    dx = (0.5 * x - 1.5) * dy\n"
                               "derive f \"an ulp\" (x) -> (y, dy) fails:\n"
                               "    dx = (0.5 * x - (1.5 + 1 / 4503599627370496)) * dy\n"
                               "claim \"numbers\" (n in 1..8):\n    0.5 * n == n / 2\n"
                               "    max(0.5, n) - min(0.5, n) == n - sqrt(0.25)\n"
                               "    1e22 - 1e22 + abs(-0.75) == 0.75\n");
    spor_verdict verdict;
    check_all(script);
    verify(claims_at(script, 2), &verdict);
    ck_assert_int_eq(verdict.exact, verdict.comparisons);
    script_free(script);
}
END_TEST

/* A choice between numbers that may be either is as good as the worse of them. */
START_TEST(a_choice_within_rounding_accuses_nobody) {
    spor_script *script = load("claim \"a\" (x[N]):\n"
                               "    max(3 * 0.1, 0.3) * x == 0.3 * x\n"
                               "    min(3 * 0.1, 0.3) * x == 3 * 0.1 * x\n"
                               "    step(3 * 0.1 - 0.3) * x == 0 * x\n"
                               "    x / (3 * 0.1 - 0.3) == x\n"
                               "    (max(0.25, 0.25 + 1e-17) - 0.25) * x == 1e-17 * x\n");
    spor_verdict verdict;
    verify(claims_at(script, 0), &verdict);
    show_unless(verdict.outcome != SPOR_FAILS, claims_at(script, 0), &verdict);
    ck_assert_int_eq(verdict.outcome != SPOR_FAILS, true);
    for (int k = 0; k < 5; k++)
        ck_assert_int_eq(verdict.compared[k] > 0, k != 3); /* that may be anything */
    script_free(script);
}
END_TEST

/* ---- what holds ------------------------------------------------------------------------------ */

#define DENSE "def layer(A[N, n], W[n, m], b[m]):\n    Z = A @ W + b\n    return tanh(Z)\n"
#define CORR "def corr(A[H, W], K[k, l]) where k <= H and l <= W:\n    return correlate2d(A, K)\n"
#define NORM                                                                                       \
    "def norm(x[N, C]):\n    m = mean(x, axis=0)\n"                                                \
    "    return (x - m) / sqrt(mean((x - m) * (x - m), axis=0) + 0.1)\n"                           \
    "derive norm (x) -> (y, dy):\n    m = mean(x, axis=0)\n"                                       \
    "    s = 1 / sqrt(mean((x - m) * (x - m), axis=0) + 0.1)\n"

static const char *const holding[] = {
    "claim \"a\" (q[b, n, d], k[b, m, d], b in 1..3, n in 1..3, m in 1..3, d in 1..3):\n"
    "    einsum(\"bqd,bkd->bqk\", q, k)[h, i, j] == sum(q[h, i, r] * k[h, j, r] for r)\n"
    "    einsum(\"bqd,bkd->dk\", q, k)[r, j] == sum(q[h, i, r] * k[h, j, r] for h, i)\n"
    "    einsum(\"...q,...k->...kq\", transpose(q), transpose(k[:, :1]))[r, i, h, g] == "
    "q[g, i, r] * k[h, 0, r]\n",
    "claim \"a\" (x[n, n, m], y[n]):\n"
    "    einsum(\"iij->ji\", x)[j, i] == x[i, i, j]\n"
    "    einsum(\"iij,i->j\", x, y)[j] == sum(x[i, i, j] * y[i] for i)\n",
    "def mix(A[N, n], B[n, m], C[N, m]):\n    return einsum(\"ij,jk,ik->j\", A, B, C)\n"
    "derive mix (A, B, C) -> (y, dy):\n"
    "    dA = einsum(\"j,jk,ik->ij\", dy, B, C)\n    dB = einsum(\"j,ij,ik->jk\", dy, A, C)\n"
    "    dC = einsum(\"j,ij,jk->ik\", dy, A, B)\n",
    CORR "derive corr \"Eqs. 9, 19\" (A, K) -> (Z, delta):\n"
         "    dA = convolve2d(pad(delta, [k - 1, l - 1]), K)\n"
         "    dK = correlate2d(A, delta)\n",
    "include \"layers.spor\"\n"
    "derive conv_layer \"Eqs. 42-45\" (A, K, b, stride in 1..1, act in [identity, tanh, relu],\n"
    "        H in 1..4, W in 1..4, k in 1..3, l in 1..3) -> (Y, dY) where k <= H and l <= W:\n"
    "    delta = derivative(act, correlate2d(A, K) + b) * dY\n"
    "    dA = convolve2d(pad(delta, [k - 1, l - 1]), transpose(K, [0, 1, 3, 2]))\n"
    "    x = transpose(A, [3, 1, 2, 0])\n"
    "    dK = transpose(correlate2d(x, transpose(delta, [1, 2, 0, 3])), [1, 2, 0, 3])\n"
    "    db = sum(delta, axis=[0, 1, 2])\n",
    NORM "    dx = s / N * (N * dy - sum(dy, axis=0) - y * sum(dy * y, axis=0))\n",
    "claim \"Eq. 73\" (x[N, H, W, C], K[k, l, C, F], S in 1..3) where k <= H and l <= W:\n"
    "    correlate2d(x, K, S)[n, i, j, f] == "
    "sum(K[u, v, c, f] * x[n, i * S + u, j * S + v, c] for u, v, c)\n",
    /* a scale with a default, names that shadow, several lines */
    "def f(x[n], scale=3):\n    return scale * x\n"
    "derive f (x) -> (y, dy):\n    dx = scale * dy\n",
    /* numbers, conditions, lists, strings; bounds that depend on each other */
    "claim \"a\" (n in 1..6, m in n..2 * n, word in [\"a\", \"b\"]):\n"
    "    k = m - n\n    k + n == m\n    k >= 0 and k <= n\n    [n, m] == [n, k + n]\n"
    "    n / 2 == 0.5 * n\n",
    /* sums inside sums, lists that depend on an outer index, an index that stands on the right */
    "claim \"a\" (x[n]):\n"
    "    y = x * x\n    sum(x * x) == sum(y[i] for i)\n"
    "    sum(x[i] * sum(x[j] for j in range(i)) for i) == sum(x[j] * x[i] for i for j in "
    "range(i))\n"
    "    y[i] == x[i] * x[i]\n    2 * y[i] == x[i] * (x[i] + x[i])\n    x[n - 1 - i] == "
    "flip(x, 0)[i]\n",
    "claim \"a\" (x[n, m], v[m]):\n    (x @ v)[i] == sum(x[i, j] * v[j] for j)\n"
    "    transpose(x)[j, i] == x[i, j]\n"
    "    x[i, j] == (x[i, j] + 0 * x[i, j - 1] if j > 0 else x[i, 0])\n",
    "claim \"a\" (x[n, m]):\n    y = tanh(x)\n    dy = any_like(y)\n"
    "    (1 - y * y) * dy == vjp(y, dy, x)\n    2 * x == grad(sum(x * x), x)\n"
    "    1 - y * y == derivative(tanh, x)\n",
};

START_TEST(what_is_right_holds) {
    spor_script *script = load(holding[_i]);
    ck_assert_int_ge(claims_count(script), 1);
    check_all(script);
    script_free(script);
}
END_TEST

/* ---- what fails ------------------------------------------------------------------------------ */

static const struct {
    const char *text, *pair, *note; /* pair: what is named; NULL: it does not record */
    const char *says;               /* a part of the pattern or of the message */
} failing[] = {
    {DENSE "derive layer (A, W, b) -> (Y, dY):\n    delta = (1 - Y * Y) * dY\n"
           "    dA = delta @ transpose(W)\n    dW = transpose(A) @ delta\n"
           "    db = sum(delta, axis=\"m\")            # (49)\n",
     NULL, NULL, "db is [N=1] but must be [m=2]"},
    {DENSE "derive layer (A, W, b) -> (Y, dY):\n    dZ = (1 - Y) * dY   # (46), as printed\n"
           "    dA = dZ @ transpose(W)\n    dW = transpose(A) @ dZ\n    db = sum(dZ, axis=0)\n",
     "dZ", "(46), s.spor:5", ""},
    {DENSE "derive layer (A, W, b) -> (Y, dY):\n    dZ = (1 - Y * Y) * dY\n"
           "    dA = dZ @ transpose(W)\n    dW = -(transpose(A) @ dZ)\n    db = sum(dZ, axis=0)\n",
     "dW", "s.spor:7", "the sign is wrong"},
    {DENSE "derive layer (A, W, b) -> (Y, dY):\n    dZ = (1 - Y * Y) * dY\n"
           "    dA = dZ @ W\n    dW = transpose(A) @ dZ\n    db = sum(dZ, axis=0)\n",
     NULL, NULL, "s.spor:6:13: @: [N=1, m=2] has 2 columns but [n=1, m=2] has 1 rows"},
    {CORR "derive corr (A, K) -> (Z, delta):\n    dK = correlate2d(A, delta)\n"
          "    dA = correlate2d(pad(delta, [k - 1, l - 1]), K)\n",
     "dA", "s.spor:5", "rotated by 180 degrees"},
    {NORM "    dx = s / N * (N * dy - sum(dy, axis=0))\n", "dx", "s.spor:7", ""},
    {"def f(x[n]):\n    return x * x\nderive f (x) -> (y, dy):\n    dx = 2\n", "dx", "s.spor:4",
     ""},
    {"def f(x[n]):\n    return x * x\nderive f (x) -> (y, dy):\n    dx = \"x\"\n", NULL, NULL,
     "dx must be a tensor but is the string \"x\""},
    {"def f(x[n]):\n    return x * x\nderive f (x) -> (y, dy):\n    dx = vjp(y, dy, x)\n", NULL,
     NULL, "a derivation is written by hand"},
    {"claim \"a\" (W in 1..12, w in 1..W, S in 1..12):\n"
     "    W - w - ((W - w) // S) == (W - w) % S   # (84)\n",
     "W - w - ((W - w) // S)", "(84), s.spor:2", ""},
    {"claim \"a\" (A[H, W], K[k, l]) where k <= H and l <= W:\n"
     "    correlate2d(A, K) == convolve2d(A, K)\n",
     "correlate2d(A, K)", "s.spor:2", ""},
    {"claim \"a\" (A[H, W], K[k, l]) where k <= H and l <= W:\n"
     "    correlate2d(A, K)[i, j] == sum(K[u, v] * A[i + v, j + u] for u, v)\n",
     NULL, NULL, "this reads index 1 of axis 0, which has 1 element (i=0, v=1)"},
    {"claim \"a\" (A[H, W], K[k, l]) where k == 2 and l == 2 and H > 2 and W > 2:\n"
     "    correlate2d(A, K)[i, j] == sum(K[u, v] * A[i + v, j + u] for u, v)\n",
     "correlate2d(A, K)", "s.spor:2", ""},
    {"claim \"a\" (A[H, W], K[k, l]):\n"
     "    correlate2d(A, K)[i, j] == sum(K[u, v] * A[i, j] for u, v)\n",
     NULL, NULL, "left side: s.spor:2:5: correlate2d: the kernel, 1 x 2, is larger"},
    {"claim \"a\" (A[H, W], K[k, l]):\n    0 * sum(A) == 0 * sum(correlate2d(A, K))\n", NULL, NULL,
     "right side: s.spor:2:27: correlate2d: the kernel, 1 x 2, is larger"},
    {"claim \"a\" (n in 1..5):\n    n < 5\n", "condition", "s.spor:2", ""},
    {"claim \"a\" (n in 0..5):\n    7 // n == 7 // (n + 0) + n * 0 + (n // 5)\n", "7 // n",
     "s.spor:2", ""},
    {"claim \"a\" (n in 0..5):\n    n == 7 // n\n", NULL, NULL,
     "right side: s.spor:2:12: division by zero"},
    {"claim \"a\" (x[n]):\n    x[i] == x[k]\n", "x", "s.spor:2", ""},
    {"claim \"a\" (x[n]):\n    x[i] == x[i - n]\n", NULL, NULL,
     "this reads index -1 of axis 0, which has 1 element (i=0)"},
    {"claim \"a\" (x[n, n]):\n    x[i, j] == x[j, i]\n", "x", "s.spor:2", "transposed"},
    {"claim \"a\" (x[n]):\n    x[0] == x[i + j]\n", NULL, NULL,
     "nothing is called i; as an index it would have to stand alone in an axis"},
    {"claim \"a\" (x[n]):\n    x[0] == sum(x[2 * i] for i)\n", NULL, NULL,
     "i stands alone in no axis, so nothing says what it runs over: for i in range(n)"},
    {"claim \"a\" (x[n], y[m]):\n    0 * sum(x) == 0 * sum(x[i] * y[i] for i)\n", NULL, NULL,
     "i stands alone in axes of 1 and of 2 elements"},
    {"claim \"a\" (x[n, m]):\n    x[i] == x[i, 0]\n", NULL, NULL,
     "with indices both sides are single numbers, not a tensor"},
    {"claim \"a\" (x[n]):\n    x == \"x\"\n", NULL, NULL,
     "an equality is of tensors and numbers, not of the string \"x\""},
    {"claim \"a\" (x[n]):\n    2 * x == grad(x * x, x)\n", NULL, NULL,
     "grad: a cost is a single number, not a tensor [1]; sum it"},
    {"claim \"a\" (x[n]):\n    x == derivative(sum, x)\n", NULL, NULL,
     "derivative: f must be elementwise, but of a tensor [1] it makes a tensor []"},
    {"claim \"a\" (x[n]):\n    sum(x)\n    x == x\n", NULL, NULL,
     "a line of a claim is left == right or a condition"},
    {"claim \"a\" (x[n]) where n:\n    x == 2 * x\n", NULL, NULL,
     "a condition must be True or False, not the integer 1"},
};

START_TEST(what_is_wrong_fails_at_its_line) {
    spor_script *script = load(failing[_i].text);
    const spor_script_claim *claim = claims_at(script, 0);
    spor_verdict verdict;
    verify(claim, &verdict);
    const spor_counterexample *e = &verdict.example;
    const char *says = failing[_i].pair ? e->pattern : e->message;
    bool fine = verdict.outcome == SPOR_FAILS && strstr(says, failing[_i].says) &&
                (e->dispute == SPOR_DOES_NOT_RECORD) == !failing[_i].pair;
    show_unless(fine, claim, &verdict);
    ck_assert_msg(fine, "%s\n%s", failing[_i].text, e->message);
    if (failing[_i].pair) {
        ck_assert_str_eq(e->pair_name, failing[_i].pair);
        ck_assert_str_eq(e->pair_note, failing[_i].note);
    }
    script_free(script);
}
END_TEST

/* ---- neither --------------------------------------------------------------------------------- */

/* What is open is named; what is not open is checked. */
START_TEST(open_lines_are_named) {
    spor_script *script =
        load(DENSE "derive layer \"a\" (A, W, b) -> (Y, dY):\n    delta = ...\n"
                   "    dA = delta @ transpose(W)\n    dW = none\n"
                   "    db = sum((1 - Y * Y) * dY, axis=0)\n"
                   "derive layer \"b\" (A, W, b) -> (Y, dY):\n    dA = Y\n    ...\n"
                   "trust derive layer \"c\" (A, W, b) -> (Y, dY):\n    dA = ...\n    dW = ...\n"
                   "    db = ...\n"
                   "claim \"d\" (x[n]):\n    ...\n");
    spor_verdict verdict;
    ck_assert_int_eq(claims_count(script), 4);
    const spor_script_claim *a = claims_at(script, 0), *b = claims_at(script, 1),
                            *c = claims_at(script, 2), *d = claims_at(script, 3);
    ck_assert(a->unproved && b->unproved && c->unproved && d->unproved && c->trusted);
    ck_assert(!a->trusted && !a->fails);
    ck_assert_str_eq(a->unproved_what, "delta, dA");
    ck_assert_str_eq(c->unproved_what, "dA, dW, db");
    ck_assert_str_eq(a->def, "layer");
    ck_assert_ptr_null(d->def);
    ck_assert_int_eq(b->line, 9);
    verify(a, &verdict);
    ck_assert_int_eq(verdict.outcome, SPOR_HOLDS);
    verify(b, &verdict); /* dA is wrong */
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    verify(c, &verdict);
    ck_assert_int_eq(verdict.outcome, SPOR_NOTHING_EXAMINED);
    ck_assert_ptr_null(claims_at(script, 4));
    script_free(script);
}
END_TEST

/* Where both sides do not exist there is nothing to say; the reason is kept. */
START_TEST(undefined_is_no_failure) {
    spor_script *script = load("claim \"a\" (A[H, W], K[k, l]):\n"
                               "    correlate2d(A, rot180(K)) == convolve2d(A, K)\n"
                               "claim \"b\" (n in 0..3):\n    6 // n == 6 // n\n"
                               "claim \"c\" (n in 0..3):\n    fail(\"never\") == n // 0\n"
                               "claim \"d\" (A[H, W], K[k, l]):\n    Z = correlate2d(A, K)\n"
                               "    Z == Z\n"
                               "claim \"e\" (x[n, m, k, l, h], n in 7..9, m in 7..9, k in 7..9, "
                               "l in 7..9, h in 7..9):\n    2 * sum(x) == sum(2 * x[i, j, u, v, w] "
                               "for i, j, u, v, w)\n");
    spor_verdict verdict;
    for (int k = 0; k < 5; k++) {
        const spor_script_claim *claim = claims_at(script, k);
        verify(claim, &verdict);
        bool none = k == 2 || k == 4;
        show_unless(verdict.outcome == (none ? SPOR_NOTHING_EXAMINED : SPOR_HOLDS), claim,
                    &verdict);
        ck_assert_int_eq(verdict.outcome, none ? SPOR_NOTHING_EXAMINED : SPOR_HOLDS);
        ck_assert_int_eq(verdict.undefined > 0, k < 4);
        if (k == 1) ck_assert_int_eq(verdict.undefined, 1);
        if (k == 1) ck_assert_ptr_nonnull(strstr(claim->refusal, "division by zero"));
        if (k == 4) ck_assert_ptr_nonnull(strstr(claim->refusal, "more than 4096 terms"));
    }
    script_free(script);
}
END_TEST

/* Choices, ranges and where decide what is examined. */
START_TEST(quantities_are_as_said) {
    spor_script *script =
        load("def f(x[n], y[m, n], act, s):\n    return s * act(y + x)\n"
             "derive f (x, y, act in [tanh, relu], s in 2..3, n in 2..3) -> (z, dz) where m > s:\n"
             "    dy = s * derivative(act, x + y) * dz\n    dx = sum(dy, axis=\"m\")\n");
    const spor_statement *s = claims_at(script, 0)->statement;
    spor_verdict verdict;
    ck_assert_str_eq(s->name, "f");
    ck_assert_int_eq(s->quantities, 4);
    ck_assert_str_eq(s->quantity[0].name, "n");
    ck_assert_int_eq(s->quantity[0].least, 2);
    ck_assert_int_eq(s->quantity[0].most, 3);
    ck_assert_int_eq(s->quantity[1].most, 6); /* m */
    for (int k = 0; k < 4; k++) ck_assert_int_eq(s->quantity[k].stated, k != 1);
    ck_assert_str_eq(s->quantity[2].choices[1], "relu");
    ck_assert_int_eq(s->quantity[3].least, 2);
    verify(claims_at(script, 0), &verdict);
    ck_assert_int_eq(verdict.outcome, SPOR_HOLDS);
    ck_assert(verdict.exhaustive);
    ck_assert_int_eq(verdict.shapes, 2 * 2 * (4 + 3) + 5);
    script_free(script);
}
END_TEST

/* ---- sizes at which something turns ---------------------------------------------------------- */

#define CUT "def f(x[n]):\n    return tanh(x)\nderive f (x) -> (Y, dY):\n    g = (1 - Y * Y) * dY\n"

static const struct {
    const char *text, *turns; /* "n 127 128 129": of each quantity that has some */
} turning[] = {
    {CUT "    dx = g if n <= 128 else concat([g[:128], 0 * g[128:]], axis=0)\n", "n 127 128 129"},
    {CUT "    dx = g if 64 > n else g * (n % 32 + 1)\n", "n 31 32 33 63 64 65"},
    {CUT "    dx = g if 4 * 32 - 1 == n else g\n", "n 126 127 128"},
    {CUT "    block = 48\n    k = n // block\n    dx = g\n", "n 47 48 49"},
    {"BLOCK = 128\n" CUT "    dx = g if n < BLOCK else 2 * g\n", "n 127 128 129"},
    {CUT "    k = max(n, 40)\n    dx = g\n", "n 39 40 41"},
    {CUT "    k = n / 12.0\n    k /= 20\n    dx = g\n", "n 11 12 13 19 20 21"},
    {CUT "    dx = concat([g[:-30], g[-30:]], axis=0) if n != 2 else g\n", "n 1 2 3 29 30 31"},
    {CUT "    a, b = split(g, [50, n - 50])\n    dx = g\n", "n 49 50 51"},
    /* a tensor and a fraction are no sizes; a real and a large number are not counted to */
    {CUT "    dx = g if n > 1 and n < 100001 and n / 2.5 > 1 else dY / 255 + 1 / 1000\n", ""},
    {CUT "    k = g + 1\n    k = k / 255\n    k = n\n    dx = g if k / 9 > 1 / 1000 else g\n",
     "n 8 9 10"},
    {"def f(x[n], block=24):\n    return x + mean(x) / 90\n"
     "derive f (x) -> (Y, dY):\n    dx = dY if n < block else dY + mean(dY) / 90\n",
     "n 23 24 25"},
    /* the axis that is cut, and who stands beside; where nobody does, all */
    {"claim \"a\" (x[N, C], y[m]):\n    x[:, :20] == x[0:, :20]\n", "C 19 20 21"},
    {"claim \"a\" (x[N, C], y[m]):\n    x[m - 8, ..., 30] == x[m - 8, 30]\n",
     "N 7 8 9, C 29 30 31, m 7 8 9"},
    {"claim \"a\" (x[N], y[m]):\n    z = x[0] if N * m < 60 else y[0]\n    z == z\n",
     "N 59 60 61, m 59 60 61"},
    {"claim \"a\" (x[N], y[m]):\n    z = x + 1\n    z[:9] == z[:9]\n", "N 8 9 10, m 8 9 10"},
    {"claim \"a\" (x[N]) where N < 200 and N % 16 == 0:\n    x == x\n", "N 15 16 17 199 200 201"},
    /* of what is stated, what lies within; nothing of a list */
    {"claim \"a\" (x[N], N in 3..130, k in 0..9, s in [1, 20]):\n"
     "    N > 128 or k > 9 or s > 20\n    x == x\n    k // 4 == k // 4\n",
     "N 127 128 129, k 3 4 5 8 9"},
    {"claim \"a\" (x[N], N in 3..9):\n    x == x if N > 128 else x == x\n", ""},
    /* defs that are called, whose names are their own */
    {"def g(y[k], m=70):\n    return y if k < m else -y / 255\n"
     "def f(x[n], z[j]) where n > 10:\n    return g(x)\n"
     "derive f (x, z) -> (Y, dY):\n    dx = dY if n < 90 else dY\n    dz = none\n",
     "n 9 10 11 69 70 71 89 90 91, j 69 70 71"},
    {"def g(y[k]):\n    return y if k < 70 else -y\ndef f(x[n], act):\n    return act(x)\n"
     "derive f (x, act in [tanh, g]) -> (Y, dY):\n    dx = dY\n",
     "n 69 70 71"},
    /* more than there is room for: first those that are searched anyway go, then the largest */
    {"claim \"a\" (x[N]):\n    N > 3 or N > 20 or N > 30 or N > 40 or N > 50 or N > 60\n",
     "N 4 19 20 21 29 30 31 39 40 41 49 50 51 59 60 61"},
    {"claim \"a\" (x[N]):\n    N > 70 or N > 20 or N > 30 or N > 40 or N > 50 or N > 60\n",
     "N 19 20 21 29 30 31 39 40 41 49 50 51 59 60 61 69"},
};

START_TEST(turning_sizes_are_found) {
    spor_script *script = load(turning[_i].text);
    const spor_statement *s = claims_at(script, 0)->statement;
    char text[512] = "";
    size_t used = 0;
    for (int k = 0; k < s->quantities; k++) {
        const spor_quantity *q = &s->quantity[k];
        if (!q->turns) continue;
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", q->name);
        for (int j = 0; j < q->turns; j++)
            used += (size_t)snprintf(text + used, sizeof text - used, " %d", (int)q->turn[j]);
    }
    ck_assert_str_eq(text, turning[_i].turns);
    script_free(script);
}
END_TEST

/* ---- what is said of values ------------------------------------------------------------------ */

#define SIGNATURE                                                                                  \
    "weights = [0.5, -3]\n"                                                                        \
    "def f(p[N, K] in 0.25..0.75, m[N] in [0, 1, 2.5], y[N, K] in one_hot,\n"                      \
    "      q[N, K] in simplex, A[n, n] in positive_definite, x[N], b[] in -1e-3..1.0e-3):\n"       \
    "    return x + sum(p) + sum(m) + sum(y) + sum(q) + sum(A) + b\n"
#define ONLY_DX "    dx = dY\n    dp, dm = none\n    dy, dq = none\n    dA, db = none\n"

static const struct {
    const char *text;
    const char *range[8]; /* as text_of_range writes them */
} said[] = {
    {SIGNATURE "derive f (p, m, y, q, A, x, b) -> (Y, dY):\n" ONLY_DX,
     {"0.25..0.75", "[0, 1, 2.5]", "one_hot", "simplex", "positive_definite", "any",
      "-0.001..0.001", "any"}},
    {"one = 1.0\n" SIGNATURE
     "derive f (p in -1.5..-0.5, m in -1..2, y in simplex, q in weights, A,\n"
     "          x in [3], b in one..one, N in 1..2) -> (Y, dY):\n" ONLY_DX,
     {"-1.5..-0.5", "-1 to 2, whole", "simplex", "[0.5, -3]", "positive_definite", "[3]", "1..1",
      "any"}},
    {"claim \"a\" (k in 0..3, B[3, 3] in positive_definite, x[N] in 0..3, one_hot[N] in one_hot,\n"
     "        s in [1, 2]):\n    k + any_like(x) == k + x\n",
     {"positive_definite", "0 to 3, whole", "one_hot", "any"}},
};

static void text_of_range(const spor_range *r, char *out, size_t size) {
    static const char *const words[] = {"any", "", "", "one_hot", "simplex", "positive_definite",
                                        ""};
    size_t used = (size_t)snprintf(out, size, "%s", words[r->kind]);
    if (r->kind == SPOR_RANGE_REALS) snprintf(out, size, "%g..%g", r->from, r->to);
    if (r->kind == SPOR_RANGE_WHOLE) snprintf(out, size, "%g to %g, whole", r->from, r->to);
    if (r->kind != SPOR_RANGE_SET) return;
    for (int k = 0; k < r->n && used + 32 < size; k++)
        used += (size_t)snprintf(out + used, size - used, "%s%g", k ? ", " : "[", r->item[k]);
    snprintf(out + used, size - used, "]");
}

/* What stands in the head, else in the signature, is with the input it is said of. */
START_TEST(instances_carry_what_is_said_of_values) {
    static const int64_t values[SPOR_QUANTITIES] = {1, 1, 1, 1};
    spor_script *script = load(said[_i].text);
    const spor_statement *s = claims_at(script, 0)->statement;
    spor_instance in = {0};
    for (int round = 0; round < 2; round++) {
        spor_tape *tape = spor_tape_new();
        memset(&in, round ? 0xff : 0, sizeof in);
        in.inputs = in.pairs = 0;
        ck_assert_int_eq(s->record(s->user, tape, values, &in), SPOR_RECORDED);
        spor_tape_free(tape);
    }
    int n = 0;
    for (; n < 8 && said[_i].range[n]; n++) {
        char text[200];
        text_of_range(&in.range[n], text, sizeof text);
        ck_assert_str_eq(text, said[_i].range[n]);
    }
    ck_assert_int_eq(in.inputs, n);
    script_free(script);
}
END_TEST

/* ---- training with a derivation -------------------------------------------------------------- */

/* A derive that is wrong on purpose: dW is three times too large, so its use shows. */
#define TRAINED(call)                                                                              \
    "def layer(A[N, n], W[n, m], b[m], act, scale=1) where N < 9:\n"                               \
    "    A = scale * A\n    return act(A @ W + b)\n"                                               \
    "trust derive layer (A, W, b, act in [tanh, sigmoid]) -> (Y, dY):\n"                           \
    "    delta = derivative(act, A @ W + b) * dY\n    dA = delta @ transpose(W)\n"                 \
    "    dW = 3 * (transpose(A) @ delta)\n    db = sum(delta, axis=\"N\")\n"                       \
    "def f(x):\n    W = param([2, 3], init=\"normal\", name=\"W\")\n"                              \
    "    b = param([3], init=\"normal\", name=\"b\")\n    y = " call "\n    return sum(y * y)\n"

/* The gradients of f's cost with respect to W and b, nine numbers, as training takes them. */
static void train_once(const char *text, bool accept, double g[9]) {
    spor_script *script = load(text);
    if (accept) ck_assert(claims_accept(script, 0));
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(2, 2));
    spor_var cost = script_call(script, "f", tape, true, 1, &x);
    ck_assert_msg(!spor_error(tape), "%s", spor_error(tape));
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_options options = {.scalar = SPOR_F64};
    spor_program *program = spor_compile_training(cost, 0, NULL, params, &options);
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    double *data = spor_program_arg(program, x).data;
    for (int k = 0; k < 4; k++) data[k] = 0.5 - k;
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    memcpy(g, spor_params_entry(params, 0).gradient, 6 * sizeof *g);
    memcpy(g + 6, spor_params_entry(params, 1).gradient, 3 * sizeof *g);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(tape);
    script_free(script);
}

/* Only an accepted derive is used, and only for calls like those it was verified for. */
START_TEST(training_uses_what_is_accepted) {
    static const struct {
        const char *text;
        bool accept;
        double factor; /* of dW */
    } cases[] = {
        {TRAINED("layer(x, W, b, tanh)"), true, 3},
        {TRAINED("layer(x, W, b, sigmoid, scale=1)"), true, 3},
        {TRAINED("layer(x, W, b, tanh)"), false, 1},
        {TRAINED("layer(x, W, b, softsign)"), true, 1},
        {TRAINED("layer(x, W, b, tanh, scale=2)"), true, 1},
        {TRAINED("layer(x, W, b, tanh, scale=x)"), true, 1},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        double g[9], usual[9];
        char text[2048];
        snprintf(text, sizeof text, "def softsign(x):\n    return x / (1 + abs(x))\n%s",
                 cases[k].text);
        train_once(text, cases[k].accept, g);
        train_once(text, false, usual);
        for (int j = 0; j < 9; j++) {
            double factor = j < 6 ? cases[k].factor : 1;
            ck_assert(usual[j] != 0);
            ck_assert_double_eq_tol(g[j], factor * usual[j], 1e-12);
        }
    }
}
END_TEST

/* Of several results, each with a factor of its own in the derive: 3 for p, 5 for q. */
#define TWICE(results, call)                                                                       \
    "def two(A[N, n], W[n, m], b[m]):\n    Z = A @ W + b\n    return tanh(Z), Z * Z\n"             \
    "trust derive two (A, W, b) -> " results "\n"                                                  \
    "    dA = d @ transpose(W)\n    dW = transpose(A) @ d\n    db = sum(d, axis=\"N\")\n"          \
    "def f(x):\n    W = param([2, 3], init=\"normal\", name=\"W\")\n"                              \
    "    b = param([3], init=\"normal\", name=\"b\")\n    y, z = two(x, W, b)\n    return " call   \
    "\n"
#define BOTH "(Y, Z, dY, dZ):\n    d = 3 * dY * (1 - Y * Y) + 5 * dZ * 2 * (A @ W + b)"
#define FIRST "(Y, Z, dY):\n    d = 3 * dY * (1 - Y * Y) + 0 * Z"

/* Gradients of a sum are those of its terms: the derive's of each result, and the tape's of one whose
 * cotangent is left out. */
START_TEST(training_uses_a_derivation_of_several_results) {
    static const struct {
        const char *text;
        double y, z; /* factors */
    } cases[] = {
        {TWICE(BOTH, "sum(y * y)"), 3, 0},
        {TWICE(BOTH, "sum(z * z)"), 0, 5},
        {TWICE(BOTH, "sum(y * y) + sum(z * z)"), 3, 5},
        {TWICE(FIRST, "sum(y * y) + sum(z * z)"), 3, 1},
        {TWICE(FIRST, "sum(z * z)"), 0, 1},
    };
    double ofY[9], ofZ[9], g[9];
    train_once(TWICE(BOTH, "sum(y * y)"), false, ofY);
    train_once(TWICE(BOTH, "sum(z * z)"), false, ofZ);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        train_once(cases[k].text, true, g);
        for (int j = 0; j < 9; j++) {
            ck_assert(ofY[j] != 0 && ofZ[j] != 0);
            ck_assert_double_eq_tol(g[j], cases[k].y * ofY[j] + cases[k].z * ofZ[j], 1e-10);
        }
    }
}
END_TEST

/* What is open, must fail, leaves a gradient out or is no derive is not used. */
START_TEST(some_cannot_be_accepted) {
    spor_script *script = load(DENSE "derive layer \"a\" (A, W, b) -> (Y, dY):\n    ...\n"
                                     "derive layer \"b\" (A, W, b) -> (Y, dY) fails:\n"
                                     "    dA = Y\n    dW = Y\n    db = Y\n"
                                     "derive layer \"c\" (A, W, b) -> (Y, dY):\n"
                                     "    dA = none\n    dW = Y\n    db = Y\n"
                                     "claim \"d\" (x[n]):\n    x == x\n");
    ck_assert_int_eq(claims_count(script), 4);
    for (int k = 0; k < 5; k++) ck_assert(!claims_accept(script, k));
    script_free(script);
}
END_TEST

/* Parameters of the def's own would get no gradient. */
START_TEST(a_derived_def_makes_no_parameters) {
    spor_script *script = load("def f(x[n]):\n    return x * param([n], init=\"normal\")\n"
                               "derive f (x) -> (y, dy):\n    dx = dy\n");
    spor_verdict verdict;
    verify(claims_at(script, 0), &verdict);
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    ck_assert_ptr_nonnull(strstr(verdict.example.message, "f makes parameters or state"));
    script_free(script);
}
END_TEST

/* ---- the language reference ------------------------------------------------------------------ */

/* Blocks of models/README.md that begin with ```spor verify. */
START_TEST(the_reference_is_true) {
    char path[1200], block[8192] = "", line[512];
    int blocks = 0;
    bool inside = false;
    snprintf(path, sizeof path, "%s/README.md", models_folder());
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    while (fgets(line, sizeof line, file)) {
        bool fence = strncmp(line, "```", 3) == 0;
        if (inside && !fence) strncat(block, line, sizeof block - strlen(block) - 1);
        if (inside && fence) {
            spor_script *script = load(block);
            ck_assert_int_ge(claims_count(script), 1);
            check_all(script);
            script_free(script);
            block[0] = 0;
            blocks++;
        }
        inside = fence ? strcmp(line, "```spor verify\n") == 0 : inside;
    }
    fclose(file);
    ck_assert_int_ge(blocks, 5);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("script verify");
    TCase *test = tcase_create("script verify");
    tcase_add_loop_test(test, what_is_right_holds, 0, LENGTH(holding));
    tcase_add_loop_test(test, what_is_wrong_fails_at_its_line, 0, LENGTH(failing));
    tcase_add_test(test, a_comparison_within_rounding_accuses_nobody);
    tcase_add_test(test, large_masks_hide_what_they_hide_and_no_more);
    tcase_add_test(test, both_sides_of_a_mask_are_tried);
    tcase_add_test(test, a_literal_is_its_double_or_an_ulp_beside);
    tcase_add_loop_test(test, constants_are_the_numbers_meant, 0, LENGTH(constants));
    tcase_add_test(test, exact_literals_leave_no_room);
    tcase_add_test(test, a_choice_within_rounding_accuses_nobody);
    tcase_add_test(test, open_lines_are_named);
    tcase_add_test(test, undefined_is_no_failure);
    tcase_add_test(test, quantities_are_as_said);
    tcase_add_loop_test(test, turning_sizes_are_found, 0, LENGTH(turning));
    tcase_add_loop_test(test, instances_carry_what_is_said_of_values, 0, LENGTH(said));
    tcase_add_test(test, training_uses_what_is_accepted);
    tcase_add_test(test, training_uses_a_derivation_of_several_results);
    tcase_add_test(test, some_cannot_be_accepted);
    tcase_add_test(test, a_derived_def_makes_no_parameters);
    tcase_add_test(test, the_reference_is_true);
    suite_add_tcase(suite, test);
    return suite;
}
