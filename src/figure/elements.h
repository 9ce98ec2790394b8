/*
 * Where an array is wrong: a map of its elements, for a page of HTML.
 */
#ifndef SPOR_FIGURE_ELEMENTS_H
#define SPOR_FIGURE_ELEMENTS_H

#include <spor/base.h>

#include "data/text.h"

/** Most rows and columns of cells; of more elements, a cell shows the worst of several. */
enum { ELEMENTS_MOST = 96 };

/** An array that was judged. */
typedef struct {
    const char *name;  /* "dx" */
    const char *about; /* which case it is: "N=3, C=65" */
    spor_shape shape;
    const double *
        off; /* [elements] 0: right; NAN: not decided; else wrong, as a share of the array's size */
    const char *const *axis; /* names of its axes, or NULL; each may be NULL */
} elements_map;

/** Adds it as SVG that takes its colours from the page: the last axis runs to the right, the others down. */
void elements_draw(spor_text *svg, const elements_map *map);

#endif
