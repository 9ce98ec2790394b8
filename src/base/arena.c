#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CHUNK = 4096, LARGEST_CHUNK = 1 << 20, ALIGN = 16 };

struct spor_chunk {
    spor_chunk *previous;
    size_t size, used;
    _Alignas(ALIGN) unsigned char bytes[];
};

/* A chunk that holds at least bytes; chunks double in size. */
static spor_chunk *grow(spor_arena *arena, size_t bytes) {
    size_t size = arena->last ? arena->last->size * 2 : FIRST_CHUNK;
    if (size > LARGEST_CHUNK) size = LARGEST_CHUNK;
    if (size < bytes) size = bytes;
    if (size > SIZE_MAX - sizeof(spor_chunk)) return NULL;
    spor_chunk *chunk = malloc(sizeof(spor_chunk) + size);
    if (!chunk) return NULL;
    chunk->previous = arena->last;
    chunk->size = size;
    chunk->used = 0;
    return arena->last = chunk;
}

void *arena_take(spor_arena *arena, size_t bytes) {
    if (bytes > SIZE_MAX - ALIGN) return NULL;
    bytes = (bytes + ALIGN - 1) / ALIGN * ALIGN;
    spor_chunk *chunk = arena->last;
    if (!chunk || chunk->size - chunk->used < bytes) chunk = grow(arena, bytes);
    if (!chunk) return NULL;
    void *taken = chunk->bytes + chunk->used;
    chunk->used += bytes;
    return memset(taken, 0, bytes);
}

char *arena_text(spor_arena *arena, const char *text) {
    size_t length = strlen(text) + 1;
    char *copy = arena_take(arena, length);
    return copy ? memcpy(copy, text, length) : NULL;
}

void arena_free(spor_arena *arena) {
    for (spor_chunk *chunk = arena->last; chunk;) {
        spor_chunk *previous = chunk->previous;
        free(chunk);
        chunk = previous;
    }
    arena->last = NULL;
}
