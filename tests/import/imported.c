#include "imported.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "claims/claims.h"
#include "data/safetensors.h"
#include "kernels/element.h"

static bool fail(imported *m, const char *why) {
    snprintf(m->why, sizeof m->why, "%s", why ? why : "out of memory");
    return false;
}

static spor_shape shape_of(const import_face *face, int64_t rows) {
    spor_shape shape = {.rank = face->rank};
    for (int k = 0; k < face->rank; k++) shape.n[k] = face->size[k] + rows * face->rows[k];
    return shape;
}

static bool take_weights(imported *m) {
    spor_message message = {""};
    const safetensors_file file = {"weights", (const unsigned char *)m->made->weights.at,
                                   m->made->weights.size};
    const int n = spor_params_count(m->params);
    safetensor *tensor = calloc((size_t)n + 1, sizeof *tensor);
    if (!tensor) return fail(m, NULL);
    for (int k = 0; k < n; k++) {
        const spor_entry entry = spor_params_entry(m->params, k);
        tensor[k] = (safetensor){entry.name, entry.shape, raw_of(m->scalar), entry.value};
    }
    const bool done = safetensors_read(&file, tensor, n, 0, &message);
    free(tensor);
    spor_params_touch(m->params);
    return done || fail(m, message.text);
}

bool imported_open(imported *m, const import_result *made, int64_t rows, spor_scalar scalar) {
    char models[1200];
    *m = (imported){.made = made, .scalar = scalar};
    snprintf(models, sizeof models, "%s/models", getenv("SPOR_SOURCE"));
    m->script = script_read("net.spor", made->script.at, models, &claims_dialect);
    m->tape = spor_tape_new();
    if (script_error(m->script)) return fail(m, script_error(m->script));
    for (int k = 0; k < made->inputs; k++)
        m->x[k] = spor_input(m->tape, made->input[k].name, shape_of(&made->input[k], rows));
    m->results =
        script_call_all(m->script, "net", m->tape, made->inputs, m->x, IMPORTED_RESULTS, m->y);
    if (spor_error(m->tape)) return fail(m, spor_error(m->tape));
    m->params = spor_params_new(scalar, 1);
    if (!spor_params_join(m->params, m->tape)) return fail(m, spor_params_error(m->params));
    const spor_options options = {.scalar = scalar, .threads = 1};
    if (!take_weights(m)) return false;
    m->program = spor_compile(m->tape, m->results, m->y, m->params, &options);
    const char *error = spor_program_error(m->program);
    return !error || fail(m, error);
}

void imported_close(imported *m) {
    spor_program_free(m->program);
    spor_params_free(m->params);
    spor_tape_free(m->tape);
    script_free(m->script);
}

/* Where element j of an array that lies as the script has it is in the file's order. */
static int64_t in_file(const import_face *face, const spor_shape *shape, int64_t j) {
    int64_t index[SPOR_RANK], there[SPOR_RANK];
    spor_shape file = {.rank = shape->rank};
    shape_unravel(shape, j, index);
    for (int k = 0; k < shape->rank; k++) {
        file.n[face->from[k]] = shape->n[k];
        there[face->from[k]] = index[k];
    }
    return shape_ravel(&file, there);
}

void imported_fill(imported *m, int k, const double from[]) {
    spor_arg to = spor_program_arg(m->program, m->x[k]);
    for (int64_t j = 0; to.data && j < shape_size(&to.shape); j++)
        element_types[m->scalar]->set(to.data, j, from[in_file(&m->made->input[k], &to.shape, j)]);
}

bool imported_run(imported *m) {
    return spor_run(m->program, 0) || fail(m, spor_program_error(m->program));
}

double imported_distance(imported *m, int k, const double want[]) {
    const spor_arg y = spor_program_arg(m->program, m->y[k]);
    double most = 1, off = 0;
    for (int64_t j = 0; j < shape_size(&y.shape); j++) {
        const double a = element_types[m->scalar]->value(y.data, j);
        const double b = want[in_file(&m->made->output[k], &y.shape, j)];
        if (isnan(a) != isnan(b) || (isinf(b) && a != b)) return (double)INFINITY;
        if (!isfinite(b)) continue;
        most = fabs(b) > most ? fabs(b) : most;
        off = fabs(a - b) > off ? fabs(a - b) : off;
    }
    return off / most;
}
