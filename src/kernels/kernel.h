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
} spor_attr;

typedef struct {
    spor_arg out;
    spor_arg *in;
    int operands;
    const spor_attr *attr;
    void *scratch; /* of spor_need.scratch bytes, 64-byte aligned, contents undefined */
    uint64_t step; /* number of the run, for random ops */
} spor_call;

/**
 * Computes out. A call is cut into tasks by its shapes only; each output element belongs to one
 * task. Reference kernels have one task, 0.
 */
typedef void spor_kernel(const spor_call *call, int64_t task);

/** What a fast kernel needs, by shape and attributes only. Zero-initialised by the caller. */
typedef struct {
    size_t saved;   /* bytes behind the output, read by backward kernels as in[k].saved */
    size_t scratch; /* bytes during the call, shared by its tasks */
    int64_t tasks;  /* 0 counts as 1 */
} spor_need;

/** call has shapes, strides and attributes but no data. width is the scalar's sizeof, lanes how
 *  many scalars a vector of the instruction set holds (scratch may depend on it, results not). */
typedef void spor_kernel_need(const spor_call *call, size_t width, int lanes, spor_need *need);

#define SPOR_JOIN_(a, b) a##_##b
#define SPOR_JOIN(a, b) SPOR_JOIN_(a, b)

#endif
