/*
 * Protocol buffers taken apart, as far as tests look at what was exported.
 */
#ifndef SPOR_TESTS_EXPORT_WALK_H
#define SPOR_TESTS_EXPORT_WALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Bytes that are yet to be read. */
typedef struct {
    const unsigned char *at, *end;
} walk_bytes;

/** A field of a message. */
typedef struct {
    int number;
    uint64_t value;   /* if it is a number */
    walk_bytes bytes; /* if it has a length */
} walk_field;

/** Fails the test if the bytes are no field; false at their end. */
bool walk_next(walk_bytes *message, walk_field *field);
/** The first field of this number; one of number 0 if there is none. */
walk_field walk_find(walk_bytes message, int number);
/** How many fields have it. */
int walk_count(walk_bytes message, int number);
/** The text of the first field of this number, "" if there is none; to be freed. */
char *walk_text(walk_bytes message, int number);

#endif
