/* What trials came to: means over seeds, the choice, and the files made of them. Test rows occur nowhere. */
#include "cli/sweep.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/message.h"
#include "data/file.h"
#include "figure/map.h"

/* ---- scores --------------------------------------------------------------------------------- */

/* Mean and standard deviation (n - 1 below) of the numbers that are there; NAN: of none, of one. */
static void spread(int n, const double value[], double *mean, double *deviation) {
    double sum = 0, squares = 0;
    for (int k = 0; k < n; k++) sum += value[k];
    *mean = n ? sum / n : (double)NAN;
    for (int k = 0; k < n; k++) squares += (value[k] - *mean) * (value[k] - *mean);
    *deviation = n > 1 ? sqrt(squares / (n - 1)) : (double)NAN;
}

/* By the metric, or by the loss where there is none. */
static double judged(const sweep_table *t, const sweep_trial *trial) {
    const spor_score *v = &trial->summary.validation;
    return t->kind->name ? v->metric : v->loss;
}

/* Two rows of numbers, of the metric and of the loss. */
static void score_setting(const sweep_table *t, int64_t setting, double value[], double loss[]) {
    int64_t seeds = t->space->seeds;
    sweep_score *score = &t->score[setting];
    *score = (sweep_score){.low = HUGE_VAL, .high = -HUGE_VAL};
    for (int64_t k = setting * seeds; k < (setting + 1) * seeds; k++) {
        const sweep_trial *trial = &t->trial[k];
        score->failed += trial->state == TRIAL_FAILED;
        if (trial->state != TRIAL_FINISHED || !isfinite(judged(t, trial))) continue;
        value[score->finished] = judged(t, trial);
        loss[score->finished++] = trial->summary.validation.loss;
        score->low = fmin(score->low, judged(t, trial));
        score->high = fmax(score->high, judged(t, trial));
    }
    spread(score->finished, value, &score->mean, &score->deviation);
    spread(score->finished, loss, &score->loss, &score->loss_deviation);
}

/* Means are comparable if all seeds are there. */
static bool is_whole(const sweep_table *t, int64_t setting) {
    return t->score[setting].finished == t->space->seeds;
}

/* True if a setting stands before another one: of equal ones, as shares of a few rows often are, that of
 * the lower loss, then the first given. */
static bool is_better(const sweep_table *t, int64_t a, int64_t b) {
    const sweep_score *x = &t->score[a], *y = &t->score[b];
    if (is_whole(t, a) != is_whole(t, b)) return is_whole(t, a);
    if (!is_whole(t, a)) return a < b;
    if (x->mean < y->mean || x->mean > y->mean) return (x->mean > y->mean) == t->kind->rises;
    if (x->loss < y->loss || x->loss > y->loss) return x->loss < y->loss;
    return a < b;
}

/* The best of those that are left comes next. */
static void sort(sweep_table *t) {
    for (int64_t k = 0; k < t->space->settings; k++) {
        int64_t at = k;
        for (; at > 0 && is_better(t, k, t->order[at - 1]); at--) t->order[at] = t->order[at - 1];
        t->order[at] = k;
    }
    t->chosen = is_whole(t, t->order[0]) ? t->order[0] : -1;
}

bool sweep_table_make(sweep_table *t, const char *network, const sweep_space *space,
                      const sweep_trial trial[]) {
    size_t settings = (size_t)space->settings, seeds = (size_t)space->seeds;
    *t = (sweep_table){
        .network = network, .space = space, .trial = trial, .kind = metric_of(SPOR_METRIC_NONE)};
    for (int64_t k = space->trials - 1; k >= 0; k--)
        if (trial[k].state == TRIAL_FINISHED) t->kind = metric_of(trial[k].summary.metric);
    t->score = calloc(settings, sizeof *t->score);
    t->order = calloc(settings, sizeof *t->order);
    double *number = calloc(2 * seeds, sizeof *number);
    bool done = t->score && t->order && number;
    for (int64_t k = 0; done && k < space->settings; k++)
        score_setting(t, k, number, number + seeds);
    if (done) sort(t);
    free(number);
    return done;
}

