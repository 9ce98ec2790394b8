/*
 * Tile kernels of elementwise ops, called by themselves: what they make of any element, wherever it
 * stands in a tile, is what the reference kernel makes of it. Ops that call functions which
 * no standard rounds, exp or sin, are held against exact numbers. What lies before and behind an operand or the
 * result may be another's: there nobody may touch the memory.
 */
#include "../suite.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "kernels/element.h"
#include "program/program.h"

#include "../support/evaluate.h"
#include "../support/exact.h"
#include "../support/guarded.h"
#include "../support/sets.h"

/* Elements tried, pairs of values that are special, then others: at all places of tiles, and once.
 * The number of the run. */
enum { SPECIAL = 22, ELEMENTS = SPECIAL * SPECIAL + 240, MANY = 65536, STEP = 5 };

/* Units in the last place that ops which call functions of libm may be off by: kernels/vmath.h. */
static const double units = 2.5;

/* ---- operands ---- */

/* Zeros, infinities, what is no number, the ends of the range and of the normal numbers, where the
 * functions turn, the last number whose exponential is finite. */
static double special(int k, spor_scalar scalar) {
    bool single = scalar == SPOR_F32;
    const double least = single ? 0x1p-126 : 0x1p-1022, most = single ? 0x1.8p127 : 0x1.8p1023;
    const double last = single ? 0x1.62e42ep6 : 0x1.62e42fefa39efp9;
    const double values[SPECIAL / 2] = {
        0, 1, (double)INFINITY, (double)NAN, least, least / 8, most, 0.5, last, 0x1p-30, 17.25};
    return k % 2 ? -values[k / 2] : values[k / 2];
}

/* Operand number `operand`: with SPECIAL^2 elements, the first two meet in all pairs. Others have all
 * digits, and are small, of the order of 1, and as large as exponents are; some are as near as can be to a
 * multiple of pi/2, up to where it takes another way to reduce angles. */
static double value_at(int operand, int e, spor_scalar scalar) {
    if (e < SPECIAL * SPECIAL) return special((operand % 2 ? e / SPECIAL : e) % SPECIAL, scalar);
    int64_t digits = (int64_t)random_hash(0, (uint64_t)operand, (uint64_t)e);
    if (e % 5 == 0) return floor(ldexp((double)digits, e % 22 - 63)) * 0x1.921fb54442d18p0;
    return ldexp((double)digits, e % 21 - 10 - 63);
}

typedef struct {
    const spor_op *op;
    const spor_attr *attr;
    spor_scalar scalar;
    spor_isa isa;
    size_t width;
    int elements;
    int uniform; /* an operand that is one number, held as a vector of it; -1: none is */
    char *in[SPOR_OPERANDS], *want;
    exact *truth; /* of an op of SPOR_LIBRARY */
} trial;

