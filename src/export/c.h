/*
 * The words in which an op is written in C: lines of loops over the arrays of its call.
 *
 * A step of a program becomes a function. Its parameters are called as the operands in the op's signature, the
 * result is `out`; all are row-major. What is written may call the functions of export/portable.c.
 */
#ifndef SPOR_EXPORT_C_H
#define SPOR_EXPORT_C_H

#include "kernels/copy.h"
#include "kernels/kernel.h"

/** C under way. */
typedef struct spor_c spor_c;

/** Adds a line, indented by the braces around it. */
void c_line(spor_c *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
/** The loops want so many elements of `scratch`. */
void c_want_scratch(spor_c *c, int64_t elements);
/** "float" or "double". */
const char *c_type(const spor_c *c);

/** A number as C reads it, in the type of the file: "0.5f". */
typedef struct {
    char text[48];
} c_literal;
c_literal c_number(const spor_c *c, double value);

/** Writes the elements of a box of `out`, read from an array called `from`, or, if that is NULL, all this value. */
void c_copy(spor_c *c, const copy_box *box, const char *from, double value);

#endif
