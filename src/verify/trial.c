/* One instance: recorded at given sizes, compiled, filled with data, compared. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/random.h"
#include "verify/verify.h"

/* A power of two, so that on integers complex steps are exact, and small enough that products of
 * two imaginary parts underflow to 0. */
static const double complex_step = 0x1p-540;
/* A derivative below 2^-534 leaves no imaginary part; 2^34 for what amplifies it on the way. */
static const double lost_in_step = 0x1p-500;

enum { DRAWS = SPOR_DRAWS, ORACLE_ELEMENTS = 96 };

/* ---- making ---- */

static void broken(spor_trial *trial, const char *text) {
    trial->recording = SPOR_BROKEN;
    snprintf(trial->in.message, sizeof trial->in.message, "%s", text);
}

/* Sizes as the statement names them: [N=2, 3]; a size that several names share gets the first. */
static void named_shape(const spor_trial *trial, const spor_shape *shape, char *text, size_t size) {
    spor_signature_operand names = {.axes = shape->rank};
    for (int k = 0; k < shape->rank; k++)
        for (int q = trial->statement->quantities - 1; q >= 0; q--)
            if (trial->value[q] == shape->n[k])
                snprintf(names.axis[k], SPOR_NAME, "%.*s", SPOR_NAME - 1,
                         trial->statement->quantity[q].name);
    spor_shape_text(shape, &names, text, size);
}

/* A formula of another shape is a wrong formula. */
static void check_shapes(spor_trial *trial) {
    for (int k = 0; k < trial->in.pairs && trial->recording == SPOR_RECORDED; k++) {
        const spor_pair *pair = &trial->in.pair[k];
        spor_shape formula = spor_shape_of(pair->formula), expected = spor_shape_of(pair->expected);
        if (spor_shape_equal(&formula, &expected)) continue;
        char a[160], b[160], text[480];
        named_shape(trial, &formula, a, sizeof a);
        named_shape(trial, &expected, b, sizeof b);
        snprintf(text, sizeof text, "%s is %s but must be %s", pair->name, a, b);
        broken(trial, text);
    }
}

static bool compile_trial(spor_trial *trial) {
    spor_var outputs[2 * SPOR_PAIRS];
    for (int k = 0; k < trial->in.pairs; k++) {
        outputs[2 * k] = trial->in.pair[k].formula;
        outputs[2 * k + 1] = trial->in.pair[k].expected;
    }
    spor_options options = {.scalar = SPOR_BOUND, .reference = true};
    trial->bound = spor_compile(trial->tape, 2 * trial->in.pairs, outputs, NULL, &options);
    if (!trial->bound) return false;
    if (spor_program_error(trial->bound)) broken(trial, spor_program_error(trial->bound));
    if (!trial->in.y.id) return true;
    options.scalar = SPOR_C128;
    trial->step = spor_compile(trial->tape, 1, &trial->in.y, NULL, &options);
    return trial->step != NULL;
}

static bool take_data(spor_trial *trial) {
    for (int k = 0; k < trial->in.inputs; k++) {
        spor_shape shape = spor_shape_of(trial->in.input[k]);
        trial->data[k] = calloc(1, bytes_for(spor_size(&shape) + 1, sizeof(double)));
        if (!trial->data[k]) return false;
    }
    return true;
}

bool spor_trial_make(const spor_statement *statement, const int64_t value[], spor_trial *trial) {
    *trial = (spor_trial){.statement = statement, .tape = spor_tape_new()};
    memcpy(trial->value, value, (size_t)statement->quantities * sizeof *value);
    if (!trial->tape) return false;
    trial->recording = statement->record(statement->user, trial->tape, value, &trial->in);
    if (trial->recording == SPOR_RECORDED && spor_error(trial->tape))
        broken(trial, spor_error(trial->tape));
    check_shapes(trial);
    if (trial->recording != SPOR_RECORDED) return true;
    return compile_trial(trial) && take_data(trial);
}

void spor_trial_free(spor_trial *trial) {
    for (int k = 0; k < SPOR_INPUTS; k++) free(trial->data[k]);
    spor_program_free(trial->bound);
    spor_program_free(trial->step);
    spor_tape_free(trial->tape);
    *trial = (spor_trial){0};
}

/* ---- data ---- */

static int64_t input_size(const spor_trial *trial, int k) {
    spor_shape shape = spor_shape_of(trial->in.input[k]);
    return spor_size(&shape);
}

/* The narrowest domain that an op of the tape asks for. */
static spor_domain domain_of(const spor_tape *tape) {
    spor_domain domain = SPOR_ANY;
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_op *op = tape->node[id].op;
        for (int k = 0; k < op->operands; k++)
            if (op->domain[k] == SPOR_POSITIVE || op->domain[k] == SPOR_NONZERO)
                return SPOR_POSITIVE;
        if (op->traits & SPOR_KINKED) domain = SPOR_TIE_FREE;
    }
    return domain;
}

