/*
 * Several arrays in one file, by their names: safetensors, or .npz as NumPy writes it.
 */
#ifndef SPOR_DATA_BUNDLE_H
#define SPOR_DATA_BUNDLE_H

#include "data/npy.h"

enum { BUNDLE_MOST = 256, BUNDLE_NAME = 256 };

/** An array with its name. */
typedef struct {
    char name[BUNDLE_NAME];
    spor_npy array; /* doubles; type is the file's */
} bundle_item;

/** Zero-initialised it is empty. */
typedef struct {
    int count;
    bundle_item *item; /* in the file's order; names differ */
} spor_bundle;

/**
 * Reads all arrays of a file, which is told by its first bytes: F16, BF16, F32, F64, whole numbers, booleans.
 * False with a message that begins with path: what is no array, a name that occurs twice, numbers that no double
 * holds, what is cut off or damaged.
 */
bool bundle_read(const char *path, spor_bundle *bundle, spor_message *message);
/** The same of bytes; path stands for the file in messages. */
bool bundle_parse(const char *path, const unsigned char *bytes, size_t size, spor_bundle *bundle,
                  spor_message *message);
/** The array of this name; NULL if there is none. */
spor_npy *bundle_find(const spor_bundle *bundle, const char *name);
void bundle_free(spor_bundle *bundle);

#endif
