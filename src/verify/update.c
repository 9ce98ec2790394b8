/*
 * The update is the rule: the optimizer's rule alone, recorded without a network, over SPOR_ROUNDING,
 * from the parameters, gradients and states that a step in float had; its results beside the step's.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "program/params.h"
#include "verify/model.h"
#include "verify/verify.h"

/* The rule on a tape of its own: parameters and gradients are inputs, its states are in params. */
typedef struct {
    const spor_update *update;
    spor_tape *tape;
    spor_params *states;
    spor_program *program;
    int n;
    spor_var *w, *dw, *next;
    spor_message *message;
} ruling;

static bool fail(const ruling *r, const char *error) {
    return error ? message_complain(r->message, "%s", error) : false;
}

/* ---- recording ---- */

static void record_parameters(ruling *r) {
    const spor_tape *network = r->update->bound->tape;
    for (uint32_t k = 0; k < network->leaves; k++) {
        if (!network->leaf[k].trained) continue;
        const spor_node *node = &network->node[network->leaf[k].id];
        r->w[r->n] = spor_input(r->tape, node->name, *node->shape);
        r->dw[r->n++] = spor_input(r->tape, "dw", *node->shape);
    }
}

static bool record(ruling *r, const spor_model_check *check) {
    size_t room = (size_t)r->update->bound->tape->leaves + 1;
    r->tape = spor_tape_new();
    r->w = calloc(room, sizeof *r->w);
    r->dw = calloc(room, sizeof *r->dw);
    r->next = calloc(room, sizeof *r->next);
    if (!r->tape || !r->w || !r->dw || !r->next) return false;
    record_parameters(r);
    spor_scope_begin(r->tape, "optimizer");
    check->optimizer(r->n, r->w, r->dw, r->next, check->user);
    spor_scope_end(r->tape, (spor_var){r->tape, 0});
    return !spor_error(r->tape) || fail(r, spor_error(r->tape));
}

/* The next values, then what states take. */
static bool compile(ruling *r) {
    const spor_options options = {.scalar = SPOR_ROUNDING, .reference = true};
    const spor_program *ran = r->update->bound->program;
    int outputs = r->n + (int)r->tape->assignments;
    spor_var *output = calloc((size_t)outputs + 1, sizeof *output);
    for (int k = 0; output && k < outputs; k++)
        output[k] =
            k < r->n ? r->next[k] : (spor_var){r->tape, r->tape->assignment[k - r->n].value};
    r->states = spor_params_new(SPOR_F64, 0);
    if (output && r->states)
        r->program = spor_compile(r->tape, outputs, output, r->states, &options);
    free(output);
    if (!r->program || !params_settle(r->states)) return false;
    for (int k = 0; spor_program_setting(ran, k).name; k++) {
        spor_named_number setting = spor_program_setting(ran, k);
        spor_program_set(r->program, setting.name, (double)(float)setting.value);
    }
    return !spor_program_error(r->program) || fail(r, spor_program_error(r->program));
}

/* ---- running ---- */

static double *widened(const float from[], int64_t size) {
    double *wide = malloc(bytes_for(size + 1, sizeof *wide));
    for (int64_t k = 0; wide && k < size; k++) wide[k] = (double)from[k];
    return wide;
}

static bool fill_input(const ruling *r, spor_var x, const float from[]) {
    spor_shape shape = spor_shape_of(x);
    double *wide = widened(from, shape_size(&shape));
    if (wide) rounding_fill(r->program, x, wide, SPOR_F32);
    free(wide);
    return wide != NULL;
}

static int entry_of(const ruling *r, uint32_t node) {
    return spor_params_find(r->update->params, r->tape->node[node].name);
}

static void fill_states(ruling *r) {
    for (int k = 0; k < spor_params_count(r->states); k++) {
        spor_entry e = spor_params_entry(r->states, k);
        int from = spor_params_find(r->update->params, e.name);
        for (int64_t i = 0; from >= 0 && i < shape_size(&e.shape); i++)
            ((double *)e.value)[i] = (double)r->update->before[from][i];
    }
    spor_params_touch(r->states);
}

static bool run(ruling *r) {
    fill_states(r);
    if (r->n && !trial_affords(r->program, r->w[0], r->message->text, sizeof r->message->text))
        return false;
    for (int k = 0; k < r->n; k++) {
        int entry = entry_of(r, r->w[k].id);
        spor_entry e = spor_params_entry(r->update->params, entry);
        if (!fill_input(r, r->w[k], r->update->before[entry]) ||
            !fill_input(r, r->dw[k], e.gradient))
            return false;
    }
    return spor_run(r->program, 0) || fail(r, spor_program_error(r->program));
}

/* ---- judging ---- */

/* Entry k after the step beside x. What is below the smallest number with all its digits has fewer of
 * them. */
static void judge(const ruling *r, spor_var x, int k, spor_update_verdict *v) {
    spor_entry e = spor_params_entry(r->update->params, k);
    for (int64_t i = 0; i < shape_size(&e.shape); i++) {
        double error, value = rounding_value(r->program, x, i, &error);
        double found = (double)((const float *)e.value)[i];
        v->seen++;
        v->undecided += !isfinite(error);
        if (*v->wrong || !isfinite(error) || fabs(found - value) <= error + (double)FLT_MIN)
            continue;
        snprintf(v->wrong, sizeof v->wrong, "%.120s, element %" PRId64 ", is %.9g but must be %.9g",
                 e.name, i, found, value);
    }
}

static void judge_all(const ruling *r, spor_update_verdict *v) {
    for (int k = 0; k < r->n; k++) judge(r, r->next[k], entry_of(r, r->w[k].id), v);
    for (uint32_t k = 0; k < r->tape->assignments; k++) {
        const spor_assignment *a = &r->tape->assignment[k];
        judge(r, (spor_var){r->tape, a->value}, entry_of(r, a->state), v);
    }
}

bool update_judge(const spor_model_check *check, const spor_update *update,
                  spor_update_verdict *verdict, spor_message *message) {
    ruling r = {.update = update, .message = message};
    bool done = record(&r, check) && compile(&r) && run(&r);
    if (done) judge_all(&r, verdict);
    spor_program_free(r.program);
    spor_params_free(r.states);
    spor_tape_free(r.tape);
    free(r.w);
    free(r.dw);
    free(r.next);
    return done;
}
