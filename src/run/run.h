/*
 * A run of spor train: its folder, what its checkpoint keeps beside numbers, and opening it again.
 */
#ifndef SPOR_RUN_RUN_H
#define SPOR_RUN_RUN_H

#include "script/script.h"
#include "train/checkpoint.h"
#include "train/page.h"

/* ---- the folder: folder.c -------------------------------------------------------------------- */

enum { RUN_PATH = 4096 };

/** A folder that one training at a time writes into. */
typedef struct {
    char path[RUN_PATH];
    int lock; /* its descriptor; -1: none */
} run_folder;

/** Makes and takes the folder of a new run: out, or, if that is NULL, the first of runs/name,
 *  runs/name-2, ... without a run. One that holds a run is refused, unless it may be replaced. */
bool folder_begin(run_folder *folder, const char *out, const char *name, bool replace,
                  spor_message *message);
/** A folder that is only read from. */
bool folder_named(run_folder *folder, const char *path, spor_message *message);
/** Takes the folder of a run that shall go on. */
bool folder_again(run_folder *folder, const char *path, spor_message *message);
/** The path of a file in it. */
const char *folder_file(const run_folder *folder, const char *name, char path[RUN_PATH]);
/** The file of weights in the folder of a run; the path itself if there is none. */
const char *folder_weights(const char *run, char path[RUN_PATH]);
void folder_leave(run_folder *folder);

/* ---- what is kept: keep.c ---------------------------------------------------------------------- */

/** What a run began with. */
typedef struct {
    const spor_script *script;
    const char *models; /* folder of what the script includes */
    int settings;       /* of --set */
    const spor_set *setting;
    const spor_data *data;
    const char *choice; /* of --data; NULL: what the script says */
    spor_params *begun; /* with the weights of --weights; NULL: with initial ones */
    const spor_options *options;
    uint64_t seed;            /* that the split is drawn by */
    spor_reduction reduction; /* of the loss, as training found it */
    const char *isa;
    int argc; /* the command line; argv[0] is the command */
    char **argv;
} run_facts;

/** Adds to a new run what it can be opened and repeated by: the files of the script, its settings, what is
 *  known of the data without its rows, their size and checksum, the command line and the folder it was
 *  given in. False: out of memory. */
bool keep_run(spor_checkpoint *run, const run_facts *facts);

/** A command line that was kept. */
typedef struct {
    char *text; /* of the words, one behind the other */
    char **argv;
    int argc;
} kept_command;

/** "spor train net.spor --epochs 3", cut to the size. */
void kept_command_text(const spor_checkpoint *run, char text[], size_t size);
/** "digits: 1797 rows, checksum 0123456789abcdef"; NULL if it isn't known. */
const char *kept_data_text(const spor_checkpoint *run);

/** False with a message if the run doesn't hold one. */
bool kept_command_of(const spor_checkpoint *run, kept_command *command, spor_message *message);
void kept_command_free(kept_command *command);

/** Goes to the folder in which the run was begun, if it is still there, so that names lead where they led
 *  then. Returns the way back, for kept_leave_folder; -1: it stayed. */
int kept_enter_folder(const spor_checkpoint *run);
/** Goes back; false with a message if that is not possible. */
bool kept_leave_folder(int here, spor_message *message);
/** The script with its settings, from the files that were kept; NULL with a message if there is none. One
 *  that can't be loaded has script_error. */
spor_script *kept_script(const spor_checkpoint *run, const spor_dialect *dialect,
                         spor_message *message);
/** What is known of the data without their rows, standardization too; NULL with a message. */
spor_data *kept_outline(const spor_checkpoint *run, spor_message *message);
/** What the loss does with the costs of the rows; UNSAID: it is not kept. */
spor_reduction kept_reduction(const spor_checkpoint *run);
/** What it computes in; the seed that its split was drawn by. False with a message. */
bool kept_scalar(const spor_checkpoint *run, spor_scalar *scalar, spor_message *message);
bool kept_seed(const spor_checkpoint *run, uint64_t *seed, spor_message *message);
/** The folder of the models that were included; the script's name. NULL: not kept. */
const char *kept_models(const spor_checkpoint *run);
const char *kept_script_name(const spor_checkpoint *run);
/** What --data chose; NULL: nothing. */
const char *kept_choice(const spor_checkpoint *run);
/** The first `most` files of the script, itself first, for a page; how many there are. They live as long as
 *  the run. */
int kept_page_files(const spor_checkpoint *run, int most, page_file file[]);
/** True if the files of the script are on disk as they were kept, or are gone; else the message names
 *  the first that differs, and the line. */
bool kept_script_is_current(const spor_checkpoint *run, spor_message *message);
/** True if these are the files of the script as they were kept, wherever they lie; else the message names
 *  the first that differs, and the line. */
bool kept_script_is(const spor_checkpoint *run, const spor_script *script, spor_message *message);
/** True if the data are those that the run began with. */
bool kept_data_are(const spor_checkpoint *run, const spor_data *data, spor_message *message);
/** True if these are the weights that a run with --weights began with, or if it had none. */
bool kept_weights_are(const spor_checkpoint *run, spor_params *params, spor_scalar scalar,
                      const spor_data *data, spor_message *message);
/** Copies of the files of the script into the run's folder, for people; false with a message. */
bool kept_copy_script(const spor_checkpoint *run, const run_folder *folder, spor_message *message);

/* ---- opened again: open.c ---------------------------------------------------------------------- */

/** A run that was opened, to evaluate it or to predict. Zeros: nothing was. */
typedef struct {
    spor_checkpoint kept;
    spor_options options;
    spor_data *like;     /* what is known of its data; no rows */
    spor_script *script; /* may have script_error */
    spor_model *model;
} opened_run;

/** Opens the folder of a run, or a checkpoint. False with a message; the run is to be closed all the same. */
bool run_open(opened_run *run, const char *path, spor_message *message);
/** Makes its model, with the weights that it tests. False with script_error, the model's error or a
 *  message. */
bool run_model(opened_run *run, spor_message *message);
/** What run_model, which has failed, found wrong. */
const char *run_error(const opened_run *run, const spor_message *message);
/** The epoch whose weights it tests. */
int64_t run_epoch(const opened_run *run);
void run_close(opened_run *run);

/* ---- models of scripts: script.c --------------------------------------------------------------- */

/** A model of what a script declares, where this says shapes and classes; NULL: out of memory. */
spor_model *run_script_model(spor_script *script, const spor_declaration *declared,
                             const spor_data *like, uint64_t seed, const spor_options *options);

#endif
