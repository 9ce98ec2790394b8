/* Networks on several threads: the same bits as on one, steps, updates and evaluations. */
#include "../suite.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/stored.h"
#include "../support/tasks.h"
#include "base/bytes.h"
#include "base/checksum.h"
#include "claims/claims.h"
#include "program/program.h"
#include "train/batch.h"
#include "train/model.h"

enum { WATCHED = SANITIZED || THREADS_SANITIZED }; /* by a sanitizer: many times as slow */
enum { STEPS = WATCHED ? 1 : 2, ROWS = 24 };

/* The report's six; behind them, in one count, those of outside.spor. */
static const char *const six[] = {"densenet2_20",  "convnet1_3", "densenet4_300",
                                  "convkeras4_20", "lenet2",     "convkeras12_32"};
enum { SIX = sizeof six / sizeof *six, LENET2 = 4 };

static spor_script *load(int network) {
    char path[1200], folder[1024], number[12];
    const char *source = getenv("SPOR_SOURCE");
    const spor_set which = {.name = "which", .value = number};
    snprintf(folder, sizeof folder, "%.1000s/models", source);
    if (network < SIX)
        snprintf(path, sizeof path, "%s/%s.spor", folder, six[network]);
    else
        snprintf(path, sizeof path, "%.1000s/tests/bench/outside.spor", source);
    snprintf(number, sizeof number, "%d", network - SIX);
    return script_load(path, folder, &claims_dialect, network >= SIX, &which);
}

static spor_script *load_well(int network) {
    spor_script *script = load(network);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    return script;
}

/* All that load without an error. */
static int count_networks(void) {
    for (int network = 0;; network++) {
        spor_script *script = load(network);
        bool there = script && !script_error(script);
        script_free(script);
        if (!there) return network;
    }
}

static spor_model *make(spor_script *script, const spor_options *options) {
    const spor_declaration *d = script_declaration(script);
    const spor_model_spec spec = {.net = script_net,
                                  .loss = script_loss,
                                  .reduction = d->reduction,
                                  .metric = d->metric,
                                  .optimizer = script_optimizer,
                                  .user = script,
                                  .sample = d->sample,
                                  .target = SPOR_SHAPE(d->classes),
                                  .seed = 5,
                                  .options = *options};
    return spor_model_new(&spec);
}

static size_t bytes_of(const spor_arg *arg, spor_scalar scalar) {
    size_t size = scalar == SPOR_F32 ? sizeof(float) : sizeof(double);
    for (int k = 0; k < arg->shape.rank; k++) size *= (size_t)arg->shape.n[k];
    return size;
}

/* What a network is called: of outside.spor the def whose call the first parameter is of, net/recurrent64[0]/... */
static void name_of(int network, spor_params *params, char name[64]) {
    const char *first = spor_params_entry(params, 0).name + strlen("net/");
    if (network < SIX)
        snprintf(name, 64, "%s", six[network]);
    else
        snprintf(name, 64, "%.*s", (int)strcspn(first, "["), first);
}

/* Too small to be shared: two of the six, and 17 rows of recurrent64. */
static bool is_small(const char *name) {
    static const char *const small[] = {"densenet2_20", "convnet1_3", "recurrent64"};
    bool is = false;
    for (size_t k = 0; k < sizeof small / sizeof *small; k++) is = is || !strcmp(name, small[k]);
    return is;
}

/* What a run left: predictions and cost after each step and of a prediction, and the parameters' sum. */
typedef struct {
    char network[64];
    unsigned char *bytes;
    size_t size;
    int64_t tasks; /* the most of a phase */
    bool rounds;   /* several steps are done together */
    int replaced;  /* gradients in whose place the next values are */
} outcome;

static void keep(outcome *all, const void *data, size_t size) {
    all->bytes = realloc(all->bytes, all->size + size);
    ck_assert(all->bytes != NULL);
    memcpy(all->bytes + all->size, data, size);
    all->size += size;
}

static void keep_run(outcome *all, const spor_bound *bound, spor_scalar scalar) {
    keep(all, bound->logits.data, bytes_of(&bound->logits, scalar));
    keep(all, bound->loss.data, bytes_of(&bound->loss, scalar));
    /* numbers that are none would be the same however they came about */
    ck_assert(isfinite(scalar_value_at(bound->loss.data, scalar, 0)));
    for (uint32_t s = 0; s < bound->program->steps; s++) {
        all->rounds |= bound->program->step[s].joins;
        for (int phase = 0; phase < SPOR_PHASES; phase++)
            if (bound->program->step[s].need.tasks[phase] > all->tasks)
                all->tasks = bound->program->step[s].need.tasks[phase];
    }
}

static void keep_parameters(outcome *all, const spor_params *params) {
    size_t bytes = bytes_for(params->held, scalar_width(params->scalar));
    uint64_t sum = checksum_add(0, params->value, bytes);
    keep(all, &sum, sizeof sum);
}

/* Some steps and a prediction, of a quarter of the script's batch and a row more, which no cut divides. */
static outcome run(int network, spor_script *script, const spor_options *options) {
    const spor_scalar scalar = options->scalar;
    spor_model *model = make(script, options);
    const spor_model_spec *spec = model_spec_of(model);
    const int64_t rows = script_declaration(script)->batch / 4 + 1;
    batch_source source = batch_source_of(NULL, &spec->sample, &spec->target, scalar, 1);
    outcome all = {.bytes = NULL};
    for (int k = 0; k <= STEPS; k++) {
        spor_bound *bound = spor_model_bind(model, rows, k < STEPS);
        ck_assert_msg(bound != NULL, "%s", spor_model_error(model));
        batch_fill(&source, NULL, rows, bound->x.data, bound->y.data);
        bool done =
            k < STEPS ? spor_model_step(model, bound, (uint64_t)k) : spor_model_run(model, bound);
        ck_assert_msg(done, "%s", spor_model_error(model));
        keep_run(&all, bound, scalar);
        all.replaced += stored_replaced(bound->program);
    }
    name_of(network, spor_model_params(model), all.network);
    keep_parameters(&all, spor_model_params(model));
    spor_model_free(model);
    return all;
}

