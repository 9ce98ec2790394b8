/*
 * Arrays that other code computed, judged at given numbers.
 *
 * The tape runs over SPOR_SAMPLED: each element knows its value, the running magnitude m of its
 * terms, and what four runs of the definition in the claimed arithmetic are off by. The largest of
 * their errors in an array, in units of u m, times 8 is what other code may be off by: it adds up
 * in another order, or rounds in other places. What is farther off is held against the worst case,
 * by running the tape over SPOR_ROUNDING, or against other algebra; between the two no verdict is
 * given.
 */
#include "verify/arrays.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "kernels/rounding.h"

/* Other code may be off by so many times the definition's own error. */
static const double margin = 8;
/* In units of u m: the least error that runs are credited with, so that one of few operations that
 * happens to be exact is no measure; and what other algebra may do at worst. */
static const double least_error = 0x1p-4, other_algebra = 16;
/* Relative to the array's root mean square an allowance must be below this; of an array that is 0
 * but for rounding, relative to the other arrays. */
static const double decided = 0.01, decided_zero = 0x1p-30;

/* ---- preparing ---- */

/* False with a message if the arrays cannot be judged. */
static bool check_given(const spor_arrays *a, spor_message *message) {
    if (!a->y.id)
        return message_complain(message, "%s",
                                a->y.tape && spor_error(a->y.tape) ? spor_error(a->y.tape)
                                                                   : "y was never recorded");
    if (a->inputs >= SPOR_INPUTS)
        return message_complain(message, "%d inputs, but at most %d", a->inputs, SPOR_INPUTS - 1);
    for (int k = 0; k < a->claims; k++)
        if (a->claim[k].wrt < SPOR_OF_Y || a->claim[k].wrt >= a->inputs)
            return message_complain(message, "%s is claimed for input %d of %d", a->claim[k].name,
                                    a->claim[k].wrt, a->inputs);
    if (a->y.tape->leaves)
        return message_complain(message, "the tape has parameters; judge it with inputs for them");
    if (a->arithmetic > SPOR_F64)
        return message_complain(message, "claims are in float or in double");
    return true;
}

static bool copy_data(judgement *j, int k, const double *from) {
    spor_shape shape = spor_shape_of(j->trial.in.input[k]);
    int64_t size = shape_size(&shape);
    double *data = j->trial.data[k] = malloc(bytes_for(size + 1, sizeof *data));
    for (int64_t i = 0; data && i < size; i++) data[i] = from ? from[i] : 1;
    return data != NULL;
}

/* Appends the backward pass: what each claim should be. */
static bool record(judgement *j) {
    const spor_arrays *a = j->given;
    spor_instance *in = &j->trial.in;
    spor_var wrt[SPOR_PAIRS], d[SPOR_PAIRS], dy;
    int n = 0;
    j->trial.tape = a->y.tape;
    dy = spor_input(a->y.tape, "dy", spor_shape_of(a->y));
    memcpy(in->input, a->input, (size_t)a->inputs * sizeof dy);
    in->inputs = a->inputs + 1;
    in->dy = a->inputs;
    in->input[in->dy] = dy;
    in->y = a->y;
    for (int k = 0; k < a->claims; k++)
        if (a->claim[k].wrt != SPOR_OF_Y) wrt[n++] = a->input[a->claim[k].wrt];
    if (!spor_vjp(a->y, dy, n, wrt, d)) return false;
    n = 0;
    for (int k = 0; k < a->claims; k++)
        j->claim[k].expected = a->claim[k].wrt == SPOR_OF_Y ? a->y : d[n++];
    return true;
}

static spor_program *compile_claims(judgement *j, spor_scalar scalar) {
    spor_options options = {.scalar = scalar, .reference = true};
    spor_var expected[SPOR_PAIRS];
    for (int k = 0; k < j->given->claims; k++) expected[k] = j->claim[k].expected;
    return spor_compile(j->given->y.tape, j->given->claims, expected, NULL, &options);
}

static bool compile(judgement *j) {
    spor_options options = {.scalar = SPOR_C128, .reference = true};
    j->runs = compile_claims(j, SPOR_SAMPLED);
    j->trial.step = spor_compile(j->given->y.tape, 1, &j->given->y, NULL, &options);
    return j->runs && j->trial.step;
}

/* ---- numbers with what rounding may do ---- */

static double unit_of(spor_scalar arithmetic) {
    return arithmetic == SPOR_F32 ? 0x1p-24 : 0x1p-53;
}

