#include "export/c_text.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const char export_portable[]; /* portable.c */

/* ---- lines ---- */

void c_line(spor_c *c, const char *format, ...) {
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= sizeof line) c->text.failed = true;
    if (*line == '}') c->depth--;
    text_add(&c->text, "%*s%s\n", *line ? 4 * c->depth : 0, "", line);
    if (length > 0 && line[length - 1] == '{') c->depth++;
}

void c_want_scratch(spor_c *c, int64_t elements) {
    if (elements > c->scratch) c->scratch = elements;
}

const char *c_type(const spor_c *c) {
    return c->single ? "float" : "double";
}

/* The shortest decimal that reads back as the number; no compiler reads it otherwise. */
c_literal c_number(const spor_c *c, double value) {
    c_literal number;
    char digits[TEXT_DIGITS];
    if (isnan(value)) return (c_literal){"net_not_a_number()"};
    if (isinf(value))
        return value > 0 ? (c_literal){"net_infinity()"} : (c_literal){"-net_infinity()"};
    text_digits(digits, c->single ? (double)(float)value : value, c->single);
    bool whole = !strpbrk(digits, ".e");
    snprintf(number.text, sizeof number.text, "%s%s%s", digits, whole ? ".0" : "",
             c->single ? "f" : "");
    return number;
}

/* ---- terms ---- */

/* While a value is written. */
typedef struct {
    spor_c *c;
    const spor_symbols *symbols;
    const char *name;           /* what is defined */
    int uses[SYMBOL_TERMS];     /* by what is written */
    bool defined[SYMBOL_TERMS]; /* it has a name of its own, name_k */
} terms_written;

static bool is_compound(const spor_term *term) {
    return term->form || term->when;
}

static void count_uses(terms_written *w, spor_symbol of) {
    const spor_term *term = &w->symbols->term[of.at];
    if (w->uses[of.at]++ || !is_compound(term)) return;
    for (int k = 0; k < w->symbols->comparisons; k++) {
        if (!(term->when >> k & 1)) continue;
        for (int side = 0; side < 2; side++) count_uses(w, w->symbols->comparison[k].of[side]);
    }
    bool one = term->form && term->of[0].at == term->of[1].at && !strstr(term->form, "$1");
    for (int side = 0; side < (one ? 1 : 2); side++) count_uses(w, term->of[side]);
}

static void add_operand(const terms_written *w, spor_text *to, spor_symbol of);

/* "$0 + $1" of its terms */
static void add_form(const terms_written *w, spor_text *to, const char *form,
                     const spor_symbol of[]) {
    for (; *form; form++)
        if (*form == '$')
            add_operand(w, to, of[*++form - '0']);
        else
            text_bytes(to, form, 1);
}

static void add_term(const terms_written *w, spor_text *to, const spor_term *term) {
    if (term->form) {
        add_form(w, to, term->form, term->of);
        return;
    }
    const char * or = "";
    for (int k = 0; k < w->symbols->comparisons; k++) {
        if (!(term->when >> k & 1)) continue;
        text_add(to, "%s", or);
        add_form(w, to, w->symbols->comparison[k].form, w->symbols->comparison[k].of);
        or = " || ";
    }
    text_add(to, " ? ");
    add_operand(w, to, term->of[0]);
    text_add(to, " : ");
    add_operand(w, to, term->of[1]);
}

/* In brackets, unless it is one thing. */
static void add_operand(const terms_written *w, spor_text *to, spor_symbol of) {
    const spor_term *term = &w->symbols->term[of.at];
    if (w->defined[of.at]) {
        text_add(to, "%st%d", w->name, of.at);
    } else if (term->name) {
        text_add(to, "%s", term->name);
    } else if (!is_compound(term)) {
        text_add(to, term->number < 0 ? "(%s)" : "%s", c_number(w->c, term->number).text);
    } else {
        bool call = term->form && term->form[strlen(term->form) - 1] == ')';
        text_add(to, call ? "" : "(");
        add_term(w, to, term);
        text_add(to, call ? "" : ")");
    }
}

