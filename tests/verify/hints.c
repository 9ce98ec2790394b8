/*
 * What "looks like" says: mistakes that people make are planted into derivations of layers. Each is
 * named rightly or not at all; mistakes of no known kind get no name, but facts that are true. What
 * is printed beside it has names, digits and lengths for people.
 */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SPOR_NO_PLACES
#include <spor/ops.h>

#include "claims/claims.h"
#include "verify/verify.h"

/* ---- layers ---- */

#define SIGMOID "def f(Z[N, m]):\n    return sigmoid(Z)\nderive f (Z) -> (Y, dY):\n"
#define TANH "def f(Z[N, m]):\n    return tanh(Z)\nderive f (Z) -> (Y, dY):\n"
#define DENSE                                                                                      \
    "def f(A[N, n], W[n, m], b[m]):\n    return A @ W + b\nderive f (A, W, b) -> (Y, dY):\n"
#define HIDDEN                                                                                     \
    "def f(A[N, n], W[n, m], b[m]):\n    return tanh(A @ W + b)\n"                                 \
    "derive f (A, W, b) -> (Y, dY):\n"
#define SQUARES                                                                                    \
    "def f(P[N, m], T[N, m]):\n    return sum((P - T) * (P - T)) / N\n"                            \
    "derive f (P, T) -> (L, dL):\n    dT = none\n"
#define ENTROPY                                                                                    \
    "def f(Z[N, m], T[N, m]):\n    return -sum(softmax(T, axis=1) * log(softmax(Z, axis=1)))\n"    \
    "derive f (Z, T) -> (L, dL):\n    Y = softmax(T, axis=1)\n    dT = none\n"
#define MAP                                                                                        \
    "def f(A[H, W], K[k, l]) where k <= H and l <= W:\n    return correlate2d(A, K)\n"             \
    "derive f (A, K) -> (Z, dZ):\n"
#define CONV                                                                                       \
    "def f(A[N, H, W, C], K[k, l, C, F], b[F], p):\n    return correlate2d(pad(A, p), K) + b\n"    \
    "derive f (A, K, b, p in 0..1, N in 1..2, C in 1..2, F in 1..2, H in 1..4, W in 1..4, "        \
    "k in 1..2, l in 1..2) -> (Z, dZ):\n"
#define CONV_DA "    dA = convolve2d(pad(dZ, [k - 1 - p, l - 1 - p]), transpose(K, [0, 1, 3, 2]))\n"
#define POOL                                                                                       \
    "def f(A[N, H, W, C]):\n    return maxpool2d(A, [2, 2], [2, 2])\n"                             \
    "derive f (A, H in 2..5, W in 2..5, N in 1..2, C in 1..2) -> (Y, dY):\n"
#define NORM                                                                                       \
    "def f(x[N, m], gamma[m], beta[m]):\n    c = x - mean(x, axis=0)\n"                            \
    "    s = sqrt(mean(c * c, axis=0) + 0.125)\n    return gamma * (c / s) + beta\n"               \
    "derive f (x, gamma, beta, N in 1..5) -> (Y, dY):\n    c = x - mean(x, axis=0)\n"              \
    "    s = sqrt(mean(c * c, axis=0) + 0.125)\n    h = c / s\n"
#define NORMED                                                                                     \
    "def f(x[N, C], g[C]):\n    m = mean(x, axis=0)\n    v = mean((x - m) ** 2, axis=0)\n"         \
    "    return g * (x - m) / sqrt(v + 1e-3)\nderive f (x, g) -> (y, dy):\n"                       \
    "    m = mean(x, axis=0)\n    r = 1 / sqrt(mean((x - m) ** 2, axis=0) + 1e-3)\n"               \
    "    h = (x - m) * r\n    dg = sum(dy * h, axis=0)\n"
#define MEAN "def f(x[N, m]):\n    return mean(x * x, axis=0)\nderive f (x) -> (y, dy):\n"
#define GATE                                                                                       \
    "def f(x[N, m], z[N, m]):\n    return x * sigmoid(z)\nderive f (x, z) -> (y, dy):\n"           \
    "    s = sigmoid(z)\n"
#define SHARPEN "def f(x[n]):\n    return exp(x) + x * x\nderive f (x) -> (y, dy):\n"
#define ATTENTION                                                                                  \
    "def f(Q[N, d], K[M, d], V[M, e]):\n    return softmax(Q @ transpose(K), axis=1) @ V\n"        \
    "derive f (Q, K, V) -> (Y, dY):\n    P = softmax(Q @ transpose(K), axis=1)\n"                  \
    "    dP = dY @ transpose(V)\n    G = P * (dP - sum(dP * P, axis=1, keepdims=True))\n"
