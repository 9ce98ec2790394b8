#include "data/arrays.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/file.h"
#include "data/idx.h"
#include "data/labels.h"
#include "data/mat.h"
#include "data/npz.h"
#include "data/values.h"

/* ---- formats ---- */

/* The array's numbers are taken; name is NULL if the file has no other. */
static bool take_npy(const char *path, const char *name, spor_npy *array, spor_values *values,
                     int64_t *rows, bool *labels, spor_message *message) {
    const char *colon = name ? ": " : "";
    if (!name) name = "";
    if (!array->shape.rank) {
        npy_free(array);
        return message_complain(message, "%s: %s%sis one number and has no rows", path, name,
                                colon);
    }
    if (!shape_size(&array->shape)) {
        npy_free(array);
        return message_complain(message, "%s: %s%shas an axis of size 0, and so no numbers", path,
                                name, colon);
    }
    *rows = array->shape.n[0];
    *labels = raw_is_whole(array->type);
    *values = (spor_values){.keep = array->keep, .value = array->value};
    values->shape.rank = array->shape.rank - 1;
    for (int k = 1; k < array->shape.rank; k++) values->shape.n[k - 1] = array->shape.n[k];
    return true;
}

bool arrays_npy(const char *path, const char *name, spor_values *values, int64_t *rows,
                bool *labels, spor_message *message) {
    spor_npy array;
    (void)name;
    return npy_read(path, &array, message) &&
           take_npy(path, NULL, &array, values, rows, labels, message);
}

bool arrays_npz(const char *path, const char *name, spor_values *values, int64_t *rows,
                bool *labels, spor_message *message) {
    spor_npy array;
    return npz_read(path, name, &array, message) &&
           take_npy(path, name, &array, values, rows, labels, message);
}

static double value_at(const spor_values *values, int64_t k) {
    return values_types[values->keep].value(values->value, k);
}

/* Where what the numbers were kept as says too little. */
static bool are_whole(const spor_values *values, int64_t rows) {
    int64_t count = rows * shape_size(&values->shape);
    for (int64_t k = 0; k < count; k++)
        if (!(value_at(values, k) <= floor(value_at(values, k)))) return false;
    return true;
}

bool arrays_idx(const char *path, const char *name, spor_values *values, int64_t *rows,
                bool *labels, spor_message *message) {
    (void)name;
    if (!idx_read(path, values, rows, message)) return false;
    *labels = are_whole(values, *rows);
    return true;
}

/* A matrix [rows, columns], or a vector either way. */
static bool matrix_rows(spor_values *values, int64_t *rows) {
    spor_shape *shape = &values->shape;
    if (shape->n[0] > 1) values->value = values_turn(values->value, shape, values->keep);
    bool lies = shape->n[0] == 1;
    *rows = shape->n[lies];
    *shape = SPOR_SHAPE(shape->n[!lies]);
    return values->value != NULL;
}

bool arrays_mat(const char *path, const char *name, spor_values *values, int64_t *rows,
                bool *labels, spor_message *message) {
    mat_file file;
    bool done = mat_open(path, &file, message);
    if (!done) return false;
    done = mat_read(&file, name, values, message);
    mat_close(&file);
    if (!done) return false;
    if (values->shape.rank > 2 ? !mat_rows(values, values->shape.rank, rows)
                               : !matrix_rows(values, rows))
        return message_complain(message, "%s: out of memory", path);
    *labels = are_whole(values, *rows);
    return true;
}

/* ---- rows of all parts ---- */

typedef struct {
    const array_files *spec;
    spor_data *data;
    spor_message *message;
    int64_t x_rows, y_rows; /* so far */
    bool labels;            /* all y */
} reading;

/* Puts the rows behind those that there are, and takes the part's memory. */
static bool append(const reading *r, const char *path, spor_values *all, int64_t *rows,
                   spor_values *part, int64_t part_rows) {
    size_t row = (size_t)shape_size(&part->shape) * values_types[part->keep].width;
    if (!all->value) {
        *all = *part;
        *rows = part_rows;
        *part = (spor_values){0};
        return true;
    }
    if (!shape_equal(&all->shape, &part->shape) || all->keep != part->keep)
        return message_complain(
            r->message, "%s: its rows have not the shape and the type of the training rows", path);
    char *value = realloc(all->value, bytes_for(*rows + part_rows, row));
    if (!value) return message_complain(r->message, "%s: out of memory", path);
    memcpy(value + (size_t)*rows * row, part->value, (size_t)part_rows * row);
    all->value = value;
    *rows += part_rows;
    return true;
}

