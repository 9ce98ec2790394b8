/* Reads an array: it has as many numbers as its shape says; refusals name the file. */
#include "fuzz.h"

#include <string.h>

#include "data/npy.h"
#include "data/values.h"

bool fuzz_npy(const uint8_t *bytes, size_t size) {
    spor_message message = {{0}};
    spor_npy array;
    volatile double seen = 0; /* reads all of them */
    bool accepted = npy_parse("a.npy", bytes, size, &array, &message);
    int64_t count = 1;
    for (int k = 0; accepted && k < array.shape.rank; k++) count *= array.shape.n[k];
    for (int64_t k = 0; accepted && k < count; k++)
        seen = values_types[array.keep].value(array.value, k);
    FUZZ_PROMISE(accepted || strncmp(message.text, "a.npy: ", 7) == 0);
    FUZZ_PROMISE(accepted == (array.value != NULL));
    (void)seen;
    npy_free(&array);
    return accepted;
}

FUZZ_ENTRY(npy)
