/*
 * Parts of a data set as their files have them, put together.
 */
#ifndef SPOR_DATA_PART_H
#define SPOR_DATA_PART_H

#include <spor/data.h>

/** Samples and the numbers of their classes, [rows] each. */
typedef struct {
    int64_t rows;
    spor_values x, y;
    int zero; /* a number that stands for class 0 too; 0: none does */
} data_part;

/** Rows that begin a data set, or follow those that are there; y must be classes of it. x takes the
 *  data's shape, in which it has as many numbers. The part is used up in any case; false with a
 *  message that names the file. */
bool part_join(spor_data *data, data_part *part, const char *path, spor_message *message);

void part_free(data_part *part);

#endif
