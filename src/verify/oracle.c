/* The table of oracles, and the one loop that asks them. */
#include <math.h>
#include <string.h>

#include "verify/oracle.h"

enum { DEFAULT_PROOFS = 20000 };

static const oracle *const oracles[SPOR_ORACLES] = {
    [SPOR_BY_INTEGERS] = &oracle_integers,         [SPOR_BY_BOUNDS] = &oracle_bounds,
    [SPOR_BY_ADJOINT] = &oracle_adjoint,           [SPOR_BY_UNITS] = &oracle_units,
    [SPOR_BY_COMPLEX_STEP] = &oracle_complex_step, [SPOR_BY_DIFFERENCES] = &oracle_differences,
};

const char *spor_oracle_name(spor_oracle which) {
    return oracles[which]->name;
}

const char *spor_oracle_proves(spor_oracle which) {
    return oracles[which]->proves;
}

const char *oracle_counted(spor_oracle which) {
    return oracles[which]->counted;
}

int64_t oracle_proofs(const spor_effort *effort) {
    return effort->proofs > 0 ? effort->proofs : DEFAULT_PROOFS;
}

/* ---- judging ---- */

int oracle_pairs(const oracle_inquiry *q) {
    return q->finding->failed ? q->finding->worst.pair + 1 : q->trial->in.pairs;
}

/* Keeps the element if its pair is the first that failed, and it is the worst there; NaN is worse
 * than any number. */
static void keep_worst(oracle_inquiry *q, const oracle_element *e) {
    oracle_finding *f = q->finding;
    bool first = !f->failed || e->pair < f->worst.pair;
    if (!first && e->pair > f->worst.pair) return;
    f->wrong = first ? 1 : f->wrong + 1;
    if (!first && e->off <= f->worst.off) return;
    f->failed = true;
    f->by = q->by;
    f->dispute = oracles[q->by]->dispute;
    f->worst = *e;
}

/* An element held against the tape. */
static void count_value(oracle_finding *f, const oracle_element *e) {
    bool passed = e->off <= e->bound;
    f->compared[e->pair]++;
    f->nonzero += e->expected != 0;
    f->exact += passed && e->bound == 0;
    if (passed && e->bound > 0) f->closest = fmax(f->closest, e->off / e->bound);
}

/* A bound that is no finite number says that the difference may be anything. But a formula that is
 * no number where the truth is one is wrong. */
static bool decides_nothing(const oracle_element *e) {
    double truth = isnan(e->oracle) ? e->expected : e->oracle;
    return !isfinite(e->bound) && !(isnan(e->formula) && isfinite(truth));
}

bool oracle_judge(oracle_inquiry *q, const oracle_element *e) {
    bool by_tape = oracles[q->by]->dispute == SPOR_FORMULA_TAPE;
    if (decides_nothing(e)) {
        q->finding->undecided += by_tape;
        return true;
    }
    q->finding->asked[q->by]++;
    if (by_tape) count_value(q->finding, e);
    if (e->off <= e->bound) return true;
    keep_worst(q, e);
    return false;
}

/* ---- asking ---- */

static bool is_asked(int which, unsigned set, int point) {
    return (set >> which & 1) && (oracles[which]->at >> point & 1);
}

/* Brings the trial to a point, if an oracle of the set is asked there. Without inputs all points
 * are one. */
static bool prepare(spor_trial *trial, uint64_t seed, unsigned set, int point, bool *asked) {
    *asked = false;
    for (int k = 0; k < SPOR_ORACLES; k++) *asked = *asked || is_asked(k, set, point);
    if (!trial->in.inputs && point) *asked = false;
    if (!*asked || point == SPOR_DRAWS) return true;
    trial_draw(trial, seed, point);
    return trial_run(trial);
}

/* Asks the set at the point where the trial is. Who does not take the tape's word is asked only
 * where formula and tape agree. */
static bool ask_here(oracle_inquiry *q, unsigned set, int point) {
    bool agree = true;
    q->point = point;
    for (int k = 0; k < SPOR_ORACLES; k++) {
        if (!is_asked(k, set, point)) continue;
        if (!agree && oracles[k]->dispute != SPOR_FORMULA_TAPE) continue;
        q->by = (spor_oracle)k;
        if (!oracles[k]->ask(q)) return false;
        agree = !q->finding->failed;
    }
    return true;
}

/* All points in turn; up to the first that fails unless `throughout`. */
static bool ask_set(oracle_inquiry *q, uint64_t seed, unsigned set, bool throughout) {
    bool done = true;
    for (int point = 0; point < ORACLE_POINTS && done; point++) {
        bool asked;
        done = prepare(q->trial, seed, set, point, &asked);
        if (done && asked) done = ask_here(q, set, point);
        if (q->finding->failed && !throughout) break;
    }
    spor_program_free(q->y);
    return done;
}

bool oracle_examine(spor_trial *trial, const spor_effort *effort, int64_t *proofs,
                    oracle_finding *finding) {
    oracle_inquiry q = {.trial = trial, .proofs = proofs, .finding = finding};
    unsigned set = 0;
    *finding = (oracle_finding){0};
    for (int k = 0; k < SPOR_ORACLES; k++) set |= (unsigned)oracles[k]->in_search << k;
    return ask_set(&q, effort->seed, set, false);
}

bool oracle_at_data(spor_trial *trial, spor_oracle which, oracle_finding *finding) {
    oracle_inquiry q = {.trial = trial, .finding = finding, .by = which, .point = SPOR_DRAWS - 1};
    *finding = (oracle_finding){0};
    bool done = trial_run(trial) && oracles[which]->ask(&q);
    spor_program_free(q.y);
    return done;
}

/* ---- one alone ---- */

static void answer_with(spor_answer *answer, const spor_trial *trial, spor_oracle which,
                        const oracle_finding *f) {
    answer->elements = f->asked[which];
    answer->examined = answer->elements > 0;
    answer->proved = f->proved && answer->examined;
    answer->kinks = f->kinks;
    answer->skipped = f->skipped;
    answer->caught = f->failed;
    if (!f->failed) return;
    answer->wrong = f->wrong;
    answer->worst = f->worst.off;
    answer->bound = f->worst.bound;
    snprintf(answer->pair, sizeof answer->pair, "%s", trial->in.pair[f->worst.pair].name);
}

bool spor_ask_oracle(const spor_statement *statement, const int64_t values[], spor_oracle which,
                     const spor_effort *effort, spor_answer *answer) {
    const spor_effort *given = effort ? effort : &(spor_effort){0};
    int64_t proofs = oracle_proofs(given);
    spor_trial trial;
    oracle_finding found = {0};
    oracle_inquiry q = {.trial = &trial, .proofs = &proofs, .finding = &found};
    *answer = (spor_answer){0};
    bool done = trial_make(statement, values, &trial);
    answer->recording = trial.recording;
    if (done && trial.recording == SPOR_BROKEN)
        memcpy(answer->message, trial.in.message, sizeof answer->message);
    if (done && trial.recording == SPOR_RECORDED) {
        done = ask_set(&q, given->seed, 1U << which, true);
        answer_with(answer, &trial, which, &found);
    }
    trial_free(&trial);
    return done;
}
