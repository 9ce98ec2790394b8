/* Sightings: shapes and draws of data at which a wrong statement is looked at. See sighting.h. */
#include "verify/sighting.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"

enum { TRIES = 60 }; /* to find shapes */

/* ---- one shape ---- */

/* A pair of two shapes is kept out of the trial's way. */
static spor_recording record_fitted(void *user, spor_tape *tape, const int64_t value[],
                                    spor_instance *in) {
    sighting *s = user;
    spor_recording done = s->statement->record(s->statement->user, tape, value, in);
    if (done != SPOR_RECORDED || spor_error(tape)) return done;
    for (int k = 0; k < in->pairs; k++) {
        spor_shape formula = spor_shape_of(in->pair[k].formula),
                   expected = spor_shape_of(in->pair[k].expected);
        s->formula[k] = in->pair[k].formula;
        s->misfit[k] = !shape_equal(&formula, &expected);
        if (s->misfit[k]) in->pair[k].formula = in->pair[k].expected;
    }
    return done;
}

void sighting_free(sighting *s) {
    for (int draw = 0; draw < SIGHTING_DRAWS; draw++)
        for (int k = 0; k < SPOR_INPUTS; k++) free(s->data[draw][k]);
    trial_free(&s->trial);
    *s = (sighting){0};
}

/* Keeps a draw of data. */
static bool keep_draw(sighting *s, double *const data[]) {
    for (int k = 0; k < s->trial.in.inputs; k++) {
        int64_t size = trial_size(&s->trial, k);
        double *kept = s->data[s->draws][k] = calloc(1, bytes_for(size + 1, sizeof *kept));
        if (!kept) return false;
        for (int64_t j = 0; j < size; j++) kept[j] = data[k][j];
    }
    s->draws++;
    return true;
}

void sighting_use(sighting *s, int draw) {
    for (int k = 0; k < s->trial.in.inputs; k++)
        for (int64_t j = 0; j < trial_size(&s->trial, k); j++)
            s->trial.data[k][j] = s->data[draw][k][j];
}

/* True if element k of a pair can't be judged by its numbers alone: it lies outside the domain, or
 * at a tie, where other slopes may be right too. */
static bool is_apart(sighting *s, int pair, int64_t k, double formula, bool *done) {
    near_answer answer = NEAR_SMOOTH;
    if (!isfinite(formula) || !trial_inside(&s->trial, pair, k)) return true;
    if (!s->effort->ties_bind) *done = *done && near_ask(&s->trial, pair, k, formula, &answer);
    return answer == NEAR_RIGHT || (answer == NEAR_WRONG && !s->effort->ties_fail);
}

bool sighting_count(sighting *s, int pair, bool apart[], int64_t *count, int64_t *worst) {
    const spor_pair *p = &s->trial.in.pair[pair];
    spor_shape shape = spor_shape_of(p->expected);
    double most = 0;
    bool done = true;
    *count = 0;
    for (int64_t k = 0; k < shape_size(&shape) && done; k++) {
        double a, b, f = trial_value(&s->trial, p->formula, k, &a),
                     e = trial_value(&s->trial, p->expected, k, &b), off = fabs(f - e);
        if (off <= a + b) continue;
        bool out = is_apart(s, pair, k, f, &done) || !isfinite(a + b);
        if (apart) apart[k] = out;
        if (out) continue;
        ++*count;
        if (off <= most) continue;
        most = off;
        *worst = k;
    }
    return done;
}

static bool find_wrong(sighting *s) {
    for (int draw = 0; draw < s->draws; draw++) {
        sighting_use(s, draw);
        if (!trial_run(&s->trial)) return false;
        for (int k = 0; k < s->trial.in.pairs; k++) {
            int64_t worst, count;
            if (!sighting_count(s, k, NULL, &count, &worst)) return false;
            s->wrong[draw][k] = s->misfit[k] || count > 0;
        }
    }
    return true;
}

/* Reals where there are ties or kinks, which whole numbers meet; and within the domain. */
static bool draw_all(sighting *s) {
    static const int families[][SIGHTING_DRAWN] = {
        {POINT_WHOLE, POINT_SLIGHT, POINT_REAL},
        {POINT_REAL, POINT_SLIGHT, POINT_REAL},
        {POINT_WHOLE_WITHIN, POINT_WITHIN, POINT_WITHIN}};
    uint64_t seed = s->effort->seed + 1;
    bool inputs = s->trial.in.inputs > 0;
    int which = inputs && trial_narrow(&s->trial, seed) ? 2 : s->trial.kinked;
    for (int draw = 0; draw < (inputs ? SIGHTING_DRAWN : 1); draw++) {
        trial_draw(&s->trial, seed + (uint64_t)draw, families[which][draw]);
        if (!keep_draw(s, s->trial.data)) return false;
    }
    return true;
}

