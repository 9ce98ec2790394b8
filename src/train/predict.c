/*
 * Predictions of rows, without targets and costs.
 */
#include <math.h>
#include <stdint.h>

#include "base/shape.h"
#include "data/values.h"
#include "train/batch.h"
#include "train/model.h"

int64_t spor_model_sample(spor_model *model) {
    return spor_model_error(model) ? -1 : shape_size(&model_spec_of(model)->sample);
}

int64_t spor_model_columns(spor_model *model) {
    const spor_bound *bound = model_bind_for(model, 1, MODEL_PREDICTS);
    return bound ? shape_size(&bound->logits.shape) : -1;
}

/* Predictions under way. */
typedef struct {
    spor_model *model;
    const spor_data *data;
    bool mirrored;   /* x itself is predicted */
    int64_t columns; /* of a prediction */
} prediction_of;

/* A prediction of x in the units of its file. */
static double unit_of(const prediction_of *p, double value, int64_t column) {
    const spor_values *x = &p->data->x;
    if (!p->mirrored) return value;
    return (x->mean ? value / x->factor[column] + x->mean[column] : value) / p->data->scale;
}

bool model_mirrors(const spor_model *model) {
    const spor_model_spec *spec = model_spec_of(model);
    return batch_mirrors(spec->like, &spec->sample, &spec->target);
}

static bool predict_batch(const prediction_of *p, const int64_t rows[], int64_t n, double *out) {
    spor_bound *bound = model_bind_for(p->model, n, MODEL_PREDICTS);
    spor_scalar scalar = bound ? model_spec_of(p->model)->options.scalar : SPOR_F32;
    if (!bound || !spor_data_rows(p->data, rows, n, scalar, bound->x.data, NULL) ||
        !spor_model_run(p->model, bound))
        return false;
    double sum = 0;
    for (int64_t k = 0; k < n * p->columns; k++)
        sum += out[k] = unit_of(p, model_number(p->model, &bound->logits, k), k % p->columns);
    const spor_model_spec *spec = model_spec_of(p->model);
    batch_source source = batch_source_of(p->data, &spec->sample, &spec->target, scalar, 0);
    return !isnan(sum) || index_look(p->model, p->data, rows, n, bound, &source);
}

bool model_predict_rows(spor_model *model, const spor_data *data, const int64_t rows[],
                        int64_t count, double prediction[]) {
    prediction_of p = {.model = model, .data = data, .columns = spor_model_columns(model)};
    if (p.columns < 0) return false;
    const spor_model_spec *spec = model_spec_of(model);
    if (!shape_equal(&spec->sample, &data->x.shape))
        return model_fail(model, "samples have not the shape that the model takes");
    spor_message message;
    if (!data_fits(data, rows, count, spec->options.scalar, &message))
        return model_fail(model, "%s", message.text);
    p.mirrored = model_mirrors(model) && p.columns == shape_size(&spec->sample);
    int64_t row[BATCH_OF_EVALUATION];
    bool done = true;
    for (int64_t first = 0, n; done && first < count; first += n) {
        n = count - first < BATCH_OF_EVALUATION ? count - first : BATCH_OF_EVALUATION;
        for (int64_t k = 0; k < n; k++) row[k] = values_row(rows, first + k);
        done = predict_batch(&p, row, n, prediction + first * p.columns);
    }
    return done;
}

bool spor_model_predict(spor_model *model, int64_t rows, const double x[], double prediction[]) {
    if (!model || spor_model_error(model)) return false;
    const spor_model_spec *spec = model_spec_of(model);
    if (rows < 0 || (rows && (!x || !prediction)))
        return model_fail(model, "rows to predict need x and room for the predictions");
    spor_data data = {.rows = rows, .scale = 1};
    if (spec->like) data = *spec->like;
    data.rows = rows;
    data.label = NULL;
    data.y.value = NULL;
    data.x.keep = SPOR_KEEP_F64;
    data.x.shape = spec->sample;
    data.x.value = (void *)(uintptr_t)x; /* read only */
    return model_predict_rows(model, &data, NULL, rows, prediction);
}
