/*
 * ZIP files, as far as numpy.savez and zipfile write them: members that are stored or deflated, found by the
 * directory at the end.
 */
#ifndef SPOR_DATA_ZIP_H
#define SPOR_DATA_ZIP_H

#include <spor/base.h>
#include <stddef.h>

#include "data/text.h"

/** True if the bytes begin as such a file does. */
bool zip_recognize(const unsigned char *bytes, size_t size);

/** Told of a member and its bytes, which live as long as the call; false ends the reading with an error of
 *  the caller's. */
typedef bool zip_on_member(const char *name, const unsigned char *bytes, size_t size, void *user);

/** Tells of all members in the directory's order. Lengths and CRC-32 are checked, and together they
 *  are at most limit bytes. False with a message that begins with path. */
bool zip_each(const char *path, const unsigned char *bytes, size_t size, size_t limit,
              zip_on_member *on_member, void *user, spor_message *message);

/** A file that is written: members are stored as they are, on no day, so that the same members are the same
 *  bytes. Zero-initialised but for the text it is empty. */
typedef struct {
    spor_text *text; /* that the file is added to: empty so far */
    spor_text directory;
    unsigned members;
} zip_writer;

void zip_add(zip_writer *writer, const char *name, const void *bytes, size_t size);
/** Adds the directory, which ends it. What failed shows in the text. */
void zip_end(zip_writer *writer);

#endif
