/* Samples and targets as arrays in files of their own. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "data/arrays.h"
#include "data/npz.h"
#include "data/values.h"
#include "data/zip.h"
#include "../support/matlab.h"
#include "scratch.h"

/* Paths outlive the four that scratch_path knows. */
static const char *write_array(const char *name, const char *descr, const char *shape,
                               const void *numbers, size_t size) {
    static char paths[16][1024];
    static int next;
    char *path = paths[next++ % 16];
    snprintf(path, sizeof paths[0], "%s", scratch_path(name));
    scratch_npy(path, descr, false, shape, numbers, size);
    return path;
}

#define ARRAY(name, descr, shape, T, ...)                                                          \
    write_array(name, descr, shape, (const T[]){__VA_ARGS__}, sizeof((const T[]){__VA_ARGS__}))

static spor_data *must_read(const array_files *files) {
    spor_message message = {""};
    spor_data *data = arrays_read(files, &message);
    ck_assert_msg(data != NULL, "%s", message.text);
    return data;
}

static void check_refused(const array_files *files, const char *why) {
    spor_message message = {""};
    ck_assert_ptr_null(arrays_read(files, &message));
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
}

START_TEST(whole_numbers_are_labels) {
    array_files files = {.read = arrays_npy, .scale = 0.5};
    files.x[0] = ARRAY("x.npy", "|u1", "(3, 2, 2)", uint8_t, 1, 2, 3, 4, 5, 6, 7, 8, 255, 0, 0, 0);
    files.y[0] = ARRAY("y.npy", "<i8", "(3, 1)", int64_t, 7, -1, 7);
    spor_data *data = must_read(&files);
    ck_assert(data->rows == 3 && data->classes == 2 && !data->y.value);
    ck_assert_str_eq(data->name, "x");
    ck_assert(data->label[0] == 1 && data->label[1] == 0 && data->label[2] == 1);
    ck_assert_str_eq(data->class_name[0], "-1");
    ck_assert_str_eq(data->class_name[1], "7");
    ck_assert(data->x.keep == SPOR_KEEP_U8 && data->x.shape.rank == 2);
    float x[12];
    ck_assert(spor_data_rows(data, NULL, 3, SPOR_F32, x, NULL));
    ck_assert(fabsf(x[8] - 127.5F) < 1e-6F);
    spor_data_free(data);
    files.sample = SPOR_SHAPE(4, 1);
    files.y[0] = ARRAY("y.npy", "|b1", "(3,)", uint8_t, 1, 0, 0);
    data = must_read(&files);
    ck_assert(data->classes == 2 && !data->class_name && data->label[0] == 1);
    ck_assert(data->x.shape.rank == 2 && data->x.shape.n[0] == 4);
    spor_data_free(data);
    files.sample = SPOR_SHAPE(5);
    check_refused(&files, "x.npy: a row has 4 numbers, not the 5 of the shape");
    files.sample = SPOR_SHAPE(4);
    files.classes = 2;
    files.y[0] = ARRAY("y.npy", "<f8", "(3,)", double, 1, 0, 2);
    check_refused(&files,
                  "y.npy: row 2, counted from 0, has the label 2, which is not one of 0..1");
}
END_TEST

START_TEST(other_targets_are_numbers) {
    array_files files = {.read = arrays_npy, .scale = 1};
    files.x[0] = ARRAY("x.npy", "<f4", "(2,)", float, 0.5F, 1.5F);
    files.y[0] = ARRAY("y.npy", "<f8", "(2,)", double, 1700000000, 1700000001);
    spor_data *data = must_read(&files);
    ck_assert(data->x.keep == SPOR_KEEP_F32 && data->x.shape.rank == 1);
    ck_assert(!data->classes && !data->label && data->y.shape.n[0] == 1);
    ck_assert_double_eq(((double *)data->y.value)[1], 1700000001);
    spor_data_free(data);
    files.y[0] = ARRAY("y.npy", "<i4", "(2, 2)", int32_t, 1, 0, 0, 1);
    data = must_read(&files);
    ck_assert(!data->classes && data->y.shape.n[0] == 2);
    spor_data_free(data);
    files.classes = 2;
    check_refused(&files, "y.npy: has more than one number a row; a label is one");
    files.classes = 0;
    files.targets = true;
    files.y[0] = ARRAY("y.npy", "<i4", "(2,)", int32_t, 1, 0);
    data = must_read(&files);
    ck_assert(!data->classes && data->y.value);
    spor_data_free(data);
    files.y[0] = NULL;
    data = must_read(&files);
    ck_assert(!data->classes && !data->y.value);
    spor_data_free(data);
}
END_TEST

