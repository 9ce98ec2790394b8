/* spor verify as a user meets it: verdicts, hints, JSON, the page, arrays, exit statuses. */
#include "../suite.h"
#include "../data/scratch.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "data/npy.h"

enum { MOST = 1 << 18 };

static char out[MOST], err[MOST]; /* of the last run */
static char folder[32];

/* ---- running ---- */

static void read_file(const char *name, char text[MOST]) {
    FILE *file = fopen(name, "rb");
    ck_assert_msg(file != NULL, "%s is missing", name);
    text[fread(text, 1, MOST - 1, file)] = 0;
    fclose(file);
}

static void write_file(const char *name, const char *text) {
    FILE *file = fopen(name, "wb");
    ck_assert(file != NULL && fputs(text, file) >= 0 && !fclose(file));
}

/* spor verify with these words; fails unless it leaves with the status. */
static void verify(int expected, const char *format, ...) {
    char line[1024], command[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    snprintf(command, sizeof command, "exec >out 2>err; '%s' verify %s", getenv("SPOR_PROGRAM"),
             line);
    int status = system(command);
    read_file("out", out);
    read_file("err", err);
    ck_assert_msg(WIFEXITED(status), "killed: %s\n%s", line, err);
    ck_assert_msg(WEXITSTATUS(status) == expected, "status %d for %s\n%.3000s\n%.1000s",
                  WEXITSTATUS(status), line, out, err);
}

static void expect(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) != NULL, "no \"%s\" in:\n%.3000s", part, text);
}

static void expect_no(const char *text, const char *part) {
    ck_assert_msg(strstr(text, part) == NULL, "\"%s\" in:\n%.3000s", part, text);
}

/* spor verify of a script here, with the layers and the digits of the sources. */
static void verify_network(int expected, const char *name, const char *text) {
    char path[1024];
    snprintf(path, sizeof path, "%s/models", getenv("SPOR_SOURCE"));
    setenv("SPOR_MODELS", path, 1);
    snprintf(path, sizeof path, "%s/data", getenv("SPOR_SOURCE"));
    setenv("SPOR_DATA", path, 1);
    write_file(name, text);
    verify(expected, "%s", name);
}

/* The row of a network that is labelled so, up to its end. */
static void row_of(const char *label, char row[512]) {
    const char *at = strstr(out, label);
    ck_assert_msg(at != NULL, "no %s in:\n%.3000s", label, out);
    while (at > out && at[-1] != '\n') at--;
    snprintf(row, 512, "%.*s", (int)strcspn(at, "\n"), at);
}

#define LAYER                                                                                      \
    "def layer(A[N, n], W[n, m], b[m]):\n"                                                         \
    "    return sigmoid(A @ W + b)\n"
#define DERIVE(label, dW, db)                                                                      \
    "derive layer \"" label "\" (A, W, b) -> (Y, dY):\n"                                           \
    "    delta = Y * (1 - Y) * dY\n"                                                               \
    "    dA = delta @ transpose(W)\n"                                                              \
    "    dW = " dW "\n"                                                                            \
    "    db = " db "\n"
#define RIGHT DERIVE("right", "transpose(A) @ delta", "sum(delta, axis=\"N\")")
#define TURNED                                                                                     \
    "def conv(A[H, W], K[k, l]) where k <= H and l <= W:\n"                                        \
    "    return correlate2d(A, K)\n"

static void enter_folder(void) {
    strcpy(folder, "/tmp/spor-verify-XXXXXX");
    ck_assert(mkdtemp(folder) != NULL && !chdir(folder));
    write_file("right.spor",
               LAYER RIGHT "claim \"Eq. 3\" (A[H, W], K[k, l]) where k <= H and l <= W:\n"
                           "    correlate2d(A, rot180(K)) == convolve2d(A, K)\n");
    write_file("wrong.spor",
               LAYER RIGHT DERIVE("sign", "-transpose(A) @ delta", "sum(delta, axis=\"N\")"));
    write_file("fails.spor",
               LAYER "derive layer \"as printed\" (A, W, b) -> (Y, dY) fails:\n"
                     "    delta = Y * (1 - Y) * dY\n    dA = delta @ transpose(W)\n"
                     "    dW = transpose(A) @ delta\n    db = sum(delta, axis=\"m\")\n");
    write_file("holds.spor", "claim \"same\" (A[N]) fails:\n    A == A\n");
    write_file("unfinished.spor", LAYER DERIVE("mine", "...", "..."));
    write_file("conv.spor", TURNED);
}

