#include "data/raw.h"

#include <math.h>
#include <string.h>

spor_keep raw_keep(raw_type type) {
    if (type.kind == RAW_UNSIGNED && type.width == 1) return SPOR_KEEP_U8;
    return type.width < 4 || (type.kind == RAW_REAL && type.width == 4) ? SPOR_KEEP_F32
                                                                        : SPOR_KEEP_F64;
}

static uint64_t bits_of(raw_type type, const unsigned char *from) {
    uint64_t bits = 0;
    for (int k = 0; k < type.width; k++) bits = bits << 8 | from[type.big ? k : type.width - 1 - k];
    return bits;
}

/* IEEE 754 binary16: sign, 5 bits of exponent, 10 of fraction. */
static double half(uint64_t bits) {
    int exponent = (int)(bits >> 10 & 31);
    double fraction = (double)(bits & 1023);
    double size = exponent == 31 ? (fraction > 0 ? (double)NAN : (double)INFINITY)
                  : exponent     ? ldexp(1024 + fraction, exponent - 25)
                                 : ldexp(fraction, -24);
    return bits >> 15 ? -size : size;
}

static double real(int width, uint64_t bits) {
    uint32_t low = (uint32_t)bits;
    float single;
    double wide;
    memcpy(&single, &low, sizeof single);
    memcpy(&wide, &bits, sizeof wide);
    return width == 2 ? half(bits) : width == 4 ? (double)single : wide;
}

/* Above 2^53 a double holds some whole numbers only. */
static bool whole(raw_type type, uint64_t bits, double *number) {
    uint64_t sign = UINT64_C(1) << (8 * type.width - 1);
    bool negative = type.kind == RAW_SIGNED && bits & sign;
    uint64_t size = negative ? sign - (bits & (sign - 1)) : bits;
    double magnitude = (double)size;
    *number = negative ? -magnitude : magnitude;
    return magnitude < 0x1p64 && (uint64_t)magnitude == size;
}

static bool number_of(raw_type type, uint64_t bits, double *number) {
    if (raw_is_whole(type)) return whole(type, bits, number);
    *number = type.kind == RAW_BRAIN ? real(4, bits << 16) : real(type.width, bits);
    return true;
}

int64_t raw_read(raw_type type, const unsigned char *from, int64_t count, void *to) {
    spor_keep keep = raw_keep(type);
    if (keep == SPOR_KEEP_U8) {
        memcpy(to, from, (size_t)count);
        return -1;
    }
    for (int64_t k = 0; k < count; k++, from += type.width) {
        double number;
        if (!number_of(type, bits_of(type, from), &number)) return k;
        if (keep == SPOR_KEEP_F32)
            ((float *)to)[k] = (float)number;
        else
            ((double *)to)[k] = number;
    }
    return -1;
}
