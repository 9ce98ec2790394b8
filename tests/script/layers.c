/*
 * Layers of models/layers.spor against NumPy: values and gradients of tests/script/layers.txt, by reference
 * and by fast paths; what they are given wrongly is told.
 */
#include "../suite.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "program/program.h"
#include "tape/tape.h"

enum { OPERANDS = 4, LINE = 8192 };

/* A block of the file: shapes, a call, its result, a gradient for each operand. */
typedef struct {
    int operands;
    spor_shape in[OPERANDS];
    char call[256], value[LINE], gradient[OPERANDS][LINE];
} block;

static spor_shape read_shape(const char **at) {
    spor_shape shape = {0};
    char *end = strchr(*at, '[') ? strchr(*at, '[') + 1 : NULL;
    ck_assert_msg(end != NULL, "a shape is expected: %s", *at);
    while (*end != ']') {
        shape.n[shape.rank++] = strtoll(end, &end, 10);
        end += strspn(end, ", ");
    }
    *at = end + 1;
    return shape;
}

static void read_line(FILE *file, char *line) {
    ck_assert(fgets(line, LINE, file) != NULL);
    ck_assert_msg(strchr(line, '\n'), "a line is too long");
    line[strcspn(line, "\n")] = 0;
}

/* The next block; false at the end of the file. */
static bool read_block(FILE *file, block *b) {
    char line[LINE];
    if (!fgets(line, sizeof line, file)) return false;
    const char *at = line + strlen("====");
    b->operands = 0;
    while (strchr(at, '[')) b->in[b->operands++] = read_shape(&at);
    read_line(file, line);
    snprintf(b->call, sizeof b->call, "%.255s", line);
    read_line(file, b->value);
    for (int k = 0; k < b->operands; k++) read_line(file, b->gradient[k]);
    return true;
}

static void fill(spor_program *program, spor_var x, int number) {
    spor_arg arg = spor_program_arg(program, x);
    for (int64_t j = 0; j < shape_size(&arg.shape); j++)
        ((double *)arg.data)[j] = (double)((j * 7 + 3 * number + 1) % 11 - 5) / 4;
}

static void expect_numbers(const block *b, spor_program *program, spor_var x, const char *want) {
    spor_arg arg = spor_program_arg(program, x);
    char *end;
    for (int64_t j = 0; j < shape_size(&arg.shape); j++) {
        double is = ((double *)arg.data)[j], number = strtod(want, &end);
        ck_assert_msg(end != want && fabs(is - number) <= 1e-10 * fmax(1, fabs(number)),
                      "%s, element %d: %.12g, not %.40s", b->call, (int)j, is, want);
        want = end;
    }
    ck_assert_msg(!*want, "%s: there are more numbers: %s", b->call, want);
}

static spor_script *script_of(const block *b) {
    char text[400];
    snprintf(text, sizeof text, "include \"layers.spor\"\ndef f(%.*s):\n    return %s\n",
             3 * b->operands - 2, "a, b, c, d", b->call);
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    return script;
}

static void check(const block *b, bool reference) {
    spor_script *script = script_of(b);
    spor_tape *t = spor_tape_new();
    spor_var x[OPERANDS], out[1 + OPERANDS];
    const char *numbers = b->value;
    for (int k = 0; k < b->operands; k++) x[k] = spor_input(t, "x", b->in[k]);
    out[0] = script_call(script, "f", t, false, b->operands, x);
    ck_assert_msg(!spor_error(t), "%s: %s", b->call, spor_error(t));
    spor_shape shape = spor_shape_of(out[0]), wanted = read_shape(&numbers);
    ck_assert_msg(shape_equal(&shape, &wanted), "%s: another shape than %s", b->call, b->value);
    spor_var dy = spor_input(t, "dy", shape);
    ck_assert(spor_vjp(out[0], dy, b->operands, x, out + 1));
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_options options = {.scalar = SPOR_F64, .reference = reference};
    spor_program *program = spor_compile(t, 1 + b->operands, out, params, &options);
    ck_assert_msg(!spor_program_error(program), "%s: %s", b->call, spor_program_error(program));
    for (int k = 0; k < b->operands; k++) fill(program, x[k], k);
    fill(program, dy, 9);
    ck_assert(spor_run(program, 0));
    expect_numbers(b, program, out[0], numbers);
    for (int k = 0; k < b->operands; k++)
        expect_numbers(b, program, out[1 + k], b->gradient[k] + strlen("da"));
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
    script_free(script);
}

