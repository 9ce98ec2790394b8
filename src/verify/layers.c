/*
 * A network's layers one by one, each at the numbers that reach it, in float and in double. They know nothing of
 * each other, so that threads judge them side by side; but where a derivation is the script's, recording it runs
 * the script, which one thread does.
 */
#include "verify/network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/pool.h"
#include "base/random.h"
#include "base/shape.h"
#include "program/params.h"
#include "program/program.h"
#include "verify/verify.h"

/* A region and an arithmetic; what came of it. */
typedef struct {
    const network *of;
    const spor_region *region;
    spor_program *program; /* has the operands' numbers */
    spor_scalar arithmetic;
    uint64_t seed;
    tally seen;
    const char *label;
    bool done;
    spor_message message;
} sighting;

/* A reference program in double that gives all operands of the regions. */
static spor_program *run_operands(network *n, const spor_region region[], int regions) {
    static const spor_options options = {.scalar = SPOR_F64, .reference = true};
    spor_var *outputs = calloc((size_t)regions * REGION_OPERANDS + 1, sizeof *outputs);
    int count = 0;
    for (int r = 0; outputs && r < regions; r++)
        for (int k = 0; k < region[r].operands; k++)
            outputs[count++] = (spor_var){n->tape, region[r].operand[k]};
    spor_program *program =
        outputs ? spor_compile(n->tape, count, outputs, n->wide, &options) : NULL;
    free(outputs);
    if (!program) return network_no_memory(n), NULL;
    spor_message *message = n->message;
    bool affordable = trial_affords(program, n->x, message->text, sizeof message->text);
    if (affordable) network_fill(n, program);
    if (affordable && spor_run(program, 0)) return program;
    if (affordable) message_complain(message, "%s", spor_program_error(program));
    spor_program_free(program);
    return NULL;
}

/* Numbers of an operand, rounded to float. */
static double *take_operand(const sighting *s, uint32_t id) {
    const network *n = s->of;
    const spor_node *node = &n->tape->node[id];
    int entry = node->op->traits & SPOR_STORED ? spor_params_find(n->wide, node->name) : -1;
    int64_t size = shape_size(node->shape);
    const double *from = entry >= 0 ? spor_params_entry(n->wide, entry).value
                                    : spor_program_arg(s->program, (spor_var){n->tape, id}).data;
    if (id == n->x.id) from = n->numbers_x;
    if (id == n->target.id) from = n->numbers_target;
    double *to = from ? malloc(bytes_for(size + 1, sizeof *to)) : NULL;
    for (int64_t k = 0; to && k < size; k++) to[k] = (double)(float)from[k];
    return to;
}

/* ---- names ---- */

/* "net/block[0]/scaled derivation of scaled" */
static void label_derivation(const network *n, const spor_region *region, char label[200]) {
    const spor_model_check *c = n->check;
    const char *path = n->tape->scope[n->tape->node[region->root].scope].path;
    const char *name = c->derivation_name ? c->derivation_name(region->custom->user, -1) : "y";
    snprintf(label, 200, "%s%sderivation of %s", path ? path : "", path && *path ? " " : "", name);
}

/* "net/conv[0] conv2d" */
static void label_region(const network *n, const spor_region *region, char label[200]) {
    if (region->custom) {
        label_derivation(n, region, label);
        return;
    }
    const spor_node *root = &n->tape->node[region->root];
    uint32_t scope = root->scope;
    for (int k = 0; k < region->operands; k++) /* the layer is where its parameters are */
        if (n->tape->node[region->operand[k]].op->traits & SPOR_STORED)
            scope = n->tape->node[region->operand[k]].scope;
    const char *path = n->tape->scope[scope].path;
    snprintf(label, 200, "%s%s%s", path ? path : "", path && *path ? " " : "", region->fast);
}

/* ---- one ---- */

static bool judge_once(sighting *s, double *const value[], spor_verdict *found) {
    const network *n = s->of;
    return region_judge(n->check, n->tape, s->region, s->label, (const double *const *)value,
                        s->arithmetic, s->seed, found, &s->seen.undecided, &s->message);
}

/* What differs from the tape at ties and kinks of the data alone has another convention there, and
 * is not wrong: nearby it must hold. */
static bool judge_off_ties(sighting *s, double *const value[]) {
    spor_verdict nearby = {.outcome = SPOR_HOLDS};
    const spor_region *region = s->region;
    for (int k = 0; k < region->operands; k++)
        network_shake(value[k], shape_size(s->of->tape->node[region->operand[k]].shape),
                      random_hash(s->seed, (uint64_t)k, 14));
    if (!judge_once(s, value, &nearby)) return false;
    s->seen.at_ties = nearby.outcome == SPOR_HOLDS && nearby.nonzero > 0;
    if (s->seen.at_ties) s->seen.found = nearby;
    return true;
}

