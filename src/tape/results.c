/* Several results as one variable. */
#include "tape/results.h"

#include <spor/ops.h>

#include "base/shape.h"

static spor_var flat(spor_var x) {
    spor_shape shape = spor_shape_of(x);
    return shape.rank == 1 ? x : spor_reshape(x, SPOR_SHAPE(shape_size(&shape)));
}

spor_var results_join(int n, const spor_var result[]) {
    spor_var joined = n == 1 ? result[0] : flat(result[0]);
    for (int k = 1; k < n; k++) joined = spor_concat(joined, flat(result[k]), 0);
    return joined;
}

spor_var results_part(spor_var joined, int n, const spor_shape shape[], int k) {
    int64_t before = 0, behind = 0;
    if (n == 1) return joined;
    for (int j = 0; j < k; j++) before -= shape_size(&shape[j]);
    for (int j = k + 1; j < n; j++) behind -= shape_size(&shape[j]);
    spor_var part = spor_pad(joined, &before, &behind, 0);
    return shape[k].rank == 1 ? part : spor_reshape(part, shape[k]);
}
