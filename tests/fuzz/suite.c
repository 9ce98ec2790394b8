/* Thousands of mutated seeds for every reader. */
#include "../suite.h"

#include <stdlib.h>
#include <string.h>

#include "../data/savez.h"
#include "../import/tiny.h"
#include "../support/matlab.h"

#include "base/random.h"
#include "fuzz.h"
#include "train/checkpoint.h"

enum { ROOM = 1024 };

typedef struct {
    uint8_t bytes[ROOM];
    size_t size;
} input;

static size_t below(uint64_t seed, uint64_t a, uint64_t b, size_t n) {
    return (size_t)(random_hash(seed, a, b) % n);
}

/* A bit flipped, a byte set, a piece left out or doubled, the end cut off. */
static void mutate_once(input *in, uint64_t seed, uint64_t k) {
    static const uint8_t telling[] = {0,   1,   9,   10,   '"', ',', '-', '.',  '0',  '9',
                                      ':', 'e', '[', '\\', ']', '{', '}', 0x7f, 0x80, 0xff};
    if (!in->size) return;
    size_t at = below(seed, k, 1, in->size), length = 1 + below(seed, k, 2, 8);
    if (length > in->size - at) length = in->size - at;
    switch (below(seed, k, 0, 6)) {
    case 0:
    case 1:
        in->bytes[at] ^= (uint8_t)(1u << below(seed, k, 3, 8));
        break;
    case 2:
    case 3:
        in->bytes[at] = telling[below(seed, k, 3, sizeof telling)];
        break;
    case 4:
        memmove(in->bytes + at, in->bytes + at + length, in->size - at - length);
        in->size -= length;
        break;
    default:
        if (in->size + length > ROOM)
            in->size = at;
        else {
            memmove(in->bytes + at + length, in->bytes + at, in->size - at);
            in->size += length;
        }
    }
}

/* The input in memory of its exact size, so that a sanitizer sees one byte too far. */
static bool run_exact(fuzz_target *run, const input *in) {
    uint8_t *bytes = malloc(in->size ? in->size : 1);
    ck_assert_ptr_nonnull(bytes);
    memcpy(bytes, in->bytes, in->size);
    bool accepted = run(bytes, in->size);
    free(bytes);
    return accepted;
}

/* The seed itself is accepted; of its mutants some are, most are not. */
static void fuzz(fuzz_target *run, const void *bytes, size_t size, int rounds) {
    input seed = {.size = size};
    int accepted = 0;
    ck_assert_uint_le(size, ROOM);
    memcpy(seed.bytes, bytes, size);
    ck_assert(run_exact(run, &seed));
    for (int k = 0; k < rounds; k++) {
        input mutant = seed;
        size_t times = 1 + below(size, (uint64_t)k, 9, 4);
        for (size_t t = 0; t < times; t++) mutate_once(&mutant, (uint64_t)k, t);
        accepted += run_exact(run, &mutant);
    }
    fuzz_file_end();
    ck_assert_int_gt(accepted, 0);
    ck_assert_int_lt(accepted, rounds);
}

/* The first 60 numbers joined by commas, with codes of its own, and "spor" with all optional header
 * fields; made as those in tests/data/gzip.c. */
static const unsigned char dynamic_codes[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x0d, 0x8e, 0x47, 0x01, 0xc0, 0x30,
    0x10, 0xc3, 0x08, 0xe9, 0x11, 0xdb, 0xe7, 0x0c, 0xfe, 0xc4, 0x5a, 0x00, 0x1a, 0x0b, 0x61, 0xc2,
    0x50, 0x36, 0x87, 0xcb, 0x43, 0x0b, 0x09, 0x19, 0x05, 0x0d, 0x2a, 0xda, 0xe8, 0xa0, 0x8b, 0x1e,
    0x5e, 0xf8, 0x67, 0x8c, 0x83, 0x07, 0x17, 0x6f, 0x7c, 0xf0, 0xc5, 0x8f, 0x2c, 0x22, 0xf2, 0x2b,
    0x43, 0x86, 0x94, 0x6c, 0x72, 0xc8, 0x25, 0x8f, 0x59, 0x8c, 0x18, 0x33, 0x7f, 0x71, 0x98, 0x32,
    0x9b, 0x39, 0xcc, 0x65, 0x1e, 0x5d, 0x54, 0xd4, 0x34, 0xf4, 0x1f, 0x2a, 0xdd, 0xf4, 0xd0, 0x4b,
    0xdf, 0x07, 0xa5, 0xf5, 0x74, 0xd8, 0xa9, 0x00, 0x00, 0x00};
