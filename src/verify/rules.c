/*
 * The rules of training: initial values follow their laws, a step is the optimizer's rule, the first
 * steps move every parameter, pixels or columns are scaled, splits are disjoint and cover the rows.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/shape.h"
#include "data/values.h"
#include "program/params.h"
#include "train/batch.h"
#include "train/model.h"
#include "verify/model.h"

enum {
    MOST_STEPS = 8,  /* that are looked at */
    JUDGED_STEPS = 2 /* in the first one the states of most optimizers are 0 */
};

/* Deviations of five standard errors happen once in two million draws. */
static const double standard_errors = 5;

typedef struct {
    const spor_model_check *check;
    spor_on_model_row *on_row;
    void *user;
    spor_message *message;
    spor_scalar scalar;
    spor_model *model;
    spor_bound *bound;
} training;

static void tell(const training *t, spor_outcome outcome, const char *label, const char *summary) {
    spor_model_row row = {outcome, label, summary, "", NULL, false};
    t->on_row(t->user, &row);
}

static void show(const training *t, bool holds, const char *label, const char *summary) {
    tell(t, holds ? SPOR_HOLDS : SPOR_FAILS, label, summary);
}

/* ---- initial values ---- */

/* Mean and standard deviation that spor_init promises, stated apart from what draws them: fan-in of
 * a kernel [k, l, C, F] is k l C, its fan-out k l F. */
static void law_of(const spor_leaf *leaf, const spor_shape *shape, double *mean,
                   double *deviation) {
    const char *law = leaf->init.law;
    double field = 1, scale = leaf->init.scale, in, out;
    int rank = shape->rank;
    for (int k = 0; k < rank - 2; k++) field *= (double)shape->n[k];
    out = rank ? field * (double)shape->n[rank - 1] : 1;
    in = rank > 1 ? field * (double)shape->n[rank - 2] : out;
    bool all_alike = !strcmp(law, "constant") || !strcmp(law, "ones");
    *mean = all_alike ? scale : 0;
    *deviation = all_alike                 ? 0
                 : !strcmp(law, "zeros")   ? 0
                 : !strcmp(law, "uniform") ? scale / sqrt(3)
                 : !strcmp(law, "glorot")  ? scale * sqrt(2 / (in + out))
                 : !strcmp(law, "he")      ? scale * sqrt(2 / in)
                 : !strcmp(law, "lecun")   ? scale / sqrt(in)
                                           : scale;
}

/* How many standard errors a standard deviation of n draws is off. Its square is that of chi with n
 * - 1 degrees of freedom, whose cube root is normal even for few of them (Wilson and Hilferty). */
static double errors_of_deviation(double seen, double deviation, int64_t n) {
    double variance = 2.0 / (9.0 * (double)(n - 1)), ratio = seen / deviation;
    return (cbrt(ratio * ratio) - (1 - variance)) / sqrt(variance);
}

/* The sampling error of the mean of n draws is s / sqrt(n). */
static bool follows(const float value[], int64_t n, double mean, double deviation, double *seen) {
    double sum = 0, square = 0;
    for (int64_t k = 0; k < n; k++) sum += (double)value[k];
    for (int64_t k = 0; k < n; k++) {
        double from = (double)value[k] - (deviation > 0 ? sum / (double)n : mean);
        square += from * from;
    }
    *seen = sqrt(square / (double)(n > 1 ? n - 1 : 1));
    if (deviation <= 0) return *seen <= 0x1p-23 * fabs(mean);
    double root = sqrt((double)n);
    return fabs(sum / (double)n - mean) <= standard_errors * deviation / root &&
           (n < 2 || fabs(errors_of_deviation(*seen, deviation, n)) <= standard_errors);
}

static void check_initial(const training *t) {
    const spor_tape *tape = t->bound->tape;
    spor_params *params = spor_model_params(t->model);
    char summary[400];
    int64_t seen = 0;
    for (uint32_t k = 0; k < tape->leaves; k++) {
        const spor_leaf *leaf = &tape->leaf[k];
        const spor_node *node = &tape->node[leaf->id];
        spor_entry e = spor_params_entry(params, spor_params_find(params, node->name));
        double mean, deviation, sample;
        law_of(leaf, &e.shape, &mean, &deviation);
        seen++;
        if (follows(e.value, shape_size(&e.shape), mean, deviation, &sample)) continue;
        snprintf(summary, sizeof summary,
                 "%s of law %s has standard deviation %.3g where the law says %.3g", node->name,
                 leaf->init.law, sample, deviation);
        show(t, false, "initial values", summary);
        return;
    }
    snprintf(summary, sizeof summary,
             "%" PRId64 " parameters: mean and standard deviation within %g standard errors", seen,
             standard_errors);
    tell(t, seen ? SPOR_HOLDS : SPOR_NOTHING_EXAMINED, "initial values", summary);
}

