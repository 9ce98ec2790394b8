/*
 * What can be checked of an op from its descriptor alone.
 *
 * A check returns a verdict and asserts nothing, so that tests can plant a fault and expect to see
 * it caught. The lower half is for other tests: record one op, bind values, run, read.
 */
#ifndef SPOR_TESTS_OPCHECK_H
#define SPOR_TESTS_OPCHECK_H

#include <spor/program.h>
#include "tape/op.h"

/** A check that examined nothing is not a pass. */
typedef struct {
    bool passed;
    int64_t examined; /* numbers compared */
    char what[600];   /* why it failed */
} opcheck_verdict;

/** The signature parses, and says what the descriptor says. */
opcheck_verdict opcheck_signature(const spor_op *op);
/** The kernel gives the golden values within 4 units in the last place. */
opcheck_verdict opcheck_golden(const spor_op *op, const spor_golden *golden);
/** Recording is refused with the op's name and the message, and the result is poisoned. */
opcheck_verdict opcheck_mistake(const spor_op *op, const spor_mistake *mistake);
/** The vjp and the vjp of the vjp against central differences: every element of every operand
 *  and of the cotangent, with random values and cotangents. opcheck.c derives the bound. */
opcheck_verdict opcheck_gradient(const spor_op *op, const spor_sample *sample);
/** The same against the complex step, in SPOR_C128: to rounding, without truncation. */
opcheck_verdict opcheck_complex_step(const spor_op *op, const spor_sample *sample);
/** <A u, v> = <u, A'v> for what the traits call linear. A u is z(u) - z(0). */
opcheck_verdict opcheck_adjoint(const spor_op *op, const spor_sample *sample);
/** Of an op with a margin: moved by less than it no decision changes, and at a tie it is 0. */
opcheck_verdict opcheck_margin(const spor_op *op, const spor_sample *sample);
/** First and second derivatives record ops of the registry only. */
opcheck_verdict opcheck_closure(const spor_op *op, const spor_sample *sample);
/** A cotangent of zeros is pulled back to zeros. */
opcheck_verdict opcheck_zero(const spor_op *op, const spor_sample *sample);
/** Over SPOR_BOUND: whatever the operands are within their errors, the result is within its own. */
opcheck_verdict opcheck_bound(const spor_op *op, const spor_sample *sample);
/** Two runs give the same bits and leave the inputs as they were. */
opcheck_verdict opcheck_repeat(const spor_op *op, const spor_sample *sample);
/** The kernels of all scalar types agree on real values: float within its rounding, the bounded
 *  ones bit for bit, with a finite bound, all others within double's rounding; complex without an
 *  imaginary part. */
opcheck_verdict opcheck_scalars(const spor_op *op, const spor_sample *sample);
/** What the other traits promise: ALIAS, VALUE_SLOPE, LEAF, no MIXES_SAMPLES. */
opcheck_verdict opcheck_traits(const spor_op *op, const spor_sample *sample);

/* ---- record one op, bind, run, read --------------------------------------------------------- */

/** A tape of inputs "x0", "x1", ... and one node. */
typedef struct {
    spor_tape *tape;
    spor_var in[SPOR_OPERANDS];
    spor_var out;
} opcheck_record;

/** out is poisoned and the tape holds the error if the op refuses. */
opcheck_record opcheck_record_op(const spor_op *op, const spor_shape *in, const spor_attr *attr);

enum { OPCHECK_VARS = 12 };

/** A reference program, with row-major values in double on both sides whatever its scalar. */
typedef struct {
    spor_program *program;
    spor_scalar scalar;
    spor_scalar arithmetic; /* of the other code that SPOR_ROUNDING tells of: float or double */
    int inputs, outputs;
    spor_var in[OPCHECK_VARS], out[OPCHECK_VARS];
    int64_t nx[OPCHECK_VARS], ny[OPCHECK_VARS]; /* elements */
    double *x[OPCHECK_VARS], *y[OPCHECK_VARS];  /* to fill, to read */
    /* to fill: imaginary part (SPOR_C128); to read besides: bound (SPOR_BOUND), what the arithmetic
     * may be off by (SPOR_ROUNDING) */
    double *ix[OPCHECK_VARS], *iy[OPCHECK_VARS];
} opcheck_machine;

/** False if the program could not be compiled; opcheck_free it all the same. */
bool opcheck_build(opcheck_machine *m, spor_scalar scalar, int inputs, const spor_var in[],
                   int outputs, const spor_var out[]);
bool opcheck_run(opcheck_machine *m);
void opcheck_free(opcheck_machine *m);

/** Random values for the first n inputs, within their domains; float holds them exactly. */
void opcheck_draw(opcheck_machine *m, int n, const spor_domain domain[], uint64_t seed);
/** U[-1, 1], in parts of 1/1024. */
void opcheck_draw_cotangent(double value[], int64_t n, uint64_t seed);

#endif
