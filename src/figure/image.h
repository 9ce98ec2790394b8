/*
 * Numbers as pixels of a picture.
 *
 * A picture stands in the SVG as a PNG in base64, whose deflate blocks are stored as they are. That is
 * the simplest form of bounded size: four characters a pixel, whatever is on it. A rectangle for each
 * pixel is ten times that, and of rectangles for runs of one colour noise has as many. Pixels are shown
 * as squares; for viewers that smooth pictures all the same, those of small ones are repeated, so that
 * they stay squares there, too.
 */
#ifndef SPOR_FIGURE_IMAGE_H
#define SPOR_FIGURE_IMAGE_H

#include <spor/base.h>
#include "data/text.h"

typedef struct {
    unsigned char r, g, b;
} figure_colour;

/** a + t (b - a), t in 0 .. 1. */
figure_colour colour_blend(figure_colour a, figure_colour b, double t);

/** The colours of what is right and what is wrong, of numbers below 0 and above it. */
extern const figure_colour colour_white, colour_blue, colour_orange;

/** A place in the figure, in tenths of a pixel. */
typedef struct {
    int x, y, width, height;
} figure_box;

/** Colours [rows, columns], each in a rectangle of its own, which together fill the box. */
void image_place(spor_text *svg, const figure_box *box, int columns, int rows,
                 const figure_colour pixel[]);

/** Numbers [height, width, channels] of a picture, row-major; channels are 1, or 3: red, green, blue. */
typedef struct {
    int64_t height, width;
    int channels;
} image_size;

/** Most pixels along a side: of a larger picture every k-th one is drawn. Those of pictures below half
 *  of it are repeated. */
enum { IMAGE_SIDE = 64 };
/** That k. */
int64_t image_step(const image_size *size);

/** Which numbers are black and white; or, of signed ones, blue and orange, where 0 is white. */
typedef struct {
    bool is_signed;
    double low, high; /* low > high: no number was seen */
    bool others;      /* some were seen that are not finite, which are drawn green */
} image_scale;

/** One that has seen no number. */
image_scale image_no_scale(bool is_signed);
/** Widens it to cover these numbers. Of signed ones low is -high. */
void image_cover(image_scale *scale, const double number[], int64_t count);

/** A picture in the middle of the box, its pixels as squares. */
void image_draw(spor_text *svg, const figure_box *box, const image_size *size,
                const double number[], const image_scale *scale);

#endif
