#include "train/warn.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "tape/tape.h"
#include "train/batch.h"
#include "train/model.h"

enum { ROWS_LOOKED_AT = 4096, NAMED = 5 };

typedef struct {
    spor_model *model;
    const spor_data *data;
    const spor_split *split;
    const spor_schedule *schedule;
    warn_tell *tell;
    void *user;
} warning;

static void warn(const warning *w, const spor_node *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* at: the node that it speaks of, or NULL. */
static void warn(const warning *w, const spor_node *at, const char *format, ...) {
    char text[640];
    const spor_place nowhere = {0}, place = at ? at->place : nowhere;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    w->tell(text, place.file, place.line, place.column, w->user);
}

static bool out_of_memory(const warning *w) {
    return model_fail(w->model, "out of memory");
}

/* A training program that the run runs. */
static const spor_bound *bound_of(const warning *w) {
    int64_t rows = w->split->train_rows, batch = w->schedule->batch;
    return model_plan(w->model, rows < batch ? rows : batch, true);
}

/* ---- softmax of shares ---------------------------------------------------------------------- */

/* The node whose elements these are, in the same order. */
static uint32_t source_of(const spor_tape *tape, uint32_t id) {
    while (tape->node[id].op->traits & SPOR_ALIAS) id = tape->node[id].in[0];
    return id;
}

static void warn_of_softmax_twice(const warning *w) {
    const spor_bound *b = bound_of(w);
    const spor_tape *tape = b->tape;
    uint32_t shares = source_of(tape, b->prediction.id);
    if (!(tape->node[shares].op->traits & SPOR_SHARES)) return;
    for (uint32_t id = b->prediction.id + 1; id <= b->cost.id; id++) {
        const spor_node *node = &tape->node[id];
        if (!(node->op->traits & SPOR_LOGITS) || source_of(tape, node->in[0]) != shares) continue;
        warn(w, &tape->node[shares],
             "the network ends in softmax, and the loss takes softmax of that again, which "
             "learns slowly: return what goes into it, the logits");
        return;
    }
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

/* Adds the squares of some rows, as the network sees them, to those of their columns. */
static void add_squares(const batch_source *source, const int64_t rows[], int64_t n, double x[],
                        double square[]) {
    batch_fill(source, rows, n, x, NULL);
    for (int64_t k = 0; k < n * source->size; k++) square[k % source->size] += x[k] * x[k];
}

/* Looks at training rows at equal distances. */
static double *squares_of_columns(const warning *w, const batch_source *source, int64_t *looked) {
    enum { AT_ONCE = 64 };
    int64_t rows = w->split->train_rows, every = (rows + ROWS_LOOKED_AT - 1) / ROWS_LOOKED_AT;
    int64_t row[AT_ONCE];
    double *square = calloc((size_t)source->size, sizeof *square);
    double *x = calloc((size_t)source->size, AT_ONCE * sizeof *x);
    *looked = 0;
    for (int64_t at = 0; square && x && at < rows;) {
        int64_t n = 0;
        for (; n < AT_ONCE && at < rows; n++, at += every) row[n] = w->split->train[at];
        add_squares(source, row, n, x, square);
        *looked += n;
    }
    if (!x) free(square), square = NULL;
    free(x);
    return square;
}

static void tell_of_columns(const warning *w, const spor_shape *sample, double largest,
                            int64_t column) {
    char which[40] = "numbers";
    if (sample->rank == 1) snprintf(which, sizeof which, "column %" PRId64, column + 1);
    warn(w, NULL,
         "inputs are not scaled: %s of %s reach%s %.3g (root mean square), where initial weights "
         "expect about 1; scale= or standardize=\"train\" of the data brings them there",
         which, w->data->name, sample->rank == 1 ? "es" : "", largest);
}

static bool warn_of_columns(const warning *w) {
    const spor_bound *b = bound_of(w);
    const spor_model_spec *spec = model_spec_of(w->model);
    batch_source source = batch_source_of(w->data, &spec->sample, &spec->target, SPOR_F64, 0);
    bool *marked = calloc(b->tape->count, sizeof *marked);
    bool product = marked && meets_weights(b, marked);
    int64_t looked, largest = 0;
    double *square = product ? squares_of_columns(w, &source, &looked) : NULL;
    for (int64_t k = 0; square && k < source.size; k++)
        if (square[k] > square[largest]) largest = k;
    double size = square ? sqrt(square[largest] / (double)looked) : 0;
    if (size > WARN_UNSCALED) tell_of_columns(w, &spec->sample, size, largest);
    bool done = marked && (!product || square);
    free(square);
    free(marked);
    return done || out_of_memory(w);
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
    warn(w, NULL, "%d of the %d classes of %s never occur%s in the rows to train with: %s%s",
         absent, w->data->classes, w->data->name, absent == 1 ? "s" : "", list,
         absent > NAMED ? ", ..." : "");
}

static bool warn_of_classes(const warning *w) {
    const spor_model_spec *spec = model_spec_of(w->model);
    batch_source source = batch_source_of(w->data, &spec->sample, &spec->target, SPOR_F64, 0);
    int absent = 0, named[NAMED];
    if (!source.one_hot || !w->data->label) return true;
    bool *seen = calloc((size_t)w->data->classes, sizeof *seen);
    if (!seen) return out_of_memory(w);
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
    if (!mark) return out_of_memory(w);
    mark_statistics(b, mark);
    for (uint32_t k = 0; k < b->tape->assignments; k++) {
        const spor_assignment *a = &b->tape->assignment[k];
        if (!(mark[a->value] & OF_ONE)) continue;
        warn(w, NULL, "%s batch has one row, of which %s takes statistics: the row itself; %s",
             batch > 1 ? "the last" : "each", b->tape->node[a->state].name,
             batch > 1 ? "another batch size leaves more" : "batches need more rows");
        break;
    }
    free(mark);
    return true;
}

/* ---- a reduction that is not the loss's ----------------------------------------------------- */

/* Two different numbers of rows that are evaluated together; false: there is one alone. */
static bool two_sizes(const spor_split *split, int64_t size[2]) {
    const int64_t rows[] = {split->train_rows, split->validation_rows, split->test_rows};
    int found = 0;
    for (int k = 0; k < 6 && found < 2; k++) {
        int64_t all = rows[k / 2], last = all % BATCH_OF_EVALUATION;
        int64_t n = k % 2 ? last : all - last > 0 ? BATCH_OF_EVALUATION : 0;
        if (n && (!found || n != size[0])) size[found++] = n;
    }
    return found == 2;
}

/* The cost of n copies of the first row to train with. */
static double cost_of_copies(const warning *w, const batch_source *source, int64_t n) {
    int64_t row[BATCH_OF_EVALUATION];
    double cost = nan("");
    for (int64_t k = 0; k < n; k++) row[k] = w->split->train[0];
    batch_cost(w->model, source, row, n, &cost);
    return cost;
}

/* A mean costs the same whatever the number of copies, a sum in proportion; what does neither, such as a
 * loss of pairs, may be either. */
static bool warn_of_reduction(const warning *w) {
    const spor_model_spec *spec = model_spec_of(w->model);
    batch_source source =
        batch_source_of(w->data, &spec->sample, &spec->target, spec->options.scalar, 0);
    bool sums = spec->reduction == SPOR_REDUCTION_SUM;
    int64_t size[2];
    if (!two_sizes(w->split, size)) return true;
    double cost[2], share[2];
    for (int k = 0; k < 2; k++) {
        cost[k] = cost_of_copies(w, &source, size[k]);
        share[k] = sums ? cost[k] : cost[k] / (double)size[k]; /* equal if it is not as said */
    }
    if (fabs(share[1] - share[0]) < 1e-3 * fabs(share[0]))
        warn(w, &bound_of(w)->tape->node[bound_of(w)->cost.id],
             "the loss is said to %s, but %" PRId64 " copies of a row cost %.4g and %" PRId64
             " cost %.4g: reduction=\"%s\" is what it does",
             sums ? "add up its rows" : "be their mean", size[0], cost[0], size[1], cost[1],
             sums ? "mean" : "sum");
    return !spor_model_error(w->model);
}

/* ---- numbers of another shape ---------------------------------------------------------------- */

/* A difference of other shapes repeats one of them, and the loss is a number all the same. */
static void warn_of_misfit(const warning *w) {
    char text[256];
    const spor_bound *b = bound_of(w);
    if (model_spec_of(w->model)->metric != SPOR_METRIC_FITTING || w->data->classes) return;
    if (*model_misfit(w->model, b, text))
        warn(w, &b->tape->node[b->prediction.id],
             "%s; if the loss is to compare other things, metric=\"loss\" says so", text);
}

bool train_warn(spor_model *model, const spor_data *data, const spor_split *split,
                const spor_schedule *schedule, warn_tell *tell, void *user) {
    warning w = {model, data, split, schedule, tell, user};
    warn_of_softmax_twice(&w);
    warn_of_misfit(&w);
    return warn_of_columns(&w) && warn_of_classes(&w) && warn_of_one_row(&w) &&
           warn_of_reduction(&w);
}
