/* Parameter stores: blocks of values, next values and gradients, loops over them. */
#include "program/params.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/law.h"
#include "base/pages.h"
#include "base/random.h"
#include "kernels/element.h"
#include "tape/tape.h"

size_t scalar_width(spor_scalar scalar) {
    return element_types[scalar]->width;
}

double scalar_value_at(const void *data, spor_scalar scalar, int64_t k) {
    return element_types[scalar]->value(data, k);
}

void scalar_convert(void *to, spor_scalar to_type, const void *from, spor_scalar from_type,
                    int64_t count) {
    if (to_type == from_type)
        memcpy(to, from, (size_t)count * scalar_width(to_type));
    else
        for (int64_t k = 0; k < count; k++)
            element_types[to_type]->set(to, k, element_types[from_type]->value(from, k));
}

const char *spor_params_error(const spor_params *params) {
    if (!params) return "out of memory";
    return *params->error ? params->error : NULL;
}

static bool __attribute__((format(printf, 2, 3)))
complain(spor_params *params, const char *format, ...) {
    if (*params->error) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(params->error, sizeof params->error, format, arguments);
    va_end(arguments);
    return false;
}

spor_params *spor_params_new(spor_scalar scalar, uint64_t seed) {
    spor_params *params = calloc(1, sizeof *params);
    if (!params) return NULL;
    *params = (spor_params){.scalar = scalar, .seed = seed};
    if (scalar > SPOR_F64) complain(params, "parameters are kept as float or double");
    return params;
}

void spor_params_free(spor_params *params) {
    if (!params) return;
    for (int k = 0; k < params->count; k++) free(params->entry[k].name);
    free(params->entry);
    free(params->value);
    free(params->next);
    free(params->gradient);
    free(params);
}

int spor_params_count(const spor_params *params) {
    return params ? params->count : 0;
}

int64_t spor_params_size(const spor_params *params) {
    int64_t size = 0;
    for (int k = 0; params && k < params->count; k++)
        if (params->entry[k].kind == SPOR_TRAINED) size += params->entry[k].size;
    return size;
}

int spor_params_find(const spor_params *params, const char *name) {
    for (int k = 0; params && name && k < params->count; k++)
        if (!strcmp(params->entry[k].name, name)) return k;
    return -1;
}

static void *element(const spor_params *params, void *block, int64_t offset) {
    return (char *)block + (size_t)offset * scalar_width(params->scalar);
}

spor_entry spor_params_entry(spor_params *params, int k) {
    if (!params || k < 0 || k >= params->count || !params_settle(params)) return (spor_entry){0};
    const spor_place_of *entry = &params->entry[k];
    return (spor_entry){.name = entry->name,
                        .shape = entry->shape,
                        .scalar = params->scalar,
                        .kind = entry->kind,
                        .value = element(params, params->value, entry->offset),
                        .gradient = element(params, params->gradient, entry->offset)};
}

void spor_params_touch(spor_params *params) {
    if (params) params->generation++;
}

/* ---- joining ---- */

/* A block of the new size with the old contents, the rest 0. */
static void *enlarged(const spor_params *params, const void *block, int64_t elements) {
    size_t width = scalar_width(params->scalar), bytes = bytes_for(elements, width);
    void *larger = pages_take(bytes);
    if (larger && block) memcpy(larger, block, (size_t)params->held * width);
    return larger;
}

static bool enlarge(spor_params *params) {
    void **block[] = {&params->value, &params->next, &params->gradient};
    enum { BLOCKS = sizeof block / sizeof *block };
    void *larger[BLOCKS];
    bool done = true;
    for (int k = 0; k < BLOCKS; k++) {
        larger[k] = enlarged(params, *block[k], params->elements);
        done = done && larger[k];
    }
    for (int k = 0; k < BLOCKS; k++) {
        free(done ? *block[k] : larger[k]);
        if (done) *block[k] = larger[k];
    }
    if (!done) return complain(params, "out of memory for the parameters");
    params->held = params->elements;
    params->layout++;
    return true;
}

/* Fan-in and fan-out as spor_init states them. */
static void fans(const spor_shape *shape, double *fan_in, double *fan_out) {
    double field = 1;
    int rank = shape->rank;
    for (int k = 0; k < rank - 2; k++) field *= (double)shape->n[k];
    *fan_out = rank ? field * (double)shape->n[rank - 1] : 1;
    *fan_in = rank > 1 ? field * (double)shape->n[rank - 2] : *fan_out;
}

static void draw(spor_params *params, const spor_place_of *entry) {
    const spor_law *law = entry->law;
    double fan_in, fan_out;
    fans(&entry->shape, &fan_in, &fan_out);
    double spread = entry->scale * law->spread(fan_in, fan_out);
    uint64_t key = random_hash_text(params->seed, entry->name);
    for (int64_t k = 0; k < entry->size; k++) {
        double x = law->draw(spread, key, (uint64_t)k);
        scalar_convert(element(params, params->value, entry->offset + k), params->scalar, &x,
                       SPOR_F64, 1);
    }
}

bool params_settle(spor_params *params) {
    if (!params || params->settled == params->count) return true;
    if (*params->error || !enlarge(params)) return false;
    for (; params->settled < params->count; params->settled++)
        draw(params, &params->entry[params->settled]);
    params->generation++;
    return true;
}

