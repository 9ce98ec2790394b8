/* Numbers as files have them; IDX files, plain and packed, whole and hostile. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/idx.h"
#include "data/raw.h"
#include "data/values.h"
#include "scratch.h"

/* ---- numbers ---- */

/* python3: struct.pack(">" + code, number), code e, f, d, b, h, i, q, B, H, I, Q */
static const struct {
    raw_type type;
    unsigned char big[8];
    spor_keep keep;
    double number;
} numbers[] = {
    {{RAW_REAL, 2, true}, {0x3e, 0x00}, SPOR_KEEP_F32, 1.5},
    {{RAW_REAL, 2, true}, {0xfb, 0xff}, SPOR_KEEP_F32, -65504},
    {{RAW_REAL, 2, true}, {0x00, 0x01}, SPOR_KEEP_F32, 0x1p-24},
    {{RAW_REAL, 2, true}, {0x04, 0x00}, SPOR_KEEP_F32, 0x1p-14},
    {{RAW_REAL, 2, true}, {0x7c, 0x00}, SPOR_KEEP_F32, (double)INFINITY},
    {{RAW_REAL, 4, true}, {0x3d, 0xcc, 0xcc, 0xcd}, SPOR_KEEP_F32, (double)0.1F},
    {{RAW_REAL, 8, true}, {0x3f, 0xb9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9a}, SPOR_KEEP_F64, 0.1},
    {{RAW_SIGNED, 1, true}, {0x80}, SPOR_KEEP_F32, -128},
    {{RAW_SIGNED, 2, true}, {0xff, 0xfe}, SPOR_KEEP_F32, -2},
    {{RAW_SIGNED, 4, true}, {0x80, 0, 0, 0}, SPOR_KEEP_F64, -2147483648.0},
    {{RAW_SIGNED, 4, true}, {0x7f, 0xff, 0xff, 0xff}, SPOR_KEEP_F64, 2147483647},
    {{RAW_SIGNED, 8, true}, {0xff, 0xe0, 0, 0, 0, 0, 0, 0}, SPOR_KEEP_F64, -0x1p53},
    {{RAW_SIGNED, 8, true}, {0x80, 0, 0, 0, 0, 0, 0, 0}, SPOR_KEEP_F64, -0x1p63},
    {{RAW_UNSIGNED, 1, true}, {0xff}, SPOR_KEEP_U8, 255},
    {{RAW_UNSIGNED, 2, true}, {0xff, 0xfe}, SPOR_KEEP_F32, 65534},
    {{RAW_UNSIGNED, 4, true}, {0xff, 0xff, 0xff, 0xff}, SPOR_KEEP_F64, 4294967295.0},
    {{RAW_UNSIGNED, 8, true}, {0x80, 0, 0, 0, 0, 0, 0, 0}, SPOR_KEEP_F64, 0x1p63},
};

START_TEST(every_type_is_read_with_either_byte_first) {
    for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++) {
        raw_type type = numbers[k].type;
        unsigned char little[8];
        for (int b = 0; b < type.width; b++) little[b] = numbers[k].big[type.width - 1 - b];
        ck_assert_int_eq(raw_keep(type), numbers[k].keep);
        for (int turned = 0; turned < 2; turned++) {
            double room = 0;
            type.big = !turned;
            ck_assert(raw_read(type, turned ? little : numbers[k].big, 1, &room) == -1);
            double number = values_types[numbers[k].keep].value(&room, 0);
            ck_assert_msg(number == numbers[k].number, "%zu: %g", k, number);
        }
    }
}
END_TEST

START_TEST(a_half_may_be_no_number) {
    float value;
    ck_assert(raw_read((raw_type){RAW_REAL, 2, true}, (const unsigned char *)"\x7e\x01", 1,
                       &value) == -1);
    ck_assert(isnan(value));
}
END_TEST

static void check_lost(raw_type type, const unsigned char big[8]) {
    double room[2];
    unsigned char bytes[16] = {0};
    memcpy(bytes + 8, big, 8);
    ck_assert_int_eq(raw_read(type, bytes, 2, room), 1);
}

