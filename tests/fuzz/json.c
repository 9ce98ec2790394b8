/* Pulls any values: ends at the end of the bytes or at an error with a reason. */
#include "fuzz.h"

#include <string.h>

#include "data/json.h"

enum { DEPTH = 20, TEXT = 64 };

/* What comes next decides what is asked for. */
static void pull(spor_json_reader *r, int depth) {
    char text[TEXT];
    int64_t value;
    double real;
    while (r->at < r->end && strchr(" \t\n\r", *r->at) && *r->at) r->at++;
    char c = r->at < r->end ? *r->at : '\0';
    if (c == '{' && depth < DEPTH) {
        json_enter(r, '{');
        while (json_next(r, '}'))
            if (json_get_key(r, text, sizeof text)) pull(r, depth + 1);
    } else if (c == '[' && depth < DEPTH) {
        json_enter(r, '[');
        while (json_next(r, ']')) pull(r, depth + 1);
    } else if (c == '"') {
        if (json_get_string(r, text, sizeof text)) FUZZ_PROMISE(strlen(text) < TEXT);
    } else if (depth == 1) {
        json_get_integer(r, &value);
    } else if (depth == 2) {
        json_get_real(r, &real);
    } else {
        json_skip(r);
    }
}

bool fuzz_json(const uint8_t *bytes, size_t size) {
    const char *text = (const char *)bytes;
    spor_json_reader r = {.start = text, .at = text, .end = text + size};
    pull(&r, 0);
    bool done = json_finish(&r);
    FUZZ_PROMISE(r.at >= r.start && r.at <= r.end);
    FUZZ_PROMISE(done == (r.why == NULL));
    return done;
}

FUZZ_ENTRY(json)
