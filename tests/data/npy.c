/* .npy files: as NumPy writes them, written and read again, cut off. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "data/npy.h"
#include "scratch.h"

enum { HEADER = 118, FILE_SIZE = 10 + HEADER + 6 * 4 };

/* Format 1 with this dictionary and 6 numbers of 4 bytes: 0, 1, 2 ... as floats if `floats`. */
static void make(unsigned char file[FILE_SIZE], const char *dictionary, bool floats) {
    memcpy(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    memset(file + 10, ' ', HEADER);
    memcpy(file + 10, dictionary, strlen(dictionary));
    file[10 + HEADER - 1] = '\n';
    for (int k = 0; k < 6; k++) {
        float real = (float)k - 1.5F;
        int32_t whole = k - 2;
        memcpy(file + 10 + HEADER + 4 * k, floats ? (void *)&real : (void *)&whole, 4);
    }
}

START_TEST(files_of_numpy_are_read) {
    unsigned char file[FILE_SIZE];
    spor_npy a;
    spor_message message;
    make(file, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", true);
    ck_assert_msg(npy_parse("a", file, sizeof file, &a, &message), "%s", message.text);
    ck_assert(a.shape.rank == 2 && a.shape.n[0] == 2 && a.shape.n[1] == 3);
    for (int k = 0; k < 6; k++) ck_assert_double_eq(a.value[k], k - 1.5);
    npy_free(&a);
    make(file, "{\"shape\": (6,), 'fortran_order': False, 'descr': '<i4'}", false);
    ck_assert_msg(npy_parse("a", file, sizeof file, &a, &message), "%s", message.text);
    ck_assert(a.shape.rank == 1 && a.shape.n[0] == 6);
    for (int k = 0; k < 6; k++) ck_assert_double_eq(a.value[k], k - 2);
    npy_free(&a);
    make(file, "{'descr': '<i8', 'fortran_order': False, 'shape': (3, 1), }", false);
    memset(file + 10 + HEADER, 0xff, 8); /* -1 */
    memset(file + 10 + HEADER + 8, 0, 16);
    file[10 + HEADER + 8 + 5] = 1; /* 2^40 */
    ck_assert_msg(npy_parse("a", file, sizeof file, &a, &message), "%s", message.text);
    ck_assert(a.value[0] == -1 && a.value[1] == 0x1p40 && a.value[2] == 0);
    npy_free(&a);
}
END_TEST

START_TEST(format_2_and_scalars_are_read) {
    const char *dictionary = "{'descr': '<f8', 'fortran_order': False, 'shape': (), }\n";
    unsigned char file[12 + 56 + 8];
    double value = -0.1;
    spor_npy a;
    spor_message message;
    ck_assert_uint_eq(strlen(dictionary), 56);
    memcpy(file, "\x93NUMPY\x02\x00\x38\x00\x00\x00", 12);
    memcpy(file + 12, dictionary, 56);
    memcpy(file + 68, &value, 8);
    ck_assert_msg(npy_parse("a", file, sizeof file, &a, &message), "%s", message.text);
    ck_assert(a.shape.rank == 0 && a.value[0] == -0.1);
    npy_free(&a);
}
END_TEST

START_TEST(what_is_not_read_is_named_with_its_mend) {
    static const struct {
        const char *dictionary, *message;
    } rows[] = {
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "ascontiguousarray"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "type >f4"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,), }", "astype('<f8')"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,), }", "a['field']"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "24 bytes of numbers"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", "size 0"},
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
    make(file, rows[_i].dictionary, true);
    ck_assert(!npy_parse("a.npy", file, sizeof file, &a, &message));
    ck_assert_msg(strstr(message.text, rows[_i].message) != NULL, "%s", message.text);
    ck_assert_ptr_eq(strstr(message.text, "a.npy: "), message.text);
}
END_TEST

START_TEST(cut_off_files_are_errors) {
    unsigned char file[FILE_SIZE];
    spor_npy a;
    spor_message message;
    for (size_t size = 0; size < FILE_SIZE; size++) {
        make(file, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", true);
        unsigned char *exact = malloc(size + 1); /* so that a sanitizer sees what lies behind */
        memcpy(exact, file, size);
        ck_assert(!npy_parse("a", exact, size, &a, &message));
        free(exact);
    }
}
END_TEST

/* Random arrays of every kind, written and read. */
START_TEST(arrays_come_back_as_they_were) {
    const char *path = scratch_path("a.npy");
    spor_message message;
    for (uint64_t round = 0; round < 40; round++) {
        double value[24];
        spor_npy a = {.shape = {(int)(round % 5), {2, 3, 1, 4}}, .value = value}, b;
        a.kind = (spor_npy_kind)(round % 5);
        for (int k = 0; k < 24; k++) {
            double u = random_uniform(round, (uint64_t)k, 3);
            value[k] = a.kind == SPOR_NPY_F8   ? u - 0.5
                       : a.kind == SPOR_NPY_F4 ? (double)(float)(u - 0.5)
                       : a.kind == SPOR_NPY_U1 ? floor(256 * u)
                                               : floor(2000 * u) - 1000;
        }
        ck_assert_msg(npy_write(path, &a, &message), "%s", message.text);
        ck_assert_msg(npy_read(path, &b, &message), "%s", message.text);
        ck_assert(a.kind == b.kind && a.shape.rank == b.shape.rank);
        int64_t size = 1;
        for (int k = 0; k < a.shape.rank; k++) {
            ck_assert_int_eq(a.shape.n[k], b.shape.n[k]);
            size *= a.shape.n[k];
        }
        ck_assert_mem_eq(a.value, b.value, (size_t)size * sizeof *value);
        npy_free(&b);
    }
    double third = 1.0 / 3;
    spor_npy a = {.kind = SPOR_NPY_I4, .value = &third};
    ck_assert(!npy_write(path, &a, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "<i4 does not hold 0.333"));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("npy");
    TCase *tests = tcase_create("npy");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_test(tests, files_of_numpy_are_read);
    tcase_add_test(tests, format_2_and_scalars_are_read);
    tcase_add_loop_test(tests, what_is_not_read_is_named_with_its_mend, 0, 15);
    tcase_add_test(tests, cut_off_files_are_errors);
    tcase_add_test(tests, arrays_come_back_as_they_were);
    suite_add_tcase(suite, tests);
    return suite;
}
