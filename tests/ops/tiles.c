/* Tile kernels of elementwise ops, called by themselves: what they make of any element, wherever it
 * stands in a tile, is what the reference kernel makes of it. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/element.h"
#include "program/program.h"

#include "../support/sets.h"

/* Elements tried: pairs of values that are special, then others; and room behind for a fence. */
enum { SPECIAL = 22, OTHERS = 240, ELEMENTS = SPECIAL * SPECIAL + OTHERS, FENCE = 64, VECTOR = 64 };

/* Units in the last place that ops calling exp, log or tanh may be off by: 2.5 of the function, then
 * roundings of what is done with it. */
static const double units = 4;

/* ---- operands ---- */

/* Zeros, infinities, what is no number, the ends of the range and of the normal numbers, where the
 * functions turn. */
static double special(int k, spor_scalar scalar) {
    bool single = scalar == SPOR_F32;
    const double least = single ? 0x1p-126 : 0x1p-1022, most = single ? 0x1.8p127 : 0x1.8p1023;
    const double values[SPECIAL / 2] = {
        0,    1,   (double)INFINITY,      (double)NAN, least, least / 8,
        most, 0.5, single ? 88.5 : 709.5, 0x1p-30,     17.25};
    return k % 2 ? -values[k / 2] : values[k / 2];
}

/* Operand number `operand`: with SPECIAL^2 elements, the first two meet in all pairs. */
static double value_at(int operand, int e, spor_scalar scalar) {
    if (e < SPECIAL * SPECIAL) return special((operand % 2 ? e / SPECIAL : e) % SPECIAL, scalar);
    return ((e * 7919 + operand * 104729) % 4001 - 2000) / 256.0;
}

typedef struct {
    const spor_op *op;
    const spor_attr *attr;
    spor_scalar scalar;
    spor_isa isa;
    size_t width;
    char *in[SPOR_OPERANDS], *want;
} trial;

static char *room(size_t bytes) {
    char *memory = aligned_alloc(VECTOR, (bytes / VECTOR + 2) * VECTOR);
    ck_assert_ptr_nonnull(memory);
    return memory;
}

/* What the reference kernel makes of all elements. */
static void run_reference(const trial *t) {
    spor_arg in[SPOR_OPERANDS], out = {.data = t->want, .shape = {1, {ELEMENTS}}, .stride = {1}};
    for (int k = 0; k < t->op->operands; k++) {
        in[k] = out;
        in[k].data = t->in[k];
    }
    spor_call call = {.out = out, .in = in, .operands = t->op->operands, .attr = t->attr};
    (*t->op->reference[t->scalar])(&call);
}

static trial open_trial(const spor_op *op, const spor_attr *attr, spor_scalar scalar,
                        spor_isa isa) {
    trial t = {op, attr, scalar, isa, scalar_width(scalar), {NULL}, NULL};
    for (int k = 0; k < op->operands; k++) {
        t.in[k] = room(ELEMENTS * t.width);
        for (int e = 0; e < ELEMENTS; e++)
            element_types[scalar]->set(t.in[k], e, value_at(k, e, scalar));
    }
    t.want = room(ELEMENTS * t.width);
    run_reference(&t);
    return t;
}

static void close_trial(trial *t) {
    for (int k = 0; k < t->op->operands; k++) free(t->in[k]);
    free(t->want);
}

/* ---- comparing ---- */

static double unit_of(double y, spor_scalar scalar) {
    int exponent, bits = scalar == SPOR_F32 ? 24 : 53, least = scalar == SPOR_F32 ? -149 : -1074;
    frexp(y, &exponent);
    return ldexp(1, exponent - bits > least ? exponent - bits : least);
}

static bool agrees(const trial *t, const char *got, const char *want) {
    double x = element_types[t->scalar]->value(got, 0),
           y = element_types[t->scalar]->value(want, 0);
    if (!memcmp(got, want, t->width) || (isnan(x) && isnan(y))) return true;
    if (!(t->op->traits & SPOR_LIBRARY) || isnan(x) || isnan(y)) return false;
    double most = t->scalar == SPOR_F32 ? 0x1.fffffep127 : 0x1.fffffffffffffp1023;
    if (isinf(x)) return fabs(y) > most * (1 - 0x1p-20) && (x > 0) == (y > 0);
    if (isinf(y)) return fabs(x) > most * (1 - 0x1p-20) && (x > 0) == (y > 0);
    return fabs(x - y) <= units * unit_of(y, t->scalar);
}

/* Elements first .. first + count - 1 in a tile of their own; in_place: an operand that is the
 * result, too, -1: none. Says which element is wrong, -1: none; count: what lies behind it. */
static int64_t run_tile(const trial *t, spor_tile_kernel *kernel, int64_t first, int64_t count,
                        int in_place) {
    static const int64_t whole[SPOR_OPERANDS] = {-1, -1, -1, -1, -1, -1};
    char *out = room((size_t)count * t->width + FENCE);
    spor_tile tile = {.out = out, .count = count, .attr = t->attr, .first = first, .mask = whole};
    size_t from = (size_t)first * t->width, bytes = (size_t)count * t->width;
    for (int k = 0; k < t->op->operands; k++) tile.in[k] = t->in[k] + from;
    memset(out, 0x5a, bytes + FENCE);
    if (in_place >= 0) {
        memcpy(out, tile.in[in_place], bytes);
        tile.in[in_place] = out;
    }
    kernel(&tile);
    int64_t wrong = -1;
    for (size_t k = 0; k < FENCE; k++)
        if (out[bytes + k] != 0x5a) wrong = count;
    for (int64_t e = 0; e < count && wrong < 0; e++)
        if (!agrees(t, out + (size_t)e * t->width, t->want + from + (size_t)e * t->width))
            wrong = e;
    free(out);
    return wrong;
}