START_TEST(parts_follow_each_other) {
    array_files files = {.read = arrays_npy, .scale = 1};
    files.x[0] = ARRAY("x.npy", "<f8", "(2, 1)", double, 1, 2);
    files.y[0] = ARRAY("y.npy", "|i1", "(2,)", int8_t, 1, 2);
    files.x[ARRAYS_VALIDATION] = ARRAY("vx.npy", ">f8", "(1, 1)", double, 0);
    files.y[ARRAYS_VALIDATION] = ARRAY("vy.npy", "|i1", "(1,)", int8_t, 4);
    files.x[ARRAYS_TEST] = ARRAY("tx.npy", "<f8", "(2, 1)", double, 4, 5);
    files.y[ARRAYS_TEST] = ARRAY("ty.npy", "|i1", "(2,)", int8_t, 2, 1);
    spor_data *data = must_read(&files);
    static const double x[] = {1, 2, 0, 4, 5};
    static const int32_t label[] = {0, 1, 2, 1, 0};
    ck_assert(data->rows == 5 && data->validation_rows == 1 && data->test_rows == 2);
    ck_assert_mem_eq(data->x.value, x, sizeof x);
    ck_assert_mem_eq(data->label, label, sizeof label);
    ck_assert_str_eq(data->class_name[2], "4");
    spor_data_free(data);
    files.x[ARRAYS_TEST] = ARRAY("tx.npy", "<f8", "(1, 2)", double, 4, 5);
    check_refused(&files, "tx.npy: its rows have not the shape and the type of the training rows");
    files.x[ARRAYS_TEST] = ARRAY("tx.npy", "<f4", "(2, 1)", float, 4, 5);
    check_refused(&files, "tx.npy: its rows have not the shape and the type");
    files.x[ARRAYS_TEST] = ARRAY("tx.npy", "<f8", "(1, 1)", double, 4);
    check_refused(&files, "ty.npy: y has not as many rows as ");
}
END_TEST

/* [0, 2] */
static const char *scratch_npy_empty(const char *name) {
    const char *path = scratch_path(name);
    scratch_npy(path, "<f8", false, "(0, 2)", "", 0);
    return path;
}

START_TEST(what_is_no_number_is_told) {
    array_files files = {.read = arrays_npy, .scale = 1};
    files.x[0] = ARRAY("x.npy", "<f8", "(2, 2)", double, 1, 2, 3, (double)NAN);
    check_refused(&files, "x.npy: number 1 of row 1, counted from 0, is nan; fill it in");
    files.x[0] = ARRAY("x.npy", "<f4", "(2, 2)", float, 1, 2, -INFINITY, 4);
    check_refused(&files, "x.npy: number 0 of row 1, counted from 0, is -inf");
    files.x[0] = ARRAY("x.npy", "<f8", "()", double, 1);
    check_refused(&files, "x.npy: is one number and has no rows");
    files.x[0] = scratch_npy_empty("x.npy");
    check_refused(&files, "x.npy: has an axis of size 0");
    files.x[0] = "/nowhere/x.npy";
    check_refused(&files, "/nowhere/x.npy: cannot be opened");
}
END_TEST

START_TEST(idx_files_are_arrays) {
    static const char images[] = "\0\0\x08\x03\0\0\0\x02\0\0\0\x01\0\0\0\x02\x01\x02\x03\x04";
    static const char labels[] = "\0\0\x08\x01\0\0\0\x02\x05\x03";
    static const char halves[] = "\0\0\x0d\x01\0\0\0\x02\x3f\0\0\0\x40\0\0\0"; /* 0.5, 2 */
    char x[1024], y[1024];
    snprintf(x, sizeof x, "%s", scratch_file("x", images, sizeof images - 1));
    snprintf(y, sizeof y, "%s", scratch_file("y", labels, sizeof labels - 1));
    array_files files = {.read = arrays_idx, .x = {x}, .y = {y}, .scale = 1};
    spor_data *data = must_read(&files);
    ck_assert(data->rows == 2 && data->classes == 2 && data->x.keep == SPOR_KEEP_U8);
    ck_assert(data->label[0] == 1 && data->label[1] == 0);
    ck_assert_str_eq(data->class_name[0], "3");
    spor_data_free(data);
    scratch_file("y", halves, sizeof halves - 1);
    data = must_read(&files);
    ck_assert(!data->classes && values_types[data->y.keep].value(data->y.value, 1) > 1.99);
    spor_data_free(data);
}
END_TEST

