/*
 * What wrong numbers look like beside the right ones: transforms of these are held against those,
 * and where it is wrong. Of arrays this is all that can be said; of statements hint.c says more.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "verify/hint.h"

typedef struct {
    spor_picture given;
    spor_shape shape;
    int64_t size;
    const double *formula, *expected, *bound;
} picture;

/* True if formula[k] = factor expected[j] as far as rounding lets one say; j < 0: zero. */
static bool agree(const picture *p, int64_t k, int64_t j, double factor) {
    double expected = j < 0 ? 0 : factor * p->expected[j];
    double allowed = p->bound[k] + (j < 0 ? 0 : fabs(factor) * p->bound[j]);
    return fabs(p->formula[k] - expected) <= allowed + p->given.slack * fabs(expected);
}

static bool is_wrong(const picture *p, int64_t k) {
    return !(fabs(p->formula[k] - p->expected[k]) <= p->bound[k]);
}

/* True if all bounds are small beside the numbers: else these agree with too much. */
static bool is_tight(const picture *p) {
    static const double small = 0.01;
    double most = 0, loose = 0;
    for (int64_t k = 0; k < p->size; k++) {
        most = fmax(most, fabs(p->expected[k]));
        loose = fmax(loose, p->bound[k]);
    }
    return loose <= small * most;
}

/* True if formula[k] = factor expected[from[k]] for all k; from NULL: k itself. from < 0: zero. */
static bool matches(const picture *p, const int64_t from[], double factor) {
    for (int64_t k = 0; k < p->size; k++) {
        if (!agree(p, k, from ? from[k] : k, factor)) return false;
    }
    return is_tight(p);
}

/* ---- factors ---- */

/* A factor closer to 1 would be printed as 1. */
static const double least_factor = 1e-5;

/* The one factor between formula and expected, read off the largest element; 0 if there is none. */
static double common_factor(const picture *p) {
    int64_t at = 0;
    for (int64_t k = 1; k < p->size; k++)
        if (fabs(p->expected[k]) > fabs(p->expected[at])) at = k;
    double factor = p->formula[at] / p->expected[at];
    return isfinite(factor) && factor != 0 && matches(p, NULL, factor) ? factor : 0;
}

static bool is_near(const picture *p, double factor, double to) {
    return fabs(factor - to) <= 4 * p->given.slack * fabs(to);
}

static int64_t count_nonzero(const picture *p) {
    int64_t count = 0;
    for (int64_t k = 0; k < p->size; k++) count += p->expected[k] != 0;
    return count;
}

static bool name_factor(const picture *p, char *text, size_t size) {
    double factor = common_factor(p);
    if (factor == 0) return false;
    if (is_near(p, factor, -1)) return snprintf(text, size, "the sign is wrong"), true;
    if (fabs(factor - 1) <= least_factor) return false;
    bool simple = is_near(p, factor, nearbyint(factor)) || is_near(p, factor, 0.5);
    if (!simple && count_nonzero(p) < 3) return false; /* any two numbers have some factor */
    return snprintf(text, size, "off by the factor %g", factor), true;
}

/* ---- rearrangements ---- */

/* from[k]: position of element k when the axes of the mask are reversed, axes a and b swapped, and
 * axis s moved by shift (off the edge: -1). */
static void rearrange(const spor_shape *shape, int64_t size, int flipped, int a, int b, int s,
                      int shift, int64_t from[]) {
    for (int64_t k = 0; k < size; k++) {
        int64_t index[SPOR_RANK] = {0};
        shape_unravel(shape, k, index);
        int64_t held = index[a];
        index[a] = index[b];
        index[b] = held;
        index[s] += shift;
        bool outside = index[s] < 0 || index[s] >= shape->n[s];
        for (int axis = 0; axis < shape->rank; axis++)
            if (flipped >> axis & 1) index[axis] = shape->n[axis] - 1 - index[axis];
        from[k] = outside ? -1 : shape_ravel(shape, index);
    }
}

