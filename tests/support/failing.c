#include "failing.h"

#include <errno.h>
#include <stdlib.h>

#include "../suite.h"

#if defined(__GLIBC__) && !SANITIZED
#define CAN_FAIL 1
#else
#define CAN_FAIL 0
#endif

const bool failing_can = CAN_FAIL;

static struct {
    bool counting, for_good;
    long count, fails_at;
} memory;

void failing_begin(long at, bool for_good) {
    memory.fails_at = at;
    memory.for_good = for_good;
    memory.count = 0;
    memory.counting = true;
}

long failing_end(void) {
    memory.counting = false;
    return memory.count;
}

#if CAN_FAIL
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static bool fails(void) {
    if (!memory.counting) return false;
    long at = ++memory.count;
    bool failing =
        memory.fails_at && (at == memory.fails_at || (memory.for_good && at > memory.fails_at));
    if (failing) errno = ENOMEM;
    return failing;
}

void *malloc(size_t size) {
    return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size) {
    return fails() ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return fails() ? NULL : __libc_memalign(alignment, size);
}
#endif