/* shown: NULL, or a trial at these sizes whose data belong to the draws. */
static bool make_sighting(sighting *s, const sightings *all, const int64_t value[],
                          const spor_trial *shown) {
    *s = (sighting){.statement = all->statement,
                    .effort = all->effort,
                    .fitted = *all->statement,
                    .smallest = shown != NULL};
    s->fitted.record = record_fitted;
    s->fitted.user = s;
    if (!trial_make(&s->fitted, value, &s->trial)) return false;
    s->usable = s->trial.recording == SPOR_RECORDED && s->trial.in.pairs > 0;
    if (!s->usable) return true;
    bool with_data = shown && shown->recording == SPOR_RECORDED && shown->in.inputs;
    s->shown = with_data;
    if (with_data && !keep_draw(s, shown->data)) return false;
    return draw_all(s) && find_wrong(s);
}

int sighting_first_wrong(const sighting *s, int pair) {
    int draw = 0;
    while (draw < s->draws && !s->wrong[draw][pair]) draw++;
    return draw;
}

bool sighting_is_wrong(const sighting *s, int pair) {
    return sighting_first_wrong(s, pair) < s->draws;
}

/* ---- several shapes ---- */

/* A list of numbers is a size like any; another one is named beside the hint, as it is. */
static bool is_list_of_words(const spor_quantity *q) {
    for (int64_t k = 0; q->choices && k <= q->most; k++) {
        char *end;
        strtod(q->choices[k], &end);
        if (end == q->choices[k] || *end) return true;
    }
    return false;
}

/* True if the quantity is known to be no size of an input: a pad, a stride. */
static bool is_no_size(const spor_instance *in, const char *name) {
    bool any = false;
    for (int k = 0; k < in->inputs; k++)
        for (int a = 0; a < SPOR_RANK; a++) {
            if (in->axis[k][a] == name) return false;
            any = any || in->axis[k][a];
        }
    return any;
}

enum { ORDERED = 5, AROUND = 3 }; /* attempts; others are random, not far from the smallest */

static int64_t largest_of(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static int64_t least_of(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* What is not stated as all there is may grow further, as the smallest case may have. */
static int64_t limit_of(const spor_quantity *q, int64_t smallest) {
    int64_t further = smallest + AROUND + 1;
    return q->choices || q->stated ? q->most : largest_of(q->most, further);
}

/* A value of quantity k near the smallest case's, at random. */
static int64_t any_value(const spor_quantity *q, int64_t smallest, uint64_t key) {
    int64_t from = q->choices ? q->least : largest_of(q->least, smallest - AROUND);
    int64_t to = q->choices ? q->most : least_of(limit_of(q, smallest), smallest + AROUND + 1);
    return from + (int64_t)(key % ((uint64_t)(to - from) + 1));
}

/* A little more than the smallest case, all sizes alike, then any. */
static int64_t size_to_try(const spor_quantity *q, int k, int64_t smallest, int attempt,
                           uint64_t key) {
    const int64_t ordered[ORDERED] = {smallest + 2 + k % 2, smallest + 1 + (k + 1) % 2, 3, 2, 4};
    int64_t size = attempt < ORDERED ? ordered[attempt] : any_value(q, smallest, key);
    return largest_of(q->least, least_of(limit_of(q, smallest), size));
}

static void choose_sizes(const sightings *all, const spor_trial *smallest, int attempt,
                         int64_t value[]) {
    for (int k = 0; k < all->statement->quantities; k++) {
        const spor_quantity *q = &all->statement->quantity[k];
        uint64_t key = random_hash(all->effort->seed, (uint64_t)attempt, (uint64_t)k);
        bool stays = attempt < ORDERED && is_no_size(&smallest->in, q->name);
        if (is_list_of_words(q) || stays)
            value[k] = smallest->value[k];
        else if (q->choices)
            value[k] = any_value(q, smallest->value[k], key);
        else
            value[k] = size_to_try(q, k, smallest->value[k], attempt, key);
    }
}

static bool is_new(const sightings *all, const int64_t value[]) {
    size_t size = (size_t)all->statement->quantities * sizeof *value;
    for (int k = 0; k < all->count; k++)
        if (!memcmp(all->seen[k].trial.value, value, size)) return false;
    return true;
}

/* Shapes where something is wrong are wanted, and at most two where nothing is. */
static bool is_wanted(const sighting *s, int *right) {
    bool wrong = false;
    if (!s->usable) return false;
    for (int k = 0; k < s->trial.in.pairs; k++) wrong = wrong || sighting_is_wrong(s, k);
    if (!wrong && *right == 2) return false;
    *right += !wrong;
    return true;
}

bool sightings_find(sightings *all, const spor_trial *smallest) {
    int64_t value[SPOR_QUANTITIES];
    int right = 0;
    size_t size = (size_t)all->statement->quantities * sizeof *value;
    for (int attempt = 0; attempt < TRIES && all->count < SIGHTINGS; attempt++) {
        sighting *next = &all->seen[all->count];
        choose_sizes(all, smallest, attempt, value);
        if (!memcmp(value, smallest->value, size) || !is_new(all, value)) continue;
        bool done = make_sighting(next, all, value, NULL);
        if (done && is_wanted(next, &right))
            all->count++;
        else
            sighting_free(next);
        if (!done) return false;
    }
    sighting *last = &all->seen[all->count];
    if (!make_sighting(last, all, smallest->value, smallest)) return sighting_free(last), false;
    if (last->usable)
        all->count++;
    else
        sighting_free(last);
    return true;
}
