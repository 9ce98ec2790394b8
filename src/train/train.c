/*
 * The training loop: epochs are permutations, the last partial batch is a program of its own.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "base/random.h"
#include "kernels/kernel.h"
#include "train/batch.h"
#include "train/model.h"

typedef struct {
    spor_model *model;
    const spor_data *data;
    const spor_split *split;
    const spor_schedule *schedule;
    spor_on_progress *on_progress;
    void *user;
    batch_source source;
    int64_t *order;   /* [train_rows] places in split->train, then row numbers, of this epoch */
    int64_t rows;     /* trained on in this epoch so far */
    double cost;      /* of those rows, summed */
    int sums;         /* the loss sums over rows */
    double magnitude; /* bound on the magnitude of the parameters */
    spor_progress progress;
} run;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the update does not overflow ---- */

/* sum |x| in independent sums that fill vectors: a bound on every |x| that costs one pass. */
#define MAGNITUDES(T, absolute)                                                                    \
    static double sum_##T(const T *x, int64_t size) {                                              \
        enum { LANES = 16 };                                                                       \
        T sum[LANES] = {0};                                                                        \
        int64_t whole = size - size % LANES;                                                       \
        for (int64_t k = 0; k < whole; k += LANES)                                                 \
            for (int j = 0; j < LANES; j++) sum[j] += absolute(x[k + j]);                          \
        for (int64_t k = whole; k < size; k++) sum[0] += absolute(x[k]);                           \
        for (int j = 1; j < LANES; j++) sum[0] += sum[j];                                          \
        return (double)sum[0];                                                                     \
    }                                                                                              \
    static double largest_##T(const T *x, int64_t size) {                                          \
        T most = 0;                                                                                \
        for (int64_t k = 0; k < size; k++)                                                         \
            if (absolute(x[k]) > most) most = absolute(x[k]);                                      \
        return (double)most;                                                                       \
    }
MAGNITUDES(float, fabsf)
MAGNITUDES(double, fabs)

/* sum |gradient| over the trained parameters. */
static double sum_of_gradients(spor_params *params) {
    double sum = 0;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        if (!e.trained) continue;
        sum += e.scalar == SPOR_F32 ? sum_float(e.gradient, shape_size(&e.shape))
                                    : sum_double(e.gradient, shape_size(&e.shape));
    }
    return sum;
}

/* Over the trained parameters' values or gradients; name receives the parameter's. */
static double largest(spor_params *params, bool gradients, const char **name) {
    double most = 0;
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        if (!e.trained) continue;
        const void *x = gradients ? e.gradient : e.value;
        double value = e.scalar == SPOR_F32 ? largest_float(x, shape_size(&e.shape))
                                            : largest_double(x, shape_size(&e.shape));
        if (value >= most) *name = e.name;
        if (value >= most) most = value;
    }
    return most;
}

/* The largest magnitudes themselves, where the bound on the update comes near the limit. */
static bool measured_update_is_finite(run *r, double limit) {
    const spor_schedule *s = r->schedule;
    spor_params *params = spor_model_params(r->model);
    const char *steepest = "", *greatest = "";
    double gradient = largest(params, true, &steepest);
    double value = largest(params, false, &greatest);
    r->magnitude = value + s->rate * (gradient + s->l2 * value);
    return r->magnitude < limit ||
           model_fail(r->model,
                      "the next update would overflow: gradients up to %.3g (%s), "
                      "parameters up to %.3g (%s), rate %g",
                      gradient, steepest, value, greatest, s->rate);
}

/*
 * |w - rate (dw + l2 w)| <= |w| + rate (|dw| + l2 |w|) must stay a number of the type. The bound on
 * |w| grows with each step and is measured anew only when it comes near the limit.
 */
static bool update_is_finite(run *r) {
    const spor_schedule *s = r->schedule;
    double limit = r->source.scalar == SPOR_F32 ? (double)FLT_MAX / 4 : DBL_MAX / 4;
    double gradient = sum_of_gradients(spor_model_params(r->model));
    double bound = r->magnitude + s->rate * (gradient + s->l2 * r->magnitude);
    if (!(bound < limit)) return measured_update_is_finite(r, limit);
    r->magnitude = bound;
    return true;
}

/* ---- one epoch ---- */

static bool tell(run *r) {
    return !r->on_progress || r->on_progress(&r->progress, r->user);
}

