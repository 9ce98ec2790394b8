/*
 * The commands of spor: one file each, a table in main.c, and what they share.
 */
#ifndef SPOR_CLI_CLI_H
#define SPOR_CLI_CLI_H

#include <stdio.h>

#include "claims/claims.h"
#include "run/places.h"
#include "train/checkpoint.h"

/** Exit statuses. */
enum {
    SPOR_EXIT_DONE = 0,
    SPOR_EXIT_NO = 1, /* the answer is no: training diverged, was stopped */
    SPOR_EXIT_BAD = 2 /* bad usage, bad input, a file that can't be written */
};

typedef struct {
    const char *name;
    const char *operands;              /* as help shows them: "SCRIPT" */
    const char *summary;               /* one line */
    const char *help;                  /* what it does, by example */
    int (*run)(int argc, char **argv); /* argv[0] is the command's name; an exit status */
} spor_command;

extern const spor_command spor_command_train, spor_command_show, spor_command_ops,
    spor_command_bench, spor_command_verify, spor_command_data, spor_command_eval,
    spor_command_predict, spor_command_run, spor_command_sweep, spor_command_export,
    spor_command_import;

/** Prints "spor train: ..." to stderr and returns SPOR_EXIT_BAD. */
int command_fail(const spor_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- options: options.c ------------------------------------------------------------------- */

/** Values of --set name=value in the order given. */
typedef struct {
    int count;
    spor_set setting[64];
    char name[64][64];
} spor_settings;

typedef enum {
    SPOR_OPTION_FLAG,    /* bool */
    SPOR_OPTION_INTEGER, /* int64_t */
    SPOR_OPTION_REAL,    /* double */
    SPOR_OPTION_TEXT,    /* const char * */
    SPOR_OPTION_SETTING  /* spor_settings: name=value, may be repeated and be followed by more */
} spor_option_kind;

/** One line of a command's table of options; the table ends with name NULL. */
typedef struct {
    const char *name;  /* without the dashes */
    const char *value; /* what help calls its value; NULL for flags */
    const char *help;
    spor_option_kind kind;
    void *target;        /* written only if the option is given */
    double least;        /* of integers and reals */
    const char *choices; /* texts: the words allowed, "train infer"; NULL: any */
} spor_option;

/** What options_read answers when the command shall run. */
#define SPOR_EXIT_NOT_YET (-1)

/**
 * Reads options (--name value, --name=value) and operands, at least `least` and at most `most`;
 * missing ones become NULL. Returns SPOR_EXIT_NOT_YET, or the status to leave with: help was
 * shown, or a complaint.
 */
int options_read(const spor_command *command, const spor_option options[], int least, int most,
                 const char *operand[], int argc, char **argv);

/* ---- scripts at work: workpiece.c ------------------------------------------------------------ */

/** A script that was loaded, what its train(...) declares, and its network as a model. */
typedef struct {
    const spor_command *command;
    const char *path;
    const char *models; /* folder of the models that were included */
    spor_script *script;
    spor_declaration declared;
    spor_data *data;         /* NULL: not read yet */
    const char *data_folder; /* of --data NAME:FOLDER; NULL: data are looked for */
    spor_model *model;
} spor_workpiece;

/** Loads a script that need not declare a training; NULL, or what is wrong with it, with the place.
 *  The text lives as long as the workpiece. */
const char *workpiece_read(spor_workpiece *piece, const spor_command *command, const char *path,
                           const spor_settings *settings);
/** The same; false after a complaint. */
bool workpiece_open(spor_workpiece *piece, const spor_command *command, const char *path,
                    const spor_settings *settings);
/** The same of a script that must declare a training. */
bool workpiece_load(spor_workpiece *piece, const spor_command *command, const char *path,
                    const spor_settings *settings);
/** The same of the script, with its settings, that a run keeps. */
bool workpiece_load_kept(spor_workpiece *piece, const spor_command *command,
                         const spor_checkpoint *run);
/** Makes the model in one scalar type. Data are read if they alone say what shape a sample has, or how
 *  many classes there are. */
bool workpiece_model(spor_workpiece *piece, const spor_options *options, uint64_t seed);
/** How many threads run a step: those of --threads, 0: of the script, else as many as there are cores. */
int workpiece_threads(const spor_workpiece *piece, int64_t given);
/** Prints the model's error with the line of the script; returns SPOR_EXIT_BAD. */
int workpiece_complain(const spor_workpiece *piece);
/** The same for a tape that the script recorded on. */
int workpiece_complain_tape(const spor_workpiece *piece, const spor_tape *tape);
/** Prints a text of a place in the script, with its line and a caret. */
void workpiece_complain_at(const spor_workpiece *piece, const char *text, const char *file,
                           int line, int column);
void workpiece_close(spor_workpiece *piece);

/** Shares of the rows that test, and of the rest that validate. */
#define SPOR_TEST_SHARE 0.2
#define SPOR_VALIDATION_SHARE 0.1

/** The data of --data NAME or NAME:FOLDER in the place of the script's; NULL changes nothing. False
 *  after a complaint. */
bool workpiece_choose_data(spor_workpiece *piece, const char *choice);
/** Reads the data set that the script names, once; it is the workpiece's. NULL with a message, and
 *  *missing if its files are nowhere to be found and no folder was given for them. Files of a known set's
 *  form that are not those published give it their folder's name. */
const spor_data *workpiece_read_data(spor_workpiece *piece, bool *missing, spor_message *message);
/** The same; NULL after a complaint. */
const spor_data *workpiece_data(spor_workpiece *piece);
/** Standardizes the data by the rows to train with, if the script asks for it. */
bool workpiece_standardize(spor_workpiece *piece, const spor_split *split, spor_message *message);

/* ---- derivations: derivations.c --------------------------------------------------------------- */

/** Verifies the derivations of a script and trains with them; a status, DONE unless one fails. */
int derivations_accept(spor_script *script, bool quiet);
/** Names the accepted derivations that no call of the recorded network trains with. */
void derivations_tell_unused(const spor_script *script);

/* ---- what a terminal shows ------------------------------------------------------------------- */

enum { SPOR_STREAM_HELD = 3 };

/** A standard stream on its way to where it goes. */
typedef struct {
    int to;
    FILE *plain;                 /* the stream as it was */
    char held[SPOR_STREAM_HELD]; /* the beginning of a character */
    size_t holds;
} spor_stream;

typedef struct {
    spor_stream out, err;
} spor_screen;

/** From now on stdout and stderr hand on no byte that a terminal would obey, whoever prints, and whatever
 *  scripts, file names and data hold. False if out of memory. The screen lives until screen_end, which
 *  gives back the streams as they were. */
bool screen_begin(spor_screen *screen);
void screen_end(spor_screen *screen);
/** Tells the terminal behind stdout to do something, behind what is printed. */
void screen_control(const char *sequence);
/** True if stdout is a terminal that obeys. TERM=dumb is none, nor is one without a name. */
bool screen_is_terminal(void);

/** Characters of a line of the terminal: by $COLUMNS, by itself, or 80. */
int display_width(void);

enum { SPOR_CELL = 224, SPOR_COLUMNS = 8 };

typedef struct {
    int usual;  /* width, if nothing is longer and the terminal is not narrower */
    bool right; /* numbers stand at the right */
} spor_column_look;

/** Prints a table of rows x columns texts, the first row of which is its head, a blank between two columns. Where a
 *  terminal is too narrow for it, the first column is cut. columns.c */
void columns_print(int columns, int rows, char cell[][SPOR_CELL], const spor_column_look look[]);

/** Progress of a training: a live line on a terminal, a few plain lines in a pipe. */
typedef struct {
    bool quiet, live;
    int shown;             /* characters on the live line */
    double from;           /* share of the training that was done before */
    double started, drawn; /* seconds */
} spor_display;

void display_start(spor_display *display, bool quiet, double from);
void display_update(spor_display *display, const spor_progress *progress);
/** Leaves the live line on the screen. */
void display_end(spor_display *display);

/** Metric and loss of rows, "test": accuracy with its interval, and unless quiet the confusion matrix
 *  with recall; or RMSE and R^2. */
void display_evaluation(const spor_evaluation *evaluation, const char *rows, bool quiet);

/** The same of the validation rows: "validation accuracy 0.9375, loss 0.208833", on a line. */
void display_validation(spor_metric metric, const spor_score *score);

/** Flushes standard output. To a reader or a terminal that went away nothing is told any more, and that is
 *  no error. */
void display_flush(void);

/** Seconds of a clock that only goes forward. */
double display_seconds(void);

#endif