#define CELL                                                                                       \
    "def f(c[N, m], u[N, m]):\n    return tanh(c) * u, c * u\n"                                    \
    "derive f (c, u) -> (H, C, dH, dC):\n    t = tanh(c)\n    du = none\n"
#define PAIRS "def f(A[n, m], B[m, n]):\n    return A @ B\nderive f (A, B) -> (Y, dY):\n"

/* ---- known mistakes ---- */

static const struct {
    const char *layer, *block, *pair;
    const char *name; /* a part of what is said */
} known[] = {
    {SIGMOID, "    dZ = -Y * (1 - Y) * dY\n", "dZ", "the sign is wrong"},
    {SIGMOID, "    dZ = dY\n", "dZ", "the derivative of sigmoid (line 2) is left out"},
    {SIGMOID, "    dZ = Y * (1 - Y)\n", "dZ", "dY is forgotten"},
    {SIGMOID, "    dZ = Y * (1 - Y) * dY * dY\n", "dZ", "dY is there twice"},
    {SIGMOID, "    dZ = (1 - Y * Y) * dY\n", "dZ",
     "derivative of tanh in place of that of sigmoid"},
    {SIGMOID, "    dZ = sigmoid(Y) * (1 - sigmoid(Y)) * dY\n", "dZ", "at its result, not at its"},
    {SIGMOID, "    dZ = Z * (1 - Z) * dY\n", "dZ",
     "a function of its result, is given its argument"},
    {CELL, "    dc = dH * (1 - t * t) * u\n", "dc", "what comes back from dC is left out"},
    {CELL, "    dc = dC * u\n", "dc", "what comes back from dH is left out"},
    {CELL, "    dc = dC * (1 - t * t) * u + dH * u\n", "dc", "dH and dC are exchanged"},
    {CELL, "    dc = dH * (1 - t * t) * u - dC * u\n", "dc",
     "what comes back from dC has the wrong sign"},
    {CELL, "    dc = dH * (1 - t * t) * u + u\n", "dc", "dC is forgotten"},
    {TANH, "    dZ = (1 - Z * Z) * dY\n", "dZ", "a function of its result, is given its argument"},
    {TANH, "    dZ = (1 - Y * Y) * dY / 2\n", "dZ", "off by the factor 0.5"},
    {TANH, "    dZ = 2 * (1 - Y * Y) * dY\n", "dZ", "off by the factor 2"},
    {TANH, "    dZ = 1.001 * (1 - Y * Y) * dY\n", "dZ", "off by the factor 1.001"},
    {TANH, "    dZ = 0 * Z\n", "dZ", "zero everywhere"},
    {DENSE, "    dA = dY @ W\n    dW = transpose(A) @ dY\n    db = sum(dY, axis=0)\n", "dA",
     "a transpose of W is left out"},
    {DENSE, "    dA = dY @ transpose(W)\n    dW = A @ dY\n    db = sum(dY, axis=0)\n", "dW",
     "a transpose of A is left out"},
    {DENSE, "    dA = dY @ transpose(W)\n    dW = transpose(dY) @ A\n    db = sum(dY, axis=0)\n",
     "dW", "transposed: axes n and m are swapped"},
    {DENSE,
     "    dA = dY @ transpose(W)\n    dW = reshape(transpose(dY) @ A, [n, m])\n"
     "    db = sum(dY, axis=0)\n",
     "dW", "transposed: axes n and m are swapped"},
    {DENSE, "    dA = transpose(W) @ dY\n    dW = transpose(A) @ dY\n    db = sum(dY, axis=0)\n",
     "dA", "the operands of matmul are in the other order"},
    {DENSE, "    dA = dY @ transpose(W)\n    dW = transpose(A) @ dY\n    db = sum(dY, axis=1)\n",
     "db", "summed over axis m in place of axis N"},
    {DENSE, "    dA = dY @ transpose(W)\n    dW = transpose(A) @ dY\n    db = dY\n", "db",
     "not summed over axis N"},
    {DENSE, "    dA = dY @ transpose(W)\n    dW = transpose(A) @ dY\n    db = sum(dY)\n", "db",
     "summed over axis m too"},
    {DENSE,
     "    dA = dY @ transpose(W)\n    dW = transpose(A) @ dY / N\n    db = sum(dY, axis=0)\n", "dW",
     "1/N: a mean over N where a sum belongs"},
    {DENSE, "    dA = dY @ transpose(W)\n    dW = transpose(A) @ dY\n    db = mean(dY, axis=0)\n",
     "db", "1/N: a mean over N where a sum belongs"},
    {HIDDEN, "    dA = dY @ transpose(W)\n    dW = none\n    db = none\n", "dA",
     "the derivative of tanh (line 2) is left out"},
    {HIDDEN, "    dA = ((1 - Y) * dY) @ transpose(W)\n    dW = none\n    db = none\n", "dA",
     "a factor of the derivative of tanh (line 2) is left out"},
    {SIGMOID, "    dZ = Y * dY\n", "dZ",
     "a factor of the derivative of sigmoid (line 2) is left out"},
    {ATTENTION, "    dQ = none\n    dV = transpose(P) @ dY\n    dK = G @ Q\n", "dK",
     "an operand of matmul is not transposed as it should be"},
    {ATTENTION, "    dQ = G @ K\n    dV = P @ dY\n    dK = transpose(G) @ Q\n", "dV",
     "a transpose is left out"},
    {ATTENTION, "    dQ = G @ K\n    dV = none\n    dK = transpose(K) @ G\n", "dK", ""},
    {HIDDEN,
     "    dA = none\n    dW = transpose(A) @ ((1 - tanh(Y) * tanh(Y)) * dY)\n    db = none\n", "dW",
     "is taken at its result, not at its argument"},
    {SQUARES, "    dP = 2 * (P - T) * dL\n", "dP", "N: a sum over N where a mean belongs"},
    {SQUARES, "    dP = 2 * (P - T) / (N * m) * dL\n", "dP", "1/m: a mean over m where a sum"},
    {SQUARES, "    dP = (P - T) / N * dL\n", "dP", "off by the factor 0.5"},
    {SQUARES, "    dP = 2 * (T - P) / N * dL\n", "dP", "the sign is wrong"},
    {SQUARES, "    dP = 2 * (P - T) / N\n", "dP", "dL is forgotten"},
    {ENTROPY, "    dZ = (Y - softmax(Z, axis=1)) * dL\n", "dZ", "the sign is wrong"},
    {ENTROPY, "    dZ = softmax(Z, axis=1) - Y\n", "dZ", "dL is forgotten"},
    {ENTROPY, "    dZ = (softmax(Z, axis=0) - Y) * dL\n", "dZ", "softmax along axis N in place of"},
    {ENTROPY, "    dZ = -Y / softmax(Z, axis=1) * dL\n", "dZ",
     "the derivative of softmax (line 2)"},
    {MAP, "    dK = correlate2d(A, dZ)\n    dA = correlate2d(pad(dZ, [k - 1, l - 1]), K)\n", "dA",
     "K is not rotated by 180 degrees"},
    {MAP, "    dK = convolve2d(A, dZ)\n    dA = none\n", "dK", "dZ is rotated by 180 degrees"},
    {MAP, "    dK = flip(correlate2d(A, dZ), [0, 1])\n    dA = none\n", "dK", "180 degrees"},
    {CONV, CONV_DA "    dK = ...\n    db = sum(dZ, axis=[1, 2])\n", "db", "not summed over axis N"},
    {CONV, CONV_DA "    dK = ...\n    db = mean(dZ, axis=[0, 1, 2])\n", "db",
     "right with a sum in place of a mean in line 6"},
    {TANH, "    dZ = reshape((1 - Y * Y) * dY, [N, m]) * (Z > 0)\n", "dZ",
     "right without the second factor in line 4"},
    {TANH, "    dZ = (1 - Y * Y) * where(dY < 0, 0.5 * dY, dY)\n", "dZ",
     "right without a factor in line 4"},
    {MEAN, "    dx = 2 * x * dy / N + 1e-20\n", "dx", "right without the second term in line 4"},
    {"claim \"a\" (a in 0..20, b in 1..9):\n", "    (a // b) * b == a\n", "(a // b) * b", ""},
    {NORMED, "    dx = r / N * (N * dy - sum(dy, axis=0) - h * sum(dy * h, axis=0))\n", "dx",
     "right with g as a further factor in line"},
    {MEAN, "    dx = 2 * x * dy / maximum(N - 1, 1)\n", "dx", ""},
    {TANH, "    dZ = (1 - Y ** 3) * dY\n", "dZ", "right with a lower power in line 4"},
    {TANH, "    dZ = (1 - Y * Y) * dY * mean(dY, axis=1, keepdims=True)\n", "dZ",
     "right without the third factor in line 4"},
    {TANH, "    dZ = (1 - Y * Y) * dY * sum(dY, axis=1, keepdims=True) * Z\n", "dZ", ""},
    {TANH, "    dZ = (1 - Y * Y) * dY + sum(Y, axis=1, keepdims=True)\n", "dZ",
     "right without the second term in line 4"},
    {CONV, CONV_DA "    dK = ...\n    db = -sum(dZ, axis=[0, 1, 2])\n", "db", "the sign is wrong"},
    {POOL, "    dA = route(A, dY, [2, 2], [2, 2]) / 4\n", "dA", "off by the factor 0.25"},
    {POOL, "    dA = route(A, dY * dY, [2, 2], [2, 2])\n", "dA", "dY is there twice"},
    {NORM,
     "    dbeta = sum(dY, axis=0)\n    dgamma = sum(dY * h, axis=0)\n"
     "    dx = (dY - mean(dY, axis=0) - h * mean(dY * h, axis=0)) / s\n",
     "dx", "the factor gamma (line 4) is left out"},
    {NORM,
     "    dbeta = sum(dY, axis=0)\n    dgamma = sum(dY * h, axis=0)\n"
     "    dx = gamma * (dY - h * mean(dY * h, axis=0)) / s\n",
     "dx", "a term is left out: what comes back through"},
    {NORM,
     "    dbeta = sum(dY, axis=0)\n    dgamma = sum(dY * h, axis=0)\n"
     "    dx = gamma * (dY - mean(dY, axis=0)) / s\n",
     "dx", "a term is left out: what comes back through"},
    {NORM, "    dbeta = mean(dY, axis=0)\n    dgamma = none\n    dx = none\n", "dbeta",
     "1/N: a mean over N"},
    {MEAN, "    dx = 2 * x * dy\n", "dx", "N: a sum over N where a mean belongs"},
    {MEAN, "    dx = x * dy / N\n", "dx", "off by the factor 0.5"},
    {GATE, "    dx = dy\n    dz = x * s * (1 - s) * dy\n", "dx", "is left out"},
    {GATE, "    dx = s * dy\n    dz = s * (1 - s) * dy\n", "dz",
     "the factor x (line 2) is left out"},
    {SHARPEN, "    dx = exp(x) * dy\n", "dx", "a term is left out: what comes back through"},
    {SHARPEN, "    dx = (exp(x) - 2 * x) * dy\n", "dx", "a term has the wrong sign"},
    {PAIRS, "    dA = dY @ B\n    dB = none\n", "dA", "a transpose of B is left out"},
    /* one edit of the formula makes it right */
    {SIGMOID, "    dZ = Y * (1 - Z) * dY\n", "dZ", "right with Y in place of Z in line 4"},
    {SIGMOID, "    dZ = Y * (1 + Y) * dY\n", "dZ",
     "right with the other sign of the term Y in line 4"},
    {TANH, "    dZ = (1 - Y * Y * Y) * dY\n", "dZ", "right without the factor Y in line 4"},
    {TANH, "    dZ = (1 - Y * Y) * dY + 0.001 * Z\n", "dZ",
     "right without the second term in line 4"},
    {DENSE,
     "    dA = dY @ transpose(W) + A\n    dW = transpose(A) @ dY\n    db = sum(dY, axis=0)\n", "dA",
     "right without the term A in line 4"},
    {DENSE, "    dA = none\n    dW = transpose(A * A) @ dY\n    db = none\n", "dW",
     "right without the factor A in line 5"},
    {SQUARES, "    dP = 2 * (P + T) / N * dL\n", "dP",
     "right with the other sign of the term T in line 5"},
    {ENTROPY, "    dZ = (softmax(Z, axis=1) - Y) * (1 - Y) * dL\n", "dZ",
     "right without the result of line 4 as a term in line 6"},
    {MAP, "    dK = correlate2d(A * A, dZ)\n    dA = none\n", "dK",
     "right without the factor A in line 4"},
    {NORM, "    dbeta = none\n    dgamma = sum(dY * c, axis=0)\n    dx = none\n", "dgamma",
     "right with the result of line 8 in place of the result of line 6 in line 10"},
    {MEAN, "    dx = 2 * x * x * dy / N\n", "dx", "right without the factor x in line 4"},
    /* repairs of other kinds */
    {SIGMOID, "    dZ = relu(Y) * (1 - relu(Y)) * dY + relu(Z) * 0.001\n", "dZ",
     "right without the second term"},
    {DENSE, "    dA = relu(dY) @ transpose(W)\n    dW = none\n    db = none\n", "dA",
     "right without relu in line 4"},
    {DENSE, "    dA = dY @ transpose(minimum(maximum(W, -1), 1))\n    dW = none\n    db = none\n",
     "dA", "right without minimum and maximum in line 4"},
    {TANH, "    dZ = (3 - Y * Y) * dY\n", "dZ",
     "right with the constant 1 in place of a number in line 4"},
    {SQUARES, "    dP = 2 * (P - T / N) / N * dL\n", "dP", "right without the divisor in line 5"},
    {SQUARES, "    dP = 2 * (P - T * N) / N * dL\n", "dP", "right without a factor in line 5"},
    {SIGMOID, "    dZ = (1 - Y) * dY - Y\n", "dZ", ""},
    {NORM, "    dbeta = none\n    dgamma = sum(h * h, axis=0)\n    dx = none\n", "dgamma",
     "right with dY in place of the result of line 8 in line 10"},
};
enum { KNOWN = sizeof known / sizeof *known };

