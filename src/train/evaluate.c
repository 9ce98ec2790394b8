/*
 * Evaluation: predictions of a set of rows, counted, and their costs.
 */
#include <math.h>
#include <stdlib.h>

#include "base/shape.h"
#include "train/batch.h"
#include "train/model.h"

void spor_evaluation_free(spor_evaluation *evaluation) {
    if (!evaluation) return;
    free(evaluation->confusion);
    *evaluation = (spor_evaluation){0};
}

/* An evaluation under way. */
typedef struct {
    spor_model *model;
    batch_source source;
    spor_evaluation *e;
    double cost;           /* of the rows so far, summed */
    double squared_error;  /* of their numbers, summed */
    int64_t columns;       /* numbers of a target */
    double *mean, *spread; /* [columns] of targets so far: mean, sum of squared distances from it */
    evaluate_look *look;   /* at each batch; NULL: nobody */
    void *user;
} tally;

/* ---- classes -------------------------------------------------------------------------------- */

int64_t evaluate_winner(const spor_model *model, const spor_arg *arg, int64_t n, int64_t m,
                        int64_t classes) {
    int64_t best = 0;
    if (m < classes) return model_number(model, arg, n) > 0;
    for (int64_t k = 1; k < m; k++)
        if (model_number(model, arg, n * m + best) < model_number(model, arg, n * m + k)) best = k;
    return best;
}

static void count_classes(tally *t, const spor_bound *bound) {
    spor_evaluation *e = t->e;
    int64_t m = bound->logits.shape.n[1], classes = e->classes;
    for (int64_t n = 0; n < bound->rows; n++) {
        int64_t label = evaluate_winner(t->model, &bound->y, n, classes, classes);
        int64_t predicted = evaluate_winner(t->model, &bound->logits, n, m, classes);
        e->confusion[label * classes + predicted]++;
        e->right += label == predicted;
    }
}

/* ---- numbers -------------------------------------------------------------------------------- */

/* What column k of a target was multiplied with: errors are told in the units of the data. */
static double factor_of(const batch_source *s, int64_t k) {
    const spor_values *v = s->mirrored ? &s->data->x : &s->data->y;
    return (v->factor ? v->factor[k] : 1) * (s->mirrored ? s->data->scale : 1);
}

/* Means and squared distances row by row, without cancellation: Welford 1962. */
static void count_numbers(tally *t, const spor_bound *bound, int64_t before) {
    for (int64_t n = 0; n < bound->rows; n++)
        for (int64_t k = 0; k < t->columns; k++) {
            double y = model_number(t->model, &bound->y, n * t->columns + k);
            double p = model_number(t->model, &bound->logits, n * t->columns + k);
            double factor = factor_of(&t->source, k);
            double error = (p - y) / factor, distance = y / factor - t->mean[k];
            t->squared_error += error * error;
            t->mean[k] += distance / (double)(before + n + 1);
            t->spread[k] += distance * (y / factor - t->mean[k]);
        }
}

static void close_numbers(const tally *t) {
    double spread = 0;
    for (int64_t k = 0; k < t->columns; k++) spread += t->spread[k];
    t->e->rmse = sqrt(t->squared_error / ((double)t->e->rows * (double)t->columns));
    t->e->r2 = spread > 0 ? 1 - t->squared_error / spread : nan("");
}

/* ---- which metric --------------------------------------------------------------------------- */

/* One number a class, or one for two classes. */
static bool predicts_classes(const spor_bound *bound, int classes) {
    spor_shape shape = spor_shape_of(bound->prediction);
    return shape.rank == 2 && (shape.n[1] == classes || (shape.n[1] == 1 && classes == 2));
}

static bool choose_metric(tally *t, const spor_bound *bound, int classes) {
    spor_evaluation *e = t->e;
    spor_metric wanted = model_spec_of(t->model)->metric;
    spor_shape predicted = spor_shape_of(bound->prediction), target = spor_shape_of(bound->target);
    bool as_many = shape_size(&predicted) == shape_size(&target);
    spor_metric fits = t->source.one_hot ? SPOR_METRIC_ACCURACY
                       : as_many         ? SPOR_METRIC_RMSE
                                         : SPOR_METRIC_NONE;
    e->metric = wanted == SPOR_METRIC_FITTING || wanted == fits ? fits : SPOR_METRIC_NONE;
    if (e->metric != SPOR_METRIC_ACCURACY) return true;
    e->classes = classes;
    char misfit[256];
    return predicts_classes(bound, classes) ||
           model_fail_of(t->model, bound->prediction,
                         "%s.\nThere is no accuracy of what is no [rows, %d classes]; "
                         "metric=\"loss\" does without",
                         model_misfit(t->model, bound, misfit), classes);
}