static void leave_folder(void) {
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    ck_assert(!chdir("/") && !system(command));
}

/* ---- statements ---- */

START_TEST(what_holds_is_told_with_its_evidence) {
    verify(0, "right.spor");
    expect(out, "right.spor\n  holds            right");
    expect(out, "140 shapes (all with N, n, m in 1..5, up to N = 33, n = 33, m = 33)");
    expect(out, "complex steps");
    expect(out, "proved for ");
    expect(out, "\n2 hold\n");
}
END_TEST

START_TEST(a_wrong_formula_is_shown_small) {
    verify(1, "wrong.spor --seed 5");
    expect(out, "DOES NOT HOLD    sign");
    expect(out, "N=1, n=1, m=1: dW[0, 0] is ");
    expect(out, "the sign is wrong");
    expect(out, "wrong.spor:11"); /* the line of dW */
    expect(out, "complex step");
    expect(out, "A [1, 1] = [");
    expect(out, "1 holds, 1 is wrong\n");
    expect(out, "again: spor verify wrong.spor --only \"sign\" --seed 5\n");
    verify(1, "wrong.spor --only sign --seed 5");
    expect_no(out, "  right");
    verify(0, "wrong.spor --only right");
    expect_no(out, "sign");
    verify(1, "wrong.spor --only nothing");
    expect(out, "nothing was examined");
}
END_TEST

/* What is found, and in what order it is told, does not depend on who looked. */
START_TEST(threads_change_no_word) {
    static const char *const what[] = {"right.spor wrong.spor fails.spor unfinished.spor",
                                       "wrong.spor --only sign --json",
                                       "$SPOR_SOURCE/models/derivations/norm_layer.spor --json"};
    static char alone[MOST];
    for (int k = 0; k < 3; k++) {
        int expected = k == 2 ? 0 : 1;
        verify(expected, "%s --threads 1", what[k]);
        memcpy(alone, out, sizeof alone);
        for (int threads = 2; threads <= 7; threads += threads == 2 ? 1 : 4) {
            verify(expected, "%s --threads %d", what[k], threads);
            ck_assert_str_eq(out, alone);
        }
    }
    verify(2, "right.spor --threads 0");
    expect(err, "--threads wants a whole number of at least 1");
}
END_TEST

/* The list in the README of the derivations is what is printed of them. */
START_TEST(the_list_of_derivations_is_what_is_printed) {
    verify(0, "\"$SPOR_SOURCE/models/derivations\"");
    const char *const lists =
        "cd \"$SPOR_SOURCE/models/derivations\" && sed -n '/^| layer /,$p' README.md";
    char command[400];
    snprintf(
        command, sizeof command,
        "awk -f \"$SPOR_SOURCE/models/derivations/table.awk\" out >is && (%s) | diff is - >err",
        lists);
    int status = system(command);
    read_file("err", err);
    ck_assert_msg(status == 0, "the README lists others:\n%.2000s", err);
    read_file("is", out);
    expect(out, "| embedding | `embedding.spor` | ");
    expect_no(out, "| ? |");
}
END_TEST

START_TEST(fails_turns_the_verdict_round) {
    verify(0, "fails.spor");
    expect(out, "fails as stated  as printed");
    expect(out, "db is [N=1] but must be [m=2]");
    expect(out, "\n1 fails as stated\n");
    verify(1, "holds.spor");
    expect(out, "it is said to fail");
}
END_TEST

START_TEST(unfinished_is_not_proved) {
    verify(1, "unfinished.spor");
    expect(out, "UNFINISHED       mine");
    expect(out, "dW, db");
    expect(out, "\n1 is unfinished\n");
    write_file("empty.spor", "def f(A[N]):\n    return tanh(A)\n"
                             "derive f \"all of it\" (A) -> (Y, dY):\n    dA = ...\n");
    verify(1, "empty.spor --hint none");
    expect(out, "UNFINISHED       all of it                       still to be filled in: dA\n");
}
END_TEST

