/*
 * What gradients of other code look like: the readings of hint.h, held against numbers that code gave.
 */
#ifndef SPOR_VERIFY_ARRAYS_READING_H
#define SPOR_VERIFY_ARRAYS_READING_H

#include "verify/probe.h"

/** A case at which the code was wrong, and what it gave. */
typedef struct {
    probe_case *at;        /* recorded, with its data; readings are recorded on its tape */
    const int64_t *value;  /* its sizes */
    const double *claimed; /* of the pair's shape */
} arrays_sight;

/** Writes what the pair looks like at all of these, each of which is wrong; "" if nothing is sure: that needs two of
 *  them. unit: the roundoff of the code's arithmetic; stored: of what its numbers are kept in, or 0. False only when
 *  memory runs out. */
bool arrays_look_like(const spor_statement *statement, int pair, int count,
                      const arrays_sight sight[], double unit, double stored, char *text,
                      size_t size);

#endif
