/*
 * Programs: machines for a tape.
 *
 * Compiling chooses the scalar type, puts in the fast paths, plans memory; running fills numbers.
 * One tape, many programs. Parameters are leaves on tapes and numbers in a spor_params.
 */
#ifndef SPOR_PROGRAM_H
#define SPOR_PROGRAM_H

#include <stddef.h>
#include <spor/tape.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a program computes with. Parameters are float or double; the others are for verifying and
 *  run by reference kernels only. */
typedef enum {
    SPOR_F32,      /* float */
    SPOR_F64,      /* double */
    SPOR_C128,     /* double complex, for the complex step */
    SPOR_BOUND,    /* a double with a running error bound: doubles {value, bound} */
    SPOR_ROUNDING, /* a double with what rounding may do to it in other code: five doubles that
                      kernels/scalar_rounding.h explains */
    SPOR_SAMPLED,  /* a double with the errors of four runs of other code: two doubles and four
                      floats that kernels/scalar_sampled.h explains */
    SPOR_FIELD,    /* a residue modulo a prime, and a double with its error bound that decides
                      branches: kernels/field.h */
    SPOR_SCALARS   /* their number */
} spor_scalar;

/** A strided array: strides in elements. data may be NULL before memory is taken. */
typedef struct {
    void *data;       /* the first element */
    void *saved;      /* what a fast path keeps from forward to backward, behind its output */
    spor_shape shape; /* sizes along the axes */
    int64_t stride[SPOR_RANK]; /* elements from one index of an axis to the next */
} spor_arg;

/* ---- parameters ------------------------------------------------------------------------- */

/** Numbers for the parameters of tapes; opaque. */
typedef struct spor_params spor_params;

/** Numbers for the parameters of tapes, in float or double. NULL: out of memory. */
SPOR_API spor_params *spor_params_new(spor_scalar scalar, uint64_t seed);
/** Frees the numbers; programs that use them must be freed before. NULL is ignored. */
SPOR_API void spor_params_free(spor_params *params);
/** NULL, or the first error of the params. */
SPOR_API const char *spor_params_error(const spor_params *params);

/**
 * Gives every parameter of the tape its place: a new name is drawn from hash(seed, name), a known
 * one must have the same shape. Adding a layer changes no other draw. Memory is taken when values are
 * first needed, by a run or spor_params_entry.
 */
SPOR_API bool spor_params_join(spor_params *params, const spor_tape *tape);

/** Number of entries, states included. */
SPOR_API int spor_params_count(const spor_params *params);
/** Number of elements of the trained entries together. */
SPOR_API int64_t spor_params_size(const spor_params *params);

/** What an entry is for. */
typedef enum {
    SPOR_TRAINED,        /* a parameter: it has a gradient */
    SPOR_NETWORK_STATE,  /* what the network keeps between steps: running statistics */
    SPOR_OPTIMIZER_STATE /* what the optimizer keeps: momenta. No part of the network's weights */
} spor_entry_kind;

/** A parameter or state. value and gradient point into the blocks: value is valid until the next join
 *  or run of a training program, gradient until the next join. */
typedef struct {
    const char *name;     /* with its scopes, "net/conv[0]/K" */
    spor_shape shape;     /* of value and gradient, row-major */
    spor_scalar scalar;   /* SPOR_F32 or SPOR_F64 */
    spor_entry_kind kind; /* only trained entries have a gradient */
    void *value;          /* floats or doubles */
    void *gradient;       /* of the last training run that hands its gradients on */
} spor_entry;
/** Entry k in order of joining; one without a name if there is none. */
SPOR_API spor_entry spor_params_entry(spor_params *params, int k);
/** The number k of an entry; -1 if there is none of this name. */
SPOR_API int spor_params_find(const spor_params *params, const char *name);

/** To be called after values were written from outside: renews packed and converted copies. */
SPOR_API void spor_params_touch(spor_params *params);

/** True if every gradient is a finite number. */
SPOR_API bool spor_params_finite(const spor_params *params);

/**
 * Stochastic gradient descent with L2 (the report's rule): w <- w - rate (dw + l2 w). With
 * l2_biases false, parameters of rank 1 are left out of the L2 term. Raises the generation.
 */
SPOR_API void spor_params_sgd(spor_params *params, double rate, double l2, bool l2_biases);

/* ---- programs --------------------------------------------------------------------------- */

/** What was compiled; opaque. */
typedef struct spor_program spor_program;

/** Memory that several programs use in turn; inputs must be filled again before each run. */
typedef struct spor_workspace spor_workspace;
/** A workspace without memory yet; NULL: out of memory. */
SPOR_API spor_workspace *spor_workspace_new(void);
/** Frees the workspace; its programs must be freed before. NULL is ignored. */
SPOR_API void spor_workspace_free(spor_workspace *workspace);

