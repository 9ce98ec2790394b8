/*
 * Inflate, RFC 1951, and what it is wrapped in: gzip, RFC 1952, or zlib, RFC 1950.
 *
 * Deflate is a stream of bits, lowest bit of a byte first. A block is stored, or coded with the
 * fixed Huffman codes, or with codes of its own. Codes are canonical: lengths alone determine them.
 */
#include "base/checksum.h"
#include "base/message.h"
#include "data/gzip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const unsigned char *in;
    size_t size, at; /* at: next byte to go into the bits */
    uint64_t bits;   /* read ahead, lowest first */
    int count;       /* of bits */
    unsigned char *out;
    size_t used, room, limit;
    size_t member; /* first output byte of this member: matches reach no further back */
    char why[96];
} inflater;

static bool wrong(inflater *s, const char *why) {
    size_t at = s->at - (size_t)(s->count / 8);
    snprintf(s->why, sizeof s->why, "%s at byte %zu", why, at);
    return false;
}

/* ---- bits ----------------------------------------------------------------------------------- */

enum { MAX_CODE = 15, FAST_CODE = 10, MAX_SYMBOLS = 288 };

static void fill(inflater *s) {
    while (s->count <= 56 && s->at < s->size) {
        s->bits |= (uint64_t)s->in[s->at++] << s->count;
        s->count += 8;
    }
}

static void drop(inflater *s, int n) {
    s->bits >>= n;
    s->count -= n;
}

/* n <= 16 bits as a number. */
static bool take(inflater *s, int n, unsigned *value) {
    if (s->count < n) fill(s);
    if (s->count < n) return wrong(s, "the file is truncated: it ends");
    *value = (unsigned)(s->bits & ((UINT64_C(1) << n) - 1));
    drop(s, n);
    return true;
}

/* ---- output --------------------------------------------------------------------------------- */

static bool make_room(inflater *s, size_t more) {
    if (more <= s->room - s->used) return true;
    if (more > s->limit - s->used) {
        snprintf(s->why, sizeof s->why, "inflates to more than the limit of %zu bytes", s->limit);
        return false;
    }
    size_t room = s->room > s->limit / 2 ? s->limit : 2 * s->room;
    if (room < s->used + more) room = s->used + more;
    unsigned char *out = realloc(s->out, room);
    if (!out) return wrong(s, "out of memory");
    s->out = out;
    s->room = room;
    return true;
}

/* A match may overlap what it writes: then it repeats. */
static bool copy_match(inflater *s, size_t distance, size_t length) {
    if (distance > s->used - s->member)
        return wrong(s, "not a deflate stream: a match reaches before the start,");
    if (!make_room(s, length)) return false;
    unsigned char *to = s->out + s->used;
    const unsigned char *from = to - distance;
    if (distance >= length)
        memcpy(to, from, length);
    else
        for (size_t k = 0; k < length; k++) to[k] = from[k];
    s->used += length;
    return true;
}

/* ---- Huffman codes -------------------------------------------------------------------------- */

typedef struct {
    uint16_t number[MAX_CODE + 1]; /* of codes of each length */
    uint16_t symbol[MAX_SYMBOLS];  /* in the order of their codes */
    uint16_t fast[1 << FAST_CODE]; /* next bits -> symbol << 4 | length; 0: a longer code */
} huffman;

static unsigned reversed(unsigned code, int length) {
    unsigned r = 0;
    for (int k = 0; k < length; k++) r |= (code >> k & 1u) << (length - 1 - k);
    return r;
}

/* Codes that use up all bit patterns, or, as the standard allows, none or one of one bit. */
static bool complete(const huffman *h) {
    int left = 1, used = 0;
    for (int length = 1; length <= MAX_CODE; length++) {
        left = 2 * left - h->number[length];
        used += h->number[length];
        if (left < 0) return false;
    }
    return left == 0 || used == 0 || (used == 1 && h->number[1] == 1);
}

