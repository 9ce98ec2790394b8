/*
 * Where the time of a training step goes, step by step of the program, for the networks of scripts:
 *
 *     bench_steps [script ...]        the report's six if none is named; SPOR_ISA= picks the set
 *
 * One line a step: microseconds (the least of several blocks) and, of those that add up products,
 * GFLOP/s, a multiply-add being two, of others GB/s, what they read and write counted once each; at
 * the end the GB/s of copying as much as the step that touches most. A program, not a test.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "claims/claims.h"
#include "program/program.h"
#include "train/batch.h"
#include "train/model.h"

/* ---- timing ---- */

/* Processor time, one thread: what else runs here counts little. */
static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* One step of a program, or all of them. */
typedef struct {
    spor_program *program;
    uint32_t step;
    bool whole;
} work;

static void run(const work *w, int64_t times) {
    for (int64_t k = 0; k < times; k++)
        if (w->whole)
            spor_run(w->program, (uint64_t)k);
        else
            program_run_step(&w->program->step[w->step], NULL);
}

/* The least microseconds of several blocks of so many seconds, itself after itself: data are warm. */
static double least_time(const work *w, double seconds) {
    double least = 1e12, begin = now();
    run(w, 1);
    int64_t times = 1 + (int64_t)(seconds / (now() - begin + 1e-9));
    for (int block = 0; block < 7; block++) {
        begin = now();
        run(w, times);
        double each = 1e6 * (now() - begin) / (double)times;
        least = each < least ? each : least;
    }
    return least;
}

/* ---- one script ---- */

/* Bytes that a step reads and writes, each array once. */
static double bytes_of(const spor_program *program, uint32_t number) {
    const program_step *step = &program->step[number];
    double elements = 0;
    for (int k = 0; k < step->reads; k++) elements += (double)shape_size(&step->call.in[k].shape);
    for (int k = 0; k < step_writes(step); k++)
        elements += (double)shape_size(&step_result(step, k)->shape);
    return elements * (double)scalar_width(program->scalar);
}

static double print_step(spor_program *program, uint32_t step) {
    char text[512], speed[32];
    double time = least_time(&(work){program, step, false}, 2e-3);
    double operations = 2 * program_step_cost(program, step);
    if (operations > 0)
        snprintf(speed, sizeof speed, "%.1f GFLOP/s", operations / time * 1e-3);
    else
        snprintf(speed, sizeof speed, "%.1f GB/s   ", bytes_of(program, step) / time * 1e-3);
    program_step_text(program, step, text, sizeof text);
    printf("  %10.2f us  %15s  %s\n", time, speed, text);
    return time;
}

/* Microseconds that copying half of so many bytes to the other half takes. */
static double copy_time(size_t bytes) {
    char *memory = malloc(bytes + 1);
    double least = 1e12;
    if (memory) memset(memory, 1, bytes); /* pages of zeros are one page until written to */
    for (int k = 0; memory && k < 50; k++) {
        double begin = now();
        memcpy(memory + bytes / 2, memory, bytes / 2);
        __asm__ volatile("" : : "r"(memory) : "memory"); /* it was not for nothing */
        double time = 1e6 * (now() - begin);
        least = time < least ? time : least;
    }
    free(memory);
    return least;
}

static void print_program(spor_program *program, const spor_declaration *declared) {
    double whole = least_time(&(work){program, 0, true}, 20e-3), sum = 0, most = 0;
    printf("%s, batch %lld, %s: a step %.2f us\n", declared->model, (long long)declared->batch,
           spor_program_isa(program), whole);
    for (uint32_t s = 0; s < program->steps; s++) {
        sum += print_step(program, s);
        if (bytes_of(program, s) > most) most = bytes_of(program, s);
    }
    printf("  %10.2f us  of steps, each alone\n", sum);
    double copied = copy_time((size_t)most);
    printf("  %10.2f us  %11.1f GB/s     copying as much as the step that touches most\n", copied,
           most / copied * 1e-3);
}

static spor_model *model_of(spor_script *script, const spor_declaration *declared) {
    return spor_model_new(&(spor_model_spec){
        .net = script_net,
        .loss = script_loss,
        .optimizer = script_optimizer,
        .user = script,
        .sample = declared->sample,
        .target = declared->target_is_x ? declared->sample : SPOR_SHAPE(declared->classes),
        .seed = 1,
    });
}

/* Compiles the training program for the script's batch and fills it with random rows. */
static spor_bound *bind(spor_model *model, int64_t rows) {
    spor_bound *bound = spor_model_bind(model, rows, true);
    const spor_model_spec *spec = model_spec_of(model);
    if (!bound) return NULL;
    batch_source source = batch_source_of(NULL, &spec->sample, &spec->target, SPOR_F32, 1);
    batch_fill(&source, NULL, rows, bound->x.data, bound->y.data);
    return bound;
}

static int bench(const char *path) {
    spor_script *script = script_load(path, SPOR_MODELS_FOLDER, &claims_dialect, 0, NULL);
    const char *error = script ? script_error(script) : "out of memory";
    const spor_declaration *declared = error ? NULL : script_declaration(script);
    spor_model *model = declared ? model_of(script, declared) : NULL;
    spor_bound *bound = model ? bind(model, declared->batch) : NULL;
    if (bound)
        print_program(bound->program, declared);
    else
        fprintf(stderr, "%s: %s\n", path,
                error      ? error
                : declared ? spor_model_error(model)
                           : "declares no training");
    spor_model_free(model);
    script_free(script);
    return bound ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int count, char **argument) {
    static const char *const networks[] = {SPOR_NETWORKS};
    int status = EXIT_SUCCESS;
    if (count > 1 && *argument[1] == '-') {
        puts("bench_steps [script ...]    the report's six networks if none is named\n"
             "times a training program step by step");
        return EXIT_SUCCESS;
    }
    for (size_t k = 0; count < 2 && k < sizeof networks / sizeof *networks; k++)
        status |= bench(networks[k]);
    for (int k = 1; k < count; k++) status |= bench(argument[k]);
    return status;
}
