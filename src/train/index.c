/*
 * Rows of data that name rows: where an op takes an index (tokens of an embedding) that is made of x and y
 * by moving their numbers about, each number must be whole and name a row, and random numbers are drawn so. Looked at before the first
 * step, so that the row and the column can be told; later there is a cost that is no number.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/shape.h"
#include "kernels/element.h"
#include "tape/tape.h"
#include "train/batch.h"
#include "train/model.h"

/* An index of the tape, and the program that makes it. */
typedef struct {
    const spor_tape *tape;
    spor_var x;
    int64_t size;          /* of a sample of x */
    const spor_node *node; /* that takes the index */
    spor_var index;
    spor_scalar scalar;
    spor_program *program;
    int64_t rows; /* that it may name */
} named_by;

typedef struct {
    named_by by;
    spor_model *model;
    const spor_data *data;
    batch_source source;
    const spor_bound *bound;
} look;

/* Marks what moves numbers of x and y and does nothing else. */
static bool *find_moved(const spor_tape *tape, spor_var x, spor_var target) {
    bool *moved = calloc(tape->count, sizeof *moved);
    if (!moved) return NULL;
    moved[x.id] = true;
    if (target.id) moved[target.id] = true;
    for (uint32_t id = 1; id < tape->count; id++) {
        const spor_node *node = &tape->node[id];
        bool all = node->op->operands > 0 && node->op->traits & SPOR_LINEAR;
        for (int k = 0; k < node->op->operands; k++) all = all && moved[node->in[k]];
        moved[id] = moved[id] || all;
    }
    return moved;
}

static bool is_index(const spor_node *node, int operand, const bool moved[]) {
    return node->op->domain[operand] == SPOR_INDEX && moved[node->in[operand]];
}

/* Compiles what makes the index; false with the program's error, or NULL. */
static bool open_index(named_by *b, const spor_node *node, int operand, spor_params *params) {
    spor_shape in[SPOR_OPERANDS];
    spor_options options = {.scalar = b->scalar, .reference = true};
    for (int k = 0; k < node->op->operands; k++) in[k] = *b->tape->node[node->in[k]].shape;
    b->node = node;
    b->rows = node->op->named(in, node->attr);
    b->index = (spor_var){b->x.tape, node->in[operand]};
    const spor_var outputs[] = {b->index};
    b->program = spor_compile(b->x.tape, 1, outputs, params, &options);
    return b->program && !spor_program_error(b->program);
}

static double index_at(const named_by *b, int64_t k) {
    spor_arg arg = spor_program_arg(b->program, b->index);
    return element_types[b->scalar]->value(arg.data, k);
}

/* Numbers in the places of x's: column + by. */
static void fill_columns(const named_by *b, double by) {
    spor_arg x = spor_program_arg(b->program, b->x);
    for (int64_t k = 0; x.data && k < shape_size(&x.shape); k++)
        element_types[b->scalar]->set(x.data, k, (double)(k % b->size) + by);
}

/* The column of x that each element of the index is; -1: none, or not of one alone. */
static bool find_columns(const named_by *b, int64_t column[]) {
    spor_shape shape = spor_shape_of(b->index);
    for (int half = 0; half < 2; half++) {
        fill_columns(b, half / 2.0);
        if (!spor_run(b->program, 0)) return false;
        for (int64_t k = 0; k < shape_size(&shape); k++) {
            double at = index_at(b, k) - half / 2.0;
            bool is_one = at >= 0 && at < (double)b->size && floor(at) >= at;
            int64_t found = is_one ? (int64_t)at : -1;
            column[k] = !half || column[k] == found ? found : -1;
        }
    }
    return true;
}

/* The same of one element. */
static int64_t column_of(const named_by *b, int64_t k) {
    spor_shape shape = spor_shape_of(b->index);
    int64_t *column = malloc(bytes_for(shape_size(&shape) + 1, sizeof *column));
    int64_t found = column && find_columns(b, column) ? column[k] : -1;
    free(column);
    return found;
}

