/*
 * Milliseconds a step of one of the report's six networks in KANN, as twin_jax.py of JAX: for peers.py --kann.
 * KANN is two files of C, https://github.com/attractivechaos/kann. Not part of the build:
 *
 *     cc -Ofast -march=native -DHAVE_CBLAS -DHAVE_PTHREAD -Ikann tests/bench/twin_kann.c kann/kann.c kann/kautodiff.c \
 *         -o twin_kann -lopenblas -lm -lpthread
 *     OPENBLAS_NUM_THREADS=1 ./twin_kann lenet2 train 32 1 [THREADS]
 *
 * Flattering to KANN: its convolutions have no bias, and padded at the top they leave out the first row of the
 * kernel (r536). Maps whose last row is alone are padded by its pools.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "kann.h"

enum { BATCHES = 8, CLASSES = 10 };

typedef struct {
    const char *name;
    int in[3]; /* channels, rows, columns; one row of pixels if there is one channel of one row */
    int filters[7];    /* of convolutions */
    int padding, pool; /* of each */
    int dense[5];
    kad_node_t *(*act)(kad_node_t *);
} network;

static const network networks[] = {
    {"densenet2_20", {1, 1, 64}, {0}, 0, 0, {20, 20}, kad_sigm},
    {"convnet1_3", {1, 8, 8}, {3}, 1, 0, {20}, kad_sigm},
    {"densenet4_300", {1, 1, 784}, {0}, 0, 0, {300, 128, 128, 64}, kad_tanh},
    {"convkeras4_20", {1, 28, 28}, {20, 20}, 0, 2, {128}, kad_sigm},
    {"lenet2", {3, 32, 32}, {32, 32, 64, 120}, 1, 2, {128}, kad_tanh},
    {"convkeras12_32", {3, 32, 32}, {32, 32, 64, 64, 128, 128}, 1, 2, {128}, kad_relu},
};

static kann_t *record(const network *n) {
    kad_node_t *x =
        n->filters[0] ? kad_feed(4, 1, n->in[0], n->in[1], n->in[2]) : kad_feed(2, 1, n->in[2]);
    x->ext_flag |= KANN_F_IN;
    for (const int *f = n->filters; *f; f++) {
        x = n->act(kann_layer_conv2d(x, *f, 3, 3, 1, 1, n->padding, n->padding));
        if (n->pool) x = kad_max2d(x, n->pool, n->pool, n->pool, n->pool, 0, 0);
    }
    for (const int *units = n->dense; *units; units++) x = n->act(kann_layer_dense(x, *units));
    return kann_new(kann_layer_cost(x, CLASSES, KANN_C_CEM), 0);
}

typedef struct {
    kann_t *net;
    float *x[BATCHES], *y[BATCHES];
    bool trains;
    int parameters, output;
} stepper;

static void step(stepper *s, long k) {
    float *x = s->x[k % BATCHES], *y = s->y[k % BATCHES];
    kann_feed_bind(s->net, KANN_F_IN, 0, &x);
    kann_feed_bind(s->net, KANN_F_TRUTH, 0, &y);
    if (!s->trains) {
        kad_eval_at(s->net->n, s->net->v, s->output);
        return;
    }
    kann_cost(s->net, 0, 1);
    for (int i = 0; i < s->parameters; i++) s->net->x[i] -= 1e-5f * s->net->g[i];
}

static double milliseconds(stepper *s, long count) {
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long k = 0; k < count; k++) step(s, k);
    clock_gettime(CLOCK_MONOTONIC, &end);
    return 1e3 * (double)(end.tv_sec - begin.tv_sec) + 1e-6 * (double)(end.tv_nsec - begin.tv_nsec);
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of blocks of some 30 ms. */
static double median(stepper *s, double seconds) {
    enum { MOST = 4096 };
    static double block[MOST];
    long count = 1;
    int blocks = 0;
    while (milliseconds(s, count) < 30) count *= 2;
    for (double all = 0; blocks < MOST && (blocks < 3 || all < 1e3 * seconds); blocks++) {
        double each = milliseconds(s, count);
        block[blocks] = each / (double)count;
        all += each;
    }
    qsort(block, (size_t)blocks, sizeof *block, compare);
    return block[blocks / 2];
}

int main(int argc, char **argv) {
    const network *n = networks, *end = networks + sizeof networks / sizeof *networks;
    while (n < end && (argc < 5 || argc > 6 || strcmp(n->name, argv[1]) != 0)) n++;
    int batch = n < end ? atoi(argv[3]) : 0;
    if (batch < 1) {
        fprintf(stderr, "usage: twin_kann NETWORK train|infer ROWS SECONDS [THREADS]\n");
        return 2;
    }
    stepper s = {.net = record(n), .trains = !strcmp(argv[2], "train")};
    size_t size = (size_t)(n->in[0] * n->in[1] * n->in[2]) * (size_t)batch;
    for (int k = 0; k < BATCHES; k++) {
        s.x[k] = malloc(size * sizeof(float));
        s.y[k] = calloc((size_t)batch * CLASSES, sizeof(float));
        for (size_t i = 0; i < size; i++) s.x[k][i] = (float)kann_drand();
        for (int i = 0; i < batch; i++) s.y[k][i * CLASSES + rand() % CLASSES] = 1;
    }
    kann_set_batch_size(s.net, batch);
    kann_switch(s.net, s.trains);
    if (argc == 6) kann_mt(s.net, atoi(argv[5]), batch);
    s.parameters = kann_size_var(s.net);
    s.output = kann_find(s.net, KANN_F_OUT, 0);
    printf("%g\n", median(&s, atof(argv[4])));
    return 0;
}
