#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "guarded.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

guarded guarded_new(size_t bytes) {
    size_t page = page_size(), inside = (bytes + page - 1) / page * page;
    char *all = mmap(NULL, inside + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) return (guarded){NULL, 0};
    guarded memory = {all + page, inside};
    if (mprotect(memory.first, inside, PROT_READ | PROT_WRITE)) guarded_free(&memory);
    return memory;
}

void guarded_free(guarded *memory) {
    size_t page = page_size();
    if (memory->first) munmap(memory->first - page, memory->bytes + 2 * page);
    *memory = (guarded){NULL, 0};
}

char *guarded_place(const guarded *memory, size_t bytes, bool last) {
    return last ? memory->first + memory->bytes - bytes : memory->first;
}

static sigjmp_buf before; /* the kernel's call */

static void go_back(int signal) {
    (void)signal;
    siglongjmp(before, 1);
}

bool guarded_run(spor_tile_kernel *kernel, const spor_tile *tile) {
    struct sigaction otherwise, caught = {.sa_handler = go_back, .sa_flags = SA_NODEFER};
    volatile bool inside = false;
    sigaction(SIGSEGV, &caught, &otherwise);
    if (!sigsetjmp(before, 0)) {
        kernel(tile);
        inside = true;
    }
    sigaction(SIGSEGV, &otherwise, NULL);
    return inside;
}
