/*
 * Protocol buffers, as far as they are written here: fields one after the other, each a tag, which has the
 * field's number and how it is written, and its value. https://protobuf.dev/programming-guides/encoding
 *
 * The bytes are a text that grows: if memory runs out it has failed, and nothing more is written.
 */
#ifndef SPOR_EXPORT_PROTOBUF_H
#define SPOR_EXPORT_PROTOBUF_H

#include <stdint.h>

#include "data/text.h"

/** A whole number of 7 bits a byte, the lowest first. Negative ones are written as 2^64 more. */
void protobuf_integer(spor_text *bytes, int field, int64_t value);
/** A float of 4 bytes, little-endian. */
void protobuf_float(spor_text *bytes, int field, float value);
/** Bytes behind their length. */
void protobuf_bytes(spor_text *bytes, int field, const void *from, size_t size);
void protobuf_text(spor_text *bytes, int field, const char *text);
/** Whole numbers as one field, without tags between them. */
void protobuf_integers(spor_text *bytes, int field, int count, const int64_t value[]);

/** A message as the value of a field: what is written between the two is inside it. Its length goes before
 *  it once that is known. */
size_t protobuf_open(spor_text *bytes, int field);
void protobuf_close(spor_text *bytes, size_t opened);

#endif
