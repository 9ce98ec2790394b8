/* Several arrays in a file: as NumPy and safetensors write them, of every type, damaged. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/bundle.h"
#include "savez.h"

enum { ROOM = 1024 };

typedef struct {
    unsigned char bytes[ROOM];
    size_t size;
} file;

static spor_bundle read_bytes(const void *bytes, size_t size) {
    spor_bundle bundle;
    spor_message message = {""};
    ck_assert_msg(bundle_parse("x", bytes, size, &bundle, &message), "%s", message.text);
    return bundle;
}

static void refuse(const void *bytes, size_t size, const char *why) {
    spor_bundle bundle;
    spor_message message = {""};
    ck_assert(!bundle_parse("x", bytes, size, &bundle, &message));
    ck_assert_msg(strstr(message.text, why) && !strncmp(message.text, "x: ", 3), "%s: %s", why,
                  message.text);
    ck_assert_int_eq(bundle.count, 0);
}

static double number(const spor_bundle *bundle, const char *name, int k) {
    const spor_npy *a = bundle_find(bundle, name);
    ck_assert_ptr_nonnull(a);
    return ((const double *)a->value)[k];
}

/* ---- .npz ---- */

static const struct {
    const unsigned char *bytes;
    size_t size;
} npz[] = {{npz_stored, sizeof npz_stored}, {npz_deflated, sizeof npz_deflated}};

START_TEST(numpy_files_are_read) {
    spor_bundle bundle = read_bytes(npz[_i].bytes, npz[_i].size);
    const spor_npy *A = bundle_find(&bundle, "A"), *b = bundle_find(&bundle, "b");
    ck_assert_int_eq(bundle.count, 2);
    ck_assert(A && A->shape.rank == 2 && A->shape.n[0] == 2 && A->shape.n[1] == 3);
    ck_assert(A->type.kind == RAW_REAL && A->type.width == 4);
    ck_assert(b && b->shape.rank == 1 && b->shape.n[0] == 2 && b->type.kind == RAW_UNSIGNED);
    for (int k = 0; k < 6; k++) ck_assert_double_eq(number(&bundle, "A", k), k / 4.0);
    for (int k = 0; k < 2; k++) ck_assert_double_eq(number(&bundle, "b", k), 1 - k);
    ck_assert_ptr_null(bundle_find(&bundle, "A.npy"));
    bundle_free(&bundle);
}
END_TEST

/* However much of it is there, and whichever byte is another one, it is an error or reads as numbers. */
START_TEST(damaged_numpy_files_are_refused) {
    spor_message message;
    spor_bundle bundle;
    for (size_t n = 0; n < npz[_i].size; n++)
        ck_assert(!bundle_parse("x", npz[_i].bytes, n, &bundle, &message));
    unsigned char bytes[ROOM];
    memcpy(bytes, npz[_i].bytes, npz[_i].size);
    int accepted = 0;
    for (size_t n = 0; n < npz[_i].size; n++) {
        bytes[n] ^= 0x10;
        bool done = bundle_parse("x", bytes, npz[_i].size, &bundle, &message);
        if (done && bundle_find(&bundle, "A"))
            for (int k = 0; k < 6; k++) ck_assert_double_eq(number(&bundle, "A", k), k / 4.0);
        accepted += done;
        bundle_free(&bundle);
        bytes[n] ^= 0x10;
    }
    ck_assert_int_gt(accepted, 0); /* times, versions, attributes */
}
END_TEST

static unsigned char *copy_of(int k, unsigned char bytes[ROOM]) {
    memcpy(bytes, npz[k].bytes, npz[k].size);
    return bytes;
}

/* Where the directory's entry of member A.npy begins. */
static unsigned char *entry_of(unsigned char *bytes, size_t size) {
    for (size_t k = 0; k + 4 < size; k++)
        if (!memcmp(bytes + k, "PK\1\2", 4)) return bytes + k;
    ck_abort_msg("no entry");
}

