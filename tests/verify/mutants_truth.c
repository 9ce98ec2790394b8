/*
 * Is a formula wrong? By values alone: two recordings of a derive are run as plain double programs
 * at the suite's own points, and y's slope is measured by central differences along directions.
 * Nothing here is the verifier's.
 */
#include "mutants.h"
#include "verify/verify.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 400, MOST_NUMBERS = 1500, DIRECTIONS = 3, FAMILIES = 6 };

/* ---- random numbers of the suite's own ---- */

/* A linear congruence, its upper bits, mixed once. */
static double uniform(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    uint64_t bits = (*state ^ *state >> 29) * 0x9e3779b97f4a7c15u;
    return (double)(bits >> 11) * 0x1p-53;
}

/* U(-w, w) three times, U(0, w) twice, whole numbers. */
static double element(uint64_t *state, int family) {
    static const struct {
        double from, to;
    } families[FAMILIES - 1] = {{-0.5, 0.5}, {-2, 2}, {-8, 8}, {0, 1}, {0, 8}};
    double u = uniform(state);
    if (family == FAMILIES - 1) return floor(7 * u) - 3;
    return families[family].from + (families[family].to - families[family].from) * u;
}

/* Among the values that are meant; of a row that adds up to something there are none in this folder. */
static double element_in(const spor_range *range, uint64_t *state, int family) {
    double x = element(state, family), u = uniform(state);
    ck_assert(range->kind != SPOR_RANGE_ONE_HOT && range->kind != SPOR_RANGE_SIMPLEX &&
              range->kind != SPOR_RANGE_POSITIVE_DEFINITE);
    if (range->kind == SPOR_RANGE_WHOLE)
        return range->from + floor((range->to - range->from + 1) * u);
    if (range->kind == SPOR_RANGE_SET) return range->item[(int)(range->n * u)];
    bool outside = range->kind == SPOR_RANGE_REALS && !(range->from <= x && x <= range->to);
    return outside ? range->from + (range->to - range->from) * u : x;
}

/* ---- a recording made ready ---- */

typedef struct {
    spor_tape *tape;
    spor_instance in;
    spor_program *program; /* of y and all formulas */
    spor_program *forward; /* of y */
} recording;

static int64_t size_of(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    int64_t size = 1;
    for (int k = 0; k < shape.rank; k++) size *= shape.n[k];
    return size;
}

static int64_t inputs_of(const recording *r) {
    int64_t size = 0;
    for (int k = 0; k < r->in.inputs; k++) size += size_of(r->in.input[k]);
    return size;
}

static int64_t results_of(const recording *r) {
    int64_t size = 0;
    for (int k = 0; k < r->in.pairs; k++) size += size_of(r->in.pair[k].formula);
    return size;
}

static void close_recording(recording *r) {
    spor_program_free(r->program);
    spor_program_free(r->forward);
    spor_tape_free(r->tape);
    *r = (recording){0};
}

static spor_program *compiled(spor_tape *tape, int n, const spor_var outputs[]) {
    spor_options options = {.scalar = SPOR_F64, .reference = true};
    spor_program *program = spor_compile(tape, n, outputs, NULL, &options);
    ck_assert_ptr_nonnull(program);
    return program;
}

static bool has_its_shapes(const recording *r) {
    for (int k = 0; k < r->in.pairs; k++) {
        spor_shape formula = spor_shape_of(r->in.pair[k].formula),
                   expected = spor_shape_of(r->in.pair[k].expected);
        if (formula.rank != expected.rank) return false;
        for (int axis = 0; axis < formula.rank; axis++)
            if (formula.n[axis] != expected.n[axis]) return false;
    }
    return true;
}

static bool compile_recording(recording *r) {
    spor_var outputs[SPOR_PAIRS + 1] = {r->in.y};
    for (int k = 0; k < r->in.pairs; k++) outputs[k + 1] = r->in.pair[k].formula;
    r->program = compiled(r->tape, r->in.pairs + 1, outputs);
    r->forward = compiled(r->tape, 1, outputs);
    return !spor_program_error(r->program) && !spor_program_error(r->forward);
}

