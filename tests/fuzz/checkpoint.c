/* Opens and loads a run whose checksum is right: a refusal changes no parameter and names the file, and
 * what is accepted is a place of a run. */
#include "fuzz.h"

#include <inttypes.h>
#include <string.h>

#include "base/checksum.h"
#include "train/checkpoint.h"

enum { SUM_AT = 37, SUM = 16, LONGEST = 4096 };

spor_params *fuzz_params(void) {
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_tape *tape = spor_tape_new();
    spor_param(tape, "W", SPOR_SHAPE(2, 3), SPOR_INIT("normal", 1));
    spor_param(tape, "b", SPOR_SHAPE(3), SPOR_INIT("normal", 1));
    FUZZ_PROMISE(spor_params_join(params, tape));
    spor_tape_free(tape);
    return params;
}

/* So that mutants get further than the checksum. */
static void seal(uint8_t *bytes, size_t size) {
    char sum[SUM + 1];
    if (size < SUM_AT + SUM) return;
    memset(bytes + SUM_AT, '0', SUM);
    snprintf(sum, sizeof sum, "%016" PRIx64, checksum_add(0, bytes, size));
    memcpy(bytes + SUM_AT, sum, SUM);
}

static void check_place(const spor_checkpoint *run) {
    const spor_progress *p = &run->progress;
    FUZZ_PROMISE(p->epoch >= 0 && p->epoch <= p->epochs && p->step >= 0 && p->step <= p->steps);
    FUZZ_PROMISE(run->history.count >= 0 && run->history.count <= p->epoch);
    for (int64_t k = 0; k < run->history.count; k++)
        FUZZ_PROMISE(run->history.epochs[k].epoch == k + 1);
}

bool fuzz_checkpoint(const uint8_t *bytes, size_t size) {
    uint8_t sealed[LONGEST];
    if (size > LONGEST) size = LONGEST;
    memcpy(sealed, bytes, size);
    seal(sealed, size);
    spor_message message = {{0}};
    spor_checkpoint run;
    spor_params *params = fuzz_params(), *before = fuzz_params();
    const char *path = fuzz_file(sealed, size);
    bool done = checkpoint_open(&run, path, &message) && checkpoint_load(&run, params, &message);
    FUZZ_PROMISE(done || strncmp(message.text, path, strlen(path)) == 0);
    if (done) check_place(&run);
    for (int k = 0; !done && k < 2; k++) {
        spor_entry a = spor_params_entry(params, k), b = spor_params_entry(before, k);
        FUZZ_PROMISE(memcmp(a.value, b.value, (k ? 3 : 6) * sizeof(float)) == 0);
    }
    checkpoint_free(&run);
    spor_params_free(params);
    spor_params_free(before);
    return done;
}

FUZZ_ENTRY(checkpoint)
