/*
 * The rules of models/optimizers.spor against steps by hand: formulas of the literature in C and double,
 * written for this test alone. A rule that has none here fails, and so does any whose signs are changed.
 */
#include "../suite.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "program/params.h"

#include "../support/stored.h"

/* Of a matrix W, a vector b and a scalar s together. */
enum { PARAMETERS = 3, ELEMENTS = 9, STEPS = 5, MOST_RULES = 32, ARGUMENTS = 6 };

static const struct {
    const char *name;
    spor_shape shape;
    int first, size;
} parameters[PARAMETERS] = {
    {"W", {.rank = 2, .n = {2, 3}}, 0, 6}, {"b", {.rank = 1, .n = {2}}, 6, 2}, {"s", {0}, 8, 1}};

/* ---- steps by hand ---- */

/* One element: its value, gradient, two states; t counts from 1; the rank of its parameter. */
typedef struct {
    double w, dw, p, q;
    int t, rank;
} element;

/* a: the arguments in the order of the def. */
static void by_sgd(element *x, const double a[]) {
    double l2 = x->rank > 1 || a[2] > 0 ? a[1] : 0;
    x->w = x->w - a[0] * (x->dw + l2 * x->w);
}

static void by_momentum(element *x, const double a[]) {
    x->p = a[1] * x->p + x->dw;
    x->w = x->w - a[0] * x->p;
}

static void by_nesterov(element *x, const double a[]) {
    x->p = a[1] * x->p + x->dw;
    x->w = x->w - a[0] * (x->dw + a[1] * x->p);
}

static void by_adagrad(element *x, const double a[]) {
    x->p += pow(x->dw, 2);
    x->w -= a[0] * x->dw / (pow(x->p, 0.5) + a[1]);
}

static void by_rmsprop(element *x, const double a[]) {
    x->p = a[1] * x->p + (1 - a[1]) * pow(x->dw, 2);
    x->w -= a[0] * x->dw / (pow(x->p, 0.5) + a[2]);
}

static void by_adam(element *x, const double a[]) {
    x->p = a[1] * x->p + (1 - a[1]) * x->dw;
    x->q = a[2] * x->q + (1 - a[2]) * pow(x->dw, 2);
    double m = x->p / (1 - pow(a[1], x->t)), v = x->q / (1 - pow(a[2], x->t));
    x->w -= a[0] * m / (pow(v, 0.5) + a[3]);
}

static void by_adamw(element *x, const double a[]) {
    const double rest[] = {a[0], a[2], a[3], a[4]};
    x->w *= 1 - a[0] * a[1];
    by_adam(x, rest);
}

/* Clips of all elements together. */
static void to_norm(double dw[ELEMENTS], const double a[]) {
    double square = 0;
    for (int k = 0; k < ELEMENTS; k++) square += dw[k] * dw[k];
    for (int k = 0; k < ELEMENTS; k++) dw[k] *= fmin(1, a[0] / pow(square, 0.5));
}

static void to_value(double dw[ELEMENTS], const double a[]) {
    for (int k = 0; k < ELEMENTS; k++) dw[k] = fmax(-a[0], fmin(a[0], dw[k]));
}

/* Calls and what they mean, with the defaults written out. */
typedef struct {
    const char *name, *call;
    void (*rule)(element *x, const double a[]);
    void (*clip)(double dw[ELEMENTS], const double a[]);
    double argument[ARGUMENTS];
} expected;

static const expected table[] = {
    {"sgd", "sgd(rate=0.25, l2=0.5)", by_sgd, NULL, {0.25, 0.5, 1}},
    {"sgd", "sgd(0.25, 0.5, biases=False)", by_sgd, NULL, {0.25, 0.5, 0}},
    {"sgd", "sgd(rate=0.125)", by_sgd, NULL, {0.125, 0, 1}},
    {"momentum", "momentum(rate=0.25, beta=0.75)", by_momentum, NULL, {0.25, 0.75}},
    {"momentum", "momentum(rate=0.25)", by_momentum, NULL, {0.25, 0.9}},
    {"nesterov", "nesterov(rate=0.25, beta=0.75)", by_nesterov, NULL, {0.25, 0.75}},
    {"nesterov", "nesterov(rate=0.25)", by_nesterov, NULL, {0.25, 0.9}},
    {"adagrad", "adagrad(rate=0.25, epsilon=0.125)", by_adagrad, NULL, {0.25, 0.125}},
    {"adagrad", "adagrad()", by_adagrad, NULL, {0.01, 1e-10}},
    {"rmsprop",
     "rmsprop(rate=0.25, beta=0.5, epsilon=0.125)",
     by_rmsprop,
     NULL,
     {0.25, 0.5, 0.125}},
    {"rmsprop", "rmsprop()", by_rmsprop, NULL, {0.01, 0.99, 1e-8}},
    {"adam", "adam(0.25, 0.75, 0.5, epsilon=0.125)", by_adam, NULL, {0.25, 0.75, 0.5, 0.125}},
    {"adam", "adam()", by_adam, NULL, {0.001, 0.9, 0.999, 1e-8}},
    {"adamw", "adamw(0.25, 0.5, 0.75, 0.5, 0.125)", by_adamw, NULL, {0.25, 0.5, 0.75, 0.5, 0.125}},
    {"adamw", "adamw()", by_adamw, NULL, {0.001, 0.01, 0.9, 0.999, 1e-8}},
    {"clip_norm", "clip_norm(1.5)", NULL, to_norm, {1.5}},
    {"clip_norm", "clip_norm()", NULL, to_norm, {1}},
    {"clip_value", "clip_value(0.5)", NULL, to_value, {0.5}},
    {"clip_value", "clip_value()", NULL, to_value, {1}},
};
enum { CALLS = sizeof table / sizeof *table };