/* ---- one step ---- */

/* Rows from the whole of the data, which may be sorted by class; or random ones. Others in each
 * step. */
static bool fill(training *t, int64_t step) {
    const spor_model_check *c = t->check;
    batch_source source = batch_source_of(c->data, &c->sample, &c->target, t->scalar, c->seed);
    int64_t rows = t->bound->rows;
    int64_t *row = malloc(bytes_for(rows, sizeof *row));
    if (!row) return message_complain(t->message, "out of memory");
    for (int64_t r = 0; r < rows; r++)
        row[r] = c->data ? (r * c->data->rows / rows + step) % c->data->rows : step * rows + r;
    int64_t *named = malloc(bytes_for(source.size + 1, sizeof *named));
    bool done = named && index_named(t->bound->input, t->bound->target, spor_model_params(t->model),
                                     source.size, named);
    source.named = named;
    if (done) batch_fill(&source, row, rows, t->bound->x.data, t->bound->y.data);
    free(named);
    free(row);
    return done || message_complain(t->message, "out of memory");
}

static void tell_update(const training *t, const spor_update_verdict *v) {
    char good[300];
    int length = snprintf(good, sizeof good, "%" PRId64 " elements", v->seen);
    if (v->undecided)
        length += snprintf(good + length, sizeof good - (size_t)length, ", %" PRId64 " undecided",
                           v->undecided);
    for (int k = 0; length < (int)sizeof good; k++) {
        spor_named_number setting = spor_program_setting(t->bound->program, k);
        if (!setting.name) break;
        length += snprintf(good + length, sizeof good - (size_t)length, ", %s %g", setting.name,
                           setting.value);
    }
    bool examined = v->seen > v->undecided;
    tell(t,
         *v->wrong  ? SPOR_FAILS
         : examined ? SPOR_HOLDS
                    : SPOR_NOTHING_EXAMINED,
         "the update is the rule", *v->wrong ? v->wrong : good);
}

/* The first trained parameter that is as it was before the first step; -1: none is. */
static int find_still(const training *t, float *const before[]) {
    spor_params *params = spor_model_params(t->model);
    for (int k = 0; k < spor_params_count(params); k++) {
        spor_entry e = spor_params_entry(params, k);
        size_t bytes = (size_t)shape_size(&e.shape) * sizeof(float);
        bool stays = t->check->frozen && t->check->frozen(e.name, t->check->user);
        if (e.kind == SPOR_TRAINED && !stays && !memcmp(e.value, before[k], bytes)) return k;
    }
    return -1;
}

/* The same training from its beginning, to be freed; bound NULL: out of memory, or an error. The rule is judged by the
 * gradients that it read, so that these are handed on. */
static training begin_training(const training *like, int64_t rows, spor_scalar scalar) {
    const spor_model_check *check = like->check;
    spor_model_spec spec = {.net = check->net,
                            .loss = check->loss,
                            .optimizer = check->optimizer,
                            .user = check->user,
                            .sample = check->sample,
                            .target = check->target,
                            .seed = check->seed,
                            .options = {.scalar = scalar, .gradients = true}};
    training t = *like;
    t.scalar = scalar;
    t.model = spor_model_new(&spec);
    t.bound = spor_model_bind(t.model, rows, true);
    if (!params_settle(spor_model_params(t.model))) t.bound = NULL;
    return t;
}

/* True if a parameter that stays in float moves in double, where numbers differ that are one float. */
static bool moves_in_double(const training *t, int entry) {
    training wide = begin_training(t, t->bound->rows, SPOR_F64);
    spor_entry e = spor_params_entry(spor_model_params(wide.model), entry);
    size_t bytes = bytes_for(shape_size(&e.shape), sizeof(double));
    double *before = wide.bound ? malloc(bytes) : NULL;
    bool done = before != NULL;
    if (done) memcpy(before, e.value, bytes);
    for (int64_t step = 0; done && step < MOST_STEPS; step++)
        done = fill(&wide, step) && spor_model_step(wide.model, wide.bound, (uint64_t)step);
    e = spor_params_entry(spor_model_params(wide.model), entry);
    done = done && memcmp(before, e.value, bytes) != 0;
    free(before);
    spor_model_free(wide.model);
    return done;
}

