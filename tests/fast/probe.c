#include "probe.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../support/tasks.h"

uint64_t probe_draw(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

void probe_fill(double *values, int64_t size, bool integers, uint64_t seed) {
    for (int64_t k = 0; k < size; k++) {
        uint64_t bits = probe_draw(&seed);
        values[k] = integers ? (double)(int64_t)(bits % 7) - 3
                             : ((double)(int64_t)(bits % 4095) - 2047) / 2048;
    }
}

int64_t probe_differs(const double *got, const double *want, const double *bound, double scale,
                      int64_t size) {
    for (int64_t k = 0; k < size; k++)
        if (isnan(want[k]) ? !isnan(got[k])
                           : !(fabs(got[k] - want[k]) <= (bound ? scale * bound[k] : 0)))
            return k;
    return -1;
}

/* ---- instruction sets ---- */

static bool has_set(const char *name) {
    spor_tape *tape = spor_tape_new();
    spor_var y = spor_ratio(tape, 1, 1);
    spor_program *program = spor_compile(tape, 1, &y, NULL, &(spor_options){.isa = name});
    bool has = program && !spor_program_error(program) && !strcmp(spor_program_isa(program), name);
    spor_program_free(program);
    spor_tape_free(tape);
    return has;
}

const char *const *probe_sets(void) {
    static const char *sets[PROBE_SETS + 1];
    static const char *const all[PROBE_SETS] = {"baseline", "avx2", "avx512"};
    if (sets[0]) return sets;
    for (int k = 0, to = 0; k < PROBE_SETS; k++)
        if (has_set(all[k])) sets[to++] = all[k];
    return sets;
}

void probe_count(const char *path, int64_t shapes) {
    int sets = 0;
    while (probe_sets()[sets]) sets++;
    printf("%s: %lld shapes x %d instruction sets x 2 types\n", path, (long long)shapes, sets);
}

/* ---- recording ---- */

spor_var probe_activate(spor_var z, probe_activation activation) {
    switch (activation) {
    case PROBE_TANH:
        return spor_tanh(z);
    case PROBE_SIGMOID:
        return spor_sigmoid(z);
    case PROBE_RELU:
        return spor_relu(z);
    case PROBE_LEAKY:
        return spor_leaky_relu(z, 0.25);
    default:
        return z;
    }
}

spor_var probe_param(spor_tape *tape, const char *name, spor_shape shape) {
    return spor_param(tape, name, shape, SPOR_INIT("constant", 0));
}

typedef struct {
    spor_tape *tape;
    spor_params *params;
    spor_var cost;
    spor_program *reference;
    int entries;
    int64_t size[PROBE_ENTRIES];
} probe;

static int64_t size_of(spor_shape shape) {
    int64_t size = 1;
    for (int k = 0; k < shape.rank; k++) size *= shape.n[k];
    return size;
}

static spor_program *compile(const probe *p, const spor_options *options) {
    spor_program *program = spor_compile_training(p->cost, 0, NULL, p->params, options);
    ck_assert_ptr_nonnull(program);
    ck_assert_msg(!spor_program_error(program), "%s", spor_program_error(program));
    return program;
}

static probe open_probe(const probe_layer *layer, probe_activation activation) {
    probe p = {.tape = spor_tape_new(), .params = spor_params_new(SPOR_F64, 1)};
    spor_var y = layer->record(p.tape, layer->shape, activation);
    spor_var G = probe_param(p.tape, "G", spor_shape_of(y));
    p.cost = spor_sum(spor_mul(G, y), SPOR_AXIS(spor_shape_of(y).rank) - 1);
    ck_assert_msg(!spor_error(p.tape), "%s", spor_error(p.tape));
    p.reference = compile(&p, &(spor_options){.scalar = SPOR_F64, .reference = true});
    p.entries = spor_params_count(p.params);
    ck_assert_int_le(p.entries, PROBE_ENTRIES);
    for (int k = 0; k < p.entries; k++) p.size[k] = size_of(spor_params_entry(p.params, k).shape);
    return p;
}

static void close_probe(probe *p) {
    spor_program_free(p->reference);
    spor_params_free(p->params);
    spor_tape_free(p->tape);
}

static double *value(const probe *p, int k) {
    return spor_params_entry(p->params, k).value;
}
static double *gradient(const probe *p, int k) {
    return spor_params_entry(p->params, k).gradient;
}

static double *copy_of(const double *from, int64_t size) {
    double *copy = malloc((size_t)size * sizeof *copy);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, from, (size_t)size * sizeof *copy);
    return copy;
}

