/*
 * Small files at the edges of what ONNX allows: what each becomes, or why it is refused.
 */
#include "../suite.h"
#include "imported.h"
#include "tiny.h"

#include <math.h>
#include <string.h>

/* Ends the file and imports it. */
static void import_tiny(tiny *t, import_result *made, spor_message *message, bool *done) {
    const import_wish wish = {.path = "net.onnx", .def = "net"};
    tiny_end(t);
    message->text[0] = 0;
    *done = import_onnx(&wish, (const unsigned char *)t->bytes.at, t->bytes.size, made, message);
    tiny_free(t);
}

static void expect_refused(tiny *t, const char *why) {
    import_result made;
    spor_message message;
    bool done;
    import_tiny(t, &made, &message, &done);
    ck_assert_msg(!done, "accepted, not: %s\n%s", why, done ? made.script.at : "");
    ck_assert_msg(strstr(message.text, why) != NULL, "%s\n  is not: %s", message.text, why);
    import_free(&made);
}

/* The script has this text, and is recorded. */
static void open_script(tiny *t, const char *part, import_result *made, imported *m) {
    spor_message message;
    bool done;
    import_tiny(t, made, &message, &done);
    ck_assert_msg(done, "%s", message.text);
    ck_assert_msg(strstr(made->script.at, part) != NULL, "%s\n  has no: %s", made->script.at, part);
    ck_assert_msg(imported_open(m, made, 3, SPOR_F32), "%s", m->why);
}

/* The script has this text, and what it computes is of the sizes that the file says. */
static void expect_script(tiny *t, const char *part) {
    import_result made;
    imported m;
    open_script(t, part, &made, &m);
    for (int k = 0; k < made.outputs; k++) {
        const spor_shape shape = spor_shape_of(m.y[k]);
        ck_assert_int_eq(shape.rank, made.output[k].rank);
        for (int j = 0; j < shape.rank; j++)
            ck_assert_int_eq(shape.n[j], made.output[k].size[j] + 3 * made.output[k].rows[j]);
    }
    imported_close(&m);
    import_free(&made);
}

static void begin(tiny *t, int64_t rows) {
    tiny_begin(t, 17);
    tiny_input(t, "x", 2, (const int64_t[]){rows, 4});
}

/* One row that a Squeeze takes away can't be taken for any number of rows. */
START_TEST(one_row_is_squeezed) {
    tiny t;
    begin(&t, 1), tiny_node(&t, "Squeeze", "x", "y", NULL, 0), tiny_output(&t, "y");
    expect_script(&t, "reshape(x, [4])");
    begin(&t, -1), tiny_node(&t, "Squeeze", "x", "y", NULL, 0), tiny_output(&t, "y");
    expect_script(&t, "return x");
}
END_TEST

/* Axes that only known numbers have: the result has them, too. */
START_TEST(known_numbers_have_more_axes) {
    static const int64_t sizes[][3] = {{1, 3, 4}, {1, 1, 4}, {1, 1, 1}, {1, 3, 1}, {2, 1, 4}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        tiny t;
        begin(&t, 3),
            tiny_floats(&t, "c", 3, sizes[k], (int)(sizes[k][0] * sizes[k][1] * sizes[k][2]));
        tiny_node(&t, "Add", "x c", "y", NULL, 0), tiny_node(&t, "Softmax", "y", "z", "axis", 2);
        tiny_output(&t, "y"), tiny_output(&t, "z");
        expect_script(&t, sizes[k][0] == 1 ? "y = reshape(x + " : "y = x + ");
    }
}
END_TEST

START_TEST(results_have_names_of_their_own) {
    tiny t;
    begin(&t, -1), tiny_node(&t, "Identity", "x", "a", NULL, 0);
    tiny_node(&t, "Relu", "x", "r", NULL, 0), tiny_node(&t, "Identity", "r", "b", NULL, 0);
    tiny_output(&t, "a"), tiny_output(&t, "r"), tiny_output(&t, "b");
    expect_script(&t, "return a, r, b");
    begin(&t, -1);
    for (int k = 0; k <= IMPORT_OUTPUTS; k++) {
        const char name[] = {(char)('a' + k), 0};
        tiny_node(&t, "Relu", "x", name, NULL, 0), tiny_output(&t, name);
    }
    expect_refused(&t, "has 9 outputs, and a def returns at most 8");
}
END_TEST

