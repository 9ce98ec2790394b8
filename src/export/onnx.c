/*
 * The network of a run as an ONNX file: two recordings of it, and what there is to know of its data.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "export/export.h"
#include "export/onnx_tape.h"
#include "train/model.h"

/* Numbers of rows that no size of a network is likely to be a multiple of. */
enum { ROWS = 7, AGAIN = 11 };

/* ---- metadata ---- */

enum { NOTES = 7 };

typedef struct {
    int count;
    spor_text value[NOTES];
    onnx_note note[NOTES];
} metadata;

static spor_text *add_note(metadata *m, const char *key) {
    m->note[m->count].key = key;
    return &m->value[m->count++];
}

/* "5.84, 3.05, ..." of [columns] numbers */
static void note_numbers(metadata *m, const char *key, const spor_values *x, const double value[]) {
    if (!value) return;
    spor_text *text = add_note(m, key);
    for (int64_t k = 0; k < shape_size(&x->shape); k++) {
        text_add(text, k ? ", " : "");
        text_real(text, value[k]);
    }
}

/* One line of a CSV table. */
static void note_names(metadata *m, const char *key, char *const name[], int64_t count) {
    if (!name) return;
    spor_text *text = add_note(m, key);
    for (int64_t k = 0; k < count; k++) {
        text_add(text, k ? "," : "");
        text_csv(text, name[k]);
    }
}

/* How rows of the run's data become rows of x, and what a prediction's numbers are. */
static bool make_metadata(const spor_data *like, const spor_model *model, metadata *m) {
    const bool standardized = like->x.mean;
    const char *what = model_link(model)      ? "probabilities"
                       : model_mirrors(model) ? "x, scaled as x is"
                                              : "what the network returns";
    text_add(add_note(m, "prediction"), "%s", what);
    text_add(add_note(m, "x"), standardized ? "(value * scale - mean) * factor" : "value * scale");
    text_real(add_note(m, "scale"), like->scale);
    note_numbers(m, "mean", &like->x, like->x.mean);
    note_numbers(m, "factor", &like->x, standardized ? like->x.factor : NULL);
    note_names(m, "columns", like->x.column, shape_size(&like->x.shape));
    note_names(m, "classes", like->class_name, like->classes);
    bool failed = false;
    for (int k = 0; k < m->count; k++) {
        failed = failed || m->value[k].failed || !m->value[k].at;
        m->note[k].value = m->value[k].at;
    }
    return !failed;
}

static void free_metadata(metadata *m) {
    for (int k = 0; k < m->count; k++) text_free(&m->value[k]);
}

/* ---- the file ---- */

/* With any number of rows, or a fixed one. */
static bool make_bytes(spor_model *model, onnx_source *source, bool any, spor_text *bytes,
                       onnx_outcome *outcome, spor_message *message) {
    const spor_bound *one = model_bind_for(model, any ? ROWS : 1, MODEL_PREDICTS);
    const spor_bound *again = any ? model_bind_for(model, AGAIN, MODEL_PREDICTS) : NULL;
    const char *error = spor_model_error(model);
    if (error) return message_complain(message, "%s", error);
    source->output = one->prediction;
    source->again = any ? again->prediction : (spor_var){0};
    text_free(bytes);
    return onnx_of_tape(source, bytes, outcome, message);
}

bool onnx_of_model(spor_model *model, const char *name, int notes, const onnx_note note[],
                   spor_text *bytes, onnx_outcome *outcome, spor_message *message) {
    spor_message fixed;
    onnx_source source = {.name = name,
                          .rows = ROWS,
                          .again_rows = AGAIN,
                          .params = spor_model_params(model),
                          .scalar = model_spec_of(model)->options.scalar,
                          .notes = notes,
                          .note = note};
    if (make_bytes(model, &source, true, bytes, outcome, message)) return true;
    return outcome->of_rows && make_bytes(model, &source, false, bytes, outcome, &fixed);
}

static void tell(const char *path, const spor_text *bytes, const onnx_outcome *outcome,
                 const spor_message *message, spor_text *told) {
    char size[24];
    text_add(told, "%s: %s, %d nodes, %d tensors of known numbers, %s\n", path,
             bytes_text(bytes->size, size), outcome->nodes, outcome->known,
             *message->text ? "one row at a time:" : "any number of rows");
    if (*message->text) text_add(told, "%s\n", message->text);
}

bool export_onnx(opened_run *run, const export_wishes *wishes, const char *path, spor_text *told,
                 spor_message *message) {
    (void)wishes;
    metadata m = {0};
    spor_text bytes = {0};
    onnx_outcome outcome = {0};
    const char *name = script_declaration(run->script)->model;
    bool done =
        make_metadata(run->like, run->model, &m) || message_complain(message, "out of memory");
    done = done && onnx_of_model(run->model, name, m.count, m.note, &bytes, &outcome, message);
    if (done) {
        tell(path, &bytes, &outcome, message, told);
        done = file_write_text(&bytes, path, message);
    }
    text_free(&bytes);
    free_metadata(&m);
    return done;
}
