/* Stratified splits: disjoint, complete, in proportion, a function of the seed. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include <spor/data.h>

#include "scratch.h"

/* A data set of labels only. */
static spor_data labels_only(int64_t rows, int classes, int32_t *label) {
    return (spor_data){.rows = rows, .classes = classes, .label = label};
}

static void check_partition(const spor_data *data, const spor_split *s) {
    unsigned char *seen = calloc((size_t)data->rows, 1);
    ck_assert_ptr_nonnull(seen);
    const int64_t *part[] = {s->train, s->validation, s->test};
    const int64_t rows[] = {s->train_rows, s->validation_rows, s->test_rows};
    for (int p = 0; p < 3; p++)
        for (int64_t k = 0; k < rows[p]; k++) {
            ck_assert_int_ge(part[p][k], 0);
            ck_assert_int_lt(part[p][k], data->rows);
            ck_assert_int_eq(seen[part[p][k]]++, 0);
            if (k) ck_assert_int_gt(part[p][k], part[p][k - 1]);
        }
    ck_assert_int_eq(rows[0] + rows[1] + rows[2], data->rows);
    free(seen);
}

static void count(const spor_data *data, const int64_t rows[], int64_t n, int64_t counts[]) {
    memset(counts, 0, (size_t)data->classes * sizeof *counts);
    for (int64_t k = 0; k < n; k++) counts[data->label[rows[k]]]++;
}

static void check_within_one(double share, const int64_t part[], const int64_t whole[],
                             int classes) {
    for (int c = 0; c < classes; c++) {
        double exact = share * (double)whole[c];
        ck_assert_double_ge((double)part[c], exact - 1);
        ck_assert_double_le((double)part[c], exact + 1);
    }
}

START_TEST(the_digits_are_split_in_proportion) {
    spor_message message;
    spor_split s;
    spor_data *data =
        spor_data_csv(source_path("digits.csv.gz"), SPOR_SHAPE(8, 8, 1), 10, 1, &message);
    ck_assert_ptr_nonnull(data);
    ck_assert(spor_split_draw(data, 0.2, 0.1, 7, &s, &message));
    ck_assert_int_eq(s.test_rows, 360);
    ck_assert_int_eq(s.validation_rows, 144);
    ck_assert_int_eq(s.train_rows, 1293);
    check_partition(data, &s);
    int64_t all[10] = {0}, test[10], validation[10], rest[10];
    for (int64_t r = 0; r < data->rows; r++) all[data->label[r]]++;
    count(data, s.test, s.test_rows, test);
    count(data, s.validation, s.validation_rows, validation);
    check_within_one(0.2, test, all, 10);
    for (int c = 0; c < 10; c++) rest[c] = all[c] - test[c];
    check_within_one(0.1, validation, rest, 10);
    spor_split_free(&s);
    ck_assert_ptr_null(s.train);
    spor_data_free(data);
}
END_TEST

START_TEST(the_seed_decides) {
    int32_t label[90];
    for (int k = 0; k < 90; k++) label[k] = k % 3;
    spor_data data = labels_only(90, 3, label);
    spor_split a, b, c;
    ck_assert(spor_split_draw(&data, 0.3, 0.2, 1, &a, NULL));
    ck_assert(spor_split_draw(&data, 0.3, 0.2, 1, &b, NULL));
    ck_assert(spor_split_draw(&data, 0.3, 0.2, 2, &c, NULL));
    size_t test = (size_t)a.test_rows * sizeof *a.test;
    size_t validation = (size_t)a.validation_rows * sizeof *a.validation;
    ck_assert_int_eq(a.test_rows, 27);
    ck_assert_mem_eq(a.test, b.test, test);
    ck_assert_mem_eq(a.validation, b.validation, validation);
    ck_assert_mem_ne(a.test, c.test, test);
    spor_split_free(&a);
    spor_split_free(&b);
    spor_split_free(&c);
}
END_TEST

