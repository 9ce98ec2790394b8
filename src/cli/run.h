/*
 * A run of spor train: its folder, and what its checkpoint keeps so that it can be repeated.
 */
#ifndef SPOR_CLI_RUN_H
#define SPOR_CLI_RUN_H

#include "cli/cli.h"
#include "train/checkpoint.h"

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
void folder_leave(run_folder *folder);

/* ---- what is kept: keep.c ---------------------------------------------------------------------- */

/** Adds to a new run what it can be repeated by: the command line (argv[0] is the command), the folder
 *  it was given in, the files of the script, size and checksum of the data. False: out of memory. */
bool keep_run(spor_checkpoint *run, const spor_workpiece *piece, const spor_data *data,
              const char *isa, int argc, char **argv);

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
/** Loads the script from the files that were kept; false after a complaint. */
bool kept_script(const spor_checkpoint *run, spor_workpiece *piece, const spor_command *command,
                 const spor_settings *settings);
/** True if the files of the script are on disk as they were kept, or are gone; else the message names
 *  the first that differs, and the line. */
bool kept_script_is_current(const spor_checkpoint *run, spor_message *message);
/** True if these are the files of the script as they were kept, wherever they lie; else the message names
 *  the first that differs, and the line. */
bool kept_script_is(const spor_checkpoint *run, const spor_script *script, spor_message *message);
/** True if the data are those that the run began with. */
bool kept_data_are(const spor_checkpoint *run, const spor_data *data, spor_message *message);
/** Copies of the files of the script into the run's folder, for people; false with a message. */
bool kept_copy_script(const spor_checkpoint *run, const run_folder *folder, spor_message *message);

#endif