static void *room(const trial *t, size_t width) {
    void *memory = calloc((size_t)t->elements, width);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

/* A reference kernel on all elements. */
static void run_all(const trial *t, int scalar, void *const x[], void *y) {
    spor_arg in[SPOR_OPERANDS], out = {.data = y, .shape = {1, {t->elements}}, .stride = {1}};
    for (int k = 0; k < t->op->operands; k++) {
        in[k] = out;
        in[k].data = x[k];
    }
    evaluation_kernel(t->op, scalar)(&(spor_call){
        .out = out, .in = in, .operands = t->op->operands, .attr = t->attr, .step = STEP});
}

static void find_want(trial *t) {
    void *x[SPOR_OPERANDS];
    for (int k = 0; k < t->op->operands; k++) x[k] = t->in[k];
    t->want = room(t, t->width);
    run_all(t, (int)t->scalar, x, t->want);
}

static void find_truth(trial *t) {
    void *x[SPOR_OPERANDS];
    for (int k = 0; k < t->op->operands; k++) {
        exact *to = x[k] = room(t, sizeof *to);
        for (int e = 0; e < t->elements; e++)
            to[e] = (exact){element_types[t->scalar]->value(t->in[k], e), 0};
    }
    t->truth = room(t, sizeof *t->truth);
    run_all(t, EVALUATE_EXACT, x, t->truth);
    for (int k = 0; k < t->op->operands; k++) free(x[k]);
}

/* With special value number `number` as the operand `uniform`, if there is one. */
static void open_trial(trial *t, int elements, int uniform, int number) {
    t->elements = elements;
    t->uniform = uniform;
    for (int k = 0; k < t->op->operands; k++) {
        t->in[k] = room(t, t->width);
        for (int e = 0; e < t->elements; e++) {
            double x = k == uniform ? special(number, t->scalar) : value_at(k, e, t->scalar);
            element_types[t->scalar]->set(t->in[k], e, x);
        }
    }
    find_want(t);
    t->truth = NULL;
    if (t->op->traits & SPOR_LIBRARY) find_truth(t);
}

static void close_trial(trial *t) {
    for (int k = 0; k < t->op->operands; k++) free(t->in[k]);
    free(t->want);
    free(t->truth);
}

/* ---- comparing ---- */

static double unit_of(double y, spor_scalar scalar) {
    int exponent, bits = scalar == SPOR_F32 ? 24 : 53, least = scalar == SPOR_F32 ? -149 : -1074;
    frexp(y, &exponent);
    return ldexp(1, exponent - bits > least ? exponent - bits : least);
}

/* A truth that is 0, infinite or no number allows for nothing; no other has the other sign; what
 * can't be as large as the largest number is not infinite. */
static bool is_near(double x, exact truth, spor_scalar scalar) {
    double size = fabs(truth.hi), bound = units * unit_of(size, scalar);
    if (!(size > 0 && isfinite(size)) || !signbit(x) != !signbit(truth.hi)) return false;
    if (isinf(x)) return size + bound > (scalar == SPOR_F32 ? (double)FLT_MAX : DBL_MAX);
    return fabs(exact_sub((exact){x, 0}, truth).hi) <= bound;
}

static bool agrees(const trial *t, const char *out, int64_t from, int64_t e) {
    const element_type *type = element_types[t->scalar];
    double x = type->value(out, e), y = type->value(t->want, from + e);
    size_t at = (size_t)e * t->width, from_at = (size_t)from * t->width;
    if (!memcmp(out + at, t->want + from_at + at, t->width) || (isnan(x) && isnan(y))) return true;
    return t->truth && is_near(x, t->truth[from + e], t->scalar);
}

/* ---- tiles ---- */

static guarded rooms[SPOR_OPERANDS + 1]; /* of the operands and the result */
static int64_t tiles;                    /* that were run */

static void open_rooms(void) {
    for (int k = 0; k <= SPOR_OPERANDS; k++) {
        rooms[k] = guarded_new(MANY * sizeof(double));
        ck_assert_ptr_nonnull(rooms[k].first);
    }
}

static void close_rooms(void) {
    for (int k = 0; k <= SPOR_OPERANDS; k++) guarded_free(&rooms[k]);
}

/* Some elements in a tile of their own. */
typedef struct {
    int64_t first, count;
    int in_place;  /* an operand that is the result, too; -1: none is */
    bool last;     /* all arrays lie right before what nobody may touch; else right behind */
    int64_t wrong; /* an element of the tile; count: something beyond is touched; -1: none */
} window;

static void place_operand(const trial *t, const window *w, spor_tile *tile, int k) {
    bool uniform = k == t->uniform;
    size_t count = (size_t)(uniform ? isa_lanes(t->isa, t->scalar) : w->count);
    size_t from = uniform ? 0 : (size_t)w->first * t->width, bytes = count * t->width;
    void *to = k == w->in_place ? tile->out : guarded_place(&rooms[k], bytes, w->last);
    tile->in[k] = memcpy(to, t->in[k] + from, bytes);
}

static void run_tile(const trial *t, spor_tile_kernel *kernel, window *w) {
    int64_t mask[SPOR_OPERANDS];
    size_t bytes = (size_t)w->count * t->width;
    char *out = guarded_place(&rooms[SPOR_OPERANDS], bytes, w->last);
    spor_tile tile = {.out = memset(out, 0x5a, bytes),
                      .mask = mask,
                      .count = w->count,
                      .attr = t->attr,
                      .first = w->first,
                      .step = STEP};
    for (int k = 0; k < t->op->operands; k++) {
        mask[k] = k == t->uniform ? 0 : -1;
        place_operand(t, w, &tile, k);
    }
    tiles++;
    w->wrong = guarded_run(kernel, &tile) ? -1 : w->count;
    for (int64_t e = 0; e < w->count && w->wrong < 0; e++)
        if (!agrees(t, out, w->first, e)) w->wrong = e;
}

/* Windows of one length, one behind the other; not all where an operand is one number, which is
 * tried with many. */
static bool try_windows(const trial *t, spor_tile_kernel *kernel, window *w) {
    int64_t step = t->uniform < 0 ? w->count : 211;
    for (w->first = 0; w->first + w->count <= t->elements; w->first += step)
        for (int last = 0; last < 2; last++) {
            w->last = last;
            run_tile(t, kernel, w);
            if (w->wrong >= 0) return false;
        }
    return true;
}

/* Every length around vectors, and all elements at once; the latter only, if there are many. */
static window find_wrong(const trial *t, spor_tile_kernel *kernel) {
    int64_t most = 3 * isa_lanes(t->isa, t->scalar);
    window w = {.wrong = -1};
    for (w.in_place = -1; w.in_place < t->op->operands; w.in_place++) {
        if (w.in_place >= 0 && w.in_place == t->uniform) continue;
        for (w.count = 1; w.count <= most && t->elements < MANY; w.count++)
            if (!try_windows(t, kernel, &w)) return w;
        w.count = t->elements;
        if (!try_windows(t, kernel, &w)) return w;
    }
    return w;
}

/* ---- all ops ---- */

static spor_tile_kernel *kernel_of(const trial *t) {
    return t->op->tile->kernel[t->scalar][t->isa];
}

static void check_numbers(trial *t, int elements, int uniform, int number) {
    open_trial(t, elements, uniform, number);
    window w = find_wrong(t, kernel_of(t));
    ck_assert_msg(
        w.wrong < 0,
        "%s, %s, %s, first attribute %g or %lld: %s at element %lld of %lld from %lld on; "
        "operand in place %d; %s behind; one number %d: %g",
        t->op->signature, isa_name(t->isa), element_types[t->scalar]->text, t->attr->r,
        (long long)t->attr->i, w.wrong < w.count ? "wrong" : "touches what is beyond",
        (long long)w.wrong, (long long)w.count, (long long)w.first, w.in_place,
        w.last ? "no memory" : "memory", uniform, special(number, t->scalar));
    close_trial(t);
}

static void check(trial *t) {
    check_numbers(t, ELEMENTS, -1, 0);
    check_numbers(t, MANY, -1, 0);
    for (int k = 0; k < t->op->operands; k++)
        for (int number = 0; number < SPECIAL; number++) check_numbers(t, ELEMENTS, k, number);
}

static spor_isa isa_of(const char *name) {
    spor_isa isa = 0;
    while (strcmp(isa_name(isa), name) != 0) isa++;
    return isa;
}

/* On each instruction set of this machine, in both types. */
static void each_kernel(const spor_op *op, const spor_attr *attr, void (*visit)(trial *t)) {
    for (int set = 0; instruction_sets()[set]; set++)
        for (int scalar = SPOR_F32; scalar <= SPOR_F64; scalar++) {
            trial t = {.op = op, .attr = attr, .scalar = (spor_scalar)scalar};
            t.isa = isa_of(instruction_sets()[set]);
            t.width = scalar_width(t.scalar);
            visit(&t);
        }
}

/* Samples differ in shapes, too, which tiles know nothing of. */
static bool has_new_attributes(const spor_op *op, const spor_sample *sample) {
    for (const spor_sample *s = op->samples; s < sample; s++)
        if (!memcmp(s->attr, sample->attr, (size_t)op->attrs * sizeof *s->attr)) return false;
    return true;
}

/* All ops with tile kernels, with all attributes of their samples. */
static int each_trial(void (*visit)(trial *t)) {
    int ops = 0;
    for (const spor_op *const *op = spor_ops; *op; op++) {
        if (!(*op)->tile || (*op)->tile->role != SPOR_MAPS) continue;
        ops++;
        for (const spor_sample *s = (*op)->samples; s->in[0].rank >= 0; s++)
            if (has_new_attributes(*op, s)) each_kernel(*op, s->attr, visit);
    }
    return ops;
}

START_TEST(tiles_agree_with_the_reference) {
    int ops = each_trial(check);
    ck_assert_int_gt(ops, 0);
    printf("%d elementwise ops: %lld tiles\n", ops, (long long)tiles);
}
END_TEST

/* ---- planted faults ---- */

static trial planted; /* whose kernel is spoilt */

static char *end_of(const void *array, const spor_tile *tile) {
    return (char *)(uintptr_t)array + (size_t)tile->count * planted.width;
}

static const void *an_operand(const spor_tile *tile) {
    return planted.op->operands ? tile->in[planted.op->operands - 1] : tile->out;
}

/* By its last bit, or by 4 units where some are allowed. */
static void wrong_last_lane(const spor_tile *tile) {
    kernel_of (&planted)(tile);
    end_of(tile->out, tile)[-(ptrdiff_t)planted.width] ^= planted.truth ? 4 : 1;
}

static void reads_behind(const spor_tile *tile) {
    kernel_of (&planted)(tile);
    (void)*(const volatile char *)end_of(an_operand(tile), tile);
}

static void reads_before(const spor_tile *tile) {
    kernel_of (&planted)(tile);
    (void)((const volatile char *)an_operand(tile))[-1];
}

static void writes_behind(const spor_tile *tile) {
    kernel_of (&planted)(tile);
    *end_of(tile->out, tile) = 0;
}

static void spoil(const spor_tile *tile, bool (*which)(double x), double to) {
    kernel_of (&planted)(tile);
    const element_type *type = element_types[planted.scalar];
    for (int64_t e = 0; e < tile->count; e++)
        if (which(type->value(tile->out, e))) type->set(tile->out, e, to);
}

static bool is_negative_zero(double x) {
    return !(fabs(x) > 0) && signbit(x);
}

static void zero_without_sign(const spor_tile *tile) {
    spoil(tile, is_negative_zero, 0);
}

static bool is_infinity(double x) {
    return isinf(x) && x > 0;
}

static void largest_for_infinity(const spor_tile *tile) {
    spoil(tile, is_infinity, planted.scalar == SPOR_F32 ? (double)FLT_MAX : DBL_MAX);
}

typedef struct {
    const char *name;
    spor_tile_kernel *kernel;
    bool (*spoils)(double x); /* some results only; NULL: any */
} fault;

static const fault faults[] = {
    {"a wrong last lane", wrong_last_lane, NULL},
    {"reading behind an operand", reads_behind, NULL},
    {"reading before an operand", reads_before, NULL},
    {"writing behind the result", writes_behind, NULL},
    {"zeros without sign", zero_without_sign, is_negative_zero},
    {"the largest number for infinity", largest_for_infinity, is_infinity},
};

static int64_t seen[sizeof faults / sizeof *faults];

static bool concerns(const fault *f) {
    bool any = !f->spoils;
    for (int e = 0; e < ELEMENTS && !any; e++)
        any = f->spoils(element_types[planted.scalar]->value(planted.want, e));
    return any;
}

static void check_faults(trial *t) {
    open_trial(t, ELEMENTS, -1, 0);
    planted = *t;
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) {
        if (!concerns(&faults[f])) continue;
        ck_assert_msg(find_wrong(t, faults[f].kernel).wrong >= 0, "%s: nobody sees %s",
                      t->op->signature, faults[f].name);
        seen[f]++;
    }
    close_trial(t);
}

START_TEST(faults_are_seen) {
    ck_assert_int_gt(each_trial(check_faults), 0);
    for (size_t f = 0; f < sizeof faults / sizeof *faults; f++) ck_assert_int_gt(seen[f], 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("tiles");
    TCase *each = tcase_create("each op");
    tcase_add_checked_fixture(each, open_rooms, close_rooms);
    tcase_add_test(each, tiles_agree_with_the_reference);
    tcase_add_test(each, faults_are_seen);
    suite_add_tcase(suite, each);
    return suite;
}
