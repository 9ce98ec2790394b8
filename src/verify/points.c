/*
 * Where statements are tried: families of points. What a formula does never narrows them; only an
 * operand that a def can't take, as y or a slope then is no number, gets a narrower family of its
 * own in the last two, and only if too few elements lie inside the domain elsewhere.
 */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "verify/points.h"

typedef double point_draw(uint64_t key, uint64_t k, double from, double to);
/* A number among constants, or the one that the family would have. */
typedef double point_mix(const points *p, uint64_t key, uint64_t k, double plain);

static double whole_number(uint64_t key, uint64_t k, double from, double to) {
    return from + floor((to - from + 1) * random_uniform(key, k, 11));
}

static double real_number(uint64_t key, uint64_t k, double from, double to) {
    return from + (to - from) * random_uniform(key, k, 11);
}

/* Narrow numbers of an operand: for whole numbers and for reals. */
static const struct {
    const char *name;
    double least, most; /* whole; reals if they are equal */
    double from, to;
} narrows[POINT_NARROWS] = {
    [POINT_NOT_NARROW] = {"", 0, 0, 0, 0},
    [POINT_SHARES] = {"in 0..1", 0, 0, 0x1p-10, 1 - 0x1p-10},
    [POINT_POSITIVE] = {"in 0.25..6", 1, 6, 0.25, 6},
    [POINT_ABOVE_ONE] = {"in 1.0625..5", 2, 5, 1.0625, 5},
};

const char *point_narrow_name(point_narrow narrow) {
    return narrows[narrow].name;
}

/* ---- one number ------------------------------------------------------------------------------ */

/* Between two constants, which their neighbourhoods may leave out; just beyond, just short of or at one, or
 * plain; `constant` has them with both signs. */
static double beside_constant(const points *p, uint64_t key, uint64_t k, double plain) {
    static const double off[] = {0x1p-6, -0x1p-6, 0.375, -0.375, 1.25, -1.25, 0, 0};
    static const double part[] = {0x1p-6, -0x1p-6, 0.5, -0.5, 0.125, -0.125, -0.875, 1};
    uint64_t bits = random_hash(key, k, 17), which = bits >> 32 & 7;
    if (!p->constants || bits % 4 == 0) return plain;
    if (bits % 4 == 1 && p->between)
        return p->constant[p->first_between + (int)((bits >> 8) % (uint64_t)p->between)];
    bool own = bits >> 41 & 1 && p->first_between; /* the numbers themselves, or all made of them */
    int of = own ? p->first_between : p->constants;
    double c = p->constant[(bits >> 8) % (uint64_t)of];
    return bits >> 40 & 1 ? c + c * part[which] : c + off[which] * fmax(1, fabs(c) / 8);
}

/* Beyond all numbers that are met, or between one and the next: each of several conditions, on one operand or on some,
 * holds or fails by itself at every element, so that fewer draws are needed until they hold together. */
static double beyond_constants(const points *p, uint64_t key, uint64_t k, double plain) {
    uint64_t bits = random_hash(key, k, 59), of = (uint64_t)p->first_between;
    double most = 0, share = random_uniform(key, k, 61), c, next = HUGE_VAL;
    if (!of) return plain;
    c = p->constant[(bits >> 8) % of];
    for (uint64_t j = 0; j < of; j++) {
        most = fmax(most, fabs(p->constant[j]));
        if (p->constant[j] > c) next = fmin(next, p->constant[j]);
    }
    if (bits & 1 || next > most) return copysign(most + (most + 1) * share, bits & 2 ? 1 : -1);
    return c + (next - c) * share;
}

typedef struct {
    point_draw *draw;
    double from, to;
    point_mix *mix; /* what of the constants is mixed in; NULL: nothing */
    bool within;    /* narrowed operands have their narrow numbers */
} family;

