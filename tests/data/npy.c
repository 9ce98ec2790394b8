/* .npy files: as NumPy writes them, cut off, damaged. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/npy.h"
#include "data/values.h"
#include "scratch.h"

/* a = numpy.array(values, dtype); a.tobytes("F" if columns_first else "C") */
static const struct {
    const char *descr;
    bool columns_first;
    double value[6];
    const char *bytes;
} arrays[] = {
    {"<f2", 0, {0, 0.5, -2, 3, -5.25, 100}, "\x00\x00\x00\x38\x00\xc0\x00\x42\x40\xc5\x40\x56"},
    {"<f2", 1, {0, 0.5, -2, 3, -5.25, 100}, "\x00\x00\x00\x42\x00\x38\x40\xc5\x00\xc0\x40\x56"},
    {">f2", 0, {0, 0.5, -2, 3, -5.25, 100}, "\x00\x00\x38\x00\xc0\x00\x42\x00\xc5\x40\x56\x40"},
    {">f2", 1, {0, 0.5, -2, 3, -5.25, 100}, "\x00\x00\x42\x00\x38\x00\xc5\x40\xc0\x00\x56\x40"},
    {"<f4",
     0,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x3f\x00\x00\x00\xc0\x00\x00\x40\x40\x00\x00\xa8\xc0\x00\x00\xc8"
     "\x42"},
    {"<f4",
     1,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x00\x00\x40\x40\x00\x00\x00\x3f\x00\x00\xa8\xc0\x00\x00\x00\xc0\x00\x00\xc8"
     "\x42"},
    {">f4",
     0,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x3f\x00\x00\x00\xc0\x00\x00\x00\x40\x40\x00\x00\xc0\xa8\x00\x00\x42\xc8\x00"
     "\x00"},
    {">f4",
     1,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x40\x40\x00\x00\x3f\x00\x00\x00\xc0\xa8\x00\x00\xc0\x00\x00\x00\x42\xc8\x00"
     "\x00"},
    {"<f8",
     0,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xe0\x3f\x00\x00\x00\x00\x00\x00\x00"
     "\xc0\x00\x00\x00\x00\x00\x00\x08\x40\x00\x00\x00\x00\x00\x00\x15\xc0\x00\x00\x00\x00\x00\x00"
     "\x59\x40"},
    {"<f8",
     1,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x40\x00\x00\x00\x00\x00\x00\xe0"
     "\x3f\x00\x00\x00\x00\x00\x00\x15\xc0\x00\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00"
     "\x59\x40"},
    {">f8",
     0,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x3f\xe0\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00"
     "\x00\x40\x08\x00\x00\x00\x00\x00\x00\xc0\x15\x00\x00\x00\x00\x00\x00\x40\x59\x00\x00\x00\x00"
     "\x00\x00"},
    {">f8",
     1,
     {0, 0.5, -2, 3, -5.25, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x40\x08\x00\x00\x00\x00\x00\x00\x3f\xe0\x00\x00\x00\x00\x00"
     "\x00\xc0\x15\x00\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00\x00\x40\x59\x00\x00\x00\x00"
     "\x00\x00"},
    {"|i1", 0, {0, 1, -2, 3, -5, 100}, "\x00\x01\xfe\x03\xfb\x64"},
    {"|i1", 1, {0, 1, -2, 3, -5, 100}, "\x00\x03\x01\xfb\xfe\x64"},
    {"<i2", 0, {0, 1, -2, 3, -5, 100}, "\x00\x00\x01\x00\xfe\xff\x03\x00\xfb\xff\x64\x00"},
    {"<i2", 1, {0, 1, -2, 3, -5, 100}, "\x00\x00\x03\x00\x01\x00\xfb\xff\xfe\xff\x64\x00"},
    {">i2", 0, {0, 1, -2, 3, -5, 100}, "\x00\x00\x00\x01\xff\xfe\x00\x03\xff\xfb\x00\x64"},
    {">i2", 1, {0, 1, -2, 3, -5, 100}, "\x00\x00\x00\x03\x00\x01\xff\xfb\xff\xfe\x00\x64"},
    {"<i4",
     0,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x01\x00\x00\x00\xfe\xff\xff\xff\x03\x00\x00\x00\xfb\xff\xff\xff\x64\x00\x00"
     "\x00"},
    {"<i4",
     1,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\xfb\xff\xff\xff\xfe\xff\xff\xff\x64\x00\x00"
     "\x00"},
    {">i4",
     0,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xfe\x00\x00\x00\x03\xff\xff\xff\xfb\x00\x00\x00"
     "\x64"},
    {">i4",
     1,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x01\xff\xff\xff\xfb\xff\xff\xff\xfe\x00\x00\x00"
     "\x64"},
    {"<i8",
     0,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\xfe\xff\xff\xff\xff\xff\xff"
     "\xff\x03\x00\x00\x00\x00\x00\x00\x00\xfb\xff\xff\xff\xff\xff\xff\xff\x64\x00\x00\x00\x00\x00"
     "\x00\x00"},
    {"<i8",
     1,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
     "\x00\xfb\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff\xff\xff\xff\xff\x64\x00\x00\x00\x00\x00"
     "\x00\x00"},
    {">i8",
     0,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff\xff"
     "\xfe\x00\x00\x00\x00\x00\x00\x00\x03\xff\xff\xff\xff\xff\xff\xff\xfb\x00\x00\x00\x00\x00\x00"
     "\x00\x64"},
    {">i8",
     1,
     {0, 1, -2, 3, -5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"
     "\x01\xff\xff\xff\xff\xff\xff\xff\xfb\xff\xff\xff\xff\xff\xff\xff\xfe\x00\x00\x00\x00\x00\x00"
     "\x00\x64"},
    {"|u1", 0, {0, 1, 2, 3, 5, 100}, "\x00\x01\x02\x03\x05\x64"},
    {"|u1", 1, {0, 1, 2, 3, 5, 100}, "\x00\x03\x01\x05\x02\x64"},
    {"<u2", 0, {0, 1, 2, 3, 5, 100}, "\x00\x00\x01\x00\x02\x00\x03\x00\x05\x00\x64\x00"},
    {"<u2", 1, {0, 1, 2, 3, 5, 100}, "\x00\x00\x03\x00\x01\x00\x05\x00\x02\x00\x64\x00"},
    {">u2", 0, {0, 1, 2, 3, 5, 100}, "\x00\x00\x00\x01\x00\x02\x00\x03\x00\x05\x00\x64"},
    {">u2", 1, {0, 1, 2, 3, 5, 100}, "\x00\x00\x00\x03\x00\x01\x00\x05\x00\x02\x00\x64"},
    {"<u4",
     0,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x05\x00\x00\x00\x64\x00\x00"
     "\x00"},
    {"<u4",
     1,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x05\x00\x00\x00\x02\x00\x00\x00\x64\x00\x00"
     "\x00"},
    {">u4",
     0,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x05\x00\x00\x00"
     "\x64"},
    {">u4",
     1,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x01\x00\x00\x00\x05\x00\x00\x00\x02\x00\x00\x00"
     "\x64"},
    {"<u8",
     0,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00"
     "\x00\x03\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x64\x00\x00\x00\x00\x00"
     "\x00\x00"},
    {"<u8",
     1,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00"
     "\x00\x05\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00\x64\x00\x00\x00\x00\x00"
     "\x00\x00"},
    {">u8",
     0,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00"
     "\x02\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00"
     "\x00\x64"},
    {">u8",
     1,
     {0, 1, 2, 3, 5, 100},
     "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x00\x00\x00\x00"
     "\x01\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00"
     "\x00\x64"},
    {"|b1", 0, {0, 1, 1, 1, 0, 1}, "\x00\x01\x01\x01\x00\x01"},
    {"|b1", 1, {0, 1, 1, 1, 0, 1}, "\x00\x01\x01\x00\x01\x01"},
};
enum { ARRAYS = sizeof arrays / sizeof arrays[0] };

static size_t length_of(int k) {
    return 6 * (size_t)(arrays[k].descr[2] - '0');
}

static bool read_file(const char *descr, bool columns_first, const char *shape, const void *numbers,
                      size_t size, spor_npy *array, spor_message *message) {
    const char *path = scratch_path("a.npy");
    scratch_npy(path, descr, columns_first, shape, numbers, size);
    return npy_read(path, array, message);
}

static double value_at(const spor_npy *a, int k) {
    return values_types[a->keep].value(a->value, k);
}

START_TEST(arrays_of_numpy_are_read) {
    static const char wide[] = "i4i8u4u8f8", bytes[] = "u1b1";
    spor_npy a;
    spor_message message = {""};
    const char *type = arrays[_i].descr + 1;
    ck_assert_msg(read_file(arrays[_i].descr, arrays[_i].columns_first, "(2, 3)", arrays[_i].bytes,
                            length_of(_i), &a, &message),
                  "%s", message.text);
    ck_assert(a.shape.rank == 2 && a.shape.n[0] == 2 && a.shape.n[1] == 3);
    ck_assert_int_eq(a.keep, strstr(wide, type)    ? SPOR_KEEP_F64
                             : strstr(bytes, type) ? SPOR_KEEP_U8
                                                   : SPOR_KEEP_F32);
    for (int k = 0; k < 6; k++) ck_assert_double_eq(value_at(&a, k), arrays[_i].value[k]);
    npy_free(&a);
    ck_assert(npy_read_doubles(scratch_path("a.npy"), &a, &message));
    ck_assert_mem_eq(a.value, arrays[_i].value, sizeof arrays[_i].value);
    npy_free(&a);
}
END_TEST

START_TEST(axes_are_in_order) {
    double given[24], expected[24]; /* [2, 3, 4], the first axis runs fastest in the file */
    spor_npy a;
    spor_message message = {""};
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 3; j++)
            for (int k = 0; k < 4; k++)
                given[i + 2 * (j + 3 * k)] = expected[(i * 3 + j) * 4 + k] = 100 * i + 10 * j + k;
    ck_assert(read_file("<f8", true, "(2, 3, 4)", given, sizeof given, &a, &message));
    ck_assert_mem_eq(a.value, expected, sizeof expected);
    npy_free(&a);
}
END_TEST

START_TEST(large_integers_are_read_if_a_double_holds_them) {
    static const struct {
        const char *descr;
        uint64_t bits;
        double value; /* 0: no double holds it */
    } rows[] = {{"<i8", (UINT64_C(1) << 53) + 1, 0}, {"<i8", UINT64_C(1) << 62, 0x1p62},
                {"<i8", UINT64_C(1) << 63, -0x1p63}, {"<u8", UINT64_MAX, 0},
                {"<u8", UINT64_C(1) << 63, 0x1p63},  {"<i8", UINT64_MAX, -1}};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        spor_npy a;
        spor_message message = {""};
        bool done = read_file(rows[k].descr, false, "(1,)", &rows[k].bits, 8, &a, &message);
        ck_assert(done == (fabs(rows[k].value) > 0));
        if (done)
            ck_assert_double_eq(value_at(&a, 0), rows[k].value);
        else
            ck_assert_ptr_nonnull(strstr(message.text, "number 0 is an integer that no double"));
        npy_free(&a);
    }
}
END_TEST

