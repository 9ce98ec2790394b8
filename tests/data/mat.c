/* MATLAB's files: what is read, in which order, and what is refused. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include "../support/matlab.h"
#include "base/shape.h"
#include "data/mat.h"
#include "data/values.h"
#include "scratch.h"

/* X [2, 3, 2, 2] in MATLAB's order: element i, j, c, n is 1000 at most. */
static const unsigned char x[24] = {0,   100, 10,  110, 20,  120, 1,   101, 11,  111, 21,  121,
                                    200, 210, 202, 212, 204, 214, 201, 211, 203, 213, 205, 215};
/* The same as rows n of [i, j, c]. */
static const unsigned char rows_of_x[24] = {0,   1,   10,  11,  20,  21,  100, 101,
                                            110, 111, 120, 121, 200, 201, 202, 203,
                                            204, 205, 210, 211, 212, 213, 214, 215};

static matlab_array array_x(bool packed) {
    return (matlab_array){.name = "X",
                          .kind = MATLAB_UINT8,
                          .type = MATLAB_UINT8_TYPE,
                          .axes = 4,
                          .n = {2, 3, 2, 2},
                          .numbers = x,
                          .size = sizeof x,
                          .packed = packed};
}

static matlab_array array_y(const void *numbers, int kind, int type, size_t size, bool packed) {
    return (matlab_array){.name = "labels",
                          .kind = kind,
                          .type = type,
                          .axes = 2,
                          .n = {2, 1},
                          .numbers = numbers,
                          .size = size,
                          .packed = packed};
}

/* Reads one variable of a file with these arrays; *why is empty if it could. */
static spor_values read_of(const matlab_file *written, const char *name, spor_message *why) {
    mat_file file;
    spor_values values = {0};
    const char *path = scratch_file("data.mat", written->bytes, written->size);
    *why = (spor_message){""};
    bool opened = mat_open(path, &file, why);
    if (opened && !mat_read(&file, name, &values, why)) ck_assert_ptr_null(values.value);
    ck_assert((values.value != NULL) == !*why->text);
    if (*why->text) ck_assert(strncmp(why->text, path, strlen(path)) == 0);
    mat_close(&file);
    return values;
}

static spor_values read_one(matlab_array array, spor_message *why) {
    matlab_file file;
    matlab_begin(&file);
    matlab_add(&file, &array);
    spor_values values = read_of(&file, array.name, why);
    free(file.bytes);
    return values;
}

START_TEST(bytes_are_read_in_order_and_turned) {
    for (int packed = 0; packed < 2; packed++) {
        spor_message why;
        int64_t rows;
        spor_values values = read_one(array_x(packed), &why);
        ck_assert_msg(!*why.text, "%s", why.text);
        ck_assert_int_eq(values.keep, SPOR_KEEP_U8);
        ck_assert(values.shape.rank == 4 && values.shape.n[1] == 3 && values.shape.n[3] == 2);
        ck_assert_mem_eq(values.value, x, sizeof x);
        ck_assert(mat_rows(&values, 4, &rows));
        ck_assert(rows == 2 && values.shape.rank == 3 && values.shape.n[2] == 2);
        ck_assert_mem_eq(values.value, rows_of_x, sizeof x);
        values_free(&values);
    }
}
END_TEST

START_TEST(an_axis_of_one_may_be_left_out) {
    matlab_array one = array_x(true);
    spor_message why;
    int64_t rows;
    one.axes = 3;
    one.size = 12;
    spor_values values = read_one(one, &why);
    ck_assert(mat_rows(&values, 4, &rows) && rows == 1);
    ck_assert(values.shape.rank == 3 && shape_size(&values.shape) == 12);
    ck_assert_mem_eq(values.value, rows_of_x, 12);
    values_free(&values);
}
END_TEST