START_TEST(hints_tell_as_much_as_was_asked_for) {
    verify(1, "wrong.spor --hint none");
    expect(out, "DOES NOT HOLD    sign\n");
    expect_no(out, "dW");
    verify(1, "wrong.spor --hint none --json");
    expect_no(out, "dW");
    verify(1, "wrong.spor --hint pattern");
    expect(out, "dW is wrong; looks like: the sign is wrong\n");
    expect_no(out, "0.25");
    verify(1, "wrong.spor --quiet");
    expect_no(out, "right.spor");
    expect_no(out, "  holds");
    expect(out, "DOES NOT HOLD");
}
END_TEST

START_TEST(a_folder_is_all_its_scripts) {
    ck_assert(!mkdir("some", 0777) && !mkdir("empty", 0777));
    verify(1, "empty");
    expect(err, "empty has no scripts");
    write_file("some/b.spor", "include \"a.spor\"\nclaim \"b\" (A[N]):\n    A == A\n");
    write_file("some/a.spor", "claim \"a\" (A[N]):\n    A == A\n");
    write_file("some/.hidden.spor", "(");
    verify(0, "some/");
    expect(out, "some/a.spor\n");
    expect(strstr(out, "some/a.spor\n"), "some/b.spor\n"); /* in order */
    expect(out, "\n2 hold\n");                             /* a is not counted twice */
    write_file("some/c.spor", "claim \"c\" (A[N]):\n    A == \n");
    verify(2, "some");
    expect(err, "some/c.spor:2:10: "); /* the line and its caret as for one file */
    expect(err, "    A == \n");
    expect(err, "^");
    expect(out, "some/b.spor\n"); /* the others are verified */
    expect(out, "\n2 hold, 1 file could not be read\n");
    verify(2, "some nowhere.spor wrong.spor --quiet --html page.html");
    expect(err, "nowhere.spor: cannot be opened");
    expect(out, "\n3 hold, 1 is wrong, 2 files could not be read\n");
    read_file("page.html", out);
    expect(out, "<h2>some/c.spor</h2>");
    expect(out, "some/c.spor:2:10: ");
    verify(2, "some --json");
    expect(out, "\"file\": \"some/c.spor\"");
    expect(out, "\"error\": \"some/c.spor:2:10: ");
    expect(out, "\"hold\": 2,");
    expect(out, "\"unreadable\": 1");
}
END_TEST

/* Sizes at which a formula can't be recorded say nothing of its numbers. */
START_TEST(an_error_of_evaluation_is_no_verdict_on_numbers) {
    write_file("cut.spor", "def tail(x[T, D]):\n    return x\n"
                           "derive tail \"empty\" (x) -> (Y, dY):\n"
                           "    dx = dY + sum(zeros([T - 2, D]), axis=0)\n");
    verify(1, "cut.spor");
    expect(out, "NOT EVALUATED    empty");
    expect(out, "T=1, D=1: cut.spor:4:");
    expect_no(out, "DOES NOT HOLD");
    expect(out, "\n1 can't be evaluated\n");
    verify(1, "cut.spor --json");
    expect(out, "\"state\": \"not evaluated\"");
    expect(out, "\"wrong\": 0");
}
END_TEST

/* 60 rows of four columns, the last one up to most, and a label of three. */
static void write_table(const char *name, int most) {
    FILE *file = fopen(name, "wb");
    ck_assert(file != NULL);
    for (int k = 0; k < 60; k++)
        fprintf(file, "%d,%g,%d,%d,%d\n", k % 2, k % 5 - 1.5, k * 7 % 3, k % 4 * most / 3, k % 3);
    ck_assert(!fclose(file));
}

