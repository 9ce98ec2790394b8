/* Updates: an optimizer's rule behind the backward pass, and how its results reach the parameters. */
#include "../suite.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <spor/spor.h>
#include "kernels/element.h"
#include "kernels/group.h"
#include "program/params.h"
#include "program/program.h"

#include "../support/sets.h"
#include "../support/stored.h"

/* cost = sum of (w x + u)^2 / 2 over two numbers; x is an input. */
typedef struct {
    spor_tape *tape;
    spor_var x, w, u, cost;
    spor_params *params;
} line;

static line record_line(spor_scalar scalar) {
    line l = {.tape = spor_tape_new(), .params = spor_params_new(scalar, 1)};
    l.x = spor_input(l.tape, "x", SPOR_SHAPE(2));
    spor_scope_begin(l.tape, "net");
    l.w = spor_param(l.tape, "w", SPOR_SHAPE(2), SPOR_INIT("constant", 3));
    l.u = spor_param(l.tape, "u", SPOR_SHAPE(2), SPOR_INIT("constant", -1));
    spor_scope_end(l.tape, l.w);
    spor_var y = spor_add(spor_mul(l.w, l.x), l.u);
    l.cost =
        spor_sum(spor_mul(spor_mul(y, y), spor_broadcast(spor_ratio(l.tape, 1, 2), SPOR_SHAPE(2))),
                 SPOR_AXIS(0));
    return l;
}

static void line_free(line *l, spor_program *program) {
    spor_program_free(program);
    spor_params_free(l->params);
    spor_tape_free(l->tape);
}

static double number(const spor_params *params, const char *name, int64_t k) {
    spor_entry e =
        spor_params_entry((spor_params *)(uintptr_t)params, spor_params_find(params, name));
    ck_assert_msg(e.name != NULL, "no %s", name);
    return scalar_value_at(e.value, e.scalar, k);
}

static void set_x(const line *l, spor_program *program, double a, double b) {
    spor_arg x = spor_program_arg(program, l->x);
    ck_assert_ptr_nonnull(x.data);
    ((double *)x.data)[0] = a;
    ((double *)x.data)[1] = b;
}

static void check_healthy(const spor_program *program) {
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
}

static spor_var like(spor_var scalar, spor_var x) {
    return spor_broadcast(scalar, spor_shape_of(x));
}

/* v <- v / 2 + dw; w <- w - rate v. u, if there is a user, stays. */
static bool momentum(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    for (int k = 0; k < n; k++) {
        spor_tape *t = w[k].tape;
        spor_scope_begin_for(w[k]);
        spor_var v = spor_state(t, "v", spor_shape_of(w[k]), SPOR_INIT("constant", 0));
        spor_var v_next = spor_add(spor_mul(v, like(spor_ratio(t, 1, 2), v)), dw[k]);
        spor_assign(v, v_next);
        spor_var rate = spor_setting(t, "rate", 0.25);
        next[k] = user && k ? w[k] : spor_sub(w[k], spor_mul(like(rate, w[k]), v_next));
        spor_scope_end(t, next[k]);
    }
    return true;
}

/* What momentum makes of the line, by hand, in double. */
typedef struct {
    double w[2], u[2], v[2], z[2];
} by_hand;

static void step_by_hand(by_hand *h, const double x[2], double rate, bool only_w) {
    for (int k = 0; k < 2; k++) {
        double y = h->w[k] * x[k] + h->u[k];
        h->v[k] = h->v[k] / 2 + y * x[k];
        h->z[k] = h->z[k] / 2 + y;
        h->w[k] -= rate * h->v[k];
        if (!only_w) h->u[k] -= rate * h->z[k];
    }
}

static void check_by_hand(const spor_params *params, const by_hand *h, double within) {
    for (int k = 0; k < 2; k++) {
        ck_assert_double_eq_tol(number(params, "net/w", k), h->w[k], within);
        ck_assert_double_eq_tol(number(params, "net/u", k), h->u[k], within);
        ck_assert_double_eq_tol(number(params, "optimizer/net/w/v", k), h->v[k], within);
        ck_assert_double_eq_tol(number(params, "optimizer/net/u/v", k), h->z[k], within);
    }
}

