/*
 * Verdicts of small derivations and claims: none that is wrong holds, none that is right is accused.
 * What is wrong here is so on a part of the reals only: beyond a kink, below 0, at a single point.
 */
#include "../suite.h"
#include "support.h"

#include <spor/verify.h>
#include <string.h>

typedef enum { HOLDS, FAILS, FAILS_AT_TIES, UNFINISHED } wanted;

static const char *const words[] = {"to hold", "to fail", "to fail at ties", "to be unfinished"};

/* said: a part of the reservation, or of what is told of the failure; NULL: anything. */
typedef struct {
    wanted wanted;
    const char *said, *text;
} row;

#define CLIP "def f(x[n]):\n    return maximum(minimum(x, 2), -2)\nderive f (x) -> (y, dy):\n"
#define HALF "def f(x[n]):\n    return relu(x) / 2\nderive f (x) -> (y, dy):\n"
#define HUBER                                                                                      \
    "def f(x[n]):\n    return where(x <= 1, x * x / 2, x - 0.5)\nderive f (x) -> (y, dy):\n"
#define TOP "def f(x[N, C]):\n    return max(x, axis=1)\nderive f (x) -> (y, dy):\n"
#define LARGER "def f(a[n], b[n]):\n    return maximum(a, b)\nderive f (a, b) -> (y, dy):\n"
#define ENTROPY                                                                                    \
    "def f(p[n], t[n]):\n    return -sum(t * log(p) + (1 - t) * log(1 - p))\n"                     \
    "derive f (p, t) -> (y, dy):\n    dt = dy * (log(1 - p) - log(p))\n"
#define UNIT "def f(x[N, C]):\n    return x / sqrt(sum(x * x, axis=1, keepdims=True))\n"
#define KEPT                                                                                       \
    "def f(Q[N, d], K[M, d], V[M, e]):\n    A = Q @ transpose(K)\n"                                \
    "    return softmax(A, axis=1) @ V, logsumexp(A, axis=1)\n"
#define KEPT_END "    dQ = dA @ K\n    dK = transpose(dA) @ Q\n    dV = transpose(P) @ dY\n"
#define KEPT_P                                                                                     \
    "    P = exp(Q @ transpose(K) - reshape(L, [N, 1]))\n"                                         \
    "    D = sum(dY * Y, axis=1, keepdims=True)\n"
#define ADDED                                                                                      \
    "def f(x[N, n], r[N, n], w[n]):\n    s = x + r\n"                                              \
    "    return s / sqrt(mean(s * s, axis=\"n\", keepdims=True) + 1/1000) * w, s\n"
#define ADDED_S                                                                                    \
    "    q = sqrt(mean(S * S, axis=\"n\", keepdims=True) + 1/1000)\n    g = dY * w\n"              \
    "    ds = g / q - S * mean(g * S, axis=\"n\", keepdims=True) / (q * q * q)"
#define ADDED_END "    dx = ds\n    dr = ds\n    dw = sum(dY * S / q, axis=\"N\")\n"
#define CELL                                                                                       \
    "def f(z[N, m], u[N, m], c[N, m]):\n    C = sigmoid(z) * c + sigmoid(u)\n"                     \
    "    return tanh(C) * sigmoid(u), C\nderive f (z, u, c) -> (H, C, dH, dC):\n"                  \
    "    f = sigmoid(z)\n    o = sigmoid(u)\n    t = tanh(C)\n"
#define CELL_END                                                                                   \
    "    dc = e * f\n    dz = e * c * f * (1 - f)\n"                                               \
    "    du = (e + dH * t) * o * (1 - o)\n"
#define RAMP "def f(x[n]):\n    return relu(x)\nderive f (x) -> (y, dy):\n"

#define EMBEDS(where)                                                                              \
    "def f(E[V, D], i[N] in 0..V - 1):\n    return take(E, i)\n"                                   \
    "derive f (E, i) -> (y, dy) where " where ":\n"
#define EMBED EMBEDS("V >= 1")
#define NAIVE "def f(z[N, K], y[N, K]):\n    return 0 - sum(y * log(softmax(z)), axis=\"K\")\n"
#define FINAL "def f(x[T, D], s[w, D]):\n    return concat([s, x], axis=0)[T:]\n"

#define GATE(open)                                                                                 \
    "def f(x[n], y[n], z[n]):\n    return where(" open ", 3 * x + z, x + z)\n"                     \
    "derive f (x, y, z) -> (v, dv):\n    dy = 0 * y\n"
