/* Data sets: values in the type they are kept in, what rows of them become, standardized columns. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/values.h"

enum { ROWS = 4, COLUMNS = 3 };

/* A data set of whole numbers, kept in one type or another; to be freed. */
static spor_data *data_of(spor_keep keep, const double number[ROWS * COLUMNS], double scale) {
    spor_data *data = calloc(1, sizeof *data);
    ck_assert_ptr_nonnull(data);
    *data = (spor_data){.rows = ROWS, .scale = scale, .x = {.keep = keep}};
    data->x.shape = SPOR_SHAPE(COLUMNS);
    ck_assert(values_allocate(&data->x, ROWS));
    for (int k = 0; k < ROWS * COLUMNS; k++) {
        if (keep == SPOR_KEEP_U8) ((uint8_t *)data->x.value)[k] = (uint8_t)number[k];
        if (keep == SPOR_KEEP_F32) ((float *)data->x.value)[k] = (float)number[k];
        if (keep == SPOR_KEEP_F64) ((double *)data->x.value)[k] = number[k];
    }
    return data;
}

static const double bytes[ROWS * COLUMNS] = {0, 255, 7, 1, 2, 3, 200, 100, 50, 4, 5, 6};

START_TEST(every_type_gives_the_same_rows) {
    static const int64_t rows[] = {2, 0, 2};
    for (int k = 0; k < SPOR_KEEPS; k++) {
        spor_data *data = data_of((spor_keep)k, bytes, 1.0 / 255);
        float single[3 * COLUMNS];
        double wide[3 * COLUMNS];
        ck_assert(spor_data_rows(data, rows, 3, SPOR_F32, single, NULL));
        ck_assert(spor_data_rows(data, rows, 3, SPOR_F64, wide, NULL));
        for (int n = 0; n < 3 * COLUMNS; n++) {
            double x = bytes[rows[n / COLUMNS] * COLUMNS + n % COLUMNS] * (1.0 / 255);
            ck_assert(wide[n] == x && single[n] == (float)x);
        }
        spor_data_free(data);
    }
}
END_TEST

/* In float both are 1699999998 or so; scaling takes place before that. */
START_TEST(values_are_rounded_once_and_last) {
    static const double number[ROWS * COLUMNS] = {1700000000, 1700000001, 0.1, 16777217, 1, 2};
    spor_data *data = data_of(SPOR_KEEP_F64, number, 1);
    double wide[2 * COLUMNS];
    float single[2 * COLUMNS];
    ck_assert(spor_data_rows(data, NULL, 2, SPOR_F64, wide, NULL));
    ck_assert_mem_eq(wide, number, sizeof wide);
    data->x.mean = calloc(COLUMNS, sizeof(double));
    data->x.factor = calloc(COLUMNS, sizeof(double));
    for (int k = 0; k < COLUMNS; k++) data->x.mean[k] = 1700000000, data->x.factor[k] = 0.5;
    ck_assert(spor_data_rows(data, NULL, 2, SPOR_F32, single, NULL));
    ck_assert(single[0] == 0 && single[1] == 0.5F);
    ck_assert(single[2] == (float)((0.1 - 1700000000) * 0.5));
    for (int t = 1; t < 200; t++) { /* twice rounded, many are others */
        double third = 1.0 / (2 * t + 1);
        for (int k = 0; k < COLUMNS; k++) data->x.mean[k] = 1, data->x.factor[k] = third;
        ck_assert(spor_data_rows(data, NULL, 1, SPOR_F32, single, NULL));
        ck_assert(single[2] == (float)((0.1 - 1) * third));
    }
    spor_data_free(data);
}
END_TEST