/* In double; with parameters kept as float; with one that stays as it is; a rate that changes. */
START_TEST(steps_are_those_by_hand) {
    static const double xs[4][2] = {{0.5, 0.25}, {-0.5, 1}, {0.25, 0.125}, {1, -0.75}};
    for (int frozen = 0; frozen < 2; frozen++) {
        bool narrow = _i == 1;
        line l = record_line(narrow ? SPOR_F32 : SPOR_F64);
        by_hand h = {.w = {3, 3}, .u = {-1, -1}};
        int any;
        spor_program *program =
            spor_compile_update(l.cost, 0, NULL, l.params, momentum, frozen ? &any : NULL,
                                &(spor_options){.scalar = SPOR_F64, .reference = _i == 2});
        check_healthy(program);
        for (int step = 0; step < 4; step++) {
            double rate = step < 2 ? 0.25 : 0.0625;
            ck_assert(spor_program_set(program, "rate", rate));
            set_x(&l, program, xs[step][0], xs[step][1]);
            ck_assert(spor_run(program, (uint64_t)step));
            step_by_hand(&h, xs[step], rate, frozen);
            check_by_hand(l.params, &h, narrow ? 1e-6 : 1e-15);
        }
        ck_assert(!spor_program_set(program, "speed", 1));
        ck_assert_str_eq(spor_program_setting(program, 0).name, "rate");
        ck_assert_double_eq(spor_program_setting(program, 0).value, 0.0625);
        ck_assert_ptr_null(spor_program_setting(program, 1).name);
        line_free(&l, program);
    }
}
END_TEST

/* Programs of several shapes and of other types take turns at one set of parameters. */
START_TEST(programs_take_turns) {
    static const double x[2] = {0.5, -0.25};
    line l = record_line(SPOR_F64);
    by_hand h = {.w = {3, 3}, .u = {-1, -1}};
    spor_workspace *workspace = spor_workspace_new();
    const spor_options options[] = {{.scalar = SPOR_F64, .workspace = workspace},
                                    {.scalar = SPOR_F64, .reference = true},
                                    {.scalar = SPOR_F64, .workspace = workspace}};
    spor_program *update[3];
    for (int k = 0; k < 3; k++)
        update[k] = spor_compile_update(l.cost, 0, NULL, l.params, momentum, NULL, &options[k]);
    spor_program *looks = spor_compile(l.tape, 1, &l.cost, l.params, &options[1]);
    for (int step = 0; step < 7; step++) {
        spor_program *program = update[step * step % 3];
        double y[2];
        for (int k = 0; k < 2; k++) y[k] = h.w[k] * x[k] + h.u[k];
        set_x(&l, looks, x[0], x[1]);
        ck_assert(spor_run(looks, 0));
        ck_assert_double_eq_tol(*(double *)spor_program_arg(looks, l.cost).data,
                                (y[0] * y[0] + y[1] * y[1]) / 2, 1e-14);
        set_x(&l, program, x[0], x[1]);
        ck_assert(spor_run(program, 0));
        step_by_hand(&h, x, 0.25, false);
        check_by_hand(l.params, &h, 1e-14);
    }
    for (int k = 0; k < 3; k++) spor_program_free(update[k]);
    spor_program_free(looks);
    line_free(&l, NULL);
    spor_workspace_free(workspace);
}
END_TEST

