/*
 * Samples and targets that are arrays, in files of their own.
 */
#ifndef SPOR_DATA_ARRAYS_H
#define SPOR_DATA_ARRAYS_H

#include <spor/data.h>

/** Reads an array [rows, shape...] of a file, that of a name if it can hold several. labels: its numbers
 *  may be labels, as they are whole. */
typedef bool arrays_reader(const char *path, const char *name, spor_values *values, int64_t *rows,
                           bool *labels, spor_message *message);
/** Of .npy files; of .npz files; of IDX files. */
arrays_reader arrays_npy, arrays_npz, arrays_idx;
/** Of MATLAB's files: the rows are the first axis of a matrix, the elements of a vector, and the last
 *  of more than two axes, as images are kept. */
arrays_reader arrays_mat;

enum { ARRAYS_TRAIN, ARRAYS_VALIDATION, ARRAYS_TEST, ARRAYS_PARTS };

/** What is read of arrays. */
typedef struct {
    arrays_reader *read;
    const char *x[ARRAYS_PARTS]; /* files; NULL but for training: drawn from that */
    const char *y[ARRAYS_PARTS]; /* of the same rows; NULL: there is nothing to predict */
    const char *x_name[ARRAYS_PARTS],
        *y_name[ARRAYS_PARTS]; /* of arrays, where a file can hold several */
    spor_shape sample;         /* of the numbers of a row; rank 0: as the file has it */
    double scale;              /* of x */
    int classes;               /* their number; 0: as many as labels differ */
    char *const *class_name;   /* [classes] labels are these; NULL: what differs is a class */
    bool targets;              /* y are numbers to predict even if they are whole */
} array_files;

/**
 * One whole number a row is a label, and labels become classes as labels_classify has it; any other
 * y are numbers to predict. NULL with a message that names the file.
 */
spor_data *arrays_read(const array_files *arrays, spor_message *message);

#endif
