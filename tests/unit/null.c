/*
 * NULL for everything that the library takes by pointer, as <spor/spor.h> says: nothing faults.
 *
 * The public headers say what there is to try: each pointer, array and variable of each function. A case gives
 * one of them as NULL, or as a variable of no tape, in a process of its own, where a fault is one failure; a
 * function or a parameter without a case fails the suite.
 *
 * To add one: a line CASE(function, parameter, what must hold) in the function of its header below. w has
 * healthy things for the other parameters.
 */
#include "../suite.h"

#include <ctype.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <spor/spor.h>

enum { MOST_CASES = 512, ROWS = 12 };

/* Healthy things, made for one case. */
typedef struct {
    spor_tape *tape;
    spor_var x, y, W, state, cost, image, kernel;
    spor_params *params;
    spor_program *program;
    spor_data data;
    spor_split split;
    spor_model_spec spec;
    spor_model *model;
    spor_bound *bound;
    spor_schedule schedule;
    spor_statement statement;
    spor_verdict verdict;
    spor_arrays arrays;
    spor_script *script;
    spor_message message;
    FILE *out;
    char path[64], text[64]; /* a file that is there, with a script; one that may be made */
} world;

/* A case that was met, by its name. */
typedef struct {
    const char *function, *parameter;
} null_case;

/* Walks over the cases: names them, or tries one of them. */
typedef struct {
    int count, wanted; /* wanted -1: only names */
    null_case met[MOST_CASES];
    bool held;
    world *of;
} walk;

static bool meet(walk *w, const char *function, const char *parameter) {
    ck_assert_int_lt(w->count, MOST_CASES);
    w->met[w->count] = (null_case){function, parameter};
    return w->count++ == w->wanted;
}

