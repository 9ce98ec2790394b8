/*
 * x^y of programs on each instruction set, against libm's: over a dense sweep, on numbers of random bits, and at the ends that
 * C's Annex F speaks of; and that of exported C, which has the baseline's bits.
 */
#include "../suite.h"
#include "power.h"

#include <math.h>
#include <string.h>

#include <spor/spor.h>

#include "../support/sets.h"
#include "base/random.h"

enum { N = 1 << 15, TYPES = 2 };

/* Units in the last place of the result that x^y may be off by; 0.82 was the most of 3 10^8. */
static const double UNITS = 0.85;

/* ---- operands ---- */

typedef struct {
    spor_tape *tape;
    spor_program *program;
    spor_scalar scalar;
    void *x, *y;
    const void *z;
} powers;

static powers powers_of(const char *set, spor_scalar scalar) {
    powers p = {.tape = spor_tape_new(), .scalar = scalar};
    spor_var x = spor_input(p.tape, "x", SPOR_SHAPE(N)), y = spor_input(p.tape, "y", SPOR_SHAPE(N));
    spor_var z = spor_pow(x, y);
    p.program = spor_compile(p.tape, 1, &z, NULL, &(spor_options){.scalar = scalar, .isa = set});
    ck_assert_msg(!spor_program_error(p.program), "%s", spor_program_error(p.program));
    p.x = spor_program_arg(p.program, x).data;
    p.y = spor_program_arg(p.program, y).data;
    p.z = spor_program_arg(p.program, z).data;
    return p;
}

static void powers_free(powers *p) {
    spor_program_free(p->program);
    spor_tape_free(p->tape);
}

static bool is_single(const powers *p) {
    return p->scalar == SPOR_F32;
}

static double at(const powers *p, const void *of, int k) {
    return is_single(p) ? (double)((const float *)of)[k] : ((const double *)of)[k];
}

static void set(const powers *p, void *of, int k, double value) {
    if (is_single(p))
        ((float *)of)[k] = (float)value;
    else
        ((double *)of)[k] = value;
}

static double uniform(uint64_t k, uint64_t of) {
    return (double)(random_hash(7, k, of) >> 11) * 0x1p-53;
}

/* A number of these bits. */
static double of_bits(const powers *p, uint64_t bits) {
    double wide;
    float narrow;
    uint32_t half = (uint32_t)bits;
    memcpy(&wide, &bits, sizeof wide);
    memcpy(&narrow, &half, sizeof narrow);
    return is_single(p) ? (double)narrow : wide;
}

/* x over all sizes, and near 1, with results over the whole range and beyond both of its ends. */
static void sweep(const powers *p, int k, bool near_one) {
    const double far = is_single(p) ? 155 : 1085, sizes = is_single(p) ? 120 : 1000;
    double share = uniform((uint64_t)k, 0) - 0.5, x = exp2(2 * sizes * share);
    if (near_one) x = 1 + ldexp(share, -k % (is_single(p) ? 22 : 50));
    set(p, p->x, k, x);
    x = at(p, p->x, k);
    double result = 2 * far * (uniform((uint64_t)k, 1) - 0.5);
    set(p, p->y, k, x < 1 || x > 1 ? result / log2(x) : result);
}

/* Random bits; a third of the exponents are whole, which negative numbers have powers of. */
static void random_bits(const powers *p, int k) {
    set(p, p->x, k, of_bits(p, random_hash(8, (uint64_t)k, 0)));
    double y = of_bits(p, random_hash(8, (uint64_t)k, 1));
    if (k % 3 == 0) y = floor(64 * uniform((uint64_t)k, 2)) - 32;
    set(p, p->y, k, y);
}

/* ---- comparing ---- */

static double unit_of(double y, bool single) {
    int exponent, bits = single ? 24 : 53, least = single ? -149 : -1074;
    frexp(y, &exponent);
    return ldexp(1, exponent - bits > least ? exponent - bits : least);
}

static bool is_same(double a, double b) {
    return (isnan(a) && isnan(b)) || (a >= b && a <= b && !signbit(a) == !signbit(b));
}

/* libm's own result of the type. */
static double libm_of(const powers *p, int k) {
    double x = at(p, p->x, k), y = at(p, p->y, k);
    return is_single(p) ? (double)powf((float)x, (float)y) : pow(x, y);
}

/* Within UNITS of libm in long double, and a unit of its own in this type; of what is no number there or infinite the same. */
static void check(const powers *p, const char *set) {
    ck_assert_msg(spor_run(p->program, 0), "%s", spor_program_error(p->program));
    for (int k = 0; k < N; k++) {
        double x = at(p, p->x, k), y = at(p, p->y, k), z = at(p, p->z, k), libm = libm_of(p, k);
        if (is_same(z, libm)) continue;
        double unit = unit_of(libm, is_single(p));
        double off = fabs(
            (double)(((long double)z - powl((long double)x, (long double)y)) / (long double)unit));
        ck_assert_msg(fabs(z - libm) <= unit && off <= UNITS, "%s: %a^%a is %a, not %a: %g units",
                      set, x, y, z, libm, off);
    }
}

