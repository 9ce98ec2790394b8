/* Inner products with y, as it is evaluated over the error bound. */
#include <math.h>

#include "verify/oracle.h"

bool product_start(oracle_inquiry *q) {
    spor_options options = {.scalar = SPOR_BOUND, .reference = true};
    if (q->y || !q->trial->in.y.id) return true;
    q->y = spor_compile(q->trial->tape, 1, &q->trial->in.y, NULL, &options);
    if (!q->y) return false;
    char why[256];
    if (!spor_program_error(q->y) && trial_affords(q->y, q->trial->in.y, why, sizeof why))
        return true;
    spor_program_free(q->y);
    q->y = NULL;
    return true;
}

void product_fill(oracle_inquiry *q) {
    for (int k = 0; k < q->trial->in.inputs; k++)
        trial_fill(q->y, q->trial->in.input[k], q->trial->data[k], trial_size(q->trial, k));
}

measured product_add(measured sum, double a, measured b) {
    double term = a * b.value, next = sum.value + term;
    double rounding = PRODUCT_UNIT * (fabs(term) + fabs(next));
    return (measured){next, sum.bound + fabs(a) * b.bound + rounding};
}

bool product_with_y(oracle_inquiry *q, measured *product) {
    *product = (measured){0, 0};
    if (!spor_run(q->y, 0)) return false;
    spor_arg arg = spor_program_arg(q->y, q->trial->in.y);
    const double *y = arg.data, *dy = q->trial->data[q->trial->in.dy];
    for (int64_t k = 0; k < shape_size(&arg.shape); k++)
        *product = product_add(*product, dy[k], (measured){y[2 * k], y[2 * k + 1]});
    return true;
}
