/* spor bench: times steps on random data of the script's shapes. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/bytes.h"
#include "base/shape.h"
#include "cli/profile.h"
#include "program/params.h"
#include "train/batch.h"
#include "train/model.h"

enum { BATCHES = 8, SEED = 1 };
static const double block_seconds = 0.03;
/* A step's time does not depend on the rate; a small one, where the optimizer has one, keeps random
 * labels from diverging. */
static const double bench_rate = 1e-5;

/* ---- random data: pixels U[0, 1), whole numbers where these name rows, one-hot rows of random classes ---- */

/* What the steps read: BATCHES inputs and targets in the model's scalar type, in rotation. */
typedef struct {
    size_t x_bytes, y_bytes;
    char *x, *y;
} rotation;

static bool rotation_new(rotation *r, const spor_workpiece *piece, const spor_bound *bound,
                         spor_scalar scalar) {
    int64_t rows = bound->rows;
    spor_shape target = script_target(&piece->declared);
    batch_source source = batch_source_of(NULL, &piece->declared.sample, &target, scalar, SEED);
    size_t each = (size_t)rows * scalar_width(scalar);
    r->x_bytes = (size_t)shape_size(&piece->declared.sample) * each;
    r->y_bytes = (size_t)shape_size(&target) * each;
    r->x = calloc(BATCHES, r->x_bytes);
    r->y = calloc(BATCHES, r->y_bytes);
    int64_t *named = malloc(bytes_for(source.size + 1, sizeof *named));
    bool done = r->x && r->y && named &&
                index_named(bound->input, bound->target, spor_model_params(piece->model),
                            source.size, named);
    source.named = named;
    if (done) batch_fill(&source, NULL, BATCHES * rows, r->x, r->y);
    free(named);
    return done;
}

static void rotation_free(rotation *r) {
    free(r->x);
    free(r->y);
}

/* ---- steps ---- */

typedef struct {
    spor_model *model;
    spor_bound *bound;
    rotation data;
    uint64_t steps; /* done */
} stepper;

/* Copies the next batch. */
static void feed(void *user) {
    stepper *s = user;
    size_t turn = s->steps++ % BATCHES;
    memcpy(s->bound->x.data, s->data.x + turn * s->data.x_bytes, s->data.x_bytes);
    if (s->bound->training)
        memcpy(s->bound->y.data, s->data.y + turn * s->data.y_bytes, s->data.y_bytes);
}

/* Runs one step on the next batch: forward, backward and update, or forward alone. */
static bool step(stepper *s) {
    feed(s);
    return s->bound->training ? spor_model_step(s->model, s->bound, s->steps)
                              : spor_model_run(s->model, s->bound);
}

/* Seconds that count steps take, negative if one fails. */
static double time_steps(stepper *s, int64_t count) {
    double start = display_seconds();
    for (int64_t k = 0; k < count; k++)
        if (!step(s)) return -1;
    return display_seconds() - start;
}

/* Steps that fill a block, found by doubling; the rotation comes round once before. */
static int64_t steps_a_block(stepper *s) {
    int64_t count = 1;
    if (time_steps(s, BATCHES) < 0) return 0;
    for (;; count *= 2) {
        double seconds = time_steps(s, count);
        if (seconds < 0) return 0;
        if (seconds >= block_seconds) return count;
        if (seconds > block_seconds / 8)
            return (int64_t)((double)count * block_seconds / seconds) + 1;
    }
}

/* Prints a line a block until the seconds are over, at least one. */
static bool blocks(stepper *s, double seconds, const char *prefix) {
    int64_t count = steps_a_block(s);
    double start = display_seconds();
    if (!count) return false;
    do {
        double t = time_steps(s, count);
        if (t < 0) return false;
        printf("%s\t%.6f\n", prefix, 1e3 * t / (double)count);
        fflush(stdout);
    } while (display_seconds() - start < seconds);
    return true;
}

/* ---- the command ---- */

/* What a step is. */
static const struct {
    const char *name;
    model_use use;
} modes[] = {{"train", MODEL_TRAINS}, {"infer", MODEL_EVALUATES}, {"predict", MODEL_PREDICTS}};

static model_use use_of(const char *mode) {
    size_t k = 0;
    while (strcmp(modes[k].name, mode) != 0) k++;
    return modes[k].use;
}

typedef struct {
    const char *script, *mode, *label;
    int64_t batch, threads;
    double seconds;
    bool reference, wide, profile;
    spor_settings settings;
} arguments;

static bool profile(stepper *s, const arguments *a, const char *network) {
    printf("%s, %s, batch %lld, threads %lld, %s, %s\n", network, a->mode,
           (long long)s->bound->rows, (long long)a->threads, a->wide ? "double" : "float",
           a->reference ? "reference" : spor_program_isa(s->bound->program));
    return profile_print(s->bound->program, a->seconds, feed, s);
}

