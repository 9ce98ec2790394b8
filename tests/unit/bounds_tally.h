/* Numbers with bounds held against exact ones, and the points at which they are. */
#ifndef SPOR_TESTS_BOUNDS_TALLY_H
#define SPOR_TESTS_BOUNDS_TALLY_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "../support/exact.h"
#include "base/random.h"

/* What a check found. Loose: log2(bound / largest error), summed over draws that are off. */
typedef struct {
    int64_t examined, exceeded, off;
    double loose;
    char first[400]; /* the first that was exceeded */
} tally;

/* The result was v and may be off by `bound`; the truth is t. By how much it is off. */
static double count(tally *to, const char *what, int word, double v, double bound, exact t) {
    exact off = exact_abs(exact_sub(t, (exact){v, 0}));
    exact spare = exact_sub((exact){bound, 0}, off);
    to->examined++;
    if (spare.hi >= 0) return off.hi;
    if (!to->exceeded++)
        snprintf(to->first, sizeof to->first, "%s %d: %.17g within %.3g, but off by %.3g", what,
                 word, v, bound, off.hi);
    return off.hi;
}

/* Of all points of one draw the largest error was `most`. */
static void count_loose(tally *to, double bound, double most) {
    if (!(most > 0x1p-900)) return;
    to->off++;
    to->loose += log2(bound / most);
}

/* Point k of -1 .. 1: for two coordinates in turn their ends first, then anything. */
static double place(uint64_t k, int coordinate, uint64_t bits) {
    if (k < 4) return k >> coordinate & 1 ? 1 : -1;
    return 2 * (double)(random_hash(bits, k, (uint64_t)coordinate) >> 11) * 0x1p-53 - 1;
}

#endif
