/* Groups: random graphs of elementwise ops give the numbers of the reference, on every instruction
 * set, and their programs are what program/group.c, order.c and tiles.c promise. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../support/fastcheck.h"
#include "../support/graphs.h"
#include "../support/sets.h"
#include "../support/tasks.h"
#include "kernels/element.h"
#include "kernels/group.h"

#if SANITIZED
enum { GRAPHS = 64 };
#else
enum { GRAPHS = 160 };
#endif
enum { TYPES = FASTCHECK_TYPES };

/* Over all graphs: elements compared, those of them bit for bit, those that could not be judged, a
 * branch before them being open; what kinds of groups there were. */
typedef struct {
    int64_t compared, exact, open;
    int64_t groups, several_tasks, finished, split, once, uniform, in_place, slots_again, carries,
        largest, products, remade, rows;
} tally;

/* One graph: the truth, by arithmetic, and the graph that programs are made of. */
typedef struct {
    graph plain, trained;
    opcheck_machine truth[TYPES];
    spor_params *params;
    tally *met;
} trial;

/* ---- the truth ---- */

static void build_truth(trial *t) {
    graph *g = &t->plain;
    spor_var in[GRAPH_LEAVES + 1], out[GRAPH_OUTPUTS + GRAPH_LEAVES];
    memcpy(in, g->leaf, sizeof g->leaf);
    in[GRAPH_LEAVES] = g->cotangent;
    memcpy(out, g->out, sizeof g->out);
    bool pulled = spor_vjp(g->out[0], g->cotangent, GRAPH_LEAVES, g->leaf, out + GRAPH_OUTPUTS);
    ck_assert_msg(pulled, "graph %d: %s", (int)g->seed, spor_error(g->tape));
    for (int type = 0; type < TYPES; type++) {
        opcheck_machine *m = &t->truth[type];
        ck_assert(opcheck_build(m, SPOR_ROUNDING, GRAPH_LEAVES + 1, in,
                                GRAPH_OUTPUTS + GRAPH_LEAVES, out));
        m->arithmetic = (spor_scalar)type;
        spor_domain any[GRAPH_LEAVES + 1] = {SPOR_ANY};
        if (g->exact)
            fastcheck_draw_integers(m, NULL, g->seed);
        else
            opcheck_draw(m, GRAPH_LEAVES + 1, any, g->seed);
        ck_assert(opcheck_run(m));
    }
}

static trial open_trial(uint64_t seed, bool exact, tally *met) {
    trial t = {.plain = graph_record(seed, exact, false),
               .trained = graph_record(seed, exact, true),
               .met = met};
    build_truth(&t);
    t.params = spor_params_new(SPOR_F64, 1);
    return t;
}

static void close_trial(trial *t) {
    for (int type = 0; type < TYPES; type++) opcheck_free(&t->truth[type]);
    spor_params_free(t->params);
    spor_tape_free(t->plain.tape);
    spor_tape_free(t->trained.tape);
}

static spor_entry entry_of(const trial *t, int leaf) {
    const char *name = tape_node_of(t->trained.leaf[leaf])->name;
    return spor_params_entry(t->params, spor_params_find(t->params, name));
}

/* ---- comparing ---- */

static void compare(const trial *t, const spor_program *program, int array, const void *data,
                    spor_scalar stored) {
    const opcheck_machine *m = &t->truth[program->scalar];
    for (int64_t e = 0; e < m->ny[array]; e++) {
        double got = element_types[stored]->value(data, e), want = m->y[array][e];
        double bound = fastcheck_bound((int)program->scalar, m->iy[array][e]);
        t->met->open += !(bound < HUGE_VAL);
        t->met->exact += bound <= 0;
        t->met->compared++;
        if (!(bound < HUGE_VAL) || !fastcheck_is_off(got, want, bound)) continue;
        ck_abort_msg("graph %d, %s, %s: element %d of array %d is %.17g, not %.17g +- %g",
                     (int)t->plain.seed, isa_name(program->isa),
                     element_types[program->scalar]->text, (int)e, array, got, want, bound);
    }
}