static void run(const probe *p, spor_program *program) {
    spor_params_touch(p->params);
    bool ran = spor_run(program, 0);
    ck_assert_msg(ran, "%s", spor_program_error(program));
}

/* ---- the rounding bound ----
 *
 * With u = 2^-24, a sum of n products |a||b| that add up to A is off by at most about n u A. The
 * layer without its activation, run on absolute values, gives A for z and, with G = |delta|, for
 * each gradient; it also carries an error E of delta over to the gradients. Terms of second order
 * are below a hundredth at these lengths and stand in the factor 1.01. An activation adds 8 u |y|:
 * ours is good to 2.5 units in the last place, 5 u |y| at most, and f' as a function of y to 4 u.
 */

static const double unit = 0x1p-24;

/* f' at y, and the most that an error of y is magnified in it */
static double slope_at(double y, probe_activation activation, double *magnified) {
    *magnified = activation == PROBE_TANH      ? 2 * fabs(y)
                 : activation == PROBE_SIGMOID ? fabs(1 - 2 * y)
                                               : 0;
    return activation == PROBE_TANH ? 1 - y * y : activation == PROBE_SIGMOID ? y * (1 - y) : 1;
}

/* G of the linear probe becomes part D + E or E of the bound on delta, from the bound on y. */
static void set_delta(const probe *linear, const probe *p, const double *y, const double *bound_y,
                      probe_activation activation, bool whole) {
    int last = p->entries - 1;
    double *G = value(linear, last);
    for (int64_t k = 0; k < p->size[last]; k++) {
        double magnified, slope = slope_at(y[k], activation, &magnified);
        double error = activation ? magnified * bound_y[k] + 4 * unit : 0;
        G[k] = fabs(value(p, last)[k]) * (error + (whole ? fabs(slope) : 0));
    }
}

/* bound[k] for the gradient of entry k; that of G is y's. */
static void layer_bounds(const probe_layer *layer, const probe *p, double *bound[]) {
    double *values[PROBE_ENTRIES];
    for (int k = 0; k < p->entries; k++) {
        values[k] = value(p, k);
        bound[k] = copy_of(gradient(p, k), p->size[k]);
    }
    layer->bounds(layer->shape, values, bound);
}

static void product_bounds(const probe_layer *layer, const probe *p, double *const want[],
                           double *bound[]) {
    probe linear = open_probe(layer, PROBE_NONE);
    int last = p->entries - 1;
    for (int k = 0; k < last; k++)
        for (int64_t i = 0; i < p->size[k]; i++) value(&linear, k)[i] = fabs(value(p, k)[i]);
    run(&linear, linear.reference);
    bound[last] = copy_of(gradient(&linear, last), p->size[last]);
    for (int64_t i = 0; i < p->size[last]; i++)
        bound[last][i] = 1.01 * (double)(layer->terms[0] + 2) * unit * bound[last][i] +
                         (layer->activation ? 8 * unit * fabs(want[last][i]) : 0);
    set_delta(&linear, p, want[last], bound[last], layer->activation, false);
    run(&linear, linear.reference);
    for (int k = 0; k < last; k++) bound[k] = copy_of(gradient(&linear, k), p->size[k]);
    set_delta(&linear, p, want[last], bound[last], layer->activation, true);
    run(&linear, linear.reference);
    for (int k = 0; k < last; k++)
        for (int64_t i = 0; i < p->size[k]; i++)
            bound[k][i] +=
                1.01 * (double)(layer->terms[k + 1] + 2) * unit * gradient(&linear, k)[i];
    close_probe(&linear);
}

/* ---- comparing ---- */