static bool make_room(tally *t, const spor_bound *bound) {
    spor_evaluation *e = t->e;
    size_t classes = (size_t)e->classes;
    if (e->metric == SPOR_METRIC_ACCURACY)
        e->confusion = calloc(classes * classes, sizeof *e->confusion);
    if (e->metric == SPOR_METRIC_RMSE) {
        t->columns = shape_size(&bound->y.shape) / bound->rows;
        t->mean = calloc(2 * (size_t)t->columns, sizeof *t->mean);
        t->spread = t->mean ? t->mean + t->columns : NULL;
    }
    return e->metric == SPOR_METRIC_NONE || e->confusion || t->mean ||
           model_fail(t->model, "out of memory");
}

/* ---- rows ----------------------------------------------------------------------------------- */

static int64_t rows_of_batch(int64_t left) {
    return left < BATCH_OF_EVALUATION ? left : BATCH_OF_EVALUATION;
}

static bool count_batch(tally *t, const int64_t rows[], int64_t n, int64_t before) {
    spor_bound *bound = spor_model_bind(t->model, n, false);
    if (!bound) return false;
    batch_fill(&t->source, rows, n, bound->x.data, bound->y.data);
    if (!spor_model_run(t->model, bound)) return false;
    if (t->e->metric == SPOR_METRIC_ACCURACY) count_classes(t, bound);
    if (t->e->metric == SPOR_METRIC_RMSE) count_numbers(t, bound, before);
    double cost = model_cost(t->model, bound);
    if (isnan(cost) && !index_look(t->model, t->source.data, rows, n, bound, &t->source))
        return false;
    t->cost += cost;
    const evaluate_view view = {t->model, bound, &t->source, t->e->metric, rows, before};
    return !t->look || t->look(&view, t->user);
}

static bool evaluate_rows(tally *t, const int64_t rows[], int64_t count, int classes) {
    spor_evaluation *e = t->e;
    const spor_bound *bound = spor_model_bind(t->model, rows_of_batch(count), false);
    if (!bound || !choose_metric(t, bound, classes) || !make_room(t, bound)) return false;
    for (int64_t done = 0, n; done < count; done += n) {
        n = rows_of_batch(count - done);
        if (!count_batch(t, rows + done, n, done)) return false;
    }
    e->loss = t->cost / (double)count;
    if (e->metric == SPOR_METRIC_ACCURACY) e->accuracy = (double)e->right / (double)count;
    if (e->metric == SPOR_METRIC_RMSE) close_numbers(t);
    return true;
}

bool evaluate_viewed(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                     spor_evaluation *evaluation, evaluate_look *look, void *user) {
    double none = nan("");
    if (!data || !evaluation || (count > 0 && !rows)) return model_fail(model, "out of memory");
    tally t = {.model = model, .e = evaluation, .look = look, .user = user};
    *evaluation = (spor_evaluation){.metric = SPOR_METRIC_NONE,
                                    .rows = count,
                                    .class_name = data->class_name,
                                    .loss = none,
                                    .accuracy = none,
                                    .rmse = none,
                                    .r2 = none};
    if (!batch_source_make(model, data, rows, count, &t.source) || !model_says_reduction(model))
        return false;
    bool done = count == 0 || evaluate_rows(&t, rows, count, data->classes);
    free(t.mean);
    if (!done) spor_evaluation_free(evaluation);
    return done;
}

bool spor_evaluate(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                   spor_evaluation *evaluation) {
    return evaluate_viewed(model, data, rows, count, evaluation, NULL, NULL);
}

/* ---- before the first row ------------------------------------------------------------------- */

bool evaluate_prepare(spor_model *model, const spor_data *data, const int64_t rows[],
                      int64_t count) {
    tally t = {.model = model, .e = &(spor_evaluation){0}};
    if (!batch_source_make(model, data, rows, count, &t.source) || !model_says_reduction(model))
        return false;
    const int64_t sizes[] = {count >= BATCH_OF_EVALUATION ? BATCH_OF_EVALUATION : 0,
                             count % BATCH_OF_EVALUATION};
    for (int k = 0; k < 2; k++) {
        if (!sizes[k]) continue;
        const spor_bound *bound = spor_model_bind(model, sizes[k], false);
        if (!bound) return model_fail_in(model, "evaluation", sizes[k]);
        if (!choose_metric(&t, bound, data->classes)) return false;
    }
    if (!count) return true;
    const spor_bound *bound = model_plan(model, sizes[sizes[0] == 0], false);
    return index_look(model, data, rows, count, bound, &t.source);
}