static void fill_all(const trial *t, spor_program *program) {
    const opcheck_machine *m = &t->truth[0];
    for (int k = 0; k < GRAPH_LEAVES; k++) {
        spor_entry entry = entry_of(t, k);
        memcpy(entry.value, m->x[k], (size_t)m->nx[k] * sizeof(double));
        for (int64_t e = 0; e < m->nx[k]; e++) ((double *)entry.gradient)[e] = (double)NAN;
    }
    spor_params_touch(t->params);
    spor_arg bar = spor_program_arg(program, t->trained.cotangent);
    for (int64_t e = 0; e < m->nx[GRAPH_LEAVES]; e++)
        element_types[program->scalar]->set(bar.data, e, m->x[GRAPH_LEAVES][e]);
}

static void compare_all(const trial *t, spor_program *program) {
    fill_all(t, program);
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    for (int k = 0; k < GRAPH_OUTPUTS; k++)
        compare(t, program, k, spor_program_arg(program, t->trained.out[k]).data, program->scalar);
    for (int k = 0; k < GRAPH_LEAVES; k++)
        compare(t, program, GRAPH_OUTPUTS + k, entry_of(t, k).gradient, SPOR_F64);
}

/* ---- the same bits, whatever lies in memory ---- */

static size_t copy_result(const void *data, size_t bytes, unsigned char *to) {
    memcpy(to, data, bytes);
    return bytes;
}

/* All outputs and gradients, one after the other. */
static unsigned char *results_of(const trial *t, spor_program *program, size_t *bytes) {
    const opcheck_machine *m = &t->truth[0];
    size_t total = 0, width = scalar_width(program->scalar);
    for (int k = 0; k < m->outputs; k++) total += (size_t)m->ny[k] * sizeof(double);
    unsigned char *all = calloc(total, 1), *to = all;
    ck_assert_ptr_nonnull(all);
    for (int k = 0; k < GRAPH_OUTPUTS; k++)
        to += copy_result(spor_program_arg(program, t->trained.out[k]).data,
                          (size_t)m->ny[k] * width, to);
    for (int k = 0; k < GRAPH_LEAVES; k++)
        to += copy_result(entry_of(t, k).gradient, (size_t)m->nx[k] * sizeof(double), to);
    *bytes = total;
    return all;
}

static void check_litter(const trial *t, spor_program *program) {
    size_t bytes;
    unsigned char *clean = results_of(t, program, &bytes);
    memset(program->workspace->base, 0xff, program->workspace->size);
    fill_all(t, program);
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    unsigned char *littered = results_of(t, program, &bytes);
    ck_assert_msg(!memcmp(clean, littered, bytes), "graph %d, %s: other bits after other leftovers",
                  (int)t->plain.seed, isa_name(program->isa));
    free(clean);
    free(littered);
}

/* ---- structure ---- */

static bool computes(const program_step *step, uint32_t id) {
    bool found = false;
    for (uint32_t k = 0; k < step->nodes; k++) found = found || step->node[k] == id;
    return found;
}

static bool writes(const program_step *step, uint32_t id) {
    bool found = false;
    for (int k = 0; k < step_writes(step); k++) found = found || step_written(step, k) == id;
    return found;
}

/* writer[id]: 1 + the step that writes the node, which no other computes; 0: none. */
static void check_once(const spor_program *program, uint32_t writer[], tally *met) {
    uint32_t *times = calloc(program->graph.tape->count, sizeof *times);
    for (uint32_t s = 0; s < program->steps; s++)
        for (uint32_t k = 0; k < program->step[s].nodes; k++) {
            uint32_t id = program->step[s].node[k];
            const spor_node *node = &program->graph.tape->node[id];
            ck_assert(node_is_computed(node) && (program->reference || !node->op->parts));
            times[id]++;
            if (writes(&program->step[s], id)) writer[id] = s + 1;
        }
    for (uint32_t id = 1; id < program->graph.tape->count; id++) {
        ck_assert_msg(!writer[id] || times[id] == 1, "node %u is computed twice", id);
        met->remade += times[id] > 1;
    }
    free(times);
}

/* What node id of step s reads is a leaf, of the step, or what an earlier step wrote. */
static void check_operands(const spor_program *program, const uint32_t writer[], uint32_t s,
                           uint32_t id) {
    const spor_node *node = &program->graph.tape->node[id];
    for (int k = 0; k < node->op->operands; k++) {
        uint32_t in = program_operand(program, id, k);
        bool there = !node_is_computed(&program->graph.tape->node[in]) ||
                     computes(&program->step[s], in) || (writer[in] && writer[in] < s + 1);
        ck_assert_msg(there, "node %u of step %u reads node %u of step %u", id, s + 1, in,
                      writer[in]);
    }
}