START_TEST(targets_are_classes_or_numbers) {
    static const int64_t rows[] = {3, 1};
    static const double hot[] = {0, 0, 1, 1, 0, 0};
    static const float hot_single[] = {0, 0, 1, 1, 0, 0};
    int32_t label[ROWS] = {1, 0, 1, 2};
    float number[ROWS * 2] = {1, 2, 3, 4, 5, 6, 7.5F, 8};
    double y[2 * 3];
    float single[2 * 3];
    spor_data data = {.rows = ROWS, .classes = 3, .label = label};
    ck_assert(spor_data_rows(&data, rows, 2, SPOR_F64, NULL, y));
    ck_assert_mem_eq(y, hot, sizeof hot);
    ck_assert(spor_data_rows(&data, rows, 2, SPOR_F32, NULL, single));
    ck_assert_mem_eq(single, hot_single, sizeof hot_single);
    data = (spor_data){.rows = ROWS, .scale = 9};
    data.y = (spor_values){.keep = SPOR_KEEP_F32, .shape = SPOR_SHAPE(2), .value = number};
    ck_assert(spor_data_rows(&data, rows, 2, SPOR_F64, NULL, y));
    ck_assert(y[0] == 7.5 && y[1] == 8 && y[2] == 3 && y[3] == 4);
}
END_TEST

START_TEST(rows_that_are_not_there_are_refused) {
    spor_data *data = data_of(SPOR_KEEP_U8, bytes, 1);
    double x[COLUMNS] = {-1, -1, -1}, y[2] = {-1, -1};
    int64_t row = ROWS;
    ck_assert(!spor_data_rows(NULL, NULL, 1, SPOR_F64, x, NULL));
    ck_assert(!spor_data_rows(data, &row, 1, SPOR_F64, x, NULL));
    row = -1;
    ck_assert(!spor_data_rows(data, &row, 1, SPOR_F64, x, NULL));
    ck_assert(!spor_data_rows(data, NULL, 1, SPOR_C128, x, NULL));
    ck_assert(!spor_data_rows(data, NULL, 1, SPOR_F64, x, y));
    data->classes = 2;
    data->label = calloc(ROWS, sizeof *data->label);
    data->label[0] = 2;
    ck_assert(!spor_data_rows(data, NULL, 1, SPOR_F64, x, y));
    ck_assert(x[0] == -1 && y[0] == -1);
    spor_data_free(data);
}
END_TEST

static void check_memory(int64_t rows, spor_shape shape, bool fits) {
    spor_values values = {.keep = SPOR_KEEP_F64, .shape = shape};
    ck_assert(values_allocate(&values, rows) == fits);
    values_free(&values);
}

START_TEST(memory_is_asked_for_by_sizes_that_do_not_overflow) {
    int64_t huge = INT64_C(1) << 32;
    check_memory(3, SPOR_SHAPE(2, 2), true);
    check_memory(0, SPOR_SHAPE(2, 2), false);
    check_memory(huge, SPOR_SHAPE(huge, 1), false);
    check_memory(INT64_MAX, SPOR_SHAPE(1), false);
    check_memory(2, SPOR_SHAPE(huge, huge, huge), false);
}
END_TEST

/* ---- standardizing ---- */

static void check_moments(const spor_data *data, const int64_t rows[], int64_t n, int column,
                          double mean, double deviation) {
    double x[ROWS * COLUMNS], sum = 0, square = 0;
    ck_assert(spor_data_rows(data, rows, n, SPOR_F64, x, NULL));
    for (int64_t r = 0; r < n; r++) sum += x[r * COLUMNS + column];
    for (int64_t r = 0; r < n; r++) square += pow(x[r * COLUMNS + column] - sum / (double)n, 2);
    ck_assert_double_eq_tol(sum / (double)n, mean, 1e-14);
    ck_assert_double_eq_tol(sqrt(square / (double)n), deviation, 1e-14);
}