void sweep_table_free(sweep_table *t) {
    free(t->score);
    free(t->order);
}

/* ---- on the terminal ------------------------------------------------------------------------ */

static const char *quantity(const sweep_table *t) {
    return t->kind->name ? t->kind->text : "loss";
}

static void number_text(const sweep_table *t, double value, char out[24]) {
    snprintf(out, 24, t->kind->share ? "%.4f" : "%.6g", value);
}

/* "0.9375 ± 0.0121", or without a spread where there is one seed. */
static void score_text(const sweep_table *t, int64_t setting, char out[64]) {
    const sweep_score *s = &t->score[setting];
    char mean[24], deviation[24];
    number_text(t, s->mean, mean);
    number_text(t, s->deviation, deviation);
    bool alone = isnan(s->deviation);
    snprintf(out, 64, "%s%s%s", mean, alone ? "" : " ± ", alone ? "" : deviation);
}

/* "2 failed, 1 not there" of the seeds of a setting. */
static void gaps_text(const sweep_table *t, int64_t setting, char out[64]) {
    const sweep_score *s = &t->score[setting];
    long long missing = (long long)t->space->seeds - s->finished - s->failed;
    int used = 0;
    *out = 0;
    if (s->failed) used = snprintf(out, 64, "%d failed", s->failed);
    if (missing)
        snprintf(out + used, (size_t)(64 - used), "%s%lld not there", used ? ", " : "", missing);
}

/* Characters of the widest value of an axis, and of its name. */
static int width_of(const sweep_axis *axis) {
    enum { WIDEST = 32 };
    int width = text_width(axis->name);
    for (int k = 0; k < axis->values; k++)
        if (text_width(axis->value[k]) > width) width = text_width(axis->value[k]);
    return width < WIDEST ? width : WIDEST;
}

static void print_cell(const char *text, int width) {
    bool cut = text_width(text) > width;
    int shown = cut ? width - 3 : text_width(text);
    printf("%.*s%s%*s  ", text_bytes_of(text, shown), text, cut ? "..." : "",
           cut ? 0 : width - shown, "");
}

static void print_line(const sweep_table *t, int64_t setting) {
    const sweep_space *s = t->space;
    char text[64];
    printf("%s ", setting == t->chosen ? "*" : " ");
    for (int k = 0; k < s->axes; k++)
        if (s->axis[k].values > 1) print_cell(space_value(s, setting, k), width_of(&s->axis[k]));
    if (is_whole(t, setting)) {
        score_text(t, setting, text);
        print_cell(text, 22);
        printf("%.6g\n", t->score[setting].loss);
    } else {
        gaps_text(t, setting, text);
        printf("%s\n", text);
    }
}

static void print_head(const sweep_table *t) {
    const sweep_space *s = t->space;
    char text[64];
    printf("\n%s of the validation rows, mean%s over %" PRId64 " seed%s, best first\n\n  ",
           quantity(t), s->seeds > 1 ? " ± standard deviation" : "", s->seeds,
           s->seeds > 1 ? "s" : "");
    for (int k = 0; k < s->axes; k++)
        if (s->axis[k].values > 1) print_cell(s->axis[k].name, width_of(&s->axis[k]));
    snprintf(text, sizeof text, "%s", quantity(t));
    print_cell(text, 22);
    printf("%s\n", t->kind->name ? "loss" : "");
}

static void print_failures(const sweep_table *t) {
    enum { MOST = 10 };
    const sweep_space *s = t->space;
    int told = 0, all = 0;
    for (int64_t k = 0; k < s->trials; k++) {
        char name[SWEEP_NAME];
        bool failed = t->trial[k].state == TRIAL_FAILED;
        all += failed;
        if (!failed || told == MOST) continue;
        space_trial_name(s, k, name);
        printf("%sfailed: %s: %s\n", told++ ? "" : "\n", name, t->trial[k].summary.failure);
    }
    if (all > told) printf("failed: %d more, in trials.csv\n", all - told);
}

