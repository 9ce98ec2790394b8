#include "base/checksum.h"

/* Little-endian, so that it is the same number on every machine. */
static uint64_t word_at(const unsigned char *bytes, size_t size) {
    uint64_t word = 0;
    for (size_t k = 0; k < size; k++) word |= (uint64_t)bytes[k] << 8 * k;
    return word;
}

/* For a given word one to one in the sum, and the other way round: what differs stays different. The
 * constants are those of splitmix64 and of 2^64 over the golden ratio. */
static uint64_t add_word(uint64_t sum, uint64_t word) {
    sum = (sum ^ word) * UINT64_C(0xbf58476d1ce4e5b9) + UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 29;
}

uint64_t checksum_add(uint64_t before, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    size_t whole = size - size % 8;
    uint64_t sum = add_word(before, size);
    for (size_t k = 0; k < whole; k += 8) sum = add_word(sum, word_at(at + k, 8));
    return size > whole ? add_word(sum, word_at(at + whole, size - whole)) : sum;
}

/* The reversed polynomial 0xedb88320, a byte at a time. */
uint32_t checksum_crc32(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    uint32_t table[256], crc = 0xffffffffu;
    for (uint32_t k = 0; k < 256; k++) {
        uint32_t c = k;
        for (int bit = 0; bit < 8; bit++) c = c >> 1 ^ (0xedb88320u & (0u - (c & 1u)));
        table[k] = c;
    }
    for (size_t k = 0; k < size; k++) crc = crc >> 8 ^ table[(crc ^ at[k]) & 255];
    return ~crc;
}

/* Two sums modulo 65521; 5552 bytes do not overflow them. */
uint32_t checksum_adler32(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    uint32_t a = 1, b = 0;
    while (size) {
        size_t piece = size < 5552 ? size : 5552;
        size -= piece;
        for (; piece; piece--) b += a += *at++;
        a %= 65521;
        b %= 65521;
    }
    return b << 16 | a;
}
