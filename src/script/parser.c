/*
 * Tokens, words and nodes: see parser.h.
 */
#include "script/parser.h"

#include <string.h>

/* ---- tokens ---------------------------------------------------------------------------------- */

void parser_advance(spor_parser *p) {
    p->token = p->next;
    p->next = lexer_next(&p->lexer);
}

void parser_start(spor_parser *p, spor_ground *ground, spor_names *names,
                  const spor_dialect *dialect, const spor_source *source) {
    *p = (spor_parser){.ground = ground, .names = names, .dialect = dialect};
    lexer_start(&p->lexer, ground, names, source);
    parser_advance(p);
    parser_advance(p);
}

bool parser_take_sign(spor_parser *p, int sign) {
    if (!token_is_sign(&p->token, sign)) return false;
    parser_advance(p);
    return true;
}

bool parser_take_word(spor_parser *p, const char *word) {
    if (!token_is_word(&p->token, word)) return false;
    parser_advance(p);
    return true;
}

const char *parser_found(spor_parser *p) {
    char text[4];
    switch (p->token.kind) {
    case TOKEN_END:
        return "the end of the file";
    case TOKEN_NEWLINE:
        return "the end of the line";
    case TOKEN_INDENT:
        return "a deeper indentation";
    case TOKEN_DEDENT:
        return "the end of the block";
    case TOKEN_NAME:
        return ground_take_format(p->ground, "%s", p->token.text);
    case TOKEN_STRING:
        return "a string";
    case TOKEN_SIGN:
        return ground_take_format(p->ground, "'%s'", lexer_sign_text(p->token.sign, text));
    default:
        return "a number";
    }
}

void parser_expect_sign(spor_parser *p, int sign, const char *where) {
    char text[4];
    if (parser_take_sign(p, sign)) return;
    ground_give_up(p->ground, p->token.place, "expected '%s' %s but found %s",
                   lexer_sign_text(sign, text), where, parser_found(p));
}

void parser_close_bracket(spor_parser *p, int sign, spor_spot open) {
    if (parser_take_sign(p, sign)) return;
    if (p->token.place.line != open.line)
        ground_give_up(p->ground, open,
                       "this bracket is not closed: expected ',' or '%c' but found %s", sign,
                       parser_found(p));
    ground_give_up(p->ground, p->token.place, "expected ',' or '%c' but found %s", sign,
                   parser_found(p));
}

void parser_end_line(spor_parser *p) {
    if (p->token.kind == TOKEN_END) return;
    if (p->token.kind != TOKEN_NEWLINE)
        ground_give_up(p->ground, p->token.place, "expected the end of the line but found %s",
                       parser_found(p));
    parser_advance(p);
}

/* ---- words ----------------------------------------------------------------------------------- */

/* Words that cannot be names, with what to do instead where Python's users would look for them. */
static const struct {
    const char *word, *hint;
} reserved[] = {
    {"and", NULL},
    {"or", NULL},
    {"not", NULL},
    {"if", NULL},
    {"elif", NULL},
    {"else", NULL},
    {"for", NULL},
    {"in", NULL},
    {"def", NULL},
    {"return", NULL},
    {"pass", NULL},
    {"include", NULL},
    {"True", NULL},
    {"False", NULL},
    {"where", NULL},
    {"while", "there is no while, so that every script ends; use for"},
    {"break", "there is no break; use if"},
    {"continue", "there is no continue; use if"},
    {"lambda", "there is no lambda; use def"},
    {"import", "there is no import; use include \"file.spor\""},
    {"from", "there is no import; use include \"file.spor\""},
    {"class", "there are no classes; a layer is a def that makes its parameters"},
    {"None", "there is no None"},
    {"is", "there is no is; use =="},
    {"try", "there are no exceptions"},
    {"raise", "there are no exceptions; use fail(\"message\")"},
    {"assert", "there is no assert; use if and fail(\"message\")"},
    {"with", "there is no with"},
    {"yield", "there is no yield; return a list"},
    {"global", "a def cannot set what is outside it; return it"},
    {"nonlocal", "a def cannot set what is outside it; return it"},
    {"del", "there is no del"},
};