/* False if the statement does not record there, in its shapes. */
static bool open_recording(const spor_statement *statement, const int64_t value[], recording *r) {
    *r = (recording){.tape = spor_tape_new()};
    spor_recording how = statement->record(statement->user, r->tape, value, &r->in);
    bool done =
        how == SPOR_RECORDED && !spor_error(r->tape) && has_its_shapes(r) && compile_recording(r);
    if (!done) close_recording(r);
    return done;
}

/* ---- running ---- */

static bool run(const recording *r, spor_program *program, const double input[]) {
    for (int k = 0; k < r->in.inputs; k++) {
        int64_t size = size_of(r->in.input[k]);
        double *to = spor_program_arg(program, r->in.input[k]).data;
        if (to) memcpy(to, input, (size_t)size * sizeof *to);
        input += size;
    }
    return spor_run(program, 0);
}

static void take_results(const recording *r, double result[]) {
    for (int k = 0; k < r->in.pairs; k++) {
        spor_var formula = r->in.pair[k].formula;
        const double *from = spor_program_arg(r->program, formula).data;
        memcpy(result, from, (size_t)size_of(formula) * sizeof *result);
        result += size_of(formula);
    }
}

static bool all_finite(const double number[], int64_t n) {
    for (int64_t k = 0; k < n; k++)
        if (!isfinite(number[k])) return false;
    return true;
}

/* Where the numbers of an input begin. */
static int64_t start_of(const recording *r, int input) {
    int64_t start = 0;
    for (int k = 0; k < input; k++) start += size_of(r->in.input[k]);
    return start;
}

/* <dY, Y> at the inputs; size receives the sum of the magnitudes. NAN where y is not finite. */
static double product(const recording *r, const double input[], double *size) {
    const double *dy = input + start_of(r, r->in.dy);
    if (!run(r, r->forward, input)) return (double)NAN;
    const double *y = spor_program_arg(r->forward, r->in.y).data;
    double sum = 0, magnitudes = 0;
    for (int64_t k = 0; k < size_of(r->in.y); k++) {
        if (!isfinite(y[k])) return (double)NAN;
        sum += dy[k] * y[k];
        magnitudes += fabs(dy[k] * y[k]);
    }
    if (size) *size = magnitudes;
    return sum;
}

/* ---- y's slope, measured ---- */

/* A direction in the inputs that have a gradient, and what the formulas say of it. */
static double direct(const recording *r, const double result[], uint64_t *state, double v[],
                     double *scale) {
    double slope = 0;
    *scale = 0;
    memset(v, 0, (size_t)inputs_of(r) * sizeof *v);
    for (int k = 0; k < r->in.pairs; k++) {
        int64_t size = size_of(r->in.pair[k].formula);
        if (r->in.pair[k].wrt >= 0) {
            double *to = v + start_of(r, r->in.pair[k].wrt);
            for (int64_t j = 0; j < size; j++) {
                to[j] = (uniform(state) < 0.5 ? -1 : 1) * (0.5 + 0.5 * uniform(state));
                slope += to[j] * result[j];
                *scale += fabs(to[j] * result[j]);
            }
        }
        result += size;
    }
    return slope;
}

static double moved(const recording *r, const double input[], const double v[], double h,
                    double at[]) {
    for (int64_t k = 0; k < inputs_of(r); k++) at[k] = input[k] + h * v[k];
    return product(r, at, NULL);
}

typedef enum { SMOOTH, ROUGH, CONTRADICTED } slope_kind;

/* The slope along a direction by central differences at h and h / 2, extrapolated. Its one-sided
 * slopes part by h y'' where y is smooth, and by a jump that stays where it has a kink nearby. */
