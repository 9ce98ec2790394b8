/*
 * What a loss that does not say it does with the costs of its rows: seen where some rows cost, in one
 * batch, the sum or the mean of what they cost one by one.
 */
#include <math.h>

#include "train/batch.h"
#include "train/model.h"

bool batch_cost(spor_model *model, const batch_source *source, const int64_t rows[], int64_t n,
                double *cost) {
    spor_bound *bound = spor_model_bind(model, n, false);
    if (!bound) return model_fail_in(model, "the search for a reduction", n);
    batch_fill(source, rows, n, bound->x.data, bound->y.data);
    if (!spor_model_run(model, bound)) return false;
    *cost = model_number(model, &bound->loss, 0);
    return true;
}

static bool is_near(double a, double b) {
    return fabs(a - b) <= 1e-3 * fabs(b);
}

bool reduction_find(spor_model *model, const spor_data *data, const spor_split *split,
                    spor_reduction *found) {
    int64_t n = split->train_rows < REDUCTION_ROWS ? split->train_rows : REDUCTION_ROWS;
    batch_source source;
    double all = 0, one = 0, sum = 0;
    *found = SPOR_REDUCTION_UNSAID;
    if (!batch_source_make(model, data, split->train, n, &source) ||
        !batch_cost(model, &source, split->train, n, &all))
        return false;
    for (int64_t k = 0; k < n; k++) {
        if (!batch_cost(model, &source, split->train + k, 1, &one)) return false;
        sum += one;
    }
    bool sums = is_near(all, sum), means = is_near(all * (double)n, sum);
    if (sums != means) *found = sums ? SPOR_REDUCTION_SUM : SPOR_REDUCTION_MEAN;
    model_say_reduction(model, *found);
    return true;
}
