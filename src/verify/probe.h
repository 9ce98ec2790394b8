/*
 * Probes: few cases of a def that decide whether code which computes it is right. Sizes differ, are 1, lie around
 * the size of a block; numbers are dyadic and short, so that bfloat16 holds them.
 */
#ifndef SPOR_VERIFY_PROBE_H
#define SPOR_VERIFY_PROBE_H

#include "verify/verify.h"

enum { PROBES_MOST = 200, PROBE_TEXT = 160, PROBE_BLOCKS = 8 };

/** Which numbers a probe has. */
typedef enum {
    PROBE_EIGHTHS, /* -3, -2.875 .. 3 */
    PROBE_TIES,    /* -1, 0, 1 */
    PROBE_FAR,     /* whole numbers from -24 to 24 */
    PROBE_DRAWS
} probe_draw;

/** A case. */
typedef struct {
    char what[PROBE_TEXT]; /* "C is 65, one more than a block" */
    int64_t value[SPOR_QUANTITIES];
    probe_draw draw;
} probe;

/** All of a statement whose instances have inputs, y and its cotangent. */
typedef struct {
    const spor_statement *statement;
    uint64_t seed;
    int blocks;
    int64_t block[PROBE_BLOCKS];      /* sizes of blocks of the code; none: 0 of them */
    point_narrow narrow[SPOR_INPUTS]; /* where inputs must lie for the def to be defined */
    bool before[SPOR_PAIRS]; /* what the code gives for a pair is added to what was there */
    int count;
    probe *at;
    char message[512]; /* why there is none */
    /* "" or what is no probe: no sizes were found that the def takes, they are too large, or there are
     * PROBES_MOST without it. */
    char left_out[512];
} probes;

/** Chooses them: a function of statement, seed and blocks. False with the message, or without one when memory
 *  runs out. */
bool probes_choose(probes *p);
void probes_free(probes *p);

/** A case with its numbers. */
typedef struct {
    spor_recording recording;
    spor_tape *tape;
    spor_instance in;
    double *
        data[SPOR_INPUTS]; /* of each input; the cotangent is never 0 and not the same everywhere */
    double *before[SPOR_PAIRS]; /* likewise, of the pairs that are added to; NULL of others */
} probe_case;

/** Records the case at these sizes and draws its numbers, if it is recorded. False only when memory runs out. */
bool probe_make(const probes *p, const int64_t value[], probe_draw draw, probe_case *c);
void probe_free(probe_case *c);
/** Elements of an input, and of a pair. */
int64_t probe_size(const probe_case *c, int k);
int64_t probe_pair_size(const probe_case *c, int k);

/** "N=2, C=65"; "" without quantities. */
void probe_sizes(const spor_statement *statement, const int64_t value[], char *text, size_t size);

#endif