/* Each network in two scalar types. Under a sanitizer once, in one of them: who reads what another
 * writes is seen there; what comes of it, in other builds. */
enum { TYPES = WATCHED ? 1 : 2, TIMES = WATCHED ? 1 : 4 };

/* One of them hands its gradients on, so that they have places of their own. */
START_TEST(any_number_of_threads_gives_the_same_bits) {
    spor_options options[] = {
        {.threads = 3}, {.threads = 1, .gradients = true}, {.threads = 2}, {.threads = 7}};
    const int network = _i / TYPES;
    spor_script *script = load_well(network);
    for (int k = 0; k < TIMES; k++) options[k].scalar = _i % 2 ? SPOR_F64 : SPOR_F32;
    outcome first = run(network, script, &options[0]);
    ck_assert_msg(first.replaced > 0, "%s: no next value replaces its gradient", first.network);
    for (int k = 1; k < TIMES; k++) {
        outcome other = run(network, script, &options[k]);
        ck_assert_int_eq(other.replaced, options[k].gradients ? 0 : first.replaced);
        ck_assert_uint_eq(first.size, other.size);
        ck_assert_msg(!memcmp(first.bytes, other.bytes, first.size),
                      "%s: other numbers on %d threads than on %d", first.network,
                      options[k].threads, options[0].threads);
        free(other.bytes);
    }
    if (!is_small(first.network)) /* else there was nothing to share */
        ck_assert_msg(first.tasks > 1 && first.rounds, "%s: nothing is shared", first.network);
    free(first.bytes);
    script_free(script);
}
END_TEST

/* The tasks of a step of two rows, which finds what it reads as it was, cut finer than here, in any order; of networks that take some seconds in a
 * debug build, with checks, what is too large is left out, and told. */
START_TEST(tasks_of_other_networks_may_be_run_in_any_order) {
    static const double most = 3e8; /* multiply-adds of a step */
    const size_t largest = 1 << 23; /* bytes */
    spor_script *script = load_well(SIX + _i);
    spor_model *model = make(script, &(spor_options){.threads = 1, .gradients = true});
    spor_bound *bound = spor_model_bind(model, 2, true);
    char name[64];
    name_of(SIX + _i, spor_model_params(model), name);
    ck_assert_msg(bound != NULL, "%s", spor_model_error(model));
    const spor_model_spec *spec = model_spec_of(model);
    batch_source source = batch_source_of(NULL, &spec->sample, &spec->target, SPOR_F32, 1);
    batch_fill(&source, NULL, 2, bound->x.data, bound->y.data);
    double cost = 0;
    for (uint32_t s = 0; s < bound->program->steps; s++)
        cost += program_step_cost(bound->program, s);
    ck_assert_msg(spor_model_step(model, bound, 0), "%s", spor_model_error(model));
    if (cost < most && spor_program_bytes(bound->program) < largest)
        tasks_check(bound->program, NULL);
    else
        printf("%s is left out: %.1g multiply-adds, %zu bytes\n", name, cost,
               spor_program_bytes(bound->program));
    spor_model_free(model);
    script_free(script);
}
END_TEST

/* The count ended with the list of outside.spor, not with something that is wrong. */
START_TEST(these_are_all_networks) {
    int networks = count_networks();
    spor_script *script = load(networks);
    ck_assert_int_gt(networks, SIX);
    ck_assert(script_error(script) && strstr(script_error(script), "there is no index"));
    script_free(script);
}
END_TEST

/* A program with scratch for fewer threads than the workspace has runs alone. */
START_TEST(programs_of_one_workspace_may_differ) {
    spor_script *script = load_well(LENET2);
    spor_workspace *workspace = spor_workspace_new();
    static const int threads[] = {3, 1, 2, 7};
    for (int k = 0; k < 4; k++) {
        spor_tape *tape = spor_tape_new();
        spor_params *params = spor_params_new(SPOR_F32, 1);
        spor_var x = spor_input(tape, "x", SPOR_SHAPE(ROWS, 32, 32, 3));
        spor_var y = script_net(x, false, script);
        spor_program *program = spor_compile(
            tape, 1, &y, params, &(spor_options){.threads = threads[k], .workspace = workspace});
        ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
        ck_assert((program->pool != NULL) == (threads[k] >= 3));
        spor_program_free(program);
        spor_params_free(params);
        spor_tape_free(tape);
    }
    spor_workspace_free(workspace);
    script_free(script);
}
END_TEST

Suite *spor_suite(void) {
    const int networks = count_networks();
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_add_loop_test(tests, any_number_of_threads_gives_the_same_bits, 0, TYPES * networks);
    tcase_add_test(tests, programs_of_one_workspace_may_differ);
    tcase_add_test(tests, these_are_all_networks);
    suite_add_tcase(suite, tests);
    TCase *tasks = tcase_create("tasks"); /* one by one, on this thread */
    tcase_add_loop_test(tasks, tasks_of_other_networks_may_be_run_in_any_order, 0, networks - SIX);
    suite_add_tcase(suite, tasks);
    return suite;
}