static void verify_text(const char *layer, const char *block, spor_verdict *verdict, char *printed,
                        size_t size) {
    char text[4096];
    snprintf(text, sizeof text, "%s%s", layer, block);
    spor_script *script = script_read("s.spor", text, NULL, &claims_dialect);
    ck_assert_msg(script && !script_error(script), "%s\n%s", script_error(script), text);
    const spor_statement *statement = claims_at(script, 0)->statement;
    ck_assert(spor_verify(statement, &(spor_effort){.shapes = 120, .proofs = 2000}, verdict));
    FILE *out = fmemopen(printed, size, "w");
    spor_verdict_print(statement, verdict, out);
    fclose(out);
    script_free(script);
}

/* What is said of the pair, NULL if it is not told of. */
static const char *hint_of(const spor_verdict *v, const char *pair) {
    const spor_counterexample *e = &v->example;
    size_t length = strlen(pair);
    for (int k = 0; k < e->others; k++)
        if (!strcmp(e->other[k].pair_name, pair)) return e->other[k].pattern;
    bool named = !strcmp(e->pair_name, pair) ||
                 (!strncmp(e->message, pair, length) && e->message[length] == ' ');
    return named ? e->pattern : NULL;
}

static spor_verdict verdict;
static char printed[16384];

START_TEST(a_known_mistake_is_named_rightly) {
    verify_text(known[_i].layer, known[_i].block, &verdict, printed, sizeof printed);
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    const char *hint = hint_of(&verdict, known[_i].pair);
    ck_assert_msg(hint != NULL, "%s%s\n%s", known[_i].layer, known[_i].block, printed);
    bool right = *known[_i].name ? strstr(hint, known[_i].name) != NULL : !*hint;
    ck_assert_msg(right, "%s%s\n%s", known[_i].layer, known[_i].block, printed);
    if (*hint) ck_assert_ptr_nonnull(strstr(printed, hint));
}
END_TEST

