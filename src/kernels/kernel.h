/*
 * The call of a kernel: strided arrays in, one strided array out. Kernels know no tape.
 */
#ifndef SPOR_KERNELS_KERNEL_H
#define SPOR_KERNELS_KERNEL_H

#include <spor/program.h>
#include "base/shape.h"

/** Most operands an op may have. */
#define SPOR_OPERANDS 6
/** Most attribute slots an op may have; the signature says what each slot is. */
#define SPOR_ATTRS 24

/** One slot of an op's attributes. */
typedef union {
    int64_t i;
    double r;
    const double *values;
} spor_attr;

/** Of a result of so many bytes little would be left in the caches when it is read: it may be streamed to memory. */
enum { STREAM_LEAST = 1 << 24 };

/**
 * The phases of a fast kernel, in their order. A phase is a number of tasks, which run in any order
 * and on any thread; the next phase begins when all of them are done.
 */
typedef enum {
    SPOR_PREPARE, /* fills `shared`, each task a part of its own */
    SPOR_WORK,    /* makes the output or partial results, each task its own */
    SPOR_FINISH,  /* makes the output from the partial results, added in the order of their tasks */
    SPOR_PHASES
} spor_phase;

/** What a fast kernel needs. Zero-initialised by the caller but for what is given. Tasks of WORK and FINISH and
 *  what they compute follow from that, shapes and attributes only; results do not depend on threads or on
 *  the machine, as `alone` changes tasks only where any tasks make the same bits. */
typedef struct {
    int64_t finer; /* given: 1; more in tests, which cut small shapes, too */
    bool keeps;    /* given: what PREPARE makes is used more than once, in this run or the next */
    bool alone; /* given: one thread runs all tasks. Only who makes the same of any tasks may ask */
    size_t saved;   /* bytes behind the output, read by backward kernels as in[k].saved */
    size_t shared;  /* bytes that PREPARE writes and all later tasks read */
    size_t partial; /* bytes of the partial result of one task of WORK: like the output */
    size_t scratch; /* bytes of one thread: undefined when a task begins, but for call->before */
    bool
        shares; /* elements of the result share what is rounded: each may be off by as much as others */
    int64_t tasks[SPOR_PHASES]; /* 0: the phase is not there; all 0: one task of WORK */
    const char *way; /* how it is computed, where shapes decide that; NULL: there is one way */
} spor_need;

/** One computation. The memory is 64-byte aligned, and NULL where none is needed. */
typedef struct {
    spor_arg out;
    spor_arg *in;
    int operands;
    const spor_attr *attr;
    const spor_need *need; /* of a fast kernel: shared and partial in whole lines of memory */
    void *shared;          /* of need->shared bytes */
    void *partial;         /* of need->partial bytes for each task of WORK, one after the other */
    void *scratch;         /* of need->scratch bytes, its own in each thread */
    int64_t before; /* the task of this phase that left scratch, counted from 1; 0: not known */
    uint64_t step;  /* number of the run, for random ops */
    const struct spor_group *group; /* of a group: in[] is what it reads, then what it writes */
} spor_call;

/** A reference kernel computes out. */
typedef void spor_reference(const spor_call *call);

/** A fast kernel computes one task of a phase: what it alone makes of the output, or of shared, or
 *  its partial results. It reads nothing that a task of its phase writes. */
typedef void spor_kernel(const spor_call *call, int64_t task);

/** call has shapes, strides and attributes but no data. width is the scalar's sizeof, lanes how
 *  many scalars a vector of the instruction set holds: shared and scratch may depend on it. */
typedef void spor_kernel_need(const spor_call *call, size_t width, int lanes, spor_need *need);

#define SPOR_JOIN_(a, b) a##_##b
#define SPOR_JOIN(a, b) SPOR_JOIN_(a, b)

#endif
