/*
 * Which arrays of a .npz file are samples and targets, by the names that people give them.
 */
#ifndef SPOR_DATA_NPZ_H
#define SPOR_DATA_NPZ_H

#include "data/arrays.h"
#include "data/npy.h"

/**
 * arrays_read, where what x_name and y_name of the training rows do not say is found: x, data, images,
 * inputs, features, samples and y, labels, targets, alone or with train, in any spelling such as
 * X_train or train_images. Where neither is said and no other files have them, rows to validate and
 * test with are the arrays of the same file that are called so with val or test. y of the training
 * rows NULL: there is nothing to predict. The data are named after file and arrays. NULL with a
 * message that lists the arrays there are, if none or more than one may be meant.
 */
spor_data *npz_data(const array_files *arrays, spor_message *message);
/** The array of this name; false with a message that lists those there are. npy_free frees it. */
bool npz_read(const char *path, const char *name, spor_npy *array, spor_message *message);

enum { NPZ_NAME = 64 };

/** An array of a file, and what it is called there. */
typedef struct {
    char name[NPZ_NAME];
    spor_npy array; /* npy_free frees it */
} npz_array;

/** The array that has samples and no targets: that of this name or, name NULL, the only array there is, the
 *  only one that is called x, data, images ... or the only one that is called so with train, val or test.
 *  False with a message that begins with path and lists those there are, if that leaves none or several. */
bool npz_samples(const char *path, const unsigned char *bytes, size_t size, const char *name,
                 npz_array *found, spor_message *message);
/** "x" of "rows.npz:x", if no file is called so, and how long "rows.npz" is; NULL: the path names no array. */
const char *npz_name_in(const char *path, size_t *length);
/** True if what such a path leads to, "rows.npz:x" or any file, is this file. */
bool npz_reads(const char *path, const char *file);

#endif
