/*
 * Every op on its samples: what its `cells` say is what it computes, and int8 is near the floats.
 */
#include "../suite.h"
#include "../support/opcheck.h"
#include "sampled.h"

#include <math.h>
#include <stdlib.h>

#include "base/random.h"
#include "base/shape.h"
#include "export/int8.h"

/* ---- cells ---- */

static double weight_of(const cells_window *w, const double *weight, const int64_t at[4],
                        int64_t f) {
    if (w->fold != CELLS_WEIGHTED) return 1;
    const int64_t cell = at[2] * w->l + at[3];
    return w->apart ? weight[cell * w->C + f] : weight[(cell * w->C + at[1]) * w->F + f];
}

/* An element by the window's definition. */
static double fold(const cells_window *w, const double *x, const double *weight, int64_t p,
                   int64_t q, int64_t f) {
    double sum = 0, largest = -HUGE_VAL, count = 0;
    for (int64_t u = 0; u < w->k; u++)
        for (int64_t v = 0; v < w->l; v++)
            for (int64_t c = w->apart ? f : 0; c < (w->apart ? f + 1 : w->C); c++) {
                const int64_t i = p * w->stride[0] + u * w->dilation[0] - w->before[0];
                const int64_t j = q * w->stride[1] + v * w->dilation[1] - w->before[1];
                if (i < 0 || j < 0 || i >= w->H || j >= w->W) continue;
                const double value = x[(i * w->W + j) * w->C + c];
                sum += value * weight_of(w, weight, (const int64_t[]){0, c, u, v}, f);
                largest = fmax(largest, value);
                count++;
            }
    return w->fold == CELLS_LARGEST ? largest : w->fold == CELLS_MEAN ? sum / count : sum;
}

/* False where the op says nothing of this sample. */
static bool cells_agree(const spor_op *op, const spor_sample *sample) {
    opcheck_record r = opcheck_record_op(op, sample->in, sample->attr);
    opcheck_machine m;
    spor_arg in[SPOR_OPERANDS];
    cells_window w;
    const spor_shape out = spor_shape_of(r.out);
    spor_call call = {
        .out = {.shape = out}, .in = in, .operands = op->operands, .attr = sample->attr};
    for (int k = 0; k < op->operands; k++) in[k] = (spor_arg){.shape = sample->in[k]};
    bool says = op->cells(&call, &w);
    ck_assert(opcheck_build(&m, SPOR_F64, op->operands, r.in, 1, &r.out));
    opcheck_draw(&m, op->operands, op->domain, 1);
    ck_assert(opcheck_run(&m));
    if (says) ck_assert_int_eq(w.P * w.Q * w.F, shape_size(&out));
    for (int64_t k = 0; says && k < shape_size(&out); k++) {
        const double made = fold(&w, m.x[0], m.x[1], k / w.F / w.Q, k / w.F % w.Q, k % w.F);
        ck_assert_msg(fabs(made - m.y[0][k]) <= 1e-12 * (1 + fabs(made)),
                      "%s: element %d is %g, not %g", op->signature, (int)k, made, m.y[0][k]);
    }
    opcheck_free(&m);
    spor_tape_free(r.tape);
    return says;
}

START_TEST(cells_are_what_an_op_folds) {
    int ops = 0;
    for (int k = 0; spor_ops[k]; k++) {
        const spor_op *op = spor_ops[k];
        int samples = 0;
        for (int s = 0; op->cells && op->samples[s].in[0].rank >= 0; s++)
            if (sampled_has_elements(&(sampled){op, &op->samples[s]}))
                samples += cells_agree(op, &op->samples[s]);
        if (op->cells) ck_assert_msg(samples > 0, "%s says nothing of any sample", op->signature);
        ops += op->cells != NULL;
    }
    ck_assert_int_ge(ops, 7);
}
END_TEST

/* ---- near the floats ---- */

enum { ROWS = 20 };

/* The largest distance from the floats on the rows that calibrated, of the range of the result; -1: it can't be
 * written, as export_c has it, or is no network. */
