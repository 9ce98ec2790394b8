/*
 * A dialect: what a room adds to the plain language. A script is loaded with one, or with none;
 * parser and interpreter know the rooms that have one by this descriptor only.
 *
 * What a dialect parses becomes nodes of the kinds FORM and ACT, which carry how they are evaluated
 * (evaluate) and whatever the room needs for it (own). Scripts and passes hold an `own` for it too.
 */
#ifndef SPOR_SCRIPT_DIALECT_H
#define SPOR_SCRIPT_DIALECT_H

#include "script/interpret.h"

typedef struct spor_parser spor_parser;

/** A statement and the word that it begins with, which no name can be. */
typedef struct {
    const char *word;
    /** The word is the next token. Makes an ACT, whose value is not used. */
    spor_syntax *(*parse)(spor_parser *p);
} spor_statement_form;

/** name(term for ...) */
typedef struct {
    const char *name;
    const char *usage; /* "sum(... for u, v)" */
    /** The name and the term are read, for is the next token. Makes a FORM, with the bracket. */
    spor_syntax *(*parse)(spor_parser *p, const spor_syntax *name, spor_syntax *term);
} spor_for_form;

/** All is given; tables end with NULL in their first field. */
struct spor_dialect {
    const spor_statement_form *statements;
    const spor_for_form *fors;
    const spor_word *words; /* besides those of the plain language */
    const spor_builtin *builtins;
    /** Before the body of a def runs; env has its arguments. What it returns goes to after_call. */
    void *(*before_call)(spor_pass *run, const spor_function *function, spor_env *env);
    /** After the body, with what it returned, which may be replaced; the scope of the call is still open. */
    void (*after_call)(spor_pass *run, const spor_function *function, spor_env *env, void *kept,
                       spor_value *result);
};

#endif