/* A class may be kept in a smaller type, and in the tag if it is small enough. */
START_TEST(numbers_of_any_type_are_read) {
    static const double wide[] = {0.1, -1e300};
    static const float single[] = {0.5F, -3};
    static const int16_t whole[] = {-2, 300};
    static const unsigned char small[] = {10, 3};
    const matlab_array arrays[] = {
        array_y(wide, MATLAB_DOUBLE, MATLAB_DOUBLE_TYPE, sizeof wide, true),
        array_y(single, MATLAB_SINGLE, MATLAB_SINGLE_TYPE, sizeof single, false),
        array_y(whole, MATLAB_DOUBLE, MATLAB_INT16_TYPE, sizeof whole, true),
        array_y(small, MATLAB_DOUBLE, MATLAB_UINT8_TYPE, sizeof small, true),
    };
    static const double expected[][2] = {{0.1, -1e300}, {0.5, -3}, {-2, 300}, {10, 3}};
    for (size_t k = 0; k < 4; k++) {
        spor_message why;
        spor_values values = read_one(arrays[k], &why);
        ck_assert_msg(!*why.text, "%s", why.text);
        for (int n = 0; n < 2; n++)
            ck_assert(values_types[values.keep].value(values.value, n) == expected[k][n]);
        values_free(&values);
    }
}
END_TEST

START_TEST(a_variable_is_found_among_others) {
    static const unsigned char y[] = {7, 9};
    matlab_file file;
    spor_message why;
    matlab_array first = array_x(true),
                 third = array_y(y, MATLAB_UINT8, MATLAB_UINT8_TYPE, 2, true);
    matlab_begin(&file);
    matlab_add(&file, &first);
    first.name = "a_name_that_is_longer_than_any_name_that_is_ever_looked_for_in_a_file";
    matlab_add(&file, &first);
    matlab_add(&file, &third);
    spor_values values = read_of(&file, "labels", &why);
    ck_assert_mem_eq(values.value, y, 2);
    values_free(&values);
    read_of(&file, "Y", &why);
    ck_assert_ptr_nonnull(strstr(why.text, "has no variable Y"));
    free(file.bytes);
}
END_TEST

/* ---- what is refused ---- */

static void check_refused(matlab_array array, const char *part) {
    spor_message why;
    for (int packed = 0; packed < 2; packed++) {
        array.packed = packed;
        read_one(array, &why);
        ck_assert_msg(strstr(why.text, part) != NULL, "\"%s\" lacks \"%s\"", why.text, part);
    }
}

START_TEST(what_is_no_array_of_numbers_is_refused) {
    enum { CELL = 1, TEXT = 4, SPARSE = 5, COMPLEX = 0x0800 };
    static const uint64_t odd[] = {1, (UINT64_C(1) << 53) + 1};
    matlab_array a = array_x(false);
    const int kinds[] = {CELL, TEXT, SPARSE, MATLAB_UINT8 | COMPLEX};
    for (int k = 0; k < 4; k++) {
        a.kind = kinds[k];
        check_refused(a, "X is no full array of real numbers");
    }
    a = array_x(false);
    a.type = 99;
    check_refused(a, "no numbers of a known type");
    a = array_x(false);
    a.n[1] = 4;
    check_refused(a, "the sizes of X do not fit its 24 bytes");
    a.n[1] = -3;
    check_refused(a, "the sizes of X do not fit");
    a.n[1] = 0;
    check_refused(a, "X is empty");
    check_refused(array_y(odd, MATLAB_DOUBLE, MATLAB_UINT64_TYPE, sizeof odd, false),
                  "number 1 of labels is too long for a double");
}
END_TEST

static void check_head(size_t at, const char *bytes, size_t size, const char *part) {
    matlab_file file;
    spor_message why;
    matlab_array a = array_x(false);
    matlab_begin(&file);
    matlab_add(&file, &a);
    memcpy(file.bytes + at, bytes, size);
    read_of(&file, "X", &why);
    ck_assert_msg(strstr(why.text, part) != NULL, "\"%s\" lacks \"%s\"", why.text, part);
    free(file.bytes);
}

