/* Readings of the numbers alone: a sign, a factor, elements that moved, axes summed over. */
#include "verify/hint.h"

static void scaled(hint_site *s, int64_t num, int64_t den) {
    spor_var factor = op_fill_ratio(s->tape, num, den, spor_shape_of(s->expected));
    hint_close(s, s->formula, spor_mul(s->expected, factor));
}

/* ---- factors ---- */

static const struct {
    int64_t num, den;
    const char *text;
} constants[] = {{2, 1, "2"}, {1, 2, "0.5"}, {-2, 1, "-2"}, {-1, 2, "-0.5"},
                 {3, 1, "3"}, {1, 3, "1/3"}, {4, 1, "4"},   {1, 4, "0.25"}};

/* The value of a size or number that the statement speaks about; 0 if it is none to divide by. */
static int64_t factor_of(const hint_site *s, int q) {
    return s->statement->quantity[q].choices ? 0 : s->value[q];
}

/* True if the quantity is the size of an axis. */
static bool is_size(const hint_site *s, const char *name) {
    for (int k = 0; k < s->in->inputs; k++)
        for (int a = 0; a < SPOR_RANK; a++)
            if (s->in->axis[k][a] == name) return true;
    return false;
}

/* A factor that is a size says which sum was divided, or not. */
static void one_size(hint_site *s, int q) {
    const char *name = s->statement->quantity[q].name;
    int64_t n = factor_of(s, q);
    bool size = is_size(s, name);
    if (!n) return;
    if (hint_open(s, "too small by the factor 1/%s%s%s%s", name, size ? ": a mean over " : "",
                  size ? name : "", size ? " where a sum belongs" : ""))
        scaled(s, 1, n);
    if (hint_open(s, "too large by the factor %s%s%s%s", name, size ? ": a sum over " : "",
                  size ? name : "", size ? " where a mean belongs" : ""))
        scaled(s, n, 1);
    if (hint_open(s, "off by the factor 2/%s", name)) scaled(s, 2, n);
    if (hint_open(s, "off by the factor %s/2", name)) scaled(s, n, 2);
    if (hint_open(s, "off by the factor -1/%s", name)) scaled(s, -1, n);
    if (hint_open(s, "off by the factor -%s", name)) scaled(s, -n, 1);
}

static void two_sizes(hint_site *s, int p, int q) {
    const char *a = s->statement->quantity[p].name, *b = s->statement->quantity[q].name;
    int64_t n = factor_of(s, p), m = factor_of(s, q);
    if (!n || !m) return;
    if (hint_open(s, "too small by the factor 1/(%s %s)", a, b)) scaled(s, 1, n * m);
    if (hint_open(s, "too large by the factor %s %s", a, b)) scaled(s, n * m, 1);
    if (hint_open(s, "off by the factor %s/%s", a, b)) scaled(s, n, m);
    if (hint_open(s, "off by the factor %s/%s", b, a)) scaled(s, m, n);
}

/* What belongs to another line. */
static void exchanged(hint_site *s) {
    for (int k = 0; k < s->in->pairs; k++) {
        const spor_pair *other = &s->in->pair[k];
        if (other->expected.id == s->expected.id) continue;
        if (hint_open(s, "these are the numbers of %s", other->name))
            hint_close(s, s->formula, other->expected);
    }
}

void numbers_simple(hint_site *s) {
    spor_shape shape = spor_shape_of(s->expected);
    if (s->in->inputs && hint_open(s, "zero everywhere")) /* of whole numbers a few were tried */
        hint_close(s, s->formula, op_fill_ratio(s->tape, 0, 1, shape));
    if (hint_open(s, "the sign is wrong")) scaled(s, -1, 1);
    for (size_t k = 0; k < sizeof constants / sizeof *constants; k++)
        if (hint_open(s, "off by the factor %s", constants[k].text))
            scaled(s, constants[k].num, constants[k].den);
    exchanged(s);
    for (int q = 0; q < s->statement->quantities; q++) one_size(s, q);
    for (int p = 0; p < s->statement->quantities; p++)
        for (int q = p + 1; q < s->statement->quantities; q++) two_sizes(s, p, q);
}

/* ---- elements that moved ---- */

static spor_var swapped(spor_var x, int a, int b) {
    int64_t perm[SPOR_RANK];
    for (int k = 0; k < SPOR_RANK; k++) perm[k] = k;
    perm[a] = b;
    perm[b] = a;
    return spor_transpose(x, perm);
}

