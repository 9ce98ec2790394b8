/* Memory between pages that nobody may touch: what is read or written beyond it is seen. */
#ifndef SPOR_TESTS_GUARDED_H
#define SPOR_TESTS_GUARDED_H

#include "kernels/group.h"

typedef struct {
    char *first; /* page aligned, as its end is; NULL: there was no memory */
    size_t bytes;
} guarded;

/** At least so many bytes. */
guarded guarded_new(size_t bytes);
void guarded_free(guarded *memory);

/** Its last bytes, or its first ones. */
char *guarded_place(const guarded *memory, size_t bytes, bool last);

/** Runs a tile kernel; false if it touches what nobody may. */
bool guarded_run(spor_tile_kernel *kernel, const spor_tile *tile);

#endif
