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

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "kernels/rounding.h"

/* ---- preparing ---- */

/* False with a message if the arrays cannot be judged. */
static bool check_given(const spor_arrays *a, spor_message *message) {
    if (!a->y.id)
        return message_complain(message, "%s",
                                a->y.tape && spor_error(a->y.tape) ? spor_error(a->y.tape)
                                                                   : "y was never recorded");
    int inputs = a->inputs;
    for (int k = 0; k < a->claims; k++) inputs += a->claim[k].before != NULL;
    if (inputs >= SPOR_INPUTS)
        return message_complain(message, "%d inputs, but at most %d", inputs, SPOR_INPUTS - 1);
    for (int k = 0; k < a->inputs; k++)
        if (!a->value[k]) return message_complain(message, "the numbers of input %d are NULL", k);
    for (int k = 0; k < a->claims; k++)
        if (!a->claim[k].name || !a->claim[k].claimed)
            return message_complain(message, "claim %d has no name or no numbers: NULL", k);
    for (int k = 0; k < a->claims; k++)
        if (a->claim[k].wrt < SPOR_OF_Y || a->claim[k].wrt >= a->inputs)
            return message_complain(message, "%s is claimed for input %d of %d", a->claim[k].name,
                                    a->claim[k].wrt, a->inputs);
    for (int k = 0; k < a->claims; k++)
        if (a->claim[k].wrt == SPOR_OF_Y && a->claim[k].of.id && a->claim[k].of.tape != a->y.tape)
            return message_complain(message, "%s is of another tape than y", a->claim[k].name);
    for (int k = 0; k < a->claims; k++)
        if ((unsigned)a->claim[k].stored >= SPOR_STORED_KINDS)
            return message_complain(message, "%s is stored in what is no spor_stored",
                                    a->claim[k].name);
    if (a->y.tape->leaves)
        return message_complain(message, "the tape has parameters; judge it with inputs for them");
    if (a->arithmetic > SPOR_F64)
        return message_complain(message, "claims are in float or in double");
    return true;
}

static bool copy_data(judgement *j, int k) {
    const double *from = j->from[k];
    spor_shape shape = spor_shape_of(j->trial.in.input[k]);
    int64_t size = shape_size(&shape);
    double *data = j->trial.data[k] = malloc(bytes_for(size + 1, sizeof *data));
    for (int64_t i = 0; data && i < size; i++) data[i] = from ? from[i] : 1;
    return data != NULL;
}

/* An input of numbers that are given. */
static spor_var add_input(judgement *j, const char *name, spor_shape shape, const double *from) {
    spor_instance *in = &j->trial.in;
    spor_var x = spor_input(j->trial.tape, name, shape);
    j->from[in->inputs] = from;
    in->input[in->inputs++] = x;
    return x;
}

/* What the claim should be: the gradient d, added to what was there before. */
static spor_var expected_of(judgement *j, const spor_claim *claim, spor_var d) {
    char name[80];
    if (!claim->before) return d;
    snprintf(name, sizeof name, "before %.64s", claim->name);
    return spor_add(add_input(j, name, spor_shape_of(d), claim->before), d);
}

/* A pair of the trial for each gradient. */
static bool record_gradients(judgement *j, spor_var dy) {
    const spor_arrays *a = j->given;
    spor_instance *in = &j->trial.in;
    spor_var wrt[SPOR_PAIRS], d[SPOR_PAIRS];
    for (int k = 0; k < a->claims; k++) {
        const spor_claim *claim = &a->claim[k];
        j->claim[k].pair = claim->wrt == SPOR_OF_Y ? -1 : in->pairs;
        if (claim->wrt == SPOR_OF_Y) continue;
        wrt[in->pairs] = a->input[claim->wrt];
        in->pair[in->pairs++] = (spor_pair){.name = claim->name, .wrt = claim->wrt};
    }
    in->claimed = a->y.tape->count;
    bool done = spor_vjp(a->y, dy, in->pairs, wrt, d);
    for (int k = 0; done && k < in->pairs; k++) in->pair[k].formula = in->pair[k].expected = d[k];
    return done;
}

static spor_var value_of(const spor_arrays *a, const spor_claim *claim) {
    return claim->of.id ? claim->of : a->y;
}