static int bench(spor_workpiece *piece, const arguments *a) {
    spor_options options = {.scalar = a->wide ? SPOR_F64 : SPOR_F32,
                            .reference = a->reference,
                            .threads = workpiece_threads(piece, a->threads)};
    int64_t rows = a->batch ? a->batch : piece->declared.batch;
    stepper s = {0};
    char prefix[256];
    if (!workpiece_model(piece, &options, SEED)) return SPOR_EXIT_BAD;
    s.model = piece->model;
    s.bound = model_bind_for(s.model, rows, use_of(a->mode));
    if (!s.bound) return workpiece_complain(piece);
    spor_model_set(s.model, "rate", bench_rate);
    snprintf(prefix, sizeof prefix, "%s\t%s\t%s\t%lld\t%lld", a->label, piece->declared.model,
             a->mode, (long long)rows, (long long)a->threads);
    int status = SPOR_EXIT_DONE;
    if (!rotation_new(&s.data, piece, s.bound, options.scalar)) {
        status = command_fail(piece->command, "out of memory for %lld rows", (long long)rows);
    } else if (a->profile ? !profile(&s, a, piece->declared.model)
                          : !blocks(&s, a->seconds, prefix)) {
        workpiece_complain(piece);
        status = SPOR_EXIT_NO;
    }
    rotation_free(&s.data);
    return status;
}

static int run(int argc, char **argv) {
    arguments a = {.mode = "train", .label = "spor", .threads = 1, .seconds = 1.5};
    const spor_option options[] = {
        {"mode", "MODE", "what a step is: train (default), infer or predict", SPOR_OPTION_TEXT,
         &a.mode, 0, "train infer predict"},
        {"batch", "B", "rows of a step (default: the script's batch)", SPOR_OPTION_INTEGER,
         &a.batch, 1, NULL},
        {"threads", "T", "threads (default 1)", SPOR_OPTION_INTEGER, &a.threads, 1, NULL},
        {"seconds", "S", "how long to go on (default 1.5)", SPOR_OPTION_REAL, &a.seconds, 0, NULL},
        {"label", "L", "first column of each line (default spor)", SPOR_OPTION_TEXT, &a.label, 0,
         NULL},
        {"profile", NULL, "where a step's time goes", SPOR_OPTION_FLAG, &a.profile, 0, NULL},
        {"double", NULL, "double precision", SPOR_OPTION_FLAG, &a.wide, 0, NULL},
        {"reference", NULL, "reference kernels, no fast paths", SPOR_OPTION_FLAG, &a.reference, 0,
         NULL},
        {"set", "NAME=VALUE", "another value for a name of the script", SPOR_OPTION_SETTING,
         &a.settings, 0, NULL},
        {0},
    };
    int status = options_read(&spor_command_bench, options, 1, 1, &a.script, argc, argv);
    spor_workpiece piece = {0};
    if (status != SPOR_EXIT_NOT_YET) return status;
    status = workpiece_load(&piece, &spor_command_bench, a.script, &a.settings) ? bench(&piece, &a)
                                                                                : SPOR_EXIT_BAD;
    workpiece_close(&piece);
    return status;
}

const spor_command spor_command_bench = {
    .name = "bench",
    .operands = "SCRIPT",
    .summary =
        "Times steps of training, evaluation or prediction on random data of a script's shapes.",
    .help =
        "One line a timed block (about 30 ms, or one step), tab-separated:\n"
        "  label  network  mode  batch  threads  milliseconds a step\n"
        "A step reads one of 8 ready batches in rotation. No data set is needed. It is, as --mode "
        "says,\n"
        "  train     forward, backward and update\n"
        "  infer     forward and loss, as rows are evaluated\n"
        "  predict   forward, and probabilities where the loss is of classes, as in spor predict: "
        "a row's\n"
        "            result has the same bits whatever rows are beside it, which takes longer\n"
        "With --profile instead: a line for each step of the program, the longest first, with the\n"
        "microseconds and tasks of its phases and its speed: multiply-adds, two operations each,\n"
        "counted as the op defines them; elsewhere what is read and written, each array once. "
        "Beside\n"
        "it what the same cores do at best, measured in the same run: multiply-adds on registers;\n"
        "copying as many bytes as the step touches. Each step is run by itself here; without\n"
        "--profile several threads do some together.\n"
        "\n"
        "Examples\n"
        "  spor bench models/densenet2_20.spor\n"
        "  spor bench models/lenet2.spor --mode infer --batch 256 --seconds 5\n"
        "  spor bench models/convnet1_3.spor --reference     what the fast paths save\n"
        "  spor bench models/lenet2.spor --profile --threads 2\n",
    .run = run,
};
