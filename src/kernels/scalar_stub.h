/* The words of scalar.h over a struct: proof that the words suffice. */
#ifndef SPOR_KERNELS_SCALAR_STUB_H
#define SPOR_KERNELS_SCALAR_STUB_H

typedef struct {
    double v;
} T;
#define SCALAR_TEXT "double in a struct"

static inline T FROM_REAL(double r) {
    return (T){r};
}
static inline T KNOWN_TO(double r, double error) {
    (void)error;
    return FROM_REAL(r);
}
static inline double VALUE(T a) {
    return a.v;
}
static inline T FROM_INT(int64_t i) {
    return (T){(double)i};
}
static inline T RATIO(int64_t num, int64_t den) {
    return (T){(double)num / (double)den};
}
static inline T ADD(T a, T b) {
    return (T){a.v + b.v};
}
static inline T SUB(T a, T b) {
    return (T){a.v - b.v};
}
static inline T MUL(T a, T b) {
    return (T){a.v * b.v};
}
static inline T DIV(T a, T b) {
    return (T){a.v / b.v};
}
static inline T NEG(T a) {
    return (T){-a.v};
}
static inline T EXP(T a) {
    return (T){exp(a.v)};
}
static inline T LOG(T a) {
    return (T){log(a.v)};
}
static inline T LOG1P(T a) {
    return (T){log1p(a.v)};
}
static inline T SQRT(T a) {
    return (T){sqrt(a.v)};
}
static inline T TANH(T a) {
    return (T){tanh(a.v)};
}
static inline T ERF(T a) {
    return (T){erf(a.v)};
}
static inline T SIN(T a) {
    return (T){sin(a.v)};
}
static inline T COS(T a) {
    return (T){cos(a.v)};
}
static inline T EXPM1(T a) {
    return (T){expm1(a.v)};
}
static inline T POW(T a, T b) {
    return (T){pow(a.v, b.v)};
}
static inline T SHIFT(T largest) {
    return largest;
}
static inline int LESS(T a, T b) {
    return a.v < b.v;
}
static inline int NEARER(T a, T b) {
    return a.v < b.v;
}
static inline int MAY_TURN(T distance) {
    (void)distance;
    return 0;
}
static inline T EITHER(T chosen, T other) {
    (void)other;
    return chosen;
}
static inline int IS_NAN(T a) {
    return isnan(a.v);
}
static inline int IS_ZERO(T a) {
    return fabs(a.v) <= 0;
}

#endif
