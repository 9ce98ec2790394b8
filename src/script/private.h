/*
 * What a script is made of.
 */
#ifndef SPOR_SCRIPT_PRIVATE_H
#define SPOR_SCRIPT_PRIVATE_H

#include "script/interpret.h"

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
    spor_source *sources; /* the last one read first */
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
spor_loss *spor_declared_loss(const char *text);
/** True if the installed layers.spor, not included yet, has a def of this name. */
bool spor_script_layer(spor_pass *run, const char *name);
/** Runs include "name" in the globals. */
void spor_script_include(spor_pass *run, const spor_syntax *include);

#endif
