/*
 * A network verified at a few rows with its real sizes: each layer that a fast path takes by itself
 * and each call that a hand derivation gives the gradients of, at the numbers that reach it, in
 * float and in double; then the gradients of the whole as training has them, in double. Layer by
 * layer the allowances for rounding stay tight, and the culprit is named; the whole shows that the
 * layers are put together rightly.
 */
#include "verify/network.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/random.h"
#include "base/shape.h"
#include "program/params.h"
#include "program/program.h"
#include "train/batch.h"
#include "train/model.h"
#include "verify/verify.h"

enum { SETTINGS = 3 }; /* a setting has at most as many rows */

/* Multiplications of a forward pass above which fewer rows are taken, and for the complex steps
 * on all gradients. */
static const double large_network = 2e6, oracle_budget = 2e8;

bool network_no_memory(network *n) {
    return message_complain(n->message, "out of memory");
}

/* ---- recording ---- */

static bool record(network *n, int64_t rows) {
    const spor_model_check *c = n->check;
    n->tape = spor_tape_new();
    n->x = spor_input(n->tape, "x", shape_rows(rows, &c->sample));
    n->target = spor_input(n->tape, "y", shape_rows(rows, &c->target));
    n->prediction = c->net(n->x, true, c->user);
    n->cost = c->loss(n->prediction, n->target, c->user);
    const char *error = n->tape ? spor_error(n->tape) : "out of memory";
    if (error) return message_complain(n->message, "%s", error);
    if (!spor_params_join(n->params, n->tape) || !params_settle(n->params))
        return message_complain(n->message, "%s", spor_params_error(n->params));
    return true;
}

/* Numbers that a float holds: of some of the data's rows, or random ones. */
static bool draw(network *n, int64_t rows, bool real, uint64_t seed) {
    const spor_model_check *c = n->check;
    const spor_data *data = real ? c->data : NULL;
    batch_source source = batch_source_of(data, &c->sample, &c->target, SPOR_F32, seed);
    int64_t size = rows * source.size, targets = rows * shape_size(&c->target);
    int64_t *row = malloc(bytes_for(rows, sizeof *row));
    for (int64_t r = 0; row && r < rows; r++)
        row[r] = real ? (int64_t)(random_hash(seed, (uint64_t)r, 3) % (uint64_t)data->rows) : r;
    float *x = malloc(bytes_for(size + targets, sizeof *x));
    n->numbers_x = malloc(bytes_for(size, sizeof(double)));
    n->numbers_target = malloc(bytes_for(targets, sizeof(double)));
    n->named = malloc(bytes_for(source.size + 1, sizeof *n->named));
    bool done = row && x && n->numbers_x && n->numbers_target && n->named &&
                index_named(n->x, n->target, n->params, source.size, n->named);
    source.named = n->named;
    if (done) {
        batch_fill(&source, row, rows, x, x + size);
        scalar_convert(n->numbers_x, SPOR_F64, x, SPOR_F32, size);
        scalar_convert(n->numbers_target, SPOR_F64, x + size, SPOR_F32, targets);
    }
    free(x);
    free(row);
    return done || network_no_memory(n);
}

static void forget(network *n) {
    spor_tape_free(n->tape);
    free(n->numbers_x);
    free(n->numbers_target);
    free(n->named);
    n->tape = NULL;
    n->numbers_x = n->numbers_target = NULL;
    n->named = NULL;
}

/* The same numbers in double. */
static bool widen(network *n) {
    if (!spor_params_join(n->wide, n->tape) || !params_settle(n->wide)) return network_no_memory(n);
    for (int k = 0; k < spor_params_count(n->params); k++) {
        spor_entry from = spor_params_entry(n->params, k);
        int to = spor_params_find(n->wide, from.name);
        if (to < 0) continue;
        scalar_convert(spor_params_entry(n->wide, to).value, SPOR_F64, from.value, from.scalar,
                       shape_size(&from.shape));
    }
    spor_params_touch(n->wide);
    return true;
}

tally *network_tally(network *n, tally list[], int *count, const char *label) {
    for (int k = 0; k < *count; k++)
        if (!strcmp(list[k].label, label)) return &list[k];
    n->crowded = n->crowded || *count == REGIONS;
    if (*count == REGIONS) return NULL;
    tally *fresh = &list[(*count)++];
    *fresh = (tally){.against = ""};
    snprintf(fresh->label, sizeof fresh->label, "%s", label);
    return fresh;
}