static const family families[POINT_FAMILIES] = {
    [POINT_WHOLE] = {whole_number, -3, 3, NULL, false},
    [POINT_WHOLE_AGAIN] = {whole_number, -1, 1, NULL, false},
    [POINT_SLIGHT] = {real_number, -1, 1, NULL, false},
    [POINT_REAL] = {real_number, -4, 4, NULL, false},
    [POINT_WIDE] = {real_number, -16, 16, NULL, false},
    [POINT_SHARE] = {real_number, 0, 1, NULL, false},
    [POINT_CONSTANTS] = {real_number, -4, 4, beside_constant, false},
    [POINT_BEYOND] = {real_number, -4, 4, beyond_constants, false},
    [POINT_WHOLE_WITHIN] = {whole_number, -3, 3, NULL, true},
    [POINT_WITHIN] = {real_number, -4, 4, NULL, true},
};

static double narrow_number(point_narrow narrow, bool whole, uint64_t key, uint64_t k) {
    bool reals = !whole || !(narrows[narrow].least < narrows[narrow].most);
    if (reals) return real_number(key, k, narrows[narrow].from, narrows[narrow].to);
    return whole_number(key, k, narrows[narrow].least, narrows[narrow].most);
}

/* Of a cotangent: never 0, so that what it meets shows. */
static double away_from_zero(double x, const family *f) {
    double least = f->draw == whole_number ? 1 : (f->to - f->from) / 32;
    return fabs(x) >= least ? x : x < 0 ? x - least : x + least;
}

/* ---- stated ranges --------------------------------------------------------------------------- */

static double in_reals(const spor_range *r, const family *f, uint64_t key, uint64_t k) {
    double least = ceil(r->from), most = floor(r->to);
    uint64_t bits = random_hash(key, k, 19);
    if (f->draw == whole_number && least <= most) return whole_number(key, k, least, most);
    if (f->mix && bits % 2) return bits % 4 == 1 ? r->from : r->to;
    return fmin(fmax(real_number(key, k, r->from, r->to), r->from), r->to);
}

/* First one end, then the other; where zeros and ties are many, ends and nothing else. */
static double in_whole(const spor_range *r, int which, uint64_t key, uint64_t k) {
    bool ends = which == POINT_WHOLE_AGAIN, last = random_hash(key, k, 27) % 2;
    if (which == POINT_WHOLE && k < 2) ends = true, last = k == 0;
    return ends ? last ? r->to : r->from : whole_number(key, k, r->from, r->to);
}

static double in_set(const spor_range *r, uint64_t key, uint64_t k) {
    return r->item[random_hash(key, k, 23) % (uint64_t)r->n];
}

/* Rows along the last axis; each a 1 somewhere. */
static void fill_one_hot(double *x, int64_t rows, int64_t width, uint64_t key) {
    memset(x, 0, (size_t)(rows * width) * sizeof *x);
    for (int64_t row = 0; row < rows; row++)
        x[row * width + (int64_t)(random_hash(key, (uint64_t)row, 29) % (uint64_t)width)] = 1;
}

/* Multiples of a power of two that add up to 1 without rounding: the unit is cut at random, from a
 * random element on. In every other row each has something, in the others many have 0. */
static void fill_simplex(double *x, int64_t rows, int64_t width, uint64_t key) {
    double parts = ldexp(1, 7 + ilogb((double)width));
    for (int64_t row = 0; row < rows; row++, x += width) {
        uint64_t bits = random_hash(key, (uint64_t)row, 33);
        double least = bits & 1 ? 1 : 0, left = parts - least * (double)width;
        for (int64_t k = 0; k < width; k++) {
            double share = random_uniform(key, (uint64_t)(row * width + k), 31);
            double take = k == width - 1 ? left : floor(left * share * share * share);
            x[((int64_t)(bits >> 8 & 0xFFFF) + k) % width] = (least + take) / parts;
            left -= take;
        }
    }
}

/* D (B B^T + e) D, B of small whole numbers, D of powers of two, e 1 or a sixteenth: from well to
 * badly conditioned, no diagonal larger than what stands beside it, and without rounding. */
