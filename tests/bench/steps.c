/*
 * Where the time of a training step goes, kernel by kernel, for the report's six networks:
 *
 *     bench_steps [network ...]        names as in the table below; SPOR_ISA= picks the set
 *
 * One line for each step of the program: microseconds (the least of several blocks) and, for
 * products, GFLOP/s. A program, not a test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "program/program.h"
#include "train/batch.h"

/* Layers: c20 convolution with 20 filters of 3 x 3 ("C20": padded by 1), p2 max-pooling, P2 with
 * padding below and to the right so that no row is lost, d10 dense with 10 nodes. */
typedef struct {
    const char *name;
    int64_t batch, size, channels;
    spor_var (*activation)(spor_var x);
    const char *layers;
} network;

static const network networks[] = {
    {"densenet2_20", 10, 8, 1, spor_sigmoid, "d20 d20 d10"},
    {"convnet1_3", 15, 8, 1, spor_sigmoid, "C3 d20 d10"},
    {"densenet4_300", 128, 28, 1, spor_tanh, "d300 d128 d128 d64 d10"},
    {"convkeras4_20", 30, 28, 1, spor_sigmoid, "c20 p2 c20 P2 d128 d10"},
    {"lenet2", 32, 32, 3, spor_tanh, "C32 p2 C32 p2 C64 P2 C120 P2 d128 d10"},
    {"convkeras12_32", 128, 32, 3, spor_relu,
     "C32 p2 C32 p2 C64 p2 C64 p2 C128 P2 C128 P2 d128 d10"},
};

/* ---- recording ---- */

static spor_var parameter(spor_tape *tape, const char *name, int layer, spor_shape shape) {
    char unique[32];
    snprintf(unique, sizeof unique, "%s%d", name, layer);
    return spor_param(tape, unique, shape, SPOR_INIT("glorot", 1));
}

static spor_var record_conv(spor_var x, int layer, int64_t filters, bool padded) {
    int64_t one[] = {0, 1, 1, 0};
    spor_var K = parameter(x.tape, "K", layer, SPOR_SHAPE(3, 3, spor_shape_of(x).n[3], filters));
    spor_var z = spor_correlate2d(padded ? spor_pad(x, one, one, 0) : x, K, 1, 1);
    spor_var b = parameter(x.tape, "b", layer, SPOR_SHAPE(filters));
    return spor_add(z, spor_broadcast(b, spor_shape_of(z)));
}

static spor_var record_dense(spor_var x, int layer, int64_t nodes) {
    if (spor_shape_of(x).rank > 2) x = spor_flatten(x);
    spor_var W = parameter(x.tape, "W", layer, SPOR_SHAPE(spor_shape_of(x).n[1], nodes));
    spor_var z = spor_matmul(x, W), b = parameter(x.tape, "b", layer, SPOR_SHAPE(nodes));
    return spor_add(z, spor_broadcast(b, spor_shape_of(z)));
}

static spor_var record_pool(spor_var x, int64_t size, bool whole) {
    spor_shape shape = spor_shape_of(x);
    spor_window w = {{size, size},
                     {size, size},
                     {0, whole ? shape.n[1] % size : 0, 0, whole ? shape.n[2] % size : 0}};
    return spor_maxpool2d(x, w);
}

static spor_var record_layer(spor_var x, int layer, const char *word, spor_var (*f)(spor_var)) {
    int64_t count = atoll(word + 1);
    switch (*word) {
    case 'c':
        return f(record_conv(x, layer, count, false));
    case 'C':
        return f(record_conv(x, layer, count, true));
    case 'p':
        return record_pool(x, count, false);
    case 'P':
        return record_pool(x, count, true);
    default:
        return word[3] || count != 10 ? f(record_dense(x, layer, count))
                                      : record_dense(x, layer, count);
    }
}

typedef struct {
    spor_tape *tape;
    spor_var x, y, cost;
} recorded;

static recorded record(const network *net) {
    recorded r = {.tape = spor_tape_new()};
    r.x = spor_input(r.tape, "x", SPOR_SHAPE(net->batch, net->size, net->size, net->channels));
    r.y = spor_input(r.tape, "y", SPOR_SHAPE(net->batch, 10));
    spor_var h = r.x;
    char words[128], *rest = words;
    snprintf(words, sizeof words, "%s", net->layers);
    int layer = 0;
    for (char *word; (word = strtok_r(rest, " ", &rest)); layer++)
        h = record_layer(h, layer, word, net->activation);
    spor_var rows = spor_sub(spor_logsumexp(h, 1), spor_sum(spor_mul(r.y, h), SPOR_AXIS(1)));
    r.cost = spor_sum(rows, SPOR_AXIS(0));
    return r;
}

