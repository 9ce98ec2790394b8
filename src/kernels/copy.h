/*
 * Elements moved from one array to another: z[to(i)] = x[from(i)] for all i of a box, both addresses
 * linear in i. A transposed, padded, cropped, reversed, dilated or repeated array is one such copy or
 * a few that do not overlap.
 *
 * An op makes boxes from the shapes of its call; the kernel brings a box into the form that runs
 * fastest: no axes of one element, neighbours that lie alike in both arrays merged.
 */
#ifndef SPOR_KERNELS_COPY_H
#define SPOR_KERNELS_COPY_H

#include "base/shape.h"
#include "kernels/tasks.h"

/** Axes of a box: one of a tensor's may be cut into two. */
enum { COPY_AXES = SPOR_RANK + 1 };

/** Along an axis: elements, and from one to the next in the result and in what is read. */
typedef struct {
    int64_t n; /* 0: the box is empty */
    int64_t to;
    int64_t from; /* 0: the same one again; negative: backward */
} copy_axis;

typedef struct {
    int axes;
    copy_axis axis[COPY_AXES]; /* the outermost of the result first */
    int64_t to, from;          /* where the first element lies in the arrays */
} copy_box;

/** All that a call computes; every element is read from the same place so far. */
static inline copy_box copy_whole(const spor_call *c) {
    copy_box box = {.axes = c->out.shape.rank};
    for (int k = 0; k < box.axes; k++)
        box.axis[k] = (copy_axis){c->out.shape.n[k], c->out.stride[k], 0};
    return box;
}

/** Elements first .. end - 1 along axis k of a box. */
static inline copy_box copy_between(const copy_box *box, int k, int64_t first, int64_t end) {
    copy_box part = *box;
    part.to += first * box->axis[k].to;
    part.from += first * box->axis[k].from;
    part.axis[k].n = end - first;
    return part;
}

/** Each axis of the box read with this step. */
static inline void copy_steps(copy_box *box, const int64_t step[]) {
    for (int k = 0; k < box->axes; k++) box->axis[k].from = step[k];
}

/** A box of the result: read from an operand, or filled with a value. */
typedef struct {
    copy_box box;
    int operand; /* -1: filled */
    double value;
} copy_move;

/** All that an op moves: boxes that do not overlap. */
typedef struct {
    int count;
    copy_move move[2 * SPOR_RANK + 1];
} copy_moves;

static inline void copy_from(copy_moves *m, const copy_box *box, int operand) {
    m->move[m->count++] = (copy_move){*box, operand, 0};
}
static inline void copy_fill(copy_moves *m, const copy_box *box, double value) {
    m->move[m->count++] = (copy_move){*box, -1, value};
}

/** The need of kernels that copy boxes: tasks, of which each has a part of every box. */
static inline void copy_need(const spor_call *c, size_t width, int lanes, spor_need *need) {
    (void)width;
    (void)lanes;
    need->tasks[SPOR_WORK] = tasks_for(need, shape_size(&c->out.shape), COST_MOVED, 0);
}

#ifdef SPOR_FAST
#include "kernels/simd.h"

/** The task's part of a box of the call's result, read from an array. */
#define copy_part SPOR_BUILT(copy_part)
void copy_part(const spor_call *c, int64_t task, const copy_box *box, const T *from);

/** Rows of so many elements, `of` apart, to rows `apart`. */
#define copy_rows SPOR_BUILT(copy_rows)
void copy_rows(T *to, int64_t apart, const T *from, int64_t of, int64_t rows, int64_t count);

/** The task's part of all of them. */
SPOR_INLINE void copy_all(const spor_call *c, int64_t task, const copy_moves *m) {
    for (int k = 0; k < m->count; k++) {
        const T value = (T)m->move[k].value;
        copy_part(c, task, &m->move[k].box,
                  m->move[k].operand < 0 ? &value : (const T *)c->in[m->move[k].operand].data);
    }
}
#endif

#endif
