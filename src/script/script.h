/*
 * The script language: a script records. See models/README.md for the language.
 */
#ifndef SPOR_SCRIPT_SCRIPT_H
#define SPOR_SCRIPT_SCRIPT_H

#include <spor/spor.h>

/** What a room adds to the plain language: script/dialect.h. */
typedef struct spor_dialect spor_dialect;

/** --set name=value: replaces the value of a top-level assignment of the script. */
typedef struct {
    const char *name;
    const char *value; /* an expression of the language */
} spor_set;

/**
 * Reads a script and what it includes and runs its top level. layers is the folder of the
 * installed models, searched after the script's own; dialect, or NULL, says what is understood
 * besides the plain language. On error script_error is set (with
 * file:line:column, the line and a caret); NULL only when out of memory.
 */
spor_script *script_load(const char *path, const char *layers, const spor_dialect *dialect, int n,
                         const spor_set settings[]);
/** The same of a text; name stands for the file in messages and says where includes are looked
 *  for. */
spor_script *script_read(const char *name, const char *text, const char *layers,
                         const spor_dialect *dialect);
void script_free(spor_script *script);

/** A file that a script was read from. */
typedef struct {
    const char *file; /* as it was named when it was opened */
    const char *text; /* its text and one line end more */
} script_file;
/** File k of a script, itself first; one without a name if there is none. */
script_file script_file_at(const spor_script *script, int k);
/** script_load from files that were kept, the script itself first, in place of those on disk. */
spor_script *script_load_kept(const char *layers, const spor_dialect *dialect, int n,
                              const spor_set settings[], int files, const script_file file[]);
const char *script_error(const spor_script *script);
/** True of a name that a spor_set may have. */
bool script_assigns(const spor_script *script, const char *name);

enum { SPOR_OWN_FILES = 6 };

/** Files of one's own, as a script names them. */
typedef struct {
    const char *file[SPOR_OWN_FILES]; /* as the script has them; NULL: not given */
    /* Reads them, found; said is what else the script says of them. Columns and classes are found by
     * the names that like has; NULL: what they are is to be seen. */
    spor_data *(*read)(const void *said, const char *const file[], const spor_data *like,
                       spor_message *message);
    const void *said;
    int targets; /* which of the files has the targets; 0: the first has all */
    const struct spor_table_form *form; /* of new samples that are tables; NULL: all is found */
    bool unlabelled;                    /* there are samples alone */
    bool standardize;                   /* by the training rows */
    const char *source;                 /* where the script says so */
    int line, column;
} spor_own_data;

/** What the script's train(...) declares. Strings live as long as the script. */
typedef struct {
    const char *model;          /* name of the net's def */
    const char *data;           /* as the script calls it: "digits", "csv" */
    const struct data_set *set; /* of the table in data/sets.h; NULL: files of one's own */
    const spor_own_data *own;   /* these */
    spor_shape sample; /* shape of one sample as the data source gives it; rank 0: the files say */
    spor_shape y;      /* of targets that are numbers; rank 0: none, or the files say */
    int classes;       /* 0: none, or the files say */
    double scale;      /* of the pixels */
    const char *loss;  /* as written: cross_entropy(reduction="sum") */
    spor_loss *record; /* records it; NULL: it is a def */
    spor_reduction reduction; /* UNSAID: of a def that train(...) says nothing of, */
    const char *loss_source;  /* which stands here */
    int loss_line, loss_column;
    spor_metric metric;    /* metric="loss": none */
    bool target_is_x;      /* target="x": autoencoders */
    const char *optimizer; /* as given: sgd(rate=0.1) */
    const char *clip;      /* likewise; NULL: none */
    const char *schedule;  /* likewise */
    bool adapts;           /* the schedule asks for validation losses */
    int frozen_count;
    const char *const *frozen; /* beginnings of names of parameters that stay as they are */
    int64_t batch, epochs;
    int64_t patience; /* 0: none */
    int64_t threads;  /* 0: as many as there are cores */
} spor_declaration;

/** Where a def's reduction is needed and not known; takes the def's name. */
#define SCRIPT_SAY_REDUCTION                                                                       \
    "train: say what %s does with the costs of the rows: reduction=\"mean\" if it divides by "     \
    "their "                                                                                       \
    "number, as mean(...) does, reduction=\"sum\" if it adds them up"

/** NULL if the script has no train(...). */
const spor_declaration *script_declaration(const spor_script *script);

/** The shape of one target: a row of classes, numbers, or the sample itself; rank 0: the files say. */
spor_shape script_target(const spor_declaration *declared);

/** The network and the loss of the declaration, as train.h wants them; user is the script. Errors
 *  of recording are the tape's, with the script's place. */
spor_var script_net(spor_var x, bool training, void *script);
spor_var script_loss(spor_var prediction, spor_var target, void *script);
/** From now on the values that defs assign to names have these on the tapes of the network and the loss:
 *  "net/cell[0]/i", and the second one of a name in a call, or around it, "net/h_2". */
void script_name_values(spor_script *script);

/** Its optimizer, with its clip; likewise. */
bool script_optimizer(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                      void *script);

/** A moment of a training: the epoch and the step in it that come next, counted from 0, how many there
 *  are, and the validation losses of the epochs until then. */
typedef struct {
    int64_t epoch, step, epochs, steps;
    const double *losses; /* [epoch]; read only by a schedule that adapts */
} spor_moment;

/** The factor of the optimizer's rate in that step by the schedule of the script; 1 if it has none.
 *  False, with script_error, if that is no number >= 0. */
bool script_factor(spor_script *script, const spor_moment *moment, double *factor);

/** True if the script says that a parameter of this name, "net/dense[0]/W", stays as it is: by its name, or
 *  by that of a scope around it, "net/dense[0]". */
bool script_frozen(const char *name, const void *script);
/** True of such a name and one of its scopes, or itself. */
bool script_is_within(const char *name, const char *scope);

/** Records a call of one of the script's defs with these tensors. What else goes for
 *  script_net. */
spor_var script_call(spor_script *script, const char *name, spor_tape *tape, bool training, int n,
                     const spor_var args[]);

/** The same of a def that returns a tensor or up to `most` of them; how many, 0 with the tape's error.
 *  It evaluates, not trains. */
int script_call_all(spor_script *script, const char *name, spor_tape *tape, int n,
                    const spor_var args[], int most, spor_var result[]);
/** Names of the tensors that a def returns in its last line; 0 where they have none. */
int script_results(const spor_script *script, const char *def, int most, const char *name[]);

/** The def whose name a slip of the keyboard turns into this one; NULL if there is none. */
const char *script_nearest_def(const spor_script *script, const char *name);

/** Names of the parameters of a def, the first `most` of them; how many it has, -1 if there is no
 *  such def. */
int script_parameters(const spor_script *script, const char *def, int most, const char *name[]);

/** Adds the source line, a caret and the calls around to a message whose place lies in the
 *  script. out receives at most size bytes. */
void script_explain(const spor_script *script, const char *message, const char *file, int line,
                    int column, char *out, size_t size);

#endif
