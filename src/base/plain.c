#include "base/plain.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

int utf8_length(const char *text) {
    const unsigned char *s = (const unsigned char *)text;
    int length = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
    if (s[0] > 0xf4) return 0;
    for (int k = 1; k < length; k++)
        if ((s[k] & 0xc0) != 0x80) return 0;
    if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)) return 0;
    if ((s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f)) return 0;
    return length;
}

/* How long the character is that begins with this byte, or would be. */
static size_t promised(char first) {
    unsigned char byte = (unsigned char)first;
    return byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/* The character of a sequence of this length. */
static uint32_t decode(const char *s, int length) {
    static const unsigned char bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)s[0] & bits[length];
    for (int k = 1; k < length; k++) c = c << 6 | ((unsigned char)s[k] & 0x3f);
    return c;
}

/* First and last of those that are obeyed, in order. Tab and line end stand between the first two. */
static bool is_obeyed(uint32_t c) {
    static const struct {
        uint32_t first, last;
    } obeyed[] = {
        {0x00, 0x08},     {0x0b, 0x1f},     {0x7f, 0x9f}, /* C0, DEL, C1 */
        {0x061c, 0x061c}, {0x200e, 0x200f},               /* marks of direction */
        {0x2028, 0x2029},                                 /* line and paragraph separators */
        {0x202a, 0x202e}, {0x2066, 0x2069},               /* embeddings, overrides, isolates */
    };
    for (size_t k = 0; k < sizeof obeyed / sizeof *obeyed; k++)
        if (c <= obeyed[k].last) return c >= obeyed[k].first;
    return false;
}

size_t plain_bytes(char *bytes, size_t size, size_t *rest) {
    size_t at = 0, to = 0;
    while (at < size && !(rest && promised(bytes[at]) > size - at)) {
        int length = utf8_length(bytes + at);
        if (length && !is_obeyed(decode(bytes + at, length))) {
            memmove(bytes + to, bytes + at, (size_t)length);
            to += (size_t)length;
        } else {
            bytes[to++] = '?';
        }
        at += length ? (size_t)length : 1;
    }
    if (rest) memmove(bytes + to, bytes + at, *rest = size - at);
    return to;
}

void plain_text(char *text) {
    text[plain_bytes(text, strlen(text), NULL)] = 0;
}
