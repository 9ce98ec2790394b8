/*
 * Arrays at ties and kinks of the definition: what other code gives may be another of the slopes around (near.c), as
 * a formula's may. What is known of the code is its numbers for one cotangent. So a direction in which y does not
 * turn, whatever the cotangent is, is found with one that is drawn, and along it all that is excused must add up to
 * what the tape has: if it does not, two winners both got the whole cotangent, say, and none of it is excused.
 */
#include <math.h>

#include "verify/arrays.h"
#include "verify/model.h"

static bool is_in_question(const arrays_claim *c, int64_t i) {
    return c->pair >= 0 && (c->found[i] == WRONG || c->found[i] == BETWEEN);
}

/* Within what rounding does to it. False only if a run fails. */
static bool look_at(judgement *j, arrays_claim *c, int64_t i) {
    double claimed = arrays_without(c, i, c->claim->claimed[i]);
    double allowed = arrays_right_at(j, c, i);
    near_answer answer = NEAR_WRONG;
    for (int side = -1; side <= 1 && answer != NEAR_RIGHT && answer != NEAR_SMOOTH; side++)
        if (!near_ask(&j->trial, c->pair, i, claimed + side * allowed, &answer)) return false;
    if (answer == NEAR_RIGHT) c->found[i] = AT_TIE;
    if (answer == NEAR_UNKNOWN) c->found[i] = UNCLEAR;
    if (answer == NEAR_UNSEEN) c->found[i] = UNSEEN;
    return true;
}

/* What is excused in all claims, less the tape's, along the direction; and what rounding may do to that. */
static double excess(const judgement *j, double *allowed) {
    double sum = 0;
    *allowed = 0;
    for (int k = 0; k < j->given->claims; k++) {
        const arrays_claim *c = &j->claim[k];
        for (int64_t i = 0; c->pair >= 0 && i < c->size; i++) {
            double moved = near_moved(&j->trial, c->claim->wrt, i);
            double off = c->claim->claimed[i] - c->truth[i].v;
            if (c->found[i] == AT_TIE) sum += moved * off;
            if (c->found[i] == AT_TIE)
                *allowed += fabs(moved) * (arrays_right_at(j, c, i) + 0x1p-40 * fabs(off));
            bool open = c->found[i] >= UNDECIDED && c->found[i] <= UNSEEN;
            if (open) *allowed += fabs(moved * off);
        }
    }
    return sum;
}

/* Nothing is excused: what rounding may explain is not wrong for that. */
static bool take_back(judgement *j) {
    for (int k = 0; k < j->given->claims; k++)
        for (int64_t i = 0; i < j->claim[k].size; i++)
            if (j->claim[k].found[i] == AT_TIE && !arrays_find_one(j, &j->claim[k], i))
                return false;
    return true;
}

static bool hold_against_straight(judgement *j) {
    for (int d = 0; d < NEAR_DIRECTIONS; d++) {
        bool is_straight;
        double allowed;
        if (!near_straight(&j->trial, d, &is_straight)) return false;
        if (!is_straight || !(fabs(excess(j, &allowed)) > allowed)) continue;
        return take_back(j);
    }
    return true;
}

static bool any_in_question(const judgement *j) {
    for (int k = 0; k < j->given->claims; k++)
        for (int64_t i = 0; i < j->claim[k].size; i++)
            if (is_in_question(&j->claim[k], i)) return true;
    return false;
}

/* Looks at what is in question of a claim. Once that many elements were looked at and one of them is wrong, so is
 * the claim, and nothing more of it is excused. */
static bool look_at_claim(judgement *j, arrays_claim *c, int looks) {
    int asked = 0;
    bool wrong = false;
    near_allow(&j->trial, looks);
    for (int64_t i = 0; i < c->size && !(wrong && asked >= looks); i++) {
        if (!is_in_question(c, i)) continue;
        if (!look_at(j, c, i)) return false;
        wrong = wrong || c->found[i] == WRONG;
        asked++;
    }
    return true;
}

/* How many elements of each claim can be looked at closely in reasonable time; none: not even around the point. */
static int affordable(const judgement *j) {
    const double effort = 5e10; /* multiply-adds, a minute or so of reference kernels */
    enum { RUNS_AROUND = 110, RUNS_A_LOOK = 4, MOST = 64 };
    double runs = effort / fmax(1, piece_cost(&(spor_piece){.tape = j->trial.tape}));
    double looks = (runs - RUNS_AROUND) / (RUNS_A_LOOK * fmax(1, j->trial.in.pairs));
    return looks > MOST ? MOST : (int)looks;
}

static void leave_open(judgement *j) {
    for (int k = 0; k < j->given->claims; k++)
        for (int64_t i = 0; i < j->claim[k].size; i++)
            if (is_in_question(&j->claim[k], i)) j->claim[k].found[i] = UNSEEN;
}

bool arrays_excuse(judgement *j) {
    bool done = true;
    if (!any_in_question(j)) return true;
    if (!arrays_prepare_near(j)) return false;
    if (!plain_look(&j->trial)) return false;
    if (!trial_has_tie(&j->trial)) return true;
    int looks = affordable(j);
    if (looks < 1) return leave_open(j), true;
    for (int k = 0; done && k < j->given->claims; k++) done = look_at_claim(j, &j->claim[k], looks);
    return done && hold_against_straight(j);
}
