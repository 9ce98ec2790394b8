#include "data/number.h"

#include <locale.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What a decimal is made of: (-1)^negative mantissa 10^exponent, if exact. */
typedef struct {
    bool negative, exact;
    uint64_t mantissa;
    int exponent;
    size_t point; /* where the point is; size if there is none */
} decimal;

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Digits from *at on go into the mantissa; returns their number. */
static int take_digits(const char *text, size_t size, size_t *at, decimal *d) {
    int count = 0;
    for (; *at < size && is_digit(text[*at]); (*at)++, count++) {
        if (d->mantissa > (UINT64_C(1) << 53) / 10 - 1)
            d->exact = false;
        else
            d->mantissa = 10 * d->mantissa + (uint64_t)(text[*at] - '0');
    }
    return count;
}

static bool take_exponent(const char *text, size_t size, size_t *at, decimal *d) {
    bool negative = false;
    int exponent = 0, digits = 0;
    if (*at < size && (text[*at] == '-' || text[*at] == '+')) negative = text[(*at)++] == '-';
    for (; *at < size && is_digit(text[*at]); (*at)++, digits++)
        if (exponent < 10000) exponent = 10 * exponent + (text[*at] - '0');
    d->exponent += negative ? -exponent : exponent;
    return digits > 0;
}

static bool parse(const char *text, size_t size, decimal *d) {
    size_t at = 0;
    *d = (decimal){.exact = true, .point = size};
    if (at < size && (text[at] == '-' || text[at] == '+')) d->negative = text[at++] == '-';
    int digits = take_digits(text, size, &at, d);
    if (at < size && text[at] == '.') {
        d->point = at++;
        int places = take_digits(text, size, &at, d);
        digits += places;
        d->exponent -= places;
    }
    if (!digits) return false;
    if (at < size && (text[at] == 'e' || text[at] == 'E')) {
        at++;
        if (!take_exponent(text, size, &at, d)) return false;
    }
    return at == size;
}

/* strtod on a copy that has the point of the locale. */
static bool read_slowly(const char *text, size_t size, size_t point, double *value) {
    char copy[512];
    const char *mark = localeconv()->decimal_point;
    size_t length = strlen(mark), rest = point < size ? size - point - 1 : 0;
    if (size + length >= sizeof copy) return false;
    memcpy(copy, text, point);
    memcpy(copy + point, mark, length);
    if (rest) memcpy(copy + point + length, text + point + 1, rest);
    copy[point < size ? size - 1 + length : size] = '\0';
    *value = strtod(copy, NULL);
    return isfinite(*value);
}

/* A mantissa below 2^53 times or by a power of ten up to 10^22 is rounded once: exact. */
bool number_read(const char *text, size_t size, double *value) {
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    decimal d;
    if (!parse(text, size, &d)) return false;
    if (!d.exact || abs(d.exponent) > 22) return read_slowly(text, size, d.point, value);
    double magnitude = d.exponent < 0 ? (double)d.mantissa / power[-d.exponent]
                                      : (double)d.mantissa * power[d.exponent];
    *value = d.negative ? -magnitude : magnitude;
    return true;
}
