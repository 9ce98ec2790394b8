/*
 * What the mistakes of a statement look like. Each wrong pair is read at several shapes and draws
 * of data, the smallest case and the data shown among them: a reading is said only if it explains
 * all numbers everywhere, and where they are wrong often enough.
 */
#include "verify/hint.h"
#include "verify/sighting.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "program/program.h"

enum {
    LARGE_TAPE = 3000, /* nodes; what is longer is not changed node by node */
    LEAST_DRAWS = 3,
    LEAST_DRAWS_REPAIRED = 2, /* a repair is right at all others too */
    LEAST_SHAPES = 2,
    LEAST_FOR_FACTS = 4 /* shapes: a fact explains no number */
};

/* Slack for a factor read off rounded numbers. */
static const double factor_slack = 0x1p-40;

/* A bound that is not small beside the numbers says of no two that they are one. */
static const double close_enough = 1e-6;

/* ---- the tally ---- */

static int find_text(const hint_tally *t, const char *text) {
    for (int k = 0; k < t->count; k++)
        if (!strcmp(t->say[k].text, text)) return k;
    return -1;
}

bool hint_open(hint_site *s, const char *format, ...) {
    if (s->count == HINT_MOST || spor_error(s->tape)) return false;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(s->reading[s->count].text, HINT_TEXT, format, arguments);
    va_end(arguments);
    int at = s->allowed ? find_text(s->allowed, s->reading[s->count].text) : 0;
    return at >= 0 && !(s->allowed && s->allowed->say[at].out);
}

void hint_close(hint_site *s, spor_var left, spor_var right) {
    if (s->count == HINT_MOST || !left.id || !right.id) return;
    spor_shape a = spor_shape_of(left), b = spor_shape_of(right);
    if (!shape_equal(&a, &b)) return;
    s->reading[s->count].left = left;
    s->reading[s->count++].right = right;
}

/* What one sighting says about a text. */
typedef struct {
    bool holds;
    int draws; /* wrong ones that it explains */
} finding;

/* Adds a sighting: what is said there of each text of the tally, and whether silence speaks
 * against it. */
static void add_to_tally(hint_tally *t, const finding found[], bool wrong) {
    for (int k = 0; k < t->count; k++) {
        if (!found[k].holds && wrong) t->say[k].out = true;
        if (!found[k].holds) continue;
        t->say[k].draws += found[k].draws;
        t->say[k].shapes += found[k].draws > 0;
    }
}

/* ---- readings at one shape ---- */

/* Work space of a pair at a sighting. */
typedef struct {
    sighting *at;
    int pair;
    hint_site site;
    spor_program *program;
    bool *against; /* by reading */
    int *certain;  /* by reading: draws that it explains */
    bool *apart;   /* by element of the pair, at this draw */
    int wrong;     /* draws at which the pair is wrong */
    int facts;
    hint_fact fact[HINT_FACTS]; /* that held at all these */
    double *numbers;            /* formula, expected, bound */
} inspection;

static void record_readings(inspection *i, bool repairs) {
    hint_site *s = &i->site;
    bool changes = s->tape->count < LARGE_TAPE;
    if (repairs) {
        repair_readings(s);
        return;
    }
    if (i->at->misfit[i->pair]) {
        numbers_of_another_shape(s);
        if (changes) rewrite_readings(s);
        return;
    }
    numbers_simple(s);
    backward_cotangent(s);
    if (changes) backward_slopes(s);
    if (changes) rewrite_readings(s);
    numbers_moved(s);
    if (changes) backward_shares(s);
}

/* Its gradient is claimed: an input, a local of the def, or nothing. */
static spor_var claimed_of(const spor_instance *in, int pair) {
    const spor_pair *p = &in->pair[pair];
    if (!in->y.id) return (spor_var){NULL, 0};
    return p->wrt >= 0 ? in->input[p->wrt] : p->of;
}

static bool compile_readings(inspection *i) {
    hint_site *s = &i->site;
    int count = 0;
    spor_var *output = malloc(((size_t)s->count * 2 + 2) * sizeof *output);
    if (!output) return false;
    output[count++] = s->formula;
    output[count++] = s->expected;
    for (int k = 0; k < s->count; k++) {
        output[count++] = s->reading[k].left;
        output[count++] = s->reading[k].right;
    }
    spor_options options = {.scalar = SPOR_BOUND, .reference = true};
    i->program = spor_compile(s->tape, count, output, NULL, &options);
    free(output);
    return i->program != NULL;
}