/* What has gradient 0 at first, as what lies below weights that start at 0, may move later on. */
static bool check_movement(training *t, float *const before[]) {
    spor_params *params = spor_model_params(t->model);
    char summary[300];
    int64_t steps = JUDGED_STEPS;
    int still = find_still(t, before);
    for (; still >= 0 && steps < MOST_STEPS; still = find_still(t, before), steps++)
        if (!fill(t, steps) || !spor_model_step(t->model, t->bound, (uint64_t)steps)) return false;
    snprintf(summary, sizeof summary, "all do within %" PRId64 " steps of %" PRId64 " rows", steps,
             t->bound->rows);
    if (still >= 0)
        snprintf(summary, sizeof summary,
                 "%.150s does not move in %d steps of %" PRId64 " rows in float%s",
                 spor_params_entry(params, still).name, MOST_STEPS, t->bound->rows,
                 moves_in_double(t, still) ? "; in double it does: `spor train --double` trains so"
                                           : "");
    bool any = spor_params_size(params) > 0;
    if (!any) snprintf(summary, sizeof summary, "there are no parameters");
    tell(t,
         still >= 0 ? SPOR_FAILS
         : any      ? SPOR_HOLDS
                    : SPOR_NOTHING_EXAMINED,
         "every parameter moves", summary);
    return true;
}

/* Copies of all values, by entry, to be freed with their number; NULL: out of memory. */
static void free_values(float **value, int count) {
    for (int k = 0; value && k < count; k++) free(value[k]);
    free(value);
}

static float **copy_values(spor_params *params) {
    int count = spor_params_count(params);
    float **value = calloc((size_t)count + 1, sizeof *value);
    bool done = value != NULL;
    for (int k = 0; done && k < count; k++) {
        spor_entry e = spor_params_entry(params, k);
        int64_t size = shape_size(&e.shape);
        value[k] = malloc(bytes_for(size + 1, sizeof *value[k]));
        if (value[k]) memcpy(value[k], e.value, (size_t)size * sizeof *value[k]);
        done = value[k] != NULL;
    }
    if (done) return value;
    free_values(value, count);
    return NULL;
}

/* A test's hand on the values after the step. */
static void tamper_with_step(const training *t, const spor_entry *e) {
    char what[256];
    double first = (double)((float *)e->value)[0];
    snprintf(what, sizeof what, "%s after a step", e->name);
    t->check->tamper(t->check->tamper_user, what, &first, 1);
    ((float *)e->value)[0] = (float)first;
}

/* One step, and what it made held against the rule. */
static bool judge_step(training *t, int64_t step, spor_update_verdict *v) {
    spor_params *params = spor_model_params(t->model);
    int count = spor_params_count(params);
    float **before = copy_values(params);
    bool done = before && fill(t, step) && spor_model_step(t->model, t->bound, (uint64_t)step);
    for (int k = 0; done && t->check->tamper && k < count; k++) {
        spor_entry e = spor_params_entry(params, k);
        tamper_with_step(t, &e);
    }
    const spor_update update = {t->bound, params, before};
    done = done && update_judge(t->check, &update, v, t->message);
    free_values(before, count);
    return done;
}

static bool check_steps(training *t) {
    spor_params *params = spor_model_params(t->model);
    float **initial = copy_values(params);
    spor_update_verdict v = {0};
    bool done = initial != NULL;
    for (int64_t step = 0; done && step < JUDGED_STEPS; step++) done = judge_step(t, step, &v);
    if (done) tell_update(t, &v);
    done = done && check_movement(t, initial);
    free_values(initial, spor_params_count(params));
    return done;
}

/* ---- data ---- */

/* What the values of a column look like, or of all columns. */
typedef struct {
    double least, most, mean, deviation;
} spread;

/* Takes up row r's values, as users see them, of `columns` columns that share `spreads` spreads: the
 * first pass gives the mean, the second what deviates from it. */
static void spread_row(const double value[], int64_t columns, int pass, double n, spread s[],
                       int64_t spreads) {
    for (int64_t k = 0; k < columns; k++) {
        spread *of = &s[k % spreads];
        of->least = fmin(of->least, value[k]);
        of->most = fmax(of->most, value[k]);
        if (pass)
            of->deviation += pow(value[k] - of->mean, 2) / n;
        else
            of->mean += value[k] / n;
    }
}

/* Of each column, or of all of them together; to be freed. */
static spread *spreads_of(const spor_data *data, int64_t spreads) {
    int64_t columns = shape_size(&data->x.shape);
    double *value = malloc(bytes_for(columns, sizeof *value));
    spread *s = malloc(bytes_for(spreads, sizeof *s));
    double n = (double)data->rows * (double)(columns / spreads);
    for (int64_t k = 0; s && k < spreads; k++) s[k] = (spread){HUGE_VAL, -HUGE_VAL, 0, 0};
    for (int pass = 0; value && s && pass < 2; pass++)
        for (int64_t r = 0; r < data->rows; r++)
            if (spor_data_rows(data, &r, 1, SPOR_F64, value, NULL))
                spread_row(value, columns, pass, n, s, spreads);
    for (int64_t k = 0; value && s && k < spreads; k++) s[k].deviation = sqrt(s[k].deviation);
    if (!value) free(s);
    free(value);
    return value ? s : NULL;
}

