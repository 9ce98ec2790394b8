/*
 * C under way: lines, names, numbers, and the paragraphs of portable.c that are called.
 */
#ifndef SPOR_EXPORT_C_TEXT_H
#define SPOR_EXPORT_C_TEXT_H

#include "data/text.h"
#include "export/c.h"
#include "kernels/symbol.h"

struct spor_c {
    spor_text text;
    int depth; /* of braces */
    bool single;
    int64_t scratch;     /* elements wanted since it was 0 */
    const char *missing; /* the first word of an op that has no C */
};

/** Defines const `name` as what the symbol stands for. */
void c_define(spor_c *c, const spor_symbols *symbols, spor_symbol value, const char *name);

/** A name of C, of letters, digits and _ of a text: at most size - 1 characters. */
void c_name(const char *from, char *to, size_t size);

/** Adds what of a text may stand in a comment. */
void c_add_plain(spor_text *to, const char *from);

/** Adds numbers in rows of eight, with commas between them. */
void c_add_numbers(spor_text *text, const spor_c *c, const double value[], int64_t count);

/** True if the name stands in the text. */
bool c_has_word(const spor_text *text, const char *name);

/** Adds the array in which what is on the way lies, of so many elements, and net_<name>(), which gives its place. */
void c_add_arena(spor_text *text, const char *type, const char *name, size_t count);
/** Adds the place to a function whose text has that name. */
void c_add_arena_place(spor_text *text, const char *type, const char *name, const spor_text *body);

/** True of what a file defines whatever the network: functions of portable.c, and those around the steps. */
bool c_is_taken(const char *name);

/** k of a name "wanted_k", 1 of "wanted" itself, 0 of others: where to go on, so that not all are tried again. */
int c_number_behind(const char *name, const char *wanted);

/** Adds the paragraphs of portable.c that a text calls, to its front. */
void c_add_portable(spor_text *to, const spor_text *calls, bool single);

/** The same of the paragraphs of another text, whose first one says what they are. */
void c_add_paragraphs(spor_text *to, const char *from, const spor_text *calls, bool single);

/** Adds a text in which net_ and NET_ are the prefix of a file, but in strings: name_ and NAME_. */
void c_add_renamed(spor_text *to, const spor_text *from, const char *name);

#endif
