#include "train/warning.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "train/model.h"

enum { ROWS_LOOKED_AT = 4096, NAMED = 5 };

void warning_say(const warning *w, const spor_node *at, const char *format, ...) {
    char text[768];
    const spor_place nowhere = {0}, place = at ? at->place : nowhere;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    w->tell(text, place.file, place.line, place.column, w->user);
}

bool warning_out_of_memory(const warning *w) {
    return model_fail(w->model, "out of memory");
}

const spor_bound *warning_bound(const warning *w) {
    int64_t rows = w->split->train_rows, batch = w->schedule->batch;
    return model_plan(w->model, rows < batch ? rows : batch, true);
}

/* ---- rows that are looked at ---------------------------------------------------------------- */

/* Shows training rows at equal distances, inputs or targets, as the network sees them. False with the
 * model's error. */
bool warning_show_rows(const warning *w, const batch_source *source, int64_t width, bool targets,
                       warning_look *look, void *user) {
    enum { AT_ONCE = 64 };
    int64_t rows = w->split->train_rows, every = (rows + ROWS_LOOKED_AT - 1) / ROWS_LOOKED_AT;
    int64_t row[AT_ONCE], at = 0, n;
    double *x = calloc((size_t)width, AT_ONCE * sizeof *x);
    if (!x) return warning_out_of_memory(w);
    do {
        for (n = 0; n < AT_ONCE && at < rows; n++, at += every) row[n] = w->split->train[at];
        batch_fill(source, row, n, targets ? NULL : x, targets ? x : NULL);
    } while (n && look(row, n, x, width, user));
    free(x);
    return true;
}

/* Sums of squares, column by column. */
typedef struct {
    double *square; /* [columns]; freed by who asked */
    int64_t rows;
} columns_seen;

static bool add_squares(const int64_t rows[], int64_t n, const double *x, int64_t width,
                        void *user) {
    columns_seen *seen = user;
    (void)rows;
    for (int64_t k = 0; k < n * width; k++) seen->square[k % width] += x[k] * x[k];
    seen->rows += n;
    return true;
}

/* The column that is largest in its root mean square, and that; -1 with the model's error. */
int64_t warning_largest_column(const warning *w, const batch_source *source, int64_t width,
                               bool targets, double *size) {
    columns_seen seen = {.square = calloc((size_t)width, sizeof *seen.square)};
    int64_t largest = 0;
    if (!seen.square)
        warning_out_of_memory(w), largest = -1;
    else if (!warning_show_rows(w, source, width, targets, add_squares, &seen))
        largest = -1;
    for (int64_t k = 0; largest >= 0 && k < width; k++)
        if (seen.square[k] > seen.square[largest]) largest = k;
    *size = largest >= 0 ? sqrt(seen.square[largest] / (double)seen.rows) : 0;
    free(seen.square);
    return largest;
}

/* ---- inputs that are not scaled ------------------------------------------------------------- */

/* True if all operands are among those marked. */
static bool all_marked(const spor_node *node, const bool marked[]) {
    bool all = node->op->operands > 0;
    for (int k = 0; k < node->op->operands; k++) all = all && marked[node->in[k]];
    return all;
}

/* Does a node add up products of weights with x, or with what is linear in x and nothing else, and so
 * has no scale but x's own? marked: [nodes], false. */
static bool meets_weights(const spor_bound *b, bool marked[]) {
    const spor_tape *tape = b->tape;
    marked[b->input.id] = true;
    for (uint32_t id = b->input.id + 1; id <= b->cost.id; id++) {
        const spor_node *node = &tape->node[id];
        bool any = false;
        for (int k = 0; k < node->op->operands; k++) any = any || marked[node->in[k]];
        if (any && node->op->cost) return true;
        marked[id] = node->op->traits & SPOR_LINEAR && all_marked(node, marked);
    }
    return false;
}

