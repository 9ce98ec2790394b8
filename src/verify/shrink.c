/* Shrinking: the smallest sizes, then the simplest data, that still fail. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/oracle.h"

enum { MANY_ELEMENTS = 400 };

/* What sizes are tried with: all of them share the tuples of unit tensors, lest each has as many as a
 * search; and what was found without looking for it is found so again. */
typedef struct {
    const spor_statement *statement;
    const spor_effort *effort;
    int64_t proofs;
    bool sought;
    spor_dispute dispute;
} shrinking;

/* A failing trial, its data set so that it fails; *sought: it was looked for, if it may be. */
static bool fails_at(const spor_statement *statement, const int64_t value[],
                     const spor_effort *effort, int64_t *proofs, bool *sought, spor_trial *trial,
                     oracle_finding *finding, bool *failed) {
    bool may = *sought;
    *sought = false;
    *finding = (oracle_finding){0};
    *failed = false;
    if (!trial_make(statement, value, trial)) return false;
    if (trial->recording == SPOR_BROKEN) {
        finding->dispute = SPOR_DOES_NOT_RECORD;
        *failed = true;
    }
    if (trial->recording != SPOR_RECORDED) return true;
    if (!oracle_examine(trial, effort, proofs, finding)) return false;
    /* as the search may have done, for what it met at other shapes */
    *sought = may && !finding->failed;
    if (*sought && !oracle_seek(trial, effort, finding)) return false;
    *failed = finding->failed;
    return true;
}

/* As the search has found it: with all it may try. */
static bool fails_again(const shrinking *s, const int64_t value[], bool *sought, spor_trial *trial,
                        oracle_finding *finding, bool *failed) {
    int64_t proofs = oracle_proofs(s->effort);
    *sought = true;
    return fails_at(s->statement, value, s->effort, &proofs, sought, trial, finding, failed);
}

/* True if the statement still fails with the same dispute after quantity k took the value. */
static bool try_value(shrinking *s, int64_t value[], int k, int64_t smaller, bool *done) {
    int64_t before = value[k];
    spor_trial trial;
    oracle_finding finding;
    bool failed = false, sought = s->sought;
    value[k] = smaller;
    *done =
        fails_at(s->statement, value, s->effort, &s->proofs, &sought, &trial, &finding, &failed);
    trial_free(&trial);
    if (*done && failed && finding.dispute == s->dispute) return true;
    value[k] = before;
    return false;
}

/* Each quantity as far down as it goes, again and again until none moves. */
static bool shrink_sizes(shrinking *s, int64_t value[]) {
    bool moved = true, done = true;
    while (moved && done) {
        moved = false;
        for (int k = 0; k < s->statement->quantities && done; k++)
            for (int64_t v = s->statement->quantity[k].least; v < value[k] && done; v++)
                if (try_value(s, value, k, v, &done)) {
                    moved = true;
                    break;
                }
    }
    return done;
}

/* ---- data ---- */

/* Asks again at the trial's data: formula against tape, or who found the tape wrong. */
static bool still_fails(spor_trial *trial, const spor_effort *effort, const oracle_finding *was,
                        oracle_finding *now, bool *done) {
    spor_oracle by = was->dispute == SPOR_FORMULA_TAPE ? SPOR_BY_BOUNDS : was->by;
    const oracle_element *a = &was->worst, *b = &now->worst;
    *done = oracle_at_data(trial, by, effort, now);
    if (!*done || !now->failed || b->pair != a->pair) return false;
    /* keep a true value that is a number and not zero */
    return (a->expected == 0 || b->expected != 0) &&
           (isfinite(b->expected) || !isfinite(a->expected));
}

static bool shrink_element(spor_trial *trial, const spor_effort *effort, double *element,
                           oracle_finding *finding) {
    const double simpler[] = {0, 1, -1, 2};
    double before = *element;
    bool done = true;
    for (size_t k = 0; k < sizeof simpler / sizeof *simpler && done; k++) {
        oracle_finding now;
        if (before == simpler[k]) break;
        *element = simpler[k];
        if (still_fails(trial, effort, finding, &now, &done)) {
            *finding = now;
            return true;
        }
    }
    *element = before;
    return done;
}