START_TEST(an_update_that_is_not_finite_changes_nothing) {
    for (int scalar = 0; scalar <= SPOR_F64; scalar++) {
        size_t size, size_after;
        line l = record_line((spor_scalar)scalar);
        spor_var count = spor_state(l.tape, "count", SPOR_SCALAR_SHAPE, SPOR_INIT("constant", 1));
        spor_assign(count, spor_add(count, spor_ratio(l.tape, 1, 1)));
        spor_program *program = spor_compile_update(l.cost, 0, NULL, l.params, momentum, NULL,
                                                    &(spor_options){.scalar = SPOR_F64});
        check_healthy(program);
        set_x(&l, program, 0.5, 0.25);
        ck_assert(spor_run(program, 0));
        ck_assert_double_eq(number(l.params, "count", 0), 2);
        void *before = stored_values(l.params, &size);
        if (_i) spor_program_set(program, "rate", 1e308);
        set_x(&l, program, 0.5, _i ? 1e3 : (double)NAN);
        ck_assert(!spor_run(program, 1));
        void *after = stored_values(l.params, &size_after);
        ck_assert_uint_eq(size_after, size);
        ck_assert_mem_eq(before, after, size);
        free(before);
        free(after);
        const char *error = spor_program_error(program);
        const char *said = _i ? "the next value of net/w is " : "the cost is not";
        ck_assert_msg(error &&
                          (strstr(error, said) || strstr(error, "the next value of net/w is ")),
                      "%s", error);
        ck_assert_msg(strstr(error, "rate ") != NULL, "%s", error);
        line_free(&l, program);
    }
}
END_TEST

/* A state takes s + x, of two tiles and a few elements; all of x is `all`, but for one. */
static bool takes_state(spor_options options, double all, int64_t at, double one) {
    enum { SIZE = 2100 };
    line l = record_line(options.scalar);
    spor_var x = spor_input(l.tape, "state_x", SPOR_SHAPE(SIZE));
    spor_var s = spor_state(l.tape, "s", SPOR_SHAPE(SIZE), SPOR_INIT("constant", 1));
    spor_assign(s, spor_add(s, x));
    spor_program *program =
        spor_compile_update(l.cost, 0, NULL, l.params, momentum, NULL, &options);
    check_healthy(program);
    spor_arg line_x = spor_program_arg(program, l.x), state_x = spor_program_arg(program, x);
    for (int k = 0; k < 2; k++) element_types[options.scalar]->set(line_x.data, k, 0.5);
    for (int64_t k = 0; k < SIZE; k++)
        element_types[options.scalar]->set(state_x.data, k, k == at ? one : all);
    bool done = spor_run(program, 0);
    ck_assert(done || strstr(spor_program_error(program), "the next value of s is"));
    for (int64_t k = 0; !done && k < SIZE; k++) ck_assert_double_eq(number(l.params, "s", k), 1);
    line_free(&l, program);
    return done;
}

/* The sum of all next values is the alarm: an infinity is in it wherever it is; where finite numbers
 * have an infinite sum it is a false one. */
START_TEST(what_is_not_finite_is_found_wherever_it_is) {
    const int64_t places[] = {0, 1, 63, 1023, 1024, 2047, 2048, 2099};
    spor_options options = {.scalar = _i % 2 ? SPOR_F64 : SPOR_F32, .reference = _i / 2};
    double most = _i % 2 ? 1.5e308 : 3e38;
    ck_assert(takes_state(options, 1, 0, 2));
    ck_assert(takes_state(options, most, 0, most));
    ck_assert(takes_state(options, most, 0, -most));
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        int64_t at = places[k];
        ck_assert(!takes_state(options, 1, at, (double)INFINITY));
        ck_assert(!takes_state(options, 1, at, -(double)INFINITY));
        ck_assert(!takes_state(options, 1, at, (double)NAN));
        ck_assert(!takes_state(options, most, at, -(double)INFINITY));
    }
}
END_TEST

START_TEST(a_parameter_used_twice_is_updated_once) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_var w = spor_param(t, "w", SPOR_SHAPE(1), SPOR_INIT("constant", 3));
    spor_var cost = spor_sum(spor_mul(spor_mul(w, w), w), SPOR_AXIS(0)); /* dw = 3 w^2 */
    spor_program *program = spor_compile_update(cost, 0, NULL, params, momentum, NULL,
                                                &(spor_options){.scalar = SPOR_F64});
    check_healthy(program);
    ck_assert(spor_run(program, 0));
    ck_assert_double_eq(number(params, "w", 0), 3 - 0.25 * 27);
    ck_assert_int_eq(spor_params_count(params), 2);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