static void check_iteration(const spor_program *program, const program_step *step) {
    const spor_tape *tape = program->graph.tape;
    const spor_shape *first = node_iteration(tape, step->node[0]);
    for (uint32_t k = 0; k < step->nodes; k++) {
        ck_assert_ptr_nonnull(tape->node[step->node[k]].op->tile);
        ck_assert(shape_equal(first, node_iteration(tape, step->node[k])));
    }
}

static void check_structure(const spor_program *program, tally *met) {
    uint32_t *writer = calloc(program->graph.tape->count, sizeof *writer);
    ck_assert_ptr_nonnull(writer);
    check_once(program, writer, met);
    for (uint32_t s = 0; s < program->steps; s++) {
        const program_step *of = &program->step[s];
        for (uint32_t k = 0; k < of->nodes; k++) check_operands(program, writer, s, of->node[k]);
        ck_assert(of->group || of->nodes == 1);
        ck_assert(!of->group || !program->reference);
        if (of->group) check_iteration(program, of);
    }
    free(writer);
}

/* ---- what was met ---- */

static int nodes_of_role(const spor_program *program, const program_step *step,
                         spor_tile_role role) {
    int count = 0;
    for (uint32_t k = 0; k < step->nodes; k++)
        count += program->graph.tape->node[step->node[k]].op->tile->role == role;
    return count;
}

static bool is_made_before(const spor_group *group, int line) {
    bool found = false;
    for (int l = 0; l < line; l++) found = found || group->line[l].out == group->line[line].out;
    return found && group->line[line].out >= group->arguments;
}

static void note_group(const spor_program *program, const program_step *step, tally *met) {
    const spor_group *g = step->group;
    int repeats = 0, maps = 0;
    for (int l = 0; l < g->lines; l++) {
        met->once += g->line[l].once;
        met->uniform += g->line[l].uniform;
        met->slots_again += is_made_before(g, l);
        repeats += g->line[l].role == SPOR_REPEATS;
        for (int k = 0; k < g->line[l].operands; k++) met->rows += g->line[l].mask[k] > 0;
        maps += g->line[l].role == SPOR_MAPS;
    }
    for (int a = 0; a < g->arguments; a++) {
        met->carries += g->argument[a].carries;
        met->largest += g->argument[a].role == SPOR_LARGEST;
    }
    met->groups++;
    met->products += nodes_of_role(program, step, SPOR_MAPS) - maps;
    met->in_place += nodes_of_role(program, step, SPOR_REPEATS) - repeats;
    met->several_tasks += step->need.tasks[SPOR_WORK] > 1;
    met->finished += step->need.tasks[SPOR_FINISH] > 0;
    met->split += g->split > 0;
}

static void note(const spor_program *program, tally *met) {
    for (uint32_t s = 0; s < program->steps; s++)
        if (program->step[s].group) note_group(program, &program->step[s], met);
}

/* ---- tests ---- */

static void check_program(const trial *t, const char *set, spor_scalar scalar) {
    spor_options options = {.scalar = scalar, .isa = set};
    const graph *g = &t->trained;
    spor_program *program =
        spor_compile_training(graph_cost(g), GRAPH_OUTPUTS, g->out, t->params, &options);
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    compare_all(t, program);
    check_litter(t, program);
    check_structure(program, t->met);
    if (g->seed % 8 == 4) tasks_check(program, NULL); /* small, but cut finer */
    note(program, t->met);
    spor_program_free(program);
}

static void check_graph(uint64_t seed, bool exact, tally *met) {
    trial t = open_trial(seed, exact, met);
    for (int set = 0; instruction_sets()[set]; set++)
        for (int type = 0; type < TYPES; type++)
            check_program(&t, instruction_sets()[set], (spor_scalar)type);
    close_trial(&t);
}

/* Each kind of group that there is. */
static void check_met(const tally *met) {
    ck_assert_int_gt(met->several_tasks, 0);
    ck_assert_int_gt(met->finished, 0);
    ck_assert_int_gt(met->split, 0);
    ck_assert_int_gt(met->once, 0);
    ck_assert_int_gt(met->uniform, 0);
    ck_assert_int_gt(met->in_place, 0);
    ck_assert_int_gt(met->slots_again, 0);
    ck_assert_int_gt(met->carries, 0);
    ck_assert_int_gt(met->largest, 0);
    ck_assert_int_gt(met->products, 0);
    ck_assert_int_gt(met->remade, 0);
    ck_assert_int_gt(met->rows, 0);
}

