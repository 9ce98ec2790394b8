/*
 * A text that grows: what the writers of CSV, JSON and SVG write into before the file is touched.
 */
#ifndef SPOR_DATA_TEXT_H
#define SPOR_DATA_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/** Zero-initialised it is empty. After failed was set (out of memory) further writes do nothing. */
typedef struct {
    char *at;
    size_t size, room;
    bool failed;
} spor_text;

void text_free(spor_text *text);
void text_bytes(spor_text *text, const void *bytes, size_t size);
void text_add(spor_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** Bytes of a number in decimals at most. */
enum { TEXT_DIGITS = 40 };
/** The shortest decimal that reads back as the same double or float, with a point in every locale. */
void text_digits(char digits[TEXT_DIGITS], double value, bool single);
/** The shortest decimal that reads back as the same double, with a point in every locale. */
void text_real(spor_text *text, double value);

/** The same of a float. */
void text_float(spor_text *text, float value);
/** A field of a CSV file: in quotes where it must be. */
void text_csv(spor_text *text, const char *field);

/** Characters of a text in UTF-8. */
int text_width(const char *s);
/** Bytes of its first characters, at most `most` of them. */
int text_bytes_of(const char *s, int most);

#endif