static void tell_of_columns(const warning *w, const spor_shape *sample, double largest,
                            int64_t column) {
    char which[40] = "numbers";
    if (sample->rank == 1) snprintf(which, sizeof which, "column %" PRId64, column + 1);
    warning_say(
        w, NULL,
        "inputs are not scaled: %s of %s reach%s %.3g (root mean square), where initial weights "
        "expect about 1; scale= or standardize=\"train\" of the data brings them there",
        which, w->data->name, sample->rank == 1 ? "es" : "", largest);
}

static bool warn_of_columns(const warning *w) {
    const spor_bound *b = warning_bound(w);
    const spor_model_spec *spec = model_spec_of(w->model);
    batch_source source = batch_source_of(w->data, &spec->sample, &spec->target, SPOR_F64, 0);
    bool *marked = calloc(b->tape->count, sizeof *marked);
    double size = 0;
    if (!marked) return warning_out_of_memory(w);
    int64_t largest = meets_weights(b, marked)
                          ? warning_largest_column(w, &source, source.size, false, &size)
                          : 0;
    free(marked);
    if (size > WARN_UNSCALED) tell_of_columns(w, &spec->sample, size, largest);
    return largest >= 0;
}

/* ---- a column that counts the rows ----------------------------------------------------------- */

/* Which columns have been row number + 0 or + 1 until now; bits 1 and 2. */
typedef struct {
    const spor_data *data;
    unsigned char *counts; /* [columns] */
} counting;

/* A number as the file has it. */
static double raw_number(const spor_data *data, double x, int64_t column) {
    if (data->x.mean) x = x / data->x.factor[column] + data->x.mean[column];
    return x / data->scale;
}

static bool strike_out(const int64_t rows[], int64_t n, const double *x, int64_t width,
                       void *user) {
    counting *c = user;
    for (int64_t k = 0; k < n * width; k++) {
        double off = raw_number(c->data, x[k], k % width) -
                     (double)rows[k / width]; /* 0 or 1 of such a one */
        if (!(fabs(off) < 1e-6)) c->counts[k % width] &= 2;
        if (!(fabs(off - 1) < 1e-6)) c->counts[k % width] &= 1;
    }
    return true;
}

static void tell_of_row_numbers(const warning *w, int64_t column, int from) {
    char *const *name = w->data->x.column;
    char which[80], drop[80] = "";
    snprintf(which, sizeof which, "column %" PRId64 " of the inputs", column + 1);
    if (name && *name[column]) {
        snprintf(which, sizeof which, "column \"%.60s\"", name[column]);
        snprintf(drop, sizeof drop, "[\"%.60s\"]", name[column]);
    }
    warning_say(
        w, NULL,
        "%s of %s counts the rows, from %d on: it says where a row stands and nothing of what it "
        "is; drop=%s leaves a column out",
        which, w->data->name, from, drop);
}

/* Tables that were written with a column of row numbers: of pandas, of R. */
static bool warn_of_row_numbers(const warning *w) {
    enum { ROWS_THAT_TELL = 8 };
    const spor_model_spec *spec = model_spec_of(w->model);
    batch_source source = batch_source_of(w->data, &spec->sample, &spec->target, SPOR_F64, 0);
    if (spec->sample.rank != 1 || source.size < 2 || w->split->train_rows < ROWS_THAT_TELL)
        return true;
    counting c = {w->data, malloc((size_t)source.size)};
    if (!c.counts) return warning_out_of_memory(w);
    memset(c.counts, 3, (size_t)source.size);
    bool done = warning_show_rows(w, &source, source.size, false, strike_out, &c);
    for (int64_t k = 0; done && k < source.size; k++)
        if (c.counts[k]) tell_of_row_numbers(w, k, c.counts[k] & 1 ? 0 : 1);
    free(c.counts);
    return done;
}

/* ---- classes that never occur --------------------------------------------------------------- */