/* ---- odd mistakes ---- */

static const struct {
    const char *layer, *block;
} odd[] = {
    {HIDDEN, "    dA = ((Y - 1) * dY) @ transpose(W)\n    dW = none\n    db = none\n"},
    {HIDDEN, "    dA = (Y * dY) @ transpose(W)\n    dW = none\n    db = none\n"},
    {SQUARES, "    dP = 2 * (P - T) / (N + 1) * dL\n"},
    {ENTROPY, "    dZ = softmax(Z) * (1 - softmax(Z)) * dL\n"},
    {NORM, "    dbeta = none\n    dgamma = none\n    dx = gamma * dY * s + x\n"},
    {GATE, "    dx = none\n    dz = x * s * s * dy\n"},
    /* the error bound of dm's numbers has room for any number */
    {"def f(x[N, C], m[N, C]):\n    return softmax(x - 1e30 * m)\nderive f (x, m) -> (Y, dY):\n",
     "    dx = Y * dY\n    dm = -1e30 * dx\n"},
    /* wrong from index 128 on, which at the smallest size is the last one alone */
    {"def f(x[n]):\n    return tanh(x)\nderive f (x) -> (Y, dY):\n    g = (1 - Y * Y) * dY\n",
     "    dx = g if n <= 128 else concat([g[:128], 0 * g[128:]], axis=0)\n"},
    /* wrong on a diagonal, which small maps have on their border */
    {"def off(x):\n    return 0 if x == 0 else 1\n",
     "claim \"c\" (D[M], X[I], p in 0..2, M in 1..4, I in 1..4):\n"
     "    D[m] * X[i] * off(m - i - p) == D[m] * X[i] + 0 * sum(pad(D, 1))\n"},
};

