#include "train/batch.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/shape.h"
#include "data/values.h"
#include "train/model.h"

static int64_t class_of(const batch_source *s, int64_t row) {
    return (int64_t)(random_hash(s->seed, (uint64_t)row, 4) % (uint64_t)s->classes);
}

static float number_at(const batch_source *s, uint64_t key, int64_t k) {
    double u = random_uniform(s->seed, key, 9);
    bool whole = s->named && s->named[k];
    return (float)(whole ? floor(u * (double)s->named[k]) : u);
}

/* Random rows: numbers that a float holds too, and one-hot rows. */
#define DRAW(T)                                                                                    \
    static void draw_##T(T *out, const batch_source *s, const int64_t rows[], int64_t count) {     \
        for (int64_t n = 0; n < count; n++, out += s->size) {                                      \
            uint64_t first = (uint64_t)(values_row(rows, n) * s->size);                            \
            for (int64_t k = 0; k < s->size; k++)                                                  \
                out[k] = (T)number_at(s, first + (uint64_t)k, k);                                  \
        }                                                                                          \
    }                                                                                              \
    static void one_hot_##T(T *out, const batch_source *s, const int64_t rows[], int64_t count) {  \
        memset(out, 0, (size_t)(count * s->classes) * sizeof *out);                                \
        for (int64_t n = 0; n < count; n++)                                                        \
            out[n * s->classes + class_of(s, values_row(rows, n))] = 1;                            \
    }
DRAW(float)
DRAW(double)

static void draw(void *out, const batch_source *s, const int64_t rows[], int64_t count,
                 bool one_hot) {
    if (!out) return;
    if (s->scalar == SPOR_F32)
        (one_hot ? one_hot_float : draw_float)(out, s, rows, count);
    else
        (one_hot ? one_hot_double : draw_double)(out, s, rows, count);
}

void batch_fill(const batch_source *source, const int64_t rows[], int64_t count, void *x, void *y) {
    const batch_source *s = source;
    if (s->data) {
        spor_data_rows(s->data, rows, count, s->scalar, x, s->mirrored ? NULL : y);
        if (s->mirrored && y) spor_data_rows(s->data, rows, count, s->scalar, y, NULL);
        return;
    }
    draw(x, s, rows, count, false);
    draw(y, s, rows, count, !s->mirrored);
}

static bool is_of_classes(const spor_data *data, const spor_shape *target) {
    return data->label && target->rank == 1 && target->n[0] == data->classes;
}

static bool is_of_numbers(const spor_data *data, const spor_shape *target) {
    return data->y.value && shape_equal(&data->y.shape, target);
}

/* By what is known of the data: new rows have neither labels nor targets. */
bool batch_mirrors(const spor_data *data, const spor_shape *sample, const spor_shape *target) {
    bool classes = data && data->classes && target->rank == 1 && target->n[0] == data->classes;
    bool numbers = data && data->y.shape.rank && shape_equal(target, &data->y.shape);
    return shape_equal(sample, target) && !classes && !numbers;
}

batch_source batch_source_of(const spor_data *data, const spor_shape *sample,
                             const spor_shape *target, spor_scalar scalar, uint64_t seed) {
    bool mirrored = batch_mirrors(data, sample, target);
    return (batch_source){.scalar = scalar,
                          .data = data,
                          .mirrored = mirrored,
                          .one_hot = !mirrored && !(data && is_of_numbers(data, target)),
                          .size = shape_size(sample),
                          .classes = shape_size(target),
                          .seed = seed};
}

static bool check_rows(spor_model *model, const spor_data *data, const int64_t rows[],
                       int64_t count, bool labels) {
    for (int64_t n = 0; n < count; n++) {
        if (rows[n] < 0 || rows[n] >= data->rows)
            return model_fail(model, "there is no row %" PRId64 " in the %" PRId64 " rows of %s",
                              rows[n], data->rows, data->name);
        int32_t label = labels ? data->label[rows[n]] : 0;
        if (label < 0 || (labels && label >= data->classes))
            return model_fail(model, "row %" PRId64 " of %s has label %d; there are %d classes",
                              rows[n], data->name, (int)label, data->classes);
    }
    return true;
}

bool batch_source_make(spor_model *model, const spor_data *data, const int64_t rows[],
                       int64_t count, batch_source *source) {
    if (!model || spor_model_error(model)) return false;
    const spor_model_spec *spec = model_spec_of(model);
    const spor_shape *target = &spec->target;
    if (!shape_equal(&spec->sample, &data->x.shape))
        return model_fail(model,
                          "the samples of %s do not have the shape that the model "
                          "takes",
                          data->name);
    *source = batch_source_of(data, &spec->sample, target, spec->options.scalar, 0);
    if (source->one_hot && !is_of_classes(data, target))
        return model_fail(model,
                          "the target is neither one-hot rows of the %d classes of %s "
                          "nor has it the shape of a sample",
                          data->classes, data->name);
    spor_message message;
    return check_rows(model, data, rows, count, source->one_hot) &&
           (data_fits(data, rows, count, spec->options.scalar, &message) ||
            model_fail(model, "%s", message.text));
}
