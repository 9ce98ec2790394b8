/* Networks on several threads: the same bits as on one, steps, updates and evaluations. */
#include "../suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/tasks.h"
#include "claims/claims.h"
#include "program/program.h"
#include "train/batch.h"
#include "train/model.h"

enum { ROWS = 24, STEPS = 3 };

static const char *const networks[] = {"densenet2_20",  "convnet1_3", "densenet4_300",
                                       "convkeras4_20", "lenet2",     "convkeras12_32"};
enum { NETWORKS = sizeof networks / sizeof *networks, OUTSIDE = 27 };

static spor_script *load(const char *name) {
    char path[1200], folder[1024];
    snprintf(folder, sizeof folder, "%.1000s/models", getenv("SPOR_SOURCE"));
    snprintf(path, sizeof path, "%s/%s.spor", folder, name);
    spor_script *script = script_load(path, folder, &claims_dialect, 0, NULL);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    return script;
}

/* Network k of those that are none of the six. */
static spor_script *load_outside(int k) {
    char path[1200], folder[1024], number[12];
    const spor_set which = {.name = "which", .value = number};
    snprintf(number, sizeof number, "%d", k);
    snprintf(folder, sizeof folder, "%.1000s/models", getenv("SPOR_SOURCE"));
    snprintf(path, sizeof path, "%.1000s/tests/bench/outside.spor", getenv("SPOR_SOURCE"));
    return script_load(path, folder, &claims_dialect, 1, &which);
}

static spor_model *make(spor_script *script, spor_scalar scalar, int threads) {
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
                                  .options = {.scalar = scalar, .threads = threads}};
    return spor_model_new(&spec);
}

static size_t bytes_of(const spor_arg *arg, spor_scalar scalar) {
    size_t size = scalar == SPOR_F32 ? sizeof(float) : sizeof(double);
    for (int k = 0; k < arg->shape.rank; k++) size *= (size_t)arg->shape.n[k];
    return size;
}

/* All that some steps and a prediction leave: predictions, cost and parameters, to be freed. */
static unsigned char *run(spor_script *script, spor_scalar scalar, int threads, size_t *size,
                          int64_t *tasks) {
    spor_model *model = make(script, scalar, threads);
    const spor_model_spec *spec = model_spec_of(model);
    batch_source source = batch_source_of(NULL, &spec->sample, &spec->target, scalar, 1);
    unsigned char *all = NULL;
    *size = 0;
    for (int k = 0; k <= STEPS; k++) {
        spor_bound *bound = spor_model_bind(model, ROWS, k < STEPS);
        ck_assert_msg(bound != NULL, "%s", spor_model_error(model));
        batch_fill(&source, NULL, ROWS, bound->x.data, bound->y.data);
        bool done =
            k < STEPS ? spor_model_step(model, bound, (uint64_t)k) : spor_model_run(model, bound);
        ck_assert_msg(done, "%s", spor_model_error(model));
        for (uint32_t s = 0; s < bound->program->steps; s++)
            if (bound->program->step[s].need.tasks[SPOR_WORK] > *tasks)
                *tasks = bound->program->step[s].need.tasks[SPOR_WORK];
        const spor_arg *kept[] = {&bound->logits, &bound->loss};
        for (int i = 0; i < 2; i++) {
            size_t bytes = bytes_of(kept[i], scalar);
            all = realloc(all, *size + bytes);
            ck_assert(all != NULL);
            memcpy(all + *size, kept[i]->data, bytes);
            *size += bytes;
        }
    }
    spor_model_free(model);
    return all;
}

START_TEST(any_number_of_threads_gives_the_same_bits) {
    static const int threads[] = {2, 3, 7};
    spor_script *script = load(networks[_i / 2]);
    spor_scalar scalar = _i % 2 ? SPOR_F64 : SPOR_F32;
    int64_t tasks = 0;
    size_t size, other_size;
    unsigned char *alone = run(script, scalar, 1, &size, &tasks);
    for (int k = 0; k < 3; k++) {
        unsigned char *other = run(script, scalar, threads[k], &other_size, &tasks);
        ck_assert_uint_eq(size, other_size);
        ck_assert_msg(!memcmp(alone, other, size), "%s: other numbers on %d threads",
                      networks[_i / 2], threads[k]);
        free(other);
    }
    if (_i / 2 > 1) ck_assert_int_gt(tasks, 1); /* else there was nothing to share */
    free(alone);
    script_free(script);
}
END_TEST

/* The tasks of a step of two rows, cut finer than here, in any order; of networks that take some seconds in a
 * debug build, with checks, what is too large is left out, and told. */
START_TEST(tasks_of_other_networks_may_be_run_in_any_order) {
    static const double most = 3e8; /* multiply-adds of a step */
    const size_t largest = 1 << 23; /* bytes */
    spor_script *script = load_outside(_i);
    ck_assert_msg(!script_error(script), "%s", script_error(script));
    spor_model *model = make(script, SPOR_F32, 1);
    spor_bound *bound = spor_model_bind(model, 2, true);
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
        printf("network %d of outside.spor is left out: %.1g multiply-adds, %zu bytes\n", _i, cost,
               spor_program_bytes(bound->program));
    spor_model_free(model);
    script_free(script);
}
END_TEST

/* Nobody adds a network that is not looked at. */
START_TEST(these_are_all_other_networks) {
    spor_script *script = load_outside(OUTSIDE);
    ck_assert(script_error(script) && strstr(script_error(script), "there is no index"));
    script_free(script);
}
END_TEST

/* A program with scratch for fewer threads than the workspace has runs alone. */
START_TEST(programs_of_one_workspace_may_differ) {
    spor_script *script = load("lenet2");
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
    Suite *suite = suite_create("threads");
    TCase *tests = tcase_create("threads");
    tcase_add_loop_test(tests, any_number_of_threads_gives_the_same_bits, 0, 2 * NETWORKS);
    tcase_add_test(tests, programs_of_one_workspace_may_differ);
    suite_add_tcase(suite, tests);
    TCase *tasks = tcase_create("tasks"); /* one by one, on this thread */
    tcase_add_loop_test(tasks, tasks_of_other_networks_may_be_run_in_any_order, 0, OUTSIDE);
    tcase_add_test(tasks, these_are_all_other_networks);
    suite_add_tcase(suite, tasks);
    return suite;
}
