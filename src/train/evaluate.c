/*
 * Evaluation: predictions of a set of rows, counted.
 */
#include <math.h>
#include <stdlib.h>

#include "train/batch.h"
#include "train/model.h"

void spor_evaluation_free(spor_evaluation *evaluation) {
    if (!evaluation) return;
    free(evaluation->confusion);
    *evaluation = (spor_evaluation){0};
}

/* The first of the largest of m numbers. */
#define WINNER(T)                                                                                  \
    static int64_t winner_##T(const T *x, int64_t m) {                                             \
        int64_t best = 0;                                                                          \
        for (int64_t k = 1; k < m; k++)                                                            \
            if (x[best] < x[k]) best = k;                                                          \
        return best;                                                                               \
    }
WINNER(float)
WINNER(double)

static void count_rows(const batch_source *source, const spor_bound *bound, const int64_t rows[],
                       int64_t count, spor_evaluation *e) {
    const void *logits = bound->logits.data;
    for (int64_t n = 0, m = e->classes; n < count; n++) {
        int64_t predicted = source->scalar == SPOR_F32
                                ? winner_float((const float *)logits + n * m, m)
                                : winner_double((const double *)logits + n * m, m);
        int64_t label = source->data->label[rows[n]];
        e->confusion[label * m + predicted]++;
        e->right += label == predicted;
    }
}

/* Gathers the rows; those that fill up the batch repeat the first one and are ignored. */
static void gather_padded(const batch_source *source, const int64_t rows[], int64_t count,
                          const spor_bound *bound) {
    int64_t padded[BATCH_OF_EVALUATION];
    for (int64_t n = 0; n < BATCH_OF_EVALUATION; n++) padded[n] = rows[n < count ? n : 0];
    batch_fill(source, padded, BATCH_OF_EVALUATION, bound->x.data, bound->y.data);
}

/* Cost of one batch summed over its rows. */
static double batch_cost(spor_model *model, const spor_bound *bound, int64_t count, int sums) {
    double cost = count == BATCH_OF_EVALUATION ? model_number(model, &bound->loss, 0)
                                               : model_cost_of(model, bound, count);
    return sums ? cost : cost * (double)count;
}

static bool predicts_classes(const spor_bound *bound, int classes) {
    spor_shape shape = spor_shape_of(bound->prediction);
    return shape.rank == 2 && shape.n[1] == classes;
}

static bool evaluate_rows(spor_model *model, const batch_source *source, const int64_t rows[],
                          int64_t count, spor_evaluation *e) {
    double cost = 0;
    int sums = model_loss_sums(model);
    spor_bound *bound = spor_model_bind(model, BATCH_OF_EVALUATION, false);
    if (!bound || sums < 0) return false;
    if (source->one_hot && !predicts_classes(bound, e->classes))
        return model_fail(model, "a classifier's prediction has two axes: rows and %d classes",
                          e->classes);
    for (int64_t first = 0; first < count; first += BATCH_OF_EVALUATION) {
        int64_t n = count - first < BATCH_OF_EVALUATION ? count - first : BATCH_OF_EVALUATION;
        gather_padded(source, rows + first, n, bound);
        if (!spor_model_predict(model, bound)) return false;
        if (source->one_hot) count_rows(source, bound, rows + first, n, e);
        cost += batch_cost(model, bound, n, sums);
    }
    e->loss = cost / (double)count;
    if (source->one_hot) e->accuracy = (double)e->right / (double)count;
    return !spor_model_error(model);
}

bool spor_evaluate(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                   spor_evaluation *evaluation) {
    batch_source source;
    *evaluation = (spor_evaluation){.rows = count, .accuracy = nan(""), .loss = nan("")};
    if (!batch_source_make(model, data, rows, count, &source)) return false;
    if (source.one_hot) {
        size_t classes = (size_t)source.classes;
        evaluation->classes = data->classes;
        evaluation->confusion = calloc(classes * classes, sizeof *evaluation->confusion);
        if (!evaluation->confusion) return model_fail(model, "out of memory");
    }
    if (count == 0 || evaluate_rows(model, &source, rows, count, evaluation)) return true;
    spor_evaluation_free(evaluation);
    return false;
}
