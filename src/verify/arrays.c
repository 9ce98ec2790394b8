/*
 * Arrays that other code computed, judged at given numbers.
 *
 * The tape runs over SPOR_ROUNDING: each element knows its value and what other code in the claimed
 * arithmetic may be off by, whatever the order of its sums.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "kernels/rounding.h"
#include "verify/verify.h"

enum { ORACLE_ELEMENTS = 30 };

/* The judgement while it goes on. expected[k]: what claim k should be. */
typedef struct {
    const spor_arrays *given;
    spor_trial trial; /* tape, inputs with dy as the last one, data, complex program */
    spor_program *program;
    spor_var expected[SPOR_PAIRS];
    double unit, scale;
    spor_message *message;
} judgement;

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

/* Appends the backward pass: expected[k] for all claims. */
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
        j->expected[k] = a->claim[k].wrt == SPOR_OF_Y ? a->y : d[n++];
    return true;
}

static bool compile(judgement *j) {
    const spor_arrays *a = j->given;
    spor_options options = {.scalar = SPOR_ROUNDING, .reference = true};
    j->program = spor_compile(a->y.tape, a->claims, j->expected, NULL, &options);
    spor_var y[] = {a->y};
    options.scalar = SPOR_C128;
    j->trial.step = spor_compile(a->y.tape, 1, y, NULL, &options);
    if (!j->program || !j->trial.step) return false;
    char *message = j->message->text;
    size_t size = sizeof j->message->text;
    return trial_affords(j->program, j->trial.in.input[0], message, size) &&
           trial_affords(j->trial.step, a->y, message, size);
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
    *error = rounding_error(at, rounding_unit(at));
    return at.v;
}

/* ---- running ---- */

/* Runs the tape at the numbers; false with the message, or without one when memory runs out. */
static bool prepare(judgement *j) {
    const spor_arrays *a = j->given;
    if (!record(j)) return message_complain(j->message, "%s", spor_error(a->y.tape)), false;
    if (!compile(j)) return false;
    for (int k = 0; k < j->trial.in.inputs; k++)
        if (!copy_data(j, k, k < a->inputs ? a->value[k] : a->cotangent)) return false;
    for (int k = 0; k < j->trial.in.inputs && !spor_program_error(j->program); k++) {
        spor_var input = j->trial.in.input[k];
        spor_shape shape = spor_shape_of(input);
        rounding_fill(j->program, input, j->trial.data[k], a->arithmetic);
        trial_fill(j->trial.step, input, j->trial.data[k], shape_size(&shape));
    }
    if (!spor_program_error(j->program) && spor_run(j->program, 0)) return true;
    const char *error = spor_program_error(j->program);
    return message_complain(j->message, "%s", error ? error : "out of memory");
}

/* ---- judging ---- */

/* Values and allowances of the expected array of claim k. Our own double is off by as much in its
 * unit; what is too small for full precision loses last places of the smallest numbers. */
static void expect(judgement *j, int k, int64_t size, double expected[], double allowed[]) {
    double own = 0x1p-53 / j->unit, least = j->unit > 0x1p-50 ? 0x1p-140 : 0x1p-1065;
    for (int64_t i = 0; i < size; i++) {
        double error;
        expected[i] = rounding_value(j->program, j->expected[k], i, &error);
        allowed[i] = error > 0 ? (1 + own) * error + least : error;
    }
}

static double largest(const double expected[], int64_t size) {
    double most = 0;
    for (int64_t i = 0; i < size; i++) most = fmax(most, fabs(expected[i]));
    return most;
}

/* The largest value of all claims: what is far below it is as good as 0. */
static void find_scale(judgement *j) {
    for (int k = 0; k < j->given->claims; k++) {
        spor_shape shape = spor_shape_of(j->expected[k]);
        for (int64_t i = 0; i < shape_size(&shape); i++) {
            double error, value = rounding_value(j->program, j->expected[k], i, &error);
            j->scale = fmax(j->scale, fabs(value));
        }
    }
}

/* An allowance that reaches this decides nothing: it is larger than all values of the array, and
 * not small beside those of the other arrays. */
static double decisive(const judgement *j, const double expected[], int64_t size) {
    double most = verdict_reach(largest(expected, size), j->scale);
    return most > 0 ? most : HUGE_VAL;
}

/* The worst element, -1 if none is wrong. */
static int64_t compare(const judgement *j, int claim, const double expected[],
                       const double allowed[], int64_t size, spor_verdict *v) {
    const double *claimed = j->given->claim[claim].claimed;
    int64_t worst = -1;
    double least = decisive(j, expected, size);
    for (int64_t i = 0; i < size; i++) {
        double difference = fabs(claimed[i] - expected[i]);
        if (!(allowed[i] < least) && !isnan(difference)) continue;
        v->comparisons++;
        v->nonzero += expected[i] != 0;
        if (difference <= allowed[i]) {
            v->exact += allowed[i] == 0;
            if (allowed[i] > 0) v->closest = fmax(v->closest, difference / allowed[i]);
            continue;
        }
        v->example.wrong++;
        if (worst < 0 || !(difference <= fabs(claimed[worst] - expected[worst]))) worst = i;
    }
    return worst;
}

