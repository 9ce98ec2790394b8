/*
 * SVG as text. Coordinates are integers, tenths of a pixel, so that no locale can spoil them.
 */
#ifndef SPOR_FIGURE_SVG_H
#define SPOR_FIGURE_SVG_H

#include "data/text.h"

/** Begins a picture of width x height pixels on white, with a title and a description for
 *  readers that speak. */
void svg_begin(spor_text *svg, int width, int height, const char *title, const char *about);
void svg_end(spor_text *svg);

/**
 * A line of text at (x, y), escaped. look is a class of the style sheet: title, axis, tick, legend,
 * cell or small; anchor is start, middle or end; colour as #rrggbb.
 */
void svg_label(spor_text *svg, int x, int y, const char *look, const char *anchor,
               const char *colour, const char *format, ...) __attribute__((format(printf, 7, 8)));

/** A text on one line, escaped. */
void svg_escaped(spor_text *svg, const char *text);
/** The same of several lines. */
void svg_escaped_lines(spor_text *svg, const char *text);

/** The colours of figures: distinct for colour-blind eyes too, and dark enough on white. */
#define SPOR_INK "#222222"
#define SPOR_FAINT "#5f6368"
#define SPOR_BLUE "#0060a8"
#define SPOR_ORANGE "#c24e00"

#endif
