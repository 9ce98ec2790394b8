/*
 * What reading and running a script stand on: sources and places in them, memory that is freed as
 * a whole, interned names, and one way out on the first error.
 *
 * Lexer, parser and interpreter run below one setjmp; ground_give_up jumps to it. So no call in
 * between needs to pass errors on, and nothing needs to be freed on the way: all memory is the
 * arena's.
 */
#ifndef SPOR_SCRIPT_GROUND_H
#define SPOR_SCRIPT_GROUND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/arena.h"

/* ---- limits: each has its own message -------------------------------------------------------- */

enum {
    SPOR_LIMIT_SOURCE = 1 << 18, /* bytes of one file */
    SPOR_LIMIT_FILES = 64,       /* files of one script */
    SPOR_LIMIT_NAME = 64,        /* characters of a name */
    SPOR_LIMIT_NESTING = 100,    /* of expressions and blocks */
    SPOR_LIMIT_CALLS = 32,       /* defs that call defs */
    SPOR_LIMIT_STRING = 1000,    /* characters of a string */
    SPOR_LIMIT_NAMES = 1000,     /* names that one def, or the top level, sets */
    SPOR_LIMIT_LIST = 100000,    /* elements of a list */
    SPOR_LIMIT_STEPS = 1000000   /* evaluations of one recording, with list elements and nodes */
};

/* ---- sources --------------------------------------------------------------------------------- */

typedef struct spor_source {
    struct spor_source *next;
    const char *file; /* as messages name it */
    const char *text; /* ends with a newline and 0 */
    size_t length;
    int mark;      /* bytes of a byte order mark before the text */
    bool read;     /* from a file */
    bool included; /* by another file, or known without */
    bool hidden;   /* what it says is not told: it may be no script */
} spor_source;

typedef struct {
    const spor_source *source;
    int line, column; /* from 1; columns are bytes */
} spor_spot;

/* ---- text of bounded size -------------------------------------------------------------------- */

/** Text that is cut where its room ends. */
typedef struct {
    char *out;
    size_t size, used;
} spor_note;

void note_add(spor_note *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void note_addv(spor_note *text, const char *format, va_list list);

/** Adds the line of the place and a caret under the word that stands there. */
void note_point(spor_note *text, spor_spot place);

/* ---- names ----------------------------------------------------------------------------------- */

typedef struct spor_interned spor_interned;

/** Interned names: equal names are one pointer. */
typedef struct {
    spor_interned *bucket[256];
} spor_names;

/* ---- the ground ------------------------------------------------------------------------------ */

typedef struct {
    spor_arena *arena;
    jmp_buf out;
    spor_spot place; /* of the error; without source: none */
    char message[1024];
    bool exhausted; /* the error is that memory ran out */
} spor_ground;

/** Leaves with this error. */
_Noreturn void ground_give_up(spor_ground *ground, spor_spot place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/** Zeroed memory for n elements; never NULL. */
void *ground_take(spor_ground *ground, size_t n, size_t size);
/** A copy of length characters, with a 0. */
char *ground_take_text(spor_ground *ground, const char *text, size_t length);
/** A formatted copy. */
char *ground_take_format(spor_ground *ground, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull));
const char *ground_intern(spor_ground *ground, spor_names *names, const char *text, size_t length);

#endif