START_TEST(an_odd_mistake_gets_no_name) {
    verify_text(odd[_i].layer, odd[_i].block, &verdict, printed, sizeof printed);
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    ck_assert_msg(!strstr(printed, "looks like"), "%s%s\n%s", odd[_i].layer, odd[_i].block,
                  printed);
}
END_TEST

/* ---- numbers that moved, and where they are wrong ---- */

typedef enum {
    DOWN,       /* row i has the gradient of row i - 1 */
    MIRRORED,   /* columns in reverse order */
    TURNED,     /* the transposed array, in the shape of the right one */
    SUMMED,     /* each row the sum of all */
    AVERAGED,   /* each row the mean of all */
    LARGEST,    /* each row the largest of all */
    NO_FIRST,   /* row 0 is zero */
    LAST_TWICE, /* the last column counts twice */
    NO_RIM,     /* the first row and the last column are zero */
    ANY_NUMBER  /* the gradient and 1/1000 of its square */
} displacement;

/* x of this shape where mask is 0, from the sides of a map, else 1. */
static spor_var inside(spor_tape *t, spor_shape shape, const int64_t lo[], const int64_t hi[]) {
    spor_shape smaller = shape;
    for (int k = 0; k < shape.rank; k++) smaller.n[k] -= lo[k] + hi[k];
    spor_var one = spor_expand(spor_ratio(t, 1, 1), (INT64_C(1) << shape.rank) - 1, smaller);
    return spor_pad(one, lo, hi, 0);
}

