/*
 * z[e] ~ U[0, 1), a function of (seed, element e in row-major order, step of the run): replaying a
 * step gives the same numbers. 24 bits of a hash, so that float and double agree exactly.
 */
#include "attributes.h"

enum { SEED, SHAPE, RANDOM_SLOTS = SHAPE + SHAPE_SLOTS };

#ifdef SPOR_RULES

#include "export/c.h"

KERNELS(random);
TILE_KERNELS(random, .slow = true);

static bool shape(spor_rule *r) {
    return rule_shape(r, r->attr + SHAPE);
}

static const spor_sample samples[] = {{.attr = {{7}, {2}, {3}, {4}}},
                                      {.attr = {{-1}, {0}}},
                                      {.attr = {{INT64_MAX}, {1}, {5}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.attr = {{7}, {9}}, .message = "a shape has 0 to 8 axes but this one has 9"},
    {.attr = {{7}, {1}, {-1}}, .message = "axis 0 of the shape is -1 but must be at least 0"},
    SPOR_END_MISTAKES};

/* python3, the hash of base/random.h spelt again, at step 0:
 * M = 2**64 - 1; G = 0x9e3779b97f4a7c15; A = 0xbf58476d1ce4e5b9; B = 0x94d049bb133111eb
 * def mix(z): z = (z ^ z >> 30) * A & M; z = (z ^ z >> 27) * B & M; return z ^ z >> 31
 * def u(seed, e): return (mix(mix(mix(seed + G & M) ^ e + G & M) ^ 2 * G & M) >> 40) / 2**24 */
static const spor_golden golden[] = {
    {.attr = {{7}, {2}, {2}, {3}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.7130097150802612, 0.9917775392532349, 0.8900666236877441,
                           0.4855208992958069, 0.8308344483375549, 0.5542093515396118}},
    {.attr = {{-1}, {2}, {1}, {2}},
     .out = {2, {1, 2}},
     .y = (const double[]){0.3147873282432556, 0.18812918663024902}},
    {.attr = {{1099511627776}, {0}}, .out = {0, {0}}, .y = (const double[]){0.7435595393180847}},
    SPOR_END_GOLDEN};

static void drawn(spor_c *c, const spor_attr attr[], const char *number, const char *name) {
    c_line(c, "const %s %s = net_random(UINT64_C(%" PRIu64 "), (uint64_t)(%s), net_steps);",
           c_type(c), name, (uint64_t)attr[SEED].i, number);
}

const spor_op spor_op_random = {
    .signature = "random(; seed:int, shape:shape)",
    .equation = "z ~ U[0, 1), by (seed, element, step)",
    .traits = SPOR_LEAF,
    .attrs = RANDOM_SLOTS,
    .shape = shape,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = random_reference,
    .tile = &random_tiles,
    .c_drawn = drawn,
};

spor_var spor_random(spor_tape *tape, uint64_t seed, spor_shape of) {
    spor_attr attr[RANDOM_SLOTS] = {[SEED] = {.i = (int64_t)seed}};
    shape_to_attr(of, attr + SHAPE);
    return op_record_leaf(tape, &spor_op_random, attr);
}

#elif defined(SPOR_SYMBOLS)

NO_SYMBOLS(random)

#else

#include "base/random.h"

#ifdef SPOR_TILES

/* Words of the hash side by side, and what becomes of them: 24 bits of each as an int, as a number. */
enum { WORDS = SPOR_VECTOR_BYTES / sizeof(uint64_t) };
typedef uint64_t words __attribute__((vector_size(SPOR_VECTOR_BYTES)));
typedef int32_t ints __attribute__((vector_size(WORDS * sizeof(int32_t))));
typedef spor_lane_value numbers __attribute__((vector_size(WORDS * sizeof(spor_lane_value))));

/* The hash of base/random.h; `seed` is mixed. */
SPOR_INLINE numbers drawn_words(uint64_t seed, words element, uint64_t step) {
    words z = (element + RANDOM_GOLDEN) ^ seed;
    RANDOM_MIX(z);
    z ^= step + 2 * RANDOM_GOLDEN;
    RANDOM_MIX(z);
    ints bits = __builtin_convertvector(z >> 40, ints);
    return __builtin_convertvector(bits, numbers) * (spor_lane_value)0x1p-24;
}

TILE_KERNEL(random) {
    spor_lane_value *to = t->out;
    uint64_t seed = (uint64_t)t->attr[SEED].i + RANDOM_GOLDEN;
    int64_t i = 0;
    words element;
    RANDOM_MIX(seed);
    for (int k = 0; k < WORDS; k++) element[k] = (uint64_t)(t->first + k);
    for (; i + WORDS <= t->count; i += WORDS, element += WORDS) {
        numbers z = drawn_words(seed, element, t->step);
        memcpy(to + i, &z, sizeof z);
    }
    numbers z = drawn_words(seed, element, t->step);
    memcpy(to + i, &z, (size_t)(t->count - i) * sizeof *to);
}

#else

REFERENCE_KERNEL(random) {
    uint64_t element = 0;
    EACH_INDEX(i, c->out.shape) {
        uint64_t bits = random_hash((uint64_t)c->attr[SEED].i, element++, c->step) >> 40;
        *AT(c->out, i) = FROM_REAL((double)bits / 16777216.0);
    }
}

#endif

#endif
