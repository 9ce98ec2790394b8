/*
 * The inside of a parameter store, for programs.
 */
#ifndef SPOR_PROGRAM_PARAMS_H
#define SPOR_PROGRAM_PARAMS_H

#include <spor/program.h>
#include "base/law.h"

/** Where a parameter lies in the blocks, in elements, a multiple of SPOR_ALIGN_ELEMENTS; how its
 *  initial values are drawn. */
typedef struct {
    char *name;
    spor_shape shape;
    int64_t offset, size;
    spor_entry_kind kind;
    const spor_law *law;
    double scale;
} spor_place_of;

/** 16 elements are a 64-byte line of floats, two of doubles. */
enum { SPOR_ALIGN_ELEMENTS = 16 };

struct spor_params {
    spor_scalar scalar;
    uint64_t seed;
    spor_place_of *entry;
    int count, capacity;
    int64_t elements; /* of a block, padding included; padding is 0 */
    int settled;      /* entries that have memory and values: the others wait for params_settle */
    int64_t held;     /* elements of these */
    void *value;      /* one block of values */
    void *next;       /* one of those that a training program makes of them */
    void *gradient;   /* one of gradients */
    uint64_t generation; /* of the values: raised by every change */
    uint64_t layout;     /* of the blocks: raised when they move */
    char error[512];
};

/** spor_params_join where the tape's states are of this kind. A name that is known must be of the same
 *  kind, too. */
bool params_join_states(spor_params *params, const spor_tape *tape, spor_entry_kind states);

/** Gives all entries memory and the new ones their initial values, so that a store that is only
 *  described takes none. False with the params' error if memory runs out. */
bool params_settle(spor_params *params);

/** True if count elements of one of the blocks, from offset on, are finite; both in whole lines. */
bool params_range_finite(const spor_params *params, const void *block, int64_t offset,
                         int64_t count);

/** sizeof of a scalar type. */
size_t scalar_width(spor_scalar scalar);
/** Element k as a double: its value or real part. */
double scalar_value_at(const void *data, spor_scalar scalar, int64_t k);
/** to[k] = from[k] with conversion; count elements. */
void scalar_convert(void *to, spor_scalar to_type, const void *from, spor_scalar from_type,
                    int64_t count);

#endif
