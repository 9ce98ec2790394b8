/* gzip files of every kind, and each kind of damage. */
#include "../suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/gzip.h"
#include "scratch.h"

/*
 * python3: text = ",".join(str(k) for k in range(100)).encode(), then for (level, strategy, data) =
 * (9, 0, text), (9, zlib.Z_FIXED, text[:60]), (0, 0, text[:40]), (9, Z_FIXED, b"spor") with FEXTRA,
 * FNAME, FCOMMENT and FHCRC, (9, 0, bytes(70000)), (9, 0, b""):
 * c = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy); header + c.compress(data) +
 * c.flush() + struct.pack("<II", zlib.crc32(data), len(data))
 */
static const unsigned char dynamic_codes[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x0d, 0x90, 0x49, 0x01, 0x00, 0x30,
    0x0c, 0xc2, 0x0c, 0xe5, 0x51, 0x7a, 0xd7, 0xbf, 0xb1, 0x4d, 0x00, 0x90, 0x60, 0x08, 0x27, 0x48,
    0x8a, 0x66, 0x58, 0x0e, 0x19, 0x12, 0x72, 0x14, 0x28, 0x51, 0xa1, 0x46, 0x83, 0x16, 0x1d, 0x6e,
    0xf8, 0xcf, 0x38, 0x1e, 0x78, 0xe2, 0x85, 0x37, 0x3e, 0xf8, 0xe2, 0x47, 0x18, 0x21, 0xe2, 0x57,
    0x06, 0x91, 0x44, 0x11, 0x4d, 0x0c, 0xb1, 0xc4, 0x91, 0x46, 0x8a, 0x74, 0xf2, 0x2f, 0x26, 0x59,
    0x64, 0x93, 0x43, 0x2e, 0x79, 0x94, 0x51, 0xa2, 0x9c, 0x0a, 0xea, 0x03, 0x15, 0xd5, 0xd4, 0x50,
    0x4b, 0x1d, 0x6d, 0xb4, 0x68, 0xa7, 0x83, 0x4e, 0xfa, 0xf3, 0x36, 0x3d, 0xf4, 0xd2, 0xc7, 0x18,
    0x23, 0xc6, 0x99, 0x60, 0x92, 0x29, 0xe6, 0xeb, 0x0c, 0xb3, 0xcc, 0xb1, 0xc6, 0x8a, 0x75, 0x36,
    0xd8, 0x64, 0x8b, 0x6d, 0xf6, 0xdb, 0x2e, 0x7b, 0x9c, 0x71, 0xe2, 0x9c, 0x0b, 0x2e, 0xb9, 0xe2,
    0x9a, 0x1b, 0xee, 0x9f, 0x71, 0x0f, 0x53, 0xb2, 0xcc, 0x37, 0x21, 0x01, 0x00, 0x00,
};
static const unsigned char fixed_codes[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x33, 0xd0, 0x31, 0xd4, 0x31, 0xd2,
    0x31, 0xd6, 0x31, 0xd1, 0x31, 0xd5, 0x31, 0xd3, 0x31, 0xd7, 0xb1, 0xd0, 0xb1, 0xd4, 0x31, 0x34,
    0xd0, 0x31, 0x34, 0xd4, 0x31, 0x34, 0xd2, 0x31, 0x34, 0xd6, 0x31, 0x34, 0xd1, 0x31, 0x34, 0xd5,
    0x31, 0x34, 0xd3, 0x31, 0x34, 0xd7, 0x31, 0xb4, 0xd0, 0x31, 0xb4, 0xd4, 0x31, 0x32, 0xd0, 0x31,
    0x02, 0xea, 0x31, 0xd2, 0x31, 0x02, 0x00, 0x2e, 0xff, 0x6d, 0x7d, 0x3c, 0x00, 0x00, 0x00,
};
static const unsigned char stored[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x01, 0x28, 0x00, 0xd7, 0xff, 0x30,
    0x2c, 0x31, 0x2c, 0x32, 0x2c, 0x33, 0x2c, 0x34, 0x2c, 0x35, 0x2c, 0x36, 0x2c, 0x37, 0x2c, 0x38,
    0x2c, 0x39, 0x2c, 0x31, 0x30, 0x2c, 0x31, 0x31, 0x2c, 0x31, 0x32, 0x2c, 0x31, 0x33, 0x2c, 0x31,
    0x34, 0x2c, 0x31, 0x35, 0x2c, 0x31, 0x36, 0x88, 0x17, 0x48, 0x78, 0x28, 0x00, 0x00, 0x00,
};
static const unsigned char all_header_fields[] = {
    0x1f, 0x8b, 0x08, 0x1e, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0x03, 0x00, 0x61, 0x62, 0x63,
    0x6e, 0x61, 0x6d, 0x65, 0x00, 0x63, 0x6f, 0x6d, 0x6d, 0x65, 0x6e, 0x74, 0x00, 0x12, 0x34,
    0x2b, 0x2e, 0xc8, 0x2f, 0x02, 0x00, 0x46, 0xdf, 0x51, 0x50, 0x04, 0x00, 0x00, 0x00,
};
static const unsigned char zeros[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xed, 0xc1, 0x31, 0x01, 0x00,
    0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x09, 0x4f, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x80, 0xb7, 0x01, 0xdc, 0xc8, 0xa9, 0xa6, 0x70, 0x11, 0x01, 0x00,
};
static const unsigned char empty[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff,
    0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

enum { LIMIT = 1 << 20 };

static void numbers(char out[512]) {
    size_t used = 0;
    for (int k = 0; k < 100; k++) used += (size_t)sprintf(out + used, "%s%d", k ? "," : "", k);
}

static void check_inflates(const unsigned char *bytes, size_t size, const void *expected,
                           size_t expected_size) {
    unsigned char *out;
    size_t out_size;
    spor_message message = {{0}};
    bool done = gzip_inflate(bytes, size, LIMIT, &out, &out_size, &message);
    ck_assert_msg(done, "%s", message.text);
    ck_assert_uint_eq(out_size, expected_size);
    if (expected_size) ck_assert_mem_eq(out, expected, expected_size);
    free(out);
}

static void check_refused(const unsigned char *bytes, size_t size, size_t limit, const char *why) {
    unsigned char *out = (unsigned char *)1;
    size_t out_size;
    spor_message message = {{0}};
    ck_assert(!gzip_inflate(bytes, size, limit, &out, &out_size, &message));
    ck_assert_ptr_null(out);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
}

START_TEST(every_kind_of_block_inflates) {
    char text[512];
    numbers(text);
    static const char zero[70000];
    check_inflates(dynamic_codes, sizeof dynamic_codes, text, strlen(text));
    check_inflates(fixed_codes, sizeof fixed_codes, text, 60);
    check_inflates(stored, sizeof stored, text, 40);
    check_inflates(zeros, sizeof zeros, zero, sizeof zero);
    check_inflates(empty, sizeof empty, "", 0);
}
END_TEST

START_TEST(optional_header_fields_are_skipped) {
    check_inflates(all_header_fields, sizeof all_header_fields, "spor", 4);
}
END_TEST

START_TEST(members_follow_one_another) {
    char text[512];
    unsigned char both[sizeof stored + sizeof all_header_fields + 3] = {0};
    numbers(text);
    memcpy(both, stored, sizeof stored);
    memcpy(both + sizeof stored, all_header_fields, sizeof all_header_fields);
    memcpy(text + 40, "spor", 4);
    check_inflates(both, sizeof both - 3, text, 44);
    check_inflates(both, sizeof both, text, 44); /* padded with zeros, as tapes were */
    both[sizeof both - 1] = 1;
    check_refused(both, sizeof both, LIMIT, "not the start of a gzip member at byte");
}
END_TEST

START_TEST(a_file_cut_anywhere_is_truncated) {
    for (size_t size = 2; size < sizeof dynamic_codes; size++)
        check_refused(dynamic_codes, size, LIMIT, "truncated");
    for (size_t size = 2; size < sizeof all_header_fields; size++)
        check_refused(all_header_fields, size, LIMIT, "truncated");
    for (size_t size = 2; size < sizeof stored; size++)
        check_refused(stored, size, LIMIT, "truncated");
    char place[40];
    snprintf(place, sizeof place, "it ends at byte %d", 50);
    check_refused(dynamic_codes, 50, LIMIT, place);
}
END_TEST

static void check_changed(const unsigned char *bytes, size_t size, size_t at, unsigned char value,
                          const char *why) {
    unsigned char *copy = malloc(size);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, size);
    copy[at] = value;
    check_refused(copy, size, LIMIT, why);
    free(copy);
}

