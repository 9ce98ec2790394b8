#include "fuzz.h"

#include "../data/scratch.h"

#include <unistd.h>

static char path[256];

const char *fuzz_file(const uint8_t *bytes, size_t size) {
    if (!*path) snprintf(path, sizeof path, "%s/spor-fuzz-%ld", scratch_place(), (long)getpid());
    FILE *file = fopen(path, "wb");
    FUZZ_PROMISE(file && fwrite(bytes, 1, size, file) == size);
    FUZZ_PROMISE(fclose(file) == 0);
    return path;
}

void fuzz_file_end(void) {
    if (*path) unlink(path);
    *path = '\0';
}
