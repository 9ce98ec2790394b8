/*
 * Figures of `spor bench` and the file that keeps them: tab-separated, a header, then a line a
 * figure, oldest first. Lines are only ever added.
 */
#ifndef SPOR_TESTS_BENCH_H
#define SPOR_TESTS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <spor/base.h>

/** What all figures of a run share. Texts have no tab or line end and are not empty. */
typedef struct {
    char date[24];     /* UTC, 2026-11-25 14:03 */
    char machine[96];  /* the processor's name */
    char compiler[64]; /* with its version and the kind of build */
    char commit[64];   /* "715c40e", "715c40e-dirty" if files differ from it, or "unknown" */
    char isa[16];      /* instruction set of the fast kernels */
    int cores;         /* the machine's */
} bench_origin;

/** Milliseconds a step, of several rounds. A round's figure is the median of its blocks. */
typedef struct {
    bench_origin origin;
    char network[64], mode[16];
    long long batch, threads;
    int rounds;
    double median, least;
    double lower, upper; /* quartiles: between them lies the middle half of the rounds */
} bench_figure;

/* ---- the file: history.c --------------------------------------------------------------------- */

typedef struct {
    bench_figure *figure; /* oldest first */
    size_t count;
} bench_history;

/** Reads a file, which may be missing. False with a message that names the line if it is not what
 *  history_append writes. */
bool history_read(const char *path, bench_history *history, spor_message *message);
void history_free(bench_history *history);

/** Adds figures in one write, after the header if the file is new or empty. None: tries whether
 *  they can be added. On failure the file is as it was. */
bool history_append(const char *path, const bench_figure figure[], size_t count,
                    spor_message *message);

/** A line of the file, its end included; returns what snprintf does. */
int history_line(const bench_figure *figure, char *text, size_t size);
/** False if the line, its end included, is none. */
bool history_parse(const char *line, bench_figure *figure);

/**
 * The figure beside the last two of its kind (machine, compiler, set, network, mode, batch,
 * threads): "0.97 of 2026-11-25 14:03 715c40e, 0.80 of ...", medians divided. A ratio has a ~ behind it
 * if the middle halves of the rounds overlap: then no difference was seen.
 */
void history_compare(const bench_history *history, const bench_figure *figure, char *text,
                     size_t size);

/* ---- where figures come from: origin.c ------------------------------------------------------- */

/** source: the project's folder. */
void origin_find(const char *source, bench_origin *origin);
/** The commit checked out in this folder, which must be the top of the repository. The history
 *  itself may differ from it. */
void origin_commit(const char *source, char *commit, size_t size);

/** Runs a program, its error output discarded if quiet, and reads what it prints, up to size - 1
 *  bytes. Its exit status; -1 if it could not be run or printed more. */
int origin_ask(const char *const argument[], bool quiet, char *text, size_t size);

#endif
