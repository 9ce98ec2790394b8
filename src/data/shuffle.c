#include "data/shuffle.h"

#include "base/random.h"

/* Fisher-Yates: place k takes one of the k + 1 rows that have no place yet. The remainder favours
 * small numbers by less than count / 2^64. */
void spor_shuffle(int64_t rows[], int64_t count, uint64_t seed, uint64_t stream) {
    uint64_t key = spor_hash(seed, stream, UINT64_C(0x7368756666));
    for (int64_t k = count - 1; k > 0; k--) {
        int64_t other = (int64_t)(spor_hash(key, stream, (uint64_t)k) % (uint64_t)(k + 1));
        int64_t row = rows[k];
        rows[k] = rows[other];
        rows[other] = row;
    }
}
