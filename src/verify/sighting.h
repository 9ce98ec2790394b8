/*
 * A statement that is wrong, as it is seen at several shapes and draws of data, the smallest case and
 * the data shown among them: where hints are tried.
 */
#ifndef SPOR_VERIFY_SIGHTING_H
#define SPOR_VERIFY_SIGHTING_H

#include "verify/verify.h"

enum {
    SIGHTINGS = 10,                     /* shapes, besides the smallest one */
    SIGHTING_DRAWN = 3,                 /* draws of data */
    SIGHTING_DRAWS = SIGHTING_DRAWN + 1 /* and the data shown */
};

/** The statement at one shape, with the data of several draws. */
typedef struct {
    const spor_statement *statement;
    const spor_effort *effort;
    spor_statement fitted; /* records pairs of one shape only */
    spor_trial trial;
    spor_var formula[SPOR_PAIRS]; /* as claimed, of whatever shape */
    bool misfit[SPOR_PAIRS];
    bool usable, smallest, shown; /* shown: draw 0 is the data shown */
    int draws;
    double *data[SIGHTING_DRAWS][SPOR_INPUTS];
    bool wrong[SIGHTING_DRAWS][SPOR_PAIRS];
} sighting;

/** All of them. */
typedef struct {
    const spor_statement *statement;
    const spor_effort *effort;
    int count;
    sighting seen[SIGHTINGS + 1]; /* the smallest one is the last */
} sightings;

/** Finds shapes at which something is wrong, and few at which nothing is. smallest: the case shown.
 *  False only when memory runs out. */
bool sightings_find(sightings *all, const spor_trial *smallest);
void sighting_free(sighting *s);
/** Brings a draw back. */
void sighting_use(sighting *s, int draw);
/** The wrong elements of a pair in the last run; worst: the largest difference. apart, if wanted,
 *  marks those that differ and are not judged. False only when memory runs out. */
bool sighting_count(sighting *s, int pair, bool apart[], int64_t *count, int64_t *worst);
/** The first draw at which the pair is wrong; the number of draws if there is none. */
int sighting_first_wrong(const sighting *s, int pair);
bool sighting_is_wrong(const sighting *s, int pair);

#endif
