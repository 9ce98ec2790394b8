/*
 * The tape's gradients against complex steps. One step in the direction r gives <r, dx> of all
 * inputs together, so that a wrong element anywhere shows, whatever their number; eight directions
 * of random signs, so that faults that cancel in one do not in all.
 */
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/random.h"
#include "base/shape.h"
#include "verify/arrays.h"

enum { DIRECTIONS = 8 };

/* What tape and step may differ by, of the terms' magnitude: some thousand units of double. A fault
 * of an op is far above it. */
static const double own_rounding = 0x1p-39;

/* A random direction; where the tape gives no number there is nothing to be held against it. */
static void draw(const arrays_claim *c, int64_t direction, double along[]) {
    uint64_t seed = (uint64_t)c->claim->wrt * SPOR_INPUTS + (uint64_t)direction;
    uint64_t bits = 0;
    for (int64_t i = 0; i < c->size; i++, bits >>= 1) {
        if (i % 64 == 0) bits = random_hash(seed, (uint64_t)i, 21);
        double sign = bits & 1 ? 1 : -1;
        along[i] = sampled_is_known(&c->truth[i]) ? sign : 0;
    }
}

/* True for the first claim about an input's gradient. */
static bool takes_part(const judgement *j, int k) {
    int wrt = j->given->claim[k].wrt;
    for (int other = 0; other < k; other++)
        if (j->given->claim[other].wrt == wrt) return false;
    return wrt != SPOR_OF_Y;
}

/* <r, dx> by the tape, and what rounding may do to it. */
static void add_product(const arrays_claim *c, const double r[], double *sum, double *allowed) {
    for (int64_t i = 0; i < c->size; i++) {
        if (r[i] == 0) continue;
        *sum += r[i] * arrays_without(c, i, c->truth[i].v);
        *allowed += own_rounding * c->truth[i].m;
    }
}

/* One step through the claims first .. last; along is room for a direction. */
static bool step(judgement *j, int first, int last, int64_t direction, double along[],
                 bool *agrees) {
    double sum = 0, allowed = 0, slope, slack;
    for (int k = first; k <= last; k++) {
        const arrays_claim *c = &j->claim[k];
        if (!takes_part(j, k)) continue;
        draw(c, direction, along);
        trial_lean(&j->trial, c->claim->wrt, c->size, along);
        add_product(c, along, &sum, &allowed);
    }
    bool done = trial_slope(&j->trial, &slope, &slack);
    for (int k = first; k <= last; k++)
        if (takes_part(j, k)) trial_lean(&j->trial, j->claim[k].claim->wrt, j->claim[k].size, NULL);
    *agrees = !done || !isfinite(slope) || !(fabs(slope - sum) > allowed + slack);
    j->steps += done && isfinite(slope);
    return done;
}

/* The claim that a direction contradicts; none if only their sum is. */
static bool find_faulty(judgement *j, int64_t direction, double along[]) {
    bool agrees = true, done = true;
    for (int k = 0; done && agrees && k < j->given->claims; k++) {
        if (takes_part(j, k)) done = step(j, k, k, direction, along, &agrees);
        if (!agrees) j->faulty = k;
    }
    return done;
}

bool arrays_steps(judgement *j) {
    int last = j->given->claims - 1;
    int64_t most = j->given->oracle, count = most && most < DIRECTIONS ? most : DIRECTIONS;
    int64_t room = 0;
    bool done = true, agrees = true;
    j->faulty = -1;
    for (int k = 0; k <= last; k++)
        if (takes_part(j, k) && j->claim[k].size > room) room = j->claim[k].size;
    if (!room || spor_program_error(j->trial.step)) return true;
    double *along = malloc(bytes_for(room, sizeof *along));
    if (!along) return false;
    for (int64_t d = 0; done && agrees && d < count; d++) {
        done = step(j, 0, last, d, along, &agrees);
        if (done && !agrees) done = find_faulty(j, d, along);
    }
    free(along);
    return done;
}

bool arrays_step_at(judgement *j, const arrays_claim *c, int64_t at, double *oracle, bool *agrees) {
    double slack;
    *agrees = true;
    *oracle = (double)NAN;
    if (c->claim->wrt == SPOR_OF_Y || spor_program_error(j->trial.step)) return true;
    if (!trial_derivative_of_all(&j->trial, c->claim->wrt, at, oracle, &slack)) return false;
    double off = fabs(arrays_without(c, at, c->truth[at].v) - *oracle);
    *agrees = !sampled_is_known(&c->truth[at]) || !isfinite(*oracle) ||
              !(off > own_rounding * c->truth[at].m + slack);
    if (c->claim->before) *oracle += c->claim->before[at];
    return true;
}
