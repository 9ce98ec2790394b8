/* The words of scalar.h that are C's own operators, where T is a type of C. */
#ifndef SPOR_KERNELS_SCALAR_OPERATORS_H
#define SPOR_KERNELS_SCALAR_OPERATORS_H

static inline T FROM_REAL(double r) {
    return (T)r;
}
static inline T KNOWN_TO(double r, double error) {
    (void)error;
    return FROM_REAL(r);
}
static inline T RATIO(int64_t num, int64_t den) {
    return (T)((double)num / (double)den);
}
static inline T ADD(T a, T b) {
    return a + b;
}
static inline T SUB(T a, T b) {
    return a - b;
}
#ifndef SCALAR_OWN_MUL
static inline T MUL(T a, T b) {
    return a * b;
}
#endif
static inline T DIV(T a, T b) {
    return a / b;
}
static inline T NEG(T a) {
    return -a;
}

#endif
