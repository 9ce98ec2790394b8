/*
 * Seeded permutations.
 */
#ifndef SPOR_DATA_SHUFFLE_H
#define SPOR_DATA_SHUFFLE_H

#include <stdint.h>

/** Puts the rows into an order that is a function of seed and stream, each order equally likely. */
void spor_shuffle(int64_t rows[], int64_t count, uint64_t seed, uint64_t stream);

#endif
