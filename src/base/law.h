/*
 * Laws of initial values, by name; see spor_init in <spor/tape.h>.
 */
#ifndef SPOR_BASE_LAW_H
#define SPOR_BASE_LAW_H

#include <stdint.h>

typedef struct {
    const char *name;
    double (*draw)(double spread, uint64_t seed, uint64_t element);
    /** What the scale is multiplied by: standard deviation, limit or value at scale 1. */
    double (*spread)(double fan_in, double fan_out);
} spor_law;

/** NULL if there is no law of this name. */
const spor_law *law_find(const char *name);
/** All names in one line, for messages. */
const char *law_names(void);

#endif