void network_fill(const network *n, spor_program *program) {
    spor_arg x = spor_program_arg(program, n->x), y = spor_program_arg(program, n->target);
    if (x.data) memcpy(x.data, n->numbers_x, (size_t)shape_size(&x.shape) * sizeof(double));
    if (y.data) memcpy(y.data, n->numbers_target, (size_t)shape_size(&y.shape) * sizeof(double));
}

void network_shake(double value[], int64_t size, uint64_t seed) {
    double most = 0;
    for (int64_t k = 0; k < size; k++) most = fmax(most, fabs(value[k]));
    for (int64_t k = 0; k < size; k++) {
        double u = random_uniform(seed, (uint64_t)k, 14);
        value[k] = (double)(float)(value[k] + most * 0x1p-8 * (2 * u - 1));
    }
}

/* ---- the whole ---- */

/* What a whole network depends on. */
typedef struct {
    int count, packed; /* leaves; from number packed on they are judged as one */
    uint32_t *cut;
    const char **name;
    bool *trained;
} leaves;

/* x, target, states, then the parameters: what is packed has gradients. */
static bool list_leaves(const network *n, leaves *list) {
    size_t room = n->tape->leaves + 2;
    *list = (leaves){.cut = calloc(room, sizeof *list->cut),
                     .name = calloc(room, sizeof *list->name),
                     .trained = calloc(room, sizeof *list->trained)};
    if (!list->cut || !list->name || !list->trained) return false;
    list->cut[list->count] = n->x.id, list->name[list->count++] = "x";
    list->cut[list->count] = n->target.id, list->name[list->count++] = "y";
    for (int trained = 0; trained < 2; trained++)
        for (uint32_t k = 0; k < n->tape->leaves; k++) {
            const spor_leaf *leaf = &n->tape->leaf[k];
            if (leaf->trained != trained) continue;
            list->cut[list->count] = leaf->id;
            list->trained[list->count] = leaf->trained;
            list->name[list->count++] = n->tape->node[leaf->id].name;
        }
    const int most = SPOR_INPUTS - 1; /* and a cotangent */
    list->packed = list->count <= most ? list->count : most - 1;
    return true;
}

static void leaves_free(leaves *list) {
    free(list->cut);
    free(list->name);
    free(list->trained);
}

static double *copy_gradient(network *n, const char *name) {
    spor_entry e = spor_params_entry(n->wide, spor_params_find(n->wide, name));
    int64_t size = shape_size(&e.shape);
    double *copy = malloc(bytes_for(size + 1, sizeof *copy));
    if (copy) memcpy(copy, e.gradient, (size_t)size * sizeof *copy);
    if (copy && n->check->tamper) n->check->tamper(n->check->tamper_user, name, copy, size);
    return copy;
}

/* Runs the fast paths in double; gradients are in n->wide. */
static bool run_fast(network *n) {
    spor_options options = {.scalar = SPOR_F64};
    spor_program *program = spor_compile_training(n->cost, 0, NULL, n->wide, &options);
    if (!program) return network_no_memory(n);
    network_fill(n, program);
    bool done = spor_run(program, 0);
    n->shares = program_shares_rounding(program);
    if (!done) message_complain(n->message, "%s", spor_program_error(program));
    spor_program_free(program);
    return done;
}

/* The whole network as arrays of other code: its leaves are inputs. */
typedef struct {
    leaves of;
    spor_piece piece;
    spor_arrays arrays;
    double *pack;                 /* values of the leaves that are packed */
    double *claimed[SPOR_INPUTS]; /* by input; NULL: it has no gradient */
} together;

static bool cut_whole(network *n, together *w) {
    if (!list_leaves(n, &w->of)) return network_no_memory(n);
    const leaves *of = &w->of;
    w->piece = piece_packed(n->tape, n->cost.id, of->count, of->packed, of->cut, of->name,
                            PIECE_DERIVATIONS);
    w->arrays = (spor_arrays){
        .y = w->piece.y, .inputs = w->piece.inputs, .arithmetic = SPOR_F64, .ties_bind = true};
    return w->piece.tape || network_no_memory(n);
}

static int64_t leaf_size(const network *n, const leaves *of, int k) {
    return shape_size(n->tape->node[of->cut[k]].shape);
}

static const double *leaf_value(const network *n, const leaves *of, int k) {
    if (k < 2) return k ? n->numbers_target : n->numbers_x;
    return spor_params_entry(n->wide, spor_params_find(n->wide, of->name[k])).value;
}