#define CASE(function, parameter, holds)                                                           \
    do {                                                                                           \
        if (meet(w, #function, #parameter)) w->held = (holds);                                     \
    } while (0)
/* What returns nothing: it holds if it comes back. */
#define CASE_VOID(function, parameter, call) CASE(function, parameter, ((call), true))

static const spor_var none = {NULL, 0};

static bool is_none(spor_var x) {
    return !x.id;
}

static bool says_memory(const char *error) {
    return error && strstr(error, "out of memory");
}

/* The tape, or the program, has an error now. */
static bool fails(const spor_tape *tape) {
    return spor_error(tape) != NULL;
}

static bool is_refused(spor_program *program) {
    return spor_program_error(program) != NULL && !spor_run(program, 0);
}

static bool is_told(const spor_message *message) {
    return *message->text;
}

/* ---- tape.h ---- */

static bool backward(void *user, spor_var y, spor_var dy, int n, const spor_var operand[],
                     spor_var d[]) {
    (void)user, (void)y, (void)operand;
    for (int k = 0; k < n; k++) d[k] = dy;
    return true;
}

static bool no_place(const spor_tape *tape) {
    const char *file = "x";
    int line = 1, column = 1;
    spor_error_place(tape, &file, &line, &column);
    return !file && !line && !column;
}

static bool place_is_told_without(int which) {
    spor_tape *tape = spor_tape_new();
    const char *file;
    int line, column;
    spor_tape_place(tape, "f", 3, 4);
    spor_ratio(tape, 1, 0);
    spor_error_place(tape, which == 0 ? NULL : &file, which == 1 ? NULL : &line,
                     which == 2 ? NULL : &column);
    return which == 1 || line == 3;
}

static void tape_cases(walk *w) {
    world *of = w->of;
    spor_var d[2];
    spor_shape s = SPOR_SHAPE(2, 3);
    spor_init init = SPOR_INIT("zeros", 1);
    CASE_VOID(spor_tape_free, tape, spor_tape_free(NULL));
    CASE(spor_error, tape, says_memory(spor_error(NULL)));
    CASE(spor_tape_length, tape, spor_tape_length(NULL) == 0);
    CASE(spor_input, tape, is_none(spor_input(NULL, "a", s)));
    CASE(spor_input, name, is_none(spor_input(of->tape, NULL, s)) && fails(of->tape));
    CASE(spor_param, tape, is_none(spor_param(NULL, "a", s, init)));
    CASE(spor_param, name, is_none(spor_param(of->tape, NULL, s, init)) && fails(of->tape));
    CASE(spor_param, init.law,
         is_none(spor_param(of->tape, "a", s, SPOR_INIT(NULL, 1))) && fails(of->tape));
    CASE(spor_setting, tape, is_none(spor_setting(NULL, "a", 1)));
    CASE(spor_setting, name, is_none(spor_setting(of->tape, NULL, 1)) && fails(of->tape));
    CASE(spor_state, tape, is_none(spor_state(NULL, "a", s, init)));
    CASE(spor_state, name, is_none(spor_state(of->tape, NULL, s, init)) && fails(of->tape));
    CASE_VOID(spor_assign, state, spor_assign(none, of->x));
    CASE(spor_assign, value, (spor_assign(of->state, none), fails(of->tape)));
    CASE_VOID(spor_scope_begin, tape, spor_scope_begin(NULL, "a"));
    CASE(spor_scope_begin, name, (spor_scope_begin(of->tape, NULL), fails(of->tape)));
    CASE_VOID(spor_scope_begin_for, parameter, spor_scope_begin_for(none));
    CASE_VOID(spor_scope_end, tape, spor_scope_end(NULL, of->x));
    CASE(spor_scope_end, result,
         (spor_scope_begin(of->tape, "a"), spor_scope_end(of->tape, none), !fails(of->tape)));
    CASE(spor_shape_of, x, spor_shape_of(none).rank == 0);
    CASE(spor_name, x, is_none(spor_name(none, "a")));
    CASE(spor_name, name, spor_name(of->y, NULL).id == of->y.id);
    CASE(spor_vjp, y, !spor_vjp(none, of->cost, 1, &of->x, d) && is_none(d[0]));
    CASE(spor_vjp, ybar, !spor_vjp(of->cost, none, 1, &of->x, d) && is_none(d[0]));
    CASE(spor_vjp, wrt, !spor_vjp(of->cost, of->cost, 1, NULL, d) && is_none(d[0]));
    CASE(spor_vjp, d, !spor_vjp(of->cost, of->cost, 1, &of->x, NULL) && fails(of->tape));
    CASE(spor_vjp, wrt of none, spor_vjp(of->cost, of->cost, 0, NULL, NULL));
    CASE(spor_grad, cost, !spor_grad(none, 1, &of->x, d) && is_none(d[0]));
    CASE(spor_grad, wrt, !spor_grad(of->cost, 1, NULL, d) && is_none(d[0]));
    CASE(spor_grad, d, !spor_grad(of->cost, 1, &of->x, NULL) && fails(of->tape));
    CASE_VOID(spor_custom_vjp, y, spor_custom_vjp(none, 1, &of->x, backward, NULL));
    CASE(spor_custom_vjp, operand,
         (spor_custom_vjp(of->y, 1, NULL, backward, NULL), fails(of->tape)));
    CASE(spor_custom_vjp, backward,
         (spor_custom_vjp(of->y, 1, &of->x, NULL, NULL), fails(of->tape)));
    CASE_VOID(spor_tape_print, tape, spor_tape_print(NULL, 0, 0, of->out));
    CASE_VOID(spor_tape_print, out, spor_tape_print(of->tape, 0, 0, NULL));
    CASE(spor_tape_var, tape, is_none(spor_tape_var(NULL, 1)));
    CASE_VOID(spor_tape_place, tape, spor_tape_place(NULL, "f", 1, 1));
    CASE_VOID(spor_tape_place, file, spor_tape_place(of->tape, NULL, 1, 1));
    CASE(spor_error_place, tape, no_place(NULL));
    CASE(spor_error_place, file, place_is_told_without(0));
    CASE(spor_error_place, line, place_is_told_without(1));
    CASE(spor_error_place, column, place_is_told_without(2));
    CASE(spor_at, x, is_none(spor_at(none, "f", 1)));
    CASE(spor_at, file, spor_at(of->x, NULL, 1).id == of->x.id);
}

/* ---- ops.h ---- */

#define UNARY(function, parameter) CASE(function, parameter, is_none(function(none)))
#define BINARY(function, a, b)                                                                     \
    CASE(function, a, is_none(function(none, of->x)));                                             \
    CASE(function, b, is_none(function(of->x, none)))

static void elementwise_cases(walk *w) {
    const world *of = w->of;
    BINARY(spor_add, x, y);
    BINARY(spor_sub, x, y);
    BINARY(spor_mul, x, y);
    BINARY(spor_div, x, y);
    BINARY(spor_xmuly, x, y);
    BINARY(spor_xdivy, x, y);
    BINARY(spor_maximum, x, y);
    BINARY(spor_minimum, x, y);
    BINARY(spor_less, x, y);
    BINARY(spor_less_equal, x, y);
    BINARY(spor_equal, x, y);
    BINARY(spor_pow, x, y);
    UNARY(spor_expm1, x);
    UNARY(spor_log1p, x);
    UNARY(spor_erf, x);
    UNARY(spor_sin, x);
    UNARY(spor_cos, x);
    UNARY(spor_neg, x);
    UNARY(spor_exp, x);
    UNARY(spor_log, x);
    UNARY(spor_sqrt, x);
    UNARY(spor_tanh, x);
    UNARY(spor_sigmoid, x);
    UNARY(spor_softplus, x);
    UNARY(spor_relu, x);
    CASE(spor_leaky_relu, x, is_none(spor_leaky_relu(none, 0.1)));
    UNARY(spor_abs, x);
    UNARY(spor_step, x);
    UNARY(spor_stop_gradient, x);
    CASE(spor_where, c, is_none(spor_where(none, of->x, of->x)));
    CASE(spor_where, x, is_none(spor_where(of->x, none, of->x)));
    CASE(spor_where, y, is_none(spor_where(of->x, of->x, none)));
}

static void layout_cases(walk *w) {
    const world *of = w->of;
    static const int64_t by[] = {1, 1};
    spor_shape s = SPOR_SHAPE(2, 3);
    CASE(spor_sum, x, is_none(spor_sum(none, 1)));
    CASE(spor_expand, x, is_none(spor_expand(none, 1, s)));
    CASE(spor_max, x, is_none(spor_max(none, 1)));
    CASE(spor_softmax, x, is_none(spor_softmax(none, 0)));
    CASE(spor_log_softmax, x, is_none(spor_log_softmax(none, 0)));
    CASE(spor_logsumexp, x, is_none(spor_logsumexp(none, 0)));
    CASE(spor_reshape, x, is_none(spor_reshape(none, s)));
    CASE(spor_transpose, x, is_none(spor_transpose(none, by)));
    CASE(spor_transpose, perm, is_none(spor_transpose(of->x, NULL)) && fails(of->tape));
    CASE(spor_flip, x, is_none(spor_flip(none, 1)));
    CASE(spor_concat, x, is_none(spor_concat(none, of->x, 0)));
    CASE(spor_concat, y, is_none(spor_concat(of->x, none, 0)));
    CASE(spor_pad, x, is_none(spor_pad(none, by, by, 0)));
    CASE(spor_pad, lo, is_none(spor_pad(of->x, NULL, by, 0)) && fails(of->tape));
    CASE(spor_pad, hi, is_none(spor_pad(of->x, by, NULL, 0)) && fails(of->tape));
    CASE(spor_dilate, x, is_none(spor_dilate(none, by)));
    CASE(spor_dilate, by, is_none(spor_dilate(of->x, NULL)) && fails(of->tape));
    CASE(spor_subsample, x, is_none(spor_subsample(none, by)));
    CASE(spor_subsample, by, is_none(spor_subsample(of->x, NULL)) && fails(of->tape));
    CASE(spor_broadcast, x, is_none(spor_broadcast(none, s)));
    CASE(spor_mean, x, is_none(spor_mean(none, 1)));
    CASE(spor_flatten, x, is_none(spor_flatten(none)));
}

static void product_cases(walk *w) {
    const world *of = w->of;
    static const double one[] = {1};
    spor_window window = {{2, 2}, {2, 2}, {0}};
    CASE(spor_ratio, tape, is_none(spor_ratio(NULL, 1, 2)));
    CASE(spor_constant, tape, is_none(spor_constant(NULL, 1)));
    CASE(spor_array, tape, is_none(spor_array(NULL, SPOR_SHAPE(1), one)));
    CASE(spor_array, value, is_none(spor_array(of->tape, SPOR_SHAPE(1), NULL)) && fails(of->tape));
    CASE(spor_random, tape, is_none(spor_random(NULL, 1, SPOR_SHAPE(1))));
    BINARY(spor_matmul, x, y);
    BINARY(spor_batched_matmul, x, y);
    CASE(spor_take, x, is_none(spor_take(none, of->x, 0)));
    CASE(spor_take, i, is_none(spor_take(of->x, none, 0)));
    CASE(spor_take_along, x, is_none(spor_take_along(none, of->x, 0)));
    CASE(spor_take_along, i, is_none(spor_take_along(of->x, none, 0)));
    CASE(spor_scatter_add, i, is_none(spor_scatter_add(none, of->x, 2, 0)));
    CASE(spor_scatter_add, g, is_none(spor_scatter_add(of->x, none, 2, 0)));
    CASE(spor_cumsum, x, is_none(spor_cumsum(none, 0)));
    CASE(spor_argmax, x, is_none(spor_argmax(none, 0)));
    CASE(spor_argsort, x, is_none(spor_argsort(none, 0)));
    CASE(spor_sort, x, is_none(spor_sort(none, 0)));
    CASE(spor_one_hot, i, is_none(spor_one_hot(none, 2)));
    CASE(spor_prod, x, is_none(spor_prod(none, 1)));
    CASE(spor_einsum, subscripts, is_none(spor_einsum(NULL, 1, &of->x)) && fails(of->tape));
    CASE(spor_einsum, x, is_none(spor_einsum("i", 1, NULL)));
    CASE(spor_correlate2d, x, is_none(spor_correlate2d(none, of->kernel, 1, 1)));
    CASE(spor_correlate2d, K, is_none(spor_correlate2d(of->image, none, 1, 1)));
    static const int64_t twos[] = {2, 2};
    spor_var kernel = spor_input(of->tape, "k", SPOR_SHAPE(1, 1, 1));
    CASE(spor_depthwise2d, x, is_none(spor_depthwise2d(none, kernel, twos, twos)));
    CASE(spor_depthwise2d, K, is_none(spor_depthwise2d(of->image, none, twos, twos)));
    CASE(spor_depthwise2d, stride,
         is_none(spor_depthwise2d(of->image, kernel, NULL, twos)) && fails(of->tape));
    CASE(spor_depthwise2d, dilation,
         is_none(spor_depthwise2d(of->image, kernel, twos, NULL)) && fails(of->tape));
    CASE(spor_depthwise2d_dK, x, is_none(spor_depthwise2d_dK(none, of->image, twos, twos, twos)));
    CASE(spor_depthwise2d_dK, g, is_none(spor_depthwise2d_dK(of->image, none, twos, twos, twos)));
    CASE(spor_depthwise2d_dK, size,
         is_none(spor_depthwise2d_dK(of->image, of->image, NULL, twos, twos)) && fails(of->tape));
    CASE(spor_depthwise2d_dK, stride,
         is_none(spor_depthwise2d_dK(of->image, of->image, twos, NULL, twos)) && fails(of->tape));
    CASE(spor_depthwise2d_dK, dilation,
         is_none(spor_depthwise2d_dK(of->image, of->image, twos, twos, NULL)) && fails(of->tape));
    CASE(spor_convolve2d, x, is_none(spor_convolve2d(none, of->kernel, 1, 1)));
    CASE(spor_convolve2d, K, is_none(spor_convolve2d(of->image, none, 1, 1)));
    CASE(spor_maxpool2d, x, is_none(spor_maxpool2d(none, window)));
    CASE(spor_avgpool2d, x, is_none(spor_avgpool2d(none, window)));
    CASE(spor_route, x, is_none(spor_route(none, of->image, window)));
    CASE(spor_route, g, is_none(spor_route(of->image, none, window)));
    CASE(spor_gather, x, is_none(spor_gather(none, of->image, window)));
    CASE(spor_gather, v, is_none(spor_gather(of->image, none, window)));
    CASE(spor_spread2d, g, is_none(spor_spread2d(none, 2, 2, window)));
}

/* ---- program.h ---- */

static bool rule(int n, const spor_var x[], const spor_var dx[], spor_var next[], void *user) {
    (void)user, (void)dx;
    for (int k = 0; k < n; k++) next[k] = x[k];
    return true;
}

static void params_cases(walk *w) {
    const world *of = w->of;
    CASE_VOID(spor_params_free, params, spor_params_free(NULL));
    CASE(spor_params_error, params, says_memory(spor_params_error(NULL)));
    CASE(spor_params_join, params, !spor_params_join(NULL, of->tape));
    CASE(spor_params_join, tape,
         !spor_params_join(of->params, NULL) && says_memory(spor_params_error(of->params)));
    CASE(spor_params_count, params, spor_params_count(NULL) == 0);
    CASE(spor_params_size, params, spor_params_size(NULL) == 0);
    CASE(spor_params_entry, params, !spor_params_entry(NULL, 0).name);
    CASE(spor_params_find, params, spor_params_find(NULL, "W") == -1);
    CASE(spor_params_find, name, spor_params_find(of->params, NULL) == -1);
    CASE_VOID(spor_params_touch, params, spor_params_touch(NULL));
    CASE(spor_params_finite, params, !spor_params_finite(NULL));
    CASE_VOID(spor_params_sgd, params, spor_params_sgd(NULL, 1, 1, true));
    CASE_VOID(spor_workspace_free, workspace, spor_workspace_free(NULL));
}

static void compile_cases(walk *w) {
    const world *of = w->of;
    const spor_var *y = &of->y;
    CASE(spor_compile, tape, is_refused(spor_compile(NULL, 1, y, of->params, NULL)));
    CASE(spor_compile, outputs, is_refused(spor_compile(of->tape, 1, NULL, of->params, NULL)));
    CASE(spor_compile, params, is_refused(spor_compile(of->tape, 1, y, NULL, NULL)));
    CASE(spor_compile, options, !is_refused(spor_compile(of->tape, 1, y, of->params, NULL)));
    CASE(spor_compile_training, cost,
         is_refused(spor_compile_training(none, 1, y, of->params, NULL)));
    CASE(spor_compile_training, outputs,
         is_refused(spor_compile_training(of->cost, 1, NULL, of->params, NULL)));
    CASE(spor_compile_training, params,
         is_refused(spor_compile_training(of->cost, 1, y, NULL, NULL)));
    CASE(spor_compile_training, options,
         !is_refused(spor_compile_training(of->cost, 1, y, of->params, NULL)));
    CASE(spor_compile_update, cost,
         is_refused(spor_compile_update(none, 1, y, of->params, rule, NULL, NULL)));
    CASE(spor_compile_update, outputs,
         is_refused(spor_compile_update(of->cost, 1, NULL, of->params, rule, NULL, NULL)));
    CASE(spor_compile_update, params,
         is_refused(spor_compile_update(of->cost, 1, y, NULL, rule, NULL, NULL)));
    CASE(spor_compile_update, optimizer,
         is_refused(spor_compile_update(of->cost, 1, y, of->params, NULL, NULL, NULL)));
    CASE(spor_compile_update, options,
         !is_refused(spor_compile_update(of->cost, 1, y, of->params, rule, NULL, NULL)));
    CASE(spor_compile_gradient, cost,
         is_refused(spor_compile_gradient(none, 1, y, 1, y, of->params, NULL)));
    CASE(spor_compile_gradient, wrt,
         is_refused(spor_compile_gradient(of->cost, 1, NULL, 1, y, of->params, NULL)));
    CASE(spor_compile_gradient, output,
         is_refused(spor_compile_gradient(of->cost, 1, y, 1, NULL, of->params, NULL)));
    CASE(spor_compile_gradient, params,
         is_refused(spor_compile_gradient(of->cost, 1, y, 1, y, NULL, NULL)));
    CASE(spor_compile_gradient, options,
         !is_refused(spor_compile_gradient(of->cost, 1, y, 1, y, of->params, NULL)));
}

static void program_cases(walk *w) {
    const world *of = w->of;
    CASE(spor_program_gradient, program, !spor_program_gradient(NULL, 0).data);
    CASE(spor_program_set, program, !spor_program_set(NULL, "rate", 1));
    CASE(spor_program_set, name, !spor_program_set(of->program, NULL, 1));
    CASE(spor_program_setting, program, !spor_program_setting(NULL, 0).name);
    CASE_VOID(spor_program_free, program, spor_program_free(NULL));
    CASE(spor_program_error, program, says_memory(spor_program_error(NULL)));
    CASE(spor_program_bytes, program, spor_program_bytes(NULL) == 0);
    CASE(spor_program_arg, program, !spor_program_arg(NULL, of->y).data);
    CASE(spor_program_arg, x, !spor_program_arg(of->program, none).data);
    CASE(spor_run, program, !spor_run(NULL, 0));
    CASE(spor_run_checked, program, !spor_run_checked(NULL, 0));
    CASE_VOID(spor_program_print, program, spor_program_print(NULL, of->out));
    CASE_VOID(spor_program_print, out, spor_program_print(of->program, NULL));
    CASE(spor_program_fast, program, spor_program_fast(NULL, "dense") == 0);
    CASE(spor_program_fast, name, spor_program_fast(of->program, NULL) == 0);
    CASE(spor_program_isa, program, spor_program_isa(NULL) != NULL);
}

/* ---- data.h ---- */

static void data_cases(walk *w) {
    world *of = w->of;
    spor_message *m = &of->message;
    float x[ROWS * 3], y[ROWS * 2];
    spor_csv csv = {.path = "none.csv"}, nowhere = {0};
    CASE(spor_data_table, csv, !spor_data_table(NULL, m) && is_told(m));
    CASE(spor_data_table, csv.path, !spor_data_table(&nowhere, m) && is_told(m));
    CASE(spor_data_table, message, !spor_data_table(&csv, NULL));
    CASE(spor_data_csv, path, !spor_data_csv(NULL, SPOR_SHAPE(3), 2, 1, m) && is_told(m));
    CASE(spor_data_csv, message, !spor_data_csv("none.csv", SPOR_SHAPE(3), 2, 1, NULL));
    CASE_VOID(spor_data_free, data, spor_data_free(NULL));
    CASE(spor_data_rows, data, !spor_data_rows(NULL, NULL, 1, SPOR_F32, x, y));
    CASE(spor_data_rows, rows, spor_data_rows(&of->data, NULL, ROWS, SPOR_F32, x, y));
    CASE(spor_data_rows, x, spor_data_rows(&of->data, NULL, ROWS, SPOR_F32, NULL, y));
    CASE(spor_data_rows, y, spor_data_rows(&of->data, NULL, ROWS, SPOR_F32, x, NULL));
    CASE(spor_data_standardize, data,
         !spor_data_standardize(NULL, of->split.train, 2, m) && is_told(m));
    CASE(spor_data_standardize, rows, spor_data_standardize(&of->data, NULL, 2, m));
    CASE(spor_data_standardize, message,
         !spor_data_standardize(&of->data, of->split.train, 0, NULL));
    CASE(spor_split_draw, data, !spor_split_draw(NULL, 0.2, 0.1, 1, &of->split, m) && is_told(m));
    CASE(spor_split_draw, split, !spor_split_draw(&of->data, 0.2, 0.1, 1, NULL, m) && is_told(m));
    CASE(spor_split_draw, message, !spor_split_draw(&of->data, 7, 0.1, 1, &of->split, NULL));
    CASE_VOID(spor_split_free, split, spor_split_free(NULL));
}

static void weights_cases(walk *w) {
    world *of = w->of;
    spor_message *m = &of->message;
    CASE(spor_weights_save, params, !spor_weights_save(NULL, of->text, m) && is_told(m));
    CASE(spor_weights_save, path, !spor_weights_save(of->params, NULL, m) && is_told(m));
    CASE(spor_weights_save, message, !spor_weights_save(of->params, "/none/w", NULL));
    CASE(spor_weights_save_for, params,
         !spor_weights_save_for(NULL, &of->data, of->text, m) && is_told(m));
    CASE(spor_weights_save_for, data, spor_weights_save_for(of->params, NULL, of->text, m));
    CASE(spor_weights_save_for, path,
         !spor_weights_save_for(of->params, &of->data, NULL, m) && is_told(m));
    CASE(spor_weights_save_for, message,
         !spor_weights_save_for(of->params, &of->data, "/none/w", NULL));
    CASE(spor_weights_standardize, data,
         !spor_weights_standardize(NULL, of->text, m) && is_told(m));
    CASE(spor_weights_standardize, path,
         !spor_weights_standardize(&of->data, NULL, m) && is_told(m));
    CASE(spor_weights_standardize, message, !spor_weights_standardize(&of->data, "/none/w", NULL));
    CASE(spor_weights_load, params, !spor_weights_load(NULL, of->path, m) && is_told(m));
    CASE(spor_weights_load, path, !spor_weights_load(of->params, NULL, m) && is_told(m));
    CASE(spor_weights_load, message, !spor_weights_load(of->params, "/none/w", NULL));
}

/* ---- train.h ---- */

static spor_var net(spor_var x, bool training, void *user) {
    (void)training, (void)user;
    return spor_matmul(x, spor_param(x.tape, "W", SPOR_SHAPE(3, 2), SPOR_INIT("glorot", 1)));
}

static bool model_fails(spor_model_spec spec) {
    spor_model *model = spor_model_new(&spec);
    return model && !spor_model_bind(model, 2, true) && spor_model_error(model);
}

static void loss_cases(walk *w) {
    const world *of = w->of;
#define LOSS(function)                                                                             \
    CASE(function, prediction, is_none(function(none, of->x, NULL)));                              \
    CASE(function, target, is_none(function(of->x, none, NULL)))
    LOSS(spor_cross_entropy_sum);
    LOSS(spor_cross_entropy_mean);
    LOSS(spor_squared_error_sum);
    LOSS(spor_squared_error_mean);
    LOSS(spor_binary_cross_entropy_sum);
    LOSS(spor_binary_cross_entropy_mean);
}

static bool no_model_place(void) {
    const char *file = "x";
    int line = 1, column = 1;
    spor_model_error_place(NULL, &file, &line, &column);
    return !file && !line && !column;
}

static spor_model_spec without(spor_model_spec spec, bool drop_net) {
    if (drop_net)
        spec.net = NULL;
    else
        spec.loss = NULL;
    return spec;
}

static void model_cases(walk *w) {
    world *of = w->of;
    const char *file;
    int line, column;
    double x[6] = {0}, p[4];
    CASE(spor_model_new, spec, !spor_model_new(NULL) || spor_model_error(spor_model_new(NULL)));
    CASE(spor_model_new, spec.net, model_fails(without(of->spec, true)));
    CASE(spor_model_new, spec.loss, model_fails(without(of->spec, false)));
    CASE_VOID(spor_model_free, model, spor_model_free(NULL));
    CASE(spor_model_error, model, says_memory(spor_model_error(NULL)));
    CASE(spor_model_error_place, model, no_model_place());
    CASE_VOID(spor_model_error_place, file,
              spor_model_error_place(of->model, NULL, &line, &column));
    CASE_VOID(spor_model_error_place, line,
              spor_model_error_place(of->model, &file, NULL, &column));
    CASE_VOID(spor_model_error_place, column,
              spor_model_error_place(of->model, &file, &line, NULL));
    CASE(spor_model_params, model, !spor_model_params(NULL));
    CASE(spor_model_bind, model, !spor_model_bind(NULL, 2, false));
    CASE(spor_model_step, model, !spor_model_step(NULL, of->bound, 0));
    CASE(spor_model_step, bound,
         !spor_model_step(of->model, NULL, 0) && spor_model_error(of->model));
    CASE(spor_model_set, model, !spor_model_set(NULL, "rate", 1));
    CASE(spor_model_set, name, !spor_model_set(of->model, NULL, 1));
    CASE(spor_model_run, model, !spor_model_run(NULL, of->bound));
    CASE(spor_model_run, bound, !spor_model_run(of->model, NULL) && spor_model_error(of->model));
    CASE(spor_model_columns, model, spor_model_columns(NULL) == -1);
    CASE(spor_model_sample, model, spor_model_sample(NULL) == -1);
    CASE(spor_model_predict, model, !spor_model_predict(NULL, 2, x, p));
    CASE(spor_model_predict, x,
         !spor_model_predict(of->model, 2, NULL, p) && spor_model_error(of->model));
    CASE(spor_model_predict, prediction,
         !spor_model_predict(of->model, 2, x, NULL) && spor_model_error(of->model));
}

static bool on_progress(const spor_progress *progress, void *user) {
    (void)user;
    return progress != NULL;
}

static void training_cases(walk *w) {
    world *of = w->of;
    spor_message *m = &of->message;
    spor_evaluation e;
    spor_progress p = {0};
    CASE(spor_train, model,
         !spor_train(NULL, &of->data, &of->split, &of->schedule, on_progress, NULL));
    CASE(spor_train, data,
         !spor_train(of->model, NULL, &of->split, &of->schedule, on_progress, NULL) &&
             spor_model_error(of->model));
    CASE(spor_train, split,
         !spor_train(of->model, &of->data, NULL, &of->schedule, on_progress, NULL) &&
             spor_model_error(of->model));
    CASE(spor_train, schedule,
         !spor_train(of->model, &of->data, &of->split, NULL, on_progress, NULL) &&
             spor_model_error(of->model));
    CASE(spor_train, on_progress,
         spor_train(of->model, &of->data, &of->split, &of->schedule, NULL, NULL));
    CASE(spor_checkpoint_save, model, !spor_checkpoint_save(NULL, &p, of->text, m) && is_told(m));
    CASE(spor_checkpoint_save, progress,
         !spor_checkpoint_save(of->model, NULL, of->text, m) && is_told(m));
    CASE(spor_checkpoint_save, path, !spor_checkpoint_save(of->model, &p, NULL, m) && is_told(m));
    CASE(spor_checkpoint_save, message, !spor_checkpoint_save(of->model, &p, "/none/c", NULL));
    CASE(spor_checkpoint_load, model, !spor_checkpoint_load(NULL, &p, of->path, m) && is_told(m));
    CASE(spor_checkpoint_load, progress,
         !spor_checkpoint_load(of->model, NULL, of->path, m) && is_told(m));
    CASE(spor_checkpoint_load, path, !spor_checkpoint_load(of->model, &p, NULL, m) && is_told(m));
    CASE(spor_checkpoint_load, message, !spor_checkpoint_load(of->model, &p, "/none/c", NULL));
    CASE(spor_evaluate, model, !spor_evaluate(NULL, &of->data, of->split.train, 2, &e));
    CASE(spor_evaluate, data,
         !spor_evaluate(of->model, NULL, of->split.train, 2, &e) && spor_model_error(of->model));
    CASE(spor_evaluate, rows,
         !spor_evaluate(of->model, &of->data, NULL, 2, &e) && spor_model_error(of->model));
    CASE(spor_evaluate, evaluation,
         !spor_evaluate(of->model, &of->data, of->split.train, 2, NULL) &&
             spor_model_error(of->model));
    CASE_VOID(spor_evaluation_free, evaluation, spor_evaluation_free(NULL));
}

/* ---- verify.h ---- */

static spor_recording twice(void *user, spor_tape *tape, const int64_t values[],
                            spor_instance *instance) {
    (void)user;
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(values[0]));
    instance->inputs = 1;
    instance->input[0] = x;
    instance->pairs = 1;
    instance->pair[0].name = "y";
    instance->pair[0].wrt = -1;
    instance->pair[0].formula = spor_add(x, x);
    instance->pair[0].expected = spor_add(x, x);
    return SPOR_RECORDED;
}

static bool holds_at_all(const world *of, const spor_effort *effort) {
    spor_verdict verdict;
    return spor_verify(&of->statement, effort, &verdict) && verdict.outcome == SPOR_HOLDS;
}

static spor_statement without_record(spor_statement statement) {
    statement.record = NULL;
    return statement;
}

static spor_arrays with_values(spor_arrays arrays, bool value, bool claimed) {
    if (!value) arrays.value[0] = NULL;
    if (!claimed) arrays.claim[0].claimed = NULL;
    return arrays;
}

static bool judges(spor_arrays arrays, spor_verdict *verdict) {
    return spor_verify_arrays(&arrays, verdict) && verdict->outcome == SPOR_HOLDS;
}

static void verify_cases(walk *w) {
    world *of = w->of;
    spor_effort effort = {.shapes = 4};
    spor_answer answer;
    spor_statement broken = without_record(of->statement);
    int64_t one[SPOR_QUANTITIES] = {1};
    CASE(spor_verify, statement, !spor_verify(NULL, &effort, &of->verdict));
    CASE(spor_verify, statement.record, !spor_verify(&broken, &effort, &of->verdict));
    CASE(spor_verify, effort, holds_at_all(of, NULL));
    CASE(spor_verify, verdict, !spor_verify(&of->statement, &effort, NULL));
    CASE(spor_verdict_rung, verdict, spor_verdict_rung(NULL) == SPOR_TESTED);
    CASE_VOID(spor_verdict_print, statement, spor_verdict_print(NULL, &of->verdict, of->out));
    CASE_VOID(spor_verdict_print, verdict, spor_verdict_print(&of->statement, NULL, of->out));
    CASE_VOID(spor_verdict_print, out, spor_verdict_print(&of->statement, &of->verdict, NULL));
    CASE(spor_ask_oracle, statement, !spor_ask_oracle(NULL, one, SPOR_BY_UNITS, &effort, &answer));
    CASE(spor_ask_oracle, values,
         !spor_ask_oracle(&of->statement, NULL, SPOR_BY_UNITS, &effort, &answer));
    CASE(spor_ask_oracle, effort,
         spor_ask_oracle(&of->statement, one, SPOR_BY_UNITS, NULL, &answer) && !answer.caught);
    CASE(spor_ask_oracle, answer,
         !spor_ask_oracle(&of->statement, one, SPOR_BY_UNITS, &effort, NULL));
    CASE(spor_verify_arrays, arrays, !spor_verify_arrays(NULL, &of->verdict));
    CASE(spor_verify_arrays, verdict, !spor_verify_arrays(&of->arrays, NULL));
    CASE(spor_verify_arrays, arrays.cotangent, judges(of->arrays, &of->verdict));
    CASE(spor_verify_arrays, arrays.value,
         !judges(with_values(of->arrays, false, true), &of->verdict));
    CASE(spor_verify_arrays, arrays.claim,
         !judges(with_values(of->arrays, true, false), &of->verdict));
}

/* ---- script.h ---- */

static bool script_fails(spor_model *model) {
    return spor_model_error(model) != NULL;
}

static void script_cases(walk *w) {
    const world *of = w->of;
    CASE(spor_script_load, path, spor_script_error(spor_script_load(NULL)) != NULL);
    CASE_VOID(spor_script_free, script, spor_script_free(NULL));
    CASE(spor_script_error, script, says_memory(spor_script_error(NULL)));
    CASE(spor_script_call, script, is_none(spor_script_call(NULL, of->tape, "f", 1, &of->x)));
    CASE(spor_script_call, tape, is_none(spor_script_call(of->script, NULL, "f", 1, &of->x)));
    CASE(spor_script_call, def,
         is_none(spor_script_call(of->script, of->tape, NULL, 1, &of->x)) && fails(of->tape));
    CASE(spor_script_call, args,
         is_none(spor_script_call(of->script, of->tape, "f", 1, NULL)) && fails(of->tape));
    CASE(spor_script_model, script, script_fails(spor_script_model(NULL, &of->data, 1, NULL)));
    CASE(spor_script_model, data, script_fails(spor_script_model(of->script, NULL, 1, NULL)));
    CASE(spor_script_model, options,
         !script_fails(spor_script_model(of->script, &of->data, 1, NULL)));
    CASE(spor_model_load, run, script_fails(spor_model_load(NULL)));
}

/* ---- all of them ---- */

static void walk_all(walk *w) {
    static void (*const parts[])(walk *) = {
        tape_cases,    elementwise_cases, layout_cases, product_cases, params_cases,
        compile_cases, program_cases,     data_cases,   weights_cases, loss_cases,
        model_cases,   training_cases,    verify_cases, script_cases};
    w->count = 0;
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) parts[k](w);
}