static double distance(const sampled *of) {
    spor_model *model = sampled_model(of, SPOR_F32);
    const int64_t size = spor_model_sample(model), columns = spor_model_columns(model);
    float *x = calloc((size_t)(ROWS * size), sizeof *x), *y = calloc((size_t)columns, sizeof *y);
    double *wanted = calloc((size_t)(ROWS * columns), sizeof *wanted), most = 0;
    const float least = of->op->domain[0] == SPOR_POSITIVE ? 0.5f : 0;
    for (int64_t k = 0; k < ROWS * size; k++)
        x[k] = least + (1 - least) * (float)random_uniform(3, 0, (uint64_t)k);
    const spor_data data = {.rows = ROWS,
                            .scale = 1,
                            .x = {.keep = SPOR_KEEP_F32, .shape = SPOR_SHAPE(size), .value = x}};
    const export_rows rows = {.data = &data, .rows = ROWS};
    const spor_bound *bound = model_bind_for(model, 1, MODEL_PREDICTS);
    int8_plan plan = {0};
    int8_machine machine = {0};
    spor_message message = {""};
    bool done = int8_graph_make(&plan.graph, bound->tape, bound->input.id, bound->prediction.id,
                                spor_model_params(model), &message) &&
                int8_find_ranges(&plan.graph, &rows, SPOR_F32, &message) &&
                int8_graph_decide(&plan.graph, &message) && int8_plan_make(&plan, &message);
    if (!done) {
        ck_assert_msg(strstr(message.text, "has no loops in C") ||
                          strstr(message.text, "not finite") ||
                          strstr(message.text, "does not depend"),
                      "%s: %s", of->op->signature, message.text);
        most = -1;
    } else {
        ck_assert(int8_machine_make(&machine, &plan));
        for (int64_t n = 0; n < ROWS; n++) /* each alone: it is made of the first row */
            ck_assert(model_predict_rows(model, &data, &n, 1, wanted + n * columns));
    }
    const int8_node *result = &plan.graph.node[plan.graph.result];
    for (int64_t n = 0; done && n < ROWS; n++) {
        ck_assert(!int8_run(&machine, x + n * size, y, NULL, NULL));
        for (int64_t k = 0; k < columns; k++)
            most = fmax(most, fabs((double)y[k] - wanted[n * columns + k]) /
                                  fmax(result->most - result->least, 1e-6));
    }
    if (machine.plan) int8_machine_end(&machine);
    int8_plan_end(&plan);
    spor_model_free(model);
    free(x);
    free(y);
    free(wanted);
    return most;
}

/* Of the range of the result, whose bytes are 0.004 of it apart: log's slope near 1/2 is 2 (nearer to 0, a byte of x is a
 * large part of x, and decides over its powers), and exp's range that of its largest operand. */
static const double MOST = 0.05;

/* Its numbers say where others lie: bytes that are equal lie elsewhere. */
static bool decides(const spor_op *op) {
    return op->traits & SPOR_KINKED && !op->cells && !op->tile;
}

START_TEST(an_op_in_int8_is_near_the_floats) {
    int tried = 0;
    for (int k = 0; spor_ops[k]; k++) {
        const spor_op *op = spor_ops[k];
        for (int s = 0; op->operands && op->samples[s].in[0].rank >= 0; s++) {
            const sampled of = {op, &op->samples[s]};
            if (!sampled_has_elements(&of)) continue;
            const double off = distance(&of);
            ck_assert_msg(off < MOST || decides(op), "%s, sample %d: off by %g of the range",
                          op->signature, s, off);
            tried += off >= 0;
        }
    }
    ck_assert_int_gt(tried, 150);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("int8_ops");
    TCase *tests = tcase_create("ops");
    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, cells_are_what_an_op_folds);
    tcase_add_test(tests, an_op_in_int8_is_near_the_floats);
    suite_add_tcase(suite, tests);
    return suite;
}
