/*
 * Sizes in bytes that never overflow: what is more than can be addressed becomes BYTES_MOST, which
 * no allocation gives.
 */
#ifndef SPOR_BASE_BYTES_H
#define SPOR_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { BYTES_LINE = 64 }; /* of the cache: buffers start on one */

/** The last whole line below half of all addresses. */
#define BYTES_MOST (SIZE_MAX / 2 / BYTES_LINE * BYTES_LINE)

/** Of two arrays together. */
static inline size_t bytes_sum(size_t a, size_t b) {
    size_t sum;
    return __builtin_add_overflow(a, b, &sum) || sum > BYTES_MOST ? BYTES_MOST : sum;
}

/** Of count elements; count >= 0. */
static inline size_t bytes_for(int64_t count, size_t each) {
    size_t bytes;
    return __builtin_mul_overflow(count, each, &bytes) || bytes > BYTES_MOST ? BYTES_MOST : bytes;
}

/** "64.8 GB", for messages. */
static inline const char *bytes_text(size_t bytes, char text[24]) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB", "PB", "EB"};
    double size = (double)bytes;
    int unit = 0;
    for (; size >= 1000 && unit < 6; unit++) size /= 1000;
    snprintf(text, 24, "%.*f %s", unit ? 1 : 0, size, units[unit]);
    return text;
}

/** Rounded up to whole lines. */
static inline size_t bytes_lines(size_t bytes) {
    return bytes_sum(bytes, BYTES_LINE - 1) / BYTES_LINE * BYTES_LINE;
}

#endif
