/* Reads an array: as many numbers as its sizes say, and the file holds; refusals name the file. */
#include "fuzz.h"

#include <string.h>

#include "base/shape.h"
#include "data/idx.h"
#include "data/values.h"

bool fuzz_idx(const uint8_t *bytes, size_t size) {
    spor_message message = {{0}};
    const char *path = fuzz_file(bytes, size);
    spor_values values;
    int64_t rows = 0;
    bool done = idx_read(path, &values, &rows, &message);
    FUZZ_PROMISE(done == (values.value != NULL));
    FUZZ_PROMISE(done || strncmp(message.text, path, strlen(path)) == 0);
    if (done) {
        int64_t count = rows * shape_size(&values.shape);
        FUZZ_PROMISE(rows > 0 && count > 0 && (size_t)count < 1032 * size);
        values_types[values.keep].value(values.value, count - 1);
    }
    values_free(&values);
    return done;
}

FUZZ_ENTRY(idx)