static bool tell(const look *l, int64_t k, double value, const int64_t row[]) {
    spor_shape shape = spor_shape_of(l->by.index);
    char name[SPOR_NAME], where[80] = "a number", at[64] = "";
    int64_t column = column_of(&l->by, k), all = shape_size(&shape);
    const char *called = column >= 0 && l->data->x.column ? l->data->x.column[column] : NULL;
    op_name(l->by.node->op, name, sizeof name);
    if (column >= 0) snprintf(where, sizeof where, "column %" PRId64, column + 1);
    if (called) snprintf(where, sizeof where, "column %.60s", called);
    if (shape.rank && shape.n[0] == l->bound->rows)
        snprintf(at, sizeof at, "row %" PRId64 ", ", row[k / (all / shape.n[0])] + 1);
    return model_fail(
        l->model,
        "%s: %s%s is %g, which names none of the %" PRId64 " rows that %s (line %d) "
        "takes from: they are 0 to %" PRId64 ", whole numbers that are neither scaled "
        "nor standardized",
        l->data->name, at, where, value, l->by.rows, name, l->by.node->place.line, l->by.rows - 1);
}

/* The rows in batches; the last one is filled up with its last row. */
static bool look_at_rows(const look *l, const int64_t rows[], int64_t count) {
    int64_t n = l->bound->rows, row[BATCH_OF_EVALUATION];
    spor_shape shape = spor_shape_of(l->by.index);
    for (int64_t first = 0; first < count; first += n) {
        for (int64_t k = 0; k < n; k++) {
            int64_t at = first + k < count ? first + k : count - 1;
            row[k] = rows ? rows[at] : at;
        }
        batch_fill(&l->source, row, n, spor_program_arg(l->by.program, l->bound->input).data,
                   l->bound->target.id ? spor_program_arg(l->by.program, l->bound->target).data
                                       : NULL);
        if (!spor_run(l->by.program, 0))
            return model_fail(l->model, "%s", spor_program_error(l->by.program));
        for (int64_t k = 0; k < shape_size(&shape); k++) {
            double i = index_at(&l->by, k);
            if (!(i >= 0 && i < (double)l->by.rows) || floor(i) < i) return tell(l, k, i, row);
        }
    }
    return true;
}

static bool look_at_index(look *l, const spor_node *node, int operand, const int64_t rows[],
                          int64_t count) {
    bool made = open_index(&l->by, node, operand, spor_model_params(l->model));
    bool done =
        made ? look_at_rows(l, rows, count)
             : model_fail(l->model, "%s",
                          l->by.program ? spor_program_error(l->by.program) : "out of memory");
    spor_program_free(l->by.program);
    return done;
}

bool index_look(spor_model *model, const spor_data *data, const int64_t rows[], int64_t count,
                const spor_bound *bound, const batch_source *source) {
    const spor_tape *tape = bound->tape;
    look l = {
        .by = {.tape = tape, .x = bound->input, .size = source->size, .scalar = source->scalar},
        .model = model,
        .data = data,
        .source = *source,
        .bound = bound};
    bool *moved = find_moved(tape, bound->input, bound->target);
    bool done = moved || model_fail(model, "out of memory");
    for (uint32_t id = 1; done && id < tape->count; id++)
        for (int k = 0; done && k < tape->node[id].op->operands; k++)
            if (is_index(&tape->node[id], k, moved))
                done = look_at_index(&l, &tape->node[id], k, rows, count);
    free(moved);
    return done;
}

/* ---- rows that random numbers may name ---- */

/* The least of what takes them. */
static bool limit_columns(named_by *b, const spor_node *node, int operand, spor_params *params,
                          int64_t named[]) {
    bool done = open_index(b, node, operand, params);
    spor_shape shape = spor_shape_of(b->index);
    int64_t *column = malloc(bytes_for(shape_size(&shape) + 1, sizeof *column));
    done = done && column && find_columns(b, column);
    for (int64_t k = 0; done && k < shape_size(&shape); k++) {
        int64_t c = column[k];
        if (c >= 0) named[c] = !named[c] || b->rows < named[c] ? b->rows : named[c];
    }
    free(column);
    spor_program_free(b->program);
    return done;
}

bool index_named(spor_var x, spor_var target, spor_params *params, int64_t size, int64_t named[]) {
    const spor_tape *tape = x.tape;
    named_by b = {.tape = tape, .x = x, .size = size, .scalar = SPOR_F64};
    bool *moved = find_moved(tape, x, target), done = moved;
    memset(named, 0, bytes_for(size, sizeof *named));
    for (uint32_t id = 1; done && id < tape->count; id++)
        for (int k = 0; done && k < tape->node[id].op->operands; k++)
            if (is_index(&tape->node[id], k, moved))
                done = limit_columns(&b, &tape->node[id], k, params, named);
    free(moved);
    return done;
}
