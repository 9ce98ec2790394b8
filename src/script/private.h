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

struct spor_script {
    spor_arena arena; /* tree, names, globals */
    spor_names names;
    const char *layers;
    const spor_dialect *dialect; /* NULL: plain scripts */
    void *own;                   /* the dialect's */
    spor_source *sources;        /* the last one read first */
    int files;
    spor_env *builtins, *globals;
    int replacements;
    spor_replacement *replacement;
    bool declared;
    spor_declaration declaration;
    spor_value net, loss;
    spor_spot train; /* where train(...) stands */
    char error[4096];
    char trace[2048]; /* calls around the last error of a recording */
};

/** The built-in loss of this text, or NULL. */
spor_loss *declare_find_loss(const char *text);
/** True if the installed layers.spor, not included yet, has a def of this name. */
bool script_layer(spor_pass *run, const char *name);
/** Runs include "name" in the globals. */
void script_include(spor_pass *run, const spor_syntax *include);

/** Work that may leave by ground_give_up. */
typedef void spor_guarded(spor_pass *run, void *context);
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
