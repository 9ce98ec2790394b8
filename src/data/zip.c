/*
 * ZIP (PKWARE APPNOTE 6.3): members one behind the other, each with a header of its own; behind them the
 * directory, 46 bytes and a name for each; behind that its end, 22 bytes and a comment. Numbers are
 * little-endian. What the directory says counts: a member's own header may leave its lengths out.
 */
#include "data/zip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/checksum.h"
#include "base/message.h"
#include "data/gzip.h"

enum { LOCAL = 30, ENTRY = 46, END = 22, COMMENT = 65535, NAME_SIZE = 256 };
enum { STORED = 0, DEFLATED = 8 };

typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t size, limit; /* limit: of what is left to be unpacked */
    spor_message *message;
} zip_file;

typedef struct {
    char name[NAME_SIZE];
    unsigned flags, method;
    uint32_t checksum;
    size_t packed, unpacked, at; /* at: its own header */
} zip_member;

static unsigned two(const unsigned char *b) {
    return (unsigned)(b[0] | b[1] << 8);
}

static uint32_t four(const unsigned char *b) {
    return two(b) | (uint32_t)two(b + 2) << 16;
}

static bool damaged(const zip_file *z, const char *what) {
    return message_complain(z->message, "%s: this .zip or .npz file is damaged: %s", z->path, what);
}

/* ---- the directory -------------------------------------------------------------------------- */

bool zip_recognize(const unsigned char *bytes, size_t size) {
    return size >= 4 && bytes[0] == 'P' && bytes[1] == 'K' &&
           ((bytes[2] == 3 && bytes[3] == 4) || (bytes[2] == 5 && bytes[3] == 6));
}

/* The end of the directory; NULL if there is none. A comment may follow it. */
static const unsigned char *find_end(const zip_file *z) {
    for (size_t back = END; back <= z->size && back <= END + COMMENT; back++) {
        const unsigned char *b = z->bytes + z->size - back;
        if (!memcmp(b, "PK\5\6", 4) && two(b + 20) == back - END) return b;
    }
    return NULL;
}

/* Reads the entry at `at` and goes behind it. */
static bool read_entry(const zip_file *z, size_t *at, zip_member *m) {
    const unsigned char *b = z->bytes + *at;
    if (z->size - *at < ENTRY || memcmp(b, "PK\1\2", 4) != 0)
        return damaged(z, "its directory has too few members");
    size_t name = two(b + 28), length = ENTRY + name + two(b + 30) + two(b + 32);
    if (z->size - *at < length) return damaged(z, "its directory is cut off");
    if (!name || name >= NAME_SIZE || memchr(b + ENTRY, 0, name))
        return damaged(z, "a name is none, or longer than 255 bytes");
    *m = (zip_member){.flags = two(b + 8),
                      .method = two(b + 10),
                      .checksum = four(b + 16),
                      .packed = four(b + 20),
                      .unpacked = four(b + 24),
                      .at = four(b + 42)};
    memcpy(m->name, b + ENTRY, name);
    *at += length;
    return true;
}

/* ---- a member ------------------------------------------------------------------------------- */

/* Its packed bytes; NULL after a complaint. */
static const unsigned char *packed_of(const zip_file *z, const zip_member *m) {
    const unsigned char *b = z->bytes + m->at;
    if (m->at > z->size || z->size - m->at < LOCAL || memcmp(b, "PK\3\4", 4) != 0)
        return damaged(z, "a member is not where its directory says"), NULL;
    size_t head = LOCAL + (size_t)two(b + 26) + two(b + 28);
    if (z->size - m->at < head || z->size - m->at - head < m->packed)
        return damaged(z, "a member is cut off"), NULL;
    return b + head;
}

/* What can't be unpacked, and why. */
static bool refuse(const zip_file *z, const zip_member *m) {
    enum { ENCRYPTED = 1 };
    if (m->flags & ENCRYPTED)
        return message_complain(z->message, "%s: %s is encrypted", z->path, m->name);
    if (m->packed == UINT32_MAX || m->unpacked == UINT32_MAX || m->at == UINT32_MAX)
        return message_complain(z->message, "%s: %s is larger than 4 GB", z->path, m->name);
    if (m->method != STORED && m->method != DEFLATED)
        return message_complain(z->message,
                                "%s: %s is packed by method %u; stored and deflated members can "
                                "be read, as numpy.savez and savez_compressed write them",
                                z->path, m->name, m->method);
    if (m->unpacked > z->limit)
        return message_complain(z->message, "%s: holds more than can be read at once", z->path);
    if (m->method == STORED && m->packed != m->unpacked)
        return damaged(z, "the two lengths of a stored member differ");
    return gzip_could_hold(m->packed, m->unpacked) ||
           message_complain(z->message, "%s: %s cannot hold the %zu bytes that it states", z->path,
                            m->name, m->unpacked);
}

