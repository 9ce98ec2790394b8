/* What a mistake looks like: transforms of the right values are held against the wrong ones. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "verify/verify.h"

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

/* True if formula[k] = factor expected[from[k]] for all k; from NULL: k itself. from < 0: zero. */
static bool matches(const picture *p, const int64_t from[], double factor) {
    for (int64_t k = 0; k < p->size; k++) {
        if (!agree(p, k, from ? from[k] : k, factor)) return false;
    }
    return true;
}

/* ---- factors ---- */

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

/* A factor that is the size of an axis says which sum was divided, or not. */
static bool name_quantity(const picture *p, double factor, char *text, size_t size) {
    const spor_statement *statement = p->given.statement;
    for (int q = 0; statement && q < statement->quantities; q++) {
        double n = (double)p->given.value[q];
        if (statement->quantity[q].choices || n < 2) continue;
        const char *name = statement->quantity[q].name;
        if (is_near(p, factor, n))
            return snprintf(text, size, "too large by the factor %s", name), true;
        if (is_near(p, factor, 1 / n))
            return snprintf(text, size, "too small by the factor 1/%s", name), true;
    }
    return false;
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
    if (name_quantity(p, factor, text, size)) return true;
    bool simple = is_near(p, factor, nearbyint(factor)) || is_near(p, factor, 0.5);
    if (!simple && count_nonzero(p) < 3) return false; /* any two numbers have some factor */
    return snprintf(text, size, "off by the factor %g everywhere", factor), true;
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
        if (mask == 3)
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

/* All wrong elements lie in one slice along an axis, and others are right. */
static bool name_slice(const picture *p, char *text, size_t size) {
    for (int axis = 0; axis < p->shape.rank; axis++) {
        int64_t slice = -1;
        bool single = p->shape.n[axis] > 1;
        for (int64_t k = 0; k < p->size && single; k++) {
            if (!is_wrong(p, k)) continue;
            int64_t at = coordinate(&p->shape, k, axis);
            single = slice < 0 || slice == at;
            slice = at;
        }
        if (!single || slice < 0) continue;
        const char *which = slice == 0                      ? " (the first)"
                            : slice == p->shape.n[axis] - 1 ? " (the last)"
                                                            : "";
        snprintf(text, size, "wrong only at index %" PRId64 "%s of axis %d", slice, which, axis);
        return true;
    }
    return false;
}

/* All wrong elements lie on the border of the map's axes, and some inside are right. */
static bool name_border(const picture *p, char *text, size_t size) {
    int first = p->shape.rank == 4 ? 1 : 0, last = p->shape.rank == 4 ? 3 : p->shape.rank;
    int64_t inside = 0;
    for (int64_t k = 0; k < p->size; k++) {
        bool border = false;
        for (int axis = first; axis < last; axis++) {
            int64_t at = coordinate(&p->shape, k, axis);
            border = border || at == 0 || at == p->shape.n[axis] - 1;
        }
        if (!border && is_wrong(p, k)) return false;
        inside += !border;
    }
    if (!inside) return false;
    snprintf(text, size, "wrong only at the border: look at padding and remainder");
    return true;
}

static bool name_zero(const picture *p, char *text, size_t size) {
    for (int64_t k = 0; k < p->size; k++)
        if (p->formula[k] != 0) return false;
    snprintf(text, size, "zero everywhere");
    return true;
}

/* The formula is constant along an axis along which the truth is not. */
static bool name_constant(const picture *p, int64_t from[], char *text, size_t size) {
    for (int axis = 0; axis < p->shape.rank; axis++) {
        if (p->shape.n[axis] < 2) continue;
        bool constant = true, truth = true;
        rearrange(&p->shape, p->size, 0, 0, 0, axis, 1, from);
        for (int64_t k = 0; k < p->size; k++) {
            if (from[k] < 0) continue;
            constant = constant && p->formula[k] == p->formula[from[k]];
            truth = truth && p->expected[k] == p->expected[from[k]];
        }
        if (constant && !truth)
            return snprintf(text, size,
                            "constant along axis %d: summed over it, or not indexed by it", axis),
                   true;
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

void pattern_name(const spor_picture *given, char *text, size_t size) {
    picture p = {.given = *given,
                 .shape = given->shape,
                 .size = shape_size(&given->shape),
                 .formula = given->formula,
                 .expected = given->expected,
                 .bound = given->bound};
    int64_t *from = calloc(1, bytes_for(p.size, sizeof *from));
    *text = 0;
    if (from) name_it(&p, from, text, size);
    free(from);
}

void pattern_of_pair(spor_trial *trial, int pair, char *text, size_t size) {
    const spor_pair *q = &trial->in.pair[pair];
    spor_shape shape = spor_shape_of(q->expected);
    int64_t count = shape_size(&shape);
    double *formula = calloc(1, bytes_for(3 * count, sizeof *formula));
    *text = 0;
    if (!formula) return;
    double *expected = formula + count, *bound = expected + count;
    for (int64_t k = 0; k < count; k++) {
        double a, b;
        formula[k] = trial_value(trial, q->formula, k, &a);
        expected[k] = trial_value(trial, q->expected, k, &b);
        bound[k] = a + b;
    }
    spor_picture shown = {shape, formula, expected, bound, 0x1p-40, trial->statement, trial->value};
    pattern_name(&shown, text, size);
    free(formula);
}
