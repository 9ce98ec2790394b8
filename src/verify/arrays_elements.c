/*
 * Arrays element by element: right, wrong or neither. See <spor/verify.h>.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "verify/arrays.h"

/* Other code may be off by so many times the definition's own error. */
static const double margin = 8;
/* In units of u m: the least error that runs are credited with, so that one of few operations that
 * happens to be exact is no measure; and what other algebra may do at worst. */
static const double least_error = 0x1p-4, other_algebra = 16;
/* Relative to the array's root mean square an allowance must be below this; of an array that is 0
 * but for rounding, relative to the other arrays. */
static const double decided = 0.01, decided_zero = 0x1p-30;

/* What numbers are stored in: the roundoff, the distance of the smallest ones, the largest one. */
static const struct {
    double unit, least, most;
} stored_in[SPOR_STORED_KINDS] = {
    [SPOR_STORED_AS_COMPUTED] = {0, 0, HUGE_VAL},
    [SPOR_STORED_F16] = {0x1p-11, 0x1p-24, 65504},
    [SPOR_STORED_BF16] = {0x1p-8, 0x1p-133, 0x1.fep127},
};

/* ---- measuring ---- */

static double units_of(const sampled *truth) {
    double error = sampled_error(truth);
    return error > 0 ? error / truth->m : 0;
}

/* True of an array that is 0 but for the rounding of our own double. */
static bool is_as_good_as_zero(const arrays_claim *c) {
    for (int64_t i = 0; i < c->size; i++)
        if (fabs(c->truth[i].v) > 0x1p-47 * c->error * c->truth[i].m) return false;
    return true;
}

static void measure(judgement *j, int k) {
    arrays_claim *c = &j->claim[k];
    int64_t known = 0;
    c->claim = &j->given->claim[k];
    c->shape = spor_shape_of(c->expected);
    c->size = shape_size(&c->shape);
    c->truth = spor_program_arg(j->runs, c->expected).data;
    c->error = least_error;
    c->unit = fmax(j->unit, stored_in[c->claim->stored].unit);
    for (int64_t i = 0; i < c->size; i++) {
        if (!sampled_is_known(&c->truth[i])) continue;
        c->error = fmax(c->error, units_of(&c->truth[i]));
        c->largest = fmax(c->largest, sampled_error(&c->truth[i]));
        c->rms += c->truth[i].v * c->truth[i].v;
        known++;
    }
    c->rms = known ? sqrt(c->rms / (double)known) : 0;
}

static double own_allowance(const judgement *j, const arrays_claim *c, int64_t i);

/* The largest of the elements' own allowances, where they share what is rounded. */
static void measure_shared(const judgement *j, arrays_claim *c) {
    for (int64_t i = 0; j->given->norm_wise && i < c->size; i++)
        if (sampled_is_known(&c->truth[i])) c->shared = fmax(c->shared, own_allowance(j, c, i));
}

void arrays_measure(judgement *j) {
    double scale = 0;
    for (int k = 0; k < j->given->claims; k++) measure(j, k);
    for (int k = 0; k < j->given->claims; k++) measure_shared(j, &j->claim[k]);
    for (int k = 0; k < j->given->claims; k++) scale = fmax(scale, j->claim[k].rms);
    for (int k = 0; k < j->given->claims; k++) {
        arrays_claim *c = &j->claim[k];
        c->decisive = is_as_good_as_zero(c) ? decided_zero * scale : decided * c->rms;
    }
}

/* ---- one element ---- */

/* What is too small for full precision loses last places of the smallest numbers. */
static double with_smallest(const judgement *j, double allowed) {
    return allowed + (j->unit > 0x1p-50 ? 0x1p-140 : 0x1p-1065);
}

/* What other code may be off by: as much as the runs, by the magnitude of the terms, but not more
 * than they are anywhere; and a rounding or two. */
static double own_allowance(const judgement *j, const arrays_claim *c, int64_t i) {
    const sampled *at = &c->truth[i];
    double least = fmax(least_error * at->m, fabs(at->v) / 4);
    if (sampled_is_exact(at)) return 0;
    return with_smallest(j, margin * j->unit * fmax(fmin(c->error * at->m, c->largest), least));
}

