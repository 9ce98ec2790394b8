/* A folder of its own for every test that writes files. */
#ifndef SPOR_TESTS_SCRATCH_H
#define SPOR_TESTS_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/** $TMPDIR, or memory that looks like a disk, or /tmp. */
const char *scratch_place(void);

/** Fixtures: makes an empty folder in scratch_place(); removes it with the files in it. */
void scratch_begin(void);
void scratch_end(void);

/** Path of a file in the folder; valid until the fourth call after it. */
const char *scratch_path(const char *name);
/** The same, after writing the file. */
const char *scratch_file(const char *name, const void *bytes, size_t size);
/** Writes a .npy file of format 1; descr "<f4", shape "(2, 3)", the numbers as they are. */
void scratch_npy(const char *path, const char *descr, bool columns_first, const char *shape,
                 const void *numbers, size_t size);
/** All of a file with a zero behind it, to be freed; fails the test if it cannot be read. */
char *scratch_read(const char *path, size_t *size);
/** Number of files in the folder. */
int scratch_count(void);

/** data/<name> in the source tree. */
const char *source_path(const char *name);

#endif