/* Distinct odd multiples of 1/8, in random order, around 0: no ties, none at a kink. The last draw
 * moves each by less than the least of them. */
static void draw_tie_free(double *data, int64_t size, uint64_t seed) {
    int64_t shift = size % 2 ? 2 * (int64_t)(spor_hash(seed, 0, 7) % 2) : 1;
    for (int64_t k = 0; k < size; k++) data[k] = (double)(2 * k - size + shift) / 8;
    for (int64_t k = size - 1; k > 0; k--) {
        int64_t other = (int64_t)(spor_hash(seed, (uint64_t)k, 7) % (uint64_t)(k + 1));
        double held = data[k];
        data[k] = data[other];
        data[other] = held;
    }
}

/* Integers -3 .. 3; the last draw takes reals. Positive: 1 .. 4, reals 0.5 .. 2.5. */
static double draw_element(uint64_t seed, int64_t k, int draw, bool positive) {
    double u = spor_uniform(seed, (uint64_t)k, 11);
    if (draw == DRAWS - 1) return positive ? 0.5 + 2 * u : 4 * u - 2;
    return positive ? 1 + floor(4 * u) : floor(7 * u) - 3;
}

void spor_trial_draw(spor_trial *trial, uint64_t seed, int draw) {
    spor_domain domain = domain_of(trial->tape);
    for (int k = 0; k < trial->in.inputs; k++) {
        uint64_t key = spor_hash(seed, (uint64_t)draw, (uint64_t)k);
        int64_t size = input_size(trial, k);
        if (domain == SPOR_TIE_FREE) draw_tie_free(trial->data[k], size, key);
        for (int64_t j = 0; j < size && domain == SPOR_TIE_FREE && draw == DRAWS - 1; j++)
            trial->data[k][j] += 0.2 * spor_uniform(key, (uint64_t)j, 13) - 0.1;
        for (int64_t j = 0; j < size && domain != SPOR_TIE_FREE; j++)
            trial->data[k][j] = draw_element(key, j, draw, domain == SPOR_POSITIVE);
    }
}

/* ---- comparing ---- */

/* Both programs' elements are two doubles: value and bound, or real and imaginary part. */
void spor_trial_fill(spor_program *program, spor_var input, const double *data, int64_t size) {
    double *to = spor_program_arg(program, input).data;
    for (int64_t k = 0; k < size; k++) {
        to[2 * k] = data[k];
        to[2 * k + 1] = 0;
    }
}

double spor_trial_value(spor_trial *trial, spor_var x, int64_t k, double *bound) {
    const double *element = (const double *)spor_program_arg(trial->bound, x).data + 2 * k;
    if (bound) *bound = element[1];
    return element[0];
}

/* Keeps the finding if it is worse than what was found in this pair. */
static void keep_worst(spor_finding *finding, const spor_finding *next) {
    int64_t wrong = finding->failed ? finding->wrong : 0;
    bool worse = !finding->failed || !(fabs(next->formula - next->expected) <=
                                       fabs(finding->formula - finding->expected));
    if (worse) *finding = *next;
    finding->failed = true;
    finding->wrong = wrong + 1;
}

static void note_passed(spor_verdict *verdict, double difference, double bound) {
    verdict->exact += bound == 0;
    if (bound > 0 && difference / bound > verdict->closest) verdict->closest = difference / bound;
}

static void compare_pair(spor_trial *trial, int pair, spor_verdict *verdict,
                         spor_finding *finding) {
    const spor_pair *p = &trial->in.pair[pair];
    spor_shape shape = spor_shape_of(p->expected);
    if (pair >= verdict->pairs) verdict->pairs = pair + 1;
    for (int64_t k = 0; k < spor_size(&shape); k++) {
        double bound_formula, bound_expected;
        double formula = spor_trial_value(trial, p->formula, k, &bound_formula);
        double expected = spor_trial_value(trial, p->expected, k, &bound_expected);
        double bound = bound_formula + bound_expected, difference = fabs(formula - expected);
        if (isinf(bound)) { /* lost in rounding: it may be anything */
            verdict->undecided++;
            continue;
        }
        verdict->comparisons++;
        verdict->compared[pair]++;
        verdict->nonzero += expected != 0;
        if (difference <= bound) {
            note_passed(verdict, difference, bound);
            continue;
        }
        spor_finding here = {.dispute = SPOR_FORMULA_TAPE,
                             .pair = pair,
                             .at = k,
                             .formula = formula,
                             .expected = expected,
                             .oracle = (double)NAN,
                             .bound = bound};
        keep_worst(finding, &here);
    }
}

