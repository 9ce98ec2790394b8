/* What scripts mean: plain values, tensors against numbers, layout, scopes. */
#include "../suite.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

/* ---- plain values: what fail(...) writes ----------------------------------------------------- */

static const struct {
    const char *text, *value; /* an expression, or statements that end in one after ": " */
} plain[] = {
    {"1 + 2 * 3", "7"},
    {"(1 + 2) * 3", "9"},
    {"2 - 3 - 4", "-5"},
    {"-2 * -3", "6"},
    {"7 / 2", "3.5"},
    {"2 ** 10", "1024"},
    {"-2 ** 2", "-4"},
    {"(-2) ** 3", "-8"},
    {"2 ** -1", "0.5"},
    {"2 ** 3 ** 2", "512"},
    {"2 * 3 ** 2", "18"},
    {"10 ** -3", "0.001"},
    {"2.5 ** 2", "6.25"},
    {"4 ** 0.5", "2.0"},
    {"0 ** 0", "1"},
    {"2 ** -2 ** 2", "0.0625"},
    {"[k ** 2 for k in range(4)]", "[0, 1, 4, 9]"},
    {"[k for k in range(6) if k % 2 == 1]", "[1, 3, 5]"},
    {"[[i, j] for i in range(2) for j in range(i + 1)]", "[[0, 0], [1, 0], [1, 1]]"},
    {"[a + b for a, b in [[1, 2], [3, 4]]]", "[3, 7]"},
    {"[[j for j in range(i)] for i in range(3)]", "[[], [0], [0, 1]]"},
    {"[k if k > 1 else 0 for k in range(3)]", "[0, 0, 2]"},
    {"[i for i in range(9) if i > 2 if i < 5]", "[3, 4]"},
    {"\"\"\"a \"word\" of it\"\"\"", "a \"word\" of it"},
    {"sin(0) + cos(0) + expm1(0) + erf(0)", "1.0"},
    {"6 / 2", "3.0"},
    {"7 // 2", "3"},
    {"-7 // 2", "-4"},
    {"7 // -2", "-4"},
    {"-7 % 3", "2"},
    {"7 % -3", "-2"},
    {"-8 % 4", "0"},
    {"-9223372036854775807 - 1", "-9223372036854775808"},
    {"1e-3", "0.001"},
    {".5 + 1.", "1.5"},
    {"1 + 2.5", "3.5"},
    {"2 == 2.0", "True"},
    {"1 < 2", "True"},
    {"2 <= 1", "False"},
    {"2.5 >= 2", "True"},
    {"1 != 1", "False"},
    {"\"a\" == 'a'", "True"},
    {"\"a\" == 1", "False"},
    {"\"a\" + \"b\\\"\\\\\"", "ab\"\\"},
    {"not True or 1 < 2 and 3 < 4", "True"},
    {"False and 1 // 0 == 1", "False"},
    {"True or 1 // 0 == 1", "True"},
    {"1 if 2 > 1 else 1 // 0", "1"},
    {"[1, [2, 3.0], \"x\", True,]", "[1, [2, 3.0], x, True]"},
    {"[]", "[]"},
    {"(1,)", "[1]"},
    {"(1, 2) == [1, 2]", "True"},
    {"[1] + [2, 3]", "[1, 2, 3]"},
    {"[0, 1] * 2", "[0, 1, 0, 1]"},
    {"[1, 2, 3][0]", "1"},
    {"[1, 2, 3][-1]", "3"},
    {"[1, 2, 3, 4][1:3]", "[2, 3]"},
    {"[1, 2, 3, 4][::2]", "[1, 3]"},
    {"[1, 2, 3, 4][-2:]", "[3, 4]"},
    {"[1, 2][2:]", "[]"},
    {"[1, 2, 3][-9:2]", "[1, 2]"},
    {"[1, 2, 3][1:9]", "[2, 3]"},
    {"[1, 2, 3][2:1]", "[]"},
    {"[[1, 2], [3, 4]][1][0]", "3"},
    {"2 in [1, 2]", "True"},
    {"2 not in [1, 2]", "False"},
    {"not 3 in [1, 2]", "True"},
    {"len([1, 2, 3])", "3"},
    {"len(\"abc\")", "3"},
    {"range(3)", "[0, 1, 2]"},
    {"range(1, 4)", "[1, 2, 3]"},
    {"range(5, 0, -2)", "[5, 3, 1]"},
    {"range(0)", "[]"},
    {"range(3, 1)", "[]"},
    {"reversed([1, 2, 3])", "[3, 2, 1]"},
    {"pair(3)", "[3, 3]"},
    {"pair([2, 3])", "[2, 3]"},
    {"max(1, 3, 2)", "3"},
    {"max([1.5, 0])", "1.5"},
    {"min(2, 1)", "1"},
    {"sum([1, 2, 3])", "6"},
    {"kind(1)", "integer"},
    {"kind(1.0)", "real"},
    {"kind([])", "list"},
    {"kind(\"\")", "string"},
    {"kind(1 < 2)", "boolean"},
    {"kind(tanh)", "function"},
    {"sqrt(9)", "3.0"},
    {"exp(0) + log(1) + tanh(0) + abs(-2)", "3.0"},
    {"sigmoid(0)", "0.5"},
    {"1_000", NULL},
    {"identity(4)", "4"},
    {"relu == relu", "True"},
};