START_TEST(values_and_gradients_are_those_of_numpy) {
    static block b;
    char path[1200], line[LINE];
    int blocks = 0;
    snprintf(path, sizeof path, "%s/../tests/script/layers.txt", models_folder());
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    read_line(file, line); /* what it is */
    for (; read_block(file, &b); blocks++) check(&b, _i);
    fclose(file);
    ck_assert_int_ge(blocks, 40);
}
END_TEST

/* ---- parameters ---- */

static const struct {
    const char *call;
    int n;
    const char *name[6];
    spor_shape shape[6];
} made[] = {
    {"conv(x, 6, kernel=3, groups=2)", 2, {"K", "b"}, {{4, {3, 3, 2, 6}}, {1, {6}}}},
    {"depthwise_conv(x, [3, 2], multiplier=2)", 2, {"K", "b"}, {{4, {3, 2, 4, 2}}, {1, {8}}}},
    {"conv_transpose(x, 6, kernel=3)", 2, {"K", "b"}, {{4, {3, 3, 6, 4}}, {1, {6}}}},
    {"layer_norm(x)", 2, {"gamma", "beta"}, {{1, {4}}, {1, {4}}}},
    {"group_norm(x, 2)", 2, {"gamma", "beta"}, {{1, {4}}, {1, {4}}}},
    {"rms_norm(x)", 1, {"gamma"}, {{1, {4}}}},
    {"embedding(x, 7, 3)", 1, {"E"}, {{2, {7, 3}}}},
    {"projection(x, 3)", 2, {"W", "b"}, {{2, {4, 3}}, {1, {3}}}},
    {"lstm(x[:, 0], 3)",
     3,
     {"projection[0]/W", "projection[0]/b", "U"},
     {{2, {4, 12}}, {1, {12}}, {2, {3, 12}}}},
    {"gru(x[:, 0], 3)",
     4,
     {"projection[0]/W", "projection[0]/b", "U", "c"},
     {{2, {4, 9}}, {1, {9}}, {2, {3, 9}}, {1, {9}}}},
    {"multi_head_attention(x[:, 0], 2)",
     4,
     {"projection[0]/W", "projection[1]/W", "projection[2]/b", "projection[3]/W"},
     {{2, {4, 4}}, {2, {4, 4}}, {1, {4}}, {2, {4, 4}}}},
    {"upsample(x, 2)", 0, {NULL}, {{0, {0}}}},
};

START_TEST(parameters_have_names_and_shapes) {
    char text[200], name[100];
    snprintf(text, sizeof text, "include \"layers.spor\"\ndef f(x):\n    return %s\n",
             made[_i].call);
    spor_script *script = script_read("s.spor", text, models_folder(), &claims_dialect);
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(2, 5, 6, 4));
    script_call(script, "f", t, true, 1, &x);
    ck_assert_msg(!spor_error(t), "%s", spor_error(t));
    spor_params *params = spor_params_new(SPOR_F32, 1);
    ck_assert(spor_params_join(params, t));
    for (int k = 0; k < made[_i].n; k++) {
        snprintf(name, sizeof name, "f/%.*s[0]/%s", (int)strcspn(made[_i].call, "("), made[_i].call,
                 made[_i].name[k]);
        int at = spor_params_find(params, name);
        ck_assert_msg(at >= 0, "%s", name);
        spor_shape shape = spor_params_entry(params, at).shape;
        ck_assert_msg(shape_equal(&shape, &made[_i].shape[k]), "%s", name);
    }
    if (!made[_i].n) ck_assert_int_eq(spor_params_count(params), 0);
    spor_params_free(params);
    spor_tape_free(t);
    script_free(script);
}
END_TEST

/* ---- mistakes ---- */