/* Appends the backward pass: what each claim should be. */
static bool record(judgement *j) {
    const spor_arrays *a = j->given;
    spor_instance *in = &j->trial.in;
    j->trial.tape = a->y.tape;
    memcpy(in->input, a->input, (size_t)a->inputs * sizeof *a->input);
    memcpy(in->range, a->range, (size_t)a->inputs * sizeof *a->range);
    memcpy(j->from, a->value, (size_t)a->inputs * sizeof *a->value);
    in->inputs = in->dy = a->inputs;
    spor_var dy = add_input(j, "dy", spor_shape_of(a->y), a->cotangent);
    in->y = a->y;
    if (!record_gradients(j, dy)) return false;
    for (int k = 0; k < a->claims; k++) {
        const spor_claim *claim = &a->claim[k];
        int pair = j->claim[k].pair;
        spor_var is = pair < 0 ? value_of(a, claim) : in->pair[pair].expected;
        j->claim[k].expected = expected_of(j, claim, is);
    }
    return spor_error(a->y.tape) == NULL;
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
    bool steps = !steps_are_misled(j->given->y);
    if (steps) j->trial.step = spor_compile(j->given->y.tape, 1, &j->given->y, NULL, &options);
    if (!j->runs || (steps && !j->trial.step)) return false;
    char *message = j->message->text;
    size_t size = sizeof j->message->text;
    return trial_affords(j->runs, j->trial.in.input[0], message, size) &&
           (!steps || trial_affords(j->trial.step, j->given->y, message, size));
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
        if (!copy_data(j, k)) return false;
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

bool arrays_prepare_worst(judgement *j) {
    if (j->worst) return true;
    j->worst = compile_claims(j, SPOR_ROUNDING);
    if (!j->worst) return false;
    for (int k = 0; k < j->trial.in.inputs && !spor_program_error(j->worst); k++)
        rounding_fill(j->worst, j->trial.in.input[k], j->trial.data[k], j->given->arithmetic);
    return run(j, j->worst);
}

/* The tape is the caller's. */
static void close_trial(spor_trial *t) {
    near_free(t);
    spor_program_free(t->step);
    spor_program_free(t->plain);
    for (int k = 0; k < SPOR_INPUTS; k++) free(t->data[k]);
}

bool arrays_prepare_near(judgement *j) {
    spor_trial *t = &j->trial;
    if (t->plain) return true;
    if (!plain_record(t))
        return spor_error(t->tape) && message_complain(j->message, "%s", spor_error(t->tape));
    if (!plain_compile(t))
        return t->plain && message_complain(j->message, "%s", spor_program_error(t->plain));
    return trial_affords(t->plain, t->in.pair[0].formula, j->message->text,
                         sizeof j->message->text);
}

/* ---- all claims ---- */

bool arrays_judge_seen(const spor_arrays *arrays, double *off[], spor_verdict verdict[],
                       spor_message *message) {
    *message->text = 0;
    if (!check_given(arrays, message)) return true;
    judgement *j = calloc(1, sizeof *j);
    if (!j) return false;
    j->given = arrays;
    j->message = message;
    j->off = off;
    j->unit = unit_of(arrays->arithmetic);
    bool done = prepare(j);
    if (done) arrays_measure(j);
    done = done && arrays_steps(j) && arrays_find(j) && (arrays->ties_bind || arrays_excuse(j));
    for (int k = 0; done && k < arrays->claims; k++) done = arrays_judge_claim(j, k, &verdict[k]);
    spor_program_free(j->runs);
    spor_program_free(j->worst);
    close_trial(&j->trial);
    for (int k = 0; k < arrays->claims; k++) free(j->claim[k].found);
    free(j);
    return done || *message->text;
}

bool arrays_judge(const spor_arrays *arrays, spor_verdict verdict[], spor_message *message) {
    return arrays_judge_seen(arrays, NULL, verdict, message);
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
    if (!verdict) return false;
    *verdict = (spor_verdict){.outcome = SPOR_HOLDS};
    if (!arrays) return false;
    spor_verdict *each = calloc((size_t)arrays->claims + 1, sizeof *each);
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
