/* What the README shows is what the tests run. */
#include "suite.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_LINES = 40 };

static char *read_source(const char *name) {
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", getenv("SPOR_SOURCE"), name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s can't be read", path);
    char *text = calloc(1, 1 << 20);
    ck_assert(text != NULL && fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static void expect_shown(const char *fence, const char *name) {
    char *readme = read_source("README.md"), *file = read_source(name);
    const char *block = strstr(readme, fence);
    ck_assert_msg(block != NULL, "README.md has no block %s", fence);
    block += strlen(fence);
    ck_assert_msg(!strncmp(block, file, strlen(file)) && !strncmp(block + strlen(file), "```", 3),
                  "README.md does not show %s as it is", name);
    free(readme);
    free(file);
}

START_TEST(the_example_is_shown) {
    expect_shown("```c\n", "tests/examples/digits.c");
    expect_shown("```python3\n", "tests/examples/layer.py");
}
END_TEST

START_TEST(the_script_is_shown) {
    expect_shown("```python\n", "models/densenet2_20.spor");
    expect_shown("```py\n", "tests/examples/rotated.spor");
}
END_TEST

/* The lines below "$ ..." in the README are what the command prints, which ends with 1. */
static void expect_printed(const char *command, const char *call) {
    char *readme = read_source("README.md"), line[1024], head[1024];
    snprintf(head, sizeof head, "$ %s\n", command);
    const char *shown = strstr(readme, head);
    ck_assert_msg(shown != NULL, "README.md has no %s", head);
    ck_assert(!chdir(getenv("SPOR_SOURCE")));
    shown += strlen(head);
    FILE *out = popen(call, "r");
    ck_assert(out != NULL);
    bool begun = false; /* a blank line comes first where rows were left out */
    for (; fgets(line, sizeof line, out); begun = true) {
        if (!begun && *line == '\n') continue;
        ck_assert_msg(!strncmp(shown, line, strlen(line)), "README.md does not show: %s", line);
        shown += strlen(line);
    }
    ck_assert_int_eq(pclose(out) >> 8, 1);
    ck_assert(!strncmp(shown, "```", 3));
    free(readme);
}

START_TEST(the_failures_are_shown) {
    char call[2048];
    snprintf(call, sizeof call, "%s verify tests/examples/rotated.spor", getenv("SPOR_PROGRAM"));
    expect_printed("build/spor verify tests/examples/rotated.spor", call);
#define KERNEL " verify tests/examples/kernels.spor --call layer_norm --block 64 --quiet --exec \""
    snprintf(call, sizeof call, "%s" KERNEL "'%s/kernels' {in} {out} layer_norm f32 2\"",
             getenv("SPOR_PROGRAM"), getenv("SPOR_EXAMPLES"));
    expect_printed("build/spor" KERNEL "build/tests/kernels {in} {out} layer_norm f32 2\"", call);
}
END_TEST

/* The gradient's stretch of tape is what show prints of the network. */
START_TEST(the_gradient_is_shown) {
    enum { ROOM = 1 << 16 };
    char *readme = read_source("README.md"), *printed = calloc(ROOM, 1), call[1200];
    char *shown = strstr(readme, "convnet1_3/conv[0]/conv_layer[0]:\n");
    ck_assert(shown != NULL && printed != NULL && !chdir(getenv("SPOR_SOURCE")));
    *strstr(shown, "```") = 0;
    snprintf(call, sizeof call, "%s show models/convnet1_3.spor --grad", getenv("SPOR_PROGRAM"));
    FILE *out = popen(call, "r");
    ck_assert(out != NULL && fread(printed, 1, ROOM - 1, out) > 0);
    ck_assert_int_eq(pclose(out), 0);
    ck_assert_msg(strstr(printed, shown) != NULL, "show does not print:\n%s", shown);
    free(printed);
    free(readme);
}
END_TEST

START_TEST(the_example_is_short) {
    char *text = read_source("tests/examples/digits.c");
    int lines = 0;
    for (const char *at = text; (at = strchr(at, '\n')); at++) lines++;
    ck_assert_int_le(lines, MOST_LINES);
    free(text);
}
END_TEST

START_TEST(the_example_learns) {
    int right = 0, rows = 0;
    ck_assert(!chdir(getenv("SPOR_SOURCE")));
    char command[1200];
    snprintf(command, sizeof command, "%s/digits", getenv("SPOR_EXAMPLES"));
    FILE *out = popen(command, "r");
    ck_assert(out != NULL);
    ck_assert_int_eq(fscanf(out, "%d of %d digits", &right, &rows), 2);
    ck_assert_int_eq(pclose(out), 0);
    ck_assert_int_eq(rows, 352);
    ck_assert_int_ge(right, 300);
}
END_TEST

START_TEST(the_example_tells_what_is_missing) {
    char line[1024] = "";
    ck_assert(!chdir("/"));
    char command[1200];
    snprintf(command, sizeof command, "%s/digits 2>&1", getenv("SPOR_EXAMPLES"));
    FILE *out = popen(command, "r");
    ck_assert(out != NULL && fgets(line, sizeof line, out));
    ck_assert_msg(strstr(line, "data/digits.csv.gz") != NULL, "%s", line);
    ck_assert_int_eq(pclose(out) >> 8, 2);
}
END_TEST

/* y = (x W) sigmoid(x V): x W = 1, x V = 1, s = 0.731059, s (1 - s) = 0.196612 */
START_TEST(a_script_is_recorded_in_c) {
    char command[1200], text[400] = "";
    ck_assert(!chdir(getenv("SPOR_SOURCE")));
    snprintf(command, sizeof command, "%s/script", getenv("SPOR_EXAMPLES"));
    FILE *out = popen(command, "r");
    ck_assert(out != NULL && fread(text, 1, sizeof text - 1, out) > 0);
    ck_assert_int_eq(pclose(out), 0);
    ck_assert_str_eq(text, "y 0.731059\ndx 2.291482 -0.681906\ndW 0.731059 1.462117\n"
                           "dV 0.196612 0.393224\n");
}
END_TEST

/* ---- the other examples ---- */

/* What one of them prints, run in the folder of the sources. */
static void run_example(const char *name, char text[4096]) {
    char path[1024];
    ck_assert(!chdir(getenv("SPOR_SOURCE")));
    snprintf(path, sizeof path, "%s/%s", getenv("SPOR_EXAMPLES"), name);
    FILE *out = popen(path, "r");
    ck_assert_ptr_nonnull(out);
    text[fread(text, 1, 4095, out)] = 0;
    ck_assert_msg(!pclose(out), "%s: %s", name, text);
}

/* A step up the cost makes it read far fewer. */
START_TEST(an_adversary_fools_the_network) {
    char text[4096];
    int before = 0, after = 352;
    run_example("adversary", text);
    ck_assert_int_eq(sscanf(text, "%d of 352 digits read right, %d once", &before, &after), 2);
    ck_assert_int_ge(before, 290);
    ck_assert_int_le(after, before / 2);
}
END_TEST

/* Of each step those up to it count, the others not at all. */
START_TEST(attention_does_not_look_ahead) {
    char text[4096], *at = text;
    run_example("attention", text);
    for (int t = 0; t < 4; t++) {
        char words[32];
        snprintf(words, sizeof words, "step %d depends on", t);
        at = strstr(at, words);
        ck_assert_ptr_nonnull(at);
        at += strlen(words);
        for (int s = 0; s < 4; s++) {
            double slope = strtod(at, &at);
            ck_assert_msg(s <= t ? slope > 0 : slope <= 0, "%s", text);
        }
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("examples");
    TCase *tests = tcase_create("readme");
    tcase_add_test(tests, the_example_is_shown);
    tcase_add_test(tests, the_script_is_shown);
    tcase_add_test(tests, the_failures_are_shown);
    tcase_add_test(tests, the_gradient_is_shown);
    tcase_add_test(tests, the_example_is_short);
    tcase_add_test(tests, the_example_learns);
    tcase_add_test(tests, a_script_is_recorded_in_c);
    tcase_add_test(tests, the_example_tells_what_is_missing);
    tcase_add_test(tests, an_adversary_fools_the_network);
    tcase_add_test(tests, attention_does_not_look_ahead);
    suite_add_tcase(suite, tests);
    return suite;
}
