#include "train/best.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "program/params.h"

static size_t bytes_of(const spor_params *params, int64_t elements) {
    return bytes_for(elements, scalar_width(params->scalar));
}

bool best_make(spor_best *best, spor_params *params) {
    if (!params_settle(params)) return false;
    if (!best->values) best->values = malloc(bytes_of(params, params->elements) + 1);
    return best->values;
}

bool best_keep(spor_best *best, spor_params *params, int64_t epoch) {
    if (!best_make(best, params)) return false;
    memcpy(best->values, params->value, bytes_of(params, params->elements));
    best->epoch = epoch;
    return true;
}

void *best_value(const spor_best *best, const spor_params *params, int k) {
    return (char *)best->values + bytes_of(params, params->entry[k].offset);
}

void best_restore(const spor_best *best, spor_params *params) {
    for (int k = 0; k < params->count; k++)
        if (params->entry[k].kind != SPOR_OPTIMIZER_STATE)
            memcpy(spor_params_entry(params, k).value, best_value(best, params, k),
                   (size_t)params->entry[k].size * scalar_width(params->scalar));
    spor_params_touch(params);
}

void best_free(spor_best *best) {
    free(best->values);
    *best = (spor_best){0};
}