/** How to compile. All zeros: float, fast paths, the best instruction set, memory of its own. */
typedef struct {
    spor_scalar scalar; /* SPOR_F32 (0) is the default */
    bool reference;     /* no fast paths: the definition */
    const char *isa;    /* "baseline", "avx2", "avx512"; NULL: $SPOR_ISA or the best there is */
    spor_workspace *workspace; /* NULL: memory of its own */
    int threads;  /* that run the tasks of a step, the caller one of them; 0: the caller alone. The
                    numbers are the same, to the bit, however many there are */
    bool rowwise; /* a row of a result that takes rows one by one has the same bits alone and among
                     others: ways to compute that depend on how many rows there are, or that share
                     what is rounded, are left out */
    bool
        portable; /* what an export writes in C: layers by sums as they stand, each made by one task;
                      training hands no gradients to the parameters */
    bool
        gradients; /* an update hands its gradients to the parameters, too, as training alone does: they
                       take memory and time of their own, while without this next values lie where
                       gradients were */
} spor_options;

/** A program for the outputs. params may be NULL if the tape has none. NULL: out of memory;
 *  any other trouble: spor_program_error. */
SPOR_API spor_program *spor_compile(spor_tape *tape, int n, const spor_var outputs[],
                                    spor_params *params, const spor_options *options);

/**
 * A program for cost, the gradients of all trained parameters (they land in the params' block)
 * and n further outputs. Matches fast paths first, then differentiates what is left.
 */
SPOR_API spor_program *spor_compile_training(spor_var cost, int n, const spor_var outputs[],
                                             spor_params *params, const spor_options *options);

/**
 * An optimizer: records the next values of the n parameters w from them, their gradients dw (of the
 * same shapes) and states of its own (spor_state, spor_assign; spor_scope_begin_for gives them names).
 * A parameter whose next value is w itself stays as it is. Rates are settings, so that they may change
 * while it trains. False, or a next value that was not recorded, is an error.
 */
typedef bool spor_optimizer(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                            void *user);

/**
 * As spor_compile_training, and an optimizer's rule behind it, recorded with the gradients in place, which do
 * not reach the params' block unless the option `gradients` says so.
 * After the steps of a run all next values are looked at: if they and the cost are finite, parameters
 * and states take them together; else nothing changes, spor_run returns false and the program's error
 * says which one is not. A parameter that is used twice has one gradient and is updated once.
 */
SPOR_API spor_program *spor_compile_update(spor_var cost, int n, const spor_var outputs[],
                                           spor_params *params, spor_optimizer *optimizer,
                                           void *user, const spor_options *options);

/**
 * A program for cost, its gradients by n variables of its tape, and further outputs. The variables may be
 * inputs, parameters or values on the way; spor_program_gradient has what was asked for, while parameters and
 * states stay as they are. As in training fast paths are matched first, where they do not swallow one of the
 * variables, then what is left is differentiated, through hand-derived backwards where there are any
 * (spor_custom_vjp); a variable inside of such a stretch that is none of its operands is an error. A cost
 * that is not a scalar is one too: the gradient for a cotangent dy of y is that of the sum of y dy.
 */
SPOR_API spor_program *spor_compile_gradient(spor_var cost, int n, const spor_var wrt[],
                                             int outputs, const spor_var output[],
                                             spor_params *params, const spor_options *options);

/** The gradient by wrt[k] of a program of spor_compile_gradient, row-major, of wrt[k]'s shape, to be read
 *  after a run. data is NULL if there is none of this number. */
SPOR_API spor_arg spor_program_gradient(spor_program *program, int k);

/** Gives the setting of this name another value, from the next run on. False if there is none. */
SPOR_API bool spor_program_set(spor_program *program, const char *name, double value);

/** A name and its number. */
typedef struct {
    const char *name; /* lives as long as the program */
    double value;     /* from the next run on */
} spor_named_number;
/** Setting k of a program in order of recording; one without a name if there is none. */
SPOR_API spor_named_number spor_program_setting(const spor_program *program, int k);

/** Frees the program, not its tape, params or workspace. NULL is ignored. */
SPOR_API void spor_program_free(spor_program *program);
/** NULL, or the first error of compiling or running: "out of memory" for a NULL program. */
SPOR_API const char *spor_program_error(const spor_program *program);

/** Bytes the first run will take (activations, gradients of activations, scratch). */
SPOR_API size_t spor_program_bytes(const spor_program *program);

/** Row-major array of an input to fill or an output to read; takes the memory if it has not yet
 *  been taken. data is NULL for a variable that is neither. That of an output that is a parameter, or
 *  one in another shape, lasts as spor_entry.value does. */
SPOR_API spor_arg spor_program_arg(spor_program *program, spor_var x);

/** Runs all steps. step is the number that ops of random values take. No allocation. False, with the
 *  program's error, if it cannot run or an update has a next value that is not finite. */
SPOR_API bool spor_run(spor_program *program, uint64_t step);

/** As spor_run, but stops at the first node with a value that is not finite: the message names
 *  op, shapes, index, place; the program's error is set and false returned. */
SPOR_API bool spor_run_checked(spor_program *program, uint64_t step);

/** What was compiled: fast paths taken and refused with reasons, groups, steps, bytes. */
SPOR_API void spor_program_print(const spor_program *program, FILE *out);

/** Number of fast paths of this name in the program, as spor_program_print writes it. */
SPOR_API int spor_program_fast(const spor_program *program, const char *name);

/** Name of the instruction set in use. */
SPOR_API const char *spor_program_isa(const spor_program *program);

#ifdef __cplusplus
}
#endif

#endif
