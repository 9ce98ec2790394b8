/*
 * A network verified at a few rows with its real sizes: each layer that a fast path takes by
 * itself, at the numbers that reach it, in float and in double; then the gradients of the whole in
 * double. Layer by layer the allowances for rounding stay tight, and the culprit is named; the
 * whole shows that the layers are put together rightly.
 */
#include "verify/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/random.h"
#include "base/shape.h"
#include "program/params.h"
#include "train/batch.h"
#include "verify/verify.h"

enum { REGIONS = 128, SETTINGS = 3 }; /* a setting has at most as many rows */

/* Multiplications of a forward pass above which fewer rows are taken, and for the complex steps
 * on all gradients. */
static const double large_network = 2e6, oracle_budget = 2e8;

/* What was seen of a region or parameter so far. */
typedef struct {
    char label[200];
    spor_verdict found;
    int64_t undecided;
    int runs;
} tally;

typedef struct {
    const spor_model_check *check;
    spor_params *params, *wide; /* float, and the same numbers in double */
    const char *at;             /* "at initial weights" */
    spor_tape *tape;
    spor_var x, target, prediction, cost;
    double *numbers_x, *numbers_target;
    tally *region, *parameter;
    int regions, parameters;
    spor_message *message;
} network;

static bool no_memory(network *n) {
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
    if (!spor_params_join(n->params, n->tape))
        return message_complain(n->message, "%s", spor_params_error(n->params));
    return true;
}

/* Numbers that a float holds: of some of the data's rows, or random ones. */
static bool draw(network *n, int64_t rows, bool real, uint64_t seed) {
    const spor_model_check *c = n->check;
    const spor_data *data = real ? c->data : NULL;
    batch_source source = batch_source_of(data, &c->sample, &c->target, SPOR_F32, seed);
    int64_t row[SETTINGS], size = rows * source.size, targets = rows * shape_size(&c->target);
    for (int64_t r = 0; r < rows; r++)
        row[r] = real ? (int64_t)(random_hash(seed, (uint64_t)r, 3) % (uint64_t)data->rows) : r;
    float *x = malloc(bytes_for(size + targets, sizeof *x));
    n->numbers_x = malloc(bytes_for(size, sizeof(double)));
    n->numbers_target = malloc(bytes_for(targets, sizeof(double)));
    bool done = x && n->numbers_x && n->numbers_target;
    if (done) {
        batch_fill(&source, row, rows, x, x + size);
        scalar_convert(n->numbers_x, SPOR_F64, x, SPOR_F32, size);
        scalar_convert(n->numbers_target, SPOR_F64, x + size, SPOR_F32, targets);
    }
    free(x);
    return done || no_memory(n);
}

static void forget(network *n) {
    spor_tape_free(n->tape);
    free(n->numbers_x);
    free(n->numbers_target);
    n->tape = NULL;
    n->numbers_x = n->numbers_target = NULL;
}