START_TEST(a_number_that_no_double_holds_is_named) {
    static const unsigned char odd[] = {0, 0x20, 0, 0, 0, 0, 0, 1}; /* 2^53 + 1 */
    static const unsigned char most[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    static const unsigned char minus[] = {0xff, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    check_lost((raw_type){RAW_UNSIGNED, 8, true}, odd);
    check_lost((raw_type){RAW_SIGNED, 8, true}, odd);
    check_lost((raw_type){RAW_UNSIGNED, 8, true}, most);
    check_lost((raw_type){RAW_SIGNED, 8, true}, minus); /* -2^53 - 1 */
}
END_TEST

/* ---- files ---- */

static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 2, 0,   0,   0,
                                       1, 0, 0, 0, 3, 0, 1, 2, 253, 254, 255};
/* gzip.compress(images) */
static const unsigned char packed[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff,
                                       0x63, 0x60, 0xe0, 0x60, 0x66, 0x60, 0x60, 0x60, 0x02, 0x62,
                                       0x46, 0x20, 0x66, 0x66, 0x60, 0x64, 0xfa, 0xfb, 0xef, 0x3f,
                                       0x00, 0x31, 0xb7, 0x0c, 0x43, 0x16, 0x00, 0x00, 0x00};

static void check_images(const char *path) {
    spor_values values;
    int64_t rows;
    spor_message message = {""};
    ck_assert_msg(idx_read(path, &values, &rows, &message), "%s", message.text);
    ck_assert(rows == 2 && values.keep == SPOR_KEEP_U8);
    ck_assert(values.shape.rank == 2 && values.shape.n[0] == 1 && values.shape.n[1] == 3);
    ck_assert_mem_eq(values.value, images + 16, 6);
    values_free(&values);
}

START_TEST(images_are_read_plain_and_packed) {
    check_images(scratch_file("plain", images, sizeof images));
    check_images(scratch_file("packed", packed, sizeof packed));
}
END_TEST

START_TEST(labels_and_real_numbers_are_read) {
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9};
    static const unsigned char real[] = {0, 0, 13, 1, 0, 0, 0, 1, 0xbf, 0x80, 0, 0};
    spor_values values;
    int64_t rows;
    ck_assert(idx_read(scratch_file("labels", labels, sizeof labels), &values, &rows, NULL));
    ck_assert(rows == 3 && values.shape.rank == 0 && !memcmp(values.value, "\x07\x00\x09", 3));
    values_free(&values);
    ck_assert(idx_read(scratch_file("real", real, sizeof real), &values, &rows, NULL));
    ck_assert(rows == 1 && values.keep == SPOR_KEEP_F32 && *(float *)values.value == -1);
    values_free(&values);
}
END_TEST

static void check_refused(const void *bytes, size_t size, const char *why) {
    spor_values values;
    int64_t rows;
    spor_message message = {""};
    const char *path = scratch_file("wrong", bytes, size);
    ck_assert(!idx_read(path, &values, &rows, &message));
    ck_assert_ptr_null(values.value);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
    ck_assert_ptr_nonnull(strstr(message.text, "/wrong: "));
}

static void check_changed(size_t at, unsigned char value, const char *why) {
    unsigned char bytes[sizeof images];
    memcpy(bytes, images, sizeof images);
    bytes[at] = value;
    check_refused(bytes, sizeof bytes, why);
}

START_TEST(what_is_wrong_with_a_file_is_told) {
    check_changed(0, 1, "is no IDX file");
    check_changed(2, 7, "is no IDX file");
    check_changed(3, 0, "has 0 axes");
    check_changed(3, 9, "has 9 axes");
    check_changed(3, 8, "ends within its header");
    check_changed(11, 0, "has no numbers: axis 1 is 0");
    check_changed(15, 4, "is 22 bytes long where its header states 24");
    check_changed(15, 2, "is 22 bytes long where its header states 20");
    check_changed(4, 1, "is 22 bytes long where its header states 50331670");
    check_refused(images, 3, "is no IDX file");
    check_refused("", 0, "is no IDX file");
}
END_TEST

/* Sizes whose product overflows, and a bomb that states what it can't hold. */
START_TEST(no_memory_is_taken_for_what_is_not_there) {
    static const unsigned char huge[] = {0,    0,    14,   3,    0xff, 0xff, 0xff, 0xff,
                                         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    /* gzip.compress(bytes([0, 0, 8, 1, 0x70, 0, 0, 0])) */
    static const unsigned char states[] = {
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x63, 0x60, 0xe0, 0x60,
        0x2c, 0x60, 0x60, 0x60, 0x00, 0x00, 0x28, 0xd4, 0x2e, 0xdf, 0x08, 0x00, 0x00, 0x00};
    check_refused(huge, sizeof huge, "states more than the limit");
    check_refused(states, sizeof states, "cannot hold the 1879048200 bytes that it states");
    unsigned char longer[sizeof packed];
    memcpy(longer, packed, sizeof packed);
    longer[sizeof packed - 8] ^= 1;
    check_refused(longer, sizeof longer, "the checksum is wrong");
    check_refused(packed, sizeof packed - 9, "truncated");
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("idx");
    TCase *raw = tcase_create("numbers"), *files = tcase_create("files");
    tcase_add_test(raw, every_type_is_read_with_either_byte_first);
    tcase_add_test(raw, a_half_may_be_no_number);
    tcase_add_test(raw, a_number_that_no_double_holds_is_named);
    tcase_add_checked_fixture(files, scratch_begin, scratch_end);
    tcase_add_test(files, images_are_read_plain_and_packed);
    tcase_add_test(files, labels_and_real_numbers_are_read);
    tcase_add_test(files, what_is_wrong_with_a_file_is_told);
    tcase_add_test(files, no_memory_is_taken_for_what_is_not_there);
    suite_add_tcase(suite, raw);
    suite_add_tcase(suite, files);
    return suite;
}
