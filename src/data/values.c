#include "data/values.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"

/* Each element in double, rounded once. */
#define GATHER(K, name, T)                                                                         \
    static void name##_as_##T(void *out, const spor_values *v, double scale, const int64_t rows[], \
                              int64_t count) {                                                     \
        int64_t size = shape_size(&v->shape);                                                      \
        T *to = out;                                                                               \
        for (int64_t n = 0; n < count; n++, to += size) {                                          \
            const K *from = (const K *)v->value + values_row(rows, n) * size;                      \
            for (int64_t k = 0; k < size && !v->mean; k++) to[k] = (T)((double)from[k] * scale);   \
            for (int64_t k = 0; k < size && v->mean; k++)                                          \
                to[k] = (T)(((double)from[k] * scale - v->mean[k]) * v->factor[k]);                \
        }                                                                                          \
    }

#define KEPT(K, name)                                                                              \
    static double name##_value(const void *value, int64_t at) {                                    \
        return (double)((const K *)value)[at];                                                     \
    }                                                                                              \
    GATHER(K, name, float)                                                                         \
    GATHER(K, name, double)
KEPT(uint8_t, u8)
KEPT(float, f32)
KEPT(double, f64)

const values_type values_types[SPOR_KEEPS] = {
    [SPOR_KEEP_U8] = {"bytes", sizeof(uint8_t), u8_value, u8_as_float, u8_as_double},
    [SPOR_KEEP_F32] = {"floats", sizeof(float), f32_value, f32_as_float, f32_as_double},
    [SPOR_KEEP_F64] = {"doubles", sizeof(double), f64_value, f64_as_float, f64_as_double},
};

bool values_allocate(spor_values *values, int64_t rows) {
    size_t bytes = bytes_for(rows, values_types[values->keep].width);
    for (int k = 0; k < values->shape.rank; k++) bytes = bytes_for(values->shape.n[k], bytes);
    values->value = rows > 0 && bytes < BYTES_MOST ? malloc(bytes) : NULL;
    return values->value != NULL;
}

void values_free(spor_values *values) {
    int64_t columns = values->column ? shape_size(&values->shape) : 0;
    for (int64_t k = 0; k < columns; k++) free(values->column[k]);
    free(values->column);
    free(values->value);
    free(values->mean);
    free(values->factor);
    *values = (spor_values){0};
}

/* Numbers that double computes with. */
bool values_check(const spor_values *v, int64_t rows, const char *what, spor_message *message) {
    int64_t size = shape_size(&v->shape);
    const values_type *type = &values_types[v->keep];
    for (int64_t k = 0; v->keep != SPOR_KEEP_U8 && k < rows * size; k++)
        if (!isfinite(type->value(v->value, k)))
            return message_complain(message,
                                    "%s: number %" PRId64 " of row %" PRId64
                                    ", counted from 0, is %g; fill it in",
                                    what, k % size, k / size, type->value(v->value, k));
    return true;
}

int64_t values_beyond_float(const spor_values *v, double scale, const int64_t rows[],
                            int64_t count) {
    int64_t size = shape_size(&v->shape);
    const double *value = v->value;
    for (int64_t n = 0; v->keep == SPOR_KEEP_F64 && n < count; n++)
        for (int64_t k = 0; k < size; k++) {
            double x = value[values_row(rows, n) * size + k] * scale;
            if (v->mean) x = (x - v->mean[k]) * v->factor[k];
            if (!(fabs(x) <= (double)FLT_MAX)) return values_row(rows, n) * size + k;
        }
    return -1;
}

void *values_turn(void *value, const spor_shape *shape, spor_keep keep) {
    size_t width = values_types[keep].width;
    int64_t count = shape_size(shape), index[SPOR_RANK];
    char *to = malloc(bytes_for(count, width)), *from = value;
    for (int64_t k = 0; to && k < count; k++) {
        int64_t at = 0;
        shape_unravel(shape, k, index);
        for (int axis = shape->rank - 1; axis >= 0; axis--) at = at * shape->n[axis] + index[axis];
        memcpy(to + (size_t)k * width, from + (size_t)at * width, width);
    }
    free(from);
    return to;
}

/* ---- standardizing ---- */

/* What is known of a column; the deviation is that of a population. */
typedef struct {
    double least, most, mean, deviation;
} spread;

static spread spread_of(const spor_values *v, double scale, int64_t column, const int64_t rows[],
                        int64_t count) {
    const values_type *type = &values_types[v->keep];
    int64_t columns = shape_size(&v->shape);
    spread s = {.least = HUGE_VAL, .most = -HUGE_VAL};
    double sum[3] = {0}; /* of the values, of what the first mean leaves, of its squares */
    for (int pass = 0; pass < 3; pass++) {
        for (int64_t n = 0; n < count; n++) {
            double x = type->value(v->value, values_row(rows, n) * columns + column) * scale;
            s.least = fmin(s.least, x);
            s.most = fmax(s.most, x);
            double rest = pass ? x - s.mean : x;
            sum[pass] += pass < 2 ? rest : rest * rest;
        }
        if (pass < 2) s.mean += sum[pass] / (double)count;
    }
    s.deviation = sqrt(sum[2] / (double)count);
    return s;
}

/* "sales: width", or by its number among the inputs. */
static bool complain_spread(const spor_values *v, const char *what, int64_t column, const spread *s,
                            spor_message *message) {
    char text[128];
    if (v->column && *v->column[column])
        snprintf(text, sizeof text, "%.100s", v->column[column]);
    else
        snprintf(text, sizeof text, "input %" PRId64 ", counted from 0,", column);
    return message_complain(message,
                            "%s: %s cannot be standardized: its numbers, %g to %g, are too large, "
                            "too small or too close; scale= brings them to another size",
                            what, text, s->least, s->most);
}

/* A column of one value has that mean, to the bit. */
static bool standardize_column(spor_values *v, const char *what, int64_t column, const spread *s,
                               spor_message *message) {
    bool constant = !(s->least < s->most);
    v->mean[column] = constant ? s->least : s->mean;
    v->factor[column] = constant ? 1 : 1 / s->deviation;
    bool done = isfinite(v->mean[column]) && isfinite(v->factor[column]) && v->factor[column] > 0;
    return done || complain_spread(v, what, column, s, message);
}

bool values_standardize(spor_values *values, const char *what, double scale, const int64_t rows[],
                        int64_t count, spor_message *message) {
    if (count < 1) return message_complain(message, "there are no rows to standardize by");
    int64_t columns = shape_size(&values->shape);
    spor_values made = *values;
    made.mean = malloc(bytes_for(columns, sizeof *made.mean));
    made.factor = malloc(bytes_for(columns, sizeof *made.factor));
    bool done = (made.mean && made.factor) || message_complain(message, "out of memory");
    for (int64_t k = 0; done && k < columns; k++) {
        spread s = spread_of(values, scale, k, rows, count);
        done = standardize_column(&made, what, k, &s, message);
    }
    free(done ? values->mean : made.mean);
    free(done ? values->factor : made.factor);
    if (done) *values = made;
    return done;
}