START_TEST(formats_2_and_3_and_scalars_are_read) {
    const char *dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n";
    unsigned char file[12 + 56 + 8];
    double value = -0.1;
    spor_npy a;
    spor_message message;
    ck_assert_uint_eq(strlen(dictionary), 56);
    memcpy(file, "\x93NUMPY\x02\x00\x38\x00\x00\x00", 12);
    memcpy(file + 12, dictionary, 56);
    memcpy(file + 68, &value, 8);
    for (unsigned char format = 1; format < 5; format++) {
        file[6] = format;
        bool done = npy_parse("a", file, sizeof file, &a, &message);
        ck_assert(done == (format == 2 || format == 3));
        if (done) ck_assert(a.shape.rank == 0 && *(double *)a.value == value);
        npy_free(&a);
    }
}
END_TEST

enum { HEADER = 118, FILE_SIZE = 10 + HEADER + 6 * 4 };

/* Format 1 with this dictionary and 6 floats. */
static void make(unsigned char file[FILE_SIZE], const char *dictionary) {
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(file + 10, ' ', HEADER);
    memcpy(file + 10, dictionary, strlen(dictionary));
    file[10 + HEADER - 1] = '\n';
    for (int k = 0; k < 6; k++) memcpy(file + 10 + HEADER + 4 * k, &(float){(float)k}, 4);
}

