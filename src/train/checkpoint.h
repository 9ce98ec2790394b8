/*
 * checkpoint.safetensors: a run as one file, from which it goes on and every other file is made.
 *
 * A safetensors file. Its tensors are the parameters, the states of the network and of the optimizer by
 * their names; ":progress" and ":seconds", a row of record_columns for each epoch of the history and one
 * for where the run stands; and ":best/..." for the weights of the best epoch, if one is kept. Its notes
 * are a checksum of all else in the file, the format, whole numbers, and what the caller adds.
 */
#ifndef SPOR_TRAIN_CHECKPOINT_H
#define SPOR_TRAIN_CHECKPOINT_H

#include "data/safetensors.h"
#include "train/best.h"
#include "train/record.h"

/** A run without its parameters. */
typedef struct {
    spor_progress progress; /* where it stands */
    int64_t metric;         /* its metric, in the file */
    spor_history history;   /* of the epochs that are done */
    spor_best best;
    safetensors_note *note; /* [notes] the caller's */
    char **own;             /* [notes] what they lie in */
    int notes;
    char version[32]; /* of the spor that wrote the file that was opened */
    char *path;       /* of that file, and its contents; NULL: none was */
    unsigned char *bytes;
    size_t size;
} spor_checkpoint;

/** Adds a note, copied; the caller sees that no name occurs twice. False: out of memory. */
bool checkpoint_add(spor_checkpoint *run, const char *name, const char *text);
/** Writes run and parameters, whole or not at all. */
bool checkpoint_write(const spor_checkpoint *run, spor_params *params, const char *path,
                      spor_message *message);

/** Opens a file: notes and the whole numbers of progress are there, or a damaged or foreign file is told.
 *  A run that wasn't opened is to be freed, too. */
bool checkpoint_open(spor_checkpoint *run, const char *path, spor_message *message);
/** The text of a note of this name; NULL if there is none. */
const char *checkpoint_note(const spor_checkpoint *run, const char *name);
/** Loads the rest of a run that was opened, into these parameters too: by name, of the same shapes and
 *  types, none missing, none left over; otherwise nothing is changed. */
bool checkpoint_load(spor_checkpoint *run, spor_params *params, spor_message *message);
/** Loads parameters and states of the network alone, those of the best epoch if they are kept; nothing is
 *  changed if one is missing or has another shape. */
bool checkpoint_load_network(const spor_checkpoint *run, spor_params *params,
                             spor_message *message);
void checkpoint_free(spor_checkpoint *run);

#endif
