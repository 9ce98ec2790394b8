/*
 * Targets and losses that do not go together, with each other or with what the network ends in: found on the tape,
 * in rows of the data, and by the cost of some.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/shape.h"
#include "train/model.h"
#include "train/warning.h"

/* ---- chances of chances --------------------------------------------------------------------- */

/* The node whose elements these are, in the same order. */
static uint32_t source_of(const spor_tape *tape, uint32_t id) {
    while (tape->node[id].op->traits & SPOR_ALIAS) id = tape->node[id].in[0];
    return id;
}

static bool makes_chances(const spor_op *op) {
    return op->traits & (SPOR_SHARES | SPOR_CHANCES);
}

/* What people call an op that makes chances, or their logs, of scores. */
static const char *chances_name(const spor_op *op) {
    return op->traits & SPOR_MIXES_SAMPLES ? "softmax" : "sigmoid";
}

void warn_of_chances_twice(const warning *w) {
    const spor_bound *b = warning_bound(w);
    const spor_tape *tape = b->tape;
    uint32_t chances = source_of(tape, b->prediction.id);
    const spor_op *first = tape->node[chances].op;
    if (!makes_chances(first)) return;
    for (uint32_t id = b->prediction.id + 1; id <= b->cost.id; id++) {
        const spor_node *node = &tape->node[id];
        bool takes_scores = node->op->traits & (SPOR_LOGITS | SPOR_SCORES);
        if (!takes_scores || source_of(tape, node->in[0]) != chances) continue;
        const char *ends = chances_name(first), *takes = chances_name(node->op);
        warning_say(
            w, &tape->node[chances],
            "the network ends in %s, and the loss takes %s of that%s, which learns slowly: return "
            "what goes into it, the logits",
            ends, takes, strcmp(ends, takes) ? "" : " again");
        return;
    }
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
bool warn_of_reduction(const warning *w) {
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
        warning_say(w, &warning_bound(w)->tape->node[warning_bound(w)->cost.id],
                    "the loss is said to %s, but %" PRId64 " copies of a row cost %.4g and %" PRId64
                    " cost %.4g: reduction=\"%s\" is what it does",
                    sums ? "add up its rows" : "be their mean", size[0], cost[0], size[1], cost[1],
                    sums ? "mean" : "sum");
    return !spor_model_error(w->model);
}

/* ---- numbers of another shape ---------------------------------------------------------------- */

/* A difference of other shapes repeats one of them, and the loss is a number all the same. */
void warn_of_misfit(const warning *w) {
    char text[256];
    const spor_bound *b = warning_bound(w);
    if (model_spec_of(w->model)->metric != SPOR_METRIC_FITTING || w->data->classes) return;
    if (*model_misfit(w->model, b, text))
        warning_say(w, &b->tape->node[b->prediction.id],
                    "%s; if the loss is to compare other things, metric=\"loss\" says so", text);
}

/* ---- targets that are not the loss's --------------------------------------------------------- */

/* What predictions become says what targets are: shares of softmax, chances of sigmoid. */
static unsigned traits_of_link(const warning *w) {
    spor_link *link = model_link(w->model);
    spor_tape *tape = link ? spor_tape_new() : NULL;
    spor_shape shape = spor_shape_of(warning_bound(w)->prediction);
    spor_var made = tape ? link(spor_input(tape, "prediction", shape)) : (spor_var){0};
    unsigned traits = made.id ? tape->node[made.id].op->traits : 0;
    spor_tape_free(tape);
    return traits;
}

/* The first row that is not what the loss compares. */
typedef struct {
    bool shares;   /* asked for: rows that add up to 1; else chances */
    int64_t row;   /* -1: none was found */
    double number; /* a number of it that is no chance, or what the row adds up to */
} stray_target;

static bool is_stray(const double *y, int64_t width, bool shares, double *number) {
    double sum = 0;
    for (int64_t k = 0; k < width; k++) {
        *number = y[k];
        if (!(y[k] >= 0 && (y[k] <= 1 || shares))) return true;
        sum += y[k];
    }
    *number = sum;
    return shares && fabs(sum - 1) > 1e-3;
}

static bool find_stray(const int64_t rows[], int64_t n, const double *x, int64_t width,
                       void *user) {
    stray_target *stray = user;
    for (int64_t k = 0; k < n; k++) {
        if (!is_stray(x + k * width, width, stray->shares, &stray->number)) continue;
        stray->row = rows[k];
        return false;
    }
    return true;
}

static void tell_of_stray(const warning *w, const stray_target *stray, bool mirrored) {
    const char *wants = stray->shares ? "shares of classes, which add up to 1 in a row"
                                      : "chances, numbers from 0 to 1";
    const char *is = stray->shares && stray->number >= 0 ? "adds up to" : "has";
    const char *instead = mirrored        ? "scale= brings inputs there, and squared_error"
                          : stray->shares ? "label= or classes= makes classes of a column, "
                                            "binary_cross_entropy compares labels that do not "
                                            "exclude each other, and squared_error"
                                          : "label= or classes= makes classes of a column, and "
                                            "squared_error";
    warning_say(w, NULL,
                "the loss compares %s, but the target of row %" PRId64
                " of %s, counted from 0, %s %.4g: "
                "%s compares numbers",
                wants, stray->row, w->data->name, is, stray->number, instead);
}

/* Numbers of a target; 0: it is made of classes. */
static int64_t numbers_of_target(const warning *w, batch_source *source) {
    const spor_model_spec *spec = model_spec_of(w->model);
    *source = batch_source_of(w->data, &spec->sample, &spec->target, SPOR_F64, 0);
    return source->one_hot ? 0 : shape_size(&spec->target);
}

bool warn_of_targets(const warning *w) {
    batch_source source;
    int64_t width = numbers_of_target(w, &source);
    unsigned traits = width ? traits_of_link(w) : 0;
    stray_target stray = {.shares = traits & SPOR_SHARES, .row = -1};
    if (!(traits & (SPOR_SHARES | SPOR_CHANCES))) return true;
    bool done = warning_show_rows(w, &source, width, true, find_stray, &stray);
    if (done && stray.row >= 0) tell_of_stray(w, &stray, source.mirrored);
    return done;
}

/* ---- numbers that predictions are far from --------------------------------------------------- */

/* As many numbers are predicted as are given, and compared, as far as anybody said. */
static bool compares_numbers(const warning *w, int64_t width) {
    const spor_bound *b = warning_bound(w);
    spor_shape shape = spor_shape_of(b->prediction);
    spor_metric metric = model_spec_of(w->model)->metric;
    return width && shape_size(&shape) == b->rows * width &&
           (metric == SPOR_METRIC_FITTING || metric == SPOR_METRIC_RMSE);
}

/* Root mean square of what is predicted at the initial weights. */
static bool size_of_predictions(const warning *w, double *size) {
    const spor_model_spec *spec = model_spec_of(w->model);
    batch_source source =
        batch_source_of(w->data, &spec->sample, &spec->target, spec->options.scalar, 0);
    int64_t n[2] = {0}, row[BATCH_OF_EVALUATION];
    double cost, squares = 0;
    two_sizes(w->split, n);
    for (int64_t k = 0; k < n[0]; k++) row[k] = w->split->train[k % w->split->train_rows];
    if (!batch_cost(w->model, &source, row, n[0], &cost)) return false;
    const spor_arg *predicted = &spor_model_bind(w->model, n[0], false)->logits;
    int64_t count = shape_size(&predicted->shape);
    for (int64_t k = 0; k < count; k++) {
        double number = model_number(w->model, predicted, k);
        squares += number * number;
    }
    *size = count ? sqrt(squares / (double)count) : 0;
    return true;
}

bool warn_of_large_targets(const warning *w) {
    batch_source source;
    int64_t width = numbers_of_target(w, &source);
    double size, predicted;
    if (source.mirrored || !compares_numbers(w, width)) return true;
    int64_t column = warning_largest_column(w, &source, width, true, &size);
    if (column < 0) return false;
    if (!(size > WARN_FAR)) return true;
    if (!size_of_predictions(w, &predicted)) return false;
    if (size > WARN_FAR * predicted)
        warning_say(
            w, NULL,
            "targets are not scaled: number %" PRId64 " of a target of %s reaches %.3g (root mean "
            "square), where the network predicts about %.3g at its initial weights and has far "
            "to go; smaller units of the data, or a factor on what it returns, bring them "
            "together",
            column, w->data->name, size, predicted);
    return true;
}

/* Chances never come to numbers outside of 0..1, such as those of an image that is not scaled. */
bool warn_of_reach(const warning *w) {
    batch_source source;
    const spor_bound *b = warning_bound(w);
    const spor_node *last = &b->tape->node[source_of(b->tape, b->prediction.id)];
    int64_t width = numbers_of_target(w, &source);
    stray_target stray = {.row = -1};
    if (!makes_chances(last->op) || !compares_numbers(w, width)) return true;
    bool done = warning_show_rows(w, &source, width, true, find_stray, &stray);
    if (done && stray.row >= 0)
        warning_say(w, last,
                    "the network ends in %s, of numbers from 0 to 1, but the target of row %" PRId64
                    " of %s, counted from 0, has %.4g: it can't come there",
                    chances_name(last->op), stray.row, w->data->name, stray.number);
    return done;
}

/* ---- a metric that is not the loss's --------------------------------------------------------- */

/* The loss alone, of rows whose targets are predicted. */
typedef struct {
    spor_tape *tape;
    spor_program *program;
    double *p, *y; /* [rows, width] */
    const double *cost;
    int64_t rows, width;
} loss_alone;

static void loss_free(loss_alone *l) {
    spor_program_free(l->program);
    spor_tape_free(l->tape);
}

/* False if it can't be had alone, of which nothing is told. */
static bool loss_record(const warning *w, loss_alone *l) {
    const spor_model_spec *spec = model_spec_of(w->model);
    const spor_bound *b = warning_bound(w);
    l->tape = spor_tape_new();
    spor_var p = spor_input(l->tape, "prediction", spor_shape_of(b->prediction));
    spor_var y = spor_input(l->tape, "y", spor_shape_of(b->target));
    spor_var cost = spec->loss(p, y, spec->user);
    l->program = spor_compile(l->tape, 1, &cost, NULL, &(spor_options){.scalar = SPOR_F64});
    l->p = spor_program_arg(l->program, p).data;
    l->y = spor_program_arg(l->program, y).data;
    l->cost = spor_program_arg(l->program, cost).data;
    return !spor_program_error(l->program) && l->p && l->y && l->cost;
}

/* The cost where number k of what is predicted is off by so much from its target. */
static double cost_off(loss_alone *l, int64_t k, double by) {
    l->p[k] = l->y[k] + by;
    double cost = spor_run(l->program, 0) ? *l->cost : nan("");
    l->p[k] = l->y[k];
    return cost;
}

/* Is a step away from the target no gain? Where chances are predicted none is made out of 0..1. */
static bool is_no_gain(loss_alone *l, int64_t k, double by, bool chances, double cost) {
    double there = l->y[k] + by;
    return (chances && !(there >= 0 && there <= 1)) ||
           !(cost_off(l, k, by) < cost - 1e-9 * fabs(cost));
}

/* A step into either direction makes a loss smaller that does not compare. */
static bool compares(loss_alone *l, bool chances) {
    enum { ROWS = 8, NUMBERS = 4 };
    int64_t count = l->rows * l->width, rows = l->rows < ROWS ? l->rows : ROWS;
    int64_t numbers = l->width < NUMBERS ? l->width : NUMBERS;
    double squares = 0;
    bool all = true;
    for (int64_t k = 0; k < count; k++) squares += l->y[k] * l->y[k];
    double by = squares > 0 ? sqrt(squares / (double)count) / 2 : 0.5;
    memcpy(l->p, l->y, (size_t)count * sizeof *l->p);
    double cost = cost_off(l, 0, 0);
    for (int64_t k = 0; all && k < rows * numbers; k++) {
        int64_t number = k / numbers * l->width + k % numbers * (l->width / numbers);
        all = is_no_gain(l, number, by, chances, cost) && is_no_gain(l, number, -by, chances, cost);
    }
    return all;
}

/* A loss that does not compare the two has no least value where they are equal. */
bool warn_of_metric(const warning *w) {
    batch_source source;
    const spor_bound *b = warning_bound(w);
    loss_alone l = {.rows = b->rows, .width = numbers_of_target(w, &source)};
    if (!compares_numbers(w, l.width) || model_spec_of(w->model)->metric != SPOR_METRIC_FITTING)
        return true;
    bool chances = makes_chances(b->tape->node[source_of(b->tape, b->prediction.id)].op);
    if (loss_record(w, &l)) {
        batch_fill(&source, w->split->train, l.rows, NULL, l.y);
        if (!compares(&l, chances))
            warning_say(
                w, &b->tape->node[b->cost.id],
                "the loss is not least where the prediction is the target: RMSE and R² are of two "
                "things that it does not compare; metric=\"loss\" leaves them out");
    }
    loss_free(&l);
    return true;
}
