#include "train/record.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "data/file.h"
#include "data/json.h"
#include "figure/figure.h"
#include "train/metrics.h"

/* ---- history -------------------------------------------------------------------------------- */

const record_column record_columns[] = {
    {"loss", offsetof(spor_progress, loss), false, false},
    {"train_loss", offsetof(spor_progress, train.loss), false, false},
    {"validation_loss", offsetof(spor_progress, validation.loss), false, false},
    {"train_", offsetof(spor_progress, train.metric), true, false},
    {"validation_", offsetof(spor_progress, validation.metric), true, false},
    {"train_seconds", offsetof(spor_progress, train_seconds), false, true},
    {"evaluate_seconds", offsetof(spor_progress, evaluate_seconds), false, true},
    {NULL, offsetof(spor_progress, cost), false, false},
    {NULL, offsetof(spor_progress, best_loss), false, false},
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

static spor_metric history_metric(const spor_history *history) {
    return history->count ? history->epochs[history->count - 1].metric : SPOR_METRIC_NONE;
}

static bool is_told(const record_column *column, const char *metric) {
    return column->name && (!column->metric || metric);
}

static void write_epoch(spor_text *text, spor_progress *epoch, const char *metric) {
    text_add(text, "%" PRId64, epoch->epoch);
    for (const record_column *c = record_columns; c->offset; c++) {
        if (!is_told(c, metric)) continue;
        text_add(text, ",");
        text_real(text, *record_number(epoch, c));
    }
    text_add(text, "\n");
}

bool history_write(const spor_history *history, const char *path, spor_message *message) {
    spor_text text = {0};
    const char *metric = metric_of(history_metric(history))->name;
    text_add(&text, "epoch");
    for (const record_column *c = record_columns; c->offset; c++)
        if (is_told(c, metric)) text_add(&text, ",%s%s", c->name, c->metric ? metric : "");
    text_add(&text, "\n");
    for (int64_t k = 0; k < history->count; k++) write_epoch(&text, &history->epochs[k], metric);
    return file_write_text(&text, path, message);
}

bool history_draw(const spor_history *history, int64_t best, const char *title, spor_text *svg,
                  spor_message *why) {
    size_t n = (size_t)history->count;
    const metric_kind *metric = metric_of(history_metric(history));
    double *number = calloc(n ? 4 * n : 1, sizeof *number);
    if (!n) return free(number), message_complain(why, "no epoch was trained");
    if (!number) return message_complain(why, "out of memory");
    for (size_t k = 0; k < n; k++) {
        const spor_progress *e = &history->epochs[k];
        number[k] = e->train.loss, number[n + k] = e->validation.loss;
        number[2 * n + k] = e->train.metric, number[3 * n + k] = e->validation.metric;
    }
    spor_curves curves[] = {
        {"loss", false, false, number, number + n},
        {metric->text, metric->rises, metric->share, number + 2 * n, number + 3 * n}};
    figure_curves(svg, title, history->count, best, metric->name ? 2 : 1, curves);
    free(number);
    return true;
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
    json_string(&json, "command", s->command);
    json_string(&json, "model", s->model);
    json_string(&json, "data", s->data);
    json_string(&json, "data_read", s->data_read);
    json_string(&json, "loss", s->loss);
    json_unsigned(&json, "seed", s->seed);
    json_integer(&json, "epochs", s->epochs);
    json_integer(&json, "weights_of_epoch", s->epoch);
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
    json_bool(&json, "finished", s->finished);
    json_string(&json, "failure", s->failure);
    json_real(&json, "train_seconds", s->train_seconds);
    json_real(&json, "evaluate_seconds", s->evaluate_seconds);
    json_end(&json, '}');
    return file_write_text(&text, path, message);
}

/* ---- a summary read again ------------------------------------------------------------------- */

static bool read_text(spor_json_reader *json, char *out, size_t size) {
    *out = 0;
    return json_get_null(json) || json_get_string(json, out, size);
}

static bool read_finished(spor_json_reader *json, summary_result *o) {
    return json_get_bool(json, &o->finished);
}

static bool read_failure(spor_json_reader *json, summary_result *o) {
    return read_text(json, o->failure, sizeof o->failure);
}

static bool read_metric(spor_json_reader *json, summary_result *o) {
    char name[40];
    if (!read_text(json, name, sizeof name)) return false;
    o->metric = metric_named(name);
    return true;
}

static bool read_epoch(spor_json_reader *json, summary_result *o) {
    return json_get_integer(json, &o->epoch);
}

static bool read_loss(spor_json_reader *json, summary_result *o) {
    return json_get_real(json, &o->validation.loss);
}

static bool read_value(spor_json_reader *json, summary_result *o) {
    return json_get_real(json, &o->validation.metric);
}

static bool read_member(spor_json_reader *json, summary_result *o) {
    static const struct {
        const char *key;
        bool (*read)(spor_json_reader *json, summary_result *o);
    } members[] = {{"finished", read_finished},    {"failure", read_failure},
                   {"metric", read_metric},        {"weights_of_epoch", read_epoch},
                   {"validation_loss", read_loss}, {"validation_accuracy", read_value},
                   {"validation_rmse", read_value}};
    char key[64];
    if (!json_get_key(json, key, sizeof key)) return false;
    for (size_t k = 0; k < sizeof members / sizeof *members; k++)
        if (!strcmp(key, members[k].key)) return members[k].read(json, o);
    return json_skip(json);
}

bool summary_parse(const char *text, size_t size, summary_result *o, spor_message *message) {
    spor_json_reader json = {.start = text, .at = text, .end = text + size};
    *o = (summary_result){.metric = SPOR_METRIC_NONE, .validation = {nan(""), nan("")}};
    bool done = json_enter(&json, '{');
    while (done && json_next(&json, '}')) done = read_member(&json, o);
    return (done && json_finish(&json)) ||
           message_complain(message, "is no summary of a run: %s at byte %td", json.why,
                            json.at - json.start);
}

bool summary_read(const char *path, summary_result *o, spor_message *message) {
    enum { LIMIT = 1 << 20 };
    unsigned char *bytes;
    size_t size;
    spor_message why = {""};
    if (!file_bytes(path, LIMIT, &bytes, &size, message)) return false;
    bool done = summary_parse((const char *)bytes, size, o, &why);
    free(bytes);
    return done || message_complain(message, "%s: %.300s", path, why.text);
}

bool confusion_draw(const spor_evaluation *evaluation, const char *title, spor_text *svg,
                    spor_message *why) {
    int classes = evaluation->classes;
    if (!evaluation->confusion) return message_complain(why, "no classes were tested");
    if (classes > CONFUSION_MOST)
        return message_complain(why, "a matrix of %d classes is too large to draw", classes);
    return figure_confusion(svg, title, classes, evaluation->class_name, evaluation->confusion) ||
           message_complain(why, "out of memory");
}
