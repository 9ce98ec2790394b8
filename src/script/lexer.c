/*
 * The lexer: see lexer.h.
 */
#include "script/lexer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"
#include "data/number.h"

void lexer_start(spor_lexer *lexer, spor_ground *ground, spor_names *names,
                 const spor_source *source) {
    *lexer = (spor_lexer){
        .ground = ground, .names = names, .source = source, .line = 1, .fresh_line = true};
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static const char *here(const spor_lexer *x) {
    return x->source->text + x->at;
}
static bool at_end(const spor_lexer *x) {
    return x->at >= x->source->length;
}

static spor_spot place(const spor_lexer *x) {
    return (spor_spot){x->source, x->line, (int)(x->at - x->line_start) + 1};
}

static void next_line(spor_lexer *x) {
    x->at++;
    x->line++;
    x->line_start = x->at;
}

const char *lexer_sign_text(int sign, char text[4]) {
    text[0] = (char)(sign & 255);
    text[1] = (char)(sign >> 8 & 255);
    text[2] = (char)(sign >> 16 & 255);
    text[3] = 0;
    return text;
}

bool token_is_sign(const spor_token *t, int sign) {
    return t->kind == TOKEN_SIGN && t->sign == sign;
}

bool token_is_word(const spor_token *t, const char *word) {
    return t->kind == TOKEN_NAME && strcmp(t->text, word) == 0;
}

/* Blanks and a comment; within brackets line ends too. */
static void skip_blanks(spor_lexer *x) {
    for (;;) {
        char c = *here(x);
        if (c == ' ' || c == '\r' || c == '\t')
            x->at++;
        else if (c == '#')
            x->at += strcspn(here(x), "\n");
        else if (c == '\n' && x->brackets > 0 && x->at + 1 < x->source->length)
            next_line(x);
        else
            return;
    }
}

/* Reads the indentation of the next line that has more than blanks on it. */
static int indentation(spor_lexer *x) {
    for (;;) {
        size_t spaces = strspn(here(x), " ");
        x->at += spaces;
        const char *c = here(x);
        size_t blank = strspn(c, " \t\r");
        if (c[blank] == '#')
            x->at += blank + strcspn(c + blank, "\n");
        else if (c[blank] == '\n')
            x->at += blank;
        else if (*c == '\t')
            ground_give_up(x->ground, place(x), "a tab in the indentation: indent with spaces");
        else
            return (int)(spaces < 10000 ? spaces : 10000);
        if (at_end(x)) return 0;
        if (*here(x) == '\n') next_line(x);
        if (at_end(x)) return 0;
    }
}

/* Compares the indentation of a fresh line with the open blocks: -n closes n, +1 opens one. */
static void open_or_close(spor_lexer *x, int spaces) {
    if (spaces > x->indent[x->indents]) {
        if (x->indents == SPOR_LIMIT_NESTING)
            ground_give_up(x->ground, place(x), "blocks are nested deeper than %d",
                           SPOR_LIMIT_NESTING);
        x->indent[++x->indents] = spaces;
        x->dedents = -1;
        return;
    }
    while (spaces < x->indent[x->indents]) {
        x->indents--;
        x->dedents++;
    }
    if (spaces != x->indent[x->indents])
        ground_give_up(x->ground, place(x),
                       "this line is indented by %d spaces, which fits no block around it", spaces);
}

static spor_token number(spor_lexer *x) {
    spor_token t = {.place = place(x)};
    const char *start = here(x), *end = start;
    bool real = false;
    while (is_digit(*end)) end++;
    if (*end == '.' && end[1] != '.') {
        real = true;
        end++;
        while (is_digit(*end)) end++;
    }
    if (*end == 'e' || *end == 'E') {
        const char *digits = end + 1 + (end[1] == '+' || end[1] == '-');
        if (is_digit(*digits)) {
            real = true;
            end = digits;
            while (is_digit(*end)) end++;
        }
    }
    int length = (int)(end - start);
    if (is_letter(*end) || (real && *end == '.' && end[1] != '.'))
        ground_give_up(x->ground, t.place, "a number runs into '%c'", *end);
    x->at += (size_t)length;
    errno = 0;
    if (real) {
        t.kind = TOKEN_REAL;
        if (!number_read(start, (size_t)length, &t.r))
            ground_give_up(x->ground, t.place, "this number is too large");
        t.error = literal_error(start, (size_t)length, t.r);
    } else {
        t.kind = TOKEN_INT;
        t.i = strtoll(start, NULL, 10);
        if (errno == ERANGE)
            ground_give_up(x->ground, t.place, "this integer does not fit in 64 bits");
    }
    return t;
}

static char escaped(spor_lexer *x, char c) {
    switch (c) {
    case 'n':
        return '\n';
    case '\\':
    case '"':
    case '\'':
        return c;
    default:
        ground_give_up(x->ground, place(x),
                       "a string knows the escapes \\n \\\\ \\\" \\' and no other");
    }
}

static bool is_tripled(const char *c, char quote) {
    return c[0] == quote && c[1] == quote && c[2] == quote;
}

/* """A text of several lines""", as it stands there: what explains a def. */
static spor_token long_string(spor_lexer *x) {
    spor_token t = {.kind = TOKEN_STRING, .place = place(x)};
    char quote = *here(x);
    x->at += 3;
    const char *start = here(x);
    while (!is_tripled(here(x), quote)) {
        if (at_end(x))
            ground_give_up(x->ground, t.place, "this string does not end: %c%c%c is missing", quote,
                           quote, quote);
        if (*here(x) == '\n')
            next_line(x);
        else
            x->at++;
    }
    t.text = ground_take_text(x->ground, start, (size_t)(here(x) - start));
    x->at += 3;
    return t;
}

static spor_token string(spor_lexer *x) {
    spor_token t = {.kind = TOKEN_STRING, .place = place(x)};
    char quote = *here(x);
    if (is_tripled(here(x), quote)) return long_string(x);
    char text[SPOR_LIMIT_STRING];
    size_t n = 0;
    x->at++;
    while (*here(x) != quote) {
        char c = *here(x);
        if (c == '\n' || at_end(x))
            ground_give_up(x->ground, t.place, "this string does not end on its line");
        if (c == '\\') {
            x->at++;
            c = escaped(x, *here(x));
        }
        if (n == SPOR_LIMIT_STRING)
            ground_give_up(x->ground, t.place, "this string is longer than %d characters",
                           SPOR_LIMIT_STRING);
        text[n++] = c;
        x->at++;
    }
    x->at++;
    t.text = ground_take_text(x->ground, text, n);
    return t;
}

static spor_token name(spor_lexer *x) {
    spor_token t = {.kind = TOKEN_NAME, .place = place(x)};
    size_t n = 0;
    while (is_letter(here(x)[n]) || is_digit(here(x)[n])) n++;
    if (n > SPOR_LIMIT_NAME)
        ground_give_up(x->ground, t.place, "a name is longer than %d characters", SPOR_LIMIT_NAME);
    t.text = ground_intern(x->ground, x->names, here(x), n);
    x->at += n;
    return t;
}

/* The longest sign that stands here; 0 if there is none. */
static int longest_sign(const char *c) {
    static const char signs[][4] = {"//=", "**=", "...", "==", "!=", "<=", ">=", "//",
                                    "**",  "+=",  "-=",  "*=", "/=", "@=", "%=", "->",
                                    "..",  "+",   "-",   "*",  "/",  "%",  "@",  "(",
                                    ")",   "[",   "]",   ",",  ":",  "=",  "<",  ">"};
    for (size_t k = 0; k < sizeof signs / sizeof *signs; k++) {
        size_t n = strlen(signs[k]);
        if (strncmp(c, signs[k], n) == 0)
            return SPOR_SIGN(signs[k][0], signs[k][1], n > 2 ? signs[k][2] : 0);
    }
    return 0;
}

static const char *unknown_hint(char c) {
    switch (c) {
    case ';':
        return ": write one statement a line";
    case '!':
        return ": not is written not";
    case '&':
        return ": and is written and";
    case '|':
        return ": or is written or";
    case '^':
        return ": x to the power of y is x ** y";
    case '.':
        return ": values have no members; call a function, f(x)";
    case '{':
    case '}':
        return ": blocks are made by indentation";
    default:
        return "";
    }
}

/* A character that is none of the language, as it is shown. */
static _Noreturn void refuse_character(spor_lexer *x, spor_spot spot) {
    static const char *const quotes[] = {"\u201c", "\u201d", "\u201e", "\u2018",
                                         "\u2019", "\u00ab", "\u00bb"};
    int length = utf8_length(here(x));
    const char *hint = "";
    if (length < 2)
        ground_give_up(x->ground, spot, "the character with code %d means nothing here",
                       (unsigned char)*here(x));
    for (size_t k = 0; k < sizeof quotes / sizeof *quotes; k++)
        if (!strncmp(here(x), quotes[k], strlen(quotes[k])))
            hint = ": a text stands in plain quotes, \"text\"";
    ground_give_up(x->ground, spot, "'%.*s' means nothing here%s", length, here(x), hint);
}

static spor_token sign(spor_lexer *x) {
    spor_token t = {.kind = TOKEN_SIGN, .place = place(x), .sign = longest_sign(here(x))};
    unsigned char c = (unsigned char)*here(x);
    if (!t.sign && c > 32 && c < 127)
        ground_give_up(x->ground, t.place, "'%c' means nothing here%s", c, unknown_hint((char)c));
    if (!t.sign) refuse_character(x, t.place);
    char text[4];
    x->at += strlen(lexer_sign_text(t.sign, text));
    if (t.sign == '(' || t.sign == '[') x->brackets++;
    if ((t.sign == ')' || t.sign == ']') && x->brackets > 0) x->brackets--;
    return t;
}

/* INDENT or a DEDENT that is due. */
static spor_token block(spor_lexer *x) {
    spor_token t = {.kind = x->dedents < 0 ? TOKEN_INDENT : TOKEN_DEDENT, .place = place(x)};
    x->dedents += x->dedents < 0 ? 1 : -1;
    return t;
}

static spor_token word(spor_lexer *x) {
    char c = *here(x);
    if (is_digit(c) || (c == '.' && is_digit(here(x)[1]))) return number(x);
    if (is_letter(c)) return name(x);
    if (c == '"' || c == '\'') return string(x);
    return sign(x);
}

spor_token lexer_next(spor_lexer *x) {
    if (x->fresh_line) {
        x->fresh_line = false;
        open_or_close(x, indentation(x));
    }
    if (x->dedents != 0) return block(x);
    skip_blanks(x);
    if (at_end(x)) return (spor_token){.kind = TOKEN_END, .place = place(x)};
    if (*here(x) != '\n') return word(x);
    spor_token t = {.kind = TOKEN_NEWLINE, .place = place(x)};
    next_line(x);
    x->fresh_line = true;
    return t;
}
