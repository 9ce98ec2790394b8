/*
 * Attributes that several ops have: a shape (nine slots: rank, then sizes), a set of axes (a bit
 * mask), one axis, and one number per axis. Rules refuse what later arithmetic could not hold.
 */
#ifndef SPOR_OPS_ATTRIBUTES_H
#define SPOR_OPS_ATTRIBUTES_H

#include "tape/op.h"
#include "kernels/slots.h"

/** Sizes and pads up to here can be added four at a time. */
#define LARGEST (INT64_MAX / 4)

/** Slots of a shape. */
enum { SHAPE_SLOTS = 1 + SPOR_RANK };

static inline void shape_to_attr(spor_shape shape, spor_attr attr[]) {
    attr[0].i = shape.rank;
    for (int k = 0; k < SPOR_RANK; k++) attr[1 + k].i = k < shape.rank ? shape.n[k] : 0;
}

/** attr holds a shape; it becomes the shape of the result. */
static inline bool rule_shape(spor_rule *r, const spor_attr attr[]) {
    if (attr[0].i < 0 || attr[0].i > SPOR_RANK)
        return rule_fail(r, "a shape has 0 to %d axes but this one has %" PRId64, SPOR_RANK,
                         attr[0].i);
    r->out.rank = (int)attr[0].i;
    for (int k = 0; k < r->out.rank; k++) {
        r->out.n[k] = attr[1 + k].i;
        if (r->out.n[k] < 0)
            return rule_fail(r, "axis %d of the shape is %" PRId64 " but must be at least 0", k,
                             r->out.n[k]);
    }
    return true;
}

/** The number called what is known to within an error. */
static inline bool rule_error(spor_rule *r, const char *what, double error) {
    if (!(error >= 0))
        return rule_fail(r, "the error of %s must be at least 0 but is %g", what, error);
    return true;
}

/** axes is a set of axes of a tensor, called what, of this rank. */
static inline bool rule_axes(spor_rule *r, int64_t axes, const char *what, int rank) {
    if (axes < 0 || axes >> rank)
        return rule_fail(r, "axes name an axis that %s, of rank %d, does not have", what, rank);
    return true;
}

/** axis is one of x's. */
static inline bool rule_axis(spor_rule *r, int64_t axis) {
    if (axis < 0 || axis >= r->in[0].rank)
        return rule_fail(r, "there is no axis %" PRId64 " in x, of rank %d", axis, r->in[0].rank);
    return true;
}

static inline bool in_axes(int64_t axes, int k) {
    return axes >> k & 1;
}

/** x has elements along the axes. */
static inline bool rule_some(spor_rule *r, int64_t axes) {
    for (int k = 0; k < r->in[0].rank; k++)
        if (in_axes(axes, k) && !r->in[0].n[k])
            return rule_fail(r, "axis %d of x is empty: nothing is the largest", k);
    return true;
}

/** shape without the axes. */
static inline spor_shape without_axes(const spor_shape *shape, int64_t axes) {
    spor_shape rest = {0};
    for (int k = 0; k < shape->rank; k++)
        if (!in_axes(axes, k)) rest.n[rest.rank++] = shape->n[k];
    return rest;
}

/** One number per axis of x, the other slots 0. */
static inline void per_axis_to_attr(spor_var x, const int64_t number[], spor_attr attr[]) {
    int rank = spor_shape_of(x).rank;
    for (int k = 0; k < SPOR_RANK; k++) attr[k].i = k < rank ? number[k] : 0;
}

/** One number per axis, back from its slots. */
static inline void attr_to_per_axis(const spor_attr attr[], int64_t number[]) {
    for (int k = 0; k < SPOR_RANK; k++) number[k] = attr[k].i;
}

#endif