static void define(terms_written *w, const spor_term *term, const char *name) {
    spor_text value = {0};
    add_term(w, &value, term);
    text_bytes(&value, "", 1);
    w->c->text.failed = w->c->text.failed || value.failed;
    if (!value.failed) c_line(w->c, "const %s %s = %s;", c_type(w->c), name, value.at);
    text_free(&value);
}

void c_define(spor_c *c, const spor_symbols *symbols, spor_symbol value, const char *name) {
    terms_written w = {.c = c, .symbols = symbols, .name = name};
    const spor_term *term = &symbols->term[value.at];
    if (symbols->missing && !c->missing) c->missing = symbols->missing;
    if (symbols->missing) return;
    count_uses(&w, value);
    for (int k = 0; k < value.at; k++) {
        if (w.uses[k] < 2 || !is_compound(&symbols->term[k])) continue;
        char part[64];
        snprintf(part, sizeof part, "%st%d", name, k);
        define(&w, &symbols->term[k], part);
        w.defined[k] = true;
    }
    if (is_compound(term)) {
        define(&w, term, name);
    } else if (term->name) {
        c_line(c, "const %s %s = %s;", c_type(c), name, term->name);
    } else {
        c_line(c, "const %s %s = %s;", c_type(c), name, c_number(c, term->number).text);
    }
}

/* ---- names ---- */

void c_name(const char *from, char *to, size_t size) {
    size_t used = 0;
    for (; *from && used + 1 < size; from++) {
        bool fits = isalnum((unsigned char)*from) && (unsigned char)*from < 128;
        if (!fits && (!used || to[used - 1] == '_' || !from[1])) continue;
        to[used++] = fits ? *from : '_';
    }
    while (used && to[used - 1] == '_') used--;
    to[used] = 0;
}

int c_number_behind(const char *name, const char *wanted) {
    const size_t length = strlen(wanted);
    if (strncmp(name, wanted, length) != 0) return 0;
    if (!name[length]) return 1;
    char *end;
    const long number = name[length] == '_' ? strtol(name + length + 1, &end, 10) : 0;
    return number > 0 && number < INT_MAX && !*end ? (int)number : 0;
}

static bool in_name(int byte) {
    return isalnum(byte) || byte == '_';
}

bool c_has_word(const spor_text *text, const char *name) {
    size_t length = strlen(name);
    for (size_t k = 0; k + length < text->size; k++)
        if (!memcmp(text->at + k, name, length) && !in_name((unsigned char)text->at[k + length]) &&
            (!k || !in_name((unsigned char)text->at[k - 1])))
            return true;
    return false;
}

void c_add_arena(spor_text *text, const char *type, const char *name, size_t count) {
    text_add(text,
             "static %s net_%s_memory[%zu];\n\n/* Its place is read: gcc 12 makes some loops wrong "
             "that go "
             "from one known place of an array to another. */\nstatic %s *net_%s(void) {\n    %s "
             "*volatile place = net_%s_memory;\n    return place;\n}\n\n",
             type, name, count, type, name, type, name);
}

void c_add_arena_place(spor_text *text, const char *type, const char *name, const spor_text *body) {
    if (c_has_word(body, name)) text_add(text, "    %s *%s = net_%s();\n", type, name, name);
}

/* What a compiler is told is the same for every file. */
#define SELF_TEST "NET_SELFTEST"

void c_add_renamed(spor_text *to, const spor_text *from, const char *name) {
    if (from->failed) to->failed = true;
    bool quoted = false;
    for (size_t k = 0; k < from->size && !from->failed;) {
        if (from->at[k] == '"' && (!k || from->at[k - 1] != '\\')) quoted = !quoted;
        bool begins =
            !quoted && (!k || !in_name((unsigned char)from->at[k - 1])) && from->size - k > 4;
        bool lower = begins && !strncmp(from->at + k, "net_", 4);
        bool upper = begins && !strncmp(from->at + k, "NET_", 4) &&
                     strncmp(from->at + k, SELF_TEST, strlen(SELF_TEST)) != 0;
        if (!lower && !upper) {
            text_bytes(to, from->at + k++, 1);
            continue;
        }
        for (const char *at = name; *at; at++) {
            char byte = upper ? (char)toupper((unsigned char)*at) : *at;
            text_bytes(to, &byte, 1);
        }
        k += 3;
    }
}

