/*
 * What a script is made of.
 */
#ifndef SPOR_SCRIPT_PRIVATE_H
#define SPOR_SCRIPT_PRIVATE_H

#include "script/dialect.h"

/** A name=value of --set, read. */
typedef struct {
    const char *name; /* interned */
    const spor_syntax *value;
    bool used;
} spor_replacement;

/** A place that prints, and the pass that it speaks in. */
typedef struct spor_printer {
    struct spor_printer *next;
    spor_spot place;
    int pass;
} spor_printer;

struct spor_script {
    spor_arena arena; /* tree, names, globals */
    spor_names names;
    const char *layers;
    const spor_dialect *dialect; /* NULL: plain scripts */
    void *own;                   /* the dialect's */
    spor_source *sources;        /* the last one read first */
    int files;
    const script_file *kept; /* [kept_files] in place of those on disk; NULL: the disk is read */
    int kept_files;
    spor_env *builtins, *prelude, *globals; /* each inside the one before */
    int assigned; /* names that the top level of the script itself assigns */
    const char **assigns;
    int replacements;
    spor_replacement *replacement;
    bool naming; /* values on tapes are called what defs assign them to */
    bool declared;
    spor_declaration declaration;
    spor_value net, loss, optimizer;
    spor_value clip, schedule; /* VALUE_NOTHING: none */
    spor_spot train;           /* where train(...) stands */
    int passes;
    spor_printer *printers;
    char error[4096];
    char trace[2048]; /* calls around the last error of a recording */
};

/** A value whose part of a declaration is filled in by the caller. */
spor_value declare_part(const spor_given *given, spor_value_kind kind);
/** Argument k, what numbers of data are multiplied with: not 0. own.c */
double given_scale(const spor_given *given, int k, double otherwise);
/** Data sets of one's own: what csv(...) and the like say of files. */
spor_value own_csv(const spor_given *given);
spor_value own_npy(const spor_given *given);
spor_value own_idx(const spor_given *given);
spor_value own_mat(const spor_given *given);
spor_value own_npz(const spor_given *given);
/** What arrays in files of one's own have in common; so many words. */
#define SPOR_OWN_WORDS "shape?, classes?, scale?, targets?, standardize?"
enum { SPOR_OWN_COMMON = 5 };
/** A line for people, on the standard error: of the first recording that comes by this place. */
void script_print(spor_pass *run, spor_spot place, char *line);
/** True if the installed layers.spor, not included yet, has a def of this name. */
bool script_layer(spor_pass *run, const char *name);
/** A call that waits for its first arguments. */
struct spor_partial {
    const spor_function *function;
    spor_spot place;   /* of the call */
    int waiting;       /* for how many arguments */
    spor_value *value; /* of the others, in the order of the parameters */
    bool *given;       /* which of them were no defaults */
};

/** True if a call of this would wait. */
bool partial_waits(const spor_pass *run, const spor_value *callee);
/** The call as a value; leaves if its arguments are wrong. */
spor_value partial_make(spor_pass *run, const spor_value *callee, const spor_arguments *arguments);
/** The call with the arguments that it has waited for. */
spor_value partial_call(spor_pass *run, const spor_partial *partial, const spor_value first[]);
/** "sgd(rate=0.1)": what was given. */
const char *partial_text(spor_pass *run, const spor_partial *partial);

/** Runs include "name" in the globals. */
void script_include(spor_pass *run, const spor_syntax *include);

/** Work that may leave by ground_give_up. */
typedef void spor_guarded(spor_pass *run, void *context);
/** Records a part of the update on the tape: settings are known, values get the names that they are
 *  assigned to. On an error the tape has it. */
bool script_record_rule(spor_script *script, spor_tape *tape, spor_guarded *work, void *context);
/** False if the work left with an error. */
bool pass_attempt(spor_pass *run, spor_guarded *work, void *context);
/** The work on a tape while it is differentiated, as a pass with this own; on an error the tape has
 *  it. */
bool script_guard(spor_script *script, spor_tape *tape, void *own, spor_guarded *work,
                  void *context);
/** The error that the work left with: file:line:column: message, the line, a caret, the calls
 *  around. */
void pass_error(spor_pass *run, char *out, size_t size);

#endif