static const struct {
    const char *call, *message;
} mistakes[] = {
    {"conv(x, 6, kernel=3, groups=3)",
     "conv: 4 channels and 6 filters do not divide into 3 groups"},
    {"conv(x, 6, kernel=3, groups=4)",
     "conv: 4 channels and 6 filters do not divide into 4 groups"},
    {"conv(x, 6, kernel=3, groups=0)", "do not divide into 0 groups"},
    {"conv(x, 6, kernel=3, dilation=0)", "dilation must be at least 1, not 0"},
    {"conv(x, 6, kernel=3, dilation=4, padding=\"valid\")",
     "the kernel reaches over 9 x 9 cells, more than the image, 5 x 6"},
    {"depthwise_conv(x, 9, padding=\"valid\")", "9 cells of the kernel, 1 apart, reach beyond the "
                                                "height of the image, 5; pad the image first"},
    {"depthwise_conv(x[0], 3)", "depthwise_conv takes images [N, H, W, C], not"},
    {"conv_transpose(x, 2, kernel=3, padding=\"full\")",
     "conv_transpose: padding must be \"same\", \"valid\", an integer, [h, w] or [[top, bottom], "
     "[left, right]], not \"full\""},
    {"conv_transpose(x, 2, kernel=1, padding=3)",
     "conv_transpose: the padding leaves -1 x 0 cells"},
    {"conv_transpose(x, 2, kernel=3, stride=[1, 0])", "stride must be at least 1, not [1, 0]"},
    {"depthwise_conv(x, 3, multiplier=0)", "multiplier must be at least 1, not 0"},
    {"conv_transpose(x[0], 2, kernel=1)", "conv_transpose takes images [N, H, W, C], not"},
    {"upsample(x, 2, mode=\"cubic\")", "mode is \"nearest\" or \"bilinear\", not \"cubic\""},
    {"upsample(x, 0)", "by must be at least 1, not 0"},
    {"upsample(x[0], 2)", "upsample takes images [N, H, W, C], not"},
    {"embedding(x, 0, 3)", "rows must be at least 1, not 0"},
    {"embedding(x, 3, -1)", "size must be at least 1, not -1"},
    {"conv_transpose(x, 2, 3, stride=2, output_padding=-1)",
     "output_padding must be at least 0, not -1"},
    {"conv_transpose(x, 2, 3, output_padding=[0, -2])",
     "output_padding must be at least 0, not [0, -2]"},
    {"conv_transpose(x, 2, 3, padding=-1)", "padding must be at least 0, not -1"},
    {"conv_transpose(x, 2, 3, padding=[[0, 0], [0, -1]])",
     "padding must be at least 0, not [[0, 0], [0, -1]]"},
    {"conv_transpose(x, 0, 3)", "filters must be at least 1, not 0"},
    {"conv_transpose(x, 2, [3, 0])", "kernel must be at least 1, not [3, 0]"},
    {"conv(x, 2, 3, padding=-1)", "padding must be at least 0, not -1"},
    {"conv(x, 2, 3, padding=[[0, -1], [0, 0]])",
     "padding must be at least 0, not [[0, -1], [0, 0]]"},
    {"conv(x, 4, 3, groups=2, padding=[-1, 0])", "padding must be at least 0, not [-1, 0]"},
    {"conv(x, 2, 3, stride=0)", "stride must be at least 1, not 0"},
    {"conv(x, 2, 3, stride=[1, -2], padding=\"valid\")", "stride must be at least 1, not [1, -2]"},
    {"conv(x, 4, 3, groups=2, stride=0)", "stride must be at least 1, not 0"},
    {"conv(x, 2, 0)", "kernel must be at least 1, not 0"},
    {"conv(x, 2, [3, -1])", "kernel must be at least 1, not [3, -1]"},
    {"conv(x, 0, 3)", "filters must be at least 1, not 0"},
    {"conv(x, -4, 3, groups=2)", "filters must be at least 1, not -4"},
    {"depthwise_conv(x, 3, stride=0)", "stride must be at least 1, not 0"},
    {"depthwise_conv(x, -1)", "kernel must be at least 1, not -1"},
    {"depthwise_conv(x, 3, padding=-1)", "padding must be at least 0, not -1"},
    {"depthwise_conv(x, 3, dilation=[1, 0])", "dilation must be at least 1, not [1, 0]"},
    {"maxpool(x, 2, padding=-1)", "padding must be at least 0, not -1"},
    {"maxpool(x, 2, stride=0, padding=\"same\")", "stride must be at least 1, not 0"},
    {"avgpool(x, 2, stride=-1)", "stride must be at least 1, not -1"},
    {"dense(flatten(x), 0)", "units must be at least 1, not 0"},
    {"projection(x, -2)", "units must be at least 1, not -2"},
    {"lstm(x[0], 0)", "units must be at least 1, not 0"},
    {"gru(x[0], -1)", "units must be at least 1, not -1"},
    {"embedding(5, 4, 3)", "embedding takes a tensor of whole numbers, not 5"},
    {"group_norm(x, 3)", "has no channels that divide into 3 groups"},
    {"multi_head_attention(x, 2)", "multi_head_attention takes sequences [N, T, C], not"},
    {"multi_head_attention(x[0], 3)", "4 channels do not divide into 3 heads"},
    {"multi_head_attention(x[0], 2, mask=\"cause\")",
     "mask is \"none\", \"causal\" or a tensor, not \"cause\""},
    {"lstm(x, 2)", "lstm takes sequences [N, T, n], not"},
    {"gru(x, 2)", "gru takes sequences [N, T, n], not"},
};