/* Gradients of both signs, some small, some 0. */
static double gradient_at(int step, int k) {
    return k == 4 ? 0 : ((k * 7 + step * 5) % 11 - 5) / 4.0 * (step == 3 ? 0.0625 : 1);
}

static double value_at(int k) {
    return (k * 5 % 9 - 4) / 4.0 + 0.125;
}

static void by_hand(const expected *e, double w[STEPS][ELEMENTS]) {
    element x[ELEMENTS] = {{0}};
    for (int p = 0; p < PARAMETERS; p++)
        for (int k = 0; k < parameters[p].size; k++)
            x[parameters[p].first + k].rank = parameters[p].shape.rank;
    for (int k = 0; k < ELEMENTS; k++) x[k].w = value_at(k);
    for (int step = 0; step < STEPS; step++) {
        double dw[ELEMENTS];
        for (int k = 0; k < ELEMENTS; k++) dw[k] = gradient_at(step, k);
        if (e->clip) e->clip(dw, e->argument);
        for (int k = 0; k < ELEMENTS; k++) {
            x[k].dw = dw[k];
            x[k].t = step + 1;
            if (e->rule)
                e->rule(&x[k], e->argument);
            else
                x[k].w -= dw[k];
            w[step][k] = x[k].w;
        }
    }
}

/* ---- steps of a program ---- */

/* The cost is the sum of all parameters times inputs: the inputs are the gradients. */
typedef struct {
    spor_script *script;
    spor_tape *tape;
    spor_params *params;
    spor_program *program;
    spor_var input[PARAMETERS];
} bench;

static spor_var record_cost(bench *b) {
    spor_var cost = {b->tape, 0};
    for (int k = 0; k < PARAMETERS; k++) {
        b->input[k] = spor_input(b->tape, "g", parameters[k].shape);
        spor_var w =
            spor_param(b->tape, parameters[k].name, parameters[k].shape, SPOR_INIT("constant", 0));
        spor_var term = spor_mul(w, b->input[k]);
        if (parameters[k].shape.rank) term = spor_sum(term, (1 << parameters[k].shape.rank) - 1);
        cost = k ? spor_add(cost, term) : term;
    }
    return cost;
}

static void fill(bench *b) {
    for (int p = 0; p < PARAMETERS; p++) {
        spor_entry e = spor_params_entry(b->params, p);
        for (int k = 0; k < parameters[p].size; k++) {
            double value = value_at(parameters[p].first + k);
            scalar_convert((char *)e.value + (size_t)k * scalar_width(e.scalar), e.scalar, &value,
                           SPOR_F64, 1);
        }
    }
    spor_params_touch(b->params);
}

/* text: defs, or "". False if it does not load or record. */
static bool open(bench *b, const char *text, const expected *e, spor_scalar scalar) {
    size_t room = strlen(text) + 400;
    char *whole = malloc(room);
    snprintf(whole, room,
             "%s\ndef plain(w, dw): return w - dw\ndef net(x): return x\n"
             "train(net, data=digits(), loss=net, reduction=\"sum\", batch=1, epochs=1, "
             "optimizer=%s%s%s)\n",
             text, e->clip ? "plain()" : e->call, e->clip ? ", clip=" : "", e->clip ? e->call : "");
    *b = (bench){.script = script_read("s.spor", whole, NULL, NULL)};
    free(whole);
    if (script_error(b->script)) return false;
    b->tape = spor_tape_new();
    b->params = spor_params_new(scalar, 1);
    b->program = spor_compile_update(record_cost(b), 0, NULL, b->params, script_optimizer,
                                     b->script, &(spor_options){.scalar = scalar});
    if (spor_program_error(b->program)) return false;
    fill(b);
    return true;
}

