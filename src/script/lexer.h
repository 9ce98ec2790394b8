/*
 * Tokens of the language: names, numbers, strings, signs, and the lines and blocks that layout
 * makes (NEWLINE, INDENT, DEDENT).
 */
#ifndef SPOR_SCRIPT_LEXER_H
#define SPOR_SCRIPT_LEXER_H

#include "script/ground.h"

typedef enum {
    TOKEN_END,
    TOKEN_NEWLINE,
    TOKEN_INDENT,
    TOKEN_DEDENT,
    TOKEN_NAME,   /* text is interned; words of the language are names too */
    TOKEN_INT,    /* i */
    TOKEN_REAL,   /* r, error */
    TOKEN_STRING, /* text without quotes */
    TOKEN_SIGN    /* sign */
} spor_token_kind;

/** A sign of up to three characters as a number: SPOR_SIGN('/', '/', 0). */
#define SPOR_SIGN(a, b, c) ((a) | (b) << 8 | (c) << 16)

typedef struct {
    spor_token_kind kind;
    int sign;
    int64_t i;
    double r, error; /* what is written lies within r +- error */
    const char *text;
    spor_spot place;
} spor_token;

typedef struct {
    spor_ground *ground;
    spor_names *names;
    const spor_source *source;
    size_t at, line_start;
    int line;
    int brackets;    /* open ones: line ends within them mean nothing */
    bool fresh_line; /* the indentation of this line is still to be read */
    int indents, dedents;
    int indent[SPOR_LIMIT_NESTING + 1];
} spor_lexer;

void lexer_start(spor_lexer *lexer, spor_ground *ground, spor_names *names,
                 const spor_source *source);
spor_token lexer_next(spor_lexer *lexer);

/** How far the real that is written may be from the double r that it became: 0 if it is r, else one
 *  ulp. */
double literal_error(const char *text, size_t length, double r);

bool token_is_sign(const spor_token *t, int sign);
bool token_is_word(const spor_token *t, const char *word);

/** Writes a sign as its characters. */
const char *lexer_sign_text(int sign, char text[4]);

#endif
