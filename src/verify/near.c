/*
 * Ties and kinks. At a point where a maximum has several winners, or where relu's argument is 0,
 * the tape follows a convention; others are as right. A formula that differs there is right as far
 * as can be said if each of its elements lies between the slopes around the point, and if it gives
 * what the tape gives along directions in which y does not turn.
 *
 * Around: the tape's gradient g at x + h v and x + 2 h v, h = 2^-40, v random, tends to
 * 2 g(h) - g(2 h), and is known to about |g(h) - g(2 h)|. Where that is the same in all directions
 * there is no kink, and a difference is a fault.
 *
 * Along: if the slopes <g(x + h v), v> and <g(x - h v), v> agree, y does not turn along v, and
 * <formula, v> must be that slope. The directions are those that keep ties: all elements of all
 * inputs alike, the point itself. dY is drawn anew, of reals, so that
 * slopes do not agree by chance. (A maximum's two winners that both get the whole cotangent lie
 * between the slopes one by one, but move y twice when they move together.)
 *
 * Where several ties meet in one element the tape's own number may be none of the slopes around:
 * then what is no farther from them than the tape can't be said to be wrong.
 *
 * Where y jumps, as where(x == c, ...) may, it has no slope: the tape has that of the branch taken, and those around
 * are as good. It has one along directions that keep ties all the same, where(x == y, ...) along x and y alike.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "verify/verify.h"

static const double near_step = 0x1p-40;
/* What y moves by in such a step is not this much of it, however steep. */
static const double near_jump = 0x1p-20;
/* A direction finds the one of three winners that an element needs with a chance of a third. */
enum { DIRECTIONS = 24, NOISES = 16, COORDINATES = 64 /* elements looked at in their own */ };

/* A gradient around the point: its least and largest limits, and how well each is known. */
typedef struct {
    double least, most;
    int n;
    double noise[NOISES];
} reach;

struct trial_near {
    reach *reach[SPOR_PAIRS];
    double *first;          /* g(h) of all pairs in turn */
    double *v[SPOR_INPUTS]; /* a direction; NULL for dY */
    double *y;              /* at the point; NULL: no gradient is claimed */
    bool jumps;             /* y is far from that around */
    enum { NOT_ASKED, KEPT, BROKEN } along;
};

static int64_t pair_size(const spor_trial *trial, int pair) {
    spor_shape shape = spor_shape_of(trial->in.pair[pair].expected);
    return shape_size(&shape);
}

static bool moves(const spor_trial *trial, int input) {
    return !instance_is_cotangent(&trial->in, input) && !trial_is_discrete(trial, input);
}

void near_free(spor_trial *trial) {
    struct trial_near *near = trial->near;
    trial->near_looks = 0;
    if (!near) return;
    for (int k = 0; k < SPOR_PAIRS; k++) free(near->reach[k]);
    for (int k = 0; k < SPOR_INPUTS; k++) free(near->v[k]);
    free(near->first);
    free(near->y);
    free(near);
    trial->near = NULL;
}

static bool take(spor_trial *trial) {
    struct trial_near *near = trial->near = calloc(1, sizeof *near);
    if (!near) return false;
    int64_t all = 0;
    bool done = true;
    for (int k = 0; k < trial->in.pairs; k++) {
        near->reach[k] = calloc(1, bytes_for(pair_size(trial, k) + 1, sizeof(reach)));
        done = done && near->reach[k];
        all += pair_size(trial, k);
    }
    near->first = calloc(1, bytes_for(all + 1, sizeof *near->first));
    for (int k = 0; k < trial->in.inputs; k++) {
        if (!moves(trial, k)) continue;
        near->v[k] = calloc(1, bytes_for(trial_size(trial, k) + 1, sizeof(double)));
        done = done && near->v[k];
    }
    if (trial->in.y.id) {
        spor_shape shape = spor_shape_of(trial->in.y);
        size_t size = bytes_for(shape_size(&shape), sizeof *near->y);
        near->y = malloc(size + 1);
        if (near->y) memcpy(near->y, plain_numbers(trial, trial->in.y), size);
        done = done && near->y;
    }
    return done && near->first;
}