bool spor_trial_compare(spor_trial *trial, spor_verdict *verdict, spor_finding *finding) {
    *finding = (spor_finding){0};
    for (int k = 0; k < trial->in.inputs; k++)
        spor_trial_fill(trial->bound, trial->in.input[k], trial->data[k], input_size(trial, k));
    if (!spor_run(trial->bound, 0)) return false;
    for (int k = 0; k < trial->in.pairs && !finding->failed; k++)
        compare_pair(trial, k, verdict, finding);
    return true;
}

/* ---- complex steps ---- */

/* The slack: each node adds at most a few units of 2^-53 to every term. */
bool spor_trial_derivative(spor_trial *trial, int input, int64_t k, double *derivative,
                           double *slack) {
    double *z = spor_program_arg(trial->step, trial->in.input[input]).data;
    z[2 * k + 1] = complex_step;
    if (!spor_run(trial->step, 0)) return false;
    spor_arg y = spor_program_arg(trial->step, trial->in.y);
    const double *part = y.data, *dy = trial->data[trial->in.dy];
    double sum = 0, magnitude = 0, weight = 0;
    for (int64_t j = 0; j < spor_size(&y.shape); j++) {
        double term = dy[j] * (part[2 * j + 1] / complex_step);
        sum += term;
        magnitude += fabs(term);
        weight += fabs(dy[j]);
    }
    z = spor_program_arg(trial->step, trial->in.input[input]).data;
    z[2 * k + 1] = 0; /* only now: y may be the input itself */
    *derivative = sum;
    *slack = 0x1p-51 * (double)(trial->tape->count + (uint32_t)spor_size(&y.shape)) * magnitude +
             lost_in_step * weight;
    return true;
}

static bool check_element(spor_trial *trial, int pair, int64_t k, spor_verdict *verdict,
                          spor_finding *finding) {
    const spor_pair *p = &trial->in.pair[pair];
    double bound, oracle, slack, formula_bound;
    double expected = spor_trial_value(trial, p->expected, k, &bound);
    double formula = spor_trial_value(trial, p->formula, k, &formula_bound);
    if (!spor_trial_derivative(trial, p->wrt, k, &oracle, &slack)) return false;
    verdict->oracle++;
    /* the oracle's operations are the gradient's, forwards: twice its bound, and the slack */
    double allowed = 2 * (bound > formula_bound ? bound : formula_bound) + slack;
    if (fabs(expected - oracle) <= allowed && fabs(formula - oracle) <= allowed) return true;
    spor_finding here = {.dispute = SPOR_TAPE_ORACLE,
                         .pair = pair,
                         .at = k,
                         .formula = formula,
                         .expected = expected,
                         .oracle = oracle,
                         .bound = allowed};
    keep_worst(finding, &here);
    return true;
}

bool spor_trial_oracle(spor_trial *trial, spor_verdict *verdict, spor_finding *finding) {
    *finding = (spor_finding){0};
    if (!trial->step || spor_program_error(trial->step)) return true;
    for (int k = 0; k < trial->in.inputs; k++)
        spor_trial_fill(trial->step, trial->in.input[k], trial->data[k], input_size(trial, k));
    for (int pair = 0; pair < trial->in.pairs; pair++) {
        int wrt = trial->in.pair[pair].wrt;
        if (wrt < 0) continue;
        int64_t size = input_size(trial, wrt), stride = 1 + (size - 1) / ORACLE_ELEMENTS;
        for (int64_t k = 0; k < size; k += stride)
            if (!check_element(trial, pair, k, verdict, finding)) return false;
        if (finding->failed) return true;
    }
    return true;
}

/* ---- all of it ---- */

bool spor_trial_examine(spor_trial *trial, const spor_effort *effort, int64_t *budget,
                        spor_verdict *verdict, spor_finding *finding) {
    int draws = trial->in.inputs ? DRAWS : 1;
    bool proved = false;
    /* asked once on integers and once on reals; where there are kinks on reals only: sums of
     * products of round numbers are 0 too often */
    bool kinked = domain_of(trial->tape) == SPOR_TIE_FREE;
    for (int draw = 0; draw < draws; draw++) {
        spor_trial_draw(trial, effort->seed, draw);
        if (!spor_trial_compare(trial, verdict, finding)) return false;
        if (finding->failed) return true;
        bool asks_oracle = draw == DRAWS - 1 || (draw == 0 && !kinked);
        if (asks_oracle && !spor_trial_oracle(trial, verdict, finding)) return false;
        if (finding->failed) return true;
    }
    if (!spor_trial_prove(trial, budget, &proved, verdict, finding)) return false;
    verdict->proved += proved && trial->in.inputs;
    return true;
}
