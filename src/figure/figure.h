/*
 * Figures as self-contained SVG.
 */
#ifndef SPOR_FIGURE_FIGURE_H
#define SPOR_FIGURE_FIGURE_H

#include <spor/base.h>

/** Accuracies over the epochs; what was not measured is NAN. */
typedef struct {
    const char *title;
    int64_t epochs;
    const double *train, *validation; /* [epochs], 0 .. 1 */
} spor_curves;

/** Both curves over the epochs, the legend with last and best values. */
bool figure_curves(const spor_curves *curves, const char *path, spor_message *message);

/** counts[label * classes + predicted] as a heat map: a row is a true label, its colours are the
 *  shares of its rows. names of the classes, or NULL: they are numbers. */
bool figure_confusion(const char *title, int classes, char *const names[], const int64_t counts[],
                      const char *path, spor_message *message);

#endif
