/*
 * A failing case as a script of its own: the derive or claim held at the sizes of its smallest
 * case, with the defs and names of its file that it needs, and the file's includes.
 */
#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "claims/private.h"

enum { MOST_BLOCKS = 256 };

/* A statement of the top level: its lines up to the next one. */
typedef struct {
    const char *text;
    size_t length, name_length;
    const char *name; /* of a def or an assignment; NULL: an include */
    bool wanted;
} block;

typedef struct {
    block block[MOST_BLOCKS];
    int count;
} page;

/* ---- finding what is needed ---- */

static size_t word_length(const char *text) {
    size_t length = 0;
    while (isalnum((unsigned char)text[length]) || text[length] == '_') length++;
    return length;
}

static bool is_word(const char *text, const char *word) {
    return word_length(text) == strlen(word) && !strncmp(text, word, strlen(word));
}

/* Adds the block if it can be of use; derives, claims and train are not. */
static void add_block(page *p, const char *text, size_t length) {
    for (const spor_statement_form *s = parse_statements; s->word; s++)
        if (is_word(text, s->word)) return;
    if (is_word(text, "train")) return;
    if (p->count == MOST_BLOCKS) return;
    const char *name = is_word(text, "def") ? text + 3 + strspn(text + 3, " ") : text;
    bool include = is_word(text, "include");
    p->block[p->count++] = (block){.text = text,
                                   .length = length,
                                   .name = include ? NULL : name,
                                   .name_length = word_length(name),
                                   .wanted = include};
}

/* Statements begin in the first column with a word. */
static bool begins_block(const char *line) {
    return isalpha((unsigned char)*line) || *line == '_';
}

static const char *next_line(const char *line) {
    const char *end = strchr(line, '\n');
    return end ? end + 1 : line + strlen(line);
}

/* The end of the statement that begins here, without what follows it as comment or empty line. */
static const char *end_of_block(const char *text) {
    const char *end = next_line(text), *line = end;
    for (; *line && !begins_block(line); line = next_line(line))
        if (*line == ' ' || *line == ')' || *line == ']') end = next_line(line);
    return end;
}

static bool mentions(const char *text, size_t length, const block *b) {
    for (const char *at = text; at < text + length;) {
        size_t word = word_length(at);
        if (word && word == b->name_length && !strncmp(at, b->name, word)) return true;
        at += word ? word : 1;
    }
    return false;
}

/* Marks what the text needs, and what that needs. */
static void want(page *p, const char *text, size_t length) {
    for (int k = 0; k < p->count; k++) {
        block *b = &p->block[k];
        if (b->wanted || !b->name || !mentions(text, length, b)) continue;
        b->wanted = true;
        want(p, b->text, b->length);
    }
}

/* ---- holding the sizes ---- */

/* The colon that ends the head: outside brackets and strings. */
static const char *end_of_head(const char *text, const char *end) {
    int depth = 0;
    char quote = 0;
    for (; text < end; text++) {
        if (quote) {
            quote = *text == quote ? 0 : quote;
        } else if (*text == '"' || *text == '\'') {
            quote = *text;
        } else {
            depth += strchr("([{", *text) != NULL;
            depth -= strchr(")]}", *text) != NULL;
            if (*text == ':' && !depth) return text;
        }
    }
    return end;
}

/* The word where outside strings, or NULL. */
static const char *find_where(const char *head, const char *end) {
    char quote = 0;
    for (; head + 7 < end; head++) {
        if (*head == '"') quote = quote ? 0 : '"';
        if (!quote && !strncmp(head, " where ", 7)) return head;
    }
    return NULL;
}

/* N == 2 and p == 0 */
static bool write_sizes(const spor_statement *statement, const int64_t values[], FILE *out) {
    bool any = false;
    for (int k = 0; k < statement->quantities; k++) {
        const spor_quantity *q = &statement->quantity[k];
        if (q->choices) continue;
        fprintf(out, "%s%s == %" PRId64, any ? " and " : "", q->name, values[k]);
        any = true;
    }
    return any;
}

static bool has_sizes(const spor_statement *statement) {
    for (int k = 0; k < statement->quantities; k++)
        if (!statement->quantity[k].choices) return true;
    return false;
}

static void write_head(const spor_statement *statement, const int64_t values[], const char *head,
                       const char *colon, FILE *out) {
    static const char fails[] = " fails";
    size_t length = (size_t)(colon - head), tail = sizeof fails - 1;
    if (length > tail && !strncmp(colon - tail, fails, tail)) colon -= tail;
    const char *where = find_where(head, colon), *end = where ? where : colon;
    fwrite(head, 1, (size_t)(end - head), out);
    bool sizes = has_sizes(statement);
    if (where || sizes) fputs(" where ", out);
    if (where) fprintf(out, "(%.*s)%s", (int)(colon - where - 7), where + 7, sizes ? " and " : "");
    if (sizes) write_sizes(statement, values, out);
}

void claims_case(const spor_script_claim *claim, const int64_t values[], FILE *out) {
    const spor_asserted *a = claim->statement->user;
    const char *text = a->source->place.source->text, *head = text;
    page p = {.count = 0};
    for (int line = 1; line < claim->line; line++) head = next_line(head);
    for (const char *at = text; *at; at = next_line(at))
        if (begins_block(at)) add_block(&p, at, (size_t)(end_of_block(at) - at));
    const char *end = end_of_block(head), *colon = end_of_head(head, end);
    want(&p, head, (size_t)(end - head));
    for (int k = 0; k < p.count; k++)
        if (p.block[k].wanted)
            fprintf(out, "%.*s%s", (int)p.block[k].length, p.block[k].text,
                    p.block[k].name ? "\n" : "");
    write_head(claim->statement, values, head, colon, out);
    fwrite(colon, 1, (size_t)(end - colon), out);
}
