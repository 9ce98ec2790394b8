/*
 * Figures as self-contained SVG: each adds one picture to a text, for a file or a page. They are
 * functions of plain arrays, and of bounded size whatever these are.
 */
#ifndef SPOR_FIGURE_FIGURE_H
#define SPOR_FIGURE_FIGURE_H

#include <spor/base.h>
#include "data/text.h"
#include "figure/image.h"

/** One quantity over the epochs; what was not measured is NAN. */
typedef struct {
    const char *name;                 /* at its axis: "loss" */
    bool rises;                       /* more is better */
    bool share;                       /* 0 .. 1; else any numbers */
    const double *train, *validation; /* [epochs] */
} spor_curves;

/** Most epochs whose numbers are drawn: of more, every k-th and the last; the figure says so. */
enum { CURVES_MOST = 1000 };

/** n quantities, one frame each, the last one on top; legends with the values at the end and in the
 *  best epoch, from 1, which is marked in each frame; 0: there is none. */
void figure_curves(spor_text *svg, const char *title, int64_t epochs, int64_t best, int n,
                   const spor_curves curves[]);

/** Most classes of a confusion matrix. */
enum { CONFUSION_MOST = 1000 };

/** counts[label * classes + predicted] as a heat map: a row is a true label, its colours are the
 *  shares of its rows. names of the classes, or NULL: they are numbers. False: out of memory. */
bool figure_confusion(spor_text *svg, const char *title, int classes, char *const names[],
                      const int64_t counts[]);

enum { TILE_LINES = 3 };

/** A picture with lines of text below. */
typedef struct {
    const double *number; /* of the picture, which has its group's size; NULL: there is none */
    const char *line[TILE_LINES]; /* NULL: there is none */
} figure_tile;

/** Tiles of one size, whose pictures share a scale of their numbers. */
typedef struct {
    const char *heading; /* above them, before what the scale is; NULL: none */
    image_size size;     /* of the pictures; height 0: there are none */
    bool is_signed;      /* 0 is white */
    int columns, count;
    const figure_tile *tile; /* [count] */
} figure_group;

/** Groups of tiles below each other. */
void figure_tiles(spor_text *svg, const char *title, const char *about, int groups,
                  const figure_group group[]);

/** Numbers that were to be predicted, and what was. */
typedef struct {
    const char *name; /* of the target */
    int64_t count;
    const double *truth, *predicted; /* [count] */
} figure_residuals;

/** Most points of one target that make a figure of sensible size. */
enum { RESIDUALS_MOST = 1000 };

/** For each of n targets a row of two frames: predicted against true, and what is left, predicted minus
 *  true, against predicted. note: a line below the title, or NULL. */
void figure_residuals_draw(spor_text *svg, const char *title, const char *note, int n,
                           const figure_residuals target[]);

#endif