/* Over many seeds every row of a class is as likely to be a test row as any other. */
START_TEST(no_row_is_favoured) {
    enum { ROWS = 10, SEEDS = 2000 };
    int32_t label[ROWS] = {0};
    int hits[ROWS] = {0};
    spor_data data = labels_only(ROWS, 1, label);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        spor_split s;
        ck_assert(spor_split_draw(&data, 0.3, 0, seed, &s, NULL));
        ck_assert_int_eq(s.test_rows, 3);
        ck_assert_int_eq(s.validation_rows, 0);
        for (int64_t k = 0; k < s.test_rows; k++) hits[s.test[k]]++;
        spor_split_free(&s);
    }
    for (int k = 0; k < ROWS; k++) { /* 600 +- 20.5: five standard deviations */
        ck_assert_int_gt(hits[k], 497);
        ck_assert_int_lt(hits[k], 703);
    }
}
END_TEST

START_TEST(odd_sizes_are_partitions_too) {
    static const double shares[] = {0, 0.01, 0.1, 0.25, 1.0 / 3, 0.5, 0.9, 0.999};
    int32_t label[40];
    for (int rows = 2; rows <= 40; rows++)
        for (size_t t = 0; t < 8; t++)
            for (size_t v = 0; v < 8; v++) {
                for (int k = 0; k < rows; k++) label[k] = k * k % 3;
                spor_data data = labels_only(rows, 5, label);
                spor_message message = {{0}};
                spor_split s;
                if (!spor_split_draw(&data, shares[t], shares[v], 3, &s, &message)) {
                    ck_assert_ptr_nonnull(strstr(message.text, "leaves the part empty"));
                    continue;
                }
                check_partition(&data, &s);
                ck_assert_int_ge(s.train_rows, 1);
                ck_assert_int_eq(s.test_rows > 0, t > 0);
                ck_assert_int_eq(s.validation_rows > 0, v > 0);
                int64_t train[5];
                count(&data, s.train, s.train_rows, train);
                ck_assert_int_ge(train[0], 1);
                spor_split_free(&s);
            }
}
END_TEST

/* 0.07 * 100 is a little more than 7 in binary. */
START_TEST(shares_are_rounded_up_but_not_by_rounding_errors) {
    int32_t label[100] = {0};
    spor_data data = labels_only(100, 1, label);
    spor_split s;
    ck_assert(spor_split_draw(&data, 0.07, 0, 0, &s, NULL));
    ck_assert_int_eq(s.test_rows, 7);
    spor_split_free(&s);
    ck_assert(spor_split_draw(&data, 0.071, 0, 0, &s, NULL));
    ck_assert_int_eq(s.test_rows, 8);
    spor_split_free(&s);
}
END_TEST

START_TEST(a_class_of_one_row_is_trained_on) {
    int32_t label[] = {0, 0, 0, 0, 0, 0, 1, 0, 0, 0};
    spor_data data = labels_only(10, 2, label);
    for (uint64_t seed = 0; seed < 20; seed++) {
        spor_split s;
        ck_assert(spor_split_draw(&data, 0.5, 0.5, seed, &s, NULL));
        bool found = false;
        for (int64_t k = 0; k < s.train_rows; k++) found |= s.train[k] == 6;
        ck_assert(found);
        spor_split_free(&s);
    }
}
END_TEST

/* Rows first .. first + n - 1, in this order. */
static void check_run(const int64_t rows[], int64_t n, int64_t first) {
    for (int64_t k = 0; k < n; k++) ck_assert_int_eq(rows[k], first + k);
}

