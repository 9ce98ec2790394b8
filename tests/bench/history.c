/* The file of figures: reading, adding, comparing. */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/message.h"

enum { LINE = 512 };

static const char header[] = "date\tmachine\tcores\tcompiler\tcommit\tset\tnetwork\tmode\tbatch\t"
                             "threads\trounds\tmedian_ms\tleast_ms\tlower_ms\tupper_ms\n";

/* ---- a line ---- */

int history_line(const bench_figure *f, char *text, size_t size) {
    const bench_origin *o = &f->origin;
    return snprintf(
        text, size, "%s\t%s\t%d\t%s\t%s\t%s\t%s\t%s\t%lld\t%lld\t%d\t%.6f\t%.6f\t%.6f\t%.6f\n",
        o->date, o->machine, o->cores, o->compiler, o->commit, o->isa, f->network, f->mode,
        f->batch, f->threads, f->rounds, f->median, f->least, f->lower, f->upper);
}

bool history_parse(const char *line, bench_figure *f) {
    bench_origin *o = &f->origin;
    int used = 0;
    int read = sscanf(line,
                      "%23[^\t]\t%95[^\t]\t%d\t%63[^\t]\t%63[^\t]\t%15[^\t]\t%63[^\t]\t%15[^\t]\t"
                      "%lld\t%lld\t%d\t%lf\t%lf\t%lf\t%lf%n",
                      o->date, o->machine, &o->cores, o->compiler, o->commit, o->isa, f->network,
                      f->mode, &f->batch, &f->threads, &f->rounds, &f->median, &f->least, &f->lower,
                      &f->upper, &used);
    return read == 15 && !strcmp(line + used, "\n") && f->least > 0;
}

/* ---- reading ---- */

static bool keep(bench_history *history, const bench_figure *figure) {
    bench_figure *grown = realloc(history->figure, (history->count + 1) * sizeof *grown);
    if (!grown) return false;
    history->figure = grown;
    history->figure[history->count++] = *figure;
    return true;
}

static bool read_lines(FILE *file, const char *path, bench_history *history,
                       spor_message *message) {
    char line[LINE];
    for (int number = 1; fgets(line, sizeof line, file); number++) {
        bench_figure figure;
        if (number == 1 && strcmp(line, header))
            return message_complain(message,
                                    "%s is no history of this version: its first line must be\n%s"
                                    "Name another file, or rename this one.",
                                    path, header);
        if (number > 1 && !history_parse(line, &figure))
            return message_complain(message, "%s:%d: not a line of a history; mend or delete it",
                                    path, number);
        if (number > 1 && !keep(history, &figure))
            return message_complain(message, "out of memory");
    }
    return !ferror(file) || message_complain(message, "%s: %s", path, strerror(errno));
}

bool history_read(const char *path, bench_history *history, spor_message *message) {
    *history = (bench_history){0};
    FILE *file = fopen(path, "r");
    if (!file) return errno == ENOENT || message_complain(message, "%s: %s", path, strerror(errno));
    bool done = read_lines(file, path, history, message);
    fclose(file);
    return done;
}

void history_free(bench_history *history) {
    free(history->figure);
    *history = (bench_history){0};
}

/* ---- adding ---- */

/* Writes at the end or not at all. */
static bool add_text(int file, const char *text, size_t size, off_t end) {
    ssize_t written = write(file, text, size);
    if (written >= 0 && (size_t)written == size) return true;
    int error = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(file, end)) error = errno;
    errno = error;
    return false;
}

bool history_append(const char *path, const bench_figure figure[], size_t count,
                    spor_message *message) {
    char *text = calloc(count + 1, LINE);
    if (!text) return message_complain(message, "out of memory");
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT, 0666);
    off_t end = file < 0 ? -1 : lseek(file, 0, SEEK_END);
    size_t used = end ? 0 : (size_t)snprintf(text, LINE, "%s", header);
    for (size_t k = 0; k < count; k++) used += (size_t)history_line(&figure[k], text + used, LINE);
    bool done = end >= 0 && add_text(file, text, used, end);
    int error = errno;
    if (file >= 0 && close(file) && done) {
        done = false;
        error = errno;
    }
    free(text);
    return done ||
           message_complain(message, "nothing can be added to %s: %s; -f names another file", path,
                            strerror(error));
}

/* ---- comparing ---- */

static bool is_of_a_kind(const bench_figure *a, const bench_figure *b) {
    const bench_origin *o = &a->origin, *p = &b->origin;
    return !strcmp(o->machine, p->machine) && o->cores == p->cores &&
           !strcmp(o->compiler, p->compiler) && !strcmp(o->isa, p->isa) &&
           !strcmp(a->network, b->network) && !strcmp(a->mode, b->mode) && a->batch == b->batch &&
           a->threads == b->threads;
}

void history_compare(const bench_history *history, const bench_figure *f, char *text, size_t size) {
    int found = 0;
    size_t used = (size_t)snprintf(text, size, "the first of its kind here");
    for (size_t k = history->count; k-- > 0 && found < 2;) {
        const bench_figure *old = &history->figure[k];
        if (!is_of_a_kind(f, old)) continue;
        if (!found) used = 0;
        bool overlap = f->lower <= old->upper && old->lower <= f->upper;
        int length = snprintf(text + used, size - used, "%s%.2f%s of %s %s", found++ ? ", " : "",
                              f->median / old->median, overlap ? "~" : "", old->origin.date,
                              old->origin.commit);
        if ((size_t)length >= size - used) return;
        used += (size_t)length;
    }
}
