#include "data/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void spor_text_free(spor_text *text) {
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

void spor_text_bytes(spor_text *text, const void *bytes, size_t size) {
    if (!text_grow(text, size)) return;
    memcpy(text->at + text->size, bytes, size);
    text->size += size;
    text->at[text->size] = '\0';
}

void spor_text_add(spor_text *text, const char *format, ...) {
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

/* printf and strtod agree on the point of the locale; the text gets a full stop. */
void spor_text_real(spor_text *text, double value) {
    char digits[40];
    if (isnan(value)) {
        spor_text_add(text, "nan");
        return;
    }
    for (int precision = 6; precision <= 17; precision++) {
        snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (!(strtod(digits, NULL) < value) && !(strtod(digits, NULL) > value)) break;
    }
    for (char *c = digits; *c; c++)
        if (!strchr("0123456789+-einf", *c)) *c = '.';
    spor_text_add(text, "%s", digits);
}

bool spor_trouble(spor_message *message, const char *format, ...) {
    if (!message) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return false;
}
