/* What int8 loses, on rows with targets. */
#include <math.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/message.h"
#include "export/int8.h"
#include "train/model.h"

/* Rows that are predicted in whole numbers. */
typedef struct {
    spor_model *model;
    const export_rows *rows;
    batch_source source;
    int8_machine machine;
    int64_t columns, targets;
    float *x, *y;
    double *target;
    int64_t right;
    double squared_error;
} tally;

/* The first of the largest; one number for two classes: that of class 1. */
static int64_t class_of(const tally *t) {
    int64_t best = 0;
    if (t->columns == 1) return t->y[0] > (model_link(t->model) ? 0.5F : 0);
    for (int64_t k = 1; k < t->columns; k++)
        if (t->y[k] > t->y[best]) best = k;
    return best;
}

/* Errors are told in the units of the data. */
static double factor_of(const tally *t, int64_t k) {
    const spor_data *data = t->rows->data;
    const spor_values *v = t->source.mirrored ? &data->x : &data->y;
    return (v->factor ? v->factor[k] : 1) * (t->source.mirrored ? data->scale : 1);
}

static bool count_row(tally *t, int64_t row, spor_message *message) {
    const spor_data *data = t->rows->data;
    spor_data_rows(data, &row, 1, SPOR_F32, t->x, NULL);
    const char *error = int8_run(&t->machine, t->x, t->y, NULL, NULL);
    if (error) return message_complain(message, "%s", error);
    if (data->label && t->source.one_hot) t->right += class_of(t) == data->label[row];
    if (t->source.one_hot) return true;
    batch_fill(&t->source, &row, 1, NULL, t->target);
    for (int64_t k = 0; k < t->columns; k++) {
        const double error_of = ((double)t->y[k] - t->target[k]) / factor_of(t, k);
        t->squared_error += error_of * error_of;
    }
    return true;
}

static bool count_rows(tally *t, spor_message *message) {
    for (int64_t k = 0; k < t->rows->rows; k++)
        if (!count_row(t, t->rows->row ? t->rows->row[k] : k, message)) return false;
    return true;
}

static bool begin(tally *t, const int8_plan *plan, spor_message *message) {
    const spor_model_spec *spec = model_spec_of(t->model);
    t->columns = int8_size(&plan->graph, plan->graph.result);
    t->source = batch_source_of(t->rows->data, &spec->sample, &spec->target, SPOR_F64, 0);
    const int64_t size = plan->buffer[INT8_X].count;
    t->x = malloc(bytes_for(size + 1, sizeof *t->x));
    t->y = malloc(bytes_for(t->columns + 1, sizeof *t->y));
    t->target = malloc(bytes_for(t->columns + size + 1, sizeof *t->target));
    return (t->x && t->y && t->target && int8_machine_make(&t->machine, plan)) ||
           message_complain(message, "out of memory");
}

/* Some rows are predicted together as each is alone. */
bool int8_rows_alike(spor_model *model, const export_rows *rows, bool *alike,
                     spor_message *message) {
    enum { SOME = 3 };
    const int64_t columns = spor_model_columns(model),
                  count = rows->rows < SOME ? rows->rows : SOME;
    int64_t row[SOME];
    double *y = calloc((size_t)((SOME + 1) * columns) + 1, sizeof *y), *alone = y + SOME * columns;
    if (!y) return message_complain(message, "out of memory");
    for (int64_t k = 0; k < count; k++) row[k] = rows->row ? rows->row[k] : k;
    bool done = model_predict_rows(model, rows->data, row, count, y);
    *alike = true;
    for (int64_t n = 0; done && n < count; n++) {
        done = model_predict_rows(model, rows->data, &row[n], 1, alone);
        for (int64_t k = 0; done && k < columns; k++)
            *alike = *alike && !(fabs(y[n * columns + k] - alone[k]) > 1e-5 * (1 + fabs(alone[k])));
    }
    free(y);
    return done || message_complain(message, "%s", spor_model_error(model));
}

bool int8_measure(spor_model *model, const int8_plan *plan, const export_rows *rows,
                  const char *part, spor_text *told, spor_message *message) {
    tally t = {.model = model, .rows = rows};
    spor_evaluation trained;
    if (!spor_evaluate(model, rows->data, rows->row, rows->rows, &trained))
        return message_complain(message, "%s", spor_model_error(model));
    const bool told_of = trained.metric != SPOR_METRIC_NONE;
    bool done = !told_of || (begin(&t, plan, message) && count_rows(&t, message));
    const double count = (double)rows->rows;
    if (done && trained.metric == SPOR_METRIC_ACCURACY)
        text_add(told, "  %s accuracy %.4f as trained, %.4f in int8 (%lld rows)\n", part,
                 trained.accuracy, (double)t.right / count, (long long)rows->rows);
    else if (done && told_of)
        text_add(told, "  %s RMSE %.6g as trained, %.6g in int8 (%lld rows)\n", part, trained.rmse,
                 sqrt(t.squared_error / (count * (double)t.columns)), (long long)rows->rows);
    else if (done)
        text_add(told, "  what int8 loses was not measured: the network has no metric\n");
    spor_evaluation_free(&trained);
    if (t.machine.plan) int8_machine_end(&t.machine);
    free(t.x);
    free(t.y);
    free(t.target);
    return done;
}