START_TEST(graphs_of_reals) {
    tally met = {0};
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) check_graph(seed, false, &met);
    check_met(&met);
    ck_assert_int_lt(met.open, met.compared / 4);
}
END_TEST

START_TEST(graphs_of_small_integers_bit_for_bit) {
    tally met = {0};
    for (uint64_t seed = 1; seed <= GRAPHS; seed++) check_graph(seed, true, &met);
    check_met(&met);
    ck_assert_int_gt(met.exact, met.compared / 2);
}
END_TEST

static spor_program *compile_chain(spor_tape *tape, bool reference) {
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(7, 33));
    spor_var y = spor_tanh(spor_mul(x, spor_sigmoid(x)));
    for (int k = 0; k < 5; k++) y = spor_add(spor_exp(spor_neg(y)), x);
    return spor_compile(tape, 1, &y, NULL,
                        &(spor_options){.scalar = SPOR_F32, .reference = reference});
}

START_TEST(a_chain_is_one_step) {
    spor_tape *tape = spor_tape_new();
    spor_program *program = compile_chain(tape, false);
    ck_assert_uint_eq(program->steps, 1);
    ck_assert_uint_eq(program->step[0].nodes, 18);
    spor_program_free(program);
    spor_tape_free(tape);
}
END_TEST

START_TEST(references_have_no_groups) {
    spor_tape *tape = spor_tape_new();
    spor_program *program = compile_chain(tape, true);
    tally met = {0};
    ck_assert_uint_eq(program->steps, 18);
    check_structure(program, &met);
    spor_program_free(program);
    spor_tape_free(tape);
}
END_TEST

/* ---- values from outside ---- */

static bool is_single(double x) {
    return (double)(float)x == x || isnan(x);
}

static bool are_single(const spor_golden *golden, const opcheck_record *r, int operands) {
    bool all = true;
    for (int k = 0; k < operands; k++) {
        spor_shape shape = spor_shape_of(r->in[k]);
        for (int64_t e = 0; e < shape_size(&shape); e++) all = all && is_single(golden->x[k][e]);
    }
    return all;
}

/* Infinities, what is no number, and roughly the rest, which other tests look at closely. */
static void check_golden(const spor_op *op, const spor_golden *golden, spor_options options) {
    const double near = options.scalar == SPOR_F32 ? 1e-6 : 1e-14;
    opcheck_record r = opcheck_record_op(op, golden->in, golden->attr);
    bool fits = options.scalar == SPOR_F64 || are_single(golden, &r, op->operands);
    spor_program *program = fits ? spor_compile(r.tape, 1, &r.out, NULL, &options) : NULL;
    for (int k = 0; program && k < op->operands; k++) {
        spor_arg in = spor_program_arg(program, r.in[k]);
        for (int64_t e = 0; e < shape_size(&in.shape); e++)
            element_types[options.scalar]->set(in.data, e, golden->x[k][e]);
    }
    ck_assert_msg(!program || spor_run(program, 0), "%s", spor_program_error(program));
    spor_arg out = program ? spor_program_arg(program, r.out) : (spor_arg){0};
    for (int64_t e = 0; program && e < shape_size(&golden->out); e++) {
        double got = element_types[options.scalar]->value(out.data, e), want = golden->y[e];
        bool same = got == want || (isnan(got) && isnan(want)) ||
                    (isfinite(want) && fabs(got - want) <= near * (1 + fabs(want)));
        ck_assert_msg(same, "%s, %s: element %d is %.17g, not %.17g", op->signature, options.isa,
                      (int)e, got, want);
    }
    spor_program_free(program);
    spor_tape_free(r.tape);
}

START_TEST(golden_values_of_programs) {
    for (int k = 0; spor_ops[k]; k++)
        for (const spor_golden *golden = spor_ops[k]->golden; golden->y; golden++)
            for (int set = 0; instruction_sets()[set]; set++)
                for (int type = 0; type < TYPES; type++)
                    check_golden(spor_ops[k], golden,
                                 (spor_options){.scalar = (spor_scalar)type,
                                                .isa = instruction_sets()[set]});
}
END_TEST

/* ---- long sums ---- */

