/*
 * The tape: what a computation leaves behind.
 *
 * A tape is a list of nodes in order (a Wengert list). Recording an op checks the shapes of its
 * operands at once and computes nothing; there are no numbers and no scalar type on a tape.
 * Differentiation appends nodes, so a gradient can be printed, differentiated again and compared.
 *
 * Errors: a tape holds its first error; later calls do nothing and return the poisoned variable
 * (id 0). Ask once, at the end, with spor_error(). A NULL tape means out of memory.
 */
#ifndef SPOR_TAPE_H
#define SPOR_TAPE_H

#include <stdio.h>
#include <spor/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A list of nodes; opaque. */
typedef struct spor_tape spor_tape;

/** A variable: the result of one node of a tape. id 0 is poisoned; ops pass it on. */
typedef struct {
    spor_tape *tape; /* NULL only if memory for the tape ran out */
    uint32_t id;     /* of its node, from 1 in order of recording */
} spor_var;

/**
 * The law of a parameter's initial values, by name, and its scale. Scripts have the same names, and write a
 * number for "constant":
 *
 *     "constant"  every element is scale
 *     "zeros"     every element is 0, whatever scale is
 *     "ones"      every element is scale: 1 times it
 *     "normal"    N(0, scale^2)
 *     "uniform"   U(-scale, scale)
 *     "glorot"    U(-l, l), l = scale sqrt(6 / (fan_in + fan_out))
 *     "he"        N(0, scale^2 2 / fan_in)
 *     "lecun"     N(0, scale^2 / fan_in)
 *
 * fan_in of a kernel [kh, kw, C, F] is kh kw C, its fan_out kh kw F; of a matrix [n, m] they are
 * n and m; of a vector [m] both are m.
 */
typedef struct {
    const char *law; /* one of the names above */
    double scale;    /* of the law: a value, a deviation or a factor of it */
} spor_init;

/** SPOR_INIT("glorot", 1): a law as an expression. */
#define SPOR_INIT(law, scale) ((spor_init){(law), (scale)})

/** An empty tape; NULL: out of memory. */
SPOR_API spor_tape *spor_tape_new(void);
/** Frees the tape; its programs must be freed before. NULL is ignored. */
SPOR_API void spor_tape_free(spor_tape *tape);

/** NULL, or the first error of the tape: place, op, what is wrong, the operands' shapes. */
SPOR_API const char *spor_error(const spor_tape *tape);

/** Number of nodes recorded so far. */
SPOR_API uint32_t spor_tape_length(const spor_tape *tape);

/** A leaf whose values are bound when a program runs. */
SPOR_API spor_var spor_input(spor_tape *tape, const char *name, spor_shape shape);

/**
 * A leaf whose values live in a spor_params, under the name of its scopes: "net/conv[0]/K".
 * A name already recorded on this tape is an error: share the variable instead.
 */
SPOR_API spor_var spor_param(spor_tape *tape, const char *name, spor_shape shape, spor_init init);

/**
 * A scalar input with a value of its own, that may be changed without a new program: a learning rate
 * (spor_program_set). Its name has no scopes. Recorded twice with one value it is one setting; with
 * two values an error.
 */
SPOR_API spor_var spor_setting(spor_tape *tape, const char *name, double value);

/** A parameter without gradient: what a program keeps between steps (running statistics). */
SPOR_API spor_var spor_state(spor_tape *tape, const char *name, spor_shape shape, spor_init init);

/** After each run of a training program state takes value (of the same shape), unless a gradient or a
 *  next value of that run is not finite. The last of several assignments counts. */
SPOR_API void spor_assign(spor_var state, spor_var value);

/**
 * A scope is a named stretch of nodes. It names parameters, layers and errors. The k-th scope of
 * one name inside one parent is called name[k] if the name ends in "[]", else name must be unique
 * or is numbered by the caller.
 */
SPOR_API void spor_scope_begin(spor_tape *tape, const char *name);
/** A scope under the name of a parameter, for what belongs to it: the states of its optimizer. */
SPOR_API void spor_scope_begin_for(spor_var parameter);
/** Ends the scope begun last; result is its value, shown as the layer's output. */
SPOR_API void spor_scope_end(spor_tape *tape, spor_var result);

/** Shape of a variable; rank 0 for the poisoned one. */
SPOR_API spor_shape spor_shape_of(spor_var x);

/** Gives a node a name for prints and messages; the first name stays. Returns x. */
SPOR_API spor_var spor_name(spor_var x, const char *name);

/**
 * Pulls the cotangent ybar (of y's shape) back along the tape: d[k] = (dy/dwrt[k])^T ybar.
 * wrt may be any nodes, intermediate ones too (the errors delta of a layer). A node that y does
 * not reach has gradient zero. False, with the tape's error set, if a derivative is missing.
 */
SPOR_API bool spor_vjp(spor_var y, spor_var ybar, int n, const spor_var wrt[], spor_var d[]);

/** spor_vjp of a scalar with cotangent 1. A cost that is not a scalar is an error. */
SPOR_API bool spor_grad(spor_var cost, int n, const spor_var wrt[], spor_var d[]);

/**
 * A hand-derived backward: records d[k], the cotangent of operand k, from the cotangent dy of y.
 * False if it can't; the tape then has the error.
 */
typedef bool spor_backward(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                           spor_var d[]);

/** Most operands of a hand-derived backward. */
#define SPOR_CUSTOM_OPERANDS 10

/**
 * Declares that y, recorded from the operands, has a hand-derived backward. Training programs and those of
 * spor_compile_gradient use it; spor_vjp and spor_grad never do, so that it can be verified against the ops. user must
 * outlive the tape's programs.
 */
SPOR_API void spor_custom_vjp(spor_var y, int n, const spor_var operand[], spor_backward *backward,
                              void *user);

/** Writes the nodes first..last-1 as equations, one a line. last = 0 means to the end. */
SPOR_API void spor_tape_print(const spor_tape *tape, uint32_t first, uint32_t last, FILE *out);

/** The variable of node id (1 .. spor_tape_length), in order of recording. */
SPOR_API spor_var spor_tape_var(spor_tape *tape, uint32_t id);

/**
 * Where the nodes recorded next come from; a script's place. file is kept by reference and must
 * outlive the tape; NULL ends it. The macros of ops.h do this for C.
 */
SPOR_API void spor_tape_place(spor_tape *tape, const char *file, int line, int column);

/** The place of the first error: line and column are 0 where there is none. */
SPOR_API void spor_error_place(const spor_tape *tape, const char **file, int *line, int *column);

/** Stamps the nodes recorded since the last stamp with a place of C source. Returns x. */
SPOR_API spor_var spor_at(spor_var x, const char *file, int line);

#ifdef __cplusplus
}
#endif

#endif