/* Of rows 0, 1 and 3 of column 0, which times 10 are 10, 20, 60: mean 30, variance 1400/3. */
START_TEST(columns_are_standardized_by_the_rows_given_alone) {
    static const double number[ROWS * COLUMNS] = {1, 1700000000, 5,  2, 1700000001, 5,
                                                  9, 1e9,        99, 6, 1700000002, 5};
    static const int64_t rows[] = {0, 1, 3};
    double x[ROWS * COLUMNS];
    spor_message message = {""};
    spor_data *data = data_of(SPOR_KEEP_F64, number, 10);
    ck_assert(spor_data_standardize(data, rows, 3, &message));
    ck_assert_double_eq_tol(data->x.mean[0], 30, 1e-13);
    ck_assert_double_eq_tol(data->x.factor[0], sqrt(3.0 / 1400), 1e-15);
    check_moments(data, rows, 3, 0, 0, 1);
    check_moments(data, rows, 3, 1, 0, 1);
    check_moments(data, rows, 3, 2, 0, 0);
    ck_assert(spor_data_rows(data, NULL, ROWS, SPOR_F64, x, NULL));
    ck_assert_double_eq_tol(x[2 * COLUMNS], 60 * sqrt(3.0 / 1400), 1e-14);
    ck_assert(x[2] == 0 && x[2 * COLUMNS + 2] == 940);
    ck_assert(spor_data_standardize(data, NULL, ROWS, &message)); /* the raw values are there yet */
    check_moments(data, NULL, ROWS, 0, 0, 1);
    spor_data_free(data);
}
END_TEST

/* The mean of ten thousand times 0.1 is not 0.1 if sums are rounded. */
START_TEST(a_constant_column_is_shifted_to_zero) {
    enum { MANY = 10000 };
    static double tenth[MANY];
    for (int k = 0; k < MANY; k++) tenth[k] = 0.1;
    spor_data data = {.rows = MANY, .scale = 1};
    data.x = (spor_values){.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = tenth};
    ck_assert(spor_data_standardize(&data, NULL, MANY, NULL));
    ck_assert(data.x.mean[0] == 0.1 && data.x.factor[0] == 1);
    free(data.x.mean);
    free(data.x.factor);
}
END_TEST

static void check_refused(const double number[ROWS * COLUMNS], int64_t n, const char *why) {
    spor_message message = {""};
    spor_data *data = data_of(SPOR_KEEP_F64, number, 1);
    ck_assert(!spor_data_standardize(data, NULL, n, &message));
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
    ck_assert(!data->x.mean && !data->x.factor);
    spor_data_free(data);
}

START_TEST(what_cannot_be_standardized_is_refused) {
    static const double large[ROWS * COLUMNS] = {1, 1e308, 1, 2, -1e308, 1, 3, 1e308, 1};
    static const double close[ROWS * COLUMNS] = {1, 2, 0, 2, 3, 5e-324, 4, 5};
    check_refused(large, ROWS, "input 1, counted from 0, cannot be standardized");
    check_refused(close, ROWS, "input 2, counted from 0, cannot be standardized");
    char width[] = "width", *names[] = {NULL, width, NULL};
    spor_message message = {""};
    spor_data *data = data_of(SPOR_KEEP_F64, large, 1);
    snprintf(data->name, sizeof data->name, "sales");
    data->x.column = names;
    ck_assert(!spor_data_standardize(data, NULL, ROWS, &message));
    ck_assert_str_eq(message.text,
                     "sales: width cannot be standardized: its numbers, -1e+308 to 1e+308, are too "
                     "large, too small or too close; scale= brings them to another size");
    data->x.column = NULL;
    spor_data_free(data);
    check_refused(bytes, 0, "there are no rows");
    check_refused(bytes, ROWS + 1, "there is no such row");
    ck_assert(!spor_data_standardize(NULL, NULL, 1, NULL));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("data");
    TCase *rows = tcase_create("rows"), *standardized = tcase_create("standardized");
    tcase_add_test(rows, every_type_gives_the_same_rows);
    tcase_add_test(rows, values_are_rounded_once_and_last);
    tcase_add_test(rows, targets_are_classes_or_numbers);
    tcase_add_test(rows, rows_that_are_not_there_are_refused);
    tcase_add_test(rows, memory_is_asked_for_by_sizes_that_do_not_overflow);
    tcase_add_test(standardized, columns_are_standardized_by_the_rows_given_alone);
    tcase_add_test(standardized, a_constant_column_is_shifted_to_zero);
    tcase_add_test(standardized, what_cannot_be_standardized_is_refused);
    suite_add_tcase(suite, rows);
    suite_add_tcase(suite, standardized);
    return suite;
}