/* "reversed along axes 0 and 2" */
static void name_axes(int mask, char *text, size_t size) {
    bool several = (mask & (mask - 1)) != 0;
    int used = snprintf(text, size, "reversed along %s", several ? "axes" : "axis");
    const char *between = " ";
    for (int axis = 0; axis < SPOR_RANK; axis++) {
        if (!(mask >> axis & 1)) continue;
        used += snprintf(text + used, size - (size_t)used, "%s%d", between, axis);
        between = " and ";
    }
}

static bool name_flip(const picture *p, int64_t from[], char *text, size_t size) {
    for (int mask = 1; mask < 1 << p->shape.rank; mask++) {
        rearrange(&p->shape, p->size, mask, 0, 0, 0, 0, from);
        if (!matches(p, from, 1)) continue;
        if (mask == 3 && p->given.slides)
            snprintf(text, size,
                     "rotated by 180 degrees: correlation and convolution are mixed up");
        else
            name_axes(mask, text, size);
        return true;
    }
    return false;
}

static bool name_swap(const picture *p, int64_t from[], char *text, size_t size) {
    for (int a = 0; a < p->shape.rank; a++)
        for (int b = a + 1; b < p->shape.rank; b++) {
            if (p->shape.n[a] != p->shape.n[b] || p->shape.n[a] == 1) continue;
            rearrange(&p->shape, p->size, 0, a, b, 0, 0, from);
            if (matches(p, from, 1))
                return snprintf(text, size, "transposed: axes %d and %d are swapped", a, b), true;
        }
    return false;
}

static bool name_shift(const picture *p, int64_t from[], char *text, size_t size) {
    for (int axis = 0; axis < p->shape.rank; axis++)
        for (int shift = -1; shift <= 1; shift += 2) {
            if (p->shape.n[axis] < 3) continue;
            rearrange(&p->shape, p->size, 0, 0, 0, axis, shift, from);
            if (matches(p, from, 1))
                return snprintf(text, size, "off by one along axis %d", axis), true;
        }
    return false;
}

/* ---- where it is wrong ---- */

static int64_t coordinate(const spor_shape *shape, int64_t k, int axis) {
    int64_t index[SPOR_RANK];
    shape_unravel(shape, k, index);
    return index[axis];
}

/* The one index along the axis where something is wrong; -1 if there are several or none. */
static int64_t wrong_index(const picture *p, int axis) {
    int64_t slice = -1;
    for (int64_t k = 0; k < p->size; k++) {
        if (!is_wrong(p, k)) continue;
        int64_t at = coordinate(&p->shape, k, axis);
        if (slice >= 0 && slice != at) return -1;
        slice = at;
    }
    return slice;
}

/* True if something off the slice is right that is not zero. */
static bool is_right_elsewhere(const picture *p, int axis, int64_t slice) {
    for (int64_t k = 0; k < p->size; k++)
        if (coordinate(&p->shape, k, axis) != slice && p->expected[k] != 0) return true;
    return false;
}

/* All wrong elements lie in one slice along an axis, and others are right. */
static bool name_slice(const picture *p, char *text, size_t size) {
    for (int axis = 0; axis < p->shape.rank; axis++) {
        char name[HINT_AXES];
        int64_t slice = p->shape.n[axis] > 1 ? wrong_index(p, axis) : -1;
        if (slice < 0 || !is_right_elsewhere(p, axis, slice)) continue;
        const char *which = slice == 0                      ? " (the first)"
                            : slice == p->shape.n[axis] - 1 ? " (the last)"
                                                            : "";
        snprintf(text, size, "wrong only at index %" PRId64 "%s of %s", slice, which,
                 hint_axes(p->given.axis, SPOR_AXIS(axis), name, sizeof name));
        return true;
    }
    return false;
}

/* The axes of a map: those of [N, H, W, C] between its samples and channels; of lower ranks all, of
 * others none is known. */
static void map_axes(const spor_shape *shape, int *first, int *last) {
    *first = shape->rank == 4 ? 1 : 0;
    *last = shape->rank == 4 ? 3 : shape->rank <= 2 ? shape->rank : 0;
}