static spor_var displaced(spor_var d, displacement how) {
    spor_tape *t = d.tape;
    spor_shape shape = spor_shape_of(d);
    switch (how) {
    case DOWN:
        return spor_pad(d, (int64_t[]){1, 0}, (int64_t[]){-1, 0}, 0);
    case MIRRORED:
        return spor_flip(d, SPOR_AXIS(1));
    case TURNED:
        return spor_reshape(spor_transpose(d, (int64_t[]){1, 0}), shape);
    case SUMMED:
        return spor_expand(spor_sum(d, SPOR_AXIS(0)), SPOR_AXIS(0), shape);
    case AVERAGED:
        return spor_expand(spor_mean(d, SPOR_AXIS(0)), SPOR_AXIS(0), shape);
    case LARGEST:
        return spor_expand(spor_max(d, SPOR_AXIS(0)), SPOR_AXIS(0), shape);
    case NO_FIRST:
        return spor_mul(d, inside(t, shape, (int64_t[]){1, 0}, (int64_t[]){0, 0}));
    case LAST_TWICE:
        return spor_sub(spor_add(d, d),
                        spor_mul(d, inside(t, shape, (int64_t[]){0, 0}, (int64_t[]){0, 1})));
    case NO_RIM:
        return spor_mul(d, inside(t, shape, (int64_t[]){1, 0}, (int64_t[]){0, 1}));
    default:
        return spor_add(d, spor_div(spor_mul(d, d), spor_expand(spor_ratio(t, 1000, 1), 3, shape)));
    }
}

typedef struct {
    displacement how;
    bool windows; /* the layer slides a kernel over x */
} displaced_layer;

/* y = x x, or x correlated with a kernel of 2 x 2. */
static spor_recording record_displaced(void *user, spor_tape *t, const int64_t v[],
                                       spor_instance *in) {
    const displaced_layer *layer = user;
    spor_var x = spor_input(t, "x", SPOR_SHAPE(v[0], v[1])), k, d;
    in->input[in->inputs++] = x;
    if (layer->windows) {
        k = spor_input(t, "k", SPOR_SHAPE(2, 2, 1, 1));
        in->input[in->inputs++] = k;
        spor_var map = spor_reshape(x, SPOR_SHAPE(1, v[0], v[1], 1));
        in->y = spor_correlate2d(map, k, 1, 1);
    } else {
        in->y = spor_mul(x, x);
    }
    in->dy = in->inputs;
    in->input[in->inputs++] = spor_input(t, "dy", spor_shape_of(in->y));
    if (!spor_vjp(in->y, in->input[in->dy], 1, &x, &d)) return SPOR_OUTSIDE;
    in->axis[0][0] = "H";
    in->axis[0][1] = "W";
    in->pair[in->pairs++] =
        (spor_pair){.name = "dx", .formula = displaced(d, layer->how), .expected = d, .wrt = 0};
    return SPOR_RECORDED;
}