static double allowed_at(const judgement *j, const arrays_claim *c, int64_t i) {
    return fmax(own_allowance(j, c, i), c->shared);
}

/* Half the distance of two neighbours around x as the claim is stored. */
static double stored_rounding(const arrays_claim *c, double x) {
    int exponent;
    frexp(x, &exponent);
    return fmax(ldexp(stored_in[c->claim->stored].unit, exponent - 1),
                stored_in[c->claim->stored].least / 2);
}

/* What an element that was off by so much is off by once it is stored: what is exact and held is not rounded. */
static double once_stored(const arrays_claim *c, int64_t i, double allowed) {
    double v = c->truth[i].v, half = stored_rounding(c, fabs(v) + allowed);
    bool held = allowed <= 0 && (half <= 0 || fabs(fmod(v, 2 * half)) <= 0);
    return held ? 0 : allowed + half;
}

double arrays_right_at(const judgement *j, const arrays_claim *c, int64_t i) {
    return once_stored(c, i, allowed_at(j, c, i));
}

/* What rounding can explain at all. Our own double is off by as much in its unit. */
static double explained_at(judgement *j, const arrays_claim *c, int64_t i) {
    double error, own = 1 + 0x1p-53 / j->unit;
    rounding_value(j->worst, c->expected, i, &error);
    if (sampled_is_exact(&c->truth[i]))
        return fmax(error > 0 ? with_smallest(j, own * error) : 0, 2 * c->shared);
    double other = fmax(2 * allowed_at(j, c, i), other_algebra * j->unit * c->truth[i].m);
    return isnan(error) ? HUGE_VAL : fmax(with_smallest(j, own * error), other);
}

/* The number that a share, or units in the last place, are of. */
static double base_at(const arrays_claim *c, int64_t i) {
    return fmax(fabs(c->truth[i].v), c->rms);
}

static double ulp_of(const arrays_claim *c, double base) {
    int exponent;
    frexp(base, &exponent);
    return ldexp(c->unit, exponent);
}

/* What the user allows; negative if nothing. */
static double tolerance_at(const judgement *j, const arrays_claim *c, int64_t i) {
    double base = base_at(c, i), rtol = j->given->rtol, ulps = j->given->ulps;
    if (!(rtol > 0) && !(ulps > 0)) return -1;
    return fmax(rtol * base, ulps * ulp_of(c, base));
}

/* The largest number that it is computed in. */
static double computed_most(const judgement *j) {
    return j->unit > 0x1p-50 ? (double)FLT_MAX : DBL_MAX;
}

/* The largest number that the claim can have. */
static double kept_most(const judgement *j, const arrays_claim *c) {
    return fmin(computed_most(j), stored_in[c->claim->stored].most);
}

/* True if what element i must be is a number, and not too large for what it is kept in. */
static bool is_representable(const judgement *j, const arrays_claim *c, int64_t i) {
    return fabs(c->truth[i].v) <= kept_most(j, c);
}

/* A number by how far it is off, where the right one is known; worst as judge_at has it. */
static finding judge_number(judgement *j, const arrays_claim *c, int64_t i, bool *worst) {
    double off = fabs(c->claim->claimed[i] - c->truth[i].v);
    double allowed = allowed_at(j, c, i), tolerance = tolerance_at(j, c, i);
    if (off <= once_stored(c, i, allowed)) return allowed <= c->decisive ? RIGHT : UNDECIDED;
    if (tolerance >= 0) return off <= tolerance ? SETTLED : WRONG;
    *worst = !j->worst;
    return !*worst && off > once_stored(c, i, explained_at(j, c, i)) ? WRONG : BETWEEN;
}

/* Where the right number is known and too large to be kept, none is right. What becomes of it, an
 * infinity or the largest number there is, is excused, and so is what rounding explains; no other
 * number is. What is too large even to be computed may have become any infinity, or NaN, on the
 * way, or have lost much, but it is no number that is far off. */