static void close(bench *b) {
    spor_program_free(b->program);
    spor_params_free(b->params);
    spor_tape_free(b->tape);
    script_free(b->script);
}

static bool run_step(bench *b, int step, double factor) {
    for (int p = 0; p < PARAMETERS; p++) {
        spor_arg in = spor_program_arg(b->program, b->input[p]);
        for (int k = 0; k < parameters[p].size; k++) {
            double g = factor * gradient_at(step, parameters[p].first + k);
            spor_scalar scalar = b->params->scalar;
            scalar_convert((char *)in.data + (size_t)k * scalar_width(scalar), scalar, &g, SPOR_F64,
                           1);
        }
    }
    return spor_run(b->program, (uint64_t)step);
}

static double largest_difference(bench *b, const double w[ELEMENTS]) {
    double worst = 0;
    for (int p = 0; p < PARAMETERS; p++) {
        spor_entry e = spor_params_entry(b->params, p);
        for (int k = 0; k < parameters[p].size; k++) {
            double off = fabs(scalar_value_at(e.value, e.scalar, k) - w[parameters[p].first + k]);
            if (!(off <= worst)) worst = off;
        }
    }
    return worst;
}

/* How far the steps of a call are from those by hand; infinitely if there are none. */
static double distance(const char *text, const expected *e, spor_scalar scalar) {
    bench b;
    double w[STEPS][ELEMENTS], worst = 0;
    by_hand(e, w);
    bool done = open(&b, text, e, scalar);
    for (int step = 0; done && step < STEPS; step++) {
        done = run_step(&b, step, 1);
        worst = fmax(worst, largest_difference(&b, w[step]));
    }
    close(&b);
    return done ? worst : HUGE_VAL;
}

/* Numbers of magnitude 1, in five steps. */
static double allowed(spor_scalar scalar) {
    return scalar == SPOR_F64 ? 1e-13 : 1e-5;
}

/* ---- the rules of the file ---- */

static char *read_rules(void) {
    char path[1200];
    snprintf(path, sizeof path, "%s/optimizers.spor", models_folder());
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    char *text = calloc(1, 1 << 16);
    ck_assert(text && fread(text, 1, (1 << 16) - 1, file) > 0);
    fclose(file);
    return text;
}

/* Names of the defs that begin with w, dw or gradients. */
static int rules_of(const char *text, char name[MOST_RULES][40]) {
    int n = 0;
    for (const char *at = strstr(text, "\ndef "); at; at = strstr(at + 1, "\ndef ")) {
        size_t length = strcspn(at + 5, "(");
        const char *first = at + 5 + length + 1;
        if (strncmp(first, "w, dw", 5) != 0 && strncmp(first, "gradients", 9) != 0) continue;
        ck_assert_int_lt(n, MOST_RULES);
        snprintf(name[n++], 40, "%.*s", (int)length, at + 5);
    }
    return n;
}

START_TEST(every_rule_has_steps_by_hand) {
    char *text = read_rules(), name[MOST_RULES][40];
    int n = rules_of(text, name);
    ck_assert_int_ge(n, 9);
    for (int k = 0; k < n; k++) {
        int known = 0;
        for (int row = 0; row < CALLS; row++) known += !strcmp(table[row].name, name[k]);
        ck_assert_msg(known > 0, "no steps by hand for %s", name[k]);
    }
    free(text);
}
END_TEST

START_TEST(steps_are_those_by_hand) {
    for (int scalar = 0; scalar <= SPOR_F64; scalar++) {
        double off = distance("", &table[_i], (spor_scalar)scalar);
        ck_assert_msg(off <= allowed((spor_scalar)scalar), "%s is off by %g", table[_i].call, off);
    }
}
END_TEST

START_TEST(steps_repeat_and_what_is_not_finite_changes_nothing) {
    void *stored[2];
    size_t size, size_after;
    for (int run = 0; run < 2; run++) {
        bench b;
        ck_assert(open(&b, "", &table[_i], SPOR_F32));
        for (int step = 0; step < STEPS; step++) ck_assert(run_step(&b, step, 1));
        stored[run] = stored_values(b.params, &size);
        ck_assert(!run_step(&b, 1, run ? (double)NAN : HUGE_VAL));
        void *after = stored_values(b.params, &size_after);
        ck_assert_uint_eq(size_after, size);
        ck_assert_mem_eq(stored[run], after, size);
        free(after);
        ck_assert_ptr_nonnull(spor_program_error(b.program));
        close(&b);
    }
    ck_assert_mem_eq(stored[0], stored[1], size);
    for (int run = 0; run < 2; run++) free(stored[run]);
}
END_TEST