/* A data set that is not read, and one that is not there. */
START_TEST(data_that_were_not_looked_at_are_told) {
    const char text[] =
        "def net(x):\n"
        "    return x @ param([4, 3], init=\"normal\", name=\"W\")\n"
        "train(net, data=csv(\"d.csv\", [4], 3), loss=cross_entropy(reduction=\"sum\"),"
        "\n      optimizer=sgd(rate=0.1), batch=2, epochs=1)\n";
    char row[512];
    verify_network(2, "table.spor", text);
    expect(err, "there is no file ");
    expect(out, "1 file could not be read\n");
    row_of("gradient of the cost", row);
    expect(row, "at 6 random rows");
    write_table("d.csv", 3);
    verify_network(0, "table.spor", text);
    row_of("columns are scaled", row);
    expect(row, "4 columns times 1; column 4 reaches farthest: 0 .. 3");
    write_table("d.csv", 300);
    verify_network(1, "table.spor", text);
    row_of("columns are scaled", row);
    expect(row, "UNDECIDED");
    verify_network(
        0, "written.spor",
        "include \"layers.spor\"\n"
        "def net(x):\n    return dense(flatten(x)[:, :9], 10)\n"
        "train(net, data=svhn_extra(scale=1/255), loss=cross_entropy(reduction=\"mean\"),\n"
        "      optimizer=sgd(rate=0.1), batch=8, epochs=1)\n");
    row_of("svhn_extra", row);
    expect(row, "not looked at");
}
END_TEST

START_TEST(json_is_one_object) {
    verify(1, "right.spor wrong.spor fails.spor --json");
    expect(out, "\"rung\": ");
    ck_assert(*out == '{' && out[strlen(out) - 2] == '}');
    expect(out, "\"state\": \"fails as stated\"");
    expect(out, "\"complex_steps\": ");
    expect(out, "\"what\": \"dW\"");
    expect(out, "\"hold\": 3,\n  \"hold_with_reservation\": 0,\n  \"fail_as_stated\": 1,\n  "
                "\"wrong\": 1,\n  \"unfinished\": 0");
    ck_assert(!*err);
}
END_TEST

START_TEST(the_page_stands_alone) {
    write_file("mark.spor", "claim \"<b>&\" (A[N]):\n    A == -A\n");
    verify(1, "mark.spor right.spor --html page.html --quiet");
    read_file("page.html", out);
    expect(out, "<!doctype html>");
    expect(out, "<h2>right.spor</h2>");
    expect(out, "&lt;b&gt;&amp;");
    expect(out, "class=\"row wrong\" open>");
    expect_no(out, "<b>&");
    expect_no(out, "http");
    expect_no(out, "<script");
    verify(2, "right.spor --html /nowhere/page.html");
    expect(err, "/nowhere/page.html");
}
END_TEST

START_TEST(bad_usage_is_told) {
    verify(2, "nowhere.spor");
    expect(err, "nowhere.spor");
    verify(2, "right.spor --hint some");
    expect(err, "one of none pattern full");
    verify(2, "right.spor --shapes 0");
    verify(2, "");
    expect(err, "SCRIPT... is missing");
    verify(0, "--help");
    expect(out, "Examples\n  spor verify ");
}
END_TEST

/* ---- arrays ---- */

enum { H = 4, W = 5, K = 2, L = 3, P = H - K + 1, Q = W - L + 1 };

static void write_array(const char *name, int64_t rows, int64_t columns, const double value[],
                        bool single) {
    float narrow[H * W];
    char shape[64];
    size_t count = (size_t)(rows * columns);
    snprintf(shape, sizeof shape, "(%d, %d)", (int)rows, (int)columns);
    for (size_t k = 0; k < count; k++) narrow[k] = (float)value[k];
    if (single)
        scratch_npy(name, "<f4", false, shape, narrow, count * sizeof *narrow);
    else
        scratch_npy(name, "<f8", false, shape, value, count * sizeof *value);
}

/* Arrays for Z = A (star) K and dK in float, rotated if asked for. */
static void write_arrays(bool rotated) {
    double A[H * W], kernel[K * L], dY[P * Q], dK[K * L], turned[K * L];
    for (int k = 0; k < H * W; k++) A[k] = (k * 7 % 11 - 5) * 0.3;
    for (int k = 0; k < K * L; k++) kernel[k] = k - 2.5;
    for (int k = 0; k < P * Q; k++) dY[k] = (k * 5 % 7 - 3) * 0.7;
    for (int k = 0; k < K * L; k++) {
        float sum = 0;
        for (int p = 0; p < P * Q; p++)
            sum += (float)A[(p / Q + k / L) * W + p % Q + k % L] * (float)dY[p];
        dK[k] = (double)sum;
    }
    for (int k = 0; k < K * L; k++) turned[k] = dK[K * L - 1 - k];
    write_array("A.npy", H, W, A, false);
    write_array("K.npy", K, L, kernel, true);
    write_array("d.npy", P, Q, dY, false);
    write_array("mine.npy", K, L, rotated ? turned : dK, true);
}

