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

const record_column record_columns[] = {
    {"loss", offsetof(spor_progress, loss), false},
    {"train_accuracy", offsetof(spor_progress, train_accuracy), false},
    {"validation_accuracy", offsetof(spor_progress, validation_accuracy), false},
    {"train_seconds", offsetof(spor_progress, train_seconds), true},
    {"evaluate_seconds", offsetof(spor_progress, evaluate_seconds), true},
    {NULL, offsetof(spor_progress, cost), false},
    {0},
};

int record_count(bool seconds) {
    int count = 0;
    for (const record_column *c = record_columns; c->offset; c++) count += c->seconds == seconds;
    return count;
}

double *record_number(spor_progress *progress, const record_column *column) {
    return (double *)(void *)((char *)progress + column->offset);
}

bool history_add(spor_history *history, const spor_progress *progress) {
    if (history->count == history->room) {
        int64_t room = history->room ? 2 * history->room : 64;
        spor_progress *epochs = realloc(history->epochs, (size_t)room * sizeof *epochs);
        if (!epochs) return false;
        history->epochs = epochs;
        history->room = room;
    }
    history->epochs[history->count++] = *progress;
    return true;
}

void history_free(spor_history *history) {
    free(history->epochs);
    *history = (spor_history){0};
}

bool history_write(const spor_history *history, const char *path, spor_message *message) {
    spor_text text = {0};
    text_add(&text, "epoch");
    for (const record_column *c = record_columns; c->offset; c++)
        if (c->name) text_add(&text, ",%s", c->name);
    for (int64_t k = 0; k < history->count; k++) {
        text_add(&text, "\n%" PRId64, history->epochs[k].epoch);
        for (const record_column *c = record_columns; c->offset; c++) {
            if (!c->name) continue;
            text_add(&text, ",");
            text_real(&text, *record_number(&history->epochs[k], c));
        }
    }
    text_add(&text, "\n");
    return file_write_text(&text, path, message);
}

bool history_draw(const spor_history *history, const char *title, const char *path,
                  spor_message *message) {
    size_t n = (size_t)history->count;
    double *accuracy = calloc(n ? 2 * n : 1, sizeof *accuracy);
    if (!accuracy) return message_complain(message, "%s: out of memory", path);
    for (size_t k = 0; k < n; k++) {
        accuracy[k] = history->epochs[k].train_accuracy;
        accuracy[n + k] = history->epochs[k].validation_accuracy;
    }
    spor_curves curves = {
        .title = title, .epochs = history->count, .train = accuracy, .validation = accuracy + n};
    bool done = figure_curves(&curves, path, message);
    free(accuracy);
    return done;
}

/* ---- summary -------------------------------------------------------------------------------- */

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
    json_real(&json, "train_accuracy", s->train_accuracy);
    json_real(&json, "validation_accuracy", s->validation_accuracy);
    json_real(&json, "test_accuracy", s->test_accuracy);
    json_real(&json, "test_error", metrics_standard_error(s->test_accuracy, s->test_rows));
    json_real(&json, "train_seconds", s->train_seconds);
    json_real(&json, "evaluate_seconds", s->evaluate_seconds);
    json_end(&json, '}');
    return file_write_text(&text, path, message);
}

bool confusion_draw(const spor_evaluation *evaluation, const char *title, const char *path,
                    spor_message *message) {
    return figure_confusion(title, evaluation->classes, evaluation->confusion, path, message);
}