static finding judge_too_large(judgement *j, const arrays_claim *c, int64_t i, bool *worst) {
    double v = c->truth[i].v, claimed = c->claim->claimed[i];
    bool computed = fabs(v) <= computed_most(j), sign_differs = signbit(claimed) != signbit(v);
    if (!isfinite(claimed)) return computed && (isnan(claimed) || sign_differs) ? WRONG : UNDECIDED;
    if (!sign_differs && fabs(claimed) == kept_most(j, c)) return UNDECIDED;
    if (!computed && fabs(claimed - v) <= fabs(v) / 2) return UNDECIDED;
    return judge_number(j, c, i, worst) == WRONG ? WRONG : UNDECIDED;
}

/* Judges element i; worst: it has to be held against the worst case, which is not there yet. */
static finding judge_at(judgement *j, const arrays_claim *c, int64_t i, bool *worst) {
    const sampled *at = &c->truth[i];
    bool known = sampled_is_known(at);
    if (!known && !j->finite) return EXEMPT;
    if (!is_representable(j, c, i))
        return known && isfinite(at->v) ? judge_too_large(j, c, i, worst) : UNDECIDED;
    if (!isfinite(c->claim->claimed[i])) return WRONG;
    return known ? judge_number(j, c, i, worst) : UNDECIDED;
}

/* ---- all elements ---- */

bool arrays_find_one(judgement *j, arrays_claim *c, int64_t i) {
    bool worst = false;
    c->found[i] = judge_at(j, c, i, &worst);
    if (worst && !arrays_prepare_worst(j)) return false;
    if (worst) c->found[i] = judge_at(j, c, i, &worst);
    return true;
}

static bool find(judgement *j, arrays_claim *c) {
    bool done = (c->found = malloc(bytes_for(c->size + 1, sizeof *c->found)));
    for (int64_t i = 0; done && i < c->size; i++) done = arrays_find_one(j, c, i);
    return done;
}

bool arrays_find(judgement *j) {
    for (int k = 0; k < j->given->claims; k++)
        if (!find(j, &j->claim[k])) return false;
    return true;
}

/* ---- one claim ---- */

/* Where elements lie: from the first to the last index along each axis. */
typedef struct {
    int64_t count, from[SPOR_RANK], to[SPOR_RANK];
} region;

static void region_add(region *r, const spor_shape *shape, int64_t i) {
    int64_t index[SPOR_RANK];
    shape_unravel(shape, i, index);
    for (int k = 0; k < shape->rank; k++) {
        r->from[k] = !r->count || index[k] < r->from[k] ? index[k] : r->from[k];
        r->to[k] = !r->count || index[k] > r->to[k] ? index[k] : r->to[k];
    }
    r->count++;
}

/* "dx[4..7, 0..63]" */
static void region_print(const region *r, const arrays_claim *c, char *text, size_t size) {
    FILE *out = r->count ? fmemopen(text, size, "w") : NULL;
    if (!out) return;
    fprintf(out, "%.40s", c->claim->name);
    for (int k = 0; k < c->shape.rank; k++) {
        fprintf(out, "%s%" PRId64, k ? ", " : "[", r->from[k]);
        if (r->to[k] > r->from[k]) fprintf(out, "..%" PRId64, r->to[k]);
    }
    if (c->shape.rank) fputc(']', out);
    fclose(out);
}

/* The elements of a claim so far. */
typedef struct {
    const arrays_claim *c;
    spor_verdict *v;
    region unjudged;
    int64_t worst, open; /* the most wrong one, the farthest between; -1: none */
} count;

static double off_at(const arrays_claim *c, int64_t i) {
    return fabs(c->claim->claimed[i] - c->truth[i].v);
}

