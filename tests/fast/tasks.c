/* Fast kernels in tasks: any order, any thread, the same bits. What is promised of tasks is checked
 * by support/tasks.c, of every op that the programs here, and those of the other suites, have. */
#include "../suite.h"

#include <spor/spor.h>

#include "../support/sets.h"
#include "../support/tasks.h"

/* Every kind of fast layer, large enough that each can have several tasks; one convolution is
 * pooled elsewhere, one where it is made. */
static spor_var record_net(spor_tape *tape, int64_t N) {
    const char *law = "uniform";
    int64_t one[] = {0, 1, 1, 0};
    spor_var x = spor_param(tape, "x", SPOR_SHAPE(N, 12, 11, 3), SPOR_INIT(law, 2));
    spor_var K = spor_param(tape, "K", SPOR_SHAPE(3, 2, 3, 19), SPOR_INIT(law, 0.5));
    spor_var b = spor_param(tape, "b", SPOR_SHAPE(19), SPOR_INIT(law, 0.5));
    spor_var z = spor_correlate2d(spor_pad(x, one, one, 0), K, 1, 1);
    z = spor_tanh(spor_add(z, spor_broadcast(b, spor_shape_of(z))));
    spor_var L = spor_param(tape, "L", SPOR_SHAPE(2, 2, 19, 7), SPOR_INIT(law, 0.25));
    z = spor_sigmoid(spor_correlate2d(z, L, 1, 1));
    z = spor_maxpool2d(z, (spor_window){{2, 2}, {2, 2}, {0, 1, 0, 1}});
    z = spor_flatten(spor_maxpool2d(z, (spor_window){{3, 2}, {2, 1}, {0, 1, 0, 0}}));
    spor_var W = spor_param(tape, "W", SPOR_SHAPE(spor_shape_of(z).n[1], 33), SPOR_INIT(law, 0.5));
    spor_var c = spor_param(tape, "c", SPOR_SHAPE(33), SPOR_INIT(law, 0.5));
    z = spor_matmul(z, W);
    z = spor_tanh(spor_add(z, spor_broadcast(c, spor_shape_of(z))));
    spor_var V = spor_param(tape, "V", SPOR_SHAPE(33, 11), SPOR_INIT(law, 0.5));
    spor_var y = spor_param(tape, "y", SPOR_SHAPE(N, 11), SPOR_INIT(law, 1));
    return spor_cross_entropy_mean(spor_matmul(z, V), y, NULL);
}

static void check_net(int64_t N, const char *set, spor_scalar scalar, tasks_met met[]) {
    spor_tape *tape = spor_tape_new();
    spor_params *params = spor_params_new(scalar, 1);
    spor_program *program = spor_compile_training(record_net(tape, N), 0, NULL, params,
                                                  &(spor_options){.scalar = scalar, .isa = set});
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    tasks_check(program, met);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(tape);
}

START_TEST(tasks_in_any_order_give_the_same_bits) {
    for (int s = 0; instruction_sets()[s]; s++)
        for (int scalar = 0; scalar <= SPOR_F64; scalar++) {
            tasks_met met[TASKS_OPS] = {{NULL, {0}}};
            check_net(17, instruction_sets()[s], (spor_scalar)scalar, met);
            check_net(1, instruction_sets()[s], (spor_scalar)scalar, met);
            for (int k = 0; met[k].op; k++)
                ck_assert_msg(met[k].most[SPOR_WORK] > 2 && (met[k].most[SPOR_FINISH] ||
                                                             !met[k].op->fused->phase[SPOR_FINISH]),
                              "%s never had several tasks", met[k].op->signature);
        }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast tasks");
    TCase *tasks = tcase_create("tasks");
    tcase_add_test(tasks, tasks_in_any_order_give_the_same_bits);
    suite_add_tcase(suite, tasks);
    return suite;
}