START_TEST(powers_are_those_of_libm_within_a_unit) {
    for (int s = 0; instruction_sets()[s]; s++)
        for (int scalar = 0; scalar < TYPES; scalar++) {
            powers p = powers_of(instruction_sets()[s], (spor_scalar)scalar);
            for (int way = 0; way < 3; way++) {
                for (int k = 0; k < N; k++)
                    if (way == 2)
                        random_bits(&p, k);
                    else
                        sweep(&p, k, way == 1);
                check(&p, instruction_sets()[s]);
            }
            powers_free(&p);
        }
}
END_TEST

/* ---- Annex F ---- */

/* All pairs of these have what C says, to the sign of 0; so do their neighbours. */
static double special(const powers *p, int k) {
    const bool single = is_single(p);
    const double values[] = {0,
                             (double)INFINITY,
                             (double)NAN,
                             1,
                             0.5,
                             2,
                             3,
                             1.5,
                             0.25,
                             single ? 0x1.000002p0 : 0x1.0000000000001p0,
                             single ? 0x1.fffffep-1 : 0x1.fffffffffffffp-1,
                             single ? 0x1p-149 : 0x1p-1074,
                             single ? 0x1p-126 : 0x1p-1022,
                             single ? 0x1.fffffep127 : 0x1.fffffffffffffp1023,
                             single ? 0x1.fffffep23 : 0x1.fffffffffffffp52, /* the last odd one */
                             single ? 0x1p24 : 0x1p53,
                             single ? 0x1.fffffcp22 : 0x1.ffffffffffffep51,
                             single ? 0x1.fffffep22
                                    : 0x1.fffffffffffffp51, /* a half is its last bit */
                             single ? 128 : 1024,
                             single ? 149 : 1074,
                             single ? 150 : 1075,
                             0x1p40,
                             1e30};
    enum { COUNT = sizeof values / sizeof *values };
    _Static_assert(COUNT * COUNT * 4 < N, "all pairs have room");
    return k < 0 ? COUNT : k % 2 ? -values[k / 2] : values[k / 2];
}

static void fill_special(const powers *p) {
    const int count = 2 * (int)special(p, -1);
    for (int k = 0; k < N; k++) {
        set(p, p->x, k, special(p, k % count));
        set(p, p->y, k, special(p, k / count % count));
    }
}

START_TEST(the_ends_are_those_of_c) {
    for (int s = 0; instruction_sets()[s]; s++)
        for (int scalar = 0; scalar < TYPES; scalar++) {
            powers p = powers_of(instruction_sets()[s], (spor_scalar)scalar);
            fill_special(&p);
            check(&p, instruction_sets()[s]);
            for (int k = 0; k < N; k++) { /* what no rounding makes */
                double libm = libm_of(&p, k), size = fabs(at(&p, p.x, k));
                bool rounded = isfinite(libm) && fabs(libm) > 0 && (size < 1 || size > 1);
                ck_assert_msg(rounded || is_same(at(&p, p.z, k), libm), "%s: %a^%a is %a, not %a",
                              instruction_sets()[s], at(&p, p.x, k), at(&p, p.y, k), at(&p, p.z, k),
                              libm);
            }
            powers_free(&p);
        }
}
END_TEST

/* ---- exported C ---- */

static void check_portable(const powers *p) {
    ck_assert(spor_run(p->program, 0));
    for (int k = 0; k < N; k++) {
        double x = at(p, p->x, k), y = at(p, p->y, k), z = at(p, p->z, k);
        double c = is_single(p) ? (double)power_single((float)x, (float)y) : power_double(x, y);
        ck_assert_msg(is_same(c, z), "%a^%a is %a in C, not %a", x, y, c, z);
    }
}

START_TEST(powers_in_c_have_the_bits_of_the_baseline) {
    for (int scalar = 0; scalar < TYPES; scalar++) {
        powers p = powers_of("baseline", (spor_scalar)scalar);
        for (int way = 0; way < 4; way++) {
            for (int k = 0; k < N && way < 3; k++)
                if (way == 2)
                    random_bits(&p, k);
                else
                    sweep(&p, k, way == 1);
            if (way == 3) fill_special(&p);
            check_portable(&p);
        }
        powers_free(&p);
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("power");
    TCase *tests = tcase_create("power");
    tcase_add_test(tests, powers_are_those_of_libm_within_a_unit);
    tcase_add_test(tests, the_ends_are_those_of_c);
    tcase_add_test(tests, powers_in_c_have_the_bits_of_the_baseline);
    suite_add_tcase(suite, tests);
    return suite;
}