/* ---- around ---------------------------------------------------------------------------------- */

/* Runs at x + step v. */
static bool run_at(spor_trial *trial, double step) {
    for (int k = 0; k < trial->in.inputs; k++) {
        const double *v = trial->near->v[k];
        double *to = plain_input(trial, k);
        for (int64_t j = 0; v && j < trial_size(trial, k); j++) {
            double x = trial->data[k][j];
            to[j] = x + step * v[j] * fmax(1, fabs(x));
        }
    }
    return plain_run(trial);
}

static void keep_first(spor_trial *trial) {
    double *to = trial->near->first;
    for (int k = 0; k < trial->in.pairs; k++) {
        size_t size = (size_t)pair_size(trial, k);
        memcpy(to, plain_numbers(trial, trial->in.pair[k].expected), size * sizeof *to);
        to += size;
    }
}

static void widen(reach *r, double g, double wider) {
    double limit = 2 * g - wider;
    if (!isfinite(limit)) return;
    r->least = r->n ? fmin(r->least, limit) : limit;
    r->most = r->n ? fmax(r->most, limit) : limit;
    if (r->n < NOISES) r->noise[r->n++] = 4 * fabs(g - wider) + 0x1p-46 * fabs(g);
}

/* The median: along a direction that two winners hardly leave, rounding may choose among them. */
static double noise_of(const reach *r) {
    for (int k = 0; k < r->n; k++) {
        int below = 0, not_above = 0;
        for (int j = 0; j < r->n; j++) {
            below += r->noise[j] < r->noise[k];
            not_above += r->noise[j] <= r->noise[k];
        }
        if (2 * below <= r->n && r->n <= 2 * not_above) return r->noise[k];
    }
    return 0;
}

/* The elements whose reach is to be widened: one, or all (pair -1). */
typedef struct {
    int pair;
    int64_t at;
} which_elements;

static void widen_all(spor_trial *trial, which_elements which) {
    const double *g = trial->near->first;
    for (int k = 0; k < trial->in.pairs; k++) {
        const double *wider = plain_numbers(trial, trial->in.pair[k].expected);
        for (int64_t j = 0; j < pair_size(trial, k); j++, g++)
            if (which.pair < 0 || (which.pair == k && which.at == j))
                widen(&trial->near->reach[k][j], *g, wider[j]);
    }
}

static void look_for_jumps(spor_trial *trial) {
    struct trial_near *near = trial->near;
    if (!near->y) return;
    spor_shape shape = spor_shape_of(trial->in.y);
    const double *y = plain_numbers(trial, trial->in.y);
    for (int64_t j = 0; j < shape_size(&shape); j++)
        near->jumps |= fabs(y[j] - near->y[j]) > near_jump * fmax(1, fabs(near->y[j]));
}

/* Looks from x towards v or, with sign -1, away from it. */
static bool look_along(spor_trial *trial, double sign, which_elements which) {
    if (!run_at(trial, sign * near_step)) return false;
    keep_first(trial);
    look_for_jumps(trial);
    if (!run_at(trial, 2 * sign * near_step)) return false;
    widen_all(trial, which);
    return true;
}

static bool look_both_ways(spor_trial *trial, which_elements which) {
    return look_along(trial, 1, which) && look_along(trial, -1, which);
}

static bool look_around(spor_trial *trial) {
    if (!take(trial)) return false;
    for (int d = 0; d < DIRECTIONS; d++) {
        for (int k = 0; k < trial->in.inputs; k++)
            for (int64_t j = 0; trial->near->v[k] && j < trial_size(trial, k); j++) {
                uint64_t key = random_hash((uint64_t)d, (uint64_t)k, 41);
                double u = 2 * random_uniform(key, (uint64_t)j, 43) - 1;
                trial->near->v[k][j] = u + copysign(0.25, u);
            }
        if (!look_both_ways(trial, (which_elements){-1, 0})) return false;
    }
    return true;
}