/* The sides of the map that an element lies on, a bit each: 2 axis its first index, + 1 its last. */
static unsigned sides_of(const picture *p, int64_t k) {
    unsigned sides = 0;
    int first, last;
    map_axes(&p->shape, &first, &last);
    for (int axis = first; axis < last; axis++) {
        int64_t at = coordinate(&p->shape, k, axis);
        if (at == 0) sides |= 1U << 2 * axis;
        if (at == p->shape.n[axis] - 1) sides |= 2U << 2 * axis;
    }
    return sides;
}

/* The sides that wrong elements need; 0 if one lies inside, or a corner leaves it open. */
static unsigned wrong_sides(const picture *p) {
    unsigned alone = 0;
    for (int64_t k = 0; k < p->size; k++) {
        unsigned sides = is_wrong(p, k) ? sides_of(p, k) : 0;
        if (sides && !(sides & (sides - 1))) alone |= sides;
    }
    for (int64_t k = 0; k < p->size; k++)
        if (is_wrong(p, k) && !(sides_of(p, k) & alone)) return 0;
    return alone;
}

static bool has_inside(const picture *p) {
    for (int64_t k = 0; k < p->size; k++)
        if (!sides_of(p, k) && p->expected[k] != 0) return true;
    return false;
}

static void border_text(const picture *p, unsigned sides, char *text, size_t size) {
    size_t used = (size_t)snprintf(text, size, "wrong only at the border: ");
    const char *between = "";
    for (int side = 0; side < 2 * SPOR_RANK && used < size; side++) {
        char name[HINT_AXES];
        if (!(sides >> side & 1)) continue;
        used += (size_t)snprintf(text + used, size - used, "%sthe %s index of %s", between,
                                 side % 2 ? "last" : "first",
                                 hint_axes(p->given.axis, SPOR_AXIS(side / 2), name, sizeof name));
        between = ", ";
    }
}

/* All wrong elements lie on the border of a map, and some inside are right. */
static bool name_border(const picture *p, char *text, size_t size) {
    unsigned sides = p->given.slides && has_inside(p) ? wrong_sides(p) : 0;
    if (sides) border_text(p, sides, text, size);
    return sides != 0;
}

bool pattern_slides(const spor_tape *tape, spor_var y) {
    uint32_t last = y.id ? y.id : tape->count - 1;
    for (uint32_t id = 1; id <= last; id++)
        if (tape->node[id].op->traits & SPOR_SLIDES) return true;
    return false;
}

static bool name_zero(const picture *p, char *text, size_t size) {
    for (int64_t k = 0; k < p->size; k++)
        if (p->formula[k] != 0) return false;
    snprintf(text, size, "zero everywhere");
    return true;
}

/* The formula is constant along an axis along which the truth is not. */
static bool is_constant(const picture *p, int64_t from[], int axis) {
    bool constant = true, truth = true;
    rearrange(&p->shape, p->size, 0, 0, 0, axis, 1, from);
    for (int64_t k = 0; k < p->size; k++) {
        if (from[k] < 0) continue;
        constant = constant && p->formula[k] == p->formula[from[k]];
        truth = truth && p->expected[k] == p->expected[from[k]];
    }
    return constant && !truth;
}

static void constant_text(const picture *p, int axis, char *text, size_t size) {
    char name[HINT_AXES];
    snprintf(text, size, "constant along %s: summed over it, or not indexed by it",
             hint_axes(p->given.axis, SPOR_AXIS(axis), name, sizeof name));
}

static bool name_constant(const picture *p, int64_t from[], char *text, size_t size) {
    for (int axis = 0; axis < p->shape.rank; axis++) {
        if (p->shape.n[axis] < 2 || !is_constant(p, from, axis)) continue;
        constant_text(p, axis, text, size);
        return true;
    }
    return false;
}

