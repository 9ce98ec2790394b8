#include "train/batch.h"

#include <inttypes.h>
#include <string.h>

#include "kernels/kernel.h"
#include "train/model.h"

/* out[n, k] = pixels[rows[n], k] * scale */
#define GATHER(T)                                                                                  \
    static void gather_##T(T *out, const spor_source *s, const int64_t rows[], int64_t count) {    \
        T scale = (T)s->scale;                                                                     \
        for (int64_t n = 0; n < count; n++, out += s->size) {                                      \
            const float *pixels = s->pixels + rows[n] * s->size;                                   \
            for (int64_t k = 0; k < s->size; k++) out[k] = (T)pixels[k] * scale;                   \
        }                                                                                          \
    }                                                                                              \
    static void one_hot_##T(T *out, const spor_source *s, const int64_t rows[], int64_t count) {   \
        memset(out, 0, (size_t)(count * s->classes) * sizeof *out);                                \
        for (int64_t n = 0; n < count; n++) out[n * s->classes + s->label[rows[n]]] = 1;           \
    }
GATHER(float)
GATHER(double)

static void gather(void *out, const spor_source *s, const int64_t rows[], int64_t count) {
    if (!out) return;
    if (s->scalar == SPOR_F32)
        gather_float(out, s, rows, count);
    else
        gather_double(out, s, rows, count);
}

static void one_hot(void *out, const spor_source *s, const int64_t rows[], int64_t count) {
    if (!out) return;
    if (s->scalar == SPOR_F32)
        one_hot_float(out, s, rows, count);
    else
        one_hot_double(out, s, rows, count);
}

void spor_gather_rows(const spor_source *source, const int64_t rows[], int64_t count,
                      const spor_bound *bound) {
    gather(bound->x.data, source, rows, count);
    if (source->label)
        one_hot(bound->y.data, source, rows, count);
    else
        gather(bound->y.data, source, rows, count);
}

static bool check_rows(spor_model *model, const spor_data *data, const int64_t rows[],
                       int64_t count, bool labels) {
    for (int64_t n = 0; n < count; n++) {
        if (rows[n] < 0 || rows[n] >= data->rows)
            return spor_model_fail(model,
                                   "there is no row %" PRId64 " in the %" PRId64 " rows of %s",
                                   rows[n], data->rows, data->name);
        int32_t label = labels ? data->label[rows[n]] : 0;
        if (label < 0 || (labels && label >= data->classes))
            return spor_model_fail(model,
                                   "row %" PRId64 " of %s has label %d; there are %d classes",
                                   rows[n], data->name, (int)label, data->classes);
    }
    return true;
}

bool spor_source_make(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                      spor_source *source) {
    if (!model || spor_model_error(model)) return false;
    const spor_model_spec *spec = spor_model_spec_of(model);
    const spor_shape *target = &spec->target;
    bool labels = data->label && target->rank == 1 && target->n[0] == data->classes;
    if (!spor_shape_equal(&spec->sample, &data->sample))
        return spor_model_fail(model,
                               "the samples of %s do not have the shape that the model "
                               "takes",
                               data->name);
    if (!labels && !spor_shape_equal(target, &data->sample))
        return spor_model_fail(model,
                               "the target is neither one-hot rows of the %d classes of %s "
                               "nor has it the shape of a sample",
                               data->classes, data->name);
    *source = (spor_source){.scalar = spec->options.scalar,
                            .pixels = data->x,
                            .label = labels ? data->label : NULL,
                            .size = spor_size(&data->sample),
                            .classes = data->classes,
                            .scale = data->scale};
    return check_rows(model, data, rows, count, labels);
}
