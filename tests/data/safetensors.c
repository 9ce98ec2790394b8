/* Weights: saved and loaded to the bit, converted between types, refused if anything is wrong. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>

#include "scratch.h"

/* net/W [2, 3], net/b [3] and the state net/mean []. */
static spor_params *params_of(spor_scalar scalar, uint64_t seed) {
    spor_params *params = spor_params_new(scalar, seed);
    spor_tape *tape = spor_tape_new();
    spor_scope_begin(tape, "net");
    spor_param(tape, "W", SPOR_SHAPE(2, 3), SPOR_INIT("normal", 1));
    spor_param(tape, "b", SPOR_SHAPE(3), SPOR_INIT("normal", 1));
    spor_state(tape, "mean", SPOR_SCALAR_SHAPE, SPOR_INIT("normal", 1));
    ck_assert(spor_params_join(params, tape));
    ck_assert_int_eq(spor_params_count(params), 3);
    spor_tape_free(tape);
    return params;
}

static int64_t size_of(const spor_entry *e) {
    int64_t size = 1;
    for (int k = 0; k < e->shape.rank; k++) size *= e->shape.n[k];
    return size;
}

static double number(const spor_entry *e, int64_t k) {
    return e->scalar == SPOR_F32 ? (double)((float *)e->value)[k] : ((double *)e->value)[k];
}

/* Every number of b is a's, rounded to float if round is set. */
static void check_same(spor_params *a, spor_params *b, bool round) {
    for (int k = 0; k < spor_params_count(a); k++) {
        spor_entry x = spor_params_entry(a, k), y = spor_params_entry(b, k);
        for (int64_t i = 0; i < size_of(&x); i++) {
            double expected = round ? (double)(float)number(&x, i) : number(&x, i);
            ck_assert_double_eq(number(&y, i), expected);
        }
    }
}

static void check_round_trip(spor_scalar from, spor_scalar to) {
    spor_message message = {{0}};
    spor_params *a = params_of(from, 1), *b = params_of(to, 2);
    const char *path = scratch_path("weights.safetensors");
    ck_assert_msg(spor_weights_save(a, path, &message), "%s", message.text);
    ck_assert_msg(spor_weights_load(b, path, &message), "%s", message.text);
    check_same(a, b, to == SPOR_F32);
    spor_params_free(a);
    spor_params_free(b);
}

START_TEST(weights_return_to_the_bit_or_converted) {
    check_round_trip(SPOR_F32, SPOR_F32);
    check_round_trip(SPOR_F64, SPOR_F64);
    check_round_trip(SPOR_F32, SPOR_F64);
    check_round_trip(SPOR_F64, SPOR_F32);
}
END_TEST

START_TEST(the_file_is_as_the_format_wants_it) {
    spor_params *params = params_of(SPOR_F32, 1);
    spor_entry W = spor_params_entry(params, 0);
    ((float *)W.value)[0] = 1.5F; /* 0x3fc00000 */
    const char *path = scratch_path("weights.safetensors");
    ck_assert(spor_weights_save(params, path, NULL));
    size_t size;
    char *bytes = scratch_read(path, &size);
    static const char header[] =
        "{\"net/W\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
        "\"net/b\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[24,36]},"
        "\"net/mean\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[36,40]}}";
    size_t length = (unsigned char)bytes[0] + 256 * (size_t)(unsigned char)bytes[1];
    ck_assert_uint_eq(length % 8, 0);
    ck_assert_uint_lt(length - strlen(header), 8);
    ck_assert_mem_eq(bytes + 2, "\0\0\0\0\0", 6);
    ck_assert_mem_eq(bytes + 8, header, strlen(header));
    ck_assert_uint_eq(size, 8 + length + 40);
    ck_assert_mem_eq(bytes + 8 + length, "\x00\x00\xc0\x3f", 4);
    free(bytes);
    spor_params_free(params);
}
END_TEST