/* And along the element's own coordinate, which no random direction may have had for a winner.
 * Other ties are not broken there. */
static bool look_at_element(spor_trial *trial, int pair, int64_t at) {
    int input = trial->in.pair[pair].wrt;
    for (int k = 0; k < trial->in.inputs; k++)
        if (trial->near->v[k])
            memset(trial->near->v[k], 0, (size_t)trial_size(trial, k) * sizeof(double));
    if (!trial->near->v[input]) return true;
    trial->near->v[input][at] = 1;
    return look_both_ways(trial, (which_elements){pair, at});
}

static bool turns(const reach *r) {
    return r->most - r->least > 16 * noise_of(r);
}

static bool covers(const reach *r, double x) {
    return r->least - noise_of(r) <= x && x <= r->most + noise_of(r);
}

/* How far x lies from the slopes around. */
static double distance(const reach *r, double x) {
    return fmax(0, fmax(r->least - x, x - r->most));
}

/* Where the tape is none of the slopes around, or not all of them were looked at. */
static near_answer answer_unsure(const reach *r, double x, double tape) {
    if (covers(r, x)) return NEAR_RIGHT;
    bool no_farther = distance(r, x) <= 1.001 * distance(r, tape) + 4 * noise_of(r);
    return covers(r, tape) || no_farther ? NEAR_UNKNOWN : NEAR_WRONG;
}

/* ---- along directions that keep ties --------------------------------------------------------- */

/* <numbers, v> over the inputs whose gradients are claimed, and the sum of magnitudes. */
static double along(spor_trial *trial, bool formula, double *magnitude) {
    double sum = 0;
    *magnitude = 0;
    for (int k = 0; k < trial->in.pairs; k++) {
        const spor_pair *p = &trial->in.pair[k];
        if (p->wrt < 0 || !trial->near->v[p->wrt]) continue;
        const double *numbers = plain_numbers(trial, formula ? p->formula : p->expected);
        for (int64_t j = 0; j < pair_size(trial, k); j++) {
            double x = trial->data[p->wrt][j];
            double term = numbers[j] * trial->near->v[p->wrt][j] * fmax(1, fabs(x));
            sum += term;
            *magnitude += fabs(term);
        }
    }
    return sum;
}

/* <g(x + h v), v> for h to 0. */
static bool slope_along(spor_trial *trial, double sign, double *slope, double *noise) {
    double magnitude;
    if (!run_at(trial, sign * near_step)) return false;
    double near = along(trial, false, &magnitude);
    if (!run_at(trial, 2 * sign * near_step)) return false;
    double wider = along(trial, false, &magnitude);
    *slope = 2 * near - wider;
    *noise = 4 * fabs(near - wider) + 0x1p-40 * magnitude;
    return true;
}

/* The slope of y along v, where it has one: y does not turn there, and the tape says the same. */
typedef struct {
    bool turns;
    double slope, noise;
} straight;

/* False only if a run fails. The last run is the one at the point. */
static bool look_straight(spor_trial *trial, straight *s) {
    double right, left, noise_right, noise_left, magnitude;
    if (!slope_along(trial, 1, &right, &noise_right) || !slope_along(trial, -1, &left, &noise_left))
        return false;
    if (!run_at(trial, 0)) return false;
    double noise = noise_right + noise_left, tape = along(trial, false, &magnitude);
    bool turns = !(fabs(right - left) <= noise) || !(fabs(tape - right) <= noise);
    *s = (straight){turns, right, noise};
    return true;
}

/* broken: the formula says another slope. */
static bool ask_along(spor_trial *trial, bool *broken) {
    straight s;
    double magnitude;
    if (!look_straight(trial, &s)) return false;
    double formula = along(trial, true, &magnitude);
    *broken = !s.turns && fabs(formula - s.slope) > s.noise + 0x1p-40 * magnitude;
    return true;
}

enum { ALL_ALIKE, THE_POINT };

