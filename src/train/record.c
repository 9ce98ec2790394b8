#include "train/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/message.h"
#include "data/file.h"
#include "data/json.h"
#include "figure/figure.h"
#include "train/metrics.h"

/* ---- history -------------------------------------------------------------------------------- */

bool history_add(spor_history *history, const spor_progress *p) {
    if (history->count == history->room) {
        int64_t room = history->room ? 2 * history->room : 64;
        spor_epoch *epochs = realloc(history->epochs, (size_t)room * sizeof *epochs);
        if (!epochs) return false;
        history->epochs = epochs;
        history->room = room;
    }
    history->metric = p->metric;
    history->epochs[history->count++] = (spor_epoch){.epoch = p->epoch,
                                                     .loss = p->loss,
                                                     .train = p->train,
                                                     .validation = p->validation,
                                                     .train_seconds = p->train_seconds,
                                                     .evaluate_seconds = p->evaluate_seconds};
    return true;
}

void history_free(spor_history *history) {
    free(history->epochs);
    *history = (spor_history){0};
}

static void write_numbers(spor_text *text, int n, const double numbers[]) {
    for (int k = 0; k < n; k++) {
        text_add(text, ",");
        text_real(text, numbers[k]);
    }
}

static void write_epoch(spor_text *text, const spor_epoch *e, bool metric) {
    text_add(text, "%" PRId64, e->epoch);
    write_numbers(text, 3, (double[]){e->loss, e->train.loss, e->validation.loss});
    if (metric) write_numbers(text, 2, (double[]){e->train.metric, e->validation.metric});
    write_numbers(text, 2, (double[]){e->train_seconds, e->evaluate_seconds});
    text_add(text, "\n");
}

bool history_write(const spor_history *history, const char *path, spor_message *message) {
    spor_text text = {0};
    const char *metric = metric_of(history->metric)->name;
    text_add(&text, "epoch,loss,train_loss,validation_loss");
    if (metric) text_add(&text, ",train_%s,validation_%s", metric, metric);
    text_add(&text, ",train_seconds,evaluate_seconds\n");
    for (int64_t k = 0; k < history->count; k++)
        write_epoch(&text, &history->epochs[k], metric != NULL);
    return file_write_text(&text, path, message);
}

bool history_draw(const spor_history *history, const char *title, const char *path,
                  spor_message *message) {
    size_t n = (size_t)history->count;
    const metric_kind *metric = metric_of(history->metric);
    double *number = calloc(n ? 4 * n : 1, sizeof *number);
    if (!number) return message_complain(message, "%s: out of memory", path);
    for (size_t k = 0; k < n; k++) {
        const spor_epoch *e = &history->epochs[k];
        number[k] = e->train.loss, number[n + k] = e->validation.loss;
        number[2 * n + k] = e->train.metric, number[3 * n + k] = e->validation.metric;
    }
    spor_curves curves[] = {
        {"loss", false, false, number, number + n},
        {metric->text, metric->rises, metric->share, number + 2 * n, number + 3 * n}};
    bool done = figure_curves(title, history->count, metric->name ? 2 : 1, curves, path, message);
    free(number);
    return done;
}

/* ---- summary -------------------------------------------------------------------------------- */

/* "train_accuracy": 0.97 */
static void write_metric(spor_json *json, const char *rows, const char *metric, double value) {
    char key[40];
    snprintf(key, sizeof key, "%s_%s", rows, metric);
    json_real(json, key, value);
}

static void write_scores(spor_json *json, const spor_summary *s) {
    const char *metric = metric_of(s->metric)->name;
    spor_score unknown = {nan(""), nan("")}, test = s->test ? metrics_score(s->test) : unknown;
    json_string(json, "metric", metric);
    json_real(json, "train_loss", s->train.loss);
    json_real(json, "validation_loss", s->validation.loss);
    json_real(json, "test_loss", test.loss);
    if (!metric) return;
    write_metric(json, "train", metric, s->train.metric);
    write_metric(json, "validation", metric, s->validation.metric);
    write_metric(json, "test", metric, test.metric);
    if (s->test && s->metric == SPOR_METRIC_RMSE) json_real(json, "test_r2", s->test->r2);
    if (!s->test || s->metric != SPOR_METRIC_ACCURACY) return;
    metrics_interval interval = metrics_wilson(s->test->right, s->test->rows);
    json_real(json, "test_accuracy_low", interval.low);
    json_real(json, "test_accuracy_high", interval.high);
}

bool summary_write(const spor_summary *s, const char *path, spor_message *message) {
    spor_text text = {0};
    spor_json json = {.text = &text, .lines = true};
    json_begin(&json, NULL, '{');
    json_string(&json, "spor", SPOR_VERSION);
    json_string(&json, "model", s->model);
    json_string(&json, "data", s->data);
    json_string(&json, "loss", s->loss);
    json_unsigned(&json, "seed", s->seed);
    json_integer(&json, "epochs", s->epochs);
    json_integer(&json, "batch", s->batch);
    json_string(&json, "optimizer", s->optimizer);
    json_string(&json, "clip", s->clip);
    json_string(&json, "schedule", s->schedule);
    json_begin(&json, "settings", '{');
    for (int k = 0; k < SPOR_SUMMARY_SETTINGS && s->setting[k].name; k++)
        json_real(&json, s->setting[k].name, s->setting[k].value);
    json_end(&json, '}');
    json_integer(&json, "threads", s->threads);
    json_string(&json, "precision", s->scalar == SPOR_F32 ? "float32" : "float64");
    json_bool(&json, "reference", s->reference);
    json_string(&json, "isa", s->isa);
    json_integer(&json, "parameters", s->parameters);
    json_integer(&json, "train_rows", s->train_rows);
    json_integer(&json, "validation_rows", s->validation_rows);
    json_integer(&json, "test_rows", s->test_rows);
    write_scores(&json, s);
    json_real(&json, "train_seconds", s->train_seconds);
    json_real(&json, "evaluate_seconds", s->evaluate_seconds);
    json_end(&json, '}');
    return file_write_text(&text, path, message);
}

bool confusion_draw(const spor_evaluation *evaluation, const char *title, const char *path,
                    spor_message *message) {
    return figure_confusion(title, evaluation->classes, evaluation->confusion, path, message);
}