START_TEST(damage_is_named) {
    size_t end = sizeof stored;
    check_changed(stored, end, 0, 0, "not the start of a gzip member at byte 0");
    check_changed(stored, end, 2, 7, "the compression method is not deflate");
    check_changed(stored, end, 3, 0x20, "unknown flags");
    check_changed(stored, end, 10, 7, "not a deflate stream: an unknown kind of block");
    check_changed(stored, end, 11, 39, "not a deflate stream: a stored block's length is wrong");
    check_changed(stored, end, 20, 'x', "the checksum is wrong");
    check_changed(stored, end, end - 8, stored[end - 8] ^ 1, "the checksum is wrong");
    check_changed(stored, end, end - 1, 1, "the length is wrong");
}
END_TEST

START_TEST(output_is_bounded) {
    check_refused(zeros, sizeof zeros, 69999, "more than the limit of 69999 bytes");
    check_refused(stored, sizeof stored, 39, "more than the limit");
    check_refused(dynamic_codes, sizeof dynamic_codes, 0, "more than the limit of 0 bytes");
}
END_TEST

START_TEST(files_are_read_plain_or_inflated) {
    unsigned char *bytes;
    size_t size;
    spor_message message;
    const char *path = scratch_file("plain", "1,2\n", 4);
    ck_assert(gzip_read_file(path, LIMIT, &bytes, &size, &message));
    ck_assert_uint_eq(size, 4);
    ck_assert_mem_eq(bytes, "1,2\n", 4);
    free(bytes);
    path = scratch_file("packed", all_header_fields, sizeof all_header_fields);
    ck_assert(gzip_read_file(path, LIMIT, &bytes, &size, &message));
    ck_assert_uint_eq(size, 4);
    ck_assert_mem_eq(bytes, "spor", 4);
    free(bytes);
    path = scratch_file("cut", stored, 30);
    ck_assert(!gzip_read_file(path, LIMIT, &bytes, &size, &message));
    ck_assert_ptr_null(bytes);
    ck_assert_ptr_nonnull(strstr(message.text, path));
    ck_assert_ptr_nonnull(strstr(message.text, "truncated"));
    ck_assert(!gzip_read_file(scratch_path("absent"), LIMIT, &bytes, &size, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "absent: cannot be opened: No such file"));
    ck_assert(!gzip_read_file(scratch_path(""), LIMIT, &bytes, &size, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "is a folder; data are read from regular files"));
    path = scratch_file("long", "12345", 5);
    ck_assert(!gzip_read_file(path, 4, &bytes, &size, &message));
    ck_assert_ptr_nonnull(strstr(message.text, "longer than the limit of 4 bytes"));
}
END_TEST

