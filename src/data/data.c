/*
 * Data sets: what their rows become in a batch.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/message.h"
#include "base/shape.h"
#include "data/values.h"

void spor_data_free(spor_data *data) {
    if (!data) return;
    values_free(&data->x);
    values_free(&data->y);
    for (int k = 0; data->class_name && k < data->classes; k++) free(data->class_name[k]);
    free(data->class_name);
    free(data->label);
    free(data);
}

static bool rows_exist(const spor_data *data, const int64_t rows[], int64_t n) {
    for (int64_t k = 0; k < n; k++) {
        int64_t row = values_row(rows, k);
        if (row < 0 || row >= data->rows) return false;
        if (data->label && (data->label[row] < 0 || data->label[row] >= data->classes))
            return false;
    }
    return true;
}

static void gather(const spor_values *values, double scale, const int64_t rows[], int64_t n,
                   spor_scalar scalar, void *out) {
    const values_type *type = &values_types[values->keep];
    (scalar == SPOR_F32 ? type->as_float : type->as_double)(out, values, scale, rows, n);
}

/* out[n, class of rows[n]] = 1; all bits 0 are the number 0. */
static void one_hot(const spor_data *data, const int64_t rows[], int64_t n, spor_scalar scalar,
                    void *out) {
    int64_t classes = data->classes;
    size_t width = scalar == SPOR_F32 ? sizeof(float) : sizeof(double);
    memset(out, 0, (size_t)(n * classes) * width);
    for (int64_t k = 0; k < n; k++) {
        int64_t at = k * classes + data->label[values_row(rows, k)];
        if (scalar == SPOR_F32)
            ((float *)out)[at] = 1;
        else
            ((double *)out)[at] = 1;
    }
}

bool data_fits(const spor_data *data, const int64_t rows[], int64_t count, spor_scalar scalar,
               spor_message *message) {
    for (int k = 0; scalar == SPOR_F32 && k < 2; k++) {
        const spor_values *v = k ? &data->y : &data->x;
        int64_t at = v->value ? values_beyond_float(v, k ? 1 : data->scale, rows, count) : -1;
        int64_t size = shape_size(&v->shape);
        if (at >= 0)
            return message_complain(message,
                                    "%s: %s %" PRId64 " of row %" PRId64
                                    ", counted from 0, is %g: too large for a float; a network "
                                    "that is trained with --double computes with it",
                                    data->name, k ? "target" : "number", at % size, at / size,
                                    ((const double *)v->value)[at]);
    }
    return true;
}

bool spor_data_rows(const spor_data *data, const int64_t rows[], int64_t n, spor_scalar scalar,
                    void *x, void *y) {
    if (!data || (scalar != SPOR_F32 && scalar != SPOR_F64) || (x && !data->x.value)) return false;
    if ((y && !data->label && !data->y.value) || !rows_exist(data, rows, n)) return false;
    if (x) gather(&data->x, data->scale, rows, n, scalar, x);
    if (y && data->label) one_hot(data, rows, n, scalar, y);
    if (y && !data->label) gather(&data->y, 1, rows, n, scalar, y);
    return true;
}

bool spor_data_standardize(spor_data *data, const int64_t rows[], int64_t n,
                           spor_message *message) {
    if (!data || !data->x.value) return message_complain(message, "there are no samples");
    if (!rows_exist(data, rows, n)) return message_complain(message, "there is no such row");
    return values_standardize(&data->x, data->name, data->scale, rows, n, message);
}