static bool tell_bytes(const zip_file *z, const zip_member *m, const unsigned char *bytes,
                       size_t size, zip_on_member *on_member, void *user) {
    if (size != m->unpacked || checksum_crc32(bytes, size) != m->checksum)
        return message_complain(z->message, "%s: %s is damaged: its checksum is wrong", z->path,
                                m->name);
    return on_member(m->name, bytes, size, user);
}

static bool tell_member(zip_file *z, const zip_member *m, zip_on_member *on_member, void *user) {
    unsigned char *out;
    size_t size;
    spor_message why = {{0}};
    const unsigned char *packed = refuse(z, m) ? packed_of(z, m) : NULL;
    if (!packed) return false;
    z->limit -= m->unpacked;
    if (m->method == STORED) return tell_bytes(z, m, packed, m->packed, on_member, user);
    if (!deflate_inflate(packed, m->packed, m->unpacked, &out, &size, &why))
        return message_complain(z->message, "%s: %s: %.600s", z->path, m->name, why.text);
    bool done = tell_bytes(z, m, out, size, on_member, user);
    free(out);
    return done;
}

bool zip_each(const char *path, const unsigned char *bytes, size_t size, size_t limit,
              zip_on_member *on_member, void *user, spor_message *message) {
    zip_file z = {.path = path, .bytes = bytes, .size = size, .limit = limit, .message = message};
    const unsigned char *end = find_end(&z);
    if (!end) return damaged(&z, "it does not end in a directory, so it may be cut off");
    unsigned members = two(end + 10);
    size_t at = four(end + 16);
    if (members == UINT16_MAX || at == UINT32_MAX)
        return message_complain(message, "%s: is larger than 4 GB or has 65535 members", path);
    if (at > size) return damaged(&z, "its directory is not where its end says");
    for (unsigned k = 0; k < members; k++) {
        zip_member m;
        if (!read_entry(&z, &at, &m) || !tell_member(&z, &m, on_member, user)) return false;
    }
    return true;
}

/* ---- writing -------------------------------------------------------------------------------- */

static void put(spor_text *text, uint64_t number, int bytes) {
    for (int k = 0; k < bytes; k++) text_bytes(text, &(char){(char)(number >> 8 * k & 255)}, 1);
}

/* What both headers have: version 2.0, no flags, stored, the first day there is, checksum, lengths. */
static void put_common(spor_text *text, const char *name, const void *bytes, size_t size) {
    static const unsigned first_day = 1 << 5 | 1;
    put(text, 20, 2);
    put(text, 0, 2);
    put(text, STORED, 2);
    put(text, 0, 2);
    put(text, first_day, 2);
    put(text, checksum_crc32(bytes, size), 4);
    put(text, size, 4);
    put(text, size, 4);
    put(text, strlen(name), 2);
    put(text, 0, 2);
}

void zip_add(zip_writer *w, const char *name, const void *bytes, size_t size) {
    size_t at = w->text->size;
    w->text->failed = w->text->failed || size >= UINT32_MAX - at;
    text_bytes(w->text, "PK\3\4", 4);
    put_common(w->text, name, bytes, size);
    text_bytes(w->text, name, strlen(name));
    text_bytes(w->text, bytes, size);
    text_bytes(&w->directory, "PK\1\2", 4);
    put(&w->directory, 20, 2);
    put_common(&w->directory, name, bytes, size);
    put(&w->directory, 0, 2 + 2 + 2); /* comment, disk, attributes */
    put(&w->directory, 0, 4);
    put(&w->directory, at, 4);
    text_bytes(&w->directory, name, strlen(name));
    w->members++;
}

void zip_end(zip_writer *w) {
    size_t at = w->text->size, size = w->directory.size;
    w->text->failed = w->text->failed || w->directory.failed || size >= UINT32_MAX - at;
    text_bytes(w->text, w->directory.at, w->text->failed ? 0 : size);
    text_bytes(w->text, "PK\5\6", 4);
    put(w->text, 0, 4);
    put(w->text, w->members, 2);
    put(w->text, w->members, 2);
    put(w->text, size, 4);
    put(w->text, at, 4);
    put(w->text, 0, 2);
    text_free(&w->directory);
}
