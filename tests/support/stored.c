#include "stored.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/shape.h"
#include "program/params.h"
#include "program/program.h"

void *stored_values(spor_params *params, size_t *bytes) {
    char *all = NULL;
    *bytes = 0;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        size_t size = (size_t)shape_size(&e.shape) * scalar_width(e.scalar);
        all = realloc(all, *bytes + size);
        ck_assert_ptr_nonnull(all);
        memcpy(all + *bytes, e.value, size);
        *bytes += size;
    }
    return all;
}

int stored_replaced(const spor_program *program) {
    const size_t width = scalar_width(program->scalar);
    int count = 0;
    for (uint32_t k = 0; k < program->trained.count; k++) {
        const spor_target *t = &program->trained.at[k];
        const spor_storage *s = &program->storage[t->node];
        int64_t offset = program->params->entry[t->entry].offset;
        count += s->where == SPOR_NEXT && s->offset == bytes_for(offset, width);
    }
    return count;
}