static void fill_positive_definite(double *x, int64_t matrices, int64_t n, const family *f,
                                   uint64_t key) {
    bool tame = f->draw == whole_number;
    for (int64_t m = 0; m < matrices; m++, x += n * n) {
        double least = random_hash(key, (uint64_t)m, 37) % 2 ? 1 : 0.0625;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                uint64_t row = (uint64_t)(m * n + i), column = (uint64_t)(m * n + j);
                double sum = i == j ? least : 0, scale = 1;
                for (uint64_t k = 0; k < (uint64_t)n; k++)
                    sum += whole_number(key, row * (uint64_t)n + k, -2, 2) *
                           whole_number(key, column * (uint64_t)n + k, -2, 2);
                if (!tame)
                    scale =
                        exp2(whole_number(~key, row, -3, 3) + whole_number(~key, column, -3, 3));
                x[i * n + j] = sum * scale;
            }
    }
}

/* True if the range makes whole rows at once. */
static bool fill_range(const spor_range *r, const spor_shape *shape, const family *f, uint64_t key,
                       double *x) {
    int64_t size = shape_size(shape), last = shape->rank ? shape->n[shape->rank - 1] : 1;
    if (!size) return true;
    switch (r->kind) {
    case SPOR_RANGE_ONE_HOT:
        return fill_one_hot(x, size / last, last, key), true;
    case SPOR_RANGE_SIMPLEX:
        return fill_simplex(x, size / last, last, key), true;
    case SPOR_RANGE_POSITIVE_DEFINITE:
        return fill_positive_definite(x, size / (last * last), last, f, key), true;
    default:
        return false;
    }
}

/* ---- an input -------------------------------------------------------------------------------- */

static double draw_number(const points *p, const point_input *in, int which, uint64_t key,
                          uint64_t k) {
    const family *f = &families[which];
    if (in->range.kind == SPOR_RANGE_WHOLE) return in_whole(&in->range, which, key, k);
    if (in->range.kind == SPOR_RANGE_REALS) return in_reals(&in->range, f, key, k);
    if (in->range.kind == SPOR_RANGE_SET) return in_set(&in->range, key, k);
    if (f->within && in->narrow) return narrow_number(in->narrow, f->draw == whole_number, key, k);
    double x = f->draw(key, k, f->from, f->to);
    if (f->mix) x = f->mix(p, key, k, x);
    return in->cotangent ? away_from_zero(x, f) : x;
}

void points_draw(const points *p, const point_input *in, uint64_t seed, int which, double *x) {
    const family *f = &families[which];
    uint64_t key = random_hash(seed, (uint64_t)which, (uint64_t)in->number);
    if (fill_range(&in->range, &in->shape, f, key, x)) return;
    for (int64_t k = 0; k < shape_size(&in->shape); k++)
        x[k] = draw_number(p, in, which, key, (uint64_t)k);
}

/* ---- constants ------------------------------------------------------------------------------- */

static void add_constant(points *p, double c) {
    if (p->constants == POINT_CONSTANTS_MOST || !(fabs(c) <= 0x1p20) || c == 0) return;
    for (int k = 0; k < p->constants; k++)
        if (p->constant[k] == c) return;
    p->constant[p->constants++] = c;
}

void points_meet(points *p, int n, const double number[]) {
    for (int k = 0; k < n; k++) {
        add_constant(p, number[k]);
        add_constant(p, -number[k]);
    }
    p->first_between = p->constants;
    for (int k = 0; k < n; k++)
        for (int j = 0; j < k; j++) add_constant(p, (number[k] + number[j]) / 2);
    p->between = p->constants - p->first_between;
    for (int k = 0; k < n; k++) {
        add_constant(p, number[k] * number[k]);
        if (number[k] > 0) add_constant(p, sqrt(number[k]));
        if (number[k] > 0) add_constant(p, log(number[k]));
    }
    for (int k = 0; k < n; k++)
        for (int j = 0; j < k; j++) {
            add_constant(p, number[k] - number[j]);
            add_constant(p, number[j] - number[k]);
            add_constant(p, number[k] + number[j]);
            if (number[j] != 0) add_constant(p, number[k] / number[j]);
            if (number[k] != 0) add_constant(p, number[j] / number[k]);
        }
}