START_TEST(what_is_not_read_is_named_with_its_mend) {
    static const struct {
        const char *dictionary, *message;
    } rows[] = {
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (2, 3), }", "type |f4"},
        {"{'descr': '', 'fortran_order': False, 'shape': (2, 3), }", "type ;"},
        {"{'descr': '<U4', 'fortran_order': False, 'shape': (2, 3), }", "type <U4"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", "astype('f8')"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", "a['field']"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "24 bytes of numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }",
         "has 24 bytes of numbers where its shape asks for 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 99999999999, 9999), }", "2^31"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999, 99999999999), }", "2^31"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 1, 1, 1, 1, 1, 1, 2, 3), }",
         "more than 8 axes"},
        {"{'descr': '<f4', 'fortran_order': False}", "missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False}", "twice"},
        {"{'descr': '<f4', 'fortran_order': 0, 'shape': (6,)}", "neither True nor False"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} x", "follows"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6", "shape does not end"},
        {"{'descr': '<f4", "does not end"},
        {"x", "begin with {"},
    };
    unsigned char file[FILE_SIZE];
    spor_npy a;
    spor_message message;
    make(file, rows[_i].dictionary);
    ck_assert(!npy_parse("a.npy", file, sizeof file, &a, &message));
    ck_assert_msg(strstr(message.text, rows[_i].message) != NULL, "%s", message.text);
    ck_assert_ptr_eq(strstr(message.text, "a.npy: "), message.text);
}
END_TEST

