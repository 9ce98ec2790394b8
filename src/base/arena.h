/*
 * An arena: many small allocations, freed at once. Addresses never move.
 */
#ifndef SPOR_BASE_ARENA_H
#define SPOR_BASE_ARENA_H

#include <stddef.h>

typedef struct spor_chunk spor_chunk;
typedef struct {
    spor_chunk *last;
} spor_arena;

/** Zeroed bytes, aligned for any scalar; NULL when out of memory. */
void *spor_arena_take(spor_arena *arena, size_t bytes);
/** A copy of the text. */
char *spor_arena_text(spor_arena *arena, const char *text);
void spor_arena_free(spor_arena *arena);

#endif