static const char *write_variables(const matlab_array *x, const matlab_array *y) {
    static char path[1024];
    matlab_file file = {0};
    matlab_begin(&file);
    matlab_add(&file, x);
    matlab_add(&file, y);
    snprintf(path, sizeof path, "%s", scratch_file("m.mat", file.bytes, file.size));
    free(file.bytes);
    return path;
}

/* A matrix has its rows first, images have them last; a vector may lie. */
START_TEST(variables_of_matlab_are_arrays) {
    static const double matrix[] = {1, 2, 3, 4, 5, 6}, rows[] = {1, 4, 2, 5, 3, 6};
    static const double lying[] = {0.5, 1.5, 2.5};
    static const uint8_t images[] = {0, 1, 2, 3, 4, 5, 6, 7}, label[] = {10, 3};
    static const double first[] = {0, 2, 1, 3}; /* [2, 2] of two images, MATLAB's first axis down */
    matlab_array x = {"X", MATLAB_DOUBLE, MATLAB_DOUBLE_TYPE, 2, {3, 2}, matrix, sizeof matrix, 0};
    matlab_array y = {"y", MATLAB_DOUBLE, MATLAB_DOUBLE_TYPE, 2, {1, 3}, lying, sizeof lying, 1};
    array_files files = {.read = arrays_mat, .scale = 1, .x_name = {"X"}, .y_name = {"y"}};
    files.x[0] = files.y[0] = write_variables(&x, &y);
    spor_data *data = must_read(&files);
    ck_assert(data->rows == 3 && data->x.shape.rank == 1 && data->x.shape.n[0] == 2);
    for (int k = 0; k < 6; k++)
        ck_assert_double_eq(values_types[data->x.keep].value(data->x.value, k), rows[k]);
    ck_assert(!data->classes && data->y.shape.n[0] == 1);
    ck_assert_double_eq(values_types[data->y.keep].value(data->y.value, 2), 2.5);
    spor_data_free(data);
    x = (matlab_array){"X", MATLAB_UINT8, MATLAB_UINT8_TYPE, 3, {2, 2, 2}, images, 8, 0};
    y = (matlab_array){"y", MATLAB_UINT8, MATLAB_UINT8_TYPE, 2, {2, 1}, label, 2, 0};
    files.x[0] = files.y[0] = write_variables(&x, &y);
    data = must_read(&files);
    ck_assert(data->rows == 2 && data->x.shape.rank == 2 && data->x.keep == SPOR_KEEP_U8);
    for (int k = 0; k < 4; k++)
        ck_assert_double_eq(values_types[data->x.keep].value(data->x.value, k), first[k]);
    ck_assert(data->classes == 2 && data->label[0] == 1 && data->label[1] == 0);
    ck_assert_str_eq(data->class_name[1], "10");
    spor_data_free(data);
    y.n[0] = 1;
    y.size = 1;
    files.x[0] = files.y[0] = write_variables(&x, &y);
    check_refused(&files, "m.mat: y has not as many rows as X of ");
    files.y_name[0] = "z";
    check_refused(&files, "m.mat: ");
}
END_TEST

/* ---- .npz ---- */

enum { MEMBERS = 8 };

/* A vector of labels, 0 and 1 in turn, or a matrix [rows, 2] of 10 k + element + 1/2. */
typedef struct {
    const char *name;
    int64_t rows;
    bool labels;
} member;