/* A file of this header, of its length unless another is given, and `bytes` bytes of zeros. */
static const char *file_of(const char *header, size_t length, size_t bytes) {
    unsigned char file[2048] = {0};
    size_t size = strlen(header);
    for (int k = 0; k < 8; k++) file[k] = (unsigned char)((length ? length : size) >> 8 * k & 255);
    memcpy(file + 8, header, size);
    return scratch_file("weights.safetensors", file, 8 + size + bytes);
}

static void check_refused_file(const char *path, const char *why) {
    spor_message message = {{0}};
    spor_params *params = params_of(SPOR_F32, 1), *before = params_of(SPOR_F32, 1);
    ck_assert_msg(!spor_weights_load(params, path, &message), "loaded, though %s", why);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
    ck_assert_ptr_nonnull(strstr(message.text, path));
    check_same(before, params, false);
    spor_params_free(params);
    spor_params_free(before);
}

static void check_refused(const char *header, size_t bytes, const char *why) {
    check_refused_file(file_of(header, 0, bytes), why);
}

#define TENSOR(name, dtype, shape, begin, end)                                                     \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end   \
    "]}"
#define W_ TENSOR("net/W", "F32", "[2,3]", "0", "24")
#define B_ TENSOR("net/b", "F32", "[3]", "24", "36")
#define MEAN_ TENSOR("net/mean", "F32", "[]", "36", "40")

START_TEST(any_order_blanks_and_metadata_are_accepted) {
    spor_message message = {{0}};
    spor_params *params = params_of(SPOR_F32, 1);
    const char *path = file_of(" { \"__metadata__\" : {\"format\":\"pt\", \"a\":\"\"} ,\n" MEAN_
                               "," B_ ",\"net/W\":{\"data_offsets\":[0,24],\"shape\":[2,3],"
                               "\"dtype\":\"F32\"}}   ",
                               0, 40);
    ck_assert_msg(spor_weights_load(params, path, &message), "%s", message.text);
    spor_entry b = spor_params_entry(params, 1);
    ck_assert_double_eq(number(&b, 2), 0);
    spor_params_free(params);
}
END_TEST

START_TEST(what_does_not_fit_the_model_is_refused) {
    check_refused("{" W_ "," B_ "}", 36, "has no tensor net/mean");
    check_refused("{" W_ "," B_ "," MEAN_ "," TENSOR("net/c", "F32", "[]", "40", "44") "}", 44,
                  "tensor net/c is not a parameter of the model");
    check_refused("{" TENSOR("net/W", "F32", "[3,2]", "0", "24") "," B_ "," MEAN_ "}", 40,
                  "tensor net/W is [3, 2] but the model has [2, 3]");
    check_refused("{" TENSOR("net/W", "F32", "[6]", "0", "24") "," B_ "," MEAN_ "}", 40,
                  "tensor net/W is [6] but the model has [2, 3]");
    check_refused("{" TENSOR("net/W", "I64", "[2,3]", "0", "24") "," B_ "," MEAN_ "}", 40,
                  "tensor net/W has dtype I64");
    check_refused("{" W_ "," W_ "," B_ "," MEAN_ "}", 40, "tensor net/W occurs twice");
}
END_TEST

