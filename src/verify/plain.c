/*
 * What is looked at of an instance besides its numbers, by a program over plain doubles:
 *
 *  - the domain. An element of a gradient lies inside if it is finite, and stays so on a copy of the
 *    def where what is infinite is no number any more, y + (y - y), and whose cotangent carries
 *    Y - Y along: what reached Y is a finite number then, and so is each slope on the way, whatever
 *    dY is.
 *  - decisions: which way each comparison, maximum and kink went. Its outcome is the slope that it
 *    hands on, or its value where it hands on none (step).
 *  - numbers that the formulas contain, which decisions and the border of the domain may meet.
 */
#include <math.h>
#include <stdlib.h>

#include "program/program.h"
#include "verify/verify.h"

/* ---- recording ------------------------------------------------------------------------------- */

static uint32_t claimed_nodes(const spor_trial *trial) {
    uint32_t claimed = trial->in.claimed;
    return claimed && claimed < trial->tape->count ? claimed : trial->tape->count;
}

static spor_var gradient_of(const spor_trial *trial, const spor_pair *pair) {
    if (pair->of.id) return pair->of;
    return pair->wrt >= 0 ? trial->in.input[pair->wrt] : (spor_var){trial->tape, 0};
}

/* Linear ops and choices make nothing infinite of what is finite. */
static bool may_be_infinite(const spor_op *op) {
    return !(op->traits & (SPOR_LINEAR | SPOR_BILINEAR | SPOR_ALIAS | SPOR_KINKED | SPOR_LEAF));
}

/* The nodes up to y once more, in map, as far as they depend on inputs; the first one's is 0. */
static bool copy_def(spor_trial *trial, uint32_t map[]) {
    spor_tape *tape = trial->tape;
    for (uint32_t id = 1; id <= trial->in.y.id && !tape->error; id++) {
        spor_node node = tape->node[id];
        bool moved = false;
        map[id] = id;
        for (int k = 0; k < node.op->operands; k++) {
            bool infinite = may_be_infinite(node.op);
            moved = moved || map[node.in[k]] != node.in[k] || infinite;
            node.in[k] = map[node.in[k]];
        }
        if (!moved) continue;
        spor_var z = tape_append(tape, node.op, node.in, node.attr, node.shape);
        if (may_be_infinite(node.op)) z = spor_add(z, spor_sub(z, z));
        map[id] = z.id;
    }
    return !tape->error;
}

static bool record_domain(spor_trial *trial) {
    spor_instance *in = &trial->in;
    spor_var of[SPOR_PAIRS], domain[SPOR_PAIRS];
    int which[SPOR_PAIRS], n = 0;
    for (int k = 0; k < in->pairs; k++) {
        spor_var x = gradient_of(trial, &in->pair[k]);
        if (!x.id) continue;
        of[n] = x;
        which[n++] = k;
    }
    if (!in->y.id || !n) return true;
    uint32_t *map = calloc((size_t)in->y.id + 1, sizeof *map);
    bool done = map && copy_def(trial, map);
    if (done) {
        spor_var y = {trial->tape, map[in->y.id]}, nothing = spor_sub(y, y);
        for (int k = 0; k < n; k++)
            if (of[k].id <= in->y.id) of[k].id = map[of[k].id];
        done = spor_vjp(y, spor_add(instance_cotangent(in), nothing), n, of, domain);
    }
    free(map);
    for (int k = 0; k < n && done; k++) trial->domain[which[k]] = domain[k];
    return done;
}

/* What a node decides, as its outcome tells. */
static spor_var outcome_of(spor_var y) {
    const spor_op *op = tape_node_of(y)->op;
    spor_var one = op_fill_ratio(y.tape, 1, 1, spor_shape_of(y));
    spor_var slope = op->vjp ? op->vjp(y, 0, one) : op_none();
    return slope.tape ? slope : y;
}

static bool record_decisions(spor_trial *trial, uint32_t claimed) {
    for (uint32_t id = 1; id < claimed; id++) {
        spor_var y = {trial->tape, id};
        const spor_op *op = tape_node_of(y)->op;
        for (int k = 0; k < op->operands; k++) /* other rows, other branches */
            trial->kinked |= op->domain[k] == SPOR_INDEX;
        if (!op->margin || node_is_bare(trial->tape, id)) continue;
        trial->kinked = true;
        if (trial->decisions == TRIAL_DECISIONS) break;
        trial_decision *d = &trial->decision[trial->decisions++];
        *d = (trial_decision){.node = id, .margin = op->margin(y)};
        d->outcome = outcome_of(y);
        d->by_value = d->outcome.id == id;
    }
    return !spor_error(trial->tape);
}

/* Leaves that are numbers. */
static void find_numbers(spor_trial *trial, uint32_t claimed) {
    for (uint32_t id = 1; id < claimed && trial->numbers < TRIAL_NUMBERS; id++) {
        const spor_node *node = &trial->tape->node[id];
        if (node->op->number && !node->shape->rank)
            trial->number[trial->numbers++] = (spor_var){trial->tape, id};
    }
}

bool plain_record(spor_trial *trial) {
    uint32_t claimed = claimed_nodes(trial);
    if (!record_domain(trial) || !record_decisions(trial, claimed)) return false;
    find_numbers(trial, claimed);
    return true;
}

/* ---- compiling and running ------------------------------------------------------------------- */