START_TEST(plain_values) {
    char text[512], out[4096], expected[600];
    snprintf(text, sizeof text, "fail(%s)", plain[_i].text);
    load_message(text, out, sizeof out);
    if (!plain[_i].value) {
        ck_assert_msg(*out != 0, "%s is taken", text);
        return;
    }
    snprintf(expected, sizeof expected, "s.spor:1:1: %s\n", plain[_i].value);
    ck_assert_msg(!strncmp(out, expected, strlen(expected)), "%s\ngives %s", text, out);
}
END_TEST

/* ---- statements ------------------------------------------------------------------------------ */

static const struct {
    const char *text, *value;
} statements[] = {
    {"a = 1\na += 2\na *= 5\na //= 2\nfail(a)\n", "7"},
    {"a, b = [1, 2]\nb, a = a, b\nfail(a, b)\n", "21"},
    {"s = 0\nfor k in range(4):\n    s += k\nfail(s, k)\n", "63"},
    {"for a, b in [[1, 2], [3, 4]]:\n    c = a * b\nfail(c)\n", "12"},
    {"for k in range(0):\n    fail(1)\nfail(2)\n", "2"},
    {"def f(n):\n    if n < 0: return -1\n    elif n == 0:\n        return 0\n    else: return 1\n"
     "fail(f(-5), f(0), f(5))\n",
     "-101"},
    {"def f(a, b=2, c=3):\n    return [a, b, c]\nfail(f(1), f(1, c=5), f(b=0, a=9))\n",
     "[1, 2, 3][1, 2, 5][9, 0, 3]"},
    {"def f():\n    return 1, 2\na, b = f()\nfail(a + b)\n", "3"},
    {"def f(x):\n    y = x\n    return y\ny = 1\nf(2)\nfail(y)\n", "1"},
    {"y = 1\ndef f():\n    return y\ny = 2\nfail(f())\n", "2"},
    {"def twice(f, x):\n    return f(f(x))\ndef inc(x): return x + 1\nfail(twice(inc, 1))\n", "3"},
    {"def make(n):\n    def add(x):\n        return x + n\n    return add\nfail(make(2)(3))\n",
     "5"},
    {"a = [1,\n     2,  # a comment\n\n  3]\nfail(a[\n 0\n], len(a))\n", "13"},
    {"# nothing\n\n   # indented comment\npass\nif True:\n\n    # comment\n    pass\nfail(1)", "1"},
    {"\"a text alone does nothing\"\nfail(1)\r\n", "1"},
    {"\"\"\"a text\nof lines\n\"\"\"\ndef f(x):\n    '''what\nf is'''\n    return x\nfail(f(3))\n",
     "3"},
    {"x = 5\nx **= 2\nfail(x)\n", "25"},
    {"k = 9\na = [k for k in range(2)]\nfail(k, a)\n", "9[0, 1]"},
    {"def f(n): return [g(k) for k in range(n)]\ndef g(k): return k + 1\nk = 9\nfail(f(3), k)\n",
     "[1, 2, 3]9"},
    {"def f(x):\n    for k in range(10):\n        if k == x:\n            return k * 10\n    "
     "return -1\n"
     "fail(f(3), f(30))\n",
     "30-1"},
    {"include \"layers.spor\"\ninclude \"layers.spor\"\nfail(same_tf(5, 2, 2), same_report(5, 2, "
     "2))\n",
     "[0, 1][0, 1]"},
    {"include \"layers.spor\"\nfail(same_tf(7, 3, 3), same_report(7, 3, 3), same_report(7, 3, "
     "4))\n",
     "[1, 1][0, 2][0, 0]"},
    {"include \"layers.spor\"\nfail(same_report(1, 2, 2), same_report(2, 1, 2), same_tf(1, 2, "
     "2))\n",
     "[0, 1][0, 0][0, 1]"},
};

START_TEST(statement_values) {
    char out[4096], start[64];
    load_message(statements[_i].text, out, sizeof out);
    const char *colon = strchr(out, ' ');
    snprintf(start, sizeof start, "%s\n", statements[_i].value);
    ck_assert_msg(colon && !strncmp(colon + 1, start, strlen(start)), "%s\ngives %s",
                  statements[_i].text, out);
}
END_TEST

/* ---- tensors --------------------------------------------------------------------------------- */