static void print_choice(const sweep_table *t) {
    const sweep_space *s = t->space;
    char setting[400], score[64], path[RUN_PATH];
    if (t->chosen < 0) {
        printf("\nNothing is chosen: no setting has all its seeds.\n");
        return;
    }
    space_setting_text(s, t->chosen, setting, sizeof setting);
    score_text(t, t->chosen, score);
    printf("\nchosen by the validation rows: %s%s%s %s\nThe rows to test were not looked at; the "
           "first run of this setting tests on them by\n  spor eval %s\n",
           setting, *setting ? ", " : "", quantity(t), score,
           space_trial_file(s, t->chosen * s->seeds, "", path));
}

void sweep_table_print(const sweep_table *t) {
    enum { MOST = 25 };
    char path[RUN_PATH];
    const sweep_space *s = t->space;
    if (s->given->quiet) {
        if (t->chosen >= 0) puts(space_trial_file(s, t->chosen * s->seeds, "", path));
        return;
    }
    print_head(t);
    for (int64_t k = 0; k < s->settings && k < MOST; k++) print_line(t, t->order[k]);
    if (s->settings > MOST)
        printf("  and %lld more, in table.csv\n", (long long)s->settings - MOST);
    print_failures(t);
    print_choice(t);
}

/* ---- files ---------------------------------------------------------------------------------- */

static void add_field(spor_text *text, const char *field) {
    text_csv(text, field);
    text_add(text, ",");
}

static void add_values(spor_text *text, const sweep_space *s, int64_t setting) {
    for (int k = 0; k < s->axes; k++) add_field(text, space_value(s, setting, k));
}

static void add_names(spor_text *text, const sweep_space *s) {
    for (int k = 0; k < s->axes; k++) add_field(text, s->axis[k].name);
}

static void add_number(spor_text *text, double value) {
    if (!isnan(value)) text_real(text, value);
    text_add(text, ",");
}

static bool write_trials(const sweep_table *t, const char *path, spor_message *message) {
    const sweep_space *s = t->space;
    spor_text text = {0};
    add_names(&text, s);
    text_add(&text, "seed,trial,state,epoch,");
    if (t->kind->name) text_add(&text, "validation_%s,", t->kind->name);
    text_add(&text, "validation_loss,failure\n");
    for (int64_t k = 0; k < s->trials; k++) {
        const summary_result *r = &t->trial[k].summary;
        char name[SWEEP_NAME];
        bool finished = t->trial[k].state == TRIAL_FINISHED;
        space_trial_name(s, k, name);
        add_values(&text, s, k / s->seeds);
        text_add(&text, "%" PRId64 ",", s->seed[k % s->seeds]);
        add_field(&text, name);
        text_add(&text, "%s,", sweep_trial_state_text(t->trial[k].state));
        if (finished) text_add(&text, "%" PRId64, r->epoch);
        text_add(&text, ",");
        if (t->kind->name) add_number(&text, finished ? r->validation.metric : (double)NAN);
        add_number(&text, finished ? r->validation.loss : (double)NAN);
        add_field(&text, r->failure);
        if (!text.failed) text.at[text.size - 1] = '\n';
    }
    return file_write_text(&text, path, message);
}

static bool write_settings(const sweep_table *t, const char *path, spor_message *message) {
    const sweep_space *s = t->space;
    const char *name = t->kind->name;
    spor_text text = {0};
    add_names(&text, s);
    text_add(&text, "seeds,finished,failed,");
    if (name) text_add(&text, "validation_%s_mean,validation_%s_deviation,", name, name);
    text_add(&text, "validation_loss_mean,validation_loss_deviation,chosen\n");
    for (int64_t k = 0; k < s->settings; k++) {
        const sweep_score *score = &t->score[k];
        add_values(&text, s, k);
        text_add(&text, "%" PRId64 ",%d,%d,", s->seeds, score->finished, score->failed);
        if (name) add_number(&text, score->mean), add_number(&text, score->deviation);
        add_number(&text, score->loss);
        add_number(&text, score->loss_deviation);
        text_add(&text, "%s\n", k == t->chosen ? "yes" : "");
    }
    return file_write_text(&text, path, message);
}

