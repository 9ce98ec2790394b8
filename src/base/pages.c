#define _GNU_SOURCE /* madvise */
#include "base/pages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

/* Of a large page on most machines; where it is another size this is a good place, too. */
static const size_t large_page = (size_t)1 << 21;

void *pages_take(size_t bytes) {
    bool large = bytes >= large_page;
    void *memory = aligned_alloc(large ? large_page : BYTES_LINE, bytes ? bytes : 1);
    if (!memory) return NULL;
#ifdef MADV_HUGEPAGE
    if (large)
        madvise(memory, bytes, MADV_HUGEPAGE); /* a wish: what comes of it changes no number */
#endif
    memset(memory, 0, bytes);
    return memory;
}
