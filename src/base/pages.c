#define _GNU_SOURCE /* madvise */
#include "base/pages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"

/* Of a large page on most machines; where it is another size this is a good place, too. */
static const size_t large_page = (size_t)1 << 21;

void *pages_take(size_t bytes) {
    size_t page = bytes >= large_page ? large_page : BYTES_LINE;
    size_t whole =
        bytes_sum(bytes ? bytes : 1, page - 1) / page * page; /* as aligned_alloc wants it */
    void *memory = aligned_alloc(page, whole);
    if (!memory) return NULL;
#ifdef MADV_HUGEPAGE
    if (page == large_page)
        madvise(memory, bytes, MADV_HUGEPAGE); /* a wish: it changes no number */
#endif
    memset(memory, 0, bytes);
    return memory;
}
