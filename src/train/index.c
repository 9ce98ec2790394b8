/*
 * Rows of data that name rows: where an op takes an index (tokens of an embedding) that is made
 * of x and y
 * by moving their numbers about, each number must be whole and name a row. Looked at before the first
 * step, so that the row and the column can be told; later there is a cost that is no number.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/shape.h"
#include "kernels/element.h"
#include "tape/tape.h"
#include "train/batch.h"
#include "train/model.h"

typedef struct {
    spor_model *model;
    const spor_data *data;
    batch_source source;
    const spor_bound *bound;
    const spor_node *node; /* that takes the index */
    spor_var index;
    spor_program *program; /* makes the index */
    int64_t rows;          /* that it may name */
} look;

/* Marks what moves numbers of x and y and does nothing else. */
static bool *find_moved(const spor_bound *b) {
    const spor_tape *tape = b->tape;
    bool *moved = calloc(tape->count, sizeof *moved);
    if (!moved) return NULL;
    moved[b->input.id] = true;
    if (b->target.id) moved[b->target.id] = true;
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_node *node = &tape->node[id];
        bool all = node->op->operands > 0 && node->op->traits & SPOR_LINEAR;
        for (int k = 0; k < node->op->operands; k++) all = all && moved[node->in[k]];
        moved[id] = moved[id] || all;
    }
    return moved;
}

static double index_at(const look *l, int64_t k) {
    spor_arg arg = spor_program_arg(l->program, l->index);
    return element_types[l->source.scalar]->value(arg.data, k);
}

/* Numbers in the places of x's: column + by. */
static void fill_columns(const look *l, double by) {
    spor_arg x = spor_program_arg(l->program, l->bound->input);
    int64_t width = l->source.size;
    for (int64_t k = 0; x.data && k < shape_size(&x.shape); k++)
        element_types[l->source.scalar]->set(x.data, k, (double)(k % width) + by);
}

/* The column of x that element k of the index is; -1: none, or not of one alone. */
static int64_t column_of(const look *l, int64_t k) {
    double at[2];
    for (int half = 0; half < 2; half++) {
        fill_columns(l, half / 2.0);
        if (!spor_run(l->program, 0)) return -1;
        at[half] = index_at(l, k);
    }
    bool one = at[1] - at[0] == 0.5 && at[0] >= 0 && at[0] < (double)l->source.size;
    return one && floor(at[0]) >= at[0] ? (int64_t)at[0] : -1;
}

static bool tell(const look *l, int64_t k, double value, const int64_t row[]) {
    spor_shape shape = spor_shape_of(l->index);
    char name[SPOR_NAME], where[80] = "a number", at[64] = "";
    int64_t column = column_of(l, k), all = shape_size(&shape);
    const char *called = column >= 0 && l->data->x.column ? l->data->x.column[column] : NULL;
    op_name(l->node->op, name, sizeof name);
    if (column >= 0) snprintf(where, sizeof where, "column %" PRId64, column + 1);
    if (called) snprintf(where, sizeof where, "column %.60s", called);
    if (shape.rank && shape.n[0] == l->bound->rows)
        snprintf(at, sizeof at, "row %" PRId64 ", ", row[k / (all / shape.n[0])] + 1);
    return model_fail(
        l->model,
        "%s: %s%s is %g, which names none of the %" PRId64 " rows that %s (line %d) "
        "takes from: they are 0 to %" PRId64 ", whole numbers that are neither scaled "
        "nor standardized",
        l->data->name, at, where, value, l->rows, name, l->node->place.line, l->rows - 1);
}

/* The rows in batches; the last one is filled up with its last row. */
static bool look_at_rows(const look *l, const int64_t rows[], int64_t count) {
    int64_t n = l->bound->rows, row[BATCH_OF_EVALUATION];
    spor_shape shape = spor_shape_of(l->index);
    for (int64_t first = 0; first < count; first += n) {
        for (int64_t k = 0; k < n; k++) {
            int64_t at = first + k < count ? first + k : count - 1;
            row[k] = rows ? rows[at] : at;
        }
        batch_fill(&l->source, row, n, spor_program_arg(l->program, l->bound->input).data,
                   l->bound->target.id ? spor_program_arg(l->program, l->bound->target).data
                                       : NULL);
        if (!spor_run(l->program, 0))
            return model_fail(l->model, "%s", spor_program_error(l->program));
        for (int64_t k = 0; k < shape_size(&shape); k++) {
            double i = index_at(l, k);
            if (!(i >= 0 && i < (double)l->rows) || floor(i) < i) return tell(l, k, i, row);
        }
    }
    return true;
}

static bool look_at_index(look *l, int operand, const int64_t rows[], int64_t count) {
    const spor_tape *tape = l->bound->tape;
    spor_shape in[SPOR_OPERANDS];
    for (int k = 0; k < l->node->op->operands; k++) in[k] = *tape->node[l->node->in[k]].shape;
    l->rows = l->node->op->named(in, l->node->attr);
    l->index = (spor_var){l->bound->tape, l->node->in[operand]};
    spor_options options = {.scalar = l->source.scalar, .reference = true};
    l->program = spor_compile(l->bound->tape, 1, &l->index, spor_model_params(l->model), &options);
    bool made = l->program && !spor_program_error(l->program);
    bool done = made ? look_at_rows(l, rows, count)
                     : model_fail(l->model, "%s",
                                  l->program ? spor_program_error(l->program) : "out of memory");
    spor_program_free(l->program);
    return done;
}

bool index_look(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                const spor_bound *bound, const batch_source *source) {
    look l = {.model = model, .data = data, .source = *source, .bound = bound};
    bool *moved = find_moved(bound), done = moved || model_fail(model, "out of memory");
    for (uint32_t id = 1; done && id < bound->tape->count; id++) {
        l.node = &bound->tape->node[id];
        for (int k = 0; done && k < l.node->op->operands; k++)
            if (l.node->op->domain[k] == SPOR_INDEX && moved[l.node->in[k]])
                done = look_at_index(&l, k, rows, count);
    }
    free(moved);
    return done;
}