START_TEST(arrays_of_other_code_are_judged) {
    write_arrays(false);
    verify(0, "conv.spor --call conv --in A=A.npy K=K.npy dY=d.npy --against dK=mine.npy");
    expect(out, "  holds            dK");
    expect(out, "6 of 6 values judged, off by at most ");
    expect(out, "8 complex steps");
    write_arrays(true);
    verify(1,
           "conv.spor --call conv --in A=A.npy --in K=K.npy --in dY=d.npy --against dK=mine.npy");
    expect(out, "DOES NOT HOLD    dK");
    expect(out, "looks like: rotated by 180 degrees");
    verify(1, "conv.spor --call conv --in A=A.npy K=K.npy dY=d.npy dK=mine.npy --hint pattern");
    expect(out, "dK is wrong; looks like: rotated by 180 degrees");
}
END_TEST

/* Y = x^2, Z = 3 x: dx = 2 x dY + 3 dZ. */
START_TEST(arrays_of_several_results_are_judged) {
    double x[] = {1, -2, 0.5, 3, -1, 4}, dY[] = {0.5, 1, -1, 2, 3, -2}, dZ[6], right[6], left[6];
    for (int k = 0; k < 6; k++) {
        dZ[k] = dY[5 - k];
        right[k] = 2 * x[k] * dY[k] + 3 * dZ[k];
        left[k] = 2 * x[k] * dY[k];
    }
    write_file("two.spor", "def two(x[n, m]):\n    return x * x, 3 * x\n"
                           "derive two (x) -> (Y, Z, dY, dZ):\n    dx = 2 * x * dY + 3 * dZ\n");
    write_array("x.npy", 3, 2, x, false);
    write_array("dY.npy", 3, 2, dY, false);
    write_array("dZ.npy", 3, 2, dZ, false);
    write_array("right.npy", 3, 2, right, false);
    write_array("left.npy", 3, 2, left, false);
    verify(0, "two.spor --call two --in x=x.npy dY=dY.npy dZ=dZ.npy --against dx=right.npy");
    expect(out, "6 of 6 values judged");
    verify(1, "two.spor --call two --in x=x.npy dY=dY.npy dZ=dZ.npy --against dx=left.npy");
    verify(1, "two.spor --call two --in x=x.npy dY=dZ.npy dZ=dY.npy --against dx=right.npy");
    verify(0, "two.spor --call two --in x=x.npy dY=dY.npy --against dx=left.npy");
    verify(2, "two.spor --call two --in x=x.npy --against dx=left.npy");
    expect(err, "two returns 2 tensors: give a cotangent, dY=FILE.npy; those left out are zero");
    verify(2, "two.spor --call two --in x=x.npy dW=dY.npy --against dx=left.npy");
    expect(err, "dW is no operand of two");
}
END_TEST

#define CALL "--call conv --in A=A.npy K=K.npy dY=d.npy --against dK=mine.npy"

/* An array in float with an error of some ulp: neither right nor wrong until the user says so. */
START_TEST(arrays_that_may_be_right_are_settled_by_the_user) {
    spor_message message = {""};
    spor_npy mine = {0};
    write_arrays(false);
    ck_assert(npy_read_doubles("mine.npy", &mine, &message));
    ((double *)mine.value)[4] += 7e-6;
    write_array("mine.npy", K, L, mine.value, true);
    npy_free(&mine);
    verify(1, "conv.spor " CALL);
    expect(out, "UNFINISHED       dK");
    expect(out, "dK[1, 1] is ");
    expect(out, "settles it");
    verify(1, "conv.spor " CALL " --hint none");
    expect(out, "UNFINISHED       dK\n");
    verify(0, "conv.spor " CALL " --rtol 1e-4");
    expect(out, "holds            dK");
    expect(out, "1 by --ulps or --rtol alone");
    verify(0, "conv.spor " CALL " --ulps 1000");
    verify(1, "conv.spor " CALL " --rtol 1e-9");
    expect(out, "DOES NOT HOLD    dK");
    verify(1, "conv.spor " CALL " --json");
    expect(out, "\"judged\": 5,");
    expect(out, "\"exempt\": 0,\n      \"between\": 1");
}
END_TEST

