/*
 * The points at which a statement is tried.
 */
#ifndef SPOR_VERIFY_POINTS_H
#define SPOR_VERIFY_POINTS_H

#include "base/shape.h"

#include <spor/verify.h>

/** Families of points, in the order in which they are tried. */
enum {
    POINT_WHOLE,
    POINT_WHOLE_AGAIN, /* with more zeros and ties */
    POINT_SLIGHT,
    POINT_REAL,
    POINT_WIDE,
    POINT_SHARE,
    POINT_CONSTANTS, /* numbers beside constants, */
    POINT_BEYOND,    /* numbers far from them: these two only where comparisons meet some */
    POINT_WHOLE_WITHIN,
    POINT_WITHIN, /* these two only with narrowed operands */
    POINT_FAMILIES
};

/** How an operand is narrowed. */
typedef enum {
    POINT_NOT_NARROW,
    POINT_SHARES,
    POINT_POSITIVE,
    POINT_ABOVE_ONE,
    POINT_NARROWS
} point_narrow;

enum { POINT_CONSTANTS_MOST = 48 };

/** What families take into account. */
typedef struct {
    int constants;
    double constant[POINT_CONSTANTS_MOST]; /* that comparisons may meet, and their negatives */
    int first_between, between;            /* which of them lie in the middle of two; how many */
} points;

/** An input to be drawn. */
typedef struct {
    int number; /* of the input; other numbers, other draws */
    spor_shape shape;
    spor_range range;
    bool cotangent; /* never 0 */
    point_narrow narrow;
} point_input;

/** "in 0.25..6" */
const char *point_narrow_name(point_narrow narrow);
/** Numbers that comparisons may meet: these, what lies between two, squares, roots and logarithms, their
 *  sums, differences and quotients. */
void points_meet(points *p, int n, const double number[]);
/** Draws an input as the family has it: a function of seed, family and input. */
void points_draw(const points *p, const point_input *in, uint64_t seed, int family, double *x);

#endif