/* Of a single number nothing but a turned sign can be told: any two have a factor between them. */
static void name_it(const picture *p, int64_t from[], char *text, size_t size) {
    bool negated = p->expected[0] != 0 && matches(p, NULL, -1);
    if (p->size == 1 && negated) snprintf(text, size, "the sign is wrong");
    if (p->size == 1) return;
    /* the first that fits writes its text */
    if (name_zero(p, text, size) || name_factor(p, text, size) || name_flip(p, from, text, size) ||
        name_swap(p, from, text, size) || name_shift(p, from, text, size) ||
        name_slice(p, text, size) || name_border(p, text, size) ||
        name_constant(p, from, text, size))
        return;
}

static picture picture_of(const spor_picture *given) {
    return (picture){.given = *given,
                     .shape = given->shape,
                     .size = shape_size(&given->shape),
                     .formula = given->formula,
                     .expected = given->expected,
                     .bound = given->bound};
}

void pattern_name(const spor_picture *given, char *text, size_t size) {
    picture p = picture_of(given);
    int64_t *from = calloc(1, bytes_for(p.size, sizeof *from));
    *text = 0;
    if (from) name_it(&p, from, text, size);
    free(from);
}

/* ---- facts ---- */

/* At the first, the last, or the second index: as far as the size of the axis tells them apart. */
static int slice_facts(const picture *p, hint_fact fact[], int most) {
    static const char *const which[] = {"the first index", "the last index", "index 1"};
    int count = 0;
    for (int axis = 0; axis < p->shape.rank; axis++) {
        int64_t n = p->shape.n[axis], slice = wrong_index(p, axis), index[] = {0, n - 1, 1};
        for (int k = 0; k < 3 && count < most; k++) {
            char name[HINT_AXES];
            if (slice < 0 || slice != index[k]) continue;
            snprintf(fact[count].text, HINT_TEXT, "wrong only at %s of %s", which[k],
                     hint_axes(p->given.axis, SPOR_AXIS(axis), name, sizeof name));
            fact[count++].tells = is_right_elsewhere(p, axis, slice);
        }
    }
    return count;
}

static bool lies_on(const picture *p, unsigned sides) {
    for (int64_t k = 0; k < p->size; k++)
        if (is_wrong(p, k) && !(sides_of(p, k) & sides)) return false;
    return true;
}

/* All sets of sides that the wrong ones may lie on; the one that they need tells something, if there
 * is an inside. */
static int border_facts(const picture *p, hint_fact fact[], int most) {
    unsigned needed = has_inside(p) ? wrong_sides(p) : 0;
    int first, last, count = 0;
    map_axes(&p->shape, &first, &last);
    for (unsigned set = 1; set < 1U << 2 * (last - first) && p->given.slides; set++) {
        unsigned sides = set << 2 * first;
        if (count == most || !lies_on(p, sides)) continue;
        border_text(p, sides, fact[count].text, HINT_TEXT);
        fact[count++].tells = sides == needed;
    }
    return count;
}

static int constant_facts(const picture *p, int64_t from[], hint_fact fact[], int most) {
    int count = 0;
    for (int axis = 0; axis < p->shape.rank && count < most; axis++) {
        if (p->shape.n[axis] < 2 || !is_constant(p, from, axis)) continue;
        constant_text(p, axis, fact[count].text, HINT_TEXT);
        fact[count++].tells = true;
    }
    return count;
}

int pattern_facts(const spor_picture *given, hint_fact fact[HINT_FACTS]) {
    picture p = picture_of(given);
    int64_t *from = calloc(1, bytes_for(p.size, sizeof *from));
    if (!from) return -1;
    double factor = common_factor(&p);
    int count = 0;
    if (factor != 0 && fabs(factor - 1) > least_factor) {
        if (is_near(&p, factor, -1))
            snprintf(fact->text, HINT_TEXT, "the sign is wrong");
        else
            snprintf(fact->text, HINT_TEXT, "off by the factor %.6g", factor);
        fact[count++].tells = true;
    }
    count += slice_facts(&p, fact + count, HINT_FACTS - count);
    count += border_facts(&p, fact + count, HINT_FACTS - count);
    count += constant_facts(&p, from, fact + count, HINT_FACTS - count);
    free(from);
    return count;
}
