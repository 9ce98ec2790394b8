/* Samples from CSV, strict numbers, and the real digits. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include <spor/data.h>

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
    check_refused("", "data.csv:1:1: the file has no samples");
    check_refused("\n\n", "no samples");
    check_refused("1,2,0\n\n1,2,1\n", "data.csv:2:1: the line is empty");
    check_refused("1,2,0\n1,2\n", "data.csv:2:2: the line has fewer than 3 fields");
    check_refused("1,2,0\n1,2,0,0\n", "data.csv:2:3: the line has more than 3 fields");
    check_refused("1,2,0\n1,x,0\n", "data.csv:2:2: 'x' is not a number");
    check_refused("a,b,label\n1,2,0\n", "data.csv:1:1: 'a' is not a number (a header line");
    check_refused("1,,0\n", "data.csv:1:2: '' is not a number");
    check_refused("1, 2,0\n", "data.csv:1:2: ' 2' is not a number");
    check_refused("1,nan,0\n", "data.csv:1:2: 'nan' is not a number");
    check_refused("1,inf,0\n", "'inf' is not a number");
    check_refused("1,0x10,0\n", "'0x10' is not a number");
    check_refused("1,1e999,0\n", "'1e999' is not a number");
    check_refused("1,1e39,0\n", "'1e39' is not a number");
    check_refused("1,2,3\n", "data.csv:1:3: the label '3' is not one of 0..2");
    check_refused("1,2,-1\n", "the label '-1' is not one of 0..2");
    check_refused("1,2,1.5\n", "the label '1.5' is not one of 0..2");
    check_refused("1,2,\n", "the label '' is not one of 0..2");
    check_refused("1,2,0\n1,123456789012345678901234567890x,0\n",
                  "data.csv:2:2: '12345678901234567890...' is not a number");
    check_refused("1,\t\x01,0\n", "'\?\?' is not a number");
}
END_TEST

START_TEST(a_zero_byte_is_no_number) {
    spor_message message = {{0}};
    const char *path = scratch_file("data.csv", "1,2\0,0\n", 7);
    ck_assert_ptr_null(spor_data_csv(path, SPOR_SHAPE(2), 3, 1, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "data.csv:1:2: '2' is not a number"));
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
    tcase_add_test(files, a_zero_byte_is_no_number);
    tcase_add_test(files, senseless_arguments_are_refused);
    tcase_add_test(pure, the_digits_are_whole);
    tcase_add_test(pure, numbers_round_as_strtod_does);
    suite_add_tcase(suite, files);
    suite_add_tcase(suite, pure);
    return suite;
}
