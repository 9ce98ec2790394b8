/*
 * Reference kernels: the definition of an op as loops that read like its equation.
 *
 *     REFERENCE_KERNEL(exp) {
 *         EACH_INDEX (i, c->out.shape) *AT(c->out, i) = EXP(*AT(c->in[0], i));
 *     }
 *
 * i is a multi-index (int64_t i[SPOR_RANK]); AT is the address of an element. NO_KERNEL(op) says
 * that the op has no meaning over this scalar type.
 */
#ifndef SPOR_KERNELS_REFERENCE_H
#define SPOR_KERNELS_REFERENCE_H

#include "kernels/kernel.h"
#include "kernels/scalar.h"

#define REFERENCE_KERNEL(op)                                                                       \
    static spor_reference op##_kernel;                                                             \
    extern spor_reference *const SPOR_JOIN(spor_kernel_##op, SPOR_SCALAR);                         \
    spor_reference *const SPOR_JOIN(spor_kernel_##op, SPOR_SCALAR) = op##_kernel;                  \
    static void op##_kernel(const spor_call *c)

/**
 * The kernel of an elementwise op, as a function of the elements x[0], x[1] ... of its n operands:
 *
 *     ELEMENT_KERNEL(mul, 2) {
 *         return MUL(x[0], x[1]);
 *     }
 *
 * attr are the op's attributes. kernels/tile.h makes of the same function the op's tile kernels.
 */
#define ELEMENT_KERNEL(op, n)                                                                      \
    static inline T op##_element(const T x[], const spor_attr attr[]);                             \
    REFERENCE_KERNEL(op) {                                                                         \
        EACH_INDEX(i, c->out.shape) {                                                              \
            T x[n];                                                                                \
            for (int k = 0; k < (n); k++) x[k] = *AT(c->in[k], i);                                 \
            *AT(c->out, i) = op##_element(x, c->attr);                                             \
        }                                                                                          \
    }                                                                                              \
    static inline T op##_element(const T x[], const spor_attr attr[] __attribute__((unused)))

#define NO_KERNEL(op)                                                                              \
    extern spor_reference *const SPOR_JOIN(spor_kernel_##op, SPOR_SCALAR);                         \
    spor_reference *const SPOR_JOIN(spor_kernel_##op, SPOR_SCALAR) = NULL

/** Address of the element at a multi-index. */
static inline T *reference_at_index(const spor_arg *a, const int64_t i[]) {
    int64_t offset = 0;
    for (int k = 0; k < a->shape.rank; k++) offset += i[k] * a->stride[k];
    return (T *)a->data + offset;
}
#define AT(arg, i) reference_at_index(&(arg), (i))

/** Steps a multi-index in row-major order; false after the last. */
static inline bool reference_next_index(const spor_shape *shape, int64_t i[]) {
    for (int k = shape->rank - 1; k >= 0; k--) {
        if (++i[k] < shape->n[k]) return true;
        i[k] = 0;
    }
    return false;
}

/** Loops over all indices of a shape in row-major order; there are none if an axis is empty. */
#define EACH_INDEX(i, of)                                                                          \
    for (int64_t i[SPOR_RANK] = {0}, go_##i = shape_size(&(of)) != 0; go_##i;                      \
         go_##i = reference_next_index(&(of), i))

/** AT4(x, n, i, j, c): element of a rank-4 array; AT2 of a matrix. */
static inline T *reference_at4(const spor_arg *a, int64_t i, int64_t j, int64_t k, int64_t l) {
    return (T *)a->data + i * a->stride[0] + j * a->stride[1] + k * a->stride[2] + l * a->stride[3];
}
#define AT4(arg, i, j, k, l) reference_at4(&(arg), (i), (j), (k), (l))
/** AT0(a): the element of a scalar. */
#define AT0(arg) ((T *)(arg).data)

#endif