static bool build(huffman *h, const unsigned char length[], int symbols) {
    unsigned first[MAX_CODE + 2] = {0}, place[MAX_CODE + 2] = {0};
    memset(h, 0, sizeof *h);
    for (int k = 0; k < symbols; k++) h->number[length[k]]++;
    h->number[0] = 0;
    if (!complete(h)) return false;
    for (int n = 1; n <= MAX_CODE; n++) {
        first[n + 1] = (first[n] + h->number[n]) << 1;
        place[n + 1] = place[n] + h->number[n];
    }
    for (int k = 0; k < symbols; k++) {
        int n = length[k];
        if (!n) continue;
        h->symbol[place[n]++] = (uint16_t)k;
        unsigned code = reversed(first[n]++, n);
        for (; n <= FAST_CODE && code < 1u << FAST_CODE; code += 1u << n)
            h->fast[code] = (uint16_t)(k << 4 | n);
    }
    return true;
}

/* Walks the canonical code bit by bit: codes of each length are consecutive numbers. */
static bool decode_long(inflater *s, const huffman *h, int *symbol) {
    int code = 0, first = 0, index = 0;
    for (int n = 1; n <= MAX_CODE; n++) {
        if (s->count < n) return wrong(s, "the file is truncated: it ends");
        code = code << 1 | (int)(s->bits >> (n - 1) & 1);
        if (code - first < h->number[n]) {
            *symbol = h->symbol[index + code - first];
            drop(s, n);
            return true;
        }
        index += h->number[n];
        first = (first + h->number[n]) << 1;
    }
    return wrong(s, "not a deflate stream: an unknown code");
}

static bool decode(inflater *s, const huffman *h, int *symbol) {
    if (s->count < MAX_CODE) fill(s);
    unsigned entry = h->fast[s->bits & ((1 << FAST_CODE) - 1)];
    int length = entry & 15;
    if (!entry || length > s->count) return decode_long(s, h, symbol);
    *symbol = (int)(entry >> 4);
    drop(s, length);
    return true;
}

/* ---- blocks --------------------------------------------------------------------------------- */

/* Symbol 257 + k stands for lengths from length_base[k], told apart by length_extra[k] bits. */
static const uint16_t length_base[] = {3,  4,  5,  6,   7,   8,   9,   10,  11, 13,
                                       15, 17, 19, 23,  27,  31,  35,  43,  51, 59,
                                       67, 83, 99, 115, 131, 163, 195, 227, 258};
static const uint8_t length_extra[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                       2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};

/* Distances: 1, 2, 3, 4, then two symbols for each number of extra bits. */
static bool take_distance(inflater *s, int symbol, size_t *distance) {
    if (symbol > 29) return wrong(s, "not a deflate stream: an unknown distance");
    int extra = symbol < 4 ? 0 : symbol / 2 - 1;
    unsigned more;
    if (!take(s, extra, &more)) return false;
    *distance = 1 + more + (symbol < 4 ? (size_t)symbol : (size_t)(2 + (symbol & 1)) << extra);
    return true;
}

static bool coded_block(inflater *s, const huffman *literals, const huffman *distances) {
    enum { END = 256 };
    for (;;) {
        int symbol;
        if (!decode(s, literals, &symbol)) return false;
        if (symbol == END) return true;
        if (symbol < END) {
            if (!make_room(s, 1)) return false;
            s->out[s->used++] = (unsigned char)symbol;
            continue;
        }
        unsigned more;
        size_t distance = 0;
        int k = symbol - 257;
        if (k > 28) return wrong(s, "not a deflate stream: an unknown length");
        if (!take(s, length_extra[k], &more) || !decode(s, distances, &symbol) ||
            !take_distance(s, symbol, &distance) ||
            !copy_match(s, distance, length_base[k] + (size_t)more))
            return false;
    }
}

/* To the next whole byte, giving back what was read ahead. */
static void align(inflater *s) {
    s->at -= (size_t)(s->count / 8);
    s->bits = 0;
    s->count = 0;
}