/* By rows and by columns. */
START_TEST(an_array_may_have_no_elements) {
    spor_npy a;
    spor_message message = {""};
    const spor_shape shape = SPOR_SHAPE(2, 0, 3);
    ck_assert(npy_write(scratch_path("a.npy"), &shape, SPOR_F32, NULL, &message));
    for (int columns_first = 0; columns_first < 2; columns_first++) {
        if (columns_first)
            ck_assert(read_file("<f8", true, "(2, 0, 3)", "", 0, &a, &message));
        else
            ck_assert(npy_read_doubles(scratch_path("a.npy"), &a, &message));
        ck_assert(a.shape.rank == 3 && a.shape.n[0] == 2 && a.shape.n[1] == 0);
        npy_free(&a);
    }
}
END_TEST

START_TEST(cut_off_files_are_errors) {
    unsigned char file[FILE_SIZE];
    spor_npy a;
    spor_message message;
    for (size_t size = 0; size < FILE_SIZE; size++) {
        make(file, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }");
        unsigned char *exact = malloc(size + 1); /* so that a sanitizer sees what lies behind */
        memcpy(exact, file, size);
        ck_assert(!npy_parse("a", exact, size, &a, &message));
        free(exact);
    }
}
END_TEST

START_TEST(an_archive_of_arrays_is_told) {
    static const unsigned char zip[] = {'P', 'K', 3, 4, 20, 0, 0, 0, 0, 0, 0, 0, 0};
    spor_npy a;
    spor_message message = {""};
    ck_assert(!npy_parse("a.npz", zip, sizeof zip, &a, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "a.npz: is a .npz file, of several arrays"));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("npy");
    TCase *tests = tcase_create("npy");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_loop_test(tests, arrays_of_numpy_are_read, 0, ARRAYS);
    tcase_add_test(tests, axes_are_in_order);
    tcase_add_test(tests, large_integers_are_read_if_a_double_holds_them);
    tcase_add_test(tests, formats_2_and_3_and_scalars_are_read);
    tcase_add_loop_test(tests, what_is_not_read_is_named_with_its_mend, 0, 17);
    tcase_add_test(tests, an_array_may_have_no_elements);
    tcase_add_test(tests, cut_off_files_are_errors);
    tcase_add_test(tests, an_archive_of_arrays_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