static bool open_inspection(inspection *i, sighting *at, int pair, const hint_tally *allowed,
                            bool repairs) {
    *i = (inspection){.at = at, .pair = pair};
    const spor_instance *in = &at->trial.in;
    i->site = (hint_site){.tape = at->trial.tape,
                          .statement = at->statement,
                          .value = at->trial.value,
                          .in = in,
                          .formula = at->formula[pair],
                          .expected = in->pair[pair].expected,
                          .of = claimed_of(in, pair),
                          .axis = axes_of(in, in->pair[pair].wrt),
                          .allowed = allowed,
                          .slides = pattern_slides(at->trial.tape, in->y)};
    i->site.reading = calloc(HINT_MOST, sizeof *i->site.reading);
    if (!i->site.reading) return false;
    record_readings(i, repairs);
    if (i->site.failed) return false;
    spor_shape shape = spor_shape_of(i->site.expected);
    i->against = calloc((size_t)i->site.count + 1, sizeof *i->against);
    i->certain = calloc((size_t)i->site.count + 1, sizeof *i->certain);
    i->apart = calloc(1, bytes_for(shape_size(&shape), sizeof *i->apart));
    i->numbers = calloc(1, bytes_for(3 * shape_size(&shape), sizeof(double)));
    return i->against && i->certain && i->apart && i->numbers && compile_readings(i);
}

static void close_inspection(inspection *i) {
    spor_program_free(i->program);
    free(i->site.reading);
    free(i->against);
    free(i->certain);
    free(i->apart);
    free(i->numbers);
}

static double largest(const double number[], int64_t size) {
    double most = 0;
    for (int64_t k = 0; k < 2 * size; k += 2)
        if (isfinite(number[k])) most = fmax(most, fabs(number[k]));
    return most;
}

/* Do both variables have the same numbers, as far as rounding lets one say? */
typedef enum { AGAINST, PERHAPS, CERTAIN } agreement;

static agreement agree(const inspection *i, const hint_reading *r) {
    spor_shape shape = spor_shape_of(r->left), own = spor_shape_of(i->site.expected);
    bool elements = shape_equal(&shape, &own);
    int64_t size = shape_size(&shape);
    const double *left = spor_program_arg(i->program, r->left).data,
                 *right = spor_program_arg(i->program, r->right).data,
                 *expected = spor_program_arg(i->program, i->site.expected).data;
    double scale = fmax(largest(expected, shape_size(&own)), largest(left, size));
    agreement answer = CERTAIN;
    for (int64_t k = 0; k < 2 * size; k += 2) {
        double bound = left[k + 1] + right[k + 1];
        if (elements && i->apart[k / 2]) continue;
        if (isnan(left[k]) && isnan(right[k])) continue; /* 0 / 0 on both sides */
        if (!isfinite(left[k]) || !isfinite(right[k])) return AGAINST;
        if (!(fabs(left[k] - right[k]) <= bound)) return AGAINST;
        if (bound > close_enough * scale) answer = PERHAPS;
    }
    return answer;
}

/* Facts that this draw has too; the first draw with something wrong has them all. */
static bool keep_facts(inspection *i) {
    spor_shape shape = spor_shape_of(i->site.expected);
    int64_t size = shape_size(&shape);
    double *formula = i->numbers, *expected = formula + size, *bound = expected + size;
    const double *f = spor_program_arg(i->program, i->site.formula).data,
                 *e = spor_program_arg(i->program, i->site.expected).data;
    for (int64_t k = 0; k < size; k++) {
        bool apart = i->apart[k]; /* as good as right */
        formula[k] = apart ? 0 : f[2 * k];
        expected[k] = apart ? 0 : e[2 * k];
        bound[k] = apart ? 0 : f[2 * k + 1] + e[2 * k + 1];
    }
    spor_picture picture = {.shape = shape,
                            .axis = i->site.axis,
                            .formula = formula,
                            .expected = expected,
                            .bound = bound,
                            .slack = factor_slack,
                            .slides = i->site.slides};
    hint_fact now[HINT_FACTS];
    int count = pattern_facts(&picture, now), kept = 0;
    if (count < 0) return false;
    if (i->wrong == 1) memcpy(i->fact, now, sizeof now), i->facts = count;
    for (int k = 0; k < i->facts; k++)
        for (int j = 0; j < count; j++) {
            if (strcmp(i->fact[k].text, now[j].text) != 0) continue;
            hint_fact both = i->fact[k];
            both.tells = both.tells || now[j].tells;
            i->fact[kept++] = both;
            break;
        }
    i->facts = kept;
    return true;
}

/* The numbers shown have to be explained for certain, others must not speak against it. */
static void ask_readings(inspection *i, int draw) {
    bool wrong = i->at->wrong[draw][i->pair], shown = i->at->shown && draw == 0;
    for (int k = 0; k < i->site.count; k++) {
        if (i->against[k]) continue;
        agreement answer = agree(i, &i->site.reading[k]);
        i->against[k] = answer == AGAINST || (answer == PERHAPS && wrong && shown);
        i->certain[k] += wrong && answer == CERTAIN;
    }
}

