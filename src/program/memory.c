#include "program/memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "tape/tape.h"

size_t memory_take(spor_memory *a, size_t bytes) {
    if (a->failed) return 0;
    for (uint32_t k = 0; k < a->count; k++) {
        memory_hole *h = &a->holes[k];
        if (h->size < bytes) continue;
        size_t offset = h->offset;
        h->offset += bytes;
        h->size -= bytes;
        if (!h->size) memmove(h, h + 1, (--a->count - k) * sizeof *h);
        return offset;
    }
    bool last_touches =
        a->count && a->holes[a->count - 1].offset + a->holes[a->count - 1].size == a->top;
    size_t offset = last_touches ? a->holes[--a->count].offset : a->top;
    a->top = bytes_sum(offset, bytes);
    a->failed = a->top == BYTES_MOST;
    return offset;
}

void memory_give(spor_memory *a, size_t offset, size_t bytes) {
    if (a->failed || !bytes) return;
    memory_hole *grown = tape_grow(a->holes, a->count, &a->capacity, sizeof *grown);
    if (!grown) {
        a->failed = true;
        return;
    }
    a->holes = grown;
    uint32_t at = a->count;
    while (at && a->holes[at - 1].offset > offset) at--;
    memmove(&a->holes[at + 1], &a->holes[at], (a->count++ - at) * sizeof *a->holes);
    a->holes[at] = (memory_hole){offset, bytes};
    for (uint32_t k = at + 1; k >= at && k > 0; k--) { /* join with the next, then the previous */
        if (k >= a->count || a->holes[k - 1].offset + a->holes[k - 1].size != a->holes[k].offset)
            continue;
        a->holes[k - 1].size += a->holes[k].size;
        memmove(&a->holes[k], &a->holes[k + 1], (--a->count - k) * sizeof *a->holes);
    }
}

void memory_end(spor_memory *memory) {
    free(memory->holes);
}
