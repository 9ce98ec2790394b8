/*
 * A number that tells bytes apart: not for secrets.
 */
#ifndef SPOR_BASE_CHECKSUM_H
#define SPOR_BASE_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/** Goes on from the checksum of what came before, 0 at the beginning, with these bytes. Bytes of the
 *  same number that differ in eight neighbouring ones alone never have the same checksum. */
uint64_t checksum_add(uint64_t before, const void *bytes, size_t size);

/** CRC-32 as gzip and PNG have it. */
uint32_t checksum_crc32(const void *bytes, size_t size);
/** Adler-32 as zlib streams have it. */
uint32_t checksum_adler32(const void *bytes, size_t size);

#endif
