/* The cotangent of y where that is several results end to end. */
#include "tape/results.h"
#include "verify/verify.h"

int instance_cotangents(const spor_instance *in) {
    if (!in->y.id) return 0;
    return in->results > 1 ? in->results : 1;
}

bool instance_is_cotangent(const spor_instance *in, int k) {
    return k >= in->dy && k < in->dy + instance_cotangents(in);
}

spor_var instance_cotangent(const spor_instance *in) {
    return results_join(instance_cotangents(in), &in->input[in->dy]);
}