#define MASKED "def f(x[n]):\n    return where(x > 0, sqrt(x), 0)\nderive f (x) -> (y, dy):\n"
#define BRANCHES                                                                                   \
    "def f(x[n]):\n    return where(x > 0, x * log(x) + exp(1 / x) * sqrt(x), x ** 2)\n"           \
    "derive f (x) -> (y, dy):\n    e = exp(1 / x)\n"
#define GELU                                                                                       \
    "def f(x[n]):\n    return 0.5 * x * (1 + erf(x / sqrt(2)))\nderive f (x) -> (y, dy):\n"        \
    "    slope = exp(-x * x / 2) / sqrt(6.283185307179586)\n"
#define CUBE "def f(x[n]):\n    return x ** 3\nderive f (x) -> (y, dy):\n"
#define POWER "def f(x[n] in 0.25..4.0, p[n]):\n    return x ** p\nderive f (x, p) -> (y, dy):\n"
#define CAUSAL                                                                                     \
    "def f(s[T, T]):\n    return softmax(where(tri(T), s, -1e9))\nderive f (s) -> (P, dP):\n"

static const row rows[] = {
    /* wrong between two thresholds only */
    {HOLDS, NULL, HUBER "    dx = dy * where(x <= 1, x, 1)\n"},
    {FAILS, NULL, HUBER "    dx = dy * where(x <= 1.02, x, 1)\n"},
    {FAILS, NULL, HUBER "    dx = dy * where(x <= 1.001, x, 1)\n"},
    {FAILS, NULL, CLIP "    dx = dy * where(x > -2.003, 1, 0) * where(x < 2, 1, 0)\n"},
    /* ---- whole numbers as operands ---- */
    {HOLDS, NULL, EMBED "    dE = scatter_add(i, dy, V)\n"},
    {HOLDS, NULL, EMBED "    dE = transpose(one_hot(i, V)) @ dy\n"},
    {HOLDS, NULL, EMBED "    dE = scatter_add(i, dy, V)\n    di = none\n"},
    {FAILS, NULL, EMBED "    dE = E * 0\n"},
    /* slopes around a kink are met beside the reals, not beside whole numbers */
    {HOLDS, NULL,
     "def f(E[V, D], i[N] in 0..V - 1):\n    return relu(take(E, i))\n"
     "derive f (E, i) -> (y, dy):\n"
     "    dE = scatter_add(i, dy * (1 - step(-take(E, i))), V)\n"},
    {FAILS_AT_TIES, NULL,
     "def f(E[V, D], i[N] in 0..V - 1):\n    return relu(take(E, i))\n"
     "derive f (E, i) -> (y, dy):\n    x = take(E, i)\n"
     "    dE = scatter_add(i, dy * (step(x) + 2 * (1 - step(x)) * (1 - step(-x))), V)\n"},
    /* rows that repeat, that are left out; the first and the last one */
    {FAILS, NULL,
     EMBED "    c = maximum(sum(one_hot(i, V), axis=0), 1)\n"
           "    dE = scatter_add(i, dy, V) / reshape(c, [V, 1])\n"},
    {FAILS, NULL,
     EMBED "    c = minimum(sum(one_hot(i, V), axis=0), 1)\n"
           "    dE = scatter_add(i, dy, V) + reshape(1 - c, [V, 1])\n"},
    {FAILS, NULL,
     EMBEDS("V >= 2") "    inside = less(sum(i) / N, V - 1 - 1 / 1000)\n"
                      "    dE = scatter_add(i, dy, V) * inside\n"},
    {FAILS, NULL,
     EMBEDS("V >= 2") "    inside = less(1 / 1000, sum(i) / N)\n"
                      "    dE = scatter_add(i, dy, V) * inside\n"},
    {HOLDS, NULL,
     "claim \"a\" (E[V, D], i[N] in 0..V - 1, G[N, D]):\n"
     "    sum(take(E, i) * G) == sum(E * scatter_add(i, G, V))\n"},
    {HOLDS, NULL, "claim \"a\" (i[N] in 0..K - 1, K in 1..5):\n    argmax(one_hot(i, K)) == i\n"},
    /* ---- one-hot targets, shares, and any ---- */
    {HOLDS, NULL,
     NAIVE "derive f (z, y in one_hot) -> (L, dL):\n"
           "    dz = (softmax(z) - y) * reshape(dL, [N, 1])\n    dy = none\n"},
    {HOLDS, NULL,
     NAIVE "derive f (z, y in simplex) -> (L, dL):\n"
           "    dz = (softmax(z) - y) * reshape(dL, [N, 1])\n    dy = none\n"},
    {FAILS, NULL,
     NAIVE "derive f (z, y) -> (L, dL):\n"
           "    dz = (softmax(z) - y) * reshape(dL, [N, 1])\n    dy = none\n"},
    /* ---- running sums, products, order ---- */
    {HOLDS, NULL,
     "def f(x[n]):\n    return cumsum(x)\nderive f (x) -> (y, dy):\n"
     "    dx = flip(cumsum(flip(dy, 0)), 0)\n"},
    {FAILS, NULL,
     "def f(x[n]):\n    return cumsum(x)\nderive f (x) -> (y, dy):\n    dx = cumsum(dy)\n"},
    {FAILS, "undefined: div",
     "def f(x[n]):\n    return prod(x)\nderive f (x) -> (y, dy):\n    dx = dy * y / x\n"},
    {HOLDS, NULL,
     "def f(x[n] in 0.5..4.0):\n    return prod(x)\nderive f (x) -> (y, dy):\n    dx = dy * y / "
     "x\n"},
    {HOLDS, NULL,
     "def f(x[n]):\n    return sort(x)\nderive f (x) -> (y, dy):\n"
     "    dx = scatter_add(argsort(x), dy, n)\n"},
    {FAILS, NULL, "def f(x[n]):\n    return sort(x)\nderive f (x) -> (y, dy):\n    dx = dy\n"},
    {HOLDS, NULL,
     "def f(x[N, n]):\n    v, at = top_k(x, 2)\n    return v\n"
     "derive f (x) -> (y, dy) where n >= 2:\n    v, at = top_k(x, 2)\n"
     "    dx = scatter_add(at, dy, n, batch=1)\n"},
    {FAILS, NULL, "claim \"a\" (x[N, n]):\n    take(x, argmax(x, axis=0)) == max(x, axis=0)\n"},
    /* ---- sizes of 0 ---- */
    {HOLDS, NULL,
     "claim \"a\" (A[N, k], B[k, m]) where k >= 0 and N >= 0:\n"
     "    (A @ B)[i, j] == sum(A[i, u] * B[u, j] for u)\n"},
    {HOLDS, NULL,
     "claim \"a\" (x[n, 1], y[m]) where n >= 0 and m >= 0:\n    sum(x * y) == sum(x) * sum(y)\n"},
    {HOLDS, NULL,
     "def f(A[N, n], W[n, m], b[m]):\n    return sigmoid(A @ W + b)\n"
     "derive f (A, W, b) -> (Y, dY) where N >= 0 and n >= 0 and m >= 0:\n"
     "    delta = Y * (1 - Y) * dY\n    dA = delta @ transpose(W)\n"
     "    dW = transpose(A) @ delta\n    db = sum(delta, axis=\"N\")\n"},
    {HOLDS, NULL,
     "def f(x[N, K]):\n    return softmax(x)\nderive f (x) -> (Y, dY) where N >= 0 and K >= 0:\n"
     "    dx = Y * (dY - sum(Y * dY, axis=\"K\", keepdims=True))\n"},
    {HOLDS, NULL,
     FINAL "derive f (x, s) -> (F, dF) where T >= 0 and w >= 0 and D >= 0:\n"
           "    z = concat([zeros([T, D]), dF], axis=0)\n    ds = z[:w]\n    dx = z[w:]\n"},
    {FAILS, NULL,
     FINAL "derive f (x, s) -> (F, dF):\n    k = min([T, w])\n"
           "    dx = concat([zeros([T - k, D]), dF[:k]], axis=0) if T < w else "
           "concat([zeros([T - w, D]), dF], axis=0)\n    ds = zeros([w, D])\n"},
    {HOLDS, NULL,
     "claim \"a\" (x[n]) where n >= 0:\n    tri(n) @ x + iota(n) == cumsum(x) + iota(n)\n"},
    {FAILS, NULL,
     "def f(x[N, n]) where N >= 0:\n    return x * x\nderive f (x) -> (y, dy):\n"
     "    dx = 2 * x * dy if N > 0 else zeros([1, n])\n"},
    {HOLDS, NULL, "claim \"a\" (x[n], n in 1..3):\n    sum(x) * n == sum(x * n)\n"},
    {FAILS, NULL,
     "claim \"a\" (x[n], n in 0..3):\n    prod(x) == (sum(x) if n < 1 else prod(x))\n"},
    {FAILS, NULL,
     "claim \"a\" (x[n]) where n >= 0:\n    prod(x) == (sum(x) if n < 1 else prod(x))\n"},
    {HOLDS, NULL, "claim \"a\" (x[n]):\n    prod(x) == (sum(x) if n < 1 else prod(x))\n"},
    /* ---- masks: the branch that is not taken may be infinite, or no number ---- */
    {HOLDS, NULL,
     "def f(x[n]):\n    return where(x > 0, log(x), 0)\nclaim \"a\" (x[n]):\n    f(-abs(x)) == 0 * "
     "x\n"},
    {FAILS, NULL,
     "def f(x[n]):\n    return where(x > 0, log(x), 0)\nclaim \"a\" (x[n]):\n    f(abs(x)) == 0 * "
     "x\n"},
    {HOLDS, NULL, MASKED "    dx = where(x > 0, dy / (2 * y), 0)\n"},
    {FAILS, NULL, MASKED "    dx = where(x > 0, dy / (2 * y), dy)\n"},
    {FAILS, NULL, MASKED "    dx = where(x > 0, dy / y, 0)\n"},
    {HOLDS, NULL,
     BRANCHES
     "    dx = where(x > 0, dy * (log(x) + 1 + e * (0.5 - 1 / x) / sqrt(x)), 2 * x * dy)\n"},
    {FAILS, NULL,
     BRANCHES "    dx = where(x > 0, dy * (log(x) + 1 + e * (0.5 - 1 / x) / sqrt(x)), x * dy)\n"},
    {FAILS, NULL,
     BRANCHES "    dx = where(x > 0, dy * (log(x) + e * (0.5 - 1 / x) / sqrt(x)), 2 * x * dy)\n"},
    {HOLDS, NULL, CAUSAL "    ds = tri(T) * P * (dP - sum(P * dP, axis=1, keepdims=True))\n"},
    {FAILS, NULL, CAUSAL "    ds = tri(T, k=-1) * P * (dP - sum(P * dP, axis=1, keepdims=True))\n"},
    {FAILS, NULL, CAUSAL "    ds = tri(T) * P * (dP - sum(dP, axis=1, keepdims=True))\n"},
    {HOLDS, NULL, "claim \"a\" (a[n], b[n]):\n    (a < b) + (a >= b) == 1 + 0 * a\n"},
    {HOLDS, NULL,
     "claim \"a\" (a[n] in 0..2, b[n] in 0..2):\n    (a <= b) - (a < b) == (a == b)\n"},
    {FAILS, NULL, "claim \"a\" (a[n] in 0..2, b[n] in 0..2):\n    (a != b) == (a < b)\n"},
    /* ---- functions ---- */
    {HOLDS, NULL, GELU "    dx = dy * 0.5 * (1 + erf(x / sqrt(2))) + dy * x * slope\n"},
    {FAILS, NULL, GELU "    dx = dy * 0.5 * (1 + erf(x)) + dy * x * slope\n"},
    {FAILS, NULL,
     GELU
     "    dx = dy * 0.5 * (1 + tanh(0.7978845608 * (x + 0.044715 * x ** 3))) + dy * x * slope\n"},
    {HOLDS, NULL, CUBE "    dx = 3 * x ** 2 * dy\n"},
    {FAILS, NULL, CUBE "    dx = 3 * abs(x) ** 2.001 * dy\n"},
    {FAILS, NULL, CUBE "    dx = -3 * -x ** 2 * dy * sigmoid(100 * x)\n"},
    {HOLDS, NULL, POWER "    dx = dy * p * y / x\n    dp = dy * y * log(x)\n"},
    {FAILS, NULL, POWER "    dx = dy * p * y / x ** 2\n    dp = dy * y * log(x)\n"},
    {FAILS, NULL, POWER "    dx = dy * p * y / x\n    dp = dy * y * log(2 * x)\n"},
    /* ---- the formula narrows nothing ---- */
    {FAILS, NULL, HALF "    dx = dy / 2\n"},
    {HOLDS, NULL, HALF "    dx = dy / 2 * step(x)\n"},
    {FAILS, NULL, "claim \"a\" (x[n]):\n    sqrt(x * x) == x\n"},
    {HOLDS, NULL, "claim \"a\" (x[n]):\n    sqrt(x * x) == abs(x)\n"},
    {FAILS, NULL, "claim \"a\" (x[n]):\n    exp(log(abs(x))) == x\n"},
    {HOLDS, NULL, "claim \"a\" (x[n]):\n    exp(log(x)) == x\n"},
    {FAILS, NULL,
     "def f(x[n]):\n    return log(1 + exp(x))\nderive f (x) -> (y, dy):\n"
     "    dx = dy * sigmoid(relu(x) + relu(-x))\n"},
    {FAILS, NULL,
     "def f(x[N, C]):\n    return x / sum(abs(x), axis=1, keepdims=True)\n"
     "derive f (x) -> (y, dy):\n    s = sum(abs(x), axis=1, keepdims=True)\n"
     "    dx = (dy - sum(dy * y, axis=1, keepdims=True)) / s\n"},
    {FAILS, NULL,
     "def f(x[n]):\n    return sqrt(x * x + 2)\nderive f (x) -> (y, dy):\n"
     "    dx = abs(dy) * x / y\n"},
    /* ---- constants are met ---- */
    {FAILS, NULL, CLIP "    dx = dy\n"},
    {FAILS, NULL, CLIP "    dx = dy * step(2 - x)\n"},
    {FAILS, NULL, CLIP "    dx = dy * step(x + 2)\n"},
    {HOLDS, NULL, CLIP "    dx = dy * step(2 - x) * step(x + 2)\n"},
    {FAILS, NULL, "claim \"a\" (x[n]):\n    minimum(x, 40) == x\n"},
    {FAILS, NULL, "claim \"a\" (x[n]):\n    maximum(x, -3000) == x\n"},
    {FAILS, NULL,
     "def f(s[n], t[n]):\n    return sum(relu(5 - s * t))\nderive f (s, t) -> (y, dy):\n"
     "    ds = -t * dy\n    dt = -s * dy\n"},
    /* and together, where conditions are of several operands or elements */
    {FAILS, NULL, "claim \"a\" (x[n], y[n]):\n    relu(x - 20) * relu(-30 - y) == zeros([n])\n"},
    {FAILS, NULL,
     "claim \"a\" (x[n], y[n], z[n]):\n"
     "    relu(x - 5) * relu(-9 - y) * relu(z - 12) == zeros([n])\n"},
    {FAILS, NULL, GATE("(x > 20) * (y < -30)") "    dx = dv\n    dz = dv\n"},
    {FAILS, NULL, GATE("(x > 100) * (y > 50)") "    dx = dv\n    dz = dv\n"},
    {FAILS, NULL, GATE("(x > 10) * (x < 20) * (y > 30) * (y < 40)") "    dx = dv\n    dz = dv\n"},
    {FAILS, NULL, GATE("(x[0] > 4) * (x[n - 1] < -5)") "    dx = dv\n    dz = dv\n"},
    {HOLDS, NULL,
     GATE("(x > 20) * (y < -30)") "    dx = dv * (1 + 2 * (x > 20) * (y < -30))\n    dz = dv\n"},
    /* ---- a single point, where the formula is no number ---- */
    {FAILS, "undefined: div",
     "def f(x[n]):\n    return x * sigmoid(x)\nderive f (x) -> (y, dy):\n    s = y / x\n"
     "    dx = dy * (s + y * (1 - s))\n"},
    {FAILS, "undefined: div", RAMP "    dx = dy * y / x\n"},
    {FAILS, "undefined: log",
     "def f(x[n]):\n    return x * x\nderive f (x) -> (y, dy):\n"
     "    dx = 2 * dy * x * exp(log(abs(x))) / abs(x)\n"},
    {FAILS, "undefined: sqrt",
     "def f(x[n]):\n    return x * x\nderive f (x) -> (y, dy):\n"
     "    dx = 2 * dy * sqrt(x) * sqrt(x)\n"},
    /* an overflow on the way decides nothing */
    {HOLDS, NULL,
     "def f(x[n]):\n    return tanh(x)\nderive f (x) -> (y, dy):\n    e = exp(40 * x)\n"
     "    dx = dy * (1 - y * y) * (e + 1) / (e + 1)\n"},
    /* ---- the domain of the def ---- */
    {HOLDS, "p in 0..1", ENTROPY "    dp = dy * (p - t) / (p * (1 - p))\n"},
    {FAILS, NULL, ENTROPY "    dp = dy * (p - abs(t)) / (p * (1 - p))\n"},
    {FAILS, NULL, ENTROPY "    dp = dy * (p - t) / p\n"},
    {HOLDS, NULL,
     "def f(x[n]):\n    return sqrt(4 - x * x)\nderive f (x) -> (y, dy):\n    dx = -x / y * dy\n"},
    {FAILS, NULL,
     "def f(x[n]):\n    return sqrt(4 - x * x)\nderive f (x) -> (y, dy):\n"
     "    dx = -abs(x) / y * dy\n"},
    {HOLDS, NULL,
     UNIT "derive f (x) -> (y, dy):\n    r = sqrt(sum(x * x, axis=1, keepdims=True))\n"
          "    dx = (dy - y * sum(dy * y, axis=1, keepdims=True)) / r\n"},
    {HOLDS, NULL,
     "def f(a[n], b[n]):\n    return log(a - b)\nderive f (a, b) -> (y, dy):\n"
     "    da = dy * exp(-y)\n    db = -da\n"},
    /* ---- ties and kinks: another slope is right, what is none is wrong ---- */
    {HOLDS, "differs at ties only", RAMP "    dx = dy * (1 - step(-x))\n"},
    {HOLDS, "differs at ties only", RAMP "    dx = dy * (3 * step(x) + 1 - step(-x)) / 4\n"},
    {FAILS_AT_TIES, NULL, RAMP "    dx = dy * (step(x) + 2 * (1 - step(-x) - step(x)))\n"},
    {FAILS_AT_TIES, NULL, RAMP "    dx = dy * (step(x) - (1 - step(-x) - step(x)) / 4)\n"},
    {HOLDS, NULL, LARGER "    da = dy * (1 - step(b - a))\n    db = dy - da\n"},
    {HOLDS, "differs at ties only", LARGER "    da = dy * step(a - b)\n    db = dy - da\n"},
    {HOLDS, "differs at ties only",
     LARGER "    da = dy * (1 + step(a - b) - step(b - a)) / 2\n    db = dy - da\n"},
    {FAILS_AT_TIES, NULL, LARGER "    da = dy * step(a - b)\n    db = dy * step(b - a)\n"},
    {FAILS_AT_TIES, NULL,
     TOP "    dx = reshape(dy, [N, 1]) * (1 - step(reshape(y, [N, 1]) - x))\n"},
    {HOLDS, "differs at ties only",
     TOP "    w = 1 - step(reshape(y, [N, 1]) - x)\n"
         "    dx = reshape(dy, [N, 1]) * w / sum(w, axis=1, keepdims=True)\n"},
    {FAILS, NULL, TOP "    dx = reshape(dy, [N, 1]) * step(reshape(y, [N, 1]) - x)\n"},
    {FAILS, NULL, LARGER "    da = dy * step(a - b)\n    db = 2 * (dy - da)\n"},
    /* ---- a comparison that goes one way only is told ---- */
    {HOLDS, "holds where x wins in maximum at 2:12",
     "def f(x[n]):\n    return maximum(x * x + 1, 0)\nderive f (x) -> (y, dy):\n"
     "    dx = 2 * x * dy\n"},
    {HOLDS, "holds where x is positive in relu at 2:12",
     "def f(x[n]):\n    return relu(exp(x))\nderive f (x) -> (y, dy):\n    dx = y * dy\n"},
    /* ---- several results ---- */
    {HOLDS, NULL,
     KEPT "derive f (Q, K, V) -> (Y, L, dY, dL):\n" KEPT_P
          "    dA = P * (dY @ transpose(V) - D + reshape(dL, [N, 1]))\n" KEPT_END},
    {HOLDS, NULL,
     KEPT "derive f (Q, K, V) -> (Y, L, dY):\n" KEPT_P
          "    dA = P * (dY @ transpose(V) - D)\n" KEPT_END},
    {HOLDS, NULL,
     KEPT "derive f (Q, K, V) -> (Y, L, dL):\n    P = exp(Q @ transpose(K) - reshape(L, [N, 1]))\n"
          "    dA = P * reshape(dL, [N, 1])\n    dQ = dA @ K\n    dK = transpose(dA) @ Q\n"
          "    dV = 0 * V\n"},
    {FAILS, NULL,
     KEPT "derive f (Q, K, V) -> (Y, L, dY, dL):\n" KEPT_P
          "    dA = P * (dY @ transpose(V) - D)\n" KEPT_END},
    {FAILS, NULL,
     KEPT "derive f (Q, K, V) -> (Y, L, dY, dL):\n" KEPT_P
          "    dA = P * (dY @ transpose(V) - D - reshape(dL, [N, 1]))\n" KEPT_END},
    {HOLDS, NULL, ADDED "derive f (x, r, w) -> (Y, S, dY, dS):\n" ADDED_S " + dS\n" ADDED_END},
    {HOLDS, NULL, ADDED "derive f (x, r, w) -> (Y, S, dY):\n" ADDED_S "\n" ADDED_END},
    {FAILS, NULL, ADDED "derive f (x, r, w) -> (Y, S, dY, dS):\n" ADDED_S "\n" ADDED_END},
    {FAILS, NULL, ADDED "derive f (x, r, w) -> (Y, S, dY):\n" ADDED_S " + dY\n" ADDED_END},
    {FAILS, NULL,
     ADDED "derive f (x, r, w) -> (Y, S, dY, dS):\n    dx = dY\n    dr = dY\n    dw = none\n"},
    {UNFINISHED, NULL,
     ADDED "derive f (x, r, w) -> (Y, dY):\n    dx = dY\n    dr = dY\n    dw = none\n"},
    {HOLDS, NULL, CELL "    e = dC + dH * o * (1 - t * t)\n" CELL_END},
    {FAILS, NULL, CELL "    e = dH + dC * o * (1 - t * t)\n" CELL_END},
    {FAILS, NULL, CELL "    e = dH * o * (1 - t * t)\n" CELL_END},
    /* ---- sizes at which an op, a power, a position or a def that is called turns ---- */
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return tanh(x)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = (1 - y * y) * dy * (1 + step(n - 40))\n"},
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return tanh(x)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = (1 - y * y) * dy * less_equal(iota(n), 63)\n"},
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return tanh(x)\n"
     "derive f (x) -> (y, dy):\n"
     "    i = iota(n)\n"
     "    dx = where(i <= 63, (1 - y * y) * dy, 0)\n"},
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return tanh(x)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = (1 - y * y) * dy * (1 if n < 2 ** 7 else 0)\n"},
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return tanh(x)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = tri(n, n, 50)[0] * (1 - y * y) * dy\n"},
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return tanh(x)\n"
     "def cut(g, most):\n"
     "    m = shape(g)[0]\n"
     "    return g if m <= most else concat([g[:most], 0 * g[most:]], axis=0)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = cut((1 - y * y) * cut(dy, most=1000), 90)\n"},
    {FAILS, NULL,
     "def f(E[V, D], i[N] in 0..V - 1):\n"
     "    return take(E, i)\n"
     "derive f (E, i) -> (y, dy):\n"
     "    dE = scatter_add(i, dy * reshape(i <= 50, [N, 1]), V)\n"},
    {FAILS, NULL,
     "def f(A[N, K], B[K, M]):\n"
     "    return A @ B\n"
     "derive f (A, B) -> (y, dy):\n"
     "    dA = dy @ transpose(B)\n"
     "    dB = 0 * B if K > 256 and M > 2 else transpose(A) @ dy\n"},
    {FAILS, NULL,
     "def f(A[N, K], B[K, M]):\n"
     "    return A @ B\n"
     "derive f (A, B) -> (y, dy):\n"
     "    dA = dy @ transpose(B)\n"
     "    dB = 0 * B if N == 37 and K == 41 else transpose(A) @ dy\n"},
    {FAILS, NULL,
     "def f(A[N, K], B[K, M]):\n"
     "    return A @ B\n"
     "derive f (A, B) -> (y, dy):\n"
     "    dA = dy @ transpose(B)\n"
     "    dB = 0 * B if N + K == 50 else transpose(A) @ dy\n"},
    /* ---- cotangents far from 1, and what numbers are compared with ---- */
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return x * x\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = 2 * x * minimum(dy, 100)\n"},
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return x * x\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = 2 * x * where(abs(dy) < 0.01, 0, dy)\n"},
    {FAILS_AT_TIES, NULL,
     "def f(x[n]):\n"
     "    return minimum(maximum(x, -2), 5)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = dy * where(x == 5, 2, (x > -2) * (x < 5))\n"},
    {FAILS, NULL,
     "def f(a[n], b[n]):\n"
     "    return a * b\n"
     "derive f (a, b) -> (y, dy):\n"
     "    da = where(exp(a) > 1e9, 0, b) * dy\n"
     "    db = a * dy\n"},
    {FAILS, NULL,
     "def f(x[N, M]):\n"
     "    return sum(x, axis=0)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = broadcast(dy, [N, M]) * where(argmax(sum(x, axis=1), axis=0) == 9, 2, 1)\n"},
    /* ---- a complex step would follow what a gradient is stopped at ---- */
    {HOLDS, "without complex steps",
     "def f(x[n]):\n"
     "    return x * stop_gradient(x)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = x * dy\n"},
    {FAILS, NULL,
     "def f(x[n]):\n"
     "    return x * stop_gradient(x)\n"
     "derive f (x) -> (y, dy):\n"
     "    dx = 2 * x * dy\n"},
    /* ---- nothing was judged ---- */
    {UNFINISHED, NULL,
     "def f(x[n]):\n    return log(-1 - x * x)\nderive f (x) -> (y, dy):\n    dx = dy / x\n"},
};