/* Inputs x and y count up from first; the function is f. */
static const struct {
    const char *body; /* of f(x) or f(x, y) */
    input x, y;
    const char *values;
} tensors[] = {
    {"x + 1", {{1, {3}}, 0}, {{0}, 0}, "[3] 1 2 3"},
    {"2 * x - 0.5", {{1, {3}}, 0}, {{0}, 0}, "[3] -0.5 1.5 3.5"},
    {"1 / x", {{1, {2}}, 1}, {{0}, 0}, "[2] 1 0.5"},
    {"-x", {{1, {2}}, 1}, {{0}, 0}, "[2] -1 -2"},
    {"+x", {{1, {2}}, 1}, {{0}, 0}, "[2] 1 2"},
    {"x + y", {{2, {2, 3}}, 0}, {{1, {3}}, 10}, "[2,3] 10 12 14 13 15 17"},
    {"x * y", {{2, {2, 1}}, 1}, {{1, {3}}, 1}, "[2,3] 1 2 3 2 4 6"},
    {"x @ y", {{2, {2, 2}}, 1}, {{2, {2, 1}}, 1}, "[2,1] 5 11"},
    {"x @ y", {{1, {2}}, 1}, {{2, {2, 2}}, 1}, "[2] 7 10"},
    {"x @ y", {{2, {2, 2}}, 1}, {{1, {2}}, 1}, "[2] 5 11"},
    {"x @ y", {{1, {3}}, 1}, {{1, {3}}, 1}, "[] 14"},
    {"x @ y", {{3, {2, 1, 2}}, 1}, {{2, {2, 1}}, 1}, "[2,1,1] 5 11"},
    {"transpose(x) @ y", {{2, {2, 1}}, 1}, {{2, {2, 2}}, 1}, "[1,2] 7 10"},
    {"sum(x)", {{2, {2, 2}}, 1}, {{0}, 0}, "[] 10"},
    {"sum(x, axis=0)", {{2, {2, 2}}, 1}, {{0}, 0}, "[2] 4 6"},
    {"sum(x, -1, keepdims=True)", {{2, {2, 2}}, 1}, {{0}, 0}, "[2,1] 3 7"},
    {"sum(x, axis=[0, 2])", {{3, {2, 2, 2}}, 0}, {{0}, 0}, "[2] 10 18"},
    {"sum([x, x, 1])", {{1, {2}}, 1}, {{0}, 0}, "[2] 3 5"},
    {"mean(x)", {{2, {2, 2}}, 1}, {{0}, 0}, "[] 2.5"},
    {"mean(x, axis=1)", {{2, {2, 2}}, 1}, {{0}, 0}, "[2] 1.5 3.5"},
    {"max(x, axis=0)", {{2, {2, 2}}, 1}, {{0}, 0}, "[2] 3 4"},
    {"max(x)", {{2, {2, 2}}, 1}, {{0}, 0}, "[] 4"},
    {"maximum(x, 2)", {{1, {3}}, 1}, {{0}, 0}, "[3] 2 2 3"},
    {"minimum(2.5, x)", {{1, {3}}, 1}, {{0}, 0}, "[3] 1 2 2.5"},
    {"less(x, 2)", {{1, {3}}, 1}, {{0}, 0}, "[3] 1 0 0"},
    {"where(less(x, 0), 0, x)", {{1, {3}}, -1}, {{0}, 0}, "[3] 0 0 1"},
    {"where(x, 1, 2)", {{1, {3}}, -1}, {{0}, 0}, "[3] 1 2 1"},
    {"softplus(x * 0) / log(2)", {{1, {2}}, 1}, {{0}, 0}, "[2] 1 1"},
    {"xdivy(x, 0 * x) * 0", {{1, {1}}, 0}, {{0}, 0}, "[1] 0"},
    {"x < 1", {{1, {4}}, -1}, {{0}, 0}, "[4] 1 1 0 0"},
    {"x <= 1", {{1, {4}}, -1}, {{0}, 0}, "[4] 1 1 1 0"},
    {"x > 1", {{1, {4}}, -1}, {{0}, 0}, "[4] 0 0 0 1"},
    {"1 > x", {{1, {4}}, -1}, {{0}, 0}, "[4] 1 1 0 0"},
    {"x >= 1", {{1, {4}}, -1}, {{0}, 0}, "[4] 0 0 1 1"},
    {"x == 1", {{1, {4}}, -1}, {{0}, 0}, "[4] 0 0 1 0"},
    {"1 != x", {{1, {4}}, -1}, {{0}, 0}, "[4] 1 1 0 1"},
    {"(x < y) * 2", {{2, {2, 1}}, 1}, {{1, {3}}, 1}, "[2,3] 0 2 2 0 0 2"},
    {"where(x == [0, 5, 1], 7, x)", {{1, {3}}, -1}, {{0}, 0}, "[3] -1 0 7"},
    {"where(x > 1, x, y)", {{2, {2, 1}}, 1}, {{1, {2}}, 8}, "[2,2] 8 9 2 2"},
    {"x ** 2", {{1, {3}}, -1}, {{0}, 0}, "[3] 1 0 1"},
    {"x ** 3.0", {{1, {3}}, -3}, {{0}, 0}, "[3] -27 -8 -1"},
    {"-x ** 2", {{1, {2}}, 1}, {{0}, 0}, "[2] -1 -4"},
    {"x ** 0", {{1, {2}}, 0}, {{0}, 0}, "[2] 1 1"},
    {"x ** -2", {{1, {2}}, 1}, {{0}, 0}, "[2] 1 0.25"},
    {"x ** 0.5", {{1, {1}}, 4}, {{0}, 0}, "[1] 2"},
    {"2 ** x", {{1, {3}}, -1}, {{0}, 0}, "[3] 0.5 1 2"},
    {"x ** y", {{2, {2, 1}}, -3}, {{1, {2}}, 1}, "[2,2] -3 9 -2 4"},
    {"pow(x, 3)", {{1, {2}}, 1}, {{0}, 0}, "[2] 1 8"},
    {"x + [[1, 0], [0.5, 1]]", {{1, {2}}, 1}, {{0}, 0}, "[2,2] 2 2 1.5 3"},
    {"[1, 10] * x", {{1, {2}}, 1}, {{0}, 0}, "[2] 1 20"},
    {"x @ [[1, 0], [1, 1]]", {{2, {1, 2}}, 1}, {{0}, 0}, "[1,2] 3 2"},
    {"maximum(x, [2, 1])", {{1, {2}}, 1}, {{0}, 0}, "[2] 2 2"},
    {"x * tri(2)", {{2, {2, 2}}, 1}, {{0}, 0}, "[2,2] 1 0 3 4"},
    {"tri(2, 3) + 0 * x", {{1, {3}}, 1}, {{0}, 0}, "[2,3] 1 0 0 1 1 0"},
    {"tri(2, 3, k=1) + 0 * x", {{1, {3}}, 1}, {{0}, 0}, "[2,3] 1 1 0 1 1 1"},
    {"tri(2, k=-1) + 0 * x", {{1, {2}}, 1}, {{0}, 0}, "[2,2] 0 0 1 0"},
    {"iota(3) + x", {{1, {1}}, 2}, {{0}, 0}, "[3] 2 3 4"},
    {"min(x)", {{2, {2, 2}}, 1}, {{0}, 0}, "[] 1"},
    {"min(x, axis=1, keepdims=True)", {{2, {2, 2}}, 1}, {{0}, 0}, "[2,1] 1 3"},
    {"exp(logsumexp(log(x), axis=[0, 1]))", {{2, {2, 2}}, 1}, {{0}, 0}, "[] 10"},
    {"exp(logsumexp(log(x), axis=[0, 2]))", {{3, {2, 2, 1}}, 1}, {{0}, 0}, "[2] 4 6"},
    {"exp(logsumexp(log(x), axis=[2, 0], keepdims=True))",
     {{3, {2, 2, 1}}, 1},
     {{0}, 0},
     "[1,2,1] 4 6"},
    {"exp(logsumexp(log(x), axis=0, keepdims=True))", {{2, {2, 2}}, 1}, {{0}, 0}, "[1,2] 4 6"},
    {"10 * softmax(log(x), axis=[0, 1])", {{2, {2, 2}}, 1}, {{0}, 0}, "[2,2] 1 2 3 4"},
    {"12 * softmax(log(x), axis=[0, 1])", {{3, {2, 1, 2}}, 1}, {{0}, 0}, "[2,1,2] 3 4 9 8"},
    {"4 * softmax(log(x), axis=[0, 2])[:, 0]", {{3, {2, 2, 1}}, 1}, {{0}, 0}, "[2,1] 1 3"},
    {"exp(log_softmax(x * 0, axis=[0, 1]))", {{2, {2, 1}}, 4}, {{0}, 0}, "[2,1] 0.5 0.5"},
    {"relu(x)", {{1, {3}}, -1}, {{0}, 0}, "[3] 0 0 1"},
    {"leaky_relu(x, slope=0.5)", {{1, {3}}, -2}, {{0}, 0}, "[3] -1 -0.5 0"},
    {"sqrt(x) + exp(0)", {{1, {1}}, 4}, {{0}, 0}, "[1] 3"},
    {"softmax(x)", {{2, {2, 1}}, 4}, {{0}, 0}, "[2,1] 1 1"},
    {"softmax(x * 0, axis=0)", {{2, {2, 1}}, 4}, {{0}, 0}, "[2,1] 0.5 0.5"},
    {"exp(log_softmax(x * 0, axis=0))", {{2, {2, 1}}, 4}, {{0}, 0}, "[2,1] 0.5 0.5"},
    {"exp(logsumexp(log(x)))", {{2, {2, 2}}, 1}, {{0}, 0}, "[2] 3 7"},
    {"reshape(x, [3, -1])", {{2, {2, 3}}, 1}, {{0}, 0}, "[3,2] 1 2 3 4 5 6"},
    {"reshape(x, [])", {{2, {1, 1}}, 1}, {{0}, 0}, "[] 1"},
    {"reshape(x, -1)", {{2, {2, 2}}, 1}, {{0}, 0}, "[4] 1 2 3 4"},
    {"transpose(x)", {{2, {2, 3}}, 1}, {{0}, 0}, "[3,2] 1 4 2 5 3 6"},
    {"transpose(x, [1, 0, 2])", {{3, {1, 2, 2}}, 1}, {{0}, 0}, "[2,1,2] 1 2 3 4"},
    {"flatten(x)", {{3, {2, 1, 2}}, 1}, {{0}, 0}, "[2,2] 1 2 3 4"},
    {"flip(x, axis=1)", {{2, {2, 2}}, 1}, {{0}, 0}, "[2,2] 2 1 4 3"},
    {"rot180(x)", {{2, {2, 3}}, 1}, {{0}, 0}, "[2,3] 6 5 4 3 2 1"},
    {"concat([x, y], axis=1)", {{2, {2, 1}}, 1}, {{2, {2, 2}}, 5}, "[2,3] 1 5 6 2 7 8"},
    {"concat([x, y])", {{1, {1}}, 1}, {{1, {2}}, 5}, "[3] 1 5 6"},
    {"split(x, 2)[1]", {{1, {4}}, 1}, {{0}, 0}, "[2] 3 4"},
    {"split(x, [1, 3], axis=-1)[1]", {{2, {1, 4}}, 1}, {{0}, 0}, "[1,3] 2 3 4"},
    {"pad(x, 1)", {{1, {2}}, 1}, {{0}, 0}, "[4] 0 1 2 0"},
    {"pad(x, [1, 0])", {{2, {1, 2}}, 1}, {{0}, 0}, "[3,2] 0 0 1 2 0 0"},
    {"pad(x, [[1, 0], [0, 1]], value=9)", {{2, {1, 2}}, 1}, {{0}, 0}, "[2,3] 9 9 9 1 2 9"},
    {"pad(x, 1)",
     {{4, {1, 1, 1, 2}}, 1},
     {{0}, 0},
     "[1,3,3,2] 0 0 0 0 0 0 0 0 1 2 0 0 0 0 0 0 0 0"},
    {"pad(x, [0, 1], axis=0)", {{2, {1, 2}}, 1}, {{0}, 0}, "[2,2] 1 2 0 0"},
    {"crop(x, 1)", {{2, {3, 3}}, 1}, {{0}, 0}, "[1,1] 5"},
    {"crop(x, [0, 1], axis=1)", {{2, {1, 3}}, 1}, {{0}, 0}, "[1,2] 1 2"},
    {"x[1]", {{2, {2, 3}}, 1}, {{0}, 0}, "[3] 4 5 6"},
    {"x[:, 1]", {{2, {2, 3}}, 1}, {{0}, 0}, "[2] 2 5"},
    {"x[-1, ::2]", {{2, {2, 3}}, 1}, {{0}, 0}, "[2] 4 6"},
    {"x[..., 0]", {{3, {2, 1, 2}}, 1}, {{0}, 0}, "[2,1] 1 3"},
    {"x[0, ...]", {{2, {2, 2}}, 1}, {{0}, 0}, "[2] 1 2"},
    {"x[1:, :-1]", {{2, {2, 3}}, 1}, {{0}, 0}, "[1,2] 4 5"},
    {"x[1:4:2]", {{1, {5}}, 1}, {{0}, 0}, "[2] 2 4"},
    {"x[1][2]", {{2, {2, 3}}, 1}, {{0}, 0}, "[] 6"},
    {"correlate2d(x, y)", {{2, {2, 3}}, 1}, {{2, {2, 2}}, 1}, "[1,2] 37 47"},
    {"convolve2d(x, y)", {{2, {2, 3}}, 1}, {{2, {2, 2}}, 1}, "[1,2] 23 33"},
    {"correlate2d(x, y, stride=[1, 2])", {{2, {2, 4}}, 1}, {{2, {1, 1}}, 2}, "[2,2] 2 6 10 14"},
    {"correlate2d(x, y)", {{3, {1, 1, 2}}, 1}, {{3, {1, 1, 2}}, 1}, "[1,1] 5"},
    {"correlate2d(x, y)", {{3, {1, 1, 2}}, 1}, {{4, {1, 1, 2, 1}}, 1}, "[1,1,1] 5"},
    {"correlate2d(x, y)", {{4, {2, 1, 1, 1}}, 1}, {{2, {1, 1}}, 3}, "[2,1,1] 3 6"},
    {"maxpool2d(x, 2)", {{4, {1, 2, 4, 1}}, 1}, {{0}, 0}, "[1,1,2,1] 6 8"},
    {"maxpool2d(x, [1, 2], stride=1)", {{4, {1, 1, 3, 1}}, 1}, {{0}, 0}, "[1,1,2,1] 2 3"},
    {"maxpool2d(x, 2, pad=[[0, 0], [0, 1]])", {{4, {1, 2, 3, 1}}, -9}, {{0}, 0}, "[1,1,2,1] -5 -4"},
    {"avgpool2d(x, 2, pad=[0, 0, 0, 1])", {{4, {1, 2, 3, 1}}, 1}, {{0}, 0}, "[1,1,2,1] 3 4.5"},
    {"zeros([2])", {{1, {1}}, 1}, {{0}, 0}, "[2] 0 0"},
    {"ones(2) + full([2], 0.5) + x", {{1, {1}}, 1}, {{0}, 0}, "[2] 2.5 2.5"},
    {"ratio(1, 4) * x", {{1, {2}}, 1}, {{0}, 0}, "[2] 0.25 0.5"},
    {"broadcast(x, [2, 2])", {{1, {2}}, 1}, {{0}, 0}, "[2,2] 1 2 1 2"},
    {"expand(x, axis=-1, shape=[2, 2])", {{1, {2}}, 1}, {{0}, 0}, "[2,2] 1 1 2 2"},
    {"dilate(x, 2)", {{1, {2}}, 1}, {{0}, 0}, "[3] 1 0 2"},
    {"subsample(x, [2])", {{1, {3}}, 1}, {{0}, 0}, "[2] 1 3"},
    {"x * shape(x)[1] + size(x) + batch(x) + channels(x) + rank(x)",
     {{2, {1, 2}}, 0},
     {{0}, 0},
     "[1,2] 7 9"},
    {"x * (2 if training else 3)", {{1, {1}}, 1}, {{0}, 0}, "[1] 3"},
};

