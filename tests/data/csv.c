/* Samples from CSV, strict numbers, and the real digits. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include <spor/data.h>

#include "data/csv.h"
#include "data/number.h"
#include "scratch.h"

static spor_data *read_text(const char *text, spor_message *message) {
    const char *path = scratch_file("data.csv", text, strlen(text));
    return spor_data_csv(path, SPOR_SHAPE(1, 2, 1), 3, 0.5, message);
}

static void check_refused(const char *text, const char *why) {
    spor_message message = {{0}};
    ck_assert_ptr_null(read_text(text, &message));
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
    ck_assert_ptr_nonnull(strstr(message.text, "/data.csv:"));
}

static void check_read(const char *text) {
    spor_message message = {{0}};
    spor_data *data = read_text(text, &message);
    ck_assert_msg(data != NULL, "%s", message.text);
    ck_assert_int_eq(data->rows, 2);
    ck_assert_str_eq(data->name, "data");
    ck_assert_int_eq(data->classes, 3);
    ck_assert_double_eq(data->scale, 0.5);
    ck_assert_int_eq(data->x.shape.rank, 3);
    const double pixels[] = {1, -2.5, 3000, 0.125};
    const int32_t labels[] = {2, 0};
    ck_assert_mem_eq(data->x.value, pixels, sizeof pixels);
    ck_assert_mem_eq(data->label, labels, sizeof labels);
    spor_data_free(data);
}

START_TEST(lines_end_as_lines_do) {
    check_read("1,-2.5,2\n3e3,.125,0\n");
    check_read("1,-2.5,2\n3e3,.125,0");
    check_read("1,-2.5,2\r\n3e3,.125,0\r\n");
    check_read("1,-2.5,2\r\n3e3,.125,0\r\n\r\n\n");
    check_read("+1,-25e-1,2.0\n3000,1.25E-01,0e5");
}
END_TEST

START_TEST(what_is_wrong_is_named_with_its_place) {
    check_refused("", "data.csv:1:1: the file has no rows");
    check_refused("1,2,0\n1,2\n", "data.csv:2:2: the row has fewer fields than the first one");
    check_refused("1,2,0\n1,2,0,0\n", "data.csv:2:4: the row has more fields");
    check_refused(
        "1,2,\n1,2,\n",
        "data.csv:1:3: column 2 of 0..2 has no value here; fill it in; where all lines end "
        "in a separator, drop=[2] leaves out what seems to be behind it, and label= or "
        "targets= says what is learned");
    check_refused("a,b,\n1,2,\n", "data.csv:2:3: column 2 of 0..2 has no value here; fill it in; "
                                  "where all lines end in a separator, drop=[2]");
    check_refused("1,2,0\n1,x,0\n", "data.csv:2:2: column 1 of 0..2: 'x' is not a number");
    check_refused("a,b,label\n1,x,0\n", "data.csv:2:2: b: 'x' is not a number");
    check_refused("1,,0\n", "data.csv:1:2: column 1 of 0..2 has no value here; fill it in");
    check_refused("a,b,c\n1,2,0\n1,,0\n", "data.csv:3:2: b has no value here; fill it in, or leave "
                                          "the column out with drop=[\"b\"]");
    check_refused("1,nan,0\n", "data.csv:1:2: column 1 of 0..2 has no value here, only 'nan'; fill "
                               "it in, or leave the column out with drop=[1]");
    check_refused("1;2,5;0\n", "'2,5' has a decimal comma");
    check_refused("1,1e999,0\n", "data.csv:1:2: column 1 of 0..2: '1e999' is not a number");
    check_refused("a,b,c\n", "data.csv: the file has one line, of names as it seems, and no rows");
    check_refused("h1,h2,0\n",
                  "'h1' is not a number; inputs are numbers: leave the column out with "
                  "drop=[0], or learn it with label=0");
    check_refused("a,b,c\nx,2,0\n3,4,1\n",
                  "data.csv:2:1: a: 'x' is not a number; inputs are numbers: "
                  "leave the column out with drop=[\"a\"], or learn it "
                  "with label=\"a\"");
    check_refused("a,b,c\n1,2,0\n3,4.x,1\n",
                  "b: '4.x' is not a number; inputs are numbers: mend it, or "
                  "leave the column out with drop=[\"b\"]");
    check_refused("1,2,3\n", "data.csv:1:3: the label 3 is not one of 0..2");
    check_refused("1,2,-1\n", "the label -1 is not one of 0..2");
    check_refused("1,2,1.5\n", "the label 1.5 is not one of 0..2");
    check_refused("1,2,\n", "data.csv:1:3: column 2 of 0..2 has no value here; fill it in");
    check_refused("1,2,0\n1,2,NA\n", "data.csv:2:3: column 2 of 0..2 has no value here, only 'NA'");
    check_refused("1,2,0\n1,2,x\n",
                  "data.csv:2:3: the label 'x' is a text where the first one is a number");
    check_refused("1,2,x\n1,2,y\n1,2,0\n",
                  "the label '0' is a number where the first one is a text");
    check_refused("1,2,3,0\n", "data.csv: a sample should have 2 numbers, but there are 3 columns");
    check_refused("1,2,a\n1,2,b\n",
                  "data.csv: column 2 of 0..2: there are 2 different labels and not 3: a, b");
}
END_TEST

START_TEST(senseless_arguments_are_refused) {
    spor_message message = {{0}};
    const char *path = scratch_file("data.csv", "1,0\n", 4);
    ck_assert_ptr_null(spor_data_csv(path, SPOR_SHAPE(1), 0, 1, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "makes no sense"));
    ck_assert_ptr_null(spor_data_csv(path, SPOR_SHAPE(0), 3, 1, &message));
    int64_t huge = INT64_C(1) << 32;
    ck_assert_ptr_null(spor_data_csv(path, SPOR_SHAPE(huge, huge, huge), 3, 1, &message));
    ck_assert_ptr_null(spor_data_csv(path, SPOR_SHAPE(1), 3, 1.0 / 0.0, &message));
    ck_assert_ptr_null(spor_data_csv(path, SPOR_SHAPE(INT32_MAX), 3, 1, NULL));
}
END_TEST

/* ---- columns ---- */