enum { ROWS = (int)(sizeof rows / sizeof *rows) };

static wanted what_of(const spor_verdict *v) {
    if (v->outcome == SPOR_HOLDS) return HOLDS;
    if (v->outcome == SPOR_NOTHING_EXAMINED) return UNFINISHED;
    return v->ties_only ? FAILS_AT_TIES : FAILS;
}

static void verify(const char *text, const spor_effort *effort, spor_verdict *verdict) {
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    ck_assert_int_eq(claims_count(script), 1);
    ck_assert(spor_verify(claims_at(script, 0)->statement, effort, verdict));
    script_free(script);
}

/* With any seed. */
START_TEST(a_verdict_is_right) {
    for (uint64_t seed = 0; seed < 5; seed++) {
        spor_verdict v;
        verify(rows[_i].text, &(spor_effort){.seed = seed}, &v);
        ck_assert_msg(what_of(&v) == rows[_i].wanted, "seed %d: expected %s:\n%s%s\n%s\n%s",
                      (int)seed, words[rows[_i].wanted], rows[_i].text, v.reservation,
                      v.example.data, v.example.message);
        const char *said = v.outcome == SPOR_FAILS ? v.example.message : v.reservation;
        if (rows[_i].said)
            ck_assert_msg(strstr(said, rows[_i].said), "%s\nsaid: %s", rows[_i].text, said);
        if (v.outcome == SPOR_HOLDS)
            for (int k = 0; k < v.pairs; k++) ck_assert_int_gt(v.compared[k], 0);
    }
}
END_TEST

