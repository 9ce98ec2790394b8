/*
 * Arithmetic modulo a prime near 2^61, for elements of SPOR_FIELD; verify/field.c says what follows
 * from it and why.
 *
 * A residue stands for a rational function of the inputs and of symbols: a random residue for each
 * input, for each power E(z) of another argument, for each logarithm, for the tangent of half of each
 * angle, for each erf; a root for each radicand. A
 * run has a prime, its random numbers and tables of its symbols. It belongs to the thread that
 * entered it: numbers that kernels make of nothing, FROM_INT and FROM_REAL, find their prime there,
 * and where none was entered nothing is known of any element.
 */
#ifndef SPOR_KERNELS_FIELD_H
#define SPOR_KERNELS_FIELD_H

#include <stdbool.h>
#include <stdint.h>

/** The algebraic part of an element. Weights bound the degree of the numerator and of the
 *  denominator, and the binary logarithm of the sum of the magnitudes of their coefficients. */
typedef struct {
    uint64_t residue; /* in Montgomery's form */
    double num, den;  /* weights */
    bool known;       /* false: nothing is claimed of it */
    bool constant;    /* made of numbers alone */
} field_part;

/** With its companion, a double and its error bound: what branches look at. */
typedef struct {
    field_part f;
    double v, e;
} field_element;

/** Most roots and powers of a run; up to how many powers sums of arguments are looked for. */
enum { FIELD_ROOTS = 8, FIELD_POWERS = 2048, FIELD_SUMS = 256, FIELD_ODD = 256 };

/** to = E(from), from = L(to). */
typedef struct {
    field_part from, to;
    uint64_t inverse; /* 1 / to */
} field_power;

/** root^2 = of */
typedef struct {
    field_part of, root;
    uint64_t inverse; /* 1 / of */
} field_root;

/** to = f(from), -to = f(-from) */
typedef struct {
    field_part from, to;
} field_odd;

typedef struct {
    uint64_t prime, inverse, one, square; /* -1 / p modulo 2^64; 2^64 and 2^128 modulo p */
    uint64_t key, drawn;
    double collisions; /* weights of all differences that must not be 0 by chance */
    double heaviest;   /* argument in the tables */
    int powers, roots, angles, errors;
    int missing;   /* the first radicand that is no square here; -1: there is none */
    bool rounded;  /* a number was met that is not the number meant */
    bool full;     /* a table is: nothing is claimed */
    bool doubtful; /* so is a branch */
    field_power power[FIELD_POWERS];
    field_root root[FIELD_ROOTS];
    field_odd angle[FIELD_ODD]; /* tan (z / 2) */
    field_odd error[FIELD_ODD]; /* erf z */
} field_run;

/** Chooses prime and random numbers, functions of the key, and empties the tables. */
void field_begin(field_run *run, uint64_t key);
/** The run of this thread from now on; NULL: none. */
void field_enter(field_run *run);
/** A random residue: a variable. */
field_part field_variable(void);

/** Without a run, or of what is unknown, what follows is unknown. */
field_part field_unknown(void);
field_part field_integer(int64_t i);
/** The dyadic number that r is. */
field_part field_dyadic(double r);
/** A number that is known but for an error: unknown, and the run is told. */
field_part field_rounded(void);
field_part field_add(field_part a, field_part b);
field_part field_negative(field_part a);
field_part field_multiply(field_part a, field_part b);
field_part field_divide(field_part a, field_part b);
field_part field_exp(field_part z);
field_part field_log(field_part u);
field_part field_sqrt(field_part u);
field_part field_tanh(field_part z);
field_part field_sin(field_part z);
field_part field_cos(field_part z);
field_part field_erf(field_part z);
/** a^n */
field_part field_power_of(field_part a, int n);
/** True if it is 0, and that was not by chance. */
bool field_is_zero(field_part a);

/** How a comparison ends that companions decide, or one that is none: of an element with itself. */
typedef enum { FIELD_DECIDED, FIELD_SAME, FIELD_DOUBTFUL } field_branch;
field_branch field_compare(const field_element *a, const field_element *b);

#endif
