/*
 * Complex steps as oracle: dy y'(x) = Im <dy, y(x + i h e)> / h, e one element of the input. Only
 * the forward pass is run, so that no rule of differentiation has a part in it.
 */
#include <math.h>

#include "base/random.h"
#include "verify/oracle.h"

/* A power of two, so that on integers complex steps are exact, and small enough that products of
 * two imaginary parts underflow to 0. */
static const double complex_step = 0x1p-540;
/* A derivative below 2^-534 leaves no imaginary part; 2^34 for what amplifies it on the way. */
static const double lost_in_step = 0x1p-500;
/* A part that underflows on the way to where it is divided by as small a number is lost as well: who
 * disagrees is asked again with a step that keeps it. Its square vanishes beside 1. */
static const double wide_step = 0x1p-60;
/* Of an element so small beside the largest of its gradient no double may keep the part. */
static const double lost_beside = 0x1p-200;

enum { ELEMENTS = 96 }; /* of an input, about */

/* Runs, and reads the slope; past: without the elements of y that are no number. The slack: each node
 * adds at most a few units of 2^-53 to every term. */
static bool read_slope(spor_trial *trial, double step, bool past, double *derivative,
                       double *slack) {
    if (!spor_run(trial->step, 0)) return false;
    spor_arg y = spor_program_arg(trial->step, trial->in.y);
    const double *part = y.data, *dy = trial->data[trial->in.dy];
    double sum = 0, magnitude = 0, weight = 0;
    for (int64_t j = 0; j < shape_size(&y.shape); j++) {
        double term = dy[j] * (part[2 * j + 1] / step);
        if (past && isnan(part[2 * j])) continue;
        sum += isnan(part[2 * j]) ? (double)NAN : term;
        magnitude += fabs(term);
        weight += fabs(dy[j]);
    }
    *derivative = sum;
    *slack = 0x1p-51 * (double)(trial->tape->count + (uint32_t)shape_size(&y.shape)) * magnitude +
             lost_in_step * weight;
    return true;
}

static bool step_at(spor_trial *trial, int input, int64_t k, double step, bool past,
                    double *derivative, double *slack) {
    double *z = spor_program_arg(trial->step, trial->in.input[input]).data;
    z[2 * k + 1] = step;
    bool done = read_slope(trial, step, past, derivative, slack);
    z = spor_program_arg(trial->step, trial->in.input[input]).data;
    z[2 * k + 1] = 0; /* only now: y may be the input itself */
    return done;
}

/* What is no number does not depend on the element: else that lay outside the domain, where nobody
 * asks. */
bool trial_derivative(spor_trial *trial, int input, int64_t k, double *derivative, double *slack) {
    return step_at(trial, input, k, complex_step, true, derivative, slack);
}

bool trial_derivative_of_all(spor_trial *trial, int input, int64_t k, double *derivative,
                             double *slack) {
    return step_at(trial, input, k, complex_step, false, derivative, slack);
}

void trial_lean(spor_trial *trial, int input, int64_t size, const double along[]) {
    double *z = spor_program_arg(trial->step, trial->in.input[input]).data;
    for (int64_t k = 0; k < size; k++) z[2 * k + 1] = along ? along[k] * complex_step : 0;
}

bool trial_slope(spor_trial *trial, double *derivative, double *slack) {
    return read_slope(trial, complex_step, false, derivative, slack);
}

bool steps_are_misled(spor_var y) {
    for (uint32_t id = 1; id <= y.id; id++) {
        unsigned traits = y.tape->node[id].op->traits;
        if ((traits & SPOR_ALIAS) && !(traits & SPOR_LINEAR)) return true;
    }
    return false;
}

bool steps_start(spor_trial *trial) {
    if (!trial->step || spor_program_error(trial->step)) return false;
    for (int k = 0; k < trial->in.inputs; k++)
        trial_fill(trial->step, trial->in.input[k], trial->data[k], trial_size(trial, k));
    return true;
}

/* How far the step's own rounding may reach: where the data are moved by some ulps, its result
 * moves by as much. */