START_TEST(zip_files_say_what_is_wrong) {
    unsigned char bytes[ROOM];
    size_t size = npz[1].size;
    entry_of(copy_of(1, bytes), size)[8] |= 1;
    refuse(bytes, size, "A.npy is encrypted");
    entry_of(copy_of(1, bytes), size)[10] = 12;
    refuse(bytes, size, "A.npy is packed by method 12; stored and deflated");
    entry_of(copy_of(1, bytes), size)[16] ^= 1;
    refuse(bytes, size, "A.npy is damaged: its checksum is wrong");
    entry_of(copy_of(1, bytes), size)[27] = 0x7f; /* a bomb */
    refuse(bytes, size, "A.npy cannot hold the");
    memset(entry_of(copy_of(1, bytes), size) + 24, 0xff, 4);
    refuse(bytes, size, "A.npy is larger than 4 GB");
    entry_of(copy_of(1, bytes), size)[24]++;
    refuse(bytes, size, "A.npy");
    entry_of(copy_of(0, bytes), npz[0].size)[24]++;
    refuse(bytes, npz[0].size, "two lengths");
    entry_of(copy_of(1, bytes), size)[46] = 0;
    refuse(bytes, size, "a name is none");
    memcpy(entry_of(copy_of(1, bytes), size) + 46, "A.txt", 5);
    refuse(bytes, size, "A.txt is no array");
    memcpy(entry_of(copy_of(1, bytes), size) + 46, "b.npy", 5);
    refuse(bytes, size, "b occurs twice");
    refuse(bytes, size - 1, "it may be cut off");
}
END_TEST

/* ---- safetensors ---- */

static file tensors(const char *header, const void *numbers, size_t size) {
    file f = {.size = 8 + strlen(header) + size};
    ck_assert_uint_le(f.size, ROOM);
    f.bytes[0] = (unsigned char)(strlen(header) & 255);
    f.bytes[1] = (unsigned char)(strlen(header) >> 8);
    memcpy(f.bytes + 8, header, strlen(header));
    memcpy(f.bytes + 8 + strlen(header), numbers, size);
    return f;
}

/* numpy.array(value, dtype).tobytes(); bfloat16 is that of ml_dtypes 0.5 */
static const struct {
    const char *dtype;
    int width;
    double value[2];
    const char *bytes;
} types[] = {
    {"F16", 2, {1, -2.5}, "\x00\x3c\x00\xc1"},
    {"BF16", 2, {1, -2.5}, "\x80\x3f\x20\xc0"},
    {"BF16", 2, {0.10009765625, 0x1p-133}, "\xcd\x3d\x01\x00"},
    {"F32", 4, {1, -2.5}, "\x00\x00\x80\x3f\x00\x00\x20\xc0"},
    {"F64", 8, {1, -2.5}, "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x04\xc0"},
    {"I8", 1, {3, -100}, "\x03\x9c"},
    {"I16", 2, {3, -100}, "\x03\x00\x9c\xff"},
    {"I32", 4, {3, -100}, "\x03\x00\x00\x00\x9c\xff\xff\xff"},
    {"I64", 8, {3, -100}, "\x03\x00\x00\x00\x00\x00\x00\x00\x9c\xff\xff\xff\xff\xff\xff\xff"},
    {"U8", 1, {3, 200}, "\x03\xc8"},
    {"U16", 2, {3, 100}, "\x03\x00\x64\x00"},
    {"U32", 4, {3, 100}, "\x03\x00\x00\x00\x64\x00\x00\x00"},
    {"U64", 8, {3, 100}, "\x03\x00\x00\x00\x00\x00\x00\x00\x64\x00\x00\x00\x00\x00\x00\x00"},
    {"BOOL", 1, {1, 0}, "\x01\x00"},
};
enum { TYPES = sizeof types / sizeof *types };

