/* Loads weights: a refusal changes no parameter and names the file. */
#include "fuzz.h"

#include <string.h>

#include <spor/spor.h>

static spor_params *params_of_three(void) {
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_tape *tape = spor_tape_new();
    spor_param(tape, "W", SPOR_SHAPE(2, 3), SPOR_INIT("normal", 1));
    spor_param(tape, "b", SPOR_SHAPE(3), SPOR_INIT("normal", 1));
    FUZZ_PROMISE(spor_params_join(params, tape));
    spor_tape_free(tape);
    return params;
}

bool fuzz_safetensors(const uint8_t *bytes, size_t size) {
    spor_message message = {{0}};
    spor_params *params = params_of_three(), *before = params_of_three();
    const char *path = fuzz_file(bytes, size);
    bool done = spor_weights_load(params, path, &message);
    FUZZ_PROMISE(done || strncmp(message.text, path, strlen(path)) == 0);
    for (int k = 0; !done && k < 2; k++) {
        spor_entry a = spor_params_entry(params, k), b = spor_params_entry(before, k);
        FUZZ_PROMISE(memcmp(a.value, b.value, (k ? 3 : 6) * sizeof(float)) == 0);
    }
    spor_params_free(params);
    spor_params_free(before);
    return done;
}

FUZZ_ENTRY(safetensors)
