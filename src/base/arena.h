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
void *arena_take(spor_arena *arena, size_t bytes);
/** A copy of the text. */
char *arena_text(spor_arena *arena, const char *text);
void arena_free(spor_arena *arena);

#endif