/* Zeros in f2, which nothing but zeros are rounded to. */
START_TEST(half_precision_is_a_claim) {
    write_arrays(false);
    scratch_npy("mine.npy", "<f2", false, "(2, 3)", (uint16_t[K * L]){0}, 2 * K * L);
    verify(1, "conv.spor " CALL);
    expect(out, "DOES NOT HOLD    dK");
}
END_TEST

START_TEST(arrays_of_nothing_but_infinities_are_not_judged) {
    double A[H * W], zero[K * L] = {0};
    write_arrays(false);
    for (int k = 0; k < H * W; k++) A[k] = (double)INFINITY;
    write_array("A.npy", H, W, A, false);
    write_array("mine.npy", K, L, zero, true);
    verify(1, "conv.spor " CALL);
    expect(out, "UNFINISHED       dK");
    expect(out, "0 of 6 values judged, 6 exempt");
    expect(out, "(dK[0..1, 0..2])");
    verify(1, "conv.spor " CALL " --json");
    expect(out, "\"exempt\": 6");
    expect(out, "\"not_judged\": \"dK[0..1, 0..2]\"");
}
END_TEST

START_TEST(arrays_that_do_not_fit_are_told) {
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"--call cnv --in A=A.npy --against dA=A.npy", "has no def cnv"},
        {"--call conv --in A=A.npy K=K.npy", "--against"},
        {"--call conv --in B=A.npy K=K.npy --against dK=mine.npy", "B is no operand of conv"},
        {"--call conv --in A=A.npy K=K.npy --against dB=mine.npy", "--against dB"},
        {"--call conv --in A=A.npy K=K.npy --against dK=A.npy", "dK is [4, 5] but must be [2, 3]"},
        {"--call conv --in A=A.npy K=K.npy dY=A.npy --against dK=mine.npy", "the cotangent is"},
        {"--call conv --in A=K.npy K=A.npy --against dK=A.npy", "its where"},
        {"--call conv --in A=A.npy --against dA=A.npy", "conv.spor"},
        {"--call conv --in A=A.npy K=none.npy --against dA=A.npy", "none.npy"},
        {"--call conv --in A=out K=K.npy --against dA=A.npy", "out: is not a .npy file"},
    };
    write_arrays(false);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        verify(2, "conv.spor %s", rows[k].line);
        expect(err, rows[k].message);
    }
}
END_TEST

/* ---- networks ---- */

START_TEST(networks_are_verified_at_initial_and_trained_weights) {
    char command[1024];
    snprintf(command, sizeof command,
             "'%s' train '%s/models/densenet2_20.spor' --epochs 2 --limit 200 --out run >out 2>err",
             getenv("SPOR_PROGRAM"), getenv("SPOR_SOURCE"));
    ck_assert(!system(command));
    verify(0, "\"$SPOR_SOURCE\"/models/densenet2_20.spor --weights run/weights.safetensors");
    expect(out, "densenet2_20/dense[2] dense");
    expect(out, "at initial weights");
    expect(out, "at the weights given");
    expect(out, "densenet2_20/dense[0]/W");
    expect(out, "splits are disjoint");
    expect(out, "\n25 hold\n");
    verify(2, "\"$SPOR_SOURCE\"/models/densenet2_20.spor --weights out");
    expect(err, "out: ");
}
END_TEST

#define NETWORK(body)                                                                              \
    "include \"layers.spor\"\n"                                                                    \
    "def net(x):\n    a = reshape(x, [-1, 8, 8, 1])\n" body                                        \
    "train(net, data=digits(scale=1/16), loss=cross_entropy(reduction=\"mean\"),\n"                \
    "      optimizer=sgd(rate=0.1), batch=8, epochs=1)\n"

