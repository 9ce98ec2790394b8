/*
 * The parser: recursive descent, one token ahead (two for keyword arguments). parser.c holds
 * tokens, words and nodes, expression.c and statement.c the grammar; dialects parse what is theirs
 * with it.
 */
#ifndef SPOR_SCRIPT_PARSER_H
#define SPOR_SCRIPT_PARSER_H

#include "script/dialect.h"
#include "script/lexer.h"

struct spor_parser {
    spor_ground *ground;
    spor_names *names;
    const spor_dialect *dialect; /* NULL: the plain language */
    spor_lexer lexer;
    spor_token token, next;
    int nesting;
    int defs;   /* open ones */
    int blocks; /* open ones of any kind */
    int gaps;   /* open blocks of a dialect in which ... stands for what is still missing */
};

/** Reads a source; leaves by ground_give_up on an error. */
spor_syntax *parse_script(spor_ground *ground, spor_names *names, const spor_dialect *dialect,
                          const spor_source *source);
/** Reads one expression that makes up the whole source. */
spor_syntax *parse_expression(spor_ground *ground, spor_names *names, const spor_dialect *dialect,
                              const spor_source *source);

/* ---- tokens: parser.c ------------------------------------------------------------------------ */

void parser_start(spor_parser *p, spor_ground *ground, spor_names *names,
                  const spor_dialect *dialect, const spor_source *source);
void parser_advance(spor_parser *p);
/** Go on if this is the next token. */
bool parser_take_sign(spor_parser *p, int sign);
bool parser_take_word(spor_parser *p, const char *word);
/** What stands here, for messages. */
const char *parser_found(spor_parser *p);
void parser_expect_sign(spor_parser *p, int sign, const char *where);
/** The sign that closes a bracket opened at this place, on the same line or further down. */
void parser_close_bracket(spor_parser *p, int sign, spor_spot open);
/** A name that is no word of the language; what: "the name of an axis". */
const char *parser_expect_name(spor_parser *p, const char *what);
/** Leaves with a hint if the next token is a word of Python's that has one. */
void parser_refuse_hinted_word(spor_parser *p);
/** True for words that cannot be names. */
bool parser_is_reserved(const spor_parser *p, const spor_token *t);
/** The statement of the dialect that begins with this word, or NULL. */
const spor_statement_form *parser_statement_form(const spor_parser *p, const spor_token *t);
void parser_end_line(spor_parser *p);

/* ---- nodes: parser.c ------------------------------------------------------------------------- */

spor_syntax *parser_node(spor_parser *p, spor_syntax_kind kind, spor_spot place);
/** The second child may be NULL: none. */
spor_syntax *parser_node2(spor_parser *p, spor_syntax_kind kind, spor_spot place, spor_syntax *a,
                          spor_syntax *b);
void parser_add_child(spor_parser *p, spor_syntax *parent, spor_syntax *child);
/** Reads a name as a NAME; what goes for parser_expect_name. */
spor_syntax *parser_name(spor_parser *p, const char *what);
/** The word with a meaning that this name is, or NULL. */
const spor_word *parser_word(const spor_parser *p, const char *name);
/** Room for one more than n elements; arrays have room for the next power of two. */
void *parser_grow(spor_parser *p, void *array, int n, size_t size);
/** Around what nests; leaves if it is too deep. */
void parser_enter(spor_parser *p);
void parser_leave(spor_parser *p);

/* ---- grammar: expression.c, statement.c ------------------------------------------------------ */

spor_syntax *parser_expression(spor_parser *p);
/** a, or a, b as a list */
spor_syntax *parser_expressions(spor_parser *p);
/** x, y in: the names of a loop. */
spor_syntax *parser_targets(spor_parser *p);
/** a + b: an expression without comparisons, and, or, if. */
spor_syntax *parser_sum(spor_parser *p);
/** ":" and a block, or a statement on the same line; where: "after def". */
spor_syntax *parser_block(spor_parser *p, const char *where);
/** [N, 3] after the name of a parameter. */
void parser_signature(spor_parser *p, spor_parameter *parameter);
/** "in a..b" or "in a", if it comes next. */
void parser_range(spor_parser *p, spor_parameter *parameter);
/** Leaves if the two have one name, which the message says of: "is a parameter twice". */
void parser_refuse_twin(spor_parser *p, const spor_parameter *known, const spor_parameter *fresh,
                        const char *says);

#endif
