/*
 * Residues by Montgomery's multiplication: a is held as a 2^64 mod p, so that no division is needed
 * (Montgomery 1985). Primes are 3 modulo 4, where a square u has the root u^((p + 1) / 4).
 */
#include "kernels/field.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"

static _Thread_local field_run *current;

void field_enter(field_run *run) {
    current = run;
}

/* ---- residues -------------------------------------------------------------------------------- */

/* The upper half of a product. */
static uint64_t upper(uint64_t a, uint64_t b) {
    uint64_t a0 = a & UINT32_MAX, a1 = a >> 32, b0 = b & UINT32_MAX, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32), other = a0 * b1 + (middle & UINT32_MAX);
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* a b / 2^64 modulo p. */
static uint64_t times(const field_run *run, uint64_t a, uint64_t b) {
    uint64_t low = a * b, high = upper(a, b);
    uint64_t sum = high + upper(low * run->inverse, run->prime) + (low != 0);
    return sum >= run->prime ? sum - run->prime : sum;
}

static uint64_t plus(const field_run *run, uint64_t a, uint64_t b) {
    uint64_t sum = a + b;
    return sum >= run->prime ? sum - run->prime : sum;
}

static uint64_t minus(const field_run *run, uint64_t a) {
    return a ? run->prime - a : 0;
}

static uint64_t power(const field_run *run, uint64_t a, uint64_t exponent) {
    uint64_t result = run->one;
    for (; exponent; exponent >>= 1, a = times(run, a, a))
        if (exponent & 1) result = times(run, result, a);
    return result;
}

static uint64_t inverse_of(const field_run *run, uint64_t a) {
    return power(run, a, run->prime - 2);
}

static uint64_t from_unsigned(const field_run *run, uint64_t i) {
    return times(run, i % run->prime, run->square);
}

static uint64_t draw(field_run *run) {
    return random_hash(run->key, run->drawn++, 53);
}

/* Not 0. */
static uint64_t random_residue(field_run *run) {
    return 1 + draw(run) % (run->prime - 1);
}

/* ---- the prime ------------------------------------------------------------------------------- */

static void set_modulus(field_run *run, uint64_t p) {
    uint64_t inverse = p; /* Newton: right digits double */
    for (int k = 0; k < 6; k++) inverse *= 2 - p * inverse;
    run->prime = p;
    run->inverse = 0 - inverse;
    run->one = (UINT64_MAX % p + 1) % p;
    run->square = run->one;
    for (int k = 0; k < 64; k++) run->square = plus(run, run->square, run->square);
}

/* The test of Miller and Rabin for p of 3 modulo 4; these bases leave no doubt below 2^64
 * (Sinclair). */
static bool is_prime(field_run *run, uint64_t p) {
    static const uint64_t bases[] = {2, 325, 9375, 28178, 450775, 9780504, 1795265022};
    set_modulus(run, p);
    for (unsigned k = 0; k < sizeof bases / sizeof *bases; k++) {
        uint64_t root = power(run, from_unsigned(run, bases[k]), (p - 1) / 2);
        if (root != run->one && root != minus(run, run->one)) return false;
    }
    return true;
}

/* Each prime between 2^60 and 2^61 that is 3 modulo 4 has the same chance. */
static void choose_prime(field_run *run) {
    uint64_t p;
    do p = (uint64_t)1 << 60 | draw(run) >> 4 | 3;
    while (!is_prime(run, p));
}

void field_begin(field_run *run, uint64_t key) {
    run->key = key;
    run->drawn = 0;
    choose_prime(run);
    run->collisions = 0;
    run->heaviest = 0;
    run->roots = 0;
    run->missing = -1;
    run->rounded = run->full = run->doubtful = false;
    field_part zero = {.known = true, .constant = true}, one = zero;
    one.residue = run->one;
    run->power[0] = (field_power){zero, one, run->one}; /* E(0) = 1 */
    run->powers = 1;
    run->angle[0] = run->error[0] = (field_odd){zero, zero};
    run->angles = run->errors = 1;
}

/* ---- numbers and variables ------------------------------------------------------------------- */

field_part field_unknown(void) {
    return (field_part){0};
}

field_part field_variable(void) {
    if (!current) return field_unknown();
    return (field_part){.residue = random_residue(current), .num = 1, .known = true};
}

/* log2 of a number that is no fraction, 0 of 0. */
static double weight_of(double i) {
    return fabs(i) > 1 ? log2(fabs(i)) * (1 + 0x1p-40) : 0;
}

field_part field_integer(int64_t i) {
    if (!current) return field_unknown();
    uint64_t magnitude = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
    uint64_t residue = from_unsigned(current, magnitude);
    return (field_part){.residue = i < 0 ? minus(current, residue) : residue,
                        .num = weight_of((double)i),
                        .known = true,
                        .constant = true};
}