static bool inspect_draw(inspection *i, int draw) {
    const spor_instance *in = &i->at->trial.in;
    spor_shape shape = spor_shape_of(i->site.expected);
    int64_t count, worst;
    sighting_use(i->at, draw);
    memset(i->apart, 0, (size_t)shape_size(&shape) * sizeof *i->apart);
    if (!trial_run(&i->at->trial) || !sighting_count(i->at, i->pair, i->apart, &count, &worst))
        return false;
    for (int k = 0; k < in->inputs; k++)
        trial_fill(i->program, in->input[k], i->at->data[draw][k], trial_size(&i->at->trial, k));
    if (!spor_run(i->program, 0)) return false;
    ask_readings(i, draw);
    if (!i->at->wrong[draw][i->pair]) return true;
    i->wrong++;
    return i->at->misfit[i->pair] || keep_facts(i);
}

/* ---- all shapes of a pair ---- */

static void add_text(hint_tally *t, const char *text) {
    if (t->count == HINT_MOST || find_text(t, text) >= 0) return;
    snprintf(t->say[t->count++].text, HINT_TEXT, "%s", text);
}

/* The first sighting names what may be said. */
static void begin_tally(hint_tally *t, const inspection *i) {
    for (int k = 0; k < i->site.count; k++)
        if (!i->against[k]) add_text(t, i->site.reading[k].text);
    for (int k = 0; k < i->facts; k++) {
        int before = t->count;
        add_text(t, i->fact[k].text);
        if (t->count > before) t->say[before].fact = true;
    }
}

static bool tally_inspection(hint_tally *t, const inspection *i, bool first, bool repairs) {
    finding *found = calloc(HINT_MOST, sizeof *found);
    if (!found) return false;
    if (first) begin_tally(t, i);
    for (int k = 0; k < i->site.count; k++) {
        int at = i->against[k] ? -1 : find_text(t, i->site.reading[k].text);
        if (at < 0) continue;
        found[at].holds = true;
        if (i->certain[k] > found[at].draws) found[at].draws = i->certain[k];
    }
    /* what is wrong at few draws is so for its numbers, not for where it stands */
    bool often = 2 * i->wrong > i->at->draws;
    for (int k = 0; k < i->facts; k++) {
        int at = find_text(t, i->fact[k].text);
        if (at >= 0) found[at] = (finding){true, i->fact[k].tells && often ? i->wrong : 0};
    }
    add_to_tally(t, found, i->wrong > 0 || repairs); /* these must be right everywhere */
    free(found);
    return true;
}

/* True if the readings can't be run: their ops are run by formulas elsewhere, so it is memory. */
static bool ran_out(const inspection *i) {
    const char *error = spor_error(i->site.tape);
    if (!error) error = spor_program_error(i->program);
    return error != NULL;
}

static bool inspect(hint_tally *t, sighting *at, int pair, bool first, bool repairs) {
    inspection *i = malloc(sizeof *i);
    if (!i) return false;
    bool done = open_inspection(i, at, pair, first ? NULL : t, repairs) && !ran_out(i);
    bool runs = done && !spor_program_error(i->program) && !spor_error(i->site.tape);
    const spor_tape *tape = i->site.tape; /* a reading that can't be recorded is none */
    if (done && !runs) done = !tape->exhausted && (spor_error(tape) || i->program->meaningless);
    for (int draw = 0; draw < at->draws && done && runs; draw++) done = inspect_draw(i, draw);
    if (done && runs) done = tally_inspection(t, i, first, repairs);
    close_inspection(i);
    free(i);
    return done;
}

/* True if enough speaks for it, and nothing against it; shapes: where the pair is wrong. */
static bool is_sure(const hint_tally *t, int k, int shapes, bool repairs) {
    int least = t->say[k].fact ? LEAST_FOR_FACTS : LEAST_SHAPES;
    int draws = repairs ? LEAST_DRAWS_REPAIRED : LEAST_DRAWS;
    if (shapes < least) least = shapes;
    return !t->say[k].out && t->say[k].shapes >= least && t->say[k].draws >= draws;
}

/* What readings and facts say of the pair, or repairs; "" if nothing. */
static bool name_by(sightings *all, int pair, bool repairs, char *text, size_t size) {
    hint_tally *t = calloc(1, sizeof *t);
    int first = 0, shapes = 0;
    bool done = t != NULL;
    while (first < all->count && !sighting_is_wrong(&all->seen[first], pair)) first++;
    if (done && first < all->count) done = inspect(t, &all->seen[first], pair, true, repairs);
    for (int k = 0; k < all->count && done && t->count; k++) {
        shapes += sighting_is_wrong(&all->seen[k], pair);
        if (k != first) done = inspect(t, &all->seen[k], pair, false, repairs);
    }
    for (int k = 0; done && k < t->count && !*text; k++)
        if (is_sure(t, k, shapes, repairs)) snprintf(text, size, "%s", t->say[k].text);
    free(t);
    return done;
}