static bool stored_block(inflater *s) {
    align(s);
    if (s->size - s->at < 4) {
        s->at = s->size;
        return wrong(s, "the file is truncated: it ends");
    }
    const unsigned char *b = s->in + s->at;
    size_t length = (size_t)(b[0] | b[1] << 8), check = (size_t)(b[2] | b[3] << 8);
    if ((length ^ check) != 0xffff)
        return wrong(s, "not a deflate stream: a stored block's length is wrong");
    s->at += 4;
    if (s->size - s->at < length) {
        s->at = s->size;
        return wrong(s, "the file is truncated: it ends");
    }
    if (!make_room(s, length)) return false;
    if (length) memcpy(s->out + s->used, s->in + s->at, length);
    s->at += length;
    s->used += length;
    return true;
}

static bool fixed_block(inflater *s) {
    unsigned char length[MAX_SYMBOLS];
    huffman literals, distances;
    for (int k = 0; k < MAX_SYMBOLS; k++) {
        length[k] = k < 144 ? 8 : k < 256 ? 9 : k < 280 ? 7 : 8;
    }
    build(&literals, length, MAX_SYMBOLS);
    memset(length, 5, 32);
    build(&distances, length, 32);
    return coded_block(s, &literals, &distances);
}

/* Code lengths are themselves coded: 0..15 are lengths, 16 repeats the last one 3-6 times, 17 and
 * 18 stand for 3-10 and 11-138 zeros. */
static bool take_lengths(inflater *s, const huffman *code, unsigned char length[], int total) {
    for (int k = 0; k < total;) {
        int symbol;
        unsigned more = 0;
        if (!decode(s, code, &symbol)) return false;
        if (symbol < 16) {
            length[k++] = (unsigned char)symbol;
            continue;
        }
        if (!take(s, symbol == 16 ? 2 : symbol == 17 ? 3 : 7, &more)) return false;
        int times = (int)more + (symbol == 18 ? 11 : 3);
        if (times > total - k || (symbol == 16 && k == 0))
            return wrong(s, "not a deflate stream: code lengths run over");
        memset(length + k, symbol == 16 ? length[k - 1] : 0, (size_t)times);
        k += times;
    }
    return true;
}

static bool dynamic_block(inflater *s) {
    static const unsigned char order[19] = {16, 17, 18, 0, 8,  7, 9,  6, 10, 5,
                                            11, 4,  12, 3, 13, 2, 14, 1, 15};
    unsigned literal_codes, distance_codes, length_codes;
    if (!take(s, 5, &literal_codes) || !take(s, 5, &distance_codes) || !take(s, 4, &length_codes))
        return false;
    int n = (int)literal_codes + 257, m = (int)distance_codes + 1;
    if (n > 286) return wrong(s, "not a deflate stream: too many codes");
    unsigned char length[MAX_SYMBOLS + 32] = {0};
    for (unsigned k = 0; k < length_codes + 4; k++) {
        unsigned value;
        if (!take(s, 3, &value)) return false;
        length[order[k]] = (unsigned char)value;
    }
    huffman lengths, literals, distances;
    if (!build(&lengths, length, 19))
        return wrong(s, "not a deflate stream: the codes of the lengths are not a code");
    memset(length, 0, sizeof length);
    if (!take_lengths(s, &lengths, length, n + m)) return false;
    if (!length[256] || !build(&literals, length, n) || !build(&distances, length + n, m))
        return wrong(s, "not a deflate stream: the lengths are not those of a code");
    return coded_block(s, &literals, &distances);
}

static bool blocks(inflater *s) {
    unsigned last, kind;
    do {
        if (!take(s, 1, &last) || !take(s, 2, &kind)) return false;
        bool done = kind == 0   ? stored_block(s)
                    : kind == 1 ? fixed_block(s)
                    : kind == 2 ? dynamic_block(s)
                                : wrong(s, "not a deflate stream: an unknown kind of block");
        if (!done) return false;
    } while (!last);
    align(s);
    return true;
}

/* ---- gzip ----------------------------------------------------------------------------------- */

