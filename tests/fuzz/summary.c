/* Any bytes are a summary of a run or are refused with a reason. */
#include "fuzz.h"

#include <string.h>

#include "train/record.h"

bool fuzz_summary(const uint8_t *bytes, size_t size) {
    summary_result result;
    spor_message message = {""};
    bool done = summary_parse((const char *)bytes, size, &result, &message);
    FUZZ_PROMISE(memchr(result.failure, 0, sizeof result.failure) != NULL);
    FUZZ_PROMISE(result.metric <= SPOR_METRIC_NONE);
    FUZZ_PROMISE(done || *message.text);
    return done;
}

FUZZ_ENTRY(summary)