START_TEST(what_is_no_file_of_this_version_is_refused) {
    check_head(7, "7.3", 3, "is no MATLAB file of version 5");
    check_head(124, "\x01\x00MI", 4, "the highest byte first");
    check_head(132, "\xff\xff\xff\x7f", 4, "an element at byte 128 does not end in it");
}
END_TEST

/* Every cut, in each kind of element. */
START_TEST(a_file_cut_anywhere_is_refused) {
    for (int packed = 0; packed < 2; packed++) {
        matlab_file file;
        spor_message why;
        matlab_array a = array_x(packed);
        matlab_begin(&file);
        matlab_add(&file, &a);
        size_t whole = file.size;
        for (file.size = 0; file.size < whole; file.size++) {
            read_of(&file, "X", &why);
            ck_assert(*why.text);
        }
        free(file.bytes);
    }
}
END_TEST

/* Lengths inside of a compressed element, beyond what it holds and short of it; its checksum. */
START_TEST(a_packed_variable_is_held_to_what_it_states) {
    enum { BLOCK = 128 + 8 + 2, STATES = BLOCK + 5 + 4 };
    static const struct {
        size_t at;
        unsigned char value;
        const char *part;
    } changes[] = {{STATES + 3, 0x70, "do not fit"},
                   {STATES, 8, "do not fit"},
                   {STATES + 1, 1, "do not fit"},
                   {128 + 8, 0x79, "has no variable X"},
                   {128 + 8 + 2 + 5 + 71, 1, "the checksum is wrong"}};
    for (size_t k = 0; k < sizeof changes / sizeof *changes; k++) {
        matlab_file file;
        spor_message why;
        matlab_array a = array_x(true);
        matlab_begin(&file);
        matlab_add(&file, &a);
        file.bytes[changes[k].at] = changes[k].value;
        read_of(&file, "X", &why);
        ck_assert_msg(strstr(why.text, changes[k].part) != NULL, "%zu: \"%s\" lacks \"%s\"", k,
                      why.text, changes[k].part);
        free(file.bytes);
    }
}
END_TEST

/* 12 10^8 numbers, stated alike by sizes, numbers and variable, in a hundred bytes. */
START_TEST(a_bomb_is_refused_before_memory_is_taken) {
    enum {
        MATRIX = 128 + 8 + 2 + 5,
        STATES = MATRIX + 4,
        LAST = MATRIX + 44,
        NUMBERS = MATRIX + 60
    };
    const uint32_t rows = 100000000, bytes = 12 * rows, all = 56 + bytes;
    matlab_file file;
    spor_message why;
    matlab_array a = array_x(true);
    matlab_begin(&file);
    matlab_add(&file, &a);
    for (int k = 0; k < 4; k++) {
        file.bytes[LAST + k] = rows >> 8 * k & 255;
        file.bytes[NUMBERS + k] = bytes >> 8 * k & 255;
        file.bytes[STATES + k] = all >> 8 * k & 255;
    }
    read_of(&file, "X", &why);
    ck_assert_msg(strstr(why.text, "cannot hold the 1200000064 that they state") != NULL, "%s",
                  why.text);
    free(file.bytes);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("mat");
    TCase *read = tcase_create("read"), *refused = tcase_create("refused");
    tcase_add_checked_fixture(read, scratch_begin, scratch_end);
    tcase_add_checked_fixture(refused, scratch_begin, scratch_end);
    tcase_add_test(read, bytes_are_read_in_order_and_turned);
    tcase_add_test(read, an_axis_of_one_may_be_left_out);
    tcase_add_test(read, numbers_of_any_type_are_read);
    tcase_add_test(read, a_variable_is_found_among_others);
    tcase_add_test(refused, what_is_no_array_of_numbers_is_refused);
    tcase_add_test(refused, what_is_no_file_of_this_version_is_refused);
    tcase_add_test(refused, a_file_cut_anywhere_is_refused);
    tcase_add_test(refused, a_packed_variable_is_held_to_what_it_states);
    tcase_add_test(refused, a_bomb_is_refused_before_memory_is_taken);
    suite_add_tcase(suite, read);
    suite_add_tcase(suite, refused);
    return suite;
}
