/* Texts, JSON and files that are written whole or not at all. */
#include "../suite.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/file.h"
#include "data/json.h"
#include "scratch.h"

/* ---- writing -------------------------------------------------------------------------------- */

static void write_sample(spor_json *json) {
    json_begin(json, NULL, '{');
    json_string(json, "a\"b", "c\\d\n\x01\xff \xc3\xb8 \xed\xa0\x80");
    json_string(json, "none", NULL);
    json_begin(json, "list", '[');
    json_integer(json, NULL, -5);
    json_unsigned(json, NULL, UINT64_MAX);
    json_begin(json, NULL, '[');
    json_end(json, ']');
    json_end(json, ']');
    json_real(json, "half", 0.5);
    json_real(json, "nan", nan(""));
    json_bool(json, "yes", true);
    json_end(json, '}');
}

START_TEST(values_are_written_as_json) {
    spor_text text = {0};
    write_sample(&(spor_json){.text = &text});
    ck_assert_str_eq(text.at, "{\"a\\\"b\":\"c\\\\d\\u000a\\u0001\\ufffd \xc3\xb8 "
                              "\\ufffd\\ufffd\\ufffd\",\"none\":null,"
                              "\"list\":[-5,18446744073709551615,[]],\"half\":0.5,\"nan\":null,"
                              "\"yes\":true}");
    text_free(&text);
    spor_json lines = {.text = &text, .lines = true};
    json_begin(&lines, NULL, '{');
    json_integer(&lines, "a", 1);
    json_begin(&lines, "b", '{');
    json_end(&lines, '}');
    json_end(&lines, '}');
    ck_assert_str_eq(text.at, "{\n  \"a\": 1,\n  \"b\": {}\n}\n");
    text_free(&text);
}
END_TEST

static void check_real(double value, const char *expected) {
    spor_text text = {0};
    text_real(&text, value);
    ck_assert_str_eq(text.at, expected);
    text_free(&text);
}

START_TEST(reals_are_short_and_read_back) {
    check_real(0.1, "0.1");
    check_real(1.0 / 3, "0.3333333333333333");
    check_real(1e-300, "1e-300");
    check_real(-0.0625, "-0.0625");
    check_real(1234567, "1234567");
    check_real(nan(""), "nan");
    check_real(-HUGE_VAL, "-inf");
}
END_TEST

/* The texts do not change in a locale that writes commas, if the machine has one. */
START_TEST(locales_do_not_matter) {
    static const char *const with_commas[] = {"de_DE.UTF-8", "nb_NO.UTF-8", "fr_FR.UTF-8", "de_DE"};
    for (size_t k = 0; k < 4 && !setlocale(LC_NUMERIC, with_commas[k]); k++) continue;
    check_real(2.5, "2.5");
    setlocale(LC_NUMERIC, "C");
}
END_TEST

START_TEST(texts_grow) {
    spor_text text = {0};
    for (int k = 0; k < 5000; k++) text_add(&text, "%d,", k % 10);
    ck_assert(!text.failed);
    ck_assert_uint_eq(text.size, 10000);
    ck_assert_uint_eq(strlen(text.at), 10000);
    ck_assert_int_eq(text.at[9998], '9');
    text_free(&text);
    ck_assert_ptr_null(text.at);
}
END_TEST

/* ---- reading -------------------------------------------------------------------------------- */

static spor_json_reader reader_of(const char *text) {
    return (spor_json_reader){.start = text, .at = text, .end = text + strlen(text)};
}

START_TEST(values_are_pulled_one_by_one) {
    spor_json_reader r =
        reader_of(" { \"k\\u00e5\" : [ 1 , -20,300 ] , \"s\":\"\\ud83d\\ude00\\n\\/\"} ");
    char text[32];
    int64_t value, sum = 0;
    ck_assert(json_enter(&r, '{'));
    ck_assert(json_next(&r, '}'));
    ck_assert(json_get_key(&r, text, sizeof text));
    ck_assert_str_eq(text, "k\xc3\xa5");
    ck_assert(json_enter(&r, '['));
    while (json_next(&r, ']')) {
        ck_assert(json_get_integer(&r, &value));
        sum += value;
    }
    ck_assert_int_eq(sum, 281);
    ck_assert(json_next(&r, '}'));
    ck_assert(json_get_key(&r, text, sizeof text));
    ck_assert(json_get_string(&r, text, sizeof text));
    ck_assert_str_eq(text, "\xf0\x9f\x98\x80\n/");
    ck_assert(!json_next(&r, '}'));
    ck_assert(json_finish(&r));
    ck_assert_ptr_null(r.why);
}
END_TEST

