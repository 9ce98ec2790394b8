#include "base/random.h"

#include <math.h>

static uint64_t mix(uint64_t z) {
    RANDOM_MIX(z);
    return z;
}

static const uint64_t golden = RANDOM_GOLDEN;

uint64_t random_hash(uint64_t seed, uint64_t a, uint64_t b) {
    return mix(mix(mix(seed + golden) ^ (a + golden)) ^ (b + 2 * golden));
}

uint64_t random_hash_text(uint64_t seed, const char *text) {
    uint64_t hash = mix(seed + golden);
    for (; *text; text++) hash = mix(hash ^ (unsigned char)*text) + golden;
    return mix(hash);
}

double random_uniform(uint64_t seed, uint64_t a, uint64_t b) {
    return (double)(random_hash(seed, a, b) >> 11) * 0x1p-53;
}

double random_gaussian(uint64_t seed, uint64_t a) {
    const double two_pi = 6.283185307179586;
    double radius = sqrt(-2 * log(1 - random_uniform(seed, a, 0)));
    return radius * cos(two_pi * random_uniform(seed, a, 1));
}

void random_shuffle(uint64_t seed, int64_t count, int64_t order[]) {
    for (int64_t k = 0; k < count; k++) order[k] = k;
    for (int64_t k = count - 1; k > 0; k--) {
        int64_t other = (int64_t)(random_hash(seed, (uint64_t)k, 0) % (uint64_t)(k + 1));
        int64_t held = order[k];
        order[k] = order[other];
        order[other] = held;
    }
}