static const struct {
    displaced_layer layer;
    const char *says; /* all of it */
} displacements[] = {
    {{DOWN, false}, "shifted by one along axis H, towards its end"},
    {{MIRRORED, false}, "reversed along axis W"},
    {{TURNED, false}, "transposed: axes H and W are swapped"},
    {{SUMMED, false}, "summed over axis H, the same all along it"},
    {{AVERAGED, false}, "the mean over axis H, the same all along it"},
    {{LARGEST, false}, "constant along axis H: summed over it, or not indexed by it"},
    {{NO_FIRST, false}, "wrong only at the first index of axis H"},
    {{LAST_TWICE, true}, "wrong only at the last index of axis W"},
    {{NO_RIM, true},
     "wrong only at the border: the first index of axis H, the last index of axis W"},
    {{NO_RIM, false}, ""}, /* without windows there is no border */
    {{ANY_NUMBER, false}, ""},
    {{ANY_NUMBER, true}, ""},
};

START_TEST(what_moved_is_told) {
    displaced_layer layer = displacements[_i].layer;
    spor_statement statement = {
        .name = "moved",
        .quantities = 2,
        .quantity = {{.name = "H", .least = 2, .most = 5}, {.name = "W", .least = 2, .most = 5}},
        .record = record_displaced,
        .user = &layer};
    ck_assert(spor_verify(&statement, NULL, &verdict));
    ck_assert_int_eq(verdict.outcome, SPOR_FAILS);
    ck_assert_str_eq(verdict.example.pattern, displacements[_i].says);
}
END_TEST

/* ---- what is printed beside it ---- */

START_TEST(sizes_bear_the_names_of_their_own_axes) {
    verify_text(DENSE, "    dA = dY @ transpose(W)\n    dW = transpose(A) @ dY\n    db = sum(dY)\n",
                &verdict, printed, sizeof printed);
    ck_assert_str_eq(verdict.example.message, "db is [] but must be [m=1]");
    verify_text(
        DENSE, "    dA = dY @ transpose(W)\n    dW = transpose(dY) @ A\n    db = sum(dY, axis=0)\n",
        &verdict, printed, sizeof printed);
    ck_assert_str_eq(verdict.example.message, "dW is [m=2, n=1] but must be [n=1, m=2]");
}
END_TEST

/* The first wrong line is the example, the others follow with their own numbers and names. */
START_TEST(all_wrong_gradients_are_listed) {
    verify_text(DENSE,
                "    dA = 2 * dY @ transpose(W)\n    dW = -transpose(A) @ dY\n"
                "    db = sum(dY, axis=0) / N\n",
                &verdict, printed, sizeof printed);
    const spor_counterexample *e = &verdict.example;
    ck_assert_str_eq(e->pair_name, "dA");
    ck_assert_int_eq(e->others, 2);
    ck_assert_str_eq(e->pattern, "off by the factor 2");
    ck_assert_str_eq(e->other[0].pair_name, "dW");
    ck_assert_str_eq(e->other[0].pattern, "the sign is wrong");
    ck_assert(e->other[0].formula == -e->other[0].expected && e->other[0].wrong > 0);
    ck_assert_str_eq(e->other[1].pair_name, "db");
    ck_assert_msg(strstr(e->other[1].pattern, "1/N"), "%s", e->other[1].pattern);
    const char *first = strstr(printed, "dA["), *second = strstr(printed, "also wrong"),
               *third = second ? strstr(second + 1, "also wrong") : NULL;
    ck_assert_msg(first && second && third && first < second, "%s", printed);
}
END_TEST

/* n numbers x, and the claim that they are all those times 1 + 2^-40. */
static spor_recording record_close(void *user, spor_tape *t, const int64_t v[], spor_instance *in) {
    (void)user;
    spor_var x = in->input[in->inputs++] = spor_input(t, "x", SPOR_SHAPE(v[0]));
    spor_var factor = spor_constant(t, 1 + 0x1p-40);
    spor_var y = spor_mul(x, spor_expand(factor, SPOR_AXIS(0), SPOR_SHAPE(v[0])));
    in->pair[in->pairs++] = (spor_pair){.name = "x", .formula = y, .expected = x, .wrt = -1};
    return SPOR_RECORDED;
}