static void set_direction(spor_trial *trial, int d) {
    int n = trial->in.inputs;
    bool claimed[SPOR_INPUTS] = {false};
    for (int k = 0; k < trial->in.pairs; k++)
        if (trial->in.pair[k].wrt >= 0) claimed[trial->in.pair[k].wrt] = true;
    for (int k = 0; k < n; k++)
        for (int64_t j = 0; trial->near->v[k] && j < trial_size(trial, k); j++) {
            double x = trial->data[k][j], v = d == ALL_ALIKE ? 1 : x;
            trial->near->v[k][j] = claimed[k] ? v / fmax(1, fabs(x)) : 0;
        }
}

static void draw_cotangents(spor_trial *trial) {
    for (int k = trial->in.dy; instance_is_cotangent(&trial->in, k); k++) {
        double *dy = plain_input(trial, k);
        for (int64_t j = 0; dy && j < trial_size(trial, k); j++)
            dy[j] = 0.5 + random_uniform(47, (uint64_t)j, (uint64_t)(k - trial->in.dy)) *
                              (j % 2 ? -1 : 1);
    }
}

static bool ask_all_along(spor_trial *trial) {
    bool broken = false, done = true;
    draw_cotangents(trial);
    for (int d = 0; d < NEAR_DIRECTIONS && done && !broken; d++) {
        set_direction(trial, d);
        done = ask_along(trial, &broken);
    }
    trial->near->along = broken ? BROKEN : KEPT;
    return done;
}

bool near_straight(spor_trial *trial, int direction, bool *is_straight) {
    straight s;
    *is_straight = false;
    if (!trial->near) return true;
    draw_cotangents(trial);
    set_direction(trial, direction);
    if (!look_straight(trial, &s)) return false;
    *is_straight = !s.turns;
    return true;
}

double near_moved(const spor_trial *trial, int input, int64_t j) {
    const double *v = trial->near->v[input];
    return v ? v[j] * fmax(1, fabs(trial->data[input][j])) : 0;
}

/* ---- a difference ---------------------------------------------------------------------------- */

/* What the slopes around say of x; the tape's number is `tape`. */
static near_answer answer_around(const reach *r, double x, double tape, bool all_seen) {
    bool unseen = !covers(r, x) && !all_seen;
    if (unseen && covers(r, tape) && !turns(r)) return NEAR_UNSEEN;
    if (!covers(r, tape) || unseen) return answer_unsure(r, x, tape);
    if (!turns(r)) return NEAR_SMOOTH;
    return covers(r, x) ? NEAR_RIGHT : NEAR_WRONG;
}

bool near_ask(spor_trial *trial, int pair, int64_t at, double x, near_answer *answer) {
    *answer = NEAR_SMOOTH;
    if (!plain_look(trial)) return false;
    if (!isfinite(x) || !trial_has_tie(trial)) return true;
    double tape = plain_numbers(trial, trial->in.pair[pair].expected)[at];
    if (!trial->near && !look_around(trial)) return near_free(trial), false;
    reach *r = &trial->near->reach[pair][at];
    int input = trial->in.pair[pair].wrt;
    bool own = input >= 0 && trial->near_looks < COORDINATES;
    if (!covers(r, x) && own) {
        trial->near_looks++;
        if (!look_at_element(trial, pair, at)) return false;
    }
    *answer = answer_around(r, x, tape, input < 0 || own);
    bool gradients = trial->in.y.id && input >= 0;
    if (*answer == NEAR_SMOOTH || *answer == NEAR_WRONG || !gradients) return plain_look(trial);
    if (trial->near->along == NOT_ASKED && !ask_all_along(trial)) return false;
    if (trial->near->along == BROKEN) *answer = NEAR_WRONG;
    return plain_look(trial);
}

void near_allow(spor_trial *trial, int looks) {
    trial->near_looks = COORDINATES - (looks < COORDINATES ? looks : COORDINATES);
}

bool near_jumps(const spor_trial *trial) {
    return trial->near && trial->near->jumps;
}
