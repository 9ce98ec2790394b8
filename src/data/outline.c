#include "data/outline.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/json.h"
#include "data/labels.h"
#include "data/number.h"

/* ---- numbers ---------------------------------------------------------------------------------- */

static void write_name(const spor_data *data, spor_text *to) {
    text_add(to, "%s", data->name);
}

static bool read_name(spor_data *data, const char *text) {
    return strlen(text) < sizeof data->name && strcpy(data->name, text);
}

static void write_scale(const spor_data *data, spor_text *to) {
    text_real(to, data->scale);
}

static bool read_scale(spor_data *data, const char *text) {
    return number_read(text, strlen(text), &data->scale) && isfinite(data->scale);
}

static void write_classes(const spor_data *data, spor_text *to) {
    if (data->classes) text_add(to, "%d", data->classes);
}

static bool read_classes(spor_data *data, const char *text) {
    double number;
    if (!number_read(text, strlen(text), &number) || !labels_hold(number, LABELS_MOST + 1))
        return false;
    data->classes = (int)number;
    return true;
}

/* "8 8 1" */
static void write_shape(const spor_shape *shape, spor_text *to) {
    for (int k = 0; k < shape->rank; k++) text_add(to, "%s%" PRId64, k ? " " : "", shape->n[k]);
}

static bool read_shape(spor_shape *shape, const char *text) {
    double number;
    int64_t size = 1;
    *shape = (spor_shape){0};
    for (; *text; text += strspn(text, " ")) {
        size_t length = strcspn(text, " ");
        if (shape->rank + 1 == SPOR_RANK || !number_read(text, length, &number)) return false;
        if (!(number >= 1) || number > INT32_MAX || number > floor(number)) return false;
        size *= shape->n[shape->rank++] = (int64_t)number;
        if (size > INT32_MAX) return false;
        text += length;
    }
    return shape->rank > 0;
}

static void write_sample(const spor_data *data, spor_text *to) {
    write_shape(&data->x.shape, to);
}

static bool read_sample(spor_data *data, const char *text) {
    return read_shape(&data->x.shape, text);
}

static void write_target(const spor_data *data, spor_text *to) {
    if (data->y.value) write_shape(&data->y.shape, to);
}

static bool read_target(spor_data *data, const char *text) {
    return read_shape(&data->y.shape, text);
}

/* ---- names ------------------------------------------------------------------------------------ */

static void write_names(char *const name[], int64_t count, spor_text *to) {
    spor_json json = {.text = to};
    if (!name) return;
    json_begin(&json, NULL, '[');
    for (int64_t k = 0; k < count; k++) json_string(&json, NULL, name[k]);
    json_end(&json, ']');
}

static bool read_list(spor_json_reader *json, char *name[], int64_t count) {
    size_t room = (size_t)(json->end - json->start) + 1;
    char *text = malloc(room);
    int64_t k = 0;
    bool done = text && json_enter(json, '[');
    while (done && json_next(json, ']')) {
        done = k < count && json_get_string(json, text, room);
        if (done) done = (name[k++] = strdup(text)) != NULL;
    }
    free(text);
    return done && json_finish(json) && k == count;
}

/* [count] names. What is there of them is the caller's to free, whatever happens. */
static bool read_names(char ***name, int64_t count, const char *text) {
    spor_json_reader json = {.start = text, .at = text, .end = text + strlen(text)};
    if (count < 1 || (size_t)count > strlen(text)) return false;
    *name = calloc((size_t)count, sizeof **name);
    return *name && read_list(&json, *name, count);
}

static void write_class_names(const spor_data *data, spor_text *to) {
    write_names(data->class_name, data->classes, to);
}

static bool read_class_names(spor_data *data, const char *text) {
    return read_names(&data->class_name, data->classes, text);
}

static void write_x_columns(const spor_data *data, spor_text *to) {
    write_names(data->x.column, shape_size(&data->x.shape), to);
}

static bool read_x_columns(spor_data *data, const char *text) {
    return data->x.shape.rank && read_names(&data->x.column, shape_size(&data->x.shape), text);
}

static void write_y_columns(const spor_data *data, spor_text *to) {
    write_names(data->y.column, shape_size(&data->y.shape), to);
}

static bool read_y_columns(spor_data *data, const char *text) {
    return data->y.shape.rank && read_names(&data->y.column, shape_size(&data->y.shape), text);
}

/* ---- all -------------------------------------------------------------------------------------- */

const outline_fact outline_facts[] = {
    {"data.name", write_name, read_name},
    {"x.shape", write_sample, read_sample},
    {"x.scale", write_scale, read_scale},
    {"x.columns", write_x_columns, read_x_columns},
    {"y.shape", write_target, read_target},
    {"y.columns", write_y_columns, read_y_columns},
    {"classes", write_classes, read_classes},
    {"class.names", write_class_names, read_class_names},
    {NULL, NULL, NULL},
};

spor_data *outline_read(const char *(*find)(const void *user, const char *name), const void *user,
                        const char *what, spor_message *message) {
    spor_data *data = calloc(1, sizeof *data);
    if (!data) return message_complain(message, "%s: out of memory", what), NULL;
    const char *wrong = NULL, *text;
    for (const outline_fact *f = outline_facts; f->name && !wrong; f++)
        if ((text = find(user, f->name)) && !f->read(data, text)) wrong = f->name;
    if (!wrong && !data->x.shape.rank) wrong = "x.shape";
    if (!wrong) return data;
    message_complain(message, "%s: what it keeps of the data, %s, can't be read", what, wrong);
    spor_data_free(data);
    return NULL;
}
