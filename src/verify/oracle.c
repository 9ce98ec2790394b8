/* The table of oracles, and the one loop that asks them. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "verify/oracle.h"

enum { DEFAULT_PROOFS = 20000 };

static const oracle *const oracles[SPOR_ORACLES] = {
    [SPOR_BY_INTEGERS] = &oracle_integers,
    [SPOR_BY_BOUNDS] = &oracle_bounds,
    [SPOR_BY_ADJOINT] = &oracle_adjoint,
    [SPOR_BY_UNITS] = &oracle_units,
    [SPOR_BY_COMPLEX_STEP] = &oracle_complex_step,
    [SPOR_BY_DIFFERENCES] = &oracle_differences,
    [SPOR_BY_FIELD] = &oracle_field,
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
    if (!first && !(e->off > f->worst.off) && !isnan(e->off)) return;
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

/* ---- what keeps an element from being judged ---- */

/* A formula that is no number where the truth is one. Outside the domain, and where a number on the
 * way has only grown too large, that says nothing. */
static bool is_undefined(oracle_inquiry *q, oracle_element *e) {
    spor_trial *trial = q->trial;
    if (!trial_inquire(trial, e->pair)) q->out_of_memory = true;
    if (trial->undefined) memcpy(e->why, trial->why, sizeof e->why);
    return trial->undefined;
}

/* A bound that is no finite number says that the difference may be anything. */
static bool decides_nothing(oracle_inquiry *q, oracle_element *e) {
    double truth = isnan(e->oracle) ? e->expected : e->oracle;
    if (!isfinite(e->formula) && isfinite(truth)) return !is_undefined(q, e);
    return !isfinite(e->bound);
}

/* Does the formula follow another convention at a tie? Where it is not held against the tape: does
 * the other oracle, and the formula too? */
static near_answer ask_near(oracle_inquiry *q, const oracle_element *e) {
    near_answer formula = NEAR_SMOOTH, other = NEAR_SMOOTH;
    bool by_tape = oracles[q->by]->dispute == SPOR_FORMULA_TAPE;
    if (q->effort->ties_bind && by_tape) return formula;
    bool done = near_ask(q->trial, e->pair, e->at, e->formula, &formula);
    if (done && !by_tape) done = near_ask(q->trial, e->pair, e->at, e->oracle, &other);
    q->out_of_memory = q->out_of_memory || !done;
    return by_tape || formula >= NEAR_WRONG ? formula : other;
}

/* Not to be judged as others are: at a tie what is another slope passes, and what is none is left
 * for later, when nothing else was found. */
static bool is_apart(oracle_inquiry *q, const oracle_element *e, bool by_tape) {
    near_answer answer = ask_near(q, e);
    if (answer == NEAR_SMOOTH || (answer == NEAR_WRONG && q->effort->ties_fail)) return false;
    oracle_finding *f = q->finding;
    int64_t *const counted[] = {[NEAR_RIGHT] = &f->ties,
                                [NEAR_WRONG] = &f->ties_wrong,
                                [NEAR_UNKNOWN] = &f->undecided,
                                [NEAR_UNSEEN] = &f->undecided};
    if (by_tape) ++*counted[answer];
    f->jumps += by_tape && answer == NEAR_RIGHT && near_jumps(q->trial);
    return true;
}

bool oracle_judge(oracle_inquiry *q, const oracle_element *given) {
    oracle_element e = *given;
    oracle_finding *f = q->finding;
    bool by_tape = oracles[q->by]->dispute == SPOR_FORMULA_TAPE;
    if (q->out_of_memory) return false;
    if (!trial_inside(q->trial, e.pair, e.at)) {
        f->outside += by_tape;
        return true;
    }
    if (decides_nothing(q, &e)) {
        f->undecided += by_tape;
        return true;
    }
    bool passed = e.off <= e.bound;
    if (!passed && is_apart(q, &e, by_tape)) return true;
    f->asked[q->by]++;
    if (by_tape) count_value(f, &e);
    if (!passed) keep_worst(q, &e);
    return passed;
}

/* ---- asking ---- */

static bool is_asked(int which, unsigned set, int point) {
    return (set >> which & 1) && (oracles[which]->at >> point & 1);
}

/* True if the trial has such points: constants to be met, operands that are narrowed. Without inputs
 * all points are one. */
static bool has_point(oracle_inquiry *q, uint64_t seed, int point) {
    spor_trial *trial = q->trial;
    if (!trial->in.inputs) return point == 0;
    if (point == POINT_CONSTANTS || point == POINT_BEYOND) return trial->points.constants > 0;
    if (point == POINT_WHOLE_WITHIN && !q->narrowing_sought) {
        q->narrowing_sought = true;
        q->narrowed = trial_narrow(trial, seed);
    }
    if (q->narrowed && point == POINT_WITHIN)
        for (int k = 0; k < trial->in.inputs; k++)
            q->finding->narrowed[k] = trial->narrow[k] != POINT_NOT_NARROW;
    return q->narrowed || (point != POINT_WHOLE_WITHIN && point != POINT_WITHIN);
}

/* Brings the trial to a point, if an oracle of the set is asked there. */
static bool prepare(oracle_inquiry *q, uint64_t seed, unsigned set, int point, bool *asked) {
    *asked = false;
    for (int k = 0; k < SPOR_ORACLES; k++) *asked = *asked || is_asked(k, set, point);
    *asked = *asked && has_point(q, seed, point);
    if (!*asked || point == POINT_FAMILIES) return true;
    trial_draw(q->trial, seed, point);
    return trial_run(q->trial) && trial_watch(q->trial);
}