static void add_member(zip_writer *zip, const member *m, int k) {
    const raw_type whole = {RAW_SIGNED, 4, false}, real = {RAW_REAL, 4, false};
    spor_text text = {0};
    char name[80];
    float x[16];
    int32_t label[16];
    const spor_shape shape = m->labels ? SPOR_SHAPE(m->rows) : SPOR_SHAPE(m->rows, 2);
    for (int e = 0; e < 16; e++) x[e] = (float)(10 * k + e) + 0.5F, label[e] = e % 2;
    npy_add(&text, &shape, m->labels ? whole : real,
            m->labels ? (const void *)label : (const void *)x);
    snprintf(name, sizeof name, "%s.npy", m->name);
    zip_add(zip, name, text.at, text.size);
    text_free(&text);
}

static const char *write_npz(const member members[MEMBERS]) {
    static char path[1024];
    spor_text text = {0};
    zip_writer zip = {.text = &text};
    for (int k = 0; k < MEMBERS && members[k].name; k++) add_member(&zip, &members[k], k);
    zip_end(&zip);
    ck_assert(!text.failed);
    snprintf(path, sizeof path, "%s", scratch_file("d.npz", text.at, text.size));
    text_free(&text);
    return path;
}

static const struct {
    member members[MEMBERS];
    const char *x, *y; /* said */
    const char *name;  /* of the data, or what is wrong */
    int64_t rows, validation, test;
} files_of_numpy[] = {
    {{{"x", 3, false}, {"y", 3, true}}, NULL, NULL, "d:x,y", 3, 0, 0},
    {{{"labels", 3, true}, {"images", 3, false}}, NULL, NULL, "d:images,labels", 3, 0, 0},
    {{{"x_test", 2, false}, {"x_train", 3, false}, {"y_train", 3, true}, {"y_test", 2, true}},
     NULL,
     NULL,
     "d:x_train,y_train",
     5,
     0,
     2},
    {{{"train_images", 4, false},
      {"val_images", 1, false},
      {"test_images", 2, false},
      {"train_labels", 4, true},
      {"val_labels", 1, true},
      {"test_labels", 2, true}},
     NULL,
     NULL,
     "d:train_images,train_labels",
     7,
     1,
     2},
    {{{"XTrain", 3, false}, {"trainY", 3, true}, {"X_test", 3, false}},
     NULL,
     NULL,
     "d:XTrain,trainY",
     3,
     0,
     0},
    {{{"A", 3, false}, {"b", 3, true}, {"x", 2, false}}, "A", "b", "d:A,b", 3, 0, 0},
    {{{"A", 3, false}, {"label", 3, true}, {"x_test", 2, false}, {"y_test", 2, true}},
     "A",
     NULL,
     "d:A,label",
     3,
     0,
     0},
    {{{"x", 3, false}, {"coarse", 3, true}, {"x_test", 2, false}, {"y_test", 2, true}},
     NULL,
     "coarse",
     "d:x,coarse",
     3,
     0,
     0},
    {{{"A", 3, false}, {"b", 3, true}},
     NULL,
     NULL,
     "d.npz: none of its arrays is x, as far as names say: it has A, b; say which, x=\"NAME\"",
     0,
     0,
     0},
    {{{"x", 3, false}, {"b", 3, true}},
     NULL,
     NULL,
     "none of its arrays is y, as far as names say: it has x, b; say which, y=\"NAME\", or y=False",
     0,
     0,
     0},
    {{{"x", 3, false}, {"Data", 3, false}, {"y", 3, true}},
     NULL,
     NULL,
     "more than one of its arrays is x, as far as names say: it has x, Data, y; say which",
     0,
     0,
     0},
    {{{"x", 3, false}, {"y", 3, true}},
     "X",
     NULL,
     "d.npz: no array is called X: it has x, y",
     0,
     0,
     0},
    {{{"x", 3, false}, {"y", 2, true}}, NULL, NULL, "y has not as many rows as x of ", 0, 0, 0},
    {{{"x", 0, false}, {"y", 0, true}}, NULL, NULL, "x: has an axis of size 0", 0, 0, 0},
    {{{0}}, NULL, NULL, "none of its arrays is x, as far as names say: it has no arrays", 0, 0, 0},
};