/* Whole numbers wrap around in other programs. */
START_TEST(whole_numbers_stay_in_their_type) {
    enum { UINT8 = 2, INT32 = 6, FLOAT = 1 };
    tiny t;
    for (int64_t n = 255; n <= 256; n++) {
        begin(&t, -1), tiny_integers(&t, "n", 1, &n);
        tiny_node(&t, "Cast", "n", "short", "to", UINT8);
        tiny_node(&t, "Cast", "short", "real", "to", FLOAT);
        tiny_node(&t, "Mul", "x real", "y", NULL, 0), tiny_output(&t, "y");
        if (n == 255)
            expect_script(&t, "x * 255");
        else
            expect_refused(&t, "node 'Cast' (Cast): computes 256, which is no uint8");
    }
    begin(&t, -1), tiny_integers(&t, "n", 1, (const int64_t[]){2147483647});
    tiny_node(&t, "Cast", "n", "int", "to", INT32), tiny_node(&t, "Add", "int int", "sum", NULL, 0);
    tiny_node(&t, "Cast", "sum", "real", "to", FLOAT);
    tiny_node(&t, "Mul", "x real", "y", NULL, 0), tiny_output(&t, "y");
    expect_refused(&t, "which is no int32");
}
END_TEST

START_TEST(what_gemm_adds_fits) {
    static const int64_t sizes[][2] = {{3, 1}, {1, 2}, {3, 2}, {4, 2}, {2, 2}};
    for (int k = 0; k < 5; k++) {
        tiny t;
        begin(&t, 3), tiny_floats(&t, "W", 2, (const int64_t[]){4, 2}, 8);
        tiny_floats(&t, "C", 2, sizes[k], (int)(sizes[k][0] * sizes[k][1]));
        tiny_node(&t, "Gemm", "x W C", "y", NULL, 0), tiny_output(&t, "y");
        if (k < 3)
            expect_script(&t, "return y");
        else
            expect_refused(&t, k == 3 ? "adds [4, 2] to [3, 2]" : "adds [2, 2] to [3, 2]");
    }
}
END_TEST

static void pool(tiny *t, int64_t width, int64_t stride) {
    tiny_begin(t, 17);
    tiny_input(t, "x", 3, (const int64_t[]){-1, 2, width});
    tiny_floats(t, "K", 3, (const int64_t[]){2, 2, 1}, 4);
    tiny_node_of(t, "Conv", "x K", "y", "auto_pad", "SAME_UPPER", "strides", stride);
    tiny_output(t, "y");
}

/* Where windows leave out more than one cell programs disagree which these are. */
START_TEST(strides_beyond_windows_are_told) {
    tiny t;
    pool(&t, 4, 2);
    expect_script(&t, "stride=[1, 2]");
    pool(&t, 6, 3);
    expect_refused(&t, "auto_pad = 'SAME_UPPER' of strides beyond the window is read in two ways");
}
END_TEST

START_TEST(words_of_attributes_are_read) {
    for (int k = 0; k < 2; k++) {
        tiny t;
        tiny_begin(&t, 18);
        tiny_input(&t, "x", 4, (const int64_t[]){-1, 2, 3, 3});
        tiny_integers(&t, "to", 4, (const int64_t[]){1, 2, 6, 6});
        tiny_node_of(&t, "Resize", "x to", "y", "keep_aspect_ratio_policy",
                     k ? "not_larger" : "stretch", NULL, 0);
        tiny_output(&t, "y");
        expect_refused(&t, k ? "keep_aspect_ratio_policy = 'not_larger': spor has only 'stretch'"
                             : "has neither four scales nor four sizes");
    }
}
END_TEST

/* What a script makes of these numbers, [3, 4]: `want` is of so many numbers in all. */
static void expect_numbers(tiny *t, const char *part, const double x[], int n,
                           const double want[]) {
    import_result made;
    imported m;
    open_script(t, part, &made, &m);
    imported_fill(&m, 0, x);
    ck_assert(imported_run(&m));
    const float *y = spor_program_arg(m.program, m.y[0]).data;
    for (int k = 0; k < n; k++)
        ck_assert_msg(isnan(want[k]) ? isnan(y[k]) : fabs((double)y[k] - want[k]) < 1e-6,
                      "%s\n%d: %g, not %g", made.script.at, k, (double)y[k], want[k]);
    imported_close(&m);
    import_free(&made);
}

/* What tiny_floats has at k. */
static double tiny_number(int k) {
    return k / 2.0 - 1;
}

/* The place of the largest number of a row, less `less`: 3, 0 and 1 less that. */
static void begin_places(tiny *t, int64_t less) {
    begin(t, -1), tiny_integers(t, "less", 1, &less);
    tiny_node(t, "ArgMax", "x", "place", "axis", 1);
    tiny_node(t, "Sub", "place less", "at", NULL, 0);
    tiny_floats(t, "table", 2, (const int64_t[]){4, 1}, 4);
}