/* Leaves that are packed: their values and gradients one after the other. */
static bool pack(network *n, together *w, double **gradient) {
    const leaves *of = &w->of;
    int64_t size = 0, at = 0;
    for (int k = of->packed; k < of->count; k++) size += leaf_size(n, of, k);
    w->pack = malloc(bytes_for(size, sizeof *w->pack));
    *gradient = malloc(bytes_for(size, sizeof **gradient));
    bool done = w->pack && *gradient;
    for (int k = of->packed; done && k < of->count; at += leaf_size(n, of, k++)) {
        size_t bytes = (size_t)leaf_size(n, of, k) * sizeof(double);
        double *own = copy_gradient(n, of->name[k]);
        done = own != NULL;
        memcpy(w->pack + at, leaf_value(n, of, k), bytes);
        if (own) memcpy(*gradient + at, own, bytes);
        free(own);
    }
    return done;
}

static bool take_input(network *n, together *w, int k) {
    const leaves *of = &w->of;
    spor_arrays *arrays = &w->arrays;
    bool packed = k == of->packed;
    arrays->input[k] = w->piece.input[k];
    if (!packed && of->trained[k]) w->claimed[k] = copy_gradient(n, of->name[k]);
    if (packed ? !pack(n, w, &w->claimed[k]) : of->trained[k] && !w->claimed[k])
        return network_no_memory(n);
    arrays->value[k] = packed ? w->pack : leaf_value(n, of, k);
    if (w->claimed[k])
        arrays->claim[arrays->claims++] =
            (spor_claim){.name = packed ? "further parameters" : of->name[k],
                         .wrt = k,
                         .claimed = w->claimed[k]};
    return true;
}

/* What the training program has delivered, and the numbers that it had. */
static bool take_gradients(network *n, together *w) {
    spor_arrays *arrays = &w->arrays;
    arrays->norm_wise = n->shares;
    for (int k = 0; k < arrays->inputs; k++)
        if (!take_input(n, w, k)) return false;
    double steps = oracle_budget / (piece_cost(&w->piece) * (arrays->claims + 1));
    arrays->oracle = steps < 1 ? 1 : steps > 30 ? 30 : (int64_t)steps;
    if (!w->piece.tape->customs) return true;
    const spor_derived_gradients gradients = {
        .piece = &w->piece, .value = arrays->value, .arithmetic = SPOR_F64, .claimed = w->claimed};
    return derivation_allow(&gradients, NULL, n->message);
}

static void together_free(together *w) {
    for (int k = 0; k < w->arrays.inputs; k++) free(w->claimed[k]);
    free(w->pack);
    leaves_free(&w->of);
    spor_tape_free(w->piece.tape);
    *w = (together){0};
}

/* Names the parameter that element index of what is packed belongs to. */
static void name_packed(const network *n, const leaves *of, spor_counterexample *e) {
    int64_t at = e->index[0];
    int k = of->packed;
    while (k < of->count - 1 && at >= leaf_size(n, of, k)) at -= leaf_size(n, of, k++);
    snprintf(e->pair_name, sizeof e->pair_name, "%.63s", of->name[k]);
    e->shape = *n->tape->node[of->cut[k]].shape;
    shape_unravel(&e->shape, at, e->index);
}

/* Parameters and states as they were before the run, or near them. */
static bool renew(network *n, bool nearby) {
    if (!widen(n)) return false;
    for (int k = 0; nearby && k < spor_params_count(n->wide); k++) {
        spor_entry e = spor_params_entry(n->wide, k);
        if (e.kind == SPOR_TRAINED)
            network_shake(e.value, shape_size(&e.shape),
                          random_hash(n->check->seed, (uint64_t)k, 15));
    }
    spor_params_touch(n->wide);
    return true;
}

/* found: by parameter. False with a message. */
static bool judge_gradients(network *n, together *w, bool nearby, spor_verdict found[]) {
    return renew(n, nearby) && run_fast(n) && renew(n, nearby) && cut_whole(n, w) &&
           take_gradients(n, w) && arrays_judge(&w->arrays, found, n->message) &&
           !*n->message->text;
}

/* What names rows stays. */
static bool shake_sample(network *n) {
    int64_t all = shape_size(tape_node_of(n->x)->shape), size = shape_size(&n->check->sample);
    double *was = malloc(bytes_for(all + 1, sizeof *was));
    if (!was) return network_no_memory(n);
    memcpy(was, n->numbers_x, (size_t)all * sizeof *was);
    network_shake(n->numbers_x, all, n->check->seed);
    for (int64_t k = 0; k < all; k++)
        if (n->named[k % size]) n->numbers_x[k] = was[k];
    free(was);
    return true;
}