static spor_tape *record(world *of) {
    spor_tape *tape = of->tape = spor_tape_new();
    of->x = spor_input(tape, "x", SPOR_SHAPE(2, 3));
    of->W = spor_param(tape, "W", SPOR_SHAPE(3, 2), SPOR_INIT("glorot", 1));
    of->state = spor_state(tape, "s", SPOR_SHAPE(2, 3), SPOR_INIT("zeros", 1));
    of->image = spor_input(tape, "image", SPOR_SHAPE(1, 4, 4, 1));
    of->kernel = spor_input(tape, "K", SPOR_SHAPE(2, 2, 1, 1));
    of->y = spor_tanh(spor_matmul(of->x, of->W));
    of->cost = spor_sum(of->y, 3);
    return tape;
}

static void make_data(world *of) {
    static float x[ROWS * 3];
    static int32_t label[ROWS];
    for (int k = 0; k < ROWS * 3; k++) x[k] = (float)(k % 7);
    for (int k = 0; k < ROWS; k++) label[k] = k % 2;
    of->data = (spor_data){.name = "rows",
                           .rows = ROWS,
                           .scale = 1,
                           .x = {.keep = SPOR_KEEP_F32, .shape = SPOR_SHAPE(3), .value = x},
                           .classes = 2,
                           .label = label};
    ck_assert(spor_split_draw(&of->data, 0.3, 0.3, 1, &of->split, &of->message));
}