/* ---- a deflate stream of every length and distance, written by hand ---- */

typedef struct {
    unsigned char *bytes;
    size_t size;
    int used; /* bits of the last byte */
} bit_writer;

static void put_bits(bit_writer *w, unsigned value, int n) {
    for (int k = 0; k < n; k++, w->used = (w->used + 1) % 8) {
        if (!w->used) w->bytes[w->size++] = 0;
        w->bytes[w->size - 1] |= (unsigned char)((value >> k & 1) << w->used);
    }
}

/* Huffman codes are packed from their highest bit. */
static void put_code(bit_writer *w, unsigned code, int n) {
    for (int k = n - 1; k >= 0; k--) put_bits(w, code >> k, 1);
}

/* Section 3.2.5 of RFC 1951 as arithmetic: from 11 on four symbols share a number of extra bits. */
static void put_length(bit_writer *w, unsigned length) {
    unsigned symbol = 257, base = 3, next = 3;
    int extra = 0;
    for (; length != 258; symbol++, base = next) {
        extra = symbol < 265 ? 0 : (int)(symbol - 261) / 4;
        next = base + (1u << extra);
        if (length < next) break;
    }
    if (length == 258) symbol = 285, extra = 0, base = 258;
    if (symbol < 280)
        put_code(w, symbol - 256, 7);
    else
        put_code(w, 0xc0 + symbol - 280, 8);
    put_bits(w, length - base, extra);
}

static void put_distance(bit_writer *w, unsigned distance) {
    unsigned symbol = 0, base = 1;
    int extra = 0;
    while (distance >= base + (1u << extra)) {
        base += 1u << extra;
        symbol++;
        extra = symbol < 4 ? 0 : (int)symbol / 2 - 1;
    }
    put_code(w, symbol, 5);
    put_bits(w, distance - base, extra);
}

static void put_little(bit_writer *w, uint32_t value) {
    for (int k = 0; k < 4; k++) w->bytes[w->size++] = (unsigned char)(value >> 8 * k & 255);
}

/* CRC-32 by polynomial division, bit by bit. */
static uint32_t checksum(const unsigned char *bytes, size_t size) {
    uint32_t crc = 0xffffffffu;
    for (size_t k = 0; k < 8 * size; k++) {
        uint32_t bit = (crc ^ (uint32_t)(bytes[k / 8] >> k % 8)) & 1;
        crc = crc >> 1 ^ (bit ? 0xedb88320u : 0);
    }
    return ~crc;
}

