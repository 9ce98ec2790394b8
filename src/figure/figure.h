/*
 * Figures as self-contained SVG.
 */
#ifndef SPOR_FIGURE_FIGURE_H
#define SPOR_FIGURE_FIGURE_H

#include <spor/base.h>

/** One quantity over the epochs; what was not measured is NAN. */
typedef struct {
    const char *name;                 /* at its axis: "loss" */
    bool rises;                       /* more is better */
    bool share;                       /* 0 .. 1; else any numbers */
    const double *train, *validation; /* [epochs] */
} spor_curves;

/** n quantities, one frame each, the last one on top; legends with last and best values. */
bool figure_curves(const char *title, int64_t epochs, int n, const spor_curves curves[],
                   const char *path, spor_message *message);

/** counts[label * classes + predicted] as a heat map: a row is a true label, its colours are the
 *  shares of its rows. names of the classes, or NULL: they are numbers. */
bool figure_confusion(const char *title, int classes, char *const names[], const int64_t counts[],
                      const char *path, spor_message *message);

#endif