START_TEST(the_last_assignment_counts) {
    line l = record_line(SPOR_F64);
    spor_var s = spor_state(l.tape, "s", SPOR_SHAPE(2), SPOR_INIT("constant", 1));
    spor_var last = spor_add(s, l.u), first = spor_add(s, l.w); /* computed in this order */
    spor_assign(s, first);
    spor_assign(s, last);
    spor_program *program = spor_compile_update(l.cost, 0, NULL, l.params, momentum, NULL,
                                                &(spor_options){.scalar = SPOR_F64});
    check_healthy(program);
    set_x(&l, program, 0, 0);
    ck_assert(spor_run(program, 0));
    ck_assert_double_eq(number(l.params, "s", 1), 1 - 1);
    line_free(&l, program);
}
END_TEST

/* Outputs are read where they were before the first run, whatever is exchanged. */
START_TEST(outputs_stay_where_they_are) {
    spor_tape *t = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F64, 1);
    spor_var w = spor_param(t, "w", SPOR_SHAPE(1), SPOR_INIT("constant", 4));
    spor_var mean = spor_state(t, "mean", SPOR_SHAPE(40), SPOR_INIT("constant", 8));
    spor_var half = spor_mul(mean, like(spor_ratio(t, 1, 2), mean));
    spor_assign(mean, half);
    spor_program *program =
        spor_compile_update(spor_sum(spor_mul(w, w), SPOR_AXIS(0)), 1, &half, params, momentum,
                            NULL, &(spor_options){.scalar = SPOR_F64});
    check_healthy(program);
    const double *read = spor_program_arg(program, half).data;
    for (int step = 1; step < 5; step++) {
        ck_assert(spor_run(program, 0));
        ck_assert_double_eq(read[39], 8 / pow(2, step));
        ck_assert_double_eq(number(params, "mean", 39), 8 / pow(2, step));
    }
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(t);
}
END_TEST

/* ---- rules that are refused ---- */

static bool records_nothing(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                            void *user) {
    (void)n, (void)w, (void)dw, (void)next, (void)user;
    return true;
}

static bool gives_up(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user, (void)dw;
    for (int k = 0; k < n; k++) next[k] = w[k];
    return false;
}

static bool reshapes(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user, (void)dw;
    for (int k = 0; k < n; k++) next[k] = spor_reshape(w[k], SPOR_SHAPE(2, 1));
    return true;
}

static bool trains_its_own(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                           void *user) {
    (void)user, (void)dw;
    for (int k = 0; k < n; k++) next[k] = w[k];
    spor_param(w[0].tape, "own", SPOR_SHAPE(1), SPOR_INIT("constant", 0));
    return true;
}

static bool has_two_rates(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                          void *user) {
    (void)user, (void)dw;
    for (int k = 0; k < n; k++)
        next[k] = spor_mul(w[k], like(spor_setting(w[k].tape, "rate", k), w[k]));
    return true;
}

static bool takes_the_networks_name(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                                    void *user) {
    (void)user, (void)dw;
    for (int k = 0; k < n; k++) next[k] = w[k];
    spor_state(w[0].tape, "w", SPOR_SHAPE(2), SPOR_INIT("constant", 0));
    return true;
}

