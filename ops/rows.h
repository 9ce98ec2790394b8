/*
 * Rows by number: x[B..., V, D...] has in each of its batches B V rows of D elements; an index
 * i[B..., N...] names rows by whole numbers from 0. What names no row (a number that is not
 * whole, or none
 * of 0 .. V - 1) makes results that are no numbers.
 */
#ifndef SPOR_OPS_ROWS_H
#define SPOR_OPS_ROWS_H

#include "attributes.h"

#ifdef SPOR_RULES

/** The first axes of x and i, so many as batch says, are batches: they agree. What x has is at least so
 *  many axes more; i at least so many. */
static inline bool rule_batch(spor_rule *r, int64_t batch, const char *x, const spor_shape *of,
                              const char *i, const spor_shape *index) {
    if (batch < 0 || batch > index->rank || batch > of->rank)
        return rule_fail(r, "%s and %s must have the %" PRId64 " leading axes that batch says", x,
                         i, batch);
    for (int k = 0; k < batch; k++)
        if (of->n[k] != index->n[k])
            return rule_fail(r,
                             "axis %d, one of batches, has %" PRId64 " in %s but %" PRId64 " in %s",
                             k, of->n[k], x, index->n[k], i);
    return true;
}

#else

#include "kernels/scalar.h"

/** The row that an element of an index names, -1 if it names none. A number known to a whole one or
 *  better is told by its value. */
static inline int64_t row_named(T i, int64_t rows) {
    double v = VALUE(i);
    if (!(v >= 0 && v < (double)rows) || floor(v) < v) return -1;
    bool apart =
        LESS(FROM_REAL(v - 1), i) && LESS(i, FROM_REAL(v + 1)); /* the field wants to know */
    return apart ? (int64_t)v : -1;
}

#endif

#ifdef SPOR_REFERENCE

/** True if rounding may have made another index of it. */
static inline bool row_may_be_another(T i, int64_t row) {
    return MAY_TURN(SUB(i, FROM_INT(row)));
}

/** Where a row's element lies: at has batches, then an index of so many axes less these, then
 *  the row's. */
static inline void row_position(const int64_t at[], int batch, int index_rank, int64_t row,
                                int row_axes, int64_t to[]) {
    for (int k = 0; k < batch; k++) to[k] = at[k];
    to[batch] = row;
    for (int k = 0; k < row_axes; k++) to[batch + 1 + k] = at[index_rank + k];
}

#endif

#if defined(SPOR_FAST) || defined(SPOR_RULES)

/** Batches, rows in each, what an index names in each, elements of a row. */
typedef struct {
    int64_t batches, rows, picks, width;
} row_sizes;

static inline row_sizes row_sizes_of(const spor_shape *x, const spor_shape *index, int batch) {
    row_sizes s = {1, x->n[batch], 1, 1};
    for (int k = 0; k < batch; k++) s.batches *= x->n[k];
    for (int k = batch; k < index->rank; k++) s.picks *= index->n[k];
    for (int k = batch + 1; k < x->rank; k++) s.width *= x->n[k];
    return s;
}

#endif

#endif
