/*
 * Other rows, prepared as those of a data set are: new ones to predict, others with labels to evaluate.
 */
#ifndef SPOR_DATA_LIKE_H
#define SPOR_DATA_LIKE_H

#include <spor/data.h>
#include "data/table.h"

/**
 * Samples without targets from an array of NumPy, [rows, shape of a sample...], [rows, numbers] or one sample, of
 * a .npz file that of npz_samples, "rows.npz:x" being x of rows.npz; or from a table: by the names of its columns
 * where both have names, else a line a sample, all its numbers. like says shape, scale, names and how x is
 * standardized; it need have no rows. path "-" is standard input. NULL with a message.
 */
spor_data *like_read(const char *path, const spor_table_form *form, const spor_data *like,
                     spor_message *message);

/** All numbers of a sample as columns, by name or in order; to be freed. NULL: out of memory. */
spor_column *like_inputs(const spor_data *like, bool names);

/** Gives rows with targets scale and standardization of a data set; false with a message if their samples
 *  have another shape, or there are other classes. */
bool like_fit(spor_data *data, const spor_data *like, spor_message *message);

#endif
