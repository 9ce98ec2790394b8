#include "data/like.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/csv.h"
#include "data/gzip.h"
#include "data/npy.h"
#include "data/values.h"

/* ---- scale and standardization ---- */

static bool copy_numbers(double **to, const double *from, int64_t count) {
    free(*to);
    *to = malloc(bytes_for(count, sizeof **to));
    if (*to) memcpy(*to, from, (size_t)count * sizeof **to);
    return *to;
}

static bool take_scale(spor_data *data, const spor_data *like, const char *what,
                       spor_message *message) {
    int64_t columns = shape_size(&like->x.shape);
    data->scale = like->scale;
    return !like->x.mean ||
           (copy_numbers(&data->x.mean, like->x.mean, columns) &&
            copy_numbers(&data->x.factor, like->x.factor, columns)) ||
           message_complain(message, "%s: out of memory", what);
}

/* ---- new samples ------------------------------------------------------------------------------ */

/* [8, 8, 1] */
static const char *shape_text(const spor_shape *shape, char out[192]) {
    int used = snprintf(out, 192, "[");
    for (int k = 0; k < shape->rank; k++)
        used += snprintf(out + used, 192 - (size_t)used, "%s%" PRId64, k ? ", " : "", shape->n[k]);
    snprintf(out + used, 192 - (size_t)used, "]");
    return out;
}

/* [rows, sample...], [rows, numbers] or, for one row, the sample alone. */
static bool is_rows(const spor_shape *has, const spor_shape *sample) {
    spor_shape rest = {.rank = has->rank - 1};
    for (int k = 0; k < rest.rank; k++) rest.n[k] = has->n[k + 1];
    return shape_equal(has, sample) || shape_equal(&rest, sample) ||
           (rest.rank == 1 && rest.n[0] == shape_size(sample));
}

static bool take_array(spor_npy *array, const spor_data *like, spor_data *data, const char *path,
                       spor_message *message) {
    const spor_shape *sample = &like->x.shape;
    char has[192], wants[192];
    if (!is_rows(&array->shape, sample))
        return message_complain(message,
                                "%s: is %s; a sample is %s, and rows of samples have one axis more "
                                "in front",
                                path, shape_text(&array->shape, has), shape_text(sample, wants));
    data->rows = shape_size(&array->shape) / shape_size(sample);
    data->x = (spor_values){.keep = array->keep, .shape = *sample, .value = array->value};
    array->value = NULL;
    return values_check(&data->x, data->rows, path, message);
}

static spor_data *read_array(const char *path, const unsigned char *bytes, size_t size,
                             const spor_data *like, spor_message *message) {
    spor_npy array = {0};
    spor_data *data = calloc(1, sizeof *data);
    bool done = (data || message_complain(message, "%s: out of memory", path)) &&
                npy_parse(path, bytes, size, &array, message) &&
                take_array(&array, like, data, path, message);
    npy_free(&array);
    if (done) return data;
    spor_data_free(data);
    return NULL;
}

/* Whether the file has names of columns; without them it must have a column for each number. */
static bool has_names(const char *path, const unsigned char *bytes, size_t size,
                      const spor_table_form *form, const spor_data *like, bool *names,
                      spor_message *message) {
    spor_table table;
    int64_t columns = shape_size(&like->x.shape);
    unsigned char *copy = malloc(size + 1);
    if (!copy) return message_complain(message, "%s: out of memory", path);
    memcpy(copy, bytes, size);
    if (!table_take(&table, path, copy, size, form, message)) return false;
    *names = table.name && like->x.column;
    bool done =
        *names || table.columns == columns ||
        message_complain(message,
                         "%s: has %" PRId64 " columns%s, but a sample has %" PRId64 " numbers%s",
                         path, table.columns, table.name ? "" : " without names", columns,
                         like->x.column ? "; a first line of names says which is which" : "");
    table_free(&table);
    return done;
}

/* All numbers of a sample, by name or in order; to be freed. */
static spor_column *inputs_of(const spor_data *like, bool names) {
    int64_t columns = shape_size(&like->x.shape);
    spor_column *column = calloc((size_t)columns, sizeof *column);
    for (int64_t k = 0; column && k < columns; k++)
        column[k] = (spor_column){.name = names ? like->x.column[k] : NULL, .number = k};
    return column;
}

/* The bytes are taken. */
static spor_data *read_table(const char *path, unsigned char *bytes, size_t size,
                             const spor_table_form *form, const spor_data *like,
                             spor_message *message) {
    bool names = false;
    spor_column *input = NULL;
    if (!has_names(path, bytes, size, form, like, &names, message) ||
        !(input = inputs_of(like, names))) {
        if (!*message->text) message_complain(message, "%s: out of memory", path);
        free(bytes);
        return NULL;
    }
    const spor_csv csv = {.path = path,
                          .sample = like->x.shape,
                          .inputs = {(int)shape_size(&like->x.shape), input},
                          .unlabelled = true,
                          .header = form->header,
                          .separator = form->separator,
                          .decimal = form->decimal};
    spor_data *data = csv_read(&csv, bytes, size, message);
    free(input);
    return data;
}