START_TEST(parts_with_files_of_their_own_are_used_as_such) {
    int32_t label[100];
    for (int k = 0; k < 100; k++) label[k] = k % 3;
    for (int own = 0; own < 4; own++) {
        spor_data data = labels_only(100, 3, label);
        data.validation_rows = own & 1 ? 7 : 0;
        data.test_rows = own & 2 ? 20 : 0;
        int64_t open = 100 - data.validation_rows - data.test_rows;
        int64_t test = data.test_rows ? 20 : open / 5 + (open % 5 > 0);
        int64_t rest = data.test_rows ? open : open - test;
        spor_split s;
        ck_assert(spor_split_draw(&data, 0.2, 0.1, 1, &s, NULL));
        check_partition(&data, &s);
        ck_assert_int_eq(s.test_rows, test);
        ck_assert_int_eq(s.validation_rows, own & 1 ? 7 : rest / 10 + (rest % 10 > 0));
        if (data.test_rows) check_run(s.test, 20, 80);
        if (data.validation_rows) check_run(s.validation, 7, open);
        if (own == 3) check_run(s.train, 73, 0);
        spor_split_free(&s);
    }
}
END_TEST

/* Not in order: a file may be sorted by its targets. */
START_TEST(rows_with_numbers_as_targets_are_drawn_from_all) {
    enum { ROWS = 10, SEEDS = 2000 };
    double y[ROWS] = {0};
    int hits[ROWS] = {0};
    spor_data data = {.rows = ROWS};
    data.y = (spor_values){.keep = SPOR_KEEP_F64, .shape = SPOR_SHAPE(1), .value = y};
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        spor_split s;
        ck_assert(spor_split_draw(&data, 0.3, 0.1, seed, &s, NULL));
        check_partition(&data, &s);
        ck_assert(s.test_rows == 3 && s.validation_rows == 1);
        for (int64_t k = 0; k < s.test_rows; k++) hits[s.test[k]]++;
        spor_split_free(&s);
    }
    for (int k = 0; k < ROWS; k++) { /* 600 +- 20.5: five standard deviations */
        ck_assert_int_gt(hits[k], 497);
        ck_assert_int_lt(hits[k], 703);
    }
}
END_TEST

START_TEST(impossible_splits_are_refused) {
    int32_t label[] = {0, 1, 2};
    spor_data data = labels_only(3, 3, label);
    spor_message message = {{0}};
    spor_split s;
    ck_assert(!spor_split_draw(&data, 0.5, 0, 0, &s, &message));
    ck_assert_ptr_nonnull(
        strstr(message.text, "a test share of 0.5 of 3 rows leaves the part empty"));
    ck_assert(!spor_split_draw(&data, 0, 0.5, 0, &s, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "a validation share"));
    ck_assert(!spor_split_draw(&data, 1, 0, 0, &s, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "below 1"));
    ck_assert(!spor_split_draw(&data, 0, -0.1, 0, &s, &message));
    ck_assert(!spor_split_draw(&data, 0.0 / 0.0, 0, 0, &s, &message));
    ck_assert(!spor_split_draw(NULL, 0.1, 0, 0, &s, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "no rows to split"));
    data.test_rows = 3;
    ck_assert(!spor_split_draw(&data, 0.1, 0, 0, &s, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "of 3, 0 validate and 3 test"));
    data.test_rows = 0;
    ck_assert_ptr_null(s.train);
    label[1] = 3;
    ck_assert(!spor_split_draw(&data, 0.1, 0, 0, &s, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "row 1 has label 3; there are 3 classes"));
    label[1] = 1;
    ck_assert(spor_split_draw(&data, 0, 0, 0, &s, &message));
    ck_assert_int_eq(s.train_rows, 3);
    spor_split_free(&s);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("split");
    TCase *tests = tcase_create("split");
    tcase_add_test(tests, the_digits_are_split_in_proportion);
    tcase_add_test(tests, the_seed_decides);
    tcase_add_test(tests, no_row_is_favoured);
    tcase_add_test(tests, odd_sizes_are_partitions_too);
    tcase_add_test(tests, shares_are_rounded_up_but_not_by_rounding_errors);
    tcase_add_test(tests, a_class_of_one_row_is_trained_on);
    tcase_add_test(tests, parts_with_files_of_their_own_are_used_as_such);
    tcase_add_test(tests, rows_with_numbers_as_targets_are_drawn_from_all);
    tcase_add_test(tests, impossible_splits_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
