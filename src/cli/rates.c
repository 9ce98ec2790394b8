/* The rate over time: the optimizer's, times what the schedule of the script says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/train.h"

/* Of the epochs that are done; NULL: out of memory. */
static double *validation_losses(const training *t) {
    const spor_history *history = &t->run.history;
    double *losses = calloc((size_t)history->count + 1, sizeof *losses);
    for (int64_t k = 0; losses && k < history->count; k++)
        losses[k] = history->epochs[k].validation.loss;
    return losses;
}

/* What adapts is asked once an epoch. */
static bool fill_rates(const training *t, const double *losses, int64_t epoch, int64_t steps,
                       double rate[]) {
    spor_moment moment = {epoch - 1, 0, t->schedule.epochs, steps, losses};
    double factor = 1;
    for (int64_t k = 0; k < steps; k++) {
        moment.step = k;
        bool ask = !k || !t->piece->declared.adapts;
        if (ask && !script_factor(t->piece->script, &moment, &factor)) return false;
        rate[k] = factor * t->rate;
    }
    return true;
}

static bool rates(int64_t epoch, int64_t steps, double rate[], void *user) {
    const training *t = user;
    double *losses = validation_losses(t);
    bool done = losses && fill_rates(t, losses, epoch, steps, rate);
    free(losses);
    return done;
}

/* Asked before the first step for the first one of each epoch, or of a thousand; what adapts, for the
 * first epoch alone. */
static bool try_schedule(const training *t, int64_t steps) {
    int64_t epochs = t->schedule.epochs;
    double factor;
    for (int64_t epoch = 0; epoch < epochs; epoch += 1 + epochs / 1000) {
        const spor_moment moment = {epoch, 0, epochs, steps, NULL};
        if (!script_factor(t->piece->script, &moment, &factor)) {
            fprintf(stderr, "%s\n", script_error(t->piece->script));
            return false;
        }
        if (t->piece->declared.adapts) break;
    }
    return true;
}

bool train_make_schedule(training *t) {
    const spor_declaration *d = &t->piece->declared;
    int64_t batch = t->schedule.batch, rows = t->split.train_rows;
    if (!d->schedule) return true;
    if (d->adapts && !t->split.validation_rows) {
        command_fail(t->piece->command,
                     "%s adapts to validation losses, and there are no rows to "
                     "validate with",
                     d->schedule);
        return false;
    }
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS && t->setting[k].name; k++)
        if (!strcmp(t->setting[k].name, "rate")) t->rate = t->setting[k].value;
    t->schedule.rates = rates;
    t->schedule.rates_user = t;
    return try_schedule(t, rows / batch + (rows % batch > 0));
}