static spor_data *read_as(const char *text, spor_csv csv, spor_message *message) {
    csv.path = scratch_file("data.csv", text, strlen(text));
    return spor_data_table(&csv, message);
}

static spor_data *must_read(const char *text, spor_csv csv) {
    spor_message message = {{0}};
    spor_data *data = read_as(text, csv, &message);
    ck_assert_msg(data != NULL, "%s", message.text);
    return data;
}

static void check_as_refused(const char *text, spor_csv csv, const char *why) {
    spor_message message = {{0}};
    ck_assert_ptr_null(read_as(text, csv, &message));
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
}

static void check_values(const spor_values *values, int columns, int count,
                         const double expected[]) {
    ck_assert_int_eq(values->keep, SPOR_KEEP_F64);
    ck_assert(values->shape.rank == 1 && values->shape.n[0] == columns);
    ck_assert_mem_eq(values->value, expected, (size_t)count * sizeof *expected);
}

static void check_classes(const spor_data *data, int classes, const char *const names[],
                          const int32_t label[]) {
    ck_assert_int_eq(data->classes, classes);
    ck_assert_mem_eq(data->label, label, (size_t)data->rows * sizeof *label);
    ck_assert(!names == !data->class_name);
    for (int k = 0; names && k < classes; k++) ck_assert_str_eq(data->class_name[k], names[k]);
}