void rounding_fill(spor_program *program, spor_var input, const double *data,
                   spor_scalar arithmetic) {
    spor_arg arg = spor_program_arg(program, input);
    rounding *to = arg.data;
    double unit = unit_of(arithmetic);
    for (int64_t k = 0; to && k < shape_size(&arg.shape); k++) {
        double lost = arithmetic == SPOR_F32 ? fabs((double)(float)data[k] - data[k]) : 0;
        to[k] = (rounding){data[k], lost, fabs(data[k]), 0, unit};
    }
}

double rounding_value(spor_program *program, spor_var x, int64_t k, double *error) {
    rounding at = ((const rounding *)spor_program_arg(program, x).data)[k];
    *error = rounding_error(at, at.u > 0 ? at.u : unit_of(SPOR_F32));
    return at.v;
}

/* ---- running ---- */

static void fill_runs(judgement *j, int k, spor_var input, int64_t size) {
    sampled *to = spor_program_arg(j->runs, input).data;
    const double *data = j->trial.data[k];
    for (int64_t i = 0; to && i < size; i++) {
        bool held = j->unit < 0x1p-50 || fabs((double)(float)data[i] - data[i]) <= 0;
        to[i] = sampled_plain(data[i], held);
        j->finite = j->finite && isfinite(data[i]);
    }
}

static bool run(judgement *j, spor_program *program) {
    if (!spor_program_error(program) && spor_run(program, 0)) return true;
    const char *error = spor_program_error(program);
    return message_complain(j->message, "%s", error ? error : "out of memory");
}

/* Runs the tape at the numbers; false with the message, or without one when memory runs out. */
static bool prepare(judgement *j) {
    const spor_arrays *a = j->given;
    if (!record(j)) return message_complain(j->message, "%s", spor_error(a->y.tape)), false;
    if (!compile(j)) return false;
    for (int k = 0; k < j->trial.in.inputs; k++)
        if (!copy_data(j, k, k < a->inputs ? a->value[k] : a->cotangent)) return false;
    j->finite = true;
    for (int k = 0; k < j->trial.in.inputs; k++) {
        spor_var input = j->trial.in.input[k];
        spor_shape shape = spor_shape_of(input);
        if (!spor_program_error(j->runs)) fill_runs(j, k, input, shape_size(&shape));
        if (!spor_program_error(j->trial.step))
            trial_fill(j->trial.step, input, j->trial.data[k], shape_size(&shape));
    }
    return run(j, j->runs);
}

/* What rounding may do at worst, once it is asked for. */
static bool prepare_worst(judgement *j) {
    if (j->worst) return true;
    j->worst = compile_claims(j, SPOR_ROUNDING);
    if (!j->worst) return false;
    for (int k = 0; k < j->trial.in.inputs && !spor_program_error(j->worst); k++)
        rounding_fill(j->worst, j->trial.in.input[k], j->trial.data[k], j->given->arithmetic);
    return run(j, j->worst);
}

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
    for (int64_t i = 0; i < c->size; i++) {
        if (!arrays_known(&c->truth[i])) continue;
        c->error = fmax(c->error, units_of(&c->truth[i]));
        c->rms += c->truth[i].v * c->truth[i].v;
        known++;
    }
    c->rms = known ? sqrt(c->rms / (double)known) : 0;
}

static void measure_all(judgement *j) {
    double scale = 0;
    for (int k = 0; k < j->given->claims; k++) measure(j, k);
    for (int k = 0; k < j->given->claims; k++) scale = fmax(scale, j->claim[k].rms);
    for (int k = 0; k < j->given->claims; k++) {
        arrays_claim *c = &j->claim[k];
        c->decisive = is_as_good_as_zero(c) ? decided_zero * scale : decided * c->rms;
    }
}

/* ---- one element ---- */

typedef enum { RIGHT, SETTLED, UNDECIDED, EXEMPT, BETWEEN, WRONG } finding;

/* What is too small for full precision loses last places of the smallest numbers. */
static double with_smallest(const judgement *j, double allowed) {
    return allowed + (j->unit > 0x1p-50 ? 0x1p-140 : 0x1p-1065);
}

/* What other code may be off by. */
static double allowed_at(const judgement *j, const arrays_claim *c, int64_t i) {
    const sampled *at = &c->truth[i];
    if (sampled_is_exact(at)) return 0;
    return with_smallest(j, margin * j->unit * fmax(c->error * at->m, fabs(at->v) / 4));
}