field_part field_dyadic(double r) {
    if (!current || !isfinite(r)) return field_unknown();
    int exponent;
    field_part a = field_integer((int64_t)ldexp(frexp(r, &exponent), 53));
    uint64_t two = from_unsigned(current, 2);
    if (a.residue == 0) return a;
    exponent -= 53;
    uint64_t by = power(current, two, (uint64_t)(exponent < 0 ? -exponent : exponent));
    a.residue = times(current, a.residue, exponent < 0 ? inverse_of(current, by) : by);
    if (exponent < 0)
        a.den = -exponent;
    else
        a.num += exponent;
    return a;
}

field_part field_rounded(void) {
    if (current) current->rounded = true;
    return field_unknown();
}

/* ---- arithmetic ------------------------------------------------------------------------------ */

static bool are_known(field_part a, field_part b) {
    return current && a.known && b.known;
}

static bool is_number_zero(field_part a) {
    return a.constant && a.residue == 0;
}

field_part field_add(field_part a, field_part b) {
    if (!are_known(a, b)) return field_unknown();
    if (is_number_zero(a)) return b;
    if (is_number_zero(b)) return a;
    return (field_part){.residue = plus(current, a.residue, b.residue),
                        .num = fmax(a.num + b.den, b.num + a.den) + 1,
                        .den = a.den + b.den,
                        .known = true,
                        .constant = a.constant && b.constant};
}

field_part field_negative(field_part a) {
    if (!are_known(a, a)) return field_unknown();
    a.residue = minus(current, a.residue);
    return a;
}

field_part field_multiply(field_part a, field_part b) {
    if (!are_known(a, b)) return field_unknown();
    return (field_part){.residue = times(current, a.residue, b.residue),
                        .num = a.num + b.num,
                        .den = a.den + b.den,
                        .known = true,
                        .constant = a.constant && b.constant};
}

/* 1 / a for a residue that is known to be its inverse. */
static field_part turned(field_part a, uint64_t inverse) {
    double num = a.num;
    a.residue = inverse;
    a.num = a.den;
    a.den = num;
    return a;
}

field_part field_divide(field_part a, field_part b) {
    if (!are_known(a, b) || b.residue == 0) return field_unknown();
    return field_multiply(a, turned(b, inverse_of(current, b.residue)));
}

/* ---- symbols --------------------------------------------------------------------------------- */

/* A look-up compares with so many residues, none of which may be met by chance. */
static void count_comparisons(field_part a, int comparisons) {
    current->collisions += comparisons * (a.num + a.den + 2 * current->heaviest + 2);
}

static void weigh(field_part a) {
    current->heaviest = fmax(current->heaviest, a.num + a.den);
}

static void remember(field_part from, field_part to) {
    weigh(from);
    weigh(to);
    current->power[current->powers++] = (field_power){from, to, inverse_of(current, to.residue)};
}

static bool has_room(int symbols, int most) {
    current->full = current->full || symbols == most;
    return !current->full;
}

/* E(z) if z or -z is in the table. */
static bool find_power(uint64_t z, field_part *to) {
    uint64_t negative = minus(current, z);
    for (const field_power *p = current->power; p < current->power + current->powers; p++) {
        bool as_it_is = p->from.residue == z;
        if (!as_it_is && p->from.residue != negative) continue;
        *to = as_it_is ? p->to : turned(p->to, p->inverse);
        return true;
    }
    return false;
}

/* E(a) E(z - a) and E(z + a) / E(a), if both are in the table, as long as it is short. */
static bool find_sum(field_part z, field_part *to) {
    field_part rest;
    if (current->powers > FIELD_SUMS) return false;
    count_comparisons(z, 4 * current->powers * current->powers);
    for (const field_power *p = current->power; p < current->power + current->powers; p++) {
        uint64_t a = p->from.residue;
        bool less = find_power(plus(current, z.residue, minus(current, a)), &rest);
        if (!less && !find_power(plus(current, z.residue, a), &rest)) continue;
        *to = field_multiply(rest, less ? p->to : turned(p->to, p->inverse));
        return true;
    }
    return false;
}

field_part field_exp(field_part z) {
    field_part to;
    if (!are_known(z, z)) return field_unknown();
    count_comparisons(z, 2 * current->powers);
    if (find_power(z.residue, &to)) return to;
    if (!has_room(current->powers, FIELD_POWERS)) return field_unknown();
    if (!find_sum(z, &to)) to = field_variable();
    remember(z, to);
    return to;
}

field_part field_log(field_part u) {
    if (!are_known(u, u) || u.residue == 0) return field_unknown();
    count_comparisons(u, 2 * current->powers);
    for (const field_power *p = current->power; p < current->power + current->powers; p++) {
        if (p->to.residue == u.residue) return p->from;
        if (p->inverse == u.residue) return field_negative(p->from);
    }
    if (!has_room(current->powers, FIELD_POWERS)) return field_unknown();
    field_part from = field_variable();
    remember(from, u);
    return from;
}

