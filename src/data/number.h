/*
 * Decimal numbers, read strictly and alike in every locale.
 */
#ifndef SPOR_DATA_NUMBER_H
#define SPOR_DATA_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

/**
 * Reads all of text[0 .. size) as [-+]digits[.digits][e[-+]digits], with digits on at least one
 * side of the point. False if it is anything else, or too large for a double.
 */
bool number_read(const char *text, size_t size, double *value);

#endif