static void begin_member(bit_writer *w) {
    static const unsigned char header[10] = {0x1f, 0x8b, 8};
    memcpy(w->bytes + w->size, header, sizeof header);
    w->size += sizeof header;
    w->used = 0;
}

/* Lengths 3 to 258; distances 2^k, 3 2^k and one more: where the distance symbols end and begin. */
START_TEST(every_length_and_distance_inflates) {
    enum { WINDOW = 32768, ROOM = 200000 };
    bit_writer w = {.bytes = calloc(ROOM, 1)};
    unsigned char *expected = calloc(ROOM, 1);
    ck_assert(w.bytes && expected);
    begin_member(&w);
    put_bits(&w, 0, 3); /* stored, more to come */
    w.used = 0;
    put_little(&w, (uint32_t)(WINDOW | (0xffff & ~WINDOW) << 16));
    size_t size = WINDOW;
    for (uint32_t k = 0; k < WINDOW; k++) expected[k] = (unsigned char)(k * 2654435761u >> 24);
    memcpy(w.bytes + w.size, expected, size);
    w.size += size;
    put_bits(&w, 3, 3); /* fixed codes, the last block */
    for (unsigned length = 3; length <= 258; length++) {
        unsigned power = 1u << length % 16, half = length % 3 ? power : power + power / 2;
        unsigned distance = half + (length / 16 % 2);
        if (distance > WINDOW) distance = WINDOW;
        put_length(&w, length);
        put_distance(&w, distance);
        for (unsigned k = 0; k < length; k++, size++) expected[size] = expected[size - distance];
    }
    put_code(&w, 0, 7);
    put_little(&w, checksum(expected, size));
    put_little(&w, (uint32_t)size);
    check_inflates(w.bytes, w.size, expected, size);
    free(w.bytes);
    free(expected);
}
END_TEST

START_TEST(a_match_stays_within_its_member) {
    unsigned char bytes[200];
    bit_writer w = {.bytes = bytes, .size = sizeof all_header_fields};
    memcpy(bytes, all_header_fields, sizeof all_header_fields);
    begin_member(&w);
    put_bits(&w, 3, 3);
    put_length(&w, 3);
    put_distance(&w, 1);
    put_code(&w, 0, 7);
    put_little(&w, 0);
    put_little(&w, 3);
    check_refused(bytes, w.size, LIMIT, "a match reaches before the start");
}
END_TEST

/* ---- zlib: the same deflate stream between a head of two bytes and a sum ---- */

static size_t rewrap(const unsigned char *gzip, size_t size, const void *text, size_t length,
                     unsigned char out[512]) {
    const unsigned char *bytes = text;
    uint32_t a = 1, b = 0;
    for (size_t k = 0; k < length; k++) a = (a + bytes[k]) % 65521, b = (b + a) % 65521;
    const unsigned char tail[] = {b >> 8 & 255, b & 255, a >> 8 & 255, a & 255};
    size_t body = size - 18;
    memcpy(out, "\x78\x9c", 2);
    memcpy(out + 2, gzip + 10, body);
    memcpy(out + 2 + body, tail, 4);
    return body + 6;
}

static void check_zlib_refused(const unsigned char *bytes, size_t size, size_t limit,
                               const char *why) {
    unsigned char *out;
    size_t out_size;
    spor_message message = {{0}};
    ck_assert(!zlib_inflate(bytes, size, limit, &out, &out_size, &message));
    ck_assert_ptr_null(out);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
}

static void check_zlib(const unsigned char *gzip, size_t gzip_size, const void *text,
                       size_t length) {
    unsigned char packed[512], *out, head[4];
    size_t size = rewrap(gzip, gzip_size, text, length, packed), out_size;
    ck_assert(zlib_inflate(packed, size, LIMIT, &out, &out_size, NULL));
    ck_assert_uint_eq(out_size, length);
    if (length) ck_assert_mem_eq(out, text, length);
    free(out);
    size_t got = zlib_head(packed, size, head, sizeof head);
    ck_assert_uint_eq(got, length < sizeof head ? length : sizeof head);
    if (got) ck_assert_mem_eq(head, text, got);
    check_zlib_refused(packed, size - 1, LIMIT, "truncated");
    packed[size - 1] ^= 1;
    check_zlib_refused(packed, size, LIMIT, "the checksum is wrong");
    packed[size - 1] ^= 1;
    check_zlib_refused(packed, size + 1, LIMIT, "ends before its bytes do");
    if (length) check_zlib_refused(packed, size, length - 1, "more than the limit");
    packed[0] = 0x79;
    check_zlib_refused(packed, size, LIMIT, "not the start of a zlib stream");
    ck_assert_uint_eq(zlib_head(packed, size, head, sizeof head), 0);
    memcpy(packed, "\x78\xbb", 2);
    check_zlib_refused(packed, size, LIMIT, "a dictionary of its own");
}