static slope_kind measure(const recording *r, const double input[], const double result[],
                          uint64_t *state, double v[], double at[]) {
    enum { WIDE, HALF };
    double scale, size, central[2], gap[2];
    double slope = direct(r, result, state, v, &scale), here = product(r, input, &size);
    for (int k = 0; k < 2; k++) {
        double h = k == WIDE ? 0x1p-13 : 0x1p-14;
        double up = moved(r, input, v, h, at), down = moved(r, input, v, -h, at);
        central[k] = (up - down) / (2 * h);
        gap[k] = (up - 2 * here + down) / h;
    }
    double noise = 1e-9 * size + 1e-12, found = (4 * central[HALF] - central[WIDE]) / 3;
    double turn = fabs(gap[WIDE] - 2 * gap[HALF]), most = 1e-6 * (scale + fabs(found)) + noise;
    if (!(turn <= most) || !(fabs(central[WIDE] - central[HALF]) <= 10 * most)) return ROUGH;
    return fabs(found - slope) <= 1e-5 * (scale + fabs(found)) + 10 * noise ? SMOOTH : CONTRADICTED;
}

static slope_kind measure_all(const recording *r, const double input[], const double result[],
                              uint64_t *state) {
    double *v = malloc(2 * (size_t)(inputs_of(r) + 1) * sizeof *v);
    slope_kind worst = SMOOTH, one;
    ck_assert_ptr_nonnull(v);
    for (int k = 0; k < DIRECTIONS && worst != ROUGH; k++) {
        one = measure(r, input, result, state, v, v + inputs_of(r));
        if (one == ROUGH || one > worst) worst = one;
    }
    free(v);
    return worst;
}

/* ---- points of a derivation ---- */

/* Fills a point; false if y or a formula is not finite there. The cotangent is never 0: what a
 * formula that divides by it gives there is nobody's question. */
static bool draw_point(const recording *r, int family, uint64_t *state, double point[]) {
    int64_t n = inputs_of(r), at = 0;
    for (int k = 0; k < r->in.inputs; k++)
        for (int64_t end = at + size_of(r->in.input[k]); at < end; at++) {
            point[at] = element_in(&r->in.range[k], state, family);
            if (instance_is_cotangent(&r->in, k) && point[at] == 0) point[at] = 1;
        }
    if (!isfinite(product(r, point, NULL)) || !run(r, r->program, point)) return false;
    take_results(r, point + n);
    return all_finite(point + n, results_of(r));
}

static void take_points(truth *t, truth_shape *s, const recording *r, uint64_t *state) {
    size_t length = (size_t)(s->inputs + s->results);
    s->point = calloc(TRUTH_POINTS * length + 1, sizeof *s->point);
    ck_assert_ptr_nonnull(s->point);
    for (int k = 0; k < TRUTH_POINTS; k++) {
        double *point = s->point + (size_t)s->points * length;
        if (!draw_point(r, k % FAMILIES, state, point)) continue;
        slope_kind slope = measure_all(r, point, point + s->inputs, state);
        /* at whole numbers two kinks may cancel, and y be smooth where its formula is not */
        bool whole = k % FAMILIES == FAMILIES - 1;
        if (slope == ROUGH || (whole && slope == CONTRADICTED)) continue;
        t->checked++;
        t->wrong += slope == CONTRADICTED;
        s->points++;
    }
    t->points += s->points;
}

static bool is_known(const truth *t, const int64_t value[]) {
    size_t size = (size_t)t->statement->quantities * sizeof *value;
    for (int k = 0; k < t->shapes; k++)
        if (size && memcmp(t->shape[k].value, value, size) == 0) return true;
    return t->shapes > 0 && !size;
}

static void take_shape(truth *t, const int64_t value[], uint64_t *state) {
    recording r;
    if (is_known(t, value) || !open_recording(t->statement, value, &r)) return;
    int64_t inputs = inputs_of(&r), results = results_of(&r);
    if (inputs <= MOST_NUMBERS) {
        truth_shape *s = &t->shape[t->shapes++];
        *s = (truth_shape){.inputs = inputs, .results = results};
        memcpy(s->value, value, sizeof s->value);
        take_points(t, s, &r, state);
    }
    close_recording(&r);
}

