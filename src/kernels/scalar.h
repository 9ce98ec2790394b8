/*
 * The words of reference kernels. A kernel says T, ADD, MUL, EXP, LESS ... and never uses a C
 * operator on a T, so that the same loops run over any scalar type. SPOR_SCALAR names the type:
 *
 *   f32, f64   float and double, functions from libm
 *   stub       a double in a struct: compiled, never run; the compiler then refuses any operator
 *
 * FROM_INT makes a T of an integer, FROM_REAL of a double, RATIO of num / den.
 */
#ifndef SPOR_KERNELS_SCALAR_H
#define SPOR_KERNELS_SCALAR_H

#include <math.h>
#include <stdint.h>

#define SPOR_IS_f32 1
#define SPOR_IS_f64 2
#define SPOR_IS_stub 3
#define SPOR_IS_(name) SPOR_IS_##name
#define SPOR_IS(name) SPOR_IS_(name)

#if SPOR_IS(SPOR_SCALAR) == SPOR_IS_f32
typedef float T;
#elif SPOR_IS(SPOR_SCALAR) == SPOR_IS_f64
typedef double T;
#else
typedef struct {
    double v;
} T;
#endif

#if SPOR_IS(SPOR_SCALAR) == SPOR_IS_stub
#define V_(a) ((a).v)
#define T_(x) ((T){x})
#else
#define V_(a) (a)
#define T_(x) ((T)(x))
#endif

#if SPOR_IS(SPOR_SCALAR) == SPOR_IS_f32
#define F_(name) name##f
#else
#define F_(name) name
#endif

static inline T FROM_REAL(double r) { return T_(r); }
static inline T FROM_INT(int64_t i) { return T_((double)i); }
static inline T RATIO(int64_t num, int64_t den) { return T_((double)num / (double)den); }
static inline T ADD(T a, T b) { return T_(V_(a) + V_(b)); }
static inline T SUB(T a, T b) { return T_(V_(a) - V_(b)); }
static inline T MUL(T a, T b) { return T_(V_(a) * V_(b)); }
static inline T DIV(T a, T b) { return T_(V_(a) / V_(b)); }
static inline T NEG(T a) { return T_(-V_(a)); }
static inline T EXP(T a) { return T_(F_(exp)(V_(a))); }
static inline T LOG(T a) { return T_(F_(log)(V_(a))); }
static inline T SQRT(T a) { return T_(F_(sqrt)(V_(a))); }
static inline T TANH(T a) { return T_(F_(tanh)(V_(a))); }
/** Order decides branches only (kinks, winners): false if either is not a number. */
static inline int LESS(T a, T b) { return V_(a) < V_(b); }

#endif
