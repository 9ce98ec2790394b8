/*
 * Sources, memory, names and the way out: see ground.h.
 */
#include "script/ground.h"

#include <stdio.h>
#include <string.h>

#include "base/plain.h"

/* ---- text ------------------------------------------------------------------------------------ */

void note_addv(spor_note *text, const char *format, va_list list) {
    if (text->used + 1 >= text->size) return;
    size_t room = text->size - text->used;
    int n = vsnprintf(text->out + text->used, room, format, list);
    if (n <= 0) return;
    plain_text(text->out + text->used);
    text->used += strlen(text->out + text->used);
}

void note_add(spor_note *text, const char *format, ...) {
    va_list list;
    va_start(list, format);
    note_addv(text, format, list);
    va_end(list);
}

/* The line of a place, without its newline. */
static const char *line_of(spor_spot place, int *length) {
    const char *line = place.source->text;
    for (int k = 1; k < place.line; k++) {
        const char *end = strchr(line, '\n');
        if (!end || !end[1]) break;
        line = end + 1;
    }
    *length = (int)strcspn(line, "\n");
    if (*length && line[*length - 1] == '\r') --*length;
    return line;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* How much of the line the caret underlines: a word, number or string, else one character. */
static int word_length(const char *at, int room) {
    int n = 0;
    if (room > 0 && (*at == '"' || *at == '\'')) {
        const char *end = memchr(at + 1, *at, (size_t)room - 1);
        return end ? (int)(end - at) + 1 : room;
    }
    bool number = *at >= '0' && *at <= '9';
    while (n < room && (is_word(at[n]) || (number && at[n] == '.'))) n++;
    return n > 0 ? n : 1;
}

void note_point(spor_note *text, spor_spot place) {
    enum { WIDTH = 120 };
    if (!place.source || place.line < 1 || place.column < 1) return;
    int length, column = place.column - 1;
    const char *line = line_of(place, &length);
    if (column > length) column = length;
    int first = column > WIDTH / 2 && length > WIDTH ? column - WIDTH / 2 : 0;
    int shown = length - first < WIDTH ? length - first : WIDTH;
    note_add(text, "\n      %.*s\n      ", shown, line + first);
    for (int k = first, n; k < column; k += n ? n : 1) {
        n = utf8_length(line + k);
        note_add(text, line[k] == '\t' ? "\t" : " ");
    }
    int n = word_length(line + column, first + shown - column);
    note_add(text, "^");
    for (int k = 1; k < n; k++) note_add(text, "~");
}

/* ---- the way out ----------------------------------------------------------------------------- */

void ground_give_up(spor_ground *ground, spor_spot place, const char *format, ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(ground->message, sizeof ground->message, format, list);
    va_end(list);
    plain_text(ground->message);
    ground->place = place;
    longjmp(ground->out, 1);
}

void *ground_take(spor_ground *ground, size_t n, size_t size) {
    if (n == 0) n = 1;
    void *result = size > SIZE_MAX / n ? NULL : arena_take(ground->arena, n * size);
    ground->exhausted = ground->exhausted || !result;
    if (!result) ground_give_up(ground, (spor_spot){0}, "out of memory");
    return result;
}

char *ground_take_text(spor_ground *ground, const char *text, size_t length) {
    char *copy = ground_take(ground, length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

char *ground_take_format(spor_ground *ground, const char *format, ...) {
    va_list list;
    char start[1];
    va_start(list, format);
    int n = vsnprintf(start, sizeof start, format, list);
    va_end(list);
    if (n < 0) n = 0;
    char *text = ground_take(ground, (size_t)n + 1, 1);
    va_start(list, format);
    vsnprintf(text, (size_t)n + 1, format, list);
    va_end(list);
    return text;
}

/* ---- names ----------------------------------------------------------------------------------- */

struct spor_interned {
    spor_interned *next;
    char text[];
};

const char *ground_intern(spor_ground *ground, spor_names *names, const char *text, size_t length) {
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t k = 0; k < length; k++) hash = (hash ^ (unsigned char)text[k]) * 16777619u;
    spor_interned **bucket = &names->bucket[hash % 256];
    for (spor_interned *e = *bucket; e; e = e->next)
        if (strncmp(e->text, text, length) == 0 && !e->text[length]) return e->text;
    spor_interned *fresh = ground_take(ground, 1, sizeof *fresh + length + 1);
    memcpy(fresh->text, text, length);
    fresh->next = *bucket;
    *bucket = fresh;
    return fresh->text;
}