enum { MOST_OUTPUTS = 3 * SPOR_PAIRS + 2 * TRIAL_DECISIONS + TRIAL_NUMBERS + 1 };

static int list_outputs(const spor_trial *trial, spor_var outputs[MOST_OUTPUTS]) {
    int n = 0;
    for (int k = 0; k < trial->in.pairs; k++) {
        outputs[n++] = trial->in.pair[k].formula;
        outputs[n++] = trial->in.pair[k].expected;
        if (trial->domain[k].id) outputs[n++] = trial->domain[k];
    }
    for (int k = 0; k < trial->decisions; k++) {
        outputs[n++] = trial->decision[k].outcome;
        outputs[n++] = trial->decision[k].margin;
    }
    for (int k = 0; k < trial->numbers; k++) outputs[n++] = trial->number[k];
    if (trial->in.y.id) outputs[n++] = trial->in.y;
    return n;
}

bool plain_compile(spor_trial *trial) {
    spor_var outputs[MOST_OUTPUTS];
    int n = list_outputs(trial, outputs);
    spor_options options = {.scalar = SPOR_F64, .reference = true};
    trial->plain = spor_compile(trial->tape, n, outputs, NULL, &options);
    return trial->plain && !spor_program_error(trial->plain);
}

double *plain_input(spor_trial *trial, int input) {
    return spor_program_arg(trial->plain, trial->in.input[input]).data;
}

const double *plain_numbers(spor_trial *trial, spor_var x) {
    return spor_program_arg(trial->plain, x).data;
}

bool plain_run(spor_trial *trial) {
    trial->looked = false;
    return spor_run(trial->plain, 0);
}

bool plain_look(spor_trial *trial) {
    if (trial->looked) return true;
    for (int k = 0; k < trial->in.inputs; k++) {
        double *to = plain_input(trial, k);
        if (!to) return false;
        for (int64_t j = 0; j < trial_size(trial, k); j++) to[j] = trial->data[k][j];
    }
    return trial->looked = spor_run(trial->plain, 0);
}

/* ---- what was seen --------------------------------------------------------------------------- */

bool trial_inside(spor_trial *trial, int pair, int64_t k) {
    const spor_pair *p = &trial->in.pair[pair];
    if (!plain_look(trial)) return true;
    const double *domain =
        trial->domain[pair].id ? plain_numbers(trial, trial->domain[pair]) : NULL;
    bool inside =
        isfinite(plain_numbers(trial, p->expected)[k]) && (!domain || isfinite(domain[k]));
    /* of an equality no side is the right one */
    return inside && (trial->in.y.id || isfinite(plain_numbers(trial, p->formula)[k]));
}

double trial_inside_share(spor_trial *trial) {
    double least = 1;
    for (int pair = 0; pair < trial->in.pairs; pair++) {
        spor_shape shape = spor_shape_of(trial->in.pair[pair].expected);
        int64_t size = shape_size(&shape), inside = 0;
        for (int64_t k = 0; k < size; k++) inside += trial_inside(trial, pair, k);
        if (size) least = fmin(least, (double)inside / (double)size);
    }
    return least;
}

/* A pair whose elements correspond to those of the shape; -1: there is none. */
static int pair_like(const spor_trial *trial, const spor_shape *shape) {
    for (int k = 0; k < trial->in.pairs; k++) {
        spor_shape of = spor_shape_of(trial->in.pair[k].expected);
        if (shape_equal(&of, shape)) return k;
    }
    return -1;
}

/* Outside the domain nothing is met. A slope at a kink or a tie is a convention; a value, of step or less, is an outcome there too. */
static void watch_decision(spor_trial *trial, trial_decision *d) {
    spor_shape of = spor_shape_of(d->outcome), margins = spor_shape_of(d->margin);
    const double *outcome = plain_numbers(trial, d->outcome);
    const double *margin =
        !d->by_value && shape_equal(&of, &margins) ? plain_numbers(trial, d->margin) : NULL;
    int like = pair_like(trial, &of);
    for (int64_t k = 0; k < shape_size(&of); k++) {
        if (isnan(outcome[k]) || (margin && !(margin[k] > 0))) continue;
        if (like >= 0 && !trial_inside(trial, like, k)) continue;
        d->least = d->seen ? fmin(d->least, outcome[k]) : outcome[k];
        d->most = d->seen ? fmax(d->most, outcome[k]) : outcome[k];
        d->seen = true;
    }
}

bool trial_watch(spor_trial *trial) {
    if (!trial->decisions) return true;
    if (!plain_look(trial)) return false;
    for (int k = 0; k < trial->decisions; k++) watch_decision(trial, &trial->decision[k]);
    return true;
}

bool trial_has_tie(spor_trial *trial) {
    if (!trial->kinked || !plain_look(trial)) return false;
    if (trial->decisions == TRIAL_DECISIONS) return true;
    for (int d = 0; d < trial->decisions; d++) {
        spor_shape shape = spor_shape_of(trial->decision[d].margin);
        const double *margin = plain_numbers(trial, trial->decision[d].margin);
        for (int64_t k = 0; k < shape_size(&shape); k++)
            if (margin[k] == 0) return true;
    }
    return false;
}

int trial_meets(spor_trial *trial, double numbers[TRIAL_NUMBERS]) {
    if (!trial->numbers || !plain_look(trial)) return 0;
    for (int k = 0; k < trial->numbers; k++) numbers[k] = *plain_numbers(trial, trial->number[k]);
    return trial->numbers;
}
