/* Inflates: output stays within the limit, refusals say why. */
#include "fuzz.h"

#include "data/gzip.h"

bool fuzz_gzip(const uint8_t *bytes, size_t size) {
    enum { LIMIT = 1 << 16 };
    unsigned char *out;
    size_t out_size;
    spor_message message = {{0}};
    bool done = gzip_inflate(bytes, size, LIMIT, &out, &out_size, &message);
    FUZZ_PROMISE(done == (out != NULL));
    FUZZ_PROMISE(done ? out_size <= LIMIT : out_size == 0 && message.text[0]);
    free(out);
    return done;
}

FUZZ_ENTRY(gzip)