/* ---- portable.c ---- */

/* A paragraph: its text, the function it defines. */
typedef struct {
    const char *at;
    size_t size;
    char function[40];
    bool wanted;
} paragraph;
enum { PARAGRAPHS = 64 };

/* Where the paragraph ends that begins here. */
static const char *end_of(const char *at) {
    const char *end = strstr(at, "\n\n");
    return end ? end : at + strlen(at);
}

static void name_function(paragraph *p) {
    const char *line = p->at;
    while (strncmp(line, "static ", 7) != 0) line = strchr(line, '\n') + 1;
    const char *name = strstr(line, "net_");
    snprintf(p->function, sizeof p->function, "%.*s", (int)(strchr(name, '(') - name + 1), name);
}

static int split(const char *from, paragraph p[]) {
    int count = 0;
    const char *at = end_of(from);
    while (*at && count < PARAGRAPHS) {
        while (*at == '\n') at++;
        if (!*at) break;
        p[count] = (paragraph){.at = at, .size = (size_t)(end_of(at) - at)};
        name_function(&p[count++]);
        at = end_of(at);
    }
    return count;
}

bool c_is_taken(const char *name) {
    static const char *const own[] = {"net_predict",
                                      "net_scale",
                                      "net_load",
                                      "net_mean",
                                      "net_factor",
                                      "net_weights",
                                      "net_sample",
                                      "net_expected",
                                      "net_allowed",
                                      "net_class_names",
                                      "net_unscale",
                                      "net_INPUTS",
                                      "net_OUTPUTS",
                                      "net_ARENA_BYTES",
                                      "net_WEIGHT_BYTES",
                                      "net_MULTIPLY_ADDS",
                                      "net_H",
                                      "net_t",
                                      "net_SELFTEST",
                                      "net_train",
                                      "net_reset",
                                      "net_parameters",
                                      "net_values",
                                      "net_next",
                                      "net_exported",
                                      "net_begun",
                                      "net_begin",
                                      "net_NEXT",
                                      "net_BATCH",
                                      "net_TARGETS",
                                      "net_PARAMETERS",
                                      "net_steps",
                                      "net_loss",
                                      "net_step_bits",
                                      "net_looked_at",
                                      "net_state",
                                      "net_draw",
                                      "net_draw_batch",
                                      "net_x",
                                      "net_target",
                                      "net_rows_named",
                                      "net_bits_of_all",
                                      "net_test_training",
                                      "net_arena",
                                      "net_arena_memory",
                                      "net_floats",
                                      "net_floats_memory"};
    paragraph p[PARAGRAPHS];
    int count = split(export_portable, p);
    size_t length = strlen(name);
    for (size_t k = 0; k < sizeof own / sizeof own[0]; k++)
        if (!strcmp(own[k], name)) return true;
    for (int k = 0; k < count; k++)
        if (!strncmp(p[k].function, name, length) && p[k].function[length] == '(') return true;
    return false;
}

static bool calls(const char *text, size_t size, const char *function) {
    size_t length = strlen(function);
    for (size_t k = 0; k + length <= size; k++)
        if (text[k] == 'n' && !strncmp(text + k, function, length)) return true;
    return false;
}

/* One line, in the type that is meant. */
static void add_typed(spor_text *to, const char *line, size_t size, bool single) {
    for (size_t k = 0; k < size;) {
        bool begins = !k || !in_name((unsigned char)line[k - 1]);
        size_t length = 0;
        while (begins && k + length < size && in_name((unsigned char)line[k + length])) length++;
        if (length == 4 && !strncmp(line + k, "real", 4))
            text_add(to, single ? "float" : "double");
        else if (length == 5 && !strncmp(line + k, "whole", 5))
            text_add(to, single ? "int32_t" : "int64_t");
        else if (length == 9 && !strncmp(line + k, "NET_LANES", 9))
            text_add(to, single ? "4" : "2");
        else
            text_bytes(to, line + k, length ? length : 1);
        k += length ? length : 1;
    }
    text_add(to, "\n");
}