static void check_bad_string(const char *json, const char *why) {
    char text[8];
    spor_json_reader r = reader_of(json);
    ck_assert(!json_get_string(&r, text, sizeof text));
    ck_assert_msg(strstr(r.why, why) != NULL, "%s: \"%s\" lacks \"%s\"", json, r.why, why);
    ck_assert(!json_enter(&r, '[')); /* the first error stays */
    ck_assert_ptr_nonnull(strstr(r.why, why));
}

static void check_bad_integer(const char *json, const char *why) {
    int64_t value;
    spor_json_reader r = reader_of(json);
    ck_assert(!json_get_integer(&r, &value));
    ck_assert_msg(strstr(r.why, why) != NULL, "%s: \"%s\" lacks \"%s\"", json, r.why, why);
}

START_TEST(bad_json_is_named) {
    check_bad_string("12", "expected a string");
    check_bad_string("\"abc", "without end");
    check_bad_string("\"a\nb\"", "control character");
    check_bad_string("\"\\x\"", "unknown escape");
    check_bad_string("\"\\", "unknown escape");
    check_bad_string("\"\\u12g4\"", "hexadecimal");
    check_bad_string("\"\\u12", "hexadecimal");
    check_bad_string("\"\\u0000\"", "zero byte");
    check_bad_string("\"\\ud800x\"", "surrogate");
    check_bad_string("\"\\udc00\"", "surrogate");
    check_bad_string("\"\\udc00\\udc00\"", "surrogate");
    check_bad_string("\"\\ud800\\u0041\"", "surrogate");
    check_bad_string("\"12345678\"", "too long");
    check_bad_integer("1.5", "expected an integer");
    check_bad_integer("1e5", "expected an integer");
    check_bad_integer("01", "expected an integer");
    check_bad_integer("-", "expected an integer");
    check_bad_integer("", "expected an integer");
    check_bad_integer("9223372036854775808", "too large");
    spor_json_reader r = reader_of("[1 2]");
    int64_t value;
    ck_assert(json_enter(&r, '['));
    ck_assert(json_next(&r, ']'));
    ck_assert(json_get_integer(&r, &value));
    ck_assert(!json_next(&r, ']'));
    ck_assert_str_eq(r.why, "expected a comma or a closing bracket");
    r = reader_of("{} x");
    ck_assert(json_enter(&r, '{'));
    ck_assert(!json_next(&r, '}'));
    ck_assert(!json_finish(&r));
    ck_assert_str_eq(r.why, "something follows the end");
}
END_TEST

START_TEST(numbers_and_words_are_pulled) {
    spor_json_reader r = reader_of("[ 1.5,-2e-3 , null,true,false ,null, 7]");
    double real[3];
    bool yes, no;
    int64_t value;
    ck_assert(json_enter(&r, '['));
    for (int k = 0; k < 3; k++) ck_assert(json_next(&r, ']') && json_get_real(&r, &real[k]));
    ck_assert(real[0] == 1.5 && real[1] == -2e-3 && isnan(real[2]));
    ck_assert(json_next(&r, ']') && json_get_bool(&r, &yes) && yes);
    ck_assert(json_next(&r, ']') && json_get_bool(&r, &no) && !no);
    ck_assert(json_next(&r, ']') && json_get_null(&r));
    ck_assert(json_next(&r, ']') && !json_get_null(&r)); /* which is no error */
    ck_assert(json_get_integer(&r, &value) && value == 7 && !json_next(&r, ']') && json_finish(&r));
    r = reader_of("nul");
    ck_assert(!json_get_real(&r, &real[0]));
    ck_assert_str_eq(r.why, "expected a number");
    r = reader_of("1");
    ck_assert(!json_get_bool(&r, &yes));
    ck_assert_str_eq(r.why, "expected true or false");
}
END_TEST