START_TEST(gaps_overlaps_and_wrong_lengths_are_refused) {
    check_refused("{" W_ "," B_ "," MEAN_ "}", 41, "1 bytes follow the last tensor");
    check_refused("{" W_ "," B_ "," MEAN_ "}", 39,
                  "tensor net/mean of 4 bytes is said to lie at 36..40");
    check_refused("{" W_ "," B_ "," TENSOR("net/mean", "F32", "[]", "37", "41") "}", 41,
                  "a gap at byte 36");
    check_refused("{" W_ "," B_ "," TENSOR("net/mean", "F32", "[]", "32", "36") "}", 36,
                  "an overlap at byte 36");
    check_refused("{" TENSOR("net/W", "F32", "[2,3]", "0", "20") "," B_ "," MEAN_ "}", 40,
                  "tensor net/W of 24 bytes is said to lie at 0..20");
    check_refused("{" TENSOR("net/W", "F32", "[2,3]", "24", "0") "," B_ "," MEAN_ "}", 40,
                  "at 24..0");
    check_refused("{" TENSOR("net/W", "F32", "[2,3]", "-24", "0") "," B_ "," MEAN_ "}", 40,
                  "lacks");
    check_refused("{" TENSOR("net/W", "F32", "[2,3]", "9223372036854775800",
                             "9223372036854775807") "," B_ "," MEAN_ "}",
                  40, "is said to lie at");
}
END_TEST

START_TEST(broken_headers_are_refused) {
    check_refused("[]", 0, "header, byte 8: expected an object {");
    check_refused("{" W_ "," B_ "," MEAN_ "} x", 40, "something follows the end");
    check_refused("{\"net/W\":{\"dtype\":\"F32\",\"shape\":[2,3]}}", 0, "lacks dtype, shape");
    check_refused("{\"net/W\":{\"dtype\":\"F32\",\"size\":3}}", 0, "tensor net/W has \"size\"");
    check_refused("{\"net/W\":{\"dtype\":\"F32\",\"dtype\":\"F64\"}}", 0, "once each");
    check_refused("{\"net/W\":{\"shape\":[1,1,1,1,1,1,1,1,1]}}", 0, "too many numbers");
    check_refused("{\"net/W\":{\"data_offsets\":[1,2,3]}}", 0, "too many numbers");
    check_refused("{\"net/W\":{\"data_offsets\":[1]}}", 0, "expected two offsets");
    check_refused("{\"net/W\":3}", 0, "expected an object {");
    check_refused("{\"__metadata__\":{\"a\":1}}", 0, "expected a string");
    check_refused_file(file_of("{}", 200, 50), "header does not fit into 60 bytes");
    check_refused_file(file_of("{}", SIZE_MAX, 0), "header does not fit");
    check_refused_file(scratch_file("short", "\x02\0\0", 3), "truncated");
    check_refused_file(scratch_file("none", "", 0), "truncated");
    check_refused_file(scratch_path("absent"), "cannot be opened");
}
END_TEST

START_TEST(a_double_beyond_float_is_refused) {
    spor_params *wide = params_of(SPOR_F64, 1);
    const char *path = scratch_path("weights.safetensors");
    ((double *)spor_params_entry(wide, 1).value)[2] = 1e300;
    ck_assert(spor_weights_save(wide, path, NULL));
    check_refused_file(path, "element 2 of tensor net/b, 1e+300, is too large for float");
    spor_params_free(wide);
}
END_TEST

START_TEST(a_full_disk_is_an_error) {
    spor_message message = {{0}};
    spor_params *params = params_of(SPOR_F32, 1);
    ck_assert(!spor_weights_save(params, "/dev/full", &message));
    ck_assert_ptr_nonnull(strstr(message.text, "No space left"));
    spor_params_free(params);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("safetensors");
    TCase *tests = tcase_create("safetensors");
    tcase_add_checked_fixture(tests, scratch_begin, scratch_end);
    tcase_add_test(tests, weights_return_to_the_bit_or_converted);
    tcase_add_test(tests, the_file_is_as_the_format_wants_it);
    tcase_add_test(tests, any_order_blanks_and_metadata_are_accepted);
    tcase_add_test(tests, what_does_not_fit_the_model_is_refused);
    tcase_add_test(tests, gaps_overlaps_and_wrong_lengths_are_refused);
    tcase_add_test(tests, broken_headers_are_refused);
    tcase_add_test(tests, a_double_beyond_float_is_refused);
    tcase_add_test(tests, a_full_disk_is_an_error);
    suite_add_tcase(suite, tests);
    return suite;
}
