/*
 * spor train: the command line in train.c, the training in training.c, its rate over time in rates.c, going
 * on with one in resume.c, and what it leaves beside its checkpoint in outcome.c.
 */
#ifndef SPOR_CLI_TRAIN_H
#define SPOR_CLI_TRAIN_H

#include "cli/cli.h"
#include "run/run.h"

/** A command line that was read. */
typedef struct {
    const char *script, *out, *data;
    const char *resume, *repeat; /* folders; NULL: not given */
    const char *weights;         /* a file or the folder of a run; NULL: not given */
    int64_t batch, seed, limit;  /* 0: not given; seed 0 is the default */
    int64_t patience, threads;   /* likewise */
    int64_t epochs, split;       /* negative: not given */
    double rate, l2, checkpoint; /* negative: not given */
    bool reference, wide, quiet, test, no_test, force, best;
    spor_settings settings;
} arguments;

/** A training while it goes. */
typedef struct {
    spor_workpiece *piece;
    const arguments *given;
    int argc; /* the command line, to be kept */
    char **argv;
    spor_options options;
    spor_schedule schedule;
    const spor_data *data;
    spor_split split;
    run_folder folder;
    int here;             /* the way back from where the run was begun */
    spor_checkpoint run;  /* where it stands, its history, what is kept of it */
    double saved, saving; /* when a checkpoint was written, and how long it took, in seconds */
    bool save_failed;
    const char *isa;
    spor_named_number setting[SPOR_SUMMARY_SETTINGS]; /* of the optimizer; those with a name */
    spor_display display;
    bool history_failed;
    double rate;           /* the optimizer's, before the factor of the schedule */
    bool tested, complete; /* complete: all that was to be written until now was */
    int64_t epoch;         /* whose weights are those of the model */
    spor_evaluation test;
    spor_seen seen;     /* of the test rows */
    spor_text warnings; /* that were told, a line each */
} training;

/** With no option given. */
extern const arguments train_nothing_given;
/** options_read of spor train. */
int train_read_arguments(arguments *a, int argc, char **argv);
/** Trains a script that was loaded, from the beginning or from what was opened; an exit status. */
int train_run(training *t);
/** Chooses schedule and options and records the training of a script that was loaded: what can be wrong
 *  without its data; false after a complaint. */
bool train_record(training *t);
void train_free(training *t);
/** What the script's schedule makes of the rate, for the training; false after a complaint if it can't. */
bool train_make_schedule(training *t);
/** The seed that the rows to test and to validate are drawn by. */
uint64_t train_split_seed(const arguments *given);
/** Why the training can't go on; NULL: it ended, or was stopped. */
const char *train_failure(const training *t);
/** What was measured of the weights that are the result: of their epoch, or where there is none, before. */
const spor_progress *train_scored(const training *t);
/** The result is the epoch that validated best, not the last one. */
bool train_wants_best(const training *t);

/** A training of what a folder holds: --resume or --repeat; an exit status. */
int train_again(training *t, const arguments *now);

/** Writes all files but the checkpoint, which they are made from; false if one of all can't be written. */
bool outcome_write(training *t);
/** Removes them. */
void outcome_remove(const training *t);

#endif