static const unsigned char all_header_fields[] = {
    0x1f, 0x8b, 0x08, 0x1e, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x03, 0x00, 0x61, 0x62, 0x63,
    0x6e, 0x61, 0x6d, 0x65, 0x00, 0x63, 0x6f, 0x6d, 0x6d, 0x65, 0x6e, 0x74, 0x00, 0x12, 0x34,
    0x2b, 0x2e, 0xc8, 0x2f, 0x02, 0x00, 0x46, 0xdf, 0x51, 0x50, 0x04, 0x00, 0x00, 0x00,
};

START_TEST(gzip_holds) {
    fuzz(fuzz_gzip, dynamic_codes, sizeof dynamic_codes, 6000);
    fuzz(fuzz_gzip, all_header_fields, sizeof all_header_fields, 6000);
}
END_TEST

START_TEST(csv_holds) {
    static const char text[] = "1,2.5,-3e2,0,1\n0.25,1e-3,+4,16,2\r\n1,1,1,1,0\n";
    fuzz(fuzz_csv, text, sizeof text - 1, 4000);
    fuzz(fuzz_csv, "0,0,0,0,0", 9, 2000);
}
END_TEST

START_TEST(tables_hold) {
    static const char text[] =
        "\xef\xbb\xbf\"a\";b;\"the \"\"kind\"\"\"\r\n1.5; -2 ;x\r\n3;\"4\";\"y\nz\"\r\n";
    static const char commas[] = "1,2,10\r3,4,20\r5,6,10\r";
    static const char said[] = "sep=;\r\na;b\r\n1.5;x\r\n2;y\r\n";
    fuzz(fuzz_table, commas, sizeof commas - 1, 4000);
    fuzz(fuzz_table, said, sizeof said - 1, 4000);
    fuzz(fuzz_table, text, sizeof text - 1, 8000);
}
END_TEST

START_TEST(json_holds) {
    static const char text[] = "{\"name\":[1,-20,[],{}],\"\\u00e5\\ud83d\\ude00\":\"a\\n\\\"\","
                               " \"deep\" : [[[[{\"k\":0}]]]]}\n";
    fuzz(fuzz_json, text, sizeof text - 1, 20000);
}
END_TEST

START_TEST(summaries_hold) {
    static const char text[] = "{\"metric\": \"accuracy\", \"settings\": {\"rate\": [0.1, {}]}, "
                               "\"weights_of_epoch\": 12, \"validation_loss\": 1.5e-3,\n"
                               "\"validation_accuracy\": null, \"test_loss\": 7, \"finished\": "
                               "true, \"failure\": \"epoch 3, \\\"step 5\\\"\"}\n";
    fuzz(fuzz_summary, text, sizeof text - 1, 20000);
}
END_TEST

START_TEST(safetensors_hold) {
    uint8_t file[ROOM] = {0};
    static const char header[] =
        "{\"__metadata__\":{\"format\":\"pt\"},\"W\":{\"dtype\":\"F32\",\"shape\":[2,3],"
        "\"data_offsets\":[0,24]},\"b\":{\"dtype\":\"F64\",\"shape\":[3],\"data_offsets\":[24,48]}"
        "}";
    file[0] = sizeof header - 1;
    memcpy(file + 8, header, sizeof header - 1);
    fuzz(fuzz_safetensors, file, 8 + sizeof header - 1 + 48, 6000);
}
END_TEST

/* A run in its third epoch, with a note and the best weights of the first. */
START_TEST(checkpoints_hold) {
    spor_params *params = fuzz_params();
    spor_progress epoch = {.epoch = 1, .epochs = 4, .step = 5, .steps = 5, .rows = 50};
    spor_checkpoint run = {
        .progress = {.epoch = 3, .epochs = 4, .step = 2, .steps = 5, .rows = 20}};
    for (int k = 0; k < 2; k++) ck_assert(history_add(&run.history, &epoch));
    ck_assert(checkpoint_add(&run, "command", "[\"a\"]"));
    ck_assert(best_keep(&run.best, params, 1));
    const char *path = fuzz_file((const uint8_t *)"", 0);
    ck_assert(checkpoint_write(&run, params, path, NULL));
    uint8_t bytes[2 * ROOM];
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    checkpoint_free(&run);
    spor_params_free(params);
    fuzz(fuzz_checkpoint, bytes, size, 8000);
}
END_TEST

START_TEST(outline_holds) {
    static const char text[] = "data.name iris\nx.shape 2 1\nx.scale 0.0625\n"
                               "x.columns [\"a\",\"b, \\u00e9\"]\ny.shape 1\ny.columns [\"t\"]\n"
                               "classes 3\nclass.names [\"x\",\"y\",\"z\"]\n";
    fuzz(fuzz_outline, (const uint8_t *)text, sizeof text - 1, 30000);
}
END_TEST

