/*
 * The training loop: epochs are permutations, the last partial batch is a program of its own.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "kernels/kernel.h"
#include "train/batch.h"
#include "train/metrics.h"
#include "train/model.h"

typedef struct {
    spor_model *model;
    const spor_data *data;
    const spor_split *split;
    const spor_schedule *schedule;
    spor_on_progress *on_progress;
    void *user;
    batch_source source;
    int64_t *order; /* [train_rows] places in split->train, then row numbers, of this epoch */
    double *rate;   /* [steps] of this epoch, if they change */
    spor_progress progress;
} run;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- one epoch ---- */

static bool tell(run *r) {
    return !r->on_progress || r->on_progress(&r->progress, r->user);
}

static bool step(run *r, spor_bound *bound) {
    spor_progress *p = &r->progress;
    batch_fill(&r->source, r->order + p->rows, bound->rows, bound->x.data, bound->y.data);
    if (r->rate) spor_model_set(r->model, "rate", r->rate[p->step]);
    uint64_t number = (uint64_t)((p->epoch - 1) * p->steps + p->step);
    if (!spor_model_step(r->model, bound, number)) return false;
    p->cost += model_cost(r->model, bound);
    p->rows += bound->rows;
    p->loss = p->cost / (double)p->rows;
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

static bool evaluate(run *r, const int64_t rows[], int64_t count, spor_score *score) {
    spor_evaluation e;
    if (!spor_evaluate(r->model, r->data, rows, count, &e)) return false;
    *score = metrics_score(&e);
    if (e.metric != SPOR_METRIC_NONE) r->progress.metric = e.metric;
    spor_evaluation_free(&e);
    return true;
}

/* No loss is lower than one that is no number. */
static void note_best(spor_progress *p) {
    double loss = p->validation.loss;
    if (isnan(loss) || (p->best_epoch && loss >= p->best_loss)) return;
    p->best_epoch = p->epoch;
    p->best_loss = loss;
}

static bool evaluate_epoch(run *r) {
    double start = now();
    const spor_split *s = r->split;
    bool done = evaluate(r, s->train, s->train_rows, &r->progress.train) &&
                evaluate(r, s->validation, s->validation_rows, &r->progress.validation);
    r->progress.evaluate_seconds += now() - start;
    if (r->progress.epoch) note_best(&r->progress);
    return done;
}

static void begin_epoch(run *r) {
    r->progress.epoch++;
    r->progress.step = 0;
    r->progress.rows = 0;
    r->progress.cost = 0;
}

/* From where it stands: the order is a function of seed and epoch. */
static bool epoch(run *r) {
    spor_progress *p = &r->progress;
    int64_t rows = r->split->train_rows, whole = rows / r->schedule->batch;
    double start = now();
    random_shuffle(random_hash(r->schedule->seed, (uint64_t)p->epoch, 0), rows, r->order);
    for (int64_t k = 0; k < rows; k++) r->order[k] = r->split->train[r->order[k]];
    p->train_seconds += now() - start;
    const spor_schedule *s = r->schedule;
    if (r->rate && !s->rates(p->epoch, p->steps, r->rate, s->rates_user)) return false;
    return (p->step >= whole || steps(r, whole - p->step, r->schedule->batch)) &&
           steps(r, p->steps - p->step, rows % r->schedule->batch) && evaluate_epoch(r) && tell(r);
}

/* ---- the run ---- */

static bool has_rate(spor_model *model, const spor_bound *bound) {
    spor_named_number setting;
    for (int k = 0; (setting = spor_program_setting(bound->program, k)).name; k++)
        if (!strcmp(setting.name, "rate")) return true;
    return model_fail(model, "a rate over time needs an optimizer with a setting rate");
}

static bool check_schedule(spor_model *model, const spor_split *split, const spor_schedule *s) {
    if (s->patience && !split->validation_rows)
        return model_fail(model, "patience is with a validation loss, and there are no rows to "
                                 "validate with");
    if (s->epochs < 0 || s->batch < 1)
        return model_fail(model,
                          "epochs (%" PRId64 ") must be at least 0, batch (%" PRId64 ") at least 1",
                          s->epochs, s->batch);
    if (!model_spec_of(model)->optimizer)
        return model_fail(model, "training needs a model with an optimizer");
    return split->train_rows > 0 || model_fail(model, "there are no rows to train on");
}

static bool prepare_steps(spor_model *model, int64_t count, int64_t rows) {
    return !count || !rows || spor_model_bind(model, rows, true) ||
           model_fail_in(model, "training", rows);
}

/* Every program that the run will run: of whole and partial batches, trained and evaluated. */
bool train_prepare(spor_model *model, const spor_data *data, const spor_split *split,
                   const spor_schedule *schedule) {
    if (!model || spor_model_error(model)) return false;
    if (!data || !split || !schedule) return model_fail(model, "out of memory");
    if (!check_schedule(model, split, schedule)) return false;
    int64_t rows = split->train_rows, batch = schedule->batch;
    return evaluate_prepare(model, data, split->train, rows) &&
           evaluate_prepare(model, data, split->validation, split->validation_rows) &&
           evaluate_prepare(model, data, split->test, split->test_rows) &&
           prepare_steps(model, rows / batch, batch) && prepare_steps(model, 1, rows % batch) &&
           (!schedule->rates ||
            has_rate(model, model_plan(model, rows < batch ? rows : batch, true)));
}

spor_progress train_beginning(int64_t epochs) {
    const spor_score unknown = {.loss = nan(""), .metric = nan("")};
    return (spor_progress){
        .epochs = epochs, .metric = SPOR_METRIC_NONE, .train = unknown, .validation = unknown};
}

/* Where it begins, or goes on, which must be a place of such a run. */
static bool stand(run *r) {
    const spor_progress *from = r->schedule->from;
    int64_t rows = r->split->train_rows, batch = r->schedule->batch;
    spor_progress *p = &r->progress;
    *p = from && from->epoch > 0 ? *from : train_beginning(0);
    p->epochs = r->schedule->epochs;
    p->steps = rows / batch + (rows % batch > 0);
    if (p->epoch == 0) return true;
    bool known = from->steps == p->steps && p->step >= 0 && p->step <= p->steps &&
                 p->rows == (p->step < p->steps ? p->step * batch : rows);
    return (known && p->epoch > 0 && p->epoch <= p->epochs) ||
           model_fail(r->model,
                      "epoch %" PRId64 ", step %" PRId64 " is no place in %" PRId64
                      " epochs of %" PRId64 " rows in batches of %" PRId64,
                      p->epoch, p->step, p->epochs, rows, batch);
}

bool train_is_over(const spor_schedule *s, const spor_progress *p) {
    bool impatient = s->patience && p->best_epoch && p->epoch - p->best_epoch >= s->patience;
    return p->steps > 0 && p->step == p->steps && (p->epoch >= s->epochs || impatient);
}

/* Without a step: the weights are kept as they were given, and are told of as those of epoch 0. */
static bool evaluate_beginning(run *r) {
    r->progress.step = r->progress.steps;
    return evaluate_epoch(r) && tell(r);
}

static bool run_epochs(run *r) {
    spor_progress *p = &r->progress;
    if (!stand(r)) return false;
    if (r->schedule->rates) r->rate = calloc((size_t)p->steps, sizeof *r->rate);
    if (r->schedule->rates && !r->rate) return model_fail(r->model, "out of memory");
    if (!r->schedule->epochs) return evaluate_beginning(r);
    if (p->epoch > 0 && p->step < p->steps && !epoch(r)) return false;
    while (!train_is_over(r->schedule, p)) {
        begin_epoch(r);
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
    if (!train_prepare(model, data, split, schedule) ||
        !batch_source_make(model, data, split->train, split->train_rows, &r.source))
        return false;
    r.order = malloc((size_t)split->train_rows * sizeof *r.order);
    if (!r.order) return model_fail(model, "out of memory");
    bool done = run_epochs(&r);
    free(r.rate);
    free(r.order);
    return done;
}
