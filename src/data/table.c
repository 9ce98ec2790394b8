/*
 * A file is looked through whole before anything is made of it; what is read afterwards can't fail
 * but in what a field says.
 */
#include "data/table.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/nearest.h"
#include "base/plain.h"
#include "data/gzip.h"
#include "data/number.h"
#include "data/text.h"

/* ---- fields ---- */

static bool is_blank(const spor_table_cursor *c, char byte) {
    return byte == ' ' || (byte == '\t' && c->separator != '\t');
}

static bool is_line_end(char byte) {
    return byte == '\n' || byte == '\r';
}

static void skip_blanks(spor_table_cursor *c) {
    while (c->at < c->end && is_blank(c, *c->at)) c->at++;
}

/* Takes LF, CR LF or CR. */
static void take_line_end(spor_table_cursor *c) {
    if (*c->at == '\r' && c->end - c->at > 1 && c->at[1] == '\n') c->at++;
    c->at++;
    c->line++;
}

static void take_plain(spor_table_cursor *c, spor_field *f) {
    f->text = c->at;
    while (c->at < c->end && *c->at != c->separator && !is_line_end(*c->at)) c->at++;
    const char *end = c->at;
    while (end > f->text && is_blank(c, end[-1])) end--;
    f->size = (size_t)(end - f->text);
}

/* From the opening quote to behind the closing one. */
static bool take_quoted(spor_table_cursor *c, spor_field *f) {
    f->quoted = true;
    f->text = ++c->at;
    while (c->at < c->end) {
        if (is_line_end(*c->at)) {
            take_line_end(c);
        } else if (*c->at++ == '"') {
            if (c->at == c->end || *c->at != '"') {
                f->size = (size_t)(c->at - 1 - f->text);
                return true;
            }
            c->at++;
        }
    }
    return false;
}

/* The separator, the line's end or the file's. False if something else follows a quoted field. */
static bool take_end(spor_table_cursor *c, spor_field *f) {
    skip_blanks(c);
    f->last = c->at == c->end || is_line_end(*c->at);
    c->column = f->last ? 0 : c->column + 1;
    if (c->at == c->end) return true;
    if (!f->last) return *c->at++ == c->separator;
    take_line_end(c);
    return true;
}

typedef enum { FIELD_READ, FIELD_OPEN, FIELD_FOLLOWED } outcome;

static outcome take_field(spor_table_cursor *c, spor_field *f) {
    skip_blanks(c);
    *f = (spor_field){.line = c->line, .column = c->column};
    if (c->at == c->end || *c->at != '"')
        take_plain(c, f);
    else if (!take_quoted(c, f))
        return FIELD_OPEN;
    return take_end(c, f) ? FIELD_READ : FIELD_FOLLOWED;
}

/* A separator that ends the file has an empty field behind it. */
static bool is_at_end(const spor_table_cursor *c) {
    return c->at == c->end && !c->column;
}

static bool is_empty_line(const spor_field *f) {
    return f->last && !f->column && !f->size && !f->quoted;
}

spor_table_cursor table_begin(const spor_table *t) {
    return (spor_table_cursor){t->rows_start, t->end, t->separator, t->first_line, 0};
}

bool table_next(spor_table_cursor *c, spor_field *f) {
    return !is_at_end(c) && take_field(c, f) == FIELD_READ && !is_empty_line(f);
}

/* ---- what is told ---- */