START_TEST(rules_that_make_no_sense_are_refused) {
    static const struct {
        spor_optimizer *rule;
        const char *why;
    } bad[] = {
        {records_nothing, "the optimizer records no next value of net/w"},
        {gives_up, "the optimizer does not record"},
        {reshapes, "next value of net/w is [2, 1] but must be [2]"},
        {trains_its_own, "records optimizer/own as a parameter; what it keeps is a state"},
        {has_two_rates, "the setting rate is 1 here and 0 at "},
        {takes_the_networks_name, "optimizer/w: the tape records it as a state of the optimizer, "
                                  "the parameters hold a parameter"},
        {NULL, "an update needs an optimizer"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        line l = record_line(SPOR_F64);
        spor_scope_begin(l.tape, "optimizer");
        spor_param(l.tape, "w", SPOR_SHAPE(2), SPOR_INIT("constant", 0));
        spor_scope_end(l.tape, l.w);
        spor_program *program =
            spor_compile_update(l.cost, 0, NULL, l.params, bad[k].rule, NULL, NULL);
        const char *error = spor_program_error(program);
        ck_assert_msg(error && strstr(error, bad[k].why), "%zu: %s", k, error);
        line_free(&l, program);
    }
}
END_TEST

/* ---- what is streamed ---- */

/* Elements move by the sum s over their column: w <- w - (v / 2 + dw) s / 64. */
static bool by_columns(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                       void *user) {
    (void)user;
    for (int k = 0; k < n; k++) {
        spor_tape *t = w[k].tape;
        spor_scope_begin_for(w[k]);
        spor_shape shape = spor_shape_of(w[k]);
        spor_var v = spor_state(t, "v", shape, SPOR_INIT("constant", 0));
        spor_var moved = spor_add(spor_mul(v, like(spor_ratio(t, 1, 2), v)), dw[k]);
        spor_var sums = spor_expand(spor_sum(w[k], SPOR_AXIS(1)), SPOR_AXIS(1), shape);
        spor_assign(v, moved);
        next[k] = spor_sub(w[k], spor_mul(spor_mul(moved, sums), like(spor_ratio(t, 1, 64), v)));
        spor_scope_end(t, next[k]);
    }
    return true;
}

static spor_var half_of_squares(spor_var w) {
    spor_var sum = spor_sum(spor_mul(w, w), SPOR_AXIS(0) | SPOR_AXIS(1) | SPOR_AXIS(2));
    return spor_mul(sum, spor_ratio(w.tape, 1, 2));
}

static int streamed(const spor_program *program) {
    int count = 0;
    for (uint32_t s = 0; s < program->steps; s++)
        for (int a = 0; program->step[s].group && a < program->step[s].group->arguments; a++)
            count += program->step[s].group->argument[a].streams;
    return count;
}

static spor_entry entry_named(spor_params *params, const char *name) {
    return spor_params_entry(params, spor_params_find(params, name));
}

/* Numbers that begin again after `period`. */
static void spread(spor_params *params, const char *name, int64_t period) {
    spor_entry e = entry_named(params, name);
    for (int64_t k = 0; k < shape_size(&e.shape); k++)
        element_types[e.scalar]->set(e.value, k, (double)(k % period % 17 - 8) / 16);
}

/* Large states go past the caches, with the bits of small ones, which do not. Tiles are of 32
 * and of 8 columns of 27, and begin within vectors, too. */
START_TEST(large_ones_have_the_bits_of_small_ones) {
    const int64_t period = 11 * 40 * 27, times = 380; /* 17 MiB of float */
    for (int set = 0; instruction_sets()[set]; set++) {
        spor_scalar scalar = _i ? SPOR_F64 : SPOR_F32;
        spor_tape *tape = spor_tape_new();
        spor_params *params = spor_params_new(scalar, 1);
        spor_init init = SPOR_INIT("constant", 0);
        spor_var w[] = {spor_param(tape, "small", SPOR_SHAPE(11, 40, 27), init),
                        spor_param(tape, "large", SPOR_SHAPE(11 * times, 40, 27), init)};
        spor_program *program = spor_compile_update(
            spor_add(half_of_squares(w[0]), half_of_squares(w[1])), 0, NULL, params, by_columns,
            NULL, &(spor_options){.scalar = scalar, .isa = instruction_sets()[set], .threads = 2});
        check_healthy(program);
        ck_assert_int_eq(streamed(program), 1);
        spread(params, "small", period);
        spread(params, "large", period);
        for (uint64_t step = 0; step < 3; step++)
            ck_assert_msg(spor_run(program, step), "%s", spor_program_error(program));
        size_t bytes = (size_t)period * scalar_width(scalar);
        const char *small = entry_named(params, "small").value;
        const char *large = entry_named(params, "large").value;
        for (int64_t k = 0; k < times; k++)
            ck_assert_msg(!memcmp(large + (size_t)k * bytes, small, bytes), "%s, %" PRId64,
                          instruction_sets()[set], k);
        spor_program_free(program);
        spor_params_free(params);
        spor_tape_free(tape);
    }
}
END_TEST

/* ---- next values in the place of gradients ---- */

static spor_var moved_by(spor_var w, spor_var slope) {
    return spor_sub(w, spor_mul(slope, like(spor_ratio(w.tape, 1, 64), w)));
}

static bool plainly(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user;
    for (int k = 0; k < n; k++) next[k] = moved_by(w[k], dw[k]);
    return true;
}

/* A state is the gradient; or is made of it after the next value; or when all of that is known. */
typedef enum { AT_ONCE, LATE, LATER } moment;

static spor_var state_by(spor_var next, spor_var dw, moment when) {
    if (when == AT_ONCE) return dw;
    spor_var sums = spor_expand(spor_sum(next, SPOR_AXIS(0)), SPOR_AXIS(0), spor_shape_of(dw));
    return spor_mul(when == LATER ? sums : next, dw);
}

static bool with_state(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                       moment when) {
    for (int k = 0; k < n; k++) {
        spor_scope_begin_for(w[k]);
        spor_var v = spor_state(w[k].tape, "v", spor_shape_of(w[k]), SPOR_INIT("constant", 0));
        next[k] = moved_by(w[k], dw[k]);
        spor_assign(v, state_by(next[k], dw[k], when));
        spor_scope_end(w[k].tape, next[k]);
    }
    return true;
}

static bool keeping(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user;
    return with_state(n, w, dw, next, AT_ONCE);
}

static bool reading_late(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                         void *user) {
    (void)user;
    return with_state(n, w, dw, next, LATE);
}

static bool reading_later(int n, const spor_var w[], const spor_var dw[], spor_var next[],
                          void *user) {
    (void)user;
    return with_state(n, w, dw, next, LATER);
}

/* Each parameter moves by the other's gradient. */
static bool crosswise(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user;
    for (int k = 0; k < n; k++)
        next[k] = moved_by(w[k], spor_reshape(dw[n - 1 - k], spor_shape_of(w[k])));
    return true;
}

/* By gradients that are less the longer all of them are. */
static bool clipped(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user;
    spor_var all = spor_ratio(w[0].tape, 1, 1);
    for (int k = 0; k < n; k++)
        all = spor_add(all,
                       spor_sum(spor_mul(dw[k], dw[k]), SPOR_AXIS(spor_shape_of(w[k]).rank) - 1));
    for (int k = 0; k < n; k++) next[k] = moved_by(w[k], spor_div(dw[k], like(all, dw[k])));
    return true;
}

/* The gradients of two parameters: they differ; they are one node; one of them is the other's elements in a row, so that
 * the next values are made by steps of their own. */
typedef enum { TWO, ONE, ONE_IN_A_ROW, PAIRS } pair;

/* A rule, and of how many parameters the gradient is where the next value will be; where steps of one round read it, on
 * two threads, none. */
static const struct {
    const char *name;
    spor_optimizer *rule;
    int replaced[PAIRS];
} placings[] = {
    {"plainly", plainly, {2, 1, 1}},           {"keeping", keeping, {0, 0, 0}},
    {"reading late", reading_late, {0, 0, 0}}, {"reading later", reading_later, {0, 0, 0}},
    {"crosswise", crosswise, {1, 1, 1}},       {"clipped", clipped, {2, 1, 1}}};

/* y = x W + x V, of which both gradients are x^T dy; or y = x W + x^2 V. */
static spor_var record_pair(spor_tape *tape, spor_var x, pair of) {
    const spor_shape shape = SPOR_SHAPE(700, 90);
    spor_var W = spor_param(tape, "W", shape, SPOR_INIT("constant", 0.125));
    spor_var V = spor_param(tape, "V", of == ONE_IN_A_ROW ? SPOR_SHAPE(700 * 90) : shape,
                            SPOR_INIT("constant", -0.25));
    spor_var y = spor_add(spor_matmul(x, W),
                          spor_matmul(of == TWO ? spor_mul(x, x) : x, spor_reshape(V, shape)));
    return spor_sum(spor_mul(y, spor_mul(y, like(spor_ratio(tape, 1, 2), y))),
                    SPOR_AXIS(0) | SPOR_AXIS(1));
}

/* Parameters and states after some steps, to be freed. */
static void *run_placed(int rule, pair of, const spor_options *options, size_t *bytes,
                        int *replaced) {
    spor_tape *tape = spor_tape_new();
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_var x = spor_input(tape, "x", SPOR_SHAPE(11, 700));
    spor_var cost = record_pair(tape, x, of);
    spor_program *program =
        spor_compile_update(cost, 0, NULL, params, placings[rule].rule, NULL, options);
    check_healthy(program);
    for (uint64_t step = 0; step < 3; step++) {
        float *data = spor_program_arg(program, x).data;
        for (int k = 0; k < 11 * 700; k++) data[k] = (float)(k % 13 - 6) / 64;
        ck_assert_msg(spor_run(program, step), "%s", spor_program_error(program));
    }
    *replaced = stored_replaced(program);
    void *values = stored_values(params, bytes);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(tape);
    return values;
}

/* Rules that read gradients after the next value, elsewhere or of others have the bits of those whose gradients are
 * handed on. */
START_TEST(next_values_take_the_place_of_gradients_that_nobody_reads) {
    for (pair of = TWO; of < PAIRS; of++)
        for (int threads = 1; threads < 3; threads++) {
            size_t bytes[2];
            int replaced[2];
            void *values[2];
            int expected = of == ONE_IN_A_ROW && threads > 1 ? 0 : placings[_i].replaced[of];
            for (int k = 0; k < 2; k++)
                values[k] = run_placed(_i, of, &(spor_options){.threads = threads, .gradients = k},
                                       &bytes[k], &replaced[k]);
            ck_assert_msg(replaced[0] == expected && !replaced[1], "%s, %d: %d, %d",
                          placings[_i].name, (int)of, replaced[0], replaced[1]);
            ck_assert_uint_eq(bytes[0], bytes[1]);
            ck_assert_msg(!memcmp(values[0], values[1], bytes[0]), "%s, %d: other numbers",
                          placings[_i].name, (int)of);
            free(values[0]);
            free(values[1]);
        }
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("update");
    TCase *tests = tcase_create("update");
    tcase_add_loop_test(tests, steps_are_those_by_hand, 0, 3);
    tcase_add_test(tests, programs_take_turns);
    tcase_add_loop_test(tests, an_update_that_is_not_finite_changes_nothing, 0, 2);
    tcase_add_loop_test(tests, what_is_not_finite_is_found_wherever_it_is, 0, 4);
    tcase_add_test(tests, a_parameter_used_twice_is_updated_once);
    tcase_add_test(tests, the_last_assignment_counts);
    tcase_add_test(tests, outputs_stay_where_they_are);
    tcase_add_test(tests, rules_that_make_no_sense_are_refused);
    tcase_add_loop_test(tests, next_values_take_the_place_of_gradients_that_nobody_reads, 0,
                        sizeof placings / sizeof *placings);
    tcase_add_loop_test(tests, large_ones_have_the_bits_of_small_ones, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