static bool shrink_data(spor_trial *trial, const spor_effort *effort, oracle_finding *finding) {
    int64_t seen = 0;
    bool done = true;
    for (int k = 0; k < trial->in.inputs; k++) {
        if (trial->in.range[k].kind) continue; /* simpler numbers may not be meant */
        for (int64_t j = 0; j < trial_size(trial, k) && done && seen < MANY_ELEMENTS; j++, seen++)
            done = shrink_element(trial, effort, &trial->data[k][j], finding);
    }
    oracle_finding now;
    bool again = done && still_fails(trial, effort, finding, &now, &done);
    if (again) *finding = now;
    return done;
}

/* ---- the case ---- */

/* "A + B", an index of which would look like one of B. */
static bool is_compound(const char *name) {
    int depth = 0;
    for (; *name; name++) {
        depth += (*name == '(' || *name == '[') - (*name == ')' || *name == ']');
        if (*name == ' ' && !depth) return true;
    }
    return false;
}

static void describe(const spor_trial *trial, const oracle_finding *finding,
                     spor_counterexample *example) {
    example->dispute = finding->dispute;
    memcpy(example->value, trial->value, sizeof example->value);
    if (finding->dispute == SPOR_DOES_NOT_RECORD) {
        example->misfit = trial->misfit;
        snprintf(example->message, sizeof example->message, "%s", trial->in.message);
        return;
    }
    const oracle_element *worst = &finding->worst;
    const spor_pair *pair = &trial->in.pair[worst->pair];
    bool compound = is_compound(pair->name) && spor_shape_of(pair->expected).rank;
    snprintf(example->pair_name, sizeof example->pair_name, compound ? "(%.60s)" : "%.62s",
             pair->name);
    snprintf(example->pair_note, sizeof example->pair_note, "%s", pair->note ? pair->note : "");
    example->shape = spor_shape_of(pair->expected);
    shape_unravel(&example->shape, worst->at, example->index);
    example->formula = isnan(worst->formula) ? (double)NAN : worst->formula; /* without a sign */
    example->expected = worst->expected;
    example->oracle = worst->oracle;
    example->by = finding->by;
    example->bound = worst->bound;
    example->ulps = verdict_ulps(worst->formula, worst->expected, SPOR_F64);
    example->wrong = finding->wrong;
    example->elements = shape_size(&example->shape);
    trial_write(trial, example->data, sizeof example->data);
    snprintf(example->message, sizeof example->message, "%s", worst->why);
}

/* The third number for a dispute between formula and tape. */
static bool ask_complex_step(spor_trial *trial, oracle_finding *finding) {
    oracle_element *worst = &finding->worst, seen;
    if (finding->dispute != SPOR_FORMULA_TAPE || trial->in.pair[worst->pair].wrt < 0) return true;
    if (!steps_start(trial)) return true;
    if (!steps_at(trial, worst->pair, worst->at, &seen)) return false;
    if (seen.off <= seen.bound) return true;
    worst->oracle = seen.oracle;
    finding->by = SPOR_BY_COMPLEX_STEP;
    return true;
}

bool shrink_failure(const spor_statement *statement, const int64_t failing[],
                    const spor_effort *effort, spor_verdict *verdict) {
    int64_t value[SPOR_QUANTITIES];
    spor_counterexample *example = &verdict->example;
    spor_trial trial;
    oracle_finding finding;
    bool failed, sought;
    shrinking s = {.statement = statement, .effort = effort, .proofs = oracle_proofs(effort)};
    verdict->outcome = SPOR_FAILS;
    *example = (spor_counterexample){0};
    memcpy(value, failing, (size_t)statement->quantities * sizeof *value);
    /* what does not fail again was no fault: memory ran out the first time */
    bool done = fails_again(&s, value, &s.sought, &trial, &finding, &failed) && failed;
    trial_free(&trial);
    s.dispute = finding.dispute;
    if (!done || !shrink_sizes(&s, value)) return false;
    done = fails_again(&s, value, &sought, &trial, &finding, &failed) && failed;
    if (done && finding.dispute != SPOR_DOES_NOT_RECORD)
        done = shrink_data(&trial, effort, &finding) && ask_complex_step(&trial, &finding);
    if (done) describe(&trial, &finding, example);
    if (done && finding.dispute != SPOR_TAPE_ORACLE)
        done =
            hint_describe(&trial, finding.dispute == SPOR_DOES_NOT_RECORD ? -1 : finding.worst.pair,
                          effort, example);
    trial_free(&trial);
    return done;
}