/* A place behind the first `elements` of the blocks, which are not there yet. */
static bool add_entry(spor_params *params, const spor_node *node, spor_entry_kind kind,
                      spor_init init, int64_t *elements) {
    uint32_t capacity = (uint32_t)params->capacity;
    spor_place_of *grown =
        tape_grow(params->entry, (uint32_t)params->count, &capacity, sizeof *grown);
    if (grown) params->entry = grown, params->capacity = (int)capacity;
    char *name = grown ? strdup(node->name) : NULL;
    if (!name) return complain(params, "out of memory for the parameter %s", node->name);
    int64_t size = shape_size(node->shape);
    params->entry[params->count++] = (spor_place_of){.name = name,
                                                     .shape = *node->shape,
                                                     .offset = *elements,
                                                     .size = size,
                                                     .kind = kind,
                                                     .law = law_find(init.law),
                                                     .scale = init.scale};
    int64_t lines = (size + SPOR_ALIGN_ELEMENTS - 1) / SPOR_ALIGN_ELEMENTS;
    *elements += lines * SPOR_ALIGN_ELEMENTS;
    return true;
}

static bool check_entry(spor_params *params, int k, const spor_node *node, spor_entry_kind kind) {
    static const char *const kinds[] = {[SPOR_TRAINED] = "a parameter",
                                        [SPOR_NETWORK_STATE] = "a state of the network",
                                        [SPOR_OPTIMIZER_STATE] = "a state of the optimizer"};
    if (params->entry[k].kind != kind)
        return complain(params, "%s: the tape records it as %s, the parameters hold %s", node->name,
                        kinds[kind], kinds[params->entry[k].kind]);
    if (shape_equal(&params->entry[k].shape, node->shape)) return true;
    char want[128], have[128];
    tape_shape_text(node->shape, NULL, want, sizeof want);
    tape_shape_text(&params->entry[k].shape, NULL, have, sizeof have);
    return complain(params, "%s: the tape records it as %s, the parameters hold %s", node->name,
                    want, have);
}

/* Finds each leaf of the tape its entry. */
static bool place_leaves(spor_params *params, const spor_tape *tape, spor_entry_kind states,
                         int64_t *elements) {
    bool done = true;
    for (uint32_t k = 0; done && k < tape->leaves; k++) {
        const spor_node *node = &tape->node[tape->leaf[k].id];
        spor_entry_kind kind = tape->leaf[k].trained ? SPOR_TRAINED : states;
        int known = spor_params_find(params, node->name);
        done = known < 0 ? add_entry(params, node, kind, tape->leaf[k].init, elements)
                         : check_entry(params, known, node, kind);
    }
    return done;
}

bool params_join_states(spor_params *params, const spor_tape *tape, spor_entry_kind states) {
    if (!params || *params->error) return false;
    if (spor_error(tape)) return complain(params, "%s", spor_error(tape));
    int before = params->count;
    int64_t elements = params->elements;
    bool done = place_leaves(params, tape, states, &elements);
    if (done) params->elements = elements;
    while (!done && params->count > before) free(params->entry[--params->count].name);
    return done;
}

bool spor_params_join(spor_params *params, const spor_tape *tape) {
    return params_join_states(params, tape, SPOR_NETWORK_STATE);
}

/* ---- loops over the blocks ---- */

/* 0 g is 0 for every finite g and not a number for every other. Blocks are whole lines, so that
 * the independent sums fill vectors. */
#define ANY_NOT_FINITE(T)                                                                          \
    static bool finite_##T(const T *g, int64_t count) {                                            \
        T zero[SPOR_ALIGN_ELEMENTS] = {0}, sum = 0;                                                \
        for (int64_t k = 0; k < count; k += SPOR_ALIGN_ELEMENTS)                                   \
            for (int j = 0; j < SPOR_ALIGN_ELEMENTS; j++) zero[j] += 0 * g[k + j];                 \
        for (int j = 0; j < SPOR_ALIGN_ELEMENTS; j++) sum += zero[j];                              \
        return !(sum < 0) && !(sum > 0) && sum == sum; /* NaN fails */                             \
    }
ANY_NOT_FINITE(float)
ANY_NOT_FINITE(double)

bool params_range_finite(const spor_params *params, const void *block, int64_t offset,
                         int64_t count) {
    return params->scalar == SPOR_F32 ? finite_float((const float *)block + offset, count)
                                      : finite_double((const double *)block + offset, count);
}

bool spor_params_finite(const spor_params *params) {
    return params && params_range_finite(params, params->gradient, 0, params->held);
}

#define DESCEND(T)                                                                                 \
    static void descend_##T(T *restrict w, const T *restrict g, int64_t count, T rate, T l2) {     \
        for (int64_t k = 0; k < count; k++) w[k] -= rate * (g[k] + l2 * w[k]);                     \
    }
DESCEND(float)
DESCEND(double)

void spor_params_sgd(spor_params *params, double rate, double l2, bool l2_biases) {
    if (!params || *params->error || !params_settle(params)) return;
    for (int k = 0; k < params->count; k++) {
        const spor_place_of *entry = &params->entry[k];
        if (entry->kind != SPOR_TRAINED) continue;
        double decay = entry->shape.rank > 1 || l2_biases ? l2 : 0;
        void *w = element(params, params->value, entry->offset);
        const void *g = element(params, params->gradient, entry->offset);
        if (params->scalar == SPOR_F32)
            descend_float(w, g, entry->size, (float)rate, (float)decay);
        else
            descend_double(w, g, entry->size, rate, decay);
    }
    params->generation++;
}