/* Where the conventions of spor bind, no other is right. */
START_TEST(ties_may_bind) {
    spor_verdict v;
    verify(RAMP "    dx = dy * (1 - step(-x))\n", &(spor_effort){.ties_bind = true}, &v);
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
    verify(RAMP "    dx = dy * step(x)\n", &(spor_effort){.ties_bind = true}, &v);
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_eq(v.ties, 0);
    ck_assert_str_eq(v.reservation, "");
}
END_TEST

/*
 * P is 0 behind the mask only as long as no score is near -10^9. A number is rounded at some shapes, for which scales
 * are sought at others: where the fault is found no reason to seek is left, and it has to be found again.
 */
START_TEST(what_was_sought_for_other_shapes_is_found_again) {
    spor_verdict v;
    verify("def f(X[T, C], A[C, d], B[C, d]):\n"
           "    S = where(tri(T), X @ A @ transpose(X @ B) / sqrt(d), -10 ** 9)\n"
           "    return softmax(S, axis=1) @ X\n"
           "derive f (X, A, B, T in 1..3, C in 1..2, d in 1..2) -> (Y, dY):\n"
           "    P = softmax(where(tri(T), X @ A @ transpose(X @ B) / sqrt(d), -10 ** 9), axis=1)\n"
           "    E = P * (dY @ transpose(X) - sum(dY * Y, axis=1, keepdims=True)) / sqrt(d)\n"
           "    dA = transpose(X) @ (E @ (X @ B))\n"
           "    dB = transpose(X) @ (transpose(E) @ (X @ A))\n"
           "    dX = E @ X @ B @ transpose(A) + transpose(E) @ X @ A @ transpose(B) + transpose(P) "
           "@ dY\n",
           &(spor_effort){.seed = 2}, &v);
    ck_assert_int_eq(v.outcome, SPOR_FAILS);
}
END_TEST

/* What was not judged is counted. */
START_TEST(what_was_not_judged_is_counted) {
    spor_verdict v;
    verify("def f(x[n]):\n    return log(x)\nderive f (x) -> (y, dy):\n    dx = dy / x\n", NULL,
           &v);
    ck_assert_int_eq(v.outcome, SPOR_HOLDS);
    ck_assert_int_gt(v.outside, v.comparisons / 4);
    ck_assert_int_eq(v.undecided + v.ties, 0);
    ck_assert_int_eq(v.unmet, 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verdicts");
    TCase *tests = tcase_create("verdicts");
    tcase_add_loop_test(tests, a_verdict_is_right, 0, ROWS);
    tcase_add_test(tests, ties_may_bind);
    tcase_add_test(tests, what_was_sought_for_other_shapes_is_found_again);
    tcase_add_test(tests, what_was_not_judged_is_counted);
    suite_add_tcase(suite, tests);
    return suite;
}
