#include "xml.h"

#include <check.h>
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/plain.h"
#include "data/gzip.h"
#include "data/text.h"

enum { DEPTH = 64, NAME = 32 };

typedef struct {
    const char *text, *at;
    char open[DEPTH][NAME];
    int depth;
} reader;

#define FAIL(r, what)                                                                              \
    ck_abort_msg("%s at byte %zu: %.120s", what, (size_t)((r)->at - (r)->text), (r)->at)

static bool begins(const char *text, const char *with) {
    return !strncmp(text, with, strlen(with));
}

static void read_entity(reader *r) {
    static const char *const known[] = {"&amp;", "&lt;", "&gt;", "&quot;"};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (begins(r->at, known[k])) {
            r->at += strlen(known[k]);
            return;
        }
    FAIL(r, "an unknown entity");
}

static void read_character(reader *r) {
    int length = utf8_length(r->at);
    if (*r->at == '&') {
        read_entity(r);
        return;
    }
    if (!length) FAIL(r, "no UTF-8");
    if (((unsigned char)*r->at < ' ' && !strchr("\n\t", *r->at)) || *r->at == 127)
        FAIL(r, "a control character");
    r->at += length;
}

static void read_name(reader *r, char name[NAME]) {
    size_t length = 0;
    while (length + 1 < NAME && (isalnum((unsigned char)*r->at) || strchr("-:_!", *r->at)) &&
           *r->at)
        name[length++] = *r->at++;
    name[length] = 0;
    if (!length) FAIL(r, "no name");
}

/* name="value", or name alone. */
static void read_attribute(reader *r) {
    char name[NAME];
    read_name(r, name);
    if (*r->at != '=') return;
    if (r->at[1] != '"') FAIL(r, "a value without quotes");
    for (r->at += 2; *r->at != '"';) {
        if (*r->at == '<') FAIL(r, "< in an attribute");
        read_character(r);
    }
    r->at++;
}

static void read_tag(reader *r) {
    char name[NAME];
    bool closes = r->at[1] == '/';
    r->at += closes ? 2 : 1;
    read_name(r, name);
    while (*r->at == ' ') {
        r->at++;
        read_attribute(r);
    }
    bool empty = *r->at == '/';
    r->at += empty;
    if (*r->at++ != '>') FAIL(r, "a tag without an end");
    if (closes && (!r->depth || strcmp(r->open[--r->depth], name) != 0))
        FAIL(r, "the wrong end tag");
    if (closes || empty || !strcmp(name, "!doctype") || !strcmp(name, "meta")) return;
    if (r->depth == DEPTH) FAIL(r, "too deep");
    strcpy(r->open[r->depth++], name);
}

void xml_check(const char *text, size_t size) {
    reader r = {.text = text, .at = text};
    ck_assert_uint_eq(strlen(text), size);
    while (*r.at)
        if (*r.at == '<')
            read_tag(&r);
        else
            read_character(&r);
    if (r.depth) FAIL(&r, r.open[r.depth - 1]);
}

/* ---- pictures -------------------------------------------------------------------------------- */

static uint32_t big32(const unsigned char *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static unsigned char *decode_base64(const char *text, size_t length, size_t *size) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char *bytes = malloc(length + 4);
    *size = 0;
    ck_assert_uint_eq(length % 4, 0);
    for (size_t k = 0; k < length; k += 4) {
        uint32_t word = 0;
        int missing = 0;
        for (size_t i = 0; i < 4; i++) {
            const char *at = text[k + i] == '=' ? NULL : strchr(digit, text[k + i]);
            if (!at && !(text[k + i] == '=' && k + 4 == length && i > 1))
                ck_abort_msg("no base64 at character %zu", k + i);
            missing += !at;
            word = word << 6 | (at ? (uint32_t)(at - digit) : 0);
        }
        for (int i = 0; i < 3 - missing; i++)
            bytes[(*size)++] = (unsigned char)(word >> (16 - 8 * i));
    }
    return bytes;
}

/* The content of the chunk at *at, which has this name; *at is put behind it. */
static const unsigned char *chunk(const unsigned char **at, const unsigned char *end,
                                  const char *name, size_t *size) {
    const unsigned char *start = *at;
    ck_assert_int_ge(end - start, 12);
    *size = big32(start);
    ck_assert_uint_ge((size_t)(end - start), *size + 12);
    ck_assert_mem_eq(start + 4, name, 4);
    ck_assert_uint_eq(big32(start + 8 + *size), checksum_crc32(start + 4, *size + 4));
    *at = start + 12 + *size;
    return start + 8;
}

static void decode_png(const unsigned char *bytes, size_t size, xml_picture *picture) {
    const unsigned char *at = bytes + 8, *end = bytes + size;
    unsigned char *raw;
    size_t length, got;
    spor_message message = {""};
    ck_assert_mem_eq(bytes, "\x89PNG\r\n\x1a\n", 8);
    const unsigned char *head = chunk(&at, end, "IHDR", &length);
    ck_assert_mem_eq(head + 8, "\x08\x02\0\0", 5);
    picture->width = (int)big32(head), picture->height = (int)big32(head + 4);
    const unsigned char *data = chunk(&at, end, "IDAT", &length);
    ck_assert_msg(zlib_inflate(data, length, 1 << 24, &raw, &got, &message), "%s", message.text);
    size_t row = 3 * (size_t)picture->width;
    ck_assert_uint_eq(got, (row + 1) * (size_t)picture->height);
    picture->pixel = malloc(row * (size_t)picture->height);
    for (size_t k = 0; k < (size_t)picture->height; k++) {
        if (raw[k * (row + 1)]) ck_abort_msg("row %zu is filtered", k);
        memcpy(picture->pixel + k * row, raw + k * (row + 1) + 1, row);
    }
    chunk(&at, end, "IEND", &length);
    ck_assert(at == end && !length);
    free(raw);
}

const char *xml_next_picture(const char *at, xml_picture *picture) {
    static const char key[] = "href=\"data:image/png;base64,";
    size_t size;
    at = strstr(at, key);
    if (!at) return NULL;
    at += sizeof key - 1;
    size_t length = strcspn(at, "\"");
    unsigned char *bytes = decode_base64(at, length, &size);
    decode_png(bytes, size, picture);
    free(bytes);
    return at + length;
}
