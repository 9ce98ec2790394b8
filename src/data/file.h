/*
 * Files, whole or not at all.
 */
#ifndef SPOR_DATA_FILE_H
#define SPOR_DATA_FILE_H

#include <spor/base.h>
#include "data/text.h"

/** Bytes of the largest data or weights file that is read. */
#define SPOR_FILE_LIMIT ((size_t)1 << 31)

/** Reads at most limit bytes as they are. A longer file is an error, and so is, before anything is
 *  read, what is no regular file: a device or a pipe may never end. The caller frees bytes. */
bool file_bytes(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                spor_message *message);
/** The same of whatever gives bytes, pipes too: for limits that may be waited for. */
bool file_stream_bytes(const char *path, size_t limit, unsigned char **bytes, size_t *size,
                       spor_message *message);
/** The first bytes of a regular file, at most `most` of them, and the length of all of it. */
bool file_head(const char *path, size_t most, unsigned char head[], size_t *got, size_t *length,
               spor_message *message);

/**
 * Writes beside the path and renames, so that a reader or a crash sees the old file or the new one,
 * never half of one. Bytes are on the disk before the name changes, and the folder is flushed then: after
 * a power cut, too, what was reported as written is there, as far as disk and file system keep their word.
 * A full disk is an error that leaves the old file. Devices are written directly.
 */
bool file_write(const char *path, const void *bytes, size_t size, spor_message *message);

/** What a file is to hold. */
typedef struct {
    const char *path;
    const void *bytes;
    size_t size;
} file_piece;

/** file_write of n files, all or none: each is written beside its path before the first is renamed. */
bool file_write_together(int n, const file_piece piece[], spor_message *message);

/** file_write of a text, which is freed. */
bool file_write_text(spor_text *text, const char *path, spor_message *message);

/** True if two names are of one file, whether it is there or to be written: however they are spelt. */
bool file_is_same(const char *a, const char *b);

/** "digits" of data/digits.csv.gz, cut where its room ends. */
void file_title(const char *path, char *out, size_t size);

/** True if a name ends in one of these; NULL ends them. */
bool file_ends_in(const char *path, const char *const ending[]);
/** True if the name of the regular file that a path leads to, behind all links, does. What is no such file, a
 *  pipe or a device, has no name that ends otherwise. */
bool file_leads_to(const char *path, const char *const ending[]);

/** Removes what writers that were killed have left in a folder: files whose name ends as those do that
 *  file_write has yet to rename. */
void file_sweep(const char *folder);

/** Makes a folder and those above it; one that exists is fine. */
bool file_make_folder(const char *path, spor_message *message);

#endif