START_TEST(tensor_values) {
    char text[512], out[1024];
    int n = tensors[_i].y.shape.rank ? 2 : 1;
    snprintf(text, sizeof text, "def f(%s):\n    return %s\n", n == 2 ? "x, y" : "x",
             tensors[_i].body);
    input inputs[] = {tensors[_i].x, tensors[_i].y};
    run_values(text, false, n, inputs, out, sizeof out);
    ck_assert_msg(!strcmp(out, tensors[_i].values), "%s\ngives %s\nnot   %s", text, out,
                  tensors[_i].values);
}
END_TEST

/* ---- names of axes --------------------------------------------------------------------------- */

static const struct {
    const char *text;
    input x, y;
    const char *values;
} named[] = {
    {"def f(A[N, n]): return sum(A, axis=\"N\") * n + N",
     {{2, {2, 3}}, 1},
     {{0}, 0},
     "[3] 17 23 29"},
    {"def f(A[N, n]): return sum(transpose(A), axis=\"N\")", {{2, {2, 2}}, 1}, {{0}, 0}, "[2] 4 6"},
    {"def f(A[N, n]): return sum(tanh(A) * 0 + 1, axis=\"n\")",
     {{2, {2, 3}}, 1},
     {{0}, 0},
     "[2] 3 3"},
    {"def f(A[N, n], W[n, m]): return sum(A @ W, axis=\"m\")",
     {{2, {2, 2}}, 1},
     {{2, {2, 2}}, 1},
     "[2] 17 37"},
    {"def f(A[N, n], W[n, m]): return sum(A @ W, axis=[\"m\", \"N\"])",
     {{2, {2, 2}}, 1},
     {{2, {2, 2}}, 1},
     "[] 54"},
    /* the name of the caller holds through a def that calls the axis something else */
    {"def half(B[a, b]): return B / 2\ndef f(A[N, n]): return sum(half(A), axis=\"N\")",
     {{2, {2, 2}}, 2},
     {{0}, 0},
     "[2] 3 4"},
    {"def f(A[N, n]): return sum(reshape(A, [N, n, 1]), axis=\"N\")",
     {{2, {2, 2}}, 1},
     {{0}, 0},
     "[2,1] 4 6"},
    {"def f(A[N, n], b[n]): return sum(b + A, axis=\"n\")",
     {{2, {2, 2}}, 1},
     {{1, {2}}, 1},
     "[2] 6 10"},
    {"def f(A[N, n]): return sum(max(A, axis=\"n\"), axis=\"N\")",
     {{2, {2, 2}}, 1},
     {{0}, 0},
     "[] 6"},
    {"def f(A[N, H, W, C], K[k, l, C, F]): return sum(correlate2d(A, K), axis=[\"N\", 1, 2])",
     {{4, {2, 1, 2, 1}}, 1},
     {{4, {1, 1, 1, 2}}, 1},
     "[2] 10 20"},
    {"def f(A[N, n, m]): return logsumexp(0 * A, axis=[\"n\", \"m\"]) / log(N * m)",
     {{3, {1, 2, 2}}, 1},
     {{0}, 0},
     "[1] 2"},
    {"def g(B[a, b]): return B * b\ndef f(A[N, n]): return A + g([[1, 0]])",
     {{2, {1, 2}}, 1},
     {{0}, 0},
     "[1,2] 3 2"},
/* SciPy, x = np.array([-1, 0, 1, 2.]): x * scipy.stats.norm.cdf(x); .5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) *
 * (x + .044715 * x**3))); x * scipy.special.expit(x), twice; np.where(x > 0, x, np.expm1(x)), and with 2 np.expm1;
 * np.clip((x + 3) / 6, 0, 1), and x times that; the same where these turn, at -3 and 3 */
#define ACTIVATION(call, first, values)                                                            \
    { "include \"layers.spor\"\ndef f(x): return " call, {{1, {4}}, first}, {{0}, 0}, values }
    ACTIVATION("gelu(x)", -1, "[4] -0.158655 0 0.841345 1.9545"),
    ACTIVATION("gelu_tanh(x)", -1, "[4] -0.158808 0 0.841192 1.9546"),
    ACTIVATION("silu(x)", -1, "[4] -0.268941 0 0.731059 1.76159"),
    ACTIVATION("swish(x)", -1, "[4] -0.268941 0 0.731059 1.76159"),
    ACTIVATION("elu(x)", -1, "[4] -0.632121 0 1 2"),
    ACTIVATION("elu(x, alpha=2)", -1, "[4] -1.26424 0 1 2"),
    ACTIVATION("elu(x)", 997, "[4] 997 998 999 1000"),
    ACTIVATION("hard_sigmoid(x)", -1, "[4] 0.333333 0.5 0.666667 0.833333"),
    ACTIVATION("hard_swish(x)", -1, "[4] -0.333333 0 0.666667 1.66667"),
    ACTIVATION("hard_swish(x)", -4, "[4] -0 -0 -0.333333 -0.333333"),
    ACTIVATION("hard_swish(x)", 2, "[4] 1.66667 3 4 5"),
    {"def f(A[N, 3]): return A", {{2, {1, 3}}, 1}, {{0}, 0}, "[1,3] 1 2 3"},
    {"def f(c[]): return c * 2", {{0, {0}}, 1}, {{0}, 0}, "[] 2"},
};

