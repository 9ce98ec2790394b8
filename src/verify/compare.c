/*
 * The tape as oracle: its gradients against the formula's, both with the running error bounds of
 * their own arithmetic. On integers most tapes round nothing, so that the bound is 0.
 */
#include <math.h>

#include "verify/oracle.h"

/* Elements where the tape rounds nothing, elements where it rounds. */
enum { EXACT = 1, ROUNDED = 2 };

/* The largest magnitude among the numbers of a pair. */
static double largest(const oracle_inquiry *q, int pair) {
    const spor_pair *p = &q->trial->in.pair[pair];
    const double *numbers[] = {trial_numbers(q->trial, p->formula),
                               trial_numbers(q->trial, p->expected)};
    spor_shape shape = spor_shape_of(p->expected);
    double most = 0;
    for (int which = 0; which < 2; which++)
        for (int64_t k = 0; k < shape_size(&shape); k++)
            if (isfinite(numbers[which][2 * k])) most = fmax(most, fabs(numbers[which][2 * k]));
    return most;
}

/* The largest number among the inputs. */
static double largest_input(const oracle_inquiry *q) {
    double most = 0;
    for (int k = 0; k < q->trial->in.inputs; k++)
        for (int64_t j = 0; j < trial_size(q->trial, k); j++)
            most = fmax(most, fabs(q->trial->data[k][j]));
    return most;
}

/* An element that passes within a bound which reaches all values of its pair, and is not small
 * beside those of the others, decides nothing: its bound is as good as infinite. */
static double decisive(const oracle_element *e, double least) {
    return e->off <= e->bound && e->bound > 0 && e->bound >= least ? HUGE_VAL : e->bound;
}

static void judge_pair(oracle_inquiry *q, int pair, int kinds, double scale) {
    const spor_pair *p = &q->trial->in.pair[pair];
    spor_shape shape = spor_shape_of(p->expected);
    int64_t size = shape_size(&shape);
    const double *formula = trial_numbers(q->trial, p->formula);
    const double *expected = trial_numbers(q->trial, p->expected);
    double least = verdict_reach(largest(q, pair), scale);
    for (int64_t k = 0; k < size; k++, formula += 2, expected += 2) {
        if (!(kinds & (expected[1] > 0 ? ROUNDED : EXACT))) continue;
        oracle_element e = {.pair = pair,
                            .at = k,
                            .formula = formula[0],
                            .expected = expected[0],
                            .oracle = (double)NAN,
                            .off = fabs(formula[0] - expected[0]),
                            .bound = formula[1] + expected[1]};
        /* what is said to be 0 has no magnitude but that of what it is made of */
        bool zero = !q->trial->in.y.id && expected[0] == 0 && expected[1] == 0;
        e.bound = decisive(&e, zero ? verdict_reach(least, largest_input(q)) : least);
        oracle_judge(q, &e);
    }
}

static bool compare(oracle_inquiry *q, int kinds) {
    double scale = 0;
    for (int pair = 0; pair < q->trial->in.pairs; pair++) scale = fmax(scale, largest(q, pair));
    for (int pair = 0; pair < oracle_pairs(q); pair++) judge_pair(q, pair, kinds, scale);
    return true;
}

void compare_all(oracle_inquiry *q) {
    compare(q, EXACT | ROUNDED);
}

/* ---- integers ---- */

/* A formula that rounds where the tape does not, dividing by N say, may be off by that. */
static bool ask_integers(oracle_inquiry *q) {
    return compare(q, EXACT);
}

const oracle oracle_integers = {
    .name = "integers",
    .proves = "indices, signs and factors are right wherever the tape rounds nothing, up to the "
              "chance that random integers agree; not that the tape is right",
    .dispute = SPOR_FORMULA_TAPE,
    .at = ORACLE_AT_INTEGERS,
    .in_search = true,
    .ask = ask_integers,
};

/* ---- bounds ---- */

/* At integers it takes what is no integer any more. */
static bool ask_bounds(oracle_inquiry *q) {
    return compare(q, 1 << q->point & ORACLE_AT_REALS ? EXACT | ROUNDED : ROUNDED);
}

const oracle oracle_bounds = {
    .name = "reals",
    .proves = "formula and tape differ by no more than their own rounding can explain, at the "
              "points drawn; not what rounding hides, not that the tape is right",
    .dispute = SPOR_FORMULA_TAPE,
    .at = ORACLE_AT_INTEGERS | ORACLE_AT_REALS,
    .in_search = true,
    .ask = ask_bounds,
};
