/*
 * Files of tensors: safetensors. Parameters are F32 and F64; what other programs wrote may be of any type.
 */
#ifndef SPOR_DATA_SAFETENSORS_H
#define SPOR_DATA_SAFETENSORS_H

#include <spor/program.h>
#include "data/raw.h"
#include "data/text.h"

/** A tensor of a file, and where its numbers are or shall go. */
typedef struct {
    const char *name;
    spor_shape shape;
    raw_type type; /* of value, in the machine's order of bytes: whole or real, of 4 or 8 */
    void *value;
} safetensor;

/** A text that a file keeps beside its tensors. */
typedef struct {
    const char *name, *text;
} safetensors_note;

/** Adds a file of these notes and tensors to a text. */
void safetensors_write(spor_text *text, const safetensors_note note[], int notes,
                       const safetensor tensor[], int count);

/** A file in memory; path is for messages. */
typedef struct {
    const char *path;
    const unsigned char *bytes;
    size_t size;
} safetensors_file;

/** Told of a note while it is read; false ends the reading with an error of the caller's. */
typedef bool safetensors_on_note(const char *name, const char *text, void *user);
/** Reads the notes alone. */
bool safetensors_notes(const safetensors_file *file, safetensors_on_note *on_note, void *user,
                       spor_message *message);

/** Told of a tensor of any type: numbers are as many as the shape asks for. False ends the reading with an
 *  error of the caller's. */
typedef bool safetensors_on_tensor(const char *name, raw_type type, const spor_shape *shape,
                                   const unsigned char *numbers, void *user);
/** Tells of all tensors in their order in the header. */
bool safetensors_each(const safetensors_file *file, safetensors_on_tensor *on_tensor, void *user,
                      spor_message *message);

/** How a file is read: flags. */
enum {
    SAFETENSORS_EXACT = 1, /* only from a tensor's own type */
    SAFETENSORS_SOME = 2   /* others may be in the file */
};
/** Reads numbers into the tensors by name, from F32 or F64. Missing, extra or differently shaped ones are
 *  errors that change nothing. The tensors are floats or doubles. */
bool safetensors_read(const safetensors_file *file, const safetensor tensor[], int count, int how,
                      spor_message *message);

/** spor_weights_save with notes. */
bool safetensors_save_weights(spor_params *params, const safetensors_note note[], int notes,
                              const char *path, spor_message *message);

#endif
