/*
 * What ops make of known numbers a + b N: b is NaN where that is no such number.
 */
#include <math.h>

#include "import/graph.h"

static import_number unknown(void) {
    return (import_number){0, (double)NAN};
}
static bool depends(const import_number *x) {
    return x->b != 0;
}
/* Of numbers that do not depend on N. */
static import_number plainly(const import_number x[], int n, double value) {
    for (int k = 0; k < n; k++)
        if (depends(&x[k])) return unknown();
    return (import_number){value, 0};
}

void fold_add(int n, const import_number x[], bool whole, import_number *y) {
    (void)n, (void)whole;
    *y = (import_number){x[0].a + x[1].a, x[0].b + x[1].b};
}
void fold_sub(int n, const import_number x[], bool whole, import_number *y) {
    (void)n, (void)whole;
    *y = (import_number){x[0].a - x[1].a, x[0].b - x[1].b};
}
void fold_neg(int n, const import_number x[], bool whole, import_number *y) {
    (void)n, (void)whole;
    *y = (import_number){-x[0].a, -x[0].b};
}
void fold_mul(int n, const import_number x[], bool whole, import_number *y) {
    (void)n, (void)whole;
    const int by = depends(&x[0]) ? 0 : 1; /* the one that may depend on N */
    *y = depends(&x[0]) && depends(&x[1]) ? unknown()
                                          : (import_number){x[0].a * x[1].a, x[by].b * x[1 - by].a};
}
/* Whole numbers are divided towards 0; what depends on N without a rest, or by a part of itself. */
void fold_div(int n, const import_number x[], bool whole, import_number *y) {
    (void)n;
    const double d = x[1].a;
    const bool open = depends(&x[0]), multiples = x[0].a == 0 && d == 0 && depends(&x[1]);
    const bool rest = whole && (d == 0 || (open && (fmod(x[0].a, d) != 0 || fmod(x[0].b, d) != 0)));
    if (open && multiples && fmod(x[0].b, x[1].b) == 0)
        *y = (import_number){x[0].b / x[1].b, 0};
    else if (depends(&x[1]) || rest)
        *y = unknown();
    else
        *y = (import_number){whole ? trunc(x[0].a / d) : x[0].a / d, open ? x[0].b / d : 0};
}
void fold_mod(int n, const import_number x[], bool whole, import_number *y) {
    (void)whole;
    const double r = fmod(x[0].a, x[1].a);
    const bool other = r != 0 && (r < 0) != (x[1].a < 0);
    *y = plainly(x, n, other ? r + x[1].a : r);
}

#define FOLD_REAL(name, expression)                                                                \
    void fold_##name(int n, const import_number x[], bool whole, import_number *y) {               \
        const double a = x[0].a;                                                                   \
        (void)whole;                                                                               \
        *y = plainly(x, n, expression);                                                            \
    }
FOLD_REAL(abs, fabs(a))
FOLD_REAL(sqrt, sqrt(a))
FOLD_REAL(exp, exp(a))
FOLD_REAL(log, log(a))
FOLD_REAL(reciprocal, 1 / a)
FOLD_REAL(floor, floor(a))
FOLD_REAL(ceil, ceil(a))
FOLD_REAL(round, nearbyint(a))
FOLD_REAL(sign, (a > 0) - (a < 0))
FOLD_REAL(not, a == 0)

#define FOLD_TWO(name, expression)                                                                 \
    void fold_##name(int n, const import_number x[], bool whole, import_number *y) {               \
        const double a = x[0].a, b = x[1].a;                                                       \
        (void)whole;                                                                               \
        *y = plainly(x, n, expression);                                                            \
    }
FOLD_TWO(pow, pow(a, b))
FOLD_TWO(and, a != 0 && b != 0)
FOLD_TWO(or, a != 0 || b != 0)
FOLD_TWO(xor, (a != 0) != (b != 0))

/* The sign of x - y for all N >= 1; 2: it depends on N, or there is none. */
static int compared(const import_number *x, const import_number *y) {
    const double a = x->a - y->a, b = x->b - y->b;
    if (isnan(x->a) || isnan(y->a)) return 2;
    if (b == 0) return (a > 0) - (a < 0);
    if (b > 0 && a + b > 0) return 1;
    if (b < 0 && a + b < 0) return -1;
    return 2;
}

#define FOLD_COMPARED(name, condition)                                                             \
    void fold_##name(int n, const import_number x[], bool whole, import_number *y) {               \
        const int sign = compared(&x[0], &x[1]);                                                   \
        (void)n, (void)whole;                                                                      \
        *y = sign == 2 ? unknown() : (import_number){condition, 0};                                \
    }
FOLD_COMPARED(equal, sign == 0)
FOLD_COMPARED(less, sign < 0)
FOLD_COMPARED(less_equal, sign <= 0)
FOLD_COMPARED(greater, sign > 0)
FOLD_COMPARED(greater_equal, sign >= 0)

void fold_min(int n, const import_number x[], bool whole, import_number *y) {
    (void)whole;
    *y = x[0];
    for (int k = 1; k < n; k++) {
        const int sign = compared(&x[k], y);
        *y = sign == 2 ? unknown() : sign < 0 ? x[k] : *y;
    }
}
void fold_max(int n, const import_number x[], bool whole, import_number *y) {
    (void)whole;
    *y = x[0];
    for (int k = 1; k < n; k++) {
        const int sign = compared(&x[k], y);
        *y = sign == 2 ? unknown() : sign > 0 ? x[k] : *y;
    }
}
void fold_where(int n, const import_number x[], bool whole, import_number *y) {
    (void)n, (void)whole;
    *y = depends(&x[0]) ? unknown() : x[x[0].a != 0 ? 1 : 2];
}
