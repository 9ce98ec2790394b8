/*
 * A group: elementwise nodes over one iteration shape, computed together, tile by tile, so that
 * what is made and read inside a group never leaves the first cache.
 *
 * The iteration shape is that of the nodes, without axes of size 1 and with neighbours merged where
 * nothing tells them apart. A tile is a box of it that lies in a row: all of the last axes, `piece`
 * indices of axis `split`, one of each axis before. A group is a list of lines; for each tile the
 * lines run one after the other, each over all elements of the tile:
 *
 *   maps      out[i] = f(in[0][i], in[1][i], ...)       the tile kernel of an elementwise op
 *   repeats   out[i] = a smaller tensor's element       expand, at the group's entry
 *   sums      a smaller tensor's element += in[i]       sum, at the group's exit; or in[0][i] in[1][i]
 *   largest   a smaller tensor's element = the larger of it and in[i]       max, there too
 *
 * A value has a place: that of an argument of the group, in memory, or a slot, a buffer as long as a
 * tile. What is streamed to memory is made in a slot, and one more line takes it there. Places are
 * numbered, the arguments first. Arguments are strided along the iteration's axes: a smaller tensor
 * has stride 0 along the axes that it has not.
 */
#ifndef SPOR_KERNELS_GROUP_H
#define SPOR_KERNELS_GROUP_H

#include "kernels/carve.h"
#include "kernels/isa.h"
#include "kernels/kernel.h"
#include "kernels/symbol.h"

/** Some elements in a row, for the tile kernel of an elementwise op. out may be one of in. */
typedef struct {
    void *out;
    const void *in[SPOR_OPERANDS];
    /* Of each operand, whose element i is in[i & mask]: -1; or a power of two less 1 if elements repeat,
     * whole vectors of them; or 0 if all are one, as a vector of it. */
    const int64_t *mask;
    int64_t count; /* of elements, at least 1 */
    const spor_attr *attr;
    int64_t first; /* number of the first element in row-major order of the whole */
    uint64_t step; /* number of the run, for random ops */
} spor_tile;

typedef void spor_tile_kernel(const spor_tile *tile);

/** What a node does in a group. */
typedef enum { SPOR_MAPS, SPOR_REPEATS, SPOR_SUMS, SPOR_LARGEST } spor_tile_role;

/** Many elements become one: the group's exit. */
static inline bool role_folds(spor_tile_role role) {
    return role == SPOR_SUMS || role == SPOR_LARGEST;
}

/** What an op's descriptor says of it. The axes of repeats and folds are the attribute AXES. */
typedef struct spor_tiling {
    spor_tile_role role;
    bool product; /* maps: can be part of the line of the one that reads it */
    bool slow;    /* maps: as exp, log and tanh are, too slow to be made twice */
    /** Maps of two operands: with a product a b in the place of operand k, as a map of a, b and the
     *  other operand. Sums: of products. NULL: there is none. */
    const struct spor_tiling *of_product[2];
    spor_tile_kernel *kernel[SPOR_SCALARS][SPOR_ISAS]; /* maps: float and double */
    spor_symbolic *symbolic; /* maps: the element as a term; NULL: it can't be said */
} spor_tiling;

typedef struct {
    spor_tile_role role;
    bool once;    /* repeats: the same in every tile, so that it is filled in once a task, */
    bool uniform; /* and one number, of which a vector is enough */
    spor_tile_kernel *kernel;
    const spor_attr *attr;
    int operands;
    int in[SPOR_OPERANDS], out; /* places */
    int64_t mask[SPOR_OPERANDS];
} spor_line;

/** An operand of the group's call. */
typedef struct {
    int64_t stride[SPOR_RANK]; /* along the iteration's axes, in elements */
    int64_t axes;              /* of the nodes' shape, as a bit mask: those that it has not */
    spor_tile_role role;       /* how it comes about: SPOR_MAPS if it is read or written whole */
    bool own;                  /* each task folds into its own copy, if there are several */
    int64_t offset;            /* of that copy among those of the task, in elements */
    bool streams;              /* written whole past the caches: large, and no step reads it */
    bool carries; /* several tiles of a task add to one element: what rounding takes is kept */
    int64_t low;  /* where, among what the task keeps, in elements */
    int64_t size; /* elements */
} spor_argument;

typedef struct spor_group {
    int rank; /* of the iteration shape, at least 1 */
    int64_t n[SPOR_RANK];
    int split;
    int64_t piece; /* indices of axis split in a tile */
    int64_t inner; /* elements of an index of axis split: the axes behind it */
    int64_t tile;  /* elements of a tile at most */
    int64_t slot;  /* elements of a slot: whole lines of memory */
    int64_t unit;  /* axis 0 is cut between tasks at multiples of this, */
    int64_t units; /* into so many parts at most */
    int64_t own;   /* elements of the copies of a task */
    int64_t low;   /* elements of what a task keeps of rounding */
    bool streams;  /* an argument does */
    spor_argument *argument;
    int arguments;
    spor_line *line;
    int lines, slots;
} spor_group;

/** The scratch of a worker: the slots; what rounding took of sums; where each place is in the tile,
 *  and where each argument begins. */
typedef struct {
    void *slots, *low, **place, **base;
} group_room;
static inline group_room group_carve(spor_carver *carver, const spor_group *group, size_t width) {
    group_room room;
    room.slots = carve_take(carver, carve_times(group->slots, group->slot), width);
    room.low = carve_take(carver, group->low, width);
    room.place = carve_take(carver, group->arguments + group->slots, sizeof *room.place);
    room.base = carve_take(carver, group->arguments, sizeof *room.base);
    return room;
}

#endif