/* What is passed over is as well-formed as what is read. */
START_TEST(values_are_passed_over) {
    static const char *const whole[] = {"1",
                                        "-1.5e3",
                                        "null",
                                        "true",
                                        "false",
                                        "[]",
                                        "{}",
                                        "\"a\"",
                                        "[1,[2,{}],3]",
                                        "\"]\\\"}\"",
                                        "{\"a\" : [1 , {\"b\":null}] , \"c]\":\"\\\\\"} "};
    static const char *const broken[] = {
        "",    "[",       "[1",  "[1,]", "{\"a\"}", "{1:2}", "{\"a",      "{\"a\":}",
        "\"a", "\"a\\\"", "nil", "]",    "[1 2]",   "}",     "{\"a\":1]", "+-1"};
    for (size_t k = 0; k < sizeof whole / sizeof *whole; k++) {
        spor_json_reader r = reader_of(whole[k]);
        ck_assert_msg(json_skip(&r) && json_finish(&r), "%s: %s", whole[k], r.why);
    }
    for (size_t k = 0; k < sizeof broken / sizeof *broken; k++) {
        spor_json_reader r = reader_of(broken[k]);
        ck_assert_msg(!json_skip(&r) && r.why, "%s", broken[k]);
    }
    char deep[100];
    for (int depth = JSON_DEPTH; depth <= JSON_DEPTH + 1; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        deep[2 * depth] = 0;
        spor_json_reader r = reader_of(deep);
        ck_assert(json_skip(&r) == (depth == JSON_DEPTH));
    }
}
END_TEST

/* ---- files ---------------------------------------------------------------------------------- */

static void check_holds(const char *path, const char *expected) {
    size_t size;
    char *text = scratch_read(path, &size);
    ck_assert_str_eq(text, expected);
    free(text);
}

START_TEST(files_are_replaced_whole) {
    spor_message message = {{0}};
    const char *path = scratch_path("file");
    ck_assert(file_write(path, "old", 3, &message));
    ck_assert(file_write(path, "newer", 5, &message));
    check_holds(path, "newer");
    ck_assert_int_eq(scratch_count(), 1);
    struct stat status;
    mode_t mask = umask(0);
    umask(mask);
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0666 & ~mask);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_leaves_nothing) {
    spor_message message = {{0}};
    ck_assert(!file_write(scratch_path("absent/file"), "x", 1, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "absent/file: cannot be written: No such file"));
    ck_assert_int_eq(scratch_count(), 0);
    ck_assert(!file_write(scratch_path(""), "x", 1, &message));
    ck_assert(file_make_folder(scratch_path("folder"), &message));
    ck_assert(!file_write(scratch_path("folder"), "x", 1, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "folder: cannot be written: Is a directory"));
    ck_assert_int_eq(scratch_count(), 1);
}
END_TEST

START_TEST(a_full_disk_is_an_error) {
    spor_message message = {{0}};
    static const char bytes[100000];
    ck_assert(!file_write("/dev/full", bytes, sizeof bytes, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "/dev/full: cannot be written: No space left"));
    ck_assert(!file_write("/dev/full", "x", 1, &message));
    spor_text text = {.failed = true};
    ck_assert(!file_write_text(&text, scratch_path("text"), &message));
    ck_assert_ptr_nonnull(strstr(message.text, "out of memory"));
    ck_assert_int_eq(scratch_count(), 0);
}
END_TEST

START_TEST(folders_are_made) {
    spor_message message = {{0}};
    const char *path = scratch_file("file", "", 0);
    ck_assert(!file_make_folder(path, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "cannot make this folder: Not a directory"));
    ck_assert(!file_make_folder("", &message));
    ck_assert(file_make_folder(scratch_path("."), &message));
    path = scratch_path("a");
    ck_assert(file_make_folder(path, &message));
    ck_assert(file_make_folder(path, &message));
    struct stat status;
    ck_assert_int_eq(stat(path, &status), 0);
    ck_assert(S_ISDIR(status.st_mode));
    const char *below = scratch_path("a/b//c/");
    ck_assert(file_make_folder(below, &message));
    ck_assert_int_eq(stat(below, &status), 0);
    ck_assert_int_eq(remove(scratch_path("a/b/c")) | remove(scratch_path("a/b")), 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("json and files");
    TCase *pure = tcase_create("json"), *files = tcase_create("files");
    tcase_add_test(pure, values_are_written_as_json);
    tcase_add_test(pure, reals_are_short_and_read_back);
    tcase_add_test(pure, locales_do_not_matter);
    tcase_add_test(pure, texts_grow);
    tcase_add_test(pure, values_are_pulled_one_by_one);
    tcase_add_test(pure, bad_json_is_named);
    tcase_add_test(pure, numbers_and_words_are_pulled);
    tcase_add_test(pure, values_are_passed_over);
    tcase_add_checked_fixture(files, scratch_begin, scratch_end);
    tcase_add_test(files, files_are_replaced_whole);
    tcase_add_test(files, a_file_that_cannot_be_written_leaves_nothing);
    tcase_add_test(files, a_full_disk_is_an_error);
    tcase_add_test(files, folders_are_made);
    suite_add_tcase(suite, pure);
    suite_add_tcase(suite, files);
    return suite;
}
