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
#include "data/npz.h"
#include "data/values.h"
#include "data/zip.h"

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

/* The axes of size 1 say nothing: images of one colour are [h, w] or [h, w, 1]. */
static spor_shape squeezed(const spor_shape *shape, int first) {
    spor_shape rest = {0};
    for (int k = first; k < shape->rank; k++)
        if (shape->n[k] != 1) rest.n[rest.rank++] = shape->n[k];
    return rest;
}

/* [rows, sample...], [rows, numbers] or, for one row, the sample alone. */
static bool is_rows(const spor_shape *has, const spor_shape *sample) {
    spor_shape all = squeezed(has, 0), row = squeezed(has, 1), wants = squeezed(sample, 0);
    return shape_equal(&all, &wants) || (has->rank && shape_equal(&row, &wants)) ||
           (has->rank == 2 && has->n[1] == shape_size(sample));
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

/* The array is taken. */
static spor_data *array_data(const char *path, spor_npy *array, const spor_data *like,
                             spor_message *message) {
    spor_data *data = calloc(1, sizeof *data);
    bool done = (data || message_complain(message, "%s: out of memory", path)) &&
                take_array(array, like, data, path, message);
    npy_free(array);
    if (done) return data;
    spor_data_free(data);
    return NULL;
}

static spor_data *read_array(const char *path, const unsigned char *bytes, size_t size,
                             const spor_data *like, spor_message *message) {
    spor_npy array = {0};
    return npy_parse(path, bytes, size, &array, message) ? array_data(path, &array, like, message)
                                                         : NULL;
}

/* Of a file of several arrays that of this name, or NULL. */
static spor_data *read_named_array(const char *path, const unsigned char *bytes, size_t size,
                                   const char *name, const spor_data *like, spor_message *message) {
    npz_array found;
    char what[600];
    if (!npz_samples(path, bytes, size, name, &found, message)) return NULL;
    snprintf(what, sizeof what, "%.500s:%s", path, found.name);
    return array_data(what, &found.array, like, message);
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

spor_column *like_inputs(const spor_data *like, bool names) {
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
        !(input = like_inputs(like, names))) {
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

/* What people have instead of arrays. */
static bool is_image(const unsigned char *bytes, size_t size) {
    static const char *const begins[] = {"\x89PNG", "P2\n",         "P3\n", "P5\n",
                                         "P6\n",    "\xff\xd8\xff", "GIF8"};
    for (size_t k = 0; k < sizeof begins / sizeof *begins; k++)
        if (size > strlen(begins[k]) && !memcmp(bytes, begins[k], strlen(begins[k]))) return true;
    return false;
}

/* The bytes are freed. */
static spor_data *read_rows(const char *path, unsigned char *bytes, size_t size, const char *name,
                            const spor_table_form *form, const spor_data *like,
                            spor_message *message) {
    spor_data *data = NULL;
    if (zip_recognize(bytes, size))
        data = read_named_array(path, bytes, size, name, like, message);
    else if (name)
        message_complain(message, "%s: is no .npz file, as numpy.savez writes it: it has no %.60s",
                         path, name);
    else if (npy_recognize(bytes, size))
        data = read_array(path, bytes, size, like, message);
    else if (is_image(bytes, size))
        message_complain(
            message, "%s: is an image; arrays are read (numpy.save makes them) and tables", path);
    else
        return read_table(path, bytes, size, form, like, message);
    free(bytes);
    return data;
}

spor_data *like_read(const char *path, const spor_table_form *form, const spor_data *like,
                     spor_message *message) {
    unsigned char *bytes;
    size_t size, length = strlen(path);
    const bool standard = !strcmp(path, "-");
    const char *name = npz_name_in(path, &length);
    char *file = strdup(standard ? "standard input" : path);
    if (!file) return message_complain(message, "%s: out of memory", path), NULL;
    if (!standard) file[length] = 0;
    spor_data *data = NULL;
    if (standard ? file_stream_bytes("/dev/stdin", SPOR_FILE_LIMIT, &bytes, &size, message)
                 : gzip_read_file(file, SPOR_FILE_LIMIT, &bytes, &size, message))
        data = read_rows(file, bytes, size, name, form, like, message);
    if (data && !take_scale(data, like, file, message)) {
        spor_data_free(data);
        data = NULL;
    }
    free(file);
    return data;
}

/* ---- other rows, with their targets ----------------------------------------------------------- */

/* Classes without names are numbers. */
static bool same_names(const spor_data *data, const spor_data *like) {
    if (!data->class_name != !like->class_name) return false;
    for (int k = 0; like->class_name && k < like->classes; k++)
        if (strcmp(data->class_name[k], like->class_name[k]) != 0) return false;
    return true;
}

bool like_fit(spor_data *data, const spor_data *like, spor_message *message) {
    char has[192], wants[192];
    if (data->classes != like->classes)
        return message_complain(message, "%s: has %d classes, not the %d of %s", data->name,
                                data->classes, like->classes, like->name);
    if (!same_names(data, like))
        return message_complain(message, "%s: its classes are not called as those of %s",
                                data->name, like->name);
    if (!shape_equal(&data->x.shape, &like->x.shape))
        return message_complain(message, "%s: a sample is %s, not %s", data->name,
                                shape_text(&data->x.shape, has), shape_text(&like->x.shape, wants));
    return take_scale(data, like, data->name, message);
}