static void make_model(world *of) {
    of->spec = (spor_model_spec){.net = net,
                                 .loss = spor_cross_entropy_mean,
                                 .reduction = SPOR_REDUCTION_MEAN,
                                 .optimizer = rule,
                                 .sample = SPOR_SHAPE(3),
                                 .target = SPOR_SHAPE(2)};
    of->model = spor_model_new(&of->spec);
    of->bound = spor_model_bind(of->model, 2, true);
    of->schedule = (spor_schedule){.epochs = 1, .batch = 2};
    ck_assert_msg(of->bound != NULL, "%s", spor_model_error(of->model));
}

static void make_verify(world *of) {
    static const double one[] = {1, 2, 3, 4, 5, 6}, two[] = {2, 4, 6, 8, 10, 12};
    of->statement = (spor_statement){.name = "twice", .quantities = 1, .record = twice};
    of->statement.quantity[0] = (spor_quantity){.name = "n", .least = 1, .most = 3};
    spor_tape *tape = spor_tape_new();
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(2, 3));
    of->arrays = (spor_arrays){.y = spor_add(x, x),
                               .inputs = 1,
                               .input = {x},
                               .value = {one},
                               .claims = 1,
                               .claim = {{.name = "y", .wrt = SPOR_OF_Y, .claimed = two}},
                               .arithmetic = SPOR_F64};
}

