/*
 * How samples were standardized, as notes of a file of tensors.
 */
#ifndef SPOR_DATA_STANDARDIZE_H
#define SPOR_DATA_STANDARDIZE_H

#include <spor/data.h>
#include "data/safetensors.h"

/** Mean and factor of x, in texts that are to be freed. */
typedef struct {
    safetensors_note note[2];
    spor_text text[2];
} standardize_notes;

/** Of data that are standardized; false if memory runs out. */
bool standardize_write(const spor_data *data, standardize_notes *notes);
void standardize_free(standardize_notes *notes);

#endif