const char *table_shown(const spor_field *f, char out[32]) {
    int size = f->size > 20 ? 20 : (int)f->size;
    snprintf(out, 32, "'%.*s%s'", size, f->text, f->size > 20 ? "..." : "");
    for (char *c = out; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return out;
}

bool table_complain(const spor_table *t, const spor_field *f, spor_message *message,
                    const char *format, ...) {
    char text[768];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return message_complain(message, "%s:%" PRId64 ":%" PRId64 ": %s", t->path, f->line,
                            f->column + 1, text);
}

const char *table_column_text(const spor_table *t, int64_t column, char out[64]) {
    if (t->name && *t->name[column])
        snprintf(out, 64, "%.60s", t->name[column]);
    else
        snprintf(out, 64, "column %" PRId64 " of 0..%" PRId64, column, t->columns - 1);
    return out;
}

bool table_is_missing(const spor_field *f) {
    static const char *const words[] = {"",     "na",   "n/a", "#n/a", "nan",
                                        "null", "none", "?",   "-",    "."};
    for (size_t k = 0; k < sizeof words / sizeof *words; k++)
        if (strlen(words[k]) == f->size && !strncasecmp(words[k], f->text, f->size)) return true;
    return false;
}

/* ---- numbers and texts ---- */

/* A number as the file writes it, with this decimal mark. */
static bool is_number(const spor_field *f, char mark, double *value) {
    char copy[512];
    if (mark != ',') return number_read(f->text, f->size, value);
    if (f->size > sizeof copy || memchr(f->text, '.', f->size)) return false;
    for (size_t k = 0; k < f->size; k++) copy[k] = f->text[k] == ',' ? '.' : f->text[k];
    return number_read(copy, f->size, value);
}

bool table_number(const spor_table *t, const spor_field *f, double *value, spor_message *message) {
    char text[32], column[64];
    double other;
    if (is_number(f, t->decimal, value)) return true;
    table_column_text(t, f->column, column);
    if (table_is_missing(f))
        return table_complain(t, f, message, "%s has no value here%s%s", column,
                              f->size ? ", only " : "", f->size ? table_shown(f, text) : "");
    if (t->decimal != ',' && is_number(f, ',', &other))
        return table_complain(t, f, message,
                              "%s: %s has a decimal comma; if the file's numbers have it, say "
                              "decimal=\",\"",
                              column, table_shown(f, text));
    return table_complain(t, f, message, "%s: %s is not a number", column, table_shown(f, text));
}

char *table_text(const spor_table *t, const spor_field *f, spor_message *message) {
    char *out = malloc(f->size + 1), *to = out;
    if (!out) {
        message_complain(message, "%s: out of memory", t->path);
        return NULL;
    }
    for (size_t k = 0; k < f->size; k++) {
        bool control = (unsigned char)f->text[k] < ' ' || f->text[k] == 127;
        *to++ = control ? ' ' : f->text[k];
        if (f->quoted && f->text[k] == '"') k++;
    }
    *to = 0;
    for (const char *at = out; *at; at += utf8_length(at)) {
        if (utf8_length(at)) continue;
        table_complain(t, f, message, "the text is not UTF-8: save the file as UTF-8");
        free(out);
        return NULL;
    }
    return out;
}

/* Equal names in the order of their columns. */
static int by_name(const void *a, const void *b) {
    char *const *x = *(char **const *)a, *const *y = *(char **const *)b;
    int order = strcmp(*x, *y);
    return order ? order : (x > y) - (x < y);
}

/* Of thousands of names each is looked for. */
static bool sort_names(spor_table *t, spor_message *message) {
    t->sorted = calloc((size_t)t->columns, sizeof *t->sorted);
    if (!t->sorted) return message_complain(message, "%s: out of memory", t->path);
    for (int64_t k = 0; k < t->columns; k++) t->sorted[k] = &t->name[k];
    qsort(t->sorted, (size_t)t->columns, sizeof *t->sorted, by_name);
    return true;
}

/* The first place among the sorted names that is none before this name. */
static int64_t place_of(const spor_table *t, const char *name) {
    int64_t low = 0, high = t->columns;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (strcmp(*t->sorted[middle], name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* -1: the name does not stand there. */
static int64_t column_at(const spor_table *t, int64_t place, const char *name) {
    bool there = place < t->columns && !strcmp(*t->sorted[place], name);
    return there ? (int64_t)(t->sorted[place] - t->name) : -1;
}

int64_t table_column(const spor_table *t, const char *name, spor_message *message) {
    int64_t place = t->name ? place_of(t, name) : 0;
    int64_t found = t->name ? column_at(t, place, name) : -1;
    int64_t other = found < 0 ? -1 : column_at(t, place + 1, name);
    if (other >= 0) {
        message_complain(message,
                         "%s: columns %" PRId64 " and %" PRId64
                         ", counted from 0, are both called \"%.100s\"; say which by number",
                         t->path, found, other, name);
        return -1;
    }
    if (found >= 0) return found;
    if (!t->name) {
        message_complain(message,
                         "%s: no column is called \"%.100s\": the first line has no names; say "
                         "columns by number, from 0, or header=True",
                         t->path, name);
        return -1;
    }
    int known = t->columns > INT32_MAX ? INT32_MAX : (int)t->columns;
    const char *nearest = nearest_name(name, known, (const char *const *)t->name);
    message_complain(message, "%s: no column is called \"%.100s\"%s%.100s%s", t->path, name,
                     nearest ? "; did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?" : "");
    return -1;
}

/* ---- separator ---- */

static const char separators[] = {',', ';', '\t'};
enum { SEPARATORS = sizeof separators };

static const char *separator_text(char separator) {
    return separator == '\t' ? "\"tab\"" : separator == ';' ? "\";\"" : "\",\"";
}

static spor_table_cursor begin_by(const spor_table *t, char separator) {
    spor_table_cursor c = table_begin(t);
    c.separator = separator;
    return c;
}

/* Number of fields of each of the first rows; 0 if they are not the same, or damaged. */
static int64_t fields_by(const spor_table *t, char separator) {
    enum { PROBE = 100 };
    spor_table_cursor c = begin_by(t, separator);
    spor_field f;
    int64_t fields = 0;
    for (int rows = 0; rows < PROBE && table_next(&c, &f); rows += f.last) {
        if (fields && f.last && f.column + 1 != fields) return 0;
        if (f.last) fields = f.column + 1;
    }
    return fields;
}

static bool is_numeric(const spor_field *f) {
    double value;
    return is_number(f, '.', &value) || is_number(f, ',', &value);
}

/* How many of the fields of the second row, or of the only one, are numbers. */
static int64_t numbers_by(const spor_table *t, char separator) {
    spor_table_cursor c = begin_by(t, separator);
    spor_field f;
    int64_t numbers = 0;
    for (int row = 0; row < 2 && table_next(&c, &f); row += f.last) {
        if (!f.column) numbers = 0;
        numbers += is_numeric(&f);
    }
    return numbers;
}

/* Where no separator gives rows of one length, the first row's says which row is wrong. */
static int64_t fields_of_first(const spor_table *t, char separator) {
    spor_table_cursor c = begin_by(t, separator);
    spor_field f = {0};
    while (table_next(&c, &f) && !f.last) continue;
    return f.column + 1;
}

static void guess_separator(spor_table *t) {
    t->separator = separators[0];
    for (int k = 1; k < SEPARATORS; k++)
        if (fields_of_first(t, separators[k]) > fields_of_first(t, t->separator))
            t->separator = separators[k];
}

/* The separator that gives rows of one length, of 2 fields or more; of several the one by which
 * most fields are numbers. */
static bool find_separator(spor_table *t, spor_message *message) {
    int64_t most = -1;
    char rival = 0;
    for (int k = 0; k < SEPARATORS; k++) {
        int64_t numbers = fields_by(t, separators[k]) < 2 ? -1 : numbers_by(t, separators[k]);
        if (numbers < 0 || numbers < most) continue;
        rival = numbers == most ? t->separator : 0;
        t->separator = separators[k];
        most = numbers;
    }
    if (most < 0) guess_separator(t);
    const char *one = separator_text(rival), *other = separator_text(t->separator);
    return !rival || message_complain(message,
                                      "%s:%" PRId64 ":1: %s or %s may separate the fields of this "
                                      "file; say which: separator=%s",
                                      t->path, t->first_line, one, other, one);
}

/* Excel writes and reads a first line "sep=;". What follows "sep=" there, up to the line's end; -1: the line is
 * another one, or has more, as the name of a column would. */
static int said_separator(const spor_table *t) {
    const char *at = t->rows_start, mark[] = "sep=";
    size_t size = (size_t)(t->end - at), length = sizeof mark - 1;
    if (size < length || strncasecmp(at, mark, length) != 0) return -1;
    if (size == length || is_line_end(at[length])) return 0;
    bool ends = size == length + 1 || is_line_end(at[length + 1]);
    return ends ? (unsigned char)at[length] : -1;
}

static bool refuse_separator(const spor_table *t, int said, spor_message *message) {
    char given[32] = "nothing";
    if (said) snprintf(given, sizeof given, said > ' ' && said < 127 ? "'%c'" : "byte %d", said);
    return message_complain(message,
                            "%s:1:5: sep= says which character separates the fields, and that can "
                            "be a comma, a semicolon or a tab but is %s; save the file with one of "
                            "these",
                            t->path, given);
}

/* The rows begin behind such a line, and have the separator that it says. */
static bool take_separator(spor_table *t, spor_message *message) {
    int said = said_separator(t);
    if (said < 0) return true;
    if (!said || !memchr(separators, said, SEPARATORS)) return refuse_separator(t, said, message);
    if (t->separator && t->separator != said)
        return message_complain(message,
                                "%s:1:5: this line says that %s separates the fields, but "
                                "separator=%s is said of the file; one of the two must go",
                                t->path, separator_text((char)said), separator_text(t->separator));
    spor_table_cursor c = {.at = t->rows_start + sizeof "sep=;" - 1, .end = t->end, .line = 1};
    if (c.at < c.end) take_line_end(&c);
    t->separator = (char)said;
    t->rows_start = c.at;
    t->first_line = c.line;
    return true;
}

/* ---- rows and columns ---- */

static const char *field_fault(outcome found) {
    static const char *const faults[] = {
        [FIELD_READ] = NULL,
        [FIELD_OPEN] = "the quote that opens here is never closed",
        [FIELD_FOLLOWED] = "something follows the closing quote of this field; a quote inside of "
                           "quotes is doubled"};
    return faults[found];
}

/* "more" or "fewer" fields than the first row has; NULL: as many, as far as is seen. */
static const char *length_fault(const spor_table *t, const spor_field *f) {
    if (!t->rows) return NULL;
    if (f->column >= t->columns) return "more";
    return f->last && f->column + 1 < t->columns ? "fewer" : NULL;
}

/* What people do that makes a row longer. */
static const char *longer_because(const spor_table *t, const spor_field *f) {
    if (f->column < t->columns) return "";
    if (f->last && !f->size && !f->quoted)
        return ": it ends in a separator, as the first one does not";
    return t->rows == 1 ? "; a line above the table that is no part of it must go" : "";
}

static void count_field(spor_table *t, const spor_field *f) {
    if (!f->last) return;
    t->columns = f->column + 1;
    t->rows++;
}

/* Looks at every field. Empty lines may only end the file. */
static bool measure(spor_table *t, spor_message *message) {
    spor_table_cursor c = table_begin(t);
    spor_field f, empty = {0};
    while (!is_at_end(&c)) {
        const char *fault = field_fault(take_field(&c, &f)), *length = length_fault(t, &f);
        if (fault) return table_complain(t, &f, message, "%s", fault);
        if (is_empty_line(&f)) {
            if (!empty.line) empty = f;
            continue;
        }
        if (empty.line) return table_complain(t, &empty, message, "the line is empty");
        if (length)
            return table_complain(
                t, &f, message, "the row has %s fields than the first one, which has %" PRId64 "%s",
                length, t->columns, longer_because(t, &f));
        count_field(t, &f);
    }
    return t->rows > 0 || message_complain(message, "%s:1:1: the file has no rows", t->path);
}

/* ---- header ---- */

/* A line of names has a text above a number, and no number. What has both is told. */
static bool find_header(const spor_table *t, bool *header, spor_message *message) {
    spor_table_cursor one = table_begin(t), two = one;
    spor_field first, second;
    int64_t names = 0, numbers = 0;
    for (int64_t k = 0; k < t->columns; k++) table_next(&two, &second);
    for (int64_t k = 0; k < t->columns && table_next(&one, &first); k++) {
        bool number = is_numeric(&first);
        numbers += number;
        names += table_next(&two, &second) && !number && !table_is_missing(&first) &&
                 is_numeric(&second);
    }
    *header = names && !numbers;
    return !(names && numbers) ||
           message_complain(message,
                            "%s:%" PRId64
                            ":1: this line has numbers, and texts where the next line "
                            "has numbers; say whether it has the columns' names: header=True or "
                            "header=False",
                            t->path, t->first_line);
}

/* The first row becomes the names. */
static bool take_header(spor_table *t, spor_message *message) {
    spor_table_cursor c = table_begin(t);
    spor_field f;
    t->name = calloc((size_t)t->columns, sizeof *t->name);
    if (!t->name) return message_complain(message, "%s: out of memory", t->path);
    for (int64_t k = 0; k < t->columns && table_next(&c, &f); k++)
        if (!(t->name[k] = table_text(t, &f, message))) return false;
    if (!sort_names(t, message)) return false;
    t->rows_start = c.at;
    t->first_line = c.line;
    return --t->rows > 0 ||
           message_complain(message, "%s: the file has names of columns and no rows", t->path);
}

/* ---- the file ---- */

/* Behind a byte order mark; false if the bytes are no text in UTF-8. */
static bool find_text(spor_table *t, size_t size, spor_message *message) {
    const unsigned char *bytes = t->bytes;
    bool wide = size > 1 && (!memcmp(bytes, "\xff\xfe", 2) || !memcmp(bytes, "\xfe\xff", 2));
    if (wide)
        return message_complain(message, "%s: the file is UTF-16; save it as CSV in UTF-8",
                                t->path);
    if (memchr(bytes, 0, size))
        return message_complain(message, "%s: the file holds a zero byte: it is no text", t->path);
    size_t mark = size > 2 && !memcmp(bytes, "\xef\xbb\xbf", 3) ? 3 : 0;
    t->rows_start = (const char *)bytes + mark;
    t->end = (const char *)bytes + size;
    t->first_line = 1;
    return true;
}

static bool look_through(spor_table *t, const spor_table_form *form, spor_message *message) {
    bool header = form->header > 0;
    return take_separator(t, message) && (t->separator || find_separator(t, message)) &&
           measure(t, message) && (form->header || find_header(t, &header, message)) &&
           (!header || take_header(t, message));
}

bool table_read(spor_table *t, const char *path, const spor_table_form *form,
                spor_message *message) {
    unsigned char *bytes;
    size_t size;
    *t = (spor_table){0};
    return gzip_read_file(path, SPOR_FILE_LIMIT, &bytes, &size, message) &&
           table_take(t, path, bytes, size, form, message);
}

bool table_take(spor_table *t, const char *path, unsigned char *bytes, size_t size,
                const spor_table_form *form, spor_message *message) {
    *t = (spor_table){
        .path = path, .bytes = bytes, .separator = form->separator, .decimal = form->decimal};
    if (find_text(t, size, message) && look_through(t, form, message)) return true;
    table_free(t);
    return false;
}

void table_free(spor_table *t) {
    for (int64_t k = 0; t->name && k < t->columns; k++) free(t->name[k]);
    free(t->name);
    free(t->sorted);
    free(t->bytes);
    *t = (spor_table){0};
}
