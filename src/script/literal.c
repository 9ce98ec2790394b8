/*
 * How well a literal is known. 0.5 is the double that it becomes; 0.1 is not, and whoever writes
 * 0.3989422804014327 means a number beside it: one ulp of the double is what such a literal may be
 * off by.
 */
#include "script/lexer.h"

#include <math.h>

enum { LIMBS = 64, LIMB = 1000000000 };

/* A whole number in limbs of nine digits, the lowest first. */
typedef struct {
    int n;
    uint32_t limb[LIMBS];
} whole;

/* w by + add; false if there is no more room. */
static bool multiply(whole *w, uint32_t by, uint32_t add) {
    uint64_t carry = add;
    for (int k = 0; k < w->n; k++) {
        carry += (uint64_t)w->limb[k] * by;
        w->limb[k] = (uint32_t)(carry % LIMB);
        carry /= LIMB;
    }
    if (carry && w->n == LIMBS) return false;
    if (carry) w->limb[w->n++] = (uint32_t)carry;
    return true;
}

/* w / by, if that is whole; else w stays and the answer is false. */
static bool divide(whole *w, uint32_t by) {
    whole quotient = *w;
    uint64_t rest = 0;
    for (int k = w->n - 1; k >= 0; k--) {
        rest = rest * LIMB + w->limb[k];
        quotient.limb[k] = (uint32_t)(rest / by);
        rest %= by;
    }
    if (rest) return false;
    while (quotient.n && !quotient.limb[quotient.n - 1]) quotient.n--;
    *w = quotient;
    return true;
}

/* The digits before an exponent as a whole number, and the power of ten that it is to be taken
 * times. False if there are too many. */
static bool read_decimal(const char *text, size_t length, whole *w, int *exponent) {
    size_t at = 0;
    bool fraction = false, negative = false;
    int written = 0;
    *exponent = 0;
    for (; at < length && text[at] != 'e' && text[at] != 'E'; at++) {
        if (text[at] == '.')
            fraction = true;
        else if (!multiply(w, 10, (uint32_t)(text[at] - '0')))
            return false;
        else
            *exponent -= fraction;
    }
    for (at++; at < length; at++)
        if (text[at] == '+' || text[at] == '-')
            negative = text[at] == '-';
        else if (written < 10000)
            written = 10 * written + (text[at] - '0');
    *exponent += negative ? -written : written;
    return true;
}

/* True if the literal is r: an odd number below 2^53 times a power of two that r has too. */
static bool is_exact(const char *text, size_t length, double r) {
    const uint64_t most = UINT64_C(1) << 53;
    whole w = {0};
    int fives, twos;
    if (!read_decimal(text, length, &w, &fives)) return false;
    if (!w.n) return true;
    for (twos = fives; fives < 0; fives++)
        if (!divide(&w, 5)) return false;
    while (divide(&w, 2)) twos++;
    if (w.n > 2) return false;
    uint64_t odd = w.limb[0] + (w.n == 2 ? (uint64_t)w.limb[1] * LIMB : 0);
    for (; fives > 0 && odd <= most; fives--) odd *= 5;
    return odd <= most && ldexp(r, -twos) == (double)odd;
}

double literal_error(const char *text, size_t length, double r) {
    int exponent;
    if (is_exact(text, length, r)) return 0;
    frexp(r, &exponent);
    return r > 0 ? fmax(ldexp(1, exponent - 53), 0x1p-1074) : 0x1p-1074;
}