/* What may be said of the pair, "" if nothing. */
static bool name_pair(sightings *all, int pair, char *text, size_t size) {
    *text = 0;
    return name_by(all, pair, false, text, size) && (*text || name_by(all, pair, true, text, size));
}

/* ---- the pairs that are wrong ---- */

static int64_t elements_of(const sighting *s) {
    int64_t sum = 0;
    for (int k = 0; k < s->trial.in.inputs; k++) sum += trial_size(&s->trial, k);
    return sum;
}

/* Where the pair is wrong: the case shown if it is there, else the smallest one there is. */
static bool find_case(sightings *all, int pair, sighting **at, int *draw) {
    *at = NULL;
    for (int k = 0; k < all->count; k++) {
        sighting *s = &all->seen[k];
        if (!sighting_is_wrong(s, pair)) continue;
        if (!*at || s->smallest || elements_of(s) < elements_of(*at)) *at = s;
    }
    if (*at) *draw = sighting_first_wrong(*at, pair);
    return *at != NULL;
}

static bool describe_numbers(sighting *at, int draw, int pair, spor_wrong *w) {
    const spor_pair *p = &at->trial.in.pair[pair];
    int64_t worst = 0;
    double a, b;
    sighting_use(at, draw);
    if (!trial_run(&at->trial)) return false;
    w->shape = spor_shape_of(p->expected);
    w->elements = shape_size(&w->shape);
    if (!sighting_count(at, pair, NULL, &w->wrong, &worst)) return false;
    shape_unravel(&w->shape, worst, w->index);
    w->formula = trial_value(&at->trial, p->formula, worst, &a);
    w->expected = trial_value(&at->trial, p->expected, worst, &b);
    w->bound = a + b;
    w->ulps = verdict_ulps(w->formula, w->expected, SPOR_F64);
    return true;
}

static bool add_other(sightings *all, int pair, bool has_data, spor_counterexample *e) {
    sighting *at;
    int draw;
    if (e->others == SPOR_OTHERS || !find_case(all, pair, &at, &draw)) return true;
    spor_wrong *w = &e->other[e->others++];
    spor_instance in = at->trial.in;
    *w = (spor_wrong){.elsewhere = !has_data || !at->smallest || draw > 0};
    in.pair[pair].formula = at->formula[pair];
    snprintf(w->pair_name, sizeof w->pair_name, "%s", in.pair[pair].name);
    snprintf(w->pair_note, sizeof w->pair_note, "%s", in.pair[pair].note ? in.pair[pair].note : "");
    memcpy(w->value, at->trial.value, sizeof w->value);
    if (axes_misfit(all->statement, at->trial.value, &in, pair, w->message, sizeof w->message))
        return strcmp(w->message, e->message) || (e->others--, true);
    return describe_numbers(at, draw, pair, w);
}

/* The one that the example names, by its number or by its shape. */
static bool is_shown(const sightings *all, int pair, int shown, const spor_counterexample *e) {
    char text[320];
    if (shown >= 0 || !all->count) return pair == shown;
    const sighting *last = &all->seen[all->count - 1];
    spor_instance in = last->trial.in;
    in.pair[pair].formula = last->formula[pair];
    return last->smallest &&
           axes_misfit(all->statement, last->trial.value, &in, pair, text, sizeof text) &&
           !strcmp(text, e->message);
}

static bool describe_pairs(sightings *all, int shown, bool has_data, spor_counterexample *e) {
    bool done = true;
    for (int pair = 0; all->count && pair < all->seen[0].trial.in.pairs && done; pair++) {
        int before = e->others;
        if (is_shown(all, pair, shown, e)) {
            done = name_pair(all, pair, e->pattern, sizeof e->pattern);
            continue;
        }
        done = add_other(all, pair, has_data, e);
        if (done && e->others > before)
            done = name_pair(all, pair, e->other[before].pattern, sizeof e->other[before].pattern);
    }
    return done;
}

bool hint_describe(const spor_trial *smallest, int pair, const spor_effort *effort,
                   spor_counterexample *example) {
    sightings *all = calloc(1, sizeof *all);
    if (!all) return false;
    all->statement = smallest->statement;
    all->effort = effort;
    bool done = sightings_find(all, smallest) &&
                describe_pairs(all, pair, smallest->recording == SPOR_RECORDED, example);
    for (int k = 0; k < all->count; k++) sighting_free(&all->seen[k]);
    free(all);
    return done;
}