static void judge(sighting *s) {
    const spor_region *region = s->region;
    double *value[REGION_OPERANDS] = {NULL};
    s->seen.found.outcome = SPOR_HOLDS;
    s->done = true;
    for (int k = 0; s->done && k < region->operands; k++)
        s->done = (value[k] = take_operand(s, region->operand[k])) != NULL;
    s->done = s->done && judge_once(s, value, &s->seen.found);
    if (s->done && region->custom && s->seen.found.outcome == SPOR_FAILS &&
        !s->of->check->ties_bind)
        s->done = judge_off_ties(s, value);
    for (int k = 0; k < region->operands; k++) free(value[k]);
}

/* ---- all ---- */

/* What is judged of a setting: each region in float and in double. */
typedef struct {
    sighting *at;
    tally **row; /* of each sighting; NULL: there is no room for one more */
    int count;
} sightings;

static bool stands_alone(const network *n, const spor_region *region) {
    return !region->custom || region_stands_alone(n->tape, region);
}

static void find_row(network *n, sightings *all, int k) {
    sighting *s = &all->at[k];
    char label[200];
    label_region(n, s->region, label);
    tally *t = all->row[k] = network_tally(n, n->region, &n->regions, label);
    if (!t) return;
    s->label = t->label;
    t->against =
        s->region->custom ? "derivation, float and double," : "fast path, float and double,";
    if (!stands_alone(n, s->region))
        t->overlooked = "it reads more than its operands; the gradients of the whole tell";
}

/* What is wrong by now is not looked at again. */
static bool is_open(const sightings *all, int64_t k) {
    const tally *t = all->row[k];
    return t && !t->overlooked && t->found.outcome != SPOR_FAILS;
}

static void judge_fast(void *user, int64_t k, const pool_worker *worker) {
    const sightings *all = user;
    (void)worker;
    if (is_open(all, k) && !all->at[k].region->custom) judge(&all->at[k]);
}

/* Adds what was found to the rows, in the order of the sightings. */
static bool add_up(network *n, const sightings *all) {
    for (int k = 0; k < all->count; k++) {
        const sighting *s = &all->at[k];
        tally *t = all->row[k];
        if (!is_open(all, k)) continue;
        if (!s->done)
            return *s->message.text ? message_complain(n->message, "%s", s->message.text)
                                    : network_no_memory(n);
        verdict_add(&t->found, &s->seen.found);
        t->undecided += s->seen.undecided;
        t->at_ties = t->at_ties || s->seen.at_ties;
    }
    return true;
}

static bool judge_all(network *n, sightings *all) {
    spor_pool *pool = n->check->threads > 1 ? pool_new(n->check->threads) : NULL;
    for (int k = 0; k < all->count; k++) find_row(n, all, k);
    for (int k = 0; k < all->count; k++)
        if (is_open(all, k) && all->at[k].region->custom) judge(&all->at[k]);
    pool_run(pool, all->count, judge_fast, all);
    pool_free(pool);
    return add_up(n, all);
}

static bool judge_regions(network *n, const spor_region region[], int regions, uint64_t seed) {
    sightings all = {.count = 2 * regions};
    spor_program *program = regions ? run_operands(n, region, regions) : NULL;
    if (!regions || !program) return !regions;
    all.at = calloc((size_t)all.count, sizeof *all.at);
    all.row = calloc((size_t)all.count, sizeof *all.row);
    bool done = (all.at && all.row) || network_no_memory(n);
    for (int k = 0; done && k < all.count; k++)
        all.at[k] = (sighting){.of = n,
                               .region = &region[k / 2],
                               .program = program,
                               .arithmetic = k % 2 ? SPOR_F64 : SPOR_F32,
                               .seed = seed + 1 + (uint64_t)(k % 2)};
    done = done && judge_all(n, &all);
    free(all.at);
    free(all.row);
    spor_program_free(program);
    return done;
}

bool layers_judge(network *n, uint64_t seed) {
    spor_region *region = calloc(REGIONS, sizeof *region);
    int regions =
        region ? region_list(n->check, n->cost, n->params, REGIONS, region, n->message) : -1;
    n->crowded = n->crowded || regions > REGIONS;
    if (regions > REGIONS) regions = REGIONS;
    bool done = regions >= 0 && judge_regions(n, region, regions, seed);
    free(region);
    return done;
}