/* A rate that is set counts as one that was given: argument 0 of the rules that have one. */
START_TEST(a_rate_may_be_set) {
    expected slower = table[_i];
    if (slower.clip) return;
    double w[STEPS][ELEMENTS];
    bench b;
    slower.argument[0] *= 0.5;
    by_hand(&slower, w);
    ck_assert(open(&b, "", &table[_i], SPOR_F64));
    ck_assert(spor_program_set(b.program, "rate", slower.argument[0]));
    for (int step = 0; step < STEPS; step++) {
        ck_assert(run_step(&b, step, 1));
        ck_assert_double_le(largest_difference(&b, w[step]), allowed(SPOR_F64));
    }
    close(&b);
}
END_TEST

/* ---- planted faults ---- */

/* True behind the four spaces of a body, in no string and no comment. */
static bool is_code(const char *text, const char *at) {
    const char *line = at;
    bool quoted = false;
    while (line > text && line[-1] != '\n') line--;
    if (strncmp(line, "    ", 4) != 0) return false;
    for (; line < at; line++) {
        quoted ^= *line == '"';
        if (*line == '#' && !quoted) return false;
    }
    return !quoted;
}

/* The sign that may stand in place of the one at `at`; 0 if that is none of a formula. */
static char other_sign(const char *text, const char *at) {
    static const char signs[] = "+-*/", others[] = "-+/*";
    const char *sign = *at ? strchr(signs, *at) : NULL;
    return sign && is_code(text, at) ? others[sign - signs] : 0;
}

/* With any sign of the file changed some call is off. */
START_TEST(a_changed_sign_is_found) {
    char *text = read_rules();
    int changed = 0;
    for (int k = 0; k < CALLS; k++)
        ck_assert_double_le(distance(text, &table[k], SPOR_F64), allowed(SPOR_F64));
    for (char *at = text; *at; at++) {
        char kept = *at, other = other_sign(text, at);
        bool found = false;
        if (!other) continue;
        *at = other;
        changed++;
        for (int k = 0; k < CALLS && !found; k++)
            found = distance(text, &table[k], SPOR_F64) > allowed(SPOR_F64);
        ck_assert_msg(found, "nobody sees %c in place of %c before %.30s", other, kept, at + 1);
        *at = kept;
    }
    ck_assert_int_ge(changed, 40);
    free(text);
}
END_TEST

/* ---- what a script may do with them ---- */

START_TEST(a_rule_of_the_script_comes_first) {
    const expected own = {"sgd", "sgd(rate=0.25, l2=0.5)", by_momentum, NULL, {0.25, 0.5}};
    const char *text = "def sgd(w, dw, rate, l2):\n"
                       "    v = state(shape(w), init=\"zeros\", name=\"v\")\n"
                       "    v_next = l2 * v + dw\n"
                       "    assign(v, v_next)\n"
                       "    return w - setting(\"rate\", rate) * v_next\n";
    ck_assert_double_le(distance(text, &own, SPOR_F64), allowed(SPOR_F64));
}
END_TEST

START_TEST(states_are_no_weights) {
    const char *names[] = {"optimizer/W/adam/m", "optimizer/W/adam/v",
                           "optimizer/s/adam/bias_correction[1]/q"};
    bench b;
    ck_assert(open(&b, "", &table[11], SPOR_F32));
    ck_assert_int_eq(spor_params_count(b.params), PARAMETERS * 5);
    ck_assert_int_eq(spor_params_size(b.params), ELEMENTS);
    for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
        int at = spor_params_find(b.params, names[k]);
        ck_assert_msg(at >= 0, "no %s", names[k]);
        ck_assert_int_eq(spor_params_entry(b.params, at).kind, SPOR_OPTIMIZER_STATE);
    }
    close(&b);
}
END_TEST

Suite *spor_suite(void) {
    Suite *suite = suite_create("optimizers");
    TCase *tests = tcase_create("optimizers");
    tcase_add_test(tests, every_rule_has_steps_by_hand);
    tcase_add_loop_test(tests, steps_are_those_by_hand, 0, CALLS);
    tcase_add_loop_test(tests, steps_repeat_and_what_is_not_finite_changes_nothing, 0, CALLS);
    tcase_add_loop_test(tests, a_rate_may_be_set, 0, CALLS);
    tcase_add_test(tests, a_changed_sign_is_found);
    tcase_add_test(tests, a_rule_of_the_script_comes_first);
    tcase_add_test(tests, states_are_no_weights);
    suite_add_tcase(suite, tests);
    return suite;
}