/* Samples with places, or many whole numbers from 0 to 255. */
static bool is_of_pixels(const spor_data *data) {
    int64_t columns = shape_size(&data->x.shape);
    const values_type *type = &values_types[data->x.keep];
    for (int64_t k = 0; data->x.shape.rank < 2 && k < data->rows * columns; k++) {
        double x = type->value(data->x.value, k);
        if (columns < 16 || x < 0 || x > 255 || x > floor(x)) return false;
    }
    return true;
}

static void tell_pixels(const training *t, const spread *s) {
    bool standardised = fabs(s->mean) < 0.5 && s->deviation > 0.5 && s->deviation < 2;
    bool scaled = s->least >= -1 && s->most <= 1 && s->most > 1.0 / 256;
    char summary[256];
    snprintf(summary, sizeof summary, "pixels times %g lie in %g .. %g%s%s", t->check->data->scale,
             s->least, s->most, standardised ? ", standardised" : "",
             scaled || standardised ? "" : "; whether the network scales them was not looked at");
    tell(t, scaled || standardised ? SPOR_HOLDS : SPOR_NOTHING_EXAMINED, "pixels are scaled",
         summary);
}

static double reach(const spread *s) {
    return fmax(-s->least, s->most);
}

/* Columns of a table may be of any unit; up to 10 they are as good as standardised ones. */
static void tell_columns(const training *t, const spread s[], int64_t columns) {
    int64_t far = 0;
    char summary[256];
    for (int64_t k = 1; k < columns; k++)
        if (reach(&s[k]) > reach(&s[far])) far = k;
    bool scaled = reach(&s[far]) <= 10;
    snprintf(summary, sizeof summary,
             "%" PRId64 " columns times %g; column %" PRId64 " reaches farthest: %g .. %g%s",
             columns, t->check->data->scale, far + 1, s[far].least, s[far].most,
             scaled ? "" : "; whether the network scales it was not looked at");
    tell(t, scaled ? SPOR_HOLDS : SPOR_NOTHING_EXAMINED, "columns are scaled", summary);
}

static bool check_scale(const training *t) {
    const spor_data *data = t->check->data;
    bool pixels = is_of_pixels(data);
    int64_t spreads = pixels ? 1 : shape_size(&data->x.shape);
    spread *s = spreads_of(data, spreads);
    if (!s) return message_complain(t->message, "out of memory");
    if (pixels)
        tell_pixels(t, s);
    else
        tell_columns(t, s, spreads);
    free(s);
    return true;
}

/* Counts each row; true if every one belongs to one part. */
static bool covers(const spor_split *split, int64_t rows, unsigned char seen[]) {
    const int64_t *const part[] = {split->train, split->validation, split->test};
    const int64_t count[] = {split->train_rows, split->validation_rows, split->test_rows};
    bool once = true;
    for (int p = 0; p < 3; p++)
        for (int64_t k = 0; k < count[p]; k++) {
            bool inside = part[p][k] >= 0 && part[p][k] < rows;
            once = once && inside && !seen[part[p][k]];
            if (inside) seen[part[p][k]] = 1;
        }
    for (int64_t r = 0; r < rows; r++) once = once && seen[r];
    return once;
}

static bool check_split(const training *t) {
    const spor_model_check *c = t->check;
    spor_split split = {0};
    char summary[200];
    unsigned char *seen = calloc((size_t)c->data->rows + 1, 1);
    bool done = seen && spor_split_draw(c->data, c->test_share, c->validation_share,
                                        c->schedule.seed, &split, t->message);
    if (done) {
        snprintf(summary, sizeof summary,
                 "%" PRId64 " to train, %" PRId64 " to validate, %" PRId64 " to test",
                 split.train_rows, split.validation_rows, split.test_rows);
        show(t, covers(&split, c->data->rows, seen), "splits are disjoint and cover the rows",
             summary);
        spor_split_free(&split);
    }
    free(seen);
    return done;
}

bool verify_rule_rows(const spor_model_check *check, int64_t rows, spor_on_model_row *on_row,
                      void *user, spor_message *message) {
    training t = begin_training(
        &(training){.check = check, .on_row = on_row, .user = user, .message = message}, rows,
        SPOR_F32);
    if (t.bound) check_initial(&t);
    bool done = t.bound && check_steps(&t);
    const char *error = spor_model_error(t.model);
    if (!done && (error || !*message->text))
        message_complain(message, "%s", error ? error : "out of memory");
    if (done && check->data) done = check_scale(&t) && check_split(&t);
    spor_model_free(t.model);
    return done;
}
