/*
 * Times networks and keeps the figures: meson compile -C build bench
 *
 *     bench_history -p SPOR [-f FILE] [-r ROUNDS] [-s SECONDS] [script ...]
 *
 * Each round runs `spor bench` once for each network and use, one after the other, so that what
 * slows the machine down for a while slows all of them. Then a line a figure is added to the file,
 * all of them or none, and each is compared with the last two of its kind.
 */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity */
#include <sched.h>
#endif
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 99, BLOCKS = 4096 };

typedef struct {
    const char *program, *file, *seconds; /* of a run of spor bench */
    int64_t rounds;
    int scripts;
    const char *const *script;
} plan;

/* How networks are timed; batch NULL: the script's. */
static const struct {
    const char *mode, *batch;
} uses[] = {{"train", NULL}, {"infer", "1"}, {"infer", "256"}};
enum { USES = sizeof uses / sizeof uses[0] };

/* A network in one use, and what its rounds gave. */
typedef struct {
    const char *script;
    int use;
    bench_figure figure;
    double round[ROUNDS];
} series;

/* ---- a round ---- */

static int compare_numbers(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them; the lower of the two in the middle if their number is even. */
static double median(double number[], int count) {
    qsort(number, (size_t)count, sizeof *number, compare_numbers);
    return number[(count - 1) / 2];
}

/* Reads lines of spor bench: the columns into the figure, the median of the blocks as result;
 * negative if a line is none. */
static double read_blocks(char *text, bench_figure *f) {
    double block[BLOCKS];
    int count = 0;
    for (char *line = strtok(text, "\n"); line && count < BLOCKS; line = strtok(NULL, "\n"))
        if (sscanf(line, "%*[^\t]\t%63[^\t]\t%15[^\t]\t%lld\t%lld\t%lf", f->network, f->mode,
                   &f->batch, &f->threads, &block[count++]) != 5)
            return -1;
    return count ? median(block, count) : -1;
}

/* One run of spor bench: milliseconds a step, negative after a complaint. */
static double time_round(const plan *p, series *s) {
    char text[1 << 18];
    const char *batch = uses[s->use].batch;
    const char *const argument[] = {p->program,
                                    "bench",
                                    s->script,
                                    "--mode",
                                    uses[s->use].mode,
                                    "--seconds",
                                    p->seconds,
                                    batch ? "--batch" : NULL,
                                    batch,
                                    NULL};
    int status = origin_ask(argument, false, text, sizeof text);
    double ms = status ? -1 : read_blocks(text, &s->figure);
    if (ms > 0) return ms;
    fprintf(stderr, "bench: %s bench %s --mode %s %s; nothing was added to %s\n", p->program,
            s->script, uses[s->use].mode, status < 0 ? "can't be run" : "gave no figures", p->file);
    return -1;
}

static bool time_rounds(const plan *p, series all[], int count) {
    for (int round = 0; round < p->rounds; round++) {
        printf("round %d of %d\n", round + 1, (int)p->rounds);
        for (int k = 0; k < count; k++)
            if (!((all[k].round[round] = time_round(p, &all[k])) > 0)) return false;
    }
    return true;
}

/* ---- all of it ---- */

/* The children's place too: the last core that may be used, the first often being busy. */
static void pin(void) {
#if defined(__linux__)
    cpu_set_t allowed, one;
    size_t last = CPU_SETSIZE - 1;
    if (sched_getaffinity(0, sizeof allowed, &allowed)) return;
    while (last > 0 && !CPU_ISSET(last, &allowed)) last--;
    CPU_ZERO(&one);
    CPU_SET(last, &one);
    sched_setaffinity(0, sizeof one, &one);
#endif
}

static void summarize(series *s, int rounds, bench_figure *figure) {
    s->figure.rounds = rounds;
    s->figure.median = median(s->round, rounds);
    s->figure.least = s->round[0];
    s->figure.lower = s->round[(rounds - 1) / 4];
    s->figure.upper = s->round[rounds - 1 - (rounds - 1) / 4];
    *figure = s->figure;
}

static void print_figures(const bench_history *history, const bench_figure figure[], int count) {
    printf("\n%-16s %-6s %5s %12s  %s\n", "network", "mode", "batch", "ms a step", "middle half");
    for (int k = 0; k < count; k++) {
        const bench_figure *f = &figure[k];
        char before[256];
        history_compare(history, f, before, sizeof before);
        printf("%-16s %-6s %5lld %12.6f  %.2f to %.2f   %s\n", f->network, f->mode, f->batch,
               f->median, f->lower / f->median, f->upper / f->median, before);
    }
    puts("Middle half of the rounds as ratios to the median. ~: both overlap, no difference seen.");
}

static bool bench(const plan *p, series all[], bench_figure figure[]) {
    int count = p->scripts * USES;
    bench_history history;
    bench_origin origin = {0};
    spor_message message = {""};
    bool done =
        history_read(p->file, &history, &message) && history_append(p->file, NULL, 0, &message);
    if (done) origin_find(SPOR_SOURCE_FOLDER, &origin);
    for (int k = 0; k < count; k++)
        all[k] = (series){p->script[k / USES], k % USES, {.origin = origin}, {0}};
    pin();
    bool timed = done && time_rounds(p, all, count);
    for (int k = 0; timed && k < count; k++) summarize(&all[k], (int)p->rounds, &figure[k]);
    done = timed && history_append(p->file, figure, (size_t)count, &message);
    if (timed) print_figures(&history, figure, count);
    if (*message.text) fprintf(stderr, "bench: %s\n", message.text);
    history_free(&history);
    return done;
}

static bool read_arguments(int count, char **argument, plan *p) {
    for (int letter; (letter = getopt(count, argument, "p:f:r:s:")) != -1;) {
        if (letter == 'p') p->program = optarg;
        if (letter == 'f') p->file = optarg;
        if (letter == 'r') p->rounds = strtoll(optarg, NULL, 10);
        if (letter == 's') p->seconds = optarg;
        if (letter == '?') return false;
    }
    if (optind < count) {
        p->scripts = count - optind;
        p->script = (const char *const *)argument + optind;
    }
    return p->program && p->rounds > 0 && p->rounds <= ROUNDS;
}

int main(int count, char **argument) {
    static const char *const networks[] = {SPOR_NETWORKS};
    plan p = {.file = SPOR_SOURCE_FOLDER "/tests/bench/history.tsv",
              .rounds = 7,
              .seconds = "0.2",
              .scripts = sizeof networks / sizeof *networks,
              .script = networks};
    if (!read_arguments(count, argument, &p)) {
        fprintf(stderr,
                "bench_history -p SPOR [-f FILE] [-r ROUNDS] [-s SECONDS] [script ...]\n"
                "times networks with the program SPOR and adds a line a figure to FILE;\n"
                "1 to %d rounds, %lld unless said, of SECONDS (%s) each\n",
                ROUNDS, (long long)p.rounds, p.seconds);
        return EXIT_FAILURE;
    }
    series *all = calloc((size_t)p.scripts * USES, sizeof *all);
    bench_figure *figure = calloc((size_t)p.scripts * USES, sizeof *figure);
    bool done = all && figure && bench(&p, all, figure);
    free(all);
    free(figure);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
