/* Protocol buffers, byte by byte: the examples of https://protobuf.dev/programming-guides/encoding and their edges. */
#include "../suite.h"
#include "export/protobuf.h"
#include "walk.h"

#include <string.h>

static void expect_bytes(spor_text *text, const char *want, size_t size) {
    ck_assert(!text->failed);
    ck_assert_uint_eq(text->size, size);
    ck_assert_mem_eq(text->at, want, size);
    text_free(text);
}
#define EXPECT(text, bytes) expect_bytes(text, bytes, sizeof(bytes) - 1)

START_TEST(numbers) {
    spor_text t = {0};
    protobuf_integer(&t, 1, 150);
    EXPECT(&t, "\x08\x96\x01");
    protobuf_integer(&t, 1, 0);
    protobuf_integer(&t, 1, 127);
    protobuf_integer(&t, 16, 128);
    EXPECT(&t, "\x08\x00\x08\x7f\x80\x01\x80\x01");
    protobuf_integer(&t, 1, -2);
    EXPECT(&t, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    protobuf_integer(&t, 1, INT64_MAX);
    EXPECT(&t, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\x7f");
    protobuf_float(&t, 2, -1.5F);
    EXPECT(&t, "\x15\x00\x00\xc0\xbf");
}
END_TEST

START_TEST(texts_and_lists) {
    spor_text t = {0};
    protobuf_text(&t, 2, "testing");
    EXPECT(&t, "\x12\x07testing");
    protobuf_text(&t, 2, "");
    EXPECT(&t, "\x12\x00");
    protobuf_integers(&t, 6, 3, (const int64_t[]){3, 270, 86942});
    EXPECT(&t, "\x32\x06\x03\x8e\x02\x9e\xa7\x05");
    protobuf_integers(&t, 6, 0, NULL);
    EXPECT(&t, "\x32\x00");
}
END_TEST

START_TEST(messages) {
    spor_text t = {0};
    size_t outer = protobuf_open(&t, 3), inner = protobuf_open(&t, 3);
    protobuf_integer(&t, 1, 150);
    protobuf_close(&t, inner);
    protobuf_close(&t, outer);
    EXPECT(&t, "\x1a\x05\x1a\x03\x08\x96\x01");
    protobuf_close(&t, protobuf_open(&t, 1));
    EXPECT(&t, "\x0a\x00");
}
END_TEST

/* Lengths of one byte, two and three: what is inside moves, and remains what it was. */
START_TEST(long_messages) {
    static const size_t sizes[] = {0,   1,   120,   124,   125,   126,
                                   127, 128, 16379, 16380, 16384, 3000000};
    static char inside[3000000];
    for (size_t k = 0; k < sizeof inside; k++) inside[k] = (char)(k * 7 + k / 251);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        spor_text t = {0};
        size_t opened = protobuf_open(&t, 4), again = protobuf_open(&t, 5);
        protobuf_bytes(&t, 6, inside, sizes[k]);
        protobuf_close(&t, again);
        protobuf_integer(&t, 7, 77);
        protobuf_close(&t, opened);
        protobuf_integer(&t, 8, 88);
        ck_assert(!t.failed);
        const unsigned char *from = (const unsigned char *)t.at;
        walk_bytes all = {from, from + t.size}, outer = walk_find(all, 4).bytes;
        walk_bytes found = walk_find(walk_find(outer, 5).bytes, 6).bytes;
        ck_assert_uint_eq((size_t)(found.end - found.at), sizes[k]);
        ck_assert(!sizes[k] || !memcmp(found.at, inside, sizes[k]));
        ck_assert_uint_eq(walk_find(outer, 7).value, 77);
        ck_assert_uint_eq(walk_find(all, 8).value, 88);
        text_free(&t);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("protobuf");
    TCase *bytes = tcase_create("bytes");
    tcase_add_test(bytes, numbers);
    tcase_add_test(bytes, texts_and_lists);
    tcase_add_test(bytes, messages);
    tcase_add_test(bytes, long_messages);
    suite_add_tcase(suite, bytes);
    return suite;
}
