/*
 * Random numbers as functions of a key: no state, so any of them can be drawn alone and again.
 */
#ifndef SPOR_BASE_RANDOM_H
#define SPOR_BASE_RANDOM_H

#include <stdint.h>

/** What tells a, b and the seed apart, and a finaliser with full avalanche: the constants of splitmix64
 *  (Steele, Lea, Flood 2014). z: a variable of 64 bits, unsigned, or a vector of such. */
#define RANDOM_GOLDEN UINT64_C(0x9e3779b97f4a7c15)
#define RANDOM_MIX(z)                                                                              \
    ((z) = ((z) ^ ((z) >> 30)) * UINT64_C(0xbf58476d1ce4e5b9),                                     \
     (z) = ((z) ^ ((z) >> 27)) * UINT64_C(0x94d049bb133111eb), (z) ^= (z) >> 31)

/** 64 well-mixed bits of (seed, a, b): the seed, a and b are mixed in one after the other. */
uint64_t random_hash(uint64_t seed, uint64_t a, uint64_t b);
/** 64 well-mixed bits of (seed, text). */
uint64_t random_hash_text(uint64_t seed, const char *text);
/** U[0, 1) with 53 bits, of (seed, a, b). */
double random_uniform(uint64_t seed, uint64_t a, uint64_t b);
/** N(0, 1) of (seed, a), by Box and Muller. */
double random_gaussian(uint64_t seed, uint64_t a);
/** A random order of 0 .. count-1 (Fisher and Yates), a function of the seed. */
void random_shuffle(uint64_t seed, int64_t count, int64_t order[]);

#endif
