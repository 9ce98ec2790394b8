/* What the cores of a program can do at best, measured. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "kernels/element.h"
#include "kernels/roof.h"
#include "program/program.h"

FAST_KERNELS(roof_products);
FAST_KERNELS(roof_copies);

enum { ROUNDS = 1 << 14, BLOCKS = 9 };

/* A kernel that all workers run side by side. */
typedef struct {
    spor_kernel *kernel;
    spor_call call;
    int64_t times; /* each runs it so often */
} roof;

static void run_roof(void *user, int64_t task, const pool_worker *worker) {
    const roof *r = user;
    (void)worker;
    for (int64_t k = 0; k < r->times; k++) r->kernel(&r->call, task);
}

/* The least seconds of several blocks, once for each task. */
static double least_seconds(roof *r, spor_pool *pool, program_clock *now) {
    double least = 1e12;
    for (int block = 0; block < BLOCKS; block++) {
        double begin = now();
        pool_run(pool, pool_workers(pool), run_roof, r);
        double seconds = now() - begin;
        if (seconds < least) least = seconds;
    }
    return least / (double)r->times;
}

double program_roof_products(spor_program *program, program_clock *now) {
    int64_t workers = pool_workers(program->pool);
    int lanes = isa_lanes(program->isa, program->scalar);
    roof r = {.kernel = roof_products_kernels[program->scalar][program->isa], .times = 8};
    r.call.out.shape = SPOR_SHAPE(ROUNDS);
    r.call.out.data =
        calloc((size_t)workers * (size_t)lanes, scalar_width(program->scalar)); /* factors 0 */
    if (!r.call.out.data) return 0;
    double seconds = least_seconds(&r, program->pool, now);
    free(r.call.out.data);
    return (double)workers * ROUNDS * ROOF_SUMS * lanes / seconds;
}

double program_roof_copies(spor_program *program, size_t bytes, program_clock *now) {
    const size_t block = (size_t)1 << 22;
    size_t workers = (size_t)pool_workers(program->pool);
    size_t each = bytes_lines(bytes / 2 / workers + 1), half = bytes_for((int64_t)workers, each);
    char *memory = aligned_alloc(BYTES_LINE, bytes_for(2, half));
    if (!memory) return 0;
    memset(memory, 1, 2 * half); /* pages of zeros are one page until written to */
    spor_arg from = {.data = memory};
    roof r = {.kernel = roof_copies_kernels[program->scalar][program->isa],
              .call = {.in = &from},
              .times = (int64_t)(block / half) + 1};
    r.call.out.shape = SPOR_SHAPE((int64_t)(each / scalar_width(program->scalar)));
    r.call.out.data = memory + half;
    double seconds = least_seconds(&r, program->pool, now);
    free(memory);
    return (double)(2 * half) / seconds;
}
