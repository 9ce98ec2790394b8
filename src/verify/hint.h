/*
 * Hints: which change to the right numbers makes the wrong ones? A reading is such a change,
 * recorded on the tape beside what is right: numbers.c has those of the expected numbers,
 * backward.c those of the way back from dy, rewrite.c those of the right formula; repair.c changes
 * the wrong formula until it is right. hint.c says a reading only if it reproduces the numbers,
 * within both error bounds, wherever it is tried.
 */
#ifndef SPOR_VERIFY_HINT_H
#define SPOR_VERIFY_HINT_H

#include "verify/verify.h"

enum { HINT_TEXT = 200, HINT_MOST = 800 };

/** "dY is forgotten": what was done if both variables have the same numbers. */
typedef struct {
    char text[HINT_TEXT];
    spor_var left, right;
} hint_reading;

/** What may be said of a pair, with what speaks for it. */
typedef struct {
    int count;
    struct {
        char text[HINT_TEXT];
        bool out, fact;    /* contradicted somewhere; a fact, not a reading */
        int shapes, draws; /* that it explains, where something is wrong */
    } say[HINT_MOST];
} hint_tally;

/** A fact about wrong numbers beside right ones. */
typedef struct {
    char text[HINT_TEXT];
    bool tells; /* false: it can't be otherwise at this shape */
} hint_fact;
enum { HINT_FACTS = 64 };
/** The facts of a picture: a factor, where it is wrong. Returns their number; -1: out of memory. */
int pattern_facts(const spor_picture *picture, hint_fact fact[HINT_FACTS]);

/** A pair at one shape, whose readings are being recorded. */
typedef struct {
    spor_tape *tape;
    const spor_statement *statement;
    const int64_t *value;
    const spor_instance *in;
    spor_var formula, expected;
    spor_var of;               /* whose gradient is claimed; id 0: none is */
    const char *const *axis;   /* names of expected's axes, NULL where there is none */
    const hint_tally *allowed; /* NULL: all */
    bool slides;               /* an op of the tape moves windows or pads */
    bool failed;               /* memory ran out */
    int count;
    hint_reading *reading; /* HINT_MOST of them */
} hint_site;

/** Opens a reading: false if it is not to be recorded. */
bool hint_open(hint_site *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** What the reading that is open says. Without a variable, or of two shapes, it is dropped. */
void hint_close(hint_site *s, spor_var left, spor_var right);

/** Records readings, the more specific ones first. */
void numbers_simple(hint_site *s);
void numbers_moved(hint_site *s);
void numbers_of_another_shape(hint_site *s);
void backward_cotangent(hint_site *s);
void backward_slopes(hint_site *s);
void backward_shares(hint_site *s);
void rewrite_readings(hint_site *s);
/** Readings of the wrong formula, which is right but for one edit: tried if no other is said. */
void repair_readings(hint_site *s);

/** Records a node if its shape rule allows it; the tape keeps no error. */
bool rewrite_record(spor_tape *tape, const spor_op *op, const uint32_t in[], const spor_attr attr[],
                    spor_var *made);
/** root with a node in it replaced; id 0 if that has no shape. */
spor_var rewrite_replaced(hint_site *s, spor_var root, uint32_t from, spor_var by);
/** " (line 7)", or "" without a place. */
const char *hint_line(const spor_node *node, char text[32]);
/** "axis N", "axes 0 and 2": those of the mask. */
const char *hint_axes(const char *const name[], int64_t mask, char *text, size_t size);
enum { HINT_AXES = 128 }; /* room for it */

/** Names of the axes of an input of the instance, or of what has its gradient; NULL: none. */
const char *const *axes_of(const spor_instance *in, int input);

#endif