/* Of one that passed. */
static void count_right(const judgement *j, count *n, int64_t i) {
    double off = off_at(n->c, i), allowed = arrays_right_at(j, n->c, i);
    spor_array_figures *a = &n->v->arrays;
    n->v->comparisons++;
    n->v->nonzero += n->c->truth[i].v != 0;
    n->v->exact += allowed == 0;
    if (allowed > 0) n->v->closest = fmax(n->v->closest, off / allowed);
    a->off = fmax(a->off, off);
    a->allowed = fmax(a->allowed, allowed);
    a->runs = fmax(a->runs, j->unit * sampled_error(&n->c->truth[i]));
}

static void count_between(count *n, int64_t i) {
    double off = off_at(n->c, i), base = base_at(n->c, i);
    spor_array_figures *a = &n->v->arrays;
    a->between++;
    a->ulps = fmax(a->ulps, ceil(off / ulp_of(n->c, base)));
    a->rtol = fmax(a->rtol, 1.05 * off / base); /* it is printed with two digits */
    if (n->open < 0 || off > off_at(n->c, n->open)) n->open = i;
}

static void count_one(const judgement *j, count *n, int64_t i, finding found) {
    if (found == RIGHT || found == SETTLED) count_right(j, n, i);
    n->v->arrays.settled += found == SETTLED;
    n->v->ties += found == AT_TIE;
    n->v->jumps += found == AT_TIE && near_jumps(&j->trial);
    n->v->comparisons += found == AT_TIE;
    n->v->undecided += found == UNDECIDED || found == UNCLEAR;
    n->v->arrays.unclear += found == UNCLEAR;
    n->v->arrays.undefined += found == UNDECIDED && !is_representable(j, n->c, i);
    n->v->arrays.exempt += found == EXEMPT;
    if (found >= UNDECIDED && found <= EXEMPT) region_add(&n->unjudged, &n->c->shape, i);
    n->v->arrays.unseen += found == UNSEEN;
    if (found == BETWEEN || found == UNSEEN) count_between(n, i);
    if (found != WRONG) return;
    n->v->comparisons++;
    n->v->nonzero += n->c->truth[i].v != 0;
    n->v->example.wrong++;
    if (n->worst < 0 || !(off_at(n->c, i) <= off_at(n->c, n->worst))) n->worst = i;
}

/* What a picture shows of an element. */
static double shown_off(const arrays_claim *c, int64_t i, finding found) {
    if (found == RIGHT || found == SETTLED || found == AT_TIE) return 0;
    if (found != WRONG) return (double)NAN;
    double off = off_at(c, i), base = base_at(c, i);
    return isfinite(off) && base > 0 ? fmax(off / base, 0x1p-60) : HUGE_VAL;
}

/* Room for a picture, if it is wanted. */
static bool take_off(judgement *j, const arrays_claim *c, double **off) {
    int k = (int)(c - j->claim);
    *off = NULL;
    if (!j->off) return true;
    free(j->off[k]);
    *off = j->off[k] = malloc(bytes_for(c->size + 1, sizeof **off));
    return *off != NULL;
}

static bool count_all(judgement *j, count *n) {
    double *off;
    if (!take_off(j, n->c, &off)) return false;
    for (int64_t i = 0; i < n->c->size; i++) {
        count_one(j, n, i, n->c->found[i]);
        if (off) off[i] = shown_off(n->c, i, n->c->found[i]);
    }
    region_print(&n->unjudged, n->c, n->v->arrays.unjudged, sizeof n->v->arrays.unjudged);
    return true;
}

/* ---- its example ---- */

static void describe(judgement *j, const arrays_claim *c, int64_t at, spor_verdict *v) {
    spor_counterexample *e = &v->example;
    snprintf(e->pair_name, sizeof e->pair_name, "%s", c->claim->name);
    e->shape = c->shape;
    shape_unravel(&e->shape, at, e->index);
    e->formula = c->claim->claimed[at];
    e->expected = c->truth[at].v;
    e->bound = arrays_right_at(j, c, at);
    v->arrays.worst_case = j->worst ? once_stored(c, at, explained_at(j, c, at)) : e->bound;
    if (v->example.wrong && j->worst) e->bound = v->arrays.worst_case;
    e->bound = fmax(e->bound, tolerance_at(j, c, at));
    e->ulps = verdict_ulps(e->formula, e->expected, j->given->arithmetic) * j->unit / c->unit;
    e->elements = c->size;
    trial_write(&j->trial, e->data, sizeof e->data);
}