static void compare(const probe *p, double *const want[], double *const bound[], double scale,
                    const char *what) {
    for (int k = 0; k < p->entries; k++) {
        int64_t at = probe_differs(gradient(p, k), want[k], bound[k], scale, p->size[k]);
        ck_assert_msg(at < 0, "%s: d%s[%lld] is %.17g but %.17g by reference, bound %g", what,
                      spor_params_entry(p->params, k).name, (long long)at, gradient(p, k)[at],
                      want[k][at], bound[k] ? scale * bound[k][at] : 0.0);
    }
}

static void fill(const probe *p, const probe_layer *layer, bool integers) {
    for (int k = 0; k < p->entries; k++)
        probe_fill(value(p, k), p->size[k], integers, layer->seed * 4 + (uint64_t)k);
    uint64_t state = layer->seed;
    for (int64_t e = 0; layer->holes && e < p->size[0]; e++)
        if (probe_draw(&state) % 5 == 0) value(p, 0)[e] = (double)NAN;
}

typedef struct {
    spor_program *of[PROBE_SETS][PROBE_TYPES];
} programs;

static void run_all(const probe *p, const programs *fast, double *const want[],
                    double *const bound[], const char *description) {
    for (int s = 0; probe_sets()[s]; s++)
        for (int scalar = 0; scalar < PROBE_TYPES; scalar++) {
            char what[256];
            snprintf(what, sizeof what, "%s, %s, %s", description, probe_sets()[s],
                     scalar == SPOR_F32 ? "float" : "double");
            for (int k = 0; k < p->entries; k++)
                for (int64_t i = 0; i < p->size[k]; i++) gradient(p, k)[i] = (double)NAN;
            run(p, fast->of[s][scalar]);
            compare(p, want, bound, scalar == SPOR_F32 ? 1 : PROBE_DOUBLE_SCALE, what);
        }
}

static bool is_smooth(probe_activation activation) {
    return activation == PROBE_TANH || activation == PROBE_SIGMOID;
}

static void check_on(const probe_layer *layer, const probe *p, const programs *fast, bool integers,
                     const char *description) {
    double *want[PROBE_ENTRIES], *bound[PROBE_ENTRIES] = {NULL};
    fill(p, layer, integers);
    run(p, p->reference);
    for (int k = 0; k < p->entries; k++) want[k] = copy_of(gradient(p, k), p->size[k]);
    bool rounded = !integers || is_smooth(layer->activation);
    if (rounded && layer->bounds) layer_bounds(layer, p, bound);
    if (rounded && !layer->bounds) product_bounds(layer, p, want, bound);
    run_all(p, fast, want, bound, description);
    for (int k = 0; k < p->entries; k++) {
        free(want[k]);
        free(bound[k]);
    }
}

static programs compile_all(const probe *p, const probe_layer *layer, const char *description) {
    programs fast = {{{NULL}}};
    for (int s = 0; probe_sets()[s]; s++)
        for (int scalar = 0; scalar < PROBE_TYPES; scalar++) {
            spor_options options = {.scalar = (spor_scalar)scalar, .isa = probe_sets()[s]};
            fast.of[s][scalar] = compile(p, &options);
            ck_assert_msg(spor_program_fast(fast.of[s][scalar], layer->path) == 1,
                          "%s: the fast path %s was not taken", description, layer->path);
        }
    return fast;
}

void probe_check(const probe_layer *layer, const char *description) {
    probe p = open_probe(layer, layer->activation);
    programs fast = compile_all(&p, layer, description);
    bool kinked = layer->activation == PROBE_RELU || layer->activation == PROBE_LEAKY;
    if (!is_smooth(layer->activation) || layer->integers_only)
        check_on(layer, &p, &fast, true, description);
    if (!kinked && !layer->integers_only) check_on(layer, &p, &fast, false, description);
    for (int s = 0; s < PROBE_SETS; s++)
        for (int scalar = 0; scalar < PROBE_TYPES; scalar++) {
            spor_program *program = fast.of[s][scalar];
            if (program && layer->seed % 8 == 0) tasks_check(program, NULL);
            spor_program_free(program);
        }
    close_probe(&p);
}