/* One of the two roots; where there is none, any number, and the run tells so. */
static field_part new_root(field_part u) {
    uint64_t root = power(current, u.residue, (current->prime + 1) / 4);
    if (times(current, root, root) != u.residue) {
        if (current->missing < 0) current->missing = current->roots;
        root = random_residue(current);
    }
    field_part r = {.residue = root, .num = (u.num + u.den) / 2, .den = u.den, .known = true};
    weigh(u);
    current->root[current->roots++] = (field_root){u, r, inverse_of(current, u.residue)};
    return r;
}

field_part field_sqrt(field_part u) {
    if (!are_known(u, u) || u.residue == 0) return field_unknown();
    count_comparisons(u, 2 * (current->roots + 1));
    for (const field_root *p = current->root; p < current->root + current->roots; p++) {
        if (p->of.residue == u.residue) return p->root;
        if (p->inverse == u.residue) return turned(p->root, inverse_of(current, p->root.residue));
    }
    return has_room(current->roots, FIELD_ROOTS) ? new_root(u) : field_unknown();
}

/* (E(z)^2 - 1) / (E(z)^2 + 1) */
field_part field_tanh(field_part z) {
    field_part power = field_exp(z), square = field_multiply(power, power);
    field_part one = field_integer(1), less = field_add(square, field_negative(one));
    return field_divide(less, field_add(square, one));
}

field_part field_power_of(field_part a, int n) {
    field_part result = field_integer(1), factor = a;
    for (int k = abs(n); k; k /= 2, factor = field_multiply(factor, factor))
        if (k % 2) result = field_multiply(result, factor);
    return n < 0 ? field_divide(field_integer(1), result) : result;
}

/* f(z) if z or -z is in the table of an odd function. */
static bool find_odd(const field_odd *table, int count, uint64_t z, field_part *to) {
    uint64_t negative = minus(current, z);
    for (const field_odd *p = table; p < table + count; p++) {
        if (p->from.residue != z && p->from.residue != negative) continue;
        *to = p->from.residue == z ? p->to : field_negative(p->to);
        return true;
    }
    return false;
}

static void remember_odd(field_odd *table, int *count, field_part from, field_part to) {
    weigh(from);
    weigh(to);
    table[(*count)++] = (field_odd){from, to};
}

/* tan (a + b) = (tan a + tan b) / (1 - tan a tan b), of two halves in the table. */
static bool find_angle_sum(field_part z, field_part *to) {
    field_part rest;
    count_comparisons(z, 4 * current->angles * current->angles);
    for (const field_odd *p = current->angle; p < current->angle + current->angles; p++) {
        uint64_t less = plus(current, z.residue, minus(current, p->from.residue));
        if (!find_odd(current->angle, current->angles, less, &rest)) continue;
        field_part one = field_integer(1), product = field_multiply(p->to, rest);
        *to = field_divide(field_add(p->to, rest), field_add(one, field_negative(product)));
        return to->known;
    }
    return false;
}

static field_part half_tangent(field_part z) {
    field_part to;
    if (!are_known(z, z)) return field_unknown();
    count_comparisons(z, 2 * current->angles);
    if (find_odd(current->angle, current->angles, z.residue, &to)) return to;
    if (!has_room(current->angles, FIELD_ODD)) return field_unknown();
    if (!find_angle_sum(z, &to)) to = field_variable();
    remember_odd(current->angle, &current->angles, z, to);
    return to;
}

/* sin z = 2 t / (1 + t^2), cos z = (1 - t^2) / (1 + t^2), t = tan (z / 2) */
field_part field_sin(field_part z) {
    field_part t = half_tangent(z), one = field_integer(1);
    return field_divide(field_add(t, t), field_add(one, field_multiply(t, t)));
}

field_part field_cos(field_part z) {
    field_part t = half_tangent(z), one = field_integer(1), square = field_multiply(t, t);
    return field_divide(field_add(one, field_negative(square)), field_add(one, square));
}

field_part field_erf(field_part z) {
    field_part to;
    if (!are_known(z, z)) return field_unknown();
    count_comparisons(z, 2 * current->errors);
    if (find_odd(current->error, current->errors, z.residue, &to)) return to;
    if (!has_room(current->errors, FIELD_ODD)) return field_unknown();
    to = field_variable();
    remember_odd(current->error, &current->errors, z, to);
    return to;
}

bool field_is_zero(field_part a) {
    if (!are_known(a, a)) return false;
    current->collisions += a.num;
    return a.residue == 0;
}

/* ---- branches -------------------------------------------------------------------------------- */

/* What pads a maximum, and never wins. */
static bool are_one_infinity(const field_element *a, const field_element *b) {
    return isinf(a->v) && a->v == b->v && a->e <= 0 && b->e <= 0;
}

field_branch field_compare(const field_element *a, const field_element *b) {
    if (!current || fabs(a->v - b->v) > a->e + b->e) return FIELD_DECIDED;
    if (are_one_infinity(a, b)) return FIELD_SAME;
    if (are_known(a->f, b->f) && a->f.residue == b->f.residue) {
        current->collisions += a->f.num + a->f.den + b->f.num + b->f.den + 1;
        return FIELD_SAME;
    }
    current->doubtful = true;
    return FIELD_DOUBTFUL;
}
