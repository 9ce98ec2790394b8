/* Cotangents that lie side by side. */
#include "tape/slices.h"

#include <stdlib.h>

/* Finds where a node's operand lies between zeros. */
static bool find_place(spor_var share, spor_slice *slice) {
    const spor_node *node = tape_node_of(share);
    int64_t lo[SPOR_RANK], hi[SPOR_RANK];
    if (!node->op->between_zeros || !node->op->between_zeros(node->attr, lo, hi)) return false;
    int axes = 0;
    for (int k = 0; k < node->shape->rank; k++) {
        if (!lo[k] && !hi[k]) continue;
        axes++;
        *slice = (spor_slice){share.id, k, lo[k], node->shape->n[k] - hi[k], 0};
    }
    return axes == 1;
}

bool slices_keep(spor_slices *slices, uint32_t id, spor_var share) {
    spor_slice slice;
    if (!find_place(share, &slice)) return false;
    spor_slice *grown = tape_grow(slices->at, slices->count, &slices->capacity, sizeof *grown);
    if (!grown) {
        tape_exhaust(share.tape);
        return false;
    }
    slices->at = grown;
    slice.next = slices->first[id];
    slices->at[slices->count++] = slice;
    slices->first[id] = slices->count;
    return true;
}

/* ---- their sum ---- */

static int compare_places(const void *a, const void *b) {
    const spor_slice *s = a, *t = b;
    return (s->from > t->from) - (s->from < t->from);
}

/* Along one axis, none over another. They are sorted. */
static bool are_apart(const spor_slice slice[], int64_t count) {
    for (int64_t k = 1; k < count; k++)
        if (slice[k].axis != slice[0].axis || slice[k].from < slice[k - 1].end) return false;
    return true;
}

/* A slice with zeros on its left, and on its right up to `end`. */
static spor_var with_zeros(spor_tape *tape, const spor_slice *slice, int64_t left, int64_t end) {
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    spor_var part = op_operand((spor_var){tape, slice->whole}, 0);
    lo[slice->axis] = left;
    hi[slice->axis] = end - slice->end;
    return left || hi[slice->axis] ? spor_pad(part, lo, hi, 0) : part;
}

/* Slices from `begin` to `end` of their axis, halves first. */
static spor_var side_by_side(spor_tape *tape, const spor_slice slice[], int64_t count,
                             int64_t begin, int64_t end) {
    if (count == 1) return with_zeros(tape, slice, slice->from - begin, end);
    int64_t half = count / 2, middle = slice[half].from;
    spor_var left = side_by_side(tape, slice, half, begin, middle);
    spor_var right = side_by_side(tape, slice + half, count - half, middle, end);
    return spor_concat(left, right, slice->axis);
}

static spor_var added_up(spor_tape *tape, const spor_slice slice[], int64_t count) {
    spor_var sum = {tape, slice[0].whole};
    for (int64_t k = 1; k < count; k++) sum = spor_add(sum, (spor_var){tape, slice[k].whole});
    return sum;
}

spor_var slices_sum(const spor_slices *slices, spor_tape *tape, uint32_t id) {
    int64_t count = 0;
    for (uint32_t k = slices->first[id]; k; k = slices->at[k - 1].next) count++;
    if (!count) return op_none();
    spor_slice *sorted = malloc((size_t)count * sizeof *sorted);
    if (!sorted) return tape_exhaust(tape);
    for (uint32_t k = slices->first[id], to = 0; k; k = slices->at[k - 1].next)
        sorted[to++] = slices->at[k - 1];
    qsort(sorted, (size_t)count, sizeof *sorted, compare_places);
    spor_var sum = added_up(tape, sorted, 1);
    if (count > 1)
        sum = are_apart(sorted, count)
                  ? side_by_side(tape, sorted, count, 0, tape->node[id].shape->n[sorted->axis])
                  : added_up(tape, sorted, count);
    free(sorted);
    return sum;
}
