#include "data/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/plain.h"

void text_free(spor_text *text) {
    free(text->at);
    *text = (spor_text){0};
}

/* Room for size more bytes and a terminating zero. */
static bool text_grow(spor_text *text, size_t size) {
    if (text->failed) return false;
    if (size < text->room - text->size) return true;
    size_t room = text->room ? text->room : 256;
    while (room - text->size <= size && room <= SIZE_MAX / 2) room *= 2;
    char *at = room - text->size > size ? realloc(text->at, room) : NULL;
    if (!at) {
        text->failed = true;
        return false;
    }
    text->at = at;
    text->room = room;
    return true;
}

void text_bytes(spor_text *text, const void *bytes, size_t size) {
    if (!text_grow(text, size)) return;
    if (size) memcpy(text->at + text->size, bytes, size); /* nothing may come from nowhere */
    text->size += size;
    text->at[text->size] = '\0';
}

void text_add(spor_text *text, const char *format, ...) {
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    if (size < 0) text->failed = true;
    if (size >= 0 && text_grow(text, (size_t)size)) {
        vsnprintf(text->at + text->size, (size_t)size + 1, format, again);
        text->size += (size_t)size;
    }
    va_end(again);
    va_end(arguments);
}

static double same_double(double value) {
    return value;
}

static double as_float(double value) {
    return (double)(float)value;
}

/* The shortest decimal that gives the value again once it is rounded so. printf and strtod agree on the point of
 * the locale; the text gets a full stop. */
static void write_number(char digits[TEXT_DIGITS], double value, double round(double)) {
    snprintf(digits, TEXT_DIGITS, "nan");
    for (int precision = 6; !isnan(value) && precision <= 17; precision++) {
        snprintf(digits, TEXT_DIGITS, "%.*g", precision, value);
        double back = round(strtod(digits, NULL));
        if (!(back < value) && !(back > value)) break;
    }
    for (char *c = digits; *c; c++)
        if (!strchr("0123456789+-einfa", *c)) *c = '.';
}

void text_digits(char digits[TEXT_DIGITS], double value, bool single) {
    write_number(digits, value, single ? as_float : same_double);
}

void text_real(spor_text *text, double value) {
    char digits[TEXT_DIGITS];
    text_digits(digits, value, false);
    text_add(text, "%s", digits);
}

void text_float(spor_text *text, float value) {
    char digits[TEXT_DIGITS];
    text_digits(digits, (double)value, true);
    text_add(text, "%s", digits);
}

void text_csv(spor_text *text, const char *field) {
    if (!field[strcspn(field, ",;\t\"\r\n")]) {
        text_add(text, "%s", field);
        return;
    }
    text_add(text, "\"");
    for (; *field; field++) text_add(text, "%s%c", *field == '"' ? "\"" : "", *field);
    text_add(text, "\"");
}

/* Bytes of the first character; what is no UTF-8 is one a byte. */
static int character(const char *s) {
    int length = utf8_length(s);
    return length ? length : 1;
}

int text_width(const char *s) {
    int width = 0;
    for (; *s; s += character(s)) width++;
    return width;
}

int text_bytes_of(const char *s, int most) {
    int bytes = 0;
    for (int width = 0; s[bytes] && width < most; width++) bytes += character(s + bytes);
    return bytes;
}