/* The same near the numbers, for derivations that differ at ties and kinks of the data alone. */
static bool judge_nearby(network *n, spor_verdict found[], bool at_ties[]) {
    together w = {0};
    spor_verdict *nearby = calloc(SPOR_INPUTS, sizeof *nearby);
    if (!nearby) return network_no_memory(n);
    bool done = shake_sample(n) && judge_gradients(n, &w, true, nearby);
    for (int k = 0; done && k < w.arrays.claims; k++) {
        at_ties[k] = found[k].outcome == SPOR_FAILS && nearby[k].outcome == SPOR_HOLDS &&
                     nearby[k].nonzero > 0;
        if (at_ties[k]) found[k] = nearby[k];
    }
    together_free(&w);
    free(nearby);
    return done;
}

static void note_gradients(network *n, const together *w, spor_verdict found[],
                           const bool at_ties[]) {
    for (int k = 0; k < w->arrays.claims; k++) {
        tally *t = network_tally(n, n->parameter, &n->parameters, w->arrays.claim[k].name);
        if (!t) continue;
        found[k].example.data[0] = 0; /* a network's numbers are too many to be shown */
        if (w->of.packed < w->of.count && k == w->arrays.claims - 1)
            name_packed(n, &w->of, &found[k].example);
        verdict_add(&t->found, &found[k]);
        t->against = "gradient of the cost";
        t->at_ties = t->at_ties || at_ties[k];
    }
}

static bool judge_together(network *n) {
    together w = {0};
    bool at_ties[SPOR_INPUTS] = {false}, fails = false;
    spor_verdict *found = calloc(SPOR_INPUTS, sizeof *found);
    if (!found) return network_no_memory(n);
    bool done = judge_gradients(n, &w, false, found);
    for (int k = 0; done && k < w.arrays.claims; k++)
        fails = fails || found[k].outcome == SPOR_FAILS;
    if (fails && n->tape->customs && !n->check->ties_bind) done = judge_nearby(n, found, at_ties);
    if (done) note_gradients(n, &w, found, at_ties);
    together_free(&w);
    free(found);
    return done;
}

/* ---- settings ---- */

static bool judge_setting(network *n, int64_t rows, bool real, uint64_t seed) {
    bool done = record(n, rows) && widen(n) && draw(n, rows, real, seed) && layers_judge(n, seed) &&
                (!n->tape->leaves || judge_together(n));
    forget(n);
    *(real ? &n->data_rows : &n->random_rows) += rows;
    return done;
}

/* So many rows, or a batch if the network or its loss takes no other number; 0 with a message if
 * neither records. cost receives what a forward pass takes. */
static int64_t rows_that_record(network *n, int64_t rows, double *cost) {
    int64_t batch = n->check->schedule.batch;
    bool done = record(n, rows);
    if (!done && batch > 0 && batch != rows) {
        forget(n);
        rows = batch;
        done = record(n, rows);
    }
    if (done) *n->message->text = 0;
    spor_piece whole = {.tape = n->tape};
    *cost = done ? piece_cost(&whole) : 0;
    forget(n);
    return done ? rows : 0;
}

/* One, two and three rows, random numbers and the data's; one row each for a large network. */
static bool judge_settings(network *n) {
    bool data = n->check->data != NULL;
    double cost;
    int64_t least = rows_that_record(n, 1, &cost);
    for (int k = 0; k < SETTINGS && least; k++) {
        if (cost > large_network && k == 2) break;
        int64_t rows = cost > large_network ? least : rows_that_record(n, k + 1, &cost);
        bool real = data && (k == 1 || k == 2);
        uint64_t seed = random_hash(n->check->seed, (uint64_t)k, 12);
        if (!rows || !judge_setting(n, rows, real, seed)) return false;
    }
    return least > 0;
}

/* "; at 5 rows of digits and 1 random" */
static void write_rows(const network *n, FILE *out) {
    fputs("; at ", out);
    if (n->data_rows)
        fprintf(out, "%" PRId64 " rows of %s and ", n->data_rows, n->check->data->name);
    fprintf(out, "%" PRId64 " random%s", n->random_rows, n->data_rows ? "" : " rows");
}

