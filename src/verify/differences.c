/*
 * Differences as oracle, for kinks and as the last word: slopes of y along one element.
 *
 * F(t) = <dy, y(x + t e)>, e one element, known with a bound E of its rounding.
 *
 * The step is h = 2^-17, near the cube root of the unit roundoff where truncation and rounding of
 * a central difference are alike, times a power of two near |x|. The slopes on one side,
 * s(t) = (F(t) - F(0)) / t = F' + t F'' / 2 + t^2 F''' / 6 + ..., are known to
 * n(t) = (E(t) + E(0)) / |t|. Two steps give
 *
 *     centre   D(h) = (s(h) + s(-h)) / 2 = F' + h^2 F''' / 6 + ...
 *     a side   S(h) = 2 s(h) - s(2 h)    = F' - h^2 F''' / 3 + ...
 *
 * Both err by c h^2, so that the same with the step 2 h differs by 3 c h^2: the allowance is that
 * difference, three times the truncation, and the rounding of both.
 *
 * The sides of a smooth F agree to h^3 F'''' / 2, which is far below rounding. Where they do not,
 * at h or at 2 h, there is a kink within 4 h. If it lies at x, each side is smooth: its own S(h)
 * and S(2 h) differ by much less than the sides do. Else no side can be trusted.
 */
#include <math.h>

#include "verify/oracle.h"

enum { ELEMENTS = 64 }; /* of an input, about */

typedef struct {
    double slope, wider; /* with the step h, with 2 h */
    double noise, wider_noise;
} difference;

enum { STEPS = 3 }; /* h, 2 h, 4 h */

static double allowance(const difference *d) {
    return fabs(d->wider - d->slope) + d->noise + d->wider_noise;
}

static difference centre_of(const measured right[], const measured left[]) {
    return (difference){.slope = (right[0].value + left[0].value) / 2,
                        .wider = (right[1].value + left[1].value) / 2,
                        .noise = (right[0].bound + left[0].bound) / 2,
                        .wider_noise = (right[1].bound + left[1].bound) / 2};
}

static difference side_of(const measured s[]) {
    return (difference){.slope = 2 * s[0].value - s[1].value,
                        .wider = 2 * s[1].value - s[2].value,
                        .noise = 2 * s[0].bound + s[1].bound,
                        .wider_noise = 2 * s[1].bound + s[2].bound};
}

/* s(t) and n(t) for t = step, 2 step, 4 step. */
static bool slopes(oracle_inquiry *q, int input, int64_t k, double step, measured centre,
                   measured s[]) {
    double *x = spor_program_arg(q->y, q->trial->in.input[input]).data;
    double middle = q->trial->data[input][k];
    for (int j = 0; j < STEPS; j++, step *= 2) {
        measured moved;
        x[2 * k] = middle + step;
        double t = x[2 * k] - middle;
        if (!product_with_y(q, &moved)) return false;
        s[j].value = (moved.value - centre.value) / t;
        s[j].bound = (moved.bound + centre.bound) / fabs(t) + PRODUCT_UNIT * fabs(s[j].value);
    }
    x[2 * k] = middle;
    return true;
}

/* Judges the element by the slope that is taken for the truth. */
static bool judge_slope(oracle_inquiry *q, oracle_element e, const difference *truth) {
    e.oracle = truth->slope;
    e.off = fabs(e.formula - truth->slope);
    e.bound += allowance(truth);
    return oracle_judge(q, &e);
}

/* An element whose sides differ: the formula must be one of their slopes. */
static void judge_kink(oracle_inquiry *q, const oracle_element *e, const difference *right,
                       const difference *left) {
    double gap = fmax(fabs(right->slope - left->slope), fabs(right->wider - left->wider));
    if (!(fabs(right->wider - right->slope) <= gap / 16 + right->noise + right->wider_noise) ||
        !(fabs(left->wider - left->slope) <= gap / 16 + left->noise + left->wider_noise)) {
        q->finding->skipped++;
        return;
    }
    bool is_left = fabs(e->formula - left->slope) <= fabs(e->formula - right->slope);
    q->finding->kinks += judge_slope(q, *e, is_left ? left : right);
}

static bool judge_element(oracle_inquiry *q, int k, int64_t at, measured middle) {
    const spor_pair *pair = &q->trial->in.pair[k];
    measured s[STEPS], t[STEPS];
    oracle_element e = {.pair = k, .at = at};
    double x = q->trial->data[pair->wrt][at], step = ldexp(0x1p-17, ilogb(fmax(1, fabs(x))));
    if (!slopes(q, pair->wrt, at, step, middle, s) || !slopes(q, pair->wrt, at, -step, middle, t))
        return false;
    difference right = side_of(s), left = side_of(t), centre = centre_of(s, t);
    e.formula = trial_value(q->trial, pair->formula, at, &e.bound);
    e.expected = trial_value(q->trial, pair->expected, at, NULL);
    if (fabs(right.slope - left.slope) > right.noise + left.noise ||
        fabs(right.wider - left.wider) > right.wider_noise + left.wider_noise)
        judge_kink(q, &e, &right, &left);
    else
        judge_slope(q, e, &centre);
    return true;
}

static bool judge_pair(oracle_inquiry *q, int k) {
    int64_t size = trial_size(q->trial, q->trial->in.pair[k].wrt);
    int64_t stride = 1 + (size - 1) / ELEMENTS;
    measured middle;
    product_fill(q);
    bool done = product_with_y(q, &middle);
    for (int64_t at = 0; at < size && done; at += stride) done = judge_element(q, k, at, middle);
    return done;
}

static bool ask(oracle_inquiry *q) {
    if (!product_start(q)) return false;
    for (int k = 0; q->y && k < oracle_pairs(q); k++)
        if (q->trial->in.pair[k].wrt >= 0 && !judge_pair(q, k)) return false;
    return true;
}

/* Not in the search: six runs of y an element, for fewer digits than the one of a complex step. On
 * integers kinks are met exactly. */
const oracle oracle_differences = {
    .name = "differences",
    .proves = "to about ten digits, the formula is the slope of y at the points drawn, at kinks "
              "that of one side; nothing but y is evaluated",
    .counted = "differences",
    .dispute = SPOR_TAPE_ORACLE,
    .at = ORACLE_AT_FIRST | ORACLE_AT_MIDDLE,
    .in_search = false,
    .ask = ask,
};