START_TEST(arrays_of_numpys_savez_are_found_by_name) {
    array_files files = {.read = arrays_npz, .scale = 1};
    spor_message message = {""};
    files.x[0] = files.y[0] = write_npz(files_of_numpy[_i].members);
    files.x_name[0] = files_of_numpy[_i].x;
    files.y_name[0] = files_of_numpy[_i].y;
    spor_data *data = npz_data(&files, &message);
    if (!files_of_numpy[_i].rows) {
        ck_assert_ptr_null(data);
        ck_assert_msg(strstr(message.text, files_of_numpy[_i].name), "%s", message.text);
        return;
    }
    ck_assert_msg(data != NULL, "%s", message.text);
    ck_assert_str_eq(data->name, files_of_numpy[_i].name);
    ck_assert_int_eq(data->rows, files_of_numpy[_i].rows);
    ck_assert_int_eq(data->validation_rows, files_of_numpy[_i].validation);
    ck_assert_int_eq(data->test_rows, files_of_numpy[_i].test);
    ck_assert(data->classes == 2 && shape_size(&data->x.shape) == 2);
    spor_data_free(data);
}
END_TEST

/* It is said which array has it. */
START_TEST(what_is_no_number_is_told_of_its_array) {
    static const char *const names[] = {"images", "y"};
    const spor_shape shape = SPOR_SHAPE(2, 2);
    char why[80];
    for (int bad = 0; bad < 2; bad++) {
        spor_text text = {0};
        zip_writer zip = {.text = &text};
        for (int k = 0; k < 2; k++) {
            const double x[] = {1, 2, k == bad ? (double)NAN : 3, 4};
            spor_text array = {0};
            snprintf(why, sizeof why, "%s.npy", names[k]);
            npy_add(&array, &shape, (raw_type){RAW_REAL, 8, false}, x);
            zip_add(&zip, why, array.at, array.size);
            text_free(&array);
        }
        zip_end(&zip);
        array_files files = {.read = arrays_npz, .scale = 1, .targets = true};
        files.x[0] = files.y[0] = scratch_file("n.npz", text.at, text.size);
        text_free(&text);
        spor_message message = {""};
        ck_assert_ptr_null(npz_data(&files, &message));
        snprintf(why, sizeof why, "n.npz:%s: number 0 of row 1, counted from 0, is nan",
                 names[bad]);
        ck_assert_msg(strstr(message.text, why), "%s", message.text);
    }
}
END_TEST

START_TEST(rows_of_other_npz_files_have_the_same_names) {
    array_files files = {.read = arrays_npz, .scale = 1};
    spor_message message = {""};
    const member members[MEMBERS] = {{"x_train", 3, false}, {"y_train", 3, true},
                                     {"x_test", 2, false},  {"y_test", 2, true},
                                     {"x_val", 1, false},   {"y_val", 1, true}};
    files.x[0] = files.x[ARRAYS_TEST] = write_npz(members);
    spor_data *data = npz_data(&files, &message); /* nothing to predict */
    ck_assert_msg(data != NULL, "%s", message.text);
    ck_assert(data->rows == 7 && data->validation_rows == 1 && data->test_rows == 3);
    ck_assert(!data->classes && !data->y.value);
    ck_assert_str_eq(data->name, "d:x_train");
    ck_assert_double_eq(values_types[data->x.keep].value(data->x.value, 6), 40.5); /* x_val */
    spor_data_free(data);
    files.x[0] = ARRAY("x.npy", "<f4", "(2,)", float, 0.5F, 1.5F);
    ck_assert_ptr_null(npz_data(&files, &message));
    ck_assert_msg(strstr(message.text, "x.npy: is no .npz file, as numpy.savez writes it"), "%s",
                  message.text);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("arrays");
    TCase *tests = tcase_create("arrays");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_test(tests, whole_numbers_are_labels);
    tcase_add_test(tests, other_targets_are_numbers);
    tcase_add_test(tests, parts_follow_each_other);
    tcase_add_test(tests, what_is_no_number_is_told);
    tcase_add_test(tests, idx_files_are_arrays);
    tcase_add_test(tests, variables_of_matlab_are_arrays);
    tcase_add_loop_test(tests, arrays_of_numpys_savez_are_found_by_name, 0,
                        sizeof files_of_numpy / sizeof *files_of_numpy);
    tcase_add_test(tests, what_is_no_number_is_told_of_its_array);
    tcase_add_test(tests, rows_of_other_npz_files_have_the_same_names);
    suite_add_tcase(suite, tests);
    return suite;
}