spor_data *like_read(const char *path, const spor_table_form *form, const spor_data *like,
                     spor_message *message) {
    unsigned char *bytes;
    size_t size;
    bool standard = !strcmp(path, "-");
    const char *name = standard ? "standard input" : path;
    if (!(standard ? file_stream_bytes("/dev/stdin", SPOR_FILE_LIMIT, &bytes, &size, message)
                   : gzip_read_file(path, SPOR_FILE_LIMIT, &bytes, &size, message)))
        return NULL;
    spor_data *data = NULL;
    if (npy_recognize(bytes, size)) {
        data = read_array(name, bytes, size, like, message);
        free(bytes);
    } else {
        data = read_table(name, bytes, size, form, like, message);
    }
    if (data && take_scale(data, like, name, message)) return data;
    spor_data_free(data);
    return NULL;
}

/* ---- other rows, with their targets ----------------------------------------------------------- */

static const char *class_text(const spor_data *data, int class, char out[24]) {
    if (data->class_name) return data->class_name[class];
    snprintf(out, 24, "%d", class);
    return out;
}

/* The class of this name; -1: there is none. */
static int32_t find_class(const spor_data *like, const char *name) {
    char text[24];
    for (int k = 0; k < like->classes; k++)
        if (!strcmp(class_text(like, k, text), name)) return k;
    return -1;
}

/* into[class of data] = class of like */
static bool match_classes(const spor_data *data, const spor_data *like, int32_t into[],
                          spor_message *message) {
    char text[24];
    for (int k = 0; k < data->classes; k++)
        if ((into[k] = find_class(like, class_text(data, k, text))) < 0)
            return message_complain(message, "%s: there is no class %.80s among the %d of %s",
                                    data->name, class_text(data, k, text), like->classes,
                                    like->name);
    return true;
}

static bool copy_names(spor_data *data, const spor_data *like) {
    data->classes = like->classes;
    if (!like->class_name) return true;
    data->class_name = calloc((size_t)like->classes, sizeof *data->class_name);
    for (int k = 0; data->class_name && k < like->classes; k++)
        if (!(data->class_name[k] = strdup(like->class_name[k]))) return false;
    return data->class_name != NULL;
}

static bool fit_classes(spor_data *data, const spor_data *like, spor_message *message) {
    if (!like->classes || !data->classes)
        return like->classes == data->classes ||
               message_complain(message, "%s: its targets are %s, not %s", data->name,
                                data->classes ? "classes" : "numbers",
                                like->classes ? "classes" : "numbers");
    int32_t *into = calloc((size_t)data->classes, sizeof *into);
    bool room = into != NULL, done = room && match_classes(data, like, into, message);
    for (int64_t k = 0; done && k < data->rows; k++) data->label[k] = into[data->label[k]];
    free(into);
    if (!done) return room ? false : message_complain(message, "%s: out of memory", data->name);
    for (int k = 0; data->class_name && k < data->classes; k++) free(data->class_name[k]);
    free(data->class_name);
    data->class_name = NULL;
    return copy_names(data, like) || message_complain(message, "%s: out of memory", data->name);
}

/* from[column of like] = column of these values */
static bool match_columns(const spor_data *data, const spor_values *v, const spor_values *like,
                          int64_t from[], spor_message *message) {
    int64_t has = shape_size(&v->shape), wants = shape_size(&like->shape);
    for (int64_t k = 0; k < wants; k++) {
        from[k] = 0;
        while (from[k] < has && strcmp(v->column[from[k]], like->column[k]) != 0) from[k]++;
        if (from[k] == has)
            return message_complain(message, "%s: there is no column %.80s", data->name,
                                    like->column[k]);
    }
    return true;
}

/* The columns of like, in its order, of values that are doubles. */
static bool pick_columns(const spor_data *data, spor_values *v, const spor_values *like,
                         const int64_t from[]) {
    int64_t has = shape_size(&v->shape), wants = shape_size(&like->shape);
    double *to = malloc(bytes_for(data->rows, bytes_for(wants, sizeof *to)));
    const double *value = v->value;
    for (int64_t row = 0; to && row < data->rows; row++)
        for (int64_t k = 0; k < wants; k++) to[row * wants + k] = value[row * has + from[k]];
    if (!to) return false;
    values_free(v);
    *v = (spor_values){.keep = SPOR_KEEP_F64, .shape = like->shape, .value = to};
    return true;
}

static bool fit_columns(const spor_data *data, spor_values *v, const spor_values *like,
                        spor_message *message) {
    char has[192], wants[192];
    if (v->column && like->column) {
        int64_t *from = calloc((size_t)shape_size(&like->shape), sizeof *from);
        bool room = from != NULL, found = room && match_columns(data, v, like, from, message);
        bool done = found && pick_columns(data, v, like, from);
        free(from);
        if (room && !found) return false;
        return done || message_complain(message, "%s: out of memory", data->name);
    }
    if (shape_size(&v->shape) == shape_size(&like->shape)) return v->shape = like->shape, true;
    return message_complain(message, "%s: a row is %s, not %s", data->name,
                            shape_text(&v->shape, has), shape_text(&like->shape, wants));
}

bool like_fit(spor_data *data, const spor_data *like, spor_message *message) {
    bool numbers = data->y.value && like->y.shape.rank;
    return fit_columns(data, &data->x, &like->x, message) && fit_classes(data, like, message) &&
           (!numbers || fit_columns(data, &data->y, &like->y, message)) &&
           take_scale(data, like, data->name, message);
}
