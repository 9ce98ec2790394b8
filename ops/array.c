/*
 * Numbers that the tape keeps, row-major: tables, masks, what is known before a program runs. Recorded by
 * spor_array, which copies them; arrays of the same numbers share one copy, by which programs see that
 * they are equal.
 */
#include <string.h>

#include "attributes.h"
#include "base/bytes.h"
#include "base/random.h"
#include "tape/tape.h"

enum { HASH = SHAPE_SLOTS, VALUES, ARRAY_SLOTS };

#ifdef SPOR_RULES

#include "export/onnx.h"

KERNELS(array);

static bool shape(spor_rule *r) {
    if (!r->attr[VALUES].values) return rule_fail(r, "there are no values (NULL)");
    return rule_shape(r, r->attr);
}

static const double numbers[] = {0.5, -2, 3, 0.1, 1e30, -7};

static const spor_sample samples[] = {{.attr = {{2}, {2}, {3}, [VALUES] = {.values = numbers}}},
                                      {.attr = {{0}, [VALUES] = {.values = numbers}}},
                                      {.attr = {{1}, {4}, [VALUES] = {.values = numbers}}},
                                      SPOR_END_SAMPLES};

static const spor_mistake mistakes[] = {
    {.attr = {{1}, {3}}, .message = "there are no values (NULL)"},
    {.attr = {{9}, [VALUES] = {.values = numbers}},
     .message = "a shape has 0 to 8 axes but this one has 9"},
    {.attr = {{2}, {3}, {-1}, [VALUES] = {.values = numbers}},
     .message = "axis 1 of the shape is -1 but must be at least 0"},
    SPOR_END_MISTAKES};

/* python3 -c "import numpy as np; a=np.array([.5,-2,3,.1,1e30,-7]); print(a.reshape(2,3).tolist(),
 * a[0], a[:2].reshape(1,2).tolist())" */
static const spor_golden golden[] = {
    {.attr = {{2}, {2}, {3}, [VALUES] = {.values = numbers}},
     .out = {2, {2, 3}},
     .y = (const double[]){0.5, -2, 3, 0.1, 1e30, -7}},
    {.attr = {{0}, [VALUES] = {.values = numbers}}, .y = (const double[]){0.5}},
    {.attr = {{2}, {1}, {2}, [VALUES] = {.values = numbers}},
     .out = {2, {1, 2}},
     .y = (const double[]){0.5, -2}},
    SPOR_END_GOLDEN};

/* Elements of a shape among attributes; 0 if there is no such shape. */
static int64_t size_of(const spor_attr attr[]) {
    int64_t size = attr[0].i >= 0 && attr[0].i <= SPOR_RANK;
    for (int k = 0; size && k < attr[0].i; k++)
        if (attr[1 + k].i < 1 || __builtin_mul_overflow(size, attr[1 + k].i, &size)) size = 0;
    return size;
}

static double number(const spor_attr attr[], int64_t k) {
    return attr[VALUES].values[k];
}

const spor_op spor_op_array = {
    .signature = "array(; shape:shape, values:values)",
    .equation = "z = values",
    .convention = "recorded in C: spor_array",
    .traits = SPOR_LEAF,
    .attrs = ARRAY_SLOTS,
    .address = VALUES,
    .shape = shape,
    .number = number,
    .onnx = onnx_known,
    .samples = samples,
    .mistakes = mistakes,
    .golden = golden,
    .reference = array_reference,
};

/* The bits of each number in its order. */
static int64_t hash_of(const double value[], int64_t size) {
    uint64_t hash = 0, bits;
    for (int64_t k = 0; k < size; k++) {
        memcpy(&bits, &value[k], sizeof bits);
        hash = random_hash(hash, bits, 3);
    }
    return (int64_t)hash;
}

/* The tape's copy of these numbers, made if an array before has none; NULL: out of memory. */
static const double *keep(spor_tape *tape, const spor_attr attr[], int64_t size) {
    size_t bytes = bytes_for(size, sizeof(double));
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_node *node = &tape->node[id];
        if (node->op == &spor_op_array && node->attr[HASH].i == attr[HASH].i &&
            shape_size(node->shape) == size &&
            !memcmp(node->attr[VALUES].values, attr[VALUES].values, bytes))
            return node->attr[VALUES].values;
    }
    double *copy = arena_take(&tape->arena, bytes);
    return copy ? memcpy(copy, attr[VALUES].values, bytes) : NULL;
}

spor_var spor_array(spor_tape *tape, spor_shape shape, const double value[]) {
    spor_attr attr[ARRAY_SLOTS] = {{0}};
    shape_to_attr(shape, attr);
    int64_t size = value ? size_of(attr) : 0; /* 0: the rule says what is wrong */
    if (!tape || spor_error(tape)) return (spor_var){tape, 0};
    attr[VALUES].values = value;
    if (size) {
        attr[HASH].i = hash_of(value, size);
        attr[VALUES].values = keep(tape, attr, size);
        if (!attr[VALUES].values) return tape_exhaust(tape);
    }
    return op_record_leaf(tape, &spor_op_array, attr);
}

#else

REFERENCE_KERNEL(array) {
    const double *value = c->attr[VALUES].values;
    EACH_INDEX(i, c->out.shape) {
        *AT(c->out, i) = KNOWN_TO(*value++, 0);
    }
}

#endif
