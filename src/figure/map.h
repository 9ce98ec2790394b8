/*
 * What a search came to, as a picture.
 */
#ifndef SPOR_FIGURE_MAP_H
#define SPOR_FIGURE_MAP_H

#include <stdint.h>

#include "data/text.h"

/** A name that varies, with its values as they were written. */
typedef struct {
    const char *name;
    int values;
    const char *const *value; /* [values] */
} map_axis;

/** A number for each setting: one value of each name, the last name fastest. */
typedef struct {
    const char *quantity;    /* "validation accuracy" */
    bool rises;              /* more is better */
    bool share;              /* 0 .. 1; else any numbers */
    const char *about;       /* what the numbers are: "mean of 5 seeds" */
    int axes;                /* at least 1 */
    const map_axis *axis;    /* [axes] */
    const double *mean;      /* [settings] NAN: there is none */
    const double *low;       /* [settings] the least of what the mean is of */
    const double *high;      /* [settings] the largest */
    const int64_t *rank;     /* [settings] 0 is the best; what has no mean comes last */
    const char *const *note; /* [settings] a word where there is no mean; NULL: none */
} map_search;

/**
 * One name: means and ranges beside each other, joined by a line. Two: a heat map with the numbers in its
 * cells. More: the heat map of those two whose values differ most in the mean, each cell being the best over
 * the other names, which the picture says. The best one is marked. False: out of memory.
 */
bool map_draw(spor_text *svg, const char *title, const map_search *search);

#endif
