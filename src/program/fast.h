/*
 * The anatomy of a fast path: a hand-coded answer to a pattern of forward nodes.
 *
 * A fast path file, ops/fast/dense.c, reads like the report's chapter. It is compiled once for its
 * rules (SPOR_RULES: the fused ops, their shape rules, hand-derived vjps, the match, the samples)
 * and once per instruction set and scalar type for its kernels (SPOR_FAST, SPOR_ISA, SPOR_SCALAR).
 *
 * A fused op is an ordinary descriptor (tape/op.h) that is not in the registry and has `fused`
 * but no `reference`. Its vjp records further fused ops with one output each (delta, dx, dK,
 * db): recording the same node twice is free, the program merges equal nodes. A backward op that
 * has the forward node among its operands reads what that saved as in[k].saved.
 *
 * Where a derivation is all there is to gain, its op has `parts` and its vjp is written in ordinary
 * ops: groups compute both.
 *
 * It computes in up to three phases of tasks (kernels/kernel.h): PREPARE, WORK, FINISH. Its need
 * cuts them by cost (kernels/tasks.h), its kernels ask which part of the whole a task has.
 */
#ifndef SPOR_PROGRAM_FAST_H
#define SPOR_PROGRAM_FAST_H

#include "tape/op.h"

/** Nodes of a region at most, besides its root: those of a layer of 64 groups. */
enum { SPOR_REGION = 264 };

/** What a match looks at, and its answer. */
typedef struct {
    const uint32_t *uses; /* uses[id]: readers of node id among the nodes compiled, outputs too */
    bool training;        /* a backward pass will follow: saved data are wanted */
    bool rowwise;  /* sums are to be made in an order that the number of rows does not change */
    bool portable; /* spor_options: sums as they stand */
    const bool *derived; /* derived[id]: node id has a backward of its own, derived by hand */
    /* answer */
    const spor_op *op; /* the fused op that takes the root's place */
    spor_var in[SPOR_OPERANDS];
    spor_attr attr[SPOR_ATTRS];
    uint32_t inside[SPOR_REGION]; /* nodes of the region besides the root */
    int count;
    char why[160]; /* set if the region looks like this path's but was refused */
} spor_match;

/** True if v was made by op and only the region reads it; then v counts as inside. */
bool match_inside(spor_match *match, spor_var v, const spor_op *op);
/** The same of what the region reads so many times. */
bool match_inside_all(spor_match *match, spor_var v, const spor_op *op, uint32_t readers);
/** True if v was made by op. */
bool match_made_by(spor_var v, const spor_op *op);
/** True if v was made by op and gradients may go another way than through v: a region that it is not
 *  taken into may read its operands instead. */
bool match_through(const spor_match *match, spor_var v, const spor_op *op);
/** Writes why and returns false. */
bool match_refuse(spor_match *match, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- what the generic tests start from ----------------------------------------------------- */

/** Numbers that a recording is chosen by, at most. */
enum { SPOR_CHOICES = 24 };

/** What recordings of a pattern differ by: a size, or one of several ways to write it. */
typedef struct {
    const char *name;      /* "N", "bias"; NULL ends a table */
    const int64_t *values; /* worth trying: what is listed twice is drawn twice as often */
    int count;             /* of values */
} spor_choice;

/** CHOICE("stride", 1, 1, 2, 3): an entry of a table of choices. */
#define CHOICE(name_, ...)                                                                         \
    {                                                                                              \
        .name = name_, .values = (const int64_t[]){__VA_ARGS__},                                   \
        .count = (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t))                   \
    }

/** A pattern on its way to a tape. */
typedef struct {
    spor_tape *tape;
    const int64_t *number; /* one for each choice of the path */
    bool trained;          /* operands are parameters, else inputs */
    bool again;            /* operands are there and are taken in order, none is recorded */
    int given;             /* 0, or k + 1: operand k is an input though others are parameters */
    spor_var operand[SPOR_OPERANDS];
    int operands; /* recorded or taken so far */
} spor_sketch;

/** Records the next operand of the pattern. */
spor_var sketch_operand(spor_sketch *sketch, const char *name, spor_shape shape);

/** Something like the pattern that must be left alone. */
typedef struct {
    spor_var (*record)(spor_sketch *sketch); /* the numbers are those of the first sample */
    const char *why;                         /* what the match says; NULL ends a table */
} spor_refusal;

typedef struct {
    const char *name;      /* "dense" */
    const char *pattern;   /* one line: act(matmul(x, W) + b) */
    const char *equations; /* Eqs. (46)-(49) */
    /** Tries to take the region that ends in root. */
    bool (*match)(spor_match *match, spor_var root);
    const spor_choice *choices; /* ends with name NULL; at most SPOR_CHOICES */
    /** Records the pattern by the numbers chosen, in ordinary ops, and returns its root. Numbers that
     *  do not go together are an error on the tape. */
    spor_var (*record)(spor_sketch *sketch);
    /** Numbers chosen by hand: one for each choice. Ends with a row whose first number is 0. */
    const int64_t (*samples)[SPOR_CHOICES];
    /** Records on the same operands, by the same numbers, what the fused ops compute: the value, then
     *  the gradients of all operands for the cotangent. For a path whose algebra may round more than
     *  the pattern and its gradients do: it is allowed both. NULL, or false, with nothing recorded:
     *  it sums in other orders only, at these numbers. */
    bool (*derivation)(spor_sketch *again, spor_var cotangent, spor_var out[]);
    /** True if among integers, of which it rounds none, the path takes what is not a number in its
     *  first operand as the definition does, at these numbers. NULL: at none. */
    bool (*takes_nan)(const int64_t number[]);
    const spor_refusal *refusals; /* ends with why NULL; reading from inside needs no entry */
} spor_fast;

/** Fast paths in the order of ops/meson.build, which is their priority; NULL at the end. */
extern const spor_fast *const spor_fast_paths[];

#endif