/* The lines for one type: those of the other stand between #if NET_SINGLE, #else and #endif. */
static void add_paragraph(spor_text *to, const paragraph *p, bool single) {
    int taken = -1; /* not inside of an #if; else, whether lines are for this type */
    for (const char *line = p->at, *next; line < p->at + p->size; line = next + 1) {
        next = memchr(line, '\n', (size_t)(p->at + p->size - line));
        if (!next) next = p->at + p->size;
        if (!strncmp(line, "#if", 3))
            taken = single;
        else if (!strncmp(line, "#else", 5))
            taken = !taken;
        else if (!strncmp(line, "#endif", 6))
            taken = -1;
        else if (taken)
            add_typed(to, line, (size_t)(next - line), single);
    }
    text_add(to, "\n");
}

void c_add_paragraphs(spor_text *to, const char *from, const spor_text *caller, bool single) {
    paragraph p[PARAGRAPHS];
    int count = split(from, p);
    for (int k = count - 1; k >= 0 && !caller->failed; k--) {
        p[k].wanted = calls(caller->at, caller->size, p[k].function);
        for (int by = k + 1; by < count; by++)
            p[k].wanted =
                p[k].wanted || (p[by].wanted && calls(p[by].at, p[by].size, p[k].function));
    }
    for (int k = 0; k < count; k++)
        if (p[k].wanted) add_paragraph(to, &p[k], single);
}

void c_add_portable(spor_text *to, const spor_text *caller, bool single) {
    c_add_paragraphs(to, export_portable, caller, single);
}

/* ---- boxes ---- */

/* "i0 * 20 + i1" of the axes of a box; "0" of none */
static void add_index(const copy_box *box, bool to, int64_t first, char text[], size_t size) {
    size_t used = 0;
    if (first) used += (size_t)snprintf(text, size, "%lld", (long long)first);
    for (int k = 0; k < box->axes && used < size; k++) {
        int64_t step = to ? box->axis[k].to : box->axis[k].from;
        if (box->axis[k].n < 2 || !step) continue;
        const char *sign = !used ? (step < 0 ? "-" : "") : step < 0 ? " - " : " + ";
        int64_t by = step < 0 ? -step : step;
        if (by == 1)
            used += (size_t)snprintf(text + used, size - used, "%si%d", sign, k);
        else
            used +=
                (size_t)snprintf(text + used, size - used, "%si%d * %lld", sign, k, (long long)by);
    }
    if (!used) snprintf(text, size, "0");
}

void c_copy(spor_c *c, const copy_box *box, const char *from, double value) {
    char to_text[256], from_text[256];
    for (int k = 0; k < box->axes; k++)
        if (box->axis[k].n < 1) return;
    for (int k = 0; k < box->axes; k++)
        if (box->axis[k].n > 1)
            c_line(c, "for (int i%d = 0; i%d < %lld; i%d++) {", k, k, (long long)box->axis[k].n, k);
    add_index(box, true, box->to, to_text, sizeof to_text);
    add_index(box, false, box->from, from_text, sizeof from_text);
    if (from)
        c_line(c, "out[%s] = %s[%s];", to_text, from, from_text);
    else
        c_line(c, "out[%s] = %s;", to_text, c_number(c, value).text);
    for (int k = 0; k < box->axes; k++)
        if (box->axis[k].n > 1) c_line(c, "}");
}

void c_add_plain(spor_text *to, const char *from) {
    for (; *from; from++)
        text_add(to, "%c",
                 isalnum((unsigned char)*from) || strchr("._-+ :,[]", *from) ||
                         (*from == '/' && isalnum((unsigned char)from[1]))
                     ? *from
                     : '?');
}

void c_add_numbers(spor_text *text, const spor_c *c, const double value[], int64_t count) {
    for (int64_t k = 0; k < count; k++)
        text_add(text, "%s%s%s", k % 8 ? " " : "\n    ", c_number(c, value[k]).text,
                 k + 1 < count ? "," : "");
    text_add(text, "\n");
}