START_TEST(named_axes) {
    char out[1024];
    int n = named[_i].y.shape.rank ? 2 : 1;
    input inputs[] = {named[_i].x, named[_i].y};
    run_values(named[_i].text, false, n, inputs, out, sizeof out);
    ck_assert_msg(!strcmp(out, named[_i].values), "%s\ngives %s", named[_i].text, out);
}
END_TEST

/* ---- tapes ----------------------------------------------------------------------------------- */

static char *tape_text(const char *text, bool training) {
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(2, 3));
    script_call(script, "f", tape, training, 1, &x);
    ck_assert_msg(!spor_error(tape), "%s", spor_error(tape));
    char *out = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&out, &size);
    spor_tape_print(tape, 0, 0, stream);
    fclose(stream);
    spor_tape_free(tape);
    script_free(script);
    return out;
}

/* Calls number their scopes per def and caller; a def of numbers only leaves none, but counts. */
START_TEST(scopes_name_parameters) {
    char *out = tape_text("def layer(x, n):\n"
                          "    W = param([channels(x), n], init=\"glorot\", name=\"W\")\n"
                          "    return x @ W + param([n], init=0)\n"
                          "def three(): return 3\n"
                          "def block(x):\n"
                          "    return layer(layer(x, three()), 2)\n"
                          "def f(x):\n"
                          "    return block(block(layer(x, three())))\n",
                          true);
    const char *names[] = {
        "f/layer[0]:\n  W = param()",          "  param[0] = param()",
        "f/block[0]/layer[0]:\n  W = param()", "f/block[0]/layer[1]:\n  W = param()",
        "f/block[1]/layer[0]:\n  W = param()", "f/block[1]/layer[1]:\n  W = param()"};
    for (int k = 0; k < LENGTH(names); k++)
        ck_assert_msg(strstr(out, names[k]) != NULL, "no %s in\n%s", names[k], out);
    ck_assert_msg(!strstr(out, "three"), "%s", out);
    free(out);
}
END_TEST