/* Windows of every length around vectors, and all elements at once. */
static int64_t find_wrong(const trial *t, spor_tile_kernel *kernel, int64_t *tiles) {
    int lanes = isa_lanes(t->isa, t->scalar);
    for (int in_place = -1; in_place < t->op->operands; in_place++)
        for (int64_t count = 1, first = 0; count <= ELEMENTS; ++*tiles) {
            int64_t wrong = run_tile(t, kernel, first, count, in_place);
            if (wrong >= 0) return first + wrong;
            first += count;
            if (first + count <= ELEMENTS) continue;
            first = count % 5;
            count = count <= 2 * lanes ? count + 1 : count < ELEMENTS ? ELEMENTS : count + 1;
            if (count == ELEMENTS) first = 0;
        }
    return -1;
}

/* An operand that is one number, held as a vector of it, against one that is it everywhere. */
static int64_t find_wrong_uniform(const trial *t, spor_tile_kernel *kernel, int k) {
    trial same = *t;
    int64_t mask[SPOR_OPERANDS] = {-1, -1, -1, -1, -1, -1}, wrong = -1;
    char *vector = room(VECTOR), *out = room(ELEMENTS * t->width);
    same.in[k] = room(ELEMENTS * t->width);
    same.want = room(ELEMENTS * t->width);
    for (int e = 0; e < ELEMENTS; e++) element_types[t->scalar]->set(same.in[k], e, 1.75);
    memcpy(vector, same.in[k], VECTOR);
    run_reference(&same);
    mask[k] = 0;
    spor_tile tile = {.out = out, .count = ELEMENTS, .attr = t->attr, .mask = mask};
    for (int o = 0; o < t->op->operands; o++) tile.in[o] = o == k ? vector : same.in[o];
    kernel(&tile);
    for (int64_t e = 0; e < ELEMENTS && wrong < 0; e++)
        if (!agrees(t, out + (size_t)e * t->width, same.want + (size_t)e * t->width)) wrong = e;
    free(vector);
    free(out);
    free(same.in[k]);
    free(same.want);
    return wrong;
}

/* ---- a planted fault ---- */

static spor_tile_kernel *planted; /* what has_fault runs */
static size_t planted_width;
static char planted_bit;

/* The last element of every tile is off by its last bit, or by 64 units where some are allowed. */
static void has_fault(const spor_tile *tile) {
    planted(tile);
    ((char *)tile->out)[((size_t)tile->count - 1) * planted_width] ^= planted_bit;
}

/* ---- all ops ---- */

static int64_t tiles;

static void check(const trial *t) {
    spor_tile_kernel *kernel = t->op->tile->kernel[t->scalar][t->isa];
    const char *set = isa_name(t->isa), *type = t->scalar == SPOR_F32 ? "float" : "double";
    int64_t wrong = find_wrong(t, kernel, &tiles);
    ck_assert_msg(wrong < 0, "%s, %s, %s: element %lld", t->op->signature, set, type,
                  (long long)wrong);
    for (int k = 0; k < t->op->operands; k++) {
        wrong = find_wrong_uniform(t, kernel, k);
        ck_assert_msg(wrong < 0, "%s, %s, %s: element %lld, operand %d being one number",
                      t->op->signature, set, type, (long long)wrong, k);
    }
}

static void check_fault(const trial *t) {
    int64_t count = 0;
    planted_bit = t->op->traits & SPOR_LIBRARY ? 64 : 1;
    planted = t->op->tile->kernel[t->scalar][t->isa];
    planted_width = t->width;
    ck_assert_msg(find_wrong(t, has_fault, &count) >= 0, "%s: nobody sees a wrong last lane",
                  t->op->signature);
}

/* All ops with tile kernels, in both types, on each instruction set of this machine. */
static int each_trial(void (*visit)(const trial *t)) {
    int ops = 0;
    for (const spor_op *const *op = spor_ops; *op; op++) {
        if (!(*op)->tile || (*op)->tile->role != SPOR_MAPS) continue;
        ops++;
        for (int isa = 0; instruction_sets()[isa]; isa++)
            for (int scalar = SPOR_F32; scalar <= SPOR_F64; scalar++) {
                spor_isa set = 0;
                while (strcmp(isa_name(set), instruction_sets()[isa]) != 0) set++;
                trial t = open_trial(*op, (*op)->samples->attr, (spor_scalar)scalar, set);
                visit(&t);
                close_trial(&t);
            }
    }
    return ops;
}

START_TEST(tiles_agree_with_the_reference) {
    int ops = each_trial(check);
    ck_assert_int_gt(ops, 0);
    printf("%d elementwise ops: %lld tiles\n", ops, (long long)tiles);
}
END_TEST

START_TEST(a_wrong_last_lane_is_seen) {
    ck_assert_int_gt(each_trial(check_fault), 0);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("tiles");
    TCase *each = tcase_create("each op");
    tcase_add_test(each, tiles_agree_with_the_reference);
    tcase_add_test(each, a_wrong_last_lane_is_seen);
    suite_add_tcase(suite, each);
    return suite;
}