/* Other sizes, other numbers. */
static uint64_t seed_of(const spor_trial *trial, uint64_t seed) {
    for (int k = 0; k < trial->statement->quantities; k++)
        seed = random_hash(seed, (uint64_t)trial->value[k], (uint64_t)k);
    return seed;
}

enum { DRAWS = 8 }; /* of a family, at most */

/* How often a family is drawn: a point of few numbers shows little, and less of what is to come together. */
static int draws_of(const spor_trial *trial, int point) {
    const int64_t wanted = point == POINT_BEYOND ? 512 : 32;
    int64_t numbers = 1;
    if (point == POINT_FAMILIES || !trial->in.inputs) return 1;
    for (int k = 0; k < trial->in.inputs; k++) numbers += trial_size(trial, k);
    int64_t draws = wanted / numbers;
    return draws < 1 ? 1 : draws > DRAWS ? DRAWS : (int)draws;
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

static bool ask_point(oracle_inquiry *q, uint64_t seed, unsigned set, int point) {
    bool asked, done = prepare(q, seed, set, point, &asked);
    return !done || !asked ? done : ask_here(q, set, point) && !q->out_of_memory;
}

/* All points in turn; up to the first that fails unless `throughout`. */
static bool ask_set(oracle_inquiry *q, uint64_t seed, unsigned set, bool throughout) {
    bool done = true, stopped = false;
    seed = seed_of(q->trial, seed);
    for (int point = 0; point < ORACLE_POINTS && done && !stopped; point++)
        for (int k = 0; k < draws_of(q->trial, point) && done && !stopped; k++) {
            done = ask_point(q, seed + (uint64_t)k, set, point);
            stopped = q->finding->failed && !throughout;
        }
    spor_program_free(q->y);
    return done;
}

static oracle_inquiry inquiry_of(spor_trial *trial, const spor_effort *effort,
                                 oracle_finding *finding) {
    static const spor_effort usual = {0};
    *finding = (oracle_finding){0};
    return (oracle_inquiry){.trial = trial, .effort = effort ? effort : &usual, .finding = finding};
}

static unsigned set_of_search(void) {
    unsigned set = 0;
    for (int k = 0; k < SPOR_ORACLES; k++) set |= (unsigned)oracles[k]->in_search << k;
    return set;
}

bool oracle_examine(spor_trial *trial, const spor_effort *effort, int64_t *proofs,
                    oracle_finding *finding) {
    oracle_inquiry q = inquiry_of(trial, effort, finding);
    q.proofs = proofs;
    return ask_set(&q, effort->seed, set_of_search(), false);
}

bool oracle_seek(spor_trial *trial, const spor_effort *effort, oracle_finding *finding) {
    enum { LEAST = -10, MOST = 10, TIMES = 8 };
    oracle_inquiry q = inquiry_of(trial, effort, finding);
    uint64_t seed = seed_of(trial, effort->seed);
    unsigned set = set_of_search();
    bool done = true;
    for (int power = LEAST; power <= MOST && done; power++)
        for (int cotangents = 0; cotangents <= (trial->in.y.id != 0) && done && !finding->failed;
             cotangents++) {
            trial->scale = cotangents ? 1 : ldexp(1, power);
            trial->scale_dy = cotangents ? ldexp(1, power) : 1;
            done = ask_point(&q, seed, set, POINT_REAL);
        }
    trial->scale = trial->scale_dy = 1;
    for (uint64_t k = 1; k <= TIMES && done && !finding->failed; k++)
        done = ask_point(&q, seed + DRAWS + k, set, POINT_CONSTANTS) &&
               (finding->failed || ask_point(&q, seed + DRAWS + k, set, POINT_BEYOND));
    spor_program_free(q.y);
    return done;
}

bool oracle_at_data(spor_trial *trial, spor_oracle which, const spor_effort *effort,
                    oracle_finding *finding) {
    oracle_inquiry q = inquiry_of(trial, effort, finding);
    q.by = which;
    q.point = POINT_REAL;
    bool done = trial_run(trial) && oracles[which]->ask(&q) && !q.out_of_memory;
    spor_program_free(q.y);
    return done;
}

/* ---- one alone ---- */

static void answer_with(spor_answer *answer, const spor_trial *trial, spor_oracle which,
                        const oracle_finding *f) {
    answer->elements = f->asked[which];
    answer->examined = answer->elements > 0;
    answer->proved = f->proved && answer->examined;
    answer->identity = oracle_has_identity(f);
    answer->chance = f->chance;
    answer->not_shown = f->not_shown > 0;
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
    spor_effort given = effort ? *effort : (spor_effort){0};
    int64_t proofs = oracle_proofs(&given);
    spor_trial trial;
    oracle_finding found;
    if (!answer) return false;
    *answer = (spor_answer){0};
    if (!statement || !statement->record || !values) return false;
    given.ties_fail = true;
    oracle_inquiry q = inquiry_of(&trial, &given, &found);
    q.proofs = &proofs;
    bool done = trial_make(statement, values, &trial);
    answer->recording = trial.recording;
    if (done && trial.recording == SPOR_BROKEN)
        memcpy(answer->message, trial.in.message, sizeof answer->message);
    if (done && trial.recording == SPOR_RECORDED) {
        done = ask_set(&q, given.seed, 1U << which, true);
        answer_with(answer, &trial, which, &found);
    }
    trial_free(&trial);
    return done;
}