/* More scopes, deep and side by side, than any table starts with: names stay whole. */
START_TEST(many_scopes_keep_their_names) {
    char *out = tape_text("def inner(x): return tanh(x)\n"
                          "def outer(x):\n"
                          "    for k in range(30): x = inner(x)\n"
                          "    return x\n"
                          "def f(x):\n"
                          "    for k in range(30): x = outer(x)\n"
                          "    return x\n",
                          false);
    for (int i = 0; i < 30; i++)
        for (int k = 0; k < 30; k++) {
            char name[64];
            snprintf(name, sizeof name, "\nf/outer[%d]/inner[%d]:\n", i, k);
            ck_assert_msg(strstr(out, name) != NULL, "no scope %s", name);
        }
    free(out);
}
END_TEST

/* A script records what the same calls of C record. */
START_TEST(script_and_c_record_alike) {
    char *out = tape_text("def f(A[N, n]):\n"
                          "    return mean(tanh(A * 2 - 1), axis=\"n\")\n",
                          false);
    spor_tape *tape = spor_tape_new();
    spor_var x = (spor_input)(tape, "x", SPOR_SHAPE(2, 3));
    spor_scope_begin(tape, "f");
    spor_var two = spor_expand(spor_ratio(tape, 2, 1), 3, SPOR_SHAPE(2, 3));
    spor_var a = spor_mul(x, two);
    spor_var one = spor_expand(spor_ratio(tape, 1, 1), 3, SPOR_SHAPE(2, 3));
    spor_var y = spor_mean(spor_tanh(spor_sub(a, one)), SPOR_AXIS(1));
    spor_scope_end(tape, y);
    char *expected = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&expected, &size);
    spor_tape_print(tape, 0, 0, stream);
    fclose(stream);
    ck_assert_str_eq(out, expected);
    free(expected);
    free(out);
    spor_tape_free(tape);
}
END_TEST

