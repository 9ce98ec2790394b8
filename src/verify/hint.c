/*
 * What the mistakes of a statement look like. Each wrong pair is read at several shapes and draws
 * of data, the smallest case and the data shown among them: a reading is said only if it explains
 * all numbers everywhere, and where they are wrong often enough.
 */
#include "verify/hint.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "program/program.h"

enum {
    SIGHTINGS = 10,    /* shapes, besides the smallest one */
    TRIES = 60,        /* to find them */
    DRAWN = 3,         /* draws of data */
    DRAWS = DRAWN + 1, /* and the data shown */
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

/* The statement at one shape, with the data of several draws. */
typedef struct {
    const spor_statement *statement;
    const spor_effort *effort;
    spor_statement fitted; /* records pairs of one shape only */
    spor_trial trial;
    spor_var formula[SPOR_PAIRS]; /* as claimed, of whatever shape */
    bool misfit[SPOR_PAIRS];
    bool usable, smallest, shown; /* shown: draw 0 is the data shown */
    int draws;
    double *data[DRAWS][SPOR_INPUTS];
    bool wrong[DRAWS][SPOR_PAIRS];
} sighting;

typedef struct {
    const spor_statement *statement;
    const spor_effort *effort;
    int count;
    sighting seen[SIGHTINGS + 1]; /* the smallest one is the last */
} sightings;

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

static void free_sighting(sighting *s) {
    for (int draw = 0; draw < DRAWS; draw++)
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

/* Brings a draw back. */
static void use_draw(sighting *s, int draw) {
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

/* The wrong elements of a pair in the last run; worst: the largest difference. apart, if wanted,
 * marks those that differ and are not judged. False only when memory runs out. */
static bool count_wrong(sighting *s, int pair, bool apart[], int64_t *count, int64_t *worst) {
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
        use_draw(s, draw);
        if (!trial_run(&s->trial)) return false;
        for (int k = 0; k < s->trial.in.pairs; k++) {
            int64_t worst, count;
            if (!count_wrong(s, k, NULL, &count, &worst)) return false;
            s->wrong[draw][k] = s->misfit[k] || count > 0;
        }
    }
    return true;
}

/* Reals where there are ties or kinks, which whole numbers meet; and within the domain. */
static bool draw_all(sighting *s) {
    static const int families[][DRAWN] = {{POINT_WHOLE, POINT_SLIGHT, POINT_REAL},
                                          {POINT_REAL, POINT_SLIGHT, POINT_REAL},
                                          {POINT_WHOLE_WITHIN, POINT_WITHIN, POINT_WITHIN}};
    uint64_t seed = s->effort->seed + 1;
    bool inputs = s->trial.in.inputs > 0;
    int which = inputs && trial_narrow(&s->trial, seed) ? 2 : s->trial.kinked;
    for (int draw = 0; draw < (inputs ? DRAWN : 1); draw++) {
        trial_draw(&s->trial, seed + (uint64_t)draw, families[which][draw]);
        if (!keep_draw(s, s->trial.data)) return false;
    }
    return true;
}

static bool is_out_of_memory(const char *error) {
    return error && strstr(error, "out of memory");
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
    if (!s->usable)
        return !is_out_of_memory(s->trial.in.message) &&
               !is_out_of_memory(spor_error(s->trial.tape));
    bool with_data = shown && shown->recording == SPOR_RECORDED && shown->in.inputs;
    s->shown = with_data;
    if (with_data && !keep_draw(s, shown->data)) return false;
    return draw_all(s) && find_wrong(s);
}

static int first_wrong_draw(const sighting *s, int pair) {
    int draw = 0;
    while (draw < s->draws && !s->wrong[draw][pair]) draw++;
    return draw;
}

static bool is_wrong_anywhere(const sighting *s, int pair) {
    return first_wrong_draw(s, pair) < s->draws;
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
    for (int k = 0; k < s->trial.in.pairs; k++) wrong = wrong || is_wrong_anywhere(s, k);
    if (!wrong && *right == 2) return false;
    *right += !wrong;
    return true;
}

static bool find_sightings(sightings *all, const spor_trial *smallest) {
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
            free_sighting(next);
        if (!done) return false;
    }
    sighting *last = &all->seen[all->count];
    if (!make_sighting(last, all, smallest->value, smallest)) return free_sighting(last), false;
    if (last->usable)
        all->count++;
    else
        free_sighting(last);
    return true;
}

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
    use_draw(i->at, draw);
    memset(i->apart, 0, (size_t)shape_size(&shape) * sizeof *i->apart);
    if (!trial_run(&i->at->trial) || !count_wrong(i->at, i->pair, i->apart, &count, &worst))
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
    for (int k = 0; k < i->facts; k++) {
        int at = find_text(t, i->fact[k].text);
        if (at >= 0) found[at] = (finding){true, i->fact[k].tells ? i->wrong : 0};
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
    while (first < all->count && !is_wrong_anywhere(&all->seen[first], pair)) first++;
    if (done && first < all->count) done = inspect(t, &all->seen[first], pair, true, repairs);
    for (int k = 0; k < all->count && done && t->count; k++) {
        shapes += is_wrong_anywhere(&all->seen[k], pair);
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
        if (!is_wrong_anywhere(s, pair)) continue;
        if (!*at || s->smallest || elements_of(s) < elements_of(*at)) *at = s;
    }
    if (*at) *draw = first_wrong_draw(*at, pair);
    return *at != NULL;
}

static bool describe_numbers(sighting *at, int draw, int pair, spor_wrong *w) {
    const spor_pair *p = &at->trial.in.pair[pair];
    int64_t worst = 0;
    double a, b;
    use_draw(at, draw);
    if (!trial_run(&at->trial)) return false;
    w->shape = spor_shape_of(p->expected);
    w->elements = shape_size(&w->shape);
    if (!count_wrong(at, pair, NULL, &w->wrong, &worst)) return false;
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
    bool done = find_sightings(all, smallest) &&
                describe_pairs(all, pair, smallest->recording == SPOR_RECORDED, example);
    for (int k = 0; k < all->count; k++) free_sighting(&all->seen[k]);
    free(all);
    return done;
}
