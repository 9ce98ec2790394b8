#include "train/seen.h"

#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/shape.h"
#include "figure/figure.h"
#include "train/batch.h"
#include "train/model.h"

/* An evaluation that is looked at. */
typedef struct {
    spor_seen *seen;
    int64_t count; /* of all rows */
} look;

/* ---- classes -------------------------------------------------------------------------------- */

static void insert(spor_seen *seen, const seen_mistake *new) {
    int at = seen->mistakes < SEEN_MISTAKES ? seen->mistakes++ : SEEN_MISTAKES;
    for (; at > 0 && new->margin > seen->mistake[at - 1].margin; at--)
        if (at < SEEN_MISTAKES) seen->mistake[at] = seen->mistake[at - 1];
    if (at < SEEN_MISTAKES) seen->mistake[at] = *new;
}

static void see_classes(const look *l, const spor_model *model, const spor_bound *b,
                        const spor_data *data, const int64_t rows[]) {
    int64_t m = b->logits.shape.n[1], classes = data->classes;
    for (int64_t n = 0; n < b->rows; n++) {
        int64_t label = data->label[rows[n]];
        int64_t predicted = evaluate_winner(model, &b->logits, n, m, classes);
        if (label == predicted) continue;
        /* one number for two classes has 0 between them */
        double margin = m < classes ? fabs(model_number(model, &b->logits, n))
                                    : model_number(model, &b->logits, n * m + predicted) -
                                          model_number(model, &b->logits, n * m + label);
        seen_mistake mistake = {rows[n], (int)label, (int)predicted, margin};
        insert(l->seen, &mistake);
    }
}

/* ---- numbers -------------------------------------------------------------------------------- */

static bool make_room(const look *l, const spor_bound *b) {
    spor_seen *seen = l->seen;
    seen->columns = shape_size(&b->y.shape) / b->rows;
    seen->targets = seen->columns < SEEN_TARGETS ? (int)seen->columns : SEEN_TARGETS;
    seen->every = (l->count + RESIDUALS_MOST - 1) / RESIDUALS_MOST;
    seen->rows = (l->count + seen->every - 1) / seen->every;
    size_t bytes = bytes_for(seen->rows, (size_t)seen->targets * sizeof *seen->truth);
    seen->truth = malloc(bytes);
    seen->predicted = malloc(bytes);
    return seen->truth && seen->predicted;
}

/* before: rows that were evaluated before these. */
static void see_numbers(const look *l, const spor_model *model, const spor_bound *b,
                        const spor_values *v, int64_t before) {
    spor_seen *seen = l->seen;
    for (int64_t n = 0; n < b->rows; n++)
        for (int64_t k = 0; k < seen->targets && (before + n) % seen->every == 0; k++) {
            int64_t at = k * seen->rows + (before + n) / seen->every, from = n * seen->columns + k;
            double factor = v->factor ? v->factor[k] : 1, mean = v->mean ? v->mean[k] : 0;
            seen->truth[at] = model_number(model, &b->y, from) / factor + mean;
            seen->predicted[at] = model_number(model, &b->logits, from) / factor + mean;
        }
}

/* ---- both ----------------------------------------------------------------------------------- */

static bool see(const evaluate_view *view, void *user) {
    look *l = user;
    spor_seen *seen = l->seen;
    seen->any = true;
    seen->mirrored = view->source->mirrored;
    if (view->metric == SPOR_METRIC_ACCURACY)
        see_classes(l, view->model, view->bound, view->source->data, view->rows);
    if (view->metric != SPOR_METRIC_RMSE || seen->mirrored) return true;
    if (!seen->truth && !make_room(l, view->bound)) return model_fail(view->model, "out of memory");
    see_numbers(l, view->model, view->bound, &view->source->data->y, view->before);
    return true;
}

bool seen_evaluate(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                   spor_evaluation *evaluation, spor_seen *seen) {
    look l = {.seen = seen, .count = count};
    *seen = (spor_seen){0};
    return evaluate_viewed(model, data, rows, count, evaluation, see, &l);
}

void seen_free(spor_seen *seen) {
    free(seen->truth);
    free(seen->predicted);
    *seen = (spor_seen){0};
}