static void write_evidence(const network *n, const tally *t, FILE *out) {
    const spor_verdict *v = &t->found;
    fprintf(out,
            "%" PRId64 " values, at most %.2g of what is allowed for rounding%s; %" PRId64
            " complex steps",
            v->comparisons, v->closest,
            v->arrays.norm_wise
                ? " (each as much as any of its array: elements share what is rounded)"
                : "",
            v->asked[SPOR_BY_COMPLEX_STEP]);
    if (t->undecided) fprintf(out, ", %" PRId64 " at a kink", t->undecided);
    if (t->at_ties) fputs("; differs at ties or kinks of the data, and nowhere near them", out);
    write_rows(n, out);
}

static void write_summary(const network *n, const tally *t, spor_outcome outcome, FILE *out) {
    const spor_counterexample *e = &t->found.example;
    if (t->overlooked) {
        fprintf(out, "not looked at: %s", t->overlooked);
        return;
    }
    fprintf(out, "%s %s: ", t->against, n->at);
    if (outcome == SPOR_HOLDS)
        write_evidence(n, t, out);
    else if (outcome == SPOR_NOTHING_EXAMINED && t->found.arrays.between)
        fprintf(out,
                "%" PRId64
                " values are farther off than rounding explains, and not so far that they "
                "must be wrong",
                t->found.arrays.between);
    else if (outcome == SPOR_NOTHING_EXAMINED)
        fputs("nothing could be examined: rounding may do more than the values, or all are 0", out);
    else
        fprintf(out, "%s is wrong%s%s", e->pair_name, *e->pattern ? "; looks like: " : "",
                e->pattern);
}

static void show(const network *n, const tally *t, spor_on_model_row *on_row, void *user) {
    char summary[480] = "", detail[4096] = "";
    const spor_verdict *v = &t->found;
    spor_model_row row = {v->outcome, t->label, summary, detail, v, false};
    bool open = !v->comparisons || !v->nonzero || v->arrays.between;
    if (t->overlooked || (v->outcome == SPOR_HOLDS && open)) row.outcome = SPOR_NOTHING_EXAMINED;
    row.reserved = t->at_ties && row.outcome == SPOR_HOLDS;
    FILE *out = fmemopen(summary, sizeof summary - 1, "w");
    if (out) write_summary(n, t, row.outcome, out);
    if (out) fclose(out);
    out = v->outcome == SPOR_FAILS ? fmemopen(detail, sizeof detail - 1, "w") : NULL;
    if (out) verdict_print_example(NULL, &v->example, out);
    if (out) fclose(out);
    on_row(user, &row);
}

static bool judge_weights(network *n, const char *at, spor_on_model_row *on_row, void *user) {
    static const tally crowd = {.label = "the rest",
                                .against = "",
                                .overlooked = "there are more layers than are looked at"};
    n->at = at;
    n->regions = n->parameters = 0;
    n->data_rows = n->random_rows = 0;
    n->crowded = false;
    if (!judge_settings(n)) return false;
    for (int k = 0; k < n->regions; k++) show(n, &n->region[k], on_row, user);
    for (int k = 0; k < n->parameters; k++) show(n, &n->parameter[k], on_row, user);
    if (n->crowded) show(n, &crowd, on_row, user);
    return true;
}

static bool load(network *n) {
    double cost;
    int64_t rows = rows_that_record(n, 1, &cost);
    bool done =
        rows && record(n, rows) && spor_weights_load(n->params, n->check->weights, n->message);
    forget(n);
    return done;
}

static bool judge_rules(network *n, spor_on_model_row *on_row, void *user) {
    int64_t batch = n->check->schedule.batch, most = batch > 0 && batch < 8 ? batch : 8;
    double cost;
    int64_t rows = rows_that_record(n, most, &cost);
    return rows && verify_rule_rows(n->check, rows, on_row, user, n->message);
}

bool verify_model_rows(const spor_model_check *check, spor_on_model_row *on_row, void *user,
                       spor_message *message) {
    network n = {.check = check, .message = message};
    *message->text = 0;
    n.params = spor_params_new(SPOR_F32, check->seed);
    n.wide = spor_params_new(SPOR_F64, check->seed);
    n.region = calloc(REGIONS, sizeof *n.region);
    n.parameter = calloc(REGIONS, sizeof *n.parameter);
    bool done = n.params && n.wide && n.region && n.parameter;
    if (!done) network_no_memory(&n);
    done = done && judge_weights(&n, "at initial weights", on_row, user);
    if (done && check->weights)
        done = load(&n) && judge_weights(&n, "at the weights given", on_row, user);
    done = done && judge_rules(&n, on_row, user);
    if (!done && !*message->text) network_no_memory(&n);
    free(n.region);
    free(n.parameter);
    spor_params_free(n.params);
    spor_params_free(n.wide);
    return done;
}