/* A layer with its derivation, on digits, whose pixels are 0 where nothing is written. */
#define DERIVED(head, dA)                                                                          \
    NETWORK("    return dense(ramp(flatten(a)), 10)\n"                                             \
            "def ramp(A[N, n]):\n    return relu(A)\n" head "derive ramp (A) -> (Y, dY):\n"        \
            "    dA = " dA "\n")

/* An element whose own terms are all 0 is what rounding beside it leaves. */
START_TEST(tiles_that_share_their_rounding_accuse_nobody) {
    FILE *file = fopen("pixels.csv", "wb");
    for (int r = 0; file && r < 40; r++)
        for (int k = 0; k <= 256; k++)
            fprintf(file, "%d%c", k == 256 ? r % 4 : (r * 31 + k * k * 7) % 17,
                    k == 256 ? '\n' : ',');
    ck_assert(file != NULL && !fclose(file));
    write_file("tiles.spor",
               "include \"layers.spor\"\n"
               "def net(x):\n"
               "    x = conv(x, 32, kernel=3, act=relu)\n"
               "    x = conv(relu(conv(x, 32, kernel=3)), 32, kernel=1, act=relu)\n"
               "    return dense(flatten(maxpool(x, size=4)), 4)\n"
               "train(net, data=csv(\"pixels.csv\", shape=[16, 16, 1], classes=4, scale=1/16),\n"
               "      loss=cross_entropy(reduction=\"mean\"), optimizer=sgd(rate=0.01), batch=8, "
               "epochs=1)\n");
    verify(0, "tiles.spor");
    expect(out, "each as much as any of its array: elements share what is rounded");
    expect_no(out, "DOES NOT HOLD");
}
END_TEST

START_TEST(a_network_is_held_against_its_derivations) {
    char row[512];
    verify_network(0, "derived.spor", DERIVED("", "dY * derivative(relu, A)"));
    row_of("net/ramp[0] derivation of ramp", row);
    expect(row, "holds");
    expect(row, "at 5 rows of digits and 1 random");
    verify_network(1, "sevenfold.spor", DERIVED("trust ", "7 * dY * derivative(relu, A)"));
    row_of("net/ramp[0] derivation of ramp", row);
    expect(row, "DOES NOT HOLD");
    expect(row, "dA is wrong; looks like: off by the factor 7");
}
END_TEST

/* Right over the reals, with more rounding than the tape has: its own formulas say how much. */
START_TEST(a_derivation_may_round_more_than_the_tape) {
    char row[512];
    verify_network(0, "rough.spor",
                   DERIVED("", "dY * (derivative(relu, A) * 0.3 + 4096.7 - 4096.7) / 0.3"));
    row_of("net/ramp[0] derivation of ramp", row);
    expect(row, "holds");
    row_of("net/dense[0]/W", row);
    expect(row, "holds");
}
END_TEST

/* A loss or a network may take batches alone. */
START_TEST(a_network_for_batches_is_verified_at_one) {
    char row[512];
    verify_network(0, "pairs.spor",
                   "include \"layers.spor\"\n"
                   "def loss(p, t):\n    if batch(p) != 16:\n        fail(\"rows: \", batch(p))\n"
                   "    return mean((p - t) * (p - t))\n"
                   "def net(x):\n    return dense(flatten(x), 10)\n"
                   "train(net, data=digits(scale=1/16), loss=loss, reduction=\"mean\", "
                   "optimizer=sgd(rate=0.1), "
                   "batch=16, epochs=1)\n");
    row_of("net/dense[0]/W", row);
    expect(row, "at 32 rows of digits and 16 random");
    row_of("every parameter moves", row);
    expect(row, "of 16 rows");
}
END_TEST

