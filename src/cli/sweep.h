/*
 * spor sweep in five files: the command in sweep.c, which trials there are in sweep_space.c, what is there of
 * one in sweep_trial.c, their processes in sweep_engine.c, and what is made of them all in sweep_table.c.
 */
#ifndef SPOR_CLI_SWEEP_H
#define SPOR_CLI_SWEEP_H

#include "cli/train.h"
#include "train/metrics.h"

enum {
    SWEEP_MOST = 10000, /* trials */
    SWEEP_AXES = 69,    /* settings, and lists of options */
    SWEEP_WORDS = 256,
    SWEEP_NAME = 160,
    SWEEP_FOLDER = RUN_PATH - 512
};

/* ---- which trials there are: sweep_space.c ----------------------------------------------------- */

/** An option of train that a sweep hands on to its trials. */
typedef struct {
    const char *name, *value, *help; /* as in spor_option */
    const char *otherwise;           /* its value if none is given; NULL: it is left out */
    bool list;                       /* may have several values, and vary */
    bool beside;                     /* says nothing of what a trial comes to */
} sweep_handed;

enum { SWEEP_HANDED = 14 };
extern const sweep_handed sweep_handed_on[SWEEP_HANDED];

/** A command line that was read. */
typedef struct {
    const char *script, *out, *task, *seeds;
    const char *handed[SWEEP_HANDED]; /* NULL: not given */
    bool flag[SWEEP_HANDED];          /* of those without a value */
    spor_settings settings;
    int64_t jobs; /* 0: not given */
    bool only_list, collect, force, quiet;
} sweep_arguments;

/** A name that varies, with the values it has. */
typedef struct {
    const char *name;
    bool option; /* of train; else the name is the script's */
    int values;
    char **value; /* [values] as they were given */
} sweep_axis;

/** The trials: the product of the values, times the seeds, in the order given, the seed fastest. */
typedef struct {
    const sweep_arguments *given;
    int axes;
    sweep_axis axis[SWEEP_AXES];
    int64_t seeds;
    int64_t *seed;    /* [seeds] */
    int64_t settings; /* trials without their seeds */
    int64_t trials;
    char folder[SWEEP_FOLDER]; /* that has a run's folder for each trial */
} sweep_space;

/** Takes the lists apart; the script says which names are its own. False after a complaint. */
bool space_make(sweep_space *space, const sweep_arguments *given, const spor_script *script);
void space_free(sweep_space *space);

/** The value of an axis in a setting. */
const char *space_value(const sweep_space *space, int64_t setting, int axis);
/** "hidden=10,rate=0.1,seed=0": a file name, the same whatever the order of the options. */
void space_trial_name(const sweep_space *space, int64_t trial, char name[SWEEP_NAME]);
/** Its folder, below that of the sweep; so is the path of a file in it. */
const char *space_trial_file(const sweep_space *space, int64_t trial, const char *file,
                             char path[RUN_PATH]);
/** "hidden=10 rate=0.1", as it was given, of what has several values; cut to the size. */
void space_setting_text(const sweep_space *space, int64_t setting, char *text, size_t size);

/** A command line. */
typedef struct {
    int count;
    int same; /* words before this one, but for the script's name, make the trial what it is */
    char *word[SWEEP_WORDS + 1]; /* the last one is followed by NULL */
    bool failed;                 /* out of memory */
} sweep_words;

/** spor train ... of a trial, from its beginning; word 0 is the command's name. */
void space_begin_words(const sweep_space *space, int64_t trial, sweep_words *words);
/** The same that goes on. */
void space_resume_words(const sweep_space *space, int64_t trial, sweep_words *words);
void words_add(sweep_words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
void words_free(sweep_words *words);

/* ---- what is there of a trial: sweep_trial.c ---------------------------------------------------- */

typedef enum {
    TRIAL_MISSING,
    TRIAL_BEGUN, /* and not finished */
    TRIAL_FAILED,
    TRIAL_FINISHED,
    TRIAL_STATES
} trial_state;

/** What is known of a trial. */
typedef struct {
    trial_state state;
    bool stale; /* it was made by another command, script, or data, and is to be begun anew */
    summary_result summary; /* its failure says why it failed */
} sweep_trial;

/** The state as a word. */
const char *sweep_trial_state_text(trial_state state);
/** Looks at the folder of a trial. */
void sweep_trial_examine(const sweep_space *space, int64_t trial, sweep_trial *t);
/** True unless its folder has a run that this command would not make from this script and these data, or that
 *  has gone on to other epochs; the message says which. */
bool sweep_trial_is_current(const sweep_space *space, int64_t trial, const spor_script *script,
                            const spor_data *data, int64_t epochs, spor_message *message);
/** The command that brings it to its end from where it stands. */
void sweep_trial_words(const sweep_space *space, int64_t trial, const sweep_trial *t,
                       sweep_words *words);
/** Keeps why a trial failed beside its run, if that is possible. */
void sweep_trial_keep_failure(const sweep_space *space, int64_t trial, const char *why);
/** Forgets that, before it is tried again; and of a stale one that it was finished. */
void sweep_trial_forget(const sweep_space *space, int64_t trial, const sweep_trial *t);

/* ---- processes: sweep_engine.c ------------------------------------------------------------------- */

/** The path of this program. */
void engine_program(char path[RUN_PATH]);
/** Runs these trials, `jobs` at a time, in order, and fills in what became of each. False if it was stopped,
 *  or after a complaint. */
bool engine_run(const sweep_space *space, int64_t count, const int64_t trial[], int jobs,
                sweep_trial result[]);

/* ---- table, choice and map: sweep_table.c ---------------------------------------------------------- */

/** What one setting came to over its seeds. */
typedef struct {
    int finished, failed;
    double mean, deviation, low, high; /* of the metric, or of the loss where there is none */
    double loss, loss_deviation;
} sweep_score;

/** All of them. */
typedef struct {
    const char *network;
    const sweep_space *space;
    const sweep_trial *trial; /* [trials] */
    sweep_score *score;       /* [settings] */
    int64_t *order;           /* [settings] best first, those that are not whole behind */
    const metric_kind
        *kind;      /* of what is judged by: a metric, or one without a name for the loss */
    int64_t chosen; /* setting; -1: none is whole */
} sweep_table;

/** False: out of memory. */
bool sweep_table_make(sweep_table *table, const char *network, const sweep_space *space,
                      const sweep_trial trial[]);
void sweep_table_free(sweep_table *table);
/** Prints it, and the choice; of a quiet one the folder of the first trial that was chosen. */
void sweep_table_print(const sweep_table *table);
/** Writes trials.csv, table.csv and map.svg; false after a complaint. */
bool sweep_table_write(const sweep_table *table);

#endif
