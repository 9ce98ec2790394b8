/*
 * gzip files (RFC 1952, deflate: RFC 1951) and zlib streams, read by our own inflate.
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

/** The same of a zlib stream (RFC 1950) that is all of the bytes; Adler-32 is checked. */
bool zlib_inflate(const unsigned char *bytes, size_t size, size_t limit, unsigned char **out,
                  size_t *out_size, spor_message *message);
/** The same of deflate itself (RFC 1951), which has no checksum. */
bool deflate_inflate(const unsigned char *bytes, size_t size, size_t limit, unsigned char **out,
                     size_t *out_size, spor_message *message);
/** The first bytes of a zlib stream, at most `most`; their number, 0 if it begins with none. */
size_t zlib_head(const unsigned char *bytes, size_t size, unsigned char head[], size_t most);

/** False if so many bytes never inflate to that many: deflate's best is 1032 for one. */
bool gzip_could_hold(size_t size, size_t inflated);

/** Reads a file of at most limit bytes, inflated if it is a gzip file. What inflates to more than
 *  64 MiB and 256 times its length is taken for a bomb. The caller frees bytes. */
bool gzip_read_file(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                    spor_message *message);

enum { FILE_HEAD = 64 }; /* bytes that say how long a file is */

/** How long a file is, by its first bytes; 0 with a message that does not name the file. */
typedef size_t file_stated(const unsigned char *head, size_t size, spor_message *message);

/** The same for a format that states its length. A file that is longer or shorter, or a gzip file
 *  that can't hold that much, is refused before memory is taken for it. */
bool gzip_read_stated(const char *path, file_stated *stated, unsigned char **bytes, size_t *size,
                      spor_message *message);

#endif