static uint32_t little32(const unsigned char *b) {
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static bool skip(inflater *s, size_t n) {
    if (s->size - s->at < n) {
        s->at = s->size;
        return wrong(s, "the file is truncated: it ends");
    }
    s->at += n;
    return true;
}

static bool skip_text(inflater *s) {
    const unsigned char *end = memchr(s->in + s->at, 0, s->size - s->at);
    return skip(s, end ? (size_t)(end - s->in) - s->at + 1 : SIZE_MAX);
}

static bool header(inflater *s) {
    enum { CRC = 2, EXTRA = 4, NAME = 8, COMMENT = 16, UNKNOWN = 0xe0 };
    const unsigned char *b = s->in + s->at;
    if (!gzip_recognize(b, s->size - s->at)) return wrong(s, "not the start of a gzip member");
    if (!skip(s, 10)) return false;
    if (b[2] != 8) return wrong(s, "the compression method is not deflate");
    if (b[3] & UNKNOWN) return wrong(s, "unknown flags in the gzip header");
    if (b[3] & EXTRA) {
        const unsigned char *length = s->in + s->at;
        if (!skip(s, 2) || !skip(s, (size_t)(length[0] | length[1] << 8))) return false;
    }
    if (b[3] & NAME && !skip_text(s)) return false;
    if (b[3] & COMMENT && !skip_text(s)) return false;
    return !(b[3] & CRC) || skip(s, 2);
}

static bool member(inflater *s) {
    s->member = s->used;
    if (!header(s) || !blocks(s)) return false;
    const unsigned char *tail = s->in + s->at;
    if (!skip(s, 8)) return false;
    size_t size = s->used - s->member;
    if (little32(tail) != checksum_crc32(s->out + s->member, size))
        return wrong(s, "the checksum is wrong: the data are damaged; member ends");
    if (little32(tail + 4) != (uint32_t)(size & 0xffffffffu))
        return wrong(s, "the length is wrong: the data are damaged; member ends");
    return true;
}

/* ---- zlib ----------------------------------------------------------------------------------- */

static bool zlib_header(inflater *s) {
    enum { METHOD = 15, DEFLATE = 8, DICTIONARY = 0x20 };
    const unsigned char *b = s->in + s->at;
    if (!skip(s, 2)) return false;
    if ((b[0] & METHOD) != DEFLATE || (b[0] << 8 | b[1]) % 31 != 0)
        return wrong(s, "not the start of a zlib stream");
    return !(b[1] & DICTIONARY) || wrong(s, "a zlib stream with a dictionary of its own");
}

static bool zlib_stream(inflater *s) {
    if (!zlib_header(s) || !blocks(s)) return false;
    const unsigned char *tail = s->in + s->at;
    if (!skip(s, 4)) return false;
    uint32_t sum =
        (uint32_t)tail[0] << 24 | (uint32_t)tail[1] << 16 | (uint32_t)tail[2] << 8 | tail[3];
    if (sum != checksum_adler32(s->out, s->used))
        return wrong(s, "the checksum is wrong: the data are damaged; the stream ends");
    return s->at == s->size || wrong(s, "the stream ends before its bytes do,");
}

/* ---- all of it ------------------------------------------------------------------------------ */

static bool only_zeros(const unsigned char *bytes, size_t size) {
    for (size_t k = 0; k < size; k++)
        if (bytes[k]) return false;
    return true;
}

bool gzip_recognize(const unsigned char *bytes, size_t size) {
    return size >= 2 && bytes[0] == 0x1f && bytes[1] == 0x8b;
}

static bool members(inflater *s) {
    do {
        if (!member(s)) return false;
    } while (!only_zeros(s->in + s->at, s->size - s->at));
    return true;
}

static bool inflate_all(bool (*unwrap)(inflater *), const unsigned char *bytes, size_t size,
                        size_t limit, unsigned char **out, size_t *out_size,
                        spor_message *message) {
    inflater s = {.in = bytes, .size = size, .limit = limit};
    *out = NULL;
    *out_size = 0;
    s.room = size < limit / 4 ? 4 * size + 1 : limit;
    s.out = malloc(s.room ? s.room : 1);
    if (!(s.out ? unwrap(&s) : wrong(&s, "out of memory"))) {
        free(s.out);
        return message_complain(message, "%s", s.why);
    }
    *out = s.out;
    *out_size = s.used;
    return true;
}

bool gzip_inflate(const unsigned char *bytes, size_t size, size_t limit, unsigned char **out,
                  size_t *out_size, spor_message *message) {
    return inflate_all(members, bytes, size, limit, out, out_size, message);
}

bool zlib_inflate(const unsigned char *bytes, size_t size, size_t limit, unsigned char **out,
                  size_t *out_size, spor_message *message) {
    return inflate_all(zlib_stream, bytes, size, limit, out, out_size, message);
}

static bool deflate_stream(inflater *s) {
    return blocks(s) && (s->at == s->size || wrong(s, "the stream ends before its bytes do,"));
}

bool deflate_inflate(const unsigned char *bytes, size_t size, size_t limit, unsigned char **out,
                     size_t *out_size, spor_message *message) {
    return inflate_all(deflate_stream, bytes, size, limit, out, out_size, message);
}

/* A stored block comes in one piece of less than 2^16 bytes, so that what is wanted is there before
 * the limit is met. */
static size_t peek(bool (*begin)(inflater *), const unsigned char *bytes, size_t size,
                   unsigned char head[], size_t most) {
    inflater s = {.in = bytes, .size = size, .limit = most + (1 << 16)};
    if (begin(&s)) blocks(&s);
    size_t got = s.used < most ? s.used : most;
    if (got) memcpy(head, s.out, got);
    free(s.out);
    return got;
}

size_t zlib_head(const unsigned char *bytes, size_t size, unsigned char head[], size_t most) {
    return peek(zlib_header, bytes, size, head, most);
}

bool gzip_could_hold(size_t size, size_t inflated) {
    return inflated / 1032 <= size;
}

static bool at_path(const char *path, const spor_message *why, spor_message *message) {
    return message_complain(message, "%s: %.900s", path, why->text);
}

bool gzip_read_file(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                    spor_message *message) {
    enum { RATIO = 256 };
    const size_t harmless = (size_t)64 << 20;
    if (!file_bytes(path, limit, bytes, size, message)) return false;
    if (!gzip_recognize(*bytes, *size)) return true;
    spor_message why = {0};
    unsigned char *packed = *bytes;
    size_t most = *size > limit / RATIO ? limit : *size * RATIO;
    if (most < harmless) most = harmless < limit ? harmless : limit;
    bool done = gzip_inflate(packed, *size, most, bytes, size, &why);
    free(packed);
    return done || at_path(path, &why, message);
}

/* Of a gzip file: its first bytes are those of what it holds. */
static bool inflate_stated(const char *path, file_stated *stated, unsigned char **bytes,
                           size_t *size, spor_message *message) {
    unsigned char head[FILE_HEAD], *packed = NULL;
    spor_message why = {0};
    if (!file_bytes(path, SPOR_FILE_LIMIT, &packed, size, message)) return false;
    size_t packed_size = *size;
    size_t got = peek(header, packed, packed_size, head, sizeof head);
    size_t length = got ? stated(head, got, &why) : SPOR_FILE_LIMIT; /* inflating tells why not */
    bool done =
        length && (!got || gzip_could_hold(packed_size, length) ||
                   message_complain(&why, "cannot hold the %zu bytes that it states", length));
    done = done && gzip_inflate(packed, packed_size, length, bytes, size, &why) &&
           (*size == length ||
            message_complain(&why, "holds %zu bytes where it states %zu", *size, length));
    free(packed);
    return done || at_path(path, &why, message);
}

bool gzip_read_stated(const char *path, file_stated *stated, unsigned char **bytes, size_t *size,
                      spor_message *message) {
    unsigned char head[FILE_HEAD];
    size_t got, length;
    spor_message why = {0};
    *bytes = NULL;
    *size = 0;
    if (!file_head(path, sizeof head, head, &got, &length, message)) return false;
    if (gzip_recognize(head, got)) return inflate_stated(path, stated, bytes, size, message);
    size_t states = stated(head, got, &why);
    if (states && length == states) return file_bytes(path, states, bytes, size, message);
    if (states)
        message_complain(&why, "is %zu bytes long where its header states %zu", length, states);
    return at_path(path, &why, message);
}