START_TEST(every_type_of_safetensors_is_read) {
    char header[256];
    snprintf(header, sizeof header,
             "{\"x\":{\"dtype\":\"%s\",\"shape\":[2,1],\"data_offsets\":[0,%d]}}", types[_i].dtype,
             2 * types[_i].width);
    file f = tensors(header, types[_i].bytes, 2 * (size_t)types[_i].width);
    spor_bundle bundle = read_bytes(f.bytes, f.size);
    ck_assert_int_eq(bundle_find(&bundle, "x")->type.width, types[_i].width);
    ck_assert_int_eq(bundle_find(&bundle, "x")->type.kind == RAW_BRAIN,
                     types[_i].dtype[0] == 'B' && types[_i].dtype[1] == 'F');
    for (int k = 0; k < 2; k++) ck_assert_double_eq(number(&bundle, "x", k), types[_i].value[k]);
    bundle_free(&bundle);
}
END_TEST

static const struct {
    const char *header, *why;
} wrong[] = {
    {"{\"x\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}",
     "x has dtype F8_E4M3; F16, BF16, F32, F64, whole numbers and BOOL can be read"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[0,4294967296],\"data_offsets\":[0,0]}}",
     "more than 2^31 numbers"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[-1,-2],\"data_offsets\":[0,8]}}", "an axis of size -1"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[3],\"data_offsets\":[0,8]}}", "of 12 bytes is said"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[4,12]}}", "lie at 4..12 of 8"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[-8,0]}}",
     "x lacks dtype, shape or data_offsets"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,8]}}",
     "more than 2^31 numbers"},
    {"{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
     "\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]}}",
     "x occurs twice"},
    {"{\"x\":{\"dtype\":\"U64\",\"shape\":[1],\"data_offsets\":[0,8]}}",
     "number 0 is an integer that no double holds"},
    {"{\"x\":{\"shape\":[1],\"data_offsets\":[0,8]}}", "x lacks dtype"},
};
enum { WRONG = sizeof wrong / sizeof *wrong };

START_TEST(safetensors_say_what_is_wrong) {
    file f = tensors(wrong[_i].header, "\xff\xff\xff\xff\xff\xff\xff\xff", 8);
    refuse(f.bytes, f.size, wrong[_i].why);
}
END_TEST

START_TEST(arrays_without_elements_are_read) {
    file f = tensors("{\"x\":{\"dtype\":\"BF16\",\"shape\":[3,0],\"data_offsets\":[0,0]}}", "", 0);
    spor_bundle bundle = read_bytes(f.bytes, f.size);
    const spor_npy *x = bundle_find(&bundle, "x");
    ck_assert(x && x->shape.rank == 2 && x->shape.n[0] == 3 && x->shape.n[1] == 0 && x->value);
    bundle_free(&bundle);
}
END_TEST

START_TEST(one_array_is_no_bundle) {
    refuse("\x93NUMPY\x01\x00", 8, "is one array, and it has no name");
    refuse("nonsense", 8, "not a safetensors file");
    spor_message message;
    spor_bundle bundle;
    ck_assert(!bundle_read("/nowhere.npz", &bundle, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "/nowhere.npz: cannot be opened"));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("bundle");
    TCase *tests = tcase_create("bundle");
    tcase_add_loop_test(tests, numpy_files_are_read, 0, 2);
    tcase_add_loop_test(tests, damaged_numpy_files_are_refused, 0, 2);
    tcase_add_test(tests, zip_files_say_what_is_wrong);
    tcase_add_loop_test(tests, every_type_of_safetensors_is_read, 0, TYPES);
    tcase_add_loop_test(tests, safetensors_say_what_is_wrong, 0, WRONG);
    tcase_add_test(tests, arrays_without_elements_are_read);
    tcase_add_test(tests, one_array_is_no_bundle);
    suite_add_tcase(suite, tests);
    return suite;
}