void truth_make(const spor_statement *statement, truth *t) {
    uint64_t state = 20;
    *t = (truth){.statement = statement};
    for (int try = 0; try < TRIES && t->shapes < TRUTH_SHAPES; try++) {
        int64_t value[SPOR_QUANTITIES] = {0};
        for (int k = 0; k < statement->quantities; k++) {
            const spor_quantity *q = &statement->quantity[k];
            value[k] = q->least + (int64_t)(uniform(&state) * (double)(q->most - q->least + 1));
        }
        take_shape(t, value, &state);
    }
}

void truth_free(truth *t) {
    for (int k = 0; k < t->shapes; k++) free(t->shape[k].point);
    *t = (truth){0};
}

/* ---- judging a mutant ---- */

/** What a mutant gives beside the right formula. */
typedef struct {
    int64_t elements[SPOR_PAIRS], wrong[SPOR_PAIRS]; /* at the sizes at hand */
    bool same;                                       /* all so far to 1e-12 */
    bool many;                                       /* at some sizes a pair has many wrong ones */
    truth_finding *finding;
} difference;

static double largest(const double number[], int64_t n) {
    double most = 0;
    for (int64_t k = 0; k < n; k++) most = fmax(most, fabs(number[k]));
    return most;
}

static void compare_pair(difference *d, int pair, const double right[], const double mutant[],
                         int64_t n) {
    double scale = largest(right, n);
    for (int64_t k = 0; k < n; k++) {
        double off = fabs(right[k] - mutant[k]), each = fmax(fabs(right[k]), fabs(mutant[k]));
        d->same = d->same && off <= 1e-12 * fmax(scale, 1e-3);
        d->elements[pair]++;
        d->wrong[pair] += !(off <= 1e-6 * each + 1e-9 * scale);
    }
}

static void compare_point(difference *d, const recording *r, const double right[],
                          const double mutant[]) {
    for (int pair = 0; pair < r->in.pairs; pair++) {
        int64_t n = size_of(r->in.pair[pair].formula);
        compare_pair(d, pair, right, mutant, n);
        right += n;
        mutant += n;
    }
}

/* Adds up what the points of one shape showed. */
static void note_pairs(difference *d, const recording *r) {
    truth_finding *f = d->finding;
    for (int pair = 0; pair < r->in.pairs; pair++) {
        const char *name = r->in.pair[pair].name;
        d->many = d->many || 100 * d->wrong[pair] > 3 * d->elements[pair];
        if (d->wrong[pair] && !truth_blames(f, name))
            snprintf(f->pair[f->pairs++], sizeof f->pair[0], "%s", name);
    }
}

/* False if the mutant does not record at the shape. */
static bool compare_shape(difference *d, const truth_shape *s, const spor_statement *mutant) {
    recording r;
    memset(d->elements, 0, sizeof d->elements);
    memset(d->wrong, 0, sizeof d->wrong);
    if (!open_recording(mutant, s->value, &r)) return false;
    bool alike = inputs_of(&r) == s->inputs && results_of(&r) == s->results;
    double *result = malloc((size_t)(s->results + 1) * sizeof *result);
    ck_assert_ptr_nonnull(result);
    for (int k = 0; k < s->points && alike; k++) {
        const double *point = s->point + k * (s->inputs + s->results);
        alike = run(&r, r.program, point);
        if (alike) take_results(&r, result);
        if (alike) compare_point(d, &r, point + s->inputs, result);
    }
    note_pairs(d, &r);
    free(result);
    close_recording(&r);
    return alike;
}

void truth_judge(const truth *t, const spor_statement *mutant, truth_finding *finding) {
    difference d = {.same = true, .finding = finding};
    *finding = (truth_finding){.judgement = TRUTH_NO_RECORD};
    for (int k = 0; k < t->shapes; k++)
        if (!compare_shape(&d, &t->shape[k], mutant)) return;
    finding->judgement = d.many ? TRUTH_WRONG : d.same ? TRUTH_EQUIVALENT : TRUTH_UNCLEAR;
}

bool truth_blames(const truth_finding *finding, const char *pair) {
    for (int k = 0; k < finding->pairs; k++)
        if (strcmp(finding->pair[k], pair) == 0) return true;
    return false;
}