static void make_world(world *of) {
    static const char text[] =
        "def f(x):\n    return x + 1\n"
        "def net(x):\n    return x @ param([3, 2], \"glorot\", \"W\")\n"
        "train(net, data=csv(\"none.csv\"), loss=cross_entropy(reduction=\"mean\"),\n"
        "      optimizer=sgd(rate=0.1), batch=2, epochs=1)\n";
    snprintf(of->path, sizeof of->path, "/tmp/spor-null-%ld.spor", (long)getpid());
    snprintf(of->text, sizeof of->text, "/tmp/spor-null-%ld.out", (long)getpid());
    FILE *file = fopen(of->path, "w");
    ck_assert(file && fputs(text, file) >= 0 && !fclose(file));
    of->out = fopen("/dev/null", "w");
    record(of);
    of->params = spor_params_new(SPOR_F32, 1);
    of->program = spor_compile(of->tape, 1, &of->y, of->params, NULL);
    make_data(of);
    make_model(of);
    make_verify(of);
    of->script = spor_script_load(of->path);
    ck_assert_msg(!spor_script_error(of->script), "%s", spor_script_error(of->script));
    ck_assert(of->out && !spor_program_error(of->program));
}

/* In a process of its own: 0 if it holds. */
static int try_case(int wanted, walk *w) {
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (!child) {
        make_world(w->of);
        w->wanted = wanted;
        w->held = false;
        walk_all(w);
        unlink(w->of->path);
        unlink(w->of->text);
        _exit(!w->held);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

START_TEST(nothing_faults) {
    static world of;
    static walk w = {.wanted = -1, .of = &of};
    char failed[4096] = "";
    int failures = 0;
    walk_all(&w);
    for (int k = 0, count = w.count; k < count; k++) {
        int status = try_case(k, &w);
        size_t used = strlen(failed);
        if (!status) continue;
        failures++;
        snprintf(failed + used, sizeof failed - used, "\n  %s(%s = NULL): %s %d", w.met[k].function,
                 w.met[k].parameter, status < 0 ? "signal" : "status", abs(status));
    }
    ck_assert_msg(!failures, "%d of %d cases:%s", failures, w.count, failed);
}
END_TEST

/* ---- what the headers offer ---- */

static void blank_comments(char *text) {
    for (char *at; (at = strstr(text, "/*"));) {
        char *end = strstr(at, "*/");
        ck_assert_ptr_nonnull(end);
        memset(at, ' ', (size_t)(end + 2 - at));
    }
}

/* The last name in a text, before any bracket: "const spor_var wrt[]" gives wrt. */
static void last_name(const char *from, const char *to, char name[64]) {
    const char *bracket = memchr(from, '[', (size_t)(to - from));
    if (bracket) to = bracket;
    while (to > from && !isalnum((unsigned char)to[-1]) && to[-1] != '_') to--;
    const char *start = to;
    while (start > from && (isalnum((unsigned char)start[-1]) || start[-1] == '_')) start--;
    snprintf(name, 64, "%.*s", (int)(to - start), start);
}

/* Pointers, arrays and variables; not what is only handed on. */
static bool is_taken_by_pointer(const char *from, const char *to, const char *name) {
    size_t length = (size_t)(to - from);
    if (!strcmp(name, "user")) return false;
    return memchr(from, '*', length) || memchr(from, '[', length) ||
           (length > 9 && (!strncmp(from, "spor_var ", 9)));
}

static bool has_case(const walk *w, const char *function, const char *parameter) {
    for (int k = 0; k < w->count; k++)
        if (!strcmp(w->met[k].function, function) && !strcmp(w->met[k].parameter, parameter))
            return true;
    return false;
}

/* The parameters of the function whose bracket opens at open; how many are without a case. */
static int missing_cases(const walk *w, const char *function, const char *open, char *told,
                         size_t size) {
    int missing = 0;
    const char *end = strchr(open, ';');
    for (const char *from = open + 1, *to; from < end; from = to + 1) {
        char name[64];
        to = from + strcspn(from, ",;");
        while (isspace((unsigned char)*from)) from++;
        last_name(from, to, name);
        if (!is_taken_by_pointer(from, to, name) || has_case(w, function, name)) continue;
        size_t used = strlen(told);
        snprintf(told + used, size - used, "\n  %s: %s", function, name);
        missing++;
    }
    return missing;
}

/* The functions of a header; adds what has no case. */
static int read_header(const walk *w, const char *path, int *functions, char *told, size_t size) {
    static char text[1 << 18];
    int missing = 0;
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot read %s", path);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    blank_comments(text);
    for (char *at = text; (at = strstr(at, "\nSPOR_API "));) {
        at += strlen("\nSPOR_API ");
        const char *open = strchr(at, '('), *end = strchr(at, ';');
        char name[64];
        ck_assert(open && end && open < end);
        last_name(at, open, name);
        ck_assert_msg(!strncmp(name, "spor_", 5), "%s: what is %s?", path, name);
        missing += missing_cases(w, name, open, told, size);
        ++*functions;
    }
    return missing;
}

START_TEST(each_parameter_of_each_function_has_a_case) {
    static world of;
    static walk w = {.wanted = -1, .of = &of};
    char folder[1024], told[4096] = "";
    int missing = 0, functions = 0, headers = 0;
    walk_all(&w);
    snprintf(folder, sizeof folder, "%s/include/spor", getenv("SPOR_SOURCE"));
    DIR *list = opendir(folder);
    ck_assert_msg(list != NULL, "cannot read %s", folder);
    for (const struct dirent *entry; (entry = readdir(list));) {
        char path[2048];
        if (*entry->d_name == '.') continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        missing += read_header(&w, path, &functions, told, sizeof told);
        headers++;
    }
    closedir(list);
    ck_assert_int_ge(headers, 9);
    ck_assert_int_ge(functions, 140);
    ck_assert_msg(!missing, "%d parameters have no case:%s", missing, told);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("null");
    TCase *tests = tcase_create("null");
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, each_parameter_of_each_function_has_a_case);
    tcase_add_test(tests, nothing_faults);
    suite_add_tcase(suite, tests);
    return suite;
}