START_TEST(zlib_streams_inflate) {
    static const char zero[70000];
    char text[512];
    numbers(text);
    check_zlib(dynamic_codes, sizeof dynamic_codes, text, strlen(text));
    check_zlib(fixed_codes, sizeof fixed_codes, text, 60);
    check_zlib(stored, sizeof stored, text, 40);
    check_zlib(zeros, sizeof zeros, zero, sizeof zero);
    check_zlib(empty, sizeof empty, "", 0);
}
END_TEST

/* ---- what is no file, or too much of one ---- */

static void check_no_file(const char *path, const char *why) {
    unsigned char *bytes = (unsigned char *)1;
    size_t size;
    spor_message message = {{0}};
    ck_assert(!gzip_read_file(path, LIMIT, &bytes, &size, &message));
    ck_assert_ptr_null(bytes);
    ck_assert_msg(strstr(message.text, why) != NULL, "\"%s\" lacks \"%s\"", message.text, why);
    ck_assert(strncmp(message.text, path, strlen(path)) == 0);
}

START_TEST(what_is_no_regular_file_is_refused_unread) {
    check_no_file("/dev/zero", "is a device; data are read from regular files");
    check_no_file(scratch_path(""), "is a folder");
    const char *pipe = scratch_path("pipe");
    ck_assert(mkfifo(pipe, 0600) == 0);
    check_no_file(pipe, "is a pipe"); /* which nobody writes to */
}
END_TEST

/* 70 MB of zeros in 87 kB: 804 for one. */
START_TEST(a_bomb_is_refused) {
    enum { TIMES = 1000 };
    unsigned char *bytes = malloc(TIMES * sizeof zeros);
    unsigned char *out;
    size_t size;
    spor_message message = {{0}};
    ck_assert_ptr_nonnull(bytes);
    for (size_t k = 0; k < TIMES; k++) memcpy(bytes + k * sizeof zeros, zeros, sizeof zeros);
    const char *path = scratch_file("bomb", bytes, TIMES * sizeof zeros);
    ck_assert(!gzip_read_file(path, (size_t)1 << 30, &out, &size, &message));
    ck_assert_msg(strstr(message.text, "bomb: inflates to more than the limit of 67108864") != NULL,
                  "%s", message.text);
    free(bytes);
}
END_TEST

START_TEST(the_head_of_a_file_is_had_alone) {
    unsigned char head[4];
    size_t got, length;
    spor_message message = {{0}};
    const char *path = scratch_file("plain", "12345678", 8);
    ck_assert(file_head(path, 4, head, &got, &length, &message));
    ck_assert(got == 4 && length == 8 && !memcmp(head, "1234", 4));
    path = scratch_file("short", "12", 2);
    ck_assert(file_head(path, 4, head, &got, &length, &message));
    ck_assert(got == 2 && length == 2);
    ck_assert(!file_head("/dev/zero", 4, head, &got, &length, &message));
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("gzip");
    TCase *pure = tcase_create("bytes"), *files = tcase_create("files");
    tcase_add_test(pure, every_kind_of_block_inflates);
    tcase_add_test(pure, optional_header_fields_are_skipped);
    tcase_add_test(pure, members_follow_one_another);
    tcase_add_test(pure, a_file_cut_anywhere_is_truncated);
    tcase_add_test(pure, damage_is_named);
    tcase_add_test(pure, output_is_bounded);
    tcase_add_test(pure, every_length_and_distance_inflates);
    tcase_add_test(pure, a_match_stays_within_its_member);
    tcase_add_test(pure, zlib_streams_inflate);
    tcase_add_checked_fixture(files, scratch_begin, scratch_end);
    tcase_add_test(files, files_are_read_plain_or_inflated);
    tcase_add_test(files, what_is_no_regular_file_is_refused_unread);
    tcase_add_test(files, a_bomb_is_refused);
    tcase_add_test(files, the_head_of_a_file_is_had_alone);
    suite_add_tcase(suite, pure);
    suite_add_tcase(suite, files);
    return suite;
}