/* The same numbers in double. */
static bool widen(network *n) {
    if (!spor_params_join(n->wide, n->tape)) return no_memory(n);
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

static tally *tally_of(tally list[], int *count, const char *label) {
    for (int k = 0; k < *count; k++)
        if (!strcmp(list[k].label, label)) return &list[k];
    if (*count == REGIONS) return NULL;
    tally *fresh = &list[(*count)++];
    *fresh = (tally){0};
    snprintf(fresh->label, sizeof fresh->label, "%s", label);
    return fresh;
}

/* ---- layer by layer ---- */

static void fill(const network *n, spor_program *program) {
    spor_arg x = spor_program_arg(program, n->x), y = spor_program_arg(program, n->target);
    if (x.data) memcpy(x.data, n->numbers_x, (size_t)shape_size(&x.shape) * sizeof(double));
    if (y.data) memcpy(y.data, n->numbers_target, (size_t)shape_size(&y.shape) * sizeof(double));
}

/* A reference program in double that gives all operands of the regions. */
static spor_program *run_operands(network *n, const spor_region region[], int regions) {
    static const spor_options options = {.scalar = SPOR_F64, .reference = true};
    spor_var *outputs = calloc((size_t)regions * SPOR_OPERANDS + 1, sizeof *outputs);
    int count = 0;
    for (int r = 0; outputs && r < regions; r++)
        for (int k = 0; k < region[r].operands; k++)
            outputs[count++] = (spor_var){n->tape, region[r].operand[k]};
    spor_program *program =
        outputs ? spor_compile(n->tape, count, outputs, n->wide, &options) : NULL;
    free(outputs);
    if (!program) return no_memory(n), NULL;
    fill(n, program);
    if (spor_run(program, 0)) return program;
    message_complain(n->message, "%s", spor_program_error(program));
    spor_program_free(program);
    return NULL;
}

/* Numbers of an operand, rounded to float. */
static double *take_operand(network *n, spor_program *program, uint32_t id) {
    const spor_node *node = &n->tape->node[id];
    int entry = node->op->traits & SPOR_STORED ? spor_params_find(n->wide, node->name) : -1;
    int64_t size = shape_size(node->shape);
    const double *from = entry >= 0 ? spor_params_entry(n->wide, entry).value
                                    : spor_program_arg(program, (spor_var){n->tape, id}).data;
    if (id == n->x.id) from = n->numbers_x;
    if (id == n->target.id) from = n->numbers_target;
    double *to = from ? malloc(bytes_for(size + 1, sizeof *to)) : NULL;
    for (int64_t k = 0; to && k < size; k++) to[k] = (double)(float)from[k];
    return to;
}

/* "net/conv[0] conv2d" */
static void label_region(const network *n, const spor_region *region, char label[200]) {
    const spor_node *root = &n->tape->node[region->root];
    uint32_t scope = root->scope;
    for (int k = 0; k < region->operands; k++) /* the layer is where its parameters are */
        if (n->tape->node[region->operand[k]].op->traits & SPOR_STORED)
            scope = n->tape->node[region->operand[k]].scope;
    const char *path = n->tape->scope[scope].path;
    snprintf(label, 200, "%s%s%s", path ? path : "", path && *path ? " " : "", region->fast);
}

static bool judge_region(network *n, const spor_region *region, spor_program *program,
                         spor_scalar arithmetic, uint64_t seed) {
    double *value[SPOR_OPERANDS] = {NULL};
    char label[200];
    bool done = true;
    label_region(n, region, label);
    tally *t = tally_of(n->region, &n->regions, label);
    for (int k = 0; done && k < region->operands; k++)
        done = (value[k] = take_operand(n, program, region->operand[k])) != NULL;
    if (!done) no_memory(n);
    if (done && t && t->found.outcome != SPOR_FAILS)
        done = region_judge(n->check, n->tape, region, label, (const double *const *)value,
                            arithmetic, seed, &t->found, &t->undecided, n->message);
    if (t) t->runs++;
    for (int k = 0; k < region->operands; k++) free(value[k]);
    return done;
}

static bool judge_layers(network *n, uint64_t seed) {
    spor_region *region = calloc(REGIONS, sizeof *region);
    int regions = region ? region_list(n->tape, n->cost, n->params, REGIONS, region) : -1;
    spor_program *program = regions > 0 ? run_operands(n, region, regions) : NULL;
    bool done = regions >= 0 ? regions == 0 || program : no_memory(n);
    for (int k = 0; done && k < regions; k++)
        done = judge_region(n, &region[k], program, SPOR_F32, seed + 1) &&
               judge_region(n, &region[k], program, SPOR_F64, seed + 2);
    spor_program_free(program);
    free(region);
    return done;
}

/* ---- the whole ---- */

/* Leaves of the tape: x, target, then the parameters and states. False: too many. */
static int leaves_of(const network *n, uint32_t cut[SPOR_INPUTS], const char *names[SPOR_INPUTS]) {
    int count = 2;
    cut[0] = n->x.id, names[0] = "x";
    cut[1] = n->target.id, names[1] = "y";
    for (uint32_t k = 0; k < n->tape->leaves; k++) {
        if (count == SPOR_INPUTS - 1) return -1;
        cut[count] = n->tape->leaf[k].id;
        names[count++] = n->tape->node[n->tape->leaf[k].id].name;
    }
    return count;
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
    if (!program) return no_memory(n);
    fill(n, program);
    bool done = spor_run(program, 0);
    if (!done) message_complain(n->message, "%s", spor_program_error(program));
    spor_program_free(program);
    return done;
}

static bool judge_arrays(network *n, const spor_arrays *arrays) {
    spor_verdict *found = calloc((size_t)arrays->claims + 1, sizeof *found);
    if (!found) return no_memory(n);
    bool done = arrays_judge(arrays, found, n->message) && !*n->message->text;
    for (int k = 0; done && k < arrays->claims; k++) {
        tally *t = tally_of(n->parameter, &n->parameters, arrays->claim[k].name);
        found[k].example.data[0] = 0; /* a network's numbers are too many to be shown */
        if (t) verdict_add(&t->found, &found[k]);
        if (t) t->runs++;
    }
    free(found);
    return done;
}

static bool judge_whole(network *n) {
    uint32_t cut[SPOR_INPUTS];
    const char *names[SPOR_INPUTS];
    int count = leaves_of(n, cut, names);
    if (count < 0) return true;
    if (!run_fast(n) || !widen(n)) return false; /* states have moved: they are taken back */
    spor_piece piece = piece_of(n->tape, n->cost.id, count, cut, names, false);
    if (!piece.tape) return no_memory(n);
    spor_arrays arrays = {.y = piece.y, .inputs = count, .arithmetic = SPOR_F64};
    bool done = true;
    for (int k = 0; k < count; k++) {
        arrays.input[k] = piece.input[k];
        if (k < 2) arrays.value[k] = k ? n->numbers_target : n->numbers_x;
        if (k < 2) continue;
        const spor_leaf *leaf = &n->tape->leaf[k - 2];
        arrays.value[k] = spor_params_entry(n->wide, spor_params_find(n->wide, names[k])).value;
        if (!leaf->trained) continue;
        double *claimed = copy_gradient(n, names[k]);
        done = done && claimed;
        arrays.claim[arrays.claims++] = (spor_claim){names[k], k, claimed};
    }
    double steps = oracle_budget / (piece_cost(&piece) * (arrays.claims + 1));
    arrays.oracle = steps < 1 ? 1 : steps > 30 ? 30 : (int64_t)steps;
    done = done ? judge_arrays(n, &arrays) : no_memory(n);
    for (int k = 0; k < arrays.claims; k++) free((void *)(uintptr_t)arrays.claim[k].claimed);
    spor_tape_free(piece.tape);
    return done;
}

/* ---- settings ---- */

static bool judge_setting(network *n, int64_t rows, bool real, uint64_t seed) {
    bool done = record(n, rows) && widen(n) && draw(n, rows, real, seed) && judge_layers(n, seed) &&
                judge_whole(n);
    forget(n);
    return done;
}

/* One, two and three rows, random numbers and the data's; one row each for a large network. */
static bool judge_settings(network *n) {
    bool data = n->check->data != NULL;
    int64_t rows[SETTINGS] = {1, 2, 3};
    if (!record(n, 1)) return false;
    spor_piece whole = {.tape = n->tape};
    bool large = piece_cost(&whole) > large_network;
    forget(n);
    for (int k = 0; k < SETTINGS; k++) {
        if (large && k == 2) break;
        bool real = data && (k == 1 || k == 2);
        uint64_t seed = random_hash(n->check->seed, (uint64_t)k, 12);
        if (!judge_setting(n, large ? 1 : rows[k], real, seed)) return false;
    }
    return true;
}

static void show(const network *n, const tally *t, const char *against, spor_on_model_row *on_row,
                 void *user) {
    char summary[400], detail[4096] = "", kinks[64] = "";
    const spor_verdict *v = &t->found;
    spor_model_row row = {v->outcome, t->label, summary, detail, v};
    bool open = v->arrays.between > 0;
    if (v->outcome == SPOR_HOLDS && (!v->comparisons || !v->nonzero || open))
        row.outcome = SPOR_NOTHING_EXAMINED;
    if (t->undecided) snprintf(kinks, sizeof kinks, ", %" PRId64 " at a kink", t->undecided);
    if (row.outcome == SPOR_HOLDS)
        snprintf(summary, sizeof summary,
                 "%s %s: %" PRId64 " values, at most %.2g of what rounding may do; %" PRId64
                 " complex steps%s",
                 against, n->at, v->comparisons, v->closest, v->asked[SPOR_BY_COMPLEX_STEP], kinks);
    else if (row.outcome == SPOR_NOTHING_EXAMINED && open)
        snprintf(summary, sizeof summary,
                 "%s %s: %" PRId64 " values are farther off than rounding explains, and not so far "
                 "that they must be wrong",
                 against, n->at, v->arrays.between);
    else if (row.outcome == SPOR_NOTHING_EXAMINED)
        snprintf(summary, sizeof summary,
                 "%s %s: nothing could be examined: rounding may do more "
                 "than the values, or all are 0",
                 against, n->at);
    else
        snprintf(summary, sizeof summary, "%s %s: %s is wrong%s%s", against, n->at,
                 v->example.pair_name, *v->example.pattern ? "; looks like: " : "",
                 v->example.pattern);
    FILE *out = v->outcome == SPOR_FAILS ? fmemopen(detail, sizeof detail - 1, "w") : NULL;
    if (out) verdict_print_example(NULL, &v->example, out);
    if (out) fclose(out);
    on_row(user, &row);
}

static bool judge_weights(network *n, const char *at, spor_on_model_row *on_row, void *user) {
    n->at = at;
    n->regions = n->parameters = 0;
    if (!judge_settings(n)) return false;
    for (int k = 0; k < n->regions; k++)
        show(n, &n->region[k], "fast path, float and double,", on_row, user);
    for (int k = 0; k < n->parameters; k++)
        show(n, &n->parameter[k], "gradient of the cost", on_row, user);
    return true;
}

static bool load(network *n) {
    bool done = record(n, 1) && spor_weights_load(n->params, n->check->weights, n->message);
    forget(n);
    return done;
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
    if (!done) no_memory(&n);
    done = done && judge_weights(&n, "at initial weights", on_row, user);
    if (done && check->weights)
        done = load(&n) && judge_weights(&n, "at the weights given", on_row, user);
    done = done && verify_rule_rows(check, on_row, user, message);
    if (!done && !*message->text) no_memory(&n);
    free(n.region);
    free(n.parameter);
    spor_params_free(n.params);
    spor_params_free(n.wide);
    return done;
}