/* ---- the map -------------------------------------------------------------------------------- */

/* What the figure wants, of the names that have more than one value. */
typedef struct {
    map_search search;
    map_axis axis[SWEEP_AXES];
    double *number;    /* [3][settings] */
    int64_t *rank;     /* [settings] */
    const char **note; /* [settings] */
    char (*text)[64];  /* [settings] they lie in */
    char title[100], quantity[40], about[80];
} picture;

static bool picture_make(const sweep_table *t, picture *p) {
    const sweep_space *s = t->space;
    size_t n = (size_t)s->settings;
    p->number = calloc(3 * n, sizeof *p->number);
    p->rank = calloc(n, sizeof *p->rank);
    p->note = calloc(n, sizeof *p->note);
    p->text = calloc(n, sizeof *p->text);
    if (!p->number || !p->rank || !p->note || !p->text) return false;
    for (size_t k = 0; k < n; k++) {
        const sweep_score *score = &t->score[k];
        bool whole = is_whole(t, (int64_t)k);
        p->number[k] = whole ? score->mean : (double)NAN;
        p->number[n + k] = whole ? score->low : (double)NAN;
        p->number[2 * n + k] = whole ? score->high : (double)NAN;
        p->rank[t->order[k]] = (int64_t)k;
        gaps_text(t, (int64_t)k, p->text[k]);
        p->note[k] = p->text[k];
    }
    for (int k = 0; k < s->axes; k++)
        if (s->axis[k].values > 1)
            p->axis[p->search.axes++] = (map_axis){s->axis[k].name, s->axis[k].values,
                                                   (const char *const *)s->axis[k].value};
    snprintf(p->title, sizeof p->title, "%.80s, a search", t->network);
    snprintf(p->quantity, sizeof p->quantity, "validation %s", quantity(t));
    snprintf(p->about, sizeof p->about, s->seeds > 1 ? "mean of %" PRId64 " seeds" : "one seed",
             s->seeds);
    p->search.quantity = p->quantity, p->search.about = p->about;
    p->search.rises = t->kind->rises, p->search.share = t->kind->share;
    p->search.axis = p->axis;
    p->search.mean = p->number, p->search.low = p->number + n, p->search.high = p->number + 2 * n;
    p->search.rank = p->rank;
    p->search.note = p->note;
    return true;
}

/* Of a search without names that vary there is no map. */
static bool write_map(const sweep_table *t, const char *path, spor_message *message) {
    spor_text svg = {0};
    picture *p = calloc(1, sizeof *p);
    bool done =
        p && picture_make(t, p) && (!p->search.axes || map_draw(&svg, p->title, &p->search));
    if (!done)
        message_complain(message, "%s: out of memory", path);
    else if (p->search.axes)
        done = file_write_text(&svg, path, message);
    text_free(&svg);
    if (p) free(p->number), free(p->rank), free(p->note), free(p->text);
    free(p);
    return done;
}

static bool write_all(const sweep_table *t, spor_message *message) {
    static const struct {
        const char *file;
        bool (*write)(const sweep_table *t, const char *path, spor_message *message);
    } files[] = {
        {"trials.csv", write_trials}, {"table.csv", write_settings}, {"map.svg", write_map}};
    char path[RUN_PATH];
    bool done = true;
    for (size_t k = 0; done && k < sizeof files / sizeof *files; k++) {
        snprintf(path, sizeof path, "%s/%s", t->space->folder, files[k].file);
        done = files[k].write(t, path, message);
    }
    return done;
}

/* One sweep at a time, so that what a killed one left half written can be swept. */
bool sweep_table_write(const sweep_table *t) {
    char path[RUN_PATH];
    spor_message message = {""};
    snprintf(path, sizeof path, "%s/.tables", t->space->folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (lock >= 0 && !flock(lock, LOCK_EX)) file_sweep(t->space->folder);
    bool done = write_all(t, &message);
    if (lock >= 0) close(lock);
    if (!done) command_fail(&spor_command_sweep, "%s", message.text);
    return done;
}
