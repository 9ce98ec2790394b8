/*
 * Texts of others, as a terminal may show them.
 */
#ifndef SPOR_BASE_PLAIN_H
#define SPOR_BASE_PLAIN_H

#include <stddef.h>

/** Length of the UTF-8 sequence at s, 1 to 4, in shortest form and no surrogate; 0 if it is none. */
int utf8_length(const char *s);

/**
 * Puts a ? in the place of all that a terminal obeys and does not show: control characters but tab and
 * line end, C1 ones among them, marks and overrides of direction, separators of lines, and bytes that
 * are no UTF-8. bytes[size] must be 0. Returns the size now, which is no larger; where rest is given, as many
 * bytes lie behind it that begin a character whose end is still to come.
 */
size_t plain_bytes(char *bytes, size_t size, size_t *rest);
/** The same of a whole text. */
void plain_text(char *text);

#endif