/* The sums along these axes of one number, the element at 0 of them, in float. */
static double sum_of_number(spor_shape shape, int64_t axes, float number, const char *set) {
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(1));
    spor_var scalar = spor_reshape(x, (spor_shape){0});
    spor_var y = spor_sum(spor_expand(scalar, (INT64_C(1) << shape.rank) - 1, shape), axes);
    spor_program *program = spor_compile(tape, 1, &y, NULL, &(spor_options){.isa = set});
    *(float *)spor_program_arg(program, x).data = number;
    ck_assert_msg(spor_run(program, 0), "%s", spor_program_error(program));
    double sum = (double)*(float *)spor_program_arg(program, y).data;
    spor_program_free(program);
    spor_tape_free(tape);
    return sum;
}

/* The roundings of a tile and of the tasks: 64 rows or vectors in a chain, then at most 32 tasks, and
 * a few for the chains and lanes. Added tile after tile these sums would be off by 200 to 6000. */
START_TEST(long_sums_lose_no_more_than_a_tile_and_the_tasks) {
    const struct {
        spor_shape shape;
        int64_t axes, terms;
    } sums[] = {{SPOR_SHAPE(64000000), 1, 64000000},
                {SPOR_SHAPE(1000000, 64), 1, 1000000},
                {SPOR_SHAPE(2, 32000000), 2, 32000000},
                {SPOR_SHAPE(2, 100000, 320), 2, 100000}};
    const double unit = 0x1p-24, number = (double)0.1f;
    for (int set = 0; instruction_sets()[set]; set++)
        for (size_t k = 0; k < sizeof sums / sizeof *sums; k++) {
            double want = number * (double)sums[k].terms;
            double got = sum_of_number(sums[k].shape, sums[k].axes, 0.1f, instruction_sets()[set]);
            ck_assert_msg(fabs(got - want) <= 100 * unit * want, "%s, sum %zu: %g units off",
                          instruction_sets()[set], k, (got - want) / (unit * want));
        }
}
END_TEST

/* The largest of so many numbers below 0 along axis 0, of which number `at` is -1. */
static double largest_of(spor_shape shape, int64_t at, const char *set) {
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", shape), y = spor_max(x, SPOR_AXIS(0));
    spor_program *program = spor_compile(tape, 1, &y, NULL, &(spor_options){.isa = set});
    float *value = spor_program_arg(program, x).data;
    for (int64_t k = 0; k < shape_size(&shape); k++) value[k] = k == at ? -1 : -5;
    ck_assert(spor_run(program, 0));
    ck_assert_int_gt(program->step[0].need.tasks[SPOR_FINISH], 0);
    spor_arg out = spor_program_arg(program, y);
    double got = (double)((float *)out.data)[at % shape_size(&out.shape)];
    spor_program_free(program);
    spor_tape_free(tape);
    return got;
}

START_TEST(the_largest_of_many_is_found_wherever_it_is) {
    const spor_shape shapes[] = {SPOR_SHAPE(700001), SPOR_SHAPE(70001, 10)};
    for (int set = 0; instruction_sets()[set]; set++)
        for (int k = 0; k < 2; k++)
            for (int64_t at = 0; at < 700001; at += 49999)
                ck_assert_double_eq(largest_of(shapes[k], at, instruction_sets()[set]), -1);
}
END_TEST

START_TEST(sums_beyond_all_numbers_are_infinite) {
    for (int set = 0; instruction_sets()[set]; set++) {
        const char *name = instruction_sets()[set];
        ck_assert(isinf(sum_of_number(SPOR_SHAPE(100000), 1, 3e38f, name)));
        ck_assert(isinf(sum_of_number(SPOR_SHAPE(100000), 1, (float)INFINITY, name)));
        ck_assert(isnan(sum_of_number(SPOR_SHAPE(100000), 1, (float)NAN, name)));
    }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("fast groups");
    TCase *numbers = tcase_create("numbers");
    tcase_add_test(numbers, graphs_of_reals);
    tcase_add_test(numbers, graphs_of_small_integers_bit_for_bit);
    tcase_add_test(numbers, golden_values_of_programs);
    tcase_add_test(numbers, long_sums_lose_no_more_than_a_tile_and_the_tasks);
    tcase_add_test(numbers, the_largest_of_many_is_found_wherever_it_is);
    tcase_add_test(numbers, sums_beyond_all_numbers_are_infinite);
    suite_add_tcase(suite, numbers);
    TCase *structure = tcase_create("structure");
    tcase_add_test(structure, a_chain_is_one_step);
    tcase_add_test(structure, references_have_no_groups);
    suite_add_tcase(suite, structure);
    return suite;
}
