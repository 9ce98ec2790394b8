/*
 * The words of reference kernels. A kernel says T, ADD, MUL, EXP, LESS ... and never uses a C
 * operator on a T, so that the same loops run over any scalar type. The build names the type
 * (SPOR_SCALAR) and its header, scalar_<type>.h, which says all that is known of it:
 *
 *   f32, f64   float and double, functions from libm
 *   c128       double complex, for the complex step: branches look at the real part
 *   bound      a double with a running error bound: how far it may be from the exact result
 *   rounding   a double with what rounding may do to it in other code, float or double
 *   sampled    a double with the errors that four runs of other code have made
 *   field      a residue modulo a prime, with a double and its error bound, which branches look at
 *   stub       a double in a struct: compiled, never run; the compiler then refuses any operator
 *
 * FROM_INT makes a T of an integer, FROM_REAL of a double, RATIO of num / den; KNOWN_TO of a double
 * that stands for a number no farther from it than an error, which only bound keeps. SHIFT(largest)
 * is what arguments of exponentials are less by, lest they overflow: nothing over field. LESS decides
 * branches only (kinks, winners) and is false if either side is not a number. IS_NAN tells one that
 * is not; IS_ZERO a number that is 0 in every part, error bounds and imaginary part included.
 * NEARER compares distances by the least that they may be. Where two sides of a branch are apart by
 * a distance of which MAY_TURN is true, rounding may have taken the other branch: EITHER(chosen,
 * other) is the one that was chosen, and knows that it may be the other. bound and rounding know of
 * such doubt: MAY_TURN is 0 over the others.
 * POW(x, y) is x^y as C has it: 1 of y = 0, a number of negative x where y is whole.
 * MASK is what a comparison gives, PICK(mask, a, b) the one of two values that it picks; masks are
 * joined by | and &. Kernels of elementwise ops branch by PICK alone, so that tile.h can run them
 * lane by lane.
 * VALUE is the double that an element stands for, its value or real part. SCALAR_TEXT is what
 * prints call the type. element.h gives width, VALUE and FROM_REAL to the rest of the house.
 */
#ifndef SPOR_KERNELS_SCALAR_H
#define SPOR_KERNELS_SCALAR_H

#include <math.h>
#include <stdint.h>

#include SPOR_SCALAR_HEADER

#define MASK int
#define PICK(mask, a, b) ((mask) ? (a) : (b))

/** True if a takes the place of the largest so far, a later one of a tie does not; what is not a
 *  number takes the place of every number and keeps it. */
static inline int WINS(T a, T largest) {
    return LESS(largest, a) || (IS_NAN(a) && !IS_NAN(largest));
}

/** What a branch gives that a distance decides: the one chosen, or, where rounding may have turned
 *  it, for all one knows the other. */
static inline T OR_ELSE(T chosen, T other, T distance) {
    return MAY_TURN(distance) ? EITHER(chosen, other) : chosen;
}

#endif