/* True if the claim is right but for what was there before. */
static bool forgets_before(const judgement *j, const arrays_claim *c, const double expected[]) {
    bool forgets = c->claim->before != NULL;
    for (int64_t i = 0; forgets && i < c->size; i++) {
        double allowed = allowed_at(j, c, i);
        allowed += stored_rounding(c, fabs(expected[i]) + allowed);
        forgets = fabs(c->claim->claimed[i] - expected[i]) <= allowed;
    }
    return forgets;
}

/* Of the gradient alone, without what it is added to. */
static bool name_pattern(judgement *j, const arrays_claim *c, spor_verdict *v) {
    double *expected = malloc(bytes_for(3 * c->size, sizeof *expected));
    if (!expected) return false;
    double *allowed = expected + c->size, *claimed = allowed + c->size;
    for (int64_t i = 0; i < c->size; i++) {
        expected[i] = arrays_without(c, i, c->truth[i].v);
        claimed[i] = arrays_without(c, i, c->claim->claimed[i]);
        allowed[i] = arrays_right_at(j, c, i);
    }
    spor_picture picture = {
        .slides = pattern_slides(j->trial.tape, j->given->y),
        .shape = c->shape,
        .formula = claimed,
        .expected = expected,
        .bound = allowed,
        .slack = fmax(j->given->arithmetic == SPOR_F32 ? 0x1p-18 : 0x1p-40,
                      4 * stored_in[c->claim->stored].unit),
    };
    if (forgets_before(j, c, expected))
        snprintf(v->example.pattern, sizeof v->example.pattern,
                 "what was there before is overwritten, not added to");
    else
        pattern_name(&picture, v->example.pattern, sizeof v->example.pattern);
    free(expected);
    return true;
}

static int64_t largest(const arrays_claim *c) {
    int64_t at = 0;
    for (int64_t i = 1; i < c->size; i++)
        if (fabs(c->truth[i].v) > fabs(c->truth[at].v)) at = i;
    return at;
}

/* The tape's word for an element is checked before it is held against other code. */
static bool show_example(judgement *j, const count *n, bool faulty) {
    const arrays_claim *c = n->c;
    int64_t at = n->worst >= 0 ? n->worst : n->open >= 0 ? n->open : largest(c);
    bool agrees = true;
    if (n->worst < 0 && n->open < 0 && !faulty) return true;
    describe(j, c, at, n->v);
    if (!arrays_step_at(j, c, at, &n->v->example.oracle, &agrees)) return false;
    n->v->asked[SPOR_BY_COMPLEX_STEP] += !isnan(n->v->example.oracle);
    if (n->worst < 0 && !faulty && agrees) return true;
    n->v->outcome = SPOR_FAILS;
    n->v->example.dispute = agrees && !faulty ? SPOR_FORMULA_TAPE : SPOR_TAPE_ORACLE;
    return n->worst < 0 || name_pattern(j, c, n->v);
}

bool arrays_judge_claim(judgement *j, int k, spor_verdict *v) {
    count n = {.c = &j->claim[k], .v = v, .worst = -1, .open = -1};
    *v = (spor_verdict){.outcome = SPOR_HOLDS, .shapes = 1};
    v->arrays.norm_wise = j->given->norm_wise;
    v->arrays.stored = n.c->claim->stored;
    v->example.oracle = (double)NAN;
    v->example.by = SPOR_BY_COMPLEX_STEP;
    if (n.c->claim->wrt != SPOR_OF_Y) v->asked[SPOR_BY_COMPLEX_STEP] = j->steps;
    if (!count_all(j, &n) || !show_example(j, &n, j->faulty == k)) return false;
    bool nothing = !v->comparisons || v->arrays.between;
    if (v->outcome == SPOR_HOLDS && nothing) v->outcome = SPOR_NOTHING_EXAMINED;
    return true;
}