#define COLUMNS(...)                                                                               \
    (spor_columns) {                                                                               \
        sizeof((spor_column[]){__VA_ARGS__}) / sizeof(spor_column), (spor_column[]) {              \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const char flowers[] = "\xef\xbb\xbf"
                              "Id;length;kind;width\r\n"
                              "1;0.5; rose;2\r\n2;1.5;\"daisy\";3\r\n3;2.5;rose;4\r\n";

START_TEST(columns_are_said_by_name_or_number) {
    static const char *const names[] = {"daisy", "rose"};
    static const int32_t label[] = {1, 0, 1};
    static const double x[] = {0.5, 2, 1.5, 3, 2.5, 4}, swapped[] = {2, 0.5, 3, 1.5, 4, 2.5};
    spor_data *data =
        must_read(flowers, (spor_csv){.label = COLUMNS({"kind", 0}), .drop = COLUMNS({"Id", 0})});
    check_values(&data->x, 2, 6, x);
    check_classes(data, 2, names, label);
    spor_data_free(data);
    data = must_read(flowers, (spor_csv){.label = COLUMNS({NULL, -2}),
                                         .inputs = COLUMNS({NULL, 3}, {"length", 0})});
    check_values(&data->x, 2, 6, swapped);
    check_classes(data, 2, names, label);
    spor_data_free(data);
    check_as_refused(flowers, (spor_csv){.label = COLUMNS({"knid", 0})}, "did you mean \"kind\"");
    check_as_refused(flowers, (spor_csv){.label = COLUMNS({NULL, 4})},
                     "there is no column 4; they are 0 to 3, and -1 is the last one");
    check_as_refused(flowers, (spor_csv){.label = COLUMNS({NULL, -5})}, "there is no column -5");
    check_as_refused(flowers, (spor_csv){.label = COLUMNS({NULL, 2}), .drop = COLUMNS({"kind", 0})},
                     "kind can be one thing only");
    check_as_refused("1,0\n2,1\n", (spor_csv){.drop = COLUMNS({NULL, 0})},
                     "no column is left as an input");
    check_as_refused("a|b|y\n1|2|0\n3|4|1\n", (spor_csv){.path = NULL},
                     "no column is left as an input: the file has one; fields are separated by "
                     "commas, semicolons or tabs");
}
END_TEST

/* New rows are found by the names of inputs; what is not looked at may be called as it likes. */
START_TEST(inputs_have_names_of_their_own) {
    static const char twice[] = "y,x,x,z\n1,2,3,0\n4,5,6,1\n";
    static const double all[] = {2, 3, 5, 6}, rest[] = {1, 4};
    spor_message message = {{0}};
    check_as_refused(twice, (spor_csv){0},
                     "data.csv: columns 1 and 2, counted from 0, are both called \"x\", but inputs "
                     "of new rows are found by name: rename one, or leave both out with "
                     "drop=[1, 2]");
    check_as_refused(twice, (spor_csv){.drop = COLUMNS({NULL, 2})}, "by name: rename one");
    check_as_refused(twice, (spor_csv){.label = COLUMNS({NULL, 2})}, "by name: rename one");
    spor_data *data = must_read(twice, (spor_csv){.drop = COLUMNS({NULL, 1}, {NULL, 2})});
    check_values(&data->x, 1, 2, rest);
    spor_data_free(data);
    data = must_read(twice, (spor_csv){.label = COLUMNS({NULL, 2}), .inputs = COLUMNS({"y", 0})});
    check_values(&data->x, 1, 2, rest);
    spor_data_free(data);
    /* rows of a network that was trained without names */
    const spor_csv again = {
        .path = "again.csv", .unlabelled = true, .inputs = COLUMNS({NULL, 1}, {NULL, 2})};
    unsigned char *bytes = (unsigned char *)strdup(twice);
    data = csv_read(&again, bytes, strlen(twice), &message);
    ck_assert_msg(data != NULL, "%s", message.text);
    check_values(&data->x, 2, 4, all);
    spor_data_free(data);
}
END_TEST

START_TEST(targets_are_numbers) {
    static const double x[] = {0.5, 1.5, 2.5}, y[] = {2, 1, 3, 2, 4, 3}, last[] = {2, 3, 4};
    spor_data *data = must_read(flowers, (spor_csv){.targets = COLUMNS({"width", 0}, {NULL, 0}),
                                                    .drop = COLUMNS({"kind", 0})});
    check_values(&data->x, 1, 3, x);
    check_values(&data->y, 2, 6, y);
    ck_assert(!data->classes && !data->label && !data->class_name);
    spor_data_free(data);
    data = must_read("0,2\n0,3\n0,4\n", (spor_csv){.targets = COLUMNS({NULL, -1})});
    check_values(&data->y, 1, 3, last);
    spor_data_free(data);
    check_as_refused(flowers, (spor_csv){.targets = COLUMNS({"kind", 0})},
                     "data.csv:2:3: kind: 'rose' is not a number");
    check_as_refused(
        "0,2\n0,3.5\n", (spor_csv){0},
        "data.csv:2:2: the label 3.5 is not a whole number; numbers to predict are said by "
        "targets=[1]");
    check_as_refused(flowers,
                     (spor_csv){.targets = COLUMNS({"width", 0}), .label = COLUMNS({"kind", 0})},
                     "a label and targets");
}
END_TEST

START_TEST(samples_may_have_neither_label_nor_target) {
    static const double x[] = {1, 2, 3, 4};
    spor_data *data = must_read("1,2\n3,4\n", (spor_csv){.unlabelled = true});
    check_values(&data->x, 2, 4, x);
    ck_assert(!data->classes && !data->label && !data->y.value);
    spor_data_free(data);
}
END_TEST

START_TEST(labels_become_classes_in_sorted_order) {
    static const int32_t ordered[] = {2, 0, 1, 2};
    static const char *const numbers[] = {"-1", "2", "10"}, *const texts[] = {"B", "a", "\xc3\xa4"};
    spor_data *data = must_read("0,2\n0,0\n0,1\n0,2.0\n", (spor_csv){0});
    check_classes(data, 3, NULL, ordered);
    spor_data_free(data);
    data = must_read("0,10\n0,-1\n0,2\n0,1e1\n", (spor_csv){0});
    check_classes(data, 3, numbers, ordered);
    spor_data_free(data);
    data = must_read("0,\xc3\xa4\n0,B\n0,a\n0,\xc3\xa4\n", (spor_csv){0});
    check_classes(data, 3, texts, ordered);
    spor_data_free(data);
    static const int32_t sparse[] = {0, 3};
    data = must_read("0,0\n0,3\n", (spor_csv){.classes = 5});
    check_classes(data, 5, NULL, sparse);
    spor_data_free(data);
    check_as_refused("0,1\n0,1\n", (spor_csv){0}, "all rows have the same label");
    check_as_refused("0,NA\n0,\"\"\n", (spor_csv){0},
                     "data.csv:2:2: column 1 of 0..1 has no value");
}
END_TEST

START_TEST(values_stay_as_they_are_read) {
    static const double x[] = {1700000000, 1700000001};
    spor_data *data = must_read("1700000000,0\n1700000001,1\n", (spor_csv){0});
    check_values(&data->x, 1, 2, x);
    spor_data_free(data);
}
END_TEST

START_TEST(parts_have_files_of_their_own) {
    static const double x[] = {1, 2, 3, 4, 5};
    static const int32_t label[] = {0, 2, 1, 2, 0};
    static const char *const names[] = {"a", "b", "c"};
    spor_csv csv = {.validation_path = scratch_file("v.csv", "x;y\n3;b\n", 8)};
    csv.test_path = scratch_file("t.csv", "x,y\n4,c\n5,a\n", 12);
    spor_data *data = must_read("x,y\n1,a\n2,c\n", csv);
    ck_assert(data->rows == 5 && data->validation_rows == 1 && data->test_rows == 2);
    check_values(&data->x, 1, 5, x);
    check_classes(data, 3, names, label);
    spor_data_free(data);
    csv.validation_path = NULL;
    csv.test_path = scratch_file("t.csv", "y,x\na,1\n", 8);
    check_as_refused("x,y\n1,a\n", csv,
                     "t.csv: the first line has \"y\" for column 0, but that of ");
    csv.test_path = scratch_file("t.csv", "x,y,z\n1,2,a\n", 12);
    check_as_refused("x,y\n1,a\n", csv, "t.csv: has 3 columns where ");
    csv.test_path = scratch_file("t.csv", "x,y\n,a\n", 7);
    check_as_refused("x,y\n1,a\n", csv, "t.csv:2:1: x has no value here");
}
END_TEST

/* zcat digits.csv.gz | awk -F, '{for (k = 1; k < 65; k++) {s += $k; w += k * $k}; c[$65]++}
 * END {print NR, s, w; for (k = 0; k < 10; k++) print c[k]}' */
START_TEST(the_digits_are_whole) {
    spor_message message = {{0}};
    spor_data *data =
        spor_data_csv(source_path("digits.csv.gz"), SPOR_SHAPE(8, 8, 1), 10, 1.0 / 16, &message);
    ck_assert_msg(data != NULL, "%s", message.text);
    ck_assert_int_eq(data->rows, 1797);
    ck_assert_str_eq(data->name, "digits");
    const double *x = data->x.value;
    double sum = 0, weighted = 0;
    int64_t counts[10] = {0};
    for (int64_t r = 0; r < data->rows; r++) {
        counts[data->label[r]]++;
        for (int k = 0; k < 64; k++) {
            sum += x[64 * r + k];
            weighted += (k + 1) * x[64 * r + k];
        }
    }
    ck_assert_double_eq(sum, 561718);
    ck_assert_double_eq(weighted, 18222371);
    const int64_t expected[] = {178, 182, 177, 183, 181, 182, 181, 179, 174, 180};
    ck_assert_mem_eq(counts, expected, sizeof counts);
    spor_data_free(data);
}
END_TEST

START_TEST(numbers_round_as_strtod_does) {
    static const char *const texts[] = {"0",
                                        "-0",
                                        "0.1",
                                        "1e22",
                                        "1e23",
                                        "1e-22",
                                        "123456789",
                                        "0.3",
                                        "5e-324",
                                        "1.7e308",
                                        "2e-400",
                                        "1e-5",
                                        "9007199254740993",
                                        "3.14159265358979323846264338327950288",
                                        "00012.500",
                                        "446673754019253275e13"};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        double value, expected = strtod(texts[k], NULL);
        ck_assert(number_read(texts[k], strlen(texts[k]), &value));
        ck_assert_mem_eq(&value, &expected, sizeof value);
    }
    static const char *const wrong[] = {"",      "+",     ".",     "e5",  "1e",
                                        "1e+",   "1.2.3", "--1",   "1 ",  " 1",
                                        "1e5.0", "1e400", "0x1p3", "1_0", "1,5"};
    double value;
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        ck_assert_msg(!number_read(wrong[k], strlen(wrong[k]), &value), "%s", wrong[k]);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("csv");
    TCase *files = tcase_create("files"), *pure = tcase_create("numbers");
    tcase_add_checked_fixture(files, scratch_begin, scratch_end);
    tcase_add_test(files, lines_end_as_lines_do);
    tcase_add_test(files, what_is_wrong_is_named_with_its_place);
    tcase_add_test(files, columns_are_said_by_name_or_number);
    tcase_add_test(files, inputs_have_names_of_their_own);
    tcase_add_test(files, targets_are_numbers);
    tcase_add_test(files, samples_may_have_neither_label_nor_target);
    tcase_add_test(files, labels_become_classes_in_sorted_order);
    tcase_add_test(files, values_stay_as_they_are_read);
    tcase_add_test(files, parts_have_files_of_their_own);
    tcase_add_test(files, senseless_arguments_are_refused);
    tcase_add_test(pure, the_digits_are_whole);
    tcase_add_test(pure, numbers_round_as_strtod_does);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, pure);
    return suite;
}
