/* The rate over time: the optimizer's, times what the schedule of the script says. */
#include <stdio.h>
#include <string.h>

#include "cli/train.h"

static bool factor_at(const training *t, int64_t epoch, int64_t step, int64_t steps,
                      double *factor) {
    return script_factor(t->piece->script, epoch, step, t->schedule.epochs, steps, factor);
}

static bool rates(int64_t epoch, int64_t steps, double rate[], void *user) {
    const training *t = user;
    for (int64_t k = 0; k < steps; k++) {
        if (!factor_at(t, epoch - 1, k, steps, &rate[k])) return false;
        rate[k] *= t->rate;
    }
    return true;
}

/* It is asked for the first step of each epoch, or of a thousand, so that what is wrong with it is
 * told now. */
bool train_make_schedule(training *t) {
    int64_t epochs = t->schedule.epochs, batch = t->schedule.batch;
    int64_t steps = (t->split.train_rows + batch - 1) / batch;
    double factor;
    if (!t->piece->declared.schedule) return true;
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS && t->setting[k].name; k++)
        if (!strcmp(t->setting[k].name, "rate")) t->rate = t->setting[k].value;
    t->schedule.rates = rates;
    t->schedule.rates_user = t;
    for (int64_t epoch = 0; epoch < epochs; epoch += 1 + epochs / 1000) {
        if (factor_at(t, epoch, 0, steps, &factor)) continue;
        fprintf(stderr, "%s\n", script_error(t->piece->script));
        return false;
    }
    return true;
}
