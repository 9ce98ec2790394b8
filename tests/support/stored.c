#include "stored.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "program/params.h"

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
