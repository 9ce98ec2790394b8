/*
 * gzip files (RFC 1952, deflate: RFC 1951), read by our own inflate.
 */
#ifndef SPOR_DATA_GZIP_H
#define SPOR_DATA_GZIP_H

#include "data/file.h"

/** True if the bytes begin as a gzip file does. */
bool gzip_recognize(const unsigned char *bytes, size_t size);

/**
 * Inflates all members. Lengths and CRC-32 are checked; more than limit bytes of output are an
 * error. The caller frees out. The message names the byte of the input, not the file.
 */
bool gzip_inflate(const unsigned char *bytes, size_t size, size_t limit, unsigned char **out,
                  size_t *out_size, spor_message *message);

/** Reads a file of at most limit bytes, inflated if it is a gzip file. The caller frees bytes. */
bool gzip_read_file(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                    spor_message *message);

#endif