/* The two axes that a kernel is rotated in: the first two. */
enum { ROTATED = 3 };

static void flipped(hint_site *s, int mask) {
    char axes[HINT_AXES];
    hint_axes(s->axis, mask, axes, sizeof axes);
    bool open = mask == ROTATED && s->slides
                    ? hint_open(s, "rotated by 180 degrees: correlation and convolution are "
                                   "mixed up")
                    : hint_open(s, "reversed along %s", axes);
    if (open) hint_close(s, s->formula, spor_flip(s->expected, mask));
}

static bool open_transposed(hint_site *s, int a, int b) {
    char axes[HINT_AXES];
    return hint_open(s, "transposed: %s are swapped",
                     hint_axes(s->axis, SPOR_AXIS(a) | SPOR_AXIS(b), axes, sizeof axes));
}

/* Where the axes differ in size the numbers stand in the order of the transposed array. */
static void transposed(hint_site *s, int a, int b) {
    if (!open_transposed(s, a, b)) return;
    spor_var turned = swapped(s->expected, a, b);
    hint_close(s, s->formula, spor_reshape(turned, spor_shape_of(s->expected)));
}

/* Row i holds what belongs to row i - by; what falls off the edge is lost. */
static void shifted(hint_site *s, int axis, int64_t by) {
    int64_t lo[SPOR_RANK] = {0}, hi[SPOR_RANK] = {0};
    char name[HINT_AXES];
    if (spor_shape_of(s->expected).n[axis] < 2) return;
    hint_axes(s->axis, SPOR_AXIS(axis), name, sizeof name);
    if (!hint_open(s, "shifted by one along %s, towards its %s", name,
                   by > 0 ? "end" : "beginning"))
        return;
    lo[axis] = by;
    hi[axis] = -by;
    hint_close(s, s->formula, spor_pad(s->expected, lo, hi, 0));
}

/* All along the axis the sum, or the mean, of what belongs there. */
static void levelled(hint_site *s, int axis) {
    char name[HINT_AXES];
    spor_shape shape = spor_shape_of(s->expected);
    int64_t mask = SPOR_AXIS(axis);
    hint_axes(s->axis, mask, name, sizeof name);
    if (shape.n[axis] < 2) return;
    if (hint_open(s, "summed over %s, the same all along it", name))
        hint_close(s, s->formula, spor_expand(spor_sum(s->expected, mask), mask, shape));
    if (hint_open(s, "the mean over %s, the same all along it", name))
        hint_close(s, s->formula, spor_expand(spor_mean(s->expected, mask), mask, shape));
}

void numbers_moved(hint_site *s) {
    int rank = spor_shape_of(s->expected).rank;
    for (int mask = 1; mask < 1 << rank && rank <= 4; mask++) flipped(s, mask);
    for (int a = 0; a < rank; a++)
        for (int b = a + 1; b < rank; b++) transposed(s, a, b);
    for (int axis = 0; axis < rank; axis++) {
        shifted(s, axis, 1);
        shifted(s, axis, -1);
        levelled(s, axis);
    }
}

/* ---- another shape ---- */

/* The axes that x has and y has not, as a mask; 0 if y is not x without some. */
static int64_t missing_axes(const spor_shape *x, const spor_shape *y) {
    int64_t mask = 0;
    int at = 0;
    for (int k = 0; k < x->rank; k++) {
        bool same = at < y->rank && x->n[k] == y->n[at];
        if (same)
            at++;
        else
            mask |= (int64_t)1 << k;
    }
    return at == y->rank ? mask : 0;
}

/* What is of the wrong shape may be right but for its axes. */
void numbers_of_another_shape(hint_site *s) {
    spor_shape formula = spor_shape_of(s->formula), expected = spor_shape_of(s->expected);
    int64_t more = missing_axes(&formula, &expected), less = missing_axes(&expected, &formula);
    char axes[HINT_AXES];
    hint_axes(s->axis, less, axes, sizeof axes);
    if (formula.rank > expected.rank && more && hint_open(s, "not summed over all of its axes"))
        hint_close(s, spor_sum(s->formula, more), s->expected);
    if (formula.rank < expected.rank && less && hint_open(s, "summed over %s too", axes))
        hint_close(s, s->formula, spor_sum(s->expected, less));
    for (int a = 0; a < expected.rank && formula.rank == expected.rank; a++)
        for (int b = a + 1; b < expected.rank; b++)
            if (open_transposed(s, a, b)) hint_close(s, s->formula, swapped(s->expected, a, b));
}