static const double places[] = {0, 0, 0, 9, 9, 0, 0, 0, 0, 9, 0, 0};

/* Negative numbers count from the end, and others name no row: -1 is the last one, -5 none. */
START_TEST(computed_rows_count_from_the_end) {
    static const struct {
        int64_t less;
        double row[3]; /* -1: none */
    } cases[] = {{0, {3, 0, 1}}, {4, {3, 0, 1}}, {2, {1, 2, 3}}, {-1, {-1, 1, 2}}, {5, {2, -1, 0}}};
    static const char *const ops[] = {"Gather", "GatherElements", "GatherND"};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        for (size_t j = 0; j < sizeof ops / sizeof *ops; j++) {
            tiny t;
            double want[3];
            for (int i = 0; i < 3; i++)
                want[i] = cases[k].row[i] < 0 ? (double)NAN : tiny_number((int)cases[k].row[i]);
            begin_places(&t, cases[k].less);
            tiny_node(&t, ops[j], "table at", "y", NULL, 0), tiny_output(&t, "y");
            expect_numbers(&t, "# Rows are named by computed numbers: negative ones count", places,
                           3, want);
        }
}
END_TEST

START_TEST(computed_rows_are_added_from_the_end) {
    tiny t;
    begin_places(&t, 4), tiny_integers(&t, "sizes", 2, (const int64_t[]){4, 1});
    tiny_node(&t, "ConstantOfShape", "sizes", "zeros", NULL, 0);
    tiny_integers(&t, "one", 1, (const int64_t[]){1});
    tiny_node(&t, "TopK", "x one", "nines where", "axis", 1);
    tiny_node_of(&t, "ScatterND", "zeros at nines", "y", "reduction", "add", NULL, 0);
    tiny_output(&t, "y");
    expect_numbers(&t, "scatter_add(", places, 4, (const double[]){9, 9, 0, 9});
}
END_TEST

/* What names none is 0 everywhere. */
START_TEST(one_hot_counts_from_the_end) {
    static const struct {
        int64_t less;
        int at[3]; /* -1: nowhere */
    } cases[] = {{0, {3, 0, 1}}, {1, {2, 3, 0}}, {-1, {-1, 1, 2}}, {5, {2, -1, 0}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        tiny t;
        double want[12] = {0};
        for (int i = 0; i < 3; i++)
            if (cases[k].at[i] >= 0) want[4 * i + cases[k].at[i]] = 1;
        begin_places(&t, cases[k].less), tiny_integers(&t, "depth", 1, (const int64_t[]){4});
        tiny_integers(&t, "values", 2, (const int64_t[]){0, 1});
        tiny_node(&t, "OneHot", "at depth values", "y", NULL, 0), tiny_output(&t, "y");
        expect_numbers(&t, "== iota(4)", places, 12, want);
    }
}
END_TEST

/* Rows that an input names are looked at before they are trained with: its numbers stay as they are. */
START_TEST(rows_of_an_input_are_told) {
    tiny t;
    const double x[] = {1, 0, 2, 3, -1, 3, 0.5, 0, 0, 4, 1, 1};
    double want[12];
    begin(&t, -1), tiny_floats(&t, "table", 2, (const int64_t[]){4, 1}, 4);
    tiny_node(&t, "Cast", "x", "whole", "to", 7);
    tiny_node(&t, "Gather", "table whole", "y", NULL, 0), tiny_output(&t, "y");
    for (int k = 0; k < 12; k++)
        want[k] = k == 4 || k == 6 || k == 9 ? (double)NAN : tiny_number((int)x[k]);
    expect_numbers(&t, "# x names rows: whole numbers, 0 to 3. Others, negative ones too,", x, 12,
                   want);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("import_edges");
    TCase *edges = tcase_create("edges");
    tcase_add_test(edges, one_row_is_squeezed);
    tcase_add_test(edges, known_numbers_have_more_axes);
    tcase_add_test(edges, results_have_names_of_their_own);
    tcase_add_test(edges, whole_numbers_stay_in_their_type);
    tcase_add_test(edges, what_gemm_adds_fits);
    tcase_add_test(edges, strides_beyond_windows_are_told);
    tcase_add_test(edges, words_of_attributes_are_read);
    tcase_add_test(edges, computed_rows_count_from_the_end);
    tcase_add_test(edges, computed_rows_are_added_from_the_end);
    tcase_add_test(edges, one_hot_counts_from_the_end);
    tcase_add_test(edges, rows_of_an_input_are_told);
    suite_add_tcase(suite, edges);
    return suite;
}
