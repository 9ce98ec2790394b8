/*
 * A plan of memory: a line of bytes, of which pieces are taken for a time.
 */
#ifndef SPOR_PROGRAM_MEMORY_H
#define SPOR_PROGRAM_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    size_t offset, size;
} memory_hole;

/** Zeros: nothing was taken. */
typedef struct {
    memory_hole *holes; /* by offset, never touching each other */
    uint32_t count, capacity;
    size_t top;
    bool failed; /* more than can be addressed, or no memory for the plan itself */
} spor_memory;

/** The offset of so many bytes that nobody has: the first hole that holds them, else the top. */
size_t memory_take(spor_memory *memory, size_t bytes);
/** Gives back what was taken. */
void memory_give(spor_memory *memory, size_t offset, size_t bytes);
void memory_end(spor_memory *memory);

#endif