/* Told at the call in the user's own file. */
START_TEST(mistakes_are_told) {
    char text[300], out[2048];
    snprintf(text, sizeof text, "include \"layers.spor\"\ndef f(x):\n    return %s\n",
             mistakes[_i].call);
    record_message(text, true, 1, &SPOR_SHAPE(2, 5, 6, 4), out, sizeof out);
    ck_assert_msg(strstr(out, mistakes[_i].message), "%s says %s", mistakes[_i].call, out);
    ck_assert_msg(!strncmp(out, "s.spor:3:", 9), "%s", out);
}
END_TEST

static const struct {
    const char *call;
    spor_shape x;
} empty[] = {
    {"group_norm(x, 2)", {4, {0, 5, 5, 2}}},
    {"layer_norm(x)", {2, {0, 4}}},
    {"projection(x, 3)", {3, {2, 4, 0}}},
    {"gru(x, 3)", {3, {2, 4, 0}}},
    {"lstm(x, 3, sequences=True)", {3, {2, 0, 2}}},
    {"multi_head_attention(x, 2, \"causal\")", {3, {2, 0, 4}}},
    {"conv_transpose(x, 4, 3, stride=2)", {4, {0, 5, 5, 2}}},
    {"upsample(x, 2, \"bilinear\")", {4, {1, 0, 5, 2}}},
};

/* No samples, or axes of no elements where a layer can do without. */
START_TEST(empty_axes_are_taken) {
    char text[300], out[2048];
    snprintf(text, sizeof text, "include \"layers.spor\"\ndef f(x):\n    return %s\n",
             empty[_i].call);
    record_message(text, true, 1, &empty[_i].x, out, sizeof out);
    ck_assert_str_eq(out, "");
}
END_TEST

/* What comes later in a sequence does not reach what is before. */
START_TEST(a_causal_mask_hides_what_comes_later) {
    spor_script *script = script_read("s.spor",
                                      "include \"layers.spor\"\ndef f(x):\n"
                                      "    return multi_head_attention(x, 2, mask=\"causal\")\n",
                                      models_folder(), &claims_dialect);
    spor_tape *t = spor_tape_new();
    spor_var x = spor_input(t, "x", SPOR_SHAPE(1, 4, 6)), d;
    spor_var y = script_call(script, "f", t, false, 1, &x);
    spor_var dy = spor_input(t, "dy", SPOR_SHAPE(1, 4, 6));
    ck_assert(spor_vjp(y, dy, 1, &x, &d));
    spor_params *params = spor_params_new(SPOR_F64, 3);
    spor_program *program = spor_compile(t, 1, &d, params, &(spor_options){.scalar = SPOR_F64});
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    fill(program, x, 0);
    double *to = spor_program_arg(program, dy).data;
    for (int k = 0; k < 24; k++) to[k] = k / 6 == 1; /* the second place */
    ck_assert(spor_run(program, 0));
    const double *from = spor_program_arg(program, d).data;
    for (int k = 0; k < 24; k++)
        ck_assert_msg((from[k] != 0) == (k / 6 <= 1), "%d: %g", k, from[k]);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
    script_free(script);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("layers");
    TCase *tests = tcase_create("layers");
    tcase_add_loop_test(tests, values_and_gradients_are_those_of_numpy, 0, 2);
    tcase_add_loop_test(tests, parameters_have_names_and_shapes, 0,
                        (int)(sizeof made / sizeof *made));
    tcase_add_loop_test(tests, mistakes_are_told, 0, (int)(sizeof mistakes / sizeof *mistakes));
    tcase_add_loop_test(tests, empty_axes_are_taken, 0, (int)(sizeof empty / sizeof *empty));
    tcase_add_test(tests, a_causal_mask_hides_what_comes_later);
    suite_add_tcase(suite, tests);
    return suite;
}
