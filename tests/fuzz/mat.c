/* Reads a variable and turns it: as many numbers as its sizes say; refusals name the file. */
#include "fuzz.h"

#include <string.h>

#include "base/shape.h"
#include "data/mat.h"
#include "data/values.h"

static bool read_variable(const char *path, spor_values *values, spor_message *message) {
    mat_file file;
    bool done = mat_open(path, &file, message) && mat_read(&file, "X", values, message);
    mat_close(&file);
    return done;
}

bool fuzz_mat(const uint8_t *bytes, size_t size) {
    spor_message message = {{0}};
    const char *path = fuzz_file(bytes, size);
    spor_values values = {0};
    bool done = read_variable(path, &values, &message);
    FUZZ_PROMISE(done == (values.value != NULL));
    FUZZ_PROMISE(done || strncmp(message.text, path, strlen(path)) == 0);
    if (done) {
        int64_t rows, count = shape_size(&values.shape);
        FUZZ_PROMISE(count > 0 && (size_t)count < 1032 * size);
        FUZZ_PROMISE(mat_rows(&values, 4, &rows));
        FUZZ_PROMISE(rows * shape_size(&values.shape) == count);
        values_types[values.keep].value(values.value, count - 1);
    }
    values_free(&values);
    return done;
}

FUZZ_ENTRY(mat)
