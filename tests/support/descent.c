#include "descent.h"

static spor_var times(spor_var x, const char *setting, double value) {
    return spor_mul(spor_broadcast(spor_setting(x.tape, setting, value), spor_shape_of(x)), x);
}

bool descent(int n, const spor_var w[], const spor_var dw[], spor_var next[], void *user) {
    (void)user;
    for (int k = 0; k < n; k++)
        next[k] = spor_sub(w[k], times(spor_add(dw[k], times(w[k], "l2", 1e-4)), "rate", 0.05));
    return true;
}