/* Words with a meaning that are names nevertheless: what is bound comes first. */
static const spor_word meanings[] = {
    {"training", pass_training, "training cannot be set: the recording sets it"},
    {NULL, NULL, NULL},
};

static const spor_word *find_meaning(const spor_word *table, const char *name) {
    while (table->text && strcmp(table->text, name) != 0) table++;
    return table->text ? table : NULL;
}

const spor_word *parser_word(const spor_parser *p, const char *name) {
    const spor_word *word = find_meaning(meanings, name);
    return word || !p->dialect ? word : find_meaning(p->dialect->words, name);
}

const spor_statement_form *parser_statement_form(const spor_parser *p, const spor_token *t) {
    const spor_statement_form *form = p->dialect ? p->dialect->statements : NULL;
    while (form && form->word && !token_is_word(t, form->word)) form++;
    return form && form->word ? form : NULL;
}

static int find_reserved(const spor_token *t) {
    int n = sizeof reserved / sizeof *reserved;
    for (int k = 0; k < n; k++)
        if (token_is_word(t, reserved[k].word)) return k;
    return -1;
}

bool parser_is_reserved(const spor_parser *p, const spor_token *t) {
    return find_reserved(t) >= 0 || parser_statement_form(p, t);
}

void parser_refuse_hinted_word(spor_parser *p) {
    int word = find_reserved(&p->token);
    if (word >= 0 && reserved[word].hint)
        ground_give_up(p->ground, p->token.place, "%s", reserved[word].hint);
}

const char *parser_expect_name(spor_parser *p, const char *what) {
    parser_refuse_hinted_word(p);
    if (p->token.kind != TOKEN_NAME)
        ground_give_up(p->ground, p->token.place, "expected %s but found %s", what,
                       parser_found(p));
    if (parser_is_reserved(p, &p->token))
        ground_give_up(p->ground, p->token.place, "%s is a word of the language and cannot be %s",
                       p->token.text, what);
    const char *name = p->token.text;
    parser_advance(p);
    return name;
}

/* ---- nodes ----------------------------------------------------------------------------------- */

spor_syntax *parser_node(spor_parser *p, spor_syntax_kind kind, spor_spot place) {
    spor_syntax *result = ground_take(p->ground, 1, sizeof *result);
    result->kind = kind;
    result->place = place;
    result->depth = 1;
    return result;
}

void *parser_grow(spor_parser *p, void *array, int n, size_t size) {
    if (n & (n - 1)) return array;
    void *grown = ground_take(p->ground, n ? (size_t)n * 2 : 1, size);
    if (n) memcpy(grown, array, (size_t)n * size);
    return grown;
}

void parser_add_child(spor_parser *p, spor_syntax *parent, spor_syntax *child) {
    parent->child = parser_grow(p, parent->child, parent->n, sizeof *parent->child);
    parent->keyword = parser_grow(p, parent->keyword, parent->n, sizeof *parent->keyword);
    parent->child[parent->n++] = child;
    if (child && child->depth >= parent->depth) parent->depth = child->depth + 1;
    if (parent->depth > SPOR_LIMIT_NESTING)
        ground_give_up(p->ground, parent->place,
                       "this is nested deeper than %d; use a variable for a part of it",
                       SPOR_LIMIT_NESTING);
}

spor_syntax *parser_node2(spor_parser *p, spor_syntax_kind kind, spor_spot place, spor_syntax *a,
                          spor_syntax *b) {
    spor_syntax *result = parser_node(p, kind, place);
    parser_add_child(p, result, a);
    if (b) parser_add_child(p, result, b);
    return result;
}

spor_syntax *parser_name(spor_parser *p, const char *what) {
    spor_syntax *result = parser_node(p, NODE_NAME, p->token.place);
    result->text = parser_expect_name(p, what);
    result->word = parser_word(p, result->text);
    return result;
}

void parser_enter(spor_parser *p) {
    if (++p->nesting > SPOR_LIMIT_NESTING)
        ground_give_up(p->ground, p->token.place,
                       "this is nested deeper than %d; use a variable for a part of it",
                       SPOR_LIMIT_NESTING);
}

void parser_leave(spor_parser *p) {
    p->nesting--;
}
