/* What a terminal, or a pipe, shows of a training. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "data/text.h"
#include "train/metrics.h"

enum { WIDEST = 200, LONGEST_BAR = 40, SHORTEST_BAR = 8, LINES_IN_A_PIPE = 20 };
static const double redraw_seconds = 0.1;

double display_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void display_flush(void) {
    if (!fflush(stdout) || (errno != EPIPE && errno != EIO)) return;
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO), close(nowhere);
    clearerr(stdout);
}

/* ---- progress ---- */

int display_width(void) {
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    int width = columns ? atoi(columns) : 0;
    if (width <= 0 && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size)) width = size.ws_col;
    if (width <= 0) width = 80;
    return width < WIDEST ? width : WIDEST;
}

/* A clock's 0:07, 12:34, 1:02:03. */
static void clock_text(double seconds, char out[24]) {
    long s = lround(fmin(fmax(seconds, 0), 3.6e8));
    if (s < 3600)
        snprintf(out, 24, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(out, 24, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

/* Accuracies to three digits, other numbers to four, "-" if it was not measured. */
static void metric_text(spor_metric metric, double value, char out[24]) {
    if (isnan(value))
        snprintf(out, 24, "-");
    else
        snprintf(out, 24,
                 metric_of(metric)->share ? "%.3f"
                 : fabs(value) < 1e4      ? "%.4f"
                                          : "%.3e",
                 value);
}

/* Losses, and the metric if there is one: what both kinds of line tell. */
static void figures_text(const spor_progress *p, const char *validation_name, char *out,
                         size_t size) {
    char loss[24], train[24], validation[24];
    bool alone = !metric_of(p->metric)->name;
    metric_text(SPOR_METRIC_NONE, p->loss, loss);
    metric_text(p->metric, alone ? p->train.loss : p->train.metric, train);
    metric_text(p->metric, alone ? p->validation.loss : p->validation.metric, validation);
    snprintf(out, size, "loss %s  train %s  %s %s", loss, train, validation_name, validation);
}

static int digits(int64_t n) {
    return snprintf(NULL, 0, "%lld", (long long)n);
}

/* Share of the whole training that is done. */
static double share(const spor_progress *p) {
    double epochs = (double)(p->epoch - 1) + (double)p->step / (double)p->steps;
    return epochs / (double)p->epochs;
}

/* Puts a line over the last one. Nothing but \r is asked of the terminal. */
static void overwrite(spor_display *display, const char *line) {
    int length = (int)strlen(line);
    int blanks = display->shown > length ? display->shown - length : 0;
    screen_control("\r");
    printf("%s%*s", line, blanks, "");
    display_flush();
    display->shown = length;
}

/* epoch 12/100 [=====       ]  loss 0.1234  train 0.981  val 0.965  0:12 left */
static void draw(spor_display *display, const spor_progress *p) {
    char left[24], figures[96], head[64], tail[160], bar[LONGEST_BAR + 4] = "", line[2 * WIDEST];
    double done = share(p), elapsed = display_seconds() - display->started;
    clock_text(elapsed * (1 - done) / fmax(done - display->from, 1e-9), left);
    figures_text(p, "val", figures, sizeof figures);
    snprintf(head, sizeof head, "epoch %*lld/%lld", digits(p->epochs), (long long)p->epoch,
             (long long)p->epochs);
    snprintf(tail, sizeof tail, "  %s  %s left", figures, left);
    int width = display_width() - 1;
    int room = width - (int)(strlen(head) + strlen(tail)) - 3;
    if (room > LONGEST_BAR) room = LONGEST_BAR;
    if (room >= SHORTEST_BAR) {
        int full = (int)(done * room);
        memset(bar, ' ', sizeof bar);
        memset(bar + 2, '=', (size_t)full);
        bar[1] = '[';
        bar[room + 2] = ']';
        bar[room + 3] = 0;
    }
    snprintf(line, sizeof line, "%s%s%s", head, bar, tail);
    line[width] = 0;
    overwrite(display, line);
}

/* True for about LINES_IN_A_PIPE epochs, the first and the last among them. */
static bool worth_a_line(const spor_progress *p) {
    int64_t every = (p->epochs + LINES_IN_A_PIPE - 1) / LINES_IN_A_PIPE;
    return p->epoch == 1 || p->epoch == p->epochs || p->epoch % every == 0;
}

static void print_line(const spor_display *display, const spor_progress *p) {
    char figures[96];
    figures_text(p, "validation", figures, sizeof figures);
    printf("epoch %*lld/%lld  %s  %.1f s\n", digits(p->epochs), (long long)p->epoch,
           (long long)p->epochs, figures, display_seconds() - display->started);
    display_flush();
}

void display_start(spor_display *display, bool quiet, double from) {
    *display = (spor_display){
        .quiet = quiet,
        .from = from,
        .live = screen_is_terminal(),
        .started = display_seconds(),
    };
}

void display_update(spor_display *display, const spor_progress *progress) {
    bool evaluated = progress->step == progress->steps;
    if (display->quiet || !progress->epoch) return;
    if (!display->live) {
        if (evaluated && worth_a_line(progress)) print_line(display, progress);
        return;
    }
    double now = display_seconds();
    bool last = evaluated && progress->epoch == progress->epochs;
    if (!last && now - display->drawn < redraw_seconds) return;
    display->drawn = now;
    draw(display, progress);
}

void display_end(spor_display *display) {
    if (display->shown) putchar('\n');
    display->shown = 0;
}

/* ---- evaluation ---- */

/* How a confusion matrix is set: names of classes stand beside the rows, behind the numbers of the
 * columns unless they are short enough to stand there, too. */
typedef struct {
    const spor_evaluation *e;
    int cell, name; /* characters of a column, and of a name */
    bool numbers;
    int left; /* characters before the rows */
} layout;

static layout layout_of(const spor_evaluation *e) {
    enum { LONGEST_NAME = 24 };
    layout l = {.e = e, .cell = digits(e->rows) > 2 ? digits(e->rows) : 3};
    for (int k = 0; e->class_name && k < e->classes; k++)
        if (text_width(e->class_name[k]) > l.name) l.name = text_width(e->class_name[k]);
    l.numbers = !e->class_name || l.name > l.cell;
    if (l.name > LONGEST_NAME) l.name = LONGEST_NAME;
    if (!l.numbers && l.name < 4) l.name = 4;
    l.left = 3 + (l.numbers ? 4 : 0) + l.name + (l.numbers && l.name);
    return l;
}

/* As many characters: cut, or with blanks before it or behind it. */
static void print_name(const char *name, int width, bool before) {
    int blanks = width - text_width(name);
    if (blanks < 0) blanks = 0;
    printf("%*s%.*s%*s", before ? blanks : 0, "", text_bytes_of(name, width), name,
           before ? 0 : blanks, "");
}

static void print_column_name(const layout *l, int k) {
    putchar(' ');
    if (l->numbers)
        printf("%*d", l->cell, k);
    else
        print_name(l->e->class_name[k], l->cell, true);
}

static void print_row_name(const layout *l, int k) {
    printf("  ");
    if (l->numbers) printf("%4d", k);
    if (l->numbers && l->name) putchar(' ');
    if (l->name) print_name(l->e->class_name[k], l->name, !l->numbers);
    printf(" |");
}

/* One row of the confusion matrix: a dot for none, and the share found. */
static void print_row(const layout *l, int label) {
    const spor_evaluation *e = l->e;
    const int64_t *row = e->confusion + (ptrdiff_t)label * e->classes;
    char recall[24];
    print_row_name(l, label);
    for (int k = 0; k < e->classes; k++)
        if (row[k])
            printf(" %*lld", l->cell, (long long)row[k]);
        else
            printf(" %*s", l->cell, ".");
    metric_text(SPOR_METRIC_ACCURACY, metrics_class_score(e, label).recall, recall);
    printf("   %5s\n", recall);
}

static void print_confusion(const spor_evaluation *e) {
    layout l = layout_of(e);
    int width = e->classes * (l.cell + 1);
    printf("\n  %-*s|%*s   recall\n%*s|", l.left - 2, "true", width, "predicted as", l.left, "");
    for (int k = 0; k < e->classes; k++) print_column_name(&l, k);
    printf("\n  ");
    for (int k = 0; k < l.left - 2; k++) putchar('-');
    putchar('+');
    for (int k = 0; k < width + 8; k++) putchar('-');
    putchar('\n');
    for (int label = 0; label < e->classes; label++) print_row(&l, label);
    putchar('\n');
}

/* test accuracy 0.9417 (95 %: 0.912 to 0.962; 339 of 360), loss 0.2034 */
static void print_accuracy(const spor_evaluation *e, const char *rows) {
    metrics_interval interval = metrics_wilson(e->right, e->rows);
    printf("%s accuracy %.4f (95 %%: %.3f to %.3f; %lld of %lld), ", rows, e->accuracy,
           interval.low, interval.high, (long long)e->right, (long long)e->rows);
}

void display_validation(spor_metric metric, const spor_score *score) {
    const metric_kind *kind = metric_of(metric);
    printf("validation ");
    if (kind->name) printf(kind->share ? "%s %.4f, " : "%s %.6g, ", kind->text, score->metric);
    printf("loss %.6g\n", score->loss);
}

void display_evaluation(const spor_evaluation *e, const char *rows, bool quiet) {
    bool classes = e->metric == SPOR_METRIC_ACCURACY, numbers = e->metric == SPOR_METRIC_RMSE;
    if (classes) print_accuracy(e, rows);
    if (numbers) printf("%s RMSE %.6g, R² ", rows, e->rmse);
    if (numbers) printf(fabs(e->r2) < 1e6 ? "%.4f, " : "%.4g, ", e->r2);
    if (!classes && !numbers) printf("%s ", rows);
    printf("loss %.6g", e->loss);
    if (!classes) printf(" (%lld rows)", (long long)e->rows);
    putchar('\n');
    if (classes && !quiet) print_confusion(e);
}