/* Random values differ between calls and are the same in each recording. */
START_TEST(random_values_have_seeds) {
    const char *text = "def noise(x): return random([4])\n"
                       "def f(x): return concat([noise(x), noise(x), random([4]), random([4])])\n";
    char out[1024], again[1024];
    input x = {SPOR_SHAPE(1), 0};
    run_values(text, true, 1, &x, out, sizeof out);
    run_values(text, false, 1, &x, again, sizeof again);
    ck_assert_str_eq(out, again);
    double v[16];
    const char *at = strchr(out, ']') + 1;
    for (int k = 0; k < 16; k++) {
        char *end;
        v[k] = strtod(at, &end);
        at = end;
        for (int other = 0; other < k; other++) ck_assert_double_ne(v[k], v[other]);
    }
}
END_TEST

/* The losses and a def as a loss. Where predictions are logits, RMSE says nothing. */
START_TEST(losses_record) {
    static const struct {
        const char *text, *rest;
        spor_reduction reduction;
        spor_metric metric;
    } losses[] = {
        {"cross_entropy(reduction=\"sum\")", "", SPOR_REDUCTION_SUM, SPOR_METRIC_ACCURACY},
        {"cross_entropy(reduction=\"mean\")", "", SPOR_REDUCTION_MEAN, SPOR_METRIC_ACCURACY},
        {"binary_cross_entropy(reduction=\"sum\")", "", SPOR_REDUCTION_SUM, SPOR_METRIC_ACCURACY},
        {"binary_cross_entropy(reduction=\"mean\")", "", SPOR_REDUCTION_MEAN, SPOR_METRIC_ACCURACY},
        {"squared_error(reduction=\"sum\")", "", SPOR_REDUCTION_SUM, SPOR_METRIC_FITTING},
        {"squared_error(reduction=\"mean\")", "", SPOR_REDUCTION_MEAN, SPOR_METRIC_FITTING},
        {"squared_error(reduction=\"mean\")", ", metric=\"loss\"", SPOR_REDUCTION_MEAN,
         SPOR_METRIC_NONE},
        {"own", ", reduction=\"sum\"", SPOR_REDUCTION_SUM, SPOR_METRIC_FITTING},
        {"own", ", reduction=\"mean\", metric=\"loss\"", SPOR_REDUCTION_MEAN, SPOR_METRIC_NONE}};
    char text[512];
    snprintf(
        text, sizeof text,
        "def own(p, t): return sum((p - t) * (p - t))\n"
        "def net(x): return flatten(x)\n"
        "train(net, data=csv(\"d.csv\", shape=[2, 2], classes=4, scale=0.5), loss=%s,\n"
        "      optimizer=sgd(rate=1, l2=0.25, biases=False), batch=2, epochs=3, target=\"x\"%s)\n",
        losses[_i].text, losses[_i].rest);
    spor_script *script = script_read("s.spor", text, NULL, &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    const spor_declaration *d = script_declaration(script);
    ck_assert_str_eq(d->loss, losses[_i].text);
    ck_assert_int_eq(d->reduction, losses[_i].reduction);
    ck_assert_int_eq(d->metric, losses[_i].metric);
    ck_assert_str_eq(d->own->file[0], "d.csv");
    ck_assert(d->target_is_x && d->sample.rank == 2);
    ck_assert_str_eq(d->optimizer, "sgd(rate=1, l2=0.25, biases=False)");
    spor_tape *tape = spor_tape_new();
    spor_var y = script_net((spor_input)(tape, "x", SPOR_SHAPE(3, 2, 2)), true, script);
    spor_var cost = script_loss(y, (spor_input)(tape, "t", SPOR_SHAPE(3, 4)), script);
    ck_assert_msg(!spor_error(tape), "%s", spor_error(tape));
    ck_assert(cost.id && spor_shape_of(cost).rank == 0);
    spor_tape_free(tape);
    script_free(script);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("script language");
    TCase *test = tcase_create("language");
    tcase_add_loop_test(test, plain_values, 0, LENGTH(plain));
    tcase_add_loop_test(test, statement_values, 0, LENGTH(statements));
    tcase_add_loop_test(test, tensor_values, 0, LENGTH(tensors));
    tcase_add_loop_test(test, named_axes, 0, LENGTH(named));
    tcase_add_test(test, scopes_name_parameters);
    tcase_add_test(test, many_scopes_keep_their_names);
    tcase_add_test(test, script_and_c_record_alike);
    tcase_add_test(test, random_values_have_seeds);
    tcase_add_loop_test(test, losses_record, 0, 9);
    suite_add_tcase(suite, test);
    return suite;
}
