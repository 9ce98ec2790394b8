/* Reads arrays by name: each has as many numbers as its shape says; refusals name the file. */
#include "fuzz.h"

#include <string.h>

#include "base/shape.h"
#include "data/bundle.h"

bool fuzz_bundle(const uint8_t *bytes, size_t size) {
    spor_message message = {{0}};
    spor_bundle bundle;
    volatile double seen = 0; /* reads all of them */
    bool accepted = bundle_parse("a.npz", bytes, size, &bundle, &message);
    FUZZ_PROMISE(accepted || strncmp(message.text, "a.npz: ", 7) == 0);
    FUZZ_PROMISE(accepted || !bundle.count);
    for (int k = 0; k < bundle.count; k++) {
        const spor_npy *a = &bundle.item[k].array;
        FUZZ_PROMISE(bundle_find(&bundle, bundle.item[k].name) == a);
        for (int64_t i = 0; i < shape_size(&a->shape); i++) seen = ((double *)a->value)[i];
    }
    (void)seen;
    bundle_free(&bundle);
    return accepted;
}

FUZZ_ENTRY(bundle)