START_TEST(numbers_that_differ_look_different) {
    spor_statement statement = {.name = "close",
                                .quantities = 1,
                                .quantity = {{.name = "n", .least = 500, .most = 500}},
                                .record = record_close,
                                .equality = true};
    char *left, *right;
    ck_assert(spor_verify(&statement, NULL, &verdict));
    FILE *out = fmemopen(printed, sizeof printed, "w");
    spor_verdict_print(&statement, &verdict, out);
    fclose(out);
    left = strstr(printed, "left ");
    right = strstr(printed, "right ");
    ck_assert_msg(left && right, "%s", printed);
    ck_assert_msg(strtod(left + 5, NULL) != strtod(right + 6, NULL), "%s", printed);
    ck_assert_msg(!strstr(printed, "looks like"), "%s", printed); /* a factor of 1 says nothing */
    ck_assert_msg(strstr(printed, ", ... (500 in all)]"), "%s", printed);
    ck_assert_uint_lt(strlen(printed), 1000);
}
END_TEST

START_TEST(a_number_is_as_long_as_it_must_be) {
    static const struct {
        double number;
        const char *text;
    } rows[] = {{0.1, "0.1"},
                {1.0 / 3, "0.3333333333333333"},
                {-2, "-2"},
                {0.1 + 0.2, "0.30000000000000004"},
                {123456789, "123456789"}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        char text[32];
        ck_assert_int_eq(verdict_number(rows[k].number, text), (int)strlen(rows[k].text));
        ck_assert_str_eq(text, rows[k].text);
    }
    ck_assert_double_eq(verdict_ulps(1 + 0x1p-52, 1, SPOR_F64), 1);
    ck_assert_double_eq(verdict_ulps(1 + 0x1p-22, 1, SPOR_F32), 2);
}
END_TEST

/* ---- arrays: their numbers are all there is ---- */

START_TEST(arrays_are_named_by_their_numbers) {
    enum { ROWS = 3, COLUMNS = 4, SIZE = ROWS * COLUMNS };
    double right[SIZE], turned[SIZE], rim[SIZE], bound[SIZE] = {0};
    char text[256];
    for (int k = 0; k < SIZE; k++) right[k] = k * k + 1;
    for (int k = 0; k < SIZE; k++) turned[k] = right[SIZE - 1 - k];
    for (int k = 0; k < SIZE; k++) rim[k] = k < COLUMNS || k % COLUMNS == 3 ? 0 : right[k];
    spor_picture p = {.shape = {2, {ROWS, COLUMNS}},
                      .formula = turned,
                      .expected = right,
                      .bound = bound,
                      .slack = 0x1p-40};
    pattern_name(&p, text, sizeof text);
    ck_assert_str_eq(text, "reversed along axes 0 and 1"); /* nothing is correlated here */
    p.slides = true;
    pattern_name(&p, text, sizeof text);
    ck_assert_msg(strstr(text, "rotated by 180 degrees"), "%s", text);
    p.formula = rim;
    pattern_name(&p, text, sizeof text);
    ck_assert_str_eq(text, "wrong only at the border: the first index of axis 0, the last index of "
                           "axis 1");
    p.slides = false;
    pattern_name(&p, text, sizeof text);
    ck_assert_str_eq(text, "");
    for (int k = 0; k < SIZE; k++) bound[k] = k == 5 ? 0 : 1000; /* with room for any number */
    p.formula = turned;
    pattern_name(&p, text, sizeof text);
    ck_assert_msg(!strstr(text, "reversed") && !strstr(text, "factor"), "%s", text);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("hints");
    TCase *tests = tcase_create("hints");
    tcase_add_loop_test(tests, a_known_mistake_is_named_rightly, 0, KNOWN);
    tcase_add_loop_test(tests, an_odd_mistake_gets_no_name, 0, (int)(sizeof odd / sizeof *odd));
    tcase_add_loop_test(tests, what_moved_is_told, 0,
                        (int)(sizeof displacements / sizeof *displacements));
    tcase_add_test(tests, sizes_bear_the_names_of_their_own_axes);
    tcase_add_test(tests, all_wrong_gradients_are_listed);
    tcase_add_test(tests, numbers_that_differ_look_different);
    tcase_add_test(tests, a_number_is_as_long_as_it_must_be);
    tcase_add_test(tests, arrays_are_named_by_their_numbers);
    suite_add_tcase(suite, tests);
    return suite;
}