static bool own_rounding(spor_trial *trial, int input, int64_t k, double derivative,
                         double *noise) {
    enum { MOVES = 4 };
    bool done = true;
    *noise = 0;
    for (uint64_t move = 0; move < MOVES && done; move++) {
        double moved, slack;
        for (int j = 0; j < trial->in.inputs; j++) {
            double *z = spor_program_arg(trial->step, trial->in.input[j]).data;
            for (int64_t i = 0; !trial_is_discrete(trial, j) && i < trial_size(trial, j); i++) {
                uint64_t bits = random_hash(move, (uint64_t)j, (uint64_t)i);
                z[2 * i] = trial->data[j][i] * (1 + 0x1p-46 * ((double)(bits % 65) / 32 - 1));
            }
        }
        done = trial_derivative(trial, input, k, &moved, &slack);
        if (isfinite(moved)) *noise = fmax(*noise, fabs(moved - derivative));
    }
    return steps_start(trial) && done;
}

static void set_off(oracle_element *e) {
    double tape = fabs(e->expected - e->oracle), formula = fabs(e->formula - e->oracle);
    e->off = isnan(tape) || tape > formula ? tape : formula;
}

static double largest_of(spor_trial *trial, const spor_pair *p) {
    double largest = 0;
    for (int64_t k = 0; k < trial_size(trial, p->wrt); k++)
        largest = fmax(largest, fabs(trial_value(trial, p->expected, k, NULL)));
    return largest;
}

/* A wider step, where the narrow one disagrees: it counts if it does not. */
static bool ask_again(spor_trial *trial, const spor_pair *p, int64_t k, oracle_element *e) {
    double slack;
    oracle_element wide = *e;
    if (!step_at(trial, p->wrt, k, wide_step, true, &wide.oracle, &slack)) return false;
    wide.bound += lost_beside * largest_of(trial, p);
    set_off(&wide);
    if (wide.off <= wide.bound) *e = wide;
    return true;
}

/* The oracle's operations are the gradient's, forwards: twice its bound, and the slack. What is
 * beyond that may still be rounding, where large terms cancel on the way. */
bool steps_at(spor_trial *trial, int pair, int64_t k, oracle_element *e) {
    const spor_pair *p = &trial->in.pair[pair];
    double bound, slack, formula_bound;
    *e = (oracle_element){.pair = pair, .at = k};
    e->expected = trial_value(trial, p->expected, k, &bound);
    e->formula = trial_value(trial, p->formula, k, &formula_bound);
    if (!trial_derivative(trial, p->wrt, k, &e->oracle, &slack)) return false;
    e->bound = 2 * (bound > formula_bound ? bound : formula_bound) + slack;
    set_off(e);
    if (e->off <= e->bound) return true;
    double noise;
    if (!own_rounding(trial, p->wrt, k, e->oracle, &noise)) return false;
    e->bound += 16 * noise;
    return e->off <= e->bound || ask_again(trial, p, k, e);
}

static bool judge_pair(oracle_inquiry *q, int pair) {
    int64_t size = trial_size(q->trial, q->trial->in.pair[pair].wrt);
    int64_t stride = 1 + (size - 1) / ELEMENTS;
    oracle_element e;
    for (int64_t k = 0; k < size; k += stride) {
        if (!trial_inside(q->trial, pair, k)) continue;
        if (!steps_at(q->trial, pair, k, &e)) return false;
        oracle_judge(q, &e);
    }
    return true;
}

/* Where there are kinks on reals only: sums of products of round numbers are 0 too often. */
static bool ask(oracle_inquiry *q) {
    bool whole = 1 << q->point & ORACLE_AT_INTEGERS;
    if ((whole && q->trial->kinked) || !steps_start(q->trial)) return true;
    for (int pair = 0; pair < oracle_pairs(q); pair++)
        if (q->trial->in.pair[pair].wrt >= 0 && !judge_pair(q, pair)) return false;
    return true;
}

const oracle oracle_complex_step = {
    .name = "complex step",
    .proves = "to rounding, the formula is the derivative of y at the points drawn, whatever the "
              "tape's rules of differentiation say",
    .counted = "complex steps",
    .dispute = SPOR_TAPE_ORACLE,
    .at = ORACLE_AT_FIRST | ORACLE_AT_MIDDLE,
    .in_search = true,
    .ask = ask,
};