/* ---- timing ---- */

/* Processor time, one thread: what else runs here counts little. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The least time of a step in microseconds, itself after itself (its data warm). */
static double time_step(const program_step *step) {
    double least = 1e9, begin = now();
    program_run_step(step);
    int64_t times = 1 + (int64_t)(2e-3 / (now() - begin + 1e-9));
    for (int block = 0; block < 7; block++) {
        begin = now();
        for (int64_t k = 0; k < times; k++) program_run_step(step);
        double each = 1e6 * (now() - begin) / (double)times;
        least = each < least ? each : least;
    }
    return least;
}

static double time_program(spor_program *program) {
    double least = 1e9, begin = now();
    spor_run(program, 0);
    int64_t times = 1 + (int64_t)(20e-3 / (now() - begin + 1e-9));
    for (int block = 0; block < 7; block++) {
        begin = now();
        for (int64_t k = 0; k < times; k++) spor_run(program, (uint64_t)k);
        double each = 1e6 * (now() - begin) / (double)times;
        least = each < least ? each : least;
    }
    return least;
}

/* Multiply-adds of a product, times two: the sizes of its two operands and of its result share each
 * axis twice, but for the images, whose pixels are the result's or the error's. */
static double operations(const program_step *step, const char *name) {
    const spor_shape *out = &step->call.out.shape, *a = &step->call.in[0].shape,
                     *b = &step->call.in[1].shape;
    if (!strcmp(name, "dense") || !strcmp(name, "dense_dx"))
        return 2 * (double)shape_size(a) * (double)(shape_size(out) / a->n[0]);
    if (!strcmp(name, "dense_dW")) return 2 * (double)shape_size(out) * (double)a->n[0];
    if (!strcmp(name, "conv2d"))
        return 2 * (double)shape_size(out) * (double)(shape_size(b) / b->n[3]);
    if (!strcmp(name, "conv2d_dx"))
        return 2 * (double)shape_size(a) * (double)(shape_size(b) / b->n[3]);
    if (!strcmp(name, "conv2d_dK"))
        return 2 * (double)shape_size(b) * (double)(shape_size(out) / out->n[3]);
    return 0;
}

static void print_shape(const spor_shape *shape) {
    printf("[");
    for (int k = 0; k < shape->rank; k++) printf("%s%lld", k ? "," : "", (long long)shape->n[k]);
    printf("]");
}

static double print_step(const spor_program *program, const program_step *step) {
    char name[SPOR_NAME];
    op_name(program->graph.tape->node[step->node].op, name, sizeof name);
    double time = time_step(step), flops = operations(step, name);
    printf("  %10.2f us  ", time);
    if (flops > 0)
        printf("%7.1f GFLOP/s  ", flops / time * 1e-3);
    else
        printf("                 ");
    printf("%-22s ", name);
    print_shape(&step->call.in[0].shape);
    printf(" -> ");
    print_shape(&step->call.out.shape);
    printf("\n");
    return time;
}

static int bench(const network *net) {
    recorded r = record(net);
    spor_params *params = spor_params_new(SPOR_F32, 1);
    spor_program *program = spor_compile_training(r.cost, 0, NULL, params, NULL);
    if (!program || spor_program_error(program)) {
        printf("%s: %s\n", net->name, spor_program_error(program));
        return EXIT_FAILURE;
    }
    spor_shape sample = SPOR_SHAPE(net->size, net->size, net->channels), target = SPOR_SHAPE(10);
    batch_source source = batch_source_of(NULL, &sample, &target, SPOR_F32, 1);
    batch_fill(&source, NULL, net->batch, spor_program_arg(program, r.x).data,
               spor_program_arg(program, r.y).data);
    double whole = time_program(program), sum = 0;
    printf("%s, batch %lld, %s: a step %.2f us\n", net->name, (long long)net->batch,
           spor_program_isa(program), whole);
    for (uint32_t s = 0; s < program->steps; s++) sum += print_step(program, &program->step[s]);
    printf("  %10.2f us  of steps, each alone\n", sum);
    spor_program_free(program);
    spor_params_free(params);
    spor_tape_free(r.tape);
    return EXIT_SUCCESS;
}

int main(int count, char **names) {
    int status = EXIT_SUCCESS;
    for (size_t k = 0; k < sizeof networks / sizeof *networks; k++) {
        bool wanted = count < 2;
        for (int n = 1; n < count; n++) wanted |= !strcmp(names[n], networks[k].name);
        if (wanted && bench(&networks[k]) != EXIT_SUCCESS) status = EXIT_FAILURE;
    }
    return status;
}
