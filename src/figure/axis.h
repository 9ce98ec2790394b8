/*
 * Numbers along the sides of a frame: where they lie, and how they are written.
 */
#ifndef SPOR_FIGURE_AXIS_H
#define SPOR_FIGURE_AXIS_H

#include "data/text.h"

enum { AXIS_DIGITS = 40 };

/** Decimals of a number, or "1.250e-07", with a full stop in every locale. */
void axis_number(char out[AXIS_DIGITS], double value, int decimals);
/** To so many digits. */
void axis_digits(char out[AXIS_DIGITS], double value, int digits);

/** low lies at `from` and high at `to`, in tenths of a pixel; what is outside lies at the nearer end. */
typedef struct {
    double low, high, step; /* step between the lines */
    int decimals;           /* of the numbers at the lines */
    bool powers;            /* low, high and step are exponents of ten, of which numbers are told */
    int from, to;
} figure_axis;

/** Steps of 1, 2 or 5 times a power of ten, at most 6, from least to most as they are. What is no
 *  range is 0 to 1. */
void axis_cover(figure_axis *axis, double least, double most);
/** The same, widened to whole steps. */
void axis_cover_whole(figure_axis *axis, double least, double most);

int axis_place(const figure_axis *axis, double value);

/** Lines across a frame and their numbers: of a vertical axis from left to right, numbers at the left;
 *  of a horizontal one from top to bottom, numbers below. */
void axis_draw_vertical(spor_text *svg, const figure_axis *axis, int left, int right);
void axis_draw_horizontal(spor_text *svg, const figure_axis *axis, int top, int bottom);

/** Left and lower side of a frame, and what stands along them. */
void axis_draw_sides(spor_text *svg, const figure_axis *x, const figure_axis *y, const char *below,
                     const char *beside);

#endif