static void describe(judgement *j, int k, spor_dispute dispute, int64_t at, const double expected[],
                     const double allowed[], spor_verdict *v) {
    spor_counterexample *e = &v->example;
    const spor_claim *claim = &j->given->claim[k];
    v->outcome = SPOR_FAILS;
    e->dispute = dispute;
    snprintf(e->pair_name, sizeof e->pair_name, "%s", claim->name);
    e->shape = spor_shape_of(j->expected[k]);
    shape_unravel(&e->shape, at, e->index);
    e->formula = claim->claimed[at];
    e->expected = expected[at];
    e->bound = allowed[at];
    e->ulps = verdict_ulps(e->formula, e->expected, j->given->arithmetic);
    e->elements = shape_size(&e->shape);
    trial_write(&j->trial, e->data, sizeof e->data);
}

/* Asks the complex step about element at; true if it says what the tape says, both in double. */
static bool ask(judgement *j, int k, int64_t at, double *oracle, bool *agrees) {
    double slack, error, expected = rounding_value(j->program, j->expected[k], at, &error);
    *agrees = true;
    if (!trial_derivative(&j->trial, j->given->claim[k].wrt, at, oracle, &slack)) return false;
    *agrees = fabs(expected - *oracle) <= 2 * error * (0x1p-53 / j->unit) + slack;
    return true;
}

/* The tape against complex steps, on a sample of claim k's elements and at the worst one. */
static bool ask_oracle(judgement *j, int k, int64_t worst, const double expected[],
                       const double allowed[], int64_t size, spor_verdict *v) {
    int64_t most = j->given->oracle ? j->given->oracle : ORACLE_ELEMENTS;
    int64_t stride = 1 + (size - 1) / most;
    bool agrees = true;
    double oracle = (double)NAN;
    v->example.oracle = (double)NAN;
    v->example.by = SPOR_BY_COMPLEX_STEP;
    if (j->given->claim[k].wrt == SPOR_OF_Y || spor_program_error(j->trial.step)) return true;
    if (worst >= 0 && !ask(j, k, worst, &v->example.oracle, &agrees)) return false;
    for (int64_t i = 0; i < size; i += stride, v->asked[SPOR_BY_COMPLEX_STEP]++) {
        if (!ask(j, k, i, &oracle, &agrees)) return false;
        if (agrees || worst >= 0) continue;
        describe(j, k, SPOR_TAPE_ORACLE, i, expected, allowed, v);
        v->example.oracle = oracle;
        return true;
    }
    return true;
}

static void name_pattern(judgement *j, int k, const double expected[], const double allowed[],
                         spor_verdict *v) {
    spor_picture picture = {
        .shape = v->example.shape,
        .formula = j->given->claim[k].claimed,
        .expected = expected,
        .bound = allowed,
        .slack = j->given->arithmetic == SPOR_F32 ? 0x1p-18 : 0x1p-40,
        .slides = pattern_slides(j->trial.tape, j->given->y),
    };
    pattern_name(&picture, v->example.pattern, sizeof v->example.pattern);
}

static bool judge_claim(judgement *j, int k, spor_verdict *v) {
    spor_shape shape = spor_shape_of(j->expected[k]);
    int64_t size = shape_size(&shape);
    double *expected = malloc(bytes_for(2 * size, sizeof *expected)), *allowed = expected + size;
    *v = (spor_verdict){.outcome = SPOR_HOLDS, .shapes = 1};
    if (!expected) return false;
    expect(j, k, size, expected, allowed);
    int64_t worst = compare(j, k, expected, allowed, size, v);
    bool done = ask_oracle(j, k, worst, expected, allowed, size, v);
    if (done && worst >= 0) {
        describe(j, k, SPOR_FORMULA_TAPE, worst, expected, allowed, v);
        name_pattern(j, k, expected, allowed, v);
    }
    if (!v->comparisons) v->outcome = SPOR_NOTHING_EXAMINED;
    free(expected);
    return done;
}

bool arrays_judge(const spor_arrays *arrays, spor_verdict verdict[], spor_message *message) {
    judgement j = {.given = arrays, .message = message};
    j.unit = unit_of(arrays->arithmetic);
    *message->text = 0;
    if (!check_given(arrays, message)) return true;
    bool done = prepare(&j);
    if (done) find_scale(&j);
    for (int k = 0; done && k < arrays->claims; k++) done = judge_claim(&j, k, &verdict[k]);
    spor_program_free(j.program);
    spor_program_free(j.trial.step);
    for (int k = 0; k < SPOR_INPUTS; k++) free(j.trial.data[k]);
    return done || *message->text;
}

/* ---- one verdict ---- */

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
        for (int k = 0; k < arrays->claims; k++) verdict_add(verdict, &each[k]);
        if (!verdict->nonzero && verdict->outcome == SPOR_HOLDS)
            verdict->outcome = SPOR_NOTHING_EXAMINED;
    }
    verdict->shapes = 1; /* of all claims together */
    free(each);
    return done;
}