/* The slope of relu at 0 is a convention: off the zeros of the digits both agree. */
START_TEST(a_derivation_that_differs_at_ties_is_not_wrong) {
    char row[512];
    verify_network(0, "derived.spor", DERIVED("", "dY * derivative(relu, A)"));
    verify_network(0, "tied.spor", DERIVED("", "dY * (1 - derivative(relu, -A))"));
    row_of("net/ramp[0] derivation of ramp", row);
    expect(row, "holds");
    expect(row, "differs at ties or kinks of the data");
    expect(out, " with a reservation only\n");
    verify(1, "tied.spor --strict");
    row_of("net/ramp[0] derivation of ramp", row);
    expect(row, "holds");
    verify(1, "tied.spor --ties spor");
    row_of("net/ramp[0] derivation of ramp", row);
    expect(row, "DOES NOT HOLD");
    verify(2, "tied.spor --ties torch");
    expect(err, "--ties wants one of spor");
    verify(0, "derived.spor --ties spor");
}
END_TEST

/* a + a / 2^25 - a is above 0 over the reals and 0 in float: rounding decides the activation below
 * the pool, whose windows of one cell decide nothing. */
START_TEST(a_kink_below_a_pool_accuses_nobody) {
    char row[512];
    verify_network(1, "kink.spor", /* k itself hardly moves */
                   NETWORK("    a = a + 1\n"
                           "    k = ones([1, 1, 1, 6]) + param([1, 1, 1, 6], init=0, name=\"k\")\n"
                           "    z = correlate2d(concat([a, a, a], axis=3),\n"
                           "                    concat([k, k / 33554432, -k], axis=2))\n"
                           "    h = maxpool2d(leaky_relu(z, 0.01), [1, 1], [2, 2])\n"
                           "    return dense(flatten(h), 10)\n"));
    row_of("net convpool", row);
    expect(row, "holds");
    expect(row, "at a kink");
}
END_TEST

/* Pixels are exact, so that equal ones tie exactly: the first must win, and no tie is left out. */
START_TEST(ties_of_inputs_are_decided) {
    char row[512];
    verify_network(0, "exact.spor",
                   NETWORK("    return dense(flatten(maxpool2d(a, [2, 2])), 10)\n"));
    row_of("net maxpool2d", row);
    expect(row, "holds");
    expect_no(row, "at a kink");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("verify_cli");
    TCase *tests = tcase_create("verify_cli");
    tcase_add_checked_fixture(tests, enter_folder, leave_folder);
    tcase_add_test(tests, what_holds_is_told_with_its_evidence);
    tcase_add_test(tests, threads_change_no_word);
    tcase_add_test(tests, a_wrong_formula_is_shown_small);
    tcase_add_test(tests, the_list_of_derivations_is_what_is_printed);
    tcase_add_test(tests, fails_turns_the_verdict_round);
    tcase_add_test(tests, unfinished_is_not_proved);
    tcase_add_test(tests, hints_tell_as_much_as_was_asked_for);
    tcase_add_test(tests, a_folder_is_all_its_scripts);
    tcase_add_test(tests, an_error_of_evaluation_is_no_verdict_on_numbers);
    tcase_add_test(tests, data_that_were_not_looked_at_are_told);
    tcase_add_test(tests, json_is_one_object);
    tcase_add_test(tests, the_page_stands_alone);
    tcase_add_test(tests, bad_usage_is_told);
    tcase_add_test(tests, arrays_of_other_code_are_judged);
    tcase_add_test(tests, arrays_of_several_results_are_judged);
    tcase_add_test(tests, arrays_that_may_be_right_are_settled_by_the_user);
    tcase_add_test(tests, half_precision_is_a_claim);
    tcase_add_test(tests, arrays_of_nothing_but_infinities_are_not_judged);
    tcase_add_test(tests, arrays_that_do_not_fit_are_told);
    tcase_add_test(tests, networks_are_verified_at_initial_and_trained_weights);
    tcase_add_test(tests, a_network_is_held_against_its_derivations);
    tcase_add_test(tests, tiles_that_share_their_rounding_accuse_nobody);
    tcase_add_test(tests, a_derivation_may_round_more_than_the_tape);
    tcase_add_test(tests, a_network_for_batches_is_verified_at_one);
    tcase_add_test(tests, a_derivation_that_differs_at_ties_is_not_wrong);
    tcase_add_test(tests, a_kink_below_a_pool_accuses_nobody);
    tcase_add_test(tests, ties_of_inputs_are_decided);
    suite_add_tcase(suite, tests);
    return suite;
}