START_TEST(like_holds) {
    static const char text[] = "b,c,a\n1,x,2.5\n3,\"y, z\",-4e3\n";
    fuzz(fuzz_like, (const uint8_t *)text, sizeof text - 1, 10000);
    fuzz_file_end();
}
END_TEST

START_TEST(npy_holds) {
    static const char header[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n";
    uint8_t file[ROOM] = "\x93NUMPY\x01\x00";
    size_t length = sizeof header - 1;
    file[8] = (uint8_t)length;
    memcpy(file + 10, header, length);
    fuzz(fuzz_npy, file, 10 + length + 24, 20000);
    memcpy(strstr((char *)file + 10, "<f4"), ">u4", 3);
    memcpy(strstr((char *)file + 10, "False"), "True ", 5);
    fuzz(fuzz_npy, file, 10 + length + 24, 10000);
    memcpy(strstr((char *)file + 10, ">u4"), "|u1", 3);
    fuzz(fuzz_npy, file, 10 + length + 6, 10000);
}
END_TEST

/* Arrays by name, of every type that safetensors has. */
START_TEST(bundles_hold) {
    uint8_t file[ROOM] = {0};
    char header[ROOM] = "{";
    static const struct {
        const char *type;
        int width;
    } types[] = {{"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8}, {"U16", 2}, {"BOOL", 1}};
    int at = 0, used = 1;
    for (int k = 0; k < 6; k++, used += (int)strlen(header + used)) {
        snprintf(header + used, sizeof header - (size_t)used,
                 "%s\"x%d\":{\"dtype\":\"%s\",\"shape\":[1,2],\"data_offsets\":[%d,%d]}%s",
                 k ? "," : "", k, types[k].type, at, at + 2 * types[k].width, k == 5 ? "}" : "");
        at += 2 * types[k].width;
    }
    file[0] = (uint8_t)(used & 255);
    file[1] = (uint8_t)(used >> 8);
    memcpy(file + 8, header, (size_t)used);
    fuzz(fuzz_bundle, file, (size_t)(8 + used + at), 20000);
    fuzz(fuzz_bundle, npz_stored, sizeof npz_stored, 20000);
    fuzz(fuzz_bundle, npz_deflated, sizeof npz_deflated, 20000);
}
END_TEST

START_TEST(idx_holds) {
    static const uint8_t bytes[] = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0,
                                    1, 0, 0, 0, 3, 0, 1, 2, 3, 4, 5};
    static const uint8_t real[] = {0,    0, 14,   1,    0,    0,    0,    1,
                                   0x40, 9, 0x21, 0xfb, 0x54, 0x44, 0x2d, 0x18};
    fuzz(fuzz_idx, bytes, sizeof bytes, 10000);
    fuzz(fuzz_idx, real, sizeof real, 5000);
}
END_TEST

START_TEST(mat_holds) {
    static const uint8_t numbers[48] = {1, 2, 3, 250, 251, 252};
    matlab_array x = {"X", MATLAB_UINT8, MATLAB_UINT8_TYPE, 4, {2, 3, 2, 4}, numbers, 48, false};
    for (int k = 0; k < 4; k++) {
        matlab_file file;
        x.packed = k % 2;
        if (k == 2) x.type = MATLAB_DOUBLE_TYPE, x.axes = 2;
        matlab_begin(&file);
        matlab_add(&file, &x);
        fuzz(fuzz_mat, file.bytes, file.size, 10000);
        free(file.bytes);
    }
}
END_TEST

START_TEST(onnx_holds) {
    tiny t;
    tiny_network(&t);
    fuzz(fuzz_onnx, t.bytes.at, t.bytes.size, 40000);
    tiny_free(&t);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fuzz");
    TCase *tests = tcase_create("fuzz");
    tcase_add_test(tests, gzip_holds);
    tcase_add_test(tests, csv_holds);
    tcase_add_test(tests, tables_hold);
    tcase_add_test(tests, json_holds);
    tcase_add_test(tests, summaries_hold);
    tcase_add_test(tests, safetensors_hold);
    tcase_add_test(tests, checkpoints_hold);
    tcase_add_test(tests, npy_holds);
    tcase_add_test(tests, bundles_hold);
    tcase_add_test(tests, outline_holds);
    tcase_add_test(tests, like_holds);
    tcase_add_test(tests, idx_holds);
    tcase_add_test(tests, mat_holds);
    tcase_add_test(tests, onnx_holds);
    suite_add_tcase(suite, tests);
    return suite;
}