static bool step(run *r, spor_bound *bound) {
    const spor_schedule *s = r->schedule;
    spor_progress *p = &r->progress;
    batch_fill(&r->source, r->order + r->rows, bound->rows, bound->x.data, bound->y.data);
    uint64_t number = (uint64_t)((p->epoch - 1) * p->steps + p->step);
    if (!spor_model_gradient(r->model, bound, number) || !update_is_finite(r)) return false;
    spor_params_sgd(spor_model_params(r->model), s->rate, s->l2, s->l2_biases);
    double cost = model_number(r->model, &bound->loss, 0);
    r->cost += r->sums ? cost : cost * (double)bound->rows;
    r->rows += bound->rows;
    p->loss = r->cost / (double)r->rows;
    p->step++;
    return true;
}

static bool fail_step(run *r) {
    char where[80];
    snprintf(where, sizeof where, "epoch %" PRId64 ", step %" PRId64 " (a lower rate may help)",
             r->progress.epoch, r->progress.step + 1);
    return spor_model_error(r->model) && model_fail_at(r->model, where);
}

/* count steps of one size; the callback after the epoch's last step comes after the evaluation. */
static bool steps(run *r, int64_t count, int64_t rows) {
    spor_progress *p = &r->progress;
    spor_bound *bound = count ? spor_model_bind(r->model, rows, true) : NULL;
    if (count && !bound) return false;
    double before = p->train_seconds, start = now();
    for (int64_t k = 0; k < count; k++) {
        if (!step(r, bound)) return fail_step(r);
        p->train_seconds = before + (now() - start);
        if (p->step < p->steps && !tell(r)) return false;
    }
    return true;
}

static bool evaluate(run *r, const int64_t rows[], int64_t count, double *accuracy) {
    spor_evaluation e;
    if (!spor_evaluate(r->model, r->data, rows, count, &e)) return false;
    *accuracy = e.accuracy;
    spor_evaluation_free(&e);
    return true;
}

static bool evaluate_epoch(run *r) {
    double start = now();
    bool done = evaluate(r, r->split->train, r->split->train_rows, &r->progress.train_accuracy) &&
                evaluate(r, r->split->validation, r->split->validation_rows,
                         &r->progress.validation_accuracy);
    r->progress.evaluate_seconds += now() - start;
    return done;
}

static bool epoch(run *r) {
    int64_t rows = r->split->train_rows, batch = r->schedule->batch;
    double start = now();
    random_shuffle(random_hash(r->schedule->seed, (uint64_t)r->progress.epoch, 0), rows, r->order);
    for (int64_t k = 0; k < rows; k++) r->order[k] = r->split->train[r->order[k]];
    r->rows = 0;
    r->cost = 0;
    r->progress.step = 0;
    r->progress.train_seconds += now() - start;
    return steps(r, rows / batch, batch) && steps(r, rows % batch > 0, rows % batch) &&
           evaluate_epoch(r) && tell(r);
}

/* ---- the run ---- */

static bool check_schedule(run *r) {
    const spor_schedule *s = r->schedule;
    if (s->epochs < 1 || s->batch < 1)
        return model_fail(r->model,
                          "epochs (%" PRId64 ") and batch (%" PRId64 ") must be at least 1",
                          s->epochs, s->batch);
    if (!isfinite(s->rate) || s->rate < 0 || !isfinite(s->l2) || s->l2 < 0)
        return model_fail(r->model, "rate (%g) and l2 (%g) must be finite and not negative",
                          s->rate, s->l2);
    return r->split->train_rows > 0 || model_fail(r->model, "there are no rows to train on");
}

static bool run_epochs(run *r) {
    int64_t rows = r->split->train_rows, batch = r->schedule->batch;
    r->sums = model_loss_sums(r->model);
    if (r->sums < 0) return false;
    r->magnitude = HUGE_VAL;
    r->progress = (spor_progress){.epochs = r->schedule->epochs,
                                  .steps = rows / batch + (rows % batch > 0),
                                  .train_accuracy = nan(""),
                                  .validation_accuracy = nan("")};
    while (r->progress.epoch < r->progress.epochs) {
        r->progress.epoch++;
        if (!epoch(r)) return false;
    }
    return true;
}

bool spor_train(spor_model *model, const spor_data *data, const spor_split *split,
                const spor_schedule *schedule, spor_on_progress *on_progress, void *user) {
    run r = {.model = model,
             .data = data,
             .split = split,
             .schedule = schedule,
             .on_progress = on_progress,
             .user = user};
    if (!batch_source_make(model, data, split->train, split->train_rows, &r.source) ||
        !check_schedule(&r))
        return false;
    r.order = malloc((size_t)split->train_rows * sizeof *r.order);
    if (!r.order) return model_fail(model, "out of memory");
    bool done = run_epochs(&r);
    free(r.order);
    return done;
}