/* What rounding can explain at all. Our own double is off by as much in its unit. */
static double explained_at(judgement *j, const arrays_claim *c, int64_t i) {
    double error, own = 1 + 0x1p-53 / j->unit;
    rounding_value(j->worst, c->expected, i, &error);
    if (sampled_is_exact(&c->truth[i])) return error > 0 ? with_smallest(j, own * error) : 0;
    double other = fmax(2 * allowed_at(j, c, i), other_algebra * j->unit * c->truth[i].m);
    return isnan(error) ? HUGE_VAL : fmax(with_smallest(j, own * error), other);
}

/* The number that a share, or units in the last place, are of. */
static double base_at(const arrays_claim *c, int64_t i) {
    return fmax(fabs(c->truth[i].v), c->rms);
}

static double ulp_of(const judgement *j, double base) {
    int exponent;
    frexp(base, &exponent);
    return ldexp(j->unit, exponent);
}

/* What the user allows; negative if nothing. */
static double tolerance_at(const judgement *j, const arrays_claim *c, int64_t i) {
    double base = base_at(c, i), rtol = j->given->rtol, ulps = j->given->ulps;
    if (!(rtol > 0) && !(ulps > 0)) return -1;
    return fmax(rtol * base, ulps * ulp_of(j, base));
}

/* Judges element i; worst: it has to be held against the worst case, which is not there yet. */
static finding judge_at(judgement *j, const arrays_claim *c, int64_t i, bool *worst) {
    const sampled *at = &c->truth[i];
    double off = fabs(c->claim->claimed[i] - at->v);
    bool overflows = j->unit > 0x1p-50 && fabs(at->v) > (double)FLT_MAX;
    if (!arrays_known(at) && !j->finite) return EXEMPT;
    if (!isfinite(at->v) || overflows) return UNDECIDED;
    if (!isfinite(c->claim->claimed[i])) return WRONG;
    if (!arrays_known(at)) return UNDECIDED;
    double allowed = allowed_at(j, c, i), tolerance = tolerance_at(j, c, i);
    if (off <= allowed) return allowed <= c->decisive ? RIGHT : UNDECIDED;
    if (tolerance >= 0) return off <= tolerance ? SETTLED : WRONG;
    *worst = !j->worst;
    return !*worst && off > explained_at(j, c, i) ? WRONG : BETWEEN;
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
    double off = off_at(n->c, i), allowed = allowed_at(j, n->c, i);
    spor_array_figures *a = &n->v->arrays;
    n->v->comparisons++;
    n->v->nonzero += n->c->truth[i].v != 0;
    n->v->exact += allowed == 0;
    if (allowed > 0) n->v->closest = fmax(n->v->closest, off / allowed);
    a->off = fmax(a->off, off);
    a->allowed = fmax(a->allowed, allowed);
    a->runs = fmax(a->runs, j->unit * sampled_error(&n->c->truth[i]));
}

static void count_between(const judgement *j, count *n, int64_t i) {
    double off = off_at(n->c, i), base = base_at(n->c, i);
    spor_array_figures *a = &n->v->arrays;
    a->between++;
    a->ulps = fmax(a->ulps, ceil(off / ulp_of(j, base)));
    a->rtol = fmax(a->rtol, 1.05 * off / base); /* it is printed with two digits */
    if (n->open < 0 || off > off_at(n->c, n->open)) n->open = i;
}

static void count_one(const judgement *j, count *n, int64_t i, finding found) {
    if (found == RIGHT || found == SETTLED) count_right(j, n, i);
    n->v->arrays.settled += found == SETTLED;
    n->v->undecided += found == UNDECIDED;
    n->v->arrays.exempt += found == EXEMPT;
    if (found == UNDECIDED || found == EXEMPT) region_add(&n->unjudged, &n->c->shape, i);
    if (found == BETWEEN) count_between(j, n, i);
    if (found != WRONG) return;
    n->v->comparisons++;
    n->v->nonzero += n->c->truth[i].v != 0;
    n->v->example.wrong++;
    if (n->worst < 0 || !(off_at(n->c, i) <= off_at(n->c, n->worst))) n->worst = i;
}