static void tell_of_classes(const warning *w, int absent, const int named[]) {
    char list[32 * NAMED] = "";
    for (int k = 0; k < absent && k < NAMED; k++) {
        size_t used = strlen(list);
        const char *name = w->data->class_name ? w->data->class_name[named[k]] : NULL;
        if (name)
            snprintf(list + used, sizeof list - used, "%s%.24s", k ? ", " : "", name);
        else
            snprintf(list + used, sizeof list - used, "%s%d", k ? ", " : "", named[k]);
    }
    warning_say(w, NULL, "%d of the %d classes of %s never occur%s in the rows to train with: %s%s",
                absent, w->data->classes, w->data->name, absent == 1 ? "s" : "", list,
                absent > NAMED ? ", ..." : "");
}

static bool warn_of_classes(const warning *w) {
    const spor_model_spec *spec = model_spec_of(w->model);
    batch_source source = batch_source_of(w->data, &spec->sample, &spec->target, SPOR_F64, 0);
    int absent = 0, named[NAMED];
    if (!source.one_hot || !w->data->label) return true;
    bool *seen = calloc((size_t)w->data->classes, sizeof *seen);
    if (!seen) return warning_out_of_memory(w);
    for (int64_t n = 0; n < w->split->train_rows; n++)
        seen[w->data->label[w->split->train[n]]] = true;
    for (int k = 0; k < w->data->classes; k++) {
        if (seen[k]) continue;
        if (absent < NAMED) named[absent] = k;
        absent++;
    }
    if (absent) tell_of_classes(w, absent, named);
    free(seen);
    return true;
}

/* ---- statistics of one number --------------------------------------------------------------- */

enum { OF_X = 1, OF_ONE = 2 }; /* depends on x; on a reduction of single numbers of that */

/* A reduction over axes of size 1. */
static bool reduces_nothing(const spor_tape *tape, const spor_node *node) {
    if (node->op->operands != 1 || !(node->op->traits & SPOR_MIXES_SAMPLES)) return false;
    const spor_shape *in = tape->node[node->in[0]].shape;
    return !(node->op->traits & SPOR_ALIAS) && node->shape->rank < in->rank &&
           shape_size(in) == shape_size(node->shape);
}

static void mark_statistics(const spor_bound *b, unsigned char mark[]) {
    const spor_tape *tape = b->tape;
    mark[b->input.id] = OF_X;
    for (uint32_t id = b->input.id + 1; id < tape->count; id++) {
        const spor_node *node = &tape->node[id];
        for (int k = 0; k < node->op->operands; k++) mark[id] |= mark[node->in[k]];
        if (mark[id] && reduces_nothing(tape, node)) mark[id] |= OF_ONE;
    }
}

/* In a batch of one row a state that takes the mean of its column takes the row. */
static bool warn_of_one_row(const warning *w) {
    int64_t rows = w->split->train_rows, batch = w->schedule->batch;
    if (batch > 1 && rows % batch != 1) return true;
    const spor_bound *b = model_plan(w->model, 1, true);
    unsigned char *mark = calloc(b->tape->count, 1);
    if (!mark) return warning_out_of_memory(w);
    mark_statistics(b, mark);
    for (uint32_t k = 0; k < b->tape->assignments; k++) {
        const spor_assignment *a = &b->tape->assignment[k];
        if (!(mark[a->value] & OF_ONE)) continue;
        warning_say(w, NULL,
                    "%s batch has one row, of which %s takes statistics: the row itself; %s",
                    batch > 1 ? "the last" : "each", b->tape->node[a->state].name,
                    batch > 1 ? "another batch size leaves more" : "batches need more rows");
        break;
    }
    free(mark);
    return true;
}

bool train_warn(spor_model *model, const spor_data *data, const spor_split *split,
                const spor_schedule *schedule, warn_tell *tell, void *user) {
    warning w = {model, data, split, schedule, tell, user};
    warn_of_chances_twice(&w);
    warn_of_misfit(&w);
    return warn_of_columns(&w) && warn_of_row_numbers(&w) && warn_of_targets(&w) &&
           warn_of_reach(&w) && warn_of_large_targets(&w) && warn_of_classes(&w) &&
           warn_of_one_row(&w) && warn_of_reduction(&w) && warn_of_metric(&w);
}
