/*
 * Cotangents of slices: each fills a part of a tensor and is 0 elsewhere. Where the parts don't
 * overlap they are put side by side, instead of each being padded to the whole and all added up.
 */
#ifndef SPOR_TAPE_SLICES_H
#define SPOR_TAPE_SLICES_H

#include "tape/tape.h"

/** A tensor between zeros along one axis. */
typedef struct {
    uint32_t whole; /* the node that has the zeros, too */
    int axis;
    int64_t from, end; /* its place along the axis */
    uint32_t next;     /* 1 + index of another one of the same tensor; 0: it is the last */
} spor_slice;

typedef struct {
    uint32_t *first; /* by node: 1 + index of the slice that came last; 0: none */
    spor_slice *at;
    uint32_t count, capacity;
} spor_slices;

/** Keeps share, a cotangent of node id, if it is such a part. False: it is not; or the tape failed. */
bool slices_keep(spor_slices *slices, uint32_t id, spor_var share);

/** The sum of all that was kept for node id, recorded on the tape; op_none() if there are none. Id 0 on
 *  the tape if that failed. */
spor_var slices_sum(const spor_slices *slices, spor_tape *tape, uint32_t id);

#endif