static bool count_all(judgement *j, count *n) {
    for (int64_t i = 0; i < n->c->size; i++) {
        bool worst = false;
        finding found = judge_at(j, n->c, i, &worst);
        if (worst && !prepare_worst(j)) return false;
        if (worst) found = judge_at(j, n->c, i, &worst);
        count_one(j, n, i, found);
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
    e->bound = allowed_at(j, c, at);
    v->arrays.worst_case = j->worst ? explained_at(j, c, at) : e->bound;
    if (v->example.wrong && j->worst) e->bound = v->arrays.worst_case;
    e->bound = fmax(e->bound, tolerance_at(j, c, at));
    e->ulps = verdict_ulps(e->formula, e->expected);
    e->elements = c->size;
    trial_write(&j->trial, e->data, sizeof e->data);
}

static bool name_pattern(judgement *j, const arrays_claim *c, spor_verdict *v) {
    double *expected = malloc(bytes_for(2 * c->size, sizeof *expected));
    if (!expected) return false;
    double *allowed = expected + c->size;
    for (int64_t i = 0; i < c->size; i++) {
        expected[i] = c->truth[i].v;
        allowed[i] = allowed_at(j, c, i);
    }
    spor_picture picture = {
        .shape = c->shape,
        .formula = c->claim->claimed,
        .expected = expected,
        .bound = allowed,
        .slack = j->given->arithmetic == SPOR_F32 ? 0x1p-18 : 0x1p-40,
    };
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

static bool judge_claim(judgement *j, int k, spor_verdict *v) {
    count n = {.c = &j->claim[k], .v = v, .worst = -1, .open = -1};
    *v = (spor_verdict){.outcome = SPOR_HOLDS, .shapes = 1};
    v->example.oracle = (double)NAN;
    v->example.by = SPOR_BY_COMPLEX_STEP;
    if (n.c->claim->wrt != SPOR_OF_Y) v->asked[SPOR_BY_COMPLEX_STEP] = j->steps;
    if (!count_all(j, &n) || !show_example(j, &n, j->faulty == k)) return false;
    bool nothing = !v->comparisons || v->arrays.between;
    if (v->outcome == SPOR_HOLDS && nothing) v->outcome = SPOR_NOTHING_EXAMINED;
    return true;
}

bool arrays_judge(const spor_arrays *arrays, spor_verdict verdict[], spor_message *message) {
    *message->text = 0;
    if (!check_given(arrays, message)) return true;
    judgement *j = calloc(1, sizeof *j);
    if (!j) return false;
    j->given = arrays;
    j->message = message;
    j->unit = unit_of(arrays->arithmetic);
    bool done = prepare(j);
    if (done) measure_all(j);
    done = done && arrays_steps(j);
    for (int k = 0; done && k < arrays->claims; k++) done = judge_claim(j, k, &verdict[k]);
    spor_program_free(j->runs);
    spor_program_free(j->worst);
    spor_program_free(j->trial.step);
    for (int k = 0; k < SPOR_INPUTS; k++) free(j->trial.data[k]);
    free(j);
    return done || *message->text;
}

/* ---- one verdict ---- */

/* What fails comes first, then what is not decided of a claim; only then the sum may hold. */
static void add_up(const spor_arrays *arrays, const spor_verdict each[], spor_verdict *sum) {
    for (int k = 0; k < arrays->claims; k++) verdict_add(sum, &each[k]);
    if (sum->outcome == SPOR_FAILS) return;
    for (int k = arrays->claims - 1; k >= 0; k--) {
        if (each[k].outcome != SPOR_NOTHING_EXAMINED) continue;
        sum->outcome = SPOR_NOTHING_EXAMINED;
        if (each[k].arrays.between) sum->example = each[k].example;
        if (each[k].arrays.between) sum->arrays.worst_case = each[k].arrays.worst_case;
    }
    if (!sum->comparisons) sum->outcome = SPOR_NOTHING_EXAMINED;
}

bool spor_verify_arrays(const spor_arrays *arrays, spor_verdict *verdict) {
    spor_message message;
    spor_verdict *each = calloc((size_t)arrays->claims + 1, sizeof *each);
    *verdict = (spor_verdict){.outcome = SPOR_HOLDS};
    bool done = each && arrays_judge(arrays, each, &message);
    if (done && *message.text) {
        verdict->outcome = SPOR_FAILS;
        verdict->example.dispute = SPOR_DOES_NOT_RECORD;
        snprintf(verdict->example.message, sizeof verdict->example.message, "%.500s", message.text);
    } else if (done) {
        add_up(arrays, each, verdict);
    }
    verdict->shapes = 1; /* of all claims together */
    free(each);
    return done;
}