static bool read_one(reading *r, const char *path, const char *name, spor_values *all,
                     int64_t *rows, bool *labels) {
    spor_values part = {0};
    int64_t part_rows = 0;
    char what[600];
    snprintf(what, sizeof what, "%.500s%s%.90s", path, name ? ":" : "", name ? name : "");
    bool done = r->spec->read(path, name, &part, &part_rows, labels, r->message) &&
                values_check(&part, part_rows, what, r->message) &&
                append(r, path, all, rows, &part, part_rows);
    values_free(&part);
    return done;
}

static bool read_part(reading *r, int k) {
    const char *x = r->spec->x[k], *y = r->spec->y[k];
    const char *x_name = r->spec->x_name[k], *y_name = r->spec->y_name[k];
    bool labels;
    if (!x) return true;
    if (!read_one(r, x, x_name, &r->data->x, &r->x_rows, &labels)) return false;
    if (!y) return true;
    if (!read_one(r, y, y_name, &r->data->y, &r->y_rows, &labels)) return false;
    r->labels = r->labels && labels;
    return r->x_rows == r->y_rows ||
           message_complain(r->message, "%s: %s has not as many rows as %s%s%s", y,
                            y_name ? y_name : "y", x_name ? x_name : "", x_name ? " of " : "", x);
}

static bool read_parts(reading *r) {
    int64_t before = 0, rows[ARRAYS_PARTS];
    for (int k = 0; k < ARRAYS_PARTS; k++) {
        if (!read_part(r, k)) return false;
        rows[k] = r->x_rows - before;
        before = r->x_rows;
    }
    r->data->rows = r->x_rows;
    r->data->validation_rows = rows[ARRAYS_VALIDATION];
    r->data->test_rows = rows[ARRAYS_TEST];
    return true;
}

/* ---- shapes and labels ---- */

static bool shape_samples(const reading *r) {
    spor_shape *has = &r->data->x.shape;
    const spor_shape *sample = &r->spec->sample;
    if (sample->rank && shape_size(sample) != shape_size(has))
        return message_complain(
            r->message, "%s: a row has %" PRId64 " numbers, not the %" PRId64 " of the shape",
            r->spec->x[0], shape_size(has), shape_size(sample));
    if (sample->rank) *has = *sample;
    if (!has->rank) *has = SPOR_SHAPE(1);
    return has->rank < SPOR_RANK ||
           message_complain(r->message, "%s: has more than %d axes", r->spec->x[0], SPOR_RANK);
}

/* Numbers become labels; the values are not needed after that. */
static bool label_rows(reading *r) {
    spor_data *d = r->data;
    const char *path = r->spec->y[0];
    spor_label *label = calloc((size_t)d->rows, sizeof *label);
    bool done = label || message_complain(r->message, "%s: out of memory", path);
    d->classes = r->spec->classes;
    if (done && r->spec->class_name && !labels_name(d, d->classes, r->spec->class_name))
        done = message_complain(r->message, "%s: out of memory", path);
    for (int64_t k = 0; done && k < d->rows; k++) {
        label[k] = (spor_label){.number = value_at(&d->y, k), .row = k};
        if (d->classes && !d->class_name && !labels_hold(label[k].number, d->classes))
            done =
                message_complain(r->message,
                                 "%s: row %" PRId64 ", counted from 0, has the label %g, which is "
                                 "not one of 0..%d",
                                 path, k, label[k].number, d->classes - 1);
    }
    done = done && labels_classify(d, label, path, r->message);
    free(label);
    values_free(&d->y);
    return done;
}

static bool make_targets(reading *r) {
    spor_values *y = &r->data->y;
    if (!y->value) return true;
    bool one = shape_size(&y->shape) == 1;
    if (one && !r->spec->targets && (r->labels || r->spec->classes)) return label_rows(r);
    if (!y->shape.rank) y->shape = SPOR_SHAPE(1);
    return !r->spec->classes ||
           message_complain(r->message, "%s: has more than one number a row; a label is one",
                            r->spec->y[0]);
}

spor_data *arrays_read(const array_files *spec, spor_message *message) {
    reading r = {.spec = spec, .message = message, .labels = true};
    r.data = calloc(1, sizeof *r.data);
    if (!r.data) {
        message_complain(message, "%s: out of memory", spec->x[0]);
        return NULL;
    }
    r.data->scale = spec->scale;
    file_title(spec->x[0], r.data->name, sizeof r.data->name);
    if (read_parts(&r) && shape_samples(&r) && make_targets(&r)) return r.data;
    spor_data_free(r.data);
    return NULL;
}
